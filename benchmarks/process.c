/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

/* A line of the kernel's table, in bytes. */
static double status_bytes(const char *key)
{
    char line[128];
    double bytes = 0, kib;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), ": %lf", &kib) == 1)
            bytes = kib * 1024;
    }
    if (file)
        fclose(file);
    return bytes;
}

double process_resident(void)
{
    return status_bytes("VmRSS");
}

double process_peak_resident(void)
{
    return status_bytes("VmHWM");
}

void process_reset_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double process_cpu(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double process_thread_cpu(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static double seconds_of_timeval(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

double process_others_cpu(void)
{
    /* In this order; what a host takes away is the last, guests are within the first two. */
    enum { USER, NICE, SYSTEM, IDLE, WAITING, IRQ, SOFTIRQ, STOLEN, FIELDS };
    double ticks[FIELDS] = {0}, busy = 0;
    struct rusage children;
    FILE *file = fopen("/proc/stat", "r");
    int got = file ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[USER], &ticks[NICE], &ticks[SYSTEM],
                            &ticks[IDLE], &ticks[WAITING], &ticks[IRQ], &ticks[SOFTIRQ], &ticks[STOLEN])
                   : 0;
    if (file)
        fclose(file);
    for (int i = 0; i < got; i++)
        busy += i == IDLE || i == WAITING ? 0 : ticks[i];
    getrusage(RUSAGE_CHILDREN, &children);
    return busy / (double)sysconf(_SC_CLK_TCK) - process_cpu() - seconds_of_timeval(children.ru_utime) -
           seconds_of_timeval(children.ru_stime);
}

static size_t read_numbers(int end, double *numbers, size_t count)
{
    size_t got = 0;
    FILE *in = fdopen(end, "r");
    if (!in) {
        close(end);
        return 0;
    }
    while (got < count && fscanf(in, "%lf", &numbers[got]) == 1)
        got++;
    fclose(in);
    return got;
}

bool process_run(const char *benchmark, const char *argument, double *numbers, size_t count)
{
    char name[32], what[96];
    int ends[2], status = -1;
    pid_t pid;
    /* The switches come first: arguments are read in order. */
    char *arguments[6] = {"bench"};
    size_t last = 1;
    if (bench_quick)
        arguments[last++] = "--quick";
    snprintf(name, sizeof name, "%s", benchmark);
    snprintf(what, sizeof what, "%s", argument);
    arguments[last++] = "--child";
    arguments[last++] = name;
    arguments[last] = what;
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int error = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    size_t got = read_numbers(ends[0], numbers, count);
    bool ok = !error && waitpid(pid, &status, 0) == pid && status == 0 && got == count;
    bench_check(ok, "the process for \"%s\" failed", argument);
    return ok;
}
