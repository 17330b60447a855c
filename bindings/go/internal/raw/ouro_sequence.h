/* SPDX-License-Identifier: MIT
 *
 * Tuples and lists. The rules of <ouro/value.h> hold.
 *
 * An index below 0 counts from the end. start and stop of a slice are cut to what there is, as in Python; OURO_OMITTED is the end from
 * which, or to which, the step leads. */
#ifndef OURO_SEQUENCE_H
#define OURO_SEQUENCE_H

#include "ouro_value.h"

#define OURO_OMITTED PTRDIFF_MIN

OURO_BEGIN_DECLS

/* ---- Tuple: immutable; its elements may be anything ---- */

/* items may be NULL if count is 0. O(count). */
OURO_API OURO_NODISCARD ouro_status ouro_tuple_new(const ouro_value *items, size_t count, ouro_value *tuple);
OURO_API OURO_NODISCARD ouro_status ouro_tuple_length(ouro_value tuple, size_t *length);
/* OURO_E_INDEX. O(1). */
OURO_API OURO_NODISCARD ouro_status ouro_tuple_get(ouro_value tuple, ptrdiff_t index, ouro_value *item);
/* All elements, borrowed: valid as long as the tuple is held. NULL (and *length 0) if it is no tuple; not NULL for an empty one. */
OURO_API const ouro_value *ouro_tuple_items(ouro_value tuple, size_t *length);
OURO_API OURO_NODISCARD ouro_status ouro_tuple_slice(ouro_value tuple, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *slice);
OURO_API OURO_NODISCARD ouro_status ouro_tuple_concat(ouro_value a, ouro_value b, ouro_value *tuple);
/* The first position of an element equal to item (ouro_equal), within start .. stop-1. OURO_E_KEY: there is none. O(n). */
OURO_API OURO_NODISCARD ouro_status ouro_tuple_index(ouro_value tuple, ouro_value item, ptrdiff_t start, ptrdiff_t stop, size_t *at);
/* How many elements equal item. O(n). */
OURO_API OURO_NODISCARD ouro_status ouro_tuple_count(ouro_value tuple, ouro_value item, size_t *count);

/* ---- List ---- */

OURO_API OURO_NODISCARD ouro_value ouro_list_new(void);
/* With room for that many elements before it has to grow. */
OURO_API OURO_NODISCARD ouro_status ouro_list_new_with_room(size_t room, ouro_value *list);
/* items may be NULL if count is 0. */
OURO_API OURO_NODISCARD ouro_status ouro_list_from(const ouro_value *items, size_t count, ouro_value *list);
OURO_API OURO_NODISCARD ouro_status ouro_list_length(ouro_value list, size_t *length);

/* OURO_E_INDEX. O(1). */
OURO_API OURO_NODISCARD ouro_status ouro_list_get(ouro_value list, ptrdiff_t index, ouro_value *item);
OURO_API OURO_NODISCARD ouro_status ouro_list_set(ouro_value list, ptrdiff_t index, ouro_value item);
/* The old element; item takes its place. */
OURO_API OURO_NODISCARD ouro_status ouro_list_swap(ouro_value list, ptrdiff_t index, ouro_value item, ouro_value *old);
/* If the element is the very word expected, item takes its place: *done. */
OURO_API OURO_NODISCARD ouro_status ouro_list_compare_set(ouro_value list, ptrdiff_t index, ouro_value expected, ouro_value item, bool *done);

/* Amortized O(1), and O(count). All the items are there at one moment. */
OURO_API OURO_NODISCARD ouro_status ouro_list_append(ouro_value list, ouro_value item);
OURO_API OURO_NODISCARD ouro_status ouro_list_append_all(ouro_value list, const ouro_value *items, size_t count);
/* Appends what ouro_iterate gives for other, which may be the list itself: of a container, its elements at one moment. OURO_E_CHANGED. */
OURO_API OURO_NODISCARD ouro_status ouro_list_extend(ouro_value list, ouro_value other);
/* Before the element at index; beyond the ends: at the ends. O(n). */
OURO_API OURO_NODISCARD ouro_status ouro_list_insert(ouro_value list, ptrdiff_t index, ouro_value item);
/* Takes the element out. OURO_E_INDEX. O(1) at the end, else O(n). item may be NULL. */
OURO_API OURO_NODISCARD ouro_status ouro_list_pop(ouro_value list, ptrdiff_t index, ouro_value *item);
OURO_API OURO_NODISCARD ouro_status ouro_list_delete(ouro_value list, ptrdiff_t index);
/* Takes out the first element that equals item. OURO_E_KEY: there is none. O(n). */
OURO_API OURO_NODISCARD ouro_status ouro_list_remove(ouro_value list, ouro_value item);
OURO_API OURO_NODISCARD ouro_status ouro_list_clear(ouro_value list);

/* As for tuples; the list is looked at as it was at one moment. */
OURO_API OURO_NODISCARD ouro_status ouro_list_index(ouro_value list, ouro_value item, ptrdiff_t start, ptrdiff_t stop, size_t *at);
OURO_API OURO_NODISCARD ouro_status ouro_list_count(ouro_value list, ouro_value item, size_t *count);
/* Up to room elements from position start on, at one moment, and how many they are: 0 at or beyond the end. */
OURO_API OURO_NODISCARD ouro_status ouro_list_get_range(ouro_value list, size_t start, ouro_value *items, size_t room, size_t *count);
OURO_API OURO_NODISCARD ouro_status ouro_list_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *slice);
/* Puts items in the place of the slice. With a step other than 1 there must be as many: OURO_E_INVALID. */
OURO_API OURO_NODISCARD ouro_status ouro_list_set_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, const ouro_value *items,
                                                        size_t count);
OURO_API OURO_NODISCARD ouro_status ouro_list_delete_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step);
OURO_API OURO_NODISCARD ouro_status ouro_list_concat(ouro_value a, ouro_value b, ouro_value *list);
OURO_API OURO_NODISCARD ouro_status ouro_list_repeat(ouro_value list, size_t times, ouro_value *repeated);
OURO_API OURO_NODISCARD ouro_status ouro_list_reverse(ouro_value list);
/* By ouro_compare; stable; descending keeps equal elements in their order, too. OURO_E_TYPE: two elements have no order; OURO_E_CHANGED: the list
 * was changed meanwhile. In both cases it is as it was. O(n log n). */
OURO_API OURO_NODISCARD ouro_status ouro_list_sort(ouro_value list, bool descending);

OURO_END_DECLS
#endif
