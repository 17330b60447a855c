/* SPDX-License-Identifier: MIT
 *
 * Making objects: zeroed bodies of all sizes, arrays of slots and bytes, alignment, descriptors with many slots, many
 * types, a seeded mixture of sizes in which every byte belongs to one object only. Each test ends with nothing left. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/rng.h"

static uint64_t seed;

static bool all_bytes_are(const void *from, size_t count, unsigned char value)
{
    const unsigned char *bytes = from;
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static unsigned char *body_of(void *object)
{
    return (unsigned char *)object + sizeof(ouro_object);
}

/* The first round finds fresh memory, the second what the first has filled and released. */
static void test_body_is_zero(void)
{
    static const size_t sizes[] = {16,    24,    32,     40,     48,      56,      64,      72,           80,    96,
                                   104,   128,   136,    200,    256,     264,     512,     520,          1000,  1024,
                                   1032,  2048,  4096,   4104,   8192,    8200,    9000,    16384,        32768, 32776,
                                   65536, 65544, 131072, 200000, 1 << 20, 3 << 20, 8 << 20, (8 << 20) + 8};
    enum { COUNT = sizeof sizes / sizeof *sizes, EACH = 20 };
    static ouro_type types[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ouro_type *type = &types[i];
        *type = (ouro_type){.size = sizes[i], .align = 8, .name = "sized"};
        int each = sizes[i] > 100000 ? 3 : EACH;
        for (int round = 0; round < 2; round++) {
            void *objects[EACH];
            for (int k = 0; k < each; k++) {
                objects[k] = ouro_new(type);
                REQUIRE(objects[k]);
                CHECK_EQ((uintptr_t)objects[k] % 8, 0);
                CHECK(all_bytes_are(body_of(objects[k]), sizes[i] - sizeof(ouro_object), 0));
                memset(body_of(objects[k]), 0xa0 + k, sizes[i] - sizeof(ouro_object));
            }
            for (int k = 0; k < each; k++) {
                CHECK(all_bytes_are(body_of(objects[k]), sizes[i] - sizeof(ouro_object), (unsigned char)(0xa0 + k)));
                CHECK_PTR(ouro_type_of(objects[k]), type);
                CHECK_EQ(ouro_refcount(objects[k]), 1);
                ouro_release(objects[k]);
            }
        }
    }
}

static const size_t lengths[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 100, 1000, 4094, 4096, 8191, 100000, 1000000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void test_arrays_of_slots(void)
{
    struct leaf *shared_content = leaf_new(1);
    for (int i = 0; i < LENGTHS; i++) {
        struct table *t = table_new(lengths[i]);
        CHECK_EQ(t->array.length, lengths[i]);
        CHECK_PTR(ouro_type_of(t), &table_type);
        CHECK(all_bytes_are(t->items, lengths[i] * sizeof(ouro_slot), 0));
        for (size_t k = 0; k < lengths[i]; k++)
            ouro_set(t, &t->items[k], shared_content);
        CHECK_EQ(ouro_refcount(shared_content), lengths[i] + 1);
        ouro_release(t);
        CHECK_EQ(ouro_refcount(shared_content), 1);
    }
    ouro_release(shared_content);
    CHECK_EQ(finalized(), 1);
}

static void test_arrays_of_bytes(void)
{
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < LENGTHS; i++) {
            struct bytes *b = ouro_new_array(&bytes_type, lengths[i]);
            REQUIRE(b);
            CHECK_EQ(b->array.length, lengths[i]);
            CHECK(all_bytes_are(b->data, lengths[i], 0));
            memset(b->data, 0xff, lengths[i]);
            ouro_release(b);
        }
}

/* Lengths whose size in bytes does not exist, or wraps around to something small. */
static void test_impossible_lengths(void)
{
    static const size_t too_long[] = {SIZE_MAX,         SIZE_MAX - 7,          SIZE_MAX / 2,          SIZE_MAX / 8,
                                      SIZE_MAX / 8 + 1, SIZE_MAX / 8 - 3,      SIZE_MAX / 8 + 100,    SIZE_MAX / 16,
                                      (size_t)1 << 61,  ((size_t)1 << 61) - 1, ((size_t)1 << 61) + 1, (size_t)1 << 60};
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++)
        CHECK_PTR(ouro_new_array(&table_type, too_long[i]), NULL);
    static const size_t too_many_bytes[] = {SIZE_MAX,         SIZE_MAX - 16,    SIZE_MAX - 23,
                                            SIZE_MAX - 24,    SIZE_MAX - 25,    SIZE_MAX - 64,
                                            SIZE_MAX - 65536, SIZE_MAX / 2 + 1, SIZE_MAX - (1 << 22)};
    for (size_t i = 0; i < sizeof too_many_bytes / sizeof *too_many_bytes; i++)
        CHECK_PTR(ouro_new_array(&bytes_type, too_many_bytes[i]), NULL);
    struct table *t = table_new(10); /* and the heap goes on */
    ouro_release(t);
}

