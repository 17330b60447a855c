//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_weak.h"

#include <pthread.h>

#include "lib_mem_limbo.h"
#include "lib_object_count.h"
#include "lib_object_destroy.h"
#include "lib_object_misuse.h"
#include "lib_object_publish.h"

#define OI_WEAK_BUCKETS_MIN ((size_t)1024)

static struct oi_table table;
static pthread_mutex_t callback_lock = PTHREAD_MUTEX_INITIALIZER; /* lists of weak references: docs/design/lock-order.md */
uint32_t oi_verdict = OI_VERDICT_IDLE;

static ouro_type weak_type = OURO_TYPE(struct ouro_weak, .name = "ouro_weak", .flags = OI_TYPE_OWN);

static uintptr_t hash_of(const ouro_object *target)
{
    uint64_t x = (uintptr_t)target >> 3;
    return (uintptr_t)(x * 0x9e3779b97f4a7c15u >> 16); /* Fibonacci hashing: Knuth, TAOCP 3, 6.4 */
}

static struct oi_anchor *anchor_of_node(struct oi_hash_node *node)
{
    return node ? OI_CONTAINER_OF(node, struct oi_anchor, node) : NULL;
}

static bool same_target(const struct oi_hash_node *node, const void *target)
{
    /* Relaxed: only compared. */
    return oi_load_relaxed(&OI_CONTAINER_OF(node, struct oi_anchor, node)->target) == target;
}

/* The anchor of an object that is alive, or was until the caller destroyed it. */
static struct oi_anchor *find_anchor(ouro_object *target)
{
    oi_rcu_read_lock();
    struct oi_anchor *anchor = anchor_of_node(oi_table_find(&table, hash_of(target), same_target, target));
    oi_rcu_read_unlock();
    return anchor;
}

void oi_anchor_release(struct oi_anchor *anchor)
{
    /* acq_rel: every holder's use comes before the block's reuse [MO-anchor]. */
    if (oi_fetch_sub_acqrel(&anchor->references, 1) == 1)
        oi_limbo_retire(anchor);
}

/* Marks the target as having weak references (H3). */
static void mark_target(ouro_object *target)
{
    uint32_t flags = oi_flags(target);
    if (flags & OI_HAS_WEAK)
        return;
    if (flags & OI_PUBLISHED)
        oi_fetch_or_acqrel(&target->ouro_private_flags, OI_HAS_WEAK);
    else
        oi_set_flags(target, flags | OI_HAS_WEAK);
}

/* A reference to the target's anchor, made if there is none. The caller holds the target, which therefore stays in the table. */
static struct oi_anchor *hold_anchor(struct oi_act *act, ouro_object *target)
{
    struct oi_anchor *anchor = oi_flags(target) & OI_HAS_WEAK ? find_anchor(target) : NULL;
    if (!anchor) {
        struct oi_anchor *made = oi_pool_alloc(&act->self->pool, OI_POOL_ANCHORS);
        if (!made)
            return NULL;
        oi_store_relaxed(&made->target, target);
        LIST_INIT(&made->calls);
        oi_store_relaxed(&made->references, 1); /* the table's */
        mark_target(target);
        oi_perturb();
        bool crowded;
        oi_rcu_read_lock();
        anchor = anchor_of_node(oi_table_add(&table, hash_of(target), same_target, target, &made->node, &crowded));
        oi_rcu_read_unlock();
        if (anchor != made)
            oi_pool_free(&act->self->pool, made); /* another thread was quicker; nobody has seen this one */
        else if (OI_UNLIKELY(crowded))
            oi_upcalls.wake(); /* to resize the table */
    }
    oi_fetch_add_relaxed(&anchor->references, 1); /* relaxed: the table's reference is there as long as the target lives */
    return anchor;
}

struct oi_anchor *oi_anchor_of(ouro_object *target)
{
    return hold_anchor(&oi_act, target);
}

void oi_anchor_hold(struct oi_anchor *anchor)
{
    oi_fetch_add_relaxed(&anchor->references, 1); /* relaxed: the caller's is there */
}

