/* SPDX-License-Identifier: MIT */
#include "cycle/estimate.h"

#include "cycle/tally.h"
#include "port/perturb.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */

/* ---- references that do not come from the scope ---- */

struct counting {
    struct oi_scope *scope;
    struct oi_tally tally;
    int32_t *counts; /* of the page, or NULL */
};

static OI_ALWAYS_INLINE void subtract(ouro_object *child, void *arg)
{
    struct counting *counting = arg;
    oi_id id = oi_scope_find(counting->scope, child);
    if (id)
        oi_tally_count(&counting->tally, oi_scope_estimate(counting->scope, id));
}

static OI_ALWAYS_INLINE bool count_block(struct counting *counting, struct oi_scope_page *page, uint32_t index)
{
    ouro_object *o = oi_scope_at(page, index);
    if (!oi_scope_may_look(o))
        return false;
    int32_t n = oi_estimate_references(o);
    page->estimate[index] += n;
    if (counting->counts)
        counting->counts[index] = n + 1;
    page->member[index / 64] |= (uint64_t)1 << index % 64;
    oi_each_ref(oi_type_of(o), o, subtract, counting);
    return true;
}

static size_t count_page(struct counting *counting, uint32_t number)
{
    struct oi_scope *scope = counting->scope;
    size_t objects = 0;
    uint32_t carved = scope->extents[number].carved;
    counting->counts = scope->extents[number].count;
    for (uint32_t index = 0; index < carved;) {
        uint32_t end = index + SECTION_BLOCKS < carved ? index + SECTION_BLOCKS : carved;
        oi_perturb();
        oi_rcu_read_lock();
        for (; index < end; index++)
            objects += count_block(counting, &scope->pages[number], index);
        oi_rcu_read_unlock();
    }
    scope->extents[number].has_members = objects != 0;
    return objects;
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects = 0;
    struct counting counting = {.scope = scope};
    oi_tally_begin(&counting.tally, -1);
    for (uint32_t number = 1; number <= scope->count; number++)
        objects += count_page(&counting, number);
    oi_tally_end(&counting.tally);
    oi_estimate_tokens(scope);
    oi_estimate_finish(scope, members);
    return objects;
}
