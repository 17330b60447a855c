/* SPDX-License-Identifier: MIT
 *
 * Starting, configuring and ending the runtime. Every test runs in a forked child, so that each sees a first start. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#endif

#include "support/child.h"
#include "support/fixture.h"
#include "support/threads.h"

#define CHILD_TEST(name)                               \
    static void name##_in_child(void *arg);            \
    static void name(void)                             \
    {                                                  \
        CHECK_EQ(child_run(name##_in_child, NULL), 0); \
    }                                                  \
    static void name##_in_child(void *arg __attribute__((unused)))

static ouro_config config_with(unsigned flags)
{
    return (ouro_config){.size = sizeof(ouro_config), .flags = flags, .misuse = misuse_hook};
}

CHILD_TEST(test_starts_by_itself)
{
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
    CHECK(ouro_gc_is_enabled());
    CHECK_EQ(mem_stats().hard_limit, 0);
}

/* Each of these is the first call of the process. */
static void first_call(void *arg)
{
    size_t sizes[3];
    switch (*(int *)arg) {
    case 0:
        CHECK_EQ(ouro_gc_collect(0), 0);
        break;
    case 1:
        ouro_read_begin();
        ouro_read_end();
        break;
    case 2:
        ouro_safepoint();
        break;
    case 3:
        ouro_thread_detach();
        break;
    case 4:
        ouro_blocking_begin();
        ouro_blocking_end();
        break;
    case 5:
        ouro_mem_trim();
        break;
    case 6:
        CHECK_EQ(mem_stats().live_objects, 0);
        break;
    case 7:
        CHECK_EQ(ouro_mem_set_limit(0, 1 << 30), OURO_OK);
        break;
    case 8:
        ouro_gc_get_threshold(sizes);
        CHECK_EQ(sizes[0], 0);
        break;
    case 9:
        ouro_gc_get_count(sizes);
        CHECK_EQ(sizes[0], 0);
        break;
    case 10:
        ouro_gc_disable();
        CHECK(!ouro_gc_is_enabled());
        CHECK_EQ(ouro_init(NULL), OURO_OK); /* which comes too late to turn it on */
        CHECK(!ouro_gc_is_enabled());
        break;
    case 11:
        CHECK_EQ(ouro_finalizers_run(5), 0);
        break;
    case 12:
        CHECK_EQ(ouro_thread_attach(0), OURO_OK);
        break;
    case 13:
        CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
        break;
    case 14:
        setenv("OURO_GC", "off", 1);
        ouro_gc_enable();
        CHECK(ouro_gc_is_enabled());
        CHECK_EQ(ouro_init(NULL), OURO_OK);
        CHECK(ouro_gc_is_enabled());
        break;
    default:
        ouro_release(NULL);
        ouro_share(NULL);
        CHECK_PTR(ouro_weak_get(NULL), NULL);
        break;
    }
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
}

static void test_any_call_may_be_the_first(void)
{
    for (int i = 0; i <= 15; i++)
        CHECK_EQ(child_run(first_call, &i), 0);
}

CHILD_TEST(test_init_twice)
{
    ouro_config config = config_with(OURO_IGNORE_ENVIRONMENT);
    config.hard_limit = 100 << 20;
    CHECK_EQ(ouro_init(&config), OURO_OK);
    config.hard_limit = 200 << 20;
    config.flags |= OURO_GC_DISABLED;
    CHECK_EQ(ouro_init(&config), OURO_OK); /* no effect */
    CHECK_EQ(ouro_init(NULL), OURO_OK);
    CHECK_EQ(mem_stats().hard_limit, 100 << 20);
    CHECK(ouro_gc_is_enabled());
    CHECK_PTR(ouro_new(&table_type), NULL);
    CHECK_MISUSE(OURO_MISUSE_WRONG_TYPE, "ouro_new", "table", NULL); /* the hook of the first one */
}

