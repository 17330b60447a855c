/* SPDX-License-Identifier: MIT */
#include "cycle/estimate.h"

#include "cycle/tally.h"
#include "port/perturb.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */

/* ---- references that do not come from the scope ---- */

struct counting {
    struct oi_scope *scope;
    struct oi_tally tally;
};

static OI_ALWAYS_INLINE void subtract(ouro_object *child, void *arg)
{
    struct counting *counting = arg;
    oi_id id = oi_scope_find(counting->scope, child);
    if (id)
        oi_tally_count(&counting->tally, oi_scope_estimate(counting->scope, id));
}

static size_t count_page(struct counting *counting, uint32_t number)
{
    struct oi_scope *scope = counting->scope;
    const struct oi_scope_page page = scope->pages[number]; /* a copy: what is counted here changes none of it */
    const uint32_t carved = scope->extents[number].carved;
    const size_t size = (size_t)page.words * 8;
    int32_t *counts = scope->extents[number].count;
    size_t objects = 0;
    char *at = page.base, *limit = at + carved * size;
    for (uint32_t index = 0; index < carved;) {
        uint32_t end = index + SECTION_BLOCKS < carved ? index + SECTION_BLOCKS : carved;
        uint64_t members = 0;
        oi_perturb();
        oi_rcu_read_lock();
        for (uint64_t bit = 1; index < end; index++, bit <<= 1, at += size) {
            ouro_object *o = (ouro_object *)at;
            if (at + OI_SCOPE_AHEAD * size < limit)
                __builtin_prefetch(at + OI_SCOPE_AHEAD * size);
            if (!oi_scope_may_look(o))
                continue;
            int32_t n = oi_estimate_references(o);
            page.estimate[index] += n;
            if (counts)
                counts[index] = n + 1;
            members |= bit;
            objects++;
            oi_each_ref(oi_type_of(o), o, subtract, counting);
        }
        oi_rcu_read_unlock();
        oi_scope_section_ended(scope);
        page.member[(index - 1) / 64] = members;
    }
    scope->extents[number].has_members = objects != 0;
    return objects;
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects = 0;
    struct counting counting = {.scope = scope};
    oi_tally_begin(&counting.tally, -1);
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (OI_LIKELY(oi_scope_is_furnished(scope, number)))
            objects += count_page(&counting, number);
    }
    oi_tally_end(&counting.tally);
    oi_estimate_tokens(scope);
    oi_estimate_finish(scope, members);
    return objects;
}
