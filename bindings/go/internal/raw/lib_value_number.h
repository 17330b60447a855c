/* SPDX-License-Identifier: MIT
 *
 * Numbers: integers in the word, and floats. What they are worth is compared exactly, however different their forms. */
#pragma once

#include "lib_value_hash.h"

struct oi_float {
    ouro_object object;
    double number; /* immutable */
};

static inline double oi_float_number(ouro_value value)
{
    return ((const struct oi_float *)oi_word(value))->number;
}

static inline bool oi_is_number(ouro_kind kind)
{
    return kind == OURO_KIND_INT || kind == OURO_KIND_FLOAT;
}

/* The order of two numbers: -1, 0, 1, or OURO_UNORDERED. */
int oi_number_compare(ouro_value a, ouro_value b);

uint64_t oi_number_hash(ouro_value value);

bool oi_number_init(void);
