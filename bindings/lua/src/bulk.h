/* SPDX-License-Identifier: MIT
 *
 * Many values at once, as a table. */
#ifndef OURO_LUA_BULK_H
#define OURO_LUA_BULK_H

#include "values.h"

/* Prepares the tables of the state. */
void bulk_open(lua_State *L);

/* Pushes a table of the values. Takes over the references, and the memory, which is malloc's. */
int bulk_push(lua_State *L, ouro_value *values, size_t count);

/* items(list or tuple) -> a table of the elements at one moment, with their number in n */
int bulk_items(lua_State *L);

#endif
