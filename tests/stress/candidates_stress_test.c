/* SPDX-License-Identifier: MIT
 *
 * Scenario: many old rings of shared objects, far more than what changes at a time. Threads let go of rings in every way there is (a
 * reference of their own, a slot that is emptied, a holder that dies, a ring linked into another and cut off again), while others collect.
 * Now and then all wait for each other, and one collection has to find exactly what has become garbage: it looks only at what has
 * changed (docs/design/candidates.md), so what it misses would stay.
 * Seed: OURO_TEST_SEED. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

enum { THREADS = 3, RINGS = 1500, SIZE = 5, ROUNDS = 30, DROPS = 30 };

static uint64_t seed;
static struct table *shelf;           /* rings are held by its slots, */
static struct node *hand[THREADS][RINGS]; /* or by a reference of a thread's */
static atomic_size_t alive;           /* nodes that can be reached */
static atomic_bool stop;

static struct node *ring_new(void)
{
    struct node *first = plain_new(0), *last = ouro_retain(first);
    for (int i = 1; i < SIZE; i++) {
        struct node *next = plain_new(i);
        ouro_set(last, &last->a, next);
        ouro_release(last);
        last = next;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    ouro_share(first);
    return first;
}

static void gone(size_t nodes)
{
    atomic_fetch_sub(&alive, nodes);
}

/* One of the thread's rings, which was on the shelf or in its hand. */
static void let_go(struct member *self, size_t i)
{
    ouro_slot *slot = &shelf->items[self->index * RINGS + i];
    struct node *ring = hand[self->index][i], *holder;
    hand[self->index][i] = NULL;
    if (!ring && !ouro_peek(slot))
        return;
    switch (rng_below(&self->rng, 6)) {
    case 0: /* on the shelf, then off again */
        if (ring)
            ouro_give(shelf, slot, ring);
        ouro_set(shelf, slot, NULL);
        break;
    case 1: /* by hand */
        if (!ring)
            ring = ouro_take(shelf, slot);
        ouro_release(ring);
        break;
    case 2: /* its last reference from outside goes into its own slot */
        if (!ring)
            ring = ouro_take(shelf, slot);
        ouro_give(ring, &ring->b, ring);
        break;
    case 3: /* a holder dies */
        holder = plain_new(7);
        ouro_share(holder);
        ouro_give(holder, &holder->a, ring ? ring : ouro_take(shelf, slot));
        yield_sometimes(&self->rng);
        ouro_release(holder);
        break;
    case 4: /* changes places with a number */
        if (ring)
            ouro_give(shelf, slot, ring);
        ouro_release(ouro_value_object(ouro_value_swap(shelf, slot, ouro_int_new(4))));
        ouro_set(shelf, slot, NULL);
        break;
    default: /* taken up by hand, and held for a while: it lives on */
        if (!ring)
            ring = ouro_take(shelf, slot);
        yield_sometimes(&self->rng);
        hand[self->index][i] = ring;
        return;
    }
    gone(SIZE);
}

static void drop_some(struct member *self)
{
    for (int i = 0; i < DROPS; i++) {
        let_go(self, rng_below(&self->rng, RINGS));
        if (rng_one_in(&self->rng, 50))
            ouro_gc_collect(1 + (int)rng_below(&self->rng, 2));
    }
}

static void *collect_all_the_time(void *unused)
{
    while (!atomic_load(&stop))
        ouro_gc_collect(2);
    return unused;
}

static void make_all(void)
{
    shelf = table_new(THREADS * RINGS);
    ouro_share(shelf);
    for (size_t t = 0; t < THREADS; t++) {
        for (size_t i = 0; i < RINGS; i++) {
            if (i % 2)
                hand[t][i] = ring_new();
            else
                ouro_give(shelf, &shelf->items[t * RINGS + i], ring_new());
        }
    }
    atomic_store(&alive, (size_t)THREADS * RINGS * SIZE);
    CHECK_EQ(ouro_gc_collect(2), 0);
}

static void test_old_rings(void)
{
    make_all();
    size_t before = atomic_load(&alive);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        pthread_t collector;
        atomic_store(&stop, round % 3 == 0);
        bool beside = !atomic_load(&stop);
        if (beside)
            collector = thread_start(collect_all_the_time, NULL, 0);
        team_run(THREADS, seed + round, drop_some, NULL);
        atomic_store(&stop, true);
        if (beside)
            thread_join_parked(collector);
        CHECK_GE(ouro_gc_collect(2), 0);
        CHECK_LIVE(1 + atomic_load(&alive));
    }
    CHECK_LT(atomic_load(&alive), before);
    for (size_t t = 0; t < THREADS; t++) {
        for (size_t i = 0; i < RINGS; i++)
            ouro_release(hand[t][i]);
    }
    ouro_release(shelf);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
}

int main(void)
{
    check_start("candidates_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_old_rings);
    return check_finish();
}
