/* SPDX-License-Identifier: MIT
 *
 * Two or three threads do what the bytes say, each what its part of them says, with objects that they hand each other through shared
 * roots. How they meet is not in the bytes; what is checked holds in any order. All the time: what is reached is an object that was made
 * in this run, intact, of the type it was made of. When the threads have ended and garbage is collected: each object's count is the
 * number of references that the ledger knows, in slots and outside, and a weak reference has called back if its target is
 * gone, and not else. When all is let go: every finalizer has run once, and nothing is left. */
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "support/misuse.h"
#include "support/perturb.h"
#include "support/threads.h"

enum { ROOTS = 4, ROOT_SLOTS = 3, THREADS_MAX = 3, HELD_MAX = 16, STEPS_MAX = 400, MADE_MAX = THREADS_MAX * STEPS_MAX };

enum kind { PAIR, FINALIZED, TABLE, LEAF, KINDS };
enum fate { GOES, STAYS, CLEARS, FATES }; /* what a finalizer does: nothing, puts its object into a root, empties its slots */

struct node { /* all but roots: tables have their slots behind */
    ouro_array array; /* the length is used by tables only */
    uint32_t number, check;
    ouro_slot slots[];
};
struct pair {
    ouro_array array;
    uint32_t number, check;
    ouro_slot slots[2];
};

static void finalize(void *object);

static ouro_type types[KINDS] = {
    [PAIR] = OURO_TYPE(struct pair, .name = "pair", .slots = OURO_SLOTS(struct pair, slots)),
    [FINALIZED] = OURO_TYPE(struct pair, .name = "finalized", .slots = OURO_SLOTS(struct pair, slots), .finalize = finalize),
    [TABLE] = OURO_TYPE(struct node, .name = "table", .array_slots = offsetof(struct node, slots)),
    [LEAF] = OURO_TYPE(struct node, .name = "leaf", .finalize = finalize),
};

/* What was made, by number. */
static struct record {
    enum kind kind;
    enum fate fate;
    atomic_int finalized;
    struct node *node; /* the object and the references to it that are found when all rest; NULL: none */
    int found;
} records[MADE_MAX];
static atomic_uint made, made_weak;
static atomic_int calls[MADE_MAX]; /* by number of the weak reference */
static uint32_t secret; /* of this run */
static struct node *roots[ROOTS];

struct actor {
    struct fuzz_input input;
    unsigned number;
    bool unbiased;
    void *held[HELD_MAX]; /* objects; each is one reference */
    ouro_weak *weak[HELD_MAX];
    unsigned weak_number[HELD_MAX];
};
static struct actor actors[THREADS_MAX];
static unsigned actor_count;

/* ---- What is reached ---- */

static unsigned slots_of(const struct node *node)
{
    enum kind kind = records[node->number].kind;
    return kind == LEAF ? 0 : kind == TABLE ? (unsigned)node->array.length : 2;
}

static struct record *intact(const struct node *node)
{
    FUZZ_CHECK(node->number < atomic_load(&made) && node->check == (node->number ^ secret), node->number);
    return &records[node->number];
}

static void finalize(void *object)
{
    struct node *node = object;
    struct record *r = intact(node);
    FUZZ_CHECK(atomic_fetch_add(&r->finalized, 1) == 0, node->number);
    if (r->fate == STAYS)
        ouro_set(roots[node->number % ROOTS], &roots[node->number % ROOTS]->slots[node->number % ROOT_SLOTS], node);
    for (unsigned i = 0; r->fate == CLEARS && i < slots_of(node); i++)
        ouro_set(node, &node->slots[i], NULL);
}

static void called_back(ouro_weak *weak, void *arg)
{
    FUZZ_CHECK(!ouro_weak_get(weak), 0);
    FUZZ_CHECK(atomic_fetch_add((atomic_int *)arg, 1) == 0, (atomic_int *)arg - calls);
}

/* ---- Operations ---- */

static struct node *new_node(enum kind kind, enum fate fate, size_t slots)
{
    unsigned number = atomic_load(&made);
    do {
        if (number == MADE_MAX)
            return NULL;
    } while (!atomic_compare_exchange_weak(&made, &number, number + 1));
    records[number].kind = kind;
    records[number].fate = fate;
    atomic_store(&records[number].finalized, 0);
    struct node *node = kind == TABLE ? ouro_new_array(&types[kind], slots) : ouro_new(&types[kind]);
    FUZZ_CHECK(node, kind);
    node->number = number;
    node->check = number ^ secret;
    return node;
}

/* Puts a reference into the actor's hands, and lets go of what was there. */
static void hold(struct actor *self, void *object)
{
    unsigned at = fuzz_below(&self->input, HELD_MAX);
    if (object)
        intact(object);
    void *old = self->held[at];
    self->held[at] = object;
    ouro_release(old);
}

static void *some_held(struct actor *self)
{
    return self->held[fuzz_below(&self->input, HELD_MAX)];
}

