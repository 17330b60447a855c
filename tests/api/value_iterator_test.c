/* SPDX-License-Identifier: MIT
 *
 * Iterators and generators: what each gives, of private and of shared values, one by one and many at once; what ends, changes and fails, and
 * stays so; what is held, and that nothing is copied; one iterator for many threads; lists and sets that take in what others give; lack of
 * memory. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/threads.h"
#include "support/values.h"

static bool shared;
static size_t batch; /* 0: next; else next_all with that much room */

#define OK(call) CHECK_EQ((call), OURO_OK)

static ouro_value maybe_shared(ouro_value value)
{
    if (shared)
        ouro_value_share(value);
    return value;
}

static void in_all_ways(void (*test)(void))
{
    static const size_t batches[] = {0, 1, 3, 100};
    for (int i = 0; i < 8; i++) {
        shared = i & 1;
        batch = batches[i / 2];
        test();
    }
}

/* A list of all that the iterator still gives, in the way of the round; *status is how it ended. */
static ouro_value gather(ouro_value iterator, ouro_status *status)
{
    ouro_value items[100], list = ouro_list_new();
    size_t count = 1;
    REQUIRE(ouro_is_object(list));
    for (;;) {
        *status = batch ? ouro_iterator_next_all(iterator, items, batch, &count) : ouro_iterator_next(iterator, items);
        if (*status != OURO_OK) {
            CHECK_EQ(batch ? count : items[0], 0);
            return list;
        }
        CHECK(count >= 1 && (!batch || count <= batch));
        OK(ouro_list_append_all(list, items, count));
        ouro_value_release_all(items, count);
    }
}

/* Consumes the iterator. */
static void check_gives(ouro_value iterator, const char *expected, int line)
{
    ouro_status status;
    ouro_value list = gather(iterator, &status), again;
    values_check_repr(list, expected, __FILE__, line);
    CHECK_EQ(status, OURO_E_END);
    CHECK_EQ(ouro_iterator_next(iterator, &again), OURO_E_END);
    ouro_value_release(list);
    ouro_value_release(iterator);
}

static void check_iterates(ouro_value value, const char *expected, int line)
{
    ouro_value iterator;
    OK(ouro_iterate(value, &iterator));
    CHECK_EQ(ouro_kind_of(iterator), OURO_KIND_ITERATOR);
    check_gives(iterator, expected, line);
    ouro_value_release(value);
}

#define GIVES(iterator, expected) check_gives((iterator), (expected), __LINE__)
#define ITERATES(value, expected) check_iterates((value), (expected), __LINE__)

static ouro_value list_of(long count)
{
    ouro_value list = ouro_list_new();
    for (long i = 0; i < count; i++)
        OK(ouro_list_append(list, INT(i)));
    return maybe_shared(list);
}

static ouro_value set_of(long count)
{
    ouro_value set = ouro_set_new();
    for (long i = 0; i < count; i++)
        OK(ouro_set_add(set, INT(i), NULL));
    return maybe_shared(set);
}

/* Keys i with values that are lists of their own. */
static ouro_value dict_of(long count)
{
    ouro_value dict = ouro_dict_new();
    for (long i = 0; i < count; i++) {
        ouro_value value = tuple_of(1, INT(10 * i));
        OK(ouro_dict_set(dict, INT(i), value));
        ouro_value_release(value);
    }
    return maybe_shared(dict);
}

/* ---- what each kind gives ---- */

static void all_kinds(void)
{
    ouro_value bytes;
    ITERATES(maybe_shared(tuple_of(3, INT(1), text("b"), OURO_NIL)), "[1, \"b\", nil]");
    ITERATES(tuple_of(0), "[]");
    ITERATES(list_of(5), "[0, 1, 2, 3, 4]");
    ITERATES(list_of(0), "[]");
    ITERATES(set_of(4), "[0, 1, 2, 3]");
    ITERATES(set_of(0), "[]");
    ITERATES(dict_of(3), "[0, 1, 2]");
    ITERATES(dict_of(0), "[]");
    ITERATES(maybe_shared(record_of("point", 2, "x", INT(7), "y", text("z"))), "[7, \"z\"]");
    ITERATES(maybe_shared(text("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d")), "[\"a\", \"\xc3\xa9\", \"\xe2\x82\xac\", \"\xf0\x9f\x90\x8d\"]");
    ITERATES(text(""), "[]");
    OK(ouro_bytes_new("\x00\xff\x07", 3, &bytes));
    ITERATES(maybe_shared(bytes), "[0, 255, 7]");
}