void oi_weak_detach(struct ouro_weak *weak)
{
    if (!weak->anchor)
        return; /* there was no memory for it */
    if (weak->callback) {
        pthread_mutex_lock(&callback_lock);
        if (weak->listed)
            LIST_REMOVE(weak, link);
        pthread_mutex_unlock(&callback_lock);
    }
    oi_anchor_release(weak->anchor);
}

/* The weak reference itself dies. */
static void dispose(ouro_object *o)
{
    oi_weak_detach((struct ouro_weak *)o);
}

bool oi_weak_init(void)
{
    return oi_table_init(&table, OI_WEAK_BUCKETS_MIN) && oi_type_register_own(&weak_type, OI_OWN_WEAK, dispose);
}

bool oi_weak_is(const ouro_object *o)
{
    return OI_TYPE_ID(oi_type_word(o)) == OI_OWN_WEAK;
}

static bool may_use(const ouro_object *o, const char *call)
{
    if (!o || oi_is_dead(o)) {
        oi_misuse(o ? OURO_MISUSE_OVER_RELEASE : OURO_MISUSE_WRONG_TYPE, call, o, o ? "the object is dead" : "the target is NULL");
        return false;
    }
    if (oi_is_foreign(o)) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, "the object is private to another thread");
        return false;
    }
    return true;
}

bool oi_weak_attach(struct ouro_weak *weak, ouro_object *target, ouro_weak_callback callback, void *arg)
{
    struct oi_act *act = &oi_act;
    /* FINALIZED: it has no finalizer, but is never `plain` to the destroy loop, for its target's death may meet it there. */
    oi_set_flags(&weak->object, oi_flags(&weak->object) | OI_FINALIZED);
    weak->anchor = hold_anchor(act, target);
    if (!weak->anchor)
        return false;
    /* W1: an unbiased thread's weak reference is born published; one with a callback follows its target. */
    if ((oi_flags(&weak->object) & OI_PUBLISHED) && !(oi_flags(target) & OI_PUBLISHED))
        oi_publish(target);
    if (callback && (oi_flags(target) & OI_PUBLISHED) && !(oi_flags(&weak->object) & OI_PUBLISHED))
        oi_publish_one(act, &weak->object);
    weak->callback = callback;
    weak->arg = arg;
    if (callback) {
        pthread_mutex_lock(&callback_lock);
        LIST_INSERT_HEAD(&weak->anchor->calls, weak, link);
        weak->listed = true;
        pthread_mutex_unlock(&callback_lock);
    }
    return true;
}

ouro_weak *ouro_weak_new(void *target, ouro_weak_callback callback, void *arg)
{
    if (!may_use(target, "ouro_weak_new"))
        return NULL;
    struct ouro_weak *weak = ouro_new(&weak_type);
    if (weak && !oi_weak_attach(weak, target, callback, arg)) {
        ouro_release(weak);
        return NULL;
    }
    return weak;
}

/* In a read section: the target, or NULL if it is dead. Never waits; NULL only for the dead. */
static ouro_object *upgrade(ouro_object *o)
{
    uint32_t w = oi_owner(o);
    oi_perturb();
    if (OI_UNLIKELY(w & OI_CAND)) {
        /* The collector has its doubts about o. While its verdict is open, an upgrade overturns it for all. */
        uint32_t v = oi_load_acquire(&oi_verdict);
        if (v == OI_VERDICT_OPEN)
            (void)oi_cas_acqrel(&oi_verdict, &v, OI_VERDICT_RESCUED); /* on failure v is what was decided meanwhile */
        oi_perturb();
        /* What was spared has lost CAND before COMMITTED was stored. The mark may also be the next collection's, which has begun since: then this
         * one's verdict has gone, and the next one's waits for this read section. */
        if (v == OI_VERDICT_COMMITTED && (oi_load_acquire(&o->ouro_private_owner) & OI_CAND) &&
            oi_load_acquire(&oi_verdict) == OI_VERDICT_COMMITTED)
            return NULL;
        oi_touch(o);
    }
    return oi_try_retain(o) ? o : NULL;
}

