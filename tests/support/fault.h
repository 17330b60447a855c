/* SPDX-License-Identifier: MIT
 *
 * Makes the n-th request of the library to the system fail. malloc, calloc, realloc, aligned_alloc, posix_memalign, mmap, munmap,
 * mprotect, madvise, pthread_create, pthread_key_create and pthread_setspecific are defined in the test program itself; they count the
 * calls that come from libouro (or the program: liburcu and libc are let through, for they abort on failure) and fail those that are
 * due. Sanitizers bring their own versions of these functions, so there fault_supported() is false and nothing ever fails.
 */
#ifndef TESTS_SUPPORT_FAULT_H
#define TESTS_SUPPORT_FAULT_H

#include <stdbool.h>

enum fault_mode {
    FAULT_ONCE, /* the n-th call fails */
    FAULT_FROM, /* the n-th and all later ones fail */
    FAULT_SOME  /* one in n fails, which ones is as good as random, and the same each time */
};

bool fault_supported(void);

/* From now on the nth call (1 is the next) fails. While armed, print nothing and start no threads. */
void fault_arm(enum fault_mode mode, long nth);

/* Back to normal. Returns the number of calls that failed. */
long fault_disarm(void);

#endif
