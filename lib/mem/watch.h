/* SPDX-License-Identifier: MIT
 *
 * A watched heap: one in which the birth and the death of each object take the slow way, past whoever watches. That is so in dev mode, and under a
 * memory checker (port/checker.h). Blocks of objects that have gone are kept out of use for a while, in quarantine, and filled with a
 * pattern: what is written to them meanwhile is found when they leave.
 *
 * Nothing of this is on the ways that an unwatched heap takes. Types have no pool in their descriptors, as large ones have none, so that ouro_new goes
 * on to its slow half; and objects have the flag OI_WATCHED, so that none is plain (object/destroy.c). */
#pragma once

#include "mem/pool.h"

extern OI_HIDDEN bool oi_watched; /* written once, at start, before the first object */

/* The largest block that is taken from a pool's pages: OI_CLASS_MAX, or none; and that the quick way of making arrays takes by itself. */
extern OI_HIDDEN size_t oi_watch_pooled_max, oi_watch_quick_max;

/* From now on. limit: bytes that may be in quarantine; 0: none are kept. pooled: else each object is to have a page of its own. */
void oi_watch_start(size_t limit, bool pooled);

/* A block that is to hold an object of `size` bytes. */
void oi_watch_born(void *block, size_t size);

/* A block that held an object, and that nobody may look at any more: into quarantine, from where it goes to its page. Any thread; takes the quarantine
 * lock, and what oi_page_push_remote takes. */
void oi_watch_died(void *block);

/* The same for all blocks of a chain of one page (mem/page.h). */
void oi_watch_died_all(struct oi_page *page, uint32_t head);

/* In two steps, for a block that goes through limbo: its object is dead, but may still be looked at; and all blocks of a chain may no more. */
void oi_watch_retired(void *block);
void oi_watch_ripe_all(struct oi_page *page, uint32_t head);

/* Lets all blocks out. False: there were none. */
bool oi_watch_let_out(void);

/* Calls fn for each block in quarantine, under its lock. */
void oi_watch_each(void (*fn)(const void *block, void *arg), void *arg);

/* Called for each block that comes, before it is overwritten; for one that was written to in quarantine, `at` bytes from its beginning; and for each that
 * leaves. Set at start, if at all. They may be called with the batch lock held (mem/limbo.c). */
extern void (*oi_watch_on_coming)(const void *block);
extern void (*oi_watch_on_overwritten)(const void *block, size_t at);
extern void (*oi_watch_on_leaving)(const void *block);

void oi_watch_before_fork(void);
void oi_watch_after_fork(void);
