/* SPDX-License-Identifier: MIT
 *
 * Cycles through both heaps: a Python object is held by an ouro container (by handle), whose wrapper it holds in turn. Counting frees neither, ouro's
 * collector sees a reference from outside (the wrapper's), and Python's sees one to the object that nobody accounts for (the handle's).
 *
 * So for the length of a full collection of Python's, its collector is shown the part of ouro's graph that only wrappers keep alive, in
 * Python objects: for each ouro object in it a mirror, which refers to the mirrors of what that refers to; a wrapper refers to its object's mirror, and
 * the mirror of a handle to the Python object. Then Python's collector decides, as it does about its own.
 *
 *     M1  An object has a mirror only if each of its references comes from a wrapper or from another object with a mirror. Whatever else refers to it
 *         (a thread, another language, an object that no wrapper leads to) makes it, and all it leads to, reachable from outside.
 *     M2  A handle has one mirror, and is one reference to the Python object. So no reference is accounted for twice.
 *     M3  Mirrors do not change while Python's collector works out what is garbage: it runs no Python code then, and holds the GIL. Afterwards it does
 *         (finalizers, callbacks of weak references), and other threads get their turn; then it looks again at what it took for garbage. Code
 *         comes to a container that it took for garbage by its wrapper, or gets a new wrapper (of an element, of what a weak reference refers to).
 *         When that happens the mirrors of that container and of all it leads to may no longer be true: they are touched, and from then on show no
 *         Python objects, so that those count as reachable. The next collection will see them again. Nobody comes to a container past all
 *         those that lead to it, so the mirrors that are not touched are true. (It is not enough to hide all when one is touched: a program that
 *         goes on making garbage whose finalizers use their containers would keep all of it for ever.)
 *     M4  What it has taken for garbage in the end it clears, mirrors too. If some of these then are left, their containers are garbage in cycles that lie
 *         in ouro alone, and what they hold of Python's has been cleared. So that nobody meets that by a weak reference of ouro's, they
 *         are collected at once.
 *
 * The graph is read in one read section, while other threads go on. Python's threads do not change it meanwhile: they have no GIL, and if one has let
 * go of it in the middle of an operation on ouro (oupy_released), there are no mirrors this time. Threads of other languages may. Hence a second look at
 * every object that is to get a mirror: its count and its references must be the same. See docs/design/bindings-python.md for what remains.
 *
 * A collection of the younger generations shows nothing: then everything in ouro counts as reachable. Nor does an automatic full one while what
 * mirrors have cost of late is more than a fifth of the time. */
#include <time.h>

#include "graph.h"

/* ---- mirrors ---- */

struct mirror {
    PyObject_VAR_HEAD /* the number of refs */
    struct mirror *next, **link; /* those of this collection; link is NULL once it has left */
    struct mirror *todo; /* in oupy_mirror_touched */
    struct node *node;
    bool is_touched, is_condemned;
    PyObject *hosted; /* by a handle, whose reference this shows; or NULL */
    PyObject *refs[]; /* mirrors, counted */
};

bool oupy_is_mirroring;
unsigned oupy_collection;
static mirror *mirrors;
static struct graph shown; /* as long as there are mirrors */

void oupy_mirror_touched(PyObject *touched)
{
    mirror *m = (mirror *)touched, *todo;
    if (m->is_touched)
        return;
    m->is_touched = true;
    m->todo = NULL;
    for (todo = m; (m = todo);) {
        todo = m->todo;
        for (Py_ssize_t i = 0; i < Py_SIZE(m); i++) {
            mirror *to = (mirror *)m->refs[i];
            if (to && !to->is_touched) {
                to->is_touched = true;
                to->todo = todo;
                todo = to;
            }
        }
    }
}

void oupy_mirror_touched_of(const void *object)
{
    const struct node *node = oupy_graph_find(&shown, object);
    if (node && node->mirror)
        oupy_mirror_touched((PyObject *)node->mirror);
}

