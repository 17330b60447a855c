/* SPDX-License-Identifier: MIT
 *
 * Threads that come, go, wait and fork. Each test is a failure that users of another system have reported, named after it; the comment says
 * whose, and what happens here instead. Progress is waited for with the deadline of support/threads.h: a hang is a failure. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

static void drop_ring(long id, bool shared)
{
    struct node *a = node_new(id), *b = node_new_with(id, ouro_retain(a), NULL);
    ouro_give(a, &a->a, b);
    if (shared)
        ouro_share(a);
    ouro_release(a);
}

/* ---- Collections that wait for threads ---- */

enum { RINGS = 50 };
static struct step garbage_made = STEP_INITIALIZER, collected = STEP_INITIALIZER;
static atomic_bool spin;

static void *spin_after_garbage(void *unused)
{
    (void)unused;
    for (int i = 0; i < RINGS; i++)
        drop_ring(i, true);
    step_set(&garbage_made, 1);
    while (atomic_load(&spin))
        sched_yield();
    return NULL;
}

/* Go (golang/go#10958, #17174, #15442): a loop without calls never reached a point where it could be stopped; a collection, and with it every
 * other goroutine, waited for ever. Here a thread that calls nothing any more holds nobody up, and its shared garbage is found, though it is still
 * biased to that thread. */
static void test_loop_without_calls_holds_up_the_collection(void)
{
    garbage_made.value = 0;
    atomic_store(&spin, true);
    pthread_t thread = thread_start(spin_after_garbage, NULL, 0);
    CHECK(step_wait(&garbage_made, 1));
    CHECK_EQ(ouro_gc_collect(2), 2 * RINGS);
    CHECK_EQ(finalized(), 2 * RINGS);
    atomic_store(&spin, false);
    thread_join_parked(thread);
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_mutex(void *unused)
{
    (void)unused;
    for (int i = 0; i < RINGS; i++)
        drop_ring(i, true);
    step_set(&garbage_made, 1);
    pthread_mutex_lock(&held); /* neither parked nor at a safepoint */
    pthread_mutex_unlock(&held);
    return NULL;
}

static void *collect_holding_mutex(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&held);
    pthread_t thread = thread_start(wait_for_mutex, NULL, 0);
    CHECK(step_wait(&garbage_made, 1));
    CHECK_EQ(ouro_gc_collect(2), 2 * RINGS);
    pthread_mutex_unlock(&held);
    thread_join_running(thread);
    step_set(&collected, 1);
    return NULL;
}

/* CPython, free-threaded (python/cpython#118332): a thread that stopped the world held a lock for which a thread to be stopped was waiting: both
 * waited for ever. Here the collecting thread may hold any lock that finalizers do not take. */
static void test_collecting_thread_holds_a_lock_that_another_waits_for(void)
{
    garbage_made.value = collected.value = 0;
    pthread_t thread = thread_start(collect_holding_mutex, NULL, 0);
    CHECK(step_wait(&collected, 1));
    thread_join_parked(thread);
}

static atomic_bool collecting;
static atomic_long times;
static struct step returned = STEP_INITIALIZER;

static void *collect_all_the_time(void *unused)
{
    (void)unused;
    do { /* once in any case: the other may be quicker than this thread's start */
        CHECK_GE(ouro_gc_collect(2), 0);
        atomic_fetch_add(&times, 1);
    } while (atomic_load(&collecting));
    return NULL;
}

static void *block_and_return(void *shared)
{
    for (int i = 0; i < 200; i++) {
        ouro_blocking_begin();
        sched_yield();
        ouro_blocking_end();
        struct node *n = plain_new(i);
        ouro_set(shared, &((struct node *)shared)->a, n);
        ouro_release(n);
    }
    step_set(&returned, 1);
    return NULL;
}

/* CPython, free-threaded (python/cpython#151518): while one thread called gc.collect() in a loop, another that came back from a blocking call
 * was suspended again before it had got on its feet, for as long as the loop went on. Here coming back waits for no collection. */
static void test_collecting_in_a_loop_starves_a_returning_thread(void)
{
    returned.value = 0;
    struct node *shared = plain_new(1);
    ouro_share(shared);
    atomic_store(&times, 0);
    atomic_store(&collecting, true);
    pthread_t collectors[2], worker;
    for (int i = 0; i < 2; i++)
        collectors[i] = thread_start(collect_all_the_time, NULL, 0);
    worker = thread_start(block_and_return, shared, 0);
    CHECK(step_wait(&returned, 1));
    atomic_store(&collecting, false);
    thread_join_parked(worker);
    for (int i = 0; i < 2; i++)
        thread_join_parked(collectors[i]);
    CHECK_GT(atomic_load(&times), 0);
    ouro_release(shared);
}

/* ---- Threads that end ---- */

static void *leave_rings(void *shared)
{
    for (int i = 0; i < RINGS; i++)
        drop_ring(i, shared != NULL);
    return NULL;
}

/* Nim, ORC (nim-lang/Nim#19146, nim-works/nimskull#747): cycles that a thread left behind when it ended were on a list of its own, and gone with
 * it. Here a thread that ends collects its private cycles; shared ones are everybody's. */
static void test_cycles_of_ended_threads_leak(void)
{
    for (int i = 1; i <= 10; i++) {
        thread_do(leave_rings, NULL, 0);
        CHECK_EQ(finalized(), (long)i * 2 * RINGS);
    }
    for (int i = 0; i < 10; i++)
        thread_do(leave_rings, &held, 0);
    CHECK_EQ(ouro_gc_collect(2), 10 * 2 * RINGS);
    CHECK_EQ(finalized(), 20 * 2 * RINGS);
}

