/* SPDX-License-Identifier: MIT
 *
 * Scenario: threads that make objects, share them, and then run for long without reaching a safepoint, so that nobody looks into their inboxes.
 * Others drop what they made.
 * Asserted: a few collections find all of it, cyclic or not, finalized once; what is referred to stays, with the right count; owners that use their
 * references meanwhile, park, exit or come back at any moment lose nothing. Objects of untracked types wait for their owner, and no longer. */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/perturb.h"
#include "support/rng.h"
#include "support/threads.h"

enum { BOARD = 64, ROUNDS = SCALED(300), OWNERS = 3, ENOUGH = 8 };

static struct table *board;
static atomic_int step;

static void await(int wanted)
{
    while (atomic_load(&step) < wanted) {
    }
}

static bool at_once; /* an owner's inbox is looked at however short it has been away */

static void collect_some(void)
{
    for (int i = 0; i < ENOUGH; i++) {
        CHECK_GE(ouro_gc_collect(2), 0);
        if (!at_once)
            usleep(60000);
    }
}

static void drop_board(void)
{
    for (int i = 0; i < BOARD; i++)
        ouro_release(ouro_take(board, &board->items[i]));
}

/* ---- one owner that is away ---- */

static struct node *kept; /* the owner's reference */

static void *make_and_be_away(void *arg)
{
    void (*make)(void) = *(void (**)(void))arg;
    make();
    atomic_store(&step, 1);
    await(2);
    return NULL;
}

/* Everything that a busy owner made, and others have dropped: gone when? */
static void check_dropped_by_others(void (*make)(void), size_t left_while_away)
{
    board = table_new(BOARD);
    ouro_share(board);
    ouro_gc_collect(2);
    size_t before = live_objects_now();
    atomic_store(&step, 0);
    pthread_t owner = thread_start(make_and_be_away, &make, 0);
    await(1);
    CHECK_GT(live_objects_now(), before);
    drop_board();
    collect_some();
    ouro_mem_trim();
    CHECK_EQ(live_objects_now() - before, left_while_away);
    atomic_store(&step, 2);
    ouro_blocking_begin();
    thread_join_running(owner);
    ouro_blocking_end();
    collect_some();
    CHECK_EQ(live_objects() - before, 0);
    ouro_release(board);
}

static void put(int i, void *object)
{
    ouro_give(board, &board->items[i], object);
}

static void make_single_objects(void)
{
    for (int i = 0; i < BOARD; i++)
        put(i, plain_new(i));
}

static void make_lists(void)
{
    for (int i = 0; i < BOARD; i++) {
        struct node *first = NULL;
        for (int k = 0; k < 10; k++) {
            struct node *n = plain_new(k);
            ouro_give(n, &n->a, first);
            first = n;
        }
        put(i, first);
    }
}

static void make_rings(void)
{
    for (int i = 0; i < BOARD; i++) {
        struct node *a = plain_new(1), *b = plain_new(2);
        ouro_set(a, &a->a, b);
        ouro_give(b, &b->a, ouro_retain(a));
        ouro_release(b);
        put(i, a);
    }
}

static void make_finalized(void)
{
    for (int i = 0; i < BOARD; i++) {
        struct node *a = node_new(1), *b = node_new(2);
        ouro_set(a, &a->a, b);
        if (i % 2)
            ouro_set(b, &b->a, a);
        ouro_release(b);
        put(i, a);
    }
}

static void make_leaves(void)
{
    for (int i = 0; i < BOARD; i++)
        put(i, leaf_new(i));
}

static void keep_one(void)
{
    kept = plain_new(1);
    put(0, ouro_retain(kept));
    put(1, ouro_retain(kept));
}

static void test_single_objects(void)
{
    check_dropped_by_others(make_single_objects, 0);
}

static void test_lists(void)
{
    check_dropped_by_others(make_lists, 0);
}

static void test_rings(void)
{
    check_dropped_by_others(make_rings, 0);
}

static void test_finalized(void)
{
    long before = finalized();
    check_dropped_by_others(make_finalized, 0);
    CHECK_EQ(finalized() - before, 2 * BOARD);
}

static void test_leaves_wait_for_their_owner(void)
{
    check_dropped_by_others(make_leaves, BOARD);
}

static void test_what_the_owner_holds_stays(void)
{
    board = table_new(BOARD);
    ouro_share(board);
    atomic_store(&step, 0);
    void (*make)(void) = keep_one;
    pthread_t owner = thread_start(make_and_be_away, &make, 0);
    await(1);
    drop_board();
    collect_some();
    CHECK_EQ(ouro_refcount(kept), 3); /* the dropped ones wait for their owner */
    CHECK(ouro_type_of(kept) == &plain_type);
    CHECK_EQ(kept->id, 1);
    atomic_store(&step, 2);
    ouro_blocking_begin();
    thread_join_running(owner);
    ouro_blocking_end();
    CHECK_EQ(ouro_refcount(kept), 1);
    ouro_release(kept);
    ouro_release(board);
    CHECK_LIVE(0);
}

