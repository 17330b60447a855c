//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * The background thread: takes dead blocks through grace periods, returns memory to the OS, keeps hash tables in shape, takes back the credit of
 * threads that do not use it. It sleeps without a timer while there is nothing to do, and is started by the first thing there is. */
#include <pthread.h>

#include "lib_mem_limbo.h"
#include "lib_object_credit.h"
#include "lib_object_inbox.h"
#include "lib_object_reader.h"
#include "lib_object_weak.h"
#include "lib_port_os.h"
#include "lib_runtime_runtime.h"
#include "lib_value_value.h"

/* The thread's rest after each pass. A grace period interrupts every processor that runs the program, twice, whatever it is for: so one serves all that dies
 * in that time (docs/decisions/045-rest.md). */
#define REST_US 500
#define WATCH_SLACK_NS 20000000u
#define WATCH_TRIES_MAX 7u
#define WATCH_SHARE 10u
#define SWEEP_PAGES 64u /* at a time, of a parked thread's: see oi_tslot_unpark */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the service lock: docs/design/lock-order.md */
static pthread_t thread;   /* under the lock */
static bool running;       /* atomic; written under the lock */
static bool stopping;      /* atomic */
static struct oi_wakeup wakeup;
static long purge_delay_ms; /* atomic */
static bool purge_asked;    /* atomic: all that is free, whatever its age */
static uint64_t watch_at;   /* the thread's: when to look at the inboxes again */
static unsigned watch_tries; /* the thread's: collections asked for since all inboxes were looked into by their threads */

/* Nobody who counts objects while all their threads are parked meets a page half-way. */
static void sweep(struct oi_tslot *slot, bool whole)
{
    struct oi_pool *pool = &OI_CONTAINER_OF(slot, struct oi_local, tslot)->pool;
    for (bool more = whole || oi_pool_has_news(pool); more;) {
        bool still = oi_limbo_hold_still(whole || oi_act.reading); /* whole: the caller's own thread may be out of memory */
        more = oi_tslot_claim(slot);
        if (more) {
            more = !whole && oi_pool_collect_some(pool, SWEEP_PAGES);
            if (whole)
                oi_pool_collect(pool);
            oi_tslot_let_go(slot); /* what came into the inbox meanwhile is the duty of who pushed it (S3) */
        } else if (still && oi_load_relaxed(&slot->state) == OI_TSLOT_THREAD) {
            oi_pool_release_returned(pool); /* the thread may be asleep all the same; not during a fork */
        }
        if (still)
            oi_limbo_go_on();
    }
}

void oi_service_sweep(bool whole)
{
    for (uint32_t id = 1, n = oi_tslot_count(); id <= n; id++)
        sweep(oi_tslot_find(id), whole);
}

/* What a running thread does not carry out itself, being asleep or busy with something else, a collection does. What is alive comes back to the inbox, so
 * each look comes twice as late as the one before, up to a quarter of a minute, until that thread has looked; and so late that these collections take
 * no more than a WATCH_SHARE of a processor. Returns the milliseconds to the next look; negative: there is none. */
static long watch_inboxes(void)
{
    if (!oi_inbox_is_watched())
        return -1;
    uint64_t now = oi_os_now_ns();
    if (now >= watch_at) {
        enum oi_inbox_state state = oi_inbox_watch();
        if (state == OI_INBOX_LEFT)
            oi_collector_request(2, OURO_GC_REASON_OWNER);
        watch_tries = state != OI_INBOX_LEFT ? 0 : watch_tries < WATCH_TRIES_MAX ? watch_tries + 1 : watch_tries;
        if (state == OI_INBOX_EMPTY)
            return -1;
        uint64_t pause = (oi_load_relaxed(&oi_inbox_patience_ns) + WATCH_SLACK_NS) << watch_tries, least = oi_collector_last_ns() * WATCH_SHARE;
        watch_at = now + (pause > least ? pause : least);
    }
    return (long)((watch_at - now) / 1000000u) + 1;
}

/* Takes back what credit is not used: it keeps objects alive that nobody else does. What dies by it is destroyed here, but for user code: that is
 * the finalizer thread's. Returns how long to sleep until the next time; negative: for ever. */
