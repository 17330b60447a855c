//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_estimate.h"

#include "lib_cycle_tally.h"
#include "lib_object_inbox.h"
#include "lib_port_perturb.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */
#define ENOUGH INT32_MAX / 4 /* as many references as matter */

/* ---- references that do not come from the scope ---- */

/* References to an object, as a moment's reading has it. */
static int32_t references(const ouro_object *o)
{
    uint32_t s = oi_shared(o);
    if (s & OI_STUCK)
        return ENOUGH;
    int64_t n = (int64_t)oi_count(s) + (s & OI_MERGED ? 0 : oi_local_tokens(oi_local(o)));
    return n < ENOUGH ? (int32_t)n : ENOUGH;
}

struct counting {
    struct oi_scope *scope;
    struct oi_tally tally;
};

static OI_ALWAYS_INLINE void subtract(ouro_object *child, void *arg)
{
    struct counting *counting = arg;
    oi_id id = oi_scope_find(counting->scope, child);
    if (id)
        oi_tally_count(&counting->tally, oi_scope_estimate(counting->scope, id));
}

static OI_ALWAYS_INLINE bool count_block(struct counting *counting, struct oi_scope_page *page, uint32_t index)
{
    ouro_object *o = oi_scope_at(page, index);
    if (!oi_scope_may_look(o))
        return false;
    page->estimate[index] += references(o);
    page->member[index / 64] |= (uint64_t)1 << index % 64;
    oi_each_ref(oi_type_of(o), o, subtract, counting);
    return true;
}

static size_t count_page(struct counting *counting, uint32_t number)
{
    struct oi_scope *scope = counting->scope;
    size_t objects = 0;
    uint32_t carved = scope->extents[number].carved;
    for (uint32_t index = 0; index < carved;) {
        uint32_t end = index + SECTION_BLOCKS < carved ? index + SECTION_BLOCKS : carved;
        oi_perturb();
        oi_rcu_read_lock();
        for (; index < end; index++)
            objects += count_block(counting, &scope->pages[number], index);
        oi_rcu_read_unlock();
    }
    scope->extents[number].has_members = objects != 0;
    return objects;
}

/* ---- what is reachable from elsewhere is no member ---- */

/* Pages with gray blocks, first come first served: until a page's turn comes many of its blocks have become gray, and all are followed
 * together, in the order of their addresses. In the order of the graph nearly every object would be a wait for memory. */
struct tracing {
    struct oi_scope *scope;
    uint32_t first, last; /* numbers of pages; 0: none */
};

static void enqueue(struct tracing *tracing, uint32_t number)
{
    struct oi_scope_extent *extents = tracing->scope->extents;
    if (extents[number].is_gray)
        return;
    extents[number].is_gray = true;
    extents[number].next_gray = 0;
    if (tracing->first)
        extents[tracing->last].next_gray = number;
    else
        tracing->first = number;
    tracing->last = number;
}

static uint32_t dequeue(struct tracing *tracing)
{
    uint32_t number = tracing->first;
    if (!number)
        return 0;
    tracing->first = tracing->scope->extents[number].next_gray;
    tracing->scope->extents[number].is_gray = false;
    return number;
}

static OI_ALWAYS_INLINE void reach(ouro_object *child, void *arg)
{
    struct tracing *tracing = arg;
    oi_id id = oi_scope_find(tracing->scope, child);
    if (!id || !oi_scope_is_member(tracing->scope, id))
        return;
    oi_scope_drop(tracing->scope, id);
    uint32_t index = oi_scope_index(id);
    uint64_t *gray = &oi_scope_page_of(tracing->scope, id)->gray[index / 64];
    if (!*gray)
        enqueue(tracing, id >> OI_SCOPE_INDEX_BITS);
    *gray |= (uint64_t)1 << index % 64;
}

/* Objects are fetched from memory a few steps before their turn. */
#define AHEAD 8u

struct reading {
    struct tracing *tracing;
    ouro_object *ahead[AHEAD];
    uint32_t next, done;
};

static void follow(struct reading *reading, ouro_object *next)
{
    ouro_object **place = &reading->ahead[reading->next++ % AHEAD], *o = *place;
    *place = next;
    if (!o)
        return;
    if (oi_scope_may_look(o))
        oi_each_ref(oi_type_of(o), o, reach, reading->tracing);
    if (++reading->done % SECTION_BLOCKS == 0) {
        oi_rcu_read_unlock();
        oi_perturb();
        oi_rcu_read_lock();
    }
}

static void follow_page(struct tracing *tracing, uint32_t number)
{
    const struct oi_scope_page *page = &tracing->scope->pages[number];
    struct reading reading = {.tracing = tracing};
    oi_rcu_read_lock();
    for (uint32_t word = 0; word * 64 < tracing->scope->extents[number].carved; word++) {
        for (uint64_t bits; (bits = page->gray[word]) != 0;) {
            ouro_object *o = oi_scope_at(page, word * 64 + (uint32_t)__builtin_ctzl(bits));
            page->gray[word] = bits & (bits - 1);
            __builtin_prefetch(o);
            __builtin_prefetch((ouro_slot *)(o + 1) + 1); /* the first slots */
            follow(&reading, o);
        }
    }
    for (uint32_t i = 0; i < AHEAD; i++)
        follow(&reading, NULL);
    oi_rcu_read_unlock();
}

/* Those with references from elsewhere. */
static void spare_referred(struct tracing *tracing, uint32_t number)
{
    struct oi_scope_page *page = &tracing->scope->pages[number];
    for (uint32_t word = 0; word * 64 < tracing->scope->extents[number].carved; word++) {
        for (uint64_t bits = page->member[word]; bits; bits &= bits - 1) {
            if (page->estimate[word * 64 + (uint32_t)__builtin_ctzl(bits)] > 0)
                page->gray[word] |= bits & -bits;
        }
        page->member[word] &= ~page->gray[word];
        if (page->gray[word])
            enqueue(tracing, number);
    }
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects = 0;
    struct tracing tracing = {.scope = scope};
    struct counting counting = {.scope = scope};
    oi_tally_begin(&counting.tally, -1);
    for (uint32_t number = 1; number <= scope->count; number++)
        objects += count_page(&counting, number);
    for (const struct oi_stack_node *node = scope->tokens; node; node = node->next)
        subtract(oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node)), &counting);
    oi_tally_end(&counting.tally);
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (scope->extents[number].has_members)
            spare_referred(&tracing, number);
    }
    for (uint32_t number; (number = dequeue(&tracing)) != 0;)
        follow_page(&tracing, number);
    *members = oi_scope_count_members(scope);
    return objects;
}
