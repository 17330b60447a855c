//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Lists: looking at many elements at one moment, and new lists made of them. */
#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"
#include "lib_value_list.h"

#define TRIES 32 /* at looking without a turn, while others change the list */

static ouro_value word_at(const struct oi_store *store, size_t first, ptrdiff_t step, size_t i)
{
    return oi_word_load(&store->items[first + i * (size_t)step]);
}

/* Of a private list, or in a turn. */
static ouro_status read_own(const struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, oi_word_array *items, size_t room,
                            size_t *whole)
{
    size_t first;
    const struct oi_store *store = oi_list_store(list);
    if (!oi_slice(start, stop, step, oi_list_length_own(list), &first, whole))
        return OURO_E_INVALID;
    for (size_t i = 0; i < *whole && i < room; i++)
        items[i] = oi_word_hold_own(word_at(store, first, step, i));
    return OURO_OK;
}

static bool is_unchanged(const struct oi_list *list, uint64_t version)
{
    return oi_turn_version(&list->turn) == version;
}

/* A word that could not be held is in the list all the same: see oi_word_is_finalizing. */
static bool hold_finalizing(const struct oi_list *list, uint64_t version, ouro_value word)
{
    return oi_word_is_finalizing(word) && is_unchanged(list, version) && !oi_is_dead(&list->object) && oi_word_hold_finalizing(word);
}

/* One look without a turn (turn.h, T1). Returns OURO_E_CHANGED if the list was changed meanwhile; *held is how many references it has
 * taken, in any case. */
