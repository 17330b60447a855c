/* SPDX-License-Identifier: MIT
 *
 * What all wrappers can do, and the type for what has none of its own. */
#ifndef OUPY_ANY_H
#define OUPY_ANY_H

#include "oupy.h"

int oupy_object_init(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *oupy_object_repr(PyObject *self);
Py_hash_t oupy_object_hash(PyObject *self);
PyObject *oupy_object_compare(PyObject *self, PyObject *other, int op);
PyObject *oupy_object_iter(PyObject *self);
PyObject *oupy_object_reduce(PyObject *self);
PyObject *oupy_object_sizeof(PyObject *self);
PyObject *oupy_object_enter(PyObject *self);
PyObject *oupy_object_exit(PyObject *self, PyObject *type, PyObject *value, PyObject *traceback);
PyObject *oupy_object_close(PyObject *self);

PyObject *oupy_close_object(PyObject *object);
PyObject *oupy_check_interpreter(void);
PyObject *oupy_is_wrapper(PyObject *object);
PyObject *oupy_refcount(PyObject *object);
PyObject *oupy_address(PyObject *object);
PyObject *oupy_add_method(PyObject *type, PyObject *name, PyObject *function);

enum { OUPY_LIST, OUPY_TUPLE, OUPY_OBJECT, OUPY_DICT, OUPY_SET, OUPY_RECORD, OUPY_TYPES };
bool oupy_module_init(PyObject *module, PyTypeObject *base, PyTypeObject *const *types);

#endif
