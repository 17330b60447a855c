/* SPDX-License-Identifier: MIT
 *
 * What values take, in bytes of live blocks: exactly what docs/design/values.md and containers.md say, and no more than CPython 3.11's objects of the same
 * contents (sys.getsizeof on x86-64; written down here, for Python need not be installed). */
#include <stdio.h>
#include <string.h>

#include "support/values.h"

enum { COUNT = 100 };

static ouro_value all[COUNT];
static char letters[20000];
static ouro_value shape;

static ouro_value make_int(size_t n)
{
    return INT((int64_t)n);
}

static ouro_value make_float(size_t n)
{
    return number((double)n);
}

static ouro_value make_string(size_t n)
{
    ouro_value v;
    REQUIRE(ouro_string_new(letters, n, &v) == OURO_OK);
    return v;
}

static ouro_value make_accents(size_t n)
{
    static char accents[200];
    ouro_value v;
    for (size_t i = 0; i < n; i++)
        memcpy(accents + 2 * i, "\xc3\xa9", 2);
    REQUIRE(ouro_string_new(accents, 2 * n, &v) == OURO_OK);
    return v;
}

static ouro_value make_interned(size_t n)
{
    static int next;
    char name[64];
    ouro_value v;
    snprintf(name, sizeof name, "%0*d", (int)n, next++);
    REQUIRE(ouro_intern_bytes(name, n, &v) == OURO_OK);
    return v;
}

static ouro_value make_bytes(size_t n)
{
    ouro_value v;
    REQUIRE(ouro_bytes_new(NULL, n, &v) == OURO_OK);
    return v;
}

static ouro_value make_tuple(size_t n)
{
    static const ouro_value nils[100];
    ouro_value v;
    REQUIRE(ouro_tuple_new(nils, n, &v) == OURO_OK);
    return v;
}

static ouro_value make_record(size_t n)
{
    ouro_value v;
    (void)n;
    REQUIRE(ouro_record_new(shape, NULL, &v) == OURO_OK);
    return v;
}

static ouro_value make_host(size_t n)
{
    static const ouro_host_class class = {.size = sizeof class, .name = "thing"};
    ouro_value v;
    REQUIRE(ouro_host_new(&class, 1, n, &v) == OURO_OK);
    return v;
}

static size_t live_bytes(void)
{
    return mem_stats().live_bytes;
}

/* Of one value, on average. */
static double bytes_of(ouro_value (*make)(size_t n), size_t n)
{
    size_t before = live_bytes();
    for (int i = 0; i < COUNT; i++)
        all[i] = make(n);
    double each = (double)(live_bytes() - before) / COUNT;
    ouro_value_release_all(all, COUNT);
    return each;
}

struct row {
    const char *name;
    ouro_value (*make)(size_t n);
    size_t n, ours, cpython; /* 0: nothing like it there */
};

static const struct row rows[] = {
    {"int", make_int, 5, 0, 28},
    {"int", make_int, (size_t)1 << 40, 0, 32},
    {"float", make_float, 1, 24, 24},
    {"string", make_string, 0, 40, 49},
    {"string", make_string, 5, 40, 54},
    {"string", make_string, 7, 40, 56},
    {"string", make_string, 8, 48, 57},
    {"string", make_string, 20, 56, 69},
    {"string", make_string, 50, 88, 99},
    {"string", make_string, 100, 144, 149},
    {"accents", make_accents, 1, 40, 74},
    {"accents", make_accents, 5, 48, 78},
    {"interned", make_interned, 7, 56, 56},
    {"interned", make_interned, 15, 64, 64},
    {"bytes", make_bytes, 0, 32, 33},
    {"bytes", make_bytes, 8, 40, 41},
    {"bytes", make_bytes, 16, 48, 49},
    {"tuple", make_tuple, 0, 32, 40},
    {"tuple", make_tuple, 1, 40, 48},
    {"tuple", make_tuple, 3, 56, 64},
    {"tuple", make_tuple, 10, 112, 120},
    {"host", make_host, 0, 32, 0},
    {"host", make_host, 2, 56, 0},
};

static void test_sizes(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double each = bytes_of(rows[i].make, rows[i].n);
        if (each != (double)rows[i].ours)
            printf("%s of %zu: %.1f\n", rows[i].name, rows[i].n, each);
        CHECK(each == (double)rows[i].ours);
        CHECK(!rows[i].cpython || rows[i].ours <= rows[i].cpython);
    }
}

