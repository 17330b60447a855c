/* SPDX-License-Identifier: MIT
 *
 * Borrowed reading: what a read section has found stays readable until its end, whatever happens to it meanwhile;
 * try_retain tells the living from the dead; finalizers wait for the outermost end. */
#include <stdatomic.h>
#include <stdint.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static void test_peek(void)
{
    struct node *c = plain_new(0);
    struct leaf *x = leaf_new(1);
    CHECK_PTR(ouro_peek(&c->a), NULL);
    ouro_give(c, &c->a, x);
    CHECK_PTR(ouro_peek(&c->a), x);
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_share(c);
    ouro_read_begin();
    CHECK_PTR(ouro_peek(&c->a), x);
    ouro_read_end();
    CHECK_EQ(ouro_refcount(x), 1);
    ouro_release(c);
}

static void test_try_retain_of_the_living(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *c = plain_new(0);
        ouro_give(c, &c->a, leaf_new(1));
        if (shared)
            ouro_share(c);
        ouro_read_begin();
        CHECK_PTR(ouro_try_retain(NULL), NULL);
        struct leaf *x = ouro_peek(&c->a);
        CHECK_PTR(ouro_try_retain(x), x);
        CHECK_EQ(ouro_refcount(x), 2);
        ouro_read_end();
        ouro_release(c);
        CHECK_EQ(x->id, 1);
        CHECK_EQ(ouro_refcount(x), 1);
        ouro_release(x);
    }
}

/* A published object that dies inside the section: readable, and dead. */
static void test_try_retain_of_the_dead(void)
{
    struct node *c = plain_new(0);
    ouro_give(c, &c->a, plain_new(7));
    ouro_share(c);
    ouro_read_begin();
    struct node *x = ouro_peek(&c->a);
    ouro_set(c, &c->a, NULL);
    CHECK_EQ(x->id, 7);
    CHECK_PTR(ouro_try_retain(x), NULL);
    CHECK_EQ(x->id, 7);
    ouro_read_end();
    ouro_release(c);
}

/* A private object released in a section keeps its contents and its place until the outermost end. */
static void test_private_objects_stay_readable(void)
{
    enum { COUNT = 500 };
    static struct node *seen[COUNT], *later[COUNT];
    struct table *t = table_new(COUNT);
    for (int i = 0; i < COUNT; i++)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_read_begin();
    ouro_read_begin();
    for (int i = 0; i < COUNT; i++) {
        seen[i] = ouro_peek(&t->items[i]);
        ouro_set(t, &t->items[i], NULL);
    }
    ouro_read_end();
    for (int i = 0; i < COUNT; i++) /* would find the freed blocks */
        later[i] = plain_new(-1);
    int wrong = 0;
    for (int i = 0; i < COUNT; i++)
        wrong += seen[i]->id != i;
    CHECK_EQ(wrong, 0);
    ouro_read_end();
    for (int i = 0; i < COUNT; i++)
        ouro_release(later[i]);
    ouro_release(t);
}

/* The same for what dies because its container does. */
static void test_contents_of_the_dead_stay_readable(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct node *top = plain_new(1);
        ouro_give(top, &top->a, plain_new(2));
        if (shared)
            ouro_share(top);
        ouro_read_begin();
        struct node *child = ouro_peek(&top->a);
        ouro_release(top);
        struct node *other[20];
        for (int i = 0; i < 20; i++)
            other[i] = plain_new(-1);
        CHECK_EQ(top->id, 1);
        CHECK_EQ(child->id, 2);
        ouro_read_end();
        for (int i = 0; i < 20; i++)
            ouro_release(other[i]);
    }
}

static void test_finalizers_wait_for_the_end(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        struct node *n = node_new_with(1, leaf_new(2), NULL), *c = plain_new(0);
        ouro_give(c, &c->a, leaf_new(3));
        if (shared) {
            ouro_share(n);
            ouro_share(c);
        }
        ouro_read_begin();
        ouro_release(n);
        CHECK_EQ(finalized() - before, 0);
        ouro_read_begin();
        ouro_set(c, &c->a, NULL);
        ouro_read_end();
        CHECK_EQ(finalized() - before, 0);
        ouro_read_end();
        CHECK_EQ(finalized() - before, 3);
        ouro_release(c);
    }
}

static void look_again(void *object)
{
    ouro_read_begin(); /* a finalizer may have sections of its own */
    CHECK_GE(((struct leaf *)object)->id, 0);
    ouro_read_end();
}

