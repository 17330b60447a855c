/* SPDX-License-Identifier: MIT
 *
 * Publication: all that is reachable, nothing else, and `shared` is zero afterwards. */
#include "object/publish.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <ouro/ouro.h>

#include "object/handover.h"
#include "object/weak.h"
#include "port/os.h"
#include "port/perturb.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

static uint64_t seed;

#define IS_PUBLISHED(p) (!!(oi_flags((ouro_object *)(p)) & OI_PUBLISHED))

/* Biased to this thread, nobody else's references, and off every worklist. */
static void check_header(const void *object, bool published)
{
    const ouro_object *o = object;
    CHECK_EQ(IS_PUBLISHED(o), published);
    CHECK_EQ(oi_owner(o), oi_my_id());
    CHECK_EQ(oi_shared(o), 0);
    CHECK_EQ(oi_page_of(o)->gray, 0);
    CHECK_PTR(oi_act.self->gray, NULL);
}

static void test_one(void)
{
    struct node *n = plain_new(1);
    struct leaf *l = leaf_new(2);
    check_header(n, false);
    ouro_share(n);
    ouro_share(l);
    check_header(n, true);
    check_header(l, true);
    CHECK_EQ(oi_flags(&n->object), OI_PUBLISHED);
    CHECK_EQ(oi_flags(&l->object), OI_PUBLISHED | OI_UNTRACKED);
    ouro_share(n); /* nothing happens */
    ouro_share(NULL);
    check_header(n, true);
    CHECK_EQ(ouro_refcount(n), 1);
    ouro_release(n);
    ouro_release(l);
}

/* A deep chain needs neither stack nor memory. */
static void test_chain(void)
{
    struct node *first = plain_new(0), *last = ouro_retain(first);
    long length = 100000;
    for (long i = 1; i < length; i++) {
        struct node *n = plain_new(i);
        ouro_give(last, &last->a, ouro_retain(n));
        ouro_release(last);
        last = n;
    }
    ouro_release(last);
    size_t before = oi_page_totals().in_use;
    ouro_share(first);
    CHECK_EQ(oi_page_totals().in_use, before);
    long n = 0;
    for (struct node *o = first; o; o = ouro_peek(&o->a), n++)
        CHECK(IS_PUBLISHED(o) && oi_shared(&o->object) == 0 && oi_owner(&o->object) == oi_my_id());
    CHECK_EQ(n, length);
    ouro_release(first);
}

enum { NODES = 200 };

static void reach(struct node **nodes, bool *reached, long i)
{
    if (reached[i])
        return;
    reached[i] = true;
    for (int s = 0; s < 2; s++) {
        struct node *child = ouro_peek(s ? &nodes[i]->b : &nodes[i]->a);
        if (child)
            reach(nodes, reached, child->id);
    }
}

/* Random graphs with cycles, shared in several steps: exactly what is reachable is published, each time. */
static void test_random_graphs(void)
{
    struct rng rng = rng_stream(seed, 0);
    for (int round = 0; round < 60; round++) {
        struct node *nodes[NODES];
        bool reached[NODES] = {0};
        for (long i = 0; i < NODES; i++)
            nodes[i] = plain_new(i);
        uint32_t edges = 20 + rng_below(&rng, 2 * NODES);
        for (uint32_t e = 0; e < edges; e++) {
            struct node *from = nodes[rng_below(&rng, NODES)];
            ouro_set(from, rng_one_in(&rng, 2) ? &from->a : &from->b, nodes[rng_below(&rng, NODES)]);
        }
        for (int share = 0; share < 3; share++) {
            long root = (long)rng_below(&rng, NODES);
            ouro_share(nodes[root]);
            reach(nodes, reached, root);
            for (long i = 0; i < NODES; i++)
                check_header(nodes[i], reached[i]);
        }
        for (long i = 0; i < NODES; i++) {
            ouro_set(nodes[i], &nodes[i]->a, NULL);
            ouro_set(nodes[i], &nodes[i]->b, NULL);
        }
        for (long i = 0; i < NODES; i++) {
            CHECK_EQ(ouro_refcount(nodes[i]), 1);
            ouro_release(nodes[i]);
        }
    }
}

/* Storing into a published container publishes what is stored, and what that reaches, before anybody can find it. */
static void test_stores_publish(void)
{
    struct node *box = plain_new(0);
    ouro_share(box);
    for (int how = 0; how < 4; how++) {
        struct node *child = plain_new(2), *n = plain_new(1), *apart = plain_new(3);
        ouro_set(n, &n->b, child);
        switch (how) {
        case 0:
            ouro_set(box, &box->a, n);
            break;
        case 1:
            ouro_give(box, &box->a, ouro_retain(n));
            break;
        case 2:
            CHECK_PTR(ouro_swap(box, &box->a, ouro_retain(n)), NULL);
            break;
        default:
            CHECK(ouro_compare_set(box, &box->a, NULL, n));
        }
        check_header(n, true);
        check_header(child, true);
        check_header(apart, false);
        ouro_set(box, &box->a, NULL);
        ouro_release(n);
        ouro_release(child);
        ouro_release(apart);
    }
    ouro_release(box);
}

