/* SPDX-License-Identifier: MIT
 *
 * Hosts' objects: disposed of once, when and where finalizers run; compared, hashed and shown by their class, with its failures passed on; cycles
 * through their places; nothing left of the handle after it was disposed of. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/threads.h"
#include "support/values.h"

static atomic_long disposed;
static _Atomic uint64_t last_disposed;

static void dispose(uint64_t handle)
{
    atomic_fetch_add(&disposed, 1);
    atomic_store(&last_disposed, handle);
}

/* Handles are numbers; those above 1000 fail in every callback. */
static ouro_status hash(uint64_t handle, uint64_t *out)
{
    *out = handle % 100;
    return handle > 1000 ? OURO_E_HOST : OURO_OK;
}

static ouro_status equals(uint64_t a, uint64_t b, bool *out)
{
    *out = a % 100 == b % 100;
    return a > 1000 || b > 1000 ? OURO_E_HOST : OURO_OK;
}

static ouro_status compare(uint64_t a, uint64_t b, int *out)
{
    *out = a % 100 < b % 100 ? -7 : a % 100 > b % 100;
    return a > 1000 || b > 1000 ? OURO_E_HOST : OURO_OK;
}

static ouro_status repr(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    static const char text[] = "an object of the host with a rather long text, longer than anybody would make room for at first: ";
    char all[200];
    *size = (size_t)snprintf(all, sizeof all, "%s%d", text, (int)handle);
    memcpy(buffer, all, *size < room ? *size : room);
    return handle > 1000 ? OURO_E_HOST : OURO_OK;
}

static bool truth(uint64_t handle)
{
    return handle % 100 != 0;
}

static const ouro_host_class plain = {.size = sizeof plain, .name = "thing"};
static const ouro_host_class disposing = {.size = sizeof disposing, .name = "mortal", .dispose = dispose};
static const ouro_host_class full = {.size = sizeof full, .name = "full", .dispose = dispose, .hash = hash, .equal = equals, .compare = compare,
                                     .repr = repr, .truth = truth};
static const ouro_host_class like_full = {.size = sizeof like_full, .name = "other", .hash = hash, .equal = equals, .compare = compare};

static ouro_value host(const ouro_host_class *class, uint64_t handle)
{
    ouro_value v;
    REQUIRE(ouro_host_new(class, handle, 0, &v) == OURO_OK);
    return v;
}

static void test_plain(void)
{
    ouro_value a = host(&plain, UINT64_MAX), b = host(&plain, UINT64_MAX), v;
    int o;
    CHECK_EQ(ouro_kind_of(a), OURO_KIND_HOST);
    CHECK(ouro_host_class_of(a) == &plain);
    CHECK(ouro_host_handle(a) == UINT64_MAX);
    CHECK_STR(ouro_value_type_name(a), "thing");
    CHECK_REPR(a, "<thing>");
    CHECK(equal(a, a) && key_equal(a, a) && !equal(a, b) && !key_equal(a, b));
    CHECK_NE(hash_of(a), hash_of(b));
    CHECK_EQ(ouro_compare(a, b, &o), OURO_E_TYPE);
    CHECK_OK(ouro_compare(a, a, &o));
    CHECK_EQ(o, 0);
    CHECK(ouro_truth(a));
    CHECK_EQ(ouro_copy(a, &v), OURO_E_TYPE);
    CHECK_EQ(ouro_copy_deep(a, &v), OURO_E_TYPE);
    CHECK_EQ(v, OURO_NIL);
    CHECK(!ouro_gc_is_tracked(ouro_value_object(a)));
    CHECK(!ouro_host_class_of(INT(1)) && !ouro_host_class_of(OURO_NIL));
    CHECK_EQ(ouro_host_handle(INT(1)), 0);
    CHECK_EQ(ouro_host_get(a, 0, &v), OURO_E_INDEX);
    CHECK_EQ(ouro_host_set(a, 0, INT(1)), OURO_E_INDEX);
    ouro_value_release(a);
    ouro_value_release(b);
}

