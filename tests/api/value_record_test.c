/* SPDX-License-Identifier: MIT
 *
 * Records and their shapes: one shape for the same name and fields, fields found whichever string names them, values set and swapped, cycles,
 * many threads at one record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/threads.h"
#include "support/values.h"

static uint64_t seed;

static ouro_value shape_of(const char *name, size_t count, const char *const *fields)
{
    ouro_value n = text(name), *f = malloc((count + 1) * sizeof *f), shape;
    REQUIRE(f);
    for (size_t i = 0; i < count; i++)
        f[i] = text(fields[i]);
    REQUIRE(ouro_shape_new(n, f, count, &shape) == OURO_OK);
    ouro_value_release_all(f, count);
    ouro_value_release(n);
    free(f);
    return shape;
}

static const char *const xy[] = {"x", "y"}, *const yx[] = {"y", "x"};

static void test_shapes_are_shared(void)
{
    ouro_value a = shape_of("point", 2, xy), b = shape_of("point", 2, xy), c = shape_of("point", 2, yx), d = shape_of("pair", 2, xy),
               e = shape_of("point", 1, xy), f = shape_of("point", 0, xy);
    CHECK_EQ(a, b);
    CHECK(a != c && a != d && a != e && a != f && c != d);
    CHECK_EQ(ouro_kind_of(a), OURO_KIND_SHAPE);
    CHECK(equal(a, b) && !equal(a, c));
    size_t n = 99;
    CHECK_OK(ouro_shape_length(a, &n));
    CHECK_EQ(n, 2);
    CHECK_OK(ouro_shape_length(f, &n));
    CHECK_EQ(n, 0);
    ouro_value all[] = {a, b, c, d, e, f};
    ouro_value_release_all(all, 6);
    CHECK_LIVE(0);
    a = shape_of("point", 2, xy); /* and once more, from nothing */
    ouro_value_release(a);
}

static void test_shapes_tell(void)
{
    ouro_value shape = shape_of("point", 2, xy), v, x = text("x"), y = interned("y"), z = text("z");
    size_t at = 99;
    CHECK_OK(ouro_shape_name(shape, &v));
    CHECK_REPR(v, "\"point\"");
    ouro_value_release(v);
    CHECK_OK(ouro_shape_field(shape, 1, &v));
    CHECK_EQ(v, y);
    ouro_value_release(v);
    CHECK_EQ(ouro_shape_field(shape, 2, &v), OURO_E_INDEX);
    CHECK_EQ(v, OURO_NIL);
    CHECK_OK(ouro_shape_index(shape, y, &at));
    CHECK_EQ(at, 1);
    CHECK_OK(ouro_shape_index(shape, x, &at));
    CHECK_EQ(at, 0);
    CHECK_EQ(ouro_shape_index(shape, z, &at), OURO_E_KEY);
    CHECK_EQ(ouro_shape_index(shape, INT(0), &at), OURO_E_TYPE);
    CHECK_EQ(ouro_shape_index(x, x, &at), OURO_E_TYPE);
    CHECK_REPR(shape, "<shape>");
    ouro_value all[] = {shape, x, y, z};
    ouro_value_release_all(all, 4);
}

