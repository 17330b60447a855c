/* SPDX-License-Identifier: MIT */
#include "torture/ledger.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "torture/history.h"
#include "torture/options.h"
#include "torture/report.h"

struct vertex {
    ouro_array start;
    uint32_t id, serial;
    uint64_t mark;
    ouro_slot slots[SLOTS];
    uint64_t end; /* ~mark */
};

struct shelter {
    ouro_array start;
    ouro_slot items[];
};

static void finalize(void *object);

#define VERTEX(...) OURO_TYPE(struct vertex, __VA_ARGS__)
ouro_type node_types[KINDS] = {
    [PLAIN] = VERTEX(.name = "plain", .slots = OURO_SLOTS(struct vertex, slots)),
    [FINALIZED] = VERTEX(.name = "finalized", .slots = OURO_SLOTS(struct vertex, slots), .finalize = finalize),
    [KEEPER] = VERTEX(.name = "keeper", .slots = OURO_SLOTS(struct vertex, slots), .finalize = finalize),
    [ARRAY] = OURO_TYPE(struct node, .name = "array", .array_slots = offsetof(struct node, slots)),
    [ACYCLIC] = VERTEX(.name = "acyclic", .slots = OURO_SLOTS(struct vertex, slots), .flags = OURO_TYPE_ACYCLIC),
    [LEAF] = OURO_TYPE(struct node, .name = "leaf", .array_bytes = offsetof(struct node, slots), .finalize = finalize),
};
static ouro_type shelter_type = OURO_TYPE(struct shelter, .name = "refuge", .array_slots = offsetof(struct shelter, items));

struct account *accounts;
uint32_t account_count;
static struct shelter *refuge;
static atomic_bool refuge_is_shut;
static atomic_uint limits;

/* ---- Accounts ---- */

static void give_accounts(struct maker *maker, unsigned number, uint32_t first, uint32_t count)
{
    maker->number = number;
    maker->free = calloc(count, sizeof *maker->free);
    REQUIRE(maker->free);
    while (maker->free_count < count) {
        uint32_t id = first + count - 1 - maker->free_count; /* the lowest one first */
        accounts[id].maker = (uint16_t)number;
        maker->free[maker->free_count++] = id;
    }
}

static struct maker *const *makers;

void ledger_start(uint32_t objects, struct maker *const *all, unsigned count, uint32_t few)
{
    uint32_t each = objects / (count - 1);
    makers = all;
    account_count = each * (count - 1) + few;
    accounts = calloc(account_count + 1, sizeof *accounts);
    REQUIRE(accounts);
    for (unsigned i = 0; i < count; i++)
        give_accounts(all[i], i, 1 + i * each, i == count - 1 ? few : each);
    refuge = ouro_new_array(&shelter_type, account_count + 1);
    REQUIRE(refuge);
    ouro_share(refuge);
}

/* 0: there is none. */
static uint32_t account_open(struct maker *maker, enum kind kind)
{
    if (!maker->free_count) {
        maker->refused++;
        return 0;
    }
    struct account *a = &accounts[maker->free[--maker->free_count]];
    a->kind = (uint8_t)kind;
    a->used = true;
    maker->made++;
    return (uint32_t)(a - accounts);
}

static void account_cancel(struct maker *maker, uint32_t id)
{
    accounts[id].used = false;
    maker->free[maker->free_count++] = id;
    maker->made--;
    maker->refused++;
}

void ledger_close(uint32_t id)
{
    struct account *a = &accounts[id];
    struct maker *maker = makers[a->maker];
    *a = (struct account){.maker = a->maker, .serial = a->serial + 1, .refuge = a->refuge}; /* what its finalizer left may be there yet */
    maker->free[maker->free_count++] = id;
}

unsigned ledger_limits(void)
{
    return atomic_load(&limits);
}

void ledger_limit_changes(void)
{
    atomic_fetch_add(&limits, 1);
}

