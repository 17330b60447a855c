/* SPDX-License-Identifier: MIT
 *
 * The collector of cycles. Generation 0 is the calling thread's private objects: its own young collection finds the
 * cycles among them, touching nobody else. */
#ifndef OURO_GC_H
#define OURO_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ouro/status.h>

OURO_BEGIN_DECLS

#define OURO_GC_GENERATIONS 3

typedef struct ouro_gc_generation_stats {
    uint64_t collections;    /* finished */
    uint64_t collected;      /* objects found unreachable and freed */
    uint64_t uncollectable;  /* always 0 */
    uint64_t candidates;     /* objects looked at */
    uint64_t duration_ns;    /* sum of the collections' durations, monotonic clock */
    uint64_t duration_max_ns;
} ouro_gc_generation_stats;

typedef struct ouro_gc_stats {
    size_t size;             /* as given to ouro_gc_get_stats; members beyond it are not written */
    ouro_gc_generation_stats generation[OURO_GC_GENERATIONS];
} ouro_gc_stats;

/* Collects the calling thread's young cycles, also while collection is disabled, and runs the finalizers and weak
 * callbacks of what it found (unless OURO_FINALIZE_MANUAL, or called from one of those). Generations 1 and 2, of shared
 * objects, are not collected yet: asking for them collects generation 0. Returns the number of unreachable objects found, or a negative status: OURO_E_INVALID for any other
 * generation, OURO_E_AGAIN or OURO_E_NOMEM if the thread could not be attached, OURO_E_NOMEM also if there is no memory for what waits for finalizers, OURO_E_USAGE inside a read section.
 * O(the thread's private objects); stops and waits for nobody. */
OURO_API long ouro_gc_collect(int generation);

/* Automatic collection, on at start. Turning it off stops neither counting nor ouro_gc_collect. Any thread. */
OURO_API void ouro_gc_enable(void);
OURO_API void ouro_gc_disable(void);
OURO_API bool ouro_gc_is_enabled(void);

/* threshold[0]: a thread collects when the blocks in use on its young pages (those with private objects that have slots) are that many more
 * than after its last collection. 0 (the default) means "choose by yourself": from 10 000, more while collections find nothing. Numbers
 * other than 0 pin it. threshold[1], threshold[2]: kept for the older generations. */
OURO_API void ouro_gc_get_threshold(size_t out[3]);
OURO_API ouro_status ouro_gc_set_threshold(const size_t in[3]);

/* out[0]: the calling thread's private objects made, less those gone, since its last collection; out[1], out[2]: 0.
 * Of objects that can be in cycles. Reading changes nothing. Exact; O(blocks of the thread's young pages). */
OURO_API void ouro_gc_get_count(size_t out[3]);

/* Writes at most size bytes of the process's totals, exited threads included. Any thread; a moment's reading. */
OURO_API void ouro_gc_get_stats(ouro_gc_stats *stats, size_t size);

/* True if a cycle could pass through the object: it has slots, and its type is not OURO_TYPE_ACYCLIC. */
OURO_API bool ouro_gc_is_tracked(const void *object);

/* True once the object's finalizer has been called (or is about to be). */
OURO_API bool ouro_gc_is_finalized(const void *object);

/* Runs at most budget waiting finalizers and weak callbacks of the calling thread's garbage cycles (under OURO_FINALIZE_MANUAL
 * nothing else does). Returns how many ran. */
OURO_API size_t ouro_finalizers_run(size_t budget);

OURO_END_DECLS
#endif
