/* SPDX-License-Identifier: MIT
 *
 * Each function has two upvalues: the home, and the methods of its kind. A key that is a method's name is the method; in a record, fields come
 * first. Indexes begin at 1; below 0 they count from the end; beyond the ends there is nil, as in a table. */
#include "elements.h"

#include <string.h>

#include "failures.h"

static struct home *enter(lua_State *L)
{
    struct home *home = lua_touserdata(L, lua_upvalueindex(1));
    home_use_thread();
    home_enter(L, home);
    return home;
}

/* The first argument, which must be a handle that is not closed. */
static ouro_value self(lua_State *L)
{
    struct handle *handle = handle_at(L, 1);
    if (OURO_UNLIKELY(!handle || handle->closed))
        luaL_argerror(L, 1, handle ? "it is closed" : "one of ouro's containers is expected");
    return handle->value;
}

/* An argument as a value; *made as of values_read. */
static ouro_value argument(lua_State *L, struct home *home, int at, bool *made)
{
    ouro_value value;
    const char *wrong = values_read(L, home, at, &value, made);
    if (OURO_UNLIKELY(wrong != NULL))
        luaL_argerror(L, at, wrong);
    return value;
}

static inline void done_with(ouro_value value, bool made)
{
    if (made)
        ouro_value_release(value);
}

struct two {
    ouro_value a, b;
    bool made_a, made_b;
};

/* The arguments at a place and behind it. */
static struct two arguments(lua_State *L, struct home *home, int at)
{
    struct two two;
    two.a = argument(L, home, at, &two.made_a);
    const char *wrong = values_read(L, home, at + 1, &two.b, &two.made_b);
    if (OURO_UNLIKELY(wrong != NULL)) {
        done_with(two.a, two.made_a);
        luaL_argerror(L, at + 1, wrong);
    }
    return two;
}

static inline void done_with_two(const struct two *two)
{
    done_with(two->a, two->made_a);
    done_with(two->b, two->made_b);
}

/* Pushes the method of the name at 2, or nil. */
static bool push_method(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    return !lua_isnil(L, -1);
}

/* Lua's index as the library's; false for 0. */
static inline bool position(lua_State *L, int at, ptrdiff_t *index)
{
    int64_t number;
    if (!ouro_lua_whole(L, at, &number) || !number)
        return false;
    *index = (ptrdiff_t)(number > 0 ? number - 1 : number);
    return true;
}

/* What reading by an index or key gives: nil if there is none. */
static int give(lua_State *L, struct home *home, ouro_status status, ouro_value value, const char *name)
{
    if (OURO_LIKELY(status == OURO_OK))
        values_push(L, home, value);
    else if (status == OURO_E_INDEX || status == OURO_E_KEY)
        lua_pushnil(L);
    else
        return failure_raise(L, status, name, 2);
    return 1;
}

/* ---- Lists and tuples ---- */

static int list_index(lua_State *L)
{
    struct home *home = enter(L);
    ptrdiff_t index;
    if (OURO_UNLIKELY(!position(L, 2, &index))) {
        push_method(L);
        return 1;
    }
    ouro_value list = self(L), value = OURO_NIL;
    ouro_status status = ouro_list_get(list, index, &value);
    return give(L, home, status, value, "list_get");
}

static int tuple_index(lua_State *L)
{
    struct home *home = enter(L);
    ptrdiff_t index;
    if (OURO_UNLIKELY(!position(L, 2, &index))) {
        push_method(L);
        return 1;
    }
    ouro_value tuple = self(L), value = OURO_NIL;
    ouro_status status = ouro_tuple_get(tuple, index, &value);
    return give(L, home, status, value, "tuple_get");
}

/* True if the index is the one behind the last element. */
static bool is_behind(ouro_value list, ptrdiff_t index)
{
    size_t length;
    return ouro_list_length(list, &length) == OURO_OK && index == (ptrdiff_t)length;
}

