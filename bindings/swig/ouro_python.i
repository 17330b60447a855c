/* SPDX-License-Identifier: MIT
 *
 * Python (swig -python -builtin): typemaps of the shared declarations, and the types that wrap containers. -builtin makes C types proper, whose slots and
 * methods are the functions of bindings/python/src. The GIL is held in all of them but for what is listed under %exception. */

%{
#include "any.h"
#include "dict.h"
#include "gc.h"
#include "list.h"
#include "record.h"
#include "set.h"
#include "tuple.h"

_Static_assert(sizeof(SwigPyObject) == sizeof(oupy_wrapper) && offsetof(SwigPyObject, ptr) == offsetof(oupy_wrapper, object) &&
                   offsetof(SwigPyObject, ty) == offsetof(oupy_wrapper, kept) && offsetof(SwigPyObject, next) == offsetof(oupy_wrapper, mirror) &&
                   offsetof(SwigPyObject, dict) == offsetof(oupy_wrapper, dict),
               "wrappers have SWIG's layout");
%}

/* ---- statuses ---- */

%typemap(out) ouro_status %{
    if ($1 != OURO_OK) {
        oupy_fail($1);
        SWIG_fail;
    }
    $result = Py_NewRef(Py_None);
%}

%typemap(out) long ouro_gc_collect %{
    if ($1 < 0) {
        oupy_fail((ouro_status)$1);
        SWIG_fail;
    }
    $result = PyLong_FromLong($1);
%}

/* ---- values ---- */

/* Held, since the conversion of further arguments may run Python code; an ITEM has none after it, and is borrowed. */
%typemap(in) ouro_value (bool held = false) %{
    held = oupy_take($input, &$1);
    if (!held)
        SWIG_fail;
%}
%typemap(freearg) ouro_value %{
    if (held$argnum)
        ouro_value_release($1);
%}
%typemap(in) ouro_value ITEM (int own = -1) %{
    own = oupy_borrow($input, &$1);
    if (own < 0)
        SWIG_fail;
%}
%typemap(freearg) ouro_value ITEM %{
    oupy_done(own$argnum, $1);
%}
%typemap(typecheck, precedence = SWIG_TYPECHECK_POINTER) ouro_value, ouro_value ITEM "$1 = 1;"
%typemap(out) ouro_value %{
    if (ouro_is_nil($1)) {
        oupy_fail(OURO_E_NOMEM);
        SWIG_fail;
    }
    $result = oupy_object($1);
%}

/* Results after the status: one is given as it is, several as a tuple. */
%typemap(in, numinputs = 0) ouro_value *NEW (ouro_value made), ouro_value *OLD (ouro_value made) %{
    made = OURO_NIL;
    $1 = &made;
%}
%typemap(argout) ouro_value *NEW, ouro_value *OLD %{
    $result = SWIG_Python_AppendOutput($result, oupy_object(*$1));
%}
%typemap(in, numinputs = 0) bool *OUT (bool out), size_t *OUT (size_t out), int *OUT (int out), int64_t *OUT (int64_t out), uint64_t *OUT (uint64_t out) %{
    $1 = &out;
%}
%typemap(argout) bool *OUT %{
    $result = SWIG_Python_AppendOutput($result, PyBool_FromLong(*$1));
%}
%typemap(argout) size_t *OUT %{
    $result = SWIG_Python_AppendOutput($result, PyLong_FromSize_t(*$1));
%}
%typemap(argout) int *OUT %{
    $result = SWIG_Python_AppendOutput($result, PyLong_FromLong(*$1));
%}
%typemap(argout) int64_t *OUT %{
    $result = SWIG_Python_AppendOutput($result, PyLong_FromLongLong(*$1));
%}
%typemap(argout) uint64_t *OUT %{
    $result = SWIG_Python_AppendOutput($result, PyLong_FromUnsignedLongLong(*$1));
%}

