//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Start and shutdown. */
#include "lib_runtime_start.h"

#include <pthread.h>

#include "lib_mem_limbo.h"
#include "lib_mem_stats.h"
#include "lib_mem_watch.h"
#include "lib_object_history.h"
#include "lib_object_inbox.h"
#include "lib_object_misuse.h"
#include "lib_object_weak.h"
#include "lib_port_os.h"
#include "lib_value_token.h"
#include "lib_value_value.h"
#include "lib_runtime_runtime.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the start lock: docs/design/lock-order.md */
static pthread_mutex_t shutdown_lock = PTHREAD_MUTEX_INITIALIZER; /* one shutdown at a time; only ever tried */
static bool started;                                     /* atomic; written under the lock */
struct oi_options oi_options;

const char *ouro_version(void)
{
    return OURO_VERSION_STRING;
}

/* Everything here is done once per process, or may be done again. */
static ouro_status start(const struct oi_options *options)
{
    ouro_status status = oi_os_has_membarrier() ? OURO_OK : OURO_E_SYSTEM;
    if (status != OURO_OK)
        return status;
    oi_options = *options;
    oi_misuse_set_default(options->print, options->signal);
    oi_misuse_set_hook(options->misuse, options->misuse_arg);
    oi_page_set_limits(options->soft_limit, options->hard_limit);
    oi_devmode_init(options);
    if ((status = oi_thread_init()) != OURO_OK || (status = oi_fork_init()) != OURO_OK)
        return status;
    if (!oi_weak_init() || !oi_value_init())
        return OURO_E_NOMEM;
    if (!oi_concurrent_init())
        return OURO_E_NOMEM;
    oi_gc_init();
    oi_service_init();
    oi_collector_init();
    return OURO_OK;
}

static ouro_status start_with(const ouro_config *config)
{
    struct oi_options options;
    pthread_mutex_lock(&lock);
    bool was = started;
    ouro_status status = was ? OURO_OK : oi_options_read(config, &options);
    if (!was && status == OURO_OK) {
        status = start(&options);
        oi_store_release(&started, status == OURO_OK); /* pairs with oi_start_default [MO-start] */
    }
    pthread_mutex_unlock(&lock);
    if (!was && status == OURO_OK)
        oi_options_report();
    return status;
}

ouro_status ouro_init(const ouro_config *config)
{
    return start_with(config);
}

ouro_status oi_start_default(void)
{
    return OI_LIKELY(oi_load_acquire(&started)) ? OURO_OK : start_with(NULL);
}

static void start_if_possible(void)
{
    (void)oi_start_default();
}

const struct oi_upcalls oi_upcalls = {
    .start = start_if_possible,
    .hold_slot = oi_thread_hold_slot,
    .pressure = oi_collect_pressure,
    .run_due = oi_collect_run_due,
    .watch_exit = oi_thread_watch_exit,
    .wake = oi_service_wake,
};

static void let_others_shut_down(void *unused)
{
    (void)unused;
    pthread_mutex_unlock(&shutdown_lock);
}

/* With the shutdown lock. Runs user code, which may end this thread. */
static void collect_all(void)
{
    pthread_cleanup_push(let_others_shut_down, NULL);
    oi_debug_clear();
    oi_token_close();
    ouro_gc_collect(2);
    if (oi_debug_clear()) /* a collection that was under way has kept some */
        ouro_gc_collect(2);
    ouro_thread_detach();
    pthread_cleanup_pop(0);
}

static void count_leaks(ouro_leak_report *report)
{
    oi_leaks_count(report);
    if (oi_options.flags & OURO_REPORT_LEAKS)
        oi_leaks_print(report);
    if ((oi_options.flags & OURO_REPORT_LEAKS) && oi_history_on)
        oi_leaks_print_sites();
}

ouro_status ouro_shutdown(ouro_leak_report *report)
{
    struct oi_act *act = &oi_act;
    uint64_t unused;
    if (act->reading || act->in_user_code || act->destroying) {
        oi_misuse(OURO_MISUSE_WRONG_PLACE, "ouro_shutdown", NULL, "not inside a read section, a finalizer or a weak callback");
        return OURO_E_USAGE;
    }
    if (pthread_mutex_trylock(&shutdown_lock) != 0)
        return OURO_E_AGAIN;
    ouro_leak_report own;
    report = report ? report : &own;
    ouro_gc_set_debug(ouro_gc_get_debug() & ~(unsigned)OURO_GC_DEBUG_SAVEALL);
    collect_all();
    int held = oi_os_hold_cancel(); /* no more of it from here on */
    oi_collector_stop();
    oi_finalizer_stop();
    oi_service_sweep(true);
    /* Each round may free what keeps the next from being found: once more than it finds something. */
    while (oi_limbo_reclaim()) {
    }
    oi_watch_let_out();
    oi_service_sweep(true);
    oi_service_stop();
    oi_page_purge(0, &unused);
    count_leaks(report);
    pthread_mutex_lock(&lock);
    oi_store_release(&started, false);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&shutdown_lock);
    oi_os_let_cancel(held);
    return OURO_OK;
}

void ouro_mem_get_stats(ouro_mem_stats *stats, size_t size)
{
    ouro_mem_stats all;
    oi_mem_count(&all, oi_act.reading || oi_misuse_is_being_told());
    all.size = size;
    __builtin_memcpy(stats, &all, size < sizeof all ? size : sizeof all);
}

ouro_status ouro_mem_set_limit(size_t soft, size_t hard)
{
    if (soft && hard && soft > hard)
        return OURO_E_INVALID;
    ouro_status status = oi_start_default();
    if (status == OURO_OK) {
        oi_page_set_limits(soft, hard);
        oi_collector_settings_changed();
    }
    return status;
}

size_t ouro_mem_trim(void)
{
    struct oi_act *act = &oi_act;
    uint64_t unused;
    if (oi_start_default() != OURO_OK)
        return 0;
    oi_inbox_look(act);
    if (!act->reading)
        oi_limbo_reclaim();
    if (oi_holds_slot(act))
        oi_pool_collect(&act->self->pool);
    oi_service_sweep(true);
    return oi_page_purge(0, &unused);
}

void oi_start_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_start_after_fork(bool child)
{
    if (child)
        pthread_mutex_init(&shutdown_lock, NULL);
    pthread_mutex_unlock(&lock);
}
