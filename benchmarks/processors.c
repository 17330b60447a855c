/* SPDX-License-Identifier: MIT */
#include "processors.h"

#include "bench.h"

uint64_t processors_wait(uint64_t n)
{
    uint64_t x = 1;
    for (; n; n--)
        x = x * UINT64_C(6364136223846793005) + 1;
    return x;
}

/* Three instructions, of which one waits for the step before. Opaque, so that the steps are neither merged nor made two at a time. */
#define STEP(x)          \
    do {                 \
        x += x >> 3;     \
        BENCH_OPAQUE(x); \
    } while (0)

bool processors_fill(uint64_t n)
{
    uint64_t a = n | 8, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (; n; n--) {
        STEP(a);
        STEP(b);
        STEP(c);
        STEP(d);
        STEP(e);
        STEP(f);
        STEP(g);
        STEP(h);
    }
    return a == b && a == c && a == d && a == e && a == f && a == g && a == h;
}
