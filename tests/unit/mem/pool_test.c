/* SPDX-License-Identifier: MIT
 *
 * Pools: allocation and freeing by the holder, and what other threads push. The runtime is not involved. */
#include "mem/pool.h"

#include <sched.h>
#include <string.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;
static struct oi_pool pool;

#define INDEX(size) oi_pool_index((size), false)

static size_t pages_in_use(void)
{
    return oi_page_totals().in_use;
}

static void start(void)
{
    memset(&pool, 0, sizeof pool);
    oi_pool_init(&pool);
    REQUIRE(pages_in_use() == 0);
}

static void *alloc(unsigned index)
{
    void *block = oi_pool_alloc(&pool, index);
    REQUIRE(block);
    return block;
}

static uint32_t free_length(const struct oi_page *page)
{
    uint32_t n = 0;
    for (const struct oi_block *block = page->free; block; block = block->next)
        n++;
    return n;
}

/* used + free == carved <= capacity */
static void check_counts(const struct oi_page *page)
{
    CHECK_EQ(page->used + free_length(page), page->carved);
    CHECK_LE(page->carved, page->capacity);
}

static bool is_available(const struct oi_page *page)
{
    struct oi_page *p;
    LIST_FOREACH(p, &pool.available[page->index], link) {
        if (p == page)
            return true;
    }
    return false;
}

static bool is_in(const struct oi_young_list *list, const struct oi_page *page)
{
    struct oi_page *p;
    LIST_FOREACH(p, list, young) {
        if (p == page)
            return true;
    }
    return false;
}

/* Everything was freed: every page goes back. */
static void finish(void)
{
    oi_pool_collect(&pool);
    CHECK_EQ(pages_in_use(), 0);
    CHECK(oi_stack_is_empty(&pool.returned));
    for (int i = 0; i < OI_YOUNG_LISTS; i++)
        CHECK(LIST_EMPTY(&pool.young[i]));
    for (unsigned i = 0; i < OI_POOL_COUNT; i++) {
        CHECK_PTR(pool.current[i], &oi_pool_empty_page);
        CHECK(LIST_EMPTY(&pool.available[i]));
    }
    uint64_t next;
    oi_page_purge(0, &next);
    CHECK_EQ(oi_page_totals().reserved, 0);
    pthread_mutex_destroy(&pool.young_lock);
}

/* ---- the holder alone ---- */

/* Blocks of every class and kind: of the right page, aligned, apart from each other, marked free. */
static void test_every_class(void)
{
    start();
    for (unsigned index = OI_POOL_TOKENS; index < OI_POOL_COUNT; index++) {
        bool raw = index < OI_POOL_FIRST, leaf = !raw && (index - OI_POOL_FIRST) % 2;
        size_t size = index == OI_POOL_TOKENS    ? OI_BLOCK_MIN
                      : index == OI_POOL_ANCHORS ? OI_ANCHOR_SIZE
                                                 : oi_class_size((index - OI_POOL_FIRST) / 2);
        enum { N = 20 };
        char *blocks[N];
        for (int i = 0; i < N; i++) {
            blocks[i] = alloc(index);
            const struct oi_page *page = oi_page_of(blocks[i]);
            CHECK_EQ(*(uint32_t *)(void *)blocks[i], 0);
            CHECK_PTR(page->pool, &pool);
            CHECK_EQ(page->index, index);
            CHECK_EQ(oi_page_block_size(page), size);
            CHECK_EQ((uintptr_t)blocks[i] % (size % 64 == 0 ? 64 : size % 32 == 0 ? 32 : size % 16 == 0 ? 16 : 8), 0);
            CHECK_EQ(page->kind, raw ? OI_PAGE_RAW : leaf ? OI_PAGE_LEAF : OI_PAGE_TRACED);
            CHECK_EQ(is_in(&pool.young[OI_YOUNG_NEW], page), !raw && !leaf);
            CHECK_EQ(is_in(&pool.young[OI_YOUNG_LEAF], page), leaf);
            check_counts(page);
            memset(blocks[i], i + 1, size);
        }
        for (int i = 0; i < N; i++) {
            CHECK(blocks[i][0] == i + 1 && blocks[i][size / 2] == i + 1 && blocks[i][size - 1] == i + 1);
            oi_pool_free(&pool, blocks[i]);
            CHECK_EQ(*(uint32_t *)(void *)blocks[i], 0);
        }
    }
    finish();
}

