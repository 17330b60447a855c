/* SPDX-License-Identifier: MIT
 *
 * Lists, dicts, sets and tuples, one thread: what the bytes say is done to the container and to a plain array. After every operation the
 * status and the result are the model's, and so is the content, word for word and in order. Registers hold the values; what falls out of
 * a register lives on as long as a container has it, and its model with it. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "support/misuse.h"

enum { ITEMS_MAX = 48, BOXES_MAX = 120, REGISTERS = 16, STEPS_MAX = 600 };

/* A container, or a string, and what it should hold. Each is held until the input ends. */
struct box {
    ouro_kind kind;
    ouro_value value;
    size_t count;
    ouro_value items[ITEMS_MAX], values[ITEMS_MAX]; /* borrowed: from boxes, or immediate; values of a dict's keys */
};

static struct box boxes[BOXES_MAX];
static size_t box_count;
static ouro_value registers[REGISTERS]; /* borrowed */
static struct fuzz_input input;

static struct box *box_of(ouro_value value)
{
    for (size_t i = 0; i < box_count; i++)
        if (boxes[i].value == value)
            return &boxes[i];
    return NULL;
}

/* Takes over the reference. */
static struct box *add_box(ouro_kind kind, ouro_value value)
{
    FUZZ_CHECK(value != OURO_NIL && ouro_kind_of(value) == kind, kind);
    struct box *box = &boxes[box_count++];
    *box = (struct box){.kind = kind, .value = value};
    return box;
}

static ouro_value some_value(void)
{
    return registers[fuzz_below(&input, REGISTERS)];
}

/* A container of that kind in a register, or NULL. */
static struct box *some_box(ouro_kind kind)
{
    unsigned first = fuzz_byte(&input);
    for (unsigned i = 0; i < REGISTERS; i++) {
        struct box *box = box_of(registers[(first + i) % REGISTERS]);
        if (box && box->kind == kind)
            return box;
    }
    return NULL;
}

static void keep(ouro_value value)
{
    registers[fuzz_below(&input, REGISTERS)] = value;
}

/* ---- The model ---- */

static bool is_number(ouro_value v)
{
    return ouro_is_int(v) || ouro_kind_of(v) == OURO_KIND_FLOAT;
}

/* Keys: numbers, strings and tuples by content, all else by identity. */
static bool same_key(ouro_value a, ouro_value b)
{
    if (a == b)
        return true;
    if (is_number(a) && is_number(b)) { /* small ones: doubles are exact */
        double x = ouro_float_value(a), y = ouro_float_value(b);
        return x == y || (isnan(x) && isnan(y));
    }
    const struct box *p = box_of(a), *q = box_of(b);
    if (!p || !q || p->kind != q->kind)
        return false;
    if (p->kind == OURO_KIND_STRING) {
        size_t m, n;
        const char *s = ouro_string_data(a, &m), *t = ouro_string_data(b, &n);
        return m == n && memcmp(s, t, m) == 0;
    }
    if (p->kind != OURO_KIND_TUPLE || p->count != q->count)
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (!same_key(p->items[i], q->items[i]))
            return false;
    return true;
}

/* For what has no containers in it, equality of contents is that of keys, but that NaN is nothing's equal, unless it is the same object. */
static bool is_simple(ouro_value v)
{
    const struct box *box = box_of(v);
    return (!box || box->kind == OURO_KIND_STRING) && !(ouro_kind_of(v) == OURO_KIND_FLOAT && isnan(ouro_float_value(v)));
}

static size_t find(const struct box *box, ouro_value key)
{
    size_t i = 0;
    while (i < box->count && !same_key(box->items[i], key))
        i++;
    return i; /* count: it is not there */
}

static void insert_at(struct box *box, size_t at, ouro_value item, ouro_value value)
{
    for (size_t i = box->count++; i > at; i--)
        box->items[i] = box->items[i - 1], box->values[i] = box->values[i - 1];
    box->items[at] = item;
    box->values[at] = value;
}

