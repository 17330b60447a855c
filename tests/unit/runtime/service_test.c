/* SPDX-License-Identifier: MIT
 *
 * The background thread: started by the first thing there is to do, does it by itself, and sleeps otherwise. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem/limbo.h"
#include "port/os.h"
#include "runtime/runtime.h"
#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

enum { TASKS_MAX = 64, PURGE_DELAY_MS = 50, TRIES = 5 };

struct tasks {
    long ids[TASKS_MAX];
    int n;
};

static struct tasks tasks_now(void)
{
    struct tasks tasks = {.n = 0};
    DIR *dir = opendir("/proc/self/task");
    REQUIRE(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (isdigit((unsigned char)entry->d_name[0]) && tasks.n < TASKS_MAX)
            tasks.ids[tasks.n++] = strtol(entry->d_name, NULL, 10);
    }
    closedir(dir);
    return tasks;
}

/* Its kernel id, or 0 if it does not run. */
static long service_id(void)
{
    struct tasks now = tasks_now();
    for (int i = 0; i < now.n; i++) {
        char path[64], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%ld/comm", now.ids[i]);
        FILE *file = fopen(path, "r");
        bool read = file && fgets(name, sizeof name, file);
        if (file)
            fclose(file);
        if (read && !strcmp(name, "ouro-service\n"))
            return now.ids[i];
    }
    return 0;
}

