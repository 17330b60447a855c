/* SPDX-License-Identifier: MIT
 *
 * What is left at shutdown, by type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"

/* A set of addresses, open addressing; a full one forgets (the report then counts more as leaked, never less). */
struct set {
    const void **at;
    size_t mask, used;
};

static bool set_grow(struct set *set)
{
    size_t n = set->at ? 2 * (set->mask + 1) : 1024;
    struct set bigger = {calloc(n, sizeof *bigger.at), n - 1, set->used};
    if (!bigger.at)
        return false;
    for (size_t i = 0; set->at && i <= set->mask; i++) {
        if (!set->at[i])
            continue;
        size_t j = ((uintptr_t)set->at[i] >> 3) * 0x9e3779b97f4a7c15u >> 20 & bigger.mask;
        while (bigger.at[j])
            j = (j + 1) & bigger.mask;
        bigger.at[j] = set->at[i];
    }
    free(set->at);
    *set = bigger;
    return true;
}

static const void **set_place(const struct set *set, const void *p)
{
    size_t i = ((uintptr_t)p >> 3) * 0x9e3779b97f4a7c15u >> 20 & set->mask;
    while (set->at[i] && set->at[i] != p)
        i = (i + 1) & set->mask;
    return &set->at[i];
}

static bool set_has(const struct set *set, const void *p)
{
    return set->at && *set_place(set, p);
}

/* True if p was not there before. */
static bool set_add(struct set *set, const void *p)
{
    if ((!set->at || set->used * 2 > set->mask) && !set_grow(set))
        return false;
    const void **place = set_place(set, p);
    bool added = !*place;
    *place = p;
    set->used += added;
    return added;
}

struct count {
    ouro_leak_report *report;
    struct set kept;              /* immortal, or reachable from there */
    struct { uint32_t id; size_t objects, bytes; } *types;
    size_t types_count;
    ouro_object **stack;
    size_t depth, room;
};

static bool is_alive(const ouro_object *o)
{
    return oi_type_word(o) && ((oi_flags(o) & OI_PUBLISHED) == 0 || oi_shared(o) != OI_DEAD);
}

static void each_object(struct oi_page *page, struct count *count, void (*fn)(struct count *count, ouro_object *o, size_t bytes))
{
    size_t size = oi_page_block_size(page);
    uint32_t carved = oi_load_acquire(&page->carved); /* [MO-carved] */
    for (uint32_t i = 0; page->kind != OI_PAGE_RAW && i < carved; i++) {
        ouro_object *o = (ouro_object *)(page->base + i * size);
        if (is_alive(o))
            fn(count, o, size);
    }
}

static void push(struct count *count, ouro_object *o)
{
    if (!set_add(&count->kept, o))
        return;
    if (count->depth == count->room) {
        size_t room = count->room ? 2 * count->room : 256;
        void *stack = realloc(count->stack, room * sizeof *count->stack);
        if (!stack)
            return;
        count->stack = stack;
        count->room = room;
    }
    count->stack[count->depth++] = o;
}

static void push_ref(ouro_object *ref, void *count)
{
    push(count, ref);
}

static void find_kept(struct count *count, ouro_object *o, size_t bytes)
{
    (void)bytes;
    if (!(oi_flags(o) & OI_PUBLISHED) || !(oi_shared(o) & OI_STUCK))
        return;
    for (push(count, o); count->depth;) {
        o = count->stack[--count->depth];
        oi_each_ref(oi_type_of(o), o, push_ref, count);
    }
}

static void count_leak(struct count *count, ouro_object *o, size_t bytes)
{
    ouro_leak_report *report = count->report;
    if (set_has(&count->kept, o)) {
        report->immortal_objects++;
        return;
    }
    report->objects++;
    report->bytes += bytes;
    uint32_t id = OI_TYPE_ID(oi_type_word(o));
    size_t i = 0;
    while (i < count->types_count && count->types[i].id != id)
        i++;
    if (i == count->types_count) {
        void *types = realloc(count->types, (i + 1) * sizeof *count->types);
        if (!types)
            return;
        count->types = types;
        count->types[count->types_count++] = (__typeof__(*count->types)){.id = id};
    }
    count->types[i].objects++;
    count->types[i].bytes += bytes;
}

static void find_kept_on(struct oi_page *page, void *count)
{
    each_object(page, count, find_kept);
}

static void count_leaks_on(struct oi_page *page, void *count)
{
    each_object(page, count, count_leak);
}

static int by_bytes(const void *a, const void *b)
{
    const ouro_leak_type *x = a, *y = b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

void oi_leaks_count(ouro_leak_report *report)
{
    struct count count = {.report = report};
    memset(report, 0, sizeof *report);
    oi_page_each(find_kept_on, &count);
    oi_page_each(count_leaks_on, &count);
    ouro_leak_type *all = calloc(count.types_count + 1, sizeof *all);
    for (size_t i = 0; all && i < count.types_count; i++) {
        const char *name = oi_types[count.types[i].id]->descriptor->name;
        all[i] = (ouro_leak_type){name ? name : "?", count.types[i].objects, count.types[i].bytes};
    }
    if (all) {
        qsort(all, count.types_count, sizeof *all, by_bytes);
        report->types_count = count.types_count < OURO_LEAK_TYPES_MAX ? count.types_count : OURO_LEAK_TYPES_MAX;
        memcpy(report->types, all, report->types_count * sizeof *all);
    }
    free(all);
    free(count.types);
    free(count.stack);
    free(count.kept.at);
}

void oi_leaks_print(const ouro_leak_report *report)
{
    if (!report->objects)
        return;
    fprintf(stderr, "ouro: %zu objects (%zu bytes) were never released:\n", report->objects, report->bytes);
    for (size_t i = 0; i < report->types_count; i++)
        fprintf(stderr, "ouro: %10zu objects %12zu bytes  %s\n", report->types[i].objects, report->types[i].bytes, report->types[i].name);
}
