/* SPDX-License-Identifier: MIT
 *
 * Thread slots: attaching, adopting, limits; parking and claiming; fork. The runtime is not involved. */
#include "sync/tslot.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port/atomic.h"
#include "support/check.h"
#include "support/child.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;
static unsigned made;       /* calls of create */
static bool out_of_memory;

static struct oi_tslot *create(uint32_t id)
{
    made++;
    struct oi_tslot *slot = out_of_memory ? NULL : calloc(1, sizeof *slot);
    if (slot)
        slot->id = id;
    return slot;
}

static struct oi_tslot *attach_limited(uint32_t limit, bool *full)
{
    *full = true;
    return oi_tslot_attach(create, limit, full);
}

static struct oi_tslot *attach(void)
{
    bool full;
    struct oi_tslot *slot = attach_limited(OI_TSLOT_MAX, &full);
    REQUIRE(slot);
    CHECK(!full);
    CHECK_EQ(oi_load_relaxed(&slot->state), OI_TSLOT_THREAD);
    return slot;
}

#define CHECK_STATE(slot, expected) CHECK_EQ(oi_load_relaxed(&(slot)->state), (expected))

/* Ids count from 1; a slot is found by its id, for good; nothing else is found. */
static void test_attach_and_find(void)
{
    CHECK_EQ(oi_tslot_count(), 0);
    CHECK_PTR(oi_tslot_find(1), NULL);
    struct oi_tslot *a = attach(), *b = attach();
    CHECK_EQ(a->id, 1);
    CHECK_EQ(b->id, 2);
    CHECK_EQ(oi_tslot_count(), 2);
    CHECK_PTR(oi_tslot_find(1), a);
    CHECK_PTR(oi_tslot_find(2), b);
    CHECK_PTR(oi_tslot_find(0), NULL);
    CHECK_PTR(oi_tslot_find(3), NULL);
    CHECK_PTR(oi_tslot_find(OI_TSLOT_MAX), NULL);
    CHECK_PTR(oi_tslot_find(OI_TSLOT_NONE), NULL);
    CHECK_PTR(oi_tslot_find(UINT32_MAX), NULL);
    oi_tslot_vacate(a);
    CHECK_STATE(a, OI_TSLOT_VACANT);
    CHECK_PTR(oi_tslot_find(1), a);
    oi_tslot_vacate(b);
}

/* A vacant slot is taken before a new one is made, with all that is in it. */
static void test_adopt(void)
{
    struct oi_tslot *a = attach(), *b = attach();
    struct oi_stack_node token, pending;
    unsigned before = made;
    oi_stack_push(&a->inbox, &token);
    a->pending = &pending;
    oi_tslot_vacate(a);
    struct oi_tslot *again = attach();
    CHECK_PTR(again, a);
    CHECK_EQ(made, before);
    CHECK_PTR(a->pending, &pending);
    CHECK_PTR(oi_stack_take_all(&a->inbox), &token);
    a->pending = NULL;
    CHECK_EQ(oi_tslot_count(), 2);
    oi_tslot_vacate(b);
    oi_tslot_vacate(a);
}

/* As many as the limit says, held by threads; slots that exist beyond it do not count, parked ones do. */
static void test_limit(void)
{
    bool full;
    struct oi_tslot *a = attach(), *b = attach();
    CHECK_PTR(attach_limited(2, &full), NULL);
    CHECK(full);
    oi_tslot_park(b);
    CHECK_PTR(attach_limited(2, &full), NULL);
    CHECK(full);
    oi_tslot_unpark(b);
    oi_tslot_vacate(b);
    CHECK_PTR(attach_limited(1, &full), NULL); /* a is held, b only exists */
    CHECK(full);
    CHECK_PTR(attach_limited(2, &full), b);
    CHECK(!full);
    CHECK_PTR(attach_limited(0, &full), NULL);
    CHECK(full);
    oi_tslot_vacate(a);
    oi_tslot_vacate(b);
}

/* No memory for another one: NULL, not full, and nothing has changed. */
static void test_attach_without_memory(void)
{
    bool full;
    struct oi_tslot *a = attach(), *b = attach();
    uint32_t count = oi_tslot_count();
    out_of_memory = true;
    CHECK_PTR(attach_limited(OI_TSLOT_MAX, &full), NULL);
    CHECK(!full);
    CHECK_EQ(oi_tslot_count(), count);
    oi_tslot_vacate(a);
    CHECK_PTR(attach_limited(OI_TSLOT_MAX, &full), a); /* needs none */
    out_of_memory = false;
    oi_tslot_vacate(a);
    oi_tslot_vacate(b);
}

