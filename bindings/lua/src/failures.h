/* SPDX-License-Identifier: MIT
 *
 * What went wrong, as Lua says it: misuse raises an error, failures that a program has to expect are nil, a message and a code. */
#ifndef OURO_LUA_FAILURES_H
#define OURO_LUA_FAILURES_H

#include "values.h"

/* Prepares the tables of the state. */
void failures_open(lua_State *L);

/* Neither this nor failure raises an error: their callers may have something to release. A status that is not OURO_OK, of the function called `name`, whose arguments are at 1 .. arguments. Pushes nil, message and code, and returns
 * 3; or pushes an error's message and returns -1: to be raised. */
int failure(lua_State *L, ouro_status status, const char *name, int arguments);

/* The same, where it can be raised at once. */
int failure_raise(lua_State *L, ouro_status status, const char *name, int arguments);

/* Pushes, to be raised, "bad argument #2 to 'insert' (why)", with the place that the call came from. */
void failure_argument(lua_State *L, int argument, const char *name, const char *why);

#endif
