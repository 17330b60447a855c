/* SPDX-License-Identifier: MIT
 *
 * Runs a function in a forked child, where it may end, break or configure the runtime as it likes. */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <stddef.h>

/* The child's checks count from zero; it exits with 0 if none failed. The result is that of waitpid: 0 is success. */
int child_run(void (*fn)(void *arg), void *arg);

/* The same, and what the child wrote to stderr (cut off at size - 1). */
int child_run_reading(void (*fn)(void *arg), void *arg, char *text, size_t size);

#endif
