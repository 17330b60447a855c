/* SPDX-License-Identifier: MIT
 *
 * The phases of the demo, in their order. Each runs a team of threads and fills in what the report says about it. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "graph.h"
#include "watch.h"

/* parse.c: the file into the graph. False: no memory. */
struct parsed {
    size_t stanzas;
    size_t installed;
    size_t superseded; /* stanzas for a package that another one, later in the file, is for too */
};
bool parse(struct graph *graph, const struct input *input, struct parsed *parsed);

/* traffic.c: readers ask and writers change the graph under them, with and without collections. False: no memory. */
enum question { ASK_WHY, ASK_HISTORY, QUESTIONS };

struct traffic {
    unsigned readers, writers;
    /* By the readers. */
    size_t answers;                   /* with a chain; the other packages are held by nothing but a circle */
    size_t hops;                      /* of all chains, found by backlinks and checked against the dependencies: */
    size_t overtaken;                 /* gone, because a writer was there meanwhile */
    size_t wrong;                     /* gone for no reason */
    size_t longest;                   /* packages in the longest chain, */
    char chain[2048];                 /* which is this one */
    size_t replaced;                  /* versions found in histories */
    size_t misplaced;                 /* of these, not where they belong */
    size_t waited;                    /* times that a reader gave up the processor to wait for something */
    size_t preempted;                 /* times that the system took it away */
    struct timing took[QUESTIONS][2]; /* [1]: while collections ran */
    /* By the writers. */
    size_t updates;    /* versions replaced */
    size_t outrun;     /* versions made for nothing, since another writer was faster */
    size_t histories;  /* left behind as garbage, HISTORY versions each */
    size_t reinstalls; /* versions taken out and put back */
    size_t rewirings;  /* dependencies turned elsewhere, or back */
    /* By the collecting thread, beside them. */
    size_t collections, looked_at, collected;
    uint64_t collecting_ns;
};
bool traffic(struct graph *graph, struct traffic *traffic);
void traffic_print(const struct traffic *traffic); /* traffic_print.c */

/* what_if.c: what would go with a package? Asked of private graphs. False: no memory. */
struct what_if {
    size_t questions;
    size_t nodes;
    size_t wrong;   /* private graphs that were not whole */
    size_t lonely;  /* private graphs of one node: only these have no cycle */
    size_t largest; /* packages that would go, at most, */
    size_t package; /* with the one of this id */
};
bool what_if(struct graph *graph, struct what_if *what_if);

/* report.c: what became of the objects. */
struct objects {
    size_t made;
    size_t by_counting, by_young, by_concurrent; /* gone; the last two by collections */
    size_t alive;
};
void report_start(void);
struct objects report_phase(const char *phase); /* it ends now, and began when the one before ended */
bool report_print(void);                        /* the table; true if no object is alive, and the sums are right */
const char *number(uint64_t value);             /* "1 234 567"; good for the next seven calls */

#endif
