/* SPDX-License-Identifier: MIT
 *
 * Values for Python objects, and back.
 *
 *     None, bool, float, str, bytes; int of 62 bits     by value, if it is the type itself and not a subclass
 *     wrappers                                          their object
 *     everything else, and str that is not UTF-8        by handle (host.c): comes back as the same object
 *
 * A str that Python has interned becomes an interned string. */
#include "oupy.h"

/* ---- to ouro ---- */

static int failed(ouro_status status)
{
    oupy_fail(status);
    return -1;
}

static int host(PyObject *o, ouro_value *value)
{
    ouro_status status = oupy_host_new(o, value);
    return status == OURO_OK ? 1 : failed(status);
}

/* Python keeps the UTF-8 form of a str that is not ASCII beside it for good when asked for it: so not of long ones. */
#define KEPT_UTF8 ((Py_ssize_t)64)

static int string(PyObject *o, ouro_value *value)
{
    Py_ssize_t size;
    ouro_status status;
    const char *bytes;
    PyObject *encoded = NULL;
    if (PyUnicode_IS_COMPACT_ASCII(o)) {
        bytes = (const char *)PyUnicode_1BYTE_DATA(o);
        size = PyUnicode_GET_LENGTH(o);
    } else if (PyUnicode_GET_LENGTH(o) <= KEPT_UTF8) {
        bytes = PyUnicode_AsUTF8AndSize(o, &size);
    } else {
        encoded = PyUnicode_AsUTF8String(o);
        bytes = encoded ? PyBytes_AS_STRING(encoded) : NULL;
        size = encoded ? PyBytes_GET_SIZE(encoded) : 0;
    }
    if (!bytes) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return -1;
        PyErr_Clear(); /* lone surrogates */
        return host(o, value);
    }
    status = PyUnicode_CHECK_INTERNED(o) ? ouro_intern_bytes(bytes, (size_t)size, value) : ouro_string_new(bytes, (size_t)size, value);
    Py_XDECREF(encoded);
    return status == OURO_OK ? 1 : failed(status);
}

static int integer(PyObject *o, ouro_value *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (!overflow && number >= OURO_INT_MIN && number <= OURO_INT_MAX) {
        *value = ouro_int_new(number);
        return 0;
    }
    return host(o, value);
}

static int traced(int borrowed, ouro_value value)
{
    if (__builtin_expect(oupy_is_tracing(), 0) && borrowed > 0)
        oupy_trace_made(value);
    return borrowed;
}

int oupy_borrow(PyObject *o, ouro_value *value)
{
    PyTypeObject *type = Py_TYPE(o);
    *value = OURO_NIL;
    if (type == &PyLong_Type)
        return integer(o, value);
    if (oupy_is_exact(o)) {
        *value = oupy_value(o);
        if (ouro_is_nil(*value)) {
            oupy_fail_closed();
            return -1;
        }
        return 0;
    }
    if (o == Py_None)
        return 0;
    if (type == &PyBool_Type) {
        *value = ouro_bool_new(o == Py_True);
        return 0;
    }
    oupy_enter();
    if (type == &PyUnicode_Type)
        return traced(string(o, value), *value);
    if (type == &PyFloat_Type) {
        *value = ouro_float_new(PyFloat_AS_DOUBLE(o));
        return ouro_is_nil(*value) ? failed(OURO_E_NOMEM) : traced(1, *value);
    }
    if (type == &PyBytes_Type) {
        ouro_status status = ouro_bytes_new(PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o), value);
        return status == OURO_OK ? traced(1, *value) : failed(status);
    }
    return traced(host(o, value), *value);
}

