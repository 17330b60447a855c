//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_concurrent.h"

#include <pthread.h>

#include "lib_cycle_candidates.h"
#include "lib_cycle_check.h"
#include "lib_cycle_debug.h"
#include "lib_cycle_estimate.h"
#include "lib_cycle_presume.h"
#include "lib_cycle_reclaim.h"
#include "lib_cycle_validate.h"
#include "lib_object_credit.h"
#include "lib_object_inbox.h"
#include "lib_object_weak.h"
#include "lib_port_perturb.h"

/* Held from the verdict until every member is DEAD: a child of fork finds a set either untouched or gone. docs/design/lock-order.md */
static pthread_mutex_t verdict_lock = PTHREAD_MUTEX_INITIALIZER;

bool oi_concurrent_init(void)
{
    return oi_scope_init();
}

#define RESCUES_MAX 3

/* Others wait for the lock: there is no rest while it is held. */
static void lock_verdict(struct oi_scope *scope)
{
    pthread_mutex_lock(&verdict_lock);
    scope->breathe = NULL;
}

static void unlock_verdict(struct oi_scope *scope, const struct oi_concurrent *job)
{
    pthread_mutex_unlock(&verdict_lock);
    scope->breathe = job->breathe;
}

/* Returns with the verdict lock held and the members doomed. */
static void decide(struct oi_scope *scope, const struct oi_validation *validation, const struct oi_concurrent *job)
{
    for (int tries = 0; validation->has_weak && tries < RESCUES_MAX; tries++) {
        oi_validate_open();
        oi_perturb();
        lock_verdict(scope);
        if (oi_validate_commit(scope))
            return;
        unlock_verdict(scope, job);
    }
    lock_verdict(scope);
    /* Weak references to what else is garbage are being followed all the time: that much is for the next collection. */
    if (validation->has_weak)
        oi_validate_without_weak(scope);
}

/* Shows what will be gone soon and what is kept. With no lock held but the collection lock. */
static void show_all(const struct oi_scope *scope, const struct oi_stack_node *kept)
{
    void (*show)(const ouro_object *o) = oi_load_relaxed(&oi_debug_found);
    if (OI_LIKELY(!show))
        return;
    for (uint32_t number = 1; number <= scope->count; number++) {
        const struct oi_scope_page *page = &scope->pages[number];
        for (uint32_t i = 0; scope->extents[number].has_members && i < scope->extents[number].carved; i++) {
            if (page->bits[i / 64].member >> i % 64 & 1)
                show(oi_scope_at(page, i));
        }
    }
    for (; kept; kept = kept->next)
        show(oi_token_object(OI_CONTAINER_OF(kept, struct oi_token, node)));
}

static void add_inner(struct oi_scope *scope, struct oi_member member, void *count)
{
    (void)scope;
    *(size_t *)count += oi_type_of(member.object)->inner;
}

static size_t count_inner(struct oi_scope *scope, const struct oi_validation *validation)
{
    size_t count = 0;
    if (validation->inner)
        oi_scope_each_member(scope, add_inner, &count);
    return count;
}

/* The members are garbage: decides what becomes of them, and makes it so for all to see at once. Returns how many of those that are to be freed are
 * inner ones. */
static size_t carry_out(struct oi_act *act, struct oi_scope *scope, const struct oi_validation *validation,
                        struct oi_concurrent *job)
{
    oi_perturb();
    bool save = oi_load_relaxed(&oi_debug_save_all);
    size_t members = oi_scope_count_members(scope), inner = count_inner(scope, validation);
    job->found = members - inner;
    if (!job->followed)
        oi_presume_learn(scope, job->candidates, members);
    if (OI_UNLIKELY(save))
        oi_reclaim_save_all(act, scope, &job->saved);
    else if (validation->finalizers)
        oi_reclaim_set_aside(act, scope, &job->due);
    oi_perturb();
    oi_reclaim_seal(act, scope, validation->has_weak);
    return save || validation->finalizers ? count_inner(scope, validation) : inner; /* some may have left the set */
}

/* P1. */
static struct oi_scope *guess(struct oi_concurrent *job, struct oi_stack_node *tokens)
{
    bool old = job->generation == 2;
    struct oi_scope *scope = old ? oi_scope_open(job->generation) : oi_scope_enter(job->generation);
    scope->tokens = tokens;
    scope->breathe = job->breathe;
    job->followed = old && oi_candidates_follow(scope, &job->candidates, &job->suspects);
    if (job->followed)
        return scope;
    if (oi_presume_is_due(scope))
        job->candidates = job->suspects = oi_presume(scope);
    else
        job->candidates = oi_estimate(scope, &job->suspects);
    return scope;
}

void oi_concurrent_collect(struct oi_act *act, struct oi_concurrent *job)
{
    struct oi_validation validation = {0};
    struct oi_act outer = *act; /* what this thread has pending is not the collection's */
    act->dead = act->dead_plain = act->dead_waiting = act->dead_blocks = NULL;
    act->callbacks = NULL;
    act->destroying = act->in_user_code = false;
    act->reading = 1; /* no user code on this thread: what is due is handed on */
    oi_credit_recall(act, false); /* references that nobody needs, but of what is in use at this moment */
    struct oi_stack_node *tokens = oi_inbox_steal(act);
    oi_perturb();
    bool old = job->generation == 2;
    struct oi_scope *scope = guess(job, tokens);
    if (job->suspects) {
        oi_validate_counts(scope, &validation);
        oi_perturb();
        oi_validate_untouched(scope);
        decide(scope, &validation, job);
        size_t inner = carry_out(act, scope, &validation, job);
        unlock_verdict(scope, job);
        show_all(scope, job->saved);
        job->freed = oi_reclaim_free(act, scope, &validation, &job->freed_bytes) - inner;
    }
    if (!job->suspects && !job->followed)
        oi_presume_learn(scope, job->candidates, 0);
    oi_reclaim_tokens(act, scope);
    if (old)
        oi_candidates_remember(scope);
    oi_scope_leave(scope);
    if (OURO_DEBUG && old && oi_candidates_are_known())
        oi_candidates_check();
    OI_ASSERT(!act->dead && !act->dead_plain && !act->dead_blocks);
    job->dead = act->dead_waiting;
    job->callbacks = act->callbacks;
    outer.exit_watched = act->exit_watched;
    *act = outer;
}

void oi_concurrent_before_fork(void)
{
    pthread_mutex_lock(&verdict_lock);
}

void oi_concurrent_after_fork_parent(void)
{
    pthread_mutex_unlock(&verdict_lock);
}

void oi_concurrent_after_fork_child(void)
{
    oi_candidates_forget();
    oi_presume_forget(); /* a child may do other work than its parent */
    oi_store_release(&oi_verdict, OI_VERDICT_IDLE); /* marks that are left are taken away by whoever meets them */
    pthread_mutex_unlock(&verdict_lock);
}
