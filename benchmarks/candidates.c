/* SPDX-License-Identifier: MIT
 *
 * A full collection when little has changed: many shared objects that nobody has touched since the last one, and, scattered among
 * them, a thousand old rings of two of which the last reference has gone, inlined into this program. The thread that asks does the
 * work, so its processor time is the price. What is alive is in lists of a thousand, each held by one reference. */
#include <stdio.h>
#include <stdlib.h>

#include <ouro/gc.h>

#include "bench.h"
#include "graph.h"
#include "node.h"
#include "process.h"

enum { RINGS = 1000, LIST = 1000, REPETITIONS = 5 };

typedef struct heap {
    size_t lists;
    node **list;
    node *ring[RINGS];
} heap;

static node *list_make(void)
{
    node *first = NULL;
    for (unsigned i = 0; i < LIST; i++) {
        node *n = node_new();
        ouro_give(n, &n->left, first);
        first = n;
    }
    ouro_share(first);
    return first;
}

static void make_rings(heap *h, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        h->ring[i] = ring_make(2);
        ouro_share(h->ring[i]);
    }
}

static heap heap_make(size_t objects)
{
    heap h = {.lists = objects / LIST, .list = malloc(objects / LIST * sizeof *h.list)};
    if (!h.list)
        abort();
    for (size_t i = 0; i < h.lists; i++) {
        h.list[i] = list_make();
        make_rings(&h, i * RINGS / h.lists, (i + 1) * RINGS / h.lists);
    }
    return h;
}

static double timed_collection(long expected, const char *when)
{
    double took = process_thread_cpu();
    long found = ouro_gc_collect(2);
    took = process_thread_cpu() - took;
    bench_check(found == expected, "%s: %ld objects collected, not %ld", when, found, expected);
    return took * 1e3;
}

static void measure(size_t objects, bench_bar bar)
{
    char text[112];
    double everything[REPETITIONS], nothing[REPETITIONS], rings[REPETITIONS];
    size_t live = bench_live();
    heap h = heap_make(objects);
    bench_check(bench_live() == live + objects + 2 * RINGS, "%zu objects are alive", bench_live());
    for (unsigned i = 0; i < REPETITIONS; i++) {
        if (i)
            make_rings(&h, 0, RINGS); /* in the places of those before */
        ouro_gc_unfreeze(); /* nothing is frozen; but the next collection looks at everything */
        everything[i] = timed_collection(0, "everything");
        nothing[i] = timed_collection(0, "nothing has changed");
        for (unsigned k = 0; k < RINGS; k++)
            ouro_release(h.ring[k]);
        rings[i] = timed_collection(2 * RINGS, "rings have died");
        bench_check(bench_live() == live + objects, "%zu objects are alive, not %zu", bench_live(), live + objects);
    }
    snprintf(text, sizeof text, "%zu live objects: everything is looked at", objects);
    bench_samples(text, everything, REPETITIONS, "ms", BENCH_INFORMATION);
    snprintf(text, sizeof text, "%zu live objects: nothing has changed", objects);
    bench_samples(text, nothing, REPETITIONS, "ms", BENCH_INFORMATION);
    snprintf(text, sizeof text, "%zu live objects: 1000 old rings have died", objects);
    bench_samples(text, rings, REPETITIONS, "ms", bar);
    for (size_t i = 0; i < h.lists; i++)
        ouro_release(h.list[i]);
    free(h.list);
    ouro_gc_collect(2);
    bench_settle(live, "lists dropped");
}

void bench_candidates(void)
{
    ouro_gc_disable(); /* else the collector's own thread might be quicker */
    if (bench_quick) {
        measure(20000, BENCH_INFORMATION);
    } else {
        measure(100000, BENCH_INFORMATION);
        measure(1000000, BENCH_INFORMATION);
        measure(10000000, BENCH_BAR_AT_MOST(20));
    }
    ouro_gc_enable();
}
