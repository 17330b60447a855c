/* SPDX-License-Identifier: MIT
 *
 * What a worker does: one step after the other, each chosen by the seed, the worker's number and the step's, whatever came of the steps
 * before. So the sequence of steps does not depend on how threads meet; what they find does. */
#ifndef TORTURE_STEPS_H
#define TORTURE_STEPS_H

#include <pthread.h>
#include <stdatomic.h>

#include "histogram.h"
#include "torture/ledger.h"
#include "torture/options.h"

enum { HELD = 12, WEAK_HELD = 6, KEEPERS = 16, IMMORTALS = 8 };

/* Belongs to one thread at a time. What it holds is private, or published. */
struct worker {
    struct maker maker;
    struct rng rng; /* the step's */
    atomic_uint_least64_t step; /* written by the worker */
    uint64_t steps_left;        /* of the round */
    bool unbiased;
    bool hands_over; /* its thread is to end, and another one to go on */
    bool in_child;
    struct node *held[HELD];
    struct {
        ouro_weak *weak;
        uint32_t id;
    } weak_held[WEAK_HELD];
    uint32_t keepers[KEEPERS]; /* ids of the last that it made */
    unsigned keepers_made, immortals;
    uint64_t done[MIX_COUNT]; /* steps */
    uint64_t threads, forks, rescued;
    histogram durations; /* of steps, ns */
    pthread_t thread, thread_before;
    bool has_thread_before;
};

/* The nodes that are always there, made before the first step: what all workers share hangs on them. */
enum { ROOTS = 16 };
extern struct node *roots[ROOTS];

void steps_start(void);
void step_once(struct worker *worker);

/* Not steps of their own: */
void step_drop_all(struct worker *worker);
void step_check_held(struct worker *worker);
void step_attach(struct worker *worker);

const char *step_name(uint32_t number);

#endif
