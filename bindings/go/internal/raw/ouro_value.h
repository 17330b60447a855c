/* SPDX-License-Identifier: MIT
 *
 * Values: one word for everything that a program of a dynamic language stores.
 *
 * An ouro_value is 64 bits: nil, false, true, an integer of 62 bits, or a counted reference to a managed object. Slots hold the
 * same word. Zero is nil, the empty slot and the NULL reference at once. The lowest two bits tell the rest apart:
 *
 *     ...00   reference, or nil when the whole word is zero
 *     ...01   integer, in the upper 62 bits
 *     ...10   false (2), true (6)
 *     ...11   nothing: no value has these bits
 *
 * What the objects can be is in the headers that this one includes at its end: <ouro/scalar.h> (float, string, bytes),
 * <ouro/sequence.h> (tuple, list), <ouro/mapping.h> (dict, set, weak map, weak set), <ouro/record.h>, <ouro/iterator.h>,
 * <ouro/host.h> (a host language's own objects). Any other managed object is a value, too: OURO_KIND_OBJECT.
 *
 * For every function of these headers, unless it says otherwise:
 *
 * Ownership. Values given are borrowed for the call: what is stored is retained. Values returned, also through out-parameters and into
 *   arrays, are new: ouro_value_release them, once each.
 * Results. A function that can fail for several reasons returns an ouro_status and the result through its last parameter, which is nil, 0
 *   or false after a failure; a container is then as it was before. One that can only run out of memory returns the value, or nil.
 * Errors. OURO_E_TYPE: a value is of a kind that the call is not for (also nil). OURO_E_NOMEM: out of memory. OURO_E_INVALID: a pointer
 *   that is needed is NULL, or a number is out of range. OURO_E_USAGE: an object is private to another thread or dead; reported
 *   as misuse as well (looked for where something is changed or stored, or a container read; not in immutable values). These four are not repeated below; others are. What a host's callback returns is passed on as it is.
 * Threads. Any thread may call any function with any value that it was given: what is private, by its own thread; what is shared, by all,
 *   at the same time. Each operation on a shared container takes effect at one moment between call and return (it is linearizable);
 *   an operation on two containers, at one moment for each. Immutable values (all but list, dict, set, record, iterator, weak map, weak
 *   set) need no care at all. What is stored into a shared container is published by that.
 * Waiting. Readers wait for nobody. Writers of one shared container take turns. Nothing here waits for a host's callback of another
 *   thread, and no lock of the library is held when one is called.
 * Depth. No function recurses: values may be nested as deep as memory allows, and contain themselves. */
#ifndef OURO_VALUE_H
#define OURO_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ouro_slot.h"
#include "ouro_status.h"

OURO_BEGIN_DECLS

typedef uint64_t ouro_value;

#define OURO_NIL ((ouro_value)0)
#define OURO_FALSE ((ouro_value)2)
#define OURO_TRUE ((ouro_value)6)
#define OURO_INT_MIN (-((int64_t)1 << 61))
#define OURO_INT_MAX (((int64_t)1 << 61) - 1)

/* What a value is. Numbers are part of the ABI. */
typedef enum ouro_kind {
    OURO_KIND_NIL = 0,
    OURO_KIND_BOOL = 1,
    OURO_KIND_INT = 2,
    OURO_KIND_FLOAT = 3,
    OURO_KIND_STRING = 4,
    OURO_KIND_BYTES = 5,
    OURO_KIND_TUPLE = 6,
    OURO_KIND_LIST = 7,
    OURO_KIND_DICT = 8,
    OURO_KIND_SET = 9,
    OURO_KIND_RECORD = 10,
    OURO_KIND_SHAPE = 11,
    OURO_KIND_ITERATOR = 12,
    OURO_KIND_WEAK = 13,     /* an ouro_weak */
    OURO_KIND_WEAK_MAP = 14,
    OURO_KIND_WEAK_SET = 15,
    OURO_KIND_HOST = 16,
    OURO_KIND_OBJECT = 17    /* a managed object of the program's own type */
} ouro_kind;

/* ---- The word. Inline, a few instructions; none can fail; any thread. ---- */

OURO_INLINE ouro_value ouro_bool_new(bool b);
/* nil if the number is not within OURO_INT_MIN .. OURO_INT_MAX. */
OURO_INLINE ouro_value ouro_int_new(int64_t number);
/* The reference as a value; NULL is nil. Counts nothing: the value is as new or borrowed as the reference was. */
OURO_INLINE ouro_value ouro_value_of(const void *object);

OURO_INLINE bool ouro_is_nil(ouro_value value);
OURO_INLINE bool ouro_is_bool(ouro_value value);
OURO_INLINE bool ouro_is_int(ouro_value value);
/* A reference, not nil. */
OURO_INLINE bool ouro_is_object(ouro_value value);

/* True for OURO_TRUE only. For the truth of any value: ouro_truth. */
OURO_INLINE bool ouro_bool_value(ouro_value value);
/* 0 if it is no integer. */
OURO_INLINE int64_t ouro_int_value(ouro_value value);
/* The reference; NULL if it is none. Counts nothing. */
OURO_INLINE void *ouro_value_object(ouro_value value);

/* Any value; what is no reference is left alone. Else as ouro_retain, ouro_release, ouro_share. */
OURO_INLINE ouro_value ouro_value_retain(ouro_value value);
OURO_INLINE void ouro_value_release(ouro_value value);
OURO_INLINE void ouro_value_share(ouro_value value);

/* For count values at once: one call for a binding. NULL is allowed when count is 0. */
OURO_API void ouro_value_retain_all(const ouro_value *values, size_t count);
OURO_API void ouro_value_release_all(const ouro_value *values, size_t count);

