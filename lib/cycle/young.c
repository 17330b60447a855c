/* SPDX-License-Identifier: MIT */
#include "cycle/young.h"

#include "cycle/debug.h"
#include "mem/watch.h"
#include "object/count.h"
#include "object/destroy.h"
#include "object/gray.h"
#include "object/history.h"
#include "object/inbox.h"
#include "object/publish.h"
#include "object/weak.h"

bool oi_young_manual;

/* `shared` of a candidate, in the order of the phases:
 *     0 .. OI_GRAY-1   references to it from candidates
 *     OI_GRAY | link   on the gray list: found reachable, its slots not yet looked at; afterwards: garbage, on the same list
 *     OI_GRAY_DONE     reachable
 *     0                as the collection found it and leaves it */

static bool is_candidate(const ouro_object *o)
{
    return oi_is_young_of(o, oi_my_id());
}

static bool has_private(const struct oi_page *page)
{
    size_t size = oi_page_block_size(page);
    for (uint32_t i = 0; i < page->carved; i++) {
        if (oi_is_private((ouro_object *)(page->base + i * size))) /* also a dead one, which may be revived */
            return true;
    }
    return false;
}

/* Without a look at the objects: a graph that has just been published is not walked over once more. */
static bool may_have_private(const struct oi_page *page)
{
    bool may = oi_page_may_have_private(page);
    OI_ASSERT(may || !has_private(page));
    return may;
}

typedef void visit_object(struct oi_local *self, ouro_object *o, void *arg);

/* Calls fn for each candidate on the young pages. Inlined, with fn, into each phase. */
static OI_ALWAYS_INLINE void each_candidate(struct oi_local *self, visit_object *fn, void *arg)
{
    struct oi_page *page;
    LIST_FOREACH(page, &self->pool.young[OI_YOUNG_NEW], young) {
        if (!may_have_private(page))
            continue;
        size_t size = oi_page_block_size(page);
        char *end = page->base + size * page->carved;
        for (char *at = page->base; at < end; at += size) {
            ouro_object *o = (ouro_object *)at;
            if (is_candidate(o)) /* a free block has no owner */
                fn(self, o, arg);
        }
    }
}

/* ---- phase 1: count references among candidates ---- */

static void count_reference(ouro_object *child, void *unused)
{
    (void)unused;
    if (is_candidate(child))
        oi_set_shared(child, oi_shared(child) + 1);
}

static void count_references(struct oi_local *self, ouro_object *o, void *candidates)
{
    (void)self;
    ++*(size_t *)candidates;
    oi_each_ref(oi_type_word(o), o, count_reference, NULL);
}

/* ---- phase 2: what has references from elsewhere is reachable, and what that reaches ---- */

static bool is_white(const ouro_object *o)
{
    return !(oi_shared(o) & OI_GRAY);
}

static void shade(ouro_object *child, void *self)
{
    if (is_candidate(child) && is_white(child))
        oi_gray_push(self, child);
}

static void mark_reachable(struct oi_local *self, ouro_object *o, void *unused)
{
    (void)unused;
    if (!is_white(o) || oi_local_tokens(oi_local(o)) <= oi_shared(o))
        return;
    oi_gray_push(self, o);
    while ((o = oi_gray_pop(self))) {
        oi_set_shared(o, OI_GRAY_DONE);
        oi_each_ref(oi_type_word(o), o, shade, self);
    }
}

/* ---- phase 3: separate ---- */

struct separation {
    size_t garbage, survivors;
    size_t inner;    /* of the garbage */
    bool finalizers; /* some garbage has a finalizer to be run, */
    bool has_weak;   /* some may have weak references */
};

static bool finalizer_due(const ouro_object *o)
{
    return oi_type_of(o)->finalize && !(oi_flags(o) & OI_FINALIZED);
}

static OI_NOINLINE void note_end(struct separation *all, const ouro_object *o, uint64_t first)
{
    all->inner += oi_type_of(o)->inner;
    all->finalizers = all->finalizers || finalizer_due(o);
    all->has_weak = all->has_weak || (oi_first_flags(first) & OI_HAS_WEAK);
}

static void separate(struct oi_local *self, ouro_object *o, void *arg)
{
    struct separation *all = arg;
    if (!is_white(o)) {
        oi_set_shared(o, 0);
        oi_set_flags(o, oi_flags(o) | OI_AGED);
        all->survivors++;
        return;
    }
    oi_gray_push(self, o);
    all->garbage++;
    uint64_t first = oi_first(o);
    if (!oi_is_mere_pair(first)) /* of which nothing is to be noted */
        note_end(all, o, first);
}

