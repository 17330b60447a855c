/* SPDX-License-Identifier: MIT
 *
 * The owner's path of retain and release (docs/design/biased-counts.md). Included by <ouro/object.h>.
 *
 * `owner` holds the slot id of the thread that counts without atomics, and, in its top bit, the collector's CAND mark.
 * One comparison with this thread's id is therefore false both for other threads and for marked objects: all the rest is
 * in the library. `local` holds the owner's references less one, so that dropping the last one shows as the sign. */
#ifndef OURO_INLINE_COUNT_H
#define OURO_INLINE_COUNT_H

#include "ouro_object.h"
#include "ouro_inline_port.h"

OURO_BEGIN_DECLS

/* This thread's slot id; 32767 (no object's owner) while it has none. Written by the library only. */
extern OURO_API OURO_PRIVATE_TLS uint32_t ouro_private_thread_id;

OURO_API void *ouro_private_retain_other(void *object);   /* not the owner, or marked */
OURO_API void *ouro_private_retain_full(void *object);    /* owner, `local` has overflowed */
OURO_API void ouro_private_release_other(void *object);   /* not the owner, or marked */
OURO_API void ouro_private_release_last(void *object);    /* owner, `local` has wrapped: its last reference */

OURO_API OURO_INLINE void *ouro_retain(void *object)
{
    ouro_object *o = (ouro_object *)object;
    if (OURO_UNLIKELY(!o))
        return object;
    /* Relaxed: an id that matches was written by this thread; one that does not is looked at again by the callee. */
    if (OURO_UNLIKELY(__atomic_load_n(&o->ouro_private_owner, __ATOMIC_RELAXED) != ouro_private_thread_id))
        return ouro_private_retain_other(object);
    if (OURO_UNLIKELY(ouro_private_add1(&o->ouro_private_local)))
        return ouro_private_retain_full(object);
    return object;
}

OURO_API OURO_INLINE void ouro_release(void *object)
{
    ouro_object *o = (ouro_object *)object;
    if (OURO_UNLIKELY(!o))
        return;
    /* Relaxed, as in ouro_retain. This load is also rule D's check: it comes after the act of this thread's preceding
     * operation and before the act of this one, which the assembly's clobber (or the fence) keeps so. */
    if (OURO_UNLIKELY(__atomic_load_n(&o->ouro_private_owner, __ATOMIC_RELAXED) != ouro_private_thread_id)) {
        ouro_private_release_other(object);
        return;
    }
    if (OURO_UNLIKELY(ouro_private_sub1(&o->ouro_private_local)))
        ouro_private_release_last(object);
}

OURO_END_DECLS
#endif
