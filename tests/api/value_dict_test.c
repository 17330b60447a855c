/* SPDX-License-Identifier: MIT
 *
 * Dicts: what each function does and refuses, on private and on shared dicts, with keys of all kinds; against an array that has the same
 * done to it; order; what is counted; hosts' keys that collide, fail, and work on the dict while they are compared; sizes; lack of
 * memory. */
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
static bool dict_shared;
static enum { INTEGERS, STRINGS, FLOATS, TUPLES, HOSTS, OBJECTS, KINDS } kind;

static void in_all_combinations(void (*test)(void))
{
    for (int i = 0; i < 2 * KINDS; i++) {
        dict_shared = i & 1;
        kind = (i >> 1);
        test();
    }
}

/* ---- keys: each call makes a new one that equals the others of that number ---- */

static long hashed, compared, disposed;
static ouro_status host_fails = OURO_OK;
static void (*while_comparing)(void);

static ouro_status host_hash(uint64_t handle, uint64_t *hash)
{
    hashed++;
    *hash = handle % 7; /* collides */
    return host_fails;
}

static ouro_status host_equal(uint64_t a, uint64_t b, bool *equal)
{
    compared++;
    if (while_comparing)
        while_comparing();
    *equal = a == b;
    return host_fails;
}

static void host_dispose(uint64_t handle)
{
    (void)handle;
    disposed++;
}

static const ouro_host_class host_class = {.size = sizeof host_class, .name = "key", .dispose = host_dispose, .hash = host_hash, .equal = host_equal};

enum { OBJECTS_MAX = 400 };
static ouro_value objects[OBJECTS_MAX]; /* keys by identity: there is one of each number */

static ouro_value key_of(long n)
{
    char text[32];
    ouro_value key = OURO_NIL, parts[2];
    switch (kind) {
    case INTEGERS:
        return ouro_int_new(n);
    case STRINGS:
        snprintf(text, sizeof text, "key %ld", n);
        OK(ouro_string_from(text, &key));
        break;
    case FLOATS:
        key = n % 2 ? ouro_float_new((double)n) : ouro_int_new(n); /* equal to the integer, which is found by either */
        break;
    case TUPLES:
        parts[0] = ouro_int_new(n % 5);
        snprintf(text, sizeof text, "%ld", n);
        OK(ouro_string_from(text, &parts[1]));
        OK(ouro_tuple_new(parts, 2, &key));
        ouro_value_release(parts[1]);
        break;
    case HOSTS:
        OK(ouro_host_new(&host_class, (uint64_t)n, 0, &key));
        break;
    default:
        if (!objects[n])
            objects[n] = ouro_value_of(leaf_new(n));
        key = ouro_value_retain(objects[n]);
    }
    REQUIRE(!ouro_is_nil(key));
    return key;
}

static void drop_objects(void)
{
    for (size_t i = 0; i < OBJECTS_MAX; i++) {
        ouro_value_release(objects[i]);
        objects[i] = OURO_NIL;
    }
}

static ouro_value dict_new(void)
{
    ouro_value dict = ouro_dict_new();
    REQUIRE(ouro_is_object(dict));
    if (dict_shared)
        ouro_value_share(dict);
    return dict;
}

static void set(ouro_value dict, long n, long value)
{
    ouro_value key = key_of(n);
    OK(ouro_dict_set(dict, key, ouro_int_new(value)));
    ouro_value_release(key);
}

static ouro_value dict_of(long count)
{
    ouro_value dict = dict_new();
    for (long i = 0; i < count; i++)
        set(dict, i, 1000 + i);
    return dict;
}

static size_t length_of(ouro_value dict)
{
    size_t length = 99;
    OK(ouro_dict_length(dict, &length));
    return length;
}

/* The value of a key; -1: it has none. */
static long value_of(ouro_value dict, long n)
{
    ouro_value key = key_of(n), value = OURO_TRUE;
    bool has = false;
    ouro_status status = ouro_dict_get(dict, key, &value);
    CHECK(status == OURO_OK || (status == OURO_E_KEY && value == OURO_NIL));
    OK(ouro_dict_has(dict, key, &has));
    CHECK_EQ(has, status == OURO_OK);
    ouro_value_release(key);
    return status == OURO_OK ? (long)ouro_int_value(value) : -1;
}

/* Which number a key has. */
static long number_of(ouro_value key)
{
    ouro_value part;
    long n = -1;
    switch (ouro_kind_of(key)) {
    case OURO_KIND_INT:
        return (long)ouro_int_value(key);
    case OURO_KIND_FLOAT:
        return (long)ouro_float_value(key);
    case OURO_KIND_STRING:
        return atol(ouro_string_data(key, NULL) + 4);
    case OURO_KIND_TUPLE:
        OK(ouro_tuple_get(key, 1, &part));
        n = atol(ouro_string_data(part, NULL));
        ouro_value_release(part);
        return n;
    case OURO_KIND_HOST:
        return (long)ouro_host_handle(key);
    default:
        return ((struct leaf *)ouro_value_object(key))->id;
    }
}

