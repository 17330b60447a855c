/* SPDX-License-Identifier: MIT
 *
 * ouro.Record: fields as attributes. What a record can do beside begins with an underscore, so that fields may have any other name. */
#include "record.h"

static PyObject *fail(PyObject *self, ouro_status status, PyObject *name)
{
    if (!((oupy_wrapper *)self)->object)
        return oupy_fail_closed();
    if (status != OURO_E_KEY)
        return oupy_fail(status);
    PyObject *record = oupy_record_name(self);
    if (record)
        PyErr_Format(oupy_attribute_error, "the record %R has no field %R", record, name);
    Py_XDECREF(record);
    return NULL;
}

int oupy_record_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    PyObject *name, *key, *item;
    struct oupy_values fields, values;
    ouro_value n, value, record;
    Py_ssize_t at = 0;
    if (!PyArg_UnpackTuple(args, "Record", 1, 1, &name))
        return -1;
    if (!PyUnicode_Check(name)) {
        oupy_fail_type("name", "str", name);
        return -1;
    }
    oupy_values_init(&fields);
    oupy_values_init(&values);
    int borrowed = oupy_borrow(name, &n);
    bool good = borrowed >= 0;
    while (good && keywords && PyDict_Next(keywords, &at, &key, &item)) {
        good = oupy_take(key, &value) && oupy_values_add(&fields, value);
        good = good && oupy_take(item, &value) && oupy_values_add(&values, value);
    }
    ouro_status status = good ? ouro_record_from(n, fields.items, values.items, values.count, &record) : OURO_OK;
    if (borrowed >= 0)
        oupy_done(borrowed, n);
    oupy_values_drop(&fields);
    oupy_values_drop(&values);
    if (!good)
        return -1;
    if (status == OURO_E_TYPE)
        PyErr_SetString(oupy_value_error, "names of records and fields must be valid UTF-8, and str itself");
    else if (status != OURO_OK)
        oupy_fail(status);
    if (status != OURO_OK)
        return -1;
    if (oupy_is_tracing())
        oupy_trace_made(record);
    return oupy_adopt(self, record);
}

static bool is_special(PyObject *name)
{
    return PyUnicode_GET_LENGTH(name) && PyUnicode_READ_CHAR(name, 0) == '_';
}

static PyObject *get(PyObject *self, PyObject *name, ouro_status *status)
{
    ouro_value field, value;
    int borrowed = oupy_borrow(name, &field);
    *status = OURO_E_HOST;
    if (borrowed < 0)
        return NULL;
    *status = ouro_record_get(oupy_value(self), field, &value);
    oupy_done(borrowed, field);
    return *status == OURO_OK ? oupy_object(value) : NULL;
}

PyObject *oupy_record_getattr(PyObject *self, PyObject *name)
{
    ouro_status status;
    if (is_special(name)) {
        PyObject *found = PyObject_GenericGetAttr(self, name);
        if (found || !PyErr_ExceptionMatches(PyExc_AttributeError) || !((oupy_wrapper *)self)->object)
            return found;
        PyErr_Clear();
    }
    PyObject *value = get(self, name, &status);
    if (status == OURO_E_KEY && !oupy_is_exact(self)) { /* a subclass has what its class has */
        value = PyObject_GenericGetAttr(self, name);
        if (value || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return value;
        PyErr_Clear();
    }
    return status == OURO_OK ? value : fail(self, status, name);
}

int oupy_record_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    ouro_value field, v;
    if (!value) {
        PyErr_Format(oupy_type_error, "field %R cannot be deleted: a record keeps its fields", name);
        return -1;
    }
    int borrowed = oupy_borrow(name, &field);
    if (borrowed < 0)
        return -1;
    int borrowed_value = oupy_borrow(value, &v);
    if (borrowed_value < 0) {
        oupy_done(borrowed, field);
        return -1;
    }
    ouro_status status = ouro_record_set(oupy_value(self), field, v);
    oupy_done(borrowed_value, v);
    oupy_done(borrowed, field);
    if (status == OURO_OK)
        return 0;
    if (status == OURO_E_KEY && !oupy_is_exact(self))
        return PyObject_GenericSetAttr(self, name, value);
    fail(self, status, name);
    return -1;
}

/* ---- as a whole ---- */

PyObject *oupy_record_name(PyObject *self)
{
    ouro_value shape, name;
    ouro_status status = ouro_record_shape(oupy_value(self), &shape);
    if (status != OURO_OK)
        return fail(self, status, Py_None);
    status = ouro_shape_name(shape, &name);
    ouro_value_release(shape);
    return status == OURO_OK ? oupy_object(name) : oupy_fail(status);
}

