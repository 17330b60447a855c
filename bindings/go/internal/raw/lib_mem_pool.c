//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_mem_pool.h"

#include "lib_port_perturb.h"
#include "lib_port_tsan.h"

struct oi_page oi_pool_empty_page = {.state = OI_PAGE_CURRENT};

#define CUT_BYTES ((size_t)4096) /* blocks are cut from a page in batches of this size, so that memory is touched when needed */

void oi_pool_init(struct oi_pool *pool)
{
    for (unsigned i = 0; i < OI_POOL_COUNT; i++) {
        pool->current[i] = &oi_pool_empty_page;
        LIST_INIT(&pool->available[i]);
    }
    for (unsigned i = 0; i < OI_YOUNG_LISTS; i++)
        LIST_INIT(&pool->young[i]);
    pthread_mutex_init(&pool->young_lock, NULL);
    pool->kept.key = OI_KEPT_NONE;
    pool->fresh_limit = SIZE_MAX;
    pool->calm_bytes = SIZE_MAX;
}

/* ---- what other threads push ---- */

static struct oi_block *last_of(const struct oi_page *page, uint32_t position)
{
    struct oi_block *block = oi_page_at(page, position);
    /* Relaxed here and below: the collector may look at the word as part of a header, and then looks twice. */
    for (uint32_t after; (after = oi_load_relaxed(&block->after));)
        block = oi_page_at(page, after);
    return block;
}

static bool try_leave_young(struct oi_page *page)
{
    struct oi_pool *pool = page->pool;
    if (pthread_mutex_trylock(&pool->young_lock) != 0)
        return false;
    if (page->young_list)
        LIST_REMOVE(page, young);
    page->young_list = OI_YOUNG_NONE;
    pthread_mutex_unlock(&pool->young_lock);
    return true;
}

/* For a page on no other list of its pool whose blocks have been freed by others, every one: so nobody uses or frees one any more. False: its holder is
 * walking over its young pages. */
static bool release_for_holder(struct oi_page *page)
{
    return oi_page_release_from(page, try_leave_young);
}

void oi_page_push_remote(struct oi_page *page, uint32_t head, uint32_t n)
{
    struct oi_block *tail = NULL;
    struct oi_pool *pool = page->pool; /* before the blocks are handed over, for then the page may go */
    uint64_t old = oi_load_relaxed(&page->remote), new;
    do {
        if (tail || OI_CHAIN_HEAD(old)) {
            tail = tail ? tail : last_of(page, head);
            oi_store_relaxed(&tail->after, OI_CHAIN_HEAD(old));
        }
        new = OI_CHAIN(head, OI_CHAIN_COUNT(old) + n);
        oi_perturb();
        /* Release: the chain's links, and all use of its blocks, before the holder takes them; acquire: who clears FULL
         * has the page as its pool left it. Pairs with take_remote and set_full [MO-remote]. */
    } while (!oi_cas_weak_acqrel(&page->remote, &old, new));
    oi_perturb();
    if (!(old & OI_REMOTE_FULL)) {
        /* Release, after the chain: pairs with release_empty [MO-remote]. The page may have been released by now: its pool, a
         * thread slot's, is there for good, and this only makes its holder look. */
        oi_store_release(&pool->touched, true);
        return;
    }
    /* This thread cleared FULL, so the page is on no list of its pool and it alone decides where it goes. */
    if (OI_CHAIN_COUNT(new) != page->capacity || !release_for_holder(page))
        oi_stack_push(&pool->returned, &page->returned);
}

/* All blocks in one chain. They are dead, and nobody else knows the page. */
static void chain_all(struct oi_page *page)
{
    uint32_t head = 0;
    for (uint32_t i = 0; i < page->capacity; i++) {
        struct oi_block *block = (struct oi_block *)(page->base + i * oi_page_block_size(page));
        oi_store_relaxed(&block->after, head);
        head = oi_page_position(page, block);
    }
    /* Relaxed: pushing the page releases. */
    oi_store_relaxed(&page->remote, OI_CHAIN(head, page->capacity));
}

bool oi_page_push_whole(struct oi_page *page, uint32_t n)
{
    struct oi_pool *pool = page->pool;
    uint64_t full = OI_REMOTE_FULL; /* and nothing else: who pushes clears it */
    oi_perturb();
    /* As in oi_page_push_remote: clears FULL, so it alone decides where the page goes [MO-remote]. */
    if (n != page->capacity || !oi_cas_acqrel(&page->remote, &full, OI_CHAIN(0, n)))
        return false;
    oi_perturb();
    if (!release_for_holder(page)) {
        chain_all(page);
        oi_stack_push(&pool->returned, &page->returned);
    }
    return true;
}

/* A page that others have emptied in several steps was sent back by the first of them, and its holder may be asleep. Who has taken it off the stack decides
 * where it goes, as in oi_page_push_remote. */
