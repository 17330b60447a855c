/* SPDX-License-Identifier: MIT
 *
 * fork at any moment: while threads make, share, exchange, drop, collect, wait and end, the main thread forks again and
 * again. Each child goes on with the one thread it has: it allocates, collects, works on what was shared, drops objects
 * biased to threads that are not there, starts threads of its own, and exits with 0. What vanished threads held may be
 * leaked; nothing may crash or hang. The parent ends with nothing left. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/fork_gate.h"
#include "support/threads.h"

enum { FORKS = TEST_SLOWDOWN > 1 ? 20 : 200, WORKERS = 3, ITEMS = 64, CHILD_SECONDS = 60 };

static uint64_t seed;
static struct table *shared;
static atomic_bool stop;

static void work_once(struct rng *rng)
{
    ouro_slot *slot = &shared->items[rng_below(rng, ITEMS)];
    struct node *n;
    ouro_weak *weak;
    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
        n = node_new_with(1, node_new(2), leaf_new(3));
        ouro_set(shared, slot, n);
        ouro_release(n);
        break;
    case 2:
        ouro_release(ouro_take(shared, slot));
        break;
    case 3:
        n = ouro_get(shared, slot);
        ouro_release(ouro_swap(shared, &shared->items[rng_below(rng, ITEMS)], n));
        break;
    case 4:
        ouro_read_begin();
        n = ouro_try_retain(ouro_peek(slot));
        ouro_read_end();
        ouro_release(n);
        break;
    case 5:
        n = node_new(4);
        ouro_set(n, &n->a, n);
        ouro_release(n);
        if (rng_one_in(rng, 50) && ouro_gc_collect(0) < 0)
            CHECK(!"collected");
        break;
    case 6:
        n = ouro_get(shared, slot);
        weak = n ? ouro_weak_new(n, NULL, NULL) : NULL;
        ouro_release(n);
        ouro_release(ouro_weak_get(weak));
        ouro_release(weak);
        break;
    default:
        ouro_blocking_begin();
        if (rng_one_in(rng, 20))
            yield_sometimes(rng);
        ouro_blocking_end();
        if (rng_one_in(rng, 100))
            ouro_thread_detach();
        if (rng_one_in(rng, 500))
            ouro_mem_trim();
    }
}

/* What liburcu does when a thread comes and goes does not survive a fork: support/fork_gate.h. */
static void come(void)
{
    fork_gate_enter();
    ouro_read_begin();
    ouro_read_end();
    fork_gate_leave();
}

static void *work(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    come();
    while (!atomic_load(&stop))
        work_once(&rng);
    return NULL;
}

/* Threads that live for a moment only. */
static void *short_work(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    come();
    for (int i = 0; i < 20; i++)
        work_once(&rng);
    ouro_thread_detach(); /* outside the gate */
    fork_gate_enter();
    return NULL;
}

static void *start_short_threads(void *arg)
{
    (void)arg;
    for (uintptr_t i = 100; !atomic_load(&stop); i++) {
        thread_do(short_work, (void *)i, 0);
        fork_gate_leave();
    }
    return NULL;
}

static void *work_in_child(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    for (int i = 0; i < 200; i++)
        work_once(&rng);
    return NULL;
}

static _Noreturn void be_child(int number, struct node *own, struct node *ring)
{
    check_restart();
    alarm(CHILD_SECONDS);
    CHECK_EQ(own->id, 77);
    CHECK_EQ(ring->id, 78);
    ouro_release(ring);
    CHECK_GE(ouro_gc_collect(0), 1);
    struct rng rng = rng_stream(seed, 1000 + (uint64_t)number);
    for (int i = 0; i < 300; i++)
        work_once(&rng);
    for (int i = 0; i < ITEMS; i++)
        ouro_set(shared, &shared->items[i], NULL);
    ouro_mem_trim();
    CHECK_GE(mem_stats().live_objects, 1);
    if (number % 4 == 0) {
        thread_do(work_in_child, (void *)(uintptr_t)number, 0);
        thread_do(work_in_child, (void *)(uintptr_t)(number + 1), 0);
    }
    ouro_thread_detach();
    ouro_release(node_new_with(1, own, NULL));
    CHECK_EQ(misuse_count(), 0);
    if (number % 3 == 0) {
        ouro_leak_report report;
        CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    }
    fflush(NULL);
    _exit(check_failures() ? 1 : 0);
}

