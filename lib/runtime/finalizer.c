/* SPDX-License-Identifier: MIT
 *
 * User code that garbage cycles of published objects call for: their finalizers, and callbacks of weak references to them. It runs on a thread of
 * its own, or in ouro_finalizers_run when the runtime was started with OURO_FINALIZE_MANUAL. */
#include <pthread.h>

#include "object/count.h"
#include "object/destroy.h"
#include "object/inbox.h"
#include "object/weak.h"
#include "port/os.h"
#include "runtime/runtime.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the finalizer lock: docs/design/lock-order.md */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* something was queued or done */

/* What was queued is taken up as a whole, a batch: so whoever waits for all that is queued now waits for that and not for what comes later. */
struct queue {
    struct oi_stack_node *due;
    ouro_object *dead; /* linked by oi_dead_link */
    struct ouro_weak *callbacks;
    uint64_t count;
};
static struct queue next;         /* this and the rest: under the lock */
static struct queue now;          /* what is left of the batch */
static uint64_t batch;            /* units in it */
static uint64_t under_way;        /* taken out of it, and not yet announced */
static uint64_t queued, done;     /* units, ever */
static pthread_t thread;
static bool running;              /* `thread` is */
static bool stopping;

static OI_TLS uint64_t unannounced; /* the thread's part of under_way */

/* One unit of work, taken off the queue. */
struct unit {
    struct oi_stack_node *due;
    ouro_object *dead;
    struct ouro_weak *callback;
};

/* The lock is held, and let go meanwhile. */
static void await_change(void)
{
    int held = oi_os_hold_cancel();
    pthread_cond_wait(&changed, &lock);
    oi_os_let_cancel(held);
}

/* Whether there is something to be taken; the lock is held. */
static bool is_batch(void)
{
    if (!now.count && !under_way) {
        now = next;
        batch = now.count;
        next = (struct queue){0};
    }
    return now.count;
}

static struct unit take(void)
{
    struct unit unit = {0};
    now.count--;
    under_way++;
    unannounced++;
    if (now.due) {
        unit.due = now.due;
        now.due = now.due->next;
    } else if (now.dead) {
        unit.dead = now.dead;
        now.dead = oi_dead_next(now.dead);
    } else {
        unit.callback = now.callbacks;
        now.callbacks = now.callbacks->next_due;
    }
    return unit;
}

/* The lock is held. */
static void announce(void)
{
    under_way -= unannounced;
    unannounced = 0;
    if (under_way || now.count)
        return;
    done += batch;
    batch = 0;
    pthread_cond_broadcast(&changed);
}

/* The calling thread may run user code. */
static void carry_out(struct oi_act *act, const struct unit *unit)
{
    if (unit->due) {
        ouro_object *o = oi_token_free(act, OI_CONTAINER_OF(unit->due, struct oi_token, node));
        oi_finalize(act, oi_type_of(o), o);
        oi_release(act, o, "ouro_gc_collect");
    } else if (unit->dead) {
        oi_destroy_later(act, unit->dead);
    } else {
        unit->callback->next_due = act->callbacks;
        act->callbacks = unit->callback;
    }
    oi_destroy_run(act);
}

/* What is left of one batch, or a part of that. Returns how many units; they are to be announced. The lock is held, and let go for each. */
static size_t run_batch(struct oi_act *act, size_t budget)
{
    size_t ran = 0;
    for (; ran < budget && oi_may_run_user_code(act) && (ran ? now.count : is_batch()); ran++) {
        struct unit unit = take();
        pthread_mutex_unlock(&lock);
        carry_out(act, &unit);
        pthread_mutex_lock(&lock);
    }
    return ran;
}

/* User code has ended the thread: the rest of the batch is for whoever comes next. */
static void gave_up(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    announce();
    pthread_mutex_unlock(&lock);
}

static size_t run_batches(struct oi_act *act, size_t budget)
{
    size_t ran = 0, more;
    pthread_mutex_lock(&lock);
    do {
        more = run_batch(act, budget - ran);
        announce();
        ran += more;
    } while (more);
    pthread_mutex_unlock(&lock);
    return ran;
}

