/* SPDX-License-Identifier: MIT
 *
 * Segments and pages: from a block to its page, which units go where, limits, purging, and totals that add up. The
 * runtime is not involved: pools are only named. */
#include "mem/page.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "mem/size_class.h"
#include "port/os.h"
#include "support/address_space.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

#define HOUR_NS ((uint64_t)3600 * 1000000000u)

static uint64_t seed;
static char pools[4][8];

static struct oi_pool *pool_named(unsigned i)
{
    return (struct oi_pool *)pools[i];
}

static struct oi_page *acquire(size_t size)
{
    struct oi_page *page = oi_page_acquire(pool_named(0), OI_PAGE_TRACED, 3, size, 0);
    REQUIRE(page);
    return page;
}

/* Units of a page for blocks of a size. */
static size_t units_of(size_t size)
{
    return size <= OI_UNIT / 8 ? 1 : size <= OI_CLASS_MAX ? 8 : oi_round_up(size, OI_UNIT) / OI_UNIT;
}

static size_t purge_all(void)
{
    uint64_t next;
    return oi_page_purge(0, &next);
}

/* Nothing is in use, nothing is kept. */
static void check_nothing_left(void)
{
    CHECK_EQ(oi_page_totals().in_use, 0);
    purge_all();
    struct oi_page_totals t = oi_page_totals();
    CHECK_EQ(t.in_use, 0);
    CHECK_EQ(t.committed, 0);
    CHECK_EQ(t.reserved, 0);
}

/* ---- from a block to its page ---- */

static void check_block(const struct oi_page *page, char *block, size_t size)
{
    size_t reach = size < OI_SEGMENT - OI_UNIT ? size : OI_SEGMENT - OI_UNIT;
    const size_t offsets[] = {0, 1, size / 2, reach - 1};
    for (int i = 0; i < 4; i++) {
        if (offsets[i] < reach)
            CHECK_PTR(oi_page_of(block + offsets[i]), page);
    }
    uint32_t position = oi_page_position(page, block);
    CHECK(position != 0);
    CHECK_PTR(oi_page_at(page, position), block);
}

/* Every block of a page leads to it; blocks lie behind each other from an aligned start, within the page's units. */
static void check_page(const struct oi_page *page, enum oi_page_kind kind, unsigned index, size_t size)
{
    CHECK_EQ(page->kind, kind);
    CHECK_EQ(page->index, index);
    CHECK_EQ(page->used, 0);
    CHECK_EQ(page->carved, 0);
    CHECK_PTR(page->free, NULL);
    CHECK_EQ(page->remote, 0);
    CHECK_EQ(page->limbo, 0);
    CHECK_EQ(page->gray, 0);
    CHECK_PTR(page->own, page);
    CHECK_EQ(page->state, OI_PAGE_CURRENT);
    CHECK_EQ(page->young_list, 0);
    CHECK_EQ((uintptr_t)page->base % OI_UNIT, 0);
    CHECK_GE(oi_page_block_size(page), size);
    CHECK_LT(oi_page_block_size(page), size + 8);
    CHECK_GE(page->capacity, size <= OI_CLASS_MAX ? 8 : 1);
    CHECK_LE(page->capacity * size, oi_round_up(units_of(size) * OI_UNIT, OI_UNIT));
    for (uint32_t i = 0; i < page->capacity; i++)
        check_block(page, page->base + i * oi_page_block_size(page), oi_page_block_size(page));
}

static void test_pages_of_every_class(void)
{
    for (unsigned class = 0; class < OI_CLASSES; class++) {
        enum oi_page_kind kind = (enum oi_page_kind)(class % 3);
        size_t size = oi_class_size(class);
        struct oi_page *page = oi_page_acquire(pool_named(class % 4), kind, class + 2, size, 0);
        REQUIRE(page);
        check_page(page, kind, class + 2, size);
        CHECK_PTR(page->pool, pool_named(class % 4));
        CHECK_EQ(oi_page_totals().in_use, units_of(size) * OI_UNIT);
        memset(page->base, 0xff, page->capacity * size);
        check_page(page, kind, class + 2, size); /* blocks do not lie on headers */
        oi_page_release(page);
        CHECK_PTR(page->pool, NULL);
    }
    check_nothing_left();
}

