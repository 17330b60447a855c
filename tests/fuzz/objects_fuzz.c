/* SPDX-License-Identifier: MIT
 *
 * One thread does what the bytes say with a small graph of objects, and with a model of it (model.h). After every operation: each
 * object's count, content and finalization is the model's. After each collection, and at the end: so is which objects live, which weak
 * references lead to them, what visitors meet, and how many objects the heap says there are. ouro_shutdown reports no leak. */
#include <string.h>

#include <ouro/ouro.h>

#include "fuzz/fuzz.h"
#include "fuzz/model.h"
#include "support/misuse.h"

enum { STEPS_MAX = 1200, IMMORTAL_MAX = 200 };

/* Beside the slots: which entry of which input this is. */
struct mark {
    uint32_t number, input;
};
struct pair {
    ouro_object object;
    ouro_slot slots[2];
    struct mark mark;
};
struct triple {
    ouro_object object;
    struct mark mark;
    ouro_slot first;
    long between;
    ouro_slot rest[2];
};
struct table {
    ouro_array array;
    struct mark mark;
    ouro_slot items[];
};
struct stamped_table { /* slots before the array, too */
    ouro_array array;
    ouro_slot first;
    struct mark mark;
    ouro_slot items[];
};
struct leaf {
    ouro_object object;
    struct mark mark;
};
struct bytes {
    ouro_array array;
    struct mark mark;
    uint8_t data[];
};

static void finalize(void *object);

static ouro_type types[KINDS - 1] = {
    [PAIR] = OURO_TYPE(struct pair, .name = "pair", .slots = OURO_SLOTS(struct pair, slots)),
    [TRIPLE] = OURO_TYPE(struct triple, .name = "triple", .slots = OURO_SLOTS(struct triple, first, rest)),
    [FINALIZED] = OURO_TYPE(struct pair, .name = "finalized", .slots = OURO_SLOTS(struct pair, slots), .finalize = finalize),
    [TABLE] = OURO_TYPE(struct table, .name = "table", .array_slots = offsetof(struct table, items)),
    [STAMPED_TABLE] = OURO_TYPE(struct stamped_table, .name = "stamped table", .slots = OURO_SLOTS(struct stamped_table, first),
                                .array_slots = offsetof(struct stamped_table, items), .finalize = finalize),
    [LEAF] = OURO_TYPE(struct leaf, .name = "leaf"),
    [FINALIZED_LEAF] = OURO_TYPE(struct leaf, .name = "finalized leaf", .finalize = finalize),
    [BYTES] = OURO_TYPE(struct bytes, .name = "bytes", .array_bytes = offsetof(struct bytes, data)),
    [ACYCLIC] = OURO_TYPE(struct pair, .name = "acyclic", .slots = OURO_SLOTS(struct pair, slots), .flags = OURO_TYPE_ACYCLIC),
};

static uint32_t input_number;
static int immortals;         /* of all inputs: they stay, and each collection looks at them */
static size_t live_at_start;
static struct fuzz_input input;
static void *borrowed; /* found in this read section */
static int borrowed_entry;
static bool blocking, limited;
static unsigned depth; /* of read sections */
static uint64_t collections_seen;
static size_t pinned_threshold;

static struct entry *entry(int number)
{
    return &model.entries[number];
}

static struct mark *mark_of(const void *object)
{
    const ouro_type *type = ouro_type_of(object);
    if (type == &types[TRIPLE])
        return &((struct triple *)object)->mark;
    if (type == &types[TABLE])
        return &((struct table *)object)->mark;
    if (type == &types[STAMPED_TABLE])
        return &((struct stamped_table *)object)->mark;
    if (type == &types[BYTES])
        return &((struct bytes *)object)->mark;
    if (type == &types[LEAF] || type == &types[FINALIZED_LEAF])
        return &((struct leaf *)object)->mark;
    return &((struct pair *)object)->mark;
}

static ouro_slot *slot_of(int number, int slot)
{
    struct entry *e = entry(number);
    switch (e->kind) {
    case TRIPLE:
        return slot == 0 ? &((struct triple *)e->object)->first : &((struct triple *)e->object)->rest[slot - 1];
    case TABLE:
        return &((struct table *)e->object)->items[slot * e->stride];
    case STAMPED_TABLE:
        return slot == 0 ? &((struct stamped_table *)e->object)->first
                         : &((struct stamped_table *)e->object)->items[(slot - 1) * e->stride];
    default:
        return &((struct pair *)e->object)->slots[slot];
    }
}

