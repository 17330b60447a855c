//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_iterator.h"

#include "lib_port_perturb.h"
#include "lib_value_tuple.h"

static ouro_type iterator_type = OURO_TYPE(struct oi_iterator, .name = "iterator", .slots = OURO_SLOTS(struct oi_iterator, source),
                                           .flags = OI_TYPE_OWN);

bool oi_iterator_init(void)
{
    return oi_type_register_own(&iterator_type, OI_OWN_ITERATOR, NULL) && oi_generator_init();
}

struct oi_iterator *oi_iterator_new(const struct oi_walk *walk, ouro_value source)
{
    struct oi_iterator *iterator = ouro_new(&iterator_type);
    if (!iterator)
        return NULL;
    iterator->walk = walk;
    ouro_value_set(iterator, &iterator->source, source);
    return iterator;
}

/* ---- walks ---- */

/* Over what has a length and elements by number, one at a time. */
static ouro_status take_item(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken,
                             ouro_status (*get)(ouro_value source, ptrdiff_t index, ouro_value *item))
{
    ouro_status status = get(oi_iterator_source(iterator), (ptrdiff_t)at, &taken->items[0]);
    taken->count = status == OURO_OK;
    taken->next = at + 1;
    return status == OURO_E_INDEX ? OURO_E_END : status;
}

static ouro_status take_from_list(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    if (taken->room == 1)
        return take_item(iterator, at, taken, ouro_list_get);
    ouro_status status = ouro_list_get_range(oi_iterator_source(iterator), at, taken->items, taken->room, &taken->count);
    taken->next = at + taken->count;
    return status == OURO_OK && !taken->count ? OURO_E_END : status;
}

static ouro_status take_from_tuple(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    const struct oi_tuple *tuple = oi_tuple_of(oi_iterator_source(iterator));
    size_t length = tuple->array.length;
    if (at >= length)
        return OURO_E_END;
    for (taken->count = 0; taken->count < taken->room && at < length; at++)
        taken->items[taken->count++] = ouro_value_retain(tuple->items[at]);
    taken->next = at;
    return OURO_OK;
}

/* at: how many places have been passed, from the end that there was. */
static ouro_status take_reversed(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    ouro_value source = oi_iterator_source(iterator);
    if (at >= iterator->range.count)
        return OURO_E_END;
    ptrdiff_t index = (ptrdiff_t)(iterator->range.count - 1 - at);
    ouro_status status = oi_kind_of(source) == OURO_KIND_LIST ? ouro_list_get(source, index, &taken->items[0])
                                                              : ouro_tuple_get(source, index, &taken->items[0]);
    taken->count = status == OURO_OK;
    taken->next = at + 1;
    return status == OURO_E_INDEX ? OURO_E_END : status; /* the list has got shorter */
}

static ouro_status get_of_record(ouro_value record, ptrdiff_t index, ouro_value *item)
{
    return ouro_record_get_at(record, (size_t)index, item);
}

static ouro_status take_from_record(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    return take_item(iterator, at, taken, get_of_record);
}

/* at: bytes. */
static ouro_status take_from_string(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    size_t size;
    const char *bytes = ouro_string_data(oi_iterator_source(iterator), &size);
    if (at >= size)
        return OURO_E_END;
    taken->next = at + 1;
    while (taken->next < size && ((unsigned char)bytes[taken->next] & 0xc0) == 0x80)
        taken->next++;
    taken->count = 1;
    return ouro_string_new(bytes + at, taken->next - at, &taken->items[0]);
}

static ouro_status take_from_bytes(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    size_t size;
    const unsigned char *bytes = ouro_bytes_data(oi_iterator_source(iterator), &size);
    if (at >= size)
        return OURO_E_END;
    for (taken->count = 0; taken->count < taken->room && at < size; at++)
        taken->items[taken->count++] = ouro_int_new(bytes[at]);
    taken->next = at;
    return OURO_OK;
}

static ouro_status take_from_range(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    if (at >= iterator->range.count)
        return OURO_E_END;
    for (taken->count = 0; taken->count < taken->room && at < iterator->range.count; at++)
        taken->items[taken->count++] = ouro_int_new((int64_t)((uint64_t)iterator->range.start + at * (uint64_t)iterator->range.step));
    taken->next = at;
    return OURO_OK;
}

static const struct oi_walk walk_list = {take_from_list, false}, walk_tuple = {take_from_tuple, false}, walk_reversed = {take_reversed, false},
                            walk_record = {take_from_record, false}, walk_string = {take_from_string, false},
                            walk_bytes = {take_from_bytes, false}, walk_range = {take_from_range, false};

