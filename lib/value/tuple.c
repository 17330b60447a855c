/* SPDX-License-Identifier: MIT */
#include "value/tuple.h"

#include "value/contents.h"

static ouro_type tuple_type =
    OURO_TYPE(struct oi_tuple, .name = "tuple", .array_slots = offsetof(struct oi_tuple, items), .flags = OI_TYPE_OWN);
static ouro_type flat_tuple_type = OURO_TYPE(struct oi_tuple, .name = "tuple", .array_slots = offsetof(struct oi_tuple, items),
                                             .flags = OI_TYPE_OWN | OURO_TYPE_ACYCLIC);
_Static_assert(sizeof(ouro_slot) == sizeof(ouro_value), "elements are slots");

bool oi_tuple_init(void)
{
    return oi_type_register_own(&tuple_type, OI_OWN_TUPLE, NULL) && oi_type_register_own(&flat_tuple_type, OI_OWN_FLAT_TUPLE, NULL);
}

static bool is_tuple(ouro_value value)
{
    return oi_kind_of(value) == OURO_KIND_TUPLE;
}

static ouro_slot *slots_of(struct oi_tuple *tuple)
{
    return (ouro_slot *)tuple->items;
}

static bool is_flat(const ouro_value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const ouro_object *o = ouro_is_object(items[i]) ? oi_word(items[i]) : NULL;
        if (o && oi_type_is_tracked(oi_type_of(o))) /* also while it is frozen */
            return false;
    }
    return true;
}

static ouro_status make(ouro_type *type, const ouro_value *items, size_t count, ouro_value *tuple)
{
    struct oi_tuple *made = ouro_new_array(type, count);
    *tuple = ouro_value_of(made);
    if (!made)
        return OURO_E_NOMEM;
    ouro_status status = oi_fill(made, slots_of(made), items, count);
    if (OI_UNLIKELY(status != OURO_OK)) {
        ouro_release(made);
        *tuple = OURO_NIL;
    }
    return status;
}

ouro_status ouro_tuple_new(const ouro_value *items, size_t count, ouro_value *tuple)
{
    if (!tuple)
        return OURO_E_INVALID;
    *tuple = OURO_NIL;
    if (!items && count)
        return OURO_E_INVALID;
    return make(is_flat(items, count) ? &flat_tuple_type : &tuple_type, items, count, tuple);
}

static ouro_status length(ouro_value tuple, size_t *length)
{
    *length = oi_tuple_of(tuple)->array.length;
    return OURO_OK;
}

static ouro_status snapshot(ouro_value tuple, struct oi_snapshot *snapshot)
{
    *snapshot = (struct oi_snapshot){oi_tuple_of(tuple)->items, oi_tuple_of(tuple)->array.length, NULL};
    return OURO_OK;
}

static ouro_status make_empty(ouro_value like, size_t count, ouro_value *empty)
{
    (void)like;
    *empty = ouro_value_of(ouro_new_array(&tuple_type, count));
    return *empty ? OURO_OK : OURO_E_NOMEM;
}

static ouro_status fill(ouro_value empty, const ouro_value *items, size_t count)
{
    return oi_fill(oi_word(empty), slots_of(oi_tuple_of(empty)), items, count);
}

const struct oi_kind_ops oi_tuple_ops = {.snapshot = snapshot, .length = length, .make = make_empty, .fill = fill, .immutable = true,
                                         .equality = OI_IN_ORDER, .ordered = true, .opening = "(", .closing = ")"};

ouro_status ouro_tuple_length(ouro_value tuple, size_t *out)
{
    if (!out)
        return OURO_E_INVALID;
    *out = 0;
    return is_tuple(tuple) ? length(tuple, out) : OURO_E_TYPE;
}

