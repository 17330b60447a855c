/* SPDX-License-Identifier: MIT
 *
 * The young collection, on graphs made by hand and on random ones that a model judges. */
#include "cycle/young.h"

#include <string.h>

#include <ouro/ouro.h>

#include "object/destroy.h"
#include "object/weak.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/scale.h"

static uint64_t seed;
static struct oi_young young;

static struct oi_young_result collect(void)
{
    struct oi_young_result result = {0};
    oi_young_rejuvenate(&oi_act);
    CHECK(oi_young_collect(&oi_act, &young, &result));
    CHECK_PTR(oi_act.self->gray, NULL);
    return result;
}

static void check_idle(const void *object)
{
    CHECK_EQ(oi_shared((const ouro_object *)object), 0);
    CHECK_EQ(oi_page_of(object)->gray, 0);
}

/* A ring of n; the caller gets a reference to its first member. */
static struct node *ring_new(ouro_type *type, long n)
{
    struct node *first = ouro_new(type), *last = ouro_retain(first);
    REQUIRE(first);
    for (long i = 1; i < n; i++) {
        struct node *next = ouro_new(type);
        REQUIRE(next);
        next->id = i;
        ouro_set(last, &last->a, next);
        ouro_release(last);
        last = next;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    return first;
}

static bool is_young_page(const struct oi_page *page)
{
    struct oi_page *p;
    for (int i = OI_YOUNG_NEW; i <= OI_YOUNG_AGED; i++) {
        LIST_FOREACH(p, &oi_act.self->pool.young[i], young) {
            if (p == page)
                return true;
        }
    }
    return false;
}

/* Nothing but what is held: looked at, left alone, and back to zero. */
static void test_nothing_to_find(void)
{
    struct node *a = plain_new(1), *b = plain_new(2), *ring = ring_new(&plain_type, 5);
    ouro_set(a, &a->a, b);
    struct oi_young_result r = collect();
    CHECK_EQ(r.candidates, 7);
    CHECK_EQ(r.found, 0);
    CHECK_EQ(r.freed, 0);
    CHECK_EQ(young.survivors, 7);
    check_idle(a);
    check_idle(b);
    for (long i = 0; i < 5; i++) {
        check_idle(ring);
        CHECK_EQ(ring->id, i);
        ring = ouro_peek(&ring->a);
    }
    CHECK_EQ(ouro_refcount(a), 1);
    CHECK_EQ(ouro_refcount(b), 2);
    CHECK_EQ(ouro_refcount(ring), 2);
    ouro_release(a);
    ouro_release(b);
    ouro_release(ring);
    CHECK_EQ(collect().freed, 5);
}

static void test_rings(void)
{
    static const long lengths[] = {1, 2, 3, 1000, 50000};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ouro_release(ring_new(&plain_type, lengths[i]));
        struct oi_young_result r = collect();
        CHECK_EQ(r.candidates, lengths[i]);
        CHECK_EQ(r.found, lengths[i]);
        CHECK_EQ(r.freed, lengths[i]);
        CHECK_EQ(young.survivors, 0);
        CHECK_EQ(collect().candidates, 0);
    }
}

/* One reference from outside, to any member, keeps all: in `local`, or in a slot of an object that is not looked at. */
static ouro_type acyclic_type = OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b),
                                          .flags = OURO_TYPE_ACYCLIC);

static void test_held_from_outside(void)
{
    for (int member = 0; member < 4; member++) {
        struct node *ring = ring_new(&plain_type, 4), *held = ring, *holder = ouro_new(&acyclic_type);
        for (int i = 0; i < member; i++)
            held = ouro_peek(&held->a);
        ouro_set(holder, &holder->b, held);
        ouro_release(ring);
        struct oi_young_result r = collect();
        CHECK_EQ(r.candidates, 4); /* not the holder */
        CHECK_EQ(r.found, 0);
        CHECK_EQ(ouro_refcount(held), 2);
        ouro_release(holder);
        CHECK_EQ(collect().freed, 4);
    }
}

