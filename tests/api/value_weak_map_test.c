/* SPDX-License-Identifier: MIT
 *
 * Weak maps and weak sets: what each function does and refuses, with weak keys, weak values and both; entries go with what they do not hold, by
 * count, in cycles, and on other threads; identity; iterating while keys die; values that lead to their keys; what is counted and disposed of;
 * lack of memory. */
#include <stdlib.h>
#include <string.h>

#include "support/child.h"
#include "support/threads.h"
#include "support/values.h"

static unsigned flags; /* of the maps of this round */

#define OK(call) CHECK_EQ((call), OURO_OK)

static void with_all_flags(void (*test)(void))
{
    for (flags = OURO_WEAK_KEYS; flags <= (OURO_WEAK_KEYS | OURO_WEAK_VALUES); flags++)
        test();
}

static ouro_value map_new(void)
{
    ouro_value map;
    OK(ouro_weak_map_new(flags, &map));
    REQUIRE(ouro_is_object(map));
    return map;
}

static ouro_value leaf(long id)
{
    return ouro_value_of(leaf_new(id));
}

static long id_of(ouro_value value)
{
    return ((struct leaf *)ouro_value_object(value))->id;
}

static size_t length_of(ouro_value map)
{
    size_t length = 99;
    OK(ouro_kind_of(map) == OURO_KIND_WEAK_SET ? ouro_weak_set_length(map, &length) : ouro_weak_map_length(map, &length));
    return length;
}

/* The id of the key's value; -1: it has none. */
static long value_of(ouro_value map, ouro_value key)
{
    ouro_value value = OURO_TRUE;
    bool is = false;
    ouro_status status = ouro_weak_map_get(map, key, &value);
    CHECK(status == OURO_OK || (status == OURO_E_KEY && value == OURO_NIL));
    OK(ouro_weak_map_has(map, key, &is));
    CHECK_EQ(is, status == OURO_OK);
    long id = status == OURO_OK ? id_of(value) : -1;
    ouro_value_release(value);
    return id;
}

enum { COUNT = 40 };
static ouro_value keys[COUNT], vals[COUNT];

static ouro_value filled(void)
{
    ouro_value map = map_new();
    for (long i = 0; i < COUNT; i++) {
        keys[i] = leaf(i);
        vals[i] = leaf(100 + i);
        OK(ouro_weak_map_set(map, keys[i], vals[i]));
    }
    return map;
}

static void drop(ouro_value *value)
{
    ouro_value_release(*value);
    *value = OURO_NIL;
}

static void drop_all(void)
{
    for (int i = 0; i < COUNT; i++) {
        drop(&keys[i]);
        drop(&vals[i]);
    }
}

/* ---- the functions ---- */

static void set_and_get(void)
{
    ouro_value map = filled(), other = leaf(900);
    CHECK_EQ(ouro_kind_of(map), OURO_KIND_WEAK_MAP);
    CHECK_EQ(length_of(map), COUNT);
    for (long i = 0; i < COUNT; i++)
        CHECK_EQ(value_of(map, keys[i]), 100 + i);
    CHECK_EQ(value_of(map, other), -1);
    OK(ouro_weak_map_set(map, keys[3], vals[4]));
    OK(ouro_weak_map_set(map, keys[5], vals[5])); /* the same again */
    CHECK_EQ(value_of(map, keys[3]), 104);
    CHECK_EQ(value_of(map, keys[5]), 105);
    CHECK_EQ(length_of(map), COUNT);
    drop_all();
    ouro_value_release(map);
    ouro_value_release(other);
}

static void setdefault(void)
{
    ouro_value map = map_new(), key = leaf(1), a = leaf(2), b = leaf(3), now;
    OK(ouro_weak_map_setdefault(map, key, a, &now));
    CHECK_EQ(now, a);
    ouro_value_release(now);
    OK(ouro_weak_map_setdefault(map, key, b, &now));
    CHECK_EQ(now, a);
    ouro_value_release(now);
    CHECK_EQ(value_of(map, key), 2);
    CHECK_EQ(length_of(map), 1);
    ouro_value all[] = {map, key, a, b};
    ouro_value_release_all(all, 4);
}

