/* SPDX-License-Identifier: MIT
 *
 * The binary trees, for benchmarks that want nothing else from them. */
#ifndef OURO_BENCH_TREES_H
#define OURO_BENCH_TREES_H

#include <stdbool.h>

/* All of the work once, on this thread, with ouro's nodes. Returns false if the nodes counted are not those made. */
bool trees_grow_and_drop(void);

#endif
