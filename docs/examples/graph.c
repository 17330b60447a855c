/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <stddef.h>
#include <string.h>

/* Types are data: where the references are is all that ouro needs to know. */
static ouro_type text_type = OURO_TYPE(struct text, .name = "text", .array_bytes = offsetof(struct text, bytes));
static ouro_type version_type =
    OURO_TYPE(struct version, .name = "version", .slots = OURO_SLOTS(struct version, number, depends, before, after));
static ouro_type package_type =
    OURO_TYPE(struct package, .name = "package", .slots = OURO_SLOTS(struct package, name, version, dependants, next));
static ouro_type backlink_type =
    OURO_TYPE(struct backlink, .name = "backlink", .slots = OURO_SLOTS(struct backlink, package, next));
ouro_type list_type = OURO_TYPE(struct list, .name = "list", .array_slots = offsetof(struct list, items));

struct text *text_new(struct span span)
{
    struct text *text = make_array(&text_type, span.length + 1);
    if (text)
        memcpy(text->bytes, span.at, span.length);
    return text;
}

struct version *version_new(void)
{
    return make(&version_type);
}

struct backlink *backlink_new(struct package *dependant)
{
    struct backlink *link = make(&backlink_type);
    if (link)
        ouro_set(link, &link->package, dependant);
    return link;
}

static struct package *package_new(struct span name, uint64_t hash)
{
    struct package *package = make(&package_type);
    struct text *text = text_new(name);
    if (package && text) {
        package->hash = hash;
        ouro_give(package, &package->name, text);
        return package;
    }
    ouro_release(text);
    ouro_release(package);
    return NULL;
}

bool graph_init(struct graph *graph, size_t file_length)
{
    size_t buckets = 16;
    while (buckets < file_length / 256) /* few stanzas are shorter */
        buckets *= 2;
    *graph = (struct graph){.index = make_array(&list_type, buckets)};
    pthread_mutex_init(&graph->writers, NULL);
    /* Handed to other threads outside the heap, so published by hand; whatever is stored into it, is by itself. */
    ouro_share(graph->index);
    return graph->index;
}

static struct package *bucket_find(struct package *head, struct span name, uint64_t hash)
{
    for (struct package *package = head; package; package = ouro_peek(&package->next))
        if (package->hash == hash && span_is(name, package_name(package)))
            return package;
    return NULL;
}

/* Packages are only ever put in front of a bucket, and never taken out. */
static struct package *bucket_add(struct graph *graph, ouro_slot *bucket, struct span name, uint64_t hash)
{
    struct list *index = graph->index;
    struct package *fresh = package_new(name, hash), *found = NULL;
    while (fresh && !found) {
        struct package *head = ouro_get(index, bucket);
        ouro_read_begin(); /* another thread may have added it since the caller looked */
        found = ouro_try_retain(bucket_find(head, name, hash));
        ouro_read_end();
        if (!found) {
            ouro_set(fresh, &fresh->next, head);
            if (ouro_compare_set(index, bucket, head, fresh))
                found = ouro_retain(fresh);
        }
        ouro_release(head); /* held until here: no other object can have come to its address */
    }
    if (found != fresh)
        atomic_fetch_add(&graph->outrun, 1);
    ouro_release(fresh);
    return found;
}

struct package *graph_package(struct graph *graph, struct span name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < name.length; i++)
        hash = (hash ^ (unsigned char)name.at[i]) * UINT64_C(0x100000001b3);
    ouro_slot *bucket = &graph->index->items[hash & (graph->index->array.length - 1)];

    ouro_read_begin();
    struct package *package = ouro_try_retain(bucket_find(ouro_peek(bucket), name, hash));
    ouro_read_end();
    return package ? package : bucket_add(graph, bucket, name, hash);
}

/* Goes through the index: from NULL to the first package, from the last one to NULL. Each is held until the next
 * call. */
static struct package *index_next(struct list *index, struct package *package, size_t *bucket)
{
    struct package *next = package ? ouro_get(package, &package->next) : NULL;
    while (!next && *bucket < index->array.length)
        next = ouro_get(index, &index->items[(*bucket)++]);
    ouro_release(package);
    return next;
}