void oi_pool_release_returned(struct oi_pool *pool)
{
    struct oi_stack_node *node = oi_stack_is_empty(&pool->returned) ? NULL : oi_stack_take_all(&pool->returned);
    while (node) {
        struct oi_page *page = OI_CONTAINER_OF(node, struct oi_page, returned);
        node = node->next;
        /* Acquire: those who freed the blocks are done with them; pairs with oi_page_push_remote [MO-remote]. */
        if (OI_CHAIN_COUNT(oi_load_acquire(&page->remote)) != page->capacity || !release_for_holder(page))
            oi_stack_push(&pool->returned, &page->returned);
    }
}

/* ---- the holder ---- */

/* Takes in the blocks that others have freed. */
static void take_remote(struct oi_page *page)
{
    if (!OI_CHAIN_HEAD(oi_load_relaxed(&page->remote))) /* relaxed: a hint */
        return;
    oi_perturb();
    /* Acquire: pairs with oi_page_push_remote [MO-remote]. Not FULL here, so nothing but the chain is lost. */
    uint64_t chain = oi_exchange_acquire(&page->remote, 0);
    OI_ASSERT(!(chain & OI_REMOTE_FULL));
    uint32_t n = OI_CHAIN_COUNT(chain);
    oi_owner_add(&page->used, -n);
    page->used_published -= n < page->used_published ? n : page->used_published; /* all of them were, perhaps */
    void *free = page->free;
    for (uint32_t position = OI_CHAIN_HEAD(chain); position;) {
        struct oi_block *block = oi_page_at(page, position);
        position = block->after;
        oi_store_relaxed(&block->first, 0);
        /* Release: a collector that no longer finds it dead finds it free; pairs with oi_scope_may_look [MO-taken]. */
        oi_store_release(&block->next, free);
        free = block;
    }
    page->free = free;
}

/* Cuts the next batch of blocks. */
static void cut(struct oi_page *page)
{
    size_t size = oi_page_block_size(page);
    uint32_t n = (uint32_t)(size < CUT_BYTES ? CUT_BYTES / size : 1);
    if (n > page->capacity - page->carved)
        n = page->capacity - page->carved;
    char *next = page->base + size * page->carved;
    void *free = n ? next : page->free;
    struct oi_block *block = NULL;
    for (char *end = next + size * n; next < end;) {
        block = (struct oi_block *)next;
        next += size;
        oi_store_relaxed(&block->first, 0); /* the page may have served before */
        oi_store_relaxed(&block->next, (void *)next);
    }
    if (block)
        oi_store_relaxed(&block->next, page->free);
    page->free = free;
    /* Release: whoever walks the first `carved` blocks finds them free or better [MO-carved]. */
    oi_store_release(&page->carved, page->carved + n);
}

/* Puts an exhausted page aside until a block of it is freed. False: one was freed meanwhile. */
static bool set_full(struct oi_page *page)
{
    uint64_t none = 0;
    page->state = OI_PAGE_FULL;
    oi_perturb();
    /* Release: whoever clears FULL finds the page as it is left here [MO-remote]. */
    if (oi_cas_acqrel(&page->remote, &none, OI_REMOTE_FULL))
        return true;
    page->state = OI_PAGE_CURRENT;
    return false;
}

static void make_available(struct oi_pool *pool, struct oi_page *page)
{
    page->state = OI_PAGE_AVAILABLE;
    LIST_INSERT_HEAD(&pool->available[page->index], page, link);
}

static void leave_young(struct oi_pool *pool, struct oi_page *page)
{
    pthread_mutex_lock(&pool->young_lock);
    if (page->young_list)
        LIST_REMOVE(page, young);
    page->young_list = OI_YOUNG_NONE;
    pthread_mutex_unlock(&pool->young_lock);
}

/* The page is about to have new objects. */
static void join_young(struct oi_pool *pool, struct oi_page *page)
{
    uint8_t list = page->kind == OI_PAGE_LEAF ? OI_YOUNG_LEAF : OI_YOUNG_NEW;
    if (page->kind == OI_PAGE_RAW || page->young_list == list)
        return;
    page->young_base = page->used;
    pthread_mutex_lock(&pool->young_lock);
    if (page->young_list)
        LIST_REMOVE(page, young);
    page->young_list = list;
    LIST_INSERT_HEAD(&pool->young[list], page, young);
    pthread_mutex_unlock(&pool->young_lock);
}

/* Gives an empty page that is on no list back. */
static void release_page(struct oi_pool *pool, struct oi_page *page)
{
    leave_young(pool, page);
    oi_page_release(page);
}

