/* SPDX-License-Identifier: MIT
 *
 * Limbo: blocks of dead published objects, which read sections may still look at, on their way back to their pages
 * (docs/design/reclamation.md). Needs no memory: the blocks of a page are chained through themselves, and the pages through their
 * headers. One grace period serves all pages that were waiting when it began.
 *
 *     oi_limbo_retire ─▶ page->limbo ─▶ (reclaimer) page->ripening ─▶ grace period ─▶ page->remote ─▶ the page's holder
 *
 * L1  A page is on the limbo stack exactly while its `limbo` chain is not empty, or its pusher is about to push it.
 * L2  A block reaches `remote` after a grace period that began after it was retired. */
#pragma once

#include "lib_mem_page.h"

/* Any thread; never blocks, never fails. The block's bytes stay as they are, but for the word at byte 8. */
void oi_limbo_retire(void *block);

/* The same for many blocks, with a step for as many as OI_LIMBO_CHAIN of one page that come one after the other. They are linked as they will be in
 * limbo; meanwhile they are nobody's: statistics take them for alive, and a child of fork leaks them. */
#define OI_LIMBO_CHAIN 64u
struct oi_limbo_chain {
    uintptr_t unit;       /* of memory that the last one is in */
    struct oi_page *page; /* NULL: empty */
    struct oi_block *last;
    uint32_t first, count;
};
void oi_limbo_retire_chain(struct oi_limbo_chain *chain); /* empties it */

/* Not in a watched heap. */
static inline void oi_limbo_retire_with(struct oi_limbo_chain *chain, void *retired)
{
    struct oi_block *block = retired;
    uintptr_t unit = (uintptr_t)retired >> OI_UNIT_SHIFT;
    if (OI_UNLIKELY(unit != chain->unit || chain->count == OI_LIMBO_CHAIN)) {
        if (chain->page)
            oi_limbo_retire_chain(chain);
        *chain = (struct oi_limbo_chain){.unit = unit, .page = oi_page_of(retired), .last = block};
    }
    oi_store_relaxed(&block->after, chain->first);
    chain->first = oi_page_position(chain->page, block);
    chain->count++;
}

/* One round: takes all waiting blocks through a grace period, and hands them to their pages. Returns 0 if there were none. Not inside a read
 * section. Any thread; rounds exclude each other. */
size_t oi_limbo_reclaim(void);

/* Waits until every read section that is under way has ended: a grace period in which no fork has interrupted one. Not inside a read section. */
void oi_limbo_grace_period(void);

/* Since when somebody has been waiting for readers (oi_os_now_ns), 0: nobody is; a moment's reading. */
uint64_t oi_limbo_waits_since(void);

/* True if something is waiting; a moment's reading. */
bool oi_limbo_is_waiting(void);

/* While held, no block moves from one stage to the next (but for the holders' taking them). Shortly; before the page lock. False: not held,
 * because somebody else holds it and the caller is `reading`: it must not wait for who may be waiting for read sections. */
bool oi_limbo_hold_still(bool reading);
void oi_limbo_go_on(void);

/* Rounds finished since the process began. */
uint64_t oi_limbo_rounds(void);

/* Called by the thread that gives the reclaimer something to do. Set once at start; must not block. */
extern void (*oi_limbo_on_waiting)(void);

/* reading: the forking thread is in a read section, which the caller will interrupt. */
void oi_limbo_before_fork(bool reading);
void oi_limbo_after_fork_parent(void);
/* What the vanished reclaimer had under way waits again. */
void oi_limbo_after_fork_child(void);
