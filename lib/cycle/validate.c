/* SPDX-License-Identifier: MIT */
#include "cycle/validate.h"

#include "cycle/tally.h"
#include "mem/limbo.h"
#include "object/hint.h"
#include "object/inbox.h"
#include "object/weak.h"
#include "port/os.h"
#include "port/perturb.h"

#define UNACCOUNTED (-1) /* for an estimate: of what cannot be garbage; no number of dropped references makes it 0 */

/* ---- P2: marks ---- */

static void mark(struct oi_scope *scope, struct oi_member member, void *unused)
{
    ouro_object *o = member.object;
    (void)unused;
    *oi_member_estimate(member) = 0;
    /* Seen alive in this read section, so the block will not be another object's before the section ends: the mark can only
     * meet this object, or what is left of it. */
    if (!oi_scope_may_look(o)) {
        oi_scope_drop(scope, member.id);
        return;
    }
    oi_perturb();
    oi_fetch_or_acqrel(&o->ouro_private_owner, OI_CAND); /* pairs with oi_touch [MO-touch] */
}

/* Of an object that is no member any more. It may be gone, and its block another's: then there is no mark, and nothing changes. */
static void unmark(ouro_object *o)
{
    oi_fetch_and_acqrel(&o->ouro_private_owner, 0x7fff); /* [MO-touch] */
}

/* ---- P3a: edges ---- */

struct listing {
    uint32_t *list; /* [1 .. n]: edges */
    uint32_t n;
    bool outside;
};

/* The slots are read once, here; whatever is said of them later goes by the notes. */
static OI_ALWAYS_INLINE void list_run(struct oi_scope *scope, struct oi_tally *tally, struct listing *listing,
                                      ouro_slot *slot, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ouro_object *ref = oi_slot_ref(oi_load_acquire(&slot[i].ouro_private_ref)); /* pairs with the exchange that stored it [MO-publish] */
        if (!ref)
            continue;
        oi_id id = oi_scope_find(scope, ref);
        if (!id) {
            listing->outside = true;
            continue;
        }
        listing->list[++listing->n] = id;
        oi_tally_count(tally, oi_scope_estimate(scope, id)); /* whether that is a member is asked when it matters */
    }
}

static void note_edges(struct oi_scope *scope, struct oi_member member, void *tally)
{
    ouro_object *o = member.object;
    ouro_slot *slot;
    size_t count;
    oi_perturb();
    if (!oi_scope_may_look(o))
        return; /* its count will say so */
    struct listing listing = {.list = scope->list};
    const struct oi_type *type = oi_type_of(o);
    for (uint32_t run = 0; oi_slots_run(type, o, run, &slot, &count); run++)
        list_run(scope, tally, &listing, slot, count);
    oi_scope_note_edges(scope, member.page, member.id, listing.n);
    if (listing.outside)
        oi_scope_note_outside(member.page, member.id);
}

/* ---- P3b: counts, after all edges ---- */

static int32_t less_count(int32_t edges, const ouro_object *o, struct oi_validation *all)
{
    if (!oi_scope_may_look(o))
        return UNACCOUNTED;
    /* Acquire: `local` is read after it; whoever merged has stored MERGED after the last change of `local` [MO-count]. */
    uint32_t s = oi_load_acquire(&o->ouro_private_shared);
    uint32_t local = oi_local(o);
    uint32_t flags = oi_flags(o);
    int64_t count = (int64_t)oi_count(s) + (s & OI_MERGED ? 0 : oi_local_tokens(local));
    /* 0: the last reference was dropped by force (object/inbox.c). */
    if (s == OI_DEAD || (s & OI_STUCK) || count < 0 || count >= OI_COUNT_MAX)
        return UNACCOUNTED;
    const struct oi_type *type = oi_type_of(o);
    if (OI_UNLIKELY(flags & OI_HAS_WEAK))
        all->has_weak = true;
    if (OI_UNLIKELY(type->finalize && !(flags & OI_FINALIZED)))
        all->finalizers = true;
    if (OI_UNLIKELY(type->inner))
        all->inner = true;
    return (int32_t)((uint32_t)edges - (uint32_t)count);
}

/* From here on, an estimate of 0 says that all references to a member come from members. */
static void subtract_count(struct oi_scope *scope, struct oi_member member, void *all)
{
    int32_t *estimate = oi_member_estimate(member);
    (void)scope;
    oi_perturb();
    *estimate = less_count(*estimate, member.object, all);
    if (*estimate)
        ((struct oi_validation *)all)->unaccounted = true;
}

/* ---- P3c: the fixpoint ---- */

/* A worklist of members that have been dropped, and whose edges are still to be subtracted. It goes by way of their estimates, which say nothing
 * any more: if they are remembered as roots for it (candidates.c) or not, they have hints. */
