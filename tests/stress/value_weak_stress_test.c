/* SPDX-License-Identifier: MIT
 *
 * Scenario: four threads make keys and values, enter them in common weak maps (weak keys, weak values, both) and a weak set, look them up, take them
 * out, replace them, and drop them, or let another thread drop them, by way of a board. Some are garbage cycles, some lead to each other. One
 * more thread iterates, and one collects; one of the maps is now and then replaced by another, with all that is in it.
 * Each entry is changed only by the thread that made its key, so that thread knows what it must find; all know which value goes with a key.
 * Seed: OURO_TEST_SEED; the interleaving is the machine's. In debug builds the steps are drawn out at random.
 * Asserted: a thread finds what it entered, as long as both are alive, and nothing else; an iterator gives pairs that belong together, each key
 * once, or fails as changed; at the end the maps are empty, nothing is left, and each object was finalized once. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/perturb.h"
#include "support/threads.h"
#include "support/values.h"

enum { WORKERS = 4, OTHERS = 2, MAPS = 3, HELD = 8, BOARD = 8, STEPS = SCALED(150000), GIVEN_MAX = 4096 };

/* The id of a value is that of its key, and how often it was replaced. */
#define VALUE_ID(key, n) ((key) << 8 | (n) | 1L << 40)

static struct table *maps, *board;
static ouro_value common_set;
static atomic_long ids, made, working;
static atomic_long found, missed, iterated, changed, ended;

/* A key of a worker, and what it has entered for it. */
struct held {
    struct node *key;
    struct node *value;      /* NULL: dropped */
    long number;
    bool entered, in_set;
    ouro_value map;          /* held: the map it was entered in */
    unsigned flags;
};

struct worker {
    struct rng rng;
    struct held held[HELD];
};

static const unsigned flags_of[MAPS] = {OURO_WEAK_KEYS, OURO_WEAK_VALUES, OURO_WEAK_KEYS | OURO_WEAK_VALUES};

static ouro_value map_new(unsigned flags)
{
    ouro_value map;
    REQUIRE(ouro_weak_map_new(flags, &map) == OURO_OK);
    return map;
}

static struct node *thing_new(struct rng *rng, long id)
{
    struct node *n = node_new(id);
    atomic_fetch_add(&made, 1);
    if (rng_one_in(rng, 4))
        ouro_set(n, &n->a, n); /* garbage, once nobody holds it */
    return n;
}

static ouro_value value_of(void *object)
{
    return ouro_value_of(object);
}

/* What it must be: its value; NULL: none. */
static void check_entry(struct held *h)
{
    ouro_value v;
    ouro_status status = ouro_weak_map_get(h->map, value_of(h->key), &v);
    bool there = h->entered && (h->value || !(h->flags & OURO_WEAK_VALUES));
    if (there) {
        CHECK_EQ(status, OURO_OK);
        CHECK_EQ(status == OURO_OK ? ((struct node *)ouro_value_object(v))->id : 0, VALUE_ID(h->key->id, h->number));
    } else if (!h->entered) {
        CHECK_EQ(status, OURO_E_KEY);
    } else if (status == OURO_OK) { /* dropped, but another holds it for a moment, or it is garbage not found yet */
        CHECK_EQ(((struct node *)ouro_value_object(v))->id, VALUE_ID(h->key->id, h->number));
    }
    atomic_fetch_add(status == OURO_OK ? &found : &missed, 1);
    ouro_value_release(v);
}

