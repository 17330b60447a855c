/* SPDX-License-Identifier: MIT
 *
 * What ouro.gc and ouro.mem are made of. */
#ifndef OUPY_GC_H
#define OUPY_GC_H

#include "oupy.h"

bool oupy_gc_init(PyObject *module);
PyObject *oupy_gc_stats(void);
PyObject *oupy_gc_objects(int generation);
PyObject *oupy_gc_referents(ouro_value value);
PyObject *oupy_gc_referrers(ouro_value value);
PyObject *oupy_gc_garbage(void);
PyObject *oupy_gc_holders(PyObject *object);

PyObject *oupy_mem_stats(void);
PyObject *oupy_total_sizeof(PyObject *object);
PyObject *oupy_weak_refs(PyObject *object);

PyObject *oupy_convert(PyObject *object);
PyObject *oupy_to_python(PyObject *object);
PyObject *oupy_intern(PyObject *text);

#endif
