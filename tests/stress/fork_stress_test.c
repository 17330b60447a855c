/* SPDX-License-Identifier: MIT
 *
 * Scenario: small random graphs of shared objects with cycles are changed by several threads while others collect them
 * (support/world.h). Any of these threads forks, at any place where its own code runs: between two steps, in read
 * sections and blocking regions, newly born, between two collections, in finalizers, weak callbacks, and callbacks of
 * collections; so do the library's own threads, in finalizers and callbacks. Hundreds of times.
 *
 * The parent goes on untouched: it is held to the oracle, graph by graph. So is each child: what it can reach of the old
 * graph is intact and may be changed; its collector starts again, asked for and by growth; then it makes graphs of its
 * own, with threads of its own, for which everything holds that held for the parent's; some fork again; some end
 * with ouro_shutdown. A child that fails says so, with what it needs to be had again as far as that goes: seed, number,
 * place. A child that hangs is ended.
 * Seed: OURO_TEST_SEED. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/fork_gate.h"
#include "support/rng.h"
#include "support/threads.h"
#include "support/world.h"

enum {
    FORKS = SCALED(1000),
    AT_ONCE = 3,         /* children */
    CHILD_SECONDS = 60 * TEST_SLOWDOWN,
    GENERATIONS = 2,     /* a child may have a child */
    PATIENCE_MS = 200    /* for a place that is not reached in this graph: then another */
};

static const char *const place_names[WORLD_PLACES] = {
    "between two steps", "in a read section",   "in a blocking region",  "newly born",           "between two collections",
    "in a finalizer",    "in a weak callback",  "before a collection",   "after a collection",
};

static uint64_t seed;

/* ---- Who forks, and where ---- */

static atomic_int wanted = WORLD_PLACES; /* the place of the next fork; WORLD_PLACES: none */
static atomic_int forks;                 /* in this process */
static atomic_int forks_at[WORLD_PLACES], forks_of_library;
static atomic_bool failed;

struct child {
    pid_t pid; /* 0: none */
    int number;
    enum world_place place;
    double deadline;
};

static pthread_mutex_t children_lock = PTHREAD_MUTEX_INITIALIZER;
static struct child children[AT_ONCE]; /* under it */
static atomic_int children_count;

/* In a child: */
static unsigned generation;
static struct child self;
static atomic_bool is_born; /* it is one, and nobody has taken up its work yet */
static int sum_of_numbers;  /* tells it from its brothers */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static _Noreturn void be_child(void);

static void *be_child_elsewhere(void *unused)
{
    (void)unused;
    be_child();
}

/* The child's first moments, still wherever its parent's thread was. */
static void begin_child(int number, enum world_place place)
{
    generation++;
    self = (struct child){getpid(), number, place, 0};
    sum_of_numbers = sum_of_numbers * 1009 + number + 1;
    pthread_mutex_init(&children_lock, NULL);
    memset(children, 0, sizeof children);
    atomic_store(&children_count, 0);
    atomic_store(&forks, 0);
    atomic_store(&wanted, WORLD_PLACES);
    atomic_store(&is_born, true);
    world_forked();
    check_restart();
    alarm(CHILD_SECONDS);
    if (!world_is_own_thread() && atomic_exchange(&is_born, false))
        pthread_detach(thread_start(be_child_elsewhere, NULL, 0)); /* the library's thread has its own work to go on with */
}

static void enter_child(pid_t pid, int number, enum world_place place)
{
    pthread_mutex_lock(&children_lock);
    for (int i = 0; i < AT_ONCE; i++) {
        if (children[i].pid)
            continue;
        children[i] = (struct child){pid, number, place, now() + CHILD_SECONDS + 10};
        break;
    }
    pthread_mutex_unlock(&children_lock);
}

static void fork_here(enum world_place place)
{
    if (atomic_fetch_add(&children_count, 1) >= AT_ONCE || !fork_gate_close()) {
        atomic_fetch_sub(&children_count, 1);
        return;
    }
    int expected = place;
    if (!atomic_compare_exchange_strong(&wanted, &expected, WORLD_PLACES)) {
        atomic_fetch_sub(&children_count, 1); /* another thread was quicker */
        fork_gate_open(false);
        return;
    }
    int number = atomic_fetch_add(&forks, 1);
    pid_t pid = fork();
    fork_gate_open(pid == 0);
    if (pid == 0) {
        begin_child(number, place);
        return;
    }
    REQUIRE(pid > 0);
    atomic_fetch_add(&forks_at[place], 1);
    atomic_fetch_add(&forks_of_library, !world_is_own_thread());
    enter_child(pid, number, place);
}

