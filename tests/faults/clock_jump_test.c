/* SPDX-License-Identifier: MIT
 *
 * Clocks that jump. The time of day goes forwards and backwards when somebody sets it: the library never asks for it. The monotonic clock leaps over
 * hours when a machine was halted, and stands still on a coarse one: collections, limbo, purging, credit, reports of long sections and shutdown
 * go on, nobody hangs, nothing is lost.
 * clock_gettime and sem_clockwait are defined here, in front of the system's. Seed: OURO_TEST_SEED. */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/threads.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

enum { THREADS = 3, STEPS = SCALED(300000), SLOTS = 16 };

static uint64_t seed;

/* ---- The clocks ---- */

static atomic_llong ahead;     /* of the monotonic clock, nanoseconds */
static atomic_llong still_at;  /* it stands still there; 0: it goes */
static atomic_llong day_ahead; /* of the time of day; any sign */
static atomic_bool counting;   /* what is asked for the time of day */
static atomic_long day_reads;

/* Each is asked the system itself: no function of that name is in between. */
static int64_t real(clockid_t clock)
{
    struct timespec t = {0};
    syscall(SYS_clock_gettime, clock, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t monotonic(void)
{
    int64_t still = atomic_load(&still_at);
    return still ? still : real(CLOCK_MONOTONIC) + atomic_load(&ahead);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int64_t now = clock == CLOCK_MONOTONIC ? monotonic() : clock == CLOCK_REALTIME ? real(clock) + atomic_load(&day_ahead) : real(clock);
    if (clock == CLOCK_REALTIME && atomic_load(&counting))
        atomic_fetch_add(&day_reads, 1);
    *t = (struct timespec){now / SECOND, now % SECOND};
    return 0;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    (void)zone;
    atomic_fetch_add(&day_reads, atomic_load(&counting));
    int64_t now = real(CLOCK_REALTIME) + atomic_load(&day_ahead);
    *t = (struct timeval){now / SECOND, now % SECOND / 1000};
    return 0;
}

/* Waits by the clock above: for what is left until then. */
int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until)
{
    static int (*_Atomic next)(sem_t *restrict, clockid_t, const struct timespec *restrict);
    int (*wait)(sem_t *restrict, clockid_t, const struct timespec *restrict) = atomic_load(&next);
    if (!wait) {
        void *found = dlsym(RTLD_NEXT, "sem_clockwait");
        memcpy(&wait, &found, sizeof wait);
        atomic_store(&next, wait);
    }
    atomic_fetch_add(&day_reads, clock == CLOCK_REALTIME && atomic_load(&counting));
    int64_t left = until->tv_sec * SECOND + until->tv_nsec - monotonic(), then = real(CLOCK_MONOTONIC) + (left > 0 ? left : 0);
    return wait(semaphore, CLOCK_MONOTONIC, &(struct timespec){then / SECOND, then % SECOND});
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    atomic_fetch_add(&day_reads, atomic_load(&counting)); /* it is by the time of day, always */
    return sem_clockwait(semaphore, CLOCK_MONOTONIC, until);
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void clocks_as_they_are(void)
{
    atomic_store(&still_at, 0);
    atomic_store(&day_ahead, 0);
    atomic_store(&counting, false);
}

/* ---- Work, without waits of the test's own ---- */

static struct table *shared;
static struct node *wide;
static atomic_long nodes;

static struct node *make(void)
{
    atomic_fetch_add(&nodes, 1);
    return node_new(1);
}

static void drop_ring(bool share)
{
    struct node *n = make();
    ouro_set(n, &n->a, n);
    if (share)
        ouro_share(n);
    ouro_release(n);
}

static void step(struct rng *rng)
{
    ouro_slot *slot = &shared->items[rng_below(rng, SLOTS)];
    struct node *n;
    switch (rng_below(rng, 8)) {
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
        ouro_read_begin();
        n = ouro_try_retain(ouro_peek(slot));
        ouro_read_end();
        ouro_release(n);
        break;
    case 4:
        drop_ring(rng_one_in(rng, 2));
        break;
    case 5:
        ouro_release(ouro_retain(wide)); /* in credit */
        break;
    case 6:
        if (rng_one_in(rng, 20))
            ouro_release(ouro_new_array(&table_type, 5000 + rng_below(rng, 5000)));
        break;
    default:
        if (rng_one_in(rng, 300))
            CHECK_GE(ouro_gc_collect((int)rng_below(rng, 3)), 0);
        if (rng_one_in(rng, 300))
            CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
        if (rng_one_in(rng, 300))
            ouro_mem_trim();
    }
}

static atomic_int at_work;

static void work(struct member *self)
{
    for (int i = 0; i < STEPS; i++)
        step(&self->rng);
    atomic_fetch_sub(&at_work, 1);
}

struct weather {
    void (*change)(struct rng *rng);
};

static void *change_clocks(void *arg)
{
    const struct weather *weather = arg;
    struct rng rng = rng_stream(seed, 777);
    while (atomic_load(&at_work) > 0) {
        weather->change(&rng);
        sleep_ms(1);
    }
    return NULL;
}

static void work_while(void (*change)(struct rng *rng))
{
    struct weather weather = {change};
    shared = table_new(SLOTS);
    ouro_share(shared);
    wide = make();
    ouro_share_widely(wide);
    atomic_store(&at_work, THREADS);
    pthread_t thread = thread_start(change_clocks, &weather, 0);
    team_run(THREADS, seed, work, NULL);
    thread_join_parked(thread);
    ouro_release(shared);
    ouro_release(wide);
    for (int i = 0; i < 3; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK); /* with the clocks as they have come to be */
    CHECK_EQ(finalized(), atomic_exchange(&nodes, 0));
    clocks_as_they_are();
    fixture_start();
    fixture_owners_may_sleep();
}

/* ---- Tests ---- */

static void change_day(struct rng *rng)
{
    atomic_store(&day_ahead, ((int64_t)rng_below(rng, 2000000) - 1000000) * SECOND);
}

static void test_time_of_day_is_set(void)
{
    atomic_store(&day_reads, 0);
    atomic_store(&counting, true);
    work_while(change_day);
    CHECK_EQ(atomic_load(&day_reads), 0); /* nobody has noticed */
}

static void leap(struct rng *rng)
{
    if (rng_one_in(rng, 5))
        atomic_fetch_add(&ahead, (int64_t)rng_below(rng, 100) * HOUR);
}

static void test_monotonic_clock_leaps(void)
{
    work_while(leap);
}

static void stand(struct rng *rng)
{
    (void)rng;
    if (!atomic_load(&still_at))
        atomic_store(&still_at, real(CLOCK_MONOTONIC) + atomic_load(&ahead));
}

static void test_monotonic_clock_stands_still(void)
{
    work_while(stand);
}

static void go_in_steps(struct rng *rng)
{
    if (rng_one_in(rng, 10))
        atomic_store(&still_at, real(CLOCK_MONOTONIC) + atomic_load(&ahead));
}

static void test_monotonic_clock_is_coarse(void)
{
    work_while(go_in_steps);
}

static bool is_returned(void *bytes)
{
    return mem_stats().committed_bytes < *(size_t *)bytes;
}

/* Free memory goes back after a leap, as after any other time; and not before its time has come. */
static void test_purge_after_a_leap(void)
{
    struct bytes *b = ouro_new_array(&bytes_type, 3 << 20);
    REQUIRE(b);
    size_t during = mem_stats().committed_bytes;
    atomic_store(&still_at, monotonic());
    ouro_release(b);
    sleep_ms(400); /* for the clock, no time at all */
    CHECK_GE(mem_stats().committed_bytes, during);
    atomic_fetch_add(&ahead, 1000 * HOUR);
    atomic_store(&still_at, 0);
    CHECK(wait_until(is_returned, &during));
}

static struct step reading = STEP_INITIALIZER, read_on = STEP_INITIALIZER;

static void *stay_in_section(void *unused)
{
    ouro_read_begin();
    step_set(&reading, 1);
    CHECK(step_wait(&read_on, 1));
    ouro_read_end();
    return unused;
}

static bool is_told(void *unused)
{
    struct table *t = table_new(8000); /* somebody waits for readers */
    (void)unused;
    ouro_share(t);
    ouro_release(t);
    return misuse_count() > 0;
}

/* Told by the clock: not while that stands still, but when it goes on, however far. */
static void test_long_section_by_the_clock(void)
{
    misuse_want_long_reads(true);
    reading.value = read_on.value = 0;
    pthread_t thread = thread_start(stay_in_section, NULL, 0);
    CHECK(step_wait(&reading, 1));
    atomic_store(&still_at, monotonic());
    for (int i = 0; i < 150; i++) {
        CHECK(!is_told(NULL));
        sleep_ms(10);
    }
    atomic_fetch_add(&ahead, 24 * HOUR);
    atomic_store(&still_at, 0);
    CHECK(wait_until(is_told, NULL));
    CHECK_MISUSE(OURO_MISUSE_LONG_READ, "ouro_read_begin", NULL, NULL);
    step_set(&read_on, 1);
    thread_join_running(thread);
    misuse_want_long_reads(false);
    misuse_forget();
}

int main(void)
{
    check_start("clock_jump_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_time_of_day_is_set);
    FIXTURE_RUN(test_monotonic_clock_leaps);
    FIXTURE_RUN(test_monotonic_clock_stands_still);
    FIXTURE_RUN(test_monotonic_clock_is_coarse);
    FIXTURE_RUN(test_purge_after_a_leap);
    FIXTURE_RUN(test_long_section_by_the_clock);
    return check_finish();
}
