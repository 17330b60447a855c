/* SPDX-License-Identifier: MIT
 *
 * convert() and to_python(): deep copies between the heaps. What was shared or cyclic in the original is in the copy. Nothing recurses: mutable
 * containers are made empty when they are met and filled one after the other; tuples, which have to be made of their elements, are made on a stack. */
#include "gc.h"

/* ---- what has been copied: from an address to a word ---- */

struct memo {
    struct entry {
        const void *from;
        uint64_t to;
    } *entries;
    size_t mask, used;
};

static struct entry *memo_find(struct memo *memo, const void *from)
{
    size_t at = ((uintptr_t)from >> 4) * 0x9e3779b97f4a7c15u >> 20 & memo->mask;
    while (memo->entries[at].from && memo->entries[at].from != from)
        at = (at + 1) & memo->mask;
    return &memo->entries[at];
}

static bool memo_put(struct memo *memo, const void *from, uint64_t to)
{
    if (!memo->entries || memo->used > memo->mask / 4 * 3) {
        struct memo more = {.mask = memo->entries ? 2 * memo->mask + 1 : 63};
        more.entries = PyMem_Calloc(more.mask + 1, sizeof *more.entries);
        if (!more.entries) {
            oupy_fail(OURO_E_NOMEM);
            return false;
        }
        for (size_t i = 0; memo->entries && i <= memo->mask; i++) {
            if (memo->entries[i].from)
                *memo_find(&more, memo->entries[i].from) = memo->entries[i];
        }
        more.used = memo->used;
        PyMem_Free(memo->entries);
        *memo = more;
    }
    struct entry *entry = memo_find(memo, from);
    memo->used += !entry->from;
    *entry = (struct entry){from, to};
    return true;
}

static uint64_t memo_get(struct memo *memo, const void *from)
{
    return memo->entries ? memo_find(memo, from)->to : 0;
}

#define UNDER_WAY 3u /* no value and no address */

/* ---- to ouro ---- */

struct tuple_frame {
    PyObject *source;
    Py_ssize_t next;
    struct oupy_values values;
};

struct to_ouro {
    struct memo memo;
    PyObject *sources; /* a list: every container met, kept alive; from `filled` on, mutable ones are to be filled */
    Py_ssize_t filled;
    struct tuple_frame *frames;
    size_t depth, frames_room;
};

static bool meet(struct to_ouro *to, PyObject *source, ouro_value value)
{
    return PyList_Append(to->sources, source) == 0 && memo_put(&to->memo, source, value);
}

static ouro_value empty_for(PyObject *source)
{
    return PyList_CheckExact(source) ? ouro_list_new() : PyDict_CheckExact(source) ? ouro_dict_new() : ouro_set_new();
}

/* Of anything but a tuple that has not been copied yet: *value, borrowed from the memo, or new (then *owned). */
static bool simple(struct to_ouro *to, PyObject *source, ouro_value *value, bool *owned)
{
    bool mutable = PyList_CheckExact(source) || PyDict_CheckExact(source) || PySet_CheckExact(source);
    *owned = !mutable && !PyTuple_CheckExact(source);
    if (*owned)
        return oupy_take(source, value);
    *value = memo_get(&to->memo, source);
    if (*value || !mutable)
        return true;
    *value = empty_for(source);
    if (ouro_is_nil(*value)) {
        oupy_fail(OURO_E_NOMEM);
        return false;
    }
    if (oupy_is_tracing())
        oupy_trace_made(*value);
    if (meet(to, source, *value))
        return true;
    ouro_value_release(*value);
    return false;
}

static bool push(struct to_ouro *to, PyObject *tuple)
{
    if (to->depth == to->frames_room) {
        size_t room = to->frames_room ? 2 * to->frames_room : 8;
        struct tuple_frame *more = PyMem_Malloc(room * sizeof *more); /* frames refer into themselves: not moved, but made anew */
        if (!more) {
            oupy_fail(OURO_E_NOMEM);
            return false;
        }
        for (size_t i = 0; i < to->depth; i++) {
            more[i] = to->frames[i];
            if (to->frames[i].values.items == to->frames[i].values.few)
                more[i].values.items = more[i].values.few;
        }
        PyMem_Free(to->frames);
        to->frames = more;
        to->frames_room = room;
    }
    if (!meet(to, tuple, UNDER_WAY))
        return false;
    struct tuple_frame *frame = &to->frames[to->depth++];
    frame->source = tuple;
    frame->next = 0;
    oupy_values_init(&frame->values);
    return true;
}

