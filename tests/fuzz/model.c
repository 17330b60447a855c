/* SPDX-License-Identifier: MIT */
#include "fuzz/model.h"

#include <string.h>

#include "fuzz/fuzz.h"

struct model model;

void model_start(bool manual)
{
    memset(&model, 0, sizeof model);
    model.manual = model.loose = manual;
}

int model_add(enum kind kind, int slots)
{
    struct entry *e = &model.entries[model.used];
    *e = (struct entry){.kind = kind, .slots = slots, .stride = 1, .held = 1, .count = 1, .target = NONE};
    for (int i = 0; i < SLOTS_MAX; i++)
        e->content[i].object = NONE;
    return model.used++;
}

bool model_is_tracked(const struct entry *e)
{
    return e->kind <= STAMPED_TABLE;
}

bool model_has_finalizer(const struct entry *e)
{
    return e->kind == FINALIZED || e->kind == FINALIZED_LEAF || e->kind == STAMPED_TABLE;
}

bool model_is_alive(int number)
{
    return !model.entries[number].gone && !model.entries[number].waiting;
}

/* ---- Counting ---- */

static void count_down(int number);

static void set_gone(struct entry *e)
{
    e->gone = true;
    e->gone_at = model.step;
    e->gone_loosely = model.loose || (model.in_section && e->has_callback); /* a callback that is due holds its weak reference */
}

static void release_content(struct entry *e)
{
    for (int i = 0; i < e->slots; i++) {
        int object = e->content[i].object;
        e->content[i] = (struct content){NONE, OURO_NIL};
        if (object != NONE)
            count_down(object);
    }
}

static void do_fate(struct entry *e)
{
    e->finalized = true;
    if (e->fate == STAYS) {
        e->held++;
        e->count++;
    } else if (e->fate == SAVES_FIRST && e->slots) {
        model_take((int)(e - model.entries), 0);
    } else if (e->fate == CLEARS) {
        release_content(e);
    }
}

/* The last reference has gone. */
static void die(int number)
{
    struct entry *e = &model.entries[number];
    if (model_has_finalizer(e) && !e->finalized) {
        e->waiting = model.in_section;
        if (e->waiting)
            return;
        e->count = 1; /* the destroyer's */
        do_fate(e);
        if (--e->count)
            return;
    }
    set_gone(e);
    release_content(e);
}

static void count_down(int number)
{
    struct entry *e = &model.entries[number];
    if (--e->count == 0 && !e->immortal && !e->gone)
        die(number);
}

void model_hold(int number)
{
    model.entries[number].held++;
    model.entries[number].count++;
}

void model_drop(int number)
{
    model.entries[number].held--;
    count_down(number);
}

void model_section_ends(void)
{
    model.in_section = false;
    for (int i = 0; i < model.used; i++)
        if (model.entries[i].waiting) {
            model.entries[i].waiting = false;
            die(i);
        }
}

/* ---- Slots ---- */

int model_take(int container, int slot)
{
    struct content *c = &model.entries[container].content[slot];
    int object = c->object;
    *c = (struct content){NONE, OURO_NIL};
    if (object != NONE)
        model.entries[object].held++;
    return object;
}

void model_move(int container, int slot, int number)
{
    struct entry *e = &model.entries[container];
    int old = e->content[slot].object;
    e->content[slot] = (struct content){number, OURO_NIL};
    if (number != NONE && e->shared)
        model_share(number);
    if (old != NONE)
        count_down(old);
}

/* ---- Publication ---- */

void model_share(int number)
{
    struct entry *e = &model.entries[number];
    if (e->shared || e->gone)
        return;
    e->shared = true;
    for (int i = 0; i < e->slots; i++)
        if (e->content[i].object != NONE)
            model_share(e->content[i].object);
    if (e->target != NONE)
        model_share(e->target);
    for (int i = 0; i < model.used; i++) /* what its death calls back */
        if (model.entries[i].target == number && model.entries[i].has_callback)
            model_share(i);
}

void model_immortalize(int number)
{
    model_share(number);
    model.entries[number].immortal = true;
}

void model_freeze(bool frozen)
{
    for (int i = 0; i < model.used; i++)
        model.entries[i].frozen = frozen && !model.entries[i].gone && model_is_tracked(&model.entries[i]);
}