static void enter(struct worker *w, struct held *h)
{
    struct node *value = thing_new(&w->rng, VALUE_ID(h->key->id, ++h->number & 0xff));
    h->number &= 0xff;
    ouro_value now;
    if (h->entered && rng_one_in(&w->rng, 3)) {
        bool must = h->value || !(h->flags & OURO_WEAK_VALUES);
        CHECK_EQ(ouro_weak_map_setdefault(h->map, value_of(h->key), value_of(value), &now), OURO_OK);
        long id = ((struct node *)ouro_value_object(now))->id;
        long old = VALUE_ID(h->key->id, (h->number - 1) & 0xff);
        CHECK(id == old || (!must && id == value->id));
        ouro_value_release(now);
        if (id == old) {
            h->number = (h->number - 1) & 0xff;
            ouro_release(value);
            return;
        }
    } else {
        CHECK_EQ(ouro_weak_map_set(h->map, value_of(h->key), value_of(value)), OURO_OK);
    }
    h->entered = true;
    ouro_release(h->value);
    h->value = value;
}

static void take_out(struct worker *w, struct held *h)
{
    ouro_value v = OURO_NIL;
    ouro_status status = rng_one_in(&w->rng, 2) ? ouro_weak_map_pop(h->map, value_of(h->key), &v) : ouro_weak_map_delete(h->map, value_of(h->key));
    if (!h->entered)
        CHECK_EQ(status, OURO_E_KEY);
    else if (h->value || !(h->flags & OURO_WEAK_VALUES))
        CHECK_EQ(status, OURO_OK);
    h->entered = false;
    ouro_value_release(v);
}

static void drop(struct worker *w, struct held *h)
{
    if (h->entered && h->flags == OURO_WEAK_VALUES && !rng_one_in(&w->rng, 4))
        take_out(w, h); /* else the key stays as long as the value does */
    if (h->value && rng_one_in(&w->rng, 8) && h->flags == (OURO_WEAK_KEYS | OURO_WEAK_VALUES)) {
        ouro_set(h->value, &h->value->b, h->key); /* they lead to each other */
        ouro_set(h->key, &h->key->b, h->value);
    }
    if (rng_one_in(&w->rng, 3)) /* another thread drops it, some time */
        ouro_set(board, &board->items[rng_below(&w->rng, BOARD)], rng_one_in(&w->rng, 2) || !h->value ? h->key : h->value);
    ouro_release(h->key);
    ouro_release(h->value);
    ouro_value_release(h->map);
    memset(h, 0, sizeof *h);
}

static void use_set(struct held *h)
{
    bool was;
    CHECK_EQ(ouro_weak_set_has(common_set, value_of(h->key), &was), OURO_OK);
    CHECK_EQ(was, h->in_set);
    CHECK_EQ(h->in_set ? ouro_weak_set_discard(common_set, value_of(h->key), &was) : ouro_weak_set_add(common_set, value_of(h->key), &was),
             OURO_OK);
    CHECK(was);
    h->in_set = !h->in_set;
}

static void step(struct worker *w)
{
    struct held *h = &w->held[rng_below(&w->rng, HELD)];
    if (!h->key) {
        unsigned i = rng_below(&w->rng, MAPS);
        h->key = thing_new(&w->rng, atomic_fetch_add(&ids, 1));
        h->map = value_of(ouro_get(maps, &maps->items[i]));
        h->flags = flags_of[i];
    }
    switch (rng_below(&w->rng, 12)) {
    case 0:
    case 1:
    case 2: enter(w, h); break;
    case 3:
    case 4: take_out(w, h); break;
    case 5:
    case 6: drop(w, h); break;
    case 7: use_set(h); break;
    case 8:
        ouro_release(h->value);
        h->value = NULL;
        break;
    case 9:
        if (rng_one_in(&w->rng, 400)) { /* the map goes, when its last user does */
            unsigned i = rng_below(&w->rng, MAPS);
            ouro_give(maps, &maps->items[i], ouro_value_object(map_new(flags_of[i])));
        }
        break;
    default: check_entry(h);
    }
    if (rng_one_in(&w->rng, 16))
        ouro_set(board, &board->items[rng_below(&w->rng, BOARD)], NULL);
    yield_sometimes(&w->rng);
}

/* ---- the others ---- */

