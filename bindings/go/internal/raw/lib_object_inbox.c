//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_inbox.h"

#include <stdlib.h>

#include "lib_object_count.h"
#include "lib_object_destroy.h"
#include "lib_object_handover.h"
#include "lib_port_os.h"

/* The most that a claimer carries out before it lets the slot go: a returning owner waits no longer than that takes. */
#define BATCH 256u

/* A thread without a slot takes the memory from malloc, and says so in the lowest bit of `object`. */
#define MALLOCED ((uintptr_t)1)

struct oi_token *oi_token_new(struct oi_act *act, ouro_object *o)
{
    bool pooled = oi_holds_slot(act);
    struct oi_token *token = pooled ? oi_pool_alloc(&act->self->pool, OI_POOL_TOKENS) : malloc(sizeof *token);
    if (token)
        token->object = (uintptr_t)o | (pooled ? 0 : MALLOCED);
    return token;
}

ouro_object *oi_token_object(const struct oi_token *token)
{
    return (ouro_object *)(token->object & ~MALLOCED);
}

ouro_object *oi_token_free(struct oi_act *act, struct oi_token *token)
{
    ouro_object *o = oi_token_object(token);
    if (token->object & MALLOCED)
        free(token);
    else if (oi_page_of(token)->pool == &act->self->pool)
        oi_pool_free(&act->self->pool, token);
    else
        oi_pool_free_remote(token);
    return o;
}

/* By the holder of the slot: carries out at most max tokens. Those of objects that are not (any more) biased to it are put on *aside.
 * What dies is left to the destroy loop. No user code runs here. True: there is more. */
static bool carry_out(struct oi_act *act, struct oi_tslot *slot, uint32_t max, struct oi_stack_node **aside)
{
    while (max) {
        if (!slot->pending) {
            slot->pending = oi_stack_take_all(&slot->inbox);
            oi_store_relaxed(&slot->takes, slot->takes + 1);
        }
        struct oi_stack_node *node = slot->pending;
        if (!node)
            return false;
        slot->pending = node->next;
        max--;
        struct oi_token *token = OI_CONTAINER_OF(node, struct oi_token, node);
        oi_perturb();
        if (OI_ID(oi_owner(oi_token_object(token))) != slot->id) {
            node->next = *aside;
            *aside = node;
            continue;
        }
        /* The object is evidently shared: end its bias, so that the next drop need not come here. */
        ouro_object *o = oi_token_free(act, token);
        oi_note_handed_over(OI_CONTAINER_OF(slot, struct oi_local, tslot), o);
        if (oi_unbias(o, 1, "ouro_release"))
            oi_destroy_later(act, o);
    }
    return slot->pending || !oi_stack_is_empty(&slot->inbox);
}

void oi_tokens_release(struct oi_act *act, struct oi_stack_node *tokens)
{
    bool outer = act->destroying;
    act->destroying = true;
    while (tokens) {
        struct oi_token *token = OI_CONTAINER_OF(tokens, struct oi_token, node);
        tokens = tokens->next;
        oi_release(act, oi_token_free(act, token), oi_dropped);
    }
    act->destroying = outer;
    oi_destroy_run(act);
}

/* Carries out what is in the inbox of a slot whose thread is parked or gone: the duty of S3. Only then, with nothing left behind, does what may
 * take long: destruction, user code. */
static void carry_out_for(struct oi_act *act, struct oi_tslot *slot)
{
    struct oi_stack_node *aside = NULL;
    bool more = true;
    while (more && oi_tslot_claim_in_turn(slot)) {
        more = carry_out(act, slot, BATCH, &aside);
        oi_tslot_let_go(slot);
    }
    oi_tokens_release(act, aside);
}

void oi_inbox_recheck(struct oi_act *act, struct oi_tslot *slot)
{
    if (!oi_stack_is_empty(&slot->inbox)) /* the caller's transition was the barrier */
        carry_out_for(act, slot);
}

/* Ends the bias of an object that is biased to the caller's slot, if references to it were dropped by force: the last one, perhaps, or the owner's
 * own drop of the last one would go unnoticed.
 *
 * In a read section, and not if it is marked: for it is no reference that lets the caller touch it, and a collection may condemn what nobody
 * refers to. A collection that marks it after the look here lets this section end before it counts. False: it is marked. */
