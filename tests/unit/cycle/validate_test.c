/* SPDX-License-Identifier: MIT
 *
 * The proof, phase by phase: what is garbage stays in the set; a wrong guess leaves it; so does whatever is touched between the
 * phases, with what it reaches, by what was noted and not by what is there now; weak references and the verdict; and the
 * rule that the proof rests on, for every operation that disposes of a reference: first look, then act. */
#include "cycle/validate.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "mem/limbo.h"
#include "object/count.h"
#include "object/destroy.h"
#include "object/inbox.h"
#include "support/actor.h"
#include "support/collection.h"
#include "support/fixture.h"
#include "support/threads.h"

static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);

static struct node *shared_new(long id)
{
    struct node *n = plain_new(id);
    ouro_share(n);
    return n;
}

/* A shared ring; the caller has a reference to its first member. */
static struct node *ring_new(ouro_type *type, long length)
{
    struct node *first = ouro_new(type), *last = ouro_retain(first);
    REQUIRE(first);
    for (long i = 1; i < length; i++) {
        struct node *n = ouro_new(type);
        REQUIRE(n);
        n->id = i;
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    ouro_share(first);
    return first;
}

static struct node *next_of(const struct node *n)
{
    return ouro_peek(&n->a);
}

static size_t members(const struct collection *c)
{
    return oi_scope_count_members(c->scope);
}

static void check_members(const struct collection *c, struct node *ring, long length, bool expected)
{
    for (long i = 0; i < length; i++, ring = next_of(ring)) {
        CHECK_EQ(is_member(c, ring), expected);
        CHECK_EQ(is_marked(ring), expected);
    }
}

/* ---- garbage, and wrong guesses ---- */

static void test_garbage(void)
{
    enum { LENGTH = 100 };
    struct node *ring = ring_new(&plain_type, LENGTH);
    ouro_release(ring);
    struct collection c = collection_begin(2);
    CHECK_EQ(c.suspects, LENGTH);
    collection_counts(&c);
    check_members(&c, ring, LENGTH, true);
    CHECK(!c.validation.has_weak);
    CHECK(!c.validation.finalizers);
    collection_untouched(&c);
    check_members(&c, ring, LENGTH, true);
    CHECK_EQ(ouro_refcount(ring), 1); /* nothing has been written but marks */
    CHECK_EQ(collection_reclaim(&c), LENGTH);
    collection_leave(&c);
}

static void *retain(void *n)
{
    return ouro_retain(n);
}

static void *release(void *n)
{
    ouro_release(n);
    return NULL;
}

enum holder { HAND, OTHER_THREAD, PRIVATE_SLOT, ACYCLIC_SLOT, LIVE_SLOT, OTHER_PAGE, IMMORTAL, HOLDERS };

/* Makes something else hold the ring; the caller's reference is used up. Returns what to drop in the end. */
static void *let_hold(enum holder holder, struct node *ring)
{
    struct node *box;
    struct table *table;
    switch (holder) {
    case OTHER_THREAD:
        thread_do(retain, ring, 0);
        ouro_release(ring);
        return ring;
    case PRIVATE_SLOT:
        box = plain_new(-1);
        ouro_give(box, &box->a, ring);
        return box;
    case ACYCLIC_SLOT:
        box = ouro_new(&acyclic_type);
        ouro_share(box);
        ouro_give(box, &box->a, ring);
        return box;
    case LIVE_SLOT:
        box = shared_new(-1);
        ouro_give(box, &box->a, ring);
        return box;
    case OTHER_PAGE:
        table = table_new(500);
        ouro_share(table);
        ouro_give(table, &table->items[0], ring);
        return table;
    default:
        return ring;
    }
}

/* Every object is a suspect, and every kind of holder keeps a ring alive: all leave the set, and all marks with them. Garbage beside them stays. */
static void test_wrong_guesses(void)
{
    enum { LENGTH = 20 };
    for (enum holder holder = 0; holder < IMMORTAL; holder++) {
        struct node *ring = ring_new(&plain_type, LENGTH), *garbage = ring_new(&plain_type, LENGTH);
        ouro_release(garbage);
        void *box = let_hold(holder, ring);
        struct collection c = collection_begin(2);
        CHECK_EQ(c.suspects, LENGTH);
        struct node *n = ring;
        for (int i = 0; i < LENGTH; i++, n = next_of(n))
            make_member(&c, n);
        if (holder == LIVE_SLOT || holder == OTHER_PAGE)
            make_member(&c, box);
        collection_counts(&c);
        check_members(&c, ring, LENGTH, false);
        CHECK(!is_marked(box));
        check_members(&c, garbage, LENGTH, true);
        CHECK_EQ(members(&c), LENGTH);
        collection_leave(&c);
        check_members(&c, garbage, LENGTH, false);
        if (holder == OTHER_THREAD)
            thread_do(release, box, 0);
        else
            ouro_release(box);
        CHECK_EQ(ouro_gc_collect(2), 2 * LENGTH);
    }
}

/* What cannot be garbage by its count, whatever the slots say. */
static void test_counts_that_are_none(void)
{
    struct node *immortal = shared_new(1), *child = shared_new(2), *forced = shared_new(3), *garbage = shared_new(4);
    ouro_set(immortal, &immortal->a, immortal);
    ouro_give(immortal, &immortal->b, child);
    ouro_immortalize(immortal);
    ouro_set(garbage, &garbage->a, garbage);
    ouro_release(garbage);
    uint32_t s = oi_shared(&forced->object);
    oi_set_shared(&forced->object, s - OI_ONE); /* dropped by force: nobody refers to it, and its owner has not noticed yet */
    struct collection c = collection_begin(2);
    CHECK(is_member(&c, forced));
    make_member(&c, immortal);
    make_member(&c, child);
    collection_counts(&c);
    CHECK(!is_member(&c, immortal));
    CHECK(!is_member(&c, child));
    CHECK(is_member(&c, forced));
    CHECK(is_member(&c, garbage));
    collection_leave(&c);
    oi_set_shared(&forced->object, s);
    ouro_release(forced);
    CHECK_EQ(ouro_gc_collect(2), 1);
    fixture_leaves(2);
}

/* A reference to any one member of a large set: all of it leaves, however long the way. */
static void test_long_way(void)
{
    enum { LENGTH = 60000 };
    struct node *ring = ring_new(&plain_type, LENGTH), *held = next_of(next_of(ring));
    ouro_retain(held);
    ouro_release(ring);
    struct collection c = collection_begin(2);
    struct node *n = ring;
    for (int i = 0; i < LENGTH; i++, n = next_of(n))
        make_member(&c, n);
    collection_counts(&c);
    CHECK_EQ(members(&c), 0);
    collection_leave(&c);
    ouro_release(held);
    c = collection_begin(2);
    collection_counts(&c);
    CHECK_EQ(members(&c), LENGTH);
    CHECK_EQ(ouro_refcount(held), 1);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), LENGTH);
}

