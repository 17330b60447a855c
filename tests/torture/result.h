/* SPDX-License-Identifier: MIT
 *
 * What a run has come to: a line each second, and the result, as text and as JSON. */
#ifndef TORTURE_RESULT_H
#define TORTURE_RESULT_H

#include "torture/run.h"

void result_progress(const struct run *run);
void result_print(const struct run *run);
void result_write(const struct run *run, const char *file);

#endif
