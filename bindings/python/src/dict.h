/* SPDX-License-Identifier: MIT
 *
 * Slots and methods of ouro.Dict. */
#ifndef OUPY_DICT_H
#define OUPY_DICT_H

#include "oupy.h"

int oupy_dict_init(PyObject *self, PyObject *args, PyObject *keywords);
Py_ssize_t oupy_dict_length(PyObject *self);
PyObject *oupy_dict_subscript(PyObject *self, PyObject *key);
int oupy_dict_set_subscript(PyObject *self, PyObject *key, PyObject *value);
int oupy_dict_contains(PyObject *self, PyObject *key);
PyObject *oupy_dict_iter(PyObject *self);
PyObject *oupy_dict_compare(PyObject *self, PyObject *other, int op);
PyObject *oupy_dict_repr(PyObject *self);
PyObject *oupy_dict_or(PyObject *a, PyObject *b);
PyObject *oupy_dict_ior(PyObject *self, PyObject *other);

PyObject *oupy_dict_get(PyObject *self, PyObject *key, PyObject *fallback);
PyObject *oupy_dict_setdefault(PyObject *self, PyObject *key, PyObject *value);
PyObject *oupy_dict_pop(PyObject *self, PyObject *key, PyObject *fallback);
PyObject *oupy_dict_popitem(PyObject *self);
PyObject *oupy_dict_clear(PyObject *self);
PyObject *oupy_dict_copy(PyObject *self);
PyObject *oupy_dict_reduce(PyObject *self);

/* Puts in another mapping, or pairs: the argument of update(). */
PyObject *oupy_dict_merge(PyObject *self, PyObject *other, const char *argument);
/* An iterator over keys (0), values (1) or items (2). */
PyObject *oupy_dict_iterator(PyObject *self, int part);

/* True and 1 are one key to Python, and two to ouro: *alias is the other one, if there is one. */
bool oupy_key_alias(ouro_value key, ouro_value *alias);

#endif
