/* SPDX-License-Identifier: MIT
 *
 * How long a thread is held up by collections that run beside it. One thread makes a ring of four and drops it, over
 * and over, and takes the time of each round; these times are all of its time, so no gap escapes. Another, in turns:
 * sleeps; computes, in registers (what a second busy thread does to the first on this machine); runs full collections
 * back to back, over a live graph. Each size of the graph has processes of its own, and the sizes take turns as well.
 *
 * Rings are private, and the other collections never see them; or one in so many is shared, and then they find it.
 *
 * Long rounds are looked into: whether the kernel has taken the processor away in it (an involuntary switch), whether
 * the thread has gone to sleep by itself (a voluntary one), and whether there was a page fault. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ouro/gc.h>
#include <ouro/thread.h>

#include "bench.h"
#include "graph.h"
#include "histogram.h"
#include "process.h"
#include "processors.h"

enum {
    RING = 4,
    SHARED_EVERY = 64,    /* rounds: some 40 MB of shared garbage in a second */
    SIZES = 4,
    ROUNDS = 3,           /* processes per size */
    TURNS = 4,            /* of each phase in a process */
    TURN_MS = 250,        /* the least that a turn lasts; a collection is not cut short */
    GAP_NS = 1000000,     /* longer rounds are lost time */
    SHORT_ROUND_NS = 1000, /* these make up the mean */
    LONG_ROUND_NS = 10000  /* looked into */
};

#define P9999_LIMIT_US 100
#define LOST_LIMIT 1.0  /* percentage points */
#define GROWTH_LIMIT 10 /* per cent */

static const size_t sizes[SIZES] = {100000, 1000000, 5000000, 10000000};
static const char *const size_names[SIZES] = {"10^5", "10^6", "5*10^6", "10^7"};

typedef enum phase { ASLEEP, COMPUTING, COLLECTING, PHASES, STOP = PHASES } phase;

/* ---- the thread that is measured ---- */

typedef enum cause { ANY, PREEMPTED, SLEPT, FAULTED, CAUSES } cause;

typedef struct record {
    histogram rounds[CAUSES]; /* all, and the long ones by what was seen in them */
    uint64_t lost_ns;         /* in gaps */
    uint64_t lost_running_ns; /* in those in which the kernel did not take the processor away */
    uint64_t short_rounds, short_ns;
} record;

static record records[PHASES];
static _Atomic phase now_in;
static bool shared_rings; /* now and then */

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void look_into(record *r, uint64_t took, struct rusage *before)
{
    struct rusage now;
    getrusage(RUSAGE_THREAD, &now);
    if (now.ru_nivcsw != before->ru_nivcsw)
        histogram_add(&r->rounds[PREEMPTED], took);
    if (now.ru_nvcsw != before->ru_nvcsw)
        histogram_add(&r->rounds[SLEPT], took);
    if (now.ru_minflt != before->ru_minflt)
        histogram_add(&r->rounds[FAULTED], took);
    if (took > GAP_NS)
        r->lost_ns += took;
    if (took > GAP_NS && now.ru_nivcsw == before->ru_nivcsw)
        r->lost_running_ns += took;
    *before = now;
}

static void make_and_drop(uint64_t round)
{
    node *ring = ring_make(RING);
    if (shared_rings && round % SHARED_EVERY == 0)
        ouro_share(ring);
    ouro_release(ring);
}

static void *prober_main(void *unused)
{
    struct rusage usage;
    phase in;
    (void)unused;
    getrusage(RUSAGE_THREAD, &usage);
    uint64_t begin = now_ns(), round = 0;
    while ((in = atomic_load_explicit(&now_in, memory_order_relaxed)) != STOP) {
        make_and_drop(round++);
        uint64_t end = now_ns(), took = end - begin;
        record *r = &records[in];
        histogram_add(&r->rounds[ANY], took);
        if (took < SHORT_ROUND_NS) {
            r->short_rounds++;
            r->short_ns += took;
        } else if (took >= LONG_ROUND_NS) {
            look_into(r, took, &usage);
            end = now_ns(); /* looking is not what is measured */
        }
        begin = end;
    }
    return NULL;
}

