/* SPDX-License-Identifier: MIT
 *
 * Collections that presume everything to be garbage: when they do, that they are right about each object, and what they leave of those that are
 * alive. Seed: OURO_TEST_SEED. */
#include "cycle/presume.h"

#include <ouro/ouro.h>

#include "cycle/candidates.h"
#include "object/count.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"
#include "support/world.h"

enum { AFTER = 3, RINGS = 100, LENGTH = 4 };

static uint64_t seed;

/* A ring of LENGTH shared objects, and the caller's reference to one of them. */
static struct node *ring_of(struct node *(*make)(long id))
{
    struct node *first = make(0), *last = ouro_retain(first);
    for (long i = 1; i < LENGTH; i++) {
        struct node *next = make(i);
        ouro_give(next, &next->a, last);
        last = next;
    }
    ouro_give(first, &first->a, last);
    ouro_share(first);
    return first;
}

static void drop_rings(long n)
{
    while (n--)
        ouro_release(ring_of(plain_new));
}

/* The next collection of either generation is one after so many that found nothing but garbage. */
static void in_a_row(int generation, long rings, int n)
{
    while (n--) {
        drop_rings(rings);
        CHECK_EQ(ouro_gc_collect(generation), rings * LENGTH);
    }
}

static void begin(void)
{
    oi_candidates_share = 0;
    oi_presume_share = 16;
    oi_presume_after = AFTER;
    ouro_gc_collect(2);
    oi_presume_forget();
}

static bool is_marked(const struct node *n)
{
    return oi_owner(&n->object) & OI_CAND;
}

static void check_ring(struct node *first)
{
    struct node *n = first;
    for (int i = 0; i < LENGTH; i++) {
        CHECK(!is_marked(n));
        CHECK_PTR(ouro_type_of(n), &plain_type);
        n = ouro_peek(&n->a);
    }
    CHECK_PTR(n, first);
}

/* What is alive among much garbage stays, and is found when it dies; also where it was never published again, so that only its hints tell of it. */
static void check_presumed(int generation)
{
    struct node *live[RINGS / 20];
    begin();
    size_t presumed = oi_presumed;
    in_a_row(generation, RINGS, AFTER);
    CHECK_EQ(oi_presumed, presumed);
    for (int i = 0; i < RINGS; i++) {
        if (i % 20 == 0)
            live[i / 20] = ring_of(plain_new);
        else
            ouro_release(ring_of(plain_new));
    }
    CHECK_EQ(ouro_gc_collect(generation), (RINGS - RINGS / 20) * LENGTH);
    CHECK_EQ(oi_presumed, presumed + 1);
    for (int i = 0; i < RINGS / 20; i++)
        check_ring(live[i]);
    oi_candidates_share = 1;
    for (int i = 0; i < RINGS / 20; i++) {
        ouro_release(live[i]);
        CHECK_EQ(ouro_gc_collect(2), LENGTH);
    }
}

static void test_young(void)
{
    check_presumed(1);
}

static void test_old(void)
{
    check_presumed(2);
}

/* All are alive: it costs time, and the next presumption waits twice as long. */
static void test_wrong(void)
{
    struct node *live[RINGS];
    begin();
    in_a_row(1, RINGS, AFTER);
    for (int i = 0; i < RINGS; i++)
        live[i] = ring_of(plain_new);
    size_t presumed = oi_presumed;
    CHECK_EQ(ouro_gc_collect(1), 0);
    CHECK_EQ(oi_presumed, presumed + 1);
    for (int i = 0; i < RINGS; i++)
        check_ring(live[i]);
    for (int i = 0; i < RINGS; i++)
        ouro_release(live[i]);
    CHECK_EQ(ouro_gc_collect(2), RINGS * LENGTH);
    in_a_row(1, RINGS, 2 * AFTER);
    CHECK_EQ(oi_presumed, presumed + 1);
    in_a_row(1, RINGS, 1);
    CHECK_EQ(oi_presumed, presumed + 2);
}

/* Much more than before says nothing yet. */
static void test_growth(void)
{
    begin();
    in_a_row(1, 10, 16 * AFTER);
    size_t presumed = oi_presumed;
    in_a_row(1, 100, 1);
    CHECK_EQ(oi_presumed, presumed);
    in_a_row(1, 100, 1);
    CHECK_EQ(oi_presumed, presumed + 1);
}

static void test_never(void)
{
    begin();
    oi_presume_share = 0;
    size_t presumed = oi_presumed;
    in_a_row(1, RINGS, 20 * AFTER);
    in_a_row(2, RINGS, 20 * AFTER);
    CHECK_EQ(oi_presumed, presumed);
}

/* A tenth and more is alive: that is no row. */
static void test_too_much_is_alive(void)
{
    enum { ROUNDS = 10 * AFTER };
    struct node *live[ROUNDS][RINGS / 10];
    begin();
    size_t presumed = oi_presumed;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < RINGS / 10; i++)
            live[round][i] = ring_of(plain_new);
        drop_rings(RINGS - RINGS / 10);
        CHECK_EQ(ouro_gc_collect(2), (RINGS - RINGS / 10) * LENGTH);
    }
    CHECK_EQ(oi_presumed, presumed);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < RINGS / 10; i++)
            ouro_release(live[round][i]);
    }
    CHECK_EQ(ouro_gc_collect(2), ROUNDS * (RINGS / 10) * LENGTH);
}

