/* SPDX-License-Identifier: MIT */
#include "value/contents.h"

#include <stdlib.h>

#include "object/hint.h"
#include "object/misuse.h"
#include "object/publish.h"

/* An object that is born published, by an unbiased thread: the collector may look at its slots. So what goes into one is published first
 * (P1), and looked at (rule D). Release: pairs with those who read the slot [MO-publish]. */
static void store_published(ouro_slot *slot, ouro_value value)
{
    ouro_object *o = oi_slot_ref(oi_word(value));
    if (o && !(oi_flags(o) & OI_PUBLISHED))
        oi_publish(o);
    if (o)
        oi_check(o);
    oi_store_release(&slot->ouro_private_ref, oi_word(value));
    if (o)
        oi_hint(o);
}

ouro_status oi_fill(void *fresh, ouro_slot *slots, const ouro_value *values, size_t count)
{
    bool published = oi_flags((ouro_object *)fresh) & OI_PUBLISHED;
    for (size_t i = 0; i < count; i++) {
        ouro_value value;
        ouro_status status = oi_retain_into(values[i], &value);
        if (OI_UNLIKELY(status != OURO_OK))
            return status;
        if (OI_UNLIKELY(published))
            store_published(&slots[i], value);
        else
            slots[i].ouro_private_ref = oi_word(value);
    }
    return OURO_OK;
}

ouro_status oi_may_use_slow(ouro_value value, const char *call)
{
    ouro_object *o = oi_word(value);
    if (OI_UNLIKELY(oi_is_dead(o))) {
        if (!oi_act.reading) /* what was found in a read section may have died */
            oi_misuse(OURO_MISUSE_OVER_RELEASE, call, o, "the object is dead");
    } else if (OI_UNLIKELY(oi_is_foreign(o)))
        oi_misuse(OURO_MISUSE_FOREIGN_PRIVATE, call, o, "the object is private to another thread");
    else
        return OURO_OK;
    return OURO_E_USAGE;
}

void oi_snapshot_drop(struct oi_snapshot *snapshot)
{
    if (!snapshot->owned)
        return;
    ouro_value_release_all(snapshot->owned, snapshot->count);
    free(snapshot->owned);
}

bool oi_snapshot_reserve(struct oi_snapshot *snapshot, size_t count)
{
    ouro_value *owned = count <= SIZE_MAX / sizeof *owned ? malloc((count + !count) * sizeof *owned) : NULL;
    *snapshot = (struct oi_snapshot){owned, owned ? count : 0, owned};
    return owned;
}

/* A bound of a slice within low .. high. */
static size_t bound(ptrdiff_t at, size_t length, ptrdiff_t low, ptrdiff_t high)
{
    if (at < 0)
        at += (ptrdiff_t)length;
    return (size_t)(at < low ? low : at > high ? high : at);
}

bool oi_slice(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, size_t length, size_t *first, size_t *count)
{
    ptrdiff_t n = (ptrdiff_t)length;
    *first = *count = 0;
    if (step == 0)
        return false;
    if (step > 0) {
        size_t from = start == OURO_OMITTED ? 0 : bound(start, length, 0, n);
        size_t to = stop == OURO_OMITTED ? length : bound(stop, length, 0, n);
        *first = from;
        *count = from < to ? (to - from - 1) / (size_t)step + 1 : 0;
    } else {
        /* One more than the positions, which may be -1. */
        size_t from = start == OURO_OMITTED ? length : bound(start, length, -1, n - 1) + 1;
        size_t to = stop == OURO_OMITTED ? 0 : bound(stop, length, -1, n - 1) + 1;
        *count = to < from ? (from - to - 1) / (0 - (size_t)step) + 1 : 0;
        *first = *count ? from - 1 : 0;
    }
    return true;
}

void oi_cut(ptrdiff_t start, ptrdiff_t stop, size_t length, size_t *from, size_t *to)
{
    size_t count;
    oi_slice(start, stop, 1, length, from, &count);
    *to = *from + count;
}

static ouro_status equals(ouro_value a, ouro_value b, bool *equal)
{
    *equal = a == b;
    return *equal ? OURO_OK : ouro_equal(a, b, equal);
}

ouro_status oi_find_item(const ouro_value *items, size_t count, ouro_value item, size_t base, size_t *at)
{
    for (size_t i = 0; i < count; i++) {
        bool equal;
        ouro_status status = equals(items[i], item, &equal);
        if (status != OURO_OK)
            return status;
        if (equal) {
            *at = base + i;
            return OURO_OK;
        }
    }
    return OURO_E_KEY;
}

ouro_status oi_count_item(const ouro_value *items, size_t count, ouro_value item, size_t *found)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool equal;
        ouro_status status = equals(items[i], item, &equal);
        if (status != OURO_OK)
            return status;
        n += equal;
    }
    *found = n;
    return OURO_OK;
}
