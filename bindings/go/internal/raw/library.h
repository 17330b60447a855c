/* SPDX-License-Identifier: MIT
 *
 * The library's headers: the installed ones, or the copies beside this file. */
#ifdef OURO_GO_SHARED
#include <ouro/ouro.h>
#else
#include "ouro_ouro.h"
#endif
