/* SPDX-License-Identifier: MIT */
#pragma once

void oi_start_before_fork(void);
void oi_start_after_fork(void);
