/* SPDX-License-Identifier: MIT
 *
 * Threads. Any thread may call any function: the first call that needs to attaches it, thread exit detaches it. No function is a
 * cancellation point; finalizers and callbacks that one calls may be. */
#ifndef OURO_THREAD_H
#define OURO_THREAD_H

#include "ouro_status.h"

/* For threads that hop (a goroutine's, a pool's): their objects are born published and counted atomically, so that the
 * program's tasks may change threads at any time. */
#define OURO_THREAD_UNBIASED 0x1u

OURO_BEGIN_DECLS

/* Gives the calling thread a slot (with pages and objects of one that exited, if there is one). Optional.
 * OURO_OK also when it is attached already (flags then have no effect); OURO_E_AGAIN: every slot is taken;
 * OURO_E_NOMEM; OURO_E_SYSTEM: see ouro_init; OURO_E_INVALID: unknown flags. Takes a lock shortly. */
OURO_API OURO_NODISCARD ouro_status ouro_thread_attach(unsigned flags);

/* Gives the slot back: collects the thread's young cycles, publishes what private objects are left, and hands all over.
 * Automatic at thread exit. Retain and release work afterwards too; whatever needs a slot attaches anew.
 * May run finalizers. Inside a read section: reported as misuse, nothing happens. */
OURO_API void ouro_thread_detach(void);

/* Brackets a call that may block for long (read, sleep, lock, join), so that others can carry out what they would hand to
 * this thread. Inside: counting, slots of shared objects and borrowed reading work; whatever needs the thread's own
 * state (a private object, ouro_new), and a fork, ends the region early. Does not nest. A few nanoseconds; forgetting it costs
 * promptness, never safety. Both may run finalizers; both wait for what another thread is doing for this one at that
 * moment: a batch of at most 256 handed-over references or 64 pages, or, in ouro_mem_trim and its like, a pass over its pages. */
OURO_API void ouro_blocking_begin(void);
OURO_API void ouro_blocking_end(void);

/* Carries out what other threads have handed to this one, and finalizers that wait for it. Allocation does the first
 * by itself; a thread that neither allocates nor blocks for long stretches calls this now and then. */
OURO_API void ouro_safepoint(void);

OURO_END_DECLS
#endif