void ledger_lacked_memory(unsigned before, uint32_t id)
{
    expect(before % 2 || before != atomic_load(&limits), "memory lacks, and there is no limit", id);
}

long ledger_collect(int generation)
{
    unsigned before = ledger_limits();
    history_note(EVENT_COLLECT, 0, 0, 0, (uint32_t)generation);
    long found = ouro_gc_collect(generation);
    if (found == OURO_E_NOMEM)
        ledger_lacked_memory(before, 0);
    else
        expect(found >= 0, "a collection is refused", 0);
    return found;
}

/* What happened at a slot, whatever the order in which others did the same. */
static void enter(_Atomic uint32_t *slot, uint32_t out, uint32_t in)
{
    if (in != out)
        atomic_fetch_add_explicit(slot, in - out, memory_order_relaxed);
}

static uint32_t id_of(const struct node *n)
{
    return n ? n->id : 0;
}

/* ---- Contents ---- */

static uint64_t mark_of(uint32_t id, uint32_t serial, enum kind kind)
{
    struct rng rng = rng_stream(options.seed ^ (uint64_t)kind << 56, (uint64_t)serial << 32 | id);
    return rng_next(&rng);
}

static unsigned char *bytes_of(const struct node *n)
{
    return (unsigned char *)n->slots;
}

static unsigned char byte_of(uint64_t mark, size_t at)
{
    return (unsigned char)(mark >> at % 7 * 8);
}

static bool has_bytes(const struct node *n, size_t from, size_t to)
{
    while (from < to && bytes_of(n)[from] == byte_of(n->mark, from))
        from++;
    return from >= to;
}

void node_check(const struct node *n, bool whole)
{
    enum { SAMPLE = 32 };
    expect(n->id && n->id <= account_count, "an object with an id that was never given out", 0);
    const struct account *a = &accounts[n->id];
    enum kind kind = (enum kind)a->kind;
    size_t length = n->start.length;
    expect_equal(n->serial, a->serial, "serial number (is it what was there before?)", n->id);
    expect_equal(n->mark, mark_of(n->id, n->serial, kind), "mark in the contents", n->id);
    if (kind < ARRAY || kind == ACYCLIC)
        expect_equal(((const struct vertex *)n)->end, ~n->mark, "mark at the end of the contents", n->id);
    else if (kind == LEAF)
        expect(whole || length < 2 * SAMPLE ? has_bytes(n, 0, length) : has_bytes(n, 0, SAMPLE) && has_bytes(n, length - SAMPLE, length),
               "contents of a leaf", n->id);
}

bool node_has_slots(const struct node *n)
{
    return accounts[n->id].kind != LEAF;
}

bool node_has_finalizer(enum kind kind)
{
    return kind == FINALIZED || kind == KEEPER || kind == LEAF;
}

bool node_may_refer(const struct node *from, const struct node *to)
{
    return !to || accounts[from->id].kind != ACYCLIC || accounts[to->id].kind == LEAF;
}

bool node_is_made_by(const struct node *n, const struct maker *maker)
{
    return accounts[n->id].maker == maker->number;
}

ouro_slot *node_slot(struct node *n, unsigned slot)
{
    return &n->slots[accounts[n->id].kind == ARRAY ? slot * (n->start.length / SLOTS) : slot];
}

/* ---- Making ---- */

/* Most are small, a few are large, and very few have a segment of their own. */
static size_t some_length(enum kind kind, struct rng *rng)
{
    if (kind == ARRAY)
        return SLOTS * (1 + rng_below(rng, rng_one_in(rng, 64) ? 1000 : 4));
    return rng_below(rng, rng_one_in(rng, 20000) ? 6u << 20 : rng_one_in(rng, 500) ? 200000 : rng_one_in(rng, 20) ? 6000 : 200);
}

