/* SPDX-License-Identifier: MIT
 *
 * Memory limits: at the hard limit objects are not made, the program goes on, and there is room again when something
 * was dropped; the soft limit makes threads collect harder. Each test ends without limits. */
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

enum { MIB = 1 << 20 };

static void set_limit(size_t soft, size_t hard)
{
    CHECK_EQ(ouro_mem_set_limit(soft, hard), OURO_OK);
}

/* Bytes of pages that hold objects: what the limits are about. Free pages not yet returned do not count. */
static size_t pages_in_use(void)
{
    ouro_mem_stats stats = mem_stats();
    size_t bytes = 0;
    for (int i = 0; i < OURO_MEM_CLASSES_MAX && stats.classes[i].block_size; i++)
        bytes += stats.classes[i].pages_bytes;
    return bytes;
}

/* Also those of the library's own small blocks, once everything that is free has gone. */
static size_t in_use(void)
{
    ouro_mem_trim();
    return mem_stats().committed_bytes;
}

static void test_settings(void)
{
    set_limit(100 * MIB, 200 * MIB);
    CHECK_EQ(mem_stats().soft_limit, 100 * MIB);
    CHECK_EQ(mem_stats().hard_limit, 200 * MIB);
    CHECK_EQ(ouro_mem_set_limit(300 * MIB, 200 * MIB), OURO_E_INVALID);
    CHECK_EQ(mem_stats().soft_limit, 100 * MIB);
    CHECK_EQ(mem_stats().hard_limit, 200 * MIB);
    set_limit(300 * MIB, 0); /* 0: none */
    CHECK_EQ(mem_stats().soft_limit, 300 * MIB);
    CHECK_EQ(mem_stats().hard_limit, 0);
    set_limit(0, 300 * MIB);
    set_limit(300 * MIB, 300 * MIB);
    set_limit(0, 0);
    CHECK_EQ(mem_stats().soft_limit, 0);
}

/* Small objects until there is no more; drop all; the same again finds as much room. */
static long fill(struct node **list)
{
    long count = 0;
    for (struct node *n; (n = ouro_new(&plain_type)) != NULL; count++) {
        ouro_give(n, &n->a, *list);
        *list = n;
    }
    return count;
}

static void test_small_objects(void)
{
    long first = 0;
    size_t before = in_use();
    set_limit(0, before + 8 * MIB);
    for (int round = 0; round < 3; round++) {
        struct node *list = NULL;
        long count = fill(&list);
        CHECK_LE(pages_in_use(), before + 8 * MIB);
        CHECK_GT(count, 7 * MIB / 64);
        CHECK_PTR(ouro_new(&plain_type), NULL); /* still */
        CHECK_EQ(list->id, 0);
        struct node *rest = ouro_take(list, &list->a); /* one place for one object */
        ouro_release(list);
        list = ouro_new(&plain_type);
        if (CHECK(list))
            ouro_give(list, &list->a, rest);
        ouro_release(list);
        if (round == 0)
            first = count;
        else
            CHECK_GE(count, first - first / 8);
    }
    set_limit(0, 0);
}

static void test_large_objects(void)
{
    size_t before = in_use();
    set_limit(0, before + 32 * MIB);
    CHECK_PTR(ouro_new_array(&bytes_type, 33 * MIB), NULL);
    CHECK_PTR(ouro_new_array(&table_type, 5 * MIB), NULL);
    for (int round = 0; round < 5; round++) {
        void *objects[40];
        int count = 0;
        while (count < 40 && (objects[count] = ouro_new_array(&bytes_type, MIB)) != NULL)
            count++;
        CHECK_GE(count, 15);
        CHECK_LE(count, 32);
        CHECK_LE(pages_in_use(), before + 32 * MIB);
        while (count > 0)
            ouro_release(objects[--count]);
    }
    struct bytes *b = ouro_new_array(&bytes_type, 20 * MIB);
    CHECK(b);
    ouro_release(b);
    set_limit(0, 0);
}

/* Weak references and publication at the limit. Nothing that frees or publishes needs memory. */
static void test_at_the_limit(void)
{
    struct node *list = NULL, *spare = node_new(1), *container = plain_new(2);
    ouro_share(container);
    set_limit(0, in_use() + 4 * MIB);
    fill(&list);
    long count = 0;
    ouro_weak *weak = NULL, *next;
    while (count < 100000 && (next = ouro_weak_new(spare, NULL, NULL)) != NULL) {
        ouro_release(weak);
        weak = next;
        count++;
    }
    ouro_set(container, &container->a, list); /* publishes a hundred thousand objects */
    ouro_release(list);
    CHECK_EQ(ouro_gc_collect(0), 0);
    ouro_release(spare);
    CHECK_EQ(finalized(), 1);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
    ouro_set(container, &container->a, NULL);
    ouro_release(container);
    CHECK_EQ(live_objects(), 0);
    set_limit(0, 0);
}

