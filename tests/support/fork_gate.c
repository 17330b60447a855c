/* SPDX-License-Identifier: MIT */
#include "support/fork_gate.h"

#include <sched.h>
#include <stdatomic.h>

#include "support/scale.h"

static atomic_bool forking;
static atomic_int inside;

bool fork_gate_close(void)
{
    if (atomic_exchange(&forking, true))
        return false;
    if (!atomic_load(&inside))
        return true;
    atomic_store(&forking, false);
    return false;
}

void fork_gate_open(bool child)
{
    if (child)
        atomic_store(&inside, 0); /* somebody may have looked in */
    atomic_store(&forking, false);
}

/* Whoever is inside may need locks that a fork takes, so forks do not wait for it: it waits for them. */
void fork_gate_enter(void)
{
    for (;;) {
        atomic_fetch_add(&inside, 1);
        if (!atomic_load(&forking))
            return;
        atomic_fetch_sub(&inside, 1);
        while (atomic_load(&forking))
            sched_yield();
    }
}

void fork_gate_leave(void)
{
    atomic_fetch_sub(&inside, 1);
}

#ifdef TEST_ASAN

#include <pthread.h>
#include <stddef.h>

/* The sanitizer's own, under their other names. */
extern void *__interceptor_malloc(size_t size);
extern void *__interceptor_calloc(size_t count, size_t size);
extern void *__interceptor_realloc(void *old, size_t size);
extern void *__interceptor_aligned_alloc(size_t align, size_t size);
extern int __interceptor_posix_memalign(void **out, size_t align, size_t size);
extern void __interceptor_free(void *at);
extern int __interceptor_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg);

/* malloc is called before the sanitizer is ready. */
#define EARLY __attribute__((no_sanitize_address))

struct gate {
    atomic_int inside;
    atomic_bool closed;
};

static struct gate births, mallocs;
static _Thread_local int depth; /* of calls of malloc and its like */

EARLY static void enter(struct gate *gate)
{
    for (;;) {
        atomic_fetch_add(&gate->inside, 1);
        if (!atomic_load(&gate->closed))
            return;
        atomic_fetch_sub(&gate->inside, 1);
        while (atomic_load(&gate->closed))
            sched_yield();
    }
}

EARLY static void leave(struct gate *gate)
{
    atomic_fetch_sub(&gate->inside, 1);
}

static void shut(struct gate *gate)
{
    atomic_store(&gate->closed, true);
    while (atomic_load(&gate->inside))
        sched_yield();
}

/* After the library's own handler, which was registered later: its locks are taken by now, so nobody waits for one of them inside. A thread
 * being born allocates, so births come first. */
static void before_fork(void)
{
    shut(&births);
    shut(&mallocs);
}

static void after_in_parent(void)
{
    atomic_store(&mallocs.closed, false);
    atomic_store(&births.closed, false);
}

static void after_in_child(void)
{
    atomic_store(&mallocs.inside, 0);
    atomic_store(&births.inside, 0);
    after_in_parent();
}

__attribute__((constructor)) static void init(void)
{
    pthread_atfork(before_fork, after_in_parent, after_in_child);
}

EARLY static void begin(void)
{
    if (!depth++)
        enter(&mallocs);
}

EARLY static void end(void)
{
    if (!--depth)
        leave(&mallocs);
}

EARLY void *malloc(size_t size)
{
    begin();
    void *at = __interceptor_malloc(size);
    end();
    return at;
}

EARLY void *calloc(size_t count, size_t size)
{
    begin();
    void *at = __interceptor_calloc(count, size);
    end();
    return at;
}

EARLY void *realloc(void *old, size_t size)
{
    begin();
    void *at = __interceptor_realloc(old, size);
    end();
    return at;
}

EARLY void *aligned_alloc(size_t align, size_t size)
{
    begin();
    void *at = __interceptor_aligned_alloc(align, size);
    end();
    return at;
}

EARLY int posix_memalign(void **out, size_t align, size_t size)
{
    begin();
    int status = __interceptor_posix_memalign(out, align, size);
    end();
    return status;
}

EARLY void free(void *at)
{
    begin();
    __interceptor_free(at);
    end();
}

struct birth {
    void *(*fn)(void *);
    void *arg;
    atomic_bool done;
};

static void *start(void *arg)
{
    struct birth *birth = arg;
    void *(*fn)(void *) = birth->fn;
    arg = birth->arg;
    atomic_store(&birth->done, true);
    return fn(arg);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    struct birth birth = {fn, arg, false};
    enter(&births);
    int status = __interceptor_pthread_create(thread, attributes, start, &birth);
    while (!status && !atomic_load(&birth.done))
        sched_yield();
    leave(&births);
    return status;
}

#endif
