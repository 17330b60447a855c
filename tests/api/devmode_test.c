/* SPDX-License-Identifier: MIT
 *
 * Dev mode: each kind of mistake is made in a child process, whose report has to name the type, and by file and line the place where the object was made
 * and those where its count changed. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ouro/ouro.h>

#include "support/check.h"
#include "support/child.h"
#include "support/scale.h"

struct node {
    ouro_object object;
    ouro_slot a, b;
    long key;
};
static ouro_type node_type = OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, a, b));

struct table {
    ouro_array array;
    ouro_slot items[];
};
static ouro_type table_type = OURO_TYPE(struct table, .name = "table", .array_slots = offsetof(struct table, items));

#ifdef TEST_ASAN
#define WRITES_TRAP true /* a sanitizer sees those to dead objects */
#else
#define WRITES_TRAP false
#endif

#define APART __attribute__((noinline))
#define NO_TAIL_CALL() __asm__ volatile("") /* the call before it is to return here */

/* Places, each with its line. */
static const int made_at = __LINE__ + 3;
static APART struct node *make(void)
{
    struct node *n = ouro_new(&node_type);
    NO_TAIL_CALL();
    REQUIRE(n);
    return n;
}

static const int retained_at = __LINE__ + 3;
static APART void hold(void *o)
{
    ouro_retain(o);
    NO_TAIL_CALL();
}

static const int dropped_at = __LINE__ + 3;
static APART void drop(void *o)
{
    ouro_release(o);
    NO_TAIL_CALL();
}

static const int dropped_again_at = __LINE__ + 3;
static APART void drop_again(void *o)
{
    ouro_release(o);
    __asm__ volatile("# again"); /* or the compiler takes the one for the other */
}

static const int stored_at = __LINE__ + 3;
static APART void store(struct node *in, void *o)
{
    ouro_set(in, &in->a, o);
    NO_TAIL_CALL();
}

static void start_with(ouro_config config)
{
    config.size = sizeof config;
    config.flags |= OURO_DEVMODE | OURO_IGNORE_ENVIRONMENT;
    REQUIRE(ouro_init(&config) == OURO_OK);
}

static void start(void)
{
    start_with((ouro_config){0});
}

/* ---- what was reported ---- */

static char text[1 << 16];

