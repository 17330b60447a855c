/* SPDX-License-Identifier: MIT */
#include "runtime/census.h"

#include <stdlib.h>

static struct oi_census_entry *place(const struct oi_census_entry *at, size_t mask, const ouro_object *o)
{
    size_t i = ((uintptr_t)o >> 3) * 0x9e3779b97f4a7c15u >> 20 & mask;
    while (at[i].object && at[i].object != o)
        i = (i + 1) & mask;
    return (struct oi_census_entry *)&at[i];
}

struct oi_census_entry *oi_census_find(const struct oi_census *census, const ouro_object *o)
{
    struct oi_census_entry *entry = census->at ? place(census->at, census->mask, o) : NULL;
    return entry && entry->object ? entry : NULL;
}

static bool grow(struct oi_census *census)
{
    size_t n = census->at ? 2 * (census->mask + 1) : 1024;
    struct oi_census_entry *at = calloc(n, sizeof *at);
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

static void enter(struct oi_census *census, ouro_object *o)
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
static void each_ref(ouro_object *o, oi_visit_ref *fn, void *arg)
{
    uint32_t word = oi_type_word(o);
    const struct oi_type *type = oi_type_by(word);
    if (type && oi_object_size(type, o) <= oi_page_block_size(oi_page_of(o)))
        oi_each_ref(word, o, fn, arg);
}

static void count_reference(ouro_object *ref, void *census)
{
    struct oi_census_entry *entry = oi_census_find(census, ref);
    if (entry)
        entry->references++;
}

static void push(struct oi_census *census, ouro_object *o)
{
    if (census->tail == census->room) {
        size_t room = census->room ? 2 * census->room : 256;
        void *queue = realloc(census->queue, room * sizeof *census->queue);
        if (!queue)
            return; /* out of memory: what it reaches counts as if nothing led there */
        census->queue = queue;
        census->room = room;
    }
    census->queue[census->tail++] = o;
}

/* What is met from one object. */
struct meeting {
    struct oi_census *census;
    ouro_object *leader; /* or NULL */
};

static void mark_leaked(ouro_object *o, void *arg)
{
    const struct meeting *meeting = arg;
    struct oi_census_entry *entry = oi_census_find(meeting->census, o);
    if (!entry || entry->leaked)
        return;
    entry->leaked = true;
    entry->leader = meeting->leader;
    push(meeting->census, o);
}

static void mark_kept(ouro_object *o, void *arg)
{
    const struct meeting *meeting = arg;
    struct oi_census_entry *entry = oi_census_find(meeting->census, o);
    if (!entry || entry->kept)
        return;
    entry->kept = true;
    push(meeting->census, o);
}

static bool is_immortal(const ouro_object *o)
{
    return (oi_flags(o) & OI_PUBLISHED) && (oi_shared(o) & OI_STUCK);
}

/* Marks what is reachable from the objects that are roots, the nearest first. */
static void trace(struct oi_census *census, bool (*is_root)(const struct oi_census_entry *entry), oi_visit_ref *mark)
{
    struct meeting meeting = {census, NULL};
    census->head = census->tail = 0;
    for (size_t i = 0; census->at && i <= census->mask; i++) {
        if (census->at[i].object && is_root(&census->at[i]))
            mark(census->at[i].object, &meeting);
    }
    while (census->head < census->tail) {
        meeting.leader = census->queue[census->head++];
        each_ref(meeting.leader, mark, &meeting);
    }
}

static bool is_held(const struct oi_census_entry *entry)
{
    return !is_immortal(entry->object) && ouro_refcount(entry->object) > entry->references;
}

static bool is_kept_root(const struct oi_census_entry *entry)
{
    return is_immortal(entry->object);
}

bool oi_census_is_leak(const struct oi_census_entry *entry)
{
    return !is_immortal(entry->object) && (entry->leaked || !entry->kept);
}

void oi_census_take(struct oi_census *census)
{
    *census = (struct oi_census){0};
    oi_page_keep_mapped();
    oi_page_each(enter_page, census);
    for (size_t i = 0; census->at && i <= census->mask; i++) {
        if (census->at[i].object)
            each_ref(census->at[i].object, count_reference, census);
    }
    trace(census, is_held, mark_leaked);
    trace(census, is_kept_root, mark_kept);
}

void oi_census_drop(struct oi_census *census)
{
    oi_page_may_unmap();
    free(census->queue);
    free(census->at);
}