/* A page came back from FULL with blocks freed by others. */
static void take_back(struct oi_pool *pool, struct oi_page *page)
{
    take_remote(page);
    if (!page->used || page->index == OI_POOL_LARGE)
        release_page(pool, page);
    else
        make_available(pool, page);
}

static void take_returned(struct oi_pool *pool)
{
    struct oi_stack_node *node = oi_stack_is_empty(&pool->returned) ? NULL : oi_stack_take_all(&pool->returned);
    while (node) {
        struct oi_page *page = OI_CONTAINER_OF(node, struct oi_page, returned);
        node = node->next;
        take_back(pool, page);
    }
}

/* True if every block that is in use has been freed by others. Acquire: then they are done with the blocks; pairs with
 * oi_page_push_remote [MO-remote]. */
static bool is_empty(const struct oi_page *page)
{
    return OI_CHAIN_COUNT(oi_load_acquire(&page->remote)) == page->used;
}

/* Releases at most max available pages that are empty by what others freed. Returns how many are still allowed. */
static unsigned release_empty(struct oi_pool *pool, unsigned max)
{
    /* Acquire: pairs with oi_page_push_remote [MO-remote]. */
    if (!oi_load_relaxed(&pool->touched) || !oi_exchange_acquire(&pool->touched, false))
        return max;
    for (unsigned index = OI_POOL_TOKENS; index < OI_POOL_COUNT; index++) {
        struct oi_page *page, *next;
        for (page = LIST_FIRST(&pool->available[index]); page; page = next) {
            next = LIST_NEXT(page, link);
            if (!is_empty(page))
                continue;
            if (!max) {
                oi_store_relaxed(&pool->touched, true);
                return 0;
            }
            max--;
            LIST_REMOVE(page, link);
            release_page(pool, page);
        }
    }
    return max;
}

static bool has_free(struct oi_page *page)
{
    if (!page->free)
        take_remote(page);
    if (!page->free && page->carved < page->capacity)
        cut(page);
    return page->free;
}

static struct oi_page *next_page(struct oi_pool *pool, unsigned index)
{
    struct oi_page *page;
    take_returned(pool);
    while ((page = LIST_FIRST(&pool->available[index]))) {
        LIST_REMOVE(page, link);
        page->state = OI_PAGE_CURRENT;
        if (has_free(page))
            return page;
        OI_ASSERT(!"an available page has a free block");
    }
    release_empty(pool, UINT32_MAX); /* before asking for more, give back */
    bool raw = index < OI_POOL_FIRST;
    enum oi_page_kind kind = raw ? OI_PAGE_RAW : (index - OI_POOL_FIRST) % 2 ? OI_PAGE_LEAF : OI_PAGE_TRACED;
    size_t size = index == OI_POOL_TOKENS    ? OI_BLOCK_MIN
                  : index == OI_POOL_ANCHORS ? OI_ANCHOR_SIZE
                                             : oi_class_size((index - OI_POOL_FIRST) / 2);
    /* A list that is longer would put the next look at whether to collect off. */
    size_t max_listed = pool->fresh_limit > pool->fresh_blocks ? pool->fresh_limit - pool->fresh_blocks : 0;
    page = oi_page_acquire(pool, kind, index, size, max_listed);
    if (page && !page->free)
        cut(page);
    return page;
}

/* The page may not be current any more: what was born on it since a collection has looked is for the next one. */
static void end_bearing(struct oi_page *page)
{
    if (OI_LIKELY(!oi_load_relaxed(&page->bearing)))
        return;
    oi_page_set_published(page);
    oi_store_release(&page->bearing, false); /* release: who sees it sees that the page is recent */
}

/* The page is current, and a block of it is about to be taken. */
static void begin_bearing(struct oi_page *page)
{
    oi_page_set_published(page);
    oi_store_relaxed(&page->bearing, true);
}

void oi_pool_set_birth(struct oi_pool *pool, bool published)
{
    OI_ASSERT(pool->kept.key == OI_KEPT_NONE);
    pool->born_published = published;
    for (unsigned i = 0; published && i < OI_POOL_COUNT; i++) {
        if (pool->current[i] != &oi_pool_empty_page)
            begin_bearing(pool->current[i]); /* its last holder's */
    }
}

void *oi_pool_refill(struct oi_pool *pool, unsigned index)
{
    struct oi_page *page = pool->current[index];
    if (index == OI_POOL_NONE)
        return NULL;
    end_bearing(page);
    if (page == &oi_pool_empty_page || (!has_free(page) && set_full(page))) {
        page = next_page(pool, index);
        pool->current[index] = page ? page : &oi_pool_empty_page;
        if (!page)
            return NULL;
        join_young(pool, page);
    } else if (!page->free) {
        take_remote(page); /* set_full found something */
    }
    pool->fresh_blocks += page->carved - page->used;
    if (OI_UNLIKELY(pool->born_published))
        begin_bearing(page);
    struct oi_block *block = page->free;
    page->free = block->next;
    oi_owner_add(&page->used, 1);
    return block;
}

