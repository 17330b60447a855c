/* SPDX-License-Identifier: MIT
 *
 * Promptness, by the state of the thread that an object is biased to: parked or gone, the last release by another
 * thread has destroyed it when it returns; running, it dies at that thread's next safepoint. And what may be done while
 * parked. No time is measured: each claim is "has happened when the call returns". */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;
static pthread_t finalizer_thread;

static void note_thread(void *object)
{
    (void)object;
    finalizer_thread = pthread_self();
}

struct stage {
    struct step made, dropped, ended;
    struct node *node;
    ouro_weak *weak;
    void (*act)(struct stage *stage);
};

#define STAGE                                                                            \
    {                                                                                    \
        .made = STEP_INITIALIZER, .dropped = STEP_INITIALIZER, .ended = STEP_INITIALIZER \
    }

static void make(struct stage *stage)
{
    stage->node = node_new_with(1, leaf_new(2), node_new(3));
    ouro_share(stage->node);
    step_set(&stage->made, 1);
}

static void *owner_main(void *arg)
{
    struct stage *stage = arg;
    make(stage);
    stage->act(stage);
    return NULL;
}

static void parked(struct stage *stage)
{
    ouro_blocking_begin();
    step_set(&stage->made, 2);
    CHECK(step_wait(&stage->ended, 1));
    ouro_blocking_end();
}

/* Parked: the finalizers have run when the release returns, on the releasing thread. */
static void test_owner_parked(void)
{
    struct stage stage = STAGE;
    stage.act = parked;
    on_finalize(note_thread);
    pthread_t owner = thread_start(owner_main, &stage, 0);
    CHECK(step_wait(&stage.made, 2));
    ouro_release(stage.node);
    CHECK_EQ(finalized(), 3);
    CHECK(pthread_equal(finalizer_thread, pthread_self()));
    step_set(&stage.ended, 1);
    thread_join_parked(owner);
    CHECK_EQ(finalized(), 3);
}

static void goes(struct stage *stage)
{
    (void)stage;
}

static void detaches(struct stage *stage)
{
    ouro_thread_detach();
    step_set(&stage->made, 2);
    CHECK(step_wait(&stage->ended, 1));
}

static void test_owner_gone(void)
{
    struct stage stage = STAGE;
    stage.act = goes;
    thread_do(owner_main, &stage, 0);
    CHECK_EQ(finalized(), 0);
    ouro_release(stage.node);
    CHECK_EQ(finalized(), 3);
}

static void test_owner_detached(void)
{
    struct stage stage = STAGE;
    stage.act = detaches;
    pthread_t owner = thread_start(owner_main, &stage, 0);
    CHECK(step_wait(&stage.made, 2));
    ouro_release(stage.node);
    CHECK_EQ(finalized(), 3);
    step_set(&stage.ended, 1);
    thread_join_parked(owner);
}

static void safepoint(struct stage *stage)
{
    CHECK(step_wait(&stage->dropped, 1));
    CHECK_EQ(finalized(), 0);
    ouro_safepoint();
    CHECK_EQ(finalized(), 3);
    CHECK(pthread_equal(finalizer_thread, pthread_self()));
}

static void parks_later(struct stage *stage)
{
    CHECK(step_wait(&stage->dropped, 1));
    ouro_blocking_begin();
    CHECK_EQ(finalized(), 3);
    ouro_blocking_end();
}

static void detaches_later(struct stage *stage)
{
    CHECK(step_wait(&stage->dropped, 1));
    ouro_thread_detach();
    CHECK_EQ(finalized(), 3);
}

/* Allocation carries it out some time: within a million objects, here. */
static void allocates(struct stage *stage)
{
    CHECK(step_wait(&stage->dropped, 1));
    for (int i = 0; i < 1000000 && finalized() == 0; i++)
        ouro_release(plain_new(i));
    CHECK_EQ(finalized(), 3);
}

static void exits_later(struct stage *stage)
{
    CHECK(step_wait(&stage->dropped, 1));
}

