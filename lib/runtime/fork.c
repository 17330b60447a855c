/* SPDX-License-Identifier: MIT
 *
 * fork(): the parent goes on untouched, the child goes on with the forking thread alone (docs/embedding.md). Slots of vanished threads are
 * retired: what they held, or were in the middle of, is leaked and never touched. */
#include <pthread.h>

#include "mem/limbo.h"
#include "object/credit.h"
#include "object/type.h"
#include "object/weak.h"
#include "runtime/runtime.h"
#include "runtime/start.h"
#include "value/turn.h"

/* liburcu waits for grace periods under way, and this thread may be the reader they wait for: it leaves its read section meanwhile.
 * oi_limbo_before_fork has seen to it that nothing it may look at is reused because of that. */
static void interrupt_reading(uint32_t depth)
{
    while (depth--)
        oi_rcu_read_unlock();
}

static void resume_reading(uint32_t depth)
{
    while (depth--)
        oi_rcu_read_lock();
}

/* In lock order (docs/design/lock-order.md). liburcu's locks come before those that a reader may be waiting for: a grace period
 * under way waits for that reader, and this thread for the grace period. */
static void before(void)
{
    if (oi_act.home)
        oi_hold_slot(&oi_act); /* another thread may be at work for it, and would vanish from the child half-way */
    oi_limbo_before_fork(oi_act.reading);
    interrupt_reading(oi_act.reading);
    oi_tables_before_fork();
    oi_concurrent_before_fork(); /* whose holder may have to register with liburcu */
    oi_rcu_before_fork();
    oi_start_before_fork();
    oi_gc_before_fork();
    oi_debug_before_fork();
    oi_visit_before_fork();
    oi_finalizer_before_fork();
    oi_collector_before_fork();
    oi_service_before_fork();
    oi_tslot_before_fork();
    oi_page_before_fork();
    oi_type_before_fork();
    oi_weak_before_fork();
    oi_credit_before_fork();
}

static void after_in_parent(void)
{
    oi_credit_after_fork(false);
    oi_weak_after_fork();
    oi_type_after_fork();
    oi_page_after_fork();
    oi_tslot_after_fork_parent();
    oi_service_after_fork_parent();
    oi_collector_after_fork_parent();
    oi_finalizer_after_fork_parent();
    oi_visit_after_fork_parent();
    oi_debug_after_fork();
    oi_gc_after_fork();
    oi_start_after_fork(false);
    oi_rcu_after_fork_parent();
    oi_concurrent_after_fork_parent();
    oi_tables_after_fork();
    resume_reading(oi_act.reading);
    oi_limbo_after_fork_parent();
    if (oi_service_is_needed())
        oi_service_wake(); /* a wake-up may have met the fork */
}

/* A vanished thread may have been changing the lists of its young pages: nobody is to touch them any more. */
static void keep_from_retired(void)
{
    for (uint32_t id = 1; id <= oi_tslot_count(); id++) {
        struct oi_tslot *slot = oi_tslot_find(id);
        if (oi_load_relaxed(&slot->state) == OI_TSLOT_RETIRED)
            pthread_mutex_lock(&OI_CONTAINER_OF(slot, struct oi_local, tslot)->pool.young_lock); /* others only try it */
    }
}

static void after_in_child(void)
{
    struct oi_local *mine = oi_holds_slot(&oi_act) ? oi_act.self : NULL;
    oi_credit_after_fork(true);
    oi_weak_after_fork();
    oi_type_after_fork();
    oi_page_after_fork();
    /* Vanished threads may have had these for a moment, but none was changing a list: that takes a claim, or the page lock. */
    for (uint32_t id = 1; id <= oi_tslot_count(); id++)
        pthread_mutex_init(&OI_CONTAINER_OF(oi_tslot_find(id), struct oi_local, tslot)->pool.young_lock, NULL);
    if (mine)
        mine->pool.fresh_limit = 0; /* the next slow allocation wakes a new background thread */
    oi_tslot_after_fork_child(mine ? &mine->tslot : NULL);
    keep_from_retired();
    oi_service_after_fork_child();
    oi_collector_after_fork_child();
    oi_finalizer_after_fork_child();
    oi_debug_after_fork();
    oi_gc_after_fork();
    oi_start_after_fork(true);
    oi_rcu_after_fork_child();
    oi_concurrent_after_fork_child();
    oi_turn_after_fork_child();
    oi_tables_after_fork();
    resume_reading(oi_act.reading);
    oi_limbo_after_fork_child();
    oi_visit_after_fork_child(); /* last: it may give pages back, and so start the background thread */
    if (oi_credit_is_out())
        oi_service_wake(); /* and so does this */
}

ouro_status oi_fork_init(void)
{
    static bool done; /* under the start lock */
    if (!done && pthread_atfork(before, after_in_parent, after_in_child) != 0)
        return OURO_E_NOMEM;
    done = true;
    return OURO_OK;
}
