/* SPDX-License-Identifier: MIT
 *
 * Interleavings to the instruction: a thread is stopped after any instruction of an operation, having begun it at any step of a
 * collection; the collection goes on to any later step, or to its end, or until it waits for the thread; then the thread goes on. Whatever it
 * holds afterwards must be there, with its count, and nothing else. The collector suspects every object
 * (as in wrong_estimate_test): so it rests on validation alone. The other way round: at each instruction of the collector's while it
 * carries out its verdict, weak references are followed.
 * Needs single steps (support/single_step.h) and a debug build. Seed: OURO_TEST_SEED; each tries others of some ten thousand. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "cycle/concurrent.h"
#include "cycle/candidates.h"
#include "cycle/estimate.h"
#include "cycle/presume.h"
#include "object/weak.h"
#include "port/perturb.h"
#include "support/collection.h"
#include "support/fixture.h"
#include "support/single_step.h"
#include "support/threads.h"

/* In the place of lib/cycle/estimate.c. */
size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t n = 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        struct oi_scope_page *page = &scope->pages[number];
        oi_rcu_read_lock();
        for (uint32_t i = 0; i < scope->extents[number].carved; i++) {
            if (!oi_scope_may_look(oi_scope_at(page, i)))
                continue;
            page->bits[i / 64].member |= (uint64_t)1 << i % 64;
            scope->extents[number].has_members = true;
            n++;
        }
        oi_rcu_read_unlock();
    }
    *members = n;
    return n;
}

/* ---- The scene: x, what leads to it, and what a thread does ---- */

static struct node *x, *y; /* y: reached from x, by slot b */
static ouro_weak *weak;
static struct node *hands[2]; /* the thread's references, before and after */

struct operation {
    const char *name;
    void (*run)(void);
    bool garbage; /* but for the weak reference, which the operation follows */
    bool two;     /* the thread begins with two references to x */
};

static void follow(void)
{
    hands[0] = ouro_weak_get(weak);
}

static void store(void)
{
    ouro_set(x, &x->a, x);
}

static void give(void)
{
    ouro_give(x, &x->a, hands[1]);
    hands[1] = NULL;
}

static void swap(void)
{
    hands[1] = ouro_swap(x, &x->a, hands[1]);
}

static void compare_set(void)
{
    ouro_compare_set(x, &x->a, NULL, x);
}

static void drop(void)
{
    ouro_release(hands[1]);
    hands[1] = NULL;
}

static void load(void)
{
    hands[1] = ouro_get(x, &x->b);
}

static void take(void)
{
    hands[1] = ouro_take(x, &x->b);
}

static void go_deeper(void)
{
    hands[1] = ouro_take(x, &x->b);
    ouro_release(hands[0]);
    hands[0] = NULL;
}

static void move_twice(void)
{
    ouro_give(x, &x->a, hands[1]);
    hands[1] = ouro_take(x, &x->a);
    ouro_give(y, &y->a, hands[1]);
    hands[1] = NULL;
}

