/* SPDX-License-Identifier: MIT
 *
 * The 16 bytes in front of every object (docs/design/object-layout.md), their names and states.
 *
 *     byte 0  type    u32   id of the type in the low 18 bits; above, what its kind is (OI_PAIR ...); in the upper 11, units of 8 bytes of the
 *                           body (0: an array, or above 8 KiB). 0: free or kept block
 *          4  owner   u16   id of the slot whose holder counts in `local`, 0: nobody; bit 15: CAND, the collector's mark
 *          6  flags   u16   OI_PUBLISHED ...; in a DEAD object the upper 12 bits are part of a link
 *          8  local   u32   the owner's references less one; 0xffffffff while the last one is being dropped (read it as 0)
 *         12  shared  u32   signed count of the others' references << 2 | STUCK << 1 | MERGED
 *
 *     references(o) = MERGED ? count : count + local + 1         decided by one read of `shared`
 *
 *     PRIVATE         owner = me, no PUBLISHED     only this thread looks at it; `shared` is scratch, 0 when nobody uses it
 *     BIASED(id)      owner = id, not MERGED
 *     UNBIASING       owner = 0,  not MERGED       a few instructions of the ex-owner
 *     MERGED          owner = 0,  MERGED           `local` is ignored
 *     FINALIZING      owner = 0,  MERGED           count is above OI_FINALIZING: dead, and not yet decided whether for good
 *     DEAD            owner = 0,  shared == 1      exclusively the destroyer's, but for read sections that still look at it
 *     STUCK           immortal: nobody writes `shared` any more
 *
 * H1 (one word decides) whether an object dies, merges or has a token queued is decided by one CAS on `shared`; after it, an operation
 *     never touches the object again, unless it made it DEAD or its thread owns another reference.
 * H2 `owner`: only the owner (and the holder of its slot) changes the id, and only to 0; anybody may clear CAND.
 * H3 `flags`: plain while private; afterwards atomic read-modify-writes of the low four bits and OI_WIDE. */
#pragma once

#include "ouro_object.h"
#include "ouro_slot.h"

#include "lib_base_base.h"
#include "lib_mem_page.h"
#include "lib_port_atomic.h"

#define OI_TYPE_ID_BITS 18
#define OI_TYPE_ID(word) ((word) & ((1u << OI_TYPE_ID_BITS) - 1))
#define OI_UNITS_SHIFT OURO_PRIVATE_UNITS_SHIFT /* the inline slot check knows the layout */
/* In the type word of objects of simple types (object/type.h), but for parts of values, so that most who ask what such an object refers to, and how it ends,
 * need not look at its type: */
#define OI_PAIR (1u << OI_TYPE_ID_BITS) /* its slots are the two words behind the header, */
#define OI_ONLY_PAIR (OI_PAIR << 1)     /* and it is nothing but these; */
#define OI_SMALL_LEAF (OI_PAIR << 2)    /* it has no slots, and a size in the word */
_Static_assert(OI_SMALL_LEAF < 1u << OI_UNITS_SHIFT, "between the id and the units");

#define OI_CAND 0x8000u
#define OI_ID(owner) ((owner) & 0x7fffu)

#define OI_PUBLISHED 0x1u
#define OI_FINALIZED 0x2u
#define OI_HAS_WEAK 0x4u
#define OI_UNTRACKED 0x8u /* of a type without slots, or acyclic, or frozen: collections do not look at it */
#define OI_LOOSE (OI_UNTRACKED | OI_FINALIZED) /* of a type that is tracked and has no finalizer: what is in its slots is not, or not yet, its own */
#define OI_FLAGS 0xfu
#define OI_WIDE 0x20u /* published, and many threads count it at once: they take credit (object/credit.h). Not kept in death */
#define OI_AGED 0x10u /* private: a young collection has left it, or may have (unfrozen, revived), and the next ones pass it by (cycle/young.h); not kept in death or publication */
#define OI_WATCHED 0x40u /* private: of a watched heap (mem/watch.h), so it is not plain. Not kept either */

#define OI_MERGED 1u
#define OI_STUCK 2u
#define OI_ONE 4u /* one reference in `shared` */
#define OI_DEAD OI_MERGED
#define OI_STUCK_WORD ((1u << 29) | OI_STUCK | OI_MERGED)
#define OI_COUNT_MAX (1 << 27) /* counts from here on are overflown, or hold OI_FINALIZING */
_Static_assert((int32_t)OI_STUCK_WORD >> 2 >= OI_COUNT_MAX, "a stuck word's count is overflown");

/* Added to the count of a published object while the finalizer that its death called for runs: references can be counted as ever, none
 * of their drops looks like a death, and try_retain sees that the object is not to be found by racing readers, only through
 * a reference that the finalizer made. */
#define OI_FINALIZING (1 << 28)

#define OI_LAST 0xffffffffu /* `local` while its last reference is being dropped */

static inline int32_t oi_count(uint32_t shared)
{
    return (int32_t)shared >> 2;
}

/* True if an object that the caller claims to hold is dead: its block is free, or in limbo. */
#define oi_is_dead(o) (!oi_type_word(o) || (oi_shared(o) == OI_DEAD && !OI_ID(oi_owner(o))))

static inline bool oi_is_finalizing(uint32_t shared)
{
    return !(shared & OI_STUCK) && oi_count(shared) >= OI_FINALIZING;
}

/* `shared` with one more reference. */
static inline uint32_t oi_shared_plus_one(uint32_t shared)
{
    int32_t count = oi_count(shared);
    bool full = count >= OI_COUNT_MAX && (count < OI_FINALIZING || count >= OI_FINALIZING + OI_COUNT_MAX);
    return OI_UNLIKELY(full) ? OI_STUCK_WORD : shared + OI_ONE;
}

