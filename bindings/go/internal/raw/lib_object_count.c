//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_count.h"

#include "lib_object_destroy.h"
#include "lib_object_handover.h"
#include "lib_object_history.h"
#include "lib_object_inbox.h"
#include "lib_object_misuse.h"
#include "lib_object_publish.h"

OURO_PRIVATE_TLS uint32_t ouro_private_thread_id = OI_TSLOT_NONE;

/* The callable twins of the inline functions. */
extern inline bool ouro_private_add1(uint32_t *word);
extern inline bool ouro_private_sub1(uint32_t *word);
extern inline void *ouro_retain(void *object);
extern inline void ouro_release(void *object);

#define OVER_RELEASED "the object is dead: it was released more often than retained"
#define FOREIGN "the object is private to another thread: ouro_share it before handing it over"

bool oi_is_private_foreign(const ouro_object *o)
{
    uint32_t id = OI_ID(oi_owner(o));
    if (id == oi_my_id())
        return false;
    if (oi_act.home && oi_act.home->tslot.id == id)
        return !oi_hold_slot(&oi_act);
    return true;
}

/* What others than its owner count is like this as a rule: shared, but not by so many threads at once that they take credit; and nobody takes notes. */
static inline bool is_ordinary(const ouro_object *o)
{
    return OI_LIKELY((oi_flags(o) & (OI_PUBLISHED | OI_WIDE)) == OI_PUBLISHED) && OI_LIKELY(!oi_history_on);
}

/* Adds a reference in `shared`, which was s. False: somebody else has changed it meanwhile. */
static inline bool retain_from(ouro_object *o, uint32_t s)
{
    oi_perturb();
    /* Relaxed: the caller has a reference, so nothing is concluded from this one's being there. */
    return (s & OI_STUCK) || oi_cas_weak_relaxed(&o->ouro_private_shared, &s, oi_shared_plus_one(s));
}

static inline bool retain_once(ouro_object *o)
{
    return retain_from(o, oi_shared(o));
}

static OI_NOINLINE void retain_contended(ouro_object *o)
{
    do {
        if (oi_shared(o) & OI_MERGED) /* an owner is told by a release, which has a reference to tell it with */
            (void)oi_credit_contended(&oi_act, o);
    } while (!retain_once(o));
}

static inline void retain_shared(ouro_object *o)
{
    if (OI_UNLIKELY(!retain_once(o)))
        retain_contended(o);
}

static OI_NOINLINE bool retain_wide(ouro_object *o)
{
    return oi_credit_retain(&oi_act, o);
}

static inline void retain_as(ouro_object *o, uint32_t id)
{
    if (id == oi_my_id()) {
        if (ouro_private_add1(&o->ouro_private_local))
            oi_make_immortal(o);
    } else if (OI_LIKELY(!(oi_flags(o) & OI_WIDE)) || !retain_wide(o)) {
        retain_shared(o);
    }
}

/* In dev mode. Apart, so that the other case does without a frame. */
static OI_COLD void retain_noted(ouro_object *o, uint32_t id)
{
    oi_history_add(o, OI_CHANGE_RETAIN, ouro_refcount(o));
    retain_as(o, id);
}

void oi_retain_as(ouro_object *o, uint32_t id)
{
    if (OI_UNLIKELY(oi_history_on))
        retain_noted(o, id);
    else
        retain_as(o, id);
}

void *ouro_private_retain_full(void *object)
{
    oi_make_immortal(object);
    return object;
}

static OI_COLD void *refuse(ouro_object *o, ouro_misuse_kind misuse, const char *call, const char *text)
{
    oi_misuse(misuse, call, o, text);
    return NULL;
}

static OI_NOINLINE void *retain_unusual(ouro_object *o)
{
    if (OI_UNLIKELY(oi_is_dead(o)))
        return refuse(o, OURO_MISUSE_OVER_RELEASE, "ouro_retain", OVER_RELEASED);
    if (OI_UNLIKELY(oi_is_foreign(o)))
        return refuse(o, OURO_MISUSE_FOREIGN_PRIVATE, "ouro_retain", FOREIGN);
    if (OI_UNLIKELY(oi_history_on))
        retain_noted(o, OI_ID(oi_owner(o)));
    else if (OI_ID(oi_owner(o)) != oi_my_id())
        retain_shared(o);
    else if (ouro_private_add1(&o->ouro_private_local))
        oi_make_immortal(o);
    return o;
}