static void test_null(void)
{
    CHECK_PTR(ouro_type_of(NULL), NULL);
    CHECK_EQ(ouro_refcount(NULL), 0);
    CHECK_PTR(ouro_retain(NULL), NULL);
    ouro_release(NULL);
    ouro_share(NULL);
}

struct aligned16 {
    ouro_object object;
    _Alignas(16) unsigned char data[16];
};

struct aligned32 {
    ouro_object object;
    _Alignas(32) unsigned char data[32];
};

struct aligned64 {
    ouro_object object;
    ouro_slot slot;
    _Alignas(64) unsigned char data[64];
};

struct aligned_bytes {
    ouro_array array;
    _Alignas(64) unsigned char data[];
};

static ouro_type aligned16_type = OURO_TYPE(struct aligned16, .name = "aligned16");
static ouro_type aligned32_type = OURO_TYPE(struct aligned32, .name = "aligned32");
static ouro_type aligned64_type =
    OURO_TYPE(struct aligned64, .name = "aligned64", .slots = OURO_SLOTS(struct aligned64, slot));
static ouro_type aligned_bytes_type =
    OURO_TYPE(struct aligned_bytes, .name = "aligned bytes", .array_bytes = offsetof(struct aligned_bytes, data));

static void test_alignment(void)
{
    enum { COUNT = 300 };
    struct aligned16 *z[COUNT];
    struct aligned32 *a[COUNT];
    struct aligned64 *b[COUNT];
    struct aligned_bytes *c[COUNT];
    for (int i = 0; i < COUNT; i++) {
        z[i] = ouro_new(&aligned16_type);
        a[i] = ouro_new(&aligned32_type);
        b[i] = ouro_new(&aligned64_type);
        c[i] = ouro_new_array(&aligned_bytes_type, (size_t)i * (i % 50 ? 17 : 1700));
        REQUIRE(z[i] && a[i] && b[i] && c[i]);
        CHECK_EQ((uintptr_t)z[i]->data % 16, 0);
        CHECK_EQ((uintptr_t)a[i]->data % 32, 0);
        CHECK_EQ((uintptr_t)b[i]->data % 64, 0);
        CHECK_EQ((uintptr_t)c[i]->data % 64, 0);
        memset(a[i]->data, i, sizeof a[i]->data);
        memset(b[i]->data, i, sizeof b[i]->data);
        memset(c[i]->data, i, c[i]->array.length);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(all_bytes_are(a[i]->data, sizeof a[i]->data, (unsigned char)i));
        CHECK(all_bytes_are(b[i]->data, sizeof b[i]->data, (unsigned char)i));
        CHECK(all_bytes_are(c[i]->data, c[i]->array.length, (unsigned char)i));
        ouro_release(z[i]);
        ouro_release(a[i]);
        ouro_release(b[i]);
        ouro_release(c[i]);
    }
}

struct many {
    ouro_object object;
    ouro_slot s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22,
        s23, s24, s25, s26, s27, s28, s29, s30;
    long between;
    ouro_slot row[40];
};

static ouro_type many_type =
    OURO_TYPE(struct many, .name = "many",
              .slots = OURO_SLOTS(struct many, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15,
                                  s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, row));

static ouro_slot *slot_of(struct many *m, int i)
{
    size_t offset = i < 31 ? offsetof(struct many, s0) : offsetof(struct many, row) - 31 * sizeof(ouro_slot);
    return (ouro_slot *)((char *)m + offset) + i;
}

/* Each declared slot is found when the object dies, when it is published, and by the collector; nothing else is. */
static void test_all_slots_are_found(void)
{
    enum { SLOTS = 31 + 40 };
    for (int how = 0; how < 3; how++) {
        long before = finalized();
        struct many *m = ouro_new(&many_type);
        REQUIRE(m);
        m->between = -1; /* looks like a reference to nowhere */
        for (int i = 0; i < SLOTS; i++) {
            ouro_give(m, slot_of(m, i), how == 2 ? NULL : leaf_new(i));
        }
        if (how == 1)
            ouro_share(m);
        if (how == 2) { /* one ring through each slot */
            for (int i = 0; i < SLOTS; i++) {
                struct node *n = node_new(i);
                ouro_set(n, &n->a, m);
                ouro_give(m, slot_of(m, i), n);
            }
        }
        ouro_release(m);
        if (how == 2)
            CHECK_EQ(ouro_gc_collect(0), SLOTS + 1);
        CHECK_EQ(finalized() - before, SLOTS);
    }
}