/* Only parked and vacant slots can be claimed, by one at a time; letting go leads back to where it was. */
static void test_claim_states(void)
{
    struct oi_tslot *slot = attach();
    CHECK(!oi_tslot_claim(slot));
    CHECK_STATE(slot, OI_TSLOT_THREAD);
    oi_tslot_park(slot);
    CHECK_STATE(slot, OI_TSLOT_PARKED);
    CHECK(oi_tslot_claim(slot));
    CHECK_STATE(slot, OI_TSLOT_CLAIMED_PARKED);
    CHECK(!oi_tslot_claim(slot));
    oi_tslot_let_go(slot);
    CHECK_STATE(slot, OI_TSLOT_PARKED);
    CHECK(oi_tslot_claim(slot));
    oi_tslot_let_go(slot);
    oi_tslot_unpark(slot);
    CHECK_STATE(slot, OI_TSLOT_THREAD);
    CHECK(!oi_tslot_claim(slot));
    oi_tslot_vacate(slot);
    CHECK(oi_tslot_claim(slot));
    CHECK_STATE(slot, OI_TSLOT_CLAIMED_VACANT);
    CHECK(!oi_tslot_claim(slot));
    oi_tslot_let_go(slot);
    CHECK_STATE(slot, OI_TSLOT_VACANT);
    oi_store_relaxed(&slot->state, OI_TSLOT_RETIRED);
    CHECK(!oi_tslot_claim(slot));
    CHECK_STATE(slot, OI_TSLOT_RETIRED);
    oi_store_relaxed(&slot->state, OI_TSLOT_VACANT);
}

static uint32_t is_back; /* atomic */

static void *unpark(void *slot)
{
    oi_tslot_unpark(slot);
    CHECK_STATE((struct oi_tslot *)slot, OI_TSLOT_THREAD);
    oi_store_relaxed(&is_back, 1);
    return NULL;
}

static bool is_wanted(void *slot)
{
    return oi_load_relaxed(&((struct oi_tslot *)slot)->state) & OI_TSLOT_WANTED;
}

/* The owner comes back while its slot is claimed: it waits, and who lets go hands the slot over. Nobody can come
 * between. */
static void test_handover(void)
{
    struct oi_tslot *slot = attach();
    oi_tslot_park(slot);
    CHECK(oi_tslot_claim(slot));
    pthread_t owner = thread_start(unpark, slot, 0);
    CHECK(wait_until(is_wanted, slot));
    CHECK_STATE(slot, OI_TSLOT_CLAIMED_PARKED | OI_TSLOT_WANTED);
    CHECK(!oi_tslot_claim(slot));
    CHECK_EQ(oi_load_relaxed(&is_back), 0); /* it waits */
    oi_tslot_let_go(slot);
    CHECK_STATE(slot, OI_TSLOT_THREAD);
    CHECK(!oi_tslot_claim(slot));
    thread_join_running(owner);
    CHECK_EQ(oi_load_relaxed(&is_back), 1);
    CHECK_STATE(slot, OI_TSLOT_THREAD);
    oi_tslot_vacate(slot);
}

/* WANTED for an instant on a parked slot that nobody has claimed: no claim either. */
static void test_wanted_keeps_claims_off(void)
{
    struct oi_tslot *slot = attach();
    oi_store_relaxed(&slot->state, OI_TSLOT_PARKED | OI_TSLOT_WANTED);
    CHECK(!oi_tslot_claim(slot));
    CHECK_STATE(slot, OI_TSLOT_PARKED | OI_TSLOT_WANTED);
    oi_store_relaxed(&slot->state, OI_TSLOT_THREAD);
    oi_tslot_vacate(slot);
}

static void *attach_elsewhere(void *out)
{
    *(struct oi_tslot **)out = attach();
    return NULL;
}

/* Attaching while the only vacant slot is claimed and no other can be made: waits for it. */
static void test_attach_waits_for_claim(void)
{
    struct oi_tslot *slot = attach(), *others[8] = {0}, *got = NULL;
    unsigned n = 0;
    while (oi_tslot_count() > n + 1)
        others[n++] = attach(); /* hold every other slot there is */
    oi_tslot_vacate(slot);
    CHECK(oi_tslot_claim(slot));
    out_of_memory = true;
    pthread_t thread = thread_start(attach_elsewhere, &got, 0);
    nanosleep(&(struct timespec){0, 20 * 1000000}, NULL);
    CHECK_STATE(slot, OI_TSLOT_CLAIMED_VACANT);
    oi_tslot_let_go(slot);
    thread_join_running(thread);
    CHECK_PTR(got, slot);
    out_of_memory = false;
    oi_tslot_vacate(got);
    while (n)
        oi_tslot_vacate(others[--n]);
}

/* ---- in turn ---- */

