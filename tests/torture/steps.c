/* SPDX-License-Identifier: MIT */
#include "torture/steps.h"

#include <sched.h>

#include "support/scale.h"
#include "support/threads.h"
#include "torture/children.h"
#include "torture/hand.h"
#include "torture/history.h"
#include "torture/report.h"
#include "torture/values.h"

struct node *roots[ROOTS];

/* ---- Choosing ---- */

static struct node *some_root(struct worker *w)
{
    return roots[rng_below(&w->rng, ROOTS)];
}

/* One with slots: held, or a root. */
static struct node *some_container(struct worker *w)
{
    struct node *n = hand_some(w);
    return n && node_has_slots(n) && !rng_one_in(&w->rng, 4) ? n : some_root(w);
}

static unsigned some_racing_slot(struct worker *w)
{
    return rng_below(&w->rng, RACING_SLOTS);
}

static unsigned some_own_slot(struct worker *w)
{
    return RACING_SLOTS + rng_below(&w->rng, OWN_SLOTS);
}

/* One whose own slots this worker may write, or NULL. */
static struct node *some_own(struct worker *w)
{
    for (int i = 0; i < 4; i++) {
        struct node *n = hand_some(w);
        if (n && node_has_slots(n) && node_is_made_by(n, &w->maker))
            return n;
    }
    return NULL;
}

static enum kind some_kind(struct worker *w)
{
    static const enum kind kinds[] = {PLAIN, PLAIN, PLAIN, PLAIN, ARRAY, ARRAY, LEAF, ACYCLIC};
    return kinds[rng_below(&w->rng, sizeof kinds / sizeof *kinds)];
}

/* ---- Base ---- */

static struct node *make_one(struct worker *w, enum kind kind)
{
    struct node *n = node_new(&w->maker, kind, &w->rng);
    for (unsigned i = RACING_SLOTS; n && kind != LEAF && i < WEAK_SLOT; i++) {
        struct node *to = rng_one_in(&w->rng, 12) ? n : hand_some(w);
        if (rng_one_in(&w->rng, 2) && node_may_refer(n, to))
            node_set(n, i, to);
    }
    return n;
}

static void make(struct worker *w)
{
    hand_hold(w, make_one(w, some_kind(w)));
}

static void drop(struct worker *w)
{
    struct node **place = &w->held[rng_below(&w->rng, HELD)], *n = *place;
    *place = NULL;
    node_release(n);
}

static void walk(struct worker *w)
{
    hand_hold(w, node_get(some_container(w), rng_below(&w->rng, WEAK_SLOT)));
}

/* ---- Links ---- */

static void set_own(struct worker *w)
{
    struct node *n = some_own(w), *to = rng_one_in(&w->rng, 6) ? NULL : hand_some(w);
    if (n && node_may_refer(n, to))
        node_set(n, some_own_slot(w), to);
}

static void compare_set(struct worker *w)
{
    struct node *n = some_container(w), *to = hand_some(w);
    unsigned slot = some_racing_slot(w);
    struct node *seen = rng_one_in(&w->rng, 4) ? NULL : node_get(n, slot);
    yield_sometimes(&w->rng);
    if (node_may_refer(n, to))
        node_compare_set(n, slot, seen, to);
    hand_hold(w, seen);
}

/* ---- Moves ---- */

static void take(struct worker *w)
{
    hand_hold(w, node_take(some_container(w), some_racing_slot(w)));
}

/* The only reference, perhaps: into a slot of something else, of itself, or of what only it reaches. */
static void swap(struct worker *w)
{
    struct node **place = &w->held[rng_below(&w->rng, HELD)], *in = *place;
    struct node *n = in && node_has_slots(in) && rng_one_in(&w->rng, 6) ? in : some_container(w);
    if (!node_may_refer(n, in))
        return;
    if (rng_one_in(&w->rng, 2)) {
        *place = NULL; /* before: it may be that n is held here only, and goes */
        hand_hold(w, node_swap(n, some_racing_slot(w), in));
    } else {
        node_release(node_swap(n, some_racing_slot(w), ouro_retain(in)));
    }
}

