/* SPDX-License-Identifier: MIT
 *
 * Segments and pages (docs/design/pools.md).
 *
 * A segment is a 4 MiB aligned range of address space; its first unit of 64 KiB holds the headers of all its pages, so that a block's page is
 * found by arithmetic alone. A page is a run of units that is cut into blocks of one size; a thread slot's pool owns it.
 * A page's blocks are each in one of five states, told apart by the block's first 8 bytes and its count, but for one that says nothing of itself:
 *
 *     alive     type != 0, shared != DEAD       counted in `used`
 *     limbo     type != 0, shared == DEAD       counted in `used`; on `limbo`, or with the reclaimer, or on `remote`; or of a page that is
 *                                               given back as a whole, and then on none
 *     kept      type == 0                       counted in `used`; on no list: its holder has it at hand, one in the pool (pool.h)
 *     free      type == 0                       on `free`; not counted
 *     uncut     never touched                   index >= carved; not counted
 *
 *     used + length(free) == carved <= capacity          (for the pool's holder, outside runs: pool.h)
 *
 * Lists of free and limbo blocks are threaded through the blocks themselves, outside bytes 0..7, so that a page may be walked at
 * any time: `free` by a pointer at byte 8, limbo and remote by a 32-bit position at byte 8 (the header's `local`, which no longer
 * counts), which leaves the rest of a dead block as its readers last saw it. */
#pragma once

#include <sys/queue.h>

#include "base/base.h"
#include "port/atomic.h"
#include "sync/rcu.h"

#define OI_UNIT_SHIFT 16
#define OI_UNIT ((size_t)1 << OI_UNIT_SHIFT)
#define OI_SEGMENT_UNITS 64u
#define OI_SEGMENT (OI_UNIT * OI_SEGMENT_UNITS)
#define OI_PAGE_ONE_UNIT_MAX (OI_UNIT / 8) /* blocks of pages of one unit are at most so large */

enum oi_page_kind {
    OI_PAGE_TRACED, /* its objects may have slots */
    OI_PAGE_LEAF,   /* its objects have none: collectors do not look here */
    OI_PAGE_RAW,    /* the library's own small blocks, not objects */
};

enum oi_page_state {
    OI_PAGE_FREE,      /* not in use */
    OI_PAGE_CURRENT,   /* its pool allocates from it */
    OI_PAGE_AVAILABLE, /* on its pool's list: has free blocks */
    OI_PAGE_FULL,      /* on no list; see OI_REMOTE_FULL */
};

struct oi_pool;

/* A word that describes a list of blocks of one page: position of the first (see oi_page_position; 0: none) in the low half,
 * their number above it, and for `remote` a bit on top. */
#define OI_CHAIN_HEAD(w) ((uint32_t)(w))
#define OI_CHAIN_COUNT(w) ((uint32_t)((w) >> 32) & 0x7fffffffu)
#define OI_CHAIN(head, count) ((uint64_t)(count) << 32 | (head))
/* In `remote`: the pool has taken the page off its lists. Whoever clears the bit is the one to put the page back (the pool
 * itself), or to send it to the pool's `returned` stack, or, if every block is on the list, to free the page. */
#define OI_REMOTE_FULL ((uint64_t)1 << 63)

struct oi_page {
    /* The pool's holder only, except as noted. */
    void *free;              /* first free block; linked at byte 8 */
    struct oi_page *own;     /* the header of the page that this header's unit belongs to: itself, if it is the first; under the page lock */
    uint32_t used;           /* read by anyone for statistics */
    uint32_t carved;         /* likewise */
    uint32_t capacity;       /* immutable while in use */
    uint32_t block_units;    /* block size in units of 8 bytes; immutable while in use */
    uint8_t kind;            /* immutable while in use */
    uint8_t state;           /* enum oi_page_state */
    uint8_t index;           /* in the pool's tables; immutable while in use */
    uint8_t young_list;      /* enum oi_young_of: which it is on; also written by whoever releases the page in the holder's stead */
    char *base;              /* first block; immutable while in use */
    struct oi_pool *pool;    /* atomic for statistics; NULL when free; immutable while in use */

    /* Shared. */
    uint64_t remote __attribute__((aligned(64))); /* atomic: blocks freed by others, ready for use; OI_REMOTE_FULL */
    uint64_t limbo;               /* atomic: dead blocks not yet seen by the reclaimer */
    uint64_t ripening;            /* the reclaimer's: dead blocks waiting for its grace period */
    struct oi_page *ripe_next;    /* the reclaimer's: next page of the batch */
    struct oi_stack_node on_stack; /* limbo stack, while `limbo` is not empty */
    struct oi_stack_node returned; /* the pool's `returned` stack */
    LIST_ENTRY(oi_page) young;    /* under the pool's young lock; see pool.h */
    uint32_t young_base;          /* the holder's: `used` when the page joined the young list, or at the last collection */
    uint32_t used_published;      /* the holder's: of the `used`, so many at the least have been published */
    uint32_t gray;                /* the holder's: position of the first block on the page's gray list (object/gray.h) */
    struct oi_page *gray_next;    /* the holder's */
    LIST_ENTRY(oi_page) link;     /* the holder's. AVAILABLE: on the pool's list */
    uint16_t pins;                /* this and the next: under the page lock */
    bool released;                /* its last block has gone while it was pinned */
    bool listed;                  /* given back by oi_page_release_listed, whose caller sets it; nobody has used its first unit since. Of a free one under the page lock */
    bool published;               /* atomic flag: something was published here, ever */
    uint8_t recent;               /* atomic: OI_RECENT_...: and since when */
    bool was_recent;              /* the collector's: or bearing, when generation 2 last pinned it */
    bool bearing;                 /* atomic flag: objects are born published on it; so it is recent as long as it is current */
} __attribute__((aligned(64)));

