//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Dicts and sets: searching and reading. */
#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"
#include "lib_value_dict.h"

#define TRIES 32 /* at looking without a turn, while others change the dict */

/* ---- searching ---- */

void oi_search_begin_hashed(struct oi_search *search, ouro_value key, uint32_t hash)
{
    *search = (struct oi_search){.key = key, .hash = hash};
}

ouro_status oi_search_begin(struct oi_search *search, ouro_value key)
{
    uint64_t hash;
    *search = (struct oi_search){.key = key};
    if (OI_LIKELY(oi_key_hash(key, &search->hash)))
        return OURO_OK;
    ouro_status status = ouro_hash(key, &hash);
    search->hash = (uint32_t)hash;
    return status;
}

static void forget(struct oi_search *search)
{
    ouro_value_release(search->asked);
    ouro_release(search->store);
    search->asked = OURO_NIL;
    search->store = NULL;
}

void oi_search_end(struct oi_search *search)
{
    if (OI_UNLIKELY(search->store != NULL))
        forget(search);
}

/* The entry that somebody was asked about is the one, and is still there. */
static bool is_answered(const struct oi_search *search)
{
    return search->equal && oi_word_load(oi_keyed_key(search->store, search->entry)) == search->asked;
}

enum oi_probe oi_search_in(struct oi_search *search, const struct oi_keyed *store)
{
    size_t at = search->hash;
    if (OI_UNLIKELY(search->store != NULL) && search->store == store) {
        if (is_answered(search))
            return OI_FOUND;
        if (search->used == oi_keyed_used(store))
            at = search->at + 1; /* K1 */
    }
    search->used = oi_keyed_used(store);
    enum oi_probe found = oi_keyed_probe(store, search->hash, search->key, oi_match_key, &at, &search->entry);
    search->at = at;
    return found;
}

void oi_search_hold(struct oi_search *search, struct oi_keyed *store, bool own)
{
    ouro_value word = oi_word_load(oi_keyed_key(store, search->entry));
    if (own) {
        search->next = oi_word_hold_own(word);
        search->next_store = ouro_retain(store);
        return;
    }
    search->next = word != OI_GONE && oi_word_try_hold(word) ? word : OURO_NIL;
    search->next_store = oi_try_retain(&store->array.object) ? store : NULL;
}

ouro_status oi_search_ask(struct oi_search *search)
{
    forget(search);
    search->store = search->next_store;
    search->asked = search->next;
    search->equal = false;
    search->next_store = NULL;
    search->next = OURO_NIL;
    ouro_status status = OURO_OK;
    if (search->store && search->asked) /* nil is never asked about */
        status = ouro_key_equal(search->asked, search->key, &search->equal);
    if (!search->store || !search->asked || status != OURO_OK)
        forget(search);
    return status;
}

/* ---- reading ---- */

/* What an entry had, and could not be held, is in the dict all the same: see oi_word_is_finalizing. */
static bool hold_finalizing(const struct oi_dict *dict, const struct oi_keyed *store, size_t entry, const ouro_slot *slot, ouro_value word)
{
    return oi_word_is_finalizing(word) && oi_dict_store(dict) == store && oi_word_load(slot) == word &&
           !oi_shape_is_pending(oi_keyed_shape(store), entry) && !oi_is_dead(&dict->object) && oi_word_hold_finalizing(word);
}

enum oi_probe oi_dict_read(const struct oi_dict *dict, const struct oi_keyed *store, size_t entry, const ouro_slot *slot, ouro_value *word)
{
    oi_perturb();
    if (oi_shape_is_pending(oi_keyed_shape(store), entry))
        return OI_ABSENT;
    oi_perturb();
    ouro_value found = oi_word_load(slot);
    if (found == OI_GONE)
        return OI_ABSENT;
    if (!word)
        return OI_FOUND;
    oi_perturb();
    if (!oi_word_try_hold(found) && !hold_finalizing(dict, store, entry, slot, found))
        return OI_UNSURE; /* it died after it was found */
    *word = found;
    return OI_FOUND;
}

/* Once. OI_AGAIN: somebody is to be asked. */
static ouro_status look_shared(const struct oi_dict *dict, struct oi_search *search, ouro_value *value)
{
    for (;;) {
        struct oi_keyed *store = oi_dict_store(dict);
        oi_perturb();
        enum oi_probe found = store ? oi_search_in(search, store) : OI_ABSENT;
        if (found == OI_UNSURE) {
            oi_search_hold(search, store, false);
            return OI_AGAIN;
        }
        if (found == OI_FOUND)
            found = oi_dict_read(dict, store, search->entry, oi_keyed_value(store, search->entry), value);
        if (found != OI_UNSURE)
            return found == OI_FOUND ? OURO_OK : OURO_E_KEY;
        if (oi_is_dead(&dict->object))
            return OURO_E_USAGE; /* found in a read section */
    }
}

