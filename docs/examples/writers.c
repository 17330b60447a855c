/* SPDX-License-Identifier: MIT
 *
 * Writers replace versions, take them out and put them back, and rewire dependencies. They shut no reader out: a change
 * is one store, or one after the other, and readers find what is there.
 *
 * The versions that they replace know each other, as histories do. That makes cycles of shared objects, and it is for
 * the concurrent collection to find those that are left behind. */
#include <time.h>

#include "traffic.h"

/* A writer carries out so many orders at a time, and then waits for more. */
#define ORDERS 50
#define REST_NS 2000000

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
    if (version->revision % HISTORY != 0)
        ouro_set(version, &version->before, old);
    return version;
}

/* Puts a new version in the old one's place, unless another writer was faster: then the new one goes by counting.
 * False: no memory; so for the other orders. */
static bool update(struct package *package, struct traffic *mine)
{
    struct version *old = ouro_get(package, &package->version);
    if (!old)
        return true;
    struct version *version = revise(old);
    bool ok = version;
    if (ok && !ouro_compare_set(package, &package->version, old, version)) {
        mine->outrun++;
    } else if (ok) {
        mine->updates++;
        if (version->revision % HISTORY != 0)
            ouro_set(old, &old->after, version); /* a cycle */
        else
            mine->histories++; /* dropped, with all that is in it */
    }
    ouro_release(version);
    ouro_release(old);
    return ok;
}

/* As many new versions as a history has: so one history ends, and is left behind. */
static bool update_often(struct package *package, struct traffic *mine)
{
    bool ok = true;
    for (int i = 0; i < HISTORY && ok; i++)
        ok = update(package, mine);
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
static bool carry_out(struct graph *graph, unsigned writer, struct rng *rng, struct traffic *mine)
{
    ouro_read_begin();
    struct package *package = ouro_try_retain(graph_any(graph, rng)); /* to be changed, it must be held */
    struct package *other = ouro_try_retain(graph_any(graph, rng));
    ouro_read_end();
    bool ok = true;
    size_t dice = rng_below(rng, 4);
    if (dice == 0)
        reinstall(package, mine);
    else if (dice == 1)
        ok = update_often(package, mine);
    else if (package->id % WRITERS == writer)
        ok = detour(graph, package, other, rng, mine);
    ouro_release(other);
    ouro_release(package);
    return ok;
}

void write_shift(struct shift *shift, unsigned writer, struct rng rng, struct traffic *mine)
{
    while (shift_goes_on(shift)) {
        for (size_t order = 0; order < ORDERS; order++)
            if (!carry_out(shift->graph, writer, &rng, mine))
                atomic_store(&shift->failed, true);
        ouro_blocking_begin(); /* while it waits, others may act for it */
        nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
        ouro_blocking_end();
    }
}
