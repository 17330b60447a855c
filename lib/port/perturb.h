/* SPDX-License-Identifier: MIT
 *
 * Schedule perturbation: in debug builds, tests may have a function called at the steps of the protocol where another thread's step in
 * between is to be feared; it yields or sleeps by a seed. Nothing at all in other builds. Not under a lock that a fork takes, but for the
 * verdict's: tests stop a thread at a step, and fork. */
#pragma once

#include "base/base.h"
#include "port/atomic.h"

extern void (*oi_perturb_hook)(void); /* atomic; NULL: none */

static inline void oi_perturb(void)
{
    if (OURO_DEBUG) {
        void (*hook)(void) = oi_load_relaxed(&oi_perturb_hook); /* relaxed: set while nothing else goes on */
        if (OI_UNLIKELY(hook != NULL))
            hook();
    }
}