/* Pages of one block: some units, a whole segment, and segments of their own. */
static void test_large_and_huge(void)
{
    static const size_t sizes[] = {
        OI_CLASS_MAX + 1,
        OI_CLASS_MAX + 8,
        2 * OI_UNIT,
        2 * OI_UNIT + 1,
        5 * OI_UNIT - 3,
        62 * OI_UNIT,
        OI_SEGMENT - OI_UNIT - 8,
        OI_SEGMENT - OI_UNIT,
        OI_SEGMENT - OI_UNIT + 1,
        OI_SEGMENT - 1,
        OI_SEGMENT,
        OI_SEGMENT + 1,
        3 * OI_SEGMENT,
        100000001,
    };
    enum { N = sizeof sizes / sizeof *sizes };
    struct oi_page *pages[N];
    size_t in_use = 0;
    for (int i = 0; i < N; i++) {
        pages[i] = acquire(sizes[i]);
        check_page(pages[i], OI_PAGE_TRACED, 3, sizes[i]);
        CHECK_EQ(pages[i]->capacity, 1);
        in_use += oi_round_up(sizes[i], OI_UNIT);
        CHECK_EQ(oi_page_totals().in_use, in_use);
        CHECK_GE(oi_page_totals().reserved, in_use);
        memset(pages[i]->base, i + 1, sizes[i] < 8 * OI_UNIT ? sizes[i] : 8 * OI_UNIT);
        pages[i]->base[sizes[i] - 1] = (char)(i + 1);
    }
    for (int i = 0; i < N; i++) {
        CHECK_EQ(pages[i]->base[0], i + 1);
        CHECK_EQ(pages[i]->base[sizes[i] - 1], i + 1);
        check_block(pages[i], pages[i]->base, oi_page_block_size(pages[i]));
        in_use -= oi_round_up(sizes[i], OI_UNIT);
        oi_page_release(pages[i]);
        CHECK_EQ(oi_page_totals().in_use, in_use);
    }
    check_nothing_left();
}

static void test_impossible_sizes(void)
{
    struct oi_page_totals before = oi_page_totals();
    CHECK_PTR(oi_page_acquire(pool_named(0), OI_PAGE_LEAF, 3, SIZE_MAX, 0), NULL);
    CHECK_PTR(oi_page_acquire(pool_named(0), OI_PAGE_LEAF, 3, SIZE_MAX - OI_UNIT, 0), NULL);
    CHECK_PTR(oi_page_acquire(pool_named(0), OI_PAGE_LEAF, 3, (size_t)1 << 60, 0), NULL);
    struct oi_page_totals after = oi_page_totals();
    CHECK(!memcmp(&before, &after, sizeof after));
    check_nothing_left();
}

/* ---- which units ---- */

/* 63 units and the headers fill a segment to the last; the 64th page opens another; freed units are used again. */
static void test_segment_is_filled(void)
{
    struct oi_page *pages[63], *more;
    for (int i = 0; i < 63; i++) {
        pages[i] = acquire(64);
        CHECK_PTR(oi_segment_of(pages[i]), oi_segment_of(pages[0]));
        for (int j = 0; j < i; j++)
            CHECK(pages[j]->base != pages[i]->base);
        CHECK(pages[i]->base >= (char *)oi_segment_of(pages[0]) + OI_UNIT);
    }
    CHECK_EQ(oi_page_totals().reserved, OI_SEGMENT);
    more = acquire(64);
    CHECK(oi_segment_of(more) != oi_segment_of(pages[0]));
    CHECK_EQ(oi_page_totals().reserved, 2 * OI_SEGMENT);
    oi_page_release(more);
    purge_all();
    CHECK_EQ(oi_page_totals().reserved, OI_SEGMENT);
    oi_page_release(pages[17]);
    more = acquire(64);
    CHECK_PTR(more, pages[17]);
    for (int i = 0; i < 63; i++)
        oi_page_release(pages[i]);
    check_nothing_left();
}

