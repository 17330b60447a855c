//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_dict.h"

static ouro_type dict_type = OURO_TYPE(struct oi_dict, .name = "dict", .slots = OURO_SLOTS(struct oi_dict, store), .flags = OI_TYPE_OWN);

bool oi_dict_init(void)
{
    return oi_keyed_init() && oi_type_register_own(&dict_type, OI_OWN_DICT, NULL);
}

/* ---- making ---- */

ouro_value ouro_dict_new(void)
{
    return ouro_value_of(ouro_new(&dict_type));
}

ouro_status ouro_dict_new_with_room(size_t room, ouro_value *dict)
{
    if (!dict)
        return OURO_E_INVALID;
    *dict = OURO_NIL;
    ouro_value made = ouro_dict_new();
    ouro_status status = made ? oi_dict_make_room(oi_dict_of(made), room) : OURO_E_NOMEM;
    if (status == OURO_OK)
        *dict = made;
    else
        ouro_value_release(made);
    return status;
}

static ouro_status check_pairs(const struct oi_pairs *pairs)
{
    return !pairs->count || (pairs->keys && pairs->values) ? OURO_OK : OURO_E_INVALID;
}

ouro_status ouro_dict_from(const ouro_value *keys, const ouro_value *values, size_t count, ouro_value *dict)
{
    struct oi_pairs pairs = {keys, values, count, 1};
    if (!dict)
        return OURO_E_INVALID;
    *dict = OURO_NIL;
    ouro_value made = OURO_NIL;
    ouro_status status = check_pairs(&pairs);
    if (status == OURO_OK)
        status = ouro_dict_new_with_room(count, &made);
    if (status == OURO_OK)
        status = oi_dict_fill(oi_dict_of(made), &pairs, "ouro_dict_from");
    if (status == OURO_OK)
        *dict = made;
    else
        ouro_value_release(made);
    return status;
}

/* ---- reading ---- */

ouro_status ouro_dict_length(ouro_value dict, size_t *length)
{
    if (!length)
        return OURO_E_INVALID;
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_length");
    *length = status == OURO_OK ? oi_dict_count(oi_dict_of(dict)) : 0;
    return status;
}

ouro_status ouro_dict_get(ouro_value dict, ouro_value key, ouro_value *value)
{
    if (!value)
        return OURO_E_INVALID;
    *value = OURO_NIL;
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_get");
    return OI_LIKELY(status == OURO_OK) ? oi_dict_find(oi_dict_of(dict), key, value) : status;
}

ouro_status ouro_dict_get_or(ouro_value dict, ouro_value key, ouro_value fallback, ouro_value *value)
{
    ouro_status status = ouro_dict_get(dict, key, value);
    return status == OURO_E_KEY ? oi_retain_into(fallback, value) : status;
}

ouro_status ouro_dict_has(ouro_value dict, ouro_value key, bool *has)
{
    if (!has)
        return OURO_E_INVALID;
    *has = false;
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_has");
    if (status == OURO_OK)
        status = oi_dict_find(oi_dict_of(dict), key, NULL);
    *has = status == OURO_OK;
    return status == OURO_E_KEY ? OURO_OK : status;
}

/* ---- changing ---- */

static inline ouro_status change(ouro_value dict, struct oi_change *change, const char *call)
{
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, call);
    return OI_LIKELY(status == OURO_OK) ? oi_dict_change(oi_dict_of(dict), change, call) : status;
}

ouro_status ouro_dict_set(ouro_value dict, ouro_value key, ouro_value value)
{
    struct oi_change put = {.kind = OI_PUT, .key = key, .value = value};
    ouro_status status = change(dict, &put, "ouro_dict_set");
    ouro_value_release(put.old);
    return status;
}

ouro_status ouro_dict_swap(ouro_value dict, ouro_value key, ouro_value value, bool *was, ouro_value *old)
{
    struct oi_change put = {.kind = OI_PUT, .key = key, .value = value};
    if (!old)
        return OURO_E_INVALID;
    ouro_status status = change(dict, &put, "ouro_dict_swap");
    *old = put.old;
    if (was)
        *was = put.was;
    return status;
}

