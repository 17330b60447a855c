//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_weak_map.h"

#include "lib_port_perturb.h"

static ouro_type map_type = OURO_TYPE(struct oi_weak_map, .name = "weak map", .slots = OURO_SLOTS(struct oi_weak_map, dict.store),
                                      .flags = OI_TYPE_OWN);
static ouro_type set_type = OURO_TYPE(struct oi_weak_map, .name = "weak set", .slots = OURO_SLOTS(struct oi_weak_map, dict.store),
                                      .flags = OI_TYPE_OWN);
static ouro_type entry_type = OURO_TYPE(struct ouro_weak, .name = "ouro_weak_entry", .flags = OI_TYPE_OWN);

/* ---- weak entries ---- */

/* Its target has died (W4). */
static void entry_died(struct ouro_weak *entry, void *anchor)
{
    struct oi_weak_map *map = (struct oi_weak_map *)oi_anchor_get(anchor);
    oi_perturb();
    if (map)
        oi_dict_take_word(&map->dict, entry->number, ouro_value_of(entry));
    ouro_release(map);
}

static void dispose_entry(ouro_object *object)
{
    struct ouro_weak *entry = (struct ouro_weak *)object;
    oi_weak_detach(entry);
    if (entry->arg)
        oi_anchor_release(entry->arg);
}

/* Published, as its target is then. Nil: no memory. */
static ouro_value entry_new(struct oi_weak_map *map, ouro_value target, uint32_t hash)
{
    struct ouro_weak *entry = ouro_new(&entry_type);
    if (!entry)
        return OURO_NIL;
    entry->number = hash;
    ouro_share(oi_word(target));
    if (!oi_weak_attach(entry, oi_word(target), entry_died, map->self)) {
        ouro_release(entry);
        return OURO_NIL;
    }
    oi_anchor_hold(map->self);
    return ouro_value_of(entry);
}

static bool is_entry(ouro_value word)
{
    return oi_id_of(word) == OI_OWN_WEAK_ENTRY;
}

ouro_value oi_weak_resolve(ouro_value word)
{
    if (!is_entry(word))
        return word;
    ouro_object *target = oi_weak_get(oi_word(word));
    ouro_value_release(word);
    return target ? ouro_value_of(target) : OI_GONE;
}

/* ---- making ---- */

static void dispose_map(ouro_object *object)
{
    struct oi_weak_map *map = (struct oi_weak_map *)object;
    if (map->self)
        oi_anchor_release(map->self);
}

bool oi_weak_map_init(void)
{
    return oi_type_register_own(&map_type, OI_OWN_WEAK_MAP, dispose_map) && oi_type_register_own(&set_type, OI_OWN_WEAK_SET, dispose_map) &&
           oi_type_register_own(&entry_type, OI_OWN_WEAK_ENTRY, dispose_entry);
}

static ouro_value map_new(ouro_type *type, unsigned flags)
{
    struct oi_weak_map *map = ouro_new(type);
    if (!map)
        return OURO_NIL;
    map->flags = flags;
    map->self = oi_anchor_of(&map->dict.object);
    if (!map->self) {
        ouro_release(map);
        return OURO_NIL;
    }
    ouro_share(map);
    return ouro_value_of(map);
}

ouro_status ouro_weak_map_new(unsigned flags, ouro_value *map)
{
    if (!map)
        return OURO_E_INVALID;
    *map = OURO_NIL;
    if (!flags || (flags & ~(OURO_WEAK_KEYS | OURO_WEAK_VALUES)))
        return OURO_E_INVALID;
    *map = map_new(&map_type, flags);
    return ouro_is_nil(*map) ? OURO_E_NOMEM : OURO_OK;
}

ouro_value ouro_weak_set_new(void)
{
    return map_new(&set_type, OURO_WEAK_KEYS);
}

/* ---- looking up ---- */

static struct oi_weak_map *weak_map_of(ouro_value value)
{
    return oi_word(value);
}

static ouro_status check(ouro_value map, uint32_t id, ouro_value key, const char *call)
{
    ouro_status status = oi_container_check(map, id, call);
    if (status == OURO_OK && (weak_map_of(map)->flags & OURO_WEAK_KEYS) && !ouro_is_object(key))
        status = OURO_E_TYPE;
    return status;
}

