/* SPDX-License-Identifier: MIT
 *
 * Values on their way from one lua_State to another: in between, each is a number. */
#ifndef OURO_LUA_TRANSFER_H
#define OURO_LUA_TRANSFER_H

#include "values.h"

/* export(x) -> token: the value is held until the token is imported, which can be done once, by any state. */
int transfer_export(lua_State *L);
/* import(token) -> the value; nil, message, code if there is no such token. */
int transfer_import(lua_State *L);

#endif
