/* SPDX-License-Identifier: MIT
 *
 * Any number of samples in 30 KiB: a count for each range of values, each range wider by a hundred-and-twenty-eighth of
 * itself than the value it begins with. So a percentile is right to less than one per cent. */
#ifndef OURO_BENCH_HISTOGRAM_H
#define OURO_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_FINE = 7,
    HISTOGRAM_BITS = 36,
    HISTOGRAM_RANGES = (HISTOGRAM_BITS - HISTOGRAM_FINE + 1) << HISTOGRAM_FINE
};

typedef struct histogram {
    uint64_t samples, sum, max;
    uint64_t counts[HISTOGRAM_RANGES]; /* of values below 2^HISTOGRAM_BITS; the last one, also of all above */
} histogram;

/* Values below 128 have a range each. Of larger ones, the highest bit and the seven after it count. */
static inline unsigned histogram_range(uint64_t value)
{
    unsigned shift = value >> HISTOGRAM_FINE ? 63 - HISTOGRAM_FINE - (unsigned)__builtin_clzll(value) : 0;
    uint64_t range = ((uint64_t)shift << HISTOGRAM_FINE) + (value >> shift);
    return range < HISTOGRAM_RANGES ? (unsigned)range : HISTOGRAM_RANGES - 1;
}

static inline void histogram_add(histogram *h, uint64_t value)
{
    h->samples++;
    h->sum += value;
    h->max = value > h->max ? value : h->max;
    h->counts[histogram_range(value)]++;
}

/* The value that p (0 to 1) of the samples do not exceed. */
double histogram_percentile(const histogram *h, double p);

/* How many samples are in the range of value or above it. */
uint64_t histogram_count_from(const histogram *h, uint64_t value);

#endif
