/* SPDX-License-Identifier: MIT
 *
 * ouro.Dict.
 *
 * To Python True and 1 are one key, and so are False and 0. To ouro they are two: so where one is looked for and not there, the other is, and where one
 * is put in while the other is there, that one gets the value. (Two threads that put them in at the same time may leave both.) */
#include "dict.h"

/* ---- keys ---- */

bool oupy_key_alias(ouro_value key, ouro_value *alias)
{
    if (ouro_is_bool(key)) {
        *alias = ouro_int_new(ouro_bool_value(key));
        return true;
    }
    double number = ouro_is_int(key) ? (double)ouro_int_value(key) : ouro_kind_of(key) == OURO_KIND_FLOAT ? ouro_float_value(key) : 2.0;
    *alias = ouro_bool_new(number == 1.0);
    return number == 0.0 || number == 1.0;
}

static PyObject *fail(PyObject *self, ouro_status status, PyObject *key)
{
    if (!((oupy_wrapper *)self)->object)
        return oupy_fail_closed();
    return status == OURO_E_KEY ? oupy_fail_key(key) : oupy_fail(status);
}

static ouro_status look_up(ouro_value dict, ouro_value key, ouro_value *value)
{
    ouro_value alias;
    ouro_status status = ouro_dict_get(dict, key, value);
    if (status == OURO_E_KEY && oupy_key_alias(key, &alias))
        status = ouro_dict_get(dict, alias, value);
    return status;
}

/* The key to store under. */
static ouro_value key_for(ouro_value dict, ouro_value key)
{
    ouro_value alias;
    bool has = false;
    if (oupy_key_alias(key, &alias) && ouro_dict_has(dict, alias, &has) == OURO_OK && has)
        return alias;
    return key;
}

static PyObject *made(ouro_status status, ouro_value value)
{
    if (status != OURO_OK)
        return oupy_fail(status);
    if (oupy_is_tracing())
        oupy_trace_made(value);
    return oupy_object_slow(value);
}

static int changed(PyObject *self, ouro_status status, PyObject *key)
{
    if (status != OURO_OK) {
        fail(self, status, key);
        return -1;
    }
    if (__builtin_expect(oupy_is_tracing(), 0))
        oupy_trace_changed(oupy_value(self));
    return 0;
}

/* ---- elements ---- */

Py_ssize_t oupy_dict_length(PyObject *self)
{
    size_t length;
    ouro_status status = ouro_dict_length(oupy_value(self), &length);
    if (status == OURO_OK)
        return (Py_ssize_t)length;
    fail(self, status, NULL);
    return -1;
}

PyObject *oupy_dict_subscript(PyObject *self, PyObject *key)
{
    ouro_value k, value;
    int borrowed = oupy_borrow_key(key, &k);
    if (borrowed < 0)
        return NULL;
    ouro_status status = look_up(oupy_value(self), k, &value);
    oupy_done(borrowed, k);
    if (__builtin_expect(status == OURO_OK, 1))
        return oupy_object(value);
    if (status == OURO_E_KEY && !oupy_is_exact(self)) {
        PyObject *missing = PyObject_GetAttrString(self, "__missing__"); /* of a subclass */
        if (missing) {
            PyObject *result = PyObject_CallOneArg(missing, key);
            Py_DECREF(missing);
            return result;
        }
        PyErr_Clear();
    }
    return fail(self, status, key);
}

static ouro_status take_out(ouro_value dict, ouro_value key, ouro_value *value)
{
    ouro_value alias;
    ouro_status status = ouro_dict_pop(dict, key, value);
    if (status == OURO_E_KEY && oupy_key_alias(key, &alias))
        status = ouro_dict_pop(dict, alias, value);
    return status;
}

int oupy_dict_set_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    ouro_value k, v;
    ouro_status status;
    int borrowed = oupy_borrow_key(key, &k);
    if (borrowed < 0)
        return -1;
    oupy_enter();
    if (value) {
        int borrowed_value = oupy_borrow(value, &v);
        if (borrowed_value < 0) {
            oupy_done(borrowed, k);
            return -1;
        }
        status = ouro_dict_set(oupy_value(self), key_for(oupy_value(self), k), v);
        oupy_done(borrowed_value, v);
    } else {
        status = take_out(oupy_value(self), k, NULL);
    }
    oupy_done(borrowed, k);
    return changed(self, status, key);
}

int oupy_dict_contains(PyObject *self, PyObject *key)
{
    ouro_value k, alias;
    bool has = false;
    int borrowed = oupy_borrow_key(key, &k);
    if (borrowed < 0)
        return -1;
    ouro_status status = ouro_dict_has(oupy_value(self), k, &has);
    if (status == OURO_OK && !has && oupy_key_alias(k, &alias))
        status = ouro_dict_has(oupy_value(self), alias, &has);
    oupy_done(borrowed, k);
    if (status == OURO_OK)
        return has;
    fail(self, status, key);
    return -1;
}

