/* SPDX-License-Identifier: MIT */
#include "support/linear.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ouro/gc.h>
#include <ouro/thread.h>

#include "support/check.h"
#include "support/threads.h"

/* ---- is there an order? ---- */

/* Sets of operations done, with the state after them, from which there is no way on. */
struct dead_ends {
    unsigned char *at; /* each: the set, then the state */
    size_t count, room, size;
};

struct history {
    const struct linear_subject *subject;
    uint64_t begin[LINEAR_OPS_MAX], end[LINEAR_OPS_MAX];
    unsigned count;
    struct dead_ends dead_ends;
};

static bool is_dead_end(const struct dead_ends *all, uint32_t done, const void *state)
{
    for (size_t i = 0; i < all->count; i++) {
        const unsigned char *entry = all->at + i * all->size;
        if (memcmp(entry, &done, sizeof done) == 0 && memcmp(entry + sizeof done, state, all->size - sizeof done) == 0)
            return true;
    }
    return false;
}

static void add_dead_end(struct dead_ends *all, uint32_t done, const void *state)
{
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 64;
        all->at = realloc(all->at, all->room * all->size);
        REQUIRE(all->at);
    }
    unsigned char *entry = all->at + all->count++ * all->size;
    memcpy(entry, &done, sizeof done);
    memcpy(entry + sizeof done, state, all->size - sizeof done);
}

/* True if i may come next: nothing that is still to be done ended before it began. */
static bool may_be_next(const struct history *history, uint32_t done, unsigned i)
{
    for (unsigned k = 0; k < history->count; k++) {
        if (!(done >> k & 1) && history->end[k] < history->begin[i])
            return false;
    }
    return true;
}

static bool search(struct history *history, uint32_t done, const void *state)
{
    unsigned char next[LINEAR_STATE_MAX];
    if (done == (uint32_t)(((uint64_t)1 << history->count) - 1))
        return true;
    if (is_dead_end(&history->dead_ends, done, state))
        return false;
    for (unsigned i = 0; i < history->count; i++) {
        if ((done >> i & 1) || !may_be_next(history, done, i))
            continue;
        memcpy(next, state, history->subject->state_size);
        if (history->subject->apply(next, i) && search(history, done | (uint32_t)1 << i, next))
            return true;
    }
    add_dead_end(&history->dead_ends, done, state);
    return false;
}

static bool is_linearizable(struct history *history)
{
    history->dead_ends = (struct dead_ends){.size = sizeof(uint32_t) + history->subject->state_size};
    bool found = search(history, 0, history->subject->state);
    free(history->dead_ends.at);
    return found;
}

static void say(const struct history *history)
{
    for (unsigned i = 0; i < history->count; i++) {
        char text[200] = "";
        history->subject->describe(i, text, sizeof text);
        fprintf(stderr, "  thread %u  %4llu .. %4llu  %s\n", i / history->subject->steps, (unsigned long long)(history->begin[i] - history->begin[0] + 500),
                (unsigned long long)(history->end[i] - history->begin[0] + 500), text);
    }
}

/* ---- one thread at a time ---- */

/* Where another thread's step is to be feared. */
extern void (*oi_perturb_hook)(void) __attribute__((weak));

bool linear_can_schedule(void)
{
    return OURO_DEBUG && &oi_perturb_hook;
}

enum { NOBODY = LINEAR_THREADS_MAX };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed[LINEAR_THREADS_MAX];
    unsigned running;      /* whose turn it is */
    unsigned long steps;   /* made by whoever had it */
    bool waiting[LINEAR_THREADS_MAX];
    struct rng rng;
    uint32_t stretch;      /* of one thread, in steps, on average: few switches find what takes long stretches in between, many the rest */
} schedule = {.mutex = PTHREAD_MUTEX_INITIALIZER, .running = NOBODY};

static _Thread_local unsigned scheduled_as = NOBODY;

/* Somebody who waits, or nobody; the mutex is held. */
static unsigned pick(void)
{
    unsigned all[LINEAR_THREADS_MAX], n = 0;
    for (unsigned i = 0; i < LINEAR_THREADS_MAX; i++) {
        if (schedule.waiting[i])
            all[n++] = i;
    }
    return n ? all[rng_below(&schedule.rng, n)] : NOBODY;
}

/* Whoever runs may be waiting itself, for what one of us holds in the library: then another goes on, too. */
enum { STUCK_NS = 3000000 };

static void await_turn(unsigned me)
{
    schedule.waiting[me] = true;
    while (schedule.running != me) {
        unsigned long steps = schedule.steps;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += STUCK_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&schedule.changed[me], &schedule.mutex, &until) == ETIMEDOUT && schedule.steps == steps)
            schedule.running = me;
    }
    schedule.steps++;
    schedule.waiting[me] = false;
}

static void hand_over(unsigned to)
{
    schedule.running = to;
    if (to != NOBODY)
        pthread_cond_signal(&schedule.changed[to]);
}

static void step_scheduled(void)
{
    unsigned me = scheduled_as;
    if (me == NOBODY)
        return;
    pthread_mutex_lock(&schedule.mutex);
    schedule.steps++;
    unsigned next = schedule.running == me && rng_one_in(&schedule.rng, schedule.stretch) ? pick() : NOBODY;
    if (next != NOBODY)
        hand_over(next);
    if (schedule.running != me)
        await_turn(me);
    pthread_mutex_unlock(&schedule.mutex);
}

