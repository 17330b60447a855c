//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_debug.h"

bool oi_debug_save_all;
void (*oi_debug_found)(const ouro_object *o);