/* Running: not before the owner does something, then at once. */
static void test_owner_running(void)
{
    static void (*const acts[])(struct stage *) = {safepoint, parks_later, detaches_later, allocates, exits_later};
    on_finalize(note_thread);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        fixture_before();
        on_finalize(note_thread);
        struct stage stage = STAGE;
        stage.act = acts[i];
        pthread_t owner = thread_start(owner_main, &stage, 0);
        CHECK(step_wait(&stage.made, 1));
        ouro_release(stage.node);
        step_set(&stage.dropped, 1);
        thread_join_parked(owner);
        CHECK_EQ(finalized(), 3);
    }
}

/* The owner keeps a reference of its own: nothing dies, and the count is right afterwards. */
static void keeps_one(struct stage *stage)
{
    ouro_blocking_begin();
    step_set(&stage->made, 2);
    CHECK(step_wait(&stage->dropped, 1));
    ouro_blocking_end();
    CHECK_EQ(ouro_refcount(stage->node), 1);
    CHECK_EQ(finalized(), 0);
    ouro_release(stage->node);
    CHECK_EQ(finalized(), 3);
}

static void test_owner_keeps_one(void)
{
    struct stage stage = STAGE;
    stage.act = keeps_one;
    pthread_t owner = thread_start(owner_main, &stage, 0);
    CHECK(step_wait(&stage.made, 2));
    for (int i = 0; i < 100; i++)
        ouro_retain(stage.node);
    for (int i = 0; i < 100; i++)
        ouro_release(stage.node);
    step_set(&stage.dropped, 1);
    thread_join_parked(owner);
}

/* Weak references die as promptly. */
static void parked_with_weak(struct stage *stage)
{
    stage->weak = ouro_weak_new(stage->node, NULL, NULL);
    REQUIRE(stage->weak);
    ouro_share(stage->weak);
    parked(stage);
}

static void test_weak_of_parked(void)
{
    struct stage stage = STAGE;
    stage.act = parked_with_weak;
    pthread_t owner = thread_start(owner_main, &stage, 0);
    CHECK(step_wait(&stage.made, 2));
    struct node *n = ouro_weak_get(stage.weak);
    CHECK_PTR(n, stage.node);
    ouro_release(n);
    ouro_release(stage.node);
    CHECK_EQ(finalized(), 3);
    CHECK_PTR(ouro_weak_get(stage.weak), NULL);
    ouro_release(stage.weak);
    step_set(&stage.ended, 1);
    thread_join_parked(owner);
}

/* Inside the region: counting, slots of shared objects, borrowed reading. */
static void test_what_works_while_parked(void)
{
    struct node *c = plain_new(0);
    ouro_give(c, &c->a, leaf_new(1));
    ouro_share(c);
    struct leaf *other = leaf_new(2);
    ouro_share(other);
    ouro_blocking_begin();
    ouro_retain(c);
    ouro_release(c);
    struct leaf *l = ouro_get(c, &c->a);
    CHECK_EQ(l->id, 1);
    ouro_release(l);
    ouro_read_begin();
    l = ouro_peek(&c->a);
    CHECK_EQ(l->id, 1);
    l = ouro_try_retain(l);
    CHECK(l);
    ouro_read_end();
    ouro_release(l);
    ouro_set(c, &c->b, other);
    CHECK(ouro_compare_set(c, &c->b, other, NULL));
    CHECK_PTR(ouro_swap(c, &c->b, other), NULL);
    other = ouro_take(c, &c->b);
    CHECK_EQ(other->id, 2);
    ouro_release(other);
    ouro_set(c, &c->a, NULL);
    ouro_blocking_end();
    CHECK_EQ(finalized(), 2);
    CHECK_EQ(ouro_refcount(c), 1);
    ouro_release(c);
}

/* Counting does not end the region: not even a drop that is handed to a running owner. */
struct region {
    struct step parked, dropped;
    struct node *running_owners, *own;
};

static void *drop_while_parked(void *arg)
{
    struct region *region = arg;
    region->own = node_new(1);
    ouro_share(region->own);
    ouro_blocking_begin();
    ouro_release(region->running_owners);
    step_set(&region->parked, 1);
    CHECK(step_wait(&region->dropped, 1));
    ouro_blocking_end();
    return NULL;
}