static bool settle(struct oi_act *act, ouro_object *o)
{
    bool dead = false, marked = false;
    oi_rcu_read_lock();
    uint32_t owner = oi_owner(o), s = oi_shared(o);
    /* Ending a bias is always right for the slot's holder, so this moment's reading is good enough to choose by. */
    if (oi_type_word(o) && OI_ID(owner) == act->self->tslot.id && (oi_flags(o) & OI_PUBLISHED) && !(s & OI_MERGED) && oi_count(s) < 0) {
        oi_perturb();
        marked = owner & OI_CAND;
        dead = !marked && oi_unbias(o, 0, "ouro_release");
    }
    oi_rcu_read_unlock();
    if (dead)
        oi_destroy_later(act, o);
    return !marked;
}

struct settling {
    struct oi_act *act;
    bool done;
};

static void settle_page(struct oi_page *page, void *arg)
{
    struct settling *settling = arg;
    size_t size = oi_page_block_size(page);
    for (uint32_t i = 0; page->kind != OI_PAGE_RAW && i < page->carved; i++)
        settling->done &= settle(settling->act, (ouro_object *)(page->base + i * size));
}

/* Looks through the slot's pages for what drops by force have left. False: some of it is to be looked at again. */
static bool settle_all(struct oi_act *act)
{
    struct settling settling = {act, true};
    oi_rcu_read_lock(); /* the first section of a thread takes liburcu's lock, which comes before those of pages */
    oi_rcu_read_unlock();
    oi_page_each_of(&act->self->pool, settle_page, &settling);
    return settling.done;
}

static bool has_news(const struct oi_tslot *slot)
{
    return slot->pending || !oi_stack_is_empty(&slot->inbox) || oi_load_relaxed(&slot->forced);
}

void oi_inbox_look(struct oi_act *act)
{
    if (act->looking)
        return; /* further up on the stack, which looks again */
    act->looking = true;
    while (has_news(&act->self->tslot)) { /* never, when the thread holds no slot */
        struct oi_tslot *slot = &act->self->tslot;
        struct oi_stack_node *aside = NULL;
        while (carry_out(act, slot, UINT32_MAX, &aside)) {
        }
        /* Acquire: pairs with force() [MO-forced]. */
        bool again = OI_UNLIKELY(oi_load_relaxed(&slot->forced)) && oi_exchange_acquire(&slot->forced, 0) && !settle_all(act);
        if (again)
            oi_store_relaxed(&slot->forced, 1); /* for the next look: until then, the collection goes on */
        oi_tokens_release(act, aside); /* may end the thread */
        if (again)
            break;
    }
    act->looking = false;
    if (OI_UNLIKELY(oi_credit_is_mine_out()))
        oi_credit_return_unused(act);
}

/* The last resort: `shared` may go negative. Nothing is lost, for the sum stays right; the owner finds the object when it looks
 * through its pages, or a collection does. */
static void force(struct oi_act *act, struct oi_tslot *slot, ouro_object *o)
{
    uint32_t s = oi_shared(o);
    while (!(s & OI_STUCK)) {
        oi_perturb();
        if (s & OI_MERGED) {
            oi_release(act, o, oi_dropped);
            return;
        }
        /* acq_rel: as any decrement [MO-count]. */
        if (oi_cas_weak_acqrel(&o->ouro_private_shared, &s, s - OI_ONE)) {
            oi_store_release(&slot->forced, 1); /* [MO-forced] */
            return;
        }
    }
}

static bool watched; /* atomic: the background thread will look at the inboxes of running threads */

static void push(struct oi_act *act, struct oi_tslot *slot, struct oi_token *token)
{
    oi_stack_push(&slot->inbox, &token->node);
    oi_perturb();
    /* S3: after the push (a full barrier), look at the state. */
    if (oi_load_seqcst(&slot->state) != OI_TSLOT_THREAD) {
        carry_out_for(act, slot);
    } else if (!oi_load_seqcst(&watched)) { /* after the push: pairs with oi_inbox_watch [MO-watched] */
        oi_store_relaxed(&watched, true);
        oi_upcalls.wake();
    }
}

