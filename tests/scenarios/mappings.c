/* SPDX-License-Identifier: MIT
 *
 * Operations on dicts, sets, their weak kin, and iterators. */
#include "scenarios/player.h"

#include <string.h>

/* ---- Making ---- */

static ouro_status dict(struct call *call)
{
    ouro_value keys[ANY_NUMBER], values[ANY_NUMBER];
    size_t count = every_second(call, 0, keys);
    return every_second(call, 1, values) == count ? ouro_dict_from(keys, values, count, &call->result) : OURO_E_INVALID;
}

static ouro_status set(struct call *call)
{
    return ouro_set_from(call->args, call->count, &call->result);
}

static ouro_status weak_map(struct call *call)
{
    const char *mode = ouro_string_data(call->args[0], NULL);
    if (!mode)
        return OURO_E_TYPE;
    unsigned flags = (strchr(mode, 'k') ? OURO_WEAK_KEYS : 0) | (strchr(mode, 'v') ? OURO_WEAK_VALUES : 0);
    return ouro_weak_map_new(flags, &call->result);
}

static ouro_status weak_set(struct call *call)
{
    call->result = ouro_weak_set_new();
    return ouro_is_nil(call->result) ? OURO_E_NOMEM : OURO_OK;
}

/* ---- Dicts ---- */

static ouro_status get_or(struct call *call)
{
    return ouro_dict_get_or(call->args[0], call->args[1], call->args[2], &call->result);
}

static ouro_status setdefault(struct call *call)
{
    return ouro_kind_of(call->args[0]) == OURO_KIND_WEAK_MAP
               ? ouro_weak_map_setdefault(call->args[0], call->args[1], call->args[2], &call->result)
               : ouro_dict_setdefault(call->args[0], call->args[1], call->args[2], &call->result);
}

static ouro_status pop_item(struct call *call, bool first)
{
    ouro_value item[2];
    ouro_status status = ouro_dict_pop_item(call->args[0], first, &item[0], &item[1]);
    if (status != OURO_OK)
        return status;
    status = ouro_tuple_new(item, 2, &call->result);
    ouro_value_release_all(item, 2);
    return status;
}

static ouro_status pop_first(struct call *call)
{
    return pop_item(call, true);
}

static ouro_status pop_last(struct call *call)
{
    return pop_item(call, false);
}

static ouro_status update(struct call *call)
{
    return ouro_kind_of(call->args[0]) == OURO_KIND_SET ? ouro_set_update(call->args[0], call->args[1])
                                                        : ouro_dict_update(call->args[0], call->args[1]);
}

/* ---- Sets ---- */

static ouro_status add(struct call *call)
{
    bool added;
    ouro_status status = ouro_kind_of(call->args[0]) == OURO_KIND_WEAK_SET ? ouro_weak_set_add(call->args[0], call->args[1], &added)
                                                                           : ouro_set_add(call->args[0], call->args[1], &added);
    return give_bool(call, status, added);
}

static ouro_status discard(struct call *call)
{
    bool removed;
    ouro_status status = ouro_kind_of(call->args[0]) == OURO_KIND_WEAK_SET ? ouro_weak_set_discard(call->args[0], call->args[1], &removed)
                                                                           : ouro_set_discard(call->args[0], call->args[1], &removed);
    return give_bool(call, status, removed);
}

static ouro_status set_union(struct call *call)
{
    return ouro_set_union(call->args[0], call->args[1], &call->result);
}

static ouro_status intersection(struct call *call)
{
    return ouro_set_intersection(call->args[0], call->args[1], &call->result);
}

static ouro_status difference(struct call *call)
{
    return ouro_set_difference(call->args[0], call->args[1], &call->result);
}

static ouro_status symmetric_difference(struct call *call)
{
    return ouro_set_symmetric_difference(call->args[0], call->args[1], &call->result);
}

static ouro_status subset(struct call *call)
{
    bool is;
    ouro_status status = ouro_set_is_subset(call->args[0], call->args[1], &is);
    return give_bool(call, status, is);
}

static ouro_status disjoint(struct call *call)
{
    bool is;
    ouro_status status = ouro_set_is_disjoint(call->args[0], call->args[1], &is);
    return give_bool(call, status, is);
}

/* ---- Iterators ---- */

static ouro_status iter(struct call *call)
{
    return ouro_iterate(call->args[0], &call->result);
}

static ouro_status reversed(struct call *call)
{
    return ouro_iterate_reversed(call->args[0], &call->result);
}

static ouro_status keys(struct call *call)
{
    return ouro_iterate_part(call->args[0], OURO_KEYS, &call->result);
}

static ouro_status values(struct call *call)
{
    return ouro_iterate_part(call->args[0], OURO_VALUES, &call->result);
}

static ouro_status items(struct call *call)
{
    return ouro_iterate_part(call->args[0], OURO_ITEMS, &call->result);
}

static ouro_status range(struct call *call)
{
    for (int i = 0; i < 3; i++)
        if (!ouro_is_int(call->args[i]))
            return OURO_E_TYPE;
    return ouro_iterate_range(ouro_int_value(call->args[0]), ouro_int_value(call->args[1]), ouro_int_value(call->args[2]), &call->result);
}

static ouro_status next(struct call *call)
{
    return ouro_iterator_next(call->args[0], &call->result);
}

const struct operation mapping_operations[] = {
    {"dict", 0, ANY_NUMBER, dict},
    {"set", 0, ANY_NUMBER, set},
    {"weak_map", 1, 1, weak_map},
    {"weak_set", 0, 0, weak_set},
    {"get_or", 3, 3, get_or},
    {"setdefault", 3, 3, setdefault},
    {"pop_first", 1, 1, pop_first},
    {"pop_last", 1, 1, pop_last},
    {"update", 2, 2, update},
    {"add", 2, 2, add},
    {"discard", 2, 2, discard},
    {"union", 2, 2, set_union},
    {"intersection", 2, 2, intersection},
    {"difference", 2, 2, difference},
    {"symmetric_difference", 2, 2, symmetric_difference},
    {"subset", 2, 2, subset},
    {"disjoint", 2, 2, disjoint},
    {"iter", 1, 1, iter},
    {"reversed", 1, 1, reversed},
    {"keys", 1, 1, keys},
    {"values", 1, 1, values},
    {"items", 1, 1, items},
    {"range", 3, 3, range},
    {"next", 1, 1, next},
    {0},
};
