/* SPDX-License-Identifier: MIT
 *
 * What is counted as left: by type, by who keeps it; and how it is printed. */
#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"
#include "support/child.h"
#include "support/fixture.h"

static ouro_leak_report count(void)
{
    ouro_leak_report report;
    memset(&report, 0xee, sizeof report);
    oi_leaks_count(&report);
    return report;
}

static const ouro_leak_type *entry_of(const ouro_leak_report *report, const char *name)
{
    for (size_t i = 0; i < report->types_count; i++) {
        if (!strcmp(report->types[i].name, name))
            return &report->types[i];
    }
    return NULL;
}

static void check_nothing(void)
{
    ouro_leak_report r = count();
    CHECK_EQ(r.objects, 0);
    CHECK_EQ(r.bytes, 0);
    CHECK_EQ(r.immortal_objects, 0);
    CHECK_EQ(r.types_count, 0);
}

static void test_nothing(void)
{
    check_nothing();
    for (int i = 0; i < 100; i++)
        ouro_release(node_new_with(i, leaf_new(i), NULL));
    check_nothing();
}

/* Private and published, by type, most bytes first; bytes are those of the blocks. */
static void test_types(void)
{
    struct node *plain[5], *named[3];
    struct bytes *large = ouro_new_array(&bytes_type, 100000);
    for (int i = 0; i < 5; i++)
        plain[i] = plain_new(i);
    for (int i = 0; i < 3; i++)
        named[i] = node_new(i);
    ouro_share(plain[0]);
    ouro_share(named[0]);
    size_t block = oi_page_block_size(oi_page_of(plain[0])), large_block = oi_page_block_size(oi_page_of(large));
    ouro_leak_report r = count();
    CHECK_EQ(r.objects, 9);
    CHECK_EQ(r.bytes, 8 * block + large_block);
    CHECK_EQ(r.immortal_objects, 0);
    CHECK_EQ(r.types_count, 3);
    CHECK_STR(r.types[0].name, "bytes");
    CHECK_EQ(r.types[0].objects, 1);
    CHECK_EQ(r.types[0].bytes, large_block);
    CHECK_STR(r.types[1].name, "plain");
    CHECK_EQ(r.types[1].objects, 5);
    CHECK_EQ(r.types[1].bytes, 5 * block);
    CHECK_STR(r.types[2].name, "node");
    CHECK_EQ(r.types[2].objects, 3);
    ouro_release(large);
    for (int i = 0; i < 5; i++)
        ouro_release(plain[i]);
    for (int i = 0; i < 3; i++)
        ouro_release(named[i]);
    check_nothing();
}

/* What a leaked object keeps is leaked, too; so is a cycle that nobody refers to. */
static void test_graphs(void)
{
    struct node *root = node_new_with(1, node_new_with(2, leaf_new(3), NULL), NULL);
    struct node *ring = plain_new(4);
    ouro_share(root);
    ouro_set(ring, &ring->a, ring);
    ouro_release(ring);
    ouro_leak_report r = count();
    CHECK_EQ(r.objects, 4);
    CHECK_EQ(entry_of(&r, "plain") ? entry_of(&r, "plain")->objects : 0, 1);
    ouro_release(root);
    CHECK_EQ(ouro_gc_collect(0), 1);
    check_nothing();
}

static void make_mortal(struct node *n)
{
    oi_set_shared(&n->object, OI_ONE | OI_MERGED);
    ouro_release(n);
}

/* Immortal objects, and what they alone keep, are no leak; what the program refers to besides is one. */
static void test_immortal(void)
{
    struct node *immortal = node_new_with(1, node_new_with(2, leaf_new(4), NULL), NULL);
    ouro_immortalize(immortal);
    ouro_leak_report r = count();
    CHECK_EQ(r.immortal_objects, 3);
    CHECK_EQ(r.objects, 0);
    CHECK_EQ(r.types_count, 0);
    struct node *held = ouro_get(immortal, &immortal->a);
    r = count();
    CHECK_EQ(r.immortal_objects, 1);
    CHECK_EQ(r.objects, 2); /* held, and the leaf that it keeps */
    ouro_release(held);
    struct node *other = node_new(5);
    r = count();
    CHECK_EQ(r.immortal_objects, 3);
    CHECK_EQ(r.objects, 1);
    ouro_release(other);
    make_mortal(immortal);
    check_nothing();
}

/* A cycle around an immortal object: no leak either. */
static void test_immortal_cycle(void)
{
    struct node *a = plain_new(1), *b = plain_new(2);
    ouro_set(a, &a->a, b);
    ouro_set(b, &b->a, a);
    ouro_release(b);
    ouro_immortalize(a);
    ouro_leak_report r = count();
    CHECK_EQ(r.immortal_objects, 2);
    CHECK_EQ(r.objects, 0);
    ouro_set(b, &b->a, NULL);
    make_mortal(a);
    check_nothing();
}

