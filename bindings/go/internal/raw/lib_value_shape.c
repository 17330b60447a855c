//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_shape.h"

#include <stdlib.h>

#include "lib_value_contents.h"

#define BUCKETS ((size_t)64)
#define ENTERED ((uint64_t)1 << 63)

static struct oi_table table;

static void dispose(ouro_object *o)
{
    oi_unique_leave(&table, (struct oi_unique *)o);
}

static ouro_type shape_type = OURO_TYPE(struct oi_shape, .name = "shape", .slots = OURO_SLOTS(struct oi_shape, name, fields),
                                        .array_bytes = offsetof(struct oi_shape, index), .flags = OI_TYPE_OWN | OURO_TYPE_ACYCLIC);

bool oi_shape_init(void)
{
    return oi_table_init(&table, BUCKETS) && oi_type_register_own(&shape_type, OI_OWN_SHAPE, dispose);
}

void oi_shape_maintain(void)
{
    oi_table_maintain(&table);
}

/* ---- Finding a field ---- */

/* Where a field is in the index, or would be: open addressing. */
static size_t place(const struct oi_shape *shape, const struct oi_tuple *fields, ouro_value field, bool interned)
{
    size_t mask = shape->unique.array.length / sizeof *shape->index - 1;
    size_t i = oi_string_hash(oi_string_of(field)) & mask;
    for (; shape->index[i]; i = (i + 1) & mask) {
        ouro_value there = fields->items[shape->index[i] - 1];
        if (there == field || (!interned && oi_string_equal(oi_string_of(there), oi_string_of(field))))
            break;
    }
    return i;
}

static bool find_linear(const struct oi_tuple *fields, ouro_value field, bool interned, size_t *index)
{
    for (*index = 0; *index < fields->array.length; ++*index)
        if (fields->items[*index] == field)
            return true;
    for (*index = 0; !interned && *index < fields->array.length; ++*index)
        if (oi_string_equal(oi_string_of(fields->items[*index]), oi_string_of(field)))
            return true;
    return false;
}

ouro_status oi_shape_find(const struct oi_shape *shape, ouro_value field, size_t *index)
{
    const struct oi_tuple *fields = oi_shape_fields(shape);
    *index = 0;
    if (oi_kind_of(field) != OURO_KIND_STRING)
        return OURO_E_TYPE;
    bool interned = oi_string_is_interned(oi_string_of(field)), found;
    if (fields->array.length <= OI_SHAPE_LINEAR) {
        found = find_linear(fields, field, interned, index);
    } else {
        size_t at = shape->index[place(shape, fields, field, interned)];
        found = at;
        *index = at - found;
    }
    if (!found)
        *index = 0;
    return found ? OURO_OK : OURO_E_KEY;
}

/* ---- Making ---- */

struct wanted {
    ouro_value name;
    ouro_value fields; /* a tuple, of our own */
    uint64_t hash;
};

static bool is_wanted(const struct oi_hash_node *node, const void *key)
{
    const struct wanted *wanted = key;
    const struct oi_shape *shape = (const struct oi_shape *)OI_UNIQUE_OF(node);
    const struct oi_tuple *a = oi_shape_fields(shape), *b = oi_tuple_of(wanted->fields);
    if (oi_load_relaxed(&shape->unique.word) != (wanted->hash | ENTERED) || oi_shape_name(shape) != wanted->name ||
        a->array.length != b->array.length)
        return false;
    for (size_t i = 0; i < b->array.length; i++)
        if (a->items[i] != b->items[i])
            return false;
    return true;
}

/* Interns the strings. Whatever it returns, release_strings. */
static ouro_status intern_strings(ouro_value name, const ouro_value *fields, size_t count, struct wanted *wanted)
{
    ouro_value *strings = calloc(count + !count, sizeof *strings);
    if (!strings)
        return OURO_E_NOMEM;
    ouro_status status = ouro_intern(name, &wanted->name);
    size_t n = 0;
    for (; n < count && status == OURO_OK; n++)
        status = ouro_intern(fields[n], &strings[n]);
    if (status == OURO_OK)
        status = ouro_tuple_new(strings, count, &wanted->fields);
    if (status == OURO_OK)
        status = ouro_hash(wanted->fields, &wanted->hash);
    if (status == OURO_OK)
        wanted->hash = oi_hash_mix(wanted->hash, oi_string_hash(oi_string_of(wanted->name)));
    ouro_value_release_all(strings, n);
    free(strings);
    return status;
}

