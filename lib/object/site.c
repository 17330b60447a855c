/* SPDX-License-Identifier: MIT */
#include "object/site.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "port/backtrace.h"

struct site {
    struct site *next; /* in its bucket */
    uint32_t id, count;
    void *frames[];
};

#define BUCKETS 4096u
#define PLACES 4 /* of a site are named */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the site lock: docs/design/lock-order.md */
static struct site *buckets[BUCKETS];                    /* this and the next two: under the lock */
static struct site **sites;                              /* [id - 1] */
static uint32_t used, room;
static unsigned depth; /* from the start of dev mode on */

void oi_site_start(unsigned frames)
{
    void *warm[1];
    depth = frames;
    oi_backtrace(warm, 1, 0);
}

/* ---- numbers ---- */

static uint32_t hash(void *const *frames, unsigned count)
{
    uint64_t x = count;
    for (unsigned i = 0; i < count; i++)
        x = (x ^ (uintptr_t)frames[i]) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(x >> 32) % BUCKETS;
}

static struct site *add(struct site **bucket, void *const *frames, unsigned count)
{
    if (used == room) {
        uint32_t more = room ? 2 * room : 256;
        struct site **all = realloc(sites, more * sizeof *all);
        if (!all)
            return NULL;
        sites = all;
        room = more;
    }
    struct site *site = malloc(sizeof *site + count * sizeof *frames);
    if (!site)
        return NULL;
    *site = (struct site){.next = *bucket, .id = used + 1, .count = count};
    memcpy(site->frames, frames, count * sizeof *frames);
    sites[used++] = *bucket = site;
    return site;
}

OI_NOINLINE uint32_t oi_site_here(void)
{
    void *frames[OI_FRAMES_MAX];
    unsigned count = oi_backtrace(frames, depth, 1);
    struct site **bucket = &buckets[hash(frames, count)];
    pthread_mutex_lock(&lock);
    struct site *site = *bucket;
    while (site && (site->count != count || memcmp(site->frames, frames, count * sizeof *frames)))
        site = site->next;
    if (!site)
        site = add(bucket, frames, count);
    pthread_mutex_unlock(&lock);
    return site ? site->id : 0;
}

static unsigned frames_of(uint32_t id, void **frames)
{
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    if (id && id <= used) {
        count = sites[id - 1]->count;
        memcpy(frames, sites[id - 1]->frames, count * sizeof *frames);
    }
    pthread_mutex_unlock(&lock);
    return count;
}

/* ---- names ---- */

struct naming {
    const unsigned *site_of; /* [frame]: index of its site in `names` */
    unsigned site;           /* the one that is being written, and how far it has come */
    unsigned places;
    bool done;
    char own[512];           /* where the library's sources are, if that is known */
    char (*names)[640];
};

/* The first frame asked for is in this file. */
static void learn_own(struct naming *naming, const struct oi_place *place)
{
    static const char tail[] = "object/site.c";
    const char *at = place->line_known ? strstr(place->file, tail) : NULL;
    if (at && !*naming->own)
        snprintf(naming->own, sizeof naming->own, "%.*s", (int)(at - place->file), place->file);
}

static bool is_own(const struct naming *naming, const struct oi_place *place)
{
    if (place->own_module || !strncmp(place->function, "ouro_", 5) || !strncmp(place->function, "oi_", 3))
        return true;
    return *naming->own && place->line_known && !strncmp(place->file, naming->own, strlen(naming->own));
}

/* What calls main, and threads' first functions. */
static bool is_outermost(const struct oi_place *place)
{
    return !strncmp(place->function, "__libc_start", 12) || !strcmp(place->function, "start_thread");
}

static void name_place(const struct oi_place *place, void *arg)
{
    struct naming *naming = arg;
    if (!place->frame) {
        learn_own(naming, place);
        return;
    }
    unsigned site = naming->site_of[place->frame];
    if (site != naming->site) {
        naming->site = site;
        naming->places = 0;
        naming->done = false;
    }
    char *name = naming->names[site];
    size_t at = strlen(name);
    if (naming->done || (!naming->places && is_own(naming, place)))
        return;
    if (naming->places == PLACES || is_outermost(place) || (naming->places && !place->line_known)) {
        naming->done = true;
        return;
    }
    snprintf(name + at, sizeof *naming->names - at, "%s%s (%s)", naming->places ? ", from " : "", place->function, place->file);
    naming->places++;
}

/* Equal names become the same. */
static void unite(char **names, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        unsigned j = 0;
        while (strcmp(names[j], names[i]))
            j++;
        names[i] = names[j];
    }
}

char **oi_site_names(const uint32_t *wanted, unsigned count)
{
    unsigned most = count * OI_FRAMES_MAX + 1, frames_count = 1;
    struct naming naming = {.site = UINT32_MAX};
    unsigned *site_of = malloc(most * sizeof *site_of);
    void **frames = malloc(most * sizeof *frames);
    char **names = calloc(1, count * (sizeof *names + sizeof *naming.names));
    if (!site_of || !frames || !names) {
        free(names);
        names = NULL;
        goto done;
    }
    frames[0] = (char *)(uintptr_t)oi_site_names + 1;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned n = frames_of(wanted[i], frames + frames_count); n; n--)
            site_of[frames_count++] = i;
    }
    naming.site_of = site_of;
    naming.names = (void *)(names + count);
    oi_backtrace_name(frames, frames_count, name_place, &naming);
    for (unsigned i = 0; i < count; i++) {
        names[i] = naming.names[i];
        if (!*names[i])
            snprintf(names[i], sizeof *naming.names, "%s", wanted[i] ? "the library itself" : "an unknown place");
    }
    unite(names, count);
done:
    free(site_of);
    free(frames);
    return names;
}

void oi_site_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_site_after_fork(void)
{
    pthread_mutex_unlock(&lock);
}
