/* SPDX-License-Identifier: MIT
 *
 * Shapes and records, one thread, private and shared: what the bytes say is done to them and to plain arrays of numbers. Names are
 * written anew for each call: they count by content. */
#include <stdbool.h>
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "support/misuse.h"

enum { NAMES = 24, FIELDS_MAX = 20, SHAPES_MAX = 24, RECORDS_MAX = 32, STEPS_MAX = 500 };

struct shape {
    ouro_value value;
    int name, fields[FIELDS_MAX];
    size_t count;
};

struct record {
    ouro_value value;
    const struct shape *shape;
    ouro_value values[FIELDS_MAX]; /* integers, nil, or records that live as long as the input */
};

static struct shape shapes[SHAPES_MAX];
static struct record records[RECORDS_MAX];
static size_t shape_count, record_count;
static struct fuzz_input input;

#define EXPECT(status, expected) FUZZ_CHECK((status) == (expected), expected)

static ouro_value name_of(int n)
{
    ouro_value name;
    char text[] = "a field's name";
    text[0] = (char)('a' + n);
    EXPECT(ouro_string_new(text, n % 2 ? 1 : sizeof text - 1, &name), OURO_OK);
    return name;
}

/* Takes over the reference. */
static void expect_name(ouro_value got, int n)
{
    bool equal;
    ouro_value name = name_of(n);
    EXPECT(ouro_key_equal(got, name, &equal), OURO_OK);
    FUZZ_CHECK(equal, n);
    ouro_value_release(name);
    ouro_value_release(got);
}

static void expect_value(ouro_value got, ouro_value expected)
{
    FUZZ_CHECK(got == expected, expected);
    ouro_value_release(got);
}

static size_t field_of(const struct shape *shape, int name)
{
    size_t i = 0;
    while (i < shape->count && shape->fields[i] != name)
        i++;
    return i; /* count: there is none */
}

static bool is_same(const struct shape *a, const struct shape *b)
{
    return a->name == b->name && a->count == b->count && memcmp(a->fields, b->fields, a->count * sizeof *a->fields) == 0;
}

static ouro_value some_value(void)
{
    unsigned n = fuzz_byte(&input);
    if (n >= 200 && record_count)
        return records[n % record_count].value;
    return n == 0 ? OURO_NIL : ouro_int_new(n % 8);
}

/* ---- making ---- */

static void check_shape(const struct shape *shape)
{
    size_t n;
    ouro_value name, none;
    EXPECT(ouro_shape_length(shape->value, &n), OURO_OK);
    FUZZ_CHECK(n == shape->count, n);
    EXPECT(ouro_shape_name(shape->value, &name), OURO_OK);
    expect_name(name, shape->name);
    for (size_t i = 0; i < shape->count; i++) {
        EXPECT(ouro_shape_field(shape->value, i, &name), OURO_OK);
        expect_name(name, shape->fields[i]);
    }
    EXPECT(ouro_shape_field(shape->value, shape->count, &none), OURO_E_INDEX);
    for (int i = 0; i < NAMES; i++) {
        name = name_of(i);
        size_t at = field_of(shape, i);
        EXPECT(ouro_shape_index(shape->value, name, &n), at < shape->count ? OURO_OK : OURO_E_KEY);
        FUZZ_CHECK(at == shape->count || n == at, n);
        ouro_value_release(name);
    }
}

/* A shape, or the shape and a record of it at once. */
static void make_shape(bool with_record)
{
    ouro_value fields[FIELDS_MAX], values[FIELDS_MAX], made = OURO_NIL;
    struct shape shape = {.name = (int)fuzz_below(&input, 4), .count = fuzz_below(&input, FIELDS_MAX + 1)};
    bool twice = false;
    unsigned first = fuzz_byte(&input), stride = fuzz_byte(&input), odd = fuzz_byte(&input);
    if (shape_count == SHAPES_MAX || record_count == RECORDS_MAX)
        return;
    for (size_t i = 0; i < shape.count; i++) { /* mostly names that differ, now and then one that does not */
        int name = (int)((first + i * (stride % 2 ? stride : 1)) % NAMES);
        shape.fields[i] = odd == i ? (int)fuzz_below(&input, NAMES) : name;
        for (size_t k = 0; k < i; k++)
            twice = twice || shape.fields[k] == shape.fields[i];
        fields[i] = name_of(shape.fields[i]);
        values[i] = with_record ? some_value() : OURO_NIL;
    }
    ouro_value name = name_of(shape.name);
    ouro_status status = with_record ? ouro_record_from(name, fields, values, shape.count, &made) : ouro_shape_new(name, fields, shape.count, &made);
    EXPECT(status, twice ? OURO_E_INVALID : OURO_OK);
    ouro_value_release(name);
    ouro_value_release_all(fields, shape.count);
    if (twice) {
        FUZZ_CHECK(made == OURO_NIL, 0);
        return;
    }
    shape.value = made;
    if (with_record)
        EXPECT(ouro_record_shape(made, &shape.value), OURO_OK);
    for (size_t i = 0; i < shape_count; i++)
        FUZZ_CHECK((shapes[i].value == shape.value) == is_same(&shapes[i], &shape), i);
    shapes[shape_count] = shape;
    check_shape(&shapes[shape_count]);
    if (with_record) {
        struct record *record = &records[record_count++];
        *record = (struct record){.value = made, .shape = &shapes[shape_count]};
        memcpy(record->values, values, shape.count * sizeof *values);
    }
    shape_count++;
}