static void taking_out(void)
{
    ouro_value map = filled(), value;
    OK(ouro_weak_map_pop(map, keys[1], &value));
    CHECK_EQ(value, vals[1]);
    ouro_value_release(value);
    CHECK_EQ(ouro_weak_map_pop(map, keys[1], &value), OURO_E_KEY);
    CHECK_EQ(value, OURO_NIL);
    OK(ouro_weak_map_pop(map, keys[2], NULL));
    OK(ouro_weak_map_delete(map, keys[3]));
    CHECK_EQ(ouro_weak_map_delete(map, keys[3]), OURO_E_KEY);
    CHECK_EQ(length_of(map), COUNT - 3);
    OK(ouro_weak_map_set(map, keys[3], vals[1]));
    CHECK_EQ(value_of(map, keys[3]), 101);
    OK(ouro_weak_map_clear(map));
    CHECK_EQ(length_of(map), 0);
    CHECK_EQ(value_of(map, keys[9]), -1);
    OK(ouro_weak_map_clear(map));
    OK(ouro_weak_map_set(map, keys[9], vals[9]));
    CHECK_EQ(value_of(map, keys[9]), 109);
    drop_all();
    CHECK_EQ(length_of(map), 0);
    ouro_value_release(map);
}

/* ---- death ---- */

/* What is not held goes with the last reference, at once; and with it what it alone held. */
static void entries_go(void)
{
    ouro_value map = filled();
    long before = finalized();
    drop(flags & OURO_WEAK_KEYS ? &keys[7] : &vals[7]);
    CHECK_EQ(length_of(map), COUNT - 1);
    CHECK_EQ(finalized() - before, 1);
    drop(&keys[7]);
    drop(&vals[7]);
    CHECK_EQ(finalized() - before, 2); /* the map holds neither any more */
    if (flags & OURO_WEAK_VALUES) {
        drop(&vals[8]);
        CHECK_EQ(value_of(map, keys[8]), -1);
        CHECK_EQ(length_of(map), COUNT - 2);
        CHECK_EQ(ouro_weak_map_delete(map, keys[8]), OURO_E_KEY);
        OK(ouro_weak_map_set(map, keys[8], vals[9]));
        CHECK_EQ(value_of(map, keys[8]), 109);
    } else {
        drop(&vals[8]); /* held by the map */
        CHECK_EQ(value_of(map, keys[8]), 108);
    }
    drop_all();
    CHECK_EQ(length_of(map), 0);
    CHECK_LIVE(2); /* the map and its store */
    ouro_value_release(map);
}

/* Of a value that was replaced the entry knows nothing any more. */
static void replaced_values_die(void)
{
    ouro_value map = filled();
    for (long i = 0; i < COUNT; i += 2)
        OK(ouro_weak_map_set(map, keys[i], vals[i + 1]));
    for (long i = 0; i < COUNT; i += 2)
        drop(&vals[i]);
    CHECK_EQ(length_of(map), COUNT);
    for (long i = 0; i < COUNT; i += 2)
        CHECK_EQ(value_of(map, keys[i]), 101 + i);
    drop_all();
    ouro_value_release(map);
}

/* The map goes first. */
static void maps_die(void)
{
    ouro_value map = filled();
    ouro_value_release(map);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(ouro_refcount(ouro_value_object(keys[i])), 1);
        CHECK_EQ(ouro_refcount(ouro_value_object(vals[i])), 1);
    }
    CHECK_LIVE(2 * COUNT);
    drop_all();
}

/* A new object at a dead one's address is another key. */
static void addresses_are_used_again(void)
{
    ouro_value map = map_new(), value = leaf(5);
    for (long i = 0; i < 300; i++) {
        ouro_value key = leaf(i);
        CHECK_EQ(value_of(map, key), -1);
        OK(ouro_weak_map_set(map, key, value));
        CHECK_EQ(value_of(map, key), 5);
        drop(&key);
        if (!(flags & OURO_WEAK_KEYS))
            OK(ouro_weak_map_clear(map));
        else if (i % 16 == 0)
            ouro_mem_trim(); /* blocks of shared objects are free again */
    }
    CHECK_EQ(length_of(map), 0);
    ouro_value_release(value);
    ouro_value_release(map);
}

static ouro_value cell(ouro_value of)
{
    ouro_value list;
    OK(ouro_list_from(&of, 1, &list));
    return list;
}

