/* SPDX-License-Identifier: MIT
 *
 * Concurrent collection: garbage cycles of shared objects are found completely, whatever their shape and whichever
 * threads made them; live ones stay; their finalizers and weak callbacks run once; collecting is allowed in every kind of
 * callback; automatic collection keeps memory bounded; switches, thresholds, counts and statistics say what they
 * promise. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

enum { MIB = 1 << 20 };

/* ---- Shapes: each returns one reference; the object is private still ---- */

static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);

static struct node *new_of(ouro_type *type)
{
    struct node *n = ouro_new(type);
    REQUIRE(n);
    return n;
}

static struct node *ring_new(ouro_type *type, long length)
{
    struct node *first = new_of(type), *last = ouro_retain(first);
    for (long i = 1; i < length; i++) {
        struct node *n = new_of(type);
        n->id = i;
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_give(last, &last->a, ouro_retain(first));
    ouro_release(last);
    return first;
}

static void drop_shared_ring(ouro_type *type, long length)
{
    struct node *ring = ring_new(type, length);
    ouro_share(ring);
    ouro_release(ring);
}

static void *self_loop(ouro_type *type)
{
    struct node *n = ring_new(type, 1);
    ouro_set(n, &n->b, n);
    return n;
}

static void *pair(ouro_type *type)
{
    return ring_new(type, 2);
}

static void *long_ring(ouro_type *type)
{
    return ring_new(type, 20000);
}

/* Each refers to both neighbours. */
static void *doubly_linked(ouro_type *type)
{
    struct node *ring = ring_new(type, 100), *n = ring;
    do {
        struct node *next = ouro_peek(&n->a);
        ouro_set(next, &next->b, n);
        n = next;
    } while (n != ring);
    return ring;
}

/* Two rings of which one leads into the other. */
static void *two_rings(ouro_type *type)
{
    struct node *one = ring_new(type, 5);
    ouro_give(one, &one->b, ring_new(type, 7));
    return one;
}

/* A chain of nodes, which are found with the ring. */
static void *ring_with_chain(ouro_type *type)
{
    struct node *ring = ring_new(type, 3);
    for (int i = 0; i < 50; i++) {
        struct node *n = new_of(type);
        ouro_give(n, &n->b, ouro_take(ring, &ring->b));
        ouro_give(ring, &ring->b, n);
    }
    return ring;
}

static void *clique(ouro_type *type)
{
    enum { MEMBERS = 12 };
    struct table *members[MEMBERS];
    struct node *n = new_of(type);
    for (int i = 0; i < MEMBERS; i++)
        members[i] = table_new(MEMBERS);
    for (int i = 0; i < MEMBERS * MEMBERS; i++)
        ouro_set(members[i / MEMBERS], &members[i / MEMBERS]->items[i % MEMBERS], members[i % MEMBERS]);
    ouro_set(members[3], &members[3]->items[4], n);
    ouro_set(n, &n->a, members[0]);
    for (int i = 0; i < MEMBERS; i++)
        ouro_release(members[i]);
    return n;
}

static void *table_and_nodes(ouro_type *type, size_t slots, size_t step)
{
    struct table *t = table_new(slots);
    for (size_t i = 0; i < slots; i += step) {
        struct node *n = new_of(type);
        ouro_set(n, &n->a, t);
        ouro_give(t, &t->items[i], n);
    }
    return t;
}

static void *star(ouro_type *type)
{
    return table_and_nodes(type, 1000, 1);
}

/* More than 4 MiB. */
static void *large_star(ouro_type *type)
{
    return table_and_nodes(type, 700000, 7000);
}

static const struct shape {
    const char *name;
    void *(*make)(ouro_type *type);
    long members;
} shapes[] = {
    {"self loop", self_loop, 1},     {"pair", pair, 2},           {"long ring", long_ring, 20000},
    {"linked", doubly_linked, 100},  {"two rings", two_rings, 12}, {"ring with chain", ring_with_chain, 53},
    {"clique", clique, 13},          {"star", star, 1001},        {"large star", large_star, 101},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static long finalized_members(const struct shape *shape)
{
    return shape->make == clique ? 1 : shape->make == star || shape->make == large_star ? shape->members - 1
                                                                                       : shape->members;
}

static void check_shape(const struct shape *shape, int generation, bool finalizers)
{
    size_t live = live_objects();
    long before = finalized();
    void *object = shape->make(finalizers ? &node_type : &plain_type);
    ouro_share(object);
    CHECK_EQ(ouro_gc_collect(generation), 0);
    CHECK_EQ(live_objects() - live, shape->members);
    CHECK_EQ(finalized(), before);
    ouro_release(object);
    /* A collection of generation 1 has looked at it already: the next may leave it to generation 2. */
    if (!CHECK_EQ(ouro_gc_collect(2), shape->members))
        fprintf(stderr, "  %s, generation %d, finalizers: %d\n", shape->name, generation, finalizers);
    CHECK_EQ(live_objects(), live);
    CHECK_EQ(finalized() - before, finalizers ? finalized_members(shape) : 0);
    object = shape->make(finalizers ? &node_type : &plain_type);
    ouro_share(object);
    ouro_release(object);
    if (!CHECK_EQ(ouro_gc_collect(generation), shape->members)) /* a new one: both find it */
        fprintf(stderr, "  %s, generation %d, finalizers: %d\n", shape->name, generation, finalizers);
    CHECK_EQ(live_objects(), live);
    CHECK_EQ(ouro_gc_collect(2), 0);
}

static void test_shapes(void)
{
    for (int i = 0; i < SHAPES; i++)
        for (int generation = 1; generation <= 2; generation++)
            for (int finalizers = 0; finalizers < 2; finalizers++)
                check_shape(&shapes[i], generation, finalizers);
}

/* Leaves and acyclic objects hang from a garbage ring; some are held by others too. */
static void test_tails(void)
{
    for (int generation = 1; generation <= 2; generation++) {
        size_t live = live_objects();
        long before = finalized();
        struct leaf *kept = leaf_new(1);
        struct node *ring = ring_new(&node_type, 4), *second = ouro_peek(&ring->a), *third = ouro_peek(&second->a);
        struct node *acyclic = new_of(&acyclic_type);
        ouro_give(acyclic, &acyclic->a, leaf_new(2));
        ouro_set(acyclic, &acyclic->b, kept);
        ouro_give(ring, &ring->b, acyclic);
        ouro_set(second, &second->b, kept);
        ouro_give(third, &third->b, leaf_new(3));
        ouro_share(ring);
        ouro_release(ring);
        long found = ouro_gc_collect(generation);
        CHECK_GE(found, 4);
        CHECK_LE(found, 7);
        CHECK_EQ(live_objects() - live, 1);
        CHECK_EQ(finalized() - before, 4 + 2);
        CHECK_EQ(ouro_refcount(kept), 1);
        ouro_release(kept);
    }
}

/* Held at any one of its members, by a variable or by a shared object that lives, it lives. */
static void test_held_anywhere(void)
{
    enum { LENGTH = 10 };
    struct table *holder = table_new(1);
    ouro_share(holder);
    for (int held = 0; held < LENGTH; held++) {
        struct node *n = ring_new(&node_type, LENGTH);
        ouro_share(n);
        for (int i = 0; i < held; i++) {
            struct node *next = ouro_get(n, &n->a);
            ouro_release(n);
            n = next;
        }
        CHECK_EQ(ouro_gc_collect(2), 0);
        CHECK_EQ(n->id, held);
        CHECK_EQ(ouro_refcount(n), 2);
        ouro_give(holder, &holder->items[0], n);
        CHECK_EQ(ouro_gc_collect(1), 0);
        CHECK_EQ(ouro_gc_collect(2), 0);
        CHECK_EQ(finalized(), (long)held * LENGTH);
        ouro_set(holder, &holder->items[0], NULL);
        CHECK_EQ(ouro_gc_collect(2), LENGTH);
    }
    ouro_release(holder);
}

/* Garbage of both kinds is counted together. */
static void test_private_and_shared(void)
{
    drop_shared_ring(&plain_type, 5);
    ouro_release(ring_new(&plain_type, 3));
    CHECK_EQ(ouro_gc_collect(1), 8);
    CHECK_EQ(ouro_gc_collect(-1), OURO_E_INVALID);
    CHECK_EQ(ouro_gc_collect(3), OURO_E_INVALID);
    for (int generation = 0; generation < 3; generation++) {
        ouro_read_begin();
        CHECK_EQ(ouro_gc_collect(generation), OURO_E_USAGE);
        ouro_read_end();
        CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_gc_collect", NULL, NULL);
    }
}

/* What an unbiased thread makes after a collection is recent for the next, on whatever page it finds room. */
static void *collect_what_is_recent(void *unused)
{
    (void)unused;
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    for (int generation = 1; generation <= 2; generation++)
        for (int i = 0; i < 3; i++) {
            ouro_release(ring_new(&plain_type, 3));
            CHECK_EQ(ouro_gc_collect(generation), 3);
            ouro_release(ring_new(&plain_type, 2));
            CHECK_EQ(ouro_gc_collect(1), 2);
        }
    return NULL;
}

static void test_made_by_an_unbiased_thread(void)
{
    thread_do(collect_what_is_recent, NULL, 0);
}

/* ---- Threads ---- */

enum { MAKERS = 3 };

static struct maker {
    struct table *table; /* two nodes from each maker */
    unsigned index;
    struct step made, go_on;
} makers[MAKERS];

/* The first ends at once, the second parks, the third is unbiased and parks. */
static void *make_nodes(void *arg)
{
    struct maker *self = arg;
    CHECK_EQ(ouro_thread_attach(self->index == 2 ? OURO_THREAD_UNBIASED : 0), OURO_OK);
    for (unsigned i = 0; i < 2; i++)
        ouro_give(self->table, &self->table->items[2 * self->index + i], node_new((long)(2 * self->index + i)));
    ouro_blocking_begin();
    step_set(&self->made, 1);
    if (self->index > 0)
        CHECK(step_wait(&self->go_on, 1));
    ouro_blocking_end();
    return NULL;
}

static void test_across_threads(void)
{
    enum { NODES = 2 * MAKERS };
    pthread_t threads[MAKERS];
    struct table *table = table_new(NODES);
    ouro_share(table);
    for (unsigned i = 0; i < MAKERS; i++) {
        makers[i] = (struct maker){table, i, STEP_INITIALIZER, STEP_INITIALIZER};
        threads[i] = thread_start(make_nodes, &makers[i], 0);
        CHECK(step_wait(&makers[i].made, 1));
    }
    thread_join_parked(threads[0]);
    struct node *mine = node_new(100);
    ouro_share(mine);
    for (int i = 0; i < NODES; i++) { /* a ring: first the even ones, then the odd ones, then mine */
        int at = i < MAKERS ? 2 * i : 2 * (i - MAKERS) + 1, after = i + 1 < MAKERS ? at + 2 : at == 4 ? 1 : at + 2;
        struct node *n = ouro_get(table, &table->items[at]);
        struct node *next = i + 1 < NODES ? ouro_get(table, &table->items[after]) : ouro_retain(mine);
        ouro_give(n, &n->a, next);
        ouro_release(n);
    }
    ouro_give(mine, &mine->a, ouro_get(table, &table->items[0]));
    ouro_release(mine);
    CHECK_EQ(ouro_gc_collect(2), 0);
    for (int i = 0; i < NODES; i++)
        ouro_set(table, &table->items[i], NULL);
    CHECK_EQ(ouro_gc_collect(2), NODES + 1);
    CHECK_EQ(finalized(), NODES + 1);
    ouro_release(table);
    for (unsigned i = 1; i < MAKERS; i++) {
        step_set(&makers[i].go_on, 1);
        thread_join_parked(threads[i]);
    }
}

/* What is born published counts as published when it is born, also on a page that a collection has just looked at. */
static void *make_garbage_unbiased(void *arg)
{
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    for (int i = 0; i < 2000; i++) {
        ouro_release(ring_new(&plain_type, 3));
        if (i % 100 < 3)
            CHECK_EQ(ouro_gc_collect(1), i % 100 ? 3 : i ? 3 * 98 : 3);
    }
    CHECK_EQ(ouro_gc_collect(1), 3 * 97);
    return arg;
}

static void test_unbiased_recent(void)
{
    ouro_gc_collect(2);
    thread_do(make_garbage_unbiased, NULL, 0);
}

/* Garbage of a thread that is gone, and of one that was given back its slot. */
static void *leave_garbage(void *arg)
{
    drop_shared_ring(&node_type, 10);
    ouro_release(ring_new(&node_type, 5)); /* private: collected as the thread ends */
    return arg;
}

static void test_exited_threads(void)
{
    for (int i = 0; i < 5; i++)
        thread_do(leave_garbage, NULL, 0);
    CHECK_EQ(finalized(), 25);
    CHECK_EQ(ouro_gc_collect(1), 50);
    CHECK_EQ(finalized(), 75);
}

/* What an unbiased thread makes is recent from birth, also on a page that it has gone on with since the last collection. */
static void *collect_own_garbage(void *arg)
{
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    for (long i = 1; i < 10; i++) {
        ouro_release(ring_new(&node_type, i));
        CHECK_EQ(ouro_gc_collect(1), i);
    }
    return arg;
}

static void test_garbage_of_unbiased(void)
{
    thread_do(collect_own_garbage, NULL, 0);
}

/* Several threads ask at once: together they find everything once. */
static atomic_long found_by_all;

static void collect_together(struct member *self)
{
    for (int i = 0; i < SCALED(120); i++) {
        drop_shared_ring(&node_type, 1 + (long)rng_below(&self->rng, 20));
        long found = ouro_gc_collect(1 + (int)rng_below(&self->rng, 2));
        CHECK_GE(found, 0);
        atomic_fetch_add(&found_by_all, found);
    }
}

static void test_many_collect(void)
{
    size_t live = live_objects();
    team_run(4, 1, collect_together, NULL);
    CHECK_GT(atomic_load(&found_by_all), 0);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(live_objects(), live);
    CHECK_EQ(ouro_gc_collect(2), 0);
}

/* ---- Finalizers ---- */

static struct table *shelf;
static atomic_long broken;

/* The neighbours of a garbage ring's member are alive while its finalizer runs. */
static void look_around(void *object)
{
    struct node *n = object, *next = ouro_get(n, &n->a);
    if (!next || ouro_type_of(next) != &node_type || !ouro_gc_is_finalized(n))
        atomic_fetch_add(&broken, 1);
    ouro_release(next);
}

static void test_finalizers_see_the_living(void)
{
    on_finalize(look_around);
    drop_shared_ring(&node_type, 1000);
    CHECK_EQ(ouro_gc_collect(2), 1000);
    CHECK_EQ(finalized(), 1000);
    CHECK_EQ(atomic_load(&broken), 0);
}

static void keep_third(void *object)
{
    struct node *n = object;
    if (n->id == 3)
        ouro_set(shelf, &shelf->items[0], n);
}

/* One member keeps itself: the whole ring lives on, has been finalized, and is not finalized again. */
static void test_resurrection(void)
{
    shelf = table_new(1);
    ouro_share(shelf);
    for (int generation = 1; generation <= 2; generation++) {
        long before = finalized();
        on_finalize(keep_third);
        struct node *ring = ring_new(&node_type, 10);
        ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
        ouro_share(weak);
        ouro_share(ring);
        ouro_release(ring);
        CHECK_GE(ouro_gc_collect(generation), 0);
        CHECK_EQ(finalized() - before, 10);
        CHECK_EQ(ouro_gc_collect(2), 0);
        struct node *kept = ouro_get(shelf, &shelf->items[0]), *n = kept;
        REQUIRE(kept);
        for (int i = 0; i < 10; i++, n = ouro_peek(&n->a)) {
            CHECK_EQ(n->id, (3 + i) % 10);
            CHECK(ouro_gc_is_finalized(n));
        }
        CHECK_PTR(n, kept);
        ring = ouro_weak_get(weak);
        CHECK(ring && ring->id == 0);
        ouro_release(ring);
        ouro_release(kept);
        ouro_set(shelf, &shelf->items[0], NULL);
        CHECK_EQ(ouro_gc_collect(2), 10);
        CHECK_EQ(finalized() - before, 10);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        ouro_release(weak);
    }
    ouro_release(shelf);
}

static void keep_what_it_reaches(void *object)
{
    struct node *n = object;
    ouro_give(shelf, &shelf->items[0], ouro_get(n, &n->b));
}

/* A member keeps what hangs from the ring: that lives, the ring dies. */
static void test_resurrection_of_others(void)
{
    shelf = table_new(1);
    ouro_share(shelf);
    struct node *tail = plain_new(1);
    ouro_give(tail, &tail->a, plain_new(2));
    struct node *ring = ring_new(&node_type, 1);
    ouro_give(ring, &ring->b, tail);
    on_finalize(keep_what_it_reaches);
    ouro_share(ring);
    ouro_release(ring);
    CHECK_GE(ouro_gc_collect(2), 1);
    CHECK_EQ(ouro_gc_collect(2), 0);
    tail = ouro_get(shelf, &shelf->items[0]);
    REQUIRE(tail);
    CHECK_EQ(tail->id, 1);
    CHECK_EQ(ouro_refcount(tail), 2);
    CHECK_EQ(((struct node *)ouro_peek(&tail->a))->id, 2);
    CHECK_EQ(live_objects_now(), 3);
    ouro_release(tail);
    ouro_release(shelf);
}

/* Finalizers that make garbage cycles with finalizers: the next collections find them. */
static void make_another(void *object)
{
    struct node *n = object;
    if (n->id < 20) {
        struct node *next = node_new(n->id + 1);
        ouro_set(next, &next->a, next);
        ouro_share(next);
        ouro_release(next);
    }
}

static void test_finalizers_make_garbage(void)
{
    on_finalize(make_another);
    drop_shared_ring(&node_type, 1);
    for (int i = 0; i < 30 && finalized() < 21; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 21);
    CHECK_GE(ouro_gc_collect(2), 0);
}

/* ---- Weak references ---- */

static void count_call(ouro_weak *weak, void *arg)
{
    CHECK_PTR(ouro_weak_get(weak), NULL);
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void check_weak(ouro_type *type, int generation)
{
    enum { LENGTH = 100 };
    static atomic_int calls[LENGTH];
    struct table *weaks = table_new(2 * LENGTH);
    struct node *ring = ring_new(type, LENGTH), *n = ring;
    for (int i = 0; i < LENGTH; i++, n = ouro_peek(&n->a)) {
        atomic_store(&calls[i], 0);
        ouro_give(weaks, &weaks->items[2 * i], ouro_weak_new(n, count_call, &calls[i]));
        ouro_give(weaks, &weaks->items[2 * i + 1], ouro_weak_new(n, NULL, NULL));
    }
    ouro_share(weaks);
    CHECK_EQ(ouro_gc_collect(generation), 0);
    ouro_release(ring);
    ring = ouro_weak_get(ouro_peek(&weaks->items[20])); /* brought back before it is found */
    CHECK(ring && ring->id == 10);
    CHECK_EQ(ouro_gc_collect(generation), 0);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(2), LENGTH);
    int once = 0, alive = 0;
    for (int i = 0; i < LENGTH; i++)
        once += atomic_load(&calls[i]) == 1;
    for (int i = 0; i < 2 * LENGTH; i++)
        alive += ouro_weak_get(ouro_peek(&weaks->items[i])) != NULL;
    CHECK_EQ(once, LENGTH);
    CHECK_EQ(alive, 0);
    ouro_release(weaks);
}

static void test_weak_references(void)
{
    for (int generation = 1; generation <= 2; generation++) {
        check_weak(&plain_type, generation);
        check_weak(&node_type, generation);
    }
}

/* Weak references that the garbage itself holds go with it. */
static void test_weak_references_in_garbage(void)
{
    static atomic_int calls;
    struct node *ring = ring_new(&node_type, 50), *n = ring;
    for (int i = 0; i < 50; i++, n = ouro_peek(&n->a))
        ouro_give(n, &n->b, ouro_weak_new(ring, i % 2 ? count_call : NULL, &calls));
    n = NULL;
    ouro_share(ring);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(2), 50);
    CHECK_EQ(finalized(), 50);
    CHECK_LE(atomic_load(&calls), 25);
    CHECK_EQ(live_objects(), 0);
}

/* ---- Collecting inside callbacks ---- */

static ouro_gc_generation_stats stats_of(int generation)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[generation];
}

