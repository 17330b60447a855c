/* SPDX-License-Identifier: MIT
 *
 * Finalizers: once per object, on the thread and at the moment that <ouro/object.h> names, with the object alive; what
 * they may do (drop, make, collect, keep); and when they run for garbage cycles. The manual mode is in its own runtime,
 * in a forked child. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

static struct table *board; /* where finalizers keep things */
static int depth, deepest;
static long order[100], ordered;

static void enter(void *object)
{
    if (++depth > deepest)
        deepest = depth;
    if (ordered < 100)
        order[ordered++] = ((struct node *)object)->id;
}

static void leave(void)
{
    depth--;
}

static struct node *ring_new(long length)
{
    struct node *first = node_new(0), *last = ouro_retain(first);
    for (long i = 1; i < length; i++) {
        struct node *n = node_new(i);
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    return first;
}

static void look_at_contents(void *object)
{
    if (ouro_type_of(object) != &node_type)
        return;
    struct node *n = object;
    struct leaf *l = ouro_peek(&n->a);
    CHECK_EQ(n->id, 5);
    CHECK_GE(ouro_refcount(n), 1);
    CHECK(ouro_gc_is_finalized(n));
    if (CHECK(l))
        CHECK_EQ(l->id, 6); /* contents are alive: they die after their container */
}

static void test_object_is_alive(void)
{
    on_finalize(look_at_contents);
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = node_new_with(5, leaf_new(6), NULL);
        if (shared)
            ouro_share(n);
        CHECK(!ouro_gc_is_finalized(n));
        ouro_release(n);
        CHECK_EQ(finalized(), 2 + 2 * shared);
    }
}

static pthread_t finalizer_thread;

static void note_thread(void *object)
{
    (void)object;
    finalizer_thread = pthread_self();
}

static void *release_and_check_thread(void *object)
{
    long before = finalized();
    ouro_release(object);
    CHECK_EQ(finalized() - before, 1);
    CHECK(pthread_equal(finalizer_thread, pthread_self()));
    return NULL;
}

/* On the thread that dropped the last reference: here the maker is parked. */
static void test_thread(void)
{
    on_finalize(note_thread);
    release_and_check_thread(node_new(1));
    struct node *n = node_new(2);
    ouro_share(n);
    thread_do(release_and_check_thread, n, 0);
}

static void keep_on_board(void *object)
{
    ouro_set(board, &board->items[0], object);
}

/* A finalizer that keeps its object: alive, and later dead without a second call. */
static void test_resurrection(void)
{
    for (int shared = 0; shared < 4; shared++) { /* bit 0: the object, bit 1: the board */
        long before = finalized();
        board = table_new(1);
        on_finalize(keep_on_board);
        if (shared & 2)
            ouro_share(board);
        struct node *n = node_new(1);
        if (shared & 1)
            ouro_share(n);
        size_t live = live_objects_now();
        ouro_release(n);
        CHECK_EQ(finalized() - before, 1);
        CHECK_EQ(live_objects_now(), live);
        CHECK_EQ(ouro_refcount(n), 1);
        CHECK_EQ(n->id, 1);
        CHECK(ouro_gc_is_finalized(n));
        n = ouro_take(board, &board->items[0]);
        CHECK_EQ(n->id, 1);
        ouro_release(n);
        CHECK_EQ(finalized() - before, 1);
        ouro_release(board);
        CHECK_EQ(live_objects(), 0);
        on_finalize(NULL);
    }
}

static void keep_children(void *object)
{
    if (ouro_type_of(object) == &node_type)
        ouro_set(board, &board->items[0], ouro_peek(&((struct node *)object)->a));
}

/* One that keeps a child of the object only. */
static void test_child_is_kept(void)
{
    board = table_new(1);
    on_finalize(keep_children);
    ouro_release(node_new_with(1, leaf_new(2), leaf_new(3)));
    CHECK_EQ(finalized(), 2); /* the object, and the child that was not kept */
    struct leaf *l = ouro_take(board, &board->items[0]);
    CHECK_EQ(l->id, 2);
    ouro_release(l);
    CHECK_EQ(finalized(), 3);
    ouro_release(board);
}

static void *held[2];

static void drop_held(void *object)
{
    enter(object);
    for (int i = 0; i < 2; i++) {
        void *other = held[i];
        held[i] = NULL;
        long before = finalized();
        ouro_release(other);
        CHECK_EQ(finalized(), before); /* its finalizer waits until this one has returned */
    }
    leave();
}

