/* SPDX-License-Identifier: MIT
 *
 * Threads that are killed: by pthread_cancel (deferred) or pthread_exit, at whatever they are, and never detached from the library by themselves.
 * No call of the library is a cancellation point: a thread that waits in one, with locks held, lives until its own code comes to such a
 * point. Where its own code runs (between calls, in read sections and blocking regions, in finalizers and callbacks, wherever the library calls
 * these) it may end; what it held is let go, and everybody else goes on. What was being finalized then stays alive for good: its finalizer has not
 * returned.
 * Seed: OURO_TEST_SEED. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/child.h"
#include "support/first_backtrace.h"
#include "support/fixture.h"
#include "support/threads.h"

#ifdef TEST_ASAN
void __asan_handle_no_return(void); /* the thread may be unwound from here: AddressSanitizer has to be told */
#else
#define __asan_handle_no_return() ((void)0)
#endif

static void cancellation_point(void)
{
    __asan_handle_no_return();
    pthread_testcancel();
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void drop_ring(long id, bool shared)
{
    struct node *a = node_new(id), *b = node_new_with(id, ouro_retain(a), NULL);
    ouro_give(a, &a->a, b);
    if (shared)
        ouro_share(a);
    ouro_release(a);
}

/* ---- Cancelled while it waits in the library ---- */

static struct step reading, read_on, called, finalizing, finalize_on;

static void steps_begin(void)
{
    reading.value = read_on.value = called.value = finalizing.value = finalize_on.value = 0;
}

static void *stay_in_section(void *unused)
{
    ouro_read_begin();
    step_set(&reading, 1);
    CHECK(step_wait(&read_on, 1));
    ouro_read_end();
    return unused;
}

static void collect(void)
{
    CHECK_GE(ouro_gc_collect(2), 0);
}

static void trim(void)
{
    ouro_mem_trim();
}

static void shut_down(void)
{
    ouro_status status = ouro_shutdown(NULL);
    CHECK(status == OURO_OK || status == OURO_E_AGAIN);
}

static void *call_and_end(void *arg)
{
    void (*call)(void) = *(void (**)(void))arg;
    step_set(&called, 1);
    call();
    step_set(&called, 2);
    cancellation_point();
    CHECK(!"reached");
    return NULL;
}

/* Everything that takes the locks that the killed thread may have had. */
static void use_all(void)
{
    long before = finalized();
    drop_ring(1, true);
    CHECK_GE(ouro_gc_collect(2), 2);
    drop_ring(2, true);
    CHECK_GE(ouro_gc_collect(1), 0);
    drop_ring(3, false);
    CHECK_EQ(ouro_gc_collect(0), 2);
    struct leaf *leaf = leaf_new(1);
    ouro_weak *weak = ouro_weak_new(leaf, NULL, NULL);
    ouro_share(leaf);
    ouro_release(leaf);
    CHECK_PTR(ouro_weak_get(weak), NULL);
    ouro_release(weak);
    ouro_mem_trim();
    CHECK_GE(finalized() - before, 7);
}

/* Cancelled while it waits for a reader: it waits on, and is gone afterwards; all others find the locks free. */
static void kill_waiting_for_reader(void (*call)(void))
{
    void *result = NULL;
    steps_begin();
    pthread_t reader = thread_start(stay_in_section, NULL, 0);
    CHECK(step_wait(&reading, 1));
    struct node *n = node_new(1); /* something that a grace period is needed for */
    ouro_share(n);
    ouro_release(n);
    drop_ring(2, true);
    pthread_t thread = thread_start(call_and_end, &call, 0);
    CHECK(step_wait(&called, 1));
    sleep_ms(30); /* it waits by now, more likely than not */
    CHECK_EQ(pthread_cancel(thread), 0);
    sleep_ms(30);
    CHECK_EQ(called.value, 1); /* waits on */
    step_set(&read_on, 1);
    thread_join_running(reader);
    CHECK(step_wait(&called, 2));
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    use_all();
}

static void test_cancelled_while_it_collects(void)
{
    kill_waiting_for_reader(collect);
}

static void test_cancelled_while_it_trims(void)
{
    kill_waiting_for_reader(trim);
}

static void test_cancelled_while_it_shuts_down(void)
{
    kill_waiting_for_reader(shut_down);
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
    fixture_start();
}

static void finalize_slowly(void *unused)
{
    (void)unused;
    step_set(&finalizing, 1);
    CHECK(step_wait(&finalize_on, 1));
}

/* Likewise while it waits for a finalizer on the library's thread. */
static void test_cancelled_while_it_waits_for_a_finalizer(void)
{
    void *result = NULL;
    static void (*const calls[])(void) = {collect, shut_down};
    for (int i = 0; i < 2; i++) {
        steps_begin();
        on_finalize(finalize_slowly);
        drop_ring(1, true);
        pthread_t thread = thread_start(call_and_end, (void *)&calls[i], 0);
        CHECK(step_wait(&finalizing, 1));
        sleep_ms(30);
        CHECK_EQ(pthread_cancel(thread), 0);
        sleep_ms(30);
        step_set(&finalize_on, 1);
        CHECK(step_wait(&called, 2));
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK(result == PTHREAD_CANCELED);
        on_finalize(NULL);
        use_all();
    }
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
    fixture_start();
}

/* ---- Ended by their own code, wherever the library calls it ---- */

enum how { BY_EXIT, BY_CANCEL, BY_CANCEL_LATER, HOWS };

static enum how how;
static atomic_int deaths; /* that are still to come */
static struct step dying = STEP_INITIALIZER;

/* Ends the thread, once. */
static void die(void)
{
    if (atomic_fetch_sub(&deaths, 1) != 1)
        return;
    step_set(&dying, 1);
    if (how == BY_EXIT)
        pthread_exit(NULL);
    pthread_cancel(pthread_self());
    if (how == BY_CANCEL)
        cancellation_point();
}

static void die_finalizing(void *unused)
{
    (void)unused;
    die();
}

static void die_calling_back(ouro_weak *unused, void *arg)
{
    (void)unused, (void)arg;
    die();
}

static _Thread_local bool is_victim;

static void die_at_collection(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    const int *wanted = arg;
    if ((int)phase == wanted[0] && info->generation == wanted[1] && (is_victim || wanted[2]))
        die();
}

static void drop_leaf(void)
{
    ouro_release(leaf_new(1));
}

static void drop_shared_leaf(void)
{
    struct leaf *leaf = leaf_new(1);
    ouro_share(leaf);
    ouro_release(leaf);
}

static void drop_in_section(void)
{
    ouro_read_begin();
    drop_leaf();
    drop_shared_leaf();
    ouro_read_end();
}

static void drop_private_ring(void)
{
    drop_ring(1, false);
    CHECK_GE(ouro_gc_collect(0), 2);
}

static void leave_private_ring(void)
{
    drop_ring(1, false); /* found when the thread detaches, at its end */
}

static void drop_shared_ring(void)
{
    drop_ring(1, true);
    CHECK_GE(ouro_gc_collect(2), 2);
}

static void drop_target(void)
{
    struct node *n = plain_new(1);
    ouro_weak *weak = ouro_weak_new(n, die_calling_back, NULL);
    ouro_release(n);
    ouro_release(weak);
}

static void drop_ring_of_targets(void)
{
    struct node *n = plain_new(1);
    ouro_weak *weak = ouro_weak_new(n, die_calling_back, NULL);
    ouro_set(n, &n->a, n);
    ouro_share(weak);
    ouro_release(n);
    CHECK_GE(ouro_gc_collect(2), 1);
    ouro_release(weak);
}

static void drop_and_park(void)
{
    struct leaf *leaf = leaf_new(1);
    ouro_blocking_begin();
    ouro_release(leaf);
    ouro_blocking_end();
}

static void end_in_section(void)
{
    ouro_read_begin();
    ouro_read_begin();
    drop_leaf();
    drop_shared_leaf();
    die();
    cancellation_point();
}

static void end_in_region(void)
{
    drop_shared_leaf();
    ouro_blocking_begin();
    die();
    cancellation_point();
}

static void collect_young(void)
{
    CHECK_GE(ouro_gc_collect(0), 0);
}

static int drop_content(void *object, void *arg)
{
    struct node *holder = arg;
    (void)object;
    ouro_set(holder, &holder->a, NULL);
    return 0;
}

static void drop_in_visitor(void)
{
    struct node *holder = plain_new(1);
    ouro_give(holder, &holder->a, leaf_new(1));
    pthread_cleanup_push(ouro_release, holder);
    ouro_gc_visit_objects(-1, drop_content, holder);
    pthread_cleanup_pop(1);
}

static int break_up(void *object, void *unused)
{
    struct node *n = object;
    (void)unused;
    ouro_set(n, &n->a, NULL);
    return 0;
}

/* Nothing but the list holds them then. */
static void drop_garbage_list(void)
{
    ouro_gc_set_debug(OURO_GC_DEBUG_SAVEALL);
    for (int i = 0; i < 3; i++) {
        struct node *n = node_new(i);
        ouro_set(n, &n->a, n);
        ouro_share(n);
        ouro_release(n);
    }
    CHECK_EQ(ouro_gc_collect(2), 3);
    ouro_gc_set_debug(0);
    CHECK_EQ(ouro_gc_visit_garbage(break_up, NULL), 3);
    ouro_gc_clear_garbage();
}

static void drop_ring_and_shut_down(void)
{
    drop_ring(1, false);
    ouro_status status = ouro_shutdown(NULL);
    CHECK(status == OURO_OK);
}

struct place {
    const char *name;
    void (*run)(void);
    bool finalizing; /* the finalizer is where it ends */
    int leaked;      /* what was being finalized, or called back about, and what that holds */
};

static const struct place places[] = {
    {"finalizer", drop_leaf, true, 1},
    {"finalizer of a shared object", drop_shared_leaf, true, 1},
    {"finalizer after a read section", drop_in_section, true, 1},
    {"finalizer in a blocking region", drop_and_park, true, 1},
    {"finalizer of a private cycle", drop_private_ring, true, 2},
    {"finalizer at the end of a thread", leave_private_ring, true, 2},
    {"finalizer in shutdown", drop_ring_and_shut_down, true, 2},
    {"finalizer on the library's thread", drop_shared_ring, true, 2},
    {"finalizer of what a visitor drops", drop_in_visitor, true, 1},
    {"finalizer of what was on the garbage list", drop_garbage_list, true, 1},
    {"weak callback", drop_target, false, 1},
    {"weak callback on the library's thread", drop_ring_of_targets, false, 1},
    {"read section", end_in_section, false, 0},
    {"blocking region", end_in_region, false, 0},
};
enum { PLACES = sizeof places / sizeof *places };

static void *be_victim(void *arg)
{
    void (*run)(void) = *(void (*const *)(void))arg;
    is_victim = true;
    run();
    cancellation_point();
    return NULL;
}

static int count(void *object, void *arg)
{
    (void)object;
    ++*(size_t *)arg;
    return 0;
}

static void *do_all(void *unused)
{
    size_t visited = 0;
    use_all();
    ouro_gc_visit_objects(-1, count, &visited);
    CHECK_LE(visited, live_objects());
    return unused;
}

/* hand: makes what the thread drops, on a thread that is gone by then, or it would be that one's to destroy; or NULL. */
static void meet_death_with(const struct place *place, void *(*hand)(void *unused))
{
    size_t before = live_objects();
    dying.value = 0;
    atomic_store(&deaths, 1);
    if (hand)
        thread_do(hand, NULL, 0);
    on_finalize(place->finalizing ? die_finalizing : NULL);
    pthread_t thread = thread_start(be_victim, (void *)(uintptr_t)&place->run, 0);
    CHECK(step_wait(&dying, 1));
    thread_join_parked(thread);
    CHECK_LE(atomic_load(&deaths), 0);
    on_finalize(NULL);
    use_all();
    thread_do(do_all, NULL, 0); /* on the slot that it has left */
    CHECK_GE(ouro_gc_collect(2), 0);
    bool later = how == BY_CANCEL_LATER || (how == BY_CANCEL && place->run == drop_in_visitor); /* a visit is not cancelled */
    size_t leaked = live_objects() - before, expected = later ? 0 : (size_t)place->leaked;
    if (!CHECK_EQ(leaked, expected))
        printf("       ended by %d in: %s\n", how, place->name);
    fixture_leaves(leaked);
    CHECK_EQ(mem_stats().limbo_bytes, 0);
}

static void meet_death(const struct place *place)
{
    meet_death_with(place, NULL);
}

static void test_ended_by_its_own_code(void)
{
    for (how = BY_EXIT; how < HOWS; how++) {
        for (int i = 0; i < PLACES; i++)
            meet_death(&places[i]);
        CHECK_EQ(ouro_shutdown(NULL), OURO_OK); /* nobody has the lock */
        fixture_start();
    }
}

static void collect_by_itself(void)
{
    CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
    CHECK(step_wait(&dying, 1));
}

static bool has_collected(void *before)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[2].collections > *(uint64_t *)before;
}

