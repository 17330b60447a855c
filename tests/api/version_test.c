/* SPDX-License-Identifier: MIT
 *
 * The library's version is that of the headers it is built with, and the macros agree with each other. */
#include <stdio.h>

#include <ouro/version.h>

#include "support/check.h"

static void test_library_and_headers_agree(void)
{
    CHECK_STR(ouro_version(), OURO_VERSION_STRING);
    CHECK_PTR(ouro_version(), ouro_version());
}

static void test_string_is_made_of_the_numbers(void)
{
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", OURO_VERSION_MAJOR, OURO_VERSION_MINOR, OURO_VERSION_PATCH);
    CHECK_STR(OURO_VERSION_STRING, text);
}

int main(void)
{
    check_start("version_test");
    CHECK_RUN(test_library_and_headers_agree);
    CHECK_RUN(test_string_is_made_of_the_numbers);
    return check_finish();
}