/* One of its own or, mostly, a root. */
static struct node *some_container(struct actor *self, ouro_slot **slot)
{
    unsigned which = fuzz_byte(&self->input);
    struct node *own = self->held[which % HELD_MAX], *root = roots[which / 4 % ROOTS];
    if (which & 128 && own && slots_of(own)) {
        *slot = &own->slots[which / HELD_MAX % slots_of(own)];
        return own;
    }
    *slot = &root->slots[which / 16 % ROOT_SLOTS];
    return root;
}

static void store(struct actor *self, unsigned how)
{
    ouro_slot *slot;
    struct node *container = some_container(self, &slot);
    unsigned at = fuzz_below(&self->input, HELD_MAX);
    void *object = self->held[at];
    if (how < 2) {
        ouro_set(container, slot, object);
    } else if (how == 2 && container != object) {
        self->held[at] = NULL;
        ouro_give(container, slot, object);
    } else if (how == 3 && container != object) {
        self->held[at] = NULL;
        hold(self, ouro_swap(container, slot, object));
    } else {
        void *expected = ouro_get(container, slot);
        ouro_compare_set(container, slot, expected, object);
        ouro_release(expected);
    }
}

static void fetch(struct actor *self, unsigned how)
{
    ouro_slot *slot;
    struct node *container = some_container(self, &slot);
    void *object = NULL;
    if (how == 0) {
        object = ouro_get(container, slot);
    } else if (how == 1) {
        object = ouro_take(container, slot);
    } else {
        ouro_read_begin();
        struct node *found = ouro_peek(slot);
        for (unsigned step = fuzz_below(&self->input, 4); found; step--) { /* a way into the graph */
            intact(found);
            unsigned slots = slots_of(found);
            if (!step || !slots)
                break;
            found = ouro_peek(&found->slots[step % slots]);
        }
        object = ouro_try_retain(found);
        ouro_read_end();
    }
    hold(self, object);
}

static void weak(struct actor *self, unsigned how)
{
    unsigned at = fuzz_below(&self->input, HELD_MAX);
    void *target = how ? NULL : some_held(self);
    unsigned number = target ? atomic_fetch_add(&made_weak, 1) : 0;
    if (target && number < MADE_MAX) {
        atomic_store(&calls[number], 0);
        ouro_weak *old = self->weak[at];
        self->weak[at] = ouro_weak_new(target, number % 2 ? called_back : NULL, &calls[number]);
        FUZZ_CHECK(self->weak[at], number);
        self->weak_number[at] = number;
        ouro_release(old);
    } else {
        hold(self, ouro_weak_get(self->weak[at]));
    }
}

static int see(void *object, void *unused)
{
    (void)unused;
    const ouro_type *type = ouro_type_of(object); /* NULL: dead by now */
    FUZZ_CHECK(!type || (type >= types && type < types + KINDS), 0);
    return 0;
}

/* Those that OURO_FINALIZE_MANUAL leaves waiting would be the next owner's of this thread's slot. */
static void run_own_finalizers(void)
{
    do
        FUZZ_CHECK(ouro_gc_collect(0) >= 0, 0);
    while (ouro_finalizers_run(SIZE_MAX));
}

static void with_the_heap(struct actor *self)
{
    unsigned how = fuzz_byte(&self->input);
    if (how < 128) {
        ouro_safepoint();
    } else if (how < 176) {
        ouro_blocking_begin();
        sched_yield();
        ouro_blocking_end();
    } else if (how < 224) {
        FUZZ_CHECK(ouro_gc_collect((int)(how % 3)) >= 0, how);
    } else if (how < 228) {
        ouro_mem_trim();
    } else if (how < 236) {
        ouro_gc_visit_objects(-1, see, NULL);
    } else if (how < 240) {
        ouro_gc_freeze();
    } else if (how < 248) {
        ouro_gc_unfreeze();
    } else if (how < 252) {
        ouro_finalizers_run(how);
    } else {
        run_own_finalizers();
        ouro_thread_detach(); /* what it holds is handed over, and still its own */
    }
}

static void step(struct actor *self)
{
    unsigned operation = fuzz_byte(&self->input), how = operation / 16;
    switch (operation % 16) {
    case 0:
    case 1:
    case 2: {
        struct node *node = new_node((enum kind)(how % KINDS), (enum fate)(how / KINDS % FATES), fuzz_below(&self->input, 6));
        hold(self, node);
        break;
    }
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        store(self, how % 5);
        break;
    case 8:
    case 9:
    case 10:
        fetch(self, how % 3);
        break;
    case 11:
        weak(self, how % 2);
        break;
    case 12:
        hold(self, ouro_retain(some_held(self)));
        break;
    case 13:
        ouro_share(some_held(self));
        break;
    case 14:
        hold(self, NULL);
        break;
    default:
        with_the_heap(self);
    }
}

static void act(struct member *member)
{
    struct actor *self = &actors[member->index];
    FUZZ_CHECK(ouro_thread_attach(self->unbiased ? OURO_THREAD_UNBIASED : 0) == OURO_OK, member->index);
    for (int i = 0; i < STEPS_MAX && self->input.left; i++)
        step(self);
    run_own_finalizers();
}

