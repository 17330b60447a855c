/* SPDX-License-Identifier: MIT
 *
 * Workers take pieces of the file. What a worker makes of a stanza is its own at first: plain memory and plain
 * counts, no atomics. One store puts it into the shared graph, and so publishes it. Only names are looked up in
 * the shared index right away, because dependencies point everywhere. */
#include <string.h>

#include "demo.h"

struct stanza {
    const char *start;
    struct span package, version, status, essential, priority, depends, pre_depends;
};

struct job {
    struct graph *graph;
    const struct input *input;
    size_t pieces;
    atomic_size_t next; /* piece, or package, that nobody has taken yet */
    atomic_bool failed; /* no memory: everybody stops */
    atomic_size_t stanzas, installed, superseded;
};

/* Takes one stanza off *rest; input_read has checked that it is one. */
static bool next_stanza(struct span *rest, struct stanza *stanza)
{
    struct span line;
    *stanza = (struct stanza){0};
    while (span_whole_line(rest, &line) && (line.length > 0 || !stanza->start)) {
        if (line.length == 0)
            continue;
        if (!stanza->start)
            stanza->start = line.at;
        (void)(span_field(line, "Package", &stanza->package) || span_field(line, "Version", &stanza->version) ||
               span_field(line, "Status", &stanza->status) || span_field(line, "Essential", &stanza->essential) ||
               span_field(line, "Priority", &stanza->priority) || span_field(line, "Depends", &stanza->depends) ||
               span_field(line, "Pre-Depends", &stanza->pre_depends));
    }
    return stanza->start;
}

/* Takes the next name off a field such as "a (>= 1), b | c:any". Alternatives count like the rest. */
static bool next_need(struct span *field, struct span *name)
{
    *name = (struct span){0};
    while (field->length > 0 && name->length == 0) {
        size_t length = 0;
        while (length < field->length && field->at[length] != ',' && field->at[length] != '|')
            length++;
        *name = span_name(span_trim((struct span){field->at, length}));
        length += length < field->length;
        *field = (struct span){field->at + length, field->length - length};
    }
    return name->length > 0;
}

static size_t count_needs(struct span field)
{
    size_t count = 0;
    for (struct span name; next_need(&field, &name);)
        count++;
    return count;
}

/* Fills in the packages that the field names, from place *count on. False: no memory. */
static bool add_needs(struct graph *graph, struct list *list, size_t *count, struct span field)
{
    for (struct span name; next_need(&field, &name);) {
        struct package *package = graph_package(graph, name);
        if (!package)
            return false;
        ouro_give(list, &list->items[(*count)++], package);
    }
    return true;
}

/* What the stanza says, as a private object. NULL: no memory. */
static struct version *make_version(struct graph *graph, const struct stanza *stanza)
{
    struct version *version = version_new();
    struct text *number = text_new(stanza->version);
    struct list *list = make_array(&list_type, count_needs(stanza->pre_depends) + count_needs(stanza->depends));
    size_t count = 0;
    bool ok = version && number && list && add_needs(graph, list, &count, stanza->pre_depends) &&
              add_needs(graph, list, &count, stanza->depends);
    if (!ok) {
        ouro_release(list);
        ouro_release(number);
        ouro_release(version);
        return NULL;
    }
    ouro_give(version, &version->number, number);
    ouro_give(version, &version->depends, list);
    version->wanted = span_is(stanza->essential, "yes") || span_is(stanza->priority, "required") ||
                      span_is(stanza->priority, "important") || span_is(stanza->priority, "standard");
    return version;
}

/* Of several stanzas for one package (two architectures, two releases) the last in the file counts, whichever worker
 * comes first. The loser goes, at once, by counting. */
static void install(struct job *job, struct package *package, struct version *version)
{
    for (bool done = false; !done;) {
        struct version *old = ouro_get(package, &package->version);
        done = (old && old->offset > version->offset) || ouro_compare_set(package, &package->version, old, version);
        if (done && old)
            atomic_fetch_add(&job->superseded, 1);
        ouro_release(old);
    }
}

static bool add_stanza(struct job *job, const struct stanza *stanza)
{
    atomic_fetch_add(&job->stanzas, 1);
    struct package *package = graph_package(job->graph, stanza->package);
    bool ok = package;
    if (ok && status_is_installed(stanza->status)) {
        atomic_fetch_add(&job->installed, 1);
        struct version *version = make_version(job->graph, stanza);
        ok = version;
        if (ok) {
            version->offset = (size_t)(stanza->start - job->input->text);
            install(job, package, version);
        }
        ouro_release(version);
    }
    ouro_release(package);
    return ok;
}

/* Where the i-th piece starts: behind the first empty line from the i-th part of the file on. */
static size_t piece_start(const struct job *job, size_t i)
{
    if (i == 0)
        return 0;
    size_t at = job->input->length / job->pieces * i;
    const char *empty = i < job->pieces ? strstr(job->input->text + at, "\n\n") : NULL;
    return empty ? (size_t)(empty + 2 - job->input->text) : job->input->length;
}

static void parse_pieces(unsigned member, void *arg)
{
    (void)member;
    struct job *job = arg;
    struct stanza stanza;
    for (size_t i; (i = atomic_fetch_add(&job->next, 1)) < job->pieces && !atomic_load(&job->failed);) {
        size_t start = piece_start(job, i);
        struct span rest = {job->input->text + start, piece_start(job, i + 1) - start};
        while (!atomic_load(&job->failed) && next_stanza(&rest, &stanza))
            if (!add_stanza(job, &stanza))
                atomic_store(&job->failed, true);
    }
}

/* Once it is settled which version of a package stands: every dependency gets its backlink. */
static void link_back(unsigned member, void *arg)
{
    (void)member;
    struct job *job = arg;
    struct list *packages = job->graph->packages;
    for (size_t i; (i = atomic_fetch_add(&job->next, 1)) < packages->array.length && !atomic_load(&job->failed);) {
        struct package *package = ouro_get(packages, &packages->items[i]);
        struct version *version = ouro_get(package, &package->version);
        struct list *list = version ? ouro_get(version, &version->depends) : NULL;
        for (size_t k = 0; list && k < list->array.length; k++) {
            struct package *needed = ouro_get(list, &list->items[k]);
            struct backlink *link = backlink_new(package);
            if (link)
                package_add_dependant(needed, link);
            else
                atomic_store(&job->failed, true);
            ouro_release(needed);
        }
        ouro_release(list);
        ouro_release(version);
        ouro_release(package);
    }
}

bool parse(struct graph *graph, const struct input *input, struct parsed *parsed)
{
    unsigned workers = team_size();
    struct job job = {.graph = graph, .input = input, .pieces = 8 * workers};
    team_run(workers, parse_pieces, &job);
    *parsed = (struct parsed){atomic_load(&job.stanzas), atomic_load(&job.installed), atomic_load(&job.superseded)};
    if (atomic_load(&job.failed) || !graph_number_packages(graph))
        return false;
    atomic_store(&job.next, 0);
    team_run(workers, link_back, &job);
    return !atomic_load(&job.failed);
}
