/* SPDX-License-Identifier: MIT
 *
 * The scope of a concurrent collection: the pages that it looks at, pinned, and what it notes down about their objects, all of it
 * in address space that was reserved at start. It allocates nothing.
 *
 *     id          a block of the scope in 32 bits: page number << 12 | index in the page; never 0
 *     member      a bit per block: in the set of objects that may be garbage
 *     gray        a bit per block: no member any more, and what it refers to is still to be followed
 *     estimate    an int32 per block: first references to it from elsewhere, then (P3) recorded references from members, less its count
 *     edges       a uint32 per block, members only, for the blocks of the scope that its slots referred to when they were read: 0: none; the id of
 *                 the only one; or where their list is, which begins with their number
 *     one_edge    a bit per block: which of these, where there is one or a list
 *     outside     a bit per block, members only: some slot referred to what is not on the scope's pages
 *     count       an int32 per block, in generation 2: how many references the object had when it was looked at, and one more; 0: not looked at
 *
 * Pages get their tables when they are needed: all at once, or, while a collection follows candidates, the first time that it
 * gets to a page. Until then, none of the page's blocks is a member, and what is counted there counts for nothing. The lists of edges lie behind
 * all tables, one after the other, and room for all that there could be is made sure of with each table.
 *
 * Only the collecting thread reads or writes any of this. */
#pragma once

#include "lib_object_act.h"
#include "lib_port_perturb.h"
#include "lib_port_tsan.h"

#define OI_SCOPE_INDEX_BITS 12
#define OI_SCOPE_PAGES_MAX (((size_t)1 << (32 - OI_SCOPE_INDEX_BITS)) - 1) /* 64 GiB of small objects */

typedef uint32_t oi_id;

struct oi_scope_bits {
    uint64_t member, gray, one_edge, outside;
};

/* What is looked up all the time, small enough for the processor's nearest cache. */
struct oi_scope_page {
    char *base;
    int32_t *estimate;
    uint32_t *edges;
    struct oi_scope_bits *bits; /* of 64 blocks each */
    uint32_t words;             /* of 8 bytes in a block */
    uint32_t reciprocal;        /* of that, times 2^32, rounded up; 0: one block */
};

struct oi_scope_extent {
    uint32_t carved;     /* blocks that there were when the collection began */
    uint32_t next_gray;  /* on the list of pages with gray blocks, if it is */
    bool is_gray;
    bool has_members;    /* or had */
    int32_t *count;      /* NULL: not kept */
    uint32_t *lists;     /* of edges, [1 ..]; NULL: there are none */
};

#define OI_SCOPE_BREATH 8u /* read sections */

struct oi_scope {
    struct oi_page **pinned;         /* [0 .. count - 1] */
    struct oi_scope_page *pages;     /* [1 .. count], and the next */
    struct oi_scope_extent *extents;
    uint32_t *list;                  /* where the next list of edges will be */
    uint32_t count;
    bool keeps_counts;               /* generation 2 */
    bool is_marked;                  /* its members have marks already (cycle/presume.h) */
    bool is_closed;                  /* members refer to members only, as their edges were noted */
    bool is_partial;                 /* there are pages of the generation that are not in it, or have no tables when they should */
    struct oi_stack_node *tokens;    /* references that the collecting thread holds, but nobody needs: they count as a member's */
    void (*breathe)(void);           /* who collects; see concurrent.h */
    uint32_t sections;               /* read sections that have ended */
};

/* Reserves address space for the tables and lists of a scope, once. False: there is none. */
bool oi_scope_init(void);

/* The one scope that there is; its user is whoever collects. Takes in the pages of a generation. */
struct oi_scope *oi_scope_enter(int generation);

/* The same, but its pages have no tables yet. */
struct oi_scope *oi_scope_open(int generation);

/* For a look at all pages that says nothing to collections: what is recent stays so. */
struct oi_scope *oi_scope_enter_all(void);

/* Where all that there is would be more than a scope has room for, 64 GiB, the rest is for the next collections of generation 1. Tests make do with less. */
extern size_t oi_scope_units_max;

/* Takes in what blocks its pages have got since it was opened; before anything is looked at. */
void oi_scope_look_again(struct oi_scope *scope);

/* Gives the page its tables. False: there is no memory, and the scope is partial. */
bool oi_scope_furnish(struct oi_scope *scope, uint32_t number);

/* Gives all pages tables, as long as there is memory. */
void oi_scope_furnish_all(struct oi_scope *scope);

/* Forgets what has been noted so far, before anything was marked: no page has tables. */
void oi_scope_clear(struct oi_scope *scope);

/* All pages that need tables have them: what is behind is for lists. */
void oi_scope_begin_lists(struct oi_scope *scope);

