/* SPDX-License-Identifier: MIT
 *
 * The gc interface: settings, statistics, callbacks, and collecting on request. */
#include <ouro/gc.h>
#include <pthread.h>
#include <string.h>

#include "object/destroy.h"
#include "object/misuse.h"
#include "runtime/runtime.h"

#define ROUNDS 8 /* finalizers that make garbage with finalizers do not keep a collection going for ever */

/* ---- settings ---- */

static bool disabled; /* atomic */
static size_t threshold[OURO_GC_GENERATIONS]; /* atomic */

void oi_gc_init(void)
{
    oi_store_relaxed(&disabled, (oi_options.flags & OURO_GC_DISABLED) != 0);
    for (int i = 0; i < OURO_GC_GENERATIONS; i++)
        oi_store_relaxed(&threshold[i], oi_options.threshold[i]);
    oi_store_relaxed(&oi_young_manual, (oi_options.flags & OURO_FINALIZE_MANUAL) != 0);
}

bool oi_gc_is_on(void)
{
    return !oi_load_relaxed(&disabled);
}

size_t oi_gc_threshold(int generation)
{
    return oi_load_relaxed(&threshold[generation]);
}

void ouro_gc_enable(void)
{
    oi_start_default();
    oi_store_relaxed(&disabled, false);
    oi_collector_settings_changed();
}

void ouro_gc_disable(void)
{
    oi_start_default();
    oi_store_relaxed(&disabled, true);
    oi_collector_settings_changed();
}

bool ouro_gc_is_enabled(void)
{
    oi_start_default();
    return oi_gc_is_on();
}

void ouro_gc_get_threshold(size_t out[3])
{
    oi_start_default();
    for (int i = 0; i < OURO_GC_GENERATIONS; i++)
        out[i] = oi_gc_threshold(i);
}

ouro_status ouro_gc_set_threshold(const size_t in[3])
{
    struct oi_act *act = &oi_act;
    ouro_status status = oi_start_default();
    if (status != OURO_OK)
        return status;
    for (int i = 0; i < OURO_GC_GENERATIONS; i++)
        oi_store_relaxed(&threshold[i], in[i]);
    if (oi_holds_slot(act)) /* other threads follow at their next collection, or look at it */
        act->self->pool.fresh_limit = 0;
    oi_collector_settings_changed();
    return OURO_OK;
}

/* ---- statistics ---- */

static ouro_gc_generation_stats totals[OURO_GC_GENERATIONS]; /* atomic, member by member */
static size_t counts[OURO_GC_GENERATIONS]; /* atomic; [1]: young collections since the last of generation 1 or 2, [2]: of generation 1 since 2 */

static void record(const ouro_gc_info *info)
{
    ouro_gc_generation_stats *to = &totals[info->generation];
    oi_fetch_add_relaxed(&to->collections, 1);
    oi_fetch_add_relaxed(&to->collected, info->freed);
    oi_fetch_add_relaxed(&to->candidates, info->candidates);
    oi_fetch_add_relaxed(&to->suspects, info->suspects);
    oi_fetch_add_relaxed(&to->duration_ns, info->duration_ns);
    oi_fetch_add_relaxed(&to->reasons[info->reason], 1);
    uint64_t max = oi_load_relaxed(&to->duration_max_ns);
    while (info->duration_ns > max && !oi_cas_weak_relaxed(&to->duration_max_ns, &max, info->duration_ns)) {
    }
    for (int i = 1; i <= info->generation; i++)
        oi_store_relaxed(&counts[i], 0);
    if (info->generation + 1 < OURO_GC_GENERATIONS)
        oi_fetch_add_relaxed(&counts[info->generation + 1], 1);
}

size_t oi_gc_count(int generation)
{
    return oi_load_relaxed(&counts[generation]);
}

void ouro_gc_get_count(size_t out[3])
{
    struct oi_act *act = &oi_act;
    out[0] = 0;
    out[1] = oi_gc_count(1);
    out[2] = oi_gc_count(2);
    if (!oi_holds_slot(act))
        return;
    out[0] = oi_young_count(act);
}

void ouro_gc_get_stats(ouro_gc_stats *stats, size_t size)
{
    ouro_gc_stats all = {.size = size};
    for (int i = 0; i < OURO_GC_GENERATIONS; i++) {
        ouro_gc_generation_stats *to = &all.generation[i], *from = &totals[i];
        to->collections = oi_load_relaxed(&from->collections);
        to->collected = oi_load_relaxed(&from->collected);
        to->candidates = oi_load_relaxed(&from->candidates);
        to->suspects = oi_load_relaxed(&from->suspects);
        to->duration_ns = oi_load_relaxed(&from->duration_ns);
        to->duration_max_ns = oi_load_relaxed(&from->duration_max_ns);
        for (int reason = 0; reason < OURO_GC_REASONS; reason++)
            to->reasons[reason] = oi_load_relaxed(&from->reasons[reason]);
    }
    memcpy(stats, &all, size < sizeof all ? size : sizeof all);
}

/* ---- callbacks ---- */

#define CALLBACKS_MAX 16

struct callback {
    int id; /* 0: unused */
    ouro_gc_callback fn;
    void *arg;
};

static struct callback callbacks[CALLBACKS_MAX]; /* under the next */
static pthread_mutex_t callbacks_lock = PTHREAD_MUTEX_INITIALIZER; /* docs/design/lock-order.md */
static int last_id;           /* likewise */
static uint32_t callback_count; /* atomic; written likewise */

