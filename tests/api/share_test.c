/* SPDX-License-Identifier: MIT
 *
 * Publication: ouro_share and storing into a shared container publish everything that is reached, of any shape, and
 * change no count; afterwards any thread may use it. Producers hand graphs to consumers outside the heap. */
#include <pthread.h>
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static struct node *tree_new(int depth)
{
    struct node *n = node_new(depth);
    if (depth > 1) {
        ouro_give(n, &n->a, tree_new(depth - 1));
        ouro_give(n, &n->b, tree_new(depth - 1));
    }
    return n;
}

static long visit_tree(struct node *n, int depth)
{
    if (!n)
        return 0;
    CHECK_EQ(n->id, depth);
    CHECK_EQ(ouro_refcount(n), 2); /* the slot's and, for the visit, ouro_get's */
    struct node *a = ouro_get(n, &n->a), *b = ouro_get(n, &n->b);
    long count = 1 + visit_tree(a, depth - 1) + visit_tree(b, depth - 1);
    ouro_release(a);
    ouro_release(b);
    return count;
}

enum { DEPTH = 8, NODES = (1 << DEPTH) - 1 };

static void *visit_in_thread(void *tree)
{
    ouro_retain(tree);
    CHECK_EQ(visit_tree(tree, DEPTH), NODES);
    ouro_release(tree);
    return NULL;
}

static void test_tree(void)
{
    struct node *tree = tree_new(DEPTH);
    ouro_share(tree);
    ouro_share(tree); /* nothing happens */
    thread_do(visit_in_thread, tree, 0);
    visit_in_thread(tree);
    CHECK_EQ(finalized(), 0);
    ouro_release(tree);
    CHECK_EQ(finalized(), NODES);
}

/* A cyclic graph; taken apart by hand at the end, for published cycles are not collected. */
static void *walk_ring(void *arg)
{
    struct node *n = ouro_retain(arg);
    for (int i = 0; i < 3000; i++) {
        CHECK_EQ(n->id, i % 1000);
        struct node *next = ouro_get(n, &n->a);
        ouro_release(n);
        n = next;
    }
    CHECK_PTR(n, arg);
    ouro_release(n);
    return NULL;
}

static void test_ring(void)
{
    struct node *first = node_new(0), *last = ouro_retain(first);
    for (int i = 1; i < 1000; i++) {
        struct node *n = node_new(i);
        ouro_set(last, &last->a, n);
        ouro_set(n, &n->b, first); /* and all of them point at the first */
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    ouro_share(first);
    CHECK_EQ(ouro_refcount(first), 1001);
    CHECK_EQ(ouro_gc_collect(0), 0);
    thread_do(walk_ring, first, 0);
    ouro_safepoint();
    CHECK_EQ(ouro_refcount(first), 1001);
    struct node *n = ouro_take(first, &first->a);
    while (n != first) {
        ouro_set(n, &n->b, NULL);
        struct node *next = ouro_take(n, &n->a);
        ouro_release(n);
        n = next;
    }
    ouro_release(n);
    CHECK_EQ(ouro_refcount(first), 1);
    CHECK_EQ(finalized(), 999);
    ouro_release(first);
    CHECK_EQ(finalized(), 1000);
}

static void *read_table(void *arg)
{
    struct table *t = arg;
    for (size_t i = 0; i < t->array.length; i++) {
        struct leaf *l = ouro_get(t, &t->items[i]);
        if (CHECK(l))
            CHECK_EQ(l->id, (long)i / 2);
        ouro_release(l);
    }
    return NULL;
}

/* Through arrays, and through objects that are reached twice. */
static void test_table(void)
{
    enum { LENGTH = 20000 };
    struct table *t = table_new(LENGTH);
    for (long i = 0; i < LENGTH; i += 2) {
        struct leaf *l = leaf_new(i / 2);
        ouro_set(t, &t->items[i], l);
        ouro_give(t, &t->items[i + 1], l);
    }
    ouro_share(t);
    thread_do(read_table, t, 0);
    ouro_release(t);
    CHECK_EQ(finalized(), LENGTH / 2);
}

/* What has been published partly already: from the published part on there is nothing to do. */
static void test_partly_published(void)
{
    struct node *inner = tree_new(4);
    ouro_share(inner);
    struct node *outer = node_new_with(5, inner, tree_new(4));
    ouro_share(outer);
    struct node *a = ouro_get(outer, &outer->a), *b = ouro_get(outer, &outer->b);
    CHECK_EQ(visit_tree(a, 4), 15);
    CHECK_EQ(visit_tree(b, 4), 15);
    ouro_release(a);
    ouro_release(b);
    ouro_release(outer);
    CHECK_EQ(finalized(), 31);
}

/* Private objects that hold published ones remain private: they are collected when they form a garbage cycle. */
static void test_private_around_published(void)
{
    struct leaf *l = leaf_new(1);
    ouro_share(l);
    struct node *n = node_new(2);
    ouro_set(n, &n->a, n);
    ouro_set(n, &n->b, l);
    ouro_release(n);
    CHECK_EQ(ouro_gc_collect(0), 1);
    CHECK_EQ(ouro_refcount(l), 1);
    ouro_release(l);
    CHECK_EQ(finalized(), 2);
}

/* A bounded queue outside the heap: it holds references, and knows nothing of ouro. */
enum { CAPACITY = 16 };

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void *items[CAPACITY];
    unsigned first, used;
    int producers;
    long per_producer;
    long long sent, received; /* sums, protected by mutex */
};