/* What the garbage refers to loses those references: survivors, published objects, leaves with finalizers. */
static void test_references_out(void)
{
    struct node *kept = plain_new(1), *shared = plain_new(2), *ring = ring_new(&plain_type, 3);
    ouro_share(shared);
    struct node *second = ouro_peek(&ring->a), *third = ouro_peek(&second->a);
    ouro_set(ring, &ring->b, kept);
    ouro_set(second, &second->b, shared);
    ouro_give(third, &third->b, leaf_new(3));
    ouro_release(ring);
    CHECK_EQ(ouro_refcount(kept), 2);
    CHECK_EQ(collect().freed, 3);
    CHECK_EQ(ouro_refcount(kept), 1);
    CHECK_EQ(ouro_refcount(shared), 1);
    CHECK_EQ(finalized(), 1);
    check_idle(kept);
    ouro_release(kept);
    ouro_release(shared);
}

/* Arrays, also such that own a page. */
static void test_arrays(void)
{
    for (size_t length = 3; length <= 30000; length *= 10) {
        struct table *t = table_new(length);
        struct node *n = plain_new(1);
        ouro_set(t, &t->items[length - 1], n);
        ouro_set(n, &n->a, t);
        ouro_set(t, &t->items[length / 2], t); /* and itself */
        ouro_release(n);
        CHECK_EQ(collect().found, 0);
        check_idle(t);
        ouro_release(t);
        CHECK_EQ(collect().freed, 2);
    }
}

static size_t due_length(void)
{
    size_t n = 0;
    for (struct oi_stack_node *node = young.due; node; node = node->next)
        n++;
    return n;
}

/* Garbage with finalizers: they are due first, what they reach is kept for them, and all goes with the next
 * collection. */
static void test_finalizers(void)
{
    struct node *ring = ring_new(&node_type, 3), *tail = ring_new(&plain_type, 2);
    ouro_give(ring, &ring->b, tail); /* the ring reaches another cycle */
    ouro_release(ring_new(&plain_type, 4));
    ouro_release(ring);
    struct oi_young_result r = collect();
    CHECK_EQ(r.found, 9);
    CHECK_EQ(r.freed, 4);
    CHECK_EQ(due_length(), 3);
    CHECK_EQ(finalized(), 0);
    CHECK(oi_flags(&ring->object) & OI_FINALIZED);
    CHECK_EQ(collect().found, 0); /* what is due keeps them */
    CHECK_EQ(oi_young_run_due(&oi_act, &young, 2), 2);
    CHECK_EQ(finalized(), 2);
    CHECK_EQ(due_length(), 1);
    CHECK_EQ(oi_young_run_due(&oi_act, &young, SIZE_MAX), 1);
    CHECK_EQ(oi_young_run_due(&oi_act, &young, SIZE_MAX), 0);
    CHECK_EQ(finalized(), 3);
    r = collect();
    CHECK_EQ(r.freed, 5);
    CHECK_EQ(finalized(), 3);
    CHECK_PTR(young.due, NULL);
}

static struct node *rescued;

static void rescue(void *object)
{
    if (!rescued)
        rescued = ouro_retain(object);
}

static void test_rescued_by_finalizer(void)
{
    on_finalize(rescue);
    rescued = NULL;
    ouro_release(ring_new(&node_type, 4));
    CHECK_EQ(collect().freed, 0);
    oi_young_run_due(&oi_act, &young, SIZE_MAX);
    CHECK_EQ(collect().found, 0);
    REQUIRE(rescued);
    CHECK_EQ(ouro_refcount(rescued), 2);
    ouro_release(rescued);
    CHECK_EQ(collect().freed, 4); /* without a second call */
    CHECK_EQ(finalized(), 4);
}

static int called;

static void callback(ouro_weak *weak, void *arg)
{
    (void)arg;
    called++;
    CHECK_PTR(ouro_weak_get(weak), NULL);
}

/* Weak references to garbage are cleared, and those that live on hear of it; those that are garbage do not. */
static void test_weak(void)
{
    struct node *ring = ring_new(&plain_type, 2), *stays = ring_new(&plain_type, 2);
    ouro_weak *outside = ouro_weak_new(ring, callback, NULL), *inside = ouro_weak_new(ring, callback, NULL),
              *other = ouro_weak_new(stays, callback, NULL);
    REQUIRE(outside && inside && other);
    ouro_give(ring, &ring->b, inside);
    ouro_release(ring);
    called = 0;
    CHECK_EQ(collect().freed, 2);
    CHECK_EQ(called, 2); /* inside was alive when its target died */
    CHECK_PTR(ouro_weak_get(outside), NULL);
    CHECK_PTR(ouro_weak_get(other), stays);
    ouro_release(stays);
    ouro_release(outside);
    ouro_release(stays);
    ouro_release(other); /* dies before its target: not called */
    CHECK_EQ(collect().freed, 2);
    CHECK_EQ(called, 2);
}

