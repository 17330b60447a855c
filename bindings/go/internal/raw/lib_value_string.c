//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_string.h"

#include <string.h>

#include "lib_value_contents.h"
#include "lib_value_utf8.h"

static ouro_type string_type =
    OURO_TYPE(struct oi_string, .name = "string", .array_bytes = offsetof(struct oi_string, bytes), .flags = OI_TYPE_OWN);

bool oi_string_init(void)
{
    return oi_type_register_own(&string_type, OI_OWN_STRING, NULL);
}

static bool is_string(ouro_value value)
{
    return oi_kind_of(value) == OURO_KIND_STRING;
}

/* Its bytes are to be filled in; they and the NUL are zero. */
static struct oi_string *allocate(size_t size, bool ascii)
{
    struct oi_string *string = size < SIZE_MAX ? ouro_new_array(&string_type, size + 1) : NULL;
    if (string)
        string->word = ascii ? OI_STRING_ASCII : 0;
    return string;
}

ouro_status oi_string_make(const char *bytes, size_t size, bool ascii, ouro_value *string)
{
    struct oi_string *made = allocate(size, ascii);
    *string = ouro_value_of(made);
    if (!made)
        return OURO_E_NOMEM;
    if (size)
        memcpy(made->bytes, bytes, size);
    return OURO_OK;
}

ouro_status ouro_string_new(const char *bytes, size_t size, ouro_value *string)
{
    bool ascii;
    if (!string)
        return OURO_E_INVALID;
    *string = OURO_NIL;
    if (!bytes && size)
        return OURO_E_INVALID;
    if (!oi_utf8_is_valid(bytes, size, &ascii))
        return OURO_E_ENCODING;
    return oi_string_make(bytes, size, ascii, string);
}

ouro_status ouro_string_from(const char *text, ouro_value *string)
{
    if (string)
        *string = OURO_NIL;
    return text ? ouro_string_new(text, strlen(text), string) : OURO_E_INVALID;
}

const char *ouro_string_data(ouro_value string, size_t *size)
{
    bool is = is_string(string);
    if (size)
        *size = is ? oi_string_size(oi_string_of(string)) : 0;
    return is ? oi_string_bytes(oi_string_of(string)) : NULL;
}

static size_t length_of(const struct oi_string *string)
{
    size_t size = oi_string_size(string);
    return oi_string_is_ascii(string) ? size : oi_utf8_count(oi_string_bytes(string), size);
}

static ouro_status length(ouro_value string, size_t *length)
{
    *length = length_of(oi_string_of(string));
    return OURO_OK;
}

const struct oi_kind_ops oi_string_ops = {.length = length, .immutable = true};

ouro_status ouro_string_length(ouro_value string, size_t *out)
{
    if (!out)
        return OURO_E_INVALID;
    *out = 0;
    return is_string(string) ? length(string, out) : OURO_E_TYPE;
}

ouro_status ouro_string_concat(ouro_value a, ouro_value b, ouro_value *string)
{
    if (!string)
        return OURO_E_INVALID;
    *string = OURO_NIL;
    if (!is_string(a) || !is_string(b))
        return OURO_E_TYPE;
    const struct oi_string *x = oi_string_of(a), *y = oi_string_of(b);
    size_t first = oi_string_size(x), second = oi_string_size(y);
    if (!first || !second)
        return oi_retain_into(first ? a : b, string);
    struct oi_string *made = second < SIZE_MAX - first ? allocate(first + second, oi_string_is_ascii(x) && oi_string_is_ascii(y)) : NULL;
    if (!made)
        return OURO_E_NOMEM;
    memcpy(made->bytes, oi_string_bytes(x), first);
    memcpy(made->bytes + first, oi_string_bytes(y), second);
    *string = ouro_value_of(made);
    return OURO_OK;
}

/* The offset of a code point. */
static size_t offset_of(const struct oi_string *string, size_t index)
{
    size_t size = oi_string_size(string);
    if (oi_string_is_ascii(string))
        return index < size ? index : size;
    return oi_utf8_offset(oi_string_bytes(string), size, index);
}

