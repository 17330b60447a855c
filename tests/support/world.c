/* SPDX-License-Identifier: MIT */
#include "support/world.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/fixture.h"
#include "support/fork_gate.h"
#include "support/perturb.h"
#include "support/preempt.h"
#include "support/rng.h"
#include "support/threads.h"

enum {
    MUTATORS_MAX = 4,
    COLLECTORS_MAX = 2,
    HELD = 6,
    BOARD = 24, /* slots; each graph uses some */
    WEAKS = 12,
    EDGES = 3,
    IDS = 1 << 14,
    SET = 1 << 16, /* places of the set of reached objects: a power of 2 */
    CLEAN_ROUNDS = 2,
    ROUNDS_MAX = 200,
    FAILURES_MAX = 20,
    EPOCHS = 3 /* a process, its child, and that one's child */
};

enum kind { PLAIN, FINALIZED, KEEPER, ARRAY, ACYCLIC, LEAF, KINDS };

/* All kinds begin alike. */
struct thing {
    ouro_array start; /* the length counts in arrays only */
    uint32_t id;
    uint16_t kind, epoch;
    uint64_t check; /* made from the three */
    ouro_slot edges[];
};

struct vertex {
    ouro_array start;
    uint32_t id;
    uint16_t kind, epoch;
    uint64_t check;
    ouro_slot edges[EDGES + 1]; /* the last one: a weak reference */
};

struct lone {
    ouro_array start;
    uint32_t id;
    uint16_t kind, epoch;
    uint64_t check;
};

static void finalize_thing(void *object);

static ouro_type types[KINDS] = {
    [PLAIN] = OURO_TYPE(struct vertex, .name = "plain vertex", .slots = OURO_SLOTS(struct vertex, edges)),
    [FINALIZED] = OURO_TYPE(struct vertex, .name = "finalized vertex", .slots = OURO_SLOTS(struct vertex, edges),
                            .finalize = finalize_thing),
    [KEEPER] = OURO_TYPE(struct vertex, .name = "keeper", .slots = OURO_SLOTS(struct vertex, edges),
                         .finalize = finalize_thing),
    [ARRAY] = OURO_TYPE(struct thing, .name = "array", .array_slots = offsetof(struct thing, edges)),
    [ACYCLIC] = OURO_TYPE(struct vertex, .name = "acyclic vertex", .slots = OURO_SLOTS(struct vertex, edges),
                          .flags = OURO_TYPE_ACYCLIC),
    [LEAF] = OURO_TYPE(struct lone, .name = "leaf", .finalize = finalize_thing),
};

/* ---- The graph under way ---- */

static uint64_t seed;
static int graph_number;
static struct rng graph_rng; /* the main thread's */
static unsigned epoch; /* below EPOCHS: how many forks lead here */
static uint64_t graph_seeds[EPOCHS];
static struct plan {
    unsigned mutators, collectors, phases, steps, board, weaks, array;
    bool finalizers, keepers, arrays, weak;
    bool storm; /* of upgrades of what is garbage */
    bool preempt;
    unsigned perturb; /* one step of the library's in so many; 0: none */
    unsigned self_collect;
} plan;

static struct table *board, *weak_board;
static atomic_uint ids;
static unsigned char made_kind[IDS];
static atomic_uchar finalizations[EPOCHS][IDS];
static atomic_long failures;
static atomic_bool no_keeping; /* keepers let go: the end */
static atomic_long collections_begun, collections_ended;
static _Thread_local long collections_open; /* the thread's own */
static atomic_long objects, upgrades, resurrections, births;
static _Thread_local bool is_own_thread;

void (*world_at)(enum world_place place);

static void at(enum world_place place)
{
    if (world_at)
        world_at(place);
}

bool world_is_own_thread(void)
{
    return is_own_thread;
}

long world_failures(void)
{
    return atomic_load(&failures);
}

bool world_expect(bool ok, const char *what, long number)
{
    if (!ok && atomic_fetch_add(&failures, 1) < FAILURES_MAX)
        fprintf(stderr, "%sseed %" PRIu64 ", graph %d, object %ld: %s\n", epoch ? "in a child: " : "", seed, graph_number, number, what);
    return ok;
}

static bool expect(bool ok, const char *what, long number)
{
    return world_expect(ok, what, number);
}

static uint64_t check_of(const struct thing *t)
{
    return (graph_seeds[t->epoch] ^ (t->id * (uint64_t)KINDS + t->kind)) * 0x9e3779b97f4a7c15u + 1;
}

static bool intact(const struct thing *t)
{
    return expect(t->id < IDS && t->kind < KINDS && t->epoch <= epoch && t->check == check_of(t), "contents are not its own",
                  (long)t->id);
}

static size_t edge_count(const struct thing *t)
{
    return t->kind == ARRAY ? t->start.length : t->kind == LEAF ? 0 : EDGES;
}