enum { TYPES = 40 };
static ouro_type types[TYPES];
static char names[TYPES][24];

/* More types than the report has room for: the largest are named, the sums are of all. */
static void test_many_types(void)
{
    void *objects[TYPES];
    size_t bytes = 0;
    for (int i = 0; i < TYPES; i++) {
        snprintf(names[i], sizeof names[i], "type %d", i);
        types[i] =
            (ouro_type){.size = 128 + 128 * (size_t)((i * 7) % TYPES), .align = 8, .name = i == 3 ? NULL : names[i]};
        objects[i] = ouro_new(&types[i]);
        REQUIRE(objects[i]);
        bytes += oi_page_block_size(oi_page_of(objects[i]));
    }
    ouro_leak_report r = count();
    CHECK_EQ(r.objects, TYPES);
    CHECK_EQ(r.bytes, bytes);
    CHECK_EQ(r.types_count, OURO_LEAK_TYPES_MAX);
    for (size_t i = 0; i < r.types_count; i++) {
        CHECK_EQ(r.types[i].objects, 1);
        CHECK_GE(r.types[i].bytes, 128 * (TYPES - i)); /* the largest */
        if (i)
            CHECK_LE(r.types[i].bytes, r.types[i - 1].bytes);
    }
    for (int i = 0; i < TYPES; i++) {
        if (i != 3)
            ouro_release(objects[i]);
    }
    r = count();
    CHECK_EQ(r.types_count, 1);
    CHECK_STR(r.types[0].name, "?");
    ouro_release(objects[3]);
    check_nothing();
}

/* Many objects: the set of addresses grows. */
static void test_many_objects(void)
{
    enum { N = 20000 };
    struct table *t = table_new(N);
    for (int i = 0; i < N; i++)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_leak_report r = count();
    CHECK_EQ(r.objects, N + 1);
    ouro_immortalize(t);
    r = count();
    CHECK_EQ(r.objects, 0);
    CHECK_EQ(r.immortal_objects, N + 1);
    oi_set_shared(&t->array.object, OI_ONE | OI_MERGED);
    ouro_release(t);
    check_nothing();
}

/* Dead objects in limbo are not left. */
static void test_limbo(void)
{
    ouro_read_begin();
    for (int i = 0; i < 50; i++) {
        struct node *n = plain_new(i);
        ouro_share(n);
        ouro_release(n);
    }
    check_nothing();
    ouro_read_end();
    ouro_mem_trim();
    check_nothing();
}

/* Nor are private weak references that have died: their blocks take a grace period as well. */
static void test_dead_weak(void)
{
    struct node *target = plain_new(1);
    for (int i = 0; i < 10; i++)
        ouro_release(ouro_weak_new(target, NULL, NULL));
    ouro_leak_report r = count();
    CHECK_EQ(r.objects, 1);
    CHECK(!entry_of(&r, "ouro_weak"));
    ouro_weak *weak = ouro_weak_new(target, NULL, NULL);
    ouro_release(target);
    r = count();
    CHECK_EQ(r.objects, 1); /* the weak reference, not its target */
    CHECK(entry_of(&r, "ouro_weak"));
    ouro_release(weak);
    check_nothing();
}

static void print(void *report)
{
    oi_leaks_print(report);
}

static void test_print(void)
{
    char text[4096];
    ouro_leak_report r = {.objects = 12, .bytes = 3456, .immortal_objects = 7, .types_count = 2,
                          .types = {{"socket", 5, 3000}, {"string", 7, 456}}};
    CHECK_EQ(child_run_reading(print, &r, text, sizeof text), 0);
    CHECK_HAS(text, "12 objects (3456 bytes)");
    CHECK_HAS(text, "5 objects");
    CHECK_HAS(text, "3000 bytes");
    CHECK_HAS(text, "socket");
    CHECK_HAS(text, "string");
    r.objects = 0;
    CHECK_EQ(child_run_reading(print, &r, text, sizeof text), 0);
    CHECK_STR(text, "");
}

int main(void)
{
    check_start("leaks_test");
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    FIXTURE_RUN(test_nothing);
    FIXTURE_RUN(test_types);
    FIXTURE_RUN(test_graphs);
    FIXTURE_RUN(test_immortal);
    FIXTURE_RUN(test_immortal_cycle);
    FIXTURE_RUN(test_many_types);
    FIXTURE_RUN(test_many_objects);
    FIXTURE_RUN(test_limbo);
    FIXTURE_RUN(test_dead_weak);
    FIXTURE_RUN(test_print);
    return check_finish();
}
