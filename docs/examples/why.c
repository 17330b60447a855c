/* SPDX-License-Identifier: MIT */
#include "why.h"

#include <stdio.h>
#include <stdlib.h>

bool search_init(struct search *search, const struct graph *graph)
{
    size_t packages = graph->packages->array.length;
    *search = (struct search){calloc(packages, sizeof *search->queue), calloc(packages, sizeof *search->from),
                              calloc(packages, sizeof *search->round), 0};
    return search->queue && search->from && search->round;
}

void search_free(struct search *search)
{
    free(search->queue);
    free(search->from);
    free(search->round);
}

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

void search_why(struct search *search, const struct package *package, size_t changes_before, struct traffic *mine)
{
    long place = ouro_peek(&package->version) ? search_up(search, package) : -1;
    if (place < 0)
        return;
    size_t length = check_chain(search, (size_t)place, changes_before, mine);
    mine->answers++;
    if (length > mine->longest) {
        mine->longest = length;
        print_chain(search, (size_t)place, mine->chain, sizeof mine->chain);
    }
}