static bool has_weak_edge(const struct thing *t)
{
    return t->kind == PLAIN || t->kind == FINALIZED || t->kind == KEEPER;
}

static bool may_refer(const struct thing *from, const struct thing *to)
{
    return !to || from->kind != ACYCLIC || to->kind == LEAF;
}

/* ---- Weak references: a record of each ---- */

struct weak_record {
    ouro_weak *weak; /* also after its death: compared, not followed */
    uint32_t target;
    bool has_callback;
    unsigned stamp; /* later ones have greater ones */
    atomic_uint calls;
};

static struct weak_record weak_records[EPOCHS][IDS];
static atomic_uint weak_count, weak_clock;

static void called(ouro_weak *weak, void *arg)
{
    struct weak_record *record = arg;
    at(WORLD_WEAK_CALLBACK);
    expect(ouro_weak_get(weak) == NULL, "callback while the target can be had", record->target);
    expect(atomic_fetch_add(&record->calls, 1) == 0, "callback came twice", record->target);
}

static ouro_weak *weak_new(struct thing *target, bool callback)
{
    unsigned number = atomic_fetch_add(&weak_count, 1);
    if (number >= IDS)
        return NULL;
    struct weak_record *record = &weak_records[epoch][number];
    atomic_store(&record->calls, 0);
    record->target = target->id;
    record->has_callback = callback;
    record->weak = ouro_weak_new(target, callback ? called : NULL, record);
    record->stamp = atomic_fetch_add(&weak_clock, 1) + 1;
    REQUIRE(record->weak);
    return record->weak;
}

/* ---- Finalizers ---- */

static void keep_something(struct thing *t)
{
    struct rng rng = rng_stream(graph_seeds[epoch], t->id);
    ouro_slot *edge = &t->edges[rng_below(&rng, EDGES)], *place = &board->items[rng_below(&rng, plan.board)];
    switch (rng_below(&rng, 6)) {
    case 0:
        ouro_set(board, place, t);
        break;
    case 1: /* what it reaches */
        ouro_give(board, place, ouro_get(t, edge));
        break;
    case 2: /* itself, but as garbage */
        ouro_set(t, edge, t);
        break;
    case 3:
        ouro_set(t, edge, NULL);
        break;
    case 4:
        if (rng_one_in(&rng, 8))
            expect(ouro_gc_collect(1) >= 0, "collecting in a finalizer", t->id);
        break;
    default: /* it changes places with something */
        ouro_release(ouro_swap(board, place, ouro_retain(t)));
        ouro_give(t, edge, ouro_take(board, place));
    }
    atomic_fetch_add(&resurrections, 1);
}

static void finalize_thing(void *object)
{
    struct thing *t = object;
    if (!intact(t))
        return;
    expect(atomic_fetch_add(&finalizations[t->epoch][t->id], 1) == 0, "finalized twice", t->id);
    at(WORLD_FINALIZER);
    for (size_t i = 0; i < edge_count(t); i++) {
        struct thing *next = ouro_get(t, &t->edges[i]);
        if (next)
            intact(next);
        ouro_release(next);
    }
    if (t->kind == KEEPER && t->epoch == epoch && !atomic_load(&no_keeping))
        keep_something(t);
}

/* ---- What threads do ---- */

struct hand {
    bool unbiased;
    struct rng rng;
    struct thing *held[HELD];
};

static struct hand hands[MUTATORS_MAX];
static _Thread_local struct hand *my_hand;

static struct thing **some(struct hand *hand)
{
    return &hand->held[rng_below(&hand->rng, HELD)];
}

static struct thing *some_with_edges(struct hand *hand)
{
    for (int i = 0; i < HELD; i++) {
        struct thing *t = *some(hand);
        if (t && edge_count(t))
            return t;
    }
    return NULL;
}

static void hold(struct hand *hand, struct thing *t)
{
    if (!t)
        return;
    intact(t);
    struct thing **place = some(hand), *old = *place;
    *place = t;
    ouro_release(old);
}

static ouro_slot *place(struct hand *hand)
{
    return &board->items[rng_below(&hand->rng, plan.board)];
}

static ouro_slot *edge_of(struct hand *hand, struct thing *t)
{
    return &t->edges[rng_below(&hand->rng, (uint32_t)edge_count(t))];
}

static enum kind some_kind(struct hand *hand)
{
    enum kind kind = (enum kind)rng_below(&hand->rng, KINDS);
    bool left_out = (kind == FINALIZED && !plan.finalizers) || (kind == KEEPER && !plan.keepers) ||
                    (kind == ARRAY && !plan.arrays) || (kind >= ACYCLIC && rng_one_in(&hand->rng, 2));
    return left_out ? PLAIN : kind;
}