/* A record is compared with an object with __slots__: 32 + 8 n bytes, and its class for the shape. */
static void test_records(void)
{
    ouro_value fields[6], name = text("name");
    char field[8];
    for (int i = 0; i < 6; i++) {
        snprintf(field, sizeof field, "f%d", i);
        fields[i] = text(field);
    }
    for (size_t n = 0; n <= 6; n++) {
        REQUIRE(ouro_shape_new(name, fields, n, &shape) == OURO_OK);
        CHECK(bytes_of(make_record, n) == 32.0 + 8.0 * (double)n);
        ouro_value_release(shape);
    }
    ouro_value_release_all(fields, 6);
    ouro_value_release(name);
}

static ouro_value source;

static ouro_value make_iterator(size_t n)
{
    ouro_value v;
    (void)n;
    REQUIRE(ouro_iterate(source, &v) == OURO_OK);
    return v;
}

static ouro_status nothing(uint64_t handle, ouro_value of, ouro_value *value)
{
    (void)handle, (void)of, (void)value;
    return OURO_E_END;
}

static ouro_value make_generator(size_t n)
{
    static const ouro_generator none = {.size = sizeof none, .next = nothing};
    ouro_value v;
    REQUIRE(ouro_generate(&none, n, OURO_NIL, &v) == OURO_OK);
    return v;
}

/* Whatever they go over. */
static void test_iterators(void)
{
    source = text("abc");
    CHECK(bytes_of(make_iterator, 0) == 64);
    ouro_value_release(source);
    source = ouro_dict_new();
    CHECK(bytes_of(make_iterator, 0) == 64);
    ouro_value_release(source);
    CHECK(bytes_of(make_generator, 0) == 56);
}

static ouro_value make_weak_map(size_t flags)
{
    ouro_value v;
    REQUIRE(ouro_weak_map_new((unsigned)flags, &v) == OURO_OK);
    return v;
}

static ouro_value make_weak_set(size_t n)
{
    (void)n;
    return ouro_weak_set_new();
}

enum { KEYS = 1000 };

/* Of one with keys, which are its values, too; without their anchors. */
static size_t filled_bytes(ouro_value map)
{
    static ouro_value keys[KEYS];
    for (int i = 0; i < KEYS; i++) {
        keys[i] = number(i);
        ouro_value_share(keys[i]);
    }
    live_objects();
    size_t before = live_bytes(), bytes;
    for (int i = 0; i < KEYS; i++)
        CHECK_EQ(ouro_kind_of(map) == OURO_KIND_WEAK_MAP ? ouro_weak_map_set(map, keys[i], keys[i]) : ouro_weak_set_add(map, keys[i], NULL), OURO_OK);
    live_objects(); /* stores that were grown out of are gone */
    bytes = live_bytes() - before;
    if (ouro_kind_of(map) == OURO_KIND_WEAK_MAP)
        CHECK_EQ(ouro_weak_map_clear(map), OURO_OK);
    ouro_value_release_all(keys, KEYS);
    ouro_value_release(map);
    return bytes;
}

static void test_weak_maps(void)
{
    CHECK(bytes_of(make_weak_map, OURO_WEAK_KEYS) == 64);
    CHECK(bytes_of(make_weak_set, 0) == 64);
    CHECK_EQ(filled_bytes(make_weak_map(OURO_WEAK_KEYS)) + 64, 96832);
    CHECK_EQ(filled_bytes(make_weak_map(OURO_WEAK_VALUES)) + 64, 96832);
    CHECK_EQ(filled_bytes(make_weak_map(OURO_WEAK_KEYS | OURO_WEAK_VALUES)) + 64, 160832);
    CHECK_EQ(filled_bytes(ouro_weak_set_new()) + 64, 86592);
}

/* However large: a block is at most an eighth larger than asked for (mem/size_class.h); beyond 64 KiB, whole pages. */
static void test_large_ones(void)
{
    for (size_t n = 128; n < sizeof letters; n = n * 5 / 4) {
        CHECK_LE(bytes_of(make_string, n), (33.0 + (double)n) * 1.125);
        CHECK_LE(bytes_of(make_bytes, n), (32.0 + (double)n) * 1.125);
    }
}

int main(void)
{
    check_start("value_memory_test");
    memset(letters, 'a', sizeof letters);
    fixture_start();
    FIXTURE_RUN(test_sizes);
    FIXTURE_RUN(test_records);
    FIXTURE_RUN(test_iterators);
    FIXTURE_RUN(test_weak_maps);
    FIXTURE_RUN(test_large_ones);
    return check_finish();
}
