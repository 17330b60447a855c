/* SPDX-License-Identifier: MIT
 *
 * The collector of cycles. Generation 0 is the calling thread's private objects: its own young collection finds the
 * cycles among them, touching nobody else. Generations 1 (recently shared) and 2 (all) are the shared objects, whose cycles the
 * concurrent collection finds while every thread goes on: by itself on a thread of the library, ouro-collector. Finalizers and weak
 * callbacks of what it finds run on another one, ouro-finalizer. */
#ifndef OURO_GC_H
#define OURO_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ouro/status.h>

OURO_BEGIN_DECLS

#define OURO_GC_GENERATIONS 3

/* Why a collection ran. */
typedef enum ouro_gc_reason {
    OURO_GC_REASON_ASKED,  /* ouro_gc_collect, ouro_gc_collect_async; detaching, ouro_shutdown */
    OURO_GC_REASON_COUNT,  /* objects made (generation 0), or a threshold that was set (1 and 2) */
    OURO_GC_REASON_GROWTH, /* memory in use has grown since the last one */
    OURO_GC_REASON_MEMORY, /* over the soft limit, or memory is out */
    OURO_GC_REASON_OWNER,  /* dropped references have waited too long for the thread that owns the objects (1 and 2) */
    OURO_GC_REASONS
} ouro_gc_reason;

typedef struct ouro_gc_generation_stats {
    uint64_t collections;    /* finished */
    uint64_t collected;      /* objects found unreachable and freed */
    uint64_t uncollectable;  /* always 0: whatever is found can be freed */
    uint64_t candidates;     /* objects looked at */
    uint64_t duration_ns;    /* sum of the collections' durations, monotonic clock */
    uint64_t duration_max_ns;
    uint64_t suspects;       /* of the candidates, those that looked like garbage at first, or were presumed to be */
    uint64_t reasons[OURO_GC_REASONS]; /* collections by reason */
} ouro_gc_generation_stats;

typedef struct ouro_gc_stats {
    size_t size;             /* as given to ouro_gc_get_stats; members beyond it are not written */
    ouro_gc_generation_stats generation[OURO_GC_GENERATIONS];
} ouro_gc_stats;

/* Collects, also while collection is disabled: generation 0, the calling thread's private cycles; with 1, also cycles of objects that were
 * shared recently; with 2, all shared cycles. Finalizers and weak callbacks of what it found have run when it returns, and what they left
 * behind has been collected, at most 8 times over; not with OURO_FINALIZE_MANUAL, or when called from a finalizer or callback: then they
 * wait.
 * Returns the number of unreachable objects found, also those that finalizers have resurrected meanwhile (what only values are
 * made of inside, such as the store of a list, is not counted), or a negative
 * status: OURO_E_INVALID for any other generation, OURO_E_AGAIN or OURO_E_NOMEM if the thread could not be attached, OURO_E_NOMEM also if
 * there is no memory for what waits for finalizers of private cycles (shared ones then wait for a later collection), OURO_E_USAGE inside a
 * read section.
 * Stops nobody. Works on the calling thread: O(its private objects); with 1 and 2, O(shared objects), during which it counts as blocking,
 * and waits for other threads' collections, for read sections under way, and until the finalizer thread has run what was due by then, also
 * by other collections. So hold no lock that a finalizer or weak callback takes. */
OURO_API long ouro_gc_collect(int generation);

/* Asks the collector's own thread for a collection of shared objects (generation 0 counts as 1: private objects are their thread's). Returns at
 * once. OURO_E_INVALID: no such generation. */
OURO_API ouro_status ouro_gc_collect_async(int generation);

/* Automatic collection, on at start. Turning it off stops neither counting nor ouro_gc_collect. Any thread. */
OURO_API void ouro_gc_enable(void);
OURO_API void ouro_gc_disable(void);
OURO_API bool ouro_gc_is_enabled(void);

/* Called on the collecting thread before and after each collection, automatic ones included: for generation 0 that is the thread whose objects
 * they are, perhaps inside ouro_new; otherwise the collector's own thread, or the one that asked. Runs as a finalizer does: it may call any
 * ouro function. */
typedef enum ouro_gc_phase { OURO_GC_START, OURO_GC_STOP } ouro_gc_phase;
typedef struct ouro_gc_info {
    size_t size;
    int generation;
    ouro_gc_reason reason;
    /* the rest with OURO_GC_STOP only */
    uint64_t candidates;     /* objects looked at */
    uint64_t suspects;       /* of these, looked like garbage at first, or were presumed to be */
    uint64_t found;          /* found unreachable */
    uint64_t freed;          /* of these, freed; the others wait for finalizers */
    uint64_t duration_ns;
} ouro_gc_info;
typedef void (*ouro_gc_callback)(ouro_gc_phase phase, const ouro_gc_info *info, void *arg);

/* Registers a callback; returns its id (positive) or a negative status: OURO_E_NOMEM when 16 are registered. After its removal a callback may
 * still be running on another thread. */
OURO_API int ouro_gc_add_callback(ouro_gc_callback fn, void *arg);
OURO_API void ouro_gc_remove_callback(int id);

/* threshold[0]: a thread collects when the blocks in use on its young pages (those with private objects that have slots) are that many more
 * than after its last collection. 0 (the default) means "choose by yourself": from 2048, more while collections find nothing. Numbers
 * other than 0 pin it. threshold[1]: generation 1 is collected after so many collections of
 * generation 0 by any thread; threshold[2]: 2, after so many of 1. 0 (the default): both by the growth of memory in use. */