static void holes(void)
{
    ouro_value dict = dict_of(10);
    for (long i = 0; i < 10; i += 3)
        OK(ouro_dict_delete(dict, INT(i)));
    ITERATES(dict, "[1, 2, 4, 5, 7, 8]");
}

static void itself(void)
{
    ouro_value list = list_of(3), iterator, same;
    OK(ouro_iterate(list, &iterator));
    OK(ouro_iterate(iterator, &same));
    CHECK_EQ(same, iterator);
    ouro_value_release(same);
    GIVES(iterator, "[0, 1, 2]");
    ouro_value_release(list);
}

static void reversed(void)
{
    ouro_value list = list_of(4), tuple = tuple_of(2, INT(1), INT(2)), iterator;
    OK(ouro_iterate_reversed(list, &iterator));
    OK(ouro_list_append(list, INT(9))); /* behind the beginning: not met */
    GIVES(iterator, "[3, 2, 1, 0]");
    OK(ouro_iterate_reversed(list, &iterator));
    OK(ouro_list_delete_slice(list, 1, OURO_OMITTED, 1));
    GIVES(iterator, "[]");
    OK(ouro_iterate_reversed(tuple, &iterator));
    GIVES(iterator, "[2, 1]");
    ouro_value_release(list);
    ouro_value_release(tuple);
}

static void parts(void)
{
    ouro_value dict = dict_of(3), iterator;
    OK(ouro_iterate_part(dict, OURO_KEYS, &iterator));
    GIVES(iterator, "[0, 1, 2]");
    OK(ouro_iterate_part(dict, OURO_VALUES, &iterator));
    GIVES(iterator, "[(0,), (10,), (20,)]");
    OK(ouro_iterate_part(dict, OURO_ITEMS, &iterator));
    GIVES(iterator, "[(0, (0,)), (1, (10,)), (2, (20,))]");
    for (int part = OURO_KEYS; part <= OURO_ITEMS; part++) { /* pairs come from any of them */
        ouro_value key, value;
        OK(ouro_iterate_part(dict, (ouro_part)part, &iterator));
        for (long i = 0; i < 3; i++) {
            OK(ouro_iterator_next_pair(iterator, &key, &value));
            CHECK_EQ(key, INT(i));
            CHECK_EQ(ouro_tuple_items(value, NULL)[0], INT(10 * i));
            ouro_value_release(value);
        }
        CHECK_EQ(ouro_iterator_next_pair(iterator, &key, &value), OURO_E_END);
        CHECK(key == OURO_NIL && value == OURO_NIL);
        ouro_value_release(iterator);
    }
    ouro_value_release(dict);
}

static ouro_value range(int64_t start, int64_t stop, int64_t step)
{
    ouro_value iterator;
    OK(ouro_iterate_range(start, stop, step, &iterator));
    return maybe_shared(iterator);
}

static void ranges(void)
{
    ouro_value iterator;
    GIVES(range(0, 5, 1), "[0, 1, 2, 3, 4]");
    GIVES(range(0, 5, 2), "[0, 2, 4]");
    GIVES(range(0, 6, 2), "[0, 2, 4]");
    GIVES(range(5, 0, -2), "[5, 3, 1]");
    GIVES(range(5, 5, 1), "[]");
    GIVES(range(0, 5, -1), "[]");
    GIVES(range(5, 0, 1), "[]");
    GIVES(range(0, 100, INT64_MAX), "[0]");
    GIVES(range(0, -100, INT64_MIN), "[0]");
    GIVES(range(OURO_INT_MAX - 1, OURO_INT_MAX, 1), "[2305843009213693950]");
    GIVES(range(OURO_INT_MIN, OURO_INT_MAX, OURO_INT_MAX), "[-2305843009213693952, -1, 2305843009213693950]");
    GIVES(range(OURO_INT_MAX, INT64_MAX, INT64_MAX), "[2305843009213693951]");
    CHECK_EQ(ouro_iterate_range(0, 5, 0, &iterator), OURO_E_INVALID);
    CHECK_EQ(iterator, OURO_NIL);
    CHECK_EQ(ouro_iterate_range(INT64_MIN, 5, 1, &iterator), OURO_E_INVALID);
    CHECK_EQ(ouro_iterate_range(0, INT64_MAX, 1, &iterator), OURO_E_INVALID); /* its last is no value */
    CHECK_EQ(ouro_iterate_range(0, 5, 1, NULL), OURO_E_INVALID);
}

/* ---- changes ---- */

