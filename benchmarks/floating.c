/* SPDX-License-Identifier: MIT
 *
 * Floating garbage: a thread makes shared rings and drops them, at a fixed rate or as fast as it can, beside a live
 * graph. How much memory is dead and cannot be used again, at the most? That is what the allocator counts as alive or
 * waiting for readers, less what the program knows to be alive; sampled each millisecond, after a second of running
 * in. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <ouro/gc.h>
#include <ouro/memory.h>
#include <ouro/thread.h>

#include "bench.h"
#include "graph.h"
#include "histogram.h"
#include "process.h"

enum { RING = 4, RING_BYTES = RING * sizeof(node), ROUNDS = 3, RATES = 3, LIVE_SETS = 2 };

static const int rates_mb[RATES] = {20, 40, 0}; /* per second; 0: flat out */
static const int live_mb[LIVE_SETS] = {50, 2};
static const int live_mb_quick = 10;

#define LIMIT_SHARE 0.2
#define LIMIT_BYTES (8.0 * 1024 * 1024)

/* ---- the producer ---- */

typedef struct producer {
    double bytes_per_s; /* 0: flat out */
    _Atomic bool stop;
    _Atomic uint64_t rings;
} producer;

static void nap_until(double when)
{
    struct timespec t = {.tv_sec = (time_t)when};
    t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
    ouro_blocking_begin();
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        continue;
    ouro_blocking_end();
}

static void make_rings(producer *p, uint64_t count)
{
    for (uint64_t i = count; i; i--) {
        node *ring = ring_make(RING);
        ouro_share(ring);
        ouro_release(ring);
    }
    atomic_fetch_add_explicit(&p->rings, count, memory_order_relaxed);
}

/* With a rate: as many each millisecond as the clock asks for. */
static void *producer_main(void *arg)
{
    producer *p = arg;
    double begin = bench_now(), next = begin;
    while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
        if (p->bytes_per_s == 0) {
            make_rings(p, 64);
            continue;
        }
        uint64_t wanted = (uint64_t)((bench_now() - begin) * p->bytes_per_s / RING_BYTES);
        uint64_t made = atomic_load_explicit(&p->rings, memory_order_relaxed);
        if (wanted > made)
            make_rings(p, wanted - made);
        nap_until(next += 1e-3);
    }
    return NULL;
}

/* ---- the samples ---- */

typedef struct moment {
    double unusable;  /* alive or waiting for readers */
    double committed; /* pages */
} moment;

static moment look(void)
{
    ouro_mem_stats stats = {.size = sizeof stats};
    ouro_mem_get_stats(&stats, sizeof stats);
    return (moment){(double)stats.live_bytes + (double)stats.limbo_bytes, (double)stats.committed_bytes};
}

static uint64_t collections(void)
{
    ouro_gc_stats stats = {.size = sizeof stats};
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[1].collections + stats.generation[2].collections;
}

/* What a process answers: bytes, and per second; then, for each part of the time, the most that was dead and the most
 * that was committed. */
enum { PARTS = 120 };
enum { LIVE, DEAD_MOST, DEAD_MEDIAN, COMMITTED_MOST, MADE, COLLECTIONS, PARTS_BEGIN, NUMBERS = PARTS_BEGIN + 2 * PARTS };

static double most(double a, double b)
{
    return a > b ? a : b;
}

/* argument: "<MB alive> <MB per second> <milliseconds of running in> <milliseconds>". */
int bench_floating_child(const char *argument)
{
    static histogram dead;
    static moment parts[PARTS];
    int mb, rate, run_in_ms, ms;
    if (sscanf(argument, "%d %d %d %d", &mb, &rate, &run_in_ms, &ms) != 4)
        return 2;
    size_t objects = (size_t)mb * 1000000 / sizeof(vertex), live = bench_live();
    vertex *graph = graph_drop_others(graph_make(objects), objects);
    ouro_gc_collect(2);
    bench_settle(live + objects, "graph made");
    moment known = look();
    producer p = {.bytes_per_s = rate * 1e6};
    pthread_t thread;
    if (pthread_create(&thread, NULL, producer_main, &p) != 0)
        return 2;
    double next = bench_now() + run_in_ms * 1e-3;
    nap_until(next);

    double begin = bench_now(), end = begin + ms * 1e-3, committed = 0;
    uint64_t rings = atomic_load(&p.rings), before = collections();
    while (bench_now() < end) {
        moment now = look();
        double dead_now = most(now.unusable - known.unusable, 0);
        histogram_add(&dead, (uint64_t)dead_now);
        committed = most(now.committed, committed);
        unsigned part = (unsigned)((bench_now() - begin) * 1e3 / ms * PARTS);
        moment *in = &parts[part < PARTS ? part : PARTS - 1];
        *in = (moment){most(dead_now, in->unusable), most(now.committed, in->committed)};
        nap_until(next += 1e-3);
    }
    double seconds = bench_now() - begin;
    rings = atomic_load(&p.rings) - rings;
    uint64_t done = collections() - before;
    atomic_store(&p.stop, true);
    pthread_join(thread, NULL);
    ouro_gc_collect(2);
    bench_settle(live + objects, "rings dropped");
    bench_check(rings > 0 && dead.samples > 10, "%llu rings, %llu samples", (unsigned long long)rings,
                (unsigned long long)dead.samples);
    BENCH_TOUCH(graph);
    printf("%.0f %.0f %.0f %.0f %.0f %.3f\n", known.unusable, (double)dead.max, histogram_percentile(&dead, 0.5),
           committed, (double)(rings * RING_BYTES) / seconds, (double)done / seconds);
    for (unsigned i = 0; i < PARTS; i++)
        printf("%.0f %.0f\n", parts[i].unusable, parts[i].committed);
    return 0;
}

