/* SPDX-License-Identifier: MIT
 *
 * Strings: UTF-8 and a NUL behind it, with the hash and whether all is ASCII in one word. Bytes are the same without either.
 *
 *     16 header │ 8 length │ 8 word │ bytes, NUL               a string
 *     16 header │ 8 length │ 8 word │ 16 node │ bytes, NUL     an interned one */
#pragma once

#include "lib_value_hash.h"
#include "lib_value_unique.h"

#define OI_STRING_ASCII 1u  /* from birth */
#define OI_STRING_HASHED 2u /* the hash is in the upper 62 bits */

struct oi_string {
    ouro_array array; /* length: bytes and the NUL */
    uint64_t word;    /* atomic, relaxed: whoever computes the hash computes the same */
    char bytes[];     /* immutable */
};

struct oi_interned {
    struct oi_unique unique; /* its word as of other strings: OI_STRING_HASHED from birth */
    char bytes[];
};
_Static_assert(offsetof(struct oi_unique, word) == offsetof(struct oi_string, word), "interned strings are strings");

struct oi_bytes {
    ouro_array array;
    uint64_t word; /* as of strings; OI_STRING_ASCII is not used */
    unsigned char bytes[];
};

static inline struct oi_string *oi_string_of(ouro_value value)
{
    return oi_word(value);
}

static inline struct oi_bytes *oi_bytes_of(ouro_value value)
{
    return oi_word(value);
}

static inline size_t oi_string_size(const struct oi_string *string)
{
    return string->array.length - 1;
}

static inline bool oi_string_is_interned(const struct oi_string *string)
{
    return OI_TYPE_ID(oi_type_word(&string->array.object)) == OI_OWN_INTERNED;
}

static inline const char *oi_string_bytes(const struct oi_string *string)
{
    return string->bytes + (oi_string_is_interned(string) ? offsetof(struct oi_interned, bytes) - offsetof(struct oi_string, bytes) : 0);
}

static inline bool oi_string_is_ascii(const struct oi_string *string)
{
    return oi_load_relaxed(&string->word) & OI_STRING_ASCII;
}

/* Computed at the first time. */
uint64_t oi_string_hash(struct oi_string *string);
uint64_t oi_bytes_hash(struct oi_bytes *bytes);

bool oi_string_equal(const struct oi_string *a, const struct oi_string *b);
bool oi_bytes_equal(const struct oi_bytes *a, const struct oi_bytes *b);

/* Negative, 0, positive. Of UTF-8, the order of bytes is the order of code points. */
int oi_string_compare(const struct oi_string *a, const struct oi_string *b);
int oi_bytes_compare(const struct oi_bytes *a, const struct oi_bytes *b);

/* A string of bytes that are known to be well-formed. */
ouro_status oi_string_make(const char *bytes, size_t size, bool ascii, ouro_value *string);

bool oi_string_init(void);
bool oi_bytes_init(void);

/* ---- Interned strings (intern.c) ---- */

bool oi_intern_init(void);
void oi_intern_maintain(void);