%typemap(in) (const ouro_value *ITEMS, size_t COUNT) (struct oupy_values values, bool made = false) %{
    made = oupy_values_of(&values, $input, "$1_name");
    if (!made)
        SWIG_fail;
    $1 = values.items;
    $2 = values.count;
%}
%typemap(freearg) (const ouro_value *ITEMS, size_t COUNT) %{
    if (made$argnum)
        oupy_values_drop(&values$argnum);
%}

%typemap(in) size_t %{
    {
        Py_ssize_t number;
        if (!oupy_index($input, "$1_name", &number))
            SWIG_fail;
        if (number < 0) {
            PyErr_Format(oupy_value_error, "%s must not be negative: %zd", "$1_name", number);
            SWIG_fail;
        }
        $1 = (size_t)number;
    }
%}
%typemap(in) int64_t token %{
    $1 = PyLong_AsLongLong($input);
    if ($1 == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        oupy_fail_type("$1_name", "a token", $input);
        SWIG_fail;
    }
%}
%rename(import_) ouro_import;
%typemap(in) ptrdiff_t %{
    {
        Py_ssize_t number;
        if (!oupy_index($input, "$1_name", &number))
            SWIG_fail;
        $1 = number;
    }
%}
%typemap(in) int generation %{
    {
        Py_ssize_t number;
        if (!oupy_index($input, "$1_name", &number))
            SWIG_fail;
        if (number < -1 || number > 2) {
            PyErr_Format(oupy_value_error, "invalid generation: %zd", number);
            SWIG_fail;
        }
        $1 = (int)number;
    }
%}

%typemap(in, numinputs = 0) size_t THREE[3] (size_t three[3]) "$1 = three;"
%typemap(argout) size_t THREE[3] %{
    $result = SWIG_Python_AppendOutput($result, Py_BuildValue("(nnn)", $1[0], $1[1], $1[2]));
%}
%typemap(in) const size_t THREE[3] (size_t three[3]) %{
    if (!PyArg_ParseTuple($input, "nnn", &three[0], &three[1], &three[2]))
        SWIG_fail;
    if ((Py_ssize_t)three[0] < 0 || (Py_ssize_t)three[1] < 0 || (Py_ssize_t)three[2] < 0) {
        PyErr_Format(oupy_value_error, "thresholds must not be negative: %R", $input);
        SWIG_fail;
    }
    $1 = three;
%}
%typemap(argout) const size_t THREE[3] ""
%typemap(freearg) size_t THREE[3], const size_t THREE[3] ""

/* ---- what may take long is done without the GIL ---- */

%define OUPY_WITHOUT_GIL(function)
%exception function {
    OUPY_RELEASE
    $action
    OUPY_REACQUIRE
}
%enddef
OUPY_WITHOUT_GIL(ouro_gc_collect)
OUPY_WITHOUT_GIL(ouro_gc_freeze)
OUPY_WITHOUT_GIL(ouro_gc_unfreeze)
OUPY_WITHOUT_GIL(ouro_gc_get_freeze_count)
OUPY_WITHOUT_GIL(ouro_gc_clear_garbage)
OUPY_WITHOUT_GIL(ouro_gc_set_debug)
OUPY_WITHOUT_GIL(ouro_finalizers_run)
OUPY_WITHOUT_GIL(ouro_mem_trim)
OUPY_WITHOUT_GIL(ouro_mem_set_limit)

/* Not for Python: it has float, str and bytes of its own, and other ways to make, compare and iterate. */
%ignore ouro_float_new;
%ignore ouro_float_value;
%ignore ouro_string_new;
%ignore ouro_bytes_new;
%ignore ouro_intern;
%ignore ouro_dict_from;
%ignore ouro_dict_set_all;
%ignore ouro_record_from;
%ignore ouro_set_union;
%ignore ouro_set_intersection;
%ignore ouro_set_difference;
%ignore ouro_set_symmetric_difference;
%ignore ouro_set_is_subset;
%ignore ouro_set_is_disjoint;
%ignore ouro_value_refcount;
%ignore ouro_weak_ref_new;
%ignore ouro_weak_ref_get;

/* ---- types ---- */

%{
/* To SWIG each is a struct of its own; here, the Python object, which is all that the functions need. */
typedef PyObject List, Tuple, Dict, Set, Record, Object;
%}

