/* SPDX-License-Identifier: MIT
 *
 * Weak references: managed objects that name another one without keeping it alive. An object that has none pays nothing. */
#ifndef OURO_WEAK_H
#define OURO_WEAK_H

#include <ouro/object.h>

OURO_BEGIN_DECLS

/* An ordinary managed object (leaf): retain, release, store and share it like any other. Sharing it publishes its target. */
typedef struct ouro_weak ouro_weak;

/* Called once, after the target died, if the weak reference itself is still alive then; weak is borrowed for the call and
 * reads as NULL. Runs where a finalizer of the target would (see <ouro/object.h>) and may call any ouro function. */
typedef void (*ouro_weak_callback)(ouro_weak *weak, void *arg);

/* A new weak reference to target, which the caller holds; callback may be NULL. NULL when memory is out, or target is NULL
 * or not usable by this thread (reported as misuse). Any thread; waits as ouro_new does, and, with a callback, takes a lock for a few
 * instructions. */
OURO_API OURO_NODISCARD ouro_weak *ouro_weak_new(void *target, ouro_weak_callback callback, void *arg);

/* The target as a new reference, or NULL once it is dead. While a shared target's finalizer is due or running it reads as NULL, and
 * again as the target if the finalizer has resurrected it. weak NULL: NULL. Never waits; any thread. */
OURO_API OURO_NODISCARD void *ouro_weak_get(ouro_weak *weak);

OURO_END_DECLS
#endif
