/* SPDX-License-Identifier: MIT
 *
 * Threads come and go: attaching by themselves and by request, detaching, ending; thousands of short ones; objects that
 * outlive their makers; slots that are used again; unbiased threads; calls from TLS destructors; a full thread
 * table. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static void *attach_and_detach(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(ouro_thread_attach(0), OURO_OK);
        CHECK_EQ(ouro_thread_attach(0), OURO_OK);
        CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK); /* no effect */
        ouro_release(node_new(1));
        ouro_thread_detach();
        ouro_thread_detach();
    }
    CHECK_EQ(ouro_thread_attach(0x80000000u), OURO_E_INVALID);
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED << 1), OURO_E_INVALID);
    ouro_release(node_new(2)); /* attaches by itself */
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    return NULL;
}

static void test_attach_and_detach(void)
{
    thread_do(attach_and_detach, NULL, 0);
    CHECK_EQ(finalized(), 4);
    ouro_thread_detach(); /* this thread, too */
    ouro_release(node_new(3));
    CHECK_EQ(finalized(), 5);
}

/* What a thread holds when it detaches stays its own to use: retain and release work without a slot. */
static void test_own_objects_after_detach(void)
{
    struct node *n = node_new_with(1, leaf_new(2), NULL), *other = node_new(3);
    ouro_retain(n);
    ouro_thread_detach();
    ouro_retain(n);
    ouro_release(n);
    ouro_release(n);
    CHECK_EQ(n->id, 1);
    ouro_release(n);
    CHECK_EQ(finalized(), 2);
    struct node *m = node_new(4); /* attached again */
    ouro_set(m, &m->a, other);
    CHECK_EQ(ouro_refcount(other), 2);
    ouro_release(m);
    CHECK_EQ(ouro_refcount(other), 1);
    ouro_release(other);
    CHECK_EQ(finalized(), 4);
}

static void *make_private(void *out)
{
    struct node *n = node_new_with(1, node_new(2), leaf_new(3));
    *(struct node **)out = ouro_retain(n);
    ouro_release(n);
    return NULL;
}

/* Private objects that a thread leaves at its end are published and belong to whoever got the reference. */
static void test_private_objects_of_the_dead(void)
{
    for (int i = 0; i < 50; i++) {
        struct node *n = NULL;
        thread_do(make_private, &n, 0);
        CHECK_EQ(n->id, 1);
        CHECK_EQ(ouro_refcount(n), 1);
        struct node *child = ouro_get(n, &n->a);
        CHECK_EQ(child->id, 2);
        ouro_release(n);
        CHECK_EQ(finalized(), 3 * i + 2);
        ouro_release(child);
        CHECK_EQ(finalized(), 3 * i + 3);
    }
}

struct nursery {
    struct table *table;
    atomic_int next;
    int total;
};

/* A short life: make some objects, put one into the table, replace another's, leave a ring behind. */
static void *short_life(void *arg)
{
    struct nursery *nursery = arg;
    int me = atomic_fetch_add(&nursery->next, 1);
    struct node *n = node_new_with(me, node_new(me), NULL);
    ouro_set(nursery->table, &nursery->table->items[me % 100], n);
    ouro_release(n);
    struct node *other = ouro_take(nursery->table, &nursery->table->items[(me * 7 + 1) % 100]);
    ouro_release(other);
    n = node_new(me);
    ouro_set(n, &n->a, n);
    ouro_release(n);
    return NULL;
}

static void *start_many(void *arg)
{
    struct nursery *nursery = arg;
    for (int i = 0; i < nursery->total; i++)
        thread_do(short_life, nursery, 64 * 1024);
    return NULL;
}

static void test_thousands_of_short_threads(void)
{
    enum { EACH = SCALED(1500) };
    struct nursery nursery = {.table = table_new(100), .total = EACH};
    ouro_share(nursery.table);
    pthread_t one = thread_start(start_many, &nursery, 0), other = thread_start(start_many, &nursery, 0);
    thread_join_parked(one);
    thread_join_parked(other);
    ouro_release(nursery.table);
    CHECK_EQ(finalized(), 3L * 2 * EACH);
}

enum { OWNERS = 16, OWNED = 500 };

static struct node *owned[OWNERS * OWNED];

static void make_owned(struct member *self)
{
    struct node *previous = NULL;
    for (int i = 0; i < OWNED; i++) {
        struct node *n = node_new(i);
        if (previous && i % 3 == 0)
            ouro_set(n, &n->a, previous);
        if (i % 2)
            ouro_share(n);
        owned[self->index * OWNED + (unsigned)i] = n;
        previous = n;
    }
}

