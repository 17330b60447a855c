//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_runtime_group.h"

#include <stdlib.h>

#include "lib_object_site.h"

static uint32_t *place(const struct oi_groups *groups, const struct oi_type *type, uint32_t site)
{
    size_t i = (((uintptr_t)type >> 4) + site) * 0x9e3779b97f4a7c15u >> 20 & groups->mask;
    for (; groups->index[i]; i = (i + 1) & groups->mask) {
        const struct oi_group *group = &groups->at[groups->index[i] - 1];
        if (group->type == type && group->site == site)
            break;
    }
    return &groups->index[i];
}

/* Room for twice as many groups, and four places in the index for each that there was room for. */
static bool grow(struct oi_groups *groups)
{
    size_t room = groups->room ? 2 * groups->room : 64;
    struct oi_group *at = realloc(groups->at, room * sizeof *at);
    if (!at)
        return false;
    groups->at = at;
    uint32_t *index = calloc(2 * room, sizeof *index);
    if (!index)
        return false;
    free(groups->index);
    groups->index = index;
    groups->mask = 2 * room - 1;
    groups->room = room;
    for (size_t i = 0; i < groups->count; i++)
        *place(groups, at[i].type, at[i].site) = (uint32_t)i + 1;
    return true;
}

bool oi_groups_add(struct oi_groups *groups, const struct oi_group *more)
{
    if (groups->count == groups->room && !grow(groups))
        return false;
    uint32_t *number = place(groups, more->type, more->site);
    if (!*number) {
        groups->at[groups->count] = (struct oi_group){.type = more->type, .site = more->site, .example = more->example};
        *number = (uint32_t)++groups->count;
    }
    struct oi_group *group = &groups->at[*number - 1];
    group->objects += more->objects;
    group->bytes += more->bytes;
    return true;
}

static void unite(struct oi_groups *groups, char *const *names)
{
    for (size_t i = 0; i < groups->count; i++) {
        struct oi_group *group = &groups->at[i];
        size_t j = 0;
        while (names[j] != names[i] || groups->at[j].type != group->type)
            j++;
        if (j == i)
            continue;
        groups->at[j].objects += group->objects;
        groups->at[j].bytes += group->bytes;
        group->objects = group->bytes = 0;
    }
}

char **oi_groups_names(struct oi_groups *groups)
{
    uint32_t *sites = malloc((groups->count + 1) * sizeof *sites);
    for (size_t i = 0; sites && i < groups->count; i++)
        sites[i] = groups->at[i].site;
    char **names = sites ? oi_site_names(sites, (unsigned)groups->count) : NULL;
    free(sites);
    if (names)
        unite(groups, names);
    return names;
}

void oi_groups_drop(struct oi_groups *groups)
{
    free(groups->at);
    free(groups->index);
    *groups = (struct oi_groups){0};
}
