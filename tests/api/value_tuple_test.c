/* SPDX-License-Identifier: MIT
 *
 * Tuples: what they hold and keep alive, positions and slices as in Python, cycles that pass through them, and tuples that are private, shared
 * or made by an unbiased thread. */
#include <stdlib.h>

#include "support/threads.h"
#include "support/values.h"

static void test_new_and_get(void)
{
    long before = finalized();
    struct leaf *x = leaf_new(1);
    ouro_value items[] = {INT(1), OURO_NIL, ouro_value_of(x), OURO_TRUE, ouro_value_of(x)}, t, v;
    CHECK_OK(ouro_tuple_new(items, 5, &t));
    CHECK_EQ(ouro_kind_of(t), OURO_KIND_TUPLE);
    CHECK_EQ(ouro_refcount(x), 3);
    size_t length = 99;
    CHECK_OK(ouro_tuple_length(t, &length));
    CHECK_EQ(length, 5);
    CHECK_OK(ouro_length(t, &length));
    CHECK_EQ(length, 5);
    const ouro_value *borrowed = ouro_tuple_items(t, &length);
    CHECK_EQ(length, 5);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(borrowed[i], items[i]);
        CHECK_OK(ouro_tuple_get(t, i, &v));
        CHECK_EQ(v, items[i]);
        ouro_value_release(v);
        CHECK_OK(ouro_tuple_get(t, i - 5, &v));
        CHECK_EQ(v, items[i]);
        ouro_value_release(v);
    }
    static const ptrdiff_t beyond[] = {5, -6, PTRDIFF_MAX, PTRDIFF_MIN};
    for (int i = 0; i < 4; i++) {
        v = INT(1);
        CHECK_EQ(ouro_tuple_get(t, beyond[i], &v), OURO_E_INDEX);
        CHECK_EQ(v, OURO_NIL);
    }
    CHECK_EQ(ouro_refcount(x), 3);
    ouro_release(x);
    CHECK_EQ(finalized() - before, 0);
    ouro_value_release(t);
    CHECK_EQ(finalized() - before, 1);
    CHECK_EQ(ouro_tuple_new(NULL, 1, &t), OURO_E_INVALID);
    CHECK_EQ(ouro_tuple_new(items, 1, NULL), OURO_E_INVALID);
    CHECK_OK(ouro_tuple_new(NULL, 0, &t));
    CHECK(ouro_tuple_items(t, &length) != NULL);
    CHECK_EQ(length, 0);
    ouro_value_release(t);
}

/* The positions of a slice, one by one, by the rules in Python's reference, "Sequence Types", notes 3 to 5. */
static size_t slice_by_hand(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ptrdiff_t n, ptrdiff_t *out)
{
    size_t count = 0;
    if (start == OURO_OMITTED)
        start = step > 0 ? 0 : n - 1;
    else if (start < 0)
        start = start + n < 0 ? (step > 0 ? 0 : -1) : start + n;
    else if (start >= n)
        start = step > 0 ? n : n - 1;
    if (stop == OURO_OMITTED)
        stop = step > 0 ? n : -1;
    else if (stop < 0)
        stop = stop + n < 0 ? (step > 0 ? 0 : -1) : stop + n;
    else if (stop >= n)
        stop = step > 0 ? n : n - 1;
    for (ptrdiff_t i = start; step > 0 ? i < stop : i > stop; i += step)
        out[count++] = i;
    return count;
}

