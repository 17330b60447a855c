/* SPDX-License-Identifier: MIT
 *
 * What can be done with any value: kinds, truth, length, equality, equality as keys and hashes, order, text, copies; of numbers, across their kinds;
 * of what is nested very deep, shares parts, or contains itself. Of dicts and sets: in their tests. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/threads.h"
#include "support/values.h"

static uint64_t seed;

static void test_kinds(void)
{
    struct leaf *x = leaf_new(1);
    ouro_weak *w = ouro_weak_new(x, NULL, NULL);
    ouro_value s = text("s"), b, t = tuple_of(0), u = tuple_of(1, ouro_value_of(plain_new(1))), r = record_of("point", 0), f = number(1), shape, i = interned("i");
    CHECK_OK(ouro_bytes_new("b", 1, &b));
    CHECK_OK(ouro_record_shape(r, &shape));
    const struct {
        ouro_value value;
        ouro_kind kind;
        const char *name, *type_name;
    } all[] = {
        {OURO_NIL, OURO_KIND_NIL, "nil", "nil"}, {OURO_TRUE, OURO_KIND_BOOL, "bool", "bool"}, {OURO_FALSE, OURO_KIND_BOOL, "bool", "bool"},
        {INT(0), OURO_KIND_INT, "int", "int"}, {f, OURO_KIND_FLOAT, "float", "float"}, {s, OURO_KIND_STRING, "string", "string"},
        {i, OURO_KIND_STRING, "string", "string"}, {b, OURO_KIND_BYTES, "bytes", "bytes"}, {t, OURO_KIND_TUPLE, "tuple", "tuple"},
        {u, OURO_KIND_TUPLE, "tuple", "tuple"}, {r, OURO_KIND_RECORD, "record", "point"}, {shape, OURO_KIND_SHAPE, "shape", "shape"},
        {ouro_value_of(w), OURO_KIND_WEAK, "weak", "weak"}, {ouro_value_of(x), OURO_KIND_OBJECT, "object", "leaf"},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        CHECK_EQ(ouro_kind_of(all[k].value), all[k].kind);
        CHECK_STR(ouro_kind_name(all[k].kind), all[k].name);
        CHECK_STR(ouro_value_type_name(all[k].value), all[k].type_name);
    }
    CHECK_STR(ouro_kind_name((ouro_kind)18), "?");
    CHECK_STR(ouro_kind_name((ouro_kind)-1), "?");
    for (ouro_value junk = 0; junk < 64; junk++) /* words that are no value do no harm */
        if (junk % 4 == 3 || (junk % 4 == 2 && junk > 6)) {
            bool is;
            CHECK_EQ(ouro_kind_of(junk), OURO_KIND_NIL);
            CHECK(!ouro_truth(junk));
            CHECK_REPR(junk, "nil");
            CHECK_OK(ouro_equal(junk, OURO_NIL, &is));
            ouro_value_release(ouro_value_retain(junk));
        }
    ouro_value mine[] = {s, b, t, u, r, f, shape, i};
    ouro_value_release_all(mine, 8);
    ouro_release(w);
    ouro_release(x);
}

static void test_truth_and_length(void)
{
    ouro_value empty = text(""), s = text("\xc3\xa9"), none, b, t = tuple_of(0), u = tuple_of(1, OURO_NIL), r = record_of("r", 0), zero = number(0.0),
               minus = number(-0.0), nan = number(NAN), tiny = number(5e-324);
    struct leaf *x = leaf_new(1);
    size_t n = 99;
    CHECK_OK(ouro_bytes_new(NULL, 0, &none));
    CHECK_OK(ouro_bytes_new("", 1, &b));
    ouro_value no[] = {OURO_NIL, OURO_FALSE, INT(0), zero, minus, empty, none, t}, yes[] = {OURO_TRUE, INT(-1), nan, tiny, s, b, u, r, ouro_value_of(x)};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        CHECK(!ouro_truth(no[i]));
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        CHECK(ouro_truth(yes[i]));
    CHECK_OK(ouro_length(s, &n));
    CHECK_EQ(n, 1);
    ouro_value unsized[] = {OURO_NIL, OURO_TRUE, INT(5), nan, ouro_value_of(x)};
    for (size_t i = 0; i < 5; i++) {
        n = 99;
        CHECK_EQ(ouro_length(unsized[i], &n), OURO_E_TYPE);
        CHECK_EQ(n, 0);
    }
    ouro_value mine[] = {empty, s, none, b, t, u, r, zero, minus, nan, tiny, ouro_value_of(x)};
    ouro_value_release_all(mine, 12);
}

