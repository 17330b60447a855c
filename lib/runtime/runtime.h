/* SPDX-License-Identifier: MIT
 *
 * The runtime: composes the layers' per-thread parts, and starts and ends everything. */
#pragma once

#include <ouro/ouro.h>

#include "cycle/concurrent.h"
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
    bool print;
    int signal;           /* that the default hook raises; 0: none */
    size_t quarantine;
    unsigned trace_frames;
};

extern struct oi_options oi_options; /* written while starting */

/* Starts the runtime with defaults if it does not run. */
ouro_status oi_start_default(void);

/* ---- runtime/options.c ---- */

/* The options that a configuration and the environment ask for. What cannot be read in the environment is reported and left out. */
ouro_status oi_options_read(const ouro_config *config, struct oi_options *options);
void oi_options_report(void);

/* ---- runtime/devmode.c ---- */

/* At each start; the first one of the process counts. Before any object and type. */
void oi_devmode_init(const struct oi_options *options);
void oi_devmode_before_fork(void);
void oi_devmode_after_fork(void);

/* ---- runtime/thread.c ---- */

ouro_status oi_thread_init(void);
bool oi_thread_hold_slot(struct oi_act *act);
void oi_thread_watch_exit(struct oi_act *act);

/* ---- runtime/collect.c ---- */

void oi_collect_thread_init(struct oi_thread *thread);
void oi_collect_pressure(struct oi_act *act, bool force);
/* Does what a collection inside ouro_new has left waiting; finalizers of garbage cycles unless they are ouro_finalizers_run's to run. */
void oi_collect_run_due(struct oi_act *act);
/* Collects and runs what falls due until nothing more does; objects found, or a negative status. */
long oi_collect_young(struct oi_act *act);

/* ---- runtime/gc.c ---- */

void oi_gc_init(void);
bool oi_gc_is_on(void);
size_t oi_gc_threshold(int generation);
/* Collections of the next younger generation since the last of this one. */
size_t oi_gc_count(int generation);
/* Around every collection: calls the program's callbacks; records it. No lock is held. */
void oi_gc_begins(struct oi_act *act, const ouro_gc_info *info);
void oi_gc_ended(struct oi_act *act, const ouro_gc_info *info);
void oi_gc_before_fork(void);
void oi_gc_after_fork(void);

/* ---- runtime/collector.c ---- */

void oi_collector_init(void);
/* One concurrent collection on the calling thread, which is parked or holds no slot; what falls due is queued. */
void oi_collector_collect(struct oi_act *act, struct oi_concurrent *job, enum ouro_gc_reason reason);
/* One on the collector's own thread, which is started if need be. Never blocks. */
void oi_collector_request(int generation, enum ouro_gc_reason reason);
uint64_t oi_collector_last_ns(void); /* processor time that the last collection of generation 2 took */
/* Between these two no concurrent collection runs, and no user code on this thread, which holds a slot and is in no read section. Waits for
 * the collection under way. */
void oi_collector_hold_off(struct oi_act *act, bool *outer);
void oi_collector_let_go(struct oi_act *act, bool outer);
/* A collection is under way or about to be; a moment's reading. */
bool oi_collector_is_busy(void);
/* The last collections of generation 2 that ran by themselves have freed next to nothing. */
bool oi_collector_finds_little(void);
void oi_collector_settings_changed(void);
void oi_collector_counts_changed(void);
void oi_collector_stop(void);
void oi_collector_before_fork(void);
void oi_collector_after_fork_parent(void);
void oi_collector_after_fork_child(void);

/* ---- runtime/finalizer.c ---- */

/* Takes over what a collection, or the background thread, has found due. */
void oi_finalizer_queue(struct oi_concurrent *job);
/* Runs at most budget of it on the calling thread. Returns how many ran. */
size_t oi_finalizer_run(struct oi_act *act, size_t budget);
/* What was ever done. */
uint64_t oi_finalizer_done(void);
/* Waits until what was queued before is done; returns what was ever done. Not from user code. */
uint64_t oi_finalizer_wait(void);
/* Waits until all is done, and ends the thread. */
void oi_finalizer_stop(void);
void oi_finalizer_before_fork(void);
void oi_finalizer_after_fork_parent(void);
void oi_finalizer_after_fork_child(void);

/* ---- runtime/debug.c ---- */

/* Says on stderr what a collection has done, if that is wanted. */
void oi_debug_print(const ouro_gc_info *info);
/* Takes over tokens of garbage for the garbage list. */
void oi_debug_keep(struct oi_stack_node *saved);
/* Lets go of the garbage list; false: it was empty. */
bool oi_debug_clear(void);
void oi_debug_before_fork(void);
void oi_debug_after_fork(void);

/* ---- runtime/visit.c ---- */

void oi_visit_before_fork(void);
void oi_visit_after_fork_parent(void);
void oi_visit_after_fork_child(void);

/* ---- runtime/service.c ---- */

void oi_service_init(void);
/* Something is to be done (limbo, purging): wakes the background thread, or starts it. Never blocks for long, never fails. */
void oi_service_wake(void);
/* Memory has just become free that nobody has used for so long before. If that is the purge delay and more: all free memory goes back to the OS now. */
void oi_service_purge(uint64_t idle_ns);
/* There is something of what it was woken for; a moment's reading. */
bool oi_service_is_needed(void);
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

/* ---- runtime/leak_sites.c ---- */

/* In dev mode: the same by places, with a path to one object of each. */
void oi_leaks_print_sites(void);