static atomic_long inside;

static void collect_inside(void)
{
    for (int generation = 0; generation < 3; generation++)
        CHECK_GE(ouro_gc_collect(generation), 0);
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    atomic_fetch_add(&inside, 1);
}

static void collect_in_finalizer(void *object)
{
    (void)object;
    drop_shared_ring(&plain_type, 3);
    collect_inside();
}

static void collect_in_weak_callback(ouro_weak *weak, void *arg)
{
    (void)weak, (void)arg;
    drop_shared_ring(&plain_type, 3);
    collect_inside();
}

static _Thread_local bool nested;

static void collect_in_gc_callback(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    (void)phase, (void)info, (void)arg;
    if (nested)
        return;
    nested = true;
    drop_shared_ring(&plain_type, 3);
    collect_inside();
    nested = false;
}

static pthread_t settling;
static atomic_int over; /* collections by the collector's thread, since then */

static void ask_again(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    (void)info, (void)arg;
    if (phase != OURO_GC_STOP || nested || pthread_equal(pthread_self(), settling))
        return;
    if (atomic_fetch_add(&over, 1) == 0)
        CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
}

static bool are_two_over(void *unused)
{
    (void)unused;
    return atomic_load(&over) >= 2;
}

/* Collections that were asked for without waiting are over. The first to end may have begun before the rest was asked for; the next does all that. */
static void await_collector(void)
{
    settling = pthread_self();
    atomic_store(&over, 0);
    int id = ouro_gc_add_callback(ask_again, NULL);
    CHECK_GT(id, 0);
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    CHECK(wait_until(are_two_over, NULL));
    ouro_gc_remove_callback(id);
}