static void delete_at(struct box *box, size_t at)
{
    for (size_t i = at + 1; i < box->count; i++)
        box->items[i - 1] = box->items[i], box->values[i - 1] = box->values[i];
    box->count--;
}

/* The indices of a slice, one after the other, as Python's documentation says; how many. */
static size_t slice_indices(size_t count, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, size_t indices[ITEMS_MAX])
{
    ptrdiff_t n = (ptrdiff_t)count, low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1, k = 0;
    start = start == OURO_OMITTED ? (step > 0 ? low : high) : start < 0 ? start + n : start;
    stop = stop == OURO_OMITTED ? (step > 0 ? high : low) : stop < 0 ? stop + n : stop;
    start = start < low ? low : start > high ? high : start;
    stop = stop < low ? low : stop > high ? high : stop;
    for (ptrdiff_t i = start; step > 0 ? i < stop : i > stop; i += step)
        indices[k++] = (size_t)i;
    return (size_t)k;
}

/* ---- Comparison ---- */

static void check_list(const struct box *box)
{
    ouro_value items[ITEMS_MAX + 1];
    size_t count;
    FUZZ_CHECK(ouro_list_get_range(box->value, 0, items, ITEMS_MAX + 1, &count) == OURO_OK, 0);
    FUZZ_CHECK(count == box->count, count);
    FUZZ_CHECK(memcmp(items, box->items, count * sizeof *items) == 0, count);
    ouro_value_release_all(items, count);
}

static void check_tuple(const struct box *box)
{
    size_t count;
    const ouro_value *items = ouro_tuple_items(box->value, &count);
    FUZZ_CHECK(count == box->count && memcmp(items, box->items, count * sizeof *items) == 0, count);
}

static void check_mapping(const struct box *box)
{
    ouro_value iterator, key, value = OURO_NIL;
    bool is_dict = box->kind == OURO_KIND_DICT;
    FUZZ_CHECK(ouro_iterate(box->value, &iterator) == OURO_OK, 0);
    for (size_t i = 0; i < box->count; i++) {
        ouro_status status = is_dict ? ouro_iterator_next_pair(iterator, &key, &value) : ouro_iterator_next(iterator, &key);
        FUZZ_CHECK(status == OURO_OK, i);
        FUZZ_CHECK(key == box->items[i] && (!is_dict || value == box->values[i]), i);
        ouro_value_release(key);
        ouro_value_release(value);
    }
    FUZZ_CHECK(ouro_iterator_next(iterator, &key) == OURO_E_END, box->count);
    ouro_value_release(iterator);
}

static void check_box(const struct box *box)
{
    size_t length;
    FUZZ_CHECK(ouro_length(box->value, &length) == OURO_OK, box->kind);
    FUZZ_CHECK(box->kind == OURO_KIND_STRING || length == box->count, length);
    if (box->kind == OURO_KIND_LIST)
        check_list(box);
    else if (box->kind == OURO_KIND_TUPLE)
        check_tuple(box);
    else if (box->kind != OURO_KIND_STRING)
        check_mapping(box);
}

#define EXPECT(status, expected) FUZZ_CHECK((status) == (expected), expected)

/* A new value that should be this one. */
static void expect_value(ouro_value got, ouro_value expected)
{
    FUZZ_CHECK(got == expected, box_of(expected) - boxes);
    ouro_value_release(got);
}

/* ---- Making ---- */

static struct box *box_from(ouro_kind kind, ouro_value value, const ouro_value *items, size_t count)
{
    struct box *box = add_box(kind, value);
    memcpy(box->items, items, count * sizeof *items);
    box->count = count;
    keep(value);
    return box;
}

