/* SPDX-License-Identifier: MIT
 *
 * References that another thread dropped, on their way to the owner's slot: queued, carried out by the owner, by a
 * claimer, or forced. */
#include "object/inbox.h"

#include <pthread.h>
#include <string.h>

#include <ouro/ouro.h>

#include "object/count.h"
#include "object/destroy.h"
#include "object/handover.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

static void elsewhere(void *(*fn)(void *), void *arg)
{
    thread_join_running(thread_start(fn, arg, 0));
}

static void *release_it(void *object)
{
    ouro_release(object);
    return NULL;
}

static struct oi_tslot *my_slot(void)
{
    return &oi_act.self->tslot;
}

static size_t tokens_in(const struct oi_tslot *slot)
{
    size_t n = 0;
    for (struct oi_stack_node *node = slot->inbox.head; node; node = node->next)
        n++;
    return n;
}

static struct node *shared_new(long id)
{
    struct node *o = node_new(id);
    ouro_share(o);
    return o;
}

/* The owner runs: what is dropped elsewhere is queued, the object lives and is not written; the next safepoint drops
 * it. */
static void test_queued_while_owner_runs(void)
{
    struct node *o = shared_new(1);
    ouro_object before;
    memcpy(&before, o, sizeof before);
    elsewhere(release_it, o);
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(tokens_in(my_slot()), 1);
    CHECK(!memcmp(&before, o, sizeof before));
    CHECK_EQ(ouro_refcount(o), 1); /* the token is a reference */
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(tokens_in(my_slot()), 0);
    CHECK_PTR(my_slot()->pending, NULL);
}

/* A token that is not the last reference ends the bias: the next drop need not be queued. */
static void test_token_ends_bias(void)
{
    struct node *o = shared_new(1);
    ouro_retain(o);
    elsewhere(release_it, o);
    CHECK_EQ(oi_owner(&o->object), oi_my_id());
    CHECK_EQ(oi_local(&o->object), 1);
    ouro_safepoint();
    CHECK_EQ(oi_owner(&o->object), 0);
    CHECK_EQ(oi_shared(&o->object), OI_ONE | OI_MERGED);
    CHECK_EQ(finalized(), 0);
    elsewhere(release_it, o);
    CHECK_EQ(tokens_in(my_slot()), 0);
    CHECK_EQ(finalized(), 1);
}

/* Several tokens of one object: the first ends the bias, the others are ordinary drops. */
static void test_tokens_set_aside(void)
{
    struct node *o = shared_new(1);
    for (int i = 0; i < 4; i++)
        ouro_retain(o);
    for (int i = 0; i < 4; i++)
        elsewhere(release_it, o);
    CHECK_EQ(tokens_in(my_slot()), 4);
    ouro_safepoint();
    CHECK_EQ(oi_shared(&o->object), OI_ONE | OI_MERGED);
    CHECK_EQ(finalized(), 0);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
}

/* As long as other threads' references are counted in `shared`, drops go there. */
static void *retain_and_release(void *object)
{
    ouro_retain(object);
    ouro_retain(object);
    ouro_release(object);
    ouro_release(object); /* back to zero */
    ouro_release(object); /* the one that was handed over: a token */
    return NULL;
}

static void test_shared_first(void)
{
    struct node *o = shared_new(1);
    elsewhere(retain_and_release, o);
    CHECK_EQ(tokens_in(my_slot()), 1);
    CHECK_EQ(oi_shared(&o->object), 0);
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
}

/* Allocation looks into the inbox by itself, when it is slow. */
static void test_allocation_is_a_safepoint(void)
{
    struct node *o = shared_new(1);
    elsewhere(release_it, o);
    for (int i = 0; i < 100000 && !finalized(); i++)
        ouro_release(ouro_new_array(&bytes_type, 70000));
    CHECK_EQ(finalized(), 1);
}

/* A thread that drops many references looks now and then. */
static void test_releases_are_safepoints(void)
{
    struct node *o = shared_new(1), *other = shared_new(2);
    ouro_retain(other);
    CHECK(!oi_unbias(&other->object, 1, "test"));
    elsewhere(release_it, o);
    for (int i = 0; i < 64; i++)
        ouro_retain(other);
    for (int i = 0; i < 64; i++)
        ouro_release(other);
    CHECK_EQ(finalized(), 1);
    ouro_release(other);
}