%feature("compactdefaultargs");
%feature("autodoc", "0");

%typemap(in) List *self, Tuple *self, Dict *self, Set *self, Record *self, Object *self "$1 = $input;"

#define OUPY_FLAGS "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC"

%define OUPY_TYPE(Type, flags)
%feature("python:tp_flags") Type flags;
%feature("python:tp_dealloc") Type "oupy_dealloc";
%feature("python:tp_traverse") Type "oupy_traverse";
%feature("python:tp_clear") Type "oupy_clear";
%feature("python:tp_dictoffset") Type "0";
%enddef

%define OUPY_SLOT(Type, slot, function)
%feature("python:" #slot) Type function;
%enddef

OUPY_TYPE(List, "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE")
OUPY_SLOT(List, tp_doc, "\"List(iterable=()): a list in ouro's heap. Shared by all threads; each operation is atomic.\"")
OUPY_SLOT(List, tp_init, "oupy_list_init")
OUPY_SLOT(List, tp_iter, "oupy_list_iter")
OUPY_SLOT(List, tp_repr, "oupy_list_repr")
OUPY_SLOT(List, tp_hash, "PyObject_HashNotImplemented")
OUPY_SLOT(List, tp_richcompare, "oupy_list_compare")
OUPY_SLOT(List, mp_length, "oupy_list_length")
OUPY_SLOT(List, mp_subscript, "oupy_list_subscript")
OUPY_SLOT(List, mp_ass_subscript, "oupy_list_set_subscript")
OUPY_SLOT(List, sq_length, "oupy_list_length")
OUPY_SLOT(List, sq_item, "oupy_list_item")
OUPY_SLOT(List, sq_ass_item, "oupy_list_set_item")
OUPY_SLOT(List, sq_contains, "oupy_list_contains")
OUPY_SLOT(List, sq_repeat, "oupy_list_repeat")
OUPY_SLOT(List, sq_inplace_repeat, "oupy_list_irepeat")
OUPY_SLOT(List, nb_add, "oupy_list_add")
OUPY_SLOT(List, nb_inplace_add, "oupy_list_iadd")

typedef struct {} List;
%extend List {
    PyObject *append(ouro_value ITEM);
    PyObject *extend(PyObject *iterable);
    PyObject *insert(PyObject *index, ouro_value item);
    PyObject *pop(PyObject *index = NULL);
    PyObject *remove(PyObject *item);
    PyObject *clear(void);
    PyObject *index(PyObject *item, PyObject *start = NULL, PyObject *stop = NULL);
    PyObject *count(PyObject *item);
    PyObject *reverse(void);
    %feature("kwargs") sort;
    PyObject *sort(PyObject *key = NULL, PyObject *reverse = NULL);
    PyObject *copy(void);
    PyObject *__reversed__(void);
    PyObject *__copy__(void);
    PyObject *__reduce__(void);
    PyObject *__sizeof__(void);
    PyObject *__enter__(void);
    PyObject *__exit__(PyObject *type = NULL, PyObject *value = NULL, PyObject *traceback = NULL);
    PyObject *close(void);
}
%{
#define List_append oupy_list_append
#define List_extend oupy_list_extend
#define List_insert oupy_list_insert
#define List_pop oupy_list_pop
#define List_remove oupy_list_remove
#define List_clear oupy_list_clear
#define List_index oupy_list_index
#define List_count oupy_list_count
#define List_reverse oupy_list_reverse
#define List_sort oupy_list_sort
#define List_copy oupy_list_copy
#define List___reversed__ oupy_list_reversed
#define List___copy__ oupy_list_copy
#define List___reduce__ oupy_list_reduce
#define List___sizeof__ oupy_object_sizeof
#define List___enter__ oupy_object_enter
#define List___exit__ oupy_object_exit
#define List_close oupy_object_close
%}

OUPY_TYPE(Tuple, "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE")
OUPY_SLOT(Tuple, tp_doc, "\"Tuple(iterable=()): a tuple in ouro's heap.\"")
OUPY_SLOT(Tuple, tp_init, "oupy_tuple_init")
OUPY_SLOT(Tuple, tp_iter, "oupy_tuple_iter")
OUPY_SLOT(Tuple, tp_repr, "oupy_tuple_repr")
OUPY_SLOT(Tuple, tp_hash, "oupy_tuple_hash")
OUPY_SLOT(Tuple, tp_richcompare, "oupy_tuple_compare")
OUPY_SLOT(Tuple, mp_length, "oupy_tuple_length")
OUPY_SLOT(Tuple, mp_subscript, "oupy_tuple_subscript")
OUPY_SLOT(Tuple, sq_length, "oupy_tuple_length")
OUPY_SLOT(Tuple, sq_item, "oupy_tuple_item")
OUPY_SLOT(Tuple, sq_contains, "oupy_tuple_contains")
OUPY_SLOT(Tuple, sq_repeat, "oupy_tuple_repeat")
OUPY_SLOT(Tuple, nb_add, "oupy_tuple_add")

typedef struct {} Tuple;
%extend Tuple {
    PyObject *index(PyObject *item, PyObject *start = NULL, PyObject *stop = NULL);
    PyObject *count(PyObject *item);
    PyObject *__reduce__(void);
    PyObject *__sizeof__(void);
    PyObject *__enter__(void);
    PyObject *__exit__(PyObject *type = NULL, PyObject *value = NULL, PyObject *traceback = NULL);
    PyObject *close(void);
}
%{
#define Tuple_index oupy_tuple_index
#define Tuple_count oupy_tuple_count
#define Tuple___reduce__ oupy_tuple_reduce
#define Tuple___sizeof__ oupy_object_sizeof
#define Tuple___enter__ oupy_object_enter
#define Tuple___exit__ oupy_object_exit
#define Tuple_close oupy_object_close
%}

OUPY_TYPE(Dict, "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING")
OUPY_SLOT(Dict, tp_doc, "\"Dict(mapping_or_pairs=(), **items): a dict in ouro's heap. Shared by all threads; each operation is atomic.\"")
OUPY_SLOT(Dict, tp_init, "oupy_dict_init")
OUPY_SLOT(Dict, tp_iter, "oupy_dict_iter")
OUPY_SLOT(Dict, tp_repr, "oupy_dict_repr")
OUPY_SLOT(Dict, tp_hash, "PyObject_HashNotImplemented")
OUPY_SLOT(Dict, tp_richcompare, "oupy_dict_compare")
OUPY_SLOT(Dict, mp_length, "oupy_dict_length")
OUPY_SLOT(Dict, mp_subscript, "oupy_dict_subscript")
OUPY_SLOT(Dict, mp_ass_subscript, "oupy_dict_set_subscript")
OUPY_SLOT(Dict, sq_contains, "oupy_dict_contains")
OUPY_SLOT(Dict, nb_or, "oupy_dict_or")
OUPY_SLOT(Dict, nb_inplace_or, "oupy_dict_ior")

typedef struct {} Dict;
%extend Dict {
    PyObject *get(PyObject *key, PyObject *fallback = NULL);
    PyObject *setdefault(PyObject *key, PyObject *value = NULL);
    PyObject *pop(PyObject *key, PyObject *fallback = NULL);
    PyObject *popitem(void);
    PyObject *clear(void);
    PyObject *copy(void);
    PyObject *__copy__(void);
    PyObject *__reduce__(void);
    PyObject *__sizeof__(void);
    PyObject *__enter__(void);
    PyObject *__exit__(PyObject *type = NULL, PyObject *value = NULL, PyObject *traceback = NULL);
    PyObject *close(void);
}
%{
#define Dict_get oupy_dict_get
#define Dict_setdefault oupy_dict_setdefault
#define Dict_pop oupy_dict_pop
#define Dict_popitem oupy_dict_popitem
#define Dict_clear oupy_dict_clear
#define Dict_copy oupy_dict_copy
#define Dict___copy__ oupy_dict_copy
#define Dict___reduce__ oupy_dict_reduce
#define Dict___sizeof__ oupy_object_sizeof
#define Dict___enter__ oupy_object_enter
#define Dict___exit__ oupy_object_exit
#define Dict_close oupy_object_close
%}

OUPY_TYPE(Set, "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC")
OUPY_SLOT(Set, tp_doc, "\"Set(iterable=()): a set in ouro's heap, in the order of insertion. Shared by all threads; each operation is atomic.\"")
OUPY_SLOT(Set, tp_init, "oupy_set_init")
OUPY_SLOT(Set, tp_iter, "oupy_set_iter")
OUPY_SLOT(Set, tp_repr, "oupy_set_repr")
OUPY_SLOT(Set, tp_hash, "PyObject_HashNotImplemented")
OUPY_SLOT(Set, tp_richcompare, "oupy_set_compare")
OUPY_SLOT(Set, sq_length, "oupy_set_length")
OUPY_SLOT(Set, sq_contains, "oupy_set_contains")
OUPY_SLOT(Set, nb_or, "oupy_set_or")
OUPY_SLOT(Set, nb_and, "oupy_set_and")
OUPY_SLOT(Set, nb_subtract, "oupy_set_subtract")
OUPY_SLOT(Set, nb_xor, "oupy_set_xor")
OUPY_SLOT(Set, nb_inplace_or, "oupy_set_ior")
OUPY_SLOT(Set, nb_inplace_and, "oupy_set_iand")
OUPY_SLOT(Set, nb_inplace_subtract, "oupy_set_isubtract")
OUPY_SLOT(Set, nb_inplace_xor, "oupy_set_ixor")

typedef struct {} Set;
%extend Set {
    PyObject *add(PyObject *item);
    PyObject *discard(PyObject *item);
    PyObject *remove(PyObject *item);
    PyObject *pop(void);
    PyObject *clear(void);
    PyObject *copy(void);
    PyObject *issubset(PyObject *other);
    PyObject *issuperset(PyObject *other);
    PyObject *isdisjoint(PyObject *other);
    PyObject *symmetric_difference(PyObject *other);
    PyObject *__copy__(void);
    PyObject *__reduce__(void);
    PyObject *__sizeof__(void);
    PyObject *__enter__(void);
    PyObject *__exit__(PyObject *type = NULL, PyObject *value = NULL, PyObject *traceback = NULL);
    PyObject *close(void);
}
%{
#define Set_add oupy_set_add
#define Set_discard oupy_set_discard
#define Set_remove oupy_set_remove
#define Set_pop oupy_set_pop
#define Set_clear oupy_set_clear
#define Set_copy oupy_set_copy
#define Set_issubset oupy_set_issubset
#define Set_issuperset oupy_set_issuperset
#define Set_isdisjoint oupy_set_isdisjoint
#define Set_symmetric_difference oupy_set_symmetric_difference
#define Set___copy__ oupy_set_copy
#define Set___reduce__ oupy_set_reduce
#define Set___sizeof__ oupy_object_sizeof
#define Set___enter__ oupy_object_enter
#define Set___exit__ oupy_object_exit
#define Set_close oupy_object_close
%}

OUPY_TYPE(Record, "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC")
OUPY_SLOT(Record, tp_doc, "\"Record(name, /, **fields): a record in ouro's heap: a name, and named fields, whose values may change.\"")
OUPY_SLOT(Record, tp_init, "oupy_record_init")
OUPY_SLOT(Record, tp_getattro, "oupy_record_getattr")
OUPY_SLOT(Record, tp_setattro, "oupy_record_setattr")
OUPY_SLOT(Record, tp_repr, "oupy_record_repr")
OUPY_SLOT(Record, tp_hash, "PyObject_HashNotImplemented")
OUPY_SLOT(Record, tp_richcompare, "oupy_record_compare")

typedef struct {} Record;
%extend Record {
    PyObject *_asdict(void);
    PyObject *__copy__(void);
    PyObject *__sizeof__(void);
    PyObject *__enter__(void);
    PyObject *__exit__(PyObject *type = NULL, PyObject *value = NULL, PyObject *traceback = NULL);
}
%{
#define Record__asdict oupy_record_asdict
#define Record___copy__ oupy_record_copy
#define Record___sizeof__ oupy_object_sizeof
#define Record___enter__ oupy_object_enter
#define Record___exit__ oupy_object_exit
%}

/* What has no type of its own: other languages' objects, iterators, shapes, a C program's objects. */
OUPY_TYPE(Object, "Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC")
OUPY_SLOT(Object, tp_doc, "\"An ouro object that Python has no type for.\"")
OUPY_SLOT(Object, tp_init, "oupy_object_init")
OUPY_SLOT(Object, tp_repr, "oupy_object_repr")
OUPY_SLOT(Object, tp_hash, "oupy_object_hash")
OUPY_SLOT(Object, tp_richcompare, "oupy_object_compare")
OUPY_SLOT(Object, tp_iter, "oupy_object_iter")

typedef struct {} Object;
%extend Object {
    PyObject *__reduce__(void);
    PyObject *__sizeof__(void);
}
%{
#define Object___reduce__ oupy_object_reduce
#define Object___sizeof__ oupy_object_sizeof
%}

/* ---- functions beside the shared ones: for the package's own Python files ---- */

%define OUPY_ARGUMENT(name, kind)
%typemap(in) PyObject *name %{
    if (!oupy_is($input, kind)) {
        oupy_fail_type("$1_name", oupy_type[kind]->tp_name, $input);
        SWIG_fail;
    }
    $1 = $input;
%}
%enddef
OUPY_ARGUMENT(dict, OURO_KIND_DICT)
OUPY_ARGUMENT(set, OURO_KIND_SET)
OUPY_ARGUMENT(record, OURO_KIND_RECORD)

%rename("%(strip:[oupy_])s", regextarget = 1) "^oupy_.*";
PyObject *oupy_convert(PyObject *object);
PyObject *oupy_to_python(PyObject *object);
PyObject *oupy_intern(PyObject *s);
PyObject *oupy_at_exit(void);
PyObject *oupy_gc_stats(void);
PyObject *oupy_gc_objects(int generation);
PyObject *oupy_gc_referents(ouro_value value);
PyObject *oupy_gc_referrers(ouro_value value);
PyObject *oupy_gc_garbage(void);
PyObject *oupy_gc_holders(PyObject *object);
PyObject *oupy_mem_stats(void);
PyObject *oupy_weak_refs(PyObject *object);
PyObject *oupy_record_name(PyObject *record);
PyObject *oupy_record_fields(PyObject *record);
PyObject *oupy_dict_iterator(PyObject *dict, int part);
PyObject *oupy_dict_merge(PyObject *dict, PyObject *other, const char *argument);
PyObject *oupy_set_union(PyObject *set, PyObject *other);
PyObject *oupy_set_intersection(PyObject *set, PyObject *other);
PyObject *oupy_set_difference(PyObject *set, PyObject *other);
PyObject *oupy_set_merge(PyObject *set, PyObject *other);
PyObject *oupy_set_become(PyObject *set, PyObject *other);
PyObject *oupy_close_object(PyObject *object);
PyObject *oupy_check_interpreter(void);
PyObject *oupy_is_wrapper(PyObject *object);
PyObject *oupy_refcount(PyObject *object);
PyObject *oupy_address(PyObject *object);
PyObject *oupy_total_sizeof(PyObject *object);
PyObject *oupy_add_method(PyObject *type, PyObject *name, PyObject *function);
size_t oupy_sizeof(ouro_value value);
size_t oupy_hosted_count(void);
size_t oupy_wrapper_count(void);

%init %{
    {
        PyTypeObject *const types[] = {
            (PyTypeObject *)&SwigPyBuiltin__List_type,
            (PyTypeObject *)&SwigPyBuiltin__Tuple_type,
            (PyTypeObject *)&SwigPyBuiltin__Object_type,
            (PyTypeObject *)&SwigPyBuiltin__Dict_type,
            (PyTypeObject *)&SwigPyBuiltin__Set_type,
            (PyTypeObject *)&SwigPyBuiltin__Record_type,
        };
        if (!oupy_module_init(m, SwigPyObject_type(), types))
            return NULL;
    }
%}
