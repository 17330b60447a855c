/* SPDX-License-Identifier: MIT
 *
 * Finalizers and destructors. Each test is a failure that users of another system have reported, named after it; the comment says whose, and
 * what happens here instead. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "support/child.h"
#include "support/threads.h"
#include "support/values.h"

static uint64_t seed;
static const size_t by_itself[3] = {0, 0, 0};

static void drop_ring(long id, bool shared)
{
    struct node *a = node_new(id), *b = node_new_with(id, ouro_retain(a), NULL);
    ouro_give(a, &a->a, b);
    if (shared)
        ouro_share(a);
    ouro_release(a);
}

/* ---- A lock that the interrupted code holds ---- */

static pthread_mutex_t registry; /* reports a second lock by its holder */
static long registered;          /* under it */

static void unregister(void *object)
{
    (void)object;
    if (!CHECK_EQ(pthread_mutex_lock(&registry), 0))
        return;
    registered--;
    pthread_mutex_unlock(&registry);
}

/* Python (wool-labs/wool#397, wandb/wandb#11402, Delgan/loguru#720, dask/distributed#1229): an allocation under a lock started a collection, on the
 * same thread, whose finalizer or weak callback took the same lock: the thread waited for itself. Here making an object runs no finalizer of what it
 * finds: private cycles' run at the next safepoint, shared ones' on a thread of their own. */
static bool has_finalized(void *unused)
{
    (void)unused;
    return finalized() > 0;
}

static void register_under_lock(bool shared)
{
    enum { COUNT = SCALED(6000) };
    pthread_mutexattr_t checking;
    REQUIRE(pthread_mutexattr_init(&checking) == 0);
    REQUIRE(pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK) == 0);
    REQUIRE(pthread_mutex_init(&registry, &checking) == 0);
    pthread_mutexattr_destroy(&checking);
    on_finalize(unregister);
    CHECK_EQ(ouro_gc_set_threshold((size_t[3]){50, 0, 0}), OURO_OK);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(pthread_mutex_lock(&registry), 0);
        registered += 2;
        drop_ring(i, shared);
        if (shared && i % 64 == 0)
            CHECK_EQ(ouro_gc_collect_async(2), OURO_OK);
        pthread_mutex_unlock(&registry);
        if (i % 16 == 0)
            ouro_safepoint();
    }
    CHECK(wait_until(has_finalized, NULL)); /* nobody has waited for a collection so far */
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), 2 * COUNT);
    pthread_mutex_lock(&registry);
    CHECK_EQ(registered, 0);
    pthread_mutex_unlock(&registry);
    CHECK_EQ(ouro_gc_set_threshold(by_itself), OURO_OK);
    pthread_mutex_destroy(&registry);
}

static void test_finalizer_waits_for_the_lock_of_the_code_it_interrupts(void)
{
    register_under_lock(false);
}

static void test_finalizer_of_shared_waits_for_the_lock(void)
{
    register_under_lock(true);
}

/* ---- Garbage that finalizers make ---- */

static void make_rings_below(void *object)
{
    long id = ((struct node *)object)->id;
    if (id > 0)
        drop_ring(id - 1, id % 2);
}

enum { DEPTH = 4, OF_A_RING = 2 + 4 + 8 + 16, RINGS = SCALED(60) };

static void drop_rings(struct member *self)
{
    for (int i = 0; i < RINGS; i++) {
        drop_ring(DEPTH - 1, rng_one_in(&self->rng, 2));
        if (rng_one_in(&self->rng, 8))
            CHECK_GE(ouro_gc_collect((int)rng_below(&self->rng, 3)), 0);
        yield_sometimes(&self->rng);
    }
}

/* dumpster (claytonwramsey/dumpster#40, #48, #50): a cycle made inside a Drop that the collector called was forgotten, now and then, and leaked.
 * Here what finalizers make is like everything else, on whatever thread they run, also when that thread ends. */
static void test_cycles_made_in_destructors_leak(void)
{
    enum { THREADS = 4 };
    on_finalize(make_rings_below);
    team_run(THREADS, seed, drop_rings, NULL);
    for (int i = 0; i < DEPTH; i++)
        CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(finalized(), (long)THREADS * RINGS * OF_A_RING);
}

static atomic_bool go_on;

static void make_the_like(void *object)
{
    if (atomic_load(&go_on))
        drop_ring(1, ((struct node *)object)->id);
}