/* ---- Slots that hold values. As their namesakes in <ouro/slot.h>, whose rules for containers and threads hold. In a slot that holds a
 * boolean or an integer, those see NULL. ---- */

/* The content, new. Cannot fail. */
OURO_API OURO_NODISCARD ouro_value ouro_value_get(void *container, ouro_slot *slot);
/* The content, borrowed: for a private container until the slot changes, for a shared one in a read section. */
OURO_INLINE ouro_value ouro_value_peek(const ouro_slot *slot);
/* slot <- value, which is retained; the old content is released. */
OURO_INLINE void ouro_value_set(void *container, ouro_slot *slot, ouro_value value);
/* The same, and the caller's reference is taken over. */
OURO_INLINE void ouro_value_give(void *container, ouro_slot *slot, ouro_value value);
/* The content, new; the slot becomes nil. */
OURO_API OURO_NODISCARD ouro_value ouro_value_take(void *container, ouro_slot *slot);
/* The old content, new; value is taken over. */
OURO_API OURO_NODISCARD ouro_value ouro_value_swap(void *container, ouro_slot *slot, ouro_value value);
/* If the slot holds this very word (not: an equal value), value takes its place and is retained: true. Else false. */
OURO_API bool ouro_value_compare_set(void *container, ouro_slot *slot, ouro_value expected, ouro_value value);

/* ---- Any value ---- */

/* One load or two. Of an object that is dead: OURO_KIND_OBJECT. */
OURO_API ouro_kind ouro_kind_of(ouro_value value);
/* "nil", "bool", "int", "float", "string", ... Static; "?" for what is no kind. */
OURO_API const char *ouro_kind_name(ouro_kind kind);
/* The name of the value's kind, or, of a record, a host's object and a program's own, what its shape, class or type is called. Valid as long as the
 * value is held. */
OURO_API const char *ouro_value_type_name(ouro_value value);

/* False: nil, false, 0, 0.0, a string or container of length 0 (but a record is true), and what its class says. All else is true, NaN too.
 * O(1); cannot fail. */
OURO_API bool ouro_truth(ouro_value value);

/* The number of elements (of a string: code points). OURO_E_TYPE: it has none. O(1), but O(n) for strings that are not ASCII. */
OURO_API OURO_NODISCARD ouro_status ouro_length(ouro_value value, size_t *length);

/* True if the two are the same word: one object, or one immediate value. */
OURO_INLINE bool ouro_same(ouro_value a, ouro_value b);

/* Equality of contents. Numbers by what they are worth: 1 and 1.0 are equal; booleans are no numbers. NaN differs from all. Strings, bytes:
 * the same bytes. Tuples, lists: of one kind, and equal element by element. Dicts: the same keys, with equal values, in any order. Sets: the same
 * elements. Records: the same shape, and equal values. Hosts' objects: as their class says. All else: the same object. Within
 * containers an object equals itself, NaN too. Containers that contain themselves are equal if no difference can be found.
 * O(size of the smaller). OURO_E_CHANGED: a dict or set was changed meanwhile by another thread, again and again. */
OURO_API OURO_NODISCARD ouro_status ouro_equal(ouro_value a, ouro_value b, bool *equal);

/* Equality as a key, that of dicts and sets: numbers, strings, bytes and tuples by content (all NaN are one key), hosts' objects as their class
 * says, all else by identity: so every value is a key, and none is lost when it changes. */
OURO_API OURO_NODISCARD ouro_status ouro_key_equal(ouro_value a, ouro_value b, bool *equal);

/* The hash that goes with ouro_key_equal: below 2^62, so that it fits an integer. It differs between processes. Strings and bytes keep theirs;
 * tuples do not. OURO_E_TYPE does not happen. */
OURO_API OURO_NODISCARD ouro_status ouro_hash(ouro_value value, uint64_t *hash);

/* Order: *order is negative, 0 or positive; OURO_UNORDERED if one of the numbers is NaN. Numbers by what they are worth, strings by code
 * points, bytes by bytes, false before true; tuples, lists element by element; hosts' objects as their class says. OURO_E_TYPE: any other two
 * (nil only with nil). */
#define OURO_UNORDERED 2
OURO_API OURO_NODISCARD ouro_status ouro_compare(ouro_value a, ouro_value b, int *order);

/* A new string that shows the value to people: nil, true, 12, 1.5, "text", b"\x00", (1, 2), [1, 2], {"a": 1}, {1, 2}, point(x=1, y=2). What
 * contains itself shows as ... there. Of the rest: <type name>. */
OURO_API OURO_NODISCARD ouro_status ouro_repr(ouro_value value, ouro_value *string);

/* A copy: a new list, dict, set, record with the same elements; of immutable values, the value itself. OURO_E_TYPE: iterators, weak maps and sets,
 * hosts' and other objects cannot be copied. */
OURO_API OURO_NODISCARD ouro_status ouro_copy(ouro_value value, ouro_value *copy);
/* The same with copies of all containers in it, to any depth; what was shared or cyclic in the original is in the copy. What cannot be copied
 * is shared by both, if it is not the value itself. */
OURO_API OURO_NODISCARD ouro_status ouro_copy_deep(ouro_value value, ouro_value *copy);

OURO_END_DECLS

#include "ouro_inline_value.h"

#include "ouro_host.h"
#include "ouro_iterator.h"
#include "ouro_mapping.h"
#include "ouro_record.h"
#include "ouro_scalar.h"
#include "ouro_sequence.h"
#include "ouro_token.h"

#endif