static void test_what_is_no_class(void)
{
    ouro_value v = INT(1);
    CHECK_EQ(ouro_host_new(NULL, 1, 0, &v), OURO_E_INVALID);
    CHECK_EQ(v, OURO_NIL);
    CHECK_EQ(ouro_host_new(&(ouro_host_class){.size = 8, .name = "old"}, 1, 0, &v), OURO_E_INVALID);
    CHECK_EQ(ouro_host_new(&(ouro_host_class){.size = sizeof(ouro_host_class)}, 1, 0, &v), OURO_E_INVALID);
    CHECK_EQ(ouro_host_new(&plain, 1, 0, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_host_new(&disposing, 1, SIZE_MAX / 4, &v), OURO_E_NOMEM);
    CHECK_EQ(atomic_load(&disposed), 0);
}

static void test_disposed_of_once(void)
{
    long before = atomic_load(&disposed);
    for (int how = 0; how < 3; how++) {
        ouro_value v = host(&disposing, 100 + (uint64_t)how);
        if (how == 1)
            ouro_value_share(v);
        if (how == 2)
            v = tuple_of(1, v);
        ouro_value_release(v);
        CHECK_EQ(atomic_load(&disposed) - before, how + 1);
        CHECK_EQ(atomic_load(&last_disposed), 100 + how);
    }
    ouro_read_begin(); /* never inside a read section */
    ouro_value_release(host(&disposing, 1));
    CHECK_EQ(atomic_load(&disposed) - before, 3);
    ouro_read_end();
    CHECK_EQ(atomic_load(&disposed) - before, 4);
}

static void test_equality_and_order(void)
{
    ouro_value a = host(&full, 7), b = host(&full, 107), c = host(&full, 8), d = host(&like_full, 7), t = tuple_of(2, INT(1), host(&full, 7)),
               u = tuple_of(2, INT(1), host(&full, 207));
    int o;
    CHECK(equal(a, b) && key_equal(a, b) && !equal(a, c) && !key_equal(a, c));
    CHECK(!equal(a, d) && !key_equal(a, d) && !equal(a, INT(7)));
    CHECK(equal(t, u) && key_equal(t, u));
    CHECK_EQ(order(a, b), 0);
    CHECK_EQ(order(a, c), -1);
    CHECK_EQ(ouro_compare(a, d, &o), OURO_E_TYPE);
    CHECK_EQ(order(t, u), 0);
    CHECK(ouro_truth(a));
    ouro_value zero = host(&full, 100);
    CHECK(!ouro_truth(zero));
    ouro_value all[] = {a, b, c, d, t, u, zero};
    ouro_value_release_all(all, 7);
}

static void test_failing_callbacks(void)
{
    ouro_value a = host(&full, 1001), b = host(&full, 1), t = tuple_of(1, host(&full, 1001)), u = tuple_of(1, host(&full, 1)), v = INT(1);
    bool is = true;
    uint64_t h = 1;
    int o = 5;
    CHECK_EQ(ouro_equal(a, b, &is), OURO_E_HOST);
    CHECK(!is);
    is = true;
    CHECK_EQ(ouro_key_equal(t, u, &is), OURO_E_HOST);
    CHECK(!is);
    CHECK_EQ(ouro_equal(t, u, &is), OURO_E_HOST);
    CHECK_EQ(ouro_hash(a, &h), OURO_E_HOST);
    CHECK_EQ(h, 0);
    CHECK_EQ(ouro_hash(t, &h), OURO_E_HOST);
    CHECK_EQ(ouro_compare(t, u, &o), OURO_E_HOST);
    CHECK_EQ(o, 0);
    CHECK_EQ(ouro_repr(a, &v), OURO_E_HOST);
    CHECK_EQ(v, OURO_NIL);
    v = INT(1);
    CHECK_EQ(ouro_repr(t, &v), OURO_E_HOST);
    CHECK_EQ(v, OURO_NIL);
    size_t n = 99;
    CHECK_EQ(ouro_tuple_index(t, b, 0, OURO_OMITTED, &n), OURO_E_HOST);
    CHECK_EQ(ouro_tuple_count(t, b, &n), OURO_E_HOST);
    CHECK_EQ(n, 0);
    ouro_value all[] = {a, b, t, u};
    ouro_value_release_all(all, 4);
}

static void test_repr(void)
{
    ouro_value t = tuple_of(2, host(&full, 5), host(&full, 6));
    CHECK_REPR(t, "(an object of the host with a rather long text, longer than anybody would make room for at first: 5, "
                  "an object of the host with a rather long text, longer than anybody would make room for at first: 6)");
    ouro_value_release(t);
}

/* A host's object that refers to a value by a place, and is referred to by it. */
static void test_places(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = atomic_load(&disposed);
        ouro_value h, v, next = text("next");
        CHECK_OK(ouro_host_new(&disposing, 5, 2, &h));
        CHECK(ouro_gc_is_tracked(ouro_value_object(h)));
        CHECK_EQ(ouro_host_handle(h), 5);
        CHECK_OK(ouro_host_get(h, 1, &v));
        CHECK_EQ(v, OURO_NIL);
        CHECK_EQ(ouro_host_get(h, 2, &v), OURO_E_INDEX);
        CHECK_EQ(ouro_host_set(h, 2, v), OURO_E_INDEX);
        CHECK_OK(ouro_host_set(h, 1, INT(8)));
        CHECK_OK(ouro_host_get(h, 1, &v));
        CHECK_EQ(v, INT(8));
        ouro_value r = record_of("ring", 1, "next", ouro_value_retain(h));
        CHECK_OK(ouro_host_set(h, 0, r));
        CHECK_OK(ouro_host_get(h, 0, &v));
        CHECK_EQ(v, r);
        ouro_value_release(v);
        if (shared)
            ouro_value_share(r);
        ouro_value_release(r);
        CHECK_EQ(ouro_gc_collect(2), 0); /* h is held */
        ouro_value_release(h);
        CHECK_EQ(atomic_load(&disposed) - before, 0);
        CHECK_GE(ouro_gc_collect(2), 1);
        CHECK_EQ(atomic_load(&disposed) - before, 1);
        ouro_gc_collect(2);
        CHECK_EQ(atomic_load(&disposed) - before, 1);
        ouro_value_release(next);
        CHECK_LIVE(0);
    }
}

