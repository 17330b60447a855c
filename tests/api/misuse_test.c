/* SPDX-License-Identifier: MIT
 *
 * Mistakes that can be detected are reported once each, with kind, call, type and object; the call that is reported has
 * changed nothing, and the heap is as good as before: after each mistake it is used and found to be in order. */
#include <stdint.h>
#include <string.h>

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

/* Makes and drops objects of many kinds, and counts them. */
static void check_heap(void)
{
    size_t live = live_objects();
    struct table *t = table_new(200);
    for (int i = 0; i < 200; i++)
        ouro_give(t, &t->items[i], i % 3 ? (void *)plain_new(i) : (void *)table_new((size_t)i));
    struct node *ring = plain_new(0);
    ouro_set(ring, &ring->a, ring);
    CHECK_EQ(live_objects() - live, 202);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 1);
    ouro_share(t);
    ouro_release(t);
    CHECK_EQ(live_objects(), live);
    CHECK_EQ(misuse_count(), 0);
}

/* ---- OVER_RELEASE: objects used after their death ---- */

static void *dead_node(bool shared)
{
    struct node *n = plain_new(1);
    if (shared)
        ouro_share(n);
    ouro_release(n);
    return n;
}

static void *container; /* a shared one */

static void do_release(void *dead)
{
    ouro_release(dead);
}

static void do_retain(void *dead)
{
    ouro_retain(dead);
}

static void do_share(void *dead)
{
    ouro_share(dead);
}

static void do_share_widely(void *dead)
{
    ouro_share_widely(dead);
}

static void do_immortalize(void *dead)
{
    ouro_immortalize(dead);
}

static void do_type_of(void *dead)
{
    CHECK_PTR(ouro_type_of(dead), NULL);
}

static void do_get(void *dead)
{
    CHECK_PTR(ouro_get(dead, &((struct node *)dead)->a), NULL);
}

static void do_set(void *dead)
{
    ouro_set(dead, &((struct node *)dead)->a, NULL);
}

static void do_give(void *dead)
{
    ouro_give(dead, &((struct node *)dead)->a, NULL);
}

static void do_take(void *dead)
{
    CHECK_PTR(ouro_take(dead, &((struct node *)dead)->a), NULL);
}

static void do_swap(void *dead)
{
    CHECK_PTR(ouro_swap(dead, &((struct node *)dead)->a, NULL), NULL);
}

static void do_compare_set(void *dead)
{
    CHECK(!ouro_compare_set(dead, &((struct node *)dead)->a, dead, NULL));
}

static void do_weak_new(void *dead)
{
    CHECK_PTR(ouro_weak_new(dead, NULL, NULL), NULL);
}

static void do_weak_get(void *dead)
{
    CHECK_PTR(ouro_weak_get(dead), NULL);
}

static void do_set_content(void *dead)
{
    struct node *c = container;
    ouro_set(c, &c->a, dead);
    CHECK_PTR(ouro_peek(&c->a), NULL);
}

static void do_compare_set_content(void *dead)
{
    struct node *c = container;
    CHECK(!ouro_compare_set(c, &c->a, NULL, dead));
    CHECK_PTR(ouro_peek(&c->a), NULL);
}

struct use {
    const char *call;
    void (*fn)(void *object);
    bool reading; /* allowed in a read section, where an object may die at any time */
};

static const struct use uses[] = {
    {"ouro_release", do_release, false},
    {"ouro_retain", do_retain, false},
    {"ouro_share", do_share, false},
    {"ouro_share_widely", do_share_widely, false},
    {"ouro_immortalize", do_immortalize, false},
    {"ouro_type_of", do_type_of, true},
    {"ouro_get", do_get, true},
    {"ouro_set", do_set, false},
    {"ouro_give", do_give, false},
    {"ouro_take", do_take, false},
    {"ouro_swap", do_swap, false},
    {"ouro_compare_set", do_compare_set, false},
    {"ouro_weak_new", do_weak_new, false},
    {"ouro_weak_get", do_weak_get, false},
    {"ouro_set", do_set_content, false},
    {"ouro_compare_set", do_compare_set_content, false},
};
enum { USES = sizeof uses / sizeof *uses };

/* A private object's block is free at once; nothing has been made since, so it is not in use again. */
static void test_dead_private(void)
{
    struct node *c = plain_new(0);
    ouro_share(container = c);
    for (int i = 0; i < USES; i++) {
        void *dead = dead_node(false);
        uses[i].fn(dead);
        CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, uses[i].call, NULL, dead);
        check_heap();
    }
    ouro_release(c);
}