static void *release_owned(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    for (int i = OWNERS * OWNED - 1; i > 0; i--) { /* in random order */
        int k = (int)rng_below(&rng, (uint32_t)i + 1);
        struct node *n = owned[i];
        owned[i] = owned[k];
        owned[k] = n;
    }
    for (int i = 0; i < OWNERS * OWNED; i++)
        ouro_release(owned[i]);
    CHECK_EQ(finalized(), OWNERS * OWNED * ((long)(uintptr_t)arg + 1));
    return NULL;
}

/* Their makers are gone; their slots are vacant, or (second and third time) have new holders by now. */
static void test_objects_outlive_their_makers(void)
{
    for (uintptr_t round = 0; round < 3; round++) {
        team_run(OWNERS, seed, make_owned, NULL);
        if (round == 0)
            release_owned((void *)round);
        else
            thread_do(release_owned, (void *)round, 0);
    }
}

struct relay {
    struct step reached;
    struct node *node;
};

static void *make_for_relay(void *arg)
{
    struct relay *relay = arg;
    relay->node = node_new(1);
    ouro_share(relay->node);
    return NULL;
}

static void *hold_slot(void *arg)
{
    struct relay *relay = arg;
    ouro_release(plain_new(1)); /* takes the slot that the maker has left */
    step_set(&relay->reached, 1);
    CHECK(step_wait(&relay->reached, 2));
    CHECK_EQ(finalized(), 0);
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
    return NULL;
}

/* The slot's new holder answers for the objects of the old one: it runs, so they die at its safepoint. There are two
 * slots only, so that the new thread must take the one that was left. */
static void adoption(void *arg)
{
    struct relay relay = {STEP_INITIALIZER, NULL};
    (void)arg;
    fixture_start_with((ouro_config){.max_threads = 2});
    fixture_before();
    thread_do(make_for_relay, &relay, 0);
    pthread_t holder = thread_start(hold_slot, &relay, 0);
    CHECK(step_wait(&relay.reached, 1));
    ouro_release(relay.node);
    step_set(&relay.reached, 2);
    thread_join_running(holder);
    CHECK_EQ(finalized(), 1);
    fixture_after();
}

static void test_adoption(void)
{
    CHECK_EQ(child_run(adoption, NULL), 0);
}

static void *release_object(void *object)
{
    ouro_release(object);
    return NULL;
}

static struct node *use_unbiased(void)
{
    struct node *n = node_new_with(1, leaf_new(2), NULL);
    CHECK_EQ(ouro_refcount(n), 1);
    for (int i = 0; i < 10; i++)
        ouro_retain(n);
    CHECK_EQ(ouro_refcount(n), 11);
    for (int i = 0; i < 10; i++)
        ouro_release(n);
    struct leaf *l = ouro_get(n, &n->a);
    CHECK_EQ(l->id, 2);
    ouro_release(l);
    return n;
}

static void *unbiased(void *arg)
{
    (void)arg;
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    struct node *n = use_unbiased();
    ouro_release(n);
    CHECK_EQ(finalized(), 2);
    n = use_unbiased(); /* born published: handed on without ouro_share, and this thread need not be parked */
    thread_join_running(thread_start(release_object, n, 0));
    CHECK_EQ(finalized(), 4);
    ouro_weak *weak = ouro_weak_new(n = use_unbiased(), NULL, NULL);
    ouro_release(n);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
    CHECK_EQ(finalized(), 6);
    CHECK_EQ(ouro_gc_collect(0), 0);
    return NULL;
}

static void test_unbiased(void)
{
    thread_do(unbiased, NULL, 0);
}

/* TLS destructors that run after the library's own have given the slot back: they count, take and make objects. */
static pthread_key_t key;

struct late {
    int rounds;
    struct node *shared;
};

static void destroy_late(void *arg)
{
    struct late *late = arg;
    if (late->rounds-- > 0) {
        pthread_setspecific(key, late);
        return;
    }
    struct node *l = ouro_get(late->shared, &late->shared->a);
    ouro_release(l);
    ouro_release(late->shared);
    struct node *n = node_new(1);
    ouro_release(n);
    n = node_new(2);
    ouro_share(n);
    ouro_release(n);
}

static void *end_with_destructor(void *arg)
{
    struct late *late = arg;
    pthread_setspecific(key, late);
    ouro_release(plain_new(1));
    return NULL;
}

#if defined(TEST_TSAN)
enum {
    ROUNDS = 2
}; /* its own end of the thread comes in the fourth, with what the library does in response to the third */
#else
enum { ROUNDS = 3 };
#endif

static void test_tls_destructors(void)
{
    CHECK_EQ(pthread_key_create(&key, destroy_late), 0);
    struct node *shared = node_new_with(1, node_new(2), NULL);
    ouro_share(shared);
    long ends = 0;
    for (int i = 0; i < 60; i++) {
        struct late late = {i % ROUNDS, ouro_retain(shared)}; /* in the first, second or third round of destructors */
        thread_do(end_with_destructor, &late, 0);
        ends += 2;
        CHECK_EQ(finalized(), ends);
    }
    CHECK_EQ(ouro_refcount(shared), 1);
    ouro_release(shared);
    CHECK_EQ(finalized(), ends + 2);
    pthread_key_delete(key);
}