static void make(void)
{
    unsigned what = fuzz_byte(&input), n = what / 8 % 6;
    ouro_value items[6], value = OURO_NIL;
    char text[8];
    for (unsigned i = 0; i < n && what % 8 >= 6; i++)
        items[i] = some_value();
    if (box_count >= BOXES_MAX)
        return;
    switch (what % 8) {
    case 0:
        keep(ouro_int_new((int64_t)(what / 8) - 8));
        break;
    case 1:
        keep(what & 8 ? OURO_NIL : ouro_bool_new(what & 16));
        break;
    case 2: /* strings that are short, or all alike but for the end */
        snprintf(text, sizeof text, "%s%u", what & 8 ? "\xc3\xa9\xe2\x82\xac" : "", what / 16 % 4);
        EXPECT(ouro_string_from(text, &value), OURO_OK);
        keep(add_box(OURO_KIND_STRING, value)->value);
        break;
    case 3:
        value = ouro_float_new(what / 8 == 31 ? NAN : (double)(what / 8) / 2 - 8);
        keep(add_box(OURO_KIND_FLOAT, value)->value);
        break;
    case 4:
        keep(add_box(OURO_KIND_DICT, ouro_dict_new())->value);
        break;
    case 5:
        keep(add_box(OURO_KIND_SET, ouro_set_new())->value);
        break;
    case 6:
        EXPECT(ouro_tuple_new(items, n, &value), OURO_OK);
        box_from(OURO_KIND_TUPLE, value, items, n);
        break;
    default:
        EXPECT(ouro_list_from(items, n, &value), OURO_OK);
        box_from(OURO_KIND_LIST, value, items, n);
    }
}

/* ---- Lists ---- */

/* Where an index leads; count if beyond the ends. */
static size_t place(const struct box *box, ptrdiff_t index)
{
    index += index < 0 ? (ptrdiff_t)box->count : 0;
    return index < 0 || (size_t)index >= box->count ? box->count : (size_t)index;
}

static void list_item(struct box *list)
{
    unsigned how = fuzz_byte(&input);
    ptrdiff_t index = (int8_t)fuzz_byte(&input) % (ITEMS_MAX + 2);
    ouro_value item = some_value(), got;
    size_t at = place(list, index);
    ouro_status inside = at < list->count ? OURO_OK : OURO_E_INDEX;
    bool done;
    switch (how % 6) {
    case 0:
        EXPECT(ouro_list_get(list->value, index, &got), inside);
        expect_value(got, inside == OURO_OK ? list->items[at] : OURO_NIL);
        break;
    case 1:
        EXPECT(ouro_list_set(list->value, index, item), inside);
        if (inside == OURO_OK)
            list->items[at] = item;
        break;
    case 2:
        EXPECT(ouro_list_swap(list->value, index, item, &got), inside);
        expect_value(got, inside == OURO_OK ? list->items[at] : OURO_NIL);
        if (inside == OURO_OK)
            list->items[at] = item;
        break;
    case 3: {
        ouro_value expected = some_value();
        EXPECT(ouro_list_compare_set(list->value, index, expected, item, &done), inside);
        FUZZ_CHECK(done == (inside == OURO_OK && list->items[at] == expected), done);
        if (done)
            list->items[at] = item;
        break;
    }
    case 4:
        EXPECT(ouro_list_pop(list->value, index, how & 128 ? NULL : &got), inside);
        if (!(how & 128))
            expect_value(got, inside == OURO_OK ? list->items[at] : OURO_NIL);
        if (inside == OURO_OK)
            delete_at(list, at);
        break;
    default:
        EXPECT(ouro_list_delete(list->value, index), inside);
        if (inside == OURO_OK)
            delete_at(list, at);
    }
}

