/* SPDX-License-Identifier: MIT
 *
 * Lists: what each function does and refuses, on private and on shared lists, with integers, private objects and shared objects as
 * elements; against an array that has the same done to it; what is counted; finalizers that work on the list that drops them; lists
 * that contain themselves; sizes; lack of memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

static uint64_t seed;

#define OK(call) CHECK_EQ((call), OURO_OK)

/* The combinations that most tests go through. */
static bool list_shared;
static enum { INTEGERS, PRIVATE_OBJECTS, SHARED_OBJECTS, CONTENTS } content;

static void in_all_combinations(void (*test)(void))
{
    for (int i = 0; i < 2 * CONTENTS; i++) {
        list_shared = i & 1;
        content = (i >> 1);
        test();
    }
}

static ouro_value make(long id)
{
    if (content == INTEGERS)
        return ouro_int_new(id);
    struct leaf *l = leaf_new(id);
    if (content == SHARED_OBJECTS)
        ouro_share(l);
    return ouro_value_of(l);
}

static long id_of(ouro_value v)
{
    return ouro_is_int(v) ? (long)ouro_int_value(v) : ouro_is_object(v) ? ((struct leaf *)ouro_value_object(v))->id : -1;
}

static ouro_value list_new(void)
{
    ouro_value list = ouro_list_new();
    REQUIRE(ouro_is_object(list));
    if (list_shared)
        ouro_value_share(list);
    return list;
}

static void append(ouro_value list, long id)
{
    ouro_value v = make(id);
    OK(ouro_list_append(list, v));
    ouro_value_release(v);
}

static ouro_value list_of(size_t count)
{
    ouro_value list = list_new();
    for (size_t i = 0; i < count; i++)
        append(list, (long)i);
    return list;
}

static size_t length_of(ouro_value list)
{
    size_t length = 99;
    OK(ouro_list_length(list, &length));
    return length;
}

/* The ids of a list's elements, one digit each. */
static const char *digits(ouro_value list)
{
    static char text[65];
    ouro_value items[64];
    size_t count = 0;
    OK(ouro_list_get_range(list, 0, items, 64, &count));
    for (size_t i = 0; i < count; i++)
        text[i] = (char)('0' + id_of(items[i]));
    text[count] = 0;
    ouro_value_release_all(items, count);
    return text;
}

static void check_dropped(ouro_value list)
{
    long before = finalized();
    size_t n = length_of(list);
    ouro_value_release(list);
    if (content != INTEGERS)
        CHECK_EQ(finalized() - before, (long)n);
}

static void get_and_append(void)
{
    ouro_value list = list_new(), v = OURO_TRUE;
    CHECK_EQ(length_of(list), 0);
    CHECK_EQ(ouro_list_get(list, 0, &v), OURO_E_INDEX);
    CHECK_EQ(v, OURO_NIL);
    for (long i = 0; i < 100; i++) {
        append(list, i);
        CHECK_EQ(length_of(list), (size_t)i + 1);
        OK(ouro_list_get(list, -1, &v));
        CHECK_EQ(id_of(v), i);
        ouro_value_release(v);
    }
    for (ptrdiff_t i = -100; i < 100; i++) {
        OK(ouro_list_get(list, i, &v));
        CHECK_EQ(id_of(v), i < 0 ? i + 100 : i);
        if (content != INTEGERS)
            CHECK_EQ(ouro_refcount(ouro_value_object(v)), 2);
        ouro_value_release(v);
    }
    CHECK_EQ(ouro_list_get(list, 100, &v), OURO_E_INDEX);
    CHECK_EQ(ouro_list_get(list, -101, &v), OURO_E_INDEX);
    CHECK_EQ(ouro_list_get(list, PTRDIFF_MIN, &v), OURO_E_INDEX);
    CHECK_EQ(ouro_list_get(list, PTRDIFF_MAX, &v), OURO_E_INDEX);
    check_dropped(list);
}

static void set_and_swap(void)
{
    ouro_value list = list_of(3), x = make(7), y = make(8), old = OURO_TRUE;
    long before = finalized();
    OK(ouro_list_set(list, 1, x));
    CHECK_STR(digits(list), "072");
    if (content != INTEGERS) {
        CHECK_EQ(finalized() - before, 1);
        CHECK_EQ(ouro_refcount(ouro_value_object(x)), 2);
    }
    OK(ouro_list_set(list, 1, x)); /* the same again */
    if (content != INTEGERS)
        CHECK_EQ(ouro_refcount(ouro_value_object(x)), 2);
    OK(ouro_list_swap(list, -2, y, &old));
    CHECK_EQ(old, x);
    ouro_value_release(old);
    CHECK_STR(digits(list), "082");
    if (content != INTEGERS)
        CHECK_EQ(ouro_refcount(ouro_value_object(x)), 1);
    CHECK_EQ(ouro_list_set(list, 3, x), OURO_E_INDEX);
    CHECK_EQ(ouro_list_swap(list, -4, x, &old), OURO_E_INDEX);
    CHECK_EQ(old, OURO_NIL);
    bool done = true;
    OK(ouro_list_compare_set(list, 1, x, x, &done));
    CHECK(!done);
    OK(ouro_list_compare_set(list, 1, y, x, &done));
    CHECK(done);
    CHECK_STR(digits(list), "072");
    CHECK_EQ(ouro_list_compare_set(list, 3, y, x, &done), OURO_E_INDEX);
    CHECK(!done);
    if (content != INTEGERS) {
        CHECK_EQ(ouro_refcount(ouro_value_object(x)), 2);
        CHECK_EQ(ouro_refcount(ouro_value_object(y)), 1);
    }
    OK(ouro_list_set(list, 0, OURO_NIL)); /* an element like any other */
    OK(ouro_list_get(list, 0, &old));
    CHECK_EQ(old, OURO_NIL);
    CHECK_EQ(length_of(list), 3);
    ouro_value_release(x);
    ouro_value_release(y);
    ouro_value_release(list);
}