static struct node *saved;

/* The finalizer of another object of the same garbage brings the host's value back. */
static void save(void *object)
{
    saved = ouro_retain(object);
}

static ouro_type saver_type = OURO_TYPE(struct node, .name = "saver", .slots = OURO_SLOTS(struct node, a, b), .finalize = save);

static void test_after_it_was_disposed_of(void)
{
    long before = atomic_load(&disposed);
    ouro_value h, v;
    struct node *n = ouro_new(&saver_type);
    REQUIRE(n);
    CHECK_OK(ouro_host_new(&full, 7, 1, &h));
    CHECK_OK(ouro_host_set(h, 0, ouro_value_of(n)));
    ouro_value_give(n, &n->a, h);
    ouro_release(n);
    CHECK_GE(ouro_gc_collect(0), 1);
    CHECK_EQ(atomic_load(&disposed) - before, 1);
    REQUIRE(saved == n);
    h = ouro_value_get(n, &n->a);
    CHECK_EQ(ouro_kind_of(h), OURO_KIND_HOST);
    CHECK(!ouro_host_class_of(h));
    CHECK_EQ(ouro_host_handle(h), 0);
    CHECK_REPR(h, "<disposed>");
    CHECK(equal(h, h) && ouro_truth(h));
    hash_of(h);
    CHECK_OK(ouro_host_get(h, 0, &v)); /* its places are still there */
    CHECK_EQ(v, ouro_value_of(n));
    ouro_value_release(v);
    ouro_value_release(h);
    ouro_set(n, &n->a, NULL);
    ouro_release(n);
    CHECK_EQ(atomic_load(&disposed) - before, 1);
}

enum { THREADS = 4 };

/* Values made by some and dropped by others: each is disposed of once. */
static void hand_over(struct member *self)
{
    struct table *board = self->arg;
    for (int i = 0; i < SCALED(20000); i++) {
        ouro_slot *slot = &board->items[rng_below(&self->rng, 8)];
        ouro_value v = host(&disposing, (uint64_t)i);
        if (rng_one_in(&self->rng, 3))
            v = tuple_of(1, v);
        ouro_value_release(ouro_value_swap(board, slot, v));
    }
}

static void test_many_threads(void)
{
    long before = atomic_load(&disposed);
    struct table *board = table_new(8);
    ouro_share(board);
    team_run(THREADS, rng_seed(), hand_over, board);
    ouro_release(board);
    CHECK_LIVE(0);
    CHECK_EQ(atomic_load(&disposed) - before, THREADS * SCALED(20000));
}

int main(void)
{
    check_start("value_host_test");
    fixture_start();
    FIXTURE_RUN(test_plain);
    FIXTURE_RUN(test_what_is_no_class);
    FIXTURE_RUN(test_disposed_of_once);
    FIXTURE_RUN(test_equality_and_order);
    FIXTURE_RUN(test_failing_callbacks);
    FIXTURE_RUN(test_repr);
    FIXTURE_RUN(test_places);
    FIXTURE_RUN(test_after_it_was_disposed_of);
    FIXTURE_RUN(test_many_threads);
    return check_finish();
}
