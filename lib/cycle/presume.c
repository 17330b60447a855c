/* SPDX-License-Identifier: MIT */
#include "cycle/presume.h"

#include <string.h>

#include "cycle/mark.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */
#define MORE 2             /* times as many objects as the last one looked at */
#define WRONG_MAX 4        /* each time that it was wrong, twice as many collections must find so, up to 2 to the power of this */

/* Debug builds presume wherever something was garbage, so that tests do. */
size_t oi_presume_share = OURO_DEBUG ? 1 : 16;
unsigned oi_presume_after = OURO_DEBUG ? 1 : 4;
size_t oi_presumed;

/* What the last collections of a generation have found. */
static struct record {
    unsigned in_a_row; /* so many of them: nearly all was garbage */
    unsigned wrong;    /* so much more often it was presumed and not so than presumed and so */
    size_t objects;    /* that the last one looked at */
} records[2]; /* [1]: of generation 2 */

void oi_presume_forget(void)
{
    memset(records, 0, sizeof records);
}

static struct record *record_of(const struct oi_scope *scope)
{
    return &records[scope->keeps_counts];
}

void oi_presume_learn(const struct oi_scope *scope, size_t objects, size_t garbage)
{
    struct record *record = record_of(scope);
    bool nearly_all = (objects - garbage) * oi_presume_share < objects;
    if (!objects)
        return; /* that says nothing */
    if (scope->is_marked)
        record->wrong = nearly_all ? record->wrong - !!record->wrong : record->wrong + (record->wrong < WRONG_MAX);
    record->in_a_row = nearly_all ? record->in_a_row + 1 : 0;
    record->objects = objects;
}

bool oi_presume_is_due(const struct oi_scope *scope)
{
    const struct record *record = record_of(scope);
    if (!oi_presume_share || record->in_a_row < oi_presume_after << record->wrong)
        return false;
    size_t blocks = 0;
    for (uint32_t i = 0; i < scope->count; i++)
        blocks += oi_load_relaxed(&scope->pinned[i]->used);
    return blocks && blocks <= MORE * record->objects;
}

static size_t presume_page(struct oi_scope *scope, uint32_t number)
{
    const struct oi_scope_page page = scope->pages[number];
    const uint32_t carved = scope->extents[number].carved;
    const size_t size = (size_t)page.words * 8;
    size_t objects = 0;
    char *at = page.base;
    for (uint32_t index = 0; index < carved;) {
        uint32_t end = index + SECTION_BLOCKS < carved ? index + SECTION_BLOCKS : carved;
        uint64_t members = 0;
        oi_rcu_read_lock();
        for (uint64_t bit = 1; index < end; index++, bit <<= 1, at += size) {
            ouro_object *o = (ouro_object *)at;
            __builtin_prefetch(at + OI_SCOPE_AHEAD * size); /* or what is behind the page. Not for writing: some are other threads' own */
            uint64_t first;
            if (!oi_scope_look(o, &first))
                continue;
            members |= bit;
            oi_mark(o, first);
        }
        oi_rcu_read_unlock();
        oi_scope_section_ended(scope);
        page.bits[(index - 1) / 64].member = members;
        objects += (size_t)__builtin_popcountl(members);
    }
    scope->extents[number].has_members = objects != 0;
    return objects;
}

size_t oi_presume(struct oi_scope *scope)
{
    size_t objects = 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (OI_LIKELY(oi_scope_is_furnished(scope, number)))
            objects += presume_page(scope, number);
    }
    scope->is_marked = true;
    oi_owner_add(&oi_presumed, 1);
    return objects;
}
