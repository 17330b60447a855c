/* SPDX-License-Identifier: MIT
 *
 * Objects that are made for others are shared without a bias, once that is known of their type; and with one again, once it is not so any more. */
#include "object/handover.h"

#include <string.h>

#include <ouro/ouro.h>

#include "object/count.h"
#include "support/fixture.h"
#include "support/threads.h"

enum { MANY = 500 };

static bool is_biased(const void *object)
{
    return OI_ID(oi_owner((const ouro_object *)object)) == oi_my_id();
}

static bool is_unbiased(const void *object)
{
    const ouro_object *o = object;
    return !oi_owner(o) && (oi_shared(o) & OI_MERGED) && !(oi_shared(o) & OI_STUCK);
}

static void *release_it(void *object)
{
    ouro_release(object);
    return NULL;
}

static void drop_elsewhere(void *object)
{
    thread_join_running(thread_start(release_it, object, 0));
}

static void *release_all(void *objects)
{
    for (int i = 0; i < MANY; i++)
        ouro_release(((void **)objects)[i]);
    return NULL;
}

static void *some_plain(void)
{
    return plain_new(1);
}

static void *some_node(void)
{
    return node_new(2);
}

static void *some_list(void)
{
    struct node *head = NULL;
    for (int i = 0; i < 3; i++) {
        struct node *n = plain_new(i);
        ouro_give(n, &n->a, head);
        head = n;
    }
    return head;
}

/* Makes MANY, which another thread drops. */
static void hand_over(void *(*make)(void))
{
    static void *objects[MANY];
    for (int i = 0; i < MANY; i++)
        ouro_share(objects[i] = make());
    thread_join_running(thread_start(release_all, objects, 0));
    ouro_safepoint();
}

static void keep(void *(*make)(void), int count)
{
    for (int i = 0; i < count; i++) {
        void *o = make();
        ouro_share(o);
        ouro_release(o);
    }
}

static void forget(void)
{
    memset(oi_act.self->handed_over, 0, sizeof oi_act.self->handed_over);
}

static void next_is_no_probe(void)
{
    oi_act.self->publications = 2;
}

/* How many of MANY publications keep the bias. It leaves no trace. */
static int biased_now(void *(*make)(void))
{
    int16_t before[OI_HANDED_OVER_SCORES];
    int biased = 0;
    memcpy(before, oi_act.self->handed_over, sizeof before);
    for (int i = 0; i < MANY; i++) {
        void *o = make();
        ouro_share(o);
        CHECK(is_biased(o) != is_unbiased(o));
        CHECK_EQ(ouro_refcount(o), 1);
        biased += is_biased(o);
        ouro_release(o);
        memcpy(oi_act.self->handed_over, before, sizeof before);
    }
    return biased;
}

/* Those that are shared with a bias all the same, to see what becomes of them. */
static void check_probes(int biased)
{
    CHECK(biased >= MANY / OI_PROBE / 2 && biased <= 2 * MANY / OI_PROBE);
}

static void test_learned_by_type(void)
{
    forget();
    CHECK_EQ(biased_now(some_plain), MANY);
    hand_over(some_plain);
    check_probes(biased_now(some_plain));
    CHECK_EQ(biased_now(some_node), MANY);
}

/* What dies with the tree that is handed over says nothing. */
static void test_trees_are_learned(void)
{
    forget();
    hand_over(some_list);
    check_probes(biased_now(some_list));
}

static void test_unlearned(void)
{
    forget();
    hand_over(some_plain);
    keep(some_plain, (OI_HANDED_OVER_MOST - OI_HANDED_OVER_FROM) / 4);
    check_probes(biased_now(some_plain));
    keep(some_plain, 3 * (OI_HANDED_OVER_MOST - OI_HANDED_OVER_FROM));
    CHECK_EQ(biased_now(some_plain), MANY);
}

/* Types that come in turns: no type's probes are all the other's. */
static void test_unlearned_in_turns(void)
{
    forget();
    hand_over(some_plain);
    hand_over(some_node);
    for (int i = 0; i < 4 * (OI_HANDED_OVER_MOST - OI_HANDED_OVER_FROM); i++) {
        keep(some_plain, 1);
        keep(some_node, 1);
    }
    CHECK_EQ(biased_now(some_plain), MANY);
    CHECK_EQ(biased_now(some_node), MANY);
}

/* As many as are handed over are kept: nothing is concluded. */
static void test_undecided(void)
{
    forget();
    for (int i = 0; i < MANY; i++) {
        void *o = some_plain();
        ouro_share(o);
        if (i % 2)
            drop_elsewhere(o);
        else
            ouro_release(o);
        ouro_safepoint();
    }
    CHECK_EQ(biased_now(some_plain), MANY);
}

/* A maker that goes on counting what others drop in the end needs its bias, and this is not forgotten at once. */
static void test_counted_by_the_maker(void)
{
    forget();
    hand_over(some_plain);
    for (int i = 0; i < 100; i++) {
        void *o = some_plain();
        ouro_share(o);
        for (int k = 0; k < 10000; k++) {
            ouro_retain(o);
            ouro_release(o);
        }
        drop_elsewhere(o);
        ouro_safepoint();
    }
    CHECK_EQ(biased_now(some_plain), MANY);
    hand_over(some_plain);
    CHECK_EQ(biased_now(some_plain), MANY);
}