static void list_grow(struct box *list)
{
    unsigned how = fuzz_byte(&input);
    ptrdiff_t index = (int8_t)fuzz_byte(&input) % (ITEMS_MAX + 2);
    ouro_value items[4] = {some_value(), some_value(), some_value(), some_value()};
    size_t n = how / 4 % 5;
    if (list->count + 4 > ITEMS_MAX || 2 * list->count > ITEMS_MAX)
        return;
    switch (how % 4) {
    case 0:
        EXPECT(ouro_list_append(list->value, items[0]), OURO_OK);
        insert_at(list, list->count, items[0], OURO_NIL);
        break;
    case 1:
        EXPECT(ouro_list_append_all(list->value, items, n), OURO_OK);
        for (size_t i = 0; i < n; i++)
            insert_at(list, list->count, items[i], OURO_NIL);
        break;
    case 2: {
        EXPECT(ouro_list_insert(list->value, index, items[0]), OURO_OK);
        ptrdiff_t at = index < 0 ? index + (ptrdiff_t)list->count : index;
        insert_at(list, at < 0 ? 0 : (size_t)at > list->count ? list->count : (size_t)at, items[0], OURO_NIL);
        break;
    }
    default: {
        struct box *other = how & 128 ? list : some_box(how & 64 ? OURO_KIND_TUPLE : how & 32 ? OURO_KIND_DICT : OURO_KIND_LIST);
        if (!other || list->count + other->count > ITEMS_MAX)
            return;
        EXPECT(ouro_list_extend(list->value, other->value), OURO_OK);
        for (size_t i = 0, m = other->count; i < m; i++)
            insert_at(list, list->count, other->items[i], OURO_NIL);
    }
    }
}

static ptrdiff_t some_bound(void)
{
    unsigned byte = fuzz_byte(&input);
    return byte == 255 ? OURO_OMITTED : (ptrdiff_t)byte % (2 * ITEMS_MAX + 8) - ITEMS_MAX - 4;
}

static void list_slice(struct box *list)
{
    unsigned how = fuzz_byte(&input);
    ptrdiff_t start = some_bound(), stop = some_bound(), step = how & 3 ? 1 : (ptrdiff_t)(how / 4 % 8) - 3;
    ouro_value items[4] = {some_value(), some_value(), some_value(), some_value()}, slice;
    size_t indices[ITEMS_MAX], n = step ? slice_indices(list->count, start, stop, step, indices) : 0, given = how / 16 % 5;
    if (how / 32 % 3 == 0) {
        EXPECT(ouro_list_slice(list->value, start, stop, step, &slice), step ? OURO_OK : OURO_E_INVALID);
        if (step && box_count < BOXES_MAX) {
            ouro_value expected[ITEMS_MAX];
            for (size_t i = 0; i < n; i++)
                expected[i] = list->items[indices[i]];
            check_box(box_from(OURO_KIND_LIST, slice, expected, n));
        } else {
            ouro_value_release(slice);
        }
    } else if (how / 32 % 3 == 1) {
        EXPECT(ouro_list_delete_slice(list->value, start, stop, step), step ? OURO_OK : OURO_E_INVALID);
        for (size_t i = 0; i < n; i++) /* from the highest on */
            delete_at(list, indices[step > 0 ? n - 1 - i : i]);
    } else if (list->count + given <= ITEMS_MAX) {
        bool refused = !step || (step != 1 && given != n);
        EXPECT(ouro_list_set_slice(list->value, start, stop, step, items, given), refused ? OURO_E_INVALID : OURO_OK);
        if (refused)
            return;
        if (step != 1) {
            for (size_t i = 0; i < n; i++)
                list->items[indices[i]] = items[i];
            return;
        }
        size_t from = n ? indices[0] : 0;
        if (!n) { /* nothing goes; where it comes: at the start, as it is cut */
            ptrdiff_t s = start == OURO_OMITTED ? 0 : start < 0 ? start + (ptrdiff_t)list->count : start;
            from = s < 0 ? 0 : (size_t)s > list->count ? list->count : (size_t)s;
        }
        for (size_t i = 0; i < n; i++)
            delete_at(list, from);
        for (size_t i = given; i-- > 0;)
            insert_at(list, from, items[i], OURO_NIL);
    }
}

