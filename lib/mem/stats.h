/* SPDX-License-Identifier: MIT
 *
 * What the heap holds, counted page by page without stopping anyone. */
#pragma once

#include <ouro/memory.h>

void oi_mem_count(ouro_mem_stats *stats);
