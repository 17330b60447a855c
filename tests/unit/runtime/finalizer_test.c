/* SPDX-License-Identifier: MIT
 *
 * What garbage cycles of shared objects call for: on the finalizers' own thread, one at a time, all of it before a
 * shutdown is over; what it leaves behind is as if a program's thread had done it. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "support/child.h"
#include "support/first_backtrace.h"
#include "support/fixture.h"
#include "support/threads.h"

static void drop_shared_loop(void)
{
    struct node *n = node_new(1);
    ouro_set(n, &n->a, n);
    ouro_share(n);
    ouro_release(n);
}

static atomic_int elsewhere, at_once, together;

static void look(void *object)
{
    char name[32] = "";
    (void)object;
    pthread_getname_np(pthread_self(), name, sizeof name);
    atomic_fetch_add(&elsewhere, strcmp(name, "ouro-finalizer") != 0);
    atomic_fetch_add(&together, atomic_fetch_add(&at_once, 1) > 0);
    usleep(100);
    atomic_fetch_sub(&at_once, 1);
}

static void collect(struct member *self)
{
    (void)self;
    for (int i = 0; i < 10; i++) {
        drop_shared_loop();
        CHECK_GE(ouro_gc_collect(2), 0);
    }
}

static void test_one_at_a_time(void)
{
    on_finalize(look);
    team_run(3, 1, collect, NULL);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 30);
    CHECK_EQ(atomic_load(&elsewhere), 0);
    CHECK_EQ(atomic_load(&together), 0);
    CHECK_GE(ouro_gc_collect(2), 0);
}

static bool all_finalized(void *arg)
{
    return finalized() == *(long *)arg;
}

/* Also when nobody waits for it. */
static void test_async(void)
{
    long all = 1;
    drop_shared_loop();
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    CHECK(wait_until(all_finalized, &all));
    CHECK_EQ(ouro_gc_collect(2), 1);
}

/* Nothing is due: nothing to wait for, nothing to run. */
static void test_idle(void)
{
    oi_finalizer_wait();
    CHECK_EQ(oi_finalizer_run(&oi_act, 10), 0);
    CHECK_EQ(ouro_finalizers_run(10), 0);
}

static void child(void *unused)
{
    (void)unused;
    drop_shared_loop();
    CHECK_EQ(ouro_gc_collect(2), 1);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(live_objects(), 0);
}

static void test_in_forked_child(void)
{
    CHECK_EQ(child_run(child, NULL), 0);
    CHECK_EQ(finalized(), 0);
}

static struct step entered = STEP_INITIALIZER, go_on = STEP_INITIALIZER;

static void hold_up(void *object)
{
    (void)object;
    step_set(&entered, 1);
    CHECK(step_wait(&go_on, 1));
}

static void *stop(void *unused)
{
    (void)unused;
    oi_finalizer_stop();
    return NULL;
}

static void child_of_stopping(void *unused)
{
    (void)unused;
    on_finalize(NULL);
    for (int i = 0; i < 3; i++) {
        long all = finalized() + 1;
        drop_shared_loop();
        CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
        CHECK(wait_until(all_finalized, &all));
        usleep(10000); /* a thread that ought to end would */
    }
}

/* While a thread waits for the finalizers' to end, in a shutdown: the child's own goes on. */
static void test_fork_while_stopping(void)
{
    on_finalize(hold_up);
    drop_shared_loop();
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    CHECK(step_wait(&entered, 1));
    pthread_t stopper = thread_start(stop, NULL, 0);
    usleep(50000); /* it waits by now */
    CHECK_EQ(child_run(child_of_stopping, NULL), 0);
    step_set(&go_on, 1);
    thread_join_running(stopper);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

static atomic_int exits;

static void exit_thread(void *object)
{
    (void)object;
    atomic_fetch_add(&exits, 1);
    pthread_exit(NULL);
}

/* Finalizers that end the thread that runs them, while others wait for its end, or for what it was to do. */
static void test_thread_exits(void)
{
    for (int i = 0; i < 20; i++) {
        on_finalize(exit_thread);
        drop_shared_loop();
        drop_shared_loop();
        CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
        pthread_t stopper = thread_start(stop, NULL, 0);
        usleep((useconds_t)i * 50);
        thread_join_running(stopper);
        CHECK_GE(ouro_gc_collect(2), 0);
        on_finalize(NULL);
        CHECK_GE(ouro_gc_collect(2), 0);
    }
    CHECK_EQ(atomic_load(&exits), 40);
    fixture_leaves(40); /* the reference that a finalizer did not live to give back */
    CHECK_EQ(finalized(), 40);
    CHECK_GE(ouro_gc_collect(2), 0);
}

static void exit_thread_once(void *object)
{
    if (finalized() == 1)
        exit_thread(object);
}

/* What is left of a batch when its thread ends is another's: nobody has to ask. */
static void test_thread_exits_early(void)
{
    long all = 3;
    atomic_store(&exits, 0);
    on_finalize(exit_thread_once);
    for (long i = 0; i < all; i++)
        drop_shared_loop();
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    CHECK(wait_until(all_finalized, &all));
    CHECK_EQ(atomic_load(&exits), 1);
    fixture_leaves(1);
    CHECK_EQ(ouro_gc_collect(2), 2);
}

static void slowly(void *object)
{
    (void)object;
    usleep(20000);
}

/* A shutdown waits for what is due. */
static void test_shutdown(void)
{
    on_finalize(slowly);
    drop_shared_loop();
    drop_shared_loop();
    struct oi_concurrent job = {.generation = 2};
    ouro_blocking_begin();
    oi_collector_collect(&oi_act, &job, OURO_GC_REASON_ASKED);
    ouro_blocking_end();
    CHECK_EQ(job.found, 2);
    CHECK_EQ(job.freed, 0);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
    CHECK_EQ(finalized(), 2);
    fixture_start();
    CHECK_GE(ouro_gc_collect(2), 0);
}

int main(void)
{
    check_start("finalizer_test");
    first_backtrace();
    fixture_start();
    FIXTURE_RUN(test_one_at_a_time);
    FIXTURE_RUN(test_async);
    FIXTURE_RUN(test_idle);
    FIXTURE_RUN(test_in_forked_child);
    FIXTURE_RUN(test_fork_while_stopping);
    FIXTURE_RUN(test_thread_exits);
    FIXTURE_RUN(test_thread_exits_early);
    FIXTURE_RUN(test_shutdown);
    return check_finish();
}
