/* SPDX-License-Identifier: MIT
 *
 * Piles that grow, maps from addresses against a plain array, and both without memory. */
#include "value/worklist.h"

#include "support/check.h"
#include "support/fault.h"
#include "support/rng.h"

struct item {
    size_t a, b;
    char c;
};

static void test_piles(void)
{
    OI_PILE(struct item, 3) pile;
    oi_pile_init(pile);
    for (size_t i = 0; i < 10000; i++) {
        if (!CHECK(oi_pile_grow(pile)))
            break;
        pile.at[pile.count++] = (struct item){i, ~i, (char)i};
        CHECK_LE(pile.count, pile.room);
    }
    long wrong = 0;
    for (size_t i = 0; i < pile.count; i++)
        wrong += pile.at[i].a != i || pile.at[i].b != ~i || pile.at[i].c != (char)i;
    CHECK_EQ(wrong, 0);
    oi_pile_end(pile);
    oi_pile_init(pile); /* nothing that needs memory */
    CHECK(oi_pile_grow(pile));
    CHECK_PTR(pile.at, pile.first);
    oi_pile_end(pile);
}

enum { KEYS = 5000 };

static void test_maps(void)
{
    static uintptr_t model[KEYS];
    struct rng rng = {rng_seed()};
    struct oi_address_map map;
    oi_address_map_init(&map);
    long wrong = 0;
    for (int i = 0; i < 100000; i++) {
        size_t n = rng_below(&rng, i < 50 ? 10 : KEYS); /* few at first: those on the stack */
        const void *key = (const void *)(0x7f1234560000 + 16 * n);
        wrong += oi_address_map_get(&map, key) != model[n];
        if (rng_one_in(&rng, 2)) {
            uintptr_t *at = oi_address_map_at(&map, key);
            REQUIRE(at);
            wrong += *at != model[n];
            *at = model[n] = rng_below(&rng, 1000);
        }
    }
    CHECK_EQ(wrong, 0);
    oi_address_map_end(&map);
}

static void test_without_memory(void)
{
    if (!fault_supported())
        return;
    OI_PILE(struct item, 2) pile;
    struct oi_address_map map;
    oi_pile_init(pile);
    oi_address_map_init(&map);
    fault_arm(FAULT_FROM, 1);
    while (oi_pile_grow(pile))
        pile.count++;
    uintptr_t n = 1;
    for (uintptr_t *at; (at = oi_address_map_at(&map, (void *)(64 * n))); n++)
        *at = n;
    CHECK_GE(fault_disarm(), 2);
    CHECK_EQ(pile.count, 2);
    CHECK_GT(n, 4);
    for (uintptr_t i = 1; i < n; i++) /* as it was */
        CHECK_EQ(oi_address_map_get(&map, (void *)(64 * i)), i);
    CHECK(oi_address_map_at(&map, (void *)(64 * n)) != NULL);
    CHECK(oi_pile_grow(pile));
    oi_pile_end(pile);
    oi_address_map_end(&map);
}

int main(void)
{
    check_start("worklist_test");
    CHECK_RUN(test_piles);
    CHECK_RUN(test_maps);
    CHECK_RUN(test_without_memory);
    return check_finish();
}