/* Keys and values in cycles of garbage. */
static void cycles(void)
{
    ouro_value map = map_new(), key = ouro_list_new(), value = ouro_list_new();
    OK(ouro_list_append(key, key));
    OK(ouro_list_append(value, value));
    OK(ouro_weak_map_set(map, key, value));
    drop(&key);
    drop(&value);
    CHECK_EQ(length_of(map), 1);
    ouro_gc_collect(2);
    if (flags == OURO_WEAK_KEYS)
        ouro_gc_collect(2); /* what the entry held */
    CHECK_EQ(length_of(map), 0);
    CHECK_LIVE(2);
    ouro_value_release(map);
}

/* The map is in the cycle. */
static void maps_in_cycles(void)
{
    ouro_value map = map_new(), key = cell(map), value = cell(map);
    OK(ouro_weak_map_set(map, key, value));
    OK(ouro_list_append(key, value));
    OK(ouro_list_append(value, key));
    drop(&key);
    drop(&value);
    drop(&map);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
}

/* As documented: weak maps are no ephemeron tables. A value that is held and leads to its key keeps both, until it is taken out or the map goes,
 * and so does a key that is held and leads to its value. */
static void values_lead_to_keys(void)
{
    ouro_value map = map_new(), key = ouro_list_new(), value = cell(key);
    OK(ouro_weak_map_set(map, key, value));
    OK(ouro_list_append(key, value));
    drop(&key);
    drop(&value);
    ouro_gc_collect(2);
    CHECK_EQ(length_of(map), flags != (OURO_WEAK_KEYS | OURO_WEAK_VALUES));
    OK(ouro_weak_map_clear(map));
    ouro_gc_collect(2);
    CHECK_LIVE(1);
    ouro_value_release(map);
}

static void *drop_it(void *arg)
{
    drop(arg);
    return NULL;
}

/* The last reference goes on another thread. */
static void death_elsewhere(void)
{
    ouro_value map = filled();
    for (int i = 0; i < COUNT; i += 2)
        thread_do(drop_it, flags & OURO_WEAK_KEYS ? &keys[i] : &vals[i], 0);
    ouro_safepoint();
    ouro_gc_collect(2);
    CHECK_EQ(length_of(map), COUNT / 2);
    for (int i = 1; i < COUNT; i += 2)
        CHECK_EQ(value_of(map, keys[i]), 100 + i);
    drop_all();
    ouro_value_release(map);
}

/* In a read section nothing is taken out yet, but the dead are not found. */
static void in_read_sections(void)
{
    ouro_value map = filled(), iterator, value;
    OK(ouro_iterate_part(map, OURO_ITEMS, &iterator));
    ouro_read_begin();
    drop(flags & OURO_WEAK_KEYS ? &keys[0] : &vals[0]);
    if (!(flags & OURO_WEAK_KEYS))
        CHECK_EQ(value_of(map, keys[0]), -1);
    ouro_read_end();
    CHECK_EQ(length_of(map), COUNT - 1);
    OK(ouro_iterator_next(iterator, &value));
    CHECK_EQ(ouro_tuple_items(value, NULL)[0], keys[1]);
    ouro_value_release(value);
    ouro_value_release(iterator);
    drop_all();
    ouro_value_release(map);
}

/* ---- which key ---- */

static void by_identity(void)
{
    ouro_value map = map_new(), a = text("key"), b = text("key"), value = leaf(5), also = leaf(6);
    bool weak_keys = flags & OURO_WEAK_KEYS;
    OK(ouro_weak_map_set(map, a, value));
    CHECK_EQ(value_of(map, b), weak_keys ? -1 : 5);
    OK(ouro_weak_map_set(map, b, also));
    CHECK_EQ(value_of(map, a), weak_keys ? 5 : 6);
    CHECK_EQ(value_of(map, b), 6);
    CHECK_EQ(length_of(map), weak_keys ? 2 : 1);
    ouro_value all[] = {a, b, value, also, map};
    ouro_value_release_all(all, 5);
}

static long compared;
static ouro_status host_hash(uint64_t handle, uint64_t *hash)
{
    (void)handle;
    *hash = 1; /* all collide */
    return OURO_OK;
}
static ouro_status host_equal(uint64_t a, uint64_t b, bool *equal)
{
    compared++;
    *equal = a == b;
    return OURO_OK;
}