static bool pop(struct to_ouro *to)
{
    struct tuple_frame *frame = &to->frames[to->depth - 1];
    ouro_value tuple;
    ouro_status status = ouro_tuple_new(frame->values.items, frame->values.count, &tuple);
    oupy_values_drop(&frame->values);
    to->depth--;
    if (status != OURO_OK) {
        oupy_fail(status);
        return false;
    }
    if (oupy_is_tracing())
        oupy_trace_made(tuple);
    return memo_put(&to->memo, frame->source, tuple);
}

/* The value for the source, new. */
static bool value_of(struct to_ouro *to, PyObject *source, ouro_value *value)
{
    bool owned;
    if (!simple(to, source, value, &owned))
        return false;
    if (*value || owned) {
        if (!owned)
            ouro_value_retain(*value);
        return true;
    }
    if (!push(to, source))
        return false;
    while (to->depth) {
        struct tuple_frame *frame = &to->frames[to->depth - 1];
        if (frame->next == PyTuple_GET_SIZE(frame->source)) {
            if (!pop(to))
                return false;
            continue;
        }
        PyObject *item = PyTuple_GET_ITEM(frame->source, frame->next);
        if (!simple(to, item, value, &owned))
            return false;
        if (*value == UNDER_WAY) {
            PyErr_SetString(oupy_value_error, "a tuple that contains itself cannot be converted");
            return false;
        }
        if (!*value && !owned) {
            if (!push(to, item))
                return false;
            continue;
        }
        if (!owned)
            ouro_value_retain(*value);
        if (!oupy_values_add(&frame->values, *value))
            return false;
        frame->next++;
    }
    *value = ouro_value_retain(memo_get(&to->memo, source));
    return true;
}

static bool add_value(struct to_ouro *to, PyObject *source, struct oupy_values *values)
{
    ouro_value value;
    Py_INCREF(source);
    bool good = value_of(to, source, &value) && oupy_values_add(values, value);
    Py_DECREF(source);
    return good;
}

static bool fill(struct to_ouro *to, PyObject *source)
{
    struct oupy_values keys, values;
    PyObject *iterator, *item, *key, *value;
    ouro_value target = memo_get(&to->memo, source);
    ouro_status status = OURO_OK;
    bool good = true;
    oupy_values_init(&keys);
    oupy_values_init(&values);
    if (PyList_CheckExact(source)) {
        for (Py_ssize_t i = 0; good && i < PyList_GET_SIZE(source); i++)
            good = add_value(to, PyList_GET_ITEM(source, i), &values);
        if (good)
            status = ouro_list_append_all(target, values.items, values.count);
    } else if (PyDict_CheckExact(source)) {
        Py_ssize_t at = 0, size = PyDict_GET_SIZE(source);
        while (good && PyDict_Next(source, &at, &key, &value)) {
            Py_INCREF(value);
            good = add_value(to, key, &keys) && add_value(to, value, &values);
            Py_DECREF(value);
            if (good && size != PyDict_GET_SIZE(source)) {
                PyErr_SetString(oupy_runtime_error, "a dict was changed while it was converted");
                good = false;
            }
        }
        if (good)
            status = ouro_dict_set_all(target, keys.items, values.items, values.count);
    } else if (PySet_CheckExact(source)) {
        iterator = PyObject_GetIter(source);
        good = iterator != NULL;
        while (good && (item = PyIter_Next(iterator))) {
            good = add_value(to, item, &values);
            Py_DECREF(item);
        }
        Py_XDECREF(iterator);
        good = good && !PyErr_Occurred();
        if (good)
            status = ouro_set_add_all(target, values.items, values.count);
    }
    if (good && status == OURO_OK && oupy_is_tracing())
        oupy_trace_changed(target);
    oupy_values_drop(&keys);
    oupy_values_drop(&values);
    if (good && status != OURO_OK)
        oupy_fail(status);
    return good && status == OURO_OK;
}

