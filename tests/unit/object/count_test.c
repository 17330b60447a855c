/* SPDX-License-Identifier: MIT
 *
 * The counts, by looking at the header: every state and every way from one to the next. */
#include "object/count.h"

#include <string.h>

#include <ouro/ouro.h>

#include "support/fixture.h"
#include "support/threads.h"

/* Where the object is, without what the compiler concludes from the inline functions about NULL. */
static ouro_object *header_of(void *p)
{
    __asm__("" : "+r"(p));
    return p;
}

#define HEADER(p) header_of(p)
#define LOCAL(p) oi_local(HEADER(p))
#define SHARED(p) oi_shared(HEADER(p))
#define OWNER(p) oi_owner(HEADER(p))
#define FLAGS(p) oi_flags(HEADER(p))
/* `shared` of a merged object with n references. */
#define MERGED(n) ((uint32_t)(n) * OI_ONE | OI_MERGED)

/* The other thread, while this one runs on (so that it is an owner that others have to hand things to). */
static void elsewhere(void *(*fn)(void *), void *arg)
{
    thread_join_running(thread_start(fn, arg, 0));
}

static void *retain_it(void *object)
{
    CHECK_PTR(ouro_retain(object), object);
    return NULL;
}

static void *release_it(void *object)
{
    ouro_release(object);
    return NULL;
}

static void set_cand(void *object)
{
    oi_fetch_or_acqrel(&HEADER(object)->ouro_private_owner, OI_CAND);
}

static bool has_cand(const void *object)
{
    return oi_owner((const ouro_object *)object) & OI_CAND;
}

/* An object that nobody owns, with n references that the caller has. */
static struct node *merged_new(unsigned n)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    elsewhere(retain_it, o); /* one in `shared` */
    ouro_release(o);         /* the last in `local` */
    CHECK_EQ(SHARED(o), MERGED(1));
    while (--n)
        ouro_retain(o);
    return o;
}

/* PRIVATE: owner me, `local` counts one less, `shared` zero. */
static void test_private(void)
{
    struct node *o = plain_new(1);
    CHECK_EQ(OWNER(o), oi_my_id());
    CHECK_EQ(FLAGS(o), 0);
    CHECK_EQ(LOCAL(o), 0);
    CHECK_EQ(SHARED(o), 0);
    for (unsigned i = 1; i <= 5; i++) {
        CHECK_PTR(ouro_retain(o), o);
        CHECK_EQ(LOCAL(o), i);
        CHECK_EQ(ouro_refcount(o), i + 1);
    }
    for (unsigned i = 5; i > 0; i--) {
        ouro_release(o);
        CHECK_EQ(LOCAL(o), i - 1);
    }
    CHECK_EQ(SHARED(o), 0);
    CHECK_EQ(FLAGS(o), 0);
    ouro_release(o);
    CHECK_EQ(oi_type_word(HEADER(o)), 0); /* the block is free */
}

/* BIASED: the owner counts in `local`, others in `shared`. */
static void test_biased(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    CHECK_EQ(FLAGS(o), OI_PUBLISHED);
    CHECK_EQ(OWNER(o), oi_my_id());
    CHECK_EQ(SHARED(o), 0);
    ouro_retain(o);
    CHECK_EQ(LOCAL(o), 1);
    CHECK_EQ(SHARED(o), 0);
    elsewhere(retain_it, o);
    elsewhere(retain_it, o);
    CHECK_EQ(LOCAL(o), 1);
    CHECK_EQ(SHARED(o), 2 * OI_ONE);
    CHECK_EQ(ouro_refcount(o), 4);
    elsewhere(release_it, o);
    CHECK_EQ(SHARED(o), OI_ONE);
    elsewhere(release_it, o);
    CHECK_EQ(SHARED(o), 0);
    CHECK_EQ(OWNER(o), oi_my_id());
    ouro_release(o);
    CHECK_EQ(LOCAL(o), 0);
    ouro_release(o);
}