/* Hosts are asked only where keys are compared as keys. */
static void hosts(void)
{
    static const ouro_host_class class = {.size = sizeof class, .name = "host", .hash = host_hash, .equal = host_equal};
    ouro_value map = map_new(), host[10], values[10], same;
    compared = 0;
    for (int i = 0; i < 10; i++) {
        OK(ouro_host_new(&class, (uint64_t)i, 0, &host[i]));
        values[i] = leaf(i);
        OK(ouro_weak_map_set(map, host[i], values[i]));
    }
    OK(ouro_host_new(&class, 4, 0, &same));
    CHECK_EQ(value_of(map, same), flags & OURO_WEAK_KEYS ? -1 : 4);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(value_of(map, host[i]), i);
    CHECK_EQ(compared > 0, !(flags & OURO_WEAK_KEYS));
    if (flags & OURO_WEAK_VALUES) {
        ouro_value now;
        drop(&values[4]);
        values[4] = leaf(40);
        OK(ouro_weak_map_setdefault(map, same, values[4], &now));
        CHECK_EQ(now, values[4]);
        ouro_value_release(now);
        CHECK_EQ(value_of(map, same), 40);
    }
    ouro_value_release_all(host, 10);
    ouro_value_release_all(values, 10);
    ouro_value_release(same);
    ouro_value_release(map);
}

/* With weak values only, anything is a key. */
static void all_sorts_of_keys(void)
{
    ouro_value map, value = leaf(1);
    OK(ouro_weak_map_new(OURO_WEAK_VALUES, &map));
    ouro_value any[] = {OURO_NIL, OURO_TRUE, INT(4), number(2.5), text("s"), tuple_of(1, INT(1)), leaf(2)};
    enum { ANY = sizeof any / sizeof *any };
    for (int i = 0; i < ANY; i++)
        OK(ouro_weak_map_set(map, any[i], value));
    for (int i = 0; i < ANY; i++)
        CHECK_EQ(value_of(map, any[i]), 1);
    ouro_value same = tuple_of(1, INT(1)), four = number(4);
    CHECK_EQ(value_of(map, same), 1);
    CHECK_EQ(value_of(map, four), 1);
    ouro_value_release(same);
    ouro_value_release(four);
    CHECK_EQ(length_of(map), ANY);
    drop(&value);
    CHECK_EQ(length_of(map), 0);
    ouro_value_release_all(any, ANY);
    ouro_value_release(map);
}

/* ---- weak sets ---- */

static void sets(void)
{
    ouro_value set = ouro_weak_set_new();
    bool was;
    CHECK_EQ(ouro_kind_of(set), OURO_KIND_WEAK_SET);
    for (long i = 0; i < COUNT; i++) {
        keys[i] = leaf(i);
        OK(ouro_weak_set_add(set, keys[i], &was));
        CHECK(was);
    }
    OK(ouro_weak_set_add(set, keys[1], &was));
    CHECK(!was);
    OK(ouro_weak_set_has(set, keys[1], &was));
    CHECK(was);
    OK(ouro_weak_set_discard(set, keys[1], &was));
    CHECK(was);
    OK(ouro_weak_set_discard(set, keys[1], &was));
    CHECK(!was);
    OK(ouro_weak_set_discard(set, keys[2], NULL));
    OK(ouro_weak_set_has(set, keys[1], &was));
    CHECK(!was);
    CHECK_EQ(length_of(set), COUNT - 2);
    drop(&keys[3]);
    CHECK_EQ(length_of(set), COUNT - 3);
    ouro_value list = ouro_list_new();
    OK(ouro_list_extend(list, set));
    size_t length;
    OK(ouro_list_length(list, &length));
    CHECK_EQ(length, COUNT - 3);
    drop_all();
    CHECK_EQ(length_of(set), COUNT - 3); /* held by the list */
    ouro_value_release(list);
    CHECK_EQ(length_of(set), 0);
    keys[0] = leaf(1);
    OK(ouro_weak_set_add(set, keys[0], NULL));
    OK(ouro_weak_set_clear(set));
    CHECK_EQ(length_of(set), 0);
    CHECK(!ouro_truth(set));
    drop_all();
    ouro_value_release(set);
}

/* ---- iterating ---- */

