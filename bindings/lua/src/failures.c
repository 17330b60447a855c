/* SPDX-License-Identifier: MIT */
#include "failures.h"

#include <stdio.h>
#include <string.h>

#include "explain.h"

/* list_append is known to programs as append; what comes before says what its first argument is to be. */
static size_t prefix_of(const char *name)
{
    static const char *const prefixes[] = {"list_",   "tuple_",    "dict_",     "set_",      "record_",
                                           "string_", "bytes_",    "weak_map_", "weak_set_", "iterator_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return strlen(prefixes[i]);
    return 0;
}

/* Pushes the name that programs know: that of the kind, for what makes one. */
static const char *push_name(lua_State *L, const char *name)
{
    size_t prefix = prefix_of(name);
    if (prefix && (!strcmp(name + prefix, "from") || !strcmp(name + prefix, "new")))
        lua_pushlstring(L, name, prefix - 1);
    else
        lua_pushstring(L, name + prefix);
    return lua_tostring(L, -1);
}

/* Level 1 is the function that is called here, 2 is the program. */
static void push_argument_message(lua_State *L, int argument, const char *name, const char *why)
{
    luaL_where(L, 2);
    const char *shown = push_name(L, name);
    lua_pushfstring(L, "%sbad argument #%d to '%s' (%s)", lua_tostring(L, -2), argument, shown, why);
}

/* The value of an argument while it is looked at; *made as for values_read. */
static ouro_value argument_value(lua_State *L, int argument, int arguments, bool *made)
{
    ouro_value value;
    *made = false;
    if (argument > arguments || values_read(L, home_of(L), argument, &value, made))
        return OURO_NIL;
    return value;
}

/* The failure in words, about the function's first two arguments. */
static void explain(lua_State *L, ouro_status status, int arguments, char *text, size_t room)
{
    bool made[2];
    ouro_value container = argument_value(L, 1, arguments, &made[0]), key = argument_value(L, 2, arguments, &made[1]);
    int64_t index;
    if (status == OURO_E_INDEX && arguments > 1 && ouro_lua_whole(L, 2, &index))
        ouro_explain_index(text, room, container, (ptrdiff_t)index);
    else if (status == OURO_E_KEY && arguments > 1)
        ouro_explain_key(text, room, container, key);
    else
        snprintf(text, room, "%s", ouro_status_message(status));
    if (made[0])
        ouro_value_release(container);
    if (made[1])
        ouro_value_release(key);
}

/* Which argument is of a wrong kind, and what it is. */
static int explain_kind(lua_State *L, const char *name, int arguments, char *text, size_t room)
{
    char what[OURO_EXPLAIN_ROOM];
    bool made;
    int blamed = 1;
    size_t prefix = prefix_of(name);
    ouro_value value = argument_value(L, 1, arguments, &made);
    const char *kind = ouro_kind_name(ouro_kind_of(value));
    if (prefix && (strlen(kind) != prefix - 1 || strncmp(kind, name, 3)))
        snprintf(text, room, "%.*s expected, got %s", (int)prefix - 1, name, ouro_explain_value(what, sizeof what, value));
    else {
        if (made)
            ouro_value_release(value);
        blamed = arguments < 2 ? 1 : 2;
        value = argument_value(L, blamed, arguments, &made);
        snprintf(text, room, "%s is not what this can be done to", ouro_explain_value(what, sizeof what, value));
    }
    if (made)
        ouro_value_release(value);
    return blamed;
}

/* Pushes nil, message, code, or only a message. */
static int push_failure(lua_State *L, ouro_status status, const char *name, int arguments)
{
    char text[2 * OURO_EXPLAIN_ROOM];
    const char *shown;
    int blamed = 1;
    switch (status) {
    case OURO_E_TYPE:
        blamed = explain_kind(L, name, arguments, text, sizeof text);
        push_argument_message(L, blamed, name, text);
        return 1;
    case OURO_E_INVALID:
    case OURO_E_USAGE:
        luaL_where(L, 2);
        shown = push_name(L, name);
        lua_pushfstring(L, "%sbad argument to '%s' (%s)", lua_tostring(L, -2), shown, ouro_status_message(status));
        return 1;
    default:
        explain(L, status, arguments, text, sizeof text);
        lua_pushnil(L);
        lua_pushstring(L, text);
        ouro_lua_push_integer(L, status);
        return 3;
    }
}

/* ---- Lua may be out of memory for the words, and its error must not pass by those who have something to release ---- */

struct speech {
    ouro_status status; /* OURO_OK: it is about an argument */
    const char *name, *why;
    int arguments, argument;
};

/* The first two arguments of the function that has failed, a speech. */
static int speak(lua_State *L)
{
    const struct speech *speech = lua_touserdata(L, 3);
    if (speech->status != OURO_OK)
        return push_failure(L, speech->status, speech->name, speech->arguments < 2 ? speech->arguments : 2);
    push_argument_message(L, speech->argument, speech->name, speech->why);
    return 1;
}

/* How many results there are; 1: an error's message. */
static int protect(lua_State *L, struct speech *speech)
{
    int top = lua_gettop(L);
    ouro_lua_push_kept(L, speak);
    for (int i = 1; i <= 2; i++) {
        if (speech->arguments >= i)
            lua_pushvalue(L, i);
        else
            lua_pushnil(L);
    }
    lua_pushlightuserdata(L, speech);
    return lua_pcall(L, 3, LUA_MULTRET, 0) ? 1 : lua_gettop(L) - top;
}

void failures_open(lua_State *L)
{
    ouro_lua_keep_function(L, speak);
}

void failure_argument(lua_State *L, int argument, const char *name, const char *why)
{
    protect(L, &(struct speech){.name = name, .why = why, .argument = argument});
}

int failure(lua_State *L, ouro_status status, const char *name, int arguments)
{
    int results = protect(L, &(struct speech){.status = status, .name = name, .arguments = arguments});
    return results > 1 ? results : -1;
}

int failure_raise(lua_State *L, ouro_status status, const char *name, int arguments)
{
    if (failure(L, status, name, arguments) > 0) {
        luaL_where(L, 1);
        lua_pushvalue(L, -3);
        lua_concat(L, 2);
    }
    return lua_error(L);
}