/* Takes everything out from the front, and checks keys and values; ends with -1. */
static void check_drained(ouro_value dict, const long *keys, const long *values)
{
    ouro_value key, value;
    for (; *keys >= 0; keys++, values++) {
        if (!CHECK_EQ(ouro_dict_pop_item(dict, true, &key, &value), OURO_OK))
            return;
        CHECK_EQ(number_of(key), *keys);
        CHECK_EQ(ouro_int_value(value), *values);
        ouro_value_release(key);
    }
    CHECK_EQ(ouro_dict_pop_item(dict, true, &key, &value), OURO_E_KEY);
    CHECK_EQ(key, OURO_NIL);
    CHECK_EQ(value, OURO_NIL);
}

#define DRAINED(dict, ...) check_drained(dict, (const long[]){__VA_ARGS__, -1}, (const long[]){__VA_ARGS__, -1})

/* ---- the functions ---- */

static void set_and_get(void)
{
    ouro_value dict = dict_new();
    CHECK_EQ(length_of(dict), 0);
    CHECK_EQ(value_of(dict, 1), -1);
    for (long i = 0; i < 300; i++) {
        set(dict, i, i);
        CHECK_EQ(length_of(dict), (size_t)i + 1);
        CHECK_EQ(value_of(dict, i), i);
        CHECK_EQ(value_of(dict, i + 1), -1);
        CHECK_EQ(value_of(dict, i / 2), i / 2);
    }
    for (long i = 0; i < 300; i += 3)
        set(dict, i, -i);
    CHECK_EQ(length_of(dict), 300);
    for (long i = 0; i < 300; i++)
        CHECK_EQ(value_of(dict, i), i % 3 ? i : -i);
    ouro_value_release(dict);
    drop_objects();
}

static void order(void)
{
    ouro_value dict = dict_of(6), key, value;
    set(dict, 2, 7); /* keeps its place */
    ouro_value three = key_of(3);
    OK(ouro_dict_delete(dict, three));
    set(dict, 3, 8); /* comes in anew */
    OK(ouro_dict_pop_item(dict, false, &key, &value));
    CHECK_EQ(number_of(key), 3);
    CHECK_EQ(ouro_int_value(value), 8);
    ouro_value_release(key);
    ouro_value_release(three);
    OK(ouro_dict_pop_item(dict, false, &key, &value));
    CHECK_EQ(number_of(key), 5);
    ouro_value_release(key);
    check_drained(dict, (const long[]){0, 1, 2, 4, -1}, (const long[]){1000, 1001, 7, 1004, -1});
    CHECK_EQ(length_of(dict), 0);
    set(dict, 9, 9);
    DRAINED(dict, 9);
    ouro_value_release(dict);
    drop_objects();
}

static void pop_and_delete(void)
{
    ouro_value dict = dict_of(20), value = OURO_TRUE;
    for (long i = 0; i < 20; i += 2) {
        ouro_value key = key_of(i);
        if (i % 4) {
            OK(ouro_dict_delete(dict, key));
        } else {
            OK(ouro_dict_pop(dict, key, &value));
            CHECK_EQ(ouro_int_value(value), 1000 + i);
        }
        CHECK_EQ(ouro_dict_delete(dict, key), OURO_E_KEY);
        CHECK_EQ(ouro_dict_pop(dict, key, &value), OURO_E_KEY);
        CHECK_EQ(value, OURO_NIL);
        ouro_value_release(key);
    }
    CHECK_EQ(length_of(dict), 10);
    for (long i = 0; i < 20; i++)
        CHECK_EQ(value_of(dict, i), i % 2 ? 1000 + i : -1);
    for (long i = 1; i < 20; i += 2) {
        ouro_value key = key_of(i);
        OK(ouro_dict_pop(dict, key, NULL));
        ouro_value_release(key);
    }
    CHECK_EQ(length_of(dict), 0);
    ouro_value_release(dict);
    drop_objects();
}

static void other_ways(void)
{
    ouro_value dict = dict_of(3), one = key_of(1), nine = key_of(9), value = OURO_TRUE;
    bool was = false, done = true;
    OK(ouro_dict_swap(dict, one, ouro_int_new(5), &was, &value));
    CHECK(was);
    CHECK_EQ(ouro_int_value(value), 1001);
    OK(ouro_dict_swap(dict, nine, ouro_int_new(6), &was, &value));
    CHECK(!was);
    CHECK_EQ(value, OURO_NIL);
    OK(ouro_dict_swap(dict, nine, ouro_int_new(9), NULL, &value));
    CHECK_EQ(ouro_int_value(value), 6);
    OK(ouro_dict_setdefault(dict, nine, ouro_int_new(7), &value));
    CHECK_EQ(ouro_int_value(value), 9);
    OK(ouro_dict_delete(dict, nine));
    OK(ouro_dict_setdefault(dict, nine, ouro_int_new(7), &value));
    CHECK_EQ(ouro_int_value(value), 7);
    CHECK_EQ(value_of(dict, 9), 7);
    OK(ouro_dict_compare_set(dict, nine, ouro_int_new(8), ouro_int_new(9), &done));
    CHECK(!done);
    OK(ouro_dict_compare_set(dict, nine, ouro_int_new(7), ouro_int_new(9), &done));
    CHECK(done);
    CHECK_EQ(value_of(dict, 9), 9);
    OK(ouro_dict_delete(dict, nine));
    CHECK_EQ(ouro_dict_compare_set(dict, nine, ouro_int_new(9), ouro_int_new(1), &done), OURO_E_KEY);
    CHECK(!done);
    OK(ouro_dict_get_or(dict, nine, ouro_int_new(44), &value));
    CHECK_EQ(ouro_int_value(value), 44);
    OK(ouro_dict_get_or(dict, one, ouro_int_new(44), &value));
    CHECK_EQ(ouro_int_value(value), 5);
    OK(ouro_dict_clear(dict));
    CHECK_EQ(length_of(dict), 0);
    CHECK_EQ(value_of(dict, 1), -1);
    OK(ouro_dict_clear(dict));
    set(dict, 1, 1);
    DRAINED(dict, 1);
    ouro_value_release(dict);
    ouro_value_release(one);
    ouro_value_release(nine);
    drop_objects();
}

