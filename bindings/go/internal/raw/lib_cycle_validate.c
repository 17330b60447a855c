//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_validate.h"

#include "lib_cycle_mark.h"
#include "lib_cycle_tally.h"
#include "lib_cycle_trace.h"
#include "lib_mem_limbo.h"
#include "lib_object_hint.h"
#include "lib_object_inbox.h"
#include "lib_object_weak.h"
#include "lib_port_os.h"
#include "lib_port_perturb.h"

#define UNACCOUNTED (-1) /* for an estimate: of what cannot be garbage; no number of dropped references makes it 0 */

/* ---- P2: marks ---- */

static void mark(struct oi_scope *scope, struct oi_member member, void *unused)
{
    ouro_object *o = member.object;
    uint64_t first;
    (void)unused;
    *oi_member_estimate(member) = 0;
    /* Seen alive in this read section, so the block will not be another object's before the section ends: the mark can only
     * meet this object, or what is left of it. */
    if (OI_LIKELY(oi_scope_look(o, &first)))
        oi_mark(o, first);
    else
        oi_scope_drop(scope, oi_member_id(member));
}

/* ---- P3a: edges ---- */

static OI_NOINLINE void note_outside(struct oi_scope *scope, oi_id id)
{
    oi_scope_note_outside(oi_scope_member(scope, id));
    scope->is_closed = false;
}

/* Counts the reference in a member's slot. Returns where it leads; 0: nowhere, or outside, which is noted. The slots are read once, here; whatever is
 * said of them later goes by the notes. */
static OI_ALWAYS_INLINE oi_id follow(struct oi_scope *scope, oi_id member, struct oi_tally *tally, const ouro_slot *slot)
{
    void *word = oi_load_acquire(&slot->ouro_private_ref); /* pairs with the exchange that stored it [MO-publish] */
    if (!word)
        return 0;
    ouro_object *ref = oi_slot_ref(word);
    if (!ref)
        return 0;
    struct oi_spot spot = oi_scope_locate(scope, ref);
    if (OI_UNLIKELY(!spot.number)) {
        note_outside(scope, member);
        return 0;
    }
    oi_tally_count(tally, 1, oi_scope_estimate_at(scope, spot)); /* whether that is a member is asked when it matters */
    return oi_scope_id(spot.number, spot.index);
}

/* Appends a member's edges to the list whose last one is at `last`, and returns where that is then. */
static OI_ALWAYS_INLINE uint32_t *list_run(struct oi_scope *scope, oi_id member, struct oi_tally *tally, uint32_t *last,
                                           const ouro_slot *slot, size_t count)
{
    for (const ouro_slot *end = slot + count; slot < end; slot++) {
        oi_id to = follow(scope, member, tally, slot);
        if (to)
            *++last = to;
    }
    return last;
}

static OI_NOINLINE uint32_t *list_runs(struct oi_scope *scope, oi_id member, struct oi_tally *tally, uint32_t *last,
                                       const struct oi_type *type, ouro_object *o)
{
    ouro_slot *slot;
    size_t count;
    for (uint32_t run = 0; oi_slots_run(type, o, run, &slot, &count); run++)
        last = list_run(scope, member, tally, last, slot, count);
    return last;
}

static OI_ALWAYS_INLINE void note_pair(struct oi_scope *scope, struct oi_member member, struct oi_tally *tally, const ouro_slot *slot)
{
    oi_id to = follow(scope, oi_member_id(member), tally, &slot[0]), also = follow(scope, oi_member_id(member), tally, &slot[1]);
    if (to && also) {
        scope->list[1] = to;
        scope->list[2] = also;
        oi_scope_note_edges(scope, member, 2);
    } else if (to || also) {
        oi_scope_note_edge(member, to | also);
    }
}

static void note_edges(struct oi_scope *scope, struct oi_member member, void *tally)
{
    ouro_object *o = member.object;
    uint64_t first;
    oi_perturb();
    if (OI_UNLIKELY(!oi_scope_look(o, &first)))
        return; /* its count will say so */
    if (OI_LIKELY((uint32_t)first & OI_PAIR)) {
        note_pair(scope, member, tally, (const ouro_slot *)(o + 1));
        return;
    }
    uint32_t *list = scope->list;
    uint32_t *last = list_runs(scope, oi_member_id(member), tally, list, oi_type_by((uint32_t)first), o);
    oi_scope_note_edges(scope, member, (uint32_t)(last - list));
}

