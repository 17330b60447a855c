/* SPDX-License-Identifier: MIT
 *
 * How the cost of a full collection grows: with the number of objects, all alive; and with the part of them that is garbage. The heap consists of
 * many random graphs of the same size, some of which nobody holds. */
#include <stdio.h>

#include <ouro/gc.h>

#include "bench.h"
#include "graph.h"
#include "process.h"

enum { PIECE = 1000, PART = 100, BY_SIZE = 3, BY_PART = 4, ROWS = BY_SIZE + BY_PART };

typedef struct state {
    size_t pieces, dead; /* of each PART pieces, so many are dead */
} state;

static double run_once(const state *s)
{
    size_t live = bench_live(), dropped = 0;
    vertex **held = malloc(s->pieces * sizeof *held);
    if (!held)
        abort();
    for (size_t i = 0; i < s->pieces; i++)
        held[i] = graph_drop_others(graph_make(PIECE), PIECE);
    ouro_gc_collect(2); /* from now on nothing is new */
    for (size_t i = 0; i < s->pieces; i++) {
        if (i % PART >= s->dead)
            continue;
        ouro_release(held[i]);
        held[i] = NULL;
        dropped++;
    }
    double begin = process_thread_cpu();
    long found = ouro_gc_collect(2);
    double took = process_thread_cpu() - begin;
    bench_check(found == (long)(dropped * PIECE), "%ld objects collected, not %zu", found, dropped * PIECE);
    for (size_t i = 0; i < s->pieces; i++)
        ouro_release(held[i]);
    free(held);
    found = ouro_gc_collect(2);
    bench_check(found == (long)((s->pieces - dropped) * PIECE), "%ld objects collected afterwards, not %zu", found, (s->pieces - dropped) * PIECE);
    bench_check(bench_live() == live, "%zu objects are left", bench_live() - live);
    return took;
}

static double run(void *arg, uint64_t n)
{
    double took = 0;
    for (; n; n--)
        took += run_once(arg);
    return took;
}

void bench_growth(void)
{
    static const size_t sizes[BY_SIZE] = {10000, 100000, 1000000}, parts[BY_PART] = {0, 1, 50, 100};
    state states[ROWS];
    char names[ROWS][80];
    bench_series series[ROWS] = {0};
    for (unsigned i = 0; i < ROWS; i++) {
        bool by_size = i < BY_SIZE;
        size_t objects = by_size ? sizes[i] : 1000000, dead = by_size ? 10 : parts[i - BY_SIZE];
        objects /= bench_quick && objects > 100000 ? 10 : 1;
        states[i] = (state){objects / PIECE, dead};
        snprintf(names[i], sizeof names[i], "%zu objects, %zu %% of them garbage: per object", objects, dead);
        series[i] = (bench_series){.name = names[i], .run = run, .state = &states[i], .n = 1, .unit = (double)objects};
    }
    ouro_gc_disable();
    ouro_gc_collect(2);
    bench_measure("growth", series, ROWS, 1);
    bench_values(series, ROWS);
    ouro_gc_enable();
}
