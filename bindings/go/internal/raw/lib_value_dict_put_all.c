//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Dicts and sets: many entries at one moment.
 *
 * If all keys can be compared by looking at them, a private dict gets them one by one, after room was made; for a shared one a new store is
 * filled in a turn, which then takes the old one's place. Else a copy of the dict is made, gets them one by one, asking whom it must, and takes
 * the dict's place if that has not changed. */
#include "lib_port_perturb.h"
#include "lib_sync_rcu.h"
#include "lib_value_dict.h"
#include "lib_value_host.h"

static ouro_value key_of(const struct oi_pairs *pairs, size_t i)
{
    return pairs->keys[i * pairs->step];
}

static ouro_value value_of(const struct oi_pairs *pairs, size_t i)
{
    return pairs->values ? pairs->values[i * pairs->step] : OURO_NIL;
}

static ouro_status prepare(const struct oi_dict *dict, const struct oi_pairs *pairs, const char *call)
{
    ouro_status status = OURO_OK;
    for (size_t i = 0; i < pairs->count && status == OURO_OK; i++) {
        status = oi_word_prepare(key_of(pairs, i), oi_is_shared(dict), call);
        if (status == OURO_OK)
            status = oi_word_prepare(value_of(pairs, i), oi_is_shared(dict), call);
    }
    return status;
}

/* ---- keys that nobody must be asked about ---- */

static bool is_simple(ouro_value key)
{
    ouro_kind kind = oi_kind_of(key);
    if (kind == OURO_KIND_HOST) {
        const ouro_host_class *class = oi_host_class(key);
        return !class->equal && !class->hash;
    }
    return kind != OURO_KIND_TUPLE;
}

static uint32_t hash_of(ouro_value key)
{
    uint64_t hash = 0;
    (void)oi_hash_quick(key, &hash); /* always, of a simple key */
    return (uint32_t)hash;
}

struct memory {
    struct oi_keyed *fresh; /* the dict's new store */
    struct oi_store *taken; /* for values that are replaced */
    struct oi_keyed *old;
};

/* A private dict: after this, nothing can fail. */
static void put_own(struct oi_dict *dict, const struct oi_pairs *pairs, struct memory *memory)
{
    struct oi_keyed *from = oi_dict_store(dict), *store = from;
    size_t taken = 0;
    if (memory->fresh) {
        size_t n = from ? oi_keyed_copy(memory->fresh, from) : 0;
        store = memory->fresh;
        oi_store_move(&dict->object, &dict->store, from ? &from->array : NULL, &store->array, n * store->stride);
        memory->fresh = NULL;
        memory->old = from;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        ouro_value key = key_of(pairs, i), value = value_of(pairs, i);
        uint32_t hash = hash_of(key);
        size_t at = hash, entry;
        if (oi_keyed_probe(store, hash, key, oi_match_key, &at, &entry) == OI_ABSENT) {
            oi_word_retain(key, false);
            if (store->stride == 2)
                oi_word_retain(value, false);
            oi_keyed_put(store, false, key, value, hash, at);
            oi_dict_changes_end(dict, false);
        } else if (store->stride == 2) {
            ouro_slot *slot = oi_keyed_value(store, entry);
            oi_word_store(&memory->taken->items[taken++], oi_word_load(slot));
            oi_word_retain(value, false);
            oi_word_store(slot, value);
        }
    }
    if (memory->taken)
        oi_store_set_length(&memory->taken->array, taken);
}

static bool has_new_key(const struct oi_keyed *store, const struct oi_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        size_t at = hash_of(key_of(pairs, i)), entry;
        if (!store || oi_keyed_probe(store, (uint32_t)at, key_of(pairs, i), oi_match_key, &at, &entry) == OI_ABSENT)
            return true;
    }
    return false;
}

/* Fills the fresh store, which has the old one's entries: words only, nothing is counted yet. Returns how many entries are used then. */
static size_t put_words(struct oi_keyed *fresh, size_t used, const struct oi_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        ouro_value key = key_of(pairs, i);
        uint32_t hash = hash_of(key);
        size_t at = hash, entry;
        if (oi_keyed_probe(fresh, hash, key, oi_match_key, &at, &entry) == OI_ABSENT)
            oi_keyed_add(fresh, used++, key, value_of(pairs, i), hash);
        else if (fresh->stride == 2)
            oi_word_store(oi_keyed_value(fresh, entry), value_of(pairs, i));
    }
    return used;
}