/* ---- What the library calls ---- */

static void finalize(void *object)
{
    const struct mark *mark = mark_of(object);
    FUZZ_CHECK(mark->input == input_number, mark->number); /* what an earlier input left is finalized now */
    int number = (int)mark->number;
    struct entry *e = entry(number);
    FUZZ_CHECK(e->object == object, number);
    FUZZ_CHECK(depth == 0, number); /* never in a read section */
    FUZZ_CHECK(ouro_gc_is_finalized(object), number);
    FUZZ_CHECK(atomic_fetch_add(&e->seen_finalized, 1) == 0, number);
    if (e->fate == STAYS)
        ouro_retain(object);
    else if (e->fate == SAVES_FIRST && e->slots)
        (void)!ouro_take(object, slot_of(number, 0));
    else if (e->fate == CLEARS)
        for (int i = 0; i < e->slots; i++)
            ouro_set(object, slot_of(number, i), NULL);
}

static void called_back(ouro_weak *weak, void *arg)
{
    int number = (int)(uintptr_t)arg;
    FUZZ_CHECK((void *)weak == entry(number)->object, number);
    FUZZ_CHECK(!ouro_weak_get(weak), number);
    FUZZ_CHECK(depth == 0, number);
    FUZZ_CHECK(atomic_fetch_add(&entry(number)->seen_called, 1) == 0, number);
}

/* ---- Comparison ---- */

static bool trace; /* OURO_FUZZ_TRACE=1: every step, and the model after it */

static void print_model(void)
{
    for (int i = 0; i < model.used; i++) {
        const struct entry *e = entry(i);
        if (e->gone && e->gone_at != model.step)
            continue;
        fprintf(stderr, "  %d: kind %d fate %d held %d count %d%s%s%s%s%s%s", i, e->kind, e->fate, e->held, e->count,
                e->shared ? " shared" : "",
                e->immortal ? " immortal" : "", e->frozen ? " frozen" : "", e->finalized ? " finalized" : "", e->waiting ? " waiting" : "",
                e->gone ? " gone" : "");
        for (int k = 0; k < e->slots; k++)
            fprintf(stderr, " %d", e->content[k].object);
        if (e->kind == WEAK)
            fprintf(stderr, " -> %d%s", e->target, e->has_callback ? ", called back" : "");
        fputc('\n', stderr);
    }
}

static void check_callback(int number)
{
    struct entry *w = entry(number);
    int calls = atomic_load(&w->seen_called); /* never two: called_back */
    const struct entry *target = w->has_callback ? entry(w->target) : NULL;
    if (target && (w->gone_loosely || target->gone_loosely || (model.loose && !target->gone)))
        return; /* nobody knows which went first, or whether the target has gone */
    if (!target || !target->gone || (w->gone && w->gone_at < target->gone_at))
        FUZZ_CHECK(calls == 0, number); /* the target lives, or lived longer */
    else if (!(w->gone && w->gone_at == target->gone_at) && depth == 0)
        FUZZ_CHECK(calls == 1, number);
}

static void check_count(int number, struct entry *e)
{
    size_t count = ouro_refcount(e->object), most = (size_t)e->count;
    if (e->immortal) {
        FUZZ_CHECK(count == SIZE_MAX, number);
        return;
    }
    if (e->kind == WEAK && e->has_callback && (depth || model.loose) && (entry(e->target)->gone || !entry(e->target)->reachable))
        most++; /* a callback may be due */
    if (model.manual && model_has_finalizer(e) && !atomic_load(&e->seen_finalized))
        most++; /* a finalizer may be due */
    if (model.loose)
        FUZZ_CHECK(count >= (size_t)model_sure_count(number) && count <= most, number);
    else
        FUZZ_CHECK(count >= (size_t)e->count && count <= most, number);
}

static void check_content(int number, const struct entry *e)
{
    for (int i = 0; i < e->slots; i++) {
        const struct content *c = &e->content[i];
        ouro_value expected = c->object == NONE ? c->word : ouro_value_of(entry(c->object)->object);
        FUZZ_CHECK(ouro_value_peek(slot_of(number, i)) == expected, number);
    }
    if (e->kind != WEAK) {
        const struct mark *mark = mark_of(e->object);
        FUZZ_CHECK(mark->number == (uint32_t)number && mark->input == input_number, number);
    }
}

