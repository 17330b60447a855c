/* SPDX-License-Identifier: MIT
 *
 * Stores: arrays of words with room for more, in which lists keep their elements (docs/design/containers.md). A store is an object of its
 * own, held by one slot of its container. Its length says how many of its slots are counted; what is behind them is room, and not
 * looked at by anybody.
 *
 * A container that needs another store gets one by a move: the words are copied, and the references in them, uncounted one by one, change hands as a
 * whole. M1 to M3 hold for everything that begins with an ouro_array of slots (tables, too).
 *
 * M1  At any time one of the two stores has the references, and a store that has not is marked as loose: the old one from before the new one
 *     gets a length, the new one until it is its container's. No collection counts both, and none looks at the old one after another
 *     thread may have dropped what was in it; in a child of fork, at neither that a vanished mover has left behind.
 * M2  The old store keeps its words as they are, for readers who still have it; its length becomes 0 when it is no longer its
 *     container's, so a reader that finds less than it wants in a store looks again whether it still is.
 * M3  The new store is filled, and published if need be, before it is its container's. */
#pragma once

#include "lib_value_container.h"

struct oi_store {
    ouro_array array;
    ouro_slot items[];
};

#define OI_STORE_ROOM_MAX ((size_t)1 << 31) /* blocks have a limit, too */

bool oi_store_init(void);

/* An empty store with room for at least that many words, private. NULL: no memory. May run user code, as ouro_new. */
struct oi_store *oi_store_new(size_t room);

/* The same, with room to grow in proportion to what there will be. */
struct oi_store *oi_store_new_growing(size_t length);

/* How many words fit. */
static inline size_t oi_store_room(const struct oi_store *store)
{
    return (oi_page_block_size(oi_page_of(store)) - sizeof(struct oi_store)) / sizeof(ouro_slot);
}

static inline size_t oi_store_length(const struct oi_store *store)
{
    return oi_array_length(&store->array.object);
}

/* Release: what is below it comes before it; pairs with oi_array_length [MO-length]. */
static inline void oi_store_set_length(ouro_array *store, size_t length)
{
    oi_store_release(&store->length, length);
}

/* Makes `to`, which is filled, the store in the container's slot in the place of `from` (or of nothing), whose references it takes over: all of
 * them, but for those that the caller has taken out. `from` is then the caller's to release, and has no references. */
void oi_store_move(ouro_object *container, ouro_slot *slot, ouro_array *from, ouro_array *to, size_t length);

/* Of the store in the slot: a thread that vanished in a fork may have been moving it. In a turn. */
void oi_store_repair(ouro_slot *slot);