/* ---- making ---- */

static ouro_status make(const struct oi_walk *walk, ouro_value source, ouro_value *iterator)
{
    ouro_status status = oi_may_use(source, "ouro_iterate");
    if (status != OURO_OK)
        return status;
    *iterator = ouro_value_of(oi_iterator_new(walk, source));
    return *iterator ? OURO_OK : OURO_E_NOMEM;
}

ouro_status ouro_iterate(ouro_value value, ouro_value *iterator)
{
    if (!iterator)
        return OURO_E_INVALID;
    *iterator = OURO_NIL;
    switch (oi_kind_of(value)) {
    case OURO_KIND_STRING:
        return make(&walk_string, value, iterator);
    case OURO_KIND_BYTES:
        return make(&walk_bytes, value, iterator);
    case OURO_KIND_TUPLE:
        return make(&walk_tuple, value, iterator);
    case OURO_KIND_LIST:
        return make(&walk_list, value, iterator);
    case OURO_KIND_RECORD:
        return make(&walk_record, value, iterator);
    case OURO_KIND_SET:
    case OURO_KIND_DICT:
    case OURO_KIND_WEAK_MAP:
    case OURO_KIND_WEAK_SET:
        return oi_iterate_dict(value, OURO_KEYS, iterator);
    case OURO_KIND_ITERATOR:
        return oi_retain_into(value, iterator);
    default:
        return OURO_E_TYPE;
    }
}

ouro_status ouro_iterate_reversed(ouro_value value, ouro_value *iterator)
{
    size_t length;
    if (!iterator)
        return OURO_E_INVALID;
    *iterator = OURO_NIL;
    ouro_kind kind = oi_kind_of(value);
    if (kind != OURO_KIND_LIST && kind != OURO_KIND_TUPLE)
        return OURO_E_TYPE;
    ouro_status status = ouro_length(value, &length);
    if (status == OURO_OK)
        status = make(&walk_reversed, value, iterator);
    if (status == OURO_OK)
        ((struct oi_iterator *)oi_word(*iterator))->range.count = length;
    return status;
}

ouro_status ouro_iterate_part(ouro_value value, ouro_part part, ouro_value *iterator)
{
    if (!iterator)
        return OURO_E_INVALID;
    *iterator = OURO_NIL;
    if ((unsigned)part > OURO_ITEMS)
        return OURO_E_INVALID;
    ouro_kind kind = oi_kind_of(value);
    return kind == OURO_KIND_DICT || kind == OURO_KIND_WEAK_MAP ? oi_iterate_dict(value, part, iterator) : OURO_E_TYPE;
}

ouro_status ouro_iterate_range(int64_t start, int64_t stop, int64_t step, ouro_value *iterator)
{
    if (!iterator)
        return OURO_E_INVALID;
    *iterator = OURO_NIL;
    if (!step)
        return OURO_E_INVALID;
    uint64_t span = step > 0 ? (stop > start ? (uint64_t)stop - (uint64_t)start : 0) : (start > stop ? (uint64_t)start - (uint64_t)stop : 0);
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step, count = span ? (span - 1) / stride + 1 : 0;
    int64_t last = count ? (int64_t)((uint64_t)start + (count - 1) * (uint64_t)step) : 0;
    if (count && (start < OURO_INT_MIN || start > OURO_INT_MAX || last < OURO_INT_MIN || last > OURO_INT_MAX))
        return OURO_E_INVALID;
    struct oi_iterator *made = oi_iterator_new(&walk_range, OURO_NIL);
    if (!made)
        return OURO_E_NOMEM;
    made->range.start = start;
    made->range.step = step;
    made->range.count = count;
    *iterator = ouro_value_of(made);
    return OURO_OK;
}

/* ---- going on ---- */

void oi_taken_drop(struct oi_taken *taken)
{
    ouro_value_release_all(taken->items, taken->count);
    if (taken->part == OURO_ITEMS)
        ouro_value_release_all(taken->seconds, taken->count);
    taken->count = 0;
}

/* False: another thread was quicker. acq_rel: what was taken comes before [MO-iterator]. */
static bool move_on(struct oi_iterator *iterator, uint64_t from, uint64_t to)
{
    if (oi_is_shared(iterator))
        return oi_cas_acqrel(&iterator->at, &from, to);
    if (iterator->at != from) /* user code has used it meanwhile */
        return false;
    iterator->at = to;
    return true;
}

