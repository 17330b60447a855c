/* SPDX-License-Identifier: MIT
 *
 * Dicts, sets, and their weak kin. The rules of <ouro/value.h> hold. Keys and elements are compared with ouro_key_equal, so any value will do;
 * a hosts' class may fail to compare or hash, and its status is passed on. Look-ups are O(1) on average. */
#ifndef OURO_MAPPING_H
#define OURO_MAPPING_H

#include <ouro/value.h>

OURO_BEGIN_DECLS

/* ---- Dict: insertion-ordered; giving a key a new value keeps its place ---- */

OURO_API OURO_NODISCARD ouro_value ouro_dict_new(void);
OURO_API OURO_NODISCARD ouro_status ouro_dict_new_with_room(size_t room, ouro_value *dict);
/* keys[i] with values[i]; later ones win. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_from(const ouro_value *keys, const ouro_value *values, size_t count, ouro_value *dict);
OURO_API OURO_NODISCARD ouro_status ouro_dict_length(ouro_value dict, size_t *length);

/* OURO_E_KEY: there is no such key. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_get(ouro_value dict, ouro_value key, ouro_value *value);
/* fallback instead, as a new value. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_get_or(ouro_value dict, ouro_value key, ouro_value fallback, ouro_value *value);
OURO_API OURO_NODISCARD ouro_status ouro_dict_has(ouro_value dict, ouro_value key, bool *has);
OURO_API OURO_NODISCARD ouro_status ouro_dict_set(ouro_value dict, ouro_value key, ouro_value value);
/* As ouro_dict_set for each pair; all at one moment. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_set_all(ouro_value dict, const ouro_value *keys, const ouro_value *values, size_t count);
/* The old value (nil if there was none: *was, which may be NULL, tells). */
OURO_API OURO_NODISCARD ouro_status ouro_dict_swap(ouro_value dict, ouro_value key, ouro_value value, bool *was, ouro_value *old);
/* The key's value; if it had none, value, which it has now. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_setdefault(ouro_value dict, ouro_value key, ouro_value value, ouro_value *now);
/* If the key has the very word expected, value takes its place: *done. OURO_E_KEY. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_compare_set(ouro_value dict, ouro_value key, ouro_value expected, ouro_value value, bool *done);
/* OURO_E_KEY. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_delete(ouro_value dict, ouro_value key);
/* Takes it out. OURO_E_KEY. value may be NULL. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_pop(ouro_value dict, ouro_value key, ouro_value *value);
/* Takes out what came in last, or (first) first. OURO_E_KEY: it is empty. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_pop_item(ouro_value dict, bool first, ouro_value *key, ouro_value *value);
OURO_API OURO_NODISCARD ouro_status ouro_dict_clear(ouro_value dict);
/* Puts in all pairs of another dict, which may be itself. Both at one moment each. */
OURO_API OURO_NODISCARD ouro_status ouro_dict_update(ouro_value dict, ouro_value other);

/* ---- Set: insertion-ordered ---- */

OURO_API OURO_NODISCARD ouro_value ouro_set_new(void);
OURO_API OURO_NODISCARD ouro_status ouro_set_from(const ouro_value *items, size_t count, ouro_value *set);
OURO_API OURO_NODISCARD ouro_status ouro_set_length(ouro_value set, size_t *length);
OURO_API OURO_NODISCARD ouro_status ouro_set_has(ouro_value set, ouro_value item, bool *has);
/* *added (may be NULL): it was not there. */
OURO_API OURO_NODISCARD ouro_status ouro_set_add(ouro_value set, ouro_value item, bool *added);
OURO_API OURO_NODISCARD ouro_status ouro_set_add_all(ouro_value set, const ouro_value *items, size_t count);
/* *removed (may be NULL): it was there. */
OURO_API OURO_NODISCARD ouro_status ouro_set_discard(ouro_value set, ouro_value item, bool *removed);
/* OURO_E_KEY: it was not there. */
OURO_API OURO_NODISCARD ouro_status ouro_set_remove(ouro_value set, ouro_value item);
/* Takes out the element that came in first. OURO_E_KEY: it is empty. */
OURO_API OURO_NODISCARD ouro_status ouro_set_pop(ouro_value set, ouro_value *item);
OURO_API OURO_NODISCARD ouro_status ouro_set_clear(ouro_value set);
/* Puts in what ouro_iterate gives for other. OURO_E_CHANGED. */
OURO_API OURO_NODISCARD ouro_status ouro_set_update(ouro_value set, ouro_value other);

/* New sets, of two sets. */
OURO_API OURO_NODISCARD ouro_status ouro_set_union(ouro_value a, ouro_value b, ouro_value *set);
OURO_API OURO_NODISCARD ouro_status ouro_set_intersection(ouro_value a, ouro_value b, ouro_value *set);
OURO_API OURO_NODISCARD ouro_status ouro_set_difference(ouro_value a, ouro_value b, ouro_value *set);
OURO_API OURO_NODISCARD ouro_status ouro_set_symmetric_difference(ouro_value a, ouro_value b, ouro_value *set);
/* Every element of a is in b. */
OURO_API OURO_NODISCARD ouro_status ouro_set_is_subset(ouro_value a, ouro_value b, bool *is);
OURO_API OURO_NODISCARD ouro_status ouro_set_is_disjoint(ouro_value a, ouro_value b, bool *is);

/* ---- Weak map and weak set: keys (elements) by identity, and not kept alive; an entry goes with its key: what has died is not found any more, and
 * its entry, with the value, goes when a weak callback of the key would be called (<ouro/weak.h>). What is not kept alive is a reference:
 * OURO_E_TYPE for nil, booleans and integers. A value that leads to its own key keeps both, as long as the entry and the map are there. Both are
 * shared from birth: what is put in is published. Iterable; lengths are a moment's reading, which may count what has just died. ---- */

#define OURO_WEAK_KEYS 0x1u
#define OURO_WEAK_VALUES 0x2u /* a value that is not kept alive either: an entry goes with the first of the two that goes */

/* flags: which side is weak, or both. With weak values only, keys are compared with ouro_key_equal, and any value will do as one. */
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_new(unsigned flags, ouro_value *map);
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_length(ouro_value map, size_t *length);
/* OURO_E_KEY. */
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_get(ouro_value map, ouro_value key, ouro_value *value);
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_has(ouro_value map, ouro_value key, bool *has);
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_set(ouro_value map, ouro_value key, ouro_value value);
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_setdefault(ouro_value map, ouro_value key, ouro_value value, ouro_value *now);
/* OURO_E_KEY, also when the value has died. Either way the key is out: a value that reads as gone for a moment only (<ouro/weak.h>) does not come
 * back. */
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_delete(ouro_value map, ouro_value key);
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_pop(ouro_value map, ouro_value key, ouro_value *value);
OURO_API OURO_NODISCARD ouro_status ouro_weak_map_clear(ouro_value map);

OURO_API OURO_NODISCARD ouro_value ouro_weak_set_new(void);
OURO_API OURO_NODISCARD ouro_status ouro_weak_set_length(ouro_value set, size_t *length);
OURO_API OURO_NODISCARD ouro_status ouro_weak_set_has(ouro_value set, ouro_value item, bool *has);
OURO_API OURO_NODISCARD ouro_status ouro_weak_set_add(ouro_value set, ouro_value item, bool *added);
OURO_API OURO_NODISCARD ouro_status ouro_weak_set_discard(ouro_value set, ouro_value item, bool *removed);
OURO_API OURO_NODISCARD ouro_status ouro_weak_set_clear(ouro_value set);

OURO_END_DECLS
#endif
