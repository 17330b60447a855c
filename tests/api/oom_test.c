/* SPDX-License-Identifier: MIT
 *
 * Out of memory, everywhere: each scenario is run with the first, second, third... request to the system failing
 * (alone, or with all later ones), until none is left to fail, and again under a hard limit that leaves room for
 * nothing, one page, two pages... Each run is a process of its own, so that each begins with an empty heap. Whatever
 * fails says so, nothing crashes, the heap works as soon as there is memory again, and nothing is left at the end. What
 * must not fail (dropping, publishing, collecting, ending) is run with no memory at all. */
#include <stdint.h>

#include "support/child.h"
#include "support/fault.h"
#include "support/fixture.h"
#include "support/threads.h"

enum { REQUESTS_MAX = 400, PAGE = 64 << 10, DEEP = 100 };

static void set_limit(size_t hard)
{
    CHECK_EQ(ouro_mem_set_limit(0, hard), OURO_OK);
}

/* Objects of the scenario, dropped at its end. */
enum { KEPT_MAX = 6000 };
static void *kept[KEPT_MAX];
static int kept_count;

static bool keep(void *object)
{
    if (object)
        kept[kept_count++] = object;
    return object;
}

static void drop_kept(void)
{
    while (kept_count > 0)
        ouro_release(kept[--kept_count]);
}

static void use_heap(void)
{
    struct table *t = table_new(500);
    for (int i = 0; i < 500; i++)
        ouro_give(t, &t->items[i], node_new(i));
    struct node *n = node_new(1);
    ouro_set(n, &n->a, n);
    ouro_weak *weak = ouro_weak_new(n, NULL, NULL);
    CHECK(weak);
    ouro_release(n);
    CHECK_GE(ouro_gc_collect(0), 1);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
    ouro_share(t);
    ouro_release(t);
}

/* ---- Scenarios: true if everything in it succeeded ---- */

static bool make_one(void)
{
    return keep(ouro_new(&node_type));
}

/* Each that fails tries everything first, so after some of them it is enough. */
enum { FAILURES_MAX = 50 };

static bool make_small(void)
{
    int failures = 0;
    bool ok = true;
    for (int i = 0; i < 5000 && failures < FAILURES_MAX; failures += !ok, i++)
        ok &= keep(i % 2 ? ouro_new(&node_type) : ouro_new(&leaf_type));
    return ok;
}

static bool make_arrays(void)
{
    bool ok = true;
    for (size_t length = 1; length < 300000; length *= 2) {
        ok &= keep(ouro_new_array(&table_type, length));
        ok &= keep(ouro_new_array(&bytes_type, length));
    }
    return ok;
}

static bool make_types(void)
{
    enum { COUNT = 150 };
    static ouro_type types[COUNT];
    int failures = 0;
    bool ok = true;
    for (int i = 0; i < COUNT && failures < FAILURES_MAX; failures += !ok, i++) {
        types[i] = (ouro_type){.size = 16 + 16 * (size_t)(i % 20), .align = 8, .name = "one of many"};
        ok &= keep(ouro_new(&types[i]));
    }
    return ok;
}

static bool make_weak(void)
{
    struct node *n = ouro_new(&node_type);
    if (!n)
        return false;
    int failures = 0;
    bool ok = true;
    for (int i = 0; i < 2000 && failures < FAILURES_MAX; failures += !ok, i++)
        ok &= keep(ouro_weak_new(n, NULL, NULL));
    int alive = 0;
    for (int i = 0; i < kept_count; i++) {
        struct node *got = ouro_weak_get(kept[i]);
        alive += got == n;
        ouro_release(got);
    }
    CHECK_EQ(alive, kept_count);
    ouro_release(n);
    return ok;
}

static bool make_and_collect(void)
{
    int failures = 0;
    bool ok = true;
    for (int i = 0; i < 30000 && failures < FAILURES_MAX; failures += !ok, i++) {
        struct node *n = ouro_new(i % 10 ? &plain_type : &node_type);
        ok &= n != NULL;
        if (n)
            ouro_set(n, &n->a, n);
        ouro_release(n);
    }
    return ouro_gc_collect(0) >= 0 && ok;
}

static bool attach(void)
{
    ouro_thread_detach();
    ouro_status status = ouro_thread_attach(0);
    CHECK(status == OURO_OK || status == OURO_E_NOMEM || status == OURO_E_AGAIN);
    return status == OURO_OK;
}

static bool attach_unbiased(void)
{
    ouro_thread_detach();
    ouro_status status = ouro_thread_attach(OURO_THREAD_UNBIASED);
    CHECK(status == OURO_OK || status == OURO_E_NOMEM || status == OURO_E_AGAIN);
    return keep(ouro_new(&node_type)) && status == OURO_OK;
}

