//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_keyed.h"

#include <string.h>

#include "lib_port_perturb.h"

static ouro_type keyed_type = OURO_TYPE(struct oi_keyed, .name = "ouro_entries", .array_slots = offsetof(struct oi_keyed, slots),
                                        .flags = OI_TYPE_OWN | OI_TYPE_INNER);

bool oi_keyed_init(void)
{
    return oi_type_register_own(&keyed_type, OI_OWN_KEYED, NULL);
}

#define BITS_MIN 3u

/* Cells are at most two thirds full. */
static size_t room_in(unsigned bits)
{
    return (size_t)2 * ((size_t)1 << bits) / 3;
}

static unsigned width_for(size_t room)
{
    return room < UINT8_MAX ? 1 : room < UINT16_MAX ? 2 : 4;
}

static size_t size_of(unsigned stride, size_t room, unsigned bits)
{
    return sizeof(struct oi_keyed) + room * (stride * sizeof(ouro_slot) + sizeof(uint32_t)) + ((size_t)width_for(room) << bits);
}

static unsigned bits_for(size_t room)
{
    unsigned bits = BITS_MIN;
    while (room_in(bits) < room)
        bits++;
    return bits;
}

/* As many as the cells for `count` allow, which doubles a store that is full; and half as many to spare at least, for one with holes. */
size_t oi_keyed_room_for(size_t count)
{
    size_t fit = room_in(bits_for(count)), ample = count + count / 2;
    return fit > ample ? fit : ample;
}

struct oi_keyed *oi_keyed_new(unsigned stride, size_t room)
{
    if (room > OI_KEYED_ROOM_MAX)
        return NULL;
    unsigned bits = bits_for(room);
    struct oi_keyed *keyed = oi_new_room(&keyed_type, size_of(stride, room, bits));
    if (!keyed)
        return NULL;
    /* What the block has to spare. */
    size_t block = oi_page_block_size(oi_page_of(keyed));
    while (room < room_in(bits) && size_of(stride, room + 1, bits) <= block)
        room++;
    keyed->room = (uint32_t)room;
    keyed->bits = (uint8_t)bits;
    keyed->width = (uint8_t)width_for(room);
    keyed->stride = (uint16_t)stride;
    memset(oi_keyed_hashes(keyed) + room, 0, (size_t)keyed->width << bits);
    return keyed;
}

/* Release: what the entry holds comes before [MO-cell]. */
static void set_cell(struct oi_keyed *keyed, size_t at, size_t entry)
{
    void *cells = oi_keyed_hashes(keyed) + keyed->room;
    if (keyed->width == 1)
        oi_store_release((uint8_t *)cells + at, (uint8_t)(entry + 1));
    else if (keyed->width == 2)
        oi_store_release((uint16_t *)cells + at, (uint16_t)(entry + 1));
    else
        oi_store_release((uint32_t *)cells + at, (uint32_t)(entry + 1));
}

static void set_entry(struct oi_keyed *keyed, size_t entry, ouro_value key, ouro_value value, uint32_t hash)
{
    oi_word_store(oi_keyed_value(keyed, entry), value);
    oi_word_store(oi_keyed_key(keyed, entry), key); /* of stride 1, this alone */
    oi_keyed_hashes(keyed)[entry] = hash;
}

bool oi_keyed_find_word(const struct oi_keyed *keyed, uint32_t hash, ouro_value word, size_t *entry)
{
    const uint32_t *hashes = oi_keyed_hashes(keyed);
    const void *cells = hashes + keyed->room;
    size_t mask = ((size_t)1 << keyed->bits) - 1;
    uint32_t cell;
    for (size_t at = hash & mask; (cell = oi_keyed_cell(keyed, cells, at)); at = (at + 1) & mask) {
        *entry = cell - 1;
        if (hashes[*entry] == hash &&
            (oi_word_load(oi_keyed_key(keyed, *entry)) == word || oi_word_load(oi_keyed_value(keyed, *entry)) == word))
            return true;
    }
    return false;
}

