/* SPDX-License-Identifier: MIT
 *
 * Scenario: thousands of random private graphs (objects with two slots, tables, private and published leaves; dense and
 * sparse; with and without finalizers, some of which keep their object; with and without weak references; slots that hold
 * numbers, some of which look much like references) are built and changed by one thread, beside a model of them in plain arrays. The model counts references by itself and marks
 * and sweeps by itself; it knows nothing of the library.
 * Seed: OURO_TEST_SEED; a failure prints the graph's number, and OURO_TEST_GRAPH=number runs only that one.
 * Asserted after each round of changes, and again after each collection: the set of objects that are gone is the
 * model's, exactly; likewise the sets of finalizers and callbacks that have run, the number of live objects, every slot
 * and every count of the living; and the collection's result. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/rng.h"

enum { GRAPHS = SCALED(8000), OBJECTS_MAX = 1500, SLOTS_MAX = 6, ROUNDS = 3 };

enum kind { NODE, FINALIZED_NODE, TABLE, LEAF, PUBLISHED_LEAF, KINDS };

/* The model, and beside it the object itself. */
struct entry {
    enum kind kind;
    int slots;
    int edges[SLOTS_MAX]; /* numbers of entries, or -1 */
    ouro_value words[SLOTS_MAX]; /* what a slot holds whose edge is -1: no reference */
    int roots;            /* references that the test holds */
    int count;            /* roots and edges from entries that are not gone */
    bool gone, finalized, keeps_itself, marked;

    void *object;    /* also after its death: compared, not followed */
    ouro_weak *weak; /* or NULL */
    int seen_finalized, seen_called;
};

static struct entry entries[OBJECTS_MAX];
static int used;
static struct rng rng;
static int graph_number;
static long failures;

static void fail(const char *what, int number)
{
    if (failures++ < 10)
        fprintf(stderr, "graph %d, object %d: %s\n", graph_number, number, what);
}

static bool expect(bool ok, const char *what, int number)
{
    if (!ok)
        fail(what, number);
    return ok;
}

/* ---- The model ---- */

static bool has_finalizer(const struct entry *e)
{
    return e->kind == FINALIZED_NODE || e->kind == LEAF || e->kind == PUBLISHED_LEAF;
}

static void model_drop(int number);

static void model_free(struct entry *e)
{
    e->gone = true;
    for (int i = 0; i < e->slots; i++)
        if (e->edges[i] >= 0)
            model_drop(e->edges[i]);
}

/* One reference less. At zero: the finalizer, which may keep the object once; then the slots. */
static void model_drop(int number)
{
    struct entry *e = &entries[number];
    if (--e->count > 0 || e->gone)
        return;
    if (has_finalizer(e) && !e->finalized) {
        e->finalized = true;
        if (e->keeps_itself) {
            e->roots++;
            e->count++;
            return;
        }
    }
    model_free(e);
}

static void mark(void)
{
    static int stack[OBJECTS_MAX];
    int depth = 0;
    for (int i = 0; i < used; i++) {
        entries[i].marked = !entries[i].gone && entries[i].roots > 0;
        if (entries[i].marked)
            stack[depth++] = i;
    }
    while (depth > 0) {
        struct entry *e = &entries[stack[--depth]];
        for (int i = 0; i < e->slots; i++)
            if (e->edges[i] >= 0 && !entries[e->edges[i]].marked) {
                entries[e->edges[i]].marked = true;
                stack[depth++] = e->edges[i];
            }
    }
}

/* Unreachable objects: those that the collector looks at, and the leaves among them, which it may or may not count. */
static void count_garbage(long *nodes, long *leaves)
{
    *nodes = *leaves = 0;
    for (int i = 0; i < used; i++)
        if (!entries[i].gone && !entries[i].marked) {
            *nodes += entries[i].kind < LEAF;
            *leaves += entries[i].kind == LEAF;
        }
}

