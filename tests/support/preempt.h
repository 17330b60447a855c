/* SPDX-License-Identifier: MIT
 *
 * Pauses threads between any two instructions: a signal's handler holds them up for some microseconds. What a yield in the
 * source cannot reach is reached so: one instruction of the library's, and everything that other threads do before the
 * next. Not under ThreadSanitizer, which delivers signals when it sees fit: there nothing is ever paused. */
#ifndef TESTS_SUPPORT_PREEMPT_H
#define TESTS_SUPPORT_PREEMPT_H

#include <stdbool.h>
#include <stdint.h>

/* Between these two, threads that have joined are paused at random. Seeds repeat the choices, not the moments. */
void preempt_start(uint64_t seed);
void preempt_stop(void);

/* The calling thread may be paused from here, to here. Nothing happens unless started; leave before the thread ends. */
void preempt_join(void);
void preempt_leave(void);

/* In a child of fork: the thread that pauses others is not there. */
void preempt_forget(void);

/* Pauses since the program began. */
long preempt_pauses(void);

#endif
