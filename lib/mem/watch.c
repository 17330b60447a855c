/* SPDX-License-Identifier: MIT */
#include "mem/watch.h"

#include <pthread.h>
#include <string.h>

#include "port/checker.h"

bool oi_watched;
size_t oi_watch_pooled_max = OI_CLASS_MAX, oi_watch_quick_max = OI_CLASS_MAX;
void (*oi_watch_on_coming)(const void *block);
void (*oi_watch_on_overwritten)(const void *block, size_t at);
void (*oi_watch_on_leaving)(const void *block);

/* The pattern. As a reference it is no address on any processor, and it is no other value: following it traps. */
#define POISON 0xf8
#define POISON_WORD 0xf8f8f8f8f8f8f8f8u

/* The quarantine: a queue, linked as `free` lists are, outside the first 8 bytes of the blocks, which are zero. To whoever walks the pages these blocks
 * are free. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the quarantine lock: docs/design/lock-order.md */
static struct oi_block *oldest, *newest;                 /* this and the next two: under the lock */
static size_t bytes, limit;

void oi_watch_start(size_t quarantine, bool pooled)
{
    limit = quarantine;
    oi_watch_pooled_max = pooled ? OI_CLASS_MAX : 0;
    oi_watch_quick_max = 0;
    oi_watched = true;
}

static size_t size_of(const void *block)
{
    return oi_page_block_size(oi_page_of(block));
}

void oi_watch_born(void *block, size_t size)
{
    oi_checker_born(block, size);
    oi_checker_close((char *)block + size, size_of(block) - size);
}

/* ---- poison ---- */

static void poison(struct oi_block *block, size_t size)
{
    oi_checker_open(block, size);
    /* As when a block is put on a `free` list (mem/pool.h). */
    oi_store_relaxed(&block->first, 0);
    oi_store_release(&block->next, NULL); /* [MO-taken] */
    memset(block + 1, POISON, size - sizeof *block);
    oi_checker_close(block + 1, size - sizeof *block);
}

/* The first byte that is not as it was left; or `size`. */
static size_t find_damage(const struct oi_block *block, size_t size)
{
    const uint64_t *word = (const uint64_t *)(block + 1), *end = (const uint64_t *)((const char *)block + size);
    while (word < end && *word == POISON_WORD)
        word++;
    if (word == end)
        return size;
    const unsigned char *at = (const unsigned char *)word;
    while (*at == POISON)
        at++;
    return (size_t)(at - (const unsigned char *)block);
}

/* ---- in and out ---- */

static void leave(struct oi_block *block)
{
    size_t size = size_of(block);
    oi_checker_open(block, size);
    size_t at = find_damage(block, size);
    if (at < size && oi_watch_on_overwritten)
        oi_watch_on_overwritten(block, at);
    if (oi_watch_on_leaving)
        oi_watch_on_leaving(block);
    oi_checker_close(block + 1, size - sizeof *block);
    oi_pool_free_remote(block);
}

/* Takes the oldest ones off the queue until no more than `most` bytes are left. */
static struct oi_block *take(size_t most)
{
    struct oi_block *first = oldest, *last = NULL;
    while (oldest && bytes > most) {
        last = oldest;
        oldest = last->next;
        bytes -= size_of(last);
    }
    if (!last)
        return NULL;
    last->next = NULL;
    if (!oldest)
        newest = NULL;
    return first;
}

static void leave_all(struct oi_block *block)
{
    for (struct oi_block *next; block; block = next) {
        next = block->next;
        leave(block);
    }
}

void oi_watch_retired(void *block)
{
    oi_checker_died(block);
    oi_checker_open(block, size_of(block));
}

static void keep(void *ripe)
{
    struct oi_block *block = ripe;
    size_t size = size_of(block);
    if (oi_watch_on_coming)
        oi_watch_on_coming(block);
    poison(block, size);
    if (size > limit) {
        leave(block); /* rather than all others */
        return;
    }
    pthread_mutex_lock(&lock);
    if (newest)
        newest->next = block;
    else
        oldest = block;
    newest = block;
    bytes += size;
    struct oi_block *leaving = take(limit);
    pthread_mutex_unlock(&lock);
    leave_all(leaving);
}

void oi_watch_died(void *block)
{
    oi_watch_retired(block);
    keep(block);
}

static void each_of_chain(struct oi_page *page, uint32_t head, void (*fn)(void *block))
{
    for (uint32_t position = head; position;) {
        struct oi_block *block = oi_page_at(page, position);
        position = block->after;
        fn(block);
    }
}

void oi_watch_died_all(struct oi_page *page, uint32_t head)
{
    each_of_chain(page, head, oi_watch_died);
}

void oi_watch_ripe_all(struct oi_page *page, uint32_t head)
{
    each_of_chain(page, head, keep);
}

bool oi_watch_let_out(void)
{
    pthread_mutex_lock(&lock);
    struct oi_block *all = take(0);
    pthread_mutex_unlock(&lock);
    leave_all(all);
    return all;
}

void oi_watch_each(void (*fn)(const void *block, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (const struct oi_block *block = oldest; block; block = block->next)
        fn(block, arg);
    pthread_mutex_unlock(&lock);
}

void oi_watch_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_watch_after_fork(void)
{
    pthread_mutex_unlock(&lock);
}