/* ---- Numbers ---- */

/* A number as long double, which has 64 bits of precision: enough for all integers here, and for all doubles. */
static long double worth(ouro_value v)
{
    return ouro_is_int(v) ? (long double)ouro_int_value(v) : (long double)ouro_float_value(v);
}

static void compare_numbers(ouro_value a, ouro_value b)
{
    long double x = worth(a), y = worth(b);
    bool nan = isnan(x) || isnan(y);
    CHECK_EQ(equal(a, b), !nan && x == y);
    CHECK_EQ(key_equal(a, b), (isnan(x) && isnan(y)) || x == y);
    CHECK_EQ(order(a, b), nan ? OURO_UNORDERED : (x > y) - (x < y));
}

static void test_numbers(void)
{
    static const int64_t ints[] = {0, 1, -1, 2, 1LL << 52, 1LL << 53, (1LL << 53) + 1, -(1LL << 53) - 1, 1LL << 60, (1LL << 60) + 1, OURO_INT_MAX,
                                   OURO_INT_MAX - 1, OURO_INT_MIN, OURO_INT_MIN + 1};
    static const double floats[] = {0.0, -0.0, 0.5, 1.0, 1.5, -1.0, -1.5, 2.0, 4503599627370496.0, 9007199254740992.0, 9007199254740994.0,
                                    -9007199254740994.0, 1152921504606846976.0, 2305843009213693952.0, -2305843009213693952.0, 2305843009213693696.0,
                                    4611686018427387904.0, -1e300, 1e300, INFINITY, -INFINITY, NAN, 5e-324};
    enum { INTS = sizeof ints / sizeof *ints, FLOATS = sizeof floats / sizeof *floats, ALL = INTS + FLOATS };
    ouro_value all[ALL];
    for (int i = 0; i < ALL; i++)
        all[i] = i < INTS ? INT(ints[i]) : number(floats[i - INTS]);
    for (int i = 0; i < ALL; i++)
        for (int k = 0; k < ALL; k++)
            if (i != k)
                compare_numbers(all[i], all[k]);
    for (int i = 0; i < ALL; i++) { /* the same object */
        bool nan = isnan(worth(all[i]));
        CHECK_EQ(equal(all[i], all[i]), !nan);
        CHECK(key_equal(all[i], all[i]));
        CHECK_EQ(order(all[i], all[i]), nan ? OURO_UNORDERED : 0);
    }
    ouro_value_release_all(all, ALL);
    struct rng rng = {seed};
    for (int i = 0; i < SCALED(50000); i++) {
        int64_t n = (int64_t)rng_next(&rng) >> (2 + rng_below(&rng, 60));
        double d = rng_one_in(&rng, 2) ? (double)n : (double)n + (double)rng_below(&rng, 9) / 4 - 1;
        ouro_value a = INT(n), b = number(d);
        compare_numbers(a, b);
        ouro_value_release(b);
    }
    CHECK(!equal(OURO_TRUE, INT(1)) && !equal(OURO_FALSE, INT(0)) && !key_equal(OURO_TRUE, INT(1)));
    CHECK(!equal(OURO_NIL, INT(0)) && !equal(OURO_NIL, OURO_FALSE));
    CHECK_NE(hash_of(OURO_TRUE), hash_of(INT(1)));
}

/* ---- Everything against everything ---- */

