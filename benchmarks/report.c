/* SPDX-License-Identifier: MIT
 *
 * Rows and curves, the table at the end, progress and checks. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

enum { ROWS_MAX = 1024, WRONG_MAX = 64, CURVES_MAX = 64 };

static report_row rows[ROWS_MAX];
static size_t rows_count;
static char wrong[WRONG_MAX][224];
static size_t wrong_count;
static report_curve curves[CURVES_MAX];
static size_t curves_count;
static const char *current = "";
static char place[48]; /* of the current benchmark among those that run */
static double begin_s;
static bool progress_open;

/* ---- progress and checks ---- */

void bench_progress(const char *format, ...)
{
    /* Many short lines help nobody who reads a log. */
    if (!isatty(STDERR_FILENO))
        return;
    va_list args;
    va_start(args, format);
    unsigned seconds = (unsigned)(bench_now() - begin_s);
    fprintf(stderr, "\r\033[K[%s, %s%u:%02u] ", current, place, seconds / 60, seconds % 60);
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

static void print_row(FILE *out, const report_row *r);

static report_row *row_add(const char *what, const char *unit, const double *samples, size_t count, bench_bar bar)
{
    double sorted[BENCH_REPETITIONS_MAX];
    if (rows_count == ROWS_MAX || count == 0)
        return NULL;
    if (count > BENCH_REPETITIONS_MAX)
        count = BENCH_REPETITIONS_MAX;
    memcpy(sorted, samples, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    report_row *r = &rows[rows_count++];
    *r = (report_row){.benchmark = current, .unit = unit, .bar = bar, .single = count == 1};
    snprintf(r->what, sizeof r->what, "%s", what);
    r->median = median_of_sorted(sorted, count);
    r->min = sorted[0];
    r->max = sorted[count - 1];
    progress_clear();
    print_row(stderr, r);
    return r;
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
    report_row *r = row_add(what, "ratio", samples, count, bar);
    if (r) {
        snprintf(r->of, sizeof r->of, "%s", a->name);
        snprintf(r->to, sizeof r->to, "%s", b->name);
    }
}

void bench_number(const char *what, double value, const char *unit, bench_bar bar)
{
    row_add(what, unit, &value, 1, bar);
}

bool report_met(const report_row *r)
{
    return r->bar.sense == BENCH_AT_MOST ? r->median <= r->bar.value : r->median >= r->bar.value;
}

/* "met", or by how much not, and whether single repetitions disagree with the median. */
static void verdict(const report_row *r, char *text, size_t size)
{
    if (r->bar.sense == BENCH_NO_BAR) {
        text[0] = '\0';
        return;
    }
    bool divided = r->min <= r->bar.value && r->bar.value < r->max;
    double off = r->bar.sense == BENCH_AT_MOST ? r->median / r->bar.value - 1 : 1 - r->median / r->bar.value;
    if (report_met(r))
        snprintf(text, size, "met%s", divided ? " (not in every repetition)" : "");
    else if (r->bar.value == 0)
        snprintf(text, size, "missed");
    else
        snprintf(text, size, "missed by %.1f %%%s", off * 100, divided ? " (met in some repetitions)" : "");
}

static void print_row(FILE *out, const report_row *r)
{
    char bar[24] = "", text[64], range[40] = "";
    verdict(r, text, sizeof text);
    if (r->bar.sense != BENCH_NO_BAR)
        snprintf(bar, sizeof bar, "%s %.4g", r->bar.sense == BENCH_AT_MOST ? "<=" : ">=", r->bar.value);
    if (!r->single)
        snprintf(range, sizeof range, "%.3f .. %.3f", r->min, r->max);
    fprintf(out, "%-9s %-68s %10.3f %-6s %-22s %-8s %s\n", r->benchmark, r->what, r->median, r->unit, range, bar, text);
}

void report_begin(void)
{
    begin_s = bench_now();
    machine_look();
    for (size_t i = 0; machine_fact(i); i++)
        fprintf(stderr, "%-12s %s\n", machine_fact(i)->name, machine_fact(i)->value);
    fprintf(stderr, "\n");
}

void report_benchmark(const char *name, unsigned index, unsigned of)
{
    current = name;
    snprintf(place, sizeof place, "%u of %u, ", index, of);
    bench_progress("begins");
}

void report_end(void)
{
    machine_look_back();
}

void report_table(FILE *out)
{
    size_t bars = 0, met = 0;
    progress_clear();
    fprintf(out, "\n");
    for (size_t i = 0; machine_fact(i); i++)
        fprintf(out, "%-12s %s\n", machine_fact(i)->name, machine_fact(i)->value);
    fprintf(out, "\n%-9s %-68s %10s %-6s %-22s %-8s %s\n", "benchmark", "what", "median", "", "min .. max", "bar",
            "verdict");
    for (size_t i = 0; i < rows_count; i++) {
        if (i != 0 && strcmp(rows[i].benchmark, rows[i - 1].benchmark) != 0)
            fprintf(out, "\n");
        print_row(out, &rows[i]);
        if (rows[i].bar.sense != BENCH_NO_BAR) {
            bars++;
            met += report_met(&rows[i]);
        }
    }
    fprintf(out, "\n%zu of %zu bars met%s; %zu wrong results\n", met, bars,
            bench_quick ? " (a quick run: do not quote)" : "", wrong_count);
}

/* ---- curves ---- */

bench_point bench_point_of(double x, double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_doubles);
    return (bench_point){x, median_of_sorted(samples, count), samples[0], samples[count - 1]};
}

void bench_curve(bench_axis axis, const char *plot, const char *name, const char *unit, const bench_point *points, size_t count)
{
    if (curves_count == CURVES_MAX || count == 0)
        return;
    report_curve *c = &curves[curves_count++];
    *c = (report_curve){.benchmark = current, .unit = unit, .axis = axis};
    snprintf(c->plot, sizeof c->plot, "%s", plot);
    snprintf(c->name, sizeof c->name, "%s", name);
    c->count = count < REPORT_POINTS_MAX ? count : REPORT_POINTS_MAX;
    memcpy(c->points, points, c->count * sizeof *points);
}

/* ---- what others print ---- */

const report_row *report_rows(size_t *count)
{
    *count = rows_count;
    return rows;
}

const report_curve *report_curves(size_t *count)
{
    *count = curves_count;
    return curves;
}

const char *report_wrong_text(size_t index)
{
    return index < wrong_count && index < WRONG_MAX ? wrong[index] : NULL;
}
