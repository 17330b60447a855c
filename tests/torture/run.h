/* SPDX-License-Identifier: MIT
 *
 * The workers' threads, and rounds: all work, all wait, the heap is verified. */
#ifndef TORTURE_RUN_H
#define TORTURE_RUN_H

#include "torture/oracle.h"
#include "torture/steps.h"

struct run {
    struct worker **workers; /* options.threads of them, and the main thread's */
    struct oracle oracle;
    uint64_t rounds, begun; /* when: ns */
};

/* Makes the workers and the roots, works until it is time, and verifies; at the end drops everything, and verifies that nothing is left. */
void run_all(struct run *run);

uint64_t run_steps(const struct run *run);
uint64_t run_made(const struct run *run);

#endif