PyObject *oupy_dict_get(PyObject *self, PyObject *key, PyObject *fallback)
{
    ouro_value k, value;
    int borrowed = oupy_borrow_key(key, &k);
    if (borrowed < 0)
        return NULL;
    ouro_status status = look_up(oupy_value(self), k, &value);
    oupy_done(borrowed, k);
    if (status == OURO_OK)
        return oupy_object(value);
    return status == OURO_E_KEY ? Py_NewRef(fallback ? fallback : Py_None) : fail(self, status, key);
}

PyObject *oupy_dict_setdefault(PyObject *self, PyObject *key, PyObject *value)
{
    ouro_value k, v, now;
    int borrowed = oupy_borrow_key(key, &k);
    if (borrowed < 0)
        return NULL;
    int borrowed_value = oupy_borrow(value ? value : Py_None, &v);
    if (borrowed_value < 0) {
        oupy_done(borrowed, k);
        return NULL;
    }
    oupy_enter();
    ouro_status status = ouro_dict_setdefault(oupy_value(self), key_for(oupy_value(self), k), v, &now);
    oupy_done(borrowed_value, v);
    oupy_done(borrowed, k);
    if (changed(self, status, key) < 0)
        return NULL;
    return oupy_object(now);
}

PyObject *oupy_dict_pop(PyObject *self, PyObject *key, PyObject *fallback)
{
    ouro_value k, value;
    int borrowed = oupy_borrow_key(key, &k);
    if (borrowed < 0)
        return NULL;
    oupy_enter();
    ouro_status status = take_out(oupy_value(self), k, &value);
    oupy_done(borrowed, k);
    if (status == OURO_OK)
        return oupy_object(value);
    return status == OURO_E_KEY && fallback ? Py_NewRef(fallback) : fail(self, status, key);
}

PyObject *oupy_dict_popitem(PyObject *self)
{
    ouro_value key, value;
    oupy_enter();
    ouro_status status = ouro_dict_pop_item(oupy_value(self), false, &key, &value);
    if (status == OURO_E_KEY) {
        PyErr_SetString(oupy_key_error, "popitem: the dict is empty");
        return NULL;
    }
    if (status != OURO_OK)
        return fail(self, status, NULL);
    PyObject *k = oupy_object(key), *v = oupy_object(value);
    return k && v ? Py_BuildValue("(NN)", k, v) : NULL;
}

PyObject *oupy_dict_clear(PyObject *self)
{
    ouro_status status;
    ouro_value dict = oupy_value(self);
    oupy_enter();
    OUPY_RELEASE
    status = ouro_dict_clear(dict);
    OUPY_REACQUIRE
    return changed(self, status, NULL) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *oupy_dict_copy(PyObject *self)
{
    ouro_status status;
    ouro_value copy, dict = oupy_value(self);
    if (ouro_is_nil(dict))
        return oupy_fail_closed();
    oupy_enter();
    OUPY_RELEASE
    status = ouro_copy(dict, &copy);
    OUPY_REACQUIRE
    return status == OURO_OK ? made(status, copy) : fail(self, status, NULL);
}

/* ---- many ---- */

struct pairs {
    struct oupy_values keys, values;
    bool aliases; /* one of the keys is a boolean, 0 or 1 */
};

static bool add_pair(struct pairs *pairs, PyObject *key, PyObject *value)
{
    ouro_value k, v, alias;
    Py_INCREF(key);
    Py_INCREF(value);
    int borrowed = oupy_borrow_key(key, &k);
    bool good = borrowed >= 0 && oupy_take(value, &v);
    if (borrowed == 0)
        ouro_value_retain(k);
    if (good) {
        pairs->aliases = pairs->aliases || oupy_key_alias(k, &alias);
        good = oupy_values_add(&pairs->keys, k) && oupy_values_add(&pairs->values, v);
    } else if (borrowed >= 0) {
        ouro_value_release(k);
    }
    Py_DECREF(key);
    Py_DECREF(value);
    return good;
}

static bool add_dict(struct pairs *pairs, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, size = PyDict_GET_SIZE(dict);
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (!add_pair(pairs, key, value))
            return false;
        if (size != PyDict_GET_SIZE(dict)) {
            PyErr_SetString(oupy_runtime_error, "the dict was changed while it was read");
            return false;
        }
    }
    return true;
}

