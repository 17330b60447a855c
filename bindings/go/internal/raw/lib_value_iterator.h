/* SPDX-License-Identifier: MIT
 *
 * Iterators (docs/design/containers.md): what they go over, held, and a place in it. A walk takes some values from a place on, and says which place comes
 * next; the iterator then moves from the one to the other, by compare-and-swap if it is shared. Whoever fails in that gives back what he took.
 *
 * I1  The place only grows, and OI_ENDED and OI_CHANGED are the last: what is said once is said for ever. */
#pragma once

#include "lib_value_dict.h"

#define OI_ENDED (UINT64_MAX - 1)
#define OI_CHANGED UINT64_MAX

enum { OI_TAKEN_MAX = 32 };

/* What a walk took: new values. */
struct oi_taken {
    size_t room;                      /* how many are wanted; at most OI_TAKEN_MAX */
    ouro_part part;                   /* of what has pairs: what is wanted; of the rest: OURO_KEYS */
    size_t count;                     /* how many these are; 0 before */
    uint64_t next;                    /* the place after them */
    ouro_value items[OI_TAKEN_MAX];   /* elements; keys, or values */
    ouro_value seconds[OI_TAKEN_MAX]; /* OURO_ITEMS: the values */
};

/* Gives it back: releases it. */
void oi_taken_drop(struct oi_taken *taken);

struct oi_iterator;

struct oi_walk {
    /* Takes at least 1 value from place `at` on, or fails: OURO_E_END, OURO_E_CHANGED, or as others may. What it has counted when it fails is
     * given back. */
    ouro_status (*take)(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken);
    bool pairs;
};

struct oi_iterator {
    ouro_object object;
    ouro_slot source;           /* this and what follows, but for `at`: immutable */
    uint64_t at;                /* atomic: the place; what that is, the walk knows */
    const struct oi_walk *walk;
    union {
        struct {
            uint64_t version;   /* of the dict, when the iterator was made: see oi_dict_version */
            ouro_part part;
        } dict;
        struct {
            int64_t start, step;
            uint64_t count;
        } range;
    };
};

static inline ouro_value oi_iterator_source(const struct oi_iterator *iterator)
{
    return ouro_value_of(iterator->source.ouro_private_ref);
}

/* At place 0. NULL: no memory. The source may be used. */
struct oi_iterator *oi_iterator_new(const struct oi_walk *walk, ouro_value source);

bool oi_iterator_init(void);

/* ---- Over dicts, sets, weak maps and weak sets (iterator_dict.c) ---- */

ouro_status oi_iterate_dict(ouro_value dict, ouro_part part, ouro_value *iterator);

/* ---- Generators (generator.c): iterators of another type ---- */

bool oi_generator_init(void);
ouro_status oi_generator_next(ouro_value iterator, ouro_value *value);
ouro_status oi_generator_next_all(ouro_value iterator, ouro_value *values, size_t room, size_t *count);

/* ---- What an iterator gives, all of it (gather.c) ---- */

/* What ouro_iterate gives for a value: of a container, as of one moment. *all is to be dropped. */
ouro_status oi_gather(ouro_value value, struct oi_snapshot *all);
