/* SPDX-License-Identifier: MIT
 *
 * What a collection of generation 2 looks at: as little as has changed, and whatever can have become garbage by it. After each change by
 * which objects can become garbage, a collection that follows candidates finds what there is: one that looks at everything, right
 * after it, finds nothing. Seed: OURO_TEST_SEED. */
#include "cycle/candidates.h"
#include "cycle/check.h"
#include "cycle/estimate.h"
#include "cycle/validate.h"

#include <ouro/ouro.h>
#include <stdio.h>

#include "mem/page.h"
#include "object/count.h"
#include "object/credit.h"
#include "object/hint.h"
#include "support/beside.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

static uint64_t seed;

static size_t looked_at(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[2].candidates;
}

static void collect_all(void)
{
    oi_candidates_forget();
    ouro_gc_collect(2);
}

/* The collection follows candidates, to so many objects at most, finds so many, and leaves nothing to be found. */
static void check_collection(long found, size_t most)
{
    size_t followed = oi_candidates_followed, before = looked_at();
    CHECK_EQ(ouro_gc_collect(2), found);
    CHECK_LE(looked_at() - before, most);
    CHECK_GT(oi_candidates_followed, followed);
    oi_candidates_forget();
    CHECK_EQ(ouro_gc_collect(2), 0);
}

/* A ring of n shared objects: one reference, the caller's. */
static struct node *ring_new(long n)
{
    struct node *first = plain_new(0), *last = ouro_retain(first);
    for (long i = 1; i < n; i++) {
        struct node *next = plain_new(i);
        ouro_set(last, &last->a, next);
        ouro_release(last);
        last = next;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    ouro_share(first);
    return first;
}

/* P1 of a collection of generation 2. Returns how many objects it has looked at. */
static size_t estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects;
    return oi_candidates_follow(scope, &objects, members) ? objects : oi_estimate(scope, members);
}

/* Makes everything known. */
static void settle(void)
{
    collect_all();
    ouro_gc_collect(2);
}

/* ---- nothing has changed ---- */

static void test_unchanged(void)
{
    struct node *ring = ring_new(1000);
    settle();
    size_t before = looked_at();
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(looked_at() - before, 0);
    for (int i = 0; i < 10; i++)
        ouro_release(ouro_get(ring, &ring->a)); /* reading changes nothing */
    before = looked_at();
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(looked_at() - before, 0);
    ouro_release(ring);
    check_collection(1000, 1000);
}

static void test_new(void)
{
    settle();
    ouro_release(ring_new(10)); /* no slot of a published object was written, and nothing is remembered */
    check_collection(10, 4000);
}

/* ---- a root is dropped ---- */

static void *drop(void *o)
{
    ouro_release(o);
    return NULL;
}

static void test_root_dropped(void)
{
    struct node *mine = ring_new(10), *others = ring_new(10), *kept = ring_new(5000);
    ouro_retain(mine);
    settle();
    ouro_release(mine); /* a candidate, but held */
    check_collection(0, 10);
    ouro_release(mine);
    thread_do(drop, others, 0);
    ouro_safepoint();
    check_collection(20, 20);
    ouro_release(kept);
    check_collection(5000, 5000);
}

/* ---- references are removed from slots ---- */

static void remove_by_set(struct node *from)
{
    ouro_set(from, &from->a, NULL);
}

static void remove_by_give(struct node *from)
{
    ouro_give(from, &from->a, NULL);
}

static void remove_by_take(struct node *from)
{
    ouro_release(ouro_take(from, &from->a));
}

static void remove_by_swap(struct node *from)
{
    struct node *other = plain_new(7);
    ouro_release(ouro_swap(from, &from->a, other));
}

static void remove_by_compare_set(struct node *from)
{
    CHECK(ouro_compare_set(from, &from->a, ouro_peek(&from->a), NULL));
}

static void remove_by_value(struct node *from)
{
    ouro_value_set(from, &from->a, ouro_int_new(5));
}

static void test_removed(void)
{
    void (*const ways[])(struct node *) = {remove_by_set, remove_by_give, remove_by_take, remove_by_swap, remove_by_compare_set, remove_by_value};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct node *holder = plain_new(1), *ring = ring_new(10);
        ouro_share(holder);
        ouro_give(holder, &holder->a, ring);
        settle();
        ways[i](holder);
        check_collection(10, 12); /* swap: what is on the new object's page, too */
        ouro_release(holder);
    }
}