CHILD_TEST(test_config)
{
    ouro_config config = config_with(OURO_IGNORE_ENVIRONMENT | OURO_GC_DISABLED);
    config.soft_limit = 50 << 20;
    config.hard_limit = 100 << 20;
    config.threshold[0] = 700;
    config.threshold[1] = 10;
    config.threshold[2] = 20;
    config.max_threads = 1;
    CHECK_EQ(ouro_init(&config), OURO_OK);
    CHECK_EQ(mem_stats().soft_limit, 50 << 20);
    CHECK_EQ(mem_stats().hard_limit, 100 << 20);
    CHECK(!ouro_gc_is_enabled());
    size_t threshold[3];
    ouro_gc_get_threshold(threshold);
    CHECK_EQ(threshold[0], 700);
    CHECK_EQ(threshold[1], 10);
    CHECK_EQ(threshold[2], 20);
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
}

static void refused(ouro_config config)
{
    CHECK_EQ(ouro_init(&config), OURO_E_INVALID);
}

CHILD_TEST(test_bad_config)
{
    ouro_config good = config_with(OURO_IGNORE_ENVIRONMENT), bad = good;
    bad.size = 0;
    refused(bad);
    bad.size = 7;
    refused(bad);
    bad = good;
    bad.flags |= 0x40000000u;
    refused(bad);
    bad = good;
    bad.max_threads = 32767;
    refused(bad);
    bad.max_threads = 1000000;
    refused(bad);
    bad = good;
    bad.soft_limit = 2 << 20;
    bad.hard_limit = 1 << 20;
    refused(bad);
    good.max_threads = 32766;
    CHECK_EQ(ouro_init(&good), OURO_OK); /* nothing of it is left */
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
}

CHILD_TEST(test_shutdown_with_nothing_left)
{
    fixture_start();
    struct node *ring = node_new(1);
    ouro_set(ring, &ring->a, ring);
    ouro_release(ring);
    ouro_release(node_new(2));
    ouro_leak_report report;
    memset(&report, 0xee, sizeof report);
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(finalized(), 2); /* the ring, too */
    CHECK_EQ(report.objects, 0);
    CHECK_EQ(report.bytes, 0);
    CHECK_EQ(report.immortal_objects, 0);
    CHECK_EQ(report.types_count, 0);
    CHECK_EQ(ouro_shutdown(&report), OURO_OK); /* twice */
    CHECK_EQ(report.objects, 0);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

CHILD_TEST(test_leak_report)
{
    fixture_start();
    struct leaf *leaves[20];
    struct node *nodes[5];
    for (int i = 0; i < 20; i++)
        leaves[i] = leaf_new(i);
    for (int i = 0; i < 5; i++)
        nodes[i] = node_new(i);
    struct table *t = table_new(10000);
    ouro_share(t);
    struct node *immortal = plain_new(1);
    ouro_give(immortal, &immortal->a, plain_new(2)); /* kept by the immortal object only */
    ouro_set(immortal, &immortal->b, leaves[0]);     /* and this is held by the test as well */
    ouro_immortalize(immortal);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 20 + 5 + 1);
    CHECK_GE(report.bytes, 10000 * sizeof(ouro_slot) + 20 * sizeof(struct leaf) + 5 * sizeof(struct node));
    CHECK_EQ(report.immortal_objects, 2);
    CHECK_EQ(report.types_count, 3);
    CHECK_STR(report.types[0].name, "table"); /* most bytes first */
    CHECK_EQ(report.types[0].objects, 1);
    CHECK_GE(report.types[0].bytes, 10000 * sizeof(ouro_slot));
    CHECK_STR(report.types[1].name, "leaf");
    CHECK_EQ(report.types[1].objects, 20);
    CHECK_STR(report.types[2].name, "node");
    CHECK_EQ(report.types[2].objects, 5);
    size_t bytes = 0;
    for (size_t i = 0; i < report.types_count; i++)
        bytes += report.types[i].bytes;
    CHECK_EQ(bytes, report.bytes);
    /* What is left stays valid. */
    CHECK_EQ(leaves[7]->id, 7);
    for (int i = 0; i < 20; i++)
        ouro_release(leaves[i]);
    for (int i = 0; i < 5; i++)
        ouro_release(nodes[i]);
    ouro_release(t);
    CHECK_EQ(finalized(), 24); /* one leaf is kept for ever */
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    CHECK_EQ(report.immortal_objects, 3);
    CHECK_EQ(misuse_count(), 0);
}

