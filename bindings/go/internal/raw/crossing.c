/* SPDX-License-Identifier: MIT */
#include "crossing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "callbacks.h"

_Thread_local uint64_t ouro_go_failure;

/* ---- hosts' objects ---- */

/* A Go value has one handle for as long as the library holds it, so handles compare as the values do (host.go). */
static ouro_status hash_handle(uint64_t handle, uint64_t *hash)
{
    handle *= 0x9e3779b97f4a7c15u;
    *hash = handle ^ handle >> 29;
    return OURO_OK;
}

static ouro_status equal_handle(uint64_t a, uint64_t b, bool *equal)
{
    *equal = a == b;
    return OURO_OK;
}

static ouro_status compare_int64(uint64_t a, uint64_t b, int *order)
{
    *order = ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
    return OURO_OK;
}

static ouro_status compare_uint64(uint64_t a, uint64_t b, int *order)
{
    *order = (a > b) - (a < b);
    return OURO_OK;
}

static ouro_status repr_number(const char *text, int size, char *buffer, size_t room, size_t *out)
{
    memcpy(buffer, text, (size_t)size < room ? (size_t)size : room);
    *out = (size_t)size;
    return OURO_OK;
}

static ouro_status repr_int64(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    char text[24];
    return repr_number(text, snprintf(text, sizeof text, "%" PRId64, (int64_t)handle), buffer, room, size);
}

static ouro_status repr_uint64(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    char text[24];
    return repr_number(text, snprintf(text, sizeof text, "%" PRIu64, handle), buffer, room, size);
}

static ouro_status repr_go(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    int64_t all = ouroGoRepr(handle, buffer, room);
    *size = all < 0 ? 0 : (size_t)all;
    return all < 0 ? OURO_E_HOST : OURO_OK;
}

const ouro_host_class ouro_go_class = {
    .size = sizeof(ouro_host_class), .name = "go", .dispose = ouro_go_dispose, .hash = hash_handle, .equal = equal_handle, .repr = repr_go};
const ouro_host_class ouro_go_int64_class = {
    .size = sizeof(ouro_host_class), .name = "int", .hash = hash_handle, .equal = equal_handle, .compare = compare_int64, .repr = repr_int64};
const ouro_host_class ouro_go_uint64_class = {
    .size = sizeof(ouro_host_class), .name = "uint", .hash = hash_handle, .equal = equal_handle, .compare = compare_uint64, .repr = repr_uint64};

/* ---- from C ---- */

static struct ouro_go_item number(uint64_t tag, uint64_t data, ouro_value value)
{
    OURO_GO_CALL(); /* the last reference may run a finalizer */
    ouro_value_release(value);
    return (struct ouro_go_item){tag, data, 0};
}

struct ouro_go_item ouro_go_show_object(ouro_value value)
{
    ouro_kind kind = ouro_kind_of(value);
    struct ouro_go_item item = {value | (uint64_t)kind << OURO_GO_KIND_SHIFT, 0, 0};
    switch (kind) {
    case OURO_KIND_FLOAT: {
        double content = ouro_float_value(value);
        memcpy(&item.data, &content, sizeof item.data);
        return number(OURO_GO_FLOAT, item.data, value);
    }
    case OURO_KIND_STRING:
        item.data = (uintptr_t)ouro_string_data(value, &item.size);
        return item;
    case OURO_KIND_BYTES:
        item.data = (uintptr_t)ouro_bytes_data(value, &item.size);
        return item;
    case OURO_KIND_HOST: {
        const ouro_host_class *class = ouro_host_class_of(value);
        item.data = ouro_host_handle(value);
        if (class == &ouro_go_int64_class)
            return number(OURO_GO_INT64, item.data, value);
        if (class == &ouro_go_uint64_class)
            return number(OURO_GO_UINT64, item.data, value);
        if (class != &ouro_go_class)
            item.word = value | (uint64_t)OURO_KIND_OBJECT << OURO_GO_KIND_SHIFT;
        break;
    }
    default:
        break;
    }
    ouro_value_share(value);
    return item;
}

