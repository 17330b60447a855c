/* SPDX-License-Identifier: MIT */
#define _LGPL_SOURCE
#include <urcu/urcu-bp.h>

#include "bench.h"
#include "borrow.h"

void borrow_urcu_inlined(plain_entry **root, uint32_t limit, uint64_t *random, uint64_t n, uint64_t *found)
{
    BORROW_LOOKUPS(root, limit, random, n, found, urcu_bp_read_lock, urcu_bp_read_unlock)
}
