/* SPDX-License-Identifier: MIT
 *
 * What a worker holds: a few nodes, each by one reference. */
#ifndef TORTURE_HAND_H
#define TORTURE_HAND_H

#include "torture/steps.h"

/* One of them, or NULL. */
static inline struct node *hand_some(struct worker *w)
{
    return w->held[rng_below(&w->rng, HELD)];
}

/* Takes over the reference; what was held in its place is dropped. */
static inline void hand_hold(struct worker *w, struct node *n)
{
    if (!n)
        return;
    struct node **place = &w->held[rng_below(&w->rng, HELD)], *old = *place;
    *place = n;
    node_release(old);
}

#endif
