//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * What is left at shutdown, by type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib_runtime_census.h"
#include "lib_runtime_runtime.h"

struct type_count {
    uint32_t id;
    size_t objects, bytes;
};

struct types {
    struct type_count *at;
    size_t count;
};

static void count_type(struct types *types, uint32_t id, size_t bytes)
{
    size_t i = 0;
    if (!id)
        return;
    while (i < types->count && types->at[i].id != id)
        i++;
    if (i == types->count) {
        void *at = realloc(types->at, (i + 1) * sizeof *types->at);
        if (!at)
            return;
        types->at = at;
        types->at[types->count++] = (struct type_count){.id = id};
    }
    types->at[i].objects++;
    types->at[i].bytes += bytes;
}

static void count_entry(struct types *types, const struct oi_census_entry *entry, ouro_leak_report *report)
{
    size_t bytes = oi_page_block_size(oi_page_of(entry->object));
    if (!oi_census_is_leak(entry)) {
        report->immortal_objects++;
        return;
    }
    report->objects++;
    report->bytes += bytes;
    count_type(types, OI_TYPE_ID(oi_type_word(entry->object)), bytes);
}

static int by_bytes(const void *a, const void *b)
{
    const ouro_leak_type *x = a, *y = b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

void oi_leaks_count(ouro_leak_report *report)
{
    struct oi_census census;
    struct types types = {0};
    memset(report, 0, sizeof *report);
    oi_census_take(&census);
    for (size_t i = 0; census.at && i <= census.mask; i++) {
        if (census.at[i].object)
            count_entry(&types, &census.at[i], report);
    }
    oi_census_drop(&census);
    ouro_leak_type *all = calloc(types.count + 1, sizeof *all);
    for (size_t i = 0; all && i < types.count; i++) {
        const char *name = oi_types[types.at[i].id]->descriptor->name;
        all[i] = (ouro_leak_type){name ? name : "?", types.at[i].objects, types.at[i].bytes};
    }
    if (all) {
        qsort(all, types.count, sizeof *all, by_bytes);
        report->types_count = types.count < OURO_LEAK_TYPES_MAX ? types.count : OURO_LEAK_TYPES_MAX;
        memcpy(report->types, all, report->types_count * sizeof *all);
    }
    free(all);
    free(types.at);
}

void oi_leaks_print(const ouro_leak_report *report)
{
    if (!report->objects)
        return;
    fprintf(stderr, "ouro: %zu objects (%zu bytes) were never released:\n", report->objects, report->bytes);
    for (size_t i = 0; i < report->types_count; i++)
        fprintf(stderr, "ouro: %10zu objects %12zu bytes  %s\n", report->types[i].objects, report->types[i].bytes, report->types[i].name);
}