/* Values of `recent`: whole values are stored, by those who publish and by the collector, so none is lost. */
#define OI_RECENT_OLD 2u /* nothing has been published on the page since the last collection, but since the last of generation 2 */
#define OI_RECENT 3u     /* something has since the last collection */

/* Hints of changes, a byte per line of this many bytes: object/hint.h. */
#define OI_HINT_SHIFT 7

/* Roots, as collections remember them: cycle/candidates.h. */
struct oi_root {
    uint32_t position;              /* of the object in its segment, in units of 8 bytes */
    uint32_t count;                 /* its references */
};
#define OI_ROOTS_MAX ((size_t)1 << 14) /* in a segment: room for them is reserved with it, so that a collection needs nothing that it might not get */

struct oi_segment {
    LIST_ENTRY(oi_segment) link;    /* all segments; first: see oi_checker_divided */
    size_t size;                    /* OI_SEGMENT, or more for one huge block, or less for a single one; immutable */
    bool single;                    /* one block, right behind pages[0], which is its page: see oi_page_set_source; immutable */
    uint64_t free_units;            /* bit per unit; this and the next five: under the page lock */
    uint64_t dirty_units;           /* free, and not given back to the OS since they were used */
    uint64_t aged_units;            /* of these: were dirty when the purge last came by, and have not been used since */
    uint64_t looked_at;             /* when that was, or when the first unit became dirty after it */
    struct oi_root *roots;          /* this and the next: the collector's; room for OI_ROOTS_MAX; NULL: a single one */
    uint32_t root_count;
    uint8_t *hints;                 /* atomic, a byte per line: its own, or those of nobody; immutable */
    LIST_ENTRY(oi_segment) roomy;   /* those with free units; segments for one block that are not in use are on a list of their own */
    struct oi_page pages[OI_SEGMENT_UNITS];
    uint8_t own_hints[OI_SEGMENT >> OI_HINT_SHIFT];
};

_Static_assert(sizeof(struct oi_page) == 192, "three cache lines: the holder's, the shared one, the collections'");
_Static_assert(sizeof(struct oi_segment) <= OI_UNIT, "page headers fit into the first unit");

static inline struct oi_segment *oi_segment_of(const void *block)
{
    return (struct oi_segment *)((uintptr_t)block & ~(OI_SEGMENT - 1));
}

/* The header of the unit that a block begins in. */
static inline struct oi_page *oi_page_at_unit(const void *block)
{
    /* Scaled by the size of a header in two steps, the first being part of the shift: compilers do not find that. */
    size_t line = ((uintptr_t)block >> (OI_UNIT_SHIFT - 6)) & ((OI_SEGMENT_UNITS - 1) << 6);
    return (struct oi_page *)((char *)oi_segment_of(block)->pages + line * (sizeof(struct oi_page) >> 6));
}

/* The page of a block; any address inside the block's first OI_SEGMENT - OI_UNIT bytes will do. */
static inline struct oi_page *oi_page_of(const void *block)
{
    return oi_page_at_unit(block)->own;
}

static inline size_t oi_page_block_size(const struct oi_page *page)
{
    return (size_t)page->block_units * 8;
}

/* Positions name a block within its page, in 32 bits, never 0. */
static inline uint32_t oi_page_position(const struct oi_page *page, const void *block)
{
    return (uint32_t)((size_t)((const char *)block - page->base) / 8) + 1;
}

static inline void *oi_page_at(const struct oi_page *page, uint32_t position)
{
    return page->base + (size_t)(position - 1) * 8;
}

/* A block as the lists see it. */
struct oi_block {
    uint64_t first;      /* atomic; type 0 in the low half: free, or kept */
    union {
        void *next;      /* on a `free` list */
        uint32_t after;  /* on a chain: position of the next block, or 0 */
    };
};

/* The page table. */

/* Where the memory of segments comes from. By default from the system; from_malloc: from malloc, so that checkers which know its blocks do not take
 * whole segments for roots; single: each object's page is a segment of its own, no larger than it must be, from malloc. Once, at start. */
void oi_page_set_source(bool from_malloc, bool single);