PyObject *oupy_convert(PyObject *object)
{
    struct to_ouro to = {.sources = PyList_New(0)};
    ouro_value value = OURO_NIL;
    oupy_enter();
    bool good = to.sources && value_of(&to, object, &value);
    while (good && to.filled < PyList_GET_SIZE(to.sources)) {
        PyObject *source = PyList_GET_ITEM(to.sources, to.filled++);
        good = PyTuple_CheckExact(source) || fill(&to, source);
    }
    while (to.depth)
        oupy_values_drop(&to.frames[--to.depth].values);
    PyMem_Free(to.frames);
    for (size_t i = 0; to.memo.entries && i <= to.memo.mask; i++) {
        if (to.memo.entries[i].to != UNDER_WAY)
            ouro_value_release(to.memo.entries[i].to);
    }
    PyMem_Free(to.memo.entries);
    Py_XDECREF(to.sources);
    if (good)
        return oupy_object(value);
    ouro_value_release(value);
    return NULL;
}

/* ---- to Python ---- */

struct unfinished {
    ouro_value source; /* borrowed from `held` */
    size_t next;
    PyObject *made; /* of a tuple: a list of what is done */
};

struct to_python {
    struct memo memo;          /* from object to PyObject, held by `targets` */
    PyObject *targets;         /* a list */
    struct oupy_values held;   /* the source of each target, in the same order */
    size_t filled;
    struct unfinished *frames; /* tuples */
    size_t depth, frames_room;
};

static bool is_mutable(ouro_kind kind)
{
    return kind == OURO_KIND_LIST || kind == OURO_KIND_DICT || kind == OURO_KIND_SET || kind == OURO_KIND_RECORD;
}

static bool met(struct to_python *to, ouro_value source, PyObject *target)
{
    return PyList_Append(to->targets, target) == 0 && oupy_values_add(&to->held, ouro_value_retain(source)) &&
           memo_put(&to->memo, ouro_value_object(source), (uintptr_t)target);
}

/* *object: new; NULL without an error: a tuple that has not been copied yet. The value is borrowed. */
static bool simple_object(struct to_python *to, ouro_value value, PyObject **object)
{
    ouro_kind kind = ouro_kind_of(value);
    if (!is_mutable(kind) && kind != OURO_KIND_TUPLE) {
        *object = oupy_object(ouro_value_retain(value));
        return *object != NULL;
    }
    uint64_t known = memo_get(&to->memo, ouro_value_object(value));
    *object = known && known != UNDER_WAY ? Py_NewRef((PyObject *)(uintptr_t)known) : NULL;
    if (*object || kind == OURO_KIND_TUPLE)
        return true;
    *object = kind == OURO_KIND_LIST ? PyList_New(0) : kind == OURO_KIND_SET ? PySet_New(NULL) : PyDict_New();
    if (*object && met(to, value, *object))
        return true;
    Py_CLEAR(*object);
    return false;
}

static bool push_tuple(struct to_python *to, ouro_value tuple)
{
    if (to->depth == to->frames_room) {
        size_t room = to->frames_room ? 2 * to->frames_room : 16;
        struct unfinished *more = PyMem_Realloc(to->frames, room * sizeof *more);
        if (!more) {
            oupy_fail(OURO_E_NOMEM);
            return false;
        }
        to->frames = more;
        to->frames_room = room;
    }
    size_t count;
    (void)ouro_tuple_items(tuple, &count);
    PyObject *made = PyTuple_New((Py_ssize_t)count);
    if (!made)
        return false;
    to->frames[to->depth++] = (struct unfinished){tuple, 0, made};
    return true;
}

/* The object for the value, which is borrowed: new. */
static PyObject *object_of(struct to_python *to, ouro_value value)
{
    PyObject *object;
    if (!simple_object(to, value, &object))
        return NULL;
    if (object)
        return object;
    size_t base = to->depth;
    if (!push_tuple(to, value))
        return NULL;
    for (;;) {
        struct unfinished *frame = &to->frames[to->depth - 1];
        size_t count;
        const ouro_value *items = ouro_tuple_items(frame->source, &count);
        if (frame->next < count) {
            if (!simple_object(to, items[frame->next], &object))
                return NULL;
            if (object)
                PyTuple_SET_ITEM(frame->made, (Py_ssize_t)frame->next++, object);
            else if (!push_tuple(to, items[frame->next]))
                return NULL;
            continue;
        }
        object = frame->made;
        to->depth--;
        if (!met(to, frame->source, object)) {
            Py_DECREF(object);
            return NULL;
        }
        if (to->depth == base)
            return object;
        frame = &to->frames[to->depth - 1];
        PyTuple_SET_ITEM(frame->made, (Py_ssize_t)frame->next++, object);
    }
}