/* Random allocation and freeing: no block is given out twice, and the pages' counts are right all the time. */
static void test_patterns(void)
{
    enum { N = 4000 };
    static uint64_t *blocks[N];
    struct rng rng = rng_stream(seed, 0);
    start();
    for (int i = 0; i < SCALED(200000); i++) {
        uint32_t k = rng_below(&rng, N);
        if (blocks[k]) {
            CHECK_EQ(blocks[k][2], k);
            struct oi_page *page = oi_page_of(blocks[k]);
            oi_pool_free(&pool, blocks[k]);
            blocks[k] = NULL;
            if (i % 64 == 0 && page->pool)
                check_counts(page);
        } else {
            /* Sometimes many of a class, so that pages fill. */
            size_t size = rng_one_in(&rng, 3) ? 24 + rng_below(&rng, 2000) : 4096;
            blocks[k] = alloc(oi_pool_index(size, rng_one_in(&rng, 2)));
            blocks[k][0] = 0x100000001; /* not free */
            blocks[k][2] = k;
            if (i % 64 == 0)
                check_counts(oi_page_of(blocks[k]));
        }
        if (rng_one_in(&rng, 20000))
            oi_pool_collect(&pool);
    }
    for (int k = 0; k < N; k++) {
        if (blocks[k]) {
            CHECK_EQ(blocks[k][2], k);
            oi_pool_free(&pool, blocks[k]);
            blocks[k] = NULL;
        }
    }
    finish();
}

/* Cut in small steps: an untouched rest of a page stays untouched. */
static void test_cut(void)
{
    start();
    struct oi_page *page = oi_page_of(alloc(INDEX(64)));
    CHECK_EQ(page->carved, 4096 / 64);
    CHECK_EQ(page->capacity, OI_UNIT / 64);
    for (uint32_t i = 1; i < page->capacity; i++) {
        uint32_t before = page->carved;
        bool had = page->free;
        CHECK_PTR(oi_page_of(alloc(INDEX(64))), page);
        CHECK_EQ(page->carved, had ? before : before + 4096 / 64);
    }
    CHECK_EQ(page->used, page->capacity);
    CHECK_EQ(page->carved, page->capacity);
    for (uint32_t i = 0; i < page->capacity; i++)
        oi_pool_free(&pool, page->base + i * 64);
    finish();
}

/* What refills find is counted: no fewer blocks have been allocated. */
static void test_fresh_blocks(void)
{
    start();
    CHECK_EQ(pool.fresh_blocks, 0);
    void *blocks[3000];
    for (size_t i = 0; i < 3000; i++) {
        blocks[i] = alloc(INDEX(32));
        CHECK_GE(pool.fresh_blocks, i + 1);
        CHECK_LE(pool.fresh_blocks, i + 1 + 4096 / 32);
    }
    for (size_t i = 0; i < 3000; i++)
        oi_pool_free(&pool, blocks[i]);
    finish();
}

static void test_without_memory(void)
{
    start();
    CHECK_PTR(oi_pool_refill(&pool, OI_POOL_NONE), NULL);
    oi_page_set_limits(0, 1);
    CHECK_PTR(oi_pool_alloc(&pool, INDEX(64)), NULL);
    CHECK_PTR(pool.current[INDEX(64)], &oi_pool_empty_page);
    CHECK_PTR(oi_pool_alloc_large(&pool, 200000, true), NULL);
    CHECK_EQ(oi_pool_empty_page.used, 0);
    oi_page_set_limits(0, 8 * OI_UNIT);
    void *blocks[8];
    for (int i = 0; i < 8; i++)
        blocks[i] = alloc(INDEX(OI_CLASS_MAX));
    CHECK_PTR(oi_pool_alloc(&pool, INDEX(OI_CLASS_MAX)), NULL);
    CHECK_PTR(pool.current[INDEX(OI_CLASS_MAX)], &oi_pool_empty_page);
    oi_pool_free(&pool, blocks[3]); /* the page that was put aside serves again */
    CHECK_PTR(alloc(INDEX(OI_CLASS_MAX)), blocks[3]);
    for (int i = 0; i < 8; i++)
        oi_pool_free(&pool, blocks[i]);
    oi_page_set_limits(0, 0);
    finish();
}

