/* SPDX-License-Identifier: MIT
 *
 * Objects and their types. A managed struct begins with an ouro_object (16 bytes) and says, in a static
 * type descriptor, where its references are:
 *
 *     struct node { ouro_object object; ouro_slot left, right; long key; };
 *     static ouro_type node_type = OURO_TYPE(struct node, .name = "node",
 *                                            .slots = OURO_SLOTS(struct node, left, right));
 *
 * Every reference is counted, and an object is destroyed the moment its last one goes. A new object is
 * private: only the thread that made it may use it. Storing it into a shared object, or ouro_share(),
 * publishes it and all it reaches; from then on every thread that was given a reference may use it. */
#ifndef OURO_OBJECT_H
#define OURO_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ouro_export.h"

/* The header. Its fields belong to the library (docs/design/object-layout.md): read them through functions. */
typedef struct ouro_object {
    uint32_t ouro_private_type;
    uint16_t ouro_private_owner;
    uint16_t ouro_private_flags;
    uint32_t ouro_private_local;
    uint32_t ouro_private_shared;
} ouro_object;

/* A counted reference field. Zero is NULL. Use the functions of <ouro/slot.h>. */
typedef struct ouro_slot {
    void *ouro_private_ref;
} ouro_slot;

/* The start of an array object; ouro_new_array sets the length and nobody changes it. */
typedef struct ouro_array {
    ouro_object object;
    size_t length;
} ouro_array;

/* No cycle can pass through objects of this type: the collector does not look at them. Promised, not checked. */
#define OURO_TYPE_ACYCLIC 0x1u
/* Objects of this type hold no references. Implied by having no slots; setting it together with slots is refused. */
#define OURO_TYPE_LEAF 0x2u

#define OURO_TYPE_FIELDS_MAX 32

/* A type descriptor: data, not code. It must outlive every object made from it (make it static) and is not
 * changed after its first use. The first ouro_new registers it; a program may have 262 080 types. */
typedef struct ouro_type {
    size_t size OURO_PRIVATE_ZERO;                              /* sizeof the struct */
    size_t align OURO_PRIVATE_ZERO;                             /* its alignment, at most 64 */
    const char *name OURO_PRIVATE_ZERO;                         /* for reports; NULL reads as "?" */
    uint32_t slots[OURO_TYPE_FIELDS_MAX + 1] OURO_PRIVATE_ZERO; /* made by OURO_SLOTS */
    size_t array_slots OURO_PRIVATE_ZERO;                       /* offset of ouro_slot items[], or 0 */
    size_t array_bytes OURO_PRIVATE_ZERO;                       /* offset of the raw tail, one byte per unit of length, or 0 */
    void (*finalize)(void *object) OURO_PRIVATE_ZERO;           /* runs at most once per object, see below; or NULL */
    unsigned flags OURO_PRIVATE_ZERO;                           /* OURO_TYPE_... */
    uint64_t ouro_private_birth OURO_PRIVATE_ZERO;
    uint32_t ouro_private_pool OURO_PRIVATE_ZERO;
    uint32_t ouro_private_body OURO_PRIVATE_ZERO;
} ouro_type;

/* A finalizer gets the object alive and may do anything, also store it somewhere: then the object lives on, and
 * dies without a second call when it is dropped again. It runs
 *  - on the thread that dropped the last reference, before the call that dropped it returns (or, when that call
 *    was made inside a read section, when the section ends; or, inside another finalizer, when that one returns);
 *  - for garbage cycles of private objects, on the thread that owns them: inside ouro_gc_collect or ouro_thread_detach; for those
 *    that ouro_new has found by collecting by itself, not there but at the thread's next ouro_safepoint, ouro_blocking_begin,
 *    ouro_gc_collect, or drop of a private object's last reference;
 *  - for garbage cycles of shared objects, and what only they held, on a thread of the library, ouro-finalizer, one after the other: what
 *    such a finalizer shares with the rest of the program needs a lock or the like;
 *  - for either kind of cycle only in ouro_finalizers_run, when the runtime was started with OURO_FINALIZE_MANUAL.
 * It never runs inside a read section or inside another finalizer, and no lock of the library is held. */

/* OURO_TYPE(struct S, .name = ..., .slots = ..., ...): the initializer of an ouro_type. Members in this order. */
#define OURO_TYPE(T, ...) {.size = sizeof(T), .align = OURO_PRIVATE_ALIGNOF(T), __VA_ARGS__}

/* OURO_SLOTS(struct S, member, ...): up to 32 members, each an ouro_slot or an array of them. */
#define OURO_SLOTS(T, ...) {OURO_PRIVATE_EACH(T, __VA_ARGS__)}

OURO_BEGIN_DECLS

