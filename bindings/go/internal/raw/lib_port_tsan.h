/* SPDX-License-Identifier: MIT
 *
 * Orders that ThreadSanitizer cannot see, told to it: it does not know the inside of the system's liburcu, nor dependencies on addresses. Each use
 * names the order that liburcu documents, or the dependency. Nothing at all in other builds. */
#pragma once

#include "ouro_inline_port.h"

#ifdef OURO_PRIVATE_TSAN
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#define oi_tsan_acquire(at) __tsan_acquire((void *)(at))
#define oi_tsan_release(at) __tsan_release((void *)(at))
#define OI_IS_TSAN true
#else
#define oi_tsan_acquire(at) ((void)(at))
#define oi_tsan_release(at) ((void)(at))
#define OI_IS_TSAN false
#endif
