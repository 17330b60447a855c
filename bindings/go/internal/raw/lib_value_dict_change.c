//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Dicts and sets: changing one entry. */
#include "lib_port_perturb.h"
#include "lib_value_dict.h"

#define LARGE 64u /* a store with more room than that is dropped when its last entry is */

/* What is left when the turn is over, to be released then. */
struct leftovers {
    struct oi_keyed *fresh; /* memory for the dict, not used yet */
    struct oi_keyed *old;   /* its former store */
    ouro_value key, value;  /* references that were in it */
};

/* ---- in a turn ---- */

static bool has_room(const struct oi_keyed *store)
{
    return store && oi_keyed_used(store) < store->room;
}

static bool is_fit(const struct oi_keyed *fresh, const struct oi_keyed *store)
{
    return fresh && fresh->room > (store ? oi_shape_count(store->shape) : 0);
}

/* What is stored for the key. */
static inline ouro_value word_of(const struct oi_change *change)
{
    return OI_UNLIKELY(change->stored != OURO_NIL) ? change->stored : change->key;
}

/* To a new store, with all entries of the old one: the store's coming is the effect. */
static void put_by_move(struct oi_dict *dict, const struct oi_change *change, uint32_t hash, struct leftovers *left)
{
    struct oi_keyed *from = oi_dict_store(dict), *to = left->fresh;
    size_t n = from ? oi_keyed_copy(to, from) : 0;
    oi_keyed_add(to, n, word_of(change), change->value, hash);
    oi_store_move(&dict->object, &dict->store, from ? &from->array : NULL, &to->array, (n + 1) * to->stride);
    left->fresh = NULL;
    left->old = from;
}

static inline void put_in(struct oi_dict *dict, bool shared, const struct oi_change *change, uint32_t hash, size_t at, struct leftovers *left)
{
    struct oi_keyed *store = oi_dict_store(dict);
    oi_word_retain(word_of(change), shared);
    oi_word_retain(change->value, shared); /* nil, of stride 1 */
    oi_perturb();
    oi_dict_changes_begin(dict, shared);
    if (has_room(store))
        oi_keyed_put(store, shared, word_of(change), change->value, hash, at);
    else
        put_by_move(dict, change, hash, left);
    oi_turn_done();
    oi_word_hint(word_of(change), shared);
    oi_word_hint(change->value, shared);
    oi_dict_changes_end(dict, shared);
}

static void replace(struct oi_dict *dict, bool shared, struct oi_change *change, size_t entry, struct leftovers *left)
{
    ouro_slot *slot = oi_keyed_value(oi_dict_store(dict), entry);
    left->value = oi_word_load(slot);
    oi_word_retain(change->value, shared);
    oi_perturb();
    oi_word_store(slot, change->value); /* the effect */
    oi_turn_done();
    oi_word_hint(change->value, shared);
    oi_word_hint(left->value, shared);
}

/* The effect, and hints of it. */
static inline void take_entry(struct oi_dict *dict, bool shared, size_t entry, struct leftovers *left)
{
    struct oi_keyed *store = oi_dict_store(dict);
    if (OI_UNLIKELY(store->room > LARGE && oi_shape_count(store->shape) == 1)) {
        left->key = oi_word_hold_own(oi_word_load(oi_keyed_key(store, entry)));
        left->value = store->stride == 2 ? oi_word_hold_own(oi_word_load(oi_keyed_value(store, entry))) : OURO_NIL;
        left->old = store;
        oi_store_release(&dict->store.ouro_private_ref, NULL); /* the effect */
        oi_turn_done();
        oi_store_hint(store, shared);
    } else {
        oi_keyed_take(store, shared, entry, &left->key, &left->value);
        if (store->stride == 1)
            left->value = OURO_NIL;
    }
    oi_turn_done();
    oi_word_hint(left->key, shared);
    oi_word_hint(left->value, shared);
}

static void take_out(struct oi_dict *dict, bool shared, size_t entry, struct leftovers *left)
{
    oi_dict_changes_begin(dict, shared);
    take_entry(dict, shared, entry, left);
    oi_dict_changes_end(dict, shared);
}

/* The key is there. True: the dict has changed. */
static bool change_found(struct oi_dict *dict, bool shared, struct oi_change *change, size_t entry, struct leftovers *left)
{
    ouro_value value = oi_word_load(oi_keyed_value(oi_dict_store(dict), entry));
    change->was = true;
    switch (change->kind) {
    case OI_REPLACE_IF:
        change->done = value == change->expected;
        if (change->done)
            replace(dict, shared, change, entry, left);
        return change->done;
    case OI_TAKE_IF:
        change->done = value == change->expected;
        if (change->done)
            take_out(dict, shared, entry, left);
        return change->done;
    case OI_PUT:
        replace(dict, shared, change, entry, left);
        change->old = left->value;
        left->value = OURO_NIL;
        return true;
    case OI_TAKE:
        take_out(dict, shared, entry, left);
        change->old = left->value;
        left->value = OURO_NIL;
        return true;
    default:
        change->old = oi_word_hold_own(value);
        return false;
    }
}

/* One turn. search: NULL at first, when nobody is asked. OI_AGAIN: somebody is to be asked; OURO_E_NOMEM: a store with more room is
 * needed. */
