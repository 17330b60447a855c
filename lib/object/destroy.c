/* SPDX-License-Identifier: MIT */
#include "object/destroy.h"

#include "mem/limbo.h"
#include "mem/watch.h"
#include "object/count.h"
#include "object/hint.h"
#include "object/history.h"
#include "object/inbox.h"
#include "object/publish.h"
#include "object/reader.h"
#include "object/weak.h"

/* The plain list is linked by a pointer at byte 8: nobody will read those counts again. */
struct plain {
    uint64_t first;
    ouro_object *next;
};

static void push_plain(struct oi_act *act, ouro_object *o)
{
    oi_store_relaxed(&((struct plain *)o)->next, act->dead_plain); /* relaxed: the collector may look at it as part of a header, and looks twice */
    act->dead_plain = o;
}

void oi_destroy_later(struct oi_act *act, ouro_object *o)
{
    oi_dead_link(o, act->dead);
    act->dead = o;
}

/* Gives a private object the form of a dead one, for whoever still looks at it: a borrower, a weak reference. */
static void make_dead(ouro_object *o)
{
    oi_set_owner(o, 0);
    oi_set_shared(o, OI_DEAD);
}

/* True if an object with these flags can be taken apart without anyone noticing: no weak reference leads to it, it was not
 * revived once, and this thread is not where a borrowed pointer to it (read section) or a look at the whole heap (a
 * collection started by user code) could meet it half dead. */
static bool is_plain(const struct oi_act *act, uint32_t flags)
{
    return !(flags & ~(OI_UNTRACKED | OI_AGED)) && !act->reading && !act->in_user_code;
}

/* A child's reference goes. The common cases of oi_release, in line. */
static void release_child(struct oi_act *act, ouro_object *o)
{
    if (oi_check(o) != oi_my_id()) {
        oi_release(act, o, "ouro_release");
        return;
    }
    if (!ouro_private_sub1(&o->ouro_private_local))
        return;
    if (is_plain(act, oi_flags(o)))
        push_plain(act, o);
    else
        oi_release_last(act, o);
}

static void release_ref(ouro_object *ref, void *act)
{
    if (OI_UNLIKELY(oi_history_on))
        oi_release(act, ref, "ouro_release");
    else
        release_child(act, ref);
}

/* What a published object refers to is published, too (P1), unless a fork has cut its publication off: what the vanished thread had is not touched. */
static inline bool may_touch(const ouro_object *ref)
{
    bool published = OI_LIKELY(oi_flags(ref) & OI_PUBLISHED);
    OI_ASSERT(published || oi_publish_was_cut_off(ref));
    return published;
}

static void hint_and_release_ref(ouro_object *ref, void *act)
{
    if (!may_touch(ref))
        return;
    oi_hint(ref);
    release_ref(ref, act);
}

void oi_release_slots(struct oi_act *act, ouro_object *o)
{
    /* The slots' content stays, for read sections that are on their way through. */
    if (oi_flags(o) & OI_PUBLISHED)
        oi_each_ref(oi_type_word(o), o, hint_and_release_ref, act);
    else
        oi_each_ref(oi_type_word(o), o, release_ref, act);
}

/* What the quick loop below leaves to others. They may give pages back, and put objects on the lists. */
static OI_NOINLINE void destroy_other(struct oi_act *act, const struct oi_type *type, ouro_object *o)
{
    if (type->special) {
        make_dead(o);
        oi_destroy_later(act, o);
    } else {
        oi_release_slots(act, o);
        oi_pool_free(&act->self->pool, o);
    }
}

/* The state of destroy_plain, in registers. */
struct falling {
    ouro_object *next, *todo; /* what is still to be destroyed: one, and below it a stack, threaded through the objects */
    uintptr_t unit;           /* of memory that the previous ones are in; 0: no run is open */
    struct oi_run run;        /* of their page */
};

static OI_ALWAYS_INLINE void end_run(struct oi_pool *pool, struct falling *falling)
{
    if (falling->unit && OI_UNLIKELY(oi_run_end(&falling->run)))
        oi_pool_run_ended(pool, falling->run.page, oi_run_is_whole(&falling->run));
    falling->unit = 0;
}

