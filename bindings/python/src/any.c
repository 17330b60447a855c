/* SPDX-License-Identifier: MIT
 *
 * What all wrappers can do; the type for what has none of its own; the module's beginning. */
#include "any.h"

#include "gc.h"

int oupy_object_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    (void)args, (void)keywords;
    PyErr_Format(oupy_type_error, "%.200s objects cannot be made", Py_TYPE(self)->tp_name);
    return -1;
}

PyObject *oupy_object_repr(PyObject *self)
{
    ouro_value value = oupy_value(self);
    return PyUnicode_FromFormat("<ouro.Object of type '%s' at %p>", ouro_value_type_name(value), ouro_value_object(value));
}

/* As hosts' classes have it; else by identity. */
Py_hash_t oupy_object_hash(PyObject *self)
{
    uint64_t hash;
    ouro_status status = ouro_hash(oupy_value(self), &hash);
    if (status != OURO_OK) {
        oupy_fail(status);
        return -1;
    }
    return (Py_hash_t)hash == -1 ? -2 : (Py_hash_t)hash;
}

PyObject *oupy_object_compare(PyObject *self, PyObject *other, int op)
{
    bool equal;
    if ((op != Py_EQ && op != Py_NE) || !oupy_is_exact(other))
        Py_RETURN_NOTIMPLEMENTED;
    ouro_status status = ouro_equal(oupy_value(self), oupy_value(other), &equal);
    return status == OURO_OK ? PyBool_FromLong(equal == (op == Py_EQ)) : oupy_fail(status);
}

PyObject *oupy_object_iter(PyObject *self)
{
    ouro_value iterator;
    oupy_enter();
    ouro_status status = ouro_iterate(oupy_value(self), &iterator);
    return status == OURO_OK ? oupy_iterator_of(iterator, false) : oupy_fail(status);
}

PyObject *oupy_object_reduce(PyObject *self)
{
    PyErr_Format(oupy_type_error, "cannot pickle or copy %R", self);
    return NULL;
}

PyObject *oupy_object_enter(PyObject *self)
{
    return oupy_value(self) ? Py_NewRef(self) : oupy_fail_closed();
}

PyObject *oupy_object_exit(PyObject *self, PyObject *type, PyObject *value, PyObject *traceback)
{
    (void)type, (void)value, (void)traceback;
    return oupy_object_close(self);
}

PyObject *oupy_object_close(PyObject *self)
{
    oupy_wrapper_close(self);
    Py_RETURN_NONE;
}

PyObject *oupy_close_object(PyObject *object)
{
    return oupy_is_any(object) ? oupy_object_close(object) : oupy_fail_type("object", "one of ouro's", object);
}

/* The wrapper and the object. */
PyObject *oupy_object_sizeof(PyObject *self)
{
    return PyLong_FromSize_t((size_t)Py_TYPE(self)->tp_basicsize + oupy_sizeof(oupy_value(self)));
}

PyObject *oupy_is_wrapper(PyObject *object)
{
    return PyBool_FromLong(oupy_is_exact(object));
}

PyObject *oupy_refcount(PyObject *object)
{
    if (!oupy_is_exact(object))
        return oupy_fail_type("object", "one of ouro's", object);
    void *target = ouro_value_object(oupy_value(object));
    return target ? PyLong_FromSize_t(ouro_refcount(target)) : oupy_fail_closed();
}

PyObject *oupy_address(PyObject *object)
{
    if (!oupy_is_exact(object))
        return oupy_fail_type("object", "one of ouro's", object);
    return PyLong_FromVoidPtr(ouro_value_object(oupy_value(object)));
}

/* For what is easier said in Python: static types take no attributes from there. */
PyObject *oupy_add_method(PyObject *type, PyObject *name, PyObject *function)
{
    if (!PyType_Check(type) || ((PyTypeObject *)type)->tp_dealloc != oupy_dealloc)
        return oupy_fail_type("type", "a type of ouro's", type);
    if (PyDict_SetItem(((PyTypeObject *)type)->tp_dict, name, function) < 0)
        return NULL;
    PyType_Modified((PyTypeObject *)type);
    Py_RETURN_NONE;
}

PyObject *oupy_import(const char *module, const char *name)
{
    PyObject *from = PyImport_ImportModule(module), *found = from ? PyObject_GetAttrString(from, name) : NULL;
    Py_XDECREF(from);
    return found;
}

/* ---- the module ---- */

/* SWIG gives its objects methods that say who owns the pointer, and chain them; here these would only do harm. */
static bool strip(PyTypeObject *type)
{
    static const char *const names[] = {"append", "next", "own", "disown", "acquire", "__int__", "this", "thisown", "__dict__"};
    bool is_base = type->tp_dealloc != oupy_dealloc;
    if (type->tp_as_number)
        type->tp_as_number->nb_int = NULL;
    for (size_t i = is_base ? 0 : 6; i < sizeof names / sizeof *names; i++) {
        if (PyDict_GetItemString(type->tp_dict, names[i]) && PyDict_DelItemString(type->tp_dict, names[i]) < 0)
            return false;
    }
    PyType_Modified(type);
    return true;
}

/* Called by the package: an interpreter that is not the first to import the extension gets a copy of the module, and its beginning is not run. */
PyObject *oupy_check_interpreter(void)
{
    if (PyInterpreterState_Get() == PyInterpreterState_Main())
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_ImportError, "ouro cannot be used in subinterpreters: its heap is one for the process");
    return NULL;
}

bool oupy_module_init(PyObject *module, PyTypeObject *base, PyTypeObject *const *types)
{
    ouro_status status = ouro_init(NULL);
    if (status != OURO_OK) {
        PyErr_Format(PyExc_ImportError, "ouro cannot be started: %s", ouro_status_message(status));
        return false;
    }
    oupy_enter();
    for (int kind = 0; kind <= OURO_KIND_OBJECT; kind++)
        oupy_type[kind] = types[OUPY_OBJECT];
    oupy_type[OURO_KIND_LIST] = types[OUPY_LIST];
    oupy_type[OURO_KIND_TUPLE] = types[OUPY_TUPLE];
    oupy_type[OURO_KIND_DICT] = types[OUPY_DICT];
    oupy_type[OURO_KIND_SET] = types[OUPY_SET];
    oupy_type[OURO_KIND_RECORD] = types[OUPY_RECORD];
    for (int i = 0; i < OUPY_TYPES; i++) {
        if (!strip(types[i]))
            return false;
    }
    return strip(base) && oupy_errors_init(module) &&
           oupy_iterators_init(module) && oupy_weak_init(module) && oupy_gc_init(module) && oupy_trace_init() && oupy_threads_init() &&
           oupy_mirrors_init();
}
