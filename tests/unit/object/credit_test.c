/* SPDX-License-Identifier: MIT
 *
 * Credit: when it is taken, used, filled up and given back, by looking at the header and at the threads' entries; and what becomes of objects
 * whose last references are credit. The background thread is kept from it but where it is what is tested. */
#include "object/credit.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include <ouro/ouro.h>

#include "object/count.h"
#include "port/os.h"
#include "support/actor.h"
#include "support/child.h"
#include "support/collection.h"
#include "support/fixture.h"
#include "value/turn.h"

/* Where the object is, without what the compiler concludes from the inline functions about NULL. */
static ouro_object *header_of(void *p)
{
    __asm__("" : "+r"(p));
    return p;
}

/* The count of a merged object. */
static long count_of(void *o)
{
    uint32_t s = oi_shared(header_of(o));
    CHECK(s & OI_MERGED);
    return oi_count(s);
}

static bool is_wide(void *o)
{
    return oi_flags(header_of(o)) & OI_WIDE;
}

/* The calling thread's credit. */
static uint32_t credit_of(void *o)
{
    struct oi_credit *credit = oi_credit_find(o);
    return credit ? credit->count : 0;
}

static uint32_t entries(void)
{
    return oi_counting.credits->entries;
}

/* The thread has not dropped a reference to any object yet, nor to another one in the same block. */
static void forget(void)
{
    oi_counting.rival = oi_counting.sampled = NULL;
}

/* With one reference, the caller's. */
static struct node *wide_new(long id)
{
    struct node *o = node_new(id);
    ouro_share_widely(o);
    forget();
    return o;
}

static struct node *wide_plain_new(long id)
{
    struct node *o = plain_new(id);
    ouro_share_widely(o);
    return o;
}

/* A thread that holds a slot and runs what it is given, one after the other. It is never parked by waiting, and reaches no safepoint by it. */
struct worker {
    pthread_t thread;
    struct step given, done;
    int jobs;
    void (*job)(void *arg);
    void *arg;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    REQUIRE(ouro_thread_attach(0) == OURO_OK);
    for (int n = 1;; n++) {
        REQUIRE(step_wait(&worker->given, n));
        if (!worker->job)
            return NULL;
        worker->job(worker->arg);
        step_set(&worker->done, n);
    }
}

static void worker_start(struct worker *worker)
{
    *worker = (struct worker){.given = STEP_INITIALIZER, .done = STEP_INITIALIZER};
    worker->thread = thread_start(work, worker, 0);
}

static void worker_do(struct worker *worker, void (*job)(void *arg), void *arg)
{
    worker->job = job;
    worker->arg = arg;
    step_set(&worker->given, ++worker->jobs);
    if (job)
        REQUIRE(step_wait(&worker->done, worker->jobs));
}

static void worker_end(struct worker *worker)
{
    worker_do(worker, NULL, NULL);
    thread_join_running(worker->thread);
}

static void do_retain(void *o)
{
    CHECK_PTR(ouro_retain(o), o);
}

static void do_release(void *o)
{
    ouro_release(o);
}

static void do_use(void *o)
{
    ouro_retain(o);
    ouro_release(o);
}

static void do_safepoint(void *unused)
{
    (void)unused;
    ouro_safepoint();
}

static void do_check_no_credit(void *o)
{
    CHECK_EQ(credit_of(o), 0);
}

static void do_check_credit(void *o)
{
    CHECK_NE(credit_of(o), 0);
}

/* ---- taking and giving back ---- */

