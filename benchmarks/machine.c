/* SPDX-License-Identifier: MIT
 *
 * What machine this is, what was built on it, and how busy others keep it: numbers without these mean little. */
#include "machine.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <ouro/version.h>

#include "bench.h"
#include "peer.h"
#include "process.h"

enum { FACTS_MAX = 20 };

static fact facts[FACTS_MAX];
static size_t facts_count;
static double begin_s, others_before_s;

const fact *machine_fact(size_t index)
{
    return index < facts_count ? &facts[index] : NULL;
}

static void fact_add(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fact_add(const char *name, const char *format, ...)
{
    va_list args;
    if (facts_count == FACTS_MAX)
        return;
    facts[facts_count].name = name;
    va_start(args, format);
    vsnprintf(facts[facts_count++].value, sizeof facts[0].value, format, args);
    va_end(args);
}

/* The first line of a file that starts with key, without it; "?" if there is none. */
static void read_line(const char *path, const char *key, char *text, size_t size)
{
    char line[256];
    FILE *file = fopen(path, "r");
    snprintf(text, size, "?");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        const char *value = line + strlen(key);
        value += strspn(value, " \t:");
        snprintf(text, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (file)
        fclose(file);
}

/* Which file a library function comes from: calls into a shared library cost more than those within the program. */
static void fact_linkage(const char *name, const char *version, const char *symbol)
{
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, symbol);
    if (address && dladdr(address, &info) && info.dli_fname && strstr(info.dli_fname, ".so"))
        fact_add(name, "%s, shared (%s)", version, info.dli_fname);
    else
        fact_add(name, "%s, linked into the program", version);
}

/* How many cores have these processors, as Linux on x86-64 tells; 0 if it does not. */
static long cores(void)
{
    char line[256];
    long physical = 0, core, seen[64][2], count = 0;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "physical id : %ld", &physical) == 1 || sscanf(line, "core id : %ld", &core) != 1)
            continue;
        long i = 0;
        while (i < count && (seen[i][0] != physical || seen[i][1] != core))
            i++;
        if (i == count && count < (long)(sizeof seen / sizeof seen[0])) {
            seen[count][0] = physical;
            seen[count++][1] = core;
        }
    }
    if (file)
        fclose(file);
    return count;
}

static void facts_of_hardware(void)
{
    char text[200];
    double kib = 0;
    read_line("/proc/cpuinfo", "model name", text, sizeof text);
    fact_add("processor", "%s", text);
    long processors = sysconf(_SC_NPROCESSORS_ONLN), count = cores();
    if (count)
        fact_add("cores", "%ld processors on %ld cores", processors, count);
    else
        fact_add("cores", "%ld processors", processors);
    read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", text, sizeof text);
    fact_add("governor", "%s", strcmp(text, "?") == 0 ? "not told by this kernel" : text);
    read_line("/proc/meminfo", "MemTotal:", text, sizeof text);
    if (sscanf(text, "%lf", &kib) == 1)
        fact_add("memory", "%.1f GiB", kib / (1024 * 1024));
}

static void facts_of_time(void)
{
    char text[64];
    time_t now = time(NULL);
    struct tm utc;
    /* This program is built from a commit, but does not know which: ./dev tells. */
    const char *commit = getenv("OURO_BENCH_COMMIT");
    fact_add("commit", "%s", commit && *commit ? commit : "not told");
    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    fact_add("date", "%s", text);
}

void machine_look(void)
{
    char text[200];
    struct utsname system;
    facts_of_time();
    facts_of_hardware();
    if (uname(&system) == 0)
        fact_add("kernel", "%s %s %s", system.sysname, system.release, system.machine);
    fact_add("compiler", "%s%s", strstr(__VERSION__, "lang") ? "" : "gcc ", __VERSION__); /* clang says its name */
    fact_linkage("libouro", ouro_version(), "ouro_version");
#ifdef OURO_BENCH_MIMALLOC
    int version = mi_version();
    snprintf(text, sizeof text, "%d.%d.%d", version / 100, version / 10 % 10, version % 10);
    fact_linkage("mimalloc", text, "mi_malloc");
#else
    fact_add("mimalloc", "not installed: malloc stands in for it");
#endif
    read_line("/sys/kernel/mm/transparent_hugepage/enabled", "", text, sizeof text);
    fact_add("huge pages", "%s", text);
    fact_add("clock", "%s", bench_cpu_time ? "each thread's own processor time" : "monotonic");
    read_line("/proc/loadavg", "", text, sizeof text);
    fact_add("load before", "%s", text);
    begin_s = bench_now();
    others_before_s = process_others_cpu();
}

/* How busy others have kept the machine during all of it. */
void machine_look_back(void)
{
    double capacity = (bench_now() - begin_s) * (double)sysconf(_SC_NPROCESSORS_ONLN);
    double taken = capacity > 0 ? (process_others_cpu() - others_before_s) / capacity : 0;
    fact_add("others", "had %.0f %% of the processors meanwhile", 100 * (taken > 0 ? taken : 0));
}
