/* SPDX-License-Identifier: MIT
 *
 * Python's objects in ouro: what is no number, string or bytes is stored as a hosts' value whose handle is a small block with the object in it.
 *
 * The block holds one reference. When the value dies, on whatever thread, the object is let go of there and then if the thread has the GIL; if not, the
 * block goes on the list of pending work. After the end of the interpreter it stays there. */
#include "oupy.h"

struct hosted {
    struct oupy_pending pending; /* first */
    PyObject *object;            /* counted */
    Py_hash_t hash;              /* -1: not asked for yet; under the GIL */
};

static size_t tracked_count; /* under the GIL */

static struct hosted *of_handle(uint64_t handle)
{
    return (struct hosted *)(uintptr_t)handle;
}

static void let_go(struct oupy_pending *item)
{
    struct hosted *hosted = (struct hosted *)item;
    PyObject *object = hosted->object;
    tracked_count -= PyObject_IS_GC(object) != 0;
    PyMem_Free(hosted);
    oupy_calling_back++;
    Py_DECREF(object);
    oupy_calling_back--;
}

static void dispose(uint64_t handle)
{
    struct hosted *hosted = of_handle(handle);
    if (oupy_holds_gil()) {
        let_go(&hosted->pending);
    } else {
        hosted->pending.run = let_go;
        oupy_pending_add(&hosted->pending);
    }
}

/* The exception stays with the thread, whose call of ouro is told; if the thread is none of Python's, it ends here. */
static ouro_status leave_failed(struct oupy_gil *gil)
{
    if (!gil->held && gil->foreign)
        PyErr_WriteUnraisable(NULL);
    oupy_gil_leave(gil);
    return OURO_E_HOST;
}

static ouro_status hash(uint64_t handle, uint64_t *hash)
{
    struct oupy_gil gil;
    if (!oupy_gil_take(&gil))
        return OURO_E_HOST;
    struct hosted *hosted = of_handle(handle);
    if (hosted->hash == -1)
        hosted->hash = PyObject_Hash(hosted->object);
    if (hosted->hash == -1)
        return leave_failed(&gil);
    *hash = (uint64_t)hosted->hash;
    oupy_gil_leave(&gil);
    return OURO_OK;
}

static ouro_status equal(uint64_t a, uint64_t b, bool *equal)
{
    struct oupy_gil gil;
    if (!oupy_gil_take(&gil))
        return OURO_E_HOST;
    PyObject *x = of_handle(a)->object, *y = of_handle(b)->object;
    Py_INCREF(x);
    Py_INCREF(y);
    int is = PyObject_RichCompareBool(x, y, Py_EQ);
    Py_DECREF(x);
    Py_DECREF(y);
    if (is < 0)
        return leave_failed(&gil);
    *equal = is;
    oupy_gil_leave(&gil);
    return OURO_OK;
}

static ouro_status compare(uint64_t a, uint64_t b, int *order)
{
    struct oupy_gil gil;
    if (!oupy_gil_take(&gil))
        return OURO_E_HOST;
    PyObject *x = of_handle(a)->object, *y = of_handle(b)->object;
    Py_INCREF(x);
    Py_INCREF(y);
    int less = PyObject_RichCompareBool(x, y, Py_LT);
    int more = less ? 0 : PyObject_RichCompareBool(y, x, Py_LT);
    Py_DECREF(x);
    Py_DECREF(y);
    if (less < 0 || more < 0)
        return leave_failed(&gil);
    *order = more - less;
    oupy_gil_leave(&gil);
    return OURO_OK;
}

static ouro_status repr(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    struct oupy_gil gil;
    if (!oupy_gil_take(&gil))
        return OURO_E_HOST;
    PyObject *text = PyObject_Repr(of_handle(handle)->object);
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    Py_XDECREF(text);
    if (!bytes)
        return leave_failed(&gil);
    *size = (size_t)PyBytes_GET_SIZE(bytes);
    memcpy(buffer, PyBytes_AS_STRING(bytes), *size < room ? *size : room);
    Py_DECREF(bytes);
    oupy_gil_leave(&gil);
    return OURO_OK;
}

static bool truth(uint64_t handle)
{
    struct oupy_gil gil;
    if (!oupy_gil_take(&gil))
        return true;
    int is = PyObject_IsTrue(of_handle(handle)->object);
    if (is < 0)
        PyErr_WriteUnraisable(of_handle(handle)->object);
    oupy_gil_leave(&gil);
    return is != 0;
}

const ouro_host_class oupy_class = {
    .size = sizeof oupy_class,
    .name = "Python object",
    .dispose = dispose,
    .hash = hash,
    .equal = equal,
    .compare = compare,
    .repr = repr,
    .truth = truth,
};

ouro_status oupy_host_new(PyObject *object, ouro_value *value)
{
    struct hosted *hosted = PyMem_Malloc(sizeof *hosted);
    *value = OURO_NIL;
    if (!hosted)
        return OURO_E_NOMEM;
    hosted->object = object;
    hosted->hash = -1;
    ouro_status status = ouro_host_new(&oupy_class, (uint64_t)(uintptr_t)hosted, 0, value);
    if (status != OURO_OK) {
        PyMem_Free(hosted);
        return status;
    }
    Py_INCREF(object);
    tracked_count += PyObject_IS_GC(object) != 0;
    return OURO_OK;
}

PyObject *oupy_hosted(ouro_value value)
{
    return ouro_host_class_of(value) == &oupy_class ? of_handle(ouro_host_handle(value))->object : NULL;
}

size_t oupy_hosted_count(void)
{
    return tracked_count;
}