/* What a finalizer drops is finalized after it, not inside it. */
static void test_drop_in_finalizer(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        depth = deepest = 0;
        ordered = 0;
        on_finalize(drop_held);
        held[0] = node_new(2);
        held[1] = node_new(3);
        struct node *n = node_new(1);
        if (shared) {
            ouro_share(held[0]);
            ouro_share(held[1]);
            ouro_share(n);
        }
        ouro_release(n);
        CHECK_EQ(finalized() - before, 3);
        CHECK_EQ(deepest, 1);
        CHECK_EQ(order[0], 1);
        CHECK_EQ(order[1] + order[2], 5);
        on_finalize(NULL);
    }
}

static int rings_to_make;

static void make_ring(void *object)
{
    (void)object;
    if (rings_to_make > 0) {
        rings_to_make--;
        struct node *ring = ring_new(3);
        ouro_release(ring);
    }
}

/* Cycles that finalizers make and drop are found by a later collection. */
static void test_cycles_made_in_finalizers(void)
{
    on_finalize(make_ring);
    rings_to_make = 10;
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
    for (int i = 0; i < 20; i++) /* each ring's finalizers make more */
        CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_EQ(rings_to_make, 0);
    CHECK_EQ(finalized(), 1 + 10 * 3);
}

static void collect_inside(void *object)
{
    (void)object;
    CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_GE(ouro_gc_collect(2), 0);
    ouro_safepoint();
    struct node *n = plain_new(1);
    ouro_release(n);
}

static void test_collect_in_finalizer(void)
{
    on_finalize(collect_inside);
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
    ouro_release(ring_new(5));
    CHECK_GE(ouro_gc_collect(0), 5);
    CHECK_EQ(finalized(), 6);
    ouro_release(ring_new(5)); /* dropped, and found by a collection inside another's finalizer */
    ouro_release(node_new(2));
    CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_EQ(finalized(), 12);
}

static void shutdown_inside(void *object)
{
    (void)object;
    CHECK_EQ(ouro_shutdown(NULL), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_shutdown", NULL, NULL);
}

static void test_shutdown_in_finalizer(void)
{
    on_finalize(shutdown_inside);
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
}

/* Once one collection has returned, finalizers have run and what was not kept is gone. */
static void test_garbage_cycles(void)
{
    static const long lengths[] = {1, 2, 3, 100, 10000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        long before = finalized();
        ouro_release(ring_new(lengths[i]));
        CHECK_EQ(finalized() - before, 0);
        CHECK_EQ(ouro_gc_collect(0), lengths[i]);
        CHECK_EQ(finalized() - before, lengths[i]);
        CHECK_EQ(live_objects(), 0);
    }
}

static void keep_number_two(void *object)
{
    if (((struct node *)object)->id == 2)
        ouro_set(board, &board->items[0], object);
}

/* One member of a garbage ring is kept: the whole ring lives on (it is reached from that member), and dies without
 * further calls. Another ring found at the same time is not affected. */
static void test_resurrected_cycle(void)
{
    board = table_new(1);
    on_finalize(keep_number_two);
    struct node *ring = ring_new(5), *other = ring_new(2);
    ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
    ouro_release(ring);
    ouro_release(other);
    CHECK_GE(ouro_gc_collect(0), 2);
    CHECK_EQ(finalized(), 7);
    CHECK_EQ(ouro_gc_collect(0), 0);
    CHECK_EQ(live_objects(), 7); /* the ring, the board, the weak reference */
    struct node *n = ouro_weak_get(weak);
    CHECK_PTR(n, ring);
    ouro_release(n);
    n = ouro_take(board, &board->items[0]);
    for (long i = 0; i < 5; i++) {
        CHECK_EQ(n->id, (i + 2) % 5);
        struct node *next = ouro_get(n, &n->a);
        ouro_release(n);
        n = next;
    }
    ouro_release(n);
    CHECK_EQ(ouro_gc_collect(0), 5);
    CHECK_EQ(finalized(), 7);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
    ouro_release(board);
}

/* Not inside ouro_new, however much it collects; then at a safepoint. */
static atomic_bool in_new;

static void not_in_new(void *object)
{
    (void)object;
    CHECK(!atomic_load(&in_new));
}

static void test_never_in_new(void)
{
    size_t pinned[3] = {100, 0, 0}, by_itself[3] = {0, 0, 0};
    on_finalize(not_in_new);
    CHECK_EQ(ouro_gc_set_threshold(pinned), OURO_OK);
    for (int i = 0; i < 5000; i++) {
        atomic_store(&in_new, true);
        struct node *a = ouro_new(&node_type), *b = ouro_new(&node_type);
        atomic_store(&in_new, false);
        REQUIRE(a && b);
        ouro_give(a, &a->a, ouro_retain(b));
        ouro_give(b, &b->a, a);
        ouro_release(b);
    }
    ouro_safepoint();
    CHECK_GE(finalized(), 1000);
    CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_EQ(finalized(), 10000);
    CHECK_EQ(ouro_gc_set_threshold(by_itself), OURO_OK);
}

/* Garbage found when the thread parks, detaches or ends is finalized there. */
static void *drop_ring_and_end(void *arg)
{
    (void)arg;
    ouro_release(ring_new(10));
    return NULL;
}

static void *drop_ring_and_detach(void *arg)
{
    (void)arg;
    ouro_release(ring_new(10));
    ouro_thread_detach();
    CHECK_EQ(finalized(), 20);
    return NULL;
}

static void test_at_detach_and_exit(void)
{
    thread_do(drop_ring_and_end, NULL, 0);
    CHECK_EQ(finalized(), 10);
    thread_do(drop_ring_and_detach, NULL, 0);
    CHECK_EQ(finalized(), 20);
}

static void manual_mode(void *arg)
{
    (void)arg;
    fixture_start_with((ouro_config){.flags = OURO_FINALIZE_MANUAL});
    fixture_before();
    CHECK_EQ(ouro_finalizers_run(10), 0);
    ouro_release(node_new(1)); /* by count: at once, as ever */
    CHECK_EQ(finalized(), 1);
    struct node *ring = ring_new(10);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 10);
    ouro_safepoint();
    ouro_blocking_begin();
    ouro_blocking_end();
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(ouro_finalizers_run(0), 0);
    CHECK_EQ(ouro_finalizers_run(3), 3);
    CHECK_EQ(finalized(), 4);
    CHECK_GE(ouro_gc_collect(0), 0); /* does not lose the rest */
    CHECK_EQ(ouro_finalizers_run(1), 1);
    CHECK_EQ(ouro_finalizers_run(SIZE_MAX), 6);
    CHECK_EQ(finalized(), 11);
    CHECK_EQ(ouro_finalizers_run(SIZE_MAX), 0);
    CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_EQ(finalized(), 11);
    fixture_after();
}

