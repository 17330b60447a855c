/* SPDX-License-Identifier: MIT
 *
 * Every function for one kind of value, given every other kind, and every out-parameter that is NULL: a status, an empty result, no report, and
 * nothing changed. */
#include <string.h>

#include "support/values.h"

/* One call with the value where the kind matters. Returns the status; *empty: whether the result is. */
typedef ouro_status use(ouro_value v, bool *empty);

/* A function with one ouro_value as its result. */
#define USE_VALUE(name, ...)                                \
    static ouro_status name(ouro_value v, bool *empty)      \
    {                                                       \
        ouro_value out = INT(1);                            \
        ouro_status status = ouro_##name(__VA_ARGS__, &out); \
        *empty = out == OURO_NIL;                           \
        if (status == OURO_OK)                              \
            ouro_value_release(out);                        \
        return status;                                      \
    }

#define USE_SIZE(name, ...)                                 \
    static ouro_status name(ouro_value v, bool *empty)      \
    {                                                       \
        size_t out = 99;                                    \
        ouro_status status = ouro_##name(__VA_ARGS__, &out); \
        *empty = out == 0;                                  \
        return status;                                      \
    }

#define USE_NOTHING(name, ...)                         \
    static ouro_status name(ouro_value v, bool *empty) \
    {                                                  \
        *empty = true;                                 \
        return ouro_##name(__VA_ARGS__);               \
    }

static ouro_value a_string, a_tuple, a_bytes;

USE_SIZE(string_length, v)
USE_VALUE(string_concat, v, a_string)
USE_VALUE(string_slice, v, 0, 1)
USE_SIZE(string_find, v, a_string, 0)
USE_VALUE(intern, v)
USE_SIZE(bytes_length, v)
USE_VALUE(bytes_concat, a_bytes, v)
USE_VALUE(bytes_slice, v, 0, 1)
USE_SIZE(tuple_length, v)
USE_VALUE(tuple_get, v, 0)
USE_VALUE(tuple_slice, v, 0, 1, 1)
USE_VALUE(tuple_concat, a_tuple, v)
USE_SIZE(tuple_index, v, INT(1), 0, 5)
USE_SIZE(tuple_count, v, INT(1))
USE_SIZE(shape_length, v)
USE_VALUE(shape_name, v)
USE_VALUE(shape_field, v, 0)
USE_SIZE(shape_index, v, a_string)
USE_VALUE(record_new, v, NULL)
USE_VALUE(record_shape, v)
USE_SIZE(record_length, v)
USE_VALUE(record_get, v, a_string)
USE_NOTHING(record_set, v, a_string, INT(1))
USE_VALUE(record_swap, v, a_string, INT(1))
USE_VALUE(record_get_at, v, 0)
USE_NOTHING(record_set_at, v, 0, INT(1))
USE_VALUE(host_get, v, 0)
USE_NOTHING(host_set, v, 0, INT(1))

static ouro_status record_compare_set(ouro_value v, bool *empty)
{
    bool done = true;
    ouro_status status = ouro_record_compare_set(v, a_string, INT(1), INT(1), &done);
    *empty = !done;
    return status;
}

static const struct {
    ouro_kind kind; /* for which it is */
    use *use;
    const char *name;
} uses[] = {
#define ROW(kind, name) {OURO_KIND_##kind, name, #name}
    ROW(STRING, string_length), ROW(STRING, string_concat), ROW(STRING, string_slice), ROW(STRING, string_find), ROW(STRING, intern),
    ROW(BYTES, bytes_length), ROW(BYTES, bytes_concat), ROW(BYTES, bytes_slice), ROW(TUPLE, tuple_length), ROW(TUPLE, tuple_get),
    ROW(TUPLE, tuple_slice), ROW(TUPLE, tuple_concat), ROW(TUPLE, tuple_index), ROW(TUPLE, tuple_count), ROW(SHAPE, shape_length),
    ROW(SHAPE, shape_name), ROW(SHAPE, shape_field), ROW(SHAPE, shape_index), ROW(SHAPE, record_new), ROW(RECORD, record_shape),
    ROW(RECORD, record_length), ROW(RECORD, record_get), ROW(RECORD, record_set), ROW(RECORD, record_swap), ROW(RECORD, record_get_at),
    ROW(RECORD, record_set_at), ROW(RECORD, record_compare_set), ROW(HOST, host_get), ROW(HOST, host_set),
};

static const ouro_host_class class = {.size = sizeof class, .name = "thing"};

enum { VALUES = 15 };

