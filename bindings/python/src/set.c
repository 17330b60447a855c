/* SPDX-License-Identifier: MIT
 *
 * ouro.Set. As for dicts, True and 1 are one element to Python (dict.c). */
#include "set.h"

#include "dict.h"

static PyObject *fail(PyObject *self, ouro_status status, PyObject *item)
{
    if (!((oupy_wrapper *)self)->object)
        return oupy_fail_closed();
    return status == OURO_E_KEY && item ? oupy_fail_key(item) : oupy_fail(status);
}

static PyObject *made(ouro_status status, ouro_value value)
{
    if (status != OURO_OK)
        return oupy_fail(status);
    if (oupy_is_tracing())
        oupy_trace_made(value);
    return oupy_object_slow(value);
}

static PyObject *none(PyObject *self, ouro_status status, PyObject *item)
{
    if (status != OURO_OK)
        return fail(self, status, item);
    if (__builtin_expect(oupy_is_tracing(), 0))
        oupy_trace_changed(oupy_value(self));
    Py_RETURN_NONE;
}

/* ---- elements ---- */

Py_ssize_t oupy_set_length(PyObject *self)
{
    size_t length;
    ouro_status status = ouro_set_length(oupy_value(self), &length);
    if (status == OURO_OK)
        return (Py_ssize_t)length;
    fail(self, status, NULL);
    return -1;
}

static ouro_status has(ouro_value set, ouro_value item, bool *is)
{
    ouro_value alias;
    ouro_status status = ouro_set_has(set, item, is);
    if (status == OURO_OK && !*is && oupy_key_alias(item, &alias))
        status = ouro_set_has(set, alias, is);
    return status;
}

/* A set is looked for as the frozenset of its elements, which can be in a set while it cannot. */
static int borrow_item(PyObject *item, ouro_value *value, bool searching)
{
    if (searching && (PySet_Check(item) || oupy_is(item, OURO_KIND_SET)) && !PyFrozenSet_Check(item)) {
        PyObject *frozen = PyFrozenSet_New(item);
        int borrowed = frozen ? oupy_borrow_key(frozen, value) : -1;
        Py_XDECREF(frozen);
        return borrowed;
    }
    return oupy_borrow_key(item, value);
}

int oupy_set_contains(PyObject *self, PyObject *item)
{
    ouro_value value;
    bool is = false;
    int borrowed = borrow_item(item, &value, true);
    if (borrowed < 0)
        return -1;
    ouro_status status = has(oupy_value(self), value, &is);
    oupy_done(borrowed, value);
    if (status == OURO_OK)
        return is;
    fail(self, status, NULL);
    return -1;
}

static ouro_status put(ouro_value set, ouro_value item)
{
    ouro_value alias;
    bool is = false;
    if (oupy_key_alias(item, &alias) && ouro_set_has(set, alias, &is) == OURO_OK && is)
        return OURO_OK;
    return ouro_set_add(set, item, NULL);
}

PyObject *oupy_set_add(PyObject *self, PyObject *item)
{
    ouro_value value;
    int borrowed = borrow_item(item, &value, false);
    if (borrowed < 0)
        return NULL;
    oupy_enter();
    ouro_status status = put(oupy_value(self), value);
    oupy_done(borrowed, value);
    return none(self, status, NULL);
}

static ouro_status take_out(PyObject *self, PyObject *item, bool *removed)
{
    ouro_value value, alias;
    int borrowed = borrow_item(item, &value, true);
    *removed = false;
    if (borrowed < 0)
        return OURO_E_HOST;
    oupy_enter();
    ouro_status status = ouro_set_discard(oupy_value(self), value, removed);
    if (status == OURO_OK && !*removed && oupy_key_alias(value, &alias))
        status = ouro_set_discard(oupy_value(self), alias, removed);
    oupy_done(borrowed, value);
    return status;
}

PyObject *oupy_set_discard(PyObject *self, PyObject *item)
{
    bool removed;
    return none(self, take_out(self, item, &removed), NULL);
}

PyObject *oupy_set_remove(PyObject *self, PyObject *item)
{
    bool removed;
    ouro_status status = take_out(self, item, &removed);
    return none(self, status == OURO_OK && !removed ? OURO_E_KEY : status, item);
}

