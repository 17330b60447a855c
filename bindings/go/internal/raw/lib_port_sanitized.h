/* SPDX-License-Identifier: MIT
 *
 * Whether the compiler has been asked to check this code in ways that liburcu's functions in line do not stand. ThreadSanitizer sees one side of what
 * they do with a thread's registration; UndefinedBehaviorSanitizer, that registrations are not aligned as liburcu 0.13 declares
 * them, which no load or store minds. gcc does not tell of the latter: builds that ask for it alone define OURO_PRIVATE_UBSAN. */
#pragma once

#include <stdbool.h>

#include "ouro_inline_port.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define OURO_PRIVATE_UBSAN 1
#endif
#endif

#if defined(OURO_PRIVATE_TSAN) || defined(__SANITIZE_ADDRESS__) || defined(OURO_PRIVATE_UBSAN)
#define OI_IS_SANITIZED true
#else
#define OI_IS_SANITIZED false
#endif
