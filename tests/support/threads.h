/* SPDX-License-Identifier: MIT
 *
 * Threads for tests: teams that start at the same moment, seeded yields, and step counters to arrange who goes
 * first. */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/rng.h"
#include "support/scale.h"

enum { TEAM_MAX = 64, STEP_SECONDS = 60 };

struct member {
    unsigned index; /* 0 .. count-1 */
    unsigned count;
    struct rng rng; /* the member's own stream of the team's seed */
    void *arg;
    pthread_barrier_t *start;
    void (*fn)(struct member *self);
};

/* Runs fn on count threads, which wait for each other before the first line, and joins them. The caller is parked
 * meanwhile (ouro_blocking_begin), so that what it owns can be carried out by the team. */
void team_run(unsigned count, uint64_t seed, void (*fn)(struct member *self), void *arg);

/* One thread, joined by the caller; stack_bytes 0: the default. */
pthread_t thread_start(void *(*fn)(void *), void *arg, size_t stack_bytes);
/* Joins it; the caller is parked, or (running) is not. */
void thread_join_parked(pthread_t thread);
void thread_join_running(pthread_t thread);
/* Start and join in one, the caller parked from before the thread's first line. */
void thread_do(void *(*fn)(void *), void *arg, size_t stack_bytes);

/* Now and then gives the other threads a chance to come between two lines. */
void yield_sometimes(struct rng *rng);

/* A counter that threads wait for. Waiting is plain waiting: the waiting thread is not parked. */
struct step {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int value;
};

#define STEP_INITIALIZER                                       \
    {                                                          \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 \
    }

void step_set(struct step *step, int value);
/* False if the step was not reached in STEP_SECONDS. */
bool step_wait(struct step *step, int value);

/* Calls done(arg) until it is true, sleeping in between; false after STEP_SECONDS. */
bool wait_until(bool (*done)(void *arg), void *arg);

#endif