static void many_at_once(void)
{
    enum { N = 40 };
    ouro_value keys[N], values[N], dict, other;
    for (long i = 0; i < N; i++) {
        keys[i] = key_of(i % 30); /* later ones win */
        values[i] = ouro_int_new(i);
    }
    OK(ouro_dict_from(keys, values, N, &dict));
    CHECK_EQ(length_of(dict), 30);
    for (long i = 0; i < 30; i++)
        CHECK_EQ(value_of(dict, i), i < 10 ? i + 30 : i);
    other = dict_of(35);
    OK(ouro_dict_set_all(other, keys, values, N));
    CHECK_EQ(length_of(other), 35);
    for (long i = 0; i < 35; i++)
        CHECK_EQ(value_of(other, i), i < 10 ? i + 30 : i < 30 ? i : 1000 + i);
    set(dict, 50, 5);
    OK(ouro_dict_update(other, dict));
    CHECK_EQ(length_of(other), 36);
    CHECK_EQ(value_of(other, 50), 5);
    OK(ouro_dict_update(other, other));
    CHECK_EQ(length_of(other), 36);
    OK(ouro_dict_set_all(other, keys, values, 1));
    OK(ouro_dict_set_all(other, NULL, NULL, 0));
    CHECK_EQ(value_of(other, 0), 0);
    ouro_value copy;
    OK(ouro_copy(other, &copy));
    bool equal = false;
    OK(ouro_equal(copy, other, &equal));
    CHECK(equal);
    set(copy, 51, 1);
    OK(ouro_equal(copy, other, &equal));
    CHECK(!equal);
    CHECK_EQ(length_of(other), 36);
    ouro_value_release(copy);
    OK(ouro_dict_from(NULL, NULL, 0, &copy));
    CHECK_EQ(length_of(copy), 0);
    OK(ouro_dict_update(copy, other));
    CHECK_EQ(length_of(copy), 36);
    ouro_value_release(copy);
    OK(ouro_dict_new_with_room(100, &copy));
    OK(ouro_dict_set_all(copy, keys, values, N));
    CHECK_EQ(length_of(copy), 30);
    ouro_value_release(copy);
    ouro_value_release_all(keys, N);
    ouro_value_release(dict);
    ouro_value_release(other);
    drop_objects();
}

/* What goes in is held once, what comes out is let go. */
static void counting(void)
{
    struct leaf *k = leaf_new(1), *v = leaf_new(2), *w = leaf_new(3);
    ouro_value dict = dict_new(), got, key = ouro_value_of(k), keys[2] = {key, key}, values[2] = {ouro_value_of(v), ouro_value_of(w)};
    OK(ouro_dict_set(dict, key, ouro_value_of(v)));
    CHECK_EQ(ouro_refcount(k), 2);
    CHECK_EQ(ouro_refcount(v), 2);
    OK(ouro_dict_set(dict, key, ouro_value_of(w)));
    CHECK_EQ(ouro_refcount(k), 2);
    CHECK_EQ(ouro_refcount(v), 1);
    OK(ouro_dict_get(dict, key, &got));
    CHECK_EQ(ouro_refcount(w), 3);
    ouro_value_release(got);
    for (int i = 0; i < 50; i++) /* through several stores */
        OK(ouro_dict_set(dict, ouro_int_new(i), key));
    CHECK_EQ(ouro_refcount(k), 52);
    CHECK_EQ(ouro_refcount(w), 2);
    OK(ouro_dict_set_all(dict, keys, values, 2));
    CHECK_EQ(ouro_refcount(k), 52);
    CHECK_EQ(ouro_refcount(v), 1);
    CHECK_EQ(ouro_refcount(w), 2);
    keys[0] = ouro_int_new(7);
    OK(ouro_dict_set_all(dict, keys, values, 2));
    CHECK_EQ(ouro_refcount(k), 51);
    CHECK_EQ(ouro_refcount(v), 2);
    for (int i = 0; i < 50; i += 2)
        OK(ouro_dict_delete(dict, ouro_int_new(i)));
    CHECK_EQ(ouro_refcount(k), 26);
    OK(ouro_dict_pop_item(dict, true, &got, &values[0]));
    CHECK_EQ(got, key);
    CHECK_EQ(values[0], ouro_value_of(w));
    CHECK_EQ(ouro_refcount(k), 26);
    ouro_value_release(got);
    ouro_value_release(values[0]);
    CHECK_EQ(ouro_refcount(w), 1);
    OK(ouro_dict_clear(dict));
    CHECK_EQ(ouro_refcount(k), 1);
    CHECK_EQ(ouro_refcount(v), 1);
    OK(ouro_dict_set(dict, key, ouro_value_of(v)));
    long before = finalized();
    ouro_release(k);
    ouro_release(v);
    ouro_release(w);
    CHECK_EQ(finalized() - before, 1);
    ouro_value_release(dict);
    CHECK_EQ(finalized() - before, 3);
}

