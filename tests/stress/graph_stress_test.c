/* SPDX-License-Identifier: MIT
 *
 * Scenario: threads work at random on one published graph. A table of slots in four levels holds nodes; a node of one
 * level refers to nodes of higher levels only, so that the graph has no cycles and counting alone must free it. Threads
 * make nodes and small private rings, get, set, give, take, swap and compare_set in the table and in nodes they hold,
 * follow references in read sections, make and upgrade weak references, park, reach safepoints, collect, detach, end
 * and are started anew; some are unbiased; what one generation of threads holds is handed to the next.
 * Seed: OURO_TEST_SEED; the interleaving is the machine's.
 * At the end everything is dropped. Asserted then: no object is alive, each object was finalized exactly once, each
 * weak callback came at most once and only for dead targets, no misuse was reported; and, all the time, that whatever
 * is reached is a node in its right level with intact contents. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

enum {
    LEVELS = 4,
    WIDTH = 32, /* slots of each level in the table */
    WEAKS = 64,
    THREADS = 4,
    LIVES = SCALED(64) > 8 ? SCALED(64) : 8, /* each thread function's life is short; this many in all */
    STEPS = SCALED(60000),                   /* of each life */
    HELD = 8,                                /* references that a thread holds at a time */
    IDS = LIVES * STEPS
};

struct vertex {
    ouro_object object;
    ouro_slot edges[3]; /* to higher levels */
    uint32_t id, level;
    uint64_t check; /* made from id and level */
};

static atomic_uchar finalizations[IDS + 1];
static atomic_uint ids;
static atomic_long wrong, callbacks, callbacks_too_often, upgrades, rings;

static uint64_t check_of(uint32_t id, uint32_t level)
{
    return (id * (uint64_t)LEVELS + level) * 0x9e3779b97f4a7c15u + 1;
}

static void expect(bool ok)
{
    if (!ok)
        atomic_fetch_add(&wrong, 1);
}

static bool intact(const struct vertex *v)
{
    return v->level < LEVELS && v->id <= IDS && v->check == check_of(v->id, v->level);
}

static void finalize_vertex(void *object)
{
    struct vertex *v = object;
    expect(intact(v));
    if (v->id <= IDS)
        expect(atomic_fetch_add(&finalizations[v->id], 1) == 0);
}

static ouro_type vertex_type =
    OURO_TYPE(struct vertex, .name = "vertex", .slots = OURO_SLOTS(struct vertex, edges), .finalize = finalize_vertex);

static struct table *board, *weak_board;

/* What a thread holds. */
struct hand {
    bool unbiased;
    struct rng rng;
    struct vertex *held[HELD];
};

static struct vertex **some(struct hand *hand)
{
    return &hand->held[rng_below(&hand->rng, HELD)];
}

static void hold(struct hand *hand, struct vertex *v)
{
    if (!v)
        return;
    expect(intact(v));
    struct vertex **place = some(hand);
    ouro_release(*place);
    *place = v;
}

static ouro_slot *place_on_board(struct hand *hand, uint32_t level)
{
    return &board->items[level * WIDTH + rng_below(&hand->rng, WIDTH)];
}

static struct vertex *vertex_new(struct hand *hand, uint32_t level)
{
    struct vertex *v = ouro_new(&vertex_type);
    if (!v) {
        expect(false);
        return NULL;
    }
    v->id = atomic_fetch_add(&ids, 1) % (IDS + 1);
    v->level = level;
    v->check = check_of(v->id, level);
    for (int i = 0; i < 3; i++) {
        uint32_t higher = level + 1 + rng_below(&hand->rng, LEVELS);
        if (higher < LEVELS)
            ouro_give(v, &v->edges[i], ouro_get(board, place_on_board(hand, higher)));
    }
    return v;
}

static void make(struct hand *hand)
{
    uint32_t level = rng_below(&hand->rng, LEVELS);
    struct vertex *v = vertex_new(hand, level);
    if (v && rng_one_in(&hand->rng, 2))
        ouro_set(board, place_on_board(hand, level), v);
    else if (v && rng_one_in(&hand->rng, 4))
        ouro_share(v);
    hold(hand, v);
}

static void get_from_board(struct hand *hand)
{
    uint32_t level = rng_below(&hand->rng, LEVELS);
    struct vertex *v = ouro_get(board, place_on_board(hand, level));
    expect(!v || v->level == level);
    hold(hand, v);
}

static void take_or_swap(struct hand *hand)
{
    struct vertex **mine = some(hand);
    uint32_t level = *mine ? (*mine)->level : rng_below(&hand->rng, LEVELS);
    ouro_slot *slot = place_on_board(hand, level);
    if (rng_one_in(&hand->rng, 2)) {
        *mine = ouro_swap(board, slot, *mine);
        expect(!*mine || intact(*mine));
    } else {
        hold(hand, ouro_take(board, slot));
    }
}