static void test_many_types(void)
{
    enum { COUNT = 20000 };
    static ouro_type types[COUNT];
    static void *objects[COUNT];
    for (int i = 0; i < COUNT; i++) {
        types[i] = (ouro_type){
            .size = sizeof(struct node), .align = 8, .name = "one of many", .slots = OURO_SLOTS(struct node, a, b)};
        objects[i] = ouro_new(&types[i]);
        REQUIRE(objects[i]);
    }
    int wrong = 0;
    for (int i = 0; i < COUNT; i++)
        wrong += ouro_type_of(objects[i]) != &types[i];
    CHECK_EQ(wrong, 0);
    for (int i = 0; i < COUNT; i++)
        ouro_release(objects[i]);
}

struct piece {
    void *object; /* NULL: none at present */
    unsigned char *body;
    size_t size;
    unsigned char value;
};

enum { PIECES = 2000, KINDS = 40 };

static struct piece piece_new(struct rng *rng, ouro_type *types)
{
    struct piece piece = {.value = (unsigned char)(1 + rng_below(rng, 255))};
    if (rng_one_in(rng, 8)) {
        piece.size = rng_one_in(rng, 200) ? rng_below(rng, 300000) : rng_below(rng, 3000);
        struct bytes *b = ouro_new_array(&bytes_type, piece.size);
        REQUIRE(b);
        piece.object = b;
        piece.body = b->data;
    } else {
        ouro_type *type = &types[rng_below(rng, KINDS)];
        piece.object = ouro_new(type);
        REQUIRE(piece.object);
        piece.body = body_of(piece.object);
        piece.size = type->size - sizeof(ouro_object);
    }
    return piece;
}

/* Random sizes come and go; each object keeps the pattern that was written when it was made. */
static void test_mixed_sizes(void)
{
    enum { STEPS = SCALED(100000) };
    static ouro_type types[KINDS];
    static struct piece pieces[PIECES];
    struct rng rng = rng_stream(seed, 1);
    for (int i = 0; i < KINDS; i++)
        types[i] = (ouro_type){.size = sizeof(ouro_object) + 8 * (size_t)(i < 30 ? i : (i - 29) * (i - 29) * 23),
                               .align = 8,
                               .name = "piece"};
    int damaged = 0, unclean = 0;
    for (int step = 0; step < STEPS + PIECES; step++) {
        struct piece *piece = &pieces[step < STEPS ? (int)rng_below(&rng, PIECES) : step - STEPS];
        if (piece->object) {
            damaged += !all_bytes_are(piece->body, piece->size, piece->value);
            ouro_release(piece->object);
            piece->object = NULL;
        } else if (step < STEPS) {
            *piece = piece_new(&rng, types);
            unclean += !all_bytes_are(piece->body, piece->size, 0);
            memset(piece->body, piece->value, piece->size);
        }
    }
    CHECK_EQ(damaged, 0);
    CHECK_EQ(unclean, 0);
}

static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);
static ouro_type declared_leaf_type = OURO_TYPE(struct leaf, .name = "declared leaf", .flags = OURO_TYPE_LEAF);

static void test_is_tracked(void)
{
    void *objects[] = {node_new(0),
                       leaf_new(0),
                       table_new(3),
                       ouro_new_array(&bytes_type, 3),
                       ouro_new(&acyclic_type),
                       ouro_new(&declared_leaf_type)};
    static const bool tracked[] = {true, false, true, false, false, false};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        REQUIRE(objects[i]);
        CHECK_EQ(ouro_gc_is_tracked(objects[i]), tracked[i]);
        CHECK(!ouro_gc_is_finalized(objects[i]));
        ouro_release(objects[i]);
    }
}

/* A type without a name, and one with the smallest size there is. */
static void test_bare_type(void)
{
    static ouro_type bare_type = {.size = sizeof(ouro_object), .align = 4};
    void *object = ouro_new(&bare_type);
    REQUIRE(object);
    CHECK_PTR(ouro_type_of(object), &bare_type);
    CHECK_EQ(ouro_refcount(object), 1);
    ouro_release(object);
}

int main(void)
{
    check_start("object_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_body_is_zero);
    FIXTURE_RUN(test_arrays_of_slots);
    FIXTURE_RUN(test_arrays_of_bytes);
    FIXTURE_RUN(test_impossible_lengths);
    FIXTURE_RUN(test_null);
    FIXTURE_RUN(test_alignment);
    FIXTURE_RUN(test_all_slots_are_found);
    FIXTURE_RUN(test_many_types);
    FIXTURE_RUN(test_mixed_sizes);
    FIXTURE_RUN(test_is_tracked);
    FIXTURE_RUN(test_bare_type);
    return check_finish();
}
