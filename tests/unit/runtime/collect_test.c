/* SPDX-License-Identifier: MIT
 *
 * Pacing: when the young collection runs by itself, and what it does under limits. */
#include <string.h>

#include "object/destroy.h"
#include "port/os.h"
#include "runtime/runtime.h"
#include "support/fixture.h"
#include "support/scale.h"

#define FIRST 2048u /* the least that is worth a collection */
#define ALL 10000u /* the least that is worth a collection of all private objects */

static struct oi_thread *me(void)
{
    return oi_thread_of(oi_act.self);
}

static uint64_t collections(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[0].collections;
}

static void set_threshold(size_t n)
{
    CHECK_EQ(ouro_gc_set_threshold((size_t[3]){n, 0, 0}), OURO_OK);
}

/* A list of n nodes, kept alive by its head. */
static struct node *list_new(long n)
{
    struct node *first = NULL;
    for (long i = 0; i < n; i++) {
        struct node *next = plain_new(i);
        ouro_give(next, &next->a, first);
        first = next;
    }
    return first;
}

/* Garbage: n objects that refer to themselves. */
static void make_garbage(long n)
{
    for (long i = 0; i < n; i++) {
        struct node *o = plain_new(i);
        ouro_set(o, &o->a, o);
        ouro_release(o);
    }
}

static void quiet(void)
{
    ouro_gc_disable();
    ouro_gc_collect(0);
    ouro_gc_enable();
}

static void test_first_limit(void)
{
    quiet();
    CHECK_EQ(me()->young.limit, FIRST);
    CHECK_EQ(oi_act.self->pool.fresh_limit, FIRST);
    CHECK_EQ(oi_act.self->pool.fresh_blocks, 0);
    uint64_t before = collections();
    struct node *list = list_new(FIRST / 2);
    CHECK_EQ(collections(), before);
    ouro_release(list);
}

/* As a heap grows without garbage, collections become rarer: with the number of survivors. */
static void test_growing_heap(void)
{
    quiet();
    uint64_t before = collections();
    struct node *list = list_new(300000);
    CHECK_GE(collections() - before, 3);
    CHECK_LE(collections() - before, 9); /* 2, 4, 8 ... 256 thousand, more or less */
    CHECK_GE(me()->young.limit, 100000);
    ouro_release(list);
    quiet();
    CHECK_EQ(me()->young.limit, FIRST); /* and often again, when it has shrunk */
}

/* What is worth it after a collection depends on what that one found. */
static void check_limit_after(long survivors, long garbage, size_t expected)
{
    quiet();
    ouro_gc_disable();
    struct node *list = list_new(survivors);
    make_garbage(garbage);
    CHECK_EQ(ouro_gc_collect(0), garbage);
    CHECK_EQ(me()->young.survivors, survivors);
    CHECK_EQ(me()->young.aged_limit, expected);
    CHECK_EQ(me()->young.limit, FIRST);
    CHECK_EQ(oi_act.self->pool.fresh_limit, FIRST);
    CHECK_EQ(oi_act.self->pool.fresh_blocks, 0);
    ouro_release(list);
    ouro_gc_enable();
}

static void test_limit_after(void)
{
    check_limit_after(100000, 20000, 20000);  /* found something: a fifth of the survivors */
    check_limit_after(100000, 2000, 100000);  /* next to nothing: as many as there are */
    check_limit_after(100000, 0, 100000);
    check_limit_after(1000, 0, ALL);        /* never below the least */
    check_limit_after(30000, 30000, ALL);
    check_limit_after(0, 1000, ALL);
}

/* A pinned threshold is the limit, whatever was found; 0 gives the choice back. */
static void test_pinned(void)
{
    quiet();
    set_threshold(500);
    uint64_t before = collections();
    struct node *list = list_new(10000);
    CHECK_GE(collections() - before, 8);
    CHECK_LE(collections() - before, 21);
    CHECK_EQ(me()->young.limit, 500);
    ouro_release(list);
    set_threshold(0);
    quiet();
    CHECK_EQ(me()->young.limit, FIRST);
    size_t out[3];
    CHECK_EQ(ouro_gc_set_threshold((size_t[3]){1, 2, 3}), OURO_OK);
    ouro_gc_get_threshold(out);
    CHECK(out[0] == 1 && out[1] == 2 && out[2] == 3);
    set_threshold(0);
}