static void all_sorts_of_keys(void)
{
    ouro_value dict = dict_new(), tuple, inner = ouro_list_new(), value, nan = ouro_float_new(0.0 / 0.0), other_nan = ouro_float_new(-(0.0 / 0.0)), empty;
    OK(ouro_tuple_new(&inner, 1, &tuple));
    OK(ouro_string_from("", &empty));
    ouro_value keys[] = {OURO_NIL, OURO_TRUE, OURO_FALSE, ouro_int_new(0), ouro_int_new(1), nan, inner, tuple, dict, empty};
    enum { N = sizeof keys / sizeof *keys };
    for (int i = 0; i < N; i++)
        OK(ouro_dict_set(dict, keys[i], ouro_int_new(i)));
    CHECK_EQ(length_of(dict), N);
    for (int i = 0; i < N; i++) {
        OK(ouro_dict_get(dict, keys[i], &value));
        CHECK_EQ(ouro_int_value(value), i);
    }
    OK(ouro_dict_get(dict, other_nan, &value)); /* all NaN are one key */
    CHECK_EQ(ouro_int_value(value), 5);
    ouro_value one = ouro_float_new(1.0);
    OK(ouro_dict_get(dict, one, &value)); /* 1.0 is 1, and not true */
    CHECK_EQ(ouro_int_value(value), 4);
    ouro_value_release(one);
    OK(ouro_list_append(inner, OURO_TRUE)); /* keys by identity are not lost when they change */
    OK(ouro_dict_get(dict, inner, &value));
    CHECK_EQ(ouro_int_value(value), 6);
    OK(ouro_dict_get(dict, tuple, &value));
    CHECK_EQ(ouro_int_value(value), 7);
    OK(ouro_dict_clear(dict)); /* it was in itself */
    ouro_value_release(inner);
    ouro_value_release(tuple);
    ouro_value_release(nan);
    ouro_value_release(other_nan);
    ouro_value_release(empty);
    ouro_value_release(dict);
}

/* ---- hosts' keys ---- */

static void hosts_fail(void)
{
    kind = HOSTS;
    ouro_value dict = dict_of(5), key = key_of(3), value, keys[3] = {key_of(10), key_of(3), key_of(11)},
               values[3] = {OURO_TRUE, OURO_TRUE, OURO_TRUE};
    bool has = true;
    host_fails = OURO_E_HOST;
    CHECK_EQ(ouro_dict_get(dict, key, &value), OURO_E_HOST);
    CHECK_EQ(value, OURO_NIL);
    CHECK_EQ(ouro_dict_has(dict, key, &has), OURO_E_HOST);
    CHECK(!has);
    CHECK_EQ(ouro_dict_set(dict, key, OURO_TRUE), OURO_E_HOST);
    CHECK_EQ(ouro_dict_delete(dict, key), OURO_E_HOST);
    CHECK_EQ(ouro_dict_set_all(dict, keys, values, 3), OURO_E_HOST);
    CHECK_EQ(ouro_dict_from(keys, values, 3, &value), OURO_E_HOST);
    CHECK_EQ(value, OURO_NIL);
    host_fails = OURO_OK;
    CHECK_EQ(length_of(dict), 5);
    for (long i = 0; i < 5; i++)
        CHECK_EQ(value_of(dict, i), 1000 + i);
    ouro_value_release(key);
    ouro_value_release_all(keys, 3);
    ouro_value_release(dict);
    CHECK_GT(disposed, 0);
}

static ouro_value compared_dict;
static int meddle_left;

static void meddle(void)
{
    void (*again)(void) = while_comparing;
    while_comparing = NULL;
    if (meddle_left-- > 0) {
        for (long i = 100; i < 120; i++)
            set(compared_dict, i + 20 * meddle_left, 1); /* to another store, and another */
        ouro_value gone = key_of(100 + 20 * meddle_left);
        OK(ouro_dict_delete(compared_dict, gone));
        ouro_value_release(gone);
    }
    while_comparing = again;
}

/* The dict changes while the host compares. */
static void hosts_meddle(void)
{
    kind = HOSTS;
    compared_dict = dict_of(14); /* two of each hash */
    for (long i = 0; i < 14; i++) {
        while_comparing = meddle;
        meddle_left = 2;
        CHECK_EQ(value_of(compared_dict, i), 1000 + i);
        meddle_left = 2;
        set(compared_dict, i, i);
        meddle_left = 1;
        ouro_value keys[2] = {key_of(i), key_of(50 + i)}, values[2] = {ouro_int_new(5), ouro_int_new(6)};
        OK(ouro_dict_set_all(compared_dict, keys, values, 2));
        ouro_value_release_all(keys, 2);
        while_comparing = NULL;
        CHECK_EQ(value_of(compared_dict, i), 5);
        CHECK_EQ(value_of(compared_dict, 50 + i), 6);
        set(compared_dict, i, 1000 + i);
    }
    ouro_value_release(compared_dict);
}

