//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * A check of candidates, in debug builds: proves what is garbage among all published objects, as a collection that looks at everything would, and
 * then asks whether the next one that follows candidates would get to it. Nothing is freed, and no trace is taken. */
#include "lib_cycle_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib_cycle_candidates.h"
#include "lib_cycle_estimate.h"
#include "lib_cycle_mark.h"
#include "lib_cycle_validate.h"
#include "lib_object_hint.h"
#include "lib_port_os.h"

/* After a check that has looked at so many objects one collection more goes unchecked: for tests that make many small ones beside much that lives. */
#define CHEAP 20000u

/* A thread may be stopped between an exchange and the next instruction, which would tell of it, while others make garbage of that: then what is
 * missing is there soon. */
#define PATIENCE 300
#define REST_US 10000

unsigned oi_candidates_check_every = 4;

static bool has_trace(struct oi_page *page, const ouro_object *o)
{
    return oi_load_relaxed(&oi_segment_of(o)->hints[(uintptr_t)o % OI_SEGMENT >> OI_HINT_SHIFT]) || oi_load_relaxed(&page->recent) ||
           oi_load_relaxed(&page->bearing);
}

/* Members with traces are referred to from elsewhere, so to speak; and what is no garbage any more, because a weak reference was followed to it,
 * need not be reached. */
static void look_for_trace(struct oi_scope *scope, struct oi_member member, void *unused)
{
    struct oi_page *page = scope->pinned[member.number - 1];
    (void)unused;
    *oi_member_estimate(member) = has_trace(page, member.object) || !oi_scope_may_look(member.object);
}

static void look_at_root(struct oi_scope *scope, oi_id id)
{
    if (oi_scope_is_member(scope, id))
        *oi_scope_estimate(scope, id) = 1;
}

/* How many members the candidates that there are now do not lead to. */
static size_t count_missed(struct oi_scope *scope)
{
    size_t missed;
    oi_scope_each_member(scope, look_for_trace, NULL);
    oi_candidates_each_fallen_root(scope, look_at_root);
    oi_estimate_finish(scope, &missed);
    return missed;
}

static void unmark(struct oi_scope *scope, struct oi_member member, void *unused)
{
    (void)scope, (void)unused;
    oi_unmark(member.object);
}

static void complain(struct oi_scope *scope, struct oi_member member, void *left)
{
    const ouro_object *o = member.object;
    (void)scope;
    if (!*(size_t *)left)
        return;
    --*(size_t *)left;
    fprintf(stderr, "    %p: type %" PRIu32 ", owner %u, flags 0x%x, %" PRId32 " references, page %s\n", (void *)o, OI_TYPE_ID(oi_type_word(o)),
            oi_owner(o), oi_flags(o), oi_estimate_references(o), oi_page_of(o)->capacity == 1 ? "of its own" : "with others");
}

static void fail(struct oi_scope *scope, size_t missed)
{
    size_t shown = 10;
    fprintf(stderr, "ouro: internal check failed: %zu objects are garbage, and no candidate leads to them (docs/design/candidates.md):\n", missed);
    oi_scope_each_member(scope, complain, &shown);
    abort();
}

void oi_candidates_check(void)
{
    static size_t skip; /* under the collection lock */
    struct oi_validation validation = {0};
    size_t missed, objects;
    if (skip) {
        skip--;
        return;
    }
    struct oi_scope *scope = oi_scope_enter_all();
    scope->tokens = NULL;
    objects = oi_estimate(scope, &missed);
    skip = oi_candidates_check_every - 1 + objects / CHEAP;
    if (missed) {
        oi_validate_counts(scope, &validation);
        oi_validate_untouched(scope);
        oi_scope_each_member(scope, unmark, NULL);
        missed = count_missed(scope);
    }
    for (int i = 0; i < PATIENCE && missed && !oi_load_relaxed(&oi_hint_loss); i++) {
        oi_os_sleep_us(REST_US);
        oi_os_membarrier();
        missed = count_missed(scope);
    }
    if (missed && !oi_load_relaxed(&oi_hint_loss))
        fail(scope, missed);
    oi_scope_leave(scope);
}
