/* SPDX-License-Identifier: MIT
 *
 * Collections of generation 2, each from beginning to end, at steps of the protocol that the calling thread takes; in debug builds only. Sees private headers. */
#ifndef TESTS_SUPPORT_BESIDE_H
#define TESTS_SUPPORT_BESIDE_H

#include <ouro/gc.h>

#include "port/perturb.h"
#include "support/threads.h"

static _Thread_local int beside; /* so many steps of this thread have a collection beside them yet */

static void *collect_old(void *unused)
{
    ouro_gc_collect(2);
    return unused;
}

static void collect_beside(void)
{
    if (beside <= 0)
        return;
    beside--;
    pthread_t thread = thread_start(collect_old, NULL, 0);
    thread_join_running(thread);
}

static inline void beside_begin(void)
{
    __atomic_store_n(&oi_perturb_hook, collect_beside, __ATOMIC_RELAXED);
    beside = 100;
}

static inline void beside_end(void)
{
    beside = 0;
    __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
}

#endif
