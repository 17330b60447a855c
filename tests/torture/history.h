/* SPDX-License-Identifier: MIT
 *
 * What each thread did last: a ring of events for each, written by its thread alone, and read by whoever reports a failure, also in a signal
 * handler. A worker's threads, one after the other, have one ring; the library's threads get theirs when they run code of ours. */
#ifndef TORTURE_HISTORY_H
#define TORTURE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

/* X(constant, name, what the last two numbers are): numbers are ids of objects where nothing else is said. */
#define EVENTS(X)                                  \
    X(NOTHING, "")                                 \
    X(STEP, "step")                                \
    X(MAKE, "make")                                \
    X(GET, "get")                                  \
    X(SET, "set")                                  \
    X(GIVE, "give")                                \
    X(TAKE, "take")                                \
    X(SWAP, "swap")                                \
    X(COMPARE_SET, "compare_set")                  \
    X(NOT_SET, "compare_set, not done")            \
    X(RELEASE, "release")                          \
    X(SHARE, "share")                              \
    X(TRY_RETAIN, "try_retain")                    \
    X(WEAK_GET, "weak_get")                        \
    X(FINALIZER, "finalizer")                      \
    X(WEAK_CALLBACK, "weak callback")              \
    X(IMMORTALIZE, "immortalize")                  \
    X(REFUGE_PUT, "put into the refuge")           \
    X(REFUGE_TAKE, "taken from the refuge")        \
    X(COLLECT, "collect (generation)")             \
    X(CONTAINER_PUT, "put into a container")       \
    X(CONTAINER_TOOK, "taken from a container")    \
    X(FORK, "fork (process)")                      \
    X(THREAD, "thread begins, or attaches (unbiased)") \
    X(MEET, "waits for the others")

#define EVENT_CONSTANT(constant, name) EVENT_##constant,
enum event { EVENTS(EVENT_CONSTANT) EVENT_COUNT };
#undef EVENT_CONSTANT

struct happening {
    uint64_t time;      /* ns, monotonic */
    uint64_t step;      /* of the worker */
    enum event event;
    unsigned slot;      /* of the container */
    uint32_t container; /* id; of EVENT_STEP, the number of the step in the table of steps */
    uint32_t before, after;
};

void history_start(unsigned workers);

/* The calling thread's: numbers below the number of workers, which is the main thread's. */
void history_join(unsigned number);

void history_step(uint64_t step, uint32_t which);
void history_note(enum event event, uint32_t container, unsigned slot, uint32_t before, uint32_t after);

/* For reports: how many rings there are; what a ring's thread did, `ago` events before its last; false: nothing, or long ago. */
unsigned history_count(void);
bool history_look(unsigned number, uint64_t ago, struct happening *happening);
uint64_t history_clock(void);

#endif