static bool add_mapping(struct pairs *pairs, PyObject *mapping)
{
    PyObject *keys = PyMapping_Keys(mapping), *iterator = keys ? PyObject_GetIter(keys) : NULL, *key;
    bool good = iterator != NULL;
    Py_XDECREF(keys);
    while (good && (key = PyIter_Next(iterator))) {
        PyObject *value = PyObject_GetItem(mapping, key);
        good = value && add_pair(pairs, key, value);
        Py_XDECREF(value);
        Py_DECREF(key);
    }
    Py_XDECREF(iterator);
    return good && !PyErr_Occurred();
}

static bool add_pairs(struct pairs *pairs, PyObject *iterable, const char *argument)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    size_t number = 0;
    bool good = iterator != NULL;
    if (!good && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        oupy_fail_type(argument, "a mapping or iterable", iterable);
    }
    while (good && (item = PyIter_Next(iterator))) {
        PyObject *pair = PySequence_Fast(item, "");
        if (!pair) {
            PyErr_Clear();
            PyErr_Format(oupy_type_error, "element %zu of %s must be a pair, not %.200s", number, argument, Py_TYPE(item)->tp_name);
        } else if (PySequence_Fast_GET_SIZE(pair) != 2) {
            PyErr_Format(oupy_value_error, "element %zu of %s must be a pair; it has length %zd", number, argument,
                         PySequence_Fast_GET_SIZE(pair));
        }
        good = !PyErr_Occurred() && add_pair(pairs, PySequence_Fast_GET_ITEM(pair, 0), PySequence_Fast_GET_ITEM(pair, 1));
        Py_XDECREF(pair);
        Py_DECREF(item);
        number++;
    }
    Py_XDECREF(iterator);
    return good && !PyErr_Occurred();
}

static void drop_pairs(struct pairs *pairs)
{
    oupy_values_drop(&pairs->keys);
    oupy_values_drop(&pairs->values);
}

/* All of them at one moment; one after the other if True and 1 may meet. */
static ouro_status put_all(ouro_value dict, const struct pairs *pairs)
{
    ouro_status status = OURO_OK;
    if (pairs->aliases) {
        for (size_t i = 0; status == OURO_OK && i < pairs->keys.count; i++)
            status = ouro_dict_set(dict, key_for(dict, pairs->keys.items[i]), pairs->values.items[i]);
    } else if (pairs->keys.count < OUPY_MANY) {
        status = ouro_dict_set_all(dict, pairs->keys.items, pairs->values.items, pairs->keys.count);
    } else {
        OUPY_RELEASE
        status = ouro_dict_set_all(dict, pairs->keys.items, pairs->values.items, pairs->keys.count);
        OUPY_REACQUIRE
    }
    return status;
}

static ouro_status merge_dict(ouro_value dict, ouro_value other)
{
    ouro_status status;
    bool has = false, may_meet = false;
    for (int i = 0; i < 4 && !may_meet; i++) {
        static const ouro_value keys[] = {OURO_TRUE, OURO_FALSE};
        ouro_value where = i & 1 ? dict : other;
        may_meet = ouro_dict_has(where, keys[i >> 1], &has) == OURO_OK && has;
    }
    if (may_meet)
        return OURO_E_CHANGED; /* for the caller: not this way */
    OUPY_RELEASE
    status = ouro_dict_update(dict, other);
    OUPY_REACQUIRE
    return status;
}

/* With a name for what is at fault; NULL `other` is nothing. */
PyObject *oupy_dict_merge(PyObject *self, PyObject *other, const char *argument)
{
    struct pairs pairs = {.aliases = false};
    oupy_enter();
    if (oupy_is_exact(other) && oupy_is(other, OURO_KIND_DICT)) {
        if (ouro_is_nil(oupy_value(other)))
            return oupy_fail_closed();
        ouro_status status = merge_dict(oupy_value(self), oupy_value(other));
        if (status != OURO_E_CHANGED)
            return changed(self, status, NULL) < 0 ? NULL : Py_NewRef(Py_None);
    }
    oupy_values_init(&pairs.keys);
    oupy_values_init(&pairs.values);
    bool good;
    if (PyDict_CheckExact(other)) {
        good = oupy_values_reserve(&pairs.keys, (size_t)PyDict_GET_SIZE(other)) &&
               oupy_values_reserve(&pairs.values, (size_t)PyDict_GET_SIZE(other)) && add_dict(&pairs, other);
    } else {
        PyObject *keys = PyObject_GetAttrString(other, "keys");
        if (!keys)
            PyErr_Clear();
        good = keys ? add_mapping(&pairs, other) : add_pairs(&pairs, other, argument);
        Py_XDECREF(keys);
    }
    good = good && changed(self, put_all(oupy_value(self), &pairs), Py_None) == 0;
    drop_pairs(&pairs);
    if (!good)
        return NULL;
    Py_RETURN_NONE;
}

