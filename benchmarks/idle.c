/* SPDX-License-Identifier: MIT
 *
 * A million shared objects that nobody touches, in a process that sleeps: no thread of the library may run. Wakes of
 * threads other than the one that sleeps here are counted by the kernel, exactly. */
#include <stdio.h>
#include <sys/resource.h>

#include <ouro/gc.h>
#include <ouro/thread.h>

#include "bench.h"
#include "graph.h"
#include "process.h"

enum { OBJECTS = 1000000, OBJECTS_QUICK = 100000, ROUNDS = 3, ROUNDS_QUICK = 1, REST_MS = 500 };

#define CPU_LIMIT_US 100 /* waking up once takes some */

typedef struct reading {
    double cpu, own_cpu;     /* seconds: of the process, and of this thread */
    long switches, own;      /* likewise, voluntary or not */
} reading;

static long switches(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return usage.ru_nvcsw + usage.ru_nivcsw;
}

static reading read_all(void)
{
    return (reading){process_cpu(), process_thread_cpu(), switches(RUSAGE_SELF), switches(RUSAGE_THREAD)};
}

static void rest(long ms)
{
    struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    ouro_blocking_begin();
    nanosleep(&nap, NULL);
    ouro_blocking_end();
}

/* argument: "<objects> <milliseconds>". Rings have been made and dropped before, so that all threads of the library
 * have been started. */
int bench_idle_child(const char *argument)
{
    size_t objects;
    long ms;
    if (sscanf(argument, "%zu %ld", &objects, &ms) != 2)
        return 2;
    size_t live = bench_live();
    vertex *graph = graph_drop_others(graph_make(objects), objects);
    for (size_t i = 0; i < objects / 4; i++) {
        node *ring = ring_make(4);
        if (i % 2)
            ouro_share(ring);
        ouro_release(ring);
    }
    ouro_gc_collect_async(2);
    ouro_gc_collect(2);
    bench_settle(live + objects, "rings dropped");
    rest(REST_MS); /* free memory goes back to the system in this time */
    reading before = read_all();
    rest(ms);
    reading after = read_all();
    bench_settle(live + objects, "idle");
    BENCH_TOUCH(graph);
    double all = after.cpu - before.cpu, others = all - (after.own_cpu - before.own_cpu);
    long all_switches = after.switches - before.switches, others_switches = all_switches - (after.own - before.own);
    /* The clocks are read one after the other. */
    printf("%.9f %.9f %ld %ld\n", all, others > 0 ? others : 0, all_switches, others_switches);
    return 0;
}

void bench_idle(void)
{
    unsigned rounds = bench_quick ? ROUNDS_QUICK : ROUNDS;
    double numbers[4], rows[4][ROUNDS];
    char argument[48];
    snprintf(argument, sizeof argument, "%d %d", bench_quick ? OBJECTS_QUICK : OBJECTS, bench_quick ? 300 : 1000);
    for (unsigned r = 0; r < rounds; r++) {
        bench_progress("idle: %u of %u", r + 1, rounds);
        if (!process_run("idle", argument, numbers, 4))
            return;
        for (unsigned i = 0; i < 4; i++)
            rows[i][r] = numbers[i] * (i < 2 ? 1e6 : 1);
    }
    const char *second = bench_quick ? "0.3 s" : "one second";
    char text[112];
    snprintf(text, sizeof text, "processor time in %s, the sleeping thread's included", second);
    bench_samples(text, rows[0], rounds, "us", BENCH_BAR_AT_MOST(CPU_LIMIT_US));
    snprintf(text, sizeof text, "processor time in %s, of the library's threads", second);
    bench_samples(text, rows[1], rounds, "us", BENCH_INFORMATION);
    snprintf(text, sizeof text, "context switches in %s, the sleeping thread's included", second);
    bench_samples(text, rows[2], rounds, "", BENCH_INFORMATION);
    snprintf(text, sizeof text, "context switches in %s, of the library's threads", second);
    bench_samples(text, rows[3], rounds, "", BENCH_BAR_AT_MOST(0));
}
