//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_validate.h"

#include "lib_cycle_tally.h"
#include "lib_mem_limbo.h"
#include "lib_object_hint.h"
#include "lib_object_inbox.h"
#include "lib_object_weak.h"
#include "lib_port_os.h"
#include "lib_port_perturb.h"

/* notes */
#define COUNT 0
#define LINK 1
#define SLOTS 2
#define NO_COUNT UINT32_MAX /* of what cannot be garbage: equals no number of references */

/* ---- P2: marks ---- */

static void mark(struct oi_scope *scope, oi_id id, ouro_object *o, void *unused)
{
    (void)unused;
    *oi_scope_estimate(scope, id) = 0;
    /* Seen alive in this read section, so the block will not be another object's before the section ends: the mark can only
     * meet this object, or what is left of it. */
    if (!oi_scope_may_look(o)) {
        oi_scope_drop(scope, id);
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

struct edges {
    struct oi_scope *scope;
    struct oi_tally *tally;
    uint32_t *notes;
    const ouro_object *from;
};

/* The slots are read once, here; whatever is said of them later goes by the notes. */
static inline void note_run(const struct edges *edges, ouro_slot *slot, size_t count)
{
    uint32_t *note = edges->notes + ((const char *)slot - (const char *)edges->from) / 8;
    for (size_t i = 0; i < count; i++) {
        ouro_object *ref = oi_slot_ref(oi_load_acquire(&slot[i].ouro_private_ref)); /* pairs with the exchange that stored it [MO-publish] */
        oi_id id = ref ? oi_scope_find(edges->scope, ref) : 0;
        note[i] = id;
        if (id)
            oi_tally_count(edges->tally, oi_scope_estimate(edges->scope, id)); /* whether that is a member is asked when it matters */
    }
}

static void note_edges(struct oi_scope *scope, oi_id id, ouro_object *o, void *tally)
{
    struct edges edges = {scope, tally, oi_scope_notes(o), o};
    ouro_slot *slot;
    size_t count, words = oi_scope_page_of(scope, id)->words;
    oi_perturb();
    for (size_t i = SLOTS; i < words; i++)
        edges.notes[i] = 0;
    if (!oi_scope_may_look(o))
        return; /* its count will say so */
    const struct oi_type *type = oi_type_of(o);
    for (uint32_t run = 0; oi_slots_run(type, o, run, &slot, &count); run++)
        note_run(&edges, slot, count);
}

/* ---- P3b: counts, after all edges ---- */

static void note_count(struct oi_scope *scope, oi_id id, ouro_object *o, void *arg)
{
    struct oi_validation *all = arg;
    uint32_t *notes = oi_scope_notes(o);
    (void)scope, (void)id;
    oi_perturb();
    notes[COUNT] = NO_COUNT;
    if (!oi_scope_may_look(o))
        return;
    /* Acquire: `local` is read after it; whoever merged has stored MERGED after the last change of `local` [MO-count]. */
    uint32_t s = oi_load_acquire(&o->ouro_private_shared);
    uint32_t local = oi_local(o);
    uint32_t flags = oi_flags(o);
    int64_t count = (int64_t)oi_count(s) + (s & OI_MERGED ? 0 : oi_local_tokens(local));
    /* 0: the last reference was dropped by force (object/inbox.c). */
    if (s == OI_DEAD || (s & OI_STUCK) || count < 0 || count >= OI_COUNT_MAX)
        return;
    notes[COUNT] = (uint32_t)count;
    const struct oi_type *type = oi_type_of(o);
    all->has_weak = all->has_weak || (flags & OI_HAS_WEAK);
    all->finalizers = all->finalizers || (type->finalize && !(flags & OI_FINALIZED));
    all->inner = all->inner || type->inner;
}

/* ---- P3c: the fixpoint ---- */

/* A worklist of members that have been dropped, and whose noted references are still to be subtracted. */
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
    oi_scope_notes(o)[LINK] = dropped->first;
    dropped->first = id;
}

static void drain(struct dropped *dropped)
{
    struct oi_scope *scope = dropped->scope;
    while (dropped->first) {
        oi_id id = dropped->first;
        uint32_t *notes = oi_scope_notes(oi_scope_object(scope, id));
        dropped->first = notes[LINK];
        for (size_t i = SLOTS, n = oi_scope_page_of(scope, id)->words; i < n; i++) {
            if (!notes[i] || !oi_scope_is_member(scope, notes[i]))
                continue;
            ouro_object *target = oi_scope_object(scope, notes[i]);
            if ((uint32_t)--*oi_scope_estimate(scope, notes[i]) != oi_scope_notes(target)[COUNT])
                drop(dropped, notes[i], target);
        }
    }
}

static void drop_unaccounted(struct oi_scope *scope, oi_id id, ouro_object *o, void *arg)
{
    struct dropped *dropped = arg;
    if ((uint32_t)*oi_scope_estimate(scope, id) == oi_scope_notes(o)[COUNT])
        return;
    drop(dropped, id, o);
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
    oi_tally_begin(&tally, 1);
    oi_scope_each_member(scope, note_edges, &tally);
    note_tokens(scope, &tally);
    oi_tally_end(&tally);
    oi_scope_each_member(scope, note_count, all);
    oi_scope_each_member(scope, drop_unaccounted, &dropped);
}

/* ---- P5: untouched ---- */

static void drop_touched(struct oi_scope *scope, oi_id id, ouro_object *o, void *arg)
{
    struct dropped *dropped = arg;
    (void)scope;
    oi_perturb();
    if (oi_load_acquire(&o->ouro_private_owner) & OI_CAND) /* pairs with oi_touch [MO-touch] */
        return;
    drop(dropped, id, o);
    drain(dropped);
}

void oi_validate_untouched(struct oi_scope *scope)
{
    struct dropped dropped = {scope, 0};
    oi_os_membarrier(); /* G2: touches whose disposals P3 saw are visible */
    oi_scope_each_member(scope, drop_touched, &dropped);
}

/* ---- the verdict ---- */

static void drop_weak(struct oi_scope *scope, oi_id id, ouro_object *o, void *arg)
{
    struct dropped *dropped = arg;
    (void)scope;
    if (!(oi_flags(o) & OI_HAS_WEAK))
        return;
    drop(dropped, id, o);
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
