/* SPDX-License-Identifier: MIT
 *
 * lib/runtime/fork.c: the order of what is done in the child. */
#include "runtime/runtime.h"

#include "cycle/concurrent.h"
#include "mem/limbo.h"
#include "mem/page.h"
#include "port/os.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

static struct step visiting, done;
static int calls, early_calls;

static int wait_in_visit(void *object, void *arg)
{
    (void)object, (void)arg;
    step_set(&visiting, 1);
    REQUIRE(step_wait(&done, 1));
    return 1;
}

static void *visit(void *unused)
{
    (void)unused;
    ouro_gc_visit_objects(-1, wait_in_visit, NULL);
    return NULL;
}

/* What is called when memory is to be given back starts the background thread. While the handlers of fork are at work, they hold this lock. */
static void on_dirty(void)
{
    bool is_over = oi_limbo_hold_still(true);
    calls++;
    early_calls += !is_over;
    if (is_over)
        oi_limbo_go_on();
}

static void check_calls(void *unused)
{
    (void)unused;
    CHECK_EQ(calls, 1);
    CHECK_EQ(early_calls, 0);
}

/* A visit that another thread was in has kept a page, which the child gives back: a thread started by that must not meet locks that are
 * about to be made anew. */
static void test_visit_is_ended_last(void)
{
    void (*before)(void) = oi_page_on_dirty;
    struct table *large = table_new(20000); /* has a page of its own */
    struct node *shared = plain_new(1);
    ouro_share(shared);
    pthread_t thread = thread_start(visit, NULL, 0);
    REQUIRE(step_wait(&visiting, 1));
    ouro_release(large);
    oi_page_on_dirty = on_dirty;
    calls = early_calls = 0;
    CHECK_EQ(child_run(check_calls, NULL), 0);
    oi_page_on_dirty = before;
    step_set(&done, 1);
    thread_join_parked(thread);
    ouro_release(shared);
}

/* ---- A grace period that a fork has interrupted ---- */

static void *reclaim(void *unused)
{
    (void)oi_limbo_reclaim();
    step_set(&done, 1);
    return unused;
}

static bool somebody_waits(void *unused)
{
    (void)unused;
    return oi_limbo_waits_since() != 0;
}

static void nothing(void *unused)
{
    (void)unused;
}

static bool is_set(struct step *step)
{
    pthread_mutex_lock(&step->mutex);
    bool set = step->value != 0;
    pthread_mutex_unlock(&step->mutex);
    return set;
}

/* The forking thread is a reader, and leaves its section for liburcu's sake. What it has borrowed must stay all the same: who waits for readers
 * has to wait anew. */
static void test_borrowed_across_fork(void)
{
    struct node *o = plain_new(7);
    ouro_share(o);
    done.value = 0;
    ouro_read_begin();
    ouro_release(o);
    pthread_t thread = thread_start(reclaim, NULL, 0);
    REQUIRE(wait_until(somebody_waits, NULL));
    oi_os_sleep_ms(20); /* it is in liburcu by now, most likely */
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(child_run(nothing, NULL), 0);
        oi_os_sleep_ms(20);
        CHECK(!is_set(&done));
        CHECK_GT(mem_stats().limbo_bytes, 0); /* not used again */
        CHECK_EQ(o->id, 7);
    }
    ouro_read_end();
    thread_join_running(thread);
    CHECK_EQ(mem_stats().limbo_bytes, 0);
}

/* ---- A collection's verdict ---- */

static void *fork_once(void *unused)
{
    CHECK_EQ(child_run(nothing, NULL), 0);
    step_set(&done, 1);
    return unused;
}

/* A child finds a set of garbage untouched or dead as a whole: so a fork waits until a verdict is carried out. */
static void test_waits_for_verdict(void)
{
    done.value = 0;
    oi_concurrent_before_fork(); /* takes the lock, as a verdict does */
    pthread_t thread = thread_start(fork_once, NULL, 0);
    oi_os_sleep_ms(100);
    CHECK(!is_set(&done));
    oi_concurrent_after_fork_parent();
    thread_join_running(thread);
    CHECK(is_set(&done));
}

int main(void)
{
    check_start("fork_test");
    fixture_start();
    FIXTURE_RUN(test_visit_is_ended_last);
    FIXTURE_RUN(test_borrowed_across_fork);
    FIXTURE_RUN(test_waits_for_verdict);
    return check_finish();
}
