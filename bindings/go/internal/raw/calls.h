/* SPDX-License-Identifier: MIT
 *
 * The calls that programs make most, with whatever values go in and out in the same crossing. All others are SWIG's (raw.go). */
#ifndef OURO_GO_CALLS_H
#define OURO_GO_CALLS_H

#include "crossing.h"

/* An argument takes three parameters: `uint64_t a, uint64_t a_data, const char *a_text`. */
#define ANY(a) uint64_t a, uint64_t a##_data, const char *a##_text

/* A call with one such argument, or two, that gives a status, and perhaps a result. */
#define WITH(a, call)                                                    \
    struct ouro_go_argument a##_arg = ouro_go_take(a, a##_data, a##_text); \
    ouro_status status = a##_arg.status;                                 \
    ouro_value a##_value = a##_arg.value;                                \
    if (OURO_LIKELY(status == OURO_OK))                                  \
        status = call;                                                   \
    ouro_go_drop(a##_arg)

#define WITH_TWO(a, b, call)                                             \
    struct ouro_go_argument a##_arg = ouro_go_take(a, a##_data, a##_text); \
    struct ouro_go_argument b##_arg = ouro_go_take(b, b##_data, b##_text); \
    ouro_status status = a##_arg.status ? a##_arg.status : b##_arg.status; \
    ouro_value a##_value = a##_arg.value, b##_value = b##_arg.value;     \
    if (OURO_LIKELY(status == OURO_OK))                                  \
        status = call;                                                   \
    ouro_go_drop(a##_arg);                                               \
    ouro_go_drop(b##_arg)

/* ---- any value ---- */

static inline void ouro_go_empty(void)
{
}

static inline void ouro_go_release(uint64_t value)
{
    OURO_GO_CALL();
    ouro_value_release(value);
}

static inline void ouro_go_retain(uint64_t value)
{
    ouro_value_retain(value);
}

/* A value for an argument, new. */
static inline uint64_t ouro_go_new(ANY(a))
{
    ouro_value value;
    ouro_status status = ouro_go_make(a, a_data, a_text, &value);
    return status == OURO_OK ? value : ouro_go_error(status);
}

/* What a new reference is; it is taken over. */
static inline struct ouro_go_answer ouro_go_describe(uint64_t value)
{
    return ouro_go_answer(OURO_OK, &value);
}

/* ---- lists and tuples ---- */

static inline struct ouro_go_answer ouro_go_list_get(uint64_t list, int64_t index)
{
    ouro_value item;
    return ouro_go_answer(ouro_list_get(list, index, &item), &item);
}

static inline uint64_t ouro_go_list_set(uint64_t list, int64_t index, ANY(a))
{
    OURO_GO_CALL();
    WITH(a, ouro_list_set(list, index, a_value));
    return ouro_go_status(status);
}

static inline struct ouro_go_answer ouro_go_list_swap(uint64_t list, int64_t index, ANY(a))
{
    ouro_value old;
    OURO_GO_CALL();
    WITH(a, ouro_list_swap(list, index, a_value, &old));
    return ouro_go_answer(status, &old);
}

static inline uint64_t ouro_go_list_append(uint64_t list, ANY(a))
{
    OURO_GO_CALL();
    WITH(a, ouro_list_append(list, a_value));
    return ouro_go_status(status);
}

static inline uint64_t ouro_go_list_insert(uint64_t list, int64_t index, ANY(a))
{
    OURO_GO_CALL();
    WITH(a, ouro_list_insert(list, index, a_value));
    return ouro_go_status(status);
}

static inline struct ouro_go_answer ouro_go_list_pop(uint64_t list, int64_t index)
{
    ouro_value item;
    OURO_GO_CALL();
    return ouro_go_answer(ouro_list_pop(list, index, &item), &item);
}

static inline struct ouro_go_answer ouro_go_tuple_get(uint64_t tuple, int64_t index)
{
    ouro_value item;
    return ouro_go_answer(ouro_tuple_get(tuple, index, &item), &item);
}

/* ---- dicts ---- */

static inline struct ouro_go_answer ouro_go_dict_get(uint64_t dict, ANY(k))
{
    ouro_value found;
    WITH(k, ouro_dict_get(dict, k_value, &found));
    return ouro_go_answer(status, &found);
}

static inline uint64_t ouro_go_dict_has(uint64_t dict, ANY(k))
{
    bool has;
    WITH(k, ouro_dict_has(dict, k_value, &has));
    return status == OURO_OK ? ouro_bool_new(has) : ouro_go_error(status);
}

static inline uint64_t ouro_go_dict_set(uint64_t dict, ANY(k), ANY(v))
{
    OURO_GO_CALL();
    WITH_TWO(k, v, ouro_dict_set(dict, k_value, v_value));
    return ouro_go_status(status);
}

/* The second is whether there was an old value. */
static inline struct ouro_go_pair ouro_go_dict_swap(uint64_t dict, ANY(k), ANY(v))
{
    ouro_value old;
    bool was;
    struct ouro_go_pair pair;
    OURO_GO_CALL();
    WITH_TWO(k, v, ouro_dict_swap(dict, k_value, v_value, &was, &old));
    pair.first = ouro_go_answer(status, &old);
    pair.second.item.word = ouro_bool_new(status == OURO_OK && was);
    return pair;
}

static inline struct ouro_go_answer ouro_go_dict_setdefault(uint64_t dict, ANY(k), ANY(v))
{
    ouro_value now;
    OURO_GO_CALL();
    WITH_TWO(k, v, ouro_dict_setdefault(dict, k_value, v_value, &now));
    return ouro_go_answer(status, &now);
}

static inline uint64_t ouro_go_dict_delete(uint64_t dict, ANY(k))
{
    OURO_GO_CALL();
    WITH(k, ouro_dict_delete(dict, k_value));
    return ouro_go_status(status);
}

static inline struct ouro_go_answer ouro_go_dict_pop(uint64_t dict, ANY(k))
{
    ouro_value found;
    OURO_GO_CALL();
    WITH(k, ouro_dict_pop(dict, k_value, &found));
    return ouro_go_answer(status, &found);
}

static inline struct ouro_go_pair ouro_go_answer_pair(ouro_status status, ouro_value first, ouro_value second)
{
    struct ouro_go_pair pair;
    pair.first = ouro_go_answer(status, &first);
    if (status == OURO_OK)
        pair.second = ouro_go_answer(status, &second);
    return pair;
}

static inline struct ouro_go_pair ouro_go_dict_pop_item(uint64_t dict, int first)
{
    ouro_value key, value;
    OURO_GO_CALL();
    ouro_status status = ouro_dict_pop_item(dict, first, &key, &value);
    return ouro_go_answer_pair(status, key, value);
}

/* ---- sets ---- */

static inline uint64_t ouro_go_set_has(uint64_t set, ANY(a))
{
    bool has;
    WITH(a, ouro_set_has(set, a_value, &has));
    return status == OURO_OK ? ouro_bool_new(has) : ouro_go_error(status);
}

static inline uint64_t ouro_go_set_add(uint64_t set, ANY(a))
{
    bool added;
    OURO_GO_CALL();
    WITH(a, ouro_set_add(set, a_value, &added));
    return status == OURO_OK ? ouro_bool_new(added) : ouro_go_error(status);
}

static inline uint64_t ouro_go_set_discard(uint64_t set, ANY(a))
{
    bool removed;
    OURO_GO_CALL();
    WITH(a, ouro_set_discard(set, a_value, &removed));
    return status == OURO_OK ? ouro_bool_new(removed) : ouro_go_error(status);
}

static inline struct ouro_go_answer ouro_go_set_pop(uint64_t set)
{
    ouro_value item;
    OURO_GO_CALL();
    return ouro_go_answer(ouro_set_pop(set, &item), &item);
}

/* ---- weak maps ---- */

static inline struct ouro_go_answer ouro_go_weak_map_get(uint64_t map, ANY(k))
{
    ouro_value found;
    WITH(k, ouro_weak_map_get(map, k_value, &found));
    return ouro_go_answer(status, &found);
}

static inline uint64_t ouro_go_weak_map_set(uint64_t map, ANY(k), ANY(v))
{
    OURO_GO_CALL();
    WITH_TWO(k, v, ouro_weak_map_set(map, k_value, v_value));
    return ouro_go_status(status);
}

static inline struct ouro_go_answer ouro_go_weak_map_setdefault(uint64_t map, ANY(k), ANY(v))
{
    ouro_value now;
    OURO_GO_CALL();
    WITH_TWO(k, v, ouro_weak_map_setdefault(map, k_value, v_value, &now));
    return ouro_go_answer(status, &now);
}

static inline struct ouro_go_answer ouro_go_weak_map_pop(uint64_t map, ANY(k))
{
    ouro_value found;
    OURO_GO_CALL();
    WITH(k, ouro_weak_map_pop(map, k_value, &found));
    return ouro_go_answer(status, &found);
}

/* ---- records ---- */

static inline struct ouro_go_answer ouro_go_record_get(uint64_t record, ANY(f))
{
    ouro_value found;
    WITH(f, ouro_record_get(record, f_value, &found));
    return ouro_go_answer(status, &found);
}

static inline uint64_t ouro_go_record_set(uint64_t record, ANY(f), ANY(v))
{
    OURO_GO_CALL();
    WITH_TWO(f, v, ouro_record_set(record, f_value, v_value));
    return ouro_go_status(status);
}

static inline struct ouro_go_answer ouro_go_record_swap(uint64_t record, ANY(f), ANY(v))
{
    ouro_value old;
    OURO_GO_CALL();
    WITH_TWO(f, v, ouro_record_swap(record, f_value, v_value, &old));
    return ouro_go_answer(status, &old);
}

/* ---- iterators and weak references ---- */

static inline struct ouro_go_answer ouro_go_iterator_next(uint64_t iterator)
{
    ouro_value value;
    OURO_GO_CALL();
    return ouro_go_answer(ouro_iterator_next(iterator, &value), &value);
}

static inline struct ouro_go_pair ouro_go_iterator_next_pair(uint64_t iterator)
{
    ouro_value key, value;
    OURO_GO_CALL();
    ouro_status status = ouro_iterator_next_pair(iterator, &key, &value);
    return ouro_go_answer_pair(status, key, value);
}

static inline struct ouro_go_answer ouro_go_weak_get(uint64_t weak)
{
    ouro_value target = ouro_value_of(ouro_weak_get((ouro_weak *)ouro_value_object(weak)));
    return ouro_go_answer(OURO_OK, &target);
}

/* ---- many at once: how many there are, or an error. items may be written to in any case ---- */

uint64_t ouro_go_list_get_range(uint64_t list, uint64_t start, struct ouro_go_item *items, uint64_t room);
uint64_t ouro_go_list_get_many(uint64_t list, const int64_t *indexes, struct ouro_go_item *items, uint64_t count);
uint64_t ouro_go_tuple_get_range(uint64_t tuple, uint64_t start, struct ouro_go_item *items, uint64_t room);
uint64_t ouro_go_iterator_next_all(uint64_t iterator, struct ouro_go_item *items, uint64_t room);
/* Keys and values in turn; room is even. */
uint64_t ouro_go_iterator_next_pairs(uint64_t iterator, struct ouro_go_item *items, uint64_t room);

/* Of those whose content Go has copied. */
void ouro_go_release_texts(const struct ouro_go_item *items, uint64_t count);

#endif
