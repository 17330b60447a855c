/* SPDX-License-Identifier: MIT
 *
 * The scope of a collection: which pages are in it, ids and their inverse for every size of block, member bits and walks
 * over them, when a block may be looked at, and that nothing of it is left afterwards. */
#include "cycle/scope.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mem/size_class.h"
#include "object/publish.h"
#include "port/os.h"
#include "support/address_space.h"
#include "support/child.h"
#include "support/collection.h"
#include "support/fault.h"
#include "support/fixture.h"
#include "support/preempt.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

static const ouro_object *header(const void *object)
{
    return object;
}

/* An array of slots that takes a block of this many bytes. */
static struct table *table_of(size_t bytes)
{
    return table_new((bytes - sizeof(struct table)) / sizeof(ouro_slot));
}

static struct table *shared_table_of(size_t bytes)
{
    struct table *t = table_of(bytes);
    ouro_share(t);
    return t;
}

/* ---- ids ---- */

/* Every block of the page, in use or not, has the id of its place and no other. */
static void check_ids(struct oi_scope *scope, const void *object)
{
    struct oi_page *page = oi_page_of(object);
    size_t size = oi_page_block_size(page);
    uint32_t number = oi_scope_find(scope, object) >> OI_SCOPE_INDEX_BITS;
    long wrong = 0;
    if (!CHECK_GE(number, 1) || !CHECK_LE(number, scope->count))
        return;
    CHECK_PTR(scope->pinned[number - 1], page);
    for (uint32_t i = 0; i < page->capacity; i++) {
        ouro_object *o = (ouro_object *)(page->base + i * size);
        oi_id id = oi_scope_find(scope, o);
        wrong += id != oi_scope_id(number, i) || oi_scope_index(id) != i || oi_scope_object(scope, id) != o ||
                 oi_scope_page_of(scope, id) != &scope->pages[number] ||
                 oi_scope_estimate(scope, id) != &scope->pages[number].estimate[i];
    }
    CHECK_EQ(wrong, 0);
    uint32_t index = oi_scope_index(oi_scope_find(scope, object));
    CHECK_LT(index, scope->extents[number].carved);
    CHECK_LE(scope->extents[number].carved, page->capacity);
}

static void test_ids_of_every_class(void)
{
    struct table *of[OI_CLASSES] = {NULL};
    for (unsigned class = 1; class < OI_CLASSES; class++) {
        of[class] = shared_table_of(oi_class_size(class));
        CHECK_EQ(oi_page_block_size(oi_page_of(of[class])), oi_class_size(class));
    }
    struct oi_scope *scope = oi_scope_enter(2);
    CHECK_EQ(scope->count, OI_CLASSES - 1);
    for (unsigned class = 1; class < OI_CLASSES; class++)
        check_ids(scope, of[class]);
    oi_scope_leave(scope);
    for (unsigned class = 1; class < OI_CLASSES; class++)
        ouro_release(of[class]);
}

/* ---- edges ---- */

static uint32_t words_of(const void *object)
{
    return (uint32_t)oi_page_block_size(oi_page_of(object)) / 8 - 1; /* no object has as many slots */
}

static void note_some(struct oi_scope *scope, const void *object, uint32_t n, uint32_t mark)
{
    for (uint32_t i = 1; i <= n; i++)
        scope->list[i] = mark + i;
    struct oi_member member = oi_scope_member(scope, oi_scope_find(scope, object));
    oi_scope_note_edges(scope, member, n);
    if (mark % 3 == 0)
        oi_scope_note_outside(member);
}

static void check_noted(const struct oi_scope *scope, const void *object, uint32_t n, uint32_t mark)
{
    struct oi_member member = oi_scope_member(scope, oi_scope_find(scope, object));
    uint32_t noted, wrong = 0;
    const uint32_t *edges = oi_scope_edges(scope, member, &noted);
    CHECK_EQ(noted, n);
    for (uint32_t i = 0; i < noted; i++)
        wrong += edges[i] != mark + 1 + i;
    CHECK_EQ(wrong, 0);
    CHECK_EQ(oi_scope_leads_outside(member), mark % 3 == 0);
}

