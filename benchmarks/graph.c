/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include "bench.h"

static ouro_type vertex_type = OURO_TYPE(vertex, .name = "vertex", .slots = OURO_SLOTS(vertex, next, others));

/* A random order in which each place follows each other one alike (Durstenfeld's shuffle). */
static void shuffle(vertex **graph, size_t count, uint64_t *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = bench_random_below(random, (uint32_t)i);
        vertex *other = graph[k];
        graph[k] = graph[i - 1];
        graph[i - 1] = other;
    }
}

vertex **graph_make(size_t count)
{
    uint64_t random = 88172645463325252u;
    vertex **graph = malloc(count * sizeof *graph);
    if (!graph)
        abort();
    for (size_t i = 0; i < count; i++) {
        graph[i] = ouro_new(&vertex_type);
        if (!graph[i])
            abort();
    }
    shuffle(graph, count, &random);
    for (size_t i = 0; i < count; i++) {
        vertex *v = graph[i];
        ouro_set(v, &v->next, graph[(i + 1) % count]);
        ouro_set(v, &v->others[0], graph[bench_random_below(&random, (uint32_t)count)]);
        if (bench_random(&random) & 1)
            ouro_set(v, &v->others[1], graph[bench_random_below(&random, (uint32_t)count)]);
    }
    ouro_share(graph[0]);
    return graph;
}

vertex *graph_drop_others(vertex **graph, size_t count)
{
    vertex *one = graph[0];
    for (size_t i = 1; i < count; i++)
        ouro_release(graph[i]);
    free(graph);
    return one;
}