/* A comparison that fails publishes nothing. */
static void test_failed_compare(void)
{
    struct node *box = plain_new(0), *n = plain_new(1), *other = plain_new(2);
    ouro_share(box);
    CHECK(!ouro_compare_set(box, &box->a, other, n));
    check_header(n, false);
    ouro_release(box);
    ouro_release(n);
    ouro_release(other);
}

/* Arrays of slots, and objects that own a page. */
static void test_arrays(void)
{
    struct table *t = table_new(50), *large = table_new(20000);
    for (int i = 0; i < 50; i += 7)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_give(t, &t->items[1], large);
    ouro_give(large, &large->items[19999], plain_new(4711));
    ouro_share(t);
    check_header(t, true);
    check_header(large, true);
    for (int i = 0; i < 50; i += 7)
        check_header(ouro_peek(&t->items[i]), true);
    check_header(ouro_peek(&large->items[19999]), true);
    ouro_release(t);
}

static void *retain_it(void *object)
{
    ouro_retain(object);
    return NULL;
}

/* What is published already is not written: another thread's count in it stays. */
static void test_published_child_is_left_alone(void)
{
    struct node *child = plain_new(1), *parent = plain_new(2);
    ouro_share(child);
    thread_join_running(thread_start(retain_it, child, 0));
    CHECK_EQ(oi_shared(&child->object), OI_ONE);
    ouro_set(parent, &parent->a, child);
    ouro_share(parent);
    CHECK_EQ(oi_shared(&child->object), OI_ONE);
    CHECK_EQ(ouro_refcount(child), 3);
    ouro_release(parent);
    ouro_release(child);
    ouro_release(child);
}

static void nothing(ouro_weak *weak, void *arg)
{
    (void)weak;
    (void)arg;
}

/* W1: sharing a weak reference publishes its target; sharing the target publishes those weak references that are
 * called. */
static void test_weak_both_ways(void)
{
    for (int variant = 0; variant < 4; variant++) {
        bool target_first = variant % 2, bare = variant / 2; /* bare: it refers to nothing, but for those who are called */
        struct node *target = plain_new(1), *child = bare ? NULL : plain_new(2);
        ouro_give(target, &target->a, child);
        ouro_weak *weak[6];
        for (int i = 0; i < 6; i++) {
            weak[i] = ouro_weak_new(target, i % 2 ? nothing : NULL, NULL);
            REQUIRE(weak[i]);
            check_header(weak[i], false);
        }
        if (target_first)
            ouro_share(target);
        else
            ouro_share(weak[2]);
        check_header(target, true);
        if (child)
            check_header(child, true);
        for (int i = 0; i < 6; i++)
            check_header(weak[i], i % 2 || (!target_first && i == 2));
        for (int i = 0; i < 6; i++) {
            CHECK_PTR(ouro_weak_get(weak[i]), target);
            ouro_release(target);
        }
        ouro_release(target);
        for (int i = 0; i < 6; i++) {
            CHECK_PTR(ouro_weak_get(weak[i]), NULL);
            ouro_release(weak[i]);
        }
    }
}

/* Made for a published target: public from the start if it is called. Its target dead: publishes alone. */
static void test_weak_alone(void)
{
    struct node *target = plain_new(1), *other = plain_new(2);
    ouro_share(target);
    ouro_weak *weak = ouro_weak_new(target, NULL, NULL), *called = ouro_weak_new(target, nothing, NULL),
              *late = ouro_weak_new(other, NULL, NULL);
    check_header(weak, false);
    check_header(called, true);
    ouro_release(other);
    check_header(late, false);
    ouro_share(late);
    check_header(late, true);
    ouro_release(late);
    ouro_release(weak);
    ouro_release(called);
    ouro_release(target);
}

static void *share_foreign(void *object)
{
    ouro_share(object);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_share", "plain", object);
    return NULL;
}

/* Only its maker can share an object; a dead one nobody. */
static void test_refused(void)
{
    struct node *n = plain_new(1), *stays = plain_new(2);
    thread_join_running(thread_start(share_foreign, n, 0));
    check_header(n, false);
    ouro_release(n);
    ouro_share(n);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_share", NULL, n);
    ouro_release(stays);
}

static _Thread_local struct node *watched_target;
static pthread_barrier_t target_is_published;
static bool is_collecting; /* atomic */

/* Once, when the target of the weak reference has just been published. */
static void hold_up_publisher(void)
{
    if (!watched_target || !IS_PUBLISHED(watched_target))
        return;
    watched_target = NULL;
    pthread_barrier_wait(&target_is_published);
    while (!oi_load_acquire(&is_collecting))
        sched_yield();
    for (int i = 0; i < 50; i++) /* as long as a collection takes, if it does not wait */
        oi_os_sleep_ms(1);
}

static void *collect_meanwhile(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&target_is_published);
    oi_store_release(&is_collecting, true);
    CHECK(ouro_gc_collect(2) >= 0);
    return NULL;
}

/* A weak reference is shared whose private target is garbage, with weak references that have callbacks, and leads to what else there is. As soon as
 * it is published, a collection may take it. */
