/* SPDX-License-Identifier: MIT
 *
 * Walks over all objects: visitors meet what there is, by generation, and may do anything meanwhile; referents and referrers are what slots
 * say; frozen objects are out of the collections' sight until they are thawed, and count as ever. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);

enum { MET_MAX = 100000 };

/* What a visit met, by the objects' ids. */
struct met {
    long calls, stop_at;
    unsigned char times[MET_MAX];
};

static struct met met;

static void forget(void)
{
    memset(&met, 0, sizeof met);
}

static int meet(void *object, void *arg)
{
    (void)arg;
    ouro_type *type = ouro_type_of(object);
    if (type == &plain_type || type == &node_type || type == &acyclic_type) {
        long id = ((struct node *)object)->id;
        if (CHECK(id >= 0 && id < MET_MAX))
            met.times[id]++;
    }
    return ++met.calls == met.stop_at;
}

/* How many of the ids from first to last were met once; none was met more often. */
static long met_once(long first, long last)
{
    long once = 0;
    for (long id = first; id <= last; id++) {
        CHECK_LE(met.times[id], 1);
        once += met.times[id];
    }
    return once;
}

static long count_generation(int generation)
{
    forget();
    ouro_gc_visit_objects(generation, meet, NULL);
    return met.calls;
}

static struct node *ring(long first, long length)
{
    struct node *start = plain_new(first), *last = ouro_retain(start);
    for (long id = first + 1; id < first + length; id++) {
        struct node *n = plain_new(id);
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_give(last, &last->a, ouro_retain(start));
    ouro_release(last);
    return start;
}

static void drop_ring(struct node *n)
{
    ouro_release(n);
    ouro_gc_collect(2);
}

/* ---- objects ---- */

static void test_generations(void)
{
    struct node *private = ring(0, 10), *old = ring(100, 20), *recent = ring(200, 30);
    struct leaf *leaf = leaf_new(1);
    struct node *acyclic = ouro_new(&acyclic_type);
    ouro_share(old);
    ouro_gc_collect(2);
    CHECK_EQ(count_generation(0), 10 + 30);
    CHECK_EQ(met_once(0, 9) + met_once(200, 229), 40);
    CHECK_EQ(count_generation(2), 20);
    CHECK_EQ(met_once(100, 119), 20);
    CHECK_EQ(count_generation(1), 0);
    CHECK_EQ(count_generation(-1), 60);
    ouro_share(recent);
    CHECK_EQ(count_generation(0), 10);
    CHECK_GE(count_generation(1), 30); /* the older ones, too, if they share a page with them */
    CHECK_EQ(met_once(200, 229), 30);
    long recently = met.calls;
    CHECK_EQ(recently + count_generation(2), 50);
    CHECK_EQ(count_generation(3), 0);
    CHECK_EQ(count_generation(-1), 60);
    CHECK_EQ(met.times[0], 1);
    ouro_release(leaf);
    ouro_release(acyclic);
    ouro_release(old);
    ouro_release(recent);
    drop_ring(private);
    CHECK_EQ(count_generation(-1), 0);
}

static void test_garbage_is_met_and_dead_is_not(void)
{
    struct node *n = plain_new(1), *gone = plain_new(2);
    ouro_share(n);
    ouro_share(gone);
    ouro_release(gone);
    ouro_set(n, &n->a, n);
    ouro_release(n);
    CHECK_EQ(count_generation(-1), 1);
    CHECK_EQ(met.times[1], 1);
    CHECK_EQ(ouro_gc_collect(2), 1);
    CHECK_EQ(count_generation(-1), 0);
}

static void test_stops_when_told(void)
{
    struct node *n = ring(0, 1000);
    for (long stop = 1; stop <= 1000; stop += 333) {
        forget();
        met.stop_at = stop;
        ouro_gc_visit_objects(-1, meet, NULL);
        CHECK_EQ(met.calls, stop);
    }
    for (int shared = 0; shared < 2; shared++) {
        forget();
        met.stop_at = 100;
        ouro_gc_visit_objects(-1, meet, NULL);
        CHECK_EQ(met.calls, 100);
        struct node *at = n;
        for (int i = 0; i < 1000; i++, at = ouro_peek(&at->a))
            CHECK_EQ(ouro_refcount(at), 1 + (at == n)); /* what was not shown was let go */
        ouro_share(n);
    }
    drop_ring(n);
}

static int keep(void *object, void *arg)
{
    struct table *kept = arg;
    for (size_t i = 0; i < kept->array.length; i++) {
        if (object != kept && !ouro_peek(&kept->items[i])) {
            ouro_set(kept, &kept->items[i], object);
            break;
        }
    }
    return 0;
}

static void test_visitor_may_retain(void)
{
    struct table *kept = table_new(20);
    struct node *n = ring(0, 10), *shared = ring(10, 10);
    ouro_share(shared);
    ouro_release(n);
    ouro_release(shared); /* both are garbage now */
    ouro_gc_visit_objects(-1, keep, kept);
    ouro_gc_collect(2);
    CHECK_LIVE(21);
    forget();
    for (int i = 0; i < 20; i++) {
        struct node *found = ouro_peek(&kept->items[i]);
        if (CHECK(found != NULL))
            meet(found, NULL);
    }
    CHECK_EQ(met_once(0, 19), 20);
    ouro_release(kept);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
}

static int meddle(void *object, void *arg)
{
    struct node **mine = arg;
    meet(object, NULL);
    switch (met.calls % 40) {
    case 0:
        ouro_gc_collect(2);
        break;
    case 10:
        ouro_gc_collect(0);
        break;
    case 20: /* drop what may be next */
        ouro_release(*mine);
        *mine = NULL;
        break;
    case 30:
        ouro_blocking_begin();
        ouro_gc_visit_referrers(object, meet, NULL);
        ouro_mem_trim();
        break;
    default:
        ouro_release(ring(50000, 3));
    }
    return met.calls > 5000;
}

static void test_visitor_may_do_anything(void)
{
    struct node *n = ring(0, 300), *mine = ring(1000, 300), *shared = ring(2000, 300);
    ouro_share(shared);
    ouro_gc_visit_objects(-1, meddle, &mine);
    CHECK(!mine);
    for (int i = 0; i < 300; i++) {
        CHECK_GE(met.times[i], 1);
        CHECK_GE(met.times[2000 + i], 1);
    }
    forget();
    ouro_release(n);
    drop_ring(shared);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
}

static void test_finalizers_run_outside(void)
{
    struct node *n = node_new_with(1, NULL, NULL);
    ouro_share(n);
    struct node *other = plain_new(2);
    CHECK_EQ(count_generation(-1), 2);
    CHECK_EQ(finalized(), 0); /* the visit's own reference was not the last */
    ouro_release(other);
    ouro_release(n);
    CHECK_EQ(finalized(), 1);
}

static void test_in_read_section(void)
{
    ouro_read_begin();
    CHECK_EQ(count_generation(-1), 0);
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_gc_visit_objects", NULL, NULL);
    ouro_gc_freeze();
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_gc_freeze", NULL, NULL);
    ouro_read_end();
    ouro_gc_visit_objects(-1, NULL, NULL);
    ouro_gc_visit_referents(NULL, meet, NULL);
    ouro_gc_visit_referrers(NULL, meet, NULL);
}

/* ---- referents, referrers ---- */

static void check_edges(bool shared)
{
    struct node *a = plain_new(1), *b = plain_new(2);
    struct table *t = table_new(5);
    struct node *acyclic = ouro_new(&acyclic_type);
    struct leaf *leaf = leaf_new(9);
    acyclic->id = 3;
    ouro_set(a, &a->a, b);
    ouro_set(a, &a->b, a);
    ouro_set(t, &t->items[0], a);
    ouro_set(t, &t->items[2], b);
    ouro_set(t, &t->items[4], a);
    ouro_set(acyclic, &acyclic->a, leaf);
    if (shared) {
        ouro_share(t);
        ouro_share(acyclic);
    }
    forget();
    ouro_gc_visit_referents(a, meet, NULL);
    CHECK_EQ(met.calls, 2);
    CHECK_EQ(met_once(1, 2), 2);
    forget();
    ouro_gc_visit_referents(t, meet, NULL);
    CHECK_EQ(met.calls, 3);
    CHECK_EQ(met.times[1], 2);
    CHECK_EQ(met.times[2], 1);
    forget();
    met.stop_at = 2;
    ouro_gc_visit_referents(t, meet, NULL);
    CHECK_EQ(met.calls, 2);
    forget();
    ouro_gc_visit_referents(b, meet, NULL);
    ouro_gc_visit_referents(leaf, meet, NULL);
    CHECK_EQ(met.calls, 0);
    forget();
    ouro_gc_visit_referrers(a, meet, NULL);
    CHECK_EQ(met.calls, 2); /* itself, and the table once */
    CHECK_EQ(met.times[1], 1);
    forget();
    ouro_gc_visit_referrers(leaf, meet, NULL);
    CHECK_EQ(met.calls, 1);
    CHECK_EQ(met.times[3], 1);
    forget();
    ouro_gc_visit_referrers(t, meet, NULL);
    CHECK_EQ(met.calls, 0);
    CHECK_EQ(ouro_refcount(a), 4);
    CHECK_EQ(ouro_refcount(leaf), 2);
    ouro_release(leaf);
    ouro_release(acyclic);
    ouro_release(a);
    ouro_release(b);
    drop_ring((struct node *)t);
}

static void test_edges_of_private(void)
{
    check_edges(false);
}

static void test_edges_of_shared(void)
{
    check_edges(true);
}

static int release_container(void *object, void *arg)
{
    struct table **t = arg;
    (void)object;
    ouro_release(*t);
    *t = NULL;
    return 0;
}

static void test_container_let_go_meanwhile(void)
{
    struct table *t = table_new(3);
    for (int i = 0; i < 3; i++)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_gc_visit_referents(t, release_container, &t);
    CHECK(!t);
    CHECK_LIVE(0);
}

/* ---- while others work ---- */

static atomic_bool stop;
static struct table *shared_board;

static void *churn(void *arg)
{
    long n = 0;
    (void)arg;
    while (!atomic_load(&stop)) {
        struct node *r = ring(60000, 5);
        ouro_set(shared_board, &shared_board->items[n++ % 16], r);
        ouro_release(r);
        if (n % 64 == 0)
            ouro_gc_collect(1);
        if (n % 16 == 0)
            ouro_safepoint();
    }
    return NULL;
}

static int check_object(void *object, void *arg)
{
    (void)arg;
    met.calls++;
    CHECK_GT(ouro_refcount(object), 0);
    if (ouro_type_of(object) == &plain_type) {
        long id = ((struct node *)object)->id;
        CHECK(id == 60000 || (id > 60000 && id < 60005) || id < 1000);
        if (id < 1000)
            met.times[id]++;
    }
    return 0;
}

static void test_while_others_work(void)
{
    enum { THREADS = 2, VISITS = SCALED(300) };
    pthread_t threads[THREADS];
    struct node *n = ring(0, 1000);
    shared_board = table_new(16);
    ouro_share(shared_board);
    ouro_share(n);
    atomic_store(&stop, false);
    for (int i = 0; i < THREADS; i++)
        threads[i] = thread_start(churn, NULL, 0);
    for (int i = 0; i < VISITS; i++) {
        forget();
        ouro_gc_visit_objects(-1, check_object, NULL);
        CHECK_EQ(met_once(0, 999), i % 8 >= 1 && i % 8 <= 4 ? 0 : 1000); /* frozen or not */
        forget();
        ouro_gc_visit_referrers(n, meet, NULL);
        CHECK_EQ(met.calls, 1);
        if (i % 8 == 0)
            ouro_gc_freeze();
        if (i % 8 == 4)
            ouro_gc_unfreeze();
    }
    ouro_gc_unfreeze();
    atomic_store(&stop, true);
    ouro_blocking_begin();
    for (int i = 0; i < THREADS; i++)
        thread_join_running(threads[i]);
    ouro_blocking_end();
    ouro_gc_unfreeze(); /* what they published frozen */
    ouro_release(shared_board);
    drop_ring(n);
    CHECK_LIVE(0);
}

/* Graphs are published object by object: a visitor that follows references must not get to see one half-way. */
static void *share_trees(void *arg)
{
    enum { NODES = 3000 };
    static struct node *nodes[2][NODES];
    struct node **mine = nodes[(uintptr_t)arg];
    for (int round = 0; round < SCALED(100); round++) {
        for (long i = 0; i < NODES; i++) {
            mine[i] = plain_new(i % MET_MAX);
            if (i > 0) {
                struct node *parent = mine[(i - 1) / 2];
                ouro_give(parent, i % 2 ? &parent->a : &parent->b, ouro_retain(mine[i]));
            }
        }
        if (round % 3)
            ouro_share(mine[0]);
        for (long i = NODES - 1; i > 0; i--)
            ouro_release(mine[i]);
        if (round % 3 == 0) { /* at the end of a thread's holding its slot, everything is shared */
            ouro_set(shared_board, &shared_board->items[0], NULL);
            ouro_thread_detach();
            CHECK_EQ(ouro_thread_attach(0), OURO_OK);
        }
        ouro_release(mine[0]);
    }
    return NULL;
}

static int count_call(void *object, void *calls)
{
    (void)object;
    ++*(long *)calls;
    return 0;
}

static int follow(void *object, void *calls)
{
    if (ouro_type_of(object) != &plain_type)
        return 0;
    struct node *n = object, *child = ouro_get(n, &n->a);
    if (child)
        CHECK_GE(child->id, 0);
    ouro_release(child);
    ouro_gc_visit_referents(object, count_call, calls);
    return 0;
}

static atomic_int sharers;

static void *share_and_say(void *arg)
{
    share_trees(arg);
    atomic_fetch_sub(&sharers, 1);
    return NULL;
}

static void test_while_others_publish(void)
{
    pthread_t threads[2];
    long calls = 0;
    shared_board = table_new(1);
    ouro_share(shared_board);
    atomic_store(&sharers, 2);
    for (uintptr_t i = 0; i < 2; i++)
        threads[i] = thread_start(share_and_say, (void *)i, 0);
    while (atomic_load(&sharers) > 0)
        ouro_gc_visit_objects(-1, follow, &calls);
    ouro_blocking_begin();
    for (int i = 0; i < 2; i++)
        thread_join_running(threads[i]);
    ouro_blocking_end();
    ouro_release(shared_board);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
}

/* A thread that vanishes in a fork while it visits holds no memory back. */
static struct step visit_step = STEP_INITIALIZER;
static struct node *many[20000];
enum { MANY = sizeof many / sizeof *many };

static int wait_there(void *object, void *arg)
{
    (void)object, (void)arg;
    step_set(&visit_step, 1);
    CHECK(step_wait(&visit_step, 2));
    return 1;
}

static void *visit_and_wait(void *arg)
{
    ouro_gc_visit_objects(-1, wait_there, arg);
    return NULL;
}

static void release_much(void *arg)
{
    (void)arg;
    size_t before = mem_stats().live_bytes;
    for (int i = 0; i < MANY; i++)
        ouro_release(many[i]);
    ouro_mem_trim();
    CHECK_LT(mem_stats().live_bytes, before / 4); /* what it had in hand is leaked */
    CHECK_LT(mem_stats().committed_bytes, before / 2);
}

static void test_visitor_vanishes(void)
{
    for (long i = 0; i < MANY; i++) {
        many[i] = plain_new(i);
        ouro_share(many[i]);
    }
    pthread_t visitor = thread_start(visit_and_wait, NULL, 0);
    CHECK(step_wait(&visit_step, 1));
    CHECK_EQ(child_run(release_much, NULL), 0);
    step_set(&visit_step, 2);
    ouro_blocking_begin();
    thread_join_running(visitor);
    ouro_blocking_end();
    for (int i = 0; i < MANY; i++)
        ouro_release(many[i]);
    CHECK_LIVE(0);
}

/* ---- freezing ---- */

static void test_freeze(void)
{
    struct node *private = ring(0, 10), *shared = ring(100, 20);
    struct leaf *leaf = leaf_new(1);
    ouro_share(shared);
    CHECK_EQ(ouro_gc_get_freeze_count(), 0);
    ouro_gc_freeze();
    CHECK_EQ(ouro_gc_get_freeze_count(), 30);
    CHECK_EQ(count_generation(-1), 0);
    CHECK(ouro_gc_is_tracked(private));
    CHECK(ouro_gc_is_tracked(shared));
    CHECK(!ouro_gc_is_tracked(leaf));
    struct node *later = ring(200, 5), *garbage = ring(300, 7);
    ouro_share(later);
    ouro_share(garbage);
    ouro_release(private);
    ouro_release(shared);
    ouro_release(garbage);
    CHECK_EQ(ouro_gc_collect(2), 7); /* what is frozen is not looked for */
    CHECK_EQ(count_generation(-1), 5);
    ouro_gc_unfreeze();
    CHECK_EQ(ouro_gc_get_freeze_count(), 0);
    CHECK_EQ(ouro_gc_collect(2), 30);
    CHECK(!ouro_gc_is_tracked(leaf));
    ouro_release(leaf);
    drop_ring(later);
    CHECK_LIVE(0);
}

static void test_frozen_keeps_and_counts(void)
{
    struct node *frozen = plain_new(1);
    ouro_share(frozen);
    ouro_gc_freeze();
    struct node *cycle = ring(10, 3);
    ouro_set(frozen, &frozen->a, cycle);
    ouro_release(cycle);
    CHECK_EQ(ouro_gc_collect(2), 0); /* reachable from it */
    ouro_release(frozen);
    CHECK_EQ(ouro_gc_get_freeze_count(), 0); /* gone by counting */
    CHECK_EQ(ouro_gc_collect(2), 3);
    CHECK_LIVE(0);
}

static void test_frozen_private_is_published_frozen(void)
{
    struct node *n = ring(0, 4);
    ouro_gc_freeze();
    ouro_share(n);
    CHECK_EQ(ouro_gc_get_freeze_count(), 4);
    ouro_release(n);
    CHECK_EQ(ouro_gc_collect(2), 0);
    ouro_gc_unfreeze();
    CHECK_EQ(ouro_gc_collect(2), 4);
}

/* Young collections came and went while they were frozen, and left the pages that they fill. Collections of new objects, which do not look there, do as if
 * they were old; else one would be left in the middle of being looked at, and the next would not follow what it refers to. */
static void test_unfrozen_is_old(void)
{
    enum { MANY = 5000, LATER = 3000 };
    static struct node *many[MANY], *later[LATER];
    ouro_gc_disable();
    for (long i = 0; i < MANY; i++)
        many[i] = plain_new(i);
    ouro_gc_freeze();
    ouro_gc_collect(0);
    ouro_gc_unfreeze();
    struct node *holder = plain_new(1);
    ouro_set(holder, &holder->a, many[0]);
    ouro_gc_enable();
    ouro_gc_set_threshold((const size_t[3]){LATER / 10, 0, 0});
    for (long i = 0; i < LATER; i++)
        later[i] = plain_new(i);
    ouro_set(holder, &holder->a, NULL);
    ouro_give(many[0], &many[0]->a, plain_new(42));
    CHECK_EQ(ouro_gc_collect(0), 0);
    struct node *held = ouro_get(many[0], &many[0]->a);
    CHECK_EQ(held->id, 42);
    ouro_release(held);
    ouro_gc_set_threshold((const size_t[3]){0, 0, 0});
    for (int i = 0; i < MANY; i++)
        ouro_release(many[i]);
    for (int i = 0; i < LATER; i++)
        ouro_release(later[i]);
    ouro_release(holder);
    CHECK_LIVE(0);
}

/* Freezing and unfreezing again and again, as before each fork, hides no garbage: collections of all come by themselves. */
static void test_unfrozen_garbage(void)
{
    enum { ROUNDS = 200, EACH = 1000 };
    size_t most = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < EACH; i++)
            ouro_release(ring(i, 1));
        ouro_gc_freeze();
        ouro_gc_unfreeze();
        size_t now = live_objects_now();
        most = now > most ? now : most;
    }
    CHECK(most < ROUNDS * EACH / 4);
    ouro_gc_collect(0);
    CHECK_LIVE(0);
}

