/* SPDX-License-Identifier: MIT
 *
 * What the C files of the Python extension share. SWIG makes the types and their methods (bindings/swig/ouro_python.i); these files are what the types'
 * slots and methods do.
 *
 * The rules that hold everywhere (docs/design/bindings-python.md):
 *
 * G1  The GIL is held, except between OUPY_RELEASE and OUPY_REACQUIRE, and in functions that say otherwise.
 * G2  No thread waits for the GIL in a read section, or holding a lock of ouro's: ouro calls back with none held, and what dies on a thread without
 *     the GIL is put on a list (pending.c) for one that has it.
 * G3  Any ouro call that drops or stores a reference may run Python code (a finalizer, __eq__, __hash__). What a function looked at before it may have
 *     changed after it.
 * G4  The object of a wrapper is borrowed from it as long as neither Python code runs nor memory is asked of Python. (Then the wrapper may be closed.)
 *     During a call of ouro it is: a wrapper that is closed from a callback, or while some thread has let go of the GIL, keeps the object
 *     until it goes itself. */
#ifndef OUPY_H
#define OUPY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <ouro/ouro.h>

/* ---- wrappers (wrapper.c) ---- */

/* A Python object that stands for an ouro object, and holds one reference to it. The layout is that of SWIG's SwigPyObject: `object` is its ptr,
 * `mirror` its next (checked in ouro_python.i). */
typedef struct oupy_wrapper {
    PyObject_HEAD
    void *object;     /* NULL: closed, cleared by Python's collector, or not made by the type's constructor */
    void *kept;       /* the object of one that was closed while it may have been in use: released with the wrapper. SWIG's ty */
    int own;          /* SWIG's */
    unsigned shown;   /* the collection of Python's, oupy_collection, in which it was last shown */
    PyObject *mirror; /* during a collection of Python's: mirror.c */
    PyObject *dict;   /* not used */
} oupy_wrapper;

extern PyTypeObject *oupy_type[OURO_KIND_OBJECT + 1]; /* by kind; none is NULL */
extern bool oupy_is_mirroring;                        /* see mirror.c */
extern unsigned oupy_collection;                      /* how many collections Python has begun */
void oupy_mirror_touched(PyObject *mirror);           /* the wrapper that has it is being used, or goes */
void oupy_mirror_touched_of(const void *object);      /* the object, which may have one, is shown to Python */

void oupy_dealloc(PyObject *self);
int oupy_traverse(PyObject *self, visitproc visit, void *arg);
int oupy_clear(PyObject *self);

/* An instance of one of the types themselves: it stands for its object and has no state of its own. */
static inline bool oupy_is_exact(PyObject *o)
{
    return Py_TYPE(o)->tp_dealloc == oupy_dealloc;
}

/* The object of a wrapper, borrowed; nil if it has none. For self: has been checked by whoever calls the slot. */
static inline ouro_value oupy_value(PyObject *self)
{
    oupy_wrapper *w = (oupy_wrapper *)self;
    if (__builtin_expect(oupy_is_mirroring, 0) && w->mirror)
        oupy_mirror_touched(w->mirror);
    return ouro_value_of(w->object);
}

/* True, and the object, if o is a wrapper of that kind, or of a subclass. */
static inline bool oupy_is(PyObject *o, ouro_kind kind)
{
    return PyObject_TypeCheck(o, oupy_type[kind]);
}

/* True if it is a wrapper at all. */
static inline bool oupy_is_any(PyObject *o)
{
    return Py_TYPE(o)->tp_dealloc == oupy_dealloc || PyObject_TypeCheck(o, oupy_type[OURO_KIND_LIST]) ||
           PyObject_TypeCheck(o, oupy_type[OURO_KIND_DICT]) || PyObject_TypeCheck(o, oupy_type[OURO_KIND_SET]) ||
           PyObject_TypeCheck(o, oupy_type[OURO_KIND_TUPLE]) || PyObject_TypeCheck(o, oupy_type[OURO_KIND_RECORD]);
}

/* Closes it: it stands for nothing any more. (G4) */
void oupy_wrapper_close(PyObject *self);

