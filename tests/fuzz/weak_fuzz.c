/* SPDX-License-Identifier: MIT
 *
 * Weak maps of each kind and weak sets, one thread: what the bytes say is done to them and to plain arrays of entries. Keys and values are
 * lists without elements, held by the input or by entries, and counted by the model: an object of which the count gets to 0 is dead at once, and
 * the entries that it is a weak side of go, with what these hold. After each operation each map's content is the model's, in order. */
#include <stdbool.h>
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "support/misuse.h"

enum { OBJECTS = 16, ENTRIES_MAX = 64, MAPS_MAX = 6, STEPS_MAX = 400, NUMBER = 1000 };

/* What a key or value is in the model: an object's index, or NUMBER and more: an integer. */
struct entry {
    int key, value;
};

struct map {
    ouro_value value;
    unsigned flags;
    bool set; /* a weak set: of keys, all values are NUMBER */
    size_t count;
    struct entry entries[ENTRIES_MAX];
};

static struct object {
    ouro_value value; /* while it lives */
    unsigned held, refs;
} objects[OBJECTS];

static struct map maps[MAPS_MAX];
static size_t map_count;
static struct fuzz_input input;

#define EXPECT(status, expected) FUZZ_CHECK((status) == (expected), expected)

static ouro_value value_of(int what)
{
    return what >= NUMBER ? ouro_int_new(what - NUMBER) : objects[what].value;
}

/* ---- the model ---- */

static void die(int what);

static void unref(int what)
{
    if (what < NUMBER && --objects[what].refs == 0)
        die(what);
}

static void ref(int what)
{
    if (what < NUMBER)
        objects[what].refs++;
}

static void unref_entry(const struct map *map, struct entry entry)
{
    if (!(map->flags & OURO_WEAK_KEYS))
        unref(entry.key);
    if (!(map->flags & OURO_WEAK_VALUES))
        unref(entry.value);
}

static void ref_entry(const struct map *map, struct entry entry)
{
    if (!(map->flags & OURO_WEAK_KEYS))
        ref(entry.key);
    if (!(map->flags & OURO_WEAK_VALUES))
        ref(entry.value);
}

static void remove_at(struct map *map, size_t at)
{
    struct entry gone = map->entries[at];
    memmove(&map->entries[at], &map->entries[at + 1], (--map->count - at) * sizeof gone);
    unref_entry(map, gone);
}

static bool leads_weakly(const struct map *map, struct entry entry, int what)
{
    return ((map->flags & OURO_WEAK_KEYS) && entry.key == what) || ((map->flags & OURO_WEAK_VALUES) && entry.value == what);
}

static void die(int what)
{
    objects[what].value = OURO_NIL;
    for (size_t m = 0; m < map_count; m++)
        for (size_t i = 0; i < maps[m].count;) /* what follows from it may change what is before */
            if (leads_weakly(&maps[m], maps[m].entries[i], what)) {
                remove_at(&maps[m], i);
                i = 0;
            } else {
                i++;
            }
}

static size_t find(const struct map *map, int key)
{
    size_t i = 0;
    while (i < map->count && map->entries[i].key != key)
        i++;
    return i;
}

static void put(struct map *map, int key, int value)
{
    size_t at = find(map, key);
    struct entry entry = {key, value}, old;
    if (at == map->count) {
        map->entries[map->count++] = entry;
        ref_entry(map, entry);
        return;
    }
    old = map->entries[at];
    map->entries[at].value = value;
    if (!(map->flags & OURO_WEAK_VALUES)) {
        ref(value);
        unref(old.value);
    }
}

/* ---- operations ---- */

static int some_object(void)
{
    unsigned first = fuzz_byte(&input);
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[(first + i) % OBJECTS].held)
            return (int)((first + i) % OBJECTS);
    return -1;
}

/* -1: none. An integer, now and then, where that will do. */
static int some_side(const struct map *map, unsigned weak)
{
    if (map->flags & weak)
        return some_object();
    unsigned n = fuzz_byte(&input);
    return n < 100 ? NUMBER + (int)n % 20 : some_object();
}

