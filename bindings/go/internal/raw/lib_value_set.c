//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Sets: dicts without values. */
#include "lib_value_dict.h"

static ouro_type set_type = OURO_TYPE(struct oi_dict, .name = "set", .slots = OURO_SLOTS(struct oi_dict, store), .flags = OI_TYPE_OWN);

bool oi_set_init(void)
{
    return oi_type_register_own(&set_type, OI_OWN_SET, NULL);
}

/* ---- making ---- */

ouro_value ouro_set_new(void)
{
    return ouro_value_of(ouro_new(&set_type));
}

static ouro_status new_with_room(size_t room, ouro_value *set)
{
    ouro_value made = ouro_set_new();
    ouro_status status = made ? oi_dict_make_room(oi_dict_of(made), room) : OURO_E_NOMEM;
    if (status == OURO_OK)
        *set = made;
    else
        ouro_value_release(made);
    return status;
}

static ouro_status from(const ouro_value *items, size_t count, ouro_value *set, const char *call)
{
    struct oi_pairs pairs = {items, NULL, count, 1};
    ouro_value made = OURO_NIL;
    *set = OURO_NIL;
    ouro_status status = new_with_room(count, &made);
    if (status == OURO_OK)
        status = oi_dict_fill(oi_dict_of(made), &pairs, call);
    if (status == OURO_OK)
        *set = made;
    else
        ouro_value_release(made);
    return status;
}

ouro_status ouro_set_from(const ouro_value *items, size_t count, ouro_value *set)
{
    if (!set)
        return OURO_E_INVALID;
    *set = OURO_NIL;
    return count && !items ? OURO_E_INVALID : from(items, count, set, "ouro_set_from");
}

/* ---- reading ---- */

ouro_status ouro_set_length(ouro_value set, size_t *length)
{
    if (!length)
        return OURO_E_INVALID;
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_set_length");
    *length = status == OURO_OK ? oi_dict_count(oi_dict_of(set)) : 0;
    return status;
}

ouro_status ouro_set_has(ouro_value set, ouro_value item, bool *has)
{
    if (!has)
        return OURO_E_INVALID;
    *has = false;
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_set_has");
    if (status == OURO_OK)
        status = oi_dict_find(oi_dict_of(set), item, NULL);
    *has = status == OURO_OK;
    return status == OURO_E_KEY ? OURO_OK : status;
}

/* ---- changing ---- */

static ouro_status change(ouro_value set, struct oi_change *change, const char *call)
{
    ouro_status status = oi_container_check(set, OI_OWN_SET, call);
    if (OI_LIKELY(status == OURO_OK))
        status = oi_dict_change(oi_dict_of(set), change, call);
    ouro_value_release(change->old);
    return status;
}

ouro_status ouro_set_add(ouro_value set, ouro_value item, bool *added)
{
    struct oi_change put = {.kind = OI_PUT_NEW, .key = item};
    ouro_status status = change(set, &put, "ouro_set_add");
    if (added)
        *added = status == OURO_OK && !put.was;
    return status;
}

ouro_status ouro_set_discard(ouro_value set, ouro_value item, bool *removed)
{
    struct oi_change take = {.kind = OI_TAKE, .key = item};
    ouro_status status = change(set, &take, "ouro_set_discard");
    if (removed)
        *removed = take.was;
    return status == OURO_E_KEY ? OURO_OK : status;
}

ouro_status ouro_set_remove(ouro_value set, ouro_value item)
{
    struct oi_change take = {.kind = OI_TAKE, .key = item};
    return change(set, &take, "ouro_set_remove");
}

ouro_status ouro_set_pop(ouro_value set, ouro_value *item)
{
    ouro_value none;
    if (!item)
        return OURO_E_INVALID;
    *item = OURO_NIL;
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_set_pop");
    return status == OURO_OK ? oi_dict_take_end(oi_dict_of(set), true, item, &none) : status;
}

ouro_status ouro_set_clear(ouro_value set)
{
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_set_clear");
    if (status == OURO_OK)
        oi_dict_clear(oi_dict_of(set));
    return status;
}

ouro_status ouro_set_add_all(ouro_value set, const ouro_value *items, size_t count)
{
    struct oi_pairs pairs = {items, NULL, count, 1};
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_set_add_all");
    if (status == OURO_OK && count && !items)
        status = OURO_E_INVALID;
    return status == OURO_OK ? oi_dict_put_all(oi_dict_of(set), &pairs, "ouro_set_add_all") : status;
}

/* ---- two sets ---- */

/* A set to look elements up in while nobody changes it: a private one itself, of a shared one a copy. */
static ouro_status steady(ouro_value set, ouro_value *other)
{
    return oi_is_shared(oi_dict_of(set)) ? ouro_copy(set, other) : oi_retain_into(set, other);
}

struct two {
    struct oi_snapshot a;
    ouro_value b;
};

static ouro_status take_two(ouro_value a, ouro_value b, struct two *two, const char *call)
{
    *two = (struct two){0};
    ouro_status status = oi_container_check(a, OI_OWN_SET, call);
    if (status == OURO_OK)
        status = oi_container_check(b, OI_OWN_SET, call);
    if (status == OURO_OK)
        status = oi_dict_snapshot(oi_dict_of(a), &two->a);
    if (status == OURO_OK)
        status = steady(b, &two->b);
    return status;
}

static void drop_two(struct two *two)
{
    oi_snapshot_drop(&two->a);
    ouro_value_release(two->b);
}

static ouro_status is_in(ouro_value set, ouro_value item, bool *has)
{
    ouro_status status = oi_dict_find(oi_dict_of(set), item, NULL);
    *has = status == OURO_OK;
    return status == OURO_E_KEY ? OURO_OK : status;
}

