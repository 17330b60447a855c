/* SPDX-License-Identifier: MIT
 *
 * Type descriptors: checked, registered once, and made quick to use. */
#include "object/type.h"

#include <stdlib.h>
#include <string.h>

#include <ouro/ouro.h>

#include "mem/pool.h"
#include "support/fixture.h"
#include "support/threads.h"

struct three {
    ouro_object object;
    ouro_slot a, b;
    long number;
    ouro_slot c;
    ouro_slot d[4];
};

/* A fresh copy of a descriptor, never freed: registered types are for ever. */
static ouro_type *copy_of(ouro_type type)
{
    ouro_type *copy = malloc(sizeof *copy);
    REQUIRE(copy);
    memcpy(copy, &type, sizeof type);
    static struct kept {
        struct kept *next;
        ouro_type *type;
    } *all; /* so that leak checkers see them */
    struct kept *kept = malloc(sizeof *kept);
    REQUIRE(kept);
    *kept = (struct kept){all, copy};
    all = kept;
    return copy;
}

static void finalize(void *object)
{
    (void)object;
}

/* The slots of an object in the order of its runs; returns how many. */
static size_t slots_of(const struct oi_type *type, void *object, ouro_slot **out, size_t max)
{
    ouro_slot *first;
    size_t count, n = 0;
    for (uint32_t run = 0; oi_slots_run(type, object, run, &first, &count); run++) {
        for (size_t i = 0; i < count; i++, n++) {
            if (n < max)
                out[n] = first + i;
        }
    }
    return n;
}

struct seen {
    const void *refs[64];
    size_t n;
};

static void see(ouro_object *ref, void *arg)
{
    struct seen *seen = arg;
    if (seen->n < 64)
        seen->refs[seen->n] = ref;
    seen->n++;
}

/* oi_each_ref skips what is empty, and visits the rest, each once, in order. */
static void check_each_ref(const struct oi_type *type, void *object, ouro_slot *const *slots, size_t n)
{
    static ouro_object targets[64];
    struct seen seen = {.n = 0};
    for (size_t i = 0; i < n; i++)
        slots[i]->ouro_private_ref = i % 3 == 1 ? NULL : &targets[i];
    oi_each_ref((uint32_t)type->birth, object, see, &seen);
    size_t expected = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 3 != 1)
            CHECK_PTR(seen.refs[expected++], &targets[i]);
    }
    CHECK_EQ(seen.n, expected);
}

/* Neighbouring members are one run, also a member and the array behind it; a gap begins the next. */
static void test_runs(void)
{
    struct oi_type *type = oi_type_register(
        copy_of((ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, a, b, c, d))), "test");
    REQUIRE(type);
    CHECK_EQ(type->run_count, 2);
    CHECK_EQ(type->runs[0].first, offsetof(struct three, a) / 8);
    CHECK_EQ(type->runs[0].count, 2);
    CHECK_EQ(type->runs[1].first, offsetof(struct three, c) / 8);
    CHECK_EQ(type->runs[1].count, 5);
    CHECK(!type->leaf && !type->special && !type->simple);
    type =
        oi_type_register(copy_of((ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, b, a))), "test");
    REQUIRE(type);
    CHECK_EQ(type->run_count, 1); /* in whatever order they are named */
    CHECK_EQ(type->runs[0].first, offsetof(struct three, a) / 8);
    CHECK_EQ(type->runs[0].count, 2);
    type = oi_type_register(copy_of((ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, d, b, c, a))), "test");
    REQUIRE(type);
    CHECK_EQ(type->run_count, 2);
    CHECK_EQ(type->runs[0].first, offsetof(struct three, a) / 8);
    CHECK_EQ(type->runs[0].count, 2);
    CHECK_EQ(type->runs[1].first, offsetof(struct three, c) / 8);
    CHECK_EQ(type->runs[1].count, 5);
}

struct wide {
    ouro_object object;
    ouro_slot s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15;
    long gap;
    ouro_slot s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31;
};