/* The line of the report, and all up to the end of it, on which `what` stands first; or an empty text. */
static const char *line_with(const char *what)
{
    static char line[4096];
    const char *at = strstr(text, what);
    if (!CHECK(at != NULL)) {
        fprintf(stderr, "not there: %s, in\n%s\n", what, text);
        return "";
    }
    while (at > text && at[-1] != '\n')
        at--;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

static const char *place(const char *function, int line)
{
    static char room[4][128];
    static unsigned next;
    char *p = room[next++ % 4];
    snprintf(p, sizeof room[0], "%s (", function);
    return line ? (snprintf(p, sizeof room[0], "devmode_test.c:%d)", line), p) : p;
}

#define CHECK_LINE(what, function, line) (CHECK_HAS(line_with(what), place(function, 0)), CHECK_HAS(line_with(what), place(function, line)))

static void run(void (*fn)(void *), void *arg, int signal)
{
    int status = child_run_reading(fn, arg, text, sizeof text);
    bool failed = signal && (WRITES_TRAP ? status != 0 : WIFSIGNALED(status) && WTERMSIG(status) == signal); /* sanitizers may end it otherwise */
    if (!CHECK(signal ? failed : status == 0))
        fprintf(stderr, "status %#x after:\n%s", (unsigned)status, text);
}

static void check_made(void)
{
    CHECK_HAS(line_with("of type node, made by thread"), "40 bytes");
    CHECK_LINE("of type node, made by thread", "make", made_at);
}

/* ---- over-release ---- */

static void over_release(void *shared)
{
    start();
    struct node *n = make();
    if (shared)
        ouro_share(n);
    hold(n);
    drop(n);
    drop(n);
    drop_again(n);
}

static void test_over_release(void)
{
    for (int shared = 0; shared < 2; shared++) {
        run(over_release, shared ? "" : NULL, SIGABRT);
        CHECK_HAS(text, "ouro: ouro_release: the object is dead");
        CHECK_HAS(text, "of type node)");
        check_made();
        CHECK_HAS(text, "the last 4 of 4, latest first");
        CHECK_LINE("released (dead)", "drop_again", dropped_again_at);
        CHECK_LINE("released (references 1 -> 0)", "drop", dropped_at);
        CHECK_LINE("released (references 2 -> 1)", "drop", dropped_at);
        CHECK_LINE("retained (references 1 -> 2)", "hold", retained_at);
    }
}

/* Only the last changes are kept, and their number. */
static void many_changes(void *unused)
{
    (void)unused;
    start();
    struct node *n = make();
    for (int i = 0; i < 1000; i++) {
        hold(n);
        drop(n);
    }
    drop(n);
    drop_again(n);
}

static void test_many_changes(void)
{
    run(many_changes, NULL, SIGABRT);
    CHECK_HAS(text, "the last 8 of 2002, latest first");
    CHECK_LINE("released (references 1 -> 0)", "drop", dropped_at);
}

/* ---- use after death ---- */

static void use_set(void *o)
{
    struct node *n = make();
    store(n, o);
}

static void use_get(void *o)
{
    void *got = ouro_get(o, &((struct node *)o)->a);
    (void)got;
}

static void use_weak(void *o)
{
    void *weak = ouro_weak_new(o, NULL, NULL);
    (void)weak;
}

static void use_retain(void *o)
{
    hold(o);
}

static const struct use {
    void (*fn)(void *);
    const char *call;
} uses[] = {
    {use_set, "ouro_set"}, {use_get, "ouro_get"}, {use_weak, "ouro_weak_new"}, {use_retain, "ouro_retain"}, {ouro_share, "ouro_share"}, {ouro_immortalize, "ouro_immortalize"},
};

static void use_after_death(void *use)
{
    start();
    struct node *n = make();
    drop(n);
    ((const struct use *)use)->fn(n);
}

static void test_use_after_death(void)
{
    char head[64];
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        run(use_after_death, (void *)&uses[i], SIGABRT);
        snprintf(head, sizeof head, "ouro: %s: ", uses[i].call);
        CHECK_HAS(text, head);
        CHECK_HAS(text, "of type node)");
        check_made();
        CHECK_LINE("released (references 1 -> 0)", "drop", dropped_at);
    }
}

/* Another thread's private object is reported with its place, too. */
static void *drop_on_thread(void *o)
{
    drop(o);
    return NULL;
}

static void foreign(void *unused)
{
    pthread_t thread;
    (void)unused;
    start();
    struct node *n = make();
    REQUIRE(pthread_create(&thread, NULL, drop_on_thread, n) == 0);
    pthread_join(thread, NULL);
}

static void test_foreign(void)
{
    run(foreign, NULL, SIGABRT);
    CHECK_HAS(text, "private to another thread");
    check_made();
    CHECK_LINE("    released", "drop", dropped_at);
}

/* Threads are told apart. */
static void two_threads(void *unused)
{
    pthread_t thread;
    (void)unused;
    start();
    struct node *n = make();
    ouro_share(n);
    hold(n);
    REQUIRE(pthread_create(&thread, NULL, drop_on_thread, n) == 0);
    pthread_join(thread, NULL);
    drop(n);
    ouro_safepoint();
    drop_again(n);
}

static void test_two_threads(void)
{
    run(two_threads, NULL, SIGABRT);
    unsigned here = 0, there = 0;
    const char *end = strstr(line_with("released (dead)"), "by thread");
    REQUIRE(end);
    CHECK_EQ(sscanf(end, "by thread %u", &here), 1);
    for (const char *at = text; (at = strstr(at, "by thread")); at++) {
        unsigned thread;
        if (sscanf(at, "by thread %u", &thread) == 1 && thread != here)
            there = thread;
    }
    CHECK_NE(there, 0);
    CHECK_HAS(text, "the last 4 of 4"); /* what was queued for the owner is no change of its own */
}