PyObject *oupy_set_pop(PyObject *self)
{
    ouro_value item;
    oupy_enter();
    ouro_status status = ouro_set_pop(oupy_value(self), &item);
    if (status == OURO_E_KEY) {
        PyErr_SetString(oupy_key_error, "pop: the set is empty");
        return NULL;
    }
    return status == OURO_OK ? oupy_object(item) : fail(self, status, NULL);
}

PyObject *oupy_set_clear(PyObject *self)
{
    ouro_status status;
    ouro_value set = oupy_value(self);
    oupy_enter();
    OUPY_RELEASE
    status = ouro_set_clear(set);
    OUPY_REACQUIRE
    return none(self, status, NULL);
}

PyObject *oupy_set_copy(PyObject *self)
{
    ouro_status status;
    ouro_value copy, set = oupy_value(self);
    if (ouro_is_nil(set))
        return oupy_fail_closed();
    oupy_enter();
    OUPY_RELEASE
    status = ouro_copy(set, &copy);
    OUPY_REACQUIRE
    return status == OURO_OK ? made(status, copy) : fail(self, status, NULL);
}

/* ---- many ---- */

static bool keys_of(struct oupy_values *values, PyObject *iterable, const char *argument, bool *aliases)
{
    ouro_value value, alias;
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    bool good = iterator != NULL;
    oupy_values_init(values);
    *aliases = false;
    if (!good && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        oupy_fail_type(argument, "iterable", iterable);
    }
    while (good && (item = PyIter_Next(iterator))) {
        int borrowed = oupy_borrow_key(item, &value);
        if (borrowed == 0)
            ouro_value_retain(value);
        good = borrowed >= 0 && oupy_values_add(values, value);
        *aliases = *aliases || (good && oupy_key_alias(value, &alias));
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    good = good && !PyErr_Occurred();
    if (!good)
        oupy_values_drop(values);
    return good;
}

static ouro_status put_all(ouro_value set, const struct oupy_values *values, bool aliases)
{
    ouro_status status = OURO_OK;
    if (aliases) {
        for (size_t i = 0; status == OURO_OK && i < values->count; i++)
            status = put(set, values->items[i]);
    } else if (values->count < OUPY_MANY) {
        status = ouro_set_add_all(set, values->items, values->count);
    } else {
        OUPY_RELEASE
        status = ouro_set_add_all(set, values->items, values->count);
        OUPY_REACQUIRE
    }
    return status;
}

PyObject *oupy_set_merge(PyObject *self, PyObject *other)
{
    struct oupy_values values;
    bool aliases;
    oupy_enter();
    if (!keys_of(&values, other, "iterable", &aliases))
        return NULL;
    ouro_status status = put_all(oupy_value(self), &values, aliases);
    oupy_values_drop(&values);
    return none(self, status, NULL);
}

int oupy_set_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"iterable", NULL};
    PyObject *iterable = NULL, *done;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:Set", names, &iterable))
        return -1;
    oupy_enter();
    if (((oupy_wrapper *)self)->object) { /* again */
        done = oupy_set_clear(self);
        Py_XDECREF(done);
        if (!done)
            return -1;
    } else {
        ouro_value set = ouro_set_new();
        if (ouro_is_nil(set)) {
            oupy_fail(OURO_E_NOMEM);
            return -1;
        }
        if (oupy_is_tracing())
            oupy_trace_made(set);
        if (oupy_adopt(self, set) < 0)
            return -1;
    }
    done = iterable ? oupy_set_merge(self, iterable) : Py_NewRef(Py_None);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

PyObject *oupy_set_become(PyObject *self, PyObject *other)
{
    PyObject *done = oupy_set_clear(self);
    Py_XDECREF(done);
    return done ? oupy_set_merge(self, other) : NULL;
}

/* ---- of two sets ---- */

typedef ouro_status operation(ouro_value a, ouro_value b, ouro_value *set);

/* True and 1 may meet: then Python does it. */
static bool may_meet(ouro_value set)
{
    bool is = false;
    return (ouro_set_has(set, OURO_TRUE, &is) == OURO_OK && is) || (ouro_set_has(set, OURO_FALSE, &is) == OURO_OK && is);
}

