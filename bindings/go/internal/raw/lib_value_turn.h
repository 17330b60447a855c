/* SPDX-License-Identifier: MIT
 *
 * Turns: the writers of one shared container take them one after the other (docs/design/containers.md). One word in the container:
 *
 *     bit 0         a writer has its turn
 *     bits 1 .. 15  the process's generation when it began (0 in the first process, one more in each child of a fork)
 *     bits 16 .. 63 version: how many turns have begun that may have changed something
 *
 * T1  A turn begins with a new version; after that, it makes at most one store by which what readers find differs (its effect). So whoever finds
 *     the same version before and after looking, by acquiring loads, has looked at the container as it was at one moment: at most one
 *     writer can have been at work meanwhile, and what it did was one store.
 * T2  In its turn a thread waits for nobody, allocates nothing, releases nothing, and calls nobody's code. So a turn is short, and a writer
 *     that waits may be anywhere, in a read section too.
 * T3  A thread that vanished in a fork leaves its turn taken, in an older generation. The next writer in the child takes it over, and
 *     repairs what is to be repaired; readers need no repair.
 * T4  What a turn has put into a published store in place, and what it has taken out of one, in place or by a move, it hints at
 *     (object/hint.h, N3): after its effect, before it ends. What comes with a new store needs no hint, for the store is recent. */
#pragma once

#include "lib_base_base.h"
#include "lib_object_credit.h"
#include "lib_port_atomic.h"
#include "lib_port_perturb.h"

#define OI_TURN_TAKEN ((uint64_t)1)
#define OI_TURN_VERSION ((uint64_t)1 << 16)
#define OI_TURN_LOW (OI_TURN_VERSION - 1)

/* What the low half of a word is while this process has it: taken, and the generation. Written in a fork's child, before it has threads. */
extern uint64_t oi_turn_mine;

/* Takes a turn, waiting for it if need be. True: from a thread that vanished. */
bool oi_turn_wait(uint64_t *turn);

static inline bool oi_turn_take(uint64_t *turn)
{
    uint64_t word = oi_load_relaxed(turn);
    oi_credit_haste(); /* T2 */
    oi_perturb();
    /* Acquire: what the previous writer did; and the new version comes before this one's effect, which releases [MO-turn]. */
    if (OI_UNLIKELY(word & OI_TURN_LOW) || !oi_cas_acquire(turn, &word, word + (OI_TURN_VERSION | oi_turn_mine)))
        return oi_turn_wait(turn);
    oi_perturb();
    return false;
}

/* After the effect, before hints of it (T4). The compiler keeps that order; for the processor, the barrier of who takes hints does [MO-hint]. */
static inline void oi_turn_done(void)
{
    oi_compiler_fence();
    oi_perturb();
}

static inline void oi_turn_end(uint64_t *turn)
{
    oi_perturb();
    oi_store_release(turn, oi_load_relaxed(turn) & ~OI_TURN_LOW); /* [MO-turn] */
    oi_credit_haste_ended();
}

/* Ends a turn that had no effect, and takes its version back. (A reader that has met it and then meets the next turn, with the same version,
 * has met one writer with an effect.) */
static inline void oi_turn_end_unchanged(uint64_t *turn)
{
    oi_store_release(turn, (oi_load_relaxed(turn) & ~OI_TURN_LOW) - OI_TURN_VERSION); /* [MO-turn] */
    oi_credit_haste_ended();
}

/* What readers compare. Acquire: what the turns up to this version did; and, the second time, all that was looked at comes before. */
static inline uint64_t oi_turn_version(const uint64_t *turn)
{
    return oi_load_acquire(turn) & ~OI_TURN_LOW;
}

void oi_turn_after_fork_child(void);
