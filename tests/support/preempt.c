/* SPDX-License-Identifier: MIT */
#include "support/preempt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <time.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"

enum { THREADS_MAX = 64, SIGNAL = SIGUSR2 };

#ifdef TEST_TSAN
#define SUPPORTED 0
#else
#define SUPPORTED 1
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of the next two */
static pthread_t joined[THREADS_MAX];
static int joined_count;

static pthread_t thread;
static atomic_bool running;
static atomic_long pauses, length_us;
static struct rng rng; /* the pausing thread's */

static void pause_here(int signal_number)
{
    int before = errno;
    struct timeval time = {0, atomic_load(&length_us)};
    (void)signal_number;
    select(0, NULL, NULL, NULL, &time); /* may be called in a handler, unlike nanosleep */
    atomic_fetch_add(&pauses, 1);
    errno = before;
}

/* Most pauses are as short as can be; a few let the others get far. */
static long some_length_us(void)
{
    return rng_one_in(&rng, 16) ? 500 + (long)rng_below(&rng, 2000) : (long)rng_below(&rng, 100);
}

static void *pause_others(void *unused)
{
    (void)unused;
    prctl(PR_SET_TIMERSLACK, 1); /* nanosecond: or else each sleep is 50 microseconds longer */
    while (atomic_load(&running)) {
        nanosleep(&(struct timespec){0, 1000 + (long)rng_below(&rng, 100000)}, NULL);
        atomic_store(&length_us, some_length_us());
        pthread_mutex_lock(&mutex); /* so that whom it is for cannot end meanwhile */
        if (joined_count > 0)
            pthread_kill(joined[rng_below(&rng, (uint32_t)joined_count)], SIGNAL);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

void preempt_start(uint64_t seed)
{
    struct sigaction action = {.sa_handler = pause_here, .sa_flags = SA_RESTART};
    if (!SUPPORTED)
        return;
    rng = rng_stream(seed, 7777);
    sigemptyset(&action.sa_mask);
    REQUIRE(sigaction(SIGNAL, &action, NULL) == 0);
    atomic_store(&running, true);
    REQUIRE(pthread_create(&thread, NULL, pause_others, NULL) == 0);
}

void preempt_stop(void)
{
    if (atomic_exchange(&running, false))
        REQUIRE(pthread_join(thread, NULL) == 0);
}

void preempt_join(void)
{
    if (!atomic_load(&running))
        return;
    pthread_mutex_lock(&mutex);
    REQUIRE(joined_count < THREADS_MAX);
    joined[joined_count++] = pthread_self();
    pthread_mutex_unlock(&mutex);
}

void preempt_leave(void)
{
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < joined_count; i++) {
        if (pthread_equal(joined[i], pthread_self()))
            joined[i--] = joined[--joined_count];
    }
    pthread_mutex_unlock(&mutex);
}

void preempt_forget(void)
{
    pthread_mutex_init(&mutex, NULL);
    joined_count = 0;
    atomic_store(&running, false);
}

long preempt_pauses(void)
{
    return atomic_load(&pauses);
}
