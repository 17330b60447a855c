/* SPDX-License-Identifier: MIT
 *
 * Memory that does not come back, and numbers that lie. Each test is a failure that users of another system have reported, named after it; the
 * comment says whose, and what happens here instead. All figures are the heap's own. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/child.h"
#include "support/threads.h"
#include "support/values.h"

static uint64_t seed;

static size_t committed(void)
{
    return mem_stats().committed_bytes;
}

/* After a trim; not always after the first, for that leaves alone what the background thread has in hand at that moment. */
static bool is_small(void *most)
{
    ouro_mem_trim();
    return committed() <= *(size_t *)most;
}

/* ---- Who frees ---- */

enum { PRODUCERS = 3, SET = 2000, PIECE = 592, ROUNDS = SCALED(120000), QUEUE = 512 };

static struct table *queue; /* shared; NULL: a free place */
static atomic_int producing;
static atomic_size_t highest;

static void produce_or_reclaim(struct member *self)
{
    if (self->index == PRODUCERS) {
        while (atomic_load(&producing)) { /* only drops */
            for (int i = 0; i < QUEUE; i++)
                ouro_set(queue, &queue->items[i], NULL);
            size_t now = committed();
            if (now > atomic_load(&highest))
                atomic_store(&highest, now);
        }
        return;
    }
    struct table *live = table_new(SET);
    for (int i = 0; i < ROUNDS; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, PIECE);
        REQUIRE(b);
        void *old = ouro_swap(live, &live->items[rng_below(&self->rng, SET)], b);
        if (old) {
            ouro_share(old);
            ouro_slot *place = &queue->items[rng_below(&self->rng, QUEUE)];
            ouro_set(queue, place, old); /* replaces what is there, if the queue is full */
            ouro_release(old);
        }
    }
    ouro_release(live);
    atomic_fetch_sub(&producing, 1);
}

/* How far memory grew. */
static size_t most_beside_reclaimer(void)
{
    ouro_mem_trim();
    size_t before = committed(), most = before + (1 << 20);
    queue = table_new(QUEUE);
    ouro_share(queue);
    atomic_store(&producing, PRODUCERS);
    atomic_store(&highest, 0);
    team_run(PRODUCERS + 1, seed, produce_or_reclaim, NULL);
    CHECK_GT(atomic_load(&highest), before);
    ouro_release(queue);
    CHECK(wait_until(is_small, &most));
    return atomic_load(&highest) - before;
}

/* mimalloc (microsoft/mimalloc#1364): threads with a live set of constant size passed what they replaced to a thread that only freed, and had never
 * allocated: 437 MiB became 1.8 GiB. Here a thread needs nothing of its own to give memory back to those that go on using it. */
static void test_memory_freed_by_a_thread_that_never_allocates(void)
{
    enum { LIMIT = PRODUCERS * ROUNDS * PIECE / 3 + (8 << 20), TRIES = 3 };
    size_t most = SIZE_MAX;
    /* On a machine that lets the background thread wait, memory waits with it: then the next one shows it. What is never used again is there each time. */
    for (int i = 0; i < TRIES && most > LIMIT; i++)
        most = most_beside_reclaimer();
    CHECK_LE(most, LIMIT);
}

static struct table *batch_new(void)
{
    struct table *t = table_new(4000);
    for (int i = 0; i < 4000; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, PIECE);
        REQUIRE(b);
        ouro_give(t, &t->items[i], b);
    }
    ouro_share(t);
    return t;
}

static void *release_here(void *object)
{
    ouro_release(object);
    return NULL;
}

static void *make_batch(void *out)
{
    *(struct table **)out = batch_new();
    return NULL;
}

/* mimalloc (microsoft/mimalloc#214, #333, #440): one thread allocated, another freed everything; the first then slept, or ended, and did not look
 * at what had been given back to it, so that it stayed. Here it goes back to the system while the maker is parked, or gone. */
static void test_memory_of_a_maker_that_sleeps_or_ends(void)
{
    for (int gone = 0; gone < 2; gone++) {
        ouro_mem_trim();
        size_t before = committed(), most = before + (1 << 20);
        struct table *t = NULL;
        if (gone)
            thread_do(make_batch, &t, 0);
        else
            t = batch_new();
        CHECK_GE(committed() - before, (size_t)4000 * PIECE);
        ouro_blocking_begin();
        thread_join_running(thread_start(release_here, t, 0));
        CHECK(wait_until(is_small, &most));
        ouro_blocking_end();
    }
}