static inline ouro_status look_own(const struct oi_dict *dict, struct oi_search *search, ouro_value *value)
{
    struct oi_keyed *store = oi_dict_store(dict);
    enum oi_probe found = store ? oi_search_in(search, store) : OI_ABSENT;
    if (found == OI_UNSURE)
        oi_search_hold(search, store, true);
    else if (found == OI_FOUND && value)
        *value = ouro_value_retain(oi_word_load(oi_keyed_value(store, search->entry)));
    return found == OI_FOUND ? OURO_OK : found == OI_ABSENT ? OURO_E_KEY : OI_AGAIN;
}

/* As long as it takes; ends the search, which was begun. */
static OI_NOINLINE ouro_status find_slowly(struct oi_dict *dict, struct oi_search *search, ouro_value *value)
{
    ouro_status status = OURO_OK;
    while (OI_LIKELY(status == OURO_OK)) {
        if (oi_is_shared(dict)) {
            oi_rcu_read_lock();
            status = look_shared(dict, search, value);
            oi_rcu_read_unlock();
        } else {
            status = look_own(dict, search, value);
        }
        if (OI_LIKELY(status != OI_AGAIN))
            break;
        status = oi_search_ask(search);
    }
    oi_search_end(search);
    return status;
}

/* Once, nobody being asked. OI_AGAIN: that was not enough. */
static inline ouro_status find_own(const struct oi_dict *dict, ouro_value key, uint32_t hash, ouro_value *value)
{
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t at = hash, entry;
    enum oi_probe found = store ? oi_keyed_probe(store, hash, key, oi_match_key, &at, &entry) : OI_ABSENT;
    if (OI_UNLIKELY(found != OI_FOUND))
        return found == OI_ABSENT ? OURO_E_KEY : OI_AGAIN;
    if (value)
        *value = ouro_value_retain(oi_word_load(oi_keyed_value(store, entry)));
    return OURO_OK;
}

static OI_NOINLINE ouro_status find_shared(const struct oi_dict *dict, ouro_value key, uint32_t hash, ouro_value *value)
{
    oi_rcu_read_lock();
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t at = hash, entry;
    enum oi_probe found = store ? oi_keyed_probe(store, hash, key, oi_match_key, &at, &entry) : OI_ABSENT;
    if (OI_LIKELY(found == OI_FOUND))
        found = oi_dict_read(dict, store, entry, oi_keyed_value(store, entry), value);
    oi_rcu_read_unlock();
    return found == OI_FOUND ? OURO_OK : found == OI_ABSENT ? OURO_E_KEY : OI_AGAIN;
}

ouro_status oi_dict_find(struct oi_dict *dict, ouro_value key, ouro_value *value)
{
    uint32_t hash;
    ouro_status status = OI_AGAIN;
    if (OI_LIKELY(oi_key_hash(key, &hash)))
        status = oi_is_shared(dict) ? find_shared(dict, key, hash, value) : find_own(dict, key, hash, value);
    if (OI_LIKELY(status != OI_AGAIN))
        return status;
    struct oi_search search;
    status = oi_search_begin(&search, key);
    return status == OURO_OK ? find_slowly(dict, &search, value) : status;
}

ouro_status oi_dict_find_hashed(struct oi_dict *dict, ouro_value key, uint32_t hash, ouro_value *value)
{
    struct oi_search search;
    ouro_status status = find_shared(dict, key, hash, value);
    if (OI_LIKELY(status != OI_AGAIN))
        return status;
    oi_search_begin_hashed(&search, key, hash);
    return find_slowly(dict, &search, value);
}

/* ---- all entries ---- */

static size_t count_of(const struct oi_keyed *store)
{
    return store ? oi_shape_count(oi_keyed_shape(store)) : 0;
}

size_t oi_dict_count(const struct oi_dict *dict)
{
    if (!oi_is_shared(dict))
        return count_of(oi_dict_store(dict));
    oi_rcu_read_lock();
    size_t count = count_of(oi_dict_store(dict));
    oi_rcu_read_unlock();
    return count;
}

uint64_t oi_dict_version(const struct oi_dict *dict)
{
    for (;;) {
        uint64_t now = oi_load_acquire(&dict->changes); /* [MO-changes] */
        if (OI_LIKELY(!(now & 1)))
            return now;
        oi_perturb();
        size_t count = count_of(oi_dict_store(dict));
        oi_perturb();
        bool done = oi_load_acquire(&dict->before) != count; /* the effect has changed it; acquire: before the next */
        if (oi_load_acquire(&dict->changes) == now)
            return done ? now + 1 : now - 1;
    }
}

