/* SPDX-License-Identifier: MIT
 *
 * Inboxes: references that a non-owner dropped and that only the owner's slot can account for, on their way there (docs/design/biased-counts.md;
 * tests/model/counts.pml). What is queued is the reference itself, a token: so the object is alive while it waits.
 *
 * The slot's holder carries tokens out at its safepoints. If its thread is parked or gone, the pusher becomes the holder for a moment
 * (sync/tslot.h, S1 to S3) and does it: a token never waits for a sleeper. Nor does a collection wait for a thread that runs and reaches no
 * safepoint: see oi_inbox_steal. */
#pragma once

#include "lib_object_act.h"

/* Disposes of one reference to o, which is biased to slot `id`. Never fails: without memory for the token, `shared` goes
 * negative instead, and the owner, at its next safepoint, looks through its pages for what nobody refers to. */
void oi_inbox_push(struct oi_act *act, uint32_t id, ouro_object *o);

/* A safepoint: carries out what is in the caller's inbox. May run user code. */
void oi_inbox_look(struct oi_act *act);

/* The slot was just parked or vacated by the caller: looks once more at its inbox (S3). */
void oi_inbox_recheck(struct oi_act *act, struct oi_tslot *slot);

/* By the collecting thread, before each collection: of slots whose threads run, but have not looked into their inboxes for oi_inbox_patience_ns,
 * takes the tokens of tracked objects; these references are the caller's then. So collections never depend on a thread that is busy with something
 * else. Tokens of untracked objects wait. */
struct oi_stack_node *oi_inbox_steal(struct oi_act *act);
extern uint64_t oi_inbox_patience_ns; /* atomic; 100 ms; tests set it */

/* A look, without taking anything, by the background thread. */
enum oi_inbox_state {
    OI_INBOX_EMPTY,   /* all of those whose threads run are; what comes later wakes the background thread (oi_upcalls.wake) */
    OI_INBOX_WAITING, /* for less than oi_inbox_patience_ns */
    OI_INBOX_LEFT,    /* a thread does not look: it is asleep, perhaps, and nobody will ever make it */
};
enum oi_inbox_state oi_inbox_watch(void);
bool oi_inbox_is_watched(void); /* something was not empty at the last look, or has come since */

/* A reference as a list node, from the caller's pool if it has one; NULL: no memory. */
struct oi_token *oi_token_new(struct oi_act *act, ouro_object *o);

ouro_object *oi_token_object(const struct oi_token *token);

/* Frees the node; returns what it referred to, the reference now being the caller's. */
ouro_object *oi_token_free(struct oi_act *act, struct oi_token *token);

/* Drops all references of a list. What dies is destroyed after the last of them, for user code may end the thread. */
void oi_tokens_release(struct oi_act *act, struct oi_stack_node *tokens);
