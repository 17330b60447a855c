/* SPDX-License-Identifier: MIT
 *
 * The collector's thread: started by the first request, not before; requests made meanwhile are one collection, of the
 * older generation; it ends with the runtime and starts again; a forked child starts its own, whatever became of its parent's. And the mark that the growth
 * of memory is compared with. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem/page.h"
#include "runtime/runtime.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

static ouro_gc_generation_stats stats_of(int generation)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[generation];
}

static bool both_have_run(void *arg)
{
    return stats_of(1).collections + stats_of(2).collections >= *(uint64_t *)arg;
}

static uint64_t collections(void)
{
    return stats_of(1).collections + stats_of(2).collections;
}

static char name_seen[32];
static struct hold_up {
    struct step started, go_on;
    atomic_bool done;
} hold_ups[8];
static int hold_ups_used;

static void hold_up(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    struct hold_up *at = arg;
    (void)info;
    if (phase == OURO_GC_START && !atomic_exchange(&at->done, true)) {
        pthread_getname_np(pthread_self(), name_seen, sizeof name_seen);
        step_set(&at->started, 1);
        CHECK(step_wait(&at->go_on, 1));
    }
}

/* While one collection is held up, many requests are made: they are one more, of generation 2. */
static void check_requests(void)
{
    struct hold_up *at = &hold_ups[hold_ups_used++];
    *at = (struct hold_up){.started = STEP_INITIALIZER, .go_on = STEP_INITIALIZER};
    int id = ouro_gc_add_callback(hold_up, at);
    uint64_t before = collections(), second = stats_of(2).collections;
    CHECK_EQ(ouro_gc_collect_async(1), OURO_OK);
    CHECK(step_wait(&at->started, 1));
    CHECK_STR(name_seen, "ouro-collector");
    for (int i = 0; i < 20; i++)
        CHECK_EQ(ouro_gc_collect_async(i % 3), OURO_OK);
    CHECK_EQ(collections(), before);
    step_set(&at->go_on, 1);
    before += 2;
    CHECK(wait_until(both_have_run, &before));
    usleep(20000);
    CHECK_EQ(collections(), before);
    CHECK_EQ(stats_of(2).collections, second + 1);
    ouro_gc_remove_callback(id);
}

static void test_requests(void)
{
    check_requests();
}

static bool second_has_run(void *before)
{
    return stats_of(2).collections > *(uint64_t *)before;
}

/* What the program asks for is carried out, also if growth has asked for it, too, before collection was turned off. */
static void test_asked_while_off(void)
{
    struct hold_up *at = &hold_ups[hold_ups_used++];
    *at = (struct hold_up){.started = STEP_INITIALIZER, .go_on = STEP_INITIALIZER};
    int id = ouro_gc_add_callback(hold_up, at);
    CHECK_EQ(ouro_gc_collect_async(1), OURO_OK);
    CHECK(step_wait(&at->started, 1));
    uint64_t before = stats_of(2).collections;
    oi_collector_request(2, OURO_GC_REASON_GROWTH);
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    ouro_gc_disable();
    step_set(&at->go_on, 1);
    CHECK(wait_until(second_has_run, &before));
    ouro_gc_enable();
    ouro_gc_remove_callback(id);
}

static void test_after_shutdown(void)
{
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
    fixture_start();
    check_requests();
}

static void child(void *unused)
{
    (void)unused;
    check_requests();
}

static void test_after_fork(void)
{
    CHECK_EQ(child_run(child, NULL), 0);
    check_requests();
}

static void *stop(void *unused)
{
    (void)unused;
    oi_collector_stop();
    return NULL;
}

/* While a thread waits for the collector's to end, in a shutdown: the child knows nothing of that. */
static void test_fork_while_stopping(void)
{
    struct hold_up *at = &hold_ups[hold_ups_used++];
    *at = (struct hold_up){.started = STEP_INITIALIZER, .go_on = STEP_INITIALIZER};
    int id = ouro_gc_add_callback(hold_up, at);
    CHECK_EQ(ouro_gc_collect_async(1), OURO_OK);
    CHECK(step_wait(&at->started, 1));
    pthread_t stopper = thread_start(stop, NULL, 0);
    usleep(50000); /* it waits by now */
    CHECK_EQ(child_run(child, NULL), 0);
    step_set(&at->go_on, 1);
    thread_join_running(stopper);
    ouro_gc_remove_callback(id);
    check_requests();
}

