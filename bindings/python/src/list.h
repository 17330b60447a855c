/* SPDX-License-Identifier: MIT
 *
 * Slots and methods of ouro.List. */
#ifndef OUPY_LIST_H
#define OUPY_LIST_H

#include "oupy.h"

int oupy_list_init(PyObject *self, PyObject *args, PyObject *keywords);
Py_ssize_t oupy_list_length(PyObject *self);
PyObject *oupy_list_item(PyObject *self, Py_ssize_t index);
int oupy_list_set_item(PyObject *self, Py_ssize_t index, PyObject *item);
PyObject *oupy_list_subscript(PyObject *self, PyObject *key);
int oupy_list_set_subscript(PyObject *self, PyObject *key, PyObject *item);
int oupy_list_contains(PyObject *self, PyObject *item);
PyObject *oupy_list_add(PyObject *a, PyObject *b);
PyObject *oupy_list_iadd(PyObject *self, PyObject *iterable);
PyObject *oupy_list_repeat(PyObject *self, Py_ssize_t times);
PyObject *oupy_list_irepeat(PyObject *self, Py_ssize_t times);
PyObject *oupy_list_iter(PyObject *self);
PyObject *oupy_list_compare(PyObject *self, PyObject *other, int op);
PyObject *oupy_list_repr(PyObject *self);

PyObject *oupy_list_append(PyObject *self, ouro_value item);
PyObject *oupy_list_extend(PyObject *self, PyObject *iterable);
PyObject *oupy_list_insert(PyObject *self, PyObject *index, ouro_value item);
PyObject *oupy_list_pop(PyObject *self, PyObject *index);
PyObject *oupy_list_remove(PyObject *self, PyObject *item);
PyObject *oupy_list_clear(PyObject *self);
PyObject *oupy_list_index(PyObject *self, PyObject *item, PyObject *start, PyObject *stop);
PyObject *oupy_list_count(PyObject *self, PyObject *item);
PyObject *oupy_list_reverse(PyObject *self);
PyObject *oupy_list_sort(PyObject *self, PyObject *key, PyObject *reverse);
PyObject *oupy_list_copy(PyObject *self);
PyObject *oupy_list_reversed(PyObject *self);
PyObject *oupy_list_reduce(PyObject *self);

#endif