/* Likewise; and what they have left is gone. */
static void settle(size_t live)
{
    await_collector();
    for (int i = 0; i < 5 && live_objects() != live; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(live_objects(), live);
}

static void test_collecting_in_callbacks(void)
{
    size_t live = live_objects();
    on_finalize(collect_in_finalizer);
    drop_shared_ring(&node_type, 4);
    ouro_release(node_new(1)); /* also when it dies by its count */
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 5);
    CHECK_EQ(atomic_load(&inside), 5);
    on_finalize(NULL);
    struct node *ring = ring_new(&plain_type, 2), *lone = plain_new(1);
    ouro_weak *weaks[] = {ouro_weak_new(ring, collect_in_weak_callback, NULL),
                          ouro_weak_new(lone, collect_in_weak_callback, NULL)};
    ouro_share(weaks[0]);
    ouro_release(ring);
    ouro_release(lone);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(atomic_load(&inside), 7);
    ouro_release(weaks[0]);
    ouro_release(weaks[1]);
    int id = ouro_gc_add_callback(collect_in_gc_callback, NULL);
    CHECK_GT(id, 0);
    drop_shared_ring(&plain_type, 4);
    CHECK_GE(ouro_gc_collect(2), 0); /* what the callbacks' own collections have found is not this one's */
    CHECK_GT(atomic_load(&inside), 7);
    ouro_gc_remove_callback(id);
    settle(live);
}

