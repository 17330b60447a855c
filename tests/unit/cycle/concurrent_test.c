/* SPDX-License-Identifier: MIT
 *
 * A concurrent collection as a whole: what it says it has done; that it needs no memory; how often it tries; and the
 * interleavings with one other thread for which it waits or looks twice. */
#include "cycle/concurrent.h"
#include "cycle/debug.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "object/inbox.h"
#include "object/weak.h"
#include "runtime/runtime.h"
#include "support/actor.h"
#include "support/collection.h"
#include "support/fault.h"
#include "support/fixture.h"
#include "support/threads.h"

static struct node *shared_new(ouro_type *type, long id)
{
    struct node *n = ouro_new(type);
    REQUIRE(n);
    n->id = id;
    ouro_share(n);
    return n;
}

static struct node *drop_ring(ouro_type *type, long length)
{
    struct node *first = shared_new(type, 0), *last = ouro_retain(first);
    for (long i = 1; i < length; i++) {
        struct node *n = shared_new(type, i);
        ouro_set(last, &last->a, n);
        ouro_release(last);
        last = n;
    }
    ouro_set(last, &last->a, first);
    ouro_release(last);
    ouro_release(first);
    return first;
}

/* One collection, without what the runtime adds; what falls due is left in the job. */
static struct oi_concurrent collect(int generation)
{
    struct oi_concurrent job = {.generation = generation};
    ouro_blocking_begin();
    struct oi_act before = oi_act;
    oi_concurrent_collect(&oi_act, &job);
    CHECK(memcmp(&before, &oi_act, sizeof before) == 0);
    ouro_blocking_end();
    CHECK_EQ(oi_load_relaxed(&oi_verdict), OI_VERDICT_IDLE);
    return job;
}

static void run_due(struct oi_concurrent *job)
{
    oi_finalizer_queue(job);
    ouro_blocking_begin();
    oi_finalizer_wait();
    ouro_blocking_end();
}

static size_t length_of(const struct oi_stack_node *tokens)
{
    size_t n = 0;
    for (; tokens; tokens = tokens->next)
        n++;
    return n;
}

/* ---- results ---- */

static void test_nothing(void)
{
    struct node *live = shared_new(&plain_type, 1);
    for (int generation = 2; generation > 0; generation--) {
        struct oi_concurrent job = collect(generation);
        CHECK_EQ(job.candidates, generation == 2);
        CHECK_EQ(job.suspects, 0);
        CHECK_EQ(job.found, 0);
        CHECK_EQ(job.freed, 0);
        CHECK(!job.due && !job.dead && !job.callbacks && !job.saved);
    }
    ouro_release(live);
}

static int called;

static void count_call(ouro_weak *weak, void *arg)
{
    (void)weak, (void)arg;
    called++;
}

/* Garbage of every kind at once, beside what lives. */
static void test_results(void)
{
    enum { LIVE = 4, PLAIN = 20, DUE = 5, WATCHED = 3 };
    struct node *live = shared_new(&plain_type, 0), *watched;
    for (int i = 1; i < LIVE; i++) {
        struct node *n = shared_new(&node_type, i);
        ouro_give(n, &n->b, ouro_take(live, &live->b));
        ouro_give(live, &live->b, n);
    }
    ouro_set(live, &live->a, live);
    struct node *plain = drop_ring(&plain_type, PLAIN), *due = drop_ring(&node_type, DUE);
    struct leaf *leaf = leaf_new(1); /* hangs on garbage: its finalizer is due as well */
    ouro_give(plain, &plain->b, leaf);
    ouro_give(due, &due->b, shared_new(&plain_type, 7)); /* stays for the finalizers */
    watched = drop_ring(&plain_type, WATCHED);
    struct table *hold = table_new(1);
    ouro_share(hold);
    ouro_set(hold, &hold->items[0], watched);
    ouro_weak *weak = ouro_weak_new(watched, count_call, NULL);
    ouro_share(weak);
    ouro_release(hold);
    enum { GARBAGE = PLAIN + DUE + 1 + WATCHED };
    struct oi_concurrent job = collect(2);
    CHECK_EQ(job.candidates, LIVE + GARBAGE);
    CHECK_EQ(job.suspects, GARBAGE);
    CHECK_EQ(job.found, GARBAGE);
    CHECK_EQ(job.freed, PLAIN + WATCHED);
    CHECK_EQ(length_of(job.due), DUE);
    CHECK_PTR(job.dead, &leaf->object);
    CHECK_PTR(job.callbacks, weak);
    CHECK(job.callbacks && !job.callbacks->next_due);
    CHECK(!job.saved);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(called, 0);
    run_due(&job);
    CHECK_EQ(finalized(), DUE + 1);
    CHECK_EQ(called, 1);
    job = collect(1); /* the pages of what was finalized are looked at again */
    CHECK_EQ(job.found, DUE + 1);
    CHECK_EQ(job.freed, DUE + 1);
    CHECK(!job.due && !job.dead && !job.callbacks);
    job = collect(2);
    CHECK_EQ(job.candidates, LIVE);
    CHECK_EQ(job.suspects, 0);
    ouro_release(weak);
    ouro_set(live, &live->a, NULL);
    ouro_release(live);
}