static void give_own(struct worker *w)
{
    struct node *n = some_own(w);
    struct node **place = &w->held[rng_below(&w->rng, HELD)], *in = *place;
    if (!n || !node_may_refer(n, in))
        return;
    *place = NULL;
    node_give(n, some_own_slot(w), in);
}

/* From slot to slot. */
static void move(struct worker *w)
{
    struct node *from = some_container(w), *to = some_container(w);
    struct node *n = node_take(from, some_racing_slot(w));
    if (n && node_may_refer(to, n))
        n = node_swap(to, some_racing_slot(w), n);
    hand_hold(w, n);
}

/* ---- Cycles ---- */

/* A ring, which nobody but its maker holds, private or shared, and soon nobody. */
static struct node *ring(struct worker *w, const enum kind *kinds, unsigned choice)
{
    struct node *first = node_new(&w->maker, kinds[rng_below(&w->rng, choice)], &w->rng), *last = first;
    if (!first)
        return NULL;
    for (unsigned i = rng_below(&w->rng, 6); i > 0; i--) {
        struct node *next = node_new(&w->maker, kinds[rng_below(&w->rng, choice)], &w->rng);
        if (!next)
            break;
        node_give(last, RACING_SLOTS, next);
        last = next;
        if (rng_one_in(&w->rng, 3))
            node_set(last, RACING_SLOTS + 1, hand_some(w));
    }
    node_set(last, RACING_SLOTS, first);
    if (rng_one_in(&w->rng, 3))
        node_release(node_swap(some_root(w), some_racing_slot(w), ouro_retain(last)));
    else if (rng_one_in(&w->rng, 2))
        node_share(first);
    return first;
}

static void make_ring(struct worker *w)
{
    static const enum kind kinds[] = {PLAIN, PLAIN, ARRAY};
    node_release(ring(w, kinds, 3));
}

/* ---- Weak references ---- */

static void make_weak(struct worker *w)
{
    struct node *target = hand_some(w), *holder = some_own(w);
    unsigned place = rng_below(&w->rng, WEAK_HELD);
    uint32_t id;
    ouro_weak *weak = target ? node_weak_new(&w->maker, target, rng_one_in(&w->rng, 2), &id) : NULL;
    if (!weak)
        return;
    if (holder && rng_one_in(&w->rng, 2)) {
        node_give_weak(holder, weak, id);
        return;
    }
    ouro_release(w->weak_held[place].weak);
    w->weak_held[place].weak = weak;
    w->weak_held[place].id = id;
}

static void follow_weak(struct worker *w)
{
    unsigned place = rng_below(&w->rng, WEAK_HELD);
    if (rng_one_in(&w->rng, 2)) {
        hand_hold(w, node_weak_get(w->weak_held[place].weak, w->weak_held[place].id));
        return;
    }
    struct node *n = some_container(w);
    ouro_weak *weak = ouro_get(n, node_slot(n, WEAK_SLOT)); /* anybody's */
    struct node *found = node_weak_get(weak, 0);
    ouro_release(weak);
    hand_hold(w, found);
}

/* A shared ring that can be had back by its weak reference alone. */
static void weak_ring(struct worker *w)
{
    static const enum kind kinds[] = {PLAIN, FINALIZED};
    struct node *first = ring(w, kinds, 2);
    unsigned place = rng_below(&w->rng, WEAK_HELD);
    uint32_t id;
    ouro_weak *weak = first ? node_weak_new(&w->maker, first, rng_one_in(&w->rng, 2), &id) : NULL;
    if (weak) {
        ouro_release(w->weak_held[place].weak);
        w->weak_held[place].weak = weak;
        w->weak_held[place].id = id;
    }
    node_release(first);
}

/* ---- Finalizers ---- */

static void drop_finalized(struct worker *w)
{
    bool reading = rng_one_in(&w->rng, 3);
    struct node *n = make_one(w, rng_one_in(&w->rng, 3) ? LEAF : FINALIZED);
    if (n && rng_one_in(&w->rng, 2))
        node_share(n);
    if (n && node_has_slots(n) && rng_one_in(&w->rng, 4)) {
        hand_hold(w, n);
        return;
    }
    if (reading)
        ouro_read_begin();
    node_release(n);
    if (reading)
        ouro_read_end();
}

static void finalized_ring(struct worker *w)
{
    static const enum kind kinds[] = {FINALIZED, PLAIN};
    node_release(ring(w, kinds, 2));
}

