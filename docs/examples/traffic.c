/* SPDX-License-Identifier: MIT
 *
 * Readers and writers at work on the same graph, for most of a second.
 *
 * A package is there because somebody wants it: because it is essential, of a priority that every system has, or
 * because nothing depends on it, so that it must have been asked for. Every other package is there because of one
 * that depends on it. "Why is X installed?" is thus the shortest chain of dependants from X up to a wanted
 * package.
 *
 * Readers borrow: in a read section they follow references without touching a count or waiting for anybody. What
 * they see may be dead by then, but stays readable until they are through. */
#include <stdio.h>
#include <stdlib.h>

#include "demo.h"

#define TRAFFIC_NS UINT64_C(700000000)
#define WRITERS 2

struct shift {
    struct graph *graph;
    uint64_t end;
    atomic_bool failed; /* no memory */
    struct traffic *total;
    pthread_mutex_t adding; /* to the total */
};

/* What one reader needs for its searches; all by package id or by place in the queue. */
struct search {
    const struct package **queue;
    size_t *from;  /* the place in the queue from which this one was found */
    size_t *round; /* of the search that last saw the package */
    size_t rounds;
};

static bool is_wanted(const struct package *package)
{
    const struct version *version = ouro_peek(&package->version);
    return version && (version->wanted || !ouro_peek(&package->dependants));
}

/* In a read section. The place of the first wanted package in the queue, whose chain leads back to place 0; or -1. */
static long search_up(struct search *search, const struct package *start)
{
    size_t count = 0;
    search->rounds++;
    search->round[start->id] = search->rounds;
    search->queue[count++] = start;
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(search->queue[i]))
            return (long)i;
        struct backlink *link = ouro_peek(&search->queue[i]->dependants);
        for (; link; link = ouro_peek(&link->next)) {
            const struct package *dependant = ouro_peek(&link->package);
            if (search->round[dependant->id] == search->rounds)
                continue;
            search->round[dependant->id] = search->rounds;
            search->from[count] = i;
            search->queue[count++] = dependant;
        }
    }
    return -1;
}

/* In the same section: the chain was found by backlinks; do the dependencies say the same? */
static size_t check_chain(const struct search *search, size_t place, size_t changes_before, struct traffic *mine)
{
    size_t length = 1;
    for (; place != 0; place = search->from[place], length++) {
        const struct package *dependant = search->queue[place], *needed = search->queue[search->from[place]];
        const struct version *version = ouro_peek(&dependant->version); /* once: it may change meanwhile */
        mine->hops++;
        if (version && list_has(ouro_peek(&version->depends), needed))
            continue;
        if (!version || atomic_load(&dependant->changed) > changes_before)
            mine->overtaken++; /* being reinstalled, or rewired since the search began */
        else
            mine->wrong++;
    }
    return length;
}

static void print_chain(const struct search *search, size_t place, char *out, size_t size)
{
    size_t used = 0;
    for (bool more = true; more && used < size; place = search->from[place]) {
        more = place != 0;
        const char *name = package_name(search->queue[place]);
        used += (size_t)snprintf(out + used, size - used, "%s%s", name, more ? " > " : "");
    }
}

static void read_shift(struct shift *shift, struct rng rng, struct traffic *mine)
{
    size_t packages = shift->graph->packages->array.length;
    struct search search = {calloc(packages, sizeof *search.queue), calloc(packages, sizeof *search.from),
                            calloc(packages, sizeof *search.round), 0};
    if (!search.queue || !search.from || !search.round)
        atomic_store(&shift->failed, true);
    while (!atomic_load(&shift->failed) && now_ns() < shift->end) {
        ouro_read_begin();
        size_t changes = atomic_load(&shift->graph->changes);
        const struct package *package = graph_any(shift->graph, &rng);
        if (ouro_peek(&package->version)) {
            long place = search_up(&search, package);
            mine->questions++;
            if (place >= 0) {
                size_t length = check_chain(&search, (size_t)place, changes, mine);
                mine->answers++;
                if (length > mine->longest) {
                    mine->longest = length;
                    print_chain(&search, (size_t)place, mine->chain, sizeof mine->chain);
                }
            }
        }
        ouro_read_end();
    }
    free(search.queue);
    free(search.from);
    free(search.round);
}

/* A new version object like the old one, one revision later. */
static struct version *revise(struct version *old)
{
    struct version *version = version_new();
    if (!version)
        return NULL;
    ouro_give(version, &version->number, ouro_get(old, &old->number));
    ouro_give(version, &version->depends, ouro_get(old, &old->depends));
    version->offset = old->offset;
    version->wanted = old->wanted;
    version->revision = old->revision + 1;
    return version;
}