/* What a list of the library's holds is told in terms of the program. */
static const int appended_at = __LINE__ + 3;
static APART void append(ouro_value list, void *o)
{
    REQUIRE(ouro_list_append(list, ouro_value_of(o)) == OURO_OK);
    NO_TAIL_CALL();
}

static void in_a_list(void *unused)
{
    (void)unused;
    start();
    ouro_value list = ouro_list_new();
    struct node *n = make();
    append(list, n);
    drop(n);
    drop(n); /* the list's */
    ouro_value_release(list);
}

static void test_in_a_list(void)
{
    run(in_a_list, NULL, SIGABRT);
    check_made();
    CHECK_LINE("retained (references 1 -> 2)", "append", appended_at);
    CHECK_LINE("released (references 1 -> 0)", "drop", dropped_at);
    CHECK_LINE("released (dead)", "in_a_list", 0);
}

/* Garbage was taken by a collection. */
static void garbage(void *shared)
{
    start();
    struct node *n = make();
    store(n, n);
    if (shared)
        ouro_share(n);
    drop(n);
    CHECK_EQ(ouro_gc_collect(2), 1);
    drop_again(n);
}

static void test_garbage(void)
{
    for (int shared = 0; shared < 2; shared++) {
        run(garbage, shared ? "" : NULL, SIGABRT);
        check_made();
        CHECK_LINE("found to be garbage", "garbage", 0);
        CHECK_LINE("retained (references 1 -> 2)", "store", stored_at);
    }
}

/* ---- writes after death ---- */

enum { PRIVATE, IN_LIMBO, IN_QUARANTINE };

static void write_late(void *when)
{
    start();
    volatile struct node *n = make();
    if (*(int *)when != PRIVATE)
        ouro_share((void *)n);
    ouro_read_begin();
    if (*(int *)when != IN_LIMBO)
        ouro_read_end();
    drop((void *)n);
    if (*(int *)when == IN_QUARANTINE)
        ouro_mem_trim();
    n->key = 1;
    if (*(int *)when == IN_LIMBO)
        ouro_read_end();
    ouro_shutdown(NULL);
}

static void test_write_late(void)
{
    for (int when = PRIVATE; when <= IN_QUARANTINE; when++) {
        run(write_late, &when, SIGABRT);
        if (WRITES_TRAP && when != IN_LIMBO) {
            CHECK_HAS(text, "use-after-poison");
            continue;
        }
        CHECK_HAS(text, "the object was written to after it had gone");
        CHECK_HAS(text, "of type node)");
        check_made();
        CHECK_LINE("released (references 1 -> 0)", "drop", dropped_at);
    }
}

/* Objects leave quarantine when others come, and are checked then. */
static void write_and_go_on(void *unused)
{
    (void)unused;
    start_with((ouro_config){.quarantine = 4000});
    volatile struct node *n = make();
    drop((void *)n);
    n->key = 1;
    for (int i = 0; i < 99; i++)
        drop(make());
    CHECK(true);
    fprintf(stderr, "not yet\n");
    drop(make());
    fprintf(stderr, "found nothing\n");
}

static void test_write_and_go_on(void)
{
    if (WRITES_TRAP)
        return;
    run(write_and_go_on, NULL, SIGABRT);
    CHECK_HAS(text, "not yet"); /* 100 blocks of 40 bytes are allowed */
    CHECK_HAS(text, "byte 32 of its block");
    CHECK(!strstr(text, "found nothing"));
}

/* ---- without abort ---- */

static char details[4096];

static void keep_details(const ouro_misuse *misuse, void *arg)
{
    CHECK_PTR(arg, details);
    CHECK_EQ(misuse->size, sizeof *misuse);
    CHECK_EQ(misuse->kind, OURO_MISUSE_OVER_RELEASE);
    CHECK_STR(misuse->type_name, "node");
    snprintf(details, sizeof details, "%s", misuse->details ? misuse->details : "none");
}

