/* SPDX-License-Identifier: MIT
 *
 * Weak references, and looking at the heap while it is collected. Each test is a failure that users of another system have reported, named
 * after it; the comment says whose, and what happens here instead. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "support/threads.h"
#include "support/values.h"

static uint64_t seed;

/* ---- The last drop, and a weak reference asked meanwhile ---- */

enum { TARGETS = SCALED(20000) };
static struct node *targets[TARGETS];
static struct table *weaks;
static atomic_long got;

static void drop_or_ask(struct member *self)
{
    for (int i = 0; i < TARGETS; i++) {
        if (self->index == 0) {
            ouro_release(targets[i]);
        } else {
            ouro_weak *weak = ouro_get(weaks, &weaks->items[i]);
            struct node *n = ouro_weak_get(weak);
            if (n) {
                CHECK_EQ(n->id, i);
                atomic_fetch_add(&got, 1);
            }
            ouro_release(n);
            ouro_release(weak);
        }
        if (rng_one_in(&self->rng, 256))
            yield_sometimes(&self->rng);
    }
}

/* OloEngine (drsnuggles8/OloEngineBase#615) and Zed (zed-industries/zed#30952): a weak reference looked whether its target was alive and took a
 * reference in a second step; the last drop came in between, and the object was used after it was freed, or freed twice. Here both are one step:
 * who gets the target has it whole, and each dies once. */
static void test_weak_reference_revives_what_the_last_drop_frees(void)
{
    weaks = table_new(TARGETS);
    for (int i = 0; i < TARGETS; i++) {
        targets[i] = node_new(i);
        ouro_give(weaks, &weaks->items[i], ouro_weak_new(targets[i], NULL, NULL));
    }
    ouro_share(weaks); /* and with it the targets */
    team_run(3, seed, drop_or_ask, NULL);
    ouro_safepoint();
    CHECK_EQ(finalized(), TARGETS);
    int alive = 0;
    for (int i = 0; i < TARGETS; i++)
        alive += ouro_weak_get(ouro_peek(&weaks->items[i])) != NULL;
    CHECK_EQ(alive, 0);
    ouro_release(weaks);
}

/* ---- What goes with an object, while its weak references are told ---- */

static atomic_int called;

static void note_call(ouro_weak *weak, void *arg)
{
    (void)arg;
    CHECK_PTR(ouro_weak_get(weak), NULL);
    atomic_fetch_add(&called, 1);
}

/* quickjs-ng (quickjs-ng/quickjs#1352, #1318): the value of a weak map's entry was the only holder of a registry that waited for the same key; the
 * key died, the entry and with it the registry was freed, and then the registry was told. Here the map's value is there until it has been told, or
 * is not told any more; either way, once. */
static void test_weak_map_frees_the_registry_that_is_told_next(void)
{
    for (int order = 0; order < 2; order++) {
        struct node *key = node_new(1);
        ouro_value map;
        REQUIRE(ouro_weak_map_new(OURO_WEAK_KEYS, &map) == OURO_OK);
        atomic_store(&called, 0);
        ouro_weak *registry = order ? ouro_weak_new(key, note_call, NULL) : NULL;
        CHECK_OK(ouro_weak_map_set(map, ouro_value_of(key), OURO_TRUE)); /* before, or after, the map begins to wait for the key */
        registry = registry ? registry : ouro_weak_new(key, note_call, NULL);
        REQUIRE(registry);
        CHECK_OK(ouro_weak_map_set(map, ouro_value_of(key), ouro_value_of(registry)));
        ouro_release(registry);
        ouro_release(key);
        CHECK_EQ(finalized(), 1 + order);
        size_t length = 9;
        CHECK_OK(ouro_weak_map_length(map, &length));
        CHECK_EQ(length, 0);
        CHECK_LE(atomic_load(&called), 1);
        ouro_value_release(map);
    }
}

static ouro_weak *others[8];

static void drop_others(ouro_weak *weak, void *arg)
{
    (void)weak, (void)arg;
    atomic_fetch_add(&called, 1);
    for (int i = 0; i < 8; i++) {
        ouro_release(others[i]); /* also those that would have been told next */
        others[i] = NULL;
    }
    CHECK_GE(ouro_gc_collect(2), 0);
}

/* QuickJS (bellard/quickjs#494): a callback told of an object's death started a collection, which freed entries of the list that was being gone
 * through. Here a callback may drop the other weak references of the same target, and collect. */
