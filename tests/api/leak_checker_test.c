/* SPDX-License-Identifier: MIT
 *
 * LeakSanitizer and the heap: what only an object refers to is not leaked; what a dead one referred to is, in dev mode. Without the sanitizer there is
 * nothing to be seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ouro/ouro.h>

#include "support/check.h"
#include "support/child.h"
#include "support/first_backtrace.h"

#ifdef TEST_ASAN
int __lsan_do_recoverable_leak_check(void);

struct node {
    ouro_object object;
    ouro_slot next;
    char *text;
};
static ouro_type node_type = OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, next));

#define APART __attribute__((noinline))
enum { COUNT = 100, SIZE = 1234 };

static struct node *list; /* of COUNT */

static APART void make(void)
{
    for (int i = 0; i < COUNT; i++) {
        struct node *n = ouro_new(&node_type);
        REQUIRE(n);
        n->text = malloc(SIZE);
        REQUIRE(n->text);
        ouro_give(n, &n->next, list);
        list = n;
    }
}

static APART void drop(void)
{
    ouro_release(list);
    list = NULL;
}

/* What calls have left on the stack. */
static APART void forget(void)
{
    volatile char room[16384];
    memset((char *)room, 0, sizeof room);
}

static void keep(void *devmode)
{
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT | (devmode ? OURO_DEVMODE : 0)};
    REQUIRE(ouro_init(&config) == OURO_OK);
    make();
    forget();
    CHECK_EQ(__lsan_do_recoverable_leak_check(), 0);
}

static void lose(void *unused)
{
    (void)unused;
    keep("");
    drop();
    forget();
    CHECK_EQ(__lsan_do_recoverable_leak_check(), 1);
}

static char text[1 << 16];

static void test_kept(void)
{
    for (int devmode = 0; devmode < 2; devmode++) {
        CHECK_EQ(child_run_reading(keep, devmode ? "" : NULL, text, sizeof text), 0);
        CHECK_STR(text, "");
    }
}

static void test_lost(void)
{
    CHECK_EQ(child_run_reading(lose, NULL, text, sizeof text), 0);
    CHECK_HAS(text, "leak of 123400 byte(s) in 100 object(s)");
}
#endif

int main(void)
{
    check_start("leak_checker_test");
#ifdef TEST_ASAN
    first_backtrace();
    CHECK_RUN(test_kept);
    CHECK_RUN(test_lost);
#endif
    return check_finish();
}