/* Callbacks kept back for ouro_finalizers_run. */
static void test_manual(void)
{
    struct node *ring = ring_new(&plain_type, 2);
    ouro_weak *weak = ouro_weak_new(ring, callback, NULL);
    ouro_release(ring);
    called = 0;
    oi_young_manual = true;
    CHECK_EQ(collect().freed, 2);
    oi_young_manual = false;
    CHECK_EQ(called, 0);
    CHECK_PTR(young.due_callbacks, weak);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    CHECK_EQ(oi_young_run_due(&oi_act, &young, 10), 1);
    CHECK_EQ(called, 1);
    CHECK_PTR(young.due_callbacks, NULL);
    ouro_release(weak);
}

/* No memory for the token of a due finalizer: said, nothing is lost, and the next try succeeds. */
static void test_without_memory(void)
{
    struct node *ring = ring_new(&node_type, 3), *second = ouro_peek(&ring->a);
    struct oi_young_result r = {0};
    ouro_release(ring);
    oi_pool_collect(&oi_act.self->pool);
    oi_page_set_limits(0, 1);
    CHECK(!oi_young_collect(&oi_act, &young, &r));
    oi_page_set_limits(0, 0);
    CHECK_EQ(due_length(), 0);
    CHECK_EQ(finalized(), 0);
    check_idle(ring);
    check_idle(second);
    CHECK_EQ(ouro_refcount(ring), 1);
    CHECK(!(oi_flags(&ring->object) & OI_FINALIZED));
    r = collect();
    CHECK_EQ(r.found, 3);
    oi_young_run_due(&oi_act, &young, SIZE_MAX);
    CHECK_EQ(collect().freed, 3);
    CHECK_EQ(finalized(), 3);
}

/* A page whose objects are all published leaves the young list, unless it is allocated from; and comes back when it is
 * again. */
static void test_pages_leave(void)
{
    enum { PAGES = 4 };
    struct node *first = plain_new(0);
    struct oi_page *page = oi_page_of(first);
    uint32_t n = PAGES * page->capacity;
    struct table *all = table_new(n);
    ouro_give(all, &all->items[0], first);
    for (uint32_t i = 1; i < n; i++)
        ouro_give(all, &all->items[i], plain_new(i));
    CHECK(page->state == OI_PAGE_FULL);
    CHECK(is_young_page(page));
    collect();
    CHECK(is_young_page(page)); /* private objects are on it */
    ouro_share(all);
    CHECK(is_young_page(page));
    struct oi_young_result r = collect();
    CHECK_EQ(r.candidates, 0);
    CHECK(!is_young_page(page));
    CHECK_EQ(page->young_list, OI_YOUNG_NONE);
    unsigned left = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct oi_page *p = oi_page_of(ouro_peek(&all->items[i]));
        left += is_young_page(p) && p->state != OI_PAGE_CURRENT;
    }
    CHECK_EQ(left, 0);
    /* Half of the page becomes free; when it is allocated from, it is looked at again. */
    for (uint32_t i = 0; i < n; i++) {
        if (oi_page_of(ouro_peek(&all->items[i])) == page && i % 2)
            ouro_set(all, &all->items[i], NULL);
    }
    ouro_mem_trim(); /* limbo, and what it sent back */
    struct node *mine = NULL, *others = NULL;
    for (uint32_t i = 0; i < 3 * n && (!mine || oi_page_of(mine) != page); i++) {
        mine = plain_new(1);
        ouro_give(mine, &mine->b, others);
        others = mine;
    }
    CHECK_PTR(oi_page_of(mine), page);
    CHECK(is_young_page(page));
    ouro_set(mine, &mine->a, mine);
    ouro_release(mine);
    CHECK_GE(collect().freed, 1);
    ouro_release(all);
}