/* An empty page is kept if it is the only one of its class with free blocks; a second one goes back. */
static void test_one_empty_page_is_kept(void)
{
    enum { SIZE = 8192, PER_PAGE = 8 };
    char *blocks[4 * PER_PAGE];
    start();
    for (int i = 0; i < 4 * PER_PAGE; i++)
        blocks[i] = alloc(INDEX(SIZE));
    CHECK_EQ(pages_in_use(), 4 * OI_UNIT);
    for (int i = 0; i < PER_PAGE; i++)
        oi_pool_free(&pool, blocks[i]); /* a FULL page, then AVAILABLE, then empty: kept */
    CHECK_EQ(pages_in_use(), 4 * OI_UNIT);
    for (int i = PER_PAGE; i < 2 * PER_PAGE; i++)
        oi_pool_free(&pool, blocks[i]);
    CHECK_EQ(pages_in_use(), 3 * OI_UNIT);
    for (int i = 2 * PER_PAGE; i < 4 * PER_PAGE; i++)
        oi_pool_free(&pool, blocks[i]); /* the last is current, and stays, too */
    CHECK_LE(pages_in_use(), 2 * OI_UNIT);
    finish();
}

/* ---- the protocol of FULL, remote and returned, step by step ---- */

enum { SIZE = 4096, PER_PAGE = OI_UNIT / SIZE };

/* A page all of whose blocks are used; and the class goes on with another page, so that it is FULL. */
static struct oi_page *fill_page(char **blocks, char **next)
{
    for (int i = 0; i < PER_PAGE; i++)
        blocks[i] = alloc(INDEX(SIZE));
    struct oi_page *page = oi_page_of(blocks[0]);
    for (int i = 0; i < PER_PAGE; i++)
        CHECK_PTR(oi_page_of(blocks[i]), page);
    CHECK_EQ(page->state, OI_PAGE_CURRENT); /* nobody has asked for more yet */
    CHECK_EQ(page->remote, 0);
    *next = alloc(INDEX(SIZE));
    CHECK(oi_page_of(*next) != page);
    CHECK_EQ(page->state, OI_PAGE_FULL);
    CHECK(page->remote == OI_REMOTE_FULL);
    CHECK(!is_available(page));
    CHECK_EQ(page->used, PER_PAGE);
    return page;
}

static void test_full_then_freed_by_holder(void)
{
    char *blocks[PER_PAGE], *next;
    start();
    struct oi_page *page = fill_page(blocks, &next);
    oi_pool_free(&pool, blocks[5]);
    CHECK_EQ(page->state, OI_PAGE_AVAILABLE);
    CHECK_EQ(page->remote, 0);
    CHECK(is_available(page));
    CHECK_EQ(page->used, PER_PAGE - 1);
    check_counts(page);
    /* Used again when the current one is exhausted. */
    char *more[PER_PAGE];
    for (int i = 0; i < PER_PAGE; i++)
        more[i] = alloc(INDEX(SIZE));
    CHECK_PTR(more[PER_PAGE - 1], blocks[5]);
    CHECK_EQ(page->state, OI_PAGE_CURRENT);
    CHECK(!is_available(page));
    for (int i = 0; i < PER_PAGE; i++) {
        if (i != 5)
            oi_pool_free(&pool, blocks[i]);
        oi_pool_free(&pool, more[i]);
    }
    oi_pool_free(&pool, next);
    finish();
}

/* The first block freed by another thread clears FULL and sends the page back; the others only join the chain. */
static void test_full_then_freed_by_others(void)
{
    char *blocks[PER_PAGE], *next;
    start();
    struct oi_page *page = fill_page(blocks, &next);
    oi_pool_free_remote(blocks[2]);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 1);
    CHECK_PTR(oi_page_at(page, OI_CHAIN_HEAD(page->remote)), blocks[2]);
    CHECK(!(page->remote & OI_REMOTE_FULL));
    CHECK_PTR(pool.returned.head, &page->returned);
    CHECK_EQ(page->used, PER_PAGE); /* the holder has not seen it yet */
    oi_pool_free_remote(blocks[7]);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 2);
    CHECK_PTR(page->returned.next, NULL); /* once on the stack */
    oi_pool_collect(&pool);
    CHECK(oi_stack_is_empty(&pool.returned));
    CHECK_EQ(page->state, OI_PAGE_AVAILABLE);
    CHECK(is_available(page));
    CHECK_EQ(page->remote, 0);
    CHECK_EQ(page->used, PER_PAGE - 2);
    check_counts(page);
    oi_pool_free_remote(blocks[0]); /* of a page that is not FULL: no way back needed */
    CHECK(oi_stack_is_empty(&pool.returned));
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 1);
    for (int i = 1; i < PER_PAGE; i++) {
        if (i != 2 && i != 7)
            oi_pool_free(&pool, blocks[i]);
    }
    oi_pool_free(&pool, next);
    finish();
}