static void test_equality_and_order(void)
{
    /* In each row all are equal; values of different rows are not. Rows of one letter have an order, the one they stand in. */
    struct leaf *x = leaf_new(1), *y = leaf_new(2);
    ouro_value b1, b2, b3;
    CHECK_OK(ouro_bytes_new("ab", 2, &b1));
    CHECK_OK(ouro_bytes_new("ab", 2, &b2));
    CHECK_OK(ouro_bytes_new("ab\xff", 3, &b3));
    struct {
        char letter;
        ouro_value a, b;
    } rows[] = {
        {'n', OURO_NIL, OURO_NIL},
        {'b', OURO_FALSE, OURO_FALSE},
        {'b', OURO_TRUE, OURO_TRUE},
        {'1', number(-0.5), number(-0.5)},
        {'1', INT(0), number(-0.0)},
        {'1', INT(7), number(7)},
        {'1', number(7.5), number(7.5)},
        {'s', text(""), interned("")},
        {'s', text("a"), interned("a")},
        {'s', text("a\x01"), text("a\x01")},
        {'s', text("ab"), interned("ab")},
        {'s', text("c"), interned("c")}, /* memcmp may call it 2 after "a", and 2 is OURO_UNORDERED */
        {'s', text("\xc3\xa9"), interned("\xc3\xa9")},
        {'s', text("\xef\xbf\xbf"), text("\xef\xbf\xbf")},
        {'s', text("\xf0\x9f\x98\x80"), text("\xf0\x9f\x98\x80")}, /* after U+FFFF, though not in UTF-16 */
        {'y', b1, b2},
        {'y', b3, ouro_value_retain(b3)},
        {'t', tuple_of(0), tuple_of(0)},
        {'t', tuple_of(1, INT(1)), tuple_of(1, number(1))},
        {'t', tuple_of(2, INT(1), INT(0)), tuple_of(2, number(1), INT(0))},
        {'t', tuple_of(2, INT(1), INT(2)), tuple_of(2, INT(1), number(2))},
        {'t', tuple_of(3, INT(1), INT(2), text("x")), tuple_of(3, INT(1), INT(2), interned("x"))},
        {'t', tuple_of(1, INT(2)), tuple_of(1, number(2))},
        {'u', tuple_of(1, tuple_of(0)), tuple_of(1, tuple_of(0))},
        {'u', tuple_of(1, tuple_of(1, text("a"))), tuple_of(1, tuple_of(1, text("a")))},
        {'r', record_of("p", 1, "x", INT(1)), record_of("p", 1, "x", number(1))},
        {'q', record_of("p", 1, "y", INT(1)), record_of("p", 1, "y", INT(1))},
        {'o', record_of("q", 1, "x", INT(1)), record_of("q", 1, "x", INT(1))},
        {'m', record_of("p", 1, "x", INT(2)), record_of("p", 1, "x", INT(2))},
        {'x', ouro_value_of(x), ouro_value_of(ouro_retain(x))},
        {'z', ouro_value_of(y), ouro_value_of(ouro_retain(y))},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < ROWS; k++) {
            ouro_value a = rows[i].a, b = rows[k].b;
            bool is_record = ouro_kind_of(a) == OURO_KIND_RECORD && i == k;
            CHECK_EQ(equal(a, b), i == k);
            CHECK_EQ(key_equal(a, b), i == k && !is_record);
            int o = 99;
            bool ordered = rows[i].letter == rows[k].letter && !strchr("rqom", rows[i].letter);
            if (ordered) {
                CHECK_EQ(order(a, b), (i > k) - (i < k));
            } else if (!(strchr("tu", rows[i].letter) && strchr("tu", rows[k].letter))) {
                CHECK_EQ(ouro_compare(a, b, &o), OURO_E_TYPE);
                CHECK_EQ(o, 0);
            }
        }
    for (int i = 0; i < ROWS; i++) {
        ouro_value_release(rows[i].a);
        ouro_value_release(rows[i].b);
    }
}

static void test_nan_within(void)
{
    ouro_value nan = number(NAN), other = number(NAN), a = tuple_of(1, ouro_value_retain(nan)), b = tuple_of(1, ouro_value_retain(nan)),
               c = tuple_of(1, ouro_value_retain(other)), d = tuple_of(2, ouro_value_retain(other), INT(1));
    CHECK(equal(a, b)); /* the same object */
    CHECK(!equal(a, c));
    CHECK(key_equal(a, c)); /* NaN is one key */
    CHECK_EQ(order(a, b), 0);
    CHECK_EQ(order(a, c), OURO_UNORDERED);
    CHECK_EQ(order(a, d), OURO_UNORDERED);
    ouro_value all[] = {nan, other, a, b, c, d};
    ouro_value_release_all(all, 6);
}