static OI_ALWAYS_INLINE void free_plain(struct oi_pool *pool, struct falling *falling, ouro_object *o)
{
    uintptr_t unit = (uintptr_t)o >> OI_UNIT_SHIFT;
    if (OI_UNLIKELY(unit != falling->unit)) {
        end_run(pool, falling); /* which may give its page back, so it comes before the look at this one's */
        falling->run = oi_run_begin(oi_page_of(o));
        falling->unit = unit;
    }
    oi_run_free(&falling->run, o);
}

/* A reference to a child goes; if it is plain, and dies by that, it is the next one. */
static OI_ALWAYS_INLINE void drop_child(struct oi_act *act, uint32_t id, ouro_object *child, struct falling *falling)
{
    if (!child)
        return;
    if (OI_UNLIKELY(!oi_is_plain_of(child, id))) {
        end_run(&act->self->pool, falling); /* it may free blocks */
        release_child(act, child);
    } else if (ouro_private_sub1(&child->ouro_private_local)) {
        if (falling->next) {
            oi_store_relaxed(&((struct plain *)falling->next)->next, falling->todo);
            falling->todo = falling->next;
        }
        falling->next = child;
    }
}

/* Destroys a private object that is_plain, and all that dies with it and is like it. This is where most objects end, so everything is in
 * registers, also the layout of the previous one's type, for objects of one type come together, and so are those of a page. No user code runs here, so
 * the slot does not change. The caller has set `destroying`: what is not like it goes to the other lists. */
static inline void destroy_plain(struct oi_act *act, ouro_object *o)
{
    const uint32_t id = oi_my_id();
    struct oi_pool *const pool = &act->self->pool;
    struct falling falling = {0};
    uint32_t word = 0; /* of the type that the next two are of */
    size_t from = 0, to = 0;
    for (;; o = falling.next) {
        falling.next = NULL;
        if (OI_LIKELY(oi_is_pair(o))) {
            const ouro_slot *slot = (const ouro_slot *)(o + 1);
            void *first = slot[0].ouro_private_ref, *second = slot[1].ouro_private_ref;
            /* Asked of both at once: half of a tree's are empty, and the processor would guess two branches wrong where it does one. */
            uintptr_t both = (uintptr_t)first | (uintptr_t)second;
            if (both) {
                if (OI_UNLIKELY(both & OURO_PRIVATE_TAG)) {
                    first = oi_slot_ref(first);
                    second = oi_slot_ref(second);
                }
                drop_child(act, id, first, &falling);
                drop_child(act, id, second, &falling);
            }
        } else {
            if (OI_UNLIKELY(oi_type_word(o) != word)) {
                const struct oi_type *type = oi_type_of(o);
                if (OI_UNLIKELY(!type->simple)) {
                    end_run(pool, &falling);
                    destroy_other(act, type, o);
                    goto done;
                }
                word = oi_type_word(o);
                from = (size_t)type->bare.first * sizeof(ouro_slot);
                to = from + (size_t)type->bare.count * sizeof(ouro_slot);
            }
            for (size_t at = from; at < to; at += sizeof(ouro_slot)) {
                void *held = ((const ouro_slot *)((char *)o + at))->ouro_private_ref;
                if (held) /* first: many are not */
                    drop_child(act, id, oi_slot_ref(held), &falling);
            }
        }
        free_plain(pool, &falling, o);
    done:
        if (!falling.next) {
            if (!(falling.next = falling.todo))
                break;
            falling.todo = ((struct plain *)falling.next)->next;
        }
    }
    end_run(pool, &falling);
}

/* True of a DEAD object that the quick loop below can destroy: it was published, its type asks for nothing, no weak reference leads to it, and nobody
 * watches. */
static inline bool is_simple(const ouro_object *o)
{
    uint64_t first = oi_first(o);
    return OI_LIKELY((oi_first_flags(first) & (OI_PUBLISHED | OI_HAS_WEAK)) == OI_PUBLISHED) &&
           (OI_LIKELY((uint32_t)first & OI_PAIR) || oi_type_by((uint32_t)first)->simple) && OI_LIKELY(!oi_watched);
}

/* A reference to a published object goes; `id` is the caller's. True: the object is DEAD by it, and on no list. */
static inline bool release_shared(struct oi_act *act, uint32_t id, ouro_object *o)
{
    if (!may_touch(o))
        return false;
    oi_hint(o);
    if (oi_check(o) == id)
        return ouro_private_sub1(&o->ouro_private_local) && oi_unbias_last(o, oi_dropped);
    oi_release(act, o, oi_dropped);
    return false;
}