/* ---- P3b: counts, after all edges ---- */

static OI_NOINLINE void note_special(struct oi_validation *all, const struct oi_type *type, uint32_t flags)
{
    all->special = true;
    if (type->finalize && !(flags & OI_FINALIZED))
        all->finalizers = true;
}

/* What is to be seen to if it turns out to be garbage. */
static inline void note_end(struct oi_validation *all, uint64_t first)
{
    const struct oi_type *type = oi_type_by((uint32_t)first);
    uint32_t flags = oi_first_flags(first);
    if (OI_UNLIKELY(flags & OI_HAS_WEAK))
        all->has_weak = true;
    if (OI_UNLIKELY(type->special))
        note_special(all, type, flags);
    if (OI_UNLIKELY(type->inner))
        all->inner = true;
}

/* From here on, an estimate of 0 says that all references to a member come from members. */
static void subtract_count(struct oi_scope *scope, struct oi_member member, void *arg)
{
    struct oi_validation *all = arg;
    const ouro_object *o = member.object;
    int32_t *estimate = oi_member_estimate(member);
    uint64_t first;
    uint32_t s;
    (void)scope;
    oi_perturb();
    /* `shared` is loaded with acquire, and `local` after it: whoever merged has stored MERGED after the last change of `local` [MO-count]. */
    if (OI_UNLIKELY(!oi_scope_look_at(o, &first, &s))) {
        *estimate = UNACCOUNTED;
        all->unaccounted = true;
        return;
    }
    int64_t count = oi_references(s, o);
    /* 0: the last reference was dropped by force (object/inbox.c). A stuck word counts OI_COUNT_MAX. */
    *estimate = OI_LIKELY((uint64_t)count < OI_COUNT_MAX) ? (int32_t)((uint32_t)*estimate - (uint32_t)count) : UNACCOUNTED;
    if (OI_UNLIKELY(*estimate)) {
        all->unaccounted = true;
        return;
    }
    all->references += (size_t)count;
    if (!oi_is_mere_pair(first)) /* whose type asks for nothing */
        note_end(all, first);
}

/* ---- P3c: the fixpoint ---- */

/* A member that is dropped is gray until its edges have been subtracted. */
static void drop(struct oi_trace *dropped, oi_id id)
{
    oi_scope_drop(dropped->scope, id);
    dropped->scope->is_closed = false; /* to others, it may be */
    oi_trace_shade(dropped, id >> OI_SCOPE_INDEX_BITS, oi_scope_index(id));
}

static void subtract_edges(struct oi_trace *dropped, oi_id id)
{
    struct oi_scope *scope = dropped->scope;
    uint32_t n;
    const uint32_t *edges = oi_scope_edges(scope, oi_scope_member(scope, id), &n);
    for (uint32_t i = 0; i < n; i++) {
        if (oi_scope_is_member(scope, edges[i]) && --*oi_scope_estimate(scope, edges[i]))
            drop(dropped, edges[i]);
    }
}

static void let_go(ouro_object *o)
{
    oi_hint(o); /* a candidate of the next collection */
    oi_perturb();
    oi_unmark(o);
}

static void follow_words(struct oi_trace *dropped, uint32_t number, uint32_t first, uint32_t last)
{
    const struct oi_scope_page *page = &dropped->scope->pages[number];
    for (uint32_t word = first; word <= last; word++) {
        uint64_t *gray = &page->bits[word].gray;
        for (uint64_t bits; (bits = *gray) != 0;) {
            uint32_t index = word * 64 + (uint32_t)__builtin_ctzl(bits);
            *gray = bits & (bits - 1);
            let_go(oi_scope_at(page, index));
            subtract_edges(dropped, oi_scope_id(number, index));
        }
    }
}

/* What dropped members refer to is dropped too, if it is referred to from elsewhere then; and so on. */
static void finish_dropping(struct oi_trace *dropped)
{
    for (uint32_t number; (number = oi_trace_dequeue(dropped)) != 0;) {
        uint32_t first, last;
        oi_trace_begin_page(dropped, number);
        while (oi_trace_next_round(dropped, &first, &last))
            follow_words(dropped, number, first, last);
        oi_trace_end_page(dropped);
        oi_scope_section_ended(dropped->scope);
    }
}