static void insert_and_pop(void)
{
    ouro_value list = list_of(3), v, popped;
    static const struct {
        ptrdiff_t index;
        long id;
        const char *then;
    } steps[] = {{0, 3, "3012"}, {2, 4, "30412"}, {-1, 5, "304152"}, {99, 6, "3041526"}, {-99, 7, "73041526"}, {8, 8, "730415268"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        v = make(steps[i].id);
        OK(ouro_list_insert(list, steps[i].index, v));
        ouro_value_release(v);
        CHECK_STR(digits(list), steps[i].then);
    }
    OK(ouro_list_pop(list, 0, &popped));
    CHECK_EQ(id_of(popped), 7);
    if (content != INTEGERS)
        CHECK_EQ(ouro_refcount(ouro_value_object(popped)), 1);
    ouro_value_release(popped);
    OK(ouro_list_pop(list, -1, &popped));
    CHECK_EQ(id_of(popped), 8);
    ouro_value_release(popped);
    OK(ouro_list_pop(list, 3, NULL));
    OK(ouro_list_delete(list, -2));
    CHECK_STR(digits(list), "30456");
    CHECK_EQ(ouro_list_pop(list, 5, &popped), OURO_E_INDEX);
    CHECK_EQ(popped, OURO_NIL);
    CHECK_EQ(ouro_list_delete(list, -6), OURO_E_INDEX);
    CHECK_STR(digits(list), "30456");
    while (length_of(list))
        OK(ouro_list_pop(list, -1, NULL));
    CHECK_EQ(ouro_list_pop(list, -1, NULL), OURO_E_INDEX);
    ouro_value_release(list);
}

static void from_items(void)
{
    ouro_value items[5], list;
    for (long i = 0; i < 5; i++)
        items[i] = make(i);
    OK(ouro_list_from(items, 5, &list));
    if (list_shared)
        ouro_value_share(list);
    CHECK_STR(digits(list), "01234");
    OK(ouro_list_append_all(list, items, 5));
    OK(ouro_list_append_all(list, NULL, 0));
    CHECK_STR(digits(list), "0123401234");
    if (content != INTEGERS)
        CHECK_EQ(ouro_refcount(ouro_value_object(items[0])), 3);
    ouro_value_release(list);
    OK(ouro_list_from(NULL, 0, &list));
    CHECK_EQ(length_of(list), 0);
    ouro_value_release(list);
    OK(ouro_list_new_with_room(10, &list));
    CHECK_EQ(length_of(list), 0);
    OK(ouro_list_append_all(list, items, 5));
    CHECK_STR(digits(list), "01234");
    ouro_value_release(list);
    ouro_value_release_all(items, 5);
}

static void clear(void)
{
    ouro_value list = list_of(20);
    long before = finalized();
    OK(ouro_list_clear(list));
    if (content != INTEGERS)
        CHECK_EQ(finalized() - before, 20);
    CHECK_EQ(length_of(list), 0);
    OK(ouro_list_clear(list));
    append(list, 4);
    CHECK_STR(digits(list), "4");
    check_dropped(list);
}

static void get_range(void)
{
    ouro_value list = list_of(6), items[10];
    size_t count = 77;
    OK(ouro_list_get_range(list, 2, items, 3, &count));
    CHECK_EQ(count, 3);
    for (size_t i = 0; i < count; i++)
        CHECK_EQ(id_of(items[i]), (long)i + 2);
    ouro_value_release_all(items, count);
    OK(ouro_list_get_range(list, 4, items, 10, &count));
    CHECK_EQ(count, 2);
    ouro_value_release_all(items, count);
    OK(ouro_list_get_range(list, 6, items, 10, &count));
    CHECK_EQ(count, 0);
    OK(ouro_list_get_range(list, SIZE_MAX, items, 10, &count));
    CHECK_EQ(count, 0);
    OK(ouro_list_get_range(list, 0, NULL, 0, &count));
    CHECK_EQ(count, 0);
    check_dropped(list);
}

/* ---- slices, against the definition of Python's: indices written out ---- */

enum { SLICED = 7 };

/* The places of a slice of SLICED elements, one after the other, as range(*slice.indices(n)) would have them. */
static size_t places(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, size_t *at)
{
    const ptrdiff_t n = SLICED, omitted = OURO_OMITTED;
    size_t count = 0;
    if (step > 0) {
        ptrdiff_t from = start == omitted ? 0 : start < 0 ? (start + n < 0 ? 0 : start + n) : start;
        ptrdiff_t to = stop == omitted ? n : stop < 0 ? stop + n : stop > n ? n : stop;
        for (ptrdiff_t i = from; i < to; i += step)
            at[count++] = (size_t)i;
    } else {
        ptrdiff_t from = start == omitted ? n - 1 : start < 0 ? start + n : start > n - 1 ? n - 1 : start;
        ptrdiff_t to = stop == omitted ? -1 : stop < 0 ? (stop + n < -1 ? -1 : stop + n) : stop;
        for (ptrdiff_t i = from; i > to; i += step)
            at[count++] = (size_t)i;
    }
    return count;
}

static void each_slice(void (*fn)(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step))
{
    for (ptrdiff_t start = -10; start <= 10; start++) {
        for (ptrdiff_t stop = -10; stop <= 10; stop++) {
            for (ptrdiff_t step = -3; step <= 3; step++) {
                if (step)
                    fn(start == 10 ? OURO_OMITTED : start, stop == 10 ? OURO_OMITTED : stop, step);
            }
        }
    }
}

static void check_slice(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step)
{
    static ouro_value list;
    size_t at[32], count = places(start, stop, step, at);
    char expected[65];
    ouro_value slice;
    list = list_of(SLICED);
    for (size_t i = 0; i < count; i++)
        expected[i] = (char)('0' + at[i]);
    expected[count] = 0;
    OK(ouro_list_slice(list, start, stop, step, &slice));
    CHECK_STR(digits(slice), expected);
    ouro_value_release(slice);
    check_dropped(list);
}

static void check_set_slice(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step)
{
    size_t at[32], count = places(start, stop, step, at);
    char expected[65] = "0123456";
    ouro_value list = list_of(SLICED), items[SLICED];
    for (size_t i = 0; i < count; i++) {
        expected[at[i]] = '9';
        items[i] = make(9);
    }
    OK(ouro_list_set_slice(list, start, stop, step, items, count));
    ouro_value_release_all(items, count);
    CHECK_STR(digits(list), expected);
    if (step != 1) {
        ouro_value more[2] = {OURO_TRUE, OURO_TRUE};
        CHECK_EQ(ouro_list_set_slice(list, start, stop, step, more, count == 2 ? 1 : 2), OURO_E_INVALID);
        CHECK_STR(digits(list), expected);
    }
    check_dropped(list);
}

static void check_delete_slice(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step)
{
    size_t at[32], count = places(start, stop, step, at), n = 0;
    char expected[65];
    ouro_value list = list_of(SLICED);
    for (size_t i = 0; i < SLICED; i++) {
        bool gone = false;
        for (size_t k = 0; k < count; k++)
            gone |= at[k] == i;
        if (!gone)
            expected[n++] = (char)('0' + i);
    }
    expected[n] = 0;
    long before = finalized();
    OK(ouro_list_delete_slice(list, start, stop, step));
    if (content != INTEGERS)
        CHECK_EQ(finalized() - before, (long)count);
    CHECK_STR(digits(list), expected);
    check_dropped(list);
}

static void slices(void)
{
    each_slice(check_slice);
    each_slice(check_set_slice);
    each_slice(check_delete_slice);
}

static void slices_of_other_lengths(void)
{
    ouro_value list = list_of(5), items[3] = {make(7), make(8), make(9)}, slice;
    OK(ouro_list_set_slice(list, 1, 3, 1, items, 3));
    CHECK_STR(digits(list), "078934");
    OK(ouro_list_set_slice(list, 4, 2, 1, items, 1)); /* an insertion */
    CHECK_STR(digits(list), "0789734");
    OK(ouro_list_set_slice(list, 0, 5, 1, NULL, 0));
    CHECK_STR(digits(list), "34");
    OK(ouro_list_set_slice(list, OURO_OMITTED, OURO_OMITTED, 1, items, 3));
    CHECK_STR(digits(list), "789");
    OK(ouro_list_set_slice(list, 99, 99, 1, items, 2)); /* at the end */
    CHECK_STR(digits(list), "78978");
    CHECK_EQ(ouro_list_set_slice(list, 0, 1, 0, items, 1), OURO_E_INVALID);
    CHECK_EQ(ouro_list_slice(list, 0, 1, 0, &slice), OURO_E_INVALID);
    CHECK_EQ(ouro_list_delete_slice(list, 0, 1, 0), OURO_E_INVALID);
    CHECK_STR(digits(list), "78978");
    OK(ouro_list_slice(list, PTRDIFF_MIN + 1, PTRDIFF_MAX, PTRDIFF_MAX, &slice));
    CHECK_STR(digits(slice), "7");
    ouro_value_release(slice);
    OK(ouro_list_slice(list, PTRDIFF_MAX, PTRDIFF_MIN + 1, PTRDIFF_MIN + 1, &slice));
    CHECK_STR(digits(slice), "8");
    ouro_value_release(slice);
    ouro_value_release_all(items, 3);
    ouro_value_release(list);
}

static void concat_repeat_reverse(void)
{
    ouro_value a = list_of(3), b = list_of(2), c;
    OK(ouro_list_concat(a, b, &c));
    CHECK_STR(digits(c), "01201");
    ouro_value_release(c);
    OK(ouro_list_concat(a, a, &c));
    CHECK_STR(digits(c), "012012");
    OK(ouro_list_reverse(c));
    CHECK_STR(digits(c), "210210");
    ouro_value_release(c);
    OK(ouro_list_repeat(a, 3, &c));
    CHECK_STR(digits(c), "012012012");
    ouro_value_release(c);
    OK(ouro_list_repeat(a, 0, &c));
    CHECK_EQ(length_of(c), 0);
    OK(ouro_list_reverse(c));
    ouro_value_release(c);
    CHECK_EQ(ouro_list_repeat(a, SIZE_MAX / 2, &c), OURO_E_NOMEM);
    CHECK_EQ(c, OURO_NIL);
    OK(ouro_list_reverse(a));
    CHECK_STR(digits(a), "210");
    check_dropped(a);
    check_dropped(b);
}

static void search(void)
{
    ouro_value list = list_new(), x = make(5), y = make(6);
    size_t at = 9, count = 9;
    for (int i = 0; i < 8; i++)
        OK(ouro_list_append(list, i % 3 == 1 ? x : i % 3 == 2 ? y : OURO_NIL)); /* nil x y nil x y nil x */
    OK(ouro_list_index(list, x, 0, OURO_OMITTED, &at));
    CHECK_EQ(at, 1);
    OK(ouro_list_index(list, x, 2, OURO_OMITTED, &at));
    CHECK_EQ(at, 4);
    OK(ouro_list_index(list, x, -1, OURO_OMITTED, &at));
    CHECK_EQ(at, 7);
    CHECK_EQ(ouro_list_index(list, x, 2, 4, &at), OURO_E_KEY);
    CHECK_EQ(at, 0);
    CHECK_EQ(ouro_list_index(list, OURO_TRUE, OURO_OMITTED, OURO_OMITTED, &at), OURO_E_KEY);
    OK(ouro_list_count(list, x, &count));
    CHECK_EQ(count, 3);
    OK(ouro_list_count(list, OURO_NIL, &count));
    CHECK_EQ(count, 3);
    OK(ouro_list_count(list, OURO_FALSE, &count));
    CHECK_EQ(count, 0);
    OK(ouro_list_remove(list, x));
    OK(ouro_list_index(list, x, 0, OURO_OMITTED, &at));
    CHECK_EQ(at, 3);
    CHECK_EQ(ouro_list_remove(list, OURO_TRUE), OURO_E_KEY);
    CHECK_EQ(length_of(list), 7);
    if (content != INTEGERS)
        CHECK_EQ(ouro_refcount(ouro_value_object(x)), 3);
    ouro_value_release(list);
    ouro_value_release(x);
    ouro_value_release(y);
}

/* ---- refusals ---- */

static void refusals(void)
{
    ouro_value list = list_of(1), v = OURO_TRUE, not_lists[] = {OURO_NIL, OURO_TRUE, ouro_int_new(3), ouro_value_of(leaf_new(1)), 3};
    size_t n = 7;
    bool done = true;
    for (size_t i = 0; i < sizeof not_lists / sizeof *not_lists; i++) {
        ouro_value x = not_lists[i];
        CHECK_EQ(ouro_list_length(x, &n), OURO_E_TYPE);
        CHECK_EQ(n, 0);
        CHECK_EQ(ouro_list_get(x, 0, &v), OURO_E_TYPE);
        CHECK_EQ(v, OURO_NIL);
        CHECK_EQ(ouro_list_set(x, 0, x), OURO_E_TYPE);
        CHECK_EQ(ouro_list_swap(x, 0, x, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_list_compare_set(x, 0, x, x, &done), OURO_E_TYPE);
        CHECK(!done);
        CHECK_EQ(ouro_list_append(x, x), OURO_E_TYPE);
        CHECK_EQ(ouro_list_append_all(x, &x, 1), OURO_E_TYPE);
        CHECK_EQ(ouro_list_insert(x, 0, x), OURO_E_TYPE);
        CHECK_EQ(ouro_list_pop(x, 0, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_list_delete(x, 0), OURO_E_TYPE);
        CHECK_EQ(ouro_list_remove(x, x), OURO_E_TYPE);
        CHECK_EQ(ouro_list_clear(x), OURO_E_TYPE);
        CHECK_EQ(ouro_list_index(x, x, 0, 1, &n), OURO_E_TYPE);
        CHECK_EQ(ouro_list_count(x, x, &n), OURO_E_TYPE);
        CHECK_EQ(ouro_list_get_range(x, 0, &v, 1, &n), OURO_E_TYPE);
        CHECK_EQ(ouro_list_slice(x, 0, 1, 1, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_list_set_slice(x, 0, 1, 1, &x, 1), OURO_E_TYPE);
        CHECK_EQ(ouro_list_set_slice(x, 0, 1, 2, &x, 1), OURO_E_TYPE);
        CHECK_EQ(ouro_list_delete_slice(x, 0, 1, 1), OURO_E_TYPE);
        CHECK_EQ(ouro_list_delete_slice(x, 0, 1, 2), OURO_E_TYPE);
        CHECK_EQ(ouro_list_concat(x, list, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_list_concat(list, x, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_list_repeat(x, 1, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_list_reverse(x), OURO_E_TYPE);
        CHECK_EQ(ouro_list_sort(x, false), OURO_E_TYPE);
    }
    CHECK_EQ(ouro_list_length(list, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_get(list, 0, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_swap(list, 0, OURO_NIL, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_compare_set(list, 0, OURO_NIL, OURO_NIL, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_append_all(list, NULL, 1), OURO_E_INVALID);
    CHECK_EQ(ouro_list_set_slice(list, 0, 1, 1, NULL, 1), OURO_E_INVALID);
    CHECK_EQ(ouro_list_set_slice(list, 0, 1, 2, NULL, 1), OURO_E_INVALID);
    CHECK_EQ(ouro_list_index(list, OURO_NIL, 0, 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_count(list, OURO_NIL, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_get_range(list, 0, NULL, 1, &n), OURO_E_INVALID);
    CHECK_EQ(ouro_list_get_range(list, 0, &v, 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_slice(list, 0, 1, 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_concat(list, list, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_repeat(list, 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_from(NULL, 1, &v), OURO_E_INVALID);
    CHECK_EQ(ouro_list_from(NULL, 0, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_new_with_room(1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_list_new_with_room(SIZE_MAX, &v), OURO_E_NOMEM);
    CHECK_EQ(ouro_list_new_with_room(SIZE_MAX / 8, &v), OURO_E_NOMEM);
    CHECK_EQ(length_of(list), 1);
    ouro_value_release(not_lists[3]);
    check_dropped(list);
}

static void *use_foreign(void *arg)
{
    ouro_value list = *(ouro_value *)arg, v, mine = ouro_list_new();
    size_t n;
    CHECK_EQ(ouro_list_length(list, &n), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_length", "list", ouro_value_object(list));
    CHECK_EQ(ouro_list_get(list, 0, &v), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_get", "list", ouro_value_object(list));
    CHECK_EQ(ouro_list_append(list, OURO_TRUE), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_append", "list", ouro_value_object(list));
    CHECK_EQ(ouro_list_clear(list), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_clear", "list", ouro_value_object(list));
    /* To be stored. */
    CHECK_EQ(ouro_list_append(mine, list), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_append", "list", ouro_value_object(list));
    CHECK_EQ(ouro_list_from(&list, 1, &v), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_from", "list", ouro_value_object(list));
    OK(ouro_list_append(mine, OURO_TRUE));
    CHECK_EQ(ouro_list_set(mine, 0, list), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_set", "list", ouro_value_object(list));
    ouro_value_share(mine);
    CHECK_EQ(ouro_list_compare_set(mine, 0, OURO_TRUE, list, &(bool){false}), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_compare_set", "list", ouro_value_object(list));
    CHECK_EQ(ouro_list_set_slice(mine, 0, 1, 2, &list, 1), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_list_set_slice", "list", ouro_value_object(list));
    CHECK_EQ(length_of(mine), 1);
    ouro_value_release(mine);
    return NULL;
}

static void foreign(void)
{
    ouro_value list = ouro_list_new();
    thread_join_running(thread_start(use_foreign, &list, 0));
    ouro_value_release(list);
}

/* ---- sharing ---- */

static void storing_publishes(void)
{
    ouro_value outer = ouro_list_new(), inner = ouro_list_new();
    struct leaf *l = leaf_new(1), *other = leaf_new(2);
    OK(ouro_list_append(inner, ouro_value_of(l)));
    ouro_value_share(outer);
    OK(ouro_list_append(outer, inner)); /* and with it what it has */
    OK(ouro_list_append(inner, ouro_value_of(other)));
    CHECK_EQ(ouro_refcount(l), 2);
    CHECK_STR(digits(inner), "12");
    ouro_value_release(inner);
    ouro_release(l);
    ouro_release(other);
    long before = finalized();
    ouro_value_release(outer);
    CHECK_EQ(finalized() - before, 2);
}

static void lists_in_themselves(void)
{
    for (int shared = 0; shared < 2; shared++) {
        size_t live = live_objects();
        ouro_value list = ouro_list_new(), inner = ouro_list_new();
        if (shared)
            ouro_value_share(list);
        for (int i = 0; i < 40; i++)
            OK(ouro_list_append(list, list));
        OK(ouro_list_append(list, inner));
        OK(ouro_list_append(inner, list));
        OK(ouro_list_insert(list, 3, list));
        OK(ouro_list_reverse(list));
        size_t count = 0;
        OK(ouro_list_count(list, list, &count));
        CHECK_EQ(count, 41);
        ouro_value_release(list);
        ouro_value_release(inner);
        CHECK_GE(ouro_gc_collect(2), shared ? 2 : 2);
        CHECK_LIVE(live);
    }
}

/* ---- finalizers that use the list that drops them ---- */

static ouro_value seen_list;
static size_t seen_length;

static void use_list(void *object)
{
    (void)object;
    OK(ouro_list_length(seen_list, &seen_length));
    ouro_value first;
    if (ouro_list_get(seen_list, 0, &first) == OURO_OK)
        ouro_value_release(first);
    OK(ouro_list_append(seen_list, OURO_TRUE)); /* the turn is over, else this would wait for ever */
}

static void finalizers_use_the_list(void)
{
    if (content == INTEGERS)
        return;
    seen_list = list_of(8);
    on_finalize(use_list);
    OK(ouro_list_set(seen_list, 0, OURO_FALSE));
    CHECK_EQ(seen_length, 8);
    OK(ouro_list_pop(seen_list, 1, NULL));
    CHECK_EQ(seen_length, 8); /* 7, and the one that the first finalizer appended */
    OK(ouro_list_delete_slice(seen_list, 1, 4, 1));
    CHECK_EQ(length_of(seen_list), 6 + 3);
    OK(ouro_list_delete_slice(seen_list, 1, 4, 2));
    OK(ouro_list_clear(seen_list));
    CHECK_EQ(length_of(seen_list), 1);
    on_finalize(NULL);
    ouro_value_release(seen_list);
}

/* ---- against an array ---- */

enum { MODEL_MAX = 300 };

struct model {
    long ids[MODEL_MAX];
    size_t length;
};

static void model_splice(struct model *m, size_t at, size_t gone, const long *ids, size_t count)
{
    memmove(m->ids + at + count, m->ids + at + gone, (m->length - at - gone) * sizeof *m->ids);
    for (size_t i = 0; i < count; i++)
        m->ids[at + i] = ids[i];
    m->length += count - gone;
}

static void check_against(ouro_value list, const struct model *m)
{
    ouro_value items[MODEL_MAX];
    size_t count = 0;
    OK(ouro_list_get_range(list, 0, items, MODEL_MAX, &count));
    CHECK_EQ(count, m->length);
    for (size_t i = 0; i < count && i < m->length; i++) {
        if (!CHECK_EQ(id_of(items[i]), m->ids[i]))
            break;
    }
    ouro_value_release_all(items, count);
}

static void random_step(struct rng *rng, ouro_value list, struct model *m, long *next)
{
    long ids[8];
    ouro_value items[8], v = OURO_NIL;
    size_t n = m->length, at = rng_below(rng, (uint32_t)n + 1), k = rng_below(rng, 8), gone = rng_below(rng, (uint32_t)(n - at) + 1);
    for (size_t i = 0; i < k; i++) {
        ids[i] = (*next)++;
        items[i] = make(ids[i]);
    }
    switch (rng_below(rng, 11)) {
    case 0: /* more than it shrinks */
    case 1:
        if (n + k <= MODEL_MAX) {
            OK(ouro_list_append_all(list, items, k));
            model_splice(m, n, 0, ids, k);
        }
        break;
    case 2:
        if (k && n < MODEL_MAX) {
            OK(ouro_list_insert(list, (ptrdiff_t)at, items[0]));
            model_splice(m, at, 0, ids, 1);
        }
        break;
    case 3:
        CHECK_EQ(ouro_list_pop(list, (ptrdiff_t)at, &v), at < n ? OURO_OK : OURO_E_INDEX);
        if (at < n) {
            CHECK_EQ(id_of(v), m->ids[at]);
            model_splice(m, at, 1, NULL, 0);
        }
        break;
    case 4:
        CHECK_EQ(ouro_list_pop(list, -1, &v), n ? OURO_OK : OURO_E_INDEX);
        if (n) {
            CHECK_EQ(id_of(v), m->ids[n - 1]);
            m->length--;
        }
        break;
    case 5:
        if (k && at < n) {
            OK(ouro_list_set(list, (ptrdiff_t)at, items[0]));
            m->ids[at] = ids[0];
        }
        break;
    case 6:
        if (n - gone + k <= MODEL_MAX) {
            OK(ouro_list_set_slice(list, (ptrdiff_t)at, (ptrdiff_t)(at + gone), 1, items, k));
            model_splice(m, at, gone, ids, k);
        }
        break;
    case 7:
        OK(ouro_list_delete_slice(list, (ptrdiff_t)at, (ptrdiff_t)(at + gone), 1));
        model_splice(m, at, gone, NULL, 0);
        break;
    case 8:
        OK(ouro_list_delete_slice(list, (ptrdiff_t)at, OURO_OMITTED, 3));
        for (size_t i = at, kept = at; i < n; i++) {
            if ((i - at) % 3)
                m->ids[kept++] = m->ids[i];
            else
                m->length--;
        }
        break;
    case 9:
        OK(ouro_list_reverse(list));
        for (size_t i = 0; i < n / 2; i++) {
            long id = m->ids[i];
            m->ids[i] = m->ids[n - 1 - i];
            m->ids[n - 1 - i] = id;
        }
        break;
    default:
        if (rng_one_in(rng, 20)) {
            OK(ouro_list_clear(list));
            m->length = 0;
        }
    }
    ouro_value_release(v);
    ouro_value_release_all(items, k);
}

static void random_steps(void)
{
    struct rng rng = rng_stream(seed, (uint64_t)content * 2 + list_shared);
    struct model m = {.length = 0};
    ouro_value list = list_new();
    long next = 0, before = finalized();
    for (int i = 0; i < SCALED(30000); i++) {
        random_step(&rng, list, &m, &next);
        if (i % 16 == 0)
            check_against(list, &m);
        if (i % 1000 == 0)
            CHECK_GE(ouro_gc_collect(2), 0);
    }
    if (content != INTEGERS)
        CHECK_EQ(finalized() - before, next - (long)m.length); /* what is not in it is gone */
    check_dropped(list);
    if (content != INTEGERS)
        CHECK_EQ(finalized() - before, next);
}

/* ---- sorting ---- */

static int by_number(const void *a, const void *b)
{
    int64_t x = ouro_int_value(*(const ouro_value *)a), y = ouro_int_value(*(const ouro_value *)b);
    return (x > y) - (x < y);
}

static void sorting(void)
{
    struct rng rng = rng_stream(seed, 99);
    for (uint32_t n = 0; n < 200; n += 1 + n / 8) {
        for (int descending = 0; descending < 2; descending++) {
            ouro_value items[200], got[200], list = list_new();
            size_t count;
            for (uint32_t i = 0; i < n; i++)
                items[i] = ouro_int_new((int64_t)rng_below(&rng, n) - 5);
            OK(ouro_list_append_all(list, items, n));
            OK(ouro_list_sort(list, descending));
            qsort(items, n, sizeof *items, by_number);
            OK(ouro_list_get_range(list, 0, got, 200, &count));
            CHECK_EQ(count, n);
            for (uint32_t i = 0; i < n; i++)
                CHECK_EQ(ouro_int_value(got[i]), ouro_int_value(items[descending ? n - 1 - i : i]));
            ouro_value_release(list);
        }
    }
    ouro_value list = list_of(2);
    OK(ouro_list_append(list, OURO_NIL));
    CHECK_EQ(ouro_list_sort(list, false), OURO_E_TYPE);
    CHECK_EQ(length_of(list), 3);
    ouro_value_release(list);
}

/* ---- sizes ---- */

static size_t live_bytes(void)
{
    live_objects(); /* what waits is gone */
    return mem_stats().live_bytes;
}

/* sys.getsizeof of CPython 3.11's lists, without the elements: made of n elements at once, and grown to n by appending. */
static void sizes(void)
{
    static const struct {
        size_t count, at_once, grown;
    } cpython[] = {{0, 56, 56}, {1, 64, 88}, {8, 120, 120}, {1000, 8056, 8856}, {100000, 800056, 800984}};
    static ouro_value items[100000];
    for (size_t i = 0; i < 100000; i++)
        items[i] = ouro_int_new((int64_t)i);
    ouro_value_release(ouro_list_new()); /* the page is there */
    for (size_t i = 0; i < sizeof cpython / sizeof *cpython; i++) {
        size_t before = live_bytes();
        ouro_value list;
        OK(ouro_list_from(items, cpython[i].count, &list));
        size_t at_once = live_bytes() - before;
        /* Blocks are of size classes: at most an eighth, or 8 bytes, above what is asked for. */
        CHECK_LE(at_once, cpython[i].at_once + cpython[i].at_once / 8);
        if (cpython[i].count <= 8)
            CHECK_LE(at_once, cpython[i].at_once);
        ouro_value_release(list);
        before = live_bytes();
        list = ouro_list_new();
        for (size_t k = 0; k < cpython[i].count; k++)
            OK(ouro_list_append(list, items[k]));
        size_t grown = live_bytes() - before;
        CHECK_LE(grown, 32 + 24 + (cpython[i].count + cpython[i].count / 8 + 4) * 8 * 9 / 8 + (cpython[i].count > 8000 ? 65536 : 0));
        printf("list of %zu: %zu bytes made at once (CPython %zu), %zu grown (%zu)\n", cpython[i].count, at_once, cpython[i].at_once, grown,
               cpython[i].grown);
        while (length_of(list))
            OK(ouro_list_pop(list, -1, NULL));
        CHECK_LE(live_bytes() - before, 32 + 24 + 16 * 8 * 9 / 8); /* popping gives memory back */
        ouro_value_release(list);
    }
}

/* ---- lack of memory: what fails says so, and leaves the list as it was ---- */

enum { STARVED = 21 };
static ouro_value starved_list; /* 20 integers and a leaf */
static struct leaf *starved_leaf;
static bool starved_shared;

/* Each: the status of one operation that adds `more` elements if it succeeds. */
static ouro_status append_many(long *more)
{
    ouro_value items[50];
    for (int i = 0; i < 50; i++)
        items[i] = ouro_value_of(starved_leaf);
    *more = 50;
    return ouro_list_append_all(starved_list, items, 50);
}

static ouro_status append_until_full(long *more)
{
    ouro_status status = OURO_OK;
    for (*more = 0; status == OURO_OK && *more < 1000; *more += status == OURO_OK)
        status = ouro_list_append(starved_list, OURO_TRUE);
    for (long i = 0; status != OURO_OK && i < *more; i++)
        OK(ouro_list_pop(starved_list, -1, NULL));
    return status;
}

static ouro_status insert_many(long *more)
{
    ouro_value items[50];
    for (int i = 0; i < 50; i++)
        items[i] = ouro_value_of(starved_leaf);
    *more = 50;
    return ouro_list_set_slice(starved_list, 3, 3, 1, items, 50);
}

static ouro_status delete_some(long *more)
{
    *more = -7;
    return ouro_list_delete_slice(starved_list, 2, 9, 1);
}

static ouro_status delete_steps(long *more)
{
    *more = -4;
    return ouro_list_delete_slice(starved_list, 2, 9, 2);
}

static ouro_status reverse_twice(long *more)
{
    *more = 0;
    ouro_status status = ouro_list_reverse(starved_list);
    return status == OURO_OK ? ouro_list_reverse(starved_list) : status;
}

static ouro_status make_slice(long *more)
{
    ouro_value slice = OURO_TRUE;
    *more = 0;
    ouro_status status = ouro_list_slice(starved_list, 0, OURO_OMITTED, 1, &slice);
    CHECK(status == OURO_OK ? length_of(slice) == STARVED : slice == OURO_NIL);
    ouro_value_release(slice);
    return status;
}

static ouro_status make_list(long *more)
{
    ouro_value items[3] = {OURO_TRUE, ouro_value_of(starved_leaf), OURO_NIL}, list = OURO_TRUE;
    *more = 0;
    ouro_status status = ouro_list_from(items, 3, &list);
    CHECK(status == OURO_OK ? length_of(list) == 3 : list == OURO_NIL);
    ouro_value_release(list);
    return status;
}

static ouro_status sort_list(long *more)
{
    ouro_value last;
    *more = 0;
    OK(ouro_list_swap(starved_list, -1, ouro_int_new(99), &last));
    ouro_status status = ouro_list_sort(starved_list, false); /* it is sorted */
    OK(ouro_list_set(starved_list, -1, last));
    ouro_value_release(last);
    return status;
}

/* Shared lists only: a private one needs no memory for these. */
static ouro_status insert_one(long *more)
{
    *more = 1;
    return starved_shared ? ouro_list_insert(starved_list, 3, ouro_value_of(starved_leaf)) : OURO_E_NOMEM;
}

static ouro_status delete_one(long *more)
{
    *more = -1;
    return starved_shared ? ouro_list_delete(starved_list, 3) : OURO_E_NOMEM;
}

static ouro_status (*starving)(long *more);

static void check_starved(void)
{
    ouro_value items[STARVED + 1];
    size_t count;
    OK(ouro_list_get_range(starved_list, 0, items, STARVED + 1, &count));
    CHECK_EQ(count, STARVED);
    for (size_t i = 0; i < STARVED - 1; i++)
        CHECK_EQ(items[i], ouro_int_new((int64_t)i));
    CHECK_EQ(items[STARVED - 1], ouro_value_of(starved_leaf));
    ouro_value_release_all(items, count);
    CHECK_EQ(ouro_refcount(starved_leaf), 2);
}

/* Fills the thread's pages, so that what comes next has to ask for memory. */
static void exhaust(void **kept, size_t *count, size_t max)
{
    *count = 0;
    for (size_t size = 0; size < 200 && *count < max; size++) {
        for (void *p; *count < max && (p = ouro_new_array(&table_type, size));)
            kept[(*count)++] = p;
    }
}

static void starve(void *arg)
{
    enum { KEPT = 100000 };
    static void *kept[KEPT];
    size_t count;
    long more = 0;
    starved_shared = arg != NULL;
    fixture_start();
    starved_list = ouro_list_new();
    starved_leaf = leaf_new(5);
    for (int i = 0; i < STARVED - 1; i++)
        OK(ouro_list_append(starved_list, ouro_int_new(i)));
    OK(ouro_list_append(starved_list, ouro_value_of(starved_leaf)));
    if (starved_shared)
        ouro_value_share(starved_list);
    OK(ouro_mem_set_limit(0, 1)); /* no page more */
    exhaust(kept, &count, KEPT);
    REQUIRE(count < KEPT);
    if (starving != reverse_twice || starved_shared)
        CHECK_EQ(starving(&more), OURO_E_NOMEM);
    check_starved();
    OK(ouro_mem_set_limit(0, 0));
    while (count)
        ouro_release(kept[--count]);
    if (starved_shared || (starving != insert_one && starving != delete_one)) {
        OK(starving(&more)); /* and now there is some */
        CHECK_EQ(length_of(starved_list), STARVED + more);
    }
    OK(ouro_mem_set_limit(0, 1));
    while (length_of(starved_list))
        OK(ouro_list_pop(starved_list, -1, NULL)); /* needs none */
    ouro_value_release(starved_list);
    CHECK_EQ(ouro_refcount(starved_leaf), 1);
    ouro_release(starved_leaf);
    CHECK_LIVE(0);
}

static void lack_of_memory(void)
{
    static ouro_status (*const all[])(long *) = {append_many, append_until_full, insert_many, delete_some, delete_steps, reverse_twice,
                                                 make_slice, make_list, sort_list, insert_one, delete_one};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        starving = all[i];
        CHECK_EQ(child_run(starve, NULL), 0);
        CHECK_EQ(child_run(starve, &starving), 0);
    }
}

#define ALL(test)              \
    static void all_##test(void) \
    {                          \
        in_all_combinations(test); \
    }
ALL(get_and_append)
ALL(set_and_swap)
ALL(insert_and_pop)
ALL(from_items)
ALL(clear)
ALL(get_range)
ALL(slices)
ALL(slices_of_other_lengths)
ALL(concat_repeat_reverse)
ALL(search)
ALL(refusals)
ALL(finalizers_use_the_list)
ALL(random_steps)
ALL(sorting)

int main(void)
{
    check_start("value_list_test");
    seed = rng_seed();
    CHECK_RUN(lack_of_memory); /* in children of a process without a runtime */
    fixture_start();
    ouro_value_release(ouro_list_new());
    FIXTURE_RUN(all_get_and_append);
    FIXTURE_RUN(all_set_and_swap);
    FIXTURE_RUN(all_insert_and_pop);
    FIXTURE_RUN(all_from_items);
    FIXTURE_RUN(all_clear);
    FIXTURE_RUN(all_get_range);
    FIXTURE_RUN(all_slices);
    FIXTURE_RUN(all_slices_of_other_lengths);
    FIXTURE_RUN(all_concat_repeat_reverse);
    FIXTURE_RUN(all_search);
    FIXTURE_RUN(all_refusals);
    FIXTURE_RUN(foreign);
    FIXTURE_RUN(storing_publishes);
    FIXTURE_RUN(lists_in_themselves);
    FIXTURE_RUN(all_finalizers_use_the_list);
    FIXTURE_RUN(all_random_steps);
    FIXTURE_RUN(all_sorting);
    FIXTURE_RUN(sizes);
    return check_finish();
}
