/* SPDX-License-Identifier: MIT
 *
 * Requests to the system fail all the time, here and there, while several threads work on one heap, the library's own are busy, and threads come
 * and go: one in so many fails, whoever's it is, also in the middle of collections. Likewise under a hard limit that comes and goes. What is refused
 * says so; what was made has been finalized once, and nothing is left, when there is memory again.
 * Seed: OURO_TEST_SEED. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "support/fault.h"
#include "support/threads.h"
#include "support/values.h"

enum { THREADS = 3, STEPS = SCALED(25000), SLOTS = 16, SMALL = 8000, LARGE = 100000, MIB = 1 << 20 };

static uint64_t seed;
static struct table *shared;
static ouro_value list;
static long finalized_before;
static atomic_long nodes, listed, refused, due, called;

static struct node *make(void)
{
    struct node *n = ouro_new(&node_type);
    atomic_fetch_add(n ? &nodes : &refused, 1);
    return n;
}

static bool ok(ouro_status status)
{
    if (status != OURO_OK && status != OURO_E_NOMEM && status != OURO_E_AGAIN)
        CHECK_EQ(status, OURO_E_NOMEM);
    atomic_fetch_add(&refused, status != OURO_OK);
    return status == OURO_OK;
}

static void collect(int generation)
{
    long found = ouro_gc_collect(generation);
    ok(found < 0 ? (ouro_status)found : OURO_OK);
}

static void drop_ring(bool share)
{
    struct node *a = make(), *b = make();
    if (a)
        ouro_set(a, &a->a, b), ouro_set(a, &a->b, a);
    if (b)
        ouro_set(b, &b->a, a);
    if (share)
        ouro_share(a);
    ouro_release(a);
    ouro_release(b);
}

static void called_back(ouro_weak *weak, void *unused)
{
    (void)unused;
    if (ouro_weak_get(weak))
        CHECK(!"it leads to nothing");
    atomic_fetch_add(&called, 1);
}

static void watch_die(void)
{
    struct node *n = make();
    ouro_weak *weak = n ? ouro_weak_new(n, called_back, NULL) : NULL;
    if (weak) {
        atomic_fetch_add(&due, 1);
        struct node *got = ouro_weak_get(weak);
        if (got != n)
            CHECK_PTR(got, n);
        ouro_release(got);
    }
    ouro_release(n);
    ouro_release(weak);
}

static void *live_shortly(void *unused)
{
    drop_ring(false);
    drop_ring(true);
    return unused;
}

static void come_and_go(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, live_shortly, NULL) != 0)
        return; /* the test's own fail, too */
    ouro_blocking_begin();
    REQUIRE(pthread_join(thread, NULL) == 0);
    ouro_blocking_end();
}

static void append(double x)
{
    ouro_value number = ouro_float_new(x);
    if (number)
        atomic_fetch_add(&listed, ok(ouro_list_append(list, number)));
    ouro_value_release(number);
}

/* What makes the heap grow and shrink. */
struct hoard {
    void *objects[64];
    unsigned count;
};

static void hoard_drop(struct hoard *hoard)
{
    while (hoard->count)
        ouro_release(hoard->objects[--hoard->count]);
}

static void hoard_more(struct hoard *hoard, struct rng *rng)
{
    if (hoard->count == 64)
        hoard_drop(hoard);
    struct table *t = ouro_new_array(&table_type, rng_below(rng, rng_one_in(rng, 10) ? LARGE : SMALL));
    if (!t) {
        atomic_fetch_add(&refused, 1);
        return;
    }
    if (rng_one_in(rng, 2))
        ouro_share(t);
    hoard->objects[hoard->count++] = t;
}

