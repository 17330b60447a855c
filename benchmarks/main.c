/* SPDX-License-Identifier: MIT
 *
 * bench: micro benchmarks and workloads, each against a floor or a peer measured in the same run. See README.md.
 * Exits with 1 if a result was wrong, 2 if the arguments were; missing a bar is a result, not an error. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ouro/runtime.h>

#include "bench.h"
#include "report.h"

static const bench_entry entries[] = {
    {"count", "retain and release: own object, two threads, a foreign thread", bench_count, NULL},
    {"alloc", "making and dropping one object, and batches", bench_alloc, NULL},
    {"trees", "binary trees, one and two threads", bench_trees, NULL},
    {"borrow", "lookups in a search tree without counting", bench_borrow, NULL},
    {"rss", "memory that five million nodes take", bench_rss, bench_rss_child},
    {"prompt", "how soon the last reference frees when its owner sleeps or is gone", bench_prompt, NULL},
    {"handover", "objects made by one thread and dropped by another", bench_handover, NULL},
    {"list", "dropping a very long list", bench_list, NULL},
    {"publish", "sharing private objects, and what their death then costs", bench_publish, NULL},
    {"slots", "get, set, swap and take on private and shared containers", bench_slots, NULL},
    {"weak", "making and reading weak references", bench_weak, NULL},
    {"hot", "one object that all threads count at once", bench_hot, NULL},
    {"young", "one young collection, live and garbage rings", bench_young, NULL},
    {"rings", "rings made and dropped, collected automatically", bench_rings, bench_rings_child},
    {"collect", "one full collection of a million shared objects, live and garbage", bench_collect, NULL},
    {"candidates", "one full collection when little has changed, beside 10^5 to 10^7 live objects", bench_candidates, NULL},
    {"growth", "full collections by the number of objects, and by how much of them is garbage", bench_growth, NULL},
    {"pause", "how long a thread is held up by collections beside it", bench_pause, bench_pause_child},
    {"acyclic", "what a program without cycles pays for collection", bench_acyclic, bench_acyclic_child},
    {"floating", "shared garbage that waits to be found, beside a live graph", bench_floating, bench_floating_child},
    {"burst", "how soon memory goes back to the system after many objects have died at once", bench_burst, bench_burst_child},
    {"idle", "a million objects and nothing to do", bench_idle, bench_idle_child},
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static int usage(FILE *out, int code)
{
    fprintf(out, "usage: bench [--only NAME[,NAME...]] [--quick] [--cpu-time] [--json FILE] [--list]\n");
    return code;
}

/* True if name stands in the comma-separated list; all do when there is none. */
static bool selected(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return !list;
}

static bool known(const char *list)
{
    size_t count = 0, wanted = 1;
    for (const char *at = list; *at; at++)
        wanted += *at == ',';
    for (size_t i = 0; i < ENTRIES; i++)
        count += selected(list, entries[i].name);
    return count == wanted;
}

static int print_list(void)
{
    for (size_t i = 0; i < ENTRIES; i++)
        printf("%-9s %s\n", entries[i].name, entries[i].text);
    return 0;
}

/* Before anything is timed. */
static bool start(void)
{
    ouro_status status = ouro_init(NULL);
    if (status != OURO_OK)
        fprintf(stderr, "bench: %s\n", ouro_status_message(status));
    return status == OURO_OK;
}

/* The other side of process_run. Does not return: what is alive need not be taken apart. */
static _Noreturn void run_child(const char *name, const char *argument)
{
    int status = 2;
    for (size_t i = 0; i < ENTRIES; i++) {
        if (strcmp(entries[i].name, name) != 0 || !entries[i].child || !start())
            continue;
        report_benchmark(name, 1, 1);
        status = entries[i].child(argument);
    }
    fflush(stdout);
    _exit(status || report_wrong() ? 1 : 0);
}

int main(int argc, char **argv)
{
    const char *only = NULL, *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--child") == 0 && i + 2 < argc)
            run_child(argv[i + 1], argv[i + 2]);
        if (strcmp(argv[i], "--list") == 0)
            return print_list();
        if (strcmp(argv[i], "--help") == 0)
            return usage(stdout, 0);
        if (strcmp(argv[i], "--quick") == 0)
            bench_quick = true;
        else if (strcmp(argv[i], "--cpu-time") == 0)
            bench_cpu_time = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
            json = argv[++i];
        else
            return usage(stderr, 2);
    }
    if (only && !known(only)) {
        fprintf(stderr, "bench: --only: no such benchmark among \"%s\"; see --list\n", only);
        return 2;
    }
    if (!start())
        return 2;
    report_begin();
    unsigned index = 0, count = 0;
    for (size_t i = 0; i < ENTRIES; i++)
        count += selected(only, entries[i].name);
    for (size_t i = 0; i < ENTRIES; i++) {
        if (!selected(only, entries[i].name))
            continue;
        size_t live = bench_live();
        report_benchmark(entries[i].name, ++index, count);
        entries[i].run();
        bench_settle(live, "at the end");
    }
    report_end();
    report_table(stdout);
    if (json && !report_json(json)) {
        fprintf(stderr, "bench: cannot write %s\n", json);
        return 2;
    }
    return report_wrong() ? 1 : 0;
}
