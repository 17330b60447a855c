/* SPDX-License-Identifier: MIT
 *
 * Slots: who owns which reference after each operation, on private and on published containers, with private and with
 * published contents; and the same operations from several threads, where no reference may be lost or made. */
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

/* The four combinations that each of the tests below goes through. */
static bool container_shared, content_shared;

static struct node *container_new(void)
{
    struct node *c = plain_new(-1);
    if (container_shared)
        ouro_share(c);
    return c;
}

static struct leaf *content_new(long id)
{
    struct leaf *l = leaf_new(id);
    if (content_shared)
        ouro_share(l);
    return l;
}

static void in_all_combinations(void (*test)(void))
{
    for (int i = 0; i < 4; i++) {
        container_shared = i & 1;
        content_shared = i & 2;
        test();
    }
}

static void set_and_get(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = content_new(1), *y = content_new(2);
    CHECK_PTR(ouro_get(c, &c->a), NULL);
    ouro_set(c, &c->a, x);
    CHECK_EQ(ouro_refcount(x), 2);
    struct leaf *got = ouro_get(c, &c->a);
    CHECK_PTR(got, x);
    CHECK_EQ(ouro_refcount(x), 3);
    ouro_release(got);
    ouro_set(c, &c->a, x); /* the same again */
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_set(c, &c->a, y);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_refcount(y), 2);
    ouro_set(c, &c->b, y);
    CHECK_EQ(ouro_refcount(y), 3);
    ouro_set(c, &c->a, NULL);
    CHECK_EQ(ouro_refcount(y), 2);
    CHECK_PTR(ouro_get(c, &c->a), NULL);
    ouro_release(y);
    CHECK_EQ(finalized() - before, 0);
    ouro_set(c, &c->b, NULL); /* the last reference: dead when the call returns */
    CHECK_EQ(finalized() - before, 1);
    ouro_set(c, &c->b, x);
    ouro_release(x);
    CHECK_EQ(finalized() - before, 1);
    ouro_release(c);
    CHECK_EQ(finalized() - before, 2);
}

static void give(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = content_new(1), *y = content_new(2);
    ouro_give(c, &c->a, ouro_retain(x));
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_give(c, &c->a, ouro_retain(x)); /* onto itself */
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_give(c, &c->a, y);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_refcount(y), 1);
    ouro_give(c, &c->b, x);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(finalized() - before, 0);
    ouro_give(c, &c->a, NULL);
    CHECK_EQ(finalized() - before, 1);
    ouro_release(c);
    CHECK_EQ(finalized() - before, 2);
}

static void take(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = content_new(1);
    CHECK_PTR(ouro_take(c, &c->a), NULL);
    ouro_give(c, &c->a, x);
    struct leaf *got = ouro_take(c, &c->a);
    CHECK_PTR(got, x);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_PTR(ouro_take(c, &c->a), NULL);
    CHECK_PTR(ouro_get(c, &c->a), NULL);
    CHECK_EQ(finalized() - before, 0);
    ouro_release(got);
    CHECK_EQ(finalized() - before, 1);
    ouro_release(c);
}

static void swap(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = content_new(1), *y = content_new(2);
    CHECK_PTR(ouro_swap(c, &c->a, x), NULL);
    CHECK_EQ(ouro_refcount(x), 1);
    struct leaf *got = ouro_swap(c, &c->a, y);
    CHECK_PTR(got, x);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_refcount(y), 1);
    got = ouro_swap(c, &c->a, ouro_retain(y)); /* by itself */
    CHECK_PTR(got, y);
    CHECK_EQ(ouro_refcount(y), 2);
    ouro_release(y);
    CHECK_PTR(ouro_swap(c, &c->a, NULL), y);
    CHECK_PTR(ouro_swap(c, &c->a, NULL), NULL);
    CHECK_EQ(finalized() - before, 0);
    ouro_release(x);
    ouro_release(y);
    CHECK_EQ(finalized() - before, 2);
    ouro_release(c);
}

static void compare_set(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = content_new(1), *y = content_new(2);
    CHECK(!ouro_compare_set(c, &c->a, x, y)); /* holds NULL, not x */
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK(ouro_compare_set(c, &c->a, NULL, NULL));
    CHECK(ouro_compare_set(c, &c->a, NULL, x));
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK(!ouro_compare_set(c, &c->a, NULL, y));
    CHECK(!ouro_compare_set(c, &c->a, y, NULL));
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK(ouro_compare_set(c, &c->a, x, x));
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK(ouro_compare_set(c, &c->a, x, y));
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_refcount(y), 2);
    ouro_release(y);
    CHECK_EQ(finalized() - before, 0);
    CHECK(ouro_compare_set(c, &c->a, y, NULL));
    CHECK_EQ(finalized() - before, 1);
    ouro_release(x);
    ouro_release(c);
    CHECK_EQ(finalized() - before, 2);
}

