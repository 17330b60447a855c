/* SPDX-License-Identifier: MIT
 *
 * What is wrong on purpose, once, at the end of a round: to see that it is found (--sabotage, for the tests of this program). */
#ifndef TORTURE_SABOTAGE_H
#define TORTURE_SABOTAGE_H

#include "torture/steps.h"

void sabotage(struct worker *worker);

#endif
