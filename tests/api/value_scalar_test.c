/* SPDX-License-Identifier: MIT
 *
 * Floats, strings, interned strings and bytes: what goes in comes out, positions, cut and joined parts, what is refused. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/threads.h"
#include "support/values.h"

static uint64_t seed;

/* ---- Floats ---- */

static void test_floats(void)
{
    static const double numbers[] = {0.0, -0.0, 1.0, -1.5, 0.1, DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, INFINITY, -INFINITY, 9007199254740993.0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ouro_value v = number(numbers[i]);
        CHECK_EQ(ouro_kind_of(v), OURO_KIND_FLOAT);
        double back = ouro_float_value(v);
        CHECK(memcmp(&back, &numbers[i], sizeof back) == 0);
        ouro_value_release(v);
    }
    ouro_value nan = number(NAN);
    CHECK(isnan(ouro_float_value(nan)));
    ouro_value_release(nan);
    CHECK(ouro_float_value(INT(-7)) == -7.0);
    CHECK(ouro_float_value(INT(OURO_INT_MIN)) == -2305843009213693952.0);
    CHECK(isnan(ouro_float_value(OURO_NIL)));
    CHECK(isnan(ouro_float_value(OURO_TRUE)));
}

/* ---- Strings ---- */

static void check_string_is(ouro_value v, const char *bytes, size_t size, size_t length)
{
    size_t got_size = 99, got_length = 99;
    CHECK_EQ(ouro_kind_of(v), OURO_KIND_STRING);
    const char *data = ouro_string_data(v, &got_size);
    CHECK_EQ(got_size, size);
    CHECK(data && memcmp(data, bytes, size) == 0 && data[size] == 0);
    CHECK_PTR(ouro_string_data(v, NULL), data);
    CHECK_OK(ouro_string_length(v, &got_length));
    CHECK_EQ(got_length, length);
    CHECK_OK(ouro_length(v, &got_length));
    CHECK_EQ(got_length, length);
}

static void test_strings(void)
{
    static const struct {
        const char *bytes;
        size_t size, length;
    } cases[] = {
        {"", 0, 0}, {"a", 1, 1}, {"abcdefgh", 8, 8}, {"abcdefghi", 9, 9}, {"a\0b", 3, 3}, {"\0", 1, 1},
        {"h\xc3\xa9llo", 6, 5}, {"\xe2\x82\xac", 3, 1}, {"\xf0\x9f\x98\x80", 4, 1}, {"\xf4\x8f\xbf\xbf", 4, 1}, {"\xef\xbf\xbe", 3, 1},
        {"abcdefg\xc3\xa9", 9, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ouro_value v, w;
        CHECK_OK(ouro_string_new(cases[i].bytes, cases[i].size, &v));
        check_string_is(v, cases[i].bytes, cases[i].size, cases[i].length);
        CHECK(!ouro_is_interned(v));
        CHECK_OK(ouro_intern(v, &w));
        check_string_is(w, cases[i].bytes, cases[i].size, cases[i].length);
        CHECK(ouro_is_interned(w));
        CHECK(equal(v, w) && key_equal(v, w));
        ouro_value_release(v);
        ouro_value_release(w);
    }
    ouro_value v;
    CHECK_OK(ouro_string_new(NULL, 0, &v));
    check_string_is(v, "", 0, 0);
    ouro_value_release(v);
    CHECK_OK(ouro_string_from("text", &v));
    check_string_is(v, "text", 4, 4);
    ouro_value_release(v);
}

static void test_strings_of_every_size(void)
{
    static char bytes[200001];
    for (size_t size = 0; size <= 200000; size = size < 300 ? size + 1 : size * 3) {
        ouro_value v;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)('a' + i % 26);
        if (!CHECK_OK(ouro_string_new(bytes, size, &v)))
            continue;
        check_string_is(v, bytes, size, size);
        ouro_value_release(v);
    }
}

