/* SPDX-License-Identifier: MIT
 *
 * The heap of the C peers: malloc and free by hand. Which malloc it is, the linker decides. See heap_ouro.h for what
 * each function is for. */
#ifndef OURO_PEER_HEAP_H
#define OURO_PEER_HEAP_H

#include <stdint.h>
#include <stdlib.h>

#include <urcu/urcu-bp.h>

typedef struct node {
    struct node *left, *right;
    uint64_t key, value;
} node;

typedef node *node_ref;

#define HEAP_DEFINITIONS

enum { HEAP_COLLECTS = 0, HEAP_COUNTS = 1 };
#define HEAP_LIVE "unknown"

static inline void heap_start(void)
{
}

static inline node *heap_new(void)
{
    node *n = malloc(sizeof *n);
    if (!n)
        abort();
    *n = (node){0};
    __asm__ volatile("" : : "r"(n) : "memory"); /* or the compiler takes malloc and free away together */
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

/* Acquire, with heap_replace: the fields of what is found have been written. */
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
    free(n);
}

static inline void heap_drop_tree(node *root)
{
    if (root->left)
        heap_drop_tree(root->left);
    if (root->right)
        heap_drop_tree(root->right);
    free(root);
}

static inline void heap_drop_list(node *head)
{
    while (head) {
        node *next = head->left;
        free(head);
        head = next;
    }
}

static inline void heap_drop_ring(node *first)
{
    node *at = first->left;
    while (at != first) {
        node *next = at->left;
        free(at);
        at = next;
    }
    free(first);
}

/* As Rust's Arc: the payload holds the references beyond the first. */
static inline void heap_retain(node *n)
{
    __atomic_fetch_add(&n->value, 1, __ATOMIC_RELAXED);
}

static inline void heap_release(node *n)
{
    if (__atomic_fetch_sub(&n->value, 1, __ATOMIC_ACQ_REL) == 0)
        abort();
}

static inline uint64_t heap_count(node *n)
{
    return __atomic_load_n(&n->value, __ATOMIC_RELAXED) + 1;
}

static inline void heap_collect(void)
{
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

static inline void heap_read_begin(int is_changing)
{
    if (is_changing)
        urcu_bp_read_lock();
}

static inline void heap_read_end(int is_changing)
{
    if (is_changing)
        urcu_bp_read_unlock();
}

/* Release: pairs with heap_peek. */
static inline void heap_replace(node *in, node_ref *at, node *old, node *fresh)
{
    (void)in;
    __atomic_store_n(at, fresh, __ATOMIC_RELEASE);
    urcu_bp_synchronize_rcu();
    free(old);
}

#endif
