/* SPDX-License-Identifier: MIT
 *
 * A thread that stays in a read section while others wait for its end is named, once; short sections and sections that nobody waits for are not.
 * What dies meanwhile is bounded by the hard limit, and comes back when the section ends. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "mem/limbo.h"
#include "object/reader.h"
#include "port/os.h"
#include "runtime/runtime.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

enum { PATIENCE_MS = 200 };

static struct step asleep = STEP_INITIALIZER, awake = STEP_INITIALIZER;

/* Shared objects that die, on new pages each time: somebody waits for readers, and there is more and more to wait for. */
static void litter(int pages)
{
    for (int i = 0; i < pages; i++) {
        struct table *t = table_new(8000);
        ouro_share(t);
        ouro_release(t);
    }
}

static void *sleep_in_section(void *name)
{
    pthread_setname_np(pthread_self(), name);
    ouro_read_begin();
    ouro_read_begin(); /* the outermost counts */
    ouro_read_end();
    step_set(&asleep, 1);
    CHECK(step_wait(&awake, 1));
    ouro_read_end();
    return NULL;
}

static bool is_told(void *unused)
{
    (void)unused;
    litter(1);
    return misuse_count() > 0;
}

static void check_told(const char *name)
{
    CHECK(wait_until(is_told, NULL));
    CHECK(strstr(misuse_first().message, name) != NULL);
    CHECK_MISUSE(OURO_MISUSE_LONG_READ, "ouro_read_begin", NULL, NULL);
}

static void sleepers_begin(void)
{
    asleep.value = awake.value = 0;
    misuse_want_long_reads(true);
    oi_store_relaxed(&oi_reader_patience_ns, (uint64_t)PATIENCE_MS * 1000000);
}

static void sleepers_end(pthread_t thread)
{
    step_set(&awake, 1);
    thread_join_running(thread);
    misuse_want_long_reads(false);
    misuse_forget();
    oi_store_relaxed(&oi_reader_patience_ns, 1000000000);
    ouro_mem_trim();
}

static bool litter_for(uint64_t ms)
{
    for (uint64_t end = oi_os_now_ns() + ms * 1000000; oi_os_now_ns() < end; oi_os_sleep_ms(5))
        litter(1);
    return misuse_count() == 0;
}

static void test_named_once(void)
{
    sleepers_begin();
    pthread_t thread = thread_start(sleep_in_section, "sleeper", 0);
    CHECK(step_wait(&asleep, 1));
    check_told("(sleeper)");
    CHECK(litter_for(4 * PATIENCE_MS)); /* and not again */
    sleepers_end(thread);
}

static void *sleep_again(void *name)
{
    sleep_in_section(name);
    step_set(&asleep, 2);
    CHECK(step_wait(&awake, 2));
    awake.value = 0;
    sleep_in_section(name);
    return NULL;
}

static void test_each_section_once(void)
{
    sleepers_begin();
    pthread_t thread = thread_start(sleep_again, "again", 0);
    CHECK(step_wait(&asleep, 1));
    check_told("(again)");
    step_set(&awake, 1);
    CHECK(step_wait(&asleep, 2));
    asleep.value = 0;
    step_set(&awake, 2);
    CHECK(step_wait(&asleep, 1));
    check_told("(again)");
    sleepers_end(thread);
}

static atomic_bool stop;

static void *read_shortly(void *longest_ns)
{
    uint64_t *longest = longest_ns;
    while (!stop) {
        uint64_t start = oi_os_now_ns();
        ouro_read_begin();
        ouro_read_end();
        uint64_t took = oi_os_now_ns() - start;
        *longest = took > *longest ? took : *longest;
    }
    return NULL;
}

/* A machine that is busy otherwise may make one a long section. */
static void test_short_sections(void)
{
    enum { TRIES = 3 };
    bool quiet = false;
    for (int i = 0; i < TRIES && !quiet; i++) {
        uint64_t longest_ns = 0;
        sleepers_begin();
        stop = false;
        pthread_t thread = thread_start(read_shortly, &longest_ns, 0);
        quiet = litter_for(4 * PATIENCE_MS);
        stop = true;
        sleepers_end(thread);
        CHECK(quiet || longest_ns >= PATIENCE_MS / 2 * UINT64_C(1000000));
    }
}

static void test_nobody_waits(void)
{
    sleepers_begin();
    ouro_mem_trim();
    pthread_t thread = thread_start(sleep_in_section, "harmless", 0);
    CHECK(step_wait(&asleep, 1));
    for (int i = 0; i < 4 * PATIENCE_MS / 5; i++, oi_os_sleep_ms(5))
        ouro_release(table_new(8000)); /* private: needs nobody's leave */
    CHECK_EQ(misuse_count(), 0);
    sleepers_end(thread);
}

static void test_memory_is_bounded(void)
{
    sleepers_begin();
    size_t limit = mem_stats().committed_bytes + (16 << 20);
    pthread_t thread = thread_start(sleep_in_section, "hoarder", 0);
    CHECK(step_wait(&asleep, 1));
    CHECK_EQ(ouro_mem_set_limit(0, limit), OURO_OK);
    struct table *t = NULL;
    int made = 0;
    while ((t = ouro_new_array(&table_type, 8000)) != NULL && made < 1000) {
        ouro_share(t);
        ouro_release(t);
        made++;
    }
    CHECK_PTR(t, NULL); /* refused, for nothing of the rest can be used yet */
    CHECK_GT(made, 100);
    CHECK_LT(made, 1000);
    sleepers_end(thread);
    CHECK_EQ(mem_stats().limbo_bytes, 0);
    t = table_new(8000);
    ouro_release(t);
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
}

