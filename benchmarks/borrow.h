/* SPDX-License-Identifier: MIT
 *
 * The plain search tree of the borrow benchmark, read under liburcu in two ways that cannot share a source file. */
#ifndef OURO_BENCH_BORROW_H
#define OURO_BENCH_BORROW_H

#include <stdint.h>

/* As large as the managed node, and its fields at the same places. */
typedef struct plain_entry {
    uint64_t header[2];
    struct plain_entry *left, *right;
    uint64_t key;
    uint64_t value; /* fills the node to 48 bytes, a size of block that every allocator has */
} plain_entry;

/* Looks up n random keys below limit, and adds to *found the ones that are there. */
typedef void borrow_lookups(plain_entry **root, uint32_t limit, uint64_t *random, uint64_t n, uint64_t *found);

borrow_lookups borrow_urcu;         /* liburcu's functions, as a library that is not LGPL calls them */
borrow_lookups borrow_urcu_inlined; /* their bodies, compiled in */

/* The loop both consist of; LOCK and UNLOCK bracket one lookup. */
#define BORROW_LOOKUPS(root, limit, random, n, found, LOCK, UNLOCK)          \
    for (; n; n--) {                                                         \
        uint64_t key = bench_random_below(random, limit);                    \
        LOCK();                                                              \
        plain_entry *at = rcu_dereference(*root);                            \
        while (at && at->key != key)                                         \
            at = rcu_dereference(*(key < at->key ? &at->left : &at->right)); \
        if (at)                                                              \
            *found += at->key;                                               \
        UNLOCK();                                                            \
    }

#endif
