/* SPDX-License-Identifier: MIT */
#include "support/threads.h"

#include <limits.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <ouro/thread.h>

#include "support/check.h"

static void *member_main(void *arg)
{
    struct member *self = arg;
    pthread_barrier_wait(self->start);
    self->fn(self);
    return NULL;
}

void team_run(unsigned count, uint64_t seed, void (*fn)(struct member *self), void *arg)
{
    struct member members[TEAM_MAX];
    pthread_t threads[TEAM_MAX];
    pthread_barrier_t start;
    REQUIRE(count <= TEAM_MAX);
    REQUIRE(pthread_barrier_init(&start, NULL, count) == 0);
    ouro_blocking_begin();
    for (unsigned i = 0; i < count; i++) {
        members[i] = (struct member){i, count, rng_stream(seed, i), arg, &start, fn};
        threads[i] = thread_start(member_main, &members[i], 0);
    }
    for (unsigned i = 0; i < count; i++)
        thread_join_running(threads[i]);
    ouro_blocking_end();
    pthread_barrier_destroy(&start);
}

pthread_t thread_start(void *(*fn)(void *), void *arg, size_t stack_bytes)
{
    pthread_attr_t attributes;
    pthread_t thread;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    if (stack_bytes) {
        long least = sysconf(_SC_THREAD_STACK_MIN);
        if (least > 0 && stack_bytes < (size_t)least)
            stack_bytes = (size_t)least;
        REQUIRE(pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
    }
    REQUIRE(pthread_create(&thread, &attributes, fn, arg) == 0);
    pthread_attr_destroy(&attributes);
    return thread;
}

void thread_join_running(pthread_t thread)
{
    REQUIRE(pthread_join(thread, NULL) == 0);
}

void thread_join_parked(pthread_t thread)
{
    ouro_blocking_begin();
    thread_join_running(thread);
    ouro_blocking_end();
}

void thread_do(void *(*fn)(void *), void *arg, size_t stack_bytes)
{
    ouro_blocking_begin();
    thread_join_running(thread_start(fn, arg, stack_bytes));
    ouro_blocking_end();
}

void yield_sometimes(struct rng *rng)
{
    uint32_t dice = rng_below(rng, 64);
    if (dice == 0)
        nanosleep(&(struct timespec){0, 1000 + (long)rng_below(rng, 50000)}, NULL);
    else if (dice < 6)
        sched_yield();
}

void step_set(struct step *step, int value)
{
    pthread_mutex_lock(&step->mutex);
    step->value = value;
    pthread_cond_broadcast(&step->changed);
    pthread_mutex_unlock(&step->mutex);
}

bool step_wait(struct step *step, int value)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += STEP_SECONDS;
    pthread_mutex_lock(&step->mutex);
    while (step->value < value && pthread_cond_timedwait(&step->changed, &step->mutex, &deadline) == 0)
        ;
    bool reached = step->value >= value;
    pthread_mutex_unlock(&step->mutex);
    return reached;
}

bool wait_until(bool (*done)(void *arg), void *arg)
{
    for (int i = 0; i < STEP_SECONDS * 100; i++) {
        if (done(arg))
            return true;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    return done(arg);
}