static void with_a_hook(void *unused)
{
    (void)unused;
    start_with((ouro_config){.misuse = keep_details, .misuse_arg = details});
    struct node *n = make();
    drop(n);
    drop_again(n);
    CHECK_HAS(details, place("make", made_at));
    CHECK_HAS(details, place("drop_again", dropped_again_at));
}

static void test_with_a_hook(void)
{
    run(with_a_hook, NULL, 0);
}

/* What a hook may ask for, whatever lock is held when it is called: a write is found while dead blocks are taken on. */
static void ask_for_stats(const ouro_misuse *misuse, void *times)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    ++*(atomic_int *)times;
    REQUIRE(misuse->kind == OURO_MISUSE_WRITE_AFTER_FREE && stats.committed_bytes);
}

static void stats_in_hook(void *unused)
{
    (void)unused;
    atomic_int times = 0;
    start_with((ouro_config){.misuse = ask_for_stats, .misuse_arg = &times});
    alarm(60); /* rather than wait for ever */
    volatile struct node *n = make();
    ouro_share((void *)n);
    ouro_read_begin();
    drop((void *)n);
    n->key = 1;
    ouro_read_end();
    while (!times)
        ouro_mem_trim();
}

static void test_stats_in_hook(void)
{
    run(stats_in_hook, NULL, 0);
}

static atomic_int gone;

static void *come_and_go(void *unused)
{
    for (; gone < SCALED(100000); gone++)
        drop(gone / 100 % 2 ? (void *)make() : ouro_new_array(&table_type, 10)); /* these come into quarantine, and those leave it */
    return unused;
}

/* What is made and dies while others count is no less than nothing. */
static void stats_meanwhile(void *unused)
{
    pthread_t thread;
    start_with((ouro_config){.quarantine = 4000});
    REQUIRE(pthread_create(&thread, NULL, come_and_go, unused) == 0);
    while (gone < SCALED(100000)) {
        ouro_mem_stats stats;
        ouro_mem_get_stats(&stats, sizeof stats);
        for (int i = 0; i < OURO_MEM_CLASSES_MAX; i++) {
            if (!CHECK(stats.classes[i].live_objects < 1000 && stats.classes[i].live_bytes < 100000))
                gone = SCALED(100000);
        }
    }
    pthread_join(thread, NULL);
}

static void test_stats_meanwhile(void)
{
    run(stats_meanwhile, NULL, 0);
}

static void without_devmode(void *unused)
{
    ouro_trace *trace;
    (void)unused;
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT, .misuse = keep_details, .misuse_arg = details};
    REQUIRE(ouro_init(&config) == OURO_OK);
    CHECK_EQ(ouro_trace_take(&trace), OURO_E_USAGE);
    CHECK_PTR(trace, NULL);
}

static void test_without_devmode(void)
{
    run(without_devmode, NULL, 0);
}

/* From the environment alone, by a program that never heard of it. */
static void by_environment(void *unused)
{
    (void)unused;
    setenv("OURO_DEVMODE", "1", 1);
    setenv("OURO_TRACE", "1", 1); /* then nobody knows who called */
    struct node *n = make();
    drop(n);
    drop_again(n);
}

static void test_by_environment(void)
{
    run(by_environment, NULL, SIGABRT);
    CHECK_HAS(text, "ouro: ouro_release: the object is dead");
    CHECK_HAS(text, "of type node, made by thread");
}

static void print_only(void *unused)
{
    (void)unused;
    setenv("OURO_DEVMODE", "1", 1);
    setenv("OURO_MISUSE", "print", 1);
    struct node *n = make();
    drop(n);
    drop_again(n);
}

static void test_print_only(void)
{
    run(print_only, NULL, 0);
    CHECK_LINE("released (dead)", "drop_again", dropped_again_at);
}

/* A child of fork goes on. */
static void change_in_child(void *o)
{
    hold(o);
    drop(o);
    drop(make());
    drop(o);
    ouro_shutdown(NULL);
}

static void after_fork(void *unused)
{
    (void)unused;
    start();
    struct node *n = make(), *m = make();
    ouro_share(m);
    drop(m);
    CHECK_EQ(child_run(change_in_child, n), 0);
    drop(n);
}

