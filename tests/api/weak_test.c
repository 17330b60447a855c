/* SPDX-License-Identifier: MIT
 *
 * Weak references: they name their target as long as it lives and NULL after, call back once, outlive it or die before
 * it, may lie in cycles, be shared, be asked by many threads while the target dies. */
#include <stdatomic.h>
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

struct call_log {
    int calls;
    ouro_weak *weak;
    void *read;
    long finalized_before;
};

static void log_call(ouro_weak *weak, void *arg)
{
    struct call_log *log = arg;
    log->calls++;
    log->weak = weak;
    log->read = ouro_weak_get(weak);
    log->finalized_before = finalized();
}

static void count_call(ouro_weak *weak, void *arg)
{
    CHECK_PTR(ouro_weak_get(weak), NULL);
    atomic_fetch_add((atomic_long *)arg, 1);
}

static ouro_weak *weak_new(void *target, ouro_weak_callback callback, void *arg)
{
    ouro_weak *weak = ouro_weak_new(target, callback, arg);
    REQUIRE(weak);
    return weak;
}

/* Asks the weak reference that a slot holds. */
static void *ask_slot(void *container, ouro_slot *slot)
{
    ouro_weak *weak = ouro_get(container, slot);
    void *target = ouro_weak_get(weak);
    ouro_release(weak);
    return target;
}

static void test_get(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = node_new(1);
        if (shared)
            ouro_share(n);
        ouro_weak *weak = weak_new(n, NULL, NULL);
        CHECK_EQ(ouro_refcount(n), 1);
        CHECK_EQ(ouro_refcount(weak), 1);
        struct node *got = ouro_weak_get(weak);
        CHECK_PTR(got, n);
        CHECK_EQ(ouro_refcount(n), 2);
        ouro_release(n);
        CHECK_EQ(got->id, 1);
        struct node *again = ouro_weak_get(weak);
        CHECK_PTR(again, got);
        ouro_release(again);
        ouro_release(got);
        CHECK_EQ(finalized(), 1 + shared);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        ouro_release(weak);
    }
    CHECK_PTR(ouro_weak_get(NULL), NULL);
}

/* Once, after the finalizer, with the weak reference reading as NULL. */
static void test_callback(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct call_log log = {0};
        struct node *n = node_new(1);
        if (shared)
            ouro_share(n);
        ouro_weak *weak = weak_new(n, log_call, &log);
        ouro_retain(n);
        ouro_release(n);
        CHECK_EQ(log.calls, 0);
        long before = finalized();
        ouro_release(n);
        CHECK_EQ(log.calls, 1);
        CHECK_PTR(log.weak, weak);
        CHECK_PTR(log.read, NULL);
        CHECK_EQ(log.finalized_before - before, 1);
        ouro_release(weak);
        CHECK_EQ(log.calls, 1);
    }
}

/* A weak reference that dies first does not call. */
/* Whose death is noticed by nothing else: without a finalizer, and without a reference to anything. */
static void test_bare_target(void)
{
    for (int variant = 0; variant < 4; variant++) {
        bool shared = variant % 2, called_later = variant / 2; /* shared before there are weak references, or after */
        struct node *n = plain_new(1);
        atomic_long calls = 0;
        if (shared && !called_later)
            ouro_share(n);
        ouro_weak *weak = weak_new(n, NULL, NULL), *called = weak_new(n, count_call, &calls);
        if (shared && called_later)
            ouro_share(n);
        CHECK_PTR(ouro_weak_get(weak), n);
        ouro_release(n);
        CHECK_EQ(calls, 0);
        ouro_release(n);
        CHECK_EQ(calls, 1);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        CHECK_PTR(ouro_weak_get(called), NULL);
        ouro_release(weak);
        ouro_release(called);
    }
}

static void test_target_outlives_weak(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct call_log log = {0};
        struct node *n = node_new(1);
        if (shared)
            ouro_share(n);
        ouro_release(weak_new(n, log_call, &log));
        ouro_weak *second = weak_new(n, NULL, NULL);
        ouro_release(weak_new(n, log_call, &log));
        struct node *got = ouro_weak_get(second);
        CHECK_PTR(got, n);
        ouro_release(got);
        ouro_release(second);
        ouro_release(n);
        CHECK_EQ(log.calls, 0);
        CHECK_EQ(finalized(), 1 + shared);
    }
}

