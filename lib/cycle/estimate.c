/* SPDX-License-Identifier: MIT */
#include "cycle/estimate.h"

#include "port/perturb.h"

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

static void subtract(ouro_object *child, void *scope)
{
    oi_id id = oi_scope_find(scope, child);
    if (id)
        --*oi_scope_estimate(scope, id);
}

static size_t count_block(struct oi_scope *scope, struct oi_scope_page *page, uint32_t index)
{
    ouro_object *o = (ouro_object *)(page->base + index * page->size);
    if (!oi_scope_may_look(o))
        return 0;
    page->estimate[index] += references(o);
    page->member[index / 64] |= (uint64_t)1 << index % 64;
    oi_each_ref(oi_type_of(o), o, subtract, scope);
    return 1;
}

static size_t count_page(struct oi_scope *scope, struct oi_scope_page *page)
{
    size_t objects = 0;
    for (uint32_t index = 0; index < page->carved;) {
        uint32_t end = index + SECTION_BLOCKS < page->carved ? index + SECTION_BLOCKS : page->carved;
        oi_perturb();
        oi_rcu_read_lock();
        for (; index < end; index++)
            objects += count_block(scope, page, index);
        oi_rcu_read_unlock();
    }
    page->has_members = objects != 0;
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
    return (oi_id *)(stack->scope->segments[i / CHUNK]->shadow + OI_SHADOW_TABLES) + i % CHUNK;
}

static void reach(ouro_object *child, void *arg)
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

static void spare_reachable(struct oi_scope *scope, struct oi_scope_page *page, uint32_t number, struct stack *stack)
{
    for (uint32_t word = 0; word * 64 < page->carved; word++) {
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

static size_t count_members(struct oi_scope_page *page)
{
    size_t members = 0;
    for (uint32_t word = 0; word * 64 < page->carved; word++)
        members += (size_t)__builtin_popcountl(page->member[word]);
    page->has_members = members != 0;
    return members;
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects = 0;
    struct stack stack = {scope, 0};
    for (uint32_t number = 1; number <= scope->count; number++)
        objects += count_page(scope, &scope->pages[number]);
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (scope->pages[number].has_members)
            spare_reachable(scope, &scope->pages[number], number, &stack);
    }
    *members = 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (scope->pages[number].has_members)
            *members += count_members(&scope->pages[number]);
    }
    return objects;
}
