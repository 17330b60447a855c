/* SPDX-License-Identifier: MIT
 *
 * Making and dropping a two-slot node. The bar is against mimalloc's bare block, which is not initialised; what an
 * object is born with (a header and empty slots) is written by the second variant. */
#include <stdio.h>

#include "bench.h"
#include "node.h"
#include "peer.h"

enum { BATCH = 10000 };

_Static_assert(sizeof(node) == 32 && sizeof(plain_node) == sizeof(node), "both sides must allocate the same size");

static void *batch[BATCH];

/* The bytes an object starts with. */
static inline void plain_init(plain_node *n)
{
    n->header[0] = 0x0001000100000001u;
    n->header[1] = 0;
    n->left = n->right = NULL;
}

/* ---- one at a time ---- */

/* beside: another block is alive meanwhile, as there always is in a program that does anything else. Without it, the
 * allocator's page runs empty with every drop, which mimalloc takes as an occasion to think about giving it back. */
#define LOOP_ONE(name, make, init, drop)         \
    static double name(void *beside, uint64_t n) \
    {                                            \
        void *other = beside ? make : NULL;      \
        double begin = bench_clock();            \
        for (; n; n--) {                         \
            void *block = make;                  \
            init;                                \
            BENCH_TOUCH(block);                  \
            drop(block);                         \
        }                                        \
        double took = bench_clock() - begin;     \
        drop(other);                             \
        return took;                             \
    }

/* ---- ten thousand, dropped in the order in which they were made ---- */

#define LOOP_BATCH(name, make, init, drop)       \
    static double name(void *arg, uint64_t n)    \
    {                                            \
        (void)arg;                               \
        double begin = bench_clock();            \
        for (; n; n--) {                         \
            for (size_t i = 0; i < BATCH; i++) { \
                void *block = make;              \
                init;                            \
                batch[i] = block;                \
            }                                    \
            BENCH_TOUCH(batch);                  \
            for (size_t i = 0; i < BATCH; i++)   \
                drop(batch[i]);                  \
        }                                        \
        return bench_clock() - begin;            \
    }

LOOP_ONE(one_system, peer_system_malloc(sizeof(node)), (void)0, peer_system_free)
LOOP_ONE(one_peer, peer_malloc(sizeof(node)), (void)0, peer_free)
LOOP_ONE(one_peer_init, peer_malloc(sizeof(node)), plain_init(block), peer_free)
LOOP_ONE(one_ouro, ouro_new(&node_type), (void)0, ouro_release)

LOOP_BATCH(batch_system, peer_system_malloc(sizeof(node)), (void)0, peer_system_free)
LOOP_BATCH(batch_peer, peer_malloc(sizeof(node)), (void)0, peer_free)
LOOP_BATCH(batch_peer_init, peer_malloc(sizeof(node)), plain_init(block), peer_free)
LOOP_BATCH(batch_ouro, ouro_new(&node_type), (void)0, ouro_release)

/* What the timed loops do not look at, for it would cost: new objects are empty, and distinct. */
static void check_objects(void)
{
    node *a = node_new(), *b = node_new();
    bench_check(a != b && !ouro_peek(&a->left) && !ouro_peek(&a->right), "a new node is not empty");
    ouro_give(a, &a->left, b);
    ouro_release(a);
    a = node_new();
    b = node_new();
    bench_check(!ouro_peek(&a->left) && !ouro_peek(&b->left), "a reused node is not empty");
    ouro_release(a);
    ouro_release(b);
}

static void measure_one(const char *title, void *beside)
{
    const char *names[] = {"malloc of the C library", PEER_NAME, PEER_NAME ", node initialised",
                           "ouro_new + ouro_release"};
    bench_run *runs[] = {one_system, one_peer, one_peer_init, one_ouro};
    bench_series series[4] = {0};
    char text[4][96];
    for (size_t i = 0; i < 4; i++) {
        snprintf(text[i], sizeof text[i], "%s: %s", title, names[i]);
        series[i] = (bench_series){.name = text[i], .run = runs[i], .state = beside};
    }
    bench_measure(title, series, 4, 16);
    bench_values(series, 4);
    snprintf(text[0], sizeof text[0], "%s: ouro / " PEER_NAME, title);
    bench_ratio(text[0], &series[3], &series[1], BENCH_BAR_AT_MOST(1.0));
    snprintf(text[0], sizeof text[0], "%s: ouro / " PEER_NAME ", node initialised", title);
    bench_ratio(text[0], &series[3], &series[2], BENCH_INFORMATION);
}

void bench_alloc(void)
{
    bench_series batches[] = {
        {.name = "10 000 first in, first out: malloc of the C library", .run = batch_system, .unit = BATCH},
        {.name = "10 000 first in, first out: " PEER_NAME, .run = batch_peer, .unit = BATCH},
        {.name = "10 000 first in, first out: " PEER_NAME ", node initialised", .run = batch_peer_init, .unit = BATCH},
        {.name = "10 000 first in, first out: ouro_new + ouro_release", .run = batch_ouro, .unit = BATCH},
    };
    size_t live = bench_live();
    peer_find_system();
    check_objects();
    measure_one("one at a time, nothing else alive", NULL);
    measure_one("one at a time, beside a live one", batch);
    bench_measure("batches", batches, 4, 8);
    bench_values(batches, 4);
    bench_ratio("10 000 first in, first out: ouro / " PEER_NAME, &batches[3], &batches[1], BENCH_INFORMATION);
    bench_ratio("10 000 first in, first out: ouro / " PEER_NAME ", node initialised", &batches[3], &batches[2],
                BENCH_INFORMATION);
    check_objects();
    bench_settle(live, "objects made and dropped");
}