/* ---- Ended without ever having made anything: all that the library knows of the thread is what it has dropped ---- */

static struct node *handed;
static ouro_weak *watching;
static atomic_int called_back;

static void *hand(void *unused)
{
    watching = NULL;
    handed = plain_new(1);
    ouro_give(handed, &handed->a, leaf_new(2));
    ouro_give(handed, &handed->b, leaf_new(3));
    ouro_share(handed);
    return unused;
}

static void drop_handed(void)
{
    ouro_release(handed); /* the finalizer of one leaf ends the thread; the other leaf is dead by then */
}

static void note_call(ouro_weak *unused, void *arg)
{
    (void)unused, (void)arg;
    atomic_fetch_add(&called_back, 1);
}

static void *hand_and_watch(void *unused)
{
    hand(NULL);
    watching = ouro_weak_new(handed, note_call, NULL);
    ouro_share(watching);
    return unused;
}

static void drop_handed_in_section(void)
{
    ouro_read_begin();
    ouro_release(handed);
    ouro_release(watching); /* what is pending has a reference */
    die();
    cancellation_point();
}

static void *hand_watched(void *unused)
{
    handed = plain_new(1);
    watching = ouro_weak_new(handed, note_call, NULL);
    ouro_share(watching);
    ouro_share(handed);
    return unused;
}

