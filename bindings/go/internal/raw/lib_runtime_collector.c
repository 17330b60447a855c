//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * When the concurrent collection runs by itself, and the thread that it runs on. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "lib_object_credit.h"
#include "lib_object_destroy.h"
#include "lib_port_os.h"
#include "lib_runtime_runtime.h"

/* Pacing, by the bytes of pages in use, which garbage makes grow. Generation 1 when they are a sixteenth more than the last collection has left; 2
 * when that is an eighth more than the last of its own has left, so that recent garbage, however fast it is made, is no reason for a look at all. So
 * garbage not yet found stays below that. One of these that frees less than one
 * in GOOD_YIELD of what it looked at makes the next step of its generation greater, up to PATIENCE times: for generation 2, until what it costs in
 * all stays below a constant per byte allocated; generation 1 looks at each new page once in any case, and so need not let recent garbage pile up
 * beyond an eighth. */
#define STEP_1 ((size_t)2 << 20)
#define STEP_2 ((size_t)6 << 20)
#define PATIENCE_1 2u
#define PATIENCE_2 16u
#define GOOD_YIELD 20
#define THROTTLE ((size_t)1 << 20)
#define THROTTLE_US 5
#define QUIET_MS 100 /* then what was made during the last collection has nobody who would ask for another */
#define TURNS 1000 /* yielded to collections that wait */
#define CHEAP 10000u /* candidates that cost too little to learn from */

static pthread_mutex_t collection_lock = PTHREAD_MUTEX_INITIALIZER; /* one collection at a time: docs/design/lock-order.md */
static size_t base[OURO_GC_GENERATIONS]; /* bytes that the last collection of 1 or 2, and of 2, has left, or what is still there of these; atomic */
static unsigned patience[OURO_GC_GENERATIONS]; /* atomic, written under the lock */

static pthread_mutex_t thread_lock = PTHREAD_MUTEX_INITIALIZER; /* the collector thread lock */
static pthread_t thread;   /* under it */
static bool running;       /* atomic; written under it */
static bool stopping;      /* atomic */
static struct oi_wakeup wakeup;
static uint32_t waiting;   /* atomic: collections that want the collection lock */
static bool collecting;    /* atomic; written under the collection lock */
static bool busy;          /* atomic: a collection has been asked for because of growth, and is not done */
static uint64_t last_ns;   /* atomic: processor time that the last of generation 2 took */
static uint32_t requested; /* atomic: a bit per generation and reason */

static uint32_t request_bit(int generation, enum ouro_gc_reason reason)
{
    return 1u << ((unsigned)generation * OURO_GC_REASONS + reason);
}
_Static_assert(OURO_GC_GENERATIONS * OURO_GC_REASONS <= 32, "a bit each");

static void start(void);

/* ---- pacing ---- */

static size_t step_of(int generation)
{
    size_t least = generation == 1 ? STEP_1 : STEP_2;
    size_t share = oi_load_relaxed(&base[generation]) / (generation == 1 ? 16 : 8);
    unsigned times = oi_load_relaxed(&patience[generation]);
    return (share > least ? share : least) * (times ? times : 1);
}

static size_t mark_of(int generation)
{
    return oi_gc_threshold(generation) ? SIZE_MAX : oi_load_relaxed(&base[generation]) + step_of(generation);
}

/* What generation 1 cannot find has grown to what is reason for generation 2. Where a threshold keeps 1 from being run for growth, nobody knows, and it
 * may be all there is. */
static bool is_old_due(size_t in_use)
{
    return (oi_gc_threshold(1) ? in_use : oi_load_relaxed(&base[1])) >= mark_of(2);
}

