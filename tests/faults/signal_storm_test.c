/* SPDX-License-Identifier: MIT
 *
 * Signals in the middle of everything: all threads of the program are hit by several thousand a second while they make, share, exchange, drop and collect,
 * use containers, wait for each other, come and go, and one forks. The handlers do what they may (of the library's, only what is in
 * docs/embedding.md); they give the processor away, and are installed without SA_RESTART, so that whatever waits in the system returns
 * early. What the threads have then is compared with what each has written down; the library's own threads are never hit.
 * Seed: OURO_TEST_SEED. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "support/child.h"
#include "support/threads.h"
#include "support/values.h"

enum { THREADS = 3, STEPS = SCALED(150000), SLOTS = 16, TIMER_US = 300, SIGNAL = SIGUSR1 };

static uint64_t seed;
static atomic_long hits, strays;

static void hit(int unused)
{
    int before = errno;
    char name[16] = "";
    (void)unused;
    prctl(PR_GET_NAME, name, 0, 0, 0);
    atomic_fetch_add(strncmp(name, "ouro-", 5) ? &hits : &strays, 1);
    if (!ouro_version() || !ouro_status_name(OURO_OK) || !ouro_status_message(OURO_E_NOMEM)) /* all that may be called */
        atomic_fetch_add(&strays, 1);
    sched_yield();
    errno = before;
}

/* ---- The storm ---- */

static pthread_mutex_t storm_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t targets[THREADS + 2];
static int target_count; /* under the lock */
static atomic_bool storming;
static pthread_t storm_thread;

static void *storm(void *unused)
{
    struct rng rng = rng_stream(seed, 555);
    while (atomic_load(&storming)) {
        pthread_mutex_lock(&storm_lock);
        if (target_count)
            pthread_kill(targets[rng_below(&rng, (uint32_t)target_count)], SIGNAL);
        pthread_mutex_unlock(&storm_lock);
        if (rng_one_in(&rng, 4))
            nanosleep(&(struct timespec){0, (long)rng_below(&rng, 100000)}, NULL);
    }
    return unused;
}

static void become_target(void)
{
    pthread_mutex_lock(&storm_lock);
    targets[target_count++] = pthread_self();
    pthread_mutex_unlock(&storm_lock);
}

static void be_target_no_more(void)
{
    pthread_mutex_lock(&storm_lock);
    for (int i = 0; i < target_count; i++) {
        if (pthread_equal(targets[i], pthread_self()))
            targets[i--] = targets[--target_count];
    }
    pthread_mutex_unlock(&storm_lock);
}

static void set_timer(long us)
{
    struct itimerval timer = {{0, us}, {0, us}};
    REQUIRE(setitimer(ITIMER_REAL, &timer, NULL) == 0); /* process-wide: any thread that does not block it */
}

/* SIGALRM is the deadline of tests: another one is in its place meanwhile. */
static struct sigaction alarm_before;
static unsigned alarm_left;

static void storm_begin(void)
{
    struct sigaction action = {.sa_handler = hit};
    sigset_t all, ours;
    sigemptyset(&action.sa_mask);
    alarm_left = alarm(0);
    REQUIRE(sigaction(SIGNAL, &action, NULL) == 0 && sigaction(SIGALRM, &action, &alarm_before) == 0);
    atomic_store(&storming, true);
    sigfillset(&all); /* who makes the storm stands outside of it */
    pthread_sigmask(SIG_BLOCK, &all, &ours);
    storm_thread = thread_start(storm, NULL, 0);
    pthread_sigmask(SIG_SETMASK, &ours, NULL);
    become_target();
    set_timer(TIMER_US);
}

static void storm_end(void)
{
    set_timer(0);
    atomic_store(&storming, false);
    thread_join_parked(storm_thread);
    be_target_no_more();
    REQUIRE(sigaction(SIGALRM, &alarm_before, NULL) == 0);
    alarm(alarm_left ? alarm_left : 1);
}

/* ---- The work ---- */

static struct table *shared;
static ouro_value list, dict;
static atomic_long nodes, listed;

static struct node *make(void *a, void *b)
{
    atomic_fetch_add(&nodes, 1);
    return node_new_with(1, a, b);
}

static void drop_ring(bool share)
{
    struct node *n = make(NULL, NULL);
    ouro_set(n, &n->a, n);
    if (share)
        ouro_share(n);
    ouro_release(n);
}

static void count_call(ouro_weak *weak, void *count)
{
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ++*(int *)count;
}

static void watch_die(void)
{
    int calls = 0;
    struct node *n = make(NULL, NULL);
    ouro_weak *weak = ouro_weak_new(n, count_call, &calls);
    struct node *got = ouro_weak_get(weak);
    CHECK_PTR(got, n);
    ouro_release(got);
    ouro_release(n);
    CHECK_EQ(calls, 1);
    ouro_release(weak);
}

static void *live_shortly(void *unused)
{
    drop_ring(false);
    drop_ring(true);
    return unused;
}