/* Garbage cycles are collected before an allocation fails. */
static void test_collects_before_it_fails(void)
{
    size_t threshold[3] = {(size_t)1 << 40, 0, 0}, by_itself[3] = {0, 0, 0};
    CHECK_EQ(ouro_gc_set_threshold(threshold), OURO_OK); /* would not collect by number */
    set_limit(0, in_use() + 8 * MIB);
    for (int i = 0; i < SCALED(1000000); i++) {
        struct node *n = ouro_new(&plain_type);
        if (!CHECK(n))
            break;
        ouro_set(n, &n->a, n);
        ouro_release(n);
    }
    set_limit(0, 0);
    CHECK_EQ(ouro_gc_set_threshold(by_itself), OURO_OK);
    CHECK_GE(ouro_gc_collect(0), 0);
}

/* Below what is in use: nothing is taken away. */
static void test_limit_below_use(void)
{
    struct bytes *b = ouro_new_array(&bytes_type, 16 * MIB);
    REQUIRE(b);
    set_limit(0, 4 * MIB);
    b->data[16 * MIB - 1] = 1;
    CHECK_PTR(ouro_new_array(&bytes_type, MIB), NULL);
    CHECK_EQ(b->data[16 * MIB - 1], 1);
    ouro_release(b);
    b = ouro_new_array(&bytes_type, MIB);
    CHECK(b);
    ouro_release(b);
    set_limit(0, 0);
}

static void *allocate_until_full(void *out)
{
    struct node *list = NULL;
    *(long *)out = fill(&list);
    ouro_release(list);
    return NULL;
}

/* Several threads against one limit: it holds for all together, and all go on. */
static void hit_the_limit(struct member *self)
{
    for (int i = 0; i < 10; i++) {
        long count;
        allocate_until_full(&count);
        yield_sometimes(&self->rng);
    }
}

static void test_threads(void)
{
    size_t before = in_use();
    set_limit(0, before + 8 * MIB);
    team_run(4, 1, hit_the_limit, NULL);
    CHECK_LE(pages_in_use(), before + 8 * MIB);
    long count = 0;
    thread_do(allocate_until_full, &count, 0);
    CHECK_GT(count, MIB / 64); /* what exited threads have left is there for others */
    set_limit(0, 0);
}

/* Over the soft limit garbage is collected sooner than its number asks for. */
static size_t most_in_use(void)
{
    size_t most = 0;
    for (int i = 0; i < SCALED(1500000); i++) {
        struct node *n = plain_new(i);
        ouro_set(n, &n->a, n);
        ouro_release(n);
        if (i % 10000 == 0) {
            size_t now = mem_stats().committed_bytes;
            most = now > most ? now : most;
        }
    }
    CHECK_GE(ouro_gc_collect(0), 0);
    return most;
}

static void test_soft_limit(void)
{
    size_t threshold[3] = {SCALED(1000000), 0, 0}, by_itself[3] = {0, 0, 0};
    CHECK_EQ(ouro_gc_set_threshold(threshold), OURO_OK);
    size_t before = in_use(), without = most_in_use() - before;
    before = in_use();
    set_limit(before + 4 * MIB, 0);
    size_t with = most_in_use() - before;
    set_limit(0, 0);
    CHECK_EQ(ouro_gc_set_threshold(by_itself), OURO_OK);
    printf("       most in use: %zu KiB without, %zu KiB with a soft limit of 4096 KiB\n", without >> 10, with >> 10);
    if (TEST_SLOWDOWN == 1)
        CHECK_LT(with, without / 2);
}

int main(void)
{
    check_start("limit_test");
    fixture_start();
    FIXTURE_RUN(test_settings);
    FIXTURE_RUN(test_small_objects);
    FIXTURE_RUN(test_large_objects);
    FIXTURE_RUN(test_at_the_limit);
    FIXTURE_RUN(test_collects_before_it_fails);
    FIXTURE_RUN(test_limit_below_use);
    FIXTURE_RUN(test_threads);
    FIXTURE_RUN(test_soft_limit);
    return check_finish();
}
