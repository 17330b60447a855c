/* SPDX-License-Identifier: MIT
 *
 * What a collection of generation 2 looks at (docs/design/candidates.md): everything, or, when what has changed since the last one is known, only
 * what can have become garbage by it, and what that reaches.
 *
 *     candidates   objects with hints (object/hint.h), those on pages where something was published, and roots of which
 *                  references have been dropped
 *     root         an object that a collection has found to have references from elsewhere; remembered in its segment, with its count
 *
 * Under the collection lock. */
#pragma once

#include "cycle/scope.h"

/* P1 of a collection of generation 2, in an open scope: takes the hints, and if what has changed is known and little, furnishes what is to be looked at and
 * estimates it; *objects: the number of objects looked at; *members: of members. False: all pages are furnished, and everything is to be looked at. */
bool oi_candidates_follow(struct oi_scope *scope, size_t *objects, size_t *members);

/* At its end, before it leaves its scope: remembers the roots among what it has looked at. */
void oi_candidates_remember(struct oi_scope *scope);

/* Nothing is lost so far that the next collection needs in order to follow candidates. A moment's reading. */
bool oi_candidates_are_known(void);

/* Calls fn for each root of which references have been dropped since it was remembered; in read sections. For checks. */
void oi_candidates_each_fallen_root(struct oi_scope *scope, void (*fn)(struct oi_scope *scope, oi_id id));

/* The next collection looks at everything. */
void oi_candidates_forget(void);

/* Candidates, and what they reach, may be one in so many of all objects; else everything is looked at. 0: it is in any case. */
extern size_t oi_candidates_share;

extern size_t oi_candidates_followed; /* collections that have looked at no more; for tests */