OURO_API void ouro_gc_get_threshold(size_t out[3]);
OURO_API ouro_status ouro_gc_set_threshold(const size_t in[3]);

/* out[0]: the calling thread's private objects made, less those gone, since its last collection; out[1]: collections of generation 0 since
 * the last of 1 or 2; out[2]: collections of generation 1 since the last of 2. Of objects that can be in cycles. Reading changes nothing. Exact; O(blocks of the thread's young pages). */
OURO_API void ouro_gc_get_count(size_t out[3]);

/* Writes at most size bytes of the process's totals, exited threads included. Any thread; a moment's reading. */
OURO_API void ouro_gc_get_stats(ouro_gc_stats *stats, size_t size);

/* True if a cycle could pass through the object: it has slots, and its type is not OURO_TYPE_ACYCLIC. Freezing does not change it. */
OURO_API bool ouro_gc_is_tracked(const void *object);

/* True once the object's finalizer has been called (or is about to be). */
OURO_API bool ouro_gc_is_finalized(const void *object);

/* Freezing takes all objects that there are out of the collections' sight, as if they were of an acyclic type: for what lives as long as the
 * program, say before it forks. That is the shared objects and the calling thread's private ones; other threads' private objects are theirs to freeze.
 * Counting goes on: a frozen object that loses its last reference goes; if its finalizer keeps it, it is as frozen as it was, and what is called here
 * while it waits for that finalizer does not meet it. Unfreezing is the reverse; private objects are old then: collections of all that the thread has
 * look at them (ouro_gc_collect, and by themselves when enough are old), and ouro_gc_get_count leaves them out. The count is the number of frozen
 * objects, again without other threads' private ones. Any thread, which is attached by this; its finalizers may run. Nothing happens (the count is 0) in
 * a read section, which is reported as misuse, without memory for a pointer per page, and without a thread slot. O(objects); waits for the
 * collection under way, and one that is due waits for this. */
OURO_API void ouro_gc_freeze(void);
OURO_API void ouro_gc_unfreeze(void);
OURO_API size_t ouro_gc_get_freeze_count(void);

/* Called with an object, which stays alive for the call. Any ouro function may be called; what the visitor wants to keep it retains. It returns: no
 * longjmp, no pthread_exit, no read section left open. Not 0: no further call. */
typedef int (*ouro_visitor)(void *object, void *arg);

/* Visits tracked objects that are not frozen: with 0 the calling thread's private ones; with 1 the shared ones that the next collection of generation 1 will look at;
 * with 2 the other shared ones; with -1 all of these. Garbage not yet collected is met, too.
 * Nobody is stopped: an object that is made, shared or dropped meanwhile may be met or not; one that there is all the time is met once. What an
 * unbiased thread is making may be met before it is filled in. While the visit lasts, pages that become empty stay in use.
 * Any thread, which is attached by this; finalizers may run between calls. Visits nothing in a read section, which is reported as misuse, without memory for
 * a pointer per page, and without a thread slot. O(objects). Waits for collections and for ouro_share of other threads, in turns. */
OURO_API void ouro_gc_visit_objects(int generation, ouro_visitor fn, void *arg);

/* Visits what the object's slots refer to, once for each slot that is not empty. The caller holds the object as for ouro_get; in a read section the
 * object may be dead: then nothing is visited. Any thread. */
OURO_API void ouro_gc_visit_referents(void *object, ouro_visitor fn, void *arg);

/* Visits the objects with a slot that refers to the object, each once: those that ouro_gc_visit_objects(-1) looks at, and also those
 * of acyclic types and frozen ones; not weak references. For finding out who keeps an object alive. Conditions as there. */
OURO_API void ouro_gc_visit_referrers(void *object, ouro_visitor fn, void *arg);

/* Debugging, with the numbers of Python's gc. Lines go to stderr. */
#define OURO_GC_DEBUG_STATS 1u         /* a line after each collection */
#define OURO_GC_DEBUG_COLLECTABLE 2u   /* a line for each object that a collection finds unreachable: its type and address */
#define OURO_GC_DEBUG_UNCOLLECTABLE 4u /* the same for what cannot be freed: there is no such thing */
#define OURO_GC_DEBUG_SAVEALL 32u      /* what is found is kept on the garbage list, alive and as it is: no finalizer runs, weak references stay */
#define OURO_GC_DEBUG_LEAK 38u         /* the last three: for finding out which cycles a program makes */

/* Any thread; collections that have begun may still go by what was set before. Other bits are ignored. */
OURO_API void ouro_gc_set_debug(unsigned flags);
OURO_API unsigned ouro_gc_get_debug(void);

/* Visits the garbage list, the objects of private cycles having been shared for that; returns the number of calls. While one thread does, others see
 * only what was found meanwhile. Clearing it releases them: still unreachable, they are garbage as before, for the next collection of generation 2 to find.
 * ouro_shutdown clears it, and the SAVEALL flag. Any thread. */
OURO_API size_t ouro_gc_visit_garbage(ouro_visitor fn, void *arg);
OURO_API void ouro_gc_clear_garbage(void);

/* Runs at most budget waiting finalizers and weak callbacks of garbage cycles, shared ones and the calling thread's private ones (under
 * OURO_FINALIZE_MANUAL nothing else does; otherwise the finalizer thread is at the shared ones, too). Returns how many ran: 0 inside a read
 * section, finalizer or callback. */
OURO_API size_t ouro_finalizers_run(size_t budget);

OURO_END_DECLS
#endif
