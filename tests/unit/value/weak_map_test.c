/* SPDX-License-Identifier: MIT
 *
 * Weak maps with a value in a shared garbage cycle, at the moment in which it reads as dead though its finalizer is due: when the verdict
 * has fallen and it has not been set aside yet (docs/design/weak-references.md). A look-up then misses it, and may find it again; but a key
 * that is taken out or gets another value then does not have the old one afterwards (W5). */
#include "cycle/reclaim.h"
#include "runtime/runtime.h"
#include "support/collection.h"
#include "support/values.h"

enum { SIDES = 2, CALLS = 3 };

static const unsigned sides[SIDES] = {OURO_WEAK_VALUES, OURO_WEAK_KEYS | OURO_WEAK_VALUES};

struct moment {
    ouro_value map, key;
    struct node *garbage; /* the key's value, not held; set aside when the moment is over */
    struct collection c;
};

static struct moment moment_begin(unsigned flags)
{
    struct moment m = {.key = ouro_value_of(node_new(1)), .garbage = node_new(2)};
    ouro_set(m.garbage, &m.garbage->a, m.garbage);
    CHECK_OK(ouro_weak_map_new(flags, &m.map));
    CHECK_OK(ouro_weak_map_set(m.map, m.key, ouro_value_of(m.garbage)));
    ouro_release(m.garbage);
    m.c = collection_begin(2);
    CHECK_EQ(m.c.suspects, 1);
    CHECK(is_member(&m.c, m.garbage));
    collection_counts(&m.c);
    collection_untouched(&m.c);
    oi_validate_open();
    REQUIRE(oi_validate_commit(m.c.scope));
    CHECK(m.c.validation.finalizers);
    return m;
}

/* What waits for the finalizer. */
static struct oi_stack_node *moment_over(struct moment *m)
{
    struct oi_stack_node *due = NULL;
    CHECK(is_marked(m->garbage));
    CHECK_EQ(oi_reclaim_set_aside(&m->c.act, m->c.scope, &due), 1);
    CHECK(!is_marked(m->garbage));
    CHECK_EQ(collection_reclaim(&m->c), 0);
    collection_leave(&m->c);
    return due;
}

static void check_length(const struct moment *m, size_t expected)
{
    size_t length;
    CHECK_OK(ouro_weak_map_length(m->map, &length));
    CHECK_EQ(length, expected);
}

static void check_value(const struct moment *m, void *expected)
{
    ouro_value value;
    CHECK_EQ(ouro_weak_map_get(m->map, m->key, &value), expected ? OURO_OK : OURO_E_KEY);
    CHECK_EQ(value, expected ? ouro_value_of(expected) : OURO_NIL);
    ouro_value_release(value);
}

static void end(struct moment *m, struct oi_stack_node *due)
{
    struct oi_concurrent job = {.due = due};
    CHECK_EQ(finalized(), 0);
    oi_finalizer_queue(&job);
    ouro_blocking_begin();
    oi_finalizer_wait();
    ouro_blocking_end();
    CHECK_EQ(finalized(), 1);
    CHECK_EQ(ouro_gc_collect(2), 1);
    ouro_value_release(m->key);
    ouro_value_release(m->map);
}

static ouro_status take_out(const struct moment *m, int call)
{
    ouro_value value = OURO_NIL;
    ouro_status status = call == 0   ? ouro_weak_map_delete(m->map, m->key)
                         : call == 1 ? ouro_weak_map_pop(m->map, m->key, &value)
                                     : ouro_weak_map_pop(m->map, m->key, NULL);
    CHECK_EQ(value, OURO_NIL);
    return status;
}

static void test_taken_out(void)
{
    for (int i = 0; i < SIDES * CALLS; i++) {
        struct moment m = moment_begin(sides[i / CALLS]);
        CHECK_EQ(take_out(&m, i % CALLS), OURO_E_KEY);
        struct oi_stack_node *due = moment_over(&m);
        check_value(&m, NULL);
        check_length(&m, 0);
        CHECK_EQ(take_out(&m, i % CALLS), OURO_E_KEY);
        end(&m, due);
        fixture_after();
        fixture_before();
    }
}

static void test_replaced(void)
{
    for (int i = 0; i < SIDES * 2; i++) {
        struct moment m = moment_begin(sides[i / 2]);
        struct node *other = node_new(3);
        ouro_value now = OURO_NIL;
        if (i % 2) {
            CHECK_OK(ouro_weak_map_set(m.map, m.key, ouro_value_of(other)));
        } else {
            CHECK_OK(ouro_weak_map_setdefault(m.map, m.key, ouro_value_of(other), &now));
            CHECK_EQ(now, ouro_value_of(other));
            ouro_value_release(now);
        }
        struct oi_stack_node *due = moment_over(&m);
        check_value(&m, other);
        check_length(&m, 1);
        end(&m, due);
        ouro_release(other);
        fixture_after();
        fixture_before();
    }
}

static void test_looked_up(void)
{
    for (int i = 0; i < SIDES; i++) {
        struct moment m = moment_begin(sides[i]);
        check_value(&m, NULL);
        struct oi_stack_node *due = moment_over(&m);
        check_value(&m, m.garbage);
        end(&m, due);
        fixture_after();
        fixture_before();
    }
}

int main(void)
{
    check_start("weak_map_test");
    fixture_start();
    FIXTURE_RUN(test_taken_out);
    FIXTURE_RUN(test_replaced);
    FIXTURE_RUN(test_looked_up);
    return check_finish();
}