static OI_NOINLINE void *retain_from_credit(ouro_object *o)
{
    return OI_LIKELY(oi_credit_retain(&oi_act, o)) ? o : retain_unusual(o);
}

void *ouro_private_retain_other(void *object)
{
    ouro_object *o = object;
    uint32_t s = oi_shared(o);
    if (!is_ordinary(o))
        return oi_flags(o) & OI_WIDE ? retain_from_credit(o) : retain_unusual(o);
    if (OI_UNLIKELY(s == OI_DEAD) || OI_UNLIKELY(OI_ID(oi_owner(o)) == oi_my_id()))
        return retain_unusual(o);
    if (OI_UNLIKELY(!retain_from(o, s)))
        retain_contended(o);
    return o;
}

static inline bool try_retain(ouro_object *o)
{
    if (OI_ID(oi_owner(o)) == oi_my_id()) {
        /* Biased to me and found: alive, for only I end the bias, and the collector condemns nothing that can be found. */
        if (ouro_private_add1(&o->ouro_private_local))
            oi_make_immortal(o);
        return true;
    }
    if (OI_UNLIKELY(oi_flags(o) & OI_WIDE) && retain_wide(o))
        return true;
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

static OI_COLD bool try_retain_noted(ouro_object *o)
{
    bool alive = try_retain(o);
    if (alive)
        oi_history_add(o, OI_CHANGE_RETAIN, ouro_refcount(o) - 1);
    return alive;
}

bool oi_try_retain(ouro_object *o)
{
    return OI_UNLIKELY(oi_history_on) ? try_retain_noted(o) : try_retain(o);
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
    if (!(oi_flags(o) & OI_PUBLISHED)) {
        oi_destroy_private(act, o);
        return;
    }
    if (!act->destroying) /* in there it goes with what referred to it */
        oi_note_kept(act->self, o);
    if (oi_unbias_last(o, "ouro_release"))
        oi_destroy_dead(act, o);
    else if (!oi_stack_is_empty(&act->self->tslot.inbox) && oi_may_run_user_code(act))
        oi_inbox_look(act); /* the last reference of all may be there (look_around); the owner may not look again for long */
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
/* So many of these in succession were of one object that is biased to another thread: if that one counts it as well, both lose by the cache
 * line that their words are in. */
#define LOOKS_PER_REQUEST 16u

/* True: its owner should end the bias, so that others need not go on in this way. Once, while the thread does nothing else. */
static bool is_used_like_own(const ouro_object *o)
{
    struct oi_counting *counting = &oi_counting;
    if (counting->sampled != o)
        counting->samples = 0;
    counting->sampled = o;
    return ++counting->samples == LOOKS_PER_REQUEST;
}

/* Before such a release. Returns the owner's id as rule D's check then finds it; OI_TSLOT_NONE: the release is done. */
static OI_NOINLINE uint32_t look_around(struct oi_act *act, ouro_object *o)
{
    oi_inbox_look(act);
    uint32_t id = OI_ID(oi_check(o)); /* again: what has been done here lies between the check before and what follows */
    if (!id)
        oi_note_counted(act->self, o);
    if (!id || id == oi_my_id() || !is_used_like_own(o))
        return id;
    oi_inbox_push(act, id, o); /* whoever carries out a token ends the bias */
    return OI_TSLOT_NONE;
}

/* Drops a reference that is not counted in a `local` of this thread. id: the owner as the check found it. False: somebody else has changed
 * `shared` meanwhile. */
static inline bool release_once(struct oi_act *act, ouro_object *o, uint32_t id, const char *call)
{
    uint32_t s = oi_shared(o);
    if (s & OI_STUCK)
        return true;
    if (!(s & OI_MERGED) && oi_count(s) <= 0 && id) {
        oi_inbox_push(act, id, o); /* o itself is not written: the token goes to who can decide */
        return true;
    }
    if (OI_UNLIKELY(s == OI_DEAD)) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, OVER_RELEASED);
        return true;
    }
    oi_perturb();
    /* acq_rel as in oi_unbias [MO-count]. After it, o is not touched again unless it died by it (H1). */
    if (!oi_cas_weak_acqrel(&o->ouro_private_shared, &s, s - OI_ONE))
        return false;
    if (s - OI_ONE == OI_DEAD)
        oi_destroy_dead(act, o);
    return true;
}