/* The owner drops its last: the bias ends, with the others' references and a count that is right. */
static void test_unbias(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    for (int i = 0; i < 3; i++)
        elsewhere(retain_it, o);
    ouro_release(o);
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(SHARED(o), MERGED(3));
    CHECK_EQ(FLAGS(o), OI_PUBLISHED);
    CHECK_EQ(ouro_refcount(o), 3);
    for (int i = 0; i < 3; i++)
        ouro_release(o);
}

/* oi_unbias accounts for every reference in `local`, less the one it uses up. */
static void test_unbias_with_local_references(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    for (int i = 0; i < 4; i++)
        ouro_retain(o);
    elsewhere(retain_it, o);
    CHECK(!oi_unbias(HEADER(o), 1, "test"));
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(SHARED(o), MERGED(5)); /* 5 + 1 - 1 */
    for (int i = 0; i < 5; i++)
        ouro_release(o);
}

/* The last reference of all: unbias says so, and the object is DEAD and the caller's. */
static void test_unbias_to_death(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    CHECK(oi_unbias(HEADER(o), 1, "test"));
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(SHARED(o), OI_DEAD);
    oi_store_relaxed(&HEADER(o)->ouro_private_shared, MERGED(1)); /* back, to be dropped properly */
    ouro_release(o);
}

/* MERGED: everybody, the former owner too, counts in `shared`; `local` is left alone. */
static void test_merged(void)
{
    struct node *o = merged_new(1);
    uint32_t local = LOCAL(o);
    ouro_retain(o);
    CHECK_EQ(SHARED(o), MERGED(2));
    elsewhere(retain_it, o);
    CHECK_EQ(SHARED(o), MERGED(3));
    elsewhere(release_it, o);
    ouro_release(o);
    CHECK_EQ(SHARED(o), MERGED(1));
    CHECK_EQ(LOCAL(o), local);
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(ouro_refcount(o), 1);
    elsewhere(release_it, o); /* the last, by anyone */
}

/* DEAD: as its readers last saw it, and nobody gets it back. */
static void test_dead(void)
{
    struct node *o = merged_new(1);
    o->id = 4711;
    uint32_t type = oi_type_word(HEADER(o));
    ouro_read_begin();
    ouro_release(o);
    CHECK_EQ(SHARED(o), OI_DEAD);
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(oi_type_word(HEADER(o)), type);
    CHECK_EQ(o->id, 4711);
    CHECK(FLAGS(o) & OI_PUBLISHED);
    CHECK(!oi_try_retain(HEADER(o)));
    CHECK_PTR(ouro_try_retain(o), NULL);
    CHECK_EQ(SHARED(o), OI_DEAD);
    CHECK_EQ(ouro_refcount(o), 0);
    CHECK_EQ(misuse_count(), 0);
    ouro_release(o);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_release", "plain", o);
    CHECK_EQ(SHARED(o), OI_DEAD);
    ouro_read_end();
}

/* STUCK: nobody writes `shared` any more. */
static void test_stuck(void)
{
    for (int how = 0; how < 3; how++) {
        struct node *o = how == 2 ? merged_new(1) : plain_new(1);
        if (how == 1)
            ouro_share(o);
        ouro_immortalize(o);
        CHECK_EQ(SHARED(o), OI_STUCK_WORD);
        CHECK_EQ(OWNER(o), 0);
        CHECK(FLAGS(o) & OI_PUBLISHED);
        CHECK(ouro_refcount(o) == SIZE_MAX);
        uint32_t local = LOCAL(o);
        ouro_retain(o);
        ouro_release(o);
        ouro_release(o);
        elsewhere(release_it, o);
        elsewhere(retain_it, o);
        ouro_immortalize(o);
        CHECK(oi_try_retain(HEADER(o)));
        CHECK(!oi_unbias(HEADER(o), 1, "test"));
        CHECK_EQ(SHARED(o), OI_STUCK_WORD);
        CHECK_EQ(LOCAL(o), local);
        oi_set_shared(HEADER(o), MERGED(1)); /* mortal again */
        ouro_release(o);
    }
}

static void *immortalize_it(void *object)
{
    ouro_immortalize(object);
    return NULL;
}

