/* SPDX-License-Identifier: MIT
 *
 * Text that grows. Once memory is out, or there is more than OI_WRITER_MAX, nothing more is written. */
#pragma once

#include "ouro_value.h"

#define OI_WRITER_MAX ((size_t)1 << 30) /* of a graph with shared parts, the text can be exponentially large */

struct oi_writer {
    char *at;
    size_t size, room;
    ouro_status status;
    char first[256];
};

void oi_writer_init(struct oi_writer *writer);
void oi_writer_end(struct oi_writer *writer);

/* Room for size more bytes at the end; NULL: there is none. Then writer->size is to be raised. */
char *oi_writer_room(struct oi_writer *writer, size_t size);

void oi_write(struct oi_writer *writer, const char *bytes, size_t size);
void oi_write_text(struct oi_writer *writer, const char *text);
void oi_write_int(struct oi_writer *writer, int64_t number);

/* As short as it can be and still be read as the same number; with a point or an exponent. Whatever the locale. */
void oi_write_float(struct oi_writer *writer, double number);

/* In quotation marks, with escapes. */
void oi_write_string(struct oi_writer *writer, const char *bytes, size_t size);
void oi_write_bytes(struct oi_writer *writer, const unsigned char *bytes, size_t size);
