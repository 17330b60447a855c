/* SPDX-License-Identifier: MIT
 *
 * Looking into the heap and at its numbers, as tables. */
#ifndef OURO_LUA_INSPECT_H
#define OURO_LUA_INSPECT_H

#include "values.h"

/* Of a generation, or of all: a table of the objects. */
int inspect_objects(lua_State *L);
/* What an object refers to; who refers to it. */
int inspect_referents(lua_State *L);
int inspect_referrers(lua_State *L);
/* What SAVEALL has kept. */
int inspect_garbage(lua_State *L);

/* A table for each generation. */
int inspect_gc_stats(lua_State *L);
int inspect_mem_stats(lua_State *L);

/* How many objects of this state the library holds, once all notes are read. */
int inspect_held(lua_State *L);
/* Lets go of what is kept only to be quick. */
int inspect_forget(lua_State *L);

#endif