/* The reference in a slot of a DEAD object goes, and the slot's content stays, for read sections that are on their way through. `next` is what has died
 * before by the same object's end, or NULL; returned is the last that has. */
static OI_ALWAYS_INLINE ouro_object *drop_shared(struct oi_act *act, uint32_t id, const ouro_slot *slot, ouro_object *next)
{
    void *word = oi_load_relaxed(&slot->ouro_private_ref);
    if (!word) /* first: many are */
        return next;
    ouro_object *child = oi_slot_ref(word);
    if (!child || !release_shared(act, id, child))
        return next;
    if (next)
        oi_destroy_later(act, next);
    return child;
}

/* Destroys a DEAD object that is simple, and all that dies with it and is, too, as destroy_plain does for private ones. What else dies is left on the list.
 * The blocks go to limbo a chain of one page at a time, for objects that die together lie together, as a rule. No user code runs here. */
static void destroy_simple(struct oi_act *act, ouro_object *o)
{
    const uint32_t id = oi_my_id();
    struct oi_limbo_chain chain = {0};
    for (;;) {
        ouro_object *next = NULL;
        oi_perturb();
        if (OI_LIKELY(oi_is_pair(o))) {
            const ouro_slot *slot = (const ouro_slot *)(o + 1);
            next = drop_shared(act, id, &slot[0], next);
            next = drop_shared(act, id, &slot[1], next);
        } else {
            const struct oi_type *type = oi_type_of(o);
            const ouro_slot *slot = (const ouro_slot *)o + type->bare.first;
            for (const ouro_slot *end = slot + type->bare.count; slot < end; slot++)
                next = drop_shared(act, id, slot, next);
        }
        oi_perturb();
        oi_limbo_retire_with(&chain, o);
        if (!next) {
            if (!(next = act->dead))
                break;
            act->dead = oi_dead_next(next);
        }
        if (!is_simple(next)) {
            oi_destroy_later(act, next);
            break;
        }
        o = next;
    }
    oi_limbo_retire_chain(&chain);
}

void oi_finalize(struct oi_act *act, const struct oi_type *type, ouro_object *o)
{
    bool outer = act->in_user_code;
    oi_watch_exit(act);
    act->in_user_code = true;
    type->finalize(o);
    oi_left_user_code(act, outer);
}

void oi_left_user_code(struct oi_act *act, bool outer)
{
    act->in_user_code = outer;
    if (OI_UNLIKELY(act->home))
        oi_hold_slot(act);
}

/* Brings a dead object back with one reference, this thread's, for its finalizer. */
static void revive(struct oi_act *act, ouro_object *o)
{
    uint32_t flags = (oi_flags(o) & OI_FLAGS) | OI_FINALIZED;
    oi_set_flags(o, flags); /* nobody else writes the flags of a dead object */
    oi_set_local(o, 0);
    if (flags & OI_PUBLISHED) {
        oi_hint(o); /* its references count as edges again */
        /* Release: pairs with the load in ouro_get, which then sees what died before [MO-count]. */
        oi_store_release(&o->ouro_private_shared, (uint32_t)(OI_FINALIZING + 1) << 2 | OI_MERGED);
        oi_perturb();
    } else {
        /* Aged: a young collection under way further up the stack does not know it. */
        oi_set_flags(o, flags | OI_AGED);
        oi_set_shared(o, 0);
        oi_set_owner(o, act->self->tslot.id);
    }
}

/* The finalizer has returned. This thread's reference goes; if the finalizer has left others, the object lives on. */
static void end_finalizing(struct oi_act *act, ouro_object *o)
{
    if (!(oi_flags(o) & OI_PUBLISHED)) {
        oi_release(act, o, oi_dropped);
        return;
    }
    uint32_t s = oi_shared(o), n;
    do {
        if (!oi_is_finalizing(s)) {
            oi_release(act, o, oi_dropped); /* immortal now; or the finalizer has published a private object */
            return;
        }
        oi_check(o); /* this drop is a disposal like any other (rule D) */
        n = s - ((uint32_t)(OI_FINALIZING + 1) << 2);
        /* acq_rel: as any drop [MO-count]; and release what the finalizer did to whoever finds it alive; pairs with
         * oi_try_retain [MO-revive]. */
    } while (!oi_cas_weak_acqrel(&o->ouro_private_shared, &s, n));
    if (n == OI_DEAD)
        oi_destroy_later(act, o);
}

