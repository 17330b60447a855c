/* SPDX-License-Identifier: MIT */
#include "torture/report.h"

#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/check.h"
#include "support/scale.h"
#include "torture/history.h"
#include "torture/ledger.h"
#include "torture/options.h"
#include "torture/steps.h"

enum { SHOWN_OF_THREAD = 16, SHOWN_OF_OBJECT = 32, FRAMES = 48 };

static atomic_bool failing;
static _Thread_local bool failed_here;
static atomic_uint_fast64_t progress;
static bool in_child;

/* ---- Printing that signal handlers may do ---- */

static void put(const char *text)
{
    ssize_t ignored = write(2, text, strlen(text));
    (void)ignored;
}

static void put_number(uint64_t number)
{
    char text[24], *at = text + sizeof text;
    *--at = 0;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    put(at);
}

static void put_hex(uint64_t number)
{
    char text[24], *at = text + sizeof text;
    *--at = 0;
    do
        *--at = "0123456789abcdef"[number % 16];
    while (number /= 16);
    put("0x");
    put(at);
}

static void put_id(const char *before, uint32_t id)
{
    if (!id)
        return;
    put(before);
    put_number(id);
}

/* ---- What happened ---- */

static void put_happening(const struct happening *h, uint64_t now)
{
#define EVENT_NAME(constant, name) name,
    static const char *const names[EVENT_COUNT] = {EVENTS(EVENT_NAME)};
#undef EVENT_NAME
    put("    ");
    put_number((now > h->time ? now - h->time : 0) / 1000);
    put(" us ago, step ");
    put_number(h->step);
    put(": ");
    if (h->event == EVENT_STEP) {
        put("begins: ");
        put(step_name(h->container));
    } else {
        put(h->event < EVENT_COUNT ? names[h->event] : "?");
        put_id(" of ", h->container);
        if (h->container && h->event >= EVENT_GET && h->event <= EVENT_NOT_SET) {
            put(", slot ");
            put_number(h->slot);
        }
        put_id(", out ", h->before);
        put_id(", in ", h->after);
    }
    put("\n");
}

static void put_thread_name(unsigned number)
{
    if (number < options.threads) {
        put("worker ");
        put_number(number);
    } else {
        put(number == options.threads ? "main thread" : "another thread (the library's)");
    }
}

struct found {
    struct happening happening;
    unsigned who;
};

/* Sorted by time; when there is no room, the earliest one goes. */
static unsigned put_among(struct found *found, unsigned count, struct found one)
{
    unsigned at = count;
    if (count == SHOWN_OF_OBJECT) {
        if (one.happening.time <= found[0].happening.time)
            return count;
        memmove(found, found + 1, --at * sizeof *found);
    }
    for (; at > 0 && found[at - 1].happening.time > one.happening.time; at--)
        found[at] = found[at - 1];
    found[at] = one;
    return count == SHOWN_OF_OBJECT ? count : count + 1;
}

/* What is known of the object, and the last that was done to it, of all threads. */
static void put_object(uint32_t id, uint64_t now)
{
    struct found found[SHOWN_OF_OBJECT];
    struct happening h;
    unsigned count = 0;
    for (unsigned i = 0; i < history_count(); i++) {
        for (uint64_t ago = 0; history_look(i, ago, &h); ago++) {
            if (h.event != EVENT_STEP && h.event != EVENT_COLLECT && (h.container == id || h.before == id || h.after == id))
                count = put_among(found, count, (struct found){h, i});
        }
    }
    put("object ");
    put_number(id);
    if (id <= account_count) {
        put(": ");
        put(accounts[id].kind == WEAK ? "weak reference" : node_types[accounts[id].kind].name);
        put(" at ");
        put_hex((uintptr_t)accounts[id].object);
        put(", made by worker ");
        put_number(accounts[id].maker);
    }
    put("; what was last done to it:\n");
    for (unsigned i = 0; i < count; i++) {
        put("  ");
        put_thread_name(found[i].who);
        put_happening(&found[i].happening, now);
    }
}

static void put_schedule(uint64_t now)
{
    struct happening h;
    for (unsigned i = 0; i < history_count(); i++) {
        uint64_t ago = SHOWN_OF_THREAD;
        if (!history_look(i, 0, &h))
            continue;
        put_thread_name(i);
        put(", its last events:\n");
        while (ago-- > 0) {
            if (history_look(i, ago, &h))
                put_happening(&h, now);
        }
    }
}

