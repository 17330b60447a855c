/* SPDX-License-Identifier: MIT
 *
 * Pages with gray blocks, first come first served: until a page's turn comes many of its blocks have become gray, and all are followed
 * together, in the order of their addresses. In the order of the graph nearly every object would be a wait for memory. */
#pragma once

#include "lib_cycle_scope.h"

struct oi_trace {
    struct oi_scope *scope;
    uint32_t first, last; /* numbers of pages; 0: none */
    uint32_t current;     /* the page that is being followed, and */
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

static inline void oi_trace_widen(struct oi_trace *trace, uint32_t low, uint32_t high)
{
    trace->low = low < trace->low ? low : trace->low;
    trace->high = high > trace->high ? high : trace->high;
}

/* Makes a block gray, of a page that has tables. */
static OI_ALWAYS_INLINE void oi_trace_shade(struct oi_trace *trace, uint32_t number, uint32_t index)
{
    uint32_t word = index / 64;
    struct oi_scope_bits *bits = &trace->scope->pages[number].bits[word];
    if (number == trace->current)
        oi_trace_widen(trace, word, word);
    else if (!bits->gray)
        oi_trace_enqueue(trace, number);
    bits->gray |= (uint64_t)1 << index % 64;
}

/* A member becomes gray; what is none stays as it is. Without a branch for that, which no processor guesses: most objects are reached more than once, in no
 * order. Where no member is left near by, which it guesses, nothing is written. */
static OI_ALWAYS_INLINE void oi_trace_reach(struct oi_trace *trace, uint32_t number, uint32_t index)
{
    uint32_t word = index / 64;
    struct oi_scope_bits *bits = &trace->scope->pages[number].bits[word];
    if (!bits->member)
        return;
    uint64_t member = bits->member & (uint64_t)1 << index % 64, first = bits->gray ? 0 : member;
    bits->member ^= member;
    bits->gray |= member;
    if (number == trace->current)
        oi_trace_widen(trace, member ? word : UINT32_MAX, member ? word : 0);
    else if (OI_UNLIKELY(first))
        oi_trace_enqueue(trace, number);
}

/* A page is followed in rounds, each over a range of words, until nothing on it is gray: a list whose nodes lie one behind the other would otherwise take a
 * turn of the whole page for each. */
static inline void oi_trace_begin_page(struct oi_trace *trace, uint32_t number)
{
    trace->current = number;
    trace->low = 0;
    trace->high = (trace->scope->extents[number].carved - 1) / 64;
}

static inline bool oi_trace_next_round(struct oi_trace *trace, uint32_t *first, uint32_t *last)
{
    *first = trace->low;
    *last = trace->high;
    trace->low = UINT32_MAX;
    trace->high = 0;
    return *first <= *last;
}

static inline void oi_trace_end_page(struct oi_trace *trace)
{
    trace->current = 0;
}
