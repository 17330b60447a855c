/* SPDX-License-Identifier: MIT
 *
 * A census: all objects that are alive, and what keeps each of them. For reports: it takes memory, and its time. */
#pragma once

#include "object/type.h"

/* What is known of an object that is alive. */
struct oi_census_entry {
    ouro_object *object;  /* NULL: an empty place in the table */
    ouro_object *leader;  /* of what is leaked: the object whose slot led here first, by the shortest way; NULL: the program itself holds it */
    size_t references;    /* to it, from slots of objects that are alive */
    bool leaked;          /* the program has a reference to it, or to what leads to it */
    bool kept;            /* immortal, or reachable from there */
};

/* All of them, by address: open addressing. */
struct oi_census {
    struct oi_census_entry *at;
    size_t mask, used;
    ouro_object **queue;
    size_t head, tail, room;
};

/* Takes one, or as much of it as there is memory for. Other threads may go on: then it is an estimate. Between this and drop no memory of
 * the heap is given back. */
void oi_census_take(struct oi_census *census);
void oi_census_drop(struct oi_census *census);

struct oi_census_entry *oi_census_find(const struct oi_census *census, const ouro_object *o); /* or NULL */

/* Neither immortal, nor kept by immortal objects alone. */
bool oi_census_is_leak(const struct oi_census_entry *entry);