static void make_record(void)
{
    if (!shape_count || record_count == RECORDS_MAX)
        return;
    struct record record = {.shape = &shapes[fuzz_below(&input, (unsigned)shape_count)]};
    bool empty = fuzz_below(&input, 2);
    for (size_t i = 0; i < record.shape->count; i++)
        record.values[i] = empty ? OURO_NIL : some_value();
    EXPECT(ouro_record_new(record.shape->value, empty ? NULL : record.values, &record.value), OURO_OK);
    records[record_count++] = record;
}

/* ---- using ---- */

static void check_record(const struct record *record)
{
    size_t n;
    ouro_value got, iterator;
    EXPECT(ouro_record_length(record->value, &n), OURO_OK);
    FUZZ_CHECK(n == record->shape->count, n);
    EXPECT(ouro_record_shape(record->value, &got), OURO_OK);
    expect_value(got, record->shape->value);
    EXPECT(ouro_iterate(record->value, &iterator), OURO_OK);
    for (size_t i = 0; i < n; i++) {
        EXPECT(ouro_record_get_at(record->value, i, &got), OURO_OK);
        expect_value(got, record->values[i]);
        EXPECT(ouro_iterator_next(iterator, &got), OURO_OK);
        expect_value(got, record->values[i]);
    }
    EXPECT(ouro_iterator_next(iterator, &got), OURO_E_END);
    ouro_value_release(iterator);
    EXPECT(ouro_record_get_at(record->value, n, &got), OURO_E_INDEX);
}

static void use(struct record *record)
{
    int n = (int)fuzz_below(&input, NAMES);
    unsigned how = fuzz_below(&input, 8);
    size_t count = record->shape->count, at = field_of(record->shape, n);
    if (how < 6 && at == count && count) { /* one that there is, mostly */
        at = (size_t)n % count;
        n = record->shape->fields[at];
    }
    ouro_status expected = at < count ? OURO_OK : OURO_E_KEY;
    ouro_value name = name_of(n), got, was = at < count ? record->values[at] : OURO_NIL, value = some_value();
    bool done;
    switch (how % 6) {
    case 0:
        EXPECT(ouro_record_get(record->value, name, &got), expected);
        expect_value(got, was);
        break;
    case 1:
        EXPECT(ouro_record_set(record->value, name, value), expected);
        was = value;
        break;
    case 2:
        EXPECT(ouro_record_swap(record->value, name, value, &got), expected);
        expect_value(got, was);
        was = value;
        break;
    case 3:
        EXPECT(ouro_record_set_at(record->value, at, value), at < count ? OURO_OK : OURO_E_INDEX);
        was = value;
        break;
    default: {
        ouro_value held = fuzz_below(&input, 2) ? was : some_value();
        EXPECT(ouro_record_compare_set(record->value, name, held, value, &done), expected);
        FUZZ_CHECK(done == (at < count && held == was), done);
        was = done ? value : was;
    }
    }
    if (at < count)
        record->values[at] = was;
    ouro_value_release(name);
    check_record(record);
}

/* Equal: of one shape, and with equal values. With records in them, it is for values_fuzz.c's like to say. */
static void compare(const struct record *a, const struct record *b)
{
    bool equal, expected = is_same(a->shape, b->shape);
    for (size_t i = 0; i < a->shape->count; i++) {
        if (!ouro_is_int(a->values[i]) && a->values[i] != OURO_NIL)
            return;
        expected = expected && a->values[i] == b->values[i];
    }
    EXPECT(ouro_equal(a->value, b->value, &equal), OURO_OK);
    FUZZ_CHECK(equal == expected, equal);
}

static void step(void)
{
    unsigned operation = fuzz_below(&input, 16);
    if (operation < 3) {
        make_shape(operation == 2);
    } else if (operation < 5) {
        make_record();
    } else if (operation == 5) {
        FUZZ_CHECK(ouro_gc_collect((int)fuzz_below(&input, 3)) >= 0, 0);
    } else if (record_count) {
        struct record *record = &records[fuzz_below(&input, (unsigned)record_count)];
        if (operation == 6)
            ouro_value_share(record->value);
        else if (operation == 7)
            compare(record, &records[fuzz_below(&input, (unsigned)record_count)]);
        else
            use(record);
    }
}

const long fuzz_runs = 4000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned runs;
    input = (struct fuzz_input){data, size};
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT | OURO_GC_DISABLED, .misuse = misuse_hook};
    EXPECT(ouro_init(&config), OURO_OK);
    shape_count = record_count = 0;
    for (int i = 0; i < STEPS_MAX && input.left; i++)
        step();
    for (size_t i = 0; i < record_count; i++)
        check_record(&records[i]);
    for (size_t i = 0; i < record_count; i++)
        ouro_value_release(records[i].value);
    for (size_t i = 0; i < shape_count; i++)
        ouro_value_release(shapes[i].value);
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
    ouro_leak_report report;
    if (++runs % 16 == 0) { /* every input would mostly be starting and ending */
        EXPECT(ouro_shutdown(&report), OURO_OK);
        FUZZ_CHECK(report.objects == 0, report.objects);
    }
    return 0;
}
