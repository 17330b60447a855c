/* SPDX-License-Identifier: MIT */
#include "library.h"

/* COUNT times: how many of them gave OURO_OK, and what is expected. */
#define TIMES(count, call, right)             \
    long good = 0;                            \
    for (long i = 0; i < count; i++)          \
        good += (call) == OURO_OK && (right); \
    return good

static long native_list_length(ouro_value list, long times)
{
    size_t length = 0;
    TIMES(times, ouro_list_length(list, &length), length > 0);
}

static long native_list_get(ouro_value list, long times)
{
    ouro_value item = OURO_NIL;
    TIMES(times, ouro_list_get(list, 0, &item), ouro_is_int(item));
}

static long native_list_set(ouro_value list, long times)
{
    TIMES(times, ouro_list_set(list, 0, ouro_int_new(i)), true);
}

static long native_list_append(ouro_value list, long times)
{
    TIMES(times, ouro_list_append(list, ouro_int_new(i)), true);
}

static long native_dict_get(ouro_value dict, ouro_value key, long times)
{
    ouro_value found = OURO_NIL;
    TIMES(times, ouro_dict_get(dict, key, &found), ouro_is_int(found));
}

static long native_dict_set(ouro_value dict, ouro_value key, long times)
{
    TIMES(times, ouro_dict_set(dict, key, ouro_int_new(i)), true);
}
