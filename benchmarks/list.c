/* SPDX-License-Identifier: MIT
 *
 * A list of ten million nodes loses its head: destruction must not recurse, and should cost what a loop of frees
 * costs. */
#include "bench.h"
#include "node.h"
#include "peer.h"

enum { LENGTH = 10000000, LENGTH_QUICK = 300000 };

static uint64_t length(void)
{
    return bench_quick ? LENGTH_QUICK : LENGTH;
}

static double run_plain(void *arg, uint64_t n)
{
    double took = 0;
    (void)arg;
    for (; n; n--) {
        plain_node *list = NULL;
        for (uint64_t i = length(); i; i--) {
            plain_node *at = peer_malloc(sizeof *at);
            if (!at)
                abort();
            *at = (plain_node){.left = list};
            list = at;
        }
        double begin = bench_clock();
        while (list) {
            plain_node *next = list->left;
            peer_free(list);
            list = next;
        }
        took += bench_clock() - begin;
    }
    return took;
}

static node *make_list(void)
{
    node *list = NULL;
    for (uint64_t i = length(); i; i--) {
        node *at = node_new();
        ouro_give(at, &at->left, list);
        list = at;
    }
    return list;
}

static double run_private(void *arg, uint64_t n)
{
    double took = 0;
    (void)arg;
    for (; n; n--) {
        size_t live = bench_live();
        node *list = make_list();
        double begin = bench_clock();
        ouro_release(list);
        took += bench_clock() - begin;
        bench_check(bench_live() == live, "the dropped list is not gone at once");
    }
    return took;
}

static double run_shared(void *arg, uint64_t n)
{
    double took = 0;
    (void)arg;
    for (; n; n--) {
        size_t live = bench_live();
        node *list = make_list();
        ouro_share(list);
        double begin = bench_clock();
        ouro_release(list);
        took += bench_clock() - begin;
        /* Dead at once too, but the numbers may be those of some moments ago while the memory is being handed back. */
        bench_settle(live, "shared list dropped");
    }
    return took;
}

void bench_list(void)
{
    bench_series series[] = {
        {.name = PEER_NAME ", a loop of frees, per node", .run = run_plain, .n = 1, .unit = (double)length()},
        {.name = "ouro_release of the head, private, per node", .run = run_private, .n = 1, .unit = (double)length()},
        {.name = "ouro_release of the head, shared, per node", .run = run_shared, .n = 1, .unit = (double)length()},
    };
    bench_measure("list", series, 3, 1);
    bench_values(series, 3);
    bench_ratio("private / " PEER_NAME, &series[1], &series[0], BENCH_INFORMATION);
    bench_ratio("shared / " PEER_NAME, &series[2], &series[0], BENCH_INFORMATION);
}
