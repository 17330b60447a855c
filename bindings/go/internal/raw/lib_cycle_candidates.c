//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_candidates.h"

#include "lib_cycle_estimate.h"
#include "lib_cycle_trace.h"
#include "lib_object_hint.h"
#include "lib_object_inbox.h"
#include "lib_port_os.h"
#include "lib_port_perturb.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */
#define LINE ((size_t)1 << OI_HINT_SHIFT)
#define SKIP_MAX 16u

size_t oi_candidates_share = OURO_DEBUG ? 1 : 4; /* debug builds follow candidates wherever they lead, so that tests do */
size_t oi_candidates_followed;

static bool known;       /* every object that the last collection left is a root's descendant, or has a hint */
static bool followed;    /* this collection has followed candidates */
static unsigned skip;    /* so many collections look at everything without an attempt */
static unsigned penalty; /* so many will, after the next attempt that leads too far */

struct closure {
    struct oi_trace trace;
    struct oi_scope *scope;
    size_t objects, room;       /* looked at; that may be */
    bool failed;
};

/* ---- what is to be looked at ---- */

static void include(struct closure *closure, uint32_t number, uint32_t index)
{
    struct oi_scope *scope = closure->scope;
    struct oi_scope_extent *extent = &scope->extents[number];
    uint64_t bit = (uint64_t)1 << index % 64;
    if (index >= extent->carved)
        return; /* it has come since the collection began, and its page is recent */
    if (OI_UNLIKELY(!oi_scope_is_furnished(scope, number)) && !oi_scope_furnish(scope, number)) {
        closure->failed = true;
        return;
    }
    struct oi_scope_page *page = &scope->pages[number];
    struct oi_scope_bits *bits = &page->bits[index / 64];
    if (bits->member & bit)
        return;
    bits->member |= bit;
    extent->has_members = true;
    oi_trace_shade(&closure->trace, number, index);
}

static void include_page(struct closure *closure, uint32_t number)
{
    for (uint32_t index = 0; index < closure->scope->extents[number].carved && !closure->failed; index++)
        include(closure, number, index);
}

/* The objects that begin in a line of the page. */
static void include_line(struct closure *closure, uint32_t number, size_t line)
{
    size_t size = (size_t)closure->scope->pages[number].words * 8;
    for (size_t index = (line * LINE + size - 1) / size; index * size < (line + 1) * LINE; index++)
        include(closure, number, (uint32_t)index);
}

/* ---- hints ---- */

/* Takes those of one page. closure: NULL, they are of no interest. */
static void take_hints(struct closure *closure, const struct oi_page *page, uint32_t number)
{
    size_t bytes = page->capacity == 1 ? LINE : (size_t)page->capacity * oi_page_block_size(page);
    uint8_t *hints = &oi_segment_of(page)->hints[(uintptr_t)page->base % OI_SEGMENT / LINE];
    for (size_t line = 0; line * LINE < bytes; line++) {
        typedef uint64_t eight __attribute__((may_alias));
        if (bytes > LINE && line % 8 == 0 && !oi_load_relaxed((eight *)(hints + line))) {
            line += 7;
            continue;
        }
        if (!oi_load_relaxed(&hints[line]))
            continue;
        /* One that comes between these two is of a change that the look sees, after the barrier [MO-hint]. */
        oi_store_relaxed(&hints[line], 0);
        if (closure)
            include_line(closure, number, line);
    }
}

static void take_all_hints(struct closure *closure, struct oi_scope *scope)
{
    for (uint32_t i = 0; i < scope->count; i++)
        take_hints(closure, scope->pinned[i], i + 1);
    oi_store_release(&oi_hint_epoch, oi_hint_epoch + 1); /* after the taking; pairs with oi_hint_before_store [MO-hint] */
    oi_os_membarrier(); /* changes whose hints have been taken, and publications that found their page recent, are visible from here on */
    oi_scope_look_again(scope); /* and so are the blocks that these are of, which had been cut by then */
}

static void include_recent(struct closure *closure)
{
    for (uint32_t i = 0; i < closure->scope->count; i++) {
        if (closure->scope->pinned[i]->was_recent)
            include_page(closure, i + 1);
    }
}

/* ---- roots ---- */

/* For each segment with pages in the scope. Its pages come one after the other. */
#define EACH_SEGMENT(scope, segment) \
    for (uint32_t at_ = 0; at_ < (scope)->count; at_++) \
        if (((segment) = oi_segment_of((scope)->pinned[at_])) && (!at_ || oi_segment_of((scope)->pinned[at_ - 1]) != (segment)))

