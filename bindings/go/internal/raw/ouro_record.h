/* SPDX-License-Identifier: MIT
 *
 * Records: a name and named fields, fixed when the record is made, and a value for each, which may change. All records of one name and
 * the same fields in the same order have one shape, whoever made them; a shape lives as long as somebody uses it. The rules of
 * <ouro/value.h> hold. */
#ifndef OURO_RECORD_H
#define OURO_RECORD_H

#include "ouro_value.h"

#define OURO_RECORD_FIELDS_MAX 65535

OURO_BEGIN_DECLS

/* The shape of this name (a string) and these fields (strings, each other than the rest). It is immutable and shared from birth. OURO_E_INVALID: a
 * field comes twice, or there are too many. */
OURO_API OURO_NODISCARD ouro_status ouro_shape_new(ouro_value name, const ouro_value *fields, size_t count, ouro_value *shape);
/* The number of fields. */
OURO_API OURO_NODISCARD ouro_status ouro_shape_length(ouro_value shape, size_t *length);
OURO_API OURO_NODISCARD ouro_status ouro_shape_name(ouro_value shape, ouro_value *name);
/* The name of a field. OURO_E_INDEX. */
OURO_API OURO_NODISCARD ouro_status ouro_shape_field(ouro_value shape, size_t index, ouro_value *field);
/* The place of a field. OURO_E_KEY. O(1) on average. */
OURO_API OURO_NODISCARD ouro_status ouro_shape_index(ouro_value shape, ouro_value field, size_t *index);

/* A record: one value for each field of the shape; values NULL: all are nil. */
OURO_API OURO_NODISCARD ouro_status ouro_record_new(ouro_value shape, const ouro_value *values, ouro_value *record);
/* Shape and record in one call. */
OURO_API OURO_NODISCARD ouro_status ouro_record_from(ouro_value name, const ouro_value *fields, const ouro_value *values, size_t count,
                                                     ouro_value *record);
OURO_API OURO_NODISCARD ouro_status ouro_record_shape(ouro_value record, ouro_value *shape);
OURO_API OURO_NODISCARD ouro_status ouro_record_length(ouro_value record, size_t *length);

/* By the field's name. OURO_E_KEY: there is no such field. Waits for nobody. */
OURO_API OURO_NODISCARD ouro_status ouro_record_get(ouro_value record, ouro_value field, ouro_value *value);
OURO_API OURO_NODISCARD ouro_status ouro_record_set(ouro_value record, ouro_value field, ouro_value value);
OURO_API OURO_NODISCARD ouro_status ouro_record_swap(ouro_value record, ouro_value field, ouro_value value, ouro_value *old);
/* If the field holds the very word expected, value takes its place: *done. */
OURO_API OURO_NODISCARD ouro_status ouro_record_compare_set(ouro_value record, ouro_value field, ouro_value expected, ouro_value value, bool *done);

/* By the field's place, as ouro_shape_index has it. OURO_E_INDEX. */
OURO_API OURO_NODISCARD ouro_status ouro_record_get_at(ouro_value record, size_t index, ouro_value *value);
OURO_API OURO_NODISCARD ouro_status ouro_record_set_at(ouro_value record, size_t index, ouro_value value);

OURO_END_DECLS
#endif