size_t oi_scope_count_members(struct oi_scope *scope);

/* Lets the pages go, and returns the memory of tables and lists to the system, but for the first MiB, which it clears. */
void oi_scope_leave(struct oi_scope *scope);

static inline struct oi_scope_page *oi_scope_page_of(const struct oi_scope *scope, oi_id id)
{
    return &scope->pages[id >> OI_SCOPE_INDEX_BITS];
}

extern struct oi_scope_bits oi_scope_nothing[]; /* those of pages without tables */

/* Where the pages are: a hash table of the units that they take, by address, with open addressing, and twice as large as what may be in it. It is
 * looked into for every reference. Side by side, the units of a heap take a few cache lines; in the headers of their segments, which lie
 * OI_SEGMENT apart, they would all want the same ones. */
#define OI_SCOPE_PLACES ((size_t)1 << 21)

struct oi_scope_place {
    uint32_t unit;   /* its address in units of OI_UNIT: user addresses have 48 bits at most unless a program asks for more */
    uint32_t number; /* of the page; 0: nothing here */
};

extern struct oi_scope_place oi_scope_places[OI_SCOPE_PLACES];

/* Where the search for a unit begins. Units that lie OI_SCOPE_PLACES apart want the same place; in debug builds also four that lie side by side do,
 * or tests would hardly meet it. */
static OI_ALWAYS_INLINE size_t oi_scope_place(uint32_t unit, size_t far)
{
    return ((OURO_DEBUG ? unit / 4 : unit) + far) % OI_SCOPE_PLACES;
}

/* All estimates together fit into a processor's second cache: at most 700 KB. */
static inline bool oi_scope_is_small(const struct oi_scope *scope)
{
    return scope->count <= 64;
}

static inline bool oi_scope_is_furnished(const struct oi_scope *scope, uint32_t number)
{
    return scope->pages[number].bits != oi_scope_nothing;
}

static inline uint32_t oi_scope_index(oi_id id)
{
    return id & ((1u << OI_SCOPE_INDEX_BITS) - 1);
}

static inline oi_id oi_scope_id(uint32_t number, uint32_t index)
{
    return number << OI_SCOPE_INDEX_BITS | index;
}

static inline ouro_object *oi_scope_at(const struct oi_scope_page *page, uint32_t index)
{
    return (ouro_object *)(page->base + (size_t)index * page->words * 8);
}

static OI_ALWAYS_INLINE uint32_t oi_scope_unit(const void *address)
{
    return (uint32_t)((uintptr_t)address >> OI_UNIT_SHIFT);
}

/* The number of the page that an address is in, or 0. */
static OI_ALWAYS_INLINE uint32_t oi_scope_number(const void *address)
{
    uint32_t unit = oi_scope_unit(address);
    for (size_t far = 0;; far++) {
        const struct oi_scope_place *place = &oi_scope_places[oi_scope_place(unit, far)];
        if (OI_LIKELY(place->unit == unit) || !place->number)
            return place->number;
    }
}

/* Where an object's block is; number: 0, its page is not in the scope. The block is safe to look at. */
struct oi_spot {
    uint32_t number, index;
};

static OI_ALWAYS_INLINE struct oi_spot oi_scope_locate(const struct oi_scope *scope, const ouro_object *o)
{
    uint32_t number = oi_scope_number(o);
    if (!number) {
        /* Its segment may have been mapped just now: its header is ordered by the dependency on the address that was read from a slot. */
        oi_tsan_acquire(oi_segment_of(o));
        return (struct oi_spot){0, 0};
    }
    const struct oi_scope_page *page = &scope->pages[number];
    uint64_t at = (uint64_t)((const char *)o - page->base) / 8;
    return (struct oi_spot){number, (uint32_t)(at * page->reciprocal >> 32)}; /* exact: scope.c */
}

static OI_ALWAYS_INLINE oi_id oi_scope_find(const struct oi_scope *scope, const ouro_object *o)
{
    struct oi_spot spot = oi_scope_locate(scope, o);
    return oi_scope_id(spot.number, spot.index);
}

static inline ouro_object *oi_scope_object(const struct oi_scope *scope, oi_id id)
{
    return oi_scope_at(oi_scope_page_of(scope, id), oi_scope_index(id));
}

static inline int32_t *oi_scope_estimate(const struct oi_scope *scope, oi_id id)
{
    return &oi_scope_page_of(scope, id)->estimate[oi_scope_index(id)];
}

static inline int32_t *oi_scope_estimate_at(const struct oi_scope *scope, struct oi_spot spot)
{
    return &scope->pages[spot.number].estimate[spot.index];
}