static void test_slices(void)
{
    enum { MOST = 6 };
    for (ptrdiff_t n = 0; n <= MOST; n++) {
        ouro_value items[MOST], t, s;
        for (ptrdiff_t i = 0; i < n; i++)
            items[i] = INT(i * 10);
        REQUIRE(ouro_tuple_new(items, (size_t)n, &t) == OURO_OK);
        for (ptrdiff_t start = -n - 3; start <= n + 3; start++)
            for (ptrdiff_t stop = -n - 3; stop <= n + 3; stop++)
                for (ptrdiff_t step = -n - 2; step <= n + 2; step++) {
                    ptrdiff_t at[2 * MOST], a = start == -n - 3 ? OURO_OMITTED : start, b = stop == n + 3 ? OURO_OMITTED : stop;
                    if (step == 0)
                        continue;
                    size_t count = slice_by_hand(a, b, step, n, at), length = 99;
                    REQUIRE(ouro_tuple_slice(t, a, b, step, &s) == OURO_OK);
                    const ouro_value *got = ouro_tuple_items(s, &length);
                    bool same = length == count;
                    for (size_t i = 0; same && i < count; i++)
                        same = got[i] == INT(at[i] * 10);
                    CHECK(same);
                    ouro_value_release(s);
                }
        CHECK_EQ(ouro_tuple_slice(t, 0, 1, 0, &s), OURO_E_INVALID);
        CHECK_EQ(s, OURO_NIL);
        static const ptrdiff_t far[] = {PTRDIFF_MAX, PTRDIFF_MIN + 1, PTRDIFF_MAX - 1};
        for (int i = 0; i < 27; i++) {
            size_t length;
            CHECK_OK(ouro_tuple_slice(t, far[i % 3], far[i / 3 % 3], far[i / 9], &s));
            CHECK_OK(ouro_tuple_length(s, &length));
            CHECK_LE(length, 1);
            ouro_value_release(s);
        }
        ouro_value_release(t);
    }
}

static void test_slices_count_what_they_hold(void)
{
    long before = finalized();
    struct leaf *x = leaf_new(1);
    ouro_value t = tuple_of(3, ouro_value_retain(ouro_value_of(x)), INT(1), ouro_value_retain(ouro_value_of(x))), s, both;
    CHECK_OK(ouro_tuple_slice(t, OURO_OMITTED, OURO_OMITTED, -1, &s));
    CHECK_EQ(ouro_refcount(x), 5);
    CHECK_OK(ouro_tuple_concat(t, s, &both));
    CHECK_EQ(ouro_refcount(x), 9);
    ouro_value_release(s);
    CHECK_OK(ouro_tuple_slice(t, OURO_OMITTED, OURO_OMITTED, 1, &s)); /* all: itself */
    CHECK_EQ(s, t);
    ouro_value_release(s);
    ouro_release(x);
    ouro_value_release(t);
    CHECK_EQ(finalized() - before, 0);
    ouro_value_release(both);
    CHECK_EQ(finalized() - before, 1);
}

static void test_concat(void)
{
    ouro_value a = tuple_of(2, INT(1), text("x")), b = tuple_of(1, OURO_NIL), none = tuple_of(0), v;
    CHECK_OK(ouro_tuple_concat(a, b, &v));
    CHECK_REPR(v, "(1, \"x\", nil)");
    ouro_value_release(v);
    CHECK_OK(ouro_tuple_concat(a, none, &v));
    CHECK_EQ(v, a);
    ouro_value_release(v);
    CHECK_OK(ouro_tuple_concat(none, b, &v));
    CHECK_EQ(v, b);
    ouro_value_release(v);
    CHECK_EQ(ouro_tuple_concat(a, INT(1), &v), OURO_E_TYPE);
    CHECK_EQ(v, OURO_NIL);
    ouro_value_release(a);
    ouro_value_release(b);
    ouro_value_release(none);
}

