/* SPDX-License-Identifier: MIT
 *
 * What the machine gives to several threads that have nothing to do with each other: arithmetic in registers, which shares no cache line, no
 * memory and no lock.
 *
 * Two processors of a virtual machine may be the two hyperthreads of one core, now and then or always, and nothing in the machine tells. Then
 * two threads that wait most of the time go on as if each had a core, and two that execute as much as a core can get half of one each. So
 * there are two kinds. */
#ifndef OURO_BENCH_PROCESSORS_H
#define OURO_BENCH_PROCESSORS_H

#include <stdbool.h>
#include <stdint.h>

/* n steps, each of which waits for the one before: a fraction of an instruction in each cycle. Returns what depends on n alone. */
uint64_t processors_wait(uint64_t n);
/* n times eight steps that do not wait for each other: as many instructions in each cycle as a core executes. Returns whether the sums are right. */
bool processors_fill(uint64_t n);

#endif
