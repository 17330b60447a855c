/* SPDX-License-Identifier: MIT
 *
 * Read sections and grace periods, the stack, the hash table. */
#include "sync/rcu.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "port/atomic.h"
#include "port/tsan.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

/* ---- the stack ---- */

struct item {
    long value, pusher;
    struct oi_stack_node node;
};

#define ITEM(n) OI_CONTAINER_OF(n, struct item, node)

/* Zero is empty; taking gives everything, the last pushed first, and leaves nothing. */
static void test_stack_order(void)
{
    struct oi_stack stack = {0};
    struct item items[10] = {{0}};
    CHECK(oi_stack_is_empty(&stack));
    CHECK_PTR(oi_stack_take_all(&stack), NULL);
    for (int round = 0; round < 3; round++) {
        for (int n = 1; n <= 10; n++) {
            for (int i = 0; i < n; i++) {
                items[i].value = i;
                oi_stack_push(&stack, &items[i].node);
                CHECK(!oi_stack_is_empty(&stack));
            }
            struct oi_stack_node *node = oi_stack_take_all(&stack);
            CHECK(oi_stack_is_empty(&stack));
            CHECK_PTR(oi_stack_take_all(&stack), NULL);
            for (int i = n - 1; i >= 0; i--) {
                REQUIRE(node);
                CHECK_EQ(ITEM(node)->value, i);
                node = node->next;
            }
            CHECK_PTR(node, NULL);
        }
    }
}

enum { PUSHERS = 3, TAKERS = 2, PUSHES_MAX = 50000 };

static struct {
    struct oi_stack stack;
    struct item items[PUSHERS][PUSHES_MAX];
    uint8_t taken[PUSHERS][PUSHES_MAX]; /* atomic; how often */
    long left;                          /* atomic; not yet taken */
} race;

static void push_many(struct member *self)
{
    for (long i = 0; i < SCALED(PUSHES_MAX); i++) {
        struct item *item = &race.items[self->index][i];
        item->value = i; /* plain: whoever takes the node sees it (R2) */
        item->pusher = (long)self->index;
        oi_stack_push(&race.stack, &item->node);
    }
}

static void take_many(void)
{
    while (oi_load_relaxed(&race.left) > 0) {
        long last[PUSHERS], n = 0;
        memset(last, -1, sizeof last);
        for (struct oi_stack_node *node = oi_stack_take_all(&race.stack); node; n++) {
            struct item *item = ITEM(node);
            node = node->next;
            CHECK_EQ(__atomic_add_fetch(&race.taken[item->pusher][item->value], 1, __ATOMIC_RELAXED), 1);
            CHECK(last[item->pusher] < 0 || item->value < last[item->pusher]); /* of one pusher: the last first */
            last[item->pusher] = item->value;
        }
        oi_fetch_sub_relaxed(&race.left, n);
    }
}

static void push_or_take(struct member *self)
{
    if (self->index < PUSHERS)
        push_many(self);
    else
        take_many();
}

/* Threads push while others take: each node is taken exactly once, with what its pusher wrote. */
static void test_stack_race(void)
{
    race.left = (long)PUSHERS * SCALED(PUSHES_MAX);
    team_run(PUSHERS + TAKERS, seed, push_or_take, NULL);
    CHECK_EQ(race.left, 0);
    CHECK(oi_stack_is_empty(&race.stack));
    for (int p = 0; p < PUSHERS; p++) {
        for (long i = 0; i < SCALED(PUSHES_MAX); i++)
            CHECK(race.taken[p][i] == 1);
    }
}

/* ---- grace periods ---- */

static struct step step;
static uint32_t synchronized; /* atomic */

static void *synchronize(void *unused)
{
    (void)unused;
    step_set(&step, 1);
    oi_rcu_synchronize();
    oi_store_release(&synchronized, 1);
    return NULL;
}

/* R1: a grace period waits for the section that was open, nested ones included, and for nothing else. */
static void test_synchronize_waits(void)
{
    oi_rcu_synchronize(); /* nobody reads: returns */
    oi_rcu_read_lock();
    oi_rcu_read_lock();
    pthread_t thread = thread_start(synchronize, NULL, 0);
    CHECK(step_wait(&step, 1));
    nanosleep(&(struct timespec){0, 20 * 1000000}, NULL);
    CHECK_EQ(oi_load_acquire(&synchronized), 0);
    oi_rcu_read_unlock(); /* the inner one */
    nanosleep(&(struct timespec){0, 20 * 1000000}, NULL);
    CHECK_EQ(oi_load_acquire(&synchronized), 0);
    oi_rcu_read_unlock();
    thread_join_running(thread);
    CHECK_EQ(oi_load_acquire(&synchronized), 1);
}

/* ---- the hash table ---- */

struct entry {
    struct oi_hash_node node;
    uintptr_t key;
    struct entry *removed_before; /* its writer's: to be freed in the end */
};

static struct oi_hash *hash;

static struct entry *entry_of(struct oi_hash_node *node)
{
    return node ? OI_CONTAINER_OF(node, struct entry, node) : NULL;
}

static bool has_key(const struct oi_hash_node *node, const void *key)
{
    oi_tsan_acquire(hash); /* R2 */
    return OI_CONTAINER_OF(node, const struct entry, node)->key == *(const uintptr_t *)key;
}

/* What is in the table then. */
static struct entry *add(struct entry *entry, uintptr_t hashed)
{
    oi_rcu_read_lock();
    struct oi_hash_node *there = oi_hash_add(hash, hashed, has_key, &entry->key, &entry->node);
    oi_rcu_read_unlock();
    return entry_of(there);
}

static bool removes(struct entry *entry)
{
    oi_rcu_read_lock();
    bool removed = oi_hash_remove(hash, &entry->node);
    oi_rcu_read_unlock();
    return removed;
}