static void check_pair(ouro_value key, ouro_value value, long *given, size_t *count)
{
    long k = ((struct node *)ouro_value_object(key))->id, v = ((struct node *)ouro_value_object(value))->id;
    CHECK_EQ(v & ~0xffL, VALUE_ID(k, 0));
    for (size_t i = 0; i < *count; i++)
        CHECK_NE(given[i], k);
    if (*count < GIVEN_MAX)
        given[(*count)++] = k;
    ouro_value_release(key);
    ouro_value_release(value);
}

static void iterate(struct rng *rng)
{
    static _Thread_local long given[GIVEN_MAX];
    size_t count = 0, length;
    ouro_value map = value_of(ouro_get(maps, &maps->items[rng_below(rng, MAPS)])), iterator, key, value;
    REQUIRE(ouro_iterate(map, &iterator) == OURO_OK);
    for (;;) {
        ouro_status status = ouro_iterator_next_pair(iterator, &key, &value);
        if (status != OURO_OK) {
            atomic_fetch_add(status == OURO_E_CHANGED ? &changed : &ended, 1);
            CHECK(status == OURO_E_CHANGED || status == OURO_E_END);
            CHECK_EQ(ouro_iterator_next_pair(iterator, &key, &value), status);
            break;
        }
        check_pair(key, value, given, &count);
        atomic_fetch_add(&iterated, 1);
    }
    CHECK_EQ(ouro_weak_map_length(map, &length), OURO_OK);
    CHECK_LE(length, (size_t)atomic_load(&made));
    ouro_value_release(iterator);
    ouro_value_release(map);
}

static void look_on(struct member *self)
{
    while (atomic_load(&working)) {
        if (self->index == WORKERS)
            CHECK_GE(ouro_gc_collect(rng_one_in(&self->rng, 3) ? 2 : 1), 0);
        else
            iterate(&self->rng);
        yield_sometimes(&self->rng);
    }
}

static void work(struct member *self)
{
    struct worker w = {.rng = self->rng};
    for (int i = 0; i < STEPS; i++)
        step(&w);
    for (int i = 0; i < HELD; i++)
        if (w.held[i].key)
            drop(&w, &w.held[i]);
    atomic_fetch_sub(&working, 1);
}

static void member(struct member *self)
{
    if (self->index < WORKERS)
        work(self);
    else
        look_on(self);
}

/* ---- the test ---- */

static uint64_t seed;

static void test_weak_maps(void)
{
    size_t length;
    maps = table_new(MAPS);
    board = table_new(BOARD);
    common_set = ouro_weak_set_new();
    REQUIRE(ouro_is_object(common_set));
    for (int i = 0; i < MAPS; i++)
        ouro_give(maps, &maps->items[i], ouro_value_object(map_new(flags_of[i])));
    ouro_share(maps);
    ouro_share(board);
    atomic_store(&working, WORKERS);
    perturb_start(seed, 32);
    team_run(WORKERS + OTHERS, seed, member, NULL);
    perturb_stop();
    ouro_release(board);
    for (int i = 0; i < MAPS; i++) { /* keys that are held as long as their values are, values as long as their keys */
        ouro_value map = value_of(ouro_get(maps, &maps->items[i]));
        ouro_gc_collect(2);
        ouro_gc_collect(2);
        CHECK_EQ(ouro_weak_map_length(map, &length), OURO_OK);
        CHECK_EQ(length, 0);
        ouro_value_release(map);
    }
    CHECK_EQ(ouro_weak_set_length(common_set, &length), OURO_OK);
    CHECK_EQ(length, 0);
    ouro_release(maps);
    ouro_value_release(common_set);
    ouro_gc_collect(2);
    CHECK_LIVE(0);
    CHECK_EQ(finalized(), atomic_load(&made));
    printf("       %ld objects, %ld found, %ld not, %ld pairs by iterators, of which %ld ended and %ld met changes\n", atomic_load(&made),
           atomic_load(&found), atomic_load(&missed), atomic_load(&iterated), atomic_load(&ended), atomic_load(&changed));
}

int main(void)
{
    check_start("value_weak_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_weak_maps);
    return check_finish();
}
