/* SPDX-License-Identifier: MIT */
#ifndef OURO_VERSION_H
#define OURO_VERSION_H

#include "ouro_export.h"

#define OURO_VERSION_MAJOR 0
#define OURO_VERSION_MINOR 1
#define OURO_VERSION_PATCH 0
#define OURO_VERSION_STRING "0.1.0"

OURO_BEGIN_DECLS

/* The version of the library that is running (the macros above are that of the headers).
 * Returns a static string. Any thread, any time; never blocks. */
OURO_API const char *ouro_version(void);

OURO_END_DECLS
#endif
