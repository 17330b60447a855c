/* SPDX-License-Identifier: MIT
 *
 * A thread's stopwatch. On a busy machine the longest of a million short actions is one during which the system gave
 * the processor to somebody else, and says nothing about the program. So the watch knows whether that has happened. It
 * asks the system only when much time has gone, for asking takes time as well. */
#ifndef DEMO_WATCH_H
#define DEMO_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"

struct watch {
    uint64_t start, stop;
    /* When it last looked: */
    size_t preempted; /* times that the system had taken the processor from the thread */
    size_t waited;    /* times that the thread had given it up by itself, to wait for something */
};

/* What watches have measured. */
struct timing {
    struct histogram all;
    uint64_t longest_undisturbed; /* of those during which the thread was not preempted; to have waited is no excuse */
};

void watch_init(struct watch *watch);
void watch_look(struct watch *watch);

/* What lies between goes into the timing. */
void watch_start(struct watch *watch);
void watch_stop(struct watch *watch, struct timing *timing);

void timing_merge(struct timing *to, const struct timing *from);

#endif
