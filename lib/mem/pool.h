/* SPDX-License-Identifier: MIT
 *
 * A pool: the pages of one thread slot, and allocation from them without atomics (docs/design/pools.md). "The holder" is the
 * thread that holds the slot (sync/tslot.h S1); other threads only push chains of blocks onto pages.
 *
 *     oi_pool_alloc ──page->free──▶ block            the common case: one page, a pop
 *          └─ refill: blocks freed by others, cut more, a page with free blocks, a page sent back, a new page */
#pragma once

#include <pthread.h>

#include "mem/page.h"
#include "mem/size_class.h"

/* Indices of a pool's tables. */
#define OI_POOL_NONE 0u /* always empty: sends ouro_new of what has no class to the slow path */
#define OI_POOL_TOKENS 1u /* raw blocks: object/act.h */
#define OI_POOL_ANCHORS 2u /* raw blocks: object/weak.h */
#define OI_ANCHOR_SIZE ((size_t)56)
#define OI_POOL_FIRST 3u
#define OI_POOL_COUNT (OI_POOL_FIRST + 2 * OI_CLASSES)
#define OI_POOL_LARGE 255u /* in a page's `index`: a page of one block, in no table */

static inline unsigned oi_pool_index(size_t size, bool leaf)
{
    return OI_POOL_FIRST + 2 * oi_class_of(size) + leaf;
}

LIST_HEAD(oi_young_list, oi_page);

enum oi_young_of {
    OI_YOUNG_NONE,
    OI_YOUNG_NEW,  /* TRACED, with objects made since the last young collection, or about to have some */
    OI_YOUNG_AGED, /* TRACED, with objects that young collections have left, or do not look at, only */
    OI_YOUNG_LEAF,
    OI_YOUNG_LISTS
};

/* A block that the holder has at hand, on no list of its page (docs/design/pools.md, "The kept block"). */
struct oi_kept {
    uint32_t key;    /* by which it is taken; OI_KEPT_NONE: there is none */
    uint32_t misses; /* how often others were asked for: see oi_pool_is_stale */
    void *block;
};
#define OI_KEPT_NONE UINT32_MAX
#define OI_KEPT_MISSES 32u

struct oi_pool {
    /* The holder's. */
    struct oi_kept kept; /* key and block are atomic: statistics read them */
    struct oi_page *current[OI_POOL_COUNT]; /* never NULL: oi_pool_empty_page if there is none */
    LIST_HEAD(, oi_page) available[OI_POOL_COUNT];
    size_t fresh_blocks; /* free blocks that refills have found since this was reset: no fewer have been allocated */
    bool born_published; /* its objects are */
    size_t fresh_limit;  /* at this many, the next slow allocation asks the cycle layer whether to collect */
    size_t calm_from;    /* it asks, too, when the heap's pages in use are fewer bytes than this, */
    size_t calm_bytes;   /* or so many more */

    /* Shared. */
    struct oi_stack returned;      /* pages that others took out of FULL; the holder takes them back */
    bool touched;                  /* atomic flag: others have freed blocks of pages that are not FULL */
    pthread_mutex_t young_lock;    /* protects the lists below: the holder takes it, and whoever releases a page on one */
    struct oi_young_list young[OI_YOUNG_LISTS]; /* pages on which private objects may be, by enum oi_young_of */
};

/* A page without blocks, shared by all; never written. */
extern struct oi_page oi_pool_empty_page;

void oi_pool_init(struct oi_pool *pool);

/* The slow half of oi_pool_alloc: finds or makes a page with free blocks, makes it current and pops one. NULL: out of memory. */
void *oi_pool_refill(struct oi_pool *pool, unsigned index);

/* The new holder's objects are born published, or private. */
void oi_pool_set_birth(struct oi_pool *pool, bool published);

/* A block that has a page of its own. NULL: out of memory. */
void *oi_pool_alloc_large(struct oi_pool *pool, size_t size, bool leaf);

/* The slow half of oi_pool_free: the page is not current, and had no free block, or has no used one now. */
void oi_pool_page_changed(struct oi_pool *pool, struct oi_page *page);

/* Likewise of oi_run_end. whole: oi_run_is_whole says so of the run. */
void oi_pool_run_ended(struct oi_pool *pool, struct oi_page *page, bool whole);

/* Hands a chain of n blocks, all of one page, the last one's `after` being 0, to the page's holder. Any thread. O(1), but for
 * O(n) when there is a chain already. */
void oi_page_push_remote(struct oi_page *page, uint32_t head, uint32_t n);

/* The same for n blocks that are in no chain, if they are all that there are on the page. False: they are not, or the page is not FULL; nothing has
 * changed. */
bool oi_page_push_whole(struct oi_page *page, uint32_t n);

/* Takes in what others have pushed onto pages and sent back, releases empty pages. The holder. */
void oi_pool_collect(struct oi_pool *pool);

/* True if others have freed something since the last look; a moment's reading. Any thread. */
bool oi_pool_has_news(const struct oi_pool *pool);

