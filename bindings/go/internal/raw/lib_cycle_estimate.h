/* SPDX-License-Identifier: MIT
 *
 * The first guess of a concurrent collection (docs/design/cycle-collector.md, P1): trial deletion over everything in the scope, without
 * stopping anybody and without trusting what is read. */
#pragma once

#include "lib_cycle_scope.h"

/* Makes members of those objects of the scope that seem to be referred to from members only. Returns the number of objects looked
 * at; *members: of members. */
size_t oi_estimate(struct oi_scope *scope, size_t *members);

/* Its parts, for who has chosen the objects otherwise (cycle/candidates.h). */

#define OI_ENOUGH (INT32_MAX / 4) /* as many references as matter */

/* References to an object whose `shared` was s, as a moment's reading has it. */
static inline int32_t oi_estimate_references_by(uint32_t s, const ouro_object *o)
{
    if (s & OI_STUCK)
        return OI_ENOUGH;
    int64_t n = oi_references(s, o);
    return n < OI_ENOUGH ? (int32_t)n : OI_ENOUGH;
}

static inline int32_t oi_estimate_references(const ouro_object *o)
{
    return oi_estimate_references_by(oi_shared(o), o);
}

/* The scope's tokens count as references from members. */
void oi_estimate_tokens(struct oi_scope *scope);

/* Every object in question is a member, and counted: those reachable from elsewhere are none. */
void oi_estimate_finish(struct oi_scope *scope, size_t *members);
