/* SPDX-License-Identifier: MIT
 *
 * Weak references: managed objects that name another one without keeping it alive. An object that has none pays nothing. */
#ifndef OURO_WEAK_H
#define OURO_WEAK_H

#include "ouro_object.h"

OURO_BEGIN_DECLS

/* An ordinary managed object (leaf): retain, release, store and share it like any other. Sharing it publishes its target. */
typedef struct ouro_weak ouro_weak;

/* Called once, after the target died for good, if the weak reference itself is still alive then; weak is borrowed for the call and reads as
 * NULL. Runs where a finalizer of the target would (see <ouro/object.h>), and, if it has one, after that; may call any ouro function. */
typedef void (*ouro_weak_callback)(ouro_weak *weak, void *arg);

/* A new weak reference to target, which the caller holds; callback may be NULL. NULL when memory is out, or target is NULL
 * or not usable by this thread (reported as misuse). Any thread; waits as ouro_new does, and, with a callback, takes a lock for a few
 * instructions. */
OURO_API OURO_NODISCARD ouro_weak *ouro_weak_new(void *target, ouro_weak_callback callback, void *arg);

/* The target as a new reference, or NULL. weak NULL: NULL. Never waits; any thread.
 * A target whose last reference goes reads as NULL from then on, also while its finalizer is due or running, and as the target again if
 * that has resurrected it. (A private one reads as itself while its finalizer runs.)
 * A target in a garbage cycle can be had until a collection has made sure of the cycle; who gets it in time keeps it alive, with all it
 * reaches. What the collection then frees reads as NULL, all of it from one moment on, and for good. What waits for a finalizer, or is
 * reached from what does, is not freed yet: it goes on reading as the target while the finalizer waits and runs (who gets it shares it with
 * the finalizer), and afterwards until a collection frees it, or for as long as it lives if it has been resurrected. But in a shared cycle
 * it reads as NULL for the moment in which the collection sets it aside. So a finalizer may yet bring back what has read as NULL; that the
 * target is gone for good is what the callback says. */
OURO_API OURO_NODISCARD void *ouro_weak_get(ouro_weak *weak);

OURO_END_DECLS
#endif