enum { SLOTS = 4 };

struct crowd {
    struct step entered, leave;
    struct node *shared;
};

static void *take_a_slot(void *arg)
{
    struct crowd *crowd = arg;
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    pthread_mutex_lock(&crowd->entered.mutex);
    crowd->entered.value++;
    pthread_cond_broadcast(&crowd->entered.changed);
    pthread_mutex_unlock(&crowd->entered.mutex);
    CHECK(step_wait(&crowd->leave, 1));
    return NULL;
}

/* No slot is left: whatever needs one fails, the rest works. */
static void *one_too_many(void *arg)
{
    struct crowd *crowd = arg;
    CHECK_EQ(ouro_thread_attach(0), OURO_E_AGAIN);
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_E_AGAIN);
    CHECK_PTR(ouro_new(&node_type), NULL);
    CHECK_PTR(ouro_new_array(&table_type, 3), NULL);
    CHECK_EQ(ouro_gc_collect(0), OURO_E_AGAIN);
    struct node *s = ouro_retain(crowd->shared);
    CHECK_PTR(ouro_weak_new(s, NULL, NULL), NULL);
    ouro_release(s);
    ouro_read_begin();
    struct leaf *l = ouro_peek(&s->a);
    CHECK_EQ(l->id, 2);
    CHECK_PTR(ouro_try_retain(l), l);
    ouro_read_end();
    ouro_release(l);
    l = ouro_get(s, &s->a);
    CHECK_EQ(l->id, 2);
    ouro_set(s, &s->b, l);
    CHECK_EQ(ouro_refcount(l), 3);
    ouro_release(l);
    ouro_safepoint();
    ouro_blocking_begin();
    ouro_blocking_end();
    ouro_thread_detach();
    l = ouro_take(s, &s->b);
    ouro_release(l);
    ouro_set(s, &s->a, NULL); /* the last reference: destroyed by a thread that has no slot */
    CHECK_EQ(finalized(), 1);
    return NULL;
}

static void full_table(void *arg)
{
    (void)arg;
    fixture_start_with((ouro_config){.max_threads = SLOTS});
    fixture_before();
    for (int round = 0; round < 5; round++) {
        fixture_before();
        struct crowd crowd = {STEP_INITIALIZER, STEP_INITIALIZER, plain_new(1)};
        ouro_give(crowd.shared, &crowd.shared->a, leaf_new(2));
        ouro_share(crowd.shared);
        pthread_t threads[SLOTS - 1];
        for (int i = 0; i < SLOTS - 1; i++) /* this thread is the fourth */
            threads[i] = thread_start(take_a_slot, &crowd, 0);
        CHECK(step_wait(&crowd.entered, SLOTS - 1));
        thread_do(one_too_many, &crowd, 0);
        step_set(&crowd.leave, 1);
        for (int i = 0; i < SLOTS - 1; i++)
            thread_join_parked(threads[i]);
        ouro_release(crowd.shared);
        thread_do(attach_and_detach, NULL, 0); /* there is room again */
        fixture_after();
    }
    fixture_before();
    test_tls_destructors(); /* slots taken by destructors are given back, or this would run out of them */
    fixture_after();
}

static void test_full_table(void)
{
    CHECK_EQ(child_run(full_table, NULL), 0);
}

/* Threads start, work on common objects and end, all at the same time. */
static void come_and_go(struct member *self)
{
    struct nursery *nursery = self->arg;
    for (int i = 0; i < nursery->total; i++) {
        short_life(nursery);
        ouro_thread_detach();
        yield_sometimes(&self->rng);
    }
}

static void test_coming_and_going(void)
{
    enum { THREADS = 4, EACH = SCALED(5000) };
    struct nursery nursery = {.table = table_new(100), .total = EACH};
    ouro_share(nursery.table);
    team_run(THREADS, seed, come_and_go, &nursery);
    ouro_release(nursery.table);
    CHECK_EQ(finalized(), 3L * THREADS * EACH);
}

int main(void)
{
    check_start("thread_test");
    seed = rng_seed();
    CHECK_RUN(test_full_table); /* in children, before this process has a runtime */
    CHECK_RUN(test_adoption);
    fixture_start();
    FIXTURE_RUN(test_attach_and_detach);
    FIXTURE_RUN(test_own_objects_after_detach);
    FIXTURE_RUN(test_private_objects_of_the_dead);
    FIXTURE_RUN(test_thousands_of_short_threads);
    FIXTURE_RUN(test_objects_outlive_their_makers);
    FIXTURE_RUN(test_unbiased);
    FIXTURE_RUN(test_tls_destructors);
    FIXTURE_RUN(test_coming_and_going);
    return check_finish();
}