/* Pages of several units need neighbours: a run that is long enough is used, scattered units are not. */
static void test_runs(void)
{
    struct oi_page *pages[63], *run;
    for (int i = 0; i < 63; i++)
        pages[i] = acquire(64);
    for (int i = 0; i < 63; i += 2)
        oi_page_release(pages[i]); /* 32 units, no two of them neighbours */
    run = acquire(OI_CLASS_MAX + 1);
    CHECK(oi_segment_of(run) != oi_segment_of(pages[0]));
    oi_page_release(run);
    purge_all();
    for (int i = 41; i < 48; i += 2)
        oi_page_release(pages[i]); /* now 40 .. 48 are free */
    run = acquire(OI_CLASS_MAX);   /* 8 units */
    CHECK(oi_segment_of(run) == oi_segment_of(pages[0]));
    CHECK_PTR(run, pages[40]);
    for (size_t at = 0; at < 8 * OI_UNIT; at += 4096)
        CHECK_PTR(oi_page_of(run->base + at), run);
    oi_page_release(run);
    /* Units of a former run are pages of their own again: all that is free in the segment serves once. */
    struct oi_page *fresh[63];
    int n = 0;
    for (; n < 36; n++) {
        fresh[n] = acquire(64);
        CHECK_PTR(oi_segment_of(fresh[n]), oi_segment_of(pages[1]));
        check_page(fresh[n], OI_PAGE_TRACED, 3, 64);
    }
    CHECK_EQ(oi_page_totals().in_use, 63 * OI_UNIT);
    while (n)
        oi_page_release(fresh[--n]);
    for (int i = 1; i < 63; i += 2) {
        if (i < 41 || i > 47)
            oi_page_release(pages[i]);
    }
    check_nothing_left();
}

static void collect_page(struct oi_page *page, void *arg)
{
    struct oi_page ***end = arg;
    *(*end)++ = page;
}

/* Visits the pages in use, each once. */
static void test_each(void)
{
    static const size_t sizes[] = {16, 16, 1024, 9000, 65536, 65537, 300000, OI_SEGMENT, 10 * OI_SEGMENT, 64};
    enum { N = sizeof sizes / sizeof *sizes };
    struct oi_page *pages[N], *seen[2 * N], **end;
    for (int i = 0; i < N; i++)
        pages[i] = acquire(sizes[i]);
    for (int left = N; left >= 0; left--) {
        end = seen;
        oi_page_each(collect_page, &end);
        CHECK_EQ(end - seen, left);
        for (int i = 0; i < left; i++) {
            int times = 0;
            for (struct oi_page **s = seen; s < end; s++)
                times += *s == pages[i];
            CHECK_EQ(times, 1);
        }
        if (left)
            oi_page_release(pages[left - 1]);
    }
    check_nothing_left();
}

/* ---- limits ---- */

static void test_hard_limit(void)
{
    struct oi_page *held = acquire(64), *pages[3];
    size_t before = oi_page_totals().in_use;
    oi_page_set_limits(0, before + 2 * OI_UNIT);
    for (int i = 0; i < 2; i++)
        pages[i] = acquire(64);
    for (int i = 0; i < 3; i++) {
        static const size_t sizes[] = {64, OI_CLASS_MAX, 3 * OI_SEGMENT};
        struct oi_page_totals then = oi_page_totals();
        CHECK_PTR(oi_page_acquire(pool_named(0), OI_PAGE_TRACED, 3, sizes[i], 0), NULL);
        CHECK_EQ(oi_page_totals().in_use, then.in_use);
        CHECK_EQ(oi_page_totals().reserved, then.reserved);
    }
    CHECK_EQ(oi_page_totals().hard_limit, before + 2 * OI_UNIT);
    oi_page_release(pages[0]);
    CHECK_PTR(oi_page_acquire(pool_named(0), OI_PAGE_TRACED, 3, OI_CLASS_MAX, 0), NULL); /* 8 units do not fit */
    pages[0] = acquire(64);
    oi_page_set_limits(0, 1); /* takes nothing away */
    CHECK_EQ(oi_page_totals().in_use, before + 2 * OI_UNIT);
    CHECK_PTR(oi_page_acquire(pool_named(0), OI_PAGE_TRACED, 3, 64, 0), NULL);
    oi_page_set_limits(0, 0);
    pages[2] = acquire(3 * OI_SEGMENT);
    for (int i = 0; i < 3; i++)
        oi_page_release(pages[i]);
    oi_page_release(held);
    check_nothing_left();
}

