//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * What is left at shutdown, by type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib_runtime_runtime.h"

/* What is known of an object that is alive. */
struct entry {
    ouro_object *object;
    size_t references; /* to it, from slots of objects that are alive */
    bool leaked;       /* the program has a reference to it, or to what leads to it */
    bool kept;         /* immortal, or reachable from there */
};

/* All of them, by address: open addressing. */
struct census {
    struct entry *at;
    size_t mask, used;
    ouro_object **stack;
    size_t depth, room;
    struct {
        uint32_t id;
        size_t objects, bytes;
    } *types;
    size_t types_count;
};

static struct entry *place(const struct entry *at, size_t mask, const ouro_object *o)
{
    size_t i = ((uintptr_t)o >> 3) * 0x9e3779b97f4a7c15u >> 20 & mask;
    while (at[i].object && at[i].object != o)
        i = (i + 1) & mask;
    return (struct entry *)&at[i];
}

static struct entry *find(const struct census *census, const ouro_object *o)
{
    struct entry *entry = census->at ? place(census->at, census->mask, o) : NULL;
    return entry && entry->object ? entry : NULL;
}

static bool grow(struct census *census)
{
    size_t n = census->at ? 2 * (census->mask + 1) : 1024;
    struct entry *at = calloc(n, sizeof *at);
    if (!at)
        return false;
    for (size_t i = 0; census->at && i <= census->mask; i++) {
        if (census->at[i].object)
            *place(at, n - 1, census->at[i].object) = census->at[i];
    }
    free(census->at);
    census->at = at;
    census->mask = n - 1;
    return true;
}

static void enter(struct census *census, ouro_object *o)
{
    if ((!census->at || census->used * 2 > census->mask) && !grow(census))
        return; /* out of memory: the report says less than there is */
    place(census->at, census->mask, o)->object = o;
    census->used++;
}

/* Walks one page: enters every object that is alive. */
static void enter_page(struct oi_page *page, void *census)
{
    size_t size = oi_page_block_size(page);
    uint32_t carved = oi_load_acquire(&page->carved); /* [MO-carved] */
    for (uint32_t i = 0; page->kind != OI_PAGE_RAW && i < carved; i++) {
        ouro_object *o = (ouro_object *)(page->base + i * size);
        if (!oi_is_dead(o))
            enter(census, o);
    }
}

/* Other threads may go on: an object may have gone, or have become another, since it was entered. Its block is still there. */
static void each_ref(ouro_object *o, oi_visit_ref *fn, void *census)
{
    const struct oi_type *type = oi_type_of(o);
    if (type && oi_object_size(type, o) <= oi_page_block_size(oi_page_of(o)))
        oi_each_ref(type, o, fn, census);
}

static void count_reference(ouro_object *ref, void *census)
{
    struct entry *entry = find(census, ref);
    if (entry)
        entry->references++;
}

static void push(struct census *census, ouro_object *o)
{
    if (census->depth == census->room) {
        size_t room = census->room ? 2 * census->room : 256;
        void *stack = realloc(census->stack, room * sizeof *census->stack);
        if (!stack)
            return; /* out of memory: what it reaches counts as if nothing led there */
        census->stack = stack;
        census->room = room;
    }
    census->stack[census->depth++] = o;
}

static void mark_leaked(ouro_object *o, void *census)
{
    struct entry *entry = find(census, o);
    if (!entry || entry->leaked)
        return;
    entry->leaked = true;
    push(census, o);
}

static void mark_kept(ouro_object *o, void *census)
{
    struct entry *entry = find(census, o);
    if (!entry || entry->kept)
        return;
    entry->kept = true;
    push(census, o);
}

static bool is_immortal(const ouro_object *o)
{
    return (oi_flags(o) & OI_PUBLISHED) && (oi_shared(o) & OI_STUCK);
}

/* Marks what is reachable from every object that is a root. */
static void trace(struct census *census, bool (*is_root)(const struct entry *entry), void (*mark)(ouro_object *o, void *census))
{
    for (size_t i = 0; census->at && i <= census->mask; i++) {
        if (!census->at[i].object || !is_root(&census->at[i]))
            continue;
        for (mark(census->at[i].object, census); census->depth;) {
            ouro_object *o = census->stack[--census->depth];
            each_ref(o, mark, census);
        }
    }
}

static bool is_held(const struct entry *entry)
{
    return !is_immortal(entry->object) && ouro_refcount(entry->object) > entry->references;
}

static bool is_kept_root(const struct entry *entry)
{
    return is_immortal(entry->object);
}

static void count_type(struct census *census, uint32_t id, size_t bytes)
{
    size_t i = 0;
    if (!id)
        return;
    while (i < census->types_count && census->types[i].id != id)
        i++;
    if (i == census->types_count) {
        void *types = realloc(census->types, (i + 1) * sizeof *census->types);
        if (!types)
            return;
        census->types = types;
        census->types[census->types_count++] = (__typeof__(*census->types)){.id = id};
    }
    census->types[i].objects++;
    census->types[i].bytes += bytes;
}

static void count_entry(struct census *census, const struct entry *entry, ouro_leak_report *report)
{
    size_t bytes = oi_page_block_size(oi_page_of(entry->object));
    if (is_immortal(entry->object) || (entry->kept && !entry->leaked)) {
        report->immortal_objects++;
        return;
    }
    report->objects++;
    report->bytes += bytes;
    count_type(census, OI_TYPE_ID(oi_type_word(entry->object)), bytes);
}

static int by_bytes(const void *a, const void *b)
{
    const ouro_leak_type *x = a, *y = b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

void oi_leaks_count(ouro_leak_report *report)
{
    struct census census = {0};
    memset(report, 0, sizeof *report);
    oi_page_keep_mapped();
    oi_page_each(enter_page, &census);
    for (size_t i = 0; census.at && i <= census.mask; i++) {
        if (census.at[i].object)
            each_ref(census.at[i].object, count_reference, &census);
    }
    trace(&census, is_held, mark_leaked);
    trace(&census, is_kept_root, mark_kept);
    for (size_t i = 0; census.at && i <= census.mask; i++) {
        if (census.at[i].object)
            count_entry(&census, &census.at[i], report);
    }
    oi_page_may_unmap();
    ouro_leak_type *all = calloc(census.types_count + 1, sizeof *all);
    for (size_t i = 0; all && i < census.types_count; i++) {
        const char *name = oi_types[census.types[i].id]->descriptor->name;
        all[i] = (ouro_leak_type){name ? name : "?", census.types[i].objects, census.types[i].bytes};
    }
    if (all) {
        qsort(all, census.types_count, sizeof *all, by_bytes);
        report->types_count = census.types_count < OURO_LEAK_TYPES_MAX ? census.types_count : OURO_LEAK_TYPES_MAX;
        memcpy(report->types, all, report->types_count * sizeof *all);
    }
    free(all);
    free(census.types);
    free(census.stack);
    free(census.at);
}

void oi_leaks_print(const ouro_leak_report *report)
{
    if (!report->objects)
        return;
    fprintf(stderr, "ouro: %zu objects (%zu bytes) were never released:\n", report->objects, report->bytes);
    for (size_t i = 0; i < report->types_count; i++)
        fprintf(stderr, "ouro: %10zu objects %12zu bytes  %s\n", report->types[i].objects, report->types[i].bytes, report->types[i].name);
}
