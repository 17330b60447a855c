//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_sync_table.h"

#include <pthread.h>

static pthread_mutex_t resize_lock = PTHREAD_MUTEX_INITIALIZER; /* held while resizing, which waits for readers: docs/design/lock-order.md */

bool oi_table_init(struct oi_table *table, size_t buckets)
{
    if (table->hash)
        return true;
    table->least = buckets;
    oi_store_relaxed(&table->buckets, buckets);
    table->hash = oi_hash_create(buckets);
    return table->hash;
}

struct oi_hash_node *oi_table_add(struct oi_table *table, uintptr_t hashed, oi_hash_match *match, const void *key, struct oi_hash_node *node,
                                  bool *crowded)
{
    struct oi_hash_node *there = oi_hash_add(table->hash, hashed, match, key, node);
    /* Relaxed: a moment's reading of how full it is. */
    *crowded = there == node && oi_fetch_add_relaxed(&table->count, 1) > 2 * oi_load_relaxed(&table->buckets);
    return there;
}

struct oi_hash_node *oi_table_find(struct oi_table *table, uintptr_t hashed, oi_hash_match *match, const void *key)
{
    return oi_hash_find(table->hash, hashed, match, key);
}

bool oi_table_remove(struct oi_table *table, struct oi_hash_node *node)
{
    if (!oi_hash_remove(table->hash, node))
        return false;
    oi_fetch_sub_relaxed(&table->count, 1);
    return true;
}

void oi_table_maintain(struct oi_table *table)
{
    if (!table->hash)
        return;
    pthread_mutex_lock(&resize_lock);
    size_t now = oi_load_relaxed(&table->buckets), want = now, count = oi_load_relaxed(&table->count);
    while (count > 2 * want)
        want *= 2;
    while (want > table->least && count < want / 8)
        want /= 2;
    if (want != now)
        oi_hash_resize(table->hash, want);
    oi_store_relaxed(&table->buckets, want);
    pthread_mutex_unlock(&resize_lock);
}

void oi_tables_before_fork(void)
{
    pthread_mutex_lock(&resize_lock);
}

void oi_tables_after_fork(void)
{
    pthread_mutex_unlock(&resize_lock);
}
