/* SPDX-License-Identifier: MIT */
#include "cycle/reclaim.h"

#include "mem/limbo.h"
#include "mem/watch.h"
#include "object/count.h"
#include "object/destroy.h"
#include "object/hint.h"
#include "object/history.h"
#include "object/inbox.h"
#include "object/weak.h"
#include "port/perturb.h"

/* ---- references for those that are not to go yet ---- */

struct aside {
    struct oi_act *act;
    struct oi_stack_node **tokens;
    size_t members;
};

/* Nobody can reach the member, so nobody else changes its words; whoever reaches it later got it from who takes the token. */
static void give_token(struct aside *aside, ouro_object *o)
{
    struct oi_token *token = oi_token_new(aside->act, o);
    if (!token)
        return;
    oi_fetch_add_relaxed(&o->ouro_private_shared, OI_ONE);
    token->node.next = *aside->tokens;
    *aside->tokens = &token->node;
    aside->members++;
}

static void set_aside(struct oi_scope *scope, struct oi_member member, void *arg)
{
    struct aside *aside = arg;
    ouro_object *o = member.object;
    (void)scope;
    if (!oi_type_of(o)->finalize || (oi_flags(o) & OI_FINALIZED))
        return;
    size_t before = aside->members;
    give_token(aside, o);
    if (aside->members > before)
        oi_fetch_or_acqrel(&o->ouro_private_flags, OI_FINALIZED);
    oi_page_set_published(oi_page_of(o)); /* the next collection, of whichever generation, looks at it again */
}

static void save(struct oi_scope *scope, struct oi_member member, void *aside)
{
    (void)scope;
    give_token(aside, member.object);
}

static void spare_due(struct oi_scope *scope, struct oi_member member, void *unused)
{
    (void)unused;
    if (oi_type_of(member.object)->finalize && !(oi_flags(member.object) & OI_FINALIZED))
        oi_validate_spare(scope, oi_member_id(member)); /* there was no memory for its token */
}

static void spare_all(struct oi_scope *scope, const struct oi_stack_node *tokens)
{
    for (; tokens; tokens = tokens->next) {
        ouro_object *o = oi_token_object(OI_CONTAINER_OF(tokens, struct oi_token, node));
        oi_validate_spare(scope, oi_scope_find(scope, o)); /* if it did not go with another */
    }
}

size_t oi_reclaim_set_aside(struct oi_act *act, struct oi_scope *scope, struct oi_stack_node **due)
{
    struct aside aside = {act, due, 0};
    oi_scope_each_member(scope, set_aside, &aside);
    spare_all(scope, *due);
    oi_scope_each_member(scope, spare_due, NULL);
    return aside.members;
}

static void spare_rest(struct oi_scope *scope, struct oi_member member, void *unused)
{
    (void)unused;
    oi_validate_spare(scope, oi_member_id(member)); /* there was no memory for its token */
}

size_t oi_reclaim_save_all(struct oi_act *act, struct oi_scope *scope, struct oi_stack_node **saved)
{
    struct aside aside = {act, saved, 0};
    oi_scope_each_member(scope, save, &aside);
    spare_all(scope, *saved);
    oi_scope_each_member(scope, spare_rest, NULL);
    return aside.members;
}

/* ---- the members' end ---- */

static void make_dead(struct oi_scope *scope, struct oi_member member, void *unused)
{
    (void)scope, (void)unused;
    oi_set_shared(member.object, OI_DEAD);
    /* Release: an upgrade that finds the mark gone finds it dead [MO-verdict]. */
    oi_store_release(&member.object->ouro_private_owner, 0);
}

static void clear_weak(struct oi_scope *scope, struct oi_member member, void *act)
{
    (void)scope;
    if (oi_flags(member.object) & OI_HAS_WEAK)
        oi_weak_target_died(act, member.object);
}

void oi_reclaim_seal(struct oi_act *act, struct oi_scope *scope, bool has_weak)
{
    oi_scope_each_member(scope, make_dead, NULL);
    oi_perturb();
    if (has_weak)
        oi_scope_each_member(scope, clear_weak, act);
    oi_perturb();
    oi_store_release(&oi_verdict, OI_VERDICT_IDLE); /* [MO-verdict] */
}

void oi_reclaim_tokens(struct oi_act *act, struct oi_scope *scope)
{
    while (scope->tokens) {
        struct oi_token *token = OI_CONTAINER_OF(scope->tokens, struct oi_token, node);
        scope->tokens = token->node.next;
        oi_id id = oi_scope_find(scope, oi_token_object(token));
        ouro_object *o = oi_token_free(act, token);
        if (!id || !oi_scope_is_member(scope, id))
            oi_release(act, o, oi_dropped);
    }
}

struct outside {
    struct oi_act *act;
    struct oi_scope *scope;
};

/* An object that this collection has looked at is held by others than the garbage, as far as was seen, or is a candidate of the next one: all it
 * needs is that the reference is not missed. */
static bool uncount(const struct oi_scope *scope, oi_id id)
{
    int32_t *counts = scope->extents[id >> OI_SCOPE_INDEX_BITS].count;
    if (!counts || !counts[oi_scope_index(id)])
        return false;
    counts[oi_scope_index(id)]--;
    return true;
}

