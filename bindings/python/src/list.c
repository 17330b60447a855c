/* SPDX-License-Identifier: MIT
 *
 * ouro.List. */
#include "oupy.h"

#include "list.h"

static PyObject *made(ouro_status status, ouro_value value)
{
    if (status != OURO_OK)
        return oupy_fail(status);
    if (oupy_is_tracing())
        oupy_trace_made(value);
    return oupy_object_slow(value);
}

/* NULL as well: the operation has failed because the wrapper has no object. */
static PyObject *fail(PyObject *self, ouro_status status)
{
    return ((oupy_wrapper *)self)->object ? oupy_fail(status) : oupy_fail_closed();
}

static PyObject *none(PyObject *self, ouro_status status)
{
    if (status != OURO_OK)
        return fail(self, status);
    if (__builtin_expect(oupy_is_tracing(), 0))
        oupy_trace_changed(oupy_value(self));
    Py_RETURN_NONE;
}

static size_t length_of(PyObject *self)
{
    size_t length;
    return ouro_list_length(oupy_value(self), &length) == OURO_OK ? length : 0;
}

/* ---- making ---- */

int oupy_list_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"iterable", NULL};
    PyObject *iterable = NULL;
    struct oupy_values values;
    ouro_value list;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:List", names, &iterable))
        return -1;
    oupy_enter();
    if (((oupy_wrapper *)self)->object) { /* again: as for list, the elements are replaced */
        PyObject *done = oupy_list_clear(self);
        Py_XDECREF(done);
        if (done && iterable)
            Py_XDECREF(done = oupy_list_extend(self, iterable));
        return done ? 0 : -1;
    }
    if (iterable && !oupy_values_of(&values, iterable, "iterable"))
        return -1;
    ouro_status status = OURO_OK;
    if (iterable) {
        status = ouro_list_from(values.items, values.count, &list);
        oupy_values_drop(&values);
    } else {
        list = ouro_list_new();
        if (ouro_is_nil(list))
            status = OURO_E_NOMEM;
    }
    if (status != OURO_OK) {
        oupy_fail(status);
        return -1;
    }
    if (oupy_is_tracing())
        oupy_trace_made(list);
    return oupy_adopt(self, list);
}

/* ---- elements ---- */

Py_ssize_t oupy_list_length(PyObject *self)
{
    size_t length;
    ouro_status status = ouro_list_length(oupy_value(self), &length);
    if (status == OURO_OK)
        return (Py_ssize_t)length;
    fail(self, status);
    return -1;
}

static PyObject *get(PyObject *self, Py_ssize_t index)
{
    ouro_value item;
    ouro_status status = ouro_list_get(oupy_value(self), index, &item);
    if (__builtin_expect(status == OURO_OK, 1))
        return oupy_object(item);
    return status == OURO_E_INDEX ? oupy_fail_index(oupy_value(self), index) : fail(self, status);
}

/* Of an index below 0 Python has already subtracted from the length. */
PyObject *oupy_list_item(PyObject *self, Py_ssize_t index)
{
    if (index < 0)
        return oupy_fail_index(oupy_value(self), index);
    return get(self, index);
}

static PyObject *get_slice(PyObject *self, PyObject *slice)
{
    ptrdiff_t start, stop, step;
    ouro_value result;
    ouro_status status;
    if (!oupy_slice(slice, &start, &stop, &step))
        return NULL;
    oupy_enter();
    ouro_value list = oupy_value(self);
    if (length_of(self) < OUPY_MANY) {
        status = ouro_list_slice(list, start, stop, step, &result);
    } else {
        OUPY_RELEASE
        status = ouro_list_slice(list, start, stop, step, &result);
        OUPY_REACQUIRE
    }
    return status == OURO_OK ? made(status, result) : fail(self, status);
}

static PyObject *fail_subscript(PyObject *key)
{
    return oupy_fail_type("index", "an integer or a slice", key);
}

