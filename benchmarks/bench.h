/* SPDX-License-Identifier: MIT
 *
 * What a benchmark needs: timing in interleaved repetitions, a team of threads, checks, and rows for the table.
 *
 * A benchmark describes what it compares as an array of series (floors and peers first), measures them together, and
 * reports numbers and ratios. Series that are measured together take turns every few milliseconds, so that what
 * else the machine does meets all of them; a ratio is the median of the ratios of each repetition. */
#ifndef OURO_BENCH_H
#define OURO_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The compiler knows nothing about the value of p from here on. Costs no instruction. */
#define BENCH_OPAQUE(p) __asm__ volatile("" : "+r"(p))
/* What p points at has been read and written by someone. Costs no instruction. */
#define BENCH_TOUCH(p) __asm__ volatile("" : : "r"(p) : "memory")

enum { BENCH_REPETITIONS = 9, BENCH_REPETITIONS_QUICK = 7, BENCH_REPETITIONS_MAX = 16 };

/* Carries out n operations and returns the seconds they took: only it knows what is preparation. */
typedef double bench_run(void *state, uint64_t n);

typedef struct bench_series {
    const char *name;
    bench_run *run;
    void *state;
    uint64_t n;                       /* handed to run; 0: found by calibration */
    double unit;                      /* operations in one of those n; 0 reads as 1 */
    size_t repetitions;               /* made by bench_measure, as is the next */
    double ns[BENCH_REPETITIONS_MAX]; /* per operation */
} bench_series;

typedef enum bench_sense { BENCH_NO_BAR, BENCH_AT_MOST, BENCH_AT_LEAST } bench_sense;

typedef struct bench_bar {
    bench_sense sense;
    double value;
} bench_bar;

#define BENCH_INFORMATION ((bench_bar){BENCH_NO_BAR, 0})
#define BENCH_BAR_AT_MOST(x) ((bench_bar){BENCH_AT_MOST, (x)})
#define BENCH_BAR_AT_LEAST(x) ((bench_bar){BENCH_AT_LEAST, (x)})

/* True for a run that shows that everything works, in seconds; its numbers are rough. */
extern bool bench_quick;
extern bool bench_cpu_time; /* see bench_clock */

/* Measures the series together. slices: how many turns each gets in a repetition; few when turns are expensive
 * (cold caches), many when operations are small. title: for the progress lines. */
void bench_measure(const char *title, bench_series *series, size_t count, unsigned slices);

/* Rows. A value is a series' time per operation in ns * scale; a ratio is a / b. */
void bench_value(const char *what, const bench_series *series, double scale, const char *unit);
void bench_values(const bench_series *series, size_t count);
void bench_ratio(const char *what, const bench_series *a, const bench_series *b, bench_bar bar);
void bench_number(const char *what, double value, const char *unit, bench_bar bar);
void bench_samples(const char *what, const double *samples, size_t count, const char *unit, bench_bar bar);

/* Curves, for the JSON file alone: those of one plot share their axes. Beside the median of each point, the least and the
 * greatest. x is the share of samples (0 to 1) that do not exceed the value, or seconds. */
typedef enum bench_axis { BENCH_PERCENTILES, BENCH_OVER_TIME } bench_axis;

typedef struct bench_point {
    double x, median, min, max;
} bench_point;

void bench_curve(bench_axis axis, const char *plot, const char *name, const char *unit, const bench_point *points, size_t count);
/* The same number out of several repetitions: sorts them. */
bench_point bench_point_of(double x, double *samples, size_t count);

/* Notes that a result is wrong when ok is false; the program then exits with 1. */
void bench_check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits (some seconds at most) until the heap holds as many live objects as before; else that is a wrong result. */
size_t bench_live(void);
void bench_settle(size_t live, const char *after);

void bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sorts samples and returns the one that p (0 to 1) of them do not exceed. */
double bench_percentile(double *samples, size_t count, double p);

static inline double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* xorshift64*: the upper half is good enough to pick keys with. */
static inline uint32_t bench_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* A number below limit. */
static inline uint32_t bench_random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(((uint64_t)bench_random(state) * limit) >> 32);
}

/* Threads that stay and do one thing after another together. Between rounds they wait in a blocking region. */
typedef struct bench_team bench_team;
typedef void bench_work(void *arg, unsigned index, uint64_t n);

enum { BENCH_TEAM_MAX = 8 };

bench_team *bench_team_start(unsigned threads);
/* Runs work on every thread, all starting together; returns the seconds from the first start to the last end (with
 * --cpu-time: those of the busiest thread). */
double bench_team_run(bench_team *team, bench_work *work, void *arg, uint64_t n);
void bench_team_stop(bench_team *team);

/* Seconds, to be subtracted from each other on one thread: of the clock, or with --cpu-time of this thread's own time
 * on a processor, which does not pass while others have it. */
double bench_clock(void);

/* For spinning on another thread: polite to it when there are fewer processors than threads. */
void bench_relax(unsigned *spins);

/* One benchmark of the registry in main.c. */
typedef struct bench_entry {
    const char *name;
    const char *text;
    void (*run)(void);
    int (*child)(const char *argument); /* what a process does that the benchmark has started with process_run, or NULL:
                                         * prints numbers, and returns 0 if all went well */
} bench_entry;

void bench_count(void);
void bench_alloc(void);
void bench_trees(void);
void bench_borrow(void);
void bench_rss(void);
void bench_prompt(void);
void bench_handover(void);
void bench_list(void);
void bench_publish(void);
void bench_slots(void);
void bench_weak(void);
void bench_hot(void);
void bench_young(void);
void bench_rings(void);
void bench_collect(void);
void bench_candidates(void);
void bench_growth(void);
void bench_pause(void);
void bench_acyclic(void);
void bench_floating(void);
void bench_burst(void);
void bench_idle(void);

int bench_rss_child(const char *argument);
int bench_rings_child(const char *argument);
int bench_pause_child(const char *argument);
int bench_acyclic_child(const char *argument);
int bench_floating_child(const char *argument);
int bench_burst_child(const char *argument);
int bench_idle_child(const char *argument);

#endif