/* A result, new. Its model holds it meanwhile, for it may have left its last place. */
static void expect_value(ouro_value got, int expected)
{
    FUZZ_CHECK(got == value_of(expected), expected);
    ouro_value_release(got);
}

static void change_map(struct map *map)
{
    unsigned how = fuzz_below(&input, 10);
    int key = some_side(map, OURO_WEAK_KEYS), value = some_side(map, OURO_WEAK_VALUES);
    ouro_value got;
    bool flag;
    if (key < 0 || value < 0)
        return;
    size_t at = find(map, key);
    bool there = at < map->count;
    ouro_status expected = there ? OURO_OK : OURO_E_KEY;
    ouro_value k = value_of(key), v = value_of(value);
    int old = there ? map->entries[at].value : -1;
    switch (how) {
    case 0:
    case 1:
    case 2:
        if (!there && map->count == ENTRIES_MAX)
            break;
        EXPECT(ouro_weak_map_set(map->value, k, v), OURO_OK);
        put(map, key, value);
        break;
    case 3:
        if (!there && map->count == ENTRIES_MAX)
            break;
        EXPECT(ouro_weak_map_setdefault(map->value, k, v, &got), OURO_OK);
        expect_value(got, there ? old : value);
        if (!there)
            put(map, key, value);
        break;
    case 4:
        EXPECT(ouro_weak_map_delete(map->value, k), expected);
        if (there)
            remove_at(map, at);
        break;
    case 5:
        EXPECT(ouro_weak_map_pop(map->value, k, &got), expected);
        if (there) {
            expect_value(got, old);
            remove_at(map, at);
        }
        break;
    case 6:
        EXPECT(ouro_weak_map_has(map->value, k, &flag), OURO_OK);
        FUZZ_CHECK(flag == there, key);
        break;
    case 7:
        EXPECT(ouro_weak_map_set(map->value, OURO_NIL, v), map->flags & OURO_WEAK_KEYS ? OURO_E_TYPE : OURO_OK);
        if (!(map->flags & OURO_WEAK_KEYS)) /* any value is a key there */
            EXPECT(ouro_weak_map_delete(map->value, OURO_NIL), OURO_OK);
        break;
    default:
        EXPECT(ouro_weak_map_get(map->value, k, &got), expected);
        if (there)
            expect_value(got, old);
    }
}

static void change_set(struct map *set)
{
    unsigned how = fuzz_below(&input, 6);
    int key = some_object();
    bool flag;
    if (key < 0)
        return;
    size_t at = find(set, key);
    bool there = at < set->count;
    if (how < 3) {
        EXPECT(ouro_weak_set_add(set->value, value_of(key), &flag), OURO_OK);
        FUZZ_CHECK(flag == !there, key);
        put(set, key, NUMBER);
    } else if (how == 3) {
        EXPECT(ouro_weak_set_discard(set->value, value_of(key), &flag), OURO_OK);
        FUZZ_CHECK(flag == there, key);
        if (there)
            remove_at(set, at);
    } else {
        EXPECT(ouro_weak_set_has(set->value, value_of(key), &flag), OURO_OK);
        FUZZ_CHECK(flag == there, key);
    }
}

static void clear(struct map *map)
{
    EXPECT(map->set ? ouro_weak_set_clear(map->value) : ouro_weak_map_clear(map->value), OURO_OK);
    while (map->count)
        remove_at(map, map->count - 1);
}

static void make(void)
{
    unsigned flags = fuzz_below(&input, 5);
    ouro_value none;
    if (map_count == MAPS_MAX)
        return;
    struct map *map = &maps[map_count];
    *map = (struct map){.flags = flags == 4 ? OURO_WEAK_KEYS : flags, .set = flags == 4};
    if (!flags) {
        EXPECT(ouro_weak_map_new(0, &none), OURO_E_INVALID);
        return;
    }
    if (map->set)
        map->value = ouro_weak_set_new();
    else
        EXPECT(ouro_weak_map_new(flags, &map->value), OURO_OK);
    FUZZ_CHECK(ouro_kind_of(map->value) == (map->set ? OURO_KIND_WEAK_SET : OURO_KIND_WEAK_MAP), flags);
    map_count++;
}

