/* SPDX-License-Identifier: MIT
 *
 * Credit: references that a thread has taken in advance to an object that many threads count at once (docs/design/biased-counts.md,
 * "Credit"; weighted references: Bevan 1987, Watson and Watson 1987). They are taken by one compare-and-swap, many at a time, and given back in the
 * same way. In between the thread retains by taking one out of its credit and releases by putting one in, and writes nothing that others write.
 *
 * K1  Credit is nothing but references that the thread has, counted in `shared`, of a merged object. So the object lives, and it is not the
 *     finalizer's. `count` never says more than there are.
 * K2  To retain from credit creates no reference, and to release into it disposes of none. Giving credit back disposes: check (rule D), then
 *     one compare-and-swap, object by object.
 * K3  Entries are made, filled up and taken back under the credit lock, by the thread or by another. Without it, the thread alone changes
 *     `count`, by one, between two changes of `uses`. Who takes another thread's credit back closes the entry (no object), lets a barrier pass
 *     through all threads, and leaves alone what is in use then. */
#pragma once

#include <sys/queue.h>

#include "lib_object_header.h"
#include "lib_port_perturb.h"
#include "lib_port_tls.h"

#define OI_CREDIT 4096u               /* references taken at once; twice as many are the most that an entry keeps */
#define OI_CREDIT_COUNT_MAX (1 << 26) /* none is taken of objects with more references than this: it overflows no count */
#define OI_CREDIT_PLACES 32u          /* each object has two of them */

struct oi_act;

struct oi_credit {
    ouro_object *object; /* atomic; NULL: none, or closed */
    ouro_object *closed; /* under the lock: what the entry was of, while another thread looks whether it is in use */
    uint32_t count;      /* atomic: references; 0: the place is free; never taken below 1 otherwise */
    uint32_t uses;       /* atomic; odd while the thread uses it without the lock */
    uint32_t seen;         /* the thread's: `uses` when it last looked whether it is used */
    uint32_t seen_outside; /* under the lock: the same for who takes it back */
};

/* A thread's, whether or not it holds a slot. In memory that nobody else writes but to take credit back. */
struct oi_credits {
    struct oi_credit at[OI_CREDIT_PLACES];
    uint32_t entries; /* atomic: places that are not free; written under the lock */
    bool vanished;    /* under the lock: the thread has, in a fork */
    LIST_ENTRY(oi_credits) link; /* under the lock: of all threads */
};

/* What goes with a thread beside. */
struct oi_counting {
    struct oi_credits *credits; /* oi_no_credits until it has taken some */
    uint32_t crowded;           /* how often there was no place */
    uint32_t failures;          /* how often in succession it has counted `rival` in vain, somebody else having been quicker */
    const ouro_object *rival;   /* or has dropped a reference to it without an entry */
    const ouro_object *sampled; /* the biased object that it last dropped when it looked around ... */
    uint32_t samples;           /* ... and how often in succession */
    uint32_t haste;             /* depth of what may wait for nobody, not even for the credit lock: see oi_credit_haste */
    bool never;                 /* a thread of the library's, where no user code may run when it ends, or one without memory for it: it takes none */
};

extern OI_TLS struct oi_counting oi_counting;
extern struct oi_credits oi_no_credits; /* all places are free, and stay so */

/* The first of the object's two places; the other is its neighbour. */
static inline uint32_t oi_credit_place(const ouro_object *o)
{
    _Static_assert(OI_CREDIT_PLACES == 1u << (32 - 27), "a hash is a place");
    return (uint32_t)((uintptr_t)o >> 4) * 0x9e3779b1u >> 27; /* Fibonacci hashing: Knuth, TAOCP 3, 6.4 */
}

static inline struct oi_credit *oi_credit_find_in(struct oi_credits *credits, const ouro_object *o)
{
    uint32_t i = oi_credit_place(o);
    struct oi_credit *credit = &credits->at[i];
    if (OI_LIKELY(oi_load_relaxed(&credit->object) == o))
        return credit;
    credit = &credits->at[i ^ 1];
    return oi_load_relaxed(&credit->object) == o ? credit : NULL;
}

