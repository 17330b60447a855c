/* SPDX-License-Identifier: MIT
 *
 * What every file needs and nothing that anybody could disagree about. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ouro_export.h"

/* Checks of what cannot be otherwise, unless ouro itself is wrong. Compiled in with OURO_DEBUG=1 only. */
void oi_assert_failed(const char *expression, const char *file, int line) __attribute__((noreturn, cold));
#define OI_ASSERT(x) ((void)(!OURO_DEBUG || OURO_LIKELY(x) || (oi_assert_failed(#x, __FILE__, __LINE__), 0)))

#define OI_LIKELY(x) OURO_LIKELY(x)
#define OI_UNLIKELY(x) OURO_UNLIKELY(x)
#define OI_NOINLINE __attribute__((noinline))
#define OI_ALWAYS_INLINE inline __attribute__((always_inline))
#define OI_COLD __attribute__((cold, noinline))
#define OI_HOT __attribute__((aligned(64))) /* entered once per object: what it costs shall not depend on what the linker puts before it */
#define OI_HIDDEN __attribute__((visibility("hidden"))) /* of a variable: read directly, not by way of its address in a table */

#define OI_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline size_t oi_round_up(size_t value, size_t power_of_two)
{
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}