static _Atomic(struct node *) channel;
static struct step sent = STEP_INITIALIZER, received = STEP_INITIALIZER;

/* A request with a cycle in it, which this thread has looked at as a candidate before it is sent. */
static void *send_request(void *stay)
{
    struct node *request = node_new(1), *inner = node_new_with(2, ouro_retain(request), NULL);
    ouro_give(request, &request->a, inner);
    CHECK_EQ(ouro_gc_collect(0), 0);
    ouro_share(request);
    atomic_store(&channel, request); /* the reference goes along */
    step_set(&sent, 1);
    if (stay) {
        CHECK(step_wait(&received, 1));
        CHECK_GE(ouro_gc_collect(2), 0);
    }
    return NULL;
}

/* Nim, ORC (nim-lang/Nim#19105, #18326; nim-works/loony#4): candidates for cycles were listed by thread; a reference sent to another thread, which
 * dropped it, left the sender's list with a dead object, or was looked for in the wrong list: crashes. Here it does not matter who drops it, nor
 * whether the sender is still there. */
static void test_reference_sent_to_another_thread_crashes_the_collector(void)
{
    for (int stay = 0; stay < 2; stay++) {
        sent.value = received.value = 0;
        pthread_t thread = thread_start(send_request, stay ? &held : NULL, 0);
        CHECK(step_wait(&sent, 1));
        if (!stay)
            thread_join_parked(thread);
        struct node *request = atomic_load(&channel);
        CHECK_EQ(request->id, 1);
        ouro_release(request);
        CHECK_EQ(ouro_gc_collect(2), stay ? 0 : 2); /* a sender that is running carries the drop out itself */
        step_set(&received, 1);
        if (stay)
            thread_join_parked(thread);
        CHECK_EQ(finalized(), 2 + 2 * stay);
    }
}

static pthread_key_t key;

static void drop_late(void *object)
{
    static _Thread_local int round;
    if (round++ < 1) { /* again, after the library's own */
        pthread_setspecific(key, object);
        return;
    }
    ouro_release(object);
    drop_ring(3, false);
    drop_ring(4, true);
}

static void *keep_in_thread_local(void *unused)
{
    (void)unused;
    struct node *kept = node_new(1);
    ouro_give(kept, &kept->a, node_new(2));
    pthread_setspecific(key, kept);
    return NULL;
}

/* dumpster (claytonwramsey/dumpster#71, #73): a reference in a thread-local variable was dropped after the collector's own had been destroyed: panic.
 * Here what is dropped then dies, and what is made then is collected. */
static void test_reference_in_a_thread_local_panics_at_thread_exit(void)
{
    REQUIRE(pthread_key_create(&key, drop_late) == 0);
    for (int i = 1; i <= 5; i++) {
        thread_do(keep_in_thread_local, NULL, 0);
        CHECK_GE(ouro_gc_collect(2), 2);
        CHECK_EQ(finalized(), 6 * i);
    }
    pthread_key_delete(key);
}

/* ---- Fork ---- */

static bool has_finalized_all(void *unused)
{
    (void)unused;
    return finalized() >= 4;
}

static void collect_in_child(void *unused)
{
    (void)unused;
    fixture_before();
    drop_ring(1, true);
    CHECK_GE(ouro_gc_collect(2), 2);
    drop_ring(2, true);
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK); /* a new thread of the library */
    CHECK(wait_until(has_finalized_all, NULL));
    leave_rings(NULL);
    CHECK_EQ(ouro_gc_collect(0), 2 * RINGS);
    CHECK_EQ(finalized(), 4 + 2 * RINGS);
}

/* D (dlang/druntime#2816, #2817) and Boehm's collector (bdwgc/bdwgc#909): a fork while another thread was collecting left the child with locks that
 * nobody would release, or without the collector's threads: it hung as soon as it collected. Here fork waits for what must not be cut in two, and
 * the child starts threads of its own when it needs them. */
static void test_child_of_fork_hangs_in_its_first_collection(void)
{
    if (TEST_SLOWDOWN == 12) {
        printf("       skipped: ThreadSanitizer ends a child that starts threads where its parent had some\n");
        return;
    }
    atomic_store(&collecting, true);
    pthread_t collector = thread_start(collect_all_the_time, NULL, 0);
    for (int i = 0; i < (TEST_SLOWDOWN > 1 ? 3 : 15); i++)
        CHECK_EQ(child_run(collect_in_child, NULL), 0);
    atomic_store(&collecting, false);
    thread_join_parked(collector);
}

int main(void)
{
    check_start("regress/thread_test");
    fixture_start();
    FIXTURE_RUN(test_loop_without_calls_holds_up_the_collection);
    FIXTURE_RUN(test_collecting_thread_holds_a_lock_that_another_waits_for);
    FIXTURE_RUN(test_collecting_in_a_loop_starves_a_returning_thread);
    FIXTURE_RUN(test_cycles_of_ended_threads_leak);
    FIXTURE_RUN(test_reference_sent_to_another_thread_crashes_the_collector);
    FIXTURE_RUN(test_reference_in_a_thread_local_panics_at_thread_exit);
    FIXTURE_RUN(test_child_of_fork_hangs_in_its_first_collection);
    return check_finish();
}