/* ---- owners that are away at random, and use what they hold ---- */

static atomic_bool stop;
static atomic_long made, made_with_finalizer;
static uint64_t seed;

static struct node *any_new(struct rng *rng)
{
    atomic_fetch_add(&made, 1);
    if (!rng_one_in(rng, 4))
        return plain_new(7);
    atomic_fetch_add(&made_with_finalizer, 1);
    return node_new(7);
}

/* Nothing in here is a safepoint but what is said to be: retain, release of what one owns or of merged objects, slots. */
static void *work_busily(void *arg)
{
    struct rng rng = rng_stream(seed, 1 + (uintptr_t)arg);
    struct node *mine[8] = {0};
    while (!atomic_load(&stop)) {
        for (int i = 0; i < 8; i++) {
            if (mine[i])
                continue;
            mine[i] = any_new(&rng);
            ouro_set(mine[i], &mine[i]->a, mine[rng_below(&rng, 8)]);
            ouro_set(board, &board->items[rng_below(&rng, BOARD)], mine[i]);
        }
        for (uint32_t n = rng_below(&rng, 2000); n > 0; n--) {
            struct node **one = &mine[rng_below(&rng, 8)], *t = *one;
            ouro_slot *slot = &board->items[rng_below(&rng, BOARD)];
            switch (t ? rng_below(&rng, 8) : 7) {
            case 0:
                ouro_release(ouro_retain(t));
                break;
            case 1:
                *one = NULL;
                ouro_release(t);
                break;
            case 2:
                *one = NULL;
                ouro_give(board, slot, t);
                break;
            case 3:
                ouro_set(t, &t->b, mine[rng_below(&rng, 8)]);
                break;
            case 4:
                ouro_give(t, &t->b, ouro_get(board, slot));
                break;
            case 5:
                CHECK_EQ(t->id, 7);
                break;
            case 6:
                *one = ouro_swap(board, slot, t);
                break;
            default:
                *one = ouro_take(board, slot);
                ouro_release(t);
            }
        }
        if (rng_one_in(&rng, 20))
            ouro_safepoint();
        if (rng_one_in(&rng, 40)) {
            ouro_blocking_begin();
            yield_sometimes(&rng);
            ouro_blocking_end();
        }
        if (rng_one_in(&rng, 60))
            break; /* another thread follows */
    }
    for (int i = 0; i < 8; i++)
        ouro_release(mine[i]);
    return NULL;
}

static void *be_an_owner(void *arg)
{
    while (!atomic_load(&stop))
        thread_do(work_busily, arg, 0);
    return NULL;
}

static void test_at_random(void)
{
    pthread_t owners[OWNERS];
    size_t before = live_objects();
    long finalized_before = finalized();
    board = table_new(BOARD);
    ouro_share(board);
    atomic_store(&stop, false);
    at_once = fixture_set_patience(0);
    perturb_start(seed + 1, 128);
    for (uintptr_t i = 0; i < OWNERS; i++)
        owners[i] = thread_start(be_an_owner, (void *)i, 0);
    struct rng rng = rng_stream(seed, 0);
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < 20; k++)
            ouro_release(ouro_take(board, &board->items[rng_below(&rng, BOARD)]));
        CHECK_GE(ouro_gc_collect(1 + (int)rng_below(&rng, 2)), 0);
    }
    atomic_store(&stop, true);
    ouro_blocking_begin();
    for (int i = 0; i < OWNERS; i++)
        thread_join_running(owners[i]);
    ouro_blocking_end();
    perturb_stop();
    drop_board();
    ouro_release(board);
    collect_some();
    CHECK_EQ(live_objects(), before);
    CHECK_EQ(finalized() - finalized_before, atomic_load(&made_with_finalizer));
    printf("       %ld objects\n", atomic_load(&made));
}

int main(void)
{
    check_start("busy_owner_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    ouro_gc_disable();
    FIXTURE_RUN(test_single_objects);
    FIXTURE_RUN(test_lists);
    FIXTURE_RUN(test_rings);
    FIXTURE_RUN(test_finalized);
    FIXTURE_RUN(test_leaves_wait_for_their_owner);
    FIXTURE_RUN(test_what_the_owner_holds_stays);
    FIXTURE_RUN(test_at_random);
    return check_finish();
}
