/* SPDX-License-Identifier: MIT
 *
 * A concurrent collection step by step, for unit tests: each phase when the test says so, by the test's own thread, which changes
 * objects in between as any thread might. Sees private headers. */
#ifndef TESTS_SUPPORT_COLLECTION_H
#define TESTS_SUPPORT_COLLECTION_H

#include <ouro/ouro.h>

#include "cycle/candidates.h"
#include "cycle/estimate.h"
#include "cycle/reclaim.h"
#include "cycle/validate.h"
#include "object/weak.h"

struct collection {
    struct oi_scope *scope;
    size_t candidates, suspects;
    struct oi_validation validation;
    struct oi_act act; /* the collecting thread's */
};

/* P0. Everything that follows is done parked, as the library does it; what the test does in between may end that. */
static inline struct collection collection_enter(int generation)
{
    ouro_blocking_begin();
    oi_candidates_forget(); /* this one takes no hints */
    return (struct collection){.scope = oi_scope_enter(generation), .act = {.self = &oi_nobody, .reading = 1}};
}

/* P0 and P1. */
static inline struct collection collection_begin(int generation)
{
    struct collection c = collection_enter(generation);
    c.candidates = oi_estimate(c.scope, &c.suspects);
    return c;
}

static inline bool is_member(const struct collection *c, const void *object)
{
    oi_id id = oi_scope_find(c->scope, object);
    return id && oi_scope_is_member(c->scope, id);
}

static inline bool is_marked(const void *object)
{
    return oi_owner((const ouro_object *)object) & OI_CAND;
}

/* A guess, and perhaps a wrong one: validation must not mind. */
static inline void make_member(struct collection *c, const void *object)
{
    oi_id id = oi_scope_find(c->scope, object);
    uint32_t index = oi_scope_index(id);
    oi_scope_page_of(c->scope, id)->bits[index / 64].member |= (uint64_t)1 << index % 64;
    c->scope->extents[id >> OI_SCOPE_INDEX_BITS].has_members = true;
}

static inline void collection_counts(struct collection *c)
{
    ouro_blocking_begin();
    oi_validate_counts(c->scope, &c->validation);
}

static inline void collection_untouched(struct collection *c)
{
    ouro_blocking_begin();
    oi_validate_untouched(c->scope);
}

/* All that is left is garbage: P6. Returns how many members were freed. */
static inline size_t collection_reclaim(struct collection *c)
{
    ouro_blocking_begin();
    oi_reclaim_seal(&c->act, c->scope, true);
    size_t bytes = 0;
    return oi_reclaim_free(&c->act, c->scope, &c->validation, &bytes);
}

static inline void collection_spare_one(struct oi_scope *scope, struct oi_member member, void *unused)
{
    (void)unused;
    oi_validate_spare(scope, oi_member_id(member));
}

/* P7. Members that are left are spared: no mark stays. */
static inline void collection_leave(struct collection *c)
{
    oi_scope_each_member(c->scope, collection_spare_one, NULL);
    oi_scope_leave(c->scope);
    ouro_blocking_end();
}

#endif
