//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Walks over all objects, for tools: visiting, and freezing. They go from page to page, holding off collections for the time that it takes to
 * look at a few objects: what a collection frees is not protected by read sections. Whoever is visited holds on to each object by a reference. */
#include "ouro_gc.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "lib_cycle_scope.h"
#include "lib_object_count.h"
#include "lib_object_destroy.h"
#include "lib_object_hint.h"
#include "lib_object_misuse.h"
#include "lib_object_publish.h"
#include "lib_port_os.h"
#include "lib_runtime_runtime.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */
#define BATCH 64u          /* visited between two of them, at most */

/* ---- the walk ---- */

/* All pages that there were at the start, pinned. An object that there is all the time is met once. */
struct walk {
    struct oi_act *act;
    struct oi_page **pages;
    uint32_t count;
    uint32_t page, index; /* the next block */
    LIST_ENTRY(walk) link;
};

static LIST_HEAD(, walk) walks = LIST_HEAD_INITIALIZER(walks); /* under the next; a child of fork ends those of vanished threads */
static pthread_mutex_t walks_lock = PTHREAD_MUTEX_INITIALIZER; /* the walks lock: docs/design/lock-order.md */

static void enter(struct walk *walk)
{
    pthread_mutex_lock(&walks_lock);
    LIST_INSERT_HEAD(&walks, walk, link);
    pthread_mutex_unlock(&walks_lock);
}

static void end(struct walk *walk)
{
    oi_page_unpin(walk->pages, &walk->count);
    pthread_mutex_lock(&walks_lock);
    LIST_REMOVE(walk, link);
    pthread_mutex_unlock(&walks_lock);
    free(walk->pages);
}

void oi_visit_before_fork(void)
{
    pthread_mutex_lock(&walks_lock);
}

void oi_visit_after_fork_parent(void)
{
    pthread_mutex_unlock(&walks_lock);
}

void oi_visit_after_fork_child(void)
{
    struct walk *walk, *next;
    for (walk = LIST_FIRST(&walks); walk; walk = next) {
        next = LIST_NEXT(walk, link);
        if (walk->act == &oi_act)
            continue; /* this thread forks in a visitor, and goes on */
        oi_page_unpin(walk->pages, &walk->count); /* its array is leaked, with the rest that its thread held */
        LIST_REMOVE(walk, link);
    }
    pthread_mutex_unlock(&walks_lock);
}

/* False: the caller is in a read section (reported), or cannot be attached, or there is no memory. */
static bool begin(struct walk *walk, const char *call)
{
    struct oi_act *act = &oi_act;
    if (act->reading) {
        oi_misuse(OURO_MISUSE_WRONG_PLACE, call, NULL, "not inside a read section");
        return false;
    }
    if (ouro_thread_attach(0) != OURO_OK || !oi_hold_slot(act))
        return false;
    /* Others may take pages meanwhile, which need not be met, but must not crowd out those that were there. */
    for (size_t max = oi_page_totals().in_use / OI_UNIT + OI_SEGMENT_UNITS;; max *= 2) {
        *walk = (struct walk){.act = act, .pages = malloc(max * sizeof(struct oi_page *))};
        if (!walk->pages)
            return false;
        enter(walk);
        oi_page_pin_all(walk->pages, &walk->count, (uint32_t)max);
        if (walk->count < max)
            return true;
        end(walk);
    }
}

typedef bool look_fn(const struct walk *walk, const struct oi_page *page, ouro_object *o, bool is_private, void *arg);

/* Shows `look` the caller's private objects and the shared ones on the page, until it says false. */
static bool look_at_page(struct walk *walk, const struct oi_page *page, look_fn *look, void *arg)
{
    uint32_t carved = oi_load_acquire(&page->carved); /* [MO-carved] */
    size_t size = oi_page_block_size(page);
    bool go_on = true;
    while (go_on && walk->index < carved) {
        uint32_t end = walk->index + SECTION_BLOCKS < carved ? walk->index + SECTION_BLOCKS : carved;
        oi_rcu_read_lock();
        while (go_on && walk->index < end) {
            ouro_object *o = (ouro_object *)(page->base + walk->index++ * size);
            bool is_private = oi_type_word(o) && oi_is_mine(o);
            if (is_private || oi_scope_is_shared(o))
                go_on = look(walk, page, o, is_private, arg);
        }
        oi_rcu_read_unlock();
    }
    return go_on;
}