static int mirror_traverse(PyObject *self, visitproc visit, void *arg)
{
    mirror *m = (mirror *)self;
    for (Py_ssize_t i = 0; i < Py_SIZE(m); i++)
        Py_VISIT(m->refs[i]);
    if (!m->is_touched)
        Py_VISIT(m->hosted);
    return 0;
}

/* What refers to mirrors are wrappers and mirrors, and the latter go at the end of the collection. */
static int mirror_clear(PyObject *self)
{
    ((mirror *)self)->is_condemned = true;
    return 0;
}

static void drop_refs(mirror *m)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(m); i++)
        Py_CLEAR(m->refs[i]);
}

static void mirror_dealloc(PyObject *self)
{
    mirror *m = (mirror *)self;
    PyObject_GC_UnTrack(self);
    /* Before the trashcan, which may put off what is within it beyond the end of the collection, and then calls this again. */
    if (m->link) {
        *m->link = m->next;
        if (m->next)
            m->next->link = m->link;
        m->link = NULL;
        m->node->mirror = NULL;
    }
    Py_TRASHCAN_BEGIN(self, mirror_dealloc)
    drop_refs(m);
    PyObject_GC_Del(self);
    Py_TRASHCAN_END
}

static PyTypeObject mirror_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ouro._Mirror",
    .tp_basicsize = sizeof(mirror),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = mirror_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = mirror_traverse,
    .tp_clear = mirror_clear,
};

static mirror *mirror_new(size_t refs, struct node *node)
{
    mirror *m = PyObject_GC_NewVar(mirror, &mirror_type, (Py_ssize_t)refs);
    if (!m)
        return NULL;
    memset(m->refs, 0, refs * sizeof *m->refs);
    m->hosted = node->hosted;
    m->node = node;
    m->is_touched = m->is_condemned = false;
    m->next = mirrors;
    m->link = &mirrors;
    if (mirrors)
        mirrors->link = &m->next;
    mirrors = m;
    return m;
}

static bool drop_mirror_of(oupy_wrapper *w, void *unused)
{
    (void)unused;
    Py_CLEAR(w->mirror);
    return true;
}

/* Also those that refer to each other. */
static void drop_mirrors(void)
{
    mirror *m, *next;
    if (!shown.count)
        return; /* the rule: the table of wrappers may be large */
    oupy_is_mirroring = false;
    for (m = mirrors; m; m = m->next) {
        m->hosted = NULL;
        Py_INCREF(m); /* so that none goes before its turn: no recursion */
    }
    oupy_each_wrapper(drop_mirror_of, NULL);
    for (m = mirrors; m; m = m->next)
        drop_refs(m);
    /* One that outlives this, held by one in the trashcan, is on no list. */
    m = mirrors;
    mirrors = NULL;
    for (; m; m = next) {
        next = m->next;
        m->link = NULL;
        Py_DECREF(m);
    }
    oupy_graph_drop(&shown);
}

/* ---- from the graph to mirrors ---- */

static bool make_mirrors(struct graph *graph)
{
    bool good = true;
    for (size_t i = 0; good && i < graph->count; i++) {
        struct node *node = &graph->nodes[i];
        size_t refs = 0;
        for (uint32_t e = 0; node->wanted && e < node->edges; e++)
            refs += graph->nodes[graph->edges[node->first + e]].wanted;
        if (node->wanted)
            good = (node->mirror = mirror_new(refs, node)) != NULL;
    }
    for (size_t i = 0; good && i < graph->count; i++) {
        struct node *node = &graph->nodes[i];
        for (uint32_t e = 0, at = 0; node->mirror && e < node->edges; e++) {
            mirror *to = graph->nodes[graph->edges[node->first + e]].mirror;
            if (to)
                node->mirror->refs[at++] = Py_NewRef(to);
        }
    }
    return good;
}

