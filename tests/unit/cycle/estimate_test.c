/* SPDX-License-Identifier: MIT
 *
 * The first guess: on graphs made by hand, references from elsewhere are counted exactly, and what they reach is no member;
 * on random graphs that nobody changes, it is what a mark says. */
#include "cycle/estimate.h"

#include <stdio.h>
#include <string.h>

#include "object/count.h"
#include "object/inbox.h"
#include "support/collection.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

static uint64_t seed;

static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);

static struct node *shared_new(long id)
{
    struct node *n = plain_new(id);
    ouro_share(n);
    return n;
}

/* References to it that do not come from the scope, as P1 has it. */
static int32_t elsewhere(const struct collection *c, const void *object)
{
    return *oi_scope_estimate(c->scope, oi_scope_find(c->scope, object));
}

/* One collection's estimate of one object: what is expected of it. */
static void check_one(const void *object, int32_t references, bool member)
{
    struct collection c = collection_begin(2);
    CHECK_EQ(elsewhere(&c, object), references);
    CHECK_EQ(is_member(&c, object), member);
    CHECK_EQ(c.suspects, oi_scope_count_members(c.scope));
    collection_leave(&c);
}

/* ---- what counts ---- */

static void test_held(void)
{
    struct node *n = shared_new(1);
    check_one(n, 1, false);
    ouro_retain(n);
    check_one(n, 2, false);
    ouro_set(n, &n->a, n);
    check_one(n, 2, false);
    ouro_set(n, &n->b, n); /* two slots, two references */
    check_one(n, 2, false);
    CHECK_EQ(ouro_refcount(n), 4);
    ouro_release(n);
    check_one(n, 1, false);
    ouro_release(n);
    check_one(n, 0, true);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

static void *retain_twice(void *n)
{
    ouro_retain(n);
    ouro_retain(n);
    return NULL;
}

static void *release_both(void *n)
{
    ouro_release(n);
    ouro_release(n);
    return NULL;
}

/* References that other threads count, and that nobody's `local` counts any more. */
static void test_held_by_others(void)
{
    struct node *n = shared_new(1);
    ouro_set(n, &n->a, n);
    thread_do(retain_twice, n, 0);
    check_one(n, 3, false);
    ouro_release(n);
    check_one(n, 2, false);
    CHECK(!oi_unbias(&n->object, 0, "test"));
    check_one(n, 2, false);
    thread_do(release_both, n, 0);
    check_one(n, 0, true);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

/* What is not in the scope counts as elsewhere: private objects, acyclic ones, old pages for generation 1. */
static void test_held_by_what_is_not_looked_at(void)
{
    struct node *n = shared_new(1), *holder = plain_new(2), *acyclic = ouro_new(&acyclic_type);
    REQUIRE(acyclic);
    ouro_set(n, &n->a, n);
    ouro_set(holder, &holder->a, n);
    ouro_give(acyclic, &acyclic->b, n);
    check_one(n, 2, false);
    ouro_share(acyclic);
    check_one(n, 2, false);
    ouro_release(acyclic);
    check_one(n, 1, false);
    ouro_release(holder);
    check_one(n, 0, true);
    CHECK_EQ(ouro_gc_collect(2), 1);
    struct table *old = table_new(100); /* of another page than nodes are */
    ouro_share(old);
    ouro_release(old = ouro_retain(old));
    CHECK_EQ(ouro_gc_collect(2), 0);
    n = shared_new(3);
    ouro_set(n, &n->a, old);
    ouro_give(old, &old->items[7], n);
    ouro_release(old);
    struct collection c = collection_begin(1);
    CHECK_EQ(oi_scope_find(c.scope, &old->array.object), 0);
    CHECK_EQ(elsewhere(&c, n), 1);
    CHECK(!is_member(&c, n));
    CHECK_EQ(c.suspects, 0);
    collection_leave(&c);
    c = collection_begin(2);
    CHECK(is_member(&c, n));
    CHECK(is_member(&c, old));
    CHECK_EQ(c.suspects, 2);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), 2);
}

/* A live object in the scope: what it refers to is reached, though no reference comes from elsewhere. */
static void test_reached(void)
{
    struct node *root = shared_new(1), *n = shared_new(2), *end = shared_new(3);
    ouro_set(n, &n->a, end);
    ouro_set(end, &end->b, n);
    ouro_give(root, &root->a, n);
    ouro_release(end);
    struct collection c = collection_begin(2);
    CHECK_EQ(c.candidates, 3);
    CHECK_EQ(c.suspects, 0);
    CHECK_EQ(elsewhere(&c, root), 1);
    CHECK_EQ(elsewhere(&c, n), 0);
    CHECK_EQ(elsewhere(&c, end), 0);
    collection_leave(&c);
    ouro_set(root, &root->a, NULL);
    check_one(root, 1, false);
    check_one(n, 0, true);
    check_one(end, 0, true);
    CHECK_EQ(ouro_gc_collect(2), 2);
    ouro_release(root);
}

