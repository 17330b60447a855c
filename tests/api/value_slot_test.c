/* SPDX-License-Identifier: MIT
 *
 * The word: what its bits mean, at every edge of the range; and values in slots: which reference is whose after each operation, on private
 * and shared containers, with references and with values that are none; what reference functions see of those; and several threads at it. */
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static const int64_t numbers[] = {0, 1, -1, 2, -2, 3, 4, 255, -256, INT32_MAX, INT32_MIN, OURO_INT_MAX, OURO_INT_MIN, OURO_INT_MAX - 1,
                                  OURO_INT_MIN + 1, (int64_t)1 << 47, (int64_t)1 << 60};

static void test_integers(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ouro_value v = ouro_int_new(numbers[i]);
        CHECK(ouro_is_int(v));
        CHECK_EQ(ouro_int_value(v), numbers[i]);
        CHECK(!ouro_is_nil(v) && !ouro_is_bool(v) && !ouro_is_object(v));
        CHECK(!ouro_bool_value(v));
        CHECK_PTR(ouro_value_object(v), NULL);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            CHECK_EQ(ouro_same(v, ouro_int_new(numbers[k])), i == k);
    }
    CHECK_EQ(OURO_INT_MAX, 2305843009213693951);
    CHECK_EQ(ouro_int_new(OURO_INT_MAX + 1), OURO_NIL);
    CHECK_EQ(ouro_int_new(OURO_INT_MIN - 1), OURO_NIL);
    CHECK_EQ(ouro_int_new(INT64_MAX), OURO_NIL);
    CHECK_EQ(ouro_int_new(INT64_MIN), OURO_NIL);
}

static void test_nil_and_booleans(void)
{
    CHECK_EQ(OURO_NIL, 0);
    CHECK_EQ(ouro_bool_new(true), OURO_TRUE);
    CHECK_EQ(ouro_bool_new(false), OURO_FALSE);
    CHECK(ouro_is_nil(OURO_NIL) && !ouro_is_nil(OURO_FALSE) && !ouro_is_nil(OURO_TRUE));
    CHECK(ouro_is_bool(OURO_TRUE) && ouro_is_bool(OURO_FALSE) && !ouro_is_bool(OURO_NIL) && !ouro_is_bool(ouro_int_new(1)));
    CHECK(ouro_bool_value(OURO_TRUE) && !ouro_bool_value(OURO_FALSE) && !ouro_bool_value(OURO_NIL));
    CHECK(!ouro_is_int(OURO_TRUE) && !ouro_is_int(OURO_FALSE) && !ouro_is_int(OURO_NIL));
    CHECK(!ouro_is_object(OURO_TRUE) && !ouro_is_object(OURO_FALSE) && !ouro_is_object(OURO_NIL));
    CHECK_EQ(ouro_int_value(OURO_TRUE), 0);
    CHECK_PTR(ouro_value_object(OURO_TRUE), NULL);
    CHECK_EQ(ouro_value_of(NULL), OURO_NIL);
}

static void test_references(void)
{
    struct leaf *x = leaf_new(1);
    ouro_value v = ouro_value_of(x);
    CHECK(ouro_is_object(v));
    CHECK(!ouro_is_nil(v) && !ouro_is_bool(v) && !ouro_is_int(v));
    CHECK_EQ(ouro_int_value(v), 0);
    CHECK_PTR(ouro_value_object(v), x);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_value_retain(v), v);
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_value_release(v);
    ouro_value all[] = {v, OURO_NIL, OURO_TRUE, ouro_int_new(-7), v};
    ouro_value_retain_all(all, 5);
    CHECK_EQ(ouro_refcount(x), 3);
    ouro_value_release_all(all, 5);
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_value_retain_all(NULL, 0);
    ouro_value_release_all(NULL, 0);
    ouro_value_share(v);
    ouro_value_share(ouro_int_new(8));
    ouro_value_share(OURO_NIL);
    CHECK_EQ(ouro_value_retain(ouro_int_new(8)), ouro_int_new(8));
    CHECK_EQ(ouro_value_retain(OURO_NIL), OURO_NIL);
    ouro_value_release(OURO_FALSE);
    ouro_value_release(OURO_NIL);
    CHECK_EQ(finalized(), 0);
    ouro_value_release(v);
    CHECK_EQ(finalized(), 1);
}

static bool container_shared;

/* A container with two slots; the test runs for a private and for a shared one. */
static struct node *container_new(void)
{
    struct node *c = plain_new(-1);
    if (container_shared)
        ouro_share(c);
    return c;
}

static void both(void (*test)(void))
{
    container_shared = false;
    test();
    container_shared = true;
    test();
}

