/* SPDX-License-Identifier: MIT
 *
 * Failures. The first one ends the program: what was wrong, the command that does it again, what was last done to the object concerned,
 * and what each thread did last. The same is printed when the program crashes, by a signal handler, and when there is no progress. Nothing of that
 * allocates, locks, or calls the library. */
#ifndef TORTURE_REPORT_H
#define TORTURE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* Handlers for crashes, and the thread that watches. */
void report_start(void);

/* Each thread of the program's own, when it begins: crashes by lack of stack are reported, too. */
void report_join(void);

/* Something goes on. */
void report_progress(void);

/* In a child of fork, before anything else. */
void report_forked(void);

/* id: the object's that it is about, or 0. */
_Noreturn void fail(const char *what, uint32_t id);

/* Fail unless. */
void expect(bool ok, const char *what, uint32_t id);
void expect_equal(uint64_t found, uint64_t expected, const char *what, uint32_t id);

#endif
