/* SPDX-License-Identifier: MIT
 *
 * What becomes of the members once they are proven garbage: those whose finalizer is due are set aside with all they reach, each
 * with one reference, once; the others are dead all at once, weak references to them cleared; what they refer to elsewhere
 * loses those references; their blocks are free. */
#include "cycle/reclaim.h"

#include <pthread.h>
#include <string.h>

#include "object/count.h"
#include "object/destroy.h"
#include "object/inbox.h"
#include "runtime/runtime.h"
#include "support/collection.h"
#include "support/fault.h"
#include "support/fixture.h"
#include "support/threads.h"

static struct node *shared_new(ouro_type *type, long id)
{
    struct node *n = ouro_new(type);
    REQUIRE(n);
    n->id = id;
    ouro_share(n);
    return n;
}

/* A shared garbage ring. */
static struct node *drop_ring(ouro_type *type, long length)
{
    struct node *first = shared_new(type, 0), *last = ouro_retain(first);
    for (long i = 1; i < length; i++) {
        struct node *n = shared_new(type, i);
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    ouro_release(first);
    return first;
}

static struct node *next_of(const struct node *n)
{
    return ouro_peek(&n->a);
}

static struct collection prove(size_t members)
{
    struct collection c = collection_begin(2);
    collection_counts(&c);
    collection_untouched(&c);
    CHECK_EQ(oi_scope_count_members(c.scope), members);
    return c;
}

static size_t length_of(const struct oi_stack_node *tokens)
{
    size_t n = 0;
    for (; tokens; tokens = tokens->next)
        n++;
    return n;
}

/* What a collection does with these in the end. */
static void run_finalizers(struct oi_stack_node *due)
{
    struct oi_concurrent job = {.due = due};
    oi_finalizer_queue(&job);
    ouro_blocking_begin();
    oi_finalizer_wait();
    ouro_blocking_end();
}

/* ---- set aside ---- */

static void test_set_aside(void)
{
    enum { LENGTH = 5, OTHERS = 7 };
    struct node *ring = drop_ring(&node_type, LENGTH), *others = drop_ring(&plain_type, OTHERS), *tail = shared_new(&plain_type, 50);
    ouro_give(ring, &ring->b, tail);
    ouro_set(others, &others->b, ring); /* leads to it: goes all the same */
    struct collection c = prove(LENGTH + OTHERS + 1);
    CHECK(c.validation.finalizers);
    struct oi_page *page = oi_page_of(ring);
    struct oi_stack_node *due = NULL;
    CHECK_NE(page->recent, OI_RECENT);
    CHECK_EQ(oi_reclaim_set_aside(&c.act, c.scope, &due), LENGTH);
    CHECK_EQ(length_of(due), LENGTH);
    CHECK_EQ(page->recent, OI_RECENT); /* so that generation 1 finds it next time */
    struct node *n = ring;
    for (int i = 0; i < LENGTH; i++, n = next_of(n)) {
        CHECK(!is_member(&c, n));
        CHECK(!is_marked(n));
        CHECK(oi_flags(&n->object) & OI_FINALIZED);
        CHECK_EQ(ouro_refcount(n), i == 0 ? 3 : 2); /* its neighbour's, the finalizer's, and one from the others */
    }
    CHECK(!is_member(&c, tail));
    CHECK(!is_marked(tail));
    CHECK_EQ(ouro_refcount(tail), 1);
    CHECK_EQ(collection_reclaim(&c), OTHERS);
    CHECK_EQ(ouro_refcount(ring), 2);
    collection_leave(&c);
    CHECK_EQ(finalized(), 0);
    run_finalizers(due);
    CHECK_EQ(finalized(), LENGTH);
    CHECK_EQ(ouro_refcount(ring), 1);
    c = collection_begin(1);
    CHECK_EQ(c.suspects, LENGTH + 1);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), LENGTH + 1);
    CHECK_EQ(finalized(), LENGTH);
}