/* ---- The ledger ---- */

static void find(struct node *node)
{
    if (!node)
        return;
    intact(node)->node = node;
    if (records[node->number].found++)
        return;
    for (unsigned i = 0; i < slots_of(node); i++)
        find(ouro_peek(&node->slots[i]));
}

static int see_found(void *object, void *unused)
{
    (void)unused;
    FUZZ_CHECK(intact(object)->node == object, ((struct node *)object)->number); /* garbage has been collected */
    return 0;
}

static void check_weak(ouro_weak *weak, unsigned number)
{
    void *target = ouro_weak_get(weak);
    FUZZ_CHECK(!target || intact(target)->node == target, number);
    FUZZ_CHECK(atomic_load(&calls[number]) == (number % 2 && !target), number); /* every second one has a callback */
    ouro_release(target);
}

static size_t live_objects(void)
{
    ouro_safepoint();
    ouro_mem_trim();
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats.live_objects;
}

static void collect(void)
{
    do
        FUZZ_CHECK(ouro_gc_collect(2) >= 0, 0);
    while (ouro_finalizers_run(SIZE_MAX));
    FUZZ_CHECK(ouro_gc_collect(2) >= 0, 0);
}

static void check_counts(void)
{
    ouro_gc_disable(); /* so that nothing is looked at by two */
    ouro_gc_unfreeze();
    collect();
    collect();
    for (unsigned i = 0; i < atomic_load(&made); i++)
        records[i].found = 0, records[i].node = NULL;
    for (int i = 0; i < ROOTS; i++)
        find(roots[i]);
    for (unsigned a = 0; a < actor_count; a++)
        for (int i = 0; i < HELD_MAX; i++)
            find(actors[a].held[i]);
    ouro_gc_visit_objects(-1, see_found, NULL);
    for (unsigned i = 0; i < atomic_load(&made); i++)
        if (records[i].node)
            FUZZ_CHECK(ouro_refcount(records[i].node) == (size_t)records[i].found, i);
    for (unsigned a = 0; a < actor_count; a++)
        for (int i = 0; i < HELD_MAX; i++)
            if (actors[a].weak[i])
                check_weak(actors[a].weak[i], actors[a].weak_number[i]);
}

static void let_go(size_t live_at_start)
{
    for (unsigned a = 0; a < actor_count; a++)
        for (int i = 0; i < HELD_MAX; i++) {
            ouro_release(actors[a].held[i]);
            ouro_release(actors[a].weak[i]);
        }
    for (int round = 0; round < 4; round++) { /* finalizers put objects back, once each */
        for (int i = 0; i < ROOTS; i++)
            for (int k = 0; k < ROOT_SLOTS; k++)
                ouro_set(roots[i], &roots[i]->slots[k], NULL);
        collect();
    }
    for (int i = 0; i < ROOTS; i++)
        ouro_release(roots[i]);
    FUZZ_CHECK(live_objects() == live_at_start, live_objects() - live_at_start);
    for (unsigned i = 0; i < atomic_load(&made); i++) {
        bool has_finalizer = records[i].kind == FINALIZED || records[i].kind == LEAF;
        FUZZ_CHECK(atomic_load(&records[i].finalized) == has_finalizer, i);
    }
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
    ouro_leak_report report;
    FUZZ_CHECK(ouro_shutdown(&report) == OURO_OK, 0);
    FUZZ_CHECK(report.objects == 0, report.objects);
}

const long fuzz_runs = 2500;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    unsigned how = fuzz_byte(&input), more = fuzz_byte(&input);
    ouro_config config = {.size = sizeof config,
                          .flags = OURO_IGNORE_ENVIRONMENT | (how & 1 ? OURO_FINALIZE_MANUAL : 0),
                          .threshold = {how & 2 ? 8 : 0, how & 4 ? 1 : 0, how & 4 ? 2 : 0},
                          .misuse = misuse_hook};
    FUZZ_CHECK(ouro_init(&config) == OURO_OK, how);
    FUZZ_CHECK(ouro_gc_set_threshold(config.threshold) == OURO_OK, how);
    ouro_gc_enable();
    size_t live_at_start = live_objects();
    secret += 0x9e3779b9u;
    atomic_store(&made, 0);
    atomic_store(&made_weak, 0);
    memset(actors, 0, sizeof actors);
    for (int i = 0; i < ROOTS; i++) {
        roots[i] = new_node(TABLE, GOES, ROOT_SLOTS);
        ouro_share(roots[i]);
    }
    actor_count = 2 + (how >> 3 & 1);
    for (unsigned a = 0; a < actor_count; a++) {
        size_t part = input.left / (actor_count - a);
        actors[a].input = (struct fuzz_input){input.at, part};
        actors[a].unbiased = more >> a & 1;
        input.at += part;
        input.left -= part;
    }
    perturb_start(more, how & 16 ? 4 : 64);
    team_run(actor_count, more, act, NULL);
    perturb_stop();
    check_counts();
    let_go(live_at_start);
    return 0;
}
