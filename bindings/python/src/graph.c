/* SPDX-License-Identifier: MIT
 *
 * Reads the graph that wrappers lead to, for mirror.c: without recursion, and in one read section, so that what it looks at stays. */
#include <stdlib.h>

#include "graph.h"

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

struct node *oupy_graph_find(const struct graph *graph, const void *object)
{
    if (!graph->index)
        return NULL;
    for (size_t at = home_of(graph, object); graph->index[at]; at = (at + 1) & graph->mask) {
        if (graph->nodes[graph->index[at] - 1].object == object)
            return &graph->nodes[graph->index[at] - 1];
    }
    return NULL;
}

/* The node of an object, which is made if there is none; UINT32_MAX: failed. */
static uint32_t node_of(struct graph *graph, void *object, ouro_kind kind)
{
    const struct node *known = oupy_graph_find(graph, object);
    if (known)
        return (uint32_t)(known - graph->nodes);
    if ((!graph->index || graph->count >= graph->mask / 2) && !grow_index(graph)) {
        graph->failed = true;
        return UINT32_MAX;
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

static void read_all(struct graph *graph)
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

bool oupy_graph_read(struct graph *graph)
{
    bool again = true;
    *graph = (struct graph){0};
    ouro_read_begin();
    read_all(graph);
    graph->stack = graph->failed ? NULL : malloc((graph->count + 1) * sizeof *graph->stack);
    graph->failed |= !graph->stack;
    for (size_t i = 0; !graph->failed && i < graph->count; i++)
        graph->nodes[i].outside = graph->nodes[i].count != graph->nodes[i].known;
    for (int look = 0; !graph->failed && again && look < 4; look++) {
        spread_outside(graph);
        again = mark_wanted(graph) && !look_again(graph);
    }
    ouro_read_end();
    return !graph->failed && !again;
}

void oupy_graph_drop(struct graph *graph)
{
    free(graph->nodes);
    free(graph->edges);
    free(graph->index);
    free(graph->stack);
    *graph = (struct graph){0};
}
