/* SPDX-License-Identifier: MIT
 *
 * When collections run. Each test is a failure that users of another system have reported, named after it; the comment says whose, and what
 * happens here instead. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "support/fixture.h"
#include "support/threads.h"

static const size_t by_itself[3] = {0, 0, 0};

static uint64_t collections(int generation)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[generation].collections;
}

/* Of shared objects, not asked for. */
static uint64_t automatic(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    uint64_t ran = 0;
    for (int i = 1; i <= 2; i++)
        ran += stats.generation[i].collections - stats.generation[i].reasons[OURO_GC_REASON_ASKED];
    return ran;
}

static bool has_run(void *before)
{
    return automatic() > *(uint64_t *)before;
}

/* On a machine that lets the collector's thread wait, garbage waits with it: then the next try shows what the library does. */
enum { TRIES = 3 };

/* A garbage cycle of one private object. */
static void drop_loop(void)
{
    struct node *n = plain_new(1);
    ouro_set(n, &n->a, n);
    ouro_release(n);
}

/* ---- Reading a counter ---- */

enum { CYCLES = 60000, THRESHOLD = 2000, EVERY = 50 };

/* How many collections ran. */
static uint64_t drop_loops(bool reading)
{
    CHECK_GE(ouro_gc_collect(0), 0);
    size_t most = 0, counts[3];
    uint64_t before = collections(0);
    for (int i = 0; i < CYCLES; i++) {
        drop_loop();
        if (!reading || i % EVERY)
            continue;
        ouro_gc_get_count(counts);
        most = counts[0] > most ? counts[0] : most;
    }
    CHECK_LE(most, 5 * THRESHOLD);
    return collections(0) - before;
}

/* CPython, free-threaded (python/cpython#157377): gc.get_count() moved the thread's count of allocations to where nobody compared it with the
 * threshold. A loop that made cycles and read the counter never collected: 200 000 cycles, no collection. Here reading changes nothing: as many
 * collections run as without. */
static void test_reading_the_counters_starves_the_collector(void)
{
    CHECK_EQ(ouro_gc_set_threshold((size_t[3]){THRESHOLD, 0, 0}), OURO_OK);
    drop_loops(false); /* the first takes new pages */
    uint64_t without = drop_loops(false), with = drop_loops(true);
    CHECK_GE(without, CYCLES / THRESHOLD / 5);
    CHECK_GE(with + 1, without);
    CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_EQ(ouro_gc_set_threshold(by_itself), OURO_OK);
}

/* ---- Delays that grow ---- */

enum { SEEN_MAX = 4096 };
static uint64_t seen[SEEN_MAX];
static int seen_count;

static void note_found(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    (void)arg;
    if (phase == OURO_GC_STOP && info->generation == 0 && info->reason == OURO_GC_REASON_COUNT && seen_count < SEEN_MAX)
        seen[seen_count++] = info->found;
}

static uint64_t most_seen(int from, int to)
{
    uint64_t most = 0;
    for (int i = from; i < to; i++)
        most = seen[i] > most ? seen[i] : most;
    return most;
}

/* CPython, free-threaded (python/cpython#142048): what a collection freed was subtracted from the count of allocations as well, which went
 * below zero: each collection came later than the one before, and found more. Here the last ones find no more than the first. */
static void test_each_collection_comes_later_than_the_last(void)
{
    seen_count = 0;
    int id = ouro_gc_add_callback(note_found, NULL);
    CHECK_GT(id, 0);
    CHECK_EQ(ouro_gc_set_threshold((size_t[3]){THRESHOLD, 0, 0}), OURO_OK);
    CHECK_GE(ouro_gc_collect(0), 0);
    for (int i = 0; i < CYCLES; i++) {
        drop_loop();
        ouro_release(plain_new(2)); /* and what counting frees */
    }
    ouro_gc_remove_callback(id);
    if (CHECK_GE(seen_count, 8)) {
        uint64_t early = most_seen(0, seen_count / 4), late = most_seen(seen_count * 3 / 4, seen_count);
        CHECK_GT(early, 0);
        CHECK_LE(late, 2 * early);
    }
    CHECK_GE(ouro_gc_collect(0), 0);
    CHECK_EQ(ouro_gc_set_threshold(by_itself), OURO_OK);
}

/* ---- Counts that end with their thread ---- */

enum { VISITORS = TEST_SLOWDOWN > 1 ? 100 : 400, EACH = 40, PIECE = 4000 };