static bool start_again(void)
{
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT, .misuse = misuse_hook};
    ouro_status status = ouro_init(&config);
    CHECK(status == OURO_OK || status == OURO_E_NOMEM || status == OURO_E_SYSTEM);
    return status == OURO_OK;
}

/* ---- The same with values ---- */

/* True if it went well. If not, it was for lack of memory, and there is no result. */
static bool made(ouro_status status, ouro_value value)
{
    CHECK(status == OURO_OK || status == OURO_E_NOMEM);
    CHECK_EQ(status == OURO_OK, value != OURO_NIL);
    if (ouro_is_object(value))
        keep(ouro_value_object(value));
    return status == OURO_OK;
}

static ouro_value last_kept(void)
{
    return kept_count > 0 ? ouro_value_of(kept[kept_count - 1]) : OURO_NIL;
}

static const ouro_host_class host_class = {.size = sizeof host_class, .name = "thing"};

static bool made_both(ouro_value v, ouro_value *both)
{
    ouro_status status = ouro_string_concat(v, v, both);
    return made(status, *both);
}

static bool make_scalars(void)
{
    static char bytes[100000];
    bool ok = true;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 'a';
    for (int i = 0; i < 100; i++) {
        ouro_value v = ouro_float_new(i), w;
        ok &= made(v ? OURO_OK : OURO_E_NOMEM, v);
        ouro_status status = ouro_string_new(bytes, (size_t)i * (size_t)i * 10, &v);
        if (made(status, v))
            ok &= made_both(v, &w);
        ok &= status == OURO_OK;
        status = ouro_bytes_new(bytes, (size_t)i * (size_t)i * 10, &v);
        ok &= made(status, v);
        status = ouro_host_new(&host_class, 1, (size_t)i, &v);
        ok &= made(status, v);
    }
    return ok;
}

static bool make_interned(void)
{
    char name[4] = "aaa";
    bool ok = true;
    for (int i = 0; i < 2500; i++) { /* more than the table begins with */
        ouro_value v;
        name[0] = (char)('a' + i % 26), name[1] = (char)('a' + i / 26 % 26), name[2] = (char)('a' + i / 676);
        ouro_status status = ouro_intern_bytes(name, 3, &v);
        ok &= made(status, v);
    }
    return ok;
}

static bool make_records(void)
{
    enum { FIELDS = 40 };
    ouro_value fields[FIELDS] = {0}, v;
    char name[3] = "a";
    bool ok = true;
    for (int i = 0; i < FIELDS; i++) {
        name[0] = (char)('a' + i % 26), name[1] = (char)('a' + i / 26);
        ouro_status status = ouro_string_from(name, &fields[i]);
        ok &= made(status, fields[i]);
    }
    for (size_t n = 1; ok && n <= FIELDS; n += 3) {
        ouro_status status = ouro_record_from(fields[0], fields, fields, n, &v);
        ok &= made(status, v);
        status = ouro_tuple_new(fields, n, &v);
        ok &= made(status, v);
    }
    return ok;
}

/* A tuple of tuples and records, deep enough for everything that goes through it to need memory. */
static bool make_deep(void)
{
    ouro_value name, v;
    ouro_status status = ouro_string_from("deep", &name);
    bool ok = made(status, name);
    for (int i = 0; ok && i < DEEP; i++) {
        ouro_value inner = last_kept();
        status = i % 2 ? ouro_tuple_new(&inner, 1, &v) : ouro_record_from(name, &name, &inner, 1, &v);
        ok = made(status, v);
        if (ok)
            kept[--kept_count - 1] = ouro_value_object(v), ouro_value_release(inner);
    }
    return ok;
}

static bool use_deep(void)
{
    uint64_t hash;
    int order;
    bool ok = make_deep(), is = false;
    ouro_value a = last_kept(), b, v;
    if (!ok)
        return false;
    ouro_status status = ouro_copy_deep(a, &b);
    if (!made(status, b))
        return false;
    status = ouro_repr(a, &v);
    ok &= made(status, v);
    status = ouro_equal(a, b, &is);
    CHECK((status == OURO_OK && is) || (status == OURO_E_NOMEM && !is));
    ok &= status == OURO_OK;
    v = OURO_NIL;
    for (int i = 0; ok && i < DEEP; i++) {
        ouro_value pair[] = {v, ouro_int_new(i)};
        status = ouro_tuple_new(pair, 2, &v);
        ok = status == OURO_OK;
        ouro_value_release(pair[0]);
    }
    if (!ok)
        return false;
    keep(ouro_value_object(v));
    status = ouro_hash(v, &hash);
    CHECK(status == OURO_OK || (status == OURO_E_NOMEM && !hash));
    ok &= status == OURO_OK;
    status = ouro_compare(v, v, &order);
    CHECK(status == OURO_OK || status == OURO_E_NOMEM);
    return ok && status == OURO_OK;
}

