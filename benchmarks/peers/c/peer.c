/* SPDX-License-Identifier: MIT
 *
 * peer WORKLOAD SIZE THREADS SECONDS: see ../README.md. One JSON object a line for each measurement; exits with 1 if a
 * result was wrong, 2 if the arguments were. */
#include "peer.h"

#include <stdio.h>
#include <string.h>

HEAP_DEFINITIONS

peer_arguments peer;
static bool wrong;

/* ---- results ---- */

void peer_check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "WRONG RESULT: %s %llu %u: %s\n", peer.workload, (unsigned long long)peer.size, peer.threads, what);
    wrong = true;
}

void peer_check_live(uint64_t before)
{
    peer_check(heap_live_is(before), "the heap holds more or less than before");
}

double peer_resident(const char *key)
{
    char line[128];
    double bytes = 0, kib;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), ": %lf", &kib) == 1)
            bytes = kib * 1024;
    }
    if (file)
        fclose(file);
    return bytes;
}

static void print_arguments(void)
{
    printf("{\"workload\": \"%s\", \"size\": %llu, \"threads\": %u, ", peer.workload, (unsigned long long)peer.size,
           peer.threads);
}

void peer_report(const char *metric, double value, const char *unit, uint64_t operations)
{
    print_arguments();
    printf("\"metric\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"operations\": %llu, \"peak_rss_mb\": %.1f, "
           "\"live\": \"%s\", \"ok\": %s}\n",
           metric, value, unit, (unsigned long long)operations, peer_resident("VmHWM") * 1e-6, HEAP_LIVE,
           wrong ? "false" : "true");
}

void peer_report_time(peer_time time, const char *unit)
{
    peer_report("time", time.seconds * 1e9 / (double)time.operations, unit, time.operations);
    if (time.cpu > 0)
        peer_report("cpu", time.cpu * 1e9 / (double)time.operations, unit, time.operations);
}

/* As far as ten samples are beyond. */
static const double shares[] = {0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999};

void peer_report_percentiles(const histogram *h, const char *name)
{
    static const struct {
        const char *name;
        double share;
    } told[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};
    for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++)
        peer_report(told[i].name, histogram_percentile(h, told[i].share), "ns", h->samples);
    peer_report("max", (double)h->max * 1e-6, "ms", h->samples);
    print_arguments();
    printf("\"curve\": \"%s\", \"unit\": \"ns\", \"points\": [", name);
    for (unsigned i = 0; i < sizeof shares / sizeof shares[0] && (1 - shares[i]) * (double)h->samples >= 10; i++)
        printf("[%.9g, %.6g], ", shares[i], histogram_percentile(h, shares[i]));
    printf("[1, %.6g]]}\n", (double)h->max);
}

void peer_skip(const char *reason)
{
    print_arguments();
    printf("\"skip\": \"%s\"}\n", reason);
}

uint64_t *peer_shuffled(uint64_t count, uint64_t *random)
{
    uint64_t *places = malloc(count * sizeof *places);
    if (!places)
        abort();
    for (uint64_t i = 0; i < count; i++)
        places[i] = i;
    for (uint64_t i = count; i > 1; i--) {
        uint64_t k = peer_random_below(random, i), other = places[k];
        places[k] = places[i - 1];
        places[i - 1] = other;
    }
    return places;
}

/* ---- threads ---- */

/* How many times the time asked for may pass, preparations included. */
enum { PREPARED = 4 };

static double begun; /* when the work did */

bool peer_goes_on(const peer_time *time)
{
    return time->seconds < peer.seconds && peer_now() - begun < PREPARED * peer.seconds;
}

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void peer_begin(peer_time *time)
{
    time->seconds -= peer_now();
    time->cpu -= cpu_now();
}

void peer_end(peer_time *time)
{
    time->seconds += peer_now();
    time->cpu += cpu_now();
}

void peer_meet(pthread_barrier_t *barrier)
{
    heap_wait_begin();
    pthread_barrier_wait(barrier);
    heap_wait_end();
}

typedef struct member {
    peer_round *round;
    void *state;
    unsigned index;
    pthread_barrier_t *together;
    uint64_t operations;
} member;

static void work(member *m, double begin)
{
    do
        m->operations += m->round(m->state, m->index);
    while (peer_now() - begin < peer.seconds);
    heap_thread_end();
}

static void *run_member(void *arg)
{
    member *m = arg;
    peer_meet(m->together);
    work(m, peer_now());
    return NULL;
}

peer_time peer_repeat(peer_round *round, void *state)
{
    pthread_t threads[PEER_THREADS_MAX];
    pthread_barrier_t together;
    member members[PEER_THREADS_MAX];
    pthread_barrier_init(&together, NULL, peer.threads);
    for (unsigned i = 0; i < peer.threads; i++) {
        members[i] = (member){.round = round, .state = state, .index = i, .together = &together};
        if (i != 0 && pthread_create(&threads[i], NULL, run_member, &members[i]) != 0)
            abort();
    }
    peer_meet(&together);
    peer_time time = {0};
    peer_begin(&time);
    work(&members[0], peer_now());
    time.operations = members[0].operations;
    heap_wait_begin();
    for (unsigned i = 1; i < peer.threads; i++) {
        pthread_join(threads[i], NULL);
        time.operations += members[i].operations;
    }
    heap_wait_end();
    peer_end(&time);
    pthread_barrier_destroy(&together);
    return time;
}

/* ---- workloads ---- */

static const struct {
    const char *name;
    void (*run)(void);
    unsigned least, most; /* threads */
} workloads[] = {
    {"trees", work_trees, 1, PEER_THREADS_MAX},
    {"gcbench", work_gcbench, 1, 1},
    {"retain-own", work_retain_own, 1, PEER_THREADS_MAX},
    {"retain-shared", work_retain_shared, 1, PEER_THREADS_MAX},
    {"lifo", work_lifo, 1, PEER_THREADS_MAX},
    {"fifo", work_fifo, 1, PEER_THREADS_MAX},
    {"handover", work_handover, 2, 2},
    {"storm", work_storm, 2, PEER_THREADS_MAX},
    {"larson", work_larson, 1, PEER_THREADS_MAX},
    {"server", work_server, 1, PEER_THREADS_MAX},
    {"rings", work_rings, 1, PEER_THREADS_MAX},
    {"deep", work_deep, 1, 1},
    {"collect-live", work_collect_live, 1, 1},
    {"collect-garbage", work_collect_garbage, 1, 1},
    {"pause", work_pause, 1, 2},
    {"lookup", work_lookup, 1, PEER_THREADS_MAX},
    {"lookup-writer", work_lookup_writer, 1, PEER_THREADS_MAX},
    {"memory", work_memory, 1, 1},
};

int main(int argc, char **argv)
{
    if (argc == 5) {
        peer = (peer_arguments){argv[1], strtoull(argv[2], NULL, 10), (unsigned)atoi(argv[3]), atof(argv[4])};
        for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
            if (strcmp(workloads[i].name, peer.workload) != 0 || peer.size == 0 || peer.threads < workloads[i].least ||
                peer.threads > workloads[i].most)
                continue;
            heap_start();
            begun = peer_now();
            workloads[i].run();
            fflush(stdout);
            _Exit(wrong ? 1 : 0); /* what is alive need not be taken apart */
        }
    }
    fprintf(stderr, "usage: peer WORKLOAD SIZE THREADS SECONDS\n");
    return 2;
}
