/* SPDX-License-Identifier: MIT
 *
 * Every request to the system fails once, and then all from some one on, in a whole life: start, threads, objects, publication, weak references,
 * containers, collections of all generations with finalizers and weak callbacks, those that follow candidates, large objects, a fork, shutdown.
 * (api/oom_test does so with one operation at a time.) Each life is a process of its own. Whatever fails says so, with a status that its header
 * names; what succeeded is there; all goes on, also with what could not be done then: in the end each finalizer has run once, each weak
 * reference has called back, and nothing is left.
 * OURO_TEST_FAULT=once:17 or from:17 runs the one life that a failure has printed. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/fault.h"
#include "support/threads.h"
#include "support/values.h"

enum { REQUESTS_MAX = 1200, NOTHING_FAILED = 77, RINGS = 40, KEYS = 300 };

struct life {
    enum fault_mode mode;
    long nth; /* the request; 0: a hard limit instead */
    size_t room; /* that it leaves */
};

/* ---- What has been made ---- */

static atomic_long nodes_made, callbacks_due, callbacks_run;
static atomic_bool something_failed;

static bool ok(ouro_status status)
{
    CHECK(status == OURO_OK || status == OURO_E_NOMEM);
    if (status != OURO_OK)
        atomic_store(&something_failed, true);
    return status == OURO_OK;
}

static void *got(void *object)
{
    if (!object)
        atomic_store(&something_failed, true);
    return object;
}

static struct node *make_node(void)
{
    struct node *n = got(ouro_new(&node_type));
    atomic_fetch_add(&nodes_made, n != NULL);
    return n;
}

static void called_back(ouro_weak *weak, void *unused)
{
    (void)unused;
    CHECK_PTR(ouro_weak_get(weak), NULL);
    atomic_fetch_add(&callbacks_run, 1);
}

static ouro_weak *watch(struct node *n)
{
    ouro_weak *weak = got(ouro_weak_new(n, called_back, NULL));
    atomic_fetch_add(&callbacks_due, weak != NULL);
    return weak;
}

/* Weak references outlive their targets here, or would not call back. */
static pthread_mutex_t weak_lock = PTHREAD_MUTEX_INITIALIZER;
static ouro_weak *watching[8 * RINGS];
static int watching_count;

static void keep_weak(ouro_weak *weak)
{
    if (!weak)
        return;
    ouro_share(weak);
    pthread_mutex_lock(&weak_lock);
    REQUIRE(watching_count < (int)(sizeof watching / sizeof *watching));
    watching[watching_count++] = weak;
    pthread_mutex_unlock(&weak_lock);
}

/* ---- A life ---- */

static void drop_rings(bool shared)
{
    for (int i = 0; i < RINGS; i++) {
        struct node *a = make_node(), *b = make_node();
        if (a && b) {
            ouro_set(a, &a->a, b);
            ouro_set(b, &b->a, a);
        }
        if (a && i % 8 == 0)
            keep_weak(watch(a)); /* shares it */
        if (a && shared)
            ouro_share(a);
        ouro_release(a);
        ouro_release(b);
    }
}

static void collect(int generation)
{
    long found = ouro_gc_collect(generation);
    CHECK(found >= 0 || found == OURO_E_NOMEM || found == OURO_E_AGAIN);
    if (found < 0)
        atomic_store(&something_failed, true);
}

