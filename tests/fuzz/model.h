/* SPDX-License-Identifier: MIT
 *
 * The oracle of objects_fuzz: what the objects of one input should be, in plain arrays, by the words of the public headers alone. It
 * counts, marks, publishes and finalizes by itself and calls nothing of the library.
 *
 * What a collection of cycles finds is not always decidable: one of generation 1, or one that ouro_new has begun, may leave garbage.
 * Therefore the model keeps what is unreachable until it is told what was seen, and says then what must not have been. */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ouro/value.h>

enum { OBJECTS_MAX = 192, SLOTS_MAX = 8, NONE = -1 };

enum kind { PAIR, TRIPLE, FINALIZED, TABLE, STAMPED_TABLE, LEAF, FINALIZED_LEAF, BYTES, ACYCLIC, WEAK, KINDS };

/* What an object's finalizer does. */
enum fate { GOES, STAYS, SAVES_FIRST, CLEARS, FATES };

struct content {
    int object;      /* its number, or NONE */
    ouro_value word; /* what is no reference; nil, too */
};

struct entry {
    enum kind kind;
    enum fate fate;
    int slots, stride;
    struct content content[SLOTS_MAX];
    int held;  /* references outside all objects */
    int count; /* these and those from entries that are not gone */
    int target; /* of a weak reference */
    bool has_callback;
    bool shared, immortal, frozen, finalized, gone, reachable;
    bool waiting; /* count 0, in a read section that its finalizer waits for */
    int gone_at;  /* the step */
    bool gone_loosely; /* and that may be wrong */

    /* The object itself, and what was seen of it; written by finalizers and callbacks, on any thread. */
    void *object;
    atomic_int seen_finalized, seen_called;
    bool seen_alive;
};

extern struct model {
    struct entry entries[OBJECTS_MAX];
    int used;
    int step;
    bool in_section;
    bool manual; /* finalizers of garbage cycles wait for ouro_finalizers_run */
    bool loose;  /* what is unreachable may have been collected: only what is reachable is known */
} model;

void model_start(bool manual);
int model_add(enum kind kind, int slots);

bool model_is_tracked(const struct entry *e);
bool model_has_finalizer(const struct entry *e);
/* Not gone, and its finalizer is not due. */
bool model_is_alive(int number);

void model_hold(int number);
void model_drop(int number); /* one of held */
void model_move(int container, int slot, int number); /* the content; number is counted already: a reference is taken over */
int model_take(int container, int slot);              /* the content, which is held from now on */
void model_share(int number);
void model_immortalize(int number);
void model_freeze(bool frozen);
void model_section_ends(void);

/* Sets reachable: from held, immortal and frozen ones. */
void model_mark(void);
/* References from reachable objects, and held: the least that a count can be. */
int model_sure_count(int number);

/* After a collection, everything else at rest. seen_alive says of each tracked object whether it was met; all means that every garbage
 * cycle must be gone that was there (generation 2), private_all that those of private objects must. */
void model_collected(bool private_all, bool all);

#endif
