/* SPDX-License-Identifier: MIT
 *
 * Results. Functions that can fail return an ouro_status: OURO_OK, or a negative code. There is no
 * errno and no "last error"; nothing here allocates. */
#ifndef OURO_STATUS_H
#define OURO_STATUS_H

#include "ouro_export.h"

/* X(constant, number, message): the one list from which constants, names and messages are made.
 * Numbers are part of the ABI and never change. */
#define OURO_STATUS_LIST(X)                                                                  \
    X(OURO_OK, 0, "success")                                                                 \
    X(OURO_E_NOMEM, -1, "out of memory, or the hard limit is reached")                       \
    X(OURO_E_AGAIN, -2, "every thread slot is taken, or another thread is shutting down; try again later")    \
    X(OURO_E_INVALID, -3, "an argument is out of range")                                     \
    X(OURO_E_USAGE, -4, "the call is not allowed here, or the object is of the wrong type")  \
    X(OURO_E_SYSTEM, -5, "the operating system refused what the call needs")                 \
    X(OURO_E_TYPE, -6, "a value is of a kind that the call is not for")                      \
    X(OURO_E_INDEX, -7, "the index is beyond the ends")                                      \
    X(OURO_E_KEY, -8, "there is no such key, element or field")                              \
    X(OURO_E_CHANGED, -9, "the container was changed meanwhile")                             \
    X(OURO_E_END, -10, "the iterator has no more values")                                    \
    X(OURO_E_ENCODING, -11, "the bytes are not UTF-8")                                       \
    X(OURO_E_HOST, -12, "a callback of the host failed; the host has the details")

#define OURO_STATUS_CONSTANT(name, number, message) name = (number),
typedef enum ouro_status { OURO_STATUS_LIST(OURO_STATUS_CONSTANT) } ouro_status;
#undef OURO_STATUS_CONSTANT

OURO_BEGIN_DECLS

/* The constant's name ("OURO_E_NOMEM"), or "OURO_E_UNKNOWN". Static string; any thread. */
OURO_API const char *ouro_status_name(ouro_status status);

/* One English clause that says what the status means, or "unknown status". Static string; any thread. */
OURO_API const char *ouro_status_message(ouro_status status);

OURO_END_DECLS
#endif
