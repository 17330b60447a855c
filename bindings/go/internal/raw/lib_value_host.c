//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_host.h"

#include "lib_value_contents.h"

struct part {
    const ouro_host_class *class; /* atomic: `gone`, once the object has been disposed of */
    uint64_t handle;              /* immutable */
};

struct host {
    ouro_object object;
    struct part part;
};

struct host_with_references {
    ouro_array array;
    struct part part;
    ouro_slot places[];
};

/* Of a value that outlives its object: one that a weak reference or a finalizer has brought back. */
static const ouro_host_class gone = {.size = sizeof gone, .name = "disposed"};

static struct part *part_of(void *object)
{
    bool references = OI_TYPE_ID(oi_type_word((ouro_object *)object)) == OI_OWN_HOST_WITH_REFERENCES;
    return references ? &((struct host_with_references *)object)->part : &((struct host *)object)->part;
}

static void finalize(void *object)
{
    struct part *part = part_of(object);
    /* acq_rel: whoever sees the class sees the handle; whoever sees `gone` comes after this. */
    const ouro_host_class *class = oi_exchange_acqrel(&part->class, &gone);
    if (class && class->dispose) /* NULL: it was never finished */
        class->dispose(part->handle);
}

static ouro_type host_type = OURO_TYPE(struct host, .name = "host", .finalize = finalize, .flags = OI_TYPE_OWN);
static ouro_type host_with_references_type = OURO_TYPE(struct host_with_references, .name = "host",
                                                       .array_slots = offsetof(struct host_with_references, places), .finalize = finalize,
                                                       .flags = OI_TYPE_OWN);

bool oi_host_init(void)
{
    return oi_type_register_own(&host_type, OI_OWN_HOST, NULL) &&
           oi_type_register_own(&host_with_references_type, OI_OWN_HOST_WITH_REFERENCES, NULL);
}

ouro_status ouro_host_new(const ouro_host_class *host_class, uint64_t handle, size_t references, ouro_value *value)
{
    if (!value)
        return OURO_E_INVALID;
    *value = OURO_NIL;
    if (!host_class || host_class->size < sizeof *host_class || !host_class->name)
        return OURO_E_INVALID;
    void *made = references ? ouro_new_array(&host_with_references_type, references) : ouro_new(&host_type);
    if (!made)
        return OURO_E_NOMEM;
    struct part *part = part_of(made);
    part->handle = handle;
    /* Release: pairs with oi_host_class. */
    oi_store_release(&part->class, host_class);
    *value = ouro_value_of(made);
    return OURO_OK;
}

const ouro_host_class *oi_host_class(ouro_value value)
{
    /* Acquire: the handle comes before. Pairs with ouro_host_new and finalize. NULL: a visitor has met it while an unbiased thread makes it. */
    const ouro_host_class *class = oi_load_acquire(&part_of(oi_word(value))->class);
    return OI_LIKELY(class != NULL) ? class : &gone;
}

const ouro_host_class *ouro_host_class_of(ouro_value value)
{
    const ouro_host_class *class = oi_kind_of(value) == OURO_KIND_HOST ? oi_host_class(value) : NULL;
    return class == &gone ? NULL : class;
}

uint64_t ouro_host_handle(ouro_value value)
{
    return ouro_host_class_of(value) ? part_of(oi_word(value))->handle : 0;
}

/* A place of a value; NULL, and why. */
static ouro_slot *place_of(ouro_value value, size_t place, const char *call, ouro_status *status)
{
    struct host_with_references *host = oi_word(value);
    *status = oi_kind_of(value) != OURO_KIND_HOST ? OURO_E_TYPE : oi_may_use(value, call);
    if (*status != OURO_OK)
        return NULL;
    bool there = oi_id_of(value) == OI_OWN_HOST_WITH_REFERENCES && place < host->array.length;
    *status = there ? OURO_OK : OURO_E_INDEX;
    return there ? &host->places[place] : NULL;
}

ouro_status ouro_host_get(ouro_value value, size_t place, ouro_value *reference)
{
    ouro_status status;
    if (!reference)
        return OURO_E_INVALID;
    ouro_slot *slot = place_of(value, place, "ouro_host_get", &status);
    *reference = slot ? oi_get(oi_word(value), slot) : OURO_NIL;
    return status;
}

ouro_status ouro_host_set(ouro_value value, size_t place, ouro_value reference)
{
    ouro_status status;
    ouro_slot *slot = place_of(value, place, "ouro_host_set", &status);
    return slot ? oi_set(oi_word(value), slot, reference, "ouro_host_set") : status;
}