static void lists_change(void)
{
    ouro_value list = list_of(2), iterator, value;
    OK(ouro_iterate(list, &iterator));
    OK(ouro_iterator_next(iterator, &value));
    OK(ouro_list_append(list, INT(2)));
    OK(ouro_list_set(list, 1, INT(11)));
    OK(ouro_iterator_next(iterator, &value));
    CHECK_EQ(value, INT(11));
    OK(ouro_iterator_next(iterator, &value));
    CHECK_EQ(value, INT(2));
    CHECK_EQ(ouro_iterator_next(iterator, &value), OURO_E_END);
    OK(ouro_list_append(list, INT(3)));
    CHECK_EQ(ouro_iterator_next(iterator, &value), OURO_E_END); /* for ever */
    ouro_value_release(iterator);
    ouro_value_release(list);
}

static ouro_status put_key(ouro_value dict)
{
    return ouro_dict_set(dict, INT(77), OURO_NIL);
}
static ouro_status take_key(ouro_value dict)
{
    return ouro_dict_delete(dict, INT(0));
}
static ouro_status take_last(ouro_value dict)
{
    ouro_value key, value;
    ouro_status status = ouro_dict_pop_item(dict, false, &key, &value);
    ouro_value_release(value);
    return status;
}
static ouro_status clear_it(ouro_value dict)
{
    return ouro_dict_clear(dict);
}
static ouro_status put_many(ouro_value dict)
{
    return ouro_dict_set_all(dict, (ouro_value[]){INT(0), INT(88)}, (ouro_value[]){OURO_NIL, OURO_NIL}, 2);
}
static ouro_status put_and_take(ouro_value dict)
{
    OK(put_key(dict));
    return ouro_dict_delete(dict, INT(77));
}

/* As soon as a key has come or gone it fails, and for ever, also if the keys are what they were. */
static void dicts_change(void)
{
    static ouro_status (*const changes[])(ouro_value) = {put_key, take_key, take_last, clear_it, put_many, put_and_take};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        for (long first = 0; first < 2; first++) {
            ouro_value dict = dict_of(3), iterator, value;
            ouro_status status;
            OK(ouro_iterate(dict, &iterator));
            if (first)
                OK(ouro_iterator_next(iterator, &value));
            OK(changes[i](dict));
            ouro_value list = gather(iterator, &status);
            CHECK_EQ(status, OURO_E_CHANGED);
            CHECK_REPR(list, "[]");
            CHECK_EQ(ouro_iterator_next(iterator, &value), OURO_E_CHANGED);
            CHECK_EQ(ouro_iterator_next_all(iterator, &value, 1, &(size_t){0}), OURO_E_CHANGED);
            ouro_value_release(list);
            ouro_value_release(iterator);
            ouro_value_release(dict);
        }
    }
}

/* What is no change of the keys is seen, or not at all. */
static void dicts_do_not_change(void)
{
    ouro_value dict = dict_of(3), iterator, v;
    bool done;
    OK(ouro_iterate_part(dict, OURO_VALUES, &iterator));
    OK(ouro_dict_set(dict, INT(1), INT(5)));
    OK(ouro_dict_set_all(dict, (ouro_value[]){INT(0), INT(2)}, (ouro_value[]){INT(4), INT(6)}, 2));
    OK(ouro_dict_compare_set(dict, INT(1), INT(5), INT(55), &done));
    CHECK_EQ(ouro_dict_delete(dict, INT(99)), OURO_E_KEY);
    OK(ouro_dict_setdefault(dict, INT(0), INT(9), &v));
    OK(ouro_dict_update(dict, dict));
    GIVES(iterator, "[4, 55, 6]");
    OK(ouro_iterate(dict, &iterator));
    OK(ouro_dict_clear(dict));
    OK(ouro_dict_clear(dict));
    CHECK_EQ(ouro_iterator_next(iterator, &v), OURO_E_CHANGED);
    ouro_value_release(iterator);
    OK(ouro_iterate(dict, &iterator));
    OK(ouro_dict_clear(dict)); /* of nothing */
    GIVES(iterator, "[]");
    ouro_value_release(dict);
}

/* Large enough for a store of its own size, emptied and grown. */
static void sets_change(void)
{
    ouro_value set = set_of(1000), iterator, value;
    OK(ouro_iterate(set, &iterator));
    for (long i = 0; i < 500; i++) {
        OK(ouro_iterator_next(iterator, &value));
        CHECK_EQ(value, INT(i));
    }
    OK(ouro_set_add(set, INT(3), NULL)); /* is there */
    OK(ouro_iterator_next(iterator, &value));
    OK(ouro_set_add(set, INT(3000), NULL));
    CHECK_EQ(ouro_iterator_next(iterator, &value), OURO_E_CHANGED);
    ouro_value_release(iterator);
    ouro_value_release(set);
}

