/* SPDX-License-Identifier: MIT
 *
 * Each page in a segment of its own from malloc: found from its block, walked, pinned, limited and given back as others are. The runtime is not
 * involved: pools are only named. */
#include <string.h>

#include "mem/watch.h"
#include "support/check.h"

static char name[8];
#define POOL ((struct oi_pool *)name)

static const size_t sizes[] = {16, 24, 640, 65000, OI_UNIT, OI_UNIT + 8, (size_t)1 << 20, OI_SEGMENT - 8, OI_SEGMENT, (size_t)9 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static struct oi_page *pages[SIZES];

static void acquire_all(void)
{
    for (int i = 0; i < SIZES; i++) {
        pages[i] = oi_page_acquire(POOL, OI_PAGE_TRACED, OI_POOL_LARGE, sizes[i], 0);
        REQUIRE(pages[i]);
    }
}

static void release_all(void)
{
    for (int i = 0; i < SIZES; i++)
        oi_page_release(pages[i]);
}

static void test_found(void)
{
    size_t in_use = 0;
    acquire_all();
    for (int i = 0; i < SIZES; i++) {
        CHECK_PTR(oi_page_of(pages[i]->base), pages[i]);
        CHECK_EQ(pages[i]->capacity, 1);
        CHECK_EQ(oi_page_block_size(pages[i]), sizes[i]);
        CHECK_EQ((uintptr_t)pages[i]->base % 64, 0);
        CHECK_PTR(oi_segment_of(pages[i]->base), oi_segment_of(pages[i]));
        memset(pages[i]->base, 0x55, sizes[i]);
        in_use += sizes[i];
    }
    CHECK_EQ(oi_page_totals().in_use, in_use);
    CHECK_EQ(oi_page_totals().committed, in_use);
    release_all();
    CHECK_EQ(oi_page_totals().in_use, 0);
    CHECK_EQ(oi_page_totals().committed, 0);
    CHECK_EQ(oi_page_totals().reserved, 0); /* back at once, not when a purge comes by */
}

static void count(struct oi_page *page, void *arg)
{
    CHECK_EQ(page->capacity, 1);
    ++*(int *)arg;
}

static void test_walked(void)
{
    int each = 0, of = 0;
    struct oi_page *pinned[SIZES + 1];
    uint32_t n = 0;
    acquire_all();
    oi_page_each(count, &each);
    CHECK_EQ(each, SIZES);
    oi_page_each_of(POOL, count, &of);
    CHECK_EQ(of, SIZES);
    oi_page_pin_all(pinned, &n, SIZES + 1);
    CHECK_EQ(n, SIZES);
    release_all();
    CHECK_GT(oi_page_totals().reserved, 0); /* pinned */
    CHECK_EQ(oi_page_of(pages[3]->base)->block_units, sizes[3] / 8);
    oi_page_unpin(pinned, &n);
    uint64_t next;
    oi_page_purge(0, &next);
    CHECK_EQ(oi_page_totals().reserved, 0);
    CHECK_EQ(oi_page_totals().committed, 0);
}

static void test_limit(void)
{
    oi_page_set_limits(0, 1000);
    struct oi_page *page = oi_page_acquire(POOL, OI_PAGE_LEAF, OI_POOL_LARGE, 800, 0);
    CHECK(page != NULL);
    CHECK_PTR(oi_page_acquire(POOL, OI_PAGE_LEAF, OI_POOL_LARGE, 208, 0), NULL);
    CHECK_PTR(oi_page_acquire(POOL, OI_PAGE_LEAF, OI_POOL_LARGE, SIZE_MAX - 100, 0), NULL);
    oi_page_release(page);
    oi_page_set_limits(0, 0);
    CHECK_EQ(oi_page_totals().reserved, 0);
}

/* The library's own small blocks are in ordinary pages. */
static void test_raw(void)
{
    struct oi_page *page = oi_page_acquire(POOL, OI_PAGE_RAW, OI_POOL_TOKENS, 16, 0);
    REQUIRE(page);
    CHECK_EQ(page->capacity, OI_UNIT / 16);
    CHECK_PTR(oi_page_of(page->base + OI_UNIT - 16), page);
    oi_page_release(page);
}

int main(void)
{
    check_start("single_test");
    oi_page_set_source(false, true);
    CHECK_RUN(test_found);
    CHECK_RUN(test_walked);
    CHECK_RUN(test_limit);
    CHECK_RUN(test_raw);
    return check_finish();
}