/* ---- Reachability ---- */

static void reach(int number)
{
    struct entry *e = &model.entries[number];
    if (e->reachable || e->gone)
        return;
    e->reachable = true;
    for (int i = 0; i < e->slots; i++)
        if (e->content[i].object != NONE)
            reach(e->content[i].object);
}

void model_mark(void)
{
    for (int i = 0; i < model.used; i++)
        model.entries[i].reachable = false;
    for (int i = 0; i < model.used; i++) {
        const struct entry *e = &model.entries[i];
        if (e->held > 0 || e->immortal || e->frozen || e->waiting)
            reach(i);
    }
}

int model_sure_count(int number)
{
    int count = model.entries[number].held;
    for (int i = 0; i < model.used; i++)
        for (int k = 0; k < model.entries[i].slots && model.entries[i].reachable; k++)
            count += model.entries[i].content[k].object == number;
    return count;
}

/* ---- Collections ---- */

/* Finalizers of cycles that have run: what they did is done to the model, but nothing dies by its count here. */
static void adopt_finalized(struct entry *e)
{
    if (!model_is_tracked(e) || !model_has_finalizer(e) || e->gone || e->finalized || !atomic_load(&e->seen_finalized))
        return;
    if (e->reachable && !model.manual)
        return; /* not by a collection: then it is wrong, and found to be */
    e->finalized = true;
    if (e->fate == STAYS)
        model_hold((int)(e - model.entries));
    else if (e->fate == SAVES_FIRST && e->slots)
        model_take((int)(e - model.entries), 0);
    else if (e->fate == CLEARS)
        for (int i = 0; i < e->slots; i++) {
            if (e->content[i].object != NONE)
                model.entries[e->content[i].object].count--;
            e->content[i] = (struct content){NONE, OURO_NIL};
        }
}

static bool was_to_go(const struct entry *e, bool private_all, bool all)
{
    return all || (private_all && !e->shared);
}

/* Of private garbage the thread's own collection calls all finalizers, and then, if one keeps what leads to shared garbage, that is none. */
static void finalize_garbage(bool shared, bool all)
{
    model_mark();
    for (int i = 0; i < model.used; i++) {
        struct entry *e = &model.entries[i];
        if (e->shared == shared && all && !e->gone && !e->reachable && model_is_tracked(e) && model_has_finalizer(e) && !model.manual)
            FUZZ_CHECK(atomic_load(&e->seen_finalized) == 1, i); /* garbage is finalized */
    }
    for (int i = 0; i < model.used; i++)
        if (model.entries[i].shared == shared)
            adopt_finalized(&model.entries[i]);
}

void model_collected(bool private_all, bool all)
{
    finalize_garbage(false, private_all);
    finalize_garbage(true, all);
    model_mark();
    for (int i = 0; i < model.used; i++) {
        struct entry *e = &model.entries[i];
        if (!model_is_tracked(e) || e->gone || e->reachable || e->seen_alive)
            continue;
        if (model_has_finalizer(e))
            FUZZ_CHECK(e->finalized, i); /* no garbage goes without its finalizer */
        set_gone(e);
        for (int k = 0; k < e->slots; k++) {
            if (e->content[k].object != NONE)
                model.entries[e->content[k].object].count--;
            e->content[k] = (struct content){NONE, OURO_NIL};
        }
    }
    for (int i = 0; i < model.used; i++) {
        const struct entry *e = &model.entries[i];
        bool is_due = model.manual && model_is_tracked(e) && e->seen_alive; /* its finalizer, which holds it */
        if (!e->gone && e->count == 0 && !e->immortal && !is_due)
            die(i); /* by its count: garbage held it */
    }
    for (int i = 0; i < model.used; i++) {
        const struct entry *e = &model.entries[i];
        if (!model_is_tracked(e) || e->frozen)
            continue;
        if (e->gone)
            FUZZ_CHECK(!e->seen_alive, i); /* what is gone is not met */
        else if (e->reachable)
            FUZZ_CHECK(e->seen_alive, i); /* what is reachable lives */
        else if (!model.manual)
            FUZZ_CHECK(!was_to_go(e, private_all, all), i); /* garbage is collected */
    }
}
