/* SPDX-License-Identifier: MIT */
#include "torture/result.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "support/check.h"
#include "support/perturb.h"
#include "torture/history.h"

static double seconds_since(uint64_t then)
{
    return (double)(history_clock() - then) * 1e-9;
}

static double rss_mib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%*s %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

void result_progress(const struct run *run)
{
    static uint64_t last_time, last_steps;
    uint64_t now = history_clock(), steps = run_steps(run);
    if (options.quiet || now - (last_time ? last_time : run->begun) < 1000000000)
        return;
    ouro_mem_stats mem;
    ouro_gc_stats gc;
    ouro_mem_get_stats(&mem, sizeof mem);
    ouro_gc_get_stats(&gc, sizeof gc);
    double seconds = (double)(now - (last_time ? last_time : run->begun)) * 1e-9;
    printf("%5.0f s %9.0f ops/s %8zu live %7" PRIu64 " young %6" PRIu64 " + %" PRIu64 " concurrent collections %5" PRIu64
           " verifications %6.0f MiB\n",
           seconds_since(run->begun), (double)(steps - last_steps) / seconds, mem.live_objects, gc.generation[0].collections,
           gc.generation[1].collections, gc.generation[2].collections, run->rounds, rss_mib());
    fflush(stdout);
    last_time = now;
    last_steps = steps;
}

/* ---- Sums ---- */

struct sums {
    uint64_t steps, made, refused, threads, forks, rescued, immortal;
    uint64_t done[MIX_COUNT];
    uint64_t young, concurrent, counting; /* objects freed by */
    histogram durations;
    ouro_gc_stats gc;
    long max_rss_kib;
};

static void add_histogram(histogram *to, const histogram *from)
{
    to->samples += from->samples;
    to->sum += from->sum;
    to->max = from->max > to->max ? from->max : to->max;
    for (unsigned i = 0; i < HISTOGRAM_RANGES; i++)
        to->counts[i] += from->counts[i];
}

static struct sums *sum_up(const struct run *run)
{
    static struct sums sums;
    struct rusage usage;
    sums = (struct sums){.steps = run_steps(run), .made = run_made(run)};
    for (unsigned i = 0; i <= options.threads; i++) {
        const struct worker *w = run->workers[i];
        sums.refused += w->maker.refused;
        sums.threads += w->threads;
        sums.forks += w->forks;
        sums.rescued += w->rescued;
        sums.immortal += w->immortals;
        for (int mix = 0; mix < MIX_COUNT; mix++)
            sums.done[mix] += w->done[mix];
        add_histogram(&sums.durations, &w->durations);
    }
    ouro_gc_get_stats(&sums.gc, sizeof sums.gc);
    sums.young = sums.gc.generation[0].collected;
    sums.concurrent = sums.gc.generation[1].collected + sums.gc.generation[2].collected;
    sums.counting = sums.made - sums.immortal - sums.young - sums.concurrent;
    getrusage(RUSAGE_SELF, &usage);
    sums.max_rss_kib = usage.ru_maxrss;
    return &sums;
}

static double microseconds(const histogram *h, double share)
{
    return histogram_percentile(h, share) * 1e-3;
}

void result_print(const struct run *run)
{
    const struct sums *s = sum_up(run);
    const histogram *h = &s->durations;
    printf("ouro-stress: ok: %" PRIu64 " ops by %" PRIu64 " threads and %" PRIu64 " children in %.1f s, seed %" PRIu64 "\n", s->steps,
           s->threads, s->forks, seconds_since(run->begun), options.seed);
    printf("  objects: %" PRIu64 " made; %" PRIu64 " went by counting, %" PRIu64 " by young, %" PRIu64
           " by concurrent collection; %" PRIu64 " immortal, none left\n",
           s->made, s->counting, s->young, s->concurrent, s->immortal);
    printf("  %" PRIu64 " verifications of %" PRIu64 " objects; %ld delays; op: median %.1f us, 99 %% %.1f us, longest %.0f us; state %016" PRIx64
           "\n",
           run->rounds + 1, run->oracle.verified, perturb_count(), microseconds(h, 0.5), microseconds(h, 0.99), (double)h->max * 1e-3,
           run->oracle.state);
}

