//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_number.h"

#include <math.h>

#define TWO_61 2305843009213693952.0 /* integers lie in [-TWO_61, TWO_61) */

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_int_float(int64_t a, double b)
{
    if (!(b == b))
        return OURO_UNORDERED;
    if (b >= TWO_61)
        return -1;
    if (b < -TWO_61)
        return 1;
    int64_t whole = (int64_t)b; /* towards zero: what is left decides if the whole parts are equal */
    double rest = b - (double)whole;
    int wholes = order(a, whole);
    return wholes ? wholes : rest > 0 ? -1 : rest < 0;
}

int oi_number_compare(ouro_value a, ouro_value b)
{
    if (ouro_is_int(a) && ouro_is_int(b))
        return order(ouro_int_value(a), ouro_int_value(b));
    if (ouro_is_int(a))
        return compare_int_float(ouro_int_value(a), oi_float_number(b));
    if (ouro_is_int(b)) {
        int reversed = compare_int_float(ouro_int_value(b), oi_float_number(a));
        return reversed == OURO_UNORDERED ? OURO_UNORDERED : -reversed;
    }
    double x = oi_float_number(a), y = oi_float_number(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : OURO_UNORDERED;
}

uint64_t oi_number_hash(ouro_value value)
{
    if (ouro_is_int(value))
        return oi_hash_mix(value, 0);
    double number = oi_float_number(value);
    if (number >= -TWO_61 && number < TWO_61 && number == (double)(int64_t)number)
        return oi_hash_mix(ouro_int_new((int64_t)number), 0);
    uint64_t bits;
    if (number == number)
        __builtin_memcpy(&bits, &number, sizeof bits);
    else
        bits = 0x7ff8000000000000; /* all NaN are one key */
    return oi_hash_mix(bits, 1);
}

/* ---- The type ---- */

static ouro_type float_type = OURO_TYPE(struct oi_float, .name = "float", .flags = OI_TYPE_OWN);

bool oi_number_init(void)
{
    return oi_type_register_own(&float_type, OI_OWN_FLOAT, NULL);
}

ouro_value ouro_float_new(double number)
{
    struct oi_float *o = ouro_new(&float_type);
    if (o)
        o->number = number;
    return ouro_value_of(o);
}

double ouro_float_value(ouro_value value)
{
    switch (oi_kind_of(value)) {
    case OURO_KIND_FLOAT:
        return oi_float_number(value);
    case OURO_KIND_INT:
        return (double)ouro_int_value(value);
    default:
        return NAN;
    }
}
