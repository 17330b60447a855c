/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

void oi_start_before_fork(void);
void oi_start_after_fork(bool child);
