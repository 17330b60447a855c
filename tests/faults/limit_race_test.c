/* SPDX-License-Identifier: MIT
 *
 * The hard limit, reached by several threads at once, in the middle of what they do: it holds whoever is first; what fails says so and has changed
 * nothing; a graph is private as a whole or shared as a whole; publishing and dropping go on; nothing is left.
 * Seed: OURO_TEST_SEED. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#include "support/values.h"
#include "support/threads.h"

enum { MIB = 1 << 20, KIB = 1 << 10, THREADS = 4 };

static uint64_t seed;

static size_t in_use(void)
{
    ouro_mem_trim();
    return mem_stats().committed_bytes;
}

static void set_limit(size_t hard)
{
    CHECK_EQ(ouro_mem_set_limit(0, hard), OURO_OK);
}

/* ---- Large objects ---- */

/* The memory of one that has gone is larger than what the next asks for, and larger than what may still be used. */
static void test_reused_memory_is_within_the_limit(void)
{
    size_t before = in_use(), limit = before + 8 * MIB + 256 * KIB;
    ouro_release(ouro_new_array(&bytes_type, 9 * MIB - 256));
    set_limit(limit);
    struct bytes *b = ouro_new_array(&bytes_type, 8 * MIB);
    CHECK(b);
    CHECK_LE(in_use(), limit);
    ouro_release(b);
    set_limit(0);
}

enum { RACERS = 2, ROUNDS = SCALED(200) };

static pthread_barrier_t meeting;
static atomic_int made_count, ready_count;
static size_t race_limit;

/* There is room for one; while it is mapped, the others ask as well. */
static void take_the_last(struct member *self)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&meeting);
        atomic_fetch_add(&ready_count, 1);
        for (int looks = 0; atomic_load(&ready_count) < (i + 1) * RACERS; looks++) { /* sooner after each other than a barrier lets them go */
            if (looks > 10000)
                sched_yield();
        }
        struct bytes *b = ouro_new_array(&bytes_type, 6 * MIB);
        atomic_fetch_add(&made_count, b != NULL);
        pthread_barrier_wait(&meeting);
        if (!self->index) {
            CHECK_LE(in_use(), race_limit);
            CHECK_LE(atomic_load(&made_count), 1);
            atomic_store(&made_count, 0);
        }
        pthread_barrier_wait(&meeting);
        ouro_release(b);
        if (!self->index)
            ouro_mem_trim(); /* the next is mapped anew */
    }
}

static void test_last_room_is_for_one(void)
{
    race_limit = in_use() + 10 * MIB;
    REQUIRE(pthread_barrier_init(&meeting, NULL, RACERS) == 0);
    set_limit(race_limit);
    team_run(RACERS, seed, take_the_last, NULL);
    pthread_barrier_destroy(&meeting);
    set_limit(0);
    struct bytes *b = ouro_new_array(&bytes_type, 6 * MIB);
    CHECK(b);
    ouro_release(b);
}

/* ---- Graphs ---- */

/* Who uses what is private to another is told. */
struct crowd {
    void **objects;
    long count, foreign;
};

static void *use_each(void *arg)
{
    struct crowd *crowd = arg;
    size_t before = misuse_count();
    for (long i = 0; i < crowd->count; i++) {
        if (ouro_retain(crowd->objects[i]))
            ouro_release(crowd->objects[i]);
    }
    crowd->foreign = (long)(misuse_count() - before);
    return NULL;
}

static pthread_mutex_t crowd_lock = PTHREAD_MUTEX_INITIALIZER; /* reports are counted for one at a time */

/* How many of the objects are private to the caller. */
static long private_count(void **objects, long count)
{
    struct crowd crowd = {objects, count, 0};
    pthread_mutex_lock(&crowd_lock);
    thread_do(use_each, &crowd, 0);
    misuse_forget();
    pthread_mutex_unlock(&crowd_lock);
    return crowd.foreign;
}

enum { NODES_MAX = 60000, WEAK_EVERY = 64 };

static struct node *hub;
static atomic_long published;

/* A list of nodes, some with a weak reference to the next, until there is no memory for more. */
static long build(struct rng *rng, struct node **list, void **objects)
{
    long count = 0;
    *list = NULL;
    for (long tries = 0; count + 2 < NODES_MAX && tries < 3;) {
        struct node *n = ouro_new(rng_one_in(rng, 2) ? &plain_type : &node_type);
        if (!n) {
            tries++;
            continue;
        }
        if (*list && rng_one_in(rng, WEAK_EVERY)) {
            ouro_weak *weak = ouro_weak_new(*list, NULL, NULL);
            if (weak)
                objects[count++] = weak;
            ouro_give(n, &n->b, weak);
        }
        ouro_give(n, &n->a, *list);
        objects[count++] = *list = n;
    }
    return count;
}

/* All threads fill up the room that there is, then publish what they have, one way or another, where there is no memory at all. */
static void build_and_publish(struct member *self)
{
    static void *all[THREADS][NODES_MAX];
    void **objects = all[self->index];
    for (int i = 0; i < 8; i++) {
        struct node *list;
        long count = build(&self->rng, &list, objects);
        pthread_barrier_wait(&meeting);
        atomic_fetch_add(&published, count);
        CHECK_EQ(private_count(objects, count < 100 ? count : 100), count < 100 ? count : 100);
        if (i % 2)
            ouro_share(list);
        else
            ouro_set(hub, self->index % 2 ? &hub->a : &hub->b, list);
        CHECK_EQ(private_count(objects, count), 0);
        pthread_barrier_wait(&meeting);
        ouro_release(list);
    }
}