/* That of the entry which the key has, or would have. */
static ouro_status hash_of(const struct oi_weak_map *map, ouro_value key, uint32_t *hash)
{
    uint64_t all = 0;
    ouro_status status = OURO_OK;
    if (map->flags & OURO_WEAK_KEYS)
        all = oi_hash_address(oi_word(key));
    else
        status = ouro_hash(key, &all);
    *hash = (uint32_t)all;
    return status;
}

/* The key's value, and the word that it has in its entry, both new. What is dead must be met twice: the first time it may have been replaced
 * before it died, and then there was a value all the time (W5). OURO_E_KEY: *word is that of the dead value, or nil. */
static ouro_status find(struct oi_weak_map *map, ouro_value key, ouro_value *word, ouro_value *value)
{
    uint32_t hash;
    ouro_value dead = OURO_NIL;
    *word = *value = OURO_NIL;
    ouro_status status = hash_of(map, key, &hash);
    while (status == OURO_OK) {
        status = oi_dict_find_hashed(&map->dict, key, hash, word);
        bool same = status == OURO_OK && dead && *word == dead;
        ouro_value_release(dead);
        if (same)
            return OURO_E_KEY;
        if (status != OURO_OK)
            break;
        oi_perturb();
        *value = oi_weak_resolve(ouro_value_retain(*word));
        if (*value != OI_GONE)
            return OURO_OK;
        dead = *word;
        *word = *value = OURO_NIL;
    }
    ouro_value_release(*word);
    *word = OURO_NIL;
    return status;
}

static ouro_status get(struct oi_weak_map *map, ouro_value key, ouro_value *value)
{
    ouro_value word;
    ouro_status status = find(map, key, &word, value);
    ouro_value_release(word);
    return status;
}

static ouro_status has(ouro_value map, uint32_t id, ouro_value key, bool *has, const char *call)
{
    ouro_value value = OURO_NIL;
    if (!has)
        return OURO_E_INVALID;
    *has = false;
    ouro_status status = check(map, id, key, call);
    if (status == OURO_OK)
        status = get(weak_map_of(map), key, &value);
    ouro_value_release(value);
    *has = status == OURO_OK;
    return status == OURO_E_KEY ? OURO_OK : status;
}

static ouro_status length_of(ouro_value map, uint32_t id, size_t *length, const char *call)
{
    if (!length)
        return OURO_E_INVALID;
    ouro_status status = oi_container_check(map, id, call);
    *length = status == OURO_OK ? oi_dict_count(&weak_map_of(map)->dict) : 0;
    return status;
}

/* ---- changing ---- */

/* One change, for which change->value is what is stored, a weak entry perhaps. A weak entry for the key is made if the key is not there. */
static ouro_status change_entry(struct oi_weak_map *map, struct oi_change *change, const char *call)
{
    if (!(map->flags & OURO_WEAK_KEYS))
        return oi_dict_change(&map->dict, change, call);
    change->existing = true;
    ouro_status status = oi_dict_change(&map->dict, change, call);
    if (status != OURO_E_KEY || (change->kind != OI_PUT && change->kind != OI_PUT_NEW))
        return status;
    status = oi_may_use(change->key, call);
    if (status != OURO_OK)
        return status;
    change->existing = false;
    change->stored = entry_new(map, change->key, change->hash);
    status = change->stored ? oi_dict_change(&map->dict, change, call) : OURO_E_NOMEM;
    ouro_value_release(change->stored);
    return status;
}

/* What is to be stored for a value, new: itself, or a weak entry. */
static ouro_status value_for(struct oi_weak_map *map, ouro_value value, uint32_t hash, ouro_value *stored, const char *call)
{
    ouro_status status = oi_may_store(value, call);
    *stored = OURO_NIL;
    if (status != OURO_OK)
        return status;
    if (!(map->flags & OURO_WEAK_VALUES))
        return oi_retain_into(value, stored);
    if (!ouro_is_object(value))
        return OURO_E_TYPE;
    *stored = entry_new(map, value, hash);
    return *stored ? OURO_OK : OURO_E_NOMEM;
}

