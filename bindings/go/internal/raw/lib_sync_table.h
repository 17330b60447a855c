/* SPDX-License-Identifier: MIT
 *
 * A hash table of unique nodes (sync/rcu.h) that is made for the whole life of the process, and whose buckets are fitted to their number now and
 * then. All but init and maintain are called inside read sections. */
#pragma once

#include "lib_sync_rcu.h"

struct oi_table {
    struct oi_hash *hash;  /* set once */
    size_t count;          /* atomic */
    size_t buckets;        /* atomic; written under the resize lock */
    size_t least;          /* buckets that it has at least; immutable */
};

/* buckets: a power of two. Once; again has no effect. False: out of memory. By one thread at a time. */
bool oi_table_init(struct oi_table *table, size_t buckets);

/* As oi_hash_add. *crowded: true if the table wants oi_table_maintain. */
struct oi_hash_node *oi_table_add(struct oi_table *table, uintptr_t hashed, oi_hash_match *match, const void *key, struct oi_hash_node *node,
                                  bool *crowded);
struct oi_hash_node *oi_table_find(struct oi_table *table, uintptr_t hashed, oi_hash_match *match, const void *key); /* or NULL */
bool oi_table_remove(struct oi_table *table, struct oi_hash_node *node); /* false: somebody else has removed it */

/* Fits the buckets to the number of nodes, if that is more than two per bucket, or less than one in eight. Waits for read sections then. */
void oi_table_maintain(struct oi_table *table);

/* Around fork(), before liburcu's own: no table is being resized. */
void oi_tables_before_fork(void);
void oi_tables_after_fork(void);
