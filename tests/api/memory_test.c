/* SPDX-License-Identifier: MIT
 *
 * The heap's own numbers: exact when the heap is quiet, consistent with each other, size class by size class; and
 * memory that goes back to the system, by request and by itself, whoever freed the objects. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/threads.h"

static uint64_t seed;

static void check_consistent(void)
{
    ouro_mem_stats s = mem_stats();
    size_t objects = 0, bytes = 0, pages = 0, previous = 0;
    int i = 0;
    CHECK_EQ(s.size, sizeof s);
    for (; i < OURO_MEM_CLASSES_MAX && s.classes[i].block_size; i++) {
        ouro_mem_class_stats *c = &s.classes[i];
        CHECK(c->block_size > previous); /* SIZE_MAX, for the last */
        previous = c->block_size;
        if (c->block_size != SIZE_MAX)
            CHECK_EQ(c->live_bytes, c->live_objects * c->block_size);
        CHECK_LE(c->live_bytes, c->pages_bytes);
        objects += c->live_objects;
        bytes += c->live_bytes;
        pages += c->pages_bytes;
    }
    CHECK_GT(i, 8);
    CHECK_EQ(objects, s.live_objects);
    CHECK_EQ(bytes, s.live_bytes);
    CHECK_LE(pages, s.committed_bytes);
    CHECK_LE(s.live_bytes + s.limbo_bytes, s.committed_bytes);
    CHECK_LE(s.committed_bytes, s.reserved_bytes);
}

static size_t count_in_class(size_t size)
{
    ouro_mem_stats s = mem_stats();
    for (int i = 0; i < OURO_MEM_CLASSES_MAX && s.classes[i].block_size; i++)
        if (s.classes[i].block_size >= size)
            return s.classes[i].live_objects;
    return SIZE_MAX;
}

/* Each object is counted in the smallest class that holds it; the last class has all the large ones. */
static void test_classes(void)
{
    static ouro_type types[40];
    for (int i = 0; i < 40; i++) {
        size_t size = i < 20 ? 16 + 8 * (size_t)i : (size_t)256 << (i - 20) / 2;
        types[i] = (ouro_type){.size = size, .align = 8, .name = "sized"};
        size_t live = live_objects_now(), live_bytes = mem_stats().live_bytes, in_class = count_in_class(size);
        void *objects[5];
        for (int k = 0; k < 5; k++)
            objects[k] = ouro_new(&types[i]);
        CHECK_EQ(live_objects_now() - live, 5);
        CHECK_EQ(count_in_class(size) - in_class, 5);
        CHECK_GE(mem_stats().live_bytes - live_bytes, 5 * size);
        check_consistent();
        for (int k = 0; k < 5; k++)
            ouro_release(objects[k]);
        CHECK_EQ(live_objects_now(), live);
        CHECK_EQ(mem_stats().live_bytes, live_bytes);
        CHECK_EQ(count_in_class(size), in_class);
    }
}

static void test_large_objects(void)
{
    static const size_t lengths[] = {100000, 1 << 20, 5 << 20, 30 << 20};
    for (int i = 0; i < 4; i++) {
        ouro_mem_stats before = mem_stats();
        struct bytes *b = ouro_new_array(&bytes_type, lengths[i]);
        REQUIRE(b);
        ouro_mem_stats with = mem_stats();
        CHECK_EQ(with.live_objects - before.live_objects, 1);
        CHECK_GE(with.live_bytes - before.live_bytes, lengths[i]);
        CHECK_LE(with.live_bytes - before.live_bytes, lengths[i] + lengths[i] / 4 + (64 << 10));
        check_consistent();
        ouro_release(b);
        CHECK_EQ(mem_stats().live_bytes, before.live_bytes);
        ouro_mem_trim();
        CHECK_LE(mem_stats().committed_bytes, with.committed_bytes - lengths[i]);
    }
}

/* A random mixture of sizes, private and published: numbers are exact after each quiet moment. */
static void test_exact_in_mixture(void)
{
    enum { SLOTS = 3000, ROUNDS = 30, STEPS = SCALED(5000) };
    static void *objects[SLOTS];
    struct rng rng = rng_stream(seed, 0);
    size_t alive = 0;
    for (int round = 0; round <= ROUNDS; round++) {
        for (int step = 0; step < (round < ROUNDS ? STEPS : SLOTS); step++) {
            void **object = &objects[round < ROUNDS ? (int)rng_below(&rng, SLOTS) : step];
            if (*object) {
                ouro_release(*object);
                *object = NULL;
                alive--;
            } else if (round < ROUNDS) {
                *object = rng_one_in(&rng, 3)
                              ? ouro_new_array(&bytes_type, rng_below(&rng, rng_one_in(&rng, 100) ? 1000000 : 5000))
                              : ouro_new(rng_one_in(&rng, 2) ? &plain_type : &leaf_type);
                REQUIRE(*object);
                if (rng_one_in(&rng, 3))
                    ouro_share(*object);
                alive++;
            }
        }
        CHECK_EQ(live_objects(), alive);
        CHECK_EQ(mem_stats().limbo_bytes, 0);
        check_consistent();
    }
    CHECK_EQ(alive, 0);
}