static void test_save_all(void)
{
    enum { LENGTH = 10 };
    drop_ring(&node_type, LENGTH);
    oi_store_relaxed(&oi_debug_save_all, true);
    struct oi_concurrent job = collect(2);
    oi_store_relaxed(&oi_debug_save_all, false);
    CHECK_EQ(job.found, LENGTH);
    CHECK_EQ(job.freed, 0);
    CHECK(!job.due);
    CHECK_EQ(length_of(job.saved), LENGTH);
    CHECK_EQ(finalized(), 0);
    while (job.saved) {
        struct oi_token *token = OI_CONTAINER_OF(job.saved, struct oi_token, node);
        job.saved = job.saved->next;
        struct node *n = (struct node *)oi_token_free(&oi_act, token);
        CHECK_LT(n->id, LENGTH);
        ouro_release(n);
    }
    CHECK_EQ(ouro_gc_collect(2), LENGTH);
    CHECK_EQ(finalized(), LENGTH);
}

/* ---- no memory ---- */

/* Not one request to the system succeeds: garbage goes all the same. Only finalizers have to wait. */
static void test_without_memory(void)
{
    enum { LENGTH = 20000, DUE = 100 };
    if (!fault_supported()) {
        printf("       skipped: not under this sanitizer\n");
        return;
    }
    CHECK_GE(ouro_gc_collect(2), 0); /* all threads run */
    size_t live = live_objects();
    for (int generation = 1; generation <= 2; generation++) {
        long before = finalized();
        struct node *watched = drop_ring(&plain_type, LENGTH);
        struct table *hold = table_new(1);
        ouro_share(hold);
        ouro_set(hold, &hold->items[0], watched);
        ouro_weak *weak = ouro_weak_new(watched, count_call, NULL);
        ouro_share(weak);
        ouro_release(hold);
        drop_ring(&node_type, DUE);
        called = 0;
        fault_arm(FAULT_FROM, 1);
        long found = ouro_gc_collect(generation);
        bool gone = !ouro_weak_get(weak);
        size_t left = live_objects_now();
        fault_disarm();
        CHECK_EQ(found, LENGTH + DUE);
        CHECK(gone);
        CHECK_EQ(called, 1);
        CHECK_EQ(left - live, 1 + DUE);
        CHECK_EQ(finalized() - before, 0);
        CHECK_EQ(ouro_gc_collect(generation), DUE);
        CHECK_EQ(finalized() - before, DUE);
        ouro_release(weak);
        CHECK_EQ(live_objects(), live);
    }
}

/* ---- the verdict ---- */

enum { WATCHED = 6, RESCUES = 3, UNWATCHED = 10 };

static struct {
    struct node *nodes[WATCHED], *held[WATCHED];
    ouro_weak *weaks[WATCHED];
    int opened;  /* verdicts seen open */
    bool open;   /* at the last step */
    int members; /* still to be looked at in this round */
} rescue;