static void made_keeper(struct worker *w, const struct node *n)
{
    if (n && accounts[n->id].kind == KEEPER)
        w->keepers[w->keepers_made++ % KEEPERS] = n->id;
}

static void drop_keeper(struct worker *w)
{
    struct node *n = make_one(w, KEEPER);
    made_keeper(w, n);
    if (n && rng_one_in(&w->rng, 4))
        hand_hold(w, n);
    else
        node_release(n);
}

static void keeper_ring(struct worker *w)
{
    static const enum kind kinds[] = {KEEPER, PLAIN, FINALIZED, KEEPER};
    struct node *n = ring(w, kinds, 4);
    made_keeper(w, n);
    node_release(n);
}

static void rescue(struct worker *w)
{
    uint32_t id = w->keepers[rng_below(&w->rng, KEEPERS)];
    struct node *n = id ? refuge_take(id) : NULL;
    w->rescued += n != NULL;
    hand_hold(w, n);
}

static void immortalize(struct worker *w)
{
    if (w->immortals >= IMMORTALS)
        return;
    struct node *n = make_one(w, PLAIN);
    if (!n)
        return;
    w->immortals++;
    node_immortalize(n);
    hand_hold(w, n);
}

/* ---- Publication ---- */

/* A private tree, or a chain, shared as a whole: by ouro_share, or by storing it. */
static void publish(struct worker *w)
{
    struct node *made[12], *n;
    unsigned count = 0, wanted = 1 + rng_below(&w->rng, 12);
    bool chain = rng_one_in(&w->rng, 2);
    while (count < wanted && (n = node_new(&w->maker, rng_one_in(&w->rng, 4) ? ARRAY : PLAIN, &w->rng)) != NULL)
        made[count++] = n;
    for (unsigned i = count; i-- > 1;)
        node_give(made[chain ? i - 1 : (i - 1) / OWN_SLOTS], RACING_SLOTS + (chain ? 0 : (i - 1) % OWN_SLOTS), made[i]);
    if (!count)
        return;
    if (rng_one_in(&w->rng, 2))
        node_share(made[0]);
    else
        node_release(node_swap(some_root(w), some_racing_slot(w), ouro_retain(made[0])));
    hand_hold(w, made[0]);
}

/* ---- Reading ---- */

static void read_path(struct worker *w)
{
    struct node *found = NULL;
    ouro_read_begin();
    struct node *n = ouro_peek(node_slot(some_root(w), rng_below(&w->rng, WEAK_SLOT)));
    for (int i = 0; n && i < 8; i++) {
        node_check(n, false);
        if (rng_one_in(&w->rng, 5) && (found = ouro_try_retain(n)) != NULL)
            break;
        if (rng_one_in(&w->rng, 8))
            yield_sometimes(&w->rng);
        n = node_has_slots(n) ? ouro_peek(node_slot(n, rng_below(&w->rng, WEAK_SLOT))) : NULL;
    }
    if (rng_one_in(&w->rng, 16))
        drop(w); /* what dies in a section */
    ouro_read_end();
    if (found)
        history_note(EVENT_TRY_RETAIN, 0, 0, 0, found->id);
    hand_hold(w, found);
}

/* ---- Threads ---- */

void step_attach(struct worker *w)
{
    ouro_status status;
    unsigned before = ledger_limits();
    while ((status = ouro_thread_attach(w->unbiased ? OURO_THREAD_UNBIASED : 0)) == OURO_E_NOMEM)
        ledger_lacked_memory(before, 0);
    expect_equal((uint64_t)-(int64_t)status, 0, "status of ouro_thread_attach, negative", 0);
    history_note(EVENT_THREAD, 0, 0, 0, w->unbiased);
}

static void share_all(struct worker *w)
{
    for (int i = 0; i < HELD; i++)
        ouro_share(w->held[i]);
    for (int i = 0; i < WEAK_HELD; i++)
        ouro_share(w->weak_held[i].weak);
}

static void detach(struct worker *w)
{
    if (rng_one_in(&w->rng, 2))
        share_all(w);
    w->unbiased = rng_one_in(&w->rng, 5);
    ouro_thread_detach();
    step_attach(w);
}