static void check_all(void)
{
    if (trace)
        print_model();
    if (model.loose)
        model_mark();
    for (int i = 0; i < model.used; i++) {
        struct entry *e = entry(i);
        if (e->kind == WEAK)
            check_callback(i);
        bool known = !model.loose || e->reachable;
        if (known && model_has_finalizer(e) && !model.manual)
            FUZZ_CHECK(atomic_load(&e->seen_finalized) == e->finalized, i);
        if (!known || !model_is_alive(i))
            continue;
        check_count(i, e);
        check_content(i, e);
    }
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
}

static size_t live_objects(void)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats.live_objects;
}

static void check_live(void)
{
    size_t live = live_at_start;
    for (int i = 0; i < model.used; i++)
        live += !entry(i)->gone;
    if (!depth && !model.loose)
        FUZZ_CHECK(live_objects() == live, (long)live_objects() - (long)live);
}

/* ---- Visitors ---- */

static int see_alive(void *object, void *count)
{
    const struct mark *mark = mark_of(object);
    if (mark->input != input_number)
        return 0; /* immortal, of an earlier input */
    struct entry *e = entry((int)mark->number);
    FUZZ_CHECK(e->object == object, mark->number);
    FUZZ_CHECK(!e->seen_alive, mark->number); /* met once */
    e->seen_alive = true;
    ++*(long *)count;
    return 0;
}

static long look_around(int generation)
{
    long count = 0;
    for (int i = 0; i < model.used; i++)
        entry(i)->seen_alive = false;
    ouro_gc_visit_objects(generation, see_alive, &count);
    return count;
}

static uint64_t collections(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[0].collections + stats.generation[1].collections + stats.generation[2].collections;
}

static void collected(int generation)
{
    look_around(-1);
    model_collected(true, generation == 2);
    if (generation == 2)
        model.loose = model.manual || limited;
    collections_seen = collections();
    check_all();
    check_live();
}

/* ouro_new may have collected by itself: then what it left is settled. */
static void settle_if_collected(void)
{
    if (collections() == collections_seen || depth)
        return;
    model.loose = true;
    if (!limited) {
        FUZZ_CHECK(ouro_gc_collect(2) >= 0, model.used);
        collected(2);
    }
}

static void check_generations(void)
{
    for (int shared = 0; shared < 2; shared++) {
        long expected = 0, count = 0;
        if (!shared)
            count = look_around(0);
        else
            count = look_around(-1) - look_around(0);
        for (int i = 0; i < model.used; i++)
            expected += model_is_tracked(entry(i)) && !entry(i)->gone && !entry(i)->frozen && entry(i)->shared == shared;
        if (!model.loose)
            FUZZ_CHECK(count == expected, count - expected);
    }
}

static int references[OBJECTS_MAX]; /* to or from each */

static int see_reference(void *object, void *unused)
{
    (void)unused;
    for (int i = model.used; i-- > 0;) /* the last: an older one is garbage that has been collected, as nobody knows yet */
        if (entry(i)->object == object && !entry(i)->gone) {
            references[i]++;
            return 0;
        }
    FUZZ_CHECK(!"an object that is there", 0);
    return 0;
}

static void check_referents(int number)
{
    memset(references, 0, sizeof references);
    ouro_gc_visit_referents(entry(number)->object, see_reference, NULL);
    for (int i = 0; i < entry(number)->slots; i++)
        if (entry(number)->content[i].object != NONE)
            references[entry(number)->content[i].object]--;
    for (int i = 0; i < model.used; i++)
        FUZZ_CHECK(references[i] == 0, i);
}

static void check_referrers(int number)
{
    memset(references, 0, sizeof references);
    ouro_gc_visit_referrers(entry(number)->object, see_reference, NULL);
    for (int i = 0; i < model.used; i++) {
        bool refers = false;
        for (int k = 0; k < entry(i)->slots; k++)
            refers |= entry(i)->content[k].object == number;
        if (!model.loose || entry(i)->reachable)
            FUZZ_CHECK(references[i] == refers, i);
    }
}

/* ---- Operations: on the object, then on the model ---- */

/* One that the thread holds, from that number on, or NONE. */
static int some_held(void)
{
    int first = model.used ? (int)(fuzz_byte(&input) % (unsigned)model.used) : 0;
    for (int i = 0; i < model.used; i++) {
        int number = (first + i) % model.used;
        if (entry(number)->held > 0)
            return number;
    }
    return NONE;
}