static void set_mark(void)
{
    struct oi_page_totals totals = oi_page_totals();
    oi_store_relaxed(&busy, false);
    for (int i = 1; i < OURO_GC_GENERATIONS; i++) {
        if (totals.in_use < oi_load_relaxed(&base[i]))
            oi_store_relaxed(&base[i], totals.in_use); /* counting has freed some of it since */
    }
    size_t mark = oi_gc_threshold(1) || is_old_due(0) ? mark_of(2) : mark_of(1);
    if (totals.soft_limit && mark > totals.soft_limit) {
        /* Over the limit: again with every thirty-second part more. */
        size_t soft = totals.in_use > totals.soft_limit ? totals.in_use + totals.in_use / 32 : totals.soft_limit;
        mark = soft < mark ? soft : mark;
    }
    if (totals.hard_limit && mark > totals.hard_limit) {
        /* Before the limit: half-way to it. */
        size_t left = totals.hard_limit > totals.in_use ? totals.hard_limit - totals.in_use : 0;
        mark = totals.in_use + left / 2;
    }
    bool on;
    do {
        on = oi_gc_is_on();
        oi_store_relaxed(&oi_page_growth_mark, on ? mark : SIZE_MAX);
    } while (on != oi_gc_is_on());
    size_t left = oi_load_relaxed(&base[1]), room = step_of(1) / 2;
    oi_store_relaxed(&oi_page_shrink_mark, left > room ? left - room : 0);
}

/* Counting has freed much of what the last collection has left: garbage may not grow up to what that was. */
static void shrinking(void)
{
    if (!oi_load_relaxed(&busy)) /* else the collection that follows sets the marks */
        set_mark();
}

/* What the program asks for may be worth it, but if not, that says nothing. */
static void adapt(const struct oi_concurrent *job, enum ouro_gc_reason reason, size_t in_use_before)
{
    /* Less than what is in use now: what has been made meanwhile nobody has looked at, and blocks that were freed can be filled with garbage before
     * another page is taken. */
    size_t known = in_use_before > job->freed_bytes ? in_use_before - job->freed_bytes : 0, now = oi_page_totals().in_use;
    bool good = job->freed * GOOD_YIELD > job->candidates;
    unsigned times = oi_load_relaxed(&patience[job->generation]), most = job->generation == 1 ? PATIENCE_1 : PATIENCE_2;
    times = times ? 2 * times : 2;
    if (good || (job->candidates > CHEAP && reason != OURO_GC_REASON_ASKED))
        oi_store_relaxed(&patience[job->generation], good ? 1 : times < most ? times : most);
    for (int i = 1; i <= job->generation; i++)
        oi_store_relaxed(&base[i], known < now ? known : now);
    set_mark();
}

/* A collection has been asked for because of growth. Until it is done, threads that go on growing beyond this mark take a short rest for
 * each page: otherwise those that make shared garbage faster than one thread can find it would use up all memory. */
static size_t throttle_room(void)
{
    size_t share = oi_load_relaxed(&base[2]) / 40;
    return share > THROTTLE ? share : THROTTLE;
}

static void set_throttle_mark(size_t in_use)
{
    oi_store_relaxed(&oi_page_growth_mark, in_use + throttle_room());
}

/* The longer, the more the heap has grown beyond the mark: at first up to 40 microseconds, which for one in many hundred objects is below what a program
 * would notice; only if that does not help, up to 16 times as long. */
static void rest(size_t in_use)
{
    size_t mark = oi_load_relaxed(&oi_page_growth_mark);
    size_t steps = in_use > mark ? (in_use - mark) / throttle_room() : 0, times = steps / 6;
    oi_os_sleep_us(steps < 3 ? THROTTLE_US << steps : (THROTTLE_US << 3) << (times < 4 ? times : 4));
}

