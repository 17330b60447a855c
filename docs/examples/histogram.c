/* SPDX-License-Identifier: MIT */
#include "histogram.h"

/* Below 2 * PARTS each number has a bucket of its own; from there on each power of two has PARTS of them. */
static size_t bucket_of(uint64_t ns)
{
    unsigned shift = 0;
    while (ns >> shift >= 2 * HISTOGRAM_PARTS)
        shift++;
    size_t bucket = shift * HISTOGRAM_PARTS + (size_t)(ns >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest number in it. */
static uint64_t bucket_end(size_t bucket)
{
    size_t shift = bucket < 2 * HISTOGRAM_PARTS ? 0 : bucket / HISTOGRAM_PARTS - 1;
    return (((uint64_t)(bucket - shift * HISTOGRAM_PARTS) + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->buckets[bucket_of(ns)]++;
    if (ns > histogram->max)
        histogram->max = ns;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    to->count += from->count;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
    if (from->max > to->max)
        to->max = from->max;
}

uint64_t histogram_share(const struct histogram *histogram, double share)
{
    size_t below = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += histogram->buckets[i];
        if (below > 0 && (double)below >= share * (double)histogram->count)
            return i == HISTOGRAM_BUCKETS - 1 || bucket_end(i) > histogram->max ? histogram->max : bucket_end(i);
    }
    return 0;
}