static size_t mark_now(void)
{
    return oi_load_relaxed(&oi_page_growth_mark);
}

/* Nothing is left to do, and the collector's thread does not do it: a collection that growth of an earlier test has asked for may have begun already, and
 * would set the marks anew once more. */
static void collect_everything(void)
{
    oi_collector_stop();
    CHECK_EQ(ouro_gc_collect(2), 0);
}

/* Off, or with thresholds that say when: no mark. */
static void test_growth_mark(void)
{
    const size_t set[3] = {0, 1000000, 1000000}, one[3] = {0, 1000000, 0}, zero[3] = {0, 0, 0};
    collect_everything();
    size_t mark = mark_now();
    CHECK_LT(oi_page_totals().in_use, mark);
    CHECK_LE(mark, oi_page_totals().in_use + 64 * (size_t)(1 << 20));
    ouro_gc_disable();
    CHECK(mark_now() == SIZE_MAX);
    ouro_gc_enable();
    CHECK_EQ(mark_now(), mark);
    CHECK_EQ(ouro_gc_set_threshold(set), OURO_OK);
    CHECK(mark_now() == SIZE_MAX);
    CHECK_EQ(ouro_gc_set_threshold(one), OURO_OK);
    CHECK(mark_now() != SIZE_MAX);
    CHECK_GE(mark_now(), mark);
    CHECK_EQ(ouro_gc_set_threshold(zero), OURO_OK);
    CHECK_EQ(mark_now(), mark);
}

/* What counting frees brings it down: the garbage that may gather then is a share of what is left. */
static void test_growth_mark_follows_what_is_freed(void)
{
    collect_everything();
    size_t before = mark_now();
    struct table *t = table_new(20000);
    for (int i = 0; i < 20000; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, 4000);
        REQUIRE(b);
        ouro_give(t, &t->items[i], b);
    }
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_GT(mark_now(), before + 64 * (size_t)(1 << 20));
    ouro_release(t);
    CHECK_LE(mark_now(), before + 8 * (size_t)(1 << 20));
}

enum { PIECE = 60000, PIECES_OF_MB = (1 << 20) / (PIECE + 5536) };

/* So many megabytes that nobody else knows. */
static struct table *grow(size_t mb)
{
    struct table *t = table_new(mb * PIECES_OF_MB);
    for (size_t i = 0; i < mb * PIECES_OF_MB; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, PIECE);
        REQUIRE(b);
        ouro_give(t, &t->items[i], b);
    }
    return t;
}

/* Where hardly anything is shared, growth is hardly a reason to collect: the collector does not look at private objects. But now and then it is. */
static void test_private_growth(void)
{
    collect_everything();
    uint64_t before = collections(), once = before + 1;
    size_t mark = mark_now();
    struct table *t = grow(24);
    CHECK_EQ(collections(), before);
    CHECK(!oi_collector_is_busy());
    CHECK_GT(mark_now(), oi_page_totals().in_use); /* it is looked at again before long */
    CHECK_LE(mark_now(), oi_page_totals().in_use + 2 * (size_t)(1 << 20));
    ouro_release(t);
    CHECK_LE(mark_now(), mark + 2 * (size_t)(1 << 20)); /* and shared garbage may not gather up to what it was */
    CHECK_EQ(collections(), before);
    t = grow(100);
    CHECK(wait_until(both_have_run, &once));
    ouro_release(t);
}

/* What is private while it grows may be shared later: then the next growth counts, of whatever it is. Whoever shares objects without slots shares memory, too. */
static void test_growth_shared_later(void)
{
    collect_everything();
    uint64_t once = collections() + 1;
    struct table *t = grow(16);
    CHECK_LT(collections(), once);
    ouro_share(t);
    struct table *more = grow(4);
    CHECK(wait_until(both_have_run, &once));
    ouro_release(t);
    ouro_release(more);
}

/* While a collection is under way because of growth, threads rest, and the collector does not, before the hard limit is reached: what goes beyond it
 * fails. */
