/* SPDX-License-Identifier: MIT
 *
 * Rings made and dropped by one thread or two, private or shared, with collecting left to the library. The time is that
 * until all are gone: what automatic collection has left is collected at the end, within it. The peer frees the nodes
 * by hand. What a process that does nothing else takes in memory is looked at in processes of their own. */
#include <stdio.h>

#include <ouro/gc.h>

#include "bench.h"
#include "graph.h"
#include "peer.h"
#include "process.h"

enum { SIZES = 3, NODES = 4000000, NODES_QUICK = 20000, THREADS = 2 };

static const unsigned sizes[SIZES] = {2, 10, 100};

#define LIMIT_ONE_NS 30
#define LIMIT_TWO_NS 20
#define LIMIT_MB 32

typedef struct work {
    bench_team *team; /* NULL: the calling thread alone */
    unsigned size;    /* of a ring */
    bool is_shared;
    double cpu_at_start[THREADS]; /* of the whole process, seconds, when the thread began */
    double cpu;                   /* of the whole process, seconds, in all runs */
    double nodes;                 /* in all runs */
} work;

/* ---- by hand ---- */

static void make_and_free(unsigned size)
{
    plain_node *first = NULL, *last = NULL;
    for (unsigned i = 0; i < size; i++) {
        plain_node *at = peer_malloc(sizeof *at);
        if (!at)
            abort();
        *at = (plain_node){.left = NULL};
        if (last)
            last->left = at;
        else
            first = at;
        last = at;
    }
    last->left = first;
    BENCH_TOUCH(first);
    for (plain_node *at = first;;) {
        plain_node *next = at->left;
        peer_free(at);
        if (next == first)
            break;
        at = next;
    }
}

static void work_by_hand(void *arg, unsigned index, uint64_t rings)
{
    const work *w = arg;
    (void)index;
    for (; rings; rings--)
        make_and_free(w->size);
}

/* ---- collected ---- */

static void work_collected(void *arg, unsigned index, uint64_t rings)
{
    work *w = arg;
    w->cpu_at_start[index] = process_cpu();
    for (; rings; rings--) {
        node *ring = ring_make(w->size);
        if (w->is_shared)
            ouro_share(ring);
        ouro_release(ring);
    }
    if (!w->is_shared)
        ouro_gc_collect(0); /* private rings are the business of who made them */
}

/* ---- both ---- */

static double run_on_threads(work *w, bench_work *run, uint64_t rings)
{
    if (w->team)
        return bench_team_run(w->team, run, w, rings / THREADS);
    double begin = bench_clock();
    run(w, 0, rings);
    return bench_clock() - begin;
}

static double run_by_hand(void *arg, uint64_t rings)
{
    return run_on_threads(arg, work_by_hand, rings);
}

static double run_collected(void *arg, uint64_t rings)
{
    work *w = arg;
    double took = run_on_threads(w, work_collected, rings);
    double begin = bench_clock();
    if (w->is_shared)
        ouro_gc_collect(2);
    took += bench_clock() - begin;
    /* Waiting for each other at the start is not work. */
    bool second = w->team && w->cpu_at_start[1] < w->cpu_at_start[0];
    w->cpu += process_cpu() - w->cpu_at_start[second];
    w->nodes += (double)(rings * w->size);
    return took;
}

/* ---- the table ---- */

enum { BY_HAND, BY_HAND_TWO, PRIVATE, PRIVATE_TWO, SHARED, SHARED_TWO, KINDS };

static const struct {
    const char *name;
    bool is_team, is_shared;
    double limit; /* 0: it is the peer */
} kinds[KINDS] = {
    [BY_HAND] = {"freed by hand (" PEER_NAME "), 1 thread", false, false, 0},
    [BY_HAND_TWO] = {"freed by hand (" PEER_NAME "), 2 threads", true, false, 0},
    [PRIVATE] = {"private, 1 thread", false, false, LIMIT_ONE_NS},
    [PRIVATE_TWO] = {"private, 2 threads", true, false, LIMIT_TWO_NS},
    [SHARED] = {"shared, 1 thread", false, true, LIMIT_ONE_NS},
    [SHARED_TWO] = {"shared, 2 threads", true, true, LIMIT_TWO_NS},
};

/* Threads that have made shared rings wait longer for their next young collection, since it found nothing: so those
 * that make private ones are others. */
