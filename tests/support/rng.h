/* SPDX-License-Identifier: MIT
 *
 * Random numbers that can be had again: everything random in a test comes from one seed, OURO_TEST_SEED in the
 * environment or else the test's own, which is printed. */
#ifndef TESTS_SUPPORT_RNG_H
#define TESTS_SUPPORT_RNG_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct rng {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 .. n-1 */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
    return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

static inline bool rng_one_in(struct rng *rng, uint32_t n)
{
    return rng_below(rng, n) == 0;
}

/* A stream of its own for each index (a thread, a round). */
static inline struct rng rng_stream(uint64_t seed, uint64_t index)
{
    struct rng rng = {seed ^ (index + 1) * 0xd1342543de82ef95u};
    rng_next(&rng);
    return rng;
}

static inline uint64_t rng_seed(void)
{
    const char *text = getenv("OURO_TEST_SEED");
    uint64_t seed = text && *text ? strtoull(text, NULL, 0) : 20260101;
    printf("seed %" PRIu64 " (set OURO_TEST_SEED to change it)\n", seed);
    return seed;
}

#endif