static void test_taken_out_and_kept(void)
{
    struct node *holder = plain_new(1), *ring = ring_new(10);
    ouro_share(holder);
    ouro_give(holder, &holder->a, ring);
    settle();
    ring = ouro_take(holder, &holder->a);
    CHECK_EQ(ouro_gc_collect(2), 0);
    ouro_release(ring); /* nothing but a count says so */
    check_collection(10, 10);
    ouro_release(holder);
}

static void test_container_dies(void)
{
    struct node *outer = plain_new(1), *holder = plain_new(2), *between = ring_new(20), *ring = ring_new(10);
    ouro_share(outer);
    ouro_give(holder, &holder->a, ring);
    ouro_give(outer, &outer->a, holder);
    settle();
    ouro_set(outer, &outer->a, NULL);
    check_collection(10, 40); /* and what begins in the same lines leads to */
    ouro_release(outer);
    ouro_release(between);
    collect_all();
}

/* ---- references from elsewhere become references from slots ---- */

static void test_moved_in(void)
{
    struct node *a = ring_new(1), *b = ring_new(1);
    settle();
    /* The count of b stays what it was. */
    ouro_give(a, &a->b, b);
    ouro_set(b, &b->b, a);
    ouro_release(a);
    check_collection(2, 2);
}

/* Whatever the way: as many references as before, and one of them is an edge now. */

static void store_by_set(struct node *to, struct node *o)
{
    ouro_set(to, &to->b, o);
    ouro_release(o);
}

static void store_by_give(struct node *to, struct node *o)
{
    ouro_give(to, &to->b, o);
}

static void store_by_swap(struct node *to, struct node *o)
{
    CHECK(!ouro_swap(to, &to->b, o));
}

static void store_by_compare_set(struct node *to, struct node *o)
{
    CHECK(ouro_compare_set(to, &to->b, NULL, o));
    ouro_release(o);
}

static void store_by_value(struct node *to, struct node *o)
{
    ouro_value_set(to, &to->b, ouro_value_of(o));
    ouro_release(o);
}

static void store_by_value_compare_set(struct node *to, struct node *o)
{
    CHECK(ouro_value_compare_set(to, &to->b, OURO_NIL, ouro_value_of(o)));
    ouro_release(o);
}

/* A thread drops the last reference from outside into its credit: what gives that back, not the drop, makes the count fall. */

static void *collect_and_count(void *found)
{
    *(long *)found = ouro_gc_collect(2);
    return NULL;
}

static void test_credit(void)
{
    struct node *ring = ring_new(3);
    long found = 0;
    ouro_share_widely(ring);
    settle();
    size_t followed = oi_candidates_followed;
    ouro_share_widely(ring); /* the collections have taken all credit back */
    ouro_retain(ring);
    CHECK(oi_credit_is_mine_out());
    ouro_release(ring);
    ouro_release(ring);
    CHECK(oi_count(oi_shared(&ring->object)) > 1);
    pthread_t thread = thread_start(collect_and_count, &found, 0);
    thread_join_running(thread); /* this one goes on: its credit is taken from it */
    CHECK_EQ(found, 3);
    CHECK_GT(oi_candidates_followed, followed);
}

static void test_stored(void)
{
    void (*const ways[])(struct node *, struct node *) = {store_by_set,   store_by_give,  store_by_swap, store_by_compare_set,
                                                          store_by_value, store_by_value_compare_set};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct node *a = ring_new(1), *b = ring_new(1);
        ouro_share(b);
        settle();
        ways[i](a, ouro_retain(b));
        ways[i](b, a);
        ouro_release(b);
        check_collection(2, 2);
    }
}

static void test_moved_into_itself(void)
{
    struct node *a = plain_new(1);
    ouro_share(a);
    settle();
    ouro_give(a, &a->a, a);
    check_collection(1, 1);
}

static void test_holder_is_published(void)
{
    struct node *a = ring_new(3), *holder = plain_new(1);
    ouro_set(holder, &holder->a, a);
    ouro_release(a);
    settle(); /* held by a private object */
    ouro_give(a, &a->b, holder);
    check_collection(4, 4000);
}

/* ---- generation 1 comes between ---- */