/* What is not marked is gone, and what it held and only it held; the living lose its references. */
static void model_sweep(void)
{
    for (int i = 0; i < used; i++)
        if (!entries[i].gone && !entries[i].marked && has_finalizer(&entries[i]) && !entries[i].finalized &&
            entries[i].kind == FINALIZED_NODE) {
            entries[i].finalized = true;
            if (entries[i].keeps_itself) {
                entries[i].roots++;
                entries[i].count++;
            }
        }
    mark();
    for (int i = 0; i < used; i++) {
        struct entry *e = &entries[i];
        if (e->gone || e->marked)
            continue;
        for (int k = 0; k < e->slots; k++)
            if (e->edges[k] >= 0)
                entries[e->edges[k]].count--;
        e->gone = e->kind < LEAF;
    }
    for (int i = 0; i < used; i++) { /* leaves die by their count, with their finalizers */
        struct entry *e = &entries[i];
        if (e->gone || e->kind < LEAF || e->count > 0)
            continue;
        e->count = 1;
        model_drop(i);
    }
}

/* ---- The objects ---- */

static int number_of(const void *object)
{
    return (int)((const struct node *)object)->id;
}

static void saw_finalizer(int number, void *object)
{
    struct entry *e = &entries[number];
    e->seen_finalized++;
    expect(object == e->object, "finalizer of another object", number);
    if (e->keeps_itself)
        ouro_retain(object);
}

static void finalize_node(void *object)
{
    saw_finalizer(number_of(object), object);
}

static void finalize_leaf(void *object)
{
    saw_finalizer((int)((struct leaf *)object)->id, object);
}

static ouro_type finalized_node_type =
    OURO_TYPE(struct node, .name = "finalized node", .slots = OURO_SLOTS(struct node, a, b), .finalize = finalize_node);
static ouro_type counted_leaf_type = OURO_TYPE(struct leaf, .name = "counted leaf", .finalize = finalize_leaf);

static void called(ouro_weak *weak, void *arg)
{
    struct entry *e = arg;
    expect(weak == e->weak, "callback of another weak reference", (int)(e - entries));
    expect(ouro_weak_get(weak) == NULL, "callback for a living target", (int)(e - entries));
    e->seen_called++;
}

static void *make_object(struct entry *e, int number)
{
    void *object = NULL;
    switch (e->kind) {
    case NODE:
    case FINALIZED_NODE:
        e->slots = 2;
        object = ouro_new(e->kind == NODE ? &plain_type : &finalized_node_type);
        break;
    case TABLE:
        e->slots = (int)rng_below(&rng, SLOTS_MAX + 1);
        object = ouro_new_array(&table_type, (size_t)e->slots);
        break;
    default:
        object = ouro_new(&counted_leaf_type);
    }
    REQUIRE(object);
    if (e->kind == NODE || e->kind == FINALIZED_NODE)
        ((struct node *)object)->id = number;
    if (e->kind == LEAF || e->kind == PUBLISHED_LEAF)
        ((struct leaf *)object)->id = number;
    if (e->kind == PUBLISHED_LEAF)
        ouro_share(object);
    return object;
}

static void make_entry(bool weak, bool keepers)
{
    struct entry *e = &entries[used];
    *e = (struct entry){.kind = (enum kind)rng_below(&rng, KINDS), .roots = 1, .count = 1};
    if (e->kind >= LEAF && rng_one_in(&rng, 2))
        e->kind = NODE;
    for (int i = 0; i < SLOTS_MAX; i++)
        e->edges[i] = -1;
    e->keeps_itself = keepers && has_finalizer(e) && rng_one_in(&rng, 4);
    e->object = make_object(e, used);
    if (weak && rng_one_in(&rng, 2)) {
        e->weak = ouro_weak_new(e->object, called, e);
        REQUIRE(e->weak);
    }
    used++;
}

static ouro_slot *slot_of(struct entry *entry, int slot)
{
    if (entry->kind == TABLE)
        return &((struct table *)entry->object)->items[slot];
    struct node *n = entry->object;
    return slot == 0 ? &n->a : &n->b;
}

/* An entry that the test holds, or -1. */
static int some_held(void)
{
    for (int tries = 0; tries < 20; tries++) {
        int i = (int)rng_below(&rng, (uint32_t)used);
        if (!entries[i].gone && entries[i].roots > 0)
            return i;
    }
    return -1;
}

/* ---- Changes, in the object and in the model ---- */

static void drop_root(int number)
{
    struct entry *e = &entries[number];
    e->roots--;
    ouro_release(e->object);
    model_drop(number);
}

static void add_root(int number)
{
    entries[number].roots++;
    entries[number].count++;
}

