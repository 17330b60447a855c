/* SPDX-License-Identifier: MIT
 *
 * Tokens: how a value gets from one language to another, or from one interpreter to the next, within a process, where all that they can
 * hand over is a number. The rules of <ouro/value.h> hold. */
#ifndef OURO_TOKEN_H
#define OURO_TOKEN_H

#include <ouro/value.h>

OURO_BEGIN_DECLS

/* A number above 0 and below 2^53, for this value and this call: no token is given twice. The value is held, and shared, until somebody imports it;
 * if nobody does, it is a leak. O(1). */
OURO_API OURO_NODISCARD ouro_status ouro_export(ouro_value value, int64_t *token);

/* The value that was exported with this token: once. OURO_E_KEY: nothing was, or it has been imported. O(1). */
OURO_API OURO_NODISCARD ouro_status ouro_import(int64_t token, ouro_value *value);

OURO_END_DECLS
#endif