/* Makes tuples of keys and values, as `items`; OURO_E_NOMEM: all is as it was. */
static ouro_status make_tuples(struct oi_taken *taken)
{
    ouro_value tuples[OI_TAKEN_MAX];
    for (size_t made = 0; made < taken->count; made++) {
        ouro_status status = ouro_tuple_new((ouro_value[]){taken->items[made], taken->seconds[made]}, 2, &tuples[made]);
        if (status != OURO_OK) {
            ouro_value_release_all(tuples, made);
            return status;
        }
    }
    ouro_value_release_all(taken->items, taken->count);
    ouro_value_release_all(taken->seconds, taken->count);
    for (size_t i = 0; i < taken->count; i++)
        taken->items[i] = tuples[i];
    taken->part = OURO_KEYS; /* one array from here on */
    return OURO_OK;
}

/* Some values, at least 1, or why not: items and, if tuples are not wanted, seconds. */
static ouro_status take(struct oi_iterator *iterator, struct oi_taken *taken, ouro_part part, bool tuples)
{
    for (;;) {
        uint64_t at = oi_load_acquire(&iterator->at); /* [MO-iterator] */
        if (at >= OI_ENDED)
            return at == OI_ENDED ? OURO_E_END : OURO_E_CHANGED;
        taken->count = 0;
        taken->part = part;
        oi_perturb();
        ouro_status status = iterator->walk->take(iterator, at, taken);
        oi_perturb();
        if (status == OURO_OK && part == OURO_ITEMS && tuples)
            status = make_tuples(taken);
        if (status == OURO_OK && move_on(iterator, at, taken->next))
            return OURO_OK;
        oi_taken_drop(taken);
        if (status == OURO_E_END || status == OURO_E_CHANGED) {
            if (move_on(iterator, at, status == OURO_E_END ? OI_ENDED : OI_CHANGED))
                return status;
        } else if (status != OURO_OK) {
            return status;
        }
    }
}

static ouro_part part_of(const struct oi_iterator *iterator)
{
    return iterator->walk->pairs ? iterator->dict.part : OURO_KEYS;
}

static ouro_status check(ouro_value iterator, const char *call)
{
    return oi_kind_of(iterator) == OURO_KIND_ITERATOR ? oi_may_use(iterator, call) : OURO_E_TYPE;
}

static struct oi_iterator *iterator_of(ouro_value value)
{
    return oi_id_of(value) == OI_OWN_ITERATOR ? oi_word(value) : NULL;
}

ouro_status ouro_iterator_next(ouro_value iterator, ouro_value *value)
{
    struct oi_taken taken;
    if (!value)
        return OURO_E_INVALID;
    *value = OURO_NIL;
    ouro_status status = check(iterator, "ouro_iterator_next");
    if (status != OURO_OK)
        return status;
    if (!iterator_of(iterator))
        return oi_generator_next(iterator, value);
    taken.room = 1;
    status = take(iterator_of(iterator), &taken, part_of(iterator_of(iterator)), true);
    if (status == OURO_OK)
        *value = taken.items[0];
    return status;
}

ouro_status ouro_iterator_next_pair(ouro_value iterator, ouro_value *key, ouro_value *value)
{
    struct oi_taken taken;
    if (!key || !value)
        return OURO_E_INVALID;
    *key = *value = OURO_NIL;
    ouro_status status = check(iterator, "ouro_iterator_next_pair");
    if (status == OURO_OK && (!iterator_of(iterator) || !iterator_of(iterator)->walk->pairs))
        status = OURO_E_TYPE;
    if (status != OURO_OK)
        return status;
    taken.room = 1;
    status = take(iterator_of(iterator), &taken, OURO_ITEMS, false);
    if (status == OURO_OK) {
        *key = taken.items[0];
        *value = taken.seconds[0];
    }
    return status;
}

ouro_status ouro_iterator_next_all(ouro_value iterator, ouro_value *values, size_t room, size_t *count)
{
    struct oi_taken taken;
    if (!count)
        return OURO_E_INVALID;
    *count = 0;
    if (!values || !room)
        return OURO_E_INVALID;
    ouro_status status = check(iterator, "ouro_iterator_next_all");
    if (status == OURO_OK && !iterator_of(iterator))
        return oi_generator_next_all(iterator, values, room, count);
    while (status == OURO_OK && *count < room) {
        taken.room = room - *count < OI_TAKEN_MAX ? room - *count : OI_TAKEN_MAX;
        status = take(iterator_of(iterator), &taken, part_of(iterator_of(iterator)), true);
        for (size_t i = 0; status == OURO_OK && i < taken.count; i++)
            values[(*count)++] = taken.items[i];
    }
    return *count ? OURO_OK : status;
}