/* A page of n blocks of size bytes for the pool (n chosen here: as many as fit a page of that class; one if size is above
 * OI_CLASS_MAX). NULL: out of memory, or over the hard limit. None of them is carved; or some are, at most max_listed, and all of these are on `free`
 * (oi_page_release_listed). */
struct oi_page *oi_page_acquire(struct oi_pool *pool, enum oi_page_kind kind, unsigned index, size_t size, size_t max_listed);

/* Gives back a page none of whose blocks is in use or in limbo. The caller has taken it off every list. */
void oi_page_release(struct oi_page *page);

/* The same, for who is not the holder: leave takes it off the list that it is on, or says false, and then so does this. A child of fork finds the
 * list with or without it, not half-way: leave is called under the page lock. */
bool oi_page_release_from(struct oi_page *page, bool (*leave)(struct oi_page *page));

/* oi_page_release of one all of whose carved blocks are on its `free` list, in an order worth keeping: if the next page there is of the same index, and its memory
 * has not been given back to the OS, oi_page_acquire gives it with that list. */
void oi_page_release_listed(struct oi_page *page);

/* Returns memory that has been free for min_age_ns (and not long beyond twice that) to the OS. Returns the bytes; *next_ns: time until the next will be due, or
 * UINT64_MAX. May take long; no other call waits for it, but another purge. */
size_t oi_page_purge(uint64_t min_age_ns, uint64_t *next_ns);

/* The rare part of the next one. */
void oi_page_turns_recent(struct oi_page *page);

/* Says that something is published on the page, in use and not about to be released. */
static inline void oi_page_set_published(struct oi_page *page)
{
    /* Relaxed: a collection that misses it is followed by another. */
    if (OI_UNLIKELY(oi_load_relaxed(&page->recent) != OI_RECENT))
        oi_page_turns_recent(page);
}

/* Something was published on it since a collection last pinned it, or may be at any time. A moment's reading. */
static inline bool oi_page_is_recent(const struct oi_page *page)
{
    return oi_load_relaxed(&page->recent) == OI_RECENT || oi_load_relaxed(&page->bearing);
}

/* Pins TRACED pages with published objects: until they are unpinned they keep their block size and stay mapped, whatever becomes of their
 * blocks. At most max, and those that are left over are recent then; recent: only those on which something was published since a collection last pinned
 * them. Takes the page lock once for each segment; one collection at a time. *count grows under that lock: a child of fork knows which pages are pinned. */
void oi_page_pin(struct oi_page **pages, uint32_t *count, uint32_t max, bool recent);

/* The same for all TRACED pages, for tools; says nothing about collections. Any thread, at any time, for a while. */
void oi_page_pin_all(struct oi_page **pages, uint32_t *count, uint32_t max);

/* Ends that, and gives the empty ones back; *count goes to 0 in the same way. */
void oi_page_unpin(struct oi_page **pages, uint32_t *count);

struct oi_page_totals {
    size_t in_use, committed, reserved, soft_limit, hard_limit; /* bytes */
};

/* Calls fn for every page in use, under the page lock. Returns the totals as they are with exactly these pages. */
struct oi_page_totals oi_page_each(void (*fn)(struct oi_page *page, void *arg), void *arg);

/* False: all its objects have been published, and young collections need not look at them. The holder. */
static inline bool oi_page_may_have_private(const struct oi_page *page)
{
    return page->used_published != page->used;
}

/* Calls fn for every page of the pool, by its holder, who takes and releases none meanwhile; others may. Not under the page lock, but under the
 * purge lock: fn takes none that comes before that. */
void oi_page_each_of(const struct oi_pool *pool, void (*fn)(struct oi_page *page, void *arg), void *arg);

/* While held, no page's memory is given back to the OS, whatever becomes of its blocks. Not for long. */
void oi_page_keep_mapped(void);
void oi_page_may_unmap(void);

struct oi_page_totals oi_page_totals(void);
void oi_page_set_limits(size_t soft, size_t hard);
bool oi_page_is_over_soft_limit(void); /* this and the next: a moment's reading, without the lock */
size_t oi_page_in_use(void);

/* Bytes of the pages in use on which something was published, ever: what shared garbage can be part of. A moment's reading. */
size_t oi_page_published_bytes(void);

/* Called, with no lock held, by a thread that has taken a page while `in_use` is at or above oi_page_growth_mark (atomic; SIZE_MAX: never). Set
 * once at start. may_rest: it may sleep for a while; else it must not block. */
extern void (*oi_page_on_growth)(bool may_rest);
extern size_t oi_page_growth_mark;

/* Likewise by whoever has given a page back, while `in_use` is below oi_page_shrink_mark (0: never). Other locks may be held. */
extern void (*oi_page_on_shrinking)(void);
extern size_t oi_page_shrink_mark;

/* Called, with no lock held, when memory has become free that a purge will have to look at later. Set once at start. */
extern void (*oi_page_on_dirty)(void);

void oi_page_before_fork(void);
void oi_page_after_fork(void);
