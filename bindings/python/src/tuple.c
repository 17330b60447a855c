/* SPDX-License-Identifier: MIT
 *
 * ouro.Tuple. */
#include "tuple.h"

static const ouro_value *items_of(PyObject *self, size_t *count)
{
    const ouro_value *items = ouro_tuple_items(oupy_value(self), count);
    if (!items)
        oupy_fail_closed();
    return items;
}

/* The same, held while Python code runs; *tuple is to be released in any case. */
static const ouro_value *hold(PyObject *self, ouro_value *tuple, size_t *count)
{
    *tuple = ouro_value_retain(oupy_value(self));
    return items_of(self, count);
}

static PyObject *made(ouro_status status, ouro_value value)
{
    if (status != OURO_OK)
        return oupy_fail(status);
    if (oupy_is_tracing())
        oupy_trace_made(value);
    return oupy_object_slow(value);
}

int oupy_tuple_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"iterable", NULL};
    PyObject *iterable = NULL;
    struct oupy_values values;
    ouro_value tuple;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:Tuple", names, &iterable))
        return -1;
    oupy_enter();
    oupy_values_init(&values);
    if (iterable && !oupy_values_of(&values, iterable, "iterable"))
        return -1;
    ouro_status status = ouro_tuple_new(values.items, values.count, &tuple);
    oupy_values_drop(&values);
    if (status != OURO_OK) {
        oupy_fail(status);
        return -1;
    }
    if (oupy_is_tracing())
        oupy_trace_made(tuple);
    return oupy_adopt(self, tuple);
}

Py_ssize_t oupy_tuple_length(PyObject *self)
{
    size_t count;
    return items_of(self, &count) ? (Py_ssize_t)count : -1;
}

PyObject *oupy_tuple_item(PyObject *self, Py_ssize_t index)
{
    size_t count;
    const ouro_value *items = items_of(self, &count);
    if (!items)
        return NULL;
    if ((size_t)index >= count)
        return oupy_fail_index(oupy_value(self), index);
    return oupy_object(ouro_value_retain(items[index]));
}

PyObject *oupy_tuple_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t index;
        size_t count;
        if (!oupy_index(key, "index", &index) || !items_of(self, &count))
            return NULL;
        if (index >= 0 || index + (Py_ssize_t)count < 0)
            return oupy_tuple_item(self, index);
        return oupy_tuple_item(self, index + (Py_ssize_t)count);
    }
    if (!PySlice_Check(key))
        return oupy_fail_type("index", "an integer or a slice", key);
    ptrdiff_t start, stop, step;
    size_t count;
    ouro_value slice;
    if (!oupy_slice(key, &start, &stop, &step) || !items_of(self, &count))
        return NULL;
    oupy_enter();
    ouro_status status = ouro_tuple_slice(oupy_value(self), start, stop, step, &slice);
    return made(status, slice);
}

int oupy_tuple_contains(PyObject *self, PyObject *item)
{
    ouro_value tuple;
    size_t count, at;
    const ouro_value *items = hold(self, &tuple, &count);
    int found = items ? oupy_search(items, count, item, 0, PTRDIFF_MAX, &at) : -1;
    ouro_value_release(tuple);
    return found;
}

PyObject *oupy_tuple_index(PyObject *self, PyObject *item, PyObject *start, PyObject *stop)
{
    ptrdiff_t from, to;
    ouro_value tuple;
    size_t count, at;
    if (!oupy_bounds(start, stop, &from, &to))
        return NULL;
    const ouro_value *items = hold(self, &tuple, &count);
    int found = items ? oupy_search(items, count, item, from, to, &at) : -1;
    ouro_value_release(tuple);
    if (found == 0)
        PyErr_Format(oupy_value_error, "item %R is not in the tuple", item);
    return found > 0 ? PyLong_FromSize_t(at) : NULL;
}

PyObject *oupy_tuple_count(PyObject *self, PyObject *item)
{
    ouro_value tuple;
    size_t count;
    const ouro_value *items = hold(self, &tuple, &count);
    Py_ssize_t found = items ? oupy_occurrences(items, count, item) : -1;
    ouro_value_release(tuple);
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

PyObject *oupy_tuple_add(PyObject *a, PyObject *b)
{
    struct oupy_values first, second;
    ouro_value tuple;
    if (!(oupy_is(a, OURO_KIND_TUPLE) || PyTuple_Check(a)) || !(oupy_is(b, OURO_KIND_TUPLE) || PyTuple_Check(b)))
        Py_RETURN_NOTIMPLEMENTED;
    oupy_enter();
    if (!oupy_values_of(&first, a, "left operand"))
        return NULL;
    if (!oupy_values_of(&second, b, "right operand")) {
        oupy_values_drop(&first);
        return NULL;
    }
    ouro_status status = OURO_E_NOMEM;
    if (oupy_values_reserve(&first, first.count + second.count)) {
        memcpy(first.items + first.count, second.items, second.count * sizeof *second.items);
        first.count += second.count;
        second.count = 0;
        status = ouro_tuple_new(first.items, first.count, &tuple);
    }
    oupy_values_drop(&first);
    oupy_values_drop(&second);
    return made(status, tuple);
}

PyObject *oupy_tuple_repeat(PyObject *self, Py_ssize_t times)
{
    struct oupy_values all;
    ouro_value tuple = OURO_NIL;
    size_t count, n = times < 0 ? 0 : (size_t)times;
    const ouro_value *items = items_of(self, &count);
    if (!items)
        return NULL;
    oupy_enter();
    if (count && n > (size_t)PY_SSIZE_T_MAX / sizeof *items / count)
        return oupy_fail(OURO_E_NOMEM);
    oupy_values_init(&all);
    if (!oupy_values_reserve(&all, count * n))
        return NULL;
    for (size_t i = 0; i < n; i++)
        memcpy(all.items + i * count, items, count * sizeof *items); /* borrowed from self */
    ouro_status status = ouro_tuple_new(all.items, count * n, &tuple);
    oupy_values_drop(&all);
    return made(status, tuple);
}

PyObject *oupy_tuple_iter(PyObject *self)
{
    return oupy_iterator_new(self, false);
}

PyObject *oupy_tuple_compare(PyObject *self, PyObject *other, int op)
{
    return oupy_compare_plain(self, other, op);
}

PyObject *oupy_tuple_repr(PyObject *self)
{
    return oupy_repr_plain(self, "(...)");
}

/* That of the tuple with the same elements, which it equals. */
Py_hash_t oupy_tuple_hash(PyObject *self)
{
    if (Py_EnterRecursiveCall(" while hashing a Tuple"))
        return -1;
    PyObject *plain = oupy_plain(self);
    Py_hash_t hash = plain ? PyObject_Hash(plain) : -1;
    Py_XDECREF(plain);
    Py_LeaveRecursiveCall();
    return hash;
}

PyObject *oupy_tuple_reduce(PyObject *self)
{
    PyObject *plain = oupy_plain(self);
    return plain ? Py_BuildValue("O(N)", Py_TYPE(self), plain) : NULL;
}
