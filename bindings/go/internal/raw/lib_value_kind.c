//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Kinds: which there are, what each can do, and what that makes of any value. */
#include "lib_value_dict.h"
#include "lib_value_host.h"
#include "lib_value_iterator.h"
#include "lib_value_list.h"
#include "lib_value_number.h"
#include "lib_value_record.h"
#include "lib_value_weak_map.h"

const uint8_t oi_kind_of_id[OI_OWN_TYPES] = {
    [0] = OURO_KIND_OBJECT,
    [OI_OWN_WEAK] = OURO_KIND_WEAK,
    [OI_OWN_FLOAT] = OURO_KIND_FLOAT,
    [OI_OWN_STRING] = OURO_KIND_STRING,
    [OI_OWN_INTERNED] = OURO_KIND_STRING,
    [OI_OWN_BYTES] = OURO_KIND_BYTES,
    [OI_OWN_TUPLE] = OURO_KIND_TUPLE,
    [OI_OWN_FLAT_TUPLE] = OURO_KIND_TUPLE,
    [OI_OWN_SHAPE] = OURO_KIND_SHAPE,
    [OI_OWN_RECORD] = OURO_KIND_RECORD,
    [OI_OWN_HOST] = OURO_KIND_HOST,
    [OI_OWN_HOST_WITH_REFERENCES] = OURO_KIND_HOST,
    [OI_OWN_LIST] = OURO_KIND_LIST,
    [OI_OWN_DICT] = OURO_KIND_DICT,
    [OI_OWN_SET] = OURO_KIND_SET,
    [OI_OWN_ITERATOR] = OURO_KIND_ITERATOR,
    [OI_OWN_GENERATOR] = OURO_KIND_ITERATOR,
    [OI_OWN_WEAK_MAP] = OURO_KIND_WEAK_MAP,
    [OI_OWN_WEAK_SET] = OURO_KIND_WEAK_SET,
    [OI_OWN_WEAK_ENTRY] = OURO_KIND_OBJECT,
    [OI_OWN_STORE] = OURO_KIND_OBJECT,
    [OI_OWN_KEYED] = OURO_KIND_OBJECT,
    [OI_OWN_VALUES_END ... OI_OWN_TYPES - 1] = OURO_KIND_OBJECT,
};

const struct oi_kind_ops *const oi_kind_ops[OURO_KIND_OBJECT + 1] = {
    [OURO_KIND_STRING] = &oi_string_ops,
    [OURO_KIND_BYTES] = &oi_bytes_ops,
    [OURO_KIND_TUPLE] = &oi_tuple_ops,
    [OURO_KIND_LIST] = &oi_list_ops,
    [OURO_KIND_DICT] = &oi_dict_ops,
    [OURO_KIND_SET] = &oi_set_ops,
    [OURO_KIND_RECORD] = &oi_record_ops,
    [OURO_KIND_WEAK_MAP] = &oi_weak_map_ops,
    [OURO_KIND_WEAK_SET] = &oi_weak_set_ops,
};

static const char *const names[OURO_KIND_OBJECT + 1] = {
    [OURO_KIND_NIL] = "nil",           [OURO_KIND_BOOL] = "bool",         [OURO_KIND_INT] = "int",
    [OURO_KIND_FLOAT] = "float",       [OURO_KIND_STRING] = "string",     [OURO_KIND_BYTES] = "bytes",
    [OURO_KIND_TUPLE] = "tuple",       [OURO_KIND_LIST] = "list",         [OURO_KIND_DICT] = "dict",
    [OURO_KIND_SET] = "set",           [OURO_KIND_RECORD] = "record",     [OURO_KIND_SHAPE] = "shape",
    [OURO_KIND_ITERATOR] = "iterator", [OURO_KIND_WEAK] = "weak",         [OURO_KIND_WEAK_MAP] = "weak map",
    [OURO_KIND_WEAK_SET] = "weak set", [OURO_KIND_HOST] = "host",         [OURO_KIND_OBJECT] = "object",
};

ouro_kind ouro_kind_of(ouro_value value)
{
    return oi_kind_of(value);
}

const char *ouro_kind_name(ouro_kind kind)
{
    return (unsigned)kind <= OURO_KIND_OBJECT ? names[kind] : "?";
}

const char *ouro_value_type_name(ouro_value value)
{
    ouro_kind kind = oi_kind_of(value);
    const struct oi_shape *shape;
    const ouro_type *type;
    switch (kind) {
    case OURO_KIND_RECORD:
        shape = oi_record_shape(oi_record_of(value));
        return shape ? oi_string_bytes(oi_string_of(oi_shape_name(shape))) : names[kind];
    case OURO_KIND_HOST:
        return oi_host_class(value)->name;
    case OURO_KIND_OBJECT:
        type = ouro_type_of(oi_word(value));
        return type && type->name ? type->name : "?";
    default:
        return names[kind];
    }
}

ouro_status ouro_length(ouro_value value, size_t *length)
{
    const struct oi_kind_ops *ops = oi_kind_ops[oi_kind_of(value)];
    if (!length)
        return OURO_E_INVALID;
    *length = 0;
    return ops && ops->length ? ops->length(value, length) : OURO_E_TYPE;
}

bool ouro_truth(ouro_value value)
{
    ouro_kind kind = oi_kind_of(value);
    const struct oi_kind_ops *ops = oi_kind_ops[kind];
    const ouro_host_class *class;
    size_t length;
    switch (kind) {
    case OURO_KIND_NIL:
        return false;
    case OURO_KIND_BOOL:
        return value == OURO_TRUE;
    case OURO_KIND_INT:
        return ouro_int_value(value) != 0;
    case OURO_KIND_FLOAT:
        return oi_float_number(value) != 0;
    case OURO_KIND_STRING: /* without counting */
        return oi_string_size(oi_string_of(value)) != 0;
    case OURO_KIND_RECORD:
        return true;
    case OURO_KIND_HOST:
        class = oi_host_class(value);
        return !class->truth || class->truth(ouro_host_handle(value));
    default:
        return !ops || !ops->length || ops->length(value, &length) != OURO_OK || length != 0;
    }
}

bool oi_value_init(void)
{
    oi_hash_init();
    return oi_number_init() && oi_string_init() && oi_intern_init() && oi_bytes_init() && oi_tuple_init() && oi_shape_init() &&
           oi_record_init() && oi_host_init() && oi_list_init() && oi_dict_init() && oi_set_init() && oi_weak_map_init() &&
           oi_iterator_init();
}

void oi_value_maintain(void)
{
    oi_intern_maintain();
    oi_shape_maintain();
}
