//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * When the concurrent collection runs by itself, and the thread that it runs on. */
#include <pthread.h>
#include <sched.h>

#include "lib_object_credit.h"
#include "lib_object_destroy.h"
#include "lib_object_inbox.h"
#include "lib_port_os.h"
#include "lib_runtime_runtime.h"

/* Pacing, by the bytes of pages in use, which garbage makes grow. Generation 1 when they are a sixteenth more than the last collection has left; 2
 * when that is an eighth more than the last of its own has left, so that recent garbage, however fast it is made, is no reason for a look at all. So
 * garbage not yet found stays below that. One of these that frees less than one
 * in GOOD_YIELD of what it looked at makes the next step of its generation greater, up to PATIENCE times: for generation 2, until what it costs in
 * all stays below a constant per byte allocated; generation 1 looks at each new page once in any case, and so need not let recent garbage pile up
 * beyond an eighth. But after one of generation 1 that has found so little it waits SHARE times as long as that took, at the most WAIT_NS, unless the heap grows
 * by a quarter, or POSTPONED if that is more: so a program without cycles, in which objects come and go, pays one in SHARE, and one that begins to
 * make garbage is found out a moment later. While next to nothing is shared, generation 1 is run RARELY. */
#define STEP_1 ((size_t)2 << 20)
#define STEP_2 ((size_t)6 << 20)
#define RARELY 16u /* after so many steps */
#define PATIENCE_1 2u
#define PATIENCE_2 16u
#define GOOD_YIELD 20
#define SHARE 32u
#define WAIT_NS UINT64_C(1000000000)
#define POSTPONED ((size_t)32 << 20)
#define THROTTLE ((size_t)1 << 20)
#define THROTTLE_US 5
#define FLOATING ((size_t)8 << 20)
#define CROWD_MAX 4
#define REST_US 1500 /* then it looks whether it still has to */
#define QUIET_MS 100 /* then what was made during the last collection has nobody who would ask for another */
#define TURNS 1000 /* yielded to collections that wait */
#define BREATH_NS 50000u
#define CROWDED_NS 200000u /* that a rest took: somebody else has run */
#define CROWDED_FOR_NS UINT64_C(20000000)
#define RESTS_NS UINT64_C(100000000) /* so long it may rest in one collection, and */
#define RESTS_SHARE 2u               /* so many times as long as it has worked */
#define CHEAP 10000u /* candidates that cost too little to learn from */

static pthread_mutex_t collection_lock = PTHREAD_MUTEX_INITIALIZER; /* one collection at a time: docs/design/lock-order.md */
static size_t base[OURO_GC_GENERATIONS]; /* bytes that the last collection of 1 or 2, and of 2, has left, or what is still there of these; atomic */
static unsigned patience[OURO_GC_GENERATIONS]; /* atomic, written under the lock */

static bool carrying_out;  /* atomic: the collector's thread has taken a request; it collects, or waits for who keeps collections off, or is in a callback */
static bool mostly_garbage; /* atomic: of what the heap had grown by, when it was last looked at */
static size_t grown_from;  /* atomic: bytes in use, when growth was reason to collect, less what was the reason */

static pthread_mutex_t thread_lock = PTHREAD_MUTEX_INITIALIZER; /* the collector thread lock */
static pthread_t thread;   /* under it */
static bool running;       /* atomic; written under it */
static bool stopping;      /* atomic */
static struct oi_wakeup wakeup;
static uint32_t waiting;   /* atomic: collections that want the collection lock */
static uint32_t held_off;  /* atomic: threads that want it to keep collections off */
static bool collecting;    /* atomic; written under the collection lock */
static bool busy;          /* atomic: a collection has been asked for because of growth, and is not done */
static uint64_t not_before; /* atomic: until then, nanoseconds, growth is no reason for generation 1 */
static size_t until_then;  /* atomic: and as long as no more bytes are in use */
static bool postponed;     /* atomic: it was; the thread is to look when that has gone by */
static uint64_t last_ns;   /* atomic: processor time that the last of generation 2 took */
static unsigned processors; /* when it was initialised */
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

/* Generation 1 is what growth calls for, and it has to wait. */
static bool is_too_soon(size_t in_use)
{
    return !oi_gc_threshold(1) && !is_old_due(0) && in_use >= mark_of(1) && in_use < oi_load_relaxed(&until_then) &&
           oi_os_now_ns() < oi_load_relaxed(&not_before);
}

