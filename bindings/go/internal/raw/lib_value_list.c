//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_list.h"

#include <string.h>

#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"

static ouro_type list_type = OURO_TYPE(struct oi_list, .name = "list", .slots = OURO_SLOTS(struct oi_list, store), .flags = OI_TYPE_OWN);

bool oi_list_init(void)
{
    return oi_store_init() && oi_type_register_own(&list_type, OI_OWN_LIST, NULL);
}

/* ---- making ---- */

ouro_value ouro_list_new(void)
{
    return ouro_value_of(ouro_new(&list_type));
}

ouro_status oi_list_of_store(struct oi_store *store, ouro_value *result)
{
    struct oi_list *list = ouro_new(&list_type);
    if (!list) {
        ouro_release(store);
        return OURO_E_NOMEM;
    }
    ouro_give(list, &list->store, store);
    *result = ouro_value_of(list);
    return OURO_OK;
}

ouro_status ouro_list_new_with_room(size_t room, ouro_value *list)
{
    if (!list)
        return OURO_E_INVALID;
    *list = OURO_NIL;
    struct oi_store *store = room ? oi_store_new(room) : NULL;
    return store || !room ? oi_list_of_store(store, list) : OURO_E_NOMEM;
}

ouro_status ouro_list_from(const ouro_value *items, size_t count, ouro_value *list)
{
    if (!list)
        return OURO_E_INVALID;
    *list = OURO_NIL;
    if (count && !items)
        return OURO_E_INVALID;
    struct oi_store *store = count ? oi_store_new(count) : NULL;
    if (count && !store)
        return OURO_E_NOMEM;
    bool shared = store && oi_is_shared(store); /* an unbiased thread's */
    for (size_t i = 0; i < count; i++) {
        ouro_status status = oi_word_prepare(items[i], shared, "ouro_list_from");
        if (status != OURO_OK) {
            ouro_release(store);
            return status;
        }
        oi_word_retain(items[i], shared);
        store->items[i].ouro_private_ref = oi_word(items[i]);
        oi_store_set_length(&store->array, i + 1);
    }
    return oi_list_of_store(store, list);
}

/* ---- editing ---- */

/* What an edit will do to the list as it is now. */
struct plan {
    struct oi_store *store;
    size_t length, at, removed, after; /* after: the length then */
    bool move;                         /* to another store */
    bool optional;                     /* which is only to save memory */
};

/* Memory for an edit, and what is left over of it. All of it is released when the turn is over. */
struct spares {
    struct oi_store *fresh; /* for the list */
    struct oi_store *taken; /* for what is taken out, if that is more than one */
    struct oi_store *old;   /* the list's former store */
    bool stay;              /* there was no memory to save memory with */
};

#define SMALL ((size_t)16)

static ouro_status make_plan(const struct oi_list *list, bool shared, const struct oi_edit *edit, struct plan *plan)
{
    struct oi_range range = {0};
    struct oi_store *store = oi_list_store(list);
    size_t length = store ? oi_store_length(store) : 0, room = store ? oi_store_room(store) : 0;
    ouro_status status = edit->where(edit, length, &range);
    if (status != OURO_OK)
        return status;
    if (edit->count > OI_STORE_ROOM_MAX - (length - range.count))
        return OURO_E_NOMEM;
    size_t after = length - range.count + edit->count;
    bool at_end = range.at + range.count == length;
    bool one_effect = (at_end && (!range.count || !edit->count)) || (range.count <= 1 && edit->count == range.count);
    *plan = (struct plan){.store = store, .length = length, .at = range.at, .removed = range.count, .after = after};
    plan->move = after > room || (shared && !one_effect);
    plan->optional = !plan->move && range.count > edit->count && room > SMALL && after < room / 4;
    return OURO_OK;
}

static bool has_memory(const struct plan *plan, const struct spares *spares)
{
    bool move = plan->move || (plan->optional && !spares->stay);
    return (!move || (spares->fresh && oi_store_room(spares->fresh) >= plan->after)) &&
           (plan->removed < 2 || (spares->taken && oi_store_room(spares->taken) >= plan->removed));
}

/* Not in a turn: making objects may run user code. */
static ouro_status get_memory(const struct plan *plan, struct spares *spares)
{
    if ((plan->move || plan->optional) && (!spares->fresh || oi_store_room(spares->fresh) < plan->after)) {
        ouro_release(spares->fresh);
        spares->fresh = oi_store_new_growing(plan->after);
        if (!spares->fresh && plan->move)
            return OURO_E_NOMEM;
        spares->stay = !spares->fresh;
    }
    if (plan->removed > 1 && (!spares->taken || oi_store_room(spares->taken) < plan->removed)) {
        ouro_release(spares->taken);
        spares->taken = oi_store_new(plan->removed);
        if (!spares->taken)
            return OURO_E_NOMEM;
    }
    return OURO_OK;
}

