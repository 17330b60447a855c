//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_type.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib_mem_watch.h"
#include "lib_object_act.h"
#include "lib_object_misuse.h"

struct oi_type *oi_types[1u << OI_TYPE_ID_BITS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the type lock: docs/design/lock-order.md */
static uint32_t last_id = OI_OWN_TYPES - 1;              /* under the lock */

#define ALIGN_MAX 64
#define BODY_UNITS_MAX ((OI_PAGE_ONE_UNIT_MAX - sizeof(ouro_object)) / 8) /* oi_object_page goes by it */
_Static_assert(BODY_UNITS_MAX < 1u << (32 - OI_UNITS_SHIFT), "the type word has room for it");

static size_t field_offset(uint32_t field)
{
    return (size_t)(field & 0xffff) * sizeof(ouro_slot);
}

static size_t field_slots(uint32_t field)
{
    return field >> 16;
}

static size_t field_end(uint32_t field)
{
    return field_offset(field) + field_slots(field) * sizeof(ouro_slot);
}

/* Its reference would be counted twice. */
static bool is_named_before(const ouro_type *d, unsigned i)
{
    for (unsigned k = 0; k < i; k++) {
        if (field_offset(d->slots[i]) < field_end(d->slots[k]) && field_offset(d->slots[k]) < field_end(d->slots[i]))
            return true;
    }
    return false;
}

/* What is wrong with a descriptor, or NULL. */
static const char *fault(const ouro_type *d)
{
    size_t tail = d->array_slots ? d->array_slots : d->array_bytes;
    if (d->size < sizeof(ouro_object) || d->size > UINT32_MAX - ALIGN_MAX)
        return "the type's size is not that of a struct that begins with an ouro_object";
    if (!d->align || d->align > ALIGN_MAX || (d->align & (d->align - 1)))
        return "the type's alignment is not a power of two of at most 64";
    for (unsigned i = 0; d->slots[i]; i++) {
        if (i == OURO_TYPE_FIELDS_MAX)
            return "the type has more than 32 slot members";
        if (field_offset(d->slots[i]) < sizeof(ouro_object) || field_end(d->slots[i]) > d->size)
            return "a slot of the type lies outside the struct";
    }
    if ((d->array_slots && d->array_slots < sizeof(ouro_array)) || (d->array_bytes && d->array_bytes < sizeof(ouro_array)) ||
        d->array_slots % sizeof(ouro_slot) || (d->array_slots && d->array_bytes) || d->array_slots > UINT32_MAX ||
        d->array_bytes > UINT32_MAX)
        return "an array type begins with an ouro_array and has one tail behind it";
    for (unsigned i = 0; d->slots[i]; i++) {
        if (is_named_before(d, i))
            return "a slot of the type is named twice";
        if (tail && field_end(d->slots[i]) > tail)
            return "a slot of the type lies in its tail";
    }
    if ((d->flags & OURO_TYPE_LEAF) && (d->slots[0] || d->array_slots))
        return "a leaf type has slots";
    if (d->flags & ~(OURO_TYPE_ACYCLIC | OURO_TYPE_LEAF))
        return "the type has unknown flags";
    return NULL;
}

/* By offset. Returns how many there are. */
static unsigned sort_fields(const ouro_type *d, uint32_t *fields)
{
    unsigned n = 0;
    for (; d->slots[n]; n++) {
        unsigned at = n;
        for (; at && field_offset(fields[at - 1]) > field_offset(d->slots[n]); at--)
            fields[at] = fields[at - 1];
        fields[at] = d->slots[n];
    }
    return n;
}

/* Neighbouring fields become one run, in whatever order they are named. */
static uint32_t make_runs(const ouro_type *d, struct oi_slot_run *runs)
{
    uint32_t fields[OURO_TYPE_FIELDS_MAX], n = 0;
    unsigned count = sort_fields(d, fields);
    for (unsigned i = 0; i < count; i++) {
        uint32_t first = fields[i] & 0xffff, slots = (uint32_t)field_slots(fields[i]);
        if (n && runs[n - 1].first + runs[n - 1].count == first)
            runs[n - 1].count += slots;
        else
            runs[n++] = (struct oi_slot_run){first, slots};
    }
    return n;
}

/* What the type word of a simple type whose objects have a size in it says of them. */
static uint32_t kind_bits(const struct oi_type *type, size_t units)
{
    if (type->leaf)
        return OI_SMALL_LEAF;
    if (type->bare.first != sizeof(ouro_object) / 8 || type->bare.count != 2)
        return 0;
    return units == 2 ? OI_PAIR | OI_ONLY_PAIR : OI_PAIR;
}

static struct oi_type *build(const ouro_type *d, void (*dispose)(ouro_object *), uint32_t id)
{
    struct oi_slot_run runs[OURO_TYPE_FIELDS_MAX];
    uint32_t n = make_runs(d, runs);
    struct oi_type *type = malloc(sizeof *type + (n + 1) * sizeof *runs);
    if (!type)
        return NULL;
    *type = (struct oi_type){
        .finalize = d->finalize,
        .dispose = dispose,
        .size = (uint32_t)oi_round_up(d->size, d->align < 8 ? 8 : d->align),
        .align = (uint32_t)d->align,
        .slots_at = (uint32_t)d->array_slots,
        .bytes_at = (uint32_t)d->array_bytes,
        .leaf = !n && !d->array_slots,
        .inner = d->flags & OI_TYPE_INNER,
        .special = d->finalize || dispose,
        .one_run = n <= 1 && !d->array_slots,
        .simple = !d->finalize && !dispose && n <= 1 && !d->array_slots,
        .run_count = n,
        .descriptor = d,
    };
    type->runs[0] = (struct oi_slot_run){0};
    for (uint32_t i = 0; i < n; i++)
        type->runs[i] = runs[i];
    type->bare = type->simple ? type->runs[0] : (struct oi_slot_run){.first = 0, .count = 1};
    size_t units = (type->size - sizeof(ouro_object)) / 8;
    uint32_t word = id | (oi_type_is_array(type) || units > BODY_UNITS_MAX ? 0 : (uint32_t)units << OI_UNITS_SHIFT);
    if (word >> OI_UNITS_SHIFT && type->simple && !type->inner)
        word |= kind_bits(type, units);
    bool untracked = type->leaf || (d->flags & OURO_TYPE_ACYCLIC);
    type->birth = (uint64_t)word | (uint64_t)((untracked ? OI_UNTRACKED : 0) | (oi_watched ? OI_WATCHED : 0)) << 48;
    return type;
}

/* Enters the type and fills in the descriptor; the type lock is held. */
static struct oi_type *enter(ouro_type *d, uint32_t id, void (*dispose)(ouro_object *))
{
    struct oi_type *type = build(d, dispose, id);
    if (!type)
        return NULL;
    oi_store_release(&oi_types[id], type); /* [MO-types] */
    d->ouro_private_body = (uint32_t)(type->size - sizeof(ouro_object));
    oi_store_release(&d->ouro_private_birth, type->birth); /* pairs with oi_type_register [MO-types] */
    /* Release: ouro_new reads the pool first, and what it finds through it implies the rest [MO-types]. */
    bool pooled = !oi_type_is_array(type) && type->size <= OI_CLASS_MAX && !oi_watched;
    oi_store_release(&d->ouro_private_pool, pooled ? oi_pool_index(type->size, type->leaf) : OI_POOL_NONE);
    return type;
}

static uint32_t id_of(const ouro_type *descriptor)
{
    return OI_TYPE_ID((uint32_t)oi_load_acquire(&descriptor->ouro_private_birth)); /* [MO-types] */
}

struct oi_type *oi_type_register_own(ouro_type *descriptor, uint32_t id, void (*dispose)(ouro_object *object))
{
    OI_ASSERT(id && id < OI_OWN_TYPES && (descriptor->flags & OI_TYPE_OWN));
    pthread_mutex_lock(&lock);
    struct oi_type *type = oi_types[id] ? oi_types[id] : enter(descriptor, id, dispose);
    pthread_mutex_unlock(&lock);
    return type;
}

static struct oi_type *register_next(ouro_type *descriptor)
{
    pthread_mutex_lock(&lock);
    struct oi_type *type = oi_types[id_of(descriptor)];
    if (!type && last_id < (1u << OI_TYPE_ID_BITS) - 1) {
        type = enter(descriptor, last_id + 1, NULL);
        last_id += type != NULL;
    }
    pthread_mutex_unlock(&lock);
    return type;
}

struct oi_type *oi_type_register(ouro_type *descriptor, const char *call)
{
    if (!descriptor) {
        oi_misuse(OURO_MISUSE_WRONG_TYPE, call, NULL, "the type is NULL");
        return NULL;
    }
    uint32_t id = id_of(descriptor);
    if (!id && (descriptor->flags & OI_TYPE_OWN)) {
        if (!oi_hold_slot(&oi_act)) /* starts the runtime */
            return NULL;
        id = id_of(descriptor);
    }
    if (id)
        return oi_load_acquire(&oi_types[id]);
    const char *wrong = fault(descriptor);
    if (wrong) {
        oi_misuse_type(OURO_MISUSE_WRONG_TYPE, call, descriptor, wrong);
        return NULL;
    }
    if (!oi_hold_slot(&oi_act)) /* the runtime is to have started, and to know whether the heap is watched */
        return NULL;
    return register_next(descriptor);
}

void oi_type_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_type_after_fork(void)
{
    pthread_mutex_unlock(&lock);
}
