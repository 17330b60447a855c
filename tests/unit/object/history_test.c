/* SPDX-License-Identifier: MIT
 *
 * Histories: found by address, one for each object, whose last changes are kept; sites: equal ones have one number. */
#include "object/history.h"

#include <stdlib.h>
#include <string.h>

#include "object/site.h"
#include "support/check.h"
#include "support/first_backtrace.h"
#include "support/threads.h"

struct thing {
    ouro_object object;
    uint64_t content[4];
};
static ouro_type descriptor = OURO_TYPE(struct thing, .name = "thing");
static struct oi_type *type;

static struct thing *thing(void)
{
    struct thing *t = calloc(1, sizeof *t);
    REQUIRE(t);
    oi_history_born(t, type, sizeof *t);
    t->object.ouro_private_type = OI_OWN_TYPES; /* alive: the first of the program's types */
    t->object.ouro_private_owner = 1;
    return t;
}

static void forget(struct thing *t)
{
    oi_history_forget(t);
    free(t);
}

static void sum(const struct oi_type *of, uint32_t site, size_t size, const void *object, void *arg)
{
    CHECK_PTR(of, type);
    CHECK_NE(site, 0);
    CHECK_EQ(size, sizeof(struct thing));
    CHECK(object != NULL);
    ++*(size_t *)arg;
}

static size_t alive(void)
{
    size_t n = 0;
    oi_history_each(sum, &n);
    return n;
}

static void test_told(void)
{
    struct thing *t = thing();
    CHECK_PTR(oi_history_type(t), type);
    CHECK_NE(oi_history_site(t), 0);
    for (size_t i = 0; i < 20; i++)
        oi_history_add(&t->object, i % 2 ? OI_CHANGE_RELEASE : OI_CHANGE_RETAIN, 100 + i);
    oi_history_add(&t->object, OI_CHANGE_GARBAGE, 7);
    char *text = oi_history_tell(t);
    REQUIRE(text);
    CHECK_HAS(text, "48 bytes of type thing, made by thread ");
    CHECK_HAS(text, "the last 8 of 21, latest first");
    CHECK_HAS(text, "found to be garbage (references 7)");
    CHECK_HAS(text, "released (references 119 -> 118)");
    CHECK_HAS(text, "retained (references 118 -> 119)");
    CHECK(!strstr(text, "references 112 ")); /* the ninth before the last */
    CHECK(strstr(text, "garbage") < strstr(text, "119 -> 118"));
    free(text);
    oi_history_forget(t);
    CHECK_PTR(oi_history_tell(t), NULL);
    CHECK_PTR(oi_history_type(t), NULL);
    CHECK_EQ(oi_history_site(t), 0);
    forget(t);
    CHECK_EQ(alive(), 0);
}

/* Many, and the same address once more. */
static void test_many(void)
{
    enum { N = 20000 };
    static struct thing *of[N];
    size_t before = alive();
    for (int i = 0; i < N; i++)
        of[i] = thing();
    CHECK_EQ(alive() - before, N);
    oi_history_born(of[0], type, sizeof **of);
    CHECK_EQ(alive() - before, N);
    of[1]->object.ouro_private_type = 0; /* dead */
    CHECK_EQ(alive() - before, N - 1);
    for (int i = 0; i < N; i++)
        forget(of[i]);
    CHECK_EQ(alive(), before);
}

/* Any change of the content breaks the seal; one of the header does not. */
static void test_seal(void)
{
    struct thing *t = thing();
    CHECK(!oi_history_is_broken(&t->object));
    oi_history_seal(&t->object);
    t->object.ouro_private_local = 77;
    CHECK(!oi_history_is_broken(&t->object));
    for (size_t at = 0; at < sizeof t->content; at++) {
        ((unsigned char *)t->content)[at] ^= 0x10;
        CHECK(oi_history_is_broken(&t->object));
        ((unsigned char *)t->content)[at] ^= 0x10;
        CHECK(!oi_history_is_broken(&t->object));
    }
    t->object.ouro_private_type = OI_OWN_TYPES - 1; /* the library's own write when they are read */
    struct thing *own = thing();
    own->object.ouro_private_type = OI_OWN_TYPES - 1;
    oi_history_seal(&own->object);
    own->content[0] = 1;
    CHECK(!oi_history_is_broken(&own->object));
    forget(own);
    forget(t);
}

static __attribute__((noinline)) uint32_t here(void)
{
    uint32_t site = oi_site_here();
    __asm__ volatile("");
    return site;
}

static void test_sites(void)
{
    uint32_t same[3], other = here();
    for (volatile int i = 0; i < 3; i++) /* volatile: a loop that is unrolled has several places */
        same[i] = here();
    CHECK_EQ(same[0], same[1]);
    CHECK_EQ(same[1], same[2]);
    CHECK_NE(other, same[1]);
    uint32_t sites[] = {other, same[1], same[1], 0};
    char **names = oi_site_names(sites, 4);
    REQUIRE(names);
    CHECK_HAS(names[0], "test_sites (");
    CHECK_HAS(names[0], "history_test.c:");
    CHECK(strcmp(names[0], names[1]));
    CHECK_PTR(names[1], names[2]);
    CHECK_STR(names[3], "an unknown place");
    free(names);
}

static void busy(struct member *self)
{
    (void)self;
    for (int i = 0; i < SCALED(3000); i++) {
        struct thing *t = thing();
        for (int k = 0; k < 3; k++)
            oi_history_add(&t->object, OI_CHANGE_RETAIN, (size_t)k);
        CHECK_PTR(oi_history_type(t), type);
        forget(t);
    }
}

static void test_threads(void)
{
    size_t before = alive();
    team_run(4, 1, busy, NULL);
    CHECK_EQ(alive(), before);
}

int main(void)
{
    first_backtrace();
    check_start("history_test");
    type = calloc(1, sizeof *type);
    REQUIRE(type);
    type->descriptor = &descriptor;
    oi_site_start(6);
    oi_history_on = true;
    CHECK_RUN(test_told);
    CHECK_RUN(test_many);
    CHECK_RUN(test_seal);
    CHECK_RUN(test_sites);
    CHECK_RUN(test_threads);
    return check_finish();
}
