/* SPDX-License-Identifier: MIT
 *
 * A watch joins an ouro_weak, which may die or report on any thread, with the state that waits for it. Its word `armed` decides who comes first,
 * the death of the target or the end of the handle:
 *
 *     the weak reference's address      waiting
 *     NULL                              either of the two has come. Death: the watch is a note for the state, which then has it
 *
 * A late report, of a weak reference that is kept by others though its handle is gone, finds another address or none: no two weak references
 * that are alive have one address. So watches are used again but never freed: a report may look at one at any time. */
#include "weak.h"

#include <stdlib.h>

struct watch {
    struct note note;
    struct watch *next;             /* in a list of free ones */
    struct home *home;              /* immutable while it is armed, or a note */
    _Atomic(ouro_weak *) armed;
};

struct watching {
    struct handle handle;
    struct watch *watch; /* NULL once it has reported */
};

static char by_watch;  /* of the registry: watch -> handle, weak */
static char functions; /* of the registry: handle, weak -> function */

static bool disarm(struct watch *watch, ouro_weak *weak)
{
    /* acq_rel: with the other side's. */
    return atomic_compare_exchange_strong_explicit(&watch->armed, &weak, NULL, memory_order_acq_rel, memory_order_relaxed);
}

/* On any thread. */
static void report(ouro_weak *weak, void *arg)
{
    struct watch *watch = arg;
    if (disarm(watch, weak))
        home_leave_note(watch->home, &watch->note);
}

static void make_free(struct home *home, struct watch *watch)
{
    watch->next = home->watches;
    home->watches = watch;
}

/* The function that goes with the handle at a place. */
static void push_function(lua_State *L, int at)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &functions);
    lua_pushvalue(L, at);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

/* It may refer to its handle, and in Lua 5.1 that would keep both. */
static void forget_function(lua_State *L, int at)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &functions);
    lua_pushvalue(L, at);
    ouro_lua_take_out(L, -2);
    lua_pop(L, 1);
}

static void call(lua_State *L, struct home *home, struct note *note)
{
    struct watch *watch = (struct watch *)note;
    int top = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_watch);
    lua_rawgetp(L, top + 1, watch);
    lua_pushlightuserdata(L, watch);
    ouro_lua_take_out(L, top + 1);
    struct watching *watching = lua_touserdata(L, top + 2);
    if (watching) { /* else its handle is going, or it belonged to a state that had this home before */
        watching->watch = NULL;
        push_function(L, top + 2);
        forget_function(L, top + 2);
        lua_pushvalue(L, top + 2);
    }
    make_free(home, watch);
    if (watching && lua_pcall(L, 1, 0, 0))
        ouro_lua_warn(L, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error in a function that waited for a death");
}

/* Free ones that states have left behind: a stack that is taken as a whole. */
static _Atomic(struct watch *) left;

/* The state has been closed; any thread. */
static void leave(struct note *note)
{
    struct watch *watch = (struct watch *)note;
    watch->next = atomic_load_explicit(&left, memory_order_relaxed);
    /* Release: pairs with watch_new. */
    while (!atomic_compare_exchange_weak_explicit(&left, &watch->next, watch, memory_order_release, memory_order_relaxed))
        continue;
}

static struct watch *watch_new(struct home *home)
{
    if (!home->watches)
        home->watches = atomic_exchange_explicit(&left, NULL, memory_order_acquire);
    struct watch *watch = home->watches;
    if (watch)
        home->watches = watch->next;
    else if (!(watch = calloc(1, sizeof *watch)))
        return NULL;
    watch->note = (struct note){.read = call, .drop = leave};
    watch->home = home;
    return watch;
}

/* The handle at 1 waits no longer, if it is a watching one. NULL: there is no handle at all. */
static struct handle *stop(lua_State *L)
{
    struct handle *handle = handle_at(L, 1);
    struct watching *watching = (struct watching *)handle;
    struct watch *watch = handle && lua_rawlen(L, 1) >= sizeof *watching ? watching->watch : NULL;
    if (watch) {
        watching->watch = NULL;
        if (disarm(watch, ouro_value_object(handle->value)))
            make_free(watch->home, watch);
    }
    return handle;
}

/* Lua frees it. */
static int collect(lua_State *L)
{
    struct handle *handle = stop(L);
    if (handle)
        handle_let_go(handle);
    return 0;
}

static int close_handle(lua_State *L)
{
    struct handle *handle = stop(L);
    luaL_argcheck(L, handle, 1, "a weak reference is expected");
    forget_function(L, 1);
    handle_close(L, home_of(L), handle, 1);
    return 0;
}

/* The watching handle at 3 is to find the function at 2, and the watch to find the handle. */
static void enter(lua_State *L, struct watch *watch)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &functions);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 2);
    lua_rawset(L, -3);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_watch);
    lua_pushvalue(L, 3);
    lua_rawsetp(L, -2, watch);
    lua_settop(L, 3);
}

int weak_ref(lua_State *L)
{
    struct home *home = home_of(L);
    struct handle *target = handle_at(L, 1);
    bool watches = lua_gettop(L) > 1 && !lua_isnil(L, 2);
    luaL_argcheck(L, target && !target->closed && ouro_is_object(target->value) && home, 1, "a container is expected");
    if (watches)
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    home_use_thread();
    struct watching *watching = ouro_lua_userdata(L, watches ? sizeof *watching : sizeof(struct handle));
    if (watches)
        watching->watch = NULL;
    values_adopt(L, &watching->handle, OURO_NIL); /* from now on it is cleaned up */
    values_push_metatable(L, OURO_KIND_WEAK);
    lua_setmetatable(L, 3);
    struct watch *watch = NULL;
    if (watches) {
        watching->watch = watch = watch_new(home);
        if (!watch)
            return luaL_error(L, "out of memory");
        enter(L, watch);
    }
    /* The target is held, so nothing is reported before the watch is armed. */
    ouro_weak *weak = ouro_weak_new(ouro_value_object(target->value), watch ? report : NULL, watch);
    if (!weak)
        return luaL_error(L, "out of memory");
    if (watch)
        atomic_store_explicit(&watch->armed, weak, memory_order_release); /* pairs with disarm */
    values_adopt(L, &watching->handle, ouro_value_of(weak));
    return 1;
}

static void make_table(lua_State *L, const char *mode, const void *key)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void weak_open(lua_State *L)
{
    make_table(L, "v", &by_watch);
    make_table(L, "k", &functions);
    values_push_metatable(L, OURO_KIND_WEAK);
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close_handle);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__close");
    lua_getfield(L, -2, "methods");
    lua_insert(L, -2);
    lua_setfield(L, -2, "close");
    lua_pop(L, 2);
}
