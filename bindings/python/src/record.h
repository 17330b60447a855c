/* SPDX-License-Identifier: MIT
 *
 * Slots and methods of ouro.Record. */
#ifndef OUPY_RECORD_H
#define OUPY_RECORD_H

#include "oupy.h"

int oupy_record_init(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *oupy_record_getattr(PyObject *self, PyObject *name);
int oupy_record_setattr(PyObject *self, PyObject *name, PyObject *value);
PyObject *oupy_record_compare(PyObject *self, PyObject *other, int op);
PyObject *oupy_record_repr(PyObject *self);
PyObject *oupy_record_copy(PyObject *self);

/* The record's name; its fields, as a tuple of str; fields and values, as a dict. */
PyObject *oupy_record_name(PyObject *self);
PyObject *oupy_record_fields(PyObject *self);
PyObject *oupy_record_asdict(PyObject *self);

#endif
