/* SPDX-License-Identifier: MIT
 *
 * Names and messages of status codes; the internal check; rounding. */
#include "base/base.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <ouro/status.h>

#include "support/check.h"
#include "support/child.h"

/* Every constant has its own name, and the message of the list. */
static void test_status_names(void)
{
#define ONE(name, number, message)                     \
    CHECK_EQ(name, number);                            \
    CHECK_STR(ouro_status_name(name), #name);          \
    CHECK_STR(ouro_status_message(name), message);
    OURO_STATUS_LIST(ONE)
#undef ONE
}

/* No two codes share a message, and none is empty. */
static void test_messages_differ(void)
{
    static const ouro_status all[] = {
#define ONE(name, number, message) name,
        OURO_STATUS_LIST(ONE)
#undef ONE
    };
    enum { N = sizeof all / sizeof *all };
    for (int i = 0; i < N; i++) {
        CHECK(ouro_status_message(all[i])[0] != 0);
        for (int j = 0; j < i; j++) {
            CHECK_NE(all[i], all[j]);
            CHECK(strcmp(ouro_status_message(all[i]), ouro_status_message(all[j])) != 0);
        }
    }
}

static void test_unknown_status(void)
{
    static const int unknown[] = {1, -13, 100, -100, 127, -128};
    for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_STR(ouro_status_name((ouro_status)unknown[i]), "OURO_E_UNKNOWN");
        CHECK_STR(ouro_status_message((ouro_status)unknown[i]), "unknown status");
    }
}

static void test_round_up(void)
{
    for (size_t power = 1; power <= 4096; power *= 2) {
        for (size_t value = 0; value <= 3 * power; value++) {
            size_t up = oi_round_up(value, power);
            CHECK(up >= value && up - value < power && up % power == 0);
        }
    }
}

static void fail_check(void *unused)
{
    (void)unused;
    oi_assert_failed("water is dry", "somewhere.c", 1234);
}

/* A failed internal check says what and where, and aborts. */
static void test_assert_failed(void)
{
    char text[512];
    int status = child_run_reading(fail_check, NULL, text, sizeof text);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_HAS(text, "water is dry");
    CHECK_HAS(text, "somewhere.c:1234");
}

/* Evaluated in debug builds only, and once. */
static void test_assert_evaluates(void)
{
    int evaluated = 0;
    OI_ASSERT(++evaluated);
    CHECK_EQ(evaluated, OURO_DEBUG ? 1 : 0);
}

static void test_container_of(void)
{
    struct outer {
        long first;
        int inner;
    } object = {0};
    CHECK_PTR(OI_CONTAINER_OF(&object.inner, struct outer, inner), &object);
}

int main(void)
{
    check_start("base_test");
    CHECK_RUN(test_status_names);
    CHECK_RUN(test_messages_differ);
    CHECK_RUN(test_unknown_status);
    CHECK_RUN(test_round_up);
    CHECK_RUN(test_assert_failed);
    CHECK_RUN(test_assert_evaluates);
    CHECK_RUN(test_container_of);
    return check_finish();
}