struct dropped {
    struct oi_scope *scope;
    oi_id first;
};

static void drop(struct dropped *dropped, oi_id id, ouro_object *o)
{
    oi_scope_drop(dropped->scope, id);
    oi_hint(o); /* a candidate of the next collection */
    oi_perturb();
    unmark(o);
    *oi_scope_estimate(dropped->scope, id) = (int32_t)dropped->first;
    dropped->first = id;
}

static void drain(struct dropped *dropped)
{
    struct oi_scope *scope = dropped->scope;
    while (dropped->first) {
        oi_id id = dropped->first;
        uint32_t n;
        const uint32_t *edges = oi_scope_edges(scope, oi_scope_page_of(scope, id), id, &n);
        dropped->first = (oi_id)*oi_scope_estimate(scope, id);
        for (uint32_t i = 0; i < n; i++) {
            if (oi_scope_is_member(scope, edges[i]) && --*oi_scope_estimate(scope, edges[i]))
                drop(dropped, edges[i], oi_scope_object(scope, edges[i]));
        }
    }
}

static void drop_unaccounted(struct oi_scope *scope, struct oi_member member, void *arg)
{
    struct dropped *dropped = arg;
    (void)scope;
    if (!*oi_member_estimate(member))
        return;
    drop(dropped, member.id, member.object);
    drain(dropped);
}

static void note_tokens(struct oi_scope *scope, struct oi_tally *tally)
{
    for (const struct oi_stack_node *node = scope->tokens; node; node = node->next) {
        oi_id id = oi_scope_find(scope, oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node)));
        if (id)
            oi_tally_count(tally, oi_scope_estimate(scope, id));
    }
}

void oi_validate_counts(struct oi_scope *scope, struct oi_validation *all)
{
    struct dropped dropped = {scope, 0};
    struct oi_tally tally;
    oi_scope_each_member(scope, mark, NULL);
    oi_os_membarrier();      /* M1: who looks at a member after this sees the mark; one operation per thread may straddle it */
    oi_limbo_grace_period(); /* G1: sections that may have looked before are over */
    oi_scope_begin_lists(scope);
    oi_tally_begin(&tally, 1);
    oi_scope_each_member(scope, note_edges, &tally);
    note_tokens(scope, &tally);
    oi_tally_end(&tally);
    oi_scope_each_member(scope, subtract_count, all);
    if (all->unaccounted)
        oi_scope_each_noted(scope, drop_unaccounted, &dropped);
}

/* ---- P5: untouched ---- */

static void drop_touched(struct oi_scope *scope, struct oi_member member, void *arg)
{
    struct dropped *dropped = arg;
    ouro_object *o = member.object;
    (void)scope;
    oi_perturb();
    if (oi_load_acquire(&o->ouro_private_owner) & OI_CAND) /* pairs with oi_touch [MO-touch] */
        return;
    drop(dropped, member.id, o);
    drain(dropped);
}

void oi_validate_untouched(struct oi_scope *scope)
{
    struct dropped dropped = {scope, 0};
    oi_os_membarrier(); /* G2: touches whose disposals P3 saw are visible */
    oi_scope_each_member(scope, drop_touched, &dropped);
}

/* ---- the verdict ---- */

static void drop_weak(struct oi_scope *scope, struct oi_member member, void *arg)
{
    struct dropped *dropped = arg;
    (void)scope;
    if (!(oi_flags(member.object) & OI_HAS_WEAK))
        return;
    drop(dropped, member.id, member.object);
    drain(dropped);
}

void oi_validate_open(void)
{
    oi_exchange_seqcst(&oi_verdict, OI_VERDICT_OPEN);
    oi_perturb();
    oi_limbo_grace_period(); /* upgrades that have not seen OPEN have touched, or are done */
}

bool oi_validate_commit(struct oi_scope *scope)
{
    struct dropped dropped = {scope, 0};
    uint32_t open = OI_VERDICT_OPEN;
    oi_scope_each_member(scope, drop_touched, &dropped);
    oi_perturb();
    /* acq_rel: COMMITTED comes after the marks of all that were dropped have gone; pairs with upgrade() [MO-verdict]. */
    return oi_cas_acqrel(&oi_verdict, &open, OI_VERDICT_COMMITTED);
}

void oi_validate_without_weak(struct oi_scope *scope)
{
    struct dropped dropped = {scope, 0};
    oi_store_release(&oi_verdict, OI_VERDICT_IDLE); /* [MO-verdict] */
    oi_perturb();
    oi_scope_each_member(scope, drop_weak, &dropped);
}

void oi_validate_spare(struct oi_scope *scope, oi_id id)
{
    struct dropped dropped = {scope, 0};
    drop(&dropped, id, oi_scope_object(scope, id));
    drain(&dropped);
}