/* Each time at the last moment, another one is followed. Members are looked at one step each; then comes the commitment. */
static void follow_one_more(int step)
{
    (void)step;
    bool open = oi_load_relaxed(&oi_verdict) == OI_VERDICT_OPEN;
    if (open && !rescue.open)
        rescue.members = WATCHED + UNWATCHED - rescue.opened++;
    rescue.open = open;
    if (!open || rescue.members-- > 0)
        return;
    if (rescue.opened <= WATCHED)
        rescue.held[rescue.opened - 1] = ouro_weak_get(rescue.weaks[rescue.opened - 1]);
    rescue.open = false;
}

static void test_rescued_too_often(void)
{
    if (!actor_supported())
        return;
    struct table *hold = table_new(WATCHED);
    for (int i = 0; i < WATCHED; i++) {
        rescue.nodes[i] = drop_ring(&plain_type, 1);
        ouro_set(hold, &hold->items[i], rescue.nodes[i]);
    }
    ouro_share(hold);
    for (int i = 0; i < WATCHED; i++) {
        rescue.weaks[i] = ouro_weak_new(rescue.nodes[i], NULL, NULL);
        ouro_share(rescue.weaks[i]);
    }
    ouro_release(hold);
    drop_ring(&plain_type, UNWATCHED);
    actor_collect_with(follow_one_more);
    struct oi_concurrent job = collect(2);
    actor_collect_with(NULL);
    CHECK_EQ(rescue.opened, RESCUES);
    CHECK_EQ(job.suspects, WATCHED + UNWATCHED);
    CHECK_EQ(job.found, UNWATCHED); /* weak references lead to the others: next time */
    CHECK_EQ(job.freed, UNWATCHED);
    for (int i = 0; i < WATCHED; i++) {
        struct node *n = ouro_weak_get(rescue.weaks[i]);
        CHECK_PTR(n, rescue.nodes[i]);
        CHECK(n && !is_marked(n));
        CHECK_EQ(n ? ouro_refcount(n) : 0, i < RESCUES ? 3 : 2);
        CHECK_PTR(rescue.held[i], i < RESCUES ? n : NULL);
        ouro_release(n);
        ouro_release(rescue.held[i]);
    }
    job = collect(2);
    CHECK_EQ(job.freed, WATCHED);
    for (int i = 0; i < WATCHED; i++) {
        CHECK_PTR(ouro_weak_get(rescue.weaks[i]), NULL);
        ouro_release(rescue.weaks[i]);
    }
}

/* Nothing of the set can be had any more, or all of it: never one member without the other. */
static struct {
    struct node *x, *y;
    ouro_weak *to_x, *to_y;
    bool looked_committed, looked_dead;
} both;

static void look_at_both(int step)
{
    uint32_t verdict = oi_load_relaxed(&oi_verdict);
    (void)step;
    if (verdict != OI_VERDICT_COMMITTED)
        return;
    bool dead = oi_is_dead(&both.x->object);
    CHECK_EQ(dead, oi_is_dead(&both.y->object));
    CHECK_PTR(ouro_weak_get(both.to_x), NULL);
    CHECK_PTR(ouro_weak_get(both.to_y), NULL);
    both.looked_dead = both.looked_dead || dead;
}

static void test_dead_as_a_whole(void)
{
    if (!actor_supported())
        return;
    struct node *ring = drop_ring(&plain_type, 2);
    struct table *hold = table_new(2);
    ouro_share(hold);
    both.x = ring;
    both.y = ouro_peek(&ring->a);
    ouro_set(hold, &hold->items[0], both.x);
    both.to_x = ouro_weak_new(both.x, NULL, NULL);
    both.to_y = ouro_weak_new(both.y, NULL, NULL);
    ouro_share(both.to_x);
    ouro_share(both.to_y);
    ouro_release(hold);
    actor_collect_with(look_at_both);
    struct oi_concurrent job = collect(2);
    actor_collect_with(NULL);
    CHECK_EQ(job.freed, 2);
    CHECK(both.looked_dead);
    ouro_release(both.to_x);
    ouro_release(both.to_y);
}

