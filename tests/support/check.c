/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/hang.h"

enum { MESSAGES_MAX = 40, TIMEOUT = 320 };

static atomic_ulong passed, failed;
static const char *program_name = "?";
static char current_test[96] = "start";
static void (*before_test)(void), (*after_test)(void);

static bool count(bool ok)
{
    if (ok)
        atomic_fetch_add_explicit(&passed, 1, memory_order_relaxed);
    else if (atomic_fetch_add_explicit(&failed, 1, memory_order_relaxed) >= MESSAGES_MAX)
        return true; /* counted, but enough has been said */
    return ok;
}

bool check_that(bool ok, const char *file, int line, const char *text)
{
    if (!count(ok))
        fprintf(stderr, "%s:%d: %s: %s\n", file, line, current_test, text);
    return ok;
}

static bool compare(intmax_t a, const char *op, intmax_t b)
{
    switch (op[0]) {
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        return op[1] ? a <= b : a < b;
    default:
        return op[1] ? a >= b : a > b;
    }
}

bool check_int(intmax_t a, const char *op, intmax_t b, const char *file, int line, const char *ta, const char *tb)
{
    bool ok = compare(a, op, b);
    if (!count(ok))
        fprintf(stderr, "%s:%d: %s: %s %s %s: %jd %s %jd\n", file, line, current_test, ta, op, tb, a, op, b);
    return ok;
}

bool check_pointer(const void *a, const void *b, const char *file, int line, const char *ta, const char *tb)
{
    bool ok = a == b;
    if (!count(ok))
        fprintf(stderr, "%s:%d: %s: %s == %s: %p == %p\n", file, line, current_test, ta, tb, a, b);
    return ok;
}

static const char *text_of(const char *s)
{
    return s ? s : "(NULL)";
}

bool check_string(const char *a, const char *b, const char *file, int line, const char *ta, const char *tb)
{
    bool ok = a == b || (a && b && strcmp(a, b) == 0);
    if (!count(ok))
        fprintf(stderr, "%s:%d: %s: %s is %s: \"%s\", not \"%s\"\n", file, line, current_test, ta, tb, text_of(a),
                text_of(b));
    return ok;
}

bool check_contains(const char *a, const char *b, const char *file, int line, const char *ta, const char *tb)
{
    bool ok = a && b && strstr(a, b);
    if (!count(ok))
        fprintf(stderr, "%s:%d: %s: %s has %s: \"%s\" has no \"%s\"\n", file, line, current_test, ta, tb, text_of(a),
                text_of(b));
    return ok;
}

_Noreturn void check_give_up(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: %s: cannot go on: %s\n", file, line, current_test, text);
    printf("%s: %lu passed, %lu failed\n", program_name, atomic_load(&passed), check_failures() + 1);
    fflush(NULL);
    _Exit(1);
}

static void hung(int signal_number)
{
    (void)signal_number;
    static const char before[] = "hangs in ", after[] = "\n";
    if (write(2, before, sizeof before - 1) < 0 || write(2, current_test, strlen(current_test)) < 0 ||
        write(2, after, sizeof after - 1) < 0)
        _exit(4);
    hang_report();
    _exit(3);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double deadline;

/* An eighth of the time is left for telling where it hangs, before whoever has set the limit ends the process without a word. */
static void limit_to(double seconds)
{
    double most = seconds > 2 ? seconds * 7 / 8 : 1;
    deadline = now() + most;
    alarm((unsigned)most);
}

void check_start(const char *program)
{
    static char buffer[4096]; /* so that printing does not allocate */
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    program_name = program;
    signal(SIGALRM, hung);
    const char *timeout = getenv("TEST_TIMEOUT"); /* Bazel's */
    limit_to(timeout && atoi(timeout) > 0 ? atoi(timeout) : TIMEOUT);
}

void check_around(void (*before)(void), void (*after)(void))
{
    before_test = before;
    after_test = after;
}

void check_run(const char *name, void (*test)(void))
{
    const char *only = getenv("OURO_TEST_ONLY");
    if (only && !strstr(name, only))
        return;
    snprintf(current_test, sizeof current_test, "%s", name);
    unsigned long failed_before = check_failures();
    double start = now();
    if (before_test)
        before_test();
    test();
    if (after_test)
        after_test();
    printf("%-6s %s (%.2f s)\n", check_failures() == failed_before ? "ok" : "FAILED", name, now() - start);
}

int check_finish(void)
{
    printf("%s: %lu passed, %lu failed\n", program_name, atomic_load(&passed), atomic_load(&failed));
    fflush(NULL);
    return check_failures() ? 1 : 0;
}

unsigned long check_failures(void)
{
    return atomic_load(&failed);
}

void check_restart(void)
{
    atomic_store(&passed, 0);
    atomic_store(&failed, 0);
    limit_to(deadline - now()); /* before its parent */
}