static long finalized_elsewhere;

static void *release_and_note(void *object)
{
    ouro_release(object);
    finalized_elsewhere = finalized();
    return NULL;
}

static void check_safepoint(struct node *last)
{
    long before = finalized();
    elsewhere(release_it, shared_new(1));
    CHECK_EQ(tokens_in(my_slot()), 1);
    ouro_release(last);
    CHECK_EQ(finalized(), before + 1);
}

/* A thread that only makes objects and drops them has no other occasion; each of the ways in which one ends is one. */
static void test_last_releases_are_safepoints(void)
{
    struct node *bare = plain_new(0), *tree = plain_new(1), *full = plain_new(2), *more = NULL;
    ouro_give(tree, &tree->a, plain_new(3));
    oi_act.self->due = true;
    ouro_release(plain_new(5));
    CHECK(!oi_act.self->due);
    check_safepoint(bare);
    check_safepoint(tree);
    while (oi_page_of(full)->state != OI_PAGE_FULL) {
        struct node *n = plain_new(4);
        ouro_give(n, &n->a, more);
        more = n;
    }
    check_safepoint(full);
    ouro_release(more);
}

/* The owner is parked: who drops the last reference claims the slot, and destroys, without the owner. */
static void test_claimed_when_parked(void)
{
    struct node *o = shared_new(1);
    ouro_blocking_begin();
    elsewhere(release_and_note, o);
    CHECK_EQ(finalized_elsewhere, 1);
    CHECK_EQ(oi_load_relaxed(&oi_act.home->tslot.state), OI_TSLOT_PARKED); /* let go */
    ouro_blocking_end();
    CHECK_EQ(finalized(), 1);
}

static void *make_shared(void *out)
{
    *(struct node **)out = shared_new(1);
    return NULL;
}

/* The owner is gone: likewise. */
static void test_claimed_when_vacant(void)
{
    struct node *o = NULL;
    elsewhere(make_shared, &o);
    struct oi_tslot *slot = oi_tslot_find(oi_owner(&o->object));
    REQUIRE(slot);
    CHECK_EQ(oi_load_relaxed(&slot->state), OI_TSLOT_VACANT);
    ouro_retain(o);
    CHECK_EQ(oi_shared(&o->object), OI_ONE);
    ouro_release(o);
    CHECK_EQ(oi_shared(&o->object), 0);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(oi_load_relaxed(&slot->state), OI_TSLOT_VACANT);
}

/* What was queued while the owner ran is carried out when it parks, and when it exits. */
static void test_drained_at_parking(void)
{
    struct node *o = shared_new(1);
    elsewhere(release_it, o);
    ouro_blocking_begin();
    CHECK_EQ(finalized(), 1);
    ouro_blocking_end();
    o = shared_new(2);
    elsewhere(release_it, o);
    ouro_thread_detach();
    CHECK_EQ(finalized(), 2);
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
}

enum { MANY = 1000 }; /* several batches of a claimer */
static struct node *many[MANY];

static void *push_tokens(void *slot)
{
    struct oi_act *act = &oi_act;
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    for (int i = 0; i < MANY; i++) {
        struct oi_token *token = oi_token_new(act, &many[i]->object);
        REQUIRE(token);
        oi_stack_push(&((struct oi_tslot *)slot)->inbox, &token->node);
    }
    CHECK_EQ(finalized(), 0);
    oi_inbox_recheck(act, slot);
    CHECK_EQ(finalized(), MANY);
    return NULL;
}

/* More than one batch in a parked thread's inbox: the claimer goes on until nothing is left. */
static void test_claimer_leaves_nothing(void)
{
    for (int i = 0; i < MANY; i++)
        many[i] = shared_new(i);
    ouro_blocking_begin();
    elsewhere(push_tokens, &oi_act.home->tslot);
    CHECK_PTR(oi_act.home->tslot.inbox.head, NULL);
    CHECK_PTR(oi_act.home->tslot.pending, NULL);
    ouro_blocking_end();
}

/* A token goes back to the page it came from, whoever frees it. */
static void *free_token(void *token)
{
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    CHECK_PTR(oi_token_free(&oi_act, token), (ouro_object *)many[0]);
    return NULL;
}

