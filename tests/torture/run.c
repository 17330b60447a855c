/* SPDX-License-Identifier: MIT */
#include "torture/run.h"

#include <stdlib.h>
#include <time.h>

#include "support/check.h"
#include "support/fork_gate.h"
#include "support/perturb.h"
#include "support/threads.h"
#include "torture/children.h"
#include "torture/history.h"
#include "torture/report.h"
#include "torture/result.h"
#include "torture/sabotage.h"
#include "torture/schedule.h"
#include "torture/values.h"

enum { OBJECTS_PER_STEP = 2, STACK_BYTES = 512 << 10 };

/* ---- Meeting ---- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t round;
    unsigned working;
    bool over;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static atomic_bool hurry; /* the time is over */

/* Parked, so that others can do what is to be done for the thread. False: there is no further round. */
static bool wait_for_round(void)
{
    history_note(EVENT_MEET, 0, 0, 0, 0);
    ouro_blocking_begin();
    pthread_mutex_lock(&gate.mutex);
    uint64_t round = gate.round;
    if (--gate.working == 0)
        pthread_cond_broadcast(&gate.changed);
    while (gate.round == round)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    bool over = gate.over;
    pthread_mutex_unlock(&gate.mutex);
    ouro_blocking_end();
    return !over;
}

/* The main thread's part: until all wait. */
static void wait_for_workers(struct run *run)
{
    struct timespec soon;
    ouro_blocking_begin();
    pthread_mutex_lock(&gate.mutex);
    while (gate.working) {
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 100000000;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&gate.changed, &gate.mutex, &soon);
        atomic_store(&hurry, options.seconds && history_clock() - run->begun >= options.seconds * (uint64_t)1000000000);
        result_progress(run);
    }
    pthread_mutex_unlock(&gate.mutex);
    ouro_blocking_end();
}

static void begin_round(bool over)
{
    pthread_mutex_lock(&gate.mutex);
    gate.round++;
    gate.working = options.threads;
    gate.over = over;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
}

/* ---- A worker's threads ---- */

static void *live(void *worker);

static void begin_thread(struct worker *w)
{
    report_join();
    history_join(w->maker.number);
    perturb_join(options.seed, w->maker.number << 20 | w->threads++);
    if (w->has_thread_before) { /* which may still be on its way out, and hand over what it has */
        thread_join_running(w->thread_before);
        fork_gate_leave();
    }
    fork_gate_enter();
    ouro_read_begin();
    ouro_read_end();
    fork_gate_leave();
    step_attach(w);
}

/* Another thread goes on with what this one holds: it is published when this one has ended, if not before. */
static void *pass_on(struct worker *w)
{
    w->hands_over = false;
    w->has_thread_before = true;
    w->thread_before = pthread_self();
    fork_gate_enter(); /* left by who joins this thread */
    w->thread = thread_start(live, w, STACK_BYTES);
    return NULL;
}

static void rest(struct worker *w)
{
    for (int i = 0; i < HELD; i++)
        ouro_share(w->held[i]);
    for (int i = 0; i < WEAK_HELD; i++)
        ouro_share(w->weak_held[i].weak);
    ouro_gc_unfreeze(); /* its private objects are not for others to unfreeze */
    while (ledger_collect(0) < 0)
        ; /* another worker's limit is soon over */
}

static void *live(void *worker)
{
    struct worker *w = worker;
    begin_thread(w);
    do {
        for (; w->steps_left > 0 && !atomic_load_explicit(&hurry, memory_order_relaxed); w->steps_left--) {
            if (w->hands_over)
                return pass_on(w);
            step_once(w);
            report_progress();
        }
        w->hands_over = false;
        sabotage(w);
        rest(w);
    } while (wait_for_round());
    fork_gate_enter();
    return NULL;
}

/* ---- Rounds ---- */

static uint64_t steps_of_round(const struct run *run)
{
    uint64_t steps = options.objects / options.threads / OBJECTS_PER_STEP;
    uint64_t done = atomic_load(&run->workers[0]->step), wanted = (options.steps + options.threads - 1) / options.threads;
    if (steps > options.round)
        steps = options.round;
    return options.steps && wanted - done < steps ? wanted - done : steps;
}

static bool is_over(const struct run *run)
{
    return atomic_load(&hurry) || (options.steps && steps_of_round(run) == 0);
}

static void clear_slots(struct node *n)
{
    for (unsigned i = 0; i < RACING_SLOTS; i++)
        node_release(node_take(n, i));
    for (unsigned i = RACING_SLOTS; i < WEAK_SLOT; i++)
        node_set(n, i, NULL);
    node_give_weak(n, NULL, 0);
}

static void drop_most(struct run *run)
{
    for (unsigned i = 0; i <= options.threads; i++)
        step_drop_all(run->workers[i]);
    for (int i = 0; i < ROOTS; i++)
        clear_slots(roots[i]);
}

