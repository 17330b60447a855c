/* SPDX-License-Identifier: MIT
 *
 * Runs: what is freed together is written to its page once, and nothing comes in between. After each drop, every page is as its list says. */
#include <stdlib.h>

#include <ouro/ouro.h>

#include "mem/pool.h"
#include "object/act.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

static uint64_t seed;

static void check_page(struct oi_page *page, void *pages)
{
    uint32_t free = 0;
    if (page == &oi_pool_empty_page)
        return;
    for (const struct oi_block *block = page->free; block; block = block->next)
        free += oi_page_of(block) == page && !block->first;
    CHECK_EQ(page->used + free, page->carved);
    ++*(size_t *)pages;
}

/* Returns how many there are. */
static size_t check_my_pages(void)
{
    size_t pages = 0;
    oi_page_each_of(&oi_act.self->pool, check_page, &pages);
    return pages;
}

static struct table *table_of(void *first, void *second)
{
    struct table *t = table_new(2); /* as large as a node, so that its block is on a page with those of nodes */
    ouro_give(t, &t->items[0], first);
    ouro_give(t, &t->items[1], second);
    return t;
}

static struct node *plain_with(void *a, void *b)
{
    struct node *n = plain_new(0);
    ouro_give(n, &n->a, a);
    ouro_give(n, &n->b, b);
    return n;
}

/* ---- one page ---- */

static void test_tree(void)
{
    struct node *tree[5];
    for (int i = 0; i < 5; i++) {
        struct node *left = plain_with(plain_new(0), NULL);
        tree[i] = plain_with(left, plain_with(plain_new(0), plain_new(0)));
    }
    CHECK(check_my_pages() > 0);
    for (int i = 0; i < 5; i++) {
        ouro_release(tree[i]);
        check_my_pages();
    }
    CHECK_LIVE(0);
}

/* The page had no free block before. */
static void test_full_page(void)
{
    enum { MANY = 4000 };
    static struct node *nodes[MANY];
    for (int i = 0; i < MANY; i++)
        nodes[i] = plain_new(i);
    struct oi_page *page = oi_page_of(nodes[0]);
    REQUIRE(page->state == OI_PAGE_FULL);
    ouro_give(nodes[0], &nodes[0]->a, nodes[2]);
    ouro_give(nodes[0], &nodes[0]->b, nodes[1]);
    ouro_release(nodes[0]);
    CHECK_EQ(page->state, OI_PAGE_AVAILABLE);
    CHECK_EQ(page->used, page->capacity - 3);
    check_my_pages();
    for (int i = 3; i < MANY; i++)
        ouro_release(nodes[i]);
    check_my_pages();
    CHECK_LIVE(0);
}

/* An array in between is not destroyed by the quick loop, and its block goes to its page at once. */
static void test_array_in_between(void)
{
    struct node *first = plain_new(0);
    struct table *t = table_of(plain_new(0), plain_new(0));
    CHECK_PTR(oi_page_of(first), oi_page_of(t));
    ouro_give(first, &first->a, plain_new(0));
    ouro_give(first, &first->b, plain_with(t, plain_new(0)));
    ouro_release(first);
    check_my_pages();
    CHECK_LIVE(0);
}

/* ---- what a release in between may do ---- */

/* One thread drops what the other has made, so that the page waits to be taken back; and has made something whose release by the other needs a token, the
 * first one, for which that one looks for pages. */
struct returning {
    struct step step;
    struct node *theirs;
    void *gone[4000];
    int count;
};

static void *run_returning(void *arg)
{
    struct returning *r = arg;
    r->theirs = plain_new(0);
    ouro_share(r->theirs);
    ouro_retain(r->theirs);
    step_set(&r->step, 1);
    step_wait(&r->step, 2);
    for (int i = 0; i < r->count; i++)
        ouro_release(r->gone[i]);
    ouro_mem_trim(); /* out of limbo */
    step_set(&r->step, 3);
    step_wait(&r->step, 4); /* not parked */
    ouro_safepoint();
    ouro_release(r->theirs);
    return NULL;
}