static void *drop_shared_loops(void *arg)
{
    (void)arg;
    for (int i = 0; i < EACH; i++) {
        struct node *n = plain_new(1);
        struct bytes *b = ouro_new_array(&bytes_type, PIECE);
        REQUIRE(b);
        ouro_give(n, &n->b, b);
        ouro_set(n, &n->a, n);
        ouro_share(n);
        ouro_release(n);
    }
    return NULL;
}

/* How far memory grew. */
static size_t most_by_short_threads(void)
{
    CHECK_GE(ouro_gc_collect(2), 0);
    ouro_mem_trim();
    size_t before = mem_stats().committed_bytes, most = before;
    for (int i = 0; i < VISITORS; i++) {
        thread_do(drop_shared_loops, NULL, 0);
        size_t now = mem_stats().committed_bytes;
        most = now > most ? now : most;
    }
    return most - before;
}

/* CPython, free-threaded (found with python/cpython#142048): the count of allocations that a thread had not yet handed on was lost when it ended.
 * Many short threads, each below the threshold, never caused a collection. Here it is memory in use that counts, whoever has filled it. */
static void test_short_threads_never_cause_a_collection(void)
{
    enum { LIMIT = VISITORS * EACH * PIECE / 4 * 3 };
    size_t most = SIZE_MAX;
    uint64_t ran = automatic();
    for (int i = 0; i < TRIES && most >= LIMIT; i++)
        most = most_by_short_threads();
    CHECK(wait_until(has_run, &ran));
    CHECK_LT(most, LIMIT);
    CHECK_GE(ouro_gc_collect(2), 0);
}

/* ---- Triggers that look at the wrong thing ---- */

/* quickjs-ng (pocket-stack/pocketjs#429): the next collection was due at one and a half times what was live after start-up; the heap's limit was
 * reached before that, and the device ran out of memory with cycles that nobody had looked for. Here an allocation that would fail looks for
 * cycles first. */
static void fill_up(bool shared)
{
    enum { LIVE = 2000, GARBAGE = SCALED(20000), SIZE = 4000 };
    struct table *boot = table_new(LIVE);
    for (int i = 0; i < LIVE; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, SIZE);
        REQUIRE(b);
        ouro_give(boot, &boot->items[i], b);
    }
    CHECK_EQ(ouro_mem_set_limit(0, mem_stats().committed_bytes + (6 << 20)), OURO_OK);
    int failed = 0;
    for (int i = 0; i < GARBAGE; i++) {
        struct node *n = ouro_new(&plain_type);
        struct bytes *b = ouro_new_array(&bytes_type, SIZE);
        if (shared && (!n || !b)) { /* ouro_new waits for the collector, but not for long: on a busy machine it may give up */
            CHECK_GE(ouro_gc_collect(2), 0);
            ouro_mem_trim();
            n = n ? n : ouro_new(&plain_type);
            b = b ? b : ouro_new_array(&bytes_type, SIZE);
        }
        failed += !n || !b;
        if (n) {
            ouro_set(n, &n->a, n);
            ouro_set(n, &n->b, b);
        }
        if (n && shared)
            ouro_share(n);
        ouro_release(n);
        ouro_release(b);
    }
    CHECK_EQ(failed, 0);
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
    ouro_release(boot);
    CHECK_GE(ouro_gc_collect(2), 0);
}

static void test_large_live_heap_puts_the_next_collection_beyond_the_limit(void)
{
    ouro_mem_trim();
    fill_up(false);
}

static void test_large_live_heap_and_shared_garbage(void)
{
    ouro_mem_trim();
    fill_up(true);
}

/* Croc (JarrettBillingsley/Croc#89): large objects were not made in the nursery, whose filling was the reason to collect: making nothing else
 * ran out of memory. QuickJS's users ask for the same (quickjs-ng/quickjs#759): small objects that hold much. Here growth of
 * memory in use is a reason, too, when it is much for the objects there are. */
static void test_large_objects_are_no_reason_to_collect(void)
{
    enum { COUNT = TEST_SLOWDOWN > 1 ? 400 : 1000, SIZE = 1 << 20, MOST = 128 };
    ouro_mem_trim();
    size_t before = mem_stats().committed_bytes, most = before;
    for (int i = 0; i < COUNT; i++) {
        struct node *n = plain_new(i);
        struct bytes *b = ouro_new_array(&bytes_type, SIZE);
        REQUIRE(b);
        ouro_give(n, &n->b, b);
        ouro_set(n, &n->a, n);
        ouro_release(n);
        size_t now = mem_stats().committed_bytes;
        most = now > most ? now : most;
    }
    CHECK_LE((most - before) >> 20, MOST);
    CHECK_GE(ouro_gc_collect(0), 0);
}

/* ---- One collector, many who make garbage ---- */

enum { MAKERS = 16, RING = 4, RINGS = SCALED(400000), FLOATING_MOST = 256 }; /* MB */

