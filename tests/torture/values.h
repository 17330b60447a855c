/* SPDX-License-Identifier: MIT
 *
 * A list, a dict and a set that all workers change. Of each, what was put in and what was taken out is summed up. Between two rounds what is
 * left is taken out: then the sums are 0. The oracle has no accounts of them, so they live for a round. */
#ifndef TORTURE_VALUES_H
#define TORTURE_VALUES_H

#include "torture/steps.h"

void values_open(void);
void values_close(void);
void values_step(struct worker *worker);

#endif
