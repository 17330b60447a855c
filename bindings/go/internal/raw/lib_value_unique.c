//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_unique.h"

#include "lib_object_count.h"

struct oi_unique *oi_unique_find(struct oi_table *table, uint64_t hash, oi_hash_match *match, const void *key)
{
    struct oi_unique *found = NULL;
    oi_rcu_read_lock();
    for (struct oi_hash_node *node; !found && (node = oi_table_find(table, hash, match, key));) {
        oi_perturb();
        if (oi_try_retain(&OI_UNIQUE_OF(node)->array.object))
            found = OI_UNIQUE_OF(node);
        else
            oi_table_remove(table, node); /* U2 */
    }
    oi_rcu_read_unlock();
    return found;
}

struct oi_unique *oi_unique_enter(struct oi_table *table, uint64_t hash, oi_hash_match *match, const void *key, struct oi_unique *made)
{
    struct oi_hash_node *node;
    bool crowded;
    ouro_share(made); /* U1 */
    oi_rcu_read_lock();
    for (;;) {
        oi_perturb();
        node = oi_table_add(table, hash, match, key, &made->node, &crowded);
        oi_perturb();
        if (node == &made->node || oi_try_retain(&OI_UNIQUE_OF(node)->array.object))
            break;
        oi_table_remove(table, node); /* U2 */
    }
    oi_rcu_read_unlock();
    if (node != &made->node) {
        made->word = 0; /* nobody has seen it */
        ouro_release(made);
    } else if (crowded) {
        oi_upcalls.wake(); /* to resize the table */
    }
    return OI_UNIQUE_OF(node);
}

void oi_unique_leave(struct oi_table *table, struct oi_unique *dying)
{
    if (!oi_load_relaxed(&dying->word))
        return;
    oi_rcu_read_lock();
    oi_table_remove(table, &dying->node);
    oi_rcu_read_unlock();
}