static struct node *tree_new(int depth)
{
    struct node *n = shared_new(depth);
    for (int side = 0; depth && side < 2; side++)
        ouro_give(n, side ? &n->b : &n->a, tree_new(depth - 1));
    return n;
}

static void make_tree_members(struct collection *c, const struct node *n)
{
    if (!n)
        return;
    make_member(c, n);
    make_tree_members(c, ouro_peek(&n->a));
    make_tree_members(c, ouro_peek(&n->b));
}

/* The same, where each leads to two. */
static void test_many_ways(void)
{
    struct node *tree = tree_new(12);
    struct collection c = collection_begin(2);
    make_tree_members(&c, tree);
    CHECK_EQ(members(&c), (2 << 12) - 1);
    collection_counts(&c);
    CHECK_EQ(members(&c), 0);
    collection_leave(&c);
    ouro_release(tree);
}

/* Of what cannot be garbage, members that are dropped before its turn comes take nothing away. */
static void test_uncounted_targets(void)
{
    enum { LENGTH = 100 };
    struct node *holders[LENGTH], *immortals[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
        holders[i] = shared_new(1); /* its block comes before that of what it refers to */
        immortals[i] = shared_new(2);
        ouro_immortalize(immortals[i]);
        ouro_set(holders[i], &holders[i]->a, immortals[i]);
        if (i % 2)
            ouro_set(holders[i], &holders[i]->b, immortals[i]);
    }
    struct collection c = collection_begin(2);
    for (int i = 0; i < LENGTH; i++) {
        make_member(&c, holders[i]);
        make_member(&c, immortals[i]);
    }
    collection_counts(&c);
    CHECK_EQ(members(&c), 0);
    collection_leave(&c);
    for (int i = 0; i < LENGTH; i++)
        ouro_release(holders[i]);
    fixture_leaves(LENGTH);
}

/* Dead when its turn comes, and then another's block: it is not even marked. */
static bool private_was_marked;
static const struct node *private_one;