/* What is in a list is what was appended; what is in a dict and a set is what was put there. */
static void use_containers(void)
{
    ouro_value list = ouro_list_new(), dict = ouro_dict_new(), set = ouro_set_new();
    size_t listed = 0, keyed = 0, added = 0, length;
    got(list && dict && set ? &listed : NULL);
    if (dict)
        ouro_value_share(dict);
    for (int i = 0; i < KEYS && list && dict && set; i++) {
        ouro_value key = ouro_float_new(i), name = OURO_NIL, tuple = OURO_NIL;
        char text[16];
        if (!got(key ? &key : NULL))
            continue;
        snprintf(text, sizeof text, "name %d", i);
        listed += ok(ouro_list_append(list, key));
        keyed += ok(ouro_dict_set(dict, key, list));
        added += ok(ouro_set_add(set, key, NULL));
        if (ok(ouro_intern_bytes(text, strlen(text), &name)) && ok(ouro_tuple_new((ouro_value[]){key, name}, 2, &tuple)))
            ok(ouro_list_set(list, 0, i % 2 ? tuple : key));
        ouro_value_release(tuple);
        ouro_value_release(name);
        ouro_value_release(key);
    }
    if (list && dict && set) {
        CHECK_OK(ouro_list_length(list, &length));
        CHECK_EQ(length, listed);
        CHECK_OK(ouro_dict_length(dict, &length));
        CHECK_EQ(length, keyed);
        CHECK_OK(ouro_set_length(set, &length));
        CHECK_EQ(length, added);
    }
    ouro_value_release(list);
    ouro_value_release(dict);
    ouro_value_release(set);
}

static void use_large(void)
{
    for (size_t size = 1 << 20; size <= 8 << 20; size *= 8) {
        struct bytes *b = got(ouro_new_array(&bytes_type, size));
        if (b)
            CHECK_EQ(b->data[size - 1], 0), b->data[size - 1] = 1;
        ouro_share(b);
        ouro_release(b);
    }
}

static struct node *hub;

static void *live_elsewhere(void *unused)
{
    ouro_status status = ouro_thread_attach(0);
    CHECK(status == OURO_OK || status == OURO_E_NOMEM);
    drop_rings(true);
    struct node *n = make_node();
    if (n && hub)
        ouro_set(hub, &hub->b, n);
    ouro_release(n);
    ouro_read_begin();
    struct node *seen = hub ? ouro_try_retain(ouro_peek(&hub->b)) : NULL;
    ouro_read_end();
    ouro_release(seen);
    drop_rings(false); /* found at its end */
    return unused;
}

static void live_in_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, live_elsewhere, NULL) != 0) { /* it may be the test's own that fails */
        atomic_store(&something_failed, true);
        return;
    }
    ouro_blocking_begin();
    REQUIRE(pthread_join(thread, NULL) == 0);
    ouro_blocking_end();
}

static void live_in_child(void *unused)
{
    (void)unused;
    drop_rings(true);
    collect(2);
    use_containers();
    ouro_mem_trim();
    CHECK_EQ(misuse_count(), 0);
}

static void live(void)
{
    drop_rings(false);
    collect(0);
    hub = got(ouro_new(&plain_type));
    ouro_share(hub);
    live_in_thread();
    drop_rings(true);
    collect(1);
    collect(2);
    for (int i = 0; i < 2; i++) { /* these follow candidates */
        drop_rings(true);
        collect(2);
    }
    use_containers();
    use_large();
    if (TEST_SLOWDOWN != 12)
        CHECK_EQ(child_run(live_in_child, NULL), 0);
    drop_rings(true);
    ok(ouro_gc_collect_async(2));
    ouro_release(hub);
    hub = NULL;
    ouro_mem_trim();
    ouro_thread_detach();
}

/* ---- And what comes after it ---- */

static void come_to_an_end(void)
{
    use_containers();
    drop_rings(true);
    for (int i = 0; i < 3; i++) /* what one could not queue the next does */
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), atomic_load(&nodes_made));
    CHECK_EQ(atomic_load(&callbacks_run), atomic_load(&callbacks_due));
    while (watching_count)
        ouro_release(watching[--watching_count]);
    CHECK_LIVE(0);
    CHECK_EQ(mem_stats().limbo_bytes, 0);
    struct misuse_record record = misuse_first();
    if (!CHECK_EQ(misuse_count(), 0))
        fprintf(stderr, "  %s: %s\n", record.call, record.message);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    ouro_mem_trim();
    CHECK_EQ(mem_stats().committed_bytes, 0);
}

static bool is_limited(const struct life *life)
{
    return !life->nth;
}

