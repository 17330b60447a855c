/* SPDX-License-Identifier: MIT
 *
 * Valgrind's requests, if its headers were there when the library was built; else they do nothing. A request is a few instructions that change nothing
 * where no Valgrind reads them. */
#pragma once

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define OI_HAS_VALGRIND 1
#endif
#endif

#ifdef OI_HAS_VALGRIND
#define oi_valgrind_get_vbits(at, bits, size) VALGRIND_GET_VBITS(at, bits, size)
#define oi_valgrind_malloclike(at, size) VALGRIND_MALLOCLIKE_BLOCK(at, size, 0, 0)
#define oi_valgrind_resize(at, from, to) VALGRIND_RESIZEINPLACE_BLOCK(at, from, to, 0)
#define oi_valgrind_freelike(at) VALGRIND_FREELIKE_BLOCK(at, 0)
#define oi_valgrind_noaccess(at, size) ((void)VALGRIND_MAKE_MEM_NOACCESS(at, size))
#define oi_valgrind_defined(at, size) ((void)VALGRIND_MAKE_MEM_DEFINED(at, size))
#else
#define oi_valgrind_get_vbits(at, bits, size) ((void)(at), (void)(bits), (void)(size), 0)
#define oi_valgrind_malloclike(at, size) ((void)(at), (void)(size))
#define oi_valgrind_resize(at, from, to) ((void)(at), (void)(from), (void)(to))
#define oi_valgrind_freelike(at) ((void)(at))
#define oi_valgrind_noaccess(at, size) ((void)(at), (void)(size))
#define oi_valgrind_defined(at, size) ((void)(at), (void)(size))
#endif
