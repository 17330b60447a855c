/* SPDX-License-Identifier: MIT
 *
 * What memory checkers are told: Valgrind's Memcheck, AddressSanitizer, LeakSanitizer. Which of them is there is found out at run time, so that one
 * build of the library serves with all and with none. Who tells them has asked oi_checker_present before; the rest is for no program
 * that runs without one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The process runs under Memcheck. (Not: under another of Valgrind's tools.) */
bool oi_checker_is_memcheck(void);

/* The program was built with AddressSanitizer. */
bool oi_checker_is_asan(void);

/* A block of a pool becomes an object of `size` bytes, as from malloc, whose content is undefined; or is one no more, as by free. */
void oi_checker_born(void *block, size_t size);
void oi_checker_died(void *block);

/* Memory from malloc that blocks are cut from. Of its own content, only the first `known` bytes lead anywhere, when it is asked what is leaked. */
void oi_checker_divided(void *at, size_t size, size_t known);

/* Nobody is to touch the range; or anybody may again, and its content is what it is. */
void oi_checker_close(void *at, size_t size);
void oi_checker_open(void *at, size_t size);

/* LeakSanitizer: what the range refers to is not leaked; and that it may be. Costs nothing where there is none. */
void oi_checker_add_root(void *at, size_t size);
void oi_checker_remove_root(void *at, size_t size);
