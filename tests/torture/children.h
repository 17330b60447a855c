/* SPDX-License-Identifier: MIT
 *
 * Children of fork. A worker forks in the middle of everything; the child goes on by itself with what the worker held, and the parent waits for
 * it. */
#ifndef TORTURE_CHILDREN_H
#define TORTURE_CHILDREN_H

#include "torture/steps.h"

/* Not before all threads of the library have had their first read section: support/fork_gate.h. */
void children_allow(void);
void children_fork(struct worker *worker);

#endif