static void see_marks(int step)
{
    (void)step;
    private_was_marked = private_was_marked || is_marked(private_one);
}

static void test_died_after_the_estimate(void)
{
    struct node *gone = shared_new(1), *made[3000] = {NULL}, *garbage = shared_new(2);
    int count = 0;
    ouro_set(garbage, &garbage->a, garbage);
    ouro_release(garbage);
    struct collection c = collection_begin(2);
    CHECK_EQ(c.suspects, 1);
    make_member(&c, gone);
    ouro_release(gone);
    ouro_mem_trim();
    while (count < 3000 && (!count || made[count - 1] != gone))
        made[count++] = plain_new(3);
    CHECK_PTR(made[count - 1], gone); /* its block, private */
    private_one = gone;
    actor_collect_with(see_marks);
    collection_counts(&c);
    actor_collect_with(NULL);
    CHECK(!private_was_marked);
    CHECK(!is_member(&c, gone));
    CHECK(is_member(&c, garbage));
    collection_leave(&c);
    while (count > 0)
        ouro_release(made[--count]);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

/* Of a dead object the slots say nothing: what they refer to may be unmapped by now. */
static void test_dead_slots_are_not_followed(void)
{
    struct node *gone = shared_new(1), *garbage = shared_new(2);
    struct bytes *huge = ouro_new_array(&bytes_type, (size_t)8 << 20);
    uint64_t next;
    REQUIRE(huge);
    ouro_give(gone, &gone->a, huge);
    ouro_set(garbage, &garbage->a, garbage);
    ouro_release(garbage);
    struct collection c = collection_begin(2);
    make_member(&c, gone);
    ouro_release(gone);
    while (oi_limbo_reclaim()) /* its block is not taken back yet, so it looks as it did */
        ;
    oi_page_purge(0, &next);
    CHECK(oi_type_word(&gone->object));
    CHECK_PTR(ouro_peek(&gone->a), huge);
    collection_counts(&c);
    CHECK(!is_member(&c, gone));
    CHECK(is_member(&c, garbage));
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

static struct node *dying;

/* One member. It dies as it is being marked; when its slots come to be read, what they refer to has been given back to the system. (If the
 * background thread does not get to that in time, there is nothing to see.) */
static void die_and_unmap(int step)
{
    uint64_t next;
    size_t in_use = oi_page_totals().in_use;
    if (step == 1)
        ouro_release(dying);
    for (int ms = 0; step == 2 && ms < 200 && oi_page_totals().in_use + ((size_t)8 << 20) > in_use; ms++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    if (step == 2)
        oi_page_purge(0, &next);
}

static void test_died_after_the_mark(void)
{
    if (!actor_supported())
        return;
    struct bytes *huge = ouro_new_array(&bytes_type, (size_t)8 << 20);
    REQUIRE(huge);
    dying = shared_new(1);
    ouro_give(dying, &dying->a, huge);
    struct collection c = collection_enter(2);
    make_member(&c, dying);
    actor_collect_with(die_and_unmap);
    collection_counts(&c);
    actor_collect_with(NULL);
    CHECK(!is_member(&c, dying));
    collection_leave(&c);
}

/* Notes are what P3 has written, and nothing that was there before. */
static void test_old_notes(void)
{
    enum { LENGTH = 50 };
    struct table *tables[LENGTH];
    struct node *victim = shared_new(1);
    for (int i = 0; i < LENGTH; i++) {
        tables[i] = table_new(3);
        ouro_set(tables[i], &tables[i]->items[1], tables[i]);
        if (i % 3)
            ouro_set(tables[i], &tables[i]->items[2], tables[i]);
        ouro_share(tables[i]);
    }
    ouro_set(victim, &victim->a, victim);
    ouro_release(victim);
    for (int i = 0; i < LENGTH / 2; i++)
        ouro_release(tables[i]);
    struct collection c = collection_begin(2);
    oi_id of_victim = oi_scope_find(c.scope, &victim->object);
    for (int i = 0; i < LENGTH; i++)
        make_member(&c, tables[i]);
    oi_scope_begin_lists(c.scope);
    for (uint32_t i = 0; i < OI_UNIT / 16; i++)
        c.scope->list[i] = of_victim;
    collection_counts(&c); /* half of the tables are dropped, and with them what is noted of them */
    CHECK(is_member(&c, victim));
    for (int i = 0; i < LENGTH; i++)
        CHECK_EQ(is_member(&c, tables[i]), i < LENGTH / 2);
    collection_leave(&c);
    for (int i = LENGTH / 2; i < LENGTH; i++)
        ouro_release(tables[i]);
    CHECK_EQ(ouro_gc_collect(2), LENGTH + 1);
}

/* ---- touched between the phases ---- */

/* After counts are noted, somebody who could still reach it does something with a member: only then does the set know. Here
 * each has a weak reference as its way in. */
enum touch { UPGRADE, RELEASE, RELEASE_ELSEWHERE, GIVE, SET, SWAP, COMPARE_SET, OVERWRITE, UNBIAS, TOUCHES };

static void touch_it(enum touch touch, struct node *n, struct node *box)
{
    switch (touch) {
    case RELEASE:
        ouro_release(n);
        break;
    case RELEASE_ELSEWHERE:
        thread_do(release, n, 0);
        break;
    case GIVE:
        ouro_give(box, &box->a, n);
        break;
    case SET:
        ouro_set(box, &box->a, n);
        break;
    case SWAP:
        CHECK_PTR(ouro_swap(box, &box->a, n), NULL);
        break;
    case COMPARE_SET:
        CHECK(ouro_compare_set(box, &box->a, NULL, n));
        break;
    case OVERWRITE:
        ouro_set(box, &box->b, NULL);
        break;
    case UNBIAS:
        CHECK(!oi_unbias(&n->object, 0, "test"));
        break;
    default:;
    }
}

/* Rule D, one operation at a time: the mark is gone afterwards. `spare`: references that the operation uses up. */
static void test_disposals_touch(void)
{
    for (enum touch touch = RELEASE; touch < TOUCHES; touch++) {
        for (int merged = 0; merged < 2; merged++) {
            struct node *n = shared_new(1), *box = shared_new(2);
            ouro_retain(n);
            if (touch == OVERWRITE)
                ouro_set(box, &box->b, n);
            if (merged)
                CHECK(!oi_unbias(&n->object, 0, "test"));
            oi_fetch_or_acqrel(&n->object.ouro_private_owner, OI_CAND);
            if (merged && touch == UNBIAS)
                oi_touch(&n->object);
            else
                touch_it(touch, n, box);
            if (!CHECK(!is_marked(n)))
                fprintf(stderr, "  touch %d, merged: %d\n", (int)touch, merged);
            bool used_up = touch == RELEASE || touch == RELEASE_ELSEWHERE || touch == GIVE || touch == SWAP;
            ouro_release(n);
            if (!used_up)
                ouro_release(n);
            ouro_release(box);
        }
    }
}

/* Disposals that no one asks for: by a container's death, by a finalizer's end. */
static struct node *kept;

static void mark_and_keep(void *object)
{
    struct node *n = object;
    kept = ouro_retain(n);
    oi_fetch_or_acqrel(&n->object.ouro_private_owner, OI_CAND); /* the collector looks at what is being finalized */
}

static void test_silent_disposals_touch(void)
{
    for (int type = 0; type < 4; type++) {
        struct node *n = shared_new(1), *box = type % 2 ? node_new(2) : plain_new(2);
        ouro_set(box, &box->a, n);
        if (type / 2)
            ouro_share(box);
        oi_fetch_or_acqrel(&n->object.ouro_private_owner, OI_CAND);
        ouro_release(box);
        CHECK(!is_marked(n));
        CHECK_EQ(ouro_refcount(n), 1);
        ouro_release(n);
    }
    on_finalize(mark_and_keep);
    struct node *n = node_new(3);
    ouro_share(n);
    ouro_release(n);
    if (!CHECK_PTR(kept, n))
        return;
    CHECK(!is_marked(kept));
    CHECK_EQ(ouro_refcount(kept), 1);
    ouro_release(kept);
}

/* Touched after the counts: it leaves, with all that it reaches, and nothing else does. */
static void test_touched(void)
{
    enum { LENGTH = 10 };
    struct node *ring = ring_new(&plain_type, LENGTH), *tail = shared_new(100), *other = ring_new(&plain_type, LENGTH);
    struct node *into = ring_new(&plain_type, LENGTH); /* leads into the ring, which does not lead to it */
    ouro_set(ring, &ring->b, tail);
    ouro_release(tail);
    ouro_set(into, &into->b, ring);
    ouro_release(ring);
    ouro_release(other);
    ouro_release(into);
    struct collection c = collection_begin(2);
    collection_counts(&c);
    CHECK_EQ(members(&c), 3 * LENGTH + 1);
    oi_touch(&next_of(next_of(ring))->object);
    collection_untouched(&c);
    check_members(&c, ring, LENGTH, false);
    CHECK(!is_member(&c, tail));
    CHECK(!is_marked(tail));
    check_members(&c, other, LENGTH, true);
    check_members(&c, into, LENGTH, true);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), 3 * LENGTH + 1);
}

/* What was touched is dropped by what was noted of it: its slots have changed since. */
static void test_dropped_by_notes(void)
{
    struct node *x = shared_new(1), *y = shared_new(2), *z = shared_new(3);
    ouro_weak *weak = ouro_weak_new(x, NULL, NULL);
    ouro_set(x, &x->a, x);
    ouro_set(x, &x->b, y);
    ouro_set(z, &z->a, z);
    ouro_release(x);
    ouro_release(y);
    ouro_release(z);
    struct collection c = collection_begin(2);
    collection_counts(&c);
    CHECK_EQ(members(&c), 3);
    CHECK(c.validation.has_weak);
    CHECK_PTR(ouro_weak_get(weak), x);
    y = ouro_take(x, &x->b); /* taking touches nothing: the reference is only in another place now */
    collection_untouched(&c);
    CHECK(!is_member(&c, x));
    CHECK(!is_member(&c, y));
    CHECK(is_member(&c, z));
    CHECK_EQ(collection_reclaim(&c), 1);
    collection_leave(&c);
    CHECK_EQ(y->id, 2);
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK_EQ(x->id, 1);
    ouro_release(y);
    ouro_release(x);
    CHECK_EQ(ouro_gc_collect(2), 1);
    ouro_release(weak);
}

/* Spared: it and what it reaches, not what leads to it. */
static void test_spare(void)
{
    struct node *head = shared_new(1), *ring = ring_new(&plain_type, 5), *tail = shared_new(2);
    ouro_set(head, &head->a, head);
    ouro_give(head, &head->b, ring);
    ouro_give(ring, &ring->b, tail);
    ouro_release(head);
    struct collection c = collection_begin(2);
    collection_counts(&c);
    collection_untouched(&c);
    CHECK_EQ(members(&c), 7);
    oi_validate_spare(c.scope, oi_scope_find(c.scope, &next_of(ring)->object));
    check_members(&c, ring, 5, false);
    CHECK(!is_member(&c, tail));
    CHECK(!is_marked(tail));
    CHECK(is_member(&c, head));
    CHECK(is_marked(head));
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), 7);
}