static struct entry *find(uintptr_t key, uintptr_t hashed)
{
    oi_rcu_read_lock();
    struct oi_hash_node *found = oi_hash_find(hash, hashed, has_key, &key);
    oi_rcu_read_unlock();
    return entry_of(found);
}

/* Several keys with one hash are told apart; a key is there once; a node is removed once. */
static void test_hash_keys(void)
{
    enum { N = 6 };
    static struct entry entries[N], again[N];
    CHECK_PTR(find(0, 7), NULL);
    for (uintptr_t i = 0; i < N; i++) {
        entries[i].key = again[i].key = i;
        CHECK_PTR(find(i, 7), NULL);
        CHECK_PTR(add(&entries[i], 7), &entries[i]);
        CHECK_PTR(add(&again[i], 7), &entries[i]); /* who was first stays */
    }
    for (uintptr_t i = 0; i < N; i++)
        CHECK_PTR(find(i, 7), &entries[i]);
    CHECK_PTR(find(N, 7), NULL);
    CHECK(removes(&entries[2]));
    CHECK(!removes(&entries[2]));
    CHECK_PTR(find(2, 7), NULL);
    CHECK_PTR(find(3, 7), &entries[3]);
    CHECK_PTR(add(&again[2], 7), &again[2]);
    CHECK_PTR(find(2, 7), &again[2]);
    for (uintptr_t i = 0; i < N; i++)
        CHECK(removes(i == 2 ? &again[i] : &entries[i]));
    oi_rcu_synchronize();
}

/* Whatever the number of buckets, everything is found. */
static void test_hash_resize(void)
{
    enum { N = 3000 };
    static const size_t sizes[] = {4, 4096, 256, 1, 65536, 8};
    struct entry *entries = calloc(N, sizeof *entries);
    REQUIRE(entries);
    for (uintptr_t i = 0; i < N; i++) {
        entries[i].key = i;
        CHECK_PTR(add(&entries[i], i * 0x9e3779b97f4a7c15u), &entries[i]);
    }
    for (int round = 0; round < 6; round++) {
        oi_hash_resize(hash, sizes[round]);
        for (uintptr_t i = 0; i < N; i++)
            CHECK_PTR(find(i, i * 0x9e3779b97f4a7c15u), &entries[i]);
        CHECK_PTR(find(N, N * 0x9e3779b97f4a7c15u), NULL);
    }
    for (int i = 0; i < N; i++)
        CHECK(removes(&entries[i]));
    CHECK_PTR(find(0, 0), NULL);
    oi_rcu_synchronize();
    free(entries);
}

enum { KEYS = 16, WRITERS = 2, READERS = 2, CHANGES = 30000 };
static uint32_t writers_left; /* atomic */

static struct entry *free_removed(struct entry *removed)
{
    oi_rcu_synchronize();
    for (struct entry *next; removed; removed = next) {
        next = removed->removed_before;
        free(removed);
    }
    return NULL;
}

/* Adds keys that others add, too, and removes what it has added. */
static void write_keys(struct member *self)
{
    struct entry *mine[KEYS] = {0}, *removed = NULL;
    for (int i = 0; i < SCALED(CHANGES); i++) {
        uint32_t k = rng_below(&self->rng, KEYS);
        if (!mine[k]) {
            struct entry *entry = calloc(1, sizeof *entry);
            REQUIRE(entry);
            entry->key = k;
            if (add(entry, k) == entry)
                mine[k] = entry;
            else
                free(entry); /* never seen by anyone */
            continue;
        }
        CHECK(removes(mine[k]));
        mine[k]->removed_before = removed;
        removed = mine[k];
        mine[k] = NULL;
        if (i % 64 == 0)
            removed = free_removed(removed);
    }
    for (uint32_t k = 0; k < KEYS; k++) {
        if (mine[k]) {
            CHECK_PTR(find(k, k), mine[k]); /* nobody else's came in between */
            CHECK(removes(mine[k]));
            mine[k]->removed_before = removed;
            removed = mine[k];
        }
    }
    free_removed(removed);
    oi_fetch_sub_relaxed(&writers_left, 1);
}

/* The memory of a removed node stays until a grace period is over: this reads no freed memory. */
static void read_keys(struct member *self)
{
    while (oi_load_relaxed(&writers_left)) {
        uintptr_t key = rng_below(&self->rng, KEYS);
        oi_rcu_read_lock();
        struct entry *found = entry_of(oi_hash_find(hash, key, has_key, &key));
        if (found)
            CHECK(found->key == key);
        oi_rcu_read_unlock();
    }
}

static void work_on_keys(struct member *self)
{
    if (self->index < WRITERS) {
        write_keys(self);
    } else if (self->index < WRITERS + READERS) {
        read_keys(self);
    } else {
        for (size_t n = 2; oi_load_relaxed(&writers_left); n = n == 1024 ? 2 : 2 * n)
            oi_hash_resize(hash, n);
    }
}

/* Adding, removing, looking and resizing at the same time. */
static void test_hash_race(void)
{
    writers_left = WRITERS;
    team_run(WRITERS + READERS + 1, seed + 1, work_on_keys, NULL);
    for (uintptr_t key = 0; key < KEYS; key++)
        CHECK_PTR(find(key, key), NULL);
}

int main(void)
{
    check_start("rcu_test");
    seed = rng_seed();
    hash = oi_hash_create(16);
    REQUIRE(hash);
    CHECK_RUN(test_stack_order);
    CHECK_RUN(test_stack_race);
    CHECK_RUN(test_synchronize_waits);
    CHECK_RUN(test_hash_keys);
    CHECK_RUN(test_hash_resize);
    CHECK_RUN(test_hash_race);
    return check_finish();
}
