/* SPDX-License-Identifier: MIT
 *
 * The runtime: composes the layers' per-thread parts, and starts and ends everything. */
#pragma once

#include <ouro/ouro.h>

#include "cycle/young.h"
#include "object/act.h"

/* A thread slot, whole. */
struct oi_thread {
    struct oi_local local; /* first */
    struct oi_young young;
};

static inline struct oi_thread *oi_thread_of(struct oi_local *local)
{
    return (struct oi_thread *)local;
}

/* ---- runtime/start.c ---- */

struct oi_options {
    unsigned flags;
    uint32_t max_threads;
    size_t soft_limit, hard_limit;
    size_t threshold[3];
    long purge_delay_ms;
    ouro_misuse_hook misuse;
    void *misuse_arg;
    bool print, trap;
};

extern struct oi_options oi_options; /* written while starting */

/* Starts the runtime with defaults if it does not run. */
ouro_status oi_start_default(void);

/* ---- runtime/options.c ---- */

/* The options that a configuration and the environment ask for. What cannot be read in the environment is reported and left out. */
ouro_status oi_options_read(const ouro_config *config, struct oi_options *options);
void oi_options_report(void);

/* ---- runtime/thread.c ---- */

ouro_status oi_thread_init(void);
bool oi_thread_hold_slot(struct oi_act *act);

/* ---- runtime/collect.c ---- */

void oi_collect_init(void);
void oi_collect_thread_init(struct oi_thread *thread);
void oi_collect_pressure(struct oi_act *act, bool force);
/* Does what a collection inside ouro_new has left waiting; finalizers of garbage cycles unless they are ouro_finalizers_run's to run. */
void oi_collect_run_due(struct oi_act *act);
/* Collects and runs what falls due until nothing more does; objects found, or a negative status. */
long oi_collect_young(struct oi_act *act);

/* ---- runtime/service.c ---- */

void oi_service_init(void);
/* Something is to be done (limbo, purging): wakes the background thread, or starts it. Never blocks for long, never fails. */
void oi_service_wake(void);
void oi_service_stop(void);
/* Takes back what others freed on parked and exited threads' pages. */
void oi_service_sweep(bool whole);
void oi_service_before_fork(void);
void oi_service_after_fork_parent(void);
void oi_service_after_fork_child(void);

/* ---- runtime/fork.c ---- */

ouro_status oi_fork_init(void);

/* ---- runtime/leaks.c ---- */

void oi_leaks_count(ouro_leak_report *report);
void oi_leaks_print(const ouro_leak_report *report);
