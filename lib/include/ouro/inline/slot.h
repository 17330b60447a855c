/* SPDX-License-Identifier: MIT
 *
 * Slot operations on private containers, and the borrowed load. Included by <ouro/slot.h>.
 *
 * A container whose owner is this thread and that is not published is seen by nobody else: plain loads and stores do.
 * The upper 11 bits of the type word are the size of the object's body in units of 8 bytes (0: an array, or above 8 KiB: the library
 * looks closer), so that a slot outside its container is caught without leaving the header's cache line. */
#ifndef OURO_INLINE_SLOT_H
#define OURO_INLINE_SLOT_H

#include <ouro/slot.h>

OURO_BEGIN_DECLS

#define OURO_PRIVATE_PUBLISHED 0x1u
#define OURO_PRIVATE_UNITS_SHIFT 21
#define OURO_PRIVATE_TAG ((uintptr_t)3) /* bits that are clear in references, and not all clear in other values (<ouro/value.h>) */

OURO_API void ouro_private_set_slow(void *container, ouro_slot *slot, void *object);
OURO_API void ouro_private_give_slow(void *container, ouro_slot *slot, void *object);

/* True for a slot's content that is counted: neither NULL nor a value without a reference. */
OURO_API OURO_INLINE bool ouro_private_is_ref(const void *word)
{
    return word && !((uintptr_t)word & OURO_PRIVATE_TAG);
}

/* True if this thread may store into the slot without synchronization. */
OURO_API OURO_INLINE bool ouro_private_is_mine(const void *container, const ouro_slot *slot)
{
    const ouro_object *o = (const ouro_object *)container;
    size_t at = (uintptr_t)slot - (uintptr_t)container - sizeof(ouro_object);
    size_t unit = at >> 3 | at << 61; /* a rotation: what is not a multiple of 8 comes out large */
    /* Relaxed: that this thread's id is there, and PUBLISHED not, nobody else can change. */
    return ouro_private_owner_and_published(o) == ouro_private_thread_id &&
           unit < (size_t)(__atomic_load_n(&o->ouro_private_type, __ATOMIC_RELAXED) >> OURO_PRIVATE_UNITS_SHIFT);
}

/* True if this thread may store a reference to the object in its own containers without a closer look. */
OURO_API OURO_INLINE bool ouro_private_may_store(const void *object)
{
    const ouro_object *o = (const ouro_object *)object;
    return !o || __atomic_load_n(&o->ouro_private_owner, __ATOMIC_RELAXED) == ouro_private_thread_id; /* relaxed: as above */
}

OURO_API OURO_INLINE void *ouro_peek(const ouro_slot *slot)
{
    /* Acquire: pairs with the release of the exchange that stored the reference [MO-publish]. */
    void *word = __atomic_load_n(&slot->ouro_private_ref, __ATOMIC_ACQUIRE);
    if (OURO_UNLIKELY((uintptr_t)word & OURO_PRIVATE_TAG)) {
        OURO_PRIVATE_STAY_A_BRANCH();
        return NULL;
    }
    return word;
}

OURO_API OURO_INLINE void ouro_set(void *container, ouro_slot *slot, void *object)
{
    if (OURO_UNLIKELY(!ouro_private_is_mine(container, slot) || !ouro_private_may_store(object))) {
        ouro_private_set_slow(container, slot, object);
        return;
    }
    ouro_retain(object);
    void *old = slot->ouro_private_ref;
    slot->ouro_private_ref = object;
    if (ouro_private_is_ref(old))
        ouro_release(old);
}

OURO_API OURO_INLINE void ouro_give(void *container, ouro_slot *slot, void *object)
{
    if (OURO_UNLIKELY(!ouro_private_is_mine(container, slot) || !ouro_private_may_store(object))) {
        ouro_private_give_slow(container, slot, object);
        return;
    }
    void *old = slot->ouro_private_ref;
    slot->ouro_private_ref = object;
    if (ouro_private_is_ref(old))
        ouro_release(old);
}

OURO_END_DECLS
#endif