/* Made immortal by a thread that is not its owner: the owner's `local` no longer counts. */
static void test_stuck_by_another(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    elsewhere(immortalize_it, o);
    CHECK_EQ(SHARED(o), OI_STUCK_WORD);
    CHECK_EQ(OWNER(o), oi_my_id());
    ouro_retain(o);
    ouro_release(o);
    ouro_release(o); /* `local` wraps: the bias ends, the object stays */
    CHECK_EQ(SHARED(o), OI_STUCK_WORD);
    CHECK_EQ(OWNER(o), 0);
    CHECK(ouro_refcount(o) == SIZE_MAX);
    oi_set_shared(HEADER(o), MERGED(1));
    ouro_release(o);
}

/* `local` at its end: the object becomes immortal, private or published, retained by any of the ways. */
static void test_local_overflow(void)
{
    for (int how = 0; how < 4; how++) {
        struct node *o = plain_new(1), *holder = plain_new(2);
        if (how % 2)
            ouro_share(o);
        oi_set_local(HEADER(o), 0x7ffffffeu);
        CHECK_EQ(ouro_refcount(o), 0x7fffffffu);
        ouro_retain(o);
        CHECK_EQ(LOCAL(o), 0x7fffffffu);
        CHECK_EQ(OWNER(o), oi_my_id());
        if (how < 2)
            CHECK_PTR(ouro_retain(o), o);
        else if (how == 2)
            ouro_set(holder, &holder->a, o);
        else
            CHECK(oi_try_retain(HEADER(o)));
        CHECK_EQ(SHARED(o), OI_STUCK_WORD);
        CHECK_EQ(OWNER(o), 0);
        CHECK(ouro_refcount(o) == SIZE_MAX);
        ouro_retain(o);
        ouro_release(o);
        CHECK_EQ(SHARED(o), OI_STUCK_WORD);
        ouro_release(holder);
        CHECK_EQ(SHARED(o), OI_STUCK_WORD);
        oi_set_shared(HEADER(o), MERGED(1));
        ouro_release(o);
    }
}

/* `shared` at its end, merged or biased: likewise. */
static void test_shared_overflow(void)
{
    for (int biased = 0; biased < 2; biased++) {
        for (int try = 0; try < 2; try++) {
            struct node *o = biased ? plain_new(1) : merged_new(1);
            if (biased)
                ouro_share(o);
            uint32_t merged = biased ? 0 : OI_MERGED;
            oi_set_shared(HEADER(o), ((uint32_t)OI_COUNT_MAX - 1) * OI_ONE | merged);
            elsewhere(retain_it, o);
            CHECK_EQ(SHARED(o), (uint32_t)OI_COUNT_MAX * OI_ONE | merged);
            CHECK_EQ(oi_count(SHARED(o)), OI_COUNT_MAX);
            if (try && !biased)
                CHECK(oi_try_retain(HEADER(o)));
            else
                elsewhere(retain_it, o);
            CHECK_EQ(SHARED(o), OI_STUCK_WORD);
            oi_set_owner(HEADER(o), 0);
            oi_set_shared(HEADER(o), MERGED(1));
            ouro_release(o);
        }
    }
}

/* The sum of both is too much when the bias ends. */
static void test_unbias_overflow(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    oi_set_local(HEADER(o), 1);
    oi_set_shared(HEADER(o), (uint32_t)OI_COUNT_MAX * OI_ONE);
    CHECK(!oi_unbias(HEADER(o), 1, "test"));
    CHECK_EQ(SHARED(o), OI_STUCK_WORD);
    CHECK_EQ(misuse_count(), 0);
    oi_set_shared(HEADER(o), MERGED(1));
    ouro_release(o);
    o = plain_new(1);
    ouro_share(o);
    oi_set_shared(HEADER(o), (uint32_t)OI_COUNT_MAX * OI_ONE); /* plus one, less one: still fits */
    CHECK(!oi_unbias(HEADER(o), 1, "test"));
    CHECK_EQ(SHARED(o), (uint32_t)OI_COUNT_MAX * OI_ONE | OI_MERGED);
    oi_set_shared(HEADER(o), MERGED(1));
    ouro_release(o);
}