/* Duktape (svaarala/duktape#310): a finalizer that made an object of its own kind kept the collection going for ever. Here a collection comes back
 * for what finalizers have left behind, but not without end. */
static void test_finalizer_that_makes_its_like_never_ends(void)
{
    on_finalize(make_the_like);
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        atomic_store(&go_on, true);
        struct node *n = node_new(shared);
        ouro_set(n, &n->a, n);
        if (shared)
            ouro_share(n);
        ouro_release(n);
        CHECK_GE(ouro_gc_collect(2), 1);
        CHECK_GE(finalized() - before, 1);
        CHECK_LE(finalized() - before, 1 << 17);
        atomic_store(&go_on, false);
        for (int i = 0; i < 3; i++)
            CHECK_GE(ouro_gc_collect(2), 0);
    }
}

/* ---- What a finalizer finds ---- */

static void look_at_neighbour(void *object)
{
    if (ouro_type_of(object) != &node_type)
        return;
    struct node *n = object, *next = ouro_get(n, &n->a);
    struct leaf *leaf = next ? ouro_get(next, &next->b) : NULL;
    if (CHECK(next && leaf)) {
        CHECK_PTR(ouro_type_of(next), &node_type);
        CHECK_EQ(next->id, (n->id + 1) % 5);
        CHECK_EQ(leaf->id, 100 + next->id);
        CHECK(!ouro_gc_is_finalized(leaf)); /* contents die after what holds them */
    }
    ouro_release(leaf);
    ouro_release(next);
}

/* dumpster (claytonwramsey/dumpster#1, #6): the destructor of one member of a cycle could reach another that had been dropped before: at first
 * a use after free, then a panic. Here all finalizers of a cycle see all its members, and what these hold, alive. */
static void test_destructor_meets_a_dead_neighbour(void)
{
    on_finalize(look_at_neighbour);
    for (int shared = 0; shared < 2; shared++) {
        struct node *nodes[5];
        for (int i = 0; i < 5; i++)
            nodes[i] = node_new_with(i, NULL, leaf_new(100 + i));
        for (int i = 0; i < 5; i++)
            ouro_set(nodes[i], &nodes[i]->a, nodes[(i + 1) % 5]);
        if (shared)
            ouro_share(nodes[0]);
        for (int i = 0; i < 5; i++)
            ouro_release(nodes[i]);
        CHECK_EQ(finalized(), 10 * shared);
        CHECK_GE(ouro_gc_collect(2), 5);
        CHECK_EQ(finalized(), 10 + 10 * shared);
    }
}

/* Nim, ORC (nim-lang/Nim#18421, #18239): a cycle was freed, but the destructors of what its members held were not called. */
static void test_what_a_cycle_holds_is_not_destroyed(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *n = plain_new(1), *child = plain_new(2);
        ouro_set(n, &n->a, child);
        ouro_give(child, &child->a, n); /* this thread's reference */
        ouro_give(child, &child->b, leaf_new(3));
        if (shared)
            ouro_share(child);
        ouro_release(child);
        CHECK_GE(ouro_gc_collect(2), 2);
        CHECK_EQ(finalized(), 1 + shared);
    }
}

static struct table *board;

static void keep(void *object)
{
    ouro_set(board, &board->items[0], object);
}

/* rust-gc (Manishearth/rust-gc#124, #184): a finalizer could bring back its object, which then was finalized again, or freed while in use. */
static void test_resurrected_object_is_finalized_twice(void)
{
    for (int shared = 0; shared < 2; shared++) {
        board = table_new(1);
        if (shared)
            ouro_share(board);
        on_finalize(keep);
        drop_ring(7, shared);
        CHECK_GE(ouro_gc_collect(2), 2);
        CHECK_EQ(finalized(), 2 + 2 * shared);
        on_finalize(NULL);
        struct node *n = ouro_take(board, &board->items[0]), *other;
        if (CHECK(n)) {
            other = ouro_get(n, &n->a);
            CHECK(other && other->id == 7 && n->id == 7);
            ouro_release(other);
        }
        ouro_release(n);
        CHECK_GE(ouro_gc_collect(2), 2);
        CHECK_EQ(finalized(), 2 + 2 * shared);
        ouro_release(board);
    }
}

/* ---- Collections from where a container is at work ---- */

