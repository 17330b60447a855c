/* SPDX-License-Identifier: MIT
 *
 * Iterators, one thread: over lists, tuples, dicts, sets, strings and ranges that change under them, private and shared. Each value that an
 * iterator gives, each end and each OURO_E_CHANGED is compared with an array that is gone over by a number. */
#include <stdbool.h>
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "support/misuse.h"

enum { ITEMS_MAX = 40, SOURCES_MAX = 12, ITERATORS_MAX = 32, STEPS_MAX = 500, ROOM_MAX = 20 };

struct source {
    ouro_value value;
    ouro_kind kind;
    size_t count;
    unsigned changes; /* how often a key was put in or taken out */
    int keys[ITEMS_MAX], values[ITEMS_MAX];
};

enum way { FORWARD, REVERSED, RANGE };
enum state { GOING, ENDED, CHANGED };

struct iterator {
    ouro_value value;
    struct source *source;
    enum way way;
    enum state state;
    ouro_part part;
    unsigned changes;  /* the source's, when it was made */
    int64_t at, count; /* RANGE, REVERSED: of so many */
    int64_t start, step;
};

static struct source sources[SOURCES_MAX];
static struct iterator iterators[ITERATORS_MAX];
static size_t source_count, iterator_count;
static struct fuzz_input input;

#define EXPECT(status, expected) FUZZ_CHECK((status) == (expected), expected)

static bool has_keys(const struct source *source)
{
    return source->kind == OURO_KIND_DICT || source->kind == OURO_KIND_SET;
}

static ouro_value int_of(int n)
{
    return ouro_int_new(n);
}

/* ---- sources ---- */

static size_t find(const struct source *source, int key)
{
    size_t i = 0;
    while (i < source->count && source->keys[i] != key)
        i++;
    return i;
}

static void insert_at(struct source *source, size_t at, int key, int value)
{
    for (size_t i = source->count++; i > at; i--)
        source->keys[i] = source->keys[i - 1], source->values[i] = source->values[i - 1];
    source->keys[at] = key;
    source->values[at] = value;
    source->changes++;
}

static void delete_at(struct source *source, size_t at)
{
    for (size_t i = at + 1; i < source->count; i++)
        source->keys[i - 1] = source->keys[i], source->values[i - 1] = source->values[i];
    source->count--;
    source->changes++;
}

static void make_source(void)
{
    static const ouro_kind kinds[] = {OURO_KIND_LIST, OURO_KIND_DICT, OURO_KIND_SET, OURO_KIND_TUPLE, OURO_KIND_STRING};
    ouro_value items[ITEMS_MAX];
    char text[2 * ITEMS_MAX];
    size_t bytes = 0;
    if (source_count == SOURCES_MAX)
        return;
    struct source *source = &sources[source_count++];
    *source = (struct source){.kind = kinds[fuzz_below(&input, 5)]};
    if (source->kind == OURO_KIND_TUPLE || source->kind == OURO_KIND_STRING)
        source->count = fuzz_below(&input, ITEMS_MAX);
    for (size_t i = 0; i < source->count; i++) {
        int n = source->keys[i] = (int)fuzz_byte(&input); /* of a string: the code point n + 1, of one byte or two */
        items[i] = int_of(n);
        if (n + 1 >= 0x80)
            text[bytes++] = (char)(0xc0 | (n + 1) >> 6);
        text[bytes++] = (char)(n + 1 >= 0x80 ? 0x80 | ((n + 1) & 0x3f) : n + 1);
    }
    switch (source->kind) {
    case OURO_KIND_LIST:
        source->value = ouro_list_new();
        break;
    case OURO_KIND_DICT:
        source->value = ouro_dict_new();
        break;
    case OURO_KIND_SET:
        source->value = ouro_set_new();
        break;
    case OURO_KIND_TUPLE:
        EXPECT(ouro_tuple_new(items, source->count, &source->value), OURO_OK);
        break;
    default:
        EXPECT(ouro_string_new(text, bytes, &source->value), OURO_OK);
    }
    FUZZ_CHECK(ouro_kind_of(source->value) == source->kind, source->kind);
}

static struct source *some_source(void)
{
    return source_count ? &sources[fuzz_below(&input, (unsigned)source_count)] : NULL;
}