/* Growth would call for generation 1, but hardly anything is shared, so what has grown is private, and that it does not look at. All that it could find is less than what is
 * usually not found. So it is asked for only now and then. */
static bool is_growth_private(size_t in_use)
{
    size_t from = oi_load_relaxed(&base[1]), step = step_of(1);
    return !oi_gc_threshold(1) && !is_old_due(0) && in_use >= from + step && in_use < from + RARELY * step && oi_page_published_bytes() < STEP_1 / 4;
}

/* The thread looks when the time has come, for perhaps nobody makes the heap grow on. Other locks may be held. */
static void postpone(void)
{
    if (!oi_exchange_acquire(&postponed, true))
        oi_wakeup_set(&wakeup);
}

static void set_mark(void)
{
    struct oi_page_totals totals = oi_page_totals();
    oi_store_relaxed(&busy, false);
    for (int i = 1; i < OURO_GC_GENERATIONS; i++) {
        if (totals.in_use < oi_load_relaxed(&base[i]))
            oi_store_relaxed(&base[i], totals.in_use); /* counting has freed some of it since */
    }
    size_t least = oi_load_relaxed(&base[1]), room = step_of(1) / 2, mark = oi_gc_threshold(1) || is_old_due(0) ? mark_of(2) : mark_of(1);
    if (is_growth_private(totals.in_use)) {
        least = totals.in_use; /* looked at again before long, whatever becomes of it: it may be shared by then, or go */
        mark = least + STEP_1 / 2;
    } else if (is_too_soon(totals.in_use)) {
        mark = totals.in_use + STEP_1 / 2;
        postpone();
    }
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
    oi_store_relaxed(&oi_page_shrink_mark, least > room ? least - room : 0);
}

/* Counting has freed much of what the last collection has left: garbage may not grow up to what that was. */
static void shrinking(void)
{
    if (!oi_load_relaxed(&busy)) /* else the collection that follows sets the marks */
        set_mark();
}

/* What the program asks for may be worth it, but if not, that says nothing. */
static void adapt(const struct oi_concurrent *job, enum ouro_gc_reason reason, size_t in_use_before, uint64_t cpu_ns)
{
    /* Less than what is in use now: what has been made meanwhile nobody has looked at, and blocks that were freed can be filled with garbage before
     * another page is taken. */
    size_t known = in_use_before > job->freed_bytes ? in_use_before - job->freed_bytes : 0, now = oi_page_totals().in_use;
    bool good = job->freed * GOOD_YIELD > job->candidates;
    unsigned times = oi_load_relaxed(&patience[job->generation]), most = job->generation == 1 ? PATIENCE_1 : PATIENCE_2;
    times = times ? 2 * times : 2;
    if (good || (job->candidates > CHEAP && reason != OURO_GC_REASON_ASKED))
        oi_store_relaxed(&patience[job->generation], good ? 1 : times < most ? times : most);
    if (job->found * GOOD_YIELD > job->candidates) { /* also what waits for finalizers */
        oi_store_relaxed(&not_before, 0);
    } else if (job->generation == 1 && job->candidates > CHEAP && reason != OURO_GC_REASON_ASKED) {
        uint64_t wait = SHARE * cpu_ns;
        oi_store_relaxed(&until_then, known + (known / 4 > POSTPONED ? known / 4 : POSTPONED));
        oi_store_relaxed(&not_before, oi_os_now_ns() + (wait < WAIT_NS ? wait : WAIT_NS));
    }
    oi_store_relaxed(&postponed, false);
    /* By bytes; or by objects, where much of the growth is room in pages, which many threads have. */
    size_t left = oi_load_relaxed(&base[1]), growth = in_use_before > left ? in_use_before - left : 0;
    if (growth && (reason != OURO_GC_REASON_ASKED || job->candidates > CHEAP))
        oi_store_relaxed(&mostly_garbage, 2 * job->freed_bytes > growth || (8 * job->freed_bytes > growth && 3 * job->freed > job->candidates));
    for (int i = 1; i <= job->generation; i++)
        oi_store_relaxed(&base[i], known < now ? known : now);
    set_mark();
}

bool oi_collector_is_busy(void)
{
    return oi_load_relaxed(&collecting) || (oi_load_relaxed(&requested) && oi_load_relaxed(&running));
}

/* Not while user code keeps collections off, or the thread is in a callback. */
static bool is_at_it(void)
{
    return oi_load_relaxed(&collecting) || (oi_collector_is_busy() && !oi_load_relaxed(&carrying_out));
}