/* Plain copies: in a turn, or of a private list, nobody else writes words, and those to write to are not looked at by anybody else. */
static void copy_words(ouro_slot *to, const ouro_slot *from, size_t count)
{
    if (count)
        memmove(to, from, count * sizeof *to);
}

static void put_items(const struct oi_edit *edit, bool shared, ouro_slot *at)
{
    for (size_t i = 0; i < edit->count; i++) {
        oi_word_retain(edit->items[i], shared);
        oi_perturb(); /* counted, not yet stored */
        oi_word_store(&at[i], edit->items[i]);
    }
}

/* In its store, with one effect if the list is shared. */
static void edit_in_place(bool shared, const struct oi_edit *edit, const struct plan *plan)
{
    ouro_slot *at = plan->store->items + plan->at;
    if (edit->count != plan->removed)
        copy_words(at + edit->count, at + plan->removed, plan->length - plan->at - plan->removed); /* nothing, if shared */
    put_items(edit, shared, at);
    oi_perturb();
    if (plan->after != plan->length)
        oi_store_set_length(&plan->store->array, plan->after);
    oi_turn_done();
    oi_words_hint(edit->items, edit->count, shared);
}

static void edit_by_move(struct oi_list *list, bool shared, const struct oi_edit *edit, const struct plan *plan, struct spares *spares)
{
    struct oi_store *from = plan->store, *to = spares->fresh;
    size_t behind = plan->at + plan->removed;
    if (from) {
        copy_words(to->items, from->items, plan->at);
        copy_words(to->items + plan->at + edit->count, from->items + behind, plan->length - behind);
    }
    put_items(edit, shared, to->items + plan->at);
    oi_store_move(&list->object, &list->store, from ? &from->array : NULL, &to->array, plan->after);
    spares->fresh = NULL;
    spares->old = from;
}

static void carry_out(struct oi_list *list, bool shared, const struct oi_edit *edit, const struct plan *plan, struct spares *spares,
                      ouro_value *one)
{
    if (plan->removed == 1)
        *one = oi_word_load(&plan->store->items[plan->at]);
    else if (plan->removed)
        copy_words(spares->taken->items, plan->store->items + plan->at, plan->removed);
    if (plan->move || (plan->optional && spares->fresh))
        edit_by_move(list, shared, edit, plan, spares);
    else if (edit->count || plan->removed)
        edit_in_place(shared, edit, plan);
    if (plan->removed > 1)
        oi_store_set_length(&spares->taken->array, plan->removed);
    oi_turn_done();
    oi_words_hint(plan->removed > 1 ? (const oi_word_array *)spares->taken->items : one, plan->removed, shared);
}

ouro_status oi_list_edit(ouro_value value, const struct oi_edit *edit, const char *call)
{
    struct oi_list *list = oi_list_of(value);
    struct spares spares = {0};
    ouro_value one = OURO_NIL;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, call);
    if (status == OURO_OK && edit->count && !edit->items)
        status = OURO_E_INVALID;
    for (bool done = false; status == OURO_OK && !done;) {
        struct plan plan = {0};
        status = oi_words_prepare(edit->items, edit->count, oi_is_shared(list), call);
        if (status != OURO_OK)
            break;
        bool shared = oi_list_begin(list);
        status = make_plan(list, shared, edit, &plan);
        done = status == OURO_OK && has_memory(&plan, &spares);
        if (done) {
            carry_out(list, shared, edit, &plan, &spares, &one);
            oi_list_end(list, shared);
        } else {
            oi_list_end_unchanged(list, shared);
            if (status == OURO_OK)
                status = get_memory(&plan, &spares);
        }
    }
    /* Here user code may run. */
    ouro_release(spares.old);
    ouro_release(spares.fresh);
    ouro_release(spares.taken);
    if (status == OURO_OK && edit->taken)
        *edit->taken = one;
    else
        ouro_value_release(one);
    return status;
}

/* ---- where ---- */

static ouro_status at_index(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    range->count = 1;
    return oi_index(edit->start, length, &range->at) ? OURO_OK : OURO_E_INDEX;
}

static ouro_status before_index(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    size_t back = edit->start < 0 ? (size_t)0 - (size_t)edit->start : 0;
    if (edit->start >= 0)
        range->at = (size_t)edit->start < length ? (size_t)edit->start : length;
    else
        range->at = back < length ? length - back : 0;
    return OURO_OK;
}

static ouro_status at_end(const struct oi_edit *edit, size_t length, struct oi_range *range)
{
    (void)edit;
    range->at = length;
    return OURO_OK;
}

/* What is done most, without a plan. OI_AGAIN: it takes one. */