/* All 32 fields count, wherever they lie. */
static void test_all_fields(void)
{
    ouro_type *d = copy_of(
        (ouro_type)OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10,
                                                              s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21,
                                                              s22, s23, s24, s25, s26, s27, s28, s29, s30, s31)));
    struct oi_type *type = oi_type_register(d, "test");
    REQUIRE(type);
    CHECK_EQ(type->run_count, 2);
    CHECK_EQ(type->runs[0].count, 16);
    CHECK_EQ(type->runs[1].count, 16);
    CHECK_EQ(type->runs[1].first, offsetof(struct wide, s16) / 8);
    struct wide object = {.gap = -1};
    ouro_slot *slots[32];
    CHECK_EQ(slots_of(type, &object, slots, 32), 32);
    for (int i = 0; i < 32; i++)
        CHECK_PTR(slots[i], i < 16 ? &object.s0 + i : &object.s16 + (i - 16));
    check_each_ref(type, &object, slots, 32);
    CHECK_EQ(object.gap, -1);
}

struct every_other {
    ouro_object object;
    struct {
        ouro_slot slot;
        long number;
    } pairs[32];
};

/* 32 runs of one slot each: the most there can be. */
static void test_most_runs(void)
{
    ouro_type type = OURO_TYPE(struct every_other, .name = "every other");
    for (int i = 0; i < 32; i++)
        type.slots[i] = (uint32_t)(offsetof(struct every_other, pairs[i]) / 8) | 1u << 16;
    struct oi_type *t = oi_type_register(copy_of(type), "test");
    REQUIRE(t);
    CHECK_EQ(t->run_count, 32);
    struct every_other object = {.pairs = {{.number = -1}}};
    ouro_slot *slots[32];
    CHECK_EQ(slots_of(t, &object, slots, 32), 32);
    for (int i = 0; i < 32; i++)
        CHECK_PTR(slots[i], &object.pairs[i].slot);
    check_each_ref(t, &object, slots, 32);
}

/* No slots: leaf. One run and nothing special: simple. A finalizer: special. */
static void test_kinds(void)
{
    struct oi_type *t = oi_type_register(copy_of((ouro_type)OURO_TYPE(struct three, .name = "leaf")), "test");
    CHECK(t->leaf && t->simple && !t->special);
    CHECK_EQ(t->run_count, 0);
    CHECK_EQ(t->runs[0].count, 0); /* says all of a simple type */
    CHECK(t->birth >> 48 & OI_UNTRACKED);
    t = oi_type_register(copy_of((ouro_type)OURO_TYPE(struct three, .flags = OURO_TYPE_LEAF)), "test");
    CHECK(t->leaf);
    t = oi_type_register(copy_of((ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, c))), "test");
    CHECK(!t->leaf && t->simple && !t->special);
    CHECK(!(t->birth >> 48 & OI_UNTRACKED));
    t = oi_type_register(
        copy_of((ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, c), .finalize = finalize)),
        "test");
    CHECK(!t->leaf && !t->simple && t->special);
    t = oi_type_register(copy_of((ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, c),
                                                      .flags = OURO_TYPE_ACYCLIC)), "test");
    CHECK(!t->leaf && t->simple);
    CHECK(t->birth >> 48 & OI_UNTRACKED);
}

struct aligned {
    ouro_object object;
    _Alignas(64) char data[4];
};

