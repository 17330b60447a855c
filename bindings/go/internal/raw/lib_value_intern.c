//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Interned strings: unique objects (value/unique.h). */
#include <string.h>

#include "lib_value_string.h"
#include "lib_value_unique.h"
#include "lib_value_utf8.h"

#define BUCKETS ((size_t)1024)

static struct oi_table table;

static void dispose(ouro_object *o)
{
    oi_unique_leave(&table, (struct oi_unique *)o);
}

static ouro_type interned_type =
    OURO_TYPE(struct oi_interned, .name = "string", .array_bytes = offsetof(struct oi_interned, bytes), .flags = OI_TYPE_OWN);

bool oi_intern_init(void)
{
    return oi_table_init(&table, BUCKETS) && oi_type_register_own(&interned_type, OI_OWN_INTERNED, dispose);
}

void oi_intern_maintain(void)
{
    oi_table_maintain(&table);
}

struct wanted {
    const char *bytes;
    size_t size;
    uint64_t hash;
    bool ascii;
};

static bool is_wanted(const struct oi_hash_node *node, const void *key)
{
    const struct wanted *wanted = key;
    const struct oi_interned *string = (const struct oi_interned *)OI_UNIQUE_OF(node);
    return string->unique.array.length == wanted->size + 1 && oi_load_relaxed(&string->unique.word) >> 2 == wanted->hash &&
           memcmp(string->bytes, wanted->bytes, wanted->size) == 0;
}

static struct oi_unique *make(const struct wanted *wanted)
{
    struct oi_interned *string = wanted->size < SIZE_MAX ? ouro_new_array(&interned_type, wanted->size + 1) : NULL;
    if (!string)
        return NULL;
    string->unique.word = wanted->hash << 2 | OI_STRING_HASHED | (wanted->ascii ? OI_STRING_ASCII : 0);
    if (wanted->size)
        memcpy(string->bytes, wanted->bytes, wanted->size);
    return &string->unique;
}

static ouro_status intern(const struct wanted *wanted, ouro_value *interned)
{
    struct oi_unique *string = oi_unique_find(&table, wanted->hash, is_wanted, wanted);
    if (!string && (string = make(wanted)))
        string = oi_unique_enter(&table, wanted->hash, is_wanted, wanted, string);
    *interned = ouro_value_of(string);
    return string ? OURO_OK : OURO_E_NOMEM;
}

ouro_status ouro_intern(ouro_value string, ouro_value *interned)
{
    if (!interned)
        return OURO_E_INVALID;
    *interned = OURO_NIL;
    if (oi_kind_of(string) != OURO_KIND_STRING)
        return OURO_E_TYPE;
    struct oi_string *s = oi_string_of(string);
    if (oi_string_is_interned(s))
        return oi_retain_into(string, interned);
    struct wanted wanted = {s->bytes, oi_string_size(s), oi_string_hash(s), oi_string_is_ascii(s)};
    return intern(&wanted, interned);
}

ouro_status ouro_intern_bytes(const char *bytes, size_t size, ouro_value *interned)
{
    struct wanted wanted = {bytes ? bytes : "", size, 0, false};
    if (!interned)
        return OURO_E_INVALID;
    *interned = OURO_NIL;
    if (!bytes && size)
        return OURO_E_INVALID;
    if (!oi_utf8_is_valid(wanted.bytes, size, &wanted.ascii))
        return OURO_E_ENCODING;
    if (!oi_hold_slot(&oi_act)) /* starts the runtime, and the table */
        return OURO_E_NOMEM;
    wanted.hash = oi_hash_bytes(wanted.bytes, size);
    return intern(&wanted, interned);
}

bool ouro_is_interned(ouro_value value)
{
    return oi_id_of(value) == OI_OWN_INTERNED;
}
