/* SPDX-License-Identifier: MIT
 *
 * What a collection of generation 2 looks at when shared lists, dicts and sets have been changed: what was put in and taken out, and what that leads
 * to (docs/design/candidates.md; value/turn.h, T4). After each way to change one, a collection that follows candidates finds what has become
 * garbage by it: one that looks at everything, right after it, finds nothing. Seed: OURO_TEST_SEED. */
#include "cycle/candidates.h"
#include "cycle/check.h"

#include <ouro/ouro.h>
#include <string.h>

#include "object/hint.h"
#include "support/beside.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"
#include "support/values.h"

enum { RING = 10, NEAR = 100, ON_PAGE = 6000 };

static uint64_t seed;

static size_t looked_at(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[2].candidates;
}

static void collect_all(void)
{
    oi_candidates_forget();
    ouro_gc_collect(2);
}

static void settle(void)
{
    collect_all();
    ouro_gc_collect(2);
}

/* The collection follows candidates, to so many objects at most, finds so many, and leaves nothing to be found. */
static void check_collection(long found, size_t most)
{
    size_t followed = oi_candidates_followed, before = looked_at();
    CHECK_EQ(ouro_gc_collect(2), found);
    CHECK_LE(looked_at() - before, most);
    CHECK_EQ(oi_candidates_followed, followed + 1);
    oi_candidates_forget();
    CHECK_EQ(ouro_gc_collect(2), 0);
}

static ouro_value shared(ouro_value value)
{
    ouro_share(ouro_value_object(value));
    return value;
}

static ouro_value new_node(void)
{
    return shared(ouro_value_of(plain_new(0)));
}

/* A ring of shared objects, one reference: the caller's. */
static ouro_value ring_new(void)
{
    ouro_value first = new_node(), last = ouro_value_retain(first);
    for (int i = 1; i <= RING; i++) {
        ouro_value next = i < RING ? new_node() : ouro_value_retain(first);
        struct node *node = ouro_value_object(last);
        ouro_value_set(node, &node->a, next);
        ouro_value_release(last);
        last = next;
    }
    ouro_value_release(last);
    return first;
}

/* ---- what is taken out ---- */

enum { RUN = 4, LAST = RUN - 1 };

/* Four elements, one of which is a ring; `at` says which. */
static ouro_value list_with(ouro_value ring, ptrdiff_t at)
{
    ouro_value list = ouro_list_new();
    for (ptrdiff_t i = 0; i < RUN; i++)
        CHECK_OK(ouro_list_append(list, i == at ? ring : INT(i)));
    return shared(list);
}

static void list_set(ouro_value list, ptrdiff_t at)
{
    CHECK_OK(ouro_list_set(list, at, INT(7)));
}

static void list_swap(ouro_value list, ptrdiff_t at)
{
    ouro_value old;
    CHECK_OK(ouro_list_swap(list, at, INT(7), &old));
    ouro_value_release(old);
}

static void list_compare_set(ouro_value list, ptrdiff_t at)
{
    ouro_value old;
    bool done;
    CHECK_OK(ouro_list_get(list, at, &old));
    CHECK_OK(ouro_list_compare_set(list, at, old, INT(7), &done));
    CHECK(done);
    ouro_value_release(old);
}

static void list_pop(ouro_value list, ptrdiff_t at)
{
    ouro_value old;
    CHECK_OK(ouro_list_pop(list, at == LAST ? -1 : at, &old));
    ouro_value_release(old);
}

static void list_delete(ouro_value list, ptrdiff_t at)
{
    CHECK_OK(ouro_list_delete(list, at));
}

static void list_cut(ouro_value list, ptrdiff_t at)
{
    CHECK_OK(ouro_list_delete_slice(list, at == LAST ? 2 : 0, at == LAST ? RUN : 2, 1));
}

static void list_every_third(ouro_value list, ptrdiff_t at)
{
    (void)at;
    CHECK_OK(ouro_list_delete_slice(list, 0, RUN, 3));
}

static void list_replace_every_third(ouro_value list, ptrdiff_t at)
{
    (void)at;
    CHECK_OK(ouro_list_set_slice(list, 0, RUN, 3, (ouro_value[]){INT(7), INT(8)}, 2));
}

