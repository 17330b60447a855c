//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * <ouro/trace.h>: snapshots are groups, counted from the histories of dev mode. */
#include "ouro_trace.h"
#include <stdlib.h>

#include "lib_object_history.h"
#include "lib_object_site.h"
#include "lib_runtime_group.h"
#include "lib_runtime_runtime.h"

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
    const struct oi_type *type;
    const char *site;
    ouro_trace_group group;
};

static size_t size_of(ptrdiff_t more)
{
    return more < 0 ? -(size_t)more : (size_t)more;
}

static int by_change(const void *a, const void *b)
{
    size_t x = size_of(((const struct difference *)a)->group.bytes_more), y = size_of(((const struct difference *)b)->group.bytes_more);
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Adds a group of the newer snapshot, or takes one of the older off, at its type and site. */
static size_t add(struct difference *list, size_t count, const struct oi_group *more, const char *site, bool newer)
{
    size_t i = 0;
    while (i < count && (list[i].type != more->type || list[i].site != site))
        i++;
    if (i == count) {
        const char *name = more->type->descriptor->name;
        list[count++] = (struct difference){more->type, site, {.size = sizeof(ouro_trace_group), .type_name = name ? name : "?", .site = site}};
    }
    ouro_trace_group *group = &list[i].group;
    group->objects += newer ? more->objects : 0;
    group->bytes += newer ? more->bytes : 0;
    group->objects_more += newer ? (ptrdiff_t)more->objects : -(ptrdiff_t)more->objects;
    group->bytes_more += newer ? (ptrdiff_t)more->bytes : -(ptrdiff_t)more->bytes;
    return count;
}

static bool has_changed(const struct difference *difference)
{
    return difference->group.objects_more || difference->group.bytes_more;
}

size_t ouro_trace_compare(const ouro_trace *older, const ouro_trace *newer, ouro_trace_visitor fn, void *arg)
{
    size_t before = older ? older->groups.count : 0, total = newer && fn ? before + newer->groups.count : 0, count = 0, shown = 0;
    struct difference *list = malloc((total + 1) * sizeof *list);
    uint32_t *sites = malloc((total + 1) * sizeof *sites);
    for (size_t i = 0; sites && i < total; i++)
        sites[i] = (i < before ? &older->groups.at[i] : &newer->groups.at[i - before])->site;
    char **names = sites && list && total ? oi_site_names(sites, (unsigned)total) : NULL;
    for (size_t i = 0; names && i < total; i++)
        count = add(list, count, i < before ? &older->groups.at[i] : &newer->groups.at[i - before], names[i], i >= before);
    if (count)
        qsort(list, count, sizeof *list, by_change);
    bool more = true;
    for (size_t i = 0; more && i < count; i++) {
        if (!has_changed(&list[i]))
            continue;
        more = fn(&list[i].group, arg) == 0;
        shown++;
    }
    free(names);
    free(sites);
    free(list);
    return shown;
}

void ouro_trace_free(ouro_trace *trace)
{
    if (trace)
        oi_groups_drop(&trace->groups);
    free(trace);
}