int ouro_gc_add_callback(ouro_gc_callback fn, void *arg)
{
    int id = OURO_E_NOMEM;
    ouro_status status = oi_start_default();
    if (status != OURO_OK || !fn)
        return fn ? status : OURO_E_INVALID;
    pthread_mutex_lock(&callbacks_lock);
    for (int i = 0; i < CALLBACKS_MAX && id < 0; i++) {
        if (callbacks[i].id)
            continue;
        callbacks[i] = (struct callback){id = ++last_id, fn, arg};
        oi_fetch_add_relaxed(&callback_count, 1);
    }
    pthread_mutex_unlock(&callbacks_lock);
    return id;
}

void ouro_gc_remove_callback(int id)
{
    pthread_mutex_lock(&callbacks_lock);
    for (int i = 0; i < CALLBACKS_MAX; i++) {
        if (!id || callbacks[i].id != id)
            continue;
        callbacks[i] = (struct callback){0};
        oi_fetch_sub_relaxed(&callback_count, 1);
    }
    pthread_mutex_unlock(&callbacks_lock);
}

static void call_all(struct oi_act *act, ouro_gc_phase phase, const ouro_gc_info *info)
{
    struct callback copy[CALLBACKS_MAX];
    if (!oi_load_relaxed(&callback_count))
        return;
    pthread_mutex_lock(&callbacks_lock);
    memcpy(copy, callbacks, sizeof copy);
    pthread_mutex_unlock(&callbacks_lock);
    bool outer = act->in_user_code;
    oi_watch_exit(act);
    act->in_user_code = true; /* no finalizer runs inside */
    for (int i = 0; i < CALLBACKS_MAX; i++) {
        if (copy[i].id)
            copy[i].fn(phase, info, copy[i].arg);
    }
    oi_left_user_code(act, outer);
}

void oi_gc_begins(struct oi_act *act, const ouro_gc_info *info)
{
    call_all(act, OURO_GC_START, info);
}

void oi_gc_ended(struct oi_act *act, const ouro_gc_info *info)
{
    record(info);
    oi_debug_print(info);
    oi_collector_counts_changed();
    call_all(act, OURO_GC_STOP, info);
}

void oi_gc_before_fork(void)
{
    pthread_mutex_lock(&callbacks_lock);
}

void oi_gc_after_fork(void)
{
    pthread_mutex_unlock(&callbacks_lock);
}

/* ---- collecting on request ---- */

static long collect_published(struct oi_act *act, int generation)
{
    size_t found = 0, kept = 0;
    bool wait = !oi_load_relaxed(&oi_young_manual) && !act->in_user_code && !act->destroying;
    for (int round = 0; round < ROUNDS; round++) {
        /* What finalizers were due for may be old by now, in part. */
        struct oi_concurrent job = {.generation = round ? 2 : generation};
        uint64_t before = oi_finalizer_done();
        oi_collector_collect(act, &job, OURO_GC_REASON_ASKED);
        found += job.found > kept ? job.found - kept : 0; /* what was kept for its finalizer is found twice */
        kept = job.found - job.freed;
        /* What has been finalized, by this collection or another, can go now, unless it was resurrected. */
        if (!wait || oi_finalizer_wait() == before)
            break;
    }
    return (long)found;
}

/* What may not be done here: reported. */
static bool is_misplaced(const struct oi_act *act, const char *call)
{
    if (!act->reading)
        return false;
    oi_misuse(OURO_MISUSE_WRONG_PLACE, call, NULL, "not inside a read section");
    return true;
}

long ouro_gc_collect(int generation)
{
    struct oi_act *act = &oi_act;
    if (generation < 0 || generation >= OURO_GC_GENERATIONS)
        return OURO_E_INVALID;
    if (is_misplaced(act, "ouro_gc_collect"))
        return OURO_E_USAGE;
    ouro_status status = ouro_thread_attach(0);
    if (status != OURO_OK || !oi_hold_slot(act))
        return status;
    ouro_safepoint();
    long young = oi_collect_young(act);
    if (young < 0 || !generation)
        return young;
    ouro_blocking_begin(); /* nothing that others hand to this thread waits for the collection */
    long found = collect_published(act, generation);
    ouro_blocking_end();
    return young + found;
}

ouro_status ouro_gc_collect_async(int generation)
{
    if (generation < 0 || generation >= OURO_GC_GENERATIONS)
        return OURO_E_INVALID;
    ouro_status status = oi_start_default();
    if (status == OURO_OK)
        oi_collector_request(generation ? generation : 1, OURO_GC_REASON_ASKED);
    return status;
}

bool ouro_gc_is_tracked(const void *object)
{
    const ouro_object *o = object;
    return o && oi_type_word(o) && oi_type_is_tracked(oi_type_of(o));
}

bool ouro_gc_is_finalized(const void *object)
{
    const ouro_object *o = object;
    return o && oi_type_word(o) && (oi_flags(o) & OI_FINALIZED) && oi_type_of(o)->finalize;
}

size_t ouro_finalizers_run(size_t budget)
{
    struct oi_act *act = &oi_act;
    size_t ran = oi_finalizer_run(act, budget);
    if (!oi_holds_slot(act) && !(act->home && oi_hold_slot(act)))
        return ran;
    return ran + oi_young_run_due(act, &oi_thread_of(act->self)->young, budget - ran);
}