static ouro_status begin(ouro_value map, struct oi_change *change, const char *call)
{
    ouro_status status = check(map, OI_OWN_WEAK_MAP, change->key, call);
    if (status == OURO_OK)
        status = hash_of(weak_map_of(map), change->key, &change->hash);
    change->hashed = true;
    return status;
}

static ouro_status begin_storing(ouro_value map, struct oi_change *change, ouro_value value, const char *call)
{
    ouro_status status = begin(map, change, call);
    return status == OURO_OK ? value_for(weak_map_of(map), value, change->hash, &change->value, call) : status;
}

/* The key is there, with a value that was dead: then it was not (W5). Puts change->value in its place. OI_AGAIN: somebody has changed it
 * meanwhile. */
static ouro_status replace_dead(struct oi_weak_map *map, const struct oi_change *change, ouro_value dead, const char *call)
{
    struct oi_change replace = *change;
    replace.kind = OI_REPLACE_IF;
    replace.expected = dead;
    replace.old = OURO_NIL;
    ouro_status status = change_entry(map, &replace, call);
    return status == OURO_E_KEY || (status == OURO_OK && !replace.done) ? OI_AGAIN : status;
}

/* Once. */
static ouro_status try_setdefault(struct oi_weak_map *map, struct oi_change *change, ouro_value value, ouro_value *now, const char *call)
{
    change->was = false;
    change->old = change->stored = OURO_NIL;
    ouro_status status = change_entry(map, change, call);
    if (status != OURO_OK)
        return status;
    if (!change->was)
        return oi_retain_into(value, now);
    *now = oi_weak_resolve(ouro_value_retain(change->old));
    if (*now == OI_GONE) {
        *now = OURO_NIL;
        status = replace_dead(map, change, change->old, call);
        if (status == OURO_OK)
            status = oi_retain_into(value, now);
    }
    ouro_value_release(change->old);
    return status;
}

/* A value that may die is held first, so that what is taken out is alive. What is not there for a moment only, since its finalizer is due, goes
 * as well: who has taken a key out does not find it again (W5). */
static ouro_status take_weak(struct oi_weak_map *map, struct oi_change *change, ouro_value *value, const char *call)
{
    for (;;) {
        ouro_value word;
        ouro_status status = find(map, change->key, &word, value);
        if (status != OURO_OK) {
            if (word)
                oi_dict_take_word(&map->dict, change->hash, word);
            ouro_value_release(word);
            return status;
        }
        change->kind = OI_TAKE_IF;
        change->expected = word;
        status = change_entry(map, change, call);
        ouro_value_release(word);
        if (status == OURO_OK && change->done)
            return OURO_OK;
        ouro_value_release(*value);
        *value = OURO_NIL;
        if (status != OURO_OK && status != OURO_E_KEY) /* else: somebody has changed it meanwhile */
            return status;
    }
}

static ouro_status take(ouro_value map, ouro_value key, ouro_value *value, const char *call)
{
    struct oi_change change = {.kind = OI_TAKE, .key = key};
    *value = OURO_NIL;
    ouro_status status = begin(map, &change, call);
    if (status == OURO_OK && (weak_map_of(map)->flags & OURO_WEAK_VALUES))
        return take_weak(weak_map_of(map), &change, value, call);
    if (status == OURO_OK)
        status = change_entry(weak_map_of(map), &change, call);
    *value = change.old;
    return status;
}

/* ---- weak maps ---- */

ouro_status ouro_weak_map_length(ouro_value map, size_t *length)
{
    return length_of(map, OI_OWN_WEAK_MAP, length, "ouro_weak_map_length");
}

ouro_status ouro_weak_map_get(ouro_value map, ouro_value key, ouro_value *value)
{
    if (!value)
        return OURO_E_INVALID;
    *value = OURO_NIL;
    ouro_status status = check(map, OI_OWN_WEAK_MAP, key, "ouro_weak_map_get");
    return status == OURO_OK ? get(weak_map_of(map), key, value) : status;
}

ouro_status ouro_weak_map_has(ouro_value map, ouro_value key, bool *is)
{
    return has(map, OI_OWN_WEAK_MAP, key, is, "ouro_weak_map_has");
}