/* Pages of one block, of many units, and of a segment of their own. */
static void test_ids_of_large_blocks(void)
{
    static const size_t sizes[] = {OI_CLASS_MAX + 8,      2 * OI_UNIT,     2 * OI_UNIT + 8, 9 * OI_UNIT - 8,     OI_SEGMENT - OI_UNIT,
                                   OI_SEGMENT - OI_UNIT + 8, OI_SEGMENT,   3 * OI_SEGMENT + 8, (size_t)40 << 20};
    enum { N = sizeof sizes / sizeof *sizes };
    struct table *of[N];
    for (int i = 0; i < N; i++)
        of[i] = shared_table_of(sizes[i]);
    struct oi_scope *scope = oi_scope_enter(2);
    CHECK_EQ(scope->count, N);
    for (int i = 0; i < N; i++) {
        check_ids(scope, of[i]);
        CHECK_EQ(oi_scope_index(oi_scope_find(scope, header(of[i]))), 0);
    }
    oi_scope_begin_lists(scope);
    for (int i = 0; i < N; i++)
        note_some(scope, of[i], words_of(of[i]), (uint32_t)i);
    for (int i = 0; i < N; i++)
        check_noted(scope, of[i], words_of(of[i]), (uint32_t)i);
    oi_scope_leave(scope);
    for (int i = 0; i < N; i++)
        ouro_release(of[i]);
}

/* Objects in all places of several pages; what is noted of different ones does not overlap, with as many edges as a block has room for. */
static void check_apart(struct table **of, uint32_t count, int generation, bool most)
{
    struct oi_scope *scope = oi_scope_enter(generation);
    oi_scope_begin_lists(scope);
    for (uint32_t i = 0; i < count; i++) {
        oi_id id = oi_scope_find(scope, header(of[i]));
        *oi_scope_estimate(scope, id) = (int32_t)i;
        if (generation == 2)
            scope->extents[id >> OI_SCOPE_INDEX_BITS].count[oi_scope_index(id)] = -(int32_t)i;
        note_some(scope, of[i], most ? words_of(of[i]) : i % words_of(of[i]), i);
    }
    long wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        oi_id id = oi_scope_find(scope, header(of[i]));
        wrong += *oi_scope_estimate(scope, id) != (int32_t)i;
        wrong += generation == 2 && scope->extents[id >> OI_SCOPE_INDEX_BITS].count[oi_scope_index(id)] != -(int32_t)i;
        wrong += oi_scope_is_member(scope, id);
        check_noted(scope, of[i], most ? words_of(of[i]) : i % words_of(of[i]), i);
    }
    CHECK_EQ(wrong, 0);
    oi_scope_leave(scope);
}

static void test_notes_are_apart(void)
{
    enum { COUNT = 6000 };
    static struct table *of[COUNT];
    static const size_t sizes[] = {24, 32, 40, 48, 136, 1024};
    for (int i = 0; i < COUNT; i++)
        of[i] = shared_table_of(sizes[i % (sizeof sizes / sizeof *sizes)]);
    check_apart(of, COUNT, 1, true); /* while what is shared is recent */
    check_apart(of, COUNT, 2, true);
    check_apart(of, COUNT, 2, false);
    for (int i = 0; i < COUNT; i++)
        ouro_release(of[i]);
}

/* ---- which pages ---- */

static bool is_in(const struct oi_scope *scope, const void *object)
{
    return oi_scope_find(scope, object) != 0;
}

static struct oi_scope *leave_and_enter(struct oi_scope *scope, int generation)
{
    oi_scope_leave(scope);
    return oi_scope_enter(generation);
}