static void *claim_in_turn(void *slot)
{
    CHECK(oi_tslot_claim_in_turn(slot));
    oi_store_relaxed(&is_back, 1);
    oi_tslot_let_go(slot);
    return NULL;
}

/* Who has a duty waits for another's claim, but neither for a thread that runs nor for one that wants its slot back. */
static void test_claim_in_turn(void)
{
    for (int vacant = 0; vacant < 2; vacant++) {
        struct oi_tslot *slot = attach();
        CHECK(!oi_tslot_claim_in_turn(slot));
        CHECK_STATE(slot, OI_TSLOT_THREAD);
        if (vacant)
            oi_tslot_vacate(slot);
        else
            oi_tslot_park(slot);
        CHECK(oi_tslot_claim_in_turn(slot));
        oi_store_relaxed(&is_back, 0);
        pthread_t thread = thread_start(claim_in_turn, slot, 0);
        nanosleep(&(struct timespec){0, 20 * 1000000}, NULL);
        CHECK_EQ(oi_load_relaxed(&is_back), 0);
        oi_tslot_let_go(slot);
        thread_join_running(thread);
        CHECK_EQ(oi_load_relaxed(&is_back), 1);
        CHECK_STATE(slot, vacant ? OI_TSLOT_VACANT : OI_TSLOT_PARKED);
        if (!vacant) {
            CHECK(oi_tslot_claim(slot));
            oi_store_relaxed(&slot->state, OI_TSLOT_CLAIMED_PARKED | OI_TSLOT_WANTED);
            CHECK(!oi_tslot_claim_in_turn(slot));
            oi_tslot_let_go(slot);
            CHECK_STATE(slot, OI_TSLOT_THREAD);
            oi_tslot_vacate(slot);
        }
    }
}

/* ---- one holder at a time ---- */

enum { ROUNDS = 10000 };
static struct {
    struct oi_tslot *slot;
    uint32_t holders;  /* atomic; 0 or 1 */
    uint32_t claims;   /* atomic */
    uint32_t gone;     /* atomic */
    uint32_t over;     /* atomic */
    long plain;        /* the holder's: holders follow each other (S2), so that sanitizers see no race */
} fight;

static void be_holder(void)
{
    REQUIRE(oi_fetch_add_relaxed(&fight.holders, 1) == 0);
    fight.plain++;
    oi_fetch_sub_relaxed(&fight.holders, 1);
}

static void claim_often(bool turn)
{
    while (!oi_load_relaxed(&fight.over)) {
        if (turn ? !oi_tslot_claim_in_turn(fight.slot) : !oi_tslot_claim(fight.slot)) {
            sched_yield();
            continue;
        }
        be_holder();
        oi_fetch_add_relaxed(&fight.claims, 1);
        oi_tslot_let_go(fight.slot);
    }
}

static void park_often(struct member *self)
{
    long i = 0;
    for (; i < SCALED(ROUNDS) || (!oi_load_relaxed(&fight.claims) && i < 50 * ROUNDS); i++) {
        be_holder();
        oi_tslot_park(fight.slot);
        yield_sometimes(&self->rng);
        oi_tslot_unpark(fight.slot);
    }
    be_holder();
    oi_store_relaxed(&fight.over, 1);
}

static void park_or_claim(struct member *self)
{
    if (self->index == 0)
        park_often(self);
    else
        claim_often(self->index == 2);
}

/* One thread parks and comes back, two claim: never two holders (S1), and never a stuck one (S4). */
static void test_claim_against_unpark(void)
{
    memset(&fight, 0, sizeof fight);
    fight.slot = attach();
    team_run(3, seed, park_or_claim, NULL);
    CHECK_STATE(fight.slot, OI_TSLOT_THREAD);
    CHECK_GT(fight.claims, 0);
    CHECK_GT(fight.plain, fight.claims);
    oi_tslot_vacate(fight.slot);
}

static void come_and_go(struct member *self)
{
    for (int i = 0; i < SCALED(10000); i++) {
        struct oi_tslot *slot = attach();
        if (slot == fight.slot)
            be_holder();
        yield_sometimes(&self->rng);
        oi_tslot_vacate(slot);
    }
    if (oi_fetch_add_relaxed(&fight.gone, 1) == 1) /* the second of two */
        oi_store_relaxed(&fight.over, 1);
}

static void attach_or_claim(struct member *self)
{
    if (self->index == 0)
        claim_often(false);
    else
        come_and_go(self);
}

/* Two threads attach and exit, one claims what is vacant. */
static void test_claim_against_attach(void)
{
    memset(&fight, 0, sizeof fight);
    fight.slot = oi_tslot_find(1);
    team_run(3, seed + 1, attach_or_claim, NULL);
    CHECK_STATE(fight.slot, OI_TSLOT_VACANT);
    CHECK_LE(oi_tslot_count(), 4); /* what was vacant was used again */
}

