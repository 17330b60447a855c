//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_worklist.h"

#include <stdlib.h>
#include <string.h>

bool oi_pile_grow_slow(oi_any_pointer *at, void *first, size_t *room, size_t element)
{
    if (*room > SIZE_MAX / 2 / element)
        return false;
    void *grown = realloc(*at == first ? NULL : *at, 2 * *room * element);
    if (!grown)
        return false;
    if (*at == first)
        memcpy(grown, first, *room * element);
    *at = grown;
    *room *= 2;
    return true;
}

void oi_pile_free(void *at)
{
    free(at);
}

void oi_address_map_init(struct oi_address_map *map)
{
    memset(map->first, 0, sizeof map->first);
    map->at = map->first;
    map->mask = sizeof map->first / sizeof *map->first - 1;
    map->used = 0;
}

void oi_address_map_end(struct oi_address_map *map)
{
    if (map->at != map->first)
        free(map->at);
}

/* Where the key is, or would be: open addressing, linear probing; multiplicative hashing as in object/weak.c. */
static struct oi_address *place(struct oi_address *at, size_t mask, const void *key)
{
    size_t i = ((uintptr_t)key >> 3) * 0x9e3779b97f4a7c15u >> 20 & mask;
    while (at[i].key && at[i].key != key)
        i = (i + 1) & mask;
    return &at[i];
}

static bool grow(struct oi_address_map *map)
{
    size_t mask = 2 * map->mask + 1;
    struct oi_address *at = calloc(mask + 1, sizeof *at);
    if (!at)
        return false;
    for (size_t i = 0; i <= map->mask; i++)
        if (map->at[i].key)
            *place(at, mask, map->at[i].key) = map->at[i];
    oi_address_map_end(map);
    map->at = at;
    map->mask = mask;
    return true;
}

uintptr_t *oi_address_map_at(struct oi_address_map *map, const void *key)
{
    struct oi_address *found = place(map->at, map->mask, key);
    if (found->key)
        return &found->value;
    if (map->used * 2 > map->mask) {
        if (!grow(map))
            return NULL;
        found = place(map->at, map->mask, key);
    }
    map->used++;
    *found = (struct oi_address){key, 0};
    return &found->value;
}

uintptr_t oi_address_map_get(const struct oi_address_map *map, const void *key)
{
    return place(map->at, map->mask, key)->value;
}