static void step(struct member *self, ouro_value mine, long i)
{
    struct rng *rng = &self->rng;
    ouro_slot *slot = &shared->items[rng_below(rng, SLOTS)];
    struct node *n;
    ouro_value number;
    switch (rng_below(rng, 11)) {
    case 0:
        n = make(make(NULL, NULL), NULL);
        ouro_set(shared, slot, n);
        ouro_release(n);
        break;
    case 1:
        ouro_release(ouro_take(shared, slot));
        break;
    case 2:
        n = ouro_get(shared, slot);
        ouro_release(ouro_swap(shared, &shared->items[rng_below(rng, SLOTS)], n));
        break;
    case 3:
        ouro_read_begin();
        n = ouro_try_retain(ouro_peek(slot));
        ouro_read_end();
        ouro_release(n);
        break;
    case 4:
        drop_ring(rng_one_in(rng, 2));
        break;
    case 5:
        watch_die();
        break;
    case 6:
        number = ouro_float_new((double)i);
        CHECK_OK(ouro_list_append(list, number));
        CHECK_OK(ouro_dict_set(dict, mine, ouro_int_new(i)));
        atomic_fetch_add(&listed, 1);
        ouro_value_release(number);
        CHECK_OK(ouro_dict_get(dict, mine, &number));
        CHECK_EQ(ouro_int_value(number), i);
        break;
    case 7:
        if (rng_one_in(rng, 60))
            CHECK_GE(ouro_gc_collect((int)rng_below(rng, 3)), 0);
        break;
    case 8:
        ouro_blocking_begin();
        sched_yield();
        ouro_blocking_end();
        break;
    case 9:
        if (rng_one_in(rng, 60))
            thread_do(live_shortly, NULL, 0);
        break;
    default:
        if (rng_one_in(rng, 60))
            ouro_mem_trim();
        if (rng_one_in(rng, 60))
            CHECK_OK(ouro_gc_collect_async(2));
    }
}

static void work(struct member *self)
{
    ouro_value mine = ouro_int_new(self->index);
    become_target();
    for (long i = 0; i < STEPS; i++)
        step(self, mine, i);
    be_target_no_more();
}

static void test_everything_in_the_storm(void)
{
    size_t length;
    shared = table_new(SLOTS);
    ouro_share(shared);
    list = ouro_list_new(), dict = ouro_dict_new();
    ouro_value_share(list), ouro_value_share(dict);
    nodes = listed = hits = 0;
    storm_begin();
    team_run(THREADS, seed, work, NULL);
    storm_end();
    CHECK_OK(ouro_list_length(list, &length));
    CHECK_EQ(length, (size_t)listed);
    CHECK_OK(ouro_dict_length(dict, &length));
    CHECK_LE(length, THREADS);
    ouro_value_release(list), ouro_value_release(dict);
    ouro_release(shared);
    for (int i = 0; i < 3; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), atomic_load(&nodes));
    printf("       %ld signals\n", atomic_load(&hits));
    CHECK_GT(atomic_load(&hits), 100);
    CHECK_EQ(atomic_load(&strays), 0); /* the library's threads block them all */
}

/* ---- What waits ---- */

static struct step reading = STEP_INITIALIZER, read_on = STEP_INITIALIZER;

static void *stay_in_section(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* this one's sleep is not the subject */
    ouro_read_begin();
    step_set(&reading, 1);
    CHECK(step_wait(&read_on, 1));
    ouro_read_end();
    return unused;
}

static atomic_bool returned;

static void *let_go_after_a_while(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    nanosleep(&(struct timespec){0, 100000000}, NULL);
    CHECK(!atomic_load(&returned)); /* whoever waits does so to the end, however often it was woken */
    step_set(&read_on, 1);
    return unused;
}

static void wait_in(void (*call)(void))
{
    reading.value = read_on.value = 0;
    atomic_store(&returned, false);
    pthread_t reader = thread_start(stay_in_section, NULL, 0);
    CHECK(step_wait(&reading, 1));
    struct node *n = node_new(1);
    ouro_share(n);
    ouro_release(n);
    struct node *ring = node_new(2);
    ouro_set(ring, &ring->a, ring);
    ouro_share(ring);
    ouro_release(ring);
    storm_begin();
    pthread_t other = thread_start(let_go_after_a_while, NULL, 0);
    call();
    atomic_store(&returned, true);
    storm_end();
    thread_join_parked(other);
    thread_join_parked(reader);
}

static void collect(void)
{
    CHECK_GE(ouro_gc_collect(2), 1);
    CHECK_EQ(finalized(), 2);
}

static void trim(void)
{
    ouro_mem_trim();
}

static void shut_down(void)
{
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

static void test_waiting_in_the_storm(void)
{
    wait_in(collect);
    wait_in(trim);
    wait_in(shut_down);
    fixture_start();
    fixture_owners_may_sleep();
    CHECK_GE(ouro_gc_collect(2), 0);
}

/* ---- Fork ---- */

static void be_child(void *unused)
{
    (void)unused;
    long before = finalized();
    drop_ring(true);
    CHECK_GE(ouro_gc_collect(2), 1);
    CHECK_GE(finalized(), before + 1); /* and what the parent has dropped */
    ouro_mem_trim();
}

static void test_fork_in_the_storm(void)
{
    if (TEST_SLOWDOWN == 12) {
        printf("       skipped: ThreadSanitizer ends a child that starts threads where its parent had some\n");
        return;
    }
    storm_begin();
    for (int i = 0; i < SCALED(40); i++) {
        drop_ring(true);
        CHECK_EQ(child_run(be_child, NULL), 0);
    }
    storm_end();
    CHECK_GE(ouro_gc_collect(2), 0);
}

int main(void)
{
    check_start("signal_storm_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_everything_in_the_storm);
    FIXTURE_RUN(test_waiting_in_the_storm);
    FIXTURE_RUN(test_fork_in_the_storm);
    return check_finish();
}
