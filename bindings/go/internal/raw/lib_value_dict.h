/* SPDX-License-Identifier: MIT
 *
 * Dicts and sets (docs/design/containers.md): a slot for a keyed store. Weak maps and sets are made in the same way (weak_map.h); here "dict" means
 * any of the four, and stride 1 those without values.
 *
 *     private     the thread's own
 *     shared      writers take turns. Putting in, taking out (K2) and replacing a value (its slot) are done in place, with one effect each; growing, and many
 *                 entries at once, to a new store, which then takes the old one's place (the effect)
 *
 * Keys are compared by looking at them wherever that is enough. If a host must be asked, the writer ends its turn, the reader its section, asks,
 * and goes on from where it was, if the dict still has this store (K1). */
#pragma once

#include "lib_value_keyed.h"
#include "lib_value_turn.h"

struct oi_dict {
    ouro_object object;
    ouro_slot store;  /* a struct oi_keyed, or NULL: no entries */
    uint64_t turn;    /* atomic; not used while the dict is private */
    uint64_t changes; /* atomic: twice the number of times that keys were put in or taken out; 1 more while that is being done */
    uint64_t before;  /* atomic: how many entries there were when that began */
};

bool oi_dict_init(void);
bool oi_set_init(void);

static inline struct oi_dict *oi_dict_of(ouro_value value)
{
    return (struct oi_dict *)oi_value_ref(value);
}

/* Acquire: pairs with oi_store_move [MO-publish]. */
static inline struct oi_keyed *oi_dict_store(const struct oi_dict *dict)
{
    return oi_load_acquire(&dict->store.ouro_private_ref);
}

/* After a thread that vanished in a fork. In a turn. */
void oi_dict_repair(struct oi_dict *dict);

static inline bool oi_dict_begin(struct oi_dict *dict)
{
    bool shared = oi_is_shared(dict);
    if (shared && OI_UNLIKELY(oi_turn_take(&dict->turn))) {
        oi_keyed_repair(&dict->store);
        oi_dict_repair(dict);
    }
    return shared;
}

static inline void oi_dict_end(struct oi_dict *dict, bool shared)
{
    if (shared)
        oi_turn_end(&dict->turn);
}

static inline void oi_dict_end_unchanged(struct oi_dict *dict, bool shared)
{
    if (shared)
        oi_turn_end_unchanged(&dict->turn);
}

/* Before and after keys are put in or taken out, by one effect that changes the number of entries. Release: iterators that see what was done
 * see this; and those that see this number see that the change before is over [MO-changes]. */
static inline void oi_dict_changes_begin(struct oi_dict *dict, bool shared)
{
    if (!shared)
        return;
    const struct oi_keyed *store = oi_dict_store(dict);
    oi_store_release(&dict->before, store ? oi_shape_count(store->shape) : 0);
    oi_store_release(&dict->changes, dict->changes + 1);
}

static inline void oi_dict_changes_end(struct oi_dict *dict, bool shared)
{
    oi_store_release(&dict->changes, dict->changes + (shared ? 1 : 2));
}

/* Which set of keys the dict has: another number whenever keys have been put in or taken out (of weak maps: not by the death of one), as
 * of one moment of the call. Even. In a read section, or of a private dict. */
uint64_t oi_dict_version(const struct oi_dict *dict);

/* ---- Searching for a key ---- */

struct oi_search {
    ouro_value key;
    uint32_t hash;
    size_t at, entry;       /* the cell where it is, and the entry there */
    /* Between two looks, after somebody was asked: in the entry of this store was this key, which equals the one searched for or not. Held. */
    struct oi_keyed *store;
    size_t used;            /* its entries then */
    ouro_value asked;
    bool equal;
    /* What is to be asked about next, held; or what is left of a hold that failed. */
    struct oi_keyed *next_store;
    ouro_value next;
};

/* Hashes the key. */
ouro_status oi_search_begin(struct oi_search *search, ouro_value key);

/* With a hash that is known. */
void oi_search_begin_hashed(struct oi_search *search, ouro_value key, uint32_t hash);

/* Drops what it holds. Not in a turn or section. */
void oi_search_end(struct oi_search *search);

/* Searches a store, in a read section or a turn, or of a private dict. */
enum oi_probe oi_search_in(struct oi_search *search, const struct oi_keyed *store);

/* After OI_UNSURE, in the same section or turn: holds what is to be compared, or makes the search begin anew if that has gone. */
void oi_search_hold(struct oi_search *search, struct oi_keyed *store, bool own);

