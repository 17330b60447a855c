/* SPDX-License-Identifier: MIT */
#include "bulk.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "failures.h"

struct job {
    const ouro_value *values;
    size_t count, pushed;
};

static int push_all(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    struct home *home = home_of(L);
    lua_createtable(L, job->count < INT_MAX ? (int)job->count : 0, 1);
    while (job->pushed < job->count) {
        values_push(L, home, job->values[job->pushed++]);
        lua_rawseti(L, -2, (int)job->pushed);
    }
    return 1;
}

void bulk_open(lua_State *L)
{
    ouro_lua_keep_function(L, push_all);
}

int bulk_push(lua_State *L, ouro_value *values, size_t count)
{
    struct job job = {.values = values, .count = count};
    ouro_lua_push_kept(L, push_all);
    lua_pushlightuserdata(L, &job);
    int failed = lua_pcall(L, 1, 1, 0);
    ouro_value_release_all(values + job.pushed, count - job.pushed); /* what Lua could not take */
    free(values);
    return failed ? lua_error(L) : 1;
}

/* All elements of a list in memory of malloc's. */
static ouro_status read_list(ouro_value list, ouro_value **values, size_t *count)
{
    size_t room = 0;
    ouro_status status = ouro_list_length(list, &room);
    while (status == OURO_OK) {
        room++; /* room that is left tells that these are all */
        *values = malloc(room * sizeof **values);
        if (!*values)
            return OURO_E_NOMEM;
        status = ouro_list_get_range(list, 0, *values, room, count);
        if (status == OURO_OK && *count < room)
            return OURO_OK;
        ouro_value_release_all(*values, *count);
        free(*values);
        room *= 2;
    }
    return status;
}

static ouro_status read_tuple(ouro_value tuple, ouro_value **values, size_t *count)
{
    const ouro_value *items = ouro_tuple_items(tuple, count);
    *values = malloc((*count + 1) * sizeof **values);
    if (!*values)
        return OURO_E_NOMEM;
    if (*count)
        memcpy(*values, items, *count * sizeof **values);
    ouro_value_retain_all(*values, *count);
    return OURO_OK;
}

int bulk_items(lua_State *L)
{
    struct handle *handle = handle_at(L, 1);
    luaL_argcheck(L, handle && !handle->closed, 1, handle ? "it is closed" : "a list or tuple is expected");
    ouro_value *values = NULL;
    size_t count = 0;
    bool is_tuple = ouro_kind_of(handle->value) == OURO_KIND_TUPLE;
    ouro_status status = is_tuple ? read_tuple(handle->value, &values, &count) : read_list(handle->value, &values, &count);
    if (status != OURO_OK)
        return failure_raise(L, status, "list_table", 1);
    bulk_push(L, values, count);
    ouro_lua_push_integer(L, (int64_t)count);
    lua_setfield(L, -2, "n");
    return 1;
}
