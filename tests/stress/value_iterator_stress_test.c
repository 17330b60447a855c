/* SPDX-License-Identifier: MIT
 *
 * Scenario: in each round, three threads do a few operations each, at random, on one shared dict, set, list, weak map or weak set; among them
 * making iterators and going on with them, each with its own and all with one that is common. What they get must be linearizable
 * (support/linear.h): an iterator over keys gives those of the moment at which it was made, in their order, with the values of the moment at
 * which each is given, until a key comes or goes, and from the next call on fails; one over a list gives the elements by their places at
 * the time; what is said once is said for ever. The keys of weak maps are objects, which live on.
 * Seed: OURO_TEST_SEED; the interleaving is the machine's, in debug builds also the seed's.
 * Asserted besides: at the end nothing is left. */
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
    ENTRIES_MAX = KEYS + 2 * OPS, /* of a list */
    OBJECTS = 6,
    FREE_ROUNDS = SCALED(6000),
    SCHEDULED_ROUNDS = SCALED(40000)
};

enum over { NOT_OVER, ENDED, CHANGED };

struct place {
    unsigned char made, version, at, over;
};

/* What the subject and the iterators are to the model. */
struct model {
    unsigned char count, version;
    unsigned char keys[ENTRIES_MAX], values[ENTRIES_MAX]; /* of a list: values only */
    struct place places[WORKERS + 1];                     /* the last one is common to all */
};

enum what { GET, SET, SETDEFAULT, TAKE, TAKE_FIRST, SET_ALL, CLEAR, LENGTH, ITERATE, NEXT, NEXT_COMMON, WHATS };
static const char *const names[WHATS] = {"get",     "set",   "setdefault", "take",    "take first", "set all",
                                         "clear",   "length", "iterate",    "next",    "next of the common one"};

struct op {
    enum what what;
    unsigned char key, other_key, value, other_value;
    ouro_status status;
    long key_got, value_got; /* results; -1: none */
};

static enum { DICT, SET_OF, LIST, WEAK_MAP, WEAK_SET, SUBJECTS } subject_kind;
static ouro_value subject_value, iterators[WORKERS + 1];
static ouro_value objects[OBJECTS]; /* keys of weak maps; and values */
static struct op ops[OPS];
static enum what kinds[OPS];
static struct model first;
static bool weak_values;

static bool is_set(void)
{
    return subject_kind == SET_OF || subject_kind == WEAK_SET;
}

static bool is_weak(void)
{
    return subject_kind == WEAK_MAP || subject_kind == WEAK_SET;
}

static ouro_value key_of(unsigned n)
{
    return is_weak() ? objects[n] : ouro_int_new(n);
}

static ouro_value value_of(unsigned n)
{
    return objects[n];
}

static long number_of(ouro_value value)
{
    long n = ouro_is_nil(value) ? -1 : ouro_is_int(value) ? (long)ouro_int_value(value) : ((struct leaf *)ouro_value_object(value))->id;
    ouro_value_release(value);
    return n;
}

/* ---- operations ---- */