/* A collection has been asked for because of growth. Until it is done, threads that go on growing beyond this mark take a short rest for
 * each page: otherwise those that make shared garbage faster than one thread can find it would use up all memory. */
static size_t throttle_room(void)
{
    size_t share = oi_load_relaxed(&base[2]) / 40;
    return share > THROTTLE ? share : THROTTLE;
}

/* So much may be dead and not found. */
static size_t floating_room(size_t alive)
{
    return alive / 5 > FLOATING ? alive / 5 : FLOATING;
}

/* Half-way to the hard limit at the latest: what would go over it fails while the collector takes its time. */
static void set_throttle_mark(const struct oi_page_totals *totals)
{
    size_t room = throttle_room(), left = totals->hard_limit > totals->in_use ? totals->hard_limit - totals->in_use : 0;
    if (totals->hard_limit && left / 2 < room)
        room = left / 2;
    oi_store_relaxed(&oi_page_growth_mark, totals->in_use + room);
}

/* Threads for a processor; by the highest number of threads that there have been. */
static long crowd(void)
{
    uint32_t times = oi_tslot_count() / processors;
    return times < 1 ? 1 : times < CROWD_MAX ? (long)times : CROWD_MAX;
}

/* The longer, the more the heap has grown beyond the mark: at first up to 40 microseconds, which for one in many hundred objects is below what a program
 * would notice; only if that does not help, up to 16 times as long; and that as many times as there are threads for a processor, between which the collector
 * has to find its own. Where most growth has been garbage of late, the longer the nearer it is to FLOATING:
 * without that, each collection would find as much made during the one before, whatever the size of both; and many threads would leave the collector so
 * little of the processors that they fill all memory meanwhile. So it goes on beyond, until they and the collector are in step: 1.3 ms at that limit,
 * twice as long with each eighth more, but not so long that others would take the thread for asleep (oi_inbox_patience_ns). */
static long rest_us(size_t in_use)
{
    size_t mark = oi_load_relaxed(&oi_page_growth_mark), from = oi_load_relaxed(&grown_from);
    size_t steps = in_use > mark ? (in_use - mark) / throttle_room() : 0, times = steps / 6;
    long us = steps < 3 ? THROTTLE_US << steps : (THROTTLE_US << 3) << (times < 4 ? times : 4);
    if (!is_at_it())
        return us;
    us *= steps < 3 ? 1 : crowd();
    if (!oi_load_relaxed(&mostly_garbage) || in_use <= from)
        return us;
    size_t eighths = (in_use - from) / (floating_room(from) / 8);
    long longer = THROTTLE_US << (eighths < 14 ? eighths : 14);
    return longer > us ? longer : us;
}

/* Not longer than what has become of the heap meanwhile is reason for. */
static void rest(size_t in_use)
{
    long slept = 0;
    for (long us = rest_us(in_use); slept < us && oi_load_relaxed(&busy); us = rest_us(oi_page_in_use())) {
        long piece = us - slept < REST_US ? us - slept : REST_US;
        oi_os_sleep_us(piece);
        slept += piece;
    }
}

/* While a collection is under way because of growth: the heap has grown further, and who makes it grow rests. */
static bool is_beyond_mark(void)
{
    return oi_page_in_use() >= oi_load_relaxed(&oi_page_growth_mark);
}

