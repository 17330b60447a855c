/* SPDX-License-Identifier: MIT
 *
 * The young collection: generation 0, the calling thread's private objects (docs/design/young-collection.md). No published object refers to a private
 * one and no other thread sees any, so counting references among them says exactly which are reachable: trial deletion (after Lins, "Cyclic reference counting with lazy mark-scan", 1992, and CPython's
 * collector) without trial. Marks are kept in the objects' unused `shared` words, worklists in the pages: it allocates nothing, but
 * for the tokens of objects whose finalizers are due. */
#pragma once

#include "object/act.h"

struct oi_young {
    struct oi_stack_node *due;     /* tokens of objects of garbage cycles whose finalizer is due */
    struct oi_stack_node *saved;   /* tokens of objects that are kept for debugging; they are published */
    struct ouro_weak *due_callbacks; /* callbacks that wait for ouro_finalizers_run */
    size_t limit;                  /* collect when this many blocks have been added since the last one */
    size_t in_use;                 /* bytes of the heap's pages in use after the last one */
    size_t survivors;              /* objects that the last one left */
    size_t aged;                   /* objects that have survived since the last collection of all; perhaps not all are still there */
    size_t aged_base;              /* oi_young_aged_blocks after that */
    size_t aged_limit;             /* collect all when they are that many */
    bool publishing;               /* survivors of collections of all are published */
};

/* Finalizers and callbacks of garbage cycles run in ouro_finalizers_run only. Atomic: set at each start, when other threads may go on. */
extern bool oi_young_manual;

struct oi_young_result {
    size_t found;      /* objects found unreachable, inner ones not counted */
    size_t freed;      /* of these, gone; the others wait for finalizers */
    size_t candidates; /* objects looked at */
};

/* A collection looks at the objects made since the last one: what that left is aged, and counts as reachable. This makes all of the caller's
 * private objects candidates of the next. O(its private objects). Returns how many were aged. */
size_t oi_young_rejuvenate(struct oi_act *act);

/* Blocks in use on pages where all private objects are aged. O(such pages). */
size_t oi_young_aged_blocks(struct oi_act *act);

/* Collects the caller's private cycles. Finalizers that fall due are put on young->due, and their objects kept; weak callbacks that fall due are left to
 * the destroy loop. The caller is in no read section. False: no memory for a due token; nothing was collected. */
bool oi_young_collect(struct oi_act *act, struct oi_young *young, struct oi_young_result *result);

/* Runs at most budget due finalizers and callbacks. Returns how many ran. */
size_t oi_young_run_due(struct oi_act *act, struct oi_young *young, size_t budget);

/* Blocks that young pages hold more than after the last collection. O(young pages). */
size_t oi_young_added(struct oi_act *act);

/* Private objects that could be in cycles and are not aged. O(blocks of young pages). */
size_t oi_young_count(struct oi_act *act);

/* Publishes every private object: before the slot changes hands; or because they have grown old. */
void oi_young_publish_all(struct oi_act *act);