static void test_young_first(void)
{
    struct node *held = ring_new(10), *holder = plain_new(1);
    ouro_share(holder);
    settle();
    struct node *fresh = ring_new(10);
    ouro_set(holder, &holder->a, fresh);
    CHECK_EQ(ouro_gc_collect(1), 0); /* looks at the new ones, which an old one holds */
    ouro_release(fresh);
    ouro_set(holder, &holder->a, NULL);
    check_collection(10, 4000);
    /* New garbage that holds old things goes by generation 1. */
    struct node *part = plain_new(2);
    ouro_share(part);
    ouro_give(part, &part->a, part);
    ouro_give(holder, &holder->b, held);
    settle();
    fresh = ring_new(2);
    ouro_give(fresh, &fresh->b, ouro_take(holder, &holder->b));
    ouro_release(fresh);
    ouro_gc_collect(1);
    ouro_gc_collect(2);
    oi_candidates_forget();
    CHECK_EQ(ouro_gc_collect(2), 0);
    ouro_release(holder);
    collect_all();
}

/* Generation 1 has looked, and remembers nothing. */
static void test_young_is_not_enough(void)
{
    settle();
    struct node *fresh = ring_new(10);
    CHECK_EQ(ouro_gc_collect(1), 0);
    ouro_release(fresh);
    check_collection(10, 4000);
}

/* An old object, because its page is recent again, goes by generation 1; what it held was reached from it. */
static void test_young_frees_holder(void)
{
    struct node *holder = ring_new(1), *between = ring_new(4000), *ring = ring_new(10);
    ouro_give(holder, &holder->b, ring);
    CHECK(oi_page_of(holder) != oi_page_of(ring));
    settle();
    oi_page_set_published(oi_page_of(holder));
    ouro_release(holder);
    CHECK_EQ(ouro_gc_collect(1), 1);
    check_collection(10, 4100); /* its page is recent for generation 2, too */
    ouro_release(between);
    collect_all();
}

/* ---- what candidates lead to ---- */

static void test_leads_too_far(void)
{
    size_t share = oi_candidates_share, followed;
    struct node *ring = ring_new(4000), *small = ring_new(10);
    settle();
    oi_candidates_share = 4;
    ouro_retain(ring);
    ouro_set(ring, &ring->b, ring);
    ouro_release(small);
    followed = oi_candidates_followed;
    CHECK_EQ(ouro_gc_collect(2), 10); /* it has looked at everything instead */
    CHECK_EQ(oi_candidates_followed, followed);
    oi_candidates_share = share;
    ouro_gc_collect(2);
    ouro_release(ring);
    ouro_release(ring);
    collect_all();
    CHECK_EQ(ouro_gc_collect(2), 0);
}

static void test_too_many_roots(void)
{
    enum { ROOTS = OI_ROOTS_MAX * 4 };
    struct node **held = calloc(ROOTS, sizeof *held);
    for (size_t i = 0; i < ROOTS; i++)
        held[i] = ring_new(1);
    settle();
    for (size_t i = 0; i < ROOTS; i++)
        ouro_release(held[i]);
    CHECK_EQ(ouro_gc_collect(2), ROOTS);
    free(held);
    settle();
    struct node *ring = ring_new(10);
    settle();
    ouro_release(ring);
    check_collection(10, 10);
}

static void test_lost_hints(void)
{
    struct node *ring = ring_new(10);
    settle();
    oi_hints_are_lost();
    ouro_release(ring);
    size_t followed = oi_candidates_followed;
    CHECK_EQ(ouro_gc_collect(2), 10);
    CHECK_EQ(oi_candidates_followed, followed);
    CHECK(!oi_hint_loss);
}

static void test_list(void)
{
    ouro_value list = ouro_list_new();
    ouro_share(ouro_value_object(list));
    struct node *ring = ring_new(10);
    CHECK_EQ(ouro_list_append(list, ouro_value_of(ring)), OURO_OK);
    ouro_release(ring);
    settle();
    CHECK_EQ(ouro_list_clear(list), OURO_OK);
    CHECK_EQ(ouro_gc_collect(2), 10);
    ouro_value_release(list);
}

/* ---- publication beside a collection ---- */

