/* SPDX-License-Identifier: MIT
 *
 * What sanitizers are told about this project. */
#include "support/scale.h"

#if defined(TEST_TSAN)

const char *__tsan_default_suppressions(void);
const char *__tsan_default_options(void);

/* The system's liburcu is not instrumented: what it allocates, frees and locks for itself is its own business. */
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:liburcu-bp.so\n"
           "called_from_lib:liburcu-cds.so\n"
           "called_from_lib:liburcu-common.so\n";
}

/* The children of fork_test start threads. */
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

#else

typedef int sanitizer_defaults_is_empty;

#endif
