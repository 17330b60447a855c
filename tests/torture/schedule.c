/* SPDX-License-Identifier: MIT */
#include "torture/schedule.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/perturb.h"
#include "support/rng.h"
#include "torture/options.h"

enum { LOWER = 10 }; /* a thread's priority, at most; beyond that it may wait for seconds, and all others for it */

static cpu_set_t allowed;
static int nice_before;
static bool may_raise; /* the priority that was lowered */

void schedule_start(void)
{
    id_t self = (id_t)syscall(SYS_gettid);
    nice_before = getpriority(PRIO_PROCESS, self);
    may_raise = !setpriority(PRIO_PROCESS, self, nice_before + 1) && !setpriority(PRIO_PROCESS, self, nice_before);
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        CPU_ZERO(&allowed);
    unsigned left = options.cores;
    for (int i = 0; options.cores && i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &allowed) && !left)
            CPU_CLR(i, &allowed);
        else if (CPU_ISSET(i, &allowed))
            left--;
    }
    if (CPU_COUNT(&allowed))
        sched_setaffinity(0, sizeof allowed, &allowed); /* of this thread, and of those that it begins */
}

static void shuffle_thread(id_t thread, struct rng *rng)
{
    cpu_set_t some = allowed;
    bool all = rng_one_in(rng, 2);
    for (int i = 0; !all && i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &some) && rng_one_in(rng, 2))
            CPU_CLR(i, &some);
    }
    sched_setaffinity((pid_t)thread, sizeof some, CPU_COUNT(&some) ? &some : &allowed);
    int lower = rng_one_in(rng, 4) ? (int)rng_below(rng, LOWER + 1) : 0;
    if (may_raise)
        setpriority(PRIO_PROCESS, thread, nice_before + lower); /* it may have ended */
}

static void for_each_thread(struct rng *rng)
{
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        id_t thread = (id_t)atoi(task->d_name);
        if (thread && thread != (id_t)getpid()) /* the main thread only waits */
            shuffle_thread(thread, rng);
    }
    if (tasks)
        closedir(tasks);
}

void schedule_shuffle(uint64_t round)
{
    static const unsigned rates[] = {0, 4, 16, 64, 256};
    struct rng rng = rng_stream(options.seed ^ 0x5c4ed01e, round);
    if (!options.perturb)
        return;
    perturb_start(options.seed, rates[rng_below(&rng, sizeof rates / sizeof *rates)]);
    for_each_thread(&rng);
}

void schedule_calm(void)
{
    perturb_stop();
}