/* Another thread has cleared FULL, and then the holder frees, too: it leaves the page to come back. */
static void test_full_then_freed_by_both(void)
{
    char *blocks[PER_PAGE], *next;
    start();
    struct oi_page *page = fill_page(blocks, &next);
    oi_pool_free_remote(blocks[0]);
    oi_pool_free(&pool, blocks[1]);
    CHECK_EQ(page->state, OI_PAGE_FULL);
    CHECK(!is_available(page));
    oi_pool_free(&pool, blocks[2]);
    CHECK_EQ(page->used, PER_PAGE - 2);
    CHECK_EQ(free_length(page), 2);
    for (int i = 3; i < PER_PAGE; i++)
        oi_pool_free(&pool, blocks[i]); /* all but the one on the chain */
    CHECK_EQ(page->used, 1);
    CHECK_EQ(page->state, OI_PAGE_FULL);
    CHECK_EQ(pages_in_use(), 2 * OI_UNIT);
    oi_pool_collect(&pool);
    CHECK_EQ(pages_in_use(), OI_UNIT); /* empty: given back */
    oi_pool_free(&pool, next);
    finish();
}

/* The same, found by an allocation rather than by a collect: returned pages serve before new ones. */
static void test_returned_is_used_again(void)
{
    char *blocks[PER_PAGE], *next, *more[PER_PAGE];
    start();
    struct oi_page *page = fill_page(blocks, &next);
    oi_pool_free_remote(blocks[3]);
    for (int i = 0; i < PER_PAGE - 1; i++)
        more[i] = alloc(INDEX(SIZE));
    CHECK_EQ(page->state, OI_PAGE_FULL);
    more[PER_PAGE - 1] = alloc(INDEX(SIZE));
    CHECK_PTR(more[PER_PAGE - 1], blocks[3]);
    CHECK_EQ(page->state, OI_PAGE_CURRENT);
    CHECK_EQ(page->used, PER_PAGE);
    CHECK_EQ(pages_in_use(), 2 * OI_UNIT);
    for (int i = 0; i < PER_PAGE; i++) {
        oi_pool_free(&pool, more[i]);
        if (i != 3)
            oi_pool_free(&pool, blocks[i]);
    }
    oi_pool_free(&pool, next);
    finish();
}

/* Freed by others while the page is still current: taken in when it runs out, and it never becomes FULL. */
static void test_remote_on_current(void)
{
    char *blocks[PER_PAGE];
    start();
    for (int i = 0; i < PER_PAGE; i++)
        blocks[i] = alloc(INDEX(SIZE));
    struct oi_page *page = oi_page_of(blocks[0]);
    oi_pool_free_remote(blocks[4]);
    oi_pool_free_remote(blocks[9]);
    CHECK(oi_stack_is_empty(&pool.returned));
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 2);
    *(uint64_t *)(void *)blocks[4] = 99; /* as a dead object has it: it reads as free once taken in */
    char *a = alloc(INDEX(SIZE)), *b = alloc(INDEX(SIZE));
    CHECK((a == blocks[4] && b == blocks[9]) || (a == blocks[9] && b == blocks[4]));
    CHECK_EQ(*(uint64_t *)(void *)blocks[4], 0);
    CHECK_EQ(page->state, OI_PAGE_CURRENT);
    CHECK_EQ(page->remote, 0);
    CHECK_EQ(page->used, PER_PAGE);
    for (int i = 0; i < PER_PAGE; i++)
        oi_pool_free(&pool, blocks[i]);
    finish();
}

