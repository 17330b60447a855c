/* SPDX-License-Identifier: MIT
 *
 * Weak references to ouro objects: ouro.weakref.ref. (To other objects ref() gives Python's own.)
 *
 * A callback comes on whatever thread the target dies on, perhaps when the Python object of the reference is just going. So ouro is not given that
 * object but a ticket: the number of a place in a table that never moves, and of its turn. Whoever is first raises the turn: the callback (then the place
 * goes on the list of pending work) or the end of the Python object (then a callback that comes too late finds another turn). */
#include "oupy.h"

/* ---- tickets ---- */

struct place {
    struct oupy_pending pending; /* first */
    uint32_t turn;               /* atomic; odd: has been fired, and is pending */
    uint32_t number;
    PyObject *ref;               /* borrowed: whose it is; NULL: gone. Under the GIL */
    struct place *next_free;
};

#define CHUNK 256u
#define CHUNKS 65536u
static struct place *chunks[CHUNKS]; /* each set once, before any of its tickets is given away */
static size_t chunk_count;
static struct place *free_places;

static struct place *take_place(void)
{
    if (!free_places) {
        struct place *chunk = chunk_count < CHUNKS ? PyMem_RawCalloc(CHUNK, sizeof *chunk) : NULL;
        if (!chunk)
            return NULL;
        for (uint32_t i = 0; i < CHUNK; i++) {
            chunk[i].number = (uint32_t)chunk_count * CHUNK + i;
            chunk[i].next_free = free_places;
            free_places = &chunk[i];
        }
        chunks[chunk_count++] = chunk;
    }
    struct place *place = free_places;
    free_places = place->next_free;
    return place;
}

static void give_place_back(struct place *place)
{
    place->ref = NULL;
    place->next_free = free_places;
    free_places = place;
}

/* ---- the type ---- */

struct ref {
    PyObject_HEAD
    ouro_weak *weak;      /* a reference; NULL while it is being made */
    const void *target;   /* only compared */
    PyObject *callback;
    struct place *place;  /* NULL: no callback, or it has come */
    Py_hash_t hash;       /* -1: not asked for yet */
    struct ref *next, **link; /* all there are */
};

static struct ref *all;
static PyTypeObject ref_type;

static void run(struct oupy_pending *item)
{
    struct place *place = (struct place *)item;
    PyObject *ref = Py_XNewRef(place->ref);
    __atomic_fetch_add(&place->turn, 1, __ATOMIC_RELAXED); /* even again; nobody has a ticket for it */
    give_place_back(place);
    if (!ref)
        return;
    ((struct ref *)ref)->place = NULL;
    PyObject *callback = ((struct ref *)ref)->callback;
    ((struct ref *)ref)->callback = NULL;
    oupy_calling_back++;
    PyObject *result = PyObject_CallOneArg(callback, ref);
    oupy_calling_back--;
    if (!result)
        PyErr_WriteUnraisable(callback);
    Py_XDECREF(result);
    Py_DECREF(callback);
    Py_DECREF(ref);
}

/* ouro's callback. Any thread; as a finalizer. */
static void died(ouro_weak *weak, void *arg)
{
    uintptr_t ticket = (uintptr_t)arg;
    uint32_t turn = (uint32_t)ticket;
    uint32_t number = (uint32_t)(ticket >> 32);
    struct place *place = &chunks[number / CHUNK][number % CHUNK];
    (void)weak;
    /* acq_rel: what this thread does with the place comes after the turn, and before what the next holder does. */
    if (!__atomic_compare_exchange_n(&place->turn, &turn, turn + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    place->pending.run = run;
    if (oupy_holds_gil())
        run(&place->pending);
    else
        oupy_pending_add(&place->pending);
}

static PyObject *standard_ref(PyObject *args)
{
    PyObject *standard = oupy_import("weakref", "ref");
    PyObject *ref = standard ? PyObject_Call(standard, args, NULL) : NULL;
    Py_XDECREF(standard);
    return ref;
}

static PyObject *ref_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *object, *callback = NULL;
    if (!PyArg_UnpackTuple(args, "ref", 1, 2, &object, &callback))
        return NULL;
    if (keywords && PyDict_GET_SIZE(keywords) && type == &ref_type) {
        PyErr_SetString(oupy_type_error, "ref() takes no keyword arguments");
        return NULL;
    }
    if (callback == Py_None)
        callback = NULL;
    if (callback && !PyCallable_Check(callback))
        return oupy_fail_type("callback", "callable or None", callback);
    if (!oupy_is_exact(object))
        return standard_ref(args);
    oupy_enter();
    void *target = ouro_value_object(oupy_value(object));
    if (!target)
        return oupy_fail_closed();
    ouro_retain(target);
    struct ref *r = (struct ref *)type->tp_alloc(type, 0);
    if (!r) {
        ouro_release(target);
        return NULL;
    }
    r->hash = -1;
    r->target = target;
    struct place *place = callback ? take_place() : NULL;
    if (place) {
        place->ref = (PyObject *)r;
        r->place = place;
        r->callback = Py_NewRef(callback);
        uint32_t turn = __atomic_load_n(&place->turn, __ATOMIC_RELAXED);
        r->weak = ouro_weak_new(target, died, (void *)((uintptr_t)place->number << 32 | turn));
    } else if (!callback) {
        r->weak = ouro_weak_new(target, NULL, NULL);
    }
    ouro_release(target);
    if (!r->weak) {
        Py_DECREF(r);
        return oupy_fail(OURO_E_NOMEM);
    }
    ouro_share(r->weak);
    r->next = all;
    if (all)
        all->link = &r->next;
    r->link = &all;
    all = r;
    return (PyObject *)r;
}

static void give_ticket_back(struct ref *r)
{
    struct place *place = r->place;
    if (!place)
        return;
    r->place = NULL;
    uint32_t turn = __atomic_load_n(&place->turn, __ATOMIC_RELAXED);
    if (!(turn & 1) && __atomic_compare_exchange_n(&place->turn, &turn, turn + 2, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        give_place_back(place);
    else
        place->ref = NULL; /* fired: pending */
}

static void ref_dealloc(PyObject *self)
{
    struct ref *r = (struct ref *)self;
    PyTypeObject *type = Py_TYPE(self);
    ouro_weak *weak = r->weak;
    PyObject_GC_UnTrack(self);
    if (r->link) {
        *r->link = r->next;
        if (r->next)
            r->next->link = r->link;
    }
    give_ticket_back(r);
    Py_CLEAR(r->callback);
    type->tp_free(self);
    ouro_release(weak);
}

static int ref_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct ref *)self)->callback);
    return 0;
}

