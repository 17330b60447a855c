//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Lists: sorting. A snapshot is sorted, for comparing may run user code; then the list, if it is still as the snapshot was, gets a
 * store with its words in the order found. */
#include <stdlib.h>
#include <string.h>

#include "lib_value_list.h"

#define RUN 16u /* sorted by insertion; longer ones by merging */

struct sort {
    bool descending;
    ouro_status status; /* of the first comparison that failed */
};

/* True if b belongs before a, which is before it now. */
static bool is_after(struct sort *sort, ouro_value a, ouro_value b)
{
    int order = 0;
    if (ouro_is_int(a) && ouro_is_int(b)) {
        order = ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b); /* the tags are the same */
    } else {
        ouro_status status = ouro_compare(a, b, &order);
        if (status != OURO_OK) {
            sort->status = status;
            return false;
        }
    }
    if (order == OURO_UNORDERED)
        return false; /* NaN: stays where it is */
    return sort->descending ? order < 0 : order > 0;
}

static void sort_run(struct sort *sort, oi_word_array *words, size_t count)
{
    for (size_t i = 1; i < count && sort->status == OURO_OK; i++) {
        ouro_value word = words[i];
        size_t at = i;
        for (; at && is_after(sort, words[at - 1], word); at--)
            words[at] = words[at - 1];
        words[at] = word;
    }
}

/* Merges from[0 .. left-1] and from[left .. count-1] to `to`. */
static void merge(struct sort *sort, const oi_word_array *from, size_t left, size_t count, oi_word_array *to)
{
    size_t a = 0, b = left, n = 0;
    while (a < left && b < count) {
        if (is_after(sort, from[a], from[b]))
            to[n++] = from[b++];
        else
            to[n++] = from[a++];
    }
    memcpy(to + n, from + a, (left - a) * sizeof *to);
    memcpy(to + n + (left - a), from + b, (count - b) * sizeof *to);
}

/* Sorts `words`; returns where they are then, there or in `room`. */
static oi_word_array *sort_words(struct sort *sort, oi_word_array *words, oi_word_array *room, size_t count)
{
    for (size_t i = 0; i < count; i += RUN)
        sort_run(sort, words + i, count - i < RUN ? count - i : RUN);
    for (size_t width = RUN; width < count && sort->status == OURO_OK; width *= 2) {
        for (size_t i = 0; i < count; i += 2 * width) {
            size_t n = count - i < 2 * width ? count - i : 2 * width;
            merge(sort, words + i, n < width ? n : width, n, room + i);
        }
        oi_word_array *other = words;
        words = room;
        room = other;
    }
    return words;
}

static ouro_status plan_sorted(struct oi_rewrite *rewrite, const oi_word_array *words, size_t length, size_t *after, size_t *taken)
{
    *after = length;
    *taken = 0;
    if (length != rewrite->count)
        return OURO_E_CHANGED;
    return !length || memcmp(words, rewrite->expected, length * sizeof *words) == 0 ? OURO_OK : OURO_E_CHANGED;
}

static void fill_sorted(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken)
{
    (void)from, (void)taken;
    memcpy(to, rewrite->items, length * sizeof *to);
}

ouro_status ouro_list_sort(ouro_value list, bool descending)
{
    struct sort sort = {.descending = descending, .status = OURO_OK};
    struct oi_snapshot snapshot;
    ouro_status status = oi_container_check(list, OI_OWN_LIST, "ouro_list_sort");
    if (status == OURO_OK)
        status = oi_list_snapshot(list, &snapshot);
    if (status != OURO_OK)
        return status;
    size_t count = snapshot.count;
    ouro_value *both = malloc((2 * count + 1) * sizeof *both);
    if (both) {
        memcpy(both, snapshot.items, count * sizeof *both);
        oi_word_array *words = sort_words(&sort, both, both + count, count);
        struct oi_rewrite rewrite = {.plan = plan_sorted, .fill = fill_sorted, .items = words, .count = count, .expected = snapshot.items};
        status = sort.status == OURO_OK ? oi_list_rewrite(list, &rewrite, "ouro_list_sort") : sort.status;
    }
    free(both);
    oi_snapshot_drop(&snapshot);
    return both ? status : OURO_E_NOMEM;
}