/* What has been added since the last collection, and what there is to look at. */
static void test_counts(void)
{
    collect();
    CHECK_EQ(oi_young_added(&oi_act), 0);
    size_t before = oi_young_count(&oi_act);
    struct node *nodes[100];
    for (int i = 0; i < 100; i++)
        nodes[i] = plain_new(i);
    CHECK_EQ(oi_young_added(&oi_act), 100);
    CHECK_EQ(oi_young_count(&oi_act), before + 100);
    for (int i = 0; i < 40; i++)
        ouro_release(nodes[i]);
    CHECK_EQ(oi_young_added(&oi_act), 60);
    CHECK_EQ(oi_young_count(&oi_act), before + 60);
    ouro_share(nodes[99]);
    CHECK_EQ(oi_young_count(&oi_act), before + 59);
    collect();
    CHECK_EQ(oi_young_added(&oi_act), 0);
    for (int i = 40; i < 100; i++)
        ouro_release(nodes[i]);
    CHECK_EQ(oi_young_added(&oi_act), 0); /* never below */
}

/* Every private object, leaves included, is published, none is lost; and no page is young but those allocated from. */
static void test_aged(void)
{
    struct oi_young_result r = {0};
    struct node *old = ring_new(&plain_type, 5);
    collect();
    CHECK(oi_flags(&old->object) & OI_AGED);
    struct node *new = ring_new(&plain_type, 3), *holder = plain_new(1);
    ouro_set(new, &new->b, old); /* references between the two ages, both ways */
    ouro_set(old, &old->b, holder);
    ouro_release(holder);
    size_t before = live_objects();
    CHECK(oi_young_collect(&oi_act, &young, &r));
    CHECK_EQ(r.candidates, 4);
    CHECK_EQ(r.found, 0);
    check_idle(old);
    check_idle(new);
    ouro_release(new);
    ouro_release(old);
    /* All of it is garbage now, aged: the next collection leaves it alone, one of all does not. */
    CHECK(oi_young_collect(&oi_act, &young, &r));
    CHECK_EQ(r.candidates, 0);
    CHECK_EQ(live_objects(), before);
    CHECK_EQ(oi_young_rejuvenate(&oi_act), 9);
    CHECK(oi_young_collect(&oi_act, &young, &r));
    CHECK_EQ(r.freed, 9);
    CHECK_EQ(live_objects(), before - 9);
}

/* Publication ends it. */
static void test_aged_published(void)
{
    struct node *ring = ring_new(&plain_type, 5);
    collect();
    ouro_share(ring);
    CHECK(!(oi_flags(&ring->object) & OI_AGED));
    CHECK_EQ(oi_young_rejuvenate(&oi_act), 0);
    ouro_set(ring, &ring->a, NULL);
    ouro_release(ring);
}

static void test_publish_all(void)
{
    struct node *ring = ring_new(&plain_type, 3000);
    struct leaf *leaf = leaf_new(1);
    ouro_set(ring, &ring->b, leaf);
    oi_young_publish_all(&oi_act);
    CHECK(oi_flags(&leaf->object) & OI_PUBLISHED);
    struct node *n = ring;
    for (long i = 0; i < 3000; i++, n = ouro_peek(&n->a)) {
        CHECK(oi_flags(&n->object) & OI_PUBLISHED && oi_owner(&n->object) == oi_my_id());
        check_idle(n);
        CHECK(!is_young_page(oi_page_of(n)) || oi_page_of(n)->state == OI_PAGE_CURRENT);
    }
    CHECK_PTR(n, ring);
    CHECK_EQ(oi_young_count(&oi_act), 0);
    ouro_set(ring, &ring->a, NULL); /* cut */
    ouro_release(ring);
    CHECK_EQ(ouro_refcount(leaf), 1);
    ouro_release(leaf);
}

/* ---- the model ---- */

enum { NODES = 48, SLOTS = 3 };

enum kind { PLAIN, FINALIZED, TABLE, LEAF, SHARED_LEAF, KINDS };

struct model {
    enum kind kind[NODES];
    int edge[NODES][SLOTS]; /* -1: none */
    bool held[NODES], alive[NODES], reached[NODES], kept[NODES];
    void *object[NODES];
};

static int slots_of(const struct model *m, int i)
{
    return m->kind[i] == TABLE ? 3 : m->kind[i] <= FINALIZED ? 2 : 0;
}