/* From none to the most there can be, through both ways of finding a field. */
static void test_many_fields(void)
{
    static const size_t counts[] = {0, 1, 7, 8, 9, 10, 16, 17, 100, 1000, OURO_RECORD_FIELDS_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t count = counts[i];
        ouro_value *fields = malloc((count + 1) * sizeof *fields), *values = malloc((count + 1) * sizeof *values), r, v, name = text("wide");
        char field[32];
        long wrong = 0;
        REQUIRE(fields && values);
        for (size_t k = 0; k <= count; k++) {
            snprintf(field, sizeof field, "field %zu", k * 7919 % 100003);
            fields[k] = text(field);
            values[k] = INT((int64_t)k);
        }
        if (!CHECK_OK(ouro_record_from(name, fields, values, count, &r)))
            continue;
        for (size_t k = 0; k < count; k++) {
            ouro_value same = k % 2 ? ouro_value_retain(fields[k]) : interned(ouro_string_data(fields[k], NULL));
            wrong += ouro_record_get(r, same, &v) != OURO_OK || v != INT((int64_t)k);
            ouro_value_release(same);
        }
        CHECK_EQ(wrong, 0);
        CHECK_EQ(ouro_record_get(r, fields[count], &v), OURO_E_KEY);
        ouro_value other = interned(ouro_string_data(fields[count], NULL));
        CHECK_EQ(ouro_record_get(r, other, &v), OURO_E_KEY);
        ouro_value_release(other);
        ouro_value_release(r);
        if (count > 1) { /* one twice: the first, last */
            ouro_value last = fields[count - 1];
            fields[count - 1] = fields[0];
            CHECK_EQ(ouro_record_from(name, fields, values, count, &r), OURO_E_INVALID);
            CHECK_EQ(r, OURO_NIL);
            fields[count - 1] = last;
        }
        if (count == OURO_RECORD_FIELDS_MAX)
            CHECK_EQ(ouro_record_from(name, fields, values, count + 1, &r), OURO_E_INVALID);
        ouro_value_release_all(fields, count + 1);
        ouro_value_release(name);
        free(fields);
        free(values);
    }
    CHECK_LIVE(0);
}

static void record_in_use(bool shared)
{
    long before = finalized();
    ouro_value r = record_of("point", 2, "x", INT(1), "y", ouro_value_of(leaf_new(2))), x = text("x"), y = text("y"), z = text("z"), v;
    size_t n = 99;
    bool done = false;
    if (shared)
        ouro_value_share(r);
    CHECK_EQ(ouro_kind_of(r), OURO_KIND_RECORD);
    CHECK_STR(ouro_value_type_name(r), "point");
    CHECK_OK(ouro_record_length(r, &n));
    CHECK_EQ(n, 2);
    CHECK_OK(ouro_length(r, &n));
    CHECK_EQ(n, 2);
    CHECK_OK(ouro_record_get(r, x, &v));
    CHECK_EQ(v, INT(1));
    CHECK_OK(ouro_record_get_at(r, 1, &v));
    CHECK(ouro_is_object(v));
    CHECK_EQ(ouro_refcount(ouro_value_object(v)), 2);
    ouro_value_release(v);
    CHECK_OK(ouro_record_set(r, y, INT(5))); /* the leaf goes */
    CHECK_EQ(finalized() - before, 1);
    CHECK_OK(ouro_record_set_at(r, 0, x));
    CHECK_OK(ouro_record_swap(r, x, y, &v));
    CHECK_EQ(v, x);
    ouro_value_release(v);
    CHECK_OK(ouro_record_compare_set(r, x, x, INT(1), &done));
    CHECK(!done);
    CHECK_OK(ouro_record_compare_set(r, x, y, INT(1), &done));
    CHECK(done);
    CHECK_REPR(r, "point(x=1, y=5)");
    CHECK_EQ(ouro_record_get(r, z, &v), OURO_E_KEY);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(ouro_record_set(r, z, INT(1)), OURO_E_KEY);
    CHECK_EQ(ouro_record_swap(r, z, INT(1), &v), OURO_E_KEY);
    CHECK_EQ(ouro_record_compare_set(r, z, INT(1), INT(1), &done), OURO_E_KEY);
    CHECK(!done);
    CHECK_EQ(ouro_record_get_at(r, 2, &v), OURO_E_INDEX);
    CHECK_EQ(ouro_record_set_at(r, SIZE_MAX, v), OURO_E_INDEX);
    CHECK_EQ(ouro_record_get(r, INT(0), &v), OURO_E_TYPE);
    CHECK_EQ(ouro_record_set(r, OURO_NIL, INT(0)), OURO_E_TYPE);
    CHECK_REPR(r, "point(x=1, y=5)");
    ouro_value all[] = {r, x, y, z};
    ouro_value_release_all(all, 4);
}

static void test_fields(void)
{
    record_in_use(false);
    record_in_use(true);
}