static void list_search(struct box *list)
{
    unsigned how = fuzz_byte(&input);
    ouro_value item = some_value();
    size_t at, count = 0, first = list->count;
    if (!is_simple(item))
        return;
    for (size_t i = list->count; i-- > 0;)
        if (same_key(list->items[i], item))
            first = i, count++;
    switch (how % 3) {
    case 0:
        EXPECT(ouro_list_index(list->value, item, 0, PTRDIFF_MAX, &at), count ? OURO_OK : OURO_E_KEY);
        FUZZ_CHECK(at == (count ? first : 0), at);
        break;
    case 1:
        EXPECT(ouro_list_count(list->value, item, &at), OURO_OK);
        FUZZ_CHECK(at == count, at);
        break;
    default:
        EXPECT(ouro_list_remove(list->value, item), count ? OURO_OK : OURO_E_KEY);
        if (count)
            delete_at(list, first);
    }
}

static void list_whole(struct box *list)
{
    unsigned how = fuzz_byte(&input);
    if (how % 4 == 0) {
        EXPECT(ouro_list_reverse(list->value), OURO_OK);
        for (size_t i = 0; i < list->count / 2; i++) {
            ouro_value item = list->items[i];
            list->items[i] = list->items[list->count - 1 - i];
            list->items[list->count - 1 - i] = item;
        }
    } else if (how % 4 == 1 && how / 4 % 4 == 0) {
        EXPECT(ouro_list_clear(list->value), OURO_OK);
        list->count = 0;
    } else if (how % 4 == 2) {
        for (size_t i = 0; i < list->count; i++)
            if (!is_number(list->items[i]) || isnan(ouro_float_value(list->items[i])))
                return;
        bool descending = how & 4;
        EXPECT(ouro_list_sort(list->value, descending), OURO_OK);
        for (size_t i = 1; i < list->count; i++) /* by insertion, stable */
            for (size_t k = i; k > 0; k--) {
                double x = ouro_float_value(list->items[k - 1]), y = ouro_float_value(list->items[k]);
                if (descending ? x >= y : x <= y)
                    break;
                ouro_value item = list->items[k];
                list->items[k] = list->items[k - 1];
                list->items[k - 1] = item;
            }
    } else if (list->count * 2 <= ITEMS_MAX && box_count < BOXES_MAX) {
        ouro_value twice;
        EXPECT(how & 4 ? ouro_list_repeat(list->value, 2, &twice) : ouro_list_concat(list->value, list->value, &twice), OURO_OK);
        ouro_value items[ITEMS_MAX];
        memcpy(items, list->items, list->count * sizeof *items);
        memcpy(items + list->count, list->items, list->count * sizeof *items);
        check_box(box_from(OURO_KIND_LIST, twice, items, 2 * list->count));
    }
}

/* ---- Dicts and sets ---- */

static void put(struct box *box, ouro_value key, ouro_value value)
{
    size_t at = find(box, key);
    if (at == box->count)
        insert_at(box, at, key, value);
    else
        box->values[at] = value; /* the key stays the one that came first */
}

