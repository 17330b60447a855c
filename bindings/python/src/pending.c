/* SPDX-License-Identifier: MIT
 *
 * Threads and the GIL: attaching, what is left for a thread that has the GIL, callbacks on threads that have none, the end of the interpreter. */
#include <pthread.h>
#include <sched.h>

#include "oupy.h"

/* ---- attaching ---- */

__thread bool oupy_is_attached __attribute__((tls_model("initial-exec")));

/* Unbiased: every object that Python sees may be used by every thread, and a thread that sleeps in Python must not hold up the death of what others
 * drop. If it fails, whatever needs a thread slot fails for want of memory. */
void oupy_attach(void)
{
    oupy_is_attached = ouro_thread_attach(OURO_THREAD_UNBIASED) == OURO_OK;
}

bool oupy_holds_gil(void)
{
    PyThreadState *mine = PyGILState_GetThisThreadState();
    return mine && mine == _PyThreadState_UncheckedGet();
}

/* ---- without the GIL ---- */

long oupy_released;
static __thread long released_here; /* the calling thread's part of it */

PyThreadState *oupy_release(void)
{
    /* Relaxed: under the GIL, whose next holder sees it. */
    __atomic_fetch_add(&oupy_released, 1, __ATOMIC_RELAXED);
    released_here++;
    return PyEval_SaveThread();
}

void oupy_reacquire(PyThreadState *saved)
{
    released_here--;
    __atomic_fetch_sub(&oupy_released, 1, __ATOMIC_RELEASE); /* after what was done; pairs with begin in mirror.c */
    PyEval_RestoreThread(saved);
    oupy_pending_run();
}

/* ---- the end of the interpreter ---- */

static bool is_closed; /* atomic: Python is shutting down */
static long entering;  /* atomic: threads between oupy_python_enter and oupy_python_leave */
static __thread long entering_here; /* the calling thread's part of it */

bool oupy_python_enter(void)
{
    /* seq_cst, both: either this thread sees that it is closed, or oupy_at_exit sees this thread. */
    __atomic_fetch_add(&entering, 1, __ATOMIC_SEQ_CST);
    entering_here++;
    if (!__atomic_load_n(&is_closed, __ATOMIC_SEQ_CST))
        return true;
    oupy_python_leave();
    return false;
}

void oupy_python_leave(void)
{
    entering_here--;
    __atomic_fetch_sub(&entering, 1, __ATOMIC_RELEASE); /* pairs with the acquire in oupy_at_exit */
}

/* From now on no thread without the GIL calls Python, or waits for the GIL: the interpreter would end such threads where they are, or be gone under
 * them. What dies on them later is left alone. */
PyObject *oupy_at_exit(void)
{
    __atomic_store_n(&is_closed, true, __ATOMIC_SEQ_CST);
    Py_BEGIN_ALLOW_THREADS
    while (__atomic_load_n(&entering, __ATOMIC_ACQUIRE) > entering_here)
        sched_yield();
    Py_END_ALLOW_THREADS
    oupy_pending_run();
    Py_RETURN_NONE;
}

static void in_child(void)
{
    __atomic_store_n(&entering, entering_here, __ATOMIC_RELAXED); /* the other threads are not here */
    __atomic_store_n(&oupy_released, released_here, __ATOMIC_RELAXED);
}

bool oupy_threads_init(void)
{
    return pthread_atfork(NULL, NULL, in_child) == 0;
}

/* ---- pending work ---- */

struct oupy_pending *oupy_pending_first; /* atomic; a stack */

static int run_from_eval_loop(void *unused)
{
    (void)unused;
    oupy_pending_run_all();
    return 0;
}

void oupy_pending_add(struct oupy_pending *item)
{
    struct oupy_pending *first = __atomic_load_n(&oupy_pending_first, __ATOMIC_RELAXED);
    do
        item->next = first;
    /* Release: the item's content; pairs with oupy_pending_run_all. */
    while (!__atomic_compare_exchange_n(&oupy_pending_first, &first, item, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    /* When the list was empty, nobody has asked yet. If Python's queue is full, whoever next comes along with the GIL does it. */
    if (!first && oupy_python_enter()) {
        (void)Py_AddPendingCall(run_from_eval_loop, NULL);
        oupy_python_leave();
    }
}

void oupy_pending_run_all(void)
{
    struct oupy_pending *item, *next, *in_order = NULL;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    /* Acquire: pairs with oupy_pending_add. */
    for (item = __atomic_exchange_n(&oupy_pending_first, NULL, __ATOMIC_ACQUIRE); item; item = next) {
        next = item->next;
        item->next = in_order;
        in_order = item;
    }
    for (item = in_order; item; item = next) {
        next = item->next;
        item->run(item);
    }
    PyErr_Restore(type, value, traceback);
}

/* ---- callbacks that cannot be put off ---- */

long oupy_calling_back;

bool oupy_gil_take(struct oupy_gil *gil)
{
    gil->held = oupy_holds_gil();
    gil->foreign = !gil->held && !PyGILState_GetThisThreadState();
    if (!gil->held) {
        if (!oupy_python_enter())
            return false;
        gil->state = PyGILState_Ensure();
    }
    oupy_calling_back++;
    return true;
}

void oupy_gil_leave(struct oupy_gil *gil)
{
    oupy_calling_back--;
    if (gil->held)
        return;
    PyGILState_Release(gil->state);
    oupy_python_leave();
}
