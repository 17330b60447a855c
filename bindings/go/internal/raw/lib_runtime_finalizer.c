//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * User code that garbage cycles of published objects call for: their finalizers, and callbacks of weak references to them. It runs on a thread of
 * its own, or in ouro_finalizers_run when the runtime was started with OURO_FINALIZE_MANUAL. */
#include <pthread.h>
#include <signal.h>

#include "lib_object_count.h"
#include "lib_object_destroy.h"
#include "lib_object_inbox.h"
#include "lib_object_weak.h"
#include "lib_port_os.h"
#include "lib_runtime_runtime.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the finalizer lock: docs/design/lock-order.md */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* something was queued or done */
static struct oi_stack_node *due; /* this and the rest: under the lock */
static ouro_object *dead;         /* linked by oi_dead_link */
static struct ouro_weak *callbacks;
static uint64_t queued, done;     /* units of work, ever */
static uint64_t waiting;          /* on the lists now */
static pthread_t thread;
static bool running;              /* `thread` is */
static bool stopping;

/* One unit of work, taken off the queue. */
struct unit {
    struct oi_stack_node *due;
    ouro_object *dead;
    struct ouro_weak *callback;
};

static struct unit take(void)
{
    struct unit unit = {0};
    waiting--;
    if (due) {
        unit.due = due;
        due = due->next;
    } else if (dead) {
        unit.dead = dead;
        dead = oi_dead_next(dead);
    } else {
        unit.callback = callbacks;
        callbacks = callbacks->next_due;
    }
    return unit;
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

size_t oi_finalizer_run(struct oi_act *act, size_t budget)
{
    size_t ran = 0;
    pthread_mutex_lock(&lock);
    while (waiting && ran < budget && oi_may_run_user_code(act)) {
        struct unit unit = take();
        pthread_mutex_unlock(&lock);
        carry_out(act, &unit);
        ran++;
        pthread_mutex_lock(&lock);
        done++;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return ran;
}

static void start(void);

/* User code has called pthread_exit, or was cancelled. */
static void ended(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    done++;
    pthread_detach(thread);
    running = false;
    if (waiting && !stopping)
        start();
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *run(void *unused)
{
    struct oi_act *act = &oi_act;
    (void)unused;
    pthread_cleanup_push(ended, NULL);
    oi_os_name_thread("ouro-finalizer");
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!waiting && !stopping)
            pthread_cond_wait(&changed, &lock);
        bool stop = !waiting;
        pthread_mutex_unlock(&lock);
        if (stop)
            break;
        ouro_blocking_end();
        oi_finalizer_run(act, SIZE_MAX); /* the thread is attached only if user code needs that */
        ouro_blocking_begin();
    }
    pthread_cleanup_pop(0);
    return NULL;
}

/* The lock is held. */
static void start(void)
{
    sigset_t all, before;
    if (running)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the program's signals are not for this thread */
    running = pthread_create(&thread, NULL, run, NULL) == 0; /* if not: the next thing that is queued tries again, or ouro_finalizers_run */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void oi_finalizer_queue(struct oi_concurrent *job)
{
    uint64_t n = 0;
    pthread_mutex_lock(&lock);
    for (struct oi_stack_node *node; (node = job->due); n++) {
        job->due = node->next;
        node->next = due;
        due = node;
    }
    for (ouro_object *o; (o = job->dead); n++) {
        job->dead = oi_dead_next(o);
        oi_dead_link(o, dead);
        dead = o;
    }
    for (struct ouro_weak *weak; (weak = job->callbacks); n++) {
        job->callbacks = weak->next_due;
        weak->next_due = callbacks;
        callbacks = weak;
    }
    queued += n;
    waiting += n;
    if (waiting && !oi_young_manual)
        start();
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

uint64_t oi_finalizer_wait(void)
{
    pthread_mutex_lock(&lock);
    uint64_t until = queued;
    while (running && done < until)
        pthread_cond_wait(&changed, &lock);
    uint64_t now = done;
    pthread_mutex_unlock(&lock);
    return now;
}

uint64_t oi_finalizer_done(void)
{
    pthread_mutex_lock(&lock);
    uint64_t now = done;
    pthread_mutex_unlock(&lock);
    return now;
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
    if (waiting && !oi_young_manual)
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
    done = queued - waiting - mine;
    stopping = false;
    pthread_cond_init(&changed, NULL);
    pthread_mutex_unlock(&lock);
    /* Not started here: the next collection does that. */
}
