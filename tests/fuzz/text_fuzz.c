/* SPDX-License-Identifier: MIT
 *
 * Bytes that are strings, or not: what is UTF-8, lengths, slices, finding, joining, interning, hashes and order, against a decoder by
 * arithmetic: it puts the code point together and then asks whether this is one, and whether it could have been shorter. */
#include <stdbool.h>
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "support/misuse.h"

enum { POINTS_MAX = 8 * FUZZ_INPUT_MAX + 2 }; /* also of what a string shows as: \x00 and the like */

struct text {
    bool valid;
    size_t count;
    uint32_t points[POINTS_MAX];
    size_t at[POINTS_MAX + 1]; /* where each begins, and the end */
};

static size_t shortest(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

static bool decode(const uint8_t *bytes, size_t size, struct text *text)
{
    text->count = 0;
    size_t at = 0;
    while (at < size) {
        unsigned ones = (unsigned)__builtin_clz(~((unsigned)bytes[at] << 24)); /* that the byte begins with */
        size_t length = ones ? ones : 1;
        if (ones == 1 || ones > 4 || at + length > size)
            return false;
        uint32_t point = bytes[at] & (0xffu >> (ones + (ones == 0)));
        for (size_t i = 1; i < length; i++) {
            if (bytes[at + i] >> 6 != 2)
                return false;
            point = point << 6 | (bytes[at + i] & 63u);
        }
        if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || shortest(point) != length)
            return false;
        text->at[text->count] = at;
        text->points[text->count++] = point;
        at += length;
    }
    text->at[text->count] = size;
    return true;
}

static ouro_value make(const uint8_t *bytes, size_t size, struct text *text)
{
    text->valid = decode(bytes, size, text);
    ouro_value string, interned;
    ouro_status status = ouro_string_new((const char *)bytes, size, &string);
    FUZZ_CHECK(status == (text->valid ? OURO_OK : OURO_E_ENCODING), status);
    status = ouro_intern_bytes((const char *)bytes, size, &interned);
    FUZZ_CHECK(status == (text->valid ? OURO_OK : OURO_E_ENCODING), status);
    if (!text->valid) {
        FUZZ_CHECK(string == OURO_NIL && interned == OURO_NIL, 0);
        return OURO_NIL;
    }
    size_t got, length;
    const char *data = ouro_string_data(string, &got);
    FUZZ_CHECK(got == size && memcmp(data, bytes, size) == 0 && data[size] == 0, got);
    FUZZ_CHECK(ouro_string_length(string, &length) == OURO_OK && length == text->count, length);
    FUZZ_CHECK(ouro_is_interned(interned), 0);
    ouro_value again;
    FUZZ_CHECK(ouro_intern(string, &again) == OURO_OK && again == interned, 0);
    bool equal;
    uint64_t hash, other;
    FUZZ_CHECK(ouro_equal(string, interned, &equal) == OURO_OK && equal, 0);
    FUZZ_CHECK(ouro_hash(string, &hash) == OURO_OK && ouro_hash(interned, &other) == OURO_OK && hash == other, 0);
    ouro_value_release(again);
    ouro_value_release(interned);
    return string;
}

static void check_bytes(ouro_value string, const uint8_t *bytes, size_t size)
{
    size_t got;
    const char *data = ouro_string_data(string, &got);
    FUZZ_CHECK(got == size && memcmp(data, bytes, size) == 0 && data[got] == 0, got);
}

static size_t clip(ptrdiff_t index, size_t count)
{
    if (index < 0)
        index += (ptrdiff_t)count;
    return index < 0 ? 0 : (size_t)index > count ? count : (size_t)index;
}

static void check_slice(ouro_value string, const uint8_t *bytes, const struct text *text, ptrdiff_t start, ptrdiff_t stop)
{
    size_t from = clip(start, text->count), to = clip(stop, text->count);
    to = to < from ? from : to;
    ouro_value slice;
    size_t length;
    FUZZ_CHECK(ouro_string_slice(string, start, stop, &slice) == OURO_OK, start);
    check_bytes(slice, bytes + text->at[from], text->at[to] - text->at[from]);
    FUZZ_CHECK(ouro_string_length(slice, &length) == OURO_OK && length == to - from, length);
    ouro_value_release(slice);
}