/* ---- Callbacks of collections ---- */

static struct seen {
    atomic_int starts, stops;
    ouro_gc_info start, stop; /* the last ones; of a single thread */
    pthread_t thread;
} seen[OURO_GC_GENERATIONS];

static void see(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    struct seen *at = (struct seen *)arg + info->generation;
    CHECK_GE(info->size, sizeof *info);
    atomic_fetch_add(phase == OURO_GC_START ? &at->starts : &at->stops, 1);
    *(phase == OURO_GC_START ? &at->start : &at->stop) = *info;
    at->thread = pthread_self();
}

static void test_gc_callbacks(void)
{
    CHECK_EQ(ouro_gc_collect(2), 0);
    int id = ouro_gc_add_callback(see, seen);
    CHECK_GT(id, 0);
    struct node *live = ring_new(&plain_type, 7);
    ouro_share(live);
    drop_shared_ring(&plain_type, 30);
    CHECK_EQ(ouro_gc_collect(1), 30);
    CHECK_EQ(atomic_load(&seen[1].starts), 1);
    CHECK_EQ(atomic_load(&seen[1].stops), 1);
    CHECK_EQ(atomic_load(&seen[2].starts), 0);
    CHECK_GT(atomic_load(&seen[0].stops), 0);
    CHECK(pthread_equal(seen[1].thread, pthread_self()));
    CHECK_EQ(seen[1].start.generation, 1);
    CHECK_EQ(seen[1].start.reason, OURO_GC_REASON_ASKED);
    CHECK_EQ(seen[1].stop.reason, OURO_GC_REASON_ASKED);
    CHECK_EQ(seen[1].stop.found, 30);
    CHECK_EQ(seen[1].stop.freed, 30);
    CHECK_GE(seen[1].stop.suspects, 30);
    CHECK_GE(seen[1].stop.candidates, 37);
    CHECK_GT(seen[1].stop.duration_ns, 0);
    drop_shared_ring(&node_type, 5); /* the first collection finds it, the second frees it */
    CHECK_EQ(ouro_gc_collect(2), 5);
    CHECK_GE(atomic_load(&seen[2].starts), 2);
    CHECK_EQ(atomic_load(&seen[2].stops), atomic_load(&seen[2].starts));
    CHECK_EQ(finalized(), 5);
    ouro_gc_remove_callback(id);
    int starts = atomic_load(&seen[2].starts);
    ouro_release(live);
    CHECK_EQ(ouro_gc_collect(2), 7);
    CHECK_EQ(atomic_load(&seen[2].starts), starts);
}