/* Pages need not be looked at again before they are allocated from: those with private objects are kept on list `to`. */
static void leave_young_pages(struct oi_pool *pool, enum oi_young_of from, enum oi_young_of to)
{
    struct oi_page *next;
    for (struct oi_page *page = LIST_FIRST(&pool->young[from]); page; page = next) {
        next = LIST_NEXT(page, young);
        bool private = may_have_private(page) && has_private(page);
        if (page->state == OI_PAGE_CURRENT || (private && to == from))
            continue;
        LIST_REMOVE(page, young);
        page->young_list = private ? to : OI_YOUNG_NONE;
        if (private)
            LIST_INSERT_HEAD(&pool->young[to], page, young);
    }
}

/* Phases 1 to 3: garbage is on the gray list afterwards. */
static struct separation find_garbage(struct oi_local *self, struct oi_young_result *result)
{
    struct separation all = {0};
    result->candidates = 0;
    pthread_mutex_lock(&self->pool.young_lock);
    each_candidate(self, count_references, &result->candidates);
    each_candidate(self, mark_reachable, NULL);
    each_candidate(self, separate, &all);
    pthread_mutex_unlock(&self->pool.young_lock);
    return all;
}

/* ---- phase 4: finalizers first ---- */

/* Calls fn for each object on the gray list, which stays as it is. */
static bool each_gray(struct oi_act *act, bool (*fn)(struct oi_act *act, ouro_object *o, void *arg), void *arg)
{
    for (struct oi_page *page = act->self->gray; page; page = page->gray_next) {
        for (uint32_t position = page->gray; position;) {
            ouro_object *o = oi_page_at(page, position);
            position = oi_shared(o) & ~OI_GRAY;
            if (!fn(act, o, arg))
                return false;
        }
    }
    return true;
}

/* Gives the object a reference that waits for its finalizer. */
static bool make_due(struct oi_act *act, ouro_object *o, void *arg)
{
    struct oi_young *young = arg;
    if (!finalizer_due(o))
        return true;
    struct oi_token *token = oi_token_new(act, o);
    if (!token)
        return false;
    ouro_retain(o);
    oi_set_flags(o, oi_flags(o) | OI_FINALIZED);
    token->node.next = young->due;
    young->due = &token->node;
    return true;
}

static bool show_one(struct oi_act *act, ouro_object *o, void *show)
{
    (void)act;
    ((void (*)(const ouro_object *))show)(o);
    return true;
}

/* Gives the object a reference that keeps it for whoever debugs. */
static bool save(struct oi_act *act, ouro_object *o, void *arg)
{
    struct oi_young *young = arg;
    struct oi_token *token = oi_token_new(act, o);
    if (!token)
        return false; /* what the others do not lead to is found again */
    ouro_retain(o);
    token->node.next = young->saved;
    young->saved = &token->node;
    return true;
}

static void forget_garbage(struct oi_local *self)
{
    for (ouro_object *o; (o = oi_gray_pop(self));)
        oi_set_shared(o, 0);
}

static void save_all(struct oi_act *act, struct oi_young *young)
{
    each_gray(act, save, young);
    forget_garbage(act->self);
    for (struct oi_stack_node *node = young->saved; node; node = node->next) {
        ouro_object *o = oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node));
        if (!(oi_flags(o) & OI_PUBLISHED))
            oi_publish(o); /* any thread may look at it */
    }
}

/* ---- phase 5: reclaim ---- */

static bool is_garbage(const ouro_object *o)
{
    return is_candidate(o) && (oi_shared(o) & OI_GRAY);
}

static bool clear_weak(struct oi_act *act, ouro_object *o, void *arg)
{
    (void)arg;
    if (oi_flags(o) & OI_HAS_WEAK)
        oi_weak_target_died(act, o);
    return true;
}

/* References that leave the garbage are released; those inside it go with it. */
static void release_if_outside(ouro_object *child, void *act)
{
    if (!is_garbage(child))
        oi_release(act, child, "ouro_gc_collect");
}

static bool release_outside(struct oi_act *act, ouro_object *o, void *arg)
{
    uint32_t word = oi_type_word(o);
    (void)arg;
    if (!(word & OI_PAIR) && OI_UNLIKELY(oi_type_by(word)->dispose != NULL))
        oi_type_by(word)->dispose(o);
    oi_each_ref(word, o, release_if_outside, act);
    return true;
}

