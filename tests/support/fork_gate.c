/* SPDX-License-Identifier: MIT */
#include "support/fork_gate.h"

#include <sched.h>
#include <stdatomic.h>

static atomic_bool forking;
static atomic_int inside;

bool fork_gate_close(void)
{
    if (atomic_exchange(&forking, true))
        return false;
    if (!atomic_load(&inside))
        return true;
    atomic_store(&forking, false);
    return false;
}

void fork_gate_open(bool child)
{
    if (child)
        atomic_store(&inside, 0); /* somebody may have looked in */
    atomic_store(&forking, false);
}

/* Whoever is inside may need locks that a fork takes, so forks do not wait for it: it waits for them. */
void fork_gate_enter(void)
{
    for (;;) {
        atomic_fetch_add(&inside, 1);
        if (!atomic_load(&forking))
            return;
        atomic_fetch_sub(&inside, 1);
        while (atomic_load(&forking))
            sched_yield();
    }
}

void fork_gate_leave(void)
{
    atomic_fetch_sub(&inside, 1);
}