/* Memory for some tokens only, or for none: who has no token has not been finalized, is spared all the same, and is found again. */
static void test_set_aside_without_memory(void)
{
    enum { LENGTH = 5 };
    if (!fault_supported()) {
        printf("       skipped: not under this sanitizer\n");
        return;
    }
    for (int tokens = 0; tokens < LENGTH; tokens++) {
        long before = finalized();
        struct node *ring = drop_ring(&node_type, LENGTH), *lone[3], *other = drop_ring(&plain_type, 2);
        for (int i = 0; i < 3; i++)
            lone[i] = drop_ring(&node_type, 1);
        struct collection c = prove(LENGTH + 3 + 2);
        struct oi_stack_node *due = NULL;
        fault_arm(FAULT_FROM, tokens + 1);
        size_t given = oi_reclaim_set_aside(&c.act, c.scope, &due);
        fault_disarm();
        CHECK_EQ(given, tokens);
        CHECK_EQ(length_of(due), tokens);
        int flagged = 0;
        struct node *n = ring;
        for (int i = 0; i < LENGTH; i++, n = next_of(n)) {
            CHECK(!is_member(&c, n));
            CHECK(!is_marked(n));
            flagged += !!(oi_flags(&n->object) & OI_FINALIZED);
        }
        for (int i = 0; i < 3; i++) {
            CHECK(!is_member(&c, lone[i]));
            flagged += !!(oi_flags(&lone[i]->object) & OI_FINALIZED);
        }
        CHECK_EQ(flagged, tokens);
        CHECK(is_member(&c, other));
        CHECK_EQ(collection_reclaim(&c), 2);
        collection_leave(&c);
        run_finalizers(due);
        CHECK_EQ(finalized() - before, tokens);
        CHECK_EQ(ouro_gc_collect(1), LENGTH + 3); /* now there is memory: the pages are looked at again, whatever the generation */
        CHECK_EQ(finalized() - before, LENGTH + 3);
    }
}

/* As garbage to be looked at: a reference to each, and nothing is freed. */
static void test_save_all(void)
{
    enum { LENGTH = 6 };
    struct node *ring = drop_ring(&node_type, LENGTH);
    struct collection c = prove(LENGTH);
    struct oi_stack_node *saved = NULL;
    CHECK_EQ(oi_reclaim_save_all(&c.act, c.scope, &saved), LENGTH);
    CHECK_EQ(length_of(saved), LENGTH);
    CHECK_EQ(oi_scope_count_members(c.scope), 0);
    struct node *n = ring;
    for (int i = 0; i < LENGTH; i++, n = next_of(n)) {
        CHECK(!is_marked(n));
        CHECK(!(oi_flags(&n->object) & OI_FINALIZED));
        CHECK_EQ(ouro_refcount(n), 2);
    }
    CHECK_EQ(collection_reclaim(&c), 0);
    collection_leave(&c);
    while (saved) {
        struct oi_token *token = OI_CONTAINER_OF(saved, struct oi_token, node);
        saved = saved->next;
        ouro_release(oi_token_free(&oi_act, token));
    }
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(ouro_gc_collect(2), LENGTH);
    CHECK_EQ(finalized(), LENGTH);
}

/* ---- sealed ---- */

static int called;

static void count_call(ouro_weak *weak, void *arg)
{
    (void)arg;
    CHECK_PTR(ouro_weak_get(weak), NULL);
    called++;
}

static size_t callbacks_of(const struct oi_act *act)
{
    size_t n = 0;
    for (struct ouro_weak *weak = act->callbacks; weak; weak = weak->next_due)
        n++;
    return n;
}

static void test_seal(void)
{
    enum { LENGTH = 200 };
    ouro_weak *weaks[LENGTH], *silent;
    struct node *ring = drop_ring(&plain_type, LENGTH), *other = drop_ring(&plain_type, 3), *n = ring;
    struct table *roots = table_new(2); /* while weak references are made */
    ouro_share(roots);
    ouro_set(roots, &roots->items[0], ring);
    ouro_set(roots, &roots->items[1], other);
    for (int i = 0; i < LENGTH; i++, n = next_of(n)) {
        weaks[i] = ouro_weak_new(n, count_call, NULL);
        ouro_share(weaks[i]);
    }
    silent = ouro_weak_new(other, NULL, NULL);
    ouro_share(silent);
    ouro_release(roots);
    struct collection c = prove(LENGTH + 3);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    oi_validate_spare(c.scope, oi_scope_find(c.scope, &other->object));
    ouro_blocking_begin();
    oi_reclaim_seal(&c.act, c.scope, true);
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_IDLE);
    n = ring;
    for (int i = 0; i < LENGTH; i++, n = next_of(n)) {
        CHECK_EQ(oi_shared(&n->object), OI_DEAD);
        CHECK_EQ(oi_owner(&n->object), 0);
        CHECK_PTR(ouro_weak_get(weaks[i]), NULL);
    }
    CHECK_EQ(ouro_refcount(other), 1);
    CHECK_EQ(callbacks_of(&c.act), LENGTH);
    size_t bytes = 0;
    CHECK_EQ(oi_reclaim_free(&c.act, c.scope, &c.validation, &bytes), LENGTH);
    CHECK_GE(bytes, LENGTH * sizeof(struct node));
    struct oi_concurrent job = {.callbacks = c.act.callbacks};
    collection_leave(&c);
    void *got = ouro_weak_get(silent);
    CHECK_PTR(got, other);
    ouro_release(got);
    CHECK_EQ(called, 0);
    oi_finalizer_queue(&job);
    ouro_blocking_begin();
    oi_finalizer_wait();
    ouro_blocking_end();
    CHECK_EQ(called, LENGTH);
    for (int i = 0; i < LENGTH; i++) {
        CHECK_EQ(ouro_refcount(weaks[i]), 1);
        ouro_release(weaks[i]);
    }
    CHECK_EQ(ouro_gc_collect(2), 3);
    CHECK_PTR(ouro_weak_get(silent), NULL);
    ouro_release(silent);
}