static void list_replace_slice(ouro_value list, ptrdiff_t at)
{
    CHECK_OK(ouro_list_set_slice(list, at, at + 1, 1, (ouro_value[]){INT(7), INT(8), INT(9)}, 3));
}

static void list_clear(ouro_value list, ptrdiff_t at)
{
    (void)at;
    CHECK_OK(ouro_list_clear(list));
}

static void (*const list_removals[])(ouro_value, ptrdiff_t) = {
    list_set, list_swap, list_compare_set, list_pop, list_delete, list_cut, list_every_third, list_replace_every_third, list_replace_slice, list_clear};

/* Four entries; the value of `at` is a ring. */
static ouro_value dict_with(ouro_value ring, ptrdiff_t at)
{
    ouro_value dict = ouro_dict_new();
    for (ptrdiff_t i = 0; i < RUN; i++)
        CHECK_OK(ouro_dict_set(dict, INT(i), i == at ? ring : INT(i)));
    return shared(dict);
}

static void dict_set(ouro_value dict, ptrdiff_t at)
{
    CHECK_OK(ouro_dict_set(dict, INT(at), INT(7)));
}

static void dict_compare_set(ouro_value dict, ptrdiff_t at)
{
    ouro_value old;
    bool done;
    CHECK_OK(ouro_dict_get(dict, INT(at), &old));
    CHECK_OK(ouro_dict_compare_set(dict, INT(at), old, INT(7), &done));
    CHECK(done);
    ouro_value_release(old);
}

static void dict_pop(ouro_value dict, ptrdiff_t at)
{
    ouro_value old;
    CHECK_OK(ouro_dict_pop(dict, INT(at), &old));
    ouro_value_release(old);
}

static void dict_pop_item(ouro_value dict, ptrdiff_t at)
{
    ouro_value key, old;
    CHECK_OK(ouro_dict_pop_item(dict, at == 0, &key, &old));
    ouro_value_release(old);
}

static void dict_set_all(ouro_value dict, ptrdiff_t at)
{
    CHECK_OK(ouro_dict_set_all(dict, (ouro_value[]){INT(at), INT(9)}, (ouro_value[]){INT(7), INT(7)}, 2));
}

/* By a copy: to compare tuples, others may have to be asked. */
static void dict_set_all_tuples(ouro_value dict, ptrdiff_t at)
{
    ouro_value tuple = tuple_of(1, INT(1));
    CHECK_OK(ouro_dict_set_all(dict, (ouro_value[]){INT(at), tuple}, (ouro_value[]){INT(7), INT(7)}, 2));
    ouro_value_release(tuple);
}

static void dict_clear(ouro_value dict, ptrdiff_t at)
{
    (void)at;
    CHECK_OK(ouro_dict_clear(dict));
}

static void (*const dict_removals[])(ouro_value, ptrdiff_t) = {dict_set,     dict_compare_set,    dict_pop,  dict_pop_item,
                                                               dict_set_all, dict_set_all_tuples, dict_clear};

static ouro_value set_with(ouro_value ring, ptrdiff_t at)
{
    ouro_value set = ouro_set_new();
    for (ptrdiff_t i = 0; i < RUN; i++)
        CHECK_OK(ouro_set_add(set, i == at ? ring : INT(i), NULL));
    return shared(set);
}

static void set_discard(ouro_value set, ptrdiff_t at)
{
    ouro_value item;
    (void)at;
    CHECK_OK(ouro_set_pop(set, &item)); /* the first */
    bool found = ouro_is_object(item);
    ouro_value_release(item);
    for (int i = 0; !found && i < RUN; i++) {
        CHECK_OK(ouro_set_pop(set, &item));
        found = ouro_is_object(item);
        ouro_value_release(item);
    }
    CHECK(found);
}

static void set_clear(ouro_value set, ptrdiff_t at)
{
    (void)at;
    CHECK_OK(ouro_set_clear(set));
}

static void (*const set_removals[])(ouro_value, ptrdiff_t) = {set_discard, set_clear};

