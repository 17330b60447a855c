/* SPDX-License-Identifier: MIT
 *
 * Sizes and statistics of memory; and tracemalloc: while it traces, objects that are made from Python are reported to it, in a domain of their own, by
 * their addresses. A weak reference with a callback tells when one is gone. */
#include <pthread.h>
#include <stdlib.h>

#include "gather.h"
#include "gc.h"

PyObject *oupy_mem_stats(void)
{
    ouro_mem_stats stats;
    OUPY_RELEASE
    ouro_mem_get_stats(&stats, sizeof stats);
    OUPY_REACQUIRE
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n}", "live_objects", stats.live_objects, "live_bytes", stats.live_bytes, "limbo_bytes",
                         stats.limbo_bytes, "cached_bytes", stats.cached_bytes, "committed_bytes", stats.committed_bytes, "reserved_bytes",
                         stats.reserved_bytes, "soft_limit", stats.soft_limit, "hard_limit", stats.hard_limit);
}

/* ---- sizes ---- */

static int add_inner(void *object, void *sum);

static size_t size_of(void *object)
{
    const ouro_type *type = ouro_type_of(object);
    size_t head = type ? type->array_slots ? type->array_slots : type->array_bytes : 0;
    if (!head)
        return type ? type->size : 0;
    /* Relaxed: of a list's store, others may change it. */
    size_t length = __atomic_load_n(&((ouro_array *)object)->length, __ATOMIC_RELAXED);
    size_t size = head + length * (type->array_slots ? sizeof(ouro_slot) : 1);
    return size < type->size ? type->size : size;
}

static int add_inner(void *object, void *sum)
{
    if (ouro_gather_is_inner(object)) {
        *(size_t *)sum += size_of(object);
        ouro_gc_visit_referents(object, add_inner, sum);
    }
    return 0;
}

/* Of the object, and of those that it is made of inside; not of what it refers to. */
size_t oupy_sizeof(ouro_value value)
{
    void *object = ouro_value_object(value);
    if (!object)
        return 0;
    size_t size = size_of(object);
    ouro_kind kind = ouro_kind_of(value);
    if (kind == OURO_KIND_LIST || kind == OURO_KIND_DICT || kind == OURO_KIND_SET || kind == OURO_KIND_WEAK_MAP || kind == OURO_KIND_WEAK_SET)
        ouro_gc_visit_referents(object, add_inner, &size);
    return size;
}

struct total {
    PyObject *seen; /* a set of addresses */
    struct oupy_values todo;
    bool failed;
};

static int add_to_total(void *object, void *arg)
{
    struct total *total = arg;
    if (ouro_gather_is_inner(object)) {
        ouro_gc_visit_referents(object, add_to_total, total);
        return total->failed;
    }
    PyObject *address = PyLong_FromVoidPtr(object);
    int is = address ? PySet_Contains(total->seen, address) : -1;
    if (is == 0)
        is = PySet_Add(total->seen, address) < 0 || !oupy_values_add(&total->todo, ouro_value_of(ouro_retain(object))) ? -1 : 0;
    Py_XDECREF(address);
    total->failed = total->failed || is < 0;
    return total->failed;
}

/* Of the object and all that it leads to, each once. */
PyObject *oupy_total_sizeof(PyObject *object)
{
    struct total total = {.seen = PySet_New(NULL)};
    size_t sum = 0;
    oupy_values_init(&total.todo);
    total.failed = !total.seen || !oupy_is_exact(object) || add_to_total(ouro_value_object(oupy_value(object)), &total);
    for (size_t i = 0; !total.failed && i < total.todo.count; i++) {
        ouro_value value = total.todo.items[i];
        sum += oupy_sizeof(value);
        ouro_gc_visit_referents(ouro_value_object(value), add_to_total, &total);
    }
    oupy_values_drop(&total.todo);
    Py_XDECREF(total.seen);
    return total.failed ? NULL : PyLong_FromSize_t(sum);
}

/* ---- tracemalloc ---- */

