/* SPDX-License-Identifier: MIT
 *
 * What the inline fast paths need from compiler and machine, and nothing else does.
 *
 * The owner's count is a word that one thread writes and others (the collector, ouro_refcount) may read at any time.
 * On x86-64 one unlocked read-modify-write instruction on memory does the update; compilers do not make that of a relaxed
 * atomic load and store, hence the assembly. It is single-copy atomic for the readers, as any aligned 32-bit access.
 * The "memory" clobber keeps the caller's own stores on their side of the count, which is all the order an owner needs.
 * Elsewhere, and under ThreadSanitizer, the same is said in C. */
#ifndef OURO_INLINE_PORT_H
#define OURO_INLINE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "ouro_export.h"

#if defined(__SANITIZE_THREAD__)
#define OURO_PRIVATE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OURO_PRIVATE_TSAN 1
#endif
#endif

OURO_BEGIN_DECLS

#if defined(__x86_64__) && !defined(OURO_PRIVATE_TSAN)

/* *word += 1; true if the result has its sign bit set. Only one thread writes *word. */
OURO_API OURO_INLINE bool ouro_private_add1(uint32_t *word)
{
    bool negative;
    __asm__ volatile("addl $1, %0" : "+m"(*word), "=@ccs"(negative) : : "memory");
    return negative;
}

/* *word -= 1; true if the result has its sign bit set. Only one thread writes *word. */
OURO_API OURO_INLINE bool ouro_private_sub1(uint32_t *word)
{
    bool negative;
    __asm__ volatile("subl $1, %0" : "+m"(*word), "=@ccs"(negative) : : "memory");
    return negative;
}

#else

OURO_API OURO_INLINE bool ouro_private_add1(uint32_t *word)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    uint32_t result = __atomic_load_n(word, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(word, result, __ATOMIC_RELAXED);
    return (int32_t)result < 0;
}

OURO_API OURO_INLINE bool ouro_private_sub1(uint32_t *word)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    uint32_t result = __atomic_load_n(word, __ATOMIC_RELAXED) - 1;
    /* Release: the owner's earlier stores come before the count that lets others conclude from it. */
    __atomic_store_n(word, result, __ATOMIC_RELEASE);
    return (int32_t)result < 0;
}

#endif

OURO_END_DECLS

/* Inside an unlikely branch: keeps compilers from making a conditional move of it, which whoever follows references would wait for. */
#define OURO_PRIVATE_STAY_A_BRANCH() __asm__ volatile("")

/* The owner in the low half, PUBLISHED in bit 16: one load of two neighbouring 16-bit fields (flags follow the owner). */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ouro has not been ported to big-endian machines: the header's owner and flags are read as one word"
#endif
#define ouro_private_owner_and_published(o) \
    (__atomic_load_n((const ouro_private_word *)&(o)->ouro_private_owner, __ATOMIC_RELAXED) & 0x1ffffu)
typedef uint32_t ouro_private_word __attribute__((may_alias));

/* Initial-exec: one load finds the offset, no call. The block is a few bytes, so that a dlopen()ed libouro fits into the
 * static TLS that the loader keeps in reserve. */
#define OURO_PRIVATE_TLS __thread __attribute__((tls_model("initial-exec")))

#endif