/* The words that a new object starts with: the id, the size of the body, nothing else; and the pool it comes from. */
static void test_birth(void)
{
    struct exact {
        ouro_object object;
        char data[13];
    };
    ouro_type *d = copy_of((ouro_type)OURO_TYPE(struct exact, .name = "exact"));
    struct oi_type *t = oi_type_register(d, "test");
    uint32_t id = OI_TYPE_ID((uint32_t)t->birth);
    CHECK(id != 0);
    CHECK_PTR(oi_types[id], t);
    CHECK_PTR(t->descriptor, d);
    CHECK_EQ(t->size, 32);
    CHECK_EQ((uint32_t)t->birth >> OI_UNITS_SHIFT, 2);
    CHECK(!(t->birth & OI_PAIR));
    CHECK_EQ(t->birth >> 32 & 0xffff, 0);
    CHECK_EQ(d->ouro_private_birth, t->birth);
    CHECK_EQ(d->ouro_private_body, 16);
    CHECK_EQ(d->ouro_private_pool, oi_pool_index(32, true));
    ouro_type *a = copy_of((ouro_type)OURO_TYPE(struct aligned, .name = "aligned"));
    t = oi_type_register(a, "test");
    CHECK_EQ(t->size, 128);
    CHECK_EQ(t->align, 64);
    CHECK(OI_TYPE_ID((uint32_t)t->birth) != id);
}

/* Bodies of blocks too large for a page of one unit have no size in the type word; blocks too large for a class have no pool. */
static void test_large_types(void)
{
    static const struct {
        size_t size;
        bool units, pool;
    } cases[] = {
        {OI_PAGE_ONE_UNIT_MAX, true, true},
        {OI_PAGE_ONE_UNIT_MAX + 8, false, true},
        {OI_CLASS_MAX, false, true},
        {OI_CLASS_MAX + 8, false, false},
        {16, false, true},
        {24, true, true},
        {1000000, false, false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        ouro_type *d = copy_of((ouro_type){.size = cases[i].size, .align = 8});
        struct oi_type *t = oi_type_register(d, "test");
        REQUIRE(t);
        CHECK_EQ((uint32_t)t->birth >> OI_UNITS_SHIFT, cases[i].units ? (cases[i].size - 16) / 8 : 0);
        CHECK_EQ(d->ouro_private_pool, cases[i].pool ? oi_pool_index(cases[i].size, true) : OI_POOL_NONE);
    }
}

/* A pair has two slots right behind the header, no others, whatever comes after, and asks for nothing. */
static void test_pairs(void)
{
    struct wide {
        ouro_object object;
        ouro_slot a, b, c;
        char data[100];
    };
    struct far {
        ouro_object object;
        ouro_slot two[2];
        char data[OI_PAGE_ONE_UNIT_MAX];
    };
    struct {
        bool pair;
        ouro_type type;
    } cases[] = {
        {true, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, a, b))},
        {true, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, b, a))},
        {false, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, b, c))},
        {false, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, a, c))},
        {false, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, a, b, c))},
        {false, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, a))},
        {false, OURO_TYPE(struct wide)},
        {false, OURO_TYPE(struct wide, .slots = OURO_SLOTS(struct wide, a, b), .finalize = finalize)},
        {false, OURO_TYPE(struct far, .slots = OURO_SLOTS(struct far, two))}, /* its page is not found by arithmetic alone */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        ouro_type *d = copy_of(cases[i].type);
        struct oi_type *t = oi_type_register(d, "test");
        REQUIRE(t);
        CHECK_EQ(!!(t->birth & OI_PAIR), cases[i].pair);
    }
}

