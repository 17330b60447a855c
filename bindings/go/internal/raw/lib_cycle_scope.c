//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_scope.h"

#include <string.h>

#include "lib_cycle_mark.h"
#include "lib_port_os.h"

/* Room for the tables of all pages that a scope may have, and the lists of their members' edges behind them, of which as much is made usable as
 * any scope so far might have needed. A collection counts at random places in the tables, so they lie close together, and what is beyond the first
 * HUGE in huge pages if the system has any: with small ones nearly every access would miss the processor's table of pages. */
#define ROOM_MAX (((size_t)1 << (32 - OI_SCOPE_INDEX_BITS)) * (TABLE_MAX + LISTS_MAX))
#define TABLE_MAX ((size_t)34816)
#define LISTS_MAX (OI_UNIT / 2)
#define ROOM_SHARE 3 /* of a limited address space */
#define HUGE ((size_t)2 << 20)
/* So much of it stays with the process from one collection to the next: to be given pages of memory anew takes several times as long as to clear them. */
#define KEPT ((size_t)1 << 20)

static struct oi_scope scope;
static char *room;
static size_t room_size, room_usable;
static size_t tables_used, lists_most; /* bytes of the room: of tables, and what lists may need at the most */
static size_t refused; /* the least that the system had no memory for, as long as this scope lasts; 0: it has had all so far */
static uint32_t turn; /* of generation 2: which page gets its table first, counted from the end, for new ones come first; where there is not memory for
                       * all, others do the next time */

_Static_assert(OI_UNIT / 24 <= 1u << OI_SCOPE_INDEX_BITS, "a unit's blocks have an index each"); /* 24: the least that can hold a reference */
_Static_assert((OI_UNIT / 24 + 63) / 64 * (64 * 12 + 4 * 8) <= TABLE_MAX, "three words and four bits for each");

/* x / n for x * n < 2^32, both positive, is x * ceil(2^32 / n) >> 32 (Granlund and Montgomery, "Division by Invariant Integers using
 * Multiplication", PLDI 1994): 8 units of 8192 words, and blocks of at most 8192 words. */
static uint32_t reciprocal_of(const struct oi_page *page)
{
    return page->capacity == 1 ? 0 : (uint32_t)((((uint64_t)1 << 32) + page->block_units - 1) / page->block_units);
}

/* Less room, fewer pages in a scope. The rest of a limited address space is for the heap. */
static bool reserve_room(void)
{
    room_size = oi_os_address_limit() / ROOM_SHARE / HUGE * HUGE;
    room_size = room_size < HUGE ? HUGE : room_size < ROOM_MAX ? room_size : ROOM_MAX;
    while (!(room = oi_os_reserve(room_size, HUGE)) && room_size > HUGE)
        room_size = room_size / 2 / HUGE * HUGE;
    return room;
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
    return scope.pinned && scope.pages && scope.extents && (room || reserve_room());
}

static unsigned units_of(const struct oi_page *page)
{
    size_t bytes = (size_t)page->capacity * oi_page_block_size(page);
    return oi_segment_of(page)->size > OI_SEGMENT ? 1 : (unsigned)(oi_round_up(bytes, OI_UNIT) / OI_UNIT);
}

/* ---- places ---- */

/* A page may take many units, and a scope so many pages that they would not all fit. */
size_t oi_scope_units_max = OI_SCOPE_PLACES / 2;

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

static bool make_usable(size_t size)
{
    size = oi_round_up(size, HUGE);
    if (size <= room_usable)
        return true;
    if (size > room_size || (refused && size >= refused))
        return false;
    if (!oi_os_make_usable(room + room_usable, size - room_usable)) {
        refused = size;
        return false;
    }
    size_t small = room_usable ? room_usable : HUGE;
    if (size > small)
        oi_os_prefer_huge(room + small, size - small);
    room_usable = size;
    return true;
}

/* Memory that reads as zero, and so many bytes more for lists; NULL if there is none. */
static char *take_table(size_t size, size_t lists)
{
    if (!make_usable(tables_used + size + lists_most + lists))
        return NULL;
    lists_most += lists;
    tables_used += size;
    return room + tables_used - size;
}

/* Stand for the tables of pages that have none. */
#define BLOCKS_MAX ((size_t)1 << OI_SCOPE_INDEX_BITS)
struct oi_scope_bits oi_scope_nothing[BLOCKS_MAX / 64];
static int32_t counted_for_nothing[BLOCKS_MAX];

static void enter(uint32_t number, struct oi_page *page)
{
    scope.pages[number] = (struct oi_scope_page){
        .base = page->base,
        .words = page->block_units,
        .reciprocal = reciprocal_of(page),
        .estimate = counted_for_nothing,
        .bits = oi_scope_nothing,
    };
    scope.extents[number] = (struct oi_scope_extent){.carved = oi_load_acquire(&page->carved)}; /* [MO-carved] */
    set_places(page, number);
}

