//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * What is left at shutdown, in dev mode: by the place where it was made, and for one object of each place what keeps it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib_object_history.h"
#include "lib_runtime_census.h"
#include "lib_runtime_group.h"
#include "lib_runtime_runtime.h"

#define SHOWN 20 /* groups, most bytes first */
#define STEPS 6  /* of a path; of a longer one, those next to the object */

static const char *name_of(const ouro_object *o)
{
    const struct oi_type *type = oi_type_of(o);
    return type && type->descriptor->name ? type->descriptor->name : "?";
}

static void group_all(const struct oi_census *census, struct oi_groups *groups)
{
    for (size_t i = 0; census->at && i <= census->mask; i++) {
        ouro_object *o = census->at[i].object;
        const struct oi_type *type = o && oi_census_is_leak(&census->at[i]) ? oi_type_of(o) : NULL;
        if (type)
            oi_groups_add(groups, &(struct oi_group){type, oi_history_site(o), 1, oi_object_size(type, o), o});
    }
}

/* The offset of the slot of `from` that refers to the object; 0: it refers to it no more. */
static size_t slot_at(ouro_object *from, const ouro_object *to)
{
    ouro_slot *slot;
    size_t count;
    for (uint32_t run = 0; oi_slots_run(oi_type_of(from), from, run, &slot, &count); run++) {
        for (size_t i = 0; i < count; i++) {
            if (oi_slot_ref(oi_load_relaxed(&slot[i].ouro_private_ref)) == to)
                return (size_t)((char *)&slot[i] - (char *)from);
        }
    }
    return 0;
}

static void print_path(const struct oi_census *census, const ouro_object *object)
{
    const struct oi_census_entry *entry = oi_census_find(census, object);
    fprintf(stderr, "ouro:       such as %p", (const void *)object);
    if (!entry->leaked) {
        fprintf(stderr, ": in a cycle, or held by one, of a thread that has not collected it yet\n");
        return;
    }
    int steps = 0;
    for (; entry->leader && steps < STEPS; steps++) {
        fprintf(stderr, "%s in the slot at byte %zu of a %s (%p)", steps ? "," : ":", slot_at(entry->leader, entry->object), name_of(entry->leader),
                (void *)entry->leader);
        entry = oi_census_find(census, entry->leader);
    }
    for (; entry->leader; steps++)
        entry = oi_census_find(census, entry->leader);
    if (steps > STEPS)
        fprintf(stderr, ", and so on, %d more", steps - STEPS);
    size_t held = ouro_refcount(entry->object) - entry->references;
    fprintf(stderr, "%s%s held by the program: %zu reference%s\n", steps ? ", which is" : ":", steps > STEPS ? " in the end" : "", held, held == 1 ? "" : "s");
}

static int by_bytes(const void *a, const void *b)
{
    const struct oi_group *const *x = a, *const *y = b;
    return (*x)->bytes < (*y)->bytes ? 1 : (*x)->bytes > (*y)->bytes ? -1 : 0;
}

static void print(const struct oi_census *census, struct oi_groups *groups)
{
    const struct oi_group **sorted = malloc((groups->count + 1) * sizeof *sorted);
    char **names = oi_groups_names(groups);
    for (size_t i = 0; sorted && i < groups->count; i++)
        sorted[i] = &groups->at[i];
    if (sorted && names) {
        qsort(sorted, groups->count, sizeof *sorted, by_bytes);
        size_t count = groups->count;
        while (!sorted[count - 1]->objects)
            count--;
        for (size_t i = 0; i < count && i < SHOWN; i++) {
            const struct oi_group *group = sorted[i];
            const char *type = group->type->descriptor->name;
            fprintf(stderr, "ouro:   %zu of %s, %zu bytes, made at %s\n", group->objects, type ? type : "?", group->bytes, names[group - groups->at]);
            print_path(census, group->example);
        }
        if (count > SHOWN)
            fprintf(stderr, "ouro:   and %zu more places\n", count - SHOWN);
    }
    free(names);
    free(sorted);
}

void oi_leaks_print_sites(void)
{
    struct oi_census census;
    struct oi_groups groups = {0};
    oi_census_take(&census);
    group_all(&census, &groups);
    if (groups.count)
        print(&census, &groups);
    oi_census_drop(&census);
    oi_groups_drop(&groups);
}
