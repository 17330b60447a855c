/* SPDX-License-Identifier: MIT
 *
 * Operations on tuples and lists, and those that several kinds of containers have in common. */
#include "scenarios/player.h"

#include <string.h>

/* ---- Making ---- */

static ouro_status list(struct call *call)
{
    return ouro_list_from(call->args, call->count, &call->result);
}

static ouro_status tuple(struct call *call)
{
    return ouro_tuple_new(call->args, call->count, &call->result);
}

static ouro_status record(struct call *call)
{
    ouro_value fields[ANY_NUMBER], values[ANY_NUMBER];
    size_t count = every_second(call, 1, fields);
    every_second(call, 2, values);
    return ouro_record_from(call->args[0], fields, values, count, &call->result);
}

/* ---- By index, key or field ---- */

static ouro_status get(struct call *call)
{
    ouro_value container = call->args[0], key = call->args[1];
    ptrdiff_t index;
    ouro_status status;
    switch (ouro_kind_of(container)) {
    case OURO_KIND_TUPLE:
        status = as_number(key, &index);
        return status == OURO_OK ? ouro_tuple_get(container, index, &call->result) : status;
    case OURO_KIND_LIST:
        status = as_number(key, &index);
        return status == OURO_OK ? ouro_list_get(container, index, &call->result) : status;
    case OURO_KIND_DICT:
        return ouro_dict_get(container, key, &call->result);
    case OURO_KIND_WEAK_MAP:
        return ouro_weak_map_get(container, key, &call->result);
    default:
        return ouro_record_get(container, key, &call->result);
    }
}

static ouro_status put(struct call *call)
{
    ouro_value container = call->args[0], key = call->args[1], item = call->args[2];
    ptrdiff_t index;
    ouro_status status;
    switch (ouro_kind_of(container)) {
    case OURO_KIND_LIST:
        status = as_number(key, &index);
        return status == OURO_OK ? ouro_list_set(container, index, item) : status;
    case OURO_KIND_DICT:
        return ouro_dict_set(container, key, item);
    case OURO_KIND_WEAK_MAP:
        return ouro_weak_map_set(container, key, item);
    default:
        return ouro_record_set(container, key, item);
    }
}

static ouro_status delete(struct call *call)
{
    ouro_value container = call->args[0], key = call->args[1];
    ptrdiff_t index;
    ouro_status status;
    switch (ouro_kind_of(container)) {
    case OURO_KIND_LIST:
        status = as_number(key, &index);
        return status == OURO_OK ? ouro_list_delete(container, index) : status;
    case OURO_KIND_WEAK_MAP:
        return ouro_weak_map_delete(container, key);
    default:
        return ouro_dict_delete(container, key);
    }
}

static ouro_status pop(struct call *call)
{
    ouro_value container = call->args[0];
    ptrdiff_t index = -1;
    ouro_status status = OURO_OK;
    switch (ouro_kind_of(container)) {
    case OURO_KIND_DICT:
        return call->count == 2 ? ouro_dict_pop(container, call->args[1], &call->result) : OURO_E_TYPE;
    case OURO_KIND_WEAK_MAP:
        return call->count == 2 ? ouro_weak_map_pop(container, call->args[1], &call->result) : OURO_E_TYPE;
    case OURO_KIND_SET:
        return call->count == 1 ? ouro_set_pop(container, &call->result) : OURO_E_TYPE;
    default:
        if (call->count == 2)
            status = as_number(call->args[1], &index);
        return status == OURO_OK ? ouro_list_pop(container, index, &call->result) : status;
    }
}

static ouro_status has(struct call *call)
{
    ouro_value container = call->args[0], item = call->args[1];
    bool is = true;
    size_t at;
    ouro_status status;
    switch (ouro_kind_of(container)) {
    case OURO_KIND_DICT:
        status = ouro_dict_has(container, item, &is);
        break;
    case OURO_KIND_SET:
        status = ouro_set_has(container, item, &is);
        break;
    case OURO_KIND_WEAK_MAP:
        status = ouro_weak_map_has(container, item, &is);
        break;
    case OURO_KIND_WEAK_SET:
        status = ouro_weak_set_has(container, item, &is);
        break;
    default:
        status = ouro_kind_of(container) == OURO_KIND_TUPLE ? ouro_tuple_index(container, item, 0, OURO_OMITTED, &at)
                                                            : ouro_list_index(container, item, 0, OURO_OMITTED, &at);
        is = status == OURO_OK;
        if (status == OURO_E_KEY)
            status = OURO_OK;
    }
    return give_bool(call, status, is);
}

static ouro_status clear(struct call *call)
{
    switch (ouro_kind_of(call->args[0])) {
    case OURO_KIND_DICT:
        return ouro_dict_clear(call->args[0]);
    case OURO_KIND_SET:
        return ouro_set_clear(call->args[0]);
    case OURO_KIND_WEAK_MAP:
        return ouro_weak_map_clear(call->args[0]);
    case OURO_KIND_WEAK_SET:
        return ouro_weak_set_clear(call->args[0]);
    default:
        return ouro_list_clear(call->args[0]);
    }
}