ouro_status ouro_tuple_get(ouro_value tuple, ptrdiff_t index, ouro_value *item)
{
    size_t at;
    if (!item)
        return OURO_E_INVALID;
    *item = OURO_NIL;
    if (!is_tuple(tuple))
        return OURO_E_TYPE;
    if (!oi_index(index, oi_tuple_of(tuple)->array.length, &at))
        return OURO_E_INDEX;
    return oi_retain_into(oi_tuple_of(tuple)->items[at], item);
}

const ouro_value *ouro_tuple_items(ouro_value tuple, size_t *length)
{
    bool is = is_tuple(tuple);
    if (length)
        *length = is ? oi_tuple_of(tuple)->array.length : 0;
    return is ? oi_tuple_of(tuple)->items : NULL;
}

ouro_status ouro_tuple_slice(ouro_value tuple, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *slice)
{
    size_t first, count;
    if (!slice)
        return OURO_E_INVALID;
    *slice = OURO_NIL;
    if (!is_tuple(tuple))
        return OURO_E_TYPE;
    const struct oi_tuple *from = oi_tuple_of(tuple);
    if (!oi_slice(start, stop, step, from->array.length, &first, &count))
        return OURO_E_INVALID;
    if (step == 1)
        return count == from->array.length ? oi_retain_into(tuple, slice) : ouro_tuple_new(from->items + first, count, slice);
    bool flat = oi_id_of(tuple) == OI_OWN_FLAT_TUPLE;
    struct oi_tuple *made = ouro_new_array(flat ? &flat_tuple_type : &tuple_type, count);
    if (!made)
        return OURO_E_NOMEM;
    ouro_status status = OURO_OK;
    for (size_t i = 0; i < count && status == OURO_OK; i++)
        status = oi_fill(made, slots_of(made) + i, &from->items[first + i * (size_t)step], 1);
    *slice = ouro_value_of(made);
    if (status != OURO_OK) {
        ouro_release(made);
        *slice = OURO_NIL;
    }
    return status;
}

ouro_status ouro_tuple_concat(ouro_value a, ouro_value b, ouro_value *tuple)
{
    if (!tuple)
        return OURO_E_INVALID;
    *tuple = OURO_NIL;
    if (!is_tuple(a) || !is_tuple(b))
        return OURO_E_TYPE;
    const struct oi_tuple *x = oi_tuple_of(a), *y = oi_tuple_of(b);
    size_t first = x->array.length, second = y->array.length;
    if (!first || !second)
        return oi_retain_into(first ? a : b, tuple);
    bool flat = oi_id_of(a) == OI_OWN_FLAT_TUPLE && oi_id_of(b) == OI_OWN_FLAT_TUPLE;
    struct oi_tuple *made = ouro_new_array(flat ? &flat_tuple_type : &tuple_type, first + second);
    if (!made)
        return OURO_E_NOMEM;
    ouro_status status = oi_fill(made, slots_of(made), x->items, first);
    if (status == OURO_OK)
        status = oi_fill(made, slots_of(made) + first, y->items, second);
    *tuple = ouro_value_of(made);
    if (status != OURO_OK) {
        ouro_release(made);
        *tuple = OURO_NIL;
    }
    return status;
}

ouro_status ouro_tuple_index(ouro_value tuple, ouro_value item, ptrdiff_t start, ptrdiff_t stop, size_t *at)
{
    size_t from, to;
    if (!at)
        return OURO_E_INVALID;
    *at = 0;
    if (!is_tuple(tuple))
        return OURO_E_TYPE;
    const struct oi_tuple *t = oi_tuple_of(tuple);
    oi_cut(start, stop, t->array.length, &from, &to);
    return oi_find_item(t->items + from, to - from, item, from, at);
}

ouro_status ouro_tuple_count(ouro_value tuple, ouro_value item, size_t *count)
{
    if (!count)
        return OURO_E_INVALID;
    *count = 0;
    if (!is_tuple(tuple))
        return OURO_E_TYPE;
    return oi_count_item(oi_tuple_of(tuple)->items, oi_tuple_of(tuple)->array.length, item, count);
}
