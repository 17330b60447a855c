/* SPDX-License-Identifier: MIT
 *
 * Iterators: values one after the other, made when they are asked for. The rules of <ouro/value.h> hold.
 *
 * An iterator holds what it goes over, and no copy of it. It may be used by several threads: each value goes to one of them. Going over a
 * list sees the elements by their places at the time, so appending while iterating is seen. Going over a dict, set or weak map fails with
 * OURO_E_CHANGED, now and for ever, if a key was put in or taken out since the iterator was made; new values for old keys are
 * seen. (From a weak map, keys that die do not count as taken out.) */
#ifndef OURO_ITERATOR_H
#define OURO_ITERATOR_H

#include "ouro_value.h"

OURO_BEGIN_DECLS

/* What an iterator over a dict or weak map gives. */
typedef enum ouro_part { OURO_KEYS, OURO_VALUES, OURO_ITEMS /* tuples of both */ } ouro_part;

/* Over a tuple's and list's elements, a dict's and weak map's keys, a set's and weak set's elements, a record's values, a string's code points (as
 * strings), bytes (as integers). An iterator: itself, retained. OURO_E_TYPE: it cannot be iterated. O(1). */
OURO_API OURO_NODISCARD ouro_status ouro_iterate(ouro_value value, ouro_value *iterator);
/* Over a list or tuple, from the end to the beginning. */
OURO_API OURO_NODISCARD ouro_status ouro_iterate_reversed(ouro_value value, ouro_value *iterator);
/* Over a dict or weak map. */
OURO_API OURO_NODISCARD ouro_status ouro_iterate_part(ouro_value value, ouro_part part, ouro_value *iterator);
/* The integers start, start + step, ... before stop. OURO_E_INVALID: step is 0. */
OURO_API OURO_NODISCARD ouro_status ouro_iterate_range(int64_t start, int64_t stop, int64_t step, ouro_value *iterator);

/* OURO_E_END: there are no more, now and for ever. OURO_E_CHANGED. O(1), amortized for dicts with many holes. */
OURO_API OURO_NODISCARD ouro_status ouro_iterator_next(ouro_value iterator, ouro_value *value);
/* Over a dict or weak map: both, and no tuple is made. */
OURO_API OURO_NODISCARD ouro_status ouro_iterator_next_pair(ouro_value iterator, ouro_value *key, ouro_value *value);
/* Up to room values, and how many they are; OURO_OK with at least 1, else OURO_E_END. If it fails after some, it gives those, and
 * fails the next time. */
OURO_API OURO_NODISCARD ouro_status ouro_iterator_next_all(ouro_value iterator, ouro_value *values, size_t room, size_t *count);

/* A generator: next makes one value for each call. Calls for one iterator come one at a time (another thread that asks meanwhile gets
 * OURO_E_AGAIN), on whatever thread asks, with no lock held. */
typedef struct ouro_generator {
    size_t size;                                                          /* = sizeof(ouro_generator) */
    const char *name;                                                     /* for reports */
    ouro_status (*next)(uint64_t handle, ouro_value source, ouro_value *value); /* *value: new; OURO_E_END: no more */
    void (*dispose)(uint64_t handle);                                     /* once, as a finalizer runs; or NULL */
} ouro_generator;

/* source (may be nil) is held by the iterator; generator must outlive it. */
OURO_API OURO_NODISCARD ouro_status ouro_generate(const ouro_generator *generator, uint64_t handle, ouro_value source, ouro_value *iterator);

OURO_END_DECLS
#endif
