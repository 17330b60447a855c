/* SPDX-License-Identifier: MIT
 *
 * Durations, sorted into buckets whose width grows with them: from a nanosecond to hours, each is a thirty-second part
 * of what it holds. So any number of durations takes the same 10 KiB, and a percentile is at most 3 % too high. */
#ifndef DEMO_HISTOGRAM_H
#define DEMO_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_PARTS 32 /* of each power of two */
#define HISTOGRAM_BUCKETS (40 * HISTOGRAM_PARTS)

struct histogram {
    size_t count;
    uint64_t max; /* exact */
    size_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_merge(struct histogram *to, const struct histogram *from);

/* So many ns or less is what the share of all took, 0.99 for instance. 0 if there are none. */
uint64_t histogram_share(const struct histogram *histogram, double share);

#endif
