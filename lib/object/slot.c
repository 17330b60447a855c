/* SPDX-License-Identifier: MIT
 *
 * Slots of published containers, and every case that the inline fast paths leave to the library. */
#include <ouro/slot.h>

#include "object/count.h"
#include "object/destroy.h"
#include "object/misuse.h"
#include "object/publish.h"

extern inline bool ouro_private_is_ref(const void *word);
extern inline bool ouro_private_is_mine(const void *container, const ouro_slot *slot);
extern inline bool ouro_private_may_store(const void *object);
extern inline void *ouro_peek(const ouro_slot *slot);
extern inline void ouro_set(void *container, ouro_slot *slot, void *object);
extern inline void ouro_give(void *container, ouro_slot *slot, void *object);

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
static bool may_store(const ouro_object *o, const char *call)
{
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

static void release(void *object, const char *call)
{
    if (object)
        oi_release(&oi_act, object, call);
}

/* P1 (publish.h): what is about to become reachable from a published container is published first. */
static void publish_for(enum access access, ouro_object *o)
{
    if (access == SHARED && o && !(oi_flags(o) & OI_PUBLISHED))
        oi_publish(o);
}

/* Puts a reference, already counted or taken over, into the slot; returns the old content. */
static void *exchange(enum access access, ouro_slot *slot, void *object)
{
    if (access == SHARED) {
        /* acq_rel: release the object's content, its publication and its count before the new edge; acquire the old content's.
         * Pairs with ouro_peek and with the other exchanges [MO-publish]. */
        return oi_exchange_acqrel(&slot->ouro_private_ref, object);
    }
    void *old = slot->ouro_private_ref;
    slot->ouro_private_ref = object;
    return old;
}

/* Move in: check first (rule D), for after the exchange the object may be gone. A private slot needs no check: to the collector it is
 * as much outside as the caller's hand. */
static void *move_in(enum access access, ouro_slot *slot, ouro_object *o)
{
    publish_for(access, o);
    if (access == SHARED && o)
        oi_check(o);
    return exchange(access, slot, o);
}

/* Store: one check serves the retain and the move in. */
static void retain_for_store(enum access access, ouro_object *o)
{
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
        if (!p || oi_try_retain(oi_slot_ref(p)))
            break;
        /* Dead: then the slot has changed, or its container is dead too; or a finalizer that is running has put it there.
         * Acquire: a container whose death killed p was dead before p's finalizer ran [MO-count]. */
        uint32_t s = oi_load_acquire(&oi_slot_ref(p)->ouro_private_shared);
        if (p == oi_load_acquire(&slot->ouro_private_ref)) {
            bool found = oi_is_finalizing(s) && !oi_is_dead(container);
            if (found && oi_cas_acquire(&oi_slot_ref(p)->ouro_private_shared, &s, oi_shared_plus_one(s)))
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

void *ouro_get(void *container, ouro_slot *slot)
{
    if (OI_LIKELY(ouro_private_is_mine(container, slot)))
        return ouro_retain(slot->ouro_private_ref);
    switch (access_to(container, slot, "ouro_get", true)) {
    case PRIVATE:
        return oi_is_dead((ouro_object *)container) ? ouro_try_retain(slot->ouro_private_ref) : ouro_retain(slot->ouro_private_ref);
    case SHARED:
        return load(container, slot);
    default:
        return NULL;
    }
}

void ouro_private_set_slow(void *container, ouro_slot *slot, void *object)
{
    enum access access = access_to(container, slot, "ouro_set", false);
    if (access == REFUSED || !may_store(object, "ouro_set"))
        return;
    retain_for_store(access, object);
    oi_perturb(); /* counted, not yet stored */
    release(exchange(access, slot, object), "ouro_set");
}

void ouro_private_give_slow(void *container, ouro_slot *slot, void *object)
{
    enum access access = access_to(container, slot, "ouro_give", false);
    if (access == REFUSED)
        release(object, "ouro_give");
    else if (may_store(object, "ouro_give"))
        release(move_in(access, slot, object), "ouro_give");
}

void *ouro_take(void *container, ouro_slot *slot)
{
    enum access access = access_to(container, slot, "ouro_take", false);
    return access == REFUSED ? NULL : exchange(access, slot, NULL);
}

void *ouro_swap(void *container, ouro_slot *slot, void *object)
{
    enum access access = access_to(container, slot, "ouro_swap", false);
    if (access == REFUSED) {
        release(object, "ouro_swap");
        return NULL;
    }
    return may_store(object, "ouro_swap") ? move_in(access, slot, object) : NULL;
}

bool ouro_compare_set(void *container, ouro_slot *slot, void *expected, void *object)
{
    enum access access = access_to(container, slot, "ouro_compare_set", false);
    if (access == REFUSED || !may_store(object, "ouro_compare_set"))
        return false;
    if (access == PRIVATE) {
        if (slot->ouro_private_ref != expected)
            return false;
        retain_for_store(access, object);
        release(exchange(access, slot, object), "ouro_compare_set");
        return true;
    }
    if (oi_load_relaxed(&slot->ouro_private_ref) != expected) /* relaxed: nothing is concluded from what is not there */
        return false;
    retain_for_store(access, object);
    void *found = expected;
    /* acq_rel on success, as in exchange [MO-publish]. */
    bool stored = oi_cas_acqrel(&slot->ouro_private_ref, &found, object);
    release(stored ? expected : object, "ouro_compare_set");
    return stored;
}

void ouro_read_begin(void)
{
    struct oi_act *act = &oi_act;
    act->reading++;
    oi_rcu_read_lock();
}

void ouro_read_end(void)
{
    struct oi_act *act = &oi_act;
    if (OI_UNLIKELY(!act->reading)) {
        oi_misuse(OURO_MISUSE_WRONG_PLACE, "ouro_read_end", NULL, "the thread is in no read section");
        return;
    }
    oi_rcu_read_unlock();
    if (!--act->reading && OI_UNLIKELY(act->dead_blocks || act->dead_waiting || act->callbacks))
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
