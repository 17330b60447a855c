/* SPDX-License-Identifier: MIT */
#include "callbacks.h"

#include "crossing.h"
#include "messages.h"

/* Go gives a value, made and counted, or an error. */
static ouro_status next(uint64_t handle, ouro_value source, ouro_value *value)
{
    uint64_t word = ouroGoNext(handle);
    (void)source;
    if (!ouro_go_is_tag(word)) {
        *value = word;
        return OURO_OK;
    }
    *value = OURO_NIL;
    return -(ouro_status)(word >> 8 & 0xff);
}

static const ouro_generator generator = {.size = sizeof generator, .name = "go", .next = next, .dispose = ouro_go_dispose};

ouro_status ouro_go_generate(uint64_t handle, ouro_value *iterator)
{
    OURO_GO_CALL();
    ouro_status status = ouro_generate(&generator, handle, OURO_NIL, iterator);
    ouro_value_share(*iterator);
    return status;
}

static void dead(ouro_weak *weak, void *arg)
{
    (void)weak;
    ouro_go_dead((uintptr_t)arg);
}

ouro_status ouro_go_watch(ouro_value target, uint64_t handle, ouro_value *weak)
{
    *weak = OURO_NIL;
    if (!ouro_is_object(target))
        return OURO_E_TYPE;
    OURO_GO_CALL();
    *weak = ouro_value_of(ouro_weak_new(ouro_value_object(target), dead, (void *)(uintptr_t)handle));
    ouro_value_share(*weak);
    return *weak ? OURO_OK : OURO_E_NOMEM;
}

static void collection(ouro_gc_phase phase, const ouro_gc_info *info, void *arg)
{
    struct ouro_go_message message = {
        .kind = OURO_GO_COLLECTION, .id = (uintptr_t)arg, .phase = phase, .generation = info->generation, .reason = info->reason};
    if (phase == OURO_GC_STOP) {
        message.candidates = info->candidates;
        message.found = info->found;
        message.freed = info->freed;
        message.duration_ns = info->duration_ns;
    }
    ouro_go_collection(&message);
}

int ouro_go_watch_collections(uint64_t id)
{
    return ouro_gc_add_callback(collection, (void *)(uintptr_t)id);
}
