/* SPDX-License-Identifier: MIT
 *
 * What the machine gives to several threads that have nothing to do with each other: arithmetic in registers, which shares no cache line, no
 * memory and no lock.
 *
 * Two processors of a virtual machine may be the two hyperthreads of one core, now and then or always, and nothing in the machine tells. Then
 * two threads that wait most of the time go on as if each had a core, and two that execute as much as a core can get half of one each. So
 * there are two kinds, and there are moments: a measurement of a second is of both states, one of some milliseconds between two looks at
 * what the machine gives is of what the looks have seen. */
#ifndef OURO_BENCH_PROCESSORS_H
#define OURO_BENCH_PROCESSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"

/* n steps, each of which waits for the one before: a fraction of an instruction in each cycle. Returns what depends on n alone. */
uint64_t processors_wait(uint64_t n);
/* n times eight steps that do not wait for each other: as many instructions in each cycle as a core executes. Returns whether the sums are right. */
bool processors_fill(uint64_t n);

/* Some milliseconds of one thread's work and of two threads'. Returns the throughput of the two over that of the one. */
typedef double processors_gain(void *arg);

typedef struct processors_moment {
    const char *name; /* of the row */
    processors_gain *gain;
    void *arg;
} processors_moment;

enum { PROCESSORS_MOMENTS_MAX = 4 };

/* A row for each: the gain in those moments in which two threads of the team, which has two, had a core each. */
void processors_moments(bench_team *team, const processors_moment *moments, size_t count);

#endif
