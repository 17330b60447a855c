/* SPDX-License-Identifier: MIT
 *
 * One thread makes objects, another drops them: the ownership that biased counting is worst at. Peers hand over
 * blocks of mimalloc in the same ring, bare and with an atomic count. */
#include <stdatomic.h>

#include "bench.h"
#include "node.h"
#include "peer.h"

enum { RING = 1024, THREADS = 2 };

/* One producer, one consumer; each looks at the other's index only when its copy says full or empty. */
typedef struct ring {
    _Alignas(128) _Atomic size_t pushed;
    size_t seen_popped;
    _Alignas(128) _Atomic size_t popped;
    size_t seen_pushed;
    _Alignas(128) void *items[RING];
} ring;

typedef struct counted {
    _Atomic uint32_t count;
    uint32_t type;
    uint64_t header;
    void *left, *right;
} counted;

typedef struct handover {
    bench_team *team;
    ring ring;
} handover;

static inline void ring_push(ring *r, void *item)
{
    unsigned spins = 0;
    size_t at = atomic_load_explicit(&r->pushed, memory_order_relaxed);
    while (at - r->seen_popped == RING) {
        r->seen_popped = atomic_load_explicit(&r->popped, memory_order_acquire);
        if (at - r->seen_popped == RING)
            bench_relax(&spins);
    }
    r->items[at % RING] = item;
    atomic_store_explicit(&r->pushed, at + 1, memory_order_release);
}

static inline void *ring_pop(ring *r)
{
    unsigned spins = 0;
    size_t at = atomic_load_explicit(&r->popped, memory_order_relaxed);
    while (at == r->seen_pushed) {
        r->seen_pushed = atomic_load_explicit(&r->pushed, memory_order_acquire);
        if (at == r->seen_pushed)
            bench_relax(&spins);
    }
    void *item = r->items[at % RING];
    atomic_store_explicit(&r->popped, at + 1, memory_order_release);
    return item;
}

static void *make_bare(void)
{
    plain_node *n = peer_malloc(sizeof *n);
    if (!n)
        abort();
    *n = (plain_node){.header = {1, 0}};
    return n;
}

static void *make_counted(void)
{
    counted *c = peer_malloc(sizeof *c);
    if (!c)
        abort();
    *c = (counted){.count = 1};
    return c;
}

static void drop_counted(void *item)
{
    counted *c = item;
    if (atomic_fetch_sub_explicit(&c->count, 1, memory_order_acq_rel) == 1)
        peer_free(c);
}

static void *make_shared(void)
{
    node *n = node_new();
    ouro_share(n);
    return n;
}

#define HANDOVER(name, make, drop)                                           \
    static void work_##name(void *arg, unsigned index, uint64_t n)           \
    {                                                                        \
        ring *r = &((handover *)arg)->ring;                                  \
        for (; n; n--) {                                                     \
            if (index == 0)                                                  \
                ring_push(r, make());                                        \
            else                                                             \
                drop(ring_pop(r));                                           \
        }                                                                    \
    }                                                                        \
    static double run_##name(void *arg, uint64_t n)                          \
    {                                                                        \
        return bench_team_run(((handover *)arg)->team, work_##name, arg, n); \
    }

HANDOVER(bare, make_bare, peer_free)
HANDOVER(counted, make_counted, drop_counted)
HANDOVER(shared, make_shared, ouro_release)

void bench_handover(void)
{
    static handover h;
    size_t live = bench_live();
    h.team = bench_team_start(THREADS);
    bench_series series[] = {
        {.name = PEER_NAME ", bare blocks", .run = run_bare, .state = &h},
        {.name = PEER_NAME ", atomic count", .run = run_counted, .state = &h},
        {.name = "ouro_new + ouro_share, ouro_release elsewhere", .run = run_shared, .state = &h},
    };
    bench_measure("handover", series, 3, 4);
    bench_values(series, 3);
    bench_ratio("ouro / " PEER_NAME ", bare blocks", &series[2], &series[0], BENCH_INFORMATION);
    bench_ratio("ouro / " PEER_NAME ", atomic count", &series[2], &series[1], BENCH_INFORMATION);
    bench_settle(live, "objects handed over, owner parked");
    bench_team_stop(h.team);
}
