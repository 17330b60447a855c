/* SPDX-License-Identifier: MIT
 *
 * Destruction: links of dead objects, order, depth, finalizers, read sections; and the lists are empty afterwards. */
#include "object/destroy.h"

#include <string.h>

#include <ouro/ouro.h>

#include "mem/limbo.h"
#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

static uint64_t seed;

static void check_lists_empty(void)
{
    const struct oi_act *act = &oi_act;
    CHECK(!act->dead_plain && !act->dead && !act->dead_waiting && !act->dead_blocks && !act->callbacks);
    CHECK(!act->destroying && !act->in_user_code);
}

/* ---- links ---- */

/* Any address of 47 bits that is a multiple of 8; the flags below stay, and so does everything else. */
static void check_link(uint64_t address, uint16_t flags)
{
    ouro_object o = {.ouro_private_type = 0x12345678, .ouro_private_owner = 0x7abc, .ouro_private_flags = flags,
                     .ouro_private_local = 0xdeadbeef, .ouro_private_shared = OI_DEAD};
    oi_dead_link(&o, (ouro_object *)(uintptr_t)address);
    CHECK_EQ((uintptr_t)oi_dead_next(&o), address);
    CHECK_EQ(o.ouro_private_flags & OI_FLAGS, flags & OI_FLAGS);
    CHECK_EQ(o.ouro_private_type, 0x12345678);
    CHECK_EQ(o.ouro_private_owner, 0x7abc);
    CHECK_EQ(o.ouro_private_shared, OI_DEAD);
}

static void test_links(void)
{
    struct rng rng = rng_stream(seed, 0);
    check_link(0, 0);
    check_link(0, OI_FLAGS);
    for (unsigned bit = 3; bit < 47; bit++) {
        check_link((uint64_t)1 << bit, 0);
        check_link((((uint64_t)1 << 47) - 8) & ~((uint64_t)1 << bit), OI_FLAGS);
    }
    check_link(((uint64_t)1 << 47) - 8, 0xffff);
    for (int i = 0; i < 100000; i++)
        check_link(rng_next(&rng) & (((uint64_t)1 << 47) - 8), (uint16_t)rng_next(&rng));
}

/* ---- order ---- */

static long order[64];
static int ordered;

static void note_order(void *object)
{
    if (ordered < 64)
        order[ordered++] = ((struct node *)object)->id;
}

static int place_of(long id)
{
    for (int i = 0; i < ordered; i++) {
        if (order[i] == id)
            return i;
    }
    return -1;
}

/* A container's finalizer runs before those of what it alone keeps, and sees it alive. Private and published. */
static void test_parents_first(void)
{
    for (int shared = 0; shared < 2; shared++) {
        ordered = 0;
        on_finalize(note_order);
        /*      1
         *    2   3
         *   4 5 5 6 */
        struct node *five = node_new(5);
        struct node *two = node_new_with(2, node_new(4), ouro_retain(five));
        struct node *three = node_new_with(3, five, node_new(6));
        struct node *one = node_new_with(1, two, three);
        if (shared)
            ouro_share(one);
        ouro_release(one);
        CHECK_EQ(ordered, 6);
        CHECK_EQ(place_of(1), 0);
        CHECK(place_of(4) > place_of(2) && place_of(6) > place_of(3));
        CHECK(place_of(5) > place_of(2) && place_of(5) > place_of(3));
        check_lists_empty();
    }
}

static struct node *dropped_by_finalizer;
static bool nested;

static void drop_another(void *object)
{
    if (((struct node *)object)->id != 1)
        return;
    ouro_release(dropped_by_finalizer);
    nested = finalized() > 1; /* had it run inside this one */
}

/* What a finalizer drops is finalized when that finalizer has returned, and before the outer call does. */
static void test_finalizers_do_not_nest(void)
{
    on_finalize(drop_another);
    dropped_by_finalizer = node_new(2);
    ouro_release(node_new(1));
    CHECK(!nested);
    CHECK_EQ(finalized(), 2);
    check_lists_empty();
}

static struct node *dying_parent;

static void look_at_children(void *object)
{
    struct node *n = object;
    if (n->id != 1)
        return;
    struct node *child = ouro_get(n, &n->a);
    CHECK(child && child->id == 2);
    CHECK_EQ(ouro_refcount(n), 1);
    CHECK(oi_act.in_user_code);
    ouro_release(child);
    dying_parent = n;
}

static void test_finalizer_sees_its_object_whole(void)
{
    for (int shared = 0; shared < 2; shared++) {
        on_finalize(look_at_children);
        dying_parent = NULL;
        struct node *n = node_new_with(1, node_new(2), NULL);
        if (shared)
            ouro_share(n);
        ouro_release(n);
        CHECK_PTR(dying_parent, n);
        check_lists_empty();
    }
    CHECK_EQ(finalized(), 4);
}

