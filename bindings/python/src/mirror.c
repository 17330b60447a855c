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
 *         comes to a container that it took for garbage by its wrapper, by a weak reference to it, or by asking the collector for objects. When that
 *         happens the mirrors may no longer be true: from then on they show no Python objects, so that those count as reachable. The next
 *         collection will see them again.
 *     M4  Which ones it takes for garbage, a mirror knows by who has visited it: at first the collector visits everything, to subtract
 *         references, and then, with another visitor, what it has found to be reachable. The sentinel is reachable, so it has met both.
 *
 * The graph is read in one read section, while other threads go on. Python's threads do not change it meanwhile: they have no GIL, and if one has let
 * go of it in the middle of an operation on ouro (oupy_released), there are no mirrors this time. Threads of other languages may. Hence a second look at
 * every object that is to get a mirror: its count and its references must be the same. See docs/design/bindings-python.md for what remains.
 *
 * A collection of the younger generations shows nothing: then everything in ouro counts as reachable. Nor does an automatic full one while what
 * mirrors have cost of late is more than a fifth of the time. */
#include <stdlib.h>
#include <time.h>

#include "oupy.h"

/* ---- mirrors ---- */

typedef struct mirror {
    PyObject_VAR_HEAD /* the number of refs */
    struct mirror *next, **link; /* all there are */
    PyObject *hosted; /* by a handle, whose reference this shows; or NULL */
    visitproc first, second; /* the first two different visitors that it has had */
    PyObject *refs[]; /* mirrors, counted */
} mirror;

bool oupy_is_mirroring;
static bool is_touched;
static mirror *mirrors, *sentinel;

void oupy_mirror_touched(PyObject *touched)
{
    const mirror *m = (const mirror *)touched;
    if (!sentinel || !m->second || m->second != sentinel->second)
        is_touched = true;
}

void oupy_mirrors_touched(void)
{
    is_touched = true;
}

static int mirror_traverse(PyObject *self, visitproc visit, void *arg)
{
    mirror *m = (mirror *)self;
    if (!m->first)
        m->first = visit;
    else if (!m->second && visit != m->first)
        m->second = visit;
    for (Py_ssize_t i = 0; i < Py_SIZE(m); i++)
        Py_VISIT(m->refs[i]);
    if (!is_touched)
        Py_VISIT(m->hosted);
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
    Py_TRASHCAN_BEGIN(self, mirror_dealloc)
    if (m->link) {
        *m->link = m->next;
        if (m->next)
            m->next->link = m->link;
    }
    drop_refs(m);
    PyObject_GC_Del(self);
    Py_TRASHCAN_END
}

/* No tp_clear: what refers to mirrors are wrappers and mirrors, and the latter go at the end of the collection. */
static PyTypeObject mirror_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ouro._Mirror",
    .tp_basicsize = sizeof(mirror),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = mirror_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = mirror_traverse,
};

static mirror *mirror_new(size_t refs, PyObject *hosted)
{
    mirror *m = PyObject_GC_NewVar(mirror, &mirror_type, (Py_ssize_t)refs);
    if (!m)
        return NULL;
    memset(m->refs, 0, refs * sizeof *m->refs);
    m->hosted = hosted;
    m->first = m->second = NULL;
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
    oupy_is_mirroring = false;
    Py_CLEAR(sentinel);
    for (m = mirrors; m; m = m->next) {
        m->hosted = NULL;
        Py_INCREF(m); /* so that none goes before its turn: no recursion */
    }
    oupy_each_wrapper(drop_mirror_of, NULL);
    for (m = mirrors; m; m = m->next)
        drop_refs(m);
    for (m = mirrors; m; m = next) {
        next = m->next;
        Py_DECREF(m);
    }
}

/* ---- the graph: what wrappers lead to, without strings and the like ---- */

struct node {
    void *object;
    size_t count;           /* as ouro_refcount gave it */
    uint32_t known;         /* references that were met: edges to it, and wrappers */
    uint32_t first, edges;  /* in graph.edges */
    bool outside;           /* reached from outside */
    bool wanted;            /* leads to a Python object */
    PyObject *hosted;       /* borrowed */
    mirror *mirror;
};

struct graph {
    struct node *nodes;
    size_t count, room;
    uint32_t *edges;
    size_t edge_count, edge_room;
    uint32_t *index; /* by address: number of the node + 1; open addressing */
    size_t mask;
    uint32_t *stack;
    bool failed;     /* no memory, or too large */
    struct node *at; /* whose references are being looked at */
    uint32_t seen;   /* of them */
    bool changed;
};

#define NODES_MAX ((size_t)1 << 26)

static bool reserve(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? 2 * *room : 1024;
    void *moved = realloc(*array, more * size);
    if (!moved)
        return false;
    *array = moved;
    *room = more;
    return true;
}