static void check_find(ouro_value a, const struct text *in, ouro_value b, const struct text *part, ptrdiff_t start)
{
    size_t expected = SIZE_MAX, at;
    for (size_t i = clip(start, in->count); expected == SIZE_MAX && i + part->count <= in->count; i++)
        if (memcmp(in->points + i, part->points, part->count * sizeof *part->points) == 0)
            expected = i;
    if (start > 0 && (size_t)start > in->count)
        return; /* whether the empty string lies beyond the end is nowhere said */
    ouro_status status = ouro_string_find(a, b, start, &at);
    FUZZ_CHECK(status == (expected == SIZE_MAX ? OURO_E_KEY : OURO_OK), status);
    FUZZ_CHECK(expected == SIZE_MAX || at == expected, at);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void check_order(ouro_value a, const struct text *ta, ouro_value b, const struct text *tb)
{
    int expected = 0, order;
    for (size_t i = 0; !expected && i < ta->count && i < tb->count; i++)
        expected = (ta->points[i] > tb->points[i]) - (ta->points[i] < tb->points[i]);
    if (!expected)
        expected = (ta->count > tb->count) - (ta->count < tb->count);
    FUZZ_CHECK(ouro_compare(a, b, &order) == OURO_OK && sign(order) == expected, order);
    bool equal;
    FUZZ_CHECK(ouro_equal(a, b, &equal) == OURO_OK && equal == !expected, equal);
}

/* A string in a list, shown: quoted, and UTF-8 again. */
static void check_repr(ouro_value string)
{
    static struct text shown;
    ouro_value repr;
    FUZZ_CHECK(ouro_repr(string, &repr) == OURO_OK, 0);
    size_t size;
    const char *data = ouro_string_data(repr, &size);
    FUZZ_CHECK(size >= 2 && data[0] == '"' && data[size - 1] == '"', size);
    FUZZ_CHECK(decode((const uint8_t *)data, size, &shown), size);
    ouro_value_release(repr);
}

const long fuzz_runs = 60000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct text a, b;
    static uint8_t both[2 * FUZZ_INPUT_MAX];
    struct fuzz_input input = {data, size < FUZZ_INPUT_MAX ? size : FUZZ_INPUT_MAX};
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT, .misuse = misuse_hook};
    FUZZ_CHECK(ouro_init(&config) == OURO_OK, 0);
    ptrdiff_t start = (int8_t)fuzz_byte(&input), stop = (int8_t)fuzz_byte(&input);
    size_t split = fuzz_byte(&input);
    split = split < input.left ? split : input.left;
    ouro_value x = make(input.at, input.left - split, &a), y = make(input.at + input.left - split, split, &b);
    if (a.valid) {
        check_slice(x, input.at, &a, start, stop);
        check_slice(x, input.at, &a, PTRDIFF_MIN, PTRDIFF_MAX);
        check_repr(x);
    }
    if (a.valid && b.valid) {
        check_find(x, &a, y, &b, start);
        check_order(x, &a, y, &b);
        ouro_value joined;
        FUZZ_CHECK(ouro_string_concat(x, y, &joined) == OURO_OK, 0);
        memcpy(both, input.at, input.left);
        check_bytes(joined, both, input.left);
        ouro_value_release(joined);
    }
    ouro_value_release(x);
    ouro_value_release(y);
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
    static unsigned runs;
    if (++runs % 64 == 0) { /* every input would mostly be starting and ending */
        ouro_leak_report report;
        FUZZ_CHECK(ouro_shutdown(&report) == OURO_OK, 0);
        FUZZ_CHECK(report.objects == 0, report.objects);
    }
    return 0;
}
