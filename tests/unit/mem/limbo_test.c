/* SPDX-License-Identifier: MIT
 *
 * Limbo: a retired block is used again after a grace period, and not before. The runtime is not involved. */
#include "mem/limbo.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "mem/pool.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;
static struct oi_pool pool;
static unsigned announced; /* atomic */

enum { SIZE = 1024, PER_PAGE = OI_UNIT / SIZE };
#define INDEX oi_pool_index(SIZE, false)

static void announce(void)
{
    __atomic_add_fetch(&announced, 1, __ATOMIC_RELAXED);
}

static void start(void)
{
    memset(&pool, 0, sizeof pool);
    oi_pool_init(&pool);
    oi_limbo_on_waiting = announce;
    announced = 0;
    REQUIRE(oi_page_totals().in_use == 0);
    REQUIRE(!oi_limbo_is_waiting());
}

static uint64_t *alloc(void)
{
    uint64_t *block = oi_pool_alloc(&pool, INDEX);
    REQUIRE(block);
    for (unsigned i = 0; i < SIZE / 8; i++)
        block[i] = 0x0101010101010101u * (i & 0xff);
    block[0] = 77; /* a type */
    return block;
}

/* A dead block reads as its readers last saw it, but for the word at byte 8. */
static bool is_as_left(const uint64_t *block)
{
    if (block[0] != 77 || block[1] >> 32 != 0x01010101u)
        return false;
    for (unsigned i = 2; i < SIZE / 8; i++) {
        if (block[i] != 0x0101010101010101u * (i & 0xff))
            return false;
    }
    return true;
}

static void finish(void)
{
    uint64_t next;
    CHECK_EQ(oi_limbo_reclaim(), 0);
    oi_pool_collect(&pool);
    CHECK_EQ(oi_page_totals().in_use, 0);
    CHECK(!oi_limbo_is_waiting());
    oi_page_purge(0, &next);
    oi_limbo_on_waiting = NULL;
    pthread_mutex_destroy(&pool.young_lock);
}

/* retire: on `limbo`, still counted as used. reclaim: on `remote`. Taken in by the holder: free. */
static void test_way_back(void)
{
    uint64_t *blocks[3];
    start();
    CHECK_EQ(oi_limbo_reclaim(), 0);
    for (int i = 0; i < 3; i++)
        blocks[i] = alloc();
    struct oi_page *page = oi_page_of(blocks[0]);
    for (unsigned i = 0; i < 2; i++) {
        oi_limbo_retire(blocks[i]);
        CHECK(oi_limbo_is_waiting());
        CHECK_EQ(OI_CHAIN_COUNT(page->limbo), i + 1);
        CHECK_PTR(oi_page_at(page, OI_CHAIN_HEAD(page->limbo)), blocks[i]);
        CHECK(is_as_left(blocks[i]));
    }
    CHECK_EQ(announced, 1); /* once per page that has something */
    CHECK_EQ(page->used, 3);
    CHECK_EQ(page->remote, 0);
    CHECK_EQ(oi_limbo_reclaim(), 2);
    CHECK(!oi_limbo_is_waiting());
    CHECK_EQ(page->limbo, 0);
    CHECK_EQ(page->ripening, 0);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 2);
    CHECK_EQ(page->used, 3);
    CHECK(is_as_left(blocks[0]) && is_as_left(blocks[1]));
    oi_pool_collect(&pool);
    CHECK_EQ(page->used, 1);
    CHECK_EQ(blocks[0][0], 0);
    CHECK_EQ(blocks[1][0], 0);
    CHECK_EQ(page->remote, 0);
    oi_limbo_retire(blocks[2]);
    CHECK_EQ(announced, 2);
    CHECK_EQ(oi_limbo_reclaim(), 1);
    finish();
}

static unsigned length_of(const struct oi_page *page, uint32_t position)
{
    unsigned n = 0;
    for (; position; position = ((struct oi_block *)oi_page_at(page, position))->after)
        n++;
    return n;
}

