/* SPDX-License-Identifier: MIT
 *
 * When the young collection runs, and the public face of collection. */
#include <ouro/gc.h>
#include <string.h>

#include "mem/limbo.h"
#include "object/destroy.h"
#include "object/misuse.h"
#include "port/os.h"
#include "runtime/runtime.h"

/* Pacing. A collection looks at every block of the young pages, so it is worth its price when enough has been added since the last one: FIRST blocks
 * at the least. As long as collections find next to nothing: as many as were left, which keeps the price below a constant per object made, and
 * twice as many as the last time, up to PATIENCE: so a program without cycles pays less and less. When they do find
 * something, a fifth of what was left: then what is dead and not yet found stays below that. */
#define FIRST ((size_t)10000)
#define PATIENCE ((size_t)1 << 20)
#define LIMBO_WAIT_MS 20 /* the longest that an allocation waits when memory is out */
#define ROUNDS 8 /* finalizers that make garbage with finalizers do not keep a collection going for ever */
#define GOOD_YIELD 20 /* a collection that frees more than one in so many of its candidates found something */

static bool disabled; /* atomic */
static size_t threshold[OURO_GC_GENERATIONS]; /* atomic */
static ouro_gc_generation_stats young_stats;  /* atomic, member by member */

void oi_collect_init(void)
{
    oi_store_relaxed(&disabled, (oi_options.flags & OURO_GC_DISABLED) != 0);
    for (int i = 0; i < OURO_GC_GENERATIONS; i++)
        oi_store_relaxed(&threshold[i], oi_options.threshold[i]);
    oi_young_manual = oi_options.flags & OURO_FINALIZE_MANUAL;
}

static size_t limit_after(const struct oi_young_result *result, size_t blocks, size_t before)
{
    size_t pinned = oi_load_relaxed(&threshold[0]);
    if (pinned)
        return pinned;
    bool good = result->freed * GOOD_YIELD > result->candidates;
    size_t patient = 2 * before < PATIENCE ? 2 * before : PATIENCE;
    size_t limit = good ? blocks / 5 : blocks > patient ? blocks : patient;
    return limit > FIRST ? limit : FIRST;
}

void oi_collect_thread_init(struct oi_thread *thread)
{
    thread->young.limit = limit_after(&(struct oi_young_result){0}, 0, 0);
    thread->local.pool.fresh_blocks = 0;
    thread->local.pool.fresh_limit = thread->young.limit;
}

static void record(const struct oi_young_result *result, uint64_t ns)
{
    oi_fetch_add_relaxed(&young_stats.collections, 1);
    oi_fetch_add_relaxed(&young_stats.collected, result->freed);
    oi_fetch_add_relaxed(&young_stats.candidates, result->candidates);
    oi_fetch_add_relaxed(&young_stats.duration_ns, ns);
    uint64_t max = oi_load_relaxed(&young_stats.duration_max_ns);
    while (ns > max && !oi_cas_weak_relaxed(&young_stats.duration_max_ns, &max, ns)) {
    }
}

/* asked: by the program, which says nothing about whether it was worth it. */
static bool collect_once(struct oi_act *act, struct oi_young_result *result, bool asked)
{
    struct oi_thread *thread = oi_thread_of(act->self);
    uint64_t start = oi_os_now_ns();
    bool ok = oi_young_collect(act, &thread->young, result);
    if (ok)
        record(result, oi_os_now_ns() - start);
    thread->young.limit = limit_after(result, thread->young.blocks, asked ? 0 : thread->young.limit);
    thread->local.pool.fresh_blocks = 0;
    thread->local.pool.fresh_limit = thread->young.limit;
    return ok;
}

void oi_collect_run_due(struct oi_act *act)
{
    act->self->due = false;
    oi_destroy_run(act);
    if (!oi_young_manual)
        oi_young_run_due(act, &oi_thread_of(act->self)->young, SIZE_MAX);
}

/* Inside ouro_new: finalizers wait, for the caller may be in the middle of anything. */
static void collect_quietly(struct oi_act *act)
{
    struct oi_young_result result = {0};
    bool outer = act->in_user_code;
    act->in_user_code = true; /* so none runs, and no weak callback */
    collect_once(act, &result, false);
    act->in_user_code = outer;
    struct oi_young *young = &oi_thread_of(act->self)->young;
    act->self->due = act->dead || act->callbacks || (young->due && !oi_young_manual);
}

long oi_collect_young(struct oi_act *act)
{
    size_t found = 0, kept = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct oi_young_result result = {0};
        if (!collect_once(act, &result, true))
            return OURO_E_NOMEM;
        found += result.found > kept ? result.found - kept : 0; /* what was kept for its finalizer is found twice */
        kept = result.found - result.freed;
        /* What has been finalized can go now, unless it was resurrected. */
        if (oi_young_manual || !oi_young_run_due(act, &oi_thread_of(act->self)->young, SIZE_MAX))
            break;
    }
    return (long)found;
}

