/* SPDX-License-Identifier: MIT
 *
 * One young collection, per object: rings that are garbage, and rings that are alive. And a workload in which a
 * program makes rings and drops them, and leaves collecting to the library; its peer frees the nodes by hand. */
#include <stdio.h>

#include "bench.h"
#include "node.h"
#include "peer.h"

enum { NODES = 100000, NODES_QUICK = 20000, SIZES = 3 };

static const unsigned sizes[SIZES] = {2, 10, 100};

typedef struct state {
    unsigned size;  /* of a ring */
    uint64_t rings; /* at one time */
    bool live;
    node **held;
} state;

/* A ring of size nodes: the result's reference is the caller's, the rest hold each other. */
static node *make_ring(unsigned size)
{
    node *first = node_new(), *last = first;
    for (unsigned i = 1; i < size; i++) {
        node *n = node_new();
        ouro_give(last, &last->left, n);
        last = n;
    }
    ouro_set(last, &last->left, first);
    return first;
}

static double run_collection(void *arg, uint64_t n)
{
    state *s = arg;
    double took = 0;
    for (; n; n--) {
        size_t live = bench_live();
        for (uint64_t i = 0; i < s->rings; i++) {
            s->held[i] = make_ring(s->size);
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

/* ---- rings made and dropped ---- */

static double run_plain_rings(void *arg, uint64_t n)
{
    unsigned size = *(unsigned *)arg;
    double begin = bench_clock();
    for (; n; n--) {
        plain_node *first = NULL, *last = NULL;
        for (unsigned i = 0; i < size; i++) {
            plain_node *at = peer_malloc(sizeof *at);
            if (!at)
                abort();
            *at = (plain_node){.left = NULL};
            if (last)
                last->left = at;
            else
                first = at;
            last = at;
        }
        last->left = first;
        BENCH_TOUCH(first);
        for (plain_node *at = first;;) {
            plain_node *next = at->left;
            peer_free(at);
            if (next == first)
                break;
            at = next;
        }
    }
    return bench_clock() - begin;
}

static double run_rings(void *arg, uint64_t n)
{
    unsigned size = *(unsigned *)arg;
    double begin = bench_clock();
    for (; n; n--)
        ouro_release(make_ring(size));
    return bench_clock() - begin;
}

void bench_rings(void)
{
    static unsigned arguments[SIZES];
    char names[2][80], text[112];
    size_t live = bench_live();
    for (unsigned i = 0; i < SIZES; i++) {
        arguments[i] = sizes[i];
        snprintf(names[0], sizeof names[0], "rings of %u, freed by hand (" PEER_NAME "), per node", sizes[i]);
        snprintf(names[1], sizeof names[1], "rings of %u, collected, per node", sizes[i]);
        bench_series series[] = {
            {.name = names[0], .run = run_plain_rings, .state = &arguments[i], .unit = sizes[i]},
            {.name = names[1], .run = run_rings, .state = &arguments[i], .unit = sizes[i]},
        };
        bench_measure("rings", series, 2, 4);
        bench_values(series, 2);
        snprintf(text, sizeof text, "rings of %u: collected / freed by hand", sizes[i]);
        bench_ratio(text, &series[1], &series[0], BENCH_INFORMATION);
    }
    ouro_gc_collect(0);
    bench_settle(live, "rings dropped and collected");
}