static inline ouro_status set_quickly(struct oi_list *list, ptrdiff_t index, ouro_value item)
{
    size_t i;
    bool shared = oi_list_begin(list);
    struct oi_store *store = oi_list_store(list);
    if (!oi_index(index, store ? oi_store_length(store) : 0, &i)) {
        oi_list_end_unchanged(list, shared);
        return OURO_E_INDEX;
    }
    ouro_value old = oi_word_load(&store->items[i]);
    oi_word_retain(item, shared);
    oi_word_store(&store->items[i], item);
    oi_turn_done();
    oi_word_hint(item, shared);
    oi_word_hint(old, shared);
    oi_list_end(list, shared);
    ouro_value_release(old);
    return OURO_OK;
}

static inline ouro_status append_quickly(struct oi_list *list, ouro_value item)
{
    bool shared = oi_list_begin(list);
    struct oi_store *store = oi_list_store(list);
    size_t length = store ? oi_store_length(store) : 0;
    if (OI_UNLIKELY(!store || length >= oi_store_room(store))) {
        oi_list_end_unchanged(list, shared);
        return OI_AGAIN;
    }
    oi_word_retain(item, shared);
    oi_word_store(&store->items[length], item);
    oi_perturb();
    oi_store_set_length(&store->array, length + 1);
    oi_turn_done();
    oi_word_hint(item, shared);
    oi_list_end(list, shared);
    return OURO_OK;
}

static inline ouro_status pop_quickly(struct oi_list *list, ouro_value *item)
{
    bool shared = oi_list_begin(list);
    struct oi_store *store = oi_list_store(list);
    size_t length = store ? oi_store_length(store) : 0, room = length ? oi_store_room(store) : 0;
    if (OI_UNLIKELY(!length || (length <= room / 4 && room > SMALL))) {
        oi_list_end_unchanged(list, shared);
        return OI_AGAIN;
    }
    *item = oi_word_load(&store->items[length - 1]);
    oi_store_set_length(&store->array, length - 1);
    oi_turn_done();
    oi_word_hint(*item, shared);
    oi_list_end(list, shared);
    return OURO_OK;
}

/* Both can be used, and stored in. */
static inline ouro_status check_both(ouro_value list, ouro_value item, const char *call)
{
    ouro_status status = oi_container_check(list, OI_OWN_LIST, call);
    return OI_LIKELY(status == OURO_OK) ? oi_word_prepare(item, oi_is_shared(oi_list_of(list)), call) : status;
}

ouro_status ouro_list_set(ouro_value list, ptrdiff_t index, ouro_value item)
{
    ouro_status status = check_both(list, item, "ouro_list_set");
    return status == OURO_OK ? set_quickly(oi_list_of(list), index, item) : status;
}

ouro_status ouro_list_append(ouro_value list, ouro_value item)
{
    ouro_status status = check_both(list, item, "ouro_list_append");
    if (OI_LIKELY(status == OURO_OK))
        status = append_quickly(oi_list_of(list), item);
    if (OI_LIKELY(status != OI_AGAIN))
        return status;
    return oi_list_edit(list, &(struct oi_edit){.where = at_end, .items = &item, .count = 1}, "ouro_list_append");
}

ouro_status ouro_list_pop(ouro_value list, ptrdiff_t index, ouro_value *item)
{
    ouro_value word = OURO_NIL;
    if (item)
        *item = OURO_NIL;
    ouro_status status = oi_container_check(list, OI_OWN_LIST, "ouro_list_pop");
    if (OI_LIKELY(status == OURO_OK))
        status = index == -1 ? pop_quickly(oi_list_of(list), &word) : OI_AGAIN;
    if (status == OI_AGAIN)
        status = oi_list_edit(list, &(struct oi_edit){.where = at_index, .start = index, .taken = &word}, "ouro_list_pop");
    if (item)
        *item = word;
    else
        ouro_value_release(word);
    return status;
}

ouro_status ouro_list_swap(ouro_value list, ptrdiff_t index, ouro_value item, ouro_value *old)
{
    if (!old)
        return OURO_E_INVALID;
    *old = OURO_NIL;
    struct oi_edit edit = {.where = at_index, .start = index, .items = &item, .count = 1, .taken = old};
    return oi_list_edit(list, &edit, "ouro_list_swap");
}

ouro_status ouro_list_append_all(ouro_value list, const ouro_value *items, size_t count)
{
    return oi_list_edit(list, &(struct oi_edit){.where = at_end, .items = items, .count = count}, "ouro_list_append_all");
}

ouro_status ouro_list_insert(ouro_value list, ptrdiff_t index, ouro_value item)
{
    return oi_list_edit(list, &(struct oi_edit){.where = before_index, .start = index, .items = &item, .count = 1}, "ouro_list_insert");
}

