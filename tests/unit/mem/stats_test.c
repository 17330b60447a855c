/* SPDX-License-Identifier: MIT
 *
 * What the heap is said to hold. The runtime is not involved. */
#include "mem/stats.h"

#include <string.h>

#include "mem/limbo.h"
#include "mem/pool.h"
#include "support/check.h"

static struct oi_pool pool;

static void start(void)
{
    memset(&pool, 0, sizeof pool);
    oi_pool_init(&pool);
}

static ouro_mem_stats count(void)
{
    ouro_mem_stats stats;
    memset(&stats, 0xee, sizeof stats);
    oi_mem_count(&stats, false);
    return stats;
}

static uint64_t *alloc(unsigned index)
{
    uint64_t *block = oi_pool_alloc(&pool, index);
    REQUIRE(block);
    *block = 1;
    return block;
}

/* The list of classes: every one, then all larger ones, then the end. */
static void test_classes(void)
{
    ouro_mem_stats s = count();
    CHECK_EQ(s.size, sizeof s);
    for (unsigned class = 0; class < OI_CLASSES; class++)
        CHECK_EQ(s.classes[class].block_size, oi_class_size(class));
    CHECK(s.classes[OI_CLASSES].block_size == SIZE_MAX);
    for (unsigned class = OI_CLASSES + 1; class < OURO_MEM_CLASSES_MAX; class++)
        CHECK_EQ(s.classes[class].block_size, 0);
}

static void test_empty(void)
{
    ouro_mem_stats s = count();
    CHECK_EQ(s.live_objects, 0);
    CHECK_EQ(s.live_bytes, 0);
    CHECK_EQ(s.limbo_bytes, 0);
    CHECK_EQ(s.cached_bytes, 0);
    CHECK_EQ(s.committed_bytes, 0);
    CHECK_EQ(s.reserved_bytes, 0);
}

/* Live, in limbo, handed back, free: a block is counted where it is. */
static void test_block_on_its_way(void)
{
    start();
    unsigned class = oi_class_of(128), index = oi_pool_index(128, false);
    uint64_t *blocks[10];
    for (int i = 0; i < 10; i++)
        blocks[i] = alloc(index);
    ouro_mem_stats s = count();
    CHECK_EQ(s.live_objects, 10);
    CHECK_EQ(s.live_bytes, 1280);
    CHECK_EQ(s.limbo_bytes, 0);
    CHECK_EQ(s.cached_bytes, OI_UNIT - 1280);
    CHECK_EQ(s.classes[class].live_objects, 10);
    CHECK_EQ(s.classes[class].live_bytes, 1280);
    CHECK_EQ(s.classes[class].pages_bytes, OI_UNIT);
    for (int i = 0; i < 4; i++)
        oi_limbo_retire(blocks[i]);
    s = count();
    CHECK_EQ(s.live_objects, 6);
    CHECK_EQ(s.live_bytes, 768);
    CHECK_EQ(s.limbo_bytes, 512);
    CHECK_EQ(s.cached_bytes, OI_UNIT - 1280);
    CHECK_EQ(s.classes[class].live_objects, 6);
    oi_limbo_reclaim();
    s = count();
    CHECK_EQ(s.live_objects, 6);
    CHECK_EQ(s.limbo_bytes, 0);
    CHECK_EQ(s.cached_bytes, OI_UNIT - 768);
    oi_pool_free(&pool, blocks[4]);
    s = count();
    CHECK_EQ(s.live_objects, 5);
    CHECK_EQ(s.cached_bytes, OI_UNIT - 640);
    oi_pool_collect(&pool);
    s = count();
    CHECK_EQ(s.live_objects, 5);
    CHECK_EQ(s.cached_bytes, OI_UNIT - 640);
    for (int i = 5; i < 10; i++)
        oi_pool_free(&pool, blocks[i]);
    oi_pool_collect(&pool);
    s = count();
    CHECK_EQ(s.live_objects, 0);
    CHECK_EQ(s.cached_bytes, 0);
    CHECK_EQ(s.committed_bytes, OI_UNIT); /* free, not yet returned to the system */
    CHECK_EQ(s.reserved_bytes, OI_SEGMENT);
    uint64_t next;
    oi_page_purge(0, &next);
    test_empty();
}

/* Traced and leaf blocks of a size are one class; large ones are the last; the library's own are cached, not live. */
static void test_sums(void)
{
    start();
    enum { CLASSES = 30 };
    uint64_t *blocks[CLASSES][2], *token = alloc(OI_POOL_TOKENS);
    size_t bytes = 0, objects = 0;
    for (unsigned c = 0; c < CLASSES; c++) {
        for (unsigned leaf = 0; leaf < 2; leaf++) {
            blocks[c][leaf] = alloc(oi_pool_index(oi_class_size(c), leaf));
            bytes += oi_class_size(c);
            objects++;
        }
    }
    uint64_t *large = oi_pool_alloc_large(&pool, 1000000, true),
             *huge = oi_pool_alloc_large(&pool, 2 * OI_SEGMENT, false);
    REQUIRE(large && huge);
    *large = *huge = 1;
    ouro_mem_stats s = count();
    for (unsigned c = 0; c < CLASSES; c++) {
        CHECK_EQ(s.classes[c].live_objects, 2);
        CHECK_EQ(s.classes[c].live_bytes, 2 * oi_class_size(c));
    }
    CHECK_EQ(s.classes[OI_CLASSES].live_objects, 2);
    CHECK_EQ(s.classes[OI_CLASSES].live_bytes, 1000000 + 2 * OI_SEGMENT);
    CHECK_EQ(s.live_objects, objects + 2);
    CHECK_EQ(s.live_bytes, bytes + 1000000 + 2 * OI_SEGMENT);
    size_t sum_objects = 0, sum_bytes = 0, pages = 0;
    for (unsigned c = 0; c <= OI_CLASSES; c++) {
        sum_objects += s.classes[c].live_objects;
        sum_bytes += s.classes[c].live_bytes;
        pages += s.classes[c].pages_bytes;
    }
    CHECK_EQ(sum_objects, s.live_objects);
    CHECK_EQ(sum_bytes, s.live_bytes);
    CHECK_GE(pages, sum_bytes);
    CHECK_EQ(pages - sum_bytes + OI_UNIT, s.cached_bytes); /* and the page of the token */
    CHECK_GE(s.committed_bytes, pages + OI_UNIT);
    CHECK_GE(s.reserved_bytes, s.committed_bytes);
    oi_pool_free(&pool, token);
    oi_pool_free(&pool, large);
    oi_pool_free(&pool, huge);
    for (unsigned c = 0; c < CLASSES; c++) {
        oi_pool_free(&pool, blocks[c][0]);
        oi_pool_free(&pool, blocks[c][1]);
    }
    oi_pool_collect(&pool);
    uint64_t next;
    oi_page_purge(0, &next);
    test_empty();
}

static void test_limits(void)
{
    oi_page_set_limits(12345678, 87654321);
    ouro_mem_stats s = count();
    CHECK_EQ(s.soft_limit, 12345678);
    CHECK_EQ(s.hard_limit, 87654321);
    oi_page_set_limits(0, 0);
    s = count();
    CHECK_EQ(s.soft_limit, 0);
    CHECK_EQ(s.hard_limit, 0);
}

int main(void)
{
    check_start("stats_test");
    CHECK_RUN(test_classes);
    CHECK_RUN(test_empty);
    CHECK_RUN(test_block_on_its_way);
    CHECK_RUN(test_sums);
    CHECK_RUN(test_limits);
    return check_finish();
}
