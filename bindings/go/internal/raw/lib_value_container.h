/* SPDX-License-Identifier: MIT
 *
 * What all containers do: see whether the caller may use one, and make values fit to be stored; and how readers get counted references
 * (docs/design/containers.md). Values in slots are called words, as in object/slot.c. */
#pragma once

#include <limits.h>

#include "lib_object_hint.h"
#include "lib_object_publish.h"
#include "lib_value_contents.h"

/* "Not done yet", inside a file: no host returns it. */
#define OI_AGAIN ((ouro_status)INT_MIN)

static inline ouro_object *oi_value_ref(ouro_value value)
{
    return oi_slot_ref(oi_word(value));
}

static inline bool oi_is_shared(const void *container)
{
    return oi_flags((const ouro_object *)container) & OI_PUBLISHED;
}

/* True if the calling thread may use the object; false: look closer. */
static inline bool oi_is_usable(const ouro_object *o)
{
    return OI_LIKELY(oi_flags(o) & OI_PUBLISHED) ? OI_LIKELY(oi_shared(o) != OI_DEAD) : oi_owner(o) == oi_my_id();
}

/* OURO_OK: it is of this type, and the calling thread may use it. */
static inline ouro_status oi_container_check(ouro_value value, uint32_t id, const char *call)
{
    if (OI_UNLIKELY(oi_id_of(value) != id))
        return OURO_E_TYPE;
    return oi_is_usable(oi_value_ref(value)) ? OURO_OK : oi_may_use_slow(value, call);
}

ouro_status oi_word_prepare_slow(ouro_value value, bool shared, const char *call);

/* Makes a value fit to be stored in a container: published, if that is shared. OURO_E_USAGE: it is dead, or another thread's (reported). Not
 * in a turn: publishing takes as long as there is to publish. */
static inline ouro_status oi_word_prepare(ouro_value value, bool shared, const char *call)
{
    ouro_object *o = oi_value_ref(value);
    if (!o || (oi_is_usable(o) && (!shared || (oi_flags(o) & OI_PUBLISHED))))
        return OURO_OK;
    return oi_word_prepare_slow(value, shared, call);
}

static inline ouro_status oi_words_prepare(const oi_word_array *values, size_t count, bool shared, const char *call)
{
    ouro_status status = OURO_OK;
    for (size_t i = 0; i < count && status == OURO_OK; i++)
        status = oi_word_prepare(values[i], shared, call);
    return status;
}

/* A reference for a slot of the container. What is moved into a shared one is checked first (rule D). */
static inline void oi_word_retain(ouro_value value, bool shared)
{
    ouro_object *o = oi_value_ref(value);
    if (o)
        oi_retain_as(o, shared ? oi_check(o) : OI_ID(oi_owner(o)));
}

/* Before the caller's own reference is moved into a slot of the container. */
static inline void oi_word_move(ouro_value value, bool shared)
{
    ouro_object *o = oi_value_ref(value);
    if (o && shared)
        oi_check(o);
}

/* One more of what a private container, or a shared one in this thread's turn, holds. */
static inline ouro_value oi_word_hold_own(ouro_value value)
{
    ouro_object *o = oi_value_ref(value);
    if (o)
        oi_retain_as(o, OI_ID(oi_owner(o)));
    return value;
}

static inline ouro_value oi_word_load(const ouro_slot *slot)
{
    return ouro_value_peek(slot);
}

/* Release: the object's content, publication and count, before the edge; pairs with ouro_value_peek [MO-publish]. No exchange is needed: the
 * container's writers take turns. */
static inline void oi_word_store(ouro_slot *slot, ouro_value value)
{
    oi_store_release(&slot->ouro_private_ref, oi_word(value));
}

/* Of a word that this turn has put in or taken out (T4). */
static inline void oi_word_hint(ouro_value value, bool shared)
{
    ouro_object *o = oi_value_ref(value);
    if (o && shared)
        oi_hint(o);
}

static inline void oi_words_hint(const oi_word_array *values, size_t count, bool shared)
{
    for (size_t i = 0; shared && i < count; i++)
        oi_word_hint(values[i], shared);
}

/* The same, of the store that a turn has put into the container's slot, or taken out. */
static inline void oi_store_hint(void *store, bool shared)
{
    if (store && shared)
        oi_hint(store);
}

/* In a read section, of what was found in a shared container: a reference, unless it is dead. */
static inline bool oi_word_try_hold(ouro_value value)
{
    ouro_object *o = oi_value_ref(value);
    return !o || oi_try_retain(o);
}

/* If that fails, it is dead; or a finalizer that is running has put it where it was found. True: that may be. Then the caller looks whether the
 * container is alive and still has it: what was taken out before it died, it will not find. */
bool oi_word_is_finalizing(ouro_value value);

/* And then: a reference. False: the finalizer is done. */
bool oi_word_hold_finalizing(ouro_value value);