static void test_set_and_get(void)
{
    in_all_combinations(set_and_get);
}

static void test_give(void)
{
    in_all_combinations(give);
}

static void test_take(void)
{
    in_all_combinations(take);
}

static void test_swap(void)
{
    in_all_combinations(swap);
}

static void test_compare_set(void)
{
    in_all_combinations(compare_set);
}

/* The first and the last slot of objects and arrays of all kinds of sizes can be used. */
static void test_every_slot_of_an_array(void)
{
    static const size_t lengths[] = {1, 2, 5, 100, 5000, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int shared = 0; shared < 2; shared++) {
            struct table *t = table_new(lengths[i]);
            struct leaf *x = leaf_new(1);
            if (shared)
                ouro_share(t);
            ouro_slot *first = &t->items[0], *last = &t->items[lengths[i] - 1];
            ouro_set(t, last, x);
            CHECK_PTR(ouro_peek(last), x);
            ouro_give(t, first, ouro_take(t, last));
            CHECK_PTR(ouro_peek(first), x);
            CHECK(ouro_compare_set(t, first, x, NULL));
            CHECK_PTR(ouro_swap(t, last, x), NULL);
            ouro_release(t);
        }
}

/* An object that holds itself, alone and together with the caller. */
static void test_self_reference(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        struct node *n = node_new(1);
        if (shared)
            ouro_share(n);
        ouro_set(n, &n->a, n);
        ouro_set(n, &n->b, n);
        CHECK_EQ(ouro_refcount(n), 3);
        CHECK_PTR(ouro_peek(&n->a), n);
        ouro_set(n, &n->a, NULL);
        CHECK_EQ(ouro_refcount(n), 2);
        struct node *again = ouro_take(n, &n->b);
        ouro_release(n);
        CHECK_EQ(finalized() - before, 0);
        ouro_release(again);
        CHECK_EQ(finalized() - before, 1);
    }
}

/* What is stored into a published container is published with all it reaches. */
static void *read_chain(void *container)
{
    struct node *c = container;
    struct node *n = ouro_get(c, &c->a);
    for (long id = 1; id <= 3; id++) {
        if (!CHECK(n))
            return NULL;
        CHECK_EQ(n->id, id);
        struct node *next = ouro_get(n, &n->a);
        ouro_release(n);
        n = next;
    }
    CHECK_PTR(n, NULL);
    return NULL;
}

static struct node *chain_of_three(void)
{
    return node_new_with(1, node_new_with(2, node_new(3), NULL), NULL);
}

static void store_chain(struct node *c, int how)
{
    struct node *chain = chain_of_three();
    if (how == 0)
        ouro_set(c, &c->a, chain);
    if (how == 1)
        ouro_give(c, &c->a, ouro_retain(chain));
    if (how == 2)
        CHECK_PTR(ouro_swap(c, &c->a, ouro_retain(chain)), NULL);
    if (how == 3)
        CHECK(ouro_compare_set(c, &c->a, NULL, chain));
    CHECK_EQ(ouro_refcount(chain), 2);
    ouro_release(chain);
}

static void test_storing_publishes(void)
{
    for (int how = 0; how < 4; how++) {
        long before = finalized();
        struct node *c = plain_new(0);
        ouro_share(c);
        store_chain(c, how);
        thread_do(read_chain, c, 0);
        CHECK_EQ(finalized() - before, 0);
        ouro_release(c);
        CHECK_EQ(finalized() - before, 3);
    }
}

struct exchange {
    struct table *table;
    long rounds;
};

