/* SPDX-License-Identifier: MIT
 *
 * <ouro/trace.h>: snapshots are groups, counted from the histories of dev mode. */
#include <ouro/trace.h>
#include <stdlib.h>

#include "object/history.h"
#include "object/site.h"
#include "runtime/group.h"
#include "runtime/runtime.h"

struct ouro_trace {
    struct oi_groups groups;
    bool failed; /* there was no memory for all */
};

static void count(const struct oi_type *type, uint32_t site, size_t size, const void *object, void *arg)
{
    ouro_trace *trace = arg;
    if (!oi_groups_add(&trace->groups, &(struct oi_group){type, site, 1, size, object}))
        trace->failed = true;
}

ouro_status ouro_trace_take(ouro_trace **trace)
{
    *trace = NULL;
    ouro_status status = oi_start_default();
    if (status != OURO_OK)
        return status;
    if (!oi_history_on)
        return OURO_E_USAGE;
    ouro_trace *taken = calloc(1, sizeof *taken);
    if (!taken)
        return OURO_E_NOMEM;
    oi_history_each(count, taken);
    if (taken->failed) {
        ouro_trace_free(taken);
        return OURO_E_NOMEM;
    }
    *trace = taken;
    return OURO_OK;
}

/* A group of either snapshot, and by how much it differs. */
struct difference {
    const struct oi_group *group;
    size_t objects, bytes; /* in the newer one */
    ptrdiff_t objects_more, bytes_more;
};

static size_t size_of(ptrdiff_t more)
{
    return more < 0 ? -(size_t)more : (size_t)more;
}

static int by_change(const void *a, const void *b)
{
    size_t x = size_of(((const struct difference *)a)->bytes_more), y = size_of(((const struct difference *)b)->bytes_more);
    return x < y ? 1 : x > y ? -1 : 0;
}

static void subtract(struct difference *difference, const struct oi_group *older)
{
    difference->objects_more -= older ? (ptrdiff_t)older->objects : 0;
    difference->bytes_more -= older ? (ptrdiff_t)older->bytes : 0;
}

/* Those of the newer snapshot, then those that only the older one has. */
static size_t list(const struct oi_groups *older, const struct oi_groups *newer, struct difference *list)
{
    size_t n = 0;
    for (size_t i = 0; i < newer->count; i++) {
        const struct oi_group *group = &newer->at[i];
        list[n] = (struct difference){group, group->objects, group->bytes, (ptrdiff_t)group->objects, (ptrdiff_t)group->bytes};
        subtract(&list[n], oi_groups_find(older, group->type, group->site));
        n += list[n].objects_more || list[n].bytes_more;
    }
    for (size_t i = 0; i < older->count; i++) {
        const struct oi_group *group = &older->at[i];
        if (oi_groups_find(newer, group->type, group->site))
            continue;
        list[n] = (struct difference){.group = group};
        subtract(&list[n++], group);
    }
    return n;
}

static size_t show(struct difference *list, size_t count, ouro_trace_visitor fn, void *arg)
{
    uint32_t *sites = malloc((count + 1) * sizeof *sites);
    for (size_t i = 0; sites && i < count; i++)
        sites[i] = list[i].group->site;
    char **names = sites ? oi_site_names(sites, (unsigned)count) : NULL;
    size_t shown = 0;
    for (bool more = names; more && shown < count; shown++) {
        const struct difference *d = &list[shown];
        const char *name = d->group->type->descriptor->name;
        ouro_trace_group group = {sizeof group, name ? name : "?", names[shown], d->objects, d->bytes, d->objects_more, d->bytes_more};
        more = fn(&group, arg) == 0;
    }
    free(names);
    free(sites);
    return shown;
}

size_t ouro_trace_compare(const ouro_trace *older, const ouro_trace *newer, ouro_trace_visitor fn, void *arg)
{
    static const struct oi_groups none;
    const struct oi_groups *from = older ? &older->groups : &none;
    struct difference *all = newer && fn ? malloc((from->count + newer->groups.count + 1) * sizeof *all) : NULL;
    if (!all)
        return 0;
    size_t count = list(from, &newer->groups, all);
    qsort(all, count, sizeof *all, by_change);
    size_t shown = show(all, count, fn, arg);
    free(all);
    return shown;
}

void ouro_trace_free(ouro_trace *trace)
{
    if (trace)
        oi_groups_drop(&trace->groups);
    free(trace);
}
