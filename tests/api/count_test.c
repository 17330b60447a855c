/* SPDX-License-Identifier: MIT
 *
 * Counting: exact counts of private objects; objects that die at their last release, not before and not later; counts
 * that several threads change at the same time add up; references move between threads; immortal objects,
 * by request and by overflow. */
#include <stdint.h>
#include <stdio.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static void test_private_counts_are_exact(void)
{
    struct node *n = node_new(1);
    CHECK_EQ(ouro_refcount(n), 1);
    for (size_t i = 2; i <= 1000; i++) {
        CHECK_PTR(ouro_retain(n), n);
        CHECK_EQ(ouro_refcount(n), i);
    }
    for (size_t i = 999; i >= 1; i--) {
        ouro_release(n);
        CHECK_EQ(ouro_refcount(n), i);
    }
    CHECK_EQ(finalized(), 0);
    size_t live = live_objects_now();
    ouro_release(n);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(live - live_objects_now(), 1);
}

static void test_shared_counts_by_one_thread(void)
{
    struct node *n = node_new(1);
    ouro_retain(n);
    ouro_share(n);
    CHECK_EQ(ouro_refcount(n), 2);
    ouro_share(n);
    CHECK_EQ(ouro_refcount(n), 2);
    for (size_t i = 3; i <= 1000; i++) {
        CHECK_PTR(ouro_retain(n), n);
        CHECK_EQ(ouro_refcount(n), i);
    }
    for (size_t i = 999; i >= 1; i--) {
        ouro_release(n);
        CHECK_EQ(ouro_refcount(n), i);
    }
    CHECK_EQ(finalized(), 0);
    ouro_release(n);
    CHECK_EQ(finalized(), 1);
}

/* What it holds is released with it, and dies if that was the last reference. */
static void test_children_go_along(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        struct leaf *kept = leaf_new(1);
        struct node *top = node_new_with(1, node_new_with(2, leaf_new(3), NULL), ouro_retain(kept));
        if (shared)
            ouro_share(top);
        CHECK_EQ(ouro_refcount(kept), 2);
        ouro_release(top);
        CHECK_EQ(finalized() - before, 3);
        CHECK_EQ(ouro_refcount(kept), 1);
        ouro_release(kept);
        CHECK_EQ(finalized() - before, 4);
    }
}

struct crowd {
    struct node *nodes[8];
    long rounds;
};

static void retain_and_release(struct member *self)
{
    struct crowd *crowd = self->arg;
    for (long i = 0; i < crowd->rounds; i++) {
        struct node *n = crowd->nodes[rng_below(&self->rng, 8)];
        unsigned depth = 1 + rng_below(&self->rng, 4);
        for (unsigned k = 0; k < depth; k++)
            ouro_retain(n);
        if (rng_one_in(&self->rng, 256))
            yield_sometimes(&self->rng);
        for (unsigned k = 0; k < depth; k++)
            ouro_release(n);
    }
}

/* The owner (main) holds one reference to each; all threads and main count them up and down at random. */
static void test_crowd(void)
{
    struct crowd crowd = {.rounds = SCALED(200000)};
    for (int i = 0; i < 8; i++) {
        crowd.nodes[i] = node_new(i);
        ouro_share(crowd.nodes[i]);
    }
    team_run(4, seed, retain_and_release, &crowd);
    ouro_safepoint();
    for (int i = 0; i < 8; i++)
        CHECK_EQ(ouro_refcount(crowd.nodes[i]), 1);
    CHECK_EQ(finalized(), 0);
    for (int i = 0; i < 8; i++)
        ouro_release(crowd.nodes[i]);
    CHECK_EQ(finalized(), 8);
}

struct owned_crowd {
    struct crowd crowd;
    pthread_barrier_t made, done;
};

/* The owner counts as well, with its plain additions, while others count atomically. */
static void owner_and_others(struct member *self)
{
    struct owned_crowd *owned = self->arg;
    if (self->index == 0)
        for (int i = 0; i < 8; i++) {
            owned->crowd.nodes[i] = node_new(i);
            ouro_share(owned->crowd.nodes[i]);
        }
    pthread_barrier_wait(&owned->made);
    self->arg = &owned->crowd;
    retain_and_release(self);
    pthread_barrier_wait(&owned->done);
    if (self->index != 0)
        return;
    ouro_safepoint();
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(ouro_refcount(owned->crowd.nodes[i]), 1);
        ouro_release(owned->crowd.nodes[i]);
    }
}

static void test_crowd_with_owner(void)
{
    struct owned_crowd owned = {.crowd.rounds = SCALED(200000)};
    pthread_barrier_init(&owned.made, NULL, 4);
    pthread_barrier_init(&owned.done, NULL, 4);
    team_run(4, seed, owner_and_others, &owned);
    CHECK_EQ(finalized(), 8);
    pthread_barrier_destroy(&owned.made);
    pthread_barrier_destroy(&owned.done);
}

enum { MOVED = 1000 };

static void *release_many(void *object)
{
    for (int i = 0; i < MOVED; i++)
        ouro_release(object);
    return NULL;
}

static void *retain_many(void *object)
{
    for (int i = 0; i < MOVED; i++)
        ouro_retain(object);
    return NULL;
}