static void dict_step(struct box *dict)
{
    unsigned how = fuzz_byte(&input);
    ouro_value key = some_value(), value = some_value(), got, got_key;
    size_t at = find(dict, key);
    bool there = at < dict->count, flag, room = dict->count < ITEMS_MAX;
    ouro_value old = there ? dict->values[at] : OURO_NIL;
    switch (how % 12) {
    case 0:
        EXPECT(ouro_dict_get(dict->value, key, &got), there ? OURO_OK : OURO_E_KEY);
        expect_value(got, old);
        break;
    case 1:
        EXPECT(ouro_dict_get_or(dict->value, key, value, &got), OURO_OK);
        expect_value(got, there ? old : value);
        break;
    case 2:
        EXPECT(ouro_dict_has(dict->value, key, &flag), OURO_OK);
        FUZZ_CHECK(flag == there, at);
        break;
    case 3:
    case 4:
        if (!room)
            return;
        EXPECT(ouro_dict_set(dict->value, key, value), OURO_OK);
        put(dict, key, value);
        break;
    case 5:
        if (!room)
            return;
        EXPECT(ouro_dict_swap(dict->value, key, value, &flag, &got), OURO_OK);
        FUZZ_CHECK(flag == there, at);
        expect_value(got, old);
        put(dict, key, value);
        break;
    case 6:
        if (!room)
            return;
        EXPECT(ouro_dict_setdefault(dict->value, key, value, &got), OURO_OK);
        expect_value(got, there ? old : value);
        if (!there)
            put(dict, key, value);
        break;
    case 7: {
        ouro_value expected = how & 128 ? old : some_value();
        EXPECT(ouro_dict_compare_set(dict->value, key, expected, value, &flag), there ? OURO_OK : OURO_E_KEY);
        FUZZ_CHECK(flag == (there && old == expected), at);
        if (flag)
            put(dict, key, value);
        break;
    }
    case 8:
        EXPECT(ouro_dict_delete(dict->value, key), there ? OURO_OK : OURO_E_KEY);
        if (there)
            delete_at(dict, at);
        break;
    case 9:
        EXPECT(ouro_dict_pop(dict->value, key, &got), there ? OURO_OK : OURO_E_KEY);
        expect_value(got, old);
        if (there)
            delete_at(dict, at);
        break;
    case 10: {
        bool first = how & 128;
        at = first || !dict->count ? 0 : dict->count - 1;
        EXPECT(ouro_dict_pop_item(dict->value, first, &got_key, &got), dict->count ? OURO_OK : OURO_E_KEY);
        expect_value(got_key, dict->count ? dict->items[at] : OURO_NIL);
        expect_value(got, dict->count ? dict->values[at] : OURO_NIL);
        if (dict->count)
            delete_at(dict, at);
        break;
    }
    default: {
        struct box *other = some_box(OURO_KIND_DICT);
        if (how >= 250) {
            EXPECT(ouro_dict_clear(dict->value), OURO_OK);
            dict->count = 0;
        } else if (dict->count + other->count <= ITEMS_MAX) {
            EXPECT(ouro_dict_update(dict->value, other->value), OURO_OK);
            for (size_t i = 0; i < other->count; i++)
                put(dict, other->items[i], other->values[i]);
        }
    }
    }
}

static void set_step(struct box *set)
{
    unsigned how = fuzz_byte(&input);
    ouro_value item = some_value(), got;
    size_t at = find(set, item);
    bool there = at < set->count, flag;
    const struct box *other = some_box(OURO_KIND_SET);
    switch (how % 8) {
    case 0:
    case 1:
        if (set->count == ITEMS_MAX)
            return;
        EXPECT(ouro_set_add(set->value, item, &flag), OURO_OK);
        FUZZ_CHECK(flag == !there, at);
        put(set, item, OURO_NIL);
        break;
    case 2:
        EXPECT(ouro_set_has(set->value, item, &flag), OURO_OK);
        FUZZ_CHECK(flag == there, at);
        break;
    case 3:
        EXPECT(ouro_set_discard(set->value, item, &flag), OURO_OK);
        FUZZ_CHECK(flag == there, at);
        if (there)
            delete_at(set, at);
        break;
    case 4:
        EXPECT(ouro_set_remove(set->value, item), there ? OURO_OK : OURO_E_KEY);
        if (there)
            delete_at(set, at);
        break;
    case 5:
        EXPECT(ouro_set_pop(set->value, &got), set->count ? OURO_OK : OURO_E_KEY);
        expect_value(got, set->count ? set->items[0] : OURO_NIL);
        if (set->count)
            delete_at(set, 0);
        break;
    default: { /* two sets: only who is in the result is compared, in whatever order */
        size_t common = 0, expected, length;
        for (size_t i = 0; i < set->count; i++)
            common += find(other, set->items[i]) < other->count;
        if (how & 8) {
            EXPECT(ouro_set_intersection(set->value, other->value, &got), OURO_OK);
            expected = common;
        } else if (how & 16) {
            EXPECT(ouro_set_union(set->value, other->value, &got), OURO_OK);
            expected = set->count + other->count - common;
        } else if (how & 32) {
            EXPECT(ouro_set_difference(set->value, other->value, &got), OURO_OK);
            expected = set->count - common;
        } else {
            EXPECT(ouro_set_symmetric_difference(set->value, other->value, &got), OURO_OK);
            expected = set->count + other->count - 2 * common;
        }
        EXPECT(ouro_set_length(got, &length), OURO_OK);
        FUZZ_CHECK(length == expected, length);
        ouro_value_release(got);
        EXPECT(ouro_set_is_subset(set->value, other->value, &flag), OURO_OK);
        FUZZ_CHECK(flag == (common == set->count), common);
        EXPECT(ouro_set_is_disjoint(set->value, other->value, &flag), OURO_OK);
        FUZZ_CHECK(flag == (common == 0), common);
    }
    }
}

