/* SPDX-License-Identifier: MIT
 *
 * Hosts' objects: values that stand for objects of a host language, each by a handle of 64 bits. The rules of <ouro/value.h> hold. */
#ifndef OURO_HOST_H
#define OURO_HOST_H

#include "ouro_value.h"

OURO_BEGIN_DECLS

/* What the host says of one class of its objects. Data that outlives every object made from it and does not change.
 *
 * Callbacks come on whatever thread the operation is called on, with no lock of the library held; they may call any ouro function. They
 * return OURO_OK or what the operation is to return: OURO_E_HOST if the host keeps the details, such as an exception. NULL: the default. */
typedef struct ouro_host_class {
    size_t size;      /* = sizeof(ouro_host_class) */
    const char *name; /* for repr, reports and ouro_value_type_name; UTF-8 */

    /* The value has died: the host drops its object. Once; on the thread that dropped the last reference, or on the finalizer thread for
     * garbage cycles: when and where a finalizer would run (<ouro/object.h>), so never inside another or in a read section. */
    void (*dispose)(uint64_t handle);

    /* As a key, and for ouro_equal; both objects are of this class. Objects that are equal must have one hash. Default: identity of the value. Only
     * the lower 62 bits of a hash count. */
    ouro_status (*hash)(uint64_t handle, uint64_t *hash);
    ouro_status (*equal)(uint64_t a, uint64_t b, bool *equal);

    /* Default: OURO_E_TYPE. */
    ouro_status (*compare)(uint64_t a, uint64_t b, int *order);

    /* UTF-8, written to buffer, at most room bytes, as far as they fit; *size is how many there are in all. Default: <name>. */
    ouro_status (*repr)(uint64_t handle, char *buffer, size_t room, size_t *size);

    /* Default: true. */
    bool (*truth)(uint64_t handle);
} ouro_host_class;

/* A value for the object with this handle. On failure the handle is still the caller's: dispose is not called.
 *
 * references: how many values the host's object refers to. They belong into the new value's places 0 .. references-1 and not into the
 * host's object: then cycles that lead through it are seen and collected. The library calls nothing of the host's to see them. What
 * the host's object holds by references of its own keeps what it holds alive, cycles too. */
OURO_API OURO_NODISCARD ouro_status ouro_host_new(const ouro_host_class *host_class, uint64_t handle, size_t references, ouro_value *value);

/* NULL, and 0, if it is not a host's, or its object has been disposed of: a weak reference or a finalizer may bring a value back after that.
 * (Another thread may dispose of the object while this one has just asked; that happens only to values in garbage cycles, which can be
 * reached by weak references only.) */
OURO_API const ouro_host_class *ouro_host_class_of(ouro_value value);
OURO_API uint64_t ouro_host_handle(ouro_value value);

/* OURO_E_INDEX. Each is atomic. */
OURO_API OURO_NODISCARD ouro_status ouro_host_get(ouro_value value, size_t place, ouro_value *reference);
OURO_API OURO_NODISCARD ouro_status ouro_host_set(ouro_value value, size_t place, ouro_value reference);

OURO_END_DECLS
#endif