void *oi_pool_alloc_large(struct oi_pool *pool, size_t size, bool leaf)
{
    struct oi_page *page = oi_page_acquire(pool, leaf ? OI_PAGE_LEAF : OI_PAGE_TRACED, OI_POOL_LARGE, size, 0);
    if (!page)
        return NULL;
    void *block = page->base;
    oi_store_relaxed(&((struct oi_block *)block)->first, 0);
    oi_store_relaxed(&page->used, 1);
    oi_store_release(&page->carved, 1); /* [MO-carved] */
    set_full(page); /* nobody else knows the block yet */
    join_young(pool, page);
    page->young_base = 0;
    pool->fresh_blocks++;
    oi_perturb(); /* the page is there, and nothing on it */
    return block;
}

/* The page is FULL and its holder has freed a block of it. False: another thread has cleared FULL, and the page is on its way. */
static bool leave_full(struct oi_page *page)
{
    uint64_t word = oi_load_relaxed(&page->remote);
    while (word & OI_REMOTE_FULL) {
        oi_perturb();
        /* Acquire/release as for the other side, oi_page_push_remote [MO-remote]. */
        if (oi_cas_weak_acqrel(&page->remote, &word, word & ~OI_REMOTE_FULL))
            return true;
    }
    return false;
}

/* What becomes of a page that had no free block, or has no used one now. True: it is empty, on no list, and to be given back. */
static bool is_to_go(struct oi_pool *pool, struct oi_page *page)
{
    if (page->state == OI_PAGE_FULL) {
        if (!leave_full(page))
            return false; /* it comes back through `returned`, or has: then it is seen there */
        if (page->index == OI_POOL_LARGE || !page->used)
            return true;
        make_available(pool, page);
    } else if (page->state == OI_PAGE_AVAILABLE && !page->used) {
        /* One empty page per class is kept: it will be needed soon, more often than not. */
        struct oi_page *first = LIST_FIRST(&pool->available[page->index]);
        if (first == page && !LIST_NEXT(page, link))
            return false;
        LIST_REMOVE(page, link);
        return true;
    }
    return false;
}

void oi_pool_page_changed(struct oi_pool *pool, struct oi_page *page)
{
    oi_pool_run_ended(pool, page, false);
}

/* A page whose blocks have died one after the other keeps its list when it goes back, and nothing need be cut anew: what died last is used first, and mostly lies
 * in front of what died before. Where pages were emptied a block here and a block there, what is made next would be scattered over them. */
void oi_pool_run_ended(struct oi_pool *pool, struct oi_page *page, bool whole)
{
    if (!is_to_go(pool, page))
        return;
    leave_young(pool, page);
    if (whole)
        oi_page_release_listed(page);
    else
        oi_page_release(page);
}

void oi_pool_free_kept(struct oi_pool *pool)
{
    if (pool->kept.key != OI_KEPT_NONE)
        oi_pool_free(pool, oi_pool_take_kept(pool));
}

static void collect_available(struct oi_pool *pool, unsigned index)
{
    struct oi_page *page, *next;
    for (page = LIST_FIRST(&pool->available[index]); page; page = next) {
        next = LIST_NEXT(page, link);
        take_remote(page);
        if (page->used)
            continue;
        LIST_REMOVE(page, link);
        release_page(pool, page);
    }
}

void oi_pool_collect(struct oi_pool *pool)
{
    oi_pool_free_kept(pool);
    take_returned(pool);
    for (unsigned index = OI_POOL_TOKENS; index < OI_POOL_COUNT; index++) {
        struct oi_page *page = pool->current[index];
        if (page != &oi_pool_empty_page) {
            take_remote(page);
            if (!page->used) {
                pool->current[index] = &oi_pool_empty_page;
                release_page(pool, page);
            }
        }
        collect_available(pool, index);
    }
}

bool oi_pool_has_news(const struct oi_pool *pool)
{
    return oi_load_relaxed(&pool->touched) || !oi_stack_is_empty(&pool->returned);
}

bool oi_pool_collect_some(struct oi_pool *pool, unsigned max)
{
    struct oi_stack_node *node = oi_stack_is_empty(&pool->returned) ? NULL : oi_stack_take_all(&pool->returned);
    while (node) {
        struct oi_page *page = OI_CONTAINER_OF(node, struct oi_page, returned);
        node = node->next;
        if (!is_empty(page) && page->index != OI_POOL_LARGE) {
            make_available(pool, page); /* takes its blocks in when it is needed */
        } else if (max) {
            max--;
            take_back(pool, page);
        } else {
            oi_stack_push(&pool->returned, &page->returned);
        }
    }
    return !release_empty(pool, max);
}
