/* SPDX-License-Identifier: MIT */
#include "object/weak.h"

#include <pthread.h>

#include "object/count.h"
#include "object/destroy.h"
#include "object/misuse.h"
#include "object/publish.h"

#define OI_WEAK_BUCKETS_MIN ((size_t)1024)

static struct oi_hash *table;
static size_t weak_count;                   /* atomic: weak references in the table */
static size_t buckets = OI_WEAK_BUCKETS_MIN;                        /* atomic; written under the next */
static pthread_mutex_t resize_lock = PTHREAD_MUTEX_INITIALIZER; /* held while resizing, which waits for readers */
uint32_t oi_verdict = OI_VERDICT_IDLE;

static ouro_type weak_type = OURO_TYPE(struct ouro_weak, .name = "ouro_weak");

static uintptr_t hash_of(const ouro_object *target)
{
    uint64_t x = (uintptr_t)target >> 3;
    return (uintptr_t)(x * 0x9e3779b97f4a7c15u >> 16); /* Fibonacci hashing: Knuth, TAOCP 3, 6.4 */
}

static bool same_target(const struct oi_hash_node *node, const void *target)
{
    return oi_load_acquire(&OI_CONTAINER_OF(node, struct ouro_weak, node)->target) == target;
}

static void leave_table(struct ouro_weak *weak)
{
    if (oi_hash_remove(table, &weak->node))
        oi_fetch_sub_relaxed(&weak_count, 1);
}

/* The weak reference itself dies. */
static void dispose(ouro_object *o)
{
    oi_rcu_read_lock();
    leave_table((struct ouro_weak *)o); /* its target's death may have done so already, or do so now: one of them does */
    oi_rcu_read_unlock();
}

bool oi_weak_init(void)
{
    if (!table)
        table = oi_hash_create(OI_WEAK_BUCKETS_MIN);
    return table && oi_type_register_internal(&weak_type, dispose);
}

bool oi_weak_is(const ouro_object *o)
{
    return OI_TYPE_ID(oi_type_word(o)) == OI_TYPE_ID((uint32_t)weak_type.ouro_private_birth);
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

ouro_weak *ouro_weak_new(void *object, ouro_weak_callback callback, void *arg)
{
    ouro_object *target = object;
    if (!may_use(target, "ouro_weak_new"))
        return NULL;
    struct ouro_weak *weak = ouro_new(&weak_type);
    if (!weak)
        return NULL;
    /* FINALIZED: it has no finalizer, but is never `plain` to the destroy loop, for its target's death may meet it there. */
    oi_set_flags(&weak->object, oi_flags(&weak->object) | OI_FINALIZED);
    weak->callback = callback;
    weak->arg = arg;
    oi_store_relaxed(&weak->target, target);
    uint32_t flags = oi_flags(target);
    if (flags & OI_PUBLISHED) {
        /* W1. The weak reference has no slots, so publishing it is setting the flag. */
        oi_store_release(&weak->object.ouro_private_flags, (uint16_t)(oi_flags(&weak->object) | OI_PUBLISHED));
        if (!(flags & OI_HAS_WEAK))
            oi_fetch_or_acqrel(&target->ouro_private_flags, OI_HAS_WEAK); /* H3 */
    } else {
        oi_set_flags(target, flags | OI_HAS_WEAK);
        if (oi_flags(&weak->object) & OI_PUBLISHED)
            oi_publish(target); /* W1: an unbiased thread's objects are born published */
    }
    /* The target cannot die before it is in the table: the caller holds it. */
    oi_rcu_read_lock();
    oi_hash_add(table, hash_of(target), &weak->node);
    oi_rcu_read_unlock();
    if (OI_UNLIKELY(oi_fetch_add_relaxed(&weak_count, 1) > 2 * oi_load_relaxed(&buckets)))
        oi_upcalls.wake(); /* to resize the table */
    return weak;
}

/* In a read section: the target, or NULL if it is dead. Never waits; NULL only for the dead. */
static ouro_object *upgrade(ouro_object *o)
{
    uint32_t w = oi_owner(o);
    if (OI_UNLIKELY(w & OI_CAND)) {
        /* The collector has its doubts about o. While its verdict is open, an upgrade overturns it for all. */
        uint32_t v = oi_load_acquire(&oi_verdict);
        if (v == OI_VERDICT_OPEN)
            (void)oi_cas_acqrel(&oi_verdict, &v, OI_VERDICT_RESCUED); /* on failure v is what was decided meanwhile */
        if (v == OI_VERDICT_COMMITTED && (oi_load_acquire(&o->ouro_private_owner) & OI_CAND))
            return NULL; /* what was spared has lost CAND before COMMITTED was stored */
        oi_touch(o);
    }
    return oi_try_retain(o) ? o : NULL;
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
    oi_rcu_read_lock();
    ouro_object *target = oi_load_acquire(&weak->target); /* pairs with clear [MO-weak] */
    if (target)
        target = upgrade(target);
    oi_rcu_read_unlock();
    return target;
}

void oi_weak_each(ouro_object *o, void (*fn)(struct oi_hash_node *node, void *arg), void *arg)
{
    oi_rcu_read_lock();
    oi_hash_each(table, hash_of(o), same_target, o, fn, arg);
    oi_rcu_read_unlock();
}

static void clear(struct oi_hash_node *node, void *arg)
{
    struct oi_act *act = arg;
    struct ouro_weak *weak = OI_CONTAINER_OF(node, struct ouro_weak, node);
    /* Release: pairs with ouro_weak_get [MO-weak]. Before the weak reference leaves the table, so that its own death, which
     * looks at the table only, cannot come between (W2). */
    oi_store_release(&weak->target, NULL);
    leave_table(weak);
    if (weak->callback && oi_try_retain(&weak->object)) {
        weak->next_due = act->callbacks;
        act->callbacks = weak;
    }
}

void oi_weak_target_died(struct oi_act *act, ouro_object *o)
{
    oi_weak_each(o, clear, act);
}

void oi_weak_run_callbacks(struct oi_act *act)
{
    if (act->calling)
        return; /* what has become due by a callback is served by the loop below, not on top of it */
    act->calling = true;
    while (act->callbacks && oi_may_run_user_code(act)) {
        struct ouro_weak *weak = act->callbacks;
        act->callbacks = weak->next_due;
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
    pthread_mutex_lock(&resize_lock);
}

void oi_weak_after_fork(void)
{
    pthread_mutex_unlock(&resize_lock);
}

void oi_weak_maintain(void)
{
    pthread_mutex_lock(&resize_lock);
    size_t want = buckets, count = oi_load_relaxed(&weak_count);
    while (count > 2 * want)
        want *= 2;
    while (want > OI_WEAK_BUCKETS_MIN && count < want / 8)
        want /= 2;
    if (want != buckets)
        oi_hash_resize(table, want);
    oi_store_relaxed(&buckets, want);
    pthread_mutex_unlock(&resize_lock);
}
