/* SPDX-License-Identifier: MIT
 *
 * Values for tests. What makes one ends the test if it cannot. */
#ifndef TESTS_SUPPORT_VALUES_H
#define TESTS_SUPPORT_VALUES_H

#include <ouro/value.h>

#include "support/fixture.h"

/* New. */
ouro_value text(const char *utf8);
ouro_value number(double number);
ouro_value tuple_of(size_t count, ...); /* ouro_values, whose references it takes over */
ouro_value record_of(const char *name, size_t count, ...); /* for each field: its name (a C string), its value (taken over) */
ouro_value interned(const char *utf8);

#define INT(n) ouro_int_new(n)

/* The status of a call, and that its result is empty after a failure. */
#define CHECK_OK(call) CHECK_EQ((call), OURO_OK)

/* How a value shows; the value is not released. */
#define CHECK_REPR(value, expected) values_check_repr((value), (expected), __FILE__, __LINE__)
void values_check_repr(ouro_value value, const char *expected, const char *file, int line);

bool equal(ouro_value a, ouro_value b);
bool key_equal(ouro_value a, ouro_value b);
uint64_t hash_of(ouro_value value);
int order(ouro_value a, ouro_value b);

#endif
