/* SPDX-License-Identifier: MIT
 *
 * Inside the phase "read and write": what those at work share. */
#ifndef DEMO_TRAFFIC_H
#define DEMO_TRAFFIC_H

#include "demo.h"

#define WRITERS 2

struct shift {
    struct graph *graph;
    uint64_t end;
    atomic_bool collecting; /* now */
    atomic_bool failed;     /* no memory: everybody stops */
    struct traffic *total;
    pthread_mutex_t adding; /* to the total */
};

static inline bool shift_goes_on(struct shift *shift)
{
    return !atomic_load(&shift->failed) && now_ns() < shift->end;
}

/* Each fills in its part of *mine, and is back when the shift is over. */
void read_shift(struct shift *shift, struct rng rng, struct traffic *mine);
void write_shift(struct shift *shift, unsigned writer, struct rng rng, struct traffic *mine);

#endif