/* Lists, dicts and sets are keys to ouro, by identity, but not to Python. False: an error. */
static bool check_hashable(ouro_value value)
{
    size_t count = 0;
    const ouro_value *items;
    bool good = true;
    switch (ouro_kind_of(value)) {
    case OURO_KIND_LIST:
    case OURO_KIND_DICT:
    case OURO_KIND_SET:
    case OURO_KIND_RECORD:
        PyErr_Format(oupy_type_error, "unhashable type: '%s'", oupy_type[ouro_kind_of(value)]->tp_name);
        return false;
    case OURO_KIND_TUPLE:
        if (Py_EnterRecursiveCall(" while looking whether a Tuple is hashable"))
            return false;
        items = ouro_tuple_items(value, &count);
        for (size_t i = 0; good && i < count; i++)
            good = !ouro_is_object(items[i]) || check_hashable(items[i]);
        Py_LeaveRecursiveCall();
        return good;
    default:
        return true;
    }
}

int oupy_borrow_key(PyObject *o, ouro_value *value)
{
    int borrowed = oupy_borrow(o, value);
    if (borrowed == 0 && ouro_is_object(*value) && !check_hashable(*value)) {
        *value = OURO_NIL;
        return -1;
    }
    return borrowed;
}

bool oupy_take(PyObject *o, ouro_value *value)
{
    int borrowed = oupy_borrow(o, value);
    if (borrowed == 0)
        ouro_value_retain(*value);
    return borrowed >= 0;
}

/* ---- to Python ---- */

PyObject *oupy_string_object(ouro_value string)
{
    size_t size;
    const char *bytes = ouro_string_data(string, &size);
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)size, NULL);
}

PyObject *oupy_object(ouro_value value)
{
    PyObject *o;
    const void *bytes;
    size_t size;
    if (ouro_is_int(value))
        return PyLong_FromLongLong(ouro_int_value(value));
    switch (ouro_kind_of(value)) {
    case OURO_KIND_NIL:
        Py_RETURN_NONE;
    case OURO_KIND_BOOL:
        return PyBool_FromLong(ouro_bool_value(value));
    case OURO_KIND_STRING:
        o = oupy_string_object(value);
        break;
    case OURO_KIND_FLOAT:
        o = PyFloat_FromDouble(ouro_float_value(value));
        break;
    case OURO_KIND_BYTES:
        bytes = ouro_bytes_data(value, &size);
        o = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)size);
        break;
    case OURO_KIND_HOST:
        o = oupy_hosted(value);
        if (!o)
            return oupy_object_slow(value); /* another language's */
        Py_INCREF(o);
        break;
    default:
        return oupy_object_slow(value);
    }
    ouro_value_release(value);
    return o;
}

PyObject *oupy_list_of(ouro_value *items, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    size_t i;
    for (i = 0; list && i < count; i++) {
        PyObject *o = oupy_object(items[i]);
        if (!o)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, o);
    }
    ouro_value_release_all(items + i, count - i);
    return list;
}

/* ---- many values ---- */

void oupy_values_init(struct oupy_values *values)
{
    values->items = values->few;
    values->count = 0;
    values->room = sizeof values->few / sizeof values->few[0];
}

bool oupy_values_reserve(struct oupy_values *values, size_t room)
{
    if (room <= values->room)
        return true;
    if (room < 2 * values->room)
        room = 2 * values->room;
    ouro_value *more = room > PY_SSIZE_T_MAX / sizeof *more ? NULL
                       : values->items == values->few       ? PyMem_Malloc(room * sizeof *more)
                                                            : PyMem_Realloc(values->items, room * sizeof *more);
    if (!more) {
        oupy_fail(OURO_E_NOMEM);
        return false;
    }
    if (values->items == values->few)
        memcpy(more, values->few, values->count * sizeof *more);
    values->items = more;
    values->room = room;
    return true;
}

bool oupy_values_add(struct oupy_values *values, ouro_value owned)
{
    if (values->count == values->room && !oupy_values_reserve(values, values->count + 1)) {
        ouro_value_release(owned);
        return false;
    }
    values->items[values->count++] = owned;
    return true;
}

void oupy_values_drop(struct oupy_values *values)
{
    ouro_value *items = values->items;
    size_t count = values->count;
    bool few = items == values->few;
    values->count = 0;
    ouro_value_release_all(items, count);
    if (!few)
        PyMem_Free(items);
    values->items = values->few;
}