static void drop_unaccounted(struct oi_scope *scope, struct oi_member member, void *dropped)
{
    (void)scope;
    if (*oi_member_estimate(member))
        drop(dropped, oi_member_id(member));
}

static void note_tokens(struct oi_scope *scope, struct oi_tally *tally)
{
    for (const struct oi_stack_node *node = scope->tokens; node; node = node->next) {
        oi_id id = oi_scope_find(scope, oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node)));
        if (id)
            oi_tally_count(tally, 1, oi_scope_estimate(scope, id));
    }
}

void oi_validate_counts(struct oi_scope *scope, struct oi_validation *all)
{
    struct oi_trace dropped = {.scope = scope};
    struct oi_tally tally;
    if (!scope->is_marked) /* else all have been at the first look (cycle/presume.h) */
        oi_scope_each_member(scope, mark, NULL);
    oi_os_membarrier();      /* M1: who looks at a member after this sees the mark; one operation per thread may straddle it */
    oi_limbo_grace_period(); /* G1: sections that may have looked before are over */
    oi_scope_begin_lists(scope);
    scope->is_closed = true;
    oi_tally_begin(&tally, oi_scope_is_small(scope));
    oi_scope_each_member(scope, note_edges, &tally);
    note_tokens(scope, &tally);
    oi_tally_end(&tally, 1);
    oi_scope_each_member(scope, subtract_count, all);
    /* To members lead as many edges and tokens as these have references. If there are no more, none leads elsewhere. */
    scope->is_closed = scope->is_closed && !all->unaccounted && tally.total == all->references;
    if (!all->unaccounted)
        return;
    oi_scope_each_noted(scope, drop_unaccounted, &dropped);
    finish_dropping(&dropped);
}

/* ---- P5: untouched ---- */

static void drop_touched(struct oi_scope *scope, struct oi_member member, void *dropped)
{
    (void)scope;
    oi_perturb();
    if (!(oi_load_acquire(&member.object->ouro_private_owner) & OI_CAND)) /* pairs with oi_touch [MO-touch] */
        drop(dropped, oi_member_id(member));
}

static void drop_all_touched(struct oi_scope *scope)
{
    struct oi_trace dropped = {.scope = scope};
    oi_scope_each_member(scope, drop_touched, &dropped);
    finish_dropping(&dropped);
}

void oi_validate_untouched(struct oi_scope *scope)
{
    oi_os_membarrier(); /* G2: touches whose disposals P3 saw are visible */
    drop_all_touched(scope);
}

/* ---- the verdict ---- */

static void drop_weak(struct oi_scope *scope, struct oi_member member, void *dropped)
{
    (void)scope;
    if (oi_flags(member.object) & OI_HAS_WEAK)
        drop(dropped, oi_member_id(member));
}

void oi_validate_open(void)
{
    oi_exchange_seqcst(&oi_verdict, OI_VERDICT_OPEN);
    oi_perturb();
    oi_limbo_grace_period(); /* upgrades that have not seen OPEN have touched, or are done */
}

bool oi_validate_commit(struct oi_scope *scope)
{
    uint32_t open = OI_VERDICT_OPEN;
    drop_all_touched(scope);
    oi_perturb();
    /* acq_rel: COMMITTED comes after the marks of all that were dropped have gone; pairs with upgrade() [MO-verdict]. */
    return oi_cas_acqrel(&oi_verdict, &open, OI_VERDICT_COMMITTED);
}

void oi_validate_without_weak(struct oi_scope *scope)
{
    struct oi_trace dropped = {.scope = scope};
    oi_store_release(&oi_verdict, OI_VERDICT_IDLE); /* [MO-verdict] */
    oi_perturb();
    oi_scope_each_member(scope, drop_weak, &dropped);
    finish_dropping(&dropped);
}

void oi_validate_spare(struct oi_scope *scope, oi_id id)
{
    struct oi_trace dropped = {.scope = scope};
    if (!oi_scope_is_member(scope, id))
        return;
    drop(&dropped, id);
    finish_dropping(&dropped);
}