size_t oi_finalizer_run(struct oi_act *act, size_t budget)
{
    size_t ran;
    pthread_cleanup_push(gave_up, NULL);
    ran = run_batches(act, budget);
    pthread_cleanup_pop(0);
    return ran;
}

static void start(void);

/* The thread ends, outside of the lock: user code has called pthread_exit, or it was cancelled. */
static void ended(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    announce();
    if (!stopping) { /* else it is about to be joined */
        pthread_detach(thread);
        running = false;
        if (now.count || next.count)
            start();
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *run(void *unused)
{
    struct oi_act *act = &oi_act;
    (void)unused;
    pthread_cleanup_push(ended, NULL);
    oi_os_name_thread("ouro-finalizer");
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!is_batch() && !stopping)
            await_change();
        if (!is_batch())
            break;
        pthread_mutex_unlock(&lock);
        ouro_blocking_end();
        pthread_mutex_lock(&lock);
        run_batch(act, SIZE_MAX); /* the thread is attached only if user code needs that */
        pthread_mutex_unlock(&lock);
        if (oi_holds_slot(act) && oi_young_count(act))
            oi_collect_young(act); /* private garbage that finalizers have made here: nobody else can find it */
        ouro_blocking_begin(); /* first, or what others hand to this thread would wait longer than those who wait for it */
        pthread_mutex_lock(&lock);
        announce();
        pthread_mutex_unlock(&lock);
        pthread_testcancel(); /* user code may have asked for that */
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_cleanup_pop(0);
    return NULL;
}

/* The lock is held. */
static void start(void)
{
    if (!running)
        running = oi_os_start_thread(&thread, run); /* if not: the next thing that is queued tries again, or ouro_finalizers_run */
}

void oi_finalizer_queue(struct oi_concurrent *job)
{
    uint64_t n = 0;
    pthread_mutex_lock(&lock);
    for (struct oi_stack_node *node; (node = job->due); n++) {
        job->due = node->next;
        node->next = next.due;
        next.due = node;
    }
    for (ouro_object *o; (o = job->dead); n++) {
        job->dead = oi_dead_next(o);
        oi_dead_link(o, next.dead);
        next.dead = o;
    }
    for (struct ouro_weak *weak; (weak = job->callbacks); n++) {
        job->callbacks = weak->next_due;
        weak->next_due = next.callbacks;
        next.callbacks = weak;
    }
    queued += n;
    next.count += n;
    if ((now.count || next.count) && !oi_load_relaxed(&oi_young_manual))
        start();
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

uint64_t oi_finalizer_wait(void)
{
    pthread_mutex_lock(&lock);
    uint64_t until = queued;
    while (running && done < until)
        await_change();
    uint64_t so_far = done;
    pthread_mutex_unlock(&lock);
    return so_far;
}

uint64_t oi_finalizer_done(void)
{
    pthread_mutex_lock(&lock);
    uint64_t so_far = done;
    pthread_mutex_unlock(&lock);
    return so_far;
}

void oi_finalizer_stop(void)
{
    pthread_mutex_lock(&lock);
    bool was = running;
    stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (was)
        pthread_join(thread, NULL);
    pthread_mutex_lock(&lock);
    running = stopping = false;
    if ((now.count || next.count) && !oi_load_relaxed(&oi_young_manual))
        start(); /* queued by others meanwhile */
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void oi_finalizer_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_finalizer_after_fork_parent(void)
{
    pthread_mutex_unlock(&lock);
}

void oi_finalizer_after_fork_child(void)
{
    /* What another thread had taken is lost with it. The finalizer that forks is still under way. */
    bool mine = running && pthread_equal(thread, pthread_self());
    running = mine;
    under_way = unannounced;
    batch = now.count + under_way;
    done = queued - batch - next.count;
    stopping = false;
    pthread_cond_init(&changed, NULL);
    pthread_mutex_unlock(&lock);
    /* Not started here: the next collection does that. */
}