int oupy_dict_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    PyObject *other = NULL;
    if (!PyArg_UnpackTuple(args, "Dict", 0, 1, &other))
        return -1;
    oupy_enter();
    if (!((oupy_wrapper *)self)->object) {
        ouro_value dict = ouro_dict_new();
        if (ouro_is_nil(dict)) {
            oupy_fail(OURO_E_NOMEM);
            return -1;
        }
        if (oupy_is_tracing())
            oupy_trace_made(dict);
        if (oupy_adopt(self, dict) < 0)
            return -1;
    }
    PyObject *done = other ? oupy_dict_merge(self, other, "mapping_or_pairs") : Py_NewRef(Py_None);
    Py_XDECREF(done);
    if (done && keywords && PyDict_GET_SIZE(keywords)) {
        done = oupy_dict_merge(self, keywords, "items");
        Py_XDECREF(done);
    }
    return done ? 0 : -1;
}

PyObject *oupy_dict_or(PyObject *a, PyObject *b)
{
    if (!(oupy_is(a, OURO_KIND_DICT) || PyDict_Check(a)) || !(oupy_is(b, OURO_KIND_DICT) || PyDict_Check(b)))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = PyObject_CallOneArg((PyObject *)oupy_type[OURO_KIND_DICT], a);
    PyObject *done = result ? oupy_dict_merge(result, b, "right operand") : NULL;
    Py_XDECREF(done);
    if (!done)
        Py_CLEAR(result);
    return result;
}

PyObject *oupy_dict_ior(PyObject *self, PyObject *other)
{
    PyObject *done = oupy_dict_merge(self, other, "right operand");
    Py_XDECREF(done);
    return done ? Py_NewRef(self) : NULL;
}

/* ---- the rest of the protocol ---- */

PyObject *oupy_dict_iterator(PyObject *self, int part)
{
    ouro_value iterator;
    oupy_enter();
    ouro_status status = ouro_iterate_part(oupy_value(self), part == 1 ? OURO_VALUES : OURO_KEYS, &iterator);
    return status == OURO_OK ? oupy_iterator_of(iterator, part == 2) : fail(self, status, NULL);
}

PyObject *oupy_dict_iter(PyObject *self)
{
    return oupy_dict_iterator(self, 0);
}

/* A dict with the same elements. */
static PyObject *plain(PyObject *self)
{
    PyObject *dict = PyDict_New(), *iterator = dict ? oupy_dict_iterator(self, 2) : NULL, *pair;
    bool good = iterator != NULL;
    while (good && (pair = PyIter_Next(iterator))) {
        good = PyDict_SetItem(dict, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) == 0;
        Py_DECREF(pair);
    }
    Py_XDECREF(iterator);
    if (!good || PyErr_Occurred())
        Py_CLEAR(dict);
    return dict;
}

PyObject *oupy_dict_compare(PyObject *self, PyObject *other, int op)
{
    bool wrapped = oupy_is(other, OURO_KIND_DICT), equal = false;
    if ((op != Py_EQ && op != Py_NE) || !(wrapped || PyDict_Check(other)))
        Py_RETURN_NOTIMPLEMENTED;
    Py_ssize_t m = oupy_dict_length(self), n = wrapped ? oupy_dict_length(other) : PyDict_Size(other);
    if (m < 0 || n < 0)
        return NULL;
    ouro_status status = m != n || !wrapped || oupy_comparing ? OURO_OK : oupy_equal(oupy_value(self), oupy_value(other), (size_t)m, &equal);
    if (status != OURO_OK)
        return fail(self, status, NULL);
    if (equal || m != n)
        return PyBool_FromLong(equal == (op == Py_EQ));
    PyObject *dict = plain(self);
    return oupy_compare_objects(dict, dict && wrapped ? plain(other) : Py_XNewRef(dict ? other : NULL), op);
}

PyObject *oupy_dict_repr(PyObject *self)
{
    int entered = Py_ReprEnter(self);
    if (entered)
        return entered > 0 ? PyUnicode_FromFormat("%s({...})", Py_TYPE(self)->tp_name) : NULL;
    PyObject *dict = plain(self);
    PyObject *text = dict ? PyUnicode_FromFormat("%s(%R)", Py_TYPE(self)->tp_name, dict) : NULL;
    Py_XDECREF(dict);
    Py_ReprLeave(self);
    return text;
}

PyObject *oupy_dict_reduce(PyObject *self)
{
    PyObject *state = PyObject_GetAttrString(self, "__dict__"); /* of a subclass */
    if (!state) {
        PyErr_Clear();
        state = Py_NewRef(Py_None);
    }
    PyObject *items = oupy_dict_iterator(self, 2);
    return items ? Py_BuildValue("O()NON", Py_TYPE(self), state, Py_None, items) : NULL;
}
