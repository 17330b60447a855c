/* SPDX-License-Identifier: MIT
 *
 * Hints: what changed among the references in published containers (docs/design/candidates.md). Whoever stores a reference into a slot of
 * such a container, or removes one, leaves a hint at the object that the reference is to; a collection of generation 2 takes them all. A hint is a
 * byte per 128 bytes of a segment, in its header, set by plain stores. It may say too much, never too little:
 *
 * N1  A store's hint comes after it, and before the caller's own reference can go. If that is what is stored, it comes before the store, and
 *     after it the thread looks whether hints have been taken meanwhile: then they are lost.
 * N2  A removal's hint comes after it, and before the reference is disposed of or handed on.
 * N3  Writers that take turns (value/turn.h) leave both after their effect and before the turn ends, also of references that are moved
 *     in: until then nobody else takes out what was put in. So no hint can be too early.
 *
 * While hints are lost, nobody knows what has changed: the next collection of generation 2 looks at everything. */
#pragma once

#include "lib_object_header.h"

extern uint32_t oi_hint_epoch; /* atomic: how often hints have been taken */
extern bool oi_hint_loss;      /* atomic: hints are lost */

static inline void oi_hint(const ouro_object *o)
{
    uint8_t *hint = &oi_segment_of(o)->hints[(uintptr_t)o % OI_SEGMENT >> OI_HINT_SHIFT];
    /* Relaxed: whoever takes hints lets a barrier of all threads follow, and then looks at the objects [MO-hint]. Only if it is not there
     * yet: an object that many threads store would make them fight for this byte, too. */
    if (!oi_load_relaxed(hint))
        oi_store_relaxed(hint, 1);
}

static inline void oi_hints_are_lost(void)
{
    if (!oi_load_relaxed(&oi_hint_loss))
        oi_store_relaxed(&oi_hint_loss, true);
}

/* Around a store of the caller's reference to o. */
static inline uint32_t oi_hint_before_store(const ouro_object *o)
{
    uint32_t epoch = oi_load_acquire(&oi_hint_epoch); /* acquire: the hint comes after the taking that it is not for [MO-hint] */
    oi_hint(o);
    return epoch;
}

static inline void oi_hint_after_store(uint32_t epoch)
{
    /* Relaxed: after the store, which acquires. If this reads the old epoch, the store comes before the taker's barrier [MO-hint]. */
    if (OI_UNLIKELY(oi_load_relaxed(&oi_hint_epoch) != epoch))
        oi_hints_are_lost();
}
