/* SPDX-License-Identifier: MIT
 *
 * What ouro.gc is made of beside what SWIG wraps as it is: callbacks, statistics, objects as lists. */
#include "gc.h"

#include "gather.h"

/* ---- callbacks: ouro.gc.callbacks ---- */

static PyObject *callbacks;

static void call_all(ouro_gc_phase phase, const ouro_gc_info *info)
{
    PyObject *what = Py_BuildValue("{s:i,s:K,s:i,s:K,s:d}", "generation", info->generation, "collected",
                                   phase == OURO_GC_STOP ? info->found : 0, "uncollectable", 0, "candidates",
                                   phase == OURO_GC_STOP ? info->candidates : 0, "duration",
                                   phase == OURO_GC_STOP ? (double)info->duration_ns / 1e9 : 0.0);
    PyObject *name = PyUnicode_FromString(phase == OURO_GC_START ? "start" : "stop");
    if (!what || !name)
        PyErr_WriteUnraisable(NULL);
    for (Py_ssize_t i = 0; what && name && i < PyList_GET_SIZE(callbacks); i++) {
        PyObject *callback = Py_NewRef(PyList_GET_ITEM(callbacks, i));
        PyObject *result = PyObject_CallFunctionObjArgs(callback, name, what, NULL);
        if (!result)
            PyErr_WriteUnraisable(callback);
        Py_XDECREF(result);
        Py_DECREF(callback);
    }
    Py_XDECREF(what);
    Py_XDECREF(name);
}

/* On the collecting thread. */
static void on_collection(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    struct oupy_gil gil;
    PyObject *type, *value, *traceback;
    (void)arg;
    /* Relaxed, without the GIL: whether it is empty. A callback that is just being added may miss this collection. */
    if (!__atomic_load_n(&((PyVarObject *)callbacks)->ob_size, __ATOMIC_RELAXED) || !oupy_gil_take(&gil))
        return;
    PyErr_Fetch(&type, &value, &traceback);
    call_all(phase, info);
    PyErr_Restore(type, value, traceback);
    oupy_gil_leave(&gil);
}

bool oupy_gc_init(PyObject *module)
{
    callbacks = PyList_New(0);
    return callbacks && PyModule_AddObjectRef(module, "gc_callbacks", callbacks) == 0 && ouro_gc_add_callback(on_collection, NULL) > 0;
}

/* ---- statistics ---- */

PyObject *oupy_gc_stats(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < OURO_GC_GENERATIONS; i++) {
        const ouro_gc_generation_stats *g = &stats.generation[i];
        PyObject *one = Py_BuildValue("{s:K,s:K,s:K,s:K,s:d}", "collections", g->collections, "collected", g->collected, "uncollectable",
                                      g->uncollectable, "candidates", g->candidates, "duration", (double)g->duration_ns / 1e9);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

/* ---- objects ---- */

/* Around looks at all objects. While Python's collector is at work, with the GIL: what is held here, but not shown to anybody yet, is garbage to it, and it
 * would clear what hangs on that. */
#define LOOK_BEGIN                                                                                                                               \
    {                                                                                                                                            \
        PyThreadState *saved = oupy_is_mirroring ? NULL : oupy_release();
#define LOOK_END                                                                                                                                 \
    if (saved)                                                                                                                                   \
        oupy_reacquire(saved);                                                                                                                   \
    }

static PyObject *list_of(ouro_status status, struct ouro_gathered *gathered)
{
    if (status != OURO_OK)
        return oupy_fail(status);
    PyObject *list = oupy_list_of(gathered->items, gathered->count);
    gathered->count = 0;
    ouro_gather_drop(gathered);
    return list;
}

PyObject *oupy_gc_objects(int generation)
{
    struct ouro_gathered gathered;
    ouro_status status;
    oupy_enter();
    LOOK_BEGIN
    status = ouro_gather_objects(generation, &gathered);
    LOOK_END
    return list_of(status, &gathered);
}

PyObject *oupy_gc_referents(ouro_value value)
{
    struct ouro_gathered gathered;
    return list_of(ouro_gather_referents(value, &gathered), &gathered);
}

PyObject *oupy_gc_referrers(ouro_value value)
{
    struct ouro_gathered gathered;
    ouro_status status;
    oupy_enter();
    LOOK_BEGIN
    status = ouro_gather_referrers(value, &gathered);
    LOOK_END
    return list_of(status, &gathered);
}

PyObject *oupy_gc_garbage(void)
{
    struct ouro_gathered gathered;
    ouro_status status;
    LOOK_BEGIN
    status = ouro_gather_garbage(&gathered);
    if (status == OURO_OK)
        ouro_gc_clear_garbage();
    LOOK_END
    return list_of(status, &gathered);
}

/* ---- Python objects that ouro holds by handle, and who refers to them ---- */

struct search {
    PyObject *object;
    bool found;
};

static int is_handle_of(void *object, void *arg)
{
    struct search *search = arg;
    if (ouro_gather_is_inner(object))
        ouro_gc_visit_referents(object, is_handle_of, arg);
    else
        search->found = search->found || oupy_hosted(ouro_value_of(object)) == search->object;
    return search->found;
}

/* Containers that hold the object by a handle. All objects are looked at. */
PyObject *oupy_gc_holders(PyObject *object)
{
    struct ouro_gathered gathered;
    ouro_status status;
    size_t kept = 0;
    oupy_enter();
    LOOK_BEGIN
    status = ouro_gather_objects(-1, &gathered);
    for (size_t i = 0; status == OURO_OK && i < gathered.count; i++) {
        struct search search = {object, false}; /* handles are only compared */
        ouro_gc_visit_referents(ouro_value_object(gathered.items[i]), is_handle_of, &search);
        if (search.found)
            gathered.items[kept++] = gathered.items[i];
        else
            ouro_value_release(gathered.items[i]);
    }
    if (status == OURO_OK)
        gathered.count = kept;
    LOOK_END
    return list_of(status, &gathered);
}
