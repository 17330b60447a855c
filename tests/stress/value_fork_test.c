/* SPDX-License-Identifier: MIT
 *
 * Scenario: three threads change one list, one dict, one set and one weak map, all shared, and go on with one generator and with iterators, while
 * the main thread forks, again and again; in debug builds they linger at the steps of their operations, so that forks find them in
 * the middle of a turn. Each child has one thread, and the containers as they were at that moment.
 * Seed: OURO_TEST_SEED; the moments are the machine's.
 * Asserted, in each child: what is found is intact and where it belongs; length, look-ups, a copy and an iterator agree; all can be changed,
 * emptied, collected, shared with a new thread; the generator goes on. In the parent: nothing is left.
 * Skipped under ThreadSanitizer, which does not survive a fork under load. */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/threads.h"
#include "support/values.h"

enum { WORKERS = 3, FORKS = TEST_SLOWDOWN > 1 ? 100 : 400, KEYS = 24, CHILD_SECONDS = 60, VERSIONS = 1000 };

static uint64_t seed;
static atomic_bool stop;
static atomic_int begun;
static ouro_value list, dict, set, map, generator, iterator;
static ouro_value keys[KEYS]; /* of the weak map; live on */

#define OK(call) CHECK_EQ((call), OURO_OK)

static ouro_value new_value(long key, uint32_t version)
{
    return ouro_value_of(leaf_new(key * VERSIONS + version));
}

/* Released; of this key? -1: any. */
static void check_value(ouro_value value, long key)
{
    long id = ouro_is_object(value) ? ((struct leaf *)ouro_value_object(value))->id : -1;
    CHECK(id >= 0 && id < (long)KEYS * VERSIONS);
    if (key >= 0)
        CHECK_EQ(id / VERSIONS, key);
    ouro_value_release(value);
}

static void step(struct rng *rng)
{
    long k = rng_below(rng, KEYS), other = rng_below(rng, KEYS);
    ouro_value key = ouro_int_new(k), both[2] = {key, ouro_int_new(other)}, value = new_value(k, rng_below(rng, VERSIONS)), out = OURO_NIL, pair;
    ouro_value values[2] = {value, OURO_NIL};
    ouro_status status = OURO_OK;
    switch (rng_below(rng, 16)) {
    case 0:
    case 1: OK(ouro_dict_set(dict, key, value)); break;
    case 2: status = ouro_dict_delete(dict, key); break;
    case 3: status = ouro_dict_pop_item(dict, rng_one_in(rng, 2), &pair, &out); break;
    case 4:
        values[1] = new_value(other, 1);
        OK(ouro_dict_set_all(dict, both, values, 2));
        ouro_value_release(values[1]);
        break;
    case 5:
        if (rng_one_in(rng, 16))
            OK(ouro_dict_clear(dict));
        break;
    case 6:
    case 7: OK(ouro_list_append(list, value)); break;
    case 8: status = ouro_list_pop(list, rng_one_in(rng, 2) ? -1 : 0, &out); break;
    case 9: OK(ouro_list_insert(list, 1, value)); break;
    case 10: status = ouro_list_set(list, k, value); break;
    case 11: OK(ouro_set_add(set, key, NULL)); break;
    case 12: OK(ouro_set_discard(set, key, NULL)); break;
    case 13: OK(ouro_weak_map_set(map, keys[k], value)); break;
    case 14: status = ouro_weak_map_pop(map, keys[k], &out); break;
    default:
        status = ouro_iterator_next(generator, &out);
        CHECK(status == OURO_OK || status == OURO_E_AGAIN);
        ouro_status met = ouro_iterator_next(iterator, &pair);
        CHECK(met == OURO_OK || met == OURO_E_END || met == OURO_E_CHANGED || met == OURO_E_AGAIN);
        if (met == OURO_OK)
            ouro_value_release(pair);
        out = status == OURO_OK ? OURO_NIL : out;
    }
    if (status == OURO_OK && out)
        check_value(out, -1);
    ouro_value_release(value);
}

static ouro_status next(uint64_t handle, ouro_value source, ouro_value *value)
{
    (void)handle;
    return ouro_list_length(source, &(size_t){0}) == OURO_OK ? *value = OURO_TRUE, OURO_OK : OURO_E_END;
}

static void *work(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    for (int i = 0; i < 200 || !atomic_load(&stop); i++) {
        step(&rng);
        if (i == 0)
            atomic_fetch_add(&begun, 1);
    }
    return NULL;
}

/* ---- the child ---- */

static void check_dict(void)
{
    size_t length = 0, found = 0, copied = 0, given = 0;
    ouro_value copy, all, key, value;
    OK(ouro_dict_length(dict, &length));
    for (long k = 0; k < KEYS; k++) {
        if (ouro_dict_get(dict, ouro_int_new(k), &value) == OURO_OK) {
            check_value(value, k);
            found++;
        }
    }
    OK(ouro_copy(dict, &copy));
    OK(ouro_dict_length(copy, &copied));
    OK(ouro_iterate_part(dict, OURO_ITEMS, &all));
    for (; ouro_iterator_next_pair(all, &key, &value) == OURO_OK; given++)
        check_value(value, (long)ouro_int_value(key));
    CHECK_EQ(ouro_iterator_next_pair(all, &key, &value), OURO_E_END);
    CHECK_EQ(found, length);
    CHECK_EQ(copied, length);
    CHECK_EQ(given, length);
    ouro_value_release(copy);
    ouro_value_release(all);
}