struct ouro_go_answer ouro_go_answer_object(ouro_value value)
{
    struct ouro_go_answer answer;
    answer.item = ouro_go_show_object(value);
    uint64_t kind = answer.item.word >> OURO_GO_KIND_SHIFT;
    bool text = kind == OURO_KIND_STRING || kind == OURO_KIND_BYTES;
    if (!ouro_go_is_tag(answer.item.word) && text && answer.item.size <= sizeof answer.text) {
        memcpy(answer.text, (const void *)(uintptr_t)answer.item.data, answer.item.size);
        answer.item.word = kind == OURO_KIND_STRING ? OURO_GO_STRING : OURO_GO_BYTES;
        OURO_GO_CALL();
        ouro_value_release(value);
    }
    return answer;
}

/* ---- to C ---- */

ouro_status ouro_go_make(uint64_t word, uint64_t data, const char *text, ouro_value *value)
{
    double number;
    ouro_status status;
    *value = OURO_NIL;
    OURO_GO_CALL();
    switch (word) {
    case OURO_GO_FLOAT:
        memcpy(&number, &data, sizeof number);
        *value = ouro_float_new(number);
        status = *value ? OURO_OK : OURO_E_NOMEM;
        break;
    case OURO_GO_STRING:
        status = ouro_string_new(text, data, value);
        break;
    case OURO_GO_BYTES:
        status = ouro_bytes_new(text, data, value);
        break;
    case OURO_GO_HOST:
        status = ouro_host_new(&ouro_go_class, data, 0, value);
        if (status != OURO_OK)
            ouroGoDispose(data);
        break;
    case OURO_GO_INT64:
        status = ouro_host_new(&ouro_go_int64_class, data, 0, value);
        break;
    case OURO_GO_UINT64:
        status = ouro_host_new(&ouro_go_uint64_class, data, 0, value);
        break;
    default:
        status = OURO_E_INVALID;
    }
    if (status == OURO_OK)
        ouro_value_share(*value);
    return status;
}

static const uint64_t *item_at(const uint64_t *words, size_t i)
{
    return words + 1 + 3 * i;
}

void ouro_go_take_all(struct ouro_go_arguments *to, const uint64_t *words, size_t groups)
{
    size_t all = words[0];
    to->count = all / groups;
    to->groups = groups;
    to->words = words;
    to->status = OURO_OK;
    to->values = all <= sizeof to->few / sizeof *to->few ? to->few : malloc(all * sizeof *to->values);
    if (!to->values)
        to->status = OURO_E_NOMEM;
    for (size_t i = 0; i < all; i++) {
        const uint64_t *item = item_at(words, i);
        ouro_value value = item[0];
        if (ouro_go_is_tag(item[0])) {
            const char *text = (const char *)words + item[1];
            bool sized = item[0] == OURO_GO_STRING || item[0] == OURO_GO_BYTES;
            value = OURO_NIL;
            if (to->status == OURO_OK) {
                to->status = ouro_go_make(item[0], sized ? item[2] : item[1], text, &value);
                to->at = i + 1;
            } else if (item[0] == OURO_GO_HOST) {
                ouroGoDispose(item[1]);
            }
        }
        if (to->values)
            to->values[i % groups * to->count + i / groups] = value;
    }
}

void ouro_go_drop_all(struct ouro_go_arguments *arguments)
{
    size_t groups = arguments->groups, count = arguments->count;
    if (!arguments->values)
        return;
    for (size_t i = 0; i < groups * count; i++) {
        if (ouro_go_is_tag(item_at(arguments->words, i)[0]))
            ouro_value_release(arguments->values[i % groups * count + i / groups]);
    }
    if (arguments->values != arguments->few)
        free(arguments->values);
}