/* References counted in `local`. */
static inline uint32_t oi_local_tokens(uint32_t local)
{
    uint32_t tokens = local + 1;
    return tokens + !tokens;
}

#define oi_type_word(o) oi_load_relaxed(&(o)->ouro_private_type)
#define oi_owner(o) oi_load_relaxed(&(o)->ouro_private_owner)
#define oi_flags(o) oi_load_relaxed(&(o)->ouro_private_flags)
#define oi_local(o) oi_load_relaxed(&(o)->ouro_private_local)
#define oi_shared(o) oi_load_relaxed(&(o)->ouro_private_shared)

#define oi_set_owner(o, v) oi_store_relaxed(&(o)->ouro_private_owner, (uint16_t)(v))
#define oi_set_flags(o, v) oi_store_relaxed(&(o)->ouro_private_flags, (uint16_t)(v))
#define oi_set_local(o, v) oi_store_relaxed(&(o)->ouro_private_local, (uint32_t)(v))
#define oi_set_shared(o, v) oi_store_relaxed(&(o)->ouro_private_shared, (uint32_t)(v))

/* Owner and flags in one load, the flags in the upper half. */
typedef uint32_t oi_half_word __attribute__((may_alias));
static inline uint32_t oi_owner_and_flags(const ouro_object *o)
{
    _Static_assert(offsetof(ouro_object, ouro_private_flags) == offsetof(ouro_object, ouro_private_owner) + 2 &&
                       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                   "the flags are the upper half");
    /* Relaxed: compared with what only this thread can have stored. */
    return oi_load_relaxed((const oi_half_word *)&o->ouro_private_owner);
}

/* Type, owner and flags in one load. */
typedef uint64_t oi_first_word __attribute__((may_alias));
_Static_assert(offsetof(ouro_object, ouro_private_type) == 0 && offsetof(ouro_object, ouro_private_flags) == 6 &&
                   __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "one word, the type below, the flags on top");

static inline uint64_t oi_first(const ouro_object *o)
{
    /* Relaxed: of an object that only the caller writes, private or DEAD; or it is compared with what only this thread can have stored. */
    return oi_load_relaxed((const oi_first_word *)o);
}

static inline uint32_t oi_first_flags(uint64_t first)
{
    return (uint32_t)(first >> 48);
}

static inline uint32_t oi_first_owner(uint64_t first)
{
    return (uint32_t)(first >> 32) & 0xffffu;
}

/* A pair that no weak reference leads to, by the first word of its header: what most objects are that have slots. */
static inline bool oi_is_mere_pair(uint64_t first)
{
    return (first & ((uint64_t)OI_HAS_WEAK << 48 | OI_PAIR)) == OI_PAIR;
}

/* References to an object whose `shared` has been found to be s. It is not dead. */
static inline int64_t oi_references(uint32_t s, const ouro_object *o)
{
    return (int64_t)oi_count(s) + (s & OI_MERGED ? 0 : oi_local_tokens(oi_local(o)));
}

/* True if it is private, also if it is dead; false for a free block. One load: in a watched heap others turn dead shared objects into free blocks, while their
 * pages' holder looks on (mem/watch.c). */
static inline bool oi_is_private(const ouro_object *o)
{
    uint64_t first = oi_first(o); /* who makes private objects looks */
    return (uint32_t)first && !(oi_first_flags(first) & OI_PUBLISHED);
}

/* True if the object is biased to slot `id`, not marked, private, and nothing special but perhaps untracked or aged. */
static inline bool oi_is_plain_of(const ouro_object *o, uint32_t id)
{
    return (oi_owner_and_flags(o) & ~((OI_UNTRACKED | OI_AGED) << 16)) == id;
}

/* True if it is private to slot `id`, tracked, and not aged. */
static inline bool oi_is_young_of(const ouro_object *o, uint32_t id)
{
    return (oi_owner_and_flags(o) & ~((OI_FINALIZED | OI_HAS_WEAK | OI_WATCHED) << 16)) == id;
}

/* The page of an object that is alive. Where the type word has a size, arithmetic will do: a push to the page's list of free blocks waits for no
 * load then, nor the next pop for that. */
static inline struct oi_page *oi_object_page(const ouro_object *o)
{
    return OI_LIKELY(oi_type_word(o) >> OI_UNITS_SHIFT) ? oi_page_at_unit(o) : oi_page_of(o);
}

/* What a slot holds is a reference, NULL, or a value that is none (<ouro/value.h>): its reference, or NULL. The library tells them apart
 * here and nowhere else. */
static inline ouro_object *oi_slot_ref(void *word)
{
    return OI_LIKELY(!((uintptr_t)word & OURO_PRIVATE_TAG)) ? (ouro_object *)word : NULL;
}

/* A value as a slot holds it. */
static inline void *oi_word(uint64_t value)
{
    return (void *)(uintptr_t)value;
}

/* Lists of DEAD objects. Their slots, type and state stay readable, so the link goes where nothing is read any more: `local`, and
 * the upper 12 bits of `flags`; together 44 bits, an address of 47 bits in units of 8. */
static inline void oi_dead_link(ouro_object *o, ouro_object *next)
{
    uint64_t link = (uint64_t)(uintptr_t)next >> 3;
    OI_ASSERT(link >> 44 == 0);
    oi_set_local(o, (uint32_t)link);
    oi_set_flags(o, (oi_flags(o) & OI_FLAGS) | (uint32_t)(link >> 32) << 4);
}

static inline ouro_object *oi_dead_next(const ouro_object *o)
{
    uint64_t link = (uint64_t)(oi_flags(o) >> 4) << 32 | oi_local(o);
    return (ouro_object *)(uintptr_t)(link << 3);
}