/* Counts what is new in it; what was replaced goes to `taken`. Gone entries are in both or only in the old one. */
static size_t count_fresh(const struct oi_keyed *fresh, size_t used, const struct oi_keyed *from, struct oi_store *taken)
{
    size_t entry = 0, gone = 0, before = from ? oi_keyed_used(from) : 0;
    for (size_t old = 0; old < before; old++) {
        ouro_value key = oi_word_load(oi_keyed_key(from, old));
        if (key == OI_GONE)
            continue;
        while (oi_word_load(oi_keyed_key(fresh, entry)) == OI_GONE)
            entry++;
        ouro_value was = oi_word_load(oi_keyed_value(from, old)), is = oi_word_load(oi_keyed_value(fresh, entry++));
        if (was == is)
            continue;
        oi_word_retain(is, true);
        oi_word_store(&taken->items[gone++], was);
    }
    for (; entry < used; entry++) {
        if (oi_word_load(oi_keyed_key(fresh, entry)) == OI_GONE)
            continue;
        oi_word_retain(oi_word_load(oi_keyed_key(fresh, entry)), true);
        if (fresh->stride == 2)
            oi_word_retain(oi_word_load(oi_keyed_value(fresh, entry)), true);
    }
    return gone;
}

/* A shared dict, in a turn. */
static void put_shared(struct oi_dict *dict, const struct oi_pairs *pairs, struct memory *memory)
{
    struct oi_keyed *from = oi_dict_store(dict), *to = memory->fresh;
    bool more = has_new_key(from, pairs);
    size_t used = !from ? 0 : more ? oi_keyed_copy(to, from) : oi_keyed_clone(to, from);
    used = put_words(to, used, pairs);
    size_t gone = count_fresh(to, used, from, memory->taken);
    if (more)
        oi_dict_changes_begin(dict, true);
    oi_perturb();
    oi_store_move(&dict->object, &dict->store, from ? &from->array : NULL, &to->array, used * to->stride); /* the effect */
    if (more)
        oi_dict_changes_end(dict, true);
    memory->fresh = NULL;
    memory->old = from;
    oi_store_set_length(&memory->taken->array, gone);
    oi_turn_done();
    oi_words_hint((const oi_word_array *)memory->taken->items, gone, true);
}

/* In a turn, or of a private dict: is there memory for what is to be done? */
static bool has_memory(const struct oi_dict *dict, bool shared, size_t count, const struct memory *memory)
{
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t used = store ? oi_keyed_used(store) : 0;
    bool fits = !shared && store && store->room - used >= count;
    return (fits || (memory->fresh && memory->fresh->room >= used + count)) && memory->taken;
}

/* A moment's reading. */
static size_t used_of(const struct oi_dict *dict)
{
    oi_rcu_read_lock();
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t used = store ? oi_keyed_used(store) : 0;
    oi_rcu_read_unlock();
    return used;
}

static ouro_status get_memory(struct oi_dict *dict, const struct oi_pairs *pairs, struct memory *memory)
{
    if (!memory->taken) {
        memory->taken = oi_store_new(pairs->count);
        if (!memory->taken)
            return OURO_E_NOMEM;
        return OURO_OK; /* and look again */
    }
    ouro_release(memory->fresh);
    size_t room = oi_keyed_room_for(oi_dict_count(dict)), all = used_of(dict) + pairs->count;
    memory->fresh = oi_keyed_new(oi_dict_stride(dict), all > room ? all : room);
    return memory->fresh ? OURO_OK : OURO_E_NOMEM;
}

static ouro_status put_simple(struct oi_dict *dict, const struct oi_pairs *pairs, const char *call)
{
    struct memory memory = {0};
    ouro_status status = OURO_OK;
    for (bool done = false; !done && status == OURO_OK;) {
        status = prepare(dict, pairs, call);
        if (status != OURO_OK)
            break;
        bool shared = oi_dict_begin(dict);
        done = has_memory(dict, shared, pairs->count, &memory);
        if (done && shared)
            put_shared(dict, pairs, &memory);
        else if (done)
            put_own(dict, pairs, &memory);
        if (done)
            oi_dict_end(dict, shared);
        else
            oi_dict_end_unchanged(dict, shared);
        if (!done)
            status = get_memory(dict, pairs, &memory);
    }
    /* Here user code may run. */
    ouro_release(memory.taken);
    ouro_release(memory.fresh);
    ouro_release(memory.old);
    return status;
}

/* ---- others ---- */

/* Counts what is in a store that was filled. It is private, or an unbiased thread's, and nobody else's yet. */
static void count_all(struct oi_keyed *store, size_t entries)
{
    size_t slots = entries * store->stride;
    for (size_t i = 0; i < slots; i++)
        oi_word_retain(oi_word_load(&store->slots[i]), oi_is_shared(store)); /* nothing, of what is gone */
    oi_store_set_length(&store->array, slots);
}

/* A counted copy of the dict's store, of the caller's. */
static ouro_status copy_store(struct oi_dict *dict, struct oi_keyed **copy)
{
    *copy = NULL;
    for (;;) {
        struct oi_keyed *made = oi_keyed_new(oi_dict_stride(dict), used_of(dict));
        if (!made)
            return OURO_E_NOMEM;
        bool shared = oi_dict_begin(dict);
        const struct oi_keyed *store = oi_dict_store(dict);
        if ((store ? oi_keyed_used(store) : 0) <= made->room) {
            count_all(made, store ? oi_keyed_clone(made, store) : 0);
            *copy = made;
        }
        oi_dict_end_unchanged(dict, shared);
        if (*copy)
            return OURO_OK;
        ouro_release(made);
    }
}