static OI_NOINLINE void release_contended(struct oi_act *act, ouro_object *o, uint32_t id, const char *call)
{
    do {
        if (oi_credit_contended(act, o) && id && !(oi_shared(o) & OI_MERGED)) {
            oi_inbox_push(act, id, o); /* as in look_around */
            return;
        }
    } while (!release_once(act, o, id, call));
}

const char oi_dropped[] = "ouro_release";

static OI_COLD void note_release(ouro_object *o, const char *call)
{
    if (call != oi_dropped)
        oi_history_add(o, OI_CHANGE_RELEASE, oi_is_dead(o) ? 0 : ouro_refcount(o));
}

/* After rule D's check, which has found that id is the owner. */
static inline void release_as(struct oi_act *act, ouro_object *o, uint32_t id, const char *call)
{
    oi_perturb();
    if (id != oi_my_id() && OI_UNLIKELY(++act->slow_releases % RELEASES_PER_LOOK == 0) && (id = look_around(act, o)) == OI_TSLOT_NONE)
        return;
    if (id == oi_my_id()) {
        if (ouro_private_sub1(&o->ouro_private_local))
            oi_release_last(act, o);
    } else if (OI_UNLIKELY(!release_once(act, o, id, call))) {
        release_contended(act, o, id, call);
    }
}

static OI_NOINLINE void release_unusual(struct oi_act *act, ouro_object *o, const char *call)
{
    if (OI_UNLIKELY(oi_history_on))
        note_release(o, call);
    uint32_t id = oi_check(o);
    if (id != oi_my_id()) {
        if (release_is_misuse(o, call))
            return;
        id = OI_ID(oi_owner(o)); /* a parked owner may just have come back */
    }
    release_as(act, o, id, call);
}

static OI_NOINLINE void release_into_credit(struct oi_act *act, ouro_object *o, const char *call)
{
    if (OI_UNLIKELY(!oi_credit_release(act, o))) /* else no disposal, hence no check (K2) */
        release_unusual(act, o, call);
}

void oi_release(struct oi_act *act, ouro_object *o, const char *call)
{
    if (is_ordinary(o))
        release_as(act, o, oi_check(o), call);
    else if (oi_flags(o) & OI_WIDE)
        release_into_credit(act, o, call);
    else
        release_unusual(act, o, call);
}

void ouro_private_release_other(void *object)
{
    oi_release(&oi_act, object, "ouro_release");
}

void oi_end_bias(struct oi_act *act, ouro_object *o)
{
    uint32_t id = OI_ID(oi_owner(o));
    if (id && id == oi_my_id()) {
        oi_unbias(o, 0, "ouro_share_widely");
    } else if (id) {
        retain_shared(o);
        oi_check(o);
        oi_inbox_push(act, id, o); /* whoever carries out a token ends the bias */
    }
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
    oi_credit_narrow(o); /* its count is nobody's rival */
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
    ouro_object *o = (ouro_object *)object;
    if (!o)
        return 0;
    uint32_t s = oi_load_acquire(&o->ouro_private_shared), credit = 0;
    if (OI_UNLIKELY(oi_credit_is_out()) && (s & OI_MERGED))
        credit = oi_credit_count(o, &s); /* nobody's but threads', for the time being */
    if (s & OI_STUCK)
        return SIZE_MAX;
    uint32_t local = oi_local_tokens(oi_local(o));
    if (!(oi_flags(o) & OI_PUBLISHED))
        return local;
    int64_t n = (int64_t)oi_count(s) + (s & OI_MERGED ? 0 : local) - credit;
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
