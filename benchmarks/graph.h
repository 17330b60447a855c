/* SPDX-License-Identifier: MIT
 *
 * A random graph full of cycles, and rings: what the collectors are measured with. */
#ifndef OURO_BENCH_GRAPH_H
#define OURO_BENCH_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "node.h"

/* Two or three of the slots are filled: the next one in a circle of all in random order, so that any of them keeps all
 * alive, and one or two others at random. 40 bytes. */
typedef struct vertex {
    ouro_object object;
    ouro_slot next, others[2];
} vertex;

/* Makes a graph of that many and shares it. Returns an array of references, one to each; graph_drop_others leaves the
 * one that it returns, and frees the array. */
vertex **graph_make(size_t count);
vertex *graph_drop_others(vertex **graph, size_t count);

/* A ring of size nodes: the result's reference is the caller's, the rest hold each other. */
static inline node *ring_make(unsigned size)
{
    node *first = node_new(), *last = first;
    for (unsigned i = 1; i < size; i++) {
        node *n = node_new();
        ouro_give(last, &last->left, n);
        last = n;
    }
    ouro_set(last, &last->left, first);
    return first;
}

#endif
