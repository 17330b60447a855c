/* SPDX-License-Identifier: MIT
 *
 * What a program without cycles pays for the collectors: the same work with automatic collection on and off, in
 * processes of their own that take turns, since what collections learn (how long to wait for the next) must not pass
 * from one to the other. Counted is the processor time of the whole process, so work on other threads is not free.
 *
 * "trees" is the workload of that name. "queue": one thread fills a queue with items while another drains the one
 * before it; all is shared, the items share values, and the heap grows and shrinks by tens of megabytes. */
#include <stdio.h>
#include <string.h>

#include <ouro/gc.h>

#include "bench.h"
#include "node.h"
#include "process.h"
#include "trees.h"

enum { THREADS = 2, ITEMS = 500000, ITEMS_QUICK = 20000, QUEUES = 12, VALUES = 1000 };

/* ---- the queue ---- */

typedef struct queues {
    node *values[VALUES];
    node *heads[THREADS]; /* of the queue that is being filled, and of the one before it */
    unsigned filling;
    uint64_t drained;
} queues;

/* Items hang on each other on the left; a value is on the right. */
static void fill(queues *q, node **head, uint64_t items)
{
    uint64_t random = items;
    node *tail = node_new();
    *head = tail;
    ouro_share(tail);
    for (uint64_t i = 1; i < items; i++) {
        node *item = node_new();
        ouro_set(item, &item->right, q->values[bench_random_below(&random, VALUES)]);
        ouro_give(tail, &tail->left, item); /* publishes it */
        tail = item;
    }
}

static void drain(queues *q, node **head)
{
    while (*head) {
        node *item = *head;
        *head = ouro_take(item, &item->left);
        ouro_release(item);
        q->drained++;
    }
}

static void work_queue(void *arg, unsigned index, uint64_t items)
{
    queues *q = arg;
    if (index == 0 && items)
        fill(q, &q->heads[q->filling], items);
    if (index == 1)
        drain(q, &q->heads[1 - q->filling]);
}

static bool pass_queues(void)
{
    static queues q;
    uint64_t items = bench_quick ? ITEMS_QUICK : ITEMS;
    bench_team *team = bench_team_start(THREADS);
    for (unsigned i = 0; i < VALUES; i++) {
        q.values[i] = node_new();
        ouro_share(q.values[i]);
    }
    for (unsigned i = 0; i <= QUEUES; i++) {
        q.filling = i % 2;
        bench_team_run(team, work_queue, &q, i < QUEUES ? items : 0);
    }
    for (unsigned i = 0; i < VALUES; i++)
        ouro_release(q.values[i]);
    bench_team_stop(team);
    return q.drained == QUEUES * items;
}

/* ---- one process ---- */

/* argument: "<workload> on" or "<workload> off". */
int bench_acyclic_child(const char *argument)
{
    size_t live = bench_live();
    if (strstr(argument, " off"))
        ouro_gc_disable();
    double wall = bench_now(), cpu = process_cpu();
    bool ok = argument[0] == 't' ? trees_grow_and_drop() : pass_queues();
    cpu = process_cpu() - cpu;
    wall = bench_now() - wall;
    bench_check(ok, "%s: wrong sums", argument);
    bench_settle(live, argument);
    ouro_gc_stats stats = {.size = sizeof stats};
    ouro_gc_get_stats(&stats, sizeof stats);
    printf("%.9f %.9f", cpu, wall);
    for (unsigned i = 0; i < OURO_GC_GENERATIONS; i++) {
        const ouro_gc_generation_stats *g = &stats.generation[i];
        uint64_t automatic = g->collections - g->reasons[OURO_GC_REASON_ASKED]; /* threads ask at exit */
        printf(" %llu", (unsigned long long)automatic);
    }
    printf("\n");
    return 0;
}

/* ---- all of them ---- */

enum { CPU, WALL, YOUNG, RECENT, FULL, NUMBERS };

static void rows(const char *name, double on[][NUMBERS], double off[][NUMBERS], unsigned rounds)
{
    static const char *const kinds[] = {[YOUNG] = "young", [RECENT] = "generation 1", [FULL] = "generation 2"};
    double samples[BENCH_REPETITIONS_MAX];
    char text[112];
    for (unsigned r = 0; r < rounds; r++)
        samples[r] = off[r][CPU];
    snprintf(text, sizeof text, "%s, collection off: processor time", name);
    bench_samples(text, samples, rounds, "s", BENCH_INFORMATION);
    for (unsigned i = CPU; i <= WALL; i++) {
        for (unsigned r = 0; r < rounds; r++)
            samples[r] = on[r][i] / off[r][i];
        snprintf(text, sizeof text, "%s: collection on / off, %s", name, i == CPU ? "processor time" : "by the clock");
        bench_samples(text, samples, rounds, "ratio", i == CPU ? BENCH_BAR_AT_MOST(1.05) : BENCH_INFORMATION);
    }
    for (unsigned i = YOUNG; i <= FULL; i++) {
        for (unsigned r = 0; r < rounds; r++)
            samples[r] = on[r][i];
        snprintf(text, sizeof text, "%s: collections, %s", name, kinds[i]);
        bench_samples(text, samples, rounds, "", BENCH_INFORMATION);
    }
}

static void measure(const char *name)
{
    static double on[BENCH_REPETITIONS][NUMBERS], off[BENCH_REPETITIONS][NUMBERS];
    unsigned rounds = bench_quick ? BENCH_REPETITIONS_QUICK : BENCH_REPETITIONS;
    char argument[32];
    for (unsigned r = 0; r < rounds; r++) {
        bench_progress("%s: %u of %u", name, r + 1, rounds);
        for (unsigned i = 0; i < 2; i++) {
            bool is_on = (r + i) % 2;
            snprintf(argument, sizeof argument, "%s %s", name, is_on ? "on" : "off");
            if (!process_run("acyclic", argument, is_on ? on[r] : off[r], NUMBERS))
                return;
        }
        bench_check(off[r][YOUNG] + off[r][RECENT] + off[r][FULL] == 0, "%s: collected while that was off", name);
    }
    rows(name, on, off, rounds);
}

void bench_acyclic(void)
{
    measure("trees");
    measure("queue");
}