static void *run_dropping(void *arg)
{
    enum { MANY = 8000 };
    static struct node *nodes[MANY];
    struct returning *r = arg;
    for (int i = 0; i < MANY; i++)
        nodes[i] = plain_new(i);
    pthread_t other = thread_start(run_returning, r, 0);
    step_wait(&r->step, 1);
    for (int i = 0; i < MANY; i += 4) {
        ouro_share_widely(nodes[i]); /* not biased */
        r->gone[r->count++] = nodes[i];
    }
    step_set(&r->step, 2);
    step_wait(&r->step, 3);
    const struct oi_pool *pool = &oi_act.self->pool;
    CHECK(!oi_stack_is_empty(&pool->returned));
    CHECK_PTR(pool->current[OI_POOL_TOKENS], &oi_pool_empty_page);
    ouro_give(nodes[1], &nodes[1]->a, nodes[2]);
    ouro_give(nodes[2], &nodes[2]->a, nodes[3]);
    ouro_give(nodes[3], &nodes[3]->a, nodes[5]);
    ouro_set(nodes[3], &nodes[3]->b, r->theirs);
    ouro_release(r->theirs); /* and the slot's reference goes by a token then */
    ouro_release(nodes[1]);
    CHECK(pool->current[OI_POOL_TOKENS] != &oi_pool_empty_page);
    check_my_pages();
    for (int i = 6; i < MANY; i++) {
        if (i % 4)
            ouro_release(nodes[i]);
    }
    check_my_pages();
    step_set(&r->step, 4);
    thread_join_running(other);
    return NULL;
}

static void test_token_in_between(void)
{
    static struct returning r = {.step = STEP_INITIALIZER};
    thread_do(run_dropping, &r, 0); /* a new thread: it has had no token yet */
    CHECK_LIVE(0);
}

/* ---- at random ---- */

static void *random_tree(struct rng *rng, unsigned depth)
{
    if (!depth || rng_one_in(rng, 6))
        return rng_one_in(rng, 3) ? NULL : (void *)plain_new(0);
    void *first = random_tree(rng, depth - 1), *second = random_tree(rng, depth - 1);
    switch (rng_below(rng, 8)) {
    case 0:
        return table_of(first, second);
    case 1:
        return node_new_with(0, first, second); /* has a finalizer */
    default:
        return plain_with(first, second);
    }
}

/* Several alive at a time, so that their nodes lie on pages in no order. */
static void test_at_random(void)
{
    enum { ALIVE = 16 };
    struct rng rng = rng_stream(seed, 1);
    void *trees[ALIVE] = {NULL};
    for (int i = 0; i < SCALED(2000); i++) {
        int at = (int)rng_below(&rng, ALIVE);
        ouro_release(trees[at]);
        if (i % 16 == 15)
            check_my_pages();
        trees[at] = random_tree(&rng, 1 + (unsigned)rng_below(&rng, 10));
    }
    for (int i = 0; i < ALIVE; i++) {
        ouro_release(trees[i]);
        check_my_pages();
    }
    CHECK_LIVE(0);
}

/* The garbage of a young collection, among what lives. */
static void test_young_garbage(void)
{
    enum { ALIVE = 500 };
    static struct node *alive[ALIVE];
    struct rng rng = rng_stream(seed, 2);
    for (int round = 0; round < SCALED(50); round++) {
        for (int i = 0; i < ALIVE; i++) {
            if (!alive[i])
                alive[i] = plain_new(i);
            struct node *ring = plain_new(0), *next = plain_with(ring, rng_one_in(&rng, 2) ? ouro_retain(alive[i]) : NULL);
            ouro_give(ring, &ring->a, next);
        }
        ouro_gc_collect(0);
        check_my_pages();
        for (int i = 0; i < ALIVE; i++) {
            CHECK_EQ(ouro_refcount(alive[i]), 1);
            if (rng_one_in(&rng, 2)) {
                ouro_release(alive[i]);
                alive[i] = NULL;
            }
        }
    }
    for (int i = 0; i < ALIVE; i++) {
        ouro_release(alive[i]);
        alive[i] = NULL;
    }
    check_my_pages();
    CHECK_LIVE(0);
}

