/* SPDX-License-Identifier: MIT
 *
 * Values in Lua: what becomes what, both ways.
 *
 *     nil, booleans, numbers     the same. Integers beyond 62 bits, and what Lua 5.1 has no exact number for, are kept as they are
 *     string                     a string if it is UTF-8, else bytes; and back
 *     a handle                   the value that it stands for: containers, iterators, weak references, ...; bytes that are UTF-8
 *     table, function, thread,   a host's object with the Lua object's handle (hosts.c); the same object comes back
 *     other userdata
 *
 * A handle is a userdata that holds one reference. While it is alive, the same container comes back as the same handle. */
#ifndef OURO_LUA_VALUES_H
#define OURO_LUA_VALUES_H

#include "home.h"

struct handle {
    const void *mark; /* says that the userdata is a handle */
    ouro_value value; /* held */
    bool closed;      /* the program may not use it any more */
};

/* Prepares the tables of the state. */
void values_open(lua_State *L);

/* The handle at a place of the stack, or NULL. */
struct handle *handle_at(lua_State *L, int at);

/* Pushes the metatable of a kind's handles. */
void values_push_metatable(lua_State *L, ouro_kind kind);

/* Pushes what a value is in Lua; the reference is taken over in any case. home may be NULL, here and below: then it is looked up, if it is needed. False:
 * Lua is out of memory, and its message has been pushed. */
bool values_try_push(lua_State *L, struct home *home, ouro_value value);
/* The same, but raises that error: for those who hold nothing. */
void values_push(lua_State *L, struct home *home, ouro_value value);
/* A handle, whatever the value is. */
bool values_try_push_handle(lua_State *L, ouro_value value);
void values_push_handle(lua_State *L, ouro_value value);
/* Fills in a userdata, which begins with a handle and is on top of the stack: it holds the value from now on. */
void values_adopt(lua_State *L, struct handle *handle, ouro_value value);

/* What is at a place of the stack as a value. *made: it is new, and the caller's; else borrowed from the handle. Returns NULL, or what is wrong, without a place (static text). Runs no function of the
 * program's but finalizers. */
const char *values_read(lua_State *L, struct home *home, int at, ouro_value *value, bool *made);

/* Lets go of what a handle holds, on behalf of the program; again has no effect. */
void handle_close(lua_State *L, struct home *home, struct handle *handle, int at);
/* The same when Lua frees it. */
void handle_let_go(struct handle *handle);

/* ---- hosts.c ---- */

void hosts_open(lua_State *L);
/* As values_read, of a table, function, thread or userdata. */
const char *hosts_read(lua_State *L, struct home *home, int at, ouro_value *value);
/* Pushes the Lua object that a host's object stands for, if it is one of this state's: true. */
bool hosts_push(lua_State *L, struct home *home, ouro_value value);
/* An integer of more than 62 bits. */
ouro_status hosts_big_integer(int64_t number, ouro_value *value);
bool hosts_is_big_integer(ouro_value value, int64_t *number);

#endif
