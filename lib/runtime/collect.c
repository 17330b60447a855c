/* SPDX-License-Identifier: MIT
 *
 * When the young collection runs. */
#include <ouro/gc.h>

#include "mem/limbo.h"
#include "mem/watch.h"
#include "object/destroy.h"
#include "object/inbox.h"
#include "port/os.h"
#include "runtime/runtime.h"

/* Pacing. A young collection looks at the objects made since the last one, so its length is bounded by their number: NURSERY, while collections
 * find something (a few dozen microseconds), and twice as many each time they find next to nothing, up to PATIENCE: a program without
 * cycles pays less and less. What survives is aged. All of a thread's private objects are looked at when enough have aged since the last
 * time: as many as there were, at the least ALL, which keeps the price below a constant per object made; or, when the last time was worth
 * it, a fifth of that: then what is dead and not yet found stays below a fifth. */
#define NURSERY ((size_t)2048)
#define PATIENCE ((size_t)1 << 20)
#define ALL ((size_t)10000)
/* A thread with many private objects of which cycles die late would look at all of them again and again. Its survivors are published
 * instead: then these cycles are the concurrent collection's to find, on another thread. That makes slots and deaths dearer, so it is done only after a
 * collection of all that found something and left LARGE, and as long as concurrent collections find something. */
#define LARGE ((size_t)1 << 18)
/* A few large objects hold much memory, and no number of objects says so. Therefore all private objects are looked at when the heap has grown by GROWTH
 * bytes, at the least, and by half, since the thread's last collection; but only if these are WEIGHT for each of them, so that looking costs little
 * beside filling that memory. */
#define GROWTH ((size_t)16 << 20)
#define WEIGHT ((size_t)2048)
#define LIMBO_WAIT_MS 20 /* the longest that an allocation waits when memory is out */
#define ROUNDS 8 /* finalizers that make garbage with finalizers do not keep a collection going for ever */
#define GOOD_YIELD 20 /* a collection that frees more than one in so many of its candidates found something */

static bool was_good(const struct oi_young_result *result)
{
    return result->freed * GOOD_YIELD > result->candidates;
}

static size_t limit_after(const struct oi_young_result *result, size_t before)
{
    size_t pinned = oi_gc_threshold(0);
    if (pinned)
        return pinned;
    size_t patient = 2 * before < PATIENCE ? 2 * before : PATIENCE;
    return was_good(result) || patient < NURSERY ? NURSERY : patient;
}

static size_t aged_limit_after(const struct oi_young_result *result, size_t survivors, size_t before)
{
    size_t patient = 2 * before < PATIENCE ? 2 * before : PATIENCE;
    size_t limit = was_good(result) ? survivors / 5 : survivors > patient ? survivors : patient;
    return limit > ALL ? limit : ALL;
}

static size_t growth_after(size_t in_use)
{
    return in_use / 2 > GROWTH ? in_use / 2 : GROWTH;
}

/* The heap has so many bytes in use, and will be looked at again when it has grown by so many, or shrunk to half. */
static void set_growth_mark(struct oi_thread *thread, size_t in_use, size_t growth)
{
    struct oi_pool *pool = &thread->local.pool;
    thread->young.in_use = in_use;
    pool->calm_from = in_use / 2;
    pool->calm_bytes = in_use - in_use / 2 + growth;
}

static void measure_growth_from_here(struct oi_thread *thread)
{
    size_t in_use = oi_page_in_use();
    set_growth_mark(thread, in_use, growth_after(in_use));
}

void oi_collect_thread_init(struct oi_thread *thread)
{
    thread->young.limit = limit_after(&(struct oi_young_result){0}, 0);
    thread->young.aged_limit = ALL;
    thread->local.pool.fresh_blocks = 0;
    thread->local.pool.fresh_limit = thread->young.limit;
    measure_growth_from_here(thread);
}

/* True if the aged have become so many more that all private objects should be looked at. */
static bool is_all_due(struct oi_act *act, struct oi_young *young)
{
    if (young->aged < young->aged_limit)
        return false;
    /* Many of them may have gone since they were counted. */
    size_t now = oi_young_aged_blocks(act);
    young->aged = now > young->aged_base ? now - young->aged_base : 0;
    return young->aged >= young->aged_limit;
}

static bool is_publishing(struct oi_young *young, const struct oi_young_result *result, bool asked)
{
    if (young->publishing && oi_collector_finds_little())
        young->publishing = false;
    else if (!asked && oi_gc_is_on() && was_good(result) && young->survivors >= LARGE)
        young->publishing = true;
    return young->publishing && !asked;
}

static void publish_survivors(struct oi_act *act, struct oi_young *young)
{
    oi_young_publish_all(act);
    young->survivors = 0;
    young->aged_limit = ALL;
}

/* What the program asks for says nothing about what is worth it. */
static bool collect_once(struct oi_act *act, struct oi_young_result *result, enum ouro_gc_reason reason)
{
    struct oi_thread *thread = oi_thread_of(act->self);
    struct oi_young *young = &thread->young;
    bool asked = reason == OURO_GC_REASON_ASKED, all = reason != OURO_GC_REASON_COUNT || is_all_due(act, young);
    ouro_gc_info info = {.size = sizeof info, .generation = 0, .reason = reason};
    oi_gc_begins(act, &info);
    uint64_t start = oi_os_now_ns();
    if (all)
        oi_young_rejuvenate(act);
    bool ok = oi_young_collect(act, young, result);
    info.candidates = result->candidates;
    info.suspects = info.found = result->found;
    info.freed = result->freed;
    info.duration_ns = oi_os_now_ns() - start;
    if (all) {
        young->aged_limit = aged_limit_after(result, young->survivors, asked ? 0 : young->aged_limit);
        if (ok && is_publishing(young, result, asked))
            publish_survivors(act, young);
        young->aged_base = oi_young_aged_blocks(act);
    }
    young->aged = all ? 0 : young->aged + young->survivors;
    young->limit = limit_after(result, asked ? 0 : young->limit);
    thread->local.pool.fresh_blocks = 0;
    thread->local.pool.fresh_limit = young->limit;
    oi_debug_keep(young->saved);
    young->saved = NULL;
    if (ok)
        oi_gc_ended(act, &info);
    return ok;
}