static void change_list(struct source *list)
{
    unsigned how = fuzz_below(&input, 8);
    int item = (int)fuzz_byte(&input);
    size_t at = list->count ? fuzz_below(&input, (unsigned)list->count) : 0;
    if (how < 3 && list->count < ITEMS_MAX) {
        EXPECT(ouro_list_append(list->value, int_of(item)), OURO_OK);
        insert_at(list, list->count, item, 0);
    } else if (how == 3 && list->count < ITEMS_MAX) {
        EXPECT(ouro_list_insert(list->value, (ptrdiff_t)at, int_of(item)), OURO_OK);
        insert_at(list, at, item, 0);
    } else if (how == 4 && list->count) {
        EXPECT(ouro_list_set(list->value, (ptrdiff_t)at, int_of(item)), OURO_OK);
        list->keys[at] = item;
    } else if (how < 7 && list->count) {
        EXPECT(ouro_list_delete(list->value, (ptrdiff_t)at), OURO_OK);
        delete_at(list, at);
    } else if (how == 7) {
        EXPECT(ouro_list_clear(list->value), OURO_OK);
        list->count = 0;
    }
}

static void change_keys(struct source *source)
{
    bool dict = source->kind == OURO_KIND_DICT, flag;
    unsigned how = fuzz_below(&input, 8);
    int key = (int)fuzz_below(&input, ITEMS_MAX), value = (int)fuzz_byte(&input);
    size_t at = find(source, key);
    bool there = at < source->count;
    if (how < 5) {
        if (dict)
            EXPECT(ouro_dict_set(source->value, int_of(key), int_of(value)), OURO_OK);
        else
            EXPECT(ouro_set_add(source->value, int_of(key), &flag), OURO_OK);
        if (!there)
            insert_at(source, at, key, value);
        source->values[at] = value;
    } else if (how < 7) {
        if (dict)
            EXPECT(ouro_dict_delete(source->value, int_of(key)), there ? OURO_OK : OURO_E_KEY);
        else
            EXPECT(ouro_set_discard(source->value, int_of(key), &flag), OURO_OK);
        if (there)
            delete_at(source, at);
    } else {
        EXPECT(dict ? ouro_dict_clear(source->value) : ouro_set_clear(source->value), OURO_OK);
        source->changes += source->count != 0;
        source->count = 0;
    }
}

static void change(void)
{
    struct source *source = some_source();
    if (source && source->kind == OURO_KIND_LIST)
        change_list(source);
    else if (source && has_keys(source))
        change_keys(source);
}

/* ---- iterators ---- */

static void make_iterator(void)
{
    struct source *source = some_source();
    unsigned how = fuzz_below(&input, 8);
    if (!source || iterator_count == ITERATORS_MAX)
        return;
    struct iterator *made = &iterators[iterator_count];
    *made = (struct iterator){.source = source, .changes = source->changes, .count = (int64_t)source->count};
    bool in_order = source->kind == OURO_KIND_LIST || source->kind == OURO_KIND_TUPLE;
    if (how < 4) {
        EXPECT(ouro_iterate(source->value, &made->value), OURO_OK);
    } else if (how < 6 && in_order) {
        made->way = REVERSED;
        EXPECT(ouro_iterate_reversed(source->value, &made->value), OURO_OK);
    } else if (how < 7 && source->kind == OURO_KIND_DICT) {
        made->part = (ouro_part)fuzz_below(&input, 3);
        EXPECT(ouro_iterate_part(source->value, made->part, &made->value), OURO_OK);
    } else if (how == 7) {
        int64_t start = (int8_t)fuzz_byte(&input), stop = (int8_t)fuzz_byte(&input), step = (int8_t)fuzz_byte(&input), n = 0;
        ouro_status status = ouro_iterate_range(start, stop, step, &made->value);
        EXPECT(status, step ? OURO_OK : OURO_E_INVALID);
        for (int64_t i = start; step && (step > 0 ? i < stop : i > stop); i += step)
            n++;
        made->source = NULL;
        made->way = RANGE;
        made->start = start;
        made->step = step;
        made->count = n;
    } else {
        ouro_value none;
        EXPECT(ouro_iterate_reversed(source->value, &none), in_order ? OURO_OK : OURO_E_TYPE);
        ouro_value_release(none);
    }
    iterator_count += made->value != OURO_NIL;
}

/* What comes next, as the model has it. */
static ouro_status next(struct iterator *iterator, int64_t *key, int64_t *value)
{
    const struct source *source = iterator->source;
    if (iterator->state != GOING)
        return iterator->state == ENDED ? OURO_E_END : OURO_E_CHANGED;
    if (source && has_keys(source) && source->changes != iterator->changes) {
        iterator->state = CHANGED;
        return OURO_E_CHANGED;
    }
    int64_t at = iterator->at, count = iterator->way == FORWARD ? (int64_t)source->count : iterator->count;
    if (iterator->way == REVERSED)
        at = count - 1 - at;
    if (iterator->at >= count || (iterator->way == REVERSED && at >= (int64_t)source->count)) { /* it has got shorter */
        iterator->state = ENDED;
        return OURO_E_END;
    }
    iterator->at++;
    *key = iterator->way == RANGE ? iterator->start + at * iterator->step : source->keys[at];
    *value = source ? source->values[at] : 0;
    return OURO_OK;
}

