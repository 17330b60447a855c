/* SPDX-License-Identifier: MIT
 *
 * Scenario: thousands of small random graphs of records, tuples and scalars, with cycles and shared parts, beside a model of them in plain
 * arrays. Which nodes are equal the model finds by itself: by refining a partition until it is stable, which shares nothing with
 * the library's walk of two at a time.
 * Seed: OURO_TEST_SEED; a failure prints the graph's number, and OURO_TEST_GRAPH=number runs only that one.
 * Asserted of each graph: ouro_equal of every two nodes is the model's; a deep copy equals its original, leads to none of its
 * mutable parts, and has as many objects as the original has reachable ones; nodes of a graph without
 * cycles that show alike are equal; nothing is left at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/rng.h"
#include "support/values.h"

enum { GRAPHS = SCALED(4000), NODES_MAX = 12, FIELDS = 3, LABELS = 3, SCALARS = 6 };

/* What a place in a node holds: a scalar (-1 - its number), a node, or a node in a tuple of one. */
struct place {
    int to;
    bool in_tuple;
};

struct entry {
    int label; /* which shape */
    struct place places[FIELDS];
    int class;
    ouro_value value;
};

static struct entry nodes[NODES_MAX];
static int used;
static bool acyclic; /* nodes lead to earlier ones only */
static ouro_value shapes[LABELS], scalars[2][SCALARS];
static struct rng rng;
static int graph_number;
static long failures;

static void expect(bool ok, const char *what)
{
    if (!ok && failures++ < 10)
        fprintf(stderr, "graph %d: %s\n", graph_number, what);
}

/* ---- The model ---- */

static void make_model(void)
{
    used = 1 + (int)rng_below(&rng, NODES_MAX);
    acyclic = rng_one_in(&rng, 3);
    int labels = 1 + (int)rng_below(&rng, LABELS), kinds = 1 + (int)rng_below(&rng, SCALARS);
    for (int i = 0; i < used; i++) {
        nodes[i] = (struct entry){.label = (int)rng_below(&rng, (uint32_t)labels)};
        for (int k = 0; k < FIELDS; k++) {
            int reachable = acyclic ? i : used;
            bool scalar = !reachable || rng_one_in(&rng, 3);
            nodes[i].places[k].to = scalar ? -1 - (int)rng_below(&rng, (uint32_t)kinds) : (int)rng_below(&rng, (uint32_t)reachable);
            nodes[i].places[k].in_tuple = !scalar && rng_one_in(&rng, 4);
        }
    }
}

static bool looks_equal(const struct entry *a, const struct entry *b)
{
    bool equal = a->label == b->label;
    for (int k = 0; k < FIELDS && equal; k++) {
        struct place p = a->places[k], q = b->places[k];
        if (p.to < 0 || q.to < 0)
            equal = p.to == q.to;
        else
            equal = p.in_tuple == q.in_tuple && nodes[p.to].class == nodes[q.to].class;
    }
    return equal;
}

/* All in one class at first; then those in one that do not look equal are parted, until none are. */
static void find_classes(void)
{
    for (int i = 0; i < used; i++)
        nodes[i].class = 0;
    for (bool changed = true; changed;) {
        int class[NODES_MAX];
        for (int i = 0; i < used; i++) {
            class[i] = i;
            for (int k = i - 1; k >= 0; k--)
                if (nodes[k].class == nodes[i].class && looks_equal(&nodes[k], &nodes[i]))
                    class[i] = class[k];
        }
        changed = false;
        for (int i = 0; i < used; i++)
            for (int k = 0; k < i; k++)
                changed = changed || (class[i] == class[k]) != (nodes[i].class == nodes[k].class);
        for (int i = 0; i < used; i++)
            nodes[i].class = class[i];
    }
}

/* Objects that a copy of the node makes: records that can be reached, and the tuples in them. */
static size_t reachable_objects(int from)
{
    bool seen[NODES_MAX] = {false};
    int stack[NODES_MAX], depth = 0;
    size_t n = 0;
    seen[from] = true;
    stack[depth++] = from;
    while (depth > 0) {
        const struct entry *e = &nodes[stack[--depth]];
        n++;
        for (int k = 0; k < FIELDS; k++) {
            int to = e->places[k].to;
            n += e->places[k].in_tuple;
            if (to >= 0 && !seen[to]) {
                seen[to] = true;
                stack[depth++] = to;
            }
        }
    }
    return n;
}

/* ---- The values ---- */

static void make_values(bool shared)
{
    for (int i = 0; i < used; i++)
        REQUIRE(ouro_record_new(shapes[nodes[i].label], NULL, &nodes[i].value) == OURO_OK);
    for (int i = 0; i < used; i++)
        for (int k = 0; k < FIELDS; k++) {
            struct place p = nodes[i].places[k];
            ouro_value v = ouro_value_retain(p.to < 0 ? scalars[rng_below(&rng, 2)][-1 - p.to] : nodes[p.to].value);
            if (p.in_tuple)
                v = tuple_of(1, v);
            REQUIRE(ouro_record_set_at(nodes[i].value, (size_t)k, v) == OURO_OK);
            ouro_value_release(v);
        }
    for (int i = 0; shared && i < used; i++)
        ouro_value_share(nodes[i].value);
}

