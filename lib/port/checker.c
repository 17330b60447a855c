/* SPDX-License-Identifier: MIT */
#include "port/checker.h"

#include "port/valgrind.h"

/* The sanitizers' own interface; there if the program was built with them. */
extern void __asan_poison_memory_region(const volatile void *at, size_t size) __attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *at, size_t size) __attribute__((weak));
extern void __lsan_register_root_region(const void *at, size_t size) __attribute__((weak));
extern void __lsan_unregister_root_region(const void *at, size_t size) __attribute__((weak));

bool oi_checker_is_memcheck(void)
{
    char byte = 0, bits;
    return oi_valgrind_get_vbits(&byte, &bits, 1) == 1; /* no other tool answers */
}

bool oi_checker_is_asan(void)
{
    return __asan_poison_memory_region != NULL;
}

void oi_checker_born(void *block, size_t size)
{
    oi_valgrind_malloclike(block, size);
    if (oi_checker_is_asan())
        __asan_unpoison_memory_region(block, size);
}

void oi_checker_died(void *block)
{
    oi_valgrind_freelike(block);
}

void oi_checker_divided(void *at, size_t size, size_t known)
{
    oi_valgrind_resize(at, size, known);
    oi_valgrind_defined(at, size);
}

void oi_checker_close(void *at, size_t size)
{
    oi_valgrind_noaccess(at, size);
    if (oi_checker_is_asan())
        __asan_poison_memory_region(at, size);
}

void oi_checker_open(void *at, size_t size)
{
    oi_valgrind_defined(at, size);
    if (oi_checker_is_asan())
        __asan_unpoison_memory_region(at, size);
}

void oi_checker_add_root(void *at, size_t size)
{
    if (__lsan_register_root_region)
        __lsan_register_root_region(at, size);
}

void oi_checker_remove_root(void *at, size_t size)
{
    if (__lsan_unregister_root_region)
        __lsan_unregister_root_region(at, size);
}