/* ---- All ---- */

static void compare_two(void)
{
    ouro_value a = some_value(), b = some_value();
    bool equal;
    uint64_t x, y;
    EXPECT(ouro_key_equal(a, b, &equal), OURO_OK);
    FUZZ_CHECK(equal == same_key(a, b), equal);
    EXPECT(ouro_hash(a, &x), OURO_OK);
    EXPECT(ouro_hash(b, &y), OURO_OK);
    FUZZ_CHECK(!equal || x == y, equal); /* equal keys have one hash */
}

static void step(void)
{
    unsigned operation = fuzz_byte(&input) % 24;
    static void (*const of_lists[])(struct box *) = {list_item, list_item, list_grow, list_grow, list_slice, list_slice, list_search, list_whole};
    struct box *box = NULL;
    if (operation < 6) {
        make();
    } else if (operation < 14) {
        box = some_box(OURO_KIND_LIST);
        if (box)
            of_lists[operation - 6](box);
    } else if (operation < 18) {
        box = some_box(OURO_KIND_DICT);
        if (box)
            dict_step(box);
    } else if (operation < 20) {
        box = some_box(OURO_KIND_SET);
        if (box)
            set_step(box);
    } else if (operation == 20) {
        compare_two();
    } else if (operation == 21) {
        ouro_value_share(some_value()); /* from here on the other way of each operation */
    } else if (operation == 22) {
        FUZZ_CHECK(ouro_gc_collect((int)fuzz_below(&input, 3)) >= 0, 0);
    } else {
        ouro_value shown;
        EXPECT(ouro_repr(some_value(), &shown), OURO_OK);
        ouro_value_release(shown);
    }
    if (box)
        check_box(box);
}

const long fuzz_runs = 6000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned runs;
    input = (struct fuzz_input){data, size};
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT | OURO_GC_DISABLED, .misuse = misuse_hook};
    EXPECT(ouro_init(&config), OURO_OK);
    box_count = 0;
    memset(registers, 0, sizeof registers);
    for (int i = 0; i < STEPS_MAX && input.left; i++)
        step();
    for (size_t i = 0; i < box_count; i++)
        if (boxes[i].kind != OURO_KIND_FLOAT)
            check_box(&boxes[i]);
    for (size_t i = 0; i < box_count; i++)
        ouro_value_release(boxes[i].value);
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
    ouro_leak_report report;
    if (++runs % 16 == 0) { /* every input would mostly be starting and ending */
        EXPECT(ouro_shutdown(&report), OURO_OK);
        FUZZ_CHECK(report.objects == 0, report.objects);
    }
    return 0;
}