enum { PATIENCE = 6 }; /* times STEP_SECONDS: the library spares a busy machine */
enum { NODES = 60000 };
static struct step awake = STEP_INITIALIZER;

static void *make_batch_and_sleep(void *out)
{
    struct table *t = table_new(NODES);
    for (int i = 0; i < NODES; i++)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_share(t);
    atomic_store((struct table *_Atomic *)out, t);
    for (int i = 0; i < PATIENCE && !step_wait(&awake, 1); i++) /* not in a blocking region */
        continue;
    return NULL;
}

/* The same by a maker that sleeps and does not say so. Here a collection takes in hand what has waited for it, and pages that others have emptied go
 * without it. (Not for objects that no collection looks at: these wait for their owner.) */
static void test_memory_of_a_maker_that_does_not_say_that_it_sleeps(void)
{
    struct table *_Atomic t = NULL;
    ouro_mem_trim();
    size_t before = committed(), most = before + (1 << 20);
    awake.value = 0;
    pthread_t maker = thread_start(make_batch_and_sleep, &t, 0);
    while (!atomic_load(&t))
        sched_yield();
    CHECK_GE(committed() - before, NODES * sizeof(struct node));
    ouro_release(atomic_load(&t));
    bool small = false;
    for (int i = 0; i < PATIENCE && !small; i++)
        small = wait_until(is_small, &most);
    CHECK(small);
    step_set(&awake, 1);
    thread_join_parked(maker);
}

/* ---- Frees that wait for readers ---- */

enum { BIG = 500000, FRAMES = TEST_SLOWDOWN > 1 ? 40 : 60 };

/* True when no more than so much waits for readers; false if that does not come to pass. */
static bool await_deferred(size_t most)
{
    for (int ms = 0; mem_stats().limbo_bytes > most; ms++) {
        if (ms == 20000)
            return false;
        usleep(1000);
    }
    return true;
}

static ouro_value frames; /* a shared list of at most two */
static struct step taken = STEP_INITIALIZER;

static void *append_to_frames(void *unused)
{
    (void)unused;
    for (int i = 0; i < FRAMES; i++) {
        ouro_value frame = OURO_NIL;
        while (ouro_list_pop(frames, 0, &frame) != OURO_OK)
            sched_yield();
        CHECK_OK(ouro_list_append(frame, INT(0))); /* makes room: the old elements wait for readers */
        ouro_value_release(frame);
        step_set(&taken, i + 1);
    }
    return NULL;
}

/* CPython, free-threaded (python/cpython#132519): lists of 24 MB were passed to a thread that appended to each. Their old arrays waited for readers in
 * batches of 254, whatever their size: 135 MB became 6.7 GB. Here a grace period does not wait for a batch to fill, and
 * what has been through it serves the next list of that size. */
static void test_deferred_frees_of_large_lists_pile_up(void)
{
    const size_t size = (size_t)BIG * sizeof(ouro_value);
    ouro_mem_trim();
    size_t before = committed(), peak = 0;
    ouro_value *nils = calloc(BIG, sizeof *nils);
    REQUIRE(nils);
    frames = ouro_list_new();
    ouro_value_share(frames);
    taken.value = 0;
    pthread_t consumer = thread_start(append_to_frames, NULL, 0);
    for (int i = 0; i < FRAMES; i++) {
        ouro_value frame;
        REQUIRE(ouro_list_from(nils, BIG, &frame) == OURO_OK);
        CHECK_OK(ouro_list_append(frames, frame));
        ouro_value_release(frame);
        CHECK(step_wait(&taken, i - 1)); /* two are under way */
        CHECK(await_deferred(4 * size));  /* whatever else keeps the machine busy */
        size_t now = committed();
        peak = now > peak ? now : peak;
    }
    thread_join_parked(consumer);
    ouro_value_release(frames);
    free(nils);
    CHECK_LE((peak - before) / size, 24); /* all of them are more than twice as many */
    size_t most = before + (1 << 20);
    CHECK(wait_until(is_small, &most)); /* the last of them have readers to wait for, too */
}

static ouro_value doubled;