static void test_ended_without_a_slot(void)
{
    static const struct place at[] = {{"finalizer", drop_handed, true, 1},
                                      {"read section, finalizers to come", drop_handed_in_section, false, 0},
                                      {"read section, finalizers and a callback to come", drop_handed_in_section, false, 0},
                                      {"read section, a callback to come", drop_handed_in_section, false, 0}};
    static void *(*const hands[])(void *unused) = {hand, hand, hand_and_watch, hand_watched};
    for (how = BY_EXIT; how < HOWS; how++) {
        for (int i = 0; i < 4; i++) {
            atomic_store(&called_back, 0);
            meet_death_with(&at[i], hands[i]);
            CHECK_EQ(atomic_load(&called_back), i > 1);
        }
    }
}

/* In the program's callbacks before and after collections, also on the collector's own thread, which is started again. */
static void test_ended_in_callbacks_of_collections(void)
{
    static const struct place at[] = {{"own", collect_young, false, 0}, {"asked for", collect, false, 0}, {"collector's thread", collect_by_itself, false, 0}};
    for (how = BY_EXIT; how < HOWS; how++) {
        for (int i = 0; i < 6; i++) {
            int which = i / 2, wanted[] = {i % 2 ? OURO_GC_STOP : OURO_GC_START, which ? 2 : 0, which == 2};
            int id = ouro_gc_add_callback(die_at_collection, wanted);
            CHECK_GT(id, 0);
            meet_death(&at[which]);
            ouro_gc_remove_callback(id);
            ouro_gc_stats stats;
            ouro_gc_get_stats(&stats, sizeof stats);
            uint64_t before = stats.generation[2].collections;
            CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
            CHECK(wait_until(has_collected, &before));
        }
    }
}