/* More types than the report has entries for. */
CHILD_TEST(test_leak_report_of_many_types)
{
    enum { TYPES = 40 };
    static ouro_type types[TYPES];
    fixture_start();
    size_t total = 0;
    for (int i = 0; i < TYPES; i++) {
        types[i] = (ouro_type){.size = 16 + 64 * (size_t)i, .align = 8, .name = "one of many"};
        for (int k = 0; k <= i % 3; k++, total++)
            CHECK(ouro_new(&types[i]) != NULL);
    }
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, total);
    CHECK_EQ(report.types_count, OURO_LEAK_TYPES_MAX);
    for (size_t i = 1; i < report.types_count; i++)
        CHECK_LE(report.types[i].bytes, report.types[i - 1].bytes);
}

/* What others handed to parked and exited threads is carried out, and what an exited thread left is counted. */
static void *leave_things(void *arg)
{
    struct node **shared = arg;
    *shared = node_new(1);
    ouro_share(*shared);
    CHECK(ouro_new(&plain_type) != NULL); /* leaked */
    return NULL;
}

CHILD_TEST(test_shutdown_after_threads)
{
    fixture_start();
    struct node *shared = NULL;
    thread_do(leave_things, &shared, 0);
    ouro_release(shared);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(report.objects, 1);
    CHECK_EQ(report.types_count, 1);
    CHECK_STR(report.types[0].name, "plain");
}

CHILD_TEST(test_init_after_shutdown)
{
    for (int i = 1; i <= 20; i++) {
        ouro_config config = config_with(OURO_IGNORE_ENVIRONMENT);
        config.hard_limit = (size_t)i << 24;
        CHECK_EQ(ouro_init(&config), OURO_OK);
        CHECK_EQ(mem_stats().hard_limit, (size_t)i << 24); /* the new configuration */
        struct node *ring = node_new(1);
        ouro_set(ring, &ring->a, ring);
        ouro_release(ring);
        ouro_leak_report report;
        CHECK_EQ(ouro_shutdown(&report), OURO_OK);
        CHECK_EQ(report.objects, 0);
        CHECK_EQ(finalized(), 2 * i - 1);
        if (i % 2)
            ouro_release(node_new(2)); /* starts it again, with defaults */
        else
            ouro_release(node_new_with(3, NULL, NULL));
        CHECK_EQ(finalized(), 2 * i);
        CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
    }
}

struct worker {
    struct step started, stopped, finish;
};

static void *go_on_after_shutdown(void *arg)
{
    struct worker *w = arg;
    struct node *n = node_new_with(1, node_new(2), NULL);
    step_set(&w->started, 1);
    CHECK(step_wait(&w->stopped, 1));
    CHECK_EQ(n->id, 1);
    struct node *child = ouro_get(n, &n->a);
    CHECK_EQ(child->id, 2);
    ouro_release(child);
    ouro_release(n);
    ouro_release(node_new(3));
    step_set(&w->finish, 1);
    return NULL;
}

CHILD_TEST(test_other_threads_go_on)
{
    fixture_start();
    struct worker w = {STEP_INITIALIZER, STEP_INITIALIZER, STEP_INITIALIZER};
    pthread_t thread = thread_start(go_on_after_shutdown, &w, 0);
    CHECK(step_wait(&w.started, 1));
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 2);
    step_set(&w.stopped, 1);
    thread_join_running(thread);
    CHECK_EQ(finalized(), 3);
    CHECK_LIVE(0);
}

CHILD_TEST(test_shutdown_in_read_section)
{
    fixture_start();
    ouro_read_begin();
    CHECK_EQ(ouro_shutdown(NULL), OURO_E_USAGE);
    ouro_read_end();
    CHECK_MISUSE(OURO_MISUSE_WRONG_PLACE, "ouro_shutdown", NULL, NULL);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

/* ---- The environment ---- */

struct variable {
    const char *name, *value;
};

static void start_with(const struct variable *v, unsigned flags)
{
    CHECK_EQ(setenv(v->name, v->value, 1), 0);
    ouro_config config = config_with(flags);
    CHECK_EQ(ouro_init(&config), OURO_OK);
}

static void limits_from_environment(void *arg)
{
    static const struct {
        struct variable variable;
        size_t soft, hard;
    } cases[] = {
        {{"OURO_SOFT_LIMIT", "1048576"}, 1 << 20, 0},
        {{"OURO_SOFT_LIMIT", "64K"}, 64 << 10, 0},
        {{"OURO_HARD_LIMIT", "16M"}, 0, 16 << 20},
        {{"OURO_HARD_LIMIT", "3G"}, 0, (size_t)3 << 30},
        {{"OURO_HARD_LIMIT", "0"}, 0, 0},
    };
    (void)arg;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start_with(&cases[i].variable, 0);
        CHECK_EQ(mem_stats().soft_limit, cases[i].soft);
        CHECK_EQ(mem_stats().hard_limit, cases[i].hard);
        CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
        unsetenv(cases[i].variable.name);
    }
    CHECK_EQ(misuse_count(), 0);
}

