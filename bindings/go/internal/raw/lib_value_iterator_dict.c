//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Iterators over dicts and sets. A place is the number of an entry. Entries keep their numbers as long as no key is put in or taken out; if one
 * is, the dict's `changes` say so. */
#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"
#include "lib_value_iterator.h"

/* True if no key has been put in or taken out since the iterator was made; what is under way has not taken place while the number of
 * entries is what it was. Of what was read before: it is as it was then. */
static bool is_unchanged(const struct oi_iterator *iterator, const struct oi_dict *dict)
{
    uint64_t then = iterator->dict.changes, now = oi_load_acquire(&dict->changes); /* [MO-changes] */
    if (OI_LIKELY(now == then))
        return true;
    if (now != then + 1)
        return false;
    oi_perturb();
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t count = store ? oi_shape_count(oi_keyed_shape(store)) : 0;
    return count == iterator->dict.count && oi_load_acquire(&dict->changes) == now;
}

/* In a read section: takes what entries from `at` on have. OI_AGAIN: one of them was on its way out, or its value was. */
static ouro_status take_shared(const struct oi_dict *dict, uint64_t at, struct oi_taken *taken)
{
    size_t used;
    const struct oi_keyed *store = oi_dict_look(dict, &used);
    for (taken->next = at; taken->next < used && taken->count < taken->room; taken->next++) {
        enum oi_probe found = oi_dict_read_entry(store, taken->next, &taken->keys[taken->count], &taken->values[taken->count]);
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
        ouro_value key = oi_word_load(oi_keyed_key(store, taken->next));
        if (key == OI_GONE)
            continue;
        taken->keys[taken->count] = ouro_value_retain(key);
        if (store->stride == 2)
            taken->values[taken->count] = ouro_value_retain(oi_word_load(oi_keyed_value(store, taken->next)));
        taken->count++;
    }
    return taken->count ? OURO_OK : OURO_E_END;
}

static void give_back(const struct oi_dict *dict, struct oi_taken *taken)
{
    ouro_value_release_all(taken->keys, taken->count);
    if (oi_dict_stride(dict) == 2)
        ouro_value_release_all(taken->values, taken->count);
    taken->count = 0;
}

static ouro_status take(const struct oi_iterator *iterator, uint64_t at, struct oi_taken *taken)
{
    const struct oi_dict *dict = oi_dict_of(oi_iterator_source(iterator));
    if (!oi_is_shared(dict))
        return dict->changes == iterator->dict.changes ? take_own(dict, at, taken) : OURO_E_CHANGED;
    for (;;) {
        oi_rcu_read_lock();
        ouro_status status = take_shared(dict, at, taken);
        oi_perturb();
        bool unchanged = is_unchanged(iterator, dict);
        oi_rcu_read_unlock();
        if (unchanged && status != OI_AGAIN)
            return status;
        give_back(dict, taken);
        if (!unchanged)
            return OURO_E_CHANGED;
    }
}

const struct oi_walk oi_walk_dict = {take, true}, oi_walk_set = {take, false};

ouro_status oi_iterate_dict(ouro_value value, const struct oi_walk *walk, ouro_part part, ouro_value *iterator)
{
    struct oi_dict *dict = oi_dict_of(value);
    ouro_status status = oi_may_use(value, "ouro_iterate");
    if (status != OURO_OK)
        return status;
    struct oi_iterator *made = oi_iterator_new(walk, value);
    if (!made)
        return OURO_E_NOMEM;
    made->dict.part = part;
    for (;;) {
        made->dict.changes = oi_load_acquire(&dict->changes); /* [MO-changes] */
        made->dict.count = (uint32_t)oi_dict_count(dict);
        if (oi_load_acquire(&dict->changes) == made->dict.changes)
            break;
    }
    /* What is under way has taken place, or has not: as the number of entries says. */
    *iterator = ouro_value_of(made);
    return OURO_OK;
}
