/* SPDX-License-Identifier: MIT
 *
 * Slots: who may work on them and how, counts of what goes in and out, and what is refused. */
#include <ouro/slot.h>

#include <string.h>

#include <ouro/ouro.h>

#include "object/count.h"
#include "support/fixture.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

#define IS_PUBLISHED(p) (!!(oi_flags((ouro_object *)(p)) & OI_PUBLISHED))

/* Each operation on an empty and on a full slot: content, counts, and who holds what afterwards. Private and shared
 * alike. */
static void check_operations(bool shared)
{
    struct node *box = plain_new(0), *x = plain_new(1), *y = plain_new(2);
    if (shared)
        ouro_share(box);
    CHECK_PTR(ouro_get(box, &box->a), NULL);
    CHECK_PTR(ouro_peek(&box->a), NULL);
    CHECK_PTR(ouro_take(box, &box->a), NULL);
    ouro_set(box, &box->a, x);
    CHECK_PTR(ouro_peek(&box->a), x);
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK_EQ(IS_PUBLISHED(x), shared);
    CHECK_PTR(ouro_get(box, &box->a), x);
    CHECK_EQ(ouro_refcount(x), 3);
    ouro_release(x);
    ouro_set(box, &box->a, x); /* itself again */
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_set(box, &box->a, y);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_EQ(ouro_refcount(y), 2);
    ouro_give(box, &box->a, ouro_retain(x));
    CHECK_EQ(ouro_refcount(x), 2);
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK_PTR(ouro_swap(box, &box->a, ouro_retain(y)), x);
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_release(x);
    CHECK_EQ(ouro_refcount(y), 2);
    CHECK_PTR(ouro_take(box, &box->a), y);
    CHECK_EQ(ouro_refcount(y), 2);
    CHECK_PTR(ouro_peek(&box->a), NULL);
    ouro_release(y);
    CHECK(!ouro_compare_set(box, &box->a, x, y));
    CHECK_PTR(ouro_peek(&box->a), NULL);
    CHECK(ouro_compare_set(box, &box->a, NULL, y));
    CHECK_EQ(ouro_refcount(y), 2);
    CHECK(!ouro_compare_set(box, &box->a, NULL, x));
    CHECK(!ouro_compare_set(box, &box->a, x, x));
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK(ouro_compare_set(box, &box->a, y, y));
    CHECK_EQ(ouro_refcount(y), 2);
    CHECK(ouro_compare_set(box, &box->a, y, x));
    CHECK_EQ(ouro_refcount(y), 1);
    CHECK(ouro_compare_set(box, &box->a, x, NULL));
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_PTR(ouro_peek(&box->a), NULL);
    CHECK_PTR(ouro_peek(&box->b), NULL);
    ouro_set(box, &box->a, NULL);
    ouro_give(box, &box->a, NULL);
    CHECK_PTR(ouro_swap(box, &box->a, NULL), NULL);
    ouro_release(x);
    ouro_release(y);
    ouro_release(box);
}

static void test_private(void)
{
    check_operations(false);
}

static void test_shared(void)
{
    check_operations(true);
}

static ouro_slot *old_slot;   /* where what dies was */
static void *expected_there;

static void look_into_slot(void *object)
{
    (void)object;
    if (old_slot)
        CHECK_PTR(ouro_peek(old_slot), expected_there);
}

/* The old content's last reference was the slot's: it dies, and the slot has its new content already. */
static void test_old_content_dies(void)
{
    on_finalize(look_into_slot);
    for (int shared = 0; shared < 2; shared++) {
        struct node *box = plain_new(0);
        if (shared)
            ouro_share(box);
        long before = finalized();
        ouro_give(box, &box->a, node_new(1));
        old_slot = &box->a;
        expected_there = NULL;
        ouro_set(box, &box->a, NULL);
        CHECK_EQ(finalized(), before + 1);
        ouro_give(box, &box->a, node_new(2));
        expected_there = node_new(3);
        ouro_give(box, &box->a, expected_there);
        CHECK_EQ(finalized(), before + 2);
        old_slot = NULL;
        ouro_release(box);
        CHECK_EQ(finalized(), before + 3);
    }
}

/* ---- what is inside ---- */

/* x: what to store; the caller has the only reference. */
static void check_refused_with(struct node *x, void *container, ouro_slot *slot, ouro_misuse_kind kind,
                               const char *type)
{
    CHECK_PTR(ouro_get(container, slot), NULL);
    CHECK_MISUSE(kind, "ouro_get", type, container);
    ouro_set(container, slot, x);
    CHECK_MISUSE(kind, "ouro_set", type, container);
    CHECK_PTR(ouro_take(container, slot), NULL);
    CHECK_MISUSE(kind, "ouro_take", type, container);
    CHECK(!ouro_compare_set(container, slot, NULL, x));
    CHECK_MISUSE(kind, "ouro_compare_set", type, container);
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_give(container, slot, ouro_retain(x)); /* what was to be taken over is released */
    CHECK_MISUSE(kind, "ouro_give", type, container);
    CHECK_EQ(ouro_refcount(x), 1);
    CHECK_PTR(ouro_swap(container, slot, ouro_retain(x)), NULL);
    CHECK_MISUSE(kind, "ouro_swap", type, container);
    CHECK_EQ(ouro_refcount(x), 1);
}