/* In its finalizer at the end of its thread, which did not end its section. */
static void rest_in_finalizer(void *unused)
{
    (void)unused;
    step_set(&asleep, 2);
    CHECK(step_wait(&awake, 1));
}

static void *leave_in_section(void *name)
{
    pthread_setname_np(pthread_self(), name);
    struct leaf *leaf = leaf_new(1);
    ouro_read_begin();
    ouro_release(leaf);
    return NULL;
}

static void test_thread_ends_in_section(void)
{
    sleepers_begin();
    on_finalize(rest_in_finalizer);
    pthread_t thread = thread_start(sleep_in_section, "sleeper", 0);
    CHECK(step_wait(&asleep, 1));
    pthread_t leaver = thread_start(leave_in_section, "leaver", 0);
    CHECK(step_wait(&asleep, 2));
    check_told("(sleeper)"); /* and nobody else */
    CHECK(litter_for(4 * PATIENCE_MS));
    step_set(&awake, 1);
    thread_join_running(leaver);
    sleepers_end(thread);
}

/* As a collection does while it lets no user code run, but for hooks. */
static void *read_within(void *name)
{
    pthread_setname_np(pthread_self(), name);
    oi_act.reading = 1;
    ouro_read_begin();
    ouro_read_end();
    oi_act.reading = 0;
    step_set(&asleep, 2);
    CHECK(step_wait(&awake, 1));
    return NULL;
}

static void test_first_section_within(void)
{
    sleepers_begin();
    pthread_t thread = thread_start(sleep_in_section, "sleeper", 0);
    CHECK(step_wait(&asleep, 1));
    pthread_t other = thread_start(read_within, "other", 0);
    CHECK(step_wait(&asleep, 2));
    check_told("(sleeper)");
    CHECK(litter_for(4 * PATIENCE_MS));
    step_set(&awake, 1);
    thread_join_running(other);
    sleepers_end(thread);
}

static struct step second_asleep = STEP_INITIALIZER, second_awake = STEP_INITIALIZER, waiting = STEP_INITIALIZER;

static void *sleep_second(void *unused)
{
    ouro_read_begin();
    step_set(&second_asleep, 1);
    CHECK(step_wait(&second_awake, 1));
    ouro_read_end();
    return unused;
}

static void *wait_for_readers(void *at)
{
    if (at)
        step_set(at, 1);
    oi_limbo_grace_period();
    return NULL;
}

static bool somebody_waits(void *unused)
{
    (void)unused;
    return oi_limbo_waits_since() != 0;
}

/* One that began to wait while another did goes on when that one is done. */
static void test_second_waits_on(void)
{
    sleepers_begin();
    ouro_mem_trim();
    pthread_t thread = thread_start(sleep_in_section, "sleeper", 0);
    CHECK(step_wait(&asleep, 1));
    pthread_t first = thread_start(wait_for_readers, NULL, 0);
    CHECK(wait_until(somebody_waits, NULL));
    oi_os_sleep_ms(50); /* for the sleeper alone, by now, more likely than not: readers that come later are not waited for */
    pthread_t reader = thread_start(sleep_second, NULL, 0);
    CHECK(step_wait(&second_asleep, 1));
    pthread_t second = thread_start(wait_for_readers, &waiting, 0);
    CHECK(step_wait(&waiting, 1));
    oi_os_sleep_ms(50); /* it has begun to, more likely than not */
    step_set(&awake, 1);
    thread_join_running(first);
    CHECK(wait_until(somebody_waits, NULL));
    step_set(&second_awake, 1);
    thread_join_running(second);
    thread_join_running(reader);
    CHECK(!somebody_waits(NULL));
    sleepers_end(thread);
}

static void in_child(void *unused)
{
    (void)unused;
    ouro_read_begin(); /* with an entry, and without those of vanished threads */
    ouro_read_end();
    CHECK(litter_for(4 * PATIENCE_MS));
    ouro_mem_trim();
    CHECK_EQ(mem_stats().limbo_bytes, 0);
}

static void test_fork(void)
{
    sleepers_begin();
    pthread_t thread = thread_start(sleep_in_section, "parent", 0);
    CHECK(step_wait(&asleep, 1));
    CHECK_EQ(child_run(in_child, NULL), 0);
    check_told("(parent)");
    sleepers_end(thread);
}

int main(void)
{
    check_start("reader_test");
    fixture_start();
    FIXTURE_RUN(test_named_once);
    FIXTURE_RUN(test_each_section_once);
    FIXTURE_RUN(test_short_sections);
    FIXTURE_RUN(test_nobody_waits);
    FIXTURE_RUN(test_memory_is_bounded);
    FIXTURE_RUN(test_thread_ends_in_section);
    FIXTURE_RUN(test_first_section_within);
    FIXTURE_RUN(test_second_waits_on);
    FIXTURE_RUN(test_fork);
    return check_finish();
}
