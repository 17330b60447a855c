/* SPDX-License-Identifier: MIT
 *
 * Visits, as arrays: what ouro_gc_visit_... shows, new references in malloced memory, for languages to make a list of. Objects that values
 * are made of inside (a list's store) are not shown: in their place, referents give what those refer to, and referrers who refers to those. */
#ifndef OURO_GATHER_H
#define OURO_GATHER_H

#include <ouro/ouro.h>
#include <stdlib.h>
#include <string.h>

struct ouro_gathered {
    ouro_value *items;
    size_t count, room;
    bool full; /* there was no memory for one */
};

/* The library's own types that are no values have names that begin so. */
static inline bool ouro_gather_is_inner(void *object)
{
    ouro_type *type = ouro_kind_of(ouro_value_of(object)) == OURO_KIND_OBJECT ? ouro_type_of(object) : NULL;
    return type && type->name && !strncmp(type->name, "ouro_", 5);
}

static inline int ouro_gather_one(void *object, void *arg)
{
    struct ouro_gathered *to = (struct ouro_gathered *)arg;
    if (to->count == to->room) {
        size_t room = to->room ? 2 * to->room : 64;
        ouro_value *more = (ouro_value *)realloc(to->items, room * sizeof *more);
        if (!more) {
            to->full = true;
            return 1;
        }
        to->items = more;
        to->room = room;
    }
    to->items[to->count++] = ouro_value_of(ouro_retain(object));
    return 0;
}

static inline int ouro_gather_outer(void *object, void *arg)
{
    return ouro_gather_is_inner(object) ? 0 : ouro_gather_one(object, arg);
}

static inline int ouro_gather_referent(void *object, void *arg)
{
    if (!ouro_gather_is_inner(object))
        return ouro_gather_one(object, arg);
    ouro_gc_visit_referents(object, ouro_gather_referent, arg);
    return ((struct ouro_gathered *)arg)->full;
}

static inline int ouro_gather_referrer(void *object, void *arg)
{
    if (!ouro_gather_is_inner(object))
        return ouro_gather_one(object, arg);
    ouro_gc_visit_referrers(object, ouro_gather_referrer, arg);
    return ((struct ouro_gathered *)arg)->full;
}

static inline void ouro_gather_drop(struct ouro_gathered *gathered)
{
    ouro_value_release_all(gathered->items, gathered->count);
    free(gathered->items);
    memset(gathered, 0, sizeof *gathered);
}

static inline ouro_status ouro_gather_end(struct ouro_gathered *to)
{
    if (!to->full)
        return OURO_OK;
    ouro_gather_drop(to);
    return OURO_E_NOMEM;
}

/* Each fills *to, to be dropped by the caller. generation: 0 to 2, or -1 for all. */
static inline ouro_status ouro_gather_objects(int generation, struct ouro_gathered *to)
{
    memset(to, 0, sizeof *to);
    ouro_gc_visit_objects(generation, ouro_gather_outer, to);
    return ouro_gather_end(to);
}

static inline ouro_status ouro_gather_referents(ouro_value value, struct ouro_gathered *to)
{
    memset(to, 0, sizeof *to);
    if (ouro_is_object(value))
        ouro_gc_visit_referents(ouro_value_object(value), ouro_gather_referent, to);
    return ouro_gather_end(to);
}

static inline ouro_status ouro_gather_referrers(ouro_value value, struct ouro_gathered *to)
{
    memset(to, 0, sizeof *to);
    if (ouro_is_object(value))
        ouro_gc_visit_referrers(ouro_value_object(value), ouro_gather_referrer, to);
    return ouro_gather_end(to);
}

static inline ouro_status ouro_gather_garbage(struct ouro_gathered *to)
{
    memset(to, 0, sizeof *to);
    ouro_gc_visit_garbage(ouro_gather_outer, to);
    return ouro_gather_end(to);
}

#endif