bool graph_number_packages(struct graph *graph)
{
    size_t count = 0, bucket = 0;
    for (struct package *package = NULL; (package = index_next(graph->index, package, &bucket));)
        package->id = count++;
    struct list *packages = graph->packages = make_array(&list_type, count);
    if (!packages)
        return false;
    bucket = 0;
    for (struct package *package = NULL; (package = index_next(graph->index, package, &bucket));)
        ouro_set(packages, &packages->items[package->id], package);
    ouro_share(packages);
    return true;
}

void package_add_dependant(struct package *package, struct backlink *link)
{
    bool done;
    do {
        struct backlink *head = ouro_get(package, &package->dependants);
        ouro_set(link, &link->next, head);
        done = ouro_compare_set(package, &package->dependants, head, link);
        ouro_release(head);
    } while (!done);
    ouro_release(link);
}

/* Under graph.writers: so nobody else changes the list, and its links may be changed without being held. */
static void remove_dependant(struct package *package, struct package *dependant)
{
    void *before = package; /* the object that holds the slot that holds the link */
    ouro_slot *slot = &package->dependants;
    ouro_read_begin();
    struct backlink *link = ouro_peek(slot);
    while (link && ouro_peek(&link->package) != dependant) {
        before = link;
        slot = &link->next;
        link = ouro_peek(slot);
    }
    ouro_read_end();
    if (link) /* readers that stand on the link go on from it: it dies here, but stays readable for them */
        ouro_give(before, slot, ouro_get(link, &link->next));
}

void graph_rewire(struct graph *graph, struct package *package, struct list *list, size_t i, struct package *to,
                  struct backlink *link)
{
    struct package *from = ouro_get(list, &list->items[i]);
    remove_dependant(from, package);
    atomic_store(&package->changed, atomic_fetch_add(&graph->changes, 1) + 1);
    ouro_set(list, &list->items[i], to);
    package_add_dependant(to, link);
    ouro_release(from);
}

struct package *graph_any(const struct graph *graph, struct rng *rng)
{
    return ouro_peek(&graph->packages->items[rng_below(rng, graph->packages->array.length)]);
}

const char *package_name(const struct package *package)
{
    const struct text *name = ouro_peek(&package->name);
    return name->bytes;
}

struct list *package_depends(const struct package *package)
{
    const struct version *version = ouro_peek(&package->version);
    return version ? ouro_peek(&version->depends) : NULL;
}

bool list_has(const struct list *list, const struct package *package)
{
    for (size_t i = 0; list && i < list->array.length; i++)
        if (ouro_peek(&list->items[i]) == package)
            return true;
    return false;
}

static uint64_t pair_hash(const struct package *dependant, const struct package *needed)
{
    uint64_t h = (dependant->hash ^ needed->hash >> 32 ^ needed->hash << 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

struct census graph_census(const struct graph *graph)
{
    struct census census = {.packages = graph->packages->array.length};
    for (size_t i = 0; i < census.packages; i++) {
        ouro_read_begin(); /* one per package: memory of the dead waits for the longest section */
        const struct package *package = ouro_peek(&graph->packages->items[i]);
        const struct list *list = package_depends(package);
        census.installed += ouro_peek(&package->version) != NULL;
        for (size_t k = 0; list && k < list->array.length; k++) {
            census.dependencies++;
            census.dependencies_sum += pair_hash(package, ouro_peek(&list->items[k]));
        }
        for (struct backlink *link = ouro_peek(&package->dependants); link; link = ouro_peek(&link->next)) {
            census.backlinks++;
            census.backlinks_sum += pair_hash(ouro_peek(&link->package), package);
        }
        ouro_read_end();
    }
    return census;
}

void graph_drop(struct graph *graph)
{
    ouro_release(graph->packages);
    ouro_release(graph->index);
    graph->packages = graph->index = NULL;
    pthread_mutex_destroy(&graph->writers);
}