typedef struct team_pair {
    bench_team *of_private, *of_shared;
} team_pair;

static void measure(const team_pair *teams, unsigned size)
{
    work works[KINDS];
    bench_series series[KINDS];
    char names[KINDS][80], text[112];
    uint64_t rings = (bench_quick ? NODES_QUICK : NODES) / size / THREADS * THREADS;
    for (unsigned i = 0; i < KINDS; i++) {
        bench_team *team = kinds[i].is_shared ? teams->of_shared : teams->of_private;
        works[i] = (work){.team = kinds[i].is_team ? team : NULL, .size = size, .is_shared = kinds[i].is_shared};
        snprintf(names[i], sizeof names[i], "rings of %u, %s, per node", size, kinds[i].name);
        series[i] = (bench_series){.name = names[i],
                                   .run = kinds[i].limit > 0 ? run_collected : run_by_hand,
                                   .state = &works[i],
                                   .n = rings,
                                   .unit = size};
    }
    size_t live = bench_live();
    bench_measure("rings", series, KINDS, 1);
    for (unsigned i = 0; i < KINDS; i++) {
        /* The threads' own time has not in it what the collector's does for them. */
        bool barred = kinds[i].limit > 0 && !(kinds[i].is_shared && bench_cpu_time);
        bench_bar bar = barred ? BENCH_BAR_AT_MOST(kinds[i].limit) : BENCH_INFORMATION;
        bench_samples(names[i], series[i].ns, series[i].repetitions, "ns", bar);
    }
    for (unsigned i = PRIVATE; i < KINDS; i++) {
        snprintf(text, sizeof text, "rings of %u, %s: processor time of all threads", size, kinds[i].name);
        bench_number(text, works[i].cpu * 1e9 / works[i].nodes, "ns", BENCH_INFORMATION);
    }
    for (unsigned i = PRIVATE; i < KINDS; i++) {
        snprintf(text, sizeof text, "rings of %u, %s: collected / freed by hand", size, kinds[i].name);
        bench_ratio(text, &series[i], &series[kinds[i].is_team ? BY_HAND_TWO : BY_HAND], BENCH_INFORMATION);
    }
    /* Not a collection more: all that was left has been collected in the runs. */
    bench_settle(live, "rings dropped and collected");
}

/* ---- memory ---- */

enum { MEMORY_NODES = 10000000, MEMORY_NODES_QUICK = 500000, ROUNDS = 3 };

/* argument: "<kind>". All sizes, one after the other. */
int bench_rings_child(const char *argument)
{
    int kind = atoi(argument);
    if (kind < PRIVATE || kind >= KINDS)
        return 2;
    size_t live = bench_live();
    bench_team *team = kinds[kind].is_team ? bench_team_start(THREADS) : NULL;
    for (unsigned i = 0; i < SIZES; i++) {
        work w = {.team = team, .size = sizes[i], .is_shared = kinds[kind].is_shared};
        run_on_threads(&w, work_collected, (bench_quick ? MEMORY_NODES_QUICK : MEMORY_NODES) / sizes[i]);
    }
    double peak = process_peak_resident();
    if (team)
        bench_team_stop(team);
    ouro_gc_collect(2);
    bench_settle(live, "rings dropped");
    printf("%.0f\n", peak);
    return 0;
}

static void measure_memory(int kind)
{
    double samples[ROUNDS];
    char argument[16], text[112];
    for (unsigned r = 0; r < ROUNDS; r++) {
        bench_progress("memory of rings, %s: %u of %u", kinds[kind].name, r + 1, ROUNDS);
        snprintf(argument, sizeof argument, "%d", kind);
        if (!process_run("rings", argument, &samples[r], 1))
            return;
        samples[r] *= 1e-6;
    }
    snprintf(text, sizeof text, "all rings, %s: peak resident", kinds[kind].name);
    bench_samples(text, samples, ROUNDS, "MB", BENCH_BAR_AT_MOST(LIMIT_MB));
}

void bench_rings(void)
{
    team_pair teams = {bench_team_start(THREADS), bench_team_start(THREADS)};
    for (unsigned i = 0; i < SIZES; i++)
        measure(&teams, sizes[i]);
    bench_team_stop(teams.of_private);
    bench_team_stop(teams.of_shared);
    for (int kind = PRIVATE; kind < KINDS; kind++)
        measure_memory(kind);
}