struct node *node_new(struct maker *maker, enum kind kind, struct rng *rng)
{
    bool is_array = kind == ARRAY || kind == LEAF;
    size_t length = is_array ? some_length(kind, rng) : 0;
    unsigned before = ledger_limits();
    uint32_t id = account_open(maker, kind);
    if (!id)
        return NULL;
    struct node *n = is_array ? ouro_new_array(&node_types[kind], length) : ouro_new(&node_types[kind]);
    if (!n) {
        account_cancel(maker, id);
        ledger_lacked_memory(before, id);
        return NULL;
    }
    n->id = id;
    n->serial = accounts[id].serial;
    n->mark = mark_of(id, n->serial, kind);
    accounts[id].object = n;
    if (!is_array)
        ((struct vertex *)n)->end = ~n->mark;
    for (size_t i = 0; kind == LEAF && i < length; i++)
        bytes_of(n)[i] = byte_of(n->mark, i);
    history_note(EVENT_MAKE, 0, 0, 0, id);
    return n;
}

/* In user code that the library calls. A single worker's would be collections at moments that it does not choose. */
static void collect_here(uint32_t id)
{
    if (options.threads == 1 || !options.collecting_one_in || id % options.collecting_one_in)
        return;
    ledger_collect((int)(id / options.collecting_one_in % 3));
}

static void called(ouro_weak *weak, void *arg)
{
    uint32_t id = (uint32_t)(uintptr_t)arg;
    struct account *a = &accounts[id];
    history_note(EVENT_WEAK_CALLBACK, id, 0, 0, a->target);
    expect(a->object == weak || !a->object, "a callback for another weak reference", id); /* not entered yet: in a child of fork */
    expect(ouro_weak_get(weak) == NULL, "a callback while the target can be had", id);
    expect_equal(atomic_fetch_add(&a->calls, 1), 0, "callbacks before this one", id);
    collect_here(id);
}

ouro_weak *node_weak_new(struct maker *maker, struct node *target, bool callback, uint32_t *id)
{
    unsigned before = ledger_limits();
    if (!(*id = account_open(maker, WEAK)))
        return NULL;
    struct account *a = &accounts[*id];
    a->target = target->id;
    a->target_serial = target->serial;
    a->has_callback = callback;
    ouro_weak *weak = ouro_weak_new(target, callback ? called : NULL, (void *)(uintptr_t)*id);
    if (!weak) {
        account_cancel(maker, *id);
        ledger_lacked_memory(before, target->id);
        return NULL;
    }
    a->object = weak; /* the caller holds the target: no callback before this */
    history_note(EVENT_MAKE, target->id, 0, 0, *id);
    return weak;
}

struct node *node_weak_get(ouro_weak *weak, uint32_t id)
{
    struct node *n = ouro_weak_get(weak);
    history_note(EVENT_WEAK_GET, id, 0, 0, id_of(n));
    if (n)
        node_check(n, false);
    if (n && id)
        expect_equal(n->id, accounts[id].target, "the target of a weak reference", id);
    return n;
}

/* ---- Slots ---- */

struct node *node_get(struct node *n, unsigned slot)
{
    struct node *found = ouro_get(n, node_slot(n, slot));
    history_note(EVENT_GET, n->id, slot, 0, id_of(found));
    if (found)
        node_check(found, false);
    return found;
}

struct node *node_take(struct node *n, unsigned slot)
{
    struct node *out = ouro_take(n, node_slot(n, slot));
    enter(&accounts[n->id].slots[slot], id_of(out), 0);
    history_note(EVENT_TAKE, n->id, slot, id_of(out), 0);
    if (out)
        node_check(out, false);
    return out;
}

/* What goes in may be gone when the operation has returned, and the container, if that was it: ids are asked for before. */
struct node *node_swap(struct node *n, unsigned slot, struct node *in)
{
    uint32_t container = n->id, id = id_of(in);
    struct node *out = ouro_swap(n, node_slot(n, slot), in);
    enter(&accounts[container].slots[slot], id_of(out), id);
    history_note(EVENT_SWAP, container, slot, id_of(out), id);
    if (out)
        node_check(out, false);
    return out;
}

