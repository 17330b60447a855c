/* SPDX-License-Identifier: MIT
 *
 * The demonstration's index parser (docs/examples): any bytes as a file. What it accepts, its threads make a graph of, which is compared
 * with a second reading, line by line and name by name, with quadratic search and no objects. Afterwards nothing is left. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "docs/examples/demo.h"
#include "fuzz/fuzz.h"

enum { NAMES_MAX = FUZZ_INPUT_MAX };

struct name {
    const char *at;
    size_t length;
    bool installed;
    size_t needs; /* of the last stanza that is installed */
};

static struct reading {
    struct name names[NAMES_MAX];
    size_t count, stanzas, installed;
} reading;

static struct name *name_of(const char *at, size_t length)
{
    for (size_t i = 0; i < reading.count; i++)
        if (reading.names[i].length == length && memcmp(reading.names[i].at, at, length) == 0)
            return &reading.names[i];
    reading.names[reading.count] = (struct name){.at = at, .length = length};
    return &reading.names[reading.count++];
}

/* Calls name_of for each name of a field: what comes first between commas and bars. */
static size_t read_needs(const char *at, const char *end)
{
    size_t needs = 0;
    bool expected = true; /* a name: since the last comma nothing but blanks came */
    for (; at < end; at++) {
        const char *start = at;
        if (*at == ',' || *at == '|') {
            expected = true;
        } else if (expected && isalnum((unsigned char)*at)) {
            while (at + 1 < end && (isalnum((unsigned char)at[1]) || (at[1] && strchr("+-._", at[1]))))
                at++;
            name_of(start, (size_t)(at + 1 - start));
            needs++;
            expected = false;
        } else if (!isspace((unsigned char)*at)) {
            expected = false;
        }
    }
    return needs;
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline : end;
}

struct fields {
    const char *package, *package_end, *status, *status_end, *depends, *depends_end, *pre_depends, *pre_depends_end;
};

static void read_field(const char *at, const char *end, struct fields *fields)
{
    const struct {
        const char *name;
        const char **start, **end;
    } known[] = {{"package:", &fields->package, &fields->package_end},
                 {"status:", &fields->status, &fields->status_end},
                 {"depends:", &fields->depends, &fields->depends_end},
                 {"pre-depends:", &fields->pre_depends, &fields->pre_depends_end}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].name);
        if ((size_t)(end - at) < length || strncasecmp(at, known[i].name, length) != 0)
            continue;
        const char *from = at + length, *to = end;
        while (from < to && isspace((unsigned char)*from))
            from++;
        while (from < to && isspace((unsigned char)to[-1]))
            to--;
        *known[i].start = from;
        *known[i].end = to;
    }
}

static void read_stanza(const struct fields *f)
{
    static const char word[] = " installed";
    size_t length = f->status ? (size_t)(f->status_end - f->status) : 0;
    bool installed = length == 0 || (length >= 10 && memcmp(f->status_end - 10, word, 10) == 0);
    reading.stanzas++;
    FUZZ_CHECK(f->package, reading.stanzas);
    struct name *name = name_of(f->package, (size_t)(f->package_end - f->package));
    if (!installed)
        return;
    reading.installed++;
    name->installed = true;
    name->needs = f->pre_depends ? read_needs(f->pre_depends, f->pre_depends_end) : 0;
    name->needs += f->depends ? read_needs(f->depends, f->depends_end) : 0;
}

static void read_again(const struct input *input)
{
    reading.count = reading.stanzas = reading.installed = 0;
    struct fields fields = {0};
    bool open = false;
    const char *end = input->text + input->length;
    for (const char *at = input->text; at < end;) {
        const char *stop = line_end(at, end);
        if (stop == at) {
            if (open)
                read_stanza(&fields);
            open = false;
            fields = (struct fields){0};
            at++;
            continue;
        }
        while (stop < end && stop + 1 < end && (stop[1] == ' ' || stop[1] == '\t'))
            stop = line_end(stop + 1, end); /* what goes on on the next line */
        read_field(at, stop, &fields);
        open = true;
        at = stop + (stop < end);
    }
    if (open)
        read_stanza(&fields);
}

static void check_graph(const struct input *input)
{
    struct graph graph = {0};
    struct parsed parsed;
    FUZZ_CHECK(graph_init(&graph, input->length), 0);
    FUZZ_CHECK(parse(&graph, input, &parsed), 0);
    struct census census = graph_census(&graph);
    read_again(input);
    size_t installed = 0, needs = 0;
    for (size_t i = 0; i < reading.count; i++) {
        installed += reading.names[i].installed;
        needs += reading.names[i].needs;
    }
    FUZZ_CHECK(input->stanzas == reading.stanzas && parsed.stanzas == reading.stanzas, parsed.stanzas);
    FUZZ_CHECK(input->installed == reading.installed && parsed.installed == reading.installed, parsed.installed);
    FUZZ_CHECK(parsed.superseded == reading.installed - installed, parsed.superseded);
    FUZZ_CHECK(census.packages == reading.count, census.packages);
    FUZZ_CHECK(census.installed == installed, census.installed);
    FUZZ_CHECK(census.dependencies == needs, census.dependencies);
    FUZZ_CHECK(census.backlinks == needs && census.backlinks_sum == census.dependencies_sum, census.backlinks);
    graph_drop(&graph);
    ouro_leak_report report;
    FUZZ_CHECK(ouro_shutdown(&report) == OURO_OK, 0);
    FUZZ_CHECK(report.objects == 0, report.objects);
}

/* input_read tells people on stderr why it refuses a file. */
static bool read_silently(struct input *input, const char *path)
{
    static FILE *nowhere;
    FILE *shown = stderr;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    FUZZ_CHECK(nowhere, 0);
    stderr = nowhere;
    bool ok = input_read(input, path);
    stderr = shown;
    return ok;
}

const long fuzz_runs = 6000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size = size < FUZZ_INPUT_MAX ? size : FUZZ_INPUT_MAX;
    int fd = memfd_create("index", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size, size);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct input input;
    if (read_silently(&input, path)) {
        check_graph(&input);
        input_free(&input);
    } else {
        FUZZ_CHECK(!input.text, size);
    }
    close(fd);
    return 0;
}
