/* SPDX-License-Identifier: MIT
 *
 * Which places a slice names, as in Python. */
#include "value/list.h"

/* A bound of a slice, cut to low .. high. */
static ptrdiff_t cut(ptrdiff_t bound, ptrdiff_t length, ptrdiff_t low, ptrdiff_t high)
{
    if (bound < 0)
        bound += length;
    return bound < low ? low : bound > high ? high : bound;
}

ouro_status oi_slice_resolve(ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, size_t size, struct oi_slice *slice)
{
    if (step == OURO_OMITTED)
        step = 1;
    if (!step)
        return OURO_E_INVALID;
    ptrdiff_t length = (ptrdiff_t)size, low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    ptrdiff_t first = start == OURO_OMITTED ? (step < 0 ? high : low) : cut(start, length, low, high);
    ptrdiff_t end = stop == OURO_OMITTED ? (step < 0 ? low : high) : cut(stop, length, low, high);
    size_t span = step < 0 ? (size_t)(first > end ? first - end : 0) : (size_t)(end > first ? end - first : 0);
    size_t stride = step < 0 ? (size_t)-step : (size_t)step;
    *slice = (struct oi_slice){.first = (size_t)first, .count = span ? (span - 1) / stride + 1 : 0, .step = step};
    return OURO_OK;
}
