/* SPDX-License-Identifier: MIT
 *
 * Publication: a private object, and every private object it reaches, becomes visible to other threads
 * (docs/design/publication.md). Done before the store that lets others reach it.
 *
 * P1  A published object never refers to a private one.
 * P2  `owner` is stored with PUBLISHED, in one store: a mark that the collector left on a former object of the block is gone. */
#pragma once

#include "lib_object_act.h"
#include "lib_port_atomic.h"

/* o is private to the caller, or the caller's and born published. Never allocates; O(private objects reached). */
void oi_publish(ouro_object *o);

/* Publishes one object alone: the caller knows that what it refers to is published, or will be before anybody sees it. */
void oi_publish_one(struct oi_act *act, ouro_object *o);

/* Between these two, objects that the caller has published may refer to private ones still. */
static inline void oi_publish_begin(struct oi_act *act)
{
    /* Relaxed: PUBLISHED is stored after it, with release [MO-publishing]. */
    oi_store_relaxed(&act->self->publications, act->self->publications + 1);
}

static inline void oi_publish_end(struct oi_act *act)
{
    oi_store_release(&act->self->publications, act->self->publications + 1); /* [MO-publishing] */
}

/* For who has found objects to be published (acquire) without having followed a reference: returns when all that they refer to is published,
 * too. Waits for publications under way in other threads. */
void oi_publish_await(void);

/* True if the object's publication may have been cut off: the thread that made it has vanished in a fork while it published something. Nobody is to
 * follow its references. */
bool oi_publish_was_cut_off(const ouro_object *o);
