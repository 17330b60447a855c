/* SPDX-License-Identifier: MIT */
#include "calls.h"

/* The values lie at the beginning of the items' own memory; the items are made from the last one on, so that none covers a value that is still
 * to be looked at. */
static uint64_t show_all(struct ouro_go_item *items, size_t count)
{
    const char *values = (const char *)items;
    for (size_t i = count; i-- > 0;) {
        ouro_value value;
        memcpy(&value, values + i * sizeof value, sizeof value);
        items[i] = ouro_go_show(value);
    }
    return ouro_int_new((int64_t)count);
}

static uint64_t shown(ouro_status status, struct ouro_go_item *items, size_t count)
{
    return status == OURO_OK ? show_all(items, count) : ouro_go_error(status);
}

uint64_t ouro_go_list_get_range(uint64_t list, uint64_t start, struct ouro_go_item *items, uint64_t room)
{
    size_t count;
    ouro_status status = ouro_list_get_range(list, start, (ouro_value *)items, room, &count);
    return shown(status, items, count);
}

uint64_t ouro_go_list_get_many(uint64_t list, const int64_t *indexes, struct ouro_go_item *items, uint64_t count)
{
    for (size_t i = 0; i < count; i++) {
        ouro_value value;
        ouro_status status = ouro_list_get(list, indexes[i], &value);
        if (status != OURO_OK) {
            OURO_GO_CALL();
            for (size_t made = i; made-- > 0;)
                if (!ouro_go_is_tag(items[made].word))
                    ouro_value_release(ouro_is_object(items[made].word) ? items[made].word & OURO_GO_REFERENCE : OURO_NIL);
            return ouro_go_error_at(status, i);
        }
        items[i] = ouro_go_show(value);
    }
    return ouro_int_new((int64_t)count);
}

uint64_t ouro_go_tuple_get_range(uint64_t tuple, uint64_t start, struct ouro_go_item *items, uint64_t room)
{
    size_t length, count = 0;
    const ouro_value *values = ouro_tuple_items(tuple, &length);
    if (!values)
        return ouro_go_error(OURO_E_TYPE);
    for (size_t i = start; i < length && count < room; i++)
        items[count++] = ouro_go_show(ouro_value_retain(values[i]));
    return ouro_int_new((int64_t)count);
}

uint64_t ouro_go_iterator_next_all(uint64_t iterator, struct ouro_go_item *items, uint64_t room)
{
    size_t count;
    OURO_GO_CALL();
    ouro_status status = ouro_iterator_next_all(iterator, (ouro_value *)items, room, &count);
    return shown(status, items, count);
}

uint64_t ouro_go_iterator_next_pairs(uint64_t iterator, struct ouro_go_item *items, uint64_t room)
{
    size_t count = 0;
    OURO_GO_CALL();
    while (count < room) {
        ouro_value key, value;
        ouro_status status = ouro_iterator_next_pair(iterator, &key, &value);
        if (status != OURO_OK) {
            if (count)
                break; /* it will say so again */
            return ouro_go_error(status);
        }
        items[count++] = ouro_go_show(key);
        items[count++] = ouro_go_show(value);
    }
    return ouro_int_new((int64_t)count);
}

void ouro_go_release_texts(const struct ouro_go_item *items, uint64_t count)
{
    OURO_GO_CALL();
    for (size_t i = 0; i < count; i++) {
        uint64_t word = items[i].word, kind = word >> OURO_GO_KIND_SHIFT;
        bool copied = kind == OURO_KIND_STRING || kind == OURO_KIND_BYTES || kind == OURO_KIND_HOST;
        if ((word & 3) == 0 && copied)
            ouro_value_release(word & OURO_GO_REFERENCE);
    }
}