/* ---- the thread beside it ---- */

typedef struct collections {
    uint64_t count;
    double cpu_s;
} collections;

static void sleep_ms(long ms)
{
    struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    ouro_blocking_begin();
    nanosleep(&nap, NULL);
    ouro_blocking_end();
}

static void compute_until(double end)
{
    ouro_blocking_begin();
    while (bench_now() < end) {
        uint64_t x = processors_wait(10000);
        BENCH_OPAQUE(x);
    }
    ouro_blocking_end();
}

/* A store that changes nothing, at an object from which all of the graph can be reached: without it, a collection would look at
 * what has changed, which is nothing. */
static void make_suspicious(vertex *graph)
{
    vertex *next = ouro_get(graph, &graph->next);
    ouro_give(graph, &graph->next, next);
}

static void collect_until(double end, vertex *graph, collections *done)
{
    double cpu = process_thread_cpu();
    do {
        make_suspicious(graph);
        long found = ouro_gc_collect(2);
        bench_check(found == 0 || (shared_rings && found > 0), "a collection returned %ld", found);
        done->count++;
    } while (bench_now() < end);
    done->cpu_s += process_thread_cpu() - cpu;
}

static void take_turns(vertex *graph, collections *done, long turn_ms)
{
    for (unsigned turn = 0; turn < TURNS; turn++) {
        atomic_store(&now_in, ASLEEP);
        sleep_ms(turn_ms);
        atomic_store(&now_in, COMPUTING);
        compute_until(bench_now() + (double)turn_ms * 1e-3);
        atomic_store(&now_in, COLLECTING);
        collect_until(bench_now() + (double)turn_ms * 1e-3, graph, done);
    }
}

/* ---- one process ---- */

/* What a curve of the histogram is drawn from; the slowest round is added to it. */
static const double shares[] = {0.01,    0.05,  0.1,    0.25,   0.5,     0.75,    0.9,      0.95,     0.99,    0.995,
                                0.998,   0.999, 0.9995, 0.9998, 0.9999,  0.99995, 0.99998,  0.99999,  0.999995, 0.999998,
                                0.999999};
enum { SHARES = sizeof shares / sizeof shares[0], BEYOND = 10 /* samples, or a percentile is left out */ };

typedef struct figures {
    double samples, p50, p99, p9999, max; /* ns */
    double mean;                          /* of the short rounds: finer than the clock, where that has coarse steps */
    double p9999_undisturbed;             /* of the rounds that were not preempted */
    double lost, lost_running;            /* per cent of the time */
    double causes[CAUSES];                /* of the slowest ten-thousandth, per cent */
    double curve[SHARES];
} figures;

typedef struct outcome {
    figures phases[PHASES];
    double collections, cpu_ns; /* and the time that one takes per object */
    double graph_bytes, peak;   /* resident */
    double others;              /* per cent of all processors that other programs had */
} outcome;

enum { NUMBERS = sizeof(outcome) / sizeof(double) };

/* The rounds that were not preempted. */
static double undisturbed(const record *r, double p)
{
    static histogram rest;
    rest = r->rounds[ANY];
    rest.samples -= r->rounds[PREEMPTED].samples;
    for (unsigned i = 0; i < HISTOGRAM_RANGES; i++)
        rest.counts[i] -= r->rounds[PREEMPTED].counts[i];
    return histogram_percentile(&rest, p);
}