/* ---- refusals ---- */

static void refusals(void)
{
    kind = INTEGERS;
    ouro_value dict = dict_of(1), v = OURO_TRUE, w = OURO_TRUE,
               others[] = {OURO_NIL, OURO_TRUE, ouro_int_new(3), ouro_value_of(leaf_new(1)), ouro_list_new(), ouro_set_new()};
    size_t n = 7;
    bool b = true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ouro_value x = others[i];
        CHECK_EQ(ouro_dict_length(x, &n), OURO_E_TYPE);
        CHECK_EQ(n, 0);
        CHECK_EQ(ouro_dict_get(x, x, &v), OURO_E_TYPE);
        CHECK_EQ(v, OURO_NIL);
        CHECK_EQ(ouro_dict_get_or(x, x, x, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_has(x, x, &b), OURO_E_TYPE);
        CHECK(!b);
        CHECK_EQ(ouro_dict_set(x, x, x), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_set_all(x, &x, &x, 1), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_swap(x, x, x, &b, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_setdefault(x, x, x, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_compare_set(x, x, x, x, &b), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_delete(x, x), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_pop(x, x, &v), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_pop_item(x, true, &v, &w), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_clear(x), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_update(x, dict), OURO_E_TYPE);
        CHECK_EQ(ouro_dict_update(dict, x), OURO_E_TYPE);
    }
    CHECK_EQ(ouro_dict_length(dict, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_get(dict, v, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_get_or(dict, v, v, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_has(dict, v, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_swap(dict, v, v, &b, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_setdefault(dict, v, v, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_compare_set(dict, v, v, v, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_pop_item(dict, true, NULL, &v), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_pop_item(dict, true, &v, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_set_all(dict, NULL, &v, 1), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_set_all(dict, &v, NULL, 1), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_from(NULL, &v, 1, &w), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_from(&v, &v, 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_new_with_room(1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_dict_new_with_room(SIZE_MAX, &v), OURO_E_NOMEM);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(length_of(dict), 1);
    for (size_t i = 3; i < sizeof others / sizeof *others; i++)
        ouro_value_release(others[i]);
    ouro_value_release(dict);
}

static void *use_foreign(void *arg)
{
    ouro_value theirs = *(ouro_value *)arg, v, mine = ouro_dict_new(), keys[2] = {OURO_TRUE, theirs};
    CHECK_EQ(ouro_dict_get(theirs, OURO_TRUE, &v), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_dict_get", "dict", ouro_value_object(theirs));
    CHECK_EQ(ouro_dict_set(theirs, OURO_TRUE, OURO_TRUE), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_dict_set", "dict", ouro_value_object(theirs));
    CHECK_EQ(ouro_dict_set(mine, theirs, OURO_TRUE), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_dict_set", "dict", ouro_value_object(theirs));
    CHECK_EQ(ouro_dict_set(mine, OURO_TRUE, theirs), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_dict_set", "dict", ouro_value_object(theirs));
    CHECK_EQ(ouro_dict_set_all(mine, keys, keys, 2), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_dict_set_all", "dict", ouro_value_object(theirs));
    CHECK_EQ(length_of(mine), 0);
    ouro_value_release(mine);
    return NULL;
}

static void foreign(void)
{
    ouro_value dict = ouro_dict_new();
    thread_join_running(thread_start(use_foreign, &dict, 0));
    ouro_value_release(dict);
}

/* ---- sharing, cycles, finalizers ---- */

static void storing_publishes(void)
{
    ouro_value dict = ouro_dict_new(), key = ouro_list_new(), value = ouro_list_new();
    struct leaf *l = leaf_new(1);
    OK(ouro_list_append(key, ouro_value_of(l)));
    OK(ouro_list_append(value, ouro_value_of(l)));
    ouro_value_share(dict);
    OK(ouro_dict_set(dict, key, value));
    ouro_value_release(key);
    ouro_value_release(value);
    CHECK_EQ(ouro_refcount(l), 3);
    long before = finalized();
    ouro_release(l);
    ouro_value_release(dict);
    CHECK_EQ(finalized() - before, 1);
}

static void cycles(void)
{
    for (int shared = 0; shared < 2; shared++) {
        size_t live = live_objects();
        ouro_value dict = ouro_dict_new(), list = ouro_list_new();
        if (shared)
            ouro_value_share(dict);
        for (int i = 0; i < 40; i++)
            OK(ouro_dict_set(dict, ouro_int_new(i), dict));
        OK(ouro_dict_set(dict, list, list));
        OK(ouro_list_append(list, dict));
        OK(ouro_dict_set(dict, dict, OURO_NIL));
        ouro_value_release(dict);
        ouro_value_release(list);
        CHECK_GE(ouro_gc_collect(2), 2);
        CHECK_LIVE(live);
    }
}

static ouro_value seen_dict;

static void use_dict(void *object)
{
    ouro_value value;
    long id = ((struct leaf *)object)->id;
    CHECK_GE(length_of(seen_dict), 0);
    if (ouro_dict_get(seen_dict, ouro_int_new(id), &value) == OURO_OK)
        ouro_value_release(value);
    OK(ouro_dict_set(seen_dict, ouro_int_new(id + 1000), OURO_TRUE)); /* the turn is over, else this would wait for ever */
}

static void finalizers_use_the_dict(void)
{
    for (int shared = 0; shared < 2; shared++) {
        seen_dict = ouro_dict_new();
        if (shared)
            ouro_value_share(seen_dict);
        for (int i = 0; i < 10; i++) {
            struct leaf *l = leaf_new(i);
            OK(ouro_dict_set(seen_dict, ouro_int_new(i), ouro_value_of(l)));
            ouro_release(l);
        }
        on_finalize(use_dict);
        OK(ouro_dict_set(seen_dict, ouro_int_new(0), OURO_TRUE));
        OK(ouro_dict_delete(seen_dict, ouro_int_new(1)));
        ouro_value keys[3] = {ouro_int_new(2), ouro_int_new(3), ouro_int_new(99)}, values[3] = {OURO_TRUE, OURO_TRUE, OURO_TRUE};
        OK(ouro_dict_set_all(seen_dict, keys, values, 3));
        CHECK_EQ(length_of(seen_dict), 9 + 1 + 4); /* 10 - 1, 99, and what four finalizers put in */
        OK(ouro_dict_clear(seen_dict));
        CHECK_EQ(length_of(seen_dict), 6);
        on_finalize(NULL);
        ouro_value_release(seen_dict);
    }
}

/* ---- against an array ---- */

enum { MODEL_KEYS = 60 };

/* keys in their order */
struct model {
    long keys[MODEL_KEYS], values[MODEL_KEYS];
    long count;
};

static long place_of(const struct model *m, long key)
{
    for (long i = 0; i < m->count; i++) {
        if (m->keys[i] == key)
            return i;
    }
    return -1;
}

static void model_set(struct model *m, long key, long value)
{
    long at = place_of(m, key);
    if (at < 0)
        m->keys[at = m->count++] = key;
    m->values[at] = value;
}

static void model_take(struct model *m, long at)
{
    memmove(m->keys + at, m->keys + at + 1, (size_t)(m->count - at - 1) * sizeof *m->keys);
    memmove(m->values + at, m->values + at + 1, (size_t)(m->count - at - 1) * sizeof *m->values);
    m->count--;
}

static void check_against(ouro_value dict, const struct model *m)
{
    ouro_value copy;
    long keys[MODEL_KEYS + 1], values[MODEL_KEYS + 1];
    CHECK_EQ(length_of(dict), (size_t)m->count);
    memcpy(keys, m->keys, sizeof m->keys);
    memcpy(values, m->values, sizeof m->values);
    keys[m->count] = values[m->count] = -1;
    OK(ouro_copy(dict, &copy));
    check_drained(copy, keys, values);
    ouro_value_release(copy);
}

static void random_step(struct rng *rng, ouro_value dict, struct model *m)
{
    long n = rng_below(rng, MODEL_KEYS), value = rng_below(rng, 1000), at = place_of(m, n);
    ouro_value key = key_of(n), got = OURO_NIL, got_key = OURO_NIL;
    switch (rng_below(rng, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        OK(ouro_dict_set(dict, key, ouro_int_new(value)));
        model_set(m, n, value);
        break;
    case 4:
    case 5:
    case 6:
        CHECK_EQ(ouro_dict_pop(dict, key, &got), at < 0 ? OURO_E_KEY : OURO_OK);
        if (at >= 0) {
            CHECK_EQ(ouro_int_value(got), m->values[at]);
            model_take(m, at);
        }
        break;
    case 7: {
        bool first = rng_one_in(rng, 2);
        CHECK_EQ(ouro_dict_pop_item(dict, first, &got_key, &got), m->count ? OURO_OK : OURO_E_KEY);
        if (m->count) {
            at = first ? 0 : m->count - 1;
            CHECK_EQ(number_of(got_key), m->keys[at]);
            CHECK_EQ(ouro_int_value(got), m->values[at]);
            model_take(m, at);
        }
        break;
    }
    case 8:
        OK(ouro_dict_setdefault(dict, key, ouro_int_new(value), &got));
        CHECK_EQ(ouro_int_value(got), at < 0 ? value : m->values[at]);
        if (at < 0)
            model_set(m, n, value);
        break;
    case 9: {
        ouro_value keys[5], values[5];
        for (long i = 0; i < 5; i++) {
            keys[i] = key_of((n + i * value) % MODEL_KEYS);
            values[i] = ouro_int_new(i);
            model_set(m, (n + i * value) % MODEL_KEYS, i);
        }
        OK(ouro_dict_set_all(dict, keys, values, 5));
        ouro_value_release_all(keys, 5);
        break;
    }
    case 10:
        if (rng_one_in(rng, 20)) {
            OK(ouro_dict_clear(dict));
            m->count = 0;
        }
        break;
    default:
        CHECK_EQ(value_of(dict, n), at < 0 ? -1 : m->values[at]);
    }
    ouro_value_release(got_key);
    ouro_value_release(key);
}

static void random_steps(void)
{
    struct rng rng = rng_stream(seed, (uint64_t)kind * 2 + dict_shared);
    struct model m = {.count = 0};
    ouro_value dict = dict_new();
    for (int i = 0; i < SCALED(20000); i++) {
        random_step(&rng, dict, &m);
        if (i % 32 == 0)
            check_against(dict, &m);
        if (i % 1000 == 0)
            CHECK_GE(ouro_gc_collect(2), 0);
    }
    ouro_value_release(dict);
    drop_objects();
}

/* Many keys, so that cells of all widths are used. */
static void many(void)
{
    enum { MANY = SCALED(200000) };
    kind = INTEGERS;
    ouro_value dict = dict_new(), value;
    for (long i = 0; i < MANY; i++)
        OK(ouro_dict_set(dict, ouro_int_new(i * 7919), ouro_int_new(i)));
    CHECK_EQ(length_of(dict), MANY);
    for (long i = 0; i < MANY; i += 2)
        OK(ouro_dict_delete(dict, ouro_int_new(i * 7919)));
    CHECK_EQ(length_of(dict), MANY / 2);
    long wrong = 0;
    for (long i = 0; i < MANY; i++) {
        ouro_status status = ouro_dict_get(dict, ouro_int_new(i * 7919), &value);
        wrong += i % 2 ? status != OURO_OK || ouro_int_value(value) != i : status != OURO_E_KEY;
    }
    CHECK_EQ(wrong, 0);
    ouro_value_release(dict);
}

/* ---- sizes ---- */

static size_t live_bytes(void)
{
    live_objects(); /* what waits is gone */
    return mem_stats().live_bytes;
}

/* sys.getsizeof of CPython 3.11's dicts and sets with integers, made at once: dict(zip(r, r)), set(r), r = range(n). */
static void sizes(void)
{
    static const struct {
        size_t count, dict, set;
    } cpython[] = {{0, 64, 216}, {1, 224, 216}, {5, 224, 728}, {6, 352, 728}, {8, 352, 728}, {10, 352, 728}, {11, 632, 728},
        {20, 632, 2264}, {21, 632, 2264}, {22, 1168, 2264}, {50, 2264, 2264}, {85, 2264, 8408}, {86, 4688, 8408},
        {100, 4688, 8408}, {500, 18512, 32984}, {1000, 36952, 32984}, {5000, 147544, 524504}, {10000, 294992, 524504},
        {50000, 2621528, 2097368}, {100000, 5242960, 4194520}};
    static ouro_value items[100000];
    for (size_t i = 0; i < 100000; i++)
        items[i] = ouro_int_new((int64_t)i);
    ouro_value_release(ouro_dict_new()); /* the pages are there */
    ouro_value_release(ouro_set_new());
    for (size_t i = 0; i < sizeof cpython / sizeof *cpython; i++) {
        size_t n = cpython[i].count, before = live_bytes();
        ouro_value dict, set_;
        OK(ouro_dict_from(items, items, n, &dict));
        size_t at_once = live_bytes() - before;
        CHECK_LE(at_once, cpython[i].dict);
        ouro_value_release(dict);
        before = live_bytes();
        dict = ouro_dict_new();
        for (size_t k = 0; k < n; k++)
            OK(ouro_dict_set(dict, items[k], items[k]));
        size_t grown = live_bytes() - before;
        CHECK_LE(grown, cpython[i].dict);
        ouro_value_release(dict);
        before = live_bytes();
        OK(ouro_set_from(items, n, &set_));
        size_t set_at_once = live_bytes() - before;
        CHECK_LE(set_at_once, cpython[i].set);
        ouro_value_release(set_);
        before = live_bytes();
        set_ = ouro_set_new();
        for (size_t k = 0; k < n; k++)
            OK(ouro_set_add(set_, items[k], NULL));
        size_t set_grown = live_bytes() - before;
        CHECK_LE(set_grown, cpython[i].set);
        ouro_value_release(set_);
        printf("of %zu: dict %zu bytes made at once, %zu grown (CPython %zu); set %zu, %zu (%zu)\n", n, at_once, grown, cpython[i].dict, set_at_once,
               set_grown, cpython[i].set);
    }
}

/* ---- lack of memory: what fails says so, and leaves the dict as it was ---- */

enum { STARVED = 10 };
static ouro_value starved_dict;
static struct leaf *starved_leaf;
static ouro_value starved_tuples[2];

/* Each: the status of one operation that adds `more` entries if it succeeds. */
static ouro_status set_until_full(long *more)
{
    ouro_status status = OURO_OK;
    for (*more = 0; status == OURO_OK && *more < 1000; *more += status == OURO_OK)
        status = ouro_dict_set(starved_dict, ouro_int_new(100 + *more), ouro_value_of(starved_leaf));
    for (long i = 0; status != OURO_OK && i < *more; i++)
        OK(ouro_dict_delete(starved_dict, ouro_int_new(100 + i)));
    return status;
}

static ouro_status set_many(long *more)
{
    ouro_value keys[60], values[60];
    for (int i = 0; i < 60; i++) {
        keys[i] = ouro_int_new(i);
        values[i] = i < STARVED ? ouro_int_new(i) : ouro_value_of(starved_leaf);
    }
    values[0] = ouro_value_of(starved_leaf); /* as it is */
    *more = 50;
    return ouro_dict_set_all(starved_dict, keys, values, 60);
}

static ouro_status set_tuples(long *more)
{
    ouro_value values[2] = {OURO_TRUE, ouro_value_of(starved_leaf)};
    *more = 2;
    return ouro_dict_set_all(starved_dict, starved_tuples, values, 2);
}

static ouro_status copy_dict(long *more)
{
    ouro_value copy = OURO_TRUE;
    *more = 0;
    ouro_status status = ouro_copy(starved_dict, &copy);
    CHECK(status == OURO_OK ? length_of(copy) == STARVED : copy == OURO_NIL);
    ouro_value_release(copy);
    return status;
}

static ouro_status make_dict(long *more)
{
    ouro_value keys[3] = {OURO_TRUE, ouro_value_of(starved_leaf), OURO_NIL}, dict = OURO_TRUE;
    *more = 0;
    ouro_status status = ouro_dict_from(keys, keys, 3, &dict);
    CHECK(status == OURO_OK ? length_of(dict) == 3 : dict == OURO_NIL);
    ouro_value_release(dict);
    return status;
}

static ouro_status (*starving)(long *more);

static void check_starved(void)
{
    ouro_value value;
    CHECK_EQ(length_of(starved_dict), STARVED);
    for (int i = 0; i < STARVED; i++) {
        OK(ouro_dict_get(starved_dict, ouro_int_new(i), &value));
        CHECK_EQ(value, i ? ouro_int_new(i) : ouro_value_of(starved_leaf));
        ouro_value_release(value);
    }
    CHECK_EQ(ouro_refcount(starved_leaf), 2);
}

/* Fills the thread's pages, so that what comes next has to ask for memory. */
static void exhaust(void **kept, size_t *count, size_t max)
{
    *count = 0;
    for (size_t size = 0; size < 300 && *count < max; size++) {
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
    fixture_start();
    starved_dict = ouro_dict_new();
    starved_leaf = leaf_new(5);
    for (int i = 0; i < STARVED; i++)
        OK(ouro_dict_set(starved_dict, ouro_int_new(i), i ? ouro_int_new(i) : ouro_value_of(starved_leaf)));
    if (arg)
        ouro_value_share(starved_dict);
    OK(ouro_tuple_new(NULL, 0, &starved_tuples[0]));
    OK(ouro_tuple_new(&starved_tuples[0], 1, &starved_tuples[1]));
    OK(ouro_mem_set_limit(0, 1)); /* no page more */
    exhaust(kept, &count, KEPT);
    REQUIRE(count < KEPT);
    CHECK_EQ(starving(&more), OURO_E_NOMEM);
    check_starved();
    OK(ouro_mem_set_limit(0, 0));
    while (count)
        ouro_release(kept[--count]);
    OK(starving(&more)); /* and now there is some */
    CHECK_EQ(length_of(starved_dict), (size_t)(STARVED + more));
    OK(ouro_mem_set_limit(0, 1));
    ouro_value key, value;
    while (length_of(starved_dict)) { /* needs none */
        OK(ouro_dict_pop_item(starved_dict, true, &key, &value));
        ouro_value_release(key);
        ouro_value_release(value);
    }
    ouro_value_release(starved_dict);
    ouro_value_release_all(starved_tuples, 2);
    CHECK_EQ(ouro_refcount(starved_leaf), 1);
    ouro_release(starved_leaf);
    CHECK_LIVE(0);
}

static void lack_of_memory(void)
{
    static ouro_status (*const all[])(long *) = {set_until_full, set_many, set_tuples, copy_dict, make_dict};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        starving = all[i];
        CHECK_EQ(child_run(starve, NULL), 0);
        CHECK_EQ(child_run(starve, &starving), 0);
    }
}

static void both(void (*test)(void))
{
    for (int i = 0; i < 2; i++) {
        dict_shared = i;
        test();
    }
}

#define ALL(how, test)           \
    static void all_##test(void) \
    {                            \
        how(test);               \
    }
ALL(in_all_combinations, set_and_get)
ALL(in_all_combinations, order)
ALL(in_all_combinations, pop_and_delete)
ALL(in_all_combinations, other_ways)
ALL(in_all_combinations, many_at_once)
ALL(in_all_combinations, random_steps)
ALL(both, counting)
ALL(both, all_sorts_of_keys)
ALL(both, hosts_fail)
ALL(both, hosts_meddle)
ALL(both, refusals)
ALL(both, many)

int main(void)
{
    check_start("value_dict_test");
    seed = rng_seed();
    CHECK_RUN(lack_of_memory); /* in children of a process without a runtime */
    fixture_start();
    ouro_value_release(ouro_dict_new());
    FIXTURE_RUN(all_set_and_get);
    FIXTURE_RUN(all_order);
    FIXTURE_RUN(all_pop_and_delete);
    FIXTURE_RUN(all_other_ways);
    FIXTURE_RUN(all_many_at_once);
    FIXTURE_RUN(all_counting);
    FIXTURE_RUN(all_all_sorts_of_keys);
    FIXTURE_RUN(all_hosts_fail);
    FIXTURE_RUN(all_hosts_meddle);
    FIXTURE_RUN(all_refusals);
    FIXTURE_RUN(foreign);
    FIXTURE_RUN(storing_publishes);
    FIXTURE_RUN(cycles);
    FIXTURE_RUN(finalizers_use_the_dict);
    FIXTURE_RUN(all_random_steps);
    FIXTURE_RUN(all_many);
    FIXTURE_RUN(sizes);
    return check_finish();
}