static struct node *rescued;

static void rescue(void *object)
{
    if (((struct node *)object)->id == 9)
        rescued = ouro_retain(object);
}

/* Revived by its finalizer: lives on with what it refers to, and dies without a second call. */
static void test_revived(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        on_finalize(rescue);
        rescued = NULL;
        struct node *n = node_new_with(9, node_new(2), NULL);
        if (shared)
            ouro_share(n);
        ouro_release(n);
        CHECK_PTR(rescued, n);
        CHECK_EQ(finalized(), before + 1);
        CHECK_EQ(ouro_refcount(n), 1);
        CHECK(oi_flags(&n->object) & OI_FINALIZED);
        CHECK_EQ(oi_flags(&n->object) & ~(uint32_t)(OI_FLAGS | OI_AGED), 0); /* no link is left there */
        CHECK_EQ(!!(oi_flags(&n->object) & OI_PUBLISHED), shared);
        CHECK_EQ(oi_shared(&n->object), shared ? OI_ONE | OI_MERGED : 0);
        CHECK_EQ(((struct node *)ouro_peek(&n->a))->id, 2);
        ouro_retain(n);
        ouro_release(n);
        ouro_release(n);
        CHECK_EQ(finalized(), before + 2); /* the child's */
        check_lists_empty();
    }
}

/* ---- depth ---- */

enum { DEPTH = 100000, SMALL_STACK = 64 << 10 };

static struct node *chain_new(ouro_type *type, long length, bool shared)
{
    struct node *first = NULL;
    for (long i = 0; i < length; i++) {
        struct node *n = ouro_new(type);
        REQUIRE(n);
        ouro_give(n, &n->a, first);
        first = n;
    }
    if (shared)
        ouro_share(first);
    return first;
}

static void *destroy_chains(void *unused)
{
    (void)unused;
    for (int shared = 0; shared < 2; shared++) {
        long before = finalized();
        ouro_release(chain_new(&plain_type, DEPTH, shared));
        ouro_release(chain_new(&node_type, DEPTH / 10, shared));
        CHECK_EQ(finalized(), before + DEPTH / 10);
        check_lists_empty();
        /* Kinds that alternate, so that one list feeds the other. */
        struct node *first = NULL;
        for (long i = 0; i < DEPTH / 10; i++) {
            struct node *n = ouro_new(i % 3 ? &plain_type : &node_type);
            struct table *t = table_new(2);
            ouro_give(n, &n->b, first);
            ouro_give(t, &t->items[1], n);
            first = plain_new(i);
            ouro_give(first, &first->a, t);
            if (i == DEPTH / 20)
                ouro_share(first); /* published below, private above */
        }
        if (shared)
            ouro_share(first);
        ouro_release(first);
        check_lists_empty();
    }
    return NULL;
}

/* However deep: neither stack nor memory is needed. */
static void test_depth(void)
{
    thread_do(destroy_chains, NULL, SMALL_STACK);
}

/* A wide object: an array that alone keeps many. */
static void test_width(void)
{
    for (int shared = 0; shared < 2; shared++) {
        struct table *t = table_new(20000);
        long before = finalized();
        for (long i = 0; i < 20000; i++)
            ouro_give(t, &t->items[i], i % 2 ? (void *)node_new(i) : plain_new(i));
        if (shared)
            ouro_share(t);
        ouro_release(t);
        CHECK_EQ(finalized(), before + 10000);
        check_lists_empty();
    }
}

/* ---- all kinds at once ---- */

static long called_back;

static void count_call(ouro_weak *weak, void *arg)
{
    CHECK_PTR(ouro_weak_get(weak), NULL);
    called_back++;
    (void)arg;
}

struct mixture {
    void *objects[600];
    ouro_weak *weak[600];
    long finalizers, callbacks;
    int count, weak_count;
};

/* A graph without cycles, all of which is reached from the last object only: with and without finalizers, with slots and without, arrays, and some with
 * weak references. */