/* ---- what is held ---- */

static void held(void)
{
    ouro_value list = ouro_list_new(), iterator, value;
    OK(ouro_list_append(list, ouro_value_of(leaf_new(1))));
    OK(ouro_list_get(list, 0, &value));
    struct leaf *leaf = ouro_value_object(value);
    ouro_release(leaf); /* that of leaf_new */
    maybe_shared(list);
    OK(ouro_iterate(list, &iterator));
    ouro_value_release(list);
    CHECK_EQ(ouro_refcount(leaf), 2);
    ouro_value_release(value);
    ITERATES(iterator, "[<leaf>]");
    CHECK_EQ(finalized(), 1);
}

/* A cycle through an iterator. */
static void cycles(void)
{
    long before = finalized();
    ouro_value list = ouro_list_new(), iterator;
    struct leaf *leaf = leaf_new(1);
    OK(ouro_iterate(list, &iterator));
    OK(ouro_list_append(list, iterator));
    OK(ouro_list_append(list, ouro_value_of(leaf)));
    ouro_release(leaf);
    ouro_value_release(iterator);
    maybe_shared(list);
    ouro_value_release(list);
    CHECK_GE(ouro_gc_collect(2), 2);
    CHECK_LIVE(0);
    CHECK_EQ(finalized() - before, 1);
}

/* No copy is made: an iterator takes the same for few and for many. */
static void nothing_is_copied(void)
{
    enum { MANY = 100000 };
    ouro_value sources[3] = {list_of(MANY), set_of(MANY), dict_of(MANY)};
    for (int i = 0; i < 3; i++) {
        ouro_value iterator, value;
        size_t before = mem_stats().live_bytes;
        OK(ouro_iterate(sources[i], &iterator));
        OK(ouro_iterator_next(iterator, &value));
        CHECK_LE(mem_stats().live_bytes - before, 64);
        ouro_value_release(iterator);
        ouro_value_release(sources[i]);
    }
    size_t before = mem_stats().live_bytes;
    ouro_value iterator = range(0, OURO_INT_MAX, 1);
    CHECK_LE(mem_stats().live_bytes - before, 64);
    ouro_value_release(iterator);
}

/* ---- generators ---- */

enum { FAILS_AT = 3 };
static const ouro_status FAILURE = OURO_E_HOST;
static long made, disposed;
static bool failing;
static ouro_value self;

/* The numbers below the handle; with `failing`, every fourth call fails. */
static ouro_status count_up(uint64_t handle, ouro_value source, ouro_value *value)
{
    (void)source;
    if (failing && made % (FAILS_AT + 1) == FAILS_AT) {
        made++;
        return FAILURE;
    }
    if ((uint64_t)made >= handle)
        return OURO_E_END;
    *value = tuple_of(1, INT(made++));
    return OURO_OK;
}

static void count_dispose(uint64_t handle)
{
    (void)handle;
    disposed++;
}

static const ouro_generator counting = {.size = sizeof counting, .name = "count", .next = count_up, .dispose = count_dispose};

static ouro_value generate(const ouro_generator *generator, uint64_t handle, ouro_value source)
{
    ouro_value iterator;
    made = disposed = 0;
    OK(ouro_generate(generator, handle, source, &iterator));
    CHECK_EQ(made, 0);
    return maybe_shared(iterator);
}

static void generators(void)
{
    failing = false;
    GIVES(generate(&counting, 5, OURO_NIL), "[(0,), (1,), (2,), (3,), (4,)]");
    CHECK_EQ(disposed, 1);
    GIVES(generate(&counting, 0, OURO_NIL), "[]");
    ouro_value value, iterator = generate(&counting, 100, OURO_NIL);
    OK(ouro_iterator_next(iterator, &value));
    CHECK_EQ(made, 1); /* on demand */
    ouro_value_release(value);
    CHECK_STR(ouro_value_type_name(iterator), "iterator");
    CHECK(ouro_truth(iterator));
    ouro_value_release(iterator); /* before its end */
    CHECK_EQ(disposed, 1);
}

/* What fails gives what there is first, and goes on after it if its next does. */
static void generators_fail(void)
{
    ouro_status status;
    failing = true;
    ouro_value iterator = generate(&counting, 6, OURO_NIL), list = gather(iterator, &status);
    CHECK_EQ(status, FAILURE);
    CHECK_REPR(list, "[(0,), (1,), (2,)]");
    ouro_value_release(list);
    failing = false;
    GIVES(iterator, "[(4,), (5,)]");
    CHECK_EQ(disposed, 1);
}