static bool connect(oupy_wrapper *w, void *arg)
{
    const struct node *node = oupy_graph_find(arg, w->object);
    if (node && node->mirror)
        w->mirror = Py_NewRef(node->mirror);
    return true;
}

/* Takes over the graph. */
static void show(struct graph *graph)
{
    bool good = make_mirrors(graph);
    shown = *graph;
    if (good) {
        oupy_is_mirroring = true;
        oupy_each_wrapper(connect, &shown);
    }
    for (mirror *m = mirrors; good && m; m = m->next)
        PyObject_GC_Track((PyObject *)m);
    for (size_t i = 0; i < shown.count; i++)
        Py_XDECREF(shown.nodes[i].mirror); /* from now on they are held by wrappers and by each other */
    if (!good) {
        PyErr_Clear();
        drop_mirrors();
    }
}

static void analyse(void)
{
    struct graph graph;
    if (oupy_graph_read(&graph) && graph.count)
        show(&graph);
    else
        oupy_graph_drop(&graph);
}

/* ---- when ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* An automatic collection is due when the youngest generation has more new objects than its threshold; one that the program asks for comes at any time. */
static bool is_automatic(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *enabled = gc ? PyObject_CallMethod(gc, "isenabled", NULL) : NULL;
    PyObject *count = enabled ? PyObject_CallMethod(gc, "get_count", NULL) : NULL;
    PyObject *threshold = count ? PyObject_CallMethod(gc, "get_threshold", NULL) : NULL;
    bool is = false;
    if (threshold && enabled == Py_True)
        is = PyLong_AsLong(PyTuple_GET_ITEM(count, 0)) > PyLong_AsLong(PyTuple_GET_ITEM(threshold, 0));
    PyErr_Clear();
    Py_XDECREF(gc);
    Py_XDECREF(enabled);
    Py_XDECREF(count);
    Py_XDECREF(threshold);
    return is;
}

static void begin(PyObject *info)
{
    static double not_before;
    PyObject *generation = PyDict_Check(info) ? PyDict_GetItemString(info, "generation") : NULL;
    oupy_collection++;
    oupy_pending_run();
    drop_mirrors(); /* there are none, unless somebody has taken this out of gc.callbacks and put it back in */
    if (!generation || PyLong_AsLong(generation) < 2 || !oupy_hosted_count() || !oupy_wrapper_count())
        return;
    double start = now();
    if (start < not_before && is_automatic())
        return;
    if (__atomic_load_n(&oupy_released, __ATOMIC_ACQUIRE)) /* the last look before it: is_automatic runs Python code */
        return;
    analyse();
    double end = now();
    not_before = end + 4 * (end - start);
}

static void end(void)
{
    bool are_left = false;
    for (const mirror *m = mirrors; m; m = m->next)
        are_left = are_left || m->is_condemned;
    drop_mirrors();
    if (are_left) {
        oupy_enter();
        OUPY_RELEASE
        (void)!ouro_gc_collect(2); /* refused: then a later one finds them */
        OUPY_REACQUIRE
    }
    oupy_pending_run();
}

static PyObject *on_collection(PyObject *self, PyObject *args)
{
    const char *phase;
    PyObject *info;
    (void)self;
    if (!PyArg_ParseTuple(args, "sO", &phase, &info))
        return NULL;
    if (strcmp(phase, "start") == 0)
        begin(info);
    else
        end();
    Py_RETURN_NONE;
}

bool oupy_mirrors_init(void)
{
    static PyMethodDef method = {"ouro_mirrors", on_collection, METH_VARARGS, "Shows Python's collector what ouro's containers hold."};
    if (PyType_Ready(&mirror_type) < 0)
        return false;
    PyObject *callbacks = oupy_import("gc", "callbacks");
    PyObject *function = callbacks ? PyCFunction_New(&method, NULL) : NULL;
    bool good = function && PyList_Append(callbacks, function) == 0;
    Py_XDECREF(callbacks);
    Py_XDECREF(function);
    return good;
}