/* Pages in use have grown to the mark. */
static void grown(bool may_rest)
{
    struct oi_page_totals totals = oi_page_totals();
    size_t in_use = totals.in_use;
    if (oi_load_relaxed(&busy)) {
        if (may_rest && !oi_act.reading && !oi_act.in_user_code && !oi_counting.never) /* the last: no thread of the library's */
            rest(in_use);
        return;
    }
    bool scarce = oi_page_is_over_soft_limit() || (totals.hard_limit && in_use > totals.hard_limit / 2);
    int generation = is_old_due(in_use) ? 2 : scarce ? 0 : in_use >= mark_of(1) ? 1 : 0;
    if (!generation && !scarce) {
        set_mark();
        return;
    }
    if (generation == 1 && is_growth_private(in_use)) {
        set_mark();
        return;
    }
    if (generation == 1 && is_too_soon(in_use)) {
        set_mark();
        if (OI_UNLIKELY(!oi_load_acquire(&running)))
            start();
        return;
    }
    size_t left = oi_load_relaxed(&base[1]), growth = in_use > left ? in_use - left : 0, most = floating_room(left) / 4 * 3;
    oi_store_relaxed(&grown_from, in_use - (growth < most ? growth : most));
    oi_store_relaxed(&busy, true); /* until the collection that follows sets the mark anew */
    set_throttle_mark(&totals);
    oi_collector_request(generation ? generation : 2, generation ? OURO_GC_REASON_GROWTH : OURO_GC_REASON_MEMORY);
    if (!oi_load_acquire(&running))
        set_mark(); /* no thread to be had: with the next page again */
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
    oi_destroy_run(act); /* what callbacks have dropped */
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
    cpu = oi_os_thread_cpu_ns() - cpu;
    if (job->generation == 2)
        oi_store_relaxed(&last_ns, cpu);
    oi_service_sweep(false); /* pages that it has emptied */
    adapt(job, reason, in_use, cpu);
    oi_debug_keep(job->saved);
    oi_finalizer_queue(job); /* before another collection can end: who asked for that waits for all that is queued */
    oi_store_relaxed(&collecting, false);
    pthread_mutex_unlock(&collection_lock);
    oi_gc_ended(act, &info);
    oi_destroy_run(act);
}

void oi_collector_hold_off(struct oi_act *act, bool *outer)
{
    *outer = act->in_user_code;
    ouro_blocking_begin(); /* nothing that others hand to this thread waits for a collection */
    for (int turns = 0; turns < TURNS && oi_load_relaxed(&waiting); turns++)
        sched_yield(); /* this may be the next of many calls; mutexes are not fair */
    oi_fetch_add_relaxed(&held_off, 1);
    pthread_mutex_lock(&collection_lock);
    oi_fetch_sub_relaxed(&held_off, 1);
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

/* There is something that waits for the collection under way, or soon will. */
static bool is_in_haste(void)
{
    return is_beyond_mark() || oi_load_relaxed(&waiting) || oi_load_relaxed(&held_off) || oi_load_relaxed(&requested) || oi_load_relaxed(&stopping);
}

static struct {
    uint64_t began, at;     /* the collection; the last breath */
    uint64_t rested;        /* of the time between */
    uint64_t crowded_until; /* others want the processor */
} breath; /* the collector's thread's */

/* The collector's thread does not keep a processor from others until the system takes it away, which is some milliseconds: a thread that it has displaced goes
 * on after BREATH_NS. It yields, which costs next to nothing where nobody waits. Where somebody did, it is a while until it gets a processor again; so it
 * sleeps instead, shortly, the next times: then it is a matter of BREATH_NS for both. Only while there is time for that (docs/decisions/037-breath.md). */
static void breathe(void)
{
    uint64_t now = oi_os_now_ns(), worked = now - breath.began - breath.rested;
    if (now - breath.at < BREATH_NS || is_in_haste() || breath.rested > RESTS_NS + RESTS_SHARE * worked)
        return;
    if (now < breath.crowded_until)
        oi_os_sleep_us(1); /* and what the system adds */
    else
        sched_yield();
    breath.at = oi_os_now_ns();
    breath.rested += breath.at - now;
    if (breath.at - now > CROWDED_NS)
        breath.crowded_until = breath.at + CROWDED_FOR_NS;
}

/* False: nothing was asked for. */
static bool work(void)
{
    struct oi_act *act = &oi_act;
    uint32_t asked = oi_exchange_acquire(&requested, 0);
    if (!asked)
        return false;
    if (!oi_gc_is_on()) /* turned off since, perhaps: then only what the program has asked for */
        asked &= request_bit(0, OURO_GC_REASON_ASKED) | request_bit(1, OURO_GC_REASON_ASKED) | request_bit(2, OURO_GC_REASON_ASKED);
    if (!asked) {
        set_mark();
        return true;
    }
    unsigned highest = 31u - (unsigned)__builtin_clz(asked); /* what asks for the older generation has priority */
    enum ouro_gc_reason reason = highest % OURO_GC_REASONS;
    bool somebody_waits = reason == OURO_GC_REASON_MEMORY || reason == OURO_GC_REASON_OWNER; /* for memory, or for what a sleeper owns to go */
    struct oi_concurrent job = {.generation = (int)(highest / OURO_GC_REASONS), .breathe = somebody_waits ? NULL : breathe};
    breath.began = oi_os_now_ns();
    breath.rested = 0;
    oi_store_relaxed(&carrying_out, true);
    oi_collector_collect(act, &job, reason);
    oi_store_relaxed(&carrying_out, false);
    /* Most of the heap was a sleeper's garbage, and has been that for so long at the least. */
    if (reason == OURO_GC_REASON_OWNER && job.freed_bytes > oi_page_in_use())
        oi_service_purge(oi_load_relaxed(&oi_inbox_patience_ns) + oi_os_now_ns() - breath.began);
    ouro_blocking_begin(); /* if a gc callback has attached the thread */
    return true;
}

/* What was postponed is due now. */
static bool is_postponed_due(void)
{
    return oi_load_relaxed(&postponed) && oi_os_now_ns() >= oi_load_relaxed(&not_before) && oi_exchange_acquire(&postponed, false) && oi_gc_is_on() &&
           oi_page_in_use() >= mark_of(1);
}

/* User code, a callback at a collection, has called pthread_exit, or cancelled the thread: before or after a collection, never in the middle. */
static void ended(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&thread_lock);
    if (!stopping) /* else it is about to be joined */
        pthread_detach(thread);
    oi_store_release(&running, false);
    oi_store_relaxed(&carrying_out, false);
    pthread_mutex_unlock(&thread_lock);
    set_mark(); /* the collection that was asked for may not have been: growth will ask again */
    if (oi_load_relaxed(&requested) || oi_load_relaxed(&postponed)) {
        start();
        oi_wakeup_set(&wakeup);
    }
}

