//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_writer.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib_base_base.h"

void oi_writer_init(struct oi_writer *writer)
{
    writer->at = writer->first;
    writer->size = 0;
    writer->room = sizeof writer->first;
    writer->status = OURO_OK;
}

void oi_writer_end(struct oi_writer *writer)
{
    if (writer->at != writer->first)
        free(writer->at);
}

static bool grow(struct oi_writer *writer, size_t size)
{
    size_t room = writer->room;
    while (room - writer->size < size)
        room *= 2;
    char *grown = realloc(writer->at == writer->first ? NULL : writer->at, room);
    if (!grown)
        return false;
    if (writer->at == writer->first)
        memcpy(grown, writer->first, writer->size);
    writer->at = grown;
    writer->room = room;
    return true;
}

char *oi_writer_room(struct oi_writer *writer, size_t size)
{
    if (writer->status != OURO_OK)
        return NULL;
    bool fits = size <= OI_WRITER_MAX && writer->size + size <= OI_WRITER_MAX;
    if (!fits || (writer->room - writer->size < size && !grow(writer, size))) {
        writer->status = OURO_E_NOMEM;
        return NULL;
    }
    return writer->at + writer->size;
}

void oi_write(struct oi_writer *writer, const char *bytes, size_t size)
{
    char *at = oi_writer_room(writer, size);
    if (!at || !size)
        return;
    memcpy(at, bytes, size);
    writer->size += size;
}

void oi_write_text(struct oi_writer *writer, const char *text)
{
    oi_write(writer, text, strlen(text));
}

void oi_write_int(struct oi_writer *writer, int64_t number)
{
    char text[24];
    oi_write(writer, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

/* ---- Floats ---- */

enum { DIGITS_MAX = 17 };

struct decimal {
    char digits[DIGITS_MAX + 1]; /* without the zeros at the end */
    int count, exponent;         /* d.ddd times ten to the exponent */
};

/* The digits of a positive number. What the locale has for a point is passed over; strtod reads it as printf wrote it. */
static struct decimal shortest(double number)
{
    struct decimal decimal = {.count = 0};
    char text[64];
    /* 17 digits do for all. What 15 do for is told apart by them, so no fewer need to be tried, but of the smallest numbers. */
    for (int precision = number < DBL_MIN ? 0 : 14; precision < DIGITS_MAX; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && decimal.count < DIGITS_MAX)
            decimal.digits[decimal.count++] = *at;
    while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    decimal.exponent = atoi(at + 1);
    return decimal;
}

static void write_zeros(struct oi_writer *writer, int count)
{
    oi_write(writer, "0000000000000000", (size_t)count);
}

static void write_decimal(struct oi_writer *writer, const struct decimal *decimal)
{
    int whole = decimal->exponent + 1; /* digits before the point */
    if (whole > 16 || whole < -3) {
        oi_write(writer, decimal->digits, 1);
        if (decimal->count > 1)
            oi_write_text(writer, ".");
        oi_write(writer, decimal->digits + 1, (size_t)decimal->count - 1);
        char text[8];
        oi_write(writer, text, (size_t)snprintf(text, sizeof text, "e%+03d", decimal->exponent));
    } else if (whole <= 0) {
        oi_write_text(writer, "0.");
        write_zeros(writer, -whole);
        oi_write(writer, decimal->digits, (size_t)decimal->count);
    } else if (whole >= decimal->count) {
        oi_write(writer, decimal->digits, (size_t)decimal->count);
        write_zeros(writer, whole - decimal->count);
        oi_write_text(writer, ".0");
    } else {
        oi_write(writer, decimal->digits, (size_t)whole);
        oi_write_text(writer, ".");
        oi_write(writer, decimal->digits + whole, (size_t)(decimal->count - whole));
    }
}

void oi_write_float(struct oi_writer *writer, double number)
{
    if (isnan(number)) {
        oi_write_text(writer, "nan");
        return;
    }
    if (signbit(number))
        oi_write_text(writer, "-");
    number = fabs(number);
    if (isinf(number)) {
        oi_write_text(writer, "inf");
        return;
    }
    struct decimal decimal = shortest(number);
    write_decimal(writer, &decimal);
}

/* ---- Strings ---- */

/* The letter of an escape of one letter, or 0. */
static char escape_of(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void write_quoted(struct oi_writer *writer, const unsigned char *bytes, size_t size, unsigned char last_plain)
{
    static const char hex[] = "0123456789abcdef";
    size_t begin = 0;
    oi_write_text(writer, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = bytes[i];
        char letter = escape_of(byte);
        if (!letter && byte >= ' ' && byte <= last_plain && byte != 0x7f)
            continue;
        oi_write(writer, (const char *)bytes + begin, i - begin);
        begin = i + 1;
        if (letter)
            oi_write(writer, (const char[]){'\\', letter}, 2);
        else
            oi_write(writer, (const char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
    }
    oi_write(writer, (const char *)bytes + begin, size - begin);
    oi_write_text(writer, "\"");
}

void oi_write_string(struct oi_writer *writer, const char *bytes, size_t size)
{
    write_quoted(writer, (const unsigned char *)bytes, size, 0xff);
}

void oi_write_bytes(struct oi_writer *writer, const unsigned char *bytes, size_t size)
{
    oi_write_text(writer, "b");
    write_quoted(writer, bytes, size, 0x7e);
}