/* Those with objects that are shared and have slots; for generation 1: where something was shared since the last time. */
static void test_generations(void)
{
    struct table *old = shared_table_of(64), *private = table_of(96), *large = shared_table_of(5 * OI_UNIT);
    struct leaf *leaf = leaf_new(1);
    ouro_share(leaf);
    struct oi_scope *scope = oi_scope_enter(1);
    CHECK(is_in(scope, old));
    CHECK(is_in(scope, large));
    CHECK(!is_in(scope, private));
    CHECK(!is_in(scope, leaf));
    scope = leave_and_enter(scope, 1);
    CHECK_EQ(scope->count, 0);
    CHECK(!is_in(scope, old));
    scope = leave_and_enter(scope, 2);
    CHECK(is_in(scope, old));
    CHECK(is_in(scope, large));
    CHECK(!is_in(scope, private));
    ouro_share(private); /* after the pages were counted up */
    CHECK(!is_in(scope, private));
    scope = leave_and_enter(scope, 1);
    CHECK(is_in(scope, private));
    CHECK(!is_in(scope, old));
    struct table *new = shared_table_of(64); /* on the old one's page */
    scope = leave_and_enter(scope, 1);
    CHECK(is_in(scope, old));
    CHECK(is_in(scope, new));
    CHECK(!is_in(scope, private));
    oi_scope_leave(scope);
    ouro_release(old);
    ouro_release(new);
    ouro_release(private);
    ouro_release(large);
    ouro_release(leaf);
}

/* ---- more than there is room for ---- */

/* What a collection of generation 2 has no room for is left to those of generation 1. */
static long collect_in_turns(long rings)
{
    long found = ouro_gc_collect(2), last = found;
    CHECK_LT(found, rings);
    for (; found < rings && last; found += last)
        last = ouro_gc_collect(1);
    return found;
}

static void test_turns_of_units(void)
{
    enum { RINGS = 60, ROOM = 16 };
    struct table *ring[RINGS];
    size_t most = oi_scope_units_max;
    for (int old = 0; old < 2; old++) {
        for (int i = 0; i < RINGS; i++) {
            ring[i] = shared_table_of(i % 3 ? OI_UNIT : 5 * OI_UNIT);
            ouro_set(ring[i], &ring[i]->items[0], ring[i]);
        }
        if (old)
            ouro_gc_collect(2); /* with room for all: no page is recent any more */
        for (int i = 0; i < RINGS; i++)
            ouro_release(ring[i]);
        oi_scope_units_max = ROOM;
        CHECK_EQ(collect_in_turns(RINGS), RINGS);
        oi_scope_units_max = most;
    }
}

static void test_turns_of_pages(void)
{
    enum { TABLES = 10, ROOM = 4 };
    struct table *of[TABLES];
    struct oi_page *first[ROOM], *rest[2 * TABLES];
    for (int i = 0; i < TABLES; i++)
        of[i] = shared_table_of(5 * OI_UNIT); /* each on a page of its own */
    ouro_gc_collect(2);
    uint32_t n = 0, left = 0;
    oi_page_pin(first, &n, ROOM, false);
    CHECK_EQ(n, ROOM);
    oi_page_pin(rest, &left, 2 * TABLES, true);
    CHECK_EQ(left, TABLES - ROOM);
    for (int i = 0; i < TABLES; i++)
        CHECK_EQ(oi_page_of(of[i])->pins, 1);
    oi_page_unpin(first, &n);
    oi_page_unpin(rest, &left);
    for (int i = 0; i < TABLES; i++)
        ouro_release(of[i]);
}

/* What was noted is gone when the scope is left, as are the numbers of pages. */
static void test_leaving(void)
{
    enum { COUNT = 40 };
    struct table *of[COUNT];
    for (int i = 0; i < COUNT; i++)
        of[i] = shared_table_of(i % 2 ? 7 * OI_UNIT : 24);
    struct oi_scope *scope = oi_scope_enter(2);
    oi_scope_begin_lists(scope);
    for (int i = 0; i < COUNT; i++) {
        *oi_scope_estimate(scope, oi_scope_find(scope, header(of[i]))) = -1;
        note_some(scope, of[i], words_of(of[i]), 0);
    }
    const uint32_t *lists = scope->list - 2; /* still mapped when the scope has been left */
    CHECK_GT(*lists, 0);
    oi_scope_leave(scope);
    CHECK_EQ(*lists, 0); /* given back to the system */
    CHECK_EQ(scope->count, 0);
    for (int i = 0; i < COUNT; i++) {
        struct oi_segment *segment = oi_segment_of(of[i]);
        for (size_t unit = 0; unit < OI_SEGMENT_UNITS; unit++)
            CHECK_EQ(oi_scope_number((char *)segment + unit * OI_UNIT), 0);
        CHECK(!oi_page_of(of[i])->pins);
    }
    scope = oi_scope_enter(2);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(*oi_scope_estimate(scope, oi_scope_find(scope, header(of[i]))), 0);
        check_noted(scope, of[i], 0, 1);
    }
    oi_scope_leave(scope);
    for (int i = 0; i < COUNT; i++)
        ouro_release(of[i]);
}