/* A published object in a read section is dead but still there, with its type. */
static void test_dead_published(void)
{
    struct node *c = plain_new(0);
    ouro_share(container = c);
    for (int i = 0; i < USES; i++) {
        if (uses[i].reading)
            continue;
        ouro_read_begin();
        struct node *dead = dead_node(true);
        uses[i].fn(dead);
        CHECK_EQ(dead->id, 1);
        CHECK_PTR(ouro_try_retain(dead), NULL); /* no report: this is how one asks */
        ouro_read_end();
        CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, uses[i].call, "plain", dead);
        check_heap();
    }
    ouro_release(c);
}

/* Some time after, when the block is free. */
static void test_dead_published_and_freed(void)
{
    struct node *c = plain_new(0);
    ouro_share(container = c);
    for (int i = 0; i < USES; i++) {
        struct node *kept = plain_new(0); /* so that the page is not given back */
        void *dead = dead_node(true);
        CHECK_GE(live_objects(), 1);
        uses[i].fn(dead);
        CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, uses[i].call, NULL, dead);
        ouro_release(kept);
        check_heap();
    }
    ouro_release(c);
}

static void *over_release(void *object)
{
    ouro_release(object);
    return NULL;
}

/* The one release too many comes from another thread. */
static void test_dead_by_another_thread(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *kept = plain_new(0);
        void *dead = dead_node(shared);
        thread_do(over_release, dead, 0);
        CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_release", NULL, dead);
        ouro_release(kept);
        check_heap();
    }
}

/* A dead object stored into a private container is not stored. */
static void test_dead_into_private_container(void)
{
    struct node *c = plain_new(0);
    void *dead = dead_node(false);
    ouro_set(c, &c->a, dead);
    CHECK_PTR(ouro_peek(&c->a), NULL);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_set", NULL, dead);
    ouro_release(c);
    CHECK_EQ(misuse_count(), 0);
    check_heap();
}

/* ---- FOREIGN_PRIVATE: another thread's objects that were never shared ---- */

struct foreign {
    struct node *node;
    ouro_weak *weak;
    struct node *shared; /* a container that may be used */
    bool attach;
};

static void expect_foreign(const char *call, void *object)
{
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, call, "node", object);
}

static void *use_foreign(void *arg)
{
    struct foreign *f = arg;
    struct node *n = f->node;
    if (f->attach)
        CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    ouro_retain(n);
    expect_foreign("ouro_retain", n);
    ouro_release(n);
    expect_foreign("ouro_release", n);
    ouro_share(n);
    expect_foreign("ouro_share", n);
    ouro_share_widely(n);
    expect_foreign("ouro_share_widely", n);
    ouro_immortalize(n);
    expect_foreign("ouro_immortalize", n);
    CHECK_PTR(ouro_get(n, &n->a), NULL);
    expect_foreign("ouro_get", n);
    ouro_set(n, &n->a, NULL);
    expect_foreign("ouro_set", n);
    ouro_give(n, &n->a, NULL);
    expect_foreign("ouro_give", n);
    CHECK_PTR(ouro_take(n, &n->a), NULL);
    expect_foreign("ouro_take", n);
    CHECK_PTR(ouro_swap(n, &n->a, NULL), NULL);
    expect_foreign("ouro_swap", n);
    CHECK(!ouro_compare_set(n, &n->a, ouro_peek(&n->a), NULL));
    expect_foreign("ouro_compare_set", n);
    ouro_set(f->shared, &f->shared->a, n);
    expect_foreign("ouro_set", n);
    CHECK(!ouro_compare_set(f->shared, &f->shared->a, NULL, n));
    expect_foreign("ouro_compare_set", n);
    CHECK_PTR(ouro_weak_new(n, NULL, NULL), NULL);
    expect_foreign("ouro_weak_new", n);
    CHECK_PTR(ouro_weak_get(f->weak), NULL);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_weak_get", NULL, f->weak);
    return NULL;
}

static void test_foreign(void)
{
    for (int attach = 0; attach < 2; attach++) {
        long before = finalized();
        struct foreign f = {.node = node_new_with(1, leaf_new(2), NULL), .shared = plain_new(3), .attach = attach};
        f.weak = ouro_weak_new(f.node, NULL, NULL);
        ouro_share(f.shared);
        thread_join_running(thread_start(use_foreign, &f, 0)); /* the owner is there all the time */
        CHECK_EQ(misuse_count(), 0);
        CHECK_EQ(ouro_refcount(f.node), 1);
        CHECK_PTR(ouro_peek(&f.shared->a), NULL);
        struct leaf *l = ouro_get(f.node, &f.node->a);
        if (CHECK(l))
            CHECK_EQ(ouro_refcount(l), 2);
        ouro_release(l);
        CHECK_EQ(finalized() - before, 0);
        ouro_release(f.node);
        CHECK_EQ(finalized() - before, 2);
        CHECK_PTR(ouro_weak_get(f.weak), NULL);
        ouro_release(f.weak);
        ouro_release(f.shared);
        check_heap();
    }
}