static struct thing *thing_new(struct hand *hand, enum kind kind)
{
    unsigned id = atomic_fetch_add(&ids, 1);
    if (id >= IDS)
        return NULL;
    struct thing *t = kind == ARRAY ? ouro_new_array(&types[kind], 1 + rng_below(&hand->rng, plan.array))
                                    : ouro_new(&types[kind]);
    REQUIRE(t);
    t->id = id;
    t->kind = (uint16_t)kind;
    t->epoch = (uint16_t)epoch;
    t->check = check_of(t);
    made_kind[id] = (unsigned char)kind;
    return t;
}

static void make(struct hand *hand)
{
    struct thing *t = thing_new(hand, some_kind(hand));
    if (!t)
        return;
    for (size_t i = 0; i < edge_count(t) && i < 2 * EDGES; i++) {
        struct thing *target = rng_one_in(&hand->rng, 8) ? t : *some(hand);
        if (rng_one_in(&hand->rng, 2) && may_refer(t, target))
            ouro_set(t, &t->edges[i], target);
    }
    if (rng_one_in(&hand->rng, 2))
        ouro_set(board, place(hand), t);
    else if (rng_one_in(&hand->rng, 3))
        ouro_share(t);
    hold(hand, t);
}

/* A published ring which nobody holds soon: by its weak reference, or from the board for a while, it can be had back. */
static void make_ring(struct hand *hand)
{
    struct thing *first = thing_new(hand, PLAIN), *last = ouro_retain(first);
    for (unsigned i = rng_below(&hand->rng, 6); first && i > 0; i--) {
        struct thing *next = thing_new(hand, plan.finalizers && rng_one_in(&hand->rng, 3) ? FINALIZED : PLAIN);
        if (!next)
            break;
        ouro_set(last, &last->edges[0], next);
        ouro_release(last);
        last = next;
        if (rng_one_in(&hand->rng, 4))
            ouro_set(last, &last->edges[1], *some(hand));
    }
    if (first) {
        ouro_set(last, &last->edges[0], first);
        if (rng_one_in(&hand->rng, 2))
            ouro_set(board, place(hand), last);
        else
            ouro_share(last);
        if (plan.weak && rng_one_in(&hand->rng, 2))
            ouro_give(weak_board, &weak_board->items[rng_below(&hand->rng, plan.weaks)],
                      weak_new(first, rng_one_in(&hand->rng, 2)));
    }
    ouro_release(first);
    ouro_release(last);
}

static void link_held(struct hand *hand)
{
    struct thing *from = some_with_edges(hand), *to = *some(hand), *old;
    if (!from || !may_refer(from, to))
        return;
    ouro_slot *edge = edge_of(hand, from);
    switch (rng_below(&hand->rng, 4)) {
    case 0:
        ouro_give(from, edge, ouro_retain(to));
        break;
    case 1:
        hold(hand, ouro_swap(from, edge, ouro_retain(to)));
        break;
    case 2:
        old = ouro_get(from, edge);
        yield_sometimes(&hand->rng);
        ouro_compare_set(from, edge, old, to);
        hold(hand, old);
        break;
    default:
        ouro_set(from, edge, to);
    }
}

/* Its last reference goes into a slot: perhaps one of its own, or of what only it reaches. */
static void give_away(struct hand *hand)
{
    struct thing **mine = some(hand), *t = *mine;
    struct thing *from = rng_one_in(&hand->rng, 3) ? t : some_with_edges(hand);
    if (!t || !from || !edge_count(from) || !may_refer(from, t))
        return;
    *mine = NULL;
    ouro_give(from, edge_of(hand, from), t);
}

/* A value that is no reference, but may look much like one; it carries its own check. */
static ouro_value some_immediate(struct hand *hand)
{
    uint64_t address = (uintptr_t)*some(hand);
    if (rng_one_in(&hand->rng, 3))
        address = rng_next(&hand->rng);
    address &= ((uint64_t)1 << 47) - 4;
    return rng_one_in(&hand->rng, 8) ? ouro_bool_new(true) : ouro_int_new((int64_t)(address >> 2 | (address * 11 & 0xff) << 48));
}

static void hold_value(struct hand *hand, ouro_value value)
{
    if (ouro_is_object(value)) {
        hold(hand, ouro_value_object(value));
    } else if (ouro_is_int(value)) {
        uint64_t n = (uint64_t)ouro_int_value(value), address = n << 2 & (((uint64_t)1 << 47) - 4);
        expect((address * 11 & 0xff) == (n >> 48 & 0xff), "a number that nobody stored", -1);
    } else {
        expect(value == OURO_NIL || value == OURO_TRUE, "a value that nobody stored", -1);
    }
}

