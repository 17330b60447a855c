/* SPDX-License-Identifier: MIT
 *
 * Objects of which there is one for each content: interned strings, shapes. One table for each leads from the content to the object, and does not
 * count as a reference: an object that dies leaves it.
 *
 * U1  A unique object is published before it is entered: whoever has its content may find it. No cycle passes through it, so it dies by its
 *     count only.
 * U2  Those who look follow the table in read sections, and the block of a dead object waits for them in limbo. They try to retain what they
 *     find; if it is dead, they take it out of the table rather than wait for its destroyer, and look again. */
#pragma once

#include "lib_object_act.h"
#include "lib_sync_table.h"

/* What such objects begin with. */
struct oi_unique {
    ouro_array array;
    uint64_t word;            /* made from the hash: not 0; 0: it is not in the table */
    struct oi_hash_node node; /* the table's */
};

#define OI_UNIQUE_OF(pointer) OI_CONTAINER_OF(pointer, struct oi_unique, node)

/* The object with the content that match and key describe, new; or NULL. */
struct oi_unique *oi_unique_find(struct oi_table *table, uint64_t hash, oi_hash_match *match, const void *key);

/* Enters an object that nobody else has seen; takes over the reference. Returns, new, it or one that another thread has entered meanwhile. */
struct oi_unique *oi_unique_enter(struct oi_table *table, uint64_t hash, oi_hash_match *match, const void *key, struct oi_unique *made);

/* It dies: for the type's dispose. */
void oi_unique_leave(struct oi_table *table, struct oi_unique *dying);