/* Dead published objects are no longer counted as alive; their memory waits in limbo until trim has waited for it. */
static void test_limbo(void)
{
    enum { COUNT = 1000 };
    struct table *t = table_new(COUNT);
    for (int i = 0; i < COUNT; i++)
        ouro_give(t, &t->items[i], plain_new(i));
    ouro_share(t);
    size_t live = live_objects_now();
    ouro_read_begin(); /* holds up the end of limbo */
    for (int i = 0; i < COUNT; i++)
        ouro_set(t, &t->items[i], NULL);
    ouro_mem_stats s = mem_stats();
    CHECK_EQ(live - s.live_objects, COUNT);
    CHECK_GE(s.limbo_bytes, COUNT * sizeof(struct node));
    ouro_mem_trim(); /* inside a section: waits for nothing */
    CHECK_GE(mem_stats().limbo_bytes, COUNT * sizeof(struct node));
    ouro_read_end();
    ouro_mem_trim();
    CHECK_EQ(mem_stats().limbo_bytes, 0);
    ouro_release(t);
}

static long resident_bytes(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

enum { BURST = TEST_SLOWDOWN > 1 ? 16 << 20 : 64 << 20, PIECE = 1000, SLACK = BURST / 16 + (1 << 20) };

static struct table *burst_new(bool shared)
{
    struct table *t = table_new(BURST / PIECE);
    if (shared)
        ouro_share(t);
    for (int i = 0; i < BURST / PIECE; i++) {
        struct bytes *b = ouro_new_array(&bytes_type, i % 2 ? PIECE : 2 * PIECE / 3);
        REQUIRE(b);
        memset(b->data, i, b->array.length);
        ouro_give(t, &t->items[i], b);
    }
    return t;
}

static void *release_burst(void *burst)
{
    ouro_release(burst);
    return NULL;
}

/* Trim returns what was freed: here, by another thread while the maker is parked, by another after the maker has
 * gone. */
static void *make_burst(void *out)
{
    *(struct table **)out = burst_new(true);
    return NULL;
}

/* What the background thread has in hand at that moment, a trim leaves alone. */
static bool trims(void *most)
{
    ouro_mem_trim();
    return mem_stats().committed_bytes <= *(size_t *)most;
}

static void test_trim(void)
{
    for (int how = 0; how < 3; how++) {
        ouro_mem_trim();
        size_t before = mem_stats().committed_bytes, most = before + SLACK;
        long resident = resident_bytes();
        struct table *burst = NULL;
        if (how == 2)
            thread_do(make_burst, &burst, 0);
        else
            burst = burst_new(how == 1);
        CHECK_GE(mem_stats().committed_bytes - before, BURST * 3 / 4);
        if (TEST_SLOWDOWN == 1)
            CHECK_GE(resident_bytes() - resident, BURST / 2);
        if (how == 1)
            thread_do(release_burst, burst, 0);
        else
            ouro_release(burst);
        size_t given = ouro_mem_trim();
        CHECK(how == 2 ? wait_until(trims, &most) : mem_stats().committed_bytes <= most);
        if (TEST_SLOWDOWN == 1)
            CHECK_LE(resident_bytes() - resident, BURST / 4);
        printf("       trim gave back %zu KiB of %d KiB\n", given >> 10, BURST >> 10);
        CHECK_LE(ouro_mem_trim(), SLACK); /* once is enough */
    }
}

/* Left alone, it goes back too: some time after the last free, without any call. */
static bool burst_is_back(void *before)
{
    return mem_stats().committed_bytes <= *(size_t *)before + SLACK;
}

static void *make_and_release_burst(void *arg)
{
    (void)arg;
    ouro_release(burst_new(true));
    return NULL;
}

static void test_returned_by_itself(void)
{
    ouro_mem_trim();
    size_t before = mem_stats().committed_bytes;
    struct table *burst = burst_new(true);
    thread_do(release_burst, burst, 0);
    ouro_blocking_begin();
    CHECK(wait_until(burst_is_back, &before)); /* the maker is parked */
    ouro_blocking_end();
    thread_do(make_and_release_burst, NULL, 0);
    CHECK(wait_until(burst_is_back, &before)); /* the maker is gone */
}

static bool one_burst_waits(void *unused)
{
    (void)unused;
    return mem_stats().limbo_bytes <= BURST;
}

/* Memory is used again: rounds of the same work need no more than the first did. */
static void test_reuse(void)
{
    size_t first = 0, most = 0;
    for (int round = 0; round < 8; round++) {
        struct table *burst = burst_new(round % 2);
        size_t committed = mem_stats().committed_bytes;
        if (round == 1)
            first = committed;
        if (round > 1)
            most = committed > most ? committed : most;
        ouro_release(burst);
        if (round % 2)
            ouro_safepoint();
        CHECK(wait_until(one_burst_waits, NULL)); /* a busy machine may let the background thread wait */
    }
    CHECK_LE(most, 2 * first + SLACK); /* what died last may still be in limbo */
}

/* Every second, then every object but one in a hundred is dropped: the rest stays intact, whatever is given back. */
static void test_fragments_stay_intact(void)
{
    struct table *t = burst_new(false);
    size_t kept = 0, wrong = 0;
    for (int step = 2; step <= 100; step += 98) {
        kept = 0;
        for (int i = 0; i < BURST / PIECE; i++) {
            if (i % step)
                ouro_set(t, &t->items[i], NULL);
            kept += ouro_peek(&t->items[i]) != NULL;
        }
        ouro_mem_trim();
        CHECK_EQ(live_objects(), kept + 1);
        check_consistent();
    }
    for (int i = 0; i < BURST / PIECE; i++) {
        struct bytes *b = ouro_peek(&t->items[i]);
        for (size_t k = 0; b && k < b->array.length; k++)
            wrong += b->data[k] != (unsigned char)i;
    }
    CHECK_EQ(wrong, 0);
    ouro_release(t);
}

/* A caller built against a smaller struct: what lies beyond is not written. */
static void test_stats_of_smaller_size(void)
{
    static ouro_mem_stats stats;
    const unsigned char *bytes = (const unsigned char *)&stats;
    size_t sizes[] = {sizeof(size_t),
                      offsetof(ouro_mem_stats, soft_limit),
                      offsetof(ouro_mem_stats, classes),
                      offsetof(ouro_mem_stats, classes[3]),
                      sizeof stats - 1,
                      sizeof stats};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(&stats, 0xee, sizeof stats);
        ouro_mem_get_stats(&stats, sizes[i]);
        CHECK_EQ(stats.size, sizes[i]);
        size_t written = 0;
        for (size_t k = sizes[i]; k < sizeof stats; k++)
            written += bytes[k] != 0xee;
        CHECK_EQ(written, 0);
    }
}