/* A member's only edge is put down behind all lists before it finds its place in the table; wherever that is, the next scope finds nothing there. */
static void test_last_edge(void)
{
    enum { LINE = 2 << 20 }; /* it is given back in pieces of so many bytes */
    struct table *large = shared_table_of(3 * OI_SEGMENT), *small = shared_table_of(64);
    for (uint32_t missing = 0; missing < 4; missing++) { /* words, up to the line */
        struct oi_scope *scope = oi_scope_enter(2);
        oi_scope_begin_lists(scope);
        const uint32_t *line = (uint32_t *)oi_round_up((uintptr_t)scope->list + 64, LINE);
        note_some(scope, large, (uint32_t)(line - missing - scope->list) - 1, 1);
        CHECK_PTR(scope->list, line - missing);
        note_some(scope, small, 1, 7);
        const uint32_t *end = scope->list + 64;
        oi_scope_leave(scope);
        for (const uint32_t *at = line - 64; at < end; at++)
            CHECK_EQ(*at, 0);
    }
    ouro_release(large);
    ouro_release(small);
}

/* A page whose last object goes stays what it is until the scope is left. */
static void test_pinned(void)
{
    struct table *large = shared_table_of(3 * OI_UNIT);
    struct oi_page *page = oi_page_of(large);
    struct oi_scope *scope = oi_scope_enter(2);
    CHECK(page->pins);
    size_t in_use = oi_page_totals().in_use;
    ouro_release(large);
    ouro_mem_trim();
    CHECK_EQ(oi_page_totals().in_use, in_use);
    CHECK(is_in(scope, large));
    CHECK_EQ(page->block_units, 3 * OI_UNIT / 8);
    oi_scope_leave(scope);
    CHECK_LE(oi_page_totals().in_use, in_use - 3 * OI_UNIT);
    CHECK(!page->pins);
}

/* A collector has vanished in a fork, its scope still entered, its marks still set. */
static void test_after_a_vanished_collector(void)
{
    struct table *small = shared_table_of(24), *large = shared_table_of(3 * OI_SEGMENT), *gone = shared_table_of(4 * OI_UNIT);
    struct oi_scope *scope = oi_scope_enter(2);
    *oi_scope_estimate(scope, oi_scope_find(scope, header(small))) = 77;
    oi_fetch_or_acqrel(&small->array.object.ouro_private_owner, OI_CAND);
    oi_fetch_or_acqrel(&large->array.object.ouro_private_owner, OI_CAND);
    oi_scope_begin_lists(scope);
    for (uint32_t i = 1; i < words_of(large); i++)
        scope->list[i] = 0xdead; /* and it has not noted yet how many that were */
    ouro_release(gone);
    ouro_mem_trim();
    scope = oi_scope_enter(1);
    CHECK_EQ(scope->count, 0);
    CHECK(!is_marked(small));
    CHECK(!is_marked(large));
    CHECK(!is_in(scope, small));
    scope = leave_and_enter(scope, 2);
    CHECK_EQ(scope->count, 2);
    CHECK(is_in(scope, large));
    CHECK_EQ(*oi_scope_estimate(scope, oi_scope_find(scope, header(small))), 0);
    oi_scope_begin_lists(scope);
    uint32_t left = 0;
    for (uint32_t i = 1; i < words_of(large); i++)
        left += scope->list[i] != 0;
    CHECK_EQ(left, 0);
    oi_scope_leave(scope);
    ouro_release(small);
    ouro_release(large);
}