static PyObject *as_set(PyObject *o)
{
    return oupy_is(o, OURO_KIND_SET) ? Py_NewRef(o) : PyObject_CallOneArg((PyObject *)oupy_type[OURO_KIND_SET], o);
}

static PyObject *in_python(PyObject *a, PyObject *b, PyObject *(*operate)(PyObject *, PyObject *))
{
    PyObject *x = PySet_New(a), *y = x ? PySet_New(b) : NULL, *z = y ? operate(x, y) : NULL;
    PyObject *result = z ? as_set(z) : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_XDECREF(z);
    return result;
}

static PyObject *combine(PyObject *a, PyObject *b, operation *operate, PyObject *(*python)(PyObject *, PyObject *))
{
    ouro_value result;
    ouro_status status;
    PyObject *x = as_set(a), *y = x ? as_set(b) : NULL, *set = NULL;
    oupy_enter();
    if (y) {
        ouro_value u = oupy_value(x), v = oupy_value(y);
        if (ouro_is_nil(u) || ouro_is_nil(v)) {
            oupy_fail_closed();
        } else if (may_meet(u) || may_meet(v)) {
            set = in_python(x, y, python);
        } else {
            OUPY_RELEASE
            status = operate(u, v, &result);
            OUPY_REACQUIRE
            set = made(status, result);
        }
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    return set;
}

PyObject *oupy_set_union(PyObject *self, PyObject *other)
{
    return combine(self, other, ouro_set_union, PyNumber_Or);
}

PyObject *oupy_set_intersection(PyObject *self, PyObject *other)
{
    return combine(self, other, ouro_set_intersection, PyNumber_And);
}

PyObject *oupy_set_difference(PyObject *self, PyObject *other)
{
    return combine(self, other, ouro_set_difference, PyNumber_Subtract);
}

PyObject *oupy_set_symmetric_difference(PyObject *self, PyObject *other)
{
    return combine(self, other, ouro_set_symmetric_difference, PyNumber_Xor);
}

/* What operators take: methods take any iterable. */
static bool is_set(PyObject *o)
{
    return oupy_is(o, OURO_KIND_SET) || PyAnySet_Check(o) || PyDictKeys_Check(o);
}

#define OPERATOR(name, method)                                                                                                                   \
    PyObject *oupy_set_##name(PyObject *a, PyObject *b)                                                                                           \
    {                                                                                                                                            \
        if (!is_set(a) || !is_set(b))                                                                                                            \
            Py_RETURN_NOTIMPLEMENTED;                                                                                                            \
        return oupy_set_##method(a, b);                                                                                                          \
    }                                                                                                                                            \
    PyObject *oupy_set_i##name(PyObject *self, PyObject *other)                                                                                  \
    {                                                                                                                                            \
        if (!is_set(other))                                                                                                                      \
            Py_RETURN_NOTIMPLEMENTED;                                                                                                            \
        PyObject *result = oupy_set_##method(self, other);                                                                                       \
        PyObject *done = result ? oupy_set_become(self, result) : NULL;                                                                          \
        Py_XDECREF(result);                                                                                                                      \
        Py_XDECREF(done);                                                                                                                        \
        return done ? Py_NewRef(self) : NULL;                                                                                                    \
    }
OPERATOR(and, intersection)
OPERATOR(subtract, difference)
OPERATOR(xor, symmetric_difference)

PyObject *oupy_set_or(PyObject *a, PyObject *b)
{
    if (!is_set(a) || !is_set(b))
        Py_RETURN_NOTIMPLEMENTED;
    return oupy_set_union(a, b);
}

PyObject *oupy_set_ior(PyObject *self, PyObject *other)
{
    if (!is_set(other))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *done = oupy_set_merge(self, other);
    Py_XDECREF(done);
    return done ? Py_NewRef(self) : NULL;
}

/* ---- comparison ---- */

typedef ouro_status question(ouro_value a, ouro_value b, bool *is);

static int ask_python(PyObject *a, PyObject *b, question *question)
{
    PyObject *x = PySet_New(a), *y = x ? PySet_New(b) : NULL;
    PyObject *answer = y ? PyObject_CallMethod(x, question == ouro_set_is_subset ? "issubset" : "isdisjoint", "O", y) : NULL;
    int is = answer ? answer == Py_True : -1;
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_XDECREF(answer);
    return is;
}

/* Python answers for sets of its own, in which a tuple stands where a Tuple may be in the other. */
static int ask(PyObject *a, PyObject *b, question *question)
{
    bool is = false;
    ouro_status status;
    if (!oupy_is(a, OURO_KIND_SET) || !oupy_is(b, OURO_KIND_SET))
        return ask_python(a, b, question);
    ouro_value x = oupy_value(a), y = oupy_value(b);
    if (may_meet(x) || may_meet(y))
        return ask_python(a, b, question);
    OUPY_RELEASE
    status = question(x, y, &is);
    OUPY_REACQUIRE
    if (status == OURO_OK)
        return is;
    fail(a, status, NULL);
    return -1;
}

static PyObject *answer(int is)
{
    return is < 0 ? NULL : PyBool_FromLong(is);
}

PyObject *oupy_set_issubset(PyObject *self, PyObject *other)
{
    return answer(ask(self, other, ouro_set_is_subset));
}

PyObject *oupy_set_issuperset(PyObject *self, PyObject *other)
{
    return answer(ask(other, self, ouro_set_is_subset));
}

PyObject *oupy_set_isdisjoint(PyObject *self, PyObject *other)
{
    return answer(ask(self, other, ouro_set_is_disjoint));
}

PyObject *oupy_set_compare(PyObject *self, PyObject *other, int op)
{
    if (!oupy_is(other, OURO_KIND_SET) && !PyAnySet_Check(other))
        Py_RETURN_NOTIMPLEMENTED;
    Py_ssize_t m = oupy_set_length(self), n = m < 0 ? -1 : PyObject_Size(other);
    if (n < 0)
        return NULL;
    switch (op) {
    case Py_EQ:
        return m != n ? Py_NewRef(Py_False) : oupy_set_issubset(self, other);
    case Py_NE: {
        int is = m != n ? 0 : ask(self, other, ouro_set_is_subset);
        return is < 0 ? NULL : PyBool_FromLong(!is);
    }
    case Py_LE:
        return m > n ? Py_NewRef(Py_False) : oupy_set_issubset(self, other);
    case Py_LT:
        return m >= n ? Py_NewRef(Py_False) : oupy_set_issubset(self, other);
    case Py_GE:
        return m < n ? Py_NewRef(Py_False) : oupy_set_issuperset(self, other);
    default:
        return m <= n ? Py_NewRef(Py_False) : oupy_set_issuperset(self, other);
    }
}

/* ---- the rest of the protocol ---- */

PyObject *oupy_set_iter(PyObject *self)
{
    ouro_value iterator;
    oupy_enter();
    ouro_status status = ouro_iterate(oupy_value(self), &iterator);
    return status == OURO_OK ? oupy_iterator_of(iterator, false) : fail(self, status, NULL);
}

PyObject *oupy_set_repr(PyObject *self)
{
    int entered = Py_ReprEnter(self);
    if (entered)
        return entered > 0 ? PyUnicode_FromFormat("%s({...})", Py_TYPE(self)->tp_name) : NULL;
    PyObject *list = PySequence_List(self), *text = NULL, *inner = list ? PyObject_Repr(list) : NULL;
    if (inner && PyList_GET_SIZE(list)) {
        PyObject *elements = PyUnicode_Substring(inner, 1, PyUnicode_GET_LENGTH(inner) - 1);
        text = elements ? PyUnicode_FromFormat("%s({%U})", Py_TYPE(self)->tp_name, elements) : NULL;
        Py_XDECREF(elements);
    } else if (inner) {
        text = PyUnicode_FromFormat("%s()", Py_TYPE(self)->tp_name);
    }
    Py_XDECREF(inner);
    Py_XDECREF(list);
    Py_ReprLeave(self);
    return text;
}

PyObject *oupy_set_reduce(PyObject *self)
{
    PyObject *state = PyObject_GetAttrString(self, "__dict__"); /* of a subclass */
    if (!state) {
        PyErr_Clear();
        state = Py_NewRef(Py_None);
    }
    PyObject *list = PySequence_List(self);
    return list ? Py_BuildValue("O(N)N", Py_TYPE(self), list, state) : NULL;
}
