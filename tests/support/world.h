/* SPDX-License-Identifier: MIT
 *
 * Small random graphs of shared objects, what threads do to them, and an oracle. Two to four threads change a graph with
 * every operation there is (slots, which hold references or numbers, weak references, read sections, finalizers that
 * keep their object or another, threads that are born, park, detach and end, unbiased threads), while others, and these
 * themselves, collect generations 1 and 2 all the time. In debug builds the collector's steps are drawn out at random
 * (support/perturb.h); in all but ThreadSanitizer's, threads are paused between any two instructions (support/preempt.h).
 *
 * Asserted all the time: what is reached is an object with intact contents. Asserted after each phase, when all threads
 * wait and a collection finds nothing more: the number of live objects is what a mark from the roots reaches, exactly;
 * the count of each is the number of its references; what is gone was finalized exactly once, what lives at most
 * once; weak references lead to their targets or, if these are gone, to nothing, and have called back then.
 *
 * Everything random comes from the seed and the graph's number; how the threads meet does not. */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct world_size {
    int graphs;
    int repeats;       /* of the one graph that OURO_TEST_GRAPH=number asks for */
    unsigned steps;    /* of each thread, on the average, times 10; 0: as many as usual */
    unsigned mutators; /* at most; 0: as many as usual */
};

/* Makes and runs the graphs. The caller has started the runtime. False: something was wrong (reported; enough is enough). */
bool world_run(uint64_t seed, struct world_size size);

/* Prints what has been done, one line. */
void world_print(void);

/* Failures so far, with the graph's number, are printed as they come. expect gives ok back. */
long world_failures(void);
bool world_expect(bool ok, const char *what, long number);

/* ---- For tests that fork ---- */

/* Where a thread may be when it calls world_at. */
enum world_place {
    WORLD_STEP,          /* between two steps: in no section, no user code */
    WORLD_READING,       /* in a read section */
    WORLD_BLOCKING,      /* in a blocking region */
    WORLD_BORN,          /* a new thread, not attached */
    WORLD_COLLECTING,    /* between two collections, on a thread that does nothing else */
    WORLD_FINALIZER,
    WORLD_WEAK_CALLBACK,
    WORLD_GC_START,
    WORLD_GC_STOP,
    WORLD_PLACES
};

/* Called at these places if not NULL, by any thread. */
extern void (*world_at)(enum world_place place);

/* True on the threads that the world has made; false on the library's own. */
bool world_is_own_thread(void);

/* Called by the thread that has forked, at once, in the child. */
void world_forked(void);

/* In the child of a fork: of the old graph what was shared is still there and may be changed, but its other threads are
 * gone. Checks what can be reached of it, and what the calling thread holds, if it is one of the world's. */
void world_check_old(void);

/* Some steps with it, by the thread that was in the fork, or on behalf of the first. */
void world_use_old(unsigned steps);

/* Leaves the old graph to itself: what threads hold of it is dropped if it was this thread's, else lost. From here on
 * world_run may be called again, and objects of the old graph are told from new ones. */
void world_leave_old(void);

#endif
