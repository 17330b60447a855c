/* SPDX-License-Identifier: MIT
 *
 * Lua's own objects as values: tables, functions, threads, userdata. The handle of such a value is a `hosted`, one for each object; the state keeps
 * the object alive and finds one from the other by two tables. Values of one object are equal, because their handles are.
 *
 * A hosted counts the values that have it. Only its state makes new ones; any thread drops them. Who drops the last leaves a note, and the
 * state then forgets the object. A count of zero is final: an object that is stored again meanwhile gets another hosted.
 *
 * The library calls nothing of Lua's to compare, hash or show them: whatever thread that happens on, the state is not touched. */
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hosted {
    struct note note;
    struct home *home;  /* immutable */
    _Atomic size_t uses; /* values */
    char shown[48];     /* immutable: <table>, <name> */
};

static char by_object, by_handle; /* of the registry: object -> hosted; hosted -> object */

static struct hosted *of(uint64_t handle)
{
    return (struct hosted *)(uintptr_t)handle;
}

/* ---- What the library calls, on any thread ---- */

static void dispose(uint64_t handle)
{
    struct hosted *hosted = of(handle);
    /* acq_rel: whoever comes last sees what the others have done. */
    if (atomic_fetch_sub_explicit(&hosted->uses, 1, memory_order_acq_rel) == 1)
        home_leave_note(hosted->home, &hosted->note);
}

static ouro_status hash(uint64_t handle, uint64_t *hash)
{
    *hash = handle >> 4;
    return OURO_OK;
}

static ouro_status equal(uint64_t a, uint64_t b, bool *equal)
{
    *equal = a == b;
    return OURO_OK;
}

static ouro_status repr(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    const char *shown = of(handle)->shown;
    *size = strlen(shown);
    memcpy(buffer, shown, *size < room ? *size : room);
    return OURO_OK;
}

#define CLASS(what) {.size = sizeof(ouro_host_class), .name = what, .dispose = dispose, .hash = hash, .equal = equal, .repr = repr}
enum { TABLE, FUNCTION, THREAD, USERDATA, CLASSES };
static const ouro_host_class classes[CLASSES] = {
    [TABLE] = CLASS("table"), [FUNCTION] = CLASS("function"), [THREAD] = CLASS("thread"), [USERDATA] = CLASS("userdata")};

static const ouro_host_class *class_of(int type)
{
    return &classes[type == LUA_TTABLE ? TABLE : type == LUA_TFUNCTION ? FUNCTION : type == LUA_TTHREAD ? THREAD : USERDATA];
}

/* ---- Integers of more than 62 bits: the handle is the number ---- */

static ouro_status big_hash(uint64_t handle, uint64_t *hash)
{
    *hash = handle * 0x9e3779b97f4a7c15u >> 2;
    return OURO_OK;
}

static ouro_status big_compare(uint64_t a, uint64_t b, int *order)
{
    *order = ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
    return OURO_OK;
}

static ouro_status big_repr(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    char shown[24], *at = shown + sizeof shown;
    uint64_t rest = (int64_t)handle < 0 ? 0 - handle : handle;
    for (; rest; rest /= 10)
        *--at = (char)('0' + rest % 10);
    if ((int64_t)handle < 0)
        *--at = '-';
    *size = (size_t)(shown + sizeof shown - at);
    memcpy(buffer, at, *size < room ? *size : room);
    return OURO_OK;
}

static const ouro_host_class big_class = {
    .size = sizeof big_class, .name = "int", .hash = big_hash, .equal = equal, .compare = big_compare, .repr = big_repr};

ouro_status hosts_big_integer(int64_t number, ouro_value *value)
{
    return ouro_host_new(&big_class, (uint64_t)number, 0, value);
}

bool hosts_is_big_integer(ouro_value value, int64_t *number)
{
    if (ouro_host_class_of(value) != &big_class)
        return false;
    *number = (int64_t)ouro_host_handle(value);
    return true;
}

/* ---- Notes: the last value of an object has died ---- */

static void drop_hosted(struct note *note)
{
    free(note); /* the note comes first in a hosted */
}

