/* SPDX-License-Identifier: MIT
 *
 * Dev mode: who watches a watched heap (mem/watch.h), and what it remembers. Chosen by the first start of the process, for objects and types that are made
 * before and after would have to be told apart.
 *
 *     what                      is on           in
 *     births, deaths, poison    dev mode, Memcheck, OURO_USE_MALLOC    mem/watch.c
 *     histories, sites          dev mode        object/history.c, object/site.c */
#include <stdio.h>

#include "mem/watch.h"
#include "object/history.h"
#include "object/misuse.h"
#include "object/site.h"
#include "port/checker.h"
#include "runtime/runtime.h"

#define GONE "the object was written to after it had gone"

static void coming(const void *block)
{
    if (oi_history_is_broken(block))
        oi_misuse(OURO_MISUSE_WRITE_AFTER_FREE, "ouro_release", block, GONE);
}

static void overwritten(const void *block, size_t at)
{
    char message[160];
    snprintf(message, sizeof message, GONE ": byte %zu of its block, perhaps more", at);
    oi_misuse(OURO_MISUSE_WRITE_AFTER_FREE, "ouro_release", block, message);
}

void oi_devmode_init(const struct oi_options *options)
{
    static bool done; /* under the start lock */
    bool dev = options->flags & OURO_DEVMODE, memcheck = oi_checker_is_memcheck(), each = options->flags & OURO_USE_MALLOC;
    if (done)
        return;
    done = true;
    oi_page_set_source(memcheck, each);
    if (dev || memcheck || each)
        oi_watch_start(dev || memcheck ? options->quarantine : 0, !each);
    if (!dev)
        return;
    oi_watch_on_coming = coming;
    oi_watch_on_overwritten = overwritten;
    oi_watch_on_leaving = oi_history_forget;
    oi_site_start(options->trace_frames);
    oi_history_on = true;
}

void oi_devmode_before_fork(void)
{
    oi_watch_before_fork();
    oi_history_before_fork();
    oi_site_before_fork();
}

void oi_devmode_after_fork(void)
{
    oi_site_after_fork();
    oi_history_after_fork();
    oi_watch_after_fork();
}
