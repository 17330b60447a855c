/* SPDX-License-Identifier: MIT
 *
 * One young collection, per object: rings that are garbage, and rings that are alive. */
#include <stdio.h>

#include "bench.h"
#include "graph.h"

enum { NODES = 100000, NODES_QUICK = 20000, SIZES = 3 };

static const unsigned sizes[SIZES] = {2, 10, 100};

typedef struct state {
    unsigned size;  /* of a ring */
    uint64_t rings; /* at one time */
    bool live;
    node **held;
} state;

static double run_collection(void *arg, uint64_t n)
{
    state *s = arg;
    double took = 0;
    for (; n; n--) {
        size_t live = bench_live();
        for (uint64_t i = 0; i < s->rings; i++) {
            s->held[i] = ring_make(s->size);
            if (!s->live)
                ouro_release(s->held[i]);
        }
        double begin = bench_clock();
        long found = ouro_gc_collect(0);
        took += bench_clock() - begin;
        long expected = s->live ? 0 : (long)(s->rings * s->size);
        bench_check(found == expected, "rings of %u: %ld objects collected, not %ld", s->size, found, expected);
        /* Live rings are opened by hand: whether a later collection would find them is not what is measured. */
        for (uint64_t i = 0; s->live && i < s->rings; i++) {
            ouro_set(s->held[i], &s->held[i]->left, NULL);
            ouro_release(s->held[i]);
        }
        bench_check(bench_live() == live, "rings of %u: %zu objects are left", s->size, bench_live() - live);
    }
    return took;
}

void bench_young(void)
{
    uint64_t nodes = bench_quick ? NODES_QUICK : NODES;
    node **held = malloc(nodes * sizeof *held);
    state states[2 * SIZES];
    char names[2 * SIZES][64];
    bench_series series[2 * SIZES] = {0};
    if (!held)
        abort();
    for (unsigned i = 0; i < 2 * SIZES; i++) {
        states[i] = (state){.size = sizes[i % SIZES], .live = i >= SIZES, .held = held};
        states[i].rings = nodes / states[i].size;
        snprintf(names[i], sizeof names[i], "%s rings of %u, per object", states[i].live ? "live" : "garbage",
                 states[i].size);
        series[i] = (bench_series){.name = names[i],
                                   .run = run_collection,
                                   .state = &states[i],
                                   .n = 1,
                                   .unit = (double)(states[i].rings * states[i].size)};
    }
    ouro_gc_disable();
    ouro_gc_collect(0);
    bench_measure("young collection", series, 2 * SIZES, 1);
    bench_values(series, 2 * SIZES);
    ouro_gc_enable();
    free(held);
}
