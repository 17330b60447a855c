/* SPDX-License-Identifier: MIT */
#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static atomic_size_t made_total;
static _Thread_local size_t made_here; /* added up when a member ends: no shared counter on the way */

struct member {
    pthread_t thread;
    unsigned number;
    void (*task)(unsigned member, void *arg);
    void *arg;
};

static void *member_main(void *arg)
{
    struct member *member = arg;
    member->task(member->number, member->arg);
    atomic_fetch_add(&made_total, made_here);
    made_here = 0;
    return NULL; /* a thread's exit detaches it from ouro */
}

unsigned team_run(unsigned count, void (*task)(unsigned member, void *arg), void *arg)
{
    struct member *members = calloc(count, sizeof *members);
    unsigned started = 1;
    for (; members && started < count; started++) {
        members[started] = (struct member){.number = started, .task = task, .arg = arg};
        if (pthread_create(&members[started].thread, NULL, member_main, &members[started]) != 0)
            break;
    }
    member_main(&(struct member){.task = task, .arg = arg});

    /* While this thread waits, others may carry out what they would otherwise hand to it. */
    ouro_blocking_begin();
    for (unsigned i = 1; i < started; i++)
        pthread_join(members[i].thread, NULL);
    ouro_blocking_end();
    free(members);
    return started;
}

unsigned team_size(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return cpus < 2 ? 2 : cpus > 256 ? 256 : (unsigned)cpus;
}

void *make(ouro_type *type)
{
    void *object = ouro_new(type);
    made_here += object != NULL;
    return object;
}

void *make_array(ouro_type *type, size_t length)
{
    void *object = ouro_new_array(type, length);
    made_here += object != NULL;
    return object;
}

size_t made_so_far(void)
{
    return atomic_load(&made_total) + made_here;
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct rng rng_seed(unsigned member)
{
    return (struct rng){0x6f75726fu + member * UINT64_C(0x9e3779b97f4a7c15)};
}

size_t rng_below(struct rng *rng, size_t bound)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ z >> 31) % bound);
}
