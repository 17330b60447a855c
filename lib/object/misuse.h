/* SPDX-License-Identifier: MIT
 *
 * Reports of misuse: what can be detected is said through one hook, and the call does nothing else. */
#pragma once

#include <ouro/runtime.h>

#include "object/header.h"

/* The hook is a pair, replaced as one (release) and read as one (acquire). */
void oi_misuse_set_hook(ouro_misuse_hook hook, void *arg);

/* The calling thread is in a hook, so it may hold locks. */
bool oi_misuse_is_being_told(void);

/* The default hook: prints a line to stderr, and what dev mode knows of the object; then raises a signal, or returns. */
void oi_misuse_set_default(bool print, int signal);

/* Of a call about a type, when there is no object. */
OI_COLD void oi_misuse_type(ouro_misuse_kind kind, const char *call, const ouro_type *type, const char *message);

OI_COLD void oi_misuse(ouro_misuse_kind kind, const char *call, const void *object, const char *message);