/* Goes on where it was, to the end, or until `look` says false. */
static void go_on(struct walk *walk, look_fn *look, void *arg)
{
    bool outer;
    oi_collector_hold_off(walk->act, &outer);
    while (walk->page < walk->count && look_at_page(walk, walk->pages[walk->page], look, arg)) {
        walk->page++;
        walk->index = 0;
    }
    oi_collector_let_go(walk->act, outer);
}

/* ---- visiting ---- */

typedef bool wanted_fn(const struct oi_page *page, ouro_object *o, bool is_private, const void *arg);

struct batch {
    wanted_fn *wanted;
    const void *arg;
    uint32_t used;
    ouro_object *objects[BATCH]; /* each with a reference */
};

/* What dies by it waits for oi_destroy_run: user code may end the thread. */
static void let_go_of(struct oi_act *act, struct batch *batch)
{
    bool outer = act->destroying;
    act->destroying = true;
    while (batch->used)
        oi_release(act, batch->objects[--batch->used], "ouro_gc_visit");
    act->destroying = outer;
}

/* One more reference to what may have none any more. */
static bool hold(ouro_object *o, bool is_private)
{
    if (is_private) {
        ouro_retain(o);
        return true;
    }
    if (oi_publish_was_cut_off(o))
        return false;
    /* Of one that is biased and to which nobody refers (object/inbox.c), the owner's next look or the next collection disposes. */
    uint32_t s = oi_load_acquire(&o->ouro_private_shared); /* `local` after it: [MO-count] */
    bool is_referred_to = s & (OI_MERGED | OI_STUCK) || oi_count(s) + (int64_t)oi_local_tokens(oi_local(o)) > 0;
    return is_referred_to && oi_try_retain(o);
}

static bool gather(const struct walk *walk, const struct oi_page *page, ouro_object *o, bool is_private, void *arg)
{
    struct batch *batch = arg;
    (void)walk;
    if (batch->wanted(page, o, is_private, batch->arg) && hold(o, is_private))
        batch->objects[batch->used++] = o;
    return batch->used < BATCH;
}

/* Calls fn for each until it wants no more; lets all of them go. */
static bool show(const struct walk *walk, struct batch *batch, ouro_visitor fn, void *arg)
{
    bool more = true;
    for (uint32_t i = 0; i < batch->used && more; i++)
        more = fn(batch->objects[i], arg) == 0;
    let_go_of(walk->act, batch);
    oi_destroy_run(walk->act);
    return more;
}

struct visiting {
    struct walk walk;
    struct batch batch;
};

/* A finalizer that ran meanwhile has ended the thread. */
static void abandon(void *arg)
{
    struct visiting *visiting = arg;
    let_go_of(visiting->walk.act, &visiting->batch);
    end(&visiting->walk);
}

static void visit(const char *call, wanted_fn *wanted, const void *wanted_arg, ouro_visitor fn, void *arg)
{
    struct visiting now = {.batch = {.wanted = wanted, .arg = wanted_arg}};
    if (!fn || !begin(&now.walk, call))
        return;
    int held = oi_os_hold_cancel(); /* visitors return */
    pthread_cleanup_push(abandon, &now);
    do {
        go_on(&now.walk, gather, &now.batch);
        oi_publish_await(); /* the visitor may follow references */
    } while (now.batch.used && show(&now.walk, &now.batch, fn, arg));
    pthread_cleanup_pop(0);
    end(&now.walk);
    oi_os_let_cancel(held);
}

static bool is_of_generation(const struct oi_page *page, ouro_object *o, bool is_private, const void *generation)
{
    if (oi_flags(o) & OI_UNTRACKED)
        return false;
    int is = is_private ? 0 : oi_page_is_recent(page) ? 1 : 2;
    return *(const int *)generation < 0 || *(const int *)generation == is;
}

void ouro_gc_visit_objects(int generation, ouro_visitor fn, void *arg)
{
    visit("ouro_gc_visit_objects", is_of_generation, &generation, fn, arg);
}

struct search {
    const ouro_object *target;
    bool found;
};

static void compare(ouro_object *ref, void *arg)
{
    struct search *search = arg;
    search->found = search->found || ref == search->target;
}

