/* SPDX-License-Identifier: MIT
 *
 * Weak references: the verdict word, the table, death of either end, callbacks. */
#include "object/weak.h"

#include <ouro/ouro.h>

#include "object/count.h"
#include "support/fixture.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

static ouro_weak *weak_new(void *target, ouro_weak_callback callback, void *arg)
{
    ouro_weak *weak = ouro_weak_new(target, callback, arg);
    REQUIRE(weak);
    return weak;
}

static void count_call(ouro_object *weak, void *count)
{
    (void)weak;
    ++*(int *)count;
}

/* Weak references to an object, alive and with weak references, that have a callback. */
static int calls_of(struct node *target)
{
    int count = 0;
    oi_weak_each_call(&target->object, count_call, &count);
    return count;
}

static void set_cand(struct node *n)
{
    oi_fetch_or_acqrel(&n->object.ouro_private_owner, OI_CAND);
}

static bool has_cand(const struct node *n)
{
    return oi_owner(&n->object) & OI_CAND;
}

/* ---- the verdict ---- */

struct upgrade {
    enum oi_verdict before;
    bool marked;
    bool found, marked_after;
    enum oi_verdict after;
};

static const struct upgrade upgrades[] = {
    {OI_VERDICT_IDLE, false, true, false, OI_VERDICT_IDLE},
    {OI_VERDICT_IDLE, true, true, false, OI_VERDICT_IDLE},
    {OI_VERDICT_OPEN, false, true, false, OI_VERDICT_OPEN},         /* no candidate: none of its business */
    {OI_VERDICT_OPEN, true, true, false, OI_VERDICT_RESCUED},       /* overturns it for all */
    {OI_VERDICT_RESCUED, false, true, false, OI_VERDICT_RESCUED},
    {OI_VERDICT_RESCUED, true, true, false, OI_VERDICT_RESCUED},
    {OI_VERDICT_COMMITTED, false, true, false, OI_VERDICT_COMMITTED}, /* spared */
    {OI_VERDICT_COMMITTED, true, false, true, OI_VERDICT_COMMITTED},  /* condemned */
};

static void check_upgrade(struct node *target, ouro_weak *weak, const struct upgrade *u)
{
    size_t references = ouro_refcount(target);
    if (u->marked)
        set_cand(target);
    oi_store_relaxed(&oi_verdict, u->before);
    void *found = ouro_weak_get(weak);
    uint32_t after = oi_load_relaxed(&oi_verdict);
    oi_store_relaxed(&oi_verdict, OI_VERDICT_IDLE);
    CHECK_PTR(found, u->found ? target : NULL);
    CHECK_EQ(after, u->after);
    CHECK_EQ(has_cand(target), u->marked_after);
    CHECK_EQ(ouro_refcount(target), references + u->found);
    oi_touch(&target->object);
    ouro_release(found);
    CHECK_EQ(ouro_refcount(target), references);
}

/* A target biased to this thread. */
static void test_verdict_biased(void)
{
    struct node *target = plain_new(1);
    ouro_share(target);
    ouro_weak *weak = weak_new(target, NULL, NULL);
    for (unsigned i = 0; i < sizeof upgrades / sizeof *upgrades; i++)
        check_upgrade(target, weak, &upgrades[i]);
    ouro_release(target);
    ouro_release(weak);
}

static void merge(struct node *target)
{
    ouro_retain(target);
    CHECK(!oi_unbias(&target->object, 1, "test"));
    CHECK_EQ(oi_owner(&target->object), 0);
}

static void test_verdict_merged(void)
{
    struct node *target = plain_new(1);
    ouro_share(target);
    merge(target);
    ouro_weak *weak = weak_new(target, NULL, NULL);
    for (unsigned i = 0; i < sizeof upgrades / sizeof *upgrades; i++)
        check_upgrade(target, weak, &upgrades[i]);
    ouro_release(target);
    ouro_release(weak);
}

struct pair {
    struct node *target;
    ouro_weak *weak;
};