static void test_tokens(void)
{
    struct oi_act *act = &oi_act;
    many[0] = node_new(1);
    struct oi_token *mine = oi_token_new(act, &many[0]->object), *other = oi_token_new(act, &many[0]->object);
    REQUIRE(mine && other);
    struct oi_page *page = oi_page_of(mine);
    CHECK_EQ(page->kind, OI_PAGE_RAW);
    CHECK_PTR(page->pool, &act->self->pool);
    uint32_t used = page->used;
    CHECK_PTR(oi_token_free(act, mine), &many[0]->object);
    CHECK_EQ(page->used, used - 1);
    elsewhere(free_token, other);
    CHECK_EQ(OI_CHAIN_COUNT(page->remote), 1);
    oi_pool_collect(&act->self->pool);
    CHECK_EQ(ouro_refcount(many[0]), 1);
    ouro_release(many[0]);
}

static void *release_while_parked(void *object)
{
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    ouro_blocking_begin();
    ouro_release(object);
    CHECK(oi_act.home && !oi_holds_slot(&oi_act));
    ouro_blocking_end();
    return NULL;
}

static void *release_without_slot(void *object)
{
    ouro_release(object);
    CHECK(!oi_act.home && !oi_holds_slot(&oi_act));
    return NULL;
}

/* A thread that is parked itself, or has no slot at all, queues its token and stays as it is. */
static void test_pusher_without_slot(void)
{
    for (int parked = 0; parked < 2; parked++) {
        struct node *o = shared_new(1);
        elsewhere(parked ? release_while_parked : release_without_slot, o);
        CHECK_EQ(tokens_in(my_slot()), 1);
        CHECK_EQ(finalized(), parked);
        ouro_safepoint();
        CHECK_EQ(finalized(), parked + 1);
    }
}

/* ---- no memory for a token ---- */

static void *release_without_memory(void *object)
{
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    oi_page_set_limits(0, 1);
    ouro_release(object);
    oi_page_set_limits(0, 0);
    return NULL;
}

/* The last resort: `shared` goes below zero, the sum stays right, and the owner is told to look. */
static void test_forced(void)
{
    struct node *o = shared_new(1);
    for (int i = 0; i < 3; i++)
        ouro_retain(o);
    elsewhere(release_without_memory, o);
    CHECK_EQ(tokens_in(my_slot()), 0);
    CHECK_EQ(oi_count(oi_shared(&o->object)), -1);
    CHECK_EQ(oi_load_relaxed(&my_slot()->forced), 1);
    CHECK_EQ(ouro_refcount(o), 3);
    ouro_safepoint();
    CHECK_EQ(oi_load_relaxed(&my_slot()->forced), 0);
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(ouro_refcount(o), 3);
    CHECK(oi_shared(&o->object) & OI_MERGED); /* so that whoever drops the last one notices */
    for (int i = 0; i < 3; i++)
        ouro_release(o);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(misuse_count(), 0);
}

/* All of them by force, or all but one, which the owner drops itself: nobody notices before the owner looks. */
static void test_forced_last(void)
{
    struct node *o = shared_new(1), *mixed = shared_new(2);
    ouro_retain(o);
    for (int i = 0; i < 2; i++)
        elsewhere(release_without_memory, o);
    ouro_retain(mixed);
    elsewhere(release_without_memory, mixed);
    ouro_release(mixed);
    CHECK_EQ(ouro_refcount(o), 0);
    CHECK_EQ(ouro_refcount(mixed), 0);
    CHECK_EQ(finalized(), 0);
    ouro_safepoint();
    CHECK_EQ(finalized(), 2);
}

/* What a collection has marked is left to it, and looked at again. */
static void test_forced_and_marked(void)
{
    struct node *o = shared_new(1);
    elsewhere(release_without_memory, o);
    oi_fetch_or_acqrel(&o->object.ouro_private_owner, OI_CAND);
    ouro_safepoint();
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(oi_load_relaxed(&my_slot()->forced), 1);
    oi_fetch_and_acqrel(&o->object.ouro_private_owner, 0x7fff);
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(oi_load_relaxed(&my_slot()->forced), 0);
}