void oi_dict_repair(struct oi_dict *dict)
{
    if (dict->changes & 1)
        oi_store_release(&dict->changes, oi_dict_version(dict)); /* [MO-changes] */
}

/* Of a private dict, or in a turn. *whole: how many words there are. */
static void read_own(const struct oi_dict *dict, oi_word_array *words, size_t room, size_t *whole)
{
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t used = store ? oi_keyed_used(store) : 0, stride = store ? store->stride : 1, n = 0;
    *whole = count_of(store) * stride;
    if (*whole > room)
        return;
    for (size_t entry = 0; entry < used; entry++) {
        if (oi_word_load(oi_keyed_key(store, entry)) == OI_GONE)
            continue;
        for (size_t i = 0; i < stride; i++)
            words[n++] = oi_word_hold_own(oi_word_load(oi_keyed_key(store, entry) + i));
    }
}

enum oi_probe oi_dict_read_entry(const struct oi_dict *dict, const struct oi_keyed *store, size_t entry, ouro_part part, ouro_value *first,
                                 ouro_value *second)
{
    const ouro_slot *key = oi_keyed_key(store, entry), *value = oi_keyed_value(store, entry);
    *first = *second = OURO_NIL;
    if (oi_word_load(key) == OI_GONE)
        return OI_ABSENT;
    if (part != OURO_ITEMS)
        return oi_dict_read(dict, store, entry, part == OURO_KEYS ? key : value, first);
    enum oi_probe found = oi_dict_read(dict, store, entry, value, second);
    if (found != OI_FOUND)
        return found;
    oi_perturb();
    ouro_value word = oi_word_load(key); /* there as long as the value is */
    if (word == OI_GONE || (!oi_word_try_hold(word) && !hold_finalizing(dict, store, entry, key, word)))
        return OI_UNSURE;
    *first = word;
    return OI_FOUND;
}

const struct oi_keyed *oi_dict_look(const struct oi_dict *dict, size_t *used)
{
    for (;;) {
        const struct oi_keyed *store = oi_dict_store(dict);
        oi_perturb();
        *used = store ? oi_keyed_used(store) : 0;
        if (*used || store == oi_dict_store(dict))
            return store;
    }
}

/* One look without a turn (turn.h, T1). OURO_E_CHANGED: the dict was changed meanwhile. *held: how many references it has taken, in any case. If
 * room is not enough, it takes none. */
static ouro_status try_read(const struct oi_dict *dict, oi_word_array *words, size_t room, size_t *whole, size_t *held)
{
    size_t used;
    uint64_t version = oi_turn_version(&dict->turn);
    const struct oi_keyed *store = oi_dict_look(dict, &used);
    *whole = used * (store ? store->stride : 1); /* or fewer */
    if (*whole > room)
        return OURO_OK;
    for (size_t entry = 0; entry < used; entry++) {
        ouro_value key, value;
        enum oi_probe found = oi_dict_read_entry(dict, store, entry, store->stride == 2 ? OURO_ITEMS : OURO_KEYS, &key, &value);
        if (found == OI_ABSENT)
            continue;
        words[(*held)++] = key;
        if (store->stride == 2)
            words[(*held)++] = value;
        if (found == OI_UNSURE)
            return OURO_E_CHANGED;
    }
    *whole = *held;
    return oi_turn_version(&dict->turn) == version ? OURO_OK : OURO_E_CHANGED;
}

static ouro_status read_all(struct oi_dict *dict, oi_word_array *words, size_t room, size_t *whole)
{
    for (int n = 0; n < TRIES && oi_is_shared(dict); n++) {
        size_t held = 0;
        oi_rcu_read_lock();
        ouro_status status = try_read(dict, words, room, whole, &held);
        oi_rcu_read_unlock();
        if (status != OURO_E_CHANGED)
            return status;
        while (held)
            ouro_value_release(words[--held]);
        if (oi_is_dead(&dict->object))
            return OURO_E_USAGE;
    }
    bool shared = oi_dict_begin(dict);
    read_own(dict, words, room, whole);
    oi_dict_end_unchanged(dict, shared);
    return OURO_OK;
}

ouro_status oi_dict_snapshot(struct oi_dict *dict, struct oi_snapshot *snapshot)
{
    size_t whole = oi_dict_count(dict) * 2;
    for (;;) {
        if (!oi_snapshot_reserve(snapshot, whole))
            return OURO_E_NOMEM;
        size_t room = snapshot->count;
        ouro_status status = read_all(dict, snapshot->owned, room, &whole);
        snapshot->count = status == OURO_OK && whole <= room ? whole : 0;
        if (status == OURO_OK && whole <= room)
            return OURO_OK;
        oi_snapshot_drop(snapshot);
        *snapshot = (struct oi_snapshot){0};
        if (status != OURO_OK)
            return status;
    }
}
