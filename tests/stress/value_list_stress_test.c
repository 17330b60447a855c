/* SPDX-License-Identifier: MIT
 *
 * Scenario: in each round, three threads do a few operations each, at random, on one shared list of a few elements; what they get must be
 * linearizable (support/linear.h). Each round has a few kinds of operations only. Elements are integers and shared objects. In the rounds
 * in which the threads run freely, a fourth thread collects.
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
    LENGTH_MAX = 40,
    RESULT_MAX = 12,
    FREE_ROUNDS = SCALED(6000),
    SCHEDULED_ROUNDS = SCALED(60000),
    OBJECTS = 8
};

/* What a list is to the model: the numbers of its elements. */
struct model {
    long length;
    unsigned char at[LENGTH_MAX];
};

enum what {
    APPEND,
    APPEND_ALL,
    POP_LAST,
    POP_FIRST,
    POP_AT,
    GET,
    GET_LAST,
    SET,
    SWAP,
    COMPARE_SET,
    INSERT,
    LENGTH,
    GET_RANGE,
    SLICE_BACK,
    SET_SLICE,
    DELETE_SLICE,
    DELETE_EVERY_OTHER,
    REVERSE,
    INDEX,
    COUNT,
    REMOVE,
    SORT,
    CLEAR,
    WHATS
};

static const char *const names[WHATS] = {"append", "append_all", "pop last", "pop first", "pop", "get", "get last", "set", "swap", "compare_set",
                                         "insert", "length", "get_range", "slice back", "set_slice", "delete_slice", "delete every other",
                                         "reverse", "index", "count", "remove", "sort", "clear"};

struct op {
    enum what what;
    long index;
    unsigned char a, b; /* elements */
    ouro_status status;
    long number; /* a result */
    unsigned char got[RESULT_MAX];
};

static ouro_value list;
static ouro_value elements[2 * OBJECTS]; /* the first half integers */
static struct op ops[OPS];
static enum what kinds[OPS]; /* of this round: a few, so that those meet that are to be feared */
static unsigned char palette[2 * OBJECTS]; /* likewise the elements */
static struct model first;

static unsigned char number_of(ouro_value v)
{
    return (unsigned char)(ouro_is_int(v) ? ouro_int_value(v) : ((struct leaf *)ouro_value_object(v))->id);
}

static void got_all(struct op *op, ouro_value *items, size_t count)
{
    op->number = (long)count;
    for (size_t i = 0; i < count; i++) {
        op->got[i] = number_of(items[i]);
        ouro_value_release(items[i]);
    }
}

static void got_one(struct op *op, ouro_value v)
{
    if (op->status == OURO_OK)
        got_all(op, &v, 1);
}

static void do_op(struct op *op)
{
    ouro_value a = elements[op->a], both[2] = {a, elements[op->b]}, v = OURO_NIL, items[RESULT_MAX];
    size_t n = 0;
    bool done = false;
    switch (op->what) {
    case APPEND: op->status = ouro_list_append(list, a); break;
    case APPEND_ALL: op->status = ouro_list_append_all(list, both, 2); break;
    case POP_LAST: op->status = ouro_list_pop(list, -1, &v), got_one(op, v); break;
    case POP_FIRST: op->status = ouro_list_pop(list, 0, &v), got_one(op, v); break;
    case POP_AT: op->status = ouro_list_pop(list, op->index, &v), got_one(op, v); break;
    case GET: op->status = ouro_list_get(list, op->index, &v), got_one(op, v); break;
    case GET_LAST: op->status = ouro_list_get(list, -1, &v), got_one(op, v); break;
    case SET: op->status = ouro_list_set(list, op->index, a); break;
    case SWAP: op->status = ouro_list_swap(list, op->index, a, &v), got_one(op, v); break;
    case COMPARE_SET: op->status = ouro_list_compare_set(list, op->index, elements[op->b], a, &done), op->number = done; break;
    case INSERT: op->status = ouro_list_insert(list, op->index, a); break;
    case LENGTH: op->status = ouro_list_length(list, &n), op->number = (long)n; break;
    case GET_RANGE:
        op->status = ouro_list_get_range(list, (size_t)op->index, items, RESULT_MAX, &n);
        got_all(op, items, n);
        break;
    case SLICE_BACK:
        op->status = ouro_list_slice(list, OURO_OMITTED, OURO_OMITTED, -2, &v);
        if (op->status == OURO_OK) {
            if (ouro_list_get_range(v, 0, items, RESULT_MAX, &n) == OURO_OK)
                got_all(op, items, n);
            ouro_value_release(v);
        }
        break;
    case SET_SLICE: op->status = ouro_list_set_slice(list, op->index, op->index + 1, 1, both, 2); break;
    case DELETE_SLICE: op->status = ouro_list_delete_slice(list, op->index, op->index + 2, 1); break;
    case DELETE_EVERY_OTHER: op->status = ouro_list_delete_slice(list, OURO_OMITTED, OURO_OMITTED, 2); break;
    case REVERSE: op->status = ouro_list_reverse(list); break;
    case INDEX: op->status = ouro_list_index(list, a, OURO_OMITTED, OURO_OMITTED, &n), op->number = (long)n; break;
    case COUNT: op->status = ouro_list_count(list, a, &n), op->number = (long)n; break;
    case REMOVE: op->status = ouro_list_remove(list, a); break;
    case SORT: op->status = ouro_list_sort(list, false); break;
    case CLEAR: op->status = ouro_list_clear(list); break;
    default: break;
    }
}