static void check_refused(void *container, ouro_slot *slot, ouro_misuse_kind kind, const char *type)
{
    struct node *x = plain_new(1);
    check_refused_with(x, container, slot, kind, type);
    ouro_release(x);
}

/* A slot before, behind, across the end of, or askew in its container, private or shared: refused, and nothing is
 * stored. */
static void test_outside(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = plain_new(1), *other = plain_new(2);
        if (shared)
            ouro_share(n);
        struct node before;
        memcpy(&before, n, sizeof before);
        ouro_slot *const outside[] = {
            (ouro_slot *)(void *)n,
            (ouro_slot *)(void *)n + 1,
            (ouro_slot *)(void *)n - 1,
            (ouro_slot *)(void *)(n + 1),
            (ouro_slot *)(void *)(n + 1) + 1,
            (ouro_slot *)(void *)((char *)&n->a + 4),
            (ouro_slot *)(void *)((char *)&n->a + 1),
            (ouro_slot *)(void *)((char *)(n + 1) - 4),
            &other->a,
            NULL,
        };
        for (unsigned i = 0; i < sizeof outside / sizeof *outside; i++) {
            check_refused(n, outside[i], OURO_MISUSE_SLOT_OUTSIDE, "plain");
            CHECK(!memcmp(&before, n, sizeof before));
        }
        CHECK_PTR(ouro_peek(&other->a), NULL);
        ouro_release(n);
        ouro_release(other);
    }
}

/* Arrays end where their length says, not where their block does. */
static void test_outside_of_array(void)
{
    for (int shared = 0; shared < 2; shared++) {
        for (size_t length = 0; length < 20; length++) {
            struct table *t = table_new(length);
            struct node *x = plain_new(1);
            if (shared)
                ouro_share(t);
            for (size_t i = 0; i < length; i++)
                ouro_set(t, &t->items[i], x);
            CHECK_EQ(ouro_refcount(x), 1 + length);
            check_refused(t, &t->items[length], OURO_MISUSE_SLOT_OUTSIDE, "table");
            check_refused(t, (ouro_slot *)(void *)&t->array.length - 1, OURO_MISUSE_SLOT_OUTSIDE, "table");
            ouro_release(t);
            ouro_release(x);
        }
    }
}

/* A slot that begins inside, and reaches beyond the end. */
static void test_outside_of_bytes(void)
{
    for (size_t length = 0; length < 8; length++) {
        struct bytes *b = ouro_new_array(&bytes_type, length);
        REQUIRE(b);
        for (size_t i = 0; i < length; i++)
            b->data[i] = 0xff;
        check_refused(b, (ouro_slot *)(void *)b->data, OURO_MISUSE_SLOT_OUTSIDE, "bytes");
        ouro_release(b);
    }
}

