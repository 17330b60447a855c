/* SPDX-License-Identifier: MIT
 *
 * Keyed stores: hash tables of entries in the order in which they came, for dicts, sets, and weak maps and sets (docs/design/containers.md). An
 * entry is a key, of `stride` 2 with a value. Entries are found by an index of cells, which is probed from the hash on.
 *
 *     16 header │ 8 length │ 8 shape │ 16 numbers │ slots: stride * room │ hashes: 4 * room │ cells: width * 2^bits
 *
 * The length is that of the slots in use: what is in the slots below it is counted (store.h: M1 to M3 hold here, too).
 *
 * K1  Entries are only added, at the end: one that was taken out leaves OI_GONE in its slots, so a key word in a slot is this one entry's for as
 *     long as it is there. Cells are only filled; one whose entry is gone may come to lead to another. So the cell of an entry that stays
 *     stays, and probing always meets it; and what was probed need not be probed again, unless an entry was added meanwhile.
 * K2  An entry is in the store if its slots do not hold OI_GONE, and `shape` does not name it as pending. So putting in and taking out
 *     each have one effect, the store to `shape` that also changes the count:
 *         put in:    shape (n, e)   slots, hash, length, cell   shape (n+1, none)
 *         take out:  shape (n-1, e)   slots are gone            shape (n-1, none)
 * K3  A reader who has found a key in an entry looks at `shape`, and then at a slot of the entry. If the entry was not pending, and the slot is not gone,
 *     the entry was in the store at some moment of this, with what is in the slot. Otherwise there was a moment at which it was not. */
#pragma once

#include "lib_value_store.h"
#include "lib_value_string.h"

#define OI_GONE ((ouro_value)3)
#define OI_KEYED_ROOM_MAX ((size_t)1 << 30)

struct oi_keyed {
    ouro_array array;
    uint64_t shape;   /* atomic: number of entries in the store; above, the one that is pending, plus 1 */
    uint32_t room;    /* for entries; this and the next three: immutable */
    uint8_t bits;     /* the number of cells is 2^bits */
    uint8_t width;    /* of a cell, in bytes: 1, 2 or 4. A cell: the entry, plus 1; 0: none */
    uint16_t stride;  /* slots of an entry: 1 or 2 */
    uint32_t first;   /* writers': no entry before it is in the store */
    uint32_t past;    /* writers': nor from it on */
    ouro_slot slots[];
};
_Static_assert(sizeof(struct oi_keyed) == 48, "no gaps");

bool oi_keyed_init(void);

/* An empty store for that many entries, private. NULL: no memory. May run user code, as ouro_new. */
struct oi_keyed *oi_keyed_new(unsigned stride, size_t room);

/* How much room a store should have that is to grow to `count` entries and on. */
size_t oi_keyed_room_for(size_t count);

static inline size_t oi_keyed_used(const struct oi_keyed *keyed)
{
    return oi_array_length(&keyed->array.object) >> (keyed->stride - 1);
}

static inline uint64_t oi_shape(size_t count, size_t pending)
{
    return (uint64_t)pending << 32 | count;
}

/* Acquire: pairs with the writers' stores [MO-shape]. */
static inline uint64_t oi_keyed_shape(const struct oi_keyed *keyed)
{
    return oi_load_acquire(&keyed->shape);
}

static inline size_t oi_shape_count(uint64_t shape)
{
    return (uint32_t)shape;
}

static inline bool oi_shape_is_pending(uint64_t shape, size_t entry)
{
    return shape >> 32 == entry + 1;
}

static inline ouro_slot *oi_keyed_key(const struct oi_keyed *keyed, size_t entry)
{
    return (ouro_slot *)&keyed->slots[entry * keyed->stride];
}

/* Of stride 1: the key. */
static inline ouro_slot *oi_keyed_value(const struct oi_keyed *keyed, size_t entry)
{
    return (ouro_slot *)&keyed->slots[entry * keyed->stride + keyed->stride - 1];
}

static inline uint32_t *oi_keyed_hashes(const struct oi_keyed *keyed)
{
    return (uint32_t *)&keyed->slots[(size_t)keyed->room * keyed->stride];
}

/* Acquire: what the entry holds comes before its cell [MO-cell]. */
static inline uint32_t oi_keyed_cell(const struct oi_keyed *keyed, const void *cells, size_t at)
{
    switch (keyed->width) {
    case 1:
        return oi_load_acquire((const uint8_t *)cells + at);
    case 2:
        return oi_load_acquire((const uint16_t *)cells + at);
    default:
        return oi_load_acquire((const uint32_t *)cells + at);
    }
}

/* How a key is compared with the key word of an entry. */
typedef enum oi_answer oi_match(ouro_value word, ouro_value key);