static void check_removals(ouro_value (*with)(ouro_value, ptrdiff_t), void (*const ways[])(ouro_value, ptrdiff_t), size_t count)
{
    for (size_t i = 0; i < 4 * count; i++) {
        ptrdiff_t at = i % 2 ? LAST : 0;
        ouro_value ring = ring_new(), container = with(ring, at);
        ouro_value_release(ring);
        settle();
        if (i < 2 * count) {
            ways[i / 2](container, at);
            check_collection(RING, ON_PAGE);
        } else { /* some of the collections come too early, and one must not */
            beside_begin();
            ways[i / 2 - count](container, at);
            beside_end();
            ouro_gc_collect(2);
            oi_candidates_forget();
            CHECK_EQ(ouro_gc_collect(2), 0);
        }
        ouro_value_release(container);
        CHECK_LIVE(0);
    }
}

#define CHECK_REMOVALS(with, ways) check_removals(with, ways, sizeof(ways) / sizeof *(ways))

static void test_removed(void)
{
    CHECK_REMOVALS(list_with, list_removals);
    CHECK_REMOVALS(dict_with, dict_removals);
    CHECK_REMOVALS(set_with, set_removals);
}

/* The ring is the last entry but one of a dict that is so large that its store goes with its last. */
static void test_last_entry(void)
{
    enum { MANY = 500 };
    for (int i = 0; i < 2; i++) {
        ouro_value container = i ? ouro_set_new() : ouro_dict_new(), ring = ring_new(), last = OURO_NIL;
        for (int n = 0; n < MANY; n++) {
            ouro_value word = n == MANY - 1 ? ring : INT(n);
            CHECK_OK(i ? ouro_set_add(container, word, NULL) : ouro_dict_set(container, INT(n), word));
        }
        ouro_value_release(ring);
        shared(container);
        for (int n = 0; n < MANY - 1; n++)
            CHECK_OK(i ? ouro_set_remove(container, INT(n)) : ouro_dict_delete(container, INT(n)));
        settle();
        CHECK_OK(i ? ouro_set_pop(container, &last) : ouro_dict_pop(container, INT(MANY - 1), &last));
        CHECK(ouro_is_object(last));
        ouro_value_release(last);
        check_collection(RING, NEAR);
        ouro_value_release(container);
    }
}

/* ---- what is put in ---- */

/* The container's last reference from outside goes into itself: as many references as before. */

static void put_set(ouro_value list)
{
    CHECK_OK(ouro_list_set(list, 1, list));
}

static void put_compare_set(ouro_value list)
{
    bool done;
    CHECK_OK(ouro_list_compare_set(list, 1, INT(1), list, &done));
    CHECK(done);
}

static void put_swap(ouro_value list)
{
    ouro_value old;
    CHECK_OK(ouro_list_swap(list, 0, list, &old));
}

static void put_append(ouro_value list)
{
    CHECK_OK(ouro_list_append(list, list));
}

static void put_append_two(ouro_value list)
{
    CHECK_OK(ouro_list_append_all(list, (ouro_value[]){INT(3), list}, 2));
}

static void put_insert(ouro_value list)
{
    CHECK_OK(ouro_list_insert(list, 0, list));
}

static void put_slice(ouro_value list)
{
    CHECK_OK(ouro_list_set_slice(list, 0, 3, 2, (ouro_value[]){list, INT(1)}, 2));
}

static void put_and_reverse(ouro_value list)
{
    CHECK_OK(ouro_list_clear(list));
    CHECK_OK(ouro_list_append(list, list));
    CHECK_OK(ouro_list_append(list, INT(1)));
    CHECK_OK(ouro_list_reverse(list));
}

static void put_value(ouro_value dict)
{
    CHECK_OK(ouro_dict_set(dict, INT(1), dict));
}

static void put_compare_value(ouro_value dict)
{
    bool done;
    CHECK_OK(ouro_dict_compare_set(dict, INT(1), INT(1), dict, &done));
    CHECK(done);
}

static void put_new(ouro_value dict)
{
    CHECK_OK(ouro_dict_set(dict, INT(5), dict));
}

static void put_default(ouro_value dict)
{
    ouro_value now;
    CHECK_OK(ouro_dict_setdefault(dict, INT(5), dict, &now));
    ouro_value_release(now);
}