static void test_mixed_tuples_have_an_order_up_to_the_first_difference(void)
{
    ouro_value a = tuple_of(2, INT(1), text("x")), b = tuple_of(2, INT(2), OURO_NIL), c = tuple_of(2, INT(1), INT(5));
    int o = 99;
    CHECK_EQ(order(a, b), -1);
    CHECK_EQ(ouro_compare(a, c, &o), OURO_E_TYPE);
    ouro_value all[] = {a, b, c};
    ouro_value_release_all(all, 3);
}

/* ---- Depth, sharing, cycles ---- */

static ouro_value deep(long depth, ouro_value innermost)
{
    for (long i = 0; i < depth; i++)
        innermost = i % 2 ? tuple_of(1, innermost) : record_of("deep", 1, "next", innermost);
    return innermost;
}

static void *use_very_deep(void *unused)
{
    enum { DEPTH = SCALED(50000) * 2 };
    (void)unused;
    ouro_value a = deep(DEPTH, INT(1)), b = deep(DEPTH, number(1)), c = deep(DEPTH, INT(2)), s, copy;
    CHECK(equal(a, b));
    CHECK(!equal(a, c));
    CHECK_OK(ouro_repr(a, &s));
    size_t size = 0;
    ouro_string_data(s, &size);
    CHECK_EQ(size, DEPTH / 2 * (sizeof "deep(next=)" - 1 + sizeof "(,)" - 1) + 1);
    ouro_value_release(s);
    CHECK_OK(ouro_copy_deep(a, &copy));
    CHECK(equal(a, copy));
    CHECK_LIVE(4 * DEPTH + 5); /* the shape, its tuple, its two strings; a number */
    ouro_value all[] = {a, b, c, copy};
    ouro_value_release_all(all, 4);
    ouro_value t = INT(1), u = INT(1), v = INT(2);
    for (int i = 0; i < DEPTH; i++)
        t = tuple_of(2, t, INT(i)), u = tuple_of(2, u, INT(i)), v = tuple_of(2, v, INT(i));
    CHECK(key_equal(t, u));
    CHECK(!key_equal(t, v));
    CHECK_EQ(order(t, v), -1);
    CHECK_EQ(order(t, u), 0);
    ouro_value_release(t);
    ouro_value_release(u);
    ouro_value_release(v);
    return NULL;
}

/* On a stack that has room for a few bytes per level at most. */
static void test_very_deep(void)
{
    thread_do(use_very_deep, NULL, 256 << 10);
}

/* 2^60 paths lead to the innermost value: whoever goes along each will not come back. */
static void test_shared_parts(void)
{
    ouro_value a = tuple_of(1, ouro_value_of(plain_new(1))), b = ouro_value_retain(a), r = record_of("r", 1, "x", INT(1)), s = record_of("r", 1, "x", INT(1)), copy;
    for (int i = 0; i < 60; i++) {
        a = tuple_of(2, a, ouro_value_retain(a));
        b = tuple_of(2, b, ouro_value_retain(b));
        r = record_of("r", 2, "x", r, "y", ouro_value_retain(r));
        s = record_of("r", 2, "x", s, "y", ouro_value_retain(s));
    }
    CHECK(equal(a, b));
    CHECK(key_equal(a, b));
    CHECK_EQ(order(a, b), 0);
    CHECK(equal(r, s));
    CHECK_OK(ouro_copy_deep(r, &copy));
    CHECK(equal(r, copy));
    size_t live = live_objects();
    ouro_value_release(copy);
    CHECK_LIVE(live - 61);
    ouro_value all[] = {a, b, r, s};
    ouro_value_release_all(all, 4);
}

/* A ring of `length` records, each with a tuple that leads to the next. Takes over the label. */
static ouro_value ring(int length, ouro_value label)
{
    ouro_value first = record_of("ring", 2, "label", ouro_value_retain(label), "next", OURO_NIL), last = ouro_value_retain(first);
    for (int i = 1; i < length; i++) {
        ouro_value next = record_of("ring", 2, "label", ouro_value_retain(label), "next", OURO_NIL), t = tuple_of(1, ouro_value_retain(next));
        CHECK_OK(ouro_record_set_at(last, 1, t));
        ouro_value_release(t);
        ouro_value_release(last);
        last = next;
    }
    ouro_value t = tuple_of(1, ouro_value_retain(first));
    CHECK_OK(ouro_record_set_at(last, 1, t));
    ouro_value_release(t);
    ouro_value_release(last);
    ouro_value_release(label);
    return first;
}