ouro_object *oi_anchor_get(const struct oi_anchor *anchor)
{
    oi_rcu_read_lock();
    ouro_object *target = oi_load_acquire(&anchor->target); /* pairs with oi_weak_target_died [MO-weak] */
    oi_perturb();
    if (target)
        target = upgrade(target);
    oi_rcu_read_unlock();
    return target;
}

ouro_object *oi_weak_get(const struct ouro_weak *weak)
{
    return weak->anchor ? oi_anchor_get(weak->anchor) : NULL;
}

void *ouro_weak_get(ouro_weak *weak)
{
    if (!weak)
        return NULL;
    if (oi_is_dead(&weak->object)) {
        oi_misuse(OURO_MISUSE_OVER_RELEASE, "ouro_weak_get", weak, "the weak reference is dead");
        return NULL;
    }
    if (!oi_weak_is(&weak->object)) {
        oi_misuse(OURO_MISUSE_WRONG_TYPE, "ouro_weak_get", weak, "the object is not a weak reference");
        return NULL;
    }
    if (oi_is_foreign(&weak->object)) {
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_weak_get", weak, "the weak reference is private to another thread");
        return NULL;
    }
    return oi_weak_get(weak);
}

ouro_object *oi_weak_target(const struct ouro_weak *weak)
{
    return weak->anchor ? oi_load_acquire(&weak->anchor->target) : NULL; /* pairs with oi_weak_target_died [MO-weak] */
}

void oi_weak_each_call(ouro_object *o, void (*fn)(ouro_object *weak, void *arg), void *arg)
{
    struct ouro_weak *weak;
    struct oi_anchor *anchor = find_anchor(o);
    pthread_mutex_lock(&callback_lock);
    LIST_FOREACH(weak, &anchor->calls, link)
        fn(&weak->object, arg);
    pthread_mutex_unlock(&callback_lock);
}

void oi_weak_target_died(struct oi_act *act, ouro_object *o)
{
    struct oi_anchor *anchor = find_anchor(o);
    if (!anchor)
        return; /* a thread that was about to enter it has vanished in a fork */
    oi_rcu_read_lock();
    oi_table_remove(&table, &anchor->node);
    oi_rcu_read_unlock();
    oi_perturb();
    /* Release: pairs with oi_weak_target [MO-weak]. */
    oi_store_release(&anchor->target, NULL);
    oi_perturb();
    pthread_mutex_lock(&callback_lock);
    oi_credit_haste(); /* nothing is taken under this lock */
    for (struct ouro_weak *weak; (weak = LIST_FIRST(&anchor->calls));) {
        LIST_REMOVE(weak, link);
        weak->listed = false;
        if (oi_try_retain(&weak->object)) { /* not if it is dying itself */
            weak->next_due = act->callbacks;
            act->callbacks = weak;
        }
    }
    oi_credit_haste_ended();
    pthread_mutex_unlock(&callback_lock);
    if (act->callbacks)
        oi_watch_exit(act);
    oi_anchor_release(anchor);
}

void oi_weak_run_callbacks(struct oi_act *act)
{
    if (act->calling)
        return; /* what has become due by a callback is served by the loop below, not on top of it */
    act->calling = true;
    while (act->callbacks && oi_may_run_user_code(act)) {
        struct ouro_weak *weak = act->callbacks;
        act->callbacks = weak->next_due;
        oi_watch_exit(act);
        act->in_user_code = true;
        weak->callback(weak, weak->arg);
        oi_left_user_code(act, false);
        oi_release(act, &weak->object, "ouro_release");
        oi_destroy_run(act); /* what the callback dropped */
    }
    act->calling = false;
}

void oi_weak_before_fork(void)
{
    pthread_mutex_lock(&callback_lock);
}

void oi_weak_after_fork(void)
{
    pthread_mutex_unlock(&callback_lock);
}

void oi_weak_maintain(void)
{
    oi_table_maintain(&table);
}
