/* SPDX-License-Identifier: MIT
 *
 * One object that one, two and four threads count at once, all the time: retained and released, read from a shared slot, upgraded from a weak
 * reference. What is asked is whether each thread goes on as if it were alone: its time alone, divided by its time beside others.
 *
 * The peer is one C11 atomic counter in the orders that Rust's Arc uses. Three objects: one that the program has said is counted widely
 * (ouro_share_widely), one about which it has said nothing, and one that nobody else counts. More threads than processors have no bar,
 * unless time is the processor's (--cpu-time). */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "node.h"
#include "processors.h"

enum { SIZES = 3, GONE_MS = 5000 };

static const unsigned sizes[SIZES] = {1, 2, 4};

typedef struct hot {
    node *object, *box; /* the box's left slot has the object */
    ouro_weak *weak;
    _Alignas(128) _Atomic uint32_t peer;
    _Alignas(128) _Atomic uint64_t missed;
} hot;

typedef struct crew {
    bench_team *team;
    bench_work *work;
    hot *hot;
} crew;

static bench_team *teams[SIZES];

static void count_peer(void *arg, unsigned index, uint64_t n)
{
    hot *h = arg;
    (void)index;
    for (; n; n--) {
        atomic_fetch_add_explicit(&h->peer, 1, memory_order_relaxed);
        if (atomic_fetch_sub_explicit(&h->peer, 1, memory_order_acq_rel) == 1)
            h->missed++;
    }
}

static void count_object(void *arg, unsigned index, uint64_t n)
{
    node *object = ((hot *)arg)->object;
    (void)index;
    for (; n; n--) {
        BENCH_OPAQUE(object);
        ouro_retain(object);
        BENCH_OPAQUE(object);
        ouro_release(object);
    }
}

static void get_object(void *arg, unsigned index, uint64_t n)
{
    hot *h = arg;
    uint64_t missed = 0;
    (void)index;
    for (; n; n--) {
        void *got = ouro_get(h->box, &h->box->left);
        missed += got != h->object;
        ouro_release(got);
    }
    h->missed += missed;
}

static void upgrade_object(void *arg, unsigned index, uint64_t n)
{
    hot *h = arg;
    uint64_t missed = 0;
    (void)index;
    for (; n; n--) {
        void *got = ouro_weak_get(h->weak);
        missed += got != h->object;
        ouro_release(got);
    }
    h->missed += missed;
}

/* What is no object: what the threads could reach if nothing were shared. */
static void fill(void *arg, unsigned index, uint64_t n)
{
    (void)index;
    if (!processors_fill(n))
        ((hot *)arg)->missed++;
}

/* The same in moments in which each of two threads has a core. */
typedef struct moment {
    bench_work *work;
    hot *hot;
    uint64_t n;
} moment;

static double gain(void *arg)
{
    moment *m = arg;
    ouro_blocking_begin();
    double one = bench_team_run(teams[0], m->work, m->hot, m->n), two = bench_team_run(teams[1], m->work, m->hot, m->n);
    ouro_blocking_end();
    return one / two;
}

static void measure_moments(hot *h)
{
#define WHAT(text) "in these: shared widely: " text ": throughput of 2 threads / 2 times that of one"
    processors_moments(teams[1],
                       (processors_moment[]){
                           {WHAT("retain + release"), gain, &(moment){count_object, h, 500000}},
                           {WHAT("get from a slot + release"), gain, &(moment){get_object, h, 250000}},
                           {WHAT("upgrade + release"), gain, &(moment){upgrade_object, h, 300000}},
                       },
                       3);
#undef WHAT
}

static double run_crew(void *arg, uint64_t n)
{
    crew *c = arg;
    ouro_blocking_begin();
    double seconds = bench_team_run(c->team, c->work, c->hot, n);
    ouro_blocking_end();
    return seconds;
}

/* All team sizes at one kind of work. bar: of the object's own rows. */
static void measure(const char *what, bench_work *work, hot *h, double bar)
{
    static char names[SIZES][96];
    crew crews[SIZES];
    bench_series series[SIZES];
    for (unsigned i = 0; i < SIZES; i++) {
        crews[i] = (crew){teams[i], work, h};
        snprintf(names[i], sizeof names[i], "%s: %u thread%s", what, sizes[i], sizes[i] == 1 ? "" : "s");
        series[i] = (bench_series){.name = names[i], .run = run_crew, .state = &crews[i]};
    }
    bench_measure(what, series, SIZES, 8);
    bench_values(series, SIZES);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    for (unsigned i = 1; i < SIZES; i++) {
        char row[128];
        bool fair = bench_cpu_time || processors >= (long)sizes[i];
        snprintf(row, sizeof row, "%s: throughput of %u threads / %u times that of one", what, sizes[i], sizes[i]);
        bench_ratio(row, &series[0], &series[i], bar > 0 && fair ? BENCH_BAR_AT_LEAST(bar) : BENCH_INFORMATION);
    }
}

static void hot_make(hot *h, bool widely)
{
    *h = (hot){.object = node_new(), .box = node_new(), .peer = 1};
    ouro_share(h->box);
    ouro_set(h->box, &h->box->left, h->object);
    h->weak = ouro_weak_new(h->object, NULL, NULL);
    if (!h->weak)
        abort();
    ouro_share(h->weak);
    if (widely)
        ouro_share_widely(h->object);
}

/* The last thread of a team may not have parked yet, and so have credit of the object, which lives until that is given or taken back. */
static bool is_gone(ouro_weak *weak)
{
    void *left = NULL;
    for (int ms = 0; ms < GONE_MS && (left = ouro_weak_get(weak)) != NULL; ms++) {
        ouro_release(left);
        ouro_safepoint(); /* the caller's own */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return !left;
}

static void hot_drop(hot *h, const char *what)
{
    ouro_safepoint(); /* a thread may have asked for something */
    size_t references = ouro_refcount(h->object);
    bench_check(h->missed == 0, "%s: %llu times something else than the object was found", what, (unsigned long long)h->missed);
    bench_check(references == 2, "%s: %zu references are left, not 2", what, references);
    ouro_release(h->object);
    ouro_release(h->box);
    bench_check(is_gone(h->weak), "%s: the object is still there", what);
    ouro_release(h->weak);
}

/* The object's maker counts it no more than the others: it waits, parked, for the team. */
void bench_hot(void)
{
    static hot wide, plain;
    for (unsigned i = 0; i < SIZES; i++)
        teams[i] = bench_team_start(sizes[i]);
    hot_make(&wide, true);
    measure("machine, filled", fill, &wide, 0);
    measure("C11 atomic", count_peer, &wide, 0);
    measure("shared widely: retain + release", count_object, &wide, 0.8);
    measure("shared widely: get from a slot + release", get_object, &wide, 0.8);
    measure("shared widely: upgrade + release", upgrade_object, &wide, 0.8);
    bench_check(wide.peer == 1, "the peer's counter is not back at 1");
    measure_moments(&wide);
    hot_drop(&wide, "shared widely");
    hot_make(&plain, false);
    measure("shared: retain + release", count_object, &plain, 0.8);
    measure("shared: get from a slot + release", get_object, &plain, 0);
    hot_drop(&plain, "shared");
    for (unsigned i = 0; i < SIZES; i++)
        bench_team_stop(teams[i]);
}
