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

/* A stack of ids, in the memory for notes, which nobody needs yet: there is room for an id per 8 bytes of the segments in the scope. */
struct stack {
    struct oi_scope *scope;
    size_t depth;
};

#define CHUNK (OI_SEGMENT / 8)

static oi_id *stack_at(const struct stack *stack, size_t i)
{
    return (oi_id *)stack->scope->segments[i / CHUNK]->shadow + i % CHUNK;
}

static OI_ALWAYS_INLINE void reach(ouro_object *child, void *arg)
{
    struct stack *stack = arg;
    oi_id id = oi_scope_find(stack->scope, child);
    if (id && oi_scope_is_member(stack->scope, id)) {
        oi_scope_drop(stack->scope, id);
        *stack_at(stack, stack->depth++) = id;
    }
}

/* Objects are fetched from memory a few steps before their turn. */
#define AHEAD 8u

static void drain(struct stack *stack)
{
    ouro_object *ahead[AHEAD];
    uint32_t first = 0, last = 0, done = 0;
    oi_rcu_read_lock();
    for (;;) {
        while (last - first < AHEAD && stack->depth) {
            ouro_object *o = oi_scope_object(stack->scope, *stack_at(stack, --stack->depth));
            __builtin_prefetch(o);
            __builtin_prefetch((ouro_slot *)(o + 1) + 1); /* the first slots */
            ahead[last++ % AHEAD] = o;
        }
        if (first == last)
            break;
        ouro_object *o = ahead[first++ % AHEAD];
        if (oi_scope_may_look(o))
            oi_each_ref(oi_type_of(o), o, reach, stack);
        if (++done % SECTION_BLOCKS == 0) {
            oi_rcu_read_unlock();
            oi_perturb();
            oi_rcu_read_lock();
        }
    }
    oi_rcu_read_unlock();
}

static void spare_reachable(struct oi_scope *scope, uint32_t number, struct stack *stack)
{
    struct oi_scope_page *page = &scope->pages[number];
    for (uint32_t word = 0; word * 64 < scope->extents[number].carved; word++) {
        for (uint64_t bits = page->member[word]; bits; bits &= bits - 1) {
            uint32_t index = word * 64 + (uint32_t)__builtin_ctzl(bits);
            if (page->estimate[index] <= 0 || !(page->member[word] & bits & -bits))
                continue;
            oi_id id = oi_scope_id(number, index);
            oi_scope_drop(scope, id);
            *stack_at(stack, stack->depth++) = id;
            drain(stack);
        }
    }
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects = 0;
    struct stack stack = {scope, 0};
    struct counting counting = {.scope = scope};
    oi_tally_begin(&counting.tally, -1);
    for (uint32_t number = 1; number <= scope->count; number++)
        objects += count_page(&counting, number);
    for (const struct oi_stack_node *node = scope->tokens; node; node = node->next)
        subtract(oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node)), &counting);
    oi_tally_end(&counting.tally);
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (scope->extents[number].has_members)
            spare_reachable(scope, number, &stack);
    }
    *members = oi_scope_count_members(scope);
    return objects;
}
