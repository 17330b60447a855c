/* SPDX-License-Identifier: MIT */
#include "torture/sabotage.h"

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "torture/hand.h"

static atomic_bool done;

/* By the first worker, when it has done something. */
void sabotage(struct worker *w)
{
    if (options.sabotage == SABOTAGE_NONE || w->maker.number || !atomic_load(&w->step) || atomic_load(&done))
        return;
    struct node *n = node_new(&w->maker, PLAIN, &w->rng);
    if (!n)
        return;
    node_set(n, RACING_SLOTS, n);
    node_share(n);
    hand_hold(w, n);
    switch (options.sabotage) {
    case OVER_RELEASE:
        ouro_release(n);
        break;
    case FORGET_LINK:
        ouro_set(n, node_slot(n, RACING_SLOTS + 1), n);
        break;
    case LEAK:
        ouro_retain(n);
        break;
    case SCRIBBLE:
        n->mark ^= 1;
        break;
    case HANG:
        for (;;)
            pause();
    default:
        *(volatile int *)(options.sabotage * (uintptr_t)16) = 1; /* an address that nothing is at */
    }
    atomic_store(&done, true); /* enough */
}