/* What has been reported and is alive: addresses, by open addressing. Its own lock, since objects die on any thread; nothing is called under it. */
static pthread_mutex_t traced_lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t *traced;
static size_t traced_mask, traced_count;

static size_t home_of(uintptr_t address)
{
    return (address >> 4) * 0x9e3779b97f4a7c15u >> 20 & traced_mask;
}

static bool traced_grow(void)
{
    size_t entries = traced ? traced_mask + 1 : 0;
    uintptr_t *old = traced, *fresh = calloc(entries ? 2 * entries : 256, sizeof *fresh);
    if (!fresh)
        return false;
    traced = fresh;
    traced_mask = (entries ? 2 * entries : 256) - 1;
    for (size_t i = 0; i < entries; i++) {
        size_t at = old[i] ? home_of(old[i]) : 0;
        while (old[i] && traced[at])
            at = (at + 1) & traced_mask;
        if (old[i])
            traced[at] = old[i];
    }
    free(old);
    return true;
}

/* True if it was not there. */
static bool traced_add(uintptr_t address)
{
    bool added = false;
    pthread_mutex_lock(&traced_lock);
    if ((traced && traced_count < traced_mask / 4 * 3) || traced_grow()) {
        size_t at = home_of(address);
        while (traced[at] && traced[at] != address)
            at = (at + 1) & traced_mask;
        added = !traced[at];
        traced[at] = address;
        traced_count += added;
    }
    pthread_mutex_unlock(&traced_lock);
    return added;
}

static void traced_remove(uintptr_t address)
{
    pthread_mutex_lock(&traced_lock);
    size_t at = home_of(address);
    while (traced[at] && traced[at] != address)
        at = (at + 1) & traced_mask;
    if (traced[at]) {
        traced_count--;
        for (size_t next = (at + 1) & traced_mask; traced[next]; next = (next + 1) & traced_mask) {
            if (((next - home_of(traced[next])) & traced_mask) >= ((next - at) & traced_mask)) {
                traced[at] = traced[next];
                at = next;
            }
        }
        traced[at] = 0;
    }
    pthread_mutex_unlock(&traced_lock);
}

static bool traced_has(uintptr_t address)
{
    pthread_mutex_lock(&traced_lock);
    size_t at = traced ? home_of(address) : 0;
    while (traced && traced[at] && traced[at] != address)
        at = (at + 1) & traced_mask;
    bool has = traced && traced[at];
    pthread_mutex_unlock(&traced_lock);
    return has;
}

/* Any thread; untracking needs no GIL. The order matters: another object may have the address as soon as this one is gone. */
static void died(ouro_weak *weak, void *arg)
{
    if (oupy_python_enter()) {
        (void)PyTraceMalloc_Untrack(OUPY_TRACE_DOMAIN, (uintptr_t)arg);
        oupy_python_leave();
    }
    traced_remove((uintptr_t)arg);
    ouro_release(weak); /* the reference that oupy_trace_made left for this */
}

void oupy_trace_made(ouro_value made)
{
    void *object = ouro_value_object(made);
    if (!object || !traced_add((uintptr_t)object))
        return;
    if (PyTraceMalloc_Track(OUPY_TRACE_DOMAIN, (uintptr_t)object, oupy_sizeof(made)) == 0 && ouro_weak_new(object, died, object))
        return;
    (void)PyTraceMalloc_Untrack(OUPY_TRACE_DOMAIN, (uintptr_t)object);
    traced_remove((uintptr_t)object);
}

void oupy_trace_changed(ouro_value value)
{
    void *object = ouro_value_object(value);
    if (object && traced_has((uintptr_t)object))
        (void)PyTraceMalloc_Track(OUPY_TRACE_DOMAIN, (uintptr_t)object, oupy_sizeof(value));
}

static void before_fork(void)
{
    pthread_mutex_lock(&traced_lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&traced_lock);
}

bool oupy_trace_init(void)
{
    return pthread_atfork(before_fork, after_fork, after_fork) == 0;
}
