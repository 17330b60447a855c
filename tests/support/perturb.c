/* SPDX-License-Identifier: MIT */
#include "support/perturb.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "support/rng.h"

/* Of the library, in debug builds; hidden in a shared one. */
extern void (*oi_perturb_hook)(void) __attribute__((weak));

extern int16_t oi_handed_over_from __attribute__((weak)); /* object/handover.h */

static atomic_uint rate;
static atomic_uint_least64_t common_seed;
static atomic_uint streams;
static atomic_long count;
static _Thread_local struct rng rng;

static void hold_up(void)
{
    unsigned one_in = atomic_load_explicit(&rate, memory_order_relaxed);
    if (!rng.state)
        rng = rng_stream(atomic_load_explicit(&common_seed, memory_order_relaxed), atomic_fetch_add(&streams, 1));
    if (!one_in || !rng_one_in(&rng, one_in))
        return;
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    uint32_t dice = rng_below(&rng, 64);
    if (dice == 0)
        nanosleep(&(struct timespec){0, 1000 + (long)rng_below(&rng, rng_one_in(&rng, 16) ? 1000000 : 30000)}, NULL);
    else if (dice < 36)
        sched_yield();
    else
        for (volatile uint32_t i = rng_below(&rng, 2000); i > 0; i--)
            ;
}

static void set_hook(void (*hook)(void))
{
    if (&oi_perturb_hook)
        __atomic_store_n(&oi_perturb_hook, hook, __ATOMIC_RELAXED); /* threads of the library may be running */
}

void perturb_start(uint64_t seed, unsigned one_in)
{
    static const int16_t handed_over_from[] = {64, INT16_MAX, INT16_MIN}; /* as ever; nothing is shared without a bias; everything */
    if (&oi_handed_over_from)
        __atomic_store_n(&oi_handed_over_from, handed_over_from[one_in ? seed % 3 : 0], __ATOMIC_RELAXED);
    atomic_store(&common_seed, seed);
    atomic_store(&rate, one_in);
    set_hook(one_in ? hold_up : NULL);
}

void perturb_stop(void)
{
    perturb_start(0, 0);
}

void perturb_join(uint64_t seed, uint64_t number)
{
    rng = rng_stream(seed, number);
}

long perturb_count(void)
{
    return atomic_load(&count);
}
