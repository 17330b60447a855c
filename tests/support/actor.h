/* SPDX-License-Identifier: MIT
 *
 * Threads that stop at chosen steps of the library, for tests of one interleaving: where oi_perturb stands in the source, a thread
 * counts a step, and waits if it was told to. The collecting thread calls the test at each of its steps. In debug builds only;
 * elsewhere actor_supported() is false. Sees private headers; for one file of a program. */
#ifndef TESTS_SUPPORT_ACTOR_H
#define TESTS_SUPPORT_ACTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "port/perturb.h"
#include "support/check.h"
#include "support/threads.h"

struct actor {
    void (*run)(void *arg);
    void *arg;
    pthread_t thread;
    int steps, stop_at;    /* its steps so far; the one at which it stops, 0: none */
    int stops;             /* the thread's */
    int seen;              /* of them, by the test */
    struct step at, may_go; /* at: the number of stops, ACTOR_ENDED at the end */
};

enum { ACTOR_ENDED = 1000 };

static _Thread_local struct actor *actor_self;
static _Thread_local int collector_steps; /* since actor_collect_with */
static _Thread_local void (*collector_fn)(int step);

static inline void actor_step(void)
{
    struct actor *self = actor_self;
    if (self && ++self->steps == self->stop_at) {
        step_set(&self->at, ++self->stops);
        REQUIRE(step_wait(&self->may_go, self->stops));
    } else if (!self && collector_fn) {
        void (*fn)(int step) = collector_fn;
        collector_fn = NULL; /* what it does has steps, too */
        fn(++collector_steps);
        collector_fn = fn;
    }
}

static inline bool actor_supported(void)
{
    if (!OURO_DEBUG)
        printf("       skipped: only a debug build stops there\n");
    return OURO_DEBUG;
}

/* Calls fn at each step of the calling thread, until it is called with NULL. */
static inline void actor_collect_with(void (*fn)(int step))
{
    collector_steps = 0;
    collector_fn = fn;
    oi_perturb_hook = actor_step;
}

static inline void *actor_main(void *arg)
{
    actor_self = arg;
    actor_self->run(actor_self->arg);
    struct actor *self = actor_self;
    actor_self = NULL;
    step_set(&self->at, ACTOR_ENDED);
    return NULL;
}

/* For the next stop, or the end. */
static inline bool actor_wait(struct actor *self)
{
    REQUIRE(step_wait(&self->at, ++self->seen));
    pthread_mutex_lock(&self->at.mutex);
    bool stopped = self->at.value != ACTOR_ENDED;
    pthread_mutex_unlock(&self->at.mutex);
    return stopped;
}

/* Starts a thread; returns when it has stopped at a step (true), or has ended. */
static inline bool actor_start(struct actor *self, void (*run)(void *arg), void *arg, int stop_at)
{
    *self = (struct actor){.run = run, .arg = arg, .stop_at = stop_at, .at = STEP_INITIALIZER, .may_go = STEP_INITIALIZER};
    oi_perturb_hook = actor_step;
    self->thread = thread_start(actor_main, self, 0);
    return actor_wait(self);
}

/* It goes on to another step, or, with 0, to the end of its function. */
static inline bool actor_go_on(struct actor *self, int stop_at)
{
    self->stop_at = stop_at;
    step_set(&self->may_go, self->seen);
    return actor_wait(self);
}

/* Ends the thread, also what comes after its function: detaching. */
static inline void actor_end(struct actor *self)
{
    if (self->at.value != ACTOR_ENDED)
        CHECK(!actor_go_on(self, 0));
    thread_join_running(self->thread);
}

#endif
