/* SPDX-License-Identifier: MIT
 *
 * lib/runtime/fork.c: the order of what is done in the child. */
#include "runtime/runtime.h"

#include "mem/limbo.h"
#include "mem/page.h"
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

int main(void)
{
    check_start("fork_test");
    fixture_start();
    FIXTURE_RUN(test_visit_is_ended_last);
    return check_finish();
}