static int some_container(int *slot)
{
    int number = some_held();
    unsigned which = fuzz_byte(&input);
    if (number == NONE || !entry(number)->slots)
        return NONE;
    *slot = (int)(which % (unsigned)entry(number)->slots);
    return number;
}

static bool may_hold(int container, int object)
{
    return object == NONE || entry(container)->kind != ACYCLIC || (entry(object)->slots == 0 && entry(object)->kind >= LEAF);
}

static void *object_of(int number)
{
    return number == NONE ? NULL : entry(number)->object;
}

static void born(enum kind kind, int slots, int stride, enum fate fate, void *object)
{
    if (!object) {
        FUZZ_CHECK(limited, kind);
        return;
    }
    int number = model_add(kind, slots);
    struct entry *e = entry(number);
    e->stride = stride;
    e->object = object;
    if (model_has_finalizer(e))
        e->fate = fate;
    *mark_of(object) = (struct mark){(uint32_t)number, input_number};
}

static void make(void)
{
    static const int strides[] = {1, 1, 1, 40, 600, 9000};
    static const int fixed_slots[KINDS] = {[PAIR] = 2, [TRIPLE] = 3, [FINALIZED] = 2, [ACYCLIC] = 2};
    unsigned byte = fuzz_byte(&input), more = fuzz_byte(&input);
    enum kind kind = (enum kind)(byte % WEAK);
    enum fate fate = (enum fate)(byte / WEAK % FATES);
    bool stamped = kind == STAMPED_TABLE;
    if (model.used == OBJECTS_MAX)
        return;
    int slots = fixed_slots[kind], stride = 1;
    void *object;
    if (kind == TABLE || stamped) {
        slots = (int)(more % (SLOTS_MAX + 1u - stamped)) + stamped;
        stride = strides[more / 16 % 6];
        object = ouro_new_array(&types[kind], (size_t)((slots - stamped) * stride));
    } else if (kind == BYTES) {
        object = ouro_new_array(&types[kind], more < 250 ? more : more * 300u);
    } else {
        object = ouro_new(&types[kind]);
    }
    born(kind, slots, stride, fate, object);
    settle_if_collected();
}

static void make_weak(void)
{
    int target = some_held();
    bool has_callback = fuzz_byte(&input) & 1;
    if (target == NONE || model.used == OBJECTS_MAX)
        return;
    ouro_weak *weak = ouro_weak_new(entry(target)->object, has_callback ? called_back : NULL, (void *)(uintptr_t)model.used);
    if (!weak) {
        FUZZ_CHECK(limited, target);
        settle_if_collected();
        return;
    }
    int number = model_add(WEAK, 0);
    entry(number)->object = weak;
    entry(number)->target = target;
    entry(number)->has_callback = has_callback;
    if (has_callback && entry(target)->shared)
        model_share(number);
    settle_if_collected();
}

/* A weak reference that is gone but for its callback, perhaps, which holds it until it has run. */
static bool is_perhaps_called_back(const struct entry *e)
{
    return e->kind == WEAK && e->has_callback && e->gone && (model.loose || depth);
}

static void ask_weak(void)
{
    int number = some_held();
    if (number == NONE || entry(number)->kind != WEAK)
        return;
    struct entry *e = entry(number);
    model_mark();
    const struct entry *target = entry(e->target);
    if ((model.loose && !target->gone && !target->reachable) || is_perhaps_called_back(target))
        return; /* nobody knows */
    void *object = ouro_weak_get(e->object);
    FUZZ_CHECK(object == (model_is_alive(e->target) ? entry(e->target)->object : NULL), number);
    if (object)
        model_hold(e->target);
}

static void retain(void)
{
    int number = some_held();
    if (number == NONE)
        return;
    FUZZ_CHECK(ouro_retain(entry(number)->object) == entry(number)->object, number);
    model_hold(number);
}

static void release(void)
{
    int number = some_held();
    if (number == NONE)
        return;
    ouro_release(entry(number)->object);
    model_drop(number);
}

static void get(void)
{
    int slot, number = some_container(&slot);
    if (number == NONE)
        return;
    void *object = ouro_get(entry(number)->object, slot_of(number, slot));
    int content = entry(number)->content[slot].object;
    FUZZ_CHECK(object == object_of(content), number);
    if (content != NONE)
        model_hold(content);
}