enum oi_probe { OI_ABSENT, OI_FOUND, OI_UNSURE };

/* Probes on from cell *at (any number). OI_FOUND, OI_UNSURE: the entry's key matches, or others must be asked; its cell is *at. OI_ABSENT: *at is
 * the cell that it would have: one that a key of this hash has left, so that what is put in and taken out all the time does not wander.
 * Whether an entry is in the store, K3 says. */
static OI_ALWAYS_INLINE enum oi_probe oi_keyed_probe(const struct oi_keyed *keyed, uint32_t hash, ouro_value key, oi_match *match, size_t *at,
                                                     size_t *entry)
{
    const uint32_t *hashes = oi_keyed_hashes(keyed);
    const void *cells = hashes + keyed->room;
    size_t mask = ((size_t)1 << keyed->bits) - 1, left = SIZE_MAX;
    for (size_t i = *at & mask;; i = (i + 1) & mask) {
        uint32_t cell = oi_keyed_cell(keyed, cells, i);
        if (!cell) {
            *at = left == SIZE_MAX ? i : left;
            return OI_ABSENT;
        }
        if (OI_LIKELY(hashes[cell - 1] != hash))
            continue;
        ouro_value word = oi_word_load(oi_keyed_key(keyed, cell - 1));
        if (OI_UNLIKELY(word == OI_GONE)) {
            left = i;
            continue;
        }
        enum oi_answer answer = match(word, key);
        if (OI_UNLIKELY(answer == OI_DIFFERENT))
            continue;
        *at = i;
        *entry = cell - 1;
        return answer == OI_EQUAL ? OI_FOUND : OI_UNSURE;
    }
}

/* In a turn: the entry of this hash that has this very word in one of its slots. */
bool oi_keyed_find_word(const struct oi_keyed *keyed, uint32_t hash, ouro_value word, size_t *entry);

static inline bool oi_is_string_id(uint32_t id)
{
    return id == OI_OWN_STRING || id == OI_OWN_INTERNED;
}

/* ouro_key_equal, for keys of one hash: the common cases in line. */
static OI_ALWAYS_INLINE enum oi_answer oi_match_key(ouro_value word, ouro_value key)
{
    if (OI_LIKELY(word == key))
        return OI_EQUAL;
    if (!ouro_is_object(word) && !ouro_is_object(key))
        return OI_DIFFERENT;
    if (oi_is_string_id(oi_id_of(word)) && oi_is_string_id(oi_id_of(key)))
        return oi_string_equal(oi_string_of(word), oi_string_of(key)) ? OI_EQUAL : OI_DIFFERENT;
    return oi_key_equal_quick(word, key);
}

/* ouro_hash: the common cases in line. False: it must be called. */
static OI_ALWAYS_INLINE bool oi_key_hash(ouro_value key, uint32_t *hash)
{
    uint64_t all = 0;
    if (OI_LIKELY(!ouro_is_object(key))) {
        *hash = (uint32_t)oi_hash_mix(key, 0);
        return true;
    }
    if (OI_LIKELY(oi_is_string_id(oi_id_of(key)))) {
        uint64_t word = oi_load_relaxed(&oi_string_of(key)->word);
        *hash = (uint32_t)(word >> 2);
        if (OI_LIKELY(word & OI_STRING_HASHED))
            return true;
    }
    bool quick = oi_hash_quick(key, &all);
    *hash = (uint32_t)all;
    return quick;
}

/* Fills the next entry of a store that nobody else sees, with room; counts nothing, and leaves the length as it is. */
void oi_keyed_add(struct oi_keyed *keyed, size_t entry, ouro_value key, ouro_value value, uint32_t hash);

/* Copies the words of all entries in `from` to `to`, which is empty, has room, and is seen by nobody else; counts nothing. Returns their number. In a
 * turn, or of a private store. */
size_t oi_keyed_copy(struct oi_keyed *to, const struct oi_keyed *from);

/* The same, and every entry keeps its number, also what is gone; for iterators, which go by it. `to` has room for all that are used, whose number
 * is returned. */
size_t oi_keyed_clone(struct oi_keyed *to, const struct oi_keyed *from);

/* In a turn, or of a private store (shared says which): an entry is put in, its key known to be absent, and its cell to be `at`; the references
 * become the store's. There is room. */
void oi_keyed_put(struct oi_keyed *keyed, bool shared, ouro_value key, ouro_value value, uint32_t hash, size_t at);

/* Likewise: an entry is taken out, and its references become the caller's. */
void oi_keyed_take(struct oi_keyed *keyed, bool shared, size_t entry, ouro_value *key, ouro_value *value);

/* Of the store in a slot: a thread that vanished in a fork may have been at work on it. In a turn. */
void oi_keyed_repair(ouro_slot *slot);