/* ---- fork ---- */

static void after_fork_in_child(void *unused)
{
    (void)unused;
    bool full;
    struct oi_tslot *mine = oi_tslot_find(1), *held = oi_tslot_find(2), *vacant = oi_tslot_find(3);
    uint32_t state = oi_load_relaxed(&mine->state);
    oi_tslot_before_fork();
    oi_tslot_after_fork_child(mine);
    CHECK_STATE(mine, state);
    CHECK_STATE(held, OI_TSLOT_RETIRED);
    CHECK_STATE(vacant, OI_TSLOT_VACANT);
    CHECK(!oi_tslot_claim(held));
    CHECK(!oi_tslot_claim_in_turn(held));
    CHECK_PTR(attach_limited(1, &full), NULL); /* mine is held */
    CHECK(full);
    CHECK_PTR(attach_limited(2, &full), vacant); /* the vanished thread's slot no longer counts */
    struct oi_tslot *fresh = attach();           /* nor is it given out again */
    CHECK(fresh != held && fresh != mine && fresh != vacant);
}

static void after_fork_without_slot(void *unused)
{
    bool full;
    (void)unused;
    oi_tslot_before_fork();
    oi_tslot_after_fork_child(NULL);
    CHECK_STATE(oi_tslot_find(1), OI_TSLOT_RETIRED);
    CHECK_STATE(oi_tslot_find(2), OI_TSLOT_RETIRED);
    CHECK_PTR(attach_limited(1, &full), oi_tslot_find(3));
}

/* In the child, what others held or had claimed is retired; the parent goes on as before. */
static void test_fork(void)
{
    struct oi_tslot *slots[3];
    for (int i = 0; i < 3; i++)
        slots[i] = attach();
    CHECK_PTR(slots[0], oi_tslot_find(1));
    oi_tslot_vacate(slots[2]);
    CHECK_EQ(child_run(after_fork_in_child, NULL), 0);
    oi_tslot_park(slots[1]);
    CHECK_EQ(child_run(after_fork_in_child, NULL), 0);
    CHECK(oi_tslot_claim(slots[1])); /* by a thread that will not exist in the child */
    CHECK_EQ(child_run(after_fork_in_child, NULL), 0);
    CHECK_EQ(child_run(after_fork_without_slot, NULL), 0);
    oi_tslot_let_go(slots[1]);
    oi_tslot_before_fork();
    oi_tslot_after_fork_parent();
    CHECK_STATE(slots[0], OI_TSLOT_THREAD);
    CHECK_STATE(slots[1], OI_TSLOT_PARKED);
    oi_tslot_unpark(slots[1]);
    oi_tslot_vacate(slots[0]);
    oi_tslot_vacate(slots[1]);
}

/* Every id there is, and no more. In a child, for slots are for ever. */
static void fill_table(void *unused)
{
    (void)unused;
    bool full = false;
    uint32_t n = oi_tslot_count();
    for (uint32_t id = 1; id <= n; id++)
        attach();
    while (oi_tslot_attach(create, UINT32_MAX, &full))
        n++;
    CHECK(full);
    CHECK_EQ(n, OI_TSLOT_MAX);
    CHECK_EQ(oi_tslot_count(), OI_TSLOT_MAX);
    for (uint32_t id = 1; id <= OI_TSLOT_MAX; id++)
        CHECK(oi_tslot_find(id) && oi_tslot_find(id)->id == id);
    CHECK_PTR(oi_tslot_find(OI_TSLOT_NONE), NULL);
    oi_tslot_vacate(oi_tslot_find(12345));
    CHECK_PTR(oi_tslot_attach(create, UINT32_MAX, &full), oi_tslot_find(12345));
}

static void test_full_table(void)
{
    if (TEST_SLOWDOWN > 1)
        return; /* 32766 * 32766 / 2 steps */
    CHECK_EQ(child_run(fill_table, NULL), 0);
}

int main(void)
{
    check_start("tslot_test");
    seed = rng_seed();
    CHECK_RUN(test_attach_and_find);
    CHECK_RUN(test_adopt);
    CHECK_RUN(test_limit);
    CHECK_RUN(test_attach_without_memory);
    CHECK_RUN(test_claim_states);
    CHECK_RUN(test_handover);
    CHECK_RUN(test_wanted_keeps_claims_off);
    CHECK_RUN(test_attach_waits_for_claim);
    CHECK_RUN(test_claim_in_turn);
    CHECK_RUN(test_claim_against_unpark);
    CHECK_RUN(test_claim_against_attach);
    CHECK_RUN(test_fork);
    CHECK_RUN(test_full_table);
    return check_finish();
}
