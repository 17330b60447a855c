/* SPDX-License-Identifier: MIT
 *
 * Lists (docs/design/containers.md). A list has a slot for its store, whose length is the list's.
 *
 *     private     the thread's own: plain loads and stores, elements are moved about in place
 *     shared      writers take turns. In place, with one effect: appending (the length, after the elements), cutting off the end (the
 *                 length), replacing one element (its slot). All else is done to a new store, which then takes the old one's
 *                 place (its effect). So a store's elements never change places.
 *
 * L1  An element that a reader finds at i in a store was the list's i-th at some moment of the search, if i was below the store's length
 *     before and after. */
#pragma once

#include "lib_value_store.h"
#include "lib_value_turn.h"

struct oi_list {
    ouro_object object;
    ouro_slot store; /* a struct oi_store, or NULL: no elements */
    uint64_t turn;   /* atomic; not used while the list is private */
};

bool oi_list_init(void);

static inline struct oi_list *oi_list_of(ouro_value value)
{
    return (struct oi_list *)oi_value_ref(value);
}

/* Acquire: pairs with oi_store_move [MO-publish]. */
static inline struct oi_store *oi_list_store(const struct oi_list *list)
{
    return oi_load_acquire(&list->store.ouro_private_ref);
}

/* For readers, in a read section: the store, and its length while it was the list's. A store that is the list's no longer has the length 0
 * (M2), so that one is looked at twice. */
static inline const struct oi_store *oi_list_look(const struct oi_list *list, size_t *length)
{
    for (;;) {
        const struct oi_store *store = oi_list_store(list);
        oi_perturb();
        *length = store ? oi_store_length(store) : 0;
        if (OI_LIKELY(*length) || store == oi_list_store(list))
            return store;
    }
}

/* Of a private list, or in a turn. */
static inline size_t oi_list_length_own(const struct oi_list *list)
{
    const struct oi_store *store = oi_list_store(list);
    return store ? oi_store_length(store) : 0;
}

/* Begins and ends what a writer does; nothing while the list is private. */
static inline bool oi_list_begin(struct oi_list *list)
{
    bool shared = oi_is_shared(list);
    if (shared && OI_UNLIKELY(oi_turn_take(&list->turn)))
        oi_store_repair(&list->store);
    return shared;
}

static inline void oi_list_end(struct oi_list *list, bool shared)
{
    if (shared)
        oi_turn_end(&list->turn);
}

static inline void oi_list_end_unchanged(struct oi_list *list, bool shared)
{
    if (shared)
        oi_turn_end_unchanged(&list->turn);
}

/* Which elements an edit replaces. */
struct oi_range {
    size_t at, count;
};

/* An edit: what is found in a range, which `where` computes from the length, is taken out, and the items put in its place. */
struct oi_edit {
    ouro_status (*where)(const struct oi_edit *edit, size_t length, struct oi_range *range);
    ptrdiff_t start, stop;      /* for `where` */
    const oi_word_array *items; /* retained */
    size_t count;
    ouro_value *taken;          /* room for the one element that is taken out, as the caller's reference; NULL: it is released */
};

ouro_status oi_list_edit(ouro_value list, const struct oi_edit *edit, const char *call);

/* A rewriting: all words are copied to a new store, in which `fill` may change their places and replace them. */
struct oi_rewrite {
    /* In a turn: may it be done? *after: the length then; *taken: how many words `fill` takes out. */
    ouro_status (*plan)(struct oi_rewrite *rewrite, const oi_word_array *words, size_t length, size_t *after, size_t *taken);
    /* Then: fills `to`; each word of `from` goes to `to` or `taken`. */
    void (*fill)(const struct oi_rewrite *rewrite, const oi_word_array *from, size_t length, oi_word_array *to, oi_word_array *taken);
    ptrdiff_t start, stop, step; /* these and the next: for the functions */
    const oi_word_array *items;  /* `count` values to be stored; `fill` retains them */
    size_t count;
    const oi_word_array *expected;
    bool shared;                 /* set before `fill` is called: the list is */
};

ouro_status oi_list_rewrite(ouro_value list, struct oi_rewrite *rewrite, const char *call);

/* The first `room` elements of a slice, with references, as they were at one moment; *whole: how many the slice has. Of a list that the
 * caller may use. */
ouro_status oi_list_read(struct oi_list *list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, oi_word_array *items, size_t room,
                         size_t *whole);

/* All elements as they were at one moment: for what takes long, or asks others. The list may be used. */
ouro_status oi_list_snapshot(ouro_value list, struct oi_snapshot *snapshot);

/* A new list that takes over a private store (NULL: none); consumed in any case. */
ouro_status oi_list_of_store(struct oi_store *store, ouro_value *list);