__attribute__((unused)) static void test_after_fork(void)
{
    run(after_fork, NULL, 0);
}

/* ---- leaks ---- */

static struct node *held;

static void leak(void *unused)
{
    (void)unused;
    start();
    held = make();
    hold(held);
    struct table *t = ouro_new_array(&table_type, 9);
    REQUIRE(t);
    for (int i = 0; i < 9; i++)
        ouro_give(t, &t->items[i], make());
    ouro_give(held, &held->b, t);
    ouro_shutdown(NULL);
}

static void test_leak(void)
{
    run(leak, NULL, 0);
    CHECK_HAS(text, "ouro: 11 objects (");
    CHECK_HAS(line_with("9 of node, 360 bytes, made at"), place("make", made_at));
    CHECK_HAS(line_with("1 of node, 40 bytes, made at"), place("make", made_at));
    CHECK_HAS(line_with("1 of table, 96 bytes, made at"), place("leak", 0));
    CHECK_HAS(text, ": held by the program: 2 references");
    CHECK_HAS(text, ": in the slot at byte 24 of a node ("); /* the table */
    CHECK_HAS(text, " of a table (");
    CHECK_HAS(text, "), in the slot at byte 24 of a node (");
    CHECK_HAS(text, "), which is held by the program: 2 references");
}

static void no_leak(void *unused)
{
    (void)unused;
    start();
    drop(make());
    ouro_shutdown(NULL);
}

static void test_no_leak(void)
{
    run(no_leak, NULL, 0);
    CHECK_STR(text, "");
}

/* ---- snapshots ---- */

struct seen {
    size_t groups;
    size_t objects, bytes;
    long more, bytes_more;
    char site[512];
};

static int see_nodes(const ouro_trace_group *group, void *arg)
{
    struct seen *seen = arg;
    CHECK_EQ(group->size, sizeof *group);
    if (strcmp(group->type_name, "node"))
        return 0;
    seen->groups++;
    seen->objects += group->objects;
    seen->bytes += group->bytes;
    seen->more += group->objects_more;
    seen->bytes_more += group->bytes_more;
    snprintf(seen->site, sizeof seen->site, "%s", group->site);
    return 0;
}

static int stop_at_once(const ouro_trace_group *group, void *arg)
{
    (void)group, (void)arg;
    return 1;
}

static ouro_trace *take(void)
{
    ouro_trace *trace;
    CHECK_EQ(ouro_trace_take(&trace), OURO_OK);
    return trace;
}

static void snapshots(void *unused)
{
    (void)unused;
    start();
    struct node *first[5], *second[3];
    ouro_trace *none = take();
    for (int i = 0; i < 5; i++)
        first[i] = make();
    ouro_trace *five = take();
    for (int i = 0; i < 3; i++)
        second[i] = make();
    for (int i = 0; i < 5; i++)
        drop(first[i]);
    ouro_trace *three = take();
    struct seen seen = {0};
    ouro_trace_compare(NULL, five, see_nodes, &seen);
    CHECK_EQ(seen.groups, 1);
    CHECK_EQ(seen.objects, 5);
    CHECK_EQ(seen.bytes, 5 * sizeof(struct node));
    CHECK_EQ(seen.more, 5);
    CHECK_HAS(seen.site, place("make", made_at));
    CHECK_HAS(seen.site, place("snapshots", 0));
    seen = (struct seen){0};
    ouro_trace_compare(five, three, see_nodes, &seen);
    CHECK_EQ(seen.groups, 2); /* called from two places */
    CHECK_EQ(seen.objects, 3);
    CHECK_EQ(seen.more, -2);
    CHECK_EQ(seen.bytes_more, -2 * (long)sizeof(struct node));
    seen = (struct seen){0};
    CHECK_EQ(ouro_trace_compare(five, five, see_nodes, &seen), 0);
    ouro_trace_compare(three, none, see_nodes, &seen);
    CHECK_EQ(seen.objects, 0);
    CHECK_EQ(seen.more, -3);
    CHECK_EQ(ouro_trace_compare(none, five, stop_at_once, NULL), 1);
    CHECK_EQ(ouro_trace_compare(none, NULL, see_nodes, NULL), 0);
    for (int i = 0; i < 3; i++)
        drop(second[i]);
    ouro_trace_free(none);
    ouro_trace_free(five);
    ouro_trace_free(three);
    ouro_trace_free(NULL);
}

