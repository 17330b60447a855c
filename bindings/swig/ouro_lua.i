/* SPDX-License-Identifier: MIT
 *
 * Lua: typemaps. The conversions themselves, and what SWIG is not for, are in bindings/lua/src.
 *
 * Indexes: a parameter called index is one of Lua's, from 1 on; start and stop of slices are the library's, from 0 on, and nil is left out. */
%{
#include "bulk.h"
#include "elements.h"
#include "failures.h"
#include "inspect.h"
#include "values.h"
#include "weak.h"

/* What a function does last, with nothing borrowed in its hands. */
static inline void finish(lua_State *L)
{
    if (atomic_load_explicit(&home_notes_waiting, memory_order_relaxed)) {
        struct home *home = home_of(L);
        if (home)
            home_enter(L, home);
    }
}

/* For SWIG's messages: its own takes every userdata for one of SWIG's, and looks into it. */
#define SWIG_Lua_typename(L, at) luaL_typename(L, at)

/* metatable(kind): of that kind's handles */
static int metatable(lua_State *L)
{
    int64_t kind;
    luaL_argcheck(L, ouro_lua_whole(L, 1, &kind) && kind >= 0 && kind <= OURO_KIND_OBJECT, 1, "a kind is expected");
    values_push_metatable(L, (ouro_kind)kind);
    return 1;
}

/* An array of values made from a table's elements 1 .. n, where n is its field n, if it has one, or else its length. */
struct items {
    ouro_value *values;
    bool *made;
    size_t count;
};

static void items_drop(struct items *items)
{
    while (items->count--)
        if (items->made[items->count])
            ouro_value_release(items->values[items->count]);
    free(items->values);
    free(items->made);
}

/* What is wrong, or NULL. */
static const char *items_read(lua_State *L, int at, struct items *items)
{
    int64_t count;
    const char *wrong = NULL;
    if (!lua_istable(L, at))
        return "a table is expected";
    lua_pushliteral(L, "n");
    lua_rawget(L, at);
    if (!ouro_lua_whole(L, -1, &count) || count < 0)
        count = (int64_t)lua_rawlen(L, at);
    lua_pop(L, 1);
    if (count > INT_MAX)
        return "it is too long";
    items->values = calloc((size_t)count + 1, sizeof *items->values);
    items->made = calloc((size_t)count + 1, sizeof *items->made);
    if (!items->values || !items->made)
        return "out of memory";
    while (!wrong && items->count < (size_t)count) {
        lua_rawgeti(L, at, (int)items->count + 1);
        wrong = values_read(L, NULL, lua_gettop(L), &items->values[items->count], &items->made[items->count]);
        if (!wrong && handle_at(L, -1)) { /* the table may lose it before it is used */
            ouro_value_retain(items->values[items->count]);
            items->made[items->count] = true;
        }
        lua_pop(L, 1);
        items->count += !wrong;
    }
    return wrong;
}
%}

/* ---- Values ---- */

%typemap(in) ouro_value (bool made = false) {
    const char *wrong = values_read(L, NULL, $input, &$1, &made);
    if (wrong) {
        failure_argument(L, $input, "$symname", wrong);
        SWIG_fail;
    }
}
%typemap(freearg) ouro_value %{ if (made$argnum) ouro_value_release($1); %}
%typemap(out) ouro_value {
    if (ouro_is_nil($1)) {
        SWIG_arg = failure(L, OURO_E_NOMEM, "$symname", 0);
    } else {
        if (!values_try_push(L, NULL, $1))
            SWIG_fail;
        SWIG_arg++;
    }
}

%typemap(in, numinputs = 0) ouro_value *NEW (ouro_value made = OURO_NIL), ouro_value *OLD (ouro_value made = OURO_NIL) %{ $1 = &made; %}
%typemap(argout) ouro_value *NEW, ouro_value *OLD {
    ouro_value value = *$1;
    *$1 = OURO_NIL;
    if (result == OURO_OK) {
        if (!values_try_push(L, NULL, value))
            SWIG_fail;
        SWIG_arg++;
    }
}
%typemap(freearg) ouro_value *NEW, ouro_value *OLD %{ ouro_value_release(made$argnum); %}

%typemap(in, numinputs = 0) ouro_value *HANDLE (ouro_value made = OURO_NIL) %{ $1 = &made; %}
%typemap(argout) ouro_value *HANDLE {
    if (result == OURO_OK) {
        if (!values_try_push_handle(L, *$1))
            SWIG_fail;
        SWIG_arg++;
    }
}

%typemap(in) (const ouro_value *ITEMS, size_t COUNT) (struct items items = {0}) {
    const char *wrong = items_read(L, $input, &items);
    if (wrong) {
        failure_argument(L, $input, "$symname", wrong);
        SWIG_fail;
    }
    $1 = items.values;
    $2 = items.count;
}
%typemap(freearg) (const ouro_value *ITEMS, size_t COUNT) %{ items_drop(&items$argnum); %}

/* One table: the keys, then, from the middle on, the values. */
%typemap(in) (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT) (struct items items = {0}) {
    const char *wrong = items_read(L, $input, &items);
    if (wrong || items.count % 2) {
        failure_argument(L, $input, "$symname", wrong ? wrong : "as many values as keys are expected");
        SWIG_fail;
    }
    $1 = items.values;
    $2 = items.values + items.count / 2;
    $3 = items.count / 2;
}
%typemap(freearg) (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT) %{ items_drop(&items$argnum); %}