static void set_on_board(struct hand *hand)
{
    struct vertex **mine = some(hand);
    uint32_t level = *mine ? (*mine)->level : rng_below(&hand->rng, LEVELS);
    ouro_slot *slot = place_on_board(hand, level);
    if (rng_one_in(&hand->rng, 2)) {
        ouro_set(board, slot, *mine);
    } else {
        ouro_give(board, slot, *mine);
        *mine = NULL;
    }
}

static void compare_set_on_board(struct hand *hand)
{
    uint32_t level = rng_below(&hand->rng, LEVELS);
    ouro_slot *slot = place_on_board(hand, level);
    struct vertex *seen = ouro_get(board, slot);
    struct vertex *next = vertex_new(hand, level);
    if (rng_one_in(&hand->rng, 8))
        yield_sometimes(&hand->rng);
    ouro_compare_set(board, slot, seen, next);
    hold(hand, seen);
    hold(hand, next);
}

/* Changes an edge of a node that is held. */
static void change_edge(struct hand *hand)
{
    struct vertex *v = *some(hand), *target = *some(hand);
    if (!v)
        return;
    ouro_slot *slot = &v->edges[rng_below(&hand->rng, 3)];
    struct vertex *old;
    switch (rng_below(&hand->rng, 5)) {
    case 0:
        if (!target || target->level > v->level)
            ouro_set(v, slot, target);
        break;
    case 1:
        old = ouro_take(v, slot);
        expect(!old || old->level > v->level);
        hold(hand, old);
        break;
    case 2:
        if (target && target->level > v->level) {
            old = ouro_swap(v, slot, ouro_retain(target));
            expect(!old || old->level > v->level);
            hold(hand, old);
        }
        break;
    case 3:
        old = ouro_get(v, slot);
        if (!target || target->level > v->level)
            ouro_compare_set(v, slot, old, target);
        hold(hand, old);
        break;
    default:
        old = ouro_get(v, slot);
        expect(!old || old->level > v->level);
        hold(hand, old);
    }
}

static void read_path(struct hand *hand)
{
    struct vertex *found = NULL;
    ouro_read_begin();
    struct vertex *v = ouro_peek(place_on_board(hand, rng_below(&hand->rng, LEVELS)));
    for (int steps = 0; v && steps < LEVELS; steps++) {
        expect(intact(v));
        if (rng_one_in(&hand->rng, 3) && (found = ouro_try_retain(v)) != NULL)
            break;
        struct vertex *next = ouro_peek(&v->edges[rng_below(&hand->rng, 3)]);
        expect(!next || next->level > v->level);
        v = next;
    }
    ouro_read_end();
    hold(hand, found);
}

static void called(ouro_weak *weak, void *arg)
{
    expect(ouro_weak_get(weak) == NULL);
    atomic_fetch_add(&callbacks, 1);
    if (atomic_fetch_add((atomic_int *)arg, 1) != 0)
        atomic_fetch_add(&callbacks_too_often, 1);
}

enum { CALL_COUNTS = IDS };
static atomic_int call_counts[CALL_COUNTS];
static atomic_uint call_count_next;

static void use_weak(struct hand *hand)
{
    ouro_slot *slot = &weak_board->items[rng_below(&hand->rng, WEAKS)];
    struct vertex *target = *some(hand);
    if (target && rng_one_in(&hand->rng, 2)) {
        atomic_int *count = &call_counts[atomic_fetch_add(&call_count_next, 1) % CALL_COUNTS];
        ouro_weak *weak = ouro_weak_new(target, rng_one_in(&hand->rng, 2) ? called : NULL, count);
        expect(weak != NULL);
        ouro_give(weak_board, slot, weak);
        return;
    }
    ouro_weak *weak = ouro_get(weak_board, slot);
    struct vertex *v = ouro_weak_get(weak);
    ouro_release(weak);
    if (v)
        atomic_fetch_add(&upgrades, 1);
    hold(hand, v);
}

/* Garbage for the young collection: a ring that leads into the graph. An unbiased thread's would be published from the
 * start, and stay. */
static void make_ring(struct hand *hand)
{
    if (hand->unbiased)
        return;
    struct node *a = plain_new(1), *b = plain_new(2);
    ouro_give(a, &a->a, ouro_retain(b));
    ouro_give(b, &b->a, ouro_retain(a));
    ouro_give(a, &a->b, ouro_get(board, place_on_board(hand, rng_below(&hand->rng, LEVELS))));
    ouro_set(b, &b->b, *some(hand));
    ouro_release(a);
    ouro_release(b);
    atomic_fetch_add(&rings, 1);
}

static void attach(struct hand *hand)
{
    expect(ouro_thread_attach(hand->unbiased ? OURO_THREAD_UNBIASED : 0) == OURO_OK);
}