static void *upgrade_elsewhere(void *arg)
{
    struct pair *pair = arg;
    for (unsigned i = 0; i < sizeof upgrades / sizeof *upgrades; i++) {
        ouro_retain(pair->target); /* so that its drops are counted, not queued */
        check_upgrade(pair->target, pair->weak, &upgrades[i]);
        ouro_release(pair->target);
    }
    return NULL;
}

/* Biased to another thread. */
static void test_verdict_elsewhere(void)
{
    struct node *target = plain_new(1), *also = plain_new(2);
    ouro_share(target);
    ouro_share(also);
    struct pair pair = {target, weak_new(target, NULL, NULL)};
    ouro_share(pair.weak);
    ouro_retain(target);
    ouro_retain(target);
    thread_join_running(thread_start(upgrade_elsewhere, &pair, 0));
    ouro_safepoint();
    CHECK_EQ(ouro_refcount(target), 3);
    for (int i = 0; i < 3; i++)
        ouro_release(target);
    ouro_release(also);
    ouro_release(pair.weak);
}

/* ---- the table ---- */

static void callback(ouro_weak *weak, void *arg);
static int called;

/* One anchor for all weak references to an object; held by each of them, and by the table while the target lives. */
static void test_anchor(void)
{
    struct node *target = plain_new(1), *other = plain_new(2);
    CHECK_EQ(oi_flags(&target->object), 0);
    ouro_weak *a = weak_new(target, NULL, NULL), *b = weak_new(target, callback, &called),
              *c = weak_new(other, NULL, NULL);
    struct oi_anchor *anchor = a->anchor;
    CHECK(oi_flags(&target->object) & OI_HAS_WEAK);
    CHECK(oi_weak_is(&a->object));
    CHECK(!oi_weak_is(&target->object));
    CHECK_PTR(b->anchor, anchor);
    CHECK(c->anchor != anchor);
    CHECK_PTR(anchor->target, &target->object);
    CHECK_PTR(oi_weak_target(a), &target->object);
    CHECK_EQ(anchor->references, 3);
    CHECK_EQ(calls_of(target), 1);
    CHECK_EQ(calls_of(other), 0);
    ouro_release(a); /* the weak reference first */
    CHECK_EQ(anchor->references, 2);
    CHECK_PTR(ouro_weak_get(b), target);
    ouro_release(target);
    called = 0;
    ouro_release(target); /* the target first */
    CHECK_EQ(called, 1);
    CHECK_PTR(anchor->target, NULL);
    CHECK_EQ(anchor->references, 1);
    CHECK(LIST_EMPTY(&anchor->calls));
    CHECK_PTR(oi_weak_target(b), NULL);
    CHECK_PTR(ouro_weak_get(b), NULL);
    CHECK_PTR(ouro_weak_get(c), other);
    ouro_release(other);
    ouro_release(other);
    ouro_release(b);
    ouro_release(c);
}

/* The anchor stays when the last weak reference goes, and serves the next. */
static void test_anchor_is_used_again(void)
{
    struct node *target = plain_new(1);
    ouro_weak *weak = weak_new(target, callback, &called);
    struct oi_anchor *anchor = weak->anchor;
    ouro_release(weak);
    CHECK_EQ(anchor->references, 1);
    CHECK_EQ(calls_of(target), 0);
    weak = weak_new(target, NULL, NULL);
    CHECK_PTR(weak->anchor, anchor);
    ouro_release(target);
    ouro_release(weak);
}

/* A new object in the place of a dead target is another target. */
static void test_address_used_again(void)
{
    struct node *stays = plain_new(0), *target = plain_new(1);
    ouro_weak *weak = weak_new(target, NULL, NULL);
    ouro_release(target);
    struct node *again = plain_new(2);
    CHECK_PTR(again, target);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_weak *second = weak_new(again, NULL, NULL);
    CHECK(second->anchor != weak->anchor);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    CHECK_PTR(ouro_weak_get(second), again);
    ouro_release(again);
    ouro_release(again);
    ouro_release(weak);
    ouro_release(second);
    ouro_release(stays);
}

