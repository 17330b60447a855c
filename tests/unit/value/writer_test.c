/* SPDX-License-Identifier: MIT
 *
 * Numbers and strings as text: floats are read back as what they were, in as few digits as that takes, and look as in Python. */
#include "value/writer.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"

static char got[4096];

static const char *finish(struct oi_writer *writer)
{
    CHECK_EQ(writer->status, OURO_OK);
    REQUIRE(writer->size < sizeof got);
    memcpy(got, writer->at, writer->size);
    got[writer->size] = 0;
    oi_writer_end(writer);
    return got;
}

static const char *float_text(double number)
{
    struct oi_writer writer;
    oi_writer_init(&writer);
    oi_write_float(&writer, number);
    return finish(&writer);
}

/* The texts are CPython 3.11's. */
static void test_floats_look_right(void)
{
    static const struct {
        double number;
        const char *text;
    } known[] = {
        {0.0, "0.0"}, {-0.0, "-0.0"}, {1.0, "1.0"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {100.0, "100.0"},
        {123456.789, "123456.789"}, {1e15, "1000000000000000.0"}, {1e16, "1e+16"}, {1.5e16, "1.5e+16"}, {1e22, "1e+22"},
        {1e100, "1e+100"}, {1e-4, "0.0001"}, {1e-5, "1e-05"}, {1.25e-7, "1.25e-07"}, {5e-324, "5e-324"}, {2.5e-323, "2.5e-323"},
        {DBL_MIN, "2.2250738585072014e-308"}, {DBL_MAX, "1.7976931348623157e+308"}, {9007199254740993.0, "9007199254740992.0"},
        {0.1 + 0.2, "0.30000000000000004"}, {123456789012345678.0, "1.2345678901234568e+17"}, {1e23, "1e+23"}, {9999999999999998.0, "9999999999999998.0"},
        {INFINITY, "inf"}, {-INFINITY, "-inf"}, {NAN, "nan"}, {-NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK_STR(float_text(known[i].number), known[i].text);
}

/* Digits of a text, without the zeros around them. */
static int digits(const char *text)
{
    int n = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        n += n || *text != '0';
    }
    return n - zeros < 1 ? 1 : n - zeros;
}

static int fewest(double number)
{
    char text[64];
    for (int n = 0; n < 17; n++) {
        snprintf(text, sizeof text, "%.*e", n, number);
        if (strtod(text, NULL) == number)
            return digits(text);
    }
    return 17;
}

static void test_floats_are_read_back(void)
{
    struct rng rng = {rng_seed()};
    long wrong = 0, long_ones = 0;
    for (int i = 0; i < SCALED(100000); i++) {
        uint64_t bits = rng_next(&rng);
        double number;
        if (i % 4 == 1)
            bits &= 0x800fffffffffffff; /* the smallest */
        memcpy(&number, &bits, sizeof number);
        if (i % 4 == 2)
            number = (double)(int64_t)bits / 1000;
        if (i % 4 == 3)
            number = (double)rng_below(&rng, 1000000) / 100;
        if (!isfinite(number))
            continue;
        const char *text = float_text(number);
        wrong += strtod(text, NULL) != number;
        long_ones += digits(text) > fewest(number);
        wrong += !strpbrk(text, ".e");
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(long_ones, 0);
}

static void test_any_locale(void)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < sizeof commas / sizeof *commas; i++)
        if (setlocale(LC_NUMERIC, commas[i])) {
            CHECK_STR(float_text(1234.5678), "1234.5678");
            CHECK_STR(float_text(1.5e300), "1.5e+300");
            CHECK_STR(float_text(0.1 + 0.2), "0.30000000000000004");
        }
    setlocale(LC_NUMERIC, "C");
}

static void test_ints(void)
{
    static const int64_t numbers[] = {0, 7, -7, OURO_INT_MAX, OURO_INT_MIN, INT64_MAX, INT64_MIN};
    char expected[32];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct oi_writer writer;
        oi_writer_init(&writer);
        oi_write_int(&writer, numbers[i]);
        snprintf(expected, sizeof expected, "%" PRId64, numbers[i]);
        CHECK_STR(finish(&writer), expected);
    }
}

static void test_strings(void)
{
    struct oi_writer writer;
    oi_writer_init(&writer);
    oi_write_string(&writer, "a\"b\\c\n\r\t\0\x1b\x7f \xc3\xa9", 14);
    CHECK_STR(finish(&writer), "\"a\\\"b\\\\c\\n\\r\\t\\x00\\x1b\\x7f \xc3\xa9\"");
    oi_writer_init(&writer);
    oi_write_bytes(&writer, (const unsigned char *)"a\"\0\xff\xc3\xa9~", 7);
    CHECK_STR(finish(&writer), "b\"a\\\"\\x00\\xff\\xc3\\xa9~\"");
    oi_writer_init(&writer);
    oi_write_string(&writer, "", 0);
    CHECK_STR(finish(&writer), "\"\"");
}

static void test_growing(void)
{
    struct oi_writer writer;
    oi_writer_init(&writer);
    for (int i = 0; i < 100000; i++)
        oi_write(&writer, "0123456789", (size_t)i % 11);
    size_t at = 0;
    long wrong = 0;
    for (int i = 0; i < 100000; at += (size_t)i % 11, i++)
        wrong += memcmp(writer.at + at, "0123456789", (size_t)i % 11) != 0;
    CHECK_EQ(at, writer.size);
    CHECK_EQ(wrong, 0);
    CHECK_PTR(oi_writer_room(&writer, OI_WRITER_MAX), NULL); /* too much */
    CHECK_EQ(writer.status, OURO_E_NOMEM);
    oi_write_text(&writer, "more");
    CHECK_EQ(writer.size, at);
    oi_writer_end(&writer);
}

int main(void)
{
    check_start("writer_test");
    CHECK_RUN(test_floats_look_right);
    CHECK_RUN(test_floats_are_read_back);
    CHECK_RUN(test_any_locale);
    CHECK_RUN(test_ints);
    CHECK_RUN(test_strings);
    CHECK_RUN(test_growing);
    return check_finish();
}