bool node_compare_set(struct node *n, unsigned slot, struct node *expected, struct node *in)
{
    bool done = ouro_compare_set(n, node_slot(n, slot), expected, in);
    if (done)
        enter(&accounts[n->id].slots[slot], id_of(expected), id_of(in));
    history_note(done ? EVENT_COMPARE_SET : EVENT_NOT_SET, n->id, slot, id_of(expected), id_of(in));
    return done;
}

/* One worker alone writes the slot: what the ledger says is what was there. */
static void put_own(struct node *n, unsigned slot, uint32_t id, enum event event)
{
    uint32_t out = atomic_exchange_explicit(&accounts[n->id].slots[slot], id, memory_order_relaxed);
    history_note(event, n->id, slot, out, id);
}

void node_set(struct node *n, unsigned slot, struct node *in)
{
    put_own(n, slot, id_of(in), EVENT_SET);
    ouro_set(n, node_slot(n, slot), in);
}

void node_give(struct node *n, unsigned slot, struct node *in)
{
    put_own(n, slot, id_of(in), EVENT_GIVE);
    ouro_give(n, node_slot(n, slot), in);
}

void node_give_weak(struct node *n, ouro_weak *weak, uint32_t id)
{
    put_own(n, WEAK_SLOT, id, EVENT_GIVE);
    ouro_give(n, node_slot(n, WEAK_SLOT), weak);
}

void node_share(struct node *n)
{
    history_note(EVENT_SHARE, 0, 0, 0, n->id);
    ouro_share(n);
}

void node_release(struct node *n)
{
    if (!n)
        return;
    history_note(EVENT_RELEASE, 0, 0, n->id, 0);
    ouro_release(n);
}

void node_immortalize(struct node *n)
{
    history_note(EVENT_IMMORTALIZE, 0, 0, 0, n->id);
    accounts[n->id].immortal = true;
    ouro_immortalize(n);
}

/* ---- Finalizers ---- */

/* What finalizers of one garbage cycle do comes to the same in any order: so a single worker always finds the same afterwards. */
static void keep_something(struct node *n)
{
    struct rng rng = rng_stream(options.seed ^ n->serial, n->id);
    unsigned slot = rng_below(&rng, RACING_SLOTS);
    struct node *kept = NULL;
    switch (rng_below(&rng, 6)) {
    case 0: /* what it reaches, if anything */
        kept = node_take(n, slot);
        break;
    case 1: /* itself, but as garbage: nothing will call its finalizer again */
        node_release(node_swap(n, slot, ouro_retain(n)));
        return;
    case 2:
        node_release(node_take(n, slot));
        return;
    default:
        kept = ouro_retain(n);
    }
    if (!kept)
        return;
    uint32_t id = kept->id;
    struct node *out = ouro_swap(refuge, &refuge->items[n->id], kept);
    enter(&accounts[n->id].refuge, id_of(out), id);
    history_note(EVENT_REFUGE_PUT, n->id, 0, id_of(out), id);
    node_release(out);
}

static void finalize(void *object)
{
    struct node *n = object;
    history_note(EVENT_FINALIZER, n->id, 0, 0, 0);
    node_check(n, false);
    expect_equal(atomic_fetch_add(&accounts[n->id].finalizations, 1), 0, "finalizations before this one", n->id);
    for (unsigned i = 0; node_has_slots(n) && i < WEAK_SLOT; i++)
        node_release(node_get(n, i));
    collect_here(n->id);
    if (accounts[n->id].kind == KEEPER && !atomic_load(&refuge_is_shut))
        keep_something(n);
}

struct node *refuge_take(uint32_t id)
{
    struct node *out = ouro_take(refuge, &refuge->items[id]);
    enter(&accounts[id].refuge, id_of(out), 0);
    if (out)
        history_note(EVENT_REFUGE_TAKE, id, 0, out->id, 0);
    return out;
}

void refuge_stop(void)
{
    atomic_store(&refuge_is_shut, true);
}

void refuge_close(void)
{
    ouro_release(refuge);
}
