/* SPDX-License-Identifier: MIT
 *
 * Young collection: garbage cycles of the calling thread's private objects are found completely and exactly, whatever
 * hangs from them and points to them; live ones stay; automatic collection keeps memory bounded; switches, thresholds,
 * counts and statistics say what they promise. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static struct node *ring_new(ouro_type *type, long length)
{
    struct node *first = ouro_new(type), *last = ouro_retain(first);
    REQUIRE(first);
    for (long i = 1; i < length; i++) {
        struct node *n = ouro_new(type);
        REQUIRE(n);
        n->id = i;
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    return first;
}

static long walk_ring(struct node *first)
{
    long length = 0;
    struct node *n = first;
    do {
        if (n->id != length++)
            return -1;
        n = ouro_peek(&n->a);
    } while (n && n != first);
    return n ? length : -1;
}

static const long lengths[] = {1, 2, 3, 10, 100, 100000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void test_rings(void)
{
    ouro_gc_disable();
    for (int i = 0; i < LENGTHS; i++)
        for (int finalizers = 0; finalizers < 2; finalizers++) {
            long before = finalized();
            size_t live = live_objects_now();
            ouro_release(ring_new(finalizers ? &node_type : &plain_type, lengths[i]));
            CHECK_EQ(live_objects_now() - live, lengths[i]);
            CHECK_EQ(ouro_gc_collect(0), lengths[i]);
            CHECK_EQ(live_objects_now(), live);
            CHECK_EQ(finalized() - before, finalizers ? lengths[i] : 0);
            CHECK_EQ(ouro_gc_collect(0), 0);
        }
    ouro_gc_enable();
}

/* Generations 1 and 2 collect generation 0 too. */
static void test_generations(void)
{
    for (int generation = 0; generation < OURO_GC_GENERATIONS; generation++) {
        ouro_release(ring_new(&plain_type, 7));
        CHECK_EQ(ouro_gc_collect(generation), 7);
    }
    CHECK_EQ(ouro_gc_collect(-1), OURO_E_INVALID);
    CHECK_EQ(ouro_gc_collect(OURO_GC_GENERATIONS), OURO_E_INVALID);
    CHECK_EQ(ouro_gc_collect(1000), OURO_E_INVALID);
    ouro_read_begin();
    CHECK_EQ(ouro_gc_collect(0), OURO_E_USAGE);
    ouro_read_end();
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_gc_collect", NULL, NULL);
    CHECK_EQ(ouro_gc_collect(0), 0);
}

static void test_self_loops(void)
{
    for (int i = 0; i < 100; i++) {
        struct node *n = plain_new(i);
        ouro_set(n, &n->a, n);
        ouro_set(n, &n->b, n);
        ouro_release(n);
    }
    struct table *t = table_new(1000);
    for (int i = 0; i < 1000; i++)
        ouro_set(t, &t->items[i], t);
    ouro_release(t);
    CHECK_EQ(ouro_gc_collect(0), 101);
}

/* Large arrays take part like small objects. */
static void test_large_members(void)
{
    struct table *one = table_new(100000), *other = table_new(3);
    for (int i = 0; i < 100000; i += 10)
        ouro_set(one, &one->items[i], other);
    ouro_set(other, &other->items[2], one);
    ouro_release(one);
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(ouro_refcount(other), 10001);
    ouro_release(other);
    CHECK_EQ(ouro_gc_collect(0), 2);
}

/* Chains that hang from a garbage ring die with it; chains that lead into it have died before. */
static void test_tails(void)
{
    struct node *ring = ring_new(&node_type, 10);
    struct node *tail = NULL;
    for (int i = 0; i < 50; i++)
        tail = node_new_with(i, tail, NULL);
    ouro_give(ring, &ring->b, tail);
    struct node *lead = node_new_with(1, node_new_with(2, ouro_retain(ring), NULL), NULL);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 0); /* held by what leads into it */
    CHECK_EQ(finalized(), 0);
    ouro_release(lead);
    CHECK_EQ(finalized(), 2);
    CHECK_EQ(ouro_gc_collect(0), 60);
    CHECK_EQ(finalized(), 62);
}