static ouro_value cache; /* borrowed */
static long disposed;

static void collect_and_use_the_cache(void)
{
    bool has = false;
    size_t length = 0;
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_OK(ouro_dict_has(cache, INT(99), &has));
    CHECK(has);
    CHECK_OK(ouro_dict_length(cache, &length));
    CHECK_GE(length, 1);
}

static void dispose(uint64_t handle)
{
    (void)handle;
    disposed++;
    collect_and_use_the_cache();
    CHECK_OK(ouro_dict_set(cache, INT(50), INT(disposed)));
}

static ouro_status hash_slowly(uint64_t handle, uint64_t *hash)
{
    collect_and_use_the_cache();
    *hash = handle % 2;
    return OURO_OK;
}

static ouro_status equal_slowly(uint64_t a, uint64_t b, bool *same)
{
    collect_and_use_the_cache();
    *same = a == b;
    return OURO_OK;
}

/* cachebox (awolverp/cachebox#84): a cache held its lock while it dropped a value or compared keys; a full collection started there took the same
 * lock in traversal, and the process froze. Here no lock is held when a host's code is called: that may collect, read and change the very dict. */
static void test_collection_inside_an_eviction_freezes_the_process(void)
{
    static const ouro_host_class plain = {.size = sizeof plain, .name = "boom", .dispose = dispose};
    static const ouro_host_class slow = {.size = sizeof slow, .name = "slow", .hash = hash_slowly, .equal = equal_slowly};
    for (int shared = 0; shared < 2; shared++) {
        cache = ouro_dict_new();
        REQUIRE(!ouro_is_nil(cache));
        disposed = 0;
        CHECK_OK(ouro_dict_set(cache, INT(99), OURO_TRUE));
        if (shared)
            ouro_value_share(cache);
        for (int i = 0; i < 20; i++) {
            ouro_value boom, key;
            REQUIRE(ouro_host_new(&plain, (uint64_t)i, 0, &boom) == OURO_OK);
            CHECK_OK(ouro_dict_set(cache, INT(0), boom)); /* evicts the one before */
            ouro_value_release(boom);
            REQUIRE(ouro_host_new(&slow, (uint64_t)i % 5, 0, &key) == OURO_OK);
            CHECK_OK(ouro_dict_set(cache, key, INT(i)));
            ouro_value_release(key);
        }
        CHECK_EQ(disposed, 19);
        size_t length = 0;
        CHECK_OK(ouro_dict_length(cache, &length));
        CHECK_EQ(length, 3 + 5);
        CHECK_OK(ouro_dict_delete(cache, INT(0)));
        CHECK_EQ(disposed, 20);
        ouro_value_release(cache);
    }
}

static void collect_again(void *object)
{
    (void)object;
    CHECK_GE(ouro_gc_collect(2), 0);
}

static void end_with_collecting_finalizers(void *arg)
{
    (void)arg;
    fixture_start();
    on_finalize(collect_again);
    for (int i = 0; i < 100; i++)
        drop_ring(i, i % 2);
    ouro_leak_report report;
    CHECK_EQ(ouro_shutdown(&report), OURO_OK);
    CHECK_EQ(report.objects, 0);
    CHECK_EQ(finalized(), 200);
}

/* Ruby (ruby/ruby#11229): finalizers that ran at the end of the program and started a collection left zombies on the heap, and freeing these
 * crashed. */
static void test_collections_in_finalizers_at_exit_crash(void)
{
    CHECK_EQ(child_run(end_with_collecting_finalizers, NULL), 0);
}

int main(void)
{
    check_start("regress/finalizer_test");
    CHECK_RUN(test_collections_in_finalizers_at_exit_crash); /* before there are threads here */
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_finalizer_waits_for_the_lock_of_the_code_it_interrupts);
    FIXTURE_RUN(test_finalizer_of_shared_waits_for_the_lock);
    FIXTURE_RUN(test_cycles_made_in_destructors_leak);
    FIXTURE_RUN(test_finalizer_that_makes_its_like_never_ends);
    FIXTURE_RUN(test_destructor_meets_a_dead_neighbour);
    FIXTURE_RUN(test_what_a_cycle_holds_is_not_destroyed);
    FIXTURE_RUN(test_resurrected_object_is_finalized_twice);
    FIXTURE_RUN(test_collection_inside_an_eviction_freezes_the_process);
    return check_finish();
}
