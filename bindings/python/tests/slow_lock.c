/* SPDX-License-Identifier: MIT
 *
 * Preloaded (test_process.py): the library's thread of finalizers is slow when it waits for one of Python's own locks. So a test can end the interpreter
 * while that thread is inside Python, and be told whether it still was when the interpreter had gone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

int is_inside, was_inside; /* atomic */

int sem_wait(sem_t *sem)
{
    int (*next)(sem_t *) = (int (*)(sem_t *))dlsym(RTLD_NEXT, "sem_wait");
    char name[16] = "";
    if (pthread_getname_np(pthread_self(), name, sizeof name) != 0 || strcmp(name, "ouro-finalizer") != 0)
        return next(sem);
    __atomic_store_n(&is_inside, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&was_inside, 1, __ATOMIC_SEQ_CST);
    usleep(2000000);
    int result = next(sem);
    __atomic_store_n(&is_inside, 0, __ATOMIC_SEQ_CST);
    return result;
}

__attribute__((destructor)) static void at_exit(void)
{
    if (__atomic_load_n(&is_inside, __ATOMIC_SEQ_CST))
        _exit(3);
}