/* ---- the model ---- */

static void splice(struct model *m, long at, long gone, const unsigned char *with, long count)
{
    memmove(m->at + at + count, m->at + at + gone, (size_t)(m->length - at - gone));
    if (count)
        memcpy(m->at + at, with, (size_t)count);
    m->length += count - gone;
    memset(m->at + m->length, 0, (size_t)(LENGTH_MAX - m->length)); /* states are compared as bytes */
}

static long clamp(long index, const struct model *m)
{
    return index < m->length ? index : m->length;
}

static bool same(const struct op *op, const unsigned char *expected, long count)
{
    return op->status == OURO_OK && op->number == count && memcmp(op->got, expected, (size_t)count) == 0;
}

static long find(const struct model *m, unsigned char x)
{
    for (long i = 0; i < m->length; i++) {
        if (m->at[i] == x)
            return i;
    }
    return -1;
}

static bool take_out(struct model *m, const struct op *op, long at)
{
    if (at < 0 || at >= m->length)
        return op->status == OURO_E_INDEX;
    if (!same(op, &m->at[at], 1))
        return false;
    splice(m, at, 1, NULL, 0);
    return true;
}

static bool sort_model(struct model *m, const struct op *op)
{
    bool ordered = true;
    for (long i = 0; i < m->length; i++)
        ordered = ordered && (m->at[i] < OBJECTS || m->at[i] == m->at[0]) && (m->at[0] < OBJECTS || m->at[i] == m->at[0]);
    if (op->status == OURO_E_CHANGED)
        return true; /* says nothing of any one moment */
    if (!ordered)
        return op->status == OURO_E_TYPE; /* objects have no order, but with themselves */
    for (long i = 1; i < m->length; i++) {
        for (long k = i; k && m->at[k - 1] > m->at[k]; k--) {
            unsigned char x = m->at[k];
            m->at[k] = m->at[k - 1];
            m->at[k - 1] = x;
        }
    }
    return op->status == OURO_OK;
}

static bool apply(void *state, unsigned i)
{
    struct model *m = state;
    const struct op *op = &ops[i];
    const unsigned char both[2] = {op->a, op->b};
    long n = m->length, at = op->index, found = find(m, op->a);
    unsigned char items[LENGTH_MAX];
    long count = 0;
    bool ok = op->status == OURO_OK, inside = at < n;
    switch (op->what) {
    case APPEND: splice(m, n, 0, both, 1); return ok;
    case APPEND_ALL: splice(m, n, 0, both, 2); return ok;
    case POP_LAST: return take_out(m, op, n - 1);
    case POP_FIRST: return take_out(m, op, n ? 0 : -1);
    case POP_AT: return take_out(m, op, at);
    case GET: return inside ? same(op, &m->at[at], 1) : op->status == OURO_E_INDEX;
    case GET_LAST: return n ? same(op, &m->at[n - 1], 1) : op->status == OURO_E_INDEX;
    case SET:
        if (inside)
            m->at[at] = op->a;
        return op->status == (inside ? OURO_OK : OURO_E_INDEX);
    case SWAP:
        if (!inside)
            return op->status == OURO_E_INDEX;
        ok = same(op, &m->at[at], 1);
        m->at[at] = op->a;
        return ok;
    case COMPARE_SET:
        if (!inside)
            return op->status == OURO_E_INDEX;
        if (!ok || op->number != (m->at[at] == op->b))
            return false;
        if (op->number)
            m->at[at] = op->a;
        return true;
    case INSERT: splice(m, clamp(at, m), 0, both, 1); return ok;
    case LENGTH: return ok && op->number == n;
    case GET_RANGE:
        for (long k = at; k < n && count < RESULT_MAX; k++)
            items[count++] = m->at[k];
        return same(op, items, count);
    case SLICE_BACK:
        for (long k = n - 1; k >= 0 && count < RESULT_MAX; k -= 2)
            items[count++] = m->at[k];
        return same(op, items, count);
    case SET_SLICE: splice(m, clamp(at, m), clamp(at + 1, m) - clamp(at, m), both, 2); return ok;
    case DELETE_SLICE: splice(m, clamp(at, m), clamp(at + 2, m) - clamp(at, m), NULL, 0); return ok;
    case DELETE_EVERY_OTHER:
        for (long k = 1; k < n; k += 2)
            items[count++] = m->at[k];
        splice(m, 0, n, items, count);
        return ok;
    case REVERSE:
        for (long k = n - 1; k >= 0; k--)
            items[count++] = m->at[k];
        splice(m, 0, n, items, count);
        return ok;
    case INDEX: return found < 0 ? op->status == OURO_E_KEY : ok && op->number == found;
    case COUNT:
        for (long k = 0; k < n; k++)
            count += m->at[k] == op->a;
        return ok && op->number == count;
    case REMOVE:
        if (found < 0)
            return op->status == OURO_E_KEY;
        splice(m, found, 1, NULL, 0);
        return ok;
    case SORT: return sort_model(m, op);
    case CLEAR: splice(m, 0, n, NULL, 0); return ok;
    default: return false;
    }
}

