/* SPDX-License-Identifier: MIT
 *
 * UTF-8: The Unicode Standard 15.0, section 3.9, table 3-7. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True if the bytes are well-formed; *ascii: all of them are below 128. */
bool oi_utf8_is_valid(const char *bytes, size_t size, bool *ascii);

/* The rest is about well-formed bytes. */

/* Code points. */
size_t oi_utf8_count(const char *bytes, size_t size);

/* The offset of code point `index`; size, if there are not so many. */
size_t oi_utf8_offset(const char *bytes, size_t size, size_t index);
