/* SPDX-License-Identifier: MIT
 *
 * What the debug flags of the gc interface ask of collections. Set by the runtime; a collection reads each once. */
#pragma once

#include "lib_object_header.h"

/* Garbage is kept instead of freed. Atomic. */
extern bool oi_debug_save_all;

/* Called for each object of the garbage that a collection frees or keeps: its block and type are there still, but it may be DEAD; or NULL. Atomic. */
extern void (*oi_debug_found)(const ouro_object *o);