static void test_cycles(void)
{
    ouro_value one = ring(1, INT(1)), two = ring(2, number(1)), seven = ring(7, INT(1)), eleven = ring(11, INT(1)), other = ring(3, INT(2)), copy;
    CHECK(equal(one, two)); /* no difference can be found */
    CHECK(equal(seven, eleven));
    CHECK(equal(one, eleven));
    CHECK(!equal(one, other));
    CHECK(!equal(seven, other));
    CHECK_REPR(one, "ring(label=1, next=(...,))");
    CHECK_REPR(other, "ring(label=2, next=(ring(label=2, next=(ring(label=2, next=(...,)),)),))");
    CHECK_OK(ouro_copy_deep(other, &copy));
    CHECK(equal(other, copy) && !ouro_same(other, copy));
    CHECK_REPR(copy, "ring(label=2, next=(ring(label=2, next=(ring(label=2, next=(...,)),)),))");
    CHECK_OK(ouro_record_set_at(copy, 0, INT(9))); /* its own */
    CHECK_REPR(other, "ring(label=2, next=(ring(label=2, next=(ring(label=2, next=(...,)),)),))");
    CHECK(!equal(other, copy));
    hash_of(one);
    ouro_value shallow;
    CHECK_OK(ouro_copy(one, &shallow));
    CHECK_REPR(shallow, "ring(label=1, next=(ring(label=1, next=...),))"); /* the same tuple */
    ouro_value all[] = {one, two, seven, eleven, other, copy, shallow};
    ouro_value_release_all(all, 7);
    CHECK_EQ(ouro_gc_collect(0), 2 * (1 + 2 + 7 + 11 + 3 + 3));
}

/* ---- Text ---- */

static void test_text(void)
{
    ouro_value b, t = tuple_of(4, OURO_NIL, OURO_TRUE, OURO_FALSE, INT(-12)), u = tuple_of(3, number(1.5), text("a\"\n\xc3\xa9"), tuple_of(0));
    struct leaf *x = leaf_new(1);
    ouro_weak *w = ouro_weak_new(x, NULL, NULL);
    CHECK_OK(ouro_bytes_new("\0a", 2, &b));
    CHECK_REPR(t, "(nil, true, false, -12)");
    CHECK_REPR(u, "(1.5, \"a\\\"\\n\xc3\xa9\", ())");
    CHECK_REPR(b, "b\"\\x00a\"");
    CHECK_REPR(ouro_value_of(x), "<leaf>");
    CHECK_REPR(ouro_value_of(w), "<weak>");
    ouro_value r = record_of("point", 2, "x", tuple_of(1, INT(1)), "y", record_of("none", 0));
    CHECK_REPR(r, "point(x=(1,), y=none())");
    ouro_value all[] = {b, t, u, r, ouro_value_of(w), ouro_value_of(x)};
    ouro_value_release_all(all, 6);
}

/* ---- Copies ---- */

