/* SPDX-License-Identifier: MIT
 *
 * Records: a shape and a slot for each of its fields. Each field is a word of its own that is read and written atomically; there is no lock. */
#pragma once

#include "lib_value_shape.h"

struct oi_record {
    ouro_array array;   /* length: fields */
    ouro_slot shape;    /* immutable */
    ouro_slot values[];
};

static inline struct oi_record *oi_record_of(ouro_value value)
{
    return oi_word(value);
}

/* NULL: a visitor (<ouro/gc.h>) has met it while an unbiased thread makes it. Acquire: pairs with oi_fill then [MO-publish]. */
static inline struct oi_shape *oi_record_shape(const struct oi_record *record)
{
    return oi_load_acquire(&record->shape.ouro_private_ref);
}

bool oi_record_init(void);