static void take(void)
{
    int slot, number = some_container(&slot);
    if (number == NONE)
        return;
    void *object = ouro_take(entry(number)->object, slot_of(number, slot));
    FUZZ_CHECK(object == object_of(entry(number)->content[slot].object), number);
    model_take(number, slot);
}

static void store(unsigned how)
{
    int slot, number = some_container(&slot), object = some_held();
    if (number == NONE || !may_hold(number, object))
        return;
    void *o = object_of(object);
    struct entry *c = entry(number);
    struct content old = c->content[slot];
    ouro_slot *s = slot_of(number, slot);
    if (how == 0) { /* another reference */
        ouro_set(c->object, s, o);
        if (object != NONE)
            entry(object)->count++;
        model_move(number, slot, object);
    } else if (how == 1) { /* the reference itself */
        ouro_give(c->object, s, o);
        if (object != NONE)
            entry(object)->held--;
        model_move(number, slot, object);
    } else if (how == 2) {
        void *was = ouro_swap(c->object, s, o);
        FUZZ_CHECK(was == object_of(old.object), number);
        if (object != NONE)
            entry(object)->held--;
        model_take(number, slot);
        model_move(number, slot, object);
    } else {
        ouro_set(c->object, s, NULL);
        model_move(number, slot, NONE);
    }
}

static void compare_and_set(void)
{
    int slot, number = some_container(&slot), object = some_held();
    bool right = fuzz_byte(&input) & 1;
    int guess = right ? NONE : some_held();
    if (number == NONE || !may_hold(number, object))
        return;
    struct entry *c = entry(number);
    struct content old = c->content[slot];
    guess = right ? old.object : guess;
    bool done = ouro_compare_set(c->object, slot_of(number, slot), object_of(guess), object_of(object));
    FUZZ_CHECK(done == (guess == old.object && old.word == OURO_NIL), number);
    if (done) {
        if (object != NONE)
            entry(object)->count++;
        model_move(number, slot, object);
    }
}

static void store_word(void)
{
    int slot, number = some_container(&slot), look_alike = some_held();
    unsigned how = fuzz_byte(&input);
    if (number == NONE)
        return;
    ouro_value words[] = {OURO_NIL, OURO_TRUE, OURO_FALSE, ouro_int_new((int64_t)how),
                          ouro_int_new((int64_t)((uintptr_t)object_of(look_alike) >> 2))};
    ouro_value word = words[how % 5];
    struct entry *c = entry(number);
    struct content old = c->content[slot];
    ouro_slot *s = slot_of(number, slot);
    ouro_value was = old.object == NONE ? old.word : ouro_value_of(object_of(old.object));
    switch (how / 8 % 5) {
    case 0:
        ouro_value_give(c->object, s, word);
        break;
    case 1:
        FUZZ_CHECK(ouro_value_compare_set(c->object, s, was, word), number);
        break;
    case 2: {
        ouro_value got = ouro_value_swap(c->object, s, word);
        FUZZ_CHECK(got == was, number);
        model_take(number, slot);
        break;
    }
    case 3: {
        ouro_value got = ouro_value_take(c->object, s);
        FUZZ_CHECK(got == was, number);
        model_take(number, slot);
        word = OURO_NIL;
        break;
    }
    default:
        ouro_value_set(c->object, s, word);
    }
    model_move(number, slot, NONE);
    entry(number)->content[slot].word = word;
}

static void share(void)
{
    int number = some_held();
    if (number == NONE)
        return;
    ouro_share(entry(number)->object);
    model_share(number);
}

static void immortalize(void)
{
    int number = some_held();
    if (number == NONE || fuzz_byte(&input) % 4 || immortals >= IMMORTAL_MAX || entry(number)->immortal)
        return;
    immortals++;
    ouro_immortalize(entry(number)->object);
    model_immortalize(number);
}

/* ---- Borrowed reading ---- */

static void section_begins(void)
{
    if (depth == 3)
        return;
    ouro_read_begin();
    if (depth++ == 0)
        borrowed = NULL;
    model.in_section = true;
}

static void section_ends(void)
{
    if (!depth)
        return;
    if (--depth == 0)
        borrowed = NULL;
    ouro_read_end();
    if (!depth)
        model_section_ends();
}