static void put_many(ouro_value dict)
{
    for (int i = 4; i < 40; i++)
        CHECK_OK(ouro_dict_set(dict, INT(i), i == 6 ? dict : INT(i)));
}

static void put_all(ouro_value dict)
{
    CHECK_OK(ouro_dict_set_all(dict, (ouro_value[]){INT(1), INT(9)}, (ouro_value[]){dict, INT(7)}, 2));
}

static void put_all_tuples(ouro_value dict)
{
    ouro_value tuple = tuple_of(1, INT(1));
    CHECK_OK(ouro_dict_set_all(dict, (ouro_value[]){INT(1), tuple}, (ouro_value[]){dict, INT(7)}, 2));
    ouro_value_release(tuple);
}

static void check_put(ouro_value container, void (*put)(ouro_value), bool with_collections)
{
    settle();
    if (with_collections)
        beside_begin();
    put(container);
    ouro_value_release(container);
    if (with_collections) {
        beside_end();
        ouro_gc_collect(2);
    } else {
        long found = ouro_gc_collect(2);
        CHECK_LE(1, found);
    }
    oi_candidates_forget();
    CHECK_EQ(ouro_gc_collect(2), 0);
    CHECK_LIVE(0);
}

static void test_put_in(void)
{
    void (*const lists[])(ouro_value) = {put_set, put_compare_set, put_swap, put_append, put_append_two, put_insert, put_slice, put_and_reverse};
    void (*const dicts[])(ouro_value) = {put_value, put_compare_value, put_new, put_default, put_many, put_all, put_all_tuples};
    for (int beside_too = 0; beside_too < 2; beside_too++) {
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
            ouro_value list;
            CHECK_OK(ouro_list_new_with_room(16, &list));
            CHECK_OK(ouro_list_append_all(list, (ouro_value[]){INT(0), INT(1), INT(2)}, 3));
            check_put(shared(list), lists[i], beside_too);
        }
        for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++)
            check_put(dict_with(INT(1), 1), dicts[i], beside_too);
    }
}

/* Into a set, which only the element refers to. */
static void test_put_in_set(void)
{
    for (int beside_too = 0; beside_too < 2; beside_too++) {
        ouro_value element = new_node(), set = set_with(INT(1), 1);
        struct node *node = ouro_value_object(element);
        ouro_value_set(node, &node->a, set);
        settle();
        ouro_value_release(set);
        ouro_gc_collect(2);
        if (beside_too)
            beside_begin();
        CHECK_OK(ouro_set_add(set, element, NULL));
        if (beside_too)
            beside_end();
        ouro_value_release(element);
        size_t followed = oi_candidates_followed;
        ouro_gc_collect(2);
        CHECK_EQ(oi_candidates_followed, followed + 1);
        CHECK_LIVE(0);
    }
}

/* ---- many changes beside much that is old ---- */

enum { OLD = 60000, CHANGES = 1000000 };

static void change_dict(ouro_value dict, int i)
{
    ouro_value key = INT(i % 1000), value = i % 100 ? INT(i) : new_node();
    CHECK_OK(ouro_dict_set(dict, key, value));
    ouro_value_release(value);
}

static void change_list(ouro_value list, int i)
{
    ouro_value value = i % 100 ? INT(i) : new_node();
    if (i % 3 == 0)
        CHECK_OK(ouro_list_append(list, value));
    else if (i % 3 == 1)
        CHECK_OK(ouro_list_pop(list, -1, NULL));
    else
        CHECK_OK(ouro_list_set(list, 0, value));
    ouro_value_release(value);
}

static void change_set(ouro_value set, int i)
{
    CHECK_OK(i % 2 ? ouro_set_remove(set, INT(i / 2 % 1000)) : ouro_set_add(set, INT(i / 2 % 1000), NULL));
}

