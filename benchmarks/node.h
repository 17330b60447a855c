/* SPDX-License-Identifier: MIT
 *
 * The object most benchmarks are about: two slots and nothing else, 32 bytes. */
#ifndef OURO_BENCH_NODE_H
#define OURO_BENCH_NODE_H

#include <stdint.h>
#include <stdlib.h>

#include <ouro/ouro.h>

typedef struct node {
    ouro_object object;
    ouro_slot left, right;
} node;

extern ouro_type node_type;
extern ouro_type node_acyclic_type; /* the same, and the collector is told that it need not look */

/* What a program would do without ouro: the same fields, header words included. */
typedef struct plain_node {
    uint64_t header[2];
    struct plain_node *left, *right;
} plain_node;

/* A new node; a benchmark has no use for a half-built result, so running out of memory ends the program. */
static inline node *node_new_of(ouro_type *type)
{
    node *n = ouro_new(type);
    if (!n)
        abort();
    return n;
}

static inline node *node_new(void)
{
    return node_new_of(&node_type);
}

#endif
