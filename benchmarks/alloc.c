/* SPDX-License-Identifier: MIT
 *
 * Making and dropping a two-slot node. The bar is against mimalloc's bare block, which is not initialised; what an
 * object is born with (a header and empty slots) is written by the second variant. */
#include <stdio.h>

#include "bench.h"
#include "node.h"
#include "peer.h"

enum { FEW = 8, BATCH = 10000 };

_Static_assert(sizeof(node) == 32 && sizeof(plain_node) == sizeof(node), "both sides must allocate the same size");

static void *batch[BATCH];

static ouro_type other_type = OURO_TYPE(node, .name = "other node", .slots = OURO_SLOTS(node, left, right));

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

/* ---- two types by turns, each object dropped before the next is made ---- */

#define LOOP_TURNS(name, make, make_other, init, drop) \
    static double name(void *arg, uint64_t n)          \
    {                                                  \
        (void)arg;                                     \
        double begin = bench_clock();                  \
        for (; n; n--) {                               \
            void *block = make;                        \
            init;                                      \
            BENCH_TOUCH(block);                        \
            drop(block);                               \
            block = make_other;                        \
            init;                                      \
            BENCH_TOUCH(block);                        \
            drop(block);                               \
        }                                              \
        return bench_clock() - begin;                  \
    }

/* ---- some, dropped in the order in which they were made ---- */

#define LOOP_BATCH(name, count, make, init, drop) \
    static double name(void *arg, uint64_t n)     \
    {                                             \
        (void)arg;                                \
        double begin = bench_clock();             \
        for (; n; n--) {                          \
            for (size_t i = 0; i < count; i++) {  \
                void *block = make;               \
                init;                             \
                batch[i] = block;                 \
            }                                     \
            BENCH_TOUCH(batch);                   \
            for (size_t i = 0; i < count; i++)    \
                drop(batch[i]);                   \
        }                                         \
        return bench_clock() - begin;             \
    }

LOOP_ONE(one_system, peer_system_malloc(sizeof(node)), (void)0, peer_system_free)
LOOP_ONE(one_peer, peer_malloc(sizeof(node)), (void)0, peer_free)
LOOP_ONE(one_peer_init, peer_malloc(sizeof(node)), plain_init(block), peer_free)
LOOP_ONE(one_ouro, ouro_new(&node_type), (void)0, ouro_release)

LOOP_TURNS(turns_system, peer_system_malloc(sizeof(node)), peer_system_malloc(sizeof(node)), (void)0, peer_system_free)
LOOP_TURNS(turns_peer, peer_malloc(sizeof(node)), peer_malloc(sizeof(node)), (void)0, peer_free)
LOOP_TURNS(turns_peer_init, peer_malloc(sizeof(node)), peer_malloc(sizeof(node)), plain_init(block), peer_free)
LOOP_TURNS(turns_ouro, ouro_new(&node_type), ouro_new(&other_type), (void)0, ouro_release)

LOOP_BATCH(few_system, FEW, peer_system_malloc(sizeof(node)), (void)0, peer_system_free)
LOOP_BATCH(few_peer, FEW, peer_malloc(sizeof(node)), (void)0, peer_free)
LOOP_BATCH(few_peer_init, FEW, peer_malloc(sizeof(node)), plain_init(block), peer_free)
LOOP_BATCH(few_ouro, FEW, ouro_new(&node_type), (void)0, ouro_release)

LOOP_BATCH(batch_system, BATCH, peer_system_malloc(sizeof(node)), (void)0, peer_system_free)
LOOP_BATCH(batch_peer, BATCH, peer_malloc(sizeof(node)), (void)0, peer_free)
LOOP_BATCH(batch_peer_init, BATCH, peer_malloc(sizeof(node)), plain_init(block), peer_free)
LOOP_BATCH(batch_ouro, BATCH, ouro_new(&node_type), (void)0, ouro_release)

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
    a = ouro_new(&other_type);
    bench_check(a && ouro_type_of(a) == &other_type && !ouro_peek(&a->left) && !ouro_peek(&a->right), "a node of the other type is not one");
    ouro_release(a);
}

/* runs: as the names, in this order. */
static void measure(const char *title, bench_run *const runs[4], void *state, double unit, unsigned slices, bench_bar bar)
{
    const char *names[] = {"malloc of the C library", PEER_NAME, PEER_NAME ", node initialised",
                           "ouro_new + ouro_release"};
    bench_series series[4] = {0};
    char text[4][96];
    for (size_t i = 0; i < 4; i++) {
        snprintf(text[i], sizeof text[i], "%s: %s", title, names[i]);
        series[i] = (bench_series){.name = text[i], .run = runs[i], .state = state, .unit = unit};
    }
    bench_measure(title, series, 4, slices);
    bench_values(series, 4);
    snprintf(text[0], sizeof text[0], "%s: ouro / " PEER_NAME, title);
    bench_ratio(text[0], &series[3], &series[1], bar);
    snprintf(text[0], sizeof text[0], "%s: ouro / " PEER_NAME ", node initialised", title);
    bench_ratio(text[0], &series[3], &series[2], BENCH_INFORMATION);
}

void bench_alloc(void)
{
    bench_run *one[] = {one_system, one_peer, one_peer_init, one_ouro};
    bench_run *turns[] = {turns_system, turns_peer, turns_peer_init, turns_ouro};
    bench_run *few[] = {few_system, few_peer, few_peer_init, few_ouro};
    bench_run *many[] = {batch_system, batch_peer, batch_peer_init, batch_ouro};
    size_t live = bench_live();
    peer_find_system();
    check_objects();
    measure("one at a time, nothing else alive", one, NULL, 1, 16, BENCH_BAR_AT_MOST(1.0));
    measure("one at a time, beside a live one", one, batch, 1, 16, BENCH_BAR_AT_MOST(1.0));
    measure("one at a time, two types by turns", turns, NULL, 2, 8, BENCH_INFORMATION);
    measure("8 first in, first out", few, NULL, FEW, 8, BENCH_INFORMATION);
    measure("10 000 first in, first out", many, NULL, BATCH, 8, BENCH_INFORMATION);
    check_objects();
    bench_settle(live, "objects made and dropped");
}