static void live_and_fail(void *arg)
{
    const struct life *life = arg;
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT, .misuse = misuse_hook};
    if (is_limited(life)) {
        fixture_start();
        CHECK_EQ(ouro_mem_set_limit(0, life->room), OURO_OK);
    } else {
        fault_arm(life->mode, life->nth);
        ouro_status status = ouro_init(&config);
        CHECK(status == OURO_OK || status == OURO_E_NOMEM);
    }
    live();
    long failed = is_limited(life) ? something_failed : fault_disarm();
    if (is_limited(life))
        CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
    CHECK(failed || !something_failed);
    CHECK_EQ(ouro_init(&config), OURO_OK); /* now it can */
    come_to_an_end();
    if (!failed && check_failures() == 0) {
        fflush(NULL);
        _Exit(NOTHING_FAILED);
    }
}

/* Several lives at once, as most of them sleep most of the time. Returns the first that failed, or AT_ONCE. *done: in one nothing was refused. */
enum { AT_ONCE = 6 };

static int run(const struct life lives[AT_ONCE], bool *done)
{
    pid_t pids[AT_ONCE];
    int failed = AT_ONCE;
    fflush(NULL);
    for (int i = 0; i < AT_ONCE; i++) {
        pids[i] = fork();
        REQUIRE(pids[i] >= 0);
        if (!pids[i]) {
            check_restart();
            struct life life = lives[i];
            live_and_fail(&life);
            fflush(NULL);
            _exit(check_failures() ? 1 : 0);
        }
    }
    for (int i = AT_ONCE; i-- > 0;) {
        int status = -1;
        while (waitpid(pids[i], &status, 0) != pids[i])
            ;
        *done = *done || status == NOTHING_FAILED << 8;
        if (!CHECK(status == 0 || status == NOTHING_FAILED << 8))
            failed = i;
    }
    return failed;
}

static void run_one(const char *wanted)
{
    struct life life = {strncmp(wanted, "from", 4) ? FAULT_ONCE : FAULT_FROM, 1, 0};
    const char *colon = strchr(wanted, ':');
    life.nth = colon ? atol(colon + 1) : 1;
    int status = child_run(live_and_fail, &life);
    CHECK(status == 0 || status == NOTHING_FAILED << 8);
}

static void sweep(enum fault_mode mode)
{
    const char *name = mode == FAULT_ONCE ? "once" : "from", *wanted = getenv("OURO_TEST_FAULT");
    if (!fault_supported()) {
        printf("       skipped: not under this sanitizer\n");
        return;
    }
    if (wanted) {
        if (!strncmp(wanted, name, 4))
            run_one(wanted);
        return;
    }
    bool done = false;
    int failed = AT_ONCE;
    long nth = 1, step = mode == FAULT_ONCE ? 1 : 5; /* what fails from one on fails from the next on, mostly */
    for (; !done && nth < REQUESTS_MAX && failed == AT_ONCE; nth += AT_ONCE * step) {
        struct life lives[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            lives[i] = (struct life){mode, nth + i * step, 0};
        if ((failed = run(lives, &done)) < AT_ONCE)
            printf("       OURO_TEST_FAULT=%s:%ld\n", name, nth + failed * step);
    }
    printf("       some %ld requests\n", nth - AT_ONCE * step);
    CHECK(done);
    CHECK_GT(nth, 20);
}

static void test_one_request_fails(void)
{
    sweep(FAULT_ONCE);
}

static void test_all_requests_fail(void)
{
    sweep(FAULT_FROM);
}

/* Under sanitizers as well. */
static void test_hard_limits(void)
{
    bool done = false;
    int count = 0, failed = AT_ONCE;
    for (size_t room = 1; !done && room < (size_t)64 << 20 && failed == AT_ONCE; count++) {
        struct life lives[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++, room += (64 << 10) + room / (TEST_SLOWDOWN > 1 ? 2 : 8))
            lives[i] = (struct life){FAULT_ONCE, 0, room};
        if ((failed = run(lives, &done)) < AT_ONCE)
            printf("       hard limit %zu\n", lives[failed].room);
    }
    CHECK(done);
    CHECK_GT(count, 1);
}

int main(void)
{
    check_start("nth_failure_test");
    CHECK_RUN(test_one_request_fails); /* in children, before this process has a runtime */
    CHECK_RUN(test_all_requests_fail);
    CHECK_RUN(test_hard_limits);
    return check_finish();
}
