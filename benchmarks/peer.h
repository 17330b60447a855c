/* SPDX-License-Identifier: MIT
 *
 * The allocators to compare with. mimalloc is called by its own names; where it is not installed, malloc stands in.
 * Linking libmimalloc replaces malloc in the whole program, so the C library's is looked up in the C library. */
#ifndef OURO_BENCH_PEER_H
#define OURO_BENCH_PEER_H

#include <stdlib.h>

#ifdef OURO_BENCH_MIMALLOC
#include <mimalloc.h>
#define PEER_NAME "mimalloc"
#define peer_malloc mi_malloc
#define peer_free mi_free
#else
#define PEER_NAME "malloc"
#define peer_malloc malloc
#define peer_free free
#endif

extern void *(*peer_system_malloc)(size_t size);
extern void (*peer_system_free)(void *block);

/* Sets the two above; returns false if the C library cannot be found, and leaves malloc and free there. */
int peer_find_system(void);

#endif