/* Takes back what was sent back and releases what is empty by what others freed, at most max pages: for a claimer, who must not keep
 * the slot for long. True: there is more. */
bool oi_pool_collect_some(struct oi_pool *pool, unsigned max);

/* Releases pages that were sent back and of which nobody uses a block, while a thread holds the pool that does not look. Not during a fork. */
void oi_pool_release_returned(struct oi_pool *pool);

/* Pops a block; its content is undefined but for the first 4 bytes, which are 0. The holder. */
static inline void *oi_pool_alloc(struct oi_pool *pool, unsigned index)
{
    struct oi_page *page = pool->current[index];
    struct oi_block *block = page->free;
    if (OI_UNLIKELY(!block))
        return oi_pool_refill(pool, index);
    page->free = block->next;
    oi_owner_add(&page->used, 1);
    return block;
}

/* Puts a block on its page's free list. The holder. True: oi_pool_page_changed must be called. */
static inline bool oi_pool_free_to(struct oi_page *page, void *freed)
{
    struct oi_block *block = freed, *old = page->free;
    /* Relaxed: the block is nobody else's; a walker that sees it sees it free or not. */
    oi_store_relaxed(&block->first, 0);
    oi_store_relaxed(&block->next, old);
    page->free = block;
    uint32_t used = oi_load_relaxed(&page->used) - 1;
    oi_store_relaxed(&page->used, used);
    return OI_UNLIKELY(!old || !used) && page->state != OI_PAGE_CURRENT;
}

/* Blocks of one page that the holder frees one after the other: the page hears of them when the run ends, and until then nothing else of it is freed or
 * allocated by the holder. To others they are in use meanwhile, so nobody takes the page for empty. */
struct oi_run {
    struct oi_page *page;
    void *free;
    uint32_t used;
    bool was_out; /* the page had no free block before */
};

static inline struct oi_run oi_run_begin(struct oi_page *page)
{
    return (struct oi_run){page, page->free, oi_load_relaxed(&page->used), !page->free};
}

static inline void oi_run_free(struct oi_run *run, void *freed)
{
    struct oi_block *block = freed;
    oi_store_relaxed(&block->first, 0); /* these two: relaxed, as in oi_pool_free_to */
    oi_store_relaxed(&block->next, run->free);
    run->free = block;
    run->used--;
}

/* All blocks that the page has carved were freed by this run: one after the other, so that the list is no more in disorder than what has ended was. */
static inline bool oi_run_is_whole(const struct oi_run *run)
{
    return run->was_out && !run->used;
}

/* The holder. True: oi_pool_run_ended must be called. */
static inline bool oi_run_end(const struct oi_run *run)
{
    struct oi_page *page = run->page;
    page->free = run->free;
    oi_store_relaxed(&page->used, run->used); /* relaxed: for statistics */
    return OI_UNLIKELY(run->was_out || !run->used) && page->state != OI_PAGE_CURRENT;
}

/* Frees a block of one of the pool's own pages. The holder. */
static inline void oi_pool_free(struct oi_pool *pool, void *freed)
{
    struct oi_page *page = oi_page_of(freed);
    if (OI_UNLIKELY(oi_pool_free_to(page, freed)))
        oi_pool_page_changed(pool, page);
}

/* Keeps a block; none is kept. The holder: before it lets the slot go, or moves pages from the lists of young ones, it calls oi_pool_free_kept. */
static inline void oi_pool_keep(struct oi_pool *pool, uint32_t key, void *kept)
{
    struct oi_block *block = kept;
    oi_store_relaxed(&block->first, 0); /* relaxed, as in oi_pool_free_to */
    /* Relaxed: for statistics only. */
    oi_store_relaxed(&pool->kept.block, kept);
    oi_store_relaxed(&pool->kept.key, key);
}

/* Takes it: it is as it was, but for the first 8 bytes, which are 0. The holder. */
static inline void *oi_pool_take_kept(struct oi_pool *pool)
{
    oi_store_relaxed(&pool->kept.key, OI_KEPT_NONE); /* relaxed: as above */
    return pool->kept.block;
}

/* For who has asked for another key while one was kept: true one time in OI_KEPT_MISSES, for then it had better make room. So what is used by turns with
 * others mostly stays. The holder. */
static inline bool oi_pool_is_stale(struct oi_pool *pool)
{
    return ++pool->kept.misses % OI_KEPT_MISSES == 0;
}

/* Gives it to its page, if there is one. The holder. */
void oi_pool_free_kept(struct oi_pool *pool);

/* Frees a block that the calling thread holds no pool for, or of another's page, at once (no read section can see it). */
static inline void oi_pool_free_remote(void *freed)
{
    struct oi_page *page = oi_page_of(freed);
    struct oi_block *block = freed;
    uint32_t position = oi_page_position(page, freed);
    oi_store_relaxed(&block->after, 0);
    oi_page_push_remote(page, position, 1);
}
