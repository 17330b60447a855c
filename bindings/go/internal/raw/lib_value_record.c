//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_record.h"

#include "lib_value_contents.h"

static ouro_type record_type = OURO_TYPE(struct oi_record, .name = "record", .slots = OURO_SLOTS(struct oi_record, shape),
                                         .array_slots = offsetof(struct oi_record, values), .flags = OI_TYPE_OWN);

bool oi_record_init(void)
{
    return oi_type_register_own(&record_type, OI_OWN_RECORD, NULL);
}

static bool is_record(ouro_value value)
{
    return oi_kind_of(value) == OURO_KIND_RECORD && oi_record_shape(oi_record_of(value));
}

static ouro_status make(struct oi_shape *shape, const ouro_value *values, ouro_value *record)
{
    *record = OURO_NIL;
    if (OI_UNLIKELY(!shape))
        return OURO_E_TYPE; /* that of a record which is being made */
    size_t count = oi_shape_fields(shape)->array.length;
    struct oi_record *made = ouro_new_array(&record_type, count);
    if (!made)
        return OURO_E_NOMEM;
    ouro_value shape_value = ouro_value_of(shape);
    ouro_status status = oi_fill(made, &made->shape, &shape_value, 1);
    if (status == OURO_OK && values)
        status = oi_fill(made, made->values, values, count);
    if (status == OURO_OK)
        *record = ouro_value_of(made);
    else
        ouro_release(made);
    return status;
}

ouro_status ouro_record_new(ouro_value shape, const ouro_value *values, ouro_value *record)
{
    if (!record)
        return OURO_E_INVALID;
    *record = OURO_NIL;
    return oi_kind_of(shape) == OURO_KIND_SHAPE ? make(oi_shape_of(shape), values, record) : OURO_E_TYPE;
}

ouro_status ouro_record_from(ouro_value name, const ouro_value *fields, const ouro_value *values, size_t count, ouro_value *record)
{
    ouro_value shape;
    if (!record)
        return OURO_E_INVALID;
    *record = OURO_NIL;
    ouro_status status = ouro_shape_new(name, fields, count, &shape);
    if (status == OURO_OK)
        status = make(oi_shape_of(shape), values, record);
    ouro_value_release(shape);
    return status;
}

/* ---- Any value's part ---- */

static ouro_status length(ouro_value record, size_t *length)
{
    *length = oi_record_of(record)->array.length;
    return OURO_OK;
}

static ouro_status snapshot(ouro_value value, struct oi_snapshot *snapshot)
{
    struct oi_record *record = oi_record_of(value);
    ouro_status status = oi_may_use(value, "ouro_record_get");
    if (status != OURO_OK)
        return status;
    if (!oi_snapshot_reserve(snapshot, record->array.length))
        return OURO_E_NOMEM;
    for (size_t i = 0; i < record->array.length; i++)
        snapshot->owned[i] = oi_get(record, &record->values[i]);
    return OURO_OK;
}

static ouro_status make_empty(ouro_value like, size_t count, ouro_value *empty)
{
    (void)count;
    return make(oi_record_shape(oi_record_of(like)), NULL, empty);
}

static ouro_status fill(ouro_value empty, const ouro_value *items, size_t count)
{
    return oi_fill(oi_word(empty), oi_record_of(empty)->values, items, count);
}

static bool alike(ouro_value a, ouro_value b)
{
    return oi_record_shape(oi_record_of(a)) == oi_record_shape(oi_record_of(b));
}

const struct oi_kind_ops oi_record_ops = {.snapshot = snapshot, .length = length, .make = make_empty, .fill = fill,
                                          .equality = OI_IN_ORDER, .alike = alike, .opening = "(", .closing = ")"};

ouro_status ouro_record_length(ouro_value record, size_t *out)
{
    if (!out)
        return OURO_E_INVALID;
    *out = 0;
    return is_record(record) ? length(record, out) : OURO_E_TYPE;
}

ouro_status ouro_record_shape(ouro_value record, ouro_value *shape)
{
    if (!shape)
        return OURO_E_INVALID;
    *shape = OURO_NIL;
    return is_record(record) ? oi_retain_into(ouro_value_of(oi_record_shape(oi_record_of(record))), shape) : OURO_E_TYPE;
}

/* ---- Fields ---- */

/* The slot of a field; NULL, and why. */
static ouro_slot *slot_at(ouro_value value, size_t index, const char *call, ouro_status *status)
{
    if (!is_record(value))
        *status = OURO_E_TYPE;
    else if ((*status = oi_may_use(value, call)) == OURO_OK && index >= oi_record_of(value)->array.length)
        *status = OURO_E_INDEX;
    return *status == OURO_OK ? &oi_record_of(value)->values[index] : NULL;
}

static ouro_slot *slot_of(ouro_value value, ouro_value field, const char *call, ouro_status *status)
{
    size_t index = 0;
    *status = is_record(value) ? oi_shape_find(oi_record_shape(oi_record_of(value)), field, &index) : OURO_E_TYPE;
    return *status == OURO_OK ? slot_at(value, index, call, status) : NULL;
}

ouro_status ouro_record_get(ouro_value record, ouro_value field, ouro_value *value)
{
    ouro_status status;
    if (!value)
        return OURO_E_INVALID;
    ouro_slot *slot = slot_of(record, field, "ouro_record_get", &status);
    *value = slot ? oi_get(oi_word(record), slot) : OURO_NIL;
    return status;
}

ouro_status ouro_record_get_at(ouro_value record, size_t index, ouro_value *value)
{
    ouro_status status;
    if (!value)
        return OURO_E_INVALID;
    ouro_slot *slot = slot_at(record, index, "ouro_record_get_at", &status);
    *value = slot ? oi_get(oi_word(record), slot) : OURO_NIL;
    return status;
}

ouro_status ouro_record_set(ouro_value record, ouro_value field, ouro_value value)
{
    ouro_status status;
    ouro_slot *slot = slot_of(record, field, "ouro_record_set", &status);
    return slot ? oi_set(oi_word(record), slot, value, "ouro_record_set") : status;
}

ouro_status ouro_record_set_at(ouro_value record, size_t index, ouro_value value)
{
    ouro_status status;
    ouro_slot *slot = slot_at(record, index, "ouro_record_set_at", &status);
    return slot ? oi_set(oi_word(record), slot, value, "ouro_record_set_at") : status;
}

ouro_status ouro_record_swap(ouro_value record, ouro_value field, ouro_value value, ouro_value *old)
{
    ouro_status status;
    if (!old)
        return OURO_E_INVALID;
    *old = OURO_NIL;
    ouro_slot *slot = slot_of(record, field, "ouro_record_swap", &status);
    if (slot && (status = oi_may_store(value, "ouro_record_swap")) == OURO_OK)
        *old = ouro_value_swap(oi_word(record), slot, ouro_value_retain(value));
    return status;
}

ouro_status ouro_record_compare_set(ouro_value record, ouro_value field, ouro_value expected, ouro_value value, bool *done)
{
    ouro_status status;
    if (!done)
        return OURO_E_INVALID;
    *done = false;
    ouro_slot *slot = slot_of(record, field, "ouro_record_compare_set", &status);
    if (slot && (status = oi_may_store(value, "ouro_record_compare_set")) == OURO_OK)
        *done = ouro_value_compare_set(oi_word(record), slot, expected, value);
    return status;
}