ouro_status ouro_list_delete(ouro_value list, ptrdiff_t index)
{
    return oi_list_edit(list, &(struct oi_edit){.where = at_index, .start = index}, "ouro_list_delete");
}

/* ---- others that write ---- */

ouro_status ouro_list_clear(ouro_value value)
{
    struct oi_list *list = oi_list_of(value);
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_clear");
    if (status != OURO_OK)
        return status;
    bool shared = oi_list_begin(list);
    struct oi_store *store = oi_list_store(list);
    oi_store_release(&list->store.ouro_private_ref, NULL); /* taken out, with all that is in it */
    oi_turn_done();
    oi_store_hint(store, shared);
    oi_list_end(list, shared);
    ouro_release(store);
    return OURO_OK;
}

ouro_status ouro_list_compare_set(ouro_value value, ptrdiff_t index, ouro_value expected, ouro_value item, bool *done)
{
    struct oi_list *list = oi_list_of(value);
    struct oi_range range;
    if (!done)
        return OURO_E_INVALID;
    *done = false;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_compare_set");
    if (status == OURO_OK)
        status = oi_word_prepare(item, oi_is_shared(list), "ouro_list_compare_set");
    if (status != OURO_OK)
        return status;
    bool shared = oi_list_begin(list);
    status = at_index(&(struct oi_edit){.start = index}, oi_list_length_own(list), &range);
    ouro_slot *slot = status == OURO_OK ? &oi_list_store(list)->items[range.at] : NULL;
    if (!slot || oi_word_load(slot) != expected) {
        oi_list_end_unchanged(list, shared);
        return status;
    }
    oi_word_retain(item, shared);
    oi_word_store(slot, item);
    oi_turn_done();
    oi_word_hint(item, shared);
    oi_word_hint(expected, shared);
    oi_list_end(list, shared);
    *done = true;
    ouro_value_release(expected); /* the list's reference */
    return OURO_OK;
}

/* ---- reading ---- */

static OI_NOINLINE size_t length_shared(const struct oi_list *list)
{
    size_t length;
    oi_rcu_read_lock();
    (void)oi_list_look(list, &length);
    oi_rcu_read_unlock();
    return length;
}

ouro_status ouro_list_length(ouro_value value, size_t *length)
{
    const struct oi_list *list = oi_list_of(value);
    if (!length)
        return OURO_E_INVALID;
    *length = 0;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_length");
    if (status != OURO_OK)
        return status;
    *length = oi_is_shared(list) ? length_shared(list) : oi_list_length_own(list);
    return OURO_OK;
}

/* In a read section. */
static ouro_status find_shared(const struct oi_list *list, ptrdiff_t index, ouro_value *item)
{
    for (;;) {
        uint64_t version = index < 0 ? oi_turn_version(&list->turn) : 0;
        size_t length, i;
        const struct oi_store *store = oi_list_look(list, &length);
        if (!oi_index(index, length, &i))
            return OURO_E_INDEX;
        oi_perturb();
        ouro_value word = oi_word_load(&store->items[i]);
        oi_perturb();
        /* L1. From the end, i is a place for one version only. */
        if (index < 0 ? oi_turn_version(&list->turn) != version : oi_store_length(store) <= i)
            continue;
        bool again = false;
        if (!oi_word_try_hold(word)) {
            /* It died after it was found; or it is there still, see oi_word_is_finalizing. */
            bool there = oi_word_is_finalizing(word) && store == oi_list_store(list) && oi_store_length(store) > i &&
                         oi_word_load(&store->items[i]) == word && !oi_is_dead(&list->object);
            again = !there || !oi_word_hold_finalizing(word);
        }
        if (!again) {
            *item = word;
            return OURO_OK;
        }
        if (oi_is_dead(&list->object))
            return OURO_E_USAGE;
    }
}

static OI_NOINLINE ouro_status get_shared(const struct oi_list *list, ptrdiff_t index, ouro_value *item)
{
    oi_rcu_read_lock();
    ouro_status status = find_shared(list, index, item);
    oi_rcu_read_unlock();
    return status;
}

ouro_status ouro_list_get(ouro_value value, ptrdiff_t index, ouro_value *item)
{
    struct oi_list *list = oi_list_of(value);
    size_t i;
    if (!item)
        return OURO_E_INVALID;
    *item = OURO_NIL;
    ouro_status status = oi_container_check(value, OI_OWN_LIST, "ouro_list_get");
    if (OI_UNLIKELY(status != OURO_OK))
        return status;
    if (oi_is_shared(list))
        return get_shared(list, index, item);
    if (!oi_index(index, oi_list_length_own(list), &i))
        return OURO_E_INDEX;
    *item = ouro_value_retain(oi_word_load(&oi_list_store(list)->items[i]));
    return OURO_OK;
}