/* Called by the world. */
static void at(enum world_place place)
{
    bool free = place == WORLD_STEP || place == WORLD_COLLECTING || place == WORLD_BORN;
    if (atomic_load_explicit(&wanted, memory_order_relaxed) == (int)place)
        fork_here(place);
    if (free && atomic_load_explicit(&is_born, memory_order_relaxed) && atomic_exchange(&is_born, false))
        be_child(); /* out of whatever it was born in */
}

/* ---- The parent's other thread: asks for forks, and waits for children ---- */

static void say_failed(const struct child *child, int status)
{
    fprintf(stderr, "fork %d (%s), seed %" PRIu64 ": the child %s %d\n", child->number, place_names[child->place], seed,
            WIFSIGNALED(status) ? "was ended by signal" : "ended with", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    atomic_store(&failed, true);
}

static void look_after(struct child *child)
{
    int status = 0;
    pid_t done = waitpid(child->pid, &status, WNOHANG);
    REQUIRE(done >= 0 || errno == EINTR);
    if (done == 0 && now() > child->deadline) {
        fprintf(stderr, "fork %d: the child hangs\n", child->number);
        kill(child->pid, SIGKILL);
        done = waitpid(child->pid, &status, 0);
    }
    if (done != child->pid)
        return;
    if (status)
        say_failed(child, status);
    child->pid = 0;
    atomic_fetch_sub(&children_count, 1);
}

static void look_after_all(void)
{
    pthread_mutex_lock(&children_lock);
    for (int i = 0; i < AT_ONCE; i++) {
        if (children[i].pid)
            look_after(&children[i]);
    }
    pthread_mutex_unlock(&children_lock);
}

static void want(int place)
{
    atomic_store(&wanted, place);
}

static int forks_wanted; /* of this process */
static atomic_bool conducting;

static void *conduct(void *unused)
{
    struct rng rng = rng_stream(seed, 5000 + (uint64_t)sum_of_numbers);
    double since = now();
    (void)unused;
    while (atomic_load(&conducting) || atomic_load(&children_count)) {
        look_after_all();
        bool more = atomic_load(&conducting) && atomic_load(&forks) < forks_wanted && !atomic_load(&failed);
        bool idle = atomic_load(&wanted) == WORLD_PLACES;
        if (more && (idle || now() - since > PATIENCE_MS * 1e-3)) {
            since = now();
            want((int)rng_below(&rng, WORLD_PLACES));
        } else if (!more) {
            want(WORLD_PLACES);
        }
        nanosleep(&(struct timespec){0, 200000 + (long)rng_below(&rng, 2000000)}, NULL);
    }
    return NULL;
}

static bool is_over(void)
{
    return atomic_load(&forks) >= forks_wanted || atomic_load(&failed) || world_failures();
}

/* Graphs with so many forks among them: until these are done, or as many graphs as are given. */
static void run_graphs(int count, struct world_size size, int graphs)
{
    forks_wanted = count;
    atomic_store(&conducting, true);
    pthread_t thread = thread_start(conduct, NULL, 0);
    for (int i = 0; graphs ? i < graphs : !is_over(); i++)
        CHECK(world_run(seed * 31 + (uint64_t)(sum_of_numbers + i), size));
    atomic_store(&conducting, false);
    thread_join_parked(thread);
}

/* ---- The child ---- */

static uint64_t collections_by(enum ouro_gc_reason reason)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[1].reasons[reason] + stats.generation[2].reasons[reason];
}

/* For whatever reason: requests made together are one collection, with one reason. */
static uint64_t collections(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[1].collections + stats.generation[2].collections;
}

static bool has_collected(void *arg)
{
    return collections() > *(uint64_t *)arg;
}

static void drop_ring(ouro_type *type)
{
    struct node *one = ouro_new(type), *two = ouro_new(type);
    REQUIRE(one && two);
    ouro_set(one, &one->a, two);
    ouro_set(two, &two->a, one);
    ouro_share(one);
    ouro_release(one);
    ouro_release(two);
}

