/* SPDX-License-Identifier: MIT
 *
 * Sites: where in the program something was done, as a number. A site is the return addresses that were on the stack; equal ones have the same
 * number, and are kept for good. They get names in reports only. */
#pragma once

#include <stdint.h>

/* How many return addresses a site has at most, 1 to OI_FRAMES_MAX. Once, at start. */
void oi_site_start(unsigned frames);

/* The site of the caller; 0: no memory. */
uint32_t oi_site_here(void);

/* Names for sites, in the program's terms: the functions of the library are left out. An array of count strings, each "f (file:line), from
 * g (file:line) ..."; equal ones are one string, for compilers make several places of a line. To be freed as one. NULL: no memory. */
char **oi_site_names(const uint32_t *sites, unsigned count);

void oi_site_before_fork(void);
void oi_site_after_fork(void);