/* A foreign object stored into a private container of one's own is not stored. */
static void *store_foreign(void *foreign)
{
    struct node *c = plain_new(0);
    ouro_set(c, &c->a, foreign);
    CHECK_PTR(ouro_peek(&c->a), NULL);
    expect_foreign("ouro_set", foreign);
    ouro_release(c);
    CHECK_EQ(misuse_count(), 0);
    return NULL;
}

static void test_foreign_into_private_container(void)
{
    struct node *n = node_new(1);
    thread_join_running(thread_start(store_foreign, n, 0));
    misuse_forget();
    CHECK_EQ(ouro_refcount(n), 1);
    ouro_release(n);
    check_heap();
}

/* ---- WRONG_TYPE ---- */

static void test_not_a_weak_reference(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = node_new(1);
        struct table *t = table_new(3);
        if (shared) {
            ouro_share(n);
            ouro_share(t);
        }
        CHECK_PTR(ouro_weak_get((ouro_weak *)n), NULL);
        CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_weak_get", "node", n);
        CHECK_PTR(ouro_weak_get((ouro_weak *)t), NULL);
        CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_weak_get", "table", t);
        CHECK_EQ(ouro_refcount(n), 1);
        ouro_release(n);
        ouro_release(t);
        check_heap();
    }
}

