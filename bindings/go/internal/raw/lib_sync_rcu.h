/* SPDX-License-Identifier: MIT
 *
 * liburcu, flavour bp: read sections, grace periods, and the two structures of it that ouro uses. Only sync/ includes liburcu's headers. bp registers
 * threads by itself, tolerates several copies in one process, and forgets vanished threads after fork.
 *
 * Guarantees relied on (liburcu's, told to ThreadSanitizer by annotation):
 *  R1  A read section that begins before oi_rcu_synchronize() is called has ended when that returns, and all its accesses come
 *      before whatever follows.
 *  R2  What a stack's or hash table's user wrote before adding a node is visible to whoever finds the node. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib_port_atomic.h"

/* Read sections nest, wait for nobody, and register the calling thread by themselves. */
void oi_rcu_read_lock(void);
void oi_rcu_read_unlock(void);

/* Waits until every read section that is under way has ended (R1). Not inside a read section. */
void oi_rcu_synchronize(void);

/* Around fork(). After it, in the child, only the forking thread exists for RCU. */
void oi_rcu_before_fork(void);
void oi_rcu_after_fork_parent(void);
void oi_rcu_after_fork_child(void);

/* A lock-free stack that any thread may push on and that is emptied as a whole (so there is no ABA). Zero is empty. */
struct oi_stack_node {
    struct oi_stack_node *next;
};
struct oi_stack {
    struct oi_stack_node *head;
};

/* Full barrier: what follows comes after the push, also loads. */
void oi_stack_push(struct oi_stack *stack, struct oi_stack_node *node);
/* Takes everything: the last pushed first; NULL if there was nothing. The nodes are the caller's. */
struct oi_stack_node *oi_stack_take_all(struct oi_stack *stack);
/* A moment's reading. seq_cst: after the caller's full barrier, where it has one (tslot.h S3, MO-wakeup); else a hint. */
static inline bool oi_stack_is_empty(const struct oi_stack *stack)
{
    return !oi_load_seqcst(&stack->head);
}

/* A lock-free hash table of nodes embedded in the user's structures; keys are unique. A removed node's
 * memory may be reused after a grace period. All but create and resize are called inside read sections. */
struct oi_hash_node {
    void *liburcu[2];
};
struct oi_hash;
typedef bool oi_hash_match(const struct oi_hash_node *node, const void *key);

struct oi_hash *oi_hash_create(size_t buckets); /* a power of two; NULL when out of memory */
/* Adds the node, unless there is one that matches the key; returns the one that is in the table then. */
struct oi_hash_node *oi_hash_add(struct oi_hash *hash, uintptr_t hashed, oi_hash_match *match, const void *key,
                                 struct oi_hash_node *node);
/* Adapts the number of buckets (a power of two). Not inside a read section; waits for grace periods; any one thread at a time. */
void oi_hash_resize(struct oi_hash *hash, size_t buckets);
bool oi_hash_remove(struct oi_hash *hash, struct oi_hash_node *node); /* false: somebody else has removed it */
struct oi_hash_node *oi_hash_find(struct oi_hash *hash, uintptr_t hashed, oi_hash_match *match, const void *key); /* or NULL */