static void test_soft_limit(void)
{
    CHECK(!oi_page_is_over_soft_limit());
    oi_page_set_limits(2 * OI_UNIT, 0);
    struct oi_page *a = acquire(64), *b = acquire(64);
    CHECK(!oi_page_is_over_soft_limit()); /* at it is not over it */
    struct oi_page *c = acquire(64);   /* stops nobody */
    CHECK(oi_page_is_over_soft_limit());
    oi_page_release(c);
    CHECK(!oi_page_is_over_soft_limit()); /* free pages do not count, purged or not */
    oi_page_release(a);
    oi_page_release(b);
    oi_page_set_limits(0, 0);
    check_nothing_left();
}

/* ---- purging ---- */

static unsigned dirtied;

static void count_dirty(void)
{
    dirtied++;
}

static void test_purge_gives_back(void)
{
    uint64_t next;
    oi_page_on_dirty = count_dirty;
    struct oi_page *stays = acquire(64), *goes = acquire(64), *run = acquire(5 * OI_UNIT);
    char *at = goes->base;
    memset(stays->base, 1, OI_UNIT);
    memset(at, 2, OI_UNIT);
    memset(run->base, 3, 5 * OI_UNIT);
    CHECK_EQ(oi_page_totals().committed, 7 * OI_UNIT);
    CHECK_EQ(oi_page_purge(0, &next), 0); /* nothing is free */
    CHECK(next == UINT64_MAX);
    dirtied = 0;
    oi_page_release(goes);
    oi_page_release(run);
    CHECK_EQ(dirtied, 2);
    CHECK_EQ(oi_page_totals().committed, 7 * OI_UNIT); /* free, and kept */
    CHECK_EQ(at[5], 2);
    CHECK_EQ(oi_page_purge(0, &next), 6 * OI_UNIT);
    CHECK(next == UINT64_MAX);
    CHECK_EQ(oi_page_totals().committed, OI_UNIT);
    CHECK_EQ(oi_page_totals().reserved, OI_SEGMENT);
    for (size_t i = 0; i < OI_UNIT; i++) {
        if (!CHECK(at[i] == 0 && stays->base[i] == 1))
            break;
    }
    CHECK_EQ(oi_page_purge(0, &next), 0);
    struct oi_page *again = acquire(64);
    CHECK_EQ(oi_page_totals().committed, 2 * OI_UNIT);
    oi_page_release(again);
    oi_page_release(stays);
    CHECK_EQ(oi_page_purge(0, &next), 2 * OI_UNIT);
    oi_page_on_dirty = NULL;
    check_nothing_left();
}

/* What has not been free for long enough stays, and it is said when it will be due. */
static void test_purge_waits(void)
{
    uint64_t next;
    struct oi_page *stays = acquire(64), *goes = acquire(64), *huge = acquire(2 * OI_SEGMENT);
    oi_page_release(goes);
    CHECK_EQ(oi_page_purge(HOUR_NS, &next), 0);
    CHECK(next <= HOUR_NS && next > HOUR_NS / 2);
    CHECK_EQ(oi_page_totals().committed, 2 * OI_UNIT + 2 * OI_SEGMENT);
    oi_page_release(huge);
    oi_os_sleep_ms(6);
    CHECK_EQ(oi_page_purge(5000000, &next), 0); /* seen dirty for the first time */
    CHECK_LE(next, 5000000);
    oi_os_sleep_ms(6);
    CHECK_EQ(oi_page_purge(5000000, &next), OI_UNIT + 2 * OI_SEGMENT);
    CHECK(next == UINT64_MAX);
    oi_page_release(stays);
    check_nothing_left();
}

