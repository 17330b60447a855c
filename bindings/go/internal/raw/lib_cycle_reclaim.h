/* SPDX-License-Identifier: MIT
 *
 * The end of a concurrent collection (docs/design/cycle-collector.md, P5 and P6): finalizers are made due, and what remains is
 * destroyed as a whole. */
#pragma once

#include "lib_cycle_validate.h"

/* Takes the members whose finalizer is due, and all they reach, out of the set. Each gets a reference that waits for its finalizer, as a token on
 * *due. Without memory for that, it stays for the next collection. Returns how many there are. */
size_t oi_reclaim_set_aside(struct oi_act *act, struct oi_scope *scope, struct oi_stack_node **due);

/* The same for every member, as garbage to be looked at (OURO_GC_DEBUG_SAVEALL): the tokens go on *saved. */
size_t oi_reclaim_save_all(struct oi_act *act, struct oi_scope *scope, struct oi_stack_node **saved);

/* Makes the members DEAD, all of them before anybody sees it of one: weak references read as NULL afterwards. Their callbacks become due in act. has_weak:
 * there may be such references. */
void oi_reclaim_seal(struct oi_act *act, struct oi_scope *scope, bool has_weak);

/* The scope's tokens: those of members go with them, the others are released. */
void oi_reclaim_tokens(struct oi_act *act, struct oi_scope *scope);

/* Drops the references that lead out of the set, and frees the members. What dies by it is destroyed too, but for what has a finalizer. Returns
 * the number of members freed; adds up their bytes. */
size_t oi_reclaim_free(struct oi_act *act, struct oi_scope *scope, const struct oi_validation *all, size_t *bytes);