%typemap(in) (const char *BYTES, size_t SIZE) {
    if (lua_type(L, $input) != LUA_TSTRING) {
        failure_argument(L, $input, "$symname", "a string is expected");
        SWIG_fail;
    }
    $1 = ($1_ltype)lua_tolstring(L, $input, &$2);
}

/* ---- Statuses: nothing to say is true ---- */

%typemap(out) ouro_status {
    if ($1 != OURO_OK) {
        SWIG_arg = failure(L, $1, "$symname", lua_gettop(L));
        if (SWIG_arg < 0)
            SWIG_fail;
    }
}
%typemap(ret) ouro_status {
    if (!SWIG_arg) {
        lua_pushboolean(L, 1);
        SWIG_arg = 1;
    }
    finish(L);
}

/* ---- Numbers ---- */

%typemap(in) size_t {
    int64_t number;
    if (!ouro_lua_whole(L, $input, &number) || number < 0) {
        failure_argument(L, $input, "$symname", "an integer that is not negative is expected");
        SWIG_fail;
    }
    $1 = (size_t)number;
}
%typemap(in) int64_t {
    if (!ouro_lua_whole(L, $input, &$1)) {
        failure_argument(L, $input, "$symname", "an integer is expected");
        SWIG_fail;
    }
}
%typemap(in) int, unsigned {
    int64_t number;
    if (!ouro_lua_whole(L, $input, &number) || number < INT_MIN || number > INT_MAX) {
        failure_argument(L, $input, "$symname", "an integer is expected");
        SWIG_fail;
    }
    $1 = ($1_ltype)number;
}
%typemap(out) int64_t, uint64_t, size_t, long %{ ouro_lua_push_integer(L, (int64_t)$1); SWIG_arg++; %}

%typemap(in) ptrdiff_t index {
    int64_t number;
    if (!ouro_lua_whole(L, $input, &number) || !number) {
        failure_argument(L, $input, "$symname", "an index is expected: an integer, but not 0");
        SWIG_fail;
    }
    $1 = (ptrdiff_t)(number > 0 ? number - 1 : number);
}
%typemap(in) ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step {
    int64_t number = OURO_OMITTED;
    if (!lua_isnoneornil(L, $input) && !ouro_lua_whole(L, $input, &number)) {
        failure_argument(L, $input, "$symname", "an integer or nil is expected");
        SWIG_fail;
    }
    $1 = (ptrdiff_t)number;
}

%typemap(in, numinputs = 0) bool *OUT (bool made), int *OUT (int made), size_t *OUT (size_t made), int64_t *OUT (int64_t made), uint64_t *OUT (uint64_t made) %{ $1 = &made; %}
%typemap(argout) bool *OUT %{ if (result == OURO_OK) { lua_pushboolean(L, *$1); SWIG_arg++; } %}
%typemap(argout) int *OUT, size_t *OUT, int64_t *OUT, uint64_t *OUT %{ if (result == OURO_OK) { ouro_lua_push_integer(L, (int64_t)*$1); SWIG_arg++; } %}

%typemap(in) const size_t THREE[3] (size_t three[3]) {
    int i;
    $1 = three;
    for (i = 0; i < 3; i++) {
        int64_t number = -1;
        if (lua_istable(L, $input)) {
            lua_rawgeti(L, $input, i + 1);
            if (!ouro_lua_whole(L, -1, &number))
                number = -1;
            lua_pop(L, 1);
        }
        if (number < 0) {
            failure_argument(L, $input, "$symname", "a table of three integers, not negative, is expected");
            SWIG_fail;
        }
        $1[i] = (size_t)number;
    }
}
%typemap(in, numinputs = 0) size_t THREE[3] (size_t three[3]) %{ $1 = three; %}
%typemap(argout) size_t THREE[3] {
    int i;
    for (i = 0; i < 3; i++)
        ouro_lua_push_integer(L, (int64_t)$1[i]);
    SWIG_arg += 3;
}

/* ---- What is written by hand ---- */

%native(weak_ref) int weak_ref(lua_State *L);
%native(items) int bulk_items(lua_State *L);
%native(gc_objects) int inspect_objects(lua_State *L);
%native(gc_referents) int inspect_referents(lua_State *L);
%native(gc_referrers) int inspect_referrers(lua_State *L);
%native(gc_garbage) int inspect_garbage(lua_State *L);
%native(gc_stats) int inspect_gc_stats(lua_State *L);
%native(mem_stats) int inspect_mem_stats(lua_State *L);
%native(held) int inspect_held(lua_State *L);
%native(forget) int inspect_forget(lua_State *L);
%native(metatable) int metatable(lua_State *L);

%exception %{
    home_use_thread();
    $action
%}

%ignore ouro_weak_ref_new; /* weak_ref */

/* A string of Lua's would be converted anew wherever it is stored. */
%ignore ouro_intern;
%rename(intern) interned;
ouro_status interned(ouro_value string, ouro_value *HANDLE);
%{
static ouro_status interned(ouro_value string, ouro_value *made) { return ouro_intern(string, made); }
%}

%init %{
    if (!home_of(L)) { /* else it is loaded again */
        home_open(L);
        failures_open(L);
        bulk_open(L);
        values_open(L);
        elements_open(L);
        weak_open(L);
    }
%}