static void expect_int(ouro_value got, int64_t expected)
{
    FUZZ_CHECK(got == ouro_int_new(expected), expected);
}

/* Takes over the reference. */
static void expect_item(const struct iterator *iterator, ouro_value got, int64_t key, int64_t value)
{
    ouro_kind kind = iterator->source ? iterator->source->kind : OURO_KIND_INT;
    if (kind == OURO_KIND_STRING) {
        size_t size;
        const unsigned char *s = (const unsigned char *)ouro_string_data(got, &size);
        FUZZ_CHECK(size == (key + 1 < 0x80 ? 1u : 2u) && (size == 1 ? s[0] : (s[0] & 0x1f) << 6 | (s[1] & 0x3f)) == key + 1, key);
    } else if (iterator->part == OURO_ITEMS) {
        ouro_value item;
        EXPECT(ouro_tuple_get(got, 0, &item), OURO_OK);
        expect_int(item, key);
        EXPECT(ouro_tuple_get(got, 1, &item), OURO_OK);
        expect_int(item, value);
    } else {
        expect_int(got, iterator->part == OURO_VALUES ? value : key);
    }
    ouro_value_release(got);
}

static void take_some(struct iterator *iterator)
{
    ouro_value got[ROOM_MAX];
    size_t room = 1 + fuzz_below(&input, ROOM_MAX), count;
    int64_t key, value;
    ouro_status status = ouro_iterator_next_all(iterator->value, got, room, &count), expected = OURO_OK;
    for (size_t i = 0; i < room && expected == OURO_OK; i++) {
        expected = next(iterator, &key, &value);
        FUZZ_CHECK((expected == OURO_OK) == (i < count), count);
        if (expected == OURO_OK)
            expect_item(iterator, got[i], key, value);
    }
    EXPECT(status, count ? OURO_OK : expected);
}

static void take(void)
{
    if (!iterator_count)
        return;
    struct iterator *iterator = &iterators[fuzz_below(&input, (unsigned)iterator_count)];
    unsigned how = fuzz_below(&input, 4);
    ouro_value got, second;
    int64_t key = 0, value = 0;
    if (how == 3) {
        take_some(iterator);
    } else if (how == 2 && (!iterator->source || iterator->source->kind != OURO_KIND_DICT)) {
        EXPECT(ouro_iterator_next_pair(iterator->value, &got, &second), OURO_E_TYPE);
    } else if (how == 2) {
        ouro_status status = ouro_iterator_next_pair(iterator->value, &got, &second);
        EXPECT(status, next(iterator, &key, &value));
        if (status == OURO_OK)
            expect_int(got, key), expect_int(second, value);
    } else {
        ouro_status status = ouro_iterator_next(iterator->value, &got);
        EXPECT(status, next(iterator, &key, &value));
        if (status == OURO_OK)
            expect_item(iterator, got, key, value);
    }
}

static void step(void)
{
    unsigned operation = fuzz_below(&input, 16);
    if (operation < 2) {
        make_source();
    } else if (operation < 7) {
        change();
    } else if (operation < 9) {
        make_iterator();
    } else if (operation < 14) {
        take();
    } else if (operation == 14) {
        struct source *source = some_source();
        if (source)
            ouro_value_share(source->value);
        else if (iterator_count)
            ouro_value_share(iterators[fuzz_below(&input, (unsigned)iterator_count)].value);
    } else {
        if (iterator_count && fuzz_below(&input, 2))
            ouro_value_share(iterators[fuzz_below(&input, (unsigned)iterator_count)].value);
        else
            FUZZ_CHECK(ouro_gc_collect((int)fuzz_below(&input, 3)) >= 0, 0);
    }
}

const long fuzz_runs = 8000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned runs;
    input = (struct fuzz_input){data, size};
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT | OURO_GC_DISABLED, .misuse = misuse_hook};
    EXPECT(ouro_init(&config), OURO_OK);
    source_count = iterator_count = 0;
    for (int i = 0; i < STEPS_MAX && input.left; i++)
        step();
    for (size_t i = 0; i < source_count; i++) /* iterators hold what they go over */
        ouro_value_release(sources[i].value);
    for (size_t i = 0; i < iterator_count; i++) {
        int64_t key, value;
        ouro_value got;
        ouro_status status = ouro_iterator_next(iterators[i].value, &got);
        EXPECT(status, next(&iterators[i], &key, &value));
        if (status == OURO_OK)
            expect_item(&iterators[i], got, key, value);
        ouro_value_release(iterators[i].value);
    }
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
    ouro_leak_report report;
    if (++runs % 16 == 0) { /* every input would mostly be starting and ending */
        EXPECT(ouro_shutdown(&report), OURO_OK);
        FUZZ_CHECK(report.objects == 0, report.objects);
    }
    return 0;
}