static void test_gc_callbacks_limits(void)
{
    enum { MOST = 16 };
    int registered[MOST];
    struct seen mine[OURO_GC_GENERATIONS];
    memset(mine, 0, sizeof mine);
    CHECK_EQ(ouro_gc_add_callback(NULL, NULL), OURO_E_INVALID);
    for (int i = 0; i < MOST; i++) {
        registered[i] = ouro_gc_add_callback(see, mine);
        CHECK_GT(registered[i], 0);
    }
    CHECK_EQ(ouro_gc_add_callback(see, mine), OURO_E_NOMEM);
    CHECK_EQ(ouro_gc_collect(1), 0);
    CHECK_EQ(atomic_load(&mine[1].starts), MOST);
    CHECK_EQ(atomic_load(&mine[1].stops), MOST);
    for (int i = 0; i < MOST; i++)
        ouro_gc_remove_callback(registered[i]);
    ouro_gc_remove_callback(0);
    ouro_gc_remove_callback(-1);
    ouro_gc_remove_callback(registered[0]);
    CHECK_EQ(ouro_gc_collect(1), 0);
    CHECK_EQ(atomic_load(&mine[1].starts), MOST);
}

/* ---- Asking without waiting ---- */

static bool live_is(void *arg)
{
    return live_objects() == *(size_t *)arg;
}

