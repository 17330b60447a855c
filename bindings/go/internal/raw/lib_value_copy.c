//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Copies. A deep one is made in two passes: first an empty container for each one that can be reached, then all are filled. So what was
 * shared or cyclic is so in the copy, and keys are complete before anything is looked up by them. */
#include "lib_value_contents.h"
#include "lib_value_worklist.h"

static bool can_be_copied(const struct oi_kind_ops *ops)
{
    return ops && ops->make;
}

ouro_status ouro_copy(ouro_value value, ouro_value *copy)
{
    const struct oi_kind_ops *ops = oi_kind_ops[oi_kind_of(value)];
    struct oi_snapshot contents = {0};
    if (!copy)
        return OURO_E_INVALID;
    *copy = OURO_NIL;
    if (oi_kind_of(value) < OURO_KIND_TUPLE || oi_kind_of(value) == OURO_KIND_SHAPE || (ops && ops->immutable))
        return oi_retain_into(value, copy);
    if (!can_be_copied(ops))
        return OURO_E_TYPE;
    ouro_value made = OURO_NIL;
    ouro_status status = ops->snapshot(value, &contents);
    if (status == OURO_OK)
        status = ops->make(value, contents.count, &made);
    if (status == OURO_OK)
        status = ops->fill(made, contents.items, contents.count);
    oi_snapshot_drop(&contents);
    if (status == OURO_OK)
        *copy = made;
    else
        ouro_value_release(made);
    return status;
}

/* ---- Deep ---- */

/* A container and its copy; and what it contained, which keeps the containers that it was found to lead to. */
struct pair {
    const struct oi_kind_ops *ops;
    struct oi_snapshot contents;
    ouro_value copy;
};

struct walk {
    OI_PILE(struct pair, 4) pairs;
    struct oi_address_map copies; /* container -> its copy, not counted here */
};

/* True if the walk goes into it: not into what is the same in the copy. */
static bool is_entered(ouro_value value)
{
    return can_be_copied(oi_kind_ops[oi_kind_of(value)]) && oi_id_of(value) != OI_OWN_FLAT_TUPLE;
}

static ouro_status enter(struct walk *walk, ouro_value value)
{
    uintptr_t *known = oi_address_map_at(&walk->copies, oi_word(value));
    if (!known || !oi_pile_grow(walk->pairs))
        return OURO_E_NOMEM;
    if (*known)
        return OURO_OK;
    struct pair *pair = &walk->pairs.at[walk->pairs.count];
    *pair = (struct pair){.ops = oi_kind_ops[oi_kind_of(value)]};
    ouro_status status = pair->ops->snapshot(value, &pair->contents);
    if (status != OURO_OK)
        return status;
    walk->pairs.count++;
    status = pair->ops->make(value, pair->contents.count, &pair->copy);
    *known = (uintptr_t)pair->copy;
    return status;
}

/* What the copies have in the place of a value. */
static ouro_value in_copy(const struct walk *walk, ouro_value value)
{
    uintptr_t copy = is_entered(value) ? oi_address_map_get(&walk->copies, oi_word(value)) : 0;
    return copy ? (ouro_value)copy : value;
}

static ouro_status fill(const struct walk *walk, const struct pair *pair)
{
    OI_PILE(ouro_value, 16) items;
    ouro_status status = OURO_OK;
    oi_pile_init(items);
    for (size_t i = 0; i < pair->contents.count && status == OURO_OK; i++) {
        if (!oi_pile_grow(items))
            status = OURO_E_NOMEM;
        else
            items.at[items.count++] = in_copy(walk, pair->contents.items[i]);
    }
    if (status == OURO_OK)
        status = pair->ops->fill(pair->copy, items.at, items.count);
    oi_pile_end(items);
    return status;
}

/* Keys first: what is looked up by its contents must have them. */
static ouro_status fill_all(const struct walk *walk)
{
    ouro_status status = OURO_OK;
    for (int by_key = 0; by_key < 2; by_key++)
        for (size_t i = 0; i < walk->pairs.count && status == OURO_OK; i++)
            if ((walk->pairs.at[i].ops->equality == OI_BY_KEY) == by_key)
                status = fill(walk, &walk->pairs.at[i]);
    return status;
}

static ouro_status enter_all(struct walk *walk, ouro_value value)
{
    ouro_status status = enter(walk, value);
    for (size_t done = 0; done < walk->pairs.count && status == OURO_OK; done++) {
        struct oi_snapshot contents = walk->pairs.at[done].contents; /* the list may move */
        for (size_t i = 0; i < contents.count && status == OURO_OK; i++)
            if (is_entered(contents.items[i]))
                status = enter(walk, contents.items[i]);
    }
    return status;
}

ouro_status ouro_copy_deep(ouro_value value, ouro_value *copy)
{
    struct walk walk;
    if (!copy)
        return OURO_E_INVALID;
    if (!is_entered(value))
        return ouro_copy(value, copy);
    *copy = OURO_NIL;
    oi_pile_init(walk.pairs);
    oi_address_map_init(&walk.copies);
    ouro_status status = enter_all(&walk, value);
    if (status == OURO_OK)
        status = fill_all(&walk);
    if (status == OURO_OK)
        *copy = ouro_value_retain(walk.pairs.at[0].copy);
    for (size_t i = 0; i < walk.pairs.count; i++) {
        ouro_value_release(walk.pairs.at[i].copy);
        oi_snapshot_drop(&walk.pairs.at[i].contents);
    }
    oi_address_map_end(&walk.copies);
    oi_pile_end(walk.pairs);
    return status;
}