static inline bool oi_scope_is_member(const struct oi_scope *scope, oi_id id)
{
    uint32_t index = oi_scope_index(id);
    return oi_scope_page_of(scope, id)->bits[index / 64].member >> index % 64 & 1;
}

static inline void oi_scope_drop(struct oi_scope *scope, oi_id id)
{
    uint32_t index = oi_scope_index(id);
    oi_scope_page_of(scope, id)->bits[index / 64].member &= ~((uint64_t)1 << index % 64);
}

/* ---- members ---- */

struct oi_member {
    const struct oi_scope_page *page; /* of a walk, a copy: what a visitor writes changes none of it, so that it stays in registers */
    struct oi_scope_bits *bits;       /* its own among them: oi_member_bit */
    uint32_t number, index;
    ouro_object *object;
};

static OI_ALWAYS_INLINE struct oi_member oi_scope_member(const struct oi_scope *scope, oi_id id)
{
    const struct oi_scope_page *page = oi_scope_page_of(scope, id);
    uint32_t index = oi_scope_index(id);
    return (struct oi_member){page, &page->bits[index / 64], id >> OI_SCOPE_INDEX_BITS, index, oi_scope_at(page, index)};
}

static OI_ALWAYS_INLINE oi_id oi_member_id(struct oi_member member)
{
    return oi_scope_id(member.number, member.index);
}

static OI_ALWAYS_INLINE int32_t *oi_member_estimate(struct oi_member member)
{
    return &member.page->estimate[member.index];
}

static OI_ALWAYS_INLINE uint64_t oi_member_bit(struct oi_member member)
{
    return (uint64_t)1 << member.index % 64;
}

static OI_ALWAYS_INLINE void oi_scope_note_outside(struct oi_member member)
{
    member.bits->outside |= oi_member_bit(member);
}

static OI_ALWAYS_INLINE bool oi_scope_leads_outside(struct oi_member member)
{
    return member.bits->outside & oi_member_bit(member);
}

/* Of a member none of whose edges have been noted yet: its only one. */
static OI_ALWAYS_INLINE void oi_scope_note_edge(struct oi_member member, oi_id to)
{
    member.page->edges[member.index] = to;
    member.bits->one_edge |= oi_member_bit(member);
}

/* The same for any number of them. The caller has put them at scope->list[1 .. n], where there is room for one less than the
 * member's block has words. */
static OI_ALWAYS_INLINE void oi_scope_note_edges(struct oi_scope *scope, struct oi_member member, uint32_t n)
{
    struct oi_scope_extent *extent = &scope->extents[member.number];
    uint32_t *list = scope->list;
    if (n == 1) {
        oi_scope_note_edge(member, list[1]);
    } else if (n) {
        if (!extent->lists)
            extent->lists = list - 1;
        member.page->edges[member.index] = (uint32_t)(list - extent->lists);
        list[0] = n;
        scope->list = list + n + 1;
    }
}

/* Returns a member's edges, as they were noted, and sets their number. */
static OI_ALWAYS_INLINE const uint32_t *oi_scope_edges(const struct oi_scope *scope, struct oi_member member, uint32_t *n)
{
    const uint32_t *at = &member.page->edges[member.index];
    if (!*at || member.bits->one_edge & oi_member_bit(member)) {
        *n = *at != 0;
        return at;
    }
    at = scope->extents[member.number].lists + *at;
    *n = *at;
    return at + 1;
}

/* ---- walks ---- */

/* Between two read sections, each of which looks at 64 objects at the most. */
static OI_ALWAYS_INLINE void oi_scope_section_ended(struct oi_scope *scope)
{
    if (OI_UNLIKELY(++scope->sections % OI_SCOPE_BREATH == 0) && scope->breathe)
        scope->breathe();
}

typedef void oi_scope_visit(struct oi_scope *scope, struct oi_member member, void *arg);

/* A walk over a page fetches what it will look at so many blocks later: by itself the processor does so only within 4 KiB, and not past an atomic
 * change. */
#define OI_SCOPE_AHEAD 24u

/* Of the blocks whose bits are in this word: a bit for each that has a member so many blocks behind it. */
static inline uint64_t oi_scope_members_ahead(const struct oi_scope_page *page, const struct oi_scope_extent *extent,
                                              uint32_t word)
{
    uint64_t next = (word + 1) * 64 < extent->carved ? page->bits[word + 1].member : 0;
    return page->bits[word].member >> OI_SCOPE_AHEAD | next << (64 - OI_SCOPE_AHEAD);
}

