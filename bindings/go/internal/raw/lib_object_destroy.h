/* SPDX-License-Identifier: MIT
 *
 * Destruction: what happens to an object whose last reference is gone (docs/design/destruction.md). A loop over lists that are threaded through the
 * dead objects themselves: no recursion, no memory, whatever the depth. What dies while the loop is on the stack (a child, or
 * something a finalizer drops) is left to it. */
#pragma once

#include "lib_object_act.h"

/* The caller's object, private, its last reference dropped. */
void oi_destroy_private(struct oi_act *act, ouro_object *o);

/* A published object that the caller's CAS made DEAD. */
void oi_destroy_dead(struct oi_act *act, ouro_object *o);

/* Adds a DEAD object to what the loop will do, without running it. */
void oi_destroy_later(struct oi_act *act, ouro_object *o);

/* Runs the loop, then the callbacks that have become due; unless the loop or user code is on the stack: whoever called that does
 * it then. So finalizers and callbacks never nest. */
void oi_destroy_run(struct oi_act *act);

/* Runs the loop where user code may not run, though there is none on the stack: in ouro_new. Finalizers and callbacks stay due. */
void oi_destroy_quietly(struct oi_act *act);

/* Releases the references in the slots of an object that is no longer anybody's. What dies by it is left to the loop. */
void oi_release_slots(struct oi_act *act, ouro_object *o);

/* Calls the object's finalizer. The caller has a reference and holds no lock; FINALIZED is set before. */
void oi_finalize(struct oi_act *act, const struct oi_type *type, ouro_object *o);

/* After user code: `outer` is what in_user_code was before it. Gets the slot back if that code left the thread parked. */
void oi_left_user_code(struct oi_act *act, bool outer);

/* True if user code (finalizers, callbacks) may run now. */
static inline bool oi_may_run_user_code(const struct oi_act *act)
{
    return !act->reading && !act->in_user_code && !act->destroying;
}

/* The thread ends, wherever it is: what was on its stack is gone, and what was left to that is done now. */
void oi_destroy_unwound(struct oi_act *act);

/* The outermost read section has ended: frees what died privately in it, and finalizes what waited for this. */
void oi_destroy_section_ended(struct oi_act *act);