/* In a turn: true if the dict has what the copy has, in the same entries. */
static bool is_copy(const struct oi_dict *dict, const struct oi_keyed *copy)
{
    const struct oi_keyed *store = oi_dict_store(dict);
    size_t slots = store ? oi_array_length(&store->array.object) : 0;
    if (slots != oi_array_length(&copy->array.object))
        return false;
    for (size_t i = 0; i < slots; i++) {
        if (oi_word_load(&store->slots[i]) != oi_word_load(&copy->slots[i]))
            return false;
    }
    return true;
}

/* A private dict of the same kind that has the same, in the same entries, with room for more. */
static ouro_status dict_of_copy(const struct oi_dict *like, const struct oi_keyed *copy, size_t more, ouro_value *made)
{
    *made = oi_dict_stride(like) == 1 ? ouro_set_new() : ouro_dict_new();
    struct oi_dict *dict = oi_dict_of(*made);
    struct oi_keyed *store = dict ? oi_keyed_new(copy->stride, oi_keyed_used(copy) + more) : NULL;
    if (!store)
        return OURO_E_NOMEM;
    count_all(store, oi_keyed_clone(store, copy));
    ouro_give(dict, &dict->store, store);
    return OURO_OK;
}

/* Puts what `other`, a private dict, has into dict, if that is still as the copy is: then what it had is in `other` afterwards. */
static bool trade(struct oi_dict *dict, const struct oi_keyed *copy, struct oi_dict *other)
{
    if (oi_is_shared(dict))
        oi_publish(&other->object); /* before the turn: it is long; what was private and is not traded now stays published */
    bool shared = oi_dict_begin(dict), same = is_copy(dict, copy);
    if (same) {
        struct oi_keyed *store = oi_dict_store(dict), *coming = oi_dict_store(other);
        bool more = oi_shape_count(coming->shape) != oi_shape_count(copy->shape);
        /* The references in both stay where they are: only the two stores change places, each a reference that is moved. */
        oi_word_move(ouro_value_of(coming), shared);
        if (more)
            oi_dict_changes_begin(dict, shared);
        oi_store_release(&other->store.ouro_private_ref, NULL);
        oi_store_release(&dict->store.ouro_private_ref, coming); /* the effect [MO-publish] */
        oi_turn_done();
        oi_store_hint(coming, shared);
        oi_store_hint(store, shared);
        if (more)
            oi_dict_changes_end(dict, shared);
        oi_dict_end(dict, shared);
        ouro_release(store);
    } else {
        oi_dict_end_unchanged(dict, shared);
    }
    return same;
}

/* Once. *done: it came to something. */
static ouro_status try_put(struct oi_dict *dict, const struct oi_pairs *pairs, const char *call, bool *done)
{
    struct oi_keyed *copy;
    ouro_value other = OURO_NIL;
    ouro_status status = copy_store(dict, &copy);
    if (status == OURO_OK)
        status = dict_of_copy(dict, copy, pairs->count, &other);
    if (status == OURO_OK)
        status = oi_dict_fill(oi_dict_of(other), pairs, call);
    *done = status == OURO_OK && trade(dict, copy, oi_dict_of(other));
    ouro_release(copy);
    ouro_value_release(other);
    return status;
}

ouro_status oi_dict_put_all(struct oi_dict *dict, const struct oi_pairs *pairs, const char *call)
{
    ouro_status status = OURO_OK;
    bool simple = true, done = false;
    if (pairs->count == 1)
        return oi_dict_fill(dict, pairs, call);
    for (size_t i = 0; i < pairs->count && simple; i++)
        simple = is_simple(key_of(pairs, i));
    if (simple)
        return pairs->count ? put_simple(dict, pairs, call) : OURO_OK;
    while (status == OURO_OK && !done)
        status = try_put(dict, pairs, call, &done);
    return status;
}

ouro_status oi_dict_fill(struct oi_dict *fresh, const struct oi_pairs *pairs, const char *call)
{
    ouro_status status = OURO_OK;
    for (size_t i = 0; i < pairs->count && status == OURO_OK; i++) {
        struct oi_change change = {.kind = pairs->values ? OI_PUT : OI_PUT_NEW, .key = key_of(pairs, i), .value = value_of(pairs, i)};
        status = oi_dict_change(fresh, &change, call);
        ouro_value_release(change.old);
    }
    return status;
}

ouro_status oi_dict_make_room(struct oi_dict *dict, size_t room)
{
    struct oi_keyed *store = room ? oi_keyed_new(oi_dict_stride(dict), room) : NULL;
    if (room && !store)
        return OURO_E_NOMEM;
    ouro_give(dict, &dict->store, store);
    return OURO_OK;
}
