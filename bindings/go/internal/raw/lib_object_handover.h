/* SPDX-License-Identifier: MIT
 *
 * Which objects are better shared without a bias (docs/design/biased-counts.md, Handing over). A bias is of use to a thread that goes on counting what it
 * has shared. If it only makes objects for others, who drop them, each one costs a token and the maker's time for it. So each slot
 * has a score for every type, of which of the two it was of late, and publication goes by that.
 *
 * Only the slot's holder looks at the scores (S1). */
#pragma once

#include "lib_object_act.h"
#include "lib_object_header.h"

/* A point is what a token costs. */
#define OI_HANDED_OVER_FROM 64 /* from here on objects are shared without a bias */
#define OI_HANDED_OVER_MOST 255
#define OI_HANDED_OVER_LEAST (-30000) /* that far down, a few batches that look different change nothing */
#define OI_PROBE 16   /* of so many objects, one is shared with a bias all the same: it stands for all of them */
#define OI_COUNTED 16 /* what 64 releases that are not plain cost more than plain ones (RELEASES_PER_LOOK in count.c) */

extern int16_t oi_handed_over_from; /* atomic; OI_HANDED_OVER_FROM; tests set it: INT16_MIN for all types, INT16_MAX for none */

/* Of objects with that type word. Two types may have one. */
static inline int16_t *oi_handed_over(struct oi_local *local, uint32_t word)
{
    return &local->handed_over[OI_TYPE_ID(word) % OI_HANDED_OVER_SCORES];
}

static inline bool oi_is_handed_over(int16_t score)
{
    return OI_UNLIKELY(score >= oi_load_relaxed(&oi_handed_over_from));
}

static inline void oi_add_to_score(int16_t *score, int points)
{
    int sum = *score + points;
    *score = (int16_t)(sum > OI_HANDED_OVER_MOST ? OI_HANDED_OVER_MOST : sum < OI_HANDED_OVER_LEAST ? OI_HANDED_OVER_LEAST : sum);
}

/* Others have dropped more references than they have added, so the slot's holder ends the bias: by a token, or a claim. */
static inline void oi_note_handed_over(struct oi_local *local, const ouro_object *o)
{
    int16_t *score = oi_handed_over(local, oi_type_word(o));
    oi_add_to_score(score, oi_is_handed_over(*score) ? OI_PROBE : 1);
}

/* The owner has dropped the last of its references to a shared object. */
static inline void oi_note_kept(struct oi_local *local, const ouro_object *o)
{
    int16_t *score = oi_handed_over(local, oi_type_word(o));
    oi_add_to_score(score, oi_is_handed_over(*score) ? -OI_PROBE : -(*score > 0));
}

/* One in so many releases of objects without a bias was of this one. If the thread has made it, it goes on counting what it has shared. */
static inline void oi_note_counted(struct oi_local *local, const ouro_object *o)
{
    if (oi_page_of(o)->pool == &local->pool)
        oi_add_to_score(oi_handed_over(local, oi_type_word(o)), -OI_COUNTED);
}

/* True if an object with that type word, which the holder is publishing, will be handed over as far as one can tell. Probes are spread by Fibonacci
 * hashing, for programs go in rounds. */
static inline bool oi_will_be_handed_over(struct oi_local *local, uint32_t word)
{
    return oi_is_handed_over(*oi_handed_over(local, word)) && local->publications / 2 * 0x9e3779b9u >= UINT32_MAX / OI_PROBE;
}
