//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_scope.h"

#include "lib_port_os.h"

/* Room for the tables of all pages that a scope may have, of which as much is made usable as any scope so far has needed. A collection counts at
 * random places in them, so they lie close together, and what is beyond the first HUGE in huge pages if the system has any: with small ones
 * nearly every access would miss the processor's table of pages. */
#define TABLES_MAX (((size_t)1 << (32 - OI_SCOPE_INDEX_BITS)) * TABLE_MAX)
#define TABLE_MAX ((size_t)24576)
#define HUGE ((size_t)2 << 20)

/* With so many of a segment's units in the scope, one huge page of notes costs less than faulting in the small ones. */
#define MANY_UNITS (OI_SEGMENT_UNITS / 2)

static struct oi_scope scope;
static char *tables;
static size_t tables_size, tables_usable, tables_used;

_Static_assert(OI_UNIT / 24 <= 1u << OI_SCOPE_INDEX_BITS, "a unit's blocks have an index each");
_Static_assert((OI_UNIT / 24) * 8 + OI_UNIT / 24 / 4 + 80 <= TABLE_MAX, "two words and two bits for each"); /* 24: the least that can hold a reference */

/* x / n for x * n < 2^32, both positive, is x * ceil(2^32 / n) >> 32 (Granlund and Montgomery, "Division by Invariant Integers using
 * Multiplication", PLDI 1994): 8 units of 8192 words, and blocks of at most 8192 words. */
static uint32_t reciprocal_of(const struct oi_page *page)
{
    return page->capacity == 1 ? 0 : (uint32_t)((((uint64_t)1 << 32) + page->block_units - 1) / page->block_units);
}

/* Less room, fewer pages in a scope. */
static bool reserve_tables(void)
{
    tables_size = TABLES_MAX;
    while (!(tables = oi_os_reserve(tables_size, HUGE)) && tables_size > HUGE)
        tables_size /= 2;
    return tables;
}

bool oi_scope_init(void)
{
    oi_os_prefer_small(oi_scope_places, sizeof oi_scope_places);
    if (!scope.pinned)
        scope.pinned = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.pinned, OI_UNIT);
    if (!scope.pages)
        scope.pages = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.pages, OI_UNIT);
    if (!scope.extents)
        scope.extents = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.extents, OI_UNIT);
    if (!scope.segments)
        scope.segments = oi_os_map((OI_SCOPE_PAGES_MAX + 1) * sizeof *scope.segments, OI_UNIT);
    return scope.pinned && scope.pages && scope.extents && scope.segments && (tables || reserve_tables());
}

static unsigned units_of(const struct oi_page *page)
{
    size_t bytes = (size_t)page->capacity * oi_page_block_size(page);
    return oi_segment_of(page)->size > OI_SEGMENT ? 1 : (unsigned)(oi_round_up(bytes, OI_UNIT) / OI_UNIT);
}

/* ---- places ---- */

/* A page may take many units, and a scope so many pages that they would not all fit. */
#define UNITS_MAX (OI_SCOPE_PLACES / 2)

_Alignas(OI_UNIT) struct oi_scope_place oi_scope_places[OI_SCOPE_PLACES]; /* of which a heap touches what it needs */
static size_t farthest; /* that a unit is from the place that is its own */

static void set_place(uint32_t unit, uint32_t number)
{
    size_t far = 0;
    struct oi_scope_place *place;
    while ((place = &oi_scope_places[oi_scope_place(unit, far)])->number && place->unit != unit)
        far++;
    farthest = far > farthest ? far : farthest;
    *place = (struct oi_scope_place){unit, number};
}

/* Whatever else has been taken out before it. */
static void clear_place(uint32_t unit)
{
    for (size_t far = 0; far <= farthest; far++) {
        struct oi_scope_place *place = &oi_scope_places[oi_scope_place(unit, far)];
        if (place->unit == unit)
            *place = (struct oi_scope_place){0};
    }
}

static void set_places(const struct oi_page *page, uint32_t number)
{
    for (unsigned i = 0, n = units_of(page); i < n; i++)
        set_place(oi_scope_unit(page->base) + i, number);
}

/* Of the pages from that one on. What was entered before them is found as it was when they had not been. */
static void clear_places_from(uint32_t first)
{
    for (uint32_t at = first; at < scope.count; at++) {
        for (unsigned i = 0, n = units_of(scope.pinned[at]); i < n; i++)
            clear_place(oi_scope_unit(scope.pinned[at]->base) + i);
    }
}

/* ---- tables ---- */

/* Memory that reads as zero; NULL if there is none. */
static char *take_table(size_t size)
{
    if (tables_used + size > tables_usable) {
        if (tables_usable + HUGE > tables_size || !oi_os_make_usable(tables + tables_usable, HUGE))
            return NULL;
        if (tables_usable)
            oi_os_prefer_huge(tables + tables_usable, HUGE);
        tables_usable += HUGE;
    }
    tables_used += size;
    return tables + tables_used - size;
}