static void test_what_is_no_string(void)
{
    static const char *const bad[] = {"\x80", "a\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
                                      "abcdefgh\xc3", "abcdefgh\xe2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ouro_value v = INT(1);
        CHECK_EQ(ouro_string_from(bad[i], &v), OURO_E_ENCODING);
        CHECK_EQ(v, OURO_NIL);
        v = INT(1);
        CHECK_EQ(ouro_intern_bytes(bad[i], strlen(bad[i]), &v), OURO_E_ENCODING);
        CHECK_EQ(v, OURO_NIL);
    }
    ouro_value v = INT(1);
    CHECK_EQ(ouro_string_new(NULL, 1, &v), OURO_E_INVALID);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(ouro_string_from(NULL, &v), OURO_E_INVALID);
    CHECK_EQ(ouro_string_new("a", 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_string_from("a", NULL), OURO_E_INVALID);
}

/* The same in code points, by hand. */
struct letters {
    const char *at[128];
    size_t count;
};

static struct letters letters_of(const char *utf8)
{
    struct letters all = {.count = 0};
    for (; *utf8; utf8++)
        if ((*utf8 & 0xc0) != 0x80)
            all.at[all.count++] = utf8;
    all.at[all.count] = utf8;
    return all;
}

static void slice_and_find(const char *utf8)
{
    struct letters l = letters_of(utf8);
    ouro_value v = text(utf8), part;
    ptrdiff_t n = (ptrdiff_t)l.count;
    for (ptrdiff_t start = -n - 2; start <= n + 2; start++)
        for (ptrdiff_t stop = -n - 2; stop <= n + 2; stop++) {
            ptrdiff_t from = start < 0 ? start + n : start, to = stop < 0 ? stop + n : stop;
            from = from < 0 ? 0 : from > n ? n : from;
            to = to < from ? from : to > n ? n : to;
            if (!CHECK_OK(ouro_string_slice(v, start, stop, &part)))
                continue;
            check_string_is(part, l.at[from], (size_t)(l.at[to] - l.at[from]), (size_t)(to - from));
            size_t at = 99;
            if (to > from) {
                CHECK_OK(ouro_string_find(v, part, 0, &at));
                CHECK_LE((ptrdiff_t)at, from);
            }
            CHECK_OK(ouro_string_find(v, part, from, &at));
            CHECK_EQ((ptrdiff_t)at, from);
            ouro_value_release(part);
        }
    CHECK_OK(ouro_string_slice(v, OURO_OMITTED, OURO_OMITTED, &part));
    CHECK(ouro_same(part, v)); /* all of it: itself */
    ouro_value_release(part);
    CHECK_OK(ouro_string_slice(v, PTRDIFF_MIN + 1, PTRDIFF_MAX, &part));
    CHECK(ouro_same(part, v));
    ouro_value_release(part);
    ouro_value_release(v);
}

static void test_slices(void)
{
    slice_and_find("");
    slice_and_find("a");
    slice_and_find("abcdefghijkl");
    slice_and_find("h\xc3\xa9llo w\xc3\xb6rld");
    slice_and_find("\xe2\x82\xac\xf0\x9f\x98\x80z\xc3\xa9\xe2\x82\xac");
}

static void test_find(void)
{
    ouro_value v = text("banana \xc3\xa9\xc3\xa8 banana"), part = text("ana"), none = text("nab"), empty = text(""), accent = text("\xc3\xa8");
    size_t at = 99;
    static const struct {
        ptrdiff_t start;
        long found; /* or -1 */
    } cases[] = {{0, 1}, {1, 1}, {2, 3}, {4, 11}, {-3, 13}, {-20, 1}, {14, -1}, {100, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_EQ(ouro_string_find(v, part, cases[i].start, &at), cases[i].found < 0 ? OURO_E_KEY : OURO_OK);
        CHECK_EQ(at, cases[i].found < 0 ? 0 : cases[i].found);
    }
    CHECK_EQ(ouro_string_find(v, none, 0, &at), OURO_E_KEY);
    CHECK_OK(ouro_string_find(v, accent, 0, &at));
    CHECK_EQ(at, 8);
    CHECK_OK(ouro_string_find(v, empty, 16, &at)); /* at the very end */
    CHECK_EQ(at, 16);
    CHECK_EQ(ouro_string_find(v, empty, 17, &at), OURO_E_KEY);
    ouro_value all[] = {v, part, none, empty, accent};
    ouro_value_release_all(all, 5);
}

static void test_concat(void)
{
    static const char *const parts[] = {"", "a", "\xc3\xa9", "longer than a block of the smallest size", "\xe2\x82\xac"};
    char expected[200];
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            ouro_value a = text(parts[i]), b = text(parts[k]), both;
            snprintf(expected, sizeof expected, "%s%s", parts[i], parts[k]);
            CHECK_OK(ouro_string_concat(a, b, &both));
            check_string_is(both, expected, strlen(expected), letters_of(expected).count);
            ouro_value_release(both);
            ouro_value_release(a);
            ouro_value_release(b);
        }
    ouro_value s = text("s"), v;
    CHECK_EQ(ouro_string_concat(s, INT(1), &v), OURO_E_TYPE);
    CHECK_EQ(ouro_string_concat(INT(1), s, &v), OURO_E_TYPE);
    ouro_value_release(s);
}

/* ---- Interned strings ---- */

static void test_interning(void)
{
    ouro_value a = interned("name"), b = interned("name"), c = interned("other"), d;
    CHECK_EQ(a, b);
    CHECK_NE(a, c);
    CHECK_OK(ouro_intern(a, &d));
    CHECK_EQ(d, a);
    ouro_value_release(d);
    CHECK_OK(ouro_intern_bytes("name", 4, &d));
    CHECK_EQ(d, a);
    ouro_value_release(d);
    CHECK_EQ(ouro_refcount(ouro_value_object(a)), 2);
    ouro_value_release(a);
    ouro_value_release(b);
    CHECK_LIVE(1); /* the table keeps nothing alive */
    a = interned("name");
    CHECK_REPR(a, "\"name\"");
    ouro_value_release(a);
    ouro_value_release(c);
    CHECK_OK(ouro_intern_bytes(NULL, 0, &a));
    b = interned("");
    CHECK_EQ(a, b);
    ouro_value_release(a);
    ouro_value_release(b);
    CHECK_EQ(ouro_intern_bytes(NULL, 1, &a), OURO_E_INVALID);
    CHECK_EQ(ouro_intern_bytes("a", 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_intern(INT(1), &a), OURO_E_TYPE);
    CHECK_EQ(ouro_intern(OURO_NIL, &a), OURO_E_TYPE);
    CHECK(!ouro_is_interned(OURO_NIL) && !ouro_is_interned(INT(20)));
}

/* More than the table begins with, so that it grows; and shrinks again. */
static void test_many_interned(void)
{
    enum { COUNT = SCALED(60000) };
    ouro_value *all = malloc(COUNT * sizeof *all);
    char name[32];
    long wrong = 0;
    REQUIRE(all);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            int n = snprintf(name, sizeof name, "key %d of round %d", i, round);
            REQUIRE(ouro_intern_bytes(name, (size_t)n, &all[i]) == OURO_OK);
        }
        for (int i = 0; i < COUNT; i++) {
            ouro_value again;
            int n = snprintf(name, sizeof name, "key %d of round %d", i, round);
            REQUIRE(ouro_intern_bytes(name, (size_t)n, &again) == OURO_OK);
            wrong += again != all[i];
            ouro_value_release(again);
        }
        ouro_value_release_all(all, COUNT);
    }
    CHECK_EQ(wrong, 0);
    CHECK_LIVE(0);
    free(all);
}