static bool fill_list(struct to_python *to, ouro_value source, PyObject *target)
{
    struct oupy_values values;
    if (!oupy_values_of_list(&values, source))
        return false;
    PyObject *all = PyList_New((Py_ssize_t)values.count);
    bool good = all != NULL;
    for (size_t i = 0; good && i < values.count; i++) {
        PyObject *object = object_of(to, values.items[i]);
        if (object)
            PyList_SET_ITEM(all, (Py_ssize_t)i, object);
        good = object != NULL;
    }
    good = good && PyList_SetSlice(target, 0, PyList_GET_SIZE(target), all) == 0;
    Py_XDECREF(all);
    oupy_values_drop(&values);
    return good;
}

static bool fill_from_iterator(struct to_python *to, ouro_value source, PyObject *target)
{
    ouro_value iterator, key, value = OURO_NIL;
    bool pairs = ouro_kind_of(source) == OURO_KIND_DICT, good = true;
    ouro_status status = ouro_iterate(source, &iterator);
    while (good && status == OURO_OK) {
        status = pairs ? ouro_iterator_next_pair(iterator, &key, &value) : ouro_iterator_next(iterator, &key);
        if (status != OURO_OK)
            break;
        PyObject *k = object_of(to, key), *v = k && pairs ? object_of(to, value) : NULL;
        good = k && (!pairs || v) && (pairs ? PyDict_SetItem(target, k, v) : PySet_Add(target, k)) == 0;
        Py_XDECREF(k);
        Py_XDECREF(v);
        ouro_value_release(key);
        ouro_value_release(value);
        value = OURO_NIL;
    }
    ouro_value_release(iterator);
    if (good && status != OURO_E_END) {
        oupy_fail(status);
        good = false;
    }
    return good;
}

static bool fill_record(struct to_python *to, ouro_value source, PyObject *target)
{
    ouro_value shape, name, value;
    size_t count = 0;
    bool good = true;
    ouro_status status = ouro_record_shape(source, &shape);
    if (status == OURO_OK)
        status = ouro_shape_length(shape, &count);
    for (size_t i = 0; good && status == OURO_OK && i < count; i++) {
        status = ouro_shape_field(shape, i, &name);
        if (status != OURO_OK)
            break;
        status = ouro_record_get_at(source, i, &value);
        if (status == OURO_OK) {
            PyObject *k = oupy_string_object(name), *v = k ? object_of(to, value) : NULL;
            good = v && PyDict_SetItem(target, k, v) == 0;
            Py_XDECREF(k);
            Py_XDECREF(v);
            ouro_value_release(value);
        }
        ouro_value_release(name);
    }
    ouro_value_release(shape);
    if (good && status != OURO_OK)
        oupy_fail(status);
    return good && status == OURO_OK;
}

PyObject *oupy_to_python(PyObject *object)
{
    if (!oupy_is_any(object))
        return Py_NewRef(object);
    ouro_value value = oupy_value(object);
    if (ouro_is_nil(value))
        return oupy_fail_closed();
    ouro_value_retain(value);
    struct to_python to = {.targets = PyList_New(0)};
    oupy_values_init(&to.held);
    PyObject *result = to.targets ? object_of(&to, value) : NULL;
    bool good = result != NULL;
    for (; good && to.filled < to.held.count; to.filled++) {
        ouro_value source = to.held.items[to.filled];
        PyObject *target = PyList_GET_ITEM(to.targets, (Py_ssize_t)to.filled);
        switch (ouro_kind_of(source)) {
        case OURO_KIND_LIST:
            good = fill_list(&to, source, target);
            break;
        case OURO_KIND_TUPLE:
            break;
        case OURO_KIND_RECORD:
            good = fill_record(&to, source, target);
            break;
        default:
            good = fill_from_iterator(&to, source, target);
        }
    }
    ouro_value_release(value);
    while (to.depth)
        Py_DECREF(to.frames[--to.depth].made);
    PyMem_Free(to.frames);
    PyMem_Free(to.memo.entries);
    oupy_values_drop(&to.held);
    Py_XDECREF(to.targets);
    if (!good)
        Py_CLEAR(result);
    return result;
}

/* ---- interning ---- */

PyObject *oupy_intern(PyObject *text)
{
    if (!PyUnicode_CheckExact(text))
        return oupy_fail_type("s", "str", text);
    Py_INCREF(text);
    PyUnicode_InternInPlace(&text);
    return text;
}
