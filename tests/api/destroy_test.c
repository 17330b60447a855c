/* SPDX-License-Identifier: MIT
 *
 * Destruction, publication and collection of deep and wide structures on a thread with a stack of 64 KiB: none of them
 * may use the stack in proportion. Lists of ten million nodes, trees a million deep, tables of a million, private and
 * published, dropped by their maker and by another thread. Everything is gone when the last release returns. */
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

enum { STACK = 64 * 1024, LIST = SCALED(10000000), DEPTH = SCALED(1000000), WIDTH = SCALED(1000000) };

struct link {
    ouro_object object;
    ouro_slot next;
};

static ouro_type link_type = OURO_TYPE(struct link, .name = "link", .slots = OURO_SLOTS(struct link, next));

static struct link *list_new(long length)
{
    struct link *head = NULL;
    for (long i = 0; i < length; i++) {
        struct link *l = ouro_new(&link_type);
        REQUIRE(l);
        ouro_give(l, &l->next, head);
        head = l;
    }
    return head;
}

static struct node *deep_tree_new(long depth)
{
    struct node *top = NULL;
    for (long i = 0; i < depth; i++) {
        struct node *n = plain_new(i);
        ouro_give(n, i % 2 ? &n->a : &n->b, top); /* now left, now right, a small one on the other side */
        ouro_give(n, i % 2 ? &n->b : &n->a, plain_new(-1));
        top = n;
    }
    return top;
}

static struct table *wide_table_new(size_t length)
{
    struct table *t = table_new(length);
    for (size_t i = 0; i < length; i++)
        ouro_give(t, &t->items[i], plain_new((long)i));
    return t;
}

/* Tables of tables: each level 32 wide. */
static struct table *nested_table_new(int levels)
{
    struct table *t = table_new(32);
    for (size_t i = 0; i < 32; i++)
        ouro_give(t, &t->items[i], levels > 1 ? (void *)nested_table_new(levels - 1) : (void *)plain_new(0));
    return t;
}

static bool publish;

static void drop(void *object, size_t least)
{
    size_t live = live_objects_now();
    if (publish)
        ouro_share(object);
    CHECK_GE(live, least);
    CHECK_EQ(live_objects_now(), live);
    ouro_release(object);
    CHECK_LE(live_objects(), live - least);
}

static void *make_and_drop(void *arg)
{
    (void)arg;
    drop(list_new(LIST), LIST);
    drop(deep_tree_new(DEPTH), 2 * DEPTH);
    drop(wide_table_new(WIDTH), WIDTH + 1);
    drop(nested_table_new(3), 32 * 32 * 32 + 32 * 32 + 32 + 1);
    return NULL;
}

static void test_private(void)
{
    publish = false;
    thread_do(make_and_drop, NULL, STACK);
}

static void test_published(void)
{
    publish = true;
    thread_do(make_and_drop, NULL, STACK);
}

static void *release_here(void *object)
{
    ouro_release(object);
    return NULL;
}

/* Made here, dropped there while this thread is parked: the other carries it out, on its small stack. */
static void test_dropped_by_another(void)
{
    void *objects[] = {list_new(LIST / 4), deep_tree_new(DEPTH), wide_table_new(WIDTH)};
    for (int i = 0; i < 3; i++) {
        size_t live = live_objects_now();
        ouro_share(objects[i]);
        thread_do(release_here, objects[i], STACK);
        CHECK_LE(live_objects(), live - DEPTH);
    }
}

/* Made here, dropped there while this thread is not parked: carried out here, at the next safepoint. */
static void *test_handed_back_on_small_stack(void *arg)
{
    (void)arg;
    size_t live = live_objects_now();
    void *list = list_new(LIST / 4);
    ouro_share(list);
    thread_join_running(thread_start(release_here, list, 0));
    CHECK_EQ(live_objects_now() - live, LIST / 4);
    ouro_safepoint();
    CHECK_EQ(live_objects_now(), live);
    return NULL;
}

static void test_handed_back(void)
{
    thread_do(test_handed_back_on_small_stack, NULL, STACK);
}

/* A chain in which each object has a finalizer and a weak reference. */
static void *chain_with_finalizers(void *arg)
{
    enum { LENGTH = SCALED(200000) };
    (void)arg;
    struct node *top = NULL;
    struct table *weaks = table_new(LENGTH);
    for (long i = 0; i < LENGTH; i++) {
        top = node_new_with(i, top, NULL);
        ouro_give(weaks, &weaks->items[i], ouro_weak_new(top, NULL, NULL));
    }
    ouro_release(top);
    CHECK_EQ(finalized(), LENGTH);
    int alive = 0;
    for (long i = 0; i < LENGTH; i++)
        alive += ouro_weak_get(ouro_peek(&weaks->items[i])) != NULL;
    CHECK_EQ(alive, 0);
    ouro_release(weaks);
    return NULL;
}

static void test_chain_with_finalizers(void)
{
    thread_do(chain_with_finalizers, NULL, STACK);
}

/* A ring as long as the list, and a deep tree that hangs from it, found by the collector. */
static void *collect_large_garbage(void *arg)
{
    (void)arg;
    ouro_gc_disable();
    struct node *first = plain_new(0), *last = first;
    ouro_retain(last);
    for (long i = 1; i < DEPTH; i++) {
        struct node *n = plain_new(i);
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_give(last, &last->b, deep_tree_new(DEPTH));
    ouro_release(last);
    ouro_release(first);
    CHECK_EQ(ouro_gc_collect(0), 3L * DEPTH);
    ouro_gc_enable();
    return NULL;
}

static void test_large_garbage(void)
{
    thread_do(collect_large_garbage, NULL, STACK);
}

/* The thread ends while it still owns a long list; what it leaves is published and dies elsewhere. */
static void *leave_list(void *out)
{
    *(struct link **)out = list_new(LIST / 4);
    return NULL;
}

static void test_left_behind(void)
{
    struct link *list = NULL;
    thread_do(leave_list, &list, STACK);
    size_t live = live_objects_now();
    CHECK_GE(live, LIST / 4);
    thread_do(release_here, list, STACK);
    CHECK_LE(live_objects(), live - LIST / 4);
}

int main(void)
{
    check_start("destroy_test");
    fixture_start();
    FIXTURE_RUN(test_private);
    FIXTURE_RUN(test_published);
    FIXTURE_RUN(test_dropped_by_another);
    FIXTURE_RUN(test_handed_back);
    FIXTURE_RUN(test_chain_with_finalizers);
    FIXTURE_RUN(test_large_garbage);
    FIXTURE_RUN(test_left_behind);
    return check_finish();
}