/* Makes one chain of all blocks. */
static uint32_t chain_of(const struct oi_page *page, char **blocks, int n)
{
    for (int i = 0; i < n; i++)
        ((struct oi_block *)(void *)blocks[i])->after = i + 1 < n ? oi_page_position(page, blocks[i + 1]) : 0;
    return oi_page_position(page, blocks[0]);
}

/* A chain of all the blocks of a FULL page: whoever pushes it gives the page back at once, also from the young list. */
static void test_whole_page_pushed(void)
{
    char *blocks[PER_PAGE], *next;
    start();
    struct oi_page *page = fill_page(blocks, &next);
    CHECK(is_in(&pool.young[OI_YOUNG_NEW], page));
    oi_page_push_remote(page, chain_of(page, blocks, PER_PAGE), PER_PAGE);
    CHECK_EQ(pages_in_use(), OI_UNIT);
    CHECK(!is_in(&pool.young[OI_YOUNG_NEW], page));
    CHECK(oi_stack_is_empty(&pool.returned));
    oi_pool_free(&pool, next);
    finish();
}

/* ... unless the holder walks its young pages just then: the page goes back to it instead. */
static void test_whole_page_pushed_while_walked(void)
{
    char *blocks[PER_PAGE], *next;
    start();
    struct oi_page *page = fill_page(blocks, &next);
    pthread_mutex_lock(&pool.young_lock);
    oi_page_push_remote(page, chain_of(page, blocks, PER_PAGE), PER_PAGE);
    CHECK(is_in(&pool.young[OI_YOUNG_NEW], page));
    CHECK_EQ(pages_in_use(), 2 * OI_UNIT);
    CHECK_PTR(pool.returned.head, &page->returned);
    pthread_mutex_unlock(&pool.young_lock);
    oi_pool_collect(&pool);
    CHECK_EQ(pages_in_use(), OI_UNIT);
    oi_pool_free(&pool, next);
    finish();
}

/* The same without a chain; and nothing happens to a page that is not FULL, or of which there is more. */
static void test_whole_page_without_a_chain(void)
{
    char *blocks[PER_PAGE], *next;
    start();
    struct oi_page *page = fill_page(blocks, &next);
    CHECK(!oi_page_push_whole(page, PER_PAGE - 1));
    CHECK(!oi_page_push_whole(oi_page_of(next), 1));
    CHECK_EQ(page->remote, OI_REMOTE_FULL);
    CHECK(oi_page_push_whole(page, PER_PAGE));
    CHECK_EQ(pages_in_use(), OI_UNIT);
    CHECK(!is_in(&pool.young[OI_YOUNG_NEW], page));
    CHECK(oi_stack_is_empty(&pool.returned));
    oi_pool_free(&pool, next);
    page = fill_page(blocks, &next);
    oi_pool_free_remote(blocks[0]);
    CHECK(!oi_page_push_whole(page, PER_PAGE - 1));
    oi_page_push_remote(page, chain_of(page, blocks + 1, PER_PAGE - 1), PER_PAGE - 1);
    oi_pool_collect(&pool);
    CHECK_EQ(pages_in_use(), OI_UNIT);
    oi_pool_free(&pool, next);
    finish();
}

static void test_whole_page_without_a_chain_while_walked(void)
{
    char *blocks[PER_PAGE], *next, *again[PER_PAGE];
    start();
    struct oi_page *page = fill_page(blocks, &next);
    pthread_mutex_lock(&pool.young_lock);
    CHECK(oi_page_push_whole(page, PER_PAGE));
    CHECK_EQ(pages_in_use(), 2 * OI_UNIT);
    CHECK_PTR(pool.returned.head, &page->returned);
    uint32_t n = 0;
    for (uint32_t position = OI_CHAIN_HEAD(page->remote); position && n <= PER_PAGE; n++)
        position = ((struct oi_block *)oi_page_at(page, position))->after;
    CHECK_EQ(n, PER_PAGE);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), PER_PAGE);
    pthread_mutex_unlock(&pool.young_lock);
    oi_pool_collect(&pool);
    CHECK_EQ(pages_in_use(), OI_UNIT);
    for (int i = 0; i < PER_PAGE; i++)
        again[i] = alloc(INDEX(SIZE));
    for (int i = 0; i < PER_PAGE; i++)
        oi_pool_free(&pool, again[i]);
    oi_pool_free(&pool, next);
    finish();
}

