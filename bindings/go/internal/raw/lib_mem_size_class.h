/* SPDX-License-Identifier: MIT
 *
 * Size classes: 16 to 128 bytes in steps of 8, then eight classes to each doubling, up to 64 KiB. A block is at most 12.5 %
 * or 8 bytes (16 for the smallest) larger than asked for, and every class whose size is a multiple of 16, 32 or 64 keeps its blocks so aligned. */
#pragma once

#include "lib_base_base.h"

#define OI_BLOCK_MIN ((size_t)16)
#define OI_EXACT_MAX ((size_t)128)      /* up to here, classes are 8 bytes apart */
#define OI_CLASS_MAX ((size_t)64 << 10) /* larger blocks get pages of their own */
#define OI_CLASSES 87u

/* The class of a size in 1 .. OI_CLASS_MAX. */
static inline unsigned oi_class_of(size_t size)
{
    if (size <= OI_EXACT_MAX)
        return size <= OI_BLOCK_MIN ? 0 : (unsigned)((size - 9) / 8);
    size_t top = size - 1;
    unsigned log2 = 63u - (unsigned)__builtin_clzl(top); /* 7 .. 15 */
    return 15 + (log2 - 7) * 8 + ((top >> (log2 - 3)) & 7);
}

/* The block size of a class. */
static inline size_t oi_class_size(unsigned class)
{
    if (class < 15)
        return OI_BLOCK_MIN + 8 * (size_t)class;
    unsigned log2 = 7 + (class - 15) / 8;
    return ((size_t)9 + (class - 15) % 8) << (log2 - 3);
}
