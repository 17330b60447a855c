/* SPDX-License-Identifier: MIT */
#include "sync/tslot.h"

#include <pthread.h>
#include <sched.h>

#include "base/base.h"
#include "port/atomic.h"
#include "port/perturb.h"

static struct oi_tslot *slots[OI_TSLOT_MAX + 1]; /* [id], set once (release), never unset */
static uint32_t created;                         /* highest id in use; grows under `lock` */
static uint32_t held;                            /* by threads; under `lock` */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* lock order: docs/design/lock-order.md */

struct oi_tslot *oi_tslot_find(uint32_t id)
{
    /* Acquire: the slot was filled in before it was entered [MO-slots]. */
    return id <= OI_TSLOT_MAX ? oi_load_acquire(&slots[id]) : NULL;
}

uint32_t oi_tslot_count(void)
{
    return oi_load_acquire(&created);
}

/* Acquire on the way to a holder, release on the way from one (S2); all are full barriers where S3 needs one. */
static bool transition(struct oi_tslot *slot, uint32_t from, uint32_t to)
{
    return oi_cas_seqcst(&slot->state, &from, to);
}

/* A vacant slot, or NULL. *busy: there was one that somebody has claimed for a moment. */
static struct oi_tslot *adopt(bool *busy)
{
    *busy = false;
    for (uint32_t id = 1; id <= created; id++) {
        uint32_t state = oi_load_relaxed(&slots[id]->state); /* a hint; the CAS decides */
        if (state == OI_TSLOT_VACANT && transition(slots[id], OI_TSLOT_VACANT, OI_TSLOT_THREAD))
            return slots[id];
        *busy = *busy || state == OI_TSLOT_VACANT || state == OI_TSLOT_CLAIMED_VACANT;
    }
    return NULL;
}

struct oi_tslot *oi_tslot_attach(struct oi_tslot *(*create)(uint32_t id), uint32_t limit, bool *full)
{
    struct oi_tslot *slot = NULL;
    bool busy;
    pthread_mutex_lock(&lock);
    *full = held >= limit;
    while (!*full && !(slot = adopt(&busy))) {
        if (created < OI_TSLOT_MAX && (slot = create(created + 1))) {
            slot->id = created + 1;
            slot->state = OI_TSLOT_THREAD;
            /* Release: pairs with oi_tslot_find [MO-slots]. */
            oi_store_release(&slots[slot->id], slot);
            oi_store_release(&created, created + 1);
            break;
        }
        if (!busy) {
            *full = created == OI_TSLOT_MAX;
            break;
        }
        sched_yield(); /* a claim lasts for a bounded batch */
    }
    if (slot)
        held++;
    pthread_mutex_unlock(&lock);
    return slot;
}

void oi_tslot_park(struct oi_tslot *slot)
{
    /* seq_cst exchange: release for the next holder (S2), and the barrier of S3. */
    oi_exchange_seqcst(&slot->state, OI_TSLOT_PARKED);
    oi_perturb();
}

void oi_tslot_unpark(struct oi_tslot *slot)
{
    /* From here on nobody claims: a claim expects PARKED and nothing else (S4). */
    uint32_t before = oi_fetch_or_seqcst(&slot->state, OI_TSLOT_WANTED);
    oi_perturb();
    if (before == OI_TSLOT_PARKED) {
        oi_exchange_seqcst(&slot->state, OI_TSLOT_THREAD);
        return;
    }
    /* Acquire: pairs with oi_tslot_let_go (S2) [MO-slots]. */
    while (oi_load_acquire(&slot->state) != OI_TSLOT_THREAD)
        sched_yield();
}

void oi_tslot_vacate(struct oi_tslot *slot)
{
    pthread_mutex_lock(&lock);
    held--;
    oi_exchange_seqcst(&slot->state, OI_TSLOT_VACANT); /* as in oi_tslot_park */
    pthread_mutex_unlock(&lock);
    oi_perturb();
}

bool oi_tslot_claim(struct oi_tslot *slot)
{
    uint32_t state = oi_load_seqcst(&slot->state); /* after the caller's push: S3 */
    oi_perturb();
    return (state == OI_TSLOT_PARKED && transition(slot, OI_TSLOT_PARKED, OI_TSLOT_CLAIMED_PARKED)) ||
           (state == OI_TSLOT_VACANT && transition(slot, OI_TSLOT_VACANT, OI_TSLOT_CLAIMED_VACANT));
}

bool oi_tslot_claim_in_turn(struct oi_tslot *slot)
{
    while (!oi_tslot_claim(slot)) {
        uint32_t state = oi_load_seqcst(&slot->state);
        if (state == OI_TSLOT_THREAD || state == OI_TSLOT_RETIRED || (state & OI_TSLOT_WANTED))
            return false; /* its thread looks into its inbox, or nobody ever will */
        sched_yield();
    }
    return true;
}

void oi_tslot_let_go(struct oi_tslot *slot)
{
    oi_perturb();
    if (oi_load_relaxed(&slot->state) == OI_TSLOT_CLAIMED_VACANT)
        oi_exchange_seqcst(&slot->state, OI_TSLOT_VACANT); /* nobody else changes it meanwhile */
    else if (!transition(slot, OI_TSLOT_CLAIMED_PARKED, OI_TSLOT_PARKED))
        oi_exchange_seqcst(&slot->state, OI_TSLOT_THREAD); /* WANTED: the owner has it, and looks into its inbox */
}

void oi_tslot_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_tslot_after_fork_parent(void)
{
    pthread_mutex_unlock(&lock);
}

void oi_tslot_after_fork_child(struct oi_tslot *mine)
{
    held = mine != NULL;
    for (uint32_t id = 1; id <= created; id++) {
        if (slots[id] != mine && oi_load_relaxed(&slots[id]->state) != OI_TSLOT_VACANT)
            oi_store_relaxed(&slots[id]->state, OI_TSLOT_RETIRED);
    }
    pthread_mutex_unlock(&lock);
}
