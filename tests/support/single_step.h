/* SPDX-License-Identifier: MIT
 *
 * Runs code one instruction at a time: between any two, a function of the test's is called on the same thread (in a signal handler: no
 * locks, no allocation). So a test can stop an operation at each of its instructions in turn, or check at each that what others rely on
 * holds. With the trap flag of x86-64 processors; elsewhere, and under sanitizers, single_step_supported() is false. */
#ifndef TESTS_SUPPORT_SINGLE_STEP_H
#define TESTS_SUPPORT_SINGLE_STEP_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <ucontext.h>

#include "support/check.h"
#include "support/scale.h"

static _Thread_local long single_steps;              /* since single_step_begin */
static _Thread_local bool (*single_step_fn)(long n); /* NULL: not stepping */

#if defined(__x86_64__) && !defined(TEST_TSAN) && !defined(TEST_ASAN)

static void single_step_trap(int signal_number, siginfo_t *unused, void *context)
{
    bool (*fn)(long n) = single_step_fn;
    (void)signal_number, (void)unused;
    single_step_fn = NULL; /* what it calls is not stepped through */
    long n = ++single_steps;
    if (fn && fn(n))
        single_step_fn = fn;
    else
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100l;
}

static inline bool single_step_supported(void)
{
    struct sigaction action = {.sa_sigaction = single_step_trap, .sa_flags = SA_RESTART | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    return CHECK_EQ(sigaction(SIGTRAP, &action, NULL), 0);
}

/* fn(1) is called after the next instruction of the calling thread, and so on, as long as it returns true. Ends in any case before the thread
 * blocks signals: a trap would end the process then. liburcu does that in a thread's first read section, and in grace periods. */
static inline void single_step_begin(bool (*fn)(long n))
{
    single_steps = 0;
    single_step_fn = fn;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static inline void single_step_end(void)
{
    __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
    single_step_fn = NULL;
}

#else

static inline bool single_step_supported(void)
{
    printf("       skipped: no single steps here\n");
    return false;
}

static inline void single_step_begin(bool (*fn)(long n))
{
    (void)fn;
}

static inline void single_step_end(void)
{
}

#endif

#endif