/* A block that is used again and again is nothing that was added. */
static void test_recycling(void)
{
    quiet();
    uint64_t before = collections();
    for (int i = 0; i < 1000; i++)
        ouro_release(list_new(500));
    CHECK_EQ(collections(), before);
}

/* Garbage cycles are found without being asked for: memory stays bounded. */
static void test_garbage_is_found(void)
{
    quiet();
    uint64_t before = collections();
    size_t most = 0;
    for (int i = 0; i < SCALED(40); i++) {
        make_garbage(FIRST / 2);
        size_t live = live_objects_now();
        most = live > most ? live : most;
    }
    CHECK_GE(collections() - before, SCALED(40) / 4);
    CHECK_LE(most, 3 * FIRST);
    quiet();
}

static void test_disabled(void)
{
    quiet();
    ouro_gc_disable();
    CHECK(!ouro_gc_is_enabled());
    uint64_t before = collections();
    make_garbage(5 * FIRST);
    CHECK_EQ(collections(), before);
    CHECK_EQ(ouro_gc_collect(0), 5 * FIRST); /* asked for, it runs */
    ouro_gc_enable();
    CHECK(ouro_gc_is_enabled());
}

/* Not where it must not: in a read section, in a finalizer. */
static void make_much(void *object)
{
    (void)object;
    make_garbage(3 * FIRST);
}