static ouro_status ask_myself(uint64_t handle, ouro_value source, ouro_value *value)
{
    ouro_value other = OURO_TRUE;
    size_t count;
    (void)handle, (void)source;
    CHECK_EQ(ouro_iterator_next(self, &other), OURO_E_AGAIN);
    CHECK_EQ(other, OURO_NIL);
    CHECK_EQ(ouro_iterator_next_all(self, &other, 1, &count), OURO_E_AGAIN);
    *value = INT(1);
    return made++ < 2 ? OURO_OK : OURO_E_END;
}

static void generators_ask_themselves(void)
{
    static const ouro_generator asking = {.size = sizeof asking, .next = ask_myself};
    ouro_value iterator = self = generate(&asking, 0, OURO_NIL);
    GIVES(iterator, "[1, 1]");
}

static ouro_status from_source(uint64_t handle, ouro_value source, ouro_value *value)
{
    (void)handle;
    return (size_t)made < 2 ? ouro_list_get(source, made++, value) : OURO_E_END;
}

static void sources(void)
{
    static const ouro_generator sourced = {.size = sizeof sourced, .next = from_source, .dispose = count_dispose};
    ouro_value list = list_of(2), iterator = generate(&sourced, 0, list);
    ouro_value_release(list);
    GIVES(iterator, "[0, 1]");
    list = list_of(0); /* a cycle through the source */
    iterator = generate(&sourced, 0, list);
    OK(ouro_list_append(list, iterator));
    ouro_value_release(iterator);
    ouro_value_release(list);
    CHECK_EQ(disposed, 0);
    CHECK_GE(ouro_gc_collect(2), 2);
    CHECK_LIVE(0);
    CHECK_EQ(disposed, 1);
}

/* Brought back by a weak reference's holder after its death, it has ended. */
static ouro_value brought_back;
static void bring_back(uint64_t handle)
{
    count_dispose(handle);
    brought_back = ouro_value_retain(self);
}

static void after_the_end(void)
{
    static const ouro_generator reviving = {.size = sizeof reviving, .next = count_up, .dispose = bring_back};
    ouro_value value;
    failing = false;
    self = generate(&reviving, 5, OURO_NIL);
    OK(ouro_iterator_next(self, &value));
    ouro_value_release(value);
    ouro_value_release(self);
    CHECK_EQ(disposed, 1);
    CHECK_EQ(ouro_iterator_next(brought_back, &value), OURO_E_END);
    ouro_value_release(brought_back);
    CHECK_EQ(disposed, 1);
}

/* A finalizer that puts its object into a dict, as key and value, meets it there at once. */
static ouro_value finalizers_dict;

static void enter_and_iterate(void *object)
{
    ouro_value me = ouro_value_of(object), iterator, key, value;
    OK(ouro_dict_set(finalizers_dict, me, me));
    OK(ouro_iterate(finalizers_dict, &iterator));
    OK(ouro_iterator_next_pair(iterator, &key, &value));
    CHECK(key == me && value == me);
    ouro_value_release(key);
    ouro_value_release(value);
    CHECK_EQ(ouro_iterator_next_pair(iterator, &key, &value), OURO_E_END);
    ouro_value_release(iterator);
}

static void finalizers_iterate(void)
{
    finalizers_dict = maybe_shared(ouro_dict_new());
    struct leaf *leaf = leaf_new(1);
    ouro_share(leaf);
    on_finalize(enter_and_iterate);
    ouro_release(leaf);
    on_finalize(NULL);
    ITERATES(finalizers_dict, "[<leaf>]");
    CHECK_LIVE(0);
}

/* ---- refusals ---- */

