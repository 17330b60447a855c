//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_scope.h"

#include <string.h>

#include "lib_port_os.h"

static struct oi_scope scope;

_Static_assert(OI_UNIT / 24 <= 1u << OI_SCOPE_INDEX_BITS, "a unit's blocks have an index each");
_Static_assert((OI_UNIT / 24) * 4 + OI_UNIT / 24 / 8 + 16 <= OI_SHADOW_TABLE, "a word and a bit for each");

/* x / n for x * n < 2^32, both positive, is x * ceil(2^32 / n) >> 32 (Granlund and Montgomery, "Division by Invariant Integers using
 * Multiplication", PLDI 1994): 8 units of 8192 words, and blocks of at most 8192 words. */
static uint32_t reciprocal_of(const struct oi_page *page)
{
    return page->capacity == 1 ? 0 : (uint32_t)((((uint64_t)1 << 32) + page->block_units - 1) / page->block_units);
}

bool oi_scope_init(void)
{
    if (!scope.pinned)
        scope.pinned = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.pinned, OI_UNIT);
    if (!scope.pages)
        scope.pages = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.pages, OI_UNIT);
    if (!scope.extents)
        scope.extents = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.extents, OI_UNIT);
    if (!scope.segments)
        scope.segments = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.segments, OI_UNIT);
    return scope.pinned && scope.pages && scope.extents && scope.segments;
}

static unsigned units_of(const struct oi_page *page)
{
    size_t bytes = (size_t)page->capacity * oi_page_block_size(page);
    return oi_segment_of(page)->size > OI_SEGMENT ? 1 : (unsigned)(oi_round_up(bytes, OI_UNIT) / OI_UNIT);
}

static void set_number(struct oi_page *page, uint32_t number)
{
    struct oi_segment *segment = oi_segment_of(page);
    for (unsigned i = 0, n = units_of(page); i < n; i++)
        segment->number[page - segment->pages + i] = number;
}

static void enter(uint32_t number, struct oi_page *page)
{
    struct oi_segment *segment = oi_segment_of(page);
    char *table = segment->shadow + (size_t)(page - segment->pages) * OI_SHADOW_TABLE;
    scope.pages[number] = (struct oi_scope_page){
        .base = page->base,
        .words = page->block_units,
        .reciprocal = reciprocal_of(page),
        .estimate = (int32_t *)table,
        .member = (uint64_t *)(table + oi_round_up((size_t)page->capacity * 4, 8)),
    };
    scope.extents[number] = (struct oi_scope_extent){.carved = oi_load_acquire(&page->carved)}; /* [MO-carved] */
    memset(table, 0, oi_round_up((size_t)page->capacity * 4, 8) + oi_round_up(page->capacity, 64) / 8);
    set_number(page, number);
    if (!scope.segment_count || scope.segments[scope.segment_count - 1] != segment)
        scope.segments[scope.segment_count++] = segment;
}

/* What a collector that vanished in a fork has left: its marks, which would make live objects look doomed to weak references. */
static void unmark_all(void)
{
    for (uint32_t i = 0; i < scope.count; i++) {
        struct oi_page *page = scope.pinned[i];
        for (uint32_t k = 0; k < oi_load_acquire(&page->carved); k++) { /* [MO-carved] */
            ouro_object *o = (ouro_object *)(page->base + k * oi_page_block_size(page));
            if (oi_owner(o) & OI_CAND)
                oi_fetch_and_acqrel(&o->ouro_private_owner, 0x7fff); /* [MO-touch] */
        }
    }
}

struct oi_scope *oi_scope_enter(int generation)
{
    if (scope.count) {
        unmark_all();
        oi_scope_leave(&scope);
    }
    scope.segment_count = 0;
    oi_page_pin(scope.pinned, &scope.count, OI_SCOPE_PAGES_MAX, generation < 2);
    for (uint32_t i = 0; i < scope.count; i++)
        enter(i + 1, scope.pinned[i]);
    return &scope;
}

void oi_scope_leave(struct oi_scope *leaving)
{
    for (; leaving->segment_count; leaving->segment_count--) {
        struct oi_segment *segment = leaving->segments[leaving->segment_count - 1];
        oi_os_purge(segment->shadow, oi_shadow_size(segment->size));
    }
    for (uint32_t i = 0; i < leaving->count; i++)
        set_number(leaving->pinned[i], 0);
    oi_page_unpin(leaving->pinned, &leaving->count);
}

size_t oi_scope_count_members(struct oi_scope *scope)
{
    size_t members = 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        struct oi_scope_extent *extent = &scope->extents[number];
        size_t before = members;
        for (uint32_t word = 0; extent->has_members && word * 64 < extent->carved; word++)
            members += (size_t)__builtin_popcountl(scope->pages[number].member[word]);
        extent->has_members = members != before;
    }
    return members;
}
