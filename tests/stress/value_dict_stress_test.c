/* SPDX-License-Identifier: MIT
 *
 * Scenario: in each round, three threads do a few operations each, at random, on one shared dict, or set, of a few keys; what they get
 * must be linearizable (support/linear.h). Each round has a few kinds of operations only, and one kind of keys: integers; strings, of which
 * each is another object; hosts' objects, which the host must be asked about, and which collide. Values are integers and shared objects.
 * In the rounds in which the threads run freely, a fourth thread collects.
 * Seed: OURO_TEST_SEED; the interleaving is the machine's, in debug builds also the seed's.
 * Asserted besides: at the end nothing is left, and each object was finalized once. */
#include <stdio.h>
#include <string.h>

#include "support/fixture.h"
#include "support/linear.h"
#include "support/threads.h"

enum {
    WORKERS = 3,
    STEPS = 4,
    OPS = WORKERS * STEPS,
    KEYS = 6,
    ENTRIES_MAX = KEYS,
    OBJECTS = 4,
    VALUES = 2 * OBJECTS,
    FREE_ROUNDS = SCALED(6000),
    SCHEDULED_ROUNDS = SCALED(30000)
};

/* What a dict is to the model: numbers of keys in their order, and of their values. For a set, all values are 0. */
struct model {
    long count;
    unsigned char keys[ENTRIES_MAX], values[ENTRIES_MAX];
};

enum what {
    GET,
    HAS,
    SET,
    SWAP,
    SETDEFAULT,
    COMPARE_SET,
    DELETE,
    POP,
    POP_FIRST,
    POP_LAST,
    LENGTH,
    COPY,
    SET_ALL,
    CLEAR,
    WHATS
};

static const char *const names[WHATS] = {"get",    "has", "set",       "swap",     "setdefault", "compare_set", "delete",
                                         "pop", "pop first", "pop last", "length",     "copy",        "set_all", "clear"};

struct op {
    enum what what;
    unsigned char key, other_key, value, other_value;
    ouro_status status;
    long number; /* a result */
    struct model got;
};

static enum { INTEGERS, STRINGS, HOSTS, KINDS } kind;
static bool is_set;
static ouro_value subject_value;
static ouro_value values[VALUES]; /* the first half integers */
static struct op ops[OPS];
static enum what kinds[OPS]; /* of this round */
static struct model first;

/* ---- keys ---- */

static ouro_status host_hash(uint64_t handle, uint64_t *hash)
{
    *hash = handle % 2;
    return OURO_OK;
}

static ouro_status host_equal(uint64_t a, uint64_t b, bool *equal)
{
    *equal = a == b;
    return OURO_OK;
}

static const ouro_host_class host_class = {.size = sizeof host_class, .name = "key", .hash = host_hash, .equal = host_equal};

static ouro_value key_of(unsigned n)
{
    ouro_value key = ouro_int_new(n);
    if (kind == STRINGS)
        REQUIRE(ouro_string_new((char[]){(char)('0' + n)}, 1, &key) == OURO_OK);
    if (kind == HOSTS)
        REQUIRE(ouro_host_new(&host_class, n, 0, &key) == OURO_OK);
    return key;
}

static unsigned char number_of_key(ouro_value key)
{
    if (ouro_is_int(key))
        return (unsigned char)ouro_int_value(key);
    const char *text = ouro_string_data(key, NULL);
    return (unsigned char)(text ? *text - '0' : (long)ouro_host_handle(key));
}

static unsigned char number_of_value(ouro_value v)
{
    return (unsigned char)(ouro_is_int(v) ? ouro_int_value(v) : ((struct leaf *)ouro_value_object(v))->id);
}

/* ---- operations ---- */

static void got_value(struct op *op, ouro_value v)
{
    op->number = op->status == OURO_OK && !ouro_is_nil(v) ? number_of_value(v) : -1;
    ouro_value_release(v);
}

static void got_entry(struct op *op, ouro_value key, ouro_value value)
{
    op->got.keys[op->got.count] = number_of_key(key);
    op->got.values[op->got.count++] = is_set ? 0 : number_of_value(value);
    ouro_value_release(key);
    ouro_value_release(value);
}

static void got_copy(struct op *op, ouro_value copy)
{
    ouro_value key, value = OURO_NIL;
    while (op->got.count < ENTRIES_MAX &&
           (is_set ? ouro_set_pop(copy, &key) : ouro_dict_pop_item(copy, true, &key, &value)) == OURO_OK)
        got_entry(op, key, value);
    ouro_value_release(copy);
}

