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
        enum oi_probe found = oi_dict_read_entry(dict, store, taken->next, taken->part, &taken->items[n], &taken->seconds[n]);
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

/* ---- weak maps and sets: what is dead is passed over, and not counted as taken out ---- */

/* Of one entry, in exchange for its words, what lives; false: nothing, it is dead. */
static bool resolve(ouro_value *key, ouro_value *value)
{
    *key = oi_weak_resolve(*key);
    *value = oi_weak_resolve(*value);
    if (*key != OI_GONE && *value != OI_GONE)
        return true;
    ouro_value_release(*key == OI_GONE ? OURO_NIL : *key);
    ouro_value_release(*value == OI_GONE ? OURO_NIL : *value);
    return false;
}

/* Keys do not come to life again in their entries; so many can be looked at. */
static ouro_status take_by_weak_keys(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    for (;;) {
        ouro_status status = take(iterator, at, taken);
        if (status != OURO_OK)
            return status;
        size_t living = 0;
        for (size_t i = 0; i < taken->count; i++) {
            ouro_value key = taken->items[i], value = taken->part == OURO_ITEMS ? taken->seconds[i] : OURO_NIL;
            if (resolve(&key, &value)) {
                taken->items[living] = key;
                taken->seconds[living++] = value;
            }
        }
        taken->count = living;
        if (living)
            return OURO_OK;
        at = taken->next;
    }
}

/* Dead values may have been replaced before they died: what is dead is met twice before it is passed over (W5). */
static ouro_status take_by_weak_values(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    ouro_value dead = OURO_NIL;
    ouro_status status;
    taken->room = 1;
    while ((status = take(iterator, at, taken)) == OURO_OK) {
        ouro_value word = ouro_value_retain(taken->seconds[0]);
        taken->count = 0;
        if (resolve(&taken->items[0], &taken->seconds[0])) {
            ouro_value_release(word);
            taken->count = 1;
            break;
        }
        if (word == dead)
            at = taken->next;
        ouro_value_release(dead);
        dead = word;
    }
    ouro_value_release(dead);
    return status;
}

/* Both sides are looked at, for an entry is dead if one of them is; then one is given back if only the other is wanted. */
static ouro_status take_from_weak_map(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    const struct oi_weak_map *map = oi_word(oi_iterator_source(iterator));
    ouro_part part = taken->part;
    taken->part = OURO_ITEMS;
    ouro_status status = map->flags & OURO_WEAK_VALUES ? take_by_weak_values(iterator, at, taken) : take_by_weak_keys(iterator, at, taken);
    if (status == OURO_OK && part != OURO_ITEMS) {
        for (size_t i = 0; i < taken->count; i++) {
            ouro_value key = taken->items[i], value = taken->seconds[i];
            taken->items[i] = part == OURO_KEYS ? key : value;
            ouro_value_release(part == OURO_KEYS ? value : key);
        }
    }
    taken->part = part;
    return status;
}

static const struct oi_walk walk_dict = {take, true}, walk_set = {take, false}, walk_weak_map = {take_from_weak_map, true},
                            walk_weak_set = {take_by_weak_keys, false};

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