/* Numbers in the place of references, and back. */
static void use_values(struct hand *hand)
{
    struct thing *from = some_with_edges(hand), *to = *some(hand);
    void *container = from;
    ouro_slot *slot = from ? edge_of(hand, from) : NULL;
    if (!from || rng_one_in(&hand->rng, 3)) {
        container = board;
        slot = place(hand);
    } else if (!may_refer(from, to)) {
        to = NULL;
    }
    ouro_value old, value = to && rng_one_in(&hand->rng, 3) ? ouro_value_of(to) : some_immediate(hand);
    switch (rng_below(&hand->rng, 7)) {
    case 0:
        ouro_value_give(container, slot, ouro_value_retain(value));
        break;
    case 1:
        hold_value(hand, ouro_value_swap(container, slot, ouro_value_retain(value)));
        break;
    case 2:
        hold_value(hand, ouro_value_take(container, slot));
        break;
    case 3:
        old = ouro_value_get(container, slot);
        yield_sometimes(&hand->rng);
        ouro_value_compare_set(container, slot, old, value);
        hold_value(hand, old);
        break;
    case 4:
        hold_value(hand, ouro_value_get(container, slot));
        break;
    default:
        ouro_value_set(container, slot, value);
    }
}

static void walk(struct hand *hand)
{
    struct thing *from = some_with_edges(hand);
    if (from)
        hold(hand, ouro_get(from, edge_of(hand, from)));
}

static void take_edge(struct hand *hand)
{
    struct thing *from = some_with_edges(hand);
    if (from)
        hold(hand, ouro_take(from, edge_of(hand, from)));
}

static void use_board(struct hand *hand)
{
    struct thing **mine = some(hand), *t = *mine, *old;
    ouro_slot *slot = place(hand);
    switch (rng_below(&hand->rng, 8)) {
    case 0:
        *mine = NULL;
        ouro_give(board, slot, t);
        break;
    case 1:
        *mine = NULL;
        hold(hand, ouro_swap(board, slot, t));
        break;
    case 2:
        hold(hand, ouro_take(board, slot));
        break;
    case 3:
        old = ouro_get(board, slot);
        ouro_compare_set(board, slot, old, t);
        hold(hand, old);
        break;
    case 4:
        ouro_set(board, slot, t);
        break;
    case 5:
        ouro_set(board, slot, NULL);
        break;
    default:
        hold(hand, ouro_get(board, slot));
    }
}

static void drop(struct hand *hand)
{
    struct thing **mine = some(hand), *t = *mine;
    *mine = NULL;
    ouro_release(t);
}

static void count(struct hand *hand)
{
    ouro_release(ouro_retain(*some(hand)));
}

static void read_path(struct hand *hand)
{
    struct thing *found = NULL;
    ouro_read_begin();
    at(WORLD_READING);
    struct thing *t = ouro_peek(place(hand));
    for (int steps = 0; t && steps < 6; steps++) {
        if (!intact(t))
            break;
        if (rng_one_in(&hand->rng, 4) && (found = ouro_try_retain(t)) != NULL)
            break;
        t = edge_count(t) ? ouro_peek(edge_of(hand, t)) : NULL;
    }
    ouro_read_end();
    hold(hand, found);
}

static void make_weak(struct hand *hand)
{
    struct thing *target = *some(hand), *from = *some(hand);
    if (!plan.weak || !target)
        return;
    ouro_weak *weak = weak_new(target, rng_one_in(&hand->rng, 2));
    if (weak && from && has_weak_edge(from) && rng_one_in(&hand->rng, 2))
        ouro_give(from, &from->edges[EDGES], weak);
    else
        ouro_give(weak_board, &weak_board->items[rng_below(&hand->rng, plan.weaks)], weak);
}

static void follow_weak(struct hand *hand)
{
    struct thing *from = *some(hand);
    ouro_weak *weak = from && has_weak_edge(from) && rng_one_in(&hand->rng, 2)
                          ? ouro_get(from, &from->edges[EDGES])
                          : ouro_get(weak_board, &weak_board->items[rng_below(&hand->rng, plan.weaks)]);
    struct thing *t = ouro_weak_get(weak);
    ouro_release(weak);
    if (t)
        atomic_fetch_add(&upgrades, 1);
    hold(hand, t);
}

static void attach(const struct hand *hand)
{
    expect(ouro_thread_attach(hand->unbiased ? OURO_THREAD_UNBIASED : 0) == OURO_OK, "attach", -1);
}

static void collect_somehow(struct rng *rng)
{
    if (rng_one_in(rng, 3))
        expect(ouro_gc_collect_async(1 + (int)rng_below(rng, 2)) == OURO_OK, "collect_async", -1);
    else
        expect(ouro_gc_collect((int)rng_below(rng, 3)) >= 0, "collect", -1);
}

static void step_once(struct hand *hand);