static int callbacks;

static void count_callback(ouro_weak *weak, void *arg)
{
    (void)arg;
    CHECK_PTR(ouro_weak_get(weak), NULL);
    callbacks++;
}

static void manual_callbacks(void *arg)
{
    (void)arg;
    fixture_start_with((ouro_config){.flags = OURO_FINALIZE_MANUAL});
    fixture_before();
    struct node *a = plain_new(1), *b = plain_new(2); /* no finalizers: only callbacks wait */
    ouro_give(a, &a->a, ouro_retain(b));
    ouro_give(b, &b->a, ouro_retain(a));
    ouro_weak *one = ouro_weak_new(a, count_callback, NULL), *other = ouro_weak_new(b, count_callback, NULL);
    ouro_release(a);
    ouro_release(b);
    CHECK_EQ(ouro_gc_collect(0), 2);
    CHECK_EQ(callbacks, 0);
    CHECK_PTR(ouro_weak_get(one), NULL);
    CHECK_EQ(ouro_finalizers_run(1), 1);
    CHECK_EQ(callbacks, 1);
    CHECK_EQ(ouro_finalizers_run(5), 1);
    CHECK_EQ(callbacks, 2);
    ouro_release(one);
    ouro_release(other);
    fixture_after();
}

static void test_manual(void)
{
    CHECK_EQ(child_run(manual_mode, NULL), 0);
    CHECK_EQ(child_run(manual_callbacks, NULL), 0);
}

int main(void)
{
    check_start("finalize_test");
    CHECK_RUN(test_manual); /* before this process has a runtime */
    fixture_start();
    FIXTURE_RUN(test_object_is_alive);
    FIXTURE_RUN(test_thread);
    FIXTURE_RUN(test_resurrection);
    FIXTURE_RUN(test_child_is_kept);
    FIXTURE_RUN(test_drop_in_finalizer);
    FIXTURE_RUN(test_cycles_made_in_finalizers);
    FIXTURE_RUN(test_collect_in_finalizer);
    FIXTURE_RUN(test_shutdown_in_finalizer);
    FIXTURE_RUN(test_garbage_cycles);
    FIXTURE_RUN(test_resurrected_cycle);
    FIXTURE_RUN(test_never_in_new);
    FIXTURE_RUN(test_at_detach_and_exit);
    return check_finish();
}