static void change(struct op *op)
{
    ouro_value s = subject_value, v = OURO_NIL, k = OURO_NIL, keys[2] = {key_of(op->key), key_of(op->other_key)};
    ouro_value both[2] = {value_of(op->value), value_of(op->other_value)};
    bool b = false;
    size_t n = 0;
    switch (op->what * SUBJECTS + subject_kind) {
    case GET * SUBJECTS + DICT: op->status = ouro_dict_get(s, keys[0], &v); break;
    case GET * SUBJECTS + WEAK_MAP: op->status = ouro_weak_map_get(s, keys[0], &v); break;
    case GET * SUBJECTS + SET_OF: op->status = ouro_set_has(s, keys[0], &b), v = ouro_int_new(b); break;
    case GET * SUBJECTS + WEAK_SET: op->status = ouro_weak_set_has(s, keys[0], &b), v = ouro_int_new(b); break;
    case GET * SUBJECTS + LIST: op->status = ouro_list_get(s, op->key, &v); break;
    case SET * SUBJECTS + DICT: op->status = ouro_dict_set(s, keys[0], both[0]); break;
    case SET * SUBJECTS + WEAK_MAP: op->status = ouro_weak_map_set(s, keys[0], both[0]); break;
    case SET * SUBJECTS + SET_OF: op->status = ouro_set_add(s, keys[0], &b), v = ouro_int_new(b); break;
    case SET * SUBJECTS + WEAK_SET: op->status = ouro_weak_set_add(s, keys[0], &b), v = ouro_int_new(b); break;
    case SET * SUBJECTS + LIST: op->status = ouro_list_append(s, both[0]); break;
    case SETDEFAULT * SUBJECTS + DICT: op->status = ouro_dict_setdefault(s, keys[0], both[0], &v); break;
    case SETDEFAULT * SUBJECTS + WEAK_MAP: op->status = ouro_weak_map_setdefault(s, keys[0], both[0], &v); break;
    case SETDEFAULT * SUBJECTS + LIST: op->status = ouro_list_set(s, op->key, both[0]); break;
    case TAKE * SUBJECTS + DICT: op->status = ouro_dict_pop(s, keys[0], &v); break;
    case TAKE * SUBJECTS + WEAK_MAP: op->status = ouro_weak_map_pop(s, keys[0], &v); break;
    case TAKE * SUBJECTS + SET_OF: op->status = ouro_set_discard(s, keys[0], &b), v = ouro_int_new(b); break;
    case TAKE * SUBJECTS + WEAK_SET: op->status = ouro_weak_set_discard(s, keys[0], &b), v = ouro_int_new(b); break;
    case TAKE * SUBJECTS + LIST: op->status = ouro_list_pop(s, -1, &v); break;
    case TAKE_FIRST * SUBJECTS + DICT: op->status = ouro_dict_pop_item(s, true, &k, &v); break;
    case TAKE_FIRST * SUBJECTS + SET_OF: op->status = ouro_set_pop(s, &k); break;
    case TAKE_FIRST * SUBJECTS + LIST: op->status = ouro_list_pop(s, 0, &v); break;
    case SET_ALL * SUBJECTS + DICT: op->status = ouro_dict_set_all(s, keys, both, 2); break;
    case SET_ALL * SUBJECTS + SET_OF: op->status = ouro_set_add_all(s, keys, 2); break;
    case SET_ALL * SUBJECTS + LIST: op->status = ouro_list_append_all(s, both, 2); break;
    case CLEAR * SUBJECTS + DICT: op->status = ouro_dict_clear(s); break;
    case CLEAR * SUBJECTS + WEAK_MAP: op->status = ouro_weak_map_clear(s); break;
    case CLEAR * SUBJECTS + SET_OF: op->status = ouro_set_clear(s); break;
    case CLEAR * SUBJECTS + WEAK_SET: op->status = ouro_weak_set_clear(s); break;
    case CLEAR * SUBJECTS + LIST: op->status = ouro_list_clear(s); break;
    default: op->status = ouro_length(s, &n), v = ouro_int_new((int64_t)n);
    }
    op->key_got = number_of(k);
    op->value_got = number_of(v);
}

static void next_of(struct op *op, ouro_value iterator)
{
    ouro_value key = OURO_NIL, value = OURO_NIL;
    if (subject_kind == DICT || subject_kind == WEAK_MAP)
        op->status = ouro_iterator_next_pair(iterator, &key, &value);
    else if (subject_kind == LIST)
        op->status = ouro_iterator_next(iterator, &value);
    else
        op->status = ouro_iterator_next(iterator, &key);
    op->key_got = number_of(key);
    op->value_got = number_of(value);
}

static void operate(unsigned i, struct rng *rng)
{
    struct op *op = &ops[i];
    ouro_value *mine = &iterators[i / STEPS];
    (void)rng;
    if (op->what == ITERATE) {
        ouro_value_release(*mine);
        op->status = ouro_iterate(subject_value, mine);
        ouro_value_share(*mine); /* another thread will release it */
    } else if (op->what == NEXT || op->what == NEXT_COMMON) {
        next_of(op, op->what == NEXT && *mine ? *mine : iterators[WORKERS]);
    } else {
        change(op);
    }
}

/* ---- the model ---- */

static int find(const struct model *m, unsigned char key)
{
    for (int i = 0; i < m->count; i++) {
        if (m->keys[i] == key)
            return i;
    }
    return -1;
}

static void put(struct model *m, unsigned char key, unsigned char value)
{
    int at = find(m, key);
    if (at < 0 || subject_kind == LIST)
        m->keys[at = m->count++] = subject_kind == LIST ? 0 : key;
    m->values[at] = is_set() ? 0 : value;
}

static void take(struct model *m, int at)
{
    memmove(m->keys + at, m->keys + at + 1, (size_t)(m->count - at - 1));
    memmove(m->values + at, m->values + at + 1, (size_t)(m->count - at - 1));
    m->count--;
    m->keys[m->count] = m->values[m->count] = 0; /* states are compared as bytes */
    m->version++;
}

