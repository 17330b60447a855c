//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Values under way are in a dict of the process: token -> value. The first export makes it. */
#include "lib_value_token.h"

#include "ouro_token.h"

#include "lib_port_atomic.h"

static ouro_value under_way; /* atomic; a shared dict, or nil */
static int64_t last;         /* atomic; token */

/* Borrowed; nil: out of memory. */
static ouro_value dict(void)
{
    ouro_value dict = oi_load_acquire(&under_way), none = OURO_NIL; /* [MO-token] */
    if (!ouro_is_nil(dict))
        return dict;
    dict = ouro_dict_new();
    if (ouro_is_nil(dict))
        return dict;
    ouro_value_share(dict);
    if (oi_cas_acqrel(&under_way, &none, dict)) /* [MO-token] */
        return dict;
    ouro_value_release(dict);
    return none;
}

ouro_status ouro_export(ouro_value value, int64_t *token)
{
    if (!token)
        return OURO_E_INVALID;
    *token = 0;
    ouro_value to = dict();
    if (ouro_is_nil(to))
        return OURO_E_NOMEM;
    int64_t number = oi_fetch_add_relaxed(&last, 1) + 1;
    ouro_status status = ouro_dict_set(to, ouro_int_new(number), value);
    if (status == OURO_OK)
        *token = number;
    return status;
}

ouro_status ouro_import(int64_t token, ouro_value *value)
{
    if (!value)
        return OURO_E_INVALID;
    *value = OURO_NIL;
    ouro_value from = oi_load_acquire(&under_way), key = ouro_int_new(token); /* [MO-token] */
    if (ouro_is_nil(from) || ouro_is_nil(key))
        return OURO_E_KEY;
    return ouro_dict_pop(from, key, value);
}

void oi_token_close(void)
{
    size_t waiting = 0;
    ouro_value dict = oi_load_acquire(&under_way); /* [MO-token] */
    if (ouro_dict_length(dict, &waiting) != OURO_OK || waiting)
        return;
    if (oi_cas_acqrel(&under_way, &dict, OURO_NIL))
        ouro_value_release(dict);
}