static void iterating(void)
{
    ouro_value map = filled(), iterator, key, value;
    OK(ouro_iterate_part(map, OURO_ITEMS, &iterator));
    for (long i = 0; i < COUNT; i += 2) /* what dies is passed over, and is no change */
        drop(flags & OURO_WEAK_KEYS ? &keys[i] : &vals[i]);
    for (long i = 1; i < COUNT; i += 2) {
        OK(ouro_iterator_next_pair(iterator, &key, &value));
        CHECK_EQ(id_of(key), i);
        CHECK_EQ(id_of(value), 100 + i);
        ouro_value_release(key);
        ouro_value_release(value);
    }
    CHECK_EQ(ouro_iterator_next_pair(iterator, &key, &value), OURO_E_END);
    ouro_value_release(iterator);
    OK(ouro_iterate(map, &iterator));
    OK(ouro_iterator_next(iterator, &key));
    CHECK_EQ(id_of(key), 1);
    ouro_value_release(key);
    OK(ouro_weak_map_set(map, keys[1], vals[3])); /* no change either */
    OK(ouro_iterator_next(iterator, &key));
    CHECK_EQ(id_of(key), 3);
    OK(ouro_weak_map_delete(map, key));
    ouro_value_release(key);
    CHECK_EQ(ouro_iterator_next(iterator, &key), OURO_E_CHANGED);
    ouro_value_release(iterator);
    OK(ouro_iterate_part(map, OURO_VALUES, &iterator));
    OK(ouro_iterator_next(iterator, &value));
    CHECK_EQ(id_of(value), 103);
    ouro_value_release(value);
    ouro_value other = leaf(7);
    OK(ouro_weak_map_set(map, other, vals[3]));
    CHECK_EQ(ouro_iterator_next(iterator, &key), OURO_E_CHANGED);
    ouro_value_release(other);
    ouro_value_release(iterator);
    OK(ouro_iterate(map, &iterator));
    drop_all();
    CHECK_EQ(ouro_iterator_next(iterator, &key), OURO_E_END); /* all have died */
    ouro_value_release(iterator);
    ouro_value_release(map);
}

/* ---- refusals ---- */