static void test_new_of_a_shape(void)
{
    ouro_value shape = shape_of("point", 2, xy), r, q, same, values[] = {INT(3), INT(4)};
    CHECK_OK(ouro_record_new(shape, NULL, &r));
    CHECK_REPR(r, "point(x=nil, y=nil)");
    CHECK_OK(ouro_record_new(shape, values, &q));
    CHECK_REPR(q, "point(x=3, y=4)");
    CHECK_OK(ouro_record_shape(q, &same));
    CHECK_EQ(same, shape);
    ouro_value_release(same);
    CHECK(!equal(r, q));
    CHECK_OK(ouro_record_set_at(r, 0, INT(3)));
    CHECK_OK(ouro_record_set_at(r, 1, INT(4)));
    CHECK(equal(r, q));
    CHECK(!key_equal(r, q)); /* by identity */
    CHECK_EQ(ouro_record_new(r, values, &same), OURO_E_TYPE);
    CHECK_EQ(ouro_record_new(OURO_NIL, values, &same), OURO_E_TYPE);
    ouro_value all[] = {shape, r, q};
    ouro_value_release_all(all, 3);
    CHECK_EQ(ouro_shape_new(INT(1), NULL, 0, &same), OURO_E_TYPE);
    ouro_value name = text("n"), bad[] = {name, INT(1)};
    CHECK_EQ(ouro_shape_new(name, bad, 2, &same), OURO_E_TYPE);
    CHECK_EQ(same, OURO_NIL);
    CHECK_EQ(ouro_shape_new(name, NULL, 1, &same), OURO_E_INVALID);
    ouro_value_release(name);
}

/* A record that holds itself is a cycle like any other. */
static void test_cycles(void)
{
    for (int shared = 0; shared < 2; shared++) {
        ouro_value r = record_of("ring", 2, "next", OURO_NIL, "leaf", ouro_value_of(leaf_new(1))), next = text("next");
        CHECK_OK(ouro_record_set(r, next, r));
        if (shared)
            ouro_value_share(r);
        ouro_value_release(r);
        CHECK_EQ(ouro_gc_collect(shared ? 2 : 0), 1);
        CHECK_EQ(finalized(), shared + 1);
        ouro_value_release(next);
        CHECK_LIVE(0);
    }
}

enum { THREADS = 4, FIELDS = 3 };

struct work {
    ouro_value record, fields[FIELDS];
    long rounds;
};

/* Everybody counts a field up by compare_set, and reads and swaps the others, which hold pairs of a number and its double. */
static void use_record(struct member *self)
{
    struct work *w = self->arg;
    long wrong = 0;
    for (long i = 0; i < w->rounds; i++) {
        for (bool done = false; !done;) {
            ouro_value old;
            REQUIRE(ouro_record_get(w->record, w->fields[0], &old) == OURO_OK);
            REQUIRE(ouro_record_compare_set(w->record, w->fields[0], old, INT(ouro_int_value(old) + 1), &done) == OURO_OK);
        }
        ouro_value v, field = w->fields[1 + rng_below(&self->rng, 2)];
        int64_t n = rng_below(&self->rng, 1000);
        ouro_value pair = tuple_of(2, number((double)n), number(2.0 * (double)n));
        if (rng_one_in(&self->rng, 2))
            REQUIRE(ouro_record_swap(w->record, field, pair, &v) == OURO_OK);
        else
            REQUIRE(ouro_record_set(w->record, field, pair) == OURO_OK && ouro_record_get(w->record, field, &v) == OURO_OK);
        ouro_value_release(pair);
        if (v != OURO_NIL) {
            const ouro_value *two = ouro_tuple_items(v, NULL);
            wrong += !two || ouro_float_value(two[1]) != 2 * ouro_float_value(two[0]);
        }
        ouro_value_release(v);
    }
    CHECK_EQ(wrong, 0);
}

