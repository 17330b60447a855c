/* SPDX-License-Identifier: MIT
 *
 * How declarations leave the library: visibility, linkage, inline functions, compiler hints.
 * This header, inline/port.h and inline/type.h are the only public ones that look at the compiler. */
#ifndef OURO_EXPORT_H
#define OURO_EXPORT_H

#ifdef __cplusplus
#define OURO_BEGIN_DECLS extern "C" {
#define OURO_END_DECLS }
#define OURO_PRIVATE_ZERO {} /* designated initializers may then leave a member out without a warning */
#else
#define OURO_BEGIN_DECLS
#define OURO_END_DECLS
#define OURO_PRIVATE_ZERO
#endif

/* Everything else in libouro is hidden. A program that compiles the library into itself may define it empty. */
#ifndef OURO_API
#define OURO_API __attribute__((visibility("default")))
#endif

/* A fast path: its body is in the header, and libouro carries a callable twin of the same name
 * (C11 6.7.4p7), for dlsym, for other languages and for callers that do not inline. */
#define OURO_INLINE inline

#define OURO_LIKELY(x) __builtin_expect(!!(x), 1)
#define OURO_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define OURO_NODISCARD __attribute__((warn_unused_result))

#endif
