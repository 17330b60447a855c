//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_publish.h"

#include <sched.h>

#include "lib_object_count.h"
#include "lib_object_gray.h"
#include "lib_object_handover.h"
#include "lib_object_inbox.h"
#include "lib_object_misuse.h"
#include "lib_object_weak.h"
#include "lib_port_perturb.h"
#include "lib_port_tsan.h"
#include "lib_sync_rcu.h"

int16_t oi_handed_over_from = OI_HANDED_OVER_FROM;

/* Owner and flags in one store (P2). Whoever finds PUBLISHED finds all that its thread wrote before. `first`: of its header. */
static inline void set_published(ouro_object *o, struct oi_page *page, uint64_t first, uint32_t owner)
{
    uint32_t flags = ((uint32_t)(first >> 32) & OI_FLAGS << 16) | OI_PUBLISHED << 16;
    oi_perturb();
    oi_tsan_release(&o->ouro_private_flags); /* what others load */
    /* Release: all that this thread wrote into the object comes before whoever reads PUBLISHED; the store that makes it
     * reachable releases too [MO-publish]. */
    oi_store_release((oi_half_word *)&o->ouro_private_owner, flags | owner);
    oi_perturb(); /* published, and what it refers to not yet */
    page->used_published++; /* it was private, alive, and of this pool; what others free of it comes back by the page's chain */
    oi_page_set_published(page);
}

/* As if its bias were ended now, while nobody else knows it. */
static OI_NOINLINE void publish_unbiased(ouro_object *o, struct oi_page *page, uint64_t first)
{
    uint32_t count = oi_local_tokens(oi_local(o));
    oi_set_shared(o, count > OI_COUNT_MAX ? OI_STUCK_WORD : count << 2 | OI_MERGED);
    set_published(o, page, first, 0);
}

static inline void publish_one(struct oi_local *self, ouro_object *o, struct oi_page *page, uint64_t first)
{
    if (oi_will_be_handed_over(self, (uint32_t)first)) {
        publish_unbiased(o, page, first);
        return;
    }
    oi_set_shared(o, 0);
    set_published(o, page, first, self->tslot.id);
}

void oi_publish_one(struct oi_act *act, ouro_object *o)
{
    publish_one(act->self, o, oi_page_of(o), oi_first(o));
}

/* ---- what an object makes reachable ---- */

/* Private to slot `id`, the caller's, and not gray yet. */
static inline bool is_white(const ouro_object *o, uint32_t id)
{
    return (oi_owner_and_flags(o) & (OI_PUBLISHED << 16 | 0xffff)) == id && !oi_shared(o);
}

static void shade(struct oi_act *act, ouro_object *o)
{
    if (o && is_white(o, oi_my_id()))
        oi_gray_push(act->self, o);
}

static void shade_ref(ouro_object *ref, void *act)
{
    shade(act, ref);
}

/* The target of a weak reference, which may be dead and waiting for its finalizer or its end: then its header is in use, and it is
 * published as it is. What it refers to is alive. */
static void shade_target(struct oi_act *act, ouro_object *o)
{
    if (!o || (oi_flags(o) & OI_PUBLISHED) || OI_ID(oi_owner(o))) {
        shade(act, o);
        return;
    }
    oi_store_release(&o->ouro_private_flags, (uint16_t)(oi_flags(o) | OI_PUBLISHED)); /* [MO-publish] */
    oi_perturb();
    oi_page_set_published(oi_page_of(o));
    oi_weak_each_call(o, shade_ref, act);
    oi_each_ref(oi_type_word(o), o, shade_ref, act);
}

/* W1, for an object with weak references, or one that is a weak reference. `reading` says whether it has begun a read section. */
static OI_NOINLINE void shade_weak(struct oi_act *act, ouro_object *o, bool *reading)
{
    if (oi_flags(o) & OI_HAS_WEAK)
        oi_weak_each_call(o, shade_ref, act);
    if (!oi_weak_is(o))
        return;
    /* Perhaps nobody refers to the target but itself. Once it is published, a collection may find it to be garbage: but not free it while this
     * thread, which is not done with it, is in a read section that began before (G1). */
    if (!*reading)
        oi_rcu_read_lock();
    *reading = true;
    shade_target(act, oi_weak_target((struct ouro_weak *)o));
}

/* The last white object of an object's slots is not put on the list, but returned, gray: so a list of objects needs none. `last`: of those before `word`. */
static inline ouro_object *shade_word(struct oi_local *self, uint32_t id, void *word, ouro_object *last)
{
    if (!word) { /* first: many are */
        OURO_PRIVATE_STAY_A_BRANCH();
        return last;
    }
    ouro_object *ref = oi_slot_ref(word);
    if (!ref || !is_white(ref, id))
        return last;
    if (last)
        oi_gray_push(self, last);
    oi_set_shared(ref, OI_GRAY);
    return ref;
}

static inline ouro_object *shade_run(struct oi_local *self, uint32_t id, ouro_slot *slot, size_t count, ouro_object *last)
{
    for (const ouro_slot *end = slot + count; slot < end; slot++)
        last = shade_word(self, id, oi_load_relaxed(&slot->ouro_private_ref), last);
    return last;
}

static OI_NOINLINE ouro_object *shade_runs(struct oi_local *self, uint32_t id, const struct oi_type *type, ouro_object *o)
{
    ouro_object *last = NULL;
    ouro_slot *slot;
    size_t count;
    for (uint32_t run = 0; oi_slots_run(type, o, run, &slot, &count); run++)
        last = shade_run(self, id, slot, count, last);
    return last;
}

