/* SPDX-License-Identifier: MIT
 *
 * Lists: looking at many elements at one moment, and new lists made of them. */
#include "port/perturb.h"
#include "sync/rcu.h"
#include "value/list.h"

#define TRIES 32 /* at looking without a turn, while others change the list */

static ouro_value word_at(const struct oi_store *store, const struct oi_slice *slice, size_t i)
{
    return oi_word_load(&store->items[slice->first + i * (size_t)slice->step]);
}

/* Of a private list, or in a turn. */
static ouro_status read_own(const struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, oi_word_array *items, size_t room,
                            size_t *whole)
{
    struct oi_slice slice;
    const struct oi_store *store = oi_list_store(list);
    ouro_status status = oi_slice_resolve(start, stop, step, store ? oi_store_length(store) : 0, &slice);
    if (status != OURO_OK)
        return status;
    *whole = slice.count;
    for (size_t i = 0; i < slice.count && i < room; i++)
        items[i] = oi_word_hold_own(word_at(store, &slice, i));
    return OURO_OK;
}

static bool is_unchanged(const struct oi_list *list, uint64_t version)
{
    return oi_turn_version(&list->turn) == version;
}

/* One look without a turn (turn.h, T1). Returns OURO_E_CHANGED if the list was changed meanwhile; *held is how many references it has
 * taken, in any case. */
static ouro_status try_read(const struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, oi_word_array *items, size_t room,
                            size_t *whole, size_t *held)
{
    struct oi_slice slice;
    uint64_t version = oi_turn_version(&list->turn);
    const struct oi_store *store = oi_list_store(list);
    ouro_status status = oi_slice_resolve(start, stop, step, store ? oi_store_length(store) : 0, &slice);
    if (status != OURO_OK)
        return status;
    *whole = slice.count;
    for (size_t i = 0; i < slice.count && i < room; i++) {
        oi_perturb();
        ouro_value word = word_at(store, &slice, i);
        /* Dead, and the list unchanged: see oi_word_hold_finalizing. */
        if (!oi_word_try_hold(word) && (!is_unchanged(list, version) || !oi_word_hold_finalizing(word)))
            return OURO_E_CHANGED;
        items[i] = word;
        ++*held;
    }
    return is_unchanged(list, version) ? OURO_OK : OURO_E_CHANGED;
}

ouro_status oi_list_read(struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, oi_word_array *items, size_t room,
                         size_t *whole)
{
    if (!oi_is_shared(list))
        return read_own(list, start, stop, step, items, room, whole);
    for (int n = 0; n < TRIES; n++) {
        size_t held = 0;
        oi_rcu_read_lock();
        ouro_status status = try_read(list, start, stop, step, items, room, whole, &held);
        oi_rcu_read_unlock();
        if (status != OURO_E_CHANGED)
            return status;
        while (held)
            ouro_value_release(items[--held]);
        if (oi_is_dead(&list->object))
            return OURO_E_USAGE; /* found in a read section */
    }
    oi_list_begin(list);
    ouro_status status = read_own(list, start, stop, step, items, room, whole);
    oi_list_end_unchanged(list, true);
    return status;
}

ouro_status oi_list_read_all(struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, struct oi_store **words)
{
    size_t whole = 0;
    struct oi_store *store = NULL;
    for (;;) {
        ouro_status status = oi_list_read(list, start, stop, step, store ? (oi_word_array *)store->items : NULL, store ? oi_store_room(store) : 0, &whole);
        if (status == OURO_OK && store && whole <= oi_store_room(store)) {
            oi_store_set_length(&store->array, whole);
            *words = store;
            return OURO_OK;
        }
        if (store && status == OURO_OK)
            oi_store_set_length(&store->array, oi_store_room(store)); /* it has grown beyond that: once more */
        ouro_release(store);
        if (status != OURO_OK)
            return status;
        store = oi_store_new(whole);
        if (!store)
            return OURO_E_NOMEM;
    }
}

ouro_status oi_list_snapshot(ouro_value list, const char *call, struct oi_store **words)
{
    ouro_status status = oi_container_check(list, &oi_list_type, call);
    return status == OURO_OK ? oi_list_read_all(oi_list_of(list), OURO_OMITTED, OURO_OMITTED, 1, words) : status;
}

ouro_status ouro_list_get_range(ouro_value value, size_t start, ouro_value *items, size_t room, size_t *count)
{
    size_t whole = 0;
    if (!count)
        return OURO_E_INVALID;
    *count = 0;
    if (room && !items)
        return OURO_E_INVALID;
    ouro_status status = oi_container_check(value, &oi_list_type, "ouro_list_get_range");
    if (status != OURO_OK || start > PTRDIFF_MAX)
        return status;
    status = oi_list_read(oi_list_of(value), (ptrdiff_t)start, OURO_OMITTED, 1, items, room, &whole);
    if (status == OURO_OK)
        *count = whole < room ? whole : room;
    return status;
}

/* ---- new lists ---- */

ouro_status ouro_list_slice(ouro_value value, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *result)
{
    struct oi_store *words;
    if (!result)
        return OURO_E_INVALID;
    *result = OURO_NIL;
    ouro_status status = oi_container_check(value, &oi_list_type, "ouro_list_slice");
    if (status == OURO_OK)
        status = oi_list_read_all(oi_list_of(value), start, stop, step, &words);
    return status == OURO_OK ? oi_list_of_store(words, result) : status;
}

/* A list of all words of one store, `times` times, and then all of the other. Both are consumed; b may be NULL. */
static ouro_status join(struct oi_store *a, size_t times, struct oi_store *b, ouro_value *result)
{
    size_t na = oi_store_length(a), nb = b ? oi_store_length(b) : 0;
    bool fits = !times || na <= (OI_STORE_ROOM_MAX - nb) / times;
    struct oi_store *all = fits ? oi_store_new(na * times + nb) : NULL;
    bool shared = all && oi_is_shared(all);
    for (size_t i = 0, n = na * times + nb; all && i < n; i++) {
        const ouro_slot *from = i < na * times ? &a->items[i % na] : &b->items[i - na * times];
        oi_word_retain(oi_word_load(from), shared);
        oi_word_store(&all->items[i], oi_word_load(from));
    }
    if (all)
        oi_store_set_length(&all->array, na * times + nb);
    ouro_release(a);
    ouro_release(b);
    return all ? oi_list_of_store(all, result) : OURO_E_NOMEM;
}

ouro_status ouro_list_concat(ouro_value a, ouro_value b, ouro_value *result)
{
    struct oi_store *first, *second;
    if (!result)
        return OURO_E_INVALID;
    *result = OURO_NIL;
    ouro_status status = oi_container_check(b, &oi_list_type, "ouro_list_concat");
    if (status == OURO_OK)
        status = oi_list_snapshot(a, "ouro_list_concat", &first);
    if (status != OURO_OK)
        return status;
    status = oi_list_snapshot(b, "ouro_list_concat", &second);
    if (status == OURO_OK)
        return join(first, 1, second, result);
    ouro_release(first);
    return status;
}

ouro_status ouro_list_repeat(ouro_value value, size_t times, ouro_value *result)
{
    struct oi_store *words;
    if (!result)
        return OURO_E_INVALID;
    *result = OURO_NIL;
    ouro_status status = oi_list_snapshot(value, "ouro_list_repeat", &words);
    return status == OURO_OK ? join(words, times, NULL, result) : status;
}