static void release_strings(struct wanted *wanted)
{
    ouro_value_release(wanted->name);
    ouro_value_release(wanted->fields);
}

static size_t index_size(size_t fields)
{
    size_t size = 16;
    while (size < 2 * fields)
        size *= 2;
    return fields > OI_SHAPE_LINEAR ? size * sizeof(uint16_t) : 0;
}

/* False: a field comes twice. */
static bool make_index(struct oi_shape *shape)
{
    const struct oi_tuple *fields = oi_shape_fields(shape);
    size_t count = fields->array.length;
    for (size_t i = 0; i < count; i++) {
        if (count > OI_SHAPE_LINEAR) {
            size_t at = place(shape, fields, fields->items[i], true);
            if (shape->index[at])
                return false;
            shape->index[at] = (uint16_t)(i + 1);
        } else {
            for (size_t k = 0; k < i; k++)
                if (fields->items[k] == fields->items[i])
                    return false;
        }
    }
    return true;
}

static ouro_status make(const struct wanted *wanted, struct oi_shape **made)
{
    struct oi_shape *shape = ouro_new_array(&shape_type, index_size(oi_tuple_of(wanted->fields)->array.length));
    *made = shape;
    if (!shape)
        return OURO_E_NOMEM;
    ouro_status status = oi_fill(shape, &shape->name, &wanted->name, 1);
    if (status == OURO_OK)
        status = oi_fill(shape, &shape->fields, &wanted->fields, 1);
    if (status == OURO_OK && !make_index(shape))
        status = OURO_E_INVALID;
    if (status == OURO_OK)
        shape->unique.word = wanted->hash | ENTERED;
    else
        ouro_release(shape);
    return status;
}

ouro_status ouro_shape_new(ouro_value name, const ouro_value *fields, size_t count, ouro_value *shape)
{
    struct wanted wanted = {0};
    struct oi_shape *made = NULL;
    if (!shape)
        return OURO_E_INVALID;
    *shape = OURO_NIL;
    if ((!fields && count) || count > OURO_RECORD_FIELDS_MAX)
        return OURO_E_INVALID;
    ouro_status status = intern_strings(name, fields, count, &wanted);
    if (status == OURO_OK) {
        struct oi_unique *unique = oi_unique_find(&table, wanted.hash, is_wanted, &wanted);
        if (!unique && (status = make(&wanted, &made)) == OURO_OK)
            unique = oi_unique_enter(&table, wanted.hash, is_wanted, &wanted, &made->unique);
        *shape = ouro_value_of(unique);
    }
    release_strings(&wanted);
    return status;
}

/* ---- Asking ---- */

static bool is_shape(ouro_value value)
{
    return oi_kind_of(value) == OURO_KIND_SHAPE;
}

ouro_status ouro_shape_length(ouro_value shape, size_t *length)
{
    if (!length)
        return OURO_E_INVALID;
    *length = is_shape(shape) ? oi_shape_fields(oi_shape_of(shape))->array.length : 0;
    return is_shape(shape) ? OURO_OK : OURO_E_TYPE;
}

ouro_status ouro_shape_name(ouro_value shape, ouro_value *name)
{
    if (!name)
        return OURO_E_INVALID;
    *name = OURO_NIL;
    return is_shape(shape) ? oi_retain_into(oi_shape_name(oi_shape_of(shape)), name) : OURO_E_TYPE;
}

ouro_status ouro_shape_field(ouro_value shape, size_t index, ouro_value *field)
{
    if (!field)
        return OURO_E_INVALID;
    *field = OURO_NIL;
    if (!is_shape(shape))
        return OURO_E_TYPE;
    const struct oi_tuple *fields = oi_shape_fields(oi_shape_of(shape));
    return index < fields->array.length ? oi_retain_into(fields->items[index], field) : OURO_E_INDEX;
}

ouro_status ouro_shape_index(ouro_value shape, ouro_value field, size_t *index)
{
    if (!index)
        return OURO_E_INVALID;
    *index = 0;
    return is_shape(shape) ? oi_shape_find(oi_shape_of(shape), field, index) : OURO_E_TYPE;
}
