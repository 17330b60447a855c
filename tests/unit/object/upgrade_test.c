/* SPDX-License-Identifier: MIT
 *
 * A reader that follows a weak reference is stopped between its looks, while one collection spares the target, and the next one
 * doubts it anew: it must not take the second one's mark and the first one's verdict together for a death
 * (docs/design/cycle-collector.md, "Weak references"; the model's run is validation_mutant_no_third_look).
 * Needs a debug build. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "port/perturb.h"
#include "support/collection.h"
#include "support/fixture.h"
#include "support/threads.h"

static atomic_int allowed, reached; /* steps of the reader */
static _Thread_local bool is_reader, is_collector;
static atomic_bool marking;
static struct node *z;
static ouro_weak *weak_z;

static void wait_for(atomic_int *steps, int step)
{
    while (atomic_load(steps) < step)
        sched_yield();
}

static void at_step(void)
{
    if (is_reader) {
        int step = atomic_fetch_add(&reached, 1) + 1;
        wait_for(&allowed, step);
    } else if (is_collector && atomic_load(&marking) && is_marked(z)) {
        atomic_store(&marking, false);
        atomic_store(&allowed, 1000); /* before the grace period that waits for it */
        wait_for(&reached, 1000);
    }
}

static void *follow(void *unused)
{
    (void)unused;
    is_reader = true;
    void *got = ouro_weak_get(weak_z);
    is_reader = false;
    atomic_store(&reached, 1000);
    return got;
}

static void test_next_mark(void)
{
    if (!OURO_DEBUG) {
        printf("       skipped: no steps to stop at in this build\n");
        return;
    }
    z = node_new(2); /* first: it is marked first */
    struct node *x = node_new(1);
    ouro_set(x, &x->a, z);
    ouro_set(x, &x->b, x);
    ouro_share(x);
    ouro_weak *weak_x = ouro_weak_new(x, NULL, NULL);
    weak_z = ouro_weak_new(z, NULL, NULL);
    ouro_share(weak_x);
    ouro_share(weak_z);
    void *found_z = z;
    ouro_release(z);
    ouro_release(x);
    oi_perturb_hook = at_step;
    is_collector = true;

    struct collection one = collection_begin(2);
    CHECK(is_member(&one, x) && is_member(&one, z));
    collection_counts(&one);
    collection_untouched(&one);
    void *held = ouro_weak_get(weak_x); /* x is touched, before the verdict is open */
    CHECK_PTR(held, x);
    oi_validate_open();
    pthread_t reader = thread_start(follow, NULL, 0);
    wait_for(&reached, 1); /* it has seen the mark */
    CHECK(oi_validate_commit(one.scope));
    CHECK(!is_member(&one, x) && !is_member(&one, z));
    atomic_store(&allowed, 1);
    wait_for(&reached, 2); /* it has seen that the verdict has fallen */
    CHECK_EQ(collection_reclaim(&one), 0);
    collection_leave(&one);

    struct collection two = collection_begin(2);
    make_member(&two, z);
    make_member(&two, x);
    atomic_store(&marking, true);
    collection_counts(&two); /* the reader goes on where z is marked again */
    CHECK(!atomic_load(&marking));
    void *got = NULL;
    CHECK_EQ(pthread_join(reader, &got), 0);
    CHECK_PTR(got, found_z);
    collection_untouched(&two);
    CHECK(!is_member(&two, x) && !is_member(&two, z));
    collection_leave(&two);

    oi_perturb_hook = NULL;
    is_collector = false;
    ouro_release(got);
    ouro_release(held);
    ouro_release(weak_x);
    ouro_release(weak_z);
    CHECK_EQ(ouro_gc_collect(2), 2);
}

int main(void)
{
    check_start("upgrade_test");
    fixture_start();
    FIXTURE_RUN(test_next_mark);
    return check_finish();
}
