/* SPDX-License-Identifier: MIT
 *
 * Starting, configuring and ending the runtime; reports of misuse.
 *
 * The runtime has at most three threads of its own, each started when there is first something for it to do:
 *     ouro-service     takes the memory of dead shared objects back, and returns free memory to the OS
 *     ouro-collector   automatic collections of shared objects, and those that ouro_gc_collect_async asks for
 *     ouro-finalizer   finalizers of shared garbage cycles, and callbacks of weak references to them (not with OURO_FINALIZE_MANUAL)
 * All signals are blocked in them. ouro_shutdown ends them, and a child of fork is without them, until there is something to do again. */
#ifndef OURO_RUNTIME_H
#define OURO_RUNTIME_H

#include <stddef.h>

#include <ouro/status.h>

OURO_BEGIN_DECLS

/* What a report of misuse says. Nothing was changed by the call it reports, and the heap is valid. */
typedef enum ouro_misuse_kind {
    OURO_MISUSE_OVER_RELEASE = 1,   /* a reference dropped that was not there; an object used after its death */
    OURO_MISUSE_FOREIGN_PRIVATE,    /* a private object used by a thread that it was never shared with */
    OURO_MISUSE_WRONG_TYPE,         /* an object of another type than the call is for, or an unusable type */
    OURO_MISUSE_SLOT_OUTSIDE,       /* a slot that does not lie in its container */
    OURO_MISUSE_WRONG_PLACE,        /* a call made where it is not allowed, such as detach in a read section */
    OURO_MISUSE_OPTION,             /* an OURO_... environment variable that cannot be read; its default is used */
    OURO_MISUSE_LONG_READ,          /* a thread, named in the message, has been in a read section for long, and objects die that wait for its end. Said by the
                                     * thread that finds it, once for each section; never traps */
    OURO_MISUSE_WRITE_AFTER_FREE    /* dev mode: the block of an object that is gone was written to. Found later, on any thread */
} ouro_misuse_kind;

typedef struct ouro_misuse {
    size_t size;                    /* of this struct, for growth */
    ouro_misuse_kind kind;
    const char *call;               /* the public function, such as "ouro_release" */
    const char *type_name;          /* of the object, or "?" */
    const void *object;             /* or NULL */
    const char *message;            /* one sentence */
    const char *details;            /* in dev mode: lines that tell where the object was made, and the last changes of its count; else NULL. For the call */
} ouro_misuse;

/* Called on the thread that made the mistake, or found it if its kind says so, maybe with a lock of the library held; must not call ouro functions
 * that change objects, nor such as collect, trim, visit or shut down, nor fork(). */
typedef void (*ouro_misuse_hook)(const ouro_misuse *misuse, void *arg);

#define OURO_IGNORE_ENVIRONMENT 0x1u  /* OURO_... variables are not read */
#define OURO_FINALIZE_MANUAL 0x2u     /* finalizers and weak callbacks of garbage cycles run in ouro_finalizers_run only */
#define OURO_GC_DISABLED 0x4u         /* start with automatic collection off */
#define OURO_REPORT_LEAKS 0x8u        /* ouro_shutdown prints what was left */
#define OURO_MISUSE_TRAP 0x10u        /* the default hook raises SIGTRAP after printing (the default in debug builds) */
#define OURO_DEVMODE 0x20u            /* dev mode: see below */
#define OURO_USE_MALLOC 0x40u         /* each object is a block of malloc's own, for tools that watch malloc: see below */

/* Zero is the default for every member. The environment, unless ignored, overrides: OURO_SOFT_LIMIT, OURO_HARD_LIMIT
 * (bytes, with K, M or G), OURO_THRESHOLD (n or n,n,n), OURO_MAX_THREADS, OURO_PURGE_DELAY (milliseconds, 0 for at once, or never),
 * OURO_GC=on|off, OURO_FINALIZE=auto|manual, OURO_LEAKS=0|1, OURO_MISUSE=print|trap|abort|silent, OURO_DEVMODE=0|1, OURO_MALLOC=pools|malloc,
 * OURO_QUARANTINE (bytes), OURO_TRACE (1 to 32).
 *
 * Dev mode finds mistakes, and makes everything slower: each change of a count is noted with the place that made it; what is gone is kept for a while,
 * overwritten, and checked; reports of misuse and of leaks name places (file:line), and a report of misuse by the default hook is followed by abort(),
 * unless something else is asked for. It and OURO_USE_MALLOC are the first start's of a process to choose: later ones change nothing of it. */
typedef struct ouro_config {
    size_t size;                    /* = sizeof(ouro_config) */
    unsigned flags;
    unsigned max_threads;           /* attached at one time; default and most 32766 */
    size_t soft_limit, hard_limit;  /* as ouro_mem_set_limit */
    size_t threshold[3];            /* as ouro_gc_set_threshold */
    long purge_delay_ms;            /* free memory is kept for one to two times this before it goes back to the OS; not if most of the heap had been a
                                     * sleeping thread's garbage for so long before it was found; 0: 100; negative: never */
    ouro_misuse_hook misuse;        /* NULL: print one line to stderr */
    void *misuse_arg;
    size_t quarantine;              /* dev mode: bytes of dead objects that are kept; 0: 16 MiB */
    unsigned trace_frames;          /* dev mode: callers that are noted of each place, at most 32; 0: 16 */
} ouro_config;

/* Starts the runtime. Optional: the first call of any function starts it with defaults. NULL: defaults. When it runs already,
 * OURO_OK and no effect. OURO_E_INVALID: size or a member out of range; OURO_E_NOMEM; OURO_E_SYSTEM: the kernel lacks
 * membarrier(PRIVATE_EXPEDITED), without which nothing here is sound. */
OURO_API OURO_NODISCARD ouro_status ouro_init(const ouro_config *config);

#define OURO_LEAK_TYPES_MAX 16

typedef struct ouro_leak_type {
    const char *name;
    size_t objects, bytes;
} ouro_leak_type;

typedef struct ouro_leak_report {
    size_t objects, bytes;          /* alive at shutdown, immortal ones and what they alone keep not counted */
    size_t immortal_objects;        /* immortal, or kept by those */
    size_t types_count;             /* entries of types in use */
    ouro_leak_type types[OURO_LEAK_TYPES_MAX]; /* most bytes first */
} ouro_leak_report;

/* Ends the runtime: collects all shared cycles and the caller's private ones, as ouro_gc_collect(2) does; detaches the caller; ends the
 * collector's thread, and the finalizer thread when all that is due has run; takes what has died through limbo; ends the service thread,
 * returns free memory, and counts what is left into *report (may be NULL). What is left stays valid, other attached threads may go on
 * (their private cycles count as alive), and any call starts the runtime again. Leaks are no failure. OURO_E_USAGE: called in a read
 * section, a finalizer or a callback; OURO_E_AGAIN: another thread is doing it. Waits for read sections of all threads, for finalizers and
 * for weak callbacks: hold no lock that one of these takes. With OURO_FINALIZE_MANUAL, what waits for ouro_finalizers_run is left. While
 * other threads go on using objects, the report is a moment's estimate. */
OURO_API ouro_status ouro_shutdown(ouro_leak_report *report);

OURO_END_DECLS
#endif