/* For tp_init: gives the fresh wrapper its object, whose reference is taken over; -1 and an error. */
int oupy_adopt(PyObject *self, ouro_value value);

/* Each wrapper there is; false stops. */
void oupy_each_wrapper(bool (*visit)(oupy_wrapper *w, void *arg), void *arg);
size_t oupy_wrapper_count(void);

/* ---- values (value.c) ---- */

/* *value stands for o. 1: it is new, and the caller's to release; 0: borrowed from o; -1: an error is set. */
int oupy_borrow(PyObject *o, ouro_value *value);
/* The same, as a key: an error if o is not hashable. */
int oupy_borrow_key(PyObject *o, ouro_value *value);
/* The same, always new. False: an error. */
bool oupy_take(PyObject *o, ouro_value *value);

static inline void oupy_done(int borrowed, ouro_value value)
{
    if (borrowed > 0)
        ouro_value_release(value);
}

/* The Python object for a value, whose reference is taken over in any case. */
PyObject *oupy_object(ouro_value value);
PyObject *oupy_object_slow(ouro_value value);
PyObject *oupy_string_object(ouro_value string);

/* Values of a Python sequence or iterable, in one piece of memory. */
struct oupy_values {
    ouro_value *items;
    size_t count, room;
    ouro_value few[32];
};

void oupy_values_init(struct oupy_values *values);
bool oupy_values_reserve(struct oupy_values *values, size_t room);
bool oupy_values_add(struct oupy_values *values, ouro_value owned); /* releases it if there is no memory */
bool oupy_values_of(struct oupy_values *values, PyObject *iterable, const char *argument);
bool oupy_values_of_list(struct oupy_values *values, ouro_value list); /* at one moment */
void oupy_values_drop(struct oupy_values *values);

/* A Python list of the values, whose references are taken over. */
PyObject *oupy_list_of(ouro_value *items, size_t count);

/* Where among items the object is found, by oupy_equals: *at, within from .. to, which count from the end if negative; 1, 0, -1. */
int oupy_search(const ouro_value *items, size_t count, PyObject *object, ptrdiff_t from, ptrdiff_t to, size_t *at);
Py_ssize_t oupy_occurrences(const ouro_value *items, size_t count, PyObject *object);

/* The parts of a slice as ouro wants them. */
bool oupy_slice(PyObject *slice, ptrdiff_t *start, ptrdiff_t *stop, ptrdiff_t *step);

/* Lists and tuples as Python's, for comparison and repr: a new object with the same elements. */
PyObject *oupy_plain(PyObject *self);
PyObject *oupy_compare_plain(PyObject *self, PyObject *other, int op);
PyObject *oupy_repr_plain(PyObject *self, const char *cyclic);

/* Around the comparison of plain copies. ouro_equal, which looks at the whole, is asked once, at the top: what it finds equal is equal, however deep, and
 * with cycles. What it does not may still be: True and 1, objects of Python's. So those are compared element by element. */
extern __thread int oupy_comparing;
PyObject *oupy_compare_objects(PyObject *a, PyObject *b, int op); /* takes over both references; either may be NULL, with an error */

/* ouro_equal, without the GIL if there are many elements. Both are held by wrappers that the caller holds. */
ouro_status oupy_equal(ouro_value a, ouro_value b, size_t count, bool *equal);

/* Equality as Python has it, of a value and an object, which may stand for needle (borrowed; nil if it is not known): 1, 0, -1. */
int oupy_equals(ouro_value value, PyObject *object, ouro_value needle);

/* ---- hosts' values: Python objects in ouro (host.c) ---- */

extern const ouro_host_class oupy_class;

ouro_status oupy_host_new(PyObject *object, ouro_value *value);

/* The Python object of one of our host values, borrowed; NULL if it is none. */
PyObject *oupy_hosted(ouro_value value);

/* How many of Python's objects that its collector knows are in ouro. */
size_t oupy_hosted_count(void);

/* ---- errors (status.c) ---- */

extern PyObject *oupy_error, *oupy_index_error, *oupy_key_error, *oupy_type_error, *oupy_value_error, *oupy_memory_error, *oupy_reference_error,
    *oupy_runtime_error, *oupy_attribute_error;