bool oi_scope_furnish(struct oi_scope *scope, uint32_t number)
{
    const struct oi_page *page = scope->pinned[number - 1];
    struct oi_scope_page *at = &scope->pages[number];
    struct oi_scope_extent *extent = &scope->extents[number];
    size_t blocks = oi_round_up(page->capacity, 64);
    size_t numbers = blocks * 4 * (scope->keeps_counts ? 3 : 2);
    char *table = take_table(numbers + blocks / 64 * sizeof *at->bits, (size_t)page->capacity * page->block_units * 4);
    if (!table) {
        scope->is_partial = true;
        return false;
    }
    at->estimate = (int32_t *)table;
    at->edges = (uint32_t *)(table + blocks * 4);
    at->bits = (struct oi_scope_bits *)(table + numbers);
    extent->count = scope->keeps_counts ? (int32_t *)(table + blocks * 8) : NULL;
    OI_ASSERT(!scope->list);
    return true;
}

/* Those from that one on have their turn in the next collection of generation 1. */
static void let_go_from(uint32_t first, bool collecting)
{
    uint32_t rest = scope.count - first;
    clear_places_from(first);
    for (uint32_t i = first; i < scope.count && collecting; i++)
        oi_page_set_published(scope.pinned[i]);
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
                oi_unmark(o);
        }
    }
}

static void begin(void)
{
    refused = 0;
    scope.is_marked = false;
    if (scope.count) {
        unmark_all();
        oi_os_clear(oi_scope_places, sizeof oi_scope_places); /* which may be half entered, or half taken out */
        oi_os_clear(room, room_usable); /* it may not have said how far it had come */
        oi_scope_leave(&scope);
    }
}

static void enter_pinned(bool collecting)
{
    size_t units = 0;
    scope.is_partial = scope.count == OI_SCOPE_PAGES_MAX;
    farthest = 0;
    for (uint32_t i = 0; i < scope.count; i++) {
        if ((units += units_of(scope.pinned[i])) > oi_scope_units_max) {
            let_go_from(i, collecting);
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
    enter_pinned(true);
    return &scope;
}

/* Pages for whose notes there is no memory stay as they are: none of their objects is a member, so what they refer to is kept. Returns from where to
 * go on the next time: the first of them that others left no memory for; or behind the last page. */
static uint32_t furnish_from(struct oi_scope *scope, uint32_t first, bool collecting)
{
    uint32_t next = scope->count;
    bool some = false;
    for (uint32_t k = 0; k < scope->count; k++) {
        uint32_t i = (first + k) % scope->count;
        if (oi_scope_furnish(scope, i + 1)) {
            some = true;
            continue;
        }
        if (collecting)
            oi_page_set_published(scope->pinned[i]); /* for the next collection of generation 1 */
        if (some && next == scope->count)
            next = i;
    }
    return next;
}

void oi_scope_furnish_all(struct oi_scope *scope)
{
    uint32_t next = furnish_from(scope, scope->keeps_counts && turn < scope->count ? scope->count - turn : 0, true);
    if (scope->keeps_counts)
        turn = scope->count - next;
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
    enter_pinned(false);
    furnish_from(&scope, 0, false);
    return &scope;
}

void oi_scope_look_again(struct oi_scope *scope)
{
    for (uint32_t i = 0; i < scope->count; i++)
        scope->extents[i + 1].carved = oi_load_acquire(&scope->pinned[i]->carved); /* [MO-carved] */
}

static void clear_room(struct oi_scope *scope)
{
    /* The last member's only edge may have been put down behind all lists. */
    size_t used = scope->list ? (size_t)((char *)(scope->list + 2) - room) : tables_used;
    memset(room, 0, used < KEPT ? used : KEPT);
    if (used > KEPT)
        oi_os_clear(room + KEPT, (used < room_usable ? oi_round_up(used, HUGE) : room_usable) - KEPT);
    tables_used = lists_most = 0;
    scope->list = NULL;
}

void oi_scope_clear(struct oi_scope *scope)
{
    clear_room(scope);
    for (uint32_t i = 0; i < scope->count; i++)
        enter(i + 1, scope->pinned[i]);
}

void oi_scope_leave(struct oi_scope *leaving)
{
    static uint8_t departures;
    clear_room(leaving);
    /* Or it might overflow one day. Where no page lacks a table that should have one, few references have been counted there, if any: those from what
     * was stored while candidates were followed, and of tokens. */
    if (leaving->is_partial || !++departures)
        memset(counted_for_nothing, 0, sizeof counted_for_nothing);
    leaving->breathe = NULL;
    clear_places_from(0);
    oi_page_unpin(leaving->pinned, &leaving->count);
}

void oi_scope_begin_lists(struct oi_scope *scope)
{
    scope->list = (uint32_t *)(room + tables_used);
}

size_t oi_scope_count_members(struct oi_scope *scope)
{
    size_t members = 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        struct oi_scope_extent *extent = &scope->extents[number];
        size_t before = members;
        for (uint32_t word = 0; extent->has_members && word * 64 < extent->carved; word++)
            members += (size_t)__builtin_popcountl(scope->pages[number].bits[word].member);
        extent->has_members = members != before;
    }
    return members;
}
