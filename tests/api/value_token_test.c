/* SPDX-License-Identifier: MIT
 *
 * Tokens: values come back once, as they are; what is wrong; who holds them meanwhile; many threads; what shutdown says of those that nobody
 * imported. */
#include <pthread.h>
#include <stdlib.h>

#include "support/threads.h"
#include "support/values.h"

static void test_once(void)
{
    ouro_value list = ouro_list_new(), back = OURO_TRUE;
    int64_t token = 0, other = 0;
    CHECK_OK(ouro_list_append(list, INT(7)));
    CHECK_OK(ouro_export(list, &token));
    CHECK(token > 0 && token < (int64_t)1 << 53);
    CHECK_OK(ouro_export(list, &other));
    CHECK(other != token);
    CHECK_OK(ouro_import(token, &back));
    CHECK_EQ(back, list);
    ouro_value_release(back);
    CHECK_EQ(ouro_import(token, &back), OURO_E_KEY);
    CHECK_EQ(back, OURO_NIL);
    CHECK_OK(ouro_import(other, &back));
    ouro_value_release(back);
    ouro_value_release(list);
}

static void test_any_value(void)
{
    const ouro_value all[] = {OURO_NIL, OURO_TRUE, INT(-5), text("a text"), number(1.5), tuple_of(1, INT(1))};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int64_t token;
        ouro_value back = OURO_FALSE;
        CHECK_OK(ouro_export(all[i], &token));
        CHECK_OK(ouro_import(token, &back));
        CHECK_EQ(back, all[i]);
        ouro_value_release(back);
        ouro_value_release(all[i]);
    }
}

static void test_wrong(void)
{
    ouro_value back = OURO_TRUE;
    int64_t token = 5;
    CHECK_EQ(ouro_export(INT(1), NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_import(1, NULL), OURO_E_INVALID);
    const int64_t none[] = {0, -1, INT64_MAX, INT64_MIN, (int64_t)1 << 52};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        back = OURO_TRUE;
        CHECK_EQ(ouro_import(none[i], &back), OURO_E_KEY);
        CHECK_EQ(back, OURO_NIL);
    }
    CHECK_OK(ouro_export(OURO_NIL, &token));
    CHECK_OK(ouro_import(token, &back));
}

/* The exporter may let go at once. */
static void test_holds(void)
{
    ouro_value list = ouro_list_new(), back = OURO_NIL;
    ouro_weak *weak = ouro_weak_new(ouro_value_object(list), NULL, NULL);
    int64_t token;
    CHECK_OK(ouro_export(list, &token));
    ouro_value_release(list);
    ouro_gc_collect(2);
    void *target = ouro_weak_get(weak);
    CHECK(target != NULL);
    ouro_release(target);
    CHECK_OK(ouro_import(token, &back));
    ouro_value_release(back);
    CHECK(ouro_weak_get(weak) == NULL);
    ouro_release(weak);
}

enum { THREADS = 4, ROUNDS = 500 };
static int64_t tokens[THREADS][ROUNDS];

/* A list of its own goes to the main thread, and to no other, though all look for it. */
static void *export_all(void *arg)
{
    int64_t *mine = arg;
    for (int i = 0; i < ROUNDS; i++) {
        ouro_value list = ouro_list_new();
        CHECK_OK(ouro_list_append(list, INT(mine - tokens[0] + i)));
        CHECK_OK(ouro_export(list, &mine[i]));
        ouro_value_release(list);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t ids[THREADS];
    for (int t = 0; t < THREADS; t++)
        REQUIRE(pthread_create(&ids[t], NULL, export_all, tokens[t]) == 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(ids[t], NULL);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < ROUNDS; i++) {
            ouro_value list = OURO_NIL, item = OURO_NIL;
            CHECK_OK(ouro_import(tokens[t][i], &list));
            CHECK_OK(ouro_list_get(list, 0, &item));
            CHECK_EQ(item, INT(t * ROUNDS + i));
            ouro_value_release(list);
        }
}

static int64_t contested;
static long imported;

static void *import_one(void *unused)
{
    ouro_value got = OURO_NIL;
    (void)unused;
    if (ouro_import(contested, &got) == OURO_OK)
        __atomic_fetch_add(&imported, 1, __ATOMIC_RELAXED);
    ouro_value_release(got);
    return NULL;
}

static void test_one_of_many(void)
{
    for (int round = 0; round < 50; round++) {
        pthread_t ids[THREADS];
        ouro_value list = ouro_list_new();
        imported = 0;
        CHECK_OK(ouro_export(list, &contested));
        ouro_value_release(list);
        for (int t = 0; t < THREADS; t++)
            REQUIRE(pthread_create(&ids[t], NULL, import_one, NULL) == 0);
        for (int t = 0; t < THREADS; t++)
            pthread_join(ids[t], NULL);
        CHECK_EQ(imported, 1);
    }
}

static void test_shutdown(void)
{
    ouro_leak_report report;
    ouro_value back = OURO_NIL;
    int64_t token;
    CHECK_OK(ouro_shutdown(&report));
    CHECK_EQ(report.objects, 0); /* the dict has gone */
    ouro_value list = ouro_list_new();
    CHECK_OK(ouro_export(list, &token));
    ouro_value_release(list);
    CHECK_OK(ouro_shutdown(&report));
    CHECK(report.objects >= 2); /* it, and the dict */
    CHECK_OK(ouro_import(token, &back));
    CHECK_EQ(back, list);
    ouro_value_release(back);
    CHECK_OK(ouro_shutdown(&report));
    CHECK_EQ(report.objects, 0);
}

int main(void)
{
    ouro_value nothing = OURO_NIL;
    int64_t token;
    check_start("value_token_test");
    fixture_start();
    CHECK_OK(ouro_export(OURO_NIL, &token)); /* what holds them stays */
    CHECK_OK(ouro_import(token, &nothing));
    FIXTURE_RUN(test_once);
    FIXTURE_RUN(test_any_value);
    FIXTURE_RUN(test_wrong);
    FIXTURE_RUN(test_holds);
    test_threads(); /* what holds them grows: that all is gone is in the report */
    test_one_of_many();
    test_shutdown();
    return check_finish();
}