/* ---- members ---- */

struct visit {
    struct collection *c;
    int visited;
    const void *also; /* dropped at the first visit */
    const void *last;
};

static void visit(struct oi_scope *scope, struct oi_member member, void *arg)
{
    struct visit *v = arg;
    oi_id id = oi_member_id(member);
    CHECK_PTR(oi_scope_object(scope, id), member.object);
    CHECK_PTR(oi_scope_estimate(scope, id), oi_member_estimate(member));
    CHECK(v->also || oi_scope_is_member(scope, id));
    struct oi_member same = oi_scope_member(scope, id);
    CHECK_PTR(same.object, member.object);
    CHECK_PTR(same.bits, member.bits);
    CHECK_PTR(oi_member_estimate(same), oi_member_estimate(member));
    v->last = member.object;
    if (!v->visited++ && v->also)
        oi_scope_drop(scope, oi_scope_find(scope, v->also));
}

static int count_visits(struct collection *c, const void *also)
{
    struct visit v = {c, 0, also, NULL};
    oi_scope_each_member(c->scope, visit, &v);
    return v.visited;
}

static void test_members(void)
{
    enum { COUNT = 500 };
    struct table *of[COUNT];
    for (int i = 0; i < COUNT; i++)
        of[i] = shared_table_of(24);
    struct table *other = shared_table_of(5 * OI_UNIT);
    struct collection c = collection_enter(2);
    CHECK_EQ(oi_scope_count_members(c.scope), 0);
    CHECK_EQ(count_visits(&c, NULL), 0);
    for (int i = 0; i < COUNT; i += 3)
        make_member(&c, of[i]);
    make_member(&c, other);
    enum { MEMBERS = (COUNT + 2) / 3 + 1 };
    CHECK_EQ(oi_scope_count_members(c.scope), MEMBERS);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(is_member(&c, of[i]), i % 3 == 0);
    CHECK_EQ(count_visits(&c, NULL), MEMBERS);
    CHECK_EQ(count_visits(&c, of[3]), MEMBERS); /* a later one of the same word is visited all the same */
    CHECK(!is_member(&c, of[3]));
    CHECK_EQ(count_visits(&c, of[300]), MEMBERS - 2);
    CHECK_EQ(count_visits(&c, of[0]), MEMBERS - 2); /* the first itself: it was being visited */
    CHECK_EQ(oi_scope_count_members(c.scope), MEMBERS - 3);
    for (int i = 0; i < COUNT; i++)
        oi_scope_drop(c.scope, oi_scope_find(c.scope, header(of[i])));
    CHECK_EQ(oi_scope_count_members(c.scope), 1);
    CHECK(!c.scope->extents[oi_scope_find(c.scope, header(of[0])) >> OI_SCOPE_INDEX_BITS].has_members);
    CHECK_EQ(count_visits(&c, NULL), 1);
    struct table *late = NULL; /* what is made now is not looked at, even if its page is in the scope */
    for (int i = 0; i < COUNT; i++) {
        ouro_release(late);
        late = shared_table_of(24);
    }
    CHECK_EQ(count_visits(&c, NULL), 1);
    collection_leave(&c);
    ouro_release(late);
    ouro_release(other);
    for (int i = 0; i < COUNT; i++)
        ouro_release(of[i]);
}

/* ---- looking ---- */

static bool may_look(const void *object)
{
    oi_rcu_read_lock();
    bool may = oi_scope_may_look(object);
    oi_rcu_read_unlock();
    return may;
}

static ouro_type acyclic_type =
    OURO_TYPE(struct node, .name = "acyclic", .slots = OURO_SLOTS(struct node, a, b), .flags = OURO_TYPE_ACYCLIC);

static bool looked_at_in_finalizer, finalizer_saw;

static void look(void *object)
{
    looked_at_in_finalizer = true;
    finalizer_saw = may_look(object);
}