static void test_arrays(void)
{
    struct items {
        ouro_array array;
        ouro_slot fixed;
        ouro_slot items[];
    };
    ouro_type *d = copy_of((ouro_type)OURO_TYPE(struct items, .slots = OURO_SLOTS(struct items, fixed),
                                                .array_slots = offsetof(struct items, items)));
    struct oi_type *t = oi_type_register(d, "test");
    REQUIRE(t);
    CHECK(oi_type_is_array(t));
    CHECK(!t->leaf && !t->simple);
    CHECK_EQ(t->slots_at, offsetof(struct items, items));
    CHECK_EQ((uint32_t)t->birth >> OI_UNITS_SHIFT, 0);
    CHECK_EQ(d->ouro_private_pool, OI_POOL_NONE);
    _Alignas(16) char memory[sizeof(struct items) + 5 * sizeof(ouro_slot)] = {0};
    struct items *object = (void *)memory;
    for (size_t length = 0; length <= 5; length++) {
        object->array.length = length;
        CHECK_EQ(oi_object_size(t, &object->array.object), sizeof(struct items) + length * 8);
        ouro_slot *slots[6];
        CHECK_EQ(slots_of(t, object, slots, 6), 1 + length);
        for (size_t i = 0; i <= length; i++)
            CHECK_PTR(slots[i], i ? &object->items[i - 1] : &object->fixed);
        check_each_ref(t, object, slots, 1 + length);
    }
    struct raw {
        ouro_array array;
        unsigned char data[];
    };
    t = oi_type_register(copy_of((ouro_type)OURO_TYPE(struct raw, .array_bytes = offsetof(struct raw, data))), "test");
    REQUIRE(t);
    CHECK(t->leaf && t->simple && oi_type_is_array(t));
    object->array.length = 13;
    CHECK_EQ(oi_object_size(t, &object->array.object), sizeof(struct raw) + 13);
}

/* Registered once: the same again, and no other type's. */
static void test_registered_once(void)
{
    ouro_type *d = copy_of((ouro_type)OURO_TYPE(struct three, .name = "once")), before;
    struct oi_type *t = oi_type_register(d, "test");
    memcpy(&before, d, sizeof before);
    for (int i = 0; i < 3; i++)
        CHECK_PTR(oi_type_register(d, "test"), t);
    CHECK(!memcmp(&before, d, sizeof before));
}

enum { TYPES = 200, REGISTRARS = 4 };
static ouro_type raced[TYPES];
static struct oi_type *got[REGISTRARS][TYPES];

static void register_all(struct member *self)
{
    for (int i = 0; i < TYPES; i++)
        got[self->index][i] = oi_type_register(&raced[i], "test");
}

static void test_register_race(void)
{
    for (int i = 0; i < TYPES; i++)
        raced[i] = (ouro_type)OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, a, b));
    team_run(REGISTRARS, 1, register_all, NULL);
    for (int i = 0; i < TYPES; i++) {
        REQUIRE(got[0][i]);
        for (int j = 1; j < REGISTRARS; j++)
            CHECK_PTR(got[j][i], got[0][i]);
        CHECK_PTR(got[0][i]->descriptor, &raced[i]);
        CHECK_PTR(oi_types[OI_TYPE_ID((uint32_t)raced[i].ouro_private_birth)], got[0][i]);
        for (int j = 0; j < i; j++)
            CHECK(got[0][j] != got[0][i]);
    }
}

static void check_refused(ouro_type type, const char *part_of_message)
{
    ouro_type *d = copy_of(type);
    misuse_forget();
    CHECK_PTR(oi_type_register(d, "some_call"), NULL);
    CHECK_EQ(d->ouro_private_birth, 0);
    CHECK_HAS(misuse_first().message, part_of_message);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "some_call", NULL, NULL);
}

