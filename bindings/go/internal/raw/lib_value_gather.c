//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * All that an iterator gives; and the functions that begin with that. */
#include <stdlib.h>

#include "lib_value_iterator.h"
#include "lib_value_list.h"

/* One after the other, until there are no more. */
static ouro_status drain(ouro_value iterator, struct oi_snapshot *all)
{
    size_t room = 0, count = 0;
    *all = (struct oi_snapshot){0};
    for (;;) {
        if (count == room) {
            size_t more = room ? 2 * room : OI_TAKEN_MAX;
            ouro_value *owned = more <= SIZE_MAX / sizeof *owned ? realloc(all->owned, more * sizeof *owned) : NULL;
            if (!owned)
                return OURO_E_NOMEM;
            room = more;
            all->items = all->owned = owned;
        }
        size_t n;
        ouro_status status = ouro_iterator_next_all(iterator, all->owned + count, room - count, &n);
        all->count = count += n;
        if (status != OURO_OK)
            return status == OURO_E_END ? OURO_OK : status;
    }
}

static ouro_status gather_by_iterating(ouro_value value, struct oi_snapshot *all)
{
    ouro_value iterator;
    *all = (struct oi_snapshot){0};
    ouro_status status = ouro_iterate(value, &iterator);
    if (status != OURO_OK)
        return status;
    status = drain(iterator, all);
    ouro_value_release(iterator);
    if (status != OURO_OK) {
        oi_snapshot_drop(all);
        *all = (struct oi_snapshot){0};
    }
    return status;
}

/* Of keys and values in turn, the keys stay. */
static void drop_values(struct oi_snapshot *all)
{
    size_t n = all->count / 2;
    for (size_t i = 0; i < n; i++) {
        ouro_value value = all->owned[2 * i + 1];
        all->owned[i] = all->owned[2 * i];
        ouro_value_release(value);
    }
    all->count = n;
}

ouro_status oi_gather(ouro_value value, struct oi_snapshot *all)
{
    const struct oi_kind_ops *ops = oi_kind_ops[oi_kind_of(value)];
    switch (oi_kind_of(value)) {
    case OURO_KIND_TUPLE:
    case OURO_KIND_LIST:
    case OURO_KIND_SET:
    case OURO_KIND_RECORD:
    case OURO_KIND_DICT: {
        ouro_status status = ops->snapshot(value, all);
        if (status == OURO_OK && ops->pairs)
            drop_values(all);
        return status;
    }
    default:
        return gather_by_iterating(value, all);
    }
}

ouro_status ouro_list_extend(ouro_value list, ouro_value other)
{
    struct oi_snapshot all;
    ouro_status status = oi_container_check(list, OI_OWN_LIST, "ouro_list_extend");
    if (status == OURO_OK)
        status = oi_gather(other, &all);
    if (status != OURO_OK)
        return status;
    status = ouro_list_append_all(list, all.items, all.count);
    oi_snapshot_drop(&all);
    return status;
}

ouro_status ouro_set_update(ouro_value set, ouro_value other)
{
    struct oi_snapshot all;
    ouro_status status = oi_container_check(set, OI_OWN_SET, "ouro_set_update");
    if (status == OURO_OK)
        status = oi_gather(other, &all);
    if (status != OURO_OK)
        return status;
    status = ouro_set_add_all(set, all.items, all.count);
    oi_snapshot_drop(&all);
    return status;
}