/* Chains that meet a chain: all blocks are there afterwards, each once. */
static void test_chains_are_joined(void)
{
    char *blocks[PER_PAGE], *next, seen[PER_PAGE] = {0};
    start();
    struct oi_page *page = fill_page(blocks, &next);
    oi_page_push_remote(page, chain_of(page, blocks, 3), 3);
    oi_page_push_remote(page, chain_of(page, blocks + 3, 5), 5);
    oi_page_push_remote(page, chain_of(page, blocks + 8, 1), 1);
    uint32_t n = 0;
    for (uint32_t position = OI_CHAIN_HEAD(page->remote); position; n++) {
        struct oi_block *block = oi_page_at(page, position);
        for (int i = 0; i < PER_PAGE; i++)
            seen[i] = (char)(seen[i] + ((char *)block == blocks[i]));
        position = block->after;
    }
    CHECK_EQ(n, 9);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 9);
    for (int i = 0; i < PER_PAGE; i++)
        CHECK_EQ(seen[i], i < 9);
    oi_pool_collect(&pool);
    CHECK_EQ(page->used, PER_PAGE - 9);
    check_counts(page);
    for (int i = 9; i < PER_PAGE; i++)
        oi_pool_free(&pool, blocks[i]);
    oi_pool_free(&pool, next);
    finish();
}

/* One block, one page: FULL from the start; freed by anyone, it goes back whole. */
static void test_large(void)
{
    start();
    for (int way = 0; way < 3; way++) {
        size_t bytes = way == 1 ? 2 * OI_SEGMENT : 5 * OI_UNIT;
        char *block = oi_pool_alloc_large(&pool, bytes - 100, way == 2);
        REQUIRE(block);
        struct oi_page *page = oi_page_of(block);
        CHECK_EQ(page->index, OI_POOL_LARGE);
        CHECK_EQ(page->state, OI_PAGE_FULL);
        CHECK(page->remote == OI_REMOTE_FULL);
        CHECK_EQ(page->used, 1);
        CHECK_EQ(page->carved, 1);
        CHECK_EQ(*(uint32_t *)(void *)block, 0);
        CHECK(is_in(way == 2 ? &pool.young[OI_YOUNG_LEAF] : &pool.young[OI_YOUNG_NEW], page));
        CHECK_EQ(pages_in_use(), bytes);
        memset(block, 0xff, 1000);
        if (way == 0) {
            oi_pool_free(&pool, block);
        } else if (way == 1) {
            oi_pool_free_remote(block);
        } else {
            pthread_mutex_lock(&pool.young_lock);
            oi_pool_free_remote(block);
            pthread_mutex_unlock(&pool.young_lock);
            CHECK_EQ(pages_in_use(), bytes);
            oi_pool_collect_some(&pool, 1);
        }
        CHECK_EQ(pages_in_use(), 0);
    }
    finish();
}

/* A claimer takes everything back but gives back no more pages than it is told. */
static void test_collect_some(void)
{
    enum { PAGES = 10 };
    char *blocks[PAGES * PER_PAGE + 1];
    start();
    for (int i = 0; i < PAGES * PER_PAGE + 1; i++)
        blocks[i] = alloc(INDEX(SIZE)); /* ten FULL pages, and one block of the next */
    for (int i = 0; i < PAGES * PER_PAGE; i++)
        oi_pool_free_remote(blocks[i]);
    CHECK_EQ(pages_in_use(), (PAGES + 1) * OI_UNIT);
    oi_pool_collect_some(&pool, 3);
    CHECK_EQ(pages_in_use(), (PAGES + 1 - 3) * OI_UNIT);
    oi_pool_collect_some(&pool, 0);
    CHECK_EQ(pages_in_use(), (PAGES + 1 - 3) * OI_UNIT);
    CHECK(!oi_stack_is_empty(&pool.returned));
    oi_pool_collect_some(&pool, PAGES);
    CHECK_EQ(pages_in_use(), OI_UNIT);
    CHECK(oi_stack_is_empty(&pool.returned));
    oi_pool_free(&pool, blocks[PAGES * PER_PAGE]);
    finish();
}

/* ---- raced ---- */

enum { RING = 256, HANDED = 400000 };

static struct {
    void *ring[RING];  /* atomic; NULL: empty */
    uint64_t serial;
} race;