static void test_collect_async(void)
{
    CHECK_EQ(ouro_gc_collect_async(-1), OURO_E_INVALID);
    CHECK_EQ(ouro_gc_collect_async(3), OURO_E_INVALID);
    for (int generation = 0; generation < 3; generation++) {
        size_t live = live_objects();
        long before = finalized();
        drop_shared_ring(&plain_type, 100);
        CHECK_EQ(ouro_gc_collect_async(generation), OURO_OK);
        CHECK(wait_until(live_is, &live));
        drop_shared_ring(&node_type, 10); /* needs a second collection once it has been finalized */
        for (int i = 0; i < 500 && finalized() - before < 10; i++) {
            CHECK_EQ(ouro_gc_collect_async(generation), OURO_OK);
            usleep(10000);
        }
        CHECK_EQ(finalized() - before, 10);
        settle(live);
    }
}

/* ---- Finalizers when the program says so ---- */

static void check_manual(void *unused)
{
    static atomic_int calls;
    (void)unused;
    fixture_start_with((ouro_config){.flags = OURO_FINALIZE_MANUAL});
    fixture_before();
    struct node *ring = ring_new(&node_type, 10), *plain = ring_new(&plain_type, 2);
    ouro_weak *weak = ouro_weak_new(plain, count_call, &calls);
    ouro_share(ring);
    ouro_share(weak);
    ouro_release(ring);
    ouro_release(plain);
    CHECK_EQ(ouro_gc_collect(2), 12);
    ouro_safepoint();
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(atomic_load(&calls), 0);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    CHECK_EQ(ouro_finalizers_run(0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(ouro_finalizers_run(1), 1);
        CHECK_EQ(finalized() + atomic_load(&calls), i + 1);
    }
    CHECK_EQ(ouro_finalizers_run(100), 8);
    CHECK_EQ(finalized(), 10);
    CHECK_EQ(atomic_load(&calls), 1);
    CHECK_EQ(ouro_finalizers_run(100), 0);
    CHECK_EQ(ouro_gc_collect(2), 10);
    ouro_release(weak);
    ouro_release(ring_new(&node_type, 3)); /* private ones too */
    drop_shared_ring(&node_type, 2);
    CHECK_EQ(ouro_gc_collect(1), 5);
    CHECK_EQ(ouro_finalizers_run(2), 2);
    CHECK_EQ(ouro_finalizers_run(SIZE_MAX), 3);
    CHECK_EQ(finalized(), 15);
    CHECK_EQ(ouro_gc_collect(2), 5);
    fixture_after();
}

static void test_manual_finalizers(void)
{
    CHECK_EQ(child_run(check_manual, NULL), 0);
}

/* ---- Statistics, counts, thresholds ---- */

static void test_stats(void)
{
    CHECK_EQ(ouro_gc_collect(2), 0);
    for (int generation = 1; generation <= 2; generation++) {
        ouro_gc_generation_stats before = stats_of(generation);
        struct node *live = ring_new(&plain_type, 20);
        ouro_share(live);
        drop_shared_ring(&plain_type, 50);
        CHECK_EQ(ouro_gc_collect(generation), 50);
        ouro_gc_generation_stats after = stats_of(generation);
        CHECK_EQ(after.collections - before.collections, 1);
        CHECK_EQ(after.collected - before.collected, 50);
        CHECK_EQ(after.reasons[OURO_GC_REASON_ASKED] - before.reasons[OURO_GC_REASON_ASKED], 1);
        CHECK_EQ(after.reasons[OURO_GC_REASON_GROWTH], before.reasons[OURO_GC_REASON_GROWTH]);
        CHECK_EQ(after.uncollectable, 0);
        CHECK_GE(after.candidates - before.candidates, 70);
        CHECK_GE(after.suspects - before.suspects, 50);
        CHECK_GT(after.duration_ns, before.duration_ns);
        CHECK_GE(after.duration_max_ns, 1);
        uint64_t sum = 0;
        for (int i = 0; i < OURO_GC_REASONS; i++)
            sum += after.reasons[i];
        CHECK_EQ(sum, after.collections);
        ouro_release(live);
        CHECK_EQ(ouro_gc_collect(2), 20);
    }
}

static size_t count_of(int generation)
{
    size_t out[3] = {99, 99, 99};
    ouro_gc_get_count(out);
    return out[generation];
}

static void test_get_count(void)
{
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(count_of(1), 0);
    CHECK_EQ(count_of(2), 0);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(ouro_gc_collect(0), 0);
        CHECK_EQ(count_of(1), i);
    }
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(ouro_gc_collect(1), 0);
        CHECK_EQ(count_of(1), 0);
        CHECK_EQ(count_of(2), i);
    }
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(count_of(1), 0);
    CHECK_EQ(count_of(2), 0);
}

static uint64_t automatic(int generation)
{
    ouro_gc_generation_stats stats = stats_of(generation);
    return stats.collections - stats.reasons[OURO_GC_REASON_ASKED];
}

struct expected {
    int generation;
    ouro_gc_reason reason;
    uint64_t collections;
};