static void drop_handed_and_die(ouro_weak *unused, void *arg)
{
    (void)unused, (void)arg;
    ouro_release(handed);
    die();
}

static bool has_finalized(void *wanted)
{
    return finalized() >= *(long *)wanted;
}

/* What a weak callback on the library's thread has dropped, before it ended that. */
static void test_callback_drops_and_ends(void)
{
    for (how = BY_EXIT; how < HOWS; how++) {
        long wanted = finalized() + 2;
        thread_do(hand, NULL, 0);
        struct node *ring = plain_new(1);
        ouro_weak *weak = ouro_weak_new(ring, drop_handed_and_die, NULL);
        ouro_set(ring, &ring->a, ring);
        ouro_share(weak);
        ouro_release(ring);
        atomic_store(&deaths, 1);
        dying.value = 0;
        CHECK_EQ(ouro_gc_collect(2), 1);
        CHECK(wait_until(has_finalized, &wanted));
        ouro_release(weak);
        if (how != BY_CANCEL_LATER)
            fixture_leaves(1); /* the weak reference whose callback has not returned */
    }
}

static atomic_bool is_handed;

static void drop_handed_at_collection(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    if (phase != *(const ouro_gc_phase *)arg || info->generation != 2 || strcmp(name, "ouro-collector") != 0 || !atomic_exchange(&is_handed, false))
        return;
    ouro_release(handed);
    die();
}