static figures figures_of(const record *r)
{
    const histogram *all = &r->rounds[ANY];
    figures f = {
        .samples = (double)all->samples,
        .p50 = histogram_percentile(all, 0.5),
        .p99 = histogram_percentile(all, 0.99),
        .p9999 = histogram_percentile(all, 0.9999),
        .max = (double)all->max,
        .mean = r->short_rounds ? (double)r->short_ns / (double)r->short_rounds : 0,
        .p9999_undisturbed = undisturbed(r, 0.9999),
        .lost = all->sum ? 100 * (double)r->lost_ns / (double)all->sum : 0,
        .lost_running = all->sum ? 100 * (double)r->lost_running_ns / (double)all->sum : 0,
    };
    double slow = (double)histogram_count_from(all, (uint64_t)f.p9999);
    for (cause c = ANY; c < CAUSES; c++)
        f.causes[c] = slow > 0 ? 100 * (double)histogram_count_from(&r->rounds[c], (uint64_t)f.p9999) / slow : 0;
    for (unsigned i = 0; i < SHARES; i++)
        f.curve[i] = histogram_percentile(all, shares[i]);
    return f;
}

static uint64_t collections_finished(void)
{
    ouro_gc_stats stats = {.size = sizeof stats};
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[2].collections;
}

/* argument: "<objects> <rings are shared, some>". */
int bench_pause_child(const char *argument)
{
    size_t objects;
    int is_shared;
    pthread_t prober;
    outcome out = {.collections = 0};
    collections done = {0};
    if (sscanf(argument, "%zu %d", &objects, &is_shared) != 2)
        return 2;
    shared_rings = is_shared;
    size_t live = bench_live();
    vertex *graph = graph_drop_others(graph_make(objects), objects);
    ouro_gc_collect(2);
    sleep_ms(bench_quick ? 20 : 300); /* until what was left over has gone back to the system */
    process_reset_peak();
    out.graph_bytes = process_resident();
    uint64_t before = collections_finished();
    double begin = bench_now(), others = process_others_cpu();
    if (pthread_create(&prober, NULL, prober_main, NULL) != 0)
        return 2;
    take_turns(graph, &done, bench_quick ? TURN_MS / 5 : TURN_MS);
    atomic_store(&now_in, STOP);
    pthread_join(prober, NULL);

    others = (process_others_cpu() - others) / (bench_now() - begin) / (double)sysconf(_SC_NPROCESSORS_ONLN);
    out.others = others > 0 ? 100 * others : 0;
    out.peak = process_peak_resident();
    uint64_t finished = collections_finished() - before;
    bench_check(done.count > 0 && finished >= done.count, "%llu collections finished, %llu were asked for",
                (unsigned long long)finished, (unsigned long long)done.count);
    ouro_gc_collect(2);
    bench_settle(live + objects, "rings dropped");
    BENCH_TOUCH(graph);
    out.collections = (double)done.count;
    out.cpu_ns = done.cpu_s * 1e9 / ((double)done.count * (double)objects);
    for (phase p = ASLEEP; p < PHASES; p++) {
        out.phases[p] = figures_of(&records[p]);
        bench_check(out.phases[p].samples > 1000, "only %.0f rounds in phase %d", out.phases[p].samples, (int)p);
    }
    double numbers[NUMBERS];
    memcpy(numbers, &out, sizeof out);
    for (unsigned i = 0; i < NUMBERS; i++)
        printf("%.17g\n", numbers[i]);
    return 0;
}

/* ---- all of them ---- */

static const char *kind_name(void)
{
    return shared_rings ? "one in 64 shared" : "private";
}

/* A number out of each process of a size: a row. */
static void row(const outcome *runs, size_t offset, double scale, const char *unit, bench_bar bar, const char *size,
                const char *what)
{
    double samples[ROUNDS];
    char text[112];
    unsigned rounds = bench_quick ? 1 : ROUNDS;
    for (unsigned i = 0; i < rounds; i++)
        samples[i] = scale * *(const double *)((const char *)&runs[i] + offset);
    snprintf(text, sizeof text, "%s, %s: %s", kind_name(), size, what);
    bench_samples(text, samples, rounds, unit, bar);
}

#define ROW(member, scale, unit, bar, what) row(runs, offsetof(outcome, member), scale, unit, bar, size, what)
#define INFO BENCH_INFORMATION