static void hand_over(struct worker *w)
{
    if (w->in_child)
        return;
    if (rng_one_in(&w->rng, 2))
        share_all(w);
    if (rng_one_in(&w->rng, 3))
        ouro_thread_detach();
    w->unbiased = rng_one_in(&w->rng, 5);
    w->hands_over = true;
}

/* What the thread does inside needs nothing of its own; what does, ends the region, and that is right as well. */
static void block(struct worker *w)
{
    static void (*const inside[])(struct worker *) = {read_path, follow_weak, compare_set, take, walk, drop, make, swap};
    ouro_blocking_begin();
    for (uint32_t i = rng_below(&w->rng, 4); i > 0; i--)
        inside[rng_below(&w->rng, sizeof inside / sizeof *inside)](w);
    yield_sometimes(&w->rng);
    ouro_blocking_end();
}

static void safepoint(struct worker *w)
{
    (void)w;
    ouro_safepoint();
}

/* ---- Memory ---- */

static void trim(struct worker *w)
{
    ouro_mem_stats stats;
    if (rng_one_in(&w->rng, 2))
        ouro_mem_trim();
    ouro_mem_get_stats(&stats, sizeof stats);
    expect(stats.committed_bytes <= stats.reserved_bytes, "more memory is committed than reserved", 0);
}

/* Under a hard limit of a byte no page can be had; all goes on without. */
static void limit(struct worker *w)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    static void (*const under_it[])(struct worker *) = {make, make, make_ring, make_weak, drop, publish, walk, drop_finalized};
    if (pthread_mutex_trylock(&one_at_a_time))
        return;
    bool hard = options.threads == 1 || rng_one_in(&w->rng, 2); /* whether a soft one is met depends on others */
    ledger_limit_changes();
    expect(ouro_mem_set_limit(hard ? 0 : 1, hard) == OURO_OK, "a limit cannot be set", 0);
    if (hard)
        expect(ouro_new_array(&node_types[LEAF], 1 << 20) == NULL, "a large object, though there is a limit of one byte", 0);
    for (uint32_t i = options.threads > 1 ? rng_below(&w->rng, 20) : 0; i > 0; i--)
        under_it[rng_below(&w->rng, sizeof under_it / sizeof *under_it)](w);
    expect(ouro_mem_set_limit(0, 0) == OURO_OK, "a limit cannot be lifted", 0);
    ledger_limit_changes();
    pthread_mutex_unlock(&one_at_a_time);
}

/* ---- Collections ---- */

static int look_at(void *object, void *arg)
{
    (void)arg;
    ouro_type *type = ouro_type_of(object);
    if (type >= node_types && type < node_types + KINDS && ouro_gc_is_tracked(object) && !rng_one_in(arg, 1000))
        return 0;
    return rng_one_in(arg, 100);
}

/* What generation 1 finds depends on where objects lie, and that, on when the service thread gives blocks back. */
static void collect(struct worker *w)
{
    int generation = (int)rng_below(&w->rng, 3);
    ledger_collect(options.threads == 1 && generation == 1 ? 2 : generation);
}

static void ask_for_collection(struct worker *w)
{
    if (options.threads == 1)
        collect(w); /* when the other would be done is not the worker's choice */
    else
        expect(ouro_gc_collect_async(1 + (int)rng_below(&w->rng, 2)) == OURO_OK, "ouro_gc_collect_async", 0);
}

static void visit(struct worker *w)
{
    struct node *n = hand_some(w);
    switch (rng_below(&w->rng, 8)) {
    case 0:
        ouro_gc_freeze();
        break;
    case 1:
        ouro_gc_unfreeze();
        break;
    case 2:
        if (n)
            ouro_gc_visit_referrers(n, look_at, &w->rng);
        break;
    case 3:
        if (n)
            ouro_gc_visit_referents(n, look_at, &w->rng);
        break;
    default:
        ouro_gc_visit_objects((int)rng_below(&w->rng, 4) - 1, look_at, &w->rng);
    }
}

static void fork_child(struct worker *w)
{
    if (!w->in_child)
        children_fork(w);
}

/* ---- All of them ---- */

