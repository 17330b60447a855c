//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Generators: iterators whose values a program makes, one for each call.
 *
 * G1  The program's functions are called for one generator one at a time, by whoever has made `state` its own, and `dispose` last, once: by its
 *     finalizer or, if another thread is in `next` then (it has come by a weak reference), by that thread when it is done. */
#include "lib_value_iterator.h"

struct generator {
    ouro_object object;
    ouro_slot source;
    const ouro_generator *methods; /* immutable */
    uint64_t handle;               /* immutable */
    uint64_t state;                /* atomic: one of those below, or what oi_turn_mine was when its thread began to run it */
    int32_t failed;                /* whoever runs it: a status that is still to be returned */
};

/* No turn has these: bit 0 is clear. */
#define IDLE ((uint64_t)0)
#define ENDED ((uint64_t)2)
#define DISPOSED ((uint64_t)4) /* or to be, by whoever runs it */

static void dispose(const struct generator *generator)
{
    if (generator->methods && generator->methods->dispose) /* NULL: it was never finished */
        generator->methods->dispose(generator->handle);
}

/* Runs once, at its death. */
static void finalize(void *object)
{
    struct generator *generator = object;
    /* acq_rel: what was done with it before, here and there [MO-turn]. */
    if (oi_exchange_acqrel(&generator->state, DISPOSED) != oi_turn_mine) /* a thread that vanished in a fork does not run it */
        dispose(generator);
}

static ouro_type generator_type = OURO_TYPE(struct generator, .name = "generator", .slots = OURO_SLOTS(struct generator, source),
                                            .finalize = finalize, .flags = OI_TYPE_OWN);

bool oi_generator_init(void)
{
    return oi_type_register_own(&generator_type, OI_OWN_GENERATOR, NULL);
}

ouro_status ouro_generate(const ouro_generator *methods, uint64_t handle, ouro_value source, ouro_value *iterator)
{
    if (!iterator)
        return OURO_E_INVALID;
    *iterator = OURO_NIL;
    if (!methods || methods->size < sizeof *methods || !methods->next)
        return OURO_E_INVALID;
    ouro_status status = oi_may_store(source, "ouro_generate");
    if (status != OURO_OK)
        return status;
    struct generator *generator = ouro_new(&generator_type);
    if (!generator)
        return OURO_E_NOMEM;
    ouro_value_set(generator, &generator->source, source);
    generator->handle = handle;
    generator->methods = methods; /* from here on it is disposed of */
    *iterator = ouro_value_of(generator);
    return OURO_OK;
}

/* OURO_OK: the caller may run it, and ends that with `end`, which gets *mine. */
static ouro_status begin(struct generator *generator, uint64_t *mine)
{
    *mine = oi_turn_mine;
    uint64_t state = oi_load_relaxed(&generator->state);
    do {
        if (state == ENDED || state == DISPOSED)
            return OURO_E_END;
        if (state == *mine)
            return OURO_E_AGAIN; /* and not, if its thread vanished in a fork */
        /* Acquire: what the one before did with it [MO-turn]. */
    } while (!oi_cas_weak_acquire(&generator->state, &state, *mine));
    return OURO_OK;
}

static void end(struct generator *generator, uint64_t mine, ouro_status status)
{
    uint64_t found = mine;
    oi_perturb();
    /* In the child of a fork that `next` has made, the finalizer has not left it to this thread. */
    if (!oi_cas_acqrel(&generator->state, &found, status == OURO_E_END ? ENDED : IDLE) && mine == oi_turn_mine) /* [MO-turn] */
        dispose(generator);
}

/* By whoever runs it. */
static ouro_status run(struct generator *generator, ouro_value *value)
{
    ouro_status status = generator->failed;
    generator->failed = OURO_OK;
    if (status == OURO_OK)
        status = generator->methods->next(generator->handle, ouro_value_of(generator->source.ouro_private_ref), value);
    if (status != OURO_OK)
        *value = OURO_NIL;
    return status;
}

ouro_status oi_generator_next(ouro_value iterator, ouro_value *value)
{
    struct generator *generator = oi_word(iterator);
    uint64_t mine;
    ouro_status status = begin(generator, &mine);
    if (status != OURO_OK)
        return status;
    status = run(generator, value);
    end(generator, mine, status);
    return status;
}

ouro_status oi_generator_next_all(ouro_value iterator, ouro_value *values, size_t room, size_t *count)
{
    struct generator *generator = oi_word(iterator);
    uint64_t mine;
    ouro_status status = begin(generator, &mine);
    if (status != OURO_OK)
        return status;
    for (; *count < room; ++*count) {
        status = run(generator, &values[*count]);
        if (status != OURO_OK)
            break;
    }
    if (status != OURO_OK && *count) { /* what there is first */
        generator->failed = status == OURO_E_END ? OURO_OK : status;
        end(generator, mine, status);
        return OURO_OK;
    }
    end(generator, mine, status);
    return status;
}