static void test_may_look(void)
{
    struct node *n = plain_new(1), *acyclic = ouro_new(&acyclic_type), *twin = plain_new(2);
    struct leaf *leaf = leaf_new(1);
    CHECK(!may_look(n)); /* private */
    ouro_share(n);
    CHECK(may_look(n));
    ouro_share(acyclic);
    ouro_share(leaf);
    CHECK(!may_look(acyclic));
    CHECK(!may_look(leaf));
    oi_fetch_or_acqrel(&n->object.ouro_private_owner, OI_CAND);
    CHECK(may_look(n));
    ouro_retain(n);
    ouro_release(n);
    CHECK(may_look(n));
    ouro_release(n);
    CHECK(!may_look(n)); /* dead, in limbo: the flag is still there */
    CHECK(oi_flags(&n->object) & OI_PUBLISHED);
    ouro_mem_trim();
    CHECK(!may_look(n)); /* free */
    ouro_release(twin);
    ouro_release(acyclic);
    ouro_release(leaf);
    on_finalize(look);
    struct node *finalized_one = node_new(3);
    ouro_share(finalized_one);
    ouro_release(finalized_one);
    CHECK(looked_at_in_finalizer);
    CHECK(finalizer_saw); /* it may live again */
}

/* Blocks that were dead are taken back and become another thread's private objects, between any two instructions of who looks at them. None
 * was ever alive and published. The steps are those of the library: take_remote in pool.c, make in new.c. */
enum { BLOCKS = 64, ROUNDS = SCALED(20000) };

static struct fake {
    ouro_object object __attribute__((aligned(16)));
    ouro_slot slots[2];
} fakes[BLOCKS];

static atomic_ulong looks; /* begun */
static atomic_bool looking;
static atomic_long wrong_looks;

static void make_dead(struct fake *fake)
{
    oi_store_relaxed(&fake->object.ouro_private_type, 1);
    oi_store_relaxed(&fake->object.ouro_private_owner, 0);
    oi_set_shared(&fake->object, OI_DEAD);
    oi_store_release(&fake->object.ouro_private_flags, (uint16_t)OI_PUBLISHED);
}

static void take_back_and_make(struct fake *fake)
{
    uint64_t *words = (uint64_t *)fake;
    oi_store_relaxed(&words[0], 0);
    oi_store_release(&words[1], 0);
    oi_store_release(&words[0], (uint64_t)3 << 32 | 1);
}

static void *look_all_the_time(void *unused)
{
    struct rng rng = rng_stream(seed, 1);
    (void)unused;
    preempt_join();
    while (atomic_load(&looking)) {
        atomic_fetch_add(&looks, 1);
        atomic_fetch_add(&wrong_looks, oi_scope_may_look(&fakes[rng_below(&rng, BLOCKS)].object));
    }
    preempt_leave();
    return NULL;
}

/* The look that is under way ends. The fence: what was done before is visible before the looks are counted, as in a grace period of liburcu's;
 * or else two looks may pass while it waits in the processor's store buffer. */
static void grace_period(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    unsigned long before = atomic_load(&looks);
    while (atomic_load(&looks) < before + 2)
        sched_yield();
}

static void test_look_at_blocks_taken_back(void)
{
    atomic_store(&looking, true);
    preempt_start(seed);
    pthread_t thread = thread_start(look_all_the_time, NULL, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++)
            make_dead(&fakes[i]);
        grace_period();
        for (int i = 0; i < BLOCKS; i++)
            take_back_and_make(&fakes[i]);
        grace_period();
    }
    atomic_store(&looking, false);
    thread_join_running(thread);
    preempt_stop();
    CHECK_EQ(atomic_load(&wrong_looks), 0);
    printf("       %lu looks, %ld pauses\n", atomic_load(&looks), preempt_pauses());
}

/* ---- little memory ---- */

enum { PAGES = 150, PER_PAGE = OI_UNIT / 32, FIT = 16 }; /* pages of blocks of 32 bytes, and at least so many beside the holder's */

