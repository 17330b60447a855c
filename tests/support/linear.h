/* SPDX-License-Identifier: MIT
 *
 * Are operations of several threads linearizable? In each round a few threads do a few operations each on a subject, and write down what they
 * got; when each began and ended is written down here, by one clock. The round is linearizable if its operations can be put in an order, in
 * which none comes before one that ended before it began, and in which a model that does one after the other gets the same. Orders are tried
 * exhaustively (Wing and Gong, "Testing and verifying concurrent objects", 1993), with what was found not to work remembered (Lowe, "Testing
 * for linearizability", 2017).
 *
 * Rounds are run in two ways. Free: the threads run as they like, and in debug builds the steps inside the operations are drawn out at
 * random. Scheduled (debug builds only): one thread runs at a time, and at each step that another one's is to be feared at, the seed says
 * which goes on; so steps meet that else hardly ever do. */
#ifndef TESTS_SUPPORT_LINEAR_H
#define TESTS_SUPPORT_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/rng.h"

enum { LINEAR_THREADS_MAX = 4, LINEAR_OPS_MAX = 24, LINEAR_STATE_MAX = 1024 };

struct linear_subject {
    unsigned threads, steps; /* operations of each thread in a round; in all at most LINEAR_OPS_MAX */

    /* Before a round, on a thread of its own: makes the subject and its model's first state. */
    void (*prepare)(struct rng *rng);
    /* Does the i-th operation of the round, whatever that is; on thread i / steps. */
    void (*operate)(unsigned i, struct rng *rng);
    /* Decides, before the clock is read, what the i-th operation will be; or NULL. */
    void (*choose)(unsigned i, struct rng *rng);
    /* After a round. */
    void (*finish)(void);

    /* The model's state at the beginning, all bytes of which count; at most LINEAR_STATE_MAX. */
    const void *state;
    size_t state_size;
    /* Does operation i on a state; false: it would not have got what it got. */
    bool (*apply)(void *state, unsigned i);
    /* Writes operation i, in words, to text. */
    void (*describe)(unsigned i, char *text, size_t room);
};

/* How many of the rounds were not linearizable; the first such is written to stderr. collect: another thread collects meanwhile. */
long linear_run_free(const struct linear_subject *subject, int rounds, uint64_t seed, bool collect);

/* 0 rounds are run if the library has no steps to stop at. */
long linear_run_scheduled(const struct linear_subject *subject, int rounds, uint64_t seed);
bool linear_can_schedule(void);

#endif