/* Finalizers, weak references, and what the garbage alone holds. */
static void test_special(void)
{
    begin();
    in_a_row(1, RINGS, 16 * AFTER);
    size_t presumed = oi_presumed;
    struct node *first = ring_of(node_new), *plain = ring_of(plain_new);
    ouro_weak *weak = ouro_weak_new(plain, NULL, NULL);
    struct leaf *held = leaf_new(0);
    ouro_share(held);
    ouro_give(plain, &plain->b, held);
    long before = finalized();
    ouro_release(first);
    ouro_release(plain);
    CHECK_EQ(ouro_gc_collect(1), 2 * LENGTH);
    CHECK_GT(oi_presumed, presumed);
    CHECK_EQ(finalized() - before, LENGTH + 1);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

/* Collections that find nothing to look at say nothing. */
static void test_empty(void)
{
    begin();
    in_a_row(1, RINGS, AFTER);
    size_t presumed = oi_presumed;
    for (int i = 0; i < 20; i++)
        CHECK_EQ(ouro_gc_collect(1), 0);
    CHECK_EQ(oi_presumed, presumed);
    in_a_row(1, RINGS, 1);
    CHECK_EQ(oi_presumed, presumed + 1);
}

/* Nearly all that threads make is garbage at once, objects of all sizes, so that most pages go as a whole; what they keep for a while stays what it is. */
enum { MAKERS = 3, KEPT = 16, LONGEST = 3000 };

struct link {
    ouro_object object;
    ouro_slot next;
};

static ouro_type link_type = OURO_TYPE(struct link, .name = "link", .slots = OURO_SLOTS(struct link, next));

static struct node *ring_with(struct rng *rng, long length)
{
    struct node *first = plain_new(length), *last = ouro_retain(first);
    for (long i = 1; i < length; i++) {
        struct node *n = plain_new(i);
        struct link *link = ouro_new(&link_type);
        REQUIRE(link);
        ouro_give(link, &link->next, last);
        ouro_give(n, &n->a, link);
        last = n;
    }
    ouro_give(first, &first->a, last);
    if (rng_one_in(rng, 5)) {
        struct table *table = table_new(rng_one_in(rng, 2) ? 1000 : 20000);
        ouro_set(table, &table->items[7], first);
        ouro_give(first, &first->b, table);
    }
    ouro_share(first);
    return first;
}

/* The rings must be as they were made. */
static void drop_checked(struct node *first)
{
    if (!first)
        return;
    long length = first->id;
    struct node *n = ouro_peek(&first->a);
    for (long i = length - 1; i > 0; i--) {
        REQUIRE(n->id == i);
        const struct link *link = ouro_peek(&n->a);
        n = ouro_peek(&link->next);
    }
    CHECK_PTR(n, first);
    ouro_release(first);
}

static void stream(struct member *self)
{
    struct node *kept[KEPT] = {NULL};
    for (int i = 0; i < SCALED(1500); i++) {
        struct node *ring = ring_with(&self->rng, 1 + (long)rng_below(&self->rng, LONGEST));
        if (rng_one_in(&self->rng, 30)) {
            unsigned at = (unsigned)rng_below(&self->rng, KEPT);
            drop_checked(kept[at]);
            kept[at] = ring;
        } else {
            ouro_release(ring);
        }
        if (rng_one_in(&self->rng, 4))
            ouro_gc_collect((int)rng_below(&self->rng, 3));
    }
    for (int i = 0; i < KEPT; i++)
        drop_checked(kept[i]);
}

static void test_stream(void)
{
    size_t presumed = oi_load_relaxed(&oi_presumed);
    team_run(MAKERS, seed, stream, NULL);
    CHECK_GT(oi_load_relaxed(&oi_presumed), presumed);
    ouro_gc_collect(2);
}

/* Thousands of graphs that threads change, and every collection presumes that all of it is garbage. */
static void test_random_graphs(void)
{
    size_t presumed = oi_load_relaxed(&oi_presumed);
    CHECK(world_run(seed, (struct world_size){.graphs = SCALED(1000), .repeats = 500}));
    CHECK_GT(oi_load_relaxed(&oi_presumed) - presumed, SCALED(100));
    world_print();
}

int main(void)
{
    check_start("presume_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    ouro_gc_disable();
    FIXTURE_RUN(test_young);
    FIXTURE_RUN(test_old);
    FIXTURE_RUN(test_wrong);
    FIXTURE_RUN(test_growth);
    FIXTURE_RUN(test_never);
    FIXTURE_RUN(test_too_much_is_alive);
    FIXTURE_RUN(test_special);
    FIXTURE_RUN(test_empty);
    begin();
    oi_presume_share = 1; /* for both that follow: from here on others read it */
    oi_presume_after = 0;
    ouro_gc_enable();
    FIXTURE_RUN(test_stream);
    FIXTURE_RUN(test_random_graphs);
    return check_finish();
}
