/* SPDX-License-Identifier: MIT
 *
 * Rows, the table at the end, the JSON file, and a description of the machine. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ouro/version.h>

#include "bench.h"
#include "peer.h"
#include "process.h"
#include "report.h"

enum { ROWS_MAX = 1024, WRONG_MAX = 64, FACTS_MAX = 16 };

typedef struct row {
    const char *benchmark;
    char what[112];
    const char *unit; /* "ratio" for ratios */
    double median, min, max;
    bool single; /* one number, no spread */
    bench_bar bar;
} row;

typedef struct fact {
    const char *name;
    char value[224];
} fact;

static row rows[ROWS_MAX];
static size_t rows_count;
static char wrong[WRONG_MAX][224];
static size_t wrong_count;
static fact facts[FACTS_MAX];
static size_t facts_count;
static const char *current = "";
static double begin_s, others_before_s;

static void fact_add(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool progress_open;

/* ---- progress and checks ---- */

void bench_progress(const char *format, ...)
{
    /* Many short lines help nobody who reads a log. */
    if (!isatty(STDERR_FILENO))
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "\r\033[K[%s] ", current);
    vfprintf(stderr, format, args);
    fflush(stderr);
    va_end(args);
    progress_open = true;
}

static void progress_clear(void)
{
    if (progress_open)
        fprintf(stderr, "\r\033[K");
    progress_open = false;
}

void bench_check(bool ok, const char *format, ...)
{
    char text[sizeof wrong[0]];
    if (ok)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    progress_clear();
    fprintf(stderr, "WRONG RESULT: %s: %s\n", current, text);
    if (wrong_count < WRONG_MAX)
        snprintf(wrong[wrong_count], sizeof wrong[0], "%.40s: %.180s", current, text);
    wrong_count++;
}

bool report_wrong(void)
{
    return wrong_count != 0;
}

/* ---- statistics ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_percentile(double *samples, size_t count, double p)
{
    if (count == 0)
        return 0;
    qsort(samples, count, sizeof *samples, compare_doubles);
    size_t i = (size_t)(p * (double)count);
    return samples[i < count ? i : count - 1];
}

static double median_of_sorted(const double *samples, size_t count)
{
    return count % 2 ? samples[count / 2] : (samples[count / 2 - 1] + samples[count / 2]) / 2;
}

/* ---- rows ---- */

static void print_row(FILE *out, const row *r);