/* ---- One run ---- */

struct scenario {
    const char *name;
    bool (*run)(void);
    bool cold; /* without a runtime: it is the process's first call */
};

struct run {
    const struct scenario *scenario;
    enum fault_mode mode;
    long nth;   /* the request that fails, or -1 */
    long pages; /* what the hard limit leaves, or -1 */
};

enum { ALL_MET = 77 }; /* the child's exit status when nothing failed any more */

static void finish_run(void)
{
    ouro_thread_detach(); /* and no longer unbiased */
    drop_kept();
    use_heap();
    CHECK_LIVE(0);
    CHECK_EQ(misuse_count(), 0);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
}

static void run_with_fault(const struct run *run)
{
    if (!run->scenario->cold)
        fixture_start();
    fault_arm(run->mode, run->nth);
    bool ok = run->scenario->run();
    long failed = fault_disarm();
    CHECK(ok || failed > 0);
    if (run->scenario->cold)
        fixture_start(); /* now it can */
    finish_run();
    if (failed == 0 && check_failures() == 0) {
        fflush(NULL);
        _Exit(ALL_MET);
    }
}

static void run_under_limit(const struct run *run)
{
    fixture_start();
    set_limit(mem_stats().committed_bytes + (size_t)run->pages * PAGE + 1);
    bool ok = run->scenario->run();
    set_limit(0);
    finish_run();
    if (ok && check_failures() == 0) {
        fflush(NULL);
        _Exit(ALL_MET);
    }
}

static void run_in_child(void *arg)
{
    const struct run *run = arg;
    if (run->nth > 0)
        run_with_fault(run);
    else
        run_under_limit(run);
}

/* Failed ones are told apart by the caller's message. */
static bool run_next(const struct run *run, bool *done)
{
    int status = child_run(run_in_child, (void *)(uintptr_t)run);
    *done = status == ALL_MET << 8;
    return CHECK(status == 0 || *done);
}