static struct node *mix(struct rng *rng, struct mixture *all)
{
    const int most = 1 + (int)rng_below(rng, 599);
    *all = (struct mixture){0};
    while (all->count < most) {
        void *children[4] = {0}, *o;
        for (int i = 0; i < 4 && all->count; i++)
            children[i] = rng_one_in(rng, 3) ? NULL : ouro_retain(all->objects[rng_below(rng, (uint32_t)all->count)]);
        uint32_t kind = rng_below(rng, 8);
        if (kind == 0) {
            struct table *t = table_new(4);
            for (int i = 0; i < 4; i++)
                ouro_give(t, &t->items[i], children[i]);
            o = t;
        } else {
            for (int i = 2; i < 4; i++)
                ouro_release(children[i]);
            struct node *n = kind < 6 ? plain_new(all->count) : node_new(all->count);
            ouro_give(n, &n->a, children[0]);
            ouro_give(n, &n->b, kind == 1 ? leaf_new(0) : NULL);
            if (kind != 1)
                ouro_give(n, &n->b, children[1]);
            else
                ouro_release(children[1]);
            all->finalizers += (kind >= 6) + (kind == 1);
            o = n;
        }
        if (rng_one_in(rng, 10)) {
            bool calls = rng_one_in(rng, 2);
            all->weak[all->weak_count++] = ouro_weak_new(o, calls ? count_call : NULL, NULL);
            all->callbacks += calls;
        }
        all->objects[all->count++] = o;
    }
    struct table *holder = table_new((size_t)all->count);
    for (int i = 0; i < all->count; i++)
        ouro_give(holder, &holder->items[i], all->objects[i]);
    struct node *root = plain_new(-1);
    ouro_give(root, &root->a, holder);
    return root;
}

/* Nothing is left, each finalizer and each callback has run once, whoever drops it, and wherever. */
static void test_mixtures(void)
{
    static struct mixture all;
    struct rng rng = rng_stream(seed, 5);
    for (int i = 0; i < SCALED(400); i++) {
        size_t before = live_objects();
        long finalized_before = finalized();
        called_back = 0;
        struct node *root = mix(&rng, &all);
        bool shared = i % 4, reading = i % 4 > 1;
        if (shared)
            ouro_share(root);
        if (i % 4 == 3)
            ouro_share_widely(root); /* without a bias */
        if (reading)
            ouro_read_begin();
        ouro_release(root);
        if (reading)
            ouro_read_end();
        CHECK_EQ(finalized() - finalized_before, all.finalizers);
        CHECK_EQ(called_back, all.callbacks);
        for (int k = 0; k < all.weak_count; k++)
            ouro_release(all.weak[k]);
        check_lists_empty();
        CHECK_EQ(live_objects(), before);
    }
}

/* ---- where blocks go ---- */

/* A private object's block is free at once; a published one's waits in limbo. */
static void test_blocks(void)
{
    struct node *stays = plain_new(0), *mine = plain_new(1);
    struct oi_page *page = oi_page_of(mine);
    uint32_t used = page->used;
    ouro_release(mine);
    oi_pool_free_kept(&oi_act.self->pool);
    CHECK_EQ(oi_page_of(mine)->used, used - 1);
    CHECK_EQ(oi_type_word(&mine->object), 0);
    struct node *shared = plain_new(2);
    ouro_share(shared);
    page = oi_page_of(shared);
    ouro_read_begin(); /* keeps limbo from being emptied */
    used = page->used;
    ouro_release(shared);
    CHECK_EQ(page->used, used);
    CHECK(oi_type_word(&shared->object) != 0);
    CHECK(OI_CHAIN_COUNT(oi_load_relaxed(&page->limbo)) + OI_CHAIN_COUNT(oi_load_relaxed(&page->ripening)) >= 1);
    ouro_read_end();
    ouro_release(stays);
}

/* Objects of every kind of page, dropped alone, come back to it. */
static void test_sizes(void)
{
    static const size_t sizes[] = {16, 24, 32, 40, 128, 1000, 8184, 8192, 8200, 20000, 65536, 65544, 200000, 5000000};
    enum { KINDS = sizeof sizes / sizeof *sizes, EACH = 20 };
    static ouro_type types[KINDS], other = {.size = 24, .align = 8, .name = "other"};
    for (int kind = 0; kind < KINDS; kind++) {
        ouro_object *objects[EACH];
        types[kind] = (ouro_type){.size = sizes[kind], .align = 8, .name = "sized"};
        for (int i = 0; i < EACH; i++) {
            REQUIRE(objects[i] = ouro_new(&types[kind]));
            CHECK_PTR(oi_object_page(objects[i]), oi_page_of(objects[i]));
        }
        oi_pool_free_kept(&oi_act.self->pool);
        ouro_release(ouro_new(&other)); /* so none of them is kept (kept_test) */
        for (int i = EACH; i-- > 0;) {
            struct oi_page *page = oi_page_of(objects[i]);
            uint32_t used = page->used;
            ouro_release(objects[i]);
            if (used == 1)
                continue; /* it may be gone */
            CHECK_EQ(page->used, used - 1);
            CHECK_PTR(page->free, objects[i]);
        }
    }
}

