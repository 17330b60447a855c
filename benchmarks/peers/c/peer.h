/* SPDX-License-Identifier: MIT
 *
 * What the workloads of the C peers have in common: arguments, threads that work until the time is up, and results. The
 * heap they work on is one of heap_*.h, chosen when the program is compiled: with -include, ahead of this. */
#ifndef OURO_PEER_H
#define OURO_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "../../histogram.h"

enum { PEER_THREADS_MAX = 8, PEER_SEED = 88172645 };

typedef struct peer_arguments {
    const char *workload;
    uint64_t size;
    unsigned threads;
    double seconds;
} peer_arguments;

extern peer_arguments peer;

/* One round of a thread's work; returns the operations done. */
typedef uint64_t peer_round(void *state, unsigned index);

typedef struct peer_time {
    double seconds, cpu; /* of the clock; of all threads together */
    uint64_t operations;
} peer_time;

/* Repeats rounds on as many threads as asked for (the calling one is the first), at least one each, until the time is up.
 * Objects that only the thread's end collects are gone when it returns. */
peer_time peer_repeat(peer_round *round, void *state);

/* For work of which only a part is timed: true as long as that part is shorter than asked for, and all of it not several times
 * as long. At least one round. */
bool peer_goes_on(const peer_time *time);

/* Waits for the other threads of a round. */
void peer_meet(pthread_barrier_t *barrier);

/* ---- results ---- */

void peer_check(bool ok, const char *what);
/* The heap holds as much as before; heaps that cannot tell pass. */
void peer_check_live(uint64_t before);
void peer_report(const char *metric, double value, const char *unit, uint64_t operations);
/* Also the processor time of all threads, those of a collector included, unless it is 0. */
void peer_report_time(peer_time time, const char *unit);
/* Percentiles of nanoseconds, and the curve of them. */
void peer_report_percentiles(const histogram *h, const char *name);
void peer_skip(const char *reason);
double peer_resident(const char *key); /* "VmRSS" or "VmHWM", bytes */

/* ---- small things ---- */

static inline uint64_t peer_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline double peer_now(void)
{
    return (double)peer_now_ns() * 1e-9;
}

/* Around what is timed; adds up. */
void peer_begin(peer_time *time);
void peer_end(peer_time *time);

/* xorshift64*, the same in every language. */
static inline uint64_t peer_random_below(uint64_t *state, uint64_t limit)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return ((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * limit >> 32;
}

/* Durstenfeld's shuffle: places[i] is one of 0 .. count - 1. To be freed. */
uint64_t *peer_shuffled(uint64_t count, uint64_t *random);

/* ---- workloads ---- */

void work_trees(void);
void work_gcbench(void);
void work_retain_own(void);
void work_retain_shared(void);
void work_lifo(void);
void work_fifo(void);
void work_handover(void);
void work_storm(void);
void work_larson(void);
void work_server(void);
void work_rings(void);
void work_deep(void);
void work_collect_live(void);
void work_collect_garbage(void);
void work_pause(void);
void work_lookup(void);
void work_lookup_writer(void);
void work_memory(void);

/* A tree of that depth, its nodes counted, and how many it ought to have. */
node *tree_make(unsigned depth);
uint64_t tree_count(const node *n);
uint64_t tree_nodes(unsigned depth);

/* A ring along left, keys 0 .. size - 1, held by its first node. */
node *ring_make(uint64_t size);
/* Of a ring: the sum of the keys if there are size nodes, else UINT64_MAX. */
uint64_t ring_sum(const node *first, uint64_t size);

#endif
