/* SPDX-License-Identifier: MIT
 *
 * SipHash against published and independent values; that hashes of numbers spread; what the quick answers to equality are. */
#include "value/hash.h"

#include <math.h>

#include "support/values.h"
#include "value/number.h"

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", appendix A: SipHash-2-4 with the key 00 01 .. 0f of the bytes 00 01 .. 0e. */
static void test_the_example_of_the_paper(void)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    unsigned char bytes[15];
    for (int i = 0; i < 15; i++)
        bytes[i] = (unsigned char)i;
    CHECK_EQ(oi_siphash(2, 4, key, bytes, 15), 0xa129ca6149be45e5);
}

/* SipHash-1-3 with the key 0 of the bytes 00 01 ..: what CPython 3.11 has as their hash under PYTHONHASHSEED=0. */
static void test_as_in_cpython(void)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } known[] = {
        {1, 0x68a914128e01e473},  {2, 0x010bac45c41e3669},  {3, 0x4d4c9a4a8ef6e0ad},  {7, 0x2f098ab0c751325a},
        {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362},  {15, 0xf30eb725bb91c9ea}, {16, 0x8972188433a5c5b7},
        {17, 0x4883c49a2c009c1d}, {31, 0x169739443111d49b}, {63, 0x385d3e39e5f37359}, {64, 0x75e05fd5bbc870c6},
    };
    static const uint64_t zero[2];
    unsigned char bytes[65];
    for (int i = 0; i < 65; i++)
        bytes[i] = (unsigned char)(i - 1);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK_EQ(oi_siphash(1, 3, zero, bytes + 1, known[i].size), known[i].hash); /* and from an odd address */
}

static void test_the_key(void)
{
    CHECK_NE(oi_hash_key[0], 0);
    CHECK_NE(oi_hash_key[1], 0);
    uint64_t before = oi_hash_key[0];
    oi_hash_init();
    CHECK_EQ(oi_hash_key[0], before);
    CHECK_EQ(oi_hash_bytes("abc", 3), oi_siphash(1, 3, oi_hash_key, "abc", 3) & OI_HASH_MASK);
}

enum { BUCKETS = 1 << 12, PER_BUCKET = 16, KEYS = BUCKETS * PER_BUCKET };

/* The fullest of the buckets that the lowest bits choose, and the fullest by the highest. With keys thrown at random, 16 to a bucket on average, none
 * of 4096 gets 60 (the chance is below 10^-11). */
static void check_spread(uint64_t (*nth)(uint64_t n))
{
    static unsigned low[BUCKETS], high[BUCKETS];
    unsigned most = 0;
    for (int i = 0; i < BUCKETS; i++)
        low[i] = high[i] = 0;
    for (uint64_t n = 0; n < KEYS; n++) {
        uint64_t hash = nth(n);
        unsigned a = ++low[hash % BUCKETS], b = ++high[hash >> (OI_HASH_BITS - 12)];
        most = a > most ? a : most;
        most = b > most ? b : most;
    }
    CHECK_LT(most, 60);
}

static uint64_t small_int(uint64_t n)
{
    return oi_number_hash(ouro_int_new((int64_t)n));
}

static uint64_t negative_int(uint64_t n)
{
    return oi_number_hash(ouro_int_new(-(int64_t)n));
}

static uint64_t multiple(uint64_t n)
{
    return oi_number_hash(ouro_int_new((int64_t)n << 40));
}

static uint64_t fraction(uint64_t n)
{
    ouro_value v = number((double)n + 0.5);
    uint64_t hash = oi_number_hash(v);
    ouro_value_release(v);
    return hash;
}

static uint64_t address(uint64_t n)
{
    return oi_hash_address((void *)(uintptr_t)(0x7f0000000000 + 32 * n));
}

static uint64_t chain(uint64_t n)
{
    return oi_hash_mix(oi_hash_mix(2, oi_hash_mix(n / 256, 0)), oi_hash_mix(n % 256, 0));
}

static void test_hashes_spread(void)
{
    check_spread(small_int);
    check_spread(negative_int);
    check_spread(multiple);
    check_spread(fraction);
    check_spread(address);
    check_spread(chain);
}

static void test_quick_hashes(void)
{
    uint64_t hash;
    ouro_value s = text("abc"), t = tuple_of(1, INT(1));
    CHECK(oi_hash_quick(s, &hash) && hash == hash_of(s));
    CHECK(oi_hash_quick(OURO_NIL, &hash) && hash == hash_of(OURO_NIL));
    CHECK(oi_hash_quick(INT(5), &hash) && hash == hash_of(INT(5)));
    CHECK(!oi_hash_quick(t, &hash));
    uint64_t computed = hash_of(t);
    CHECK(oi_hash_quick(t, &hash) && hash == computed); /* kept */
    ouro_value_release(s);
    ouro_value_release(t);
}

static void test_quick_equality(void)
{
    ouro_value a = text("abc"), b = text("abc"), c = text("abd"), nan_1 = number(NAN), nan_2 = number(NAN), one = number(1);
    ouro_value t = tuple_of(1, INT(1)), u = tuple_of(1, INT(1));
    CHECK_EQ(oi_key_equal_quick(a, a), OI_EQUAL);
    CHECK_EQ(oi_key_equal_quick(a, b), OI_EQUAL);
    CHECK_EQ(oi_key_equal_quick(a, c), OI_DIFFERENT);
    CHECK_EQ(oi_key_equal_quick(INT(1), INT(2)), OI_DIFFERENT);
    CHECK_EQ(oi_key_equal_quick(INT(1), one), OI_EQUAL);
    CHECK_EQ(oi_key_equal_quick(INT(1), OURO_TRUE), OI_DIFFERENT);
    CHECK_EQ(oi_key_equal_quick(INT(0), OURO_NIL), OI_DIFFERENT);
    CHECK_EQ(oi_key_equal_quick(nan_1, nan_2), OI_EQUAL);
    CHECK_EQ(oi_key_equal_quick(nan_1, nan_1), OI_EQUAL);
    CHECK_EQ(oi_key_equal_quick(nan_1, one), OI_DIFFERENT);
    CHECK_EQ(oi_key_equal_quick(t, u), OI_ASK);
    CHECK_EQ(oi_key_equal_quick(t, t), OI_EQUAL);
    CHECK_EQ(oi_key_equal_quick(t, a), OI_DIFFERENT);
    ouro_value all[] = {a, b, c, nan_1, nan_2, one, t, u};
    ouro_value_release_all(all, 8);
}

int main(void)
{
    check_start("hash_test");
    fixture_start();
    FIXTURE_RUN(test_the_example_of_the_paper);
    FIXTURE_RUN(test_as_in_cpython);
    FIXTURE_RUN(test_the_key);
    FIXTURE_RUN(test_hashes_spread);
    FIXTURE_RUN(test_quick_hashes);
    FIXTURE_RUN(test_quick_equality);
    return check_finish();
}
