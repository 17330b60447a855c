/* SPDX-License-Identifier: MIT
 *
 * The kept block: what an object that died alone leaves for the next one of its type. */
#include <string.h>

#include <ouro/ouro.h>

#include "cycle/young.h"
#include "object/act.h"
#include "support/fixture.h"
#include "support/threads.h"

struct cell {
    ouro_object object;
    ouro_slot a, b;
};

struct box {
    ouro_object object;
    double value;
};

static ouro_type cell_type = OURO_TYPE(struct cell, .name = "cell", .slots = OURO_SLOTS(struct cell, a, b));
static ouro_type other_cell_type = OURO_TYPE(struct cell, .name = "other cell", .slots = OURO_SLOTS(struct cell, a, b));
static ouro_type acyclic_cell_type =
    OURO_TYPE(struct cell, .name = "acyclic cell", .slots = OURO_SLOTS(struct cell, a, b), .flags = OURO_TYPE_ACYCLIC);
static ouro_type box_type = OURO_TYPE(struct box, .name = "box");

static void *make(ouro_type *type)
{
    void *object = ouro_new(type);
    REQUIRE(object);
    return object;
}

static struct oi_pool *my_pool(void)
{
    return &oi_act.self->pool;
}

/* NULL: none. */
static void *kept(void)
{
    return my_pool()->kept.key == OI_KEPT_NONE ? NULL : my_pool()->kept.block;
}

/* As new as any. */
static void check_new(const void *object, const ouro_type *type)
{
    static const char zeros[8192];
    const ouro_object *o = object;
    CHECK_PTR(ouro_type_of(object), type);
    CHECK_EQ(ouro_refcount(object), 1);
    CHECK_EQ(oi_shared(o), 0);
    CHECK_EQ(oi_owner(o), oi_my_id());
    CHECK_EQ(oi_flags(o), oi_type_of(o)->birth >> 48);
    CHECK(memcmp(o + 1, zeros, type->size - sizeof *o) == 0);
}

/* ---- what is kept, and for whom ---- */

static void test_next_of_its_type(void)
{
    ouro_type *types[] = {&cell_type, &box_type};
    for (int i = 0; i < 2; i++) {
        ouro_gc_collect(0); /* nothing is kept then */
        void *first = make(types[i]);
        struct oi_page *page = oi_page_of(first);
        uint32_t used = page->used;
        memset((ouro_object *)first + 1, types[i] == &box_type ? 0xff : 0, sizeof(double));
        ouro_release(first);
        CHECK_PTR(kept(), first);
        CHECK_EQ(oi_type_word((ouro_object *)first), 0); /* for whoever walks over the page */
        CHECK_EQ(page->used, used);
        void *second = make(types[i]);
        CHECK_PTR(second, first);
        CHECK_PTR(kept(), NULL);
        CHECK_EQ(page->used, used);
        check_new(second, types[i]);
        ouro_release(second);
    }
}

/* What dies after it goes to its page, whatever its type is. */
static void test_one_at_a_time(void)
{
    struct cell *a = make(&cell_type), *b = make(&cell_type), *other = make(&other_cell_type);
    struct oi_page *page = oi_page_of(a);
    uint32_t used = page->used;
    CHECK_PTR(oi_page_of(b), page);
    ouro_release(a);
    ouro_release(b);
    CHECK_PTR(kept(), a);
    CHECK_EQ(page->used, used - 1);
    CHECK_PTR(page->free, b);
    ouro_release(other); /* of the same size, and so of the same page */
    CHECK_PTR(kept(), a);
    CHECK_EQ(page->used, used - 2);
    CHECK_PTR(page->free, other);
    struct cell *next_other = make(&other_cell_type), *next = make(&cell_type);
    CHECK_PTR(next_other, other);
    CHECK_PTR(next, a);
    check_new(next, &cell_type);
    check_new(next_other, &other_cell_type);
    CHECK_PTR(kept(), NULL);
    ouro_release(next);
    ouro_release(next_other);
}

/* When only others are asked for, it makes room for them. */
static void test_makes_room(void)
{
    struct cell *a = make(&cell_type);
    struct oi_page *page = oi_page_of(a);
    uint32_t word = oi_type_word(&a->object), used = page->used;
    ouro_release(a);
    unsigned misses = 0;
    while (my_pool()->kept.key == word && misses < 2 * OI_KEPT_MISSES) {
        ouro_release(make(&other_cell_type));
        misses++;
    }
    CHECK(misses <= OI_KEPT_MISSES);
    CHECK(kept());
    CHECK_EQ(page->used, used); /* of the two one is kept, and the other not used */
    struct cell *next = make(&other_cell_type);
    check_new(next, &other_cell_type);
    ouro_release(next);
}

