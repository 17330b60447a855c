/* SPDX-License-Identifier: MIT
 *
 * What the kernel says of this process, and fresh processes: where a benchmark is about memory or about doing nothing,
 * it must not inherit the heap and the threads of those that ran before. */
#ifndef OURO_BENCH_PROCESS_H
#define OURO_BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes; 0 if the kernel does not tell. The peak is that since the start, or since process_reset_peak. */
double process_resident(void);
double process_peak_resident(void);
void process_reset_peak(void);

/* Seconds that this process, all threads taken together, or this thread has had on a processor. */
double process_cpu(void);
double process_thread_cpu(void);

/* Seconds that anybody else has had on a processor since the system started, the children of this process left out. */
double process_others_cpu(void);

/* Starts this program anew, and in it the child side of the benchmark of that name (see bench_entry), with an argument.
 * Returns true if it has ended well and has printed as many numbers as are wanted; else that is a wrong result. */
bool process_run(const char *benchmark, const char *argument, double *numbers, size_t count);

#endif
