/* SPDX-License-Identifier: MIT
 *
 * Nodes, and the ledger: what the program knows of each of them without asking the library. Every operation on a node goes through this file,
 * and is entered here beside being done.
 *
 * Of each slot the ledger has one number: the sum of the ids of all that was put in, less those of all that was taken out. Who changes
 * a slot learns what was there before; operations on one slot are atomic; so the sum is the id of what is in the slot, in whatever order
 * threads have worked on it and entered what they did. Adding to it takes no lock, and brings no order into what is to be tried. While
 * threads work it is nothing; when they rest it is exact, and from it follow all references, all counts, and what is alive (oracle.h).
 *
 * ouro_set and ouro_give do not say what was there before. They are for slots that one worker alone writes, the one that made the node. */
#ifndef TORTURE_LEDGER_H
#define TORTURE_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ouro/ouro.h>

#include "support/rng.h"

enum kind { PLAIN, FINALIZED, KEEPER, ARRAY, ACYCLIC, LEAF, WEAK, KINDS };

/* The slots of a node: any thread may take, swap and compare_set in the first ones; its maker writes the others; the last one is for a
 * weak reference. */
enum { RACING_SLOTS = 4, OWN_SLOTS = 3, WEAK_SLOT = RACING_SLOTS + OWN_SLOTS, SLOTS };

struct node {
    ouro_array start; /* the length counts in arrays and leaves */
    uint32_t id, serial;
    uint64_t mark;    /* made from the two, and the kind */
    ouro_slot slots[]; /* a leaf has bytes here, made from the mark; an array has more, empty ones in between */
};

/* One for each id. An id is given out again when its object is known to be gone: then the serial number is another. */
struct account {
    _Atomic uint32_t slots[SLOTS];
    _Atomic uint32_t refuge; /* the same, of the slot that a node's finalizer may put something in: see refuge */
    _Atomic uint8_t finalizations, calls;
    bool used, has_callback; /* the rest is written when the object is made, or by the oracle */
    bool immortal;
    uint8_t kind;
    uint16_t maker;
    uint32_t serial;
    uint32_t target, target_serial; /* of a weak reference */
    void *object;                   /* compared; followed only when the oracle says that it is alive */
    uint32_t references;            /* the oracle's, as the next */
    bool met;
};

extern struct account *accounts; /* [1 .. account_count] */
extern uint32_t account_count;
extern ouro_type node_types[KINDS];

/* Who makes nodes: a worker, with a part of the accounts; or the main thread. */
struct maker {
    unsigned number;
    uint32_t *free, free_count;
    uint64_t made, refused; /* refused: there was no account, or, under a limit, no memory */
};

/* Makes the ledger, the refuge, and the makers' parts of the accounts; the last maker has `few` of them. */
void ledger_start(uint32_t objects, struct maker *const *makers, unsigned count, uint32_t few);
void ledger_close(uint32_t id); /* its object is known to be gone */

/* While a hard limit is in force, memory may lack; not at another time. `before`: what ledger_limits gave before the call that failed. */
unsigned ledger_limits(void); /* odd: one is in force */
void ledger_limit_changes(void);
void ledger_lacked_memory(unsigned before, uint32_t id);

/* ouro_gc_collect, which may be refused for lack of memory only. */
long ledger_collect(int generation);

/* A new node, private unless the thread is unbiased, or NULL. */
struct node *node_new(struct maker *maker, enum kind kind, struct rng *rng);
ouro_weak *node_weak_new(struct maker *maker, struct node *target, bool callback, uint32_t *id);
/* The target, or NULL. id: the weak reference's, or 0 if the caller does not know it. */
struct node *node_weak_get(ouro_weak *weak, uint32_t id);

/* Fails unless the node's contents are its own; what they are worth in all is `whole`, else the most important. */
void node_check(const struct node *n, bool whole);

bool node_has_slots(const struct node *n);
bool node_has_finalizer(enum kind kind);
bool node_may_refer(const struct node *from, const struct node *to);
bool node_is_made_by(const struct node *n, const struct maker *maker);
ouro_slot *node_slot(struct node *n, unsigned slot);

/* As their namesakes in <ouro/slot.h>. */
struct node *node_get(struct node *n, unsigned slot);
struct node *node_take(struct node *n, unsigned slot);
struct node *node_swap(struct node *n, unsigned slot, struct node *in);
bool node_compare_set(struct node *n, unsigned slot, struct node *expected, struct node *in);
void node_set(struct node *n, unsigned slot, struct node *in);  /* slots of the maker's */
void node_give(struct node *n, unsigned slot, struct node *in); /* the same */
void node_give_weak(struct node *n, ouro_weak *weak, uint32_t id);
void node_share(struct node *n);
void node_release(struct node *n);
void node_immortalize(struct node *n);

/* The refuge has a slot for each id, where finalizers of keepers leave what is to live on. */
struct node *refuge_take(uint32_t id);
void refuge_stop(void);  /* keepers keep nothing any more */
void refuge_close(void); /* empty by then */

#endif