static bool add_all(struct oupy_values *values, PyObject *sequence)
{
    ouro_value value;
    /* The length is asked for each time: converting an item may run Python code, which may change a list. */
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(sequence, i);
        Py_INCREF(item);
        bool good = oupy_take(item, &value) && oupy_values_add(values, value);
        Py_DECREF(item);
        if (!good)
            return false;
    }
    return true;
}

bool oupy_values_of_list(struct oupy_values *values, ouro_value list)
{
    size_t length, count;
    oupy_values_init(values);
    if (ouro_is_nil(list)) {
        oupy_fail_closed();
        return false;
    }
    for (;;) {
        ouro_status status = ouro_list_length(list, &length);
        if (status == OURO_OK && !oupy_values_reserve(values, length + 1)) /* one more, to see whether there are more */
            return false;
        if (status == OURO_OK)
            status = ouro_list_get_range(list, 0, values->items, values->room, &count);
        if (status != OURO_OK) {
            oupy_values_drop(values);
            oupy_fail(status);
            return false;
        }
        values->count = count;
        if (count < values->room)
            return true;
        ouro_value_release_all(values->items, count); /* it has grown: again */
        values->count = 0;
    }
}

static bool add_tuple(struct oupy_values *values, ouro_value tuple)
{
    size_t count;
    const ouro_value *items = ouro_tuple_items(tuple, &count);
    if (!items) {
        oupy_fail_closed();
        return false;
    }
    if (!oupy_values_reserve(values, count))
        return false;
    ouro_value_retain_all(items, count);
    memcpy(values->items, items, count * sizeof *items);
    values->count = count;
    return true;
}

bool oupy_values_of(struct oupy_values *values, PyObject *iterable, const char *argument)
{
    bool good = false;
    oupy_values_init(values);
    if (oupy_is_exact(iterable) && oupy_is(iterable, OURO_KIND_LIST)) {
        return oupy_values_of_list(values, oupy_value(iterable));
    } else if (oupy_is_exact(iterable) && oupy_is(iterable, OURO_KIND_TUPLE)) {
        good = add_tuple(values, oupy_value(iterable));
    } else if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable)) {
        good = oupy_values_reserve(values, (size_t)PySequence_Fast_GET_SIZE(iterable)) && add_all(values, iterable);
    } else {
        PyObject *iterator = PyObject_GetIter(iterable), *item;
        Py_ssize_t hint = iterator ? PyObject_LengthHint(iterable, 0) : -1;
        ouro_value value;
        if (!iterator && PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            oupy_fail_type(argument, "iterable", iterable);
        }
        good = hint >= 0 && (hint > (Py_ssize_t)1 << 24 || oupy_values_reserve(values, (size_t)hint));
        while (good && (item = PyIter_Next(iterator))) {
            good = oupy_take(item, &value) && oupy_values_add(values, value);
            Py_DECREF(item);
        }
        good = good && !PyErr_Occurred();
        Py_XDECREF(iterator);
    }
    if (!good)
        oupy_values_drop(values);
    return good;
}

/* ---- equality ---- */

static bool is_number(ouro_value value)
{
    ouro_kind kind = ouro_kind_of(value);
    return kind == OURO_KIND_INT || kind == OURO_KIND_FLOAT || kind == OURO_KIND_BOOL;
}

int oupy_equals(ouro_value value, PyObject *object, ouro_value needle)
{
    if (ouro_same(value, needle) && (!ouro_is_nil(needle) || object == Py_None))
        return 1;
    if (ouro_is_int(value) && ouro_is_int(needle))
        return 0;
    if (!ouro_is_object(value) && !ouro_is_object(needle) && !ouro_is_nil(needle) && !(is_number(value) && is_number(needle)))
        return 0;
    if (ouro_kind_of(value) == OURO_KIND_STRING && ouro_kind_of(needle) == OURO_KIND_STRING) {
        bool equal;
        return ouro_equal(value, needle, &equal) == OURO_OK && equal;
    }
    PyObject *o = oupy_object(ouro_value_retain(value));
    int equal = o ? PyObject_RichCompareBool(o, object, Py_EQ) : -1;
    Py_XDECREF(o);
    return equal;
}