/* The other thread: checks what it was given, and frees it. */
static void free_remotely(void)
{
    for (int i = 0;; i = (i + 1) % RING) {
        uint64_t *block;
        while (!(block = oi_load_acquire(&race.ring[i])))
            sched_yield();
        oi_store_release(&race.ring[i], NULL);
        if (block == &race.serial)
            return;
        CHECK(block[2] == ~block[3]); /* still what the holder wrote: not given out twice */
        block[2] = 0;
        oi_pool_free_remote(block);
    }
}

static void put(int i, void *block)
{
    while (oi_load_acquire(&race.ring[i]))
        sched_yield();
    oi_store_release(&race.ring[i], block);
}

static void allocate_and_hand_over(struct member *self)
{
    enum { KEPT = 500 };
    uint64_t *kept[KEPT] = {0};
    int at = 0;
    for (int n = 0; n < SCALED(HANDED); n++) {
        bool large = rng_one_in(&self->rng, 4096);
        size_t size = rng_one_in(&self->rng, 8) ? 8000 : 64;
        uint64_t *block = large ? oi_pool_alloc_large(&pool, 100000, false) : alloc(INDEX(size));
        REQUIRE(block);
        block[0] = 1;
        block[2] = ++race.serial;
        block[3] = ~block[2];
        uint32_t k = rng_below(&self->rng, KEPT);
        if (kept[k]) {
            CHECK(kept[k][2] == ~kept[k][3]);
            if (rng_one_in(&self->rng, 2)) {
                oi_pool_free(&pool, kept[k]);
            } else {
                put(at, kept[k]);
                at = (at + 1) % RING;
            }
        }
        kept[k] = block;
        if (rng_one_in(&self->rng, 10000))
            oi_pool_collect(&pool);
    }
    for (int k = 0; k < KEPT; k++) {
        if (kept[k])
            oi_pool_free(&pool, kept[k]);
    }
    put(at, &race.serial); /* the end */
}

static void work(struct member *self)
{
    if (self->index)
        free_remotely();
    else
        allocate_and_hand_over(self);
}

/* The holder allocates and frees, another thread frees: no block is lost or given out twice, and all pages go back. */
static void test_race(void)
{
    start();
    memset(&race, 0, sizeof race);
    team_run(2, seed, work, NULL);
    finish();
}

enum { FREERS = 3 };
static char *shared_blocks[PER_PAGE];

static void free_share(struct member *self)
{
    for (unsigned i = self->index; i < PER_PAGE; i += FREERS)
        oi_pool_free_remote(shared_blocks[i]);
}

/* All blocks of a FULL page freed by several threads at the same moment: it is sent back once, and complete. */
static void test_full_race(void)
{
    for (int round = 0; round < SCALED(300); round++) {
        char *next;
        start();
        struct oi_page *page = fill_page(shared_blocks, &next);
        team_run(FREERS, seed + (uint64_t)round, free_share, NULL);
        CHECK_EQ(OI_CHAIN_COUNT(page->remote), PER_PAGE);
        CHECK_PTR(pool.returned.head, &page->returned);
        CHECK_PTR(page->returned.next, NULL);
        oi_pool_free(&pool, next);
        finish();
    }
}

int main(void)
{
    check_start("pool_test");
    seed = rng_seed();
    CHECK_RUN(test_every_class);
    CHECK_RUN(test_patterns);
    CHECK_RUN(test_cut);
    CHECK_RUN(test_fresh_blocks);
    CHECK_RUN(test_without_memory);
    CHECK_RUN(test_one_empty_page_is_kept);
    CHECK_RUN(test_full_then_freed_by_holder);
    CHECK_RUN(test_full_then_freed_by_others);
    CHECK_RUN(test_full_then_freed_by_both);
    CHECK_RUN(test_returned_is_used_again);
    CHECK_RUN(test_remote_on_current);
    CHECK_RUN(test_whole_page_pushed);
    CHECK_RUN(test_whole_page_pushed_while_walked);
    CHECK_RUN(test_whole_page_without_a_chain);
    CHECK_RUN(test_whole_page_without_a_chain_while_walked);
    CHECK_RUN(test_chains_are_joined);
    CHECK_RUN(test_large);
    CHECK_RUN(test_collect_some);
    CHECK_RUN(test_race);
    CHECK_RUN(test_full_race);
    return check_finish();
}