static void step(struct rng *rng, struct hoard *hoard)
{
    ouro_slot *slot = &shared->items[rng_below(rng, SLOTS)];
    struct node *n;
    switch (rng_below(rng, 12)) {
    case 0:
    case 1:
        n = make();
        ouro_set(shared, slot, n);
        ouro_release(n);
        break;
    case 2:
        ouro_release(ouro_take(shared, slot));
        break;
    case 3:
        n = ouro_get(shared, slot);
        ouro_release(ouro_swap(shared, &shared->items[rng_below(rng, SLOTS)], n));
        break;
    case 4:
        ouro_read_begin();
        n = ouro_try_retain(ouro_peek(slot));
        ouro_read_end();
        ouro_release(n);
        break;
    case 5:
        drop_ring(rng_one_in(rng, 2));
        break;
    case 6:
        watch_die();
        break;
    case 7:
        append(1);
        break;
    case 8:
        hoard_more(hoard, rng);
        break;
    case 9:
        ouro_blocking_begin();
        sched_yield();
        ouro_blocking_end();
        break;
    case 10:
        if (rng_one_in(rng, 80))
            collect((int)rng_below(rng, 3));
        break;
    default:
        if (rng_one_in(rng, 200))
            come_and_go();
        if (rng_one_in(rng, 200))
            ouro_mem_trim();
        if (rng_one_in(rng, 200))
            ouro_thread_detach();
        if (rng_one_in(rng, 200))
            ok(ouro_gc_collect_async(2));
    }
}

static atomic_int at_work;

static long one_fails_in; /* 0: none does */

static void work(struct member *self)
{
    struct hoard hoard = {0};
    if (!self->index && one_fails_in)
        fault_arm(FAULT_SOME, one_fails_in); /* all members are there */
    for (int i = 0; i < STEPS; i++)
        step(&self->rng, &hoard);
    hoard_drop(&hoard);
    atomic_fetch_sub(&at_work, 1);
}

static void begin(void)
{
    shared = table_new(SLOTS);
    ouro_share(shared);
    list = ouro_list_new();
    REQUIRE(list);
    ouro_value_share(list);
    finalized_before = finalized();
    nodes = listed = refused = due = called = 0;
    atomic_store(&at_work, THREADS);
}

static void end(void)
{
    size_t length;
    CHECK_OK(ouro_list_length(list, &length));
    CHECK_EQ(length, (size_t)listed);
    ouro_value_release(list);
    ouro_release(shared);
    for (int i = 0; i < 3; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized() - finalized_before, atomic_load(&nodes));
    CHECK_EQ(atomic_load(&called), atomic_load(&due));
    CHECK_GT(atomic_load(&due), 0);
    printf("       refused %ld times\n", atomic_load(&refused));
}

static void test_some_requests_fail(void)
{
    static const long one_in[] = {100, 10, 2};
    if (!fault_supported()) {
        printf("       skipped: not under this sanitizer\n");
        return;
    }
    for (int i = 0; i < 3; i++) {
        begin();
        one_fails_in = one_in[i];
        team_run(THREADS, seed + (uint64_t)i, work, NULL);
        long failed = fault_disarm();
        printf("       one in %ld: %ld failed\n", one_in[i], failed);
        CHECK_GT(failed, 0);
        end();
    }
}

/* The first stays until it has refused something: on a busy machine all work might be done before this thread runs. */
static void *change_limit(void *unused)
{
    struct rng rng = rng_stream(seed, 99);
    while (atomic_load(&at_work) > 0) {
        if (atomic_load(&refused) > 0)
            CHECK_OK(ouro_mem_set_limit(0, rng_one_in(&rng, 3) ? 0 : 1 + rng_below(&rng, 6 * MIB)));
        nanosleep(&(struct timespec){0, (long)rng_below(&rng, 3000000)}, NULL);
    }
    CHECK_OK(ouro_mem_set_limit(0, 0));
    return unused;
}

static void test_limit_comes_and_goes(void)
{
    begin();
    one_fails_in = 0;
    ouro_mem_trim();
    CHECK_OK(ouro_mem_set_limit(0, mem_stats().committed_bytes + MIB)); /* less than what one hoards */
    pthread_t thread = thread_start(change_limit, NULL, 0);
    team_run(THREADS, seed, work, NULL);
    thread_join_parked(thread);
    CHECK_GT(atomic_load(&refused), 0);
    end();
}

int main(void)
{
    check_start("failure_storm_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.purge_delay_ms = 1}); /* so that there is much to ask for */
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_some_requests_fail);
    FIXTURE_RUN(test_limit_comes_and_goes);
    return check_finish();
}