static const struct operation operations[] = {
    {"weak_get", follow, true, false},  {"set", store, false, false},      {"give", give, false, true},
    {"swap", swap, false, true},        {"compare_set", compare_set, false, false}, {"release", drop, false, true},
    {"get", load, false, false},        {"take", take, false, false},      {"take and release", go_deeper, false, false},
    {"give, take, give", move_twice, false, true},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* ---- The thread ---- */

enum { LONGEST_STOP_US = 1500 };

static const struct operation *operation;
static long stop_at;
static atomic_int begin_round, stopped_round, done_round; /* rounds begun by the test; stopped or done in by the thread */
static atomic_bool may_go_on, end;
static atomic_long instructions; /* of the operation, in the last round */
static int current_round;
static _Thread_local bool is_thread;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* After each instruction. Stopped, it waits for its step of the collection, or until the collection waits for this thread. */
static bool stop(long n)
{
    if (n != stop_at)
        return true;
    atomic_store(&stopped_round, current_round);
    double until = now_us() + LONGEST_STOP_US;
    while (!atomic_load(&may_go_on) && now_us() < until)
        sched_yield();
    return true;
}

static void *operate(void *unused)
{
    int round = 0;
    (void)unused;
    is_thread = true;
    ouro_read_begin(); /* the first one blocks all signals for a while */
    ouro_read_end();
    while (!atomic_load(&end)) {
        if (atomic_load(&begin_round) == round) {
            sched_yield();
            continue;
        }
        round = atomic_load(&begin_round);
        single_step_begin(stop);
        operation->run();
        single_step_end();
        atomic_store(&instructions, single_steps);
        atomic_store(&stopped_round, round);
        atomic_store(&done_round, round);
    }
    return NULL;
}

static void begin_operation(void)
{
    atomic_store(&begin_round, current_round);
    while (atomic_load(&stopped_round) != current_round)
        sched_yield();
}

static void end_operation(void)
{
    atomic_store(&may_go_on, true);
    while (atomic_load(&done_round) != current_round)
        sched_yield();
}

/* ---- The collector ---- */

static _Thread_local int collector_step; /* 0 on other threads */
static int begin_at, end_at;
static bool has_begun;

static void on_perturb(void)
{
    if (is_thread || single_step_fn || !collector_step)
        return;
    int step = collector_step++;
    if (step == begin_at) {
        has_begun = true;
        begin_operation();
    }
    if (step == end_at && has_begun)
        end_operation();
}

static struct oi_concurrent collect(void)
{
    struct oi_concurrent job = {.generation = 2};
    ouro_blocking_begin();
    collector_step = 1;
    oi_concurrent_collect(&oi_act, &job);
    single_step_end();
    collector_step = 0;
    ouro_blocking_end();
    return job;
}

static bool is_supported(void)
{
    if (!OURO_DEBUG)
        printf("       skipped: only a debug build says where the collector is\n");
    return OURO_DEBUG && single_step_supported();
}

/* ---- One interleaving ---- */

static void make_scene(void)
{
    x = plain_new(1);
    y = plain_new(2);
    ouro_give(x, &x->b, y);
    ouro_share(x);
    weak = ouro_weak_new(x, NULL, NULL);
    ouro_share(weak);
    hands[0] = x;
    hands[1] = operation->two ? ouro_retain(x) : NULL;
    if (operation->garbage) {
        ouro_give(x, &x->a, x);
        hands[0] = NULL;
    }
}

static size_t references_to(const struct node *n, bool x_lives)
{
    size_t count = (size_t)(hands[0] == n) + (size_t)(hands[1] == n);
    if (x_lives) {
        count += (size_t)(ouro_peek(&x->a) == n) + (size_t)(ouro_peek(&x->b) == n);
        struct node *below = ouro_peek(&x->b);
        count += below && ouro_peek(&below->a) == n;
    }
    return count;
}

static bool reaches_x(void)
{
    return hands[0] == x || hands[1] == x || (hands[1] == y && ouro_peek(&y->a) == x);
}

/* True: what the thread holds is there, and counted. */
static bool is_right(void)
{
    bool right = true;
    if (reaches_x())
        right = right && x->id == 1 && ouro_refcount(x) == references_to(x, true) && !oi_is_dead(&x->object);
    if (hands[1] == y || (reaches_x() && ouro_peek(&x->b) == y))
        right = right && y->id == 2 && ouro_refcount(y) == references_to(y, reaches_x()) && !oi_is_dead(&y->object);
    return right;
}

/* By its count, where something leads to it; else the next collection would have it among its members. */
static void end_scene(void)
{
    struct node *left = ouro_weak_get(weak);
    if (left) {
        ouro_set(left, &left->a, NULL);
        struct node *below = ouro_peek(&left->b);
        if (below)
            ouro_set(below, &below->a, NULL);
    }
    if (hands[1] == y)
        ouro_set(y, &y->a, NULL);
    ouro_release(left);
    ouro_release(hands[0]);
    ouro_release(hands[1]);
    ouro_safepoint();
    hands[0] = hands[1] = NULL;
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
}

/* The operation begins at a step of the collection (0: before it), stops after an instruction, and goes on at another step. False: there are
 * fewer steps. */
static bool run_once(int step, long instruction, int until_step)
{
    current_round++;
    stop_at = instruction;
    begin_at = step;
    end_at = until_step;
    has_begun = !step;
    atomic_store(&may_go_on, false);
    make_scene();
    if (!step)
        begin_operation();
    struct oi_concurrent job = collect();
    atomic_store(&may_go_on, true);
    if (!has_begun) {
        stop_at = 0; /* the operation is done nevertheless, in peace, if there is something to do it with */
        if (job.freed)
            hands[0] = hands[1] = NULL;
        end_scene();
        return false;
    }
    while (atomic_load(&done_round) != current_round)
        sched_yield();
    ouro_safepoint(); /* what the thread has handed over */
    bool right = is_right() && misuse_count() == 0 && job.freed <= 2;
    if (!CHECK(right))
        fprintf(stderr, "  %s, begun at step %d, stopped after instruction %ld, until step %d: %zu freed\n", operation->name, step,
                instruction, until_step, job.freed);
    if (right)
        end_scene();
    return right;
}

static long runs;
static struct rng rng;

/* All steps, and some of the instructions, each time others. */
enum { STEPS_MAX = 40, INTERLEAVINGS = 200 };

static void run_some(void)
{
    long count[STEPS_MAX];
    int steps = 0;
    for (; steps < STEPS_MAX && run_once(steps, 1, 0); steps++)
        count[steps] = atomic_load(&instructions);
    CHECK_GE(steps, 6); /* else this has not been what it was meant to be */
    for (int i = 0; i < INTERLEAVINGS && check_failures() == 0; i++, runs++) {
        int step = i % steps, until = step + (int)rng_below(&rng, (uint32_t)(steps + 1 - step));
        run_once(step, 1 + (long)rng_below(&rng, (uint32_t)count[step]), until);
    }
}

static void test_instructions_of_others(void)
{
    if (!is_supported())
        return;
    oi_perturb_hook = on_perturb;
    pthread_t thread = thread_start(operate, NULL, 0);
    for (int i = 0; i < OPERATIONS && check_failures() == 0; i++) {
        operation = &operations[i];
        long before = runs;
        double start = now_us();
        run_some();
        printf("       %s: %ld interleavings (%.1f s)\n", operation->name, runs - before, (now_us() - start) * 1e-6);
    }
    atomic_store(&end, true);
    thread_join_parked(thread);
    oi_perturb_hook = NULL;
}

/* ---- The other way round ---- */

static int steps_open;
static long follow_at, followed_at;
static long seen_wrong;

/* While the verdict is open the weak reference is followed once, after one instruction. */
static bool follow_once(long n)
{
    if (oi_load_relaxed(&oi_verdict) != OI_VERDICT_OPEN)
        return false;
    if (n != follow_at)
        return true;
    hands[0] = ouro_weak_get(weak);
    followed_at = n;
    return false;
}

/* Afterwards it is followed after each. */
static bool follow_always(long n)
{
    if (oi_load_relaxed(&oi_verdict) == OI_VERDICT_OPEN)
        return true;
    struct node *got = ouro_weak_get(weak);
    seen_wrong += got != NULL;
    followed_at = n;
    hands[0] = got ? got : hands[0];
    return true;
}

/* From the last look of P5 on (two steps open the verdict; x, y, and then comes the commitment). */
static void step_through(void)
{
    if (is_thread || single_step_fn || !collector_step || oi_load_relaxed(&oi_verdict) != OI_VERDICT_OPEN)
        return;
    if (++steps_open == 4)
        single_step_begin(follow_at ? follow_once : follow_always);
}

static void collect_stepping(long at)
{
    operation = &operations[0];
    steps_open = 0;
    follow_at = at;
    followed_at = 0;
    make_scene();
    collect();
}

/* Followed after any instruction while it is open: had, and then it stays. */
static void test_instructions_until_the_verdict(void)
{
    if (!is_supported())
        return;
    oi_perturb_hook = step_through;
    long at = 1;
    for (bool open = true; open && check_failures() == 0; at++) {
        collect_stepping(at);
        open = followed_at != 0;
        if (open && !CHECK_PTR(hands[0], x))
            fprintf(stderr, "  followed after instruction %ld\n", at);
        CHECK(is_right());
        end_scene();
    }
    CHECK_GT(at, 10);
    oi_perturb_hook = NULL;
    printf("       %ld instructions\n", at);
}

/* After each instruction from the commitment to the end: it is garbage, and was never anything else again. */
static void test_instructions_after_the_verdict(void)
{
    if (!is_supported())
        return;
    oi_perturb_hook = step_through;
    collect_stepping(0);
    CHECK_EQ(seen_wrong, 0);
    CHECK_GT(followed_at, 100);
    if (!seen_wrong)
        end_scene();
    oi_perturb_hook = NULL;
    printf("       %ld instructions\n", followed_at);
}

int main(void)
{
    check_start("instruction_test");
    rng = (struct rng){rng_seed()};
    fixture_start();
    oi_candidates_share = oi_presume_share = 0; /* the estimate above, always */
    ouro_gc_disable();
    CHECK_GE(ouro_gc_collect(2), 0);
    FIXTURE_RUN(test_instructions_until_the_verdict);
    FIXTURE_RUN(test_instructions_after_the_verdict);
    FIXTURE_RUN(test_instructions_of_others);
    return check_finish();
}