/* ---- readers ---- */

static struct {
    struct node *box, *x, *got;
    ouro_weak *weak;
    struct actor actor;
} reader;

static void get(void *unused)
{
    (void)unused;
    reader.got = ouro_get(reader.box, &reader.box->a);
}

static atomic_bool collected;

static void *collect_elsewhere(void *unused)
{
    (void)unused;
    ouro_gc_collect(2);
    atomic_store(&collected, true);
    return NULL;
}

static bool has_collected(void)
{
    for (int ms = 0; ms < 100 && !atomic_load(&collected); ms++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return atomic_load(&collected);
}

/* By the reader: x, and it is whole. */
static void check_what_was_found(void)
{
    if (CHECK_PTR(reader.got, reader.x)) {
        CHECK_EQ(reader.got->id, 1);
        CHECK_EQ(ouro_refcount(reader.got), 2);
        ouro_release(reader.got);
    }
    CHECK_EQ(ouro_gc_collect(2), 1);
    ouro_release(reader.box);
}

/* A reader has found x in a slot, before the mark, and has not counted its reference yet; x is garbage but for that. The collection waits
 * for the reader's section to end: by then the reference is counted. */
static void test_waits_for_readers(void)
{
    if (!actor_supported())
        return;
    reader.box = shared_new(&plain_type, 0);
    reader.x = shared_new(&plain_type, 1);
    ouro_give(reader.box, &reader.box->a, reader.x);
    CHECK(actor_start(&reader.actor, get, NULL, 1));
    struct node *x = ouro_take(reader.box, &reader.box->a);
    CHECK_PTR(x, reader.x);
    ouro_give(x, &x->a, x);
    atomic_store(&collected, false);
    ouro_blocking_begin();
    pthread_t collector = thread_start(collect_elsewhere, NULL, 0);
    CHECK(!has_collected());
    actor_end(&reader.actor);
    thread_join_running(collector);
    ouro_blocking_end();
    check_what_was_found();
}

/* The same for one who holds what it has found: by a pointer only, until it counts. */
static struct step found, count_it;

static void *borrow(void *unused)
{
    (void)unused;
    ouro_read_begin();
    struct node *x = ouro_peek(&reader.box->a);
    step_set(&found, 1);
    CHECK(step_wait(&count_it, 1));
    reader.got = ouro_try_retain(x);
    ouro_read_end();
    return NULL;
}

static void test_waits_for_borrowers(void)
{
    found = count_it = (struct step)STEP_INITIALIZER;
    reader.box = shared_new(&plain_type, 0);
    reader.x = shared_new(&plain_type, 1);
    ouro_give(reader.box, &reader.box->a, reader.x);
    pthread_t borrower = thread_start(borrow, NULL, 0);
    CHECK(step_wait(&found, 1));
    struct node *x = ouro_take(reader.box, &reader.box->a);
    ouro_give(x, &x->a, x);
    atomic_store(&collected, false);
    ouro_blocking_begin();
    pthread_t collector = thread_start(collect_elsewhere, NULL, 0);
    CHECK(!has_collected());
    step_set(&count_it, 1);
    thread_join_running(borrower);
    thread_join_running(collector);
    ouro_blocking_end();
    check_what_was_found();
}

static void get_weak(void *unused)
{
    (void)unused;
    reader.got = ouro_weak_get(reader.weak);
}

/* At the last moment before the commitment a reader has loaded the target, and seen its mark. (One member: a step for P5's look, and then.) */
static int steps_open;

static void start_reader(int step)
{
    (void)step;
    if (oi_load_relaxed(&oi_verdict) == OI_VERDICT_OPEN && ++steps_open == 2)
        CHECK(actor_start(&reader.actor, get_weak, NULL, 1));
}

/* It has lost: the object is garbage. But its block is not another object's before the reader has seen that. */
static void test_readers_of_weak_references(void)
{
    enum { TRIES = 4000 };
    static struct node *made[TRIES];
    if (!actor_supported())
        return;
    struct node *keeps_the_page = plain_new(0);
    reader.x = shared_new(&plain_type, 1);
    reader.weak = ouro_weak_new(reader.x, NULL, NULL);
    ouro_share(reader.weak);
    ouro_give(reader.x, &reader.x->a, reader.x);
    actor_collect_with(start_reader);
    struct oi_concurrent job = collect(2);
    actor_collect_with(NULL);
    CHECK_EQ(job.freed, 1);
    bool reused = false;
    for (int i = 0; i < TRIES; i++) {
        made[i] = shared_new(&plain_type, 100 + i);
        reused = reused || made[i] == reader.x;
    }
    CHECK(!reused);
    actor_end(&reader.actor);
    CHECK_PTR(reader.got, NULL);
    for (int i = 0; i < TRIES; i++)
        ouro_release(made[i]);
    ouro_release(reader.weak);
    ouro_release(keeps_the_page);
}

/* ---- rests ---- */

static int breaths;

static void breathe(void)
{
    if (breaths++ % 16)
        return;
    oi_rcu_synchronize(); /* in a section, that would never end; nor would the next with the verdict lock held */
    oi_concurrent_before_fork();
    oi_concurrent_after_fork_parent();
}

/* What is part of a value is counted neither among what was found nor among what was freed, also where members have left the set for want of memory. */
static void test_inner_without_memory(void)
{
    if (!fault_supported()) {
        printf("       skipped: not under this sanitizer\n");
        return;
    }
    struct node *n = shared_new(&node_type, 1);
    ouro_value list = ouro_list_new();
    CHECK_EQ(ouro_list_append(list, ouro_value_of(n)), OURO_OK);
    ouro_value_give(n, &n->a, list);
    ouro_release(n);
    fault_arm(FAULT_FROM, 1);
    struct oi_concurrent job = collect(2);
    CHECK_GT(fault_disarm(), 0);
    CHECK_EQ(job.suspects, 3);
    CHECK_EQ(job.found, 2);
    CHECK_EQ(job.freed, 0);
    CHECK(!job.due);
    CHECK_EQ(ouro_gc_collect(2), 2);
}

/* Where it may rest, no reader holds anybody up; garbage or not, once in some hundred objects of each phase. */
static void test_breath(void)
{
    enum { LENGTH = 20000, SECTIONS = LENGTH / 64 };
    for (int garbage = 0; garbage < 2; garbage++) {
        struct oi_concurrent job = {.generation = 1, .breathe = breathe};
        struct node *ring = drop_ring(&plain_type, LENGTH), *holder = garbage ? NULL : ouro_retain(ring);
        ouro_weak *weak = ouro_weak_new(ring, NULL, NULL);
        breaths = 0;
        ouro_blocking_begin();
        oi_concurrent_collect(&oi_act, &job);
        ouro_blocking_end();
        CHECK_EQ(job.found, garbage ? LENGTH : 0);
        CHECK_GE(breaths, (garbage ? 5 : 2) * SECTIONS / OI_SCOPE_BREATH); /* the halves of P1; or P1, P2, P3a, P3b, P5 */
        CHECK_LE(breaths, 15 * (SECTIONS + 50) / OI_SCOPE_BREATH);
        ouro_release(weak);
        if (holder) {
            ouro_give(holder, &holder->a, NULL); /* opens it */
            ouro_release(holder);
        }
    }
}

int main(void)
{
    check_start("concurrent_test");
    fixture_start();
    ouro_gc_disable();
    FIXTURE_RUN(test_nothing);
    FIXTURE_RUN(test_results);
    FIXTURE_RUN(test_save_all);
    FIXTURE_RUN(test_without_memory);
    FIXTURE_RUN(test_rescued_too_often);
    FIXTURE_RUN(test_dead_as_a_whole);
    FIXTURE_RUN(test_waits_for_readers);
    FIXTURE_RUN(test_waits_for_borrowers);
    FIXTURE_RUN(test_readers_of_weak_references);
    FIXTURE_RUN(test_inner_without_memory);
    FIXTURE_RUN(test_breath);
    return check_finish();
}