static void test_null_container(void)
{
    ouro_slot slot = {0};
    struct node *x = plain_new(1), *gone = plain_new(2), *stays = plain_new(3);
    CHECK(!ouro_compare_set(NULL, &slot, NULL, x));
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_compare_set", NULL, NULL);
    CHECK_PTR(ouro_take(NULL, &slot), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_take", NULL, NULL);
    ouro_release(gone);
    check_refused_with(x, gone, &gone->a, OURO_MISUSE_OVER_RELEASE, NULL);
    ouro_release(x);
    ouro_release(stays);
}

static void *use_foreign(void *object)
{
    struct node *n = object;
    check_refused(n, &n->a, OURO_MISUSE_FOREIGN_PRIVATE, "plain");
    struct node *mine = plain_new(1);
    ouro_set(mine, &mine->a, n);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_set", "plain", n);
    CHECK_PTR(ouro_peek(&mine->a), NULL);
    CHECK_PTR(ouro_swap(mine, &mine->a, n), NULL);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_swap", "plain", n);
    CHECK(!ouro_compare_set(mine, &mine->a, NULL, n));
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_compare_set", "plain", n);
    ouro_give(mine, &mine->a, n);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_give", "plain", n);
    CHECK_PTR(ouro_peek(&mine->a), NULL);
    ouro_release(mine);
    return NULL;
}

/* Another thread's private object: neither as a container nor as a content. */
static void test_foreign(void)
{
    struct node *n = plain_new(1), before;
    memcpy(&before, n, sizeof before);
    thread_join_running(thread_start(use_foreign, n, 0));
    CHECK(!memcmp(&before, n, sizeof before));
    ouro_release(n);
}

/* ---- the collector's mark ---- */

static void set_cand(struct node *n)
{
    oi_fetch_or_acqrel(&n->object.ouro_private_owner, OI_CAND);
}

/* A marked container works as ever; marked contents of private slots are counted right. */
static void test_marked(void)
{
    struct node *box = plain_new(0), *x = plain_new(1), *mine = plain_new(2);
    ouro_share(box);
    ouro_share(x);
    set_cand(box);
    ouro_set(box, &box->a, x);
    set_cand(box);
    set_cand(x);
    CHECK_PTR(ouro_get(box, &box->a), x);
    ouro_release(x);
    set_cand(x);
    ouro_set(mine, &mine->a, x);
    CHECK_EQ(ouro_refcount(x), 3);
    CHECK_PTR(ouro_peek(&mine->a), x);
    set_cand(x);
    CHECK_PTR(ouro_swap(mine, &mine->a, NULL), x);
    ouro_release(x);
    CHECK_EQ(ouro_refcount(x), 2);
    set_cand(x);
    ouro_give(mine, &mine->b, ouro_retain(x));
    CHECK_EQ(ouro_refcount(x), 3);
    CHECK_PTR(ouro_peek(&mine->b), x);
    ouro_release(mine);
    CHECK_EQ(ouro_refcount(x), 2);
    ouro_release(box);
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_release(x);
    CHECK_EQ(misuse_count(), 0);
}

/* ---- read sections ---- */

static void test_try_retain(void)
{
    struct node *n = plain_new(1);
    CHECK_PTR(ouro_try_retain(NULL), NULL);
    ouro_read_begin();
    ouro_read_begin();
    CHECK_EQ(oi_act.reading, 2);
    CHECK_PTR(ouro_try_retain(n), n);
    CHECK_EQ(ouro_refcount(n), 2);
    ouro_release(n);
    ouro_release(n);
    CHECK_PTR(ouro_try_retain(n), NULL);
    CHECK_EQ(n->id, 1); /* readable until the outermost end */
    ouro_read_end();
    CHECK_EQ(n->id, 1);
    ouro_read_end();
    CHECK_EQ(oi_act.reading, 0);
    ouro_read_end();
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_read_end", NULL, NULL);
    CHECK_EQ(oi_act.reading, 0);
}

/* In a section, a container that died meanwhile may be read, and nothing else. */
static void test_dead_container(void)
{
    struct node *box = plain_new(0), *x = plain_new(1);
    ouro_share(box);
    ouro_set(box, &box->a, x);
    ouro_read_begin();
    ouro_release(box);
    CHECK_PTR(ouro_peek(&box->a), x);
    void *found = ouro_get(box, &box->a);
    CHECK(found == x || !found);
    ouro_release(found);
    CHECK_EQ(misuse_count(), 0);
    ouro_set(box, &box->a, NULL);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_set", "plain", box);
    CHECK_PTR(ouro_take(box, &box->a), NULL);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_take", "plain", box);
    ouro_set(x, &x->a, box); /* nor may it be stored */
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_set", "plain", box);
    CHECK_PTR(ouro_peek(&x->a), NULL);
    ouro_read_end();
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_release(x);
}

/* ---- raced ---- */

enum { SLOTS = 8, STEPS = 20000 };

/* Every operation on the slots of one container by several threads: no reference is lost or found twice. */
static void work(struct member *self)
{
    struct table *t = self->arg;
    for (long i = 0; i < SCALED(STEPS); i++) {
        ouro_slot *slot = &t->items[rng_below(&self->rng, SLOTS)];
        struct node *n = rng_one_in(&self->rng, 2) ? node_new(i) : NULL, *found;
        switch (rng_below(&self->rng, 6)) {
        case 0:
            ouro_set(t, slot, n);
            break;
        case 1:
            ouro_give(t, slot, n);
            n = NULL;
            break;
        case 2:
            found = ouro_swap(t, slot, n);
            ouro_release(found);
            n = NULL;
            break;
        case 3:
            ouro_release(ouro_take(t, slot));
            break;
        case 4:
            found = ouro_get(t, slot);
            (void)ouro_compare_set(t, slot, found, n);
            ouro_release(found);
            break;
        default:
            ouro_read_begin();
            found = ouro_try_retain(ouro_peek(slot));
            ouro_read_end();
            if (found)
                CHECK(found->id >= 0 && found->id < STEPS);
            ouro_release(found);
        }
        ouro_release(n);
    }
}

static void test_race(void)
{
    struct table *t = table_new(SLOTS);
    ouro_share(t);
    team_run(3, seed, work, t);
    for (int i = 0; i < SLOTS; i++) {
        struct node *n = ouro_take(t, &t->items[i]);
        ouro_safepoint();
        CHECK_EQ(n ? ouro_refcount(n) : 1, 1);
        ouro_release(n);
    }
    ouro_release(t);
}

int main(void)
{
    check_start("slot_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_private);
    FIXTURE_RUN(test_shared);
    FIXTURE_RUN(test_old_content_dies);
    FIXTURE_RUN(test_outside);
    FIXTURE_RUN(test_outside_of_array);
    FIXTURE_RUN(test_outside_of_bytes);
    FIXTURE_RUN(test_null_container);
    FIXTURE_RUN(test_foreign);
    FIXTURE_RUN(test_marked);
    FIXTURE_RUN(test_try_retain);
    FIXTURE_RUN(test_dead_container);
    FIXTURE_RUN(test_race);
    return check_finish();
}
