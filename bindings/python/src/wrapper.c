/* SPDX-License-Identifier: MIT
 *
 * Wrappers: Python objects that stand for ouro objects.
 *
 * A table leads from the ouro object to its wrappers; it counts as no reference to either. As long as an exact wrapper (of one of the types themselves,
 * not of a Python subclass) is alive, the object is shown as this one: so `l[0] is l[0]`. An instance of a subclass has a state of its own: it
 * is stored in containers as what it is, a Python object (value.c), and in the table only so that mirror.c finds all wrappers. */
#include "oupy.h"

PyTypeObject *oupy_type[OURO_KIND_OBJECT + 1];

/* ---- the table: open addressing, linear probing; several entries may have one object ---- */

static oupy_wrapper **table;
static size_t mask; /* entries - 1, a power of 2 less 1; table NULL: none yet */
static size_t used;

static size_t home_of(const void *object)
{
    return ((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15u >> 20 & mask; /* Fibonacci hashing: Knuth, TAOCP 3, 6.4 */
}

static void put(oupy_wrapper *w)
{
    size_t at = home_of(w->object);
    while (table[at])
        at = (at + 1) & mask;
    table[at] = w;
}

static bool grow(void)
{
    size_t entries = table ? mask + 1 : 0, more = entries ? 2 * entries : 64;
    oupy_wrapper **old = table, **fresh = PyMem_Calloc(more, sizeof *fresh);
    if (!fresh)
        return false;
    table = fresh;
    mask = more - 1;
    for (size_t i = 0; i < entries; i++) {
        if (old[i])
            put(old[i]);
    }
    PyMem_Free(old);
    return true;
}

static bool enter(oupy_wrapper *w)
{
    if ((!table || used >= mask / 4 * 3) && !grow())
        return false;
    put(w);
    used++;
    return true;
}

static void leave(oupy_wrapper *w)
{
    size_t at = home_of(w->object), next;
    while (table[at] != w)
        at = (at + 1) & mask;
    used--;
    /* What comes behind and could stand here moves up, so that no search ends too early. */
    for (next = (at + 1) & mask; table[next]; next = (next + 1) & mask) {
        if (((next - home_of(table[next]->object)) & mask) >= ((next - at) & mask)) {
            table[at] = table[next];
            at = next;
        }
    }
    table[at] = NULL;
}

static oupy_wrapper *find(const void *object)
{
    if (!used)
        return NULL;
    for (size_t at = home_of(object); table[at]; at = (at + 1) & mask) {
        if (table[at]->object == object && oupy_is_exact((PyObject *)table[at]))
            return table[at];
    }
    return NULL;
}

void oupy_each_wrapper(bool (*visit)(oupy_wrapper *w, void *arg), void *arg)
{
    for (size_t i = 0; table && i <= mask; i++) {
        if (table[i] && !visit(table[i], arg))
            return;
    }
}

size_t oupy_wrapper_count(void)
{
    return used;
}

/* ---- making ---- */

PyObject *oupy_object_slow(ouro_value value)
{
    void *object = ouro_value_object(value);
    oupy_wrapper *w = find(object);
    if (__builtin_expect(oupy_is_mirroring, 0))
        oupy_mirror_touched_of(object);
    if (w) {
        w->shown = oupy_collection;
        Py_INCREF(w);
        ouro_release(object); /* not the last: the wrapper has one */
        return (PyObject *)w;
    }
    PyTypeObject *type = oupy_type[ouro_kind_of(value)];
    w = PyObject_GC_New(oupy_wrapper, type);
    if (w) {
        w->object = object;
        w->kept = NULL;
        w->own = 0;
        w->shown = oupy_collection;
        w->mirror = w->dict = NULL;
        if (enter(w)) {
            ouro_share(object); /* of a thread that was attached as a biased one; else there is nothing to do */
            PyObject_GC_Track((PyObject *)w);
            return (PyObject *)w;
        }
        w->object = NULL;
        Py_DECREF(w);
    }
    ouro_value_release(value);
    return oupy_fail(OURO_E_NOMEM);
}

int oupy_adopt(PyObject *self, ouro_value value)
{
    oupy_wrapper *w = (oupy_wrapper *)self;
    if (!w->object && !w->kept) {
        w->object = ouro_value_object(value);
        if (enter(w)) {
            ouro_share(w->object);
            return 0;
        }
        w->object = NULL;
        oupy_fail(OURO_E_NOMEM);
    } else {
        PyErr_Format(oupy_type_error, "%.200s.__init__ may be called only once", Py_TYPE(self)->tp_name);
    }
    ouro_value_release(value);
    return -1;
}

/* ---- slots ---- */

static void let_go_of_object(oupy_wrapper *w)
{
    void *object = w->object;
    if (!object)
        return;
    leave(w);
    w->object = NULL;
    ouro_release(object); /* may run Python code: the wrapper is in order */
}

void oupy_wrapper_close(PyObject *self)
{
    oupy_wrapper *w = (oupy_wrapper *)self;
    if (w->mirror) {
        oupy_mirror_touched(w->mirror);
        Py_CLEAR(w->mirror);
    }
    /* Acquire: what a thread without the GIL has done comes before; pairs with oupy_reacquire. */
    if (w->object && (oupy_calling_back || __atomic_load_n(&oupy_released, __ATOMIC_ACQUIRE))) {
        leave(w);
        w->kept = w->object;
        w->object = NULL;
    }
    let_go_of_object(w);
}

void oupy_dealloc(PyObject *self)
{
    oupy_wrapper *w = (oupy_wrapper *)self;
    PyTypeObject *type = Py_TYPE(self);
    void *object = w->object, *kept = w->kept;
    PyObject_GC_UnTrack(self);
    if (w->mirror) {
        oupy_mirror_touched(w->mirror);
        Py_CLEAR(w->mirror);
    }
    if (object) {
        leave(w);
        w->object = NULL;
    }
    type->tp_free(self);
    ouro_release(object);
    ouro_release(kept);
    oupy_pending_run();
}

/* Python's collector takes it for garbage. If it has been shown since that collection began, perhaps to code that runs while others are cleared, somebody
 * has it: the next collection will see. */
int oupy_clear(PyObject *self)
{
    oupy_wrapper *w = (oupy_wrapper *)self;
    if (w->shown == oupy_collection)
        return 0;
    if (w->mirror) {
        oupy_mirror_touched(w->mirror);
        Py_CLEAR(w->mirror);
    }
    let_go_of_object(w);
    return 0;
}

int oupy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((oupy_wrapper *)self)->mirror);
    return 0;
}