/* The first and the last thing that a thread does. */
static void begin_thread(struct hand *hand)
{
    is_own_thread = true;
    my_hand = hand;
    preempt_join();
    at(WORLD_BORN);
    fork_gate_enter();
    ouro_read_begin();
    ouro_read_end();
    fork_gate_leave();
    if (hand)
        attach(hand);
}

static void end_thread(struct hand *hand)
{
    at(WORLD_STEP);
    is_own_thread = false; /* what is to come is the library's: the last collection */
    if (hand && rng_one_in(&hand->rng, 2))
        ouro_thread_detach();
    preempt_leave();
    fork_gate_enter();
}

static void join(pthread_t thread)
{
    thread_join_running(thread);
    fork_gate_leave();
}

/* A thread that works with the hand of another. */
static void *substitute(void *arg)
{
    struct hand *hand = arg;
    begin_thread(hand);
    for (int i = 0; i < 20; i++)
        step_once(hand);
    for (int i = 0; i < HELD; i++)
        ouro_share(hand->held[i]);
    end_thread(hand);
    return NULL;
}

/* Its owner waits meanwhile, parked. */
static void let_another_work(struct hand *hand)
{
    for (int i = 0; i < HELD; i++)
        ouro_share(hand->held[i]);
    ouro_blocking_begin();
    join(thread_start(substitute, hand, 0));
    ouro_blocking_end();
    atomic_fetch_add(&births, 1);
}

static void pause_somehow(struct hand *hand)
{
    switch (rng_below(&hand->rng, 12)) {
    case 0:
    case 1:
        ouro_blocking_begin();
        at(WORLD_BLOCKING);
        yield_sometimes(&hand->rng);
        ouro_blocking_end();
        break;
    case 2:
        if (rng_one_in(&hand->rng, plan.self_collect))
            collect_somehow(&hand->rng);
        break;
    case 3:
        if (rng_one_in(&hand->rng, 4)) {
            ouro_thread_detach();
            attach(hand);
        }
        break;
    case 4:
        if (rng_one_in(&hand->rng, 16))
            ouro_mem_trim();
        break;
    case 5:
        if (rng_one_in(&hand->rng, 24))
            let_another_work(hand);
        break;
    case 6:
        yield_sometimes(&hand->rng);
        break;
    default:
        ouro_safepoint();
    }
}

/* As often as they stand here. */
static void (*const steps[])(struct hand *) = {
    make,      make,      make,      make_ring, make_ring,   link_held,   link_held, link_held,
    link_held, link_held, give_away, give_away, give_away,   walk,        walk,      walk,
    take_edge, take_edge, use_board, use_board, use_board,   use_board,   use_board, drop,
    drop,      count,     read_path, read_path, read_path,   make_weak,   make_weak, follow_weak,
    walk,      drop,      use_board, link_held, follow_weak, follow_weak, take_edge, pause_somehow,
    use_values, use_values, use_values,
};

static void step_once(struct hand *hand)
{
    static void (*const storm[])(struct hand *) = {make_ring, follow_weak, follow_weak, follow_weak, drop, drop};
    at(WORLD_STEP);
    if (plan.storm && !rng_one_in(&hand->rng, 4))
        storm[rng_below(&hand->rng, sizeof storm / sizeof *storm)](hand);
    else
        steps[rng_below(&hand->rng, sizeof steps / sizeof *steps)](hand);
}

/* ---- Collections ---- */

static void on_collection(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    (void)arg;
    if (info->generation > 0 && phase == OURO_GC_START) {
        atomic_fetch_add(&collections_begun, 1);
        collections_open++;
    } else if (info->generation > 0 && collections_open) { /* else it began before this was registered */
        atomic_fetch_add(&collections_ended, 1);
        collections_open--;
    }
    at(phase == OURO_GC_START ? WORLD_GC_START : WORLD_GC_STOP);
}

/* ---- Threads ---- */

static pthread_barrier_t barrier;
static atomic_uint working; /* mutators in this phase */

/* The calling thread may fork, parked or not: afterwards it is parked. */
static void park(void)
{
    ouro_blocking_begin();
    at(WORLD_STEP);
    ouro_blocking_begin(); /* a fork ends the region */
}

/* What was done before is seen after it. */
static void meet(void)
{
    park();
    pthread_barrier_wait(&barrier);
    ouro_blocking_end();
}

/* From the end of one phase to the start of the next one: parked all the time, as a thread that were only about to park could
 * still hold back what others have queued for it. */
static void wait_for_next_phase(unsigned phase)
{
    park();
    pthread_barrier_wait(&barrier);
    if (phase + 1 < plan.phases)
        pthread_barrier_wait(&barrier);
    ouro_blocking_end();
}

