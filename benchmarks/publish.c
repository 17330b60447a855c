/* SPDX-License-Identifier: MIT
 *
 * What it costs to share private objects, per object, and what their death costs afterwards: a compare-and-swap each,
 * and memory that must wait for read sections to end. */
#include "bench.h"
#include "node.h"

enum { DEPTH = 15, NODES = (2 << DEPTH) - 1, TREES = 16, TREES_QUICK = 1 };

static node *make(unsigned depth)
{
    node *n = node_new();
    if (depth != 0) {
        ouro_give(n, &n->left, make(depth - 1));
        ouro_give(n, &n->right, make(depth - 1));
    }
    return n;
}

static double run_share(void *arg, uint64_t n)
{
    double took = 0;
    (void)arg;
    for (; n; n--) {
        node *root = make(DEPTH);
        double begin = bench_clock();
        ouro_share(root);
        took += bench_clock() - begin;
        ouro_release(root);
    }
    return took;
}

static double run_release(void *arg, uint64_t n)
{
    double took = 0;
    for (; n; n--) {
        node *root = make(DEPTH);
        if (arg)
            ouro_share(root);
        double begin = bench_clock();
        ouro_release(root);
        took += bench_clock() - begin;
    }
    return took;
}

static double run_one_private(void *arg, uint64_t n)
{
    (void)arg;
    double begin = bench_clock();
    for (; n; n--)
        ouro_release(node_new());
    return bench_clock() - begin;
}

static double run_one_shared(void *arg, uint64_t n)
{
    (void)arg;
    double begin = bench_clock();
    for (; n; n--) {
        node *object = node_new();
        ouro_share(object);
        ouro_release(object);
    }
    return bench_clock() - begin;
}

void bench_publish(void)
{
    static char shared;
    uint64_t trees = bench_quick ? TREES_QUICK : TREES;
    bench_series series[] = {
        {.name = "ouro_share of a tree of 65 535, per node", .run = run_share, .n = trees, .unit = NODES},
        {.name = "ouro_release of a private tree, per node", .run = run_release, .n = trees, .unit = NODES},
        {.name = "ouro_release of a shared tree, per node", .run = run_release, .state = &shared, .n = trees, .unit = NODES},
    };
    bench_series one[] = {
        {.name = "one object: new + release", .run = run_one_private},
        {.name = "one object: new + share + release", .run = run_one_shared},
    };
    size_t live = bench_live();
    bench_measure("trees", series, 3, 1);
    bench_values(series, 3);
    bench_ratio("release of a shared tree / of a private one", &series[2], &series[1], BENCH_INFORMATION);
    bench_measure("one object", one, 2, 8);
    bench_values(one, 2);
    bench_ratio("one object: shared / private", &one[1], &one[0], BENCH_INFORMATION);
    bench_settle(live, "shared objects dropped");
}