/* Frees the block of an object that was private, and that nobody looks at any more. */
static void free_private(struct oi_act *act, ouro_object *o)
{
    if (OI_UNLIKELY(oi_watched))
        oi_watch_died(o);
    else
        oi_pool_free(&act->self->pool, o);
}

static void free_block(struct oi_act *act, ouro_object *o)
{
    if (oi_flags(o) & OI_PUBLISHED) {
        if (OI_UNLIKELY(oi_history_on))
            oi_history_seal(o);
        oi_limbo_retire(o);
    } else if (act->reading) {
        oi_dead_link(o, act->dead_blocks);
        act->dead_blocks = o;
    } else {
        free_private(act, o);
    }
}

static bool is_finalizer_due(const ouro_object *o)
{
    return oi_type_of(o)->finalize && !(oi_flags(o) & OI_FINALIZED);
}

/* A DEAD object: to its finalizer first, if that is due; else to its end. */
static void destroy_dead(struct oi_act *act, ouro_object *o)
{
    const struct oi_type *type = oi_type_of(o);
    uint32_t flags = oi_flags(o);
    if (is_finalizer_due(o)) {
        if (act->reading) {
            oi_watch_exit(act);
            oi_dead_link(o, act->dead_waiting);
            act->dead_waiting = o;
            return;
        }
        revive(act, o);
        oi_finalize(act, type, o);
        end_finalizing(act, o);
        return;
    }
    oi_perturb();
    if (flags & OI_HAS_WEAK)
        oi_weak_target_died(act, o);
    if (type->dispose)
        type->dispose(o);
    oi_release_slots(act, o);
    oi_perturb();
    free_block(act, o);
}

/* The loop. Not finalizing: what has a finalizer to come stays on the list. */
static void destroy_all(struct oi_act *act, bool finalizing)
{
    ouro_object *later = NULL;
    act->destroying = true;
    for (;;) {
        ouro_object *o;
        if ((o = act->dead_plain)) {
            act->dead_plain = ((struct plain *)o)->next;
            destroy_plain(act, o);
        } else if ((o = act->dead)) {
            act->dead = oi_dead_next(o);
            if (is_simple(o)) {
                destroy_simple(act, o);
            } else if (finalizing || !is_finalizer_due(o)) {
                destroy_dead(act, o);
            } else {
                oi_dead_link(o, later);
                later = o;
            }
        } else {
            break;
        }
    }
    act->dead = later;
    act->destroying = false;
}

void oi_destroy_run(struct oi_act *act)
{
    if (act->destroying || act->in_user_code)
        return;
    destroy_all(act, true);
    if (OI_UNLIKELY(act->callbacks))
        oi_weak_run_callbacks(act);
}

void oi_destroy_quietly(struct oi_act *act)
{
    destroy_all(act, false);
}

static OI_NOINLINE void open_mail(struct oi_act *act)
{
    oi_inbox_look(act);
    if (act->self->due)
        oi_upcalls.run_due(act);
}

/* A thread that only makes and drops objects never allocates slowly, so it looks into its inbox when it drops one; and it may run here what
 * ouro_new may not. */
static inline void see_to_mail(struct oi_act *act, const struct oi_local *self)
{
    /* In one look. Relaxed: who takes what is there looks again. */
    if (OI_UNLIKELY((uintptr_t)oi_load_relaxed(&self->tslot.inbox.head) | self->due))
        open_mail(act);
}

/* A private object with nothing special, dropped where nothing special goes on. */
static OI_NOINLINE void release_last_of_tree(struct oi_act *act, ouro_object *o)
{
    act->destroying = true;
    destroy_plain(act, o);
    act->destroying = false;
    if (OI_UNLIKELY(act->dead_plain || act->dead || act->callbacks))
        oi_destroy_run(act);
    see_to_mail(act, act->self);
}

/* The rest of releasing a bare one from a page that is not current. */
static OI_NOINLINE void page_changed(struct oi_act *act, struct oi_page *page)
{
    oi_pool_page_changed(&act->self->pool, page);
    see_to_mail(act, act->self);
}

/* The last step of dropping an object that dies alone: its block goes to its page. */
static inline void end_alone(struct oi_act *act, struct oi_page *page, ouro_object *o)
{
    if (OI_UNLIKELY(oi_pool_free_to(page, o)))
        page_changed(act, page);
    else
        see_to_mail(act, act->self);
}

