/* SPDX-License-Identifier: MIT
 *
 * A thread's stopwatch. On a busy machine the longest of a million short actions is the one during which the system gave
 * the processor to somebody else; that says nothing about the program. So the watch knows whether that happened. It asks
 * the system only if much time has gone: asking takes time, too. */
#ifndef DEMO_WATCH_H
#define DEMO_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "histogram.h"

struct watch {
    uint64_t start, stop;
    size_t preempted; /* times that the system took the processor from the thread, when the watch last looked */
    size_t waited;    /* times that the thread gave it up by itself, to wait for something; the same */
};

/* What the watch measured. */
struct timing {
    struct histogram all;
    uint64_t longest_undisturbed; /* of those during which the thread was not preempted; waiting is no excuse */
};

void watch_init(struct watch *watch);
void watch_start(struct watch *watch);
void watch_stop(struct watch *watch, struct timing *timing);
void watch_look(struct watch *watch);

void timing_merge(struct timing *to, const struct timing *from);

#endif