/* Adds the elements of a snapshot that are, or are not, in the other. */
static ouro_status add_if(ouro_value set, const struct oi_snapshot *items, ouro_value other, bool wanted, const char *call)
{
    ouro_status status = OURO_OK;
    for (size_t i = 0; i < items->count && status == OURO_OK; i++) {
        bool has;
        status = is_in(other, items->items[i], &has);
        if (status == OURO_OK && has == wanted)
            status = oi_dict_fill(oi_dict_of(set), &(struct oi_pairs){&items->items[i], NULL, 1, 1}, call);
    }
    return status;
}

static ouro_status filter(ouro_value a, ouro_value b, bool wanted, ouro_value *set, const char *call)
{
    struct two two;
    if (!set)
        return OURO_E_INVALID;
    *set = OURO_NIL;
    ouro_value made = OURO_NIL;
    ouro_status status = take_two(a, b, &two, call);
    if (status == OURO_OK)
        status = new_with_room(0, &made);
    if (status == OURO_OK)
        status = add_if(made, &two.a, two.b, wanted, call);
    drop_two(&two);
    if (status == OURO_OK)
        *set = made;
    else
        ouro_value_release(made);
    return status;
}

ouro_status ouro_set_intersection(ouro_value a, ouro_value b, ouro_value *set)
{
    return filter(a, b, true, set, "ouro_set_intersection");
}

ouro_status ouro_set_difference(ouro_value a, ouro_value b, ouro_value *set)
{
    return filter(a, b, false, set, "ouro_set_difference");
}

/* What is in both, in the order of a and then b; symmetric: but not what is in each. */
static ouro_status unite(ouro_value a, ouro_value b, bool symmetric, ouro_value *set, const char *call)
{
    struct oi_snapshot first = {0}, second = {0};
    ouro_value in_first = OURO_NIL, in_second = OURO_NIL, made = OURO_NIL;
    if (!set)
        return OURO_E_INVALID;
    *set = OURO_NIL;
    ouro_status status = oi_container_check(a, OI_OWN_SET, call);
    if (status == OURO_OK)
        status = oi_container_check(b, OI_OWN_SET, call);
    if (status == OURO_OK)
        status = oi_dict_snapshot(oi_dict_of(a), &first);
    if (status == OURO_OK)
        status = oi_dict_snapshot(oi_dict_of(b), &second);
    if (!symmetric) {
        if (status == OURO_OK)
            status = from(first.items, first.count, &made, call);
        if (status == OURO_OK)
            status = oi_dict_fill(oi_dict_of(made), &(struct oi_pairs){second.items, NULL, second.count, 1}, call);
    } else {
        if (status == OURO_OK)
            status = from(first.items, first.count, &in_first, call);
        if (status == OURO_OK)
            status = from(second.items, second.count, &in_second, call);
        if (status == OURO_OK)
            status = new_with_room(0, &made);
        if (status == OURO_OK)
            status = add_if(made, &first, in_second, false, call);
        if (status == OURO_OK)
            status = add_if(made, &second, in_first, false, call);
    }
    oi_snapshot_drop(&first);
    oi_snapshot_drop(&second);
    ouro_value_release(in_first);
    ouro_value_release(in_second);
    if (status == OURO_OK)
        *set = made;
    else
        ouro_value_release(made);
    return status;
}

ouro_status ouro_set_union(ouro_value a, ouro_value b, ouro_value *set)
{
    return unite(a, b, false, set, "ouro_set_union");
}

ouro_status ouro_set_symmetric_difference(ouro_value a, ouro_value b, ouro_value *set)
{
    return unite(a, b, true, set, "ouro_set_symmetric_difference");
}

/* Whether each element of a is, or is not, in b. */
static ouro_status all_in(ouro_value a, ouro_value b, bool wanted, bool *is, const char *call)
{
    struct two two;
    if (!is)
        return OURO_E_INVALID;
    *is = false;
    ouro_status status = take_two(a, b, &two, call);
    bool all = true;
    for (size_t i = 0; i < two.a.count && status == OURO_OK && all; i++) {
        bool has;
        status = is_in(two.b, two.a.items[i], &has);
        all = has == wanted;
    }
    drop_two(&two);
    *is = status == OURO_OK && all;
    return status;
}

ouro_status ouro_set_is_subset(ouro_value a, ouro_value b, bool *is)
{
    return all_in(a, b, true, is, "ouro_set_is_subset");
}

ouro_status ouro_set_is_disjoint(ouro_value a, ouro_value b, bool *is)
{
    return all_in(a, b, false, is, "ouro_set_is_disjoint");
}

/* ---- as a kind ---- */

static ouro_status snapshot(ouro_value set, struct oi_snapshot *all)
{
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_equal");
    return status == OURO_OK ? oi_dict_snapshot(oi_dict_of(set), all) : status;
}

static ouro_status find(ouro_value set, ouro_value item, ouro_value *found)
{
    *found = OURO_NIL;
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_equal");
    return status == OURO_OK ? oi_dict_find(oi_dict_of(set), item, found) : status;
}

static ouro_status make(ouro_value like, size_t count, ouro_value *empty)
{
    (void)like;
    return new_with_room(count, empty);
}

static ouro_status fill(ouro_value empty, const ouro_value *items, size_t count)
{
    return oi_dict_fill(oi_dict_of(empty), &(struct oi_pairs){items, NULL, count, 1}, "ouro_copy");
}

const struct oi_kind_ops oi_set_ops = {.snapshot = snapshot,
                                       .length = ouro_set_length,
                                       .find = find,
                                       .make = make,
                                       .fill = fill,
                                       .equality = OI_BY_KEY,
                                       .opening = "{",
                                       .closing = "}",
                                       .empty = "set()"};
