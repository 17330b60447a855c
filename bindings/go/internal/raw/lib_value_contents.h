/* SPDX-License-Identifier: MIT
 *
 * Slots, seen by the kinds of values that have some: filling a new object, reading and writing one that is in use, positions. */
#pragma once

#include "lib_object_count.h"
#include "lib_value_value.h"

/* ---- New objects: nobody else can reach them yet ---- */

/* values[0 .. count-1], retained, into slots that are nil. OURO_E_USAGE: the thread may not store one; then those before are stored. */
ouro_status oi_fill(void *fresh, ouro_slot *slots, const ouro_value *values, size_t count);

/* ---- Objects in use ---- */

/* OURO_E_USAGE: the object is dead, or private to another thread; reported as misuse of `call`. value is an object. */
ouro_status oi_may_use_slow(ouro_value value, const char *call);
static inline ouro_status oi_may_use(ouro_value value, const char *call)
{
    return OI_LIKELY(oi_is_mine(oi_word(value))) ? OURO_OK : oi_may_use_slow(value, call);
}

/* Of a value that is to be stored: may be any. */
static inline ouro_status oi_may_store(ouro_value value, const char *call)
{
    return ouro_is_object(value) ? oi_may_use(value, call) : OURO_OK;
}

/* As ouro_value_get and ouro_value_set, for slots of arrays, too, without a closer look at private ones. The container may be used. */
static inline ouro_value oi_get(void *container, ouro_slot *slot)
{
    if (OI_LIKELY(oi_is_mine(container)))
        return ouro_value_retain(ouro_value_of(slot->ouro_private_ref));
    return ouro_value_get(container, slot);
}

static inline ouro_status oi_set(void *container, ouro_slot *slot, ouro_value value, const char *call)
{
    ouro_status status = oi_may_store(value, call);
    if (OI_UNLIKELY(status != OURO_OK))
        return status;
    if (OI_LIKELY(oi_is_mine(container))) {
        ouro_value old = ouro_value_of(slot->ouro_private_ref);
        slot->ouro_private_ref = oi_word(ouro_value_retain(value));
        ouro_value_release(old);
    } else {
        ouro_value_set(container, slot, value);
    }
    return OURO_OK;
}

/* ---- Snapshots ---- */

/* Releases what it holds. */
void oi_snapshot_drop(struct oi_snapshot *snapshot);

/* Memory for count values, as `owned`, for the caller to fill in, retained; `items` and `count` are set. False: out of memory. */
bool oi_snapshot_reserve(struct oi_snapshot *snapshot, size_t count);

/* ---- Positions in sequences, as in Python ---- */

/* Negative ones count from the end. False: it is beyond the ends. */
static inline bool oi_index(ptrdiff_t index, size_t length, size_t *at)
{
    *at = index < 0 ? (size_t)index + length : (size_t)index;
    return *at < length;
}

/* The positions first, first + step, ... of a slice: `count` of them. False: step is 0. */
bool oi_slice(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, size_t length, size_t *first, size_t *count);

/* Of a slice with step 1: *from <= *to. */
void oi_cut(ptrdiff_t start, ptrdiff_t stop, size_t length, size_t *from, size_t *to);

/* Among items, borrowed. The position of the first that equals item, or is it, counted from `base`; OURO_E_KEY. */
ouro_status oi_find_item(const ouro_value *items, size_t count, ouro_value item, size_t base, size_t *at);
/* How many equal it, or are it. */
ouro_status oi_count_item(const ouro_value *items, size_t count, ouro_value item, size_t *found);
