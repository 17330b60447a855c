/* SPDX-License-Identifier: MIT
 *
 * Quarantine: how much is in it, in what order it leaves, what is found in it. The runtime is not involved. */
#include "mem/watch.h"

#include <string.h>

#include "port/checker.h"
#include "support/check.h"

#define LIMIT ((size_t)1000)
#define INDEX(size) oi_pool_index((size), false)

static struct oi_pool pool;

/* What was called, latest last. */
static const void *came, *left[100], *damaged;
static size_t damaged_at;
static int left_count;

static void on_coming(const void *block)
{
    came = block;
}

static void on_overwritten(const void *block, size_t at)
{
    damaged = block;
    damaged_at = at;
}

static void on_leaving(const void *block)
{
    if (left_count < 100)
        left[left_count++] = block;
}

static void forget(void)
{
    came = damaged = NULL;
    damaged_at = 0;
    left_count = 0;
}

static void *born(size_t size)
{
    void *block = oi_pool_alloc(&pool, INDEX(size));
    REQUIRE(block);
    oi_watch_born(block, size);
    memset(block, 0x11, size);
    return block;
}

static void add(const void *block, void *arg)
{
    *(size_t *)arg += oi_page_block_size(oi_page_of(block));
}

static size_t quarantined(void)
{
    size_t bytes = 0;
    oi_watch_each(add, &bytes);
    return bytes;
}

/* First in, first out, and never more than the limit; each is free to who walks the pages, and is seen to come and to leave. */
static void test_bound(void)
{
    enum { N = 60 };
    void *blocks[N];
    for (int i = 0; i < N; i++)
        blocks[i] = born(40);
    uint32_t used = oi_page_of(blocks[0])->used;
    for (int i = 0; i < N; i++) {
        oi_watch_died(blocks[i]);
        CHECK_PTR(came, blocks[i]);
        CHECK_EQ(*(uint64_t *)blocks[i], 0);
        CHECK_EQ(quarantined(), (size_t)(i < 25 ? i + 1 : 25) * 40);
    }
    CHECK_EQ(left_count, N - 25);
    for (int i = 0; i < N - 25; i++)
        CHECK_PTR(left[i], blocks[i]);
    CHECK(oi_watch_let_out());
    CHECK_EQ(left_count, N);
    CHECK_EQ(quarantined(), 0);
    CHECK(!oi_watch_let_out());
    CHECK_PTR(damaged, NULL);
    CHECK_EQ(used, N);
    oi_pool_collect(&pool); /* all of them have come back, so their page goes */
    CHECK_EQ(oi_page_totals().in_use, 0);
}

/* Blocks of all sizes; one that is larger than all that may be kept does not drive out the others. */
static void test_sizes(void)
{
    void *small = born(16), *large = born(900), *larger = born(2000);
    oi_watch_died(small);
    oi_watch_died(larger);
    CHECK_EQ(left_count, 1);
    CHECK_PTR(left[0], larger);
    oi_watch_died(large);
    CHECK_EQ(left_count, 1); /* 16 and 960 */
    oi_watch_died(born(40));
    CHECK_EQ(left_count, 2);
    CHECK_PTR(left[1], small);
    oi_watch_let_out();
    CHECK_PTR(damaged, NULL);
}

/* Each byte behind the first 16 is looked at. */
static void test_damage(void)
{
    for (size_t at = 16; at < 72 && !oi_checker_is_asan(); at++) {
        unsigned char *block = born(72);
        forget();
        oi_watch_died(block);
        block[at] ^= 1;
        CHECK_PTR(damaged, NULL);
        oi_watch_let_out();
        CHECK_PTR(damaged, block);
        CHECK_EQ(damaged_at, at);
    }
}

/* Chains, as they come out of limbo. */
static void test_chain(void)
{
    void *a = born(32), *b = born(32), *c = born(32);
    struct oi_page *page = oi_page_of(a);
    ((struct oi_block *)a)->after = oi_page_position(page, b);
    ((struct oi_block *)b)->after = oi_page_position(page, c);
    ((struct oi_block *)c)->after = 0;
    oi_watch_died_all(page, oi_page_position(page, a));
    oi_watch_died_all(page, 0);
    CHECK_EQ(quarantined(), 96);
    oi_watch_let_out();
    CHECK_PTR(damaged, NULL);
    CHECK_EQ(left_count, 3);
    CHECK(left[0] == a && left[1] == b && left[2] == c);
}

int main(void)
{
    check_start("watch_test");
    oi_pool_init(&pool);
    CHECK_EQ(oi_watch_quick_max, OI_CLASS_MAX);
    oi_watch_start(LIMIT, true);
    CHECK(oi_watched && oi_watch_quick_max == 0 && oi_watch_pooled_max == OI_CLASS_MAX);
    oi_watch_on_coming = on_coming;
    oi_watch_on_overwritten = on_overwritten;
    oi_watch_on_leaving = on_leaving;
    check_around(forget, NULL);
    CHECK_RUN(test_bound);
    CHECK_RUN(test_sizes);
    CHECK_RUN(test_damage);
    CHECK_RUN(test_chain);
    return check_finish();
}