/* The calling thread's entry, or NULL. */
static inline struct oi_credit *oi_credit_find(const ouro_object *o)
{
    return oi_credit_find_in(oi_counting.credits, o);
}

/* Between these two nobody takes the entry back, if it is still the object's after the first. */
static inline bool oi_credit_begin(struct oi_credit *credit, const ouro_object *o)
{
    oi_perturb(); /* found, and taken back before it is used */
    oi_store_relaxed(&credit->uses, credit->uses + 1);
    oi_compiler_fence(); /* K3: the other side's membarrier is the fence */
    bool open = oi_load_relaxed(&credit->object) == o;
    oi_perturb();
    return open;
}

static inline void oi_credit_end(struct oi_credit *credit)
{
    /* Release: what the thread did with the object comes before whatever is done by who takes the entry back [MO-credit]. */
    oi_store_release(&credit->uses, credit->uses + 1);
}

/* One more reference, from the entry. False: it has no more than one, or is closed. */
static inline bool oi_credit_take(struct oi_credit *credit, const ouro_object *o)
{
    bool taken = oi_credit_begin(credit, o) && credit->count > 1;
    if (OI_LIKELY(taken))
        oi_store_relaxed(&credit->count, credit->count - 1);
    oi_credit_end(credit);
    return taken;
}

/* One reference less. False: the entry is full, or closed, or nobody else has a reference to the object any more. */
static inline bool oi_credit_put(struct oi_credit *credit, const ouro_object *o)
{
    bool put = oi_credit_begin(credit, o) && credit->count < 2 * OI_CREDIT && (uint32_t)oi_count(oi_shared(o)) != credit->count + 1;
    if (OI_LIKELY(put))
        oi_store_relaxed(&credit->count, credit->count + 1);
    oi_credit_end(credit);
    return put;
}

/* Of a wide object, for which the inline half has found nothing. True: done. The caller has a reference, or for the first, has found the
 * object in a read section: then it may be dead. */
bool oi_credit_retain_slow(struct oi_act *act, ouro_object *o);
bool oi_credit_release_slow(struct oi_act *act, ouro_object *o);

/* In between, the thread counts with the credit that it has, and takes no more: it holds a lock, or has a turn. */
static inline void oi_credit_haste(void)
{
    oi_counting.haste++;
}

static inline void oi_credit_haste_ended(void)
{
    oi_counting.haste--;
}

/* Nobody need look for credit of o any more. The caller has a reference. */
void oi_credit_narrow(ouro_object *o);

/* Somebody else has changed `shared` of o, which is published and which the caller has a reference to, between the caller's look and its act. True:
 * with this it has become wide, and if it is biased, its owner should be told. */
bool oi_credit_contended(struct oi_act *act, ouro_object *o);

/* The thread gives its credit back: all of it, before it parks or detaches; or, at a safepoint, what it has not used since the one before.
 * May run user code. */
void oi_credit_return_all(struct oi_act *act);
void oi_credit_return_unused(struct oi_act *act);

/* Gives back, for all threads, what they have not used since the last such call; or all, but for what somebody is stopped in the middle of using.
 * What dies by it is left to the caller's destroy loop, which this runs. Takes a barrier in all threads, if there is something. */
void oi_credit_recall(struct oi_act *act, bool idle);
extern uint32_t oi_credit_patience_ms; /* between two such calls by the background thread: 10; tests set it before they start threads */
#define OI_CREDIT_ALL_EVERY 10u /* of its calls is for all */

/* By the background thread, when it has looked whether there is credit. True: there is, and it says it will come again; while that is not so, each
 * visit to the lock that leaves credit out wakes it. */
bool oi_credit_attend(bool comes_again);

/* True if any thread has credit; if the calling one has. */
bool oi_credit_is_out(void);
static inline bool oi_credit_is_mine_out(void)
{
    return oi_load_relaxed(&oi_counting.credits->entries);
}

/* All credit of one object, and its `shared` at a moment when it was that much. Takes a barrier in all threads, if there is some. */
uint32_t oi_credit_count(ouro_object *o, uint32_t *shared);

void oi_credit_before_fork(void);
void oi_credit_after_fork(bool child);
