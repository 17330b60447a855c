/* SPDX-License-Identifier: MIT
 *
 * Making and dropping a two-slot node. The bar is against mimalloc's bare block, which is not initialised; what an
 * object is born with (a header and empty slots) is written by the second variant. */
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

#define LOOP_ONE(name, make, init, drop)      \
    static double name(void *arg, uint64_t n) \
    {                                         \
        (void)arg;                            \
        double begin = bench_now();           \
        for (; n; n--) {                      \
            void *block = make;               \
            init;                             \
            BENCH_TOUCH(block);               \
            drop(block);                      \
        }                                     \
        return bench_now() - begin;           \
    }

/* ---- ten thousand, dropped in the order in which they were made ---- */

#define LOOP_BATCH(name, make, init, drop)       \
    static double name(void *arg, uint64_t n)    \
    {                                            \
        (void)arg;                               \
        double begin = bench_now();              \
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
        return bench_now() - begin;              \
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

void bench_alloc(void)
{
    bench_series one[] = {
        {.name = "one at a time: malloc of the C library", .run = one_system},
        {.name = "one at a time: " PEER_NAME, .run = one_peer},
        {.name = "one at a time: " PEER_NAME ", node initialised", .run = one_peer_init},
        {.name = "one at a time: ouro_new + ouro_release", .run = one_ouro},
    };
    bench_series batches[] = {
        {.name = "10 000 first in, first out: malloc of the C library", .run = batch_system, .unit = BATCH},
        {.name = "10 000 first in, first out: " PEER_NAME, .run = batch_peer, .unit = BATCH},
        {.name = "10 000 first in, first out: " PEER_NAME ", node initialised", .run = batch_peer_init, .unit = BATCH},
        {.name = "10 000 first in, first out: ouro_new + ouro_release", .run = batch_ouro, .unit = BATCH},
    };
    size_t live = bench_live();
    peer_find_system();
    check_objects();
    bench_measure("one at a time", one, 4, 16);
    bench_values(one, 4);
    bench_ratio("one at a time: ouro / " PEER_NAME, &one[3], &one[1], BENCH_BAR_AT_MOST(1.0));
    bench_ratio("one at a time: ouro / " PEER_NAME ", node initialised", &one[3], &one[2], BENCH_INFORMATION);
    bench_measure("batches", batches, 4, 8);
    bench_values(batches, 4);
    bench_ratio("10 000 first in, first out: ouro / " PEER_NAME, &batches[3], &batches[1], BENCH_INFORMATION);
    bench_ratio("10 000 first in, first out: ouro / " PEER_NAME ", node initialised", &batches[3], &batches[2],
                BENCH_INFORMATION);
    check_objects();
    bench_settle(live, "objects made and dropped");
}
