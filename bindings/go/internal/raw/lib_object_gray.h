/* SPDX-License-Identifier: MIT
 *
 * A worklist of private objects that needs no memory: each page chains its own gray objects through their `shared` words, which
 * nobody else reads while an object is private, and the pages with gray objects are chained through their headers. One such list per
 * slot at a time: publication and the young collection use it, never both at once.
 *
 * While an object is on it, its `shared` has the top bit set, and is not OI_GRAY_DONE. */
#pragma once

#include "lib_object_act.h"

#define OI_GRAY 0x80000000u
#define OI_GRAY_DONE 0xffffffffu

static inline void oi_gray_push(struct oi_local *self, ouro_object *o)
{
    struct oi_page *page = oi_page_of(o);
    oi_set_shared(o, OI_GRAY | page->gray);
    if (!page->gray) {
        page->gray_next = self->gray;
        self->gray = page;
    }
    page->gray = oi_page_position(page, o);
}

/* The caller decides what `shared` becomes. NULL: empty. */
static inline ouro_object *oi_gray_pop(struct oi_local *self)
{
    struct oi_page *page = self->gray;
    if (!page)
        return NULL;
    ouro_object *o = oi_page_at(page, page->gray);
    page->gray = oi_shared(o) & ~OI_GRAY;
    if (!page->gray)
        self->gray = page->gray_next;
    return o;
}