static void test_immortal(void)
{
    struct node *immortal = shared_new(1), *child = shared_new(2), *own = shared_new(3);
    ouro_set(child, &child->a, child);
    ouro_give(immortal, &immortal->a, child);
    ouro_immortalize(immortal);
    ouro_set(own, &own->a, own);
    ouro_immortalize(own);
    struct collection c = collection_begin(2);
    CHECK_GT(elsewhere(&c, immortal), 1000);
    CHECK(!is_member(&c, immortal));
    CHECK(!is_member(&c, child));
    CHECK(!is_member(&c, own));
    collection_leave(&c);
    fixture_leaves(3);
}

/* Dead ones are not looked at: their slots hold what they held. */
static void test_dead(void)
{
    struct node *gone = shared_new(1), *n = shared_new(2);
    ouro_set(n, &n->a, n);
    ouro_set(gone, &gone->a, n);
    ouro_read_begin(); /* so that it stays in limbo */
    ouro_release(gone);
    struct oi_scope *scope = oi_scope_enter(2);
    size_t suspects, candidates = oi_estimate(scope, &suspects);
    oi_id id = oi_scope_find(scope, &n->object);
    CHECK_EQ(*oi_scope_estimate(scope, id), 1);
    CHECK(!oi_scope_is_member(scope, id));
    CHECK_EQ(candidates, 1);
    CHECK_EQ(suspects, 0);
    oi_scope_leave(scope);
    ouro_read_end();
    ouro_release(n);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

/* Dropped below zero, for want of memory: fewer references than the slots say. It is a suspect; validation knows better. */
static void test_forced(void)
{
    struct node *n = shared_new(1);
    uint32_t s = oi_shared(&n->object);
    oi_set_shared(&n->object, s - OI_ONE);
    check_one(n, 0, true);
    oi_set_shared(&n->object, s);
    ouro_release(n);
}

/* ---- size ---- */

/* Long ways, in both orders of addresses, and wide ones: all of it hangs on one reference. */
static void check_list(bool forward, long length)
{
    struct table *all = table_new((size_t)length);
    for (long i = 0; i < length; i++)
        ouro_give(all, &all->items[i], plain_new(i));
    for (long i = 0; i + 1 < length; i++) {
        struct node *from = ouro_peek(&all->items[forward ? i : i + 1]), *to = ouro_peek(&all->items[forward ? i + 1 : i]);
        ouro_set(from, &from->a, to);
    }
    struct node *first = ouro_get(all, &all->items[forward ? 0 : length - 1]);
    struct node *last = ouro_peek(&all->items[forward ? length - 1 : 0]);
    ouro_set(last, &last->b, first);
    ouro_share(all);
    ouro_release(all);
    struct collection c = collection_begin(2);
    CHECK_EQ(c.candidates, length);
    CHECK_EQ(c.suspects, 0);
    collection_leave(&c);
    ouro_release(first);
    c = collection_begin(2);
    CHECK_EQ(c.candidates, length);
    CHECK_EQ(c.suspects, length);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), length);
}

static void test_lists(void)
{
    for (long length = 1; length < 40000; length = length * 3 + 1) {
        check_list(true, length);
        check_list(false, length);
    }
}

static void test_wide(void)
{
    enum { WIDTH = 20000 };
    struct table *t = table_new(WIDTH);
    for (int i = 0; i < WIDTH; i++) {
        struct node *n = plain_new(i);
        ouro_set(n, &n->a, t);
        ouro_give(t, &t->items[i], n);
    }
    ouro_share(t);
    struct node *some = ouro_get(t, &t->items[WIDTH / 2]);
    ouro_release(t);
    struct collection c = collection_begin(2);
    CHECK_EQ(c.candidates, WIDTH + 1);
    CHECK_EQ(c.suspects, 0);
    CHECK_EQ(elsewhere(&c, some), 1);
    CHECK_EQ(elsewhere(&c, t), 0);
    collection_leave(&c);
    ouro_release(some);
    check_one(t, 0, true);
    CHECK_EQ(ouro_gc_collect(2), WIDTH + 1);
}

