//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_sync_rcu.h"

#include <urcu/urcu-bp.h>

#include <urcu/lfstack.h>
#include <urcu/rculfhash.h>
#include <urcu/static/urcu-bp.h> /* _urcu_bp_read_lock and _unlock only */

#include "lib_base_base.h"
#include "lib_port_atomic.h"
#include "lib_port_os.h"
#include "lib_port_sanitized.h"
#include "lib_port_tsan.h"

_Static_assert(sizeof(struct oi_stack_node) == sizeof(struct cds_lfs_node), "a stack node is liburcu's");
_Static_assert(sizeof(struct oi_stack) == sizeof(struct __cds_lfs_stack), "a stack is liburcu's");
_Static_assert(sizeof(struct oi_hash_node) >= sizeof(struct cds_lfht_node), "a hash node is liburcu's");

static char grace_period; /* an address for R1's annotations */

/* In line: decision 001. */
void oi_rcu_read_lock(void)
{
    if (OI_IS_SANITIZED)
        urcu_bp_read_lock();
    else
        _urcu_bp_read_lock();
    oi_tsan_acquire(&grace_period);
}

void oi_rcu_read_unlock(void)
{
    oi_tsan_release(&grace_period);
    if (OI_IS_SANITIZED)
        urcu_bp_read_unlock();
    else
        _urcu_bp_read_unlock();
}

void oi_rcu_synchronize(void)
{
    oi_tsan_release(&grace_period);
    int held = oi_os_hold_cancel(); /* it waits in poll() with liburcu's locks */
    urcu_bp_synchronize_rcu();
    oi_os_let_cancel(held);
    oi_tsan_acquire(&grace_period);
}

void oi_rcu_before_fork(void)
{
    urcu_bp_before_fork();
}

void oi_rcu_after_fork_parent(void)
{
    urcu_bp_after_fork_parent();
}

void oi_rcu_after_fork_child(void)
{
    urcu_bp_after_fork_child();
}

void oi_stack_push(struct oi_stack *stack, struct oi_stack_node *node)
{
    oi_tsan_release(stack);
    cds_lfs_push((struct __cds_lfs_stack *)stack, (struct cds_lfs_node *)node);
}

struct oi_stack_node *oi_stack_take_all(struct oi_stack *stack)
{
    struct cds_lfs_head *head = __cds_lfs_pop_all((struct __cds_lfs_stack *)stack);
    oi_tsan_acquire(stack);
    return head ? (struct oi_stack_node *)&head->node : NULL;
}

struct oi_hash *oi_hash_create(size_t buckets)
{
    return (struct oi_hash *)cds_lfht_new_flavor(buckets, buckets, 0, 0, &urcu_bp_flavor, NULL);
}

struct lookup {
    void *hash;
    oi_hash_match *match;
    const void *key;
};

static int lfht_match(struct cds_lfht_node *node, const void *key)
{
    const struct lookup *lookup = key;
    oi_tsan_acquire(lookup->hash); /* R2, for the match function already */
    return lookup->match((const struct oi_hash_node *)node, lookup->key);
}

struct oi_hash_node *oi_hash_add(struct oi_hash *hash, uintptr_t hashed, oi_hash_match *match, const void *key,
                                 struct oi_hash_node *node)
{
    struct lookup lookup = {hash, match, key};
    cds_lfht_node_init((struct cds_lfht_node *)node);
    oi_tsan_release(hash);
    struct cds_lfht_node *there =
        cds_lfht_add_unique((struct cds_lfht *)hash, hashed, lfht_match, &lookup, (struct cds_lfht_node *)node);
    oi_tsan_acquire(hash);
    return (struct oi_hash_node *)there;
}

struct oi_hash_node *oi_hash_find(struct oi_hash *hash, uintptr_t hashed, oi_hash_match *match, const void *key)
{
    struct lookup lookup = {hash, match, key};
    struct cds_lfht_iter iter;
    cds_lfht_lookup((struct cds_lfht *)hash, hashed, lfht_match, &lookup, &iter);
    oi_tsan_acquire(hash);
    return (struct oi_hash_node *)cds_lfht_iter_get_node(&iter);
}

void oi_hash_resize(struct oi_hash *hash, size_t buckets)
{
    int held = oi_os_hold_cancel(); /* grace periods: as above */
    cds_lfht_resize((struct cds_lfht *)hash, buckets);
    oi_os_let_cancel(held);
}

bool oi_hash_remove(struct oi_hash *hash, struct oi_hash_node *node)
{
    return cds_lfht_del((struct cds_lfht *)hash, (struct cds_lfht_node *)node) == 0;
}
