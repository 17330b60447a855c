//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib_value_contents.h"
#include "lib_value_string.h"

static ouro_type bytes_type =
    OURO_TYPE(struct oi_bytes, .name = "bytes", .array_bytes = offsetof(struct oi_bytes, bytes), .flags = OI_TYPE_OWN);

bool oi_bytes_init(void)
{
    return oi_type_register_own(&bytes_type, OI_OWN_BYTES, NULL);
}

static bool is_bytes(ouro_value value)
{
    return oi_kind_of(value) == OURO_KIND_BYTES;
}

/* bytes NULL: zeros. */
static ouro_status make(const void *bytes, size_t size, ouro_value *value)
{
    struct oi_bytes *made = ouro_new_array(&bytes_type, size);
    *value = ouro_value_of(made);
    if (!made)
        return OURO_E_NOMEM;
    if (bytes && size)
        memcpy(made->bytes, bytes, size);
    return OURO_OK;
}

ouro_status ouro_bytes_new(const void *bytes, size_t size, ouro_value *value)
{
    return value ? make(bytes, size, value) : OURO_E_INVALID;
}

const void *ouro_bytes_data(ouro_value bytes, size_t *size)
{
    bool is = is_bytes(bytes);
    if (size)
        *size = is ? oi_bytes_of(bytes)->array.length : 0;
    return is ? oi_bytes_of(bytes)->bytes : NULL;
}

static ouro_status length(ouro_value bytes, size_t *length)
{
    *length = oi_bytes_of(bytes)->array.length;
    return OURO_OK;
}

const struct oi_kind_ops oi_bytes_ops = {.length = length, .immutable = true};

ouro_status ouro_bytes_length(ouro_value bytes, size_t *out)
{
    if (!out)
        return OURO_E_INVALID;
    *out = 0;
    return is_bytes(bytes) ? length(bytes, out) : OURO_E_TYPE;
}

ouro_status ouro_bytes_concat(ouro_value a, ouro_value b, ouro_value *bytes)
{
    if (!bytes)
        return OURO_E_INVALID;
    *bytes = OURO_NIL;
    if (!is_bytes(a) || !is_bytes(b))
        return OURO_E_TYPE;
    const struct oi_bytes *x = oi_bytes_of(a), *y = oi_bytes_of(b);
    size_t first = x->array.length, second = y->array.length;
    if (!first || !second)
        return oi_retain_into(first ? a : b, bytes);
    ouro_status status = second <= SIZE_MAX - first ? make(NULL, first + second, bytes) : OURO_E_NOMEM;
    if (status != OURO_OK)
        return status;
    memcpy(oi_bytes_of(*bytes)->bytes, x->bytes, first);
    memcpy(oi_bytes_of(*bytes)->bytes + first, y->bytes, second);
    return OURO_OK;
}

ouro_status ouro_bytes_slice(ouro_value bytes, ptrdiff_t start, ptrdiff_t stop, ouro_value *slice)
{
    if (!slice)
        return OURO_E_INVALID;
    *slice = OURO_NIL;
    if (!is_bytes(bytes))
        return OURO_E_TYPE;
    size_t from, to;
    oi_cut(start, stop, oi_bytes_of(bytes)->array.length, &from, &to);
    if (to - from == oi_bytes_of(bytes)->array.length)
        return oi_retain_into(bytes, slice);
    return make(oi_bytes_of(bytes)->bytes + from, to - from, slice);
}
