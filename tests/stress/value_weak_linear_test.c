/* SPDX-License-Identifier: MIT
 *
 * Scenario: in each round, three threads enter values of their own in one weak map that does not hold them, look keys up, take them out, and drop
 * values they have entered before. What they get must be linearizable (support/linear.h), for a map in which a value that nobody holds may
 * die at any moment from then on (another thread may hold it while it looks), and is gone for all once it is gone for one.
 * Seed: OURO_TEST_SEED; the interleaving is the machine's, in debug builds also the seed's.
 * Asserted besides: at the end nothing is left, and each value was finalized once. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/fixture.h"
#include "support/linear.h"
#include "support/threads.h"

enum { WORKERS = 3, STEPS = 5, OPS = WORKERS * STEPS, KEYS = 2, FREE_ROUNDS = SCALED(6000), SCHEDULED_ROUNDS = SCALED(40000) };

/* A value's number is that of the operation that made it, plus 1. */
struct model {
    unsigned char values[KEYS]; /* 0: none */
    unsigned char dropped[OPS + 1];
};

enum what { GET, HAS, SET, SETDEFAULT, POP, DELETE, DROP, WHATS };
static const char *const names[WHATS] = {"get", "has", "set", "setdefault", "pop", "delete", "drop"};

struct op {
    enum what what;
    unsigned char key;
    ouro_status status;
    long got;
};

static ouro_value map, keys[KEYS], owned[OPS + 1];
static struct op ops[OPS];
static enum what kinds[OPS];
static struct model first;
static atomic_long made;

static long number_of(ouro_value value)
{
    long n = ouro_is_nil(value) ? 0 : ((struct leaf *)ouro_value_object(value))->id;
    ouro_value_release(value);
    return n;
}

static ouro_value new_value(unsigned i)
{
    atomic_fetch_add(&made, 1);
    owned[i + 1] = ouro_value_of(leaf_new(i + 1));
    ouro_value_share(owned[i + 1]); /* the referee drops it */
    return owned[i + 1];
}

/* The oldest value that the thread still has. */
static unsigned oldest(unsigned i)
{
    for (unsigned n = i - i % STEPS; n < i; n++)
        if (owned[n + 1])
            return n + 1;
    return 0;
}

static void operate(unsigned i, struct rng *rng)
{
    struct op *op = &ops[i];
    ouro_value key = keys[op->key], value = OURO_NIL;
    bool has = false;
    unsigned n;
    (void)rng;
    switch (op->what) {
    case GET: op->status = ouro_weak_map_get(map, key, &value), op->got = number_of(value); break;
    case HAS: op->status = ouro_weak_map_has(map, key, &has), op->got = has; break;
    case SET: op->status = ouro_weak_map_set(map, key, new_value(i)); break;
    case SETDEFAULT: op->status = ouro_weak_map_setdefault(map, key, new_value(i), &value), op->got = number_of(value); break;
    case POP: op->status = ouro_weak_map_pop(map, key, &value), op->got = number_of(value); break;
    case DELETE: op->status = ouro_weak_map_delete(map, key); break;
    default:
        n = oldest(i);
        op->got = n;
        if (n) {
            ouro_value_release(owned[n]);
            owned[n] = OURO_NIL;
        }
    }
}

static void die(struct model *m, unsigned char value)
{
    for (int k = 0; k < KEYS; k++)
        if (m->values[k] == value)
            m->values[k] = 0;
}

static bool apply(void *state, unsigned i)
{
    struct model *m = state;
    const struct op *op = &ops[i];
    unsigned char *value = &m->values[op->key], mine = (unsigned char)(i + 1);
    bool ok = op->status == OURO_OK;
    /* What may have died has, if so it seems. */
    bool absent = op->what == HAS ? !op->got : op->what == SETDEFAULT ? op->got == mine : op->status == OURO_E_KEY;
    if (op->what <= DELETE && op->what != SET && *value && absent && m->dropped[*value])
        die(m, *value);
    switch (op->what) {
    case GET: return *value ? ok && op->got == *value : op->status == OURO_E_KEY;
    case HAS: return ok && op->got == (*value != 0);
    case SET: *value = mine; return ok;
    case SETDEFAULT:
        if (!*value)
            *value = mine;
        return ok && op->got == *value;
    case POP:
    case DELETE:
        if (!*value)
            return op->status == OURO_E_KEY;
        if (!ok || (op->what == POP && op->got != *value))
            return false;
        *value = 0;
        return true;
    default: m->dropped[op->got] = 1; return true;
    }
}

/* ---- rounds ---- */

static const enum what feared[][5] = {
    {GET, SET, SET, DROP, HAS}, {SETDEFAULT, SET, DROP, GET, DROP}, {POP, SET, DROP, SET, DROP}, {DELETE, SETDEFAULT, DROP, GET, SET}};

static void prepare(struct rng *rng)
{
    unsigned flags = rng_one_in(rng, 2) ? OURO_WEAK_VALUES : OURO_WEAK_KEYS | OURO_WEAK_VALUES;
    const enum what *five = feared[rng_below(rng, sizeof feared / sizeof *feared)];
    bool fear = rng_one_in(rng, 2);
    for (unsigned i = 0; i < OPS; i++)
        kinds[i] = fear ? five[i % 5] : rng_below(rng, WHATS);
    REQUIRE(ouro_weak_map_new(flags, &map) == OURO_OK);
    memset(owned, 0, sizeof owned);
    first = (struct model){0};
}

static void choose(unsigned i, struct rng *rng)
{
    ops[i] = (struct op){.what = kinds[rng_below(rng, OPS)], .key = (unsigned char)rng_below(rng, KEYS)};
}

static void finish(void)
{
    ouro_value_release(map);
    ouro_value_release_all(owned, OPS + 1);
}

static void describe(unsigned i, char *text, size_t room)
{
    snprintf(text, room, "%s %d: %s %ld (%u)", names[ops[i].what], ops[i].key, ouro_status_name(ops[i].status), ops[i].got, i + 1);
}

static const struct linear_subject subject = {.threads = WORKERS,
                                              .steps = STEPS,
                                              .prepare = prepare,
                                              .choose = choose,
                                              .operate = operate,
                                              .finish = finish,
                                              .state = &first,
                                              .state_size = sizeof first,
                                              .apply = apply,
                                              .describe = describe};
static uint64_t seed;

static void run(long (*rounds)(void))
{
    long before = finalized();
    atomic_store(&made, 0);
    for (int i = 0; i < KEYS; i++) {
        struct leaf *l = leaf_new(1000 + i);
        ouro_share(l);
        keys[i] = ouro_value_of(l);
    }
    CHECK_EQ(rounds(), 0);
    live_objects();
    CHECK_EQ(finalized() - before, atomic_load(&made));
    for (int i = 0; i < KEYS; i++)
        CHECK_EQ(ouro_refcount(ouro_value_object(keys[i])), 1);
    ouro_value_release_all(keys, KEYS);
}

static long run_free(void)
{
    return linear_run_free(&subject, FREE_ROUNDS, seed, true);
}

static long run_scheduled(void)
{
    return linear_run_scheduled(&subject, SCHEDULED_ROUNDS, seed);
}

static void free_rounds(void)
{
    run(run_free);
}

static void scheduled_rounds(void)
{
    run(run_scheduled);
}

int main(void)
{
    check_start("value_weak_linear_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(free_rounds);
    FIXTURE_RUN(scheduled_rounds);
    return check_finish();
}
