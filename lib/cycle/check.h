/* SPDX-License-Identifier: MIT
 *
 * Whether collections that follow candidates miss anything; for debug builds. */
#pragma once

/* Aborts if there is garbage that the next collection of generation 2 would not find. After one, under the collection lock, when hints are
 * known to be complete; waits as a collection does. */
void oi_candidates_check(void);

extern unsigned oi_candidates_check_every; /* one call in so many does it: what is missed once stays so until everything is looked at. Tests set it */