static size_t home_of(const struct graph *graph, const void *object)
{
    return ((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15u >> 20 & graph->mask;
}

static void put(struct graph *graph, uint32_t number)
{
    size_t at = home_of(graph, graph->nodes[number].object);
    while (graph->index[at])
        at = (at + 1) & graph->mask;
    graph->index[at] = number + 1;
}

static bool grow_index(struct graph *graph)
{
    size_t entries = graph->index ? 2 * (graph->mask + 1) : 4096;
    uint32_t *index = calloc(entries, sizeof *index);
    if (!index)
        return false;
    free(graph->index);
    graph->index = index;
    graph->mask = entries - 1;
    for (size_t i = 0; i < graph->count; i++)
        put(graph, (uint32_t)i);
    return true;
}

/* The node of an object, which is made if there is none; UINT32_MAX: failed. */
static uint32_t node_of(struct graph *graph, void *object, ouro_kind kind)
{
    if ((!graph->index || graph->count >= graph->mask / 2) && !grow_index(graph)) {
        graph->failed = true;
        return UINT32_MAX;
    }
    for (size_t at = home_of(graph, object); graph->index[at]; at = (at + 1) & graph->mask) {
        if (graph->nodes[graph->index[at] - 1].object == object)
            return graph->index[at] - 1;
    }
    size_t at = graph->at ? (size_t)(graph->at - graph->nodes) : 0;
    if (graph->count == NODES_MAX || !reserve((void **)&graph->nodes, &graph->room, graph->count, sizeof *graph->nodes)) {
        graph->failed = true;
        return UINT32_MAX;
    }
    graph->at = graph->at ? &graph->nodes[at] : NULL;
    graph->nodes[graph->count] = (struct node){
        .object = object,
        .hosted = kind == OURO_KIND_HOST ? oupy_hosted(ouro_value_of(object)) : NULL,
    };
    put(graph, (uint32_t)graph->count);
    return (uint32_t)graph->count++;
}

/* What can lead neither to a Python object nor anywhere else. */
static bool is_leaf(ouro_kind kind, const void *object)
{
    switch (kind) {
    case OURO_KIND_FLOAT:
    case OURO_KIND_STRING:
    case OURO_KIND_BYTES:
    case OURO_KIND_SHAPE:
    case OURO_KIND_WEAK:
        return true;
    case OURO_KIND_HOST: {
        PyObject *hosted = oupy_hosted(ouro_value_of(object));
        return hosted && !PyObject_IS_GC(hosted);
    }
    default:
        return false;
    }
}

static int add_edge(void *object, void *arg)
{
    struct graph *graph = arg;
    ouro_kind kind = ouro_kind_of(ouro_value_of(object));
    if (is_leaf(kind, object))
        return 0;
    uint32_t to = node_of(graph, object, kind);
    if (!graph->failed && !reserve((void **)&graph->edges, &graph->edge_room, graph->edge_count, sizeof *graph->edges))
        graph->failed = true;
    if (graph->failed)
        return 1;
    graph->edges[graph->edge_count++] = to;
    graph->nodes[to].known++;
    graph->at->edges++;
    return 0;
}

static bool add_wrapper(oupy_wrapper *w, void *arg)
{
    struct graph *graph = arg;
    ouro_kind kind = ouro_kind_of(ouro_value_of(w->object));
    if (is_leaf(kind, w->object))
        return true;
    uint32_t to = node_of(graph, w->object, kind);
    if (!graph->failed)
        graph->nodes[to].known++;
    return !graph->failed;
}

static void read_graph(struct graph *graph)
{
    oupy_each_wrapper(add_wrapper, graph);
    for (size_t i = 0; !graph->failed && i < graph->count; i++) {
        graph->at = &graph->nodes[i];
        graph->at->first = (uint32_t)graph->edge_count;
        ouro_gc_visit_referents(graph->at->object, add_edge, graph);
        graph->failed |= graph->edge_count > UINT32_MAX;
    }
    for (size_t i = 0; !graph->failed && i < graph->count; i++)
        graph->nodes[i].count = ouro_refcount(graph->nodes[i].object);
}

/* Marks what the nodes marked `outside` lead to. */
static void spread_outside(struct graph *graph)
{
    size_t top = 0;
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->nodes[i].outside)
            graph->stack[top++] = (uint32_t)i;
    }
    while (top) {
        const struct node *node = &graph->nodes[graph->stack[--top]];
        for (uint32_t e = 0; e < node->edges; e++) {
            uint32_t to = graph->edges[node->first + e];
            if (!graph->nodes[to].outside) {
                graph->nodes[to].outside = true;
                graph->stack[top++] = to;
            }
        }
    }
}