/* Blocks in chains: those of one page go at once, in front of what is there, when one of another page comes, or when they are to. */
static void test_chains(void)
{
    enum { FIRST = 5, SECOND = 3 };
    struct oi_limbo_chain chain = {0};
    uint64_t *first[PER_PAGE], *second[SECOND];
    start();
    for (int i = 0; i < PER_PAGE; i++)
        first[i] = alloc();
    for (int i = 0; i < SECOND; i++)
        second[i] = alloc();
    struct oi_page *one = oi_page_of(first[0]), *two = oi_page_of(second[0]);
    REQUIRE(one != two && oi_page_of(first[PER_PAGE - 1]) == one);
    oi_limbo_retire(first[0]);
    for (int i = 1; i < FIRST; i++)
        oi_limbo_retire_with(&chain, first[i]);
    CHECK_EQ(OI_CHAIN_COUNT(one->limbo), 1);
    for (int i = 0; i < SECOND; i++)
        oi_limbo_retire_with(&chain, second[i]);
    CHECK_EQ(OI_CHAIN_COUNT(one->limbo), FIRST);
    CHECK_EQ(length_of(one, OI_CHAIN_HEAD(one->limbo)), FIRST);
    CHECK_PTR(oi_page_at(one, OI_CHAIN_HEAD(one->limbo)), first[FIRST - 1]);
    CHECK_EQ(two->limbo, 0);
    CHECK_EQ(announced, 1);
    for (int i = FIRST; i < PER_PAGE; i++)
        oi_limbo_retire_with(&chain, first[i]); /* the other page's turn */
    CHECK_EQ(length_of(two, OI_CHAIN_HEAD(two->limbo)), SECOND);
    CHECK_EQ(announced, 2);
    oi_limbo_retire_chain(&chain);
    CHECK_PTR(chain.page, NULL);
    CHECK_EQ(OI_CHAIN_COUNT(one->limbo), PER_PAGE);
    CHECK_EQ(length_of(one, OI_CHAIN_HEAD(one->limbo)), PER_PAGE);
    for (int i = 0; i < PER_PAGE; i++)
        CHECK(is_as_left(first[i]));
    CHECK_EQ(announced, 2);
    CHECK_EQ(oi_limbo_reclaim(), PER_PAGE + SECOND);
    finish();
}

/* All blocks of pages that nothing is allocated from any more: the round itself gives the pages back. */
static void test_whole_pages(void)
{
    enum { PAGES = 6 };
    uint64_t *blocks[PAGES * PER_PAGE + 1];
    start();
    for (int i = 0; i < PAGES * PER_PAGE + 1; i++)
        blocks[i] = alloc();
    for (int i = 0; i < PAGES * PER_PAGE; i++)
        oi_limbo_retire(blocks[i]);
    CHECK_EQ(announced, PAGES);
    CHECK_EQ(oi_page_totals().in_use, (PAGES + 1) * OI_UNIT);
    CHECK_EQ(oi_limbo_reclaim(), PAGES * PER_PAGE); /* one grace period for all */
    CHECK_EQ(oi_page_totals().in_use, OI_UNIT);
    CHECK(oi_stack_is_empty(&pool.returned));
    oi_pool_free(&pool, blocks[PAGES * PER_PAGE]);
    finish();
}

static void test_large_block(void)
{
    start();
    uint64_t *block = oi_pool_alloc_large(&pool, 300000, true);
    REQUIRE(block);
    block[0] = 5;
    oi_limbo_retire(block);
    CHECK_EQ(oi_page_totals().in_use, 5 * OI_UNIT);
    CHECK_EQ(oi_limbo_reclaim(), 1);
    CHECK_EQ(oi_page_totals().in_use, 0);
    finish();
}

static uint32_t reclaimed; /* atomic: blocks + 1 */

static void *reclaim(void *unused)
{
    (void)unused;
    oi_store_release(&reclaimed, (uint32_t)oi_limbo_reclaim() + 1);
    return NULL;
}

static bool is_ripening(void *page)
{
    return oi_load_relaxed(&((struct oi_page *)page)->ripening);
}

/* A read section that is open when the round begins holds it up; nothing is reused meanwhile. What is retired
 * during the round waits for the next one (L2). */
static void test_reader_delays(void)
{
    start();
    uint64_t *a = alloc(), *b = alloc(), *c = alloc();
    struct oi_page *page = oi_page_of(a);
    oi_store_relaxed(&reclaimed, 0);
    oi_rcu_read_lock();
    oi_limbo_retire(a);
    oi_limbo_retire(b);
    pthread_t thread = thread_start(reclaim, NULL, 0);
    CHECK(wait_until(is_ripening, page));
    oi_limbo_retire(c);
    nanosleep(&(struct timespec){0, 20 * 1000000}, NULL);
    CHECK_EQ(oi_load_acquire(&reclaimed), 0);
    CHECK_EQ(oi_load_relaxed(&page->remote), 0);
    CHECK_EQ(OI_CHAIN_COUNT(oi_load_relaxed(&page->ripening)), 2);
    CHECK_EQ(OI_CHAIN_COUNT(oi_load_relaxed(&page->limbo)), 1);
    oi_pool_collect(&pool);
    for (int i = 0; i < PER_PAGE - 3; i++) {
        uint64_t *other = alloc();
        CHECK(other != a && other != b && other != c);
    }
    CHECK(is_as_left(a) && is_as_left(b) && is_as_left(c)); /* what this section may still read */
    oi_rcu_read_unlock();
    thread_join_running(thread);
    CHECK_EQ(oi_load_acquire(&reclaimed), 3);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 2);
    CHECK_EQ(oi_limbo_reclaim(), 1);
    for (char *at = page->base; at < page->base + OI_UNIT; at += SIZE) {
        if ((uint64_t *)(void *)at != a && (uint64_t *)(void *)at != b && (uint64_t *)(void *)at != c)
            oi_pool_free(&pool, at);
    }
    finish();
}