/* Over time, of the process in which most was dead: processes are not in step, and a median of them would be smooth.
 * A part without a sample (the machine was busy) has no point; something is always committed. */
static void curves(double runs[][NUMBERS], unsigned rounds, const char *plot, int ms)
{
    const double *run = runs[0];
    bench_point dead[PARTS], committed[PARTS];
    size_t count = 0;
    for (unsigned r = 1; r < rounds; r++)
        run = runs[r][DEAD_MOST] > run[DEAD_MOST] ? runs[r] : run;
    for (unsigned i = 0; i < PARTS; i++) {
        double x = (i + 0.5) / PARTS * ms * 1e-3;
        double values[] = {run[PARTS_BEGIN + 2 * i] * 1e-6, run[PARTS_BEGIN + 2 * i + 1] * 1e-6};
        if (values[1] == 0)
            continue;
        dead[count] = bench_point_of(x, &values[0], 1);
        committed[count++] = bench_point_of(x, &values[1], 1);
    }
    bench_curve(BENCH_OVER_TIME, plot, "dead and not usable", "MB", dead, count);
    bench_curve(BENCH_OVER_TIME, plot, "committed", "MB", committed, count);
}

static void rows(double runs[][NUMBERS], unsigned rounds, int mb, int rate, int ms)
{
    static const struct {
        unsigned number;
        double scale;
        const char *unit, *what;
    } table[] = {
        {DEAD_MOST, 1e-6, "MB", "most that is dead and not usable"},
        {DEAD_MEDIAN, 1e-6, "MB", "median of the same"},
        {COMMITTED_MOST, 1e-6, "MB", "most committed"},
        {MADE, 1e-6, "MB/s", "garbage made"},
        {COLLECTIONS, 1, "1/s", "collections"},
    };
    double limit = runs[0][LIVE] * LIMIT_SHARE > LIMIT_BYTES ? runs[0][LIVE] * LIMIT_SHARE : LIMIT_BYTES;
    char text[112], pace[32] = "flat out";
    if (rate)
        snprintf(pace, sizeof pace, "%d MB/s", rate);
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        double samples[ROUNDS];
        for (unsigned r = 0; r < rounds; r++)
            samples[r] = runs[r][table[i].number] * table[i].scale;
        snprintf(text, sizeof text, "%d MB alive, %s: %s", mb, pace, table[i].what);
        bench_bar bar = BENCH_INFORMATION;
        if (rate && table[i].number == DEAD_MOST)
            bar = BENCH_BAR_AT_MOST(limit * 1e-6);
        if (rate && table[i].number == MADE)
            bar = BENCH_BAR_AT_LEAST(0.95 * rate); /* a producer that is kept from its work shows nothing */
        bench_samples(text, samples, rounds, table[i].unit, bar);
    }
    snprintf(text, sizeof text, "%d MB alive, %s", mb, pace);
    curves(runs, rounds, text, ms);
}

static void measure(int mb, int rate)
{
    unsigned rounds = bench_quick ? 1 : ROUNDS;
    double runs[ROUNDS][NUMBERS];
    char argument[48];
    int ms = bench_quick ? 200 : 3000;
    snprintf(argument, sizeof argument, "%d %d %d %d", mb, rate, bench_quick ? 100 : 1000, ms);
    for (unsigned r = 0; r < rounds; r++) {
        bench_progress("%d MB alive, %d MB/s: %u of %u", mb, rate, r + 1, rounds);
        if (!process_run("floating", argument, runs[r], NUMBERS))
            return;
    }
    rows(runs, rounds, mb, rate, ms);
}

void bench_floating(void)
{
    for (unsigned i = 0; i < (bench_quick ? 1 : LIVE_SETS); i++) {
        for (unsigned k = 0; k < RATES; k++)
            measure(bench_quick ? live_mb_quick : live_mb[i], rates_mb[k]);
    }
}
