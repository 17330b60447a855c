/* SPDX-License-Identifier: MIT
 *
 * Where the program is: the return addresses on the stack, and what they are called. Taking them is cheap enough for dev mode; naming them runs
 * another program, and is for reports. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OI_FRAMES_MAX 32u

/* The calling thread's return addresses, the innermost first: this call's, but for the first `skip`. Returns their number, at most max
 * (OI_FRAMES_MAX at most). The first call of a process may allocate; none fails. */
unsigned oi_backtrace(void **frames, unsigned max, unsigned skip);

/* What stands at a return address. */
struct oi_place {
    unsigned frame;       /* index of the address; functions that the compiler has put in line have several places, the innermost first */
    const char *function; /* or "??" */
    const char *file;     /* file:line; or module+offset, if nobody knows the line */
    bool line_known;
    bool own_module;      /* in a shared library of which this function is a part, too */
};

typedef void oi_place_fn(const struct oi_place *place, void *arg);

/* Calls fn for the places of each address, in order. Runs binutils' addr2line once for each module, if it is installed; else says what the
 * dynamic linker knows. Waits for that program; runs no fork handlers, takes no lock. */
void oi_backtrace_name(void *const *frames, unsigned count, oi_place_fn *fn, void *arg);
