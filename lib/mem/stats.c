/* SPDX-License-Identifier: MIT */
#include "mem/stats.h"

#include "mem/limbo.h"
#include "mem/watch.h"

_Static_assert(OI_CLASSES + 1 < OURO_MEM_CLASSES_MAX, "every class, the large one and the end fit");

static ouro_mem_class_stats *class_of(ouro_mem_stats *stats, const struct oi_page *page)
{
    return &stats->classes[page->index == OI_POOL_LARGE ? OI_CLASSES : (page->index - OI_POOL_FIRST) / 2];
}

/* True if the pool's kept block is of the page. */
static bool keeps(const struct oi_pool *pool, const struct oi_page *page)
{
    size_t at = (uintptr_t)oi_load_relaxed(&pool->kept.block) - (uintptr_t)page->base; /* huge, if it is before the page */
    return oi_load_relaxed(&pool->kept.key) != OI_KEPT_NONE && at < oi_page_block_size(page) * page->capacity;
}

static void add(struct oi_page *page, void *arg)
{
    ouro_mem_stats *stats = arg;
    /* Relaxed, all of them: a moment's reading. */
    size_t block = oi_page_block_size(page), used = oi_load_relaxed(&page->used), capacity = page->capacity;
    size_t limbo = OI_CHAIN_COUNT(oi_load_relaxed(&page->limbo)) + OI_CHAIN_COUNT(oi_load_relaxed(&page->ripening));
    size_t ready = OI_CHAIN_COUNT(oi_load_relaxed(&page->remote)) + keeps(page->pool, page);
    size_t dead = limbo + ready < used ? limbo + ready : used;
    if (page->kind == OI_PAGE_RAW) {
        stats->cached_bytes += block * capacity;
        return;
    }
    ouro_mem_class_stats *class = class_of(stats, page);
    class->live_objects += used - dead;
    class->live_bytes += (used - dead) * block;
    class->pages_bytes += block * capacity;
    stats->live_objects += used - dead;
    stats->live_bytes += (used - dead) * block;
    stats->limbo_bytes += limbo * block;
    stats->cached_bytes += (capacity - (used > ready ? used - ready : 0)) * block;
}

/* To its page a block in quarantine is in use still. */
static void uncount(const void *block, void *arg)
{
    ouro_mem_stats *stats = arg;
    const struct oi_page *page = oi_page_of(block);
    ouro_mem_class_stats *class = class_of(stats, page);
    size_t size = oi_page_block_size(page);
    if (!class->live_objects || class->live_bytes < size)
        return; /* it was made, and has died, since its page was counted */
    class->live_objects--;
    class->live_bytes -= size;
    stats->live_objects--;
    stats->live_bytes -= size;
    stats->cached_bytes += size;
}

void oi_mem_count(ouro_mem_stats *stats, bool reading)
{
    *stats = (ouro_mem_stats){.size = sizeof *stats};
    for (unsigned class = 0; class < OI_CLASSES; class++)
        stats->classes[class].block_size = oi_class_size(class);
    stats->classes[OI_CLASSES].block_size = SIZE_MAX;
    bool still = oi_limbo_hold_still(reading);
    struct oi_page_totals totals = oi_page_each(add, stats);
    oi_watch_each(uncount, stats);
    if (still)
        oi_limbo_go_on();
    stats->committed_bytes = totals.committed;
    stats->reserved_bytes = totals.reserved;
    stats->soft_limit = totals.soft_limit;
    stats->hard_limit = totals.hard_limit;
}