static void test_environment_limits(void)
{
    CHECK_EQ(child_run(limits_from_environment, NULL), 0);
}

CHILD_TEST(test_environment_overrides)
{
    setenv("OURO_HARD_LIMIT", "32M", 1);
    setenv("OURO_THRESHOLD", "500", 1);
    setenv("OURO_GC", "off", 1);
    ouro_config config = config_with(0);
    config.hard_limit = 64 << 20;
    config.threshold[0] = 100;
    CHECK_EQ(ouro_init(&config), OURO_OK);
    CHECK_EQ(mem_stats().hard_limit, 32 << 20);
    size_t threshold[3];
    ouro_gc_get_threshold(threshold);
    CHECK_EQ(threshold[0], 500);
    CHECK(!ouro_gc_is_enabled());
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);

    setenv("OURO_THRESHOLD", "1,22,333", 1);
    setenv("OURO_GC", "on", 1);
    config.flags = OURO_GC_DISABLED;
    CHECK_EQ(ouro_init(&config), OURO_OK);
    ouro_gc_get_threshold(threshold);
    CHECK_EQ(threshold[0], 1);
    CHECK_EQ(threshold[1], 22);
    CHECK_EQ(threshold[2], 333);
    CHECK(ouro_gc_is_enabled());
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);

    config = config_with(OURO_IGNORE_ENVIRONMENT);
    config.hard_limit = 64 << 20;
    CHECK_EQ(ouro_init(&config), OURO_OK);
    CHECK_EQ(mem_stats().hard_limit, 64 << 20);
    ouro_gc_get_threshold(threshold);
    CHECK_EQ(threshold[0], 0);
    CHECK_EQ(misuse_count(), 0);
}

/* Without any ouro_init, the first call reads it. */
CHILD_TEST(test_environment_without_init)
{
    setenv("OURO_HARD_LIMIT", "48M", 1);
    ouro_release(node_new(1));
    CHECK_EQ(mem_stats().hard_limit, 48 << 20);
}

static void *attach_once(void *arg)
{
    *(ouro_status *)arg = ouro_thread_attach(0);
    return NULL;
}

CHILD_TEST(test_environment_max_threads)
{
    start_with(&(struct variable){"OURO_MAX_THREADS", "1"}, 0);
    CHECK_EQ(ouro_thread_attach(0), OURO_OK);
    ouro_status status = OURO_OK;
    thread_join_running(thread_start(attach_once, &status, 0));
    CHECK_EQ(status, OURO_E_AGAIN);
    ouro_thread_detach();
    thread_join_running(thread_start(attach_once, &status, 0));
    CHECK_EQ(status, OURO_OK);
}

CHILD_TEST(test_environment_finalize_manual)
{
    start_with(&(struct variable){"OURO_FINALIZE", "manual"}, 0);
    struct node *ring = node_new(1);
    ouro_set(ring, &ring->a, ring);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 1);
    CHECK_EQ(finalized(), 0);
    CHECK_EQ(ouro_finalizers_run(10), 1);
    CHECK_EQ(finalized(), 1);
}

CHILD_TEST(test_environment_finalize_auto)
{
    start_with(&(struct variable){"OURO_FINALIZE", "auto"}, OURO_FINALIZE_MANUAL);
    struct node *ring = node_new(1);
    ouro_set(ring, &ring->a, ring);
    ouro_release(ring);
    CHECK_EQ(ouro_gc_collect(0), 1);
    CHECK_EQ(finalized(), 1);
}

