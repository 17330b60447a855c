/* SPDX-License-Identifier: MIT
 *
 * Slots and methods of ouro.Set. */
#ifndef OUPY_SET_H
#define OUPY_SET_H

#include "oupy.h"

int oupy_set_init(PyObject *self, PyObject *args, PyObject *keywords);
Py_ssize_t oupy_set_length(PyObject *self);
int oupy_set_contains(PyObject *self, PyObject *item);
PyObject *oupy_set_iter(PyObject *self);
PyObject *oupy_set_compare(PyObject *self, PyObject *other, int op);
PyObject *oupy_set_repr(PyObject *self);
PyObject *oupy_set_or(PyObject *a, PyObject *b);
PyObject *oupy_set_and(PyObject *a, PyObject *b);
PyObject *oupy_set_subtract(PyObject *a, PyObject *b);
PyObject *oupy_set_xor(PyObject *a, PyObject *b);
PyObject *oupy_set_ior(PyObject *self, PyObject *other);
PyObject *oupy_set_iand(PyObject *self, PyObject *other);
PyObject *oupy_set_isubtract(PyObject *self, PyObject *other);
PyObject *oupy_set_ixor(PyObject *self, PyObject *other);

PyObject *oupy_set_add(PyObject *self, PyObject *item);
PyObject *oupy_set_discard(PyObject *self, PyObject *item);
PyObject *oupy_set_remove(PyObject *self, PyObject *item);
PyObject *oupy_set_pop(PyObject *self);
PyObject *oupy_set_clear(PyObject *self);
PyObject *oupy_set_copy(PyObject *self);
PyObject *oupy_set_reduce(PyObject *self);

/* Of one other set or iterable: a new Set. */
PyObject *oupy_set_union(PyObject *self, PyObject *other);
PyObject *oupy_set_intersection(PyObject *self, PyObject *other);
PyObject *oupy_set_difference(PyObject *self, PyObject *other);
PyObject *oupy_set_symmetric_difference(PyObject *self, PyObject *other);
PyObject *oupy_set_merge(PyObject *self, PyObject *other);
/* Gives it the elements of another Set, at one moment each. */
PyObject *oupy_set_become(PyObject *self, PyObject *other);
PyObject *oupy_set_issubset(PyObject *self, PyObject *other);
PyObject *oupy_set_issuperset(PyObject *self, PyObject *other);
PyObject *oupy_set_isdisjoint(PyObject *self, PyObject *other);

#endif
