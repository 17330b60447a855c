/* SPDX-License-Identifier: MIT */
#include "cycle/debug.h"

bool oi_debug_save_all;
void (*oi_debug_found)(const ouro_object *o);
