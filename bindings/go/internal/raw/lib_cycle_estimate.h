/* SPDX-License-Identifier: MIT
 *
 * The first guess of a concurrent collection (docs/design/cycle-collector.md, P1): trial deletion over everything in the scope, without
 * stopping anybody and without trusting what is read. */
#pragma once

#include "lib_cycle_scope.h"

/* Makes members of those objects of the scope that seem to be referred to from members only. Returns the number of objects looked
 * at; *members: of members. */
size_t oi_estimate(struct oi_scope *scope, size_t *members);
