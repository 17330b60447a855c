/* SPDX-License-Identifier: MIT
 *
 * What the files of this layer share: the types of its objects, kinds, and what each kind can do.
 *
 * Values are ordinary users of the object layer. Those that are immutable are filled in between ouro_new and the return to the caller, with
 * plain stores: nobody else can reach them then. (But the collector may look at the slots of what an unbiased thread makes, which is
 * published from birth: oi_fill in value/contents.h.) */
#pragma once

#include "ouro_value.h"

#include "lib_object_act.h"

/* Ids of the types, from OI_OWN_WEAK + 1 on. A kind may have several. */
enum oi_own_id {
    OI_OWN_FLOAT = OI_OWN_WEAK + 1,
    OI_OWN_STRING,
    OI_OWN_INTERNED,   /* a string that is in the table of interned ones */
    OI_OWN_BYTES,
    OI_OWN_TUPLE,
    OI_OWN_FLAT_TUPLE, /* a tuple through which no cycle can pass */
    OI_OWN_SHAPE,
    OI_OWN_RECORD,
    OI_OWN_HOST,
    OI_OWN_HOST_WITH_REFERENCES,
    OI_OWN_LIST,
    OI_OWN_DICT,
    OI_OWN_SET,
    OI_OWN_ITERATOR,
    OI_OWN_WEAK_MAP,
    OI_OWN_WEAK_SET,
    OI_OWN_WEAK_ENTRY, /* what weak maps and sets hold in the place of what they do not hold */
    OI_OWN_GENERATOR,  /* an iterator */
    OI_OWN_STORE,      /* the elements of a list */
    OI_OWN_KEYED,      /* the entries of a dict or set */
    OI_OWN_VALUES_END
};
_Static_assert(OI_OWN_VALUES_END <= OI_OWN_TYPES, "there are ids for all");

/* Values in memory that may be slots. */
typedef ouro_value oi_word_array __attribute__((may_alias));

extern const uint8_t oi_kind_of_id[OI_OWN_TYPES];

/* What a value is. Of a dead object: OURO_KIND_OBJECT. Words that are no value count as nil. */
static inline ouro_kind oi_kind_of(ouro_value value)
{
    if (value & OURO_PRIVATE_TAG)
        return ouro_is_int(value) ? OURO_KIND_INT : ouro_is_bool(value) ? OURO_KIND_BOOL : OURO_KIND_NIL;
    if (!value)
        return OURO_KIND_NIL;
    uint32_t id = OI_TYPE_ID(oi_type_word((ouro_object *)oi_word(value)));
    return id < OI_OWN_TYPES ? (ouro_kind)oi_kind_of_id[id] : OURO_KIND_OBJECT;
}

/* The id of the type of an object; 0 of what is none. */
static inline uint32_t oi_id_of(ouro_value value)
{
    return ouro_is_object(value) ? OI_TYPE_ID(oi_type_word((ouro_object *)oi_word(value))) : 0;
}

/* The elements of a container at one moment: of a dict or weak map, keys and values in turn. See value/contents.h. */
struct oi_snapshot {
    const ouro_value *items; /* borrowed from the snapshot */
    size_t count;
    ouro_value *owned;       /* malloced, and each of them retained; NULL: the container keeps them */
};

/* What the kinds of containers can do; NULL: they cannot. */
struct oi_kind_ops {
    /* Elements at one moment. The value is of this kind. */
    ouro_status (*snapshot)(ouro_value container, struct oi_snapshot *snapshot);
    ouro_status (*length)(ouro_value container, size_t *length);

    /* Of what is compared regardless of order: the value of a key (of a set: the element), new. OURO_E_KEY. */
    ouro_status (*find)(ouro_value container, ouro_value key, ouro_value *value);

    /* Copies: a container like this one, without its contents, and then these put into it, once, before anybody else sees it. Fixed lengths
     * are `count`. */
    ouro_status (*make)(ouro_value like, size_t count, ouro_value *empty);
    ouro_status (*fill)(ouro_value empty, const ouro_value *items, size_t count);

    /* When two of this kind are equal: if they are one; if their elements are, one by one; if each element of one is found in the other, with
     * an equal value. And then only if they are alike, where that is asked. */
    enum { OI_BY_IDENTITY, OI_IN_ORDER, OI_BY_KEY } equality;
    bool (*alike)(ouro_value a, ouro_value b);
    /* They have an order, that of their elements. */
    bool ordered;
    /* The elements of a snapshot are pairs. */
    bool pairs;
    /* What it holds is fixed, and so is it: ouro_copy gives the value itself. */
    bool immutable;
    /* How repr shows it; NULL: <type name>. */
    const char *opening, *closing, *empty;
};

/* [kind]; NULL: no container. A kind of container is entered here, and there is nothing else to do for it to be compared, copied and
 * shown. */
extern const struct oi_kind_ops *const oi_kind_ops[OURO_KIND_OBJECT + 1];

extern const struct oi_kind_ops oi_tuple_ops, oi_record_ops, oi_string_ops, oi_bytes_ops, oi_list_ops, oi_dict_ops, oi_set_ops,
    oi_weak_map_ops, oi_weak_set_ops;

/* At start: registers the types; again has no effect. False: out of memory. */
bool oi_value_init(void);

/* Fits the layer's tables to what is in them. In the background thread. */
void oi_value_maintain(void);

/* *out = value, retained. OURO_E_USAGE: it is private to another thread, or dead; reported as misuse. */
static inline ouro_status oi_retain_into(ouro_value value, ouro_value *out)
{
    *out = ouro_value_retain(value);
    return OI_LIKELY(*out == value) ? OURO_OK : OURO_E_USAGE;
}