enum { NAMES = 8, HELD = 4 };

/* Everybody interns the same few names and drops them again. Two that are held at the same time and have the same bytes are one. */
static void intern_and_drop(struct member *self)
{
    ouro_value held[HELD] = {0};
    int which[HELD] = {0};
    long wrong = 0;
    char name[16];
    for (long i = 0; i < SCALED(60000); i++) {
        int h = (int)rng_below(&self->rng, HELD);
        ouro_value_release(held[h]);
        which[h] = (int)rng_below(&self->rng, NAMES);
        size_t size = (size_t)snprintf(name, sizeof name, "name %d", which[h]);
        REQUIRE(ouro_intern_bytes(name, size, &held[h]) == OURO_OK);
        wrong += strcmp(ouro_string_data(held[h], NULL), name) != 0;
        for (int k = 0; k < HELD; k++)
            wrong += held[k] && (held[k] == held[h]) != (which[k] == which[h]);
        ouro_value again;
        REQUIRE(ouro_intern_bytes(name, size, &again) == OURO_OK);
        wrong += again != held[h];
        ouro_value_release(again);
        if (rng_one_in(&self->rng, 64))
            yield_sometimes(&self->rng);
        if (rng_one_in(&self->rng, 256))
            ouro_safepoint();
    }
    CHECK_EQ(wrong, 0);
    ouro_value_release_all(held, HELD);
}