static void test_publishing_at_the_limit(void)
{
    hub = plain_new(1);
    ouro_share(hub);
    REQUIRE(pthread_barrier_init(&meeting, NULL, THREADS) == 0);
    set_limit(in_use() + 4 * MIB);
    team_run(THREADS, seed, build_and_publish, NULL);
    set_limit(0);
    pthread_barrier_destroy(&meeting);
    CHECK_GT(atomic_load(&published), 8 * 4 * MIB / 128);
    ouro_release(hub);
}

/* ---- Containers ---- */

enum { BATCH = 16, FAILURES = 6 };

static ouro_value list, dict, set;
static atomic_long listed, keyed, added;

/* A tuple with a number in it, of this thread's. */
static bool make_item(long id, ouro_value *item)
{
    ouro_value parts[2] = {ouro_float_new((double)id), ouro_int_new(id)};
    *item = OURO_NIL;
    bool ok = parts[0] && ouro_tuple_new(parts, 2, item) == OURO_OK;
    ouro_value_release(parts[0]);
    return ok;
}

/* An item that could not be stored is as it was, and private or shared with all of its parts. */
static void check_refused(ouro_value item, long id)
{
    size_t length;
    const ouro_value *parts = ouro_tuple_items(item, &length);
    if (!CHECK_EQ(length, 2))
        return;
    void *objects[] = {ouro_value_object(item), ouro_value_object(parts[0])};
    long is_private = private_count(objects, 2);
    CHECK(is_private == 0 || is_private == 2);
    CHECK_EQ(ouro_refcount(objects[0]), 1);
    CHECK_EQ(parts[1], ouro_int_new(id));
}

static void grow_containers(struct member *self)
{
    int failures = 0;
    for (long i = 0; failures < FAILURES; i++) {
        long id = (i * THREADS + self->index) * BATCH;
        ouro_value items[BATCH];
        int made = 0;
        while (made < BATCH && make_item(id + made, &items[made]))
            made++;
        failures += made < BATCH;
        ouro_status status = OURO_OK;
        switch (made < BATCH ? 3u : rng_below(&self->rng, 3)) {
        case 0:
            status = ouro_list_append_all(list, items, BATCH);
            atomic_fetch_add(&listed, status == OURO_OK);
            break;
        case 1:
            status = ouro_dict_set_all(dict, items, items, BATCH);
            atomic_fetch_add(&keyed, status == OURO_OK);
            break;
        case 2:
            status = ouro_set_add_all(set, items, BATCH);
            atomic_fetch_add(&added, status == OURO_OK);
            break;
        default:
            break;
        }
        CHECK(status == OURO_OK || status == OURO_E_NOMEM);
        failures += status != OURO_OK;
        if (status != OURO_OK)
            check_refused(items[0], id);
        while (made > 0)
            ouro_value_release(items[--made]);
    }
}

static int64_t id_of(ouro_value item)
{
    size_t length;
    const ouro_value *parts = ouro_tuple_items(item, &length);
    return CHECK_EQ(length, 2) ? ouro_int_value(parts[1]) : -1;
}

/* Each batch is there as a whole, in its order. */
static void check_list(void)
{
    size_t length, wrong = 0;
    CHECK_OK(ouro_list_length(list, &length));
    CHECK_EQ(length, (size_t)listed * BATCH);
    for (size_t i = 0; i < length; i++) {
        ouro_value item, first;
        CHECK_OK(ouro_list_get(list, (ptrdiff_t)i, &item));
        CHECK_OK(ouro_list_get(list, (ptrdiff_t)(i - i % BATCH), &first));
        wrong += id_of(item) != id_of(first) + (int64_t)(i % BATCH) || id_of(first) % BATCH;
        ouro_value_release(item);
        ouro_value_release(first);
    }
    CHECK_EQ(wrong, 0);
}

static void test_containers_at_the_limit(void)
{
    for (int round = 0; round < 10; round++) {
        size_t length;
        list = ouro_list_new(), dict = ouro_dict_new(), set = ouro_set_new();
        REQUIRE(list && dict && set);
        ouro_value_share(list), ouro_value_share(dict), ouro_value_share(set);
        listed = keyed = added = 0;
        size_t before = in_use();
        set_limit(before + 2 * MIB);
        team_run(THREADS, seed + (uint64_t)round, grow_containers, NULL);
        CHECK_LE(in_use(), before + 2 * MIB);
        CHECK_GT(listed + keyed + added, 0);
        check_list(); /* with no memory */
        CHECK_OK(ouro_dict_length(dict, &length));
        CHECK_EQ(length, (size_t)keyed * BATCH);
        CHECK_OK(ouro_set_length(set, &length));
        CHECK_EQ(length, (size_t)added * BATCH);
        set_limit(0);
        CHECK_OK(ouro_list_append_all(list, &set, 1)); /* there is memory again */
        ouro_value_release(list), ouro_value_release(dict), ouro_value_release(set);
        CHECK_GE(ouro_gc_collect(2), 0);
    }
}

int main(void)
{
    check_start("limit_race_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_reused_memory_is_within_the_limit);
    FIXTURE_RUN(test_last_room_is_for_one);
    FIXTURE_RUN(test_publishing_at_the_limit);
    FIXTURE_RUN(test_containers_at_the_limit);
    return check_finish();
}
