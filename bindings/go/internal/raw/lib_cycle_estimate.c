//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_cycle_estimate.h"

#include "lib_cycle_tally.h"
#include "lib_port_perturb.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */

/* ---- references that do not come from the scope ---- */

struct counting {
    struct oi_scope *scope;
    struct oi_tally tally;
};

static OI_ALWAYS_INLINE void subtract(ouro_object *child, void *arg)
{
    struct counting *counting = arg;
    struct oi_spot spot = oi_scope_locate(counting->scope, child);
    if (spot.number)
        oi_tally_count(&counting->tally, -1, oi_scope_estimate_at(counting->scope, spot));
}

static size_t count_page(struct counting *counting, uint32_t number)
{
    struct oi_scope *scope = counting->scope;
    const struct oi_scope_page page = scope->pages[number]; /* a copy: what is counted here changes none of it */
    const uint32_t carved = scope->extents[number].carved;
    const size_t size = (size_t)page.words * 8;
    int32_t *counts = scope->extents[number].count;
    size_t objects = 0;
    char *at = page.base;
    for (uint32_t index = 0; index < carved;) {
        uint32_t end = index + SECTION_BLOCKS < carved ? index + SECTION_BLOCKS : carved;
        uint64_t members = 0;
        oi_perturb();
        oi_rcu_read_lock();
        for (uint64_t bit = 1; index < end; index++, bit <<= 1, at += size) {
            ouro_object *o = (ouro_object *)at;
            uint64_t first;
            uint32_t shared;
            __builtin_prefetch(at + OI_SCOPE_AHEAD * size); /* or what is behind the page */
            if (!oi_scope_look_at(o, &first, &shared))
                continue;
            int32_t n = oi_estimate_references_by(shared, o);
            page.estimate[index] += n;
            if (counts)
                counts[index] = n + 1;
            members |= bit;
            oi_each_ref((uint32_t)first, o, subtract, counting);
        }
        oi_rcu_read_unlock();
        oi_scope_section_ended(scope);
        page.bits[(index - 1) / 64].member = members;
        objects += (size_t)__builtin_popcountl(members);
    }
    scope->extents[number].has_members = objects != 0;
    return objects;
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    size_t objects = 0;
    struct counting counting = {.scope = scope};
    oi_tally_begin(&counting.tally, oi_scope_is_small(scope));
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (OI_LIKELY(oi_scope_is_furnished(scope, number)))
            objects += count_page(&counting, number);
    }
    oi_tally_end(&counting.tally, -1);
    oi_estimate_tokens(scope);
    oi_estimate_finish(scope, members);
    return objects;
}