/* More was dropped than there was: reported when the bias ends, and the object kept for ever. */
static void test_unbias_below_zero(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    oi_set_shared(HEADER(o), (uint32_t)-2 * OI_ONE);
    ouro_release(o);
    CHECK_MISUSE(OURO_MISUSE_OVER_RELEASE, "ouro_release", "plain", o);
    CHECK_EQ(SHARED(o), OI_STUCK_WORD);
    oi_set_shared(HEADER(o), MERGED(1));
    ouro_release(o);
    /* Below zero for a while is in order: the sum counts. */
    o = plain_new(1);
    ouro_share(o);
    for (int i = 0; i < 4; i++)
        ouro_retain(o);
    oi_set_shared(HEADER(o), (uint32_t)-2 * OI_ONE);
    CHECK_EQ(ouro_refcount(o), 3);
    CHECK(!oi_unbias(HEADER(o), 1, "test"));
    CHECK_EQ(SHARED(o), MERGED(2));
    ouro_release(o);
    ouro_release(o);
}

/* The collector's mark: whatever disposes of a reference clears it; what only adds one need not. Counts are right
 * either way. */
static void test_cand_release(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    ouro_retain(o);
    ouro_retain(o);
    set_cand(o);
    ouro_release(o); /* the owner */
    CHECK(!has_cand(o));
    CHECK_EQ(LOCAL(o), 1);
    CHECK_EQ(OWNER(o), oi_my_id());
    elsewhere(retain_it, o);
    set_cand(o);
    elsewhere(release_it, o); /* another thread */
    CHECK(!has_cand(o));
    CHECK_EQ(SHARED(o), 0);
    CHECK_EQ(OWNER(o), oi_my_id());
    ouro_release(o);
    set_cand(o);
    ouro_release(o); /* the last */
    o = merged_new(2);
    set_cand(o);
    ouro_release(o);
    CHECK(!has_cand(o));
    CHECK_EQ(SHARED(o), MERGED(1));
    CHECK_EQ(OWNER(o), 0);
    set_cand(o);
    ouro_release(o);
}

static void test_cand_unbias(void)
{
    struct node *o = plain_new(1);
    ouro_share(o);
    elsewhere(retain_it, o);
    set_cand(o);
    CHECK(!oi_unbias(HEADER(o), 1, "test"));
    CHECK(!has_cand(o));
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(SHARED(o), MERGED(1));
    ouro_release(o);
}

static void test_cand_stores(void)
{
    struct node *o = merged_new(1), *box = plain_new(2);
    ouro_share(box);
    for (int how = 0; how < 4; how++) {
        ouro_retain(o);
        set_cand(o);
        switch (how) {
        case 0: /* keeps its reference, and stores another */
            ouro_set(box, &box->a, o);
            CHECK(!has_cand(o));
            CHECK_EQ(SHARED(o), MERGED(3));
            ouro_release(o);
            break;
        case 1:
            ouro_give(box, &box->a, o);
            break;
        case 2:
            CHECK_PTR(ouro_swap(box, &box->a, o), NULL);
            break;
        default:
            CHECK(ouro_compare_set(box, &box->a, NULL, o));
            CHECK(!has_cand(o));
            ouro_release(o);
        }
        CHECK(!has_cand(o));
        CHECK_EQ(SHARED(o), MERGED(2));
        CHECK_EQ(OWNER(o), 0);
        ouro_set(box, &box->a, NULL);
        CHECK_EQ(SHARED(o), MERGED(1));
    }
    ouro_release(o);
    ouro_release(box);
}