/* nil, a boolean, a number; or the number whose word differs from an object's address in the tag only. */
static ouro_value some_immediate(void)
{
    switch (rng_below(&rng, 4)) {
    case 0:
        return OURO_NIL;
    case 1:
        return ouro_bool_new(rng_one_in(&rng, 2));
    case 2:
        return ouro_int_new((int64_t)rng_next(&rng) >> 2);
    default:
        return ouro_int_new((int64_t)((uintptr_t)entries[rng_below(&rng, (uint32_t)used)].object >> 2));
    }
}

static void store_immediate(int container, int slot)
{
    struct entry *c = &entries[container];
    int old = c->edges[slot];
    ouro_value word = some_immediate(), was = old < 0 ? c->words[slot] : ouro_value_of(entries[old].object);
    c->edges[slot] = -1;
    c->words[slot] = word;
    switch (rng_below(&rng, 4)) {
    case 0:
        ouro_value_give(c->object, slot_of(c, slot), word);
        break;
    case 1:
        ouro_value_release(ouro_value_swap(c->object, slot_of(c, slot), word));
        break;
    case 2:
        expect(ouro_value_compare_set(c->object, slot_of(c, slot), was, word), "value_compare_set fails", container);
        break;
    default:
        ouro_value_set(c->object, slot_of(c, slot), word);
    }
    if (old >= 0)
        model_drop(old);
}

static void store(int container, int slot, int target)
{
    struct entry *c = &entries[container];
    void *object = target < 0 ? NULL : entries[target].object;
    int old = c->edges[slot];
    bool was_number = old < 0 && c->words[slot] != OURO_NIL;
    if (target >= 0)
        entries[target].count++;
    c->edges[slot] = target;
    c->words[slot] = OURO_NIL;
    switch (rng_below(&rng, 6)) {
    case 4:
        ouro_value_give(c->object, slot_of(c, slot), ouro_value_retain(ouro_value_of(object)));
        break;
    case 5:
        ouro_value_set(c->object, slot_of(c, slot), ouro_value_of(object));
        break;
    case 0:
        ouro_give(c->object, slot_of(c, slot), ouro_retain(object));
        break;
    case 1:
        ouro_release(ouro_swap(c->object, slot_of(c, slot), ouro_retain(object)));
        break;
    case 2:
        expect(ouro_compare_set(c->object, slot_of(c, slot), old < 0 ? NULL : entries[old].object, object) != was_number,
               "compare_set of what the slot holds fails, or of what it does not hold succeeds", container);
        if (was_number)
            ouro_set(c->object, slot_of(c, slot), object);
        break;
    default:
        ouro_set(c->object, slot_of(c, slot), object);
    }
    if (old >= 0)
        model_drop(old);
}

static void take_root(int container, int slot)
{
    struct entry *c = &entries[container];
    int old = c->edges[slot];
    void *object = rng_one_in(&rng, 2) ? ouro_get(c->object, slot_of(c, slot)) : NULL;
    if (object) { /* got: one more */
        if (expect(old >= 0 && object == entries[old].object, "get gives something else", container))
            add_root(old);
        else
            ouro_release(object);
        return;
    }
    object = ouro_take(c->object, slot_of(c, slot));
    expect(object == (old < 0 ? NULL : entries[old].object), "take gives something else", container);
    c->words[slot] = OURO_NIL;
    if (old >= 0) {
        c->edges[slot] = -1;
        entries[old].roots++;
    }
}

static void upgrade(int number)
{
    struct entry *e = &entries[number];
    if (!e->weak)
        return;
    void *object = ouro_weak_get(e->weak);
    expect(object == (e->gone ? NULL : e->object), "upgrade", number);
    if (object)
        add_root(number);
}

static void change(int edges)
{
    int i = some_held(), k = some_held();
    if (i < 0)
        return;
    struct entry *e = &entries[i];
    int slot = e->slots ? (int)rng_below(&rng, (uint32_t)e->slots) : -1;
    int what = (int)rng_below(&rng, 11 + (uint32_t)edges);
    if (what < 6)
        drop_root(i);
    else if (what == 6 && slot >= 0)
        take_root(i, slot);
    else if (what == 7)
        upgrade((int)rng_below(&rng, (uint32_t)used));
    else if (what == 8 && slot >= 0)
        store(i, slot, -1);
    else if (what == 9 && slot >= 0)
        store_immediate(i, slot);
    else if (slot >= 0 && k >= 0)
        store(i, slot, k);
}

/* ---- Comparison ---- */

