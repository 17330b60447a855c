/* SPDX-License-Identifier: MIT */
#include "value/container.h"

#include "object/misuse.h"

ouro_status oi_container_check_slow(ouro_value value, const ouro_type *type, const char *call)
{
    const ouro_object *o = oi_value_ref(value);
    if (!o)
        return OURO_E_TYPE;
    if (!oi_type_word(o) || (oi_value_is(value, type) && oi_is_dead(o))) {
        if (!oi_act.reading) /* in a read section, containers that were found there may be dead */
            oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, "the container is dead");
        return OURO_E_USAGE;
    }
    if (!oi_value_is(value, type))
        return OURO_E_TYPE;
    if (oi_is_foreign(o)) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, "the container is private to another thread");
        return OURO_E_USAGE;
    }
    return OURO_OK;
}

bool oi_word_prepare_slow(ouro_object *o, bool shared, const char *call)
{
    if (oi_is_dead(o)) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, "the object to store is dead");
        return false;
    }
    if (oi_is_foreign(o)) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, "the object to store is private to another thread");
        return false;
    }
    if (shared && !(oi_flags(o) & OI_PUBLISHED))
        oi_publish(o);
    return true;
}

bool oi_word_hold_finalizing(ouro_value value)
{
    ouro_object *o = oi_value_ref(value);
    uint32_t s = oi_load_acquire(&o->ouro_private_shared); /* as in load (object/slot.c) [MO-count] */
    while (oi_is_finalizing(s)) {
        if (oi_cas_weak_acquire(&o->ouro_private_shared, &s, oi_shared_plus_one(s)))
            return true;
    }
    return false;
}
