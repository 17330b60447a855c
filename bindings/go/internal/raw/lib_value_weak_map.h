/* SPDX-License-Identifier: MIT
 *
 * Weak maps and weak sets (docs/design/containers.md): dicts and sets with weak references, called weak entries, in the place of keys or values, or
 * of both. They are shared from birth, and so is what is put into them, for what they do not hold may die on any thread.
 *
 *     map ──▶ store ──▶ weak entry ──▶ anchor ┄┄▶ key         counted: ──▶
 *      └──▶ anchor ◀─────────┘  (the map's: ┄┄▶ map)
 *
 * W4  A weak entry is in one entry of one store at most, once, and knows that entry's hash. When its target dies, its callback, on the thread that
 *     weak callbacks run on, takes this entry out, if it is there; in a turn, as any writer.
 * W5  What is dead is not in the map: whoever finds it treats it as absent. So a death takes effect at one moment, that of the target; what
 *     the callback does later changes nothing but the length. But a dead value that was found may have left its entry before it died: it is
 *     absent if it is found there once more. (A dead key leaves its entry to nobody, and its look-up's caller holds a key.)
 *     A value in a shared garbage cycle reads as dead for a moment and may then be had again, while its finalizer is due. A look-up in
 *     that moment misses it, and leaves the entry as it is, for readers never wait for a turn; who takes its key out takes the entry out. */
#pragma once

#include "lib_object_weak.h"
#include "lib_value_dict.h"

struct oi_weak_map {
    struct oi_dict dict;
    struct oi_anchor *self; /* held; this and the next: immutable */
    unsigned flags;         /* OURO_WEAK_KEYS, OURO_WEAK_VALUES */
};

bool oi_weak_map_init(void);

/* The target of what may be a weak entry, in exchange for it; OI_GONE: it is dead. Any other word: itself. */
ouro_value oi_weak_resolve(ouro_value word);
