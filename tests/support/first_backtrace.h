/* SPDX-License-Identifier: MIT
 *
 * A process's first backtrace, or first pthread_exit, loads a library. Tests have a malloc of their own (sanitizer_fork.c), so LeakSanitizer does not
 * see that this is the loader's memory, and has to be told. */
#ifndef TESTS_SUPPORT_FIRST_BACKTRACE_H
#define TESTS_SUPPORT_FIRST_BACKTRACE_H

#include <execinfo.h>

#include "support/scale.h"

#ifdef TEST_ASAN
void __lsan_disable(void);
void __lsan_enable(void);
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable() ((void)0)
#endif

static inline void first_backtrace(void)
{
    void *frame;
    __lsan_disable();
    backtrace(&frame, 1);
    __lsan_enable();
}

#endif
