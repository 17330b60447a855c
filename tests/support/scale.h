/* SPDX-License-Identifier: MIT
 *
 * Amounts of work, scaled down where the program is instrumented. */
#ifndef TESTS_SUPPORT_SCALE_H
#define TESTS_SUPPORT_SCALE_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#endif
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define TEST_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define TEST_TSAN 1
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#endif

#if defined(TEST_TSAN)
#define TEST_SLOWDOWN 12
#elif defined(TEST_ASAN)
#define TEST_SLOWDOWN 3
#else
#define TEST_SLOWDOWN 1
#endif

/* n of a plain build, fewer in an instrumented one, at least 1. */
#define SCALED(n) ((n) / TEST_SLOWDOWN > 0 ? (n) / TEST_SLOWDOWN : 1)

#endif