static void clear(struct model *m)
{
    m->version += m->count != 0;
    m->count = 0;
    memset(m->keys, 0, sizeof m->keys);
    memset(m->values, 0, sizeof m->values);
}

static bool apply_to_list(struct model *m, const struct op *op)
{
    bool ok = op->status == OURO_OK;
    int last = m->count - 1;
    switch (op->what) {
    case GET: return op->key < m->count ? ok && op->value_got == m->values[op->key] : op->status == OURO_E_INDEX;
    case SETDEFAULT:
        if (op->key >= m->count)
            return op->status == OURO_E_INDEX;
        m->values[op->key] = op->value;
        return ok;
    case SET: put(m, 0, op->value); return ok;
    case SET_ALL: put(m, 0, op->value), put(m, 0, op->other_value); return ok;
    case TAKE:
    case TAKE_FIRST:
        if (!m->count)
            return op->status == OURO_E_INDEX;
        if (!ok || op->value_got != m->values[op->what == TAKE ? last : 0])
            return false;
        take(m, op->what == TAKE ? last : 0);
        return true;
    case CLEAR: clear(m); return ok;
    default: return ok && op->value_got == m->count;
    }
}

static bool apply_to_keys(struct model *m, const struct op *op)
{
    bool ok = op->status == OURO_OK;
    int at = find(m, op->key), count = m->count;
    switch (op->what) {
    case GET: return is_set() ? ok && op->value_got == (at >= 0) : at < 0 ? op->status == OURO_E_KEY : ok && op->value_got == m->values[at];
    case SET:
        put(m, op->key, op->value);
        m->version += m->count != count;
        return ok && (!is_set() || op->value_got == (at < 0));
    case SETDEFAULT:
        if (at < 0)
            put(m, op->key, op->value);
        m->version += m->count != count;
        return ok && op->value_got == m->values[at < 0 ? count : at];
    case TAKE:
        if (is_set() ? !ok || op->value_got != (at >= 0) : at < 0 ? op->status != OURO_E_KEY : !ok || op->value_got != m->values[at])
            return false;
        if (at >= 0)
            take(m, at);
        return true;
    case TAKE_FIRST:
        if (!m->count)
            return op->status == OURO_E_KEY;
        if (!ok || op->key_got != m->keys[0] || (!is_set() && op->value_got != m->values[0]))
            return false;
        take(m, 0);
        return true;
    case SET_ALL:
        put(m, op->key, op->value), put(m, op->other_key, op->other_value);
        m->version += m->count != count;
        return ok;
    case CLEAR: clear(m); return ok;
    default: return ok && op->value_got == m->count;
    }
}

static bool apply_next(struct model *m, const struct op *op, struct place *place)
{
    if (!place->over && subject_kind != LIST && place->version != m->version)
        place->over = CHANGED;
    if (!place->over && place->at >= m->count)
        place->over = ENDED;
    if (place->over)
        return op->status == (place->over == ENDED ? OURO_E_END : OURO_E_CHANGED);
    unsigned at = place->at++;
    return op->status == OURO_OK && (subject_kind == LIST || op->key_got == m->keys[at]) && (is_set() || op->value_got == m->values[at]);
}

static bool apply(void *state, unsigned i)
{
    struct model *m = state;
    const struct op *op = &ops[i];
    struct place *mine = &m->places[i / STEPS];
    switch (op->what) {
    case ITERATE: *mine = (struct place){.made = true, .version = m->version}; return op->status == OURO_OK;
    case NEXT: return apply_next(m, op, mine->made ? mine : &m->places[WORKERS]);
    case NEXT_COMMON: return apply_next(m, op, &m->places[WORKERS]);
    default: return subject_kind == LIST ? apply_to_list(m, op) : apply_to_keys(m, op);
    }
}

/* ---- rounds ---- */

static const enum what feared[][4] = {{NEXT_COMMON, SET, NEXT_COMMON, TAKE}, {ITERATE, NEXT, SET, NEXT},  {NEXT_COMMON, NEXT_COMMON, SET_ALL, GET},
                                      {NEXT, ITERATE, TAKE, SET},            {NEXT, CLEAR, SET, ITERATE}, {NEXT_COMMON, TAKE_FIRST, NEXT_COMMON, GET}};

