/* SPDX-License-Identifier: MIT
 *
 * The interface that SWIG makes the bindings from: what the languages need of <ouro/ouro.h>, and nothing else. What each language wants said its own
 * way is in ouro_<language>.i, included below before the declarations. The module's name comes from the command line.
 *
 * Names lose their prefix: ouro_list_get is list_get, OURO_E_INDEX is E_INDEX.
 *
 * Each language's file defines these typemaps, and by them the whole interface:
 *
 *     ouro_status             as a result: an error of the language's, or nothing. In one place.
 *     ouro_value              as a parameter: borrowed. What the language gives is converted; a value that was made for the call is
 *                             released after it. As a result: new; nil is out of memory (functions that can only run out of memory).
 *     ouro_value *NEW         a result, new; the language's object takes the reference over.
 *     ouro_value *OLD         the same, where there may be none (then it is nil).
 *     bool *OUT, size_t *OUT, int *OUT, int64_t *OUT, uint64_t *OUT      results
 *     (const ouro_value *ITEMS, size_t COUNT)              a sequence of the language's, borrowed
 *     (const char *BYTES, size_t SIZE)                     a string of the language's
 *     (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT)
 *     size_t THREE[3]         three numbers: parameter (const) or result
 *
 * What a language does otherwise, it says by %ignore and hand-written code in its own file. */
%module ouro_raw

%{
#include <ouro/ouro.h>

#include "explain.h"
#include "gather.h"
%}

%nodefaultctor;
%nodefaultdtor;

%include <stdint.i>

%rename("%(strip:[ouro_])s", %$isfunction) "";
%rename("%(strip:[OURO_])s", %$isenumitem) "";
%rename("%(strip:[OURO_])s", %$isconstant) "";

typedef uint64_t ouro_value;

#if defined(SWIGPYTHON)
%include "ouro_python.i"
#elif defined(SWIGGO)
%include "ouro_go.i"
#elif defined(SWIGLUA)
%include "ouro_lua.i"
#endif

/* ---- <ouro/status.h> ---- */

typedef enum ouro_status {
    OURO_OK = 0,
    OURO_E_NOMEM = -1,
    OURO_E_AGAIN = -2,
    OURO_E_INVALID = -3,
    OURO_E_USAGE = -4,
    OURO_E_SYSTEM = -5,
    OURO_E_TYPE = -6,
    OURO_E_INDEX = -7,
    OURO_E_KEY = -8,
    OURO_E_CHANGED = -9,
    OURO_E_END = -10,
    OURO_E_ENCODING = -11,
    OURO_E_HOST = -12
} ouro_status;

/* ---- <ouro/version.h>, <ouro/thread.h> ---- */

const char *ouro_version(void);
void ouro_safepoint(void);

/* ---- <ouro/value.h> ---- */

typedef enum ouro_kind {
    OURO_KIND_NIL = 0,
    OURO_KIND_BOOL = 1,
    OURO_KIND_INT = 2,
    OURO_KIND_FLOAT = 3,
    OURO_KIND_STRING = 4,
    OURO_KIND_BYTES = 5,
    OURO_KIND_TUPLE = 6,
    OURO_KIND_LIST = 7,
    OURO_KIND_DICT = 8,
    OURO_KIND_SET = 9,
    OURO_KIND_RECORD = 10,
    OURO_KIND_SHAPE = 11,
    OURO_KIND_ITERATOR = 12,
    OURO_KIND_WEAK = 13,
    OURO_KIND_WEAK_MAP = 14,
    OURO_KIND_WEAK_SET = 15,
    OURO_KIND_HOST = 16,
    OURO_KIND_OBJECT = 17
} ouro_kind;

ouro_kind ouro_kind_of(ouro_value value);
const char *ouro_value_type_name(ouro_value value);
bool ouro_truth(ouro_value value);
bool ouro_same(ouro_value a, ouro_value b);
ouro_status ouro_length(ouro_value value, size_t *OUT);
ouro_status ouro_equal(ouro_value a, ouro_value b, bool *OUT);
ouro_status ouro_key_equal(ouro_value a, ouro_value b, bool *OUT);
ouro_status ouro_hash(ouro_value value, uint64_t *OUT);
ouro_status ouro_compare(ouro_value a, ouro_value b, int *OUT);
ouro_status ouro_repr(ouro_value value, ouro_value *NEW);
ouro_status ouro_copy(ouro_value value, ouro_value *NEW);
ouro_status ouro_copy_deep(ouro_value value, ouro_value *NEW);