static void test_wrong_place(void)
{
    quiet();
    uint64_t before = collections();
    ouro_read_begin();
    make_garbage(3 * FIRST);
    CHECK_EQ(collections(), before);
    CHECK_EQ(ouro_gc_collect(0), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_gc_collect", NULL, NULL);
    ouro_read_end();
    quiet();
    on_finalize(make_much);
    before = collections();
    ouro_release(node_new(1));
    CHECK_EQ(collections(), before);
    on_finalize(NULL);
    quiet();
}

/* Over the soft limit, garbage is looked for more often. */
static void test_soft_limit(void)
{
    uint64_t ran[2];
    for (int limited = 0; limited < 2; limited++) {
        quiet();
        ouro_gc_disable();
        struct node *list = list_new(200000);
        ouro_gc_collect(0);
        ouro_gc_enable();
        if (limited)
            CHECK_EQ(ouro_mem_set_limit(1, 0), OURO_OK);
        uint64_t before = collections();
        make_garbage(60000);
        ran[limited] = collections() - before;
        CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
        ouro_release(list);
    }
    CHECK_LE(ran[0], 60000 / FIRST);
    CHECK_GT(ran[1], ran[0]);
    CHECK_LE(ran[1], 8 * 60000 / FIRST); /* but not all the time */
    quiet();
}

/* At the hard limit an allocation collects, also while collection is disabled, before it fails. */
static void test_hard_limit_collects(void)
{
    quiet();
    ouro_gc_disable();
    ouro_mem_trim();
    CHECK_EQ(ouro_mem_set_limit(0, oi_page_totals().in_use + 16 * OI_UNIT), OURO_OK);
    uint64_t before = collections();
    make_garbage(SCALED(200000)); /* REQUIREs memory */
    if (SCALED(200000) > 30000)
        CHECK_GT(collections(), before);
    struct node *list = NULL, *n;
    while ((n = ouro_new(&plain_type))) { /* what is in use stays, and then it is over */
        ouro_give(n, &n->a, list);
        list = n;
    }
    CHECK_LE(oi_page_totals().in_use, mem_stats().hard_limit);
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
    ouro_release(list);
    ouro_gc_enable();
    quiet();
}

/* What waits in limbo is waited for, too; but not for long: a busy machine may let the background thread wait longer, now and then. */
static void test_hard_limit_awaits_limbo(void)
{
    enum { COUNT = SCALED(300), WAIT_MS = 20, LATE = 2 + COUNT / 20 };
    quiet();
    ouro_mem_trim();
    CHECK_EQ(ouro_mem_set_limit(0, oi_page_totals().in_use + 32 * OI_UNIT), OURO_OK);
    int failures = 0, late = 0;
    for (int i = 0; i < COUNT; i++) {
        uint64_t start = oi_os_now_ns();
        struct bytes *b = ouro_new_array(&bytes_type, 500000);
        if (!b && oi_os_now_ns() - start >= WAIT_MS * UINT64_C(1000000)) {
            late++;
            ouro_mem_trim();
            b = ouro_new_array(&bytes_type, 500000);
        }
        failures += !b;
        if (b)
            ouro_share(b);
        ouro_release(b);
    }
    CHECK_EQ(failures, 0);
    CHECK_LE(late, LATE); /* one in four, if nobody waited */
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
}

/* A finalizer that makes garbage with a finalizer does not keep a collection going for ever. */
static void make_another(void *object)
{
    (void)object;
    struct node *n = node_new(2);
    ouro_set(n, &n->a, n);
    ouro_release(n);
}

static void test_endless_finalizers(void)
{
    quiet();
    on_finalize(make_another);
    struct node *n = node_new(1);
    ouro_set(n, &n->a, n);
    ouro_release(n);
    CHECK_GE(ouro_gc_collect(0), 1); /* returns */
    CHECK_GE(finalized(), 1);
    CHECK_LE(finalized(), 100);
    on_finalize(NULL);
    quiet();
}

/* made less gone since the last collection; reading changes nothing. */
static void test_count(void)
{
    size_t out[3];
    quiet();
    struct node *list = list_new(100);
    for (int i = 0; i < 2; i++) {
        ouro_gc_get_count(out);
        CHECK_EQ(out[0], 100);
    }
    ouro_release(list);
    ouro_gc_get_count(out);
    CHECK_EQ(out[0], 0);
}

static void test_stats(void)
{
    ouro_gc_stats before, after;
    quiet();
    ouro_gc_get_stats(&before, sizeof before);
    ouro_gc_disable();
    struct node *list = list_new(50);
    make_garbage(30);
    CHECK_EQ(ouro_gc_collect(0), 30);
    ouro_gc_enable();
    ouro_gc_get_stats(&after, sizeof after);
    const ouro_gc_generation_stats *a = &after.generation[0], *b = &before.generation[0];
    CHECK_EQ(after.size, sizeof after);
    CHECK_EQ(a->collections - b->collections, 1);
    CHECK_EQ(a->collected - b->collected, 30);
    CHECK_EQ(a->candidates - b->candidates, 80);
    CHECK_EQ(a->uncollectable, 0);
    CHECK_GT(a->duration_ns, b->duration_ns);
    CHECK_LE(a->duration_max_ns, a->duration_ns);
    CHECK_EQ(after.generation[1].collections, before.generation[1].collections);
    struct {
        size_t size;
        uint64_t one, two;
    } small = {0, 0, 4711};
    ouro_gc_get_stats((ouro_gc_stats *)(void *)&small, offsetof(__typeof__(small), two));
    CHECK_EQ(small.one, a->collections);
    CHECK_EQ(small.two, 4711); /* not written */
    ouro_release(list);
}

int main(void)
{
    check_start("collect_test");
    fixture_start();
    REQUIRE(ouro_thread_attach(0) == OURO_OK);
    FIXTURE_RUN(test_first_limit);
    FIXTURE_RUN(test_growing_heap);
    FIXTURE_RUN(test_limit_after);
    FIXTURE_RUN(test_pinned);
    FIXTURE_RUN(test_recycling);
    FIXTURE_RUN(test_garbage_is_found);
    FIXTURE_RUN(test_disabled);
    FIXTURE_RUN(test_wrong_place);
    FIXTURE_RUN(test_soft_limit);
    FIXTURE_RUN(test_hard_limit_collects);
    FIXTURE_RUN(test_hard_limit_awaits_limbo);
    FIXTURE_RUN(test_endless_finalizers);
    FIXTURE_RUN(test_count);
    FIXTURE_RUN(test_stats);
    return check_finish();
}
