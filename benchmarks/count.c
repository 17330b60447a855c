/* SPDX-License-Identifier: MIT
 *
 * What one retain and one release cost together.
 *
 * Floors: a volatile counter, which is what a program pays that counts for one thread only, and a C11 atomic in the
 * orders that Rust's Arc uses. In the first loop the compiler may know that the object is not NULL, as it does in
 * code that has just looked into the object; the second hides the pointer from it before every call. */
#include <stdatomic.h>

#include "bench.h"
#include "node.h"

enum {
    THREADS = 2,
    MANY = 1024,
    FAR = 128 /* bytes between what different threads write: two cache lines */
};

typedef struct counters {
    _Alignas(FAR) volatile uint32_t plain;
    _Alignas(FAR) _Atomic uint32_t atomic;
} counters;

typedef struct state {
    counters counters[THREADS];
    bench_team *team;
    node *object[THREADS]; /* by the team member that made it; that one holds the reference */
    _Atomic bool freed_early;
} state;

/* ---- the loops ---- */

static void plain_pairs(volatile uint32_t *counter, uint64_t n)
{
    for (; n; n--) {
        *counter = *counter + 1;
        *counter = *counter - 1;
    }
}

static void atomic_pairs(state *s, _Atomic uint32_t *counter, uint64_t n)
{
    for (; n; n--) {
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
        if (atomic_fetch_sub_explicit(counter, 1, memory_order_acq_rel) == 1)
            s->freed_early = true;
    }
}

static void ouro_pairs(node *object, uint64_t n)
{
    for (; n; n--) {
        ouro_retain(object);
        ouro_release(object);
    }
}

static void ouro_hidden_pairs(node *object, uint64_t n)
{
    for (; n; n--) {
        BENCH_OPAQUE(object);
        ouro_retain(object);
        BENCH_OPAQUE(object);
        ouro_release(object);
    }
}

/* The same without the loop, nearly: its own branch counts where branches are what takes the time. */
#define EIGHT_TIMES(pair) \
    {                     \
        pair;             \
        pair;             \
        pair;             \
        pair;             \
        pair;             \
        pair;             \
        pair;             \
        pair;             \
    }

static void plain_pairs_in_a_row(volatile uint32_t *counter, uint64_t n)
{
    for (n /= 8; n; n--)
        EIGHT_TIMES((*counter = *counter + 1, *counter = *counter - 1))
}

static void ouro_pairs_in_a_row(node *object, uint64_t n)
{
    for (n /= 8; n; n--)
        EIGHT_TIMES((ouro_retain(object), ouro_release(object)))
}

/* ---- one thread ---- */

#define RUN(name, loop)                       \
    static double name(void *arg, uint64_t n) \
    {                                         \
        double begin = bench_clock();         \
        loop;                                 \
        return bench_clock() - begin;         \
    }

RUN(run_plain, plain_pairs(&((state *)arg)->counters[0].plain, n))
RUN(run_atomic, atomic_pairs(arg, &((state *)arg)->counters[0].atomic, n))
RUN(run_ouro, ouro_pairs(arg, n))
RUN(run_hidden, ouro_hidden_pairs(arg, n))
RUN(run_plain_in_a_row, plain_pairs_in_a_row(&((state *)arg)->counters[0].plain, n))
RUN(run_ouro_in_a_row, ouro_pairs_in_a_row(arg, n))

static void measure_owner(state *s)
{
    node *object = node_new();
    bench_series series[] = {
        {.name = "owner: volatile counter", .run = run_plain, .state = s},
        {.name = "owner: C11 atomic", .run = run_atomic, .state = s},
        {.name = "owner: retain + release", .run = run_ouro, .state = object},
        {.name = "owner: retain + release, pointer hidden from the compiler", .run = run_hidden, .state = object},
        {.name = "owner: volatile counter, eight pairs in a row", .run = run_plain_in_a_row, .state = s},
        {.name = "owner: retain + release, eight pairs in a row", .run = run_ouro_in_a_row, .state = object},
    };
    bench_measure("owner", series, 6, 16);
    bench_values(series, 6);
    bench_ratio("owner: retain + release / volatile counter", &series[2], &series[0], BENCH_BAR_AT_MOST(1.15));
    bench_ratio("owner: retain + release / C11 atomic", &series[2], &series[1], BENCH_BAR_AT_MOST(0.35));
    bench_ratio("owner: hidden pointer / volatile counter", &series[3], &series[0], BENCH_INFORMATION);
    bench_ratio("owner: hidden pointer / C11 atomic", &series[3], &series[1], BENCH_INFORMATION);
    bench_ratio("owner: eight pairs in a row / volatile counter, likewise", &series[5], &series[4], BENCH_INFORMATION);
    bench_check(ouro_refcount(object) == 1, "the owner's object has %zu references, not 1", ouro_refcount(object));
    ouro_release(object);
}

/* ---- one thread, many objects ---- */

/* Every pair is on another object, whose address comes from memory, as when a program works through a structure. */
static double run_plain_many(void *arg, uint64_t n)
{
    volatile uint32_t **counters = arg;
    double begin = bench_clock();
    for (uint64_t i = 0; i < n; i++) {
        volatile uint32_t *counter = counters[i % MANY];
        *counter = *counter + 1;
        *counter = *counter - 1;
    }
    return bench_clock() - begin;
}

static double run_ouro_many(void *arg, uint64_t n)
{
    node **objects = arg;
    double begin = bench_clock();
    for (uint64_t i = 0; i < n; i++) {
        node *object = objects[i % MANY];
        ouro_retain(object);
        BENCH_OPAQUE(object);
        ouro_release(object);
    }
    return bench_clock() - begin;
}