/* Forced drops of many objects at once, among objects that are still in use. */
static void test_forced_many(void)
{
    enum { N = 500 };
    struct node *objects[N];
    for (int i = 0; i < N; i++)
        objects[i] = shared_new(i);
    for (int i = 0; i < N; i += 50)
        elsewhere(release_without_memory, objects[i]);
    CHECK_EQ(finalized(), 0);
    ouro_safepoint();
    CHECK_EQ(finalized(), N / 50);
    for (int i = 0; i < N; i++) {
        if (i % 50)
            ouro_release(objects[i]);
    }
    CHECK_EQ(finalized(), N);
}

static void *force_then_token(void *object)
{
    release_without_memory(object);
    ouro_release(object);
    return NULL;
}

/* A forced drop and then a token: the token's unbias accounts for both. */
static void test_forced_then_token(void)
{
    struct node *o = shared_new(1);
    ouro_retain(o);
    elsewhere(force_then_token, o);
    CHECK_EQ(tokens_in(my_slot()), 1);
    CHECK_EQ(ouro_refcount(o), 1);
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(misuse_count(), 0);
}

/* ---- a vanished owner ---- */

static struct step step;

static void *hold_while_forking(void *out)
{
    *(struct node **)out = shared_new(1);
    step_set(&step, 1);
    CHECK(step_wait(&step, 2));
    ouro_release(*(struct node **)out);
    return NULL;
}

static void release_in_child(void *object)
{
    struct node *o = object;
    ouro_object before;
    memcpy(&before, o, sizeof before);
    ouro_release(o); /* its owner does not exist here: nothing can account for it */
    CHECK(!memcmp(&before, o, sizeof before));
    CHECK_EQ(finalized(), 0);
    struct node *mine = shared_new(2);
    ouro_release(mine);
    CHECK_EQ(finalized(), 1);
}

static void test_retired(void)
{
    struct node *o = NULL;
    step_set(&step, 0);
    pthread_t thread = thread_start(hold_while_forking, &o, 0);
    CHECK(step_wait(&step, 1));
    CHECK_EQ(child_run(release_in_child, o), 0);
    step_set(&step, 2);
    thread_join_parked(thread);
    CHECK_EQ(finalized(), 1);
}

/* ---- raced ---- */

enum { OBJECTS = 64, ROUNDS = 300 };
static struct node *raced[OBJECTS];

static void drop_all(struct member *self)
{
    for (uint32_t i = 0; i < OBJECTS; i++)
        ouro_release(raced[(i + self->index * 17) % OBJECTS]);
    yield_sometimes(&self->rng);
}

/* Three threads drop references of each object while the owner, a fourth, parks: every object dies exactly once. */
static void test_race(void)
{
    for (int round = 0; round < SCALED(ROUNDS); round++) {
        for (int i = 0; i < OBJECTS; i++) {
            raced[i] = shared_new(i);
            ouro_retain(raced[i]);
            ouro_retain(raced[i]);
        }
        team_run(3, seed + (uint64_t)round, drop_all, NULL);
        ouro_safepoint();
        CHECK_EQ(finalized(), (round + 1) * OBJECTS);
    }
}

int main(void)
{
    check_start("inbox_test");
    seed = rng_seed();
    fixture_start();
    oi_handed_over_from = INT16_MAX; /* all objects have a bias, whatever becomes of them */
    FIXTURE_RUN(test_queued_while_owner_runs);
    FIXTURE_RUN(test_token_ends_bias);
    FIXTURE_RUN(test_tokens_set_aside);
    FIXTURE_RUN(test_shared_first);
    FIXTURE_RUN(test_allocation_is_a_safepoint);
    FIXTURE_RUN(test_releases_are_safepoints);
    FIXTURE_RUN(test_last_releases_are_safepoints);
    FIXTURE_RUN(test_claimed_when_parked);
    FIXTURE_RUN(test_claimed_when_vacant);
    FIXTURE_RUN(test_drained_at_parking);
    FIXTURE_RUN(test_claimer_leaves_nothing);
    FIXTURE_RUN(test_tokens);
    FIXTURE_RUN(test_pusher_without_slot);
    FIXTURE_RUN(test_forced);
    FIXTURE_RUN(test_forced_last);
    FIXTURE_RUN(test_forced_and_marked);
    FIXTURE_RUN(test_forced_many);
    FIXTURE_RUN(test_forced_then_token);
    FIXTURE_RUN(test_retired);
    FIXTURE_RUN(test_race);
    return check_finish();
}
