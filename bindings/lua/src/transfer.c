/* SPDX-License-Identifier: MIT
 *
 * The values under way are in a dict of the process: token -> value. It lives for ever. */
#include "transfer.h"

#include "failures.h"

static _Atomic(ouro_value) under_way;
static _Atomic(int64_t) last_token;

/* nil: out of memory. */
static ouro_value dict(void)
{
    /* Acquire: pairs with the exchange below. */
    ouro_value dict = atomic_load_explicit(&under_way, memory_order_acquire), none = OURO_NIL;
    if (!ouro_is_nil(dict))
        return dict;
    dict = ouro_dict_new();
    if (ouro_is_nil(dict))
        return dict;
    ouro_value_share(dict);
    if (!atomic_compare_exchange_strong_explicit(&under_way, &none, dict, memory_order_acq_rel, memory_order_acquire)) {
        ouro_value_release(dict);
        return none;
    }
    ouro_immortalize(ouro_value_object(dict)); /* no leak */
    return dict;
}

int transfer_export(lua_State *L)
{
    ouro_value value, to = dict();
    bool made;
    struct home *home = home_of(L);
    if (home)
        home_enter(L, home);
    luaL_checkany(L, 1);
    const char *wrong = values_read(L, home, 1, &value, &made);
    if (wrong)
        return luaL_argerror(L, 1, wrong);
    int64_t token = atomic_fetch_add_explicit(&last_token, 1, memory_order_relaxed) + 1;
    ouro_status status = ouro_is_nil(to) ? OURO_E_NOMEM : ouro_dict_set(to, ouro_int_new(token), value);
    if (made)
        ouro_value_release(value);
    if (status != OURO_OK)
        return failure(L, status, "export", 0);
    ouro_lua_push_integer(L, token);
    return 1;
}

int transfer_import(lua_State *L)
{
    ouro_value from = dict(), value = OURO_NIL;
    int64_t token = 0;
    struct home *home = home_of(L);
    if (home)
        home_enter(L, home);
    luaL_argcheck(L, ouro_lua_whole(L, 1, &token), 1, "a token is expected");
    ouro_value key = ouro_int_new(token);
    ouro_status status = ouro_is_nil(from) ? OURO_E_NOMEM : ouro_is_nil(key) ? OURO_E_KEY : ouro_dict_pop(from, key, &value);
    if (status != OURO_OK) {
        lua_pushnil(L);
        lua_pushstring(L, status == OURO_E_KEY ? "nothing waits for this token, or it has been imported" : ouro_status_message(status));
        ouro_lua_push_integer(L, status);
        return 3;
    }
    values_push(L, home, value);
    return 1;
}