static void *double_it(void *unused)
{
    (void)unused;
    CHECK_OK(ouro_list_extend(doubled, doubled));
    return NULL;
}

/* CPython, free-threaded (python/cpython#130794): threads that each enlarged a shared list and ended left the old arrays in queues that nobody went
 * through, until memory was out. Here what an ended thread has left waiting is everybody's. */
static void test_deferred_frees_of_short_threads_pile_up(void)
{
    enum { TIMES = TEST_SLOWDOWN > 1 ? 20 : 60, THREADS = 4 };
    ouro_mem_trim();
    for (int i = 0; i < TIMES; i++) {
        ouro_value nils[256] = {0};
        REQUIRE(ouro_list_from(nils, 256, &doubled) == OURO_OK);
        ouro_value_share(doubled);
        pthread_t threads[THREADS];
        for (int k = 0; k < THREADS; k++)
            threads[k] = thread_start(double_it, NULL, 0);
        for (int k = 0; k < THREADS; k++)
            thread_join_parked(threads[k]);
        CHECK(await_deferred(1 << 20)); /* all rounds together leave more */
        size_t length = 0;
        CHECK_OK(ouro_length(doubled, &length));
        CHECK_GE(length, 256 * (THREADS + 1)); /* each adds what was there at some moment */
        ouro_value_release(doubled);
    }
    ouro_mem_trim();
    CHECK_EQ(mem_stats().limbo_bytes, 0);
}

/* ---- Numbers ---- */

static void come_and_go(struct member *self)
{
    (void)self;
    for (int i = 0; i < SCALED(20); i++) {
        struct table *t = NULL;
        thread_do(make_batch, &t, 0);
        ouro_mem_stats s = mem_stats();
        CHECK_LE(s.live_bytes, s.committed_bytes);
        CHECK_LE(s.committed_bytes, s.reserved_bytes);
        CHECK_LE(s.reserved_bytes, SIZE_MAX / 2); /* no number below zero */
        ouro_release(t);
        ouro_mem_trim();
    }
}

/* mimalloc (microsoft/mimalloc#441, #929, #1118, #1141): committed memory was reported as below zero, once threads had ended or memory had been given
 * back. Here the numbers are counted when they are asked for, and fit each other. */
static void test_committed_memory_is_below_zero(void)
{
    ouro_mem_trim();
    size_t most = committed() + (1 << 20);
    team_run(3, seed, come_and_go, NULL);
    CHECK(wait_until(is_small, &most));
}

/* ---- The end ---- */

static void run_out(void *unused)
{
    (void)unused;
    fixture_start();
    ouro_value list = ouro_list_new();
    CHECK_OK(ouro_list_append(list, list)); /* only a collection ends it */
    CHECK_EQ(ouro_mem_set_limit(0, committed() + (2 << 20)), OURO_OK);
    ouro_status status = OURO_OK;
    for (int i = 0; i < 1000000 && status == OURO_OK; i++) {
        ouro_value item;
        status = ouro_list_from((ouro_value[]){INT(i), list}, 2, &item);
        if (status == OURO_OK) {
            status = ouro_list_append(list, item);
            ouro_value_release(item);
        }
    }
    CHECK_EQ(status, OURO_E_NOMEM);
    ouro_value_release(list);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
}

/* QuickJS (bellard/quickjs#468, CVE-2025-69654; justjake/quickjs-emscripten#257): after memory had run out, the end of the runtime found objects left
 * and aborted. Here running out leaves everything valid, and the end, at the limit still, leaves nothing. */
static void test_end_after_running_out_of_memory_aborts(void)
{
    CHECK_EQ(child_run(run_out, NULL), 0);
}

int main(void)
{
    check_start("regress/memory_test");
    CHECK_RUN(test_end_after_running_out_of_memory_aborts); /* before there are threads here */
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_memory_freed_by_a_thread_that_never_allocates);
    FIXTURE_RUN(test_memory_of_a_maker_that_sleeps_or_ends);
    FIXTURE_RUN(test_memory_of_a_maker_that_does_not_say_that_it_sleeps);
    FIXTURE_RUN(test_deferred_frees_of_large_lists_pile_up);
    FIXTURE_RUN(test_deferred_frees_of_short_threads_pile_up);
    FIXTURE_RUN(test_committed_memory_is_below_zero);
    return check_finish();
}