static void test_finalizers_are_seen(void)
{
    struct node *plain = ring_new(&plain_type, 3), *due = ring_new(&node_type, 3);
    ouro_release(plain);
    struct collection c = collection_begin(2);
    collection_counts(&c);
    CHECK_EQ(members(&c), 3);
    CHECK(!c.validation.finalizers);
    collection_leave(&c);
    ouro_release(due);
    c = collection_begin(2);
    collection_counts(&c);
    CHECK_EQ(members(&c), 6);
    CHECK(c.validation.finalizers);
    collection_leave(&c);
    struct node *n = due;
    for (int i = 0; i < 3; i++, n = next_of(n))
        oi_fetch_or_acqrel(&n->object.ouro_private_flags, OI_FINALIZED); /* as if they had run */
    c = collection_begin(2);
    collection_counts(&c);
    CHECK(!c.validation.finalizers);
    collection_leave(&c);
    CHECK_EQ(ouro_gc_collect(2), 6);
    CHECK_EQ(finalized(), 0);
}

/* ---- weak references ---- */

struct weak_pair {
    struct node *x, *y; /* each a ring of one, with a weak reference to it */
    ouro_weak *to_x, *to_y;
};

static struct weak_pair weak_pair_new(void)
{
    struct weak_pair pair = {.x = shared_new(1), .y = shared_new(2)};
    pair.to_x = ouro_weak_new(pair.x, NULL, NULL);
    pair.to_y = ouro_weak_new(pair.y, NULL, NULL);
    ouro_share(pair.to_x);
    ouro_share(pair.to_y);
    ouro_set(pair.x, &pair.x->a, pair.x);
    ouro_set(pair.y, &pair.y->a, pair.y);
    ouro_release(pair.x);
    ouro_release(pair.y);
    return pair;
}