static void *mutate(void *arg)
{
    struct hand *hand = arg;
    begin_thread(hand);
    meet();
    for (unsigned phase = 0; phase < plan.phases; phase++) {
        for (unsigned i = 0; i < plan.steps; i++)
            step_once(hand);
        for (int i = 0; i < HELD; i++)
            ouro_share(hand->held[i]);
        expect(ouro_gc_collect(0) >= 0, "collect", -1);
        at(WORLD_STEP);
        atomic_fetch_sub(&working, 1);
        wait_for_next_phase(phase);
    }
    end_thread(hand);
    return NULL;
}

static void *collect_always(void *arg)
{
    struct rng rng = rng_stream(graph_seeds[epoch], 100 + (uintptr_t)arg);
    begin_thread(NULL);
    meet();
    for (unsigned phase = 0; phase < plan.phases; phase++) {
        while (atomic_load(&working)) {
            collect_somehow(&rng);
            at(WORLD_COLLECTING);
            yield_sometimes(&rng);
        }
        wait_for_next_phase(phase);
    }
    end_thread(NULL);
    return NULL;
}

/* ---- The oracle ---- */

struct reached {
    void *object;
    size_t count;
};

static struct reached set[SET];
static struct reached *order[SET]; /* the first set_used: as they were found */
static size_t set_used;
static bool is_reached[IDS];

