/* SPDX-License-Identifier: MIT
 *
 * rcu_dereference is small enough for anyone to inline (liburcu says so); locking and unlocking are calls. */
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/urcu-bp.h>

#include "bench.h"
#include "borrow.h"

void borrow_urcu(plain_entry **root, uint32_t limit, uint64_t *random, uint64_t n, uint64_t *found)
{
    BORROW_LOOKUPS(root, limit, random, n, found, urcu_bp_read_lock, urcu_bp_read_unlock)
}
