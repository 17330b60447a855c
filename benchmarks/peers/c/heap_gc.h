/* SPDX-License-Identifier: MIT
 *
 * The heap of the C peers: Boehm's collector, as it comes. Dropping is forgetting. See heap_ouro.h for what each
 * function is for. */
#ifndef OURO_PEER_HEAP_H
#define OURO_PEER_HEAP_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef GC_THREADS
#define GC_THREADS
#endif
#include <gc.h>

typedef struct node {
    struct node *left, *right;
    uint64_t key, value;
} node;

typedef node *node_ref;

#define HEAP_DEFINITIONS

enum { HEAP_COLLECTS = 1, HEAP_COUNTS = 0 };
#define HEAP_LIVE "unknown" /* what looks like a reference keeps what it seems to refer to, and all behind it */

static inline void heap_start(void)
{
    GC_INIT();
}

static inline node *heap_new(void)
{
    node *n = GC_MALLOC(sizeof *n); /* cleared */
    if (!n)
        abort();
    __asm__ volatile("" : : "r"(n) : "memory");
    return n;
}

static inline void heap_give(node *in, node_ref *at, node *n)
{
    (void)in;
    *at = n;
}

static inline void heap_link(node *in, node_ref *at, node *n)
{
    (void)in;
    *at = n;
}

/* Acquire, with heap_replace. */
static inline node *heap_peek(const node_ref *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline void heap_share(node *n)
{
    (void)n;
}

static inline void heap_forget(node *n)
{
    (void)n;
}

static inline void heap_drop(node *n)
{
    (void)n;
}

static inline void heap_drop_tree(node *root)
{
    (void)root;
}

static inline void heap_drop_list(node *head)
{
    (void)head;
}

static inline void heap_drop_ring(node *first)
{
    (void)first;
}

static inline void heap_retain(node *n)
{
    (void)n;
}

static inline void heap_release(node *n)
{
    (void)n;
}

static inline uint64_t heap_count(node *n)
{
    (void)n;
    return 0;
}

static inline void heap_collect(void)
{
    GC_gcollect();
}

static inline void heap_thread_end(void)
{
}

static inline uint64_t heap_live(void)
{
    return 0;
}

static inline int heap_live_is(uint64_t before)
{
    (void)before;
    return 1;
}

static inline void heap_wait_begin(void)
{
}

static inline void heap_wait_end(void)
{
}

/* Looked into by the collector. */
static inline void *heap_array(uint64_t count)
{
    void *array = GC_MALLOC(count * sizeof(void *));
    if (!array)
        abort();
    return array;
}

static inline void heap_array_free(void *array)
{
    GC_FREE(array);
}

static inline void heap_read_begin(int is_changing)
{
    (void)is_changing;
}

static inline void heap_read_end(int is_changing)
{
    (void)is_changing;
}

/* Release: pairs with heap_peek. */
static inline void heap_replace(node *in, node_ref *at, node *old, node *fresh)
{
    (void)in;
    (void)old;
    __atomic_store_n(at, fresh, __ATOMIC_RELEASE);
}

#endif