/* Everybody exchanges what it holds for what is in a random slot. */
static void exchange(struct member *self)
{
    struct exchange *x = self->arg;
    struct leaf *mine = leaf_new((long)self->index);
    for (long i = 0; i < x->rounds; i++) {
        ouro_slot *slot = &x->table->items[rng_below(&self->rng, 4)];
        switch (rng_below(&self->rng, 3)) {
        case 0:
            mine = ouro_swap(x->table, slot, mine);
            break;
        case 1: /* put it back where there is room, and take another */
            if (mine && ouro_compare_set(x->table, slot, NULL, mine)) {
                ouro_release(mine);
                mine = NULL;
            }
            break;
        default:
            if (!mine)
                mine = ouro_take(x->table, slot);
        }
        if (rng_one_in(&self->rng, 512))
            yield_sometimes(&self->rng);
    }
    if (mine) {
        ouro_set(x->table, &x->table->items[4 + self->index], mine);
        ouro_release(mine);
    }
}

static void test_exchange_loses_nothing(void)
{
    enum { THREADS = 4 };
    struct exchange x = {table_new(4 + THREADS), SCALED(300000)};
    ouro_share(x.table);
    team_run(THREADS, seed, exchange, &x);
    ouro_safepoint();
    unsigned seen = 0;
    for (int i = 0; i < 4 + THREADS; i++) {
        struct leaf *l = ouro_take(x.table, &x.table->items[i]);
        if (!l)
            continue;
        CHECK_EQ(ouro_refcount(l), 1);
        CHECK_EQ(seen & 1u << l->id, 0);
        seen |= 1u << l->id;
        ouro_release(l);
    }
    CHECK_EQ(seen, (1u << THREADS) - 1);
    CHECK_EQ(finalized(), THREADS);
    ouro_release(x.table);
}

/* A counter of boxed numbers: each step replaces the box by one that is one greater. */
static void count_up(struct member *self)
{
    struct exchange *x = self->arg;
    for (long i = 0; i < x->rounds; i++)
        for (bool done = false; !done;) {
            struct leaf *old = ouro_get(x->table, &x->table->items[0]);
            struct leaf *next = leaf_new(old->id + 1);
            done = ouro_compare_set(x->table, &x->table->items[0], old, next);
            ouro_release(next);
            ouro_release(old);
        }
}

static void test_compare_set_counts(void)
{
    enum { THREADS = 4 };
    struct exchange x = {table_new(1), SCALED(20000)};
    ouro_give(x.table, &x.table->items[0], leaf_new(0));
    ouro_share(x.table);
    team_run(THREADS, seed, count_up, &x);
    struct leaf *last = ouro_take(x.table, &x.table->items[0]);
    CHECK_EQ(last->id, THREADS * x.rounds);
    ouro_release(last);
    ouro_release(x.table);
    ouro_safepoint();
    CHECK_GE(finalized(), THREADS * x.rounds + 1); /* boxes that were too late die as well */
}

struct pair {
    ouro_object object;
    long one, other;
};

static ouro_type pair_type = OURO_TYPE(struct pair, .name = "pair");

/* Half of the threads store new pairs, the others get them: whoever gets one sees all that was written to it before. */
static void write_or_read(struct member *self)
{
    struct exchange *x = self->arg;
    long wrong = 0;
    for (long i = 0; i < x->rounds; i++) {
        ouro_slot *slot = &x->table->items[rng_below(&self->rng, 4)];
        if (self->index % 2) {
            struct pair *p = ouro_new(&pair_type);
            REQUIRE(p);
            p->one = (long)rng_below(&self->rng, 1000000);
            p->other = -p->one;
            if (i % 2)
                ouro_give(x->table, slot, p);
            else {
                ouro_set(x->table, slot, p);
                ouro_release(p);
            }
        } else {
            struct pair *p = ouro_get(x->table, slot);
            if (p)
                wrong += p->one != -p->other || ouro_type_of(p) != &pair_type;
            ouro_release(p);
        }
    }
    CHECK_EQ(wrong, 0);
}

static void test_get_sees_what_was_stored(void)
{
    struct exchange x = {table_new(4), SCALED(150000)};
    ouro_share(x.table);
    team_run(4, seed, write_or_read, &x);
    ouro_release(x.table);
}

int main(void)
{
    check_start("slot_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_set_and_get);
    FIXTURE_RUN(test_give);
    FIXTURE_RUN(test_take);
    FIXTURE_RUN(test_swap);
    FIXTURE_RUN(test_compare_set);
    FIXTURE_RUN(test_every_slot_of_an_array);
    FIXTURE_RUN(test_self_reference);
    FIXTURE_RUN(test_storing_publishes);
    FIXTURE_RUN(test_exchange_loses_nothing);
    FIXTURE_RUN(test_compare_set_counts);
    FIXTURE_RUN(test_get_sees_what_was_stored);
    return check_finish();
}