static void reach(void *object)
{
    if (!object)
        return;
    size_t at = (size_t)(((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15u >> 20) % SET;
    while (set[at].object && set[at].object != object)
        at = (at + 1) % SET;
    if (set[at].count++ == 0) {
        REQUIRE(set_used < SET / 2);
        set[at].object = object;
        order[set_used++] = &set[at];
    }
}

static bool is_weak(const void *object)
{
    const ouro_type *type = ouro_type_of(object);
    return type < types || type >= types + KINDS;
}

/* Marks from the boards, and the hands. */
static void mark(bool hands_too)
{
    for (size_t i = 0; i < set_used; i++)
        *order[i] = (struct reached){0};
    set_used = 0;
    memset(is_reached, 0, sizeof is_reached);
    ouro_read_begin();
    for (int i = 0; i < BOARD; i++)
        reach(ouro_peek(&board->items[i]));
    for (int i = 0; i < WEAKS; i++)
        reach(ouro_peek(&weak_board->items[i]));
    for (int i = 0; hands_too && i < MUTATORS_MAX * HELD; i++)
        reach(hands[i / HELD].held[i % HELD]);
    for (size_t done = 0; done < set_used; done++) {
        struct thing *t = order[done]->object;
        if (is_weak(t) || !intact(t))
            continue;
        expect(ouro_type_of(t) == &types[t->kind], "is of another type", t->id);
        expect(!is_reached[t->id], "there are two of it", t->id);
        is_reached[t->id] = true;
        for (size_t i = 0; i < edge_count(t) + has_weak_edge(t); i++)
            reach(ouro_peek(&t->edges[i]));
    }
    ouro_read_end();
}

static void compare_weak(ouro_weak *weak)
{
    struct weak_record *records = weak_records[epoch], *record = NULL;
    unsigned used = atomic_load(&weak_count);
    for (unsigned i = 0; i < used && i < IDS; i++)
        if (records[i].weak == weak && (!record || records[i].stamp > record->stamp))
            record = &records[i];
    if (!expect(record != NULL, "an unknown weak reference", -1))
        return;
    struct thing *t = ouro_weak_get(weak);
    bool alive = is_reached[record->target];
    expect(alive == (t != NULL), alive ? "a weak reference to it reads NULL" : "its weak reference does not read NULL",
           record->target);
    expect(!t || t->id == record->target, "a weak reference leads to another", record->target);
    expect(atomic_load(&record->calls) == (record->has_callback && !alive), "callbacks", record->target);
    ouro_release(t);
}

/* What is alive and should not be. Frozen, private and untracked ones, too. */
static int say_unreached(void *object, void *arg)
{
    struct thing *t = object;
    int *left = arg;
    for (size_t i = 0; i < set_used; i++)
        if (order[i]->object == object)
            return 1;
    if (is_weak(object))
        fprintf(stderr, "  %p: %s, %zu references\n", object, ouro_type_of(object)->name, ouro_refcount(object));
    else if (t->epoch == epoch)
        fprintf(stderr, "  %p: %s %u, %zu references%s\n", object, ouro_type_of(object)->name, t->id, ouro_refcount(object),
                ouro_gc_is_finalized(object) ? ", finalized" : "");
    return --*left > 0;
}

static void compare(const char *when, size_t live_before)
{
    long failures_before = atomic_load(&failures);
    mark(true);
    size_t live = live_objects() - live_before;
    if (!expect(live == set_used, "number of live objects", -1))
        fprintf(stderr, "  %zu alive, %zu reached\n", live, set_used);
    int left = FAILURES_MAX;
    if (live > set_used)
        ouro_gc_visit_objects(-1, say_unreached, &left);
    for (size_t i = 0; i < set_used; i++) {
        struct thing *t = order[i]->object;
        size_t references = ouro_refcount(t);
        if (!expect(references == order[i]->count, "count", is_weak(t) ? -1 : (long)t->id))
            fprintf(stderr, "  %zu, but %zu references\n", references, order[i]->count);
        if (!is_weak(t))
            expect(ouro_gc_is_finalized(t) == (atomic_load(&finalizations[epoch][t->id]) == 1), "is_finalized", t->id);
    }
    unsigned made = atomic_load(&ids);
    for (unsigned i = 0; i < made && i < IDS; i++) {
        enum kind kind = (enum kind)made_kind[i];
        if (!is_reached[i] && (kind == FINALIZED || kind == KEEPER || kind == LEAF))
            expect(atomic_load(&finalizations[epoch][i]) == 1, "gone and not finalized", (long)i);
    }
    for (size_t i = 0; i < set_used; i++)
        if (is_weak(order[i]->object))
            compare_weak(order[i]->object);
    if (atomic_load(&failures) != failures_before)
        fprintf(stderr, "  (%s)\n", when);
}

static bool none_is_under_way(void *arg)
{
    (void)arg;
    return atomic_load(&collections_begun) <= atomic_load(&collections_ended);
}

/* Collects until nothing is found, twice, with nobody else collecting meanwhile: what the finalizers of one collection
 * leave, the next one finds. */
static void collect_all(void)
{
    int rounds = 0;
    for (int clean = 0; clean < CLEAN_ROUNDS; rounds++) {
        if (!expect(rounds < ROUNDS_MAX, "collections find something for ever", -1))
            return;
        while (!none_is_under_way(NULL))
            sched_yield();
        long before = atomic_load(&collections_begun);
        long found = ouro_gc_collect(2);
        expect(found >= 0, "collect", -1);
        at(WORLD_STEP);
        bool alone = atomic_load(&collections_begun) == before + 1;
        clean = found == 0 && alone ? clean + 1 : 0;
    }
}

/* ---- A graph ---- */

static void make_plan(struct world_size size)
{
    static const unsigned perturb_rates[] = {0, 2, 8, 32};
    struct rng *rng = &graph_rng;
    plan = (struct plan){
        .mutators = 2 + rng_below(rng, MUTATORS_MAX - 1),
        .collectors = rng_below(rng, COLLECTORS_MAX + 1),
        .phases = 1 + rng_below(rng, 2),
        .steps = 20 + rng_below(rng, rng_one_in(rng, 8) ? 1000 : 200),
        .board = 1 + rng_below(rng, BOARD),
        .weaks = 1 + rng_below(rng, WEAKS),
        .array = rng_one_in(rng, 16) ? 3000 : 8,
        .finalizers = rng_one_in(rng, 2),
        .keepers = rng_one_in(rng, 3),
        .arrays = rng_one_in(rng, 2),
        .weak = rng_one_in(rng, 2),
        .perturb = perturb_rates[rng_below(rng, 4)],
        .self_collect = 1 + rng_below(rng, 8),
        .storm = rng_one_in(rng, 4),
        .preempt = rng_one_in(rng, 3) && !epoch, /* a child of fork has no thread that does it */
    };
    if (size.steps)
        plan.steps = 1 + plan.steps * size.steps / 10;
    if (size.mutators && plan.mutators > size.mutators)
        plan.mutators = size.mutators;
    if (plan.storm) {
        plan.weak = true;
        plan.weaks = 1 + rng_below(rng, 4);
        plan.collectors = 1;
    }
    unsigned used = atomic_load(&ids), weaks_used = atomic_load(&weak_count);
    memset(finalizations[epoch], 0, used < IDS ? used : IDS);
    memset(weak_records[epoch], 0, (weaks_used < IDS ? weaks_used : IDS) * sizeof **weak_records);
    atomic_store(&ids, 0);
    atomic_store(&weak_count, 0);
    atomic_store(&weak_clock, 0);
    for (unsigned i = 0; i < MUTATORS_MAX; i++)
        hands[i] = (struct hand){.unbiased = rng_one_in(rng, 5), .rng = rng_stream(graph_seeds[epoch], i)};
}

static void run_threads(size_t live_before)
{
    pthread_t threads[MUTATORS_MAX + COLLECTORS_MAX];
    unsigned count = plan.mutators + plan.collectors;
    REQUIRE(pthread_barrier_init(&barrier, NULL, count + 1) == 0);
    perturb_start(seed + 1, plan.perturb);
    if (plan.preempt)
        preempt_start(graph_seeds[epoch]);
    for (unsigned i = 0; i < count; i++)
        threads[i] = i < plan.mutators ? thread_start(mutate, &hands[i], 0)
                                       : thread_start(collect_always, (void *)(uintptr_t)i, 0);
    for (unsigned phase = 0; phase < plan.phases; phase++) {
        if (phase > 0) {
            collect_all();
            compare("between phases", live_before);
        }
        atomic_store(&working, plan.mutators);
        meet();
        meet();
    }
    park();
    for (unsigned i = 0; i < count; i++)
        join(threads[i]);
    ouro_blocking_end();
    preempt_stop();
    pthread_barrier_destroy(&barrier);
}

/* False: there was nothing to drop. */
static bool drop_roots(bool hands_too)
{
    bool any = false;
    for (int i = 0; i < BOARD + WEAKS; i++) {
        struct table *table = i < BOARD ? board : weak_board;
        void *object = ouro_take(table, &table->items[i < BOARD ? i : i - BOARD]);
        any = any || object;
        ouro_release(object);
    }
    for (int i = 0; hands_too && i < MUTATORS_MAX * HELD; i++) {
        struct thing **held = &hands[i / HELD].held[i % HELD];
        any = any || *held;
        ouro_release(*held);
        *held = NULL;
    }
    return any;
}

static void run_graph(struct world_size size)
{
    graph_rng = rng_stream(seed, (uint64_t)graph_number);
    graph_seeds[epoch] = rng_next(&graph_rng);
    make_plan(size);
    atomic_store(&no_keeping, false);
    size_t live_before = live_objects();
    run_threads(live_before);
    collect_all();
    compare("threads are gone", live_before);
    if (rng_one_in(&graph_rng, 2)) {
        drop_roots(false);
        collect_all();
        compare("boards are empty", live_before);
    }
    atomic_store(&no_keeping, true);
    while (drop_roots(true))
        collect_all();
    compare("at the end", live_before);
    expect(set_used == 0, "something is reached at the end", -1);
    atomic_fetch_add(&objects, atomic_load(&ids));
}

static struct table *board_new(size_t length)
{
    struct table *table = table_new(length);
    ouro_share(table);
    return table;
}

bool world_run(uint64_t from_seed, struct world_size size)
{
    const char *only = getenv("OURO_TEST_GRAPH");
    int graphs = only && !epoch ? size.repeats : size.graphs;
    static int callback; /* the parent's is there in the child, too */
    if (!callback) {
        atomic_store(&collections_ended, atomic_load(&collections_begun)); /* the end of one may have come after the last removal */
        callback = ouro_gc_add_callback(on_collection, NULL);
    }
    REQUIRE(callback > 0);
    is_own_thread = true;
    seed = from_seed;
    board = board_new(BOARD);
    weak_board = board_new(WEAKS);
    collect_all(); /* what was there before is what it is */
    for (int i = 0; i < graphs && atomic_load(&failures) < FAILURES_MAX; i++) {
        graph_number = only && !epoch ? atoi(only) : i;
        run_graph(size);
    }
    perturb_stop();
    ouro_gc_remove_callback(callback);
    callback = 0;
    ouro_release(board);
    ouro_release(weak_board);
    board = weak_board = NULL;
    at(WORLD_STEP);
    return !atomic_load(&failures);
}

void world_print(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    printf("       %ld objects, %llu and %llu collected by %llu and %llu collections, %ld upgrades, %ld resurrections, "
           "%ld threads born, %ld pauses\n",
           atomic_load(&objects), (unsigned long long)stats.generation[1].collected,
           (unsigned long long)stats.generation[2].collected, (unsigned long long)stats.generation[1].collections,
           (unsigned long long)stats.generation[2].collections, atomic_load(&upgrades), atomic_load(&resurrections),
           atomic_load(&births), preempt_pauses());
}

/* ---- In a child of fork ---- */

void world_forked(void)
{
    atomic_store(&collections_begun, collections_open); /* others' will not end */
    atomic_store(&collections_ended, 0);
    preempt_forget();
}

void world_check_old(void)
{
    for (int i = 0; my_hand && i < HELD; i++)
        if (my_hand->held[i])
            intact(my_hand->held[i]);
    if (board) /* else it was forked between two graphs */
        mark(false);
}

void world_use_old(unsigned steps)
{
    static struct hand none;
    struct hand *hand = my_hand ? my_hand : &none;
    if (!my_hand)
        none.rng = rng_stream(graph_seeds[epoch], 200);
    for (unsigned i = 0; board && i < steps; i++)
        step_once(hand);
    my_hand = hand;
}

void world_leave_old(void)
{
    for (int i = 0; my_hand && i < HELD; i++) {
        ouro_release(my_hand->held[i]);
        my_hand->held[i] = NULL;
    }
    my_hand = NULL;
    memset(hands, 0, sizeof hands);
    REQUIRE(++epoch < EPOCHS);
    perturb_stop();
    atomic_store(&ids, 0);
    atomic_store(&weak_count, 0);
}
