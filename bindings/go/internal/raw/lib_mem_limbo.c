//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_mem_limbo.h"

#include <pthread.h>

#include "lib_mem_watch.h"
#include "lib_port_os.h"
#include "lib_port_perturb.h"

static struct oi_stack waiting; /* pages whose `limbo` is not empty */
static struct oi_page *batch;   /* pages whose `ripening` waits for the grace period; under `batch_lock` */
static uint64_t rounds;         /* atomic; written under `round_lock` */
static bool under_way;          /* atomic; a round is; written under `round_lock` */
static pthread_mutex_t round_lock = PTHREAD_MUTEX_INITIALIZER; /* one round at a time; held while waiting for readers */
static pthread_mutex_t batch_lock = PTHREAD_MUTEX_INITIALIZER; /* taken after it, shortly: docs/design/lock-order.md */

static uint64_t interruptions;  /* forks that have left and re-entered a read section; under `batch_lock` */

void (*oi_limbo_on_waiting)(void);

/* Puts linked blocks in front of those that are in limbo already. */
static inline void retire(struct oi_page *page, uint32_t first, struct oi_block *last, uint32_t count)
{
    uint64_t old = oi_load_relaxed(&page->limbo);
    do {
        oi_store_relaxed(&last->after, OI_CHAIN_HEAD(old));
        /* Release: all use of the blocks by this thread comes before their reuse. Acquire: who has emptied the chain has read the page's node on
         * the stack, which may be about to be pushed anew. Both pair with take_waiting [MO-limbo]. */
    } while (!oi_cas_weak_acqrel(&page->limbo, &old, OI_CHAIN(first, OI_CHAIN_COUNT(old) + count)));
    if (old)
        return;
    oi_perturb();
    oi_stack_push(&waiting, &page->on_stack); /* the chain was empty: L1 */
    if (oi_limbo_on_waiting)
        oi_limbo_on_waiting();
}

void oi_limbo_retire(void *retired)
{
    struct oi_page *page = oi_page_of(retired);
    if (OI_UNLIKELY(oi_watched && page->kind != OI_PAGE_RAW))
        oi_watch_retired(retired);
    retire(page, oi_page_position(page, retired), retired, 1);
}

void oi_limbo_retire_chain(struct oi_limbo_chain *chain)
{
    retire(chain->page, chain->first, chain->last, chain->count);
    *chain = (struct oi_limbo_chain){0};
}

bool oi_limbo_hold_still(bool reading)
{
    return (reading ? pthread_mutex_trylock(&batch_lock) : pthread_mutex_lock(&batch_lock)) == 0;
}

void oi_limbo_go_on(void)
{
    pthread_mutex_unlock(&batch_lock);
}

uint64_t oi_limbo_rounds(void)
{
    return oi_load_acquire(&rounds);
}

bool oi_limbo_is_waiting(void)
{
    return oi_load_relaxed(&under_way) || !oi_stack_is_empty(&waiting);
}

/* Moves every waiting page's chain to `ripening`. Returns the number of blocks. */
static size_t take_waiting(void)
{
    size_t blocks = 0;
    struct oi_stack_node *node = oi_stack_take_all(&waiting);
    while (node) {
        struct oi_page *page = OI_CONTAINER_OF(node, struct oi_page, on_stack);
        node = node->next; /* before the chain is emptied: from then on the page may be pushed anew */
        /* Acquire, and release for the node: pairs with retire [MO-limbo]. */
        oi_store_relaxed(&page->ripening, oi_exchange_acqrel(&page->limbo, 0));
        blocks += OI_CHAIN_COUNT(page->ripening);
        page->ripe_next = batch;
        batch = page;
    }
    return blocks;
}

static void hand_over(struct oi_page *page)
{
    uint64_t chain = page->ripening;
    oi_store_relaxed(&page->ripening, 0);
    if (OI_UNLIKELY(oi_watched && page->kind != OI_PAGE_RAW))
        oi_watch_ripe_all(page, OI_CHAIN_HEAD(chain));
    else
        oi_page_push_remote(page, OI_CHAIN_HEAD(chain), OI_CHAIN_COUNT(chain)); /* the page may be gone now */
}

static uint64_t waits_since; /* atomic: somebody has been waiting for readers since then; 0: nobody is */
static uint32_t waiters;     /* atomic */

uint64_t oi_limbo_waits_since(void)
{
    return oi_load_relaxed(&waits_since);
}

static uint64_t count_interruptions(void)
{
    pthread_mutex_lock(&batch_lock); /* a fork holds it until it has re-entered its section */
    uint64_t n = interruptions;
    pthread_mutex_unlock(&batch_lock);
    return n;
}

void oi_limbo_grace_period(void)
{
    uint64_t before;
    /* For a report only, so relaxed, and one that begins while the last ends may go uncounted. */
    if (!oi_fetch_add_relaxed(&waiters, 1))
        oi_store_relaxed(&waits_since, oi_os_now_ns());
    do {
        before = count_interruptions();
        oi_rcu_synchronize();
    } while (count_interruptions() != before);
    /* Those that are left may wait for others than this one did. */
    oi_store_relaxed(&waits_since, oi_fetch_sub_relaxed(&waiters, 1) > 1 ? oi_os_now_ns() : 0);
}

size_t oi_limbo_reclaim(void)
{
    pthread_mutex_lock(&round_lock);
    pthread_mutex_lock(&batch_lock);
    oi_store_relaxed(&under_way, true);
    /* A batch is left from a round whose thread vanished in a fork: then that one first, for its pages may be waiting anew. */
    size_t blocks = batch ? 1 : take_waiting();
    struct oi_page *page = batch;
    pthread_mutex_unlock(&batch_lock);
    oi_perturb();
    if (page)
        oi_limbo_grace_period();
    while (page) {
        oi_perturb();
        pthread_mutex_lock(&batch_lock);
        page = batch;
        batch = page->ripe_next;
        hand_over(page);
        page = batch;
        pthread_mutex_unlock(&batch_lock);
    }
    oi_store_relaxed(&under_way, false);
    oi_store_release(&rounds, rounds + 1);
    pthread_mutex_unlock(&round_lock);
    return blocks;
}

void oi_limbo_before_fork(bool reading)
{
    pthread_mutex_lock(&batch_lock); /* so that every page is on the stack, in the batch, or handed over */
    interruptions += reading;
}

void oi_limbo_after_fork_parent(void)
{
    pthread_mutex_unlock(&batch_lock);
}

void oi_limbo_after_fork_child(void)
{
    pthread_mutex_unlock(&batch_lock);
    oi_store_relaxed(&waiters, 0); /* who waited is gone */
    oi_store_relaxed(&waits_since, 0);
    oi_store_relaxed(&under_way, batch != NULL);
    pthread_mutex_init(&round_lock, NULL); /* its holder is gone; what it had in the batch goes with the next round */
}
