/* SPDX-License-Identifier: MIT
 *
 * What stands for recursion: piles that grow, the first elements of which are on the C stack, and maps from addresses. */
#pragma once

#include "lib_base_base.h"

/* A pile of `type`, the first n of which need no memory. Use: OI_PILE(struct frame, 8) frames; oi_pile_init(frames); */
#define OI_PILE(type, n)     \
    struct {                 \
        type *at;            \
        size_t count, room;  \
        type first[n];       \
    }
#define oi_pile_init(pile) ((pile).at = (pile).first, (pile).count = 0, (pile).room = sizeof(pile).first / sizeof *(pile).first)
#define oi_pile_end(pile) ((pile).at == (pile).first ? (void)0 : oi_pile_free((pile).at))

/* Makes room for one more. False: out of memory. */
#define oi_pile_grow(pile)                \
    ((pile).count < (pile).room ||        \
     oi_pile_grow_slow((oi_any_pointer *)&(pile).at, (pile).first, &(pile).room, sizeof *(pile).at))

typedef void *oi_any_pointer __attribute__((may_alias));
bool oi_pile_grow_slow(oi_any_pointer *at, void *first, size_t *room, size_t element);
void oi_pile_free(void *at);

/* From addresses, not NULL, to words. */
struct oi_address_map {
    struct oi_address {
        const void *key;
        uintptr_t value;
    } *at, first[16];
    size_t mask, used;
};

void oi_address_map_init(struct oi_address_map *map);
void oi_address_map_end(struct oi_address_map *map);

/* The key's value, 0 if it is new; NULL: out of memory. Valid until the next call. */
uintptr_t *oi_address_map_at(struct oi_address_map *map, const void *key);

/* The key's value, or 0. */
uintptr_t oi_address_map_get(const struct oi_address_map *map, const void *key);