static bool refers(const struct oi_page *page, ouro_object *o, bool is_private, const void *target)
{
    struct search search = {.target = target};
    (void)page, (void)is_private;
    if (!oi_is_loose(oi_type_of(o), o))
        oi_each_ref(oi_type_word(o), o, compare, &search);
    return search.found;
}

void ouro_gc_visit_referrers(void *object, ouro_visitor fn, void *arg)
{
    if (object)
        visit("ouro_gc_visit_referrers", refers, object, fn, arg);
}

void ouro_gc_visit_referents(void *object, ouro_visitor fn, void *arg)
{
    ouro_slot *slot;
    size_t count;
    if (!object || !fn || !(oi_act.reading ? ouro_try_retain(object) : ouro_retain(object))) /* the visitor may let go of it */
        return;
    const struct oi_type *type = oi_type_of(object);
    int stop = 0;
    for (uint32_t run = 0; !stop && oi_slots_run(type, object, run, &slot, &count); run++) {
        bool there = true;
        for (size_t i = 0; !stop && there; i++) {
            void *ref = oi_slot_get(object, run, i, &there);
            if (ref)
                stop = fn(ref, arg);
            ouro_release(ref);
        }
    }
    ouro_release(object);
}

/* ---- freezing ---- */

/* A frozen object is marked as untracked though its type is not: to collections it is as if of an acyclic type. */
static bool is_frozen(const ouro_object *o, uint16_t flags)
{
    const struct oi_type *type = oi_type_of(o);
    return (flags & OI_UNTRACKED) && oi_type_is_tracked(type) && !oi_flags_are_loose(type, flags);
}

static bool freeze(const struct walk *walk, const struct oi_page *page, ouro_object *o, bool is_private, void *unused)
{
    (void)walk, (void)page, (void)unused;
    if (is_private)
        oi_set_flags(o, oi_flags(o) | OI_UNTRACKED);
    else
        oi_fetch_or_acqrel(&o->ouro_private_flags, OI_UNTRACKED); /* relaxed would do: collections are held off */
    oi_hints_are_lost(); /* references in frozen objects do not count as edges, without a hint of it; before collections go on, which they do now and then */
    return true;
}

static bool unfreeze(const struct walk *walk, const struct oi_page *page, ouro_object *o, bool is_private, void *unused)
{
    (void)page, (void)unused;
    uint16_t flags = (uint16_t)oi_flags(o);
    oi_hints_are_lost(); /* likewise */
    if (is_private) {
        /* Young collections have left it meanwhile, and perhaps its page: as it is with objects that they have aged. */
        if (is_frozen(o, flags)) {
            oi_set_flags(o, (flags & ~OI_UNTRACKED) | OI_AGED);
            oi_thread_of(walk->act->self)->young.aged++;
        }
        return true;
    }
    /* One step with the look: who has made the store of a container loose meanwhile (value/store.c) relies on its not being looked at. relaxed
     * would do, likewise; [MO-move] is the mover's with the collections that begin after this. */
    while (is_frozen(o, flags) && !oi_cas_weak_acqrel(&o->ouro_private_flags, &flags, (uint16_t)(flags & ~OI_UNTRACKED)))
        continue;
    return true;
}

static bool count_frozen(const struct walk *walk, const struct oi_page *page, ouro_object *o, bool is_private, void *count)
{
    (void)walk, (void)page, (void)is_private;
    *(size_t *)count += is_frozen(o, (uint16_t)oi_flags(o));
    return true;
}

static void end_walk(void *walk)
{
    end(walk);
}

static void do_to_all(const char *call, look_fn *look, void *arg)
{
    struct walk walk;
    if (!begin(&walk, call))
        return;
    pthread_cleanup_push(end_walk, &walk); /* as with visiting */
    go_on(&walk, look, arg);
    pthread_cleanup_pop(1);
}

void ouro_gc_freeze(void)
{
    do_to_all("ouro_gc_freeze", freeze, NULL);
}

void ouro_gc_unfreeze(void)
{
    do_to_all("ouro_gc_unfreeze", unfreeze, NULL);
}

size_t ouro_gc_get_freeze_count(void)
{
    size_t count = 0;
    do_to_all("ouro_gc_get_freeze_count", count_frozen, &count);
    return count;
}