static void do_dict_op(struct op *op, ouro_value dict, ouro_value key, ouro_value other_key)
{
    ouro_value v = OURO_NIL, k = OURO_NIL, value = values[op->value], keys[2] = {key, other_key}, both[2] = {value, values[op->other_value]};
    bool b = false;
    size_t n = 0;
    switch (op->what) {
    case GET: op->status = ouro_dict_get(dict, key, &v), got_value(op, v); break;
    case HAS: op->status = ouro_dict_has(dict, key, &b), op->number = b; break;
    case SET: op->status = ouro_dict_set(dict, key, value); break;
    case SWAP: op->status = ouro_dict_swap(dict, key, value, NULL, &v), got_value(op, v); break;
    case SETDEFAULT: op->status = ouro_dict_setdefault(dict, key, value, &v), got_value(op, v); break;
    case COMPARE_SET: op->status = ouro_dict_compare_set(dict, key, both[1], value, &b), op->number = b; break;
    case DELETE: op->status = ouro_dict_delete(dict, key); break;
    case POP: op->status = ouro_dict_pop(dict, key, &v), got_value(op, v); break;
    case POP_FIRST:
    case POP_LAST:
        op->status = ouro_dict_pop_item(dict, op->what == POP_FIRST, &k, &v);
        if (op->status == OURO_OK)
            got_entry(op, k, v);
        break;
    case LENGTH: op->status = ouro_dict_length(dict, &n), op->number = (long)n; break;
    case COPY:
        op->status = ouro_copy(dict, &v);
        got_copy(op, v);
        break;
    case SET_ALL: op->status = ouro_dict_set_all(dict, keys, both, 2); break;
    case CLEAR: op->status = ouro_dict_clear(dict); break;
    default: break;
    }
}

static void do_set_op(struct op *op, ouro_value set, ouro_value key, ouro_value other_key)
{
    ouro_value v = OURO_NIL, keys[2] = {key, other_key};
    bool b = false;
    size_t n = 0;
    switch (op->what) {
    case HAS: op->status = ouro_set_has(set, key, &b), op->number = b; break;
    case SET: op->status = ouro_set_add(set, key, &b), op->number = b; break;
    case DELETE: op->status = ouro_set_remove(set, key); break;
    case POP: op->status = ouro_set_discard(set, key, &b), op->number = b; break;
    case POP_FIRST:
        op->status = ouro_set_pop(set, &v);
        if (op->status == OURO_OK)
            got_entry(op, v, OURO_NIL);
        break;
    case LENGTH: op->status = ouro_set_length(set, &n), op->number = (long)n; break;
    case COPY:
        op->status = ouro_copy(set, &v);
        got_copy(op, v);
        break;
    case SET_ALL: op->status = ouro_set_add_all(set, keys, 2); break;
    case CLEAR: op->status = ouro_set_clear(set); break;
    default: break;
    }
}

/* ---- the model ---- */

static long find(const struct model *m, unsigned char key)
{
    for (long i = 0; i < m->count; i++) {
        if (m->keys[i] == key)
            return i;
    }
    return -1;
}

static void put(struct model *m, unsigned char key, unsigned char value)
{
    long at = find(m, key);
    if (at < 0)
        m->keys[at = m->count++] = key;
    m->values[at] = is_set ? 0 : value;
}

static void take(struct model *m, long at)
{
    memmove(m->keys + at, m->keys + at + 1, (size_t)(m->count - at - 1));
    memmove(m->values + at, m->values + at + 1, (size_t)(m->count - at - 1));
    m->count--;
    m->keys[m->count] = m->values[m->count] = 0; /* states are compared as bytes */
}

static bool take_end(struct model *m, const struct op *op, long at)
{
    if (!m->count)
        return op->status == OURO_E_KEY;
    if (op->status != OURO_OK || op->got.keys[0] != m->keys[at] || op->got.values[0] != m->values[at])
        return false;
    take(m, at);
    return true;
}

static bool apply(void *state, unsigned i)
{
    struct model *m = state;
    const struct op *op = &ops[i];
    long at = find(m, op->key), was = at < 0 ? -1 : m->values[at];
    bool ok = op->status == OURO_OK;
    switch (op->what) {
    case GET: return at < 0 ? op->status == OURO_E_KEY : ok && op->number == was;
    case HAS: return ok && op->number == (at >= 0);
    case SET:
        put(m, op->key, op->value);
        return ok && (!is_set || op->number == (at < 0));
    case SWAP: put(m, op->key, op->value); return ok && op->number == was;
    case SETDEFAULT:
        if (at < 0)
            put(m, op->key, op->value);
        return ok && op->number == (at < 0 ? op->value : was);
    case COMPARE_SET:
        if (at < 0)
            return op->status == OURO_E_KEY;
        if (!ok || op->number != (was == op->other_value))
            return false;
        if (op->number)
            m->values[at] = op->value;
        return true;
    case DELETE:
    case POP:
        if (is_set && op->what == POP) {
            if (!ok || op->number != (at >= 0))
                return false;
        } else if (at < 0) {
            return op->status == OURO_E_KEY;
        } else if (!ok || (op->what == POP && op->number != was)) {
            return false;
        }
        if (at >= 0)
            take(m, at);
        return true;
    case POP_FIRST: return take_end(m, op, 0);
    case POP_LAST: return take_end(m, op, m->count - 1);
    case LENGTH: return ok && op->number == m->count;
    case COPY: return ok && memcmp(m, &op->got, sizeof *m) == 0;
    case SET_ALL:
        put(m, op->key, op->value);
        put(m, op->other_key, op->other_value);
        return ok;
    case CLEAR: *m = (struct model){0}; return ok;
    default: return false;
    }
}

