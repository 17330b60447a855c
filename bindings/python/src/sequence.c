/* SPDX-License-Identifier: MIT
 *
 * What lists and tuples have in common: searching, slices, comparison, repr. */
#include "oupy.h"

static void cut(ptrdiff_t from, ptrdiff_t to, size_t count, size_t *first, size_t *end)
{
    ptrdiff_t length = (ptrdiff_t)count;
    from = from < 0 ? from + length : from;
    to = to < 0 ? to + length : to;
    *first = from < 0 ? 0 : from > length ? count : (size_t)from;
    *end = to < 0 ? 0 : to > length ? count : (size_t)to;
}

/* The value that stands for the object, where that can be had without storing it: what is stored by handle is compared as an object. */
static int needle_of(PyObject *object, ouro_value *needle)
{
    PyTypeObject *type = Py_TYPE(object);
    *needle = OURO_NIL;
    if (type == &PyLong_Type) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (!overflow)
            *needle = ouro_int_new(number);
        return 0;
    }
    if (oupy_is_exact(object) || type == &PyBool_Type || type == &PyUnicode_Type || type == &PyFloat_Type || type == &PyBytes_Type)
        return oupy_borrow(object, needle);
    return 0;
}

int oupy_search(const ouro_value *items, size_t count, PyObject *object, ptrdiff_t from, ptrdiff_t to, size_t *at)
{
    size_t first, end;
    ouro_value needle;
    int found = 0, borrowed = needle_of(object, &needle);
    if (borrowed < 0)
        return -1;
    cut(from, to, count, &first, &end);
    for (size_t i = first; !found && i < end; i++) {
        found = oupy_equals(items[i], object, needle);
        *at = i;
    }
    oupy_done(borrowed, needle);
    return found;
}

Py_ssize_t oupy_occurrences(const ouro_value *items, size_t count, PyObject *object)
{
    ouro_value needle;
    Py_ssize_t found = 0;
    int borrowed = needle_of(object, &needle), is = 0;
    if (borrowed < 0)
        return -1;
    for (size_t i = 0; is >= 0 && i < count; i++) {
        is = oupy_equals(items[i], object, needle);
        found += is > 0;
    }
    oupy_done(borrowed, needle);
    return is < 0 ? -1 : found;
}

bool oupy_slice(PyObject *slice, ptrdiff_t *start, ptrdiff_t *stop, ptrdiff_t *step)
{
    Py_ssize_t from, to, by;
    if (PySlice_Unpack(slice, &from, &to, &by) < 0) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            PyErr_SetString(oupy_value_error, "the step of a slice must not be 0");
        } else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_SetString(oupy_type_error, "start, stop and step of a slice must be integers or None");
        }
        return false;
    }
    /* Numbers far below 0 are cut to what for ouro means that they were left out. */
    PySliceObject *given = (PySliceObject *)slice;
    *start = from == OURO_OMITTED && given->start != Py_None ? OURO_OMITTED + 1 : from;
    *stop = to == OURO_OMITTED && given->stop != Py_None ? OURO_OMITTED + 1 : to;
    *step = by;
    return true;
}

PyObject *oupy_plain(PyObject *self)
{
    struct oupy_values values;
    if (oupy_is(self, OURO_KIND_LIST)) {
        if (!oupy_values_of_list(&values, oupy_value(self)))
            return NULL;
        PyObject *list = oupy_list_of(values.items, values.count);
        values.count = 0;
        oupy_values_drop(&values);
        return list;
    }
    size_t count;
    const ouro_value *items = ouro_tuple_items(oupy_value(self), &count);
    if (!items)
        return oupy_fail_closed();
    ouro_value held = ouro_value_retain(oupy_value(self));
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *o = oupy_object(ouro_value_retain(items[i]));
        if (!o)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, o);
    }
    ouro_value_release(held);
    return tuple;
}

__thread int oupy_comparing;

PyObject *oupy_compare_objects(PyObject *a, PyObject *b, int op)
{
    PyObject *result = NULL;
    if (a && b && !Py_EnterRecursiveCall(" in comparison")) {
        oupy_comparing++;
        result = PyObject_RichCompare(a, b, op);
        oupy_comparing--;
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

ouro_status oupy_equal(ouro_value a, ouro_value b, size_t count, bool *equal)
{
    ouro_status status;
    if (count < OUPY_MANY)
        return ouro_equal(a, b, equal);
    OUPY_RELEASE
    status = ouro_equal(a, b, equal);
    OUPY_REACQUIRE
    return status;
}

/* other is of the same kind, or Python's own of that kind. */
PyObject *oupy_compare_plain(PyObject *self, PyObject *other, int op)
{
    ouro_kind kind = oupy_is(self, OURO_KIND_LIST) ? OURO_KIND_LIST : OURO_KIND_TUPLE;
    bool wrapped = oupy_is(other, kind);
    if (!wrapped && !(kind == OURO_KIND_LIST ? PyList_Check(other) : PyTuple_Check(other)))
        Py_RETURN_NOTIMPLEMENTED;
    if (wrapped && (op == Py_EQ || op == Py_NE)) {
        bool equal = false;
        size_t m, n;
        ouro_value a = oupy_value(self), b = oupy_value(other);
        if (ouro_length(a, &m) != OURO_OK || ouro_length(b, &n) != OURO_OK)
            return oupy_fail_closed();
        ouro_status status = m != n || oupy_comparing ? OURO_OK : oupy_equal(a, b, m, &equal);
        if (status != OURO_OK)
            return oupy_fail(status);
        if (equal || m != n)
            return PyBool_FromLong(equal == (op == Py_EQ));
    }
    PyObject *plain = oupy_plain(self);
    return oupy_compare_objects(plain, plain && wrapped ? oupy_plain(other) : Py_XNewRef(plain ? other : NULL), op);
}

PyObject *oupy_repr_plain(PyObject *self, const char *cyclic)
{
    int entered = Py_ReprEnter(self);
    if (entered)
        return entered > 0 ? PyUnicode_FromFormat("%s(%s)", Py_TYPE(self)->tp_name, cyclic) : NULL;
    PyObject *plain = oupy_plain(self);
    PyObject *text = plain ? PyUnicode_FromFormat("%s(%R)", Py_TYPE(self)->tp_name, plain) : NULL;
    Py_XDECREF(plain);
    Py_ReprLeave(self);
    return text;
}