static ouro_slot *slot_of(const struct model *m, int i, int s)
{
    struct node *n = m->object[i];
    return m->kind[i] == TABLE ? &((struct table *)m->object[i])->items[s] : s ? &n->b : &n->a;
}

static void make(struct model *m, struct rng *rng)
{
    uint32_t density = 1 + rng_below(rng, 6), grip = 1 + rng_below(rng, 12);
    for (int i = 0; i < NODES; i++) {
        m->kind[i] = rng_one_in(rng, 3) ? (enum kind)rng_below(rng, KINDS) : PLAIN;
        m->held[i] = rng_one_in(rng, grip);
        m->alive[i] = true;
        m->object[i] = m->kind[i] == PLAIN       ? (void *)plain_new(i)
                       : m->kind[i] == FINALIZED ? (void *)node_new(i)
                       : m->kind[i] == TABLE     ? (void *)table_new(3)
                                                 : (void *)leaf_new(i);
        if (m->kind[i] == SHARED_LEAF)
            ouro_share(m->object[i]);
    }
    for (int i = 0; i < NODES; i++) {
        for (int s = 0; s < SLOTS; s++) {
            m->edge[i][s] = s < slots_of(m, i) && rng_below(rng, 6) < density ? (int)rng_below(rng, NODES) : -1;
            if (m->edge[i][s] >= 0)
                ouro_set(m->object[i], slot_of(m, i, s), m->object[m->edge[i][s]]);
        }
    }
}

static size_t references_to(const struct model *m, int target, const bool *among)
{
    size_t n = 0;
    for (int i = 0; i < NODES; i++) {
        for (int s = 0; s < SLOTS && among[i]; s++)
            n += m->edge[i][s] == target;
    }
    return n;
}

/* What counting alone frees. */
static void die_by_counts(struct model *m)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < NODES; i++) {
            if (m->alive[i] && !m->held[i] && !references_to(m, i, m->alive)) {
                m->alive[i] = false;
                changed = true;
            }
        }
    }
}

static void reach(const struct model *m, bool *reached, int i)
{
    if (reached[i])
        return;
    reached[i] = true;
    for (int s = 0; s < SLOTS; s++) {
        if (m->edge[i][s] >= 0)
            reach(m, reached, m->edge[i][s]);
    }
}

static bool is_tracked(const struct model *m, int i)
{
    return m->kind[i] <= TABLE;
}

static bool has_finalizer(const struct model *m, int i)
{
    return m->kind[i] == FINALIZED || m->kind[i] >= LEAF;
}

static void check_survivors(const struct model *m)
{
    for (int i = 0; i < NODES; i++) {
        if (!m->reached[i])
            continue;
        check_idle(m->object[i]);
        CHECK_EQ(ouro_refcount(m->object[i]), m->held[i] + references_to(m, i, m->reached));
        for (int s = 0; s < slots_of(m, i); s++)
            CHECK_PTR(ouro_peek(slot_of(m, i, s)), m->edge[i][s] < 0 ? NULL : m->object[m->edge[i][s]]);
    }
}

