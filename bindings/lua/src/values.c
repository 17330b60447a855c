/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <string.h>

static char mark;       /* its address is the mark of handles */
static char handles;    /* of the registry: address of an object -> its handle, weak */
static char metatables; /* of the registry: kind -> metatable */

static int make_handle(lua_State *L);
static int make_text(lua_State *L);

struct handle *handle_at(lua_State *L, int at)
{
    if (lua_type(L, at) != LUA_TUSERDATA || lua_rawlen(L, at) < sizeof(struct handle))
        return NULL;
    struct handle *handle = lua_touserdata(L, at);
    return handle->mark == &mark ? handle : NULL;
}

/* ---- Handles ---- */

void handle_let_go(struct handle *handle)
{
    ouro_value value = handle->value;
    handle->value = OURO_NIL;
    handle->closed = true;
    ouro_value_release(value);
}

void handle_close(lua_State *L, struct home *home, struct handle *handle, int at)
{
    if (handle->closed)
        return;
    at = lua_absindex(L, at);
    handle->closed = true;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handles);
    lua_rawgetp(L, -1, ouro_value_object(handle->value));
    if (lua_rawequal(L, -1, at)) { /* else Lua is about to free it, and another handle has come since */
        lua_pushnil(L);
        lua_rawsetp(L, -3, ouro_value_object(handle->value));
    }
    lua_pop(L, 2);
    if (!home || !home->converting)
        handle_let_go(handle);
}

static int collect_handle(lua_State *L)
{
    struct handle *handle = handle_at(L, 1);
    if (handle)
        handle_let_go(handle); /* its place in the table has been cleared */
    return 0;
}

static void make_metatables(lua_State *L)
{
    lua_createtable(L, OURO_KIND_OBJECT + 1, 0);
    for (int kind = 0; kind <= OURO_KIND_OBJECT; kind++) {
        lua_createtable(L, 0, 12);
        lua_pushcfunction(L, collect_handle);
        lua_setfield(L, -2, "__gc");
        lua_pushfstring(L, "ouro.%s", ouro_kind_name((ouro_kind)kind));
        lua_setfield(L, -2, "__name");
        lua_rawseti(L, -2, kind + 1);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatables);
}

static void make_table_of_handles(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &handles);
}

void values_open(lua_State *L)
{
    make_metatables(L);
    make_table_of_handles(L);
    ouro_lua_keep_function(L, make_handle);
    ouro_lua_keep_function(L, make_text);
    hosts_open(L);
}

void values_push_metatable(lua_State *L, ouro_kind kind)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatables);
    lua_rawgeti(L, -1, (int)kind + 1);
    lua_remove(L, -2);
}

void values_adopt(lua_State *L, struct handle *handle, ouro_value value)
{
    *handle = (struct handle){.mark = &mark, .value = value};
    values_push_metatable(L, ouro_kind_of(value));
    lua_setmetatable(L, -2);
    if (!ouro_is_object(value))
        return;
    ouro_value_share(value); /* any thread may come to use it */
    lua_rawgetp(L, LUA_REGISTRYINDEX, &handles);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, ouro_value_object(value));
    lua_pop(L, 1);
}

struct making {
    ouro_value value;
    bool held; /* by the userdata: Lua frees both */
};

static int make_handle(lua_State *L)
{
    struct making *making = lua_touserdata(L, 1);
    struct handle *handle = ouro_lua_userdata(L, sizeof *handle);
    making->held = true;
    values_adopt(L, handle, making->value);
    return 1;
}

bool values_try_push_handle(lua_State *L, ouro_value value)
{
    if (ouro_is_object(value)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &handles);
        lua_rawgetp(L, -1, ouro_value_object(value));
        lua_remove(L, -2);
        struct handle *handle = lua_touserdata(L, -1);
        if (handle && !handle->closed) {
            ouro_value_release(value);
            return true;
        }
        lua_pop(L, 1);
    }
    struct making making = {.value = value};
    ouro_lua_push_kept(L, make_handle);
    lua_pushlightuserdata(L, &making);
    if (!lua_pcall(L, 1, 1, 0))
        return true;
    if (!making.held)
        ouro_value_release(value);
    return false;
}

void values_push_handle(lua_State *L, ouro_value value)
{
    if (!values_try_push_handle(L, value))
        lua_error(L);
}

/* ---- From values ---- */

/* Whether Lua's string of these bytes would become a string and not bytes. */
static bool is_text(const char *bytes, size_t size)
{
    ouro_value string;
    bool is = ouro_string_new(bytes, size, &string) == OURO_OK;
    ouro_value_release(string);
    return is;
}

static int make_text(lua_State *L)
{
    size_t size;
    const ouro_value *string = lua_touserdata(L, 1);
    bool is_bytes = ouro_kind_of(*string) == OURO_KIND_BYTES;
    const char *bytes = is_bytes ? ouro_bytes_data(*string, &size) : ouro_string_data(*string, &size);
    lua_pushlstring(L, bytes, size);
    return 1;
}

