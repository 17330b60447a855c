/* SPDX-License-Identifier: MIT
 *
 * What differs between Lua 5.1 (and LuaJIT) and 5.4. The only file here that looks at the version. */
#ifndef OURO_LUA_COMPAT_H
#define OURO_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#define EXACT ((lua_Number)9007199254740992.0) /* 2^53: doubles below it that are whole numbers are exactly that number */

#if LUA_VERSION_NUM < 502

/* SWIG's code has macros of these names, too. */
#undef lua_absindex
#undef lua_rawgetp
#undef lua_rawsetp
#define lua_rawlen lua_objlen
#define lua_absindex ouro_lua_absindex
#define lua_rawgetp ouro_lua_rawgetp
#define lua_rawsetp ouro_lua_rawsetp

static inline int ouro_lua_absindex(lua_State *L, int i)
{
    return i > 0 || i <= LUA_REGISTRYINDEX ? i : lua_gettop(L) + i + 1;
}

static inline void ouro_lua_rawgetp(lua_State *L, int i, const void *p)
{
    i = ouro_lua_absindex(L, i);
    lua_pushlightuserdata(L, (void *)p);
    lua_rawget(L, i);
}

static inline void ouro_lua_rawsetp(lua_State *L, int i, const void *p)
{
    i = ouro_lua_absindex(L, i);
    lua_pushlightuserdata(L, (void *)p);
    lua_insert(L, -2);
    lua_rawset(L, i);
}

#endif

#if LUA_VERSION_NUM < 503

/* There are no integers: whole numbers stand for them as far as they are exact. */
static inline bool ouro_lua_integer(lua_State *L, int i, int64_t *number)
{
    lua_Number n = lua_type(L, i) == LUA_TNUMBER ? lua_tonumber(L, i) : EXACT; /* strings would be converted */
    if (!(n > -EXACT && n < EXACT) || n != (lua_Number)(int64_t)n)
        return false;
    *number = (int64_t)n;
    return true;
}

static inline bool ouro_lua_is_exact(int64_t number)
{
    return number > -(int64_t)EXACT && number < (int64_t)EXACT;
}

static inline void ouro_lua_push_integer(lua_State *L, int64_t number)
{
    lua_pushnumber(L, (lua_Number)number);
}

#else

static inline bool ouro_lua_integer(lua_State *L, int i, int64_t *number)
{
    if (!lua_isinteger(L, i))
        return false;
    *number = lua_tointeger(L, i);
    return true;
}

static inline bool ouro_lua_is_exact(int64_t number)
{
    (void)number;
    return true;
}

static inline void ouro_lua_push_integer(lua_State *L, int64_t number)
{
    lua_pushinteger(L, (lua_Integer)number);
}

#endif

#if LUA_VERSION_NUM < 504

static inline void *ouro_lua_userdata(lua_State *L, size_t size)
{
    return lua_newuserdata(L, size);
}

static inline void ouro_lua_warn(lua_State *L, const char *message)
{
    (void)L, (void)message;
}

#else

static inline void *ouro_lua_userdata(lua_State *L, size_t size)
{
    return lua_newuserdatauv(L, size, 0);
}

static inline void ouro_lua_warn(lua_State *L, const char *message)
{
    lua_warning(L, message, 0);
}

#endif

/* Takes the key on top of the stack out of the table at i. Not by storing nil in any case: where there is nothing, Lua 5.1 allocates for that. */
static inline void ouro_lua_take_out(lua_State *L, int i)
{
    i = lua_absindex(L, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, i);
    bool is_there = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_there) {
        lua_pushnil(L);
        lua_rawset(L, i);
    } else {
        lua_pop(L, 1);
    }
}

/* Functions to be called when memory may be out: Lua 5.1 allocates to push one, so they are in the registry from the beginning. */
static inline void ouro_lua_keep_function(lua_State *L, lua_CFunction function)
{
    lua_pushcfunction(L, function);
    lua_rawsetp(L, LUA_REGISTRYINDEX, (void *)(uintptr_t)function);
}

static inline void ouro_lua_push_kept(lua_State *L, lua_CFunction function)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, (void *)(uintptr_t)function);
}

/* A whole number, also as a float (1.0): what indexes are. */
static inline bool ouro_lua_whole(lua_State *L, int i, int64_t *number)
{
    if (ouro_lua_integer(L, i, number))
        return true;
    lua_Number n = lua_type(L, i) == LUA_TNUMBER ? lua_tonumber(L, i) : EXACT; /* strings would be converted */
    if (!(n > -EXACT && n < EXACT) || n != (lua_Number)(int64_t)n)
        return false;
    *number = (int64_t)n;
    return true;
}

#endif
