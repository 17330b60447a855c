/* SPDX-License-Identifier: MIT
 *
 * Where objects are made: snapshots of what is alive, grouped by type and place, and what has become more between two of them. In dev mode only
 * (<ouro/runtime.h>). After Python's tracemalloc. */
#ifndef OURO_TRACE_H
#define OURO_TRACE_H

#include <stddef.h>

#include <ouro/status.h>

OURO_BEGIN_DECLS

typedef struct ouro_trace ouro_trace; /* a snapshot */

typedef struct ouro_trace_group {
    size_t size;                /* of this struct, for growth */
    const char *type_name;
    const char *site;           /* where they were made: "f (file.c:12), from g (file.c:30)"; the library's own functions are left out */
    size_t objects, bytes;      /* in the newer snapshot; bytes as asked for, without rounding */
    ptrdiff_t objects_more, bytes_more; /* than in the older one */
} ouro_trace_group;

/* The group and its strings are there for the call; what is not 0 stops. May use the heap. */
typedef int (*ouro_trace_visitor)(const ouro_trace_group *group, void *arg);

/* Takes a snapshot of all objects that are alive. While other threads make and drop objects it is a moment's estimate of each part of the heap. *trace is to be
 * freed. OURO_E_USAGE: dev mode is off; OURO_E_NOMEM. Any thread; O(objects); holds short locks that all count changes of dev mode take. */
OURO_API OURO_NODISCARD ouro_status ouro_trace_take(ouro_trace **trace);

/* Calls fn for each group of the newer snapshot, or of the older one (NULL: an empty one), whose number of objects or bytes has changed: those first whose
 * bytes have changed most. Returns the number of calls. Looks up names, for which it runs addr2line: takes its time. Any thread. */
OURO_API size_t ouro_trace_compare(const ouro_trace *older, const ouro_trace *newer, ouro_trace_visitor fn, void *arg);

/* NULL is accepted. */
OURO_API void ouro_trace_free(ouro_trace *trace);

OURO_END_DECLS
#endif