static int list_newindex(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value list = self(L);
    ptrdiff_t index;
    bool made;
    if (!position(L, 2, &index))
        return luaL_argerror(L, 2, "an index is expected");
    ouro_value item = argument(L, home, 3, &made);
    ouro_status status = ouro_list_set(list, index, item);
    if (status == OURO_E_INDEX && is_behind(list, index))
        status = ouro_list_append(list, item);
    done_with(item, made);
    return status == OURO_OK ? 0 : failure_raise(L, status, "list_set", 3);
}

/* list, position of the last -> position, element */
static int next_element(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value sequence = self(L), value = OURO_NIL;
    lua_Integer last = lua_tointeger(L, 2);
    if (last < 0)
        return luaL_argerror(L, 2, "a position is expected");
    ouro_status status = ouro_kind_of(sequence) == OURO_KIND_TUPLE ? ouro_tuple_get(sequence, (ptrdiff_t)last, &value)
                                                                   : ouro_list_get(sequence, (ptrdiff_t)last, &value);
    if (status != OURO_OK)
        return give(L, home, status, value, "list_get");
    ouro_lua_push_integer(L, (int64_t)last + 1);
    values_push(L, home, value);
    return 2;
}

/* The three values of a generic for; upvalue 2 is next_element. */
static int sequence_pairs(lua_State *L)
{
    self(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* ---- Dicts, weak maps, sets ---- */

static int dict_index(lua_State *L)
{
    struct home *home = enter(L);
    bool made;
    if (lua_type(L, 2) == LUA_TSTRING && push_method(L))
        return 1;
    ouro_value dict = self(L), value = OURO_NIL;
    ouro_value key = argument(L, home, 2, &made);
    ouro_status status = ouro_kind_of(dict) == OURO_KIND_DICT ? ouro_dict_get(dict, key, &value) : ouro_weak_map_get(dict, key, &value);
    done_with(key, made);
    return give(L, home, status, value, "dict_get");
}

static ouro_status dict_store(ouro_value dict, ouro_value key, ouro_value value, bool deletes)
{
    bool is_dict = ouro_kind_of(dict) == OURO_KIND_DICT;
    if (!deletes)
        return is_dict ? ouro_dict_set(dict, key, value) : ouro_weak_map_set(dict, key, value);
    ouro_status status = is_dict ? ouro_dict_delete(dict, key) : ouro_weak_map_delete(dict, key);
    return status == OURO_E_KEY ? OURO_OK : status;
}

/* As with tables, nil takes the key out. */
static int dict_newindex(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value dict = self(L);
    struct two two = arguments(L, home, 2);
    ouro_status status = dict_store(dict, two.a, two.b, lua_isnil(L, 3));
    done_with_two(&two);
    return status == OURO_OK ? 0 : failure_raise(L, status, "dict_set", 3);
}

static int set_index(lua_State *L)
{
    struct home *home = enter(L);
    bool made, has = false;
    if (lua_type(L, 2) == LUA_TSTRING && push_method(L))
        return 1;
    ouro_value set = self(L);
    ouro_value item = argument(L, home, 2, &made);
    ouro_status status = ouro_kind_of(set) == OURO_KIND_SET ? ouro_set_has(set, item, &has) : ouro_weak_set_has(set, item, &has);
    done_with(item, made);
    if (status != OURO_OK)
        return failure_raise(L, status, "set_has", 2);
    if (!has)
        lua_pushnil(L);
    else
        lua_pushboolean(L, 1);
    return 1;
}

/* true puts the element in; nil and false take it out. */
static int set_newindex(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value set = self(L);
    bool made, puts = lua_toboolean(L, 3), weak = ouro_kind_of(set) == OURO_KIND_WEAK_SET, was;
    if (lua_type(L, 3) != LUA_TNIL && lua_type(L, 3) != LUA_TBOOLEAN)
        return luaL_argerror(L, 3, "true, false or nil is expected");
    ouro_value item = argument(L, home, 2, &made);
    ouro_status status = puts ? (weak ? ouro_weak_set_add(set, item, &was) : ouro_set_add(set, item, &was))
                              : (weak ? ouro_weak_set_discard(set, item, &was) : ouro_set_discard(set, item, &was));
    done_with(item, made);
    return status == OURO_OK ? 0 : failure_raise(L, status, puts ? "set_add" : "set_discard", 3);
}

/* ---- Records ---- */

static int record_index(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value record = self(L), value = OURO_NIL;
    bool made;
    ouro_value field = argument(L, home, 2, &made);
    ouro_status status = ouro_record_get(record, field, &value);
    done_with(field, made);
    if (status == OURO_E_KEY && push_method(L))
        return 1;
    return give(L, home, status, value, "record_get");
}

static int record_newindex(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value record = self(L);
    struct two two = arguments(L, home, 2);
    ouro_status status = ouro_record_set(record, two.a, two.b);
    done_with_two(&two);
    return status == OURO_OK ? 0 : failure_raise(L, status, "record_set", 3);
}

/* ---- Iterators ---- */

/* The next value, or nil: what a generic for calls. */
static int iterator_call(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value value = OURO_NIL;
    ouro_status status = ouro_iterator_next(self(L), &value);
    if (status == OURO_OK)
        values_push(L, home, value);
    else if (status == OURO_E_END)
        lua_pushnil(L);
    else
        return failure_raise(L, status, "iterator_next", 1);
    return 1;
}

/* The next key and value, or nil. */
static int next_pair(lua_State *L)
{
    struct home *home = enter(L);
    ouro_value key = OURO_NIL, value = OURO_NIL;
    ouro_status status = ouro_iterator_next_pair(self(L), &key, &value);
    if (status == OURO_E_END) {
        lua_pushnil(L);
        return 1;
    }
    if (status != OURO_OK)
        return failure_raise(L, status, "iterator_next", 1);
    if (OURO_UNLIKELY(!values_try_push(L, home, key))) {
        ouro_value_release(value);
        return lua_error(L);
    }
    values_push(L, home, value);
    return 2;
}

/* Upvalue 2 is next_pair. */
static int dict_pairs(lua_State *L)
{
    ouro_value iterator;
    enter(L);
    ouro_status status = ouro_iterate_part(self(L), OURO_ITEMS, &iterator);
    if (status != OURO_OK)
        return failure_raise(L, status, "pairs", 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    values_push_handle(L, iterator);
    return 2;
}

/* The next element, and true. */
static int next_member(lua_State *L)
{
    int results = iterator_call(L);
    if (lua_isnil(L, -1))
        return results;
    lua_pushboolean(L, 1);
    return 2;
}

/* Upvalue 2 is next_member. */
static int set_pairs(lua_State *L)
{
    ouro_value iterator;
    enter(L);
    ouro_status status = ouro_iterate(self(L), &iterator);
    if (status != OURO_OK)
        return failure_raise(L, status, "pairs", 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    values_push_handle(L, iterator);
    return 2;
}

/* ---- All handles ---- */

/* Lua calls it with a second argument, too. */
static int length(lua_State *L)
{
    size_t number;
    enter(L);
    ouro_status status = ouro_length(self(L), &number);
    if (status != OURO_OK)
        return failure_raise(L, status, "length", 1);
    ouro_lua_push_integer(L, (int64_t)number);
    return 1;
}

static int close_handle(lua_State *L)
{
    struct home *home = enter(L);
    struct handle *handle = handle_at(L, 1);
    luaL_argcheck(L, handle, 1, "one of ouro's containers is expected");
    handle_close(L, home, handle, 1);
    return 0;
}

static int text(lua_State *L)
{
    struct home *home = enter(L);
    struct handle *handle = handle_at(L, 1);
    ouro_value shown;
    luaL_argcheck(L, handle, 1, "one of ouro's containers is expected");
    if (handle->closed) {
        lua_pushliteral(L, "closed");
        return 1;
    }
    if (ouro_kind_of(handle->value) == OURO_KIND_STRING) {
        values_push(L, home, ouro_value_retain(handle->value));
        return 1;
    }
    ouro_status status = ouro_repr(handle->value, &shown);
    if (status != OURO_OK)
        return failure_raise(L, status, "tostring", 1);
    values_push(L, home, shown);
    return 1;
}

static int equals(lua_State *L)
{
    struct home *home = enter(L);
    bool equal = false;
    struct two two = arguments(L, home, 1);
    ouro_status status = ouro_equal(two.a, two.b, &equal);
    done_with_two(&two);
    if (status != OURO_OK)
        return failure_raise(L, status, "equal", 2);
    lua_pushboolean(L, equal);
    return 1;
}

/* Order of the two arguments; NaN: none. */
static int order(lua_State *L)
{
    struct home *home = enter(L);
    int order = OURO_UNORDERED;
    struct two two = arguments(L, home, 1);
    ouro_status status = ouro_compare(two.a, two.b, &order);
    done_with_two(&two);
    return status == OURO_OK ? order : failure_raise(L, status, "compare", 2);
}

static int less(lua_State *L)
{
    int which = order(L);
    lua_pushboolean(L, which < 0);
    return 1;
}

static int less_or_equal(lua_State *L)
{
    int which = order(L);
    lua_pushboolean(L, which <= 0);
    return 1;
}

/* ---- Metatables ---- */

/* t[name] = function with the home and what is on top of the stack, which is taken off; the table is below that. */
static void set_function(lua_State *L, struct home *home, const char *name, lua_CFunction function)
{
    lua_pushlightuserdata(L, home);
    lua_insert(L, -2);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

static void set_plain(lua_State *L, struct home *home, const char *name, lua_CFunction function)
{
    lua_pushnil(L);
    set_function(L, home, name, function);
}

struct metamethods {
    ouro_kind kind;
    lua_CFunction index, newindex, pairs, next;
};

static const struct metamethods all[] = {
    {OURO_KIND_LIST, list_index, list_newindex, sequence_pairs, next_element},
    {OURO_KIND_TUPLE, tuple_index, NULL, sequence_pairs, next_element},
    {OURO_KIND_DICT, dict_index, dict_newindex, dict_pairs, next_pair},
    {OURO_KIND_SET, set_index, set_newindex, set_pairs, next_member},
    {OURO_KIND_RECORD, record_index, record_newindex, NULL, NULL},
    {OURO_KIND_WEAK_MAP, dict_index, dict_newindex, dict_pairs, next_pair},
    {OURO_KIND_WEAK_SET, set_index, set_newindex, set_pairs, next_member},
};

/* The metatable is on top of the stack. */
static void fill_common(lua_State *L, struct home *home)
{
    lua_newtable(L); /* the methods; ouro.lua adds to them */
    set_plain(L, home, "close", close_handle);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    lua_setfield(L, -2, "__index");
    set_plain(L, home, "__close", close_handle);
    set_plain(L, home, "__tostring", text);
    set_plain(L, home, "__len", length);
}

static void fill(lua_State *L, struct home *home, const struct metamethods *kind)
{
    lua_getfield(L, -1, "methods");
    set_function(L, home, "__index", kind->index);
    if (kind->newindex)
        set_plain(L, home, "__newindex", kind->newindex);
    if (!kind->pairs)
        return;
    lua_pushlightuserdata(L, home);
    lua_pushnil(L);
    lua_pushcclosure(L, kind->next, 2);
    set_function(L, home, "__pairs", kind->pairs);
}

void elements_open(lua_State *L)
{
    struct home *home = home_of(L);
    for (int kind = 0; kind <= OURO_KIND_OBJECT; kind++) {
        values_push_metatable(L, (ouro_kind)kind);
        fill_common(L, home);
        lua_pop(L, 1);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        values_push_metatable(L, all[i].kind);
        fill(L, home, &all[i]);
        lua_pop(L, 1);
    }
    values_push_metatable(L, OURO_KIND_ITERATOR);
    set_plain(L, home, "__call", iterator_call);
    lua_pop(L, 1);
    /* Lua 5.1 compares only values that have one and the same metamethod: they are shared by all kinds. */
    lua_newtable(L);
    set_plain(L, home, "__eq", equals);
    set_plain(L, home, "__lt", less);
    set_plain(L, home, "__le", less_or_equal);
    for (int kind = 0; kind <= OURO_KIND_OBJECT; kind++) {
        values_push_metatable(L, (ouro_kind)kind);
        static const char *const shared[] = {"__eq", "__lt", "__le"};
        for (int i = 0; i < 3; i++) {
            lua_getfield(L, -2, shared[i]);
            lua_setfield(L, -2, shared[i]);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
