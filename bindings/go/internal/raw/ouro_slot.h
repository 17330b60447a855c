/* SPDX-License-Identifier: MIT
 *
 * Slots: the counted reference fields of objects, and borrowed reading.
 *
 * Each operation names the container, which the caller must hold by a counted reference (directly, or through a chain of
 * slots that nobody changes meanwhile). Found in a read section only, a container may only be read.
 * A slot may hold a value that is no reference (<ouro/value.h>): what is returned for it is NULL.
 * Any number of threads may work on the slots of a shared container: each operation is atomic, and one that returns
 * what another stored also sees all that was written before that store.
 * A slot that does not lie inside its container is reported as misuse: nothing is stored, NULL or false is returned, and
 * references that the call was to take over are released. */
#ifndef OURO_SLOT_H
#define OURO_SLOT_H

#include "ouro_object.h"

OURO_BEGIN_DECLS

/* The content, as a new reference, or NULL. Never blocks, never allocates, cannot fail. */
OURO_API OURO_NODISCARD void *ouro_get(void *container, ouro_slot *slot);

/* The content, borrowed: no count is touched. For a private container: valid until the slot changes. For a shared one:
 * only inside ouro_read_begin/end, and valid until the section ends, though it may die meanwhile (its fields stay
 * readable; ouro_try_retain tells). One load. */
OURO_INLINE void *ouro_peek(const ouro_slot *slot);

/* slot <- object (NULL allowed). Retains object, releases the old content (which may destroy it: finalizers and weak
 * callbacks may run). A private object stored into a shared container is published. Never blocks, never fails. */
OURO_INLINE void ouro_set(void *container, ouro_slot *slot, void *object);

/* The same, but takes over the caller's reference to object instead of adding one. */
OURO_INLINE void ouro_give(void *container, ouro_slot *slot, void *object);

/* The content, which becomes the caller's reference; the slot becomes NULL. */
OURO_API OURO_NODISCARD void *ouro_take(void *container, ouro_slot *slot);

/* The old content, which becomes the caller's reference; object, whose reference is taken over, takes its place. */
OURO_API OURO_NODISCARD void *ouro_swap(void *container, ouro_slot *slot, void *object);

/* If the slot holds expected: as ouro_set, and true. Else false, and nothing changes. expected is compared, not followed; NULL is not
 * what a slot with another value holds. */
OURO_API bool ouro_compare_set(void *container, ouro_slot *slot, void *expected, void *object);

/* A read section: the thread may follow references without counting. Nests. What it reaches stays readable until the
 * outermost end. Inside: no waiting for other threads and no blocking calls, for memory of dead objects cannot be reused
 * meanwhile, in the whole process. Finalizers that fall due inside run at the outermost end. Waits for nobody. */
OURO_API void ouro_read_begin(void);
OURO_API void ouro_read_end(void);

/* Inside a read section: a new reference to an object found there, or NULL if it is dead already. NULL gives NULL. */
OURO_API OURO_NODISCARD void *ouro_try_retain(void *object);

OURO_END_DECLS

#include "ouro_inline_slot.h"

#endif
