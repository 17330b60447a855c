/* SPDX-License-Identifier: MIT
 *
 * What targets have in common: an input read byte by byte, and checks that end the process, which is how an engine notices.
 * Each target is one function, LLVMFuzzerTestOneInput, whoever calls it: libFuzzer, AFL++'s driver, or driver.c. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FUZZ_INPUT_MAX = 4096 }; /* bytes that an engine makes at most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many mutations are a test run, without sanitizers: some seconds' work. */
extern const long fuzz_runs;

/* What is left of the input. Behind its end there are zeros. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline unsigned fuzz_byte(struct fuzz_input *input)
{
    if (!input->left)
        return 0;
    input->left--;
    return *input->at++;
}

/* 0 .. n-1, n at most 256 */
static inline unsigned fuzz_below(struct fuzz_input *input, unsigned n)
{
    return fuzz_byte(input) % n;
}

static inline uint64_t fuzz_number(struct fuzz_input *input, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | fuzz_byte(input);
    return number;
}

/* The second may be a number that helps: which object, which position. */
#define FUZZ_CHECK(cond, number) ((cond) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #cond, (long)(number)))

_Noreturn static inline void fuzz_fail(const char *file, int line, const char *text, long number)
{
    fprintf(stderr, "%s:%d: not so: %s (%ld)\n", file, line, text, number);
    fflush(stderr);
    abort();
}

#endif