ouro_status ouro_weak_map_set(ouro_value map, ouro_value key, ouro_value value)
{
    struct oi_change put = {.kind = OI_PUT, .key = key};
    ouro_status status = begin_storing(map, &put, value, "ouro_weak_map_set");
    if (status == OURO_OK)
        status = change_entry(weak_map_of(map), &put, "ouro_weak_map_set");
    ouro_value_release(put.value);
    ouro_value_release(put.old);
    return status;
}

ouro_status ouro_weak_map_setdefault(ouro_value map, ouro_value key, ouro_value value, ouro_value *now)
{
    struct oi_change put = {.kind = OI_PUT_NEW, .key = key};
    if (!now)
        return OURO_E_INVALID;
    *now = OURO_NIL;
    ouro_status status = begin_storing(map, &put, value, "ouro_weak_map_setdefault");
    if (status == OURO_OK) {
        do {
            status = try_setdefault(weak_map_of(map), &put, value, now, "ouro_weak_map_setdefault");
        } while (status == OI_AGAIN);
    }
    ouro_value_release(put.value);
    return status;
}

ouro_status ouro_weak_map_delete(ouro_value map, ouro_value key)
{
    ouro_value value;
    ouro_status status = take(map, key, &value, "ouro_weak_map_delete");
    ouro_value_release(value);
    return status;
}

ouro_status ouro_weak_map_pop(ouro_value map, ouro_value key, ouro_value *value)
{
    ouro_value taken;
    ouro_status status = take(map, key, &taken, "ouro_weak_map_pop");
    if (value)
        *value = taken;
    else
        ouro_value_release(taken);
    return status;
}

static ouro_status clear(ouro_value map, uint32_t id, const char *call)
{
    ouro_status status = oi_container_check(map, id, call);
    if (status == OURO_OK)
        oi_dict_clear(&weak_map_of(map)->dict);
    return status;
}

ouro_status ouro_weak_map_clear(ouro_value map)
{
    return clear(map, OI_OWN_WEAK_MAP, "ouro_weak_map_clear");
}

/* ---- weak sets ---- */

ouro_status ouro_weak_set_length(ouro_value set, size_t *length)
{
    return length_of(set, OI_OWN_WEAK_SET, length, "ouro_weak_set_length");
}

ouro_status ouro_weak_set_has(ouro_value set, ouro_value item, bool *is)
{
    return has(set, OI_OWN_WEAK_SET, item, is, "ouro_weak_set_has");
}

static ouro_status change_set(ouro_value set, struct oi_change *change, const char *call)
{
    ouro_status status = check(set, OI_OWN_WEAK_SET, change->key, call);
    if (status == OURO_OK)
        status = hash_of(weak_map_of(set), change->key, &change->hash);
    change->hashed = true;
    if (status == OURO_OK)
        status = change_entry(weak_map_of(set), change, call);
    ouro_value_release(change->old);
    return status;
}

ouro_status ouro_weak_set_add(ouro_value set, ouro_value item, bool *added)
{
    struct oi_change put = {.kind = OI_PUT_NEW, .key = item};
    ouro_status status = change_set(set, &put, "ouro_weak_set_add");
    if (added)
        *added = status == OURO_OK && !put.was;
    return status;
}

ouro_status ouro_weak_set_discard(ouro_value set, ouro_value item, bool *removed)
{
    struct oi_change put = {.kind = OI_TAKE, .key = item};
    ouro_status status = change_set(set, &put, "ouro_weak_set_discard");
    if (removed)
        *removed = put.was;
    return status == OURO_E_KEY ? OURO_OK : status;
}

ouro_status ouro_weak_set_clear(ouro_value set)
{
    return clear(set, OI_OWN_WEAK_SET, "ouro_weak_set_clear");
}

/* ---- as kinds ---- */

const struct oi_kind_ops oi_weak_map_ops = {.length = ouro_weak_map_length, .equality = OI_BY_IDENTITY};
const struct oi_kind_ops oi_weak_set_ops = {.length = ouro_weak_set_length, .equality = OI_BY_IDENTITY};
