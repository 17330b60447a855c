/* SPDX-License-Identifier: MIT
 *
 * The proof of a concurrent collection (docs/design/cycle-collector.md, P2 to P5): of the members that the estimate left, those stay
 * that nobody can reach, now or ever. */
#pragma once

#include "lib_cycle_scope.h"

struct oi_validation {
    bool unaccounted;  /* some member is referred to from elsewhere */
    bool has_weak;     /* some member may have weak references */
    bool finalizers;   /* some member's finalizer is due */
    bool inner;        /* some member is part of a value (OI_TYPE_INNER) */
    bool special;      /* some member's type has a finalizer, or something to be done with its objects at their end */
    size_t references; /* to all members that are accounted for */
};

/* P2, G1, P3: marks the members, lets a grace period pass, reads their references and counts, and keeps those that are accounted for. */
void oi_validate_counts(struct oi_scope *scope, struct oi_validation *all);

/* G2, P5: keeps those that nobody has touched since. */
void oi_validate_untouched(struct oi_scope *scope);

/* Where weak references lead to members: opens the verdict, and lets a grace period pass; */
void oi_validate_open(void);

/* then repeats P5 and commits. False: a weak reference was followed meanwhile, and the verdict must be opened again. True: from here until
 * oi_reclaim_seal weak references to members read as NULL. */
bool oi_validate_commit(struct oi_scope *scope);

/* Instead of committing: does without the members that have weak references. */
void oi_validate_without_weak(struct oi_scope *scope);

/* Takes a member, if it is one, and what members it refers to, out of the set again, by what was noted of them; and takes their marks away. */
void oi_validate_spare(struct oi_scope *scope, oi_id id);
