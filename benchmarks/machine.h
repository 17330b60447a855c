/* SPDX-License-Identifier: MIT
 *
 * The machine, in lines of a name and a text. */
#ifndef OURO_BENCH_MACHINE_H
#define OURO_BENCH_MACHINE_H

#include <stddef.h>

typedef struct fact {
    const char *name;
    char value[224];
} fact;

void machine_look(void);      /* before it is busy with us */
void machine_look_back(void); /* how busy others have kept it since then */

/* The facts known so far, in order; NULL after the last. */
const fact *machine_fact(size_t index);

#endif
