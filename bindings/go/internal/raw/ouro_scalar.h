/* SPDX-License-Identifier: MIT
 *
 * Floats, strings and bytes: immutable values. The rules of <ouro/value.h> hold. */
#ifndef OURO_SCALAR_H
#define OURO_SCALAR_H

#include "ouro_value.h"

OURO_BEGIN_DECLS

/* ---- Float ---- */

OURO_API OURO_NODISCARD ouro_value ouro_float_new(double number);
/* The number of a float or an integer as a double (integers above 2^53 are rounded); NaN if it is neither. */
OURO_API double ouro_float_value(ouro_value value);

/* ---- String: UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms), any code points, NUL too ----
 * Positions and lengths count code points; of a string that is all ASCII in constant time, else in O(n). */

/* Copies size bytes. OURO_E_ENCODING: they are not UTF-8. bytes may be NULL if size is 0. */
OURO_API OURO_NODISCARD ouro_status ouro_string_new(const char *bytes, size_t size, ouro_value *string);
/* The same for a C string. NULL: OURO_E_INVALID. */
OURO_API OURO_NODISCARD ouro_status ouro_string_from(const char *text, ouro_value *string);

/* The bytes, borrowed: valid as long as the string is held. A NUL follows the last. NULL (and *size 0) if it is no string. size may be NULL. */
OURO_API const char *ouro_string_data(ouro_value string, size_t *size);
OURO_API OURO_NODISCARD ouro_status ouro_string_length(ouro_value string, size_t *length);
OURO_API OURO_NODISCARD ouro_status ouro_string_concat(ouro_value a, ouro_value b, ouro_value *string);
/* Code points start .. stop-1, each counted from the end if negative, and cut to what there is. */
OURO_API OURO_NODISCARD ouro_status ouro_string_slice(ouro_value string, ptrdiff_t start, ptrdiff_t stop, ouro_value *slice);
/* The position of the first occurrence at or after start. OURO_E_KEY: there is none. */
OURO_API OURO_NODISCARD ouro_status ouro_string_find(ouro_value string, ouro_value part, ptrdiff_t start, size_t *at);

/* The one string of this content that all who ask for it get: two interned strings are equal if they are the same word. It is shared from birth
 * and kept by nobody but its users: when its last reference goes, it does. For names and keys that come often; for strings that do not, the
 * look-up costs more than it saves. Waits for nobody. */
OURO_API OURO_NODISCARD ouro_status ouro_intern(ouro_value string, ouro_value *interned);
/* The same, without a string to begin with. OURO_E_ENCODING. */
OURO_API OURO_NODISCARD ouro_status ouro_intern_bytes(const char *bytes, size_t size, ouro_value *interned);
OURO_API bool ouro_is_interned(ouro_value value);

/* ---- Bytes ---- */

/* Copies size bytes (bytes NULL: they are zero). */
OURO_API OURO_NODISCARD ouro_status ouro_bytes_new(const void *bytes, size_t size, ouro_value *value);
/* Borrowed: valid as long as the value is held. NULL (and *size 0) if it is not bytes. size may be NULL. */
OURO_API const void *ouro_bytes_data(ouro_value bytes, size_t *size);
OURO_API OURO_NODISCARD ouro_status ouro_bytes_length(ouro_value bytes, size_t *length);
OURO_API OURO_NODISCARD ouro_status ouro_bytes_concat(ouro_value a, ouro_value b, ouro_value *bytes);
/* As ouro_string_slice, by bytes. */
OURO_API OURO_NODISCARD ouro_status ouro_bytes_slice(ouro_value bytes, ptrdiff_t start, ptrdiff_t stop, ouro_value *slice);

OURO_END_DECLS
#endif