static void check_rest(void)
{
    size_t length, n = 0;
    ouro_value value, all;
    bool has;
    OK(ouro_list_length(list, &length));
    for (size_t i = 0; i < length; i++) {
        OK(ouro_list_get(list, (ptrdiff_t)i, &value));
        check_value(value, -1);
    }
    OK(ouro_set_length(set, &length));
    for (long k = 0; k < KEYS; k++) {
        OK(ouro_set_has(set, ouro_int_new(k), &has));
        n += has;
    }
    CHECK_EQ(n, length);
    OK(ouro_weak_map_length(map, &length));
    n = 0;
    for (long k = 0; k < KEYS; k++) {
        if (ouro_weak_map_get(map, keys[k], &value) == OURO_OK) {
            check_value(value, k);
            n++;
        }
    }
    CHECK_EQ(n, length);
    OK(ouro_iterate_part(map, OURO_VALUES, &all));
    for (n = 0; ouro_iterator_next(all, &value) == OURO_OK; n++)
        check_value(value, -1);
    CHECK_EQ(n, length);
    ouro_value_release(all);
}

static void *work_in_child(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    for (int i = 0; i < 100; i++)
        step(&rng);
    return NULL;
}

static _Noreturn void be_child(uint64_t number)
{
    size_t length;
    ouro_value value;
    check_restart();
    alarm(CHILD_SECONDS);
    struct rng rng = rng_stream(seed, 1000 + number);
    check_dict();
    check_rest();
    ouro_status status = ouro_iterator_next(iterator, &value);
    CHECK(status == OURO_OK || status == OURO_E_CHANGED || status == OURO_E_END);
    OK(ouro_iterator_next(generator, &value));
    CHECK_EQ(value, OURO_TRUE);
    for (int i = 0; i < 300; i++)
        step(&rng);
    check_dict();
    check_rest();
    if (number % 4 == 0) {
        thread_do(work_in_child, (void *)(uintptr_t)(2000 + number), 0);
        check_dict();
        check_rest();
    }
    OK(ouro_dict_clear(dict));
    OK(ouro_set_clear(set));
    OK(ouro_list_clear(list));
    OK(ouro_weak_map_clear(map));
    OK(ouro_length(dict, &length));
    CHECK_EQ(length, 0);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(misuse_count(), 0);
    fflush(NULL);
    _exit(check_failures() ? 1 : 0);
}

static int fork_once(uint64_t number)
{
    fflush(NULL);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0)
        be_child(number);
    int status = -1;
    ouro_blocking_begin();
    while (waitpid(pid, &status, 0) != pid)
        ;
    ouro_blocking_end();
    return status;
}

/* ---- lingering ---- */

extern void (*oi_perturb_hook)(void) __attribute__((weak));
static pid_t parent;

static void linger(void)
{
    static _Thread_local uint32_t state;
    if (getpid() != parent)
        return;
    if (!state)
        state = (uint32_t)(uintptr_t)&state | 1;
    state = state * 1664525u + 1013904223u;
    if (state >> 24 < 16)
        sched_yield();
    else if (state >> 24 < 32)
        nanosleep(&(struct timespec){0, 200000}, NULL);
}

static void test_forks(void)
{
#ifdef TEST_TSAN
    printf("       skipped: ThreadSanitizer does not survive a fork under load\n");
    return;
#endif
    static const ouro_generator methods = {.size = sizeof methods, .next = next};
    pthread_t threads[WORKERS];
    list = ouro_list_new(), dict = ouro_dict_new(), set = ouro_set_new();
    OK(ouro_weak_map_new(OURO_WEAK_KEYS, &map));
    OK(ouro_generate(&methods, 0, list, &generator));
    OK(ouro_iterate(dict, &iterator));
    ouro_value all[] = {list, dict, set, map, generator, iterator};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ouro_value_share(all[i]);
    for (long k = 0; k < KEYS; k++) {
        keys[k] = ouro_value_of(leaf_new(k));
        ouro_value_share(keys[k]);
    }
    parent = getpid();
    for (uintptr_t i = 0; i < WORKERS; i++)
        threads[i] = thread_start(work, (void *)i, 0);
    while (atomic_load(&begun) < WORKERS)
        sched_yield();
    if (&oi_perturb_hook)
        __atomic_store_n(&oi_perturb_hook, linger, __ATOMIC_RELAXED); /* threads of the library may be running */
    struct rng rng = rng_stream(seed, 99);
    int failed = 0;
    for (uint64_t i = 0; i < FORKS && !failed; i++) {
        yield_sometimes(&rng);
        int status = fork_once(i);
        failed = !CHECK_EQ(status, 0);
        if (failed)
            printf("       child %d ended by %s %d\n", (int)i, WIFSIGNALED(status) ? "signal" : "exit",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    if (&oi_perturb_hook)
        __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
    atomic_store(&stop, true);
    for (int i = 0; i < WORKERS; i++)
        thread_join_parked(threads[i]);
    check_dict();
    check_rest();
    ouro_value_release_all(all, sizeof all / sizeof *all);
    ouro_value_release_all(keys, KEYS);
}

int main(void)
{
    check_start("value_fork_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_forks);
    return check_finish();
}