/* The place of a remembered object, if there still is one; it may be another's. */
static oi_id find_root(const struct oi_scope *scope, struct oi_segment *segment, const struct oi_root *root)
{
    const ouro_object *o = (ouro_object *)((char *)segment + (size_t)root->position * 8);
    oi_id id = oi_scope_find(scope, o);
    if (!id || oi_scope_index(id) >= scope->extents[id >> OI_SCOPE_INDEX_BITS].carved || oi_scope_object(scope, id) != o)
        return 0;
    return id;
}

/* References to it have been dropped since. */
static bool has_fallen(const struct oi_scope *scope, oi_id id, const struct oi_root *root)
{
    return oi_estimate_references(oi_scope_object(scope, id)) < (int32_t)root->count;
}

/* Roots of which references have been dropped are candidates, and no roots any more. */
static void check_roots(struct closure *closure, struct oi_segment *segment)
{
    uint32_t kept = 0;
    oi_rcu_read_lock();
    for (uint32_t i = 0; i < segment->root_count; i++) {
        const struct oi_root *root = &segment->roots[i];
        oi_id id = find_root(closure->scope, segment, root);
        if (i % SECTION_BLOCKS == SECTION_BLOCKS - 1) {
            oi_rcu_read_unlock();
            oi_perturb();
            oi_rcu_read_lock();
        }
        if (!id || !oi_scope_may_look(oi_scope_object(closure->scope, id)))
            continue;
        if (has_fallen(closure->scope, id, root))
            include(closure, id >> OI_SCOPE_INDEX_BITS, oi_scope_index(id));
        else
            segment->roots[kept++] = *root;
    }
    oi_rcu_read_unlock();
    segment->root_count = kept;
}

static bool was_looked_at(const struct oi_scope *scope, oi_id id)
{
    const int32_t *counts = scope->extents[id >> OI_SCOPE_INDEX_BITS].count;
    return counts && counts[oi_scope_index(id)];
}

void oi_candidates_each_fallen_root(struct oi_scope *scope, void (*fn)(struct oi_scope *scope, oi_id id))
{
    struct oi_segment *segment;
    EACH_SEGMENT (scope, segment) {
        oi_rcu_read_lock();
        for (uint32_t i = 0; i < segment->root_count; i++) {
            oi_id id = find_root(scope, segment, &segment->roots[i]);
            if (id && has_fallen(scope, id, &segment->roots[i]))
                fn(scope, id);
        }
        oi_rcu_read_unlock();
    }
}

/* Those that this collection has looked at are remembered anew, if they still are any. */
static void drop_roots(const struct oi_scope *scope, struct oi_segment *segment)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < segment->root_count; i++) {
        oi_id id = find_root(scope, segment, &segment->roots[i]);
        if (followed && id && !was_looked_at(scope, id))
            segment->roots[kept++] = segment->roots[i];
    }
    segment->root_count = kept;
}

/* False: there is no room for it. */
static bool remember(const ouro_object *o, int32_t count)
{
    struct oi_segment *segment = oi_segment_of(o);
    if (count >= OI_ENOUGH && (oi_shared(o) & OI_STUCK))
        return true; /* immortal */
    if (segment->root_count == OI_ROOTS_MAX || !segment->roots)
        return false;
    segment->roots[segment->root_count++] = (struct oi_root){(uint32_t)(((const char *)o - (const char *)segment) / 8), (uint32_t)count};
    return true;
}

static bool remember_page(const struct oi_scope *scope, uint32_t number)
{
    const struct oi_scope_page *page = &scope->pages[number];
    const struct oi_scope_extent *extent = &scope->extents[number];
    for (uint32_t word = 0; extent->count && word * 64 < extent->carved; word++) {
        /* Members that are left have been freed. Those that were dropped have hints: remembered or not, no harm is done. */
        for (uint64_t left = ~page->bits[word].member; left; left &= left - 1) {
            uint32_t index = word * 64 + (uint32_t)__builtin_ctzl(left);
            if (page->estimate[index] > 0 && extent->count[index] && !remember(oi_scope_at(page, index), extent->count[index] - 1))
                return false;
        }
    }
    return true;
}

void oi_candidates_remember(struct oi_scope *scope)
{
    struct oi_segment *segment;
    EACH_SEGMENT (scope, segment)
        drop_roots(scope, segment);
    bool all = !scope->is_partial;
    for (uint32_t number = 1; all && number <= scope->count; number++)
        all = remember_page(scope, number);
    known = all;
}

