/* SPDX-License-Identifier: MIT
 *
 * Statuses as exceptions. Each class is an OuroError and the builtin that fits, so that programs written for lists and dicts catch it. */
#include "explain.h"
#include "oupy.h"

PyObject *oupy_error, *oupy_index_error, *oupy_key_error, *oupy_type_error, *oupy_value_error, *oupy_memory_error, *oupy_reference_error,
    *oupy_runtime_error, *oupy_attribute_error;

PyObject *oupy_fail(ouro_status status)
{
    PyObject *class = oupy_error;
    switch (status) {
    case OURO_E_HOST:
        if (PyErr_Occurred())
            return NULL; /* a callback has left its exception */
        break;
    case OURO_E_NOMEM:
        class = oupy_memory_error;
        break;
    case OURO_E_TYPE:
        class = oupy_type_error;
        break;
    case OURO_E_INDEX:
        class = oupy_index_error;
        break;
    case OURO_E_KEY:
        class = oupy_key_error;
        break;
    case OURO_E_INVALID:
    case OURO_E_ENCODING:
        class = oupy_value_error;
        break;
    case OURO_E_AGAIN:
    case OURO_E_CHANGED:
    case OURO_E_USAGE:
        class = oupy_runtime_error;
        break;
    case OURO_E_END:
        PyErr_SetNone(PyExc_StopIteration);
        return NULL;
    default:
        break;
    }
    PyErr_SetString(class, ouro_status_message(status));
    return NULL;
}

PyObject *oupy_fail_index(ouro_value container, Py_ssize_t index)
{
    char text[OURO_EXPLAIN_ROOM];
    PyErr_SetString(oupy_index_error, ouro_explain_index(text, sizeof text, container, index));
    return NULL;
}

/* As dict does: the key is the exception's argument. */
PyObject *oupy_fail_key(PyObject *key)
{
    PyObject *args = PyTuple_Pack(1, key); /* a tuple for a key is an argument, not the arguments */
    if (args)
        PyErr_SetObject(oupy_key_error, args);
    Py_XDECREF(args);
    return NULL;
}

PyObject *oupy_fail_type(const char *argument, const char *wanted, PyObject *got)
{
    PyErr_Format(oupy_type_error, "%s must be %s, not %.200s", argument, wanted, Py_TYPE(got)->tp_name);
    return NULL;
}

PyObject *oupy_fail_closed(void)
{
    PyErr_SetString(oupy_reference_error, "the object is closed, or Python's collector has cleared it, or its __init__ was not called");
    return NULL;
}

bool oupy_index(PyObject *o, const char *argument, Py_ssize_t *index)
{
    if (!PyIndex_Check(o)) {
        oupy_fail_type(argument, "an integer", o);
        return false;
    }
    *index = PyNumber_AsSsize_t(o, PyExc_IndexError);
    if (*index == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_IndexError)) {
            PyErr_Clear();
            PyErr_Format(oupy_index_error, "%s %R is out of range", argument, o);
        }
        return false;
    }
    return true;
}

static bool bound(PyObject *o, const char *argument, ptrdiff_t *at)
{
    if (!o)
        return true;
    if (!PyIndex_Check(o)) {
        oupy_fail_type(argument, "an integer", o);
        return false;
    }
    *at = PyNumber_AsSsize_t(o, NULL); /* cut to what there can be */
    return !(*at == -1 && PyErr_Occurred());
}

bool oupy_bounds(PyObject *start, PyObject *stop, ptrdiff_t *from, ptrdiff_t *to)
{
    *from = 0;
    *to = PTRDIFF_MAX;
    return bound(start, "start", from) && bound(stop, "stop", to);
}

static PyObject *make(PyObject *module, const char *name, const char *doc, PyObject *base, PyObject *builtin)
{
    char full[64];
    PyObject *bases = builtin ? PyTuple_Pack(2, base, builtin) : PyTuple_Pack(1, base);
    snprintf(full, sizeof full, "ouro.%s", name);
    PyObject *class = bases ? PyErr_NewExceptionWithDoc(full, doc, bases, NULL) : NULL;
    Py_XDECREF(bases);
    if (class && PyObject_SetAttrString(module, name, class) < 0)
        Py_CLEAR(class);
    return class;
}

bool oupy_errors_init(PyObject *module)
{
    oupy_error = make(module, "OuroError", "Anything that ouro reports.", PyExc_Exception, NULL);
    if (!oupy_error)
        return false;
    oupy_index_error = make(module, "OuroIndexError", "An index beyond the ends.", oupy_error, PyExc_IndexError);
    oupy_key_error = make(module, "OuroKeyError", "No such key.", oupy_error, PyExc_KeyError);
    oupy_type_error = make(module, "OuroTypeError", "An argument of the wrong type.", oupy_error, PyExc_TypeError);
    oupy_value_error = make(module, "OuroValueError", "An argument with a value that will not do.", oupy_error, PyExc_ValueError);
    oupy_memory_error = make(module, "OuroMemoryError", "Out of memory, or the hard limit is reached.", oupy_error, PyExc_MemoryError);
    oupy_reference_error = make(module, "OuroReferenceError", "The object is no longer there.", oupy_error, PyExc_ReferenceError);
    oupy_runtime_error = make(module, "OuroRuntimeError", "Not possible now, such as going on with an iteration over what was changed.",
                              oupy_error, PyExc_RuntimeError);
    oupy_attribute_error = make(module, "OuroAttributeError", "No such field.", oupy_error, PyExc_AttributeError);
    return oupy_attribute_error && oupy_index_error && oupy_key_error && oupy_type_error && oupy_value_error && oupy_memory_error && oupy_reference_error &&
           oupy_runtime_error;
}
