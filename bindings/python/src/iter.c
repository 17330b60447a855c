/* SPDX-License-Identifier: MIT
 *
 * Iterators: of lists and tuples by index, so that changes are seen as they are of list; of all else over ouro's own iterators. */
#include "oupy.h"

/* ---- by index ---- */

struct by_index {
    PyObject_HEAD
    PyObject *container; /* NULL: at the end, for good */
    Py_ssize_t index;    /* of the next */
    bool reversed;
};

static void index_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((struct by_index *)self)->container);
    PyObject_GC_Del(self);
}

static int index_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct by_index *)self)->container);
    return 0;
}

static PyObject *index_next(PyObject *self)
{
    struct by_index *it = (struct by_index *)self;
    ouro_value item;
    if (!it->container)
        return NULL;
    ouro_value container = oupy_value(it->container);
    ouro_status status = it->index < 0                                ? OURO_E_INDEX
                         : oupy_is(it->container, OURO_KIND_LIST)     ? ouro_list_get(container, it->index, &item)
                                                                      : ouro_tuple_get(container, it->index, &item);
    if (status == OURO_OK) {
        it->index += it->reversed ? -1 : 1;
        return oupy_object(item);
    }
    Py_CLEAR(it->container);
    return status == OURO_E_INDEX ? NULL : oupy_fail(status);
}

static PyObject *index_hint(PyObject *self, PyObject *unused)
{
    struct by_index *it = (struct by_index *)self;
    (void)unused;
    Py_ssize_t length = it->container ? PyObject_Size(it->container) : 0;
    if (length < 0)
        return NULL;
    if (it->reversed)
        return PyLong_FromSsize_t(it->index + 1 > length || !it->container ? 0 : it->index + 1);
    return PyLong_FromSsize_t(length > it->index ? length - it->index : 0);
}

/* For pickle and copy: an iterator over a plain list of what is left. */
static PyObject *index_reduce(PyObject *self, PyObject *unused)
{
    struct by_index *it = (struct by_index *)self;
    (void)unused;
    PyObject *copy = oupy_iterator_new(it->container, it->reversed);
    if (!copy)
        return NULL;
    ((struct by_index *)copy)->index = it->index;
    PyObject *rest = PySequence_List(copy), *iter = rest ? oupy_import("builtins", "iter") : NULL;
    Py_DECREF(copy);
    return iter ? Py_BuildValue("N(N)", iter, rest) : NULL;
}

static PyMethodDef index_methods[] = {
    {"__length_hint__", index_hint, METH_NOARGS, "How many elements are left."},
    {"__reduce__", index_reduce, METH_NOARGS, "For pickle."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject index_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ouro.SequenceIterator",
    .tp_basicsize = sizeof(struct by_index),
    .tp_dealloc = index_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = index_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = index_next,
    .tp_methods = index_methods,
};

PyObject *oupy_iterator_new(PyObject *container, bool reversed)
{
    Py_ssize_t length = reversed && container ? PyObject_Size(container) : 0;
    struct by_index *it = length < 0 ? NULL : PyObject_GC_New(struct by_index, &index_type);
    if (!it)
        return NULL;
    it->container = Py_XNewRef(container);
    it->index = reversed ? length - 1 : 0;
    it->reversed = reversed;
    PyObject_GC_Track((PyObject *)it);
    return (PyObject *)it;
}

/* ---- over ouro's ---- */

struct over {
    PyObject_HEAD
    ouro_value iterator; /* a reference */
    bool pairs;
};

static void over_dealloc(PyObject *self)
{
    ouro_value iterator = ((struct over *)self)->iterator;
    PyObject_Free(self);
    ouro_value_release(iterator);
}

static PyObject *over_next(PyObject *self)
{
    struct over *it = (struct over *)self;
    ouro_value key, value;
    oupy_enter();
    ouro_status status = it->pairs ? ouro_iterator_next_pair(it->iterator, &key, &value) : ouro_iterator_next(it->iterator, &key);
    if (status == OURO_E_END)
        return NULL;
    if (status == OURO_E_CHANGED) {
        PyErr_SetString(oupy_runtime_error, "the container was changed during the iteration: a key was put in or taken out");
        return NULL;
    }
    if (status != OURO_OK)
        return oupy_fail(status);
    PyObject *first = oupy_object(key);
    if (!it->pairs)
        return first;
    PyObject *second = oupy_object(value), *pair = first && second ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return pair;
}

static PyTypeObject over_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ouro.Iterator",
    .tp_basicsize = sizeof(struct over),
    .tp_dealloc = over_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = over_next,
};

PyObject *oupy_iterator_of(ouro_value iterator, bool pairs)
{
    struct over *it = PyObject_New(struct over, &over_type);
    if (!it) {
        ouro_value_release(iterator);
        return NULL;
    }
    it->iterator = iterator;
    it->pairs = pairs;
    return (PyObject *)it;
}

bool oupy_iterators_init(PyObject *module)
{
    (void)module;
    return PyType_Ready(&index_type) == 0 && PyType_Ready(&over_type) == 0;
}