/* Every fault, with the message that is meant for it. */
static void test_faults(void)
{
    const ouro_type good = OURO_TYPE(struct three, .slots = OURO_SLOTS(struct three, a, b));
    ouro_type t;
#define REFUSED(change, part) (t = good, (change), check_refused(t, (part)))
    REFUSED(t.size = 0, "size");
    REFUSED(t.size = 15, "size");
    REFUSED(t.size = UINT32_MAX, "size");
    REFUSED(t.size = SIZE_MAX, "size");
    REFUSED(t.align = 0, "alignment");
    REFUSED(t.align = 3, "alignment");
    REFUSED(t.align = 24, "alignment");
    REFUSED(t.align = 128, "alignment");
    REFUSED(t.slots[0] = 0 | 1 << 16, "outside");  /* the header */
    REFUSED(t.slots[1] = 1 | 1 << 16, "outside");
    REFUSED(t.slots[1] = (uint32_t)(sizeof(struct three) / 8) | 1 << 16, "outside");
    REFUSED(t.slots[1] = 2u | 100u << 16, "outside");
    REFUSED(t.slots[1] = t.slots[0], "twice");
    REFUSED((t.slots[0] = 2u | 2u << 16, t.slots[1] = 3u | 1u << 16), "twice");
    REFUSED((t.slots[0] = 3u | 1u << 16, t.slots[1] = 2u | 2u << 16), "twice");
    REFUSED((t.slots[0] = 3u | 1u << 16, t.slots[1] = 0, t.array_slots = 24), "tail"); /* which begins there */
    REFUSED((t.slots[0] = 3u | 1u << 16, t.slots[1] = 0, t.array_bytes = 28), "tail");
    REFUSED(t.array_slots = 16, "array");
    REFUSED(t.array_bytes = 23, "array");
    REFUSED(t.array_slots = 28, "array");
    REFUSED((t.array_slots = 24, t.array_bytes = 24), "array");
    REFUSED(t.array_bytes = (size_t)UINT32_MAX + 1, "array");
    REFUSED(t.array_slots = (size_t)UINT32_MAX + 1, "array");
    REFUSED(t.flags = OURO_TYPE_LEAF, "leaf");
    REFUSED(t.flags = 0x10, "flags");
    t = good;
    t.slots[0] = 0;
    t.array_slots = 24;
    t.flags = OURO_TYPE_LEAF;
    check_refused(t, "leaf");
    t = good;
    for (int i = 0; i <= OURO_TYPE_FIELDS_MAX; i++)
        t.slots[i] = 2u | 1u << 16;
    check_refused(t, "32");
#undef REFUSED
    CHECK_PTR(oi_type_register(NULL, "some_call"), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "some_call", NULL, NULL);
    t = good;
    CHECK(oi_type_register(copy_of(t), "some_call")); /* it was the change, each time */
}

/* The library's own types have ids of their own, below all others; registering one again has no effect, and nobody else can claim to be one. */
static void test_own_types(void)
{
    static ouro_type own = OURO_TYPE(struct three, .name = "own", .slots = OURO_SLOTS(struct three, a), .flags = OI_TYPE_OWN);
    struct oi_type *type = oi_type_register_own(&own, OI_OWN_TYPES - 2, NULL);
    REQUIRE(type);
    CHECK_EQ(OI_TYPE_ID((uint32_t)own.ouro_private_birth), OI_OWN_TYPES - 2);
    CHECK_PTR(oi_types[OI_OWN_TYPES - 2], type);
    CHECK_PTR(oi_type_register_own(&own, OI_OWN_TYPES - 2, NULL), type);
    CHECK_PTR(oi_type_register(&own, "a_call"), type);
    ouro_type *other = copy_of((ouro_type)OURO_TYPE(struct three, .name = "other"));
    REQUIRE(oi_type_register(other, "a_call"));
    CHECK_GE(OI_TYPE_ID((uint32_t)other->ouro_private_birth), OI_OWN_TYPES);
    ouro_type *pretender = copy_of((ouro_type)OURO_TYPE(struct three, .name = "pretender", .flags = OI_TYPE_OWN));
    CHECK_PTR(oi_type_register(pretender, "a_call"), NULL);
    CHECK_EQ(misuse_count(), 1);
    CHECK_HAS(misuse_first().message, "unknown flags");
    misuse_forget();
}

int main(void)
{
    check_start("type_test");
    fixture_start();
    FIXTURE_RUN(test_runs);
    FIXTURE_RUN(test_all_fields);
    FIXTURE_RUN(test_most_runs);
    FIXTURE_RUN(test_kinds);
    FIXTURE_RUN(test_birth);
    FIXTURE_RUN(test_large_types);
    FIXTURE_RUN(test_pairs);
    FIXTURE_RUN(test_arrays);
    FIXTURE_RUN(test_registered_once);
    FIXTURE_RUN(test_register_race);
    FIXTURE_RUN(test_faults);
    FIXTURE_RUN(test_own_types);
    return check_finish();
}
