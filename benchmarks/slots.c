/* SPDX-License-Identifier: MIT
 *
 * Slot operations on a private container (plain loads and stores) and on a shared one (atomic exchanges, and counts
 * that other threads may be working on). The yardstick is one C11 atomic exchange. */
#include <stdatomic.h>

#include "bench.h"
#include "node.h"

typedef struct state {
    node *container;
    node *contents[2];
    _Atomic(void *) plain;
} state;

static double run_exchange(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--) {
        void *old = atomic_exchange_explicit(&s->plain, s->contents[n & 1], memory_order_acq_rel);
        BENCH_TOUCH(old);
    }
    return bench_clock() - begin;
}

static double run_peek(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--) {
        void *content = ouro_peek(&s->container->left);
        BENCH_TOUCH(content);
    }
    return bench_clock() - begin;
}

static double run_get(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--)
        ouro_release(ouro_get(s->container, &s->container->left));
    return bench_clock() - begin;
}

static double run_set(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--)
        ouro_set(s->container, &s->container->left, s->contents[n & 1]);
    return bench_clock() - begin;
}

static double run_swap(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--)
        ouro_release(ouro_swap(s->container, &s->container->left, ouro_retain(s->contents[n & 1])));
    return bench_clock() - begin;
}

static double run_take_give(void *arg, uint64_t n)
{
    state *s = arg;
    double begin = bench_clock();
    for (; n; n--)
        ouro_give(s->container, &s->container->left, ouro_take(s->container, &s->container->left));
    return bench_clock() - begin;
}

static void make(state *s)
{
    s->container = node_new();
    for (int i = 0; i < 2; i++)
        s->contents[i] = node_new();
    ouro_set(s->container, &s->container->left, s->contents[0]);
}

static void drop(state *s, const char *name)
{
    bench_check(ouro_peek(&s->container->left) != NULL, "%s: the slot has lost its content", name);
    ouro_set(s->container, &s->container->left, NULL);
    for (int i = 0; i < 2; i++) {
        size_t references = ouro_refcount(s->contents[i]);
        bench_check(references == 1, "%s: a content has %zu references, not 1", name, references);
        ouro_release(s->contents[i]);
    }
    ouro_release(s->container);
}

/* A container that this thread was given by another: none of the counts are its own. */
static void work_make(void *arg, unsigned index, uint64_t n)
{
    state *s = arg;
    (void)index;
    (void)n;
    make(s);
    ouro_share(s->container);
    for (int i = 0; i < 2; i++)
        ouro_share(s->contents[i]);
}

void bench_slots(void)
{
    state mine = {0}, shared = {0}, foreign = {0};
    bench_team *team = bench_team_start(1);
    make(&mine);
    make(&shared);
    ouro_share(shared.container);
    ouro_share(shared.contents[1]);
    bench_team_run(team, work_make, &foreign, 0);
    bench_series series[] = {
        {.name = "C11 atomic exchange", .run = run_exchange, .state = &mine},
        {.name = "private: peek", .run = run_peek, .state = &mine},
        {.name = "private: get + release", .run = run_get, .state = &mine},
        {.name = "private: set", .run = run_set, .state = &mine},
        {.name = "private: swap + retain + release", .run = run_swap, .state = &mine},
        {.name = "private: take + give", .run = run_take_give, .state = &mine},
        {.name = "shared, own objects: get + release", .run = run_get, .state = &shared},
        {.name = "shared, own objects: set", .run = run_set, .state = &shared},
        {.name = "shared, own objects: swap + retain + release", .run = run_swap, .state = &shared},
        {.name = "shared, own objects: take + give", .run = run_take_give, .state = &shared},
        {.name = "shared, another thread's objects: get + release", .run = run_get, .state = &foreign},
        {.name = "shared, another thread's objects: set", .run = run_set, .state = &foreign},
    };
    bench_measure("slots", series, sizeof series / sizeof series[0], 4);
    bench_values(series, sizeof series / sizeof series[0]);
    drop(&mine, "private");
    drop(&shared, "shared");
    drop(&foreign, "another thread's");
    bench_team_stop(team);
}
