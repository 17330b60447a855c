//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Slots of published containers, and every case that the inline fast paths leave to the library. What a slot holds is called a word here:
 * a reference, or a value that is none (oi_slot_ref). */
#include "ouro_value.h"

#include "lib_object_count.h"
#include "lib_object_destroy.h"
#include "lib_object_hint.h"
#include "lib_object_misuse.h"
#include "lib_object_publish.h"
#include "lib_object_reader.h"

extern inline bool ouro_private_is_ref(const void *word);
extern inline bool ouro_private_is_mine(const void *container, const ouro_slot *slot);
extern inline bool ouro_private_may_store(const void *object);
extern inline void *ouro_peek(const ouro_slot *slot);
extern inline void ouro_set(void *container, ouro_slot *slot, void *object);
extern inline void ouro_give(void *container, ouro_slot *slot, void *object);
extern inline ouro_value ouro_value_peek(const ouro_slot *slot);
extern inline void ouro_value_set(void *container, ouro_slot *slot, ouro_value value);
extern inline void ouro_value_give(void *container, ouro_slot *slot, ouro_value value);

enum access { REFUSED, PRIVATE, SHARED };

static bool is_inside(const ouro_object *container, const ouro_slot *slot)
{
    size_t at = (uintptr_t)slot - (uintptr_t)container;
    size_t size = oi_object_size(oi_type_of(container), container);
    return at >= sizeof(ouro_object) && at < size && size - at >= sizeof(ouro_slot) && at % sizeof(ouro_slot) == 0;
}

/* How the calling thread may work on the slot; REFUSED: misuse, reported. reads: the call only reads, so that in a read section the container
 * may be dead. */
static enum access access_to(const ouro_object *container, const ouro_slot *slot, const char *call, bool reads)
{
    if (OI_UNLIKELY(!container || !oi_type_word(container) || (oi_is_dead(container) && !(reads && oi_act.reading)))) {
        oi_misuse(container ? OURO_MISUSE_OVER_RELEASE : OURO_MISUSE_WRONG_TYPE, call, container,
                  container ? "the container is dead" : "the container is NULL");
        return REFUSED;
    }
    bool mine_dead = reads && oi_is_dead(container) && !(oi_flags(container) & OI_PUBLISHED); /* it died in this very section */
    if (OI_UNLIKELY(!mine_dead && oi_is_foreign(container))) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, container, "the container is private to another thread");
        return REFUSED;
    }
    if (OI_UNLIKELY(!is_inside(container, slot))) {
        oi_misuse(OURO_MISUSE_SLOT_OUTSIDE, call, container, "the slot does not lie in the container");
        return REFUSED;
    }
    return oi_flags(container) & OI_PUBLISHED ? SHARED : PRIVATE;
}

/* False: an object that the calling thread may not store; reported. */
static bool may_store(void *word, const char *call)
{
    const ouro_object *o = oi_slot_ref(word);
    if (OI_UNLIKELY(o && oi_is_dead(o))) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, "the object to store is dead");
        return false;
    }
    if (OI_UNLIKELY(o && oi_is_foreign(o))) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, "the object to store is private to another thread");
        return false;
    }
    return true;
}

static void release(void *word, const char *call)
{
    ouro_object *o = oi_slot_ref(word);
    if (o)
        oi_release(&oi_act, o, call);
}

/* P1 (publish.h): what is about to become reachable from a published container is published first. */
static void publish_for(enum access access, ouro_object *o)
{
    if (access == SHARED && o && !(oi_flags(o) & OI_PUBLISHED))
        oi_publish(o);
}

static OI_ALWAYS_INLINE void hint(void *word)
{
    if (OI_LIKELY(!((uintptr_t)word & OURO_PRIVATE_TAG)) && OI_LIKELY(word))
        oi_hint(word);
}

/* Puts a word, already counted or taken over, into the slot; returns the old content. kept: the caller keeps a reference of its own (N1). */
static OI_ALWAYS_INLINE void *exchange(enum access access, ouro_slot *slot, void *word, bool kept)
{
    if (access == SHARED) {
        /* acq_rel: release the object's content, its publication and its count before the new edge; acquire the old content's.
         * Pairs with ouro_peek and with the other exchanges [MO-publish]. */
        void *old = oi_exchange_acqrel(&slot->ouro_private_ref, word);
        if (kept) {
            oi_perturb(); /* exchanged, and nobody told */
            hint(word);
        }
        hint(old); /* N2 */
        return old;
    }
    void *old = slot->ouro_private_ref;
    slot->ouro_private_ref = word;
    return old;
}

