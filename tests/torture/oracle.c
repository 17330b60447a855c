/* SPDX-License-Identifier: MIT */
#include "torture/oracle.h"

#include <sched.h>
#include <stdlib.h>

#include "support/check.h"
#include "torture/history.h"
#include "torture/report.h"

enum { CLEAN_ROUNDS = 2, ROUNDS_MAX = 1000 };

static atomic_long begun, ended; /* concurrent collections */
static uint32_t *reached, reached_count; /* ids, as they were found */

/* ---- Settling ---- */

static void on_collection(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    (void)arg;
    if (info->generation > 0)
        atomic_fetch_add(phase == OURO_GC_START ? &begun : &ended, 1);
}

/* Twice nothing, and nobody else collecting meanwhile: what the finalizers of one collection leave, the next one finds. */
void oracle_settle(void)
{
    int rounds = 0;
    ouro_gc_unfreeze();
    for (int clean = 0; clean < CLEAN_ROUNDS; rounds++) {
        expect(rounds < ROUNDS_MAX, "collections find something for ever", 0);
        while (atomic_load(&begun) != atomic_load(&ended))
            sched_yield();
        long before = atomic_load(&begun);
        long found = ledger_collect(2);
        clean = found == 0 && atomic_load(&begun) == before + 1 ? clean + 1 : 0;
        report_progress();
    }
    ouro_safepoint();
    ouro_mem_trim();
}

/* ---- What is reached ---- */

static void reach(uint32_t id, uint32_t from)
{
    if (!id)
        return;
    expect(id <= account_count && accounts[id].used, "by the ledger one of its slots holds what there is not", from);
    if (accounts[id].references++ == 0)
        reached[reached_count++] = id;
}

static void reach_all(const struct oracle *oracle)
{
    for (uint32_t id = 1; id <= account_count; id++)
        accounts[id].references = 0;
    reached_count = 0;
    for (unsigned i = 0; i < oracle->count; i++) {
        const struct worker *w = oracle->workers[i];
        for (int k = 0; k < HELD; k++)
            reach(w->held[k] ? w->held[k]->id : 0, 0);
        for (int k = 0; k < WEAK_HELD; k++)
            reach(w->weak_held[k].weak ? w->weak_held[k].id : 0, 0);
    }
    for (int i = 0; i < ROOTS; i++)
        reach(roots[i] ? roots[i]->id : 0, 0);
    for (uint32_t id = 1; id <= account_count; id++) {
        reach(atomic_load(&accounts[id].refuge), id);
        if (accounts[id].immortal)
            reach(id, 0); /* one more than there are; nobody counts them */
    }
    for (uint32_t done = 0; done < reached_count; done++) {
        for (int i = 0; i < SLOTS; i++)
            reach(atomic_load(&accounts[reached[done]].slots[i]), reached[done]);
    }
}

/* ---- What is found ---- */

static void verify_slots(uint32_t id)
{
    struct node *n = accounts[id].object;
    for (unsigned i = 0; i < SLOTS; i++) {
        uint32_t expected = atomic_load(&accounts[id].slots[i]);
        expect_equal((uintptr_t)ouro_peek(node_slot(n, i)), expected ? (uintptr_t)accounts[expected].object : 0, "address of what is in a slot", id);
    }
    if (accounts[id].kind != ARRAY)
        return;
    size_t stride = n->start.length / SLOTS;
    for (size_t i = 0; i < n->start.length; i++)
        expect(i % stride == 0 || !ouro_peek(&n->slots[i]), "something in a slot that nobody uses", id);
}

static void verify_weak(uint32_t id)
{
    const struct account *a = &accounts[id], *target = &accounts[a->target];
    bool alive = target->used && target->serial == a->target_serial && target->references > 0;
    struct node *n = ouro_weak_get(a->object);
    expect_equal((uintptr_t)n, alive ? (uintptr_t)target->object : 0, "address that a weak reference leads to", id);
    expect_equal(atomic_load(&a->calls), a->has_callback && !alive, "callbacks", id);
    ouro_release(n);
}