static void *make_private(void *arg)
{
    struct node *n = ring(0, 4);
    atomic_int *step = arg;
    atomic_store(step, 1);
    while (atomic_load(step) != 2) {
    }
    ouro_release(n);
    CHECK_EQ(ouro_gc_collect(0), 4);
    return NULL;
}

static void test_others_private_are_theirs(void)
{
    atomic_int step = 0;
    pthread_t thread = thread_start(make_private, &step, 0);
    while (atomic_load(&step) != 1) {
    }
    ouro_gc_freeze();
    CHECK_EQ(ouro_gc_get_freeze_count(), 0);
    CHECK_EQ(count_generation(-1), 0);
    atomic_store(&step, 2);
    thread_join_running(thread);
    CHECK_LIVE(0);
}

/* What a list has is in an object of the library's own, which gets shorter while it is visited. */
static int shrink(void *object, void *list)
{
    ouro_value item;
    (void)object;
    met.calls++;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(ouro_list_pop(ouro_value_of(list), -1, &item), OURO_OK);
        ouro_value_release(item);
    }
    return 0;
}

static int visit_store(void *object, void *list)
{
    ouro_gc_visit_referents(object, shrink, list);
    return 0;
}

static void test_list_shrinks_meanwhile(void)
{
    for (int shared = 0; shared < 2; shared++) {
        ouro_value list = ouro_list_new();
        for (long i = 0; i < 12; i++) {
            ouro_value item = ouro_value_of(plain_new(i));
            CHECK_EQ(ouro_list_append(list, item), OURO_OK);
            ouro_value_release(item);
        }
        if (shared)
            ouro_share(ouro_value_object(list));
        forget();
        ouro_gc_visit_referents(ouro_value_object(list), visit_store, ouro_value_object(list));
        CHECK_EQ(met.calls, 4);
        ouro_value_release(list);
    }
}