static void rows_of_size(const outcome *runs, unsigned index)
{
    const char *size = size_names[index];
    bool barred = !shared_rings && (sizes[index] == 1000000 || sizes[index] == 5000000);
    bench_bar limit = barred ? BENCH_BAR_AT_MOST(P9999_LIMIT_US) : INFO;
    ROW(phases[ASLEEP].p50, 1, "ns", INFO, "p50, nothing beside it");
    ROW(phases[COMPUTING].p50, 1, "ns", INFO, "p50, beside arithmetic");
    ROW(phases[COLLECTING].p50, 1, "ns", INFO, "p50, beside collections");
    ROW(phases[ASLEEP].mean, 1, "ns", INFO, "mean of rounds < 1 us, nothing beside it");
    ROW(phases[COMPUTING].mean, 1, "ns", INFO, "mean of rounds < 1 us, beside arithmetic");
    ROW(phases[COLLECTING].mean, 1, "ns", INFO, "mean of rounds < 1 us, beside collections");
    ROW(phases[COLLECTING].p99, 1, "ns", INFO, "p99, beside collections");
    ROW(phases[ASLEEP].p9999, 1e-3, "us", INFO, "p99.99, nothing beside it");
    ROW(phases[COMPUTING].p9999, 1e-3, "us", INFO, "p99.99, beside arithmetic");
    ROW(phases[COLLECTING].p9999, 1e-3, "us", limit, "p99.99, beside collections");
    ROW(phases[COLLECTING].p9999_undisturbed, 1e-3, "us", INFO, "the same of rounds that were not preempted");
    ROW(phases[COLLECTING].causes[PREEMPTED], 1, "%", INFO, "of rounds beyond that p99.99, preempted");
    ROW(phases[COLLECTING].causes[SLEPT], 1, "%", INFO, "of rounds beyond that p99.99, asleep by themselves");
    ROW(phases[COLLECTING].causes[FAULTED], 1, "%", INFO, "of rounds beyond that p99.99, with a page fault");
    ROW(phases[ASLEEP].max, 1e-6, "ms", INFO, "slowest, nothing beside it");
    ROW(phases[COLLECTING].max, 1e-6, "ms", INFO, "slowest, beside collections");
    ROW(phases[ASLEEP].lost, 1, "%", INFO, "time in gaps > 1 ms, nothing beside it");
    ROW(phases[COMPUTING].lost, 1, "%", INFO, "time in gaps > 1 ms, beside arithmetic");
    ROW(phases[COLLECTING].lost, 1, "%", INFO, "time in gaps > 1 ms, beside collections");
    ROW(phases[COLLECTING].lost_running, 1, "%", INFO, "of that, gaps in which the processor was not taken away");
    ROW(collections, 1, "", INFO, "collections finished");
    ROW(cpu_ns, 1, "ns", INFO, "collector's time per object and collection");
    ROW(others, 1, "%", INFO, "of the processors, other programs had");
    ROW(graph_bytes, 1e-6, "MB", INFO, "resident with the graph");
    ROW(peak, 1e-6, "MB", INFO, "peak resident");
}

/* One curve for each phase, as far as there are samples enough in every process. */
static void curves_of_size(const outcome *runs, unsigned index)
{
    static const char *const names[PHASES] = {[ASLEEP] = "nothing beside it", [COMPUTING] = "beside arithmetic",
                                              [COLLECTING] = "beside collections"};
    unsigned rounds = bench_quick ? 1 : ROUNDS;
    double samples[ROUNDS], fewest;
    char text[64];
    snprintf(text, sizeof text, "%s, %s", kind_name(), size_names[index]);
    for (phase p = ASLEEP; p < PHASES; p++) {
        bench_point points[SHARES + 1];
        size_t count = 0;
        fewest = runs[0].phases[p].samples;
        for (unsigned r = 1; r < rounds; r++)
            fewest = runs[r].phases[p].samples < fewest ? runs[r].phases[p].samples : fewest;
        for (unsigned i = 0; i < SHARES && (1 - shares[i]) * fewest >= BEYOND; i++) {
            for (unsigned r = 0; r < rounds; r++)
                samples[r] = runs[r].phases[p].curve[i];
            points[count++] = bench_point_of(shares[i], samples, rounds);
        }
        for (unsigned r = 0; r < rounds; r++)
            samples[r] = runs[r].phases[p].max;
        points[count++] = bench_point_of(1, samples, rounds);
        bench_curve(BENCH_PERCENTILES, text, names[p], "ns", points, count);
    }
}

