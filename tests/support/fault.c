/* SPDX-License-Identifier: MIT */
#include "support/fault.h"

#include "support/scale.h"

#if defined(__GLIBC__) || defined(__gnu_linux__)
#include <features.h>
#endif

#if defined(__GLIBC__) && !defined(TEST_TSAN) && !defined(TEST_ASAN)

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own versions, under their other names. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

static atomic_bool armed;
static atomic_int mode_now;
static atomic_long chosen, until_fault, faults;

static bool from_library(const void *caller)
{
    Dl_info info, self;
    if (!dladdr(caller, &info) || !dladdr((const void *)&armed, &self))
        return false;
    return info.dli_fbase == self.dli_fbase || strstr(info.dli_fname, "libouro");
}

static bool due(const void *caller)
{
    if (!atomic_load_explicit(&armed, memory_order_acquire) || !from_library(caller))
        return false;
    long left = atomic_fetch_sub(&until_fault, 1) - 1;
    bool fail = mode_now == FAULT_FROM   ? left <= 0
                : mode_now == FAULT_SOME ? (uint64_t)left * 0x9e3779b97f4a7c15u >> 32 < 0x100000000u / (uint64_t)chosen
                                         : left == 0;
    if (fail)
        atomic_fetch_add(&faults, 1);
    return fail;
}

#define DUE() due(__builtin_return_address(0))

void *malloc(size_t size)
{
    if (DUE()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (DUE()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (DUE()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    if (DUE()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    if (DUE())
        return ENOMEM;
    *out = __libc_memalign(align, size);
    return *out ? 0 : ENOMEM;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (DUE()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

static int fail(int error)
{
    errno = error;
    return -1;
}

int munmap(void *at, size_t size)
{
    return DUE() ? fail(ENOMEM) : (int)syscall(SYS_munmap, at, size);
}

int mprotect(void *at, size_t size, int protection)
{
    return DUE() ? fail(ENOMEM) : (int)syscall(SYS_mprotect, at, size, protection);
}

int madvise(void *at, size_t size, int advice)
{
    return DUE() ? fail(EINVAL) : (int)syscall(SYS_madvise, at, size, advice); /* of locked memory, say */
}

/* The next one of that name. */
#define NEXT(next, name)                                  \
    do {                                                  \
        void *found = dlsym(RTLD_NEXT, name);             \
        if (!found)                                       \
            return EAGAIN;                                \
        memcpy(&(next), &found, sizeof(next));            \
    } while (0)

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (DUE())
        return EAGAIN;
    NEXT(next, "pthread_create");
    return next(thread, attributes, fn, arg);
}

int pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    int (*next)(pthread_key_t *, void (*)(void *));
    if (DUE())
        return EAGAIN;
    NEXT(next, "pthread_key_create");
    return next(key, destroy);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    int (*next)(pthread_key_t, const void *);
    if (DUE())
        return ENOMEM;
    NEXT(next, "pthread_setspecific");
    return next(key, value);
}

bool fault_supported(void)
{
    return true;
}

void fault_arm(enum fault_mode mode, long nth)
{
    atomic_store(&mode_now, mode);
    atomic_store(&until_fault, nth);
    atomic_store(&chosen, nth);
    atomic_store(&faults, 0);
    atomic_store_explicit(&armed, true, memory_order_release);
}

long fault_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&faults);
}

#else

bool fault_supported(void)
{
    return false;
}

void fault_arm(enum fault_mode mode, long nth)
{
    (void)mode;
    (void)nth;
}

long fault_disarm(void)
{
    return 0;
}

#endif