static bool has_collected(void *arg)
{
    const struct expected *expected = arg;
    return stats_of(expected->generation).reasons[expected->reason] >= expected->collections;
}

static struct expected one_more(int generation, ouro_gc_reason reason)
{
    return (struct expected){generation, reason, stats_of(generation).reasons[reason] + 1};
}

/* A collection of generation 1, the last thing that is noted of it. */
static bool is_counted(void *unused)
{
    (void)unused;
    return count_of(2) == 1;
}

static void test_thresholds(void)
{
    const size_t first[3] = {0, 3, 0}, second[3] = {0, 1, 2}, zero[3] = {0, 0, 0};
    CHECK_EQ(ouro_gc_collect(2), 0);
    size_t live = live_objects();
    drop_shared_ring(&plain_type, 40);
    CHECK_EQ(ouro_gc_set_threshold(first), OURO_OK);
    struct expected one = one_more(1, OURO_GC_REASON_COUNT);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(live_objects() - live, 40);
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK(wait_until(has_collected, &one));
    CHECK_EQ(live_objects(), live);
    struct node *ring = ring_new(&plain_type, 40);
    ouro_share(ring);
    CHECK_EQ(ouro_gc_collect(2), 0); /* old now */
    await_collector();               /* else it might still count for what follows */
    ouro_release(ring);
    CHECK_EQ(ouro_gc_set_threshold(second), OURO_OK);
    struct expected two = one_more(2, OURO_GC_REASON_COUNT);
    one = one_more(1, OURO_GC_REASON_COUNT);
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK(wait_until(is_counted, NULL));
    CHECK(has_collected(&one) && !has_collected(&two));
    CHECK_EQ(live_objects() - live, 40);
    CHECK_EQ(ouro_gc_collect(0), 0); /* the second of generation 1 is followed by one of 2 */
    CHECK(wait_until(has_collected, &two));
    CHECK_EQ(live_objects(), live);
    CHECK_EQ(ouro_gc_set_threshold(zero), OURO_OK);
}

/* ---- Automatic collection ---- */

struct growth {
    size_t live, bound; /* bytes */
    size_t above, waits, most, most_committed, limbo;
};

static void sample_growth(struct growth *growth)
{
    ouro_mem_stats stats = mem_stats();
    size_t floating = stats.live_bytes > growth->live ? stats.live_bytes - growth->live : 0;
    growth->above += floating > growth->bound;
    growth->limbo = stats.limbo_bytes;
    growth->most = floating > growth->most ? floating : growth->most;
    growth->most_committed =
        stats.committed_bytes > growth->most_committed ? stats.committed_bytes : growth->most_committed;
}

/* Makes garbage rings of that many bytes in all; calls fn(arg) now and then. */
static void churn(size_t bytes, void (*fn)(void *arg), void *arg)
{
    enum { LENGTH = 20, EVERY = 256 };
    size_t ring = LENGTH * sizeof(struct node), made = 0;
    for (size_t i = 0; made < bytes; i++, made += ring) {
        drop_shared_ring(&plain_type, LENGTH);
        if (fn && i % EVERY == 0)
            fn(arg);
    }
}

static bool is_within_bound(void *arg)
{
    struct growth *growth = arg;
    size_t above = growth->above;
    sample_growth(growth);
    return growth->above == above && growth->limbo <= growth->bound;
}

/* A producer that waits for the collector where it would go beyond the bound: the collector must have been started by then, and find
 * it; and for the background thread, where that has as much to free. (How well they keep up with one that does not wait is the benchmarks' to say.) */
static void stay_within_bound(void *arg)
{
    struct growth *growth = arg;
    if (is_within_bound(growth))
        return;
    growth->waits++;
    CHECK(wait_until(is_within_bound, growth));
}

static void just_sample(void *growth)
{
    sample_growth(growth);
}

static bool is_beyond(void *before)
{
    return automatic(1) + automatic(2) > *(uint64_t *)before;
}

/* Garbage that is not found yet stays below a fifth of what lives, or 8 MiB. */
static void check_growth(size_t live_bytes)
{
    struct node *live = live_bytes ? ring_new(&plain_type, (long)(live_bytes / sizeof(struct node))) : NULL;
    ouro_share(live);
    CHECK_EQ(ouro_gc_collect(2), 0);
    struct growth growth = {.live = mem_stats().live_bytes};
    growth.bound = growth.live / 5 > 8 * MIB ? growth.live / 5 : 8 * MIB;
    uint64_t before = automatic(1) + automatic(2);
    churn(growth.bound * SCALED(12), stay_within_bound, &growth);
    CHECK(wait_until(is_beyond, &before)); /* the last one may be under way */
    CHECK_LE(growth.most, growth.bound + MIB);
    CHECK_LE(growth.most_committed, growth.live + 4 * growth.bound + 32 * MIB);
    printf("       %zu KiB live, at most %zu KiB floating; waited %zu times at %zu KiB\n", growth.live / 1024, growth.most / 1024,
           growth.waits, growth.bound / 1024);
    ouro_release(live);
    CHECK_GE(ouro_gc_collect(2), 0);
}

static void test_growth_is_bounded(void)
{
    check_growth(0);
    check_growth(SCALED(96) * (size_t)MIB);
}

/* A thread that makes nothing but garbage, as fast as it can: the collector may fall behind, but not for good; and when nobody makes
 * anything any more, it catches up. */
