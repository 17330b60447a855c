/* SPDX-License-Identifier: MIT */
#include "object/count.h"

#include "object/destroy.h"
#include "object/inbox.h"
#include "object/misuse.h"
#include "object/publish.h"

OURO_PRIVATE_TLS uint32_t ouro_private_thread_id = OI_TSLOT_NONE;

/* The callable twins of the inline functions. */
extern inline bool ouro_private_add1(uint32_t *word);
extern inline bool ouro_private_sub1(uint32_t *word);
extern inline void *ouro_retain(void *object);
extern inline void ouro_release(void *object);

#define OVER_RELEASED "the object is dead: it was released more often than retained"
#define FOREIGN "the object is private to another thread: ouro_share it before handing it over"

bool oi_is_foreign(const ouro_object *o)
{
    if (oi_flags(o) & OI_PUBLISHED)
        return false;
    uint32_t id = OI_ID(oi_owner(o));
    if (id == oi_my_id())
        return false;
    if (oi_act.home && oi_act.home->tslot.id == id)
        return !oi_hold_slot(&oi_act);
    return true;
}

/* Adds a reference in `shared`. */
static void retain_shared(ouro_object *o)
{
    uint32_t s = oi_shared(o);
    for (;;) {
        if (s & OI_STUCK)
            return;
        oi_perturb();
        /* Relaxed: the caller has a reference, so nothing is concluded from this one's being there. */
        if (oi_cas_weak_relaxed(&o->ouro_private_shared, &s, oi_shared_plus_one(s)))
            return;
    }
}

void oi_retain_as(ouro_object *o, uint32_t id)
{
    if (id != oi_my_id())
        retain_shared(o);
    else if (ouro_private_add1(&o->ouro_private_local))
        oi_make_immortal(o);
}

void *ouro_private_retain_full(void *object)
{
    oi_make_immortal(object);
    return object;
}

void *ouro_private_retain_other(void *object)
{
    ouro_object *o = object;
    if (OI_UNLIKELY(oi_is_dead(o))) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, "ouro_retain", o, OVER_RELEASED);
        return NULL;
    }
    if (OI_UNLIKELY(oi_is_foreign(o))) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_retain", o, FOREIGN);
        return NULL;
    }
    oi_retain_as(o, OI_ID(oi_owner(o)));
    return object;
}

bool oi_try_retain(ouro_object *o)
{
    if (OI_ID(oi_owner(o)) == oi_my_id()) {
        /* Biased to me and found: alive, for only I end the bias, and the collector condemns nothing that can be found. */
        if (ouro_private_add1(&o->ouro_private_local))
            oi_make_immortal(o);
        return true;
    }
    uint32_t s = oi_shared(o);
    for (;;) {
        if (s == OI_DEAD || oi_is_finalizing(s))
            return false;
        if (s & OI_STUCK)
            return true;
        oi_perturb();
        /* Acquire: a finalizer that resurrected it comes before [MO-revive]. */
        if (oi_cas_weak_acquire(&o->ouro_private_shared, &s, oi_shared_plus_one(s)))
            return true;
    }
}

bool oi_unbias(ouro_object *o, uint32_t used, const char *call)
{
    /* This plain store is also rule D's check: it wipes CAND. From here until the CAS, others see UNBIASING and count down in
     * `shared` what this CAS then accounts for. `local` stays as it is: it never reads 0 while references are counted in it. */
    oi_set_owner(o, 0);
    oi_perturb();
    uint32_t tokens = oi_local_tokens(oi_local(o));
    uint32_t s = oi_shared(o), n;
    bool over;
    do {
        if (s & OI_STUCK)
            return false;
        int32_t count = oi_count(s) + (int32_t)tokens - (int32_t)used;
        over = count < 0 || count > OI_COUNT_MAX;
        n = over ? OI_STUCK_WORD : (uint32_t)count << 2 | OI_MERGED;
        /* acq_rel: release the owner = 0 and all this thread did; acquire what those did who dropped references before, for
         * this thread may be the one to destroy [MO-count]. */
    } while (!oi_cas_weak_acqrel(&o->ouro_private_shared, &s, n));
    if (over && oi_count(s) < 0)
        oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, "more references were released than there were; the object is kept for ever");
    return n == OI_DEAD;
}