/* Adding a reference to a marked object counts in the right place. */
static void test_cand_retains(void)
{
    struct node *o = plain_new(1), *m = merged_new(1), *box = plain_new(2);
    ouro_share(o);
    ouro_share(box);
    set_cand(o);
    set_cand(m);
    ouro_retain(o);
    CHECK_EQ(LOCAL(o), 1);
    CHECK_EQ(SHARED(o), 0);
    ouro_retain(m);
    CHECK_EQ(SHARED(m), MERGED(2));
    ouro_set(box, &box->a, o);
    ouro_set(box, &box->b, m);
    set_cand(o);
    set_cand(m);
    CHECK_PTR(ouro_get(box, &box->a), o);
    CHECK_EQ(LOCAL(o), 3);
    CHECK_PTR(ouro_get(box, &box->b), m);
    CHECK_EQ(SHARED(m), MERGED(4));
    CHECK_PTR(ouro_take(box, &box->a), o);
    CHECK_PTR(ouro_take(box, &box->b), m);
    CHECK_EQ(LOCAL(o), 3);
    CHECK_EQ(SHARED(m), MERGED(4));
    CHECK(oi_try_retain(HEADER(o)));
    CHECK_EQ(LOCAL(o), 4);
    elsewhere(retain_it, o);
    CHECK_EQ(LOCAL(o), 4);
    CHECK_EQ(SHARED(o), OI_ONE);
    elsewhere(release_it, o);
    for (int i = 0; i < 5; i++)
        ouro_release(o);
    for (int i = 0; i < 4; i++)
        ouro_release(m);
    ouro_release(box);
}

static void *use_foreign(void *object)
{
    CHECK_PTR(ouro_retain(object), NULL);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_retain", "plain", object);
    ouro_release(object);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_release", "plain", object);
    ouro_immortalize(object);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_immortalize", "plain", object);
    return NULL;
}

/* Another thread's private object: reported, and not touched. */
static void test_foreign(void)
{
    struct node *o = plain_new(1);
    ouro_object before;
    memcpy(&before, o, sizeof before);
    elsewhere(use_foreign, o);
    CHECK(!memcmp(&before, o, sizeof before));
    ouro_release(o);
}

static void *be_unbiased(void *unused)
{
    (void)unused;
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    struct node *o = plain_new(1);
    CHECK_EQ(OWNER(o), 0);
    CHECK_EQ(FLAGS(o), OI_PUBLISHED);
    CHECK_EQ(SHARED(o), MERGED(1));
    ouro_retain(o);
    CHECK_EQ(SHARED(o), MERGED(2));
    ouro_release(o);
    ouro_release(o);
    return NULL;
}

/* Objects of a thread that hops are born merged. */
static void test_born_merged(void)
{
    elsewhere(be_unbiased, NULL);
}

/* While its last reference is being dropped, `local` reads as 0. */
static void test_local_tokens(void)
{
    CHECK_EQ(oi_local_tokens(0), 1);
    CHECK_EQ(oi_local_tokens(1), 2);
    CHECK_EQ(oi_local_tokens(0x7fffffffu), 0x80000000u);
    CHECK_EQ(oi_local_tokens(OI_LAST), 1);
    CHECK_EQ(oi_count(0), 0);
    CHECK_EQ(oi_count(OI_DEAD), 0);
    CHECK_EQ(oi_count((uint32_t)-1 * OI_ONE), -1);
    CHECK_EQ(oi_count((uint32_t)-1 * OI_ONE | OI_MERGED), -1);
    CHECK(OI_STUCK_WORD & OI_STUCK && oi_count(OI_STUCK_WORD) > 0);
}

int main(void)
{
    check_start("count_test");
    fixture_start();
    FIXTURE_RUN(test_private);
    FIXTURE_RUN(test_biased);
    FIXTURE_RUN(test_unbias);
    FIXTURE_RUN(test_unbias_with_local_references);
    FIXTURE_RUN(test_unbias_to_death);
    FIXTURE_RUN(test_merged);
    FIXTURE_RUN(test_dead);
    FIXTURE_RUN(test_stuck);
    FIXTURE_RUN(test_stuck_by_another);
    FIXTURE_RUN(test_local_overflow);
    FIXTURE_RUN(test_shared_overflow);
    FIXTURE_RUN(test_unbias_overflow);
    FIXTURE_RUN(test_unbias_below_zero);
    FIXTURE_RUN(test_cand_release);
    FIXTURE_RUN(test_cand_unbias);
    FIXTURE_RUN(test_cand_stores);
    FIXTURE_RUN(test_cand_retains);
    FIXTURE_RUN(test_foreign);
    FIXTURE_RUN(test_born_merged);
    FIXTURE_RUN(test_local_tokens);
    return check_finish();
}