static void test_growth_flat_out(void)
{
    size_t bytes = SCALED(600) * (size_t)MIB;
    CHECK_GE(ouro_gc_collect(2), 0);
    struct growth growth = {.live = mem_stats().live_bytes, .bound = bytes / 2 + 64 * MIB};
    churn(bytes, just_sample, &growth);
    CHECK_LE(growth.most, growth.bound);
    growth.bound = 8 * MIB;
    CHECK(wait_until(is_within_bound, &growth));
    printf("       at most %zu of %zu KiB floating\n", growth.most / 1024, bytes / 1024);
    CHECK_GE(ouro_gc_collect(2), 0);
}

static int count_one(void *object, void *count)
{
    (void)object;
    ++*(long *)count;
    return 0;
}

static long count_private(void)
{
    long count = 0;
    ouro_gc_visit_objects(0, count_one, &count);
    return count;
}

/* Cycles that die old among many private objects: they become the concurrent collector's; others stay private. */
static void test_old_survivors_are_shared(void)
{
    enum { LENGTH = 10, WINDOW = 400000 / LENGTH, SMALL = WINDOW / 10 };
    static struct node *held[WINDOW];
    CHECK_EQ(ouro_gc_collect(2), 0);
    size_t live = live_objects();
    for (long i = 0; i < 3 * SMALL; i++) { /* a small window: stays private */
        ouro_release(held[i % SMALL]);
        held[i % SMALL] = ring_new(&plain_type, LENGTH);
    }
    CHECK_GE(count_private(), SMALL * LENGTH);
    for (long i = 0; i < 3L * WINDOW; i++) {
        ouro_release(held[i % WINDOW]);
        held[i % WINDOW] = ring_new(&plain_type, LENGTH);
    }
    CHECK_LT(count_private(), WINDOW * LENGTH / 2);
    for (long i = 0; i < WINDOW; i++) {
        struct node *n = held[i];
        for (int k = 0; k < LENGTH; k++) {
            struct node *next = ouro_get(n, &n->a);
            CHECK_EQ(ouro_refcount(next), k == LENGTH - 1 ? 3 : 2);
            CHECK_EQ(n->id, k);
            ouro_release(next);
            n = next;
        }
        CHECK(n == held[i]);
        ouro_release(held[i]);
        held[i] = NULL;
    }
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(live_objects(), live);
}

static void test_disable(void)
{
    await_collector(); /* else one that is due for another reason might be dropped, and what it asks for with it */
    ouro_gc_disable();
    CHECK_GE(ouro_gc_collect(2), 0);
    await_collector(); /* one that was under way has been recorded */
    size_t live = live_objects();
    uint64_t before = automatic(1) + automatic(2);
    churn(40 * MIB, NULL, NULL);
    usleep(50000);
    CHECK_EQ(automatic(1) + automatic(2), before);
    CHECK_GE(live_objects() - live, 40 * MIB / sizeof(struct node));
    ouro_gc_enable(); /* on again: what has piled up is found */
    churn(20 * MIB, NULL, NULL);
    CHECK(wait_until(is_beyond, &before));
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(live_objects(), live);
}

/* Over the soft limit, collections come earlier, for that reason. */
static void test_soft_limit(void)
{
    CHECK_GE(ouro_gc_collect(2), 0);
    struct expected expected = one_more(2, OURO_GC_REASON_MEMORY);
    ouro_mem_trim();
    size_t in_use = mem_stats().committed_bytes;
    CHECK_EQ(ouro_mem_set_limit(in_use + MIB / 2, 0), OURO_OK);
    for (int i = 0; i < 100 && !has_collected(&expected); i++) {
        churn(MIB / 2, NULL, NULL);
        usleep(1000);
    }
    CHECK(wait_until(has_collected, &expected)); /* the last one may be under way */
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
    CHECK_GE(ouro_gc_collect(2), 0);
}

int main(void)
{
    check_start("collect_test");
    CHECK_RUN(test_manual_finalizers); /* starts a runtime of its own */
    fixture_start();
    ouro_gc_disable(); /* first: collections are the test's own */
    FIXTURE_RUN(test_shapes);
    FIXTURE_RUN(test_tails);
    FIXTURE_RUN(test_held_anywhere);
    FIXTURE_RUN(test_private_and_shared);
    FIXTURE_RUN(test_made_by_an_unbiased_thread);
    FIXTURE_RUN(test_across_threads);
    FIXTURE_RUN(test_unbiased_recent);
    FIXTURE_RUN(test_exited_threads);
    FIXTURE_RUN(test_garbage_of_unbiased);
    FIXTURE_RUN(test_many_collect);
    FIXTURE_RUN(test_finalizers_see_the_living);
    FIXTURE_RUN(test_resurrection);
    FIXTURE_RUN(test_resurrection_of_others);
    FIXTURE_RUN(test_finalizers_make_garbage);
    FIXTURE_RUN(test_weak_references);
    FIXTURE_RUN(test_weak_references_in_garbage);
    FIXTURE_RUN(test_collecting_in_callbacks);
    FIXTURE_RUN(test_gc_callbacks);
    FIXTURE_RUN(test_gc_callbacks_limits);
    FIXTURE_RUN(test_collect_async);
    FIXTURE_RUN(test_stats);
    FIXTURE_RUN(test_get_count);
    ouro_gc_enable();
    FIXTURE_RUN(test_thresholds);
    FIXTURE_RUN(test_growth_is_bounded);
    FIXTURE_RUN(test_growth_flat_out);
    FIXTURE_RUN(test_old_survivors_are_shared);
    FIXTURE_RUN(test_disable);
    FIXTURE_RUN(test_soft_limit);
    return check_finish();
}
