/* SPDX-License-Identifier: MIT
 *
 * The worklist without memory: what is pushed is popped, once, in any order, and leaves nothing behind. */
#include "object/gray.h"

#include <ouro/ouro.h>

#include "support/fixture.h"
#include "support/rng.h"

enum { OBJECTS = 3000 };
static ouro_object *objects[OBJECTS];
static bool pushed[OBJECTS];
static uint64_t seed;

/* Objects of several sizes, so that they lie on several pages. */
static void make_objects(void)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        objects[i] = i % 3 == 0 ? (void *)plain_new((long)i)
                                : ouro_new_array(&table_type, i % 3 == 1 ? 20
                                                              : i % 50   ? 1
                                                                         : 9000);
        REQUIRE(objects[i]);
        pushed[i] = false;
    }
}

static void release_objects(void)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        CHECK_EQ(oi_shared(objects[i]), 0);
        CHECK_EQ(oi_page_of(objects[i])->gray, 0);
        ouro_release(objects[i]);
    }
}

static size_t index_of(const ouro_object *o)
{
    size_t i = 0;
    while (i < OBJECTS && objects[i] != o)
        i++;
    return i;
}

static void push(size_t i)
{
    oi_gray_push(oi_act.self, objects[i]);
    pushed[i] = true;
    uint32_t s = oi_shared(objects[i]);
    CHECK(s & OI_GRAY);
    CHECK(s != OI_GRAY_DONE);
}

/* Pops one that was pushed; false: empty. */
static bool pop(uint32_t then)
{
    ouro_object *o = oi_gray_pop(oi_act.self);
    if (!o)
        return false;
    size_t i = index_of(o);
    if (!CHECK(i < OBJECTS) || !CHECK(pushed[i]))
        return false;
    pushed[i] = false;
    oi_set_shared(o, then); /* the caller's business */
    return true;
}

static void test_empty(void)
{
    CHECK_PTR(oi_act.self->gray, NULL);
    CHECK_PTR(oi_gray_pop(oi_act.self), NULL);
    CHECK_PTR(oi_act.self->gray, NULL);
}

static void test_all(void)
{
    make_objects();
    for (size_t i = 0; i < OBJECTS; i++)
        push(i);
    size_t n = 0;
    while (pop(0))
        n++;
    CHECK_EQ(n, OBJECTS);
    CHECK_PTR(oi_act.self->gray, NULL);
    for (size_t i = 0; i < OBJECTS; i++)
        CHECK(!pushed[i]);
    release_objects();
}

/* Pushing and popping in turns, as a graph is walked. */
static void test_in_turns(void)
{
    struct rng rng = rng_stream(seed, 0);
    make_objects();
    size_t length = 0;
    for (int step = 0; step < 6000; step++) {
        size_t i = rng_below(&rng, OBJECTS);
        if (rng_below(&rng, 5) < 3) {
            if (!pushed[i]) {
                push(i);
                length++;
            }
        } else {
            CHECK_EQ(pop(0), length > 0);
            length -= length > 0;
        }
        CHECK_EQ(oi_act.self->gray == NULL, length == 0);
    }
    while (pop(0))
        length--;
    CHECK_EQ(length, 0);
    release_objects();
}

/* The first and the last block of a page, and a block that is a page. */
static void test_ends_of_a_page(void)
{
    make_objects();
    struct oi_page *page = oi_page_of(objects[0]);
    size_t first = 0, last = 0;
    for (size_t i = 0; i < OBJECTS; i++) {
        if (oi_page_of(objects[i]) == page) {
            first = objects[i] < objects[first] ? i : first;
            last = objects[i] > objects[last] ? i : last;
        }
    }
    size_t large = 50;
    while (oi_page_of(objects[large])->index != OI_POOL_LARGE && large + 1 < OBJECTS)
        large++;
    CHECK(large + 1 < OBJECTS);
    push(last);
    push(large);
    push(first);
    for (int i = 0; i < 3; i++)
        CHECK(pop(0));
    CHECK(!pop(0));
    release_objects();
}

int main(void)
{
    check_start("gray_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    REQUIRE(ouro_thread_attach(0) == OURO_OK);
    FIXTURE_RUN(test_empty);
    FIXTURE_RUN(test_all);
    FIXTURE_RUN(test_in_turns);
    FIXTURE_RUN(test_ends_of_a_page);
    return check_finish();
}