/* Calls `add` for each field. */
static bool each_field(PyObject *self, bool (*add)(PyObject *field, ouro_value value, void *arg), void *arg)
{
    ouro_value shape, field, value, record = ouro_value_retain(oupy_value(self));
    size_t count = 0;
    bool good = true;
    ouro_status status = ouro_record_shape(record, &shape);
    if (status == OURO_OK)
        status = ouro_shape_length(shape, &count);
    for (size_t i = 0; good && status == OURO_OK && i < count; i++) {
        status = ouro_shape_field(shape, i, &field);
        if (status == OURO_OK)
            status = ouro_record_get_at(record, i, &value);
        if (status != OURO_OK)
            break;
        PyObject *name = oupy_object(field);
        if (name)
            PyUnicode_InternInPlace(&name);
        good = name && add(name, value, arg);
        Py_XDECREF(name);
    }
    ouro_value_release(shape);
    ouro_value_release(record);
    if (status != OURO_OK)
        fail(self, status, Py_None);
    return good && status == OURO_OK;
}

static bool append_name(PyObject *field, ouro_value value, void *list)
{
    ouro_value_release(value);
    return PyList_Append(list, field) == 0;
}

PyObject *oupy_record_fields(PyObject *self)
{
    PyObject *list = PyList_New(0), *tuple = NULL;
    if (list && each_field(self, append_name, list))
        tuple = PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

static bool enter_pair(PyObject *field, ouro_value value, void *dict)
{
    PyObject *object = oupy_object(value);
    bool good = object && PyDict_SetItem(dict, field, object) == 0;
    Py_XDECREF(object);
    return good;
}

PyObject *oupy_record_asdict(PyObject *self)
{
    PyObject *dict = PyDict_New();
    if (dict && !each_field(self, enter_pair, dict))
        Py_CLEAR(dict);
    return dict;
}

PyObject *oupy_record_copy(PyObject *self)
{
    ouro_value copy;
    if (ouro_is_nil(oupy_value(self)))
        return oupy_fail_closed();
    oupy_enter();
    ouro_status status = ouro_copy(oupy_value(self), &copy);
    if (status != OURO_OK)
        return fail(self, status, Py_None);
    if (oupy_is_tracing())
        oupy_trace_made(copy);
    return oupy_object_slow(copy);
}

PyObject *oupy_record_compare(PyObject *self, PyObject *other, int op)
{
    bool equal = false;
    ouro_value a = OURO_NIL, b = OURO_NIL;
    if ((op != Py_EQ && op != Py_NE) || !oupy_is(other, OURO_KIND_RECORD))
        Py_RETURN_NOTIMPLEMENTED;
    if (!((oupy_wrapper *)self)->object || !((oupy_wrapper *)other)->object)
        return oupy_fail_closed();
    ouro_status status = oupy_comparing ? OURO_OK : ouro_equal(oupy_value(self), oupy_value(other), &equal);
    if (status != OURO_OK)
        return fail(self, status, Py_None);
    if (equal)
        return PyBool_FromLong(op == Py_EQ);
    status = ouro_record_shape(oupy_value(self), &a);
    if (status == OURO_OK)
        status = ouro_record_shape(oupy_value(other), &b);
    bool alike = status == OURO_OK && ouro_same(a, b);
    ouro_value_release(a);
    ouro_value_release(b);
    if (!alike)
        return PyBool_FromLong(op == Py_NE);
    PyObject *fields = oupy_record_asdict(self);
    return oupy_compare_objects(fields, fields ? oupy_record_asdict(other) : NULL, op);
}

static bool append_text(PyObject *field, ouro_value value, void *list)
{
    PyObject *object = oupy_object(value), *text = object ? PyUnicode_FromFormat(", %U=%R", field, object) : NULL;
    bool good = text && PyList_Append(list, text) == 0;
    Py_XDECREF(object);
    Py_XDECREF(text);
    return good;
}

PyObject *oupy_record_repr(PyObject *self)
{
    PyObject *name = oupy_record_name(self), *parts = name ? PyList_New(0) : NULL, *none = NULL, *text = NULL;
    int entered = parts ? Py_ReprEnter(self) : -1;
    if (entered > 0)
        text = PyUnicode_FromFormat("%s(%R, ...)", Py_TYPE(self)->tp_name, name);
    if (entered == 0) {
        PyObject *all = each_field(self, append_text, parts) && (none = PyUnicode_FromString("")) ? PyUnicode_Join(none, parts) : NULL;
        text = all ? PyUnicode_FromFormat("%s(%R%U)", Py_TYPE(self)->tp_name, name, all) : NULL;
        Py_XDECREF(all);
        Py_XDECREF(none);
        Py_ReprLeave(self);
    }
    Py_XDECREF(name);
    Py_XDECREF(parts);
    return text;
}