static long ms_until(uint64_t when)
{
    uint64_t now = oi_os_now_ns();
    return when > now ? (long)((when - now) / 1000000) + 1 : 0;
}

/* Threads that made garbage during a collection, or while none was to begin, and since then take no page, would leave it lying: it is looked for a while
 * later. */
static void work_until_stopped(void)
{
    long timeout_ms = -1;
    while (!oi_load_acquire(&stopping)) {
        pthread_testcancel(); /* user code may have asked for that */
        oi_wakeup_wait(&wakeup, timeout_ms);
        bool late = timeout_ms >= 0 && !oi_load_relaxed(&requested) && (is_beyond_mark() || is_postponed_due());
        if (late)
            grown(false);
        bool worked = work();
        if (oi_load_relaxed(&postponed))
            timeout_ms = ms_until(oi_load_relaxed(&not_before));
        else if (late || !is_beyond_mark())
            timeout_ms = -1; /* once: what it has not found is alive, or at the limit */
        else if (worked)
            timeout_ms = QUIET_MS;
    }
}

static void *run(void *unused)
{
    (void)unused;
    oi_os_name_thread("ouro-collector");
    oi_counting.never = true;
    pthread_cleanup_push(ended, NULL);
    work_until_stopped();
    pthread_cleanup_pop(0);
    return NULL;
}

static void start(void)
{
    if (pthread_mutex_trylock(&thread_lock) != 0)
        return; /* the caller may hold other locks; whoever holds this one starts, stops or forks, and looks again */
    if (!running && !stopping)
        oi_store_release(&running, oi_os_start_thread(&thread, run)); /* if not: the next request tries again */
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
    if (!done) {
        oi_wakeup_init(&wakeup);
        processors = oi_os_processors();
        oi_page_on_growth = grown;
        oi_page_on_shrinking = shrinking;
    }
    done = true;
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
    oi_store_relaxed(&postponed, false);
    oi_store_relaxed(&not_before, 0);
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
    if (!oi_load_relaxed(&requested) && !oi_load_relaxed(&postponed))
        return;
    if (!oi_load_acquire(&running))
        start(); /* whoever tried met the fork */
    oi_wakeup_set(&wakeup);
}

void oi_collector_after_fork_child(void)
{
    oi_store_relaxed(&running, running && pthread_equal(thread, pthread_self())); /* if not: started anew by the next request */
    oi_store_relaxed(&collecting, false);
    oi_store_relaxed(&carrying_out, running && carrying_out); /* if this is the collector's thread, in a callback */
    oi_store_relaxed(&stopping, false);
    oi_store_relaxed(&requested, 0);
    oi_store_relaxed(&postponed, false);
    oi_store_relaxed(&not_before, 0);
    oi_wakeup_init(&wakeup);
    oi_store_relaxed(&waiting, 0);
    oi_store_relaxed(&held_off, 0);
    pthread_mutex_init(&collection_lock, NULL); /* its holder, if there was one, is gone: the next collection clears up after it */
    pthread_mutex_unlock(&thread_lock);
    set_mark();
}