static void test_copies(void)
{
    struct leaf *x = leaf_new(1);
    ouro_value s = text("s"), f = number(1.5), t = tuple_of(1, ouro_value_retain(s)), v,
               r = record_of("r", 2, "a", ouro_value_retain(t), "b", ouro_value_retain(ouro_value_of(x))),
               u = tuple_of(2, ouro_value_retain(r), ouro_value_retain(r));
    ouro_value same[] = {OURO_NIL, OURO_TRUE, INT(5), s, f, t, u};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        CHECK_OK(ouro_copy(same[i], &v));
        CHECK_EQ(v, same[i]);
        ouro_value_release(v);
        CHECK_OK(ouro_copy_deep(same[i], &v));
        CHECK_EQ(v == same[i], same[i] != u); /* u leads to a record: that is copied */
        CHECK(equal(v, same[i]));
        ouro_value_release(v);
    }
    CHECK_OK(ouro_copy(r, &v));
    CHECK(v != r && equal(v, r));
    CHECK_EQ(ouro_refcount(x), 3);
    ouro_value_release(v);
    CHECK_OK(ouro_copy_deep(u, &v));
    const ouro_value *items = ouro_tuple_items(v, NULL);
    CHECK(items[0] == items[1] && items[0] != r);
    ouro_value part;
    CHECK_OK(ouro_record_get_at(items[0], 0, &part));
    CHECK_EQ(part, t); /* cannot change, so it is shared */
    ouro_value_release(part);
    CHECK_OK(ouro_record_get_at(items[0], 1, &part));
    CHECK_EQ(part, ouro_value_of(x)); /* cannot be copied, so it is shared */
    ouro_value_release(part);
    ouro_value_release(v);
    CHECK_EQ(ouro_copy(ouro_value_of(x), &v), OURO_E_TYPE);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(ouro_copy_deep(ouro_value_of(x), &v), OURO_E_TYPE);
    ouro_value all[] = {s, f, t, r, u, ouro_value_of(x)};
    ouro_value_release_all(all, 6);
}

/* ---- Changed by others meanwhile ---- */

struct work {
    ouro_value record;
    long rounds;
};

static void change_or_look(struct member *self)
{
    struct work *w = self->arg;
    for (long i = 0; i < w->rounds; i++) {
        ouro_value v, copy;
        bool is;
        if (self->index % 2) {
            ouro_value inner = record_of("inner", 1, "x", rng_one_in(&self->rng, 4) ? ouro_value_retain(w->record) : number((double)i));
            REQUIRE(ouro_record_set_at(w->record, rng_below(&self->rng, 2), inner) == OURO_OK);
            ouro_value_release(inner);
            if (rng_one_in(&self->rng, 200))
                ouro_gc_collect(1);
            continue;
        }
        REQUIRE(ouro_repr(w->record, &v) == OURO_OK);
        ouro_value_release(v);
        REQUIRE(ouro_copy_deep(w->record, &copy) == OURO_OK);
        REQUIRE(ouro_equal(w->record, copy, &is) == OURO_OK);
        REQUIRE(ouro_repr(copy, &v) == OURO_OK);
        ouro_value_release(v);
        ouro_value_release(copy);
    }
}

static void test_changed_meanwhile(void)
{
    struct work w = {record_of("outer", 2, "a", OURO_NIL, "b", OURO_NIL), SCALED(4000)};
    ouro_value_share(w.record);
    team_run(4, seed, change_or_look, &w);
    ouro_value_release(w.record);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
}

/* The first call of all may be any. */
static void start_with_a_hash(void *unused)
{
    uint64_t before = 0, after = 0;
    (void)unused;
    CHECK_OK(ouro_hash(INT(5), &before));
    ouro_value s = text("s");
    CHECK_OK(ouro_hash(INT(5), &after));
    CHECK_EQ(before, after);
    ouro_value_release(s);
}

static void test_after_shutdown(void)
{
    CHECK_OK(ouro_shutdown(NULL));
    start_with_a_hash(NULL);
    CHECK_OK(ouro_shutdown(NULL));
    ouro_value v = interned("again"), w = interned("again");
    CHECK_EQ(v, w);
    ouro_value_release(v);
    ouro_value_release(w);
    CHECK_OK(ouro_shutdown(NULL));
    fixture_start();
}

int main(void)
{
    check_start("value_generic_test");
    seed = rng_seed();
    start_with_a_hash(NULL);
    CHECK_OK(ouro_shutdown(NULL));
    fixture_start();
    FIXTURE_RUN(test_kinds);
    FIXTURE_RUN(test_truth_and_length);
    FIXTURE_RUN(test_numbers);
    FIXTURE_RUN(test_equality_and_order);
    FIXTURE_RUN(test_nan_within);
    FIXTURE_RUN(test_mixed_tuples_have_an_order_up_to_the_first_difference);
    FIXTURE_RUN(test_very_deep);
    FIXTURE_RUN(test_shared_parts);
    FIXTURE_RUN(test_cycles);
    FIXTURE_RUN(test_text);
    FIXTURE_RUN(test_copies);
    FIXTURE_RUN(test_changed_meanwhile);
    FIXTURE_RUN(test_after_shutdown);
    return check_finish();
}
