/* SPDX-License-Identifier: MIT
 *
 * Tuples. One whose elements the collector does not look at (immediates, leaves, objects of acyclic types, such tuples) is flat: it is of a type
 * of its own, at which the collector does not look either. */
#pragma once

#include "lib_value_hash.h"

struct oi_tuple {
    ouro_array array;
    uint64_t hash;      /* atomic, relaxed: whoever computes it computes the same; OI_TUPLE_HASHED, or 0: not computed yet */
    oi_word_array items[]; /* immutable; slots */
};

#define OI_TUPLE_HASHED ((uint64_t)1 << 63)

static inline struct oi_tuple *oi_tuple_of(ouro_value value)
{
    return oi_word(value);
}

bool oi_tuple_init(void);