/* Many to one target; half of them gone before it, in no particular order. */
static void test_many(void)
{
    enum { COUNT = SCALED(10000) };
    static ouro_weak *weaks[COUNT];
    for (int shared = 0; shared < 2; shared++) {
        atomic_long calls = 0;
        struct node *n = node_new(1);
        if (shared)
            ouro_share(n);
        for (int i = 0; i < COUNT; i++)
            weaks[i] = weak_new(n, count_call, &calls);
        long kept = 0;
        struct rng rng = rng_stream(seed, (uint64_t)shared);
        for (int i = 0; i < COUNT; i++) {
            if (rng_one_in(&rng, 2)) {
                ouro_release(weaks[i]);
                weaks[i] = NULL;
            } else {
                kept++;
            }
        }
        ouro_release(n);
        CHECK_EQ(atomic_load(&calls), kept);
        int alive = 0;
        for (int i = 0; i < COUNT; i++) {
            alive += ouro_weak_get(weaks[i]) != NULL;
            ouro_release(weaks[i]);
        }
        CHECK_EQ(alive, 0);
        CHECK_EQ(atomic_load(&calls), kept);
    }
}

/* Weak references to weak references, to leaves, to arrays. */
static void test_targets_of_all_kinds(void)
{
    void *targets[] = {leaf_new(1),
                       table_new(5),
                       table_new(100000),
                       ouro_new_array(&bytes_type, 100),
                       ouro_new_array(&bytes_type, 1000000),
                       NULL};
    struct node *n = node_new(1);
    targets[5] = weak_new(n, NULL, NULL);
    for (int i = 0; i < 6; i++) {
        struct call_log log = {0};
        ouro_weak *weak = weak_new(targets[i], log_call, &log);
        void *got = ouro_weak_get(weak);
        CHECK_PTR(got, targets[i]);
        ouro_release(got);
        ouro_release(targets[i]);
        CHECK_EQ(log.calls, 1);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        ouro_release(weak);
    }
    ouro_release(n);
}

/* Stored in slots: in the target itself, in what the target holds, in a container of its own. */
static void test_stored(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        atomic_long calls = 0;
        struct node *target = node_new(1), *keeper = node_new(2);
        ouro_give(target, &target->a, weak_new(target, NULL, NULL));
        ouro_give(target, &target->b, node_new_with(3, weak_new(target, NULL, NULL), NULL));
        ouro_give(keeper, &keeper->a, weak_new(target, count_call, &calls));
        if (shared) {
            ouro_share(keeper);
            ouro_share(target);
        }
        void *got = ask_slot(target, &target->a);
        CHECK_PTR(got, target);
        ouro_release(got);
        ouro_release(target);
        CHECK_EQ(finalized() - before, 2);
        CHECK_EQ(atomic_load(&calls), 1);
        CHECK_PTR(ask_slot(keeper, &keeper->a), NULL);
        ouro_release(keeper);
    }
}

/* Two objects that name each other weakly are no cycle. */
static void test_weak_back_reference(void)
{
    struct node *parent = node_new(1), *child = node_new(2);
    ouro_give(parent, &parent->a, child);
    ouro_give(child, &child->a, weak_new(parent, NULL, NULL));
    struct node *up = ask_slot(child, &child->a);
    CHECK_PTR(up, parent);
    ouro_release(up);
    ouro_release(parent);
    CHECK_EQ(finalized(), 2);
}

static struct node *ring_of_two(void)
{
    struct node *a = node_new(1), *b = node_new(2);
    ouro_set(a, &a->a, b);
    ouro_set(b, &b->a, a);
    ouro_release(b);
    return a;
}

/* The target dies in a garbage cycle; the weak reference is outside, inside, or both. */
static void test_targets_in_cycles(void)
{
    struct call_log log = {0};
    struct node *ring = ring_of_two();
    ouro_weak *outside = weak_new(ring, log_call, &log);
    ouro_give(ring, &ring->b, weak_new(ring, NULL, NULL));
    ouro_release(ring);
    struct node *got = ouro_weak_get(outside); /* garbage, but not found yet */
    CHECK_PTR(got, ring);
    ouro_release(got);
    CHECK_GE(ouro_gc_collect(0), 2);
    CHECK_EQ(finalized(), 2);
    CHECK_EQ(log.calls, 1);
    CHECK_EQ(log.finalized_before, 2);
    CHECK_PTR(ouro_weak_get(outside), NULL);
    ouro_release(outside);
    CHECK_EQ(log.calls, 1);
}