/* Asking while others work: no crash, and no number that is far from this workload. */
static void work_or_ask(struct member *self)
{
    enum { MOST = 200 };
    struct node *mine[MOST] = {NULL};
    for (int i = 0; i < SCALED(100000); i++) {
        if (self->index == 0) {
            if (i % 100)
                continue;
            ouro_mem_stats s = mem_stats();
            CHECK_LE(s.live_objects,
                     MOST * (self->count - 1) + 16 + 3 * 2048); /* an estimate: a page per thread may be off */
            CHECK_LE(s.committed_bytes, s.reserved_bytes);
            continue;
        }
        struct node **n = &mine[rng_below(&self->rng, MOST)];
        if (*n)
            ouro_release(*n);
        *n = *n ? NULL : plain_new(i);
        if (*n && i % 5 == 0)
            ouro_share(*n);
    }
    for (int i = 0; i < MOST; i++)
        ouro_release(mine[i]);
}

static void test_stats_while_working(void)
{
    team_run(4, seed, work_or_ask, NULL);
}

int main(void)
{
    check_start("memory_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_classes);
    FIXTURE_RUN(test_large_objects);
    FIXTURE_RUN(test_exact_in_mixture);
    FIXTURE_RUN(test_limbo);
    FIXTURE_RUN(test_trim);
    FIXTURE_RUN(test_returned_by_itself);
    FIXTURE_RUN(test_reuse);
    FIXTURE_RUN(test_fragments_stay_intact);
    FIXTURE_RUN(test_stats_of_smaller_size);
    FIXTURE_RUN(test_stats_while_working);
    return check_finish();
}
