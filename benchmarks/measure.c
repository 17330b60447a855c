/* SPDX-License-Identifier: MIT
 *
 * Calibration and interleaved repetitions, and waiting for the heap to come to rest. */
#include <stdio.h>
#include <time.h>

#include <ouro/memory.h>
#include <ouro/thread.h>

#include "bench.h"

bool bench_quick;
bool bench_cpu_time;

double bench_clock(void)
{
    struct timespec t;
    clock_gettime(bench_cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The least of three: an interruption must not pass for work. */
static double try_run(const bench_series *s, uint64_t n)
{
    double least = s->run(s->state, n);
    for (int i = 0; i < 2; i++) {
        double took = s->run(s->state, n);
        least = took < least ? took : least;
    }
    return least;
}

/* Finds how many operations take about the given time, warming caches and pools on the way. */
static void calibrate(bench_series *s, double seconds)
{
    uint64_t n = 1;
    double took = try_run(s, n);
    while (took < seconds / 4 && n < (UINT64_C(1) << 40)) {
        n *= took < seconds / 64 ? 8 : 2;
        took = try_run(s, n);
    }
    double scaled = (double)n * seconds / (took > 1e-9 ? took : 1e-9);
    s->n = scaled < 1 ? 1 : (uint64_t)scaled;
}

void bench_measure(const char *title, bench_series *series, size_t count, unsigned slices)
{
    size_t repetitions = bench_quick ? BENCH_REPETITIONS_QUICK : BENCH_REPETITIONS;
    double seconds = bench_quick ? 0.012 : 0.15;
    if (bench_quick && slices > 4)
        slices = 4;
    for (size_t i = 0; i < count; i++) {
        bench_progress("%s: trying %s", title, series[i].name);
        if (series[i].n == 0)
            calibrate(&series[i], seconds / slices);
        else
            series[i].run(series[i].state, series[i].n);
        series[i].repetitions = repetitions;
    }
    for (size_t r = 0; r < repetitions; r++) {
        double took[count];
        bench_progress("%s: repetition %zu of %zu", title, r + 1, repetitions);
        for (size_t i = 0; i < count; i++)
            took[i] = 0;
        for (unsigned turn = 0; turn < slices; turn++)
            for (size_t i = 0; i < count; i++)
                took[i] += series[i].run(series[i].state, series[i].n);
        for (size_t i = 0; i < count; i++) {
            double unit = series[i].unit > 0 ? series[i].unit : 1;
            series[i].ns[r] = took[i] * 1e9 / ((double)series[i].n * slices * unit);
        }
    }
}

size_t bench_live(void)
{
    ouro_mem_stats stats = {.size = sizeof stats};
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats.live_objects;
}

void bench_settle(size_t live, const char *after)
{
    double end = bench_now() + 5;
    size_t now;
    while ((now = bench_live()) != live && bench_now() < end) {
        struct timespec nap = {.tv_nsec = 1000000};
        ouro_safepoint();
        nanosleep(&nap, NULL);
    }
    bench_check(now == live, "%s: %zu objects are alive, %zu were before", after, now, live);
}