static bool has_grown(void *arg)
{
    return collections_by(OURO_GC_REASON_GROWTH) > *(uint64_t *)arg;
}

/* Nobody asks: its thread is started by what garbage takes. */
static void check_growth(void)
{
    uint64_t before = collections_by(OURO_GC_REASON_GROWTH);
    for (int i = 0; i < 2000 && !has_grown(&before); i++) {
        for (int k = 0; k < 200; k++)
            drop_ring(&plain_type);
        if (i > 400)
            usleep(1000);
    }
    world_expect(wait_until(has_grown, &before), "growth does not start the collector", -1);
}

static void check_collector(struct rng *rng)
{
    uint64_t before = collections();
    CHECK_EQ(ouro_gc_collect_async((int)rng_below(rng, 3)), OURO_OK);
    if (!wait_until(has_collected, &before))
        world_expect(false, "the collector does not start again", -1);
    if (rng_one_in(rng, 8))
        check_growth();
}

/* Cycles of its own are found, and their finalizers run, whatever the parent was in the middle of. How many a collection finds is not asked:
 * the collector's thread may have been in the fork, and go on with its own. */
static void check_own(struct rng *rng)
{
    long before = finalized();
    drop_ring(&node_type);
    CHECK_GE(ouro_gc_collect(1 + (int)rng_below(rng, 2)), 0);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), before + 2);
    struct node *n = node_new(1);
    ouro_weak *weak = ouro_weak_new(n, NULL, NULL);
    ouro_set(n, &n->a, n);
    ouro_share(weak);
    CHECK_GE(ouro_gc_collect(2), 0);
    void *got = ouro_weak_get(weak);
    CHECK_PTR(got, n);
    ouro_release(got);
    ouro_release(n);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), before + 3);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

static _Noreturn void be_child(void)
{
    struct rng rng = rng_stream(seed, 10000 + (uint64_t)sum_of_numbers);
    struct world_size size = {.graphs = 1, .steps = 3, .mutators = 2};
    world_check_old();
    world_use_old(rng_below(&rng, 60));
    CHECK_GE(ouro_gc_collect((int)rng_below(&rng, 3)), 0);
    world_check_old();
    world_leave_old();
    check_collector(&rng);
    check_own(&rng);
    if (rng_one_in(&rng, 2))
        run_graphs(generation < GENERATIONS && rng_one_in(&rng, 6) ? 1 : 0, size, rng_one_in(&rng, 4) ? 3 : 1);
    struct misuse_record record = misuse_first();
    if (!CHECK_EQ(misuse_count(), 0))
        fprintf(stderr, "  %s(%s %p): %s\n", record.call, record.type_name, record.object, record.message);
    if (rng_one_in(&rng, 3)) {
        ouro_leak_report report;
        CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    }
    bool ok = check_failures() == 0 && world_failures() == 0 && !atomic_load(&failed);
    if (!ok)
        fprintf(stderr, "child of fork %d (%s), generation %u, seed %" PRIu64 "\n", self.number, place_names[self.place],
                generation, seed);
    fflush(NULL);
    _exit(ok ? 0 : 1);
}

static void test_forks(void)
{
#ifdef TEST_TSAN
    printf("       skipped: ThreadSanitizer does not survive a fork under load\n");
    return;
#endif
    CHECK(world_run(seed, (struct world_size){.graphs = 3})); /* so that the library's threads have had their first read section: fork_gate.h */
    world_at = at;
    run_graphs(FORKS, (struct world_size){.graphs = 5}, 0);
    CHECK(!atomic_load(&failed));
    CHECK_EQ(atomic_load(&forks), FORKS);
    for (int i = 0; i < WORLD_PLACES; i++) {
        printf("       %4d %s\n", atomic_load(&forks_at[i]), place_names[i]);
        CHECK_GT(atomic_load(&forks_at[i]), 0);
    }
    printf("       %4d by the library's own threads\n", atomic_load(&forks_of_library));
    CHECK_GT(atomic_load(&forks_of_library), 0);
    world_print();
}

int main(void)
{
    check_start("fork_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_forks);
    return check_finish();
}