/* In a watched heap, blocks take the long way to their pages. */
static OI_COLD void watch_reclaimed(struct oi_local *self)
{
    for (ouro_object *o; (o = oi_gray_pop(self));) {
        if (oi_history_on)
            oi_history_add(o, OI_CHANGE_GARBAGE, ouro_refcount(o));
        oi_watch_died(o);
    }
}

/* All that is on the gray list, a page's in one run. */
static void free_garbage(struct oi_local *self)
{
    for (struct oi_page *page; (page = self->gray);) {
        struct oi_run run = oi_run_begin(page);
        uint32_t position = page->gray;
        self->gray = page->gray_next; /* before the page may be given back */
        page->gray = 0;
        while (position) {
            ouro_object *o = oi_page_at(page, position);
            position = oi_shared(o) & ~OI_GRAY;
            oi_run_free(&run, o);
        }
        if (oi_run_end(&run))
            oi_pool_run_ended(&self->pool, page, oi_run_is_whole(&run));
    }
}

/* Not in line: it would cost the caller's loops their registers. */
static OI_NOINLINE void reclaim(struct oi_act *act, bool has_weak)
{
    bool outer = act->destroying;
    act->destroying = true; /* what dies now waits until the garbage is gone */
    if (has_weak)
        each_gray(act, clear_weak, NULL);
    each_gray(act, release_outside, NULL);
    if (OI_UNLIKELY(oi_watched))
        watch_reclaimed(act->self);
    free_garbage(act->self);
    act->destroying = outer;
}

static void set_base(struct oi_local *self)
{
    struct oi_page *page;
    oi_pool_free_kept(&self->pool); /* what is made of it must be on a page with new ones */
    pthread_mutex_lock(&self->pool.young_lock);
    leave_young_pages(&self->pool, OI_YOUNG_NEW, OI_YOUNG_AGED);
    LIST_FOREACH(page, &self->pool.young[OI_YOUNG_NEW], young)
        page->young_base = page->used;
    pthread_mutex_unlock(&self->pool.young_lock);
}

/* Aged objects are candidates again. Returns their number. */
static size_t rejuvenate_page(struct oi_page *page)
{
    if (!may_have_private(page))
        return 0;
    size_t size = oi_page_block_size(page), n = 0;
    char *at = page->base;
    for (uint32_t i = 0; i < page->carved; i++, at += size) {
        ouro_object *o = (ouro_object *)at;
        if (!(oi_flags(o) & OI_AGED) || !oi_type_word(o) || !oi_is_mine(o)) /* first: few are aged. In the dead that flag says nothing */
            continue;
        oi_set_flags(o, oi_flags(o) & ~OI_AGED);
        n++;
    }
    return n;
}

size_t oi_young_rejuvenate(struct oi_act *act)
{
    struct oi_pool *pool = &act->self->pool;
    struct oi_page *page;
    size_t n = 0;
    pthread_mutex_lock(&pool->young_lock);
    while ((page = LIST_FIRST(&pool->young[OI_YOUNG_AGED]))) {
        LIST_REMOVE(page, young);
        page->young_list = OI_YOUNG_NEW;
        LIST_INSERT_HEAD(&pool->young[OI_YOUNG_NEW], page, young);
    }
    LIST_FOREACH(page, &pool->young[OI_YOUNG_NEW], young)
        n += rejuvenate_page(page);
    pthread_mutex_unlock(&pool->young_lock);
    return n;
}

static void hold_callbacks(struct oi_act *act, struct oi_young *young)
{
    while (act->callbacks) {
        struct ouro_weak *weak = act->callbacks;
        act->callbacks = weak->next_due;
        weak->next_due = young->due_callbacks;
        young->due_callbacks = weak;
    }
}