void oi_inbox_push(struct oi_act *act, uint32_t id, ouro_object *o)
{
    struct oi_tslot *slot = oi_tslot_find(id);
    /* A sleeper's or exited thread's slot: be its holder for a moment, the token never leaving this hand. */
    if (oi_tslot_claim_in_turn(slot)) {
        oi_perturb();
        bool mine = OI_ID(oi_owner(o)) == id;
        if (mine) {
            oi_note_handed_over(OI_CONTAINER_OF(slot, struct oi_local, tslot), o);
            if (oi_unbias(o, 1, "ouro_release"))
                oi_destroy_later(act, o);
        }
        oi_tslot_let_go(slot);
        if (!mine)
            oi_release(act, o, oi_dropped);
        oi_destroy_run(act);
        return;
    }
    if (oi_load_relaxed(&slot->state) == OI_TSLOT_RETIRED)
        return; /* its thread vanished in a fork: what it held is never touched again */
    oi_perturb(); /* the thread has come back, and perhaps gone again */
    struct oi_token *token = oi_token_new(act, o);
    if (!token) {
        force(act, slot, o);
        return;
    }
    push(act, slot, token);
}

/* Takes the tokens of tracked objects out of the inbox; for the others, no collection can do anything. */
static void steal(struct oi_act *act, struct oi_tslot *slot, struct oi_stack_node **stolen)
{
    struct oi_stack_node *node = oi_stack_take_all(&slot->inbox);
    while (node) {
        oi_perturb();
        struct oi_token *token = OI_CONTAINER_OF(node, struct oi_token, node);
        ouro_object *o = oi_token_object(token);
        node = node->next;
        if (oi_flags(o) & OI_UNTRACKED) {
            push(act, slot, token);
            continue;
        }
        oi_page_set_published(oi_page_of(o)); /* the collection that follows looks at it, of whichever generation it is */
        token->node.next = *stolen;
        *stolen = &token->node;
    }
}

uint64_t oi_inbox_patience_ns = 100000000;

/* How long has the inbox of a running thread been waiting for it, as far as these looks can tell? Two threads may look at once: then it is a bit shorter
 * or longer, and stealing is right at any time. */
static enum oi_inbox_state look_at(struct oi_tslot *slot)
{
    bool waits = oi_load_acquire(&slot->state) == OI_TSLOT_THREAD && !oi_stack_is_empty(&slot->inbox);
    uint32_t seen = waits ? oi_load_relaxed(&slot->takes) + 1 : 0;
    uint64_t now = waits ? oi_os_now_ns() : 0;
    bool again = waits && seen == oi_load_relaxed(&slot->takes_seen);
    if (!again) {
        oi_store_relaxed(&slot->seen_first, now);
        oi_store_relaxed(&slot->takes_seen, seen);
    }
    if (again && now - oi_load_relaxed(&slot->seen_first) >= oi_load_relaxed(&oi_inbox_patience_ns))
        return OI_INBOX_LEFT;
    return waits ? OI_INBOX_WAITING : OI_INBOX_EMPTY;
}

enum oi_inbox_state oi_inbox_watch(void)
{
    enum oi_inbox_state most = OI_INBOX_EMPTY;
    /* Before the looks: what is pushed after one of them finds that it has to wake this thread, or is found by the look. */
    (void)oi_exchange_seqcst(&watched, false); /* [MO-watched] */
    for (uint32_t id = 1; id <= oi_tslot_count(); id++) {
        struct oi_tslot *slot = oi_tslot_find(id);
        enum oi_inbox_state state = slot ? look_at(slot) : OI_INBOX_EMPTY;
        most = state > most ? state : most;
    }
    if (most != OI_INBOX_EMPTY)
        oi_store_relaxed(&watched, true);
    return most;
}

bool oi_inbox_is_watched(void)
{
    return oi_load_relaxed(&watched);
}

struct oi_stack_node *oi_inbox_steal(struct oi_act *act)
{
    struct oi_stack_node *stolen = NULL;
    for (uint32_t id = 1; id <= oi_tslot_count(); id++) {
        struct oi_tslot *slot = oi_tslot_find(id);
        if (slot && look_at(slot) == OI_INBOX_LEFT) /* none: no memory for it */
            steal(act, slot, &stolen);
    }
    return stolen;
}