/* A block is cut and its object published just before a collection pins the page; the collection reads how many blocks there are a bit too early. */
static void test_cut_late(void)
{
    enum { MOST = 4000 };
    static struct node *spread[MOST];
    struct node *ring = NULL;
    size_t made = 0;
    do { /* the first of a page */
        spread[made] = plain_new(1);
        ouro_share(spread[made]);
    } while (oi_page_of(spread[made])->base != (char *)spread[made] && ++made < MOST / 2);
    made++;
    ouro_gc_collect(2);
    ouro_blocking_begin();
    struct oi_scope *scope = oi_scope_open(2);
    scope->tokens = NULL;
    ouro_blocking_end();
    for (bool late = false; made < MOST && !late; made++) {
        ring = spread[made] = plain_new(1);
        ouro_share(ring);
        oi_id id = oi_scope_find(scope, &ring->object);
        late = id && oi_scope_index(id) >= scope->extents[id >> OI_SCOPE_INDEX_BITS].carved;
    }
    oi_id id = oi_scope_find(scope, &ring->object);
    REQUIRE(id);
    oi_page_of(ring)->recent = 0; /* as if it had been found to be recent, and then taken */
    oi_page_of(ring)->was_recent = true;
    ouro_set(ring, &ring->a, ring);
    size_t members;
    ouro_blocking_begin();
    estimate(scope, &members);
    CHECK_EQ(scope->extents[id >> OI_SCOPE_INDEX_BITS].count[oi_scope_index(id)], 2 + 1); /* looked at, and one more */
    oi_candidates_remember(scope);
    oi_scope_leave(scope);
    ouro_blocking_end();
    while (made)
        ouro_release(spread[--made]);
    CHECK_EQ(ouro_gc_collect(2), 1);
    collect_all();
}

static void with_collections_beside(void (*fn)(void *arg), void *arg)
{
    beside_begin();
    fn(arg);
    beside_end();
}

static void give_to_itself(void *o)
{
    struct node *ring = o;
    ouro_give(ring, &ring->b, ring);
}

static void set_in_itself(void *o)
{
    struct node *ring = o;
    ouro_set(ring, &ring->b, ring);
    ouro_release(ring);
}

static void compare_set_in_itself(void *o)
{
    struct node *ring = o;
    CHECK(ouro_compare_set(ring, &ring->b, NULL, ring));
    ouro_release(ring);
}

/* A collection at each step of a store: one takes the hint before there is anything to see. */
static void test_collections_beside(void)
{
    void (*const ways[])(void *) = {give_to_itself, set_in_itself, compare_set_in_itself};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct node *ring = ring_new(1);
        settle();
        with_collections_beside(ways[i], ring);
        CHECK_EQ(ouro_gc_collect(2), 1);
        collect_all();
    }
}

/* An object that is born published, on a page of its own, which a collection has looked at before. */
static void make_table(void *made)
{
    *(struct table **)made = table_new(20000);
}

static void *make_large(void *made)
{
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    with_collections_beside(make_table, made);
    return NULL;
}

static void test_large_is_born(void)
{
    struct table *table = NULL;
    settle();
    thread_do(make_large, &table, 0);
    CHECK(oi_page_of(table)->recent == OI_RECENT);
    settle();
    ouro_give(table, &table->items[7], table);
    check_collection(1, 1);
}

/* ---- finalizers ---- */

static struct node *kept;

static void keep(void *o)
{
    kept = ouro_retain(o);
}

static void test_finalizers(void)
{
    struct node *held = ring_new(5), *a = node_new(1), *b = plain_new(2);
    ouro_set(a, &a->a, b);
    ouro_give(b, &b->a, ouro_retain(a));
    ouro_give(b, &b->b, ring_new(1)); /* garbage with it */
    ouro_release(b);
    ouro_share(a);
    settle();
    ouro_release(a);
    check_collection(3, 30); /* in rounds: what a finalizer was due for is a candidate of the next, with its page */
    CHECK_EQ(finalized(), 1);
    on_finalize(keep);
    a = node_new(3);
    ouro_share(a);
    ouro_set(a, &a->a, a);
    settle();
    ouro_release(a);
    ouro_gc_collect(2); /* brought back */
    CHECK_PTR(kept, a);
    settle();
    ouro_release(kept);
    check_collection(1, 1);
    ouro_release(held);
    collect_all();
}

/* ---- what a collection has doubted and then let go ---- */