static void compare_one(int number, size_t *alive)
{
    struct entry *e = &entries[number];
    *alive += !e->gone + (e->weak != NULL);
    expect(e->seen_finalized == e->finalized, "finalized", number);
    if (e->weak) {
        void *object = ouro_weak_get(e->weak);
        expect(object == (e->gone ? NULL : e->object), "weak reference", number);
        ouro_release(object);
        expect(e->seen_called == e->gone, "callback", number);
    }
    if (e->gone)
        return;
    expect(ouro_refcount(e->object) == (size_t)e->count, "count", number);
    for (int i = 0; i < e->slots; i++) {
        void *object = e->edges[i] < 0 ? NULL : entries[e->edges[i]].object;
        expect(ouro_peek(slot_of(e, i)) == object, "slot", number);
        expect(ouro_value_peek(slot_of(e, i)) == (object ? ouro_value_of(object) : e->words[i]), "slot's word", number);
    }
}

static void compare(const char *when, size_t live_before)
{
    long failures_before = failures;
    size_t alive = 0;
    for (int i = 0; i < used; i++)
        compare_one(i, &alive);
    size_t live = live_objects_now() - live_before;
    if (live != alive) /* dead published leaves may just be on their way out of limbo */
        live = live_objects() - live_before;
    if (live != alive) {
        fail("number of live objects", -1);
        if (failures < 10)
            fprintf(stderr, "  %zu alive, %zu in the model\n", live, alive);
    }
    if (failures != failures_before && failures < 20)
        fprintf(stderr, "  (%s)\n", when);
}

static void collect(bool keepers)
{
    long nodes, leaves;
    mark();
    count_garbage(&nodes, &leaves);
    long found = ouro_gc_collect(0);
    /* What keeps itself, and what that reaches, may or may not be counted. */
    if (found < (keepers ? 0 : nodes) || found > nodes + leaves) {
        fail("result of the collection", -1);
        if (failures < 10)
            fprintf(stderr, "  %ld, in the model %ld and %ld leaves\n", found, nodes, leaves);
    }
    model_sweep();
    if (keepers) { /* what was not kept may need a second look */
        expect(ouro_gc_collect(0) >= 0, "second collection", -1);
        mark();
        model_sweep();
    }
}

/* False: there were none. */
static bool drop_all_roots(void)
{
    bool any = false;
    for (int i = 0; i < used; i++)
        for (; !entries[i].gone && entries[i].roots > 0; any = true)
            drop_root(i);
    return any;
}

static void run_graph(void)
{
    bool weak = rng_one_in(&rng, 2), keepers = rng_one_in(&rng, 4), large = rng_one_in(&rng, 100);
    int edges = (int)rng_below(&rng, 12);
    size_t live_before = live_objects();
    used = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int more = 1 + (int)rng_below(&rng, large ? OBJECTS_MAX / ROUNDS - 1 : 40);
        for (int i = 0; i < more; i++)
            make_entry(weak, keepers);
        for (int i = 0; i < more * 2; i++) { /* dense at first */
            int a = some_held(), b = some_held();
            if (a >= 0 && b >= 0 && entries[a].slots)
                store(a, (int)rng_below(&rng, (uint32_t)entries[a].slots), b);
        }
        int changes = (int)rng_below(&rng, (uint32_t)more * 6);
        for (int i = 0; i < changes; i++)
            change(edges);
        compare("after the changes", live_before);
        collect(keepers);
        compare("after the collection", live_before);
    }
    while (drop_all_roots()) /* again, for those that keep themselves */
        collect(keepers);
    compare("at the end", live_before);
    for (int i = 0; i < used; i++) {
        expect(entries[i].gone, "not gone in the model", i);
        ouro_release(entries[i].weak);
    }
}

static uint64_t seed;

static void test_random_graphs(void)
{
    const char *only = getenv("OURO_TEST_GRAPH");
    ouro_gc_disable(); /* collections are the test's own */
    for (graph_number = 0; graph_number < GRAPHS && failures < 100; graph_number++) {
        if (only && atoi(only) != graph_number)
            continue;
        rng = rng_stream(seed, (uint64_t)graph_number);
        run_graph();
    }
    ouro_gc_enable();
    CHECK_EQ(failures, 0);
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    CHECK_GT(stats.generation[0].collected, 0);
    printf("       %llu objects collected from %d graphs\n", (unsigned long long)stats.generation[0].collected,
           graph_number);
}

int main(void)
{
    check_start("young_oracle_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_random_graphs);
    return check_finish();
}