static void test_array_types(void)
{
    CHECK_PTR(ouro_new(&table_type), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new", "table", NULL);
    CHECK_PTR(ouro_new(&bytes_type), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new", "bytes", NULL);
    CHECK_PTR(ouro_new_array(&node_type, 3), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new_array", "node", NULL);
    CHECK_PTR(ouro_new_array(&leaf_type, 0), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new_array", "leaf", NULL);
    check_heap();
}

static void test_unusable_types(void)
{
    static ouro_type types[] = {
        {.size = 0, .align = 8, .name = "no size"},
        {.size = 8, .align = 8, .name = "no room for the header"},
        {.size = 128, .align = 128, .name = "align 128"},
        {.size = 48, .align = 24, .name = "align 24"},
        {.size = sizeof(struct node),
         .align = 8,
         .name = "leaf with slots",
         .slots = OURO_SLOTS(struct node, a, b),
         .flags = OURO_TYPE_LEAF},
        {.size = 24, .align = 8, .name = "slots outside", .slots = OURO_SLOTS(struct node, a, b)},
        {.size = 48, .align = 8, .name = "slot in the header", .slots = {1u | 1u << 16}},
        {.size = sizeof(struct node), .align = 8, .name = "slot named twice", .slots = OURO_SLOTS(struct node, a, b, a)},
        {.size = 48, .align = 8, .name = "unknown flags", .flags = 0x40000000u},
        {.size = 24, .align = 8, .name = "array of slots in the header", .array_slots = 8},
        {.size = 24, .align = 8, .name = "array of bytes in the header", .array_bytes = 4},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bool array = types[i].array_slots || types[i].array_bytes;
        for (int again = 0; again < 2; again++) {
            CHECK_PTR(array ? ouro_new_array(&types[i], 1) : ouro_new(&types[i]), NULL);
            CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, array ? "ouro_new_array" : "ouro_new", types[i].name, NULL);
        }
    }
    check_heap();
}

/* ---- SLOT_OUTSIDE ---- */

struct huge {
    ouro_object object;
    ouro_slot a;
    char room[200000];
    ouro_slot b;
};

static ouro_type huge_type = OURO_TYPE(struct huge, .name = "huge", .slots = OURO_SLOTS(struct huge, a, b));

static void try_slot(void *object, const char *type, void *outside)
{
    ouro_slot *slot = outside;
    struct leaf *l = leaf_new(1);
    ouro_retain(l);
    CHECK_PTR(ouro_get(object, slot), NULL);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_get", type, object);
    ouro_set(object, slot, l);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_set", type, object);
    CHECK_EQ(ouro_refcount(l), 2);
    ouro_give(object, slot, ouro_retain(l)); /* what was to be taken over is released */
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_give", type, object);
    CHECK_EQ(ouro_refcount(l), 2);
    CHECK_PTR(ouro_take(object, slot), NULL);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_take", type, object);
    CHECK_PTR(ouro_swap(object, slot, ouro_retain(l)), NULL);
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_swap", type, object);
    CHECK_EQ(ouro_refcount(l), 2);
    CHECK(!ouro_compare_set(object, slot, NULL, l));
    CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_compare_set", type, object);
    CHECK_EQ(ouro_refcount(l), 2);
    ouro_release(l);
    ouro_release(l);
}

static void try_all_slots(void *object, const char *type, size_t size)
{
    char *start = object;
    static ouro_slot elsewhere;
    ouro_slot on_stack = {NULL};
    struct node *other = plain_new(7);
    try_slot(object, type, start + size); /* one past the end */
    try_slot(object, type, start + size + 8);
    try_slot(object, type, start); /* the header */
    try_slot(object, type, start + 8);
    try_slot(object, type, start - 8);
    try_slot(object, type, start + size + 4096);
    try_slot(object, type, &elsewhere);
    try_slot(object, type, &on_stack);
    try_slot(object, type, &other->a);
    CHECK_PTR(elsewhere.ouro_private_ref, NULL);
    CHECK_PTR(on_stack.ouro_private_ref, NULL);
    CHECK_PTR(ouro_peek(&other->a), NULL);
    ouro_release(other);
}

static void test_slots_outside(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *small = plain_new(1);
        struct table *array = table_new(5), *large_array = table_new(50000), *empty = table_new(0);
        struct huge *huge = ouro_new(&huge_type);
        REQUIRE(huge);
        void *objects[] = {small, array, large_array, empty, huge};
        static const char *const types[] = {"plain", "table", "table", "table", "huge"};
        size_t sizes[] = {sizeof *small, sizeof *array + 5 * sizeof(ouro_slot),
                          sizeof *array + 50000 * sizeof(ouro_slot), sizeof *array, sizeof *huge};
        for (int i = 0; i < 5; i++) {
            if (shared)
                ouro_share(objects[i]);
            try_all_slots(objects[i], types[i], sizes[i]);
            ouro_release(objects[i]);
        }
        check_heap();
    }
}

/* A slot that is inside, but not where a slot can be. */
static void test_slot_misaligned(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = plain_new(1);
        if (shared)
            ouro_share(n);
        CHECK_PTR(ouro_get(n, (ouro_slot *)(void *)((char *)&n->a + (uintptr_t)4)), NULL);
        CHECK_MISUSE(OURO_MISUSE_SLOT_OUTSIDE, "ouro_get", "plain", n);
        ouro_release(n);
    }
    check_heap();
}

/* ---- WRONG_PLACE ---- */

static void test_wrong_place(void)
{
    struct node *n = node_new(1);
    ouro_read_begin();
    ouro_thread_detach();
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_thread_detach", NULL, NULL);
    ouro_release(n);
    CHECK_EQ(finalized(), 0); /* the section is still there */
    CHECK_EQ(n->id, 1);
    ouro_read_end();
    CHECK_EQ(finalized(), 1);
    ouro_read_end();
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_read_end", NULL, NULL);
    check_heap();
}

/* ---- The hook itself ---- */

static int mark;

static void hook_with_arg(const ouro_misuse *misuse, void *arg)
{
    CHECK_PTR(arg, &mark);
    CHECK_EQ(misuse->size, sizeof *misuse);
    ++*(int *)arg;
}

static void use_own_hook(void *arg)
{
    (void)arg;
    ouro_config config = {
        .size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT, .misuse = hook_with_arg, .misuse_arg = &mark};
    CHECK_EQ(ouro_init(&config), OURO_OK);
    CHECK_PTR(ouro_new(&table_type), NULL);
    CHECK_EQ(mark, 1);
    CHECK_PTR(ouro_new(&table_type), NULL);
    CHECK_EQ(mark, 2);
}

static void test_hook_gets_its_argument(void)
{
    CHECK_EQ(child_run(use_own_hook, NULL), 0);
}

int main(void)
{
    check_start("misuse_test");
    CHECK_RUN(test_hook_gets_its_argument); /* before this process has a runtime */
    fixture_start();
    FIXTURE_RUN(test_dead_private);
    FIXTURE_RUN(test_dead_published);
    FIXTURE_RUN(test_dead_published_and_freed);
    FIXTURE_RUN(test_dead_by_another_thread);
    FIXTURE_RUN(test_dead_into_private_container);
    FIXTURE_RUN(test_foreign);
    FIXTURE_RUN(test_foreign_into_private_container);
    FIXTURE_RUN(test_not_a_weak_reference);
    FIXTURE_RUN(test_array_types);
    FIXTURE_RUN(test_unusable_types);
    FIXTURE_RUN(test_slots_outside);
    FIXTURE_RUN(test_slot_misaligned);
    FIXTURE_RUN(test_wrong_place);
    return check_finish();
}