static void test_drops_do_not_end_the_region(void)
{
    struct region region = {STEP_INITIALIZER, STEP_INITIALIZER, node_new(2), NULL};
    ouro_share(region.running_owners);
    pthread_t thread = thread_start(drop_while_parked, &region, 0);
    CHECK(step_wait(&region.parked, 1));
    CHECK_EQ(finalized(), 0);
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
    ouro_release(region.own); /* its owner is still parked */
    CHECK_EQ(finalized(), 2);
    step_set(&region.dropped, 1);
    thread_join_parked(thread);
}

/* What needs the thread's own state ends the region early; the end is then nothing special. */
static void test_what_ends_the_region(void)
{
    ouro_blocking_begin();
    struct node *n = node_new(1);
    ouro_set(n, &n->a, n);
    ouro_blocking_end();
    CHECK_EQ(n->id, 1);
    ouro_blocking_begin();
    struct node *m = ouro_take(n, &n->a);
    ouro_release(m);
    ouro_blocking_end();
    CHECK_EQ(finalized(), 0);
    ouro_blocking_begin();
    ouro_release(n);
    ouro_blocking_end();
    CHECK_EQ(finalized(), 1);
    ouro_release(node_new(2));
    CHECK_EQ(finalized(), 2);
}

/* Nothing waits, nothing breaks, when there is nothing to do. */
static void test_empty_regions(void)
{
    for (int i = 0; i < 100000; i++) {
        ouro_blocking_begin();
        ouro_blocking_end();
        ouro_safepoint();
    }
}

/* The owner parks and comes back all the time, while others drop what it made: everything dies, and nothing waits for
 * the end of the owner. */
enum { BATCH = 64 };

struct flood {
    struct node *nodes[BATCH];
    atomic_int next, round;
    int rounds;
    pthread_barrier_t filled, emptied;
};

static void flood(struct member *self)
{
    struct flood *flood = self->arg;
    for (int round = 0; round < flood->rounds; round++) {
        if (self->index == 0) {
            for (int i = 0; i < BATCH; i++) {
                flood->nodes[i] = node_new_with(i, leaf_new(i), NULL);
                ouro_share(flood->nodes[i]);
            }
            atomic_store(&flood->next, 0);
        }
        pthread_barrier_wait(&flood->filled);
        if (self->index == 0)
            for (int i = 0; i < 20; i++) {
                ouro_blocking_begin();
                yield_sometimes(&self->rng);
                ouro_blocking_end();
            }
        else
            for (int i; (i = atomic_fetch_add(&flood->next, 1)) < BATCH;) {
                ouro_release(flood->nodes[i]);
                yield_sometimes(&self->rng);
            }
        ouro_blocking_begin();
        pthread_barrier_wait(&flood->emptied);
        CHECK_EQ(finalized(), 2L * BATCH * (round + 1)); /* the owner is still parked */
        pthread_barrier_wait(&flood->emptied);
        ouro_blocking_end();
    }
}

static void test_parking_all_the_time(void)
{
    enum { THREADS = 3 };
    struct flood f = {.rounds = SCALED(500)};
    pthread_barrier_init(&f.filled, NULL, THREADS);
    pthread_barrier_init(&f.emptied, NULL, THREADS);
    team_run(THREADS, seed, flood, &f);
    pthread_barrier_destroy(&f.filled);
    pthread_barrier_destroy(&f.emptied);
}

int main(void)
{
    check_start("blocking_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_owner_parked);
    FIXTURE_RUN(test_owner_gone);
    FIXTURE_RUN(test_owner_detached);
    FIXTURE_RUN(test_owner_running);
    FIXTURE_RUN(test_owner_keeps_one);
    FIXTURE_RUN(test_weak_of_parked);
    FIXTURE_RUN(test_what_works_while_parked);
    FIXTURE_RUN(test_drops_do_not_end_the_region);
    FIXTURE_RUN(test_what_ends_the_region);
    FIXTURE_RUN(test_empty_regions);
    FIXTURE_RUN(test_parking_all_the_time);
    return check_finish();
}
