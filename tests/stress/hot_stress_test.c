/* SPDX-License-Identifier: MIT
 *
 * A few objects that all threads count at once, all the time: read from shared slots, upgraded from weak references, retained, released, passed on,
 * put back; replaced by new ones now and then, so that they die while threads have credit of them. Some are in cycles, and die by collections
 * only. Threads park, reach safepoints, end and are replaced; collections take all credit back beside that, and the background thread what is idle.
 * All are paused between any two instructions (support/preempt.h).
 * Seed: OURO_TEST_SEED. Asserted: what a thread holds stays what it is; at the end, each object was finalized exactly once, none
 * is alive, nobody has credit, no misuse. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "support/fixture.h"
#include "support/preempt.h"
#include "support/rng.h"
#include "support/threads.h"

enum {
    HOT = 5,
    HELD = 12,
    THREADS = 4,
    LIVES = SCALED(40) > 6 ? SCALED(40) : 6,
    STEPS = SCALED(12000),
    IDS = THREADS * LIVES * STEPS / 50 + 1000
};

struct hot {
    ouro_object object;
    ouro_slot next, weak; /* to itself or another, perhaps; a weak reference to it */
    uint32_t id;
    uint64_t check;
};

struct board {
    ouro_object object;
    ouro_slot at[HOT], weak[HOT];
};

static atomic_uchar finalizations[IDS];
static atomic_uint ids;
static atomic_long wrong, upgraded, replaced, collections;
static atomic_bool over;
static struct board *board;
static _Atomic(struct hot *) passed[4]; /* each with a reference */

static void expect(bool ok)
{
    if (!ok)
        atomic_fetch_add(&wrong, 1);
}

static bool intact(const struct hot *h)
{
    return h->id < IDS && h->check == h->id * 0x9e3779b97f4a7c15u + 7;
}

static void finalize_hot(void *object)
{
    struct hot *h = object;
    expect(intact(h));
    if (h->id < IDS)
        expect(atomic_fetch_add(&finalizations[h->id], 1) == 0);
}

static ouro_type hot_type = OURO_TYPE(struct hot, .name = "hot", .slots = OURO_SLOTS(struct hot, next, weak), .finalize = finalize_hot);
static ouro_type board_type = OURO_TYPE(struct board, .name = "board", .slots = OURO_SLOTS(struct board, at, weak));

static void replace(struct rng *rng)
{
    uint32_t id = atomic_fetch_add(&ids, 1);
    if (id >= IDS) {
        atomic_fetch_sub(&ids, 1);
        return;
    }
    struct hot *h = ouro_new(&hot_type);
    REQUIRE(h);
    h->id = id;
    h->check = h->id * 0x9e3779b97f4a7c15u + 7;
    unsigned place = rng_below(rng, HOT);
    if (rng_one_in(rng, 2))
        ouro_share_widely(h);
    if (rng_one_in(rng, 3))
        ouro_set(h, &h->next, h);
    else if (rng_one_in(rng, 2))
        ouro_give(h, &h->next, ouro_get(board, &board->at[rng_below(rng, HOT)]));
    ouro_weak *weak = ouro_weak_new(h, NULL, NULL);
    REQUIRE(weak);
    if (rng_one_in(rng, 2))
        ouro_set(h, &h->weak, weak);
    ouro_give(board, &board->at[place], h);
    ouro_give(board, &board->weak[place], weak);
    atomic_fetch_add_explicit(&replaced, 1, memory_order_relaxed);
}

/* What a thread holds, and what it was when it came by it: a block that was freed too early would be another object's. */
struct hand {
    struct hot *held[HELD];
    uint32_t id[HELD];
};

static void hold(struct hand *hand, struct rng *rng, struct hot *h)
{
    uint32_t place = rng_below(rng, HELD);
    if (hand->held[place])
        expect(intact(hand->held[place]) && hand->held[place]->id == hand->id[place]);
    ouro_release(hand->held[place]);
    hand->held[place] = h;
    if (!h)
        return;
    expect(intact(h));
    hand->id[place] = h->id;
}

static void hammer(struct hot *h, struct rng *rng)
{
    for (uint32_t n = 1 + rng_below(rng, 200); n; n--) {
        ouro_retain(h);
        if (n % 16 == 0)
            expect(intact(h));
        ouro_release(h);
    }
}

/* Many references at once: more than the credit of a thread. */
static void pile_up(struct hot *h, struct rng *rng)
{
    uint32_t n = rng_below(rng, 10000);
    for (uint32_t i = 0; i < n; i++)
        ouro_retain(h);
    expect(intact(h));
    for (uint32_t i = 0; i < n; i++)
        ouro_release(h);
}

