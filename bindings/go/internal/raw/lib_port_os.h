/* SPDX-License-Identifier: MIT
 *
 * The operating system: memory by the page, the clock, a wake-up flag, and what the kernel can do. */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Address space of size bytes, readable, writable, zero, aligned; NULL if the system has none. size and align are multiples
 * of the system's page size, align a power of two. */
void *oi_os_map(size_t size, size_t align);

/* The same, but of no use until it is made usable, from its beginning on and a part at a time: so it counts in no limit on memory. False: such
 * a limit has been reached. */
void *oi_os_reserve(size_t size, size_t align);
bool oi_os_make_usable(void *at, size_t size);

void oi_os_unmap(void *at, size_t size);

/* How much of it the process may have; SIZE_MAX: as much as there is. */
size_t oi_os_address_limit(void);

/* Gives the memory behind a range back; the range stays mapped and reads as zero. False: the system has refused, as it does if the program has
 * locked its memory (mlockall), and all is as it was. */
bool oi_os_purge(void *at, size_t size);

/* The same, but that the range reads as zero in any case. */
void oi_os_clear(void *at, size_t size);

/* From now on the system may back the range with huge pages, if it has any to spare. */
void oi_os_prefer_huge(void *at, size_t size);

/* The opposite: of memory that is used here and there. */
void oi_os_prefer_small(void *at, size_t size);

/* Monotonic time, nanoseconds. */
uint64_t oi_os_now_ns(void);
/* Processor time that the calling thread has had. */
uint64_t oi_os_thread_cpu_ns(void);

/* How many the calling thread may run on. */
unsigned oi_os_processors(void);

/* size bytes (at most 256) that nobody can foresee; from the clock and addresses, if the system has no random numbers yet. */
void oi_os_random(void *bytes, size_t size);

/* No function of the library is a cancellation point: it would end the thread with locks held. So nothing here is one, and where others wait or
 * print, they do it between these two; a cancellation of the calling thread then waits for the program's own code. They nest. */
int oi_os_hold_cancel(void);
void oi_os_let_cancel(int held);

void oi_os_sleep_ms(long ms);
void oi_os_sleep_us(long us); /* below a second; the system may add some 50 microseconds */

/* The number by which debuggers and the system know the calling thread. */
uint32_t oi_os_thread_number(void);

/* Names the calling thread for debuggers and top; at most 15 characters. */
void oi_os_name_thread(const char *name);

/* A thread of the library's own: the program's signals are not for it. False: there is none to be had. */
bool oi_os_start_thread(pthread_t *thread, void *(*run)(void *unused));

/* The calling thread's number, and the name of one of this process that has it; "?" if there is none. */
#define OI_OS_THREAD_NAME 16
int oi_os_thread_id(void);
void oi_os_thread_name(int id, char name[OI_OS_THREAD_NAME]);

/* True if the kernel has membarrier(PRIVATE_EXPEDITED), on which liburcu's read sections and the collector's proof rest. */
bool oi_os_has_membarrier(void);

/* Every thread of the process that is running passes through a full barrier between two of its instructions before this returns. */
void oi_os_membarrier(void);

/* A flag to sleep on. Any number of threads set it, never blocking (no lock: a system call at most, and only when the flag was
 * clear); one thread waits for it. */
struct oi_wakeup {
    sem_t semaphore;
    uint32_t set; /* atomic; 1 while a wake-up is under way */
};

void oi_wakeup_init(struct oi_wakeup *wakeup);
void oi_wakeup_set(struct oi_wakeup *wakeup);
/* Returns when the flag was set (and clears it), or when timeout_ms have passed; negative: no limit. */
void oi_wakeup_wait(struct oi_wakeup *wakeup, long timeout_ms);
