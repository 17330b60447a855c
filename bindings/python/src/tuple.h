/* SPDX-License-Identifier: MIT
 *
 * Slots and methods of ouro.Tuple. */
#ifndef OUPY_TUPLE_H
#define OUPY_TUPLE_H

#include "oupy.h"

int oupy_tuple_init(PyObject *self, PyObject *args, PyObject *keywords);
Py_ssize_t oupy_tuple_length(PyObject *self);
PyObject *oupy_tuple_item(PyObject *self, Py_ssize_t index);
PyObject *oupy_tuple_subscript(PyObject *self, PyObject *key);
int oupy_tuple_contains(PyObject *self, PyObject *item);
PyObject *oupy_tuple_add(PyObject *a, PyObject *b);
PyObject *oupy_tuple_repeat(PyObject *self, Py_ssize_t times);
PyObject *oupy_tuple_iter(PyObject *self);
PyObject *oupy_tuple_compare(PyObject *self, PyObject *other, int op);
PyObject *oupy_tuple_repr(PyObject *self);
Py_hash_t oupy_tuple_hash(PyObject *self);

PyObject *oupy_tuple_index(PyObject *self, PyObject *item, PyObject *start, PyObject *stop);
PyObject *oupy_tuple_count(PyObject *self, PyObject *item);
PyObject *oupy_tuple_reduce(PyObject *self);

#endif
