/* SPDX-License-Identifier: MIT */
#include "value/store.h"

#include "port/perturb.h"

static ouro_type store_type = OURO_TYPE(struct oi_store, .name = "ouro_store", .array_slots = offsetof(struct oi_store, items),
                                    .flags = OI_TYPE_OWN | OI_TYPE_INNER);

bool oi_store_init(void)
{
    return oi_type_register_own(&store_type, OI_OWN_STORE, NULL);
}

static size_t size_for(size_t room)
{
    return sizeof(struct oi_store) + room * sizeof(ouro_slot);
}

struct oi_store *oi_store_new(size_t room)
{
    return room <= OI_STORE_ROOM_MAX ? oi_new_room(&store_type, size_for(room)) : NULL;
}

struct oi_store *oi_store_new_growing(size_t length)
{
    size_t room = length < OI_STORE_ROOM_MAX / 2 ? length + length / 8 + 3 : OI_STORE_ROOM_MAX;
    size_t size = size_for(room);
    /* Large blocks have whole units of memory anyway; smaller ones are of a size class, which may have room for more. */
    if (size > OI_CLASS_MAX)
        room += (oi_round_up(size, OI_UNIT) - size) / sizeof(ouro_slot);
    return oi_store_new(room < OI_STORE_ROOM_MAX ? room : OI_STORE_ROOM_MAX);
}

/* Nobody else sees the container. */
static void move_private(ouro_slot *slot, ouro_array *from, ouro_array *to, size_t length)
{
    oi_store_set_length(to, length);
    slot->ouro_private_ref = to;
    if (from)
        oi_store_set_length(from, 0);
}

/* What is in its slots is its own from here on. acq_rel: after the other store has become loose [MO-move]. */
static void tighten(ouro_object *store)
{
    oi_fetch_and_acqrel(&store->ouro_private_flags, (uint16_t)~OI_LOOSE);
    oi_page_set_published(oi_page_of(store)); /* a collection that has passed it by looks at it next time */
}

void oi_store_move(ouro_object *container, ouro_slot *slot, ouro_array *from, ouro_array *to, size_t length)
{
    if (!oi_is_shared(container)) {
        move_private(slot, from, to, length);
        return;
    }
    /* From here on no collection begins to look at it; one that is looking does so in a read section, which blocks of what others drop from `to`
     * outlive. acq_rel: before the new one counts; pairs with oi_scope_may_look [MO-move]. */
    if (from)
        oi_fetch_or_acqrel(&from->object.ouro_private_flags, OI_LOOSE);
    oi_perturb();
    if (oi_flags(&to->object) & OI_PUBLISHED)
        oi_fetch_or_acqrel(&to->object.ouro_private_flags, OI_LOOSE); /* an unbiased thread's; before it has a length */
    else
        oi_set_flags(&to->object, oi_flags(&to->object) | OI_LOOSE);
    oi_store_set_length(to, length);
    if (!(oi_flags(&to->object) & OI_PUBLISHED))
        oi_publish_one(&oi_act, &to->object); /* all that it refers to is published */
    else
        oi_check(&to->object); /* rule D: moved in */
    oi_perturb();
    oi_store_release(&slot->ouro_private_ref, to); /* [MO-publish] */
    oi_perturb();
    tighten(&to->object);
    oi_perturb();
    if (from)
        oi_store_set_length(from, 0);
}

void oi_store_repair(ouro_slot *slot)
{
    ouro_object *store = oi_slot_ref(oi_load_acquire(&slot->ouro_private_ref));
    if (store && oi_is_loose(oi_type_of(store), store))
        tighten(store);
}