static void begin_with_little(void)
{
    fixture_start();
    ouro_gc_disable();
    struct table *small = shared_table_of(64);
    CHECK_EQ(ouro_gc_collect(2), 0); /* the first two megabytes are had */
    ouro_release(small);
}

static long collect_with_little(int generation)
{
    fault_arm(FAULT_FROM, 1);
    long found = ouro_gc_collect(generation);
    fault_disarm();
    return found;
}

/* Whose objects may be members. */
static bool has_table(const struct oi_scope *scope, const void *object)
{
    return oi_scope_number(object) && oi_scope_is_furnished(scope, oi_scope_number(object));
}

static int count_tables(int generation, struct table **first, int *turns)
{
    int tables = 0;
    fault_arm(FAULT_FROM, 1);
    struct oi_scope *scope = oi_scope_enter(generation);
    fault_disarm();
    for (int i = 0; i < PAGES; i++)
        turns[i] += has_table(scope, first[i]);
    for (uint32_t number = 1; number <= scope->count; number++)
        tables += oi_scope_is_furnished(scope, number);
    CHECK_EQ(scope->is_partial, tables < (int)scope->count);
    oi_scope_leave(scope);
    return tables;
}

/* There is memory for the tables of a part of the pages: each comes into its turn, in either generation, and then all garbage is found. */
static void take_turns(void *unused)
{
    static struct table *first[PAGES];
    (void)unused;
    begin_with_little();
    struct table *holder = table_new(PAGES * PER_PAGE);
    for (int i = 0; i < PAGES * PER_PAGE; i++) {
        struct table *t = table_of(32);
        if (i % PER_PAGE == 0)
            first[i / PER_PAGE] = t;
        ouro_give(holder, &holder->items[i], t);
    }
    ouro_share(holder);
    struct table *large = table_new(1 << 20); /* for which there is never memory enough: nobody waits for it */
    ouro_share(large);
    int old[PAGES] = {0}, young[PAGES] = {0};
    enum { ROUNDS = 2 * PAGES / FIT };
    for (int round = 0; round < ROUNDS; round++)
        CHECK_LT(count_tables(2, first, old), PAGES / 2);
    for (int round = 0; round < ROUNDS; round++)
        CHECK_LT(count_tables(1, first, young), PAGES / 2);
    CHECK_EQ(count_tables(1, first, young), 0); /* nothing is recent any more */
    int least = ROUNDS, most = 0, all = 0;
    for (int i = 0; i < PAGES; i++) {
        least = old[i] < least ? old[i] : least;
        most = young[i] > most ? young[i] : most;
        all += young[i];
    }
    CHECK_GE(least, 1);
    CHECK_EQ(most, 1);
    CHECK_GE(all, PAGES / 2); /* but those that generation 2 has looked at last */
    for (int i = 0; i < PAGES * PER_PAGE; i++) {
        struct table *t = ouro_take(holder, &holder->items[i]);
        ouro_give(t, &t->items[0], t); /* alone, and garbage */
    }
    long found = 0;
    for (int round = 0; round < 2 * ROUNDS; round++)
        found += collect_with_little(2);
    CHECK_EQ(found, PAGES * PER_PAGE);
    struct oi_scope *scope = oi_scope_enter(2);
    CHECK(!scope->is_partial);
    CHECK(has_table(scope, holder));
    oi_scope_leave(scope);
    ouro_release(large);
    ouro_release(holder);
}

static void test_turns(void)
{
    if (fault_supported())
        CHECK_EQ(child_run(take_turns, NULL), 0);
}

/* What one page wants is refused, and what others want is had: the first collection of all. */
static void want_much(void *unused)
{
    enum { SLOTS = 1 << 25, RINGS = 1000, MORE = 32 << 20 }; /* 128 MiB for the lists of the table */
    (void)unused;
    fixture_start();
    ouro_gc_disable();
    for (int i = 0; i < RINGS; i++) {
        struct table *t = shared_table_of(32);
        ouro_give(t, &t->items[0], t);
    }
    struct table *large = table_new(SLOTS); /* its segment is looked at first */
    ouro_share(large);
    size_t limit = (size_t)address_space().data * (size_t)sysconf(_SC_PAGESIZE) + MORE;
    REQUIRE(setrlimit(RLIMIT_DATA, &(struct rlimit){limit, limit}) == 0);
    CHECK_EQ(ouro_gc_collect(2), RINGS);
    ouro_release(large);
}

