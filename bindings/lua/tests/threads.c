/* SPDX-License-Identifier: MIT
 *
 * Lua states on threads of their own, for tests:
 *
 *     local t = threads.start(text, ...)      runs the text in a new state on a new thread, with numbers and strings as its arguments
 *     t:join() -> true, results ...           what it returned (numbers, strings, booleans), or nil and its error
 *
 *     threads.failing(n, text) -> count, message
 *                                             runs the text in a new state on this thread, whose n-th request for memory, counted from when Lua's
 *                                             own libraries are there, is refused, and the next, too, by which Lua tries again; how many there
 *                                             were, and the error or nil
 *
 * New states have the paths of the old one. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct thread {
    pthread_t id;
    lua_State *state; /* the thread's, until it is joined */
    bool started, failed;
};

static void *run(void *arg)
{
    struct thread *thread = arg;
    lua_State *L = thread->state;
    thread->failed = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0) != 0;
    /* What the state no longer needs is let go on its thread. */
    lua_gc(L, LUA_GCCOLLECT, 0);
    return NULL;
}

static void copy(lua_State *from, int at, lua_State *to)
{
    size_t size;
    const char *bytes;
    switch (lua_type(from, at)) {
    case LUA_TNUMBER:
#if LUA_VERSION_NUM >= 503
        if (lua_isinteger(from, at)) {
            lua_pushinteger(to, lua_tointeger(from, at));
            break;
        }
#endif
        lua_pushnumber(to, lua_tonumber(from, at));
        break;
    case LUA_TSTRING:
        bytes = lua_tolstring(from, at, &size);
        lua_pushlstring(to, bytes, size);
        break;
    case LUA_TBOOLEAN:
        lua_pushboolean(to, lua_toboolean(from, at));
        break;
    default:
        lua_pushnil(to);
    }
}

static void copy_path(lua_State *from, lua_State *to, const char *name)
{
    lua_getglobal(from, "package");
    lua_getfield(from, -1, name);
    lua_getglobal(to, "package");
    lua_pushstring(to, lua_tostring(from, -1));
    lua_setfield(to, -2, name);
    lua_pop(to, 1);
    lua_pop(from, 2);
}

static int start(lua_State *L)
{
    int arguments = lua_gettop(L);
    const char *text = luaL_checkstring(L, 1);
    struct thread *thread = lua_newuserdata(L, sizeof *thread);
    memset(thread, 0, sizeof *thread);
    luaL_getmetatable(L, "ouro.test.thread");
    lua_setmetatable(L, -2);
    lua_State *state = thread->state = luaL_newstate();
    if (!state)
        return luaL_error(L, "out of memory");
    luaL_openlibs(state);
    copy_path(L, state, "path");
    copy_path(L, state, "cpath");
    if (luaL_loadstring(state, text))
        return luaL_error(L, "%s", lua_tostring(state, -1));
    for (int i = 2; i <= arguments; i++)
        copy(L, i, state);
    if (pthread_create(&thread->id, NULL, run, thread))
        return luaL_error(L, "no thread");
    thread->started = true;
    return 1;
}

static int join(lua_State *L)
{
    struct thread *thread = luaL_checkudata(L, 1, "ouro.test.thread");
    if (!thread->started)
        return luaL_error(L, "it has been joined");
    pthread_join(thread->id, NULL);
    thread->started = false;
    lua_State *state = thread->state;
    int results = lua_gettop(state);
    if (thread->failed)
        lua_pushnil(L);
    else
        lua_pushboolean(L, 1);
    for (int i = 1; i <= results; i++)
        copy(state, i, L);
    lua_close(state);
    thread->state = NULL;
    return results + 1;
}

static int collect(lua_State *L)
{
    struct thread *thread = luaL_checkudata(L, 1, "ouro.test.thread");
    if (thread->started)
        pthread_join(thread->id, NULL);
    if (thread->state)
        lua_close(thread->state);
    thread->started = false;
    thread->state = NULL;
    return 0;
}

struct requests {
    long made, refused; /* refused is 0: none */
};

static void *counting_alloc(void *arg, void *block, size_t old, size_t size)
{
    struct requests *requests = arg;
    if (!size) {
        free(block);
        return NULL;
    }
    if (!block || size > old) {
        long now = ++requests->made;
        if (requests->refused && (now == requests->refused || now == requests->refused + 1))
            return NULL;
    }
    return realloc(block, size);
}

/* The text is at 1, the paths are at 2 and 3, the requests at 4, and at 5 which one is refused. */
static int run_failing(lua_State *L)
{
    static const char *const names[] = {"path", "cpath"};
    struct requests *requests = lua_touserdata(L, 4);
    luaL_openlibs(L); /* refuses nothing: Lua 5.1's io, half made, would close the process's standard output */
    *requests = (struct requests){.refused = lua_tointeger(L, 5)};
    for (int i = 0; i < 2; i++) {
        lua_getglobal(L, "package");
        lua_pushstring(L, (const char *)lua_touserdata(L, 2 + i));
        lua_setfield(L, -2, names[i]);
        lua_pop(L, 1);
    }
    if (luaL_loadstring(L, (const char *)lua_touserdata(L, 1)))
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

static int failing(lua_State *L)
{
    struct requests requests = {0, 0};
    lua_Integer refused = (lua_Integer)luaL_checknumber(L, 1);
    const char *text = luaL_checkstring(L, 2);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_getfield(L, -2, "cpath");
    lua_State *state = lua_newstate(counting_alloc, &requests);
    if (!state) {
        lua_pushnumber(L, 0);
        lua_pushliteral(L, "no state");
        return 2;
    }
    lua_pushcfunction(state, run_failing);
    lua_pushlightuserdata(state, (void *)text);
    lua_pushlightuserdata(state, (void *)lua_tostring(L, -2));
    lua_pushlightuserdata(state, (void *)lua_tostring(L, -1));
    lua_pushlightuserdata(state, &requests);
    lua_pushinteger(state, refused);
    int failed = lua_pcall(state, 5, 0, 0);
    lua_pushnumber(L, (lua_Number)requests.made);
    if (failed)
        lua_pushstring(L, lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : "?");
    else
        lua_pushnil(L);
    lua_close(state);
    return 2;
}

int luaopen_threads(lua_State *L);
int luaopen_threads(lua_State *L)
{
    luaL_newmetatable(L, "ouro.test.thread");
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    lua_pushcfunction(L, join);
    lua_setfield(L, -2, "join");
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushcfunction(L, start);
    lua_setfield(L, -2, "start");
    lua_pushcfunction(L, failing);
    lua_setfield(L, -2, "failing");
    return 1;
}