static const struct scenario scenarios[] = {
    {"make_one", make_one, false},
    {"make_small", make_small, false},
    {"make_arrays", make_arrays, false},
    {"make_types", make_types, false},
    {"make_weak", make_weak, false},
    {"make_and_collect", make_and_collect, false},
    {"attach", attach, false},
    {"attach_unbiased", attach_unbiased, false},
    {"start_again", start_again, false},
    {"make_scalars", make_scalars, false},
    {"make_interned", make_interned, false},
    {"make_records", make_records, false},
    {"use_deep", use_deep, false},
    {"first make_scalars", make_scalars, true},
    {"first make_interned", make_interned, true},
    {"first make_one", make_one, true},
    {"first make_weak", make_weak, true},
    {"first attach", attach, true},
    {"first start", start_again, true},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static void sweep(enum fault_mode mode)
{
    if (!fault_supported()) {
        printf("       skipped: not under this sanitizer\n");
        return;
    }
    for (int i = 0; i < SCENARIOS; i++) {
        bool done = false;
        long nth = 1;
        for (; !done && nth < REQUESTS_MAX; nth++) {
            struct run run = {&scenarios[i], mode, nth, -1};
            if (!run_next(&run, &done)) {
                printf("       %s, request %ld\n", scenarios[i].name, nth);
                break;
            }
        }
        printf("       %s: %ld requests\n", scenarios[i].name, nth - 2);
        CHECK(done);
        CHECK_GT(nth, 2); /* else nothing has failed, and the test has tested nothing */
    }
}

static void test_one_request_fails(void)
{
    sweep(FAULT_ONCE);
}

static void test_all_requests_fail(void)
{
    sweep(FAULT_FROM);
}

/* Works under sanitizers as well. Steps grow, as most scenarios need some MiB. */
static void test_hard_limits(void)
{
    for (int i = 0; i < SCENARIOS; i++) {
        if (scenarios[i].cold || scenarios[i].run == start_again)
            continue; /* no limit holds before the start */
        bool done = false;
        for (long pages = 0; !done && pages < 10000; pages += 1 + pages / 4 * TEST_SLOWDOWN) {
            struct run run = {&scenarios[i], FAULT_ONCE, -1, pages};
            if (!run_next(&run, &done)) {
                printf("       %s, limit %ld pages\n", scenarios[i].name, pages);
                break;
            }
        }
        CHECK(done);
    }
}

/* ---- What must not fail ---- */

enum { MANY = SCALED(50000) };

struct helper {
    struct step go, done;
    struct node **nodes;
};

static void *release_all(void *arg)
{
    struct helper *helper = arg;
    CHECK(step_wait(&helper->go, 1));
    for (int i = 0; i < MANY; i++)
        ouro_release(helper->nodes[i]);
    step_set(&helper->done, 1);
    return NULL;
}

static struct node *tree_new(int depth)
{
    return depth ? node_new_with(depth, tree_new(depth - 1), tree_new(depth - 1)) : NULL;
}

static void count_call(ouro_weak *weak, void *arg)
{
    ++*(long *)arg;
    (void)weak;
}

/* Dropping, publishing, collecting with finalizers and callbacks, upgrading, exchanging. */
static void test_freeing_needs_no_memory(void)
{
    long calls = 0;
    struct node *tree = tree_new(12), *published = tree_new(12), *ring = node_new(0), *c = plain_new(0);
    enum { TREE = (1 << 12) - 1 };
    ouro_share(c);
    for (int i = 0; i < 1000; i++) { /* a ring of rings */
        struct node *n = node_new(i);
        ouro_set(n, &n->b, n);
        ouro_give(n, &n->a, ouro_take(ring, &ring->a));
        ouro_give(ring, &ring->a, n);
    }
    ouro_set(ring, &ring->b, ring);
    ouro_weak *weak = ouro_weak_new(ring, count_call, &calls), *strong = ouro_weak_new(tree, NULL, NULL);
    ouro_gc_disable();
    fault_arm(FAULT_FROM, 1);
    ouro_share(published);
    ouro_set(c, &c->a, published);
    void *got = ouro_weak_get(strong);
    ouro_release(got);
    ouro_release(tree);
    ouro_release(ring);
    long collected = ouro_gc_collect(0);
    ouro_release(published);
    ouro_safepoint();
    ouro_blocking_begin();
    ouro_blocking_end();
    ouro_mem_trim();
    bool still_there = ouro_refcount(published) == 1;
    ouro_set(c, &c->a, NULL);
    ouro_thread_detach();
    fault_disarm();
    ouro_gc_enable();
    CHECK_PTR(got, tree);
    CHECK_EQ(collected, 1001);
    CHECK(still_there);
    CHECK_EQ(calls, 1);
    CHECK_EQ(finalized(), TREE + TREE + 1001);
    CHECK_PTR(ouro_weak_get(strong), NULL);
    ouro_release(strong);
    ouro_release(weak);
    ouro_release(c);
}

/* Many references are handed to a running owner by a thread for which there is no memory. */
static void test_handing_over_needs_no_memory(void)
{
    static struct node *nodes[MANY];
    struct helper helper = {STEP_INITIALIZER, STEP_INITIALIZER, nodes};
    for (int i = 0; i < MANY; i++) {
        nodes[i] = node_new(i);
        ouro_share(nodes[i]);
    }
    pthread_t thread = thread_start(release_all, &helper, 0);
    fault_arm(FAULT_FROM, 1);
    step_set(&helper.go, 1);
    bool reached = step_wait(&helper.done, 1);
    ouro_safepoint();
    fault_disarm();
    CHECK(reached);
    CHECK_EQ(finalized(), MANY);
    thread_join_parked(thread);
}

/* At the hard limit the same holds: the library's own small blocks are part of it. */
static void test_handing_over_at_the_limit(void)
{
    static struct node *nodes[MANY];
    struct helper helper = {STEP_INITIALIZER, STEP_INITIALIZER, nodes};
    for (int i = 0; i < MANY; i++) {
        nodes[i] = node_new(i);
        ouro_share(nodes[i]);
    }
    pthread_t thread = thread_start(release_all, &helper, 0);
    set_limit(PAGE);
    step_set(&helper.go, 1);
    CHECK(step_wait(&helper.done, 1));
    ouro_safepoint();
    CHECK_EQ(finalized(), MANY);
    set_limit(0);
    thread_join_parked(thread);
}

int main(void)
{
    check_start("oom_test");
    CHECK_RUN(test_one_request_fails); /* in children, before this process has a runtime */
    CHECK_RUN(test_all_requests_fail);
    CHECK_RUN(test_hard_limits);
    fixture_start();
    FIXTURE_RUN(test_freeing_needs_no_memory);
    FIXTURE_RUN(test_handing_over_needs_no_memory);
    FIXTURE_RUN(test_handing_over_at_the_limit);
    return check_finish();
}