/* References counted by one thread are dropped by another, in both directions. */
static void test_references_move(void)
{
    struct node *n = node_new(1);
    ouro_share(n);
    retain_many(n);
    CHECK_EQ(ouro_refcount(n), MOVED + 1);
    thread_do(release_many, n, 0);
    ouro_safepoint();
    CHECK_EQ(ouro_refcount(n), 1);
    thread_do(retain_many, n, 0);
    CHECK_EQ(ouro_refcount(n), MOVED + 1);
    release_many(n);
    CHECK_EQ(ouro_refcount(n), 1);
    CHECK_EQ(finalized(), 0);
    ouro_release(n);
    CHECK_EQ(finalized(), 1);
}

static void drop_one(struct member *self)
{
    struct node **nodes = self->arg;
    for (int i = 0; i < MOVED; i++) {
        ouro_release(nodes[i]);
        yield_sometimes(&self->rng);
    }
}

/* Several threads drop the last references of the same objects at the same time: each object dies once. */
static void test_last_references_race(void)
{
    enum { THREADS = 4, ROUNDS = SCALED(20) };
    static struct node *nodes[MOVED];
    for (int round = 0; round < ROUNDS; round++) {
        long before = finalized();
        for (int i = 0; i < MOVED; i++) {
            nodes[i] = node_new(i);
            ouro_share(nodes[i]);
            for (int k = 1; k < THREADS; k++)
                ouro_retain(nodes[i]);
        }
        team_run(THREADS, seed + (uint64_t)round, drop_one, nodes);
        ouro_safepoint();
        CHECK_EQ(finalized() - before, MOVED);
    }
}

static void *use_immortal(void *object)
{
    struct node *n = object;
    for (int i = 0; i < 1000; i++)
        ouro_retain(n);
    for (int i = 0; i < 5000; i++)
        ouro_release(n);
    CHECK_EQ(ouro_refcount(n), SIZE_MAX);
    return NULL;
}

static void test_immortal(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct leaf *content = leaf_new(1);
        struct node *n = node_new_with(1, ouro_retain(content), NULL);
        if (shared)
            ouro_share(n);
        ouro_immortalize(n);
        CHECK_EQ(ouro_refcount(n), SIZE_MAX);
        ouro_immortalize(n);
        CHECK_EQ(ouro_refcount(n), SIZE_MAX);
        use_immortal(n);
        thread_do(use_immortal, n, 0);
        ouro_safepoint();
        CHECK_EQ(n->id, 1);
        ouro_release(content);
        CHECK_EQ(content->id, 1); /* kept by the immortal container */
        CHECK_EQ(finalized(), shared);
        struct leaf *got = ouro_take(n, &n->a); /* and dies when it is taken out */
        CHECK_PTR(got, content);
        ouro_release(got);
        CHECK_EQ(finalized(), 1 + shared);
    }
    fixture_leaves(2);
}

/* Counts until the object says that it cannot count any more. */
static void *retain_without_end(void *object)
{
    enum { STRIDE = 1 << 20 };
    for (long i = 0; i < 1L << 31 && ouro_refcount(object) != SIZE_MAX; i += STRIDE)
        for (int k = 0; k < STRIDE; k++)
            ouro_retain(object);
    return NULL;
}

/* A count that would overflow makes the object immortal. */
static void test_overflow(void)
{
    if (TEST_SLOWDOWN > 1) {
        printf("       skipped: some hundred million steps\n");
        return;
    }
    struct node *n = node_new(7);
    ouro_share(n);
    thread_do(retain_without_end, n, 0);
    CHECK_EQ(ouro_refcount(n), SIZE_MAX);
    for (int i = 0; i < 1000; i++)
        ouro_release(n);
    CHECK_EQ(ouro_refcount(n), SIZE_MAX);
    CHECK_EQ(n->id, 7);
    CHECK_EQ(finalized(), 0);
    fixture_leaves(1);
}

/* A tree of which every object is counted once by its parent stays a tree when it is published. */
static size_t sum_of_counts(struct node *n)
{
    size_t sum = ouro_refcount(n);
    struct node *a = ouro_peek(&n->a), *b = ouro_peek(&n->b);
    return sum + (a ? sum_of_counts(a) : 0) + (b ? sum_of_counts(b) : 0);
}

static struct node *tree_new(int depth)
{
    return node_new_with(depth, depth ? tree_new(depth - 1) : NULL, depth ? tree_new(depth - 1) : NULL);
}

static void test_publication_keeps_counts(void)
{
    struct node *tree = tree_new(9);
    CHECK_EQ(sum_of_counts(tree), 1023);
    ouro_share(tree);
    ouro_read_begin();
    CHECK_EQ(sum_of_counts(tree), 1023);
    ouro_read_end();
    ouro_release(tree);
    CHECK_EQ(finalized(), 1023);
}

int main(void)
{
    check_start("count_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_private_counts_are_exact);
    FIXTURE_RUN(test_shared_counts_by_one_thread);
    FIXTURE_RUN(test_children_go_along);
    FIXTURE_RUN(test_crowd);
    FIXTURE_RUN(test_crowd_with_owner);
    FIXTURE_RUN(test_references_move);
    FIXTURE_RUN(test_last_references_race);
    FIXTURE_RUN(test_immortal);
    FIXTURE_RUN(test_overflow);
    FIXTURE_RUN(test_publication_keeps_counts);
    return check_finish();
}