static void weak_pair_end(struct weak_pair *pair)
{
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_PTR(ouro_weak_get(pair->to_x), NULL);
    CHECK_PTR(ouro_weak_get(pair->to_y), NULL);
    ouro_release(pair->to_x);
    ouro_release(pair->to_y);
}

static struct collection begin_with_weak(struct weak_pair *pair)
{
    *pair = weak_pair_new();
    struct collection c = collection_begin(2);
    collection_counts(&c);
    CHECK(c.validation.has_weak);
    collection_untouched(&c);
    CHECK_EQ(members(&c), 2);
    return c;
}

static void check_spared(const struct collection *c, struct node *n)
{
    CHECK(!is_member(c, n));
    CHECK(!is_marked(n));
    CHECK_EQ(ouro_refcount(n), 2);
}

static void reclaim_rest(struct collection *c, struct weak_pair *pair, struct node *held)
{
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_COMMITTED);
    CHECK_PTR(ouro_weak_get(pair->to_y), NULL); /* garbage, and so said before it is dead */
    CHECK(is_marked(pair->y));
    CHECK_EQ(collection_reclaim(c), 1);
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_IDLE);
    collection_leave(c);
    CHECK_EQ(held->id, 1);
    CHECK_PTR(ouro_weak_get(pair->to_x), held);
    ouro_release(held);
    ouro_release(held);
    weak_pair_end(pair);
}