static void drop_values(void)
{
    for (int i = 0; i < used; i++)
        ouro_value_release(nodes[i].value);
    expect(ouro_gc_collect(2) >= 0, "collect");
}

static bool texts_equal(ouro_value a, ouro_value b)
{
    ouro_value s, t;
    REQUIRE(ouro_repr(a, &s) == OURO_OK && ouro_repr(b, &t) == OURO_OK);
    bool equal = strcmp(ouro_string_data(s, NULL), ouro_string_data(t, NULL)) == 0;
    ouro_value_release(s);
    ouro_value_release(t);
    return equal;
}

static void check_pairs(void)
{
    for (int i = 0; i < used; i++)
        for (int k = 0; k < used; k++) {
            bool equal, key_equal;
            ouro_value a = nodes[i].value, b = nodes[k].value;
            REQUIRE(ouro_equal(a, b, &equal) == OURO_OK && ouro_key_equal(a, b, &key_equal) == OURO_OK);
            expect(equal == (nodes[i].class == nodes[k].class), "equality");
            expect(key_equal == (i == k), "equality as keys");
            if (acyclic) /* but 7 and 7.0 are equal, and do not */
                expect(equal || !texts_equal(a, b), "equal texts of what is not equal");
        }
}

/* None of the original's records is in the copy. */
static void check_apart(ouro_value copy)
{
    ouro_value field;
    for (size_t k = 0; k < FIELDS; k++) {
        REQUIRE(ouro_record_get_at(copy, k, &field) == OURO_OK);
        const ouro_value *items = ouro_tuple_items(field, NULL);
        for (int i = 0; i < used; i++)
            expect(field != nodes[i].value && !(items && items[0] == nodes[i].value), "the copy leads to the original");
        ouro_value_release(field);
    }
}

static void check_copies(size_t live)
{
    for (int i = 0; i < used; i++) {
        ouro_value copy;
        bool equal;
        REQUIRE(ouro_copy_deep(nodes[i].value, &copy) == OURO_OK);
        expect(live_objects_now() - live == reachable_objects(i), "objects of a copy");
        REQUIRE(ouro_equal(copy, nodes[i].value, &equal) == OURO_OK);
        expect(equal, "equality of a copy");
        expect(texts_equal(copy, nodes[i].value), "text of a copy");
        check_apart(copy);
        ouro_value_release(copy);
        expect(ouro_gc_collect(0) >= 0, "collect");
        expect(live_objects_now() == live, "something is left of a copy");
    }
}

static void run_graph(void)
{
    bool shared = rng_one_in(&rng, 8);
    size_t before = live_objects();
    make_model();
    find_classes();
    make_values(shared);
    check_pairs();
    check_copies(shared ? live_objects() : live_objects_now());
    drop_values();
    expect(live_objects() == before, "something is left");
}

static uint64_t seed;

static void make_parts(void)
{
    ouro_value name = text("node"), other = text("other"), fields[] = {text("a"), text("b"), text("c")};
    REQUIRE(ouro_shape_new(name, fields, FIELDS, &shapes[0]) == OURO_OK);
    REQUIRE(ouro_shape_new(other, fields, FIELDS, &shapes[1]) == OURO_OK);
    ouro_value first = fields[0];
    fields[0] = fields[1];
    fields[1] = first;
    REQUIRE(ouro_shape_new(name, fields, FIELDS, &shapes[2]) == OURO_OK);
    ouro_value_release_all(fields, FIELDS);
    ouro_value_release(name);
    ouro_value_release(other);
    for (int i = 0; i < 2; i++) { /* each in two forms */
        scalars[i][0] = OURO_NIL;
        scalars[i][1] = i ? number(7) : INT(7);
        scalars[i][2] = i ? interned("text") : text("text");
        scalars[i][3] = tuple_of(2, i ? INT(1) : number(1), text("x"));
        scalars[i][4] = OURO_TRUE;
        scalars[i][5] = number(0.5);
    }
    CHECK_EQ(hash_of(scalars[0][3]), hash_of(scalars[1][3]));
}

static void test_random_graphs(void)
{
    const char *only = getenv("OURO_TEST_GRAPH");
    make_parts();
    for (graph_number = 0; graph_number < GRAPHS && failures < 100; graph_number++) {
        if (only && atoi(only) != graph_number)
            continue;
        rng = rng_stream(seed, (uint64_t)graph_number);
        run_graph();
    }
    CHECK_EQ(failures, 0);
    ouro_value_release_all(shapes, LABELS);
    ouro_value_release_all(scalars[0], SCALARS);
    ouro_value_release_all(scalars[1], SCALARS);
}

int main(void)
{
    check_start("value_graph_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_random_graphs);
    return check_finish();
}
