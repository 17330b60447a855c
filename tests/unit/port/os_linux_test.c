/* SPDX-License-Identifier: MIT
 *
 * Mapping and purging memory, the clock, the wake-up flag. */
#include "port/os.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "port/atomic.h"
#include "support/address_space.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define MS ((uint64_t)1000000)

static bool is_zero(const unsigned char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (at[i])
            return false;
    }
    return true;
}

/* Aligned, zero and writable, for every alignment up to 64 MiB, also when the system's first try is not aligned. */
static void test_map_alignment(void)
{
    for (size_t align = 4 * KIB; align <= 64 * MIB; align *= 2) {
        unsigned char *maps[4];
        for (int i = 0; i < 4; i++) {
            size_t size = (size_t)(i + 1) * 4 * KIB;
            maps[i] = oi_os_map(size, align);
            REQUIRE(maps[i]);
            CHECK_EQ((uintptr_t)maps[i] % align, 0);
            CHECK(is_zero(maps[i], size));
            memset(maps[i], i + 1, size);
        }
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(maps[i][0], i + 1); /* nobody else's */
            CHECK_EQ(maps[i][(size_t)(i + 1) * 4 * KIB - 1], i + 1);
            oi_os_unmap(maps[i], (size_t)(i + 1) * 4 * KIB);
        }
    }
}

/* What sticks out of an aligned range goes back, and unmapping leaves nothing. */
static void test_map_keeps_no_more(void)
{
    enum { N = 8 };
    const size_t size = 64 * KIB, align = 64 * MIB;
    char *maps[N];
    long before = address_space().all;
    for (int i = 0; i < N; i++)
        maps[i] = oi_os_map(size, align);
    long during = address_space().all;
    CHECK_GE(during - before, (long)(N * size / (4 * KIB)));
    CHECK_LT(during - before, (long)(N * size / (4 * KIB) + align / (4 * KIB) / 2));
    for (int i = 0; i < N; i++)
        oi_os_unmap(maps[i], size);
    CHECK_LT(address_space().all - before, (long)(align / (4 * KIB) / 2));
}

static void test_map_impossible(void)
{
    CHECK_PTR(oi_os_map(SIZE_MAX & ~(4 * KIB - 1), 4 * KIB), NULL);
    CHECK_PTR(oi_os_map(SIZE_MAX & ~(4 * MIB - 1), 4 * MIB), NULL);
    CHECK_PTR(oi_os_map((size_t)1 << 62, 4 * MIB), NULL);
}

/* A purged range reads as zero and can be written again; its neighbours stay. */
static void test_purge(void)
{
    const size_t page = 64 * KIB;
    unsigned char *at = oi_os_map(4 * page, 64 * KIB);
    REQUIRE(at);
    memset(at, 0xa5, 4 * page);
    CHECK(oi_os_purge(at + page, 2 * page));
    CHECK(is_zero(at + page, 2 * page));
    for (size_t i = 0; i < page; i++) {
        if (!CHECK(at[i] == 0xa5 && at[3 * page + i] == 0xa5))
            break;
    }
    at[page] = 7;
    CHECK_EQ(at[page], 7);
    oi_os_unmap(at, 4 * page);
}

/* A program may lock its memory: then none of it goes back, but what is cleared reads as zero. */
static void test_clear_locked(void)
{
    const size_t size = 16 * KIB;
    unsigned char *at = oi_os_map(size, 4 * KIB);
    REQUIRE(at);
    memset(at, 0xa5, size);
    if (syscall(SYS_mlock, at, size) == 0) { /* sanitizers' own mlock does nothing */
        CHECK(!oi_os_purge(at, size));
        CHECK_EQ(at[0], 0xa5);
        oi_os_clear(at, size);
        CHECK(is_zero(at, size));
        CHECK_EQ(munlock(at, size), 0);
        memset(at, 0xa5, size);
    }
    oi_os_clear(at, size);
    CHECK(is_zero(at, size));
    oi_os_unmap(at, size);
}