/* Sets the error for a status, which is not OURO_OK, and returns NULL. */
PyObject *oupy_fail(ouro_status status);
PyObject *oupy_fail_index(ouro_value container, Py_ssize_t index);
PyObject *oupy_fail_key(PyObject *key);
PyObject *oupy_fail_type(const char *argument, const char *wanted, PyObject *got);
PyObject *oupy_fail_closed(void);
bool oupy_errors_init(PyObject *module);

/* A number that an argument has to be. False: an error. */
bool oupy_index(PyObject *o, const char *argument, Py_ssize_t *index);

/* start and stop of a search, either may be NULL: as list.index has them. */
bool oupy_bounds(PyObject *start, PyObject *stop, ptrdiff_t *from, ptrdiff_t *to);

/* ---- threads (pending.c) ---- */

extern __thread bool oupy_is_attached __attribute__((tls_model("initial-exec")));
void oupy_attach(void);

/* Before whatever may make an object. */
static inline void oupy_enter(void)
{
    if (__builtin_expect(!oupy_is_attached, 0))
        oupy_attach();
}

/* True if the calling thread holds the GIL. Any thread. */
bool oupy_holds_gil(void);

/* From here on, and after, another thread may change everything. Around what takes long. */
#define OUPY_RELEASE                                                                                                                             \
    {                                                                                                                                            \
        PyThreadState *oupy_saved = oupy_release();
#define OUPY_REACQUIRE                                                                                                                           \
    oupy_reacquire(oupy_saved);                                                                                                                  \
    }
extern long oupy_released; /* atomic: threads between the two */
PyThreadState *oupy_release(void);
void oupy_reacquire(PyThreadState *saved);
#define OUPY_MANY ((size_t)4096) /* elements from which on an operation is worth letting go of the GIL */

/* Work for a thread with the GIL. Any thread; the item is the caller's memory, until `run` is called. */
struct oupy_pending {
    struct oupy_pending *next;
    void (*run)(struct oupy_pending *item);
};
void oupy_pending_add(struct oupy_pending *item);
extern struct oupy_pending *oupy_pending_first;
void oupy_pending_run_all(void);
static inline void oupy_pending_run(void)
{
    if (__builtin_expect(__atomic_load_n(&oupy_pending_first, __ATOMIC_RELAXED) != NULL, 0)) /* relaxed: taken by an exchange */
        oupy_pending_run_all();
}

/* Around calls of Python's that need no GIL, on threads that may not have it. False: Python is shutting down, and must not be called. */
bool oupy_python_enter(void);
void oupy_python_leave(void);

/* For callbacks on any thread that cannot be put off. False: Python is shutting down, and must not be touched. */
struct oupy_gil {
    PyGILState_STATE state;
    bool held;    /* already */
    bool foreign; /* nobody looks for an exception on this thread */
};
bool oupy_gil_take(struct oupy_gil *gil);
void oupy_gil_leave(struct oupy_gil *gil);
extern long oupy_calling_back; /* callbacks under way, on any thread; under the GIL */

PyObject *oupy_at_exit(void);
bool oupy_threads_init(void);

/* ---- tracemalloc, sizes (mem.c) ---- */

#define OUPY_TRACE_DOMAIN 0x6f75726fu /* "ouro" */

/* Untracking an address that nobody tracks is the quickest way to ask. */
static inline bool oupy_is_tracing(void)
{
    return PyTraceMalloc_Untrack(OUPY_TRACE_DOMAIN, 0) != -2;
}
void oupy_trace_made(ouro_value made);
void oupy_trace_changed(ouro_value value); /* its size, if it was reported */
bool oupy_trace_init(void);
size_t oupy_sizeof(ouro_value value);

/* ---- the rest ---- */

PyObject *oupy_iterator_new(PyObject *container, bool reversed); /* of a List or Tuple */
PyObject *oupy_iterator_of(ouro_value iterator, bool pairs);     /* takes over the reference */
bool oupy_iterators_init(PyObject *module);
bool oupy_mirrors_init(void);
bool oupy_weak_init(PyObject *module);

/* Calls back for module-level functions of Python's that the C code needs. */
PyObject *oupy_import(const char *module, const char *name);

#endif
