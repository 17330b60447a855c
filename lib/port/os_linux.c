/* SPDX-License-Identifier: MIT */
#include "port/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "port/atomic.h"
#include "port/perturb.h"

/* The library packs addresses into 47 bits (object/header.h). Linux gives out lower ones than that unless asked otherwise on
 * x86-64; where it does not (arm64 with 48 bits), hints ask for them. */
#define ADDRESS_BITS 47

static void *map_at(void *hint, size_t size, int access)
{
    void *at = mmap(hint, size, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    if (((uintptr_t)at + size) >> ADDRESS_BITS == 0)
        return at;
    munmap(at, size);
    return NULL;
}

static void *map(size_t size, int access)
{
    static uintptr_t hint = (uintptr_t)1 << (ADDRESS_BITS - 1); /* atomic */
    size_t step = oi_round_up(size, (size_t)1 << 30);
    void *at = map_at(NULL, size, access);
    for (int tries = 0; !at && tries < 16; tries++)
        at = map_at((void *)(oi_fetch_sub_relaxed(&hint, step) - step), size, access);
    return at;
}

static void *map_aligned(size_t size, size_t align, int access)
{
    char *at = map(size, access);
    if (!at || !((uintptr_t)at & (align - 1)))
        return at;
    /* Not aligned by luck: take enough to hold an aligned range, and give back what sticks out. */
    oi_os_unmap(at, size);
    if (size + align < size || !(at = map(size + align, access)))
        return NULL;
    char *aligned = (char *)oi_round_up((uintptr_t)at, align);
    if (aligned > at)
        oi_os_unmap(at, (size_t)(aligned - at));
    if (at + align > aligned)
        oi_os_unmap(aligned + size, (size_t)(at + align - aligned));
    return aligned;
}

void *oi_os_map(size_t size, size_t align)
{
    return map_aligned(size, align, PROT_READ | PROT_WRITE);
}

void *oi_os_reserve(size_t size, size_t align)
{
    return map_aligned(size, align, PROT_NONE);
}

bool oi_os_make_usable(void *at, size_t size)
{
    return mprotect(at, size, PROT_READ | PROT_WRITE) == 0;
}

void oi_os_unmap(void *at, size_t size)
{
    munmap(at, size); /* fails only for arguments that were never mapped, or when splitting a mapping needs memory: then it stays */
}

size_t oi_os_address_limit(void)
{
    struct rlimit limit;
    bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return limited ? limit.rlim_cur : SIZE_MAX;
}

bool oi_os_purge(void *at, size_t size)
{
    return madvise(at, size, MADV_DONTNEED) == 0;
}

void oi_os_clear(void *at, size_t size)
{
    if (!oi_os_purge(at, size))
        memset(at, 0, size);
}

void oi_os_prefer_huge(void *at, size_t size)
{
    madvise(at, size, MADV_HUGEPAGE); /* refused by kernels built without them */
}

void oi_os_prefer_small(void *at, size_t size)
{
    madvise(at, size, MADV_NOHUGEPAGE);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t oi_os_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t oi_os_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int oi_os_hold_cancel(void)
{
    int held;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &held);
    return held;
}

void oi_os_let_cancel(int held)
{
    pthread_setcancelstate(held, NULL);
}

void oi_os_random(void *bytes, size_t size)
{
    int held = oi_os_hold_cancel();
    bool all = getrandom(bytes, size, GRND_NONBLOCK) == (ssize_t)size;
    oi_os_let_cancel(held);
    if (all)
        return;
    uint64_t x = oi_os_now_ns() ^ (uintptr_t)&x ^ (uintptr_t)oi_os_random; /* the stack's and the code's places */
    for (unsigned char *at = bytes; size--; at++, x = x * 6364136223846793005u + 1442695040888963407u)
        *at = (unsigned char)(x >> 56);
}

static void sleep_for(struct timespec t)
{
    int held = oi_os_hold_cancel();
    clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
    oi_os_let_cancel(held);
}

void oi_os_sleep_ms(long ms)
{
    sleep_for((struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000});
}

void oi_os_sleep_us(long us)
{
    sleep_for((struct timespec){.tv_nsec = us * 1000});
}

unsigned oi_os_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1; /* fails with more than 1024: then the number is moot */
}

uint32_t oi_os_thread_number(void)
{
    return (uint32_t)syscall(__NR_gettid);
}

bool oi_os_start_thread(pthread_t *thread, void *(*run)(void *unused))
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* which it inherits */
    bool ok = pthread_create(thread, NULL, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

void oi_os_name_thread(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

int oi_os_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

void oi_os_thread_name(int id, char name[OI_OS_THREAD_NAME])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", id);
    int held = oi_os_hold_cancel();
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : read(file, name, OI_OS_THREAD_NAME - 1);
    if (file >= 0)
        close(file);
    oi_os_let_cancel(held);
    if (n <= 0)
        name[0] = '?', n = 1;
    n -= name[n - 1] == '\n';
    name[n] = '\0';
}

bool oi_os_has_membarrier(void)
{
    long commands = syscall(__NR_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) &&
           syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void oi_os_membarrier(void)
{
    syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); /* registered at start: cannot fail */
}

void oi_wakeup_init(struct oi_wakeup *wakeup)
{
    sem_init(&wakeup->semaphore, 0, 0);
    oi_store_relaxed(&wakeup->set, 0);
}

void oi_wakeup_set(struct oi_wakeup *wakeup)
{
    oi_perturb();
    /* An exchange and never only a look, also when the flag is set: what the caller published may still be on its way out of
     * this processor while a look would read a flag that the waiter is about to clear; and the exchange that finds it set
     * is read by the one that clears it. acq_rel would do; seq_cst for who orders other words by it [MO-wakeup]. */
    if (!oi_exchange_seqcst(&wakeup->set, 1))
        sem_post(&wakeup->semaphore);
}

void oi_wakeup_wait(struct oi_wakeup *wakeup, long timeout_ms)
{
    int failed, held = oi_os_hold_cancel();
    do {
        if (timeout_ms < 0) {
            failed = sem_wait(&wakeup->semaphore);
        } else {
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_sec += timeout_ms / 1000;
            until.tv_nsec += timeout_ms % 1000 * 1000000;
            if (until.tv_nsec >= 1000000000) {
                until.tv_nsec -= 1000000000;
                until.tv_sec++;
            }
            failed = sem_clockwait(&wakeup->semaphore, CLOCK_MONOTONIC, &until);
        }
    } while (failed && errno == EINTR);
    /* seq_cst, before the waiter looks at what there is to do: pairs with oi_wakeup_set [MO-wakeup]. */
    if (!failed)
        oi_exchange_seqcst(&wakeup->set, 0);
    oi_os_let_cancel(held);
    oi_perturb();
}