/* Nobody follows them: committed at once. */
static void test_commit(void)
{
    struct weak_pair pair;
    struct collection c = begin_with_weak(&pair);
    oi_validate_open();
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_OPEN);
    CHECK(oi_validate_commit(c.scope));
    CHECK_EQ(members(&c), 2);
    CHECK_PTR(ouro_weak_get(pair.to_x), NULL);
    CHECK_PTR(ouro_weak_get(pair.to_y), NULL);
    CHECK_EQ(collection_reclaim(&c), 2);
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_IDLE);
    collection_leave(&c);
    weak_pair_end(&pair);
}

/* Followed after P5 and before the verdict is open: P5 is repeated. */
static void test_followed_before_it_is_open(void)
{
    struct weak_pair pair;
    struct collection c = begin_with_weak(&pair);
    struct node *held = ouro_weak_get(pair.to_x);
    CHECK_PTR(held, pair.x);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    check_spared(&c, held);
    reclaim_rest(&c, &pair, held);
}

/* Followed while it is open: not committed, and the next time without it. */
static void test_followed_while_it_is_open(void)
{
    struct weak_pair pair;
    struct collection c = begin_with_weak(&pair);
    oi_validate_open();
    struct node *held = ouro_weak_get(pair.to_x);
    CHECK_PTR(held, pair.x);
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_RESCUED);
    CHECK(!oi_validate_commit(c.scope));
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_RESCUED);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    check_spared(&c, held);
    reclaim_rest(&c, &pair, held);
}

static struct weak_pair followed;
static struct node *upgraded;
static int follow_at;

static void follow(int step)
{
    if (step == follow_at)
        upgraded = ouro_weak_get(followed.to_x);
}

/* Followed at the last moment: after P5's second look, before the commitment. */
static void test_followed_at_the_last_moment(void)
{
    if (!actor_supported())
        return;
    struct collection c = begin_with_weak(&followed);
    oi_validate_open();
    follow_at = 3; /* two members, and then */
    actor_collect_with(follow);
    CHECK(!oi_validate_commit(c.scope));
    actor_collect_with(NULL);
    CHECK_PTR(upgraded, followed.x);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    check_spared(&c, upgraded);
    reclaim_rest(&c, &followed, upgraded);
}

/* Committed, and then spared after all, for a finalizer: weak references work again as soon as the mark has gone. */
static void test_spared_after_the_verdict(void)
{
    struct weak_pair pair;
    struct collection c = begin_with_weak(&pair);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    CHECK_PTR(ouro_weak_get(pair.to_x), NULL);
    oi_validate_spare(c.scope, oi_scope_find(c.scope, &pair.x->object));
    struct node *held = ouro_weak_get(pair.to_x);
    CHECK_PTR(held, pair.x);
    reclaim_rest(&c, &pair, held);
}

static void get_weak(void *unused)
{
    (void)unused;
    upgraded = ouro_weak_get(followed.to_x);
}

/* The same for one who has seen the mark before, and the verdict after: it looks at the mark again. */
static void test_spared_while_being_followed(void)
{
    if (!actor_supported())
        return;
    struct actor reader;
    struct collection c = begin_with_weak(&followed);
    oi_validate_open();
    CHECK(oi_validate_commit(c.scope));
    upgraded = NULL;
    CHECK(actor_start(&reader, get_weak, NULL, 1)); /* has seen the mark */
    oi_validate_spare(c.scope, oi_scope_find(c.scope, &followed.x->object));
    actor_end(&reader);
    CHECK_PTR(upgraded, followed.x);
    reclaim_rest(&c, &followed, followed.x);
}

