//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_container.h"

ouro_status oi_word_prepare_slow(ouro_value value, bool shared, const char *call)
{
    ouro_status status = oi_may_store(value, call);
    if (status == OURO_OK && shared && !oi_is_shared(oi_value_ref(value)))
        oi_publish(oi_value_ref(value));
    return status;
}

bool oi_word_is_finalizing(ouro_value value)
{
    /* Acquire: what has killed it comes before what the caller looks at next; as in load (object/slot.c) [MO-count]. */
    return oi_is_finalizing(oi_load_acquire(&oi_value_ref(value)->ouro_private_shared));
}

bool oi_word_hold_finalizing(ouro_value value)
{
    ouro_object *o = oi_value_ref(value);
    uint32_t s = oi_load_acquire(&o->ouro_private_shared); /* what the finalizer did [MO-count] */
    while (oi_is_finalizing(s)) {
        if (oi_cas_weak_acquire(&o->ouro_private_shared, &s, oi_shared_plus_one(s)))
            return true;
    }
    return false;
}