/* ---- freed ---- */

static void *make_leaf(void *place)
{
    struct table *table = place;
    struct leaf *leaf = leaf_new(9);
    ouro_give(table, &table->items[0], leaf);
    return NULL;
}

/* References out of the set, from one slot, from two, to what is held otherwise, to what is not, to other threads' objects. */
static void test_references_out(void)
{
    struct node *held = shared_new(&plain_type, 1), *chain = shared_new(&plain_type, 2), *ring = drop_ring(&plain_type, 3);
    struct leaf *plain_leaf = leaf_new(3); /* has a finalizer */
    struct node *only = shared_new(&plain_type, 4); /* refers to nothing else */
    struct table *table = table_new(1), *bytes_holder = table_new(5);
    ouro_share(table);
    thread_do(make_leaf, table, 0);
    struct leaf *elsewhere = ouro_get(table, &table->items[0]);
    ouro_release(table);
    struct node *second = next_of(ring), *third = next_of(second);
    ouro_set(ring, &ring->b, held);
    ouro_set(second, &second->b, held);
    ouro_give(chain, &chain->a, plain_leaf);
    ouro_give(chain, &chain->b, ouro_new_array(&bytes_type, 100));
    ouro_set(bytes_holder, &bytes_holder->items[0], elsewhere);
    ouro_set(bytes_holder, &bytes_holder->items[1], held);
    ouro_set(bytes_holder, &bytes_holder->items[2], held);
    ouro_give(bytes_holder, &bytes_holder->items[3], chain);
    ouro_set(only, &only->a, held);
    ouro_give(bytes_holder, &bytes_holder->items[4], only);
    ouro_give(third, &third->b, bytes_holder);
    CHECK_EQ(ouro_refcount(held), 6);
    CHECK_EQ(ouro_refcount(elsewhere), 2);
    size_t live = live_objects();
    struct collection c = prove(3 + 3); /* the table and the two others, too */
    ouro_blocking_begin();
    oi_reclaim_seal(&c.act, c.scope, true);
    CHECK_EQ(ouro_refcount(held), 6);
    size_t bytes = 0;
    CHECK_EQ(oi_reclaim_free(&c.act, c.scope, &c.validation, &bytes), 6);
    CHECK_GE(bytes, 6 * sizeof(struct node));
    CHECK(!c.act.dead);
    CHECK_PTR(c.act.dead_waiting, &plain_leaf->object); /* its finalizer is due, elsewhere */
    struct oi_concurrent job = {.dead = c.act.dead_waiting};
    collection_leave(&c);
    CHECK_EQ(ouro_refcount(held), 1);
    CHECK_EQ(ouro_refcount(elsewhere), 1);
    CHECK_EQ(finalized(), 0);
    oi_finalizer_queue(&job);
    ouro_blocking_begin();
    oi_finalizer_wait();
    ouro_blocking_end();
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(live - live_objects(), 6 + 2);
    ouro_release(held);
    ouro_release(elsewhere);
    CHECK_EQ(finalized(), 2);
}

