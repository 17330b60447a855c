/* SPDX-License-Identifier: MIT
 *
 * The word, and values in slots of private containers. Included by <ouro/value.h>. */
#ifndef OURO_INLINE_VALUE_H
#define OURO_INLINE_VALUE_H

#include "ouro_value.h"

OURO_BEGIN_DECLS

OURO_API void ouro_private_value_set_slow(void *container, ouro_slot *slot, ouro_value value);
OURO_API void ouro_private_value_give_slow(void *container, ouro_slot *slot, ouro_value value);

OURO_API OURO_INLINE ouro_value ouro_bool_new(bool b)
{
    return b ? OURO_TRUE : OURO_FALSE;
}

OURO_API OURO_INLINE ouro_value ouro_int_new(int64_t number)
{
    return OURO_LIKELY(number >= OURO_INT_MIN && number <= OURO_INT_MAX) ? (uint64_t)number << 2 | 1 : OURO_NIL;
}

OURO_API OURO_INLINE ouro_value ouro_value_of(const void *object)
{
    return (ouro_value)(uintptr_t)object;
}

OURO_API OURO_INLINE bool ouro_is_nil(ouro_value value)
{
    return value == OURO_NIL;
}

OURO_API OURO_INLINE bool ouro_is_bool(ouro_value value)
{
    return value == OURO_TRUE || value == OURO_FALSE;
}

OURO_API OURO_INLINE bool ouro_is_int(ouro_value value)
{
    return (value & OURO_PRIVATE_TAG) == 1;
}

OURO_API OURO_INLINE bool ouro_is_object(ouro_value value)
{
    return value && !(value & OURO_PRIVATE_TAG);
}

OURO_API OURO_INLINE bool ouro_bool_value(ouro_value value)
{
    return value == OURO_TRUE;
}

OURO_API OURO_INLINE int64_t ouro_int_value(ouro_value value)
{
    return ouro_is_int(value) ? (int64_t)value >> 2 : 0; /* an arithmetic shift, with every compiler that this is for */
}

OURO_API OURO_INLINE void *ouro_value_object(ouro_value value)
{
    return ouro_is_object(value) ? (void *)(uintptr_t)value : NULL;
}

OURO_API OURO_INLINE bool ouro_same(ouro_value a, ouro_value b)
{
    return a == b;
}

OURO_API OURO_INLINE ouro_value ouro_value_retain(ouro_value value)
{
    return ouro_is_object(value) ? ouro_value_of(ouro_retain((void *)(uintptr_t)value)) : value;
}

OURO_API OURO_INLINE void ouro_value_release(ouro_value value)
{
    if (ouro_is_object(value))
        ouro_release((void *)(uintptr_t)value);
}

OURO_API OURO_INLINE void ouro_value_share(ouro_value value)
{
    if (ouro_is_object(value))
        ouro_share((void *)(uintptr_t)value);
}

OURO_API OURO_INLINE ouro_value ouro_value_peek(const ouro_slot *slot)
{
    /* Acquire: pairs with the release of the exchange that stored the value [MO-publish]. */
    return ouro_value_of(__atomic_load_n(&slot->ouro_private_ref, __ATOMIC_ACQUIRE));
}

OURO_API OURO_INLINE void ouro_value_set(void *container, ouro_slot *slot, ouro_value value)
{
    if (OURO_UNLIKELY(!ouro_private_is_mine(container, slot) || !ouro_private_may_store(ouro_value_object(value)))) {
        ouro_private_value_set_slow(container, slot, value);
        return;
    }
    ouro_value_retain(value);
    ouro_value old = ouro_value_of(slot->ouro_private_ref);
    slot->ouro_private_ref = (void *)(uintptr_t)value;
    ouro_value_release(old);
}

OURO_API OURO_INLINE void ouro_value_give(void *container, ouro_slot *slot, ouro_value value)
{
    if (OURO_UNLIKELY(!ouro_private_is_mine(container, slot) || !ouro_private_may_store(ouro_value_object(value)))) {
        ouro_private_value_give_slow(container, slot, value);
        return;
    }
    ouro_value old = ouro_value_of(slot->ouro_private_ref);
    slot->ouro_private_ref = (void *)(uintptr_t)value;
    ouro_value_release(old);
}

OURO_END_DECLS
#endif