static int fork_once(int number)
{
    struct node *own = node_new_with(77, node_new(1), NULL), *ring = node_new(78);
    ouro_set(ring, &ring->a, ring);
    fflush(NULL);
    while (!fork_gate_close())
        sched_yield();
    pid_t pid = fork();
    fork_gate_open(pid == 0);
    REQUIRE(pid >= 0);
    if (pid == 0)
        be_child(number, own, ring);
    ouro_release(own);
    ouro_release(ring);
    int status = -1;
    ouro_blocking_begin();
    while (waitpid(pid, &status, 0) != pid)
        ;
    ouro_blocking_end();
    return status;
}

static void test_fork_under_load(void)
{
#ifdef TEST_TSAN
    printf("       skipped: ThreadSanitizer does not let such children start threads\n");
    return;
#endif
    pthread_t threads[WORKERS + 1];
    shared = table_new(ITEMS);
    ouro_share(shared);
    atomic_store(&stop, false);
    for (uintptr_t i = 0; i < WORKERS; i++)
        threads[i] = thread_start(work, (void *)i, 0);
    threads[WORKERS] = thread_start(start_short_threads, NULL, 0);
    struct rng rng = rng_stream(seed, 99);
    int failed = 0;
    for (int i = 0; i < FORKS && !failed; i++) {
        yield_sometimes(&rng);
        int status = fork_once(i);
        if (!CHECK_EQ(status, 0)) {
            printf("       child %d ended by %s %d\n", i, WIFSIGNALED(status) ? "signal" : "exit",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            failed++;
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < WORKERS + 1; i++)
        thread_join_parked(threads[i]);
    ouro_release(shared);
    CHECK_GE(ouro_gc_collect(0), 0);
}

/* A process with one thread: the child has everything, and loses nothing. */
static void test_fork_of_one_thread(void)
{
    struct node *n = node_new_with(1, node_new(2), NULL);
    struct node *s = node_new_with(3, leaf_new(4), NULL);
    ouro_share(s);
    ouro_weak *weak = ouro_weak_new(s, NULL, NULL);
    for (int i = 0; i < 10; i++) {
        fflush(NULL);
        pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            check_restart();
            alarm(CHILD_SECONDS);
            size_t live = live_objects();
            CHECK_EQ(live, 5);
            ouro_release(n);
            CHECK_EQ(finalized(), 2);
            struct node *got = ouro_weak_get(weak);
            CHECK_PTR(got, s);
            ouro_release(got);
            ouro_release(s);
            CHECK_EQ(finalized(), 4);
            CHECK_PTR(ouro_weak_get(weak), NULL);
            ouro_release(weak);
            CHECK_EQ(live_objects(), 0);
            ouro_leak_report report;
            CHECK_EQ(ouro_shutdown(&report), OURO_OK);
            CHECK_EQ(report.objects, 0);
            fflush(NULL);
            _exit(check_failures() ? 1 : 0);
        }
        int status = -1;
        while (waitpid(pid, &status, 0) != pid)
            ;
        CHECK_EQ(status, 0);
    }
    ouro_release(n);
    ouro_release(s);
    ouro_release(weak);
    CHECK_EQ(finalized(), 4);
}

/* A child of a child. */
static void test_fork_of_a_child(void)
{
    struct node *n = node_new(1);
    ouro_share(n);
    fflush(NULL);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        check_restart();
        alarm(CHILD_SECONDS);
        pid_t inner = fork();
        if (inner == 0) {
            ouro_release(n);
            CHECK_EQ(finalized(), 1);
            CHECK_EQ(live_objects(), 0);
            _exit(check_failures() ? 1 : 0);
        }
        int status = -1;
        CHECK_EQ(waitpid(inner, &status, 0), inner);
        CHECK_EQ(status, 0);
        ouro_release(n);
        CHECK_EQ(live_objects(), 0);
        _exit(check_failures() ? 1 : 0);
    }
    int status = -1;
    while (waitpid(pid, &status, 0) != pid)
        ;
    CHECK_EQ(status, 0);
    ouro_release(n);
    CHECK_EQ(finalized(), 1);
}

int main(void)
{
    check_start("fork_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_fork_of_one_thread);
    FIXTURE_RUN(test_fork_of_a_child);
    FIXTURE_RUN(test_fork_under_load);
    return check_finish();
}