static void check_one_graph(struct rng *rng)
{
    struct model m;
    memset(&m, 0, sizeof m);
    size_t live_before = live_objects();
    long finalized_before = finalized();
    make(&m, rng);
    die_by_counts(&m);
    size_t alive = 0, reached = 0, tracked = 0, garbage = 0, due = 0, freed = 0;
    long expected_finalized = 0;
    for (int i = 0; i < NODES; i++) {
        if (m.held[i])
            reach(&m, m.reached, i);
    }
    for (int i = 0; i < NODES; i++) {
        alive += m.alive[i];
        reached += m.reached[i];
        tracked += m.alive[i] && is_tracked(&m, i);
        garbage += m.alive[i] && is_tracked(&m, i) && !m.reached[i];
        expected_finalized += !m.alive[i] && has_finalizer(&m, i);
        if (m.alive[i] && !m.reached[i] && m.kind[i] == FINALIZED) {
            due++;
            reach(&m, m.kept, i);
        }
    }
    for (int i = 0; i < NODES; i++)
        freed += m.alive[i] && is_tracked(&m, i) && !m.reached[i] && !m.kept[i];

    for (int i = 0; i < NODES; i++) {
        if (!m.held[i])
            ouro_release(m.object[i]);
    }
    CHECK_EQ(live_objects() - live_before, alive);
    CHECK_EQ(finalized() - finalized_before, expected_finalized);

    struct oi_young_result r = collect();
    CHECK_EQ(r.found, garbage);
    CHECK_EQ(r.freed, freed);
    CHECK_EQ(r.candidates, tracked);
    CHECK_EQ(due_length(), due);
    CHECK_EQ(oi_young_run_due(&oi_act, &young, SIZE_MAX), due);
    r = collect();
    CHECK_LE(r.freed, garbage - freed); /* some have died by counts when their finalizers had run */
    CHECK_EQ(live_objects() - live_before, reached);
    expected_finalized = 0;
    for (int i = 0; i < NODES; i++)
        expected_finalized += !m.reached[i] && has_finalizer(&m, i);
    CHECK_EQ(finalized() - finalized_before, expected_finalized);
    check_survivors(&m);

    for (int i = 0; i < NODES; i++) {
        if (m.held[i])
            ouro_release(m.object[i]);
    }
    collect();
    oi_young_run_due(&oi_act, &young, SIZE_MAX);
    collect();
    CHECK_EQ(live_objects(), live_before);
}

/* Random private graphs with everything in them: what is found, freed, kept, finalized and left is what the model
 * says. */
static void test_against_model(void)
{
    struct rng rng = rng_stream(seed, 0);
    for (int i = 0; i < SCALED(1500); i++) {
        unsigned long before = check_failures();
        check_one_graph(&rng);
        if (check_failures() != before) {
            printf("graph %d\n", i);
            break;
        }
    }
}

/* ---- Types of the library's own ---- */

static ouro_type own_type = OURO_TYPE(struct node, .name = "own", .slots = OURO_SLOTS(struct node, a, b), .flags = OI_TYPE_OWN);
static long disposals;

static void dispose(ouro_object *o)
{
    CHECK_EQ(OI_TYPE_ID(oi_type_word(o)), OI_OWN_TYPES - 1);
    disposals++;
}

static struct node *own_new(void)
{
    struct node *n = ouro_new(&own_type);
    REQUIRE(n);
    return n;
}

/* Their dispose is called once, however they die: by their count, private or shared, or as garbage of either collection. */
static void test_dispose(void)
{
    REQUIRE(oi_type_register_own(&own_type, OI_OWN_TYPES - 1, dispose));
    for (int how = 0; how < 6; how++) {
        struct node *n = own_new(), *m = own_new();
        ouro_give(n, &n->a, m);
        if (how >= 3)
            ouro_set(m, &m->a, n);
        if (how % 3 == 1)
            ouro_share(n);
        ouro_weak *weak = how % 3 == 2 ? ouro_weak_new(m, NULL, NULL) : NULL;
        disposals = 0;
        ouro_release(n);
        CHECK_EQ(disposals, how < 3 ? 2 : 0);
        CHECK_EQ(ouro_gc_collect(how == 4 ? 1 : 0), how < 3 ? 0 : 2);
        CHECK_EQ(disposals, 2);
        CHECK_PTR(ouro_weak_get(weak), NULL);
        ouro_release(weak);
    }
}

int main(void)
{
    check_start("young_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    REQUIRE(ouro_thread_attach(0) == OURO_OK);
    FIXTURE_RUN(test_nothing_to_find);
    FIXTURE_RUN(test_aged);
    FIXTURE_RUN(test_aged_published);
    FIXTURE_RUN(test_rings);
    FIXTURE_RUN(test_held_from_outside);
    FIXTURE_RUN(test_references_out);
    FIXTURE_RUN(test_arrays);
    FIXTURE_RUN(test_finalizers);
    FIXTURE_RUN(test_rescued_by_finalizer);
    FIXTURE_RUN(test_weak);
    FIXTURE_RUN(test_manual);
    FIXTURE_RUN(test_without_memory);
    FIXTURE_RUN(test_pages_leave);
    FIXTURE_RUN(test_counts);
    FIXTURE_RUN(test_publish_all);
    FIXTURE_RUN(test_dispose);
    FIXTURE_RUN(test_against_model);
    return check_finish();
}