static void test_doubted(void)
{
    struct node *ring = ring_new(10);
    ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
    settle();
    ouro_release(ring);
    /* A collection of generation 2, step by step; between two of them the weak reference is followed. */
    struct oi_validation validation = {0};
    size_t members;
    ouro_blocking_begin();
    struct oi_scope *scope = oi_scope_open(2);
    scope->tokens = NULL;
    CHECK_EQ(estimate(scope, &members), 10);
    CHECK_EQ(members, 10);
    ouro_blocking_end();
    ring = ouro_weak_get(weak);
    ouro_blocking_begin();
    oi_validate_counts(scope, &validation);
    oi_validate_untouched(scope);
    CHECK_EQ(oi_scope_count_members(scope), 0);
    oi_candidates_remember(scope);
    oi_scope_leave(scope);
    ouro_blocking_end();
    ouro_release(ring); /* what was remembered of it while it was in doubt says nothing */
    check_collection(10, 10);
    CHECK(!ouro_weak_get(weak));
    ouro_release(weak);
}

/* ---- at random ---- */

enum { HELD = 40, STEPS = 4000, THREADS = 3 };

struct hand {
    struct rng rng;
    struct node *held[HELD];
};

static struct node *board[HELD];

static void step(struct hand *hand)
{
    struct node **x = &hand->held[rng_below(&hand->rng, HELD)], **z = &hand->held[rng_below(&hand->rng, HELD)], *y = z == x ? NULL : *z;
    struct node *shared = board[rng_below(&hand->rng, HELD)], *old;
    ouro_slot *slot = rng_one_in(&hand->rng, 2) ? &shared->a : &shared->b;
    switch (rng_below(&hand->rng, 9)) {
    case 0:
        ouro_release(*x);
        *x = plain_new(1);
        ouro_set(*x, &(*x)->a, y);
        break;
    case 1:
        if (*x)
            ouro_share(*x);
        break;
    case 2:
        ouro_set(shared, slot, y);
        break;
    case 3:
        old = *x;
        *x = NULL;
        ouro_give(shared, slot, old);
        break;
    case 4:
        old = *x;
        *x = ouro_swap(shared, slot, old);
        break;
    case 5:
        ouro_release(*x);
        *x = ouro_take(shared, slot);
        break;
    case 6:
        ouro_release(*x);
        *x = ouro_get(shared, slot);
        break;
    case 7:
        if (*x && y)
            ouro_set(*x, &(*x)->b, y);
        break;
    default:
        ouro_release(*x);
        *x = NULL;
    }
}

static void run(struct hand *hand)
{
    for (int i = 0; i < SCALED(STEPS); i++) {
        step(hand);
        if (rng_one_in(&hand->rng, 500))
            ouro_gc_collect((int)rng_below(&hand->rng, 3));
    }
    for (int i = 0; i < HELD; i++) {
        ouro_release(hand->held[i]);
        hand->held[i] = NULL;
    }
}

static void run_member(struct member *self)
{
    struct hand hand = {.rng = self->rng};
    run(&hand);
}

static void test_random(void)
{
    size_t followed = oi_candidates_followed;
    long found = 0;
    for (int i = 0; i < HELD; i++) {
        board[i] = plain_new(i);
        ouro_share(board[i]);
    }
    settle();
    for (uint64_t round = 0; round < 60; round++) {
        if (round % 2) {
            struct hand hand = {.rng = rng_stream(seed, round)};
            run(&hand);
        } else {
            team_run(THREADS, seed + round, run_member, NULL);
        }
        for (int i = 0; i < 10; i++)
            ouro_set(board[i], &board[i]->a, NULL);
        found += ouro_gc_collect(2);
        if (round % 5 == 4) {
            oi_candidates_forget();
            CHECK_EQ(ouro_gc_collect(2), 0);
        }
    }
    CHECK_GT(found, 0);
    CHECK_GT(oi_candidates_followed - followed, 60);
    for (int i = 0; i < HELD; i++)
        ouro_release(board[i]);
    collect_all();
}

/* The same with old objects only: no page is recent, so each change has to leave its own trace. */

enum { OLD = 3000, OLD_ROUNDS = 40, OLD_STEPS = 60 };

static struct node *old_board[OLD];

static ouro_slot *old_slot(struct rng *rng, struct node *of)
{
    return rng_one_in(rng, 2) ? &of->a : &of->b;
}