/* Makes an object: one reference, the caller's; private; every byte after the header zero.
 * Returns NULL when memory is out, the hard limit is reached, every thread slot is taken, the type is unusable
 * (reported as misuse) or is an array type.
 * Threads: any; the first call attaches the thread. Now and then it collects the caller's own young cycles and destroys
 * what other threads handed back to this one, whose finalizers may run then (not inside a read section or a finalizer). Waits
 * for nobody, but takes a lock for a few instructions when a new page is needed; when memory is out it may wait 20 ms
 * for read sections to end; and when the heap grows on while the collector is at it, it rests 5 to 640 microseconds for
 * each new page (2.6 milliseconds beside more threads than processors), or, if most growth has been shared garbage of
 * late, the longer the more there is of it, 82 milliseconds at the most, so that many threads cannot fill memory faster
 * than one finds what is dead. O(1) but for that; about malloc's cost. */
OURO_API OURO_NODISCARD void *ouro_new(ouro_type *type);

/* The same for a type with array_slots or array_bytes: length slots (all NULL), or length bytes (all zero). */
OURO_API OURO_NODISCARD void *ouro_new_array(ouro_type *type, size_t length);

/* The type an object was made from. The caller holds a reference or is in a read section where it found the object.
 * NULL for NULL, or when object is not alive (reported as misuse). Any thread; never blocks. */
OURO_API ouro_type *ouro_type_of(const void *object);

/* Adds a reference; returns its argument (NULL on misuse, which is reported); NULL is accepted. The caller holds a reference already, or reached the
 * object through a chain of slots, from one it holds, that nobody changes meanwhile (in a read section use
 * ouro_try_retain). Cannot fail: a count that would overflow makes the object immortal instead.
 * Threads: any that was given the object. Never blocks, never allocates; but when it first takes references in advance
 * (ouro_share_widely), a lock for an instant and, once per thread, a kilobyte. Owner: at most 8 instructions, no lock. */
OURO_INLINE void *ouro_retain(void *object);

/* Drops the caller's reference; NULL is accepted. The last one destroys the object, now: its finalizer runs, its slots
 * are released (however deep: without recursion), its weak references are cleared, its memory goes back.
 * When the object is biased to another thread that is running, the drop is handed to that thread, which carries
 * it out at its next safepoint; to one that is parked or gone, it is carried out here.
 * Threads: as ouro_retain. Never fails, never needs memory; waits for nobody, but for the end of another thread's batch (256 references,
 * or the taking back of 64 pages) when both act for the same sleeping owner. May run finalizers and weak callbacks. */
OURO_INLINE void ouro_release(void *object);

/* Publishes an object and all it reaches, so that it may be handed to another thread outside the heap (argument,
 * queue, global). Storing into a shared container does it by itself. NULL and published objects: nothing happens.
 * Where other threads drop, as a rule, what this one shares of an object's type, the object is not biased to this thread
 * any more: whoever drops the last reference destroys it there and then.
 * Threads: the one that made the object. O(private objects reached); never allocates, never blocks. */
OURO_API void ouro_share(void *object);

/* The same for an object that many threads will retain and release at once, all the time (a configuration, a table that
 * all look things up in). Each thread then counts in memory of its own: it takes a few thousand references at once, and
 * gives them back when it has not used them between two safepoints or for 10 to 20 ms, when it enters a blocking region,
 * detaches or ends, to every concurrent collection, and each 100 ms in any case. So if several threads have used the
 * object, it may die up to 20 ms after its last reference was dropped (longer by as much as the longest read section,
 * which the background thread may be waiting for), its weak references lead to it until then, and its finalizer may run on
 * any of these threads or on ouro-finalizer. Its maker counts it no cheaper than others do.
 * Objects for which threads are found to contend are treated so by themselves. For both, it is over when no thread has
 * any such references left, and begins again when threads contend.
 * Threads: the one that made it; once it is shared, any that may use it. If another running thread owns it, that one has
 * to reach a safepoint first. Ownership: none passes. O(private objects reached); never fails, never blocks; waits as
 * ouro_release does if the owner is parked or gone. NULL is accepted. */
OURO_API void ouro_share_widely(void *object);

/* The number of references, but for those that threads have taken in advance (ouro_share_widely). Exact for private
 * objects and in quiet programs, else a moment's estimate: for tests and tools. Immortal objects: SIZE_MAX. NULL: 0.
 * Any thread that may use the object. */
OURO_API size_t ouro_refcount(const void *object);

/* Makes an object (and its slots' contents, as long as they stay there) live for ever; publishes it first. Its count is
 * no longer written by anyone but a former owner. Never a leak in reports. Threads: the owner while private, else any. */
OURO_API void ouro_immortalize(void *object);

OURO_END_DECLS

#include "ouro_inline_type.h"
#include "ouro_inline_count.h"

#endif