/* ---- Tuples and lists ---- */

static bool is_tuple(const struct call *call)
{
    return ouro_kind_of(call->args[0]) == OURO_KIND_TUPLE;
}

static ouro_status append(struct call *call)
{
    return ouro_list_append(call->args[0], call->args[1]);
}

static ouro_status insert(struct call *call)
{
    ptrdiff_t index;
    ouro_status status = as_number(call->args[1], &index);
    return status == OURO_OK ? ouro_list_insert(call->args[0], index, call->args[2]) : status;
}

static ouro_status extend(struct call *call)
{
    return ouro_list_extend(call->args[0], call->args[1]);
}

static ouro_status remove_item(struct call *call)
{
    return ouro_kind_of(call->args[0]) == OURO_KIND_SET ? ouro_set_remove(call->args[0], call->args[1])
                                                        : ouro_list_remove(call->args[0], call->args[1]);
}

static ouro_status index_of(struct call *call)
{
    size_t at;
    ouro_status status = is_tuple(call) ? ouro_tuple_index(call->args[0], call->args[1], 0, OURO_OMITTED, &at)
                                        : ouro_list_index(call->args[0], call->args[1], 0, OURO_OMITTED, &at);
    return give_number(call, status, at);
}

static ouro_status count(struct call *call)
{
    size_t number;
    ouro_status status = is_tuple(call) ? ouro_tuple_count(call->args[0], call->args[1], &number)
                                        : ouro_list_count(call->args[0], call->args[1], &number);
    return give_number(call, status, number);
}

static ouro_status concat(struct call *call)
{
    return is_tuple(call) ? ouro_tuple_concat(call->args[0], call->args[1], &call->result)
                          : ouro_list_concat(call->args[0], call->args[1], &call->result);
}

/* start, stop and step; a step that is omitted is 1. */
static ouro_status as_slice(const struct call *call, ptrdiff_t slice[3])
{
    for (int i = 0; i < 3; i++) {
        ouro_status status = as_number(call->args[i + 1], &slice[i]);
        if (status != OURO_OK)
            return status;
    }
    if (slice[2] == OURO_OMITTED)
        slice[2] = 1;
    return OURO_OK;
}

static ouro_status slice(struct call *call)
{
    ptrdiff_t at[3];
    ouro_status status = as_slice(call, at);
    if (status != OURO_OK)
        return status;
    return is_tuple(call) ? ouro_tuple_slice(call->args[0], at[0], at[1], at[2], &call->result)
                          : ouro_list_slice(call->args[0], at[0], at[1], at[2], &call->result);
}

static ouro_status put_slice(struct call *call)
{
    ptrdiff_t at[3];
    ouro_status status = as_slice(call, at);
    return status == OURO_OK ? ouro_list_set_slice(call->args[0], at[0], at[1], at[2], call->args + 4, call->count - 4) : status;
}

static ouro_status delete_slice(struct call *call)
{
    ptrdiff_t at[3];
    ouro_status status = as_slice(call, at);
    return status == OURO_OK ? ouro_list_delete_slice(call->args[0], at[0], at[1], at[2]) : status;
}

static ouro_status repeat(struct call *call)
{
    ptrdiff_t times;
    ouro_status status = as_number(call->args[1], &times);
    if (status != OURO_OK || times < 0)
        return status != OURO_OK ? status : OURO_E_INVALID;
    return ouro_list_repeat(call->args[0], (size_t)times, &call->result);
}

static ouro_status reverse(struct call *call)
{
    return ouro_list_reverse(call->args[0]);
}

static ouro_status sort(struct call *call)
{
    return ouro_list_sort(call->args[0], false);
}

static ouro_status sort_down(struct call *call)
{
    return ouro_list_sort(call->args[0], true);
}

const struct operation element_operations[] = {
    {"list", 0, ANY_NUMBER, list},
    {"tuple", 0, ANY_NUMBER, tuple},
    {"record", 1, ANY_NUMBER, record},
    {"get", 2, 2, get},
    {"put", 3, 3, put},
    {"delete", 2, 2, delete},
    {"pop", 1, 2, pop},
    {"has", 2, 2, has},
    {"clear", 1, 1, clear},
    {"append", 2, 2, append},
    {"insert", 3, 3, insert},
    {"extend", 2, 2, extend},
    {"remove", 2, 2, remove_item},
    {"index", 2, 2, index_of},
    {"count", 2, 2, count},
    {"concat", 2, 2, concat},
    {"slice", 4, 4, slice},
    {"put_slice", 4, ANY_NUMBER, put_slice},
    {"delete_slice", 4, 4, delete_slice},
    {"repeat", 2, 2, repeat},
    {"reverse", 1, 1, reverse},
    {"sort", 1, 1, sort},
    {"sort_down", 1, 1, sort_down},
    {0},
};
