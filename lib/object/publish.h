/* SPDX-License-Identifier: MIT
 *
 * Publication: a private object, and every private object it reaches, becomes visible to other threads
 * (docs/design/publication.md). Done before the store that lets others reach it.
 *
 * P1  A published object never refers to a private one.
 * P2  `owner` is stored before PUBLISHED is set: a mark that the collector left on a former object of the block is gone. */
#pragma once

#include "object/act.h"

/* o is private to the caller. Never allocates; O(private objects reached). */
void oi_publish(ouro_object *o);

/* Publishes one object alone: the caller knows that what it refers to is published, or will be before anybody sees it. */
void oi_publish_one(struct oi_act *act, ouro_object *o);
