/* SPDX-License-Identifier: MIT
 *
 * Who acts: the calling thread as the object layer sees it. Two parts: what goes with the thread slot, and what goes with the thread itself,
 * which has one even when it holds no slot (before its first object, while parked, after it was detached). */
#pragma once

#include "mem/pool.h"
#include "object/type.h"
#include "port/tls.h"
#include "sync/tslot.h"

/* A counted reference on its way, in the heap's own list node: in an inbox, or waiting for a finalizer. */
struct oi_token {
    struct oi_stack_node node;
    uintptr_t object; /* see object/inbox.c */
};

#define OI_HANDED_OVER_SCORES 64

/* Goes with the slot. The holder's, except as the parts say. */
struct oi_local {
    struct oi_tslot tslot; /* first: the registry knows this part only */
    uintptr_t due;         /* not 0: a collection inside ouro_new has left user code waiting: see oi_upcalls.run_due */
    struct oi_pool pool;
    uint64_t birth;        /* what this slot adds to the first 8 bytes of a new object */
    uint64_t birth_counts; /* and its last 8 */
    struct oi_page *gray;  /* pages with gray objects (object/gray.h) */
    uint32_t publications; /* atomic: odd while the holder publishes; see oi_publish_begin */
    int16_t handed_over[OI_HANDED_OVER_SCORES]; /* object/handover.h */
};

/* Goes with the thread. */
struct oi_act {
    struct oi_local *self; /* the slot it holds; oi_nobody when it holds none */
    uint32_t id;           /* what objects that it counts in `local` have for an owner; OI_TSLOT_NONE: there are none */
    struct oi_local *home; /* the slot it gets back at blocking_end, while parked; else NULL */
    union {
        struct {
            uint32_t reading;  /* depth of user-visible read sections */
            bool destroying;   /* the destroy loop is on the stack: what dies is left to it */
            bool calling;      /* the loop of weak callbacks is on the stack */
            bool in_user_code; /* a finalizer or weak callback is on the stack */
        };
        uint64_t busy;         /* 0: none of these, in one look */
    };
    ouro_object *dead_plain;  /* private, nothing special about them; linked at byte 8 */
    ouro_object *dead;        /* DEAD, to be finalized or destroyed; this and the next two: oi_dead_link */
    ouro_object *dead_waiting; /* DEAD, to be finalized when the read section ends */
    ouro_object *dead_blocks; /* private and destroyed, to be freed when the read section ends */
    struct ouro_weak *callbacks; /* weak references whose callback is due; each with a reference */
    bool exit_watched;        /* what is pending here will be seen to when the thread ends: see oi_watch_exit */
    bool looking;             /* the thread is looking into its inbox: what comes in meanwhile is left to that */
    uint32_t slow_releases;   /* counts towards the next look at the inbox */
    struct oi_reader *reader; /* object/reader.h; NULL before the thread's first read section */
};

extern OI_TLS struct oi_act oi_act;

/* Stands for "no slot": its pool is always empty, so that the fast paths need not ask. */
extern struct oi_local oi_nobody;

static inline bool oi_holds_slot(const struct oi_act *act)
{
    return act->self != &oi_nobody;
}

/* The id that the library goes by. What the program's inline functions compare with, ouro_private_thread_id, is the same, except in dev mode: there it is
 * nobody's, so that each of them calls the library. */
static inline uint32_t oi_my_id(void)
{
    return oi_act.id;
}

/* Private to the calling thread. */
static inline bool oi_is_mine(const ouro_object *o)
{
    return oi_owner(o) == oi_my_id() && !(oi_flags(o) & OI_PUBLISHED);
}

/* Private to another thread (or to nobody any more): the caller must not touch it. A thread that is parked gets its slot back
 * first if the object is its own. */
bool oi_is_private_foreign(const ouro_object *o); /* the same, of one that is not published */

static inline bool oi_is_foreign(const ouro_object *o)
{
    return !(oi_flags(o) & OI_PUBLISHED) && oi_is_private_foreign(o);
}

/* What this layer asks of the runtime, which defines it. */
struct oi_upcalls {
    /* Starts the runtime with defaults if it has not been. */
    void (*start)(void);
    /* Makes the calling thread hold a slot: attaches it, or ends its blocking region. False: none to be had. */
    bool (*hold_slot)(struct oi_act *act);
    /* The thread's pool has handed out fresh_limit blocks: collect, or raise the limit. force: memory is out. */
    void (*pressure)(struct oi_act *act, bool force);
    /* Runs what is due. */
    void (*run_due)(struct oi_act *act);
    /* Sees to it that oi_destroy_unwound is called when the thread ends, if there is memory for that. */
    void (*watch_exit)(struct oi_act *act);
    /* There is something for the background thread to do. */
    void (*wake)(void);
};
extern const struct oi_upcalls oi_upcalls;

static inline bool oi_hold_slot(struct oi_act *act)
{
    return oi_holds_slot(act) || oi_upcalls.hold_slot(act);
}

/* Before something is left pending that only this thread knows of, and user code goes on, which may end it. A thread that has never held a slot is not
 * known by anything else. */
static inline void oi_watch_exit(struct oi_act *act)
{
    if (OI_UNLIKELY(!act->exit_watched))
        oi_upcalls.watch_exit(act);
}
