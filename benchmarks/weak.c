/* SPDX-License-Identifier: MIT
 *
 * Weak references: making and dropping one, and asking for the target, which comes with a reference. */
#include "bench.h"
#include "node.h"

typedef struct state {
    node *target;
    ouro_weak *weak;
    uint64_t missed;
} state;

static double run_count(void *arg, uint64_t n)
{
    state *s = arg;
    node *target = s->target;
    double begin = bench_clock();
    for (; n; n--) {
        BENCH_OPAQUE(target);
        ouro_retain(target);
        BENCH_OPAQUE(target);
        ouro_release(target);
    }
    return bench_clock() - begin;
}

static double run_new(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--) {
        ouro_weak *weak = ouro_weak_new(s->target, NULL, NULL);
        s->missed += !weak;
        ouro_release(weak);
    }
    return bench_clock() - begin;
}

static double run_get(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--) {
        void *target = ouro_weak_get(s->weak);
        s->missed += target != s->target;
        ouro_release(target);
    }
    return bench_clock() - begin;
}

/* An object with a weak reference, both made and dropped: what the death of the target adds. */
static double run_whole_life(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--) {
        node *target = node_new();
        ouro_weak *weak = ouro_weak_new(target, NULL, NULL);
        ouro_release(target);
        s->missed += ouro_weak_get(weak) != NULL;
        ouro_release(weak);
    }
    return bench_clock() - begin;
}

void bench_weak(void)
{
    state mine = {.target = node_new()}, shared = {.target = node_new()};
    mine.weak = ouro_weak_new(mine.target, NULL, NULL);
    ouro_share(shared.target);
    shared.weak = ouro_weak_new(shared.target, NULL, NULL);
    ouro_share(shared.weak);
    bench_series series[] = {
        {.name = "retain + release, for comparison", .run = run_count, .state = &mine},
        {.name = "private target: weak_new + release", .run = run_new, .state = &mine},
        {.name = "private target: weak_get + release", .run = run_get, .state = &mine},
        {.name = "shared target: weak_new + release", .run = run_new, .state = &shared},
        {.name = "shared target: weak_get + release", .run = run_get, .state = &shared},
        {.name = "new, weak_new, release, weak_get of the dead, release", .run = run_whole_life, .state = &mine},
    };
    bench_measure("weak", series, sizeof series / sizeof series[0], 4);
    bench_values(series, sizeof series / sizeof series[0]);
    bench_check(mine.missed + shared.missed == 0, "%llu weak references read wrong",
                (unsigned long long)(mine.missed + shared.missed));
    ouro_release(mine.target);
    ouro_release(shared.target);
    bench_check(!ouro_weak_get(mine.weak) && !ouro_weak_get(shared.weak), "a dead target can be had");
    ouro_release(mine.weak);
    ouro_release(shared.weak);
}
