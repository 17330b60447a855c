/* SPDX-License-Identifier: MIT
 *
 * What a program that hangs is waiting for. */
#ifndef TESTS_SUPPORT_HANG_H
#define TESTS_SUPPORT_HANG_H

/* Prints where all threads of the process are, if there is a gdb. For a handler of SIGALRM, and the last thing that the process does: it
 * takes some seconds, and ends the process if a minute is not enough. No lock is taken, no memory allocated. */
void hang_report(void);

#endif