/* ---- random graphs ---- */

enum { NODES = 300, GRAPHS = SCALED(400) };

struct model {
    struct table *at[NODES]; /* tables of different lengths: many sizes, many pages */
    int length[NODES];
    bool held[NODES], reached[NODES];
    int outside[NODES]; /* references that are not from slots of the graph */
};

static void reach(struct model *m, int i)
{
    int stack[NODES], depth = 0;
    stack[depth++] = i;
    m->reached[i] = true;
    while (depth > 0) {
        struct table *t = m->at[stack[--depth]];
        for (size_t k = 0; k < t->array.length; k++) {
            for (int j = 0; ouro_peek(&t->items[k]) && j < NODES; j++) {
                if (ouro_peek(&t->items[k]) != m->at[j])
                    continue;
                if (!m->reached[j])
                    stack[depth++] = j;
                m->reached[j] = true;
                break;
            }
        }
    }
}

/* Rings, and other edges between them. */
static void make_graph(struct model *m, struct rng *rng)
{
    int edges = (int)rng_below(rng, NODES / 2);
    memset(m, 0, sizeof *m);
    for (int i = 0; i < NODES; i++) {
        m->length[i] = 1 + (int)rng_below(rng, rng_one_in(rng, 10) ? 300 : 6);
        m->at[i] = table_new((size_t)m->length[i]);
    }
    for (int first = 0, next; first < NODES; first = next) {
        next = first + 1 + (int)rng_below(rng, 12);
        next = next < NODES ? next : NODES;
        for (int i = first; i < next; i++)
            ouro_set(m->at[i], &m->at[i]->items[0], m->at[i + 1 < next ? i + 1 : first]);
    }
    for (int i = 0; i < edges; i++) {
        int from = (int)rng_below(rng, NODES), to = (int)rng_below(rng, NODES);
        ouro_set(m->at[from], &m->at[from]->items[rng_below(rng, (uint32_t)m->length[from])], m->at[to]);
    }
    for (int i = 0; i < NODES; i++) {
        ouro_share(m->at[i]);
        m->outside[i] = 1;
    }
}

static void test_random_graphs(void)
{
    static struct model m;
    long members = 0;
    for (int graph = 0; graph < GRAPHS; graph++) {
        struct rng rng = rng_stream(seed, (uint64_t)graph);
        make_graph(&m, &rng);
        struct table *anchor = table_new(NODES); /* keeps what dies by its count; private: a reference each, from elsewhere */
        int held_one_in = 1 + (int)rng_below(&rng, 100);
        for (int i = 0; i < NODES; i++) {
            m.held[i] = rng_one_in(&rng, (uint32_t)held_one_in);
            if (m.held[i] || ouro_refcount(m.at[i]) == 1) {
                ouro_give(anchor, &anchor->items[i], m.at[i]);
                m.held[i] = true;
            } else {
                ouro_release(m.at[i]);
                m.outside[i] = 0;
            }
        }
        for (int i = 0; i < NODES; i++)
            if (m.held[i])
                reach(&m, i);
        struct collection c = collection_begin(2);
        size_t expected = 0;
        long wrong = 0;
        for (int i = 0; i < NODES; i++) {
            expected += !m.reached[i];
            wrong += is_member(&c, m.at[i]) != !m.reached[i] || elsewhere(&c, m.at[i]) != m.outside[i];
        }
        CHECK_EQ(c.candidates, NODES);
        CHECK_EQ(c.suspects, expected);
        if (!CHECK_EQ(wrong, 0))
            fprintf(stderr, "  graph %d\n", graph);
        members += (long)expected;
        collection_leave(&c);
        ouro_release(anchor);
        CHECK_GE(ouro_gc_collect(2), (long)expected);
    }
    CHECK_GT(members, 0);
    printf("       %ld of %d objects were garbage\n", members, GRAPHS * NODES);
}

int main(void)
{
    check_start("estimate_test");
    seed = rng_seed();
    fixture_start();
    ouro_gc_disable();
    FIXTURE_RUN(test_held);
    FIXTURE_RUN(test_held_by_others);
    FIXTURE_RUN(test_held_by_what_is_not_looked_at);
    FIXTURE_RUN(test_reached);
    FIXTURE_RUN(test_dead);
    FIXTURE_RUN(test_forced);
    FIXTURE_RUN(test_lists);
    FIXTURE_RUN(test_wide);
    FIXTURE_RUN(test_random_graphs);
    FIXTURE_RUN(test_immortal); /* last: what it leaves is looked at by all that follow */
    return check_finish();
}