/* ---- rounds ---- */

/* Every other round is of kinds whose meeting is to be feared most. */
static const enum what feared[][4] = {{HAS, SET, DELETE, LENGTH}, {GET, SET, POP, SET},      {COPY, SET, DELETE, SET},
                                      {HAS, DELETE, SET, SET},    {COPY, SET_ALL, GET, POP}, {POP_FIRST, SET, LENGTH, POP_LAST},
                                      {GET, COMPARE_SET, SWAP, COPY}, {LENGTH, CLEAR, SET, HAS}};

/* Of a set there are fewer. */
static enum what of_set(enum what what)
{
    switch (what) {
    case GET: return HAS;
    case SWAP:
    case SETDEFAULT:
    case COMPARE_SET: return SET;
    case POP_LAST: return POP_FIRST;
    default: return what;
    }
}

static void choose_kinds(struct rng *rng)
{
    uint32_t few = 2 + rng_below(rng, 3);
    bool fear = rng_one_in(rng, 2);
    const enum what *four = feared[rng_below(rng, sizeof feared / sizeof *feared)];
    for (uint32_t i = 0; i < OPS; i++) {
        kinds[i] = fear ? four[i % 4] : i < few ? rng_below(rng, WHATS) : kinds[i % few];
        kinds[i] = is_set ? of_set(kinds[i]) : kinds[i];
    }
}

static void prepare(struct rng *rng)
{
    kind = rng_below(rng, KINDS);
    is_set = rng_one_in(rng, 3);
    choose_kinds(rng);
    first = (struct model){0};
    subject_value = is_set ? ouro_set_new() : ouro_dict_new();
    REQUIRE(ouro_is_object(subject_value));
    ouro_value_share(subject_value);
    for (uint32_t n = rng_below(rng, KEYS); n; n--) { /* up to a store that is full */
        unsigned char k = (unsigned char)rng_below(rng, KEYS), v = (unsigned char)rng_below(rng, VALUES);
        ouro_value key = key_of(k);
        REQUIRE((is_set ? ouro_set_add(subject_value, key, NULL) : ouro_dict_set(subject_value, key, values[v])) == OURO_OK);
        ouro_value_release(key);
        put(&first, k, v);
    }
}

static void choose(unsigned i, struct rng *rng)
{
    ops[i] = (struct op){.what = kinds[rng_below(rng, OPS)],
                         .key = (unsigned char)rng_below(rng, KEYS / 2),
                         .other_key = (unsigned char)rng_below(rng, KEYS),
                         .value = (unsigned char)rng_below(rng, VALUES),
                         .other_value = (unsigned char)rng_below(rng, VALUES)};
}

static void operate(unsigned i, struct rng *rng)
{
    ouro_value key = key_of(ops[i].key), other_key = key_of(ops[i].other_key);
    (void)rng;
    if (is_set)
        do_set_op(&ops[i], subject_value, key, other_key);
    else
        do_dict_op(&ops[i], subject_value, key, other_key);
    ouro_value_release(key);
    ouro_value_release(other_key);
}

static void finish(void)
{
    ouro_value_release(subject_value);
}

static int describe_model(const struct model *m, char *text, size_t room)
{
    int n = 0;
    for (long i = 0; i < m->count; i++)
        n += snprintf(text + n, room - (size_t)n, " %d=%d", m->keys[i], m->values[i]);
    return n;
}

static void describe(unsigned i, char *text, size_t room)
{
    const struct op *op = &ops[i];
    int n = 0;
    if (!i) {
        n = snprintf(text, room, "(%s, keys %d, at first", is_set ? "set" : "dict", kind);
        n += describe_model(&first, text + n, room - (size_t)n);
        n += snprintf(text + n, room - (size_t)n, ") ");
    }
    n += snprintf(text + n, room - (size_t)n, "%s %d %d, %d %d: %s %ld", names[op->what], op->key, op->value, op->other_key, op->other_value,
                  ouro_status_name(op->status), op->number);
    describe_model(&op->got, text + n, room - (size_t)n);
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

static void make_values(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct leaf *l = leaf_new(OBJECTS + i);
        ouro_share(l);
        values[i] = ouro_int_new(i);
        values[OBJECTS + i] = ouro_value_of(l);
    }
}

static void drop_values(void)
{
    long before = finalized();
    live_objects();
    for (int i = OBJECTS; i < VALUES; i++) {
        CHECK_EQ(ouro_refcount(ouro_value_object(values[i])), 1);
        ouro_value_release(values[i]);
    }
    CHECK_EQ(finalized() - before, OBJECTS);
}

static void free_rounds(void)
{
    make_values();
    CHECK_EQ(linear_run_free(&subject, FREE_ROUNDS, seed, true), 0);
    drop_values();
}

static void scheduled_rounds(void)
{
    make_values();
    CHECK_EQ(linear_run_scheduled(&subject, SCHEDULED_ROUNDS, seed), 0);
    drop_values();
}

int main(void)
{
    check_start("value_dict_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(free_rounds);
    FIXTURE_RUN(scheduled_rounds);
    return check_finish();
}