ouro_status ouro_string_slice(ouro_value string, ptrdiff_t start, ptrdiff_t stop, ouro_value *slice)
{
    if (!slice)
        return OURO_E_INVALID;
    *slice = OURO_NIL;
    if (!is_string(string))
        return OURO_E_TYPE;
    const struct oi_string *s = oi_string_of(string);
    size_t from, to, all = length_of(s);
    oi_cut(start, stop, all, &from, &to);
    if (from == 0 && to == all)
        return oi_retain_into(string, slice);
    size_t first = offset_of(s, from), past = offset_of(s, to);
    bool ascii = oi_string_is_ascii(s) || to - from == past - first;
    return oi_string_make(oi_string_bytes(s) + first, past - first, ascii, slice);
}

ouro_status ouro_string_find(ouro_value string, ouro_value part, ptrdiff_t start, size_t *at)
{
    if (!at)
        return OURO_E_INVALID;
    *at = 0;
    if (!is_string(string) || !is_string(part))
        return OURO_E_TYPE;
    const struct oi_string *s = oi_string_of(string), *p = oi_string_of(part);
    size_t from, to, all = length_of(s), size = oi_string_size(s);
    if (start > 0 && (size_t)start > all)
        return OURO_E_KEY;
    oi_cut(start, PTRDIFF_MAX, all, &from, &to);
    size_t first = offset_of(s, from);
    /* A well-formed part is found at the beginning of a code point only. */
    const char *bytes = oi_string_bytes(s);
    const char *found = memmem(bytes + first, size - first, oi_string_bytes(p), oi_string_size(p));
    if (!found)
        return OURO_E_KEY;
    size_t offset = (size_t)(found - bytes);
    *at = oi_string_is_ascii(s) ? offset : oi_utf8_count(bytes, offset);
    return OURO_OK;
}

/* ---- Hash, equality, order ---- */

uint64_t oi_string_hash(struct oi_string *string)
{
    uint64_t word = oi_load_relaxed(&string->word);
    if (OI_LIKELY(word & OI_STRING_HASHED))
        return word >> 2;
    uint64_t hash = oi_hash_bytes(oi_string_bytes(string), oi_string_size(string));
    oi_store_relaxed(&string->word, hash << 2 | OI_STRING_HASHED | (word & OI_STRING_ASCII));
    return hash;
}

/* Hashes that both know tell most that differ. */
static bool may_be_equal(uint64_t a, uint64_t b)
{
    return !(a & b & OI_STRING_HASHED) || (a ^ b) >> 2 == 0;
}

bool oi_string_equal(const struct oi_string *a, const struct oi_string *b)
{
    size_t size = oi_string_size(a);
    return a == b || (size == oi_string_size(b) && may_be_equal(oi_load_relaxed(&a->word), oi_load_relaxed(&b->word)) &&
                      memcmp(oi_string_bytes(a), oi_string_bytes(b), size) == 0);
}

static int compare(const void *a, size_t a_size, const void *b, size_t b_size)
{
    size_t common = a_size < b_size ? a_size : b_size;
    int order = memcmp(a, b, common);
    return order ? (order > 0) - (order < 0) : (a_size > b_size) - (a_size < b_size);
}

int oi_string_compare(const struct oi_string *a, const struct oi_string *b)
{
    return compare(oi_string_bytes(a), oi_string_size(a), oi_string_bytes(b), oi_string_size(b));
}

uint64_t oi_bytes_hash(struct oi_bytes *bytes)
{
    uint64_t word = oi_load_relaxed(&bytes->word);
    if (OI_LIKELY(word & OI_STRING_HASHED))
        return word >> 2;
    uint64_t hash = oi_hash_mix(oi_hash_bytes(bytes->bytes, bytes->array.length), 0x6279746573); /* "bytes": not the string's of the same bytes */
    oi_store_relaxed(&bytes->word, hash << 2 | OI_STRING_HASHED);
    return hash;
}

bool oi_bytes_equal(const struct oi_bytes *a, const struct oi_bytes *b)
{
    return a == b || (a->array.length == b->array.length && may_be_equal(oi_load_relaxed(&a->word), oi_load_relaxed(&b->word)) &&
                      memcmp(a->bytes, b->bytes, a->array.length) == 0);
}

int oi_bytes_compare(const struct oi_bytes *a, const struct oi_bytes *b)
{
    return compare(a->bytes, a->array.length, b->bytes, b->array.length);
}