/* Followed again and again: without them, and what they reach. Garbage that no weak reference leads to goes all the same. */
static void test_without_weak(void)
{
    struct weak_pair pair;
    struct node *reached, *other;
    pair = weak_pair_new();
    reached = shared_new(3);
    other = shared_new(4);
    struct node *x = ouro_weak_get(pair.to_x);
    ouro_set(x, &x->b, reached);
    ouro_set(other, &other->a, other);
    ouro_set(other, &other->b, x); /* leads to it: not spared for that */
    ouro_release(x);
    ouro_release(reached);
    ouro_release(other);
    struct collection c = collection_begin(2);
    collection_counts(&c);
    collection_untouched(&c);
    CHECK_EQ(members(&c), 4);
    oi_validate_open();
    oi_validate_without_weak(c.scope);
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_IDLE);
    CHECK(!is_member(&c, pair.x));
    CHECK(!is_member(&c, pair.y));
    CHECK(!is_member(&c, reached));
    CHECK(!is_marked(reached));
    CHECK(is_member(&c, other));
    CHECK_EQ(collection_reclaim(&c), 1);
    collection_leave(&c);
    CHECK_EQ(ouro_refcount(pair.x), 1); /* its own; other's is gone */
    weak_pair_end(&pair);
}

/* ---- in the middle of a phase ---- */

static struct {
    struct node *x, *a, *b;
} moving;

/* P3a looks at three members, one step each; before the third, a reference that was noted moves on, into a slot that is noted next. */
static void move_on(int step)
{
    enum { MEMBERS = 3, FIRST_EDGES = MEMBERS + 1, THIRD_EDGES = MEMBERS + 3 };
    if (step == FIRST_EDGES)
        ouro_give(moving.a, &moving.a->a, ouro_retain(moving.x));
    if (step == THIRD_EDGES) {
        struct node *x = ouro_take(moving.a, &moving.a->a);
        CHECK_PTR(x, moving.x);
        ouro_give(moving.b, &moving.b->a, x);
    }
}

/* Lowest address first: that is the order of the walk. */
static void sort_by_address(struct node **nodes, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            if (nodes[k] < nodes[i]) {
                struct node *swap = nodes[i];
                nodes[i] = nodes[k];
                nodes[k] = swap;
            }
}

/* The thread has two references to x, and reaches a and b through it. One of the two is noted in a, and moved on, and noted in b: the notes
 * account for both of x, and for a and b. Only the touch tells that a thread is there. */
static void test_a_reference_noted_twice(void)
{
    if (!actor_supported())
        return;
    struct node *nodes[3] = {plain_new(1), plain_new(2), plain_new(3)};
    sort_by_address(nodes, 3);
    moving.a = nodes[0];
    moving.x = nodes[1];
    moving.b = nodes[2];
    ouro_set(moving.x, &moving.x->a, moving.a);
    ouro_set(moving.x, &moving.x->b, moving.b);
    ouro_share(moving.x);
    ouro_release(moving.a);
    ouro_release(moving.b);
    struct collection c = collection_begin(2);
    CHECK_EQ(c.suspects, 0);
    for (int i = 0; i < 3; i++)
        make_member(&c, nodes[i]);
    ouro_retain(moving.x); /* the second; used up below */
    actor_collect_with(move_on);
    ouro_release(moving.x);
    collection_counts(&c);
    actor_collect_with(NULL);
    collection_untouched(&c);
    CHECK_EQ(members(&c), 0);
    for (int i = 0; i < 3; i++)
        CHECK(!is_marked(nodes[i]));
    collection_leave(&c);
    ouro_set(moving.b, &moving.b->a, NULL);
    ouro_release(moving.x);
}

static void store_itself(void *n)
{
    struct node *x = n;
    ouro_set(x, &x->a, x);
}

static struct actor storing;

/* One member, one step for each of P2, P3a, P3b. */
static void let_it_store(int step)
{
    if (step == 3)
        CHECK(!actor_go_on(&storing, 0));
}

/* A thread has the only reference to x and is in `x.a = x`: it has looked before the mark, and acts between the two passes of P3. Counts that
 * were read before the edges would be one, and so would be the edges. (No touch tells of it.) Edges first: none, but two references. */