static void row_add(const char *what, const char *unit, const double *samples, size_t count, bench_bar bar)
{
    double sorted[BENCH_REPETITIONS_MAX];
    if (rows_count == ROWS_MAX || count == 0)
        return;
    if (count > BENCH_REPETITIONS_MAX)
        count = BENCH_REPETITIONS_MAX;
    memcpy(sorted, samples, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    row *r = &rows[rows_count++];
    *r = (row){.benchmark = current, .unit = unit, .bar = bar, .single = count == 1};
    snprintf(r->what, sizeof r->what, "%s", what);
    r->median = median_of_sorted(sorted, count);
    r->min = sorted[0];
    r->max = sorted[count - 1];
    progress_clear();
    print_row(stderr, r);
}

void bench_samples(const char *what, const double *samples, size_t count, const char *unit, bench_bar bar)
{
    row_add(what, unit, samples, count, bar);
}

void bench_value(const char *what, const bench_series *series, double scale, const char *unit)
{
    double samples[BENCH_REPETITIONS_MAX];
    for (size_t i = 0; i < series->repetitions; i++)
        samples[i] = series->ns[i] * scale;
    row_add(what, unit, samples, series->repetitions, BENCH_INFORMATION);
}

void bench_values(const bench_series *series, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bench_value(series[i].name, &series[i], 1, "ns");
}

void bench_ratio(const char *what, const bench_series *a, const bench_series *b, bench_bar bar)
{
    double samples[BENCH_REPETITIONS_MAX];
    size_t count = a->repetitions < b->repetitions ? a->repetitions : b->repetitions;
    for (size_t i = 0; i < count; i++)
        samples[i] = a->ns[i] / b->ns[i];
    row_add(what, "ratio", samples, count, bar);
}

void bench_number(const char *what, double value, const char *unit, bench_bar bar)
{
    row_add(what, unit, &value, 1, bar);
}

static bool row_met(const row *r)
{
    return r->bar.sense == BENCH_AT_MOST ? r->median <= r->bar.value : r->median >= r->bar.value;
}

/* "met", or by how much not, and whether single repetitions disagree with the median. */
static void verdict(const row *r, char *text, size_t size)
{
    if (r->bar.sense == BENCH_NO_BAR) {
        text[0] = '\0';
        return;
    }
    bool divided = r->min <= r->bar.value && r->bar.value < r->max;
    double off = r->bar.sense == BENCH_AT_MOST ? r->median / r->bar.value - 1 : 1 - r->median / r->bar.value;
    if (row_met(r))
        snprintf(text, size, "met%s", divided ? " (not in every repetition)" : "");
    else if (r->bar.value == 0)
        snprintf(text, size, "missed");
    else
        snprintf(text, size, "missed by %.1f %%%s", off * 100, divided ? " (met in some repetitions)" : "");
}

static void print_row(FILE *out, const row *r)
{
    char bar[24] = "", text[64], range[40] = "";
    verdict(r, text, sizeof text);
    if (r->bar.sense != BENCH_NO_BAR)
        snprintf(bar, sizeof bar, "%s %.4g", r->bar.sense == BENCH_AT_MOST ? "<=" : ">=", r->bar.value);
    if (!r->single)
        snprintf(range, sizeof range, "%.3f .. %.3f", r->min, r->max);
    fprintf(out, "%-9s %-68s %10.3f %-6s %-22s %-8s %s\n", r->benchmark, r->what, r->median, r->unit, range, bar, text);
}

void report_benchmark(const char *name)
{
    current = name;
}

void report_table(FILE *out)
{
    size_t bars = 0, met = 0;
    progress_clear();
    fprintf(out, "\n");
    for (size_t i = 0; i < facts_count; i++)
        fprintf(out, "%-12s %s\n", facts[i].name, facts[i].value);
    fprintf(out, "\n%-9s %-68s %10s %-6s %-22s %-8s %s\n", "benchmark", "what", "median", "", "min .. max", "bar",
            "verdict");
    for (size_t i = 0; i < rows_count; i++) {
        if (i != 0 && strcmp(rows[i].benchmark, rows[i - 1].benchmark) != 0)
            fprintf(out, "\n");
        print_row(out, &rows[i]);
        if (rows[i].bar.sense != BENCH_NO_BAR) {
            bars++;
            met += row_met(&rows[i]);
        }
    }
    fprintf(out, "\n%zu of %zu bars met%s; %zu wrong results\n", met, bars,
            bench_quick ? " (a quick run: do not quote)" : "", wrong_count);
}

/* ---- the machine ---- */

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

void report_begin(void)
{
    char text[200];
    struct utsname system;
    read_line("/proc/cpuinfo", "model name", text, sizeof text);
    fact_add("processor", "%s, %ld processors", text, sysconf(_SC_NPROCESSORS_ONLN));
    if (uname(&system) == 0)
        fact_add("kernel", "%s %s %s", system.sysname, system.release, system.machine);
    fact_add("compiler", "%s", __VERSION__);
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
void report_end(void)
{
    double capacity = (bench_now() - begin_s) * (double)sysconf(_SC_NPROCESSORS_ONLN);
    double taken = capacity > 0 ? (process_others_cpu() - others_before_s) / capacity : 0;
    fact_add("others", "had %.0f %% of the processors meanwhile", 100 * (taken > 0 ? taken : 0));
}

/* ---- JSON ---- */

static void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text >= ' ')
            fputc(*text, out);
    }
    fputc('"', out);
}

static void json_row(FILE *out, const row *r)
{
    fprintf(out, "{\"benchmark\": ");
    json_string(out, r->benchmark);
    fprintf(out, ", \"what\": ");
    json_string(out, r->what);
    fprintf(out, ", \"unit\": ");
    json_string(out, r->unit);
    fprintf(out, ", \"median\": %.6g, \"min\": %.6g, \"max\": %.6g", r->median, r->min, r->max);
    if (r->bar.sense != BENCH_NO_BAR)
        fprintf(out, ", \"bar\": {\"%s\": %.6g, \"met\": %s}", r->bar.sense == BENCH_AT_MOST ? "at_most" : "at_least",
                r->bar.value, row_met(r) ? "true" : "false");
    fprintf(out, "}");
}

bool report_json(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    fprintf(out, "{\n  \"quick\": %s,\n  \"machine\": {", bench_quick ? "true" : "false");
    for (size_t i = 0; i < facts_count; i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_string(out, facts[i].name);
        fprintf(out, ": ");
        json_string(out, facts[i].value);
    }
    fprintf(out, "\n  },\n  \"wrong\": [");
    for (size_t i = 0; i < wrong_count && i < WRONG_MAX; i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_string(out, wrong[i]);
    }
    fprintf(out, "\n  ],\n  \"rows\": [");
    for (size_t i = 0; i < rows_count; i++) {
        fprintf(out, "%s\n    ", i ? "," : "");
        json_row(out, &rows[i]);
    }
    fprintf(out, "\n  ]\n}\n");
    bool ok = !ferror(out);
    return fclose(out) == 0 && ok;
}
