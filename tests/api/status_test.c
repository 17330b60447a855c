/* SPDX-License-Identifier: MIT
 *
 * Every status has the number, name and message of the list, numbers are distinct, anything else is unknown. */
#include <string.h>

#include <ouro/status.h>

#include "support/check.h"

struct expected {
    ouro_status status;
    int number;
    const char *name, *message;
};

#define EXPECTED(name, number, message) {name, number, #name, message},
static const struct expected list[] = {OURO_STATUS_LIST(EXPECTED)};
enum { COUNT = sizeof list / sizeof *list };

static void test_names_and_messages(void)
{
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(list[i].status, list[i].number);
        CHECK_STR(ouro_status_name(list[i].status), list[i].name);
        CHECK_STR(ouro_status_message(list[i].status), list[i].message);
    }
}

/* Part of the ABI: written down here a second time. */
static void test_numbers_never_change(void)
{
    CHECK_EQ(COUNT, 13);
    CHECK_EQ(OURO_OK, 0);
    CHECK_EQ(OURO_E_NOMEM, -1);
    CHECK_EQ(OURO_E_AGAIN, -2);
    CHECK_EQ(OURO_E_INVALID, -3);
    CHECK_EQ(OURO_E_USAGE, -4);
    CHECK_EQ(OURO_E_SYSTEM, -5);
    CHECK_EQ(OURO_E_TYPE, -6);
    CHECK_EQ(OURO_E_INDEX, -7);
    CHECK_EQ(OURO_E_KEY, -8);
    CHECK_EQ(OURO_E_CHANGED, -9);
    CHECK_EQ(OURO_E_END, -10);
    CHECK_EQ(OURO_E_ENCODING, -11);
    CHECK_EQ(OURO_E_HOST, -12);
}

static void test_unknown(void)
{
    static const int unknown[] = {1, -13, -14, 100, -100, 0x7fffffff, -0x7fffffff - 1};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_STR(ouro_status_name((ouro_status)unknown[i]), "OURO_E_UNKNOWN");
        CHECK_STR(ouro_status_message((ouro_status)unknown[i]), "unknown status");
    }
}

static void test_strings_are_static(void)
{
    CHECK_PTR(ouro_status_name(OURO_E_NOMEM), ouro_status_name(OURO_E_NOMEM));
    CHECK_PTR(ouro_status_message(OURO_E_NOMEM), ouro_status_message(OURO_E_NOMEM));
}

int main(void)
{
    check_start("status_test");
    CHECK_RUN(test_names_and_messages);
    CHECK_RUN(test_numbers_never_change);
    CHECK_RUN(test_unknown);
    CHECK_RUN(test_strings_are_static);
    return check_finish();
}