/* Arrays, too, when they need more room than there is: they never ask for what is kept. */
static void test_makes_room_for_arrays(void)
{
    enum { UNITS = 3 };
    struct table *all = table_new(UNITS * OI_UNIT / sizeof(struct bytes));
    struct cell *a = make(&cell_type);
    struct oi_page *page = oi_page_of(a);
    uint32_t used = page->used;
    ouro_release(a);
    CHECK_PTR(kept(), a);
    for (size_t i = 0; kept() && i < all->array.length; i++)
        ouro_give(all, &all->items[i], ouro_new_array(&bytes_type, 8));
    CHECK_PTR(kept(), NULL);
    CHECK_EQ(page->used, used - 1);
    ouro_release(all);
}

/* Leaves of all sizes for which the type word has room; what was in them is gone. */
static void test_leaves(void)
{
    static const size_t sizes[] = {16, 24, 32, 40, 272, 280, 1000, 8184, 8192};
    ouro_gc_collect(0); /* room for another type's */
    static ouro_type types[sizeof sizes / sizeof *sizes];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        types[i] = (ouro_type){.size = sizes[i], .align = 8, .name = "leaf"};
        ouro_object *leaf = make(&types[i]);
        bool has_size = oi_type_word(leaf) >> OI_UNITS_SHIFT; /* not that of 16 bytes, whose body has none */
        CHECK(has_size == (i > 0));
        memset(leaf + 1, 0xa5, sizes[i] - sizeof *leaf);
        ouro_release(leaf);
        CHECK_PTR(kept(), has_size ? leaf : NULL);
        ouro_object *next = make(&types[i]);
        CHECK_PTR(next, leaf);
        check_new(next, &types[i]);
        ouro_release(next);
        ouro_gc_collect(0);
    }
}

/* The same of pairs that have more than their slots, and of acyclic ones. */
static void test_pairs(void)
{
    ouro_type *types[] = {&plain_type, &acyclic_cell_type};
    for (int i = 0; i < 2; i++) {
        ouro_gc_collect(0);
        struct node *first = make(types[i]);
        if (types[i] == &plain_type)
            first->id = 0x123456789;
        ouro_release(first);
        CHECK_PTR(kept(), first);
        struct node *next = make(types[i]);
        CHECK_PTR(next, first);
        check_new(next, types[i]);
        ouro_release(next);
    }
}

static void *drop_there(void *object)
{
    ouro_release(object);
    return NULL;
}

/* Only what its owner drops, private, with nothing on the stack, and like new: what differs goes another way. */
static void test_others(void)
{
    ouro_gc_collect(0);
    ouro_release(node_new(1)); /* has a finalizer */
    CHECK_PTR(kept(), NULL);
    ouro_release(leaf_new(1)); /* likewise */
    CHECK_PTR(kept(), NULL);
    ouro_release(table_new(2)); /* array */
    CHECK_PTR(kept(), NULL);
    struct cell *o = make(&cell_type);
    ouro_give(o, &o->b, make(&box_type));
    ouro_release(o); /* not alone */
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_share(o);
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_share(o);
    thread_do(drop_there, o, 0);
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_release(ouro_weak_new(o, NULL, NULL));
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_read_begin();
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
    ouro_read_end();
    o = make(&cell_type);
    ouro_gc_freeze();
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_gc_freeze();
    ouro_gc_unfreeze();
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_gc_collect(0);
    CHECK(oi_flags(&o->object) & OI_AGED);
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
}

/* Dropped once too often: it is told that it is dead, as ever. */
static void test_dead(void)
{
    struct cell *o = make(&cell_type);
    ouro_release(o);
    CHECK_PTR(kept(), o);
    ouro_release(o);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_release", NULL, o);
    CHECK_PTR(kept(), o);
}

/* ---- collections ---- */

static void drop_ring_of_one(struct cell *o)
{
    ouro_set(o, &o->a, o);
    ouro_release(o);
}

/* The first pages are full of what stays, and are looked at by no further young collection. What is made of a block of such a page would not be found, if
 * it were garbage. */
static void test_young(void)
{
    enum { MANY = 10000 };
    static struct cell *many[MANY];
    size_t before = live_objects();
    for (int i = 0; i < MANY; i++)
        many[i] = make(&cell_type);
    CHECK(oi_page_of(many[0])->state == OI_PAGE_FULL);
    ouro_release(many[0]);
    CHECK_PTR(kept(), many[0]);
    ouro_gc_collect(0);
    CHECK_PTR(kept(), NULL);
    struct cell *next = make(&cell_type);
    CHECK(oi_page_of(next)->young_list == OI_YOUNG_NEW);
    drop_ring_of_one(next);
    CHECK_EQ(live_objects(), before + MANY);
    ouro_gc_collect(0);
    CHECK_EQ(live_objects(), before + MANY - 1);
    for (int i = 1; i < MANY; i++)
        ouro_release(many[i]);
}