static void borrow(void)
{
    int slot, number = some_container(&slot);
    if (number == NONE)
        return;
    void *object = ouro_peek(slot_of(number, slot));
    int content = entry(number)->content[slot].object;
    FUZZ_CHECK(object == object_of(content), number);
    if (depth && object) {
        borrowed = object;
        borrowed_entry = content;
    }
}

static void try_retain(void)
{
    if (!borrowed || is_perhaps_called_back(entry(borrowed_entry)))
        return;
    void *object = ouro_try_retain(borrowed);
    if (entry(borrowed_entry)->kind != WEAK) /* readable until the section ends, dead or not */
        FUZZ_CHECK(((struct leaf *)borrowed)->object.ouro_private_type != 0, borrowed_entry);
    FUZZ_CHECK(object == (model_is_alive(borrowed_entry) ? borrowed : NULL), borrowed_entry);
    if (object)
        model_hold(borrowed_entry);
}

/* ---- The heap as a whole: outside read sections ---- */

static void collect(void)
{
    int generation = (int)fuzz_below(&input, 3);
    long dead = 0;
    for (int i = 0; i < model.used; i++)
        dead -= model_is_tracked(entry(i)) && !entry(i)->gone && !entry(i)->frozen;
    long found = ouro_gc_collect(generation);
    if (found == OURO_E_NOMEM && limited)
        return; /* it may have done some of it */
    FUZZ_CHECK(found >= 0, found);
    collected(generation);
    for (int i = 0; i < model.used; i++)
        dead += model_is_tracked(entry(i)) && !entry(i)->gone && !entry(i)->frozen;
    if (generation == 2 && !model.manual && !model.loose)
        FUZZ_CHECK(found >= -dead, found + dead);
}

static void limit(void)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    unsigned how = fuzz_byte(&input);
    size_t hard = how & 1 ? stats.committed_bytes / 2 + how * 1024u : 0;
    FUZZ_CHECK(ouro_mem_set_limit(how & 2 ? hard / 2 : 0, hard) == OURO_OK, how);
    limited = how & 1;
    model.loose |= limited;
}

static void run_finalizers(void)
{
    if (!model.manual)
        return;
    model_mark();
    ouro_finalizers_run(fuzz_byte(&input));
    look_around(-1);
    model_collected(false, false);
    check_all();
}

static void freeze(void)
{
    if (model.loose)
        return; /* nobody knows what is there to be frozen */
    ouro_gc_freeze();
    model_freeze(true);
    size_t frozen = 0;
    for (int i = 0; i < model.used; i++)
        frozen += entry(i)->frozen;
    if (!immortals)
        FUZZ_CHECK(ouro_gc_get_freeze_count() == frozen, ouro_gc_get_freeze_count());
}

static void unfreeze(void)
{
    ouro_gc_unfreeze();
    model_freeze(false);
    FUZZ_CHECK(ouro_gc_get_freeze_count() == 0, ouro_gc_get_freeze_count());
}

static void region(void)
{
    if (blocking)
        ouro_blocking_end();
    else
        ouro_blocking_begin();
    blocking = !blocking;
}

static void with_the_heap(unsigned operation)
{
    switch (operation) {
    case 0:
        collect();
        break;
    case 1:
        ouro_mem_trim();
        break;
    case 2:
        limit();
        break;
    case 3:
        check_generations();
        check_live();
        break;
    case 4:
        freeze();
        break;
    case 5:
        unfreeze();
        break;
    case 6:
        region();
        break;
    case 7:
        ouro_safepoint();
        break;
    case 8:
        run_finalizers();
        break;
    default: {
        int number = some_held();
        if (number != NONE && (operation & 1))
            check_referents(number);
        else if (number != NONE)
            check_referrers(number);
    }
    }
}

static void step(void)
{
    unsigned operation = fuzz_byte(&input) % 40;
    model.step++;
    if (trace)
        fprintf(stderr, "step %d: operation %u, then %u %u %u\n", model.step, operation, input.left ? input.at[0] : 0,
                input.left > 1 ? input.at[1] : 0, input.left > 2 ? input.at[2] : 0);
    if (operation < 6)
        make();
    else if (operation < 8)
        make_weak();
    else if (operation < 10)
        ask_weak();
    else if (operation < 12)
        retain();
    else if (operation < 15)
        release();
    else if (operation == 15)
        get();
    else if (operation == 16)
        take();
    else if (operation < 23)
        store(operation < 19 ? 0 : operation < 21 ? 1 : operation - 19);
    else if (operation == 23)
        compare_and_set();
    else if (operation == 24)
        store_word();
    else if (operation == 25)
        share();
    else if (operation == 26)
        immortalize();
    else if (operation == 27)
        section_begins();
    else if (operation == 28)
        section_ends();
    else if (operation == 29)
        borrow();
    else if (operation == 30)
        try_retain();
    else if (!depth)
        with_the_heap(operation - 31 + 9 * (operation == 39 && fuzz_byte(&input) % 2));
    check_all();
}