static void *foreign(void *arg)
{
    ouro_value *values = arg;
    CHECK_EQ(ouro_weak_map_set(values[0], values[1], values[2]), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_weak_map_set", "leaf", ouro_value_object(values[1]));
    CHECK_EQ(ouro_weak_map_set(values[0], values[2], values[1]), OURO_E_USAGE);
    CHECK_MISUSE(OURO_MISUSE_FOREIGN_PRIVATE, "ouro_weak_map_set", "leaf", ouro_value_object(values[1]));
    return NULL;
}

static void refusals(void)
{
    ouro_value map = map_new(), set = ouro_weak_set_new(), key = leaf(1), shared_one = leaf(2), out, dict = ouro_dict_new();
    bool is;
    size_t n;
    static const ouro_value none[] = {OURO_NIL, OURO_TRUE, 5}; /* the last is an integer */
    for (int i = 0; i < 3; i++) {
        if (flags & OURO_WEAK_KEYS) {
            CHECK_EQ(ouro_weak_map_set(map, none[i], key), OURO_E_TYPE);
            CHECK_EQ(ouro_weak_map_get(map, none[i], &out), OURO_E_TYPE);
            CHECK_EQ(ouro_weak_map_has(map, none[i], &is), OURO_E_TYPE);
            CHECK_EQ(ouro_weak_map_pop(map, none[i], &out), OURO_E_TYPE);
            CHECK_EQ(ouro_weak_map_setdefault(map, none[i], key, &out), OURO_E_TYPE);
        }
        CHECK_EQ(ouro_weak_map_set(map, key, none[i]), flags & OURO_WEAK_VALUES ? OURO_E_TYPE : OURO_OK);
        CHECK_EQ(ouro_weak_set_add(set, none[i], &is), OURO_E_TYPE);
        CHECK_EQ(ouro_weak_set_has(set, none[i], &is), OURO_E_TYPE);
        CHECK_EQ(ouro_weak_set_discard(set, none[i], &is), OURO_E_TYPE);
    }
    CHECK_EQ(ouro_weak_map_new(0, &out), OURO_E_INVALID);
    CHECK_EQ(out, OURO_NIL);
    CHECK_EQ(ouro_weak_map_new(4, &out), OURO_E_INVALID);
    CHECK_EQ(ouro_weak_map_new(1, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_weak_map_get(map, key, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_weak_map_has(map, key, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_weak_map_setdefault(map, key, key, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_weak_map_length(map, NULL), OURO_E_INVALID);
    CHECK_EQ(ouro_weak_map_get(dict, key, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_weak_map_get(set, key, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_weak_set_has(map, key, &is), OURO_E_TYPE);
    CHECK_EQ(ouro_dict_get(map, key, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_set_has(set, key, &is), OURO_E_TYPE);
    CHECK_EQ(ouro_weak_map_length(OURO_NIL, &n), OURO_E_TYPE);
    CHECK_EQ(ouro_copy(map, &out), OURO_E_TYPE);
    CHECK_EQ(ouro_iterate_reversed(map, &out), OURO_E_TYPE);
    CHECK_REPR(set, "<weak set>");
    ouro_value other = map_new(), private = leaf(3);
    CHECK(equal(map, map));
    CHECK(!equal(map, other));
    ouro_value_share(shared_one);
    thread_do(foreign, (ouro_value[]){map, private, shared_one}, 0);
    ouro_value all[] = {map, set, key, shared_one, dict, other, private};
    ouro_value_release_all(all, 7);
}

static void *use_them(void *arg)
{
    ouro_value *all = arg;
    for (int i = 0; i < 3; i++) {
        ouro_value_share(all[i]); /* misuse, if it were another thread's */
        ouro_value_release(ouro_value_retain(all[i]));
    }
    CHECK_EQ(value_of(all[0], all[1]), 2);
    return NULL;
}

/* What is put in is shared from then on, so that it may die anywhere. */
static void storing_publishes(void)
{
    ouro_value map = map_new(), key = leaf(1), value = leaf(2);
    OK(ouro_weak_map_set(map, key, value));
    ouro_value all[] = {map, key, value};
    thread_do(use_them, all, 0);
    ouro_value_release_all(all, 3);
}

/* All that an unbiased thread makes is born shared. */
static void *use_unbiased(void *arg)
{
    (void)arg;
    OK(ouro_thread_attach(OURO_THREAD_UNBIASED));
    set_and_get();
    taking_out();
    entries_go();
    cycles();
    iterating();
    return NULL;
}

static void unbiased(void)
{
    thread_do(use_unbiased, NULL, 0);
}

/* A finalizer that uses the map it is a key of. */
static ouro_value used_map;
static long seen_in_finalizer;

static void use_map(void *object)
{
    struct leaf *l = object;
    if (l->id == 1)
        seen_in_finalizer = value_of(used_map, ouro_value_of(object));
    CHECK_EQ(ouro_weak_map_set(used_map, ouro_value_of(object), ouro_value_of(object)), OURO_OK); /* dies all the same */
}

static void finalizers_use_the_map(void)
{
    ouro_value key = leaf(1), value = leaf(2);
    used_map = map_new();
    seen_in_finalizer = -2;
    OK(ouro_weak_map_set(used_map, key, value));
    on_finalize(use_map);
    drop(&key);
    drop(&value);
    on_finalize(NULL);
    if (flags == OURO_WEAK_KEYS) {
        CHECK_EQ(seen_in_finalizer, 2);
    }
    OK(ouro_weak_map_clear(used_map));
    ouro_gc_collect(2);
    CHECK_EQ(finalized(), 2);
    CHECK_LIVE(1);
    ouro_value_release(used_map);
}

/* ---- lack of memory ---- */

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
    size_t count;
    ouro_value now, out;
    fixture_start();
    flags = *(unsigned *)arg;
    ouro_value map = filled(), set = ouro_weak_set_new(), other = leaf(1), value = leaf(2);
    bool is;
    OK(ouro_weak_set_add(set, keys[0], NULL));
    OK(ouro_mem_set_limit(0, 1)); /* no page more */
    exhaust(kept, &count, KEPT);
    REQUIRE(count < KEPT);
    ouro_status status = OURO_OK;
    for (int i = 0; i < COUNT && status == OURO_OK; i++) { /* some room may be left at first */
        if (flags & OURO_WEAK_KEYS) {
            ouro_value key = OURO_NIL;
            status = ouro_weak_map_set(map, other, key = ouro_value_retain(value));
            ouro_value_release(key);
            if (status == OURO_OK)
                OK(ouro_weak_map_delete(map, other));
        } else {
            status = ouro_weak_map_set(map, INT(1000 + i), value);
        }
    }
    CHECK_EQ(status, OURO_E_NOMEM);
    CHECK_EQ(ouro_weak_map_setdefault(map, other, value, &now), OURO_E_NOMEM);
    CHECK_EQ(now, OURO_NIL);
    CHECK_EQ(ouro_weak_set_add(set, other, &is), OURO_E_NOMEM);
    CHECK(!is);
    CHECK_EQ(ouro_weak_map_new(flags, &out), OURO_E_NOMEM);
    CHECK_EQ(out, OURO_NIL);
    CHECK_EQ(ouro_weak_set_new(), OURO_NIL);
    for (long i = 0; i < COUNT; i++)
        CHECK_EQ(value_of(map, keys[i]), 100 + i);
    drop(&keys[3]); /* what dies needs none */
    drop(&vals[3]);
    CHECK_EQ(value_of(map, keys[4]), 104);
    OK(ouro_weak_map_delete(map, keys[4]));
    OK(ouro_mem_set_limit(0, 0));
    while (count)
        ouro_release(kept[--count]);
    OK(ouro_weak_map_set(map, other, value));
    CHECK_EQ(value_of(map, other), 2);
    ouro_value all[] = {map, set, other, value};
    ouro_value_release_all(all, 4);
    drop_all();
    CHECK_LIVE(0);
}

static void lack_of_memory(void)
{
    CHECK_EQ(child_run(starve, &flags), 0);
}

#define ALL(test)                \
    static void all_##test(void) \
    {                            \
        with_all_flags(test);    \
    }
ALL(set_and_get)
ALL(setdefault)
ALL(taking_out)
ALL(entries_go)
ALL(replaced_values_die)
ALL(maps_die)
ALL(addresses_are_used_again)
ALL(cycles)
ALL(maps_in_cycles)
ALL(values_lead_to_keys)
ALL(death_elsewhere)
ALL(in_read_sections)
ALL(by_identity)
ALL(hosts)
ALL(iterating)
ALL(refusals)
ALL(storing_publishes)
ALL(unbiased)
ALL(lack_of_memory)

/* One at a time: finalizations are counted. */
static void finalizers_with_weak_keys(void)
{
    flags = OURO_WEAK_KEYS;
    finalizers_use_the_map();
}
static void finalizers_with_weak_values(void)
{
    flags = OURO_WEAK_VALUES;
    finalizers_use_the_map();
}
static void finalizers_with_both(void)
{
    flags = OURO_WEAK_KEYS | OURO_WEAK_VALUES;
    finalizers_use_the_map();
}

static size_t after_maps(int count)
{
    for (int i = 0; i < count; i++) {
        ouro_value map = map_new(), key = leaf(i), value = leaf(i);
        OK(ouro_weak_map_set(map, key, value));
        ouro_value_release(key);
        ouro_value_release(value);
        ouro_value_release(map);
    }
    CHECK_GE(ouro_gc_collect(2), 0);
    ouro_mem_trim();
    return mem_stats().committed_bytes;
}

/* Nor is anything left that is no object. */
static void memory_comes_back(void)
{
    size_t before = after_maps(1000), after = after_maps(SCALED(40000));
    CHECK_LE(after, before + 512 * 1024);
}

static void all_memory_comes_back(void)
{
    with_all_flags(memory_comes_back);
}

int main(void)
{
    check_start("value_weak_map_test");
    CHECK_RUN(all_lack_of_memory); /* in children of a process without a runtime */
    fixture_start();
    FIXTURE_RUN(all_set_and_get);
    FIXTURE_RUN(all_setdefault);
    FIXTURE_RUN(all_taking_out);
    FIXTURE_RUN(all_entries_go);
    FIXTURE_RUN(all_replaced_values_die);
    FIXTURE_RUN(all_maps_die);
    FIXTURE_RUN(all_addresses_are_used_again);
    FIXTURE_RUN(all_cycles);
    FIXTURE_RUN(all_maps_in_cycles);
    FIXTURE_RUN(all_values_lead_to_keys);
    FIXTURE_RUN(all_death_elsewhere);
    FIXTURE_RUN(all_in_read_sections);
    FIXTURE_RUN(all_by_identity);
    FIXTURE_RUN(all_hosts);
    FIXTURE_RUN(all_sorts_of_keys);
    FIXTURE_RUN(sets);
    FIXTURE_RUN(all_iterating);
    FIXTURE_RUN(all_refusals);
    FIXTURE_RUN(all_storing_publishes);
    FIXTURE_RUN(all_unbiased);
    FIXTURE_RUN(all_memory_comes_back);
    FIXTURE_RUN(finalizers_with_weak_keys);
    FIXTURE_RUN(finalizers_with_weak_values);
    FIXTURE_RUN(finalizers_with_both);
    return check_finish();
}