static int ref_clear(PyObject *self)
{
    struct ref *r = (struct ref *)self;
    give_ticket_back(r);
    Py_CLEAR(r->callback);
    return 0;
}

static PyObject *target_of(PyObject *self)
{
    return oupy_object(ouro_value_of(ouro_weak_get(((struct ref *)self)->weak))); /* nil is None */
}

static PyObject *ref_call(PyObject *self, PyObject *args, PyObject *keywords)
{
    if (PyTuple_GET_SIZE(args) || (keywords && PyDict_GET_SIZE(keywords))) {
        PyErr_SetString(oupy_type_error, "a weak reference takes no arguments");
        return NULL;
    }
    return target_of(self);
}

static Py_hash_t ref_hash(PyObject *self)
{
    struct ref *r = (struct ref *)self;
    if (r->hash != -1)
        return r->hash;
    PyObject *target = target_of(self);
    if (target == Py_None)
        PyErr_SetString(oupy_type_error, "the object that the weak reference refers to is no longer there");
    else if (target)
        r->hash = PyObject_Hash(target);
    Py_XDECREF(target);
    return r->hash;
}

/* While both targets are there: as they compare; else the same reference. */
static PyObject *ref_compare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(other, &ref_type))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *a = target_of(self), *b = a ? target_of(other) : NULL, *result = NULL;
    if (b)
        result = a == Py_None || b == Py_None ? PyBool_FromLong((self == other) == (op == Py_EQ)) : PyObject_RichCompare(a, b, op);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

static PyObject *ref_repr(PyObject *self)
{
    PyObject *target = target_of(self), *text = NULL;
    if (target == Py_None)
        text = PyUnicode_FromFormat("<weakref at %p; dead>", self);
    else if (target)
        text = PyUnicode_FromFormat("<weakref at %p; to '%s' at %p>", self, Py_TYPE(target)->tp_name, ((struct ref *)self)->target);
    Py_XDECREF(target);
    return text;
}

static PyObject *ref_get_callback(PyObject *self, void *unused)
{
    (void)unused;
    PyObject *callback = ((struct ref *)self)->callback;
    return Py_NewRef(callback ? callback : Py_None);
}

static PyGetSetDef ref_getset[] = {
    {"__callback__", ref_get_callback, NULL, "The callback; None if there is none, or it has been called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static int ref_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    (void)self, (void)args, (void)keywords; /* a subclass may have arguments of its own */
    return 0;
}

static PyTypeObject ref_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ouro.weakref.ref",
    .tp_basicsize = sizeof(struct ref),
    .tp_dealloc = ref_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "ref(object[, callback]): a weak reference to an ouro object. Called, it gives the object, or None once that is gone.",
    .tp_traverse = ref_traverse,
    .tp_clear = ref_clear,
    .tp_new = ref_new,
    .tp_init = ref_init,
    .tp_call = ref_call,
    .tp_hash = ref_hash,
    .tp_richcompare = ref_compare,
    .tp_repr = ref_repr,
    .tp_getset = ref_getset,
};

PyObject *oupy_weak_refs(PyObject *object)
{
    PyObject *list = PyList_New(0);
    const void *target = oupy_is_exact(object) ? ouro_value_object(oupy_value(object)) : NULL;
    /* The object is alive, so a reference that was made to an object at this address, and not for its dead predecessor, gives it. */
    for (struct ref *r = all; list && target && r; r = r->next) {
        if (r->target != target)
            continue;
        void *now = ouro_weak_get(r->weak);
        if (now == target && PyList_Append(list, (PyObject *)r) < 0)
            Py_CLEAR(list);
        ouro_release(now);
    }
    return list;
}

bool oupy_weak_init(PyObject *module)
{
    return PyType_Ready(&ref_type) == 0 && PyModule_AddObjectRef(module, "ref", (PyObject *)&ref_type) == 0;
}