static ouro_status try_read(const struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, oi_word_array *items, size_t room,
                            size_t *whole, size_t *held)
{
    size_t length, first;
    uint64_t version = oi_turn_version(&list->turn);
    const struct oi_store *store = oi_list_look(list, &length);
    if (!oi_slice(start, stop, step, length, &first, whole))
        return OURO_E_INVALID;
    for (size_t i = 0; i < *whole && i < room; i++) {
        oi_perturb();
        ouro_value word = word_at(store, first, step, i);
        if (!oi_word_try_hold(word) && !hold_finalizing(list, version, word))
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

ouro_status oi_list_snapshot(ouro_value value, struct oi_snapshot *snapshot)
{
    size_t whole = oi_list_length_own(oi_list_of(value)); /* a guess, if it is shared */
    for (;;) {
        if (!oi_snapshot_reserve(snapshot, whole))
            return OURO_E_NOMEM;
        ouro_status status = oi_list_read(oi_list_of(value), OURO_OMITTED, OURO_OMITTED, 1, snapshot->owned, snapshot->count, &whole);
        bool enough = whole <= snapshot->count;
        if (status != OURO_OK || enough)
            snapshot->count = status == OURO_OK ? whole : 0;
        if (status == OURO_OK && enough)
            return OURO_OK;
        oi_snapshot_drop(snapshot);
        *snapshot = (struct oi_snapshot){0};
        if (status != OURO_OK)
            return status;
    }
}

ouro_status ouro_list_get_range(ouro_value value, size_t start, ouro_value *items, size_t room, size_t *count)
{
    size_t whole = 0;
    if (!count)
        return OURO_E_INVALID;
    *count = 0;
    if (room && !items)
        return OURO_E_INVALID;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_get_range");
    if (status != OURO_OK || start > PTRDIFF_MAX)
        return status;
    status = oi_list_read(oi_list_of(value), (ptrdiff_t)start, OURO_OMITTED, 1, items, room, &whole);
    if (status == OURO_OK)
        *count = whole < room ? whole : room;
    return status;
}

/* ---- new lists ---- */

/* All elements of a slice, in a store of the caller's. */
static ouro_status read_all(struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, struct oi_store **result)
{
    size_t whole = 0, room = 0;
    struct oi_store *store = NULL;
    for (;;) {
        ouro_status status = oi_list_read(list, start, stop, step, store ? (oi_word_array *)store->items : NULL, room, &whole);
        if (store && status == OURO_OK)
            oi_store_set_length(&store->array, whole < room ? whole : room);
        if (store && status == OURO_OK && whole <= room) {
            *result = store;
            return OURO_OK;
        }
        ouro_release(store); /* the list has grown beyond it */
        if (status != OURO_OK)
            return status;
        store = oi_store_new(whole);
        if (!store)
            return OURO_E_NOMEM;
        room = oi_store_room(store);
    }
}

ouro_status ouro_list_slice(ouro_value value, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *result)
{
    struct oi_store *words;
    if (!result)
        return OURO_E_INVALID;
    *result = OURO_NIL;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_slice");
    if (status == OURO_OK)
        status = read_all(oi_list_of(value), start, stop, step, &words);
    return status == OURO_OK ? oi_list_of_store(words, result) : status;
}

/* A list of the elements of a, `times` times, and then those of b. */
static ouro_status join(const struct oi_snapshot *a, size_t times, const struct oi_snapshot *b, ouro_value *result)
{
    size_t na = a->count, nb = b->count;
    bool fits = !times || na <= (OI_STORE_ROOM_MAX - nb) / times;
    struct oi_store *all = fits ? oi_store_new(na * times + nb) : NULL;
    if (!all)
        return OURO_E_NOMEM;
    bool shared = oi_is_shared(all); /* an unbiased thread's; then the elements are, too */
    for (size_t i = 0, n = na * times + nb; i < n; i++) {
        ouro_value word = i < na * times ? a->items[i % na] : b->items[i - na * times];
        oi_word_retain(word, shared);
        oi_word_store(&all->items[i], word);
    }
    oi_store_set_length(&all->array, na * times + nb);
    return oi_list_of_store(all, result);
}

ouro_status ouro_list_concat(ouro_value a, ouro_value b, ouro_value *result)
{
    struct oi_snapshot first, second;
    if (!result)
        return OURO_E_INVALID;
    *result = OURO_NIL;
    ouro_status status = oi_container_check(a, OI_OWN_LIST, "ouro_list_concat");
    if (status == OURO_OK)
        status = oi_container_check(b, OI_OWN_LIST, "ouro_list_concat");
    if (status == OURO_OK)
        status = oi_list_snapshot(a, &first);
    if (status != OURO_OK)
        return status;
    status = oi_list_snapshot(b, &second);
    if (status == OURO_OK) {
        status = join(&first, 1, &second, result);
        oi_snapshot_drop(&second);
    }
    oi_snapshot_drop(&first);
    return status;
}

ouro_status ouro_list_repeat(ouro_value value, size_t times, ouro_value *result)
{
    struct oi_snapshot words;
    if (!result)
        return OURO_E_INVALID;
    *result = OURO_NIL;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_repeat");
    if (status == OURO_OK)
        status = oi_list_snapshot(value, &words);
    if (status != OURO_OK)
        return status;
    status = join(&words, times, &(struct oi_snapshot){0}, result);
    oi_snapshot_drop(&words);
    return status;
}

/* ---- as a kind ---- */

static ouro_status make(ouro_value like, size_t count, ouro_value *empty)
{
    (void)like;
    return ouro_list_new_with_room(count, empty);
}

static ouro_status fill(ouro_value empty, const ouro_value *items, size_t count)
{
    return ouro_list_append_all(empty, items, count);
}

static ouro_status snapshot(ouro_value list, struct oi_snapshot *all)
{
    ouro_status status = oi_container_check(list, OI_OWN_LIST, "ouro_equal");
    return status == OURO_OK ? oi_list_snapshot(list, all) : status;
}

const struct oi_kind_ops oi_list_ops = {.snapshot = snapshot,
                                        .length = ouro_list_length,
                                        .make = make,
                                        .fill = fill,
                                        .equality = OI_IN_ORDER,
                                        .ordered = true,
                                        .opening = "[",
                                        .closing = "]"};
