/* SPDX-License-Identifier: MIT
 *
 * Why is a package installed?
 *
 * It is there because somebody wants it: because it is essential, of a priority that every system has, or because
 * nothing depends on it, so that it must have been asked for. Every other package is there because of one that depends
 * on it. So the answer is the shortest chain of dependants from the package up to a wanted one. */
#ifndef DEMO_WHY_H
#define DEMO_WHY_H

#include "demo.h"

/* What one reader needs for its searches; all by package id or by place in the queue. */
struct search {
    const struct package **queue;
    size_t *from;  /* the place in the queue from which this one was found */
    size_t *round; /* of the search that last saw the package */
    size_t rounds;
};

/* False: no memory. To be freed in either case. */
bool search_init(struct search *search, const struct graph *graph);
void search_free(struct search *search);

/* Finds the chain, checks it, and adds to *mine. In a read section, at whose beginning graph.changes was
 * changes_before. */
void search_why(struct search *search, const struct package *package, size_t changes_before, struct traffic *mine);

#endif