void oi_release_last(struct oi_act *act, ouro_object *o)
{
    if (!(oi_flags(o) & OI_PUBLISHED))
        oi_destroy_private(act, o);
    else if (oi_unbias(o, 1, "ouro_release"))
        oi_destroy_dead(act, o);
}

/* What can be seen to be wrong with releasing an object that is not biased to the caller. True: reported. */
static bool release_is_misuse(const ouro_object *o, const char *call)
{
    if (OI_UNLIKELY(oi_is_dead(o))) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, OVER_RELEASED);
        return true;
    }
    if (OI_UNLIKELY(oi_is_foreign(o))) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, FOREIGN);
        return true;
    }
    return false;
}

/* Every so many slow releases, a thread that does little else looks into its inbox. */
#define RELEASES_PER_LOOK 64u

/* Drops a reference that is not counted in a `local` of this thread. id: the owner as the check found it. */
static void release_shared(struct oi_act *act, ouro_object *o, uint32_t id, const char *call)
{
    uint32_t s = oi_shared(o);
    for (;;) {
        if (s & OI_STUCK)
            return;
        if (!(s & OI_MERGED) && oi_count(s) <= 0 && id) {
            oi_inbox_push(act, id, o); /* o itself is not written: the token goes to who can decide */
            return;
        }
        if (OI_UNLIKELY(s == OI_DEAD)) {
            oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, OVER_RELEASED);
            return;
        }
        oi_perturb();
        /* acq_rel as in oi_unbias [MO-count]. After it, o is not touched again unless it died by it (H1). */
        if (oi_cas_weak_acqrel(&o->ouro_private_shared, &s, s - OI_ONE))
            break;
    }
    if (s - OI_ONE == OI_DEAD)
        oi_destroy_dead(act, o);
    if (OI_UNLIKELY(++act->slow_releases % RELEASES_PER_LOOK == 0))
        oi_inbox_look(act);
}

void oi_release(struct oi_act *act, ouro_object *o, const char *call)
{
    uint32_t id = oi_check(o);
    if (id != oi_my_id()) {
        if (release_is_misuse(o, call))
            return;
        id = OI_ID(oi_owner(o)); /* a parked owner may just have come back */
        oi_perturb();
    }
    if (id == oi_my_id()) {
        if (ouro_private_sub1(&o->ouro_private_local))
            oi_release_last(act, o);
    } else {
        release_shared(act, o, id, call);
    }
}

void ouro_private_release_other(void *object)
{
    oi_release(&oi_act, object, "ouro_release");
}

void oi_make_immortal(ouro_object *o)
{
    if (oi_is_mine(o))
        oi_publish(o);
    if (OI_ID(oi_owner(o)) == oi_my_id())
        oi_set_owner(o, 0); /* before the word: then no fast path is left */
    oi_perturb();
    /* A former owner's or another owner's `local` no longer counts; every later operation only reads the word. */
    uint32_t s = oi_shared(o);
    while (!(s & OI_STUCK) && !oi_cas_weak_acqrel(&o->ouro_private_shared, &s, OI_STUCK_WORD)) {
    }
}

void ouro_immortalize(void *object)
{
    ouro_object *o = object;
    if (!o)
        return;
    if (oi_is_dead(o))
        oi_misuse(OURO_MISUSE_OVER_RELEASE, "ouro_immortalize", o, OVER_RELEASED);
    else if (oi_is_foreign(o))
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_immortalize", o, FOREIGN);
    else
        oi_make_immortal(o);
}

size_t ouro_refcount(const void *object)
{
    const ouro_object *o = object;
    if (!o)
        return 0;
    uint32_t s = oi_load_acquire(&o->ouro_private_shared);
    if (s & OI_STUCK)
        return SIZE_MAX;
    uint32_t local = oi_local_tokens(oi_local(o));
    if (!(oi_flags(o) & OI_PUBLISHED))
        return local;
    int64_t n = (int64_t)oi_count(s) + (s & OI_MERGED ? 0 : local);
    if (oi_is_finalizing(s))
        n -= OI_FINALIZING;
    return n > 0 ? (size_t)n : 0;
}

ouro_type *ouro_type_of(const void *object)
{
    const ouro_object *o = object;
    if (!o)
        return NULL;
    uint32_t word = oi_type_word(o);
    if (!word) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, "ouro_type_of", o, "the object is dead");
        return NULL;
    }
    return (ouro_type *)(uintptr_t)oi_types[OI_TYPE_ID(word)]->descriptor;
}
