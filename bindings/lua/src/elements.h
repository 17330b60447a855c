/* SPDX-License-Identifier: MIT
 *
 * What is done most to containers, as metamethods: one C function each, without a way through Lua or SWIG. */
#ifndef OURO_LUA_ELEMENTS_H
#define OURO_LUA_ELEMENTS_H

#include "values.h"

/* Fills in the metatables of a state. */
void elements_open(lua_State *L);

#endif
