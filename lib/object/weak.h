/* SPDX-License-Identifier: MIT
 *
 * Weak references (docs/design/weak-references.md; the verdict: protocol section "Weak references").
 *
 * W1  A weak reference is published only together with its target, and a target only together with its weak references: so another
 *     thread never gets from one to a private object.
 * W2  `target` is written once, to NULL, by whoever destroys the target; readers reach it in read sections only.
 * W3  Every weak reference whose target is alive is in the table, under its target's address; its block, once retired, always takes a
 *     grace period, for the table's readers may pass through it. */
#pragma once

#include <ouro/weak.h>

#include "object/act.h"

struct ouro_weak {
    ouro_object object;
    ouro_object *target; /* atomic; not counted */
    ouro_weak_callback callback;
    void *arg;
    struct ouro_weak *next_due; /* the destroying thread's, once */
    struct oi_hash_node node;
};

/* Creates the table. False: out of memory. */
bool oi_weak_init(void);

bool oi_weak_is(const ouro_object *o);

/* The object, DEAD and the caller's, has weak references: clears them; their callbacks become due. */
void oi_weak_target_died(struct oi_act *act, ouro_object *o);

/* Calls what is due, unless user code is on the stack or the thread is in a read section. */
void oi_weak_run_callbacks(struct oi_act *act);

/* Calls fn, in a read section, with the `node` of each weak reference to o. */
void oi_weak_each(ouro_object *o, void (*fn)(struct oi_hash_node *node, void *arg), void *arg);

/* If the table has grown out of its buckets, adapts it. In the service thread. */
void oi_weak_maintain(void);

/* Around fork(), after read sections of the forking thread have been interrupted. */
void oi_weak_before_fork(void);
void oi_weak_after_fork(void);

/* The verdict word: how the collector and upgrades of weak references agree on a set of candidates. */
enum oi_verdict { OI_VERDICT_IDLE, OI_VERDICT_OPEN, OI_VERDICT_RESCUED, OI_VERDICT_COMMITTED };
extern uint32_t oi_verdict;