/* Used again before it was purged: nothing is given back twice, and nothing that is in use. */
static void test_purge_spares_reused(void)
{
    struct oi_page *stays = acquire(64), *page = acquire(64);
    oi_page_release(page);
    struct oi_page *again = acquire(64);
    CHECK_PTR(again, page);
    memset(again->base, 7, OI_UNIT);
    CHECK_EQ(purge_all(), 0);
    CHECK_EQ(again->base[100], 7);
    CHECK_EQ(oi_page_totals().committed, 2 * OI_UNIT);
    oi_page_release(again);
    oi_page_release(stays);
    check_nothing_left();
}

/* ---- totals, and many at once ---- */

/* Each page on which something was published counts once, of whatever kind, as long as it is in use. */
static void test_published_bytes(void)
{
    static const size_t sizes[] = {64, 64, OI_CLASS_MAX, 3 * OI_UNIT, 2 * OI_SEGMENT};
    enum { N = sizeof sizes / sizeof *sizes };
    struct oi_page *pages[N];
    size_t sum = 0;
    for (int i = 0; i < N; i++)
        pages[i] = oi_page_acquire(pool_named(0), i % 2 ? OI_PAGE_LEAF : OI_PAGE_TRACED, 3, sizes[i], 0);
    CHECK_EQ(oi_page_published_bytes(), 0);
    for (int i = 0; i < 2 * N; i++) {
        oi_page_set_published(pages[i % N]);
        sum += i < N ? units_of(sizes[i]) * OI_UNIT : 0;
        CHECK_EQ(oi_page_published_bytes(), sum);
        if (i < N)
            pages[i]->recent = OI_RECENT_OLD; /* a collection has been */
    }
    for (int i = 0; i < N; i++) {
        oi_page_release(pages[i]);
        sum -= units_of(sizes[i]) * OI_UNIT;
        CHECK_EQ(oi_page_published_bytes(), sum);
    }
    struct oi_page *again = acquire(64);
    CHECK(!again->published && !again->recent);
    CHECK_EQ(oi_page_published_bytes(), 0);
    oi_page_release(again);
    CHECK_EQ(oi_page_published_bytes(), 0);
    check_nothing_left();
}

struct held {
    struct oi_page *page;
    size_t size;
    unsigned char tag;
};

static size_t random_size(struct rng *rng)
{
    switch (rng_below(rng, 12)) {
    case 0: return OI_CLASS_MAX + 1 + rng_below(rng, 4000000);
    case 1: return rng_one_in(rng, 8) ? OI_SEGMENT + rng_below(rng, 9000000) : 8200;
    case 2: case 3: return oi_class_size(rng_below(rng, OI_CLASSES));
    default: return oi_class_size(rng_below(rng, 40));
    }
}

static size_t bytes_of(size_t size)
{
    return units_of(size) * OI_UNIT;
}

static void fill(struct held *h, unsigned char tag)
{
    h->tag = tag;
    for (size_t at = 0; at < h->size; at += at < 4 * OI_UNIT ? 4096 : OI_SEGMENT)
        h->page->base[at] = (char)tag;
    h->page->base[h->size - 1] = (char)tag;
}

static bool is_filled(const struct held *h)
{
    for (size_t at = 0; at < h->size; at += at < 4 * OI_UNIT ? 4096 : OI_SEGMENT) {
        if ((unsigned char)h->page->base[at] != h->tag)
            return false;
    }
    return (unsigned char)h->page->base[h->size - 1] == h->tag;
}

enum { HELD = 60 };

static void acquire_and_release(struct rng *rng, struct held *held, long steps, size_t *in_use)
{
    for (long i = 0; i < steps; i++) {
        struct held *h = &held[rng_below(rng, HELD)];
        if (h->page) {
            CHECK(is_filled(h));
            *in_use -= bytes_of(h->size);
            oi_page_release(h->page);
            h->page = NULL;
        } else {
            h->size = random_size(rng);
            h->page = acquire(h->size);
            *in_use += bytes_of(h->size);
            fill(h, (unsigned char)(1 + rng_below(rng, 255)));
        }
        if (rng_one_in(rng, 50))
            purge_all();
    }
}

static void release_held(struct held *held)
{
    for (int i = 0; i < HELD; i++) {
        if (held[i].page) {
            CHECK(is_filled(&held[i]));
            oi_page_release(held[i].page);
        }
    }
}

