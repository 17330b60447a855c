/* SPDX-License-Identifier: MIT
 *
 * Between main.c and report.c: the table, the JSON file and the machine. Benchmarks do not need it. */
#ifndef OURO_BENCH_REPORT_H
#define OURO_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

void report_begin(void);                 /* looks at the machine before it is busy with us */
void report_benchmark(const char *name); /* rows from here on belong to it */
void report_end(void);                   /* and how busy others have kept it */
void report_table(FILE *out);
bool report_json(const char *path);
bool report_wrong(void); /* true if a check has failed */

#endif
