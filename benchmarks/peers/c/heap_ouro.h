/* SPDX-License-Identifier: MIT
 *
 * The heap of the C peers: ouro. What each function is for stands here; the others follow it. */
#ifndef OURO_PEER_HEAP_H
#define OURO_PEER_HEAP_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <ouro/ouro.h>

typedef struct node {
    ouro_object object;
    ouro_slot left, right;
    uint64_t key, value;
} node;

typedef ouro_slot node_ref;

extern ouro_type node_type;
/* In one of the sources. */
#define HEAP_DEFINITIONS ouro_type node_type = OURO_TYPE(node, .name = "node", .slots = OURO_SLOTS(node, left, right));

enum { HEAP_COLLECTS = 1, HEAP_COUNTS = 1 };
#define HEAP_LIVE "objects" /* what heap_live counts */

static inline void heap_start(void)
{
    if (ouro_init(NULL) != OURO_OK)
        abort();
}

/* Empty, and held by the caller. */
static inline node *heap_new(void)
{
    node *n = ouro_new(&node_type);
    if (!n)
        abort();
    return n;
}

/* Fills an empty reference with what the caller holds, who holds it no longer. */
static inline void heap_give(node *in, node_ref *at, node *n)
{
    ouro_give(in, at, n);
}

/* The same, but the caller, or whoever holds n, goes on doing so. */
static inline void heap_link(node *in, node_ref *at, node *n)
{
    ouro_set(in, at, n);
}

static inline node *heap_peek(const node_ref *at)
{
    return ouro_peek(at);
}

/* From now on other threads may have it. */
static inline void heap_share(node *n)
{
    ouro_share(n);
}

/* The caller no longer holds a node that others do. */
static inline void heap_forget(node *n)
{
    ouro_release(n);
}

/* The last reference goes to: a node without references; a tree; a list along left; a ring along left. */
static inline void heap_drop(node *n)
{
    ouro_release(n);
}

static inline void heap_drop_tree(node *root)
{
    ouro_release(root);
}

static inline void heap_drop_list(node *head)
{
    ouro_release(head);
}

static inline void heap_drop_ring(node *first)
{
    ouro_release(first);
}

static inline void heap_retain(node *n)
{
    ouro_retain(n);
}

static inline void heap_release(node *n)
{
    ouro_release(n);
}

static inline uint64_t heap_count(node *n)
{
    return ouro_refcount(n);
}

/* A full collection: all that is garbage when it begins. */
static inline void heap_collect(void)
{
    ouro_gc_collect(2);
}

/* What a thread has made alone, before it ends. */
static inline void heap_thread_end(void)
{
    ouro_gc_collect(0);
}

static inline uint64_t heap_live_now(void)
{
    ouro_mem_stats stats = {.size = sizeof stats};
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats.live_objects;
}

static inline uint64_t heap_live(void)
{
    return heap_live_now();
}

/* Dead objects of other threads may still be on their way. */
static inline int heap_live_is(uint64_t before)
{
    for (unsigned ms = 0; ms < 5000 && heap_live_now() != before; ms++) {
        struct timespec nap = {.tv_nsec = 1000000};
        ouro_safepoint();
        nanosleep(&nap, NULL);
    }
    return heap_live_now() == before;
}

/* Around waiting for other threads. */
static inline void heap_wait_begin(void)
{
    ouro_blocking_begin();
}

static inline void heap_wait_end(void)
{
    ouro_blocking_end();
}

/* Memory that holds references from outside the heap. */
static inline void *heap_array(uint64_t count)
{
    void *array = calloc(count, sizeof(void *));
    if (!array)
        abort();
    return array;
}

static inline void heap_array_free(void *array)
{
    free(array);
}

/* Around a lookup: the first while nothing changes, the second beside a writer. */
static inline void heap_read_begin(int is_changing)
{
    (void)is_changing;
    ouro_read_begin();
}

static inline void heap_read_end(int is_changing)
{
    (void)is_changing;
    ouro_read_end();
}

/* The caller's fresh node takes the place of old, before the eyes of readers. */
static inline void heap_replace(node *in, node_ref *at, node *old, node *fresh)
{
    (void)old;
    ouro_give(in, at, fresh);
}

#endif