static void test_weak_target_is_garbage(void)
{
    for (int unbiased = 0; unbiased < 2; unbiased++) {
        oi_handed_over_from = unbiased ? INT16_MIN : INT16_MAX;
        oi_act.self->publications = 2;
        struct node *neighbour = plain_new(0), *stays = plain_new(1), *target = plain_new(2);
        ouro_weak *weak = ouro_weak_new(target, NULL, NULL), *other = ouro_weak_new(target, NULL, NULL);
        ouro_share(neighbour); /* so that collections look at their page */
        ouro_set(target, &target->a, target);
        ouro_set(target, &target->b, stays);
        pthread_barrier_init(&target_is_published, NULL, 2);
        watched_target = target;
        ouro_release(target); /* garbage, but for the young collection to come */
        oi_store_relaxed(&is_collecting, false);
        pthread_t thread = thread_start(collect_meanwhile, NULL, 0);
        oi_store_relaxed(&oi_perturb_hook, hold_up_publisher); /* the library's threads are running */
        ouro_share(weak);
        oi_store_relaxed(&oi_perturb_hook, NULL);
        thread_join_parked(thread);
        pthread_barrier_destroy(&target_is_published);
        CHECK(ouro_gc_collect(2) >= 0);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        CHECK_PTR(ouro_weak_get(other), NULL);
        ouro_release(weak);
        ouro_release(other);
        CHECK(IS_PUBLISHED(stays));
        CHECK_EQ(ouro_refcount(stays), 1);
        ouro_release(stays);
        ouro_release(neighbour);
    }
    oi_handed_over_from = OI_HANDED_OVER_FROM;
}

static ouro_type acyclic_type = OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);
static _Thread_local ouro_object *cut_off_at;
static pthread_barrier_t cut_off;
static bool has_forked; /* atomic */

/* Once, when that object has just been published, and what it refers to has not. Not for ever: the thread is in a read section, and if a grace
 * period is under way, the fork waits for that. */
static void stop_publisher(void)
{
    if (!cut_off_at || !IS_PUBLISHED(cut_off_at))
        return;
    cut_off_at = NULL;
    pthread_barrier_wait(&cut_off);
    for (int i = 0; i < 200 && !oi_load_relaxed(&has_forked); i++)
        oi_os_sleep_ms(1);
}

/* Garbage, which a weak reference leads to: a ring, an object of an acyclic type, which counting alone frees, and another. */
static void *publish_until_stopped(void *unused)
{
    (void)unused;
    struct node *neighbour = plain_new(0), *ring = plain_new(1), *middle = ouro_new(&acyclic_type);
    ouro_share(neighbour);
    ouro_give(middle, &middle->a, plain_new(2));
    ouro_set(ring, &ring->a, ring);
    ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
    cut_off_at = &middle->object;
    ouro_give(ring, &ring->b, middle);
    ouro_release(ring);
    ouro_share(weak);
    ouro_release(weak);
    ouro_release(neighbour);
    return NULL;
}

static void collect_in_child(void *unused)
{
    (void)unused;
    oi_store_relaxed(&oi_perturb_hook, NULL);
    CHECK(ouro_gc_collect(2) >= 1); /* the ring, at the least */
    CHECK_EQ(misuse_count(), 0);
}

/* A fork while another thread publishes: in the child, what is published already may refer to what is not. */
static void test_cut_off_by_fork(void)
{
    for (int unbiased = 0; unbiased < 2; unbiased++) {
        oi_handed_over_from = unbiased ? INT16_MIN : INT16_MAX;
        pthread_barrier_init(&cut_off, NULL, 2);
        oi_store_relaxed(&has_forked, false);
        oi_store_relaxed(&oi_perturb_hook, stop_publisher);
        pthread_t thread = thread_start(publish_until_stopped, NULL, 0);
        pthread_barrier_wait(&cut_off);
        CHECK_EQ(child_run(collect_in_child, NULL), 0);
        oi_store_relaxed(&has_forked, true);
        thread_join_parked(thread);
        oi_store_relaxed(&oi_perturb_hook, NULL);
        pthread_barrier_destroy(&cut_off);
        CHECK(ouro_gc_collect(2) >= 0);
    }
    oi_handed_over_from = OI_HANDED_OVER_FROM;
}

int main(void)
{
    check_start("publish_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    FIXTURE_RUN(test_one);
    FIXTURE_RUN(test_chain);
    FIXTURE_RUN(test_random_graphs);
    FIXTURE_RUN(test_stores_publish);
    FIXTURE_RUN(test_failed_compare);
    FIXTURE_RUN(test_arrays);
    FIXTURE_RUN(test_published_child_is_left_alone);
    FIXTURE_RUN(test_weak_both_ways);
    FIXTURE_RUN(test_weak_alone);
    if (OURO_DEBUG) { /* they need the hook */
        FIXTURE_RUN(test_weak_target_is_garbage);
        FIXTURE_RUN(test_cut_off_by_fork);
    }
    FIXTURE_RUN(test_refused);
    return check_finish();
}