ouro_status ouro_dict_setdefault(ouro_value dict, ouro_value key, ouro_value value, ouro_value *now)
{
    struct oi_change put = {.kind = OI_PUT_NEW, .key = key, .value = value};
    if (!now)
        return OURO_E_INVALID;
    ouro_status status = change(dict, &put, "ouro_dict_setdefault");
    *now = status != OURO_OK ? OURO_NIL : put.was ? put.old : ouro_value_retain(value);
    return status;
}

ouro_status ouro_dict_compare_set(ouro_value dict, ouro_value key, ouro_value expected, ouro_value value, bool *done)
{
    struct oi_change replace = {.kind = OI_REPLACE_IF, .key = key, .value = value, .expected = expected};
    if (!done)
        return OURO_E_INVALID;
    ouro_status status = change(dict, &replace, "ouro_dict_compare_set");
    *done = replace.done;
    return status;
}

ouro_status ouro_dict_pop(ouro_value dict, ouro_value key, ouro_value *value)
{
    struct oi_change take = {.kind = OI_TAKE, .key = key};
    ouro_status status = change(dict, &take, "ouro_dict_pop");
    if (value)
        *value = take.old;
    else
        ouro_value_release(take.old);
    return status;
}

ouro_status ouro_dict_delete(ouro_value dict, ouro_value key)
{
    struct oi_change take = {.kind = OI_TAKE, .key = key};
    ouro_status status = change(dict, &take, "ouro_dict_delete");
    ouro_value_release(take.old);
    return status;
}

ouro_status ouro_dict_pop_item(ouro_value dict, bool first, ouro_value *key, ouro_value *value)
{
    if (!key || !value)
        return OURO_E_INVALID;
    *key = *value = OURO_NIL;
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_pop_item");
    return status == OURO_OK ? oi_dict_take_end(oi_dict_of(dict), first, key, value) : status;
}

ouro_status ouro_dict_clear(ouro_value dict)
{
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_clear");
    if (status == OURO_OK)
        oi_dict_clear(oi_dict_of(dict));
    return status;
}

ouro_status ouro_dict_set_all(ouro_value dict, const ouro_value *keys, const ouro_value *values, size_t count)
{
    struct oi_pairs pairs = {keys, values, count, 1};
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_set_all");
    if (status == OURO_OK)
        status = check_pairs(&pairs);
    return status == OURO_OK ? oi_dict_put_all(oi_dict_of(dict), &pairs, "ouro_dict_set_all") : status;
}

ouro_status ouro_dict_update(ouro_value dict, ouro_value other)
{
    struct oi_snapshot all;
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_dict_update");
    if (status == OURO_OK)
        status = oi_container_check(other, OI_OWN_DICT, "ouro_dict_update");
    if (status == OURO_OK)
        status = oi_dict_snapshot(oi_dict_of(other), &all);
    if (status != OURO_OK)
        return status;
    struct oi_pairs pairs = {all.items, all.items + 1, all.count / 2, 2};
    status = oi_dict_put_all(oi_dict_of(dict), &pairs, "ouro_dict_update");
    oi_snapshot_drop(&all);
    return status;
}

/* ---- as a kind ---- */

static ouro_status snapshot(ouro_value dict, struct oi_snapshot *all)
{
    ouro_status status = oi_container_check(dict, OI_OWN_DICT, "ouro_equal");
    return status == OURO_OK ? oi_dict_snapshot(oi_dict_of(dict), all) : status;
}

static ouro_status make(ouro_value like, size_t count, ouro_value *empty)
{
    (void)like;
    return ouro_dict_new_with_room(count / 2, empty);
}

static ouro_status fill(ouro_value empty, const ouro_value *items, size_t count)
{
    struct oi_pairs pairs = {items, items + 1, count / 2, 2};
    return oi_dict_fill(oi_dict_of(empty), &pairs, "ouro_copy");
}

const struct oi_kind_ops oi_dict_ops = {.snapshot = snapshot,
                                        .length = ouro_dict_length,
                                        .find = ouro_dict_get,
                                        .make = make,
                                        .fill = fill,
                                        .equality = OI_BY_KEY,
                                        .pairs = true,
                                        .opening = "{",
                                        .closing = "}"};