static void check_straddling_store(struct node *x)
{
    if (!CHECK(actor_start(&storing, store_itself, x, 1)))
        return;
    struct collection c = collection_enter(2);
    make_member(&c, x);
    actor_collect_with(let_it_store);
    collection_counts(&c);
    actor_collect_with(NULL);
    collection_untouched(&c);
    CHECK_PTR(ouro_peek(&x->a), x);
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK_EQ(members(&c), 0);
    actor_end(&storing);
    collection_leave(&c);
    ouro_release(x);
    CHECK_EQ(ouro_gc_collect(2), 1);
}

static void test_straddling_store(void)
{
    if (!actor_supported())
        return;
    struct node *x = shared_new(1);
    check_straddling_store(x); /* biased to this thread, stored by another */
    x = shared_new(2);
    CHECK(!oi_unbias(&x->object, 0, "test"));
    check_straddling_store(x);
}

/* ---- look, then act ---- */

struct operation {
    struct node *x, *box;
    enum touch touch;
};

static void operate(void *arg)
{
    struct operation *op = arg;
    touch_it(op->touch, op->x, op->box);
}

/* Stopped between its look and its act, an operation has changed nothing yet. */
static void test_look_before_act(void)
{
    if (!actor_supported())
        return;
    static const enum touch touches[] = {RELEASE, GIVE, SET, SWAP, COMPARE_SET, OVERWRITE};
    for (unsigned i = 0; i < sizeof touches / sizeof *touches; i++) {
        struct actor actor;
        struct operation op = {shared_new(1), shared_new(2), touches[i]};
        ouro_retain(op.x);
        if (op.touch == OVERWRITE)
            ouro_set(op.box, &op.box->b, op.x);
        size_t before = ouro_refcount(op.x);
        CHECK(actor_start(&actor, operate, &op, op.touch == OVERWRITE ? 3 : 1)); /* first it stores, and says so, then it drops what was there */
        CHECK_EQ(ouro_refcount(op.x), before);
        CHECK_PTR(ouro_peek(&op.box->a), NULL);
        CHECK_PTR(ouro_peek(&op.box->b), NULL);
        oi_fetch_or_acqrel(&op.x->object.ouro_private_owner, OI_CAND); /* the mark comes now: it is not seen */
        if (op.touch == SET) {
            CHECK(actor_go_on(&actor, 3)); /* counted (in two steps), */
            CHECK_EQ(ouro_refcount(op.x), before + 1);
            CHECK_PTR(ouro_peek(&op.box->a), NULL); /* not yet stored */
        }
        actor_end(&actor);
        CHECK(is_marked(op.x)); /* one operation of a thread may do that, and the proof allows for it */
        bool used_up = op.touch == RELEASE || op.touch == GIVE || op.touch == SWAP;
        ouro_release(op.x);
        if (!used_up)
            ouro_release(op.x);
        ouro_release(op.box);
    }
}

int main(void)
{
    check_start("validate_test");
    fixture_start();
    ouro_gc_disable();
    FIXTURE_RUN(test_garbage);
    FIXTURE_RUN(test_wrong_guesses);
    FIXTURE_RUN(test_long_way);
    FIXTURE_RUN(test_many_ways);
    FIXTURE_RUN(test_uncounted_targets);
    FIXTURE_RUN(test_died_after_the_estimate);
    FIXTURE_RUN(test_dead_slots_are_not_followed);
    FIXTURE_RUN(test_died_after_the_mark);
    FIXTURE_RUN(test_old_notes);
    FIXTURE_RUN(test_disposals_touch);
    FIXTURE_RUN(test_silent_disposals_touch);
    FIXTURE_RUN(test_touched);
    FIXTURE_RUN(test_dropped_by_notes);
    FIXTURE_RUN(test_spare);
    FIXTURE_RUN(test_finalizers_are_seen);
    FIXTURE_RUN(test_commit);
    FIXTURE_RUN(test_followed_before_it_is_open);
    FIXTURE_RUN(test_followed_while_it_is_open);
    FIXTURE_RUN(test_followed_at_the_last_moment);
    FIXTURE_RUN(test_spared_after_the_verdict);
    FIXTURE_RUN(test_spared_while_being_followed);
    FIXTURE_RUN(test_without_weak);
    FIXTURE_RUN(test_a_reference_noted_twice);
    FIXTURE_RUN(test_straddling_store);
    FIXTURE_RUN(test_look_before_act);
    FIXTURE_RUN(test_counts_that_are_none);
    return check_finish();
}
