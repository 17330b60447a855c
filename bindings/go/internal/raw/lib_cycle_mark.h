/* SPDX-License-Identifier: MIT
 *
 * The mark, CAND in `owner`: who disposes of a reference to a member takes it away (the touch, object/count.h).
 *
 * The collector meets each object's cache line in another processor's cache. An atomic OR waits there until it has come, and all that follows waits with it;
 * a store does not. So the mark is stored, by itself, as the byte of `owner` that has it: the rest of that byte is the upper half of the slot id, and
 * 0 in ids up to 255; where it is not, the atomic OR remains (docs/decisions/039-marks-are-stored.md). */
#pragma once

#include "lib_object_header.h"
#include "lib_port_perturb.h"

/* Of ids: those with one of these bits are marked by an atomic OR. In debug builds every second one, so that tests do both. */
#define OI_MARK_BY_OR (0x7f00u | OURO_DEBUG)

/* Marks an object that this read section has found alive, `first` being its header's first word as it was then. Until the section ends, its owner is the
 * one found there or, from some moment on, nobody (H2). So the byte's other bits are and stay 0, and whatever store or read-modify-write of `owner`
 * this comes before or after, the outcome is that of an atomic OR. On any other object, it might be half an id that is lost. */
static OI_ALWAYS_INLINE void oi_mark(ouro_object *o, uint64_t first)
{
    _Static_assert(OI_CAND == 0x8000u && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the mark is in the second byte");
    oi_perturb();
    /* Release: an upgrade that finds the mark finds that the collection before has no verdict any more [MO-verdict]. To who looks after M1, that makes
     * it visible [MO-touch]. */
    if (OI_LIKELY(!(oi_first_owner(first) & OI_MARK_BY_OR)))
        oi_store_release((uint8_t *)&o->ouro_private_owner + 1, (uint8_t)(OI_CAND >> 8));
    else
        oi_fetch_or_acqrel(&o->ouro_private_owner, OI_CAND);
}

/* Of what is no member any more. It may be gone, and its block another's: then there is no mark, and nothing changes. An atomic AND, for nothing
 * is known of that one's owner. */
static inline void oi_unmark(ouro_object *o)
{
    oi_fetch_and_acqrel(&o->ouro_private_owner, (uint16_t)~OI_CAND); /* [MO-touch] */
}
