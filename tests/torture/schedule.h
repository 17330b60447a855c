/* SPDX-License-Identifier: MIT
 *
 * Who runs when: by the seed and the number of the round, the priorities of all threads of the process, the library's too, the processors that each
 * may use, and how often the steps of the library's protocols are held up (support/perturb.h). */
#ifndef TORTURE_SCHEDULE_H
#define TORTURE_SCHEDULE_H

#include <stdint.h>

/* Cuts the processors down to those that are to be used. */
void schedule_start(void);
void schedule_shuffle(uint64_t round);

/* No step is held up, until the next shuffling. */
void schedule_calm(void);

#endif
