/* SPDX-License-Identifier: MIT
 *
 * Biased counts, the slow half (docs/design/biased-counts.md; after Choi, Shull, Torrellas, "Biased Reference Counting", PACT 2018, with the
 * changes that docs/design/biased-counts.md names). The fast half is inline in <ouro/inline/count.h>. */
#pragma once

#include "lib_object_act.h"
#include "lib_object_credit.h"
#include "lib_port_perturb.h"

/* Rule D (disposals check): whoever drops a reference, or moves one into a slot, first looks whether the collector has marked the object, and
 * if so takes the mark away. Creating a reference needs no look. */

/* The touch: clears CAND. Returns the owner's id. */
static inline uint32_t oi_touch(ouro_object *o)
{
    /* acq_rel: comes before the disposal that follows, and is seen with it by the collector [MO-touch]. */
    return oi_fetch_and_acqrel(&o->ouro_private_owner, 0x7fff) & 0x7fffu;
}

/* Rule D's check, before a disposal: returns the owner's id, CAND cleared. */
static inline uint32_t oi_check(ouro_object *o)
{
    oi_compiler_fence(); /* not before the previous operation's act: so at most one operation of a thread is between look and act */
    uint32_t w = oi_owner(o);
    oi_perturb(); /* the straddled operation: looked, not yet acted */
    return OI_UNLIKELY(w & OI_CAND) ? oi_touch(o) : w;
}

/* One more reference, the caller having access by a reference or a chain; `id` as oi_check or oi_owner read it. */
void oi_retain_as(ouro_object *o, uint32_t id);

/* Inside a read section: false if the object is dead. */
bool oi_try_retain(ouro_object *o);

/* As ouro_get, of the i-th slot of a run (oi_slots_run), if there still is one: of the library's own arrays the length may change meanwhile. The
 * caller may use the object. */
void *oi_slot_get(ouro_object *o, uint32_t run, size_t i, bool *there);

/* Drops one reference; as ouro_release, but says `call` in reports. */
void oi_release(struct oi_act *act, ouro_object *o, const char *call);

/* "ouro_release", as a call for oi_release that dev mode takes no note of: the drop was asked for, and noted, before; or nobody knew of the
 * reference. */
extern const char oi_dropped[];

/* The owner's last reference went, and shows in `local`: destroys the object, or ends its bias. */
void oi_release_last(struct oi_act *act, ouro_object *o);

/* Ends the bias of an object whose slot the caller holds, using up `used` references (0 or 1). True: there are none left, and the
 * object is DEAD and the caller's. */
bool oi_unbias(ouro_object *o, uint32_t used, const char *call);

/* The same with the owner's last reference, which shows in `local`. As a rule, nobody else has any. */
static inline bool oi_unbias_last(ouro_object *o, const char *call)
{
    uint32_t s = 0;
    oi_set_owner(o, 0); /* rule D, as in oi_unbias */
    oi_perturb();
    return OI_LIKELY(oi_cas_acqrel(&o->ouro_private_shared, &s, OI_DEAD)) || oi_unbias(o, 1, call); /* acq_rel: likewise [MO-count] */
}

/* Ends the bias of a published object that the caller has a reference to, or, if it is another thread's to end, asks that one for it. */
void oi_end_bias(struct oi_act *act, ouro_object *o);

void oi_make_immortal(ouro_object *o);

/* Whether a reference to a wide object is one of the thread's credit: then that is all. As for oi_try_retain, and for oi_release. */
static inline bool oi_credit_retain(struct oi_act *act, ouro_object *o)
{
    struct oi_credit *credit = oi_credit_find(o);
    return (OI_LIKELY(credit != NULL) && OI_LIKELY(oi_credit_take(credit, o))) || oi_credit_retain_slow(act, o);
}

static inline bool oi_credit_release(struct oi_act *act, ouro_object *o)
{
    struct oi_credit *credit = oi_credit_find(o);
    return (OI_LIKELY(credit != NULL) && OI_LIKELY(oi_credit_put(credit, o))) || oi_credit_release_slow(act, o);
}
