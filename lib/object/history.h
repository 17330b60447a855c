/* SPDX-License-Identifier: MIT
 *
 * Histories, in dev mode: of each object, where it was made and the last changes of its count, until its block leaves quarantine. They are beside the
 * heap, found by address, so that an object that is dead or overwritten still has one. */
#pragma once

#include "object/type.h"

extern OI_HIDDEN bool oi_history_on; /* written once, at start, before the first object */

enum oi_change {
    OI_CHANGE_RETAIN,
    OI_CHANGE_RELEASE,
    OI_CHANGE_GARBAGE, /* a collection has found that nothing leads to it */
};

/* An object of `size` bytes is about to be made. */
void oi_history_born(const void *object, const struct oi_type *type, size_t size);

/* The count changes, or was asked to; it is `count` before that. */
OI_COLD void oi_history_add(const ouro_object *o, enum oi_change change, size_t count);

/* A dead object goes into limbo: nobody is to write to it any more, though some may still read it. Of the library's own types, that write down hashes,
 * nothing is remembered. */
OI_COLD void oi_history_seal(const ouro_object *o);

/* True if an object that was sealed has been written to since. Its block is there still. */
bool oi_history_is_broken(const ouro_object *o);

/* The block may become another object. */
void oi_history_forget(const void *block);

/* The type of an object, dead or alive, or NULL. */
const struct oi_type *oi_history_type(const void *object);

/* Lines that tell it, for a report: where the object was made, its size and the last changes. To be freed; NULL: there is none. Symbols are looked
 * up: this takes its time. */
char *oi_history_tell(const void *object);

/* Of an object that has one: the site where it was made; 0: none. */
uint32_t oi_history_site(const void *object);

/* Calls fn for each object that was made and is not dead, as far as is known: without its finding anything changed meanwhile, one part of the table
 * after the other. fn makes no objects. */
typedef void oi_history_fn(const struct oi_type *type, uint32_t site, size_t size, const void *object, void *arg);
void oi_history_each(oi_history_fn *fn, void *arg);

void oi_history_before_fork(void);
void oi_history_after_fork(void);
