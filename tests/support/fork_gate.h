/* SPDX-License-Identifier: MIT
 *
 * Keeps forks of a test away from what does not survive them, in other people's code:
 *
 *     liburcu            a thread's first read section and its end take a lock that is not held around fork (urcu-bp.c, init_lock)
 *     AddressSanitizer   likewise each thread's end (for malloc and a thread's beginning nothing need be done: sanitizer_fork.c)
 *
 * In a child, such a lock would stay locked for ever, by a thread that is not there. Everything else may be cut in two by a fork: nothing of
 * the library under test needs this.
 *
 * A thread that forks: if (fork_gate_close()) { pid = fork(); fork_gate_open(pid == 0); } */
#ifndef TESTS_SUPPORT_FORK_GATE_H
#define TESTS_SUPPORT_FORK_GATE_H

#include <stdbool.h>

bool fork_gate_close(void); /* false: not now */
void fork_gate_open(bool child);

/* Between these two nobody forks; the second may be called by another thread. A thread that ends: the first is the last thing that it
 * does, the second is for whoever has joined it. */
void fork_gate_enter(void);
void fork_gate_leave(void);

#endif
