/* SPDX-License-Identifier: MIT
 *
 * Between main.c, report.c and json.c: rows, curves, and what was wrong. Benchmarks do not need it. */
#ifndef OURO_BENCH_REPORT_H
#define OURO_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "bench.h"

enum { REPORT_POINTS_MAX = 160 };

typedef struct report_row {
    const char *benchmark;
    char what[112];
    const char *unit;     /* "ratio" for ratios */
    char of[112], to[112]; /* for a ratio of two series, their names */
    double median, min, max;
    bool single; /* one number, no spread */
    bench_bar bar;
} report_row;

typedef struct report_curve {
    const char *benchmark;
    char plot[112], name[112];
    const char *unit;
    bench_axis axis;
    size_t count;
    bench_point points[REPORT_POINTS_MAX];
} report_curve;

void report_begin(void);                                                /* looks at the machine before it is busy with us */
void report_benchmark(const char *name, unsigned index, unsigned of); /* rows from here on belong to it */
void report_end(void);                                                  /* and how busy others have kept it */
void report_table(FILE *out);
bool report_json(const char *path);
bool report_wrong(void); /* true if a check has failed */

const report_row *report_rows(size_t *count);
const report_curve *report_curves(size_t *count);
const char *report_wrong_text(size_t index); /* NULL after the last */
bool report_met(const report_row *row);      /* only for a row with a bar */

#endif