static OI_ALWAYS_INLINE void oi_scope_walk(struct oi_scope *scope, bool fetch, oi_scope_visit *fn, void *arg)
{
    for (uint32_t number = 1; number <= scope->count; number++) {
        const struct oi_scope_page page = scope->pages[number];
        const struct oi_scope_extent *extent = &scope->extents[number];
        for (uint32_t word = 0; extent->has_members && word * 64 < extent->carved; word++) {
            struct oi_scope_bits *bits = &page.bits[word];
            if (!bits->member)
                continue;
            uint64_t ahead = fetch ? oi_scope_members_ahead(&page, extent, word) : 0;
            oi_rcu_read_lock();
            for (uint64_t left = bits->member; left;) {
                /* A run of members that lie side by side. */
                uint32_t bit = (uint32_t)__builtin_ctzl(left), index = word * 64 + bit;
                uint64_t above = ~(left >> bit);
                uint32_t end = above ? index + (uint32_t)__builtin_ctzl(above) : index + 64;
                left &= left + (left & -left);
                /* The whole run goes by what is ahead of its first. */
                const size_t size = (size_t)page.words * 8, far = ahead >> bit & 1 ? OI_SCOPE_AHEAD * size : 0;
                for (char *at = (char *)oi_scope_at(&page, index); index < end; index++, at += size) {
                    if (fetch)
                        __builtin_prefetch(at + far);
                    fn(scope, (struct oi_member){&page, bits, number, index, (ouro_object *)at}, arg);
                }
            }
            oi_rcu_read_unlock();
            oi_scope_section_ended(scope);
        }
    }
}

/* Calls fn for each member, in short read sections; fn may drop any, and what it drops may still be visited. Inlined, with fn, into each phase. */
static OI_ALWAYS_INLINE void oi_scope_each_member(struct oi_scope *scope, oi_scope_visit *fn, void *arg)
{
    oi_scope_walk(scope, true, fn, arg);
}

/* The same, where fn goes by what is noted of most of them. */
static OI_ALWAYS_INLINE void oi_scope_each_noted(struct oi_scope *scope, oi_scope_visit *fn, void *arg)
{
    oi_scope_walk(scope, false, fn, arg);
}

/* Of a block met in a read section: it holds an object that was published, is tracked, and its references are counted. Then the block
 * stays what it is until the section ends, and so do the blocks that its slots refer to, now or later in the section.
 *
 * PUBLISHED alone says little: a dead block keeps it until its holder takes it back, and that no section delays. But who finds it not dead, and
 * then PUBLISHED still, knows that it died after the first look, if at all, and so within the section. Acquire: `shared` is overwritten after
 * `first` when a block is taken back, and PUBLISHED is set after everything else [MO-publish, MO-taken]. */
static OI_ALWAYS_INLINE bool oi_scope_looks_alive(const ouro_object *o, uint32_t relevant, uint64_t *first, uint32_t *shared)
{
    const oi_first_word *word = (const oi_first_word *)o; /* 0 in a free block */
    do {
        *first = oi_load_acquire(word);
        if ((oi_first_flags(*first) & relevant) != OI_PUBLISHED)
            return false; /* most blocks that it is not; and `shared` is not to be looked at there, for their holder writes what it likes */
        oi_tsan_acquire(&o->ouro_private_flags); /* what was stored was the flags */
        oi_perturb();
        *shared = oi_load_acquire(&o->ouro_private_shared);
        oi_perturb();
    } while (OI_UNLIKELY(oi_load_acquire(word) != *first)); /* it has been counted, marked or touched; or is another's now */
    return *shared != OI_DEAD;
}

/* *first and *shared: of its header, as they were found. Nearly always at the same moment: but a block that has become another object's in between may have
 * the same first word again, if that one was published without a bias, and then *shared is from before it was. Who goes by it either guesses, or
 * sees to it that what was published since P2, and so has no mark, counts for nothing (P5). */
static OI_ALWAYS_INLINE bool oi_scope_look_at(const ouro_object *o, uint64_t *first, uint32_t *shared)
{
    return oi_scope_looks_alive(o, OI_PUBLISHED | OI_UNTRACKED, first, shared);
}

static OI_ALWAYS_INLINE bool oi_scope_look(const ouro_object *o, uint64_t *first)
{
    uint32_t shared;
    return oi_scope_look_at(o, first, &shared);
}

static inline bool oi_scope_may_look(const ouro_object *o)
{
    uint64_t first;
    return oi_scope_look(o, &first);
}

/* The same, tracked or not; while no collection is under way, whose garbage is freed in read sections. */
static inline bool oi_scope_is_shared(const ouro_object *o)
{
    uint64_t first;
    uint32_t shared;
    return oi_scope_looks_alive(o, OI_PUBLISHED, &first, &shared);
}
