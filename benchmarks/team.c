/* SPDX-License-Identifier: MIT
 *
 * Threads that are started once and wait between rounds, so that no round pays for making threads, and what a thread
 * made in one round it still owns in the next. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <ouro/thread.h>

#include "bench.h"

typedef struct member {
    bench_team *team;
    unsigned index;
    pthread_t thread;
    double begin, end;
} member;

struct bench_team {
    unsigned threads;
    pthread_mutex_t lock; /* of all down to arrived */
    pthread_cond_t go, done;
    uint64_t round;
    unsigned busy;
    bool stop;
    bench_work *work;
    void *arg;
    uint64_t n;
    _Atomic unsigned arrived; /* at the start line of this round */
    member members[BENCH_TEAM_MAX];
};

void bench_relax(unsigned *spins)
{
    if (++*spins % 128 == 0)
        sched_yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#endif
}

/* Returns the round that is to be run, or 0 when the team is dissolved. */
static uint64_t wait_for_round(bench_team *team, uint64_t last)
{
    ouro_blocking_begin();
    pthread_mutex_lock(&team->lock);
    while (team->round == last && !team->stop)
        pthread_cond_wait(&team->go, &team->lock);
    uint64_t round = team->stop ? 0 : team->round;
    pthread_mutex_unlock(&team->lock);
    ouro_blocking_end();
    return round;
}

static void *member_main(void *arg)
{
    member *me = arg;
    bench_team *team = me->team;
    uint64_t round = 0;
    while ((round = wait_for_round(team, round)) != 0) {
        unsigned spins = 0;
        atomic_fetch_add(&team->arrived, 1);
        while (atomic_load(&team->arrived) != team->threads)
            bench_relax(&spins);
        me->begin = bench_clock();
        team->work(team->arg, me->index, team->n);
        me->end = bench_clock();
        pthread_mutex_lock(&team->lock);
        if (--team->busy == 0)
            pthread_cond_signal(&team->done);
        pthread_mutex_unlock(&team->lock);
    }
    return NULL;
}

bench_team *bench_team_start(unsigned threads)
{
    bench_team *team = calloc(1, sizeof *team);
    if (!team || threads > BENCH_TEAM_MAX)
        abort();
    team->threads = threads;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->go, NULL);
    pthread_cond_init(&team->done, NULL);
    for (unsigned i = 0; i < threads; i++) {
        team->members[i] = (member){.team = team, .index = i};
        if (pthread_create(&team->members[i].thread, NULL, member_main, &team->members[i]) != 0) {
            fprintf(stderr, "bench: no more threads\n");
            exit(1);
        }
    }
    return team;
}

double bench_team_run(bench_team *team, bench_work *work, void *arg, uint64_t n)
{
    pthread_mutex_lock(&team->lock);
    team->work = work;
    team->arg = arg;
    team->n = n;
    team->busy = team->threads;
    atomic_store(&team->arrived, 0);
    team->round++;
    pthread_cond_broadcast(&team->go);
    while (team->busy != 0)
        pthread_cond_wait(&team->done, &team->lock);
    pthread_mutex_unlock(&team->lock);

    double begin = team->members[0].begin, end = team->members[0].end, busiest = 0;
    for (unsigned i = 0; i < team->threads; i++) {
        double took = team->members[i].end - team->members[i].begin;
        busiest = took > busiest ? took : busiest;
        if (team->members[i].begin < begin)
            begin = team->members[i].begin;
        if (team->members[i].end > end)
            end = team->members[i].end;
    }
    return bench_cpu_time ? busiest : end - begin;
}

void bench_team_stop(bench_team *team)
{
    pthread_mutex_lock(&team->lock);
    team->stop = true;
    pthread_cond_broadcast(&team->go);
    pthread_mutex_unlock(&team->lock);
    for (unsigned i = 0; i < team->threads; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->done);
    pthread_cond_destroy(&team->go);
    pthread_mutex_destroy(&team->lock);
    free(team);
}
