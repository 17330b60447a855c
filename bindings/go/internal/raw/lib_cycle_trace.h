/* SPDX-License-Identifier: MIT
 *
 * Pages with gray blocks, first come first served: until a page's turn comes many of its blocks have become gray, and all are followed
 * together, in the order of their addresses. In the order of the graph nearly every object would be a wait for memory. */
#pragma once

#include "lib_cycle_scope.h"

struct oi_trace {
    struct oi_scope *scope;
    uint32_t first, last; /* numbers of pages; 0: none */
    uint32_t current;     /* the page that is being followed (cycle/spare.c), and */
    uint32_t low, high;   /* in which words of its bits blocks have become gray meanwhile; low > high: in none */
};

static inline void oi_trace_enqueue(struct oi_trace *trace, uint32_t number)
{
    struct oi_scope_extent *extents = trace->scope->extents;
    if (extents[number].is_gray)
        return;
    extents[number].is_gray = true;
    extents[number].next_gray = 0;
    if (trace->first)
        extents[trace->last].next_gray = number;
    else
        trace->first = number;
    trace->last = number;
}

/* 0: none is left. */
static inline uint32_t oi_trace_dequeue(struct oi_trace *trace)
{
    uint32_t number = trace->first;
    if (!number)
        return 0;
    trace->first = trace->scope->extents[number].next_gray;
    trace->scope->extents[number].is_gray = false;
    return number;
}
