/* SPDX-License-Identifier: MIT
 *
 * Thread slots: the identities that objects are biased to. A slot outlives the threads that hold it: what is biased to it
 * stays so, and whoever holds it next inherits its counts. docs/design/biased-counts.md, "Holding a slot".
 *
 *     VACANT ──attach──▶ THREAD ──blocking_begin──▶ PARKED ──blocking_end──▶ THREAD ──exit──▶ VACANT
 *     VACANT ◀─claim/let go─▶ CLAIMED_VACANT          PARKED ◀─claim/let go─▶ CLAIMED_PARKED
 *     CLAIMED_PARKED | WANTED ──let go──▶ THREAD                 the owner has come back meanwhile, and waits for this
 *     any ──fork, in the child, when its thread has vanished──▶ RETIRED (for good)
 *
 * S1  At any time at most one thread holds a slot: the one whose transition led to THREAD or CLAIMED_*. Only the holder writes
 *     `local` of objects biased to the slot, merges them, or touches `pending` and the slot's pool.
 * S2  Every transition away from the holder releases, every one to a holder acquires: holders follow each other.
 * S3  A token pushed onto the inbox of a slot that is PARKED or VACANT is carried out without the owner: the pusher looks at the
 *     state after its push, the parker looks at the inbox after its state change, both with full barriers between, so at least
 *     one of them sees the other, and has the duty; who has it and meets another's claim waits for its turn.
 * S4  An owner that comes back waits for one batch at most: WANTED keeps others from claiming once more.
 *
 * | at the same time      | attach | park/unpark/exit | claim | push | drain |
 * |-----------------------|--------|------------------|-------|------|-------|
 * | attach                | CAS    | -                | CAS   | ok   | S1    |
 * | park/unpark/exit      |        | own thread       | CAS   | S3   | S1    |
 * | claim                 |        |                  | CAS   | S3   | S1    |
 * | push                  |        |                  |       | ok   | ok    |
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib_sync_rcu.h"

enum oi_tslot_state {
    OI_TSLOT_VACANT,
    OI_TSLOT_THREAD,
    OI_TSLOT_PARKED,
    OI_TSLOT_CLAIMED_VACANT,
    OI_TSLOT_CLAIMED_PARKED,
    OI_TSLOT_RETIRED,
    OI_TSLOT_WANTED = 8, /* a bit beside CLAIMED_PARKED, or, for an instant, PARKED */
};

#define OI_TSLOT_MAX 32766u  /* ids 1 .. OI_TSLOT_MAX */
#define OI_TSLOT_NONE 32767u /* the id of a thread without a slot: no object's owner */

struct oi_tslot {
    uint32_t id;                   /* immutable */
    uint32_t state;                /* atomic, enum oi_tslot_state */
    struct oi_stack inbox;         /* any thread pushes, the holder takes; see object/inbox.h */
    uint32_t forced;               /* atomic flag: references were dropped that no token could be made for */
    struct oi_stack_node *pending; /* taken from the inbox, not yet carried out; the holder's */
    uint32_t takes;                /* atomic: how often the holder has taken what is in the inbox; see oi_inbox_steal */
    uint32_t takes_seen;           /* atomic: takes + 1 when the library's threads last found something in the inbox; 0: found nothing */
    uint64_t seen_first;           /* atomic: when they first found that; monotonic clock, ns */
};

/* The slot of an id that was ever given out, or NULL. */
struct oi_tslot *oi_tslot_find(uint32_t id);

/* The highest id ever given out. */
uint32_t oi_tslot_count(void);

/* A slot for the calling thread, in state THREAD: a vacant one, else a new one made by create(id) (which returns NULL when out of
 * memory), as long as fewer than limit are held by threads. NULL: none to be had; *full says whether for that reason. */
struct oi_tslot *oi_tslot_attach(struct oi_tslot *(*create)(uint32_t id), uint32_t limit, bool *full);

/* The holding thread's transitions. park and vacate are full barriers: a look at the inbox afterwards does S3's part. */
void oi_tslot_park(struct oi_tslot *slot);
void oi_tslot_unpark(struct oi_tslot *slot); /* waits for a claimer's batch (S4); then the caller looks into its inbox */
void oi_tslot_vacate(struct oi_tslot *slot);

/* Takes over a slot whose thread is parked or gone; false if it is neither, or somebody else has. Full barrier, as is letting go; a look at
 * the inbox afterwards does S3's part. Not for long, and without running user code. */
bool oi_tslot_claim(struct oi_tslot *slot);

/* The same, for who has something to do for the slot: waits for another claimer's batch. False: its thread runs, or vanished. */
bool oi_tslot_claim_in_turn(struct oi_tslot *slot);
void oi_tslot_let_go(struct oi_tslot *slot);

/* The lock under which slots are attached and vacated, held around fork; in the child, every slot but `mine` (may be NULL)
 * that was held or claimed is retired. */
void oi_tslot_before_fork(void);
void oi_tslot_after_fork_parent(void);
void oi_tslot_after_fork_child(struct oi_tslot *mine);