/* Pages in use have grown to the mark. */
static void grown(void)
{
    size_t in_use = oi_page_totals().in_use;
    if (oi_load_relaxed(&busy)) {
        if (!oi_act.reading && !oi_act.in_user_code)
            rest(in_use);
        return;
    }
    struct oi_page_totals totals = oi_page_totals();
    bool scarce = oi_page_is_over_soft_limit() || (totals.hard_limit && in_use > totals.hard_limit / 2);
    int generation = is_old_due(in_use) ? 2 : scarce ? 0 : in_use >= mark_of(1) ? 1 : 0;
    if (!generation && !scarce) {
        set_mark();
        return;
    }
    oi_store_relaxed(&busy, true); /* until the collection that follows sets the mark anew */
    set_throttle_mark(in_use);
    oi_collector_request(generation ? generation : 2, generation ? OURO_GC_REASON_GROWTH : OURO_GC_REASON_MEMORY);
    if (!oi_load_acquire(&running))
        set_mark(); /* no thread to be had: with the next page again */
}

bool oi_collector_is_busy(void)
{
    return oi_load_relaxed(&collecting) || (oi_load_relaxed(&requested) && oi_load_relaxed(&running));
}

uint64_t oi_collector_last_ns(void)
{
    return oi_load_relaxed(&last_ns);
}

bool oi_collector_finds_little(void)
{
    return oi_load_relaxed(&patience[2]) >= 4;
}

void oi_collector_settings_changed(void)
{
    set_mark();
}

void oi_collector_counts_changed(void)
{
    for (int generation = 2; generation > 0 && oi_gc_is_on(); generation--) {
        size_t limit = oi_gc_threshold(generation);
        if (limit && oi_gc_count(generation) >= limit) {
            oi_collector_request(generation, OURO_GC_REASON_COUNT);
            return;
        }
    }
}

/* ---- collecting ---- */

void oi_collector_collect(struct oi_act *act, struct oi_concurrent *job, enum ouro_gc_reason reason)
{
    ouro_gc_info info = {.size = sizeof info, .generation = job->generation, .reason = reason};
    oi_gc_begins(act, &info);
    ouro_blocking_begin(); /* a callback may have ended the region, or attached the thread, and dropped things */
    oi_fetch_add_relaxed(&waiting, 1);
    pthread_mutex_lock(&collection_lock);
    oi_fetch_sub_relaxed(&waiting, 1);
    oi_store_relaxed(&collecting, true);
    uint64_t start = oi_os_now_ns(), cpu = oi_os_thread_cpu_ns();
    size_t in_use = oi_page_totals().in_use;
    oi_concurrent_collect(act, job);
    info.candidates = job->candidates;
    info.suspects = job->suspects;
    info.found = job->found;
    info.freed = job->freed;
    info.duration_ns = oi_os_now_ns() - start;
    if (job->generation == 2)
        oi_store_relaxed(&last_ns, oi_os_thread_cpu_ns() - cpu);
    oi_service_sweep(false); /* pages that it has emptied */
    adapt(job, reason, in_use);
    oi_debug_keep(job->saved);
    oi_finalizer_queue(job); /* before another collection can end: who asked for that waits for all that is queued */
    oi_store_relaxed(&collecting, false);
    pthread_mutex_unlock(&collection_lock);
    oi_gc_ended(act, &info);
}

void oi_collector_hold_off(struct oi_act *act, bool *outer)
{
    *outer = act->in_user_code;
    ouro_blocking_begin(); /* nothing that others hand to this thread waits for a collection */
    for (int turns = 0; turns < TURNS && oi_load_relaxed(&waiting); turns++)
        sched_yield(); /* this may be the next of many calls; mutexes are not fair */
    pthread_mutex_lock(&collection_lock);
    act->in_user_code = true;
    ouro_blocking_end();
}

void oi_collector_let_go(struct oi_act *act, bool outer)
{
    pthread_mutex_unlock(&collection_lock);
    act->in_user_code = outer;
    oi_destroy_run(act);
}

/* ---- the thread ---- */