static void test_many_changes(void)
{
    void (*const changes[])(ouro_value, int) = {change_dict, change_list, change_set};
    struct table *old = table_new(OLD);
    ouro_value ring = ring_new();
    for (size_t i = 0; i < OLD; i++)
        ouro_give(old, &old->items[i], plain_new((long)i));
    ouro_share(old);
    ouro_value containers[] = {dict_with(ring, 0), list_with(ring, 1), set_with(ring, 0)};
    ouro_value_release(ring);
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(ouro_list_append(containers[1], containers[i])); /* all three in one cycle, too */
    settle();
    for (int c = 0; c < 3; c++) {
        size_t before = looked_at();
        size_t followed = oi_candidates_followed;
        for (int i = 0; i < SCALED(CHANGES); i++)
            changes[c](containers[c], i);
        CHECK_EQ(ouro_gc_collect(2), 0);
        CHECK_EQ(oi_candidates_followed, followed + 1);
        CHECK_LT(looked_at() - before, OLD / 2);
    }
    for (int c = 0; c < 3; c++)
        ouro_value_release(containers[c]);
    size_t before = looked_at();
    CHECK_GE(ouro_gc_collect(2), RING + 3);
    CHECK_LT(looked_at() - before, OLD / 2);
    oi_candidates_forget();
    CHECK_EQ(ouro_gc_collect(2), 0);
    ouro_release(old);
}

/* ---- at random ---- */

enum { BOARD = 24, HAND = 4, THREADS = 3, ROUNDS = 60, STEPS = 600, KEYS = 12 };

static ouro_value board[BOARD];

static ouro_value make_any(struct rng *rng)
{
    switch (rng_below(rng, 4)) {
    case 0:
        return shared(ouro_list_new());
    case 1:
        return shared(ouro_dict_new());
    case 2:
        return shared(ouro_set_new());
    default:
        return new_node();
    }
}

/* Statuses are of no interest: others change the same containers, and positions may be beyond the end. */
static void ignore(ouro_status status)
{
    (void)status;
}

static void change_list_at_random(struct rng *rng, ouro_value list, ouro_value *x)
{
    ptrdiff_t at = (ptrdiff_t)rng_below(rng, 12);
    ouro_value old = OURO_NIL;
    bool done;
    switch (rng_below(rng, 12)) {
    case 0:
    case 1:
    case 2:
        ignore(ouro_list_append(list, *x));
        break;
    case 3:
        ignore(ouro_list_set(list, at, *x));
        break;
    case 4:
        ignore(ouro_list_insert(list, at, *x));
        break;
    case 5:
        ignore(ouro_list_pop(list, at - 6, &old));
        break;
    case 6:
        ignore(ouro_list_delete(list, at));
        break;
    case 7:
        ignore(ouro_list_swap(list, at, *x, &old));
        break;
    case 8:
        ignore(ouro_list_get(list, at, &old));
        ignore(ouro_list_compare_set(list, at, old, *x, &done));
        break;
    case 9:
        ignore(ouro_list_append_all(list, (ouro_value[]){INT(1), *x, list}, 3));
        break;
    case 10:
        ignore(ouro_list_delete_slice(list, at / 2, at, 1 + (ptrdiff_t)rng_below(rng, 2)));
        break;
    default:
        ignore(rng_one_in(rng, 4) ? ouro_list_clear(list) : ouro_list_reverse(list));
    }
    ouro_value_release(old);
}

static void change_dict_at_random(struct rng *rng, ouro_value dict, ouro_value *x)
{
    ouro_value key = INT(rng_below(rng, KEYS)), key2 = INT(rng_below(rng, KEYS)), old = OURO_NIL;
    bool done;
    switch (rng_below(rng, 9)) {
    case 0:
    case 1:
        ignore(ouro_dict_set(dict, key, *x));
        break;
    case 2:
        ignore(ouro_dict_swap(dict, key, *x, NULL, &old));
        break;
    case 3:
        ignore(ouro_dict_pop(dict, key, &old));
        break;
    case 4:
        ignore(ouro_dict_setdefault(dict, key, *x, &old));
        break;
    case 5:
        ignore(ouro_dict_get(dict, key, &old));
        ignore(ouro_dict_compare_set(dict, key, old, *x, &done));
        break;
    case 6:
        ignore(ouro_dict_set_all(dict, (ouro_value[]){key, key2}, (ouro_value[]){*x, dict}, 2));
        break;
    case 7:
        ignore(ouro_dict_delete(dict, key));
        break;
    default:
        ignore(rng_one_in(rng, 4) ? ouro_dict_clear(dict) : ouro_dict_pop_item(dict, true, &key, &old));
    }
    ouro_value_release(old);
}