/* One that is made of a kept block is found. */
static void test_found(void)
{
    size_t before = live_objects();
    struct cell *o = make(&cell_type);
    ouro_release(o);
    CHECK_PTR(make(&cell_type), o);
    drop_ring_of_one(o);
    CHECK_EQ(live_objects(), before + 1);
    ouro_gc_collect(0);
    CHECK_EQ(live_objects(), before);
}

/* ---- numbers ---- */

static size_t seen_there;

static void *count_there(void *arg)
{
    (void)arg;
    seen_there = mem_stats().live_objects;
    return NULL;
}

/* It is no object, whoever asks. */
static void test_statistics(void)
{
    size_t generations[3];
    ouro_gc_collect(2);
    ouro_mem_stats empty = mem_stats();
    struct cell *a = make(&cell_type), *b = make(&cell_type);
    ouro_mem_stats two = mem_stats();
    CHECK_EQ(two.live_objects, empty.live_objects + 2);
    ouro_release(a);
    CHECK_PTR(kept(), a);
    ouro_mem_stats one = mem_stats();
    CHECK_EQ(one.live_objects, empty.live_objects + 1);
    CHECK_EQ(one.live_bytes, (empty.live_bytes + two.live_bytes) / 2);
    CHECK_EQ(one.live_bytes + one.cached_bytes, two.live_bytes + two.cached_bytes);
    pthread_t thread = thread_start(count_there, NULL, 0);
    thread_join_running(thread);
    CHECK_PTR(kept(), a);
    CHECK_EQ(seen_there, one.live_objects);
    ouro_gc_get_count(generations);
    CHECK_EQ(generations[0], 1);
    ouro_release(b);
    ouro_gc_get_count(generations);
    CHECK_EQ(generations[0], 0);
}

/* ---- letting go ---- */

/* Who parks keeps nothing; nor do those who ask for what is free. */
static void test_let_go(void)
{
    struct cell *stays = make(&cell_type), *o = make(&cell_type);
    struct oi_page *page = oi_page_of(o);
    uint32_t used = page->used;
    ouro_release(o);
    CHECK_EQ(page->used, used);
    ouro_blocking_begin();
    CHECK_EQ(page->used, used - 1);
    ouro_blocking_end();
    CHECK_PTR(kept(), NULL);
    o = make(&cell_type);
    ouro_release(o);
    CHECK_PTR(kept(), o);
    ouro_mem_trim();
    CHECK_PTR(kept(), NULL);
    CHECK_EQ(page->used, used - 1);
    ouro_release(stays);
}

static struct oi_pool *pool_there;

static void *keep_and_end(void *arg)
{
    (void)arg;
    ouro_release(make(&cell_type));
    pool_there = my_pool();
    CHECK(kept());
    return NULL;
}

static void *make_unbiased(void *arg)
{
    (void)arg;
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    ouro_object *o = make(&cell_type);
    CHECK(oi_flags(o) & OI_PUBLISHED);
    ouro_release(o);
    CHECK_PTR(kept(), NULL);
    return NULL;
}

/* Nor does who ends: none of its pages stays; and who comes next in its slot may count otherwise. */
static void test_end(void)
{
    thread_do(keep_and_end, NULL, 0);
    CHECK_EQ(pool_there->kept.key, OI_KEPT_NONE);
    for (unsigned i = 0; i < OI_POOL_COUNT; i++)
        CHECK_PTR(pool_there->current[i], &oi_pool_empty_page);
    thread_do(make_unbiased, NULL, 0);
}

/* A thread without a slot has none to take. */
static void *make_first(void *arg)
{
    static ouro_type new_type = OURO_TYPE(struct cell, .name = "new", .slots = OURO_SLOTS(struct cell, a, b));
    (void)arg;
    ouro_object *o = make(&new_type);
    check_new(o, &new_type);
    ouro_release(o);
    ouro_thread_detach();
    o = make(&new_type); /* of a type that is known, now */
    check_new(o, &new_type);
    ouro_release(o);
    return NULL;
}

static void test_first(void)
{
    thread_do(make_first, NULL, 0);
}

int main(void)
{
    check_start("kept_test");
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    FIXTURE_RUN(test_next_of_its_type);
    FIXTURE_RUN(test_one_at_a_time);
    FIXTURE_RUN(test_makes_room);
    FIXTURE_RUN(test_makes_room_for_arrays);
    FIXTURE_RUN(test_leaves);
    FIXTURE_RUN(test_pairs);
    FIXTURE_RUN(test_others);
    FIXTURE_RUN(test_dead);
    FIXTURE_RUN(test_young);
    FIXTURE_RUN(test_found);
    FIXTURE_RUN(test_statistics);
    FIXTURE_RUN(test_let_go);
    FIXTURE_RUN(test_end);
    FIXTURE_RUN(test_first);
    return check_finish();
}