/* ---- JSON ---- */

static FILE *out;

static void write_text(const char *name, const char *text)
{
    fprintf(out, "\"%s\": \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text >= ' ')
            fputc(*text, out);
    }
    fputc('"', out);
}

static void processor_name(char *name, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, size, "?");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", 10) || !strchr(line, ':'))
            continue;
        snprintf(name, size, "%s", strchr(line, ':') + 2);
        break;
    }
    if (file)
        fclose(file);
}

static void write_machine(void)
{
    struct utsname system;
    char name[256];
    uname(&system);
    processor_name(name, sizeof name);
    fputs("  \"machine\": {", out);
    write_text("system", system.sysname);
    fputs(", ", out);
    write_text("release", system.release);
    fputs(", ", out);
    write_text("architecture", system.machine);
    fputs(", ", out);
    write_text("processor", name);
    fprintf(out, ", \"processors\": %ld},\n", sysconf(_SC_NPROCESSORS_ONLN));
}

static void write_collections(const struct sums *s)
{
    fputs("  \"collections\": [", out);
    for (int i = 0; i < OURO_GC_GENERATIONS; i++) {
        const ouro_gc_generation_stats *g = &s->gc.generation[i];
        fprintf(out, "%s{\"generation\": %d, \"collections\": %" PRIu64 ", \"candidates\": %" PRIu64 ", \"collected\": %" PRIu64
                     ", \"longest_us\": %.1f}",
                i ? ", " : "", i, g->collections, g->candidates, g->collected, (double)g->duration_max_ns * 1e-3);
    }
    fputs("],\n", out);
}

void result_write(const struct run *run, const char *file)
{
    const struct sums *s = sum_up(run);
    const histogram *h = &s->durations;
    out = strcmp(file, "-") ? fopen(file, "w") : stdout;
    if (!out) {
        perror(file);
        exit(2);
    }
    fprintf(out, "{\n  \"result\": \"ok\",\n  \"seed\": %" PRIu64 ",\n  ", options.seed);
    write_text("command", options_command());
    fputs(",\n  ", out);
    write_text("library", ouro_version());
    fprintf(out, ",\n  \"threads\": %u,\n", options.threads);
    write_machine();
    fprintf(out, "  \"seconds\": %.3f,\n  \"ops\": %" PRIu64 ",\n  \"ops_by_mix\": {", seconds_since(run->begun), s->steps);
    for (int mix = 0; mix < MIX_COUNT; mix++)
        fprintf(out, "%s\"%s\": %" PRIu64, mix ? ", " : "", mix_names[mix], s->done[mix]);
    fputs("},\n", out);
    fprintf(out, "  \"op_us\": {\"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": %.2f},\n", microseconds(h, 0.5),
            microseconds(h, 0.9), microseconds(h, 0.99), microseconds(h, 0.999), (double)h->max * 1e-3);
    write_collections(s);
    fprintf(out,
            "  \"objects\": {\"made\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"freed_by_counting\": %" PRIu64 ", \"freed_by_young\": %" PRIu64
            ", \"freed_by_concurrent\": %" PRIu64 ", \"rescued\": %" PRIu64 ", \"immortal\": %" PRIu64 "},\n",
            s->made, s->refused, s->counting, s->young, s->concurrent, s->rescued, s->immortal);
    fprintf(out, "  \"verifications\": %" PRIu64 ",\n  \"verified_objects\": %" PRIu64 ",\n", run->rounds + 1, run->oracle.verified);
    fprintf(out, "  \"threads_begun\": %" PRIu64 ",\n  \"children\": %" PRIu64 ",\n  \"delays\": %ld,\n", s->threads, s->forks, perturb_count());
    fprintf(out, "  \"max_rss_kib\": %ld,\n  \"state\": \"%016" PRIx64 "\"\n}\n", s->max_rss_kib, run->oracle.state);
    if (out != stdout)
        fclose(out);
}
