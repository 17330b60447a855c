/* SPDX-License-Identifier: MIT
 *
 * The shared graph.
 *
 *     index ──> package ──> version ──> list of packages     forward: what it depends on
 *                  │  ^      │  ^              │
 *                  │  │      v  │              │
 *                  │  │     version            │              back in time: what it replaced, and by what that was
 *                  │  └────────────────────────┘
 *                  └─> backlink ──> package                  backward: who depends on it
 *
 * Every arrow is a counted reference, so the graph is full of cycles: each dependency is one together with its
 * backlink, packages depend on each other in circles of their own, and each version refers to the one before it and to
 * the one after it.
 *
 * A backlink exists only while the dependency does: adding a dependency stores the forward edge first, removing
 * one takes the backlink out first. Thus whoever finds a backlink may expect the edge, unless a writer has been
 * there since; then that writer has stamped package.changed in between. */
#ifndef DEMO_GRAPH_H
#define DEMO_GRAPH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <ouro/ouro.h>

#include "input.h"
#include "team.h"

struct text { /* never changed */
    ouro_array array;
    char bytes[]; /* array.length bytes, the last one 0 */
};

struct list {
    ouro_array array;
    ouro_slot items[];
};

/* Versions of one package, from the first of them on, that know each other. The next one begins a new history: then
 * nothing leads to the old one any more, and it is garbage that no count sees. */
#define HISTORY 8

/* Never changed but for `after`, and the packages in its list: an update puts a new version in its place. */
struct version {
    ouro_object object;
    ouro_slot number;  /* text */
    ouro_slot depends; /* list of packages; the same one may be there twice, and then has two backlinks */
    ouro_slot before;  /* the version that this one replaced; NULL: it begins a history */
    ouro_slot after;   /* the version that replaced this one, in the same history; stored last */
    size_t offset;     /* of the stanza: of several for one package the last in the file counts */
    size_t revision;   /* 0 as parsed, one more with each update */
    bool wanted;       /* essential, or of a priority that every system has */
};

struct package {
    ouro_object object;
    ouro_slot name;        /* text */
    ouro_slot version;     /* NULL: named as a dependency, but not installed */
    ouro_slot dependants;  /* first backlink */
    ouro_slot next;        /* in the index: the packages of one bucket */
    uint64_t hash;         /* of the name */
    size_t id;             /* its place in graph.packages */
    atomic_size_t changed; /* graph.changes at the last time that a dependency was taken away */
};

struct backlink {
    ouro_object object;
    ouro_slot package; /* who depends */
    ouro_slot next;
};

/* The roots. Threads read it freely; index and packages are set while one thread runs. */
struct graph {
    struct list *index;    /* hash table of packages; grows by chaining, for any number of names */
    struct list *packages; /* the same packages by id, once they are all there */
    atomic_size_t outrun;  /* packages made for nothing, since another thread was faster */
    atomic_size_t changes;
    pthread_mutex_t writers; /* taken to change dependencies; readers know nothing of it */
};

/* The sums are over all pairs of dependant and needed package, the same for the same pairs in any order. */
struct census {
    size_t packages; /* names, that is: also of those that are only depended on */
    size_t installed;
    size_t dependencies, backlinks;
    uint64_t dependencies_sum, backlinks_sum;
};

extern ouro_type list_type;

/* New objects, private and held by the caller; NULL: no memory. */
struct text *text_new(struct span span);
struct version *version_new(void);
struct backlink *backlink_new(struct package *dependant);

/* Sized for the packages of a file of that length. False: no memory. */
bool graph_init(struct graph *graph, size_t file_length);

/* The package of that name, made if need be, as a new reference; NULL: no memory. Any thread. */
struct package *graph_package(struct graph *graph, struct span name);

/* Gives the packages their ids and fills graph.packages, while no other thread is at it. False: no memory. */
bool graph_number_packages(struct graph *graph);

/* Puts the link into the package's list, and takes over the reference to it. Any thread. */
void package_add_dependant(struct package *package, struct backlink *link);

/* Makes the package depend on `to` instead of what list->items[i] holds. Takes over the reference to the link, a
 * new one for the package: nothing can fail half-way. Under graph.writers. */
void graph_rewire(struct graph *graph, struct package *package, struct list *list, size_t i, struct package *to,
                  struct backlink *link);

/* Borrowed reading, for use in a read section: arguments and results are found there, and no count is touched. */
struct package *graph_any(const struct graph *graph, struct rng *rng);
const char *package_name(const struct package *package);
struct list *package_depends(const struct package *package);           /* NULL: nothing, or not installed */
bool list_has(const struct list *list, const struct package *package); /* NULL has nothing */

/* Goes through the whole graph; exact while nobody writes. */
struct census graph_census(const struct graph *graph);

/* Lets go of the roots, and thereby of all that nobody else holds. */
void graph_drop(struct graph *graph);

#endif
