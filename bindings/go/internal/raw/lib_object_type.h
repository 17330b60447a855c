/* SPDX-License-Identifier: MIT
 *
 * What the library knows of a type: the user's descriptor, checked and made quick to use. Registered by the type's first object, and kept
 * for good (objects of it may live on after a shutdown). */
#pragma once

#include "lib_object_header.h"

/* Slots that follow each other without a gap. */
struct oi_slot_run {
    uint32_t first; /* offset in the object, in units of 8 bytes */
    uint32_t count;
};

struct oi_act;

/* The library's own types have the first ids, each its own; programs' types those from OI_OWN_TYPES on. */
#define OI_OWN_TYPES 64u
#define OI_OWN_WEAK 1u

/* A flag of their descriptors: they are registered at start, which their first use brings about. */
#define OI_TYPE_OWN 0x80000000u
/* And: their objects are parts of values, which no program sees; collections do not count them. */
#define OI_TYPE_INNER 0x40000000u

struct oi_type {
    void (*finalize)(void *object);
    /* For the library's own types: called once when an object dies, before its references and its block go. It may be in a read section, or
     * hold the collection lock; and what the slots refer to may be dead. */
    void (*dispose)(ouro_object *object);
    uint64_t birth;     /* the first 8 bytes of a new object, less what its thread adds */
    struct oi_slot_run bare; /* the slots that are empty if an object is bare. Of a simple type: all; else one, at the header, which never looks empty */
    uint32_t size;      /* of the fixed part, rounded up to 8 */
    uint32_t align;
    uint32_t slots_at;  /* offset of the array of slots in bytes, or 0 */
    uint32_t bytes_at;  /* offset of the raw tail, or 0 */
    bool leaf;          /* no slots at all */
    bool inner;         /* OI_TYPE_INNER */
    bool special;       /* has finalize or dispose */
    bool one_run;       /* no array of slots, and its slots are one run (or none): runs[0] says all */
    bool simple;        /* one_run, and not special */
    const ouro_type *descriptor;
    uint32_t run_count;
    struct oi_slot_run runs[];
};

extern struct oi_type *oi_types[1u << OI_TYPE_ID_BITS]; /* [id]; set once (release) */

/* The type of an object that is alive, by its type word. */
static inline struct oi_type *oi_type_by(uint32_t word)
{
    /* Relaxed: whoever may use the object was given it, and the type was entered before the object existed. */
    return oi_load_relaxed(&oi_types[OI_TYPE_ID(word)]);
}

static inline struct oi_type *oi_type_of(const ouro_object *o)
{
    return oi_type_by(oi_type_word(o));
}

static inline bool oi_is_pair(const ouro_object *o)
{
    return oi_type_word(o) & OI_PAIR;
}

/* True of a pair whose slots are empty. In one branch. */
static inline bool oi_is_bare_pair(const ouro_object *o)
{
    const ouro_slot *slot = (const ouro_slot *)(o + 1);
    return !((uintptr_t)oi_load_relaxed(&slot[0].ouro_private_ref) | (uintptr_t)oi_load_relaxed(&slot[1].ouro_private_ref));
}

/* The same of an object of any type: true if that is simple, and all slots are empty. */
static inline bool oi_is_bare_of(const struct oi_type *type, const ouro_object *o)
{
    const ouro_slot *slot = (const ouro_slot *)o + type->bare.first;
    size_t count = type->bare.count;
    if (OI_LIKELY(count - 1 < 2)) /* one branch is less than a loop */
        return !((uintptr_t)oi_load_relaxed(&slot[0].ouro_private_ref) | (uintptr_t)oi_load_relaxed(&slot[count - 1].ouro_private_ref));
    for (const ouro_slot *end = slot + count; slot < end; slot++) {
        if (oi_load_relaxed(&slot->ouro_private_ref))
            return false;
    }
    return true;
}

/* It makes nothing reachable. */
static inline bool oi_is_bare(const ouro_object *o)
{
    return OI_LIKELY(oi_is_pair(o)) ? oi_is_bare_pair(o) : oi_is_bare_of(oi_type_of(o), o);
}

/* The registered form of a descriptor; NULL if it is unusable (reported as misuse of `call`) or there is no memory. */
struct oi_type *oi_type_register(ouro_type *descriptor, const char *call);