static void put(struct queue *q, void *object)
{
    ouro_blocking_begin();
    pthread_mutex_lock(&q->mutex);
    while (q->used == CAPACITY)
        pthread_cond_wait(&q->changed, &q->mutex);
    q->items[(q->first + q->used++) % CAPACITY] = object;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    ouro_blocking_end();
}

static void *get(struct queue *q)
{
    void *object = NULL;
    ouro_blocking_begin();
    pthread_mutex_lock(&q->mutex);
    while (q->used == 0 && q->producers > 0)
        pthread_cond_wait(&q->changed, &q->mutex);
    if (q->used) {
        object = q->items[q->first];
        q->first = (q->first + 1) % CAPACITY;
        q->used--;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->mutex);
    ouro_blocking_end();
    return object;
}

static long long sum_tree(struct node *n)
{
    ouro_read_begin();
    struct node *a = ouro_peek(&n->a), *b = ouro_peek(&n->b);
    long long sum = n->id + (a ? a->id : 0) + (b ? b->id : 0);
    ouro_read_end();
    return sum;
}

static void produce(struct queue *q, struct rng *rng)
{
    long long sum = 0;
    for (long i = 0; i < q->per_producer; i++) {
        struct node *n = node_new_with((long)rng_below(rng, 1000), node_new((long)rng_below(rng, 1000)),
                                       node_new((long)rng_below(rng, 1000)));
        sum += sum_tree(n);
        ouro_share(n);
        put(q, n);
    }
    pthread_mutex_lock(&q->mutex);
    q->sent += sum;
    q->producers--;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

static void consume(struct queue *q)
{
    long long sum = 0;
    for (struct node *n; (n = get(q)) != NULL; ouro_release(n))
        sum += sum_tree(n);
    pthread_mutex_lock(&q->mutex);
    q->received += sum;
    pthread_mutex_unlock(&q->mutex);
}

static void produce_or_consume(struct member *self)
{
    if (self->index % 2)
        produce(self->arg, &self->rng);
    else
        consume(self->arg);
}

static void test_producers_and_consumers(void)
{
    struct queue q = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                      .changed = PTHREAD_COND_INITIALIZER,
                      .producers = 2,
                      .per_producer = SCALED(20000)};
    team_run(4, seed, produce_or_consume, &q);
    CHECK_EQ(q.sent, q.received);
    CHECK_EQ(finalized(), 2 * 3 * q.per_producer);
}

/* Shared widely, an object is counted as any other, as far as can be seen. */
enum { MANY = 4, USES = SCALED(100000) };

static void use_widely(struct member *self)
{
    struct node *held[16] = {0}, *n = self->arg;
    for (int i = 0; i < USES; i++) {
        struct node **place = &held[rng_below(&self->rng, 16)];
        ouro_release(*place);
        *place = rng_one_in(&self->rng, 2) ? ouro_get(n, &n->a) : ouro_retain(n);
    }
    CHECK_GE(ouro_refcount(n), 1);
    for (int i = 0; i < 16; i++)
        ouro_release(held[i]);
}

static void test_widely(void)
{
    struct node *n = node_new(1), *child = node_new(2);
    ouro_set(n, &n->a, child);
    ouro_share_widely(n); /* publishes as ouro_share does */
    ouro_share_widely(child);
    ouro_share_widely(NULL);
    CHECK_EQ(ouro_refcount(n), 1);
    team_run(MANY, seed, use_widely, n);
    CHECK_EQ(ouro_refcount(n), 1);
    CHECK_EQ(ouro_refcount(child), 2);
    CHECK_EQ(finalized(), 0);
    ouro_release(child);
    ouro_release(n); /* the threads have exited: it dies at once */
    CHECK_EQ(finalized(), 2);
}

static struct step used = STEP_INITIALIZER, may_end = STEP_INITIALIZER;

static void *use_and_wait(void *n)
{
    ouro_retain(n);
    ouro_release(n);
    step_set(&used, 1);
    CHECK(step_wait(&may_end, 1)); /* reaches no safepoint */
    return NULL;
}

static bool is_finalized(void *unused)
{
    (void)unused;
    return finalized() == 1;
}

/* A thread that has used it keeps it for a while; not for ever, whatever it does. */
static void test_widely_for_a_while(void)
{
    struct node *n = node_new(1);
    ouro_share_widely(n);
    pthread_t thread = thread_start(use_and_wait, n, 0);
    CHECK(step_wait(&used, 1));
    ouro_release(n);
    CHECK(wait_until(is_finalized, NULL));
    step_set(&may_end, 1);
    thread_join_running(thread);
}

int main(void)
{
    check_start("share_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_tree);
    FIXTURE_RUN(test_ring);
    FIXTURE_RUN(test_table);
    FIXTURE_RUN(test_partly_published);
    FIXTURE_RUN(test_private_around_published);
    FIXTURE_RUN(test_producers_and_consumers);
    FIXTURE_RUN(test_widely);
    FIXTURE_RUN(test_widely_for_a_while);
    return check_finish();
}
