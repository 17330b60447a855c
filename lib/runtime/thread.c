/* SPDX-License-Identifier: MIT
 *
 * Attaching, parking, detaching: how a thread comes to hold a slot and lets it go (sync/tslot.h). */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "object/credit.h"
#include "object/destroy.h"
#include "object/history.h"
#include "object/inbox.h"
#include "object/misuse.h"
#include "runtime/runtime.h"

static pthread_key_t exit_key; /* its destructor detaches */

static struct oi_tslot *create_slot(uint32_t id)
{
    struct oi_thread *thread = aligned_alloc(64, oi_round_up(sizeof *thread, 64));
    if (!thread)
        return NULL;
    memset(thread, 0, sizeof *thread);
    thread->local.tslot.id = id;
    oi_pool_init(&thread->local.pool);
    return &thread->local.tslot;
}

/* How the objects of a slot's holder are born: private and biased to it, or published and counted by all. */
static void set_birth(struct oi_local *local, bool unbiased)
{
    oi_pool_set_birth(&local->pool, unbiased);
    if (unbiased) {
        local->birth = (uint64_t)OI_PUBLISHED << 48;
        local->birth_counts = (uint64_t)(OI_ONE | OI_MERGED) << 32;
    } else {
        local->birth = (uint64_t)local->tslot.id << 32;
        local->birth_counts = 0;
    }
}

static bool is_unbiased(const struct oi_local *local)
{
    return local->birth_counts;
}

static void enter(struct oi_act *act, struct oi_local *local)
{
    act->self = local;
    act->home = NULL;
    act->id = is_unbiased(local) ? OI_TSLOT_NONE : local->tslot.id;
    ouro_private_thread_id = oi_history_on ? OI_TSLOT_NONE : act->id;
}

static void leave(struct oi_act *act)
{
    act->id = ouro_private_thread_id = OI_TSLOT_NONE;
    act->self = &oi_nobody;
}

/* The runtime has been started: there was a slot, or an object. */
void oi_thread_watch_exit(struct oi_act *act)
{
    act->exit_watched = pthread_setspecific(exit_key, act) == 0;
}

static ouro_status attach(struct oi_act *act, unsigned flags)
{
    ouro_status status = oi_start_default();
    if (status != OURO_OK)
        return status;
    oi_watch_exit(act);
    if (!act->exit_watched)
        return OURO_E_NOMEM;
    bool full;
    struct oi_tslot *slot = oi_tslot_attach(create_slot, oi_options.max_threads, &full);
    if (!slot)
        return full ? OURO_E_AGAIN : OURO_E_NOMEM;
    struct oi_local *local = OI_CONTAINER_OF(slot, struct oi_local, tslot);
    set_birth(local, flags & OURO_THREAD_UNBIASED);
    if (local->pool.fresh_limit == SIZE_MAX)
        oi_collect_thread_init(oi_thread_of(local));
    enter(act, local);
    return OURO_OK;
}

bool oi_thread_hold_slot(struct oi_act *act)
{
    if (!act->home)
        return attach(act, 0) == OURO_OK;
    oi_tslot_unpark(&act->home->tslot);
    enter(act, act->home);
    return true;
}

static void detach(struct oi_act *act)
{
    ouro_safepoint();
    oi_collect_young(act);
    oi_destroy_run(act); /* also when there was no memory to collect with: private objects die on their own thread, or never */
    struct oi_local *local = act->self;
    oi_credit_return_all(act);
    OI_ASSERT(!act->dead && !act->dead_plain && !act->dead_waiting && !act->dead_blocks);
    oi_young_publish_all(act);
    oi_pool_collect(&local->pool);
    leave(act);
    oi_tslot_vacate(&local->tslot);
    oi_inbox_recheck(act, &local->tslot);
}

/* Thread exit. Other destructors may still use ouro afterwards: then the thread attaches anew and this runs again. */
static void thread_exits(void *arg)
{
    struct oi_act *act = arg;
    act->exit_watched = false;
    if (act->home)
        oi_hold_slot(act); /* it ended in a blocking region; what follows needs the pool */
    oi_destroy_unwound(act);
    if ((oi_holds_slot(act) || act->home) && oi_hold_slot(act))
        detach(act);
}

ouro_status oi_thread_init(void)
{
    static bool done; /* under the start lock */
    if (!done && pthread_key_create(&exit_key, thread_exits) != 0)
        return OURO_E_NOMEM;
    done = true;
    return OURO_OK;
}

ouro_status ouro_thread_attach(unsigned flags)
{
    struct oi_act *act = &oi_act;
    if (flags & ~OURO_THREAD_UNBIASED)
        return OURO_E_INVALID;
    return oi_holds_slot(act) || act->home ? OURO_OK : attach(act, flags);
}

/* True: the call may not be made here; reported. */
static bool is_wrong_place(const struct oi_act *act, const char *call, bool also_in_user_code)
{
    if (!act->reading && !(also_in_user_code && (act->in_user_code || act->destroying)))
        return false;
    oi_misuse(OURO_MISUSE_WRONG_PLACE, call, NULL, act->reading ? "not inside a read section" : "not inside a finalizer or weak callback");
    return true;
}

void ouro_thread_detach(void)
{
    struct oi_act *act = &oi_act;
    if (!is_wrong_place(act, "ouro_thread_detach", true) && (oi_holds_slot(act) || act->home) && oi_hold_slot(act))
        detach(act);
}

void ouro_blocking_begin(void)
{
    struct oi_act *act = &oi_act;
    if (!oi_holds_slot(act)) {
        if (!act->home && !act->reading)
            oi_credit_return_all(act); /* all that there is to give up */
        return;
    }
    if (is_wrong_place(act, "ouro_blocking_begin", false))
        return;
    /* What is carried out here may be user code that needs the slot, and so ends the region: then once more. */
    do {
        ouro_safepoint();
        oi_credit_return_all(act);
        struct oi_local *local = act->self;
        oi_pool_free_kept(&local->pool);
        act->home = local;
        leave(act);
        oi_tslot_park(&local->tslot);
        oi_inbox_recheck(act, &local->tslot);
    } while (!act->home);
}

void ouro_blocking_end(void)
{
    struct oi_act *act = &oi_act;
    if (!act->home)
        return; /* the region has ended early, or there was none */
    oi_hold_slot(act);
    oi_inbox_look(act);
}

void ouro_safepoint(void)
{
    struct oi_act *act = &oi_act;
    oi_inbox_look(act);
    if (oi_holds_slot(act))
        oi_collect_run_due(act);
}