/* The first place without an object gets one; or one that is held by the input is dropped. */
static void hold(void)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        if (objects[i].refs)
            continue;
        objects[i] = (struct object){.value = ouro_list_new(), .held = 1, .refs = 1};
        FUZZ_CHECK(objects[i].value != OURO_NIL, i);
        return;
    }
}

static void drop(int what)
{
    ouro_value value = objects[what].value;
    objects[what].held = 0;
    unref(what); /* the model first: what the library's callbacks would see is over by then */
    ouro_value_release(value);
}

/* What an entry keeps is taken up again. */
static void take_up(const struct map *map)
{
    ouro_value got;
    if (!map->count || map->set)
        return;
    struct entry entry = map->entries[fuzz_below(&input, (unsigned)map->count)];
    if (entry.value >= NUMBER || objects[entry.value].held || (entry.key < NUMBER && !objects[entry.key].value))
        return;
    EXPECT(ouro_weak_map_get(map->value, value_of(entry.key), &got), OURO_OK);
    FUZZ_CHECK(got == objects[entry.value].value, entry.value);
    objects[entry.value].held = 1;
    ref(entry.value);
}

static void check_map(const struct map *map)
{
    ouro_value iterator, key, value;
    size_t length;
    EXPECT(ouro_length(map->value, &length), OURO_OK);
    FUZZ_CHECK(length == map->count, length);
    EXPECT(ouro_iterate(map->value, &iterator), OURO_OK);
    for (size_t i = 0; i < map->count; i++) {
        if (map->set) {
            EXPECT(ouro_iterator_next(iterator, &key), OURO_OK);
        } else {
            EXPECT(ouro_iterator_next_pair(iterator, &key, &value), OURO_OK);
            expect_value(value, map->entries[i].value);
        }
        expect_value(key, map->entries[i].key);
    }
    EXPECT(ouro_iterator_next(iterator, &key), OURO_E_END);
    ouro_value_release(iterator);
}

static void step(void)
{
    unsigned operation = fuzz_below(&input, 16);
    struct map *map = map_count ? &maps[fuzz_below(&input, (unsigned)map_count)] : NULL;
    if (operation < 2) {
        make();
    } else if (operation < 5) {
        hold();
    } else if (operation < 7) {
        int what = some_object();
        if (what >= 0)
            drop(what);
    } else if (operation == 7) {
        FUZZ_CHECK(ouro_gc_collect((int)fuzz_below(&input, 3)) >= 0, 0);
    } else if (map && operation == 8) {
        take_up(map);
    } else if (map && operation == 9 && fuzz_below(&input, 8) == 0) {
        clear(map);
    } else if (map && map->set) {
        change_set(map);
    } else if (map) {
        change_map(map);
    }
    for (size_t i = 0; i < map_count; i++)
        check_map(&maps[i]);
}

const long fuzz_runs = 3000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned runs;
    input = (struct fuzz_input){data, size};
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT | OURO_GC_DISABLED, .misuse = misuse_hook};
    EXPECT(ouro_init(&config), OURO_OK);
    map_count = 0;
    memset(objects, 0, sizeof objects);
    for (int i = 0; i < STEPS_MAX && input.left; i++)
        step();
    for (int i = 0; i < OBJECTS; i++)
        if (objects[i].held)
            drop(i);
    for (size_t i = 0; i < map_count; i++)
        check_map(&maps[i]);
    for (size_t i = 0; i < map_count; i++)
        ouro_value_release(maps[i].value);
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
    ouro_leak_report report;
    if (++runs % 16 == 0) { /* every input would mostly be starting and ending */
        EXPECT(ouro_shutdown(&report), OURO_OK);
        FUZZ_CHECK(report.objects == 0, report.objects);
    }
    return 0;
}
