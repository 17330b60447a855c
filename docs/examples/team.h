/* SPDX-License-Identifier: MIT
 *
 * What every phase needs: threads, time, seeded randomness, and a tally of the objects that were made. */
#ifndef DEMO_TEAM_H
#define DEMO_TEAM_H

#include <stdint.h>

#include <ouro/ouro.h>

/* Runs task(0..count-1, arg) at once, one member per thread, the caller being member 0. Back when all are done; the
 * number of members that ran (fewer than count when the system has no more threads). */
unsigned team_run(unsigned count, void (*task)(unsigned member, void *arg), void *arg);

/* The number of CPUs, at least 2. */
unsigned team_size(void);

/* ouro_new and ouro_new_array, with a tally: what was made and is neither alive nor collected went by counting. */
void *make(ouro_type *type);
void *make_array(ouro_type *type, size_t length);

/* Objects made by the caller and by all members of finished teams. */
size_t made_so_far(void);

uint64_t now_ns(void);

/* A seeded generator: the same questions and updates every time, though not in the same interleaving. */
struct rng {
    uint64_t state;
};

struct rng rng_seed(unsigned member);
size_t rng_below(struct rng *rng, size_t bound);

#endif
