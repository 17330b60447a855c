/* SPDX-License-Identifier: MIT
 *
 * Hashes. Each is below 2^62 and depends on a key that the process chose at random at its start, so that nobody can prepare keys
 * that collide. */
#pragma once

#include "lib_value_value.h"

#define OI_HASH_BITS 62
#define OI_HASH_MASK (((uint64_t)1 << OI_HASH_BITS) - 1)

extern uint64_t oi_hash_key[2]; /* set once, at start */

void oi_hash_init(void);

/* SipHash with c rounds for each 8 bytes and d at the end (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012). */
static OI_ALWAYS_INLINE uint64_t oi_siphash(int c, int d, const uint64_t key[2], const void *bytes, size_t size);

/* Of bytes: SipHash-1-3, as in CPython and Rust. */
uint64_t oi_hash_bytes(const void *bytes, size_t size);

/* Of two words; one of them may be the hash of what comes before. Two products, each followed by both its halves, as in wyhash (Wang Yi,
 * 2019): one would leave arithmetic progressions too regular under some keys. */
static inline uint64_t oi_hash_mix(uint64_t a, uint64_t b)
{
    typedef unsigned __int128 wide;
    wide first = (wide)(a ^ oi_hash_key[0]) * (b ^ oi_hash_key[1]);
    wide second = (wide)((uint64_t)first ^ oi_hash_key[0]) * ((uint64_t)(first >> 64) ^ oi_hash_key[1]);
    return ((uint64_t)second ^ (uint64_t)(second >> 64)) & OI_HASH_MASK;
}

static inline uint64_t oi_hash_address(const void *object)
{
    return oi_hash_mix((uintptr_t)object, 0x6f626a656374); /* "object" */
}

/* ouro_hash where that takes neither memory nor a host's callback: true. */
bool oi_hash_quick(ouro_value value, uint64_t *hash);

/* ouro_key_equal where that takes neither memory nor a host's callback. May be asked in a read section, and under a lock. */
enum oi_answer { OI_DIFFERENT, OI_EQUAL, OI_ASK };
enum oi_answer oi_key_equal_quick(ouro_value a, ouro_value b);

/* ---- SipHash ---- */

static inline uint64_t oi_rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static OI_ALWAYS_INLINE void oi_sipround(uint64_t v[4])
{
    v[0] += v[1], v[2] += v[3];
    v[1] = oi_rotate_left(v[1], 13) ^ v[0], v[3] = oi_rotate_left(v[3], 16) ^ v[2];
    v[0] = oi_rotate_left(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = oi_rotate_left(v[1], 17) ^ v[2], v[3] = oi_rotate_left(v[3], 21) ^ v[0];
    v[2] = oi_rotate_left(v[2], 32);
}

static OI_ALWAYS_INLINE void oi_sip_word(int c, uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    for (int i = 0; i < c; i++)
        oi_sipround(v);
    v[0] ^= word;
}

static OI_ALWAYS_INLINE uint64_t oi_siphash(int c, int d, const uint64_t key[2], const void *bytes, size_t size)
{
    /* "somepseudorandomlygeneratedbytes" */
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    const unsigned char *at = bytes;
    uint64_t word;
    for (size_t left = size / 8; left; left--, at += 8) {
        __builtin_memcpy(&word, at, 8); /* little-endian, as the machine (<ouro/inline/port.h>) */
        oi_sip_word(c, v, word);
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < size % 8; i++)
        word |= (uint64_t)at[i] << 8 * i;
    oi_sip_word(c, v, word);
    v[2] ^= 0xff;
    for (int i = 0; i < d; i++)
        oi_sipround(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