/* Stand for the tables of pages that have none. */
#define BLOCKS_MAX ((size_t)1 << OI_SCOPE_INDEX_BITS)
uint64_t oi_scope_nothing[BLOCKS_MAX / 64];
static int32_t counted_for_nothing[BLOCKS_MAX];

static void enter(uint32_t number, struct oi_page *page)
{
    scope.pages[number] = (struct oi_scope_page){
        .base = page->base,
        .words = page->block_units,
        .reciprocal = reciprocal_of(page),
        .estimate = counted_for_nothing,
        .member = oi_scope_nothing,
        .gray = oi_scope_nothing,
    };
    scope.extents[number] = (struct oi_scope_extent){.carved = oi_load_acquire(&page->carved)}; /* [MO-carved] */
    set_places(page, number);
}

bool oi_scope_furnish(struct oi_scope *scope, uint32_t number)
{
    const struct oi_page *page = scope->pinned[number - 1];
    struct oi_segment *segment = oi_segment_of(page);
    struct oi_scope_page *at = &scope->pages[number];
    size_t estimates = (size_t)page->capacity * 4, counts = scope->keeps_counts ? estimates : 0;
    size_t words = oi_round_up(estimates + counts, 8), bits = oi_round_up(page->capacity, 64) / 8;
    char *table = take_table(oi_round_up(words + 2 * bits, 64));
    if (!table)
        return false;
    at->estimate = (int32_t *)table;
    at->member = (uint64_t *)(table + words);
    at->gray = (uint64_t *)(table + words + bits);
    scope->extents[number].count = counts ? (int32_t *)(table + estimates) : NULL;
    if (!segment->in_scope) {
        scope->segments[scope->segment_count++] = segment;
        oi_os_prefer_small(segment->shadow, oi_shadow_size(segment->size)); /* until enough of the segment is in the scope */
    }
    segment->in_scope = true;
    return true;
}

/* Those from that one on are for another collection. */
static void let_go_from(uint32_t first)
{
    uint32_t rest = scope.count - first;
    clear_places_from(first);
    scope.count = first;
    scope.is_partial = true;
    oi_page_unpin(scope.pinned + first, &rest);
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

static void begin(void)
{
    if (scope.count) {
        unmark_all();
        oi_os_clear(oi_scope_places, sizeof oi_scope_places); /* which may be half entered, or half taken out */
        oi_scope_leave(&scope);
    }
    scope.segment_count = 0;
}

static void enter_pinned(void)
{
    size_t units = 0;
    scope.is_partial = scope.count == OI_SCOPE_PAGES_MAX;
    farthest = 0;
    for (uint32_t i = 0; i < scope.count; i++) {
        if ((units += units_of(scope.pinned[i])) > UNITS_MAX) {
            let_go_from(i);
            return;
        }
        enter(i + 1, scope.pinned[i]);
    }
}

struct oi_scope *oi_scope_open(int generation)
{
    begin();
    scope.keeps_counts = generation == 2;
    oi_page_pin(scope.pinned, &scope.count, OI_SCOPE_PAGES_MAX, generation < 2);
    enter_pinned();
    return &scope;
}

void oi_scope_furnish_all(struct oi_scope *scope)
{
    struct oi_segment *last = NULL;
    for (uint32_t i = 0, units = 0; i < scope->count; i++) {
        struct oi_segment *segment = oi_segment_of(scope->pinned[i]);
        if (!oi_scope_furnish(scope, i + 1)) {
            let_go_from(i);
            return;
        }
        uint32_t more = units_of(scope->pinned[i]);
        units = segment == last ? units + more : more;
        last = segment;
        if (units - more < MANY_UNITS && units >= MANY_UNITS)
            oi_os_prefer_huge(segment->shadow, oi_shadow_size(segment->size));
    }
}

struct oi_scope *oi_scope_enter(int generation)
{
    oi_scope_open(generation);
    oi_scope_furnish_all(&scope);
    return &scope;
}

struct oi_scope *oi_scope_enter_all(void)
{
    begin();
    scope.keeps_counts = false;
    oi_page_pin_all(scope.pinned, &scope.count, OI_SCOPE_PAGES_MAX);
    enter_pinned();
    oi_scope_furnish_all(&scope);
    return &scope;
}

void oi_scope_look_again(struct oi_scope *scope)
{
    for (uint32_t i = 0; i < scope->count; i++)
        scope->extents[i + 1].carved = oi_load_acquire(&scope->pinned[i]->carved); /* [MO-carved] */
}

void oi_scope_clear(struct oi_scope *scope)
{
    oi_os_clear(tables, oi_round_up(tables_used, HUGE));
    tables_used = 0;
    for (uint32_t i = 0; i < scope->count; i++)
        enter(i + 1, scope->pinned[i]);
}

void oi_scope_leave(struct oi_scope *leaving)
{
    for (; leaving->segment_count; leaving->segment_count--) {
        struct oi_segment *segment = leaving->segments[leaving->segment_count - 1];
        segment->in_scope = false;
        oi_os_clear(segment->shadow, oi_shadow_size(segment->size));
    }
    oi_os_clear(tables, oi_round_up(tables_used, HUGE));
    tables_used = 0;
    leaving->breathe = NULL;
    clear_places_from(0);
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