/* The word whose address differs from the object's in the tag alone. */
static ouro_value lookalike(const void *object)
{
    return ouro_int_new((int64_t)((uintptr_t)object >> 2));
}

static void immediates(void)
{
    struct node *c = container_new();
    ouro_value words[] = {ouro_int_new(5), OURO_TRUE, OURO_FALSE, ouro_int_new(OURO_INT_MIN), lookalike(c), OURO_NIL};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ouro_value before = ouro_value_get(c, &c->a);
        ouro_value_set(c, &c->a, words[i]);
        CHECK_EQ(ouro_value_get(c, &c->a), words[i]);
        CHECK_EQ(ouro_value_peek(&c->a), words[i]);
        CHECK_PTR(ouro_peek(&c->a), NULL);
        CHECK_PTR(ouro_get(c, &c->a), NULL);
        CHECK(!ouro_value_compare_set(c, &c->a, before, OURO_TRUE) || before == words[i]);
        ouro_value_give(c, &c->a, OURO_FALSE);
        CHECK_EQ(ouro_value_swap(c, &c->a, words[i]), OURO_FALSE);
        CHECK_EQ(ouro_value_take(c, &c->a), words[i]);
        CHECK_EQ(ouro_value_get(c, &c->a), OURO_NIL);
        CHECK(ouro_value_compare_set(c, &c->a, OURO_NIL, words[i]));
        CHECK_EQ(ouro_value_get(c, &c->a), words[i]);
    }
    ouro_release(c);
}

static void references_and_immediates(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = leaf_new(1), *y = leaf_new(2);
    ouro_value vx = ouro_value_of(x), vy = ouro_value_of(y), five = ouro_int_new(5);
    ouro_value_set(c, &c->a, vx);
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK_EQ(ouro_value_get(c, &c->a), vx);
    CHECK_EQ(ouro_refcount(x), 3);
    ouro_value_release(vx);
    ouro_value_set(c, &c->a, five); /* releases x */
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_value_set(c, &c->a, vx);
    CHECK_EQ(ouro_value_swap(c, &c->a, five), vx); /* the slot's reference is ours now */
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK(!ouro_value_compare_set(c, &c->a, vx, vy));
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK(ouro_value_compare_set(c, &c->a, five, vy));
    CHECK_EQ(ouro_refcount(y), 2);
    CHECK(ouro_value_compare_set(c, &c->a, vy, OURO_TRUE));
    CHECK_EQ(ouro_refcount(y), 1);
    ouro_value_give(c, &c->a, vy);
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK_EQ(finalized() - before, 0);
    ouro_value_give(c, &c->a, five);
    CHECK_EQ(finalized() - before, 1);
    ouro_value_give(c, &c->a, vx);
    CHECK_EQ(ouro_value_take(c, &c->a), vx);
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_value_give(c, &c->a, vx);
    ouro_value_set(c, &c->b, five);
    ouro_release(c); /* a reference and a number: both ways of dying */
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_release(x);
    CHECK_EQ(finalized() - before, 2);
}

/* The functions for references, on slots that hold none. */
static void reference_functions(void)
{
    long before = finalized();
    struct node *c = container_new();
    struct leaf *x = leaf_new(1);
    ouro_value five = ouro_int_new(5);
    ouro_value_set(c, &c->a, five);
    CHECK(!ouro_compare_set(c, &c->a, NULL, x));
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_value_get(c, &c->a), five);
    CHECK_PTR(ouro_swap(c, &c->a, ouro_retain(x)), NULL);
    CHECK_PTR(ouro_peek(&c->a), x);
    ouro_value_set(c, &c->a, five);
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_set(c, &c->a, x);
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_value_set(c, &c->a, five);
    ouro_give(c, &c->a, ouro_retain(x));
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_value_set(c, &c->a, OURO_TRUE);
    CHECK_PTR(ouro_take(c, &c->a), NULL);
    CHECK_EQ(ouro_value_get(c, &c->a), OURO_NIL);
    ouro_release(c);
    ouro_release(x);
    CHECK_EQ(finalized() - before, 1);
}

static void test_immediates(void)
{
    both(immediates);
}

static void test_references_and_immediates(void)
{
    both(references_and_immediates);
}

static void test_reference_functions(void)
{
    both(reference_functions);
}