static void put_command(void)
{
    put("ouro-stress: seed ");
    put_number(options.seed);
    put("; to do it again: ");
    put(options_command());
    put("\n");
}

static void put_all(uint32_t id)
{
    uint64_t now = history_clock();
    put_command();
    put_schedule(now);
    if (id)
        put_object(id, now);
    put_command(); /* where it is seen */
}

/* ---- Failures ---- */

/* The first thread goes on; a second one waits for the end; one that fails while it reports ends it. */
static void begin(void)
{
    if (failed_here)
        _exit(1);
    failed_here = true;
    if (atomic_exchange(&failing, true)) {
        for (;;)
            pause();
    }
    put(in_child ? "\nouro-stress: FAILED in a child of fork: " : "\nouro-stress: FAILED: ");
}

_Noreturn void fail(const char *what, uint32_t id)
{
    begin();
    put_id("object ", id);
    put(id ? ": " : "");
    put(what);
    put("\n");
    put_all(id);
    _exit(1);
}

void expect(bool ok, const char *what, uint32_t id)
{
    if (!ok)
        fail(what, id);
}

void expect_equal(uint64_t found, uint64_t expected, const char *what, uint32_t id)
{
    if (found == expected)
        return;
    begin();
    put_id("object ", id);
    put(id ? ": " : "");
    put(what);
    put(": ");
    put_number(found);
    put(", and not ");
    put_number(expected);
    put("\n");
    put_all(id);
    _exit(1);
}

/* ---- Crashes ---- */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
enum { CRASHES = sizeof crashes / sizeof *crashes };
static struct sigaction earlier[CRASHES];

static void put_stack(void)
{
    void *frames[FRAMES];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), 2);
}

static void crashed(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    begin();
    put("signal ");
    put_number((uint64_t)signal_number);
    put(" at address ");
    put_hex((uintptr_t)info->si_addr);
    put("\n");
    put_all(0);
    put_stack();
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &earlier[i], NULL); /* a sanitizer's, perhaps: it has something to say, too */
    raise(signal_number); /* when this handler has returned */
}

void report_join(void)
{
#ifndef TEST_ASAN /* which has stacks of its own for this */
    static _Thread_local char stack[65536];
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
#endif
}

/* ---- No progress ---- */

static void show_stack(int signal_number)
{
    (void)signal_number;
    put("stack of thread ");
    put_number((uint64_t)syscall(SYS_gettid));
    put(":\n");
    put_stack();
}

static void put_file(const char *path)
{
    char text[256];
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    text[size > 0 ? size : 0] = 0;
    put(text);
}

/* The system's view of each thread, and its stack, as far as it can be had. This allocates: nothing goes on any more that could be in the way. */
static void put_threads(void)
{
    char path[300];
    DIR *tasks = opendir("/proc/self/task");
    signal(SIGUSR1, show_stack);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        put("thread (proc/PID/stat): ");
        put_file(path);
        syscall(SYS_tgkill, getpid(), atoi(task->d_name), SIGUSR1);
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
}

void report_progress(void)
{
    atomic_fetch_add_explicit(&progress, 1, memory_order_relaxed);
}

static _Noreturn void fail_idle(void)
{
    begin();
    put("no progress for ");
    put_number(options.patience);
    put(" seconds\n");
    put_all(0);
    put_threads();
    put_command();
    _exit(1);
}

static void *watch(void *unused)
{
    (void)unused;
    uint64_t seen = 0;
    for (unsigned idle = 0; idle < options.patience;) {
        nanosleep(&(struct timespec){1, 0}, NULL);
        uint64_t now = atomic_load(&progress);
        idle = now == seen ? idle + 1 : 0;
        seen = now;
    }
    fail_idle();
}

void report_start(void)
{
    pthread_t thread;
    struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
#ifndef TEST_ASAN /* whose LeakSanitizer does not know what the loader keeps */
    backtrace((void *[1]){NULL}, 1); /* what it needs is loaded now, and not in a handler */
#endif
    report_join();
    for (int i = 0; i < CRASHES; i++)
        REQUIRE(sigaction(crashes[i], &action, &earlier[i]) == 0);
    REQUIRE(pthread_create(&thread, NULL, watch, NULL) == 0);
    pthread_detach(thread);
}

static void ring(int signal_number)
{
    (void)signal_number;
    fail_idle();
}

/* The thread that watches is not there. A child has so many seconds in all. */
void report_forked(void)
{
    in_child = true;
    signal(SIGALRM, ring);
    alarm(options.patience * TEST_SLOWDOWN);
}
