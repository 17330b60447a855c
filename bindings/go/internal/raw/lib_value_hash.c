//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_value_hash.h"

#include "lib_port_os.h"
#include "lib_value_host.h"
#include "lib_value_number.h"
#include "lib_value_string.h"
#include "lib_value_tuple.h"
#include "lib_value_worklist.h"

uint64_t oi_hash_key[2];

void oi_hash_init(void)
{
    if (!oi_hash_key[1])
        oi_os_random(oi_hash_key, sizeof oi_hash_key);
}

uint64_t oi_hash_bytes(const void *bytes, size_t size)
{
    return oi_siphash(1, 3, oi_hash_key, bytes, size) & OI_HASH_MASK;
}

bool oi_hash_quick(ouro_value value, uint64_t *hash)
{
    uint64_t word;
    switch (oi_kind_of(value)) {
    case OURO_KIND_NIL:
    case OURO_KIND_BOOL:
        *hash = oi_hash_mix(value, 0);
        return true;
    case OURO_KIND_INT:
    case OURO_KIND_FLOAT:
        *hash = oi_number_hash(value);
        return true;
    case OURO_KIND_STRING:
        *hash = oi_string_hash(oi_string_of(value));
        return true;
    case OURO_KIND_BYTES:
        *hash = oi_bytes_hash(oi_bytes_of(value));
        return true;
    case OURO_KIND_TUPLE:
        word = oi_load_relaxed(&oi_tuple_of(value)->hash);
        *hash = word & ~OI_TUPLE_HASHED;
        return word != 0;
    case OURO_KIND_HOST:
        if (oi_host_class(value)->hash)
            return false;
        /* fall through */
    default:
        *hash = oi_hash_address(oi_word(value));
        return true;
    }
}

static ouro_status host_hash(ouro_value value, uint64_t *hash)
{
    const ouro_host_class *class = oi_host_class(value);
    if (OI_UNLIKELY(!class->hash)) { /* disposed of since the caller has looked: then it is by identity */
        *hash = oi_hash_address(oi_word(value));
        return OURO_OK;
    }
    ouro_status status = class->hash(ouro_host_handle(value), hash);
    *hash = status == OURO_OK ? oi_hash_mix(*hash & OI_HASH_MASK, 0x686f7374) : 0; /* "host" */
    return status;
}

/* ---- Tuples: from the innermost out, each keeping its hash ---- */

struct frame {
    struct oi_tuple *tuple;
    size_t at;
    uint64_t hash; /* of the elements before */
};

static ouro_status tuple_hash(struct oi_tuple *outermost)
{
    OI_PILE(struct frame, 16) frames;
    ouro_status status = OURO_OK;
    oi_pile_init(frames);
    frames.at[frames.count++] = (struct frame){outermost, 0, outermost->array.length};
    while (frames.count && status == OURO_OK) {
        struct frame *frame = &frames.at[frames.count - 1];
        if (frame->at == frame->tuple->array.length) {
            oi_store_relaxed(&frame->tuple->hash, frame->hash | OI_TUPLE_HASHED);
            frames.count--;
            continue;
        }
        ouro_value item = frame->tuple->items[frame->at];
        uint64_t hash;
        if (!oi_hash_quick(item, &hash)) {
            if (oi_kind_of(item) == OURO_KIND_TUPLE) {
                if (!oi_pile_grow(frames))
                    status = OURO_E_NOMEM;
                else
                    frames.at[frames.count++] = (struct frame){oi_tuple_of(item), 0, oi_tuple_of(item)->array.length};
                continue; /* and then to this element again */
            }
            status = host_hash(item, &hash);
        }
        frame->hash = oi_hash_mix(frame->hash, hash);
        frame->at++;
    }
    oi_pile_end(frames);
    return status;
}

ouro_status ouro_hash(ouro_value value, uint64_t *hash)
{
    if (!hash)
        return OURO_E_INVALID;
    *hash = 0;
    if (OI_UNLIKELY(!oi_hash_key[1]) && !oi_hold_slot(&oi_act)) /* starts the runtime, which chooses the key */
        return OURO_E_NOMEM;
    if (oi_hash_quick(value, hash))
        return OURO_OK;
    if (oi_kind_of(value) == OURO_KIND_HOST)
        return host_hash(value, hash);
    ouro_status status = tuple_hash(oi_tuple_of(value));
    if (status == OURO_OK)
        oi_hash_quick(value, hash);
    return status;
}
