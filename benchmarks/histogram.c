/* SPDX-License-Identifier: MIT */
#include "histogram.h"

static double range_begin(unsigned range)
{
    unsigned shift = range >> HISTOGRAM_FINE;
    if (shift == 0)
        return range;
    shift--;
    return (double)((uint64_t)(range - (shift << HISTOGRAM_FINE)) << shift);
}

double histogram_percentile(const histogram *h, double p)
{
    double wanted = p * (double)h->samples, below = 0;
    for (unsigned i = 0; i < HISTOGRAM_RANGES; i++) {
        if (h->counts[i] == 0 || below + (double)h->counts[i] < wanted) {
            below += (double)h->counts[i];
            continue;
        }
        /* As if the samples of a range were spread evenly in it. */
        double begin = range_begin(i), end = range_begin(i + 1);
        double value = begin + (end - begin) * (wanted - below) / (double)h->counts[i];
        return value < (double)h->max ? value : (double)h->max;
    }
    return (double)h->max;
}

uint64_t histogram_count_from(const histogram *h, uint64_t value)
{
    uint64_t count = 0;
    for (unsigned i = histogram_range(value); i < HISTOGRAM_RANGES; i++)
        count += h->counts[i];
    return count;
}
