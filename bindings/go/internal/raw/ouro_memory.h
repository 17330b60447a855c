/* SPDX-License-Identifier: MIT
 *
 * The private heap: what it holds, its limits, giving memory back. All sizes are bytes and the allocator's own counts
 * (never the process's RSS). */
#ifndef OURO_MEMORY_H
#define OURO_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "ouro_status.h"

OURO_BEGIN_DECLS

#define OURO_MEM_CLASSES_MAX 96

typedef struct ouro_mem_class_stats {
    size_t block_size;       /* 0 ends the list; the last class stands for all larger blocks, with block_size SIZE_MAX */
    size_t live_objects;
    size_t live_bytes;
    size_t pages_bytes;      /* of the pages that hold these blocks */
} ouro_mem_class_stats;

typedef struct ouro_mem_stats {
    size_t size;             /* as given to ouro_mem_get_stats; members beyond it are not written */
    size_t live_objects;     /* made and not yet dead */
    size_t live_bytes;       /* their blocks, headers and rounding included */
    size_t limbo_bytes;      /* of dead shared objects, waiting for read sections to end */
    size_t cached_bytes;     /* free blocks in pages that threads hold, and the library's own small blocks */
    size_t committed_bytes;  /* pages in use, and free ones not yet returned to the OS */
    size_t reserved_bytes;   /* address space */
    size_t soft_limit, hard_limit;
    ouro_mem_class_stats classes[OURO_MEM_CLASSES_MAX];
} ouro_mem_stats;

/* Writes at most size bytes. Walks the page table without stopping anyone: exact when the heap is quiet, else an estimate
 * (blocks that change hands meanwhile may be counted as live). Takes the page lock (and, outside read sections, waits for the background thread's short steps);
 * O(pages). */
OURO_API void ouro_mem_get_stats(ouro_mem_stats *stats, size_t size);

/* Limits on the bytes of pages in use; 0 = none. Soft: over it, threads collect earlier. Hard: what would
 * go over it fails instead (ouro_new returns NULL, after trying a collection), and the program goes on. Counted by whole
 * pages (64 KiB and up), so small remainders of pages already held can still be allocated. Setting a hard limit below
 * what is in use takes nothing away. OURO_E_INVALID: soft above hard. Any thread. */
OURO_API OURO_NODISCARD ouro_status ouro_mem_set_limit(size_t soft, size_t hard);

/* Returns free memory to the operating system now, that of parked and exited threads included, after waiting for
 * read sections under way (not inside one: then only what needs no waiting). Returns the bytes given back. May block. */
OURO_API size_t ouro_mem_trim(void);

OURO_END_DECLS
#endif