/* What cannot be read is reported, once each, and the default holds. */
static void bad_value(void *arg)
{
    const struct variable *v = arg;
    start_with(v, 0);
    struct misuse_record record = misuse_first();
    CHECK_HAS(record.message, v->name);
    CHECK_MISUSE(OURO_MISUSE_OPTION, "ouro_init", NULL, NULL);
    CHECK_EQ(mem_stats().soft_limit, 0);
    CHECK_EQ(mem_stats().hard_limit, 0);
    CHECK(ouro_gc_is_enabled());
    size_t threshold[3];
    ouro_gc_get_threshold(threshold);
    CHECK_EQ(threshold[0], 0);
    ouro_release(node_new(1));
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(misuse_count(), 0);
}

static void test_environment_bad_values(void)
{
    static struct variable bad[] = {
        {"OURO_SOFT_LIMIT", "lots"},
        {"OURO_SOFT_LIMIT", "12Q"},
        {"OURO_HARD_LIMIT", "-1"},
        {"OURO_HARD_LIMIT", "1.5G"},
        {"OURO_HARD_LIMIT", "99999999999999999999"},
        {"OURO_HARD_LIMIT", "99999999999999G"},
        {"OURO_THRESHOLD", "many"},
        {"OURO_THRESHOLD", "1,2,"},
        {"OURO_THRESHOLD", "1,2,3,4"},
        {"OURO_THRESHOLD", "-5"},
        {"OURO_MAX_THREADS", "none"},
        {"OURO_MAX_THREADS", "99999999"},
        {"OURO_PURGE_DELAY", "soon"},
        {"OURO_GC", "maybe"},
        {"OURO_FINALIZE", "never"},
        {"OURO_LEAKS", "perhaps"},
        {"OURO_MISUSE", "loud"},
        {"OURO_GC", "ON "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!CHECK_EQ(child_run(bad_value, &bad[i]), 0))
            printf("       with %s=%s\n", bad[i].name, bad[i].value);
}

static void ignored_value(void *arg)
{
    start_with(arg, OURO_IGNORE_ENVIRONMENT);
    CHECK_EQ(mem_stats().hard_limit, 0);
    CHECK_EQ(misuse_count(), 0);
}

static void test_environment_ignored(void)
{
    static struct variable both[] = {{"OURO_HARD_LIMIT", "lots"}, {"OURO_HARD_LIMIT", "20M"}};
    for (int i = 0; i < 2; i++)
        CHECK_EQ(child_run(ignored_value, &both[i]), 0);
}

/* ---- What is printed ---- */

static void leak_and_shut_down(void *arg)
{
    const char *leaks = arg;
    if (leaks)
        setenv("OURO_LEAKS", leaks, 1);
    ouro_config config = config_with(leaks ? 0 : OURO_REPORT_LEAKS | OURO_IGNORE_ENVIRONMENT);
    CHECK_EQ(ouro_init(&config), OURO_OK);
    for (int i = 0; i < 17; i++)
        CHECK(node_new(i) != NULL);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

static void test_leaks_are_printed(void)
{
    char text[4096];
    CHECK_EQ(child_run_reading(leak_and_shut_down, NULL, text, sizeof text), 0);
    CHECK_HAS(text, "node");
    CHECK_HAS(text, "17");
    CHECK_EQ(child_run_reading(leak_and_shut_down, "1", text, sizeof text), 0);
    CHECK_HAS(text, "node");
    CHECK_EQ(child_run_reading(leak_and_shut_down, "0", text, sizeof text), 0);
    CHECK_STR(text, "");
}

static void misuse_without_hook(void *arg)
{
    const char *how = arg;
    signal(SIGTRAP, SIG_IGN);
    if (how)
        setenv("OURO_MISUSE", how, 1);
    ouro_config config = {.size = sizeof config, .flags = how ? 0 : OURO_IGNORE_ENVIRONMENT};
    CHECK_EQ(ouro_init(&config), OURO_OK);
    CHECK_PTR(ouro_new(&table_type), NULL);
    if (how && strcmp(how, "trap") == 0) {
        signal(SIGTRAP, SIG_DFL);
        ouro_type *type = &table_type;
        CHECK_PTR(ouro_new(type), NULL);
        CHECK(!"trapped");
    }
}

static int lines_in(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void test_misuse_is_printed(void)
{
    char text[4096];
    static char print[] = "print", silent[] = "silent", trap[] = "trap";
    CHECK_EQ(child_run_reading(misuse_without_hook, NULL, text, sizeof text), 0);
    CHECK_HAS(text, "ouro_new");
    CHECK_HAS(text, "table");
    CHECK_EQ(lines_in(text), 1);
    CHECK_EQ(child_run_reading(misuse_without_hook, print, text, sizeof text), 0);
    CHECK_EQ(lines_in(text), 1);
    CHECK_EQ(child_run_reading(misuse_without_hook, silent, text, sizeof text), 0);
    CHECK_STR(text, "");
    int status = child_run_reading(misuse_without_hook, trap, text, sizeof text);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
    CHECK_EQ(lines_in(text), 2);
}

/* ---- Purging ---- */

static size_t burst_and_wait(long delay_ms)
{
    ouro_config config = config_with(OURO_IGNORE_ENVIRONMENT);
    config.purge_delay_ms = delay_ms;
    CHECK_EQ(ouro_init(&config), OURO_OK);
    struct table *t = table_new(20000);
    ouro_share(t);
    for (int i = 0; i < 20000; i++)
        ouro_give(t, &t->items[i], ouro_new_array(&bytes_type, 1000));
    ouro_release(t);
    ouro_blocking_begin();
    size_t committed = mem_stats().committed_bytes;
    for (int i = 0; i < 50 && committed > 4 << 20; i++) { /* half a second */
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        committed = mem_stats().committed_bytes;
    }
    ouro_blocking_end();
    return committed;
}

CHILD_TEST(test_purge_never)
{
    CHECK_GE(burst_and_wait(-1), 16 << 20); /* kept */
    CHECK_GE(ouro_mem_trim(), 12 << 20);
    CHECK_LE(mem_stats().committed_bytes, 4 << 20);
}

/* ---- A kernel without membarrier ---- */

#if defined(__linux__) && defined(SYS_membarrier) && defined(__x86_64__)
static bool forbid_membarrier(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

CHILD_TEST(test_no_membarrier)
{
    if (!forbid_membarrier()) {
        printf("       skipped: this system does not let a process filter its calls\n");
        return;
    }
    for (int i = 0; i < 2; i++) {
        ouro_config config = config_with(OURO_IGNORE_ENVIRONMENT);
        CHECK_EQ(ouro_init(&config), OURO_E_SYSTEM);
        CHECK_PTR(ouro_new(&node_type), NULL);
        CHECK_PTR(ouro_new_array(&table_type, 2), NULL);
        CHECK_LT(ouro_thread_attach(0), 0);
        CHECK_LT(ouro_gc_collect(0), 0);
    }
    CHECK_EQ(misuse_count(), 0);
}
#else
static void test_no_membarrier(void)
{
    printf("       skipped: written for Linux on x86-64\n");
}
#endif

int main(void)
{
    check_start("runtime_test");
    CHECK_RUN(test_starts_by_itself);
    CHECK_RUN(test_any_call_may_be_the_first);
    CHECK_RUN(test_init_twice);
    CHECK_RUN(test_config);
    CHECK_RUN(test_bad_config);
    CHECK_RUN(test_shutdown_with_nothing_left);
    CHECK_RUN(test_leak_report);
    CHECK_RUN(test_leak_report_of_many_types);
    CHECK_RUN(test_shutdown_after_threads);
    CHECK_RUN(test_init_after_shutdown);
    CHECK_RUN(test_other_threads_go_on);
    CHECK_RUN(test_shutdown_in_read_section);
    CHECK_RUN(test_environment_limits);
    CHECK_RUN(test_environment_overrides);
    CHECK_RUN(test_environment_without_init);
    CHECK_RUN(test_environment_max_threads);
    CHECK_RUN(test_environment_finalize_manual);
    CHECK_RUN(test_environment_finalize_auto);
    CHECK_RUN(test_environment_bad_values);
    CHECK_RUN(test_environment_ignored);
    CHECK_RUN(test_leaks_are_printed);
    CHECK_RUN(test_misuse_is_printed);
    CHECK_RUN(test_purge_never);
    CHECK_RUN(test_no_membarrier);
    return check_finish();
}