#define FEW 256

/* Where an error may be raised, a short text is copied, so that the string is let go of before Lua is asked for memory. */
static inline bool push_text(lua_State *L, const char *bytes, size_t size, ouro_value value, bool may_raise)
{
    char copy[FEW];
    if (may_raise && size <= FEW) {
        memcpy(copy, bytes, size);
        ouro_value_release(value);
        lua_pushlstring(L, copy, size);
        return true;
    }
    ouro_lua_push_kept(L, make_text);
    lua_pushlightuserdata(L, &value);
    int failed = lua_pcall(L, 1, 1, 0);
    ouro_value_release(value);
    return !failed;
}

static inline bool push(lua_State *L, struct home *home, ouro_value value, bool may_raise)
{
    const char *bytes;
    size_t size;
    if (OURO_LIKELY(ouro_is_int(value) && ouro_lua_is_exact(ouro_int_value(value)))) {
        ouro_lua_push_integer(L, ouro_int_value(value));
        return true;
    }
    switch (ouro_kind_of(value)) {
    case OURO_KIND_NIL:
        lua_pushnil(L);
        return true;
    case OURO_KIND_BOOL:
        lua_pushboolean(L, value == OURO_TRUE);
        return true;
    case OURO_KIND_FLOAT:
        lua_pushnumber(L, ouro_float_value(value));
        ouro_value_release(value);
        return true;
    case OURO_KIND_STRING:
        bytes = ouro_string_data(value, &size);
        return push_text(L, bytes, size, value, may_raise);
    case OURO_KIND_BYTES:
        bytes = ouro_bytes_data(value, &size);
        if (is_text(bytes, size))
            break; /* it would go back as a string */
        return push_text(L, bytes, size, value, may_raise);
    case OURO_KIND_HOST:
        if (!hosts_push(L, home, value))
            break;
        ouro_value_release(value);
        return true;
    default:
        break;
    }
    return values_try_push_handle(L, value);
}

bool values_try_push(lua_State *L, struct home *home, ouro_value value)
{
    return push(L, home, value, false);
}

void values_push(lua_State *L, struct home *home, ouro_value value)
{
    if (OURO_UNLIKELY(!push(L, home, value, true)))
        lua_error(L);
}

/* ---- To values ---- */

/* A short string that was converted lately, or nil. Lua keeps one copy of each short string, so its address finds it; but another string may have
 * come to be there since. */
static ouro_value cached(struct home *home, const char *bytes, size_t size)
{
    struct cached_string *at = &home->strings[((uintptr_t)bytes >> 4 ^ (uintptr_t)bytes >> 12) % STRINGS];
    if (ouro_is_nil(at->string) || at->size != size || memcmp(at->bytes, bytes, size)) {
        ouro_value_release(at->string);
        *at = (struct cached_string){.size = size};
        if (ouro_string_new(bytes, size, &at->string) == OURO_OK)
            at->bytes = ouro_string_data(at->string, NULL);
    }
    return ouro_value_retain(at->string);
}

static const char *read_string(lua_State *L, struct home *home, int at, ouro_value *value, bool *made)
{
    size_t size;
    const char *bytes = lua_tolstring(L, at, &size);
    if (size <= STRING_MAX && (home || (home = home_of(L)))) {
        *value = cached(home, bytes, size);
        *made = !ouro_is_nil(*value);
        if (*made)
            return NULL;
    }
    ouro_status status = ouro_string_new(bytes, size, value);
    if (status == OURO_E_ENCODING)
        status = ouro_bytes_new(bytes, size, value);
    *made = status == OURO_OK;
    return *made ? NULL : "out of memory";
}

static const char *read_number(lua_State *L, int at, ouro_value *value, bool *made)
{
    int64_t number;
    *made = true;
    if (!ouro_lua_integer(L, at, &number)) {
        *value = ouro_float_new(lua_tonumber(L, at));
        return ouro_is_nil(*value) ? "out of memory" : NULL;
    }
    *value = ouro_int_new(number);
    if (ouro_is_nil(*value) && hosts_big_integer(number, value) != OURO_OK)
        return "out of memory";
    return NULL;
}

const char *values_read(lua_State *L, struct home *home, int at, ouro_value *value, bool *made)
{
    struct handle *handle;
    home_use_thread();
    *made = false;
    *value = OURO_NIL;
    switch (lua_type(L, at)) {
    case LUA_TNIL:
    case LUA_TNONE:
        return NULL;
    case LUA_TBOOLEAN:
        *value = ouro_bool_new(lua_toboolean(L, at));
        return NULL;
    case LUA_TNUMBER:
        return read_number(L, at, value, made);
    case LUA_TSTRING:
        return read_string(L, home, at, value, made);
    case LUA_TUSERDATA:
        handle = handle_at(L, at);
        if (!handle)
            break;
        *value = handle->value;
        return handle->closed ? "it is closed" : NULL;
    default:
        break;
    }
    *made = true;
    return hosts_read(L, home, at, value);
}