/* Objects of all sizes, full of numbers, through every part of the library that goes over slots. */
static void test_everything_that_walks_slots(void)
{
    static const size_t lengths[] = {1, 3, 100, 20000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (int how = 0; how < 5; how++) {
            long before = finalized();
            struct table *t = table_new(lengths[i]);
            for (size_t k = 0; k < lengths[i]; k++)
                ouro_value_give(t, &t->items[k], k % 3 == 2 ? ouro_value_of(leaf_new((long)k)) : lookalike(t + k));
            if (lengths[i] > 1)
                ouro_value_set(t, &t->items[1], how == 0 ? OURO_TRUE : ouro_value_of(t)); /* how 0: no cycle */
            if (how == 2 || how == 3)
                ouro_share(t);
            if (how == 4) { /* and survives some */
                CHECK_EQ(ouro_gc_collect(0), 0);
                ouro_share(t);
                CHECK_EQ(ouro_gc_collect(2), 0);
                CHECK_EQ(ouro_value_get(t, &t->items[0]), lookalike(t));
            }
            ouro_release(t);
            if (how > 0 && lengths[i] > 1)
                CHECK_GT(ouro_gc_collect(how == 1 ? 0 : how == 2 ? 1 : 2), 0);
            CHECK_EQ(finalized() - before, (long)(lengths[i] / 3));
        }
    }
}

static void leave_a_leak(void *unused)
{
    (void)unused;
    ouro_leak_report report;
    struct node *n = plain_new(1), *inner = plain_new(2);
    ouro_give(n, &n->a, inner);
    ouro_value_set(n, &n->b, lookalike(inner));
    ouro_value_set(inner, &inner->a, OURO_TRUE);
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 2);
    ouro_release(n);
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
}

static void test_leak_reports(void)
{
    leave_a_leak(NULL);
    fixture_start();
}

static void test_misuse(void)
{
    struct node *c = plain_new(1);
    struct leaf *x = leaf_new(1);
    ouro_slot elsewhere = {0};
    ouro_value_set(c, &elsewhere, ouro_int_new(1));
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_value_set", NULL, c);
    ouro_value_give(c, &elsewhere, ouro_value_of(ouro_retain(x)));
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_value_give", NULL, c);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_value_swap(c, &elsewhere, OURO_TRUE), OURO_NIL);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_value_swap", NULL, c);
    CHECK_EQ(ouro_value_take(c, &elsewhere), OURO_NIL);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_value_take", NULL, c);
    CHECK_EQ(ouro_value_get(c, &elsewhere), OURO_NIL);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_value_get", NULL, c);
    CHECK(!ouro_value_compare_set(c, &elsewhere, OURO_NIL, OURO_TRUE));
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_value_compare_set", NULL, c);
    CHECK_EQ(ouro_value_peek(&elsewhere), OURO_NIL);
    ouro_release(x);
    ouro_release(c);
}

struct work {
    struct table *table;
    long rounds;
};

/* Each adds to the number in the slot: by compare_set, none is lost, though the slot holds a reference now and then. */
static void count_up(struct member *self)
{
    struct work *w = self->arg;
    ouro_slot *slot = &w->table->items[0];
    for (long i = 0; i < w->rounds; i++)
        for (bool done = false; !done;) {
            ouro_value old = ouro_value_get(w->table, slot);
            struct leaf *box = ouro_value_object(old);
            int64_t n = (box ? box->id : ouro_int_value(old)) + 1;
            ouro_value next = rng_one_in(&self->rng, 4) ? ouro_value_of(leaf_new((long)n)) : ouro_int_new(n);
            done = ouro_value_compare_set(w->table, slot, old, next);
            ouro_value_release(next);
            ouro_value_release(old);
        }
}

static void test_compare_set_counts(void)
{
    enum { THREADS = 4 };
    struct work w = {table_new(1), SCALED(40000)};
    ouro_value_set(w.table, &w.table->items[0], ouro_int_new(0));
    ouro_share(w.table);
    team_run(THREADS, seed, count_up, &w);
    ouro_value last = ouro_value_take(w.table, &w.table->items[0]);
    struct leaf *box = ouro_value_object(last);
    CHECK_EQ(box ? box->id : ouro_int_value(last), THREADS * w.rounds);
    ouro_value_release(last);
    ouro_release(w.table);
}

int main(void)
{
    check_start("value_slot_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_integers);
    FIXTURE_RUN(test_nil_and_booleans);
    FIXTURE_RUN(test_references);
    FIXTURE_RUN(test_immediates);
    FIXTURE_RUN(test_references_and_immediates);
    FIXTURE_RUN(test_reference_functions);
    FIXTURE_RUN(test_everything_that_walks_slots);
    FIXTURE_RUN(test_leak_reports);
    FIXTURE_RUN(test_misuse);
    FIXTURE_RUN(test_compare_set_counts);
    return check_finish();
}