static void *count_much(void *object)
{
    for (int k = 0; k < 100000; k++) {
        ouro_retain(object);
        ouro_release(object);
    }
    ouro_release(object);
    return NULL;
}

/* Others may count as they like. */
static void test_counted_by_others(void)
{
    forget();
    hand_over(some_plain);
    next_is_no_probe();
    void *o = some_plain();
    ouro_share(o);
    CHECK(is_unbiased(o));
    thread_join_running(thread_start(count_much, o, 0));
    check_probes(biased_now(some_plain));
}

/* It dies where it is dropped: its owner, who runs, need not look. */
static void test_dies_at_once(void)
{
    forget();
    hand_over(some_node);
    next_is_no_probe();
    struct node *n = node_new(1);
    ouro_share(n);
    CHECK(is_unbiased(n));
    long before = finalized();
    drop_elsewhere(n);
    CHECK_EQ(finalized() - before, 1);
    CHECK(oi_stack_is_empty(&oi_act.self->tslot.inbox));
}

/* All references that the maker had are counted. */
static void test_references_count(void)
{
    forget();
    hand_over(some_plain);
    struct node *n = plain_new(1);
    for (int i = 0; i < 5; i++)
        ouro_retain(n);
    next_is_no_probe();
    ouro_share(n);
    CHECK(is_unbiased(n));
    CHECK_EQ(ouro_refcount(n), 6);
    drop_elsewhere(n);
    CHECK_EQ(ouro_refcount(n), 5);
    for (int i = 0; i < 4; i++)
        ouro_release(n);
    CHECK_EQ(ouro_refcount(n), 1);
    CHECK(ouro_try_retain(n));
    ouro_release(n);
    ouro_release(n);
}

/* What is reached goes by its own type; the references among what is published are there on both sides. */
static void test_rings(void)
{
    forget();
    hand_over(some_plain);
    struct node *ring = plain_new(1), *inner = node_new_with(2, ouro_retain(ring), NULL);
    ouro_set(ring, &ring->a, inner);
    ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
    next_is_no_probe();
    ouro_share(ring);
    CHECK(is_unbiased(ring) && is_biased(inner));
    CHECK_EQ(ouro_refcount(ring), 2);
    CHECK_EQ(ouro_refcount(inner), 2);
    ouro_release(inner);
    CHECK_PTR(ouro_weak_get(weak), ring);
    ouro_release(ring);
    ouro_release(ring); /* garbage now */
    long before = finalized();
    CHECK(ouro_gc_collect(2) >= 1);
    CHECK_EQ(finalized() - before, 1);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

/* A count beyond what the other word holds. */
static void test_overflow(void)
{
    forget();
    hand_over(some_plain);
    struct node *n = plain_new(1);
    oi_set_local(&n->object, (uint32_t)OI_COUNT_MAX);
    next_is_no_probe();
    ouro_share(n);
    CHECK_EQ(ouro_refcount(n), SIZE_MAX);
    fixture_leaves(1);
}

static struct node *kept;

static void share_and_keep(void *object)
{
    ouro_share(object);
    kept = ouro_retain(object);
}

/* A finalizer shares its object, which another thread drops. */
static void test_shared_by_finalizer(void)
{
    forget();
    hand_over(some_node);
    on_finalize(share_and_keep);
    for (int i = 0; i < 2 * OI_PROBE; i++) {
        long before = finalized();
        ouro_release(node_new(i));
        CHECK_EQ(finalized() - before, 1);
        CHECK_EQ(ouro_refcount(kept), 1);
        drop_elsewhere(kept);
        ouro_safepoint();
        CHECK_EQ(finalized() - before, 1);
    }
}

/* Whoever claims the slot of a parked thread notes what is dropped meanwhile. */
static void test_claimers_note(void)
{
    forget();
    for (int i = 0; i < 2 * OI_HANDED_OVER_FROM; i++) {
        void *o = some_plain();
        ouro_share(o);
        thread_join_parked(thread_start(release_it, o, 0));
    }
    check_probes(biased_now(some_plain));
}

int main(void)
{
    check_start("handover_test");
    fixture_start();
    FIXTURE_RUN(test_learned_by_type);
    FIXTURE_RUN(test_trees_are_learned);
    FIXTURE_RUN(test_unlearned);
    FIXTURE_RUN(test_unlearned_in_turns);
    FIXTURE_RUN(test_undecided);
    FIXTURE_RUN(test_counted_by_the_maker);
    FIXTURE_RUN(test_counted_by_others);
    FIXTURE_RUN(test_dies_at_once);
    FIXTURE_RUN(test_references_count);
    FIXTURE_RUN(test_rings);
    FIXTURE_RUN(test_overflow);
    FIXTURE_RUN(test_shared_by_finalizer);
    FIXTURE_RUN(test_claimers_note);
    return check_finish();
}