static void test_growth_mark_before_hard_limit(void)
{
    enum { ENOUGH = 100 };
    struct hold_up *at = &hold_ups[hold_ups_used++];
    *at = (struct hold_up){.started = STEP_INITIALIZER, .go_on = STEP_INITIALIZER};
    collect_everything();
    ouro_mem_trim();
    const size_t hard = oi_page_totals().in_use + 3 * (size_t)(1 << 20), before = mark_now();
    CHECK_LT(before, hard);
    CHECK_EQ(ouro_mem_set_limit(0, hard), OURO_OK);
    int id = ouro_gc_add_callback(hold_up, at);
    struct table *t = table_new(ENOUGH);
    for (int i = 0; i < ENOUGH && mark_now() == before; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, PIECE);
        REQUIRE(b);
        ouro_give(t, &t->items[i], b);
    }
    CHECK(step_wait(&at->started, 1));
    CHECK_GT(mark_now(), before);
    CHECK_LE(mark_now(), before + (hard - before) / 2 + PIECE);
    step_set(&at->go_on, 1);
    ouro_gc_remove_callback(id);
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
    ouro_release(t);
}

/* ---- the processor is not kept from others ---- */

enum { CROWDED_MS = 25 }; /* a little longer than a yield that took long is remembered */

static atomic_int yields; /* of the collector's thread */
static atomic_bool crowded;

/* Stands in for the system's, and gives nothing up. Crowded: as if another thread had been waiting for the processor. */
int sched_yield(void)
{
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    if (strcmp(name, "ouro-collector") == 0) {
        atomic_fetch_add(&yields, 1);
        if (atomic_load(&crowded))
            usleep(1000);
    }
    return 0;
}

/* Returns how often it yielded; *ms is how long it took. */
static int yields_in_collection(bool pressed, double *ms)
{
    enum { RINGS = SCALED(20000) };
    for (int i = 0; i < RINGS; i++) {
        struct node *a = plain_new(1), *b = plain_new(2);
        ouro_set(a, &a->a, b);
        ouro_give(b, &b->a, ouro_retain(a));
        ouro_give(b, &b->b, table_new(8));
        ouro_share(a);
        ouro_release(a);
        ouro_release(b);
    }
    if (pressed) { /* until it is done */
        oi_store_relaxed(&oi_page_shrink_mark, 0); /* or what it frees would be reason to set the other anew */
        oi_store_relaxed(&oi_page_growth_mark, 0);
    }
    atomic_store(&yields, 0);
    uint64_t before = stats_of(2).collections, duration = stats_of(2).duration_ns;
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    CHECK(wait_until(second_has_run, &before));
    *ms = (double)(stats_of(2).duration_ns - duration) / 1e6;
    return atomic_load(&yields);
}

static void test_breath(void)
{
    double ms;
    ouro_gc_disable();
    int n = 0;
    for (int tries = 0; n < 5 && tries < 10; tries++) { /* the system may take the processor away in the very moment: that looks crowded, too */
        usleep(CROWDED_MS * 1000);
        n = yields_in_collection(false, &ms);
        printf("       %d yields in %.1f ms\n", n, ms);
        CHECK_LE(n, ms / 0.05 + 1);
    }
    CHECK_GE(n, 5);
    atomic_store(&crowded, true);
    usleep(CROWDED_MS * 1000);
    n = yields_in_collection(false, &ms); /* it sleeps instead, for 20 ms after each */
    printf("       %d yields in %.1f ms, crowded\n", n, ms);
    CHECK_GE(n, 1);
    CHECK_LE(n, ms / 20 + 1);
    atomic_store(&crowded, false);
    CHECK_EQ(yields_in_collection(true, &ms), 0);
    ouro_gc_enable();
}

int main(void)
{
    check_start("collector_test");
    fixture_start();
    FIXTURE_RUN(test_requests);
    FIXTURE_RUN(test_asked_while_off);
    FIXTURE_RUN(test_after_fork);
    FIXTURE_RUN(test_fork_while_stopping);
    FIXTURE_RUN(test_after_shutdown);
    FIXTURE_RUN(test_growth_mark);
    FIXTURE_RUN(test_growth_mark_follows_what_is_freed);
    FIXTURE_RUN(test_private_growth);
    FIXTURE_RUN(test_growth_shared_later);
    FIXTURE_RUN(test_growth_mark_before_hard_limit);
    FIXTURE_RUN(test_breath);
    return check_finish();
}