/* ---- <ouro/scalar.h> ---- */

ouro_value ouro_float_new(double number);
double ouro_float_value(ouro_value value);

ouro_status ouro_string_new(const char *BYTES, size_t SIZE, ouro_value *NEW);
ouro_status ouro_string_length(ouro_value string, size_t *OUT);
ouro_status ouro_string_concat(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_string_slice(ouro_value string, ptrdiff_t start, ptrdiff_t stop, ouro_value *NEW);
ouro_status ouro_string_find(ouro_value string, ouro_value part, ptrdiff_t start, size_t *OUT);
ouro_status ouro_intern(ouro_value string, ouro_value *NEW);
bool ouro_is_interned(ouro_value value);

ouro_status ouro_bytes_new(const char *BYTES, size_t SIZE, ouro_value *NEW);
ouro_status ouro_bytes_length(ouro_value bytes, size_t *OUT);
ouro_status ouro_bytes_concat(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_bytes_slice(ouro_value bytes, ptrdiff_t start, ptrdiff_t stop, ouro_value *NEW);

/* ---- <ouro/sequence.h> ---- */

ouro_status ouro_tuple_new(const ouro_value *ITEMS, size_t COUNT, ouro_value *NEW);
ouro_status ouro_tuple_length(ouro_value tuple, size_t *OUT);
ouro_status ouro_tuple_get(ouro_value tuple, ptrdiff_t index, ouro_value *NEW);
ouro_status ouro_tuple_slice(ouro_value tuple, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *NEW);
ouro_status ouro_tuple_concat(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_tuple_index(ouro_value tuple, ouro_value item, ptrdiff_t start, ptrdiff_t stop, size_t *OUT);
ouro_status ouro_tuple_count(ouro_value tuple, ouro_value item, size_t *OUT);

ouro_value ouro_list_new(void);
ouro_status ouro_list_new_with_room(size_t room, ouro_value *NEW);
ouro_status ouro_list_from(const ouro_value *ITEMS, size_t COUNT, ouro_value *NEW);
ouro_status ouro_list_length(ouro_value list, size_t *OUT);
ouro_status ouro_list_get(ouro_value list, ptrdiff_t index, ouro_value *NEW);
ouro_status ouro_list_set(ouro_value list, ptrdiff_t index, ouro_value item);
ouro_status ouro_list_swap(ouro_value list, ptrdiff_t index, ouro_value item, ouro_value *NEW);
ouro_status ouro_list_compare_set(ouro_value list, ptrdiff_t index, ouro_value expected, ouro_value item, bool *OUT);
ouro_status ouro_list_append(ouro_value list, ouro_value item);
ouro_status ouro_list_append_all(ouro_value list, const ouro_value *ITEMS, size_t COUNT);
ouro_status ouro_list_extend(ouro_value list, ouro_value other);
ouro_status ouro_list_insert(ouro_value list, ptrdiff_t index, ouro_value item);
ouro_status ouro_list_pop(ouro_value list, ptrdiff_t index, ouro_value *NEW);
ouro_status ouro_list_delete(ouro_value list, ptrdiff_t index);
ouro_status ouro_list_remove(ouro_value list, ouro_value item);
ouro_status ouro_list_clear(ouro_value list);
ouro_status ouro_list_index(ouro_value list, ouro_value item, ptrdiff_t start, ptrdiff_t stop, size_t *OUT);
ouro_status ouro_list_count(ouro_value list, ouro_value item, size_t *OUT);
ouro_status ouro_list_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, ouro_value *NEW);
ouro_status ouro_list_set_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step, const ouro_value *ITEMS, size_t COUNT);
ouro_status ouro_list_delete_slice(ouro_value list, ptrdiff_t start, ptrdiff_t stop, ptrdiff_t step);
ouro_status ouro_list_concat(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_list_repeat(ouro_value list, size_t times, ouro_value *NEW);
ouro_status ouro_list_reverse(ouro_value list);
ouro_status ouro_list_sort(ouro_value list, bool descending);

/* ---- <ouro/mapping.h> ---- */

ouro_value ouro_dict_new(void);
ouro_status ouro_dict_from(const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT, ouro_value *NEW);
ouro_status ouro_dict_length(ouro_value dict, size_t *OUT);
ouro_status ouro_dict_get(ouro_value dict, ouro_value key, ouro_value *NEW);
ouro_status ouro_dict_get_or(ouro_value dict, ouro_value key, ouro_value fallback, ouro_value *NEW);
ouro_status ouro_dict_has(ouro_value dict, ouro_value key, bool *OUT);
ouro_status ouro_dict_set(ouro_value dict, ouro_value key, ouro_value value);
ouro_status ouro_dict_set_all(ouro_value dict, const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT);
ouro_status ouro_dict_swap(ouro_value dict, ouro_value key, ouro_value value, bool *OUT, ouro_value *OLD);
ouro_status ouro_dict_setdefault(ouro_value dict, ouro_value key, ouro_value value, ouro_value *NEW);
ouro_status ouro_dict_compare_set(ouro_value dict, ouro_value key, ouro_value expected, ouro_value value, bool *OUT);
ouro_status ouro_dict_delete(ouro_value dict, ouro_value key);
ouro_status ouro_dict_pop(ouro_value dict, ouro_value key, ouro_value *NEW);
ouro_status ouro_dict_pop_item(ouro_value dict, bool first, ouro_value *NEW, ouro_value *NEW);
ouro_status ouro_dict_clear(ouro_value dict);
ouro_status ouro_dict_update(ouro_value dict, ouro_value other);

ouro_value ouro_set_new(void);
ouro_status ouro_set_from(const ouro_value *ITEMS, size_t COUNT, ouro_value *NEW);
ouro_status ouro_set_length(ouro_value set, size_t *OUT);
ouro_status ouro_set_has(ouro_value set, ouro_value item, bool *OUT);
ouro_status ouro_set_add(ouro_value set, ouro_value item, bool *OUT);
ouro_status ouro_set_add_all(ouro_value set, const ouro_value *ITEMS, size_t COUNT);
ouro_status ouro_set_discard(ouro_value set, ouro_value item, bool *OUT);
ouro_status ouro_set_remove(ouro_value set, ouro_value item);
ouro_status ouro_set_pop(ouro_value set, ouro_value *NEW);
ouro_status ouro_set_clear(ouro_value set);
ouro_status ouro_set_update(ouro_value set, ouro_value other);
ouro_status ouro_set_union(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_set_intersection(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_set_difference(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_set_symmetric_difference(ouro_value a, ouro_value b, ouro_value *NEW);
ouro_status ouro_set_is_subset(ouro_value a, ouro_value b, bool *OUT);
ouro_status ouro_set_is_disjoint(ouro_value a, ouro_value b, bool *OUT);

#define OURO_WEAK_KEYS 1
#define OURO_WEAK_VALUES 2
ouro_status ouro_weak_map_new(unsigned flags, ouro_value *NEW);
ouro_status ouro_weak_map_length(ouro_value map, size_t *OUT);
ouro_status ouro_weak_map_get(ouro_value map, ouro_value key, ouro_value *NEW);
ouro_status ouro_weak_map_has(ouro_value map, ouro_value key, bool *OUT);
ouro_status ouro_weak_map_set(ouro_value map, ouro_value key, ouro_value value);
ouro_status ouro_weak_map_setdefault(ouro_value map, ouro_value key, ouro_value value, ouro_value *NEW);
ouro_status ouro_weak_map_delete(ouro_value map, ouro_value key);
ouro_status ouro_weak_map_pop(ouro_value map, ouro_value key, ouro_value *NEW);
ouro_status ouro_weak_map_clear(ouro_value map);

ouro_value ouro_weak_set_new(void);
ouro_status ouro_weak_set_length(ouro_value set, size_t *OUT);
ouro_status ouro_weak_set_has(ouro_value set, ouro_value item, bool *OUT);
ouro_status ouro_weak_set_add(ouro_value set, ouro_value item, bool *OUT);
ouro_status ouro_weak_set_discard(ouro_value set, ouro_value item, bool *OUT);
ouro_status ouro_weak_set_clear(ouro_value set);

/* ---- <ouro/record.h> ---- */

ouro_status ouro_shape_new(ouro_value name, const ouro_value *ITEMS, size_t COUNT, ouro_value *NEW);
ouro_status ouro_shape_length(ouro_value shape, size_t *OUT);
ouro_status ouro_shape_name(ouro_value shape, ouro_value *NEW);
ouro_status ouro_shape_field(ouro_value shape, size_t index, ouro_value *NEW);
ouro_status ouro_shape_index(ouro_value shape, ouro_value field, size_t *OUT);
ouro_status ouro_record_from(ouro_value name, const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT, ouro_value *NEW);
ouro_status ouro_record_shape(ouro_value record, ouro_value *NEW);
ouro_status ouro_record_length(ouro_value record, size_t *OUT);
ouro_status ouro_record_get(ouro_value record, ouro_value field, ouro_value *NEW);
ouro_status ouro_record_set(ouro_value record, ouro_value field, ouro_value value);
ouro_status ouro_record_swap(ouro_value record, ouro_value field, ouro_value value, ouro_value *NEW);
ouro_status ouro_record_compare_set(ouro_value record, ouro_value field, ouro_value expected, ouro_value value, bool *OUT);
ouro_status ouro_record_get_at(ouro_value record, size_t index, ouro_value *NEW);
ouro_status ouro_record_set_at(ouro_value record, size_t index, ouro_value value);

/* ---- <ouro/iterator.h> ---- */

typedef enum ouro_part { OURO_KEYS, OURO_VALUES, OURO_ITEMS } ouro_part;
ouro_status ouro_iterate(ouro_value value, ouro_value *NEW);
ouro_status ouro_iterate_reversed(ouro_value value, ouro_value *NEW);
ouro_status ouro_iterate_part(ouro_value value, ouro_part part, ouro_value *NEW);
ouro_status ouro_iterate_range(int64_t start, int64_t stop, int64_t step, ouro_value *NEW);
ouro_status ouro_iterator_next(ouro_value iterator, ouro_value *NEW);
ouro_status ouro_iterator_next_pair(ouro_value iterator, ouro_value *NEW, ouro_value *NEW);

/* ---- <ouro/token.h>: how a value gets to another language, or another interpreter ---- */

ouro_status ouro_export(ouro_value value, int64_t *OUT);
ouro_status ouro_import(int64_t token, ouro_value *NEW);

/* ---- <ouro/weak.h>: a weak reference as a value ---- */

%inline %{
/* Without a callback: languages that offer one make the weak reference by hand. OURO_E_TYPE: not a reference. */
static ouro_status ouro_weak_ref_new(ouro_value target, ouro_value *NEW)
{
    *NEW = OURO_NIL;
    if (!ouro_is_object(target))
        return OURO_E_TYPE;
    ouro_weak *weak = ouro_weak_new(ouro_value_object(target), NULL, NULL);
    *NEW = ouro_value_of(weak);
    return weak ? OURO_OK : OURO_E_NOMEM;
}

/* nil once the target is dead. */
static ouro_status ouro_weak_ref_get(ouro_value weak, ouro_value *OLD)
{
    *OLD = OURO_NIL;
    if (ouro_kind_of(weak) != OURO_KIND_WEAK)
        return OURO_E_TYPE;
    *OLD = ouro_value_of(ouro_weak_get((ouro_weak *)ouro_value_object(weak)));
    return OURO_OK;
}
%}

/* ---- <ouro/gc.h> ---- */

#define OURO_GC_DEBUG_STATS 1
#define OURO_GC_DEBUG_COLLECTABLE 2
#define OURO_GC_DEBUG_UNCOLLECTABLE 4
#define OURO_GC_DEBUG_SAVEALL 32
#define OURO_GC_DEBUG_LEAK 38

long ouro_gc_collect(int generation); /* negative: a status */
ouro_status ouro_gc_collect_async(int generation);
void ouro_gc_enable(void);
void ouro_gc_disable(void);
bool ouro_gc_is_enabled(void);
void ouro_gc_get_threshold(size_t THREE[3]);
ouro_status ouro_gc_set_threshold(const size_t THREE[3]);
void ouro_gc_get_count(size_t THREE[3]);
void ouro_gc_freeze(void);
void ouro_gc_unfreeze(void);
size_t ouro_gc_get_freeze_count(void);
void ouro_gc_set_debug(unsigned flags);
unsigned ouro_gc_get_debug(void);
void ouro_gc_clear_garbage(void);
size_t ouro_finalizers_run(size_t budget);

%inline %{
/* Both are about objects: false for what is none. */
static bool ouro_value_is_tracked(ouro_value value) { return ouro_is_object(value) && ouro_gc_is_tracked(ouro_value_object(value)); }
static bool ouro_value_is_finalized(ouro_value value) { return ouro_is_object(value) && ouro_gc_is_finalized(ouro_value_object(value)); }
%}

/* ---- <ouro/memory.h>, <ouro/object.h> ---- */

ouro_status ouro_mem_set_limit(size_t soft, size_t hard);
size_t ouro_mem_trim(void);

%inline %{
/* 0 for what is no object. */
static size_t ouro_value_refcount(ouro_value value) { return ouro_is_object(value) ? ouro_refcount(ouro_value_object(value)) : 0; }
%}