/* Pages on which nothing is left go back, those with free blocks are found. */
static void test_young_pages(void)
{
    enum { RINGS = 20000 };
    for (int keep = 0; keep < 2; keep++) {
        size_t before = check_my_pages();
        struct node *kept = NULL;
        for (int i = 0; i < RINGS; i++) {
            struct node *ring = plain_new(0);
            ouro_give(ring, &ring->a, plain_with(ouro_retain(ring), NULL));
            ouro_release(ring);
            if (keep && i % 500 == 0)
                kept = plain_with(kept, NULL);
        }
        size_t full = check_my_pages();
        CHECK(full > before + 20);
        ouro_gc_collect(0);
        if (!keep)
            CHECK(check_my_pages() <= before + 2);
        for (int i = 0; i < RINGS; i++)
            kept = plain_with(kept, NULL);
        CHECK(check_my_pages() <= full); /* on the same pages */
        ouro_release(kept);
        CHECK(check_my_pages() <= before + 2);
    }
    CHECK_LIVE(0);
}

/* ---- lists that pages keep when they go back ---- */

enum { LONG = 20000 };

/* New nodes, in the order in which they are made. Returns how many of their pages had all blocks carved when the first of them was made, and not only a batch;
 * *pages: of how many. */
static size_t make_nodes(struct node *nodes[LONG], size_t *pages)
{
    size_t listed = 0;
    *pages = 0;
    for (int i = 0; i < LONG; i++) {
        nodes[i] = plain_new(i);
        const struct oi_page *page = oi_page_of(nodes[i]);
        if (i && page != oi_page_of(nodes[i - 1])) {
            ++*pages;
            listed += page->carved == page->capacity;
        }
    }
    return listed;
}

/* Each refers to the one before, so that all go when the last does, in the opposite order. */
static void drop_as_chain(struct node *nodes[LONG])
{
    for (int i = 1; i < LONG; i++)
        ouro_give(nodes[i], &nodes[i]->a, nodes[i - 1]);
    ouro_release(nodes[LONG - 1]);
}

/* So many blocks may be found until it is looked whether to collect. */
static void set_limit(size_t blocks)
{
    oi_act.self->pool.fresh_blocks = 0;
    oi_act.self->pool.fresh_limit = blocks;
}

/* Pages that were emptied by one run need not be cut anew, and what is made of them lies in order. */
static void test_list_is_kept(void)
{
    static struct node *nodes[LONG];
    size_t pages;
    set_limit(10 * LONG);
    make_nodes(nodes, &pages);
    CHECK_GE(pages, 8);
    drop_as_chain(nodes);
    check_my_pages();
    size_t listed = make_nodes(nodes, &pages);
    CHECK_GE(listed, pages - 1);
    int in_order = 0;
    for (int i = 1; i < LONG; i++)
        in_order += (char *)nodes[i] - (char *)nodes[i - 1] == (ptrdiff_t)oi_page_block_size(oi_page_of(nodes[i]));
    CHECK_GT(in_order, LONG - 2 * (int)pages);
    check_my_pages();
    drop_as_chain(nodes);
    set_limit(1000); /* fewer than a page has */
    CHECK_LE(make_nodes(nodes, &pages), 2); /* what was current, and the empty page that the pool has kept */
    drop_as_chain(nodes);
    set_limit(0); /* the library's own, from now on */
    CHECK_LIVE(0);
}

/* Those that were emptied a block here and a block there are. */
static void test_scattered_list_is_not(void)
{
    static struct node *nodes[LONG];
    struct rng rng = rng_stream(seed, 3);
    size_t pages;
    set_limit(10 * LONG);
    make_nodes(nodes, &pages);
    for (int i = LONG - 1; i > 0; i--) {
        int at = (int)rng_below(&rng, (uint32_t)i + 1);
        struct node *node = nodes[i];
        nodes[i] = nodes[at];
        nodes[at] = node;
    }
    drop_as_chain(nodes);
    check_my_pages();
    CHECK_LE(make_nodes(nodes, &pages), 2);
    drop_as_chain(nodes);
    set_limit(0); /* the library's own, from now on */
    CHECK_LIVE(0);
}

int main(void)
{
    check_start("run_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    FIXTURE_RUN(test_tree);
    FIXTURE_RUN(test_full_page);
    FIXTURE_RUN(test_array_in_between);
    FIXTURE_RUN(test_token_in_between);
    FIXTURE_RUN(test_at_random);
    FIXTURE_RUN(test_young_garbage);
    FIXTURE_RUN(test_young_pages);
    FIXTURE_RUN(test_list_is_kept);
    FIXTURE_RUN(test_scattered_list_is_not);
    return check_finish();
}
