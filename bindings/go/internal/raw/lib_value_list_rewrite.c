//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Lists: what takes a new store, whoever's the list is; and slices that are replaced. */
#include <string.h>

#include "lib_value_list.h"

/* ---- rewriting ---- */

struct spares {
    struct oi_store *fresh, *taken;
};

static bool has_room(const struct oi_store *store, size_t room)
{
    return store && oi_store_room(store) >= room;
}

static bool get_room(struct oi_store **store, size_t room)
{
    if (has_room(*store, room))
        return true;
    ouro_release(*store);
    *store = oi_store_new(room);
    return *store;
}

static void carry_out(struct oi_list *list, struct oi_rewrite *rewrite, struct spares *spares, size_t after, size_t taken)
{
    struct oi_store *from = oi_list_store(list), *to = spares->fresh;
    rewrite->fill(rewrite, (const oi_word_array *)from->items, oi_store_length(from), (oi_word_array *)to->items,
                  taken ? (oi_word_array *)spares->taken->items : NULL);
    oi_store_move(&list->object, &list->store, &from->array, &to->array, after);
    if (taken) {
        oi_store_set_length(&spares->taken->array, taken);
        oi_turn_done();
        oi_words_hint((const oi_word_array *)spares->taken->items, taken, rewrite->shared);
    }
    spares->fresh = from;
}

ouro_status oi_list_rewrite(ouro_value value, struct oi_rewrite *rewrite, const char *call)
{
    struct oi_list *list = oi_list_of(value);
    struct spares spares = {0};
    ouro_status status = oi_container_check(value, OI_OWN_LIST, call);
    for (bool done = false; status == OURO_OK && !done;) {
        size_t after = 0, taken = 0;
        status = oi_words_prepare(rewrite->items, rewrite->count, oi_is_shared(list), call);
        if (status != OURO_OK)
            break;
        rewrite->shared = oi_list_begin(list);
        struct oi_store *store = oi_list_store(list);
        size_t length = store ? oi_store_length(store) : 0;
        status = rewrite->plan(rewrite, store ? (const oi_word_array *)store->items : NULL, length, &after, &taken);
        bool nothing = !length; /* and nothing to be put in: no place of an empty list has a name */
        done = status == OURO_OK && (nothing || (has_room(spares.fresh, after) && (!taken || has_room(spares.taken, taken))));
        if (done && !nothing) {
            carry_out(list, rewrite, &spares, after, taken);
            oi_list_end(list, rewrite->shared);
        } else {
            oi_list_end_unchanged(list, rewrite->shared);
            if (status == OURO_OK && !done && (!get_room(&spares.fresh, after) || (taken && !get_room(&spares.taken, taken))))
                status = OURO_E_NOMEM;
        }
    }
    /* Here user code may run. */
    ouro_release(spares.fresh);
    ouro_release(spares.taken);
    return status;
}

/* ---- slices with steps ---- */

static ouro_status plan_set(struct oi_rewrite *rewrite, const oi_word_array *words, size_t length, size_t *after, size_t *taken)
{
    size_t first;
    (void)words;
    *after = length;
    bool ok = oi_slice(rewrite->start, rewrite->stop, rewrite->step, length, &first, taken) && *taken == rewrite->count;
    return ok ? OURO_OK : OURO_E_INVALID;
}

static void fill_set(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken)
{
    size_t at, count;
    (void)oi_slice(rewrite->start, rewrite->stop, rewrite->step, length, &at, &count);
    memcpy(to, from, length * sizeof *to);
    for (size_t i = 0; i < count; i++, at += (size_t)rewrite->step) {
        taken[i] = to[at];
        oi_word_retain(rewrite->items[i], rewrite->shared);
        to[at] = rewrite->items[i];
    }
}

static ouro_status plan_delete(struct oi_rewrite *rewrite, const oi_word_array *words, size_t length, size_t *after, size_t *taken)
{
    size_t first;
    (void)words;
    if (!oi_slice(rewrite->start, rewrite->stop, rewrite->step, length, &first, taken))
        return OURO_E_INVALID;
    *after = length - *taken;
    return OURO_OK;
}

static void fill_delete(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken)
{
    size_t first, count, kept = 0, gone = 0, step = (size_t)rewrite->step;
    (void)oi_slice(rewrite->start, rewrite->stop, rewrite->step, length, &first, &count);
    if (rewrite->step < 0) { /* the same places from the other end */
        first += count ? (count - 1) * step : 0;
        step = 0 - step;
    }
    for (size_t i = 0; i < length; i++) {
        if (gone < count && i == first + gone * step)
            taken[gone++] = from[i];
        else
            to[kept++] = from[i];
    }
}

/* ---- slices without: a range is replaced ---- */

static ouro_status in_slice(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    (void)oi_slice(edit->start, edit->stop, 1, length, &range->at, &range->count);
    return OURO_OK;
}

ouro_status ouro_list_set_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, const ouro_value *items, size_t count)
{
    if (count && !items)
        return OURO_E_INVALID;
    if (step == 1) {
        struct oi_edit edit = {.where = in_slice, .start = start, .stop = stop, .items = items, .count = count};
        return oi_list_edit(list, &edit, "ouro_list_set_slice");
    }
    struct oi_rewrite rewrite = {.plan = plan_set, .fill = fill_set, .start = start, .stop = stop, .step = step, .items = items, .count = count};
    return oi_list_rewrite(list, &rewrite, "ouro_list_set_slice");
}

ouro_status ouro_list_delete_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step)
{
    if (step == 1)
        return oi_list_edit(list, &(struct oi_edit){.where = in_slice, .start = start, .stop = stop}, "ouro_list_delete_slice");
    struct oi_rewrite rewrite = {.plan = plan_delete, .fill = fill_delete, .start = start, .stop = stop, .step = step};
    return oi_list_rewrite(list, &rewrite, "ouro_list_delete_slice");
}

/* ---- reverse ---- */

static ouro_status plan_same(struct oi_rewrite *rewrite, const oi_word_array *words, size_t length, size_t *after, size_t *taken)
{
    (void)rewrite, (void)words;
    *after = length;
    *taken = 0;
    return OURO_OK;
}

static void fill_reversed(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken)
{
    (void)rewrite, (void)taken;
    for (size_t i = 0; i < length; i++)
        to[length - 1 - i] = from[i];
}

static void reverse_in_place(struct oi_store *store)
{
    size_t length = store ? oi_store_length(store) : 0;
    for (size_t i = 0; i < length / 2; i++) {
        ouro_value word = oi_word_load(&store->items[i]);
        oi_word_store(&store->items[i], oi_word_load(&store->items[length - 1 - i]));
        oi_word_store(&store->items[length - 1 - i], word);
    }
}

ouro_status ouro_list_reverse(ouro_value list)
{
    ouro_status status = oi_container_check(list, OI_OWN_LIST, "ouro_list_reverse");
    if (status != OURO_OK)
        return status;
    if (!oi_is_shared(oi_list_of(list))) {
        reverse_in_place(oi_list_store(oi_list_of(list)));
        return OURO_OK;
    }
    struct oi_rewrite rewrite = {.plan = plan_same, .fill = fill_reversed};
    return oi_list_rewrite(list, &rewrite, "ouro_list_reverse");
}
