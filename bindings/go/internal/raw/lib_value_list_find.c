//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Lists: looking for equal elements. Comparing may run user code, or take long, so it is done on a snapshot; but what can be compared by
 * looking at it is compared where it is. */
#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"
#include "lib_value_list.h"
#include "lib_value_hash.h"

#define TRIES 32 /* at looking without a turn, while others change the list */

struct search {
    ouro_value item;
    ptrdiff_t start, stop;
    bool first;   /* only the first is wanted */
    size_t count; /* found */
    size_t at;    /* the first */
};

/* As elements, of which each equals itself. */
static enum oi_answer compare(ouro_value a, ouro_value b)
{
    bool equal = false;
    if (a == b)
        return OI_EQUAL;
    if (!ouro_is_object(a) && !ouro_is_object(b))
        return OI_DIFFERENT;
    ouro_kind ka = oi_kind_of(a), kb = oi_kind_of(b);
    if (ka > OURO_KIND_BYTES || kb > OURO_KIND_BYTES)
        return ka == kb ? OI_ASK : OI_DIFFERENT;
    return ouro_equal(a, b, &equal) == OURO_OK && equal ? OI_EQUAL : OI_DIFFERENT; /* of these it does nothing but look */
}

/* Among the words of a store, in a read section or where nobody changes them. OI_AGAIN: others must be asked. */
static ouro_status search_in_place(struct search *search, const struct oi_store *store, size_t length)
{
    size_t from, to;
    oi_cut(search->start, search->stop, length, &from, &to);
    search->count = 0;
    for (size_t i = from; i < to && !(search->first && search->count); i++) {
        oi_perturb();
        enum oi_answer answer = compare(oi_word_load(&store->items[i]), search->item);
        if (answer == OI_ASK)
            return OI_AGAIN;
        if (answer == OI_EQUAL && !search->count++)
            search->at = i;
    }
    return OURO_OK;
}

static ouro_status search_snapshot(struct search *search, const struct oi_snapshot *words)
{
    size_t from, to;
    oi_cut(search->start, search->stop, words->count, &from, &to);
    if (!search->first)
        return oi_count_item(words->items + from, to - from, search->item, &search->count);
    ouro_status status = oi_find_item(words->items + from, to - from, search->item, from, &search->at);
    search->count = status == OURO_OK;
    return status == OURO_E_KEY ? OURO_OK : status;
}

/* Once, without a turn (turn.h, T1): OURO_E_CHANGED or as above. */
static ouro_status try_search(struct search *search, const struct oi_list *list)
{
    oi_rcu_read_lock();
    size_t length;
    uint64_t version = oi_turn_version(&list->turn);
    const struct oi_store *store = oi_list_look(list, &length);
    ouro_status status = search_in_place(search, store, length);
    if (oi_turn_version(&list->turn) != version)
        status = OURO_E_CHANGED;
    oi_rcu_read_unlock();
    return status;
}

static ouro_status search_list(struct search *search, ouro_value value, const char *call)
{
    struct oi_snapshot words;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, call);
    if (status != OURO_OK)
        return status;
    status = OURO_E_CHANGED;
    for (int n = 0; n < TRIES && status == OURO_E_CHANGED; n++)
        status = try_search(search, oi_list_of(value));
    if (status == OURO_OK)
        return OURO_OK;
    status = oi_list_snapshot(value, &words);
    if (status != OURO_OK)
        return status;
    status = search_snapshot(search, &words);
    oi_snapshot_drop(&words);
    return status;
}

ouro_status ouro_list_index(ouro_value list, ouro_value item, ptrdiff_t start, ptrdiff_t stop, size_t *at)
{
    struct search search = {.item = item, .start = start, .stop = stop, .first = true};
    if (!at)
        return OURO_E_INVALID;
    *at = 0;
    ouro_status status = search_list(&search, list, "ouro_list_index");
    if (status == OURO_OK && search.count)
        *at = search.at;
    return status == OURO_OK && !search.count ? OURO_E_KEY : status;
}

ouro_status ouro_list_count(ouro_value list, ouro_value item, size_t *count)
{
    struct search search = {.item = item, .start = OURO_OMITTED, .stop = OURO_OMITTED};
    if (!count)
        return OURO_E_INVALID;
    *count = 0;
    ouro_status status = search_list(&search, list, "ouro_list_count");
    if (status == OURO_OK)
        *count = search.count;
    return status;
}

/* ---- removing ---- */

/* The list, in a turn, must begin as the snapshot that was searched, up to the element that was found. */
struct found_edit {
    struct oi_edit edit;
    const ouro_value *words;
    const struct oi_list *list;
    size_t at;
};

static ouro_status where_found(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    const struct found_edit *found = OI_CONTAINER_OF(edit, struct found_edit, edit);
    const struct oi_store *store = oi_list_store(found->list);
    if (found->at >= length)
        return OI_AGAIN;
    for (size_t i = 0; i <= found->at; i++) {
        if (oi_word_load(&store->items[i]) != found->words[i])
            return OI_AGAIN;
    }
    *range = (struct oi_range){found->at, 1};
    return OURO_OK;
}

static ouro_status try_remove(ouro_value list, ouro_value item)
{
    struct search search = {.item = item, .start = OURO_OMITTED, .stop = OURO_OMITTED, .first = true};
    struct oi_snapshot words;
    ouro_status status = oi_list_snapshot(list, &words);
    if (status != OURO_OK)
        return status;
    status = search_snapshot(&search, &words);
    if (status == OURO_OK && !search.count)
        status = OURO_E_KEY;
    if (status == OURO_OK) {
        struct found_edit found = {.edit = {.where = where_found}, .words = words.items, .list = oi_list_of(list), .at = search.at};
        status = oi_list_edit(list, &found.edit, "ouro_list_remove");
    }
    oi_snapshot_drop(&words);
    return status;
}

struct searching_edit {
    struct oi_edit edit;
    struct search search;
    const struct oi_list *list;
};

/* In a turn, as far as looking is enough. */
static ouro_status where_equal(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    struct search search = OI_CONTAINER_OF(edit, struct searching_edit, edit)->search;
    const struct oi_list *list = OI_CONTAINER_OF(edit, struct searching_edit, edit)->list;
    ouro_status status = search_in_place(&search, oi_list_store(list), length);
    *range = (struct oi_range){search.at, 1};
    return status == OURO_OK && !search.count ? OURO_E_KEY : status;
}

ouro_status ouro_list_remove(ouro_value list, ouro_value item)
{
    struct searching_edit searching = {.edit = {.where = where_equal},
                                       .search = {.item = item, .start = OURO_OMITTED, .stop = OURO_OMITTED, .first = true},
                                       .list = oi_list_of(list)};
    ouro_status status = oi_list_edit(list, &searching.edit, "ouro_list_remove");
    while (status == OI_AGAIN)
        status = try_remove(list, item);
    return status;
}