/* Leaves in a garbage ring, private and published, shared with the living or not. */
static void test_leaves(void)
{
    struct leaf *kept = leaf_new(1), *kept_shared = leaf_new(2), *lost_shared = leaf_new(3);
    ouro_share(kept_shared);
    ouro_share(lost_shared);
    for (int i = 0; i < 10; i++) {
        struct node *ring = ring_new(&plain_type, 4);
        struct node *second = ouro_get(ring, &ring->a), *third = ouro_get(second, &second->a);
        ouro_set(ring, &ring->b, kept);
        ouro_set(second, &second->b, kept_shared);
        ouro_set(third, &third->b, lost_shared);
        ouro_release(third);
        ouro_release(second);
        ouro_release(ring);
    }
    ouro_release(lost_shared);
    CHECK_EQ(ouro_refcount(kept), 11);
    CHECK_EQ(ouro_refcount(kept_shared), 11);
    CHECK_EQ(ouro_refcount(lost_shared), 10);
    CHECK_EQ(ouro_gc_collect(0), 40);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(ouro_refcount(kept), 1);
    CHECK_EQ(ouro_refcount(kept_shared), 1);
    ouro_release(kept);
    ouro_release(kept_shared);
    CHECK_EQ(finalized(), 3);
    struct node *ring = ring_new(&plain_type, 2); /* and a private one that nobody else holds */
    ouro_give(ring, &ring->b, leaf_new(4));
    ouro_release(ring);
    CHECK_GE(ouro_gc_collect(0), 2);
    CHECK_EQ(finalized(), 4);
}

/* Published objects with references of their own are no part of it, but lose the references of the garbage. */
static void test_published_referents(void)
{
    struct node *published = node_new_with(1, node_new(2), NULL);
    ouro_share(published);
    struct node *ring = ring_new(&node_type, 3);
    ouro_set(ring, &ring->b, published);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 3);
    CHECK_EQ(ouro_refcount(published), 1);
    ring = ring_new(&node_type, 3);
    ouro_give(ring, &ring->b, published);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 3);
    CHECK_EQ(finalized(), 3 + 3 + 2);
}

/* Live rings survive any number of collections, untouched, and die when they are dropped. */
static void test_live_rings(void)
{
    struct node *rings[LENGTHS];
    size_t total = 0;
    for (int i = 0; i < LENGTHS; i++) {
        rings[i] = ring_new(&node_type, lengths[i]);
        total += (size_t)lengths[i];
    }
    for (int round = 0; round < 5; round++) {
        ouro_release(ring_new(&plain_type, 5));
        CHECK_EQ(ouro_gc_collect(0), 5);
        for (int i = 0; i < LENGTHS; i++) {
            CHECK_EQ(walk_ring(rings[i]), lengths[i]);
            CHECK_EQ(ouro_refcount(rings[i]), 2);
        }
    }
    CHECK_EQ(finalized(), 0);
    for (int i = 0; i < LENGTHS; i++)
        ouro_release(rings[i]);
    CHECK_EQ(ouro_gc_collect(0), (long)total);
    CHECK_EQ(finalized(), (long)total);
}

/* A ring that is held from a stack variable at any one of its members lives. */
static void test_held_anywhere(void)
{
    enum { LENGTH = 20 };
    for (int held = 0; held < LENGTH; held++) {
        struct node *n = ring_new(&plain_type, LENGTH);
        for (int i = 0; i < held; i++) {
            struct node *next = ouro_get(n, &n->a);
            ouro_release(n);
            n = next;
        }
        CHECK_EQ(ouro_gc_collect(0), 0);
        CHECK_EQ(n->id, held);
        ouro_release(n);
        CHECK_EQ(ouro_gc_collect(0), LENGTH);
    }
}

static void count_call(ouro_weak *weak, void *arg)
{
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ++*(int *)arg;
}

/* Each member has a finalizer and two weak references, one with a callback. */
static void test_weak_references_and_finalizers(void)
{
    enum { LENGTH = 100 };
    int calls = 0;
    struct table *weaks = table_new(2 * LENGTH);
    struct node *ring = ring_new(&node_type, LENGTH), *n = ring;
    for (int i = 0; i < LENGTH; i++) {
        ouro_give(weaks, &weaks->items[2 * i], ouro_weak_new(n, count_call, &calls));
        ouro_give(weaks, &weaks->items[2 * i + 1], ouro_weak_new(n, NULL, NULL));
        n = ouro_peek(&n->a);
    }
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(calls, 0);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), LENGTH);
    CHECK_EQ(calls, LENGTH);
    CHECK_EQ(finalized(), LENGTH);
    int alive = 0;
    for (int i = 0; i < 2 * LENGTH; i++)
        alive += ouro_weak_get(ouro_peek(&weaks->items[i])) != NULL;
    CHECK_EQ(alive, 0);
    ouro_release(weaks);
}

/* Upgrading brings garbage back to life before it is found. */
static void test_upgraded_garbage(void)
{
    struct node *ring = ring_new(&node_type, 3);
    ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
    ouro_release(ring);
    ring = ouro_weak_get(weak);
    CHECK(ring);
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(walk_ring(ring), 3);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 3);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

