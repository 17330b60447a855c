/* SPDX-License-Identifier: MIT
 *
 * Shapes: the name and the fields of records, as unique objects (value/unique.h). All their strings are interned, so that shapes and most field names
 * are compared by the word. */
#pragma once

#include "lib_value_string.h"
#include "lib_value_tuple.h"
#include "lib_value_unique.h"

struct oi_shape {
    struct oi_unique unique; /* array.length: bytes of the index */
    ouro_slot name;          /* this and the rest: immutable */
    ouro_slot fields;        /* a tuple */
    uint16_t index[];        /* with more than OI_SHAPE_LINEAR fields: a hash table of places + 1, 0 for none */
};

#define OI_SHAPE_LINEAR 8u

static inline struct oi_shape *oi_shape_of(ouro_value value)
{
    return oi_word(value);
}

static inline ouro_value oi_shape_name(const struct oi_shape *shape)
{
    return ouro_value_of(shape->name.ouro_private_ref);
}

static inline struct oi_tuple *oi_shape_fields(const struct oi_shape *shape)
{
    return shape->fields.ouro_private_ref;
}

/* The place of a field. OURO_E_TYPE: it is no string. OURO_E_KEY. */
ouro_status oi_shape_find(const struct oi_shape *shape, ouro_value field, size_t *index);

bool oi_shape_init(void);
void oi_shape_maintain(void);
