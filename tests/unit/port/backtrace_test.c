/* SPDX-License-Identifier: MIT
 *
 * Return addresses, and the names of what is there. */
#include "port/backtrace.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/first_backtrace.h"

#define APART __attribute__((noinline))

static void *frames[OI_FRAMES_MAX];
static unsigned count;

static const int inner_at = __LINE__ + 3;
static APART void inner(unsigned max, unsigned skip)
{
    count = oi_backtrace(frames, max, skip);
    __asm__ volatile("");
}

static const int outer_at = __LINE__ + 3;
static APART void outer(unsigned max, unsigned skip)
{
    inner(max, skip);
    __asm__ volatile("");
}

static int depth;
static APART void deep(int more)
{
    if (more)
        deep(more - 1);
    else
        inner(OI_FRAMES_MAX, 0);
    depth++;
}

struct named {
    unsigned frame;
    char function[64], file[256];
    bool line_known, own_module;
};
static struct named named[64];
static int named_count;

static void name(const struct oi_place *place, void *arg)
{
    CHECK_PTR(arg, named);
    if (named_count == 64)
        return;
    struct named *n = &named[named_count++];
    n->frame = place->frame;
    n->line_known = place->line_known;
    n->own_module = place->own_module;
    snprintf(n->function, sizeof n->function, "%s", place->function);
    snprintf(n->file, sizeof n->file, "%s", place->file);
}

static void check_place(int i, const char *function, int line)
{
    char place[64];
    snprintf(place, sizeof place, "backtrace_test.c:%d", line);
    CHECK_STR(named[i].function, function);
    CHECK_HAS(named[i].file, place);
    CHECK(named[i].line_known);
    CHECK(!named[i].own_module); /* the library is a part of this program */
}

static void test_names(void)
{
    outer(2, 0);
    CHECK_EQ(count, 2);
    named_count = 0;
    oi_backtrace_name(frames, count, name, named);
    CHECK_EQ(named_count, 2);
    CHECK_EQ(named[0].frame, 0);
    CHECK_EQ(named[1].frame, 1);
    check_place(0, "inner", inner_at);
    check_place(1, "outer", outer_at);
    outer(1, 1);
    CHECK_EQ(count, 1);
    named_count = 0;
    oi_backtrace_name(frames, count, name, named);
    check_place(0, "outer", outer_at);
}

static void test_deep(void)
{
    deep(100);
    CHECK_EQ(count, OI_FRAMES_MAX);
    CHECK_EQ(depth, 101);
}

/* Addresses of several modules, and of none. */
static void test_unknown(void)
{
    void *odd[] = {(void *)1, (char *)(uintptr_t)printf + 1, (char *)(uintptr_t)outer + 1};
    named_count = 0;
    oi_backtrace_name(odd, 3, name, named);
    CHECK_GE(named_count, 3);
    CHECK_EQ(named[0].frame, 0);
    CHECK(!named[0].line_known);
    CHECK_STR(named[0].function, "??");
    CHECK_EQ(named[1].frame, 1);
    CHECK(strcmp(named[1].function, "??"));
    CHECK_EQ(named[named_count - 1].frame, 2);
    CHECK_STR(named[named_count - 1].function, "outer");
    oi_backtrace_name(odd, 0, name, named);
}

int main(void)
{
    first_backtrace();
    check_start("backtrace_test");
    CHECK_RUN(test_names);
    CHECK_RUN(test_deep);
    CHECK_RUN(test_unknown);
    return check_finish();
}