/* The same for a type of the library's own, at start; again has no effect. */
struct oi_type *oi_type_register_own(ouro_type *descriptor, uint32_t id, void (*dispose)(ouro_object *object));

/* An object of an array type of the library's own, in a block of at least `size` bytes: of length 0, and what follows the type's fixed part
 * is not cleared. Whoever fills slots then raises the length (release: MO-length). NULL: no memory. As ouro_new otherwise. */
void *oi_new_room(ouro_type *descriptor, size_t size);

static inline bool oi_type_is_array(const struct oi_type *type)
{
    return type->slots_at || type->bytes_at;
}

/* How many slots or bytes an array has. Acquire: of the library's own types it may change while the object is in use; slots below it have been
 * filled [MO-length]. */
static inline size_t oi_array_length(const ouro_object *o)
{
    return oi_load_acquire(&((const ouro_array *)o)->length);
}

/* Bytes of an object. */
static inline size_t oi_object_size(const struct oi_type *type, const ouro_object *o)
{
    if (!oi_type_is_array(type))
        return type->size;
    size_t length = oi_array_length(o);
    return type->slots_at ? type->slots_at + length * sizeof(ouro_slot) : type->bytes_at + length;
}

/* The i-th run of slots of an object, the array part being the last; false after that. */
static inline bool oi_slots_run(const struct oi_type *type, ouro_object *o, uint32_t i, ouro_slot **first, size_t *count)
{
    if (i < type->run_count) {
        *first = (ouro_slot *)o + type->runs[i].first;
        *count = type->runs[i].count;
        return true;
    }
    if (i > type->run_count || !type->slots_at)
        return false;
    *first = (ouro_slot *)((char *)o + type->slots_at);
    *count = oi_array_length(o);
    return true;
}

/* Cycles may pass through its objects. */
static inline bool oi_type_is_tracked(const struct oi_type *type)
{
    return !(type->birth >> 48 & OI_UNTRACKED);
}

/* The object's slots say nothing: a store of a container that is being moved, or was when the mover vanished in a fork (value/store.h). */
static inline bool oi_flags_are_loose(const struct oi_type *type, uint16_t flags)
{
    return (flags & OI_LOOSE) == OI_LOOSE && oi_type_is_tracked(type) && !type->finalize;
}

static inline bool oi_is_loose(const struct oi_type *type, const ouro_object *o)
{
    return oi_flags_are_loose(type, oi_flags(o));
}

typedef void oi_visit_ref(ouro_object *ref, void *arg);

static OI_ALWAYS_INLINE void oi_visit(const ouro_slot *slot, oi_visit_ref *fn, void *arg)
{
    void *word = oi_load_relaxed(&slot->ouro_private_ref);
    if (!word) /* first: many are */
        return;
    ouro_object *ref = oi_slot_ref(word);
    if (ref)
        fn(ref, arg);
}

static OI_ALWAYS_INLINE void oi_each_ref_in(const ouro_slot *slot, size_t count, oi_visit_ref *fn, void *arg)
{
    for (const ouro_slot *end = slot + count; slot < end; slot++)
        oi_visit(slot, fn, arg);
}

/* Calls fn for each reference in the slots of an object whose type word this is, read relaxed. Inlined, with fn, into each caller. */
static OI_ALWAYS_INLINE void oi_each_ref(uint32_t word, ouro_object *o, oi_visit_ref *fn, void *arg)
{
    if (OI_LIKELY(word & OI_PAIR)) {
        const ouro_slot *slot = (const ouro_slot *)(o + 1);
        oi_visit(&slot[0], fn, arg);
        oi_visit(&slot[1], fn, arg);
        return;
    }
    const struct oi_type *type = oi_type_by(word);
    if (OI_LIKELY(type->one_run)) {
        oi_each_ref_in((ouro_slot *)o + type->runs[0].first, type->runs[0].count, fn, arg);
        return;
    }
    ouro_slot *slot;
    size_t count;
    for (uint32_t run = 0; oi_slots_run(type, o, run, &slot, &count); run++)
        oi_each_ref_in(slot, count, fn, arg);
}

void oi_type_before_fork(void);
void oi_type_after_fork(void);