static void test_index_and_count(void)
{
    ouro_value t = tuple_of(6, INT(1), text("a"), number(1), OURO_TRUE, text("a"), tuple_of(1, INT(2))), a = text("a"), two = tuple_of(1, number(2));
    size_t at = 99;
    CHECK_OK(ouro_tuple_index(t, INT(1), 1, OURO_OMITTED, &at)); /* 1.0 */
    CHECK_EQ(at, 2);
    CHECK_OK(ouro_tuple_index(t, a, 0, OURO_OMITTED, &at));
    CHECK_EQ(at, 1);
    CHECK_OK(ouro_tuple_index(t, a, -3, OURO_OMITTED, &at));
    CHECK_EQ(at, 4);
    CHECK_EQ(ouro_tuple_index(t, a, 2, 4, &at), OURO_E_KEY);
    CHECK_EQ(at, 0);
    CHECK_OK(ouro_tuple_index(t, two, 0, OURO_OMITTED, &at));
    CHECK_EQ(at, 5);
    CHECK_EQ(ouro_tuple_index(t, OURO_NIL, 0, OURO_OMITTED, &at), OURO_E_KEY);
    CHECK_OK(ouro_tuple_count(t, INT(1), &at));
    CHECK_EQ(at, 2);
    CHECK_OK(ouro_tuple_count(t, a, &at));
    CHECK_EQ(at, 2);
    CHECK_OK(ouro_tuple_count(t, OURO_FALSE, &at));
    CHECK_EQ(at, 0);
    ouro_value_release(t);
    ouro_value_release(a);
    ouro_value_release(two);
}

/* A cycle through a tuple is garbage like any other; the collector does not look at tuples that cannot be in one. */
static void test_cycles(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = plain_new(1);
        ouro_value flat = tuple_of(3, INT(1), text("x"), tuple_of(1, number(1.5)));
        ouro_value t = tuple_of(2, ouro_value_of(ouro_retain(n)), ouro_value_retain(flat));
        CHECK(ouro_gc_is_tracked(ouro_value_object(t)));
        CHECK(!ouro_gc_is_tracked(ouro_value_object(flat)));
        ouro_value_set(n, &n->a, t);
        if (shared)
            ouro_value_share(t);
        ouro_value_release(t);
        ouro_release(n);
        CHECK_EQ(ouro_gc_collect(shared ? 2 : 0), 2);
        CHECK_REPR(flat, "(1, \"x\", (1.5,))");
        ouro_value_release(flat);
    }
}

/* Nor is it flat for what is only frozen. */
static void test_frozen_in_a_tuple(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = plain_new(1);
        ouro_gc_freeze();
        ouro_value t = tuple_of(1, ouro_value_of(ouro_retain(n)));
        CHECK(ouro_gc_is_tracked(ouro_value_object(t)));
        ouro_value_set(n, &n->a, t);
        if (shared)
            ouro_value_share(t);
        ouro_value_release(t);
        ouro_release(n);
        ouro_gc_unfreeze();
        CHECK_EQ(ouro_gc_collect(shared ? 2 : 0), 2);
    }
    CHECK_LIVE(0);
}

static void test_flat_or_not(void)
{
    ouro_value tracked = tuple_of(1, ouro_value_of(plain_new(1))), leaf = tuple_of(1, ouro_value_of(leaf_new(1))), both, part;
    CHECK(ouro_gc_is_tracked(ouro_value_object(tracked)));
    CHECK(!ouro_gc_is_tracked(ouro_value_object(leaf)));
    CHECK_OK(ouro_tuple_concat(leaf, tracked, &both));
    CHECK(ouro_gc_is_tracked(ouro_value_object(both)));
    CHECK_OK(ouro_tuple_slice(both, 0, 1, 1, &part));
    CHECK(!ouro_gc_is_tracked(ouro_value_object(part)));
    ouro_value_release(part);
    CHECK_OK(ouro_tuple_slice(both, 1, 2, 1, &part));
    CHECK(ouro_gc_is_tracked(ouro_value_object(part)));
    ouro_value all[] = {tracked, leaf, both, part};
    ouro_value_release_all(all, 4);
}

/* Depth is no problem for anything: here, for making, sharing, dropping. (Other operations: value_generic_test.) */
static void test_deep(void)
{
    for (int shared = 0; shared < 2; shared++) {
        ouro_value t = tuple_of(1, ouro_value_of(plain_new(1)));
        for (int i = 0; i < SCALED(1000000); i++)
            t = tuple_of(1, t);
        if (shared)
            ouro_value_share(t);
        ouro_value_release(t);
    }
    CHECK_LIVE(0);
}