bool oi_young_collect(struct oi_act *act, struct oi_young *young, struct oi_young_result *result)
{
    struct oi_local *self = act->self;
    OI_ASSERT(!act->reading && !act->dead_plain && !self->gray);
    struct separation found = find_garbage(self, result);
    result->found = found.garbage - found.inner;
    void (*show)(const ouro_object *o) = oi_load_relaxed(&oi_debug_found);
    if (OI_UNLIKELY(show))
        each_gray(act, show_one, show);
    if (OI_UNLIKELY(oi_load_relaxed(&oi_debug_save_all))) {
        save_all(act, young);
        found = (struct separation){.survivors = found.survivors + found.garbage};
    }
    if (found.finalizers) {
        /* What they reach must stay for them. With references of their own, they are reachable: start over, with what was garbage; the
         * rest has aged. */
        struct oi_young_result again;
        size_t survivors = found.survivors;
        bool ok = each_gray(act, make_due, young);
        forget_garbage(self);
        if (!ok)
            return false;
        found = find_garbage(self, &again);
        found.survivors += survivors;
    }
    reclaim(act, found.has_weak);
    if (oi_load_relaxed(&oi_young_manual))
        hold_callbacks(act, young);
    result->freed = found.garbage - found.inner;
    act->self->due = act->self->due || (young->due && !oi_load_relaxed(&oi_young_manual)); /* also when user code has asked for this */
    young->survivors = found.survivors;
    set_base(self);
    oi_destroy_run(act);
    return true;
}

size_t oi_young_aged_blocks(struct oi_act *act)
{
    struct oi_pool *pool = &act->self->pool;
    struct oi_page *page;
    size_t blocks = 0;
    pthread_mutex_lock(&pool->young_lock);
    LIST_FOREACH(page, &pool->young[OI_YOUNG_AGED], young)
        blocks += page->used;
    pthread_mutex_unlock(&pool->young_lock);
    return blocks;
}

static void run_finalizer(struct oi_act *act, struct oi_young *young)
{
    struct oi_token *token = OI_CONTAINER_OF(young->due, struct oi_token, node);
    young->due = token->node.next;
    ouro_object *o = oi_token_free(act, token);
    oi_finalize(act, oi_type_of(o), o);
    oi_release(act, o, "ouro_gc_collect");
}

static void run_callback(struct oi_act *act, struct oi_young *young)
{
    struct ouro_weak *weak = young->due_callbacks;
    young->due_callbacks = weak->next_due;
    weak->next_due = NULL;
    act->callbacks = weak; /* empty before: nothing else is due while no user code runs */
}

size_t oi_young_run_due(struct oi_act *act, struct oi_young *young, size_t budget)
{
    size_t ran = 0;
    for (; (young->due || young->due_callbacks) && ran < budget && oi_may_run_user_code(act); ran++) {
        if (young->due)
            run_finalizer(act, young);
        else
            run_callback(act, young);
        oi_destroy_run(act); /* also what a finalizer dropped */
    }
    return ran;
}

size_t oi_young_added(struct oi_act *act)
{
    struct oi_pool *pool = &act->self->pool;
    struct oi_page *page;
    int64_t added = 0;
    oi_pool_free_kept(pool); /* which is counted as used */
    pthread_mutex_lock(&pool->young_lock);
    LIST_FOREACH(page, &pool->young[OI_YOUNG_NEW], young)
        added += (int64_t)page->used - page->young_base;
    pthread_mutex_unlock(&pool->young_lock);
    return added > 0 ? (size_t)added : 0;
}

static void count_one(struct oi_local *self, ouro_object *o, void *arg)
{
    (void)self, (void)o;
    ++*(size_t *)arg;
}

size_t oi_young_count(struct oi_act *act)
{
    size_t n = 0;
    pthread_mutex_lock(&act->self->pool.young_lock);
    each_candidate(act->self, count_one, &n);
    pthread_mutex_unlock(&act->self->pool.young_lock);
    return n;
}

static void publish_page(struct oi_act *act, struct oi_page *page)
{
    if (!may_have_private(page))
        return;
    size_t size = oi_page_block_size(page);
    char *at = page->base;
    for (uint32_t i = 0; i < page->carved; i++, at += size) {
        ouro_object *o = (ouro_object *)at;
        if (oi_type_word(o) && oi_is_mine(o))
            oi_publish_one(act, o);
    }
}

void oi_young_publish_all(struct oi_act *act)
{
    struct oi_pool *pool = &act->self->pool;
    struct oi_page *page;
    oi_pool_free_kept(pool); /* as in set_base */
    pthread_mutex_lock(&pool->young_lock);
    oi_publish_begin(act);
    for (enum oi_young_of list = OI_YOUNG_NEW; list < OI_YOUNG_LISTS; list++) {
        LIST_FOREACH(page, &pool->young[list], young)
            publish_page(act, page);
        leave_young_pages(pool, list, list);
    }
    oi_publish_end(act);
    pthread_mutex_unlock(&pool->young_lock);
}