/* A fork in a read section makes the round wait for one more grace period; without one, nothing changes. */
static void test_fork_hooks(void)
{
    for (int reading = 0; reading < 2; reading++) {
        start();
        uint64_t *block = alloc();
        oi_limbo_retire(block);
        oi_limbo_before_fork(reading);
        oi_limbo_after_fork_parent();
        CHECK(oi_limbo_is_waiting());
        CHECK_EQ(oi_limbo_reclaim(), 1);
        finish();
    }
}

/* ---- raced ---- */

enum { RING = 512, BLOCKS = 150000, RETIRERS = 2 };

static struct {
    uint64_t *ring[RETIRERS][RING]; /* atomic; NULL: empty */
    uint64_t *published;            /* atomic: what the reader looks at */
    uint32_t retirers;              /* atomic: still at work */
} race;

static uint64_t the_end[1];

static void put(unsigned ring, unsigned at, uint64_t *block)
{
    while (oi_load_acquire(&race.ring[ring][at % RING]))
        sched_yield();
    oi_store_release(&race.ring[ring][at % RING], block);
}

static void be_holder(void)
{
    unsigned at[RETIRERS] = {0};
    for (int n = 0; n < SCALED(BLOCKS); n++) {
        unsigned ring = (unsigned)n % RETIRERS;
        uint64_t *block = alloc();
        if (n % 8 == 0) /* a reader finds it, until its retirer has put another one in its place */
            oi_store_release(&race.published, block);
        put(ring, at[ring]++, block);
        if (n % 5000 == 0)
            oi_pool_collect(&pool);
    }
    for (unsigned ring = 0; ring < RETIRERS; ring++)
        put(ring, at[ring]++, the_end);
}

/* One of them puts its blocks into chains, which it lets go now and then. */
static void be_retirer(unsigned ring)
{
    struct oi_limbo_chain chain = {0};
    for (unsigned at = 0;; at++) {
        uint64_t *block;
        while (!(block = oi_load_acquire(&race.ring[ring][at % RING])))
            sched_yield();
        oi_store_release(&race.ring[ring][at % RING], NULL);
        if (block == the_end)
            break;
        uint64_t *found = block;
        (void)oi_cas_acqrel(&race.published, &found, NULL); /* no longer to be found; then it may go */
        CHECK(is_as_left(block));
        if (ring == 0) {
            oi_limbo_retire(block);
            continue;
        }
        oi_limbo_retire_with(&chain, block);
        if (at % 5 == 0)
            oi_limbo_retire_chain(&chain);
    }
    if (chain.page)
        oi_limbo_retire_chain(&chain);
    oi_fetch_sub_relaxed(&race.retirers, 1);
}

/* Whatever is found in a section stays readable in it. */
static void be_reader(void)
{
    while (oi_load_relaxed(&race.retirers)) {
        oi_rcu_read_lock();
        uint64_t *block = oi_load_acquire(&race.published);
        for (int i = 0; block && i < 4; i++)
            CHECK(block[0] == 77 && block[5] == 0x0505050505050505u && block[SIZE / 8 - 1] == 0x7f7f7f7f7f7f7f7fu);
        oi_rcu_read_unlock();
    }
}

static void be_reclaimer(void)
{
    while (oi_load_relaxed(&race.retirers) || oi_limbo_is_waiting())
        oi_limbo_reclaim();
}

static void work(struct member *self)
{
    if (self->index == 0)
        be_holder();
    else if (self->index <= RETIRERS)
        be_retirer(self->index - 1);
    else if (self->index == RETIRERS + 1)
        be_reader();
    else
        be_reclaimer();
}

/* Allocating, retiring by two threads, reading and reclaiming by two, all at once: in the end every page has gone
 * back. */
static void test_race(void)
{
    start();
    race.retirers = RETIRERS;
    team_run(RETIRERS + 4, seed, work, NULL);
    finish();
}

int main(void)
{
    check_start("limbo_test");
    seed = rng_seed();
    CHECK_RUN(test_way_back);
    CHECK_RUN(test_chains);
    CHECK_RUN(test_whole_pages);
    CHECK_RUN(test_large_block);
    CHECK_RUN(test_reader_delays);
    CHECK_RUN(test_fork_hooks);
    CHECK_RUN(test_race);
    return check_finish();
}
