/* SPDX-License-Identifier: MIT
 *
 * Readers, writers and a collecting thread at work on the same graph, for two seconds.
 *
 * In every other turn the collecting thread runs one full collection after the other. In the turns between, which are as
 * long, there is none: so the readers' times with and without collections can be compared, whatever else the machine
 * does. The library would not be in such a hurry: by itself it collects when memory in use has grown, which is turned
 * off meanwhile. ouro_gc_collect, not ouro_gc_collect_async, since the collection is over when it returns. */
#include <stdio.h>
#include <time.h>

#include "traffic.h"

#define TRAFFIC_NS UINT64_C(2000000000)
#define TURN_NS UINT64_C(50000000)

static bool collect_until(uint64_t end)
{
    bool ok;
    do
        ok = ouro_gc_collect(2) >= 0;
    while (ok && now_ns() < end);
    return ok;
}

static void rest_until(uint64_t end)
{
    uint64_t now = now_ns();
    ouro_blocking_begin();
    if (now < end)
        nanosleep(&(struct timespec){.tv_sec = (time_t)((end - now) / 1000000000),
                                     .tv_nsec = (long)((end - now) % 1000000000)},
                  NULL);
    ouro_blocking_end();
}

static void collect_shift(struct shift *shift, struct traffic *mine)
{
    ouro_gc_stats before, after;
    ouro_gc_get_stats(&before, sizeof before);
    while (shift_goes_on(shift)) {
        uint64_t start = now_ns();
        atomic_store(&shift->collecting, true);
        if (!collect_until(start + TURN_NS))
            atomic_store(&shift->failed, true);
        atomic_store(&shift->collecting, false);
        uint64_t end = now_ns(), next = end + (end - start);
        rest_until(next < shift->end ? next : shift->end);
    }
    ouro_gc_get_stats(&after, sizeof after);
    const ouro_gc_generation_stats *from = &before.generation[2], *to = &after.generation[2];
    mine->collections = to->collections - from->collections;
    mine->looked_at = to->candidates - from->candidates;
    mine->collected = to->collected - from->collected;
    mine->collecting_ns = to->duration_ns - from->duration_ns;
}

static void add(struct traffic *total, const struct traffic *mine)
{
    total->readers += mine->readers;
    total->writers += mine->writers;
    total->answers += mine->answers;
    total->hops += mine->hops;
    total->overtaken += mine->overtaken;
    total->wrong += mine->wrong;
    total->replaced += mine->replaced;
    total->misplaced += mine->misplaced;
    total->waited += mine->waited;
    total->preempted += mine->preempted;
    total->updates += mine->updates;
    total->outrun += mine->outrun;
    total->histories += mine->histories;
    total->reinstalls += mine->reinstalls;
    total->rewirings += mine->rewirings;
    total->collections += mine->collections;
    total->looked_at += mine->looked_at;
    total->collected += mine->collected;
    total->collecting_ns += mine->collecting_ns;
    for (int question = 0; question < QUESTIONS; question++) {
        timing_merge(&total->took[question][0], &mine->took[question][0]);
        timing_merge(&total->took[question][1], &mine->took[question][1]);
    }
    if (mine->longest > total->longest) {
        total->longest = mine->longest;
        snprintf(total->chain, sizeof total->chain, "%s", mine->chain);
    }
}

static void work(unsigned member, void *arg)
{
    struct shift *shift = arg;
    struct traffic mine = {0};
    if (member == 1) { /* member 0, who is always there, reads */
        collect_shift(shift, &mine);
    } else if (member >= 2 && member < 2 + WRITERS) {
        mine.writers = 1;
        write_shift(shift, member - 2, rng_seed(member), &mine);
    } else {
        mine.readers = 1;
        read_shift(shift, rng_seed(member), &mine);
    }
    pthread_mutex_lock(&shift->adding);
    add(shift->total, &mine);
    pthread_mutex_unlock(&shift->adding);
}

bool traffic(struct graph *graph, struct traffic *traffic)
{
    *traffic = (struct traffic){0};
    struct shift shift = {.graph = graph, .total = traffic, .adding = PTHREAD_MUTEX_INITIALIZER};
    bool automatic = ouro_gc_is_enabled();
    ouro_gc_disable();
    /* Writers rest most of the time; of the others each has a processor, if there are three. */
    unsigned readers = team_size() > 2 ? team_size() - 1 : 2;
    shift.end = now_ns() + TRAFFIC_NS;
    team_run(readers + 1 + WRITERS, work, &shift);
    bool ok = ouro_gc_collect(2) >= 0; /* what the writers have left behind since the last collection */
    if (automatic)
        ouro_gc_enable();
    return ok && !atomic_load(&shift.failed);
}
