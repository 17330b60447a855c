/* SPDX-License-Identifier: MIT
 *
 * Atomic operations with the order in the name. There is no default order, and no other file uses the compiler's.
 * Which store each load pairs with is said at the access; docs/design/memory-orders.md lists the pairs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define oi_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define oi_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define oi_load_seqcst(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)

#define oi_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define oi_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define oi_exchange_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define oi_exchange_acqrel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define oi_exchange_seqcst(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

/* Compare-and-exchange: true on success; on failure *expected is what was found (loaded relaxed). The weak ones may fail
 * for no reason and belong in loops. */
#define oi_cas_weak_relaxed(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define oi_cas_weak_acquire(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define oi_cas_weak_acqrel(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
#define oi_cas_acquire(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define oi_cas_acqrel(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
#define oi_cas_seqcst(p, expected, v) \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define oi_fetch_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define oi_fetch_sub_relaxed(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
#define oi_fetch_sub_acqrel(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)
#define oi_fetch_or_acqrel(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define oi_fetch_or_seqcst(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define oi_fetch_and_acqrel(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)

/* Keeps the compiler from moving accesses across it; the processor may still. For who is met by a membarrier of another thread. */
#define oi_compiler_fence() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* A counter that one thread writes and others may read: plain add for the writer, no torn value for the readers. */
#define oi_owner_add(p, v) oi_store_relaxed((p), oi_load_relaxed(p) + (v))