bool oi_candidates_are_known(void)
{
    return known && oi_candidates_share && !oi_load_relaxed(&oi_hint_loss);
}

void oi_candidates_forget(void)
{
    known = false;
}

/* ---- what candidates reach ---- */

static void count_edge(ouro_object *child, void *arg)
{
    struct closure *closure = arg;
    struct oi_spot spot = oi_scope_locate(closure->scope, child);
    if (!spot.number)
        return;
    include(closure, spot.number, spot.index);
    --*oi_scope_estimate_at(closure->scope, spot);
}

static void look_at(struct closure *closure, uint32_t number, uint32_t index)
{
    struct oi_scope_page *page = &closure->scope->pages[number];
    ouro_object *o = oi_scope_at(page, index);
    uint64_t first;
    uint32_t shared;
    if (!oi_scope_look_at(o, &first, &shared)) {
        page->bits[index / 64].member &= ~((uint64_t)1 << index % 64);
        return;
    }
    int32_t n = oi_estimate_references_by(shared, o);
    page->estimate[index] += n;
    closure->scope->extents[number].count[index] = n + 1;
    closure->objects++;
    oi_each_ref((uint32_t)first, o, count_edge, closure);
}

static void follow_page(struct closure *closure, uint32_t number)
{
    const struct oi_scope_page *page = &closure->scope->pages[number];
    for (uint32_t word = 0; word * 64 < closure->scope->extents[number].carved; word++) {
        uint64_t *gray = &page->bits[word].gray;
        if (!*gray)
            continue;
        oi_perturb();
        oi_rcu_read_lock();
        for (uint64_t bits; (bits = *gray) != 0;) {
            *gray = bits & (bits - 1);
            look_at(closure, number, word * 64 + (uint32_t)__builtin_ctzl(bits));
        }
        oi_rcu_read_unlock();
        oi_scope_section_ended(closure->scope);
    }
}

/* False: it leads too far. */
static bool follow(struct closure *closure)
{
    for (uint32_t number; (number = oi_trace_dequeue(&closure->trace)) != 0;) {
        follow_page(closure, number);
        if (closure->failed || closure->objects > closure->room)
            return false;
    }
    return !closure->failed;
}

/* ---- the choice ---- */

/* How many objects may be looked at; 0: those on recent pages are more than that. */
static size_t room_for_candidates(const struct oi_scope *scope)
{
    size_t blocks = 0, recent = 0;
    for (uint32_t i = 0; i < scope->count; i++) {
        if (OI_UNLIKELY(oi_segment_of(scope->pinned[i])->single))
            return 0; /* no hints, no roots */
        size_t used = oi_load_relaxed(&scope->pinned[i]->used);
        blocks += used;
        recent += scope->pinned[i]->was_recent ? used : 0;
    }
    size_t room = oi_candidates_share ? blocks / oi_candidates_share : 0;
    return recent <= room ? room : 0;
}

static void learn(bool worth_it)
{
    penalty = worth_it ? 0 : !penalty ? 1 : 2 * penalty < SKIP_MAX ? 2 * penalty : SKIP_MAX;
    skip = oi_candidates_share > 1 ? penalty : 0;
}

static bool try_candidates(struct oi_scope *scope, size_t room, size_t *objects)
{
    struct closure closure = {.trace = {.scope = scope}, .scope = scope, .room = room};
    struct oi_segment *segment;
    take_all_hints(&closure, scope);
    include_recent(&closure);
    EACH_SEGMENT (scope, segment)
        check_roots(&closure, segment);
    bool ok = !closure.failed && follow(&closure);
    *objects = closure.objects;
    learn(ok);
    return ok;
}

bool oi_candidates_follow(struct oi_scope *scope, size_t *objects, size_t *members)
{
    bool lost = oi_exchange_acquire(&oi_hint_loss, false);
    size_t room = room_for_candidates(scope);
    bool may = known && !lost && !scope->is_partial && !skip && room;
    followed = known = false; /* until this one is done */
    if (may && try_candidates(scope, room, objects)) {
        followed = true;
        oi_candidates_followed++;
        oi_estimate_tokens(scope);
        oi_estimate_finish(scope, members);
        return true;
    }
    if (may) {
        oi_scope_clear(scope);
    } else {
        skip -= skip > 0;
        take_all_hints(NULL, scope);
    }
    oi_scope_furnish_all(scope);
    return false;
}
