/* SPDX-License-Identifier: MIT
 *
 * Depth. Each test is a failure that users of another system have reported, named after it; the comment says whose, and what happens here
 * instead. All on threads with stacks of 64 KiB. */
#include <pthread.h>
#include <stdint.h>

#include "support/threads.h"
#include "support/values.h"

enum { STACK = 64 * 1024, LENGTH = SCALED(300000), NESTED = SCALED(100000) };

static struct node *chain_new(void)
{
    struct node *top = NULL;
    for (long i = 0; i < LENGTH; i++) {
        struct node *n = plain_new(i);
        ouro_give(n, &n->a, top);
        top = n;
    }
    return top;
}

static void *release_here(void *object)
{
    ouro_release(object);
    return NULL;
}

static void *drop_chains(void *unused)
{
    (void)unused;
    size_t live = live_objects_now();
    ouro_release(chain_new());
    CHECK_EQ(live_objects_now(), live);
    struct node *shared = chain_new();
    ouro_share(shared);
    ouro_release(shared);
    CHECK_EQ(live_objects_now(), live);
    shared = chain_new();
    ouro_share(shared);
    thread_do(release_here, shared, STACK); /* this one is parked: carried out there */
    ouro_safepoint();
    CHECK_EQ(live_objects_now(), live);
    return NULL;
}

/* Rust (rust-lang/rust#8399, orium/rpds#41, spacejam/sled#641) and scheme-rs (maplant/scheme-rs#340): dropping the head of a long list of counted
 * references called the destructor of the next inside that of the last: some 100 000 elements overflowed the stack. Here destruction is a loop. */
static void test_dropping_a_long_list_overflows_the_stack(void)
{
    thread_do(drop_chains, NULL, STACK);
}

/* Linked both ways. */
static struct node *double_chain_new(void)
{
    struct node *first = plain_new(0), *last = ouro_retain(first);
    for (long i = 1; i < LENGTH; i++) {
        struct node *n = plain_new(i);
        ouro_set(n, &n->b, last);
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_release(last);
    return first;
}

static void *collect_double_chains(void *unused)
{
    (void)unused;
    for (int shared = 0; shared < 2; shared++) {
        struct node *first = double_chain_new();
        if (shared)
            ouro_share(first);
        CHECK_EQ(ouro_gc_collect(2), 0); /* alive */
        ouro_release(first);
        CHECK_EQ(ouro_gc_collect(2), LENGTH);
    }
    return NULL;
}

/* Nim (nim-lang/Nim#1895): the collector of cycles marked by recursion; a list of 10 000 elements, linked both ways, overflowed the stack. The same
 * in Wren (wren-lang/wren#280), rust-gc (Manishearth/rust-gc#161), scheme-rs (maplant/scheme-rs#97), monoruby (sisshiki1969/monoruby#1125). Here
 * neither collection recurses, whether the list is alive or garbage. */
static void test_collecting_a_long_list_overflows_the_stack(void)
{
    thread_do(collect_double_chains, NULL, STACK);
}

static ouro_value nested_new(int depth)
{
    ouro_value inner = ouro_list_new();
    for (int i = 0; i < depth; i++) {
        ouro_value outer = ouro_list_new();
        CHECK_OK(ouro_list_append(outer, inner));
        ouro_value_release(inner);
        inner = outer;
    }
    return inner;
}

static void *use_nested(void *unused)
{
    (void)unused;
    ouro_value nested = nested_new(NESTED), copy, shown;
    bool same = false;
    size_t length = 0;
    CHECK_OK(ouro_copy_deep(nested, &copy));
    CHECK_OK(ouro_equal(nested, copy, &same));
    CHECK(same);
    CHECK_OK(ouro_repr(nested, &shown));
    CHECK_OK(ouro_length(shown, &length));
    CHECK_EQ(length, 2 * ((size_t)NESTED + 1));
    ouro_value_share(nested);
    CHECK_EQ(ouro_gc_collect(2), 0);
    ouro_value_release(shown);
    ouro_value_release(copy);
    ouro_value_release(nested);
    return NULL;
}

/* monoruby (sisshiki1969/monoruby#1125): a = [a], 100 000 times over, overflowed the stack as soon as anything went through it. Here nothing that
 * goes through values recurses: showing, comparing, copying, publishing, collecting, dropping. */
static void test_nesting_arrays_overflows_the_stack(void)
{
    thread_do(use_nested, NULL, STACK);
}

static void *show_cycle(void *unused)
{
    (void)unused;
    ouro_value a = ouro_list_new(), b = ouro_list_new();
    bool same = false;
    CHECK_OK(ouro_list_append(a, INT(1)));
    CHECK_OK(ouro_list_append(a, b));
    CHECK_OK(ouro_list_append(b, a));
    CHECK_REPR(a, "[1, [...]]");
    CHECK_OK(ouro_equal(a, a, &same));
    CHECK(same);
    ouro_value_release(a);
    ouro_value_release(b);
    CHECK_GE(ouro_gc_collect(2), 2);
    return NULL;
}

/* dumpster (claytonwramsey/dumpster#81): printing a structure that contains itself recursed until the stack was gone. Here it shows as "...". */
static void test_printing_a_cycle_overflows_the_stack(void)
{
    thread_do(show_cycle, NULL, STACK);
}

int main(void)
{
    check_start("regress/depth_test");
    fixture_start();
    FIXTURE_RUN(test_dropping_a_long_list_overflows_the_stack);
    FIXTURE_RUN(test_collecting_a_long_list_overflows_the_stack);
    FIXTURE_RUN(test_nesting_arrays_overflows_the_stack);
    FIXTURE_RUN(test_printing_a_cycle_overflows_the_stack);
    return check_finish();
}
