//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Iterators over dicts and sets, and their weak kin. A place is the number of an entry. Entries keep their numbers as long as no key is put in or
 * taken out; if one is, the dict's version says so.
 *
 * I2  What was read is read before the version is, and the version is that of one moment. So if it still is what it was when the iterator was
 *     made, the dict had the same keys all the time from then until that moment, and the entries read are entries of that version. */
#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"
#include "lib_value_iterator.h"
#include "lib_value_weak_map.h"

/* In a read section: takes what entries from `at` on have. OI_AGAIN: one of them was on its way out, or its value was. */
static ouro_status take_shared(const struct oi_dict *dict, uint64_t at, struct oi_taken *taken)
{
    size_t used;
    const struct oi_keyed *store = oi_dict_look(dict, &used);
    for (taken->next = at; taken->next < used && taken->count < taken->room; taken->next++) {
        size_t n = taken->count;
        enum oi_probe found = oi_dict_read_entry(store, taken->next, taken->part, &taken->items[n], &taken->seconds[n]);
        taken->count += found != OI_ABSENT;
        if (found == OI_UNSURE)
            return OI_AGAIN;
    }
    return taken->count ? OURO_OK : OURO_E_END;
}

static ouro_status take_own(const struct oi_dict *dict, uint64_t at, struct oi_taken *taken)
{
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t used = store ? oi_keyed_used(store) : 0;
    for (taken->next = at; taken->next < used && taken->count < taken->room; taken->next++) {
        ouro_value key = oi_word_load(oi_keyed_key(store, taken->next)), value = oi_word_load(oi_keyed_value(store, taken->next));
        if (key == OI_GONE)
            continue;
        taken->items[taken->count] = ouro_value_retain(taken->part == OURO_VALUES ? value : key);
        if (taken->part == OURO_ITEMS)
            taken->seconds[taken->count] = ouro_value_retain(value);
        taken->count++;
    }
    return taken->count ? OURO_OK : OURO_E_END;
}

static ouro_status take(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    const struct oi_dict *dict = oi_dict_of(oi_iterator_source(iterator));
    if (!oi_is_shared(dict))
        return dict->changes == iterator->dict.version ? take_own(dict, at, taken) : OURO_E_CHANGED;
    for (;;) {
        oi_rcu_read_lock();
        ouro_status status = take_shared(dict, at, taken);
        oi_perturb();
        bool unchanged = oi_dict_version(dict) == iterator->dict.version; /* I2 */
        oi_rcu_read_unlock();
        if (unchanged && status != OI_AGAIN)
            return status;
        oi_taken_drop(taken);
        if (!unchanged)
            return OURO_E_CHANGED;
    }
}

/* Of a weak map or set: what is dead is passed over, and not counted as taken out. */
static ouro_status take_living(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    for (;;) {
        ouro_status status = take(iterator, at, taken);
        if (status != OURO_OK)
            return status;
        size_t living = 0, count = taken->count;
        for (size_t i = 0; i < count; i++) {
            ouro_value item = oi_weak_resolve(taken->items[i]), second = OURO_NIL;
            if (taken->part == OURO_ITEMS)
                second = oi_weak_resolve(taken->seconds[i]);
            bool dead = item == OI_GONE || second == OI_GONE;
            if (dead) {
                ouro_value_release(item == OI_GONE ? OURO_NIL : item);
                ouro_value_release(second == OI_GONE ? OURO_NIL : second);
                continue;
            }
            taken->items[living] = item;
            taken->seconds[living++] = second;
        }
        taken->count = living;
        if (living)
            return OURO_OK;
        at = taken->next;
    }
}

static const struct oi_walk walk_dict = {take, true}, walk_set = {take, false}, walk_weak_map = {take_living, true},
                            walk_weak_set = {take_living, false};

static const struct oi_walk *walk_over(ouro_kind kind)
{
    switch (kind) {
    case OURO_KIND_DICT:
        return &walk_dict;
    case OURO_KIND_SET:
        return &walk_set;
    case OURO_KIND_WEAK_MAP:
        return &walk_weak_map;
    default:
        return &walk_weak_set;
    }
}

ouro_status oi_iterate_dict(ouro_value value, ouro_part part, ouro_value *iterator)
{
    ouro_status status = oi_may_use(value, "ouro_iterate");
    if (status != OURO_OK)
        return status;
    struct oi_iterator *made = oi_iterator_new(walk_over(oi_kind_of(value)), value);
    if (!made)
        return OURO_E_NOMEM;
    made->dict.part = part;
    oi_rcu_read_lock();
    made->dict.version = oi_dict_version(oi_dict_of(value));
    oi_rcu_read_unlock();
    *iterator = ouro_value_of(made);
    return OURO_OK;
}
