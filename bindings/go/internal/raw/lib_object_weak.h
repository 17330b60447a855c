/* SPDX-License-Identifier: MIT
 *
 * Weak references (docs/design/weak-references.md). An object that has some has one anchor: a small block that knows where the object is, as long
 * as it is alive. Weak references are ordinary objects that hold their target's anchor.
 *
 *     weak ──▶ anchor ┄┄▶ target        counted: each weak reference, and the table, hold the anchor
 *     table ──▶ anchor                  not counted: the anchor's `target`, cleared when the target dies
 *
 * W1  What the death of a published object may touch is published: a weak reference with a callback is published only together with
 *     its target, and a target only together with those. And a weak reference is published only together with its target: so
 *     nobody gets from one to a private object of another thread.
 * W2  `target` is written once, to NULL, by whoever destroys the target; readers follow it in read sections only.
 * W3  The anchor of every object with HAS_WEAK that is alive is in the table, under the object's address. Its block always takes a
 *     grace period, for the table's readers may pass through it. */
#pragma once

#include <sys/queue.h>

#include "ouro_weak.h"

#include "lib_object_act.h"
#include "lib_sync_table.h"

struct oi_anchor {
    struct oi_block block;           /* the heap's, once the anchor is in limbo */
    ouro_object *target;             /* atomic */
    LIST_HEAD(, ouro_weak) calls;    /* weak references with a callback; under the callback lock */
    uint32_t references;             /* atomic */
    struct oi_hash_node node;
};
_Static_assert(sizeof(struct oi_anchor) == OI_ANCHOR_SIZE, "the pool knows the size");

struct ouro_weak {
    ouro_object object;
    struct oi_anchor *anchor;        /* immutable */
    ouro_weak_callback callback;     /* immutable; NULL: none */
    void *arg;
    union {
        LIST_ENTRY(ouro_weak) link;  /* if listed: on anchor->calls; under the callback lock */
        struct ouro_weak *next_due;  /* after that: the thread's that will call it, once */
    };
    bool listed;                     /* under the callback lock */
    uint32_t number;                 /* for the callback, if it is the library's own */
};

/* Creates the table. False: out of memory. */
bool oi_weak_init(void);

bool oi_weak_is(const ouro_object *o);

/* What a weak reference leads to, or NULL. The caller is in a read section, or owns the target, or only compares. */
ouro_object *oi_weak_target(const struct ouro_weak *weak);

/* The same as a new reference: ouro_weak_get, without looking at what it is given. */
ouro_object *oi_weak_get(const struct ouro_weak *weak);

/* ---- For the library's own types that begin with a struct ouro_weak ---- */

/* Makes a new object, which nobody else has seen, a weak reference to the target, which may be used. False: no memory. */
bool oi_weak_attach(struct ouro_weak *fresh, ouro_object *target, ouro_weak_callback callback, void *arg);

/* It dies; for the type's dispose. It may never have been attached. */
void oi_weak_detach(struct ouro_weak *dying);

/* ---- Anchors, held without a weak reference ---- */

/* The anchor of an object that the caller holds. NULL: no memory. */
struct oi_anchor *oi_anchor_of(ouro_object *target);
/* One more for whoever has one. */
void oi_anchor_hold(struct oi_anchor *anchor);
void oi_anchor_release(struct oi_anchor *anchor);
/* The object as a new reference, or NULL once it is dead. Never waits. */
ouro_object *oi_anchor_get(const struct oi_anchor *anchor);

/* The object, DEAD and the caller's, has weak references: clears them; their callbacks become due. */
void oi_weak_target_died(struct oi_act *act, ouro_object *o);

/* Calls what is due, unless user code is on the stack or the thread is in a read section. */
void oi_weak_run_callbacks(struct oi_act *act);

/* Calls fn with each weak reference to o that has a callback; fn takes no lock. */
void oi_weak_each_call(ouro_object *o, void (*fn)(ouro_object *weak, void *arg), void *arg);

/* If the table has grown out of its buckets, adapts it. In the service thread. */
void oi_weak_maintain(void);

/* Around fork(), with the other locks. */
void oi_weak_before_fork(void);
void oi_weak_after_fork(void);

/* The verdict word: how the collector and upgrades of weak references agree on a set of candidates. */
enum oi_verdict { OI_VERDICT_IDLE, OI_VERDICT_OPEN, OI_VERDICT_RESCUED, OI_VERDICT_COMMITTED };
extern uint32_t oi_verdict;
