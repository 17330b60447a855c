/* SPDX-License-Identifier: MIT
 *
 * The verification of the whole heap, by the ledger. All workers wait, parked, and what they hold is published. Collections go on until they find
 * nothing. Then the ledger says, and the library is asked for it: what can be reached from the roots, and what those hold who wait; that this
 * is alive and nothing else; how many references lead to each object, and what is in each slot; that contents are intact; what has been
 * finalized, and how often; which weak references lead to their targets, and which have called back. */
#ifndef TORTURE_ORACLE_H
#define TORTURE_ORACLE_H

#include "torture/steps.h"

struct oracle {
    struct worker **workers; /* the last one is the main thread's: it holds the roots */
    unsigned count;
    size_t others, other_bytes; /* live objects that are not in the ledger */
    uint64_t state;             /* made from all that was found alive, each time: the same after the same */
    uint64_t verified;          /* objects found alive and right, in all */
    uint32_t alive;             /* the last time */
};

/* Before the first collection: it is to know when one is under way. */
void oracle_listen(void);

/* Before the first object of the ledger. */
void oracle_start(struct oracle *oracle);

/* What is gone gives its account back. */
void oracle_verify(struct oracle *oracle);

/* Collects until nothing is found. */
void oracle_settle(void);

#endif