/* A line of the thread's status, behind its name; "" if there is none. */
static const char *status_of(long id, const char *name)
{
    static char line[256];
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/status", id);
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = !strncmp(line, name, strlen(name));
    if (file)
        fclose(file);
    return found ? line + strlen(name) : "";
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static bool limbo_is_empty(void *unused)
{
    (void)unused;
    return !oi_limbo_is_waiting() && mem_stats().limbo_bytes == 0;
}

static bool service_runs(void *unused)
{
    (void)unused;
    return service_id() != 0;
}

/* Who joins a thread may see it for another moment. */
static bool service_is_gone(void *unused)
{
    (void)unused;
    return service_id() == 0;
}

static bool has_gone_round(void *before)
{
    return oi_limbo_rounds() > *(uint64_t *)before;
}

/* Objects alone do not start it; the first death of a shared one does. */
static void test_started_when_needed(void)
{
    struct node *n = plain_new(1), *shared = plain_new(2);
    ouro_share(shared);
    CHECK_EQ(service_id(), 0);
    ouro_release(shared);
    CHECK(wait_until(service_runs, NULL));
    CHECK(wait_until(limbo_is_empty, NULL));
    ouro_release(n);
}

/* Signals of the program are not for it. */
static void test_signals_blocked(void)
{
    unsigned long long blocked = strtoull(status_of(service_id(), "SigBlk:"), NULL, 16);
    CHECK(blocked >> (SIGUSR1 - 1) & 1);
    CHECK(blocked >> (SIGTERM - 1) & 1);
    CHECK(blocked >> (SIGALRM - 1) & 1);
    sigset_t mine;
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    CHECK(!sigismember(&mine, SIGUSR1)); /* those of the thread that started it are as before */
}

/* Dead shared objects become free without anybody asking. */
static void test_limbo_is_drained(void)
{
    for (int round = 0; round < 5; round++) {
        uint64_t rounds = oi_limbo_rounds();
        for (int i = 0; i < 1000; i++) {
            struct node *n = plain_new(i);
            ouro_share(n);
            ouro_release(n);
        }
        CHECK(wait_until(limbo_is_empty, NULL));
        CHECK(wait_until(has_gone_round, &rounds)); /* counted at its end */
    }
}

/* A stream of deaths gets a round in a rest, not as many as there can be. */
static void test_rounds_are_apart(void)
{
    enum { US = 100000, REST_US = 500 };
    oi_service_stop(); /* and no round of others */
    uint64_t before = oi_limbo_rounds(), start = oi_os_now_ns(), rounds, passed_us;
    do {
        for (int i = 0; i < 100; i++) {
            struct node *n = plain_new(i);
            ouro_share(n);
            ouro_release(n);
        }
        rounds = oi_limbo_rounds() - before;
        passed_us = (oi_os_now_ns() - start) / 1000;
    } while (passed_us < US);
    CHECK_LE(rounds, passed_us / REST_US + 1);
    CHECK(wait_until(limbo_is_empty, NULL));
}

/* Not while a reader looks; and then at once. */
static void test_limbo_waits_for_readers(void)
{
    struct node *n = plain_new(1);
    ouro_share(n);
    ouro_read_begin();
    ouro_release(n);
    sleep_ms(20);
    CHECK_GT(mem_stats().limbo_bytes, 0);
    CHECK_EQ(n->id, 1);
    ouro_read_end();
    CHECK(wait_until(limbo_is_empty, NULL));
}

static size_t committed_goal;

static bool is_purged(void *unused)
{
    (void)unused;
    return mem_stats().committed_bytes <= committed_goal;
}

/* Free memory goes back when the delay is over, not before. */
static void test_purges(void)
{
    bool in_time = false;
    for (int i = 0; i < TRIES && !in_time; i++) { /* a busy machine may let the delay go by */
        ouro_mem_trim();
        struct bytes *b = ouro_new_array(&bytes_type, 3000000);
        committed_goal = mem_stats().committed_bytes - 3000000;
        uint64_t start = oi_os_now_ns();
        ouro_release(b);
        bool purged = is_purged(NULL);
        in_time = oi_os_now_ns() - start < PURGE_DELAY_MS * UINT64_C(1000000);
        CHECK(!purged || !in_time);
        CHECK(wait_until(is_purged, NULL));
    }
    CHECK(in_time);
}

static long wakeups_of(long id)
{
    const char *text = status_of(id, "voluntary_ctxt_switches:");
    return *text ? strtol(text, NULL, 10) : -1;
}

static bool has_settled(void *id)
{
    long before = wakeups_of(*(long *)id);
    sleep_ms(150); /* longer than the purge delay */
    return wakeups_of(*(long *)id) == before;
}

/* Nothing to do: it sleeps without a timer, while the program works privately. */
static void test_idle(void)
{
    long id = service_id(), before = 0, after = 1;
    CHECK(id != 0);
    CHECK(wakeups_of(id) > 0);
    for (int try = 0; try < TRIES && after != before; try++) { /* a busy machine may let what it still has to do wait */
        for (int i = 0; i < 20 && !has_settled(&id); i++)
            ;
        before = wakeups_of(id);
        for (int i = 0; i < 30; i++) {
            for (int j = 0; j < 1000; j++)
                ouro_release(plain_new(j));
            sleep_ms(10);
        }
        after = wakeups_of(id);
    }
    CHECK_EQ(after, before);
    CHECK_HAS(status_of(id, "State:"), "S (sleeping)");
}

/* ---- parked threads ---- */

enum { OBJECTS = 8000 };
static struct node *handed[OBJECTS];
static struct step step;

static void *make_and_park(void *unused)
{
    (void)unused;
    for (int i = 0; i < OBJECTS; i++) {
        handed[i] = plain_new(i);
        ouro_share(handed[i]);
    }
    ouro_blocking_begin();
    step_set(&step, 1);
    CHECK(step_wait(&step, 2));
    ouro_blocking_end();
    return NULL;
}

static size_t in_use_goal;

static bool pages_are_back(void *unused)
{
    (void)unused;
    return oi_page_totals().in_use <= in_use_goal;
}

/* A sleeping thread's objects are dropped by another: their pages go back while it sleeps. */
static void test_parked_threads_pages(void)
{
    step_set(&step, 0);
    pthread_t thread = thread_start(make_and_park, NULL, 0);
    CHECK(step_wait(&step, 1));
    size_t before = oi_page_totals().in_use;
    size_t pages = OBJECTS * oi_page_block_size(oi_page_of(handed[0]));
    in_use_goal = before - pages + 2 * OI_UNIT; /* all but the one it allocates from */
    for (int i = 0; i < OBJECTS; i++)
        ouro_release(handed[i]);
    CHECK(wait_until(pages_are_back, NULL));
    step_set(&step, 2);
    thread_join_parked(thread);
}

/* ---- weak references ---- */

/* The table grows while it is used, and everything stays found. */
static void test_weak_table(void)
{
    enum { N = 10000 };
    struct node *target = plain_new(1);
    ouro_weak **weak = calloc(N, sizeof *weak);
    REQUIRE(weak);
    for (int i = 0; i < N; i++) {
        weak[i] = ouro_weak_new(target, NULL, NULL);
        REQUIRE(weak[i]);
        if (i % 100 == 0) { /* something to do */
            struct node *n = plain_new(i);
            ouro_share(n);
            ouro_release(n);
        }
    }
    for (int i = 0; i < N; i += 97) {
        CHECK_PTR(ouro_weak_get(weak[i]), target);
        ouro_release(target);
    }
    ouro_release(target);
    for (int i = 0; i < N; i++) {
        CHECK_PTR(ouro_weak_get(weak[i]), NULL);
        ouro_release(weak[i]);
    }
    free(weak);
    CHECK(wait_until(limbo_is_empty, NULL));
}

/* ---- stopping ---- */

/* Stopped, it is gone; the next thing to do starts it anew. */
static void test_stop_and_start(void)
{
    for (int i = 0; i < 5; i++) {
        oi_service_stop();
        CHECK(wait_until(service_is_gone, NULL));
        oi_service_stop(); /* of one that does not run: nothing */
        struct node *n = plain_new(1);
        ouro_share(n);
        ouro_release(n);
        CHECK(wait_until(service_runs, NULL));
        CHECK(wait_until(limbo_is_empty, NULL));
    }
    oi_service_stop();
    oi_service_wake();
    CHECK(wait_until(service_runs, NULL));
}

static void *stop(void *unused)
{
    (void)unused;
    oi_service_stop();
    return NULL;
}

static void child(void *unused)
{
    (void)unused;
    struct node *n = plain_new(1);
    ouro_share(n);
    ouro_release(n);
    CHECK(wait_until(service_runs, NULL));
    CHECK(wait_until(limbo_is_empty, NULL));
}

static void fork_in_section(void *unused)
{
    ouro_read_end(); /* which the fork has taken along */
    child(unused);
}

/* While a thread waits for its end, in a shutdown: the child knows nothing of that. */
static void test_fork_while_stopping(void)
{
    child(NULL);
    oi_service_stop(); /* or the last round might be counted later */
    ouro_read_begin();
    uint64_t rounds = oi_limbo_rounds();
    struct node *n = plain_new(1);
    ouro_share(n);
    ouro_release(n);
    sleep_ms(20); /* it waits for this section by now */
    CHECK_EQ(oi_limbo_rounds(), rounds);
    pthread_t stopper = thread_start(stop, NULL, 0);
    sleep_ms(20); /* and this thread for it */
    CHECK_EQ(child_run(fork_in_section, NULL), 0);
    ouro_read_end();
    thread_join_running(stopper);
    child(NULL);
}

static void test_shutdown(void)
{
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    CHECK(wait_until(service_is_gone, NULL));
    CHECK_EQ(oi_page_totals().in_use, 0);
    CHECK_EQ(oi_page_totals().reserved, 0);
}

/* A negative delay: nothing is given back by itself. */
static void test_never_purges(void)
{
    fixture_start_with((ouro_config){.purge_delay_ms = -1});
    struct bytes *b = ouro_new_array(&bytes_type, 3000000);
    size_t committed = mem_stats().committed_bytes;
    ouro_release(b);
    sleep_ms(200);
    CHECK_EQ(mem_stats().committed_bytes, committed);
    CHECK_GE(ouro_mem_trim(), 3000000); /* asked for, it is */
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

enum { SLEEPERS_NODES = 60000, HOUR_MS = 3600 * 1000 };
static struct step awake = STEP_INITIALIZER;

static void *make_and_sleep(void *out)
{
    struct table *t = table_new(SLEEPERS_NODES);
    for (int i = 0; i < SLEEPERS_NODES; i++)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_share(t);
    atomic_store((struct table *_Atomic *)out, t);
    for (int i = 0; i < TRIES && !step_wait(&awake, 1); i++) /* not in a blocking region */
        continue;
    return NULL;
}

static bool has_in_use_less(void *most)
{
    return oi_page_totals().in_use < *(size_t *)most;
}

static bool has_committed_less(void *most)
{
    return mem_stats().committed_bytes < *(size_t *)most;
}

static atomic_bool long_ago;

static void grow_older(ouro_gc_phase phase, const ouro_gc_info *info, void *unused)
{
    (void)unused;
    if (phase == OURO_GC_STOP && info->reason == OURO_GC_REASON_OWNER && atomic_load(&long_ago))
        fixture_set_patience(UINT64_C(2) * HOUR_MS * 1000000); /* as if it had been that when the collection began */
}

static uint64_t collections_for_owner(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[2].reasons[OURO_GC_REASON_OWNER];
}

static bool has_collected_for_owner(void *before)
{
    return collections_for_owner() > *(uint64_t *)before;
}

static bool is_purged_after_a_sleepers_collection(void)
{
    static struct table *_Atomic made;
    fixture_owners_may_sleep();
    ouro_mem_trim();
    atomic_store(&made, NULL);
    awake.value = 0;
    pthread_t maker = thread_start(make_and_sleep, (void *)&made, 0);
    ouro_blocking_begin();
    while (!atomic_load(&made))
        sleep_ms(1);
    ouro_blocking_end();
    size_t most = mem_stats().committed_bytes / 4;
    CHECK_GE(most, SLEEPERS_NODES * sizeof(struct node) / 4);
    uint64_t before = collections_for_owner();
    ouro_release(atomic_load(&made));
    bool purged = wait_until(has_collected_for_owner, &before) && atomic_load(&long_ago) && wait_until(has_committed_less, &most);
    if (!atomic_load(&long_ago)) {
        wait_until(has_in_use_less, &most);
        purged = ouro_mem_trim() < most;
    }
    step_set(&awake, 1);
    thread_join_parked(maker);
    return purged;
}

/* What most of the heap was, and only a collection could free because its owner sleeps, does not wait for the delay if that has gone by before. Three
 * tries: if the collector is late, one that growth had asked for finds it. */
static void test_purges_after_a_sleepers_collection(void)
{
    fixture_start_with((ouro_config){.purge_delay_ms = HOUR_MS});
    int id = ouro_gc_add_callback(grow_older, NULL);
    CHECK(!is_purged_after_a_sleepers_collection());
    atomic_store(&long_ago, true);
    bool purged = false;
    for (int i = 0; i < 3 && !purged; i++)
        purged = is_purged_after_a_sleepers_collection();
    CHECK(purged);
    ouro_gc_remove_callback(id);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    check_start("service_test");
    /* sanitizers start threads of their own with the program's first */
    thread_join_running(thread_start(nothing, NULL, 0));
    fixture_start_with((ouro_config){.purge_delay_ms = PURGE_DELAY_MS});
    CHECK_RUN(test_started_when_needed); /* before anything is measured, for that may start it */
    FIXTURE_RUN(test_signals_blocked);
    FIXTURE_RUN(test_limbo_is_drained);
    FIXTURE_RUN(test_rounds_are_apart);
    FIXTURE_RUN(test_limbo_waits_for_readers);
    FIXTURE_RUN(test_purges);
    FIXTURE_RUN(test_idle);
    FIXTURE_RUN(test_parked_threads_pages);
    FIXTURE_RUN(test_weak_table);
    FIXTURE_RUN(test_stop_and_start);
    FIXTURE_RUN(test_fork_while_stopping);
    check_around(NULL, NULL);
    CHECK_RUN(test_shutdown);
    CHECK_RUN(test_never_purges);
    CHECK_RUN(test_purges_after_a_sleepers_collection);
    return check_finish();
}