/* A reference in any one of the slots is seen. */
static void test_each_slot(void)
{
    enum { MOST = 5 };
    struct slots {
        ouro_object object;
        ouro_slot slots[MOST];
    };
    static ouro_type types[MOST][MOST];
    size_t before = live_objects();
    for (unsigned first = 0; first < MOST; first++) {
        for (unsigned last = first; last < MOST; last++) {
            ouro_type *type = &types[first][last];
            *type = (ouro_type){.size = sizeof(struct slots), .align = 8, .name = "slots"};
            for (unsigned i = first; i <= last; i++)
                type->slots[i - first] = OURO_PRIVATE_FIELD(struct slots, slots[i]);
            for (unsigned at = first; at <= last + 1; at++) {
                struct slots *parent = ouro_new(type);
                REQUIRE(parent);
                if (at <= last) /* else it is bare */
                    ouro_give(parent, &parent->slots[at], plain_new(0));
                ouro_release(parent);
                CHECK_EQ(live_objects(), before);
            }
        }
    }
}

/* In a read section: what dies privately stays readable until it ends, and finalizers wait for it. */
static void test_read_section(void)
{
    struct oi_act *act = &oi_act;
    struct node *plain = plain_new(1), *fin = node_new_with(2, node_new(3), NULL), *shared = node_new(4);
    ouro_share(shared);
    ouro_read_begin();
    uint32_t used = oi_page_of(plain)->used;
    ouro_release(plain);
    CHECK_PTR(act->dead_blocks, &plain->object);
    CHECK_EQ(oi_page_of(plain)->used, used);
    CHECK_EQ(plain->id, 1);
    CHECK_PTR(ouro_try_retain(plain), NULL);
    ouro_release(fin);
    ouro_release(shared);
    CHECK_EQ(finalized(), 0);
    CHECK_PTR(act->dead_waiting, &shared->object);
    CHECK_PTR(oi_dead_next(&shared->object), &fin->object);
    CHECK_EQ(((struct node *)ouro_peek(&fin->a))->id, 3);
    ouro_read_begin();
    ouro_read_end();
    CHECK_EQ(finalized(), 0); /* the outermost end counts */
    ouro_read_end();
    CHECK_EQ(finalized(), 3);
    check_lists_empty();
}

/* Objects that die by a drop inside a finalizer inside the end of a section... */
static void drop_in_section(void *object)
{
    if (((struct node *)object)->id != 1)
        return;
    ouro_read_begin();
    ouro_release(dropped_by_finalizer);
    ouro_read_end();
}

static void test_section_in_finalizer(void)
{
    on_finalize(drop_in_section);
    dropped_by_finalizer = node_new_with(2, node_new(3), NULL);
    struct node *n = node_new(1);
    ouro_read_begin();
    ouro_release(n);
    CHECK_EQ(finalized(), 0);
    ouro_read_end();
    CHECK_EQ(finalized(), 3);
    check_lists_empty();
}

/* oi_destroy_later only notes; oi_destroy_run does it. */
static void test_later(void)
{
    struct oi_act *act = &oi_act;
    struct node *a = node_new(1), *b = node_new(2);
    ouro_share(a);
    ouro_share(b);
    oi_set_owner(&a->object, 0);
    oi_set_owner(&b->object, 0);
    oi_set_shared(&a->object, OI_DEAD);
    oi_set_shared(&b->object, OI_DEAD);
    oi_destroy_later(act, &a->object);
    oi_destroy_later(act, &b->object);
    CHECK_PTR(act->dead, &b->object);
    CHECK_PTR(oi_dead_next(&b->object), &a->object);
    CHECK_PTR(oi_dead_next(&a->object), NULL);
    CHECK_EQ(finalized(), 0);
    act->destroying = true; /* as if the loop were on the stack */
    oi_destroy_run(act);
    CHECK_EQ(finalized(), 0);
    act->destroying = false;
    oi_destroy_run(act);
    CHECK_EQ(finalized(), 2);
    check_lists_empty();
}

int main(void)
{
    check_start("destroy_test");
    seed = rng_seed();
    fixture_start_with((ouro_config){.flags = OURO_GC_DISABLED});
    FIXTURE_RUN(test_links);
    FIXTURE_RUN(test_parents_first);
    FIXTURE_RUN(test_finalizers_do_not_nest);
    FIXTURE_RUN(test_finalizer_sees_its_object_whole);
    FIXTURE_RUN(test_revived);
    FIXTURE_RUN(test_depth);
    FIXTURE_RUN(test_width);
    FIXTURE_RUN(test_mixtures);
    FIXTURE_RUN(test_blocks);
    FIXTURE_RUN(test_sizes);
    FIXTURE_RUN(test_each_slot);
    FIXTURE_RUN(test_read_section);
    FIXTURE_RUN(test_section_in_finalizer);
    FIXTURE_RUN(test_later);
    return check_finish();
}
