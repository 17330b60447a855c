//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * The callable twins of the word's inline functions, and the same for many at once. */
#include "ouro_value.h"

extern inline ouro_value ouro_bool_new(bool b);
extern inline ouro_value ouro_int_new(int64_t number);
extern inline ouro_value ouro_value_of(const void *object);
extern inline bool ouro_is_nil(ouro_value value);
extern inline bool ouro_is_bool(ouro_value value);
extern inline bool ouro_is_int(ouro_value value);
extern inline bool ouro_is_object(ouro_value value);
extern inline bool ouro_bool_value(ouro_value value);
extern inline int64_t ouro_int_value(ouro_value value);
extern inline void *ouro_value_object(ouro_value value);
extern inline bool ouro_same(ouro_value a, ouro_value b);
extern inline ouro_value ouro_value_retain(ouro_value value);
extern inline void ouro_value_release(ouro_value value);
extern inline void ouro_value_share(ouro_value value);

void ouro_value_retain_all(const ouro_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ouro_value_retain(values[i]);
}

void ouro_value_release_all(const ouro_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ouro_value_release(values[i]);
}