/* Random requests: the totals are the sum of what is held, and nothing lies on anything else. */
static void test_totals_balance(void)
{
    struct held held[HELD] = {{0}};
    struct rng rng = rng_stream(seed, 0);
    size_t in_use = 0;
    for (int i = 0; i < SCALED(400); i++) {
        acquire_and_release(&rng, held, 10, &in_use);
        struct oi_page_totals t = oi_page_totals();
        if (!CHECK_EQ(t.in_use, in_use))
            break;
        CHECK_GE(t.committed, t.in_use);
        CHECK_GE(t.reserved, t.committed);
        purge_all();
        CHECK_EQ(oi_page_totals().committed, in_use);
    }
    release_held(held);
    check_nothing_left();
}

static void take_part(struct member *self)
{
    struct held held[HELD] = {{0}};
    size_t in_use = 0;
    acquire_and_release(&self->rng, held, SCALED(2500), &in_use);
    release_held(held);
}

/* The same by four threads, purging in between. */
static void test_race(void)
{
    team_run(4, seed + 1, take_part, NULL);
    check_nothing_left();
}

static struct step forking = STEP_INITIALIZER, forked = STEP_INITIALIZER;
static pthread_t forker;
static bool is_cut;

static void *fork_now(void *unused)
{
    (void)unused;
    step_set(&forking, 1);
    oi_page_before_fork();
    step_set(&forked, 1);
    oi_page_after_fork();
    return NULL;
}

static bool leave_slowly(struct oi_page *page)
{
    (void)page;
    forker = thread_start(fork_now, NULL, 0);
    CHECK(step_wait(&forking, 1));
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    pthread_mutex_lock(&forked.mutex);
    is_cut = forked.value;
    pthread_mutex_unlock(&forked.mutex);
    return true;
}

static bool stay(struct oi_page *page)
{
    (void)page;
    return false;
}

/* A page that is not to leave its list stays as it is; of one that does, a fork finds the list as it was or as it will be. */
static void test_release_from_a_list(void)
{
    struct oi_page *page = acquire(64);
    size_t in_use = oi_page_totals().in_use;
    CHECK(!oi_page_release_from(page, stay));
    CHECK_EQ(oi_page_totals().in_use, in_use);
    check_page(page, OI_PAGE_TRACED, 3, 64);
    CHECK(oi_page_release_from(page, leave_slowly));
    thread_join_running(forker);
    CHECK(!is_cut);
    CHECK_EQ(forked.value, 1);
    check_nothing_left();
}

/* Of a segment nothing stays, nor of what is reserved with it. */
static void test_address_space_comes_back(void)
{
    enum { SEGMENTS = 500 };
    long before = 0;
    for (int i = 0; i < SEGMENTS; i++) {
        oi_page_release(acquire(OI_SEGMENT + 1)); /* by itself, and larger than others */
        oi_page_release(acquire(OI_UNIT));
        check_nothing_left();
        before = i ? before : address_space().all;
    }
    CHECK_LT(address_space().all - before, SEGMENTS);
}

/* ---- lists that pages keep ---- */

enum { LISTED = 4, LISTED_SIZE = 32 };

/* A page gives back LISTED blocks, and the list of them. */
static void release_listed(struct oi_page *page)
{
    for (uint32_t i = 0; i < LISTED; i++) {
        struct oi_block *block = (struct oi_block *)(page->base + (size_t)i * LISTED_SIZE);
        block->first = 0;
        block->next = i + 1 < LISTED ? page->base + (size_t)(i + 1) * LISTED_SIZE : NULL;
    }
    page->free = page->base;
    page->carved = LISTED;
    oi_page_release_listed(page);
}

static void check_listed(const struct oi_page *page, bool listed)
{
    uint32_t count = 0;
    for (const struct oi_block *block = page->free; block; block = block->next)
        count++;
    CHECK_EQ(count, listed ? LISTED : 0);
    CHECK_EQ(page->carved, count);
    CHECK_EQ(page->used, 0);
}

static struct oi_page *acquire_of(unsigned index, size_t size)
{
    struct oi_page *page = oi_page_acquire(pool_named(1), OI_PAGE_TRACED, index, size, LISTED);
    REQUIRE(page);
    return page;
}