static void test_clock(void)
{
    uint64_t first = oi_os_now_ns(), last = first;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = oi_os_now_ns();
        CHECK(now >= last);
        last = now;
    }
    oi_os_sleep_ms(5);
    CHECK_GE(oi_os_now_ns() - first, 5 * MS);
}

static void test_thread_name(void)
{
    char name[OI_OS_THREAD_NAME];
    oi_os_name_thread("os_linux_test-x");
    oi_os_thread_name(oi_os_thread_id(), name);
    CHECK_STR(name, "os_linux_test-x");
    memset(name, 'x', sizeof name);
    oi_os_thread_name(INT_MAX, name); /* there is none of that number */
    CHECK_STR(name, "?");
}

static void test_membarrier(void)
{
    CHECK(oi_os_has_membarrier()); /* nothing works without */
}

/* ---- the wake-up flag ---- */

enum { TRIES = 3 }; /* a busy machine may make a wait longer, but not all of them */

static struct oi_wakeup wakeup;

static uint64_t timed_wait(long timeout_ms)
{
    uint64_t start = oi_os_now_ns();
    oi_wakeup_wait(&wakeup, timeout_ms);
    return oi_os_now_ns() - start;
}

/* Set before waiting: no wait. The wait clears it. Setting twice is setting once. */
static void test_wakeup_set_first(void)
{
    oi_wakeup_init(&wakeup);
    for (int sets = 1; sets <= 3; sets++) {
        uint64_t took = UINT64_MAX;
        for (int i = 0; i < TRIES && took >= 4000 * MS; i++) {
            for (int k = 0; k < sets; k++)
                oi_wakeup_set(&wakeup);
            CHECK_EQ(oi_load_relaxed(&wakeup.set), 1);
            took = timed_wait(5000);
            CHECK_EQ(oi_load_relaxed(&wakeup.set), 0);
        }
        CHECK_LT(took, 4000 * MS);
        CHECK_GE(timed_wait(10), 10 * MS); /* nothing is left */
    }
}

/* Not set: returns when the time is over, not before; 0 does not wait. */
static void test_wakeup_timeouts(void)
{
    oi_wakeup_init(&wakeup);
    uint64_t took = UINT64_MAX;
    for (int i = 0; i < TRIES && took >= 1000 * MS; i++)
        took = timed_wait(0);
    CHECK_LT(took, 1000 * MS);
    CHECK_GE(timed_wait(1), 1 * MS);
    took = UINT64_MAX;
    for (int i = 0; i < TRIES && took >= 2000 * MS; i++) {
        took = timed_wait(60);
        CHECK_GE(took, 60 * MS);
    }
    CHECK_LT(took, 2000 * MS);
}

static void *set_later(void *arg)
{
    nanosleep(&(struct timespec){0, 20 * 1000000}, NULL);
    oi_store_release((int *)arg, 1);
    oi_wakeup_set(&wakeup);
    return NULL;
}

/* A waiter sleeps until another thread sets the flag, with or without a limit. */
static void test_wakeup_from_another_thread(void)
{
    static const long timeouts[] = {-1, 5000};
    for (int i = 0; i < 2; i++) {
        uint64_t took = UINT64_MAX;
        for (int k = 0; k < TRIES && took >= 4000 * MS; k++) {
            int said = 0;
            oi_wakeup_init(&wakeup);
            pthread_t thread = thread_start(set_later, &said, 0);
            took = timed_wait(timeouts[i]);
            bool in_time = oi_load_acquire(&said);
            thread_join_running(thread);
            CHECK(in_time || (took >= 5000 * MS && timeouts[i] > 0));
        }
        CHECK_LT(took, 4000 * MS);
    }
}

static void ignore(int signal_number)
{
    (void)signal_number;
}

static pthread_t waiter;

static void *interrupt_then_set(void *arg)
{
    for (int i = 0; i < 5; i++) {
        nanosleep(&(struct timespec){0, 5 * 1000000}, NULL);
        pthread_kill(waiter, SIGUSR1);
    }
    return set_later(arg);
}