static void test_much_wanted(void)
{
    if (TEST_SLOWDOWN == 1)
        CHECK_EQ(child_run(want_much, NULL), 0);
}

/* There is memory for the table of a page, but not for what may have to be listed of it; for others there is. */
static void list_much(void *unused)
{
    enum { SLOTS = 1 << 20, RINGS = 1000 };
    (void)unused;
    begin_with_little();
    struct table *large = table_new(SLOTS);
    for (int i = 0; i < SLOTS; i++)
        ouro_set(large, &large->items[i], large);
    struct table *held = shared_table_of(32); /* by what is not looked at */
    ouro_give(held, &held->items[0], ouro_retain(held));
    ouro_give(large, &large->items[0], held);
    ouro_share(large);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < RINGS; i++) {
            struct table *t = shared_table_of(32);
            ouro_give(t, &t->items[0], t);
        }
        CHECK_EQ(collect_with_little(1 + round % 2), RINGS);
    }
    ouro_release(large);
    CHECK_EQ(collect_with_little(2), 0);
    for (unsigned i = 0; i < (1u << OI_SCOPE_INDEX_BITS) / 64; i++)
        CHECK(!oi_scope_nothing[i].member && !oi_scope_nothing[i].gray);
    CHECK_EQ(ouro_gc_collect(2), 2);
}

static void test_much_to_list(void)
{
    if (fault_supported())
        CHECK_EQ(child_run(list_much, NULL), 0);
}

/* What the scope reserves leaves most of it for the heap, which is still collected. */
static void live_within_limit(void *unused)
{
    enum { RINGS = 100000 };
    const size_t limit = (size_t)1 << 30;
    void *at[limit / 2 / OI_SEGMENT];
    (void)unused;
    REQUIRE(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0);
    fixture_start();
    ouro_gc_disable();
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        CHECK((at[i] = oi_os_map(OI_SEGMENT, OI_SEGMENT)));
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        oi_os_unmap(at[i], OI_SEGMENT);
    for (int i = 0; i < RINGS; i++) {
        struct table *t = shared_table_of(2048);
        ouro_give(t, &t->items[0], t);
    }
    struct oi_scope *scope = oi_scope_enter(2);
    CHECK(!scope->is_partial);
    oi_scope_leave(scope);
    CHECK_EQ(ouro_gc_collect(2), RINGS);
}

static void test_limited_address_space(void)
{
    if (TEST_SLOWDOWN == 1) /* sanitizers need more than there is of it */
        CHECK_EQ(child_run(live_within_limit, NULL), 0);
}

int main(void)
{
    check_start("scope_test");
    CHECK_RUN(test_limited_address_space); /* this and the next three before there are threads here */
    CHECK_RUN(test_turns);
    CHECK_RUN(test_much_to_list);
    CHECK_RUN(test_much_wanted);
    seed = rng_seed();
    fixture_start();
    ouro_gc_disable();
    CHECK_GE(ouro_gc_collect(2), 0); /* the threads run; nothing is recent */
    FIXTURE_RUN(test_ids_of_every_class);
    FIXTURE_RUN(test_ids_of_large_blocks);
    FIXTURE_RUN(test_notes_are_apart);
    FIXTURE_RUN(test_generations);
    FIXTURE_RUN(test_turns_of_units);
    FIXTURE_RUN(test_turns_of_pages);
    FIXTURE_RUN(test_leaving);
    FIXTURE_RUN(test_last_edge);
    FIXTURE_RUN(test_pinned);
    FIXTURE_RUN(test_after_a_vanished_collector);
    FIXTURE_RUN(test_members);
    FIXTURE_RUN(test_may_look);
    FIXTURE_RUN(test_look_at_blocks_taken_back);
    return check_finish();
}
