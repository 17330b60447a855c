/* SPDX-License-Identifier: MIT */
#include "support/child.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static _Noreturn void be_child(void (*fn)(void *), void *arg)
{
    check_restart();
    fn(arg);
    fflush(NULL);
    _exit(check_failures() ? 1 : 0);
}

static int wait_for(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) != pid)
        ;
    return status;
}

int child_run(void (*fn)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0)
        be_child(fn, arg);
    return wait_for(pid);
}

int child_run_reading(void (*fn)(void *arg), void *arg, char *text, size_t size)
{
    int ends[2];
    fflush(NULL);
    REQUIRE(pipe(ends) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        be_child(fn, arg);
    }
    close(ends[1]);
    size_t used = 0;
    char rest[256];
    for (;;) {
        bool room = used + 1 < size;
        ssize_t n = read(ends[0], room ? text + used : rest, room ? size - 1 - used : sizeof rest);
        if (n <= 0)
            break;
        if (room)
            used += (size_t)n;
    }
    text[used] = 0;
    close(ends[0]);
    return wait_for(pid);
}