static void pause_somehow(struct hand *hand)
{
    switch (rng_below(&hand->rng, 16)) {
    case 0:
        ouro_blocking_begin();
        yield_sometimes(&hand->rng);
        ouro_blocking_end();
        break;
    case 1:
        expect(ouro_gc_collect(0) >= 0);
        break;
    case 2:
        if (rng_one_in(&hand->rng, 8)) {
            ouro_thread_detach();
            attach(hand);
        }
        break;
    case 3:
        if (rng_one_in(&hand->rng, 32))
            ouro_mem_trim();
        break;
    default:
        ouro_safepoint();
    }
}

static void count(struct hand *hand)
{
    ouro_release(ouro_retain(*some(hand)));
}

/* As often as they stand here. */
static void (*const steps[])(struct hand *) = {
    make,         make,         make,         make,        get_from_board, get_from_board,       take_or_swap,
    take_or_swap, set_on_board, set_on_board, change_edge, change_edge,    change_edge,          read_path,
    read_path,    use_weak,     make_ring,    count,       pause_somehow,  compare_set_on_board,
};

static void step_once(struct hand *hand)
{
    steps[rng_below(&hand->rng, sizeof steps / sizeof *steps)](hand);
}

/* ---- Lives ---- */

static uint64_t seed;
static pthread_mutex_t legacy_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct vertex *legacy[THREADS][HELD];

/* Takes over what an earlier life has left, works, and leaves what it holds. */
static void *live(void *arg)
{
    unsigned number = (unsigned)(uintptr_t)arg;
    struct hand hand = {.unbiased = number % 5 == 4, .rng = rng_stream(seed, number)};
    attach(&hand);
    pthread_mutex_lock(&legacy_mutex);
    for (int i = 0; i < HELD; i++) {
        hand.held[i] = legacy[number % THREADS][i];
        legacy[number % THREADS][i] = NULL;
    }
    pthread_mutex_unlock(&legacy_mutex);
    for (int i = 0; i < STEPS; i++)
        step_once(&hand);
    for (int i = 0; i < HELD; i++)
        ouro_share(hand.held[i]);
    pthread_mutex_lock(&legacy_mutex);
    for (int i = 0; i < HELD; i++) {
        struct vertex *left = legacy[(number + 1) % THREADS][i];
        legacy[(number + 1) % THREADS][i] = hand.held[i];
        hand.held[i] = left;
    }
    pthread_mutex_unlock(&legacy_mutex);
    for (int i = 0; i < HELD; i++)
        ouro_release(hand.held[i]);
    return NULL;
}

static void clear(struct table *table)
{
    for (size_t i = 0; i < table->array.length; i++)
        ouro_set(table, &table->items[i], NULL);
}

static void run_lives(unsigned threads, unsigned lives, unsigned first)
{
    pthread_t running[THREADS];
    for (unsigned i = 0; i < lives; i++) {
        if (i >= threads)
            thread_join_parked(running[i % threads]);
        running[i % threads] = thread_start(live, (void *)(uintptr_t)(first + i), 0);
    }
    for (unsigned i = lives; i < lives + threads; i++)
        thread_join_parked(running[i % threads]);
}

static void check_all_is_gone(void)
{
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < HELD; i++) {
            ouro_release(legacy[t][i]);
            legacy[t][i] = NULL;
        }
    clear(board);
    clear(weak_board);
    CHECK_EQ(atomic_load(&wrong), 0);
    CHECK_EQ(live_objects(), 2); /* the two tables */
    unsigned made = atomic_load(&ids);
    REQUIRE(made <= IDS);
    long not_once = 0;
    for (unsigned i = 0; i < made; i++)
        not_once += atomic_load(&finalizations[i]) != 1;
    CHECK_EQ(not_once, 0);
    CHECK_EQ(atomic_load(&callbacks_too_often), 0);
    ouro_release(board);
    ouro_release(weak_board);
    printf("       %u vertices, %ld upgrades, %ld callbacks, %ld rings\n", made, atomic_load(&upgrades),
           atomic_load(&callbacks), atomic_load(&rings));
}

static void make_boards(void)
{
    board = table_new(LEVELS * WIDTH);
    weak_board = table_new(WEAKS);
    ouro_share(board);
    ouro_share(weak_board);
}

/* The same first by one thread after the other: a failure here needs no interleaving. */
static void test_one_at_a_time(void)
{
    make_boards();
    run_lives(1, LIVES / 8, 0);
    check_all_is_gone();
}

static void test_all_at_once(void)
{
    make_boards();
    run_lives(THREADS, LIVES - LIVES / 8, LIVES / 8);
    CHECK_GT(atomic_load(&upgrades), 0);
    CHECK_GT(atomic_load(&callbacks), 0);
    check_all_is_gone();
}

int main(void)
{
    check_start("graph_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_one_at_a_time);
    FIXTURE_RUN(test_all_at_once);
    return check_finish();
}