/* ---- From start to end ---- */

static void start(void)
{
    unsigned how = fuzz_byte(&input);
    pinned_threshold = how & 2 ? 4 + how / 16 * 8u : 0;
    /* Concurrent collections only when asked for: so a run is the same each time. */
    ouro_config config = {.size = sizeof config,
                          .flags = OURO_IGNORE_ENVIRONMENT | (how & 1 ? OURO_FINALIZE_MANUAL : 0) |
                                   (pinned_threshold ? 0 : OURO_GC_DISABLED),
                          .threshold = {pinned_threshold, SIZE_MAX / 2, SIZE_MAX / 2},
                          .purge_delay_ms = how & 4 ? -1 : 0,
                          .misuse = misuse_hook};
    FUZZ_CHECK(ouro_init(&config) == OURO_OK, how);
    if (pinned_threshold) /* init's thresholds are for threads that come; this one may have been there */
        FUZZ_CHECK(ouro_gc_set_threshold(config.threshold) == OURO_OK, how);
    model_start(how & 1);
    misuse_forget();
    input_number++;
    trace = getenv("OURO_FUZZ_TRACE");
    live_at_start = live_objects();
    collections_seen = collections();
    borrowed = NULL;
}

/* Everything is let go. */
static void let_go(void)
{
    while (depth)
        section_ends();
    if (blocking)
        region();
    FUZZ_CHECK(ouro_mem_set_limit(0, 0) == OURO_OK, 0);
    limited = false;
    unfreeze();
    for (int i = 0; i < model.used; i++) {
        struct entry *e = entry(i);
        for (int k = 0; k < e->slots && e->immortal; k++) {
            ouro_value_set(e->object, slot_of(i, k), OURO_NIL);
            model_move(i, k, NONE);
        }
    }
    for (int i = 0; i < model.used; i++)
        while (entry(i)->held > 0) {
            model.step++;
            ouro_release(entry(i)->object);
            model_drop(i);
        }
}

static bool something_is_left(void)
{
    for (int i = 0; i < model.used; i++)
        if (!entry(i)->gone && !entry(i)->immortal)
            return true;
    return false;
}

static void finish(void)
{
    for (int round = 0; round == 0 || (round < 5 && something_is_left()); round++) { /* what finalizers keep is let go again */
        let_go();
        check_all();
        model.step++;
        FUZZ_CHECK(ouro_gc_collect(2) >= 0, round);
        while (model.manual && ouro_finalizers_run(SIZE_MAX))
            FUZZ_CHECK(ouro_gc_collect(2) >= 0, round);
        collected(2);
    }
    size_t immortal = 0;
    for (int i = 0; i < model.used; i++) {
        const struct entry *e = entry(i);
        immortal += e->immortal;
        FUZZ_CHECK(e->gone != e->immortal, i);
        if (model_has_finalizer(e))
            FUZZ_CHECK(atomic_load(&e->seen_finalized) == (e->immortal ? e->finalized : 1), i);
        const struct entry *target = e->has_callback && !e->immortal ? entry(e->target) : NULL;
        if (target && target->gone && !target->gone_loosely && e->gone_at > target->gone_at)
            FUZZ_CHECK(atomic_load(&e->seen_called) == 1, i);
    }
    FUZZ_CHECK(live_objects() == live_at_start + immortal, live_objects());
    ouro_leak_report report;
    FUZZ_CHECK(ouro_shutdown(&report) == OURO_OK, 0);
    FUZZ_CHECK(report.objects == 0, report.objects);
    FUZZ_CHECK(report.immortal_objects == (size_t)immortals, report.immortal_objects);
    FUZZ_CHECK(misuse_count() == 0, misuse_first().kind);
}

const long fuzz_runs = 2500;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (struct fuzz_input){data, size};
    start();
    for (int i = 0; i < STEPS_MAX && input.left; i++)
        step();
    finish();
    return 0;
}