void oi_keyed_add(struct oi_keyed *keyed, size_t entry, ouro_value key, ouro_value value, uint32_t hash)
{
    const void *cells = oi_keyed_hashes(keyed) + keyed->room;
    size_t mask = ((size_t)1 << keyed->bits) - 1, at = hash & mask;
    while (oi_keyed_cell(keyed, cells, at))
        at = (at + 1) & mask;
    set_entry(keyed, entry, key, value, hash);
    set_cell(keyed, at, entry);
    keyed->past = (uint32_t)entry + 1;
    oi_store_relaxed(&keyed->shape, oi_shape(oi_shape_count(keyed->shape) + 1, 0));
}

size_t oi_keyed_copy(struct oi_keyed *to, const struct oi_keyed *from)
{
    size_t used = oi_keyed_used(from), n = 0;
    for (size_t entry = from->first; entry < used; entry++) {
        ouro_value key = oi_word_load(oi_keyed_key(from, entry));
        if (key != OI_GONE)
            oi_keyed_add(to, n++, key, oi_word_load(oi_keyed_value(from, entry)), oi_keyed_hashes(from)[entry]);
    }
    return n;
}

size_t oi_keyed_clone(struct oi_keyed *to, const struct oi_keyed *from)
{
    size_t used = oi_keyed_used(from);
    for (size_t entry = 0; entry < used; entry++) {
        ouro_value key = oi_word_load(oi_keyed_key(from, entry));
        if (key == OI_GONE)
            set_entry(to, entry, OI_GONE, OI_GONE, 0);
        else
            oi_keyed_add(to, entry, key, oi_word_load(oi_keyed_value(from, entry)), oi_keyed_hashes(from)[entry]);
    }
    return used;
}

void oi_keyed_put(struct oi_keyed *keyed, bool shared, ouro_value key, ouro_value value, uint32_t hash, size_t at)
{
    size_t entry = oi_keyed_used(keyed), count = oi_shape_count(keyed->shape);
    if (shared)
        oi_store_release(&keyed->shape, oi_shape(count, entry + 1)); /* [MO-shape] */
    oi_perturb();
    set_entry(keyed, entry, key, value, hash);
    oi_perturb();
    oi_store_set_length(&keyed->array, (entry + 1) * keyed->stride);
    oi_perturb();
    set_cell(keyed, at, entry);
    oi_perturb();
    keyed->past = (uint32_t)entry + 1;
    oi_store_release(&keyed->shape, oi_shape(count + 1, 0)); /* the effect [MO-shape] */
}

void oi_keyed_take(struct oi_keyed *keyed, bool shared, size_t entry, ouro_value *key, ouro_value *value)
{
    size_t count = oi_shape_count(keyed->shape) - 1;
    oi_store_release(&keyed->shape, oi_shape(count, shared ? entry + 1 : 0)); /* the effect [MO-shape] */
    *key = oi_word_load(oi_keyed_key(keyed, entry));
    *value = oi_word_load(oi_keyed_value(keyed, entry));
    oi_perturb();
    oi_word_store(oi_keyed_key(keyed, entry), OI_GONE);
    oi_perturb();
    oi_word_store(oi_keyed_value(keyed, entry), OI_GONE);
    oi_perturb();
    if (shared)
        oi_store_release(&keyed->shape, oi_shape(count, 0)); /* [MO-shape] */
}

void oi_keyed_repair(ouro_slot *slot)
{
    struct oi_keyed *keyed = oi_load_acquire(&slot->ouro_private_ref);
    oi_store_repair(slot);
    size_t pending = keyed ? keyed->shape >> 32 : 0;
    if (!pending)
        return;
    if (pending <= oi_keyed_used(keyed)) { /* what it refers to was the vanished thread's: never touched again */
        oi_word_store(oi_keyed_key(keyed, pending - 1), OI_GONE);
        oi_word_store(oi_keyed_value(keyed, pending - 1), OI_GONE);
    }
    oi_store_release(&keyed->shape, oi_shape(oi_shape_count(keyed->shape), 0));
}