static const struct action {
    enum mix mix;
    const char *name;
    void (*fn)(struct worker *w);
    unsigned weight; /* beside the others of its mix */
} steps[] = {
    {MIX_BASE, "make", make, 4},
    {MIX_BASE, "drop", drop, 3},
    {MIX_BASE, "walk", walk, 2},
    {MIX_LINKS, "set_own", set_own, 1},
    {MIX_LINKS, "compare_set", compare_set, 1},
    {MIX_MOVES, "take", take, 2},
    {MIX_MOVES, "swap", swap, 3},
    {MIX_MOVES, "give_own", give_own, 2},
    {MIX_MOVES, "move", move, 2},
    {MIX_CYCLES, "make_ring", make_ring, 1},
    {MIX_WEAK, "make_weak", make_weak, 2},
    {MIX_WEAK, "follow_weak", follow_weak, 4},
    {MIX_WEAK, "weak_ring", weak_ring, 1},
    {MIX_FINALIZERS, "drop_finalized", drop_finalized, 2},
    {MIX_FINALIZERS, "finalized_ring", finalized_ring, 1},
    {MIX_RESURRECTION, "drop_keeper", drop_keeper, 2},
    {MIX_RESURRECTION, "keeper_ring", keeper_ring, 1},
    {MIX_RESURRECTION, "rescue", rescue, 3},
    {MIX_IMMORTAL, "immortalize", immortalize, 1},
    {MIX_PUBLICATION, "publish", publish, 1},
    {MIX_READING, "read_path", read_path, 1},
    {MIX_VALUES, "values", values_step, 1},
    {MIX_THREADS, "detach", detach, 1},
    {MIX_THREADS, "hand_over", hand_over, 1},
    {MIX_BLOCKING, "block", block, 3},
    {MIX_BLOCKING, "safepoint", safepoint, 1},
    {MIX_FORK, "fork", fork_child, 1},
    {MIX_TRIMS, "trim", trim, 1},
    {MIX_LIMITS, "limit", limit, 1},
    {MIX_COLLECTIONS, "collect", collect, 2},
    {MIX_COLLECTIONS, "ask_for_collection", ask_for_collection, 1},
    {MIX_COLLECTIONS, "visit", visit, 1},
};
enum { STEPS = sizeof steps / sizeof *steps };

static uint32_t bounds[STEPS]; /* a number below bounds[i], and not below the one before, is step i */

void steps_start(void)
{
    unsigned weights[MIX_COUNT] = {0};
    double sum = 0, shares = 0;
    for (int i = 0; i < STEPS; i++)
        weights[steps[i].mix] += steps[i].weight;
    for (int i = 0; i < MIX_COUNT; i++)
        shares += options.shares[i];
    for (int i = 0; i < STEPS; i++) {
        sum += (double)options.shares[steps[i].mix] * steps[i].weight / weights[steps[i].mix];
        bounds[i] = (uint32_t)(sum / shares * UINT32_MAX);
    }
}

const char *step_name(uint32_t number)
{
    return number < STEPS ? steps[number].name : "?";
}

static uint32_t choose(uint32_t dice)
{
    uint32_t number = 0;
    while (number < STEPS && dice >= bounds[number])
        number++;
    return number % STEPS; /* beyond the last, by rounding: the first */
}

void step_once(struct worker *w)
{
    uint64_t step = atomic_load_explicit(&w->step, memory_order_relaxed);
    w->rng = rng_stream(rng_stream(options.seed, w->maker.number).state, step);
    uint32_t number = choose((uint32_t)(rng_next(&w->rng) >> 32));
    uint64_t begun = history_clock();
    history_step(step, number);
    steps[number].fn(w);
    histogram_add(&w->durations, history_clock() - begun);
    w->done[steps[number].mix]++;
    atomic_store_explicit(&w->step, step + 1, memory_order_relaxed);
}

void step_drop_all(struct worker *w)
{
    for (int i = 0; i < HELD; i++) {
        struct node *n = w->held[i];
        w->held[i] = NULL;
        node_release(n);
    }
    for (int i = 0; i < WEAK_HELD; i++) {
        ouro_release(w->weak_held[i].weak);
        w->weak_held[i].weak = NULL;
    }
}

void step_check_held(struct worker *w)
{
    for (int i = 0; i < HELD; i++) {
        if (w->held[i])
            node_check(w->held[i], true);
    }
}