static void make_one_of_each(ouro_value *all)
{
    struct leaf *x = leaf_new(1);
    ouro_value r = record_of("r", 1, "s", OURO_NIL), shape, bytes, host;
    CHECK_OK(ouro_record_shape(r, &shape));
    CHECK_OK(ouro_bytes_new("b", 1, &bytes));
    CHECK_OK(ouro_host_new(&class, 1, 1, &host));
    ouro_value these[VALUES] = {OURO_NIL, OURO_TRUE, OURO_FALSE, INT(7), number(1), text("s"), interned("s"), bytes,
                                tuple_of(1, INT(1)), tuple_of(1, ouro_value_of(plain_new(1))), r, shape, host,
                                ouro_value_of(ouro_weak_new(x, NULL, NULL)), ouro_value_of(x)};
    memcpy(all, these, sizeof these);
}

static void test_wrong_kinds(void)
{
    ouro_value all[VALUES];
    a_string = text("s");
    a_tuple = tuple_of(1, INT(1));
    CHECK_OK(ouro_bytes_new("b", 1, &a_bytes));
    make_one_of_each(all);
    for (size_t u = 0; u < sizeof uses / sizeof *uses; u++)
        for (int i = 0; i < VALUES; i++) {
            bool empty = false, right = ouro_kind_of(all[i]) == uses[u].kind;
            ouro_status status = uses[u].use(all[i], &empty);
            if (right ? status == OURO_E_TYPE : status != OURO_E_TYPE || !empty) {
                check_that(false, __FILE__, __LINE__, uses[u].name);
                CHECK_STR(ouro_value_type_name(all[i]), "wrong kind");
            }
        }
    size_t size = 99;
    for (int i = 0; i < VALUES; i++) {
        ouro_kind kind = ouro_kind_of(all[i]);
        CHECK_EQ(ouro_string_data(all[i], &size) != NULL, kind == OURO_KIND_STRING);
        CHECK_EQ(size, kind == OURO_KIND_STRING);
        CHECK_EQ(ouro_bytes_data(all[i], &size) != NULL, kind == OURO_KIND_BYTES);
        CHECK_EQ(size, kind == OURO_KIND_BYTES);
        CHECK_EQ(ouro_tuple_items(all[i], &size) != NULL, kind == OURO_KIND_TUPLE);
        CHECK_EQ(size, kind == OURO_KIND_TUPLE);
    }
    CHECK_EQ(misuse_count(), 0);
    ouro_value_release_all(all, VALUES);
    ouro_value_release(a_string);
    ouro_value_release(a_tuple);
    ouro_value_release(a_bytes);
    CHECK_LIVE(0);
}

static void test_null_results(void)
{
    ouro_value s = text("s"), t = tuple_of(1, INT(1)), r = record_of("r", 1, "s", OURO_NIL), b, shape, host;
    CHECK_OK(ouro_bytes_new("b", 1, &b));
    CHECK_OK(ouro_record_shape(r, &shape));
    CHECK_OK(ouro_host_new(&class, 1, 1, &host));
    ouro_status all[] = {
        ouro_string_length(s, NULL), ouro_string_concat(s, s, NULL), ouro_string_slice(s, 0, 1, NULL), ouro_string_find(s, s, 0, NULL), ouro_intern(s, NULL),
        ouro_bytes_length(b, NULL), ouro_bytes_concat(b, b, NULL), ouro_bytes_slice(b, 0, 1, NULL), ouro_tuple_length(t, NULL),
        ouro_tuple_get(t, 0, NULL), ouro_tuple_slice(t, 0, 1, 1, NULL), ouro_tuple_concat(t, t, NULL), ouro_tuple_index(t, s, 0, 1, NULL),
        ouro_tuple_count(t, s, NULL), ouro_shape_new(s, &s, 1, NULL), ouro_shape_length(shape, NULL), ouro_shape_name(shape, NULL),
        ouro_shape_field(shape, 0, NULL), ouro_shape_index(shape, s, NULL), ouro_record_new(shape, NULL, NULL), ouro_record_from(s, &s, NULL, 1, NULL),
        ouro_record_shape(r, NULL), ouro_record_length(r, NULL), ouro_record_get(r, s, NULL), ouro_record_swap(r, s, s, NULL),
        ouro_record_compare_set(r, s, s, s, NULL), ouro_record_get_at(r, 0, NULL), ouro_host_get(host, 0, NULL), ouro_length(s, NULL),
        ouro_equal(s, s, NULL), ouro_key_equal(s, s, NULL), ouro_hash(s, NULL), ouro_compare(s, s, NULL), ouro_repr(s, NULL), ouro_copy(s, NULL),
        ouro_copy_deep(r, NULL),
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK_EQ(all[i], OURO_E_INVALID);
    CHECK_REPR(r, "r(s=nil)");
    ouro_value mine[] = {s, t, r, b, shape, host};
    ouro_value_release_all(mine, 6);
    CHECK_LIVE(0);
}

int main(void)
{
    check_start("value_wrong_test");
    fixture_start();
    FIXTURE_RUN(test_wrong_kinds);
    FIXTURE_RUN(test_null_results);
    return check_finish();
}