/* Then, in neither: compares. */
ouro_status oi_search_ask(struct oi_search *search);

/* Looks a key up. value NULL: only whether it is there. Else its value, new; of stride 1, the key that is there. OURO_E_KEY. */
ouro_status oi_dict_find(struct oi_dict *dict, ouro_value key, ouro_value *value);

/* The same, of a shared dict, with the hash that the key has in this one. */
ouro_status oi_dict_find_hashed(struct oi_dict *dict, ouro_value key, uint32_t hash, ouro_value *value);

/* In a read section: is an entry that was found in the store (K3)? word not NULL: and what is in its slot, with a reference. OI_UNSURE: look again, from
 * the dict on. */
enum oi_probe oi_dict_read(const struct oi_dict *dict, const struct oi_keyed *store, size_t entry, const ouro_slot *slot, ouro_value *word);

/* In a read section: of an entry, the key or the value (in *first), or both, with references. OI_UNSURE: look again; what it took all the same
 * is there, or nil. */
enum oi_probe oi_dict_read_entry(const struct oi_dict *dict, const struct oi_keyed *store, size_t entry, ouro_part part, ouro_value *first,
                                 ouro_value *second);

/* For readers, in a read section: the store, and how many entries are used while it was the dict's. As oi_list_look. */
const struct oi_keyed *oi_dict_look(const struct oi_dict *dict, size_t *used);

/* ---- Changing one entry ---- */

enum oi_change_kind {
    OI_PUT,        /* the key has this value now */
    OI_PUT_NEW,    /* unless it had one */
    OI_REPLACE_IF, /* if it had the very word expected */
    OI_TAKE,       /* it is taken out */
    OI_TAKE_IF     /* if it had the very word expected */
};

struct oi_change {
    enum oi_change_kind kind;
    ouro_value key, value; /* of stride 1, value is not used */
    ouro_value expected;
    /* For weak maps. */
    ouro_value stored;     /* in the place of the key, if it is put in; nil: the key itself */
    uint32_t hash;         /* if `hashed`: of the entry */
    bool hashed;
    bool existing;         /* only if the key is there: else OURO_E_KEY */
    /* What came of it. */
    bool was;              /* the key was there */
    bool done;             /* ..._IF: it had the word */
    ouro_value old;        /* new: the value it had, if it was there; ..._IF: nil */
};

/* OURO_E_KEY: the key is not there, and the change is none that puts it in. The dict may be used. */
ouro_status oi_dict_change(struct oi_dict *dict, struct oi_change *change, const char *call);

/* Takes out what came in first or last, both as new values. OURO_E_KEY: nothing is there. */
ouro_status oi_dict_take_end(struct oi_dict *dict, bool first, ouro_value *key, ouro_value *value);

/* Takes out the entry of this hash that has this very word as key or value, if there is one. Its key's death takes it out of a weak map: that does
 * not change the version. */
void oi_dict_take_word(struct oi_dict *dict, uint32_t hash, ouro_value word);

void oi_dict_clear(struct oi_dict *dict);

/* ---- All entries ---- */

size_t oi_dict_count(const struct oi_dict *dict);

/* Keys and values in turn (of stride 1, keys), as they were at one moment. */
ouro_status oi_dict_snapshot(struct oi_dict *dict, struct oi_snapshot *snapshot);

/* Keys with values: the i-th are keys[i * step] and values[i * step]. Of stride 1, values is NULL. */
struct oi_pairs {
    const ouro_value *keys, *values;
    size_t count, step;
};

/* OI_PUT for all (of stride 1: OI_PUT_NEW), at one moment. */
ouro_status oi_dict_put_all(struct oi_dict *dict, const struct oi_pairs *pairs, const char *call);

/* The same one by one: for a dict that nobody else can reach, and that is dropped if this fails. */
ouro_status oi_dict_fill(struct oi_dict *fresh, const struct oi_pairs *pairs, const char *call);

/* Gives a dict that has nothing, and that nobody else can reach, room. */
ouro_status oi_dict_make_room(struct oi_dict *dict, size_t room);

/* 1 or 2: slots of an entry. */
static inline unsigned oi_dict_stride(const struct oi_dict *dict)
{
    uint32_t id = OI_TYPE_ID(oi_type_word(&dict->object));
    return id == OI_OWN_SET || id == OI_OWN_WEAK_SET ? 1 : 2;
}
