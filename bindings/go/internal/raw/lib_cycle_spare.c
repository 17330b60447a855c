//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * The second half of the guess: what is reachable from elsewhere is no member. */
#include "lib_cycle_estimate.h"
#include "lib_cycle_trace.h"
#include "lib_object_inbox.h"
#include "lib_port_perturb.h"

#define SECTION_BLOCKS 64u /* looked at in one read section */

static OI_ALWAYS_INLINE void reach(ouro_object *child, void *arg)
{
    struct oi_trace *tracing = arg;
    struct oi_spot spot = oi_scope_locate(tracing->scope, child);
    if (spot.number)
        oi_trace_reach(tracing, spot.number, spot.index);
}

/* Objects are fetched from memory a few steps before their turn. */
#define AHEAD 8u

struct reading {
    struct oi_trace *tracing;
    ouro_object *ahead[AHEAD];
    uint32_t fetched, done; /* of these, fetched - done are ahead */
};

static OI_ALWAYS_INLINE void follow_next(struct reading *reading)
{
    ouro_object *o = reading->ahead[reading->done % AHEAD];
    if (oi_scope_may_look(o))
        oi_each_ref(oi_type_word(o), o, reach, reading->tracing);
    if (++reading->done % SECTION_BLOCKS == 0) {
        oi_rcu_read_unlock();
        oi_scope_section_ended(reading->tracing->scope);
        oi_perturb();
        oi_rcu_read_lock();
    }
}

static OI_ALWAYS_INLINE void fetch(struct reading *reading, ouro_object *o)
{
    if (reading->fetched - reading->done == AHEAD)
        follow_next(reading);
    reading->ahead[reading->fetched++ % AHEAD] = o;
    __builtin_prefetch(o);
    __builtin_prefetch((ouro_slot *)(o + 1) + 1); /* the first slots */
}

static void follow_words(struct reading *reading, const struct oi_scope_page *page, uint32_t first, uint32_t last)
{
    for (uint32_t word = first; word <= last; word++) {
        uint64_t *gray = &page->bits[word].gray;
        for (uint64_t bits; (bits = *gray) != 0;) {
            ouro_object *o = oi_scope_at(page, word * 64 + (uint32_t)__builtin_ctzl(bits));
            *gray = bits & (bits - 1);
            fetch(reading, o);
        }
    }
    while (reading->done != reading->fetched)
        follow_next(reading);
}

static void follow_page(struct oi_trace *tracing, uint32_t number)
{
    const struct oi_scope_page *page = &tracing->scope->pages[number];
    struct reading reading = {.tracing = tracing};
    uint32_t first, last;
    oi_trace_begin_page(tracing, number);
    oi_rcu_read_lock();
    while (oi_trace_next_round(tracing, &first, &last))
        follow_words(&reading, page, first, last);
    oi_rcu_read_unlock();
    oi_trace_end_page(tracing);
}

/* Those with references from elsewhere. */
static void spare_referred(struct oi_trace *tracing, uint32_t number)
{
    struct oi_scope_page *page = &tracing->scope->pages[number];
    for (uint32_t word = 0; word * 64 < tracing->scope->extents[number].carved; word++) {
        struct oi_scope_bits *bits = &page->bits[word];
        for (uint64_t left = bits->member; left; left &= left - 1) {
            if (page->estimate[word * 64 + (uint32_t)__builtin_ctzl(left)] > 0)
                bits->gray |= left & -left;
        }
        bits->member &= ~bits->gray;
        if (bits->gray)
            oi_trace_enqueue(tracing, number);
    }
}

void oi_estimate_finish(struct oi_scope *scope, size_t *members)
{
    struct oi_trace tracing = {.scope = scope};
    for (uint32_t number = 1; number <= scope->count; number++) {
        if (scope->extents[number].has_members)
            spare_referred(&tracing, number);
    }
    for (uint32_t number; (number = oi_trace_dequeue(&tracing)) != 0;)
        follow_page(&tracing, number);
    *members = oi_scope_count_members(scope);
}

void oi_estimate_tokens(struct oi_scope *scope)
{
    for (const struct oi_stack_node *node = scope->tokens; node; node = node->next) {
        oi_id id = oi_scope_find(scope, oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node)));
        if (id)
            --*oi_scope_estimate(scope, id);
    }
}