static void test_list_is_kept(void)
{
    struct oi_page *page = acquire_of(3, LISTED_SIZE);
    check_listed(page, false);
    release_listed(page);
    CHECK_PTR(acquire_of(3, LISTED_SIZE), page);
    check_listed(page, true);
    release_listed(page);
    CHECK_PTR(oi_page_acquire(pool_named(1), OI_PAGE_TRACED, 3, LISTED_SIZE, LISTED - 1), page); /* it is too long */
    check_listed(page, false);
    release_listed(page);
    CHECK_PTR(acquire_of(3, LISTED_SIZE), page);
    check_listed(page, true);
    oi_page_release(page); /* not again */
    CHECK_PTR(acquire_of(3, LISTED_SIZE), page);
    check_listed(page, false);
    oi_page_release(page);
    check_nothing_left();
}

static void test_list_is_not_for_others(void)
{
    struct oi_page *page = acquire_of(3, LISTED_SIZE);
    release_listed(page);
    CHECK_PTR(acquire_of(5, 2 * LISTED_SIZE), page);
    check_listed(page, false);
    oi_page_release(page);
    CHECK_PTR(acquire_of(3, LISTED_SIZE), page); /* nor any more for its own */
    check_listed(page, false);
    oi_page_release(page);
    check_nothing_left();
}

/* The memory has gone meanwhile; the other page keeps the segment. */
static void test_list_goes_with_memory(void)
{
    struct oi_page *stays = acquire_of(3, LISTED_SIZE), *page = acquire_of(3, LISTED_SIZE);
    release_listed(page);
    purge_all();
    CHECK_PTR(acquire_of(3, LISTED_SIZE), page);
    check_listed(page, false);
    oi_page_release(page);
    oi_page_release(stays);
    check_nothing_left();
}

/* A page of many units, the first or one of the others of which had a list. */
static void test_list_is_written_over(void)
{
    enum { PAGES = 3 };
    size_t large = OI_PAGE_ONE_UNIT_MAX + 8;
    for (int which = 0; which < PAGES; which++) {
        struct oi_page *pages[PAGES];
        for (int i = 0; i < PAGES; i++)
            pages[i] = acquire_of(3, LISTED_SIZE);
        for (int i = 0; i < PAGES; i++) {
            if (i == which)
                release_listed(pages[i]);
            else
                oi_page_release(pages[i]);
        }
        struct oi_page *over = acquire_of(7, large);
        CHECK_PTR(over, pages[0]);
        check_listed(over, false);
        memset(over->base, 0xff, over->capacity * large);
        oi_page_release(over);
        for (int i = 0; i < PAGES; i++) {
            CHECK_PTR(acquire_of(3, LISTED_SIZE), pages[i]);
            check_listed(pages[i], false);
        }
        for (int i = 0; i < PAGES; i++)
            oi_page_release(pages[i]);
        release_listed(acquire_of(7, large)); /* of many units itself */
        check_listed(acquire_of(7, large), false);
        oi_page_release(over);
        check_nothing_left();
    }
}

int main(void)
{
    check_start("page_test");
    seed = rng_seed();
    CHECK_RUN(test_pages_of_every_class);
    CHECK_RUN(test_large_and_huge);
    CHECK_RUN(test_address_space_comes_back);
    CHECK_RUN(test_impossible_sizes);
    CHECK_RUN(test_segment_is_filled);
    CHECK_RUN(test_runs);
    CHECK_RUN(test_each);
    CHECK_RUN(test_release_from_a_list);
    CHECK_RUN(test_hard_limit);
    CHECK_RUN(test_soft_limit);
    CHECK_RUN(test_purge_gives_back);
    CHECK_RUN(test_purge_waits);
    CHECK_RUN(test_purge_spares_reused);
    CHECK_RUN(test_published_bytes);
    CHECK_RUN(test_list_is_kept);
    CHECK_RUN(test_list_is_not_for_others);
    CHECK_RUN(test_list_goes_with_memory);
    CHECK_RUN(test_list_is_written_over);
    CHECK_RUN(test_totals_balance);
    CHECK_RUN(test_race);
    return check_finish();
}