/* Move in: check first (rule D), for after the exchange the object may be gone. A private slot needs no check: to the collector it is
 * as much outside as the caller's hand. */
static void *move_in(enum access access, ouro_slot *slot, void *word)
{
    ouro_object *o = oi_slot_ref(word);
    publish_for(access, o);
    if (access != SHARED || !o)
        return exchange(access, slot, word, false);
    oi_check(o);
    uint32_t epoch = oi_hint_before_store(o);
    oi_perturb(); /* told too early */
    void *old = exchange(SHARED, slot, word, false);
    oi_hint_after_store(epoch);
    return old;
}

/* Store: one check serves the retain and the move in. */
static void retain_for_store(enum access access, void *word)
{
    ouro_object *o = oi_slot_ref(word);
    publish_for(access, o);
    if (o)
        oi_retain_as(o, access == SHARED ? oi_check(o) : OI_ID(oi_owner(o)));
}

/* Reads a slot of a published container and retains what is there. */
static void *load(const ouro_object *container, ouro_slot *slot)
{
    void *p;
    oi_rcu_read_lock();
    for (;;) {
        p = oi_load_acquire(&slot->ouro_private_ref); /* [MO-publish] */
        oi_perturb();
        ouro_object *o = oi_slot_ref(p);
        if (!o || oi_try_retain(o))
            break;
        /* Dead: then the slot has changed, or its container is dead too; or a finalizer that is running has put it there.
         * Acquire: a container whose death killed it was dead before its finalizer ran [MO-count]. */
        uint32_t s = oi_load_acquire(&o->ouro_private_shared);
        if (p == oi_load_acquire(&slot->ouro_private_ref)) {
            bool found = oi_is_finalizing(s) && !oi_is_dead(container);
            if (found && oi_cas_acquire(&o->ouro_private_shared, &s, oi_shared_plus_one(s)))
                break;
            if (s == OI_DEAD || oi_is_dead(container)) {
                p = NULL;
                break;
            }
        }
    }
    oi_rcu_read_unlock();
    return p;
}

/* Of a slot of the caller's own. */
static void *load_private(const ouro_object *container, const ouro_slot *slot)
{
    void *word = slot->ouro_private_ref;
    ouro_object *o = oi_slot_ref(word);
    if (!o)
        return word;
    return oi_is_dead(container) ? ouro_try_retain(o) : ouro_retain(o);
}

void *oi_slot_get(ouro_object *o, uint32_t run, size_t i, bool *there)
{
    ouro_slot *slot;
    size_t count;
    void *word = NULL;
    /* What was there when the length was looked at has been dropped in this section at the earliest. */
    oi_rcu_read_lock();
    *there = oi_slots_run(oi_type_of(o), o, run, &slot, &count) && i < count;
    if (*there)
        word = oi_flags(o) & OI_PUBLISHED ? load(o, &slot[i]) : load_private(o, &slot[i]);
    oi_rcu_read_unlock();
    return oi_slot_ref(word);
}

static OI_NOINLINE void *get_slow(void *container, ouro_slot *slot, const char *call)
{
    switch (access_to(container, slot, call, true)) {
    case PRIVATE:
        return load_private(container, slot);
    case SHARED:
        return load(container, slot);
    default:
        return NULL;
    }
}

void *ouro_get(void *container, ouro_slot *slot)
{
    if (OI_LIKELY(ouro_private_is_mine(container, slot)))
        return ouro_retain(oi_slot_ref(slot->ouro_private_ref));
    return oi_slot_ref(get_slow(container, slot, "ouro_get"));
}

ouro_value ouro_value_get(void *container, ouro_slot *slot)
{
    if (OI_LIKELY(ouro_private_is_mine(container, slot)))
        return ouro_value_retain(ouro_value_of(slot->ouro_private_ref));
    return ouro_value_of(get_slow(container, slot, "ouro_value_get"));
}

static void set(void *container, ouro_slot *slot, void *word, const char *call)
{
    enum access access = access_to(container, slot, call, false);
    if (access == REFUSED || !may_store(word, call))
        return;
    retain_for_store(access, word);
    oi_perturb(); /* counted, not yet stored */
    release(exchange(access, slot, word, true), call);
}

void ouro_private_set_slow(void *container, ouro_slot *slot, void *object)
{
    set(container, slot, object, "ouro_set");
}

void ouro_private_value_set_slow(void *container, ouro_slot *slot, ouro_value value)
{
    set(container, slot, oi_word(value), "ouro_value_set");
}

