/* SPDX-License-Identifier: MIT
 *
 * Perturbation of schedules: in debug builds the library calls a function at the steps of its protocols where another thread's step in
 * between is to be feared (lib/port/perturb.h). Here that function holds the thread up for a while: it yields, spins or sleeps, by a
 * seed. In other builds nothing happens. */
#ifndef TESTS_SUPPORT_PERTURB_H
#define TESTS_SUPPORT_PERTURB_H

#include <stdint.h>

/* From now on, one step in so many, at random, holds its thread up; 0: none does. Any time; the seed counts for threads that are held up
 * for the first time. By the seed, too: whether objects are shared with a bias or without. */
void perturb_start(uint64_t seed, unsigned one_in);
void perturb_stop(void);

/* The calling thread's choices come from the seed and this number; else from the order in which threads came. */
void perturb_join(uint64_t seed, uint64_t number);

/* Steps that were held up since the program began. */
long perturb_count(void);

#endif