static void change_set_at_random(struct rng *rng, ouro_value set, ouro_value *x)
{
    ouro_value old = OURO_NIL;
    switch (rng_below(rng, 4)) {
    case 0:
    case 1:
        ignore(ouro_set_add(set, *x, NULL));
        break;
    case 2:
        ignore(ouro_set_discard(set, *x, NULL));
        break;
    default:
        ignore(ouro_set_pop(set, &old));
    }
    ouro_value_release(old);
}

static void change_any(struct rng *rng, ouro_value container, ouro_value *x)
{
    size_t length;
    if (ouro_list_length(container, &length) == OURO_OK) {
        change_list_at_random(rng, container, x);
    } else if (ouro_dict_length(container, &length) == OURO_OK) {
        change_dict_at_random(rng, container, x);
    } else if (ouro_set_length(container, &length) == OURO_OK) {
        change_set_at_random(rng, container, x);
    } else if (ouro_is_object(container)) {
        struct node *node = ouro_value_object(container);
        ouro_value_set(node, rng_one_in(rng, 2) ? &node->a : &node->b, *x);
    }
}

/* Something that the container refers to, or another new object. */
static ouro_value take_up(struct rng *rng, ouro_value from)
{
    ouro_value found = OURO_NIL;
    size_t length;
    if (ouro_list_length(from, &length) == OURO_OK)
        ignore(ouro_list_get(from, (ptrdiff_t)rng_below(rng, 6), &found));
    else if (ouro_dict_length(from, &length) == OURO_OK)
        ignore(ouro_dict_get(from, INT(rng_below(rng, KEYS)), &found));
    return ouro_is_object(found) ? found : make_any(rng);
}

static void change_at_random(struct member *self)
{
    ouro_value hand[HAND];
    for (int i = 0; i < HAND; i++)
        hand[i] = make_any(&self->rng);
    for (int i = 0; i < SCALED(STEPS); i++) {
        ouro_value *x = &hand[rng_below(&self->rng, HAND)], old = *x;
        ouro_value to = rng_one_in(&self->rng, 3) ? hand[rng_below(&self->rng, HAND)] : board[rng_below(&self->rng, BOARD)];
        if (rng_one_in(&self->rng, 4)) {
            *x = take_up(&self->rng, to);
            ouro_value_release(old);
        } else {
            change_any(&self->rng, to, x);
        }
        if (rng_one_in(&self->rng, 150))
            ouro_gc_collect(1 + (int)rng_below(&self->rng, 2));
        yield_sometimes(&self->rng);
    }
    for (int i = 0; i < HAND; i++)
        ouro_value_release(hand[i]);
}

static void test_random(void)
{
    struct rng rng = rng_stream(seed, 7);
    size_t followed = oi_candidates_followed;
    long found = 0;
    for (int i = 0; i < BOARD; i++)
        board[i] = make_any(&rng);
    settle();
    for (uint64_t round = 0; round < SCALED(ROUNDS) + 5; round++) {
        team_run(1 + round % THREADS, seed + round, change_at_random, NULL);
        ouro_value_release(board[round % BOARD]);
        board[round % BOARD] = make_any(&rng);
        found += ouro_gc_collect(2);
        oi_candidates_forget();
        CHECK_EQ(ouro_gc_collect(2), 0);
    }
    CHECK_GT(found, 0);
    CHECK_GT(oi_candidates_followed - followed, SCALED(ROUNDS));
    for (int i = 0; i < BOARD; i++)
        ouro_value_release(board[i]);
    collect_all();
}

int main(void)
{
    check_start("candidates_values_test");
    seed = rng_seed();
    fixture_start();
    ouro_gc_disable();
    oi_candidates_share = 1;
    oi_candidates_check_every = 1;
    FIXTURE_RUN(test_removed);
    FIXTURE_RUN(test_last_entry);
    FIXTURE_RUN(test_put_in);
    FIXTURE_RUN(test_put_in_set);
    FIXTURE_RUN(test_many_changes);
    FIXTURE_RUN(test_random);
    return check_finish();
}