static void verify_alive(uint32_t id)
{
    const struct account *a = &accounts[id];
    unsigned finalized = atomic_load(&a->finalizations);
    size_t count = a->immortal ? SIZE_MAX : a->references;
    if (a->kind != WEAK) {
        expect(ouro_type_of(a->object) == &node_types[a->kind], "it is of another type", id);
        expect_equal(((struct node *)a->object)->id, id, "the id in its contents", id);
        node_check(a->object, true);
        expect_equal(ouro_gc_is_finalized(a->object), finalized, "whether it is finalized", id);
    }
    expect_equal(ouro_refcount(a->object), count, "references", id);
    if (a->kind == WEAK) {
        verify_weak(id);
    } else if (a->kind != LEAF) {
        ouro_read_begin();
        verify_slots(id);
        ouro_read_end();
    }
}

static void bury(uint32_t id)
{
    struct account *a = &accounts[id];
    if (node_has_finalizer((enum kind)a->kind))
        expect_equal(atomic_load(&a->finalizations), 1, "it is gone; finalizations", id);
    if (a->kind == WEAK)
        expect(atomic_load(&a->calls) <= a->has_callback, "more callbacks than one", id);
    ledger_close(id);
}

static int meet(void *object, void *arg)
{
    struct node *n = object;
    const ouro_type *type = ouro_type_of(object);
    (void)arg;
    if (type < node_types || type >= node_types + KINDS)
        return 0;
    node_check(n, false);
    expect(accounts[n->id].object == n && accounts[n->id].references > 0, "it is alive, and nobody can reach it", n->id);
    expect(!accounts[n->id].met, "a visit meets it twice", n->id);
    accounts[n->id].met = true;
    return 0;
}

/* A visit of all tracked objects meets those that are reached, each once. */
static void verify_visit(void)
{
    ouro_gc_visit_objects(-1, meet, NULL);
    for (uint32_t i = 0; i < reached_count; i++) {
        struct account *a = &accounts[reached[i]];
        expect(a->met || a->kind > ARRAY, "it can be reached, and is not to be found", reached[i]);
        a->met = false;
    }
}

static void verify_number(const struct oracle *oracle)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    expect_equal(stats.live_objects - oracle->others, reached_count, "live objects", 0);
    if (!reached_count)
        expect_equal(stats.live_bytes, oracle->other_bytes, "bytes of live objects", 0);
}

static void add_to_state(struct oracle *oracle, uint32_t id)
{
    const struct account *a = &accounts[id];
    struct rng rng = {oracle->state ^ (uint64_t)a->kind << 56 ^ (uint64_t)a->serial << 32 ^ id};
    uint64_t state = rng_next(&rng) + atomic_load(&a->finalizations) + atomic_load(&a->calls);
    for (int i = 0; i < SLOTS; i++)
        state = state * 0x9e3779b97f4a7c15u + atomic_load(&a->slots[i]);
    oracle->state = state * 0xd1342543de82ef95u + a->references;
}

/* ---- All of it ---- */

void oracle_listen(void)
{
    expect(ouro_gc_add_callback(on_collection, NULL) > 0, "ouro_gc_add_callback", 0);
}

void oracle_start(struct oracle *oracle)
{
    ouro_mem_stats stats;
    reached = calloc(account_count + 1, sizeof *reached);
    REQUIRE(reached);
    oracle_settle();
    ouro_mem_get_stats(&stats, sizeof stats);
    oracle->others = stats.live_objects;
    oracle->other_bytes = stats.live_bytes;
}

void oracle_verify(struct oracle *oracle)
{
    oracle_settle();
    reach_all(oracle);
    verify_visit();
    verify_number(oracle);
    for (uint32_t i = 0; i < reached_count; i++) {
        verify_alive(reached[i]);
        if (i % 1024 == 0)
            report_progress();
    }
    for (uint32_t id = 1; id <= account_count; id++) {
        if (accounts[id].references)
            add_to_state(oracle, id);
    }
    for (uint32_t id = account_count; id > 0; id--) {
        if (accounts[id].used && !accounts[id].references)
            bury(id);
    }
    oracle->verified += reached_count;
    oracle->alive = reached_count;
}