static inline ouro_object *shade_pair(struct oi_local *self, uint32_t id, const ouro_object *o)
{
    const ouro_slot *slot = (const ouro_slot *)(o + 1);
    void *first = oi_load_relaxed(&slot[0].ouro_private_ref), *second = oi_load_relaxed(&slot[1].ouro_private_ref);
    if (!((uintptr_t)first | (uintptr_t)second)) /* half of a tree's */
        return NULL;
    return shade_word(self, id, second, shade_word(self, id, first, NULL));
}

/* Of what is no mere pair. `first` is as it was before anybody else knew the object: whose weak references others make is no business of this thread. */
static inline ouro_object *shade_other(struct oi_act *act, uint32_t id, ouro_object *o, uint64_t first, bool *reading)
{
    struct oi_local *self = act->self;
    uint32_t word = (uint32_t)first;
    if (OI_UNLIKELY((oi_first_flags(first) & OI_HAS_WEAK) || OI_TYPE_ID(word) == OI_OWN_WEAK))
        shade_weak(act, o, reading);
    if (word & OI_PAIR)
        return shade_pair(self, id, o);
    const struct oi_type *type = oi_type_by(word);
    if (OI_LIKELY(type->one_run))
        return shade_run(self, id, (ouro_slot *)o + type->runs[0].first, type->runs[0].count, NULL);
    return shade_runs(self, id, type, o);
}

static OI_NOINLINE void publish_all(struct oi_act *act, ouro_object *o)
{
    struct oi_local *self = act->self;
    const uint32_t id = oi_my_id();
    bool reading = false;
    /* The page of the previous one, and which unit of memory that is: what is shared together lies together, as a rule. */
    struct oi_page *page = NULL;
    uintptr_t unit = 0;
    oi_publish_begin(act);
    while (o) {
        if ((uintptr_t)o >> OI_UNIT_SHIFT != unit) {
            unit = (uintptr_t)o >> OI_UNIT_SHIFT;
            page = oi_page_of(o);
        }
        uint64_t first = oi_first(o);
        publish_one(self, o, page, first);
        ouro_object *last = OI_LIKELY(oi_is_mere_pair(first)) ? shade_pair(self, id, o) : shade_other(act, id, o, first, &reading);
        o = last ? last : oi_gray_pop(self);
    }
    oi_publish_end(act);
    if (reading)
        oi_rcu_read_unlock();
}

/* It refers to nothing, so nobody need know that the publication is under way; but it counts as one, for the probes of oi_will_be_handed_over. */
static inline void publish_bare(struct oi_local *self, ouro_object *o)
{
    oi_store_release(&self->publications, self->publications + 2); /* as when one ends [MO-publishing] */
    publish_one(self, o, oi_object_page(o), oi_first(o));
}

static inline void publish_mine(ouro_object *o)
{
    struct oi_act *act = &oi_act;
    OI_ASSERT(!oi_shared(o));
    if (oi_is_bare(o) && !(oi_flags(o) & OI_HAS_WEAK))
        publish_bare(act->self, o);
    else
        publish_all(act, o);
}

void oi_publish(ouro_object *o)
{
    if (oi_is_mine(o)) /* else an unbiased thread's: published from its birth */
        publish_mine(o);
}

static uint32_t *publications_of(const struct oi_tslot *slot)
{
    return &OI_CONTAINER_OF(slot, struct oi_local, tslot)->publications;
}

void oi_publish_await(void)
{
    for (uint32_t id = 1; id <= oi_tslot_count(); id++) {
        struct oi_tslot *slot = oi_tslot_find(id);
        if (!slot)
            continue; /* no memory for it */
        uint32_t seen = oi_load_acquire(publications_of(slot)); /* [MO-publishing] */
        while (seen % 2 && oi_load_acquire(publications_of(slot)) == seen && oi_load_relaxed(&slot->state) != OI_TSLOT_RETIRED)
            sched_yield();
    }
}

bool oi_publish_was_cut_off(const ouro_object *o)
{
    const struct oi_local *maker = OI_CONTAINER_OF(oi_page_of(o)->pool, struct oi_local, pool); /* the owner may be nobody already */
    return oi_load_relaxed(&maker->tslot.state) == OI_TSLOT_RETIRED && oi_load_relaxed(&maker->publications) % 2;
}

/* False: it cannot be, which is reported; or there is nothing to share. */
static bool share(ouro_object *o, const char *call)
{
    if (!o)
        return false;
    if (OI_LIKELY(oi_is_mine(o))) {
        publish_mine(o);
        return true;
    }
    if (oi_is_dead(o)) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, "the object is dead");
        return false;
    }
    if (oi_is_foreign(o)) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, "only the thread that made an object can share it");
        return false;
    }
    if (!(oi_flags(o) & OI_PUBLISHED))
        oi_publish(o);
    return true;
}

void ouro_share(void *object)
{
    share(object, "ouro_share");
}

void ouro_share_widely(void *object)
{
    ouro_object *o = object;
    if (!share(o, "ouro_share_widely"))
        return;
    oi_end_bias(&oi_act, o);
    if (!(oi_shared(o) & OI_STUCK))
        oi_fetch_or_acqrel(&o->ouro_private_flags, OI_WIDE); /* relaxed would do: a hint */
}