void oi_collect_run_due(struct oi_act *act)
{
    act->self->due = 0;
    oi_destroy_run(act);
    if (!oi_load_relaxed(&oi_young_manual))
        oi_young_run_due(act, &oi_thread_of(act->self)->young, SIZE_MAX);
}

/* Inside ouro_new: finalizers wait, for the caller may be in the middle of anything. */
static void collect_quietly(struct oi_act *act, enum ouro_gc_reason reason)
{
    struct oi_young_result result = {0};
    bool outer = act->in_user_code;
    act->in_user_code = true; /* so none runs, and no weak callback */
    collect_once(act, &result, reason);
    act->in_user_code = outer;
    oi_destroy_quietly(act); /* before memory in use is looked at: what the garbage alone held is most of the memory, perhaps, and the caller is short of it */
    measure_growth_from_here(oi_thread_of(act->self));
    struct oi_young *young = &oi_thread_of(act->self)->young;
    act->self->due = act->dead || act->callbacks || (young->due && !oi_load_relaxed(&oi_young_manual));
}

long oi_collect_young(struct oi_act *act)
{
    size_t found = 0, kept = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct oi_young_result result = {0};
        if (!collect_once(act, &result, OURO_GC_REASON_ASKED))
            return OURO_E_NOMEM;
        found += result.found > kept ? result.found - kept : 0; /* what was kept for its finalizer is found twice */
        kept = result.found - result.freed;
        /* What has been finalized can go now, unless it was resurrected. */
        if (oi_load_relaxed(&oi_young_manual) || !oi_young_run_due(act, &oi_thread_of(act->self)->young, SIZE_MAX))
            break;
    }
    measure_growth_from_here(oi_thread_of(act->self));
    return (long)found;
}

/* Recycled blocks count as handed out, too: only what has been added is a reason to collect. */
static bool is_worth_it(struct oi_act *act)
{
    struct oi_thread *thread = oi_thread_of(act->self);
    size_t added = oi_young_added(act);
    size_t pinned = oi_gc_threshold(0), limit = pinned ? pinned : thread->young.limit;
    if (oi_page_is_over_soft_limit() && limit > NURSERY / 4)
        limit = NURSERY / 4;
    if (added >= limit)
        return true;
    thread->local.pool.fresh_blocks = 0;
    thread->local.pool.fresh_limit = limit - added > limit / 8 + 1 ? limit - added : limit / 8 + 1;
    return false;
}

/* The heap has left the range in which memory is no reason to look at private objects. */
static bool has_grown(struct oi_act *act)
{
    struct oi_thread *thread = oi_thread_of(act->self);
    size_t in_use = oi_page_in_use(), before = thread->young.in_use;
    if (in_use < before) {
        measure_growth_from_here(thread);
        return false;
    }
    size_t growth = in_use - before, blocks = oi_young_aged_blocks(act) + oi_young_added(act);
    if (growth >= growth_after(before) && growth / WEIGHT >= blocks && !oi_gc_threshold(0))
        return true;
    set_growth_mark(thread, before, growth + growth / 8 > blocks * WEIGHT ? growth + growth / 8 : blocks * WEIGHT);
    return false;
}

/* Memory is out. Dead blocks that wait for read sections, or cycles that the collector is looking for, may be all that is missing: waits for
 * them, but not for long, since a reader may be asleep. */
static void await_limbo(void)
{
    uint64_t round = oi_limbo_rounds() + 2; /* the one under way may have begun too early */
    for (int ms = 0; ms < LIMBO_WAIT_MS && (oi_collector_is_busy() || (oi_limbo_is_waiting() && oi_limbo_rounds() < round)); ms++) {
        oi_service_wake();
        oi_os_sleep_ms(1);
    }
}

void oi_collect_pressure(struct oi_act *act, bool force)
{
    bool may = !act->reading && !act->destroying && !act->in_user_code;
    struct oi_pool *pool = &act->self->pool;
    bool calm = oi_page_in_use() - pool->calm_from < pool->calm_bytes, grown = may && !calm && oi_gc_is_on() && has_grown(act);
    if (!force && !grown && pool->fresh_blocks < pool->fresh_limit && pool->fresh_blocks < NURSERY / 4)
        return; /* over the soft limit, but not yet again */
    if (force) {
        oi_collector_request(2, OURO_GC_REASON_MEMORY);
        if (may)
            collect_quietly(act, OURO_GC_REASON_MEMORY);
        if (!act->reading)
            await_limbo();
        oi_watch_let_out();
        oi_pool_collect(&act->self->pool);
        oi_service_sweep(true);
    } else if (may && oi_gc_is_on() && (grown || is_worth_it(act))) {
        collect_quietly(act, grown ? OURO_GC_REASON_GROWTH : OURO_GC_REASON_COUNT);
    }
    if (oi_service_is_needed()) /* the wake-up may have met a fork, or no thread could be had */
        oi_service_wake();
}
