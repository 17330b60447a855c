/* SPDX-License-Identifier: MIT
 *
 * One full collection of a random graph of shared objects, per object: alive, held by one reference or by one to each,
 * and garbage. The collector works on the thread that asks, so that thread's processor time is the price, whatever else
 * the machine does; memory it gives back afterwards, on another thread, shows in the time of the whole process.
 *
 * The graph is larger than the caches, and no order of its objects is a good one. What that costs by itself, a plain
 * depth-first search of it tells, with a stack and a bit per eight bytes: the least that any collector that marks
 * does. */
#include <stdio.h>

#include <ouro/gc.h>

#include "bench.h"
#include "graph.h"
#include "process.h"

enum { OBJECTS = 1000000, OBJECTS_QUICK = 50000 };

typedef enum fate { SEARCHED, HELD_BY_ONE, HELD_ONE_BY_ONE, GARBAGE, FATES } fate;

typedef struct state {
    fate fate;
    size_t objects;
    size_t runs;
    double wall[BENCH_REPETITIONS_MAX], process[BENCH_REPETITIONS_MAX]; /* ns per object */
} state;

static void check_live(size_t live, const char *when)
{
    size_t now = bench_live();
    bench_check(now == live, "%s: %zu objects are alive, not %zu", when, now, live);
}

/* ---- the search ---- */

typedef struct search {
    uintptr_t first; /* address of the first object */
    uint64_t *seen;
    const vertex **stack;
    size_t depth;
} search;

static inline void visit(search *s, const vertex *v)
{
    size_t bit = v ? ((uintptr_t)v - s->first) / 8 : 0;
    if (!v || s->seen[bit / 64] >> bit % 64 & 1)
        return;
    s->seen[bit / 64] |= UINT64_C(1) << bit % 64;
    s->stack[s->depth++] = v;
}

static double timed_search(const state *s, vertex *const *graph)
{
    uintptr_t first = UINTPTR_MAX, last = 0;
    for (size_t i = 0; i < s->objects; i++) {
        uintptr_t at = (uintptr_t)graph[i];
        first = at < first ? at : first;
        last = at > last ? at : last;
    }
    search here = {.first = first};
    here.stack = malloc(s->objects * sizeof *here.stack);
    double begin = process_thread_cpu();
    here.seen = calloc((last - first) / 512 + 1, sizeof *here.seen);
    if (!here.stack || !here.seen)
        abort();
    size_t found = 0;
    visit(&here, graph[0]);
    while (here.depth) {
        const vertex *v = here.stack[--here.depth];
        found++;
        visit(&here, ouro_peek(&v->next));
        visit(&here, ouro_peek(&v->others[0]));
        visit(&here, ouro_peek(&v->others[1]));
    }
    free(here.seen);
    double took = process_thread_cpu() - begin;
    free(here.stack);
    bench_check(found == s->objects, "%zu objects found, not %zu", found, s->objects);
    return took;
}

/* ---- the collection ---- */

static double timed_collection(state *s, long expected)
{
    double wall = bench_now(), process = process_cpu(), thread = process_thread_cpu();
    long found = ouro_gc_collect(2);
    thread = process_thread_cpu() - thread;
    process = process_cpu() - process;
    wall = bench_now() - wall;
    bench_check(found == expected, "%ld objects collected, not %ld", found, expected);
    /* The first run is for warming up. */
    if (s->runs && s->runs <= BENCH_REPETITIONS_MAX) {
        s->wall[s->runs - 1] = wall * 1e9 / (double)s->objects;
        s->process[s->runs - 1] = process * 1e9 / (double)s->objects;
    }
    s->runs++;
    return thread;
}

static double run_once(state *s)
{
    size_t live = bench_live();
    vertex **graph = graph_make(s->objects), *one = NULL;
    double took = s->fate == SEARCHED ? timed_search(s, graph) : 0;
    if (s->fate == HELD_BY_ONE || s->fate == GARBAGE)
        one = graph_drop_others(graph, s->objects);
    if (s->fate == GARBAGE)
        ouro_release(one);
    check_live(live + s->objects, "graph made");
    if (s->fate != SEARCHED)
        took = timed_collection(s, s->fate == GARBAGE ? (long)s->objects : 0);
    if (s->fate != GARBAGE) {
        check_live(live + s->objects, "live graph collected");
        ouro_release(one ? one : graph_drop_others(graph, s->objects));
        long found = ouro_gc_collect(2);
        bench_check(found == (long)s->objects, "%ld objects collected afterwards, not %zu", found, s->objects);
    }
    check_live(live, "garbage collected");
    return took;
}

static double run(void *arg, uint64_t n)
{
    double took = 0;
    for (; n; n--)
        took += run_once(arg);
    return took;
}

void bench_collect(void)
{
    static const struct {
        const char *name;
        bench_bar bar;
    } fates[FATES] = {
        [SEARCHED] = {"depth-first search in plain C", {BENCH_NO_BAR, 0}},
        [HELD_BY_ONE] = {"live graph, held by one reference", {BENCH_AT_MOST, 60}},
        [HELD_ONE_BY_ONE] = {"live graph, each object held from outside", {BENCH_NO_BAR, 0}},
        [GARBAGE] = {"garbage graph", {BENCH_AT_MOST, 80}},
    };
    static state states[FATES];
    bench_series series[FATES] = {0};
    char text[112];
    for (unsigned i = 0; i < FATES; i++) {
        states[i] = (state){.fate = (fate)i, .objects = bench_quick ? OBJECTS_QUICK : OBJECTS};
        series[i] = (bench_series){
            .name = fates[i].name, .run = run, .state = &states[i], .n = 1, .unit = (double)states[i].objects};
    }
    ouro_gc_disable(); /* else the collector's own thread might be quicker */
    ouro_gc_collect(2);
    bench_measure("full collection", series, FATES, 1);
    for (unsigned i = 0; i < FATES; i++) {
        snprintf(text, sizeof text, "%s: this thread's time, per object", fates[i].name);
        bench_samples(text, series[i].ns, series[i].repetitions, "ns", fates[i].bar);
        if (i == SEARCHED)
            continue;
        snprintf(text, sizeof text, "%s: that of the whole process", fates[i].name);
        bench_samples(text, states[i].process, series[i].repetitions, "ns", BENCH_INFORMATION);
        snprintf(text, sizeof text, "%s: by the clock", fates[i].name);
        bench_samples(text, states[i].wall, series[i].repetitions, "ns", BENCH_INFORMATION);
        snprintf(text, sizeof text, "%s: collection / search", fates[i].name);
        bench_ratio(text, &series[i], &series[SEARCHED], BENCH_INFORMATION);
    }
    ouro_gc_enable();
}