static void forget(lua_State *L, struct home *home, struct note *note)
{
    struct hosted *hosted = (struct hosted *)note;
    int top = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_handle);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_object);
    lua_rawgetp(L, top + 1, hosted);
    if (!lua_isnil(L, top + 3)) { /* else it is of a state that had this home before */
        home->held--;
        lua_pushvalue(L, top + 3);
        lua_rawget(L, top + 2);
        if (lua_touserdata(L, -1) == hosted) { /* else the object has another one by now */
            lua_pushvalue(L, top + 3);
            lua_pushnil(L);
            lua_rawset(L, top + 2);
        }
        lua_pushnil(L);
        lua_rawsetp(L, top + 1, hosted);
    }
    free(hosted);
}

/* ---- To values ---- */

/* One more value; false: the last one is dead, and the hosted with it. */
static bool use(struct hosted *hosted)
{
    size_t uses = atomic_load_explicit(&hosted->uses, memory_order_relaxed);
    while (uses)
        if (atomic_compare_exchange_weak_explicit(&hosted->uses, &uses, uses + 1, memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

/* <name> of its metatable's __name, else of its type. */
static void show(lua_State *L, int at, char *shown, size_t room)
{
    const char *name = lua_typename(L, lua_type(L, at));
    int top = lua_gettop(L);
    size_t size = 0;
    ouro_value checked = OURO_NIL;
    if (lua_getmetatable(L, at)) {
        lua_pushliteral(L, "__name");
        lua_rawget(L, -2);
        const char *own = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
        if (own && size < room - 2 && ouro_string_new(own, size, &checked) == OURO_OK)
            name = own;
    }
    snprintf(shown, room, "<%s>", name);
    ouro_value_release(checked);
    lua_settop(L, top);
}

/* object, hosted: enters it in both tables. */
static int enter(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_handle);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, 3, lua_touserdata(L, 2));
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_object);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_rawset(L, 4);
    return 0;
}

static struct hosted *hosted_new(lua_State *L, struct home *home, int at)
{
    struct hosted *hosted = calloc(1, sizeof *hosted);
    if (!hosted)
        return NULL;
    hosted->note = (struct note){.read = forget, .drop = drop_hosted};
    hosted->home = home;
    atomic_init(&hosted->uses, 1);
    show(L, at, hosted->shown, sizeof hosted->shown);
    home->converting++;
    ouro_lua_push_kept(L, enter);
    lua_pushvalue(L, at);
    lua_pushlightuserdata(L, hosted);
    int failed = lua_pcall(L, 2, 0, 0);
    home->converting--;
    if (!failed) {
        home->held++;
        return hosted;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_handle);
    lua_pushlightuserdata(L, hosted);
    ouro_lua_take_out(L, -2);
    lua_pop(L, 2); /* the message, too */
    free(hosted);
    return NULL;
}

const char *hosts_read(lua_State *L, struct home *home, int at, ouro_value *value)
{
    if (!home && !(home = home_of(L)))
        return "its state is closing";
    at = lua_absindex(L, at);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_object);
    lua_pushvalue(L, at);
    lua_rawget(L, -2);
    struct hosted *hosted = lua_touserdata(L, -1);
    lua_pop(L, 2);
    if (!hosted || !use(hosted))
        hosted = hosted_new(L, home, at);
    if (!hosted)
        return "out of memory";
    uint64_t handle = (uint64_t)(uintptr_t)hosted;
    if (ouro_host_new(class_of(lua_type(L, at)), handle, 0, value) == OURO_OK)
        return NULL;
    dispose(handle);
    return "out of memory";
}

/* ---- From values ---- */

bool hosts_push(lua_State *L, struct home *home, ouro_value value)
{
    const ouro_host_class *class = ouro_host_class_of(value);
    int64_t number;
    if (hosts_is_big_integer(value, &number) && ouro_lua_is_exact(number)) {
        ouro_lua_push_integer(L, number);
        return true;
    }
    struct hosted *hosted = of(ouro_host_handle(value));
    if (class < classes || class >= classes + CLASSES || hosted->home != (home ? home : home_of(L)))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &by_handle);
    lua_rawgetp(L, -1, hosted);
    lua_remove(L, -2);
    bool found = !lua_isnil(L, -1); /* else it is of a state that had this home before */
    if (!found)
        lua_pop(L, 1);
    return found;
}

void hosts_open(lua_State *L)
{
    ouro_lua_keep_function(L, enter);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &by_object);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &by_handle);
}