/* A live cycle keeps its weak references. */
static void test_live_cycles(void)
{
    struct node *ring = ring_of_two();
    ouro_weak *weak = weak_new(ouro_peek(&ring->a), NULL, NULL);
    CHECK_EQ(ouro_gc_collect(0), 0);
    struct node *got = ouro_weak_get(weak);
    CHECK_PTR(got, ouro_peek(&ring->a));
    ouro_release(got);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 2);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

static struct table *board;

static void keep(void *object)
{
    ouro_set(board, &board->items[0], object);
}

/* A finalizer that keeps its object: no call, and the weak reference names it again. */
static void test_resurrection(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct call_log log = {0};
        board = table_new(1);
        on_finalize(keep);
        struct node *n = node_new(1);
        if (shared)
            ouro_share(n);
        ouro_weak *weak = weak_new(n, log_call, &log);
        ouro_release(n);
        CHECK_EQ(log.calls, 0);
        struct node *got = ouro_weak_get(weak);
        CHECK_PTR(got, n);
        ouro_release(got);
        ouro_set(board, &board->items[0], NULL);
        CHECK_EQ(log.calls, 1);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        ouro_release(weak);
        ouro_release(board);
        CHECK_EQ(finalized(), 1 + shared);
    }
}

static ouro_weak *asked;
static void *answer;

static void ask(void *object)
{
    (void)object;
    answer = ouro_weak_get(asked);
}

/* Inside the finalizer of a shared target it reads as NULL. */
static void test_asked_in_finalizer(void)
{
    struct node *n = node_new(1);
    ouro_share(n);
    asked = weak_new(n, NULL, NULL);
    answer = n;
    on_finalize(ask);
    ouro_release(n);
    CHECK_PTR(answer, NULL);
    ouro_release(asked);
}

static void make_and_drop(ouro_weak *weak, void *arg)
{
    struct call_log *log = arg;
    CHECK_PTR(ouro_weak_get(weak), NULL);
    struct node *n = node_new(2);
    ouro_weak *another = weak_new(n, NULL, NULL);
    ouro_release(n);
    CHECK_PTR(ouro_weak_get(another), NULL);
    ouro_release(another);
    ouro_release(ring_of_two());
    CHECK_GE(ouro_gc_collect(0), 0);
    ouro_retain(weak);
    ouro_release(weak);
    log->calls++;
}

/* A callback may call any function. */
static void test_callbacks_use_ouro(void)
{
    struct call_log log = {0};
    struct node *n = node_new(1);
    ouro_weak *weak = weak_new(n, make_and_drop, &log);
    ouro_release(n);
    CHECK_EQ(log.calls, 1);
    n = ring_of_two();
    ouro_weak *second = weak_new(n, make_and_drop, &log);
    ouro_release(n);
    CHECK_GE(ouro_gc_collect(0), 2);
    CHECK_EQ(log.calls, 2);
    CHECK_GE(ouro_gc_collect(0), 0); /* what the callback dropped */
    ouro_release(weak);
    ouro_release(second);
}

static void release_itself(ouro_weak *weak, void *arg)
{
    ++*(int *)arg;
    ouro_release(weak); /* the reference that the test held */
}

static void test_callback_drops_its_weak(void)
{
    int calls = 0;
    struct node *n = node_new(1);
    weak_new(n, release_itself, &calls);
    weak_new(n, release_itself, &calls);
    ouro_release(n);
    CHECK_EQ(calls, 2);
}

/* Finalizers and callbacks that fall due in a read section wait for its end. */
static void test_in_read_section(void)
{
    struct call_log log = {0};
    struct node *n = node_new(1);
    ouro_weak *weak = weak_new(n, log_call, &log);
    ouro_read_begin();
    ouro_release(n);
    CHECK_EQ(log.calls, 0);
    ouro_read_end();
    CHECK_EQ(log.calls, 1);
    ouro_release(weak);
}