static void rows_lost(outcome runs[][ROUNDS], unsigned count, unsigned rounds)
{
    double samples[BENCH_REPETITIONS_MAX], beside[BENCH_REPETITIONS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned r = 0; r < rounds && n < BENCH_REPETITIONS_MAX; r++, n++) {
            const figures *f = runs[i][r].phases;
            samples[n] = f[COLLECTING].lost - f[ASLEEP].lost;
            beside[n] = f[COLLECTING].lost - f[COMPUTING].lost;
        }
    }
    const char *kind = kind_name();
    char text[112];
    snprintf(text, sizeof text, "%s, all: points of time lost, collections - nothing beside it", kind);
    bench_samples(text, samples, n, "points", shared_rings ? INFO : BENCH_BAR_AT_MOST(LOST_LIMIT));
    snprintf(text, sizeof text, "%s, all: points of time lost, collections - arithmetic", kind);
    bench_samples(text, beside, n, "points", INFO);
}

static void rows_growth(outcome runs[][ROUNDS], unsigned rounds)
{
    double p50[ROUNDS], mean[ROUNDS], p9999[ROUNDS], undisturbed_p9999[ROUNDS];
    for (unsigned r = 0; r < rounds; r++) {
        const figures *small = &runs[0][r].phases[COLLECTING], *large = &runs[SIZES - 1][r].phases[COLLECTING];
        p50[r] = 100 * (large->p50 / small->p50 - 1);
        mean[r] = 100 * (large->mean / small->mean - 1);
        p9999[r] = 100 * (large->p9999 / small->p9999 - 1);
        undisturbed_p9999[r] = 100 * (large->p9999_undisturbed / small->p9999_undisturbed - 1);
    }
    bench_bar bar = shared_rings ? INFO : BENCH_BAR_AT_MOST(GROWTH_LIMIT);
    const char *kind = kind_name();
    char text[112];
    snprintf(text, sizeof text, "%s, 10^5 to 10^7: growth of p50 beside collections", kind);
    bench_samples(text, p50, rounds, "%", bar);
    snprintf(text, sizeof text, "%s, 10^5 to 10^7: growth of the mean of rounds < 1 us", kind);
    bench_samples(text, mean, rounds, "%", INFO);
    snprintf(text, sizeof text, "%s, 10^5 to 10^7: growth of p99.99 beside collections", kind);
    bench_samples(text, p9999, rounds, "%", bar);
    snprintf(text, sizeof text, "%s, 10^5 to 10^7: the same of rounds that were not preempted", kind);
    bench_samples(text, undisturbed_p9999, rounds, "%", INFO);
}

static void measure(bool is_shared)
{
    static outcome runs[SIZES][ROUNDS];
    unsigned count = bench_quick ? 1 : SIZES, rounds = bench_quick ? 1 : ROUNDS;
    char argument[48];
    double numbers[NUMBERS];
    shared_rings = is_shared;
    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < count; i++) {
            bench_progress("%s, %s objects: %u of %u", kind_name(), size_names[i], r + 1, rounds);
            snprintf(argument, sizeof argument, "%zu %d", sizes[i], is_shared);
            if (!process_run("pause", argument, numbers, NUMBERS))
                return;
            memcpy(&runs[i][r], numbers, sizeof runs[i][r]);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        rows_of_size(runs[i], i);
        curves_of_size(runs[i], i);
    }
    rows_lost(runs, count, rounds);
    if (count == SIZES)
        rows_growth(runs, rounds);
}

void bench_pause(void)
{
    measure(false);
    measure(true);
}
