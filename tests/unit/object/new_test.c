/* SPDX-License-Identifier: MIT
 *
 * New objects: zero, whatever lay there before; aligned; with the header they are to have. */
#include <ouro/object.h>

#include <string.h>

#include <ouro/ouro.h>

#include "object/act.h"
#include "support/fixture.h"

static bool is_zero_behind(const unsigned char *at, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (at[i])
            return false;
    }
    return true;
}

static void check_header(const void *object)
{
    const ouro_object *o = object;
    CHECK(oi_type_word(o) != 0);
    CHECK_EQ(oi_owner(o), oi_my_id());
    CHECK_EQ(oi_flags(o) & ~OI_UNTRACKED, 0);
    CHECK_EQ(oi_local(o), 0);
    CHECK_EQ(oi_shared(o), 0);
}

enum { SIZE_MAX_TESTED = 1200 };
static ouro_type types[SIZE_MAX_TESTED / 8 + 1];

/* Every size up to well beyond where zeroing changes its way, in blocks that were full of ones. */
static void test_zeroed(void)
{
    for (size_t size = sizeof(ouro_object); size <= SIZE_MAX_TESTED; size += 8) {
        ouro_type *type = &types[size / 8];
        *type = (ouro_type){.size = size, .align = 8, .name = "sized"};
        for (int round = 0; round < 3; round++) {
            unsigned char *o = ouro_new(type);
            REQUIRE(o);
            check_header(o);
            CHECK(is_zero_behind(o, sizeof(ouro_object), size));
            memset(o + sizeof(ouro_object), 0xff, size - sizeof(ouro_object));
            ouro_release(o);
        }
    }
}

/* Neighbours are left alone. */
static void test_not_beyond(void)
{
    enum { N = 40 };
    for (size_t size = 24; size <= SIZE_MAX_TESTED; size += 8) {
        unsigned char *objects[N];
        for (int i = 0; i < N; i++) {
            objects[i] = ouro_new(&types[size / 8]);
            REQUIRE(objects[i]);
            memset(objects[i] + sizeof(ouro_object), 1 + i, size - sizeof(ouro_object));
        }
        for (int i = 0; i < N; i++) {
            CHECK(objects[i][sizeof(ouro_object)] == 1 + i && objects[i][size - 1] == 1 + i);
            check_header(objects[i]);
            ouro_release(objects[i]);
        }
    }
}

/* Arrays of every length, of bytes and of slots. */
static void test_arrays(void)
{
    for (size_t length = 0; length <= 600; length++) {
        for (int round = 0; round < 2; round++) {
            struct bytes *b = ouro_new_array(&bytes_type, length);
            REQUIRE(b);
            check_header(b);
            CHECK_EQ(b->array.length, length);
            CHECK(is_zero_behind(b->data, 0, length));
            memset(b->data, 0xff, length);
            ouro_release(b);
            struct table *t = table_new(length);
            check_header(t);
            CHECK_EQ(t->array.length, length);
            for (size_t i = 0; i < length; i++)
                CHECK(!ouro_peek(&t->items[i]));
            ouro_release(t);
        }
    }
}

/* Around the largest class, and with pages of their own: used and dirtied before. */
static void test_large(void)
{
    static const size_t lengths[] = {OI_CLASS_MAX - 24, OI_CLASS_MAX - 23, OI_CLASS_MAX, 100000, 5000000};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (int round = 0; round < 2; round++) {
            struct bytes *b = ouro_new_array(&bytes_type, lengths[i]);
            REQUIRE(b);
            CHECK_EQ(b->array.length, lengths[i]);
            CHECK(is_zero_behind(b->data, 0, lengths[i]));
            memset(b->data, 0xff, lengths[i]);
            ouro_release(b);
        }
    }
    CHECK_PTR(ouro_new_array(&bytes_type, SIZE_MAX), NULL);
    CHECK_PTR(ouro_new_array(&bytes_type, SIZE_MAX / 2), NULL);
    CHECK_PTR(ouro_new_array(&table_type, SIZE_MAX / 8), NULL);
    CHECK_PTR(ouro_new_array(&table_type, SIZE_MAX / 16), NULL);
}

static ouro_type aligned_types[4][20];

/* Alignments of the type are kept, in every size. */
static void test_alignment(void)
{
    for (unsigned log = 0; log < 4; log++) {
        size_t align = (size_t)8 << log;
        for (size_t n = 1; n < 20; n++) {
            ouro_type *type = &aligned_types[log][n];
            *type = (ouro_type){.size = n * align < 16 ? 16 : n * align, .align = align};
            void *objects[10];
            for (int i = 0; i < 10; i++) {
                objects[i] = ouro_new(type);
                REQUIRE(objects[i]);
                CHECK_EQ((uintptr_t)objects[i] % align, 0);
            }
            for (int i = 0; i < 10; i++)
                ouro_release(objects[i]);
        }
    }
}

static ouro_type small_array = {.size = 64, .align = 64, .name = "small array", .array_bytes = sizeof(ouro_array)};

/* An array is never smaller than its struct, and aligned like it. */
static void test_array_of_a_larger_struct(void)
{
    for (size_t length = 0; length < 300; length += 7) {
        unsigned char *o = ouro_new_array(&small_array, length);
        REQUIRE(o);
        CHECK_EQ((uintptr_t)o % 64, 0);
        size_t size = sizeof(ouro_array) + length;
        CHECK(is_zero_behind(o, sizeof(ouro_array), size > 64 ? size : 64));
        CHECK_GE(oi_page_block_size(oi_page_of(o)), 64);
        ouro_release(o);
    }
}

static void test_refused(void)
{
    CHECK_PTR(ouro_new(NULL), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new", NULL, NULL);
    CHECK_PTR(ouro_new(&bytes_type), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new", "bytes", NULL);
    CHECK_PTR(ouro_new_array(&plain_type, 3), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new_array", "plain", NULL);
}

int main(void)
{
    check_start("new_test");
    fixture_start();
    FIXTURE_RUN(test_zeroed);
    FIXTURE_RUN(test_not_beyond);
    FIXTURE_RUN(test_arrays);
    FIXTURE_RUN(test_large);
    FIXTURE_RUN(test_alignment);
    FIXTURE_RUN(test_array_of_a_larger_struct);
    FIXTURE_RUN(test_refused);
    return check_finish();
}