struct race {
    ouro_weak *weak;
    struct node *node;
    long rounds;
    pthread_barrier_t ready, over;
    atomic_long calls;
    atomic_long got;
};

/* One thread makes and drops, the others ask: who gets the target gets it alive. */
static void ask_while_dying(struct member *self)
{
    struct race *race = self->arg;
    for (long i = 0; i < race->rounds; i++) {
        if (self->index == 0) {
            race->node = node_new(i);
            race->weak = weak_new(race->node, count_call, &race->calls);
            ouro_share(race->weak);
        }
        pthread_barrier_wait(&race->ready);
        if (rng_one_in(&self->rng, 2))
            yield_sometimes(&self->rng);
        if (self->index == 0) {
            ouro_release(race->node);
        } else {
            struct node *n = ouro_weak_get(race->weak);
            if (n) {
                CHECK_EQ(n->id, i);
                CHECK_GE(ouro_refcount(n), 1);
                ouro_release(n);
                atomic_fetch_add(&race->got, 1);
            }
        }
        pthread_barrier_wait(&race->over);
        if (self->index == 0) {
            ouro_safepoint(); /* the others' last references may have been handed to the maker */
            CHECK_PTR(ouro_weak_get(race->weak), NULL);
            CHECK_EQ(finalized(), i + 1);
            CHECK_EQ(atomic_load(&race->calls), i + 1);
            ouro_release(race->weak);
        }
    }
}

static void test_asked_by_many_while_dying(void)
{
    enum { THREADS = 3 };
    struct race race = {.rounds = SCALED(10000)};
    pthread_barrier_init(&race.ready, NULL, THREADS);
    pthread_barrier_init(&race.over, NULL, THREADS);
    team_run(THREADS, seed, ask_while_dying, &race);
    printf("       %ld upgrades came in time\n", atomic_load(&race.got));
    pthread_barrier_destroy(&race.ready);
    pthread_barrier_destroy(&race.over);
}

static void *use_shared_weak(void *arg)
{
    ouro_weak *weak = arg;
    struct node *n = ouro_weak_get(weak);
    if (CHECK(n)) {
        CHECK_EQ(n->id, 1);
        ouro_weak *another = weak_new(n, NULL, NULL); /* a second one, by another thread */
        struct node *again = ouro_weak_get(another);
        CHECK_PTR(again, n);
        ouro_release(again);
        ouro_release(n);
        ouro_release(another);
    }
    return NULL;
}

/* Sharing the weak reference publishes the target. */
static void test_sharing_publishes_the_target(void)
{
    struct node *n = node_new(1);
    ouro_weak *weak = weak_new(n, NULL, NULL);
    ouro_share(weak);
    thread_do(use_shared_weak, weak, 0);
    struct node *c = plain_new(0);
    ouro_share(c);
    struct node *m = node_new(1);
    ouro_give(c, &c->a, weak_new(m, NULL, NULL)); /* so does storing it into a shared container */
    ouro_weak *stored = ouro_get(c, &c->a);
    thread_do(use_shared_weak, stored, 0);
    ouro_release(stored);
    ouro_release(n);
    ouro_release(m);
    CHECK_EQ(finalized(), 2);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
    ouro_release(c);
}

int main(void)
{
    check_start("weak_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_get);
    FIXTURE_RUN(test_callback);
    FIXTURE_RUN(test_bare_target);
    FIXTURE_RUN(test_target_outlives_weak);
    FIXTURE_RUN(test_many);
    FIXTURE_RUN(test_targets_of_all_kinds);
    FIXTURE_RUN(test_stored);
    FIXTURE_RUN(test_weak_back_reference);
    FIXTURE_RUN(test_targets_in_cycles);
    FIXTURE_RUN(test_live_cycles);
    FIXTURE_RUN(test_resurrection);
    FIXTURE_RUN(test_asked_in_finalizer);
    FIXTURE_RUN(test_callbacks_use_ouro);
    FIXTURE_RUN(test_callback_drops_its_weak);
    FIXTURE_RUN(test_in_read_section);
    FIXTURE_RUN(test_asked_by_many_while_dying);
    FIXTURE_RUN(test_sharing_publishes_the_target);
    return check_finish();
}
