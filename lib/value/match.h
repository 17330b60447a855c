/* SPDX-License-Identifier: MIT
 *
 * Comparing two values without asking anybody: no user code, nothing to wait for, nothing made. For read sections and turns. */
#pragma once

#include <ouro/value.h>

enum oi_match { OI_DIFFERENT, OI_EQUAL, OI_ASK };

enum oi_match oi_match_keys_slow(ouro_value a, ouro_value b);
enum oi_match oi_match_values_slow(ouro_value a, ouro_value b);

/* As keys. OI_ASK: ouro_key_equal says. */
static inline enum oi_match oi_match_keys(ouro_value a, ouro_value b)
{
    return a == b ? OI_EQUAL : !ouro_is_object(a) && !ouro_is_object(b) ? OI_DIFFERENT : oi_match_keys_slow(a, b);
}

/* As elements, of which each equals itself. OI_ASK: ouro_equal says. */
static inline enum oi_match oi_match_values(ouro_value a, ouro_value b)
{
    return a == b ? OI_EQUAL : !ouro_is_object(a) && !ouro_is_object(b) ? OI_DIFFERENT : oi_match_values_slow(a, b);
}
