/* SPDX-License-Identifier: MIT
 *
 * The concurrent collection: generations 1 and 2, the published objects (docs/design/cycle-collector.md). It runs on whichever thread calls
 * it, beside all others, and makes none of them wait. */
#pragma once

#include "cycle/scope.h"

struct oi_concurrent {
    /* asked for */
    int generation;      /* 1: pages with objects published since the last one; 2: all */
    void (*breathe)(void); /* called between read sections, some hundred objects apart, where the collection may rest; NULL: never */
    /* results */
    bool followed;       /* only what candidates lead to has been looked at */
    size_t candidates;   /* objects looked at */
    size_t suspects;     /* of these, members after the estimate; all, if there was none */
    size_t found;        /* objects found unreachable, inner ones not counted */
    size_t freed;        /* of these, gone; the others wait for finalizers, or are saved */
    size_t freed_bytes;
    struct oi_stack_node *due;   /* tokens of objects whose finalizer is due */
    struct oi_stack_node *saved; /* tokens of objects that are kept for debugging */
    ouro_object *dead;           /* dead objects whose finalizer is due: they had references from the garbage only */
    struct ouro_weak *callbacks; /* weak references whose callback is due */
};

bool oi_concurrent_init(void);

/* Collects once. The caller sees to it that collections follow each other, is in no read section and runs no destroy loop, and its slot, if it
 * has one, is parked. No user code runs. Waits for read sections (one grace period; with weak garbage two to four). */
void oi_concurrent_collect(struct oi_act *act, struct oi_concurrent *job);

/* Around fork: not while the verdict on a set is being carried out. In the child, what the vanished collector was at is forgotten. */
void oi_concurrent_before_fork(void);
void oi_concurrent_after_fork_parent(void);
void oi_concurrent_after_fork_child(void);
