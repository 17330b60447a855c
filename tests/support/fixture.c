/* SPDX-License-Identifier: MIT */
#include "support/fixture.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long finalizer_count;
static void (*_Atomic finalize_also)(void *object);
static size_t live_before, left_on_purpose;

static void finalize(void *object)
{
    atomic_fetch_add(&finalizer_count, 1);
    void (*also)(void *) = atomic_load(&finalize_also);
    if (also)
        also(object);
}

ouro_type node_type =
    OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, a, b), .finalize = finalize);
ouro_type plain_type = OURO_TYPE(struct node, .name = "plain", .slots = OURO_SLOTS(struct node, a, b));
ouro_type leaf_type = OURO_TYPE(struct leaf, .name = "leaf", .finalize = finalize);
ouro_type table_type = OURO_TYPE(struct table, .name = "table", .array_slots = offsetof(struct table, items));
ouro_type bytes_type = OURO_TYPE(struct bytes, .name = "bytes", .array_bytes = offsetof(struct bytes, data));

struct node *node_new(long id)
{
    struct node *n = ouro_new(&node_type);
    REQUIRE(n);
    n->id = id;
    return n;
}

struct node *node_new_with(long id, void *a, void *b)
{
    struct node *n = node_new(id);
    ouro_give(n, &n->a, a);
    ouro_give(n, &n->b, b);
    return n;
}

struct node *plain_new(long id)
{
    struct node *n = ouro_new(&plain_type);
    REQUIRE(n);
    n->id = id;
    return n;
}

struct leaf *leaf_new(long id)
{
    struct leaf *l = ouro_new(&leaf_type);
    REQUIRE(l);
    l->id = id;
    return l;
}

struct table *table_new(size_t length)
{
    struct table *t = ouro_new_array(&table_type, length);
    REQUIRE(t);
    return t;
}

long finalized(void)
{
    return atomic_load(&finalizer_count);
}

void on_finalize(void (*fn)(void *object))
{
    atomic_store(&finalize_also, fn);
}

extern uint64_t oi_inbox_patience_ns __attribute__((weak)); /* not to be had from a shared library */

bool fixture_set_patience(uint64_t ns)
{
    if (!&oi_inbox_patience_ns)
        return false;
    __atomic_store_n(&oi_inbox_patience_ns, ns, __ATOMIC_RELAXED); /* the background thread reads it */
    return true;
}

void fixture_owners_may_sleep(void)
{
    fixture_set_patience(UINT64_C(100000000));
}

void fixture_start_with(ouro_config config)
{
    config.size = sizeof config;
    const char *flags = getenv("OURO_TEST_FLAGS");
    config.flags |= OURO_IGNORE_ENVIRONMENT | (flags ? (unsigned)strtoul(flags, NULL, 0) : 0);
    config.misuse = misuse_hook;
    fixture_set_patience(UINT64_C(1000000000000));
    REQUIRE(ouro_init(&config) == OURO_OK);
}

void fixture_start(void)
{
    fixture_start_with((ouro_config){0});
}

void fixture_before(void)
{
    atomic_store(&finalizer_count, 0);
    on_finalize(NULL);
    misuse_forget();
    left_on_purpose = 0;
    live_before = live_objects();
}

void fixture_after(void)
{
    size_t live = live_objects();
    CHECK_EQ(live - live_before, left_on_purpose);
    struct misuse_record record = misuse_first();
    if (!CHECK_EQ(misuse_count(), 0))
        fprintf(stderr, "  %s(%s %p): %s\n", record.call, record.type_name, record.object, record.message);
    on_finalize(NULL);
}

void fixture_leaves(size_t count)
{
    left_on_purpose += count;
}

ouro_mem_stats mem_stats(void)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats;
}

size_t live_objects_now(void)
{
    return mem_stats().live_objects;
}

size_t live_objects(void)
{
    ouro_safepoint();
    ouro_mem_trim();
    return live_objects_now();
}
