/* SPDX-License-Identifier: MIT */
#include "value/match.h"

/* What can be compared by looking at it. */
static bool is_scalar(ouro_kind kind)
{
    return kind <= OURO_KIND_BYTES;
}

static enum oi_match match_scalars(ouro_value a, ouro_value b, ouro_status (*equal)(ouro_value, ouro_value, bool *))
{
    bool same = false;
    return equal(a, b, &same) != OURO_OK ? OI_ASK : same ? OI_EQUAL : OI_DIFFERENT;
}

enum oi_match oi_match_keys_slow(ouro_value a, ouro_value b)
{
    ouro_kind ka = ouro_kind_of(a), kb = ouro_kind_of(b);
    if (is_scalar(ka) && is_scalar(kb))
        return match_scalars(a, b, ouro_key_equal);
    /* All else but tuples and hosts' objects: by identity. */
    return ka == kb && (ka == OURO_KIND_TUPLE || ka == OURO_KIND_HOST) ? OI_ASK : OI_DIFFERENT;
}

enum oi_match oi_match_values_slow(ouro_value a, ouro_value b)
{
    ouro_kind ka = ouro_kind_of(a), kb = ouro_kind_of(b);
    if (is_scalar(ka) && is_scalar(kb))
        return match_scalars(a, b, ouro_equal);
    return ka == kb ? OI_ASK : OI_DIFFERENT;
}