/* Of a member that refers to others than members: returns how many times. */
static size_t release_outside(const struct outside *outside, const struct oi_type *type, ouro_object *o)
{
    ouro_slot *slot;
    size_t count, n = 0;
    for (uint32_t run = 0; oi_slots_run(type, o, run, &slot, &count); run++) {
        for (size_t i = 0; i < count; i++) {
            ouro_object *child = oi_slot_ref(oi_load_relaxed(&slot[i].ouro_private_ref));
            oi_id id = child ? oi_scope_find(outside->scope, child) : 0;
            if (!child || (id && oi_scope_is_member(outside->scope, id)))
                continue;
            n++;
            if (!id || !uncount(outside->scope, id))
                oi_hint(child);
            if (oi_flags(child) & OI_PUBLISHED) /* else a thread that vanished in a fork was publishing it: nobody's */
                oi_release(outside->act, child, "ouro_gc_collect");
        }
    }
    return n;
}

/* What is to be done before its block may go. */
static OI_NOINLINE void end(struct outside *outside, ouro_object *o, bool leads)
{
    const struct oi_type *type = oi_type_of(o);
    if (OI_UNLIKELY(oi_history_on))
        oi_history_add(o, OI_CHANGE_GARBAGE, ouro_refcount(o));
    size_t released = leads || OURO_DEBUG ? release_outside(outside, type, o) : 0;
    OI_ASSERT(leads == (released > 0));
    if (type->dispose)
        type->dispose(o);
}

/* Of 64 blocks, those of members that refer to others than members; their slots are as they were when their edges were noted. */
static uint64_t leading_outside(const struct oi_scope *scope, const struct oi_scope_page *page, uint32_t number,
                                uint32_t word)
{
    struct oi_scope_bits *bits = &page->bits[word];
    uint64_t leading = bits->member & bits->outside;
    for (uint64_t left = bits->member & bits->one_edge & ~leading; left; left &= left - 1) {
        if (OI_UNLIKELY(!oi_scope_is_member(scope, page->edges[word * 64 + (uint32_t)__builtin_ctzl(left)])))
            leading |= left & -left;
    }
    for (uint64_t left = bits->member & ~bits->one_edge & ~leading; left; left &= left - 1) {
        uint32_t index = word * 64 + (uint32_t)__builtin_ctzl(left), n;
        const uint32_t *edges = oi_scope_edges(scope, (struct oi_member){page, bits, number, index, NULL}, &n);
        for (uint32_t i = 0; i < n; i++) {
            if (OI_UNLIKELY(!oi_scope_is_member(scope, edges[i])))
                leading |= left & -left;
        }
    }
    return leading;
}

/* Returns how many members the page has. Of plain ones only those that refer to others than members are looked at. */
static uint32_t end_page(struct outside *outside, uint32_t number, bool plain)
{
    const struct oi_scope_page at = outside->scope->pages[number];
    const struct oi_scope_extent *extent = &outside->scope->extents[number];
    uint32_t members = 0;
    for (uint32_t word = 0; word * 64 < extent->carved; word++) {
        uint64_t leading = outside->scope->is_closed ? 0 : leading_outside(outside->scope, &at, number, word);
        uint64_t ahead = oi_scope_members_ahead(&at, extent, word);
        members += (uint32_t)__builtin_popcountl(at.bits[word].member);
        for (uint64_t left = plain && !OURO_DEBUG ? leading : at.bits[word].member; left; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzl(left);
            ouro_object *o = oi_scope_at(&at, word * 64 + bit);
            if (ahead >> bit & 1)
                __builtin_prefetch((char *)o + OI_SCOPE_AHEAD * 8 * at.words, 1);
            end(outside, o, leading >> bit & 1);
        }
    }
    return members;
}

/* The members' blocks go to their page as one chain, but for those that readers of weak references may still look at. */
static void free_blocks(struct outside *outside, uint32_t number)
{
    const struct oi_scope_page at = outside->scope->pages[number];
    const struct oi_scope_extent *extent = &outside->scope->extents[number];
    struct oi_page *page = outside->scope->pinned[number - 1];
    uint32_t first = 0, n = 0;
    for (uint32_t word = 0; word * 64 < extent->carved; word++) {
        uint64_t ahead = oi_scope_members_ahead(&at, extent, word);
        for (uint64_t left = at.bits[word].member; left; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzl(left);
            ouro_object *o = oi_scope_at(&at, word * 64 + bit);
            if (ahead >> bit & 1)
                __builtin_prefetch((char *)o + OI_SCOPE_AHEAD * 8 * at.words, 1);
            if (OI_UNLIKELY(oi_flags(o) & OI_HAS_WEAK)) {
                oi_limbo_retire(o);
                continue;
            }
            oi_store_relaxed(&((struct oi_block *)o)->after, first);
            first = oi_page_position(page, o);
            n++;
        }
    }
    if (OI_UNLIKELY(oi_watched))
        oi_watch_died_all(page, first);
    else if (n)
        oi_page_push_remote(page, first, n);
}

size_t oi_reclaim_free(struct oi_act *act, struct oi_scope *scope, const struct oi_validation *all, size_t *bytes)
{
    const bool plain = !all->has_weak && !all->special && !oi_history_on && !oi_watched;
    struct outside outside = {.act = act, .scope = scope};
    bool outer = act->destroying;
    size_t freed = 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (!scope->extents[number].has_members)
            continue;
        oi_perturb();
        act->destroying = true; /* what dies waits until the page is done */
        size_t n = end_page(&outside, number, plain);
        if (!plain || !oi_page_push_whole(scope->pinned[number - 1], (uint32_t)n))
            free_blocks(&outside, number);
        freed += n;
        *bytes += n * scope->pages[number].words * 8;
        act->destroying = outer;
        oi_destroy_run(act);
        oi_scope_section_ended(scope);
    }
    return freed;
}
