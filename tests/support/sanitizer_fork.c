/* SPDX-License-Identifier: MIT
 *
 * AddressSanitizer and fork. It does not hold its locks around one (seen in GCC 12's): those of malloc, which each thread's beginning and end
 * take as well. If another thread has one at that moment, it stays locked in the child for ever, and the child hangs in its next malloc or as soon as
 * it starts a thread. So in every test program forks wait until nobody is in malloc or being born, and whoever comes meanwhile waits for the fork.
 * (Ends: fork_gate.h.)
 *
 * Nobody calls this: it stands in front of malloc and pthread_create, and so must be linked whether it is referred to or not. */
#include "support/scale.h"

#ifdef TEST_ASAN

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

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
 * being born allocates, so malloc comes last. */
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
    /* Somebody may have looked in. */
    atomic_store(&mallocs.inside, 0);
    atomic_store(&births.inside, 0);
    after_in_parent();
}

/* ---- malloc ---- */

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

/* ---- births ---- */

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

__attribute__((constructor)) static void init(void)
{
    if (pthread_atfork(before_fork, after_in_parent, after_in_child) != 0)
        abort();
}

#else

typedef int sanitizer_fork_is_empty;

#endif