PyObject *oupy_list_subscript(PyObject *self, PyObject *key)
{
    Py_ssize_t index;
    if (PyLong_CheckExact(key)) {
        index = PyLong_AsSsize_t(key);
        if (__builtin_expect(index != -1, 1) || !PyErr_Occurred())
            return get(self, index);
        PyErr_Clear();
    }
    if (PyIndex_Check(key))
        return oupy_index(key, "index", &index) ? get(self, index) : NULL;
    return PySlice_Check(key) ? get_slice(self, key) : fail_subscript(key);
}

static int set(PyObject *self, Py_ssize_t index, PyObject *item)
{
    ouro_status status;
    if (item) {
        ouro_value value;
        int borrowed = oupy_borrow(item, &value);
        if (borrowed < 0)
            return -1;
        status = ouro_list_set(oupy_value(self), index, value);
        oupy_done(borrowed, value);
    } else {
        status = ouro_list_delete(oupy_value(self), index);
    }
    if (status == OURO_OK)
        return 0;
    if (status == OURO_E_INDEX)
        oupy_fail_index(oupy_value(self), index);
    else
        fail(self, status);
    return -1;
}

int oupy_list_set_item(PyObject *self, Py_ssize_t index, PyObject *item)
{
    if (index >= 0)
        return set(self, index, item);
    oupy_fail_index(oupy_value(self), index);
    return -1;
}

static int set_slice(PyObject *self, PyObject *slice, PyObject *iterable)
{
    ptrdiff_t start, stop, step;
    ouro_status status;
    struct oupy_values values;
    if (!oupy_slice(slice, &start, &stop, &step) || (iterable && !oupy_values_of(&values, iterable, "value")))
        return -1;
    if (!iterable && start == 0 && stop == PY_SSIZE_T_MAX && step == 1) { /* all: needs no memory */
        PyObject *done = oupy_list_clear(self);
        Py_XDECREF(done);
        return done ? 0 : -1;
    }
    oupy_enter();
    ouro_value list = oupy_value(self);
    size_t count = iterable ? values.count : 0;
    bool many = count + length_of(self) >= OUPY_MANY;
    if (!many) {
        status = iterable ? ouro_list_set_slice(list, start, stop, step, values.items, count) : ouro_list_delete_slice(list, start, stop, step);
    } else {
        OUPY_RELEASE
        status = iterable ? ouro_list_set_slice(list, start, stop, step, values.items, count) : ouro_list_delete_slice(list, start, stop, step);
        OUPY_REACQUIRE
    }
    if (iterable)
        oupy_values_drop(&values);
    if (status == OURO_E_INVALID && iterable) {
        Py_ssize_t from = start, to = stop;
        Py_ssize_t room = PySlice_AdjustIndices((Py_ssize_t)length_of(self), &from, &to, step);
        PyErr_Format(oupy_value_error, "value must have as many elements as the slice, %zd, not %zu", room, count);
    } else if (status != OURO_OK) {
        fail(self, status);
    }
    return status == OURO_OK ? 0 : -1;
}

int oupy_list_set_subscript(PyObject *self, PyObject *key, PyObject *item)
{
    Py_ssize_t index;
    if (PyIndex_Check(key))
        return oupy_index(key, "index", &index) ? set(self, index, item) : -1;
    if (PySlice_Check(key))
        return set_slice(self, key, item);
    fail_subscript(key);
    return -1;
}

/* ---- searching: the list as it was at one moment ---- */

static int search(PyObject *self, PyObject *item, ptrdiff_t from, ptrdiff_t to, size_t *at, ouro_value *found)
{
    struct oupy_values values;
    if (!oupy_values_of_list(&values, oupy_value(self)))
        return -1;
    int is = oupy_search(values.items, values.count, item, from, to, at);
    if (found)
        *found = is > 0 ? ouro_value_retain(values.items[*at]) : OURO_NIL;
    oupy_values_drop(&values);
    return is;
}

int oupy_list_contains(PyObject *self, PyObject *item)
{
    size_t at;
    return search(self, item, 0, PTRDIFF_MAX, &at, NULL);
}

