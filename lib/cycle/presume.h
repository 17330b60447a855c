/* SPDX-License-Identifier: MIT
 *
 * Where the last collections that looked at all of their pages have found nearly everything there to be garbage, the next one of that generation
 * does without an estimate: it presumes that everything is, and marks each object when it first looks at it, P1 and P2 in one
 * (docs/design/cycle-collector.md). The proof that follows holds for any set of members, and drops what is alive. A wrong presumption costs
 * time: what is alive is dropped one by one, leaves a hint each, and has a mark for a while, which who counts it stops for. Therefore none
 * covers much more than the collection before it, and one that has turned out wrong makes the next rarer.
 *
 * Under the collection lock. */
#pragma once

#include "cycle/scope.h"

/* True if a collection of this scope should presume. Its pages have tables, as far as there is memory for them. */
bool oi_presume_is_due(const struct oi_scope *scope);

/* Makes members of all objects, and marks them. Returns their number. */
size_t oi_presume(struct oi_scope *scope);

/* What a collection that has looked at everything on the scope's pages has found, presuming or not. */
void oi_presume_learn(const struct oi_scope *scope, size_t objects, size_t garbage);

/* Nothing is known of what collections find. */
void oi_presume_forget(void);

/* It is presumed after oi_presume_after collections in a row in each of which fewer than one object in oi_presume_share was alive (0: never), twice as many
 * for each time that it was wrong of late. */
extern size_t oi_presume_share;
extern unsigned oi_presume_after;

extern size_t oi_presumed; /* atomic: collections that did; for tests */