int main(void)
{
    check_start("visit_test");
    fixture_start();
    FIXTURE_RUN(test_generations);
    FIXTURE_RUN(test_garbage_is_met_and_dead_is_not);
    FIXTURE_RUN(test_stops_when_told);
    FIXTURE_RUN(test_visitor_may_retain);
    FIXTURE_RUN(test_visitor_may_do_anything);
    FIXTURE_RUN(test_finalizers_run_outside);
    FIXTURE_RUN(test_in_read_section);
    FIXTURE_RUN(test_edges_of_private);
    FIXTURE_RUN(test_edges_of_shared);
    FIXTURE_RUN(test_container_let_go_meanwhile);
    FIXTURE_RUN(test_list_shrinks_meanwhile);
    FIXTURE_RUN(test_while_others_work);
    FIXTURE_RUN(test_while_others_publish);
    FIXTURE_RUN(test_visitor_vanishes);
    FIXTURE_RUN(test_freeze);
    FIXTURE_RUN(test_frozen_keeps_and_counts);
    FIXTURE_RUN(test_frozen_private_is_published_frozen);
    FIXTURE_RUN(test_unfrozen_is_old);
    FIXTURE_RUN(test_unfrozen_garbage);
    FIXTURE_RUN(test_others_private_are_theirs);
    return check_finish();
}