static void test_taken_at_once(void)
{
    struct node *o = wide_new(1);
    CHECK_EQ(count_of(o), 1);
    ouro_retain(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    CHECK_EQ(credit_of(o), OI_CREDIT);
    CHECK_EQ(ouro_refcount(o), 2);
    ouro_retain(o);
    ouro_retain(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT); /* not written */
    CHECK_EQ(credit_of(o), OI_CREDIT - 2);
    CHECK_EQ(ouro_refcount(o), 4);
    ouro_release(o);
    ouro_release(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    CHECK_EQ(credit_of(o), OI_CREDIT);
    CHECK_EQ(ouro_refcount(o), 2);
    ouro_release(o);
    CHECK_EQ(finalized(), 0);
    ouro_release(o); /* nobody else has a reference: it does not wait for the credit */
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(entries(), 0);
    CHECK(!oi_credit_is_out());
}

static void test_filled_up_and_lightened(void)
{
    struct node *o = wide_new(1);
    long n = 3 * OI_CREDIT;
    for (long i = 0; i < n; i++)
        ouro_retain(o);
    CHECK_EQ(ouro_refcount(o), n + 1);
    CHECK_EQ(count_of(o), n + 1 + credit_of(o));
    CHECK_GE(credit_of(o), 1);
    CHECK_LE(credit_of(o), 2 * OI_CREDIT);
    for (long i = 0; i < n; i++) {
        ouro_release(o);
        if (credit_of(o) > 2 * OI_CREDIT && !CHECK(false))
            break;
    }
    CHECK_EQ(ouro_refcount(o), 1);
    CHECK_EQ(count_of(o), 1 + credit_of(o));
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
}

static void test_returned_at_second_safepoint(void)
{
    struct node *o = wide_new(1);
    do_use(o);
    ouro_safepoint();
    CHECK_EQ(credit_of(o), OI_CREDIT + 1); /* used since the last */
    do_use(o);
    ouro_safepoint();
    CHECK_EQ(credit_of(o), OI_CREDIT + 1);
    ouro_safepoint();
    CHECK_EQ(credit_of(o), 0);
    CHECK_EQ(count_of(o), 1);
    CHECK(!is_wide(o)); /* nobody has credit: until threads contend for it, or the program says so again */
    do_use(o);
    CHECK_EQ(count_of(o), 1);
    ouro_release(o);
}

static void test_returned_on_parking(void)
{
    struct node *o = wide_new(1);
    do_use(o);
    ouro_blocking_begin();
    CHECK_EQ(count_of(o), 1);
    ouro_share_widely(o);
    do_use(o); /* none is taken by a thread that is parked */
    CHECK_EQ(count_of(o), 1);
    ouro_retain(o);
    CHECK_EQ(count_of(o), 2);
    ouro_release(o);
    ouro_blocking_end();
    CHECK(!oi_credit_is_out());
    ouro_release(o);
}

static void *use_unattached(void *o)
{
    do_use(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(count_of(o), 1);
    ouro_share_widely(o);
    do_use(o);
    ouro_blocking_begin(); /* all that it has to give up */
    CHECK_EQ(count_of(o), 1);
    ouro_blocking_end();
    ouro_share_widely(o);
    do_use(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    return NULL;
}

/* A thread that has never made an object counts no worse than others. */
static void test_without_slot(void)
{
    struct node *o = wide_new(1);
    thread_join_running(thread_start(use_unattached, o, 0));
    CHECK_EQ(count_of(o), 1);
    ouro_release(o);
}

static void test_returned_on_exit(void)
{
    struct worker worker;
    struct node *o = wide_new(1);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    worker_end(&worker);
    CHECK_EQ(count_of(o), 1);
    ouro_release(o);
}

static void test_crowded(void)
{
    struct node *kept[200], *o[3];
    int n = 0;
    /* Addresses differ: hold on to those of other places meanwhile. */
    o[0] = wide_new(0);
    uint32_t place = oi_credit_place(&o[0]->object) / 2;
    for (int found = 1; found < 3 && n < 200;) {
        struct node *next = wide_new(n);
        if (oi_credit_place(&next->object) / 2 == place)
            o[found++] = next;
        else
            kept[n++] = next;
    }
    for (int i = 0; i < n; i++)
        ouro_release(kept[i]);
    if (!CHECK_LT(n, 200))
        return;
    do_use(o[0]);
    do_use(o[1]);
    CHECK_EQ(entries(), 2);
    CHECK_NE(credit_of(o[0]), 0);
    CHECK_NE(credit_of(o[1]), 0);
    do_use(o[2]); /* there is no place: counted as any other */
    CHECK_EQ(credit_of(o[2]), 0);
    CHECK_EQ(count_of(o[2]), 1);
    /* For who keeps on releasing what others have credit of, one goes now and then. */
    struct worker worker;
    worker_start(&worker);
    worker_do(&worker, do_use, o[2]);
    for (int i = 0; i < 200; i++)
        ouro_retain(o[2]);
    for (int i = 0; i < 200; i++)
        ouro_release(o[2]);
    CHECK_NE(credit_of(o[2]), 0);
    CHECK_EQ(entries(), 2);
    CHECK_EQ(ouro_refcount(o[2]), 1);
    CHECK_EQ((credit_of(o[0]) != 0) + (credit_of(o[1]) != 0), 1);
    worker_end(&worker);
    for (int i = 0; i < 3; i++)
        ouro_release(o[i]);
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(entries(), 0);
}

/* No more credit of an object that has very many references. */
static void test_no_credit_near_overflow(void)
{
    struct node *o = wide_new(1);
    uint32_t before = oi_shared(header_of(o));
    oi_set_shared(header_of(o), (uint32_t)OI_CREDIT_COUNT_MAX << 2 | OI_MERGED);
    ouro_retain(o);
    CHECK_EQ(count_of(o), OI_CREDIT_COUNT_MAX + 1);
    CHECK_EQ(credit_of(o), 0);
    ouro_release(o);
    oi_set_shared(header_of(o), before);
    ouro_release(o);
}

/* ---- death ---- */

static void test_dies_when_credit_returns(void)
{
    struct worker worker;
    struct node *o = wide_new(1);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_release(o);
    CHECK_EQ(finalized(), 0);
    worker_do(&worker, do_safepoint, NULL);
    CHECK_EQ(finalized(), 0);
    worker_do(&worker, do_safepoint, NULL);
    CHECK_EQ(finalized(), 1);
    worker_end(&worker);
}

/* Two have credit, and the one that drops last does not wait for itself. */
static void test_dies_with_last_credit(void)
{
    struct worker a, b;
    struct node *o = wide_new(1);
    worker_start(&a);
    worker_start(&b);
    worker_do(&a, do_use, o);
    worker_do(&b, do_retain, o);
    ouro_release(o);
    worker_do(&a, do_safepoint, NULL);
    worker_do(&a, do_safepoint, NULL);
    worker_do(&a, do_check_no_credit, o);
    CHECK_EQ(finalized(), 0);
    worker_do(&b, do_release, o);
    CHECK_EQ(finalized(), 1);
    worker_end(&a);
    worker_end(&b);
}

/* One drop of what others have credit of is carried out; who makes more of them, keeps them. */
static void test_second_drop_is_kept(void)
{
    struct worker worker;
    struct node *o = wide_new(1);
    ouro_retain(o);
    ouro_retain(o);
    ouro_safepoint();
    ouro_safepoint();
    ouro_share_widely(o);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    long before = count_of(o);
    ouro_release(o);
    CHECK_EQ(count_of(o), before - 1);
    CHECK_EQ(credit_of(o), 0);
    ouro_release(o);
    CHECK_EQ(count_of(o), before - 1);
    CHECK_EQ(credit_of(o), 1);
    CHECK_EQ(ouro_refcount(o), 1);
    worker_end(&worker);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
}

static struct node *root;

static void resurrect(void *object)
{
    struct node *o = object;
    uint32_t count = (uint32_t)oi_count(oi_shared(&o->object));
    ouro_retain(o);
    CHECK_EQ(oi_count(oi_shared(&o->object)), count + 1); /* no credit of what may be dead */
    CHECK_EQ(credit_of(o), 0);
    ouro_release(o);
    root = ouro_retain(o);
}

static void test_resurrected(void)
{
    struct node *o = wide_new(1);
    do_use(o);
    on_finalize(resurrect);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
    CHECK_PTR(root, o);
    CHECK_EQ(count_of(o), 1);
    CHECK(!is_wide(o));
    do_use(o);
    CHECK_EQ(count_of(o), 1);
    ouro_share_widely(o);
    do_use(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
}

static void test_immortal(void)
{
    struct node *o = wide_plain_new(1);
    fixture_leaves(1);
    do_use(o);
    ouro_immortalize(o);
    CHECK_EQ(ouro_refcount(o), SIZE_MAX);
    for (int i = 0; i < 10; i++)
        do_use(o);
    for (uint32_t i = 0; i < 3 * OI_CREDIT; i++)
        ouro_release(o);
    for (uint32_t i = 0; i < 6 * OI_CREDIT; i++)
        ouro_retain(o);
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(entries(), 0);
    CHECK_EQ(oi_shared(header_of(o)), OI_STUCK_WORD);
}

static void test_over_released(void)
{
    struct worker worker;
    struct node *o = wide_plain_new(1);
    fixture_leaves(1);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    oi_set_shared(header_of(o), 3 * OI_ONE | OI_MERGED); /* as if all but three of its references had been released elsewhere */
    worker_end(&worker);
    CHECK_EQ(misuse_count(), 1);
    CHECK_EQ(misuse_first().kind, OURO_MISUSE_OVER_RELEASE);
    CHECK_EQ(oi_shared(header_of(o)), OI_STUCK_WORD);
    misuse_forget();
}

/* ---- slots, weak references ---- */

static void test_slots(void)
{
    struct node *o = wide_new(1), *box = plain_new(2), *own = plain_new(3);
    ouro_share(box);
    do_use(o);
    long before = count_of(o);
    ouro_set(box, &box->a, o);
    ouro_set(own, &own->a, o);
    CHECK_PTR(ouro_get(box, &box->a), o);
    CHECK_PTR(ouro_get(own, &own->a), o);
    CHECK(ouro_compare_set(box, &box->b, NULL, o));
    CHECK(!ouro_compare_set(box, &box->b, NULL, o));
    CHECK_EQ(count_of(o), before); /* all of it is credit */
    CHECK_EQ(ouro_refcount(o), 6);
    ouro_release(o);
    ouro_release(o);
    ouro_release(ouro_take(box, &box->a));
    ouro_release(own);
    ouro_release(box);
    CHECK_EQ(count_of(o), before);
    CHECK_EQ(ouro_refcount(o), 1);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
}

static void test_weak(void)
{
    struct node *o = wide_new(1);
    ouro_weak *weak = ouro_weak_new(o, NULL, NULL);
    void *got = ouro_weak_get(weak);
    CHECK_PTR(got, o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT); /* taken at first use */
    CHECK_PTR(ouro_weak_get(weak), o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    ouro_release(o);
    ouro_release(o);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

/* As long as somebody has credit, weak references lead to it: it is not dead. */
static void test_weak_while_credit_is_out(void)
{
    struct worker worker;
    struct node *o = wide_new(1);
    ouro_weak *weak = ouro_weak_new(o, NULL, NULL);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_release(o);
    void *got = ouro_weak_get(weak);
    CHECK_PTR(got, o);
    CHECK_EQ(ouro_refcount(o), 1);
    ouro_release(got);
    worker_end(&worker);
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(finalized(), 1);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

/* ---- collections ---- */

/* A cycle of two, the first of them wide. */
static struct node *cycle_new(void)
{
    struct node *o = wide_new(1);
    struct node *other = node_new_with(2, ouro_retain(o), NULL);
    ouro_give(o, &o->a, other);
    ouro_safepoint();
    ouro_safepoint();
    ouro_share_widely(o);
    return o;
}

/* To a collection a reference that is credit comes from elsewhere. */
static void test_credit_is_elsewhere(void)
{
    struct worker worker;
    struct node *o = cycle_new();
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_release(o);
    struct collection c = collection_begin(2);
    CHECK(!is_member(&c, o));
    make_member(&c, o);
    make_member(&c, ouro_peek(&o->a));
    collection_counts(&c);
    CHECK(!is_member(&c, o));
    CHECK(!is_marked(o));
    collection_leave(&c);
    ouro_blocking_end();
    worker_end(&worker);
    CHECK_EQ(ouro_gc_collect(2), 2);
    CHECK_EQ(finalized(), 2);
}

/* But a collection takes all credit back before it begins, from a thread that reaches no safepoint too. */
static void test_collected(void)
{
    struct worker worker;
    struct node *o = cycle_new();
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_release(o);
    CHECK_EQ(ouro_gc_collect(2), 2);
    CHECK_EQ(finalized(), 2);
    CHECK(!oi_credit_is_out());
    worker_end(&worker);
}

static void test_held_is_not_collected(void)
{
    struct worker worker;
    struct node *o = cycle_new();
    worker_start(&worker);
    worker_do(&worker, do_retain, o);
    worker_do(&worker, do_use, o);
    ouro_release(o);
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 0);
    worker_do(&worker, do_use, o);
    worker_do(&worker, do_release, o);
    CHECK_EQ(ouro_gc_collect(2), 2);
    CHECK_EQ(finalized(), 2);
    worker_end(&worker);
}

/* What is not in a cycle dies by the same. */
static void test_dies_by_recall(void)
{
    struct worker worker;
    struct node *o = wide_new(1);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_release(o);
    ouro_gc_collect(1);
    CHECK_EQ(finalized(), 1);
    worker_end(&worker);
}

/* Rule D: what disposes of references touches; what does not, need not. */
static void test_giving_back_touches(void)
{
    struct node *o = wide_new(1);
    do_use(o);
    oi_fetch_or_acqrel(&header_of(o)->ouro_private_owner, OI_CAND);
    do_use(o);
    CHECK(is_marked(o));
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(count_of(o), 1);
    CHECK(!is_marked(o));
    ouro_release(o);
}

/* ---- what others take back ---- */

static void recall(bool idle)
{
    ouro_blocking_begin();
    oi_credit_recall(&oi_act, idle);
    ouro_blocking_end();
}

static void test_recall_of_the_idle(void)
{
    struct worker worker;
    struct node *o = wide_new(1);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    recall(true);
    worker_do(&worker, do_check_credit, o); /* looked at for the first time */
    worker_do(&worker, do_use, o);
    recall(true);
    worker_do(&worker, do_check_credit, o);
    recall(true);
    worker_do(&worker, do_check_no_credit, o);
    CHECK_EQ(count_of(o), 1);
    ouro_share_widely(o);
    worker_do(&worker, do_use, o);
    worker_do(&worker, do_check_credit, o);
    do_use(o);
    recall(false);
    CHECK_EQ(count_of(o), 1);
    CHECK(!is_wide(o));
    worker_end(&worker);
    ouro_release(o);
}

static void do_upgrade(void *weak)
{
    ouro_release(ouro_weak_get(weak));
}

/* Two threads that follow a weak reference always have used their credit. It goes back when all does. */
static void test_recall_of_all(void)
{
    struct worker a, b;
    struct node *o = wide_new(1);
    ouro_weak *weak = ouro_weak_new(o, NULL, NULL);
    ouro_share(weak);
    worker_start(&a);
    worker_start(&b);
    worker_do(&a, do_upgrade, weak);
    worker_do(&b, do_upgrade, weak);
    ouro_release(o);
    for (int i = 0; i < 20; i++) {
        worker_do(&a, do_upgrade, weak);
        worker_do(&b, do_upgrade, weak);
        recall(true);
    }
    CHECK_EQ(finalized(), 0);
    recall(false);
    CHECK_EQ(finalized(), 1);
    worker_end(&a);
    worker_end(&b);
    ouro_release(weak);
}

static void do_retain_then_use(void *o)
{
    REQUIRE(ouro_thread_attach(0) == OURO_OK);
    ouro_retain(o);
    do_use(o);
    ouro_release(o);
}

/* A thread stops inside each use of its entry; another takes credit back meanwhile. Nothing is lost, nothing is taken twice. */
static void test_recall_beside_use(void)
{
    if (!actor_supported())
        return;
    bool more = true;
    int kept = 0, taken = 0;
    for (int stop = 1; more && stop < 100; stop++) {
        struct actor actor;
        struct node *o = wide_new(1);
        REQUIRE(!oi_credit_attend(true)); /* none is out: so each time it is the actor who wakes the background thread, which is a step */
        more = actor_start(&actor, do_retain_then_use, o, stop);
        if (more) {
            bool out = oi_credit_is_out();
            recall(false);
            kept += out && oi_credit_is_out();
            CHECK(!is_wide(o)); /* what is kept is left alone until threads contend */
            taken += out && !oi_credit_is_out();
            CHECK_GE(count_of(o), 1);
        }
        actor_end(&actor);
        CHECK_EQ(count_of(o), 1);
        ouro_release(o);
    }
    CHECK(!more);
    CHECK_GE(kept, 3);  /* a use of the entry was under way */
    CHECK_GE(taken, 3); /* it had been found, or used before */
}

/* The same without a stop, many times: what the thread has begun shows only once it has left the processor's store buffer, which is what the barrier is
 * for. Needs two processors. */
enum { RECALLS = SCALED(2000) };
static atomic_bool recalled;

static void *use_until_recalled(void *o)
{
    REQUIRE(ouro_thread_attach(0) == OURO_OK);
    while (!atomic_load_explicit(&recalled, memory_order_relaxed)) {
        for (int i = 0; i < 100; i++)
            ouro_release(ouro_retain(o));
    }
    return NULL;
}

static void test_recall_beside_uses(void)
{
    struct node *o = wide_new(1);
    atomic_store(&recalled, false);
    pthread_t user = thread_start(use_until_recalled, o, 0);
    const uint64_t end = oi_os_now_ns() + UINT64_C(3000000000); /* fewer on a busy machine */
    for (int i = 0; i < RECALLS && (i < 20 || oi_os_now_ns() < end); recall(false), ouro_share_widely(o)) {
        bool out = oi_credit_is_out();
        i += out;
        if (!out)
            sched_yield();
    }
    atomic_store(&recalled, true);
    thread_join_parked(user);
    CHECK_EQ(finalized(), 0);
    recall(false);
    CHECK_EQ(count_of(o), 1);
    ouro_release(o);
}

static _Atomic(pthread_t) finalizing_thread;

static void note_thread(void *unused)
{
    (void)unused;
    atomic_store(&finalizing_thread, pthread_self());
}

static bool is_finalized(void *unused)
{
    (void)unused;
    return atomic_load(&finalizing_thread);
}

/* In processes of their own, with the library's patience; forked while there are no threads, as ThreadSanitizer wants it. */
static struct node *dropped_often;

static void do_release_many(void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < OI_CREDIT; i++)
        ouro_release(dropped_often);
}

/* Threads that only release have credit, too: somebody looks whether they use it, though no retain has ever taken any. */
static void check_only_releases(void *unused)
{
    struct worker a, b;
    (void)unused;
    oi_credit_patience_ms = 200; /* all is dropped before the credit goes */
    fixture_start();
    dropped_often = node_new(1);
    on_finalize(note_thread);
    for (uint32_t i = 1; i < 2 * OI_CREDIT; i++)
        ouro_retain(dropped_often);
    worker_start(&a);
    worker_start(&b);
    ouro_share_widely(dropped_often);
    CHECK_EQ(count_of(dropped_often), 2 * OI_CREDIT);
    worker_do(&a, do_release_many, NULL);
    CHECK(oi_credit_is_out());
    worker_do(&b, do_release_many, NULL);
    CHECK(wait_until(is_finalized, NULL)); /* they wait, are not parked and reach no safepoint */
    worker_end(&a);
    worker_end(&b);
}

static void test_only_releases(void)
{
    CHECK_EQ(child_run(check_only_releases, NULL), 0);
}

static void check_background(void *unused)
{
    struct worker worker;
    (void)unused;
    fixture_start();
    struct node *o = wide_new(1);
    on_finalize(note_thread);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_release(o); /* the worker waits, is not parked and reaches no safepoint */
    CHECK(wait_until(is_finalized, NULL));
    CHECK(!pthread_equal(atomic_load(&finalizing_thread), worker.thread));
    CHECK(!pthread_equal(atomic_load(&finalizing_thread), pthread_self()));
    worker_end(&worker);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
}

static void test_background_thread(void)
{
    CHECK_EQ(child_run(check_background, NULL), 0);
}

static ouro_weak *polled;
static atomic_bool polling;

static void *poll(void *unused)
{
    while (atomic_load(&polling)) {
        void *got = ouro_weak_get(polled);
        if (!got)
            break;
        ouro_release(got);
    }
    return unused;
}

static bool is_dead(void *unused)
{
    (void)unused;
    return finalized() == 1;
}

/* Threads that follow a weak reference all the time use their credit all the time. It does not keep the object alive for ever. */
static void check_polled(void *unused)
{
    pthread_t threads[3];
    (void)unused;
    oi_credit_patience_ms = 100; /* each of them is on a processor within that time */
    fixture_start();
    struct node *o = wide_new(1);
    polled = ouro_weak_new(o, NULL, NULL);
    ouro_share(polled);
    atomic_store(&polling, true);
    for (int i = 0; i < 3; i++)
        threads[i] = thread_start(poll, NULL, 0);
    usleep(30000);
    CHECK_EQ(finalized(), 0);
    ouro_release(o);
    CHECK(wait_until(is_dead, NULL));
    atomic_store(&polling, false);
    for (int i = 0; i < 3; i++)
        thread_join_parked(threads[i]);
    ouro_release(polled);
}

static void test_polled(void)
{
    CHECK_EQ(child_run(check_polled, NULL), 0);
}

/* Shutdown takes it back, too. */
static void check_shutdown(void *unused)
{
    struct worker worker;
    ouro_leak_report report;
    (void)unused;
    oi_credit_patience_ms = 1000000;
    fixture_start();
    struct node *o = wide_new(1), *own = wide_new(2);
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    do_use(own);
    do_use(o);
    ouro_release(o);
    ouro_release(own);
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    CHECK_EQ(finalized(), 2);
    worker_end(&worker);
}

static void test_shutdown(void)
{
    CHECK_EQ(child_run(check_shutdown, NULL), 0);
}

/* ---- fork ---- */

static struct node *forked;

static void check_child(void *unused)
{
    (void)unused;
    CHECK(oi_credit_is_out());
    CHECK_EQ(ouro_refcount(forked), 1);
    do_use(forked);
    ouro_release(forked);
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 1); /* what the vanished thread had as credit it had for nobody */
    CHECK(!oi_credit_is_out());
}

static void test_fork(void)
{
    struct worker worker;
    forked = wide_new(1);
    worker_start(&worker);
    worker_do(&worker, do_use, forked);
    do_use(forked);
    CHECK_EQ(child_run(check_child, NULL), 0);
    worker_do(&worker, do_check_credit, forked);
    worker_end(&worker);
    ouro_release(forked);
    CHECK_EQ(finalized(), 1);
}

static void check_grandchild(void *unused)
{
    (void)unused;
    ouro_release(forked); /* the last reference; the vanished thread's credit goes back by itself */
    CHECK(wait_until(is_finalized, NULL));
}

static void check_forks(void *unused)
{
    struct worker worker;
    (void)unused;
    oi_credit_patience_ms = 200; /* the fork comes before the credit goes */
    fixture_start();
    forked = wide_new(1);
    on_finalize(note_thread);
    worker_start(&worker);
    worker_do(&worker, do_use, forked);
    if (oi_credit_is_out())
        CHECK_EQ(child_run(check_grandchild, NULL), 0);
    worker_end(&worker);
    ouro_release(forked);
}

/* The child has a background thread of its own, if credit is out. */
static void test_fork_has_background_thread(void)
{
    CHECK_EQ(child_run(check_forks, NULL), 0);
}

static void check_child_of_stopped(void *unused)
{
    (void)unused;
    ouro_release(forked);
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK(!oi_credit_is_out());
    CHECK_LE(ouro_refcount(forked), 3); /* what the thread itself had is lost with it */
}

/* The thread that vanishes was in the middle of a use. */
static void test_fork_beside_use(void)
{
    if (!actor_supported())
        return;
    bool more = true;
    for (int stop = 1; more && stop < 100; stop++) {
        struct actor actor;
        forked = wide_new(1);
        ouro_retain(forked);
        (void)oi_credit_attend(false); /* as above */
        more = actor_start(&actor, do_retain_then_use, forked, stop);
        if (more)
            CHECK_EQ(child_run(check_child_of_stopped, NULL), 0);
        actor_end(&actor);
        ouro_release(forked);
        ouro_release(forked);
    }
    CHECK(!more);
}

/* ---- who takes credit, and of what ---- */

static void do_use_often(void *o)
{
    for (int i = 0; i < 200; i++)
        do_use(o);
}

static void do_release_pairwise(void *two)
{
    struct node **o = two;
    for (int i = 0; i < 100; i++) {
        ouro_release(o[0]);
        ouro_release(o[1]);
    }
}

static void do_release_100(void *o)
{
    for (int i = 0; i < 100; i++)
        ouro_release(o);
}

static void do_use_in_turns(void *o)
{
    uint64_t turn = 0;
    oi_turn_take(&turn);
    do_use(o);
    oi_turn_end(&turn);
    oi_turn_take(&turn);
    do_use(o);
    oi_turn_end_unchanged(&turn);
    CHECK_EQ(credit_of(o), 0);
}

/* As worker_do; nothing that is done waits for the credit lock, or else it waits for ever. */
static void without_lock(struct worker *worker, void (*job)(void *arg), void *arg)
{
    oi_credit_before_fork();
    worker_do(worker, job, arg);
    oi_credit_after_fork(false);
}

/* An operation that has no use for the credit lock does not take it. */
static void test_lock_is_not_taken_in_vain(void)
{
    struct worker worker;
    struct node *eternal = wide_plain_new(1), *o[3] = {wide_new(2), wide_new(3), wide_new(4)};
    fixture_leaves(1);
    worker_start(&worker);
    ouro_immortalize(eternal);
    CHECK(!is_wide(eternal));
    ouro_share_widely(eternal);
    CHECK(!is_wide(eternal));
    without_lock(&worker, do_use_often, eternal);
    oi_fetch_or_acqrel(&header_of(eternal)->ouro_private_flags, OI_WIDE); /* contended before, say */
    without_lock(&worker, do_use_often, eternal);
    without_lock(&worker, do_use_in_turns, o[0]);
    for (int i = 0; i < 200; i++) {
        oi_fetch_add_relaxed(&header_of(o[0])->ouro_private_shared, OI_ONE);
        oi_fetch_add_relaxed(&header_of(o[1])->ouro_private_shared, OI_ONE);
    }
    CHECK(is_wide(o[0]));
    without_lock(&worker, do_release_100, o[0]); /* few references: nobody else has credit */
    worker_do(&worker, do_safepoint, NULL);
    do_use(o[0]);
    do_use(o[1]);
    struct node *two[2] = {o[1], o[0]}; /* it has just dropped the second */
    without_lock(&worker, do_release_pairwise, two); /* by turns: neither again */
    for (int i = 0; i < 100; i++)
        ouro_release(o[1]);
    CHECK_EQ(ouro_refcount(o[0]), 1);
    CHECK_EQ(ouro_refcount(o[1]), 1);
    worker_do(&worker, do_use, o[0]);
    worker_do(&worker, do_check_credit, o[0]); /* the turns are over */
    worker_end(&worker);
    for (int i = 0; i < 3; i++)
        ouro_release(o[i]);
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(finalized(), 3);
}

static struct step used = STEP_INITIALIZER, dropped = STEP_INITIALIZER;

static void *exit_in_section(void *o)
{
    do_use(o);
    ouro_read_begin();
    step_set(&used, 1);
    REQUIRE(step_wait(&dropped, 1));
    return NULL;
}

/* Nor does it keep what dies by what it gives back, though it has no slot. */
static void test_exit_in_section(void)
{
    struct node *o = wide_new(1);
    pthread_t thread = thread_start(exit_in_section, o, 0);
    REQUIRE(step_wait(&used, 1));
    ouro_release(o);
    CHECK_EQ(finalized(), 0);
    step_set(&dropped, 1);
    thread_join_running(thread);
    CHECK_EQ(finalized(), 1);
}

static void do_share_widely(void *o)
{
    ouro_share_widely(o);
}

/* Asked for by another thread: the owner ends its bias at its next safepoint. */
static void test_owner_is_asked(void)
{
    struct worker worker;
    struct node *o = node_new(1);
    ouro_share(o);
    worker_start(&worker);
    worker_do(&worker, do_share_widely, o);
    CHECK_EQ(OI_ID(oi_owner(header_of(o))), oi_my_id());
    CHECK(is_wide(o));
    CHECK_EQ(ouro_refcount(o), 2); /* the token */
    worker_do(&worker, do_retain, o);
    worker_do(&worker, do_check_no_credit, o); /* biased: counted as any other */
    worker_do(&worker, do_release, o);
    ouro_safepoint();
    CHECK_EQ(count_of(o), 1);
    worker_do(&worker, do_use, o);
    worker_do(&worker, do_check_credit, o);
    worker_end(&worker);
    ouro_release(o);
}

static void test_parked_owner_is_not_waited_for(void)
{
    struct worker worker;
    struct node *o = node_new(1);
    ouro_share(o);
    worker_start(&worker);
    ouro_blocking_begin();
    worker_do(&worker, do_share_widely, o);
    CHECK_EQ(count_of(o), 1);
    worker_do(&worker, do_use, o);
    worker_do(&worker, do_check_credit, o);
    ouro_blocking_end();
    worker_end(&worker);
    ouro_release(o);
}

static void test_private_is_published(void)
{
    struct node *child = node_new(2), *o = node_new_with(1, child, NULL);
    ouro_share_widely(o);
    CHECK(oi_flags(&child->object) & OI_PUBLISHED);
    CHECK_EQ(OI_ID(oi_owner(&child->object)), oi_my_id()); /* itself only */
    CHECK_EQ(count_of(o), 1);
    ouro_share_widely(o);
    CHECK_EQ(count_of(o), 1);
    ouro_share_widely(NULL);
    ouro_release(o);
    CHECK_EQ(finalized(), 2);
}

/* One drop in 64 is looked at. */
static void use_for_samples(void *o, int n)
{
    for (int i = 0; i < 64 * n; i++)
        do_use(o);
}

static void do_use_for_samples(void *o)
{
    use_for_samples(o, 16);
}

static void use_often(void *o)
{
    use_for_samples(o, 15);
    CHECK_EQ(ouro_refcount(o), 1);
    use_for_samples(o, 40);
    CHECK_EQ(ouro_refcount(o), 2); /* the owner is asked once: by one token */
}

/* A thread that uses another's object all the time asks that one to end its bias. That is all: nobody else counts it, so it dies as ever. */
static void test_used_by_one_other(void)
{
    struct worker worker;
    struct node *o = node_new(1);
    ouro_share(o);
    worker_start(&worker);
    worker_do(&worker, use_often, o);
    CHECK_EQ(OI_ID(oi_owner(header_of(o))), oi_my_id());
    ouro_safepoint();
    CHECK_EQ(count_of(o), 1);
    for (int i = 0; i < 4; i++)
        worker_do(&worker, do_use_for_samples, o);
    CHECK(!is_wide(o));
    CHECK_EQ(count_of(o), 1);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
    worker_end(&worker);
}

/* The last reference of all is the token by which the owner was asked. The owner's own last drop finds it. */
static void test_token_of_the_last(void)
{
    struct worker worker;
    struct node *o = node_new(1);
    ouro_share(o);
    worker_start(&worker);
    worker_do(&worker, use_often, o);
    CHECK_EQ(finalized(), 0);
    ouro_release(o);
    CHECK_EQ(finalized(), 1);
    worker_end(&worker);
}

/* By itself credit is for objects whose count several threads want to change at the same moment. */
static void test_by_contention(void)
{
    struct node *o = node_new(1), *other = node_new(2);
    ouro_share(o);
    ouro_share(other);
    for (int i = 0; i < 7; i++)
        CHECK(!oi_credit_contended(&oi_act, header_of(o)));
    CHECK(!oi_credit_contended(&oi_act, header_of(other))); /* not in succession */
    for (int i = 0; i < 7; i++)
        CHECK(!oi_credit_contended(&oi_act, header_of(o)));
    CHECK(oi_credit_contended(&oi_act, header_of(o)));
    CHECK(is_wide(o));
    for (int i = 0; i < 20; i++)
        CHECK(!oi_credit_contended(&oi_act, header_of(o))); /* is already */
    CHECK(!is_wide(other));
    ouro_release(other);
    /* Biased: an owner ends that itself, or is told by a release. Then it is wide until nobody has credit any more. */
    oi_end_bias(&oi_act, header_of(o));
    CHECK_EQ(count_of(o), 1);
    do_use(o);
    CHECK_EQ(count_of(o), 2 + OI_CREDIT);
    struct worker worker;
    worker_start(&worker);
    worker_do(&worker, do_use, o);
    ouro_safepoint();
    ouro_safepoint();
    CHECK_EQ(credit_of(o), 0);
    CHECK(is_wide(o));
    worker_end(&worker);
    CHECK_EQ(count_of(o), 1);
    CHECK(!is_wide(o));
    do_use(o);
    CHECK_EQ(count_of(o), 1);
    ouro_release(o);
    CHECK_EQ(finalized(), 2);
}

int main(void)
{
    check_start("credit_test");
    CHECK_RUN(test_background_thread);
    CHECK_RUN(test_only_releases);
    CHECK_RUN(test_fork_has_background_thread);
    CHECK_RUN(test_polled);
    CHECK_RUN(test_shutdown);
    oi_credit_patience_ms = 1000000;
    fixture_start();
    FIXTURE_RUN(test_taken_at_once);
    FIXTURE_RUN(test_filled_up_and_lightened);
    FIXTURE_RUN(test_returned_at_second_safepoint);
    FIXTURE_RUN(test_returned_on_parking);
    FIXTURE_RUN(test_without_slot);
    FIXTURE_RUN(test_returned_on_exit);
    FIXTURE_RUN(test_crowded);
    FIXTURE_RUN(test_no_credit_near_overflow);
    FIXTURE_RUN(test_dies_when_credit_returns);
    FIXTURE_RUN(test_dies_with_last_credit);
    FIXTURE_RUN(test_second_drop_is_kept);
    FIXTURE_RUN(test_resurrected);
    FIXTURE_RUN(test_immortal);
    FIXTURE_RUN(test_over_released);
    FIXTURE_RUN(test_slots);
    FIXTURE_RUN(test_weak);
    FIXTURE_RUN(test_weak_while_credit_is_out);
    FIXTURE_RUN(test_credit_is_elsewhere);
    FIXTURE_RUN(test_collected);
    FIXTURE_RUN(test_held_is_not_collected);
    FIXTURE_RUN(test_dies_by_recall);
    FIXTURE_RUN(test_giving_back_touches);
    FIXTURE_RUN(test_recall_of_the_idle);
    FIXTURE_RUN(test_recall_of_all);
    FIXTURE_RUN(test_recall_beside_use);
    FIXTURE_RUN(test_recall_beside_uses);
    FIXTURE_RUN(test_fork);
    FIXTURE_RUN(test_fork_beside_use);
    FIXTURE_RUN(test_owner_is_asked);
    FIXTURE_RUN(test_parked_owner_is_not_waited_for);
    FIXTURE_RUN(test_private_is_published);
    FIXTURE_RUN(test_used_by_one_other);
    FIXTURE_RUN(test_token_of_the_last);
    FIXTURE_RUN(test_by_contention);
    FIXTURE_RUN(test_lock_is_not_taken_in_vain);
    FIXTURE_RUN(test_exit_in_section);
    return check_finish();
}
