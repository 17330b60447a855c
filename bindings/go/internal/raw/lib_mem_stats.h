/* SPDX-License-Identifier: MIT
 *
 * What the heap holds, counted page by page without stopping anyone. */
#pragma once

#include <stdbool.h>

#include "ouro_memory.h"

/* reading: the caller is in a read section, or may hold the batch lock. */
void oi_mem_count(ouro_mem_stats *stats, bool reading);