static void test_snapshots(void)
{
    run(snapshots, NULL, 0);
}

/* ---- what goes on as ever ---- */

static atomic_long finalizers;

static void finalize(void *object)
{
    (void)object;
    finalizers++;
}

static ouro_type finalized_type = OURO_TYPE(struct node, .name = "finalized", .slots = OURO_SLOTS(struct node, a, b), .finalize = finalize);

static void *work(void *shared)
{
    struct table *t = shared;
    for (int i = 0; i < SCALED(2000); i++) {
        struct node *n = ouro_new(i % 3 ? &node_type : &finalized_type);
        ouro_set(n, &n->a, i % 5 ? NULL : n);
        ouro_set(t, &t->items[i % 8], n);
        ouro_release(ouro_get(t, &t->items[(i + 3) % 8]));
        ouro_release(n);
        if (i % 200 == 0)
            ouro_gc_collect(i / 200 % 3);
    }
    ouro_release(t);
    return NULL;
}

static void all_together(unsigned flags)
{
    pthread_t threads[3];
    ouro_leak_report report;
    start_with((ouro_config){.flags = flags, .quarantine = 10000});
    struct table *t = ouro_new_array(&table_type, 8);
    ouro_share(t);
    for (int i = 0; i < 3; i++)
        REQUIRE(pthread_create(&threads[i], NULL, work, ouro_retain(t)) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ouro_release(t);
    ouro_value list = ouro_list_new(), dict = ouro_dict_new();
    for (int i = 0; i < 300; i++) {
        ouro_value s;
        REQUIRE(ouro_string_new("a string of some length", 5 + (size_t)i % 10, &s) == OURO_OK);
        CHECK_EQ(ouro_list_append(list, s), OURO_OK);
        CHECK_EQ(ouro_dict_set(dict, s, list), OURO_OK);
        ouro_value_release(s);
    }
    ouro_value_release(list);
    ouro_value_release(dict);
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    CHECK_GT(finalizers, 0);
}

static void all_in_devmode(void *unused)
{
    (void)unused;
    all_together(0);
}

static void all_by_malloc(void *unused)
{
    (void)unused;
    all_together(OURO_USE_MALLOC);
}

static void test_all_together(void)
{
    run(all_in_devmode, NULL, 0);
    CHECK_STR(text, "");
#ifndef TEST_TSAN /* which takes malloc for a write, and does not know that what the collector looks up in a page's header is ordered by its address */
    run(all_by_malloc, NULL, 0);
    CHECK_STR(text, "");
#endif
}

int main(void)
{
    check_start("devmode_test");
    CHECK_RUN(test_over_release);
    CHECK_RUN(test_many_changes);
    CHECK_RUN(test_use_after_death);
    CHECK_RUN(test_foreign);
    CHECK_RUN(test_two_threads);
    CHECK_RUN(test_in_a_list);
    CHECK_RUN(test_garbage);
    CHECK_RUN(test_write_late);
    CHECK_RUN(test_write_and_go_on);
    CHECK_RUN(test_with_a_hook);
    CHECK_RUN(test_stats_in_hook);
#ifndef TEST_TSAN /* which cannot follow a child that starts threads */
    CHECK_RUN(test_stats_meanwhile);
#endif
    CHECK_RUN(test_without_devmode);
    CHECK_RUN(test_by_environment);
    CHECK_RUN(test_print_only);
#ifndef TEST_TSAN /* which cannot follow a child that starts threads */
    CHECK_RUN(test_after_fork);
#endif
    CHECK_RUN(test_leak);
    CHECK_RUN(test_no_leak);
    CHECK_RUN(test_snapshots);
    CHECK_RUN(test_all_together);
    return check_finish();
}
