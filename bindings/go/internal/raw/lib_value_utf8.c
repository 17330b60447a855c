//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_utf8.h"

#include <stdint.h>

#include "lib_base_base.h"

#define HIGH_BITS 0x8080808080808080u

static inline uint64_t eight(const char *bytes)
{
    uint64_t word;
    __builtin_memcpy(&word, bytes, 8);
    return word;
}

static inline bool within(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

/* The length of the well-formed sequence that begins here with a byte of 128 or more; 0: there is none. */
static size_t sequence(const unsigned char *at, size_t left)
{
    unsigned char first = at[0], low = 0x80, high = 0xbf;
    size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (!within(first, 0xc2, 0xf4) || left < length)
        return 0;
    if (first == 0xe0)
        low = 0xa0; /* what is shorter in two bytes */
    else if (first == 0xed)
        high = 0x9f; /* surrogates */
    else if (first == 0xf0)
        low = 0x90; /* what is shorter in three */
    else if (first == 0xf4)
        high = 0x8f; /* beyond U+10FFFF */
    if (!within(at[1], low, high))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!within(at[i], 0x80, 0xbf))
            return 0;
    return length;
}

bool oi_utf8_is_valid(const char *bytes, size_t size, bool *ascii)
{
    size_t at = 0;
    *ascii = true;
    while (at < size) {
        if (size - at >= 8 && !(eight(bytes + at) & HIGH_BITS)) {
            at += 8;
        } else if ((unsigned char)bytes[at] < 0x80) {
            at++;
        } else {
            size_t length = sequence((const unsigned char *)bytes + at, size - at);
            *ascii = false;
            if (!length)
                return false;
            at += length;
        }
    }
    return true;
}

/* Code points that begin in eight bytes. Those that go on with one are 10xxxxxx: the upper bit set, and the one below clear. The product adds up
 * the eight bits in its highest byte. */
static inline unsigned begun_in_eight(const char *bytes)
{
    uint64_t word = eight(bytes);
    uint64_t going_on = (word & ~word << 1 & HIGH_BITS) >> 7;
    return 8u - (unsigned)(going_on * 0x0101010101010101u >> 56);
}

size_t oi_utf8_count(const char *bytes, size_t size)
{
    size_t n = 0, at = 0;
    for (; size - at >= 8; at += 8)
        n += begun_in_eight(bytes + at);
    for (; at < size; at++)
        n += ((unsigned char)bytes[at] & 0xc0) != 0x80;
    return n;
}

size_t oi_utf8_offset(const char *bytes, size_t size, size_t index)
{
    size_t at = 0;
    while (size - at >= 8) { /* whole words as long as the code point asked for begins after them */
        unsigned begun = begun_in_eight(bytes + at);
        if (begun > index)
            break;
        index -= begun;
        at += 8;
    }
    for (; at < size; at++)
        if (((unsigned char)bytes[at] & 0xc0) != 0x80 && index-- == 0)
            return at;
    return size;
}
