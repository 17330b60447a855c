/* SPDX-License-Identifier: MIT
 *
 * Objects grouped by type and by the site where they were made. */
#pragma once

#include "object/type.h"

struct oi_group {
    const struct oi_type *type;
    uint32_t site;
    size_t objects, bytes;
    const ouro_object *example; /* the first that was added */
};

struct oi_groups {
    struct oi_group *at;
    size_t count, room;
    uint32_t *index; /* by type and site: open addressing; 0: empty, else a number in `at`, and one */
    size_t mask;
};

/* Adds so many objects and bytes to a group, which is made if need be. False: no memory. */
bool oi_groups_add(struct oi_groups *groups, const struct oi_group *more);

/* Names of the sites, as oi_site_names gives them; groups of one type and one name have become one: the others are empty. */
char **oi_groups_names(struct oi_groups *groups);

void oi_groups_drop(struct oi_groups *groups);
