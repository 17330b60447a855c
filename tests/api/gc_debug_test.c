/* SPDX-License-Identifier: MIT
 *
 * Debug flags of the gc interface: what is printed, and the garbage list: complete, alive, untouched by finalizers and weak references, and gone
 * when it is cleared. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/threads.h"

/* What fn prints to stderr. */
static const char *printed_by(void (*fn)(void))
{
    static char text[1 << 16];
    FILE *file = tmpfile();
    REQUIRE(file);
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    REQUIRE(before >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    fn();
    fflush(stderr);
    REQUIRE(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static struct node *pair_new(ouro_type *type, long id)
{
    struct node *a = ouro_new(type), *b = ouro_new(type);
    REQUIRE(a && b);
    a->id = id;
    b->id = id + 1;
    ouro_set(a, &a->a, b);
    ouro_give(b, &b->a, ouro_retain(a));
    ouro_release(b);
    return a;
}

static void make_garbage(ouro_type *type, bool shared)
{
    struct node *n = pair_new(type, shared ? 10 : 20);
    if (shared)
        ouro_share(n);
    ouro_release(n);
}

static void collect_private(void)
{
    make_garbage(&plain_type, false);
    CHECK_EQ(ouro_gc_collect(0), 2);
}

static void collect_shared(void)
{
    make_garbage(&plain_type, true);
    CHECK_EQ(ouro_gc_collect(2), 2);
}

static void test_flags(void)
{
    CHECK_EQ(ouro_gc_get_debug(), 0);
    CHECK_EQ(OURO_GC_DEBUG_STATS, 1);
    CHECK_EQ(OURO_GC_DEBUG_COLLECTABLE | OURO_GC_DEBUG_UNCOLLECTABLE | OURO_GC_DEBUG_SAVEALL, OURO_GC_DEBUG_LEAK);
    CHECK_EQ(OURO_GC_DEBUG_LEAK, 38);
    ouro_gc_set_debug(~0u);
    CHECK_EQ(ouro_gc_get_debug(), 39);
    ouro_gc_set_debug(0);
    CHECK_EQ(ouro_gc_get_debug(), 0);
    CHECK_STR(printed_by(collect_private), "");
    CHECK_STR(printed_by(collect_shared), "");
}

static void test_stats_are_printed(void)
{
    ouro_gc_set_debug(OURO_GC_DEBUG_STATS);
    const char *text = printed_by(collect_private);
    CHECK_EQ(count_of(text, "\n"), 1);
    CHECK_HAS(text, "ouro: gc: generation 0 (asked for): 2 objects, 2 suspects, 2 unreachable, 2 freed, ");
    text = printed_by(collect_shared);
    CHECK_HAS(text, "ouro: gc: generation 2 (asked for): 2 objects, 2 suspects, 2 unreachable, 2 freed, ");
    ouro_gc_set_debug(0);
}

static void test_collectable_is_printed(void)
{
    ouro_gc_set_debug(OURO_GC_DEBUG_COLLECTABLE | OURO_GC_DEBUG_UNCOLLECTABLE);
    void (*const collect[])(void) = {collect_private, collect_shared};
    for (int i = 0; i < 2; i++) {
        const char *text = printed_by(collect[i]);
        CHECK_EQ(count_of(text, "\n"), 2);
        CHECK_EQ(count_of(text, "ouro: gc: collectable <"), 2);
        CHECK_EQ(count_of(text, plain_type.name), 2);
    }
    ouro_gc_set_debug(0);
    CHECK_LIVE(0);
}

/* ---- the garbage list ---- */

static long seen[100], calls;

static int see(void *object, void *arg)
{
    (void)arg;
    calls++;
    struct node *n = object, *other = ouro_get(n, &n->a);
    if (CHECK(n->id >= 0 && n->id < 100))
        seen[n->id]++;
    CHECK(ouro_peek(&other->a) == n);
    ouro_release(other);
    return 0;
}

static size_t visit(void)
{
    memset(seen, 0, sizeof seen);
    calls = 0;
    size_t n = ouro_gc_visit_garbage(see, NULL);
    CHECK_EQ(n, calls);
    return n;
}

static void *visit_elsewhere(void *arg)
{
    *(size_t *)arg = visit();
    return NULL;
}

static void test_save_all(void)
{
    long finalized_before = finalized();
    ouro_gc_set_debug(OURO_GC_DEBUG_SAVEALL);
    CHECK_EQ(visit(), 0);
    struct node *private = pair_new(&node_type, 20), *shared = pair_new(&node_type, 10);
    ouro_share(shared);
    ouro_weak *weak = ouro_weak_new(shared, NULL, NULL), *weak_private = ouro_weak_new(private, NULL, NULL);
    ouro_release(private);
    ouro_release(shared);
    ouro_release(plain_new(5)); /* counting goes on */
    CHECK_EQ(ouro_gc_collect(2), 4);
    CHECK_EQ(ouro_gc_collect(2), 0); /* the list refers to them */
    CHECK_EQ(visit(), 4);
    CHECK_EQ(seen[10] + seen[11] + seen[20] + seen[21], 4);
    CHECK_EQ(finalized(), finalized_before);
    void *found = ouro_weak_get(weak), *found_private = ouro_weak_get(weak_private);
    CHECK(found == shared);
    CHECK(found_private == private);
    ouro_release(found);
    ouro_release(found_private);
    size_t elsewhere = 0;
    thread_do(visit_elsewhere, &elsewhere, 0);
    CHECK_EQ(elsewhere, 4);
    make_garbage(&plain_type, true);
    CHECK_EQ(ouro_gc_collect(1), 2);
    CHECK_EQ(visit(), 6);
    ouro_gc_set_debug(0);
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_EQ(visit(), 6);
    ouro_gc_clear_garbage();
    CHECK_EQ(visit(), 0);
    CHECK_EQ(ouro_gc_collect(2), 6);
    CHECK_EQ(finalized(), finalized_before + 4);
    CHECK(!ouro_weak_get(weak));
    CHECK(!ouro_weak_get(weak_private));
    ouro_release(weak);
    ouro_release(weak_private);
    CHECK_LIVE(0);
}

static int clear(void *object, void *arg)
{
    ouro_gc_clear_garbage();
    CHECK_EQ(ouro_gc_visit_garbage(see, NULL), 0); /* this visit has it */
    make_garbage(&plain_type, true);
    CHECK_EQ(ouro_gc_collect(1), ouro_peek(&((struct node *)arg)->a) ? 4 : 2); /* the second time, also what was just cleared */
    ouro_set(arg, &((struct node *)arg)->a, object);
    return 0;
}

static int visit_too(void *object, void *arg)
{
    (void)object;
    ++*(int *)arg;
    return (int)ouro_gc_visit_garbage(see, NULL); /* 0: the other visit has it */
}

static int only_first(void *object, void *arg)
{
    (void)object;
    ++*(int *)arg;
    return 1;
}

static void test_clearing_while_visited(void)
{
    struct node *kept = plain_new(1);
    ouro_gc_set_debug(OURO_GC_DEBUG_SAVEALL);
    make_garbage(&plain_type, true);
    CHECK_EQ(ouro_gc_collect(2), 2);
    int stopped = 0;
    CHECK_EQ(ouro_gc_visit_garbage(only_first, &stopped), 1);
    CHECK_EQ(stopped, 1);
    CHECK_EQ(ouro_gc_visit_garbage(NULL, NULL), 0);
    CHECK_EQ(ouro_gc_visit_garbage(visit_too, &stopped), 2);
    CHECK_EQ(stopped, 3);
    CHECK_EQ(ouro_gc_visit_garbage(clear, kept), 2);
    CHECK_EQ(visit(), 4); /* found in the second call */
    ouro_gc_set_debug(0);
    ouro_gc_clear_garbage();
    CHECK_EQ(ouro_gc_collect(2), 4);
    CHECK(ouro_peek(&((struct node *)kept)->a) != NULL);
    CHECK_LIVE(3);
    ouro_release(kept);
    CHECK_EQ(ouro_gc_collect(2), 2);
    CHECK_LIVE(0);
}

static void test_shutdown_clears(void)
{
    ouro_gc_set_debug(OURO_GC_DEBUG_SAVEALL);
    make_garbage(&plain_type, true);
    make_garbage(&plain_type, false);
    CHECK_EQ(ouro_gc_collect(2), 4);
    make_garbage(&plain_type, true);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    fixture_start();
    CHECK_EQ(ouro_gc_get_debug(), 0);
    CHECK_EQ(visit(), 0);
}

int main(void)
{
    check_start("gc_debug_test");
    fixture_start();
    ouro_gc_disable();
    FIXTURE_RUN(test_flags);
    FIXTURE_RUN(test_stats_are_printed);
    FIXTURE_RUN(test_collectable_is_printed);
    FIXTURE_RUN(test_save_all);
    FIXTURE_RUN(test_clearing_while_visited);
    FIXTURE_RUN(test_shutdown_clears);
    return check_finish();
}