static void *use_elsewhere(void *arg)
{
    ouro_value *t = arg, v;
    CHECK_REPR(*t, "(1, \"a\", (1.5, \"b\"))");
    CHECK_OK(ouro_tuple_get(*t, 2, &v));
    ouro_value_release(v);
    return NULL;
}

static void test_stored_into_shared(void)
{
    struct node *board = plain_new(1);
    ouro_share(board);
    ouro_value t = tuple_of(3, INT(1), text("a"), tuple_of(2, number(1.5), text("b")));
    ouro_value_set(board, &board->a, t);
    thread_do(use_elsewhere, &t, 0);
    ouro_value_release(t);
    ouro_release(board);
}

static void *make_unbiased(void *arg)
{
    struct node *board = arg;
    CHECK_OK(ouro_thread_attach(OURO_THREAD_UNBIASED));
    for (int i = 0; i < 100; i++) {
        ouro_value v, t = tuple_of(3, INT(1), text("a"), tuple_of(2, number(1.5), ouro_value_of(plain_new(2))));
        ouro_value_set(board, &board->a, t);
        CHECK_OK(ouro_tuple_get(t, 2, &v));
        ouro_value_release(v);
        struct node *n = plain_new(1); /* a cycle */
        ouro_value ring = tuple_of(1, ouro_value_of(ouro_retain(n)));
        ouro_value_give(n, &n->a, ring);
        ouro_release(n);
        ouro_value_release(t);
    }
    return NULL;
}

static void test_unbiased(void)
{
    struct node *board = plain_new(1);
    ouro_share(board);
    thread_do(make_unbiased, board, 0);
    ouro_release(board);
    CHECK_EQ(ouro_gc_collect(2), 200);
    CHECK_LIVE(0);
}

static void *foreign(void *arg)
{
    ouro_value *t = arg, v = INT(1);
    CHECK_EQ(ouro_tuple_get(*t, 0, &v), OURO_E_USAGE);
    CHECK_EQ(v, OURO_NIL);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_retain", "string", ouro_value_object(ouro_tuple_items(*t, NULL)[0]));
    CHECK_EQ(ouro_tuple_new(t, 1, &v), OURO_E_USAGE);
    CHECK_EQ(v, OURO_NIL);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_retain", "tuple", ouro_value_object(*t));
    CHECK_EQ(ouro_tuple_slice(*t, OURO_OMITTED, OURO_OMITTED, -1, &v), OURO_E_USAGE);
    CHECK_EQ(v, OURO_NIL);
    ouro_value one = tuple_of(1, INT(1));
    CHECK_EQ(ouro_tuple_concat(one, *t, &v), OURO_E_USAGE);
    CHECK_EQ(v, OURO_NIL);
    ouro_value_release(one);
    CHECK_EQ(misuse_count(), 2);
    misuse_forget();
    return NULL;
}

static void test_private_to_another_thread(void)
{
    ouro_value t = tuple_of(1, text("mine"));
    thread_do(foreign, &t, 0);
    ouro_value_release(t);
}

int main(void)
{
    check_start("value_tuple_test");
    fixture_start();
    FIXTURE_RUN(test_new_and_get);
    FIXTURE_RUN(test_slices);
    FIXTURE_RUN(test_slices_count_what_they_hold);
    FIXTURE_RUN(test_concat);
    FIXTURE_RUN(test_index_and_count);
    FIXTURE_RUN(test_cycles);
    FIXTURE_RUN(test_frozen_in_a_tuple);
    FIXTURE_RUN(test_flat_or_not);
    FIXTURE_RUN(test_deep);
    FIXTURE_RUN(test_stored_into_shared);
    FIXTURE_RUN(test_unbiased);
    FIXTURE_RUN(test_private_to_another_thread);
    return check_finish();
}
