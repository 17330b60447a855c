/* SPDX-License-Identifier: MIT
 *
 * Weak references in Lua, with functions that are told of a death, in the state that they belong to. */
#ifndef OURO_LUA_WEAK_H
#define OURO_LUA_WEAK_H

#include "values.h"

/* After elements_open. */
void weak_open(lua_State *L);

/* weak_ref(x [, fn]): a weak reference; fn(reference) is called once x has died, if the reference is still there. */
int weak_ref(lua_State *L);

#endif
