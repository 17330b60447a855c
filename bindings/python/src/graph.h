/* SPDX-License-Identifier: MIT
 *
 * The part of ouro's graph that wrappers lead to, without strings and the like, as it was at one moment. */
#ifndef OUPY_GRAPH_H
#define OUPY_GRAPH_H

#include "oupy.h"

typedef struct mirror mirror; /* mirror.c */

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

/* Reads it and works out what only wrappers keep alive, and leads to a Python object: `wanted`. False: no memory, or other threads change it.
 * In any case to be dropped. */
bool oupy_graph_read(struct graph *graph);
void oupy_graph_drop(struct graph *graph);

/* The node of an object; NULL if it has none. */
struct node *oupy_graph_find(const struct graph *graph, const void *object);

#endif