/* What a subject cannot do is another thing. */
static enum what of_subject(enum what what)
{
    if (subject_kind == SET_OF && what == SETDEFAULT)
        return SET;
    if (is_weak() && (what == TAKE_FIRST || what == SET_ALL || (what == SETDEFAULT && subject_kind == WEAK_SET)))
        return what == TAKE_FIRST ? TAKE : SET;
    return what;
}

static void prepare(struct rng *rng)
{
    subject_kind = rng_below(rng, SUBJECTS);
    weak_values = rng_one_in(rng, 2);
    bool fear = rng_one_in(rng, 2);
    uint32_t few = 2 + rng_below(rng, 3);
    const enum what *four = feared[rng_below(rng, sizeof feared / sizeof *feared)];
    for (uint32_t i = 0; i < OPS; i++)
        kinds[i] = of_subject(fear ? four[i % 4] : i < few ? rng_below(rng, WHATS) : kinds[i % few]);
    switch (subject_kind) {
    case DICT: subject_value = ouro_dict_new(); break;
    case SET_OF: subject_value = ouro_set_new(); break;
    case LIST: subject_value = ouro_list_new(); break;
    case WEAK_MAP: REQUIRE(ouro_weak_map_new(OURO_WEAK_KEYS | (weak_values ? OURO_WEAK_VALUES : 0), &subject_value) == OURO_OK); break;
    default: subject_value = ouro_weak_set_new();
    }
    REQUIRE(ouro_is_object(subject_value));
    ouro_value_share(subject_value);
    first = (struct model){0};
    for (uint32_t n = rng_below(rng, KEYS); n; n--) { /* up to a store that is full */
        struct op op = {.what = SET, .key = (unsigned char)rng_below(rng, KEYS), .value = (unsigned char)rng_below(rng, OBJECTS)};
        change(&op);
        REQUIRE(op.status == OURO_OK);
        put(&first, op.key, op.value);
    }
    REQUIRE(ouro_iterate(subject_value, &iterators[WORKERS]) == OURO_OK);
    ouro_value_share(iterators[WORKERS]);
    first.places[WORKERS].made = true;
}

static void choose(unsigned i, struct rng *rng)
{
    ops[i] = (struct op){.what = kinds[rng_below(rng, OPS)],
                         .key = (unsigned char)rng_below(rng, KEYS / 2),
                         .other_key = (unsigned char)rng_below(rng, KEYS),
                         .value = (unsigned char)rng_below(rng, OBJECTS),
                         .other_value = (unsigned char)rng_below(rng, OBJECTS)};
}

static void finish(void)
{
    ouro_value_release(subject_value);
    for (int i = 0; i <= WORKERS; i++) {
        ouro_value_release(iterators[i]);
        iterators[i] = OURO_NIL;
    }
}

static int describe_model(const struct model *m, char *text, size_t room)
{
    int n = 0;
    for (int i = 0; i < m->count; i++)
        n += snprintf(text + n, room - (size_t)n, " %d=%d", m->keys[i], m->values[i]);
    return n;
}

static void describe(unsigned i, char *text, size_t room)
{
    static const char *const subjects[] = {"dict", "set", "list", "weak map", "weak set"};
    const struct op *op = &ops[i];
    int n = 0;
    if (!i) {
        n = snprintf(text, room, "(%s, at first", subjects[subject_kind]);
        n += describe_model(&first, text + n, room - (size_t)n);
        n += snprintf(text + n, room - (size_t)n, ") ");
    }
    snprintf(text + n, room - (size_t)n, "%s %d %d, %d %d: %s %ld %ld", names[op->what], op->key, op->value, op->other_key, op->other_value,
             ouro_status_name(op->status), op->key_got, op->value_got);
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

static void make_objects(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct leaf *l = leaf_new(i);
        ouro_share(l);
        objects[i] = ouro_value_of(l);
    }
}

static void drop_objects(void)
{
    live_objects();
    for (int i = 0; i < OBJECTS; i++) {
        CHECK_EQ(ouro_refcount(ouro_value_object(objects[i])), 1);
        ouro_value_release(objects[i]);
    }
}

static void free_rounds(void)
{
    make_objects();
    CHECK_EQ(linear_run_free(&subject, FREE_ROUNDS, seed, true), 0);
    drop_objects();
}

static void scheduled_rounds(void)
{
    make_objects();
    CHECK_EQ(linear_run_scheduled(&subject, SCHEDULED_ROUNDS, seed), 0);
    drop_objects();
}

int main(void)
{
    check_start("value_iterator_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(free_rounds);
    FIXTURE_RUN(scheduled_rounds);
    return check_finish();
}
