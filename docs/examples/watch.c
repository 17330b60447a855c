/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <sys/resource.h>

#include "team.h"

#define MUCH_NS 2000 /* to be preempted takes longer */

void watch_look(struct watch *watch)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    watch->preempted = (size_t)usage.ru_nivcsw;
    watch->waited = (size_t)usage.ru_nvcsw;
}

void watch_init(struct watch *watch)
{
    watch_look(watch);
    watch->start = watch->stop = now_ns();
}

void watch_start(struct watch *watch)
{
    watch->start = now_ns();
    if (watch->start - watch->stop > MUCH_NS) { /* what happened in between is no part of it */
        watch_look(watch);
        watch->start = now_ns();
    }
}

void watch_stop(struct watch *watch, struct timing *timing)
{
    watch->stop = now_ns();
    uint64_t ns = watch->stop - watch->start;
    size_t preempted = watch->preempted;
    histogram_add(&timing->all, ns);
    if (ns > MUCH_NS)
        watch_look(watch);
    if (ns > timing->longest_undisturbed && watch->preempted == preempted)
        timing->longest_undisturbed = ns;
}

void timing_merge(struct timing *to, const struct timing *from)
{
    histogram_merge(&to->all, &from->all);
    if (from->longest_undisturbed > to->longest_undisturbed)
        to->longest_undisturbed = from->longest_undisturbed;
}