static void give(void *container, ouro_slot *slot, void *word, const char *call)
{
    enum access access = access_to(container, slot, call, false);
    if (access == REFUSED)
        release(word, call);
    else if (may_store(word, call))
        release(move_in(access, slot, word), call);
}

void ouro_private_give_slow(void *container, ouro_slot *slot, void *object)
{
    give(container, slot, object, "ouro_give");
}

void ouro_private_value_give_slow(void *container, ouro_slot *slot, ouro_value value)
{
    give(container, slot, oi_word(value), "ouro_value_give");
}

static void *take(void *container, ouro_slot *slot, const char *call)
{
    enum access access = access_to(container, slot, call, false);
    return access == REFUSED ? NULL : exchange(access, slot, NULL, false);
}

void *ouro_take(void *container, ouro_slot *slot)
{
    return oi_slot_ref(take(container, slot, "ouro_take"));
}

ouro_value ouro_value_take(void *container, ouro_slot *slot)
{
    return ouro_value_of(take(container, slot, "ouro_value_take"));
}

static void *swap(void *container, ouro_slot *slot, void *word, const char *call)
{
    enum access access = access_to(container, slot, call, false);
    if (access == REFUSED) {
        release(word, call);
        return NULL;
    }
    return may_store(word, call) ? move_in(access, slot, word) : NULL;
}

void *ouro_swap(void *container, ouro_slot *slot, void *object)
{
    return oi_slot_ref(swap(container, slot, object, "ouro_swap"));
}

ouro_value ouro_value_swap(void *container, ouro_slot *slot, ouro_value value)
{
    return ouro_value_of(swap(container, slot, oi_word(value), "ouro_value_swap"));
}

static bool compare_set(void *container, ouro_slot *slot, void *expected, void *word, const char *call)
{
    enum access access = access_to(container, slot, call, false);
    if (access == REFUSED || !may_store(word, call))
        return false;
    if (access == PRIVATE) {
        if (slot->ouro_private_ref != expected)
            return false;
        retain_for_store(access, word);
        release(exchange(access, slot, word, true), call);
        return true;
    }
    if (oi_load_relaxed(&slot->ouro_private_ref) != expected) /* relaxed: nothing is concluded from what is not there */
        return false;
    retain_for_store(access, word);
    void *found = expected;
    oi_perturb(); /* counted, not yet stored */
    /* acq_rel on success, as in exchange [MO-publish]. */
    bool stored = oi_cas_acqrel(&slot->ouro_private_ref, &found, word);
    oi_perturb(); /* stored, and nobody told */
    if (stored) {
        hint(word);     /* N1 */
        hint(expected); /* N2 */
    }
    release(stored ? expected : word, call);
    return stored;
}

bool ouro_compare_set(void *container, ouro_slot *slot, void *expected, void *object)
{
    return compare_set(container, slot, expected, object, "ouro_compare_set");
}

bool ouro_value_compare_set(void *container, ouro_slot *slot, ouro_value expected, ouro_value value)
{
    return compare_set(container, slot, oi_word(expected), oi_word(value), "ouro_value_compare_set");
}

void ouro_read_begin(void)
{
    struct oi_act *act = &oi_act;
    bool outermost = !act->reading++;
    if (outermost)
        oi_reader_step(act);
    oi_rcu_read_lock();
    if (OI_UNLIKELY(!act->reader) && outermost) /* else its end would not be seen: a collection under way only says that it reads */
        oi_reader_enroll(act);
}

void ouro_read_end(void)
{
    struct oi_act *act = &oi_act;
    if (OI_UNLIKELY(!act->reading)) {
        oi_misuse(OURO_MISUSE_WRONG_PLACE, "ouro_read_end", NULL, "the thread is in no read section");
        return;
    }
    oi_rcu_read_unlock();
    if (--act->reading)
        return;
    oi_reader_step(act);
    if (OI_UNLIKELY(act->dead_blocks || act->dead_waiting || act->callbacks))
        oi_destroy_section_ended(act);
}

void *ouro_try_retain(void *object)
{
    ouro_object *o = object;
    if (!o)
        return NULL;
    if (OI_UNLIKELY(oi_is_foreign(o))) {
        /* A dead private object of this thread's own, too, has no owner any more. */
        if (oi_shared(o) != OI_DEAD)
            oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_try_retain", o, "the object is private to another thread");
        return NULL;
    }
    return oi_try_retain(o) ? o : NULL;
}
