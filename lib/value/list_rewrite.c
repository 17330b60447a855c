/* SPDX-License-Identifier: MIT
 *
 * Lists: what takes a new store, whoever's the list is; and slices that are replaced. */
#include <string.h>

#include "value/list.h"

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

static bool prepare_items(const struct oi_rewrite *rewrite, bool shared, const char *call)
{
    for (size_t i = 0; i < rewrite->count; i++) {
        if (!oi_word_prepare(rewrite->items[i], shared, call))
            return false;
    }
    return true;
}

static void carry_out(struct oi_list *list, struct oi_rewrite *rewrite, struct spares *spares, size_t after, size_t taken)
{
    struct oi_store *from = oi_list_store(list), *to = spares->fresh;
    rewrite->fill(rewrite, (const oi_word_array *)from->items, oi_store_length(from), (oi_word_array *)to->items,
                  taken ? (oi_word_array *)spares->taken->items : NULL);
    oi_store_move(&list->object, &list->store, &from->array, &to->array, after);
    if (taken)
        oi_store_set_length(&spares->taken->array, taken);
    spares->fresh = from;
}

ouro_status oi_list_rewrite(ouro_value value, struct oi_rewrite *rewrite, const char *call)
{
    struct oi_list *list = oi_list_of(value);
    struct spares spares = {0};
    ouro_status status = oi_container_check(value, &oi_list_type, call);
    for (bool done = false; status == OURO_OK && !done;) {
        size_t after = 0, taken = 0;
        if (!prepare_items(rewrite, oi_is_shared(list), call)) {
            status = OURO_E_USAGE;
            break;
        }
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
    struct oi_slice slice;
    (void)words;
    ouro_status status = oi_slice_resolve(rewrite->start, rewrite->stop, rewrite->step, length, &slice);
    *after = length;
    *taken = slice.count;
    return status == OURO_OK && slice.count != rewrite->count ? OURO_E_INVALID : status;
}

static void fill_set(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken)
{
    struct oi_slice slice;
    (void)oi_slice_resolve(rewrite->start, rewrite->stop, rewrite->step, length, &slice);
    memcpy(to, from, length * sizeof *to);
    for (size_t i = 0, at = slice.first; i < slice.count; i++, at += (size_t)slice.step) {
        taken[i] = to[at];
        oi_word_retain(rewrite->items[i], rewrite->shared);
        to[at] = rewrite->items[i];
    }
}

static ouro_status plan_delete(struct oi_rewrite *rewrite, const oi_word_array *words, size_t length, size_t *after, size_t *taken)
{
    struct oi_slice slice;
    (void)words;
    ouro_status status = oi_slice_resolve(rewrite->start, rewrite->stop, rewrite->step, length, &slice);
    *taken = slice.count;
    *after = length - slice.count;
    return status;
}

/* The same places, from the first one on. */
static struct oi_slice ascending(struct oi_slice slice)
{
    if (slice.step > 0 || !slice.count)
        return slice;
    return (struct oi_slice){.first = slice.first + (slice.count - 1) * (size_t)slice.step, .count = slice.count, .step = -slice.step};
}

static void fill_delete(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken)
{
    struct oi_slice slice;
    size_t kept = 0, gone = 0;
    (void)oi_slice_resolve(rewrite->start, rewrite->stop, rewrite->step, length, &slice);
    slice = ascending(slice);
    for (size_t i = 0; i < length; i++) {
        if (gone < slice.count && i == slice.first + gone * (size_t)slice.step)
            taken[gone++] = from[i];
        else
            to[kept++] = from[i];
    }
}

/* ---- slices without: a range is replaced ---- */

static ouro_status in_slice(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    struct oi_slice slice;
    ouro_status status = oi_slice_resolve(edit->start, edit->stop, 1, length, &slice);
    *range = (struct oi_range){slice.first, slice.count};
    return status;
}

ouro_status ouro_list_set_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, const ouro_value *items, size_t count)
{
    if (count && !items)
        return OURO_E_INVALID;
    if (step == 1 || step == OURO_OMITTED) {
        struct oi_edit edit = {.where = in_slice, .start = start, .stop = stop, .items = items, .count = count};
        return oi_list_edit(list, &edit, "ouro_list_set_slice");
    }
    struct oi_rewrite rewrite = {.plan = plan_set, .fill = fill_set, .start = start, .stop = stop, .step = step, .items = items, .count = count};
    return oi_list_rewrite(list, &rewrite, "ouro_list_set_slice");
}

ouro_status ouro_list_delete_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step)
{
    if (step == 1 || step == OURO_OMITTED)
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
    if (oi_value_is(list, &oi_list_type) && oi_is_private(oi_value_ref(list))) {
        reverse_in_place(oi_list_store(oi_list_of(list)));
        return OURO_OK;
    }
    struct oi_rewrite rewrite = {.plan = plan_same, .fill = fill_reversed};
    return oi_list_rewrite(list, &rewrite, "ouro_list_reverse");
}