static PyObject *fail_search(PyObject *item)
{
    PyErr_Format(oupy_value_error, "item %R is not in the list", item);
    return NULL;
}

PyObject *oupy_list_index(PyObject *self, PyObject *item, PyObject *start, PyObject *stop)
{
    ptrdiff_t from, to;
    size_t at;
    if (!oupy_bounds(start, stop, &from, &to))
        return NULL;
    int found = search(self, item, from, to, &at, NULL);
    return found > 0 ? PyLong_FromSize_t(at) : found < 0 ? NULL : fail_search(item);
}

PyObject *oupy_list_count(PyObject *self, PyObject *item)
{
    struct oupy_values values;
    if (!oupy_values_of_list(&values, oupy_value(self)))
        return NULL;
    Py_ssize_t found = oupy_occurrences(values.items, values.count, item);
    oupy_values_drop(&values);
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

PyObject *oupy_list_remove(PyObject *self, PyObject *item)
{
    for (;;) {
        size_t at;
        ouro_value found;
        int is = search(self, item, 0, PTRDIFF_MAX, &at, &found);
        if (is <= 0)
            return is < 0 ? NULL : fail_search(item);
        /* The first that equals what was found: unless somebody was quicker, that is the one. */
        ouro_status status = ouro_list_remove(oupy_value(self), found);
        ouro_value_release(found);
        if (status != OURO_E_KEY)
            return none(self, status);
    }
}

/* ---- changing ---- */

PyObject *oupy_list_append(PyObject *self, ouro_value item)
{
    oupy_enter();
    return none(self, ouro_list_append(oupy_value(self), item));
}

static ouro_status append_all(PyObject *self, const struct oupy_values *values)
{
    ouro_status status;
    ouro_value list = oupy_value(self);
    if (values->count < OUPY_MANY)
        return ouro_list_append_all(list, values->items, values->count);
    OUPY_RELEASE
    status = ouro_list_append_all(list, values->items, values->count);
    OUPY_REACQUIRE
    return status;
}

PyObject *oupy_list_extend(PyObject *self, PyObject *iterable)
{
    struct oupy_values values;
    oupy_enter();
    if (!oupy_values_of(&values, iterable, "iterable"))
        return NULL;
    ouro_status status = append_all(self, &values);
    oupy_values_drop(&values);
    return none(self, status);
}

PyObject *oupy_list_insert(PyObject *self, PyObject *index, ouro_value item)
{
    ptrdiff_t at, end;
    if (!oupy_bounds(index, NULL, &at, &end)) {
        if (PyErr_ExceptionMatches(oupy_type_error))
            oupy_fail_type("index", "an integer", index);
        return NULL;
    }
    oupy_enter();
    return none(self, ouro_list_insert(oupy_value(self), at, item));
}

PyObject *oupy_list_pop(PyObject *self, PyObject *index)
{
    Py_ssize_t at = -1;
    ouro_value item;
    if (index && !oupy_index(index, "index", &at))
        return NULL;
    ouro_status status = ouro_list_pop(oupy_value(self), at, &item);
    if (status == OURO_OK)
        return oupy_object(item);
    return status == OURO_E_INDEX ? oupy_fail_index(oupy_value(self), at) : fail(self, status);
}

PyObject *oupy_list_clear(PyObject *self)
{
    ouro_status status;
    ouro_value list = oupy_value(self);
    if (length_of(self) < OUPY_MANY)
        return none(self, ouro_list_clear(list));
    OUPY_RELEASE
    status = ouro_list_clear(list);
    OUPY_REACQUIRE
    return none(self, status);
}

PyObject *oupy_list_reverse(PyObject *self)
{
    ouro_status status;
    ouro_value list = oupy_value(self);
    oupy_enter();
    if (length_of(self) < OUPY_MANY)
        return none(self, ouro_list_reverse(list));
    OUPY_RELEASE
    status = ouro_list_reverse(list);
    OUPY_REACQUIRE
    return none(self, status);
}

PyObject *oupy_list_copy(PyObject *self)
{
    ouro_status status;
    ouro_value copy, list = oupy_value(self);
    oupy_enter();
    OUPY_RELEASE
    status = ouro_list_slice(list, OURO_OMITTED, OURO_OMITTED, 1, &copy);
    OUPY_REACQUIRE
    return status == OURO_OK ? made(status, copy) : fail(self, status);
}

/* ---- sorting ---- */

/* Python's own objects, and None, which has an order in the library, but not in Python. */
static bool is_for_python(const struct oupy_values *values)
{
    for (size_t i = 0; i < values->count && values->count > 1; i++) {
        if (ouro_is_nil(values->items[i]) || ouro_kind_of(values->items[i]) == OURO_KIND_HOST)
            return true;
    }
    return false;
}

static ouro_status sort_here(PyObject *self, bool reverse, bool many)
{
    ouro_status status;
    ouro_value list = oupy_value(self);
    if (!many)
        return ouro_list_sort(list, reverse);
    OUPY_RELEASE
    status = ouro_list_sort(list, reverse);
    OUPY_REACQUIRE
    return status;
}

/* As Python sorts: its objects, with its comparison; then the words are put in that order. */
static PyObject *sort_in_python(PyObject *self, struct oupy_values *values, PyObject *key, bool reverse)
{
    static PyObject *permutation;
    struct oupy_values now, sorted;
    if (!permutation && !(permutation = oupy_import("ouro._order", "permutation")))
        return NULL;
    ouro_value_retain_all(values->items, values->count);
    PyObject *objects = oupy_list_of(values->items, values->count);
    PyObject *order = objects ? PyObject_CallFunction(permutation, "OOO", objects, key, reverse ? Py_True : Py_False) : NULL;
    Py_XDECREF(objects);
    if (!order)
        return NULL;
    oupy_values_init(&sorted);
    bool good = oupy_values_reserve(&sorted, values->count) && oupy_values_of_list(&now, oupy_value(self));
    if (good) {
        for (size_t i = 0; i < values->count; i++)
            sorted.items[i] = values->items[PyLong_AsSize_t(PyList_GET_ITEM(order, (Py_ssize_t)i))]; /* borrowed from values */
        if (now.count != values->count || memcmp(now.items, values->items, now.count * sizeof *now.items) != 0) {
            PyErr_SetString(oupy_value_error, "the list was changed while it was sorted");
            good = false;
        } else {
            ouro_status status =
                ouro_list_set_slice(oupy_value(self), OURO_OMITTED, OURO_OMITTED, 1, sorted.items, values->count);
            if (status != OURO_OK)
                fail(self, status);
            good = status == OURO_OK;
        }
        oupy_values_drop(&now);
    }
    oupy_values_drop(&sorted);
    Py_DECREF(order);
    if (!good)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *oupy_list_sort(PyObject *self, PyObject *key, PyObject *reverse)
{
    struct oupy_values values;
    int descending = reverse ? PyObject_IsTrue(reverse) : 0;
    if (descending < 0)
        return NULL;
    if (key && key != Py_None && !PyCallable_Check(key))
        return oupy_fail_type("key", "callable or None", key);
    oupy_enter();
    if (!oupy_values_of_list(&values, oupy_value(self)))
        return NULL;
    PyObject *result = NULL;
    ouro_status status = OURO_E_TYPE;
    if ((!key || key == Py_None) && !is_for_python(&values))
        status = sort_here(self, descending, values.count >= OUPY_MANY);
    if (status == OURO_E_CHANGED)
        PyErr_SetString(oupy_value_error, "the list was changed while it was sorted");
    else if (status != OURO_E_TYPE)
        result = none(self, status);
    else
        result = sort_in_python(self, &values, key ? key : Py_None, descending);
    oupy_values_drop(&values);
    return result;
}

/* ---- operators ---- */

/* List + list, either way round: a new List. */
PyObject *oupy_list_add(PyObject *a, PyObject *b)
{
    struct oupy_values first, second;
    ouro_value list;
    bool left = oupy_is(a, OURO_KIND_LIST), right = oupy_is(b, OURO_KIND_LIST);
    if (!(left || PyList_Check(a)) || !(right || PyList_Check(b)))
        Py_RETURN_NOTIMPLEMENTED;
    oupy_enter();
    if (left && right) {
        ouro_status status;
        ouro_value x = oupy_value(a), y = oupy_value(b);
        OUPY_RELEASE
        status = ouro_list_concat(x, y, &list);
        OUPY_REACQUIRE
        return made(status, list);
    }
    if (!oupy_values_of(&first, a, "left operand"))
        return NULL;
    if (!oupy_values_of(&second, b, "right operand")) {
        oupy_values_drop(&first);
        return NULL;
    }
    ouro_status status = OURO_E_NOMEM;
    if (oupy_values_reserve(&first, first.count + second.count)) {
        memcpy(first.items + first.count, second.items, second.count * sizeof *second.items);
        first.count += second.count;
        second.count = 0;
        status = ouro_list_from(first.items, first.count, &list);
    }
    oupy_values_drop(&first);
    oupy_values_drop(&second);
    return made(status, list);
}

PyObject *oupy_list_iadd(PyObject *self, PyObject *iterable)
{
    PyObject *done = oupy_list_extend(self, iterable);
    if (!done)
        return NULL;
    Py_DECREF(done);
    return Py_NewRef(self);
}

PyObject *oupy_list_repeat(PyObject *self, Py_ssize_t times)
{
    ouro_status status;
    ouro_value result, list = oupy_value(self);
    oupy_enter();
    OUPY_RELEASE
    status = ouro_list_repeat(list, times < 0 ? 0 : (size_t)times, &result);
    OUPY_REACQUIRE
    return status == OURO_OK ? made(status, result) : fail(self, status);
}

PyObject *oupy_list_irepeat(PyObject *self, Py_ssize_t times)
{
    struct oupy_values values, all;
    PyObject *result = NULL;
    if (times < 1) {
        result = oupy_list_clear(self);
        Py_XDECREF(result);
        return result ? Py_NewRef(self) : NULL;
    }
    oupy_enter();
    if (!oupy_values_of_list(&values, oupy_value(self)))
        return NULL;
    oupy_values_init(&all);
    size_t more = (size_t)times - 1;
    if (values.count && more > (size_t)PY_SSIZE_T_MAX / sizeof(ouro_value) / values.count) {
        oupy_fail(OURO_E_NOMEM);
    } else if (oupy_values_reserve(&all, values.count * more)) {
        for (size_t i = 0; i < more; i++)
            memcpy(all.items + i * values.count, values.items, values.count * sizeof *values.items); /* borrowed from values */
        all.count = values.count * more;
        result = none(self, append_all(self, &all));
        all.count = 0;
    }
    oupy_values_drop(&all);
    oupy_values_drop(&values);
    if (!result)
        return NULL;
    Py_DECREF(result);
    return Py_NewRef(self);
}

/* ---- the rest of the protocol ---- */

PyObject *oupy_list_iter(PyObject *self)
{
    return oupy_iterator_new(self, false);
}

PyObject *oupy_list_reversed(PyObject *self)
{
    return oupy_iterator_new(self, true);
}

PyObject *oupy_list_compare(PyObject *self, PyObject *other, int op)
{
    return oupy_compare_plain(self, other, op);
}

PyObject *oupy_list_repr(PyObject *self)
{
    return oupy_repr_plain(self, "[...]");
}

/* For pickle and copy: an empty one, and the elements after it, so that a list may contain itself. */
PyObject *oupy_list_reduce(PyObject *self)
{
    PyObject *state = PyObject_GetAttrString(self, "__dict__"); /* of a subclass */
    if (!state) {
        PyErr_Clear();
        state = Py_NewRef(Py_None);
    }
    PyObject *elements = oupy_iterator_new(self, false);
    return elements ? Py_BuildValue("O()NN", Py_TYPE(self), state, elements) : NULL;
}