/* Or, if none is, it is kept for the next object of the type. A program's temporary objects follow each other so without a look at their page, where each
 * would wait for the stores of the one before. That the object's flags are those of a new one says that its page is on the list of young pages that
 * the next one's must be on: young collections that leave objects change their flags. */
static inline void keep_or_end(struct oi_act *act, uint32_t word, ouro_object *o)
{
    struct oi_local *self = act->self;
    if (self->pool.kept.key == OI_KEPT_NONE) {
        oi_pool_keep(&self->pool, word, o);
        see_to_mail(act, self);
    } else {
        end_alone(act, oi_page_at_unit(o), o);
    }
}

/* An object that is plain, dropped where nothing special goes on, of whatever type. */
static OI_NOINLINE OI_HOT void release_last_of_any(struct oi_act *act, ouro_object *o)
{
    if (OI_UNLIKELY(!oi_is_bare_of(oi_type_of(o), o)))
        release_last_of_tree(act, o);
    else
        end_alone(act, oi_object_page(o), o);
}

/* What the quick path below is not for: other pairs, leaves, whatever else. */
static OI_NOINLINE void release_last_other(struct oi_act *act, ouro_object *o)
{
    uint32_t word = oi_type_word(o);
    if (OI_UNLIKELY(!oi_is_plain_of(o, oi_my_id()) || act->busy))
        oi_release_last(act, o);
    else if (word & OI_SMALL_LEAF)
        keep_or_end(act, word, o);
    else if (!(word & OI_PAIR) || !oi_is_bare_pair(o))
        release_last_of_any(act, o);
    else if (!oi_type_is_tracked(oi_type_of(o)))
        keep_or_end(act, word, o);
    else
        end_alone(act, oi_page_at_unit(o), o);
}

/* Where most objects that die alone end. It calls nothing but as its last step, so that it needs to save nothing. */
OI_HOT void ouro_private_release_last(void *object)
{
    ouro_object *o = object;
    struct oi_act *act = &oi_act;
    /* No flag is set: it is plain, tracked, and not aged. */
    if (OI_UNLIKELY(oi_owner_and_flags(o) != oi_my_id() || act->busy)) {
        release_last_other(act, o);
        return;
    }
    uint32_t word = oi_type_word(o);
    if (OI_UNLIKELY(!(word & OI_PAIR)))
        release_last_of_any(act, o);
    else if (OI_UNLIKELY(!oi_is_bare_pair(o)))
        release_last_of_tree(act, o);
    else
        keep_or_end(act, word, o);
}

void oi_destroy_private(struct oi_act *act, ouro_object *o)
{
    if (is_plain(act, oi_flags(o))) {
        push_plain(act, o);
    } else {
        make_dead(o);
        oi_destroy_later(act, o);
    }
    oi_destroy_run(act);
}

/* Where no loop is under way that would take it along, and nothing dies with it: its block goes to limbo without any list. */
static inline bool retire_bare(struct oi_act *act, ouro_object *o)
{
    if (act->destroying || !is_simple(o) || !oi_is_bare(o))
        return false;
    oi_perturb();
    oi_limbo_retire(o);
    return true;
}

void oi_destroy_dead(struct oi_act *act, ouro_object *o)
{
    if (!retire_bare(act, o))
        oi_destroy_later(act, o);
    if (act->dead_plain || act->dead || act->callbacks) /* also what was left there before */
        oi_destroy_run(act);
}

void oi_destroy_section_ended(struct oi_act *act)
{
    for (ouro_object *o; (o = act->dead_blocks);) {
        act->dead_blocks = oi_dead_next(o);
        free_private(act, o);
    }
    for (ouro_object *o; (o = act->dead_waiting);) {
        act->dead_waiting = oi_dead_next(o);
        oi_destroy_later(act, o);
    }
    oi_destroy_run(act);
}

void oi_destroy_unwound(struct oi_act *act)
{
    /* A section that was never ended ends here. liburcu's own destructor, which may have run already, forgets the reader. */
    if (act->reading)
        oi_reader_step(act);
    act->reading = 0;
    /* Nor does user code that called pthread_exit return. */
    act->destroying = act->in_user_code = act->calling = act->looking = false;
    if (act->dead || act->dead_plain || act->callbacks)
        oi_destroy_run(act);
    if (act->dead_blocks || act->dead_waiting)
        oi_destroy_section_ended(act);
}