/* ---- rounds ---- */

/* Every other round is of kinds whose meeting is to be feared most. */
static const enum what feared[][4] = {{GET, POP_LAST, APPEND, LENGTH},  {INDEX, SET, SET, SWAP},          {GET_RANGE, SET, SWAP, COMPARE_SET},
                                      {GET_LAST, POP_LAST, APPEND, SET}, {COUNT, SET, INSERT, POP_FIRST}, {GET, LENGTH, INSERT, POP_FIRST},
                                      {SORT, SET, GET_RANGE, SWAP},      {REMOVE, INDEX, SET, APPEND}};

static void choose_kinds(struct rng *rng)
{
    uint32_t few = 2 + rng_below(rng, 3), distinct = 2 + rng_below(rng, 2 * OBJECTS - 1);
    bool fear = rng_one_in(rng, 2);
    const enum what *four = feared[rng_below(rng, sizeof feared / sizeof *feared)];
    for (uint32_t i = 0; i < OPS; i++)
        kinds[i] = fear ? four[i % 4] : i < few ? rng_below(rng, WHATS) : kinds[i % few];
    for (uint32_t i = 0; i < 2 * OBJECTS; i++)
        palette[i] = (unsigned char)(i < distinct ? rng_below(rng, 2 * OBJECTS) : palette[i % distinct]);
}

static void prepare(struct rng *rng)
{
    choose_kinds(rng);
    first = (struct model){0};
    list = ouro_list_new();
    REQUIRE(ouro_is_object(list));
    ouro_value_share(list);
    for (uint32_t n = rng_below(rng, 5); n; n--) {
        unsigned char x = palette[rng_below(rng, 2 * OBJECTS)];
        REQUIRE(ouro_list_append(list, elements[x]) == OURO_OK);
        first.at[first.length++] = x;
    }
}

static void choose(unsigned i, struct rng *rng)
{
    ops[i] = (struct op){.what = kinds[rng_below(rng, OPS)],
                         .index = rng_below(rng, 5),
                         .a = palette[rng_below(rng, 2 * OBJECTS)],
                         .b = palette[rng_below(rng, 2 * OBJECTS)]};
}

static void operate(unsigned i, struct rng *rng)
{
    (void)rng;
    do_op(&ops[i]);
}

static void finish(void)
{
    ouro_value_release(list);
}

static void describe(unsigned i, char *text, size_t room)
{
    const struct op *op = &ops[i];
    int n = 0;
    if (!i)
        n = snprintf(text, room, "(at first %ld: %d %d %d %d) ", first.length, first.at[0], first.at[1], first.at[2], first.at[3]);
    snprintf(text + n, room - (size_t)n, "%s at %ld a %d b %d: %s %ld [%d %d %d %d %d]", names[op->what], op->index, op->a, op->b,
             ouro_status_name(op->status), op->number, op->got[0], op->got[1], op->got[2], op->got[3], op->got[4]);
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

static void make_elements(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct leaf *l = leaf_new(OBJECTS + i);
        ouro_share(l);
        elements[i] = ouro_int_new(i);
        elements[OBJECTS + i] = ouro_value_of(l);
    }
}

static void drop_elements(void)
{
    long before = finalized();
    live_objects();
    for (int i = OBJECTS; i < 2 * OBJECTS; i++) {
        CHECK_EQ(ouro_refcount(ouro_value_object(elements[i])), 1);
        ouro_value_release(elements[i]);
    }
    CHECK_EQ(finalized() - before, OBJECTS);
}

static void free_rounds(void)
{
    make_elements();
    CHECK_EQ(linear_run_free(&subject, FREE_ROUNDS, seed, true), 0);
    drop_elements();
}

static void scheduled_rounds(void)
{
    make_elements();
    CHECK_EQ(linear_run_scheduled(&subject, SCHEDULED_ROUNDS, seed), 0);
    drop_elements();
}

int main(void)
{
    check_start("value_list_stress_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(free_rounds);
    FIXTURE_RUN(scheduled_rounds);
    return check_finish();
}