/* Marks, of the nodes that only wrappers keep alive, those that lead to a Python object; how many. */
static size_t mark_wanted(struct graph *graph)
{
    size_t top = 0, count = 0;
    uint32_t *begin = calloc(graph->count + 1, sizeof *begin), *from = malloc((graph->edge_count + 1) * sizeof *from);
    graph->failed |= !begin || !from;
    if (!graph->failed) {
        /* The edges the other way round: those to node n come from from[begin[n]] to from[begin[n + 1] - 1]. */
        for (size_t e = 0; e < graph->edge_count; e++)
            begin[graph->edges[e]]++;
        for (size_t i = 0; i < graph->count; i++)
            begin[i + 1] += begin[i]; /* now the end of each */
        for (size_t i = 0; i < graph->count; i++) {
            const struct node *node = &graph->nodes[i];
            for (uint32_t e = 0; e < node->edges; e++)
                from[--begin[graph->edges[node->first + e]]] = (uint32_t)i;
        }
        for (size_t i = 0; i < graph->count; i++) {
            struct node *node = &graph->nodes[i];
            node->wanted = !node->outside && node->hosted;
            if (node->wanted)
                graph->stack[top++] = (uint32_t)i;
        }
        while (top) {
            uint32_t to = graph->stack[--top];
            count++;
            for (uint32_t e = begin[to]; e < begin[to + 1]; e++) {
                struct node *node = &graph->nodes[from[e]];
                if (!node->outside && !node->wanted) {
                    node->wanted = true;
                    graph->stack[top++] = from[e];
                }
            }
        }
    }
    free(begin);
    free(from);
    return graph->failed ? 0 : count;
}

static int compare_edge(void *object, void *arg)
{
    struct graph *graph = arg;
    if (is_leaf(ouro_kind_of(ouro_value_of(object)), object))
        return 0;
    graph->changed = graph->seen == graph->at->edges || graph->nodes[graph->edges[graph->at->first + graph->seen]].object != object;
    graph->seen++;
    return graph->changed;
}

/* The second look, last object first. False: something has changed; it counts as outside now. */
static bool look_again(struct graph *graph)
{
    bool same = true;
    for (size_t i = graph->count; i--;) {
        struct node *node = graph->at = &graph->nodes[i];
        if (!node->wanted)
            continue;
        graph->seen = 0;
        graph->changed = false;
        ouro_gc_visit_referents(node->object, compare_edge, graph);
        if (graph->changed || graph->seen != node->edges || ouro_refcount(node->object) != node->count) {
            node->outside = true;
            same = false;
        }
    }
    return same;
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
            good = (node->mirror = mirror_new(refs, node->hosted)) != NULL;
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
    struct graph *graph = arg;
    for (size_t at = home_of(graph, w->object); graph->index[at]; at = (at + 1) & graph->mask) {
        const struct node *node = &graph->nodes[graph->index[at] - 1];
        if (node->object == w->object && node->mirror)
            w->mirror = Py_NewRef(node->mirror);
    }
    return true;
}

static void show(struct graph *graph)
{
    bool good = make_mirrors(graph) && (sentinel = mirror_new(0, NULL));
    if (good) {
        oupy_is_mirroring = true;
        is_touched = false;
        oupy_each_wrapper(connect, graph);
    }
    for (mirror *m = mirrors; good && m; m = m->next)
        PyObject_GC_Track((PyObject *)m);
    for (size_t i = 0; i < graph->count; i++)
        Py_XDECREF(graph->nodes[i].mirror); /* from now on they are held by wrappers and by each other */
    if (!good) {
        PyErr_Clear();
        drop_mirrors();
    }
}

static void analyse(void)
{
    struct graph graph = {0};
    bool again = true;
    ouro_read_begin();
    read_graph(&graph);
    graph.stack = graph.failed ? NULL : malloc((graph.count + 1) * sizeof *graph.stack);
    graph.failed |= !graph.stack;
    for (size_t i = 0; !graph.failed && i < graph.count; i++)
        graph.nodes[i].outside = graph.nodes[i].count != graph.nodes[i].known;
    for (int look = 0; !graph.failed && again && look < 4; look++) {
        spread_outside(&graph);
        again = mark_wanted(&graph) && !look_again(&graph);
    }
    ouro_read_end();
    if (!graph.failed && !again && graph.count)
        show(&graph);
    free(graph.nodes);
    free(graph.edges);
    free(graph.index);
    free(graph.stack);
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
    oupy_pending_run();
    drop_mirrors(); /* there are none, unless somebody has taken this out of gc.callbacks and put it back in */
    if (!generation || PyLong_AsLong(generation) < 2 || !oupy_hosted_count() || !oupy_wrapper_count())
        return;
    if (__atomic_load_n(&oupy_released, __ATOMIC_ACQUIRE))
        return;
    double start = now();
    if (start < not_before && is_automatic())
        return;
    analyse();
    double end = now();
    not_before = end + 4 * (end - start);
}

static PyObject *on_collection(PyObject *self, PyObject *args)
{
    const char *phase;
    PyObject *info;
    (void)self;
    if (!PyArg_ParseTuple(args, "sO", &phase, &info))
        return NULL;
    if (strcmp(phase, "start") == 0) {
        begin(info);
    } else {
        drop_mirrors();
        oupy_pending_run();
    }
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