static void *foreign(void *arg)
{
    ouro_value *private = arg, out;
    size_t count;
    CHECK_EQ(ouro_iterate(private[0], &out), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_iterate", "list", ouro_value_object(private[0]));
    CHECK_EQ(ouro_iterator_next(private[1], &out), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_iterator_next", "iterator", ouro_value_object(private[1]));
    CHECK_EQ(ouro_iterator_next_all(private[1], &out, 1, &count), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_iterator_next_all", "iterator", ouro_value_object(private[1]));
    CHECK_EQ(ouro_generate(&counting, 0, private[0], &out), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_generate", "list", ouro_value_object(private[0]));
    return NULL;
}

static void refusals(void)
{
    ouro_value out = OURO_TRUE, list = ouro_list_new(), iterator, dict = dict_of(1), none[4];
    size_t count;
    none[0] = OURO_NIL, none[1] = OURO_TRUE, none[2] = INT(3), none[3] = number(2.5);
    for (int i = 0; i < 4; i++) {
        out = OURO_TRUE;
        CHECK_EQ(ouro_iterate(none[i], &out), OURO_E_TYPE);
        CHECK_EQ(out, OURO_NIL);
        CHECK_EQ(ouro_iterator_next(none[i], &out), OURO_E_TYPE);
        CHECK_EQ(ouro_iterate_reversed(none[i], &out), OURO_E_TYPE);
        CHECK_EQ(ouro_iterate_part(none[i], OURO_KEYS, &out), OURO_E_TYPE);
        CHECK_EQ(ouro_list_extend(list, none[i]), OURO_E_TYPE);
    }
    OK(ouro_iterate(list, &iterator));
    CHECK_EQ(ouro_iterate(list, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_iterate_reversed(list, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_iterate_reversed(dict, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_iterate_part(dict, OURO_KEYS, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_iterate_part(dict, (ouro_part)3, &out), OURO_E_INVALID);
    CHECK_EQ(ouro_iterate_part(list, OURO_KEYS, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_iterator_next(iterator, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_iterator_next_pair(iterator, &out, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_iterator_next_pair(iterator, &out, &out), OURO_E_TYPE);
    ouro_value sets[] = {ouro_set_new(), ouro_weak_set_new()}, of_set;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        CHECK_EQ(ouro_iterate(sets[i], &of_set), OURO_OK);
        CHECK_EQ(ouro_iterator_next_pair(of_set, &out, &out), OURO_E_TYPE);
        ouro_value_release(of_set);
        ouro_value_release(sets[i]);
    }
    CHECK_EQ(ouro_iterator_next_all(iterator, &out, 1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_iterator_next_all(iterator, &out, 0, &count), OURO_E_INVALID);
    CHECK_EQ(ouro_iterator_next_all(iterator, NULL, 1, &count), OURO_E_INVALID);
    CHECK_EQ(ouro_generate(NULL, 0, OURO_NIL, &out), OURO_E_INVALID);
    CHECK_EQ(ouro_generate(&counting, 0, OURO_NIL, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_generate(&(ouro_generator){.size = 8}, 0, OURO_NIL, &out), OURO_E_INVALID);
    CHECK_EQ(ouro_generate(&(ouro_generator){.size = sizeof counting}, 0, OURO_NIL, &out), OURO_E_INVALID);
    CHECK_EQ(ouro_copy(iterator, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_length(iterator, &count), OURO_E_TYPE);
    thread_do(foreign, (ouro_value[]){list, iterator}, 0);
    ouro_value_release(none[3]);
    ouro_value_release(iterator);
    ouro_value_release(list);
    ouro_value_release(dict);
}

/* ---- taking in ---- */

static void extend(ouro_value list, ouro_value other)
{
    OK(ouro_list_extend(list, other));
    ouro_value_release(other);
}

static void lists_extend(void)
{
    ouro_value list = list_of(1), same;
    failing = false;
    extend(list, tuple_of(2, text("a"), INT(2)));
    extend(list, list_of(2));
    extend(list, set_of(1));
    extend(list, dict_of(2));
    extend(list, text("\xc3\xa9x"));
    extend(list, range(7, 9, 1));
    extend(list, generate(&counting, 2, OURO_NIL));
    CHECK_REPR(list, "[0, \"a\", 2, 0, 1, 0, 0, 1, \"\xc3\xa9\", \"x\", 7, 8, (0,), (1,)]");
    OK(ouro_list_delete_slice(list, 3, OURO_OMITTED, 1));
    extend(list, ouro_value_retain(list));
    CHECK_REPR(list, "[0, \"a\", 2, 0, \"a\", 2]");
    failing = true; /* nothing, then */
    same = generate(&counting, 100, OURO_NIL);
    CHECK_EQ(ouro_list_extend(list, same), FAILURE);
    ouro_value_release(same);
    CHECK_REPR(list, "[0, \"a\", 2, 0, \"a\", 2]");
    extend(list, range(0, 1000, 1));
    size_t length;
    OK(ouro_list_length(list, &length));
    CHECK_EQ(length, 1006);
    CHECK_EQ(ouro_list_extend(OURO_NIL, list), OURO_E_TYPE);
    ouro_value_release(list);
}

static void update(ouro_value set, ouro_value other)
{
    OK(ouro_set_update(set, other));
    ouro_value_release(other);
}

static void sets_update(void)
{
    ouro_value set = set_of(2), same;
    failing = false;
    update(set, tuple_of(2, text("a"), INT(1)));
    update(set, text("ab"));
    update(set, dict_of(3));
    update(set, range(2, 4, 1));
    update(set, ouro_value_retain(set));
    update(set, generate(&counting, 2, OURO_NIL));
    CHECK_REPR(set, "{0, 1, \"a\", \"b\", 2, 3, (0,), (1,)}");
    failing = true;
    same = generate(&counting, 100, OURO_NIL);
    CHECK_EQ(ouro_set_update(set, same), FAILURE);
    ouro_value_release(same);
    CHECK_REPR(set, "{0, 1, \"a\", \"b\", 2, 3, (0,), (1,)}");
    CHECK_EQ(ouro_set_update(set, INT(1)), OURO_E_TYPE);
    ouro_value_release(set);
}

/* ---- one iterator, many threads: each value goes to one ---- */

enum { THREADS = 4, VALUES = SCALED(20000) };
static ouro_value common;
static atomic_long given[VALUES], ended;
static bool generated;
static pthread_mutex_t generating = PTHREAD_MUTEX_INITIALIZER;

static ouro_status next_number(uint64_t handle, ouro_value source, ouro_value *value)
{
    static long next;
    (void)handle, (void)source;
    CHECK_EQ(pthread_mutex_trylock(&generating), 0); /* one at a time */
    if (next == VALUES)
        next = -1;
    *value = next < 0 ? OURO_NIL : INT(next);
    ouro_status status = next < 0 ? OURO_E_END : OURO_OK;
    next++;
    pthread_mutex_unlock(&generating);
    return status;
}

static void take_some(struct member *me)
{
    ouro_value values[7];
    for (;;) {
        size_t count = 1;
        ouro_status status = rng_one_in(&me->rng, 2) ? ouro_iterator_next(common, values)
                                                     : ouro_iterator_next_all(common, values, 1 + rng_below(&me->rng, 7), &count);
        if (status == OURO_E_AGAIN && generated) {
            sched_yield();
            continue;
        }
        if (status != OURO_OK) {
            CHECK_EQ(status, OURO_E_END);
            atomic_fetch_add(&ended, 1);
            return;
        }
        for (size_t i = 0; i < count; i++)
            atomic_fetch_add(&given[ouro_int_value(values[i])], 1);
        yield_sometimes(&me->rng);
    }
}

static void share_out(ouro_value iterator)
{
    common = iterator;
    ouro_value_share(common);
    for (long i = 0; i < VALUES; i++)
        atomic_store(&given[i], 0);
    atomic_store(&ended, 0);
    team_run(THREADS, 5, take_some, NULL);
    CHECK_EQ(atomic_load(&ended), THREADS);
    long wrong = 0;
    for (long i = 0; i < VALUES; i++)
        wrong += atomic_load(&given[i]) != 1;
    CHECK_EQ(wrong, 0);
    ouro_value_release(common);
}

static ouro_value iterator_of(ouro_value value)
{
    ouro_value iterator;
    OK(ouro_iterate(value, &iterator));
    ouro_value_release(value);
    return iterator;
}

static void many_threads(void)
{
    static const ouro_generator numbers = {.size = sizeof numbers, .next = next_number};
    shared = true;
    generated = false;
    share_out(iterator_of(list_of(VALUES)));
    share_out(iterator_of(set_of(VALUES)));
    share_out(iterator_of(dict_of(VALUES)));
    share_out(range(0, VALUES, 1));
    generated = true;
    share_out(generate(&numbers, 0, OURO_NIL));
}

/* ---- lack of memory: what fails says so; the iterator goes on where it was ---- */

static void exhaust(void **kept, size_t *count, size_t max)
{
    *count = 0;
    for (size_t size = 0; size < 300 && *count < max; size++) {
        for (void *p; *count < max && (p = ouro_new_array(&table_type, size));)
            kept[(*count)++] = p;
        for (void *p; *count < max && (p = ouro_new_array(&bytes_type, 8 * size));)
            kept[(*count)++] = p;
    }
}

static void starve(void *arg)
{
    enum { KEPT = 100000 };
    static void *kept[KEPT];
    size_t count, n, length;
    ouro_value items, letters, out = OURO_TRUE, some[4];
    fixture_start();
    shared = arg;
    batch = 2;
    ouro_value dict = dict_of(3), string = text("abc"), list = list_of(3), set = set_of(1), many = range(0, 100000, 1);
    OK(ouro_weak_map_new(OURO_WEAK_KEYS, &out)); /* so that its type is there */
    ouro_value_release(out);
    OK(ouro_iterate_part(dict, OURO_ITEMS, &items));
    OK(ouro_iterate(string, &letters));
    OK(ouro_mem_set_limit(0, 1)); /* no page more */
    exhaust(kept, &count, KEPT);
    REQUIRE(count < KEPT);
    CHECK_EQ(ouro_iterate(list, &out), OURO_E_NOMEM);
    CHECK_EQ(out, OURO_NIL);
    CHECK_EQ(ouro_iterate(dict, &out), OURO_E_NOMEM);
    CHECK_EQ(ouro_iterate_reversed(list, &out), OURO_E_NOMEM);
    CHECK_EQ(ouro_iterate_part(dict, OURO_VALUES, &out), OURO_E_NOMEM);
    CHECK_EQ(ouro_iterate_range(0, 5, 1, &out), OURO_E_NOMEM);
    disposed = 0;
    CHECK_EQ(ouro_generate(&counting, 0, OURO_NIL, &out), OURO_E_NOMEM);
    CHECK_EQ(disposed, 0); /* the handle is still the caller's */
    CHECK_EQ(ouro_iterator_next(items, &out), OURO_E_NOMEM);
    CHECK_EQ(ouro_iterator_next_all(items, some, 4, &n), OURO_E_NOMEM);
    CHECK_EQ(n, 0);
    CHECK_EQ(ouro_iterator_next(letters, &out), OURO_E_NOMEM);
    CHECK_EQ(ouro_list_extend(list, many), OURO_E_NOMEM);
    OK(ouro_list_length(list, &length));
    CHECK_EQ(length, 3);
    CHECK_EQ(ouro_set_update(set, string), OURO_E_NOMEM);
    OK(ouro_set_length(set, &length));
    CHECK_EQ(length, 1);
    OK(ouro_mem_set_limit(0, 0));
    while (count)
        ouro_release(kept[--count]);
    GIVES(items, "[(0, (0,)), (1, (10,)), (2, (20,))]");
    GIVES(letters, "[\"a\", \"b\", \"c\"]");
    ouro_value all[] = {dict, string, list, set, many};
    ouro_value_release_all(all, 5);
    CHECK_LIVE(0);
}

static void lack_of_memory(void)
{
    CHECK_EQ(child_run(starve, NULL), 0);
    CHECK_EQ(child_run(starve, &shared), 0);
}

#define ALL(test)                \
    static void all_##test(void) \
    {                            \
        in_all_ways(test);       \
    }
ALL(all_kinds)
ALL(holes)
ALL(itself)
ALL(reversed)
ALL(parts)
ALL(ranges)
ALL(lists_change)
ALL(dicts_change)
ALL(dicts_do_not_change)
ALL(sets_change)
ALL(cycles)
ALL(nothing_is_copied)
ALL(generators)
ALL(generators_fail)
ALL(generators_ask_themselves)
ALL(sources)
ALL(after_the_end)
ALL(finalizers_iterate)
ALL(lists_extend)
ALL(sets_update)

int main(void)
{
    check_start("value_iterator_test");
    CHECK_RUN(lack_of_memory); /* in children of a process without a runtime */
    fixture_start();
    FIXTURE_RUN(all_all_kinds);
    FIXTURE_RUN(all_holes);
    FIXTURE_RUN(all_itself);
    FIXTURE_RUN(all_reversed);
    FIXTURE_RUN(all_parts);
    FIXTURE_RUN(all_ranges);
    FIXTURE_RUN(all_lists_change);
    FIXTURE_RUN(all_dicts_change);
    FIXTURE_RUN(all_dicts_do_not_change);
    FIXTURE_RUN(all_sets_change);
    FIXTURE_RUN(held);
    FIXTURE_RUN(all_cycles);
    FIXTURE_RUN(all_nothing_is_copied);
    FIXTURE_RUN(all_generators);
    FIXTURE_RUN(all_generators_fail);
    FIXTURE_RUN(all_generators_ask_themselves);
    FIXTURE_RUN(all_sources);
    FIXTURE_RUN(all_after_the_end);
    FIXTURE_RUN(all_finalizers_iterate);
    FIXTURE_RUN(refusals);
    FIXTURE_RUN(all_lists_extend);
    FIXTURE_RUN(all_sets_update);
    FIXTURE_RUN(many_threads);
    return check_finish();
}