static void park(void)
{
    struct timespec moment = {0, 20000};
    ouro_blocking_begin();
    nanosleep(&moment, NULL);
    ouro_blocking_end();
}

static void step(struct hand *hand, struct rng *rng)
{
    struct hot *h = hand->held[rng_below(rng, HELD)];
    switch (rng_below(rng, 16)) {
    case 0:
    case 1:
    case 2:
        hold(hand, rng, ouro_get(board, &board->at[rng_below(rng, HOT)]));
        break;
    case 3:
    case 4: {
        ouro_weak *weak = ouro_get(board, &board->weak[rng_below(rng, HOT)]);
        struct hot *got = ouro_weak_get(weak);
        ouro_release(weak);
        atomic_fetch_add_explicit(&upgraded, got != NULL, memory_order_relaxed);
        if (got)
            hold(hand, rng, got);
        break;
    }
    case 5:
    case 6:
        if (h)
            hold(hand, rng, ouro_retain(h));
        break;
    case 7:
    case 8:
    case 9:
        if (h)
            hammer(h, rng);
        break;
    case 10: /* to another thread, which may release what this one has retained */
        hold(hand, rng, atomic_exchange(&passed[rng_below(rng, 4)], ouro_retain(h)));
        break;
    case 11:
        if (h)
            ouro_set(board, &board->at[rng_below(rng, HOT)], h);
        break;
    case 12:
        hold(hand, rng, NULL);
        break;
    case 13:
        if (h && rng_one_in(rng, 64))
            pile_up(h, rng);
        else if (h && rng_one_in(rng, 32))
            ouro_share_widely(h);
        break;
    case 14:
        ouro_safepoint();
        if (!h)
            break;
        ouro_retain(h);
        expect(ouro_refcount(h) >= 2);
        ouro_release(h);
        break;
    default:
        if (rng_one_in(rng, 16))
            replace(rng);
        else if (rng_one_in(rng, 64))
            park();
    }
}

static uint64_t seed;

static void *live(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    struct hand hand = {0};
    preempt_join();
    for (int i = 0; i < STEPS; i++)
        step(&hand, &rng);
    preempt_leave();
    if (rng_one_in(&rng, 2))
        ouro_thread_detach(); /* what it still has is dropped without a slot, and without credit */
    for (int i = 0; i < HELD; i++)
        ouro_release(hand.held[i]);
    return NULL;
}

static void *collect(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    preempt_join();
    while (!atomic_load(&over)) {
        struct timespec moment = {0, (long)rng_below(&rng, 3000000)};
        ouro_gc_collect(1 + (int)rng_below(&rng, 2));
        atomic_fetch_add(&collections, 1);
        ouro_blocking_begin();
        nanosleep(&moment, NULL);
        ouro_blocking_end();
    }
    preempt_leave();
    return NULL;
}

static void test_hot(void)
{
    struct rng rng = rng_stream(seed, 0);
    board = ouro_new(&board_type);
    REQUIRE(board);
    ouro_share(board);
    for (int i = 0; i < 4 * HOT; i++)
        replace(&rng);
    preempt_start(seed);
    pthread_t collecting = thread_start(collect, (void *)(uintptr_t)1, 0);
    ouro_blocking_begin();
    for (uintptr_t generation = 0; generation < LIVES; generation++) {
        pthread_t threads[THREADS];
        for (uintptr_t i = 0; i < THREADS; i++)
            threads[i] = thread_start(live, (void *)(2 + generation * THREADS + i), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    atomic_store(&over, true);
    pthread_join(collecting, NULL);
    preempt_stop();
    ouro_blocking_end();
    for (int i = 0; i < 4; i++)
        ouro_release(atomic_exchange(&passed[i], NULL));
    ouro_release(board);
    ouro_gc_collect(2);
    ouro_gc_collect(2);
    long missing = 0;
    for (uint32_t id = 0; id < atomic_load(&ids); id++)
        missing += atomic_load(&finalizations[id]) != 1;
    CHECK_EQ(missing, 0);
    CHECK_EQ(atomic_load(&wrong), 0);
    CHECK_NE(atomic_load(&upgraded), 0);
    printf("       %u objects, %ld put up, %ld upgraded, %ld collections, %ld pauses\n", atomic_load(&ids), atomic_load(&replaced),
           atomic_load(&upgraded), atomic_load(&collections), preempt_pauses());
}

int main(void)
{
    check_start("hot_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_hot);
    return check_finish();
}
