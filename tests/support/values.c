/* SPDX-License-Identifier: MIT */
#include "support/values.h"

#include <stdarg.h>
#include <stdlib.h>

ouro_value text(const char *utf8)
{
    ouro_value v;
    REQUIRE(ouro_string_from(utf8, &v) == OURO_OK);
    return v;
}

ouro_value interned(const char *utf8)
{
    ouro_value v, s = text(utf8);
    REQUIRE(ouro_intern(s, &v) == OURO_OK);
    ouro_value_release(s);
    return v;
}

ouro_value number(double number)
{
    ouro_value v = ouro_float_new(number);
    REQUIRE(v != OURO_NIL);
    return v;
}

enum { MOST = 64 };

ouro_value tuple_of(size_t count, ...)
{
    ouro_value items[MOST], v;
    va_list args;
    REQUIRE(count <= MOST);
    va_start(args, count);
    for (size_t i = 0; i < count; i++)
        items[i] = va_arg(args, ouro_value);
    va_end(args);
    REQUIRE(ouro_tuple_new(items, count, &v) == OURO_OK);
    ouro_value_release_all(items, count);
    return v;
}

ouro_value record_of(const char *name, size_t count, ...)
{
    ouro_value fields[MOST], values[MOST], v, n = text(name);
    va_list args;
    REQUIRE(count <= MOST);
    va_start(args, count);
    for (size_t i = 0; i < count; i++) {
        fields[i] = text(va_arg(args, const char *));
        values[i] = va_arg(args, ouro_value);
    }
    va_end(args);
    REQUIRE(ouro_record_from(n, fields, values, count, &v) == OURO_OK);
    ouro_value_release_all(fields, count);
    ouro_value_release_all(values, count);
    ouro_value_release(n);
    return v;
}

void values_check_repr(ouro_value value, const char *expected, const char *file, int line)
{
    ouro_value s;
    if (!check_int(ouro_repr(value, &s), "==", OURO_OK, file, line, "ouro_repr", "OURO_OK"))
        return;
    check_string(ouro_string_data(s, NULL), expected, file, line, "repr", "expected");
    ouro_value_release(s);
}

bool equal(ouro_value a, ouro_value b)
{
    bool one = false, other = false;
    CHECK_OK(ouro_equal(a, b, &one));
    CHECK_OK(ouro_equal(b, a, &other));
    CHECK_EQ(one, other);
    return one;
}

bool key_equal(ouro_value a, ouro_value b)
{
    bool one = false, other = false;
    CHECK_OK(ouro_key_equal(a, b, &one));
    CHECK_OK(ouro_key_equal(b, a, &other));
    CHECK_EQ(one, other);
    if (one)
        CHECK_EQ(hash_of(a), hash_of(b));
    return one;
}

uint64_t hash_of(ouro_value value)
{
    uint64_t hash = 0, again = 1;
    CHECK_OK(ouro_hash(value, &hash));
    CHECK_OK(ouro_hash(value, &again));
    CHECK_EQ(hash, again);
    CHECK_EQ(hash >> 62, 0);
    return hash;
}

/* Also that the opposite is the opposite. */
int order(ouro_value a, ouro_value b)
{
    int one = 99, other = 99;
    CHECK_OK(ouro_compare(a, b, &one));
    CHECK_OK(ouro_compare(b, a, &other));
    if (one == OURO_UNORDERED || other == OURO_UNORDERED)
        CHECK_EQ(one, other);
    else
        CHECK_EQ((one > 0) - (one < 0), (other < 0) - (other > 0));
    return one == OURO_UNORDERED ? one : (one > 0) - (one < 0);
}