/* The last of both go together: a target that holds its own weak reference. */
static void test_die_together(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *target = plain_new(1);
        ouro_give(target, &target->a, weak_new(target, callback, &called));
        ouro_give(target, &target->b, weak_new(target, NULL, NULL));
        if (shared)
            ouro_share(target);
        called = 0;
        ouro_release(target);
        CHECK_EQ(called, 1); /* it was alive when its target died */
        CHECK_PTR(oi_act.callbacks, NULL);
    }
}

/* More than the table was made for, and few again: everything is found, whatever its size is at the time. */
static void test_many(void)
{
    enum { N = 6000 };
    static struct node *targets[N];
    static ouro_weak *weak[N];
    for (int i = 0; i < N; i++) {
        targets[i] = plain_new(i);
        weak[i] = weak_new(targets[i], NULL, NULL);
    }
    oi_weak_maintain();
    for (int i = 0; i < N; i++) {
        ouro_weak *again = weak_new(targets[i], NULL, NULL); /* finds the anchor */
        CHECK_PTR(again->anchor, weak[i]->anchor);
        ouro_release(again);
    }
    for (int i = 0; i < N; i++) {
        if (i % 100)
            ouro_release(targets[i]);
    }
    oi_weak_maintain();
    for (int i = 0; i < N; i++) {
        void *found = ouro_weak_get(weak[i]);
        CHECK_PTR(found, i % 100 ? NULL : targets[i]);
        ouro_release(found);
        if (i % 100 == 0)
            ouro_release(targets[i]);
        ouro_release(weak[i]);
    }
    oi_weak_maintain();
}

/* ---- callbacks ---- */

static ouro_weak *called_with;

static void callback(ouro_weak *weak, void *arg)
{
    called++;
    called_with = weak;
    CHECK(oi_act.in_user_code);
    CHECK_PTR(arg, &called);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    CHECK_PTR(oi_act.dead, NULL);
}

static void test_callbacks(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *target = node_new(1);
        if (shared)
            ouro_share(target);
        ouro_weak *a = weak_new(target, callback, &called), *b = weak_new(target, NULL, NULL),
                  *c = weak_new(target, callback, &called);
        ouro_release(c); /* dies before its target: not called */
        called = 0;
        ouro_release(target);
        CHECK_EQ(called, 1);
        CHECK_PTR(called_with, a);
        CHECK_EQ(ouro_refcount(a), 1);
        CHECK_PTR(oi_act.callbacks, NULL);
        ouro_release(a);
        ouro_release(b);
        CHECK_EQ(called, 1);
    }
}

/* Not in a read section, and not in a finalizer: at its end. */
static void test_callbacks_wait(void)
{
    struct node *target = plain_new(1);
    ouro_weak *weak = weak_new(target, callback, &called);
    called = 0;
    ouro_read_begin();
    ouro_release(target);
    CHECK_EQ(called, 0);
    CHECK_PTR(oi_act.callbacks, weak);
    CHECK_PTR(ouro_weak_get(weak), NULL); /* dead all the same */
    ouro_read_end();
    CHECK_EQ(called, 1);
    CHECK_PTR(oi_act.callbacks, NULL);
    ouro_release(weak);
}

static ouro_weak *watched;

static void look_at_weak(void *object)
{
    (void)object;
    CHECK_PTR(ouro_weak_get(watched), NULL);
}

/* A published target reads as dead while its finalizer runs; revived, it reads as the target again. */
static struct node *rescued;

static void rescue(void *object)
{
    look_at_weak(object);
    rescued = ouro_retain(object);
}

