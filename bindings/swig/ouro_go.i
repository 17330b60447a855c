/* SPDX-License-Identifier: MIT
 *
 * Go: package raw, what package ouro is made of (bindings/go/internal/raw). Values are words, and so are results: a value, new, or an error (crossing.h
 * there says how they are told apart). Numbers and booleans come back as values, too. */

%{
#include "crossing.h"
%}

/* What carries any value in or out is in calls.h there. */
%ignore ouro_list_get;
%ignore ouro_list_set;
%ignore ouro_list_swap;
%ignore ouro_list_append;
%ignore ouro_list_insert;
%ignore ouro_list_pop;
%ignore ouro_tuple_get;
%ignore ouro_dict_get;
%ignore ouro_dict_get_or;
%ignore ouro_dict_has;
%ignore ouro_dict_set;
%ignore ouro_dict_swap;
%ignore ouro_dict_setdefault;
%ignore ouro_dict_delete;
%ignore ouro_dict_pop;
%ignore ouro_dict_pop_item;
%ignore ouro_set_has;
%ignore ouro_set_add;
%ignore ouro_set_discard;
%ignore ouro_set_pop;
%ignore ouro_weak_map_get;
%ignore ouro_weak_map_set;
%ignore ouro_weak_map_setdefault;
%ignore ouro_weak_map_pop;
%ignore ouro_record_get;
%ignore ouro_record_set;
%ignore ouro_record_swap;
%ignore ouro_iterator_next;
%ignore ouro_iterator_next_pair;
%ignore ouro_weak_ref_get;

/* A keyword. */
%rename(import_token) ouro_import;

/* What is not called: Go has its own strings, and reads numbers off the words. */
%ignore ouro_float_new;
%ignore ouro_float_value;
%ignore ouro_string_new;
%ignore ouro_string_length;
%ignore ouro_string_concat;
%ignore ouro_string_slice;
%ignore ouro_string_find;
%ignore ouro_bytes_new;
%ignore ouro_bytes_length;
%ignore ouro_bytes_concat;
%ignore ouro_bytes_slice;

/* Constants are C's own (calls.go). */
%rename("$ignore", %$isenumitem) "";
%rename("$ignore", %$isconstant) "";

/* Go's threads hop. */
%exception %{
    OURO_GO_CALL();
    $action
%}
%exception ouro_version "$action";

%typemap(gotype) ouro_status "uint64"
%typemap(out) ouro_status %{ $result = ouro_go_status($1); %}

%typemap(gotype) ouro_value "uint64"
%typemap(in) ouro_value %{ $1 = $input; %}
%typemap(out) ouro_value %{
    ouro_value_share($1);
    $result = $1 ? $1 : ouro_go_error(OURO_E_NOMEM);
%}

/* $result would be the status here. */
%typemap(in, numinputs = 0) ouro_value *NEW (ouro_value made), ouro_value *OLD (ouro_value made) %{
    made = OURO_NIL;
    $1 = &made;
%}
%typemap(argout) ouro_value *NEW, ouro_value *OLD %{
    if (result == OURO_OK) {
        ouro_value_share(*$1);
        _swig_go_result = *$1;
    }
%}

%typemap(in, numinputs = 0) bool *OUT (bool out), size_t *OUT (size_t out), int *OUT (int out), int64_t *OUT (int64_t out),
    uint64_t *OUT (uint64_t out) %{
    out = 0;
    $1 = &out;
%}
%typemap(argout) bool *OUT %{
    if (result == OURO_OK)
        _swig_go_result = ouro_bool_new(*$1);
%}
%typemap(argout) size_t *OUT, int *OUT, int64_t *OUT, uint64_t *OUT %{
    if (result == OURO_OK)
        _swig_go_result = (uint64_t)*$1 << 2 | 1;
%}

/* A count, items and text in one piece of memory. */
%typemap(gotype) (const ouro_value *ITEMS, size_t COUNT) "[]uint64"
%typemap(in) (const ouro_value *ITEMS, size_t COUNT) (struct ouro_go_arguments all) %{
    ouro_go_take_all(&all, $input.array, 1);
    $1 = all.values;
    $2 = all.count;
%}
%typemap(check) (const ouro_value *ITEMS, size_t COUNT), (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT) %{
    if (all$argnum.status != OURO_OK) {
        ouro_go_drop_all(&all$argnum);
        return ouro_go_error_at(all$argnum.status, all$argnum.at);
    }
%}
%typemap(freearg) (const ouro_value *ITEMS, size_t COUNT), (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT) %{
    ouro_go_drop_all(&all$argnum);
%}

%typemap(gotype) (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT) "[]uint64"
%typemap(in) (const ouro_value *KEYS, const ouro_value *VALUES, size_t COUNT) (struct ouro_go_arguments all) %{
    ouro_go_take_all(&all, $input.array, 2);
    $1 = all.values;
    $2 = all.values + all.count;
    $3 = all.count;
%}

%typemap(gotype) ptrdiff_t, size_t, long "int"
%typemap(in) ptrdiff_t, size_t, long %{ $1 = $input; %}
%typemap(out) ptrdiff_t, size_t, long %{ $result = $1; %}

/* Three numbers of Go's, to be read or written. */
%typemap(gotype) size_t THREE[3], const size_t THREE[3] "[]int"
%typemap(in) size_t THREE[3], const size_t THREE[3] %{ $1 = (size_t *)$input.array; %}
%typemap(argout) size_t THREE[3], const size_t THREE[3] ""

/* Visits, as tuples. */
%{
static ouro_status ouro_go_tuple_of(ouro_status status, struct ouro_gathered *gathered, ouro_value *tuple)
{
    *tuple = OURO_NIL;
    if (status == OURO_OK)
        status = ouro_tuple_new(gathered->items, gathered->count, tuple);
    ouro_gather_drop(gathered);
    return status;
}
%}
%inline %{
static ouro_status ouro_gc_objects(int generation, ouro_value *NEW)
{
    struct ouro_gathered gathered;
    return ouro_go_tuple_of(ouro_gather_objects(generation, &gathered), &gathered, NEW);
}
static ouro_status ouro_gc_referents(ouro_value value, ouro_value *NEW)
{
    struct ouro_gathered gathered;
    return ouro_go_tuple_of(ouro_gather_referents(value, &gathered), &gathered, NEW);
}
static ouro_status ouro_gc_referrers(ouro_value value, ouro_value *NEW)
{
    struct ouro_gathered gathered;
    return ouro_go_tuple_of(ouro_gather_referrers(value, &gathered), &gathered, NEW);
}
static ouro_status ouro_gc_garbage(ouro_value *NEW)
{
    struct ouro_gathered gathered;
    return ouro_go_tuple_of(ouro_gather_garbage(&gathered), &gathered, NEW);
}
%}