static void change_old(struct member *self)
{
    struct node *held[4] = {NULL};
    for (int i = 0; i < OLD_STEPS; i++) {
        struct node *from = old_board[rng_below(&self->rng, OLD / 100)], **x = &held[rng_below(&self->rng, 4)], *old = *x;
        ouro_slot *slot = old_slot(&self->rng, from);
        struct node *inner = *x ? ouro_get(*x, old_slot(&self->rng, *x)) : NULL;
        switch (rng_below(&self->rng, 7)) {
        case 0:
            *x = ouro_get(from, slot);
            ouro_release(old);
            break;
        case 1:
            *x = ouro_take(from, slot);
            ouro_release(old);
            break;
        case 2:
            *x = ouro_swap(from, slot, old);
            break;
        case 3:
            *x = NULL;
            ouro_give(from, slot, old);
            break;
        case 4:
            if (inner)
                ouro_set(inner, old_slot(&self->rng, inner), *x);
            break;
        case 5:
            *x = ouro_retain(inner);
            ouro_release(old);
            break;
        default:
            if (inner) {
                *x = NULL;
                ouro_give(inner, old_slot(&self->rng, inner), old);
            }
        }
        ouro_release(inner);
        if (rng_one_in(&self->rng, 100))
            ouro_gc_collect(2);
        yield_sometimes(&self->rng);
    }
    for (int i = 0; i < 4; i++)
        ouro_release(held[i]);
}

static void test_random_old(void)
{
    struct rng rng = rng_stream(seed, 1000);
    size_t followed = oi_candidates_followed;
    long found = 0;
    for (int graph = 0; graph < 4; graph++) {
        for (int i = 0; i < OLD; i++)
            old_board[i] = plain_new(i);
        for (int i = 0; i < OLD; i++) {
            ouro_share(old_board[i]);
            ouro_set(old_board[i], &old_board[i]->a, old_board[rng_below(&rng, OLD)]);
            if (rng_one_in(&rng, 2))
                ouro_set(old_board[i], &old_board[i]->b, old_board[rng_below(&rng, OLD)]);
        }
        settle();
        for (int i = OLD / 100; i < OLD; i++)
            ouro_release(old_board[i]);
        settle();
        for (uint64_t round = 0; round < SCALED(OLD_ROUNDS) + 3; round++) {
            team_run(1 + round % 3, seed + round, change_old, NULL);
            found += ouro_gc_collect(2);
            oi_candidates_forget();
            CHECK_EQ(ouro_gc_collect(2), 0);
        }
        for (int i = 0; i < OLD / 100; i++) {
            ouro_release(old_board[i]);
            if (i % 5 == 0) {
                ouro_gc_collect(2);
                oi_candidates_forget();
                CHECK_EQ(ouro_gc_collect(2), 0);
            }
        }
        collect_all();
    }
    CHECK_GT(found, 0);
    CHECK_GT(oi_candidates_followed - followed, 4 * SCALED(OLD_ROUNDS));
}

int main(void)
{
    check_start("candidates_test");
    seed = rng_seed();
    fixture_start();
    ouro_gc_disable();
    oi_candidates_share = 1;
    oi_candidates_check_every = 1;
    FIXTURE_RUN(test_unchanged);
    FIXTURE_RUN(test_new);
    FIXTURE_RUN(test_root_dropped);
    FIXTURE_RUN(test_removed);
    FIXTURE_RUN(test_taken_out_and_kept);
    FIXTURE_RUN(test_container_dies);
    FIXTURE_RUN(test_moved_in);
    FIXTURE_RUN(test_stored);
    FIXTURE_RUN(test_credit);
    FIXTURE_RUN(test_moved_into_itself);
    FIXTURE_RUN(test_holder_is_published);
    FIXTURE_RUN(test_young_first);
    FIXTURE_RUN(test_young_is_not_enough);
    FIXTURE_RUN(test_young_frees_holder);
    FIXTURE_RUN(test_leads_too_far);
    FIXTURE_RUN(test_too_many_roots);
    FIXTURE_RUN(test_lost_hints);
    FIXTURE_RUN(test_list);
    FIXTURE_RUN(test_cut_late);
    FIXTURE_RUN(test_collections_beside);
    FIXTURE_RUN(test_large_is_born);
    FIXTURE_RUN(test_finalizers);
    FIXTURE_RUN(test_doubted);
    FIXTURE_RUN(test_random);
    FIXTURE_RUN(test_random_old);
    return check_finish();
}