static _Atomic int makers_left;

static void *make_shared_lists(void *unused)
{
    (void)unused;
    for (int i = 0; i < RINGS; i++) {
        ouro_value list = ouro_list_new();
        REQUIRE(list);
        REQUIRE(ouro_list_append(list, list) == OURO_OK);
        ouro_value_share(list);
        ouro_value_release(list);
    }
    atomic_fetch_sub(&makers_left, 1);
    return NULL;
}

static void *make_shared_rings(void *unused)
{
    (void)unused;
    for (int i = 0; i < RINGS; i++) {
        struct node *first = plain_new(i), *last = first;
        for (int j = 1; j < RING; j++) {
            struct node *n = plain_new(i);
            ouro_give(last, &last->a, n);
            last = n;
        }
        ouro_set(last, &last->a, first);
        ouro_share(first);
        ouro_release(first);
    }
    atomic_fetch_sub(&makers_left, 1);
    return NULL;
}

static size_t most_floating(void *(*make)(void *))
{
    pthread_t threads[MAKERS];
    CHECK_GE(ouro_gc_collect(2), 0);
    ouro_mem_trim();
    size_t before = mem_stats().committed_bytes, most = before;
    atomic_store(&makers_left, MAKERS);
    for (int i = 0; i < MAKERS; i++)
        threads[i] = thread_start(make, NULL, 0);
    while (atomic_load(&makers_left) > 0) {
        size_t now = mem_stats().committed_bytes;
        most = now > most ? now : most;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int i = 0; i < MAKERS; i++)
        thread_join_running(threads[i]);
    return (most - before) >> 20;
}

static void outrun(void *(*make)(void *))
{
    size_t most = SIZE_MAX;
    for (int i = 0; i < TRIES && most >= FLOATING_MOST; i++)
        most = most_floating(make);
    CHECK_LT(most, FLOATING_MOST);
    CHECK_GE(ouro_gc_collect(2), 0);
}

/* Mono (mono/mono#2198): while its concurrent collection ran, those who allocated made as much as they could, and each collection found more than
 * the one before; it bounds the heap's growth during one since. Here sixteen threads that make nothing but shared garbage would leave the one that
 * collects a ninth of two processors, and fill gigabytes; they rest the longer the more there is of it, until the two are in step. */
static void test_many_threads_outrun_the_collector(void)
{
    outrun(make_shared_rings);
}

/* Each is two objects, of which the program sees one. */
static void test_many_threads_outrun_the_collector_with_lists(void)
{
    outrun(make_shared_lists);
}

/* ---- Collections that find nothing ---- */

static uint64_t looked_at(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[1].candidates + stats.generation[2].candidates;
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* CPython (bugs.python.org/issue4074): making many objects that all lived made it collect again and again, and each time look at what there was;
 * since then it waits until a quarter more is there. Here a collection of recent objects that has found nothing is followed by none for a multiple of the
 * time that it took, however the heap goes up and down: most objects of a program without cycles are never looked at. */
static void test_each_object_is_looked_at_for_nothing(void)
{
    enum { SWINGS = 12, LENGTH = SCALED(300000) };
    uint64_t before = looked_at();
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int swing = 0; swing < SWINGS; swing++) {
        struct node *head = NULL;
        for (int i = 0; i < LENGTH; i++) {
            struct node *n = plain_new(i);
            ouro_share(n);
            ouro_give(n, &n->a, head);
            head = n;
        }
        ouro_release(head);
    }
    start = seconds(CLOCK_MONOTONIC) - start;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (start < 2 * cpu) /* else others had the processors, and the waits went by while this program stood still */
        CHECK_LT(looked_at() - before, (uint64_t)SWINGS * LENGTH / 2);
    CHECK_GE(ouro_gc_collect(2), 0);
}

int main(void)
{
    check_start("regress/scheduling_test");
    fixture_start();
    FIXTURE_RUN(test_reading_the_counters_starves_the_collector);
    FIXTURE_RUN(test_each_collection_comes_later_than_the_last);
    FIXTURE_RUN(test_short_threads_never_cause_a_collection);
    FIXTURE_RUN(test_large_live_heap_puts_the_next_collection_beyond_the_limit);
    FIXTURE_RUN(test_large_live_heap_and_shared_garbage);
    FIXTURE_RUN(test_large_objects_are_no_reason_to_collect);
    FIXTURE_RUN(test_each_object_is_looked_at_for_nothing);
    FIXTURE_RUN(test_many_threads_outrun_the_collector);
    FIXTURE_RUN(test_many_threads_outrun_the_collector_with_lists);
    return check_finish();
}