/* A reference from garbage to what was spared is dropped like any other that leads out. */
static void test_references_to_the_spared(void)
{
    struct node *x = drop_ring(&plain_type, 1), *y = drop_ring(&plain_type, 1);
    ouro_set(y, &y->b, x);
    struct collection c = prove(2);
    oi_validate_spare(c.scope, oi_scope_find(c.scope, &x->object));
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK_EQ(collection_reclaim(&c), 1);
    CHECK_EQ(ouro_refcount(x), 1);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

static bool comes_back(const struct node *gone)
{
    enum { TRIES = 4000 };
    static struct node *made[TRIES];
    int n = 0;
    bool found = false;
    while (n < TRIES && !found) {
        made[n] = plain_new(n);
        found = made[n++] == gone;
    }
    while (n > 0)
        ouro_release(made[--n]);
    return found;
}

/* The blocks are free at once, but for those that readers of weak references may still look at: these take a grace period. */
static void test_blocks(void)
{
    struct node *keeps_the_page = plain_new(0), *plain = drop_ring(&plain_type, 1), *seen = shared_new(&plain_type, 1);
    ouro_weak *weak = ouro_weak_new(seen, NULL, NULL);
    ouro_share(weak);
    ouro_set(seen, &seen->a, seen);
    ouro_release(seen);
    struct collection c = prove(2);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    ouro_read_begin();
    CHECK_EQ(collection_reclaim(&c), 2);
    ouro_blocking_end();
    ouro_mem_trim();
    CHECK(comes_back(plain));
    CHECK(!comes_back(seen));
    CHECK_EQ(seen->id, 1);
    CHECK_EQ(oi_shared(&seen->object), OI_DEAD);
    ouro_read_end();
    ouro_mem_trim();
    CHECK(comes_back(seen));
    collection_leave(&c);
    ouro_release(weak);
    ouro_release(keeps_the_page);
}

/* An object with a page of its own, which goes with it, the reader or not, unless weak references lead to it: then when the reader has gone. */
static void large_garbage(bool has_weak)
{
    const size_t in_use = oi_page_totals().in_use;
    struct table *large = table_new(3 * OI_UNIT / sizeof(void *));
    struct oi_page *page = oi_page_of(large);
    REQUIRE(page->capacity == 1);
    ouro_share(large);
    ouro_weak *weak = has_weak ? ouro_weak_new(large, NULL, NULL) : NULL;
    ouro_set(large, &large->items[0], large);
    ouro_release(large);
    struct collection c = prove(1);
    CHECK_EQ(c.validation.has_weak, has_weak);
    if (has_weak) {
        oi_validate_open();
        CHECK(oi_validate_commit(c.scope));
    }
    ouro_read_begin();
    CHECK_EQ(collection_reclaim(&c), 1);
    CHECK_EQ(page->remote == OI_REMOTE_FULL, has_weak);
    oi_scope_leave(c.scope);
    ouro_blocking_end();
    CHECK_EQ(oi_page_totals().in_use > in_use + 3 * OI_UNIT, has_weak);
    if (has_weak)
        CHECK_EQ(oi_shared(&large->array.object), OI_DEAD);
    ouro_read_end();
    ouro_mem_trim();
    CHECK_LE(oi_page_totals().in_use, in_use + 2 * OI_UNIT); /* the weak reference's, and its anchor's */
    ouro_release(weak);
}

static void test_large(void)
{
    large_garbage(false);
    large_garbage(true);
}

/* Many pages: each gets its blocks back, and goes. */
static void test_many(void)
{
    enum { LENGTH = 100000 };
    size_t live = live_objects(), in_use = oi_page_totals().in_use;
    drop_ring(&plain_type, LENGTH);
    CHECK_GT(oi_page_totals().in_use, in_use + LENGTH * sizeof(struct node) / 2);
    struct collection c = prove(LENGTH);
    CHECK_EQ(collection_reclaim(&c), LENGTH);
    collection_leave(&c);
    CHECK_EQ(live_objects(), live);
    CHECK_LT(oi_page_totals().in_use, in_use + ((size_t)1 << 20));
}

int main(void)
{
    check_start("reclaim_test");
    fixture_start();
    ouro_gc_disable();
    FIXTURE_RUN(test_set_aside);
    FIXTURE_RUN(test_set_aside_without_memory);
    FIXTURE_RUN(test_save_all);
    FIXTURE_RUN(test_seal);
    FIXTURE_RUN(test_references_out);
    FIXTURE_RUN(test_references_to_the_spared);
    FIXTURE_RUN(test_blocks);
    FIXTURE_RUN(test_large);
    FIXTURE_RUN(test_many);
    return check_finish();
}