static void test_many_threads(void)
{
    struct work w = {record_of("work", 3, "count", INT(0), "a", OURO_NIL, "b", OURO_NIL), {text("count"), text("a"), text("b")}, SCALED(20000)};
    ouro_value_share(w.record);
    ouro_value_share(w.fields[0]);
    ouro_value_share(w.fields[1]);
    ouro_value_share(w.fields[2]);
    team_run(THREADS, seed, use_record, &w);
    ouro_value v;
    CHECK_OK(ouro_record_get(w.record, w.fields[0], &v));
    CHECK_EQ(ouro_int_value(v), THREADS * w.rounds);
    ouro_value_release(w.record);
    ouro_value_release_all(w.fields, FIELDS);
    CHECK_LIVE(0);
}

/* Threads make and drop records of a few shapes: two that are alive at the same time and look the same have one shape. */
static void make_and_drop(struct member *self)
{
    ouro_value held[4] = {0};
    int which[4] = {0};
    long wrong = 0;
    char name[16];
    for (long i = 0; i < SCALED(15000); i++) {
        int h = (int)rng_below(&self->rng, 4);
        ouro_value_release(held[h]);
        which[h] = (int)rng_below(&self->rng, 6);
        snprintf(name, sizeof name, "shape %d", which[h] / 2);
        held[h] = which[h] % 2 ? record_of(name, 2, "a", INT(1), "b", INT(2)) : record_of(name, 2, "b", INT(1), "a", INT(2));
        for (int k = 0; k < 4; k++) {
            ouro_value a, b;
            if (!held[k])
                continue;
            REQUIRE(ouro_record_shape(held[k], &a) == OURO_OK && ouro_record_shape(held[h], &b) == OURO_OK);
            wrong += (a == b) != (which[k] == which[h]);
            ouro_value_release(a);
            ouro_value_release(b);
        }
        if (rng_one_in(&self->rng, 64))
            yield_sometimes(&self->rng);
    }
    CHECK_EQ(wrong, 0);
    ouro_value_release_all(held, 4);
}

static void test_shapes_by_many_threads(void)
{
    team_run(THREADS, seed, make_and_drop, NULL);
    CHECK_LIVE(0);
}

static void *foreign(void *arg)
{
    ouro_value *r = arg, v, x = text("x");
    CHECK_EQ(ouro_record_get(*r, x, &v), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_record_get", "record", ouro_value_object(*r));
    CHECK_EQ(ouro_record_set(*r, x, OURO_NIL), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_record_set", "record", ouro_value_object(*r));
    CHECK_EQ(ouro_repr(*r, &v), OURO_E_USAGE);
    misuse_forget();
    ouro_value_release(x);
    return NULL;
}

static void test_private_to_another_thread(void)
{
    ouro_value r = record_of("mine", 1, "x", INT(1));
    thread_do(foreign, &r, 0);
    CHECK_REPR(r, "mine(x=1)");
    ouro_value_release(r);
}

/* Used after its death, in a read section, which sees to it that the block is still what it was: what was found there may have died, so nothing
 * is reported. */
static void test_dead(void)
{
    ouro_value r = record_of("dead", 1, "x", INT(1)), x = text("x"), v = INT(1);
    ouro_value_share(r);
    ouro_read_begin();
    ouro_value_release(r);
    CHECK_EQ(ouro_record_get(r, x, &v), OURO_E_USAGE);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(ouro_record_set_at(r, 0, INT(2)), OURO_E_USAGE);
    CHECK_EQ(ouro_copy_deep(r, &v), OURO_E_USAGE);
    CHECK_EQ(misuse_count(), 0);
    ouro_read_end();
    ouro_value_release(x);
}

int main(void)
{
    check_start("value_record_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_shapes_are_shared);
    FIXTURE_RUN(test_shapes_tell);
    FIXTURE_RUN(test_many_fields);
    FIXTURE_RUN(test_fields);
    FIXTURE_RUN(test_new_of_a_shape);
    FIXTURE_RUN(test_cycles);
    FIXTURE_RUN(test_many_threads);
    FIXTURE_RUN(test_shapes_by_many_threads);
    FIXTURE_RUN(test_private_to_another_thread);
    FIXTURE_RUN(test_dead);
    return check_finish();
}