/* Recycled blocks count as handed out, too: only what has been added is a reason to collect. */
static bool is_worth_it(struct oi_act *act)
{
    struct oi_thread *thread = oi_thread_of(act->self);
    size_t added = oi_young_added(act);
    size_t pinned = oi_load_relaxed(&threshold[0]), limit = pinned ? pinned : thread->young.limit;
    size_t hurried = thread->young.blocks / 8 > FIRST / 8 ? thread->young.blocks / 8 : FIRST / 8;
    if (oi_page_is_over_soft_limit() && limit > hurried)
        limit = hurried;
    if (added >= limit)
        return true;
    thread->local.pool.fresh_blocks = 0;
    thread->local.pool.fresh_limit = limit - added > limit / 8 + 1 ? limit - added : limit / 8 + 1;
    return false;
}

/* Memory is out. Dead blocks that wait for read sections may be all that is missing: waits for them, but not for long, since a
 * reader may be asleep. */
static void await_limbo(void)
{
    uint64_t round = oi_limbo_rounds() + 2; /* the one under way may have begun too early */
    for (int ms = 0; ms < LIMBO_WAIT_MS && oi_limbo_is_waiting() && oi_limbo_rounds() < round; ms++) {
        oi_service_wake();
        oi_os_sleep_ms(1);
    }
}

void oi_collect_pressure(struct oi_act *act, bool force)
{
    bool may = !act->reading && !act->destroying && !act->in_user_code;
    struct oi_pool *pool = &act->self->pool;
    if (!force && pool->fresh_blocks < pool->fresh_limit && pool->fresh_blocks < FIRST / 8)
        return; /* over the soft limit, but not yet again */
    if (force) {
        if (may)
            collect_quietly(act);
        if (!act->reading)
            await_limbo();
        oi_pool_collect(&act->self->pool);
        oi_service_sweep(true);
    } else if (may && !oi_load_relaxed(&disabled) && is_worth_it(act)) {
        collect_quietly(act);
    }
    if (oi_limbo_is_waiting())
        oi_service_wake();
}

long ouro_gc_collect(int generation)
{
    struct oi_act *act = &oi_act;
    if (generation < 0 || generation >= OURO_GC_GENERATIONS)
        return OURO_E_INVALID;
    if (act->reading) {
        oi_misuse(OURO_MISUSE_WRONG_PLACE, "ouro_gc_collect", NULL, "not inside a read section");
        return OURO_E_USAGE;
    }
    ouro_status status = ouro_thread_attach(0);
    if (status != OURO_OK || !oi_hold_slot(act))
        return status;
    ouro_safepoint();
    return oi_collect_young(act);
}

void ouro_gc_enable(void)
{
    oi_start_default();
    oi_store_relaxed(&disabled, false);
}

void ouro_gc_disable(void)
{
    oi_start_default();
    oi_store_relaxed(&disabled, true);
}

bool ouro_gc_is_enabled(void)
{
    oi_start_default();
    return !oi_load_relaxed(&disabled);
}

void ouro_gc_get_threshold(size_t out[3])
{
    oi_start_default();
    for (int i = 0; i < OURO_GC_GENERATIONS; i++)
        out[i] = oi_load_relaxed(&threshold[i]);
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
    return OURO_OK;
}

void ouro_gc_get_count(size_t out[3])
{
    struct oi_act *act = &oi_act;
    out[0] = out[1] = out[2] = 0;
    if (!oi_holds_slot(act))
        return;
    size_t now = oi_young_count(act), before = oi_thread_of(act->self)->young.survivors;
    out[0] = now > before ? now - before : 0;
}

void ouro_gc_get_stats(ouro_gc_stats *stats, size_t size)
{
    ouro_gc_stats all = {.size = size};
    ouro_gc_generation_stats *young = &all.generation[0];
    young->collections = oi_load_relaxed(&young_stats.collections);
    young->collected = oi_load_relaxed(&young_stats.collected);
    young->candidates = oi_load_relaxed(&young_stats.candidates);
    young->duration_ns = oi_load_relaxed(&young_stats.duration_ns);
    young->duration_max_ns = oi_load_relaxed(&young_stats.duration_max_ns);
    memcpy(stats, &all, size < sizeof all ? size : sizeof all);
}

bool ouro_gc_is_tracked(const void *object)
{
    const ouro_object *o = object;
    return o && oi_type_word(o) && !(oi_flags(o) & OI_UNTRACKED);
}

bool ouro_gc_is_finalized(const void *object)
{
    const ouro_object *o = object;
    return o && oi_type_word(o) && (oi_flags(o) & OI_FINALIZED) && oi_type_of(o)->finalize;
}

size_t ouro_finalizers_run(size_t budget)
{
    struct oi_act *act = &oi_act;
    if (!oi_holds_slot(act) && !(act->home && oi_hold_slot(act)))
        return 0;
    return oi_young_run_due(act, &oi_thread_of(act->self)->young, budget);
}