static void test_finalizing(void)
{
    struct node *target = node_new(1);
    ouro_share(target);
    watched = weak_new(target, callback, &called);
    called = 0;
    on_finalize(rescue);
    ouro_release(target);
    CHECK_PTR(rescued, target);
    CHECK_EQ(called, 0);
    CHECK_PTR(ouro_weak_get(watched), target);
    ouro_release(target);
    ouro_release(rescued);
    CHECK_EQ(called, 1);
    CHECK_PTR(ouro_weak_get(watched), NULL);
    ouro_release(watched);
}

/* ---- refused ---- */

static void *weak_to_foreign(void *object)
{
    CHECK_PTR(ouro_weak_new(object, NULL, NULL), NULL);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_weak_new", "plain", object);
    return NULL;
}

static void test_refused(void)
{
    struct node *n = plain_new(1), *stays = plain_new(2);
    CHECK_PTR(ouro_weak_new(NULL, NULL, NULL), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_weak_new", NULL, NULL);
    CHECK_PTR(ouro_weak_get(NULL), NULL);
    CHECK_PTR(ouro_weak_get((ouro_weak *)(void *)n), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_weak_get", "plain", n);
    thread_join_running(thread_start(weak_to_foreign, n, 0));
    CHECK_EQ(oi_flags(&n->object), 0);
    ouro_release(n);
    CHECK_PTR(ouro_weak_new(n, NULL, NULL), NULL);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_weak_new", NULL, n);
    ouro_release(stays);
}

static void test_without_memory(void)
{
    struct node *n = plain_new(1);
    oi_pool_collect(&oi_act.self->pool);
    oi_page_set_limits(0, 1);
    ouro_weak *weak[5000];
    int made = 0;
    while (made < 5000 && (weak[made] = ouro_weak_new(n, NULL, NULL)))
        made++;
    CHECK_LT(made, 5000);
    CHECK(!made || weak[0]->anchor->references == (uint32_t)made + 1);
    CHECK_EQ(ouro_refcount(n), 1);
    oi_page_set_limits(0, 0);
    while (made)
        ouro_release(weak[--made]);
    ouro_release(n);
}

/* ---- raced ---- */

enum { STEPS = 15000, SHARED = 4 };

static struct table *targets, *weaks;

/* Targets and weak references come and go in shared slots: an upgrade gives a live object or NULL. */
static void work(struct member *self)
{
    for (int i = 0; i < SCALED(STEPS); i++) {
        uint32_t k = rng_below(&self->rng, SHARED);
        if (rng_one_in(&self->rng, 4)) {
            struct node *n = rng_one_in(&self->rng, 8) ? NULL : plain_new(1000);
            if (n)
                ouro_give(weaks, &weaks->items[k], weak_new(n, NULL, NULL));
            ouro_give(targets, &targets->items[k], n);
        } else {
            ouro_weak *weak = ouro_get(weaks, &weaks->items[k]);
            struct node *n = ouro_weak_get(weak);
            if (n)
                CHECK(n->id == 1000 && ouro_refcount(n) >= 1);
            ouro_release(n);
            ouro_release(weak);
        }
    }
}

static void test_race(void)
{
    targets = table_new(SHARED);
    weaks = table_new(SHARED);
    ouro_share(targets);
    ouro_share(weaks);
    team_run(3, seed, work, NULL);
    ouro_release(targets);
    ouro_release(weaks);
}

int main(void)
{
    check_start("weak_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    FIXTURE_RUN(test_verdict_biased);
    FIXTURE_RUN(test_verdict_merged);
    FIXTURE_RUN(test_verdict_elsewhere);
    FIXTURE_RUN(test_anchor);
    FIXTURE_RUN(test_anchor_is_used_again);
    FIXTURE_RUN(test_address_used_again);
    FIXTURE_RUN(test_die_together);
    FIXTURE_RUN(test_many);
    FIXTURE_RUN(test_callbacks);
    FIXTURE_RUN(test_callbacks_wait);
    FIXTURE_RUN(test_finalizing);
    FIXTURE_RUN(test_refused);
    FIXTURE_RUN(test_without_memory);
    FIXTURE_RUN(test_race);
    return check_finish();
}
