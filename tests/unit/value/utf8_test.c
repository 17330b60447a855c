/* SPDX-License-Identifier: MIT
 *
 * UTF-8 against a second decoder, which works by arithmetic: every code point, every sequence of up to three bytes, the edges of those of four. */
#include "value/utf8.h"

#include <string.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"

static size_t encode(uint32_t c, unsigned char *out)
{
    if (c < 0x80)
        return out[0] = (unsigned char)c, 1;
    if (c < 0x800)
        return out[0] = (unsigned char)(0xc0 | c >> 6), out[1] = (unsigned char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return out[0] = (unsigned char)(0xe0 | c >> 12), out[1] = (unsigned char)(0x80 | (c >> 6 & 63)),
               out[2] = (unsigned char)(0x80 | (c & 63)), 3;
    return out[0] = (unsigned char)(0xf0 | c >> 18), out[1] = (unsigned char)(0x80 | (c >> 12 & 63)),
           out[2] = (unsigned char)(0x80 | (c >> 6 & 63)), out[3] = (unsigned char)(0x80 | (c & 63)), 4;
}

/* Valid: what decodes to code points that are none of the surrogates and encode to the same bytes. */
static bool second_opinion(const unsigned char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        unsigned lead = bytes[at];
        size_t n = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
        if (!n || size - at < n)
            return false;
        uint32_t c = n == 1 ? lead : lead & (0xffu >> (n + 1));
        for (size_t i = 1; i < n; i++) {
            if ((bytes[at + i] & 0xc0) != 0x80)
                return false;
            c = c << 6 | (bytes[at + i] & 63);
        }
        unsigned char again[4];
        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || encode(c, again) != n || memcmp(again, bytes + at, n) != 0)
            return false;
        at += n;
    }
    return true;
}

static long wrong;

static void compare(const unsigned char *bytes, size_t size)
{
    bool ascii, all_ascii = true, valid = oi_utf8_is_valid((const char *)bytes, size, &ascii);
    for (size_t i = 0; i < size; i++)
        all_ascii = all_ascii && bytes[i] < 0x80;
    wrong += valid != second_opinion(bytes, size);
    wrong += valid && ascii != all_ascii;
}

static void test_every_code_point(void)
{
    unsigned char bytes[4];
    wrong = 0;
    for (uint32_t c = 0; c <= 0x10ffff + 0x1000; c++) {
        size_t n = encode(c, bytes);
        bool ascii;
        compare(bytes, n);
        if (oi_utf8_is_valid((const char *)bytes, n, &ascii))
            wrong += oi_utf8_count((const char *)bytes, n) != 1;
        else
            wrong += c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000);
    }
    CHECK_EQ(wrong, 0);
}

static void test_every_short_sequence(void)
{
    unsigned char bytes[3] = {0};
    wrong = 0;
    compare(bytes, 0);
    for (unsigned n = 0; n < 1u << 24; n++) {
        bytes[0] = (unsigned char)(n >> 16), bytes[1] = (unsigned char)(n >> 8), bytes[2] = (unsigned char)n;
        compare(bytes, 3);
        if (!bytes[2])
            compare(bytes, 2);
        if (!bytes[1] && !bytes[2])
            compare(bytes, 1);
    }
    CHECK_EQ(wrong, 0);
}

static void test_four_bytes(void)
{
    static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    enum { EDGES = sizeof edges };
    wrong = 0;
    for (unsigned lead = 0xec; lead < 0x100; lead++)
        for (unsigned second = 0; second < 0x100; second++)
            for (int i = 0; i < EDGES * EDGES; i++)
                compare((unsigned char[]){(unsigned char)lead, (unsigned char)second, edges[i / EDGES], edges[i % EDGES]}, 4);
    CHECK_EQ(wrong, 0);
}

/* Long texts, with a fault at any place or none: words of eight bytes are passed over at once. */
static void test_long_texts(void)
{
    struct rng rng = {rng_seed()};
    char text[200];
    wrong = 0;
    for (int round = 0; round < SCALED(200000); round++) {
        size_t size = 0, starts[200], count = 0;
        uint32_t most = rng_one_in(&rng, 2) ? 0x7f : rng_one_in(&rng, 2) ? 0x7ff : 0x10ffff;
        while (size < 150) {
            uint32_t c = rng_one_in(&rng, 3) ? rng_below(&rng, most + 1) : rng_below(&rng, 0x80);
            if (c >= 0xd800 && c < 0xe000)
                continue;
            starts[count++] = size;
            size += encode(c, (unsigned char *)text + size);
        }
        compare((unsigned char *)text, size);
        wrong += oi_utf8_count(text, size) != count;
        size_t part = rng_below(&rng, (uint32_t)count + 1);
        wrong += oi_utf8_offset(text, size, part) != (part < count ? starts[part] : size);
        wrong += oi_utf8_offset(text, size, count + part) != size;
        text[rng_below(&rng, (uint32_t)size)] = (char)rng_below(&rng, 256);
        compare((unsigned char *)text, size);
        compare((unsigned char *)text, rng_below(&rng, (uint32_t)size)); /* cut off */
    }
    CHECK_EQ(wrong, 0);
}

int main(void)
{
    check_start("utf8_test");
    CHECK_RUN(test_every_code_point);
    CHECK_RUN(test_every_short_sequence);
    CHECK_RUN(test_four_bytes);
    CHECK_RUN(test_long_texts);
    return check_finish();
}