static void test_sections_in_finalizers(void)
{
    on_finalize(look_again);
    ouro_read_begin();
    ouro_release(leaf_new(1));
    ouro_read_end();
    CHECK_EQ(finalized(), 1);
    ouro_release(leaf_new(2));
    CHECK_EQ(finalized(), 2);
}

static void test_deep_nesting(void)
{
    enum { DEPTH = 1000 };
    for (int i = 0; i < DEPTH; i++)
        ouro_read_begin();
    ouro_release(leaf_new(1));
    for (int i = 1; i < DEPTH; i++)
        ouro_read_end();
    CHECK_EQ(finalized(), 0);
    ouro_read_end();
    CHECK_EQ(finalized(), 1);
}

/* A record whose parts belong together: a reader that sees them differ has read memory that was given away. */
struct record {
    ouro_object object;
    ouro_slot next;
    uint64_t value, mirror[5];
};

static ouro_type record_type = OURO_TYPE(struct record, .name = "record", .slots = OURO_SLOTS(struct record, next));

static struct record *record_new(uint64_t value)
{
    struct record *r = ouro_new(&record_type);
    REQUIRE(r);
    r->value = value;
    for (int i = 0; i < 5; i++)
        r->mirror[i] = value * (uint64_t)(i + 3);
    return r;
}

static bool record_ok(const struct record *r, uint64_t value)
{
    bool ok = r->value == value;
    for (int i = 0; i < 5; i++)
        ok &= r->mirror[i] == value * (uint64_t)(i + 3);
    return ok;
}

struct board {
    struct table *table;
    atomic_int writers;
    long rounds;
    atomic_long read, retained;
};

static void write_records(struct board *board, struct rng *rng)
{
    for (long i = 0; i < board->rounds; i++) {
        struct record *r = record_new(rng_next(rng));
        ouro_give(r, &r->next, record_new(rng_next(rng)));
        ouro_give(board->table, &board->table->items[rng_below(rng, 8)], r);
    }
    atomic_fetch_sub(&board->writers, 1);
}

static void read_records(struct board *board, struct rng *rng)
{
    long wrong = 0, read = 0, retained = 0;
    while (atomic_load(&board->writers) > 0) {
        struct record *kept = NULL;
        ouro_read_begin();
        struct record *r = ouro_peek(&board->table->items[rng_below(rng, 8)]);
        struct record *next = r ? ouro_peek(&r->next) : NULL;
        if (next) {
            uint64_t value = r->value, next_value = next->value;
            wrong += !record_ok(r, value) || !record_ok(next, next_value);
            if (rng_one_in(rng, 16))
                yield_sometimes(rng);
            wrong += !record_ok(r, value) || !record_ok(next, next_value);
            kept = ouro_try_retain(rng_one_in(rng, 2) ? r : next);
            read++;
        }
        ouro_read_end();
        if (kept) {
            uint64_t value = kept->value;
            yield_sometimes(rng);
            wrong += !record_ok(kept, value) || ouro_refcount(kept) < 1;
            ouro_release(kept);
            retained++;
        }
    }
    CHECK_EQ(wrong, 0);
    atomic_fetch_add(&board->read, read);
    atomic_fetch_add(&board->retained, retained);
}

static void write_or_read(struct member *self)
{
    if (self->index % 2)
        write_records(self->arg, &self->rng);
    else
        read_records(self->arg, &self->rng);
}

static void test_readers_and_writers(void)
{
    enum { THREADS = 4 };
    struct board board = {.table = table_new(8), .writers = THREADS / 2, .rounds = SCALED(100000)};
    ouro_share(board.table);
    team_run(THREADS, seed, write_or_read, &board);
    CHECK_GT(atomic_load(&board.read), 0);
    CHECK_GT(atomic_load(&board.retained), 0);
    ouro_release(board.table);
}

int main(void)
{
    check_start("borrow_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_peek);
    FIXTURE_RUN(test_try_retain_of_the_living);
    FIXTURE_RUN(test_try_retain_of_the_dead);
    FIXTURE_RUN(test_private_objects_stay_readable);
    FIXTURE_RUN(test_contents_of_the_dead_stay_readable);
    FIXTURE_RUN(test_finalizers_wait_for_the_end);
    FIXTURE_RUN(test_sections_in_finalizers);
    FIXTURE_RUN(test_deep_nesting);
    FIXTURE_RUN(test_readers_and_writers);
    return check_finish();
}
