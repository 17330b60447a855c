/* SPDX-License-Identifier: MIT
 *
 * The phases of the demo, in their order. Each runs a team of threads and fills in what the report says about it. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "graph.h"

/* parse.c: the file into the graph. False: no memory. */
struct parsed {
    size_t stanzas;
    size_t installed;
    size_t superseded; /* stanzas for a package that another one, later in the file, is for too */
};
bool parse(struct graph *graph, const struct input *input, struct parsed *parsed);

/* traffic.c: readers ask why packages are installed, writers change the graph under them. False: no memory. */
struct traffic {
    unsigned readers, writers;
    size_t questions;
    size_t answers;    /* with a chain; the other packages are held by nothing but a circle */
    size_t hops;       /* of all chains, found by backlinks and checked against the dependencies: */
    size_t overtaken;  /* gone, because a writer was there meanwhile */
    size_t wrong;      /* gone for no reason */
    size_t longest;    /* packages in the longest chain, */
    char chain[2048];  /* which is this one */
    size_t updates;    /* versions replaced */
    size_t reinstalls; /* versions taken out and put back */
    size_t rewirings;  /* dependencies turned elsewhere, or back */
};
bool traffic(struct graph *graph, struct traffic *traffic);

/* what_if.c: what would go with a package? Asked of private graphs. False: no memory. */
struct what_if {
    size_t questions;
    size_t nodes;
    size_t wrong;   /* private graphs that were not whole */
    size_t largest; /* packages that would go, at most, */
    size_t package; /* with the one of this id */
};
bool what_if(struct graph *graph, struct what_if *what_if);

/* report.c: what became of the objects. */
void report_start(void);
void report_phase(const char *phase); /* it ends now, and began when the one before ended */
bool report_print(void);              /* the table; true if no object is alive */

#endif