static void test_interning_by_many_threads(void)
{
    team_run(4, seed, intern_and_drop, NULL);
    CHECK_LIVE(0);
}

static void *look_at(void *arg)
{
    ouro_value *v = arg, again;
    CHECK_OK(ouro_intern_bytes("from elsewhere", 14, &again));
    CHECK_EQ(again, *v);
    ouro_value_release(again);
    return NULL;
}

/* An interned string is everybody's from birth; other strings are private. */
static void test_interned_is_shared(void)
{
    ouro_value v = interned("from elsewhere");
    thread_do(look_at, &v, 0);
    ouro_value_release(v);
}

/* ---- Bytes ---- */

static void check_bytes_are(ouro_value v, const void *bytes, size_t size)
{
    size_t got = 99;
    CHECK_EQ(ouro_kind_of(v), OURO_KIND_BYTES);
    const void *data = ouro_bytes_data(v, &got);
    CHECK_EQ(got, size);
    CHECK(data && memcmp(data, bytes, size) == 0);
    CHECK_PTR(ouro_bytes_data(v, NULL), data);
    CHECK_OK(ouro_bytes_length(v, &got));
    CHECK_EQ(got, size);
}

static void test_bytes(void)
{
    ouro_value v, w, both;
    unsigned char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    CHECK_OK(ouro_bytes_new(all, 256, &v));
    check_bytes_are(v, all, 256);
    CHECK_OK(ouro_bytes_slice(v, -6, -1, &w));
    check_bytes_are(w, all + 250, 5);
    CHECK_OK(ouro_bytes_concat(w, v, &both));
    unsigned char expected[261] = {0xfa, 0xfb, 0xfc, 0xfd, 0xfe};
    memcpy(expected + 5, all, 256);
    check_bytes_are(both, expected, 261);
    ouro_value_release(both);
    ouro_value_release(w);
    CHECK_OK(ouro_bytes_slice(v, 10, 5, &w));
    check_bytes_are(w, "", 0);
    CHECK_OK(ouro_bytes_concat(v, w, &both));
    CHECK_EQ(both, v);
    ouro_value_release(both);
    CHECK_OK(ouro_bytes_concat(w, v, &both));
    CHECK_EQ(both, v);
    ouro_value_release(both);
    ouro_value_release(w);
    CHECK_OK(ouro_bytes_slice(v, OURO_OMITTED, OURO_OMITTED, &w));
    CHECK_EQ(w, v);
    ouro_value_release(w);
    ouro_value_release(v);
    CHECK_OK(ouro_bytes_new(NULL, 1000, &v)); /* zeros */
    static const char zeros[1000];
    check_bytes_are(v, zeros, 1000);
    ouro_value_release(v);
    CHECK_EQ(ouro_bytes_new("a", 1, NULL), OURO_E_INVALID);
    v = INT(1);
    CHECK_EQ(ouro_bytes_new(NULL, SIZE_MAX, &v), OURO_E_NOMEM);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(ouro_bytes_new(NULL, SIZE_MAX / 2, &v), OURO_E_NOMEM);
}

int main(void)
{
    check_start("value_scalar_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_floats);
    FIXTURE_RUN(test_strings);
    FIXTURE_RUN(test_strings_of_every_size);
    FIXTURE_RUN(test_what_is_no_string);
    FIXTURE_RUN(test_slices);
    FIXTURE_RUN(test_find);
    FIXTURE_RUN(test_concat);
    FIXTURE_RUN(test_interning);
    FIXTURE_RUN(test_many_interned);
    FIXTURE_RUN(test_interning_by_many_threads);
    FIXTURE_RUN(test_interned_is_shared);
    FIXTURE_RUN(test_bytes);
    return check_finish();
}