/* Another thread's rings are not this thread's business; it collects its own. */
static void *collect_own(void *arg)
{
    CHECK_EQ(ouro_gc_collect(0), 0);
    ouro_release(ring_new(&node_type, 4));
    CHECK_EQ(ouro_gc_collect(0), 4);
    CHECK_EQ(finalized(), 4);
    return arg;
}

static void test_own_thread_only(void)
{
    struct node *ring = ring_new(&node_type, 6);
    ouro_release(ring_new(&node_type, 5));
    thread_join_running(thread_start(collect_own, NULL, 0));
    CHECK_EQ(finalized(), 4);
    CHECK_EQ(walk_ring(ring), 6);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 11);
}

static void set_threshold(size_t first)
{
    size_t in[3] = {first, 0, 0};
    CHECK_EQ(ouro_gc_set_threshold(in), OURO_OK);
}

/* Ten million rings of two, with a pinned threshold: at no time more is alive than the threshold and some pages of
 * it. */
static void test_pinned_threshold_bounds_memory(void)
{
    enum { RINGS = SCALED(10000000), EVERY = 100000, THRESHOLD = 5000 };
    set_threshold(THRESHOLD);
    CHECK_GE(ouro_gc_collect(0), 0);
    size_t committed = mem_stats().committed_bytes, most = 0, most_live = 0;
    for (int i = 0; i < RINGS; i++) {
        ouro_release(ring_new(&plain_type, 2));
        if (i % EVERY)
            continue;
        ouro_mem_stats stats = mem_stats();
        most = stats.committed_bytes > most ? stats.committed_bytes : most;
        most_live = stats.live_objects > most_live ? stats.live_objects : most_live;
    }
    CHECK_LE(most_live, 5 * THRESHOLD);
    CHECK_LE(most, committed + (8u << 20));
    set_threshold(0);
    CHECK_GE(ouro_gc_collect(0), 0);
}

/* The same with the threshold chosen by the library, rings of different lengths, and a live heap beside them. */
static void test_own_threshold_bounds_memory(void)
{
    enum { NODES = SCALED(6000000), LIVE = 20000 };
    struct rng rng = rng_stream(seed, 1);
    struct node *live = ring_new(&plain_type, LIVE);
    size_t most = 0, before = mem_stats().committed_bytes;
    long made = 0;
    for (int i = 0; made < NODES; i++) {
        long length = 1 + (long)rng_below(&rng, rng_one_in(&rng, 50) ? 1000 : 20);
        ouro_release(ring_new(&plain_type, length));
        made += length;
        if (i % 1000 == 0) {
            size_t committed = mem_stats().committed_bytes;
            most = committed > most ? committed : most;
        }
    }
    CHECK_LE(most, before + (32u << 20));
    CHECK_EQ(walk_ring(live), LIVE);
    ouro_release(live);
    CHECK_GE(ouro_gc_collect(0), LIVE);
}

static void test_thresholds(void)
{
    size_t in[3] = {123, 4, 5}, out[3] = {9, 9, 9}, zero[3] = {0, 0, 0};
    ouro_gc_get_threshold(out);
    CHECK_EQ(out[0], 0); /* the default */
    CHECK_EQ(ouro_gc_set_threshold(in), OURO_OK);
    ouro_gc_get_threshold(out);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(out[i], in[i]);
    CHECK_EQ(ouro_gc_set_threshold(zero), OURO_OK);
    ouro_gc_get_threshold(out);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(out[i], 0);
}

/* Off: nothing is collected but by request. On again: it is. */
static void test_disable(void)
{
    enum { RINGS = 20000 };
    set_threshold(1000);
    CHECK(ouro_gc_is_enabled());
    ouro_gc_disable();
    CHECK(!ouro_gc_is_enabled());
    size_t live = live_objects_now();
    for (int i = 0; i < RINGS; i++)
        ouro_release(ring_new(&plain_type, 2));
    ouro_safepoint();
    CHECK_EQ(live_objects_now() - live, 2 * RINGS);
    CHECK_EQ(ouro_gc_collect(0), 2 * RINGS);
    for (int i = 0; i < RINGS; i++)
        ouro_release(ring_new(&plain_type, 2));
    ouro_gc_enable();
    CHECK(ouro_gc_is_enabled());
    for (int i = 0; i < RINGS; i++)
        ouro_release(ring_new(&plain_type, 2));
    CHECK_LT(live_objects_now() - live, 2 * RINGS);
    set_threshold(0);
    CHECK_GE(ouro_gc_collect(0), 0);
}

static size_t count_now(void)
{
    size_t out[3] = {9, 9, 9};
    ouro_gc_get_count(out);
    return out[0];
}