static void test_callback_that_collects_frees_what_is_told_next(void)
{
    for (int how = 0; how < 4; how++) {
        struct node *target = node_new(1);
        if (how % 2)
            ouro_share(target);
        atomic_store(&called, 0);
        for (int i = 0; i < 8; i++)
            REQUIRE((others[i] = ouro_weak_new(target, drop_others, NULL)));
        if (how / 2)
            ouro_set(target, &target->a, target); /* garbage, for the collection to find */
        ouro_release(target);
        CHECK_GE(ouro_gc_collect(2), how / 2);
        CHECK_GE(atomic_load(&called), 1);
        CHECK_LE(atomic_load(&called), 8);
        CHECK_PTR(others[0], NULL);
        CHECK_EQ(finalized(), how + 1);
    }
}

/* ---- Looking at the heap ---- */

static int look(void *object, void *arg)
{
    CHECK(ouro_type_of(object) != NULL);
    CHECK_GE(ouro_refcount(object), 1);
    ++*(long *)arg;
    return 0;
}

static void look_around(void *object)
{
    long seen = 0;
    ouro_gc_visit_objects(-1, look, &seen);
    seen = 0;
    ouro_gc_visit_referrers(object, look, &seen);
    CHECK_GE(seen, 1); /* its neighbour */
}

/* CPython, free-threaded (python/cpython#125859): gc.get_objects() and gc.get_referrers(), called while the finalizers of a collection ran, used the
 * same list as the collection, and it crashed. Here a finalizer may look at everything. */
static void test_looking_at_objects_corrupts_the_collection_under_way(void)
{
    on_finalize(look_around);
    for (int shared = 0; shared < 2; shared++) {
        for (int i = 0; i < 20; i++) {
            struct node *a = node_new(i), *b = node_new_with(i, ouro_retain(a), NULL);
            ouro_give(a, &a->a, b);
            if (shared)
                ouro_share(a);
            ouro_release(a);
        }
        CHECK_EQ(ouro_gc_collect(2), 40);
        CHECK_EQ(finalized(), 40 + 40 * shared);
    }
}

/* CPython, free-threaded (python/cpython#126312): a collection went from garbage that was not frozen to an object that was, and took away
 * references that it had never counted: negative counts. Here what garbage refers to loses what it had, frozen or not. */
static void test_garbage_that_refers_to_a_frozen_object(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *frozen = node_new(1);
        if (shared)
            ouro_share(frozen);
        ouro_gc_freeze();
        struct node *garbage = plain_new(2);
        ouro_set(garbage, &garbage->a, frozen);
        ouro_set(garbage, &garbage->b, garbage);
        if (shared)
            ouro_share(garbage);
        ouro_release(garbage);
        CHECK_EQ(ouro_gc_collect(2), 1);
        CHECK_EQ(ouro_refcount(frozen), 1);
        ouro_gc_unfreeze();
        CHECK_EQ(ouro_gc_collect(2), 0);
        CHECK_EQ(frozen->id, 1);
        ouro_release(frozen);
        CHECK_EQ(finalized(), 1 + shared);
    }
}

static void freeze_and_thaw(struct member *self)
{
    for (int i = 0; i < SCALED(60); i++) {
        struct node *n = plain_new(i);
        ouro_set(n, &n->a, n);
        if (rng_one_in(&self->rng, 2))
            ouro_share(n);
        if (self->index % 2)
            ouro_gc_freeze();
        ouro_release(n);
        if (rng_one_in(&self->rng, 4))
            CHECK_GE(ouro_gc_collect(2), 0);
        ouro_gc_unfreeze();
        yield_sometimes(&self->rng);
    }
}

/* CPython, free-threaded (python/cpython#142975): threads that unfroze while another froze and collected: what had died frozen was met again by the
 * next collection. Here it is garbage like all else when it has thawed. */
static void test_unfreezing_while_others_freeze_and_collect(void)
{
    team_run(4, seed, freeze_and_thaw, NULL);
    ouro_gc_unfreeze();
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(ouro_gc_get_freeze_count(), 0);
}

int main(void)
{
    check_start("regress/weak_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_weak_reference_revives_what_the_last_drop_frees);
    FIXTURE_RUN(test_weak_map_frees_the_registry_that_is_told_next);
    FIXTURE_RUN(test_callback_that_collects_frees_what_is_told_next);
    FIXTURE_RUN(test_looking_at_objects_corrupts_the_collection_under_way);
    FIXTURE_RUN(test_garbage_that_refers_to_a_frozen_object);
    FIXTURE_RUN(test_unfreezing_while_others_freeze_and_collect);
    return check_finish();
}