/* The same in a callback at a collection, on the collector's thread; and if that goes on. */
static void test_collector_drops_and_ends(void)
{
    for (how = BY_EXIT; how <= HOWS; how++) {
        for (int i = 0; i < 2; i++) {
            static ouro_gc_phase phases[] = {OURO_GC_START, OURO_GC_STOP};
            long wanted = finalized() + 2;
            thread_do(hand, NULL, 0);
            atomic_store(&deaths, how == HOWS ? 0 : 1); /* HOWS: it is not ended */
            dying.value = 0;
            int id = ouro_gc_add_callback(drop_handed_at_collection, &phases[i]);
            atomic_store(&is_handed, true);
            CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
            CHECK(wait_until(has_finalized, &wanted));
            ouro_gc_remove_callback(id);
        }
    }
}

static void *run_due(void *unused)
{
    ouro_finalizers_run(SIZE_MAX);
    cancellation_point();
    return unused;
}

static void run_by_hand(void *unused)
{
    (void)unused;
    fixture_start_with((ouro_config){.flags = OURO_FINALIZE_MANUAL});
    for (how = BY_EXIT; how < HOWS; how++) {
        long before = finalized();
        drop_ring(1, true);
        drop_ring(2, true);
        CHECK_GE(ouro_gc_collect(2), 4);
        atomic_store(&deaths, 1);
        on_finalize(die_finalizing);
        thread_do(run_due, NULL, 0);
        on_finalize(NULL);
        CHECK_GE(finalized() - before, 1);
        if (how != BY_CANCEL_LATER)
            CHECK_EQ(ouro_finalizers_run(SIZE_MAX), 3); /* the rest, here */
        CHECK_EQ(finalized() - before, 4);
    }
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

/* In ouro_finalizers_run: others go on where it was. */
static void test_ended_while_it_runs_finalizers_by_hand(void)
{
    CHECK_EQ(child_run(run_by_hand, NULL), 0);
}

/* ---- Cancelled at any moment ---- */

enum { WORKERS = 3, KILLS = SCALED(400), ITEMS = 32, HELD = 8 };

static uint64_t seed;
static struct table *shared;

struct worker {
    struct rng rng;
    void *held[HELD]; /* references */
};

static void let_go(void *arg)
{
    struct worker *self = arg;
    for (int i = 0; i < HELD; i++) {
        ouro_release(self->held[i]);
        self->held[i] = NULL;
    }
}

static void work_once(struct worker *self)
{
    struct rng *rng = &self->rng;
    ouro_slot *slot = &shared->items[rng_below(rng, ITEMS)];
    void **held = &self->held[rng_below(rng, HELD)];
    ouro_release(*held);
    *held = NULL;
    cancellation_point();
    switch (rng_below(rng, 9)) {
    case 0:
        *held = node_new_with(1, node_new(2), leaf_new(3));
        cancellation_point();
        ouro_set(shared, slot, *held);
        break;
    case 1:
        *held = ouro_take(shared, slot);
        break;
    case 2:
        *held = ouro_get(shared, slot);
        break;
    case 3:
        ouro_read_begin();
        *held = ouro_try_retain(ouro_peek(slot));
        cancellation_point();
        ouro_read_end();
        break;
    case 4:
        drop_ring(4, rng_one_in(rng, 2));
        break;
    case 5:
        *held = ouro_get(shared, slot);
        if (*held)
            ouro_give(shared, &shared->items[rng_below(rng, ITEMS)], ouro_weak_new(*held, NULL, NULL));
        break;
    case 6:
        ouro_blocking_begin();
        cancellation_point();
        ouro_blocking_end();
        break;
    case 7:
        if (rng_one_in(rng, 30))
            CHECK_GE(ouro_gc_collect((int)rng_below(rng, 3)), 0);
        break;
    default:
        if (rng_one_in(rng, 20))
            ouro_mem_trim();
        if (rng_one_in(rng, 20))
            ouro_thread_detach();
    }
}

static void *work(void *arg)
{
    struct worker self = {.rng = rng_stream(seed, (uintptr_t)arg)};
    pthread_cleanup_push(let_go, &self);
    for (;;)
        work_once(&self);
    pthread_cleanup_pop(1);
    return NULL;
}

static void test_cancelled_at_any_moment(void)
{
    pthread_t threads[WORKERS];
    struct rng rng = rng_stream(seed, 1u << 20);
    shared = table_new(ITEMS);
    ouro_share(shared);
    uintptr_t started = 0;
    for (int i = 0; i < WORKERS; i++)
        threads[i] = thread_start(work, (void *)started++, 0);
    for (int i = 0; i < KILLS; i++) {
        pthread_t *victim = &threads[rng_below(&rng, WORKERS)];
        nanosleep(&(struct timespec){0, (long)rng_below(&rng, 1000000)}, NULL);
        CHECK_EQ(pthread_cancel(*victim), 0);
        thread_join_parked(*victim);
        *victim = thread_start(work, (void *)started++, 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        CHECK_EQ(pthread_cancel(threads[i]), 0);
        thread_join_parked(threads[i]);
    }
    ouro_release(shared);
    for (int i = 0; i < 3; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    use_all();
}

int main(void)
{
    check_start("killed_thread_test");
    seed = rng_seed();
    first_backtrace(); /* loads what pthread_exit needs */
    struct step fresh = STEP_INITIALIZER;
    reading = read_on = called = finalizing = finalize_on = fresh;
    CHECK_RUN(test_ended_while_it_runs_finalizers_by_hand); /* before this process has a runtime */
    fixture_start();
    FIXTURE_RUN(test_cancelled_while_it_collects);
    FIXTURE_RUN(test_cancelled_while_it_trims);
    FIXTURE_RUN(test_cancelled_while_it_shuts_down);
    FIXTURE_RUN(test_cancelled_while_it_waits_for_a_finalizer);
    FIXTURE_RUN(test_ended_by_its_own_code);
    FIXTURE_RUN(test_ended_without_a_slot);
    FIXTURE_RUN(test_callback_drops_and_ends);
    FIXTURE_RUN(test_collector_drops_and_ends);
    FIXTURE_RUN(test_ended_in_callbacks_of_collections);
    FIXTURE_RUN(test_cancelled_at_any_moment);
    return check_finish();
}