/* Made less gone, since the last collection; reading it changes nothing. */
static void test_get_count(void)
{
    enum { COUNT = 3000 };
    static struct node *nodes[COUNT];
    ouro_gc_disable();
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(count_now(), 0);
    for (int i = 0; i < COUNT; i++) {
        nodes[i] = plain_new(i);
        CHECK_EQ(count_now(), i + 1);
    }
    for (int i = 0; i < COUNT / 2; i++)
        ouro_release(nodes[i]);
    CHECK_EQ(count_now(), COUNT / 2);
    CHECK_EQ(count_now(), COUNT / 2);
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(count_now(), 0);
    for (int i = COUNT / 2; i < COUNT; i++)
        ouro_release(nodes[i]);
    ouro_gc_enable();
}

static ouro_gc_generation_stats young_stats(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    CHECK_EQ(stats.size, sizeof stats);
    return stats.generation[0];
}

static void *collect_in_thread(void *arg)
{
    (void)arg;
    ouro_release(ring_new(&plain_type, 30));
    CHECK_EQ(ouro_gc_collect(0), 30);
    return NULL;
}

static void test_stats(void)
{
    ouro_gc_disable();
    ouro_gc_generation_stats before = young_stats();
    ouro_release(ring_new(&plain_type, 50));
    struct node *live = ring_new(&plain_type, 20);
    CHECK_EQ(ouro_gc_collect(0), 50);
    ouro_gc_generation_stats after = young_stats();
    CHECK_EQ(after.collections - before.collections, 1);
    CHECK_EQ(after.collected - before.collected, 50);
    CHECK_EQ(after.uncollectable, 0);
    CHECK_GE(after.candidates - before.candidates, 70);
    CHECK_GT(after.duration_ns, before.duration_ns);
    CHECK_LE(after.duration_max_ns, after.duration_ns);
    CHECK_GT(after.duration_max_ns, 0);
    ouro_release(live);
    CHECK_EQ(ouro_gc_collect(0), 20);
    before = young_stats();
    thread_do(collect_in_thread, NULL, 0); /* and its numbers stay when it is gone */
    after = young_stats();
    CHECK_GE(after.collections - before.collections, 1);
    CHECK_EQ(after.collected - before.collected, 30);
    ouro_gc_enable();
}

/* A caller built against a smaller struct: what lies beyond is not written. */
static void test_stats_of_smaller_size(void)
{
    ouro_gc_stats stats;
    unsigned char *bytes = (unsigned char *)&stats;
    size_t sizes[] = {sizeof(size_t), offsetof(ouro_gc_stats, generation[1]), sizeof stats - 1, sizeof stats};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(&stats, 0xee, sizeof stats);
        ouro_gc_get_stats(&stats, sizes[i]);
        CHECK_EQ(stats.size, sizes[i]);
        size_t written = 0;
        for (size_t k = sizes[i]; k < sizeof stats; k++)
            written += bytes[k] != 0xee;
        CHECK_EQ(written, 0);
    }
}

/* What the type promises to be acyclic is not looked at, and dies by its count. */
static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);

static void test_acyclic_objects(void)
{
    struct node *ring = ring_new(&node_type, 2);
    struct node *between = ouro_new(&acyclic_type);
    REQUIRE(between);
    ouro_give(between, &between->a, leaf_new(1));
    ouro_give(ring, &ring->b, between);
    ouro_release(ring);
    CHECK_GE(ouro_gc_collect(0), 2);
    CHECK_EQ(finalized(), 3);
}

int main(void)
{
    check_start("young_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_rings);
    FIXTURE_RUN(test_generations);
    FIXTURE_RUN(test_self_loops);
    FIXTURE_RUN(test_large_members);
    FIXTURE_RUN(test_tails);
    FIXTURE_RUN(test_leaves);
    FIXTURE_RUN(test_published_referents);
    FIXTURE_RUN(test_live_rings);
    FIXTURE_RUN(test_held_anywhere);
    FIXTURE_RUN(test_weak_references_and_finalizers);
    FIXTURE_RUN(test_upgraded_garbage);
    FIXTURE_RUN(test_own_thread_only);
    FIXTURE_RUN(test_pinned_threshold_bounds_memory);
    FIXTURE_RUN(test_own_threshold_bounds_memory);
    FIXTURE_RUN(test_thresholds);
    FIXTURE_RUN(test_disable);
    FIXTURE_RUN(test_get_count);
    FIXTURE_RUN(test_stats);
    FIXTURE_RUN(test_stats_of_smaller_size);
    FIXTURE_RUN(test_acyclic_objects);
    return check_finish();
}