static inline ouro_status try_change(struct oi_dict *dict, struct oi_change *change, uint32_t hash, struct oi_search *search,
                                     struct leftovers *left)
{
    bool shared = oi_dict_begin(dict), changed = false;
    struct oi_keyed *store = oi_dict_store(dict);
    size_t at = hash, entry = 0;
    ouro_status status = OURO_OK;
    enum oi_probe found = OI_ABSENT;
    if (search && store) {
        found = oi_search_in(search, store);
        at = search->at;
        entry = search->entry;
    } else if (OI_LIKELY(store != NULL)) {
        found = oi_keyed_probe(store, hash, change->key, oi_match_key, &at, &entry);
    }
    if (found == OI_FOUND) {
        changed = change_found(dict, shared, change, entry, left);
    } else if (OI_UNLIKELY(found == OI_UNSURE)) {
        status = OI_AGAIN;
        if (search)
            oi_search_hold(search, store, true);
    } else if (change->existing || (change->kind != OI_PUT && change->kind != OI_PUT_NEW)) {
        status = OURO_E_KEY;
    } else if (OI_UNLIKELY(!has_room(store) && !is_fit(left->fresh, store))) {
        status = OURO_E_NOMEM;
    } else {
        put_in(dict, shared, change, hash, at, left);
        changed = true;
    }
    if (changed)
        oi_dict_end(dict, shared);
    else
        oi_dict_end_unchanged(dict, shared);
    return status;
}

/* ---- */

/* Not in a turn: making objects may run user code. */
static ouro_status get_memory(struct oi_dict *dict, struct leftovers *left)
{
    ouro_release(left->fresh);
    left->fresh = oi_keyed_new(oi_dict_stride(dict), oi_keyed_room_for(oi_dict_count(dict) + 1));
    return left->fresh ? OURO_OK : OURO_E_NOMEM;
}

static inline ouro_status prepare(const struct oi_dict *dict, const struct oi_change *change, const char *call)
{
    bool shared = oi_is_shared(dict);
    if (change->kind == OI_TAKE || change->kind == OI_TAKE_IF)
        return OURO_OK;
    ouro_status status = oi_word_prepare(change->key, shared, call);
    return OI_LIKELY(status == OURO_OK) ? oi_word_prepare(change->value, shared, call) : status;
}

/* As long as it takes. */
static OI_NOINLINE ouro_status change_slowly(struct oi_dict *dict, struct oi_change *change, const char *call, struct leftovers *left)
{
    struct oi_search search;
    ouro_status status = OURO_OK;
    if (change->hashed)
        oi_search_begin_hashed(&search, change->key, change->hash);
    else
        status = oi_search_begin(&search, change->key);
    while (status == OURO_OK) {
        status = prepare(dict, change, call);
        if (status != OURO_OK)
            break;
        status = try_change(dict, change, search.hash, &search, left);
        if (status == OI_AGAIN)
            status = oi_search_ask(&search);
        else if (status == OURO_E_NOMEM)
            status = get_memory(dict, left);
        else
            break;
    }
    oi_search_end(&search);
    return status;
}

static OI_NOINLINE void release_all(struct leftovers *left)
{
    ouro_value_release(left->key);
    ouro_value_release(left->value);
    ouro_release(left->fresh);
    ouro_release(left->old);
}

ouro_status oi_dict_change(struct oi_dict *dict, struct oi_change *change, const char *call)
{
    struct leftovers left = {0};
    uint32_t hash = change->hash;
    ouro_status status = OI_AGAIN;
    if (OI_UNLIKELY(change->hashed) || OI_LIKELY(oi_key_hash(change->key, &hash))) {
        status = prepare(dict, change, call);
        if (OI_LIKELY(status == OURO_OK))
            status = try_change(dict, change, hash, NULL, &left);
    }
    if (OI_UNLIKELY(status == OI_AGAIN || status == OURO_E_NOMEM))
        status = change_slowly(dict, change, call, &left);
    /* Here user code may run. */
    if (left.key || left.value || left.fresh || left.old)
        release_all(&left);
    return status;
}

/* ---- ends ---- */

static bool is_there(const struct oi_keyed *store, size_t entry)
{
    return oi_word_load(oi_keyed_key(store, entry)) != OI_GONE;
}

/* The first or last entry of a store that has some. */
static size_t end_of(struct oi_keyed *store, bool first)
{
    if (first) {
        while (!is_there(store, store->first))
            store->first++;
        return store->first;
    }
    while (!is_there(store, store->past - 1))
        store->past--;
    return store->past - 1;
}

ouro_status oi_dict_take_end(struct oi_dict *dict, bool first, ouro_value *key, ouro_value *value)
{
    struct leftovers left = {0};
    bool shared = oi_dict_begin(dict);
    struct oi_keyed *store = oi_dict_store(dict);
    if (!store || !oi_shape_count(store->shape)) {
        oi_dict_end_unchanged(dict, shared);
        return OURO_E_KEY;
    }
    take_out(dict, shared, end_of(store, first), &left);
    oi_dict_end(dict, shared);
    *key = left.key;
    *value = left.value;
    ouro_release(left.old);
    return OURO_OK;
}

void oi_dict_take_word(struct oi_dict *dict, uint32_t hash, ouro_value word)
{
    struct leftovers left = {0};
    size_t entry;
    bool shared = oi_dict_begin(dict);
    const struct oi_keyed *store = oi_dict_store(dict);
    bool found = store && oi_keyed_find_word(store, hash, word, &entry);
    if (found)
        take_entry(dict, shared, entry, &left);
    if (found)
        oi_dict_end(dict, shared);
    else
        oi_dict_end_unchanged(dict, shared);
    release_all(&left);
}

void oi_dict_clear(struct oi_dict *dict)
{
    bool shared = oi_dict_begin(dict);
    struct oi_keyed *store = oi_dict_store(dict);
    bool change = store && oi_shape_count(store->shape);
    if (change)
        oi_dict_changes_begin(dict, shared);
    oi_store_release(&dict->store.ouro_private_ref, NULL); /* the effect: taken out, with all that is in it */
    oi_turn_done();
    oi_store_hint(store, shared);
    if (change)
        oi_dict_changes_end(dict, shared);
    oi_dict_end(dict, shared);
    ouro_release(store);
}