/* A signal handler in between does not end the wait. */
static void test_wakeup_interrupted(void)
{
    struct sigaction action = {.sa_handler = ignore}, before;
    int said = 0;
    sigaction(SIGUSR1, &action, &before);
    waiter = pthread_self();
    oi_wakeup_init(&wakeup);
    pthread_t thread = thread_start(interrupt_then_set, &said, 0);
    oi_wakeup_wait(&wakeup, -1);
    CHECK_EQ(oi_load_acquire(&said), 1);
    thread_join_running(thread);
    sigaction(SIGUSR1, &before, NULL);
}

enum { SETTERS = 3 };
static long posted[SETTERS];

static void *set_often(void *arg)
{
    long *mine = arg;
    for (long i = 1; i <= SCALED(20000); i++) {
        oi_store_release(mine, i); /* the work, then the flag */
        oi_wakeup_set(&wakeup);
    }
    return NULL;
}

/* Whatever was said before setting is seen after a wait: no wake-up is lost. (If one were, this would hang.) */
static void test_wakeup_none_lost(void)
{
    pthread_t threads[SETTERS];
    oi_wakeup_init(&wakeup);
    for (int i = 0; i < SETTERS; i++)
        threads[i] = thread_start(set_often, &posted[i], 0);
    for (bool all = false; !all;) {
        oi_wakeup_wait(&wakeup, -1);
        all = true;
        for (int i = 0; i < SETTERS; i++)
            all = all && oi_load_acquire(&posted[i]) == SCALED(20000);
    }
    for (int i = 0; i < SETTERS; i++)
        thread_join_running(threads[i]);
    CHECK_EQ(posted[0] + posted[1] + posted[2], SETTERS * SCALED(20000));
}

enum { BURST = 5 };
#define ROUNDS SCALED(50000)
static _Alignas(128) long said_last;
static _Alignas(128) long round_seen;

static void *set_in_bursts(void *unused)
{
    (void)unused;
    for (long round = 1; round <= ROUNDS; round++) {
        for (long i = 1; i <= BURST; i++) {
            oi_store_release(&said_last, round * BURST + i);
            oi_wakeup_set(&wakeup);
        }
        for (int spins = 0; oi_load_acquire(&round_seen) < round; spins++)
            if (spins > 1000)
                sched_yield();
    }
    return NULL;
}

/* The same with many last wake-ups, each right after another: the waiter clears the flag for an earlier one and looks, while
 * the setter's last store has not left its processor. A setter that only reads the flag then finds it set, and goes. */
static void test_wakeup_last_not_lost(void)
{
    oi_wakeup_init(&wakeup);
    pthread_t thread = thread_start(set_in_bursts, NULL, 0);
    for (long round = 1; round <= ROUNDS; round++) {
        while (oi_load_acquire(&said_last) != round * BURST + BURST)
            oi_wakeup_wait(&wakeup, -1);
        oi_store_release(&round_seen, round);
    }
    thread_join_running(thread);
    CHECK_EQ(said_last, ROUNDS * BURST + BURST);
}

int main(void)
{
    check_start("os_linux_test");
    CHECK_RUN(test_map_alignment);
    CHECK_RUN(test_map_keeps_no_more);
    CHECK_RUN(test_map_impossible);
    CHECK_RUN(test_purge);
    CHECK_RUN(test_clear_locked);
    CHECK_RUN(test_clock);
    CHECK_RUN(test_thread_name);
    CHECK_RUN(test_membarrier);
    CHECK_RUN(test_wakeup_set_first);
    CHECK_RUN(test_wakeup_timeouts);
    CHECK_RUN(test_wakeup_from_another_thread);
    CHECK_RUN(test_wakeup_interrupted);
    CHECK_RUN(test_wakeup_none_lost);
    CHECK_RUN(test_wakeup_last_not_lost);
    return check_finish();
}
