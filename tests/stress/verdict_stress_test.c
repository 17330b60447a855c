/* SPDX-License-Identifier: MIT
 *
 * Scenario: rings of shared objects are made and dropped, batch by batch; weak references lead to each of their members. Some
 * threads follow these all the time, hold what they get for a while and let it go; others collect. Threads are
 * paused between any two instructions (support/preempt.h).
 * Seed: OURO_TEST_SEED.
 * Asserted: what a weak reference leads to is its target, whole, with its neighbours, for as long as it is held. Once a weak
 * reference to a member of a ring has read NULL, all those to the same ring do, for ever: garbage is dead as a whole. At
 * the end of each batch all rings are gone, and no misuse was reported. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "support/fixture.h"
#include "support/preempt.h"
#include "support/rng.h"
#include "support/threads.h"

enum {
    BATCHES = SCALED(3000),
    RINGS = 24,
    LONGEST = 4,
    FOLLOWERS = 2,
    COLLECTORS = 2,
    COLLECTIONS = 4 /* of each collector in each batch, with followers at work */
};

static uint64_t seed;
static struct table *weaks; /* RINGS * LONGEST of them; a ring's lie behind each other */
static int lengths[RINGS];
static int batch; /* of which the rings are: part of their ids */
static atomic_bool is_gone[RINGS];
static atomic_int collecting; /* collectors at work */
static atomic_long wrong, found, not_found;
static pthread_barrier_t barrier;

static void expect(bool ok, const char *what)
{
    if (!ok && atomic_fetch_add(&wrong, 1) < 20)
        fprintf(stderr, "batch %d: %s\n", batch, what);
}

static long id_of(int ring, int member)
{
    return ((long)batch * RINGS + ring) * LONGEST + member;
}

static void make_ring(int ring, int length)
{
    struct node *members[LONGEST];
    for (int i = 0; i < length; i++)
        members[i] = plain_new(id_of(ring, i));
    for (int i = 0; i < length; i++)
        ouro_set(members[i], &members[i]->a, members[(i + 1) % length]);
    for (int i = 0; i < length; i++) {
        ouro_share(members[i]);
        ouro_give(weaks, &weaks->items[ring * LONGEST + i], ouro_weak_new(members[i], NULL, NULL));
    }
    for (int i = 0; i < length; i++)
        ouro_release(members[i]);
}

/* Who has it finds it whole, and its neighbour. */
static void use(struct node *n, int ring, int member, struct rng *rng)
{
    for (int times = 1 + (int)rng_below(rng, 3); times > 0; times--) {
        struct node *next = ouro_get(n, &n->a);
        expect(n->id == id_of(ring, member), "a weak reference leads to something else");
        expect(next && next->id == id_of(ring, (member + 1) % lengths[ring]), "a neighbour is not there");
        expect(ouro_refcount(n) >= 2, "what is held is not counted");
        ouro_release(next);
        if (rng_one_in(rng, 8))
            yield_sometimes(rng);
    }
    ouro_release(n);
}

static void follow(struct rng *rng)
{
    int ring = (int)rng_below(rng, RINGS);
    for (int tries = 0; tries < RINGS && atomic_load_explicit(&is_gone[ring], memory_order_relaxed); tries++)
        ring = (ring + 1) % RINGS; /* what is left is what it is about */
    int member = (int)rng_below(rng, (uint32_t)lengths[ring]);
    bool gone = atomic_load(&is_gone[ring]);
    struct node *n = ouro_weak_get(ouro_peek(&weaks->items[ring * LONGEST + member]));
    atomic_fetch_add_explicit(n ? &found : &not_found, 1, memory_order_relaxed);
    if (!n) {
        atomic_store(&is_gone[ring], true);
        return;
    }
    expect(!gone, "of a ring that was gone, a member is there");
    use(n, ring, member, rng);
}

static void *follow_all_the_time(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    preempt_join();
    for (int i = 0; i < BATCHES; i++) {
        pthread_barrier_wait(&barrier);
        while (atomic_load(&collecting))
            follow(&rng);
        ouro_safepoint();
        pthread_barrier_wait(&barrier);
    }
    preempt_leave();
    return NULL;
}

static void *collect_all_the_time(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    preempt_join();
    for (int i = 0; i < BATCHES; i++) {
        pthread_barrier_wait(&barrier);
        for (int k = 0; k < COLLECTIONS; k++)
            expect(ouro_gc_collect(1 + (int)rng_below(&rng, 2)) >= 0, "a collection failed");
        atomic_fetch_sub(&collecting, 1);
        pthread_barrier_wait(&barrier);
    }
    preempt_leave();
    return NULL;
}

static void run_batch(struct rng *rng)
{
    for (int i = 0; i < RINGS; i++) {
        lengths[i] = 1 + (int)rng_below(rng, LONGEST);
        atomic_store(&is_gone[i], false);
        make_ring(i, lengths[i]);
    }
    atomic_store(&collecting, COLLECTORS);
    ouro_blocking_begin();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    ouro_blocking_end();
    expect(ouro_gc_collect(2) >= 0, "the last collection failed");
    for (int i = 0; i < RINGS; i++) {
        for (int k = 0; k < lengths[i]; k++) {
            void *left = ouro_weak_get(ouro_peek(&weaks->items[i * LONGEST + k]));
            expect(!left, "a ring that nobody holds is still there");
            ouro_release(left);
        }
    }
}

static void test_followed_all_the_time(void)
{
    pthread_t threads[FOLLOWERS + COLLECTORS];
    struct rng rng = rng_stream(seed, 1000);
    weaks = table_new((size_t)RINGS * LONGEST);
    ouro_share(weaks);
    REQUIRE(pthread_barrier_init(&barrier, NULL, FOLLOWERS + COLLECTORS + 1) == 0);
    preempt_start(seed);
    for (uintptr_t i = 0; i < FOLLOWERS + COLLECTORS; i++)
        threads[i] = thread_start(i < FOLLOWERS ? follow_all_the_time : collect_all_the_time, (void *)i, 0);
    for (batch = 0; batch < BATCHES; batch++)
        run_batch(&rng);
    for (int i = 0; i < FOLLOWERS + COLLECTORS; i++)
        thread_join_parked(threads[i]);
    preempt_stop();
    pthread_barrier_destroy(&barrier);
    ouro_release(weaks);
    CHECK_EQ(atomic_load(&wrong), 0);
    CHECK_GT(atomic_load(&found), 0);
    CHECK_GT(atomic_load(&not_found), 0);
    printf("       %ld followed, %ld in vain, %ld pauses\n", atomic_load(&found), atomic_load(&not_found), preempt_pauses());
}

int main(void)
{
    check_start("verdict_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    ouro_gc_disable();
    FIXTURE_RUN(test_followed_all_the_time);
    return check_finish();
}
