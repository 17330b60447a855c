//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_turn.h"

#include <sched.h>

#define LOOKS_PER_YIELD 16u
#define GENERATION ((uint64_t)2)

uint64_t oi_turn_mine = OI_TURN_TAKEN;

bool oi_turn_wait(uint64_t *turn)
{
    for (unsigned looks = 1;; looks++) {
        uint64_t word = oi_load_relaxed(turn), taken = word & OI_TURN_LOW;
        bool vanished = taken && taken != oi_turn_mine;
        /* Acquire: as in oi_turn_take. */
        if ((!taken || vanished) && oi_cas_acquire(turn, &word, (word & ~OI_TURN_LOW) + (OI_TURN_VERSION | oi_turn_mine)))
            return vanished;
        oi_perturb();
        if (looks % LOOKS_PER_YIELD == 0)
            sched_yield(); /* whoever has it may have been interrupted */
    }
}

void oi_turn_after_fork_child(void)
{
    oi_turn_mine = ((oi_turn_mine + GENERATION) & OI_TURN_LOW) | OI_TURN_TAKEN;
}