static void empty_refuge(uint32_t one_in, struct rng *rng)
{
    for (uint32_t id = 1; id <= account_count; id++) {
        if (atomic_load(&accounts[id].refuge) && rng_one_in(rng, one_in))
            node_release(refuge_take(id));
    }
}

static void run_round(struct run *run)
{
    struct rng rng = rng_stream(options.seed ^ 0x20d5, run->rounds);
    uint64_t steps = steps_of_round(run);
    if (run->oracle.alive > options.objects / 2 || rng_one_in(&rng, 8))
        drop_most(run);
    empty_refuge(2, &rng);
    values_open();
    schedule_shuffle(run->rounds);
    for (unsigned i = 0; i < options.threads; i++)
        run->workers[i]->steps_left = steps;
    begin_round(false);
    wait_for_workers(run);
    schedule_calm();
    values_close();
    oracle_verify(&run->oracle);
    children_allow();
    run->rounds++;
    result_progress(run);
}

/* ---- The beginning and the end ---- */

static void make_workers(struct run *run)
{
    struct maker **makers = calloc(options.threads + 1, sizeof *makers);
    run->workers = calloc(options.threads + 1, sizeof *run->workers);
    REQUIRE(makers && run->workers);
    for (unsigned i = 0; i <= options.threads; i++) {
        run->workers[i] = calloc(1, sizeof **run->workers);
        REQUIRE(run->workers[i]);
        makers[i] = &run->workers[i]->maker;
    }
    ledger_start(options.objects, makers, options.threads + 1, ROOTS);
}

static void make_roots(struct worker *w)
{
    static const enum kind kinds[] = {PLAIN, ARRAY, FINALIZED, PLAIN};
    for (int i = 0; i < ROOTS; i++) {
        w->rng = rng_stream(options.seed, (uint64_t)i);
        roots[i] = node_new(&w->maker, kinds[i % 4], &w->rng);
        expect(roots[i] != NULL, "no memory for the roots", 0);
        node_share(roots[i]);
    }
}

/* The threads that are the library's own have had their first read section when this is over: support/fork_gate.h. */
static void wake_the_library(void)
{
    ouro_gc_stats stats;
    if (options.threads == 1)
        return; /* then only its worker collects */
    expect(ouro_gc_collect_async(2) == OURO_OK, "ouro_gc_collect_async", 0);
    do {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        ouro_gc_get_stats(&stats, sizeof stats);
    } while (!stats.generation[2].collections);
}

static void begin(struct run *run)
{
    make_workers(run);
    history_start(options.threads);
    history_join(options.threads);
    report_start();
    oracle_listen();
    wake_the_library();
    oracle_start(&run->oracle);
    run->oracle.workers = run->workers;
    run->oracle.count = options.threads + 1;
    make_roots(run->workers[options.threads]);
    steps_start();
    run->begun = history_clock();
    gate.working = options.threads;
    for (unsigned i = 0; i < options.threads; i++)
        run->workers[i]->thread = thread_start(live, run->workers[i], STACK_BYTES);
    wait_for_workers(run);
}

static void end_threads(struct run *run)
{
    begin_round(true);
    ouro_blocking_begin();
    for (unsigned i = 0; i < options.threads; i++)
        thread_join_running(run->workers[i]->thread);
    ouro_blocking_end();
}

/* All but the immortal, and these refer to nothing any more. */
static void drop_all(struct run *run)
{
    struct rng rng = {0};
    refuge_stop();
    drop_most(run);
    empty_refuge(1, &rng);
    for (int i = 0; i < ROOTS; i++) {
        node_release(roots[i]);
        roots[i] = NULL;
    }
    for (uint32_t id = 1; id <= account_count; id++) {
        if (accounts[id].immortal)
            clear_slots(accounts[id].object);
    }
}

static void verify_end(struct run *run)
{
    ouro_leak_report report;
    uint32_t immortal = 0;
    for (unsigned i = 0; i < options.threads; i++)
        immortal += run->workers[i]->immortals;
    oracle_verify(&run->oracle);
    expect_equal(run->oracle.alive, immortal, "objects alive when all has been dropped, and how many of them are immortal", 0);
    refuge_close();
    expect(ouro_shutdown(&report) == OURO_OK, "ouro_shutdown", 0);
    expect_equal(report.objects, 0, "objects in the report of leaks", 0);
    expect_equal(report.immortal_objects, immortal, "immortal objects in the report of leaks", 0);
}

void run_all(struct run *run)
{
    begin(run);
    while (!is_over(run))
        run_round(run);
    end_threads(run);
    drop_all(run);
    verify_end(run);
}

uint64_t run_steps(const struct run *run)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < options.threads; i++)
        sum += atomic_load(&run->workers[i]->step);
    return sum;
}

uint64_t run_made(const struct run *run)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= options.threads; i++)
        sum += run->workers[i]->maker.made;
    return sum;
}