static void measure_many(void)
{
    static node *objects[MANY];
    static void *blocks[MANY];
    for (size_t i = 0; i < MANY; i++) {
        objects[i] = node_new();
        blocks[i] = calloc(1, sizeof(node));
        if (!blocks[i])
            abort();
    }
    bench_series series[] = {
        {.name = "owner, 1024 objects in turn: volatile counters", .run = run_plain_many, .state = blocks},
        {.name = "owner, 1024 objects in turn: retain + release", .run = run_ouro_many, .state = objects},
    };
    bench_measure("many objects", series, 2, 16);
    bench_values(series, 2);
    bench_ratio("owner, 1024 objects in turn: retain + release / volatile counters", &series[1], &series[0],
                BENCH_INFORMATION);
    for (size_t i = 0; i < MANY; i++) {
        bench_check(ouro_refcount(objects[i]) == 1, "object %zu of many has not one reference", i);
        ouro_release(objects[i]);
        free(blocks[i]);
    }
}

/* ---- two threads ---- */

static void work_make(void *arg, unsigned index, uint64_t n)
{
    state *s = arg;
    (void)n;
    s->object[index] = node_new();
    ouro_share(s->object[index]);
}

static void work_drop(void *arg, unsigned index, uint64_t n)
{
    state *s = arg;
    (void)n;
    ouro_release(s->object[index]);
}

static void work_plain(void *arg, unsigned index, uint64_t n)
{
    plain_pairs(&((state *)arg)->counters[index].plain, n);
}

static void work_atomic(void *arg, unsigned index, uint64_t n)
{
    atomic_pairs(arg, &((state *)arg)->counters[index].atomic, n);
}

static void work_own(void *arg, unsigned index, uint64_t n)
{
    ouro_hidden_pairs(((state *)arg)->object[index], n);
}

static void work_one_atomic(void *arg, unsigned index, uint64_t n)
{
    (void)index;
    atomic_pairs(arg, &((state *)arg)->counters[0].atomic, n);
}

static void work_one(void *arg, unsigned index, uint64_t n)
{
    (void)index;
    ouro_hidden_pairs(((state *)arg)->object[0], n);
}

static double run_two_plain(void *arg, uint64_t n)
{
    return bench_team_run(((state *)arg)->team, work_plain, arg, n);
}

static double run_two_atomic(void *arg, uint64_t n)
{
    return bench_team_run(((state *)arg)->team, work_atomic, arg, n);
}

static double run_two_own(void *arg, uint64_t n)
{
    return bench_team_run(((state *)arg)->team, work_own, arg, n);
}

static double run_two_one_atomic(void *arg, uint64_t n)
{
    return bench_team_run(((state *)arg)->team, work_one_atomic, arg, n);
}

static double run_two_one(void *arg, uint64_t n)
{
    return bench_team_run(((state *)arg)->team, work_one, arg, n);
}

static void measure_two_objects(state *s)
{
    bench_series series[] = {
        {.name = "2 threads, 2 objects: volatile counters", .run = run_two_plain, .state = s},
        {.name = "2 threads, 2 objects: C11 atomics", .run = run_two_atomic, .state = s},
        {.name = "2 threads, 2 objects: retain + release", .run = run_two_own, .state = s},
    };
    bench_measure("two threads, two objects", series, 3, 8);
    bench_values(series, 3);
    bench_ratio("2 threads, 2 objects: retain + release / C11 atomic", &series[2], &series[1], BENCH_INFORMATION);
}

static void measure_one_object(state *s)
{
    bench_series series[] = {
        {.name = "2 threads, 1 object: C11 atomic", .run = run_two_one_atomic, .state = s},
        {.name = "2 threads, 1 object: retain + release, one is the owner", .run = run_two_one, .state = s},
    };
    bench_measure("two threads, one object", series, 2, 8);
    bench_values(series, 2);
    bench_ratio("2 threads, 1 object: retain + release / C11 atomic", &series[1], &series[0], BENCH_INFORMATION);
}

static void measure_foreign(state *s)
{
    bench_series series[] = {
        {.name = "foreign thread alone: C11 atomic", .run = run_atomic, .state = s},
        {.name = "foreign thread alone: retain + release", .run = run_hidden, .state = s->object[0]},
    };
    bench_measure("foreign thread", series, 2, 16);
    bench_values(series, 2);
    bench_ratio("foreign thread alone: retain + release / C11 atomic", &series[1], &series[0], BENCH_INFORMATION);
}

void bench_count(void)
{
    static state s;
    for (unsigned i = 0; i < THREADS; i++)
        s.counters[i].atomic = s.counters[i].plain = 1;
    measure_owner(&s);
    measure_many();
    s.team = bench_team_start(THREADS);
    bench_team_run(s.team, work_make, &s, 0);
    measure_two_objects(&s);
    measure_one_object(&s);
    measure_foreign(&s);
    for (unsigned i = 0; i < THREADS; i++) {
        size_t references = ouro_refcount(s.object[i]);
        bench_check(references == 1, "object %u has %zu references, not 1", i, references);
        bench_check(s.counters[i].plain == 1 && s.counters[i].atomic == 1, "a counter is not back at 1");
    }
    bench_check(!s.freed_early, "an atomic counter went to zero");
    bench_team_run(s.team, work_drop, &s, 0);
    bench_team_stop(s.team);
}