static void enter_schedule(unsigned me)
{
    pthread_mutex_lock(&schedule.mutex);
    await_turn(me);
    pthread_mutex_unlock(&schedule.mutex);
    scheduled_as = me;
}

static void leave_schedule(void)
{
    unsigned me = scheduled_as;
    scheduled_as = NOBODY;
    pthread_mutex_lock(&schedule.mutex);
    if (schedule.running == me)
        hand_over(pick());
    pthread_mutex_unlock(&schedule.mutex);
}

/* By the referee, when all are about to enter. */
static void begin_schedule(unsigned threads)
{
    pthread_mutex_lock(&schedule.mutex);
    for (unsigned i = 0; i < threads; i++)
        schedule.waiting[i] = true;
    hand_over(pick());
    pthread_mutex_unlock(&schedule.mutex);
}

/* ---- all at once, drawn out ---- */

static void step_free(void)
{
    static _Thread_local uint32_t state;
    if (!state)
        state = (uint32_t)(uintptr_t)&state | 1;
    state = state * 1664525u + 1013904223u;
    if (state >> 24 < 64)
        sched_yield();
    else if (state >> 24 < 72)
        nanosleep(&(struct timespec){0, 1000 + (long)(state >> 8 & 0x7fff)}, NULL);
}

/* ---- rounds ---- */

struct run {
    const struct linear_subject *subject;
    int rounds;
    bool scheduled;
    struct history history;
    pthread_barrier_t start, end;
    atomic_bool over;
    long failures;
};

static atomic_ullong clock_now;

static void meet(pthread_barrier_t *barrier)
{
    ouro_blocking_begin();
    pthread_barrier_wait(barrier);
    ouro_blocking_end();
}

static void work(struct run *run, struct member *self)
{
    const struct linear_subject *subject = run->subject;
    for (int round = 0; round < run->rounds; round++) {
        pthread_barrier_wait(&run->start);
        if (run->scheduled)
            enter_schedule(self->index);
        for (unsigned i = self->index * subject->steps; i < (self->index + 1) * subject->steps; i++) {
            if (!run->scheduled)
                yield_sometimes(&self->rng);
            if (subject->choose)
                subject->choose(i, &self->rng);
            run->history.begin[i] = atomic_fetch_add(&clock_now, 1);
            subject->operate(i, &self->rng);
            run->history.end[i] = atomic_fetch_add(&clock_now, 1);
        }
        if (run->scheduled)
            leave_schedule();
        meet(&run->end);
    }
}

static void referee(struct run *run, struct member *self)
{
    for (int round = 0; round < run->rounds; round++) {
        run->subject->prepare(&self->rng);
        schedule.rng = rng_stream(rng_next(&self->rng), 0);
        schedule.stretch = 2u << rng_below(&self->rng, 5);
        pthread_barrier_wait(&run->start);
        if (run->scheduled)
            begin_schedule(run->subject->threads);
        meet(&run->end);
        if (!is_linearizable(&run->history) && !run->failures++)
            say(&run->history);
        run->subject->finish();
    }
    atomic_store(&run->over, true);
}

static void collect(struct run *run, struct member *self)
{
    while (!atomic_load(&run->over)) {
        CHECK_GE(ouro_gc_collect(rng_one_in(&self->rng, 4) ? 1 : 2), 0);
        yield_sometimes(&self->rng);
    }
}

static void member(struct member *self)
{
    struct run *run = self->arg;
    if (self->index < run->subject->threads)
        work(run, self);
    else if (self->index == run->subject->threads)
        referee(run, self);
    else
        collect(run, self);
}

static long run_rounds(const struct linear_subject *subject, int rounds, uint64_t seed, bool scheduled, bool collecting)
{
    static struct run run;
    run = (struct run){.subject = subject, .rounds = rounds, .scheduled = scheduled};
    run.history = (struct history){.subject = subject, .count = subject->threads * subject->steps};
    REQUIRE(run.history.count <= LINEAR_OPS_MAX && subject->state_size <= LINEAR_STATE_MAX && subject->threads <= LINEAR_THREADS_MAX);
    REQUIRE(pthread_barrier_init(&run.start, NULL, subject->threads + 1) == 0);
    REQUIRE(pthread_barrier_init(&run.end, NULL, subject->threads + 1) == 0);
    for (unsigned i = 0; i < LINEAR_THREADS_MAX; i++)
        pthread_cond_init(&schedule.changed[i], NULL);
    if (linear_can_schedule())
        __atomic_store_n(&oi_perturb_hook, scheduled ? step_scheduled : step_free, __ATOMIC_RELAXED); /* threads of the library may be running */
    team_run(subject->threads + 1 + collecting, seed, member, &run);
    if (linear_can_schedule())
        __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
    pthread_barrier_destroy(&run.start);
    pthread_barrier_destroy(&run.end);
    return run.failures;
}

long linear_run_free(const struct linear_subject *subject, int rounds, uint64_t seed, bool collecting)
{
    return run_rounds(subject, rounds, seed, false, collecting);
}

long linear_run_scheduled(const struct linear_subject *subject, int rounds, uint64_t seed)
{
    return linear_can_schedule() ? run_rounds(subject, rounds, seed, true, false) : 0;
}