static long recall_credit(void)
{
    static uint64_t last_ns; /* the thread's, as is the next */
    static uint32_t times;
    const uint64_t patience_ns = oi_credit_patience_ms * UINT64_C(1000000), now_ns = oi_os_now_ns();
    struct oi_act *act = &oi_act;
    if (!oi_credit_attend(true)) {
        last_ns = 0;
        return -1;
    }
    if (!last_ns)
        last_ns = now_ns; /* it has just been taken */
    if (now_ns - last_ns < patience_ns)
        return (long)((patience_ns - (now_ns - last_ns)) / 1000000u) + 1;
    act->reading = 1;
    oi_credit_recall(act, ++times % OI_CREDIT_ALL_EVERY);
    act->reading = 0;
    struct oi_concurrent due = {.dead = act->dead_waiting, .callbacks = act->callbacks};
    act->dead_waiting = NULL;
    act->callbacks = NULL;
    if (due.dead || due.callbacks)
        oi_finalizer_queue(&due);
    last_ns = now_ns;
    return oi_credit_patience_ms;
}

static long sooner(long a, long b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* One pass. Returns how long to sleep until the next is due by itself; negative: for ever. */
static long work(void)
{
    uint64_t next_ns = UINT64_MAX;
    long credit_ms = recall_credit();
    if (oi_limbo_is_waiting()) {
        oi_limbo_reclaim();
        oi_service_sweep(false);
    }
    oi_weak_maintain();
    oi_value_maintain();
    long delay_ms = oi_load_relaxed(&purge_delay_ms);
    bool at_once = oi_exchange_acquire(&purge_asked, false); /* before the purge; pairs with oi_service_purge [MO-purge] */
    if (delay_ms >= 0)
        oi_page_purge(at_once ? 0 : (uint64_t)delay_ms * 1000000u, &next_ns);
    long watch_ms = watch_inboxes(), purge_ms = next_ns == UINT64_MAX ? -1 : (long)(next_ns / 1000000u) + 1;
    if (oi_limbo_is_waiting())
        return 0;
    return sooner(credit_ms, sooner(watch_ms, purge_ms));
}

static void *run(void *unused)
{
    (void)unused;
    long timeout_ms = 0;
    oi_os_name_thread("ouro-service");
    oi_counting.never = true;
    while (!oi_load_acquire(&stopping)) {
        oi_wakeup_wait(&wakeup, timeout_ms);
        timeout_ms = work();
        oi_os_sleep_us(REST_US); /* not a wait for the wake-up: what dies sets that */
    }
    (void)oi_credit_attend(false);
    return NULL;
}

static void start(void)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return; /* the caller may hold other locks; whoever holds this one starts, stops or forks, and looks again */
    if (!running && !stopping)
        oi_store_release(&running, oi_os_start_thread(&thread, run)); /* if not: the next wake-up; allocation under pressure does the work */
    pthread_mutex_unlock(&lock);
}

bool oi_service_is_needed(void)
{
    return oi_limbo_is_waiting() || oi_inbox_is_watched() || oi_credit_is_out();
}

void oi_service_wake(void)
{
    oi_reader_look();
    if (OI_UNLIKELY(!oi_load_acquire(&running)))
        start();
    oi_wakeup_set(&wakeup);
}

void oi_service_purge(uint64_t idle_ns)
{
    long delay_ms = oi_load_relaxed(&purge_delay_ms);
    if (delay_ms < 0 || idle_ns < (uint64_t)delay_ms * 1000000u)
        return;
    oi_store_release(&purge_asked, true); /* after what has become free; then the wake-up [MO-purge] */
    oi_service_wake();
}

void oi_service_init(void)
{
    static bool done; /* under the start lock */
    if (!done) { /* later on the thread may be at it already: there was something to be done when the runtime was shut down */
        oi_wakeup_init(&wakeup);
        oi_limbo_on_waiting = oi_service_wake;
        oi_page_on_dirty = oi_service_wake;
    }
    done = true;
    oi_store_relaxed(&purge_delay_ms, oi_options.purge_delay_ms);
}

void oi_service_stop(void)
{
    pthread_mutex_lock(&lock);
    bool was = running;
    oi_store_release(&stopping, true);
    pthread_mutex_unlock(&lock);
    if (was) {
        oi_wakeup_set(&wakeup);
        pthread_join(thread, NULL);
    }
    pthread_mutex_lock(&lock);
    oi_store_release(&running, false);
    oi_store_release(&stopping, false);
    pthread_mutex_unlock(&lock);
    if (oi_service_is_needed())
        oi_service_wake(); /* other threads go on */
}

void oi_service_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_service_after_fork_parent(void)
{
    pthread_mutex_unlock(&lock);
}

void oi_service_after_fork_child(void)
{
    oi_store_relaxed(&running, false); /* started anew by the next wake-up */
    oi_store_relaxed(&stopping, false);
    oi_store_relaxed(&purge_asked, false);
    oi_wakeup_init(&wakeup);
    pthread_mutex_unlock(&lock);
}
