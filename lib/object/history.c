/* SPDX-License-Identifier: MIT */
#include "object/history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/site.h"
#include "port/os.h"

bool oi_history_on;

/* One change: where, by which thread, and what the count was before it. */
struct change {
    uint32_t site;
    uint32_t thread;
    uint32_t count;
    uint32_t what;
};

#define CHANGES 8u /* the last ones are kept */

struct history {
    struct history *next; /* in its bucket */
    uintptr_t hidden; /* the object's address, so that no checker takes it for a reference to it */
    const struct oi_type *type;
    size_t size;
    uint32_t made_at, made_by;
    bool sealed;
    uint64_t seal;    /* of its content in death */
    uint32_t changes; /* ever; change i is in last[i % CHANGES] */
    struct change last[CHANGES];
};

static uintptr_t hide(const void *object)
{
    return ~(uintptr_t)object;
}

static const ouro_object *object_of(const struct history *history)
{
    return (const ouro_object *)~history->hidden;
}

/* A table in parts, so that threads seldom meet; each part grows by itself. */
#define PARTS 16u

static struct part {
    pthread_mutex_t lock; /* a history lock: docs/design/lock-order.md */
    struct history **buckets; /* this and the next two: under the lock */
    size_t mask, used;
} parts[PARTS] = {[0 ... PARTS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

static uint64_t hash(const void *object)
{
    return ((uintptr_t)object >> 3) * 0x9e3779b97f4a7c15u >> 20;
}

static struct part *lock_part(const void *object)
{
    struct part *part = &parts[hash(object) % PARTS];
    pthread_mutex_lock(&part->lock);
    return part;
}

static struct history **bucket_of(const struct part *part, const void *object)
{
    return &part->buckets[hash(object) / PARTS & part->mask];
}

/* Where the history hangs, or where it would. The part has buckets. */
static struct history **find(const struct part *part, const void *object)
{
    struct history **at = bucket_of(part, object);
    while (*at && (*at)->hidden != hide(object))
        at = &(*at)->next;
    return at;
}

static struct history *look_up(const struct part *part, const void *object)
{
    return part->buckets ? *find(part, object) : NULL;
}

static bool grow(struct part *part)
{
    size_t size = part->buckets ? part->mask + 1 : 0, more = size ? 2 * size : 64;
    struct history **old = part->buckets, **buckets = calloc(more, sizeof *buckets);
    if (!buckets)
        return false;
    part->buckets = buckets;
    part->mask = more - 1;
    for (size_t i = 0; i < size; i++) {
        for (struct history *history = old[i], *next; history; history = next) {
            next = history->next;
            struct history **bucket = bucket_of(part, object_of(history));
            history->next = *bucket;
            *bucket = history;
        }
    }
    free(old);
    return true;
}

static void drop(struct part *part, const void *object)
{
    struct history **at = part->buckets ? find(part, object) : NULL, *history = at ? *at : NULL;
    if (!history)
        return;
    *at = history->next;
    part->used--;
    free(history);
}

OI_NOINLINE void oi_history_born(const void *object, const struct oi_type *type, size_t size)
{
    struct history *history = calloc(1, sizeof *history);
    if (!history)
        return; /* it has none */
    *history = (struct history){.hidden = hide(object), .type = type, .size = size, .made_at = oi_site_here(), .made_by = oi_os_thread_number()};
    struct part *part = lock_part(object);
    drop(part, object); /* of a block that was never in quarantine */
    if ((part->used <= part->mask && part->buckets) || grow(part)) {
        struct history **bucket = bucket_of(part, object);
        history->next = *bucket;
        *bucket = history;
        part->used++;
        history = NULL;
    }
    pthread_mutex_unlock(&part->lock);
    free(history);
}

void oi_history_add(const ouro_object *o, enum oi_change change, size_t count)
{
    struct change now = {oi_site_here(), oi_os_thread_number(), (uint32_t)count, change};
    struct part *part = lock_part(o);
    struct history *history = look_up(part, o);
    if (history)
        history->last[history->changes++ % CHANGES] = now;
    pthread_mutex_unlock(&part->lock);
}

static uint64_t seal_of(const ouro_object *o, size_t size)
{
    const uint64_t *word = (const uint64_t *)(o + 1), *end = (const uint64_t *)((const char *)o + size / 8 * 8);
    uint64_t x = 0;
    for (; word < end; word++)
        x = (x ^ oi_load_relaxed(word)) * 0x9e3779b97f4a7c15u + 1;
    return x;
}

void oi_history_seal(const ouro_object *o)
{
    if (OI_TYPE_ID(oi_type_word(o)) < OI_OWN_TYPES)
        return;
    struct part *part = lock_part(o);
    struct history *history = look_up(part, o);
    if (history) {
        history->sealed = true;
        history->seal = seal_of(o, history->size);
    }
    pthread_mutex_unlock(&part->lock);
}

bool oi_history_is_broken(const ouro_object *o)
{
    struct part *part = lock_part(o);
    const struct history *history = look_up(part, o);
    bool broken = history && history->sealed && history->seal != seal_of(o, history->size);
    pthread_mutex_unlock(&part->lock);
    return broken;
}

void oi_history_forget(const void *block)
{
    struct part *part = lock_part(block);
    drop(part, block);
    pthread_mutex_unlock(&part->lock);
}

static bool copy_of(const void *object, struct history *copy)
{
    struct part *part = lock_part(object);
    struct history *history = look_up(part, object);
    if (history)
        *copy = *history;
    pthread_mutex_unlock(&part->lock);
    return history;
}

const struct oi_type *oi_history_type(const void *object)
{
    struct history history;
    return copy_of(object, &history) ? history.type : NULL;
}

uint32_t oi_history_site(const void *object)
{
    struct history history;
    return copy_of(object, &history) ? history.made_at : 0;
}

/* ---- telling it ---- */

static void tell_change(FILE *out, const struct change *change, const char *name)
{
    const char *what = change->what == OI_CHANGE_RETAIN ? "retained" : change->what == OI_CHANGE_RELEASE ? "released" : "found to be garbage";
    if (change->count == UINT32_MAX)
        fprintf(out, "ouro:     %s (immortal)", what);
    else if (change->what == OI_CHANGE_GARBAGE)
        fprintf(out, "ouro:     %s (references %u)", what, change->count);
    else if (!change->count)
        fprintf(out, "ouro:     %s (dead)", what);
    else
        fprintf(out, "ouro:     %s (references %u -> %u)", what, change->count, change->count + (change->what == OI_CHANGE_RETAIN ? 1u : -1u));
    fprintf(out, " by thread %u at %s\n", change->thread, name);
}

char *oi_history_tell(const void *object)
{
    struct history history;
    char *text = NULL;
    size_t size;
    if (!copy_of(object, &history))
        return NULL;
    uint32_t kept = history.changes < CHANGES ? history.changes : CHANGES, sites[CHANGES + 1] = {history.made_at};
    for (uint32_t i = 0; i < kept; i++)
        sites[i + 1] = history.last[(history.changes - 1 - i) % CHANGES].site;
    char **names = oi_site_names(sites, kept + 1);
    FILE *out = names ? open_memstream(&text, &size) : NULL;
    if (out) {
        fprintf(out, "ouro:   %zu bytes of type %s, made by thread %u at %s\n", history.size,
                history.type->descriptor->name ? history.type->descriptor->name : "?", history.made_by, names[0]);
        fprintf(out, kept ? "ouro:   changes of its count, the last %u of %u, latest first:\n" : "ouro:   its count was never changed\n", kept,
                history.changes);
        for (uint32_t i = 0; i < kept; i++)
            tell_change(out, &history.last[(history.changes - 1 - i) % CHANGES], names[i + 1]);
        fclose(out);
    }
    free(names);
    return text;
}

void oi_history_each(oi_history_fn *fn, void *arg)
{
    for (struct part *part = parts; part < parts + PARTS; part++) {
        pthread_mutex_lock(&part->lock);
        for (size_t i = 0; part->buckets && i <= part->mask; i++) {
            for (struct history *history = part->buckets[i]; history; history = history->next) {
                if (!oi_is_dead(object_of(history)))
                    fn(history->type, history->made_at, history->size, object_of(history), arg);
            }
        }
        pthread_mutex_unlock(&part->lock);
    }
}

void oi_history_before_fork(void)
{
    for (struct part *part = parts; part < parts + PARTS; part++)
        pthread_mutex_lock(&part->lock);
}

void oi_history_after_fork(void)
{
    for (struct part *part = parts; part < parts + PARTS; part++)
        pthread_mutex_unlock(&part->lock);
}