/* False: nothing was asked for. */
static bool work(void)
{
    struct oi_act *act = &oi_act;
    uint32_t asked = oi_exchange_acquire(&requested, 0);
    if (!asked)
        return false;
    unsigned highest = 31u - (unsigned)__builtin_clz(asked); /* what asks for the older generation has priority */
    if (!oi_gc_is_on() && highest % OURO_GC_REASONS != OURO_GC_REASON_ASKED) {
        set_mark();
        return true; /* turned off since */
    }
    struct oi_concurrent job = {.generation = (int)(highest / OURO_GC_REASONS)};
    oi_collector_collect(act, &job, highest % OURO_GC_REASONS);
    ouro_blocking_begin(); /* if a gc callback has attached the thread */
    return true;
}

static bool is_beyond_mark(void)
{
    return oi_page_totals().in_use >= oi_load_relaxed(&oi_page_growth_mark);
}

/* Threads that made garbage during a collection, and since then take no page, would leave it lying: it is looked for a while later. */
static void *run(void *unused)
{
    long timeout_ms = -1;
    (void)unused;
    oi_os_name_thread("ouro-collector");
    oi_counting.never = true;
    while (!oi_load_acquire(&stopping)) {
        oi_wakeup_wait(&wakeup, timeout_ms);
        bool late = timeout_ms >= 0 && !oi_load_relaxed(&requested) && is_beyond_mark();
        if (late)
            grown();
        bool worked = work();
        if (late || !is_beyond_mark())
            timeout_ms = -1; /* once: what it has not found is alive, or at the limit */
        else if (worked)
            timeout_ms = QUIET_MS;
    }
    return NULL;
}

static void start(void)
{
    sigset_t all, before;
    if (pthread_mutex_trylock(&thread_lock) != 0)
        return; /* the caller may hold other locks; whoever holds this one starts, stops or forks, and looks again */
    if (!running && !stopping) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before); /* the program's signals are not for this thread */
        bool ok = pthread_create(&thread, NULL, run, NULL) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        oi_store_release(&running, ok); /* if not: the next request tries again */
    }
    pthread_mutex_unlock(&thread_lock);
}

void oi_collector_request(int generation, enum ouro_gc_reason reason)
{
    oi_fetch_or_acqrel(&requested, request_bit(generation, reason));
    if (OI_UNLIKELY(!oi_load_acquire(&running)))
        start();
    oi_wakeup_set(&wakeup);
}

void oi_collector_init(void)
{
    static bool done; /* under the start lock */
    if (!done)
        oi_wakeup_init(&wakeup);
    done = true;
    oi_page_on_growth = grown;
    oi_page_on_shrinking = shrinking;
    set_mark();
}

void oi_collector_stop(void)
{
    pthread_mutex_lock(&thread_lock);
    bool was = running;
    oi_store_release(&stopping, true);
    pthread_mutex_unlock(&thread_lock);
    if (was) {
        oi_wakeup_set(&wakeup);
        pthread_join(thread, NULL);
    }
    pthread_mutex_lock(&thread_lock);
    oi_store_release(&running, false);
    oi_store_release(&stopping, false);
    oi_store_relaxed(&requested, 0); /* what others have asked for meanwhile: growth will ask again */
    pthread_mutex_unlock(&thread_lock);
    set_mark();
}

void oi_collector_before_fork(void)
{
    pthread_mutex_lock(&thread_lock);
}

void oi_collector_after_fork_parent(void)
{
    pthread_mutex_unlock(&thread_lock);
    if (!oi_load_relaxed(&requested))
        return;
    if (!oi_load_acquire(&running))
        start(); /* whoever tried met the fork */
    oi_wakeup_set(&wakeup);
}

void oi_collector_after_fork_child(void)
{
    oi_store_relaxed(&running, running && pthread_equal(thread, pthread_self())); /* if not: started anew by the next request */
    oi_store_relaxed(&collecting, false);
    oi_store_relaxed(&stopping, false);
    oi_store_relaxed(&requested, 0);
    oi_wakeup_init(&wakeup);
    oi_store_relaxed(&waiting, 0);
    pthread_mutex_init(&collection_lock, NULL); /* its holder, if there was one, is gone: the next collection clears up after it */
    pthread_mutex_unlock(&thread_lock);
    set_mark();
}
