/* SPDX-License-Identifier: MIT
 *
 * Counting far apart. A collection counts references in the order of the objects that they are in, so each count is at another place
 * in memory, and most are in no cache: it would wait for memory once per reference. Here a count that is to change is fetched first, and
 * changed when LAG others have been asked for (prefetching a known distance ahead: Mowry, Lam and Gupta, "Design and Evaluation of a Compiler
 * Algorithm for Prefetching", ASPLOS 1992, section 2). */
#pragma once

#include "lib_base_base.h"

#define OI_TALLY_LAG 32u

struct oi_tally {
    bool direct; /* there is nothing to wait for */
    int32_t *due[OI_TALLY_LAG];
    uint32_t next;
    int32_t nobody; /* counted in place of what has not been asked for yet */
    size_t total;   /* how many have been asked for */
};

/* direct: all counts fit into the processor's caches. */
static inline void oi_tally_begin(struct oi_tally *tally, bool direct)
{
    tally->direct = direct;
    tally->next = 0;
    for (uint32_t i = 0; i < OI_TALLY_LAG; i++)
        tally->due[i] = &tally->nobody;
    tally->nobody = 0;
    tally->total = 0;
}

/* step: what each count changes by, the same throughout. */
static OI_ALWAYS_INLINE void oi_tally_count(struct oi_tally *tally, int32_t step, int32_t *count)
{
    tally->total++;
    if (tally->direct) {
        *count += step;
        return;
    }
    int32_t **due = &tally->due[tally->next++ % OI_TALLY_LAG];
    __builtin_prefetch(count, 1);
    **due += step;
    *due = count;
}

/* Until then the counts are not what they should be. */
static inline void oi_tally_end(struct oi_tally *tally, int32_t step)
{
    for (uint32_t i = 0; i < OI_TALLY_LAG; i++)
        *tally->due[i] += step;
}