/* Puts a new version in the old one's place, unless another writer was faster. The old one dies by counting;
 * readers who are looking at it may finish. */
static bool update(struct package *package, struct traffic *mine)
{
    struct version *old = ouro_get(package, &package->version);
    if (!old)
        return true;
    struct version *version = revise(old);
    bool ok = version;
    if (ok)
        mine->updates += ouro_compare_set(package, &package->version, old, version);
    ouro_release(version);
    ouro_release(old);
    return ok;
}

/* Takes the version out and gives it back: in between, the package is not installed. */
static void reinstall(struct package *package, struct traffic *mine)
{
    struct version *version = ouro_take(package, &package->version);
    if (!version)
        return; /* another writer has it, or it never was installed */
    ouro_give(package, &package->version, version);
    mine->reinstalls++;
}

static void rewire(struct graph *graph, struct package *package, struct list *list, size_t i, struct package *to,
                   struct backlink *link)
{
    pthread_mutex_lock(&graph->writers);
    graph_rewire(graph, package, list, i, to, link);
    pthread_mutex_unlock(&graph->writers);
}

/* Turns a dependency of the package to another one, and later turns it back. In between all see it turned. */
static bool detour(struct graph *graph, struct package *package, struct package *other, struct rng *rng,
                   struct traffic *mine)
{
    ouro_read_begin();
    struct list *list = ouro_try_retain(package_depends(package));
    size_t length = list ? list->array.length : 0, i = length > 0 ? rng_below(rng, length) : 0;
    struct package *needed = length > 0 ? ouro_try_retain(ouro_peek(&list->items[i])) : NULL;
    ouro_read_end();

    bool ok = true;
    if (needed) {
        struct backlink *there = backlink_new(package), *back = backlink_new(package);
        ok = there && back; /* before anything is changed */
        if (ok) {
            rewire(graph, package, list, i, other, there);
            ok = update(package, mine);
            rewire(graph, package, list, i, needed, back);
            mine->rewirings += 2;
        } else {
            ouro_release(there);
            ouro_release(back);
        }
    }
    ouro_release(needed);
    ouro_release(list);
    return ok;
}

/* Any writer may replace any version. Dependencies of a package are changed by one writer only, the one with its
 * number, so that what was turned can be turned back. */
static void write_shift(struct shift *shift, unsigned writer, struct rng rng, struct traffic *mine)
{
    struct graph *graph = shift->graph;
    while (!atomic_load(&shift->failed) && now_ns() < shift->end) {
        ouro_read_begin();
        struct package *package = ouro_try_retain(graph_any(graph, &rng)); /* to be changed, it must be held */
        struct package *other = ouro_try_retain(graph_any(graph, &rng));
        ouro_read_end();
        bool ok = true;
        size_t dice = rng_below(&rng, 4);
        if (dice == 0)
            reinstall(package, mine);
        else if (dice == 1 && package->id % WRITERS == writer)
            ok = detour(graph, package, other, &rng, mine);
        else
            ok = update(package, mine);
        ouro_release(other);
        ouro_release(package);
        if (!ok)
            atomic_store(&shift->failed, true);
    }
}

static void work(unsigned member, void *arg)
{
    struct shift *shift = arg;
    struct traffic mine = {0}, *total = shift->total;
    if (member >= 1 && member <= WRITERS) { /* member 0, who is always there, reads */
        mine.writers = 1;
        write_shift(shift, member - 1, rng_seed(member), &mine);
    } else {
        mine.readers = 1;
        read_shift(shift, rng_seed(member), &mine);
    }

    pthread_mutex_lock(&shift->adding);
    total->readers += mine.readers;
    total->writers += mine.writers;
    total->questions += mine.questions;
    total->answers += mine.answers;
    total->hops += mine.hops;
    total->overtaken += mine.overtaken;
    total->wrong += mine.wrong;
    total->updates += mine.updates;
    total->reinstalls += mine.reinstalls;
    total->rewirings += mine.rewirings;
    if (mine.longest > total->longest) {
        total->longest = mine.longest;
        snprintf(total->chain, sizeof total->chain, "%s", mine.chain);
    }
    pthread_mutex_unlock(&shift->adding);
}

bool traffic(struct graph *graph, struct traffic *traffic)
{
    *traffic = (struct traffic){0};
    struct shift shift = {.graph = graph, .total = traffic, .adding = PTHREAD_MUTEX_INITIALIZER};
    shift.end = now_ns() + TRAFFIC_NS;
    team_run(team_size() + WRITERS, work, &shift);
    return !atomic_load(&shift.failed);
}
