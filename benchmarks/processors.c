/* SPDX-License-Identifier: MIT */
#include "processors.h"

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

enum { GROUPS = 9, ROUNDS = 40, ROUNDS_LEAST = 3, STEPS = 1500000 };

#define TWO_CORES 1.9 /* times the throughput of one thread, and */
#define NOT_MORE 2.1  /* or the one thread was disturbed */

typedef struct filling {
    bool right[2];
} filling;

static void work_fill(void *arg, unsigned index, uint64_t n)
{
    ((filling *)arg)->right[index] = processors_fill(n);
}

static bool has_two_cores(bench_team *team)
{
    filling one = {{false}}, two = one;
    double begin = bench_clock();
    work_fill(&one, 0, STEPS);
    double took = bench_clock() - begin, gain = 2 * took / bench_team_run(team, work_fill, &two, STEPS);
    bench_check(one.right[0] && two.right[0] && two.right[1], "arithmetic went wrong");
    return gain >= TWO_CORES && gain <= NOT_MORE;
}

void processors_moments(bench_team *team, const processors_moment *moments, size_t count)
{
    double medians[PROCESSORS_MOMENTS_MAX][GROUPS];
    unsigned seen = 0, rows = 0, groups = bench_quick ? 1 : GROUPS;
    for (unsigned g = 0; g < groups; g++) {
        double gains[PROCESSORS_MOMENTS_MAX][ROUNDS];
        unsigned n = 0;
        bench_progress("moments: %u of %u", g + 1, groups);
        bool before = has_two_cores(team);
        for (unsigned r = 0; r < ROUNDS; r++) {
            for (size_t i = 0; i < count; i++)
                gains[i][n] = moments[i].gain(moments[i].arg);
            bool after = has_two_cores(team);
            n += before && after; /* else the next round takes its place */
            before = after;
        }
        seen += n;
        if (n < ROUNDS_LEAST)
            continue;
        for (size_t i = 0; i < count; i++)
            medians[i][rows] = bench_percentile(gains[i], n, 0.5);
        rows++;
    }
    bench_number("moments in which each of 2 threads had a core", 100.0 * seen / (groups * ROUNDS), "%",
                 BENCH_INFORMATION);
    for (size_t i = 0; i < count; i++)
        bench_samples(moments[i].name, medians[i], rows, "ratio", BENCH_INFORMATION);
}
